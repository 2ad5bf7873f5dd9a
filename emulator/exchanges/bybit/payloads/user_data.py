"""What private topics tell of orders and executions; positions and wallets look as elsewhere
(docs/v5/websocket/private).
"""

from __future__ import annotations

from typing import Any, TypedDict

from emulator.exchanges.bybit.payloads.trading import CategoryWord, Execution, Order, SideWord


class StreamedOrder(Order):
    """An order as REST tells of it, and more."""

    category: CategoryWord
    closedPnl: str
    feeCurrency: str


class StreamedExecution(Execution):
    """An execution as REST tells of it, and more."""

    category: CategoryWord
    isLeverage: str
    execPnl: str
    marketUnit: str


class FastExecution(TypedDict):
    category: CategoryWord
    symbol: str
    execId: str
    execPrice: str
    execQty: str
    orderId: str
    isMaker: bool
    orderLinkId: str
    side: SideWord
    execTime: str
    seq: int


class FastFrame(TypedDict):
    """Of `execution.fast`, which has no id."""

    topic: str
    creationTime: int
    data: list[Any]


class Frame(FastFrame):
    id: str
