"""What public topics say, their keys in the order in which they are sent.

Around all of it are the topic's name, `ts` when it was told, and `type`: `snapshot` or `delta`.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

Level = tuple[str, str]
"""Price and quantity; nothing there any more is "0"."""

RpiLevel = tuple[str, str, str]
"""Price, quantity, and the quantity of retail price improvement."""


class Book(TypedDict):
    """s: symbol. b, a: bids and asks, best first. u: counts the messages. seq: of the book."""

    s: str
    b: list[Level] | list[RpiLevel]
    a: list[Level] | list[RpiLevel]
    u: int
    seq: int


class BookEvent(TypedDict):
    """cts: when the book was so."""

    topic: str
    type: str
    ts: int
    data: Book
    cts: int


class Trade(TypedDict):
    """T: when. s: symbol. S: side of who took. v, p: quantity and price. L: which way the price went, of
    contracts. i: id. BT, RPI: whether it was a block trade, or a retail price improvement.
    """

    T: int
    s: str
    S: str
    v: str
    p: str
    L: NotRequired[str]
    i: str
    BT: bool
    RPI: bool
    seq: int


class TradeEvent(TypedDict):
    topic: str
    type: str
    ts: int
    data: list[Trade]


class Kline(TypedDict):
    """start, end: its first and last millisecond. confirm: whether it is over. timestamp: last trade."""

    start: int
    end: int
    interval: str
    open: str
    close: str
    high: str
    low: str
    volume: str
    turnover: str
    confirm: bool
    timestamp: int


class KlineEvent(TypedDict):
    topic: str
    data: list[Kline]
    ts: int
    type: str


class Liquidation(TypedDict):
    """T: when. s: symbol. S: Buy for a long position, else Sell. v: quantity. p: its bankruptcy price."""

    T: int
    s: str
    S: str
    v: str
    p: str


class LiquidationEvent(TypedDict):
    topic: str
    type: str
    ts: int
    data: list[Liquidation]


class PriceLimit(TypedDict):
    """buyLmt: up to where may be bid, sellLmt: down to where may be asked."""

    symbol: str
    buyLmt: str
    sellLmt: str


class PriceLimitEvent(TypedDict):
    topic: str
    data: PriceLimit
    ts: int


class TickerEvent(TypedDict):
    """data: fields of the ticker. cs: `seq` of the book."""

    topic: str
    type: str
    data: dict[str, str]
    cs: int
    ts: int
