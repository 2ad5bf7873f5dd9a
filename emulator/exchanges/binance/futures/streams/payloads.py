"""What the market streams of the futures sites say, their keys in the order in which they are sent.

e is the type of an event, E when it was told, T when it happened, s the symbol, ps its pair. st says of
which product a symbol is: 1 of USD-M, 2 of COIN-M.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

Level = tuple[str, str]
"""Price and quantity."""


class TradeEvent(TypedDict):
    """t: the trade's id. p, q: price and quantity. X: where it comes from. m: whether the buyer was the
    maker.
    """

    e: str
    E: int
    T: int
    s: str
    t: int
    p: str
    q: str
    X: str
    m: bool
    st: int


class AggregateTradeEvent(TypedDict):
    """a: the aggregate's id. q, nq: quantity, with retail price improvement and without. f, l: first and last
    trade. USD-M alone tells nq.
    """

    e: str
    E: int
    a: int
    s: str
    p: str
    q: str
    nq: NotRequired[str]
    f: int
    l: int  # noqa: E741 - the wire's name
    T: int
    m: bool
    st: int


class BookTickerEvent(TypedDict):
    """u: the book's update id. b, B, a, A: best bid and ask with their quantities."""

    e: str
    u: int
    s: str
    ps: str
    b: str
    B: str
    a: str
    A: str
    T: int
    E: int
    st: int


class DepthEvent(TypedDict):
    """Levels with their quantities; zero takes a level away. U, u: the first and the last update in it.
    pu: u of the event before.
    """

    e: str
    E: int
    T: int
    s: str
    ps: str
    U: int
    u: int
    pu: int
    b: list[Level]
    a: list[Level]
    st: int


class KlineSoFar(TypedDict):
    """t, T: when it opens and closes. i: the interval. f, L: first and last trade; -1 without one.
    o, c, h, l: prices. v, q: volume, in base and quote, or of COIN-M in contracts and coin. n: number of
    trades. x: whether it is closed. V, Q: what takers bought. B: unused, "0".
    """

    t: int
    T: int
    s: NotRequired[str]
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


class ContinuousKlineEvent(TypedDict):
    """ct: the type of contract. f and L of `k` are update ids, and there is no symbol in it."""

    e: str
    E: int
    ps: str
    ct: str
    k: KlineSoFar


class PriceKlineEvent(TypedDict):
    """Of index or mark prices: f and L of `k` are the times of the first and the last price, n counts
    them.
    """

    e: str
    E: int
    ps: str
    k: KlineSoFar


class MiniTickerEvent(TypedDict):
    """c, o, h, l: prices of the last 24 hours. v, q: volume, as in KlineSoFar."""

    e: str
    E: int
    s: str
    ps: str
    c: str
    o: str
    h: str
    l: str  # noqa: E741 - the wire's name
    v: str
    q: str
    st: int


class TickerEvent(TypedDict):
    """p, P: change of the price, and in percent. w: average price by volume. Q: the last quantity. O, C: when
    the span opens and closes. F, L: first and last trade; -1 without one. n: number of trades.
    """

    e: str
    E: int
    s: str
    ps: str
    p: str
    P: str
    w: str
    c: str
    Q: str
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
    st: int


class MarkPriceEvent(TypedDict):
    """p: mark price. ap: its moving average. P: at what it would be settled. i: index price. r: the funding
    rate as things stand, T: when it is paid; "" and 0 of a contract that is delivered.
    """

    e: str
    E: int
    s: str
    p: str
    ap: str
    P: str
    i: str
    r: str
    T: int
    st: int


class IndexPriceEvent(TypedDict):
    """i: the pair. p: its index price."""

    e: str
    E: int
    i: str
    p: str


class ForcedOrder(TypedDict):
    """S: side. o, f: LIMIT and IOC. q, p: quantity and price. ap: average price. X: status. l, z: quantity of
    the last trade, and of all.
    """

    s: str
    S: str
    o: str
    f: str
    q: str
    p: str
    ap: str
    X: str
    l: str  # noqa: E741 - the wire's name
    z: str
    T: int
    ps: str
    st: int


class ForcedOrderEvent(TypedDict):
    e: str
    E: int
    o: ForcedOrder


class AssetIndexEvent(TypedDict):
    """i: index price. b, a: how far the rates at which the asset counts are from it, B, A: these rates.
    q, g, Q, G: the same where it is sold or bought by itself.
    """

    e: str
    E: int
    s: str
    i: str
    b: str
    a: str
    B: str
    A: str
    q: str
    g: str
    Q: str
    G: str


class ContractInfoEvent(TypedDict):
    """ct: type of contract. dt, ot: when it is delivered, and when it was listed. cs: its status."""

    e: str
    E: int
    s: str
    ps: str
    ct: str
    dt: int
    ot: int
    cs: str
    st: int
