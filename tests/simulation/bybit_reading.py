"""What Bybit answers and says, in the simulation's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from emulator.core.instruments import Side
from emulator.core.orders import OrderStatus
from emulator.core.positions import Leg
from emulator.exchanges.bybit.ids import read_order_id
from tests.simulation.contract_words import APART, Placed
from tests.simulation.unified_words import (
    Closing,
    Coin,
    CoinHeard,
    Entry,
    FillHeard,
    Heard,
    OrderHeard,
    Payment,
    PaymentHeard,
    PositionHeard,
    Standing,
    UnifiedFill,
    UnifiedOrder,
)
from tests.simulation.words import Book, Outcome, Reply

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
LEGS = {0: Leg.BOTH, 1: Leg.LONG, 2: Leg.SHORT}
STATUSES = {
    "Untriggered": OrderStatus.DORMANT,
    "New": OrderStatus.NEW,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Filled": OrderStatus.FILLED,
    **dict.fromkeys(
        ("Cancelled", "Deactivated", "Rejected", "PartiallyFilledCanceled"), OrderStatus.CANCELED
    ),
}
FUNDING = "Funding"

_OF_STREAM = frozenset({"category", "closedPnl", "feeCurrency"})
"""What only a message says of an order."""
_MARKET_OF_POSITION = frozenset(
    """markPrice liqPrice unrealisedPnl positionIM positionIMByMp positionMM positionMMByMp positionBalance
    adlRankIndicator riskId riskLimitValue category entryPrice""".split()
)
_MARKET_OF_COIN = frozenset(
    "equity usdValue unrealisedPnl totalPositionIM totalPositionMM totalOrderIM borrowAmount".split()
)


def name_of(category: str, symbol: str) -> str:
    return f"{category}:{symbol}"


def number_of(order_id: str) -> int:
    """An order's id as a number."""
    number = read_order_id(order_id)
    assert number is not None, order_id
    return number


def trade_number(execution_id: str) -> int:
    return int(execution_id) if execution_id.isdecimal() else UUID(execution_id).int


def read_ids(category: str, symbol: str, ids: Mapping[str, Any]) -> UnifiedOrder:
    """From an answer that says no more of an order than its names."""
    return UnifiedOrder(
        id=number_of(ids["orderId"]), name=ids["orderLinkId"], instrument=name_of(category, symbol)
    )


def read_order(category: str, order: Mapping[str, Any]) -> UnifiedOrder:
    is_pair, word = category == "spot", order["orderStatus"]
    # What came of one says the same, and waits for no price any more.
    is_apart = is_pair and order["stopOrderType"] == "Stop" and bool(order["triggerPrice"])
    status = STATUSES.get(word)
    if word == "Triggered":
        # Another order comes of one that held nothing, any other goes on itself.
        status = OrderStatus.TRIGGERED if is_apart else OrderStatus.DORMANT
    quantity = Decimal(order["qty"])
    is_budget = order["marketUnit"] == "quoteCoin"
    name = order["orderLinkId"]
    moving = frozenset({"triggerPrice"}) if order["stopOrderType"] == "TrailingStop" else frozenset()
    return UnifiedOrder(
        id=number_of(order["orderId"]),
        name=APART + name if is_apart and name else name,
        instrument=name_of(category, order["symbol"]),
        side=SIDES[order["side"]],
        quantity=None if is_budget or not quantity else quantity,
        executed=Decimal(order["cumExecQty"]),
        amount=Decimal(order["cumExecValue"]),
        status=status,
        price=None if word not in ("New", "PartiallyFilled") else Decimal(order["price"]),
        leg=LEGS[order["positionIdx"]],
        average=Decimal(order["avgPrice"] or 0),
        reduces=order["reduceOnly"],
        detached=is_apart,
        by_exchange=not name,
        created_ms=int(order["createdTime"]),
        fee=Decimal(order["cumExecFee"]),
        record={key: value for key, value in order.items() if key not in _OF_STREAM | moving},
    )


