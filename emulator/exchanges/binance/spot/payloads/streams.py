"""What market streams say. e is the type of an event, E when it was told, s the symbol."""

from __future__ import annotations

from typing import TypedDict

from emulator.exchanges.binance.spot.payloads.market import PriceLevel

# Trades, quotes and books


class TradeEvent(TypedDict):
    """t: the trade's id. p, q: price and quantity. T: when it happened. m: whether the buyer was the maker.
    M: unused, true.
    """

    e: str
    E: int
    s: str
    t: int
    p: str
    q: str
    T: int
    m: bool
    M: bool


class AggregateTradeEvent(TypedDict):
    """As TradeEvent. a: the aggregate's id. f, l: the first and the last trade in it."""

    e: str
    E: int
    s: str
    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 - the wire's name
    T: int
    m: bool
    M: bool


class BookTickerEvent(TypedDict):
    """u: the book's update id. b, B, a, A: best bid and ask with their quantities."""

    u: int
    s: str
    b: str
    B: str
    a: str
    A: str


class PartialDepthEvent(TypedDict):
    """The best levels of a book: price and quantity, best first."""

    lastUpdateId: int
    bids: list[PriceLevel]
    asks: list[PriceLevel]


class DepthEvent(TypedDict):
    """What changed in a book. U, u: the first and the last update in it. b, a: levels of bids and asks
    with their new quantities; zero takes a level away.
    """

    e: str
    E: int
    s: str
    U: int
    u: int
    b: list[PriceLevel]
    a: list[PriceLevel]


# Klines, statistics and averages


class KlineSoFar(TypedDict):
    """t, T: when it opens and closes. i: the interval. f, L: first and last trade; -1 without one.
    o, c, h, l: prices. v, q: volume, in base and in quote. n: number of trades. x: whether it is closed.
    V, Q: what takers bought. B: unused, "0".
    """

    t: int
    T: int
    s: str
    i: str
    f: int
    L: int
    o: str
    c: str
    h: str
    l: str  # noqa: E741 - the wire's name
    v: str
    n: int
    x: bool
    q: str
    V: str
    Q: str
    B: str


class KlineEvent(TypedDict):
    e: str
    E: int
    s: str
    k: KlineSoFar


class MiniTickerEvent(TypedDict):
    """c, o, h, l: prices of the last 24 hours. v, q: volume, in base and in quote."""

    e: str
    E: int
    s: str
    c: str
    o: str
    h: str
    l: str  # noqa: E741 - the wire's name
    v: str
    q: str


class WindowTickerEvent(TypedDict):
    """p, P: change of the price, and in percent. w: average price by volume. O, C: when the span opens and
    closes. F, L: first and last trade; -1 without one. n: number of trades.
    """

    e: str
    E: int
    s: str
    p: str
    P: str
    o: str
    h: str
    l: str  # noqa: E741 - the wire's name
    c: str
    w: str
    v: str
    q: str
    O: int  # noqa: E741 - the wire's name
    C: int
    F: int
    L: int
    n: int


class TickerEvent(TypedDict):
    """As WindowTickerEvent. x: the price before the span. Q: the last quantity. b, B, a, A: best bid and ask
    with their quantities.
    """

    e: str
    E: int
    s: str
    p: str
    P: str
    w: str
    x: str
    c: str
    Q: str
    b: str
    B: str
    a: str
    A: str
    o: str
    h: str
    l: str  # noqa: E741 - the wire's name
    v: str
    q: str
    O: int  # noqa: E741 - the wire's name
    C: int
    F: int
    L: int
    n: int


class AveragePriceEvent(TypedDict):
    """i: over which time. w: the average. T: when the last trade was."""

    e: str
    E: int
    s: str
    i: str
    w: str
    T: int
