"""What user data streams of futures tell: the members of each event."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class ChangedBalance(TypedDict):
    """a: asset. wb: wallet, cw: cross wallet. bc: what was added beside profit and commissions."""

    a: str
    wb: str
    cw: str
    bc: str


class ChangedPosition(TypedDict):
    """s: symbol, pa: quantity, ep: entry, bep: break-even, cr: realised so far, up: unrealised, mt: margin
    type, iw: isolated wallet, ps: side; of COIN-M ma: margin asset."""

    s: str
    pa: str
    ep: str
    bep: NotRequired[str]
    cr: str
    up: str
    mt: str
    iw: str
    ps: str
    ma: NotRequired[str]


class AccountChange(TypedDict):
    """m: why. B, P: only what changed."""

    m: str
    B: list[ChangedBalance]
    P: list[ChangedPosition]


class AccountUpdate(TypedDict):
    e: str
    E: int
    T: int
    i: NotRequired[str]
    a: AccountChange


class OrderChange(TypedDict):
    s: str
    c: str
    S: str
    o: str
    f: str
    q: str
    p: str
    ap: str
    sp: str
    x: str
    X: str
    i: int
    l: str  # noqa: E741  # the wire's own name
    z: str
    L: str
    N: NotRequired[str]
    n: NotRequired[str]
    T: int
    t: int
    b: str
    a: str
    m: bool
    R: bool
    wt: str
    ot: str
    ps: str
    cp: bool
    rp: str
    pP: bool
    V: str
    pm: str
    er: str
    AP: NotRequired[str]
    cr: NotRequired[str]
    si: NotRequired[int]
    ss: NotRequired[int]
    gtd: NotRequired[int]
    ma: NotRequired[str]


class OrderTradeUpdate(TypedDict):
    e: str
    E: int
    T: int
    i: NotRequired[str]
    o: OrderChange


class TradeLite(TypedDict):
    e: str
    E: int
    T: int
    s: str
    q: str
    p: str
    m: bool
    c: str
    S: str
    L: str
    l: str  # noqa: E741  # the wire's own name
    t: int
    i: int


class AlgoChange(TypedDict):
    caid: str
    aid: int
    at: str
    o: str
    s: str
    S: str
    ps: str
    f: str
    q: str
    X: str
    ai: str
    ap: str
    aq: str
    act: str
    tp: str
    p: str
    V: str
    wt: str
    pm: str
    cp: bool
    pP: bool
    R: bool
    tt: int
    gtd: int
    rm: NotRequired[str]
    ia: NotRequired[bool]


class AlgoUpdate(TypedDict):
    e: str
    E: int
    T: int
    o: AlgoChange


class ChangedLeverage(TypedDict):
    s: str
    l: int  # noqa: E741  # the wire's own name


class ChangedAssetsMode(TypedDict):
    j: bool


class ConfigUpdate(TypedDict):
    e: str
    E: int
    T: int
    ac: NotRequired[ChangedLeverage]
    ai: NotRequired[ChangedAssetsMode]


class CalledPosition(TypedDict):
    s: str
    ps: str
    pa: str
    mt: str
    iw: str
    mp: str
    up: str
    mm: str


class MarginCall(TypedDict):
    e: str
    E: int
    cw: NotRequired[str]
    p: list[CalledPosition]