def read_fill(category: str, one: Mapping[str, Any]) -> UnifiedFill:
    return UnifiedFill(
        trade=trade_number(one["execId"]),
        order=number_of(one["orderId"]),
        instrument=name_of(category, one["symbol"]),
        price=Decimal(one["execPrice"]),
        quantity=Decimal(one["execQty"]),
        fee=Decimal(one["execFee"]),
        fee_asset=one["feeCurrency"],
        amount=Decimal(one["execValue"]),
        is_buyer=one["side"] == "Buy",
        is_maker=one["isMaker"],
        time_ms=int(one["execTime"]),
        closed=Decimal(one["closedSize"] or 0),
        is_of_order=one["execType"] not in ("Delivery", "Settle"),
    )


def read_payment(category: str, one: Mapping[str, Any]) -> Payment:
    return Payment(
        id=one["execId"],
        instrument=name_of(category, one["symbol"]),
        fee=Decimal(one["execFee"]),
        time_ms=int(one["execTime"]),
    )


def read_position(category: str, one: Mapping[str, Any]) -> Standing:
    entry = one["avgPrice"] if "avgPrice" in one else one["entryPrice"]
    sign = -1 if one["side"] == "Sell" else 1
    rest = {key: value for key, value in one.items() if key not in _MARKET_OF_POSITION}
    return Standing(
        instrument=name_of(category, one["symbol"]),
        leg=LEGS[one["positionIdx"]],
        quantity=sign * Decimal(one["size"]),
        leverage=Decimal(one["leverage"]),
        record={**rest, "avgPrice": entry},
        cost=sign * Decimal(one["positionValue"] or 0),
    )


def read_coin(one: Mapping[str, Any]) -> Coin:
    return Coin(
        asset=one["coin"],
        wallet=Decimal(one["walletBalance"]),
        locked=Decimal(one["locked"]),
        record={key: value for key, value in one.items() if key not in _MARKET_OF_COIN},
    )


def read_entry(one: Mapping[str, Any]) -> Entry:
    return Entry(
        id=one["id"],
        kind=one["type"],
        asset=one["currency"],
        change=Decimal(one["change"]),
        cash=Decimal(one["cashFlow"]),
        fee=Decimal(one["fee"]),
        funding=Decimal(one["funding"] or 0),
        balance=Decimal(one["cashBalance"]),
        instrument=name_of(one["category"], one["symbol"]) if one["symbol"] else "",
        order=number_of(one["orderId"]) if one["orderId"] else 0,
        trade=trade_number(one["tradeId"]) if one["tradeId"] else 0,
        time_ms=int(one["transactionTime"]),
    )


def read_closing(category: str, one: Mapping[str, Any]) -> Closing:
    return Closing(
        order=number_of(one["orderId"]),
        instrument=name_of(category, one["symbol"]),
        closed=Decimal(one["closedSize"]),
        profit=Decimal(one["closedPnl"]),
        fees=Decimal(one["openFee"]) + Decimal(one["closeFee"]),
    )


def read_book(shown: Mapping[str, Any]) -> Book:
    bids, asks = (
        tuple((Decimal(price), Decimal(quantity)) for price, quantity in shown[side]) for side in ("b", "a")
    )
    return Book(bids=bids, asks=asks)


def read_batch(whole: Reply, parts: list[Reply]) -> Placed:
    return Placed(whole=whole, parts=tuple(parts) if whole.outcome is Outcome.DONE else ())


# What is told without being asked for


def read_heard(frame: Mapping[str, Any]) -> Iterator[Heard]:
    for one in frame["data"]:
        match frame["topic"]:
            case "order":
                yield OrderHeard(order=read_order(one["category"], one))
            case "execution" if one["execType"] == FUNDING:
                yield PaymentHeard(payment=read_payment(one["category"], one))
            case "execution":
                yield FillHeard(fill=read_fill(one["category"], one))
            case "position":
                yield PositionHeard(position=read_position(one["category"], one))
            case "wallet":
                for coin in one["coin"]:
                    yield CoinHeard(coin=read_coin(coin))
