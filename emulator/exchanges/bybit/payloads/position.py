"""What is answered about positions (docs/v5/position)."""

from __future__ import annotations

from typing import Literal, TypedDict

SideWord = Literal["Buy", "Sell", ""]


class PositionFigures(TypedDict):
    """What a position is, for the list and for the private stream; each adds its own price of entry."""

    positionIdx: int
    riskId: int
    riskLimitValue: str
    symbol: str
    side: SideWord
    size: str
    positionValue: str
    autoAddMargin: int
    positionStatus: Literal["Normal", "Liq", "Adl"]
    leverage: str
    breakEvenPrice: str
    markPrice: str
    liqPrice: str
    bustPrice: str
    positionIM: str
    positionIMByMp: str
    positionMM: str
    positionMMByMp: str
    positionBalance: str
    takeProfit: str
    stopLoss: str
    trailingStop: str
    sessionAvgPrice: str
    delta: str
    gamma: str
    vega: str
    theta: str
    unrealisedPnl: str
    curRealisedPnl: str
    cumRealisedPnl: str
    adlRankIndicator: int
    createdTime: str
    updatedTime: str
    openTime: int
    seq: int
    isReduceOnly: bool
    mmrSysUpdatedTime: str
    leverageSysUpdatedTime: str
    tpslMode: str
    tradeMode: int


class Position(PositionFigures):
    avgPrice: str


class StreamedPosition(PositionFigures):
    """As the private stream tells of it."""

    category: str
    entryPrice: str


class Positions(TypedDict):
    category: str
    nextPageCursor: str
    list: list[Position]


class MovedMargin(TypedDict):
    category: str
    symbol: str
    positionIdx: int
    riskId: int
    riskLimitValue: str
    size: str
    avgPrice: str
    liqPrice: str
    bustPrice: str
    markPrice: str
    positionValue: str
    leverage: str
    autoAddMargin: int
    positionStatus: str
    positionIM: str
    positionMM: str
    takeProfit: str
    stopLoss: str
    trailingStop: str
    unrealisedPnl: str
    cumRealisedPnl: str
    createdTime: str
    updatedTime: str


class ClosedPosition(TypedDict):
    symbol: str
    orderId: str
    side: str
    qty: str
    orderPrice: str
    orderType: str
    execType: str
    closedSize: str
    cumEntryValue: str
    avgEntryPrice: str
    cumExitValue: str
    avgExitPrice: str
    closedPnl: str
    fillCount: str
    leverage: str
    openFee: str
    closeFee: str
    createdTime: str
    updatedTime: str


class ClosedPositions(TypedDict):
    category: str
    nextPageCursor: str
    list: list[ClosedPosition]


class ChosenLeverage(TypedDict):
    symbol: str
    leverage: str
    side: str
    positionIdx: int


class ChosenLeverages(TypedDict):
    category: str
    list: list[ChosenLeverage]


class RiskLimitChosen(TypedDict):
    category: str
    riskId: int
    riskLimitValue: str


class StopModeChosen(TypedDict):
    tpSlMode: str
