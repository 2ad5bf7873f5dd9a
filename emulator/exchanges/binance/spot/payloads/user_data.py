"""What an account's user data stream tells (user-data-stream.md).

A key that is NotRequired appears only under the condition that the table "Conditional Fields in
Execution Report" gives for it. Two keys of that table are not here, because what they tell of does
not occur: `a` and `b`, of orders that were filled by allocations out of other books.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class ExecutionReport(TypedDict):
    """executionReport, its keys in the order in which they are sent."""

    e: str  # executionReport
    E: int  # event time
    s: str  # symbol
    c: str  # client order id; of a cancel or an amendment, its own
    S: str  # side
    o: str  # order type
    f: str  # time in force
    q: str  # quantity
    p: str  # price
    P: str  # stop price
    d: NotRequired[int]  # trailing delta
    F: str  # iceberg quantity
    g: int  # order list id, or -1
    C: str  # client order id before a cancel or an amendment
    x: str  # execution type
    X: str  # order status
    r: str  # reject reason, or NONE
    i: int  # order id
    l: str  # noqa: E741 - the wire's name: quantity of this trade
    z: str  # quantity of all trades
    L: str  # price of this trade
    n: str  # commission
    N: str | None  # commission asset
    T: int  # transaction time
    t: int  # trade id, or -1
    v: NotRequired[int]  # prevented match id
    I: int  # noqa: E741 - the wire's name: execution id
    w: bool  # whether it enters the book with this
    m: bool  # whether it is the maker of this trade
    M: bool  # whether this is a trade
    O: int  # noqa: E741 - the wire's name: order creation time
    Z: str  # quote quantity of all trades
    Y: str  # quote quantity of this trade
    Q: str  # quote order quantity
    D: NotRequired[int]  # trailing time
    j: NotRequired[int]  # strategy id
    J: NotRequired[int]  # strategy type
    W: NotRequired[int]  # working time
    V: str  # self-trade prevention mode
    A: NotRequired[str]  # prevented quantity of all prevented matches
    B: NotRequired[str]  # prevented quantity of this one
    u: NotRequired[int]  # trade group id
    U: NotRequired[int]  # counter order id
    Cs: NotRequired[str]  # counter symbol
    pl: NotRequired[str]  # quantity that would have traded
    pL: NotRequired[str]  # price at which it would have traded
    pY: NotRequired[str]  # quote quantity that would have traded
    k: NotRequired[str]  # working floor
    uS: NotRequired[bool]  # used smart order routing
    gP: NotRequired[str]  # peg price type
    gOT: NotRequired[str]  # peg offset type
    gOV: NotRequired[int]  # peg offset value
    gp: NotRequired[str]  # pegged price
    eR: NotRequired[str]  # expiry reason


class PositionBalance(TypedDict):
    """asset, free, locked."""

    a: str
    f: str
    l: str  # noqa: E741 - the wire's name


class AccountPosition(TypedDict):
    """outboundAccountPosition. u: time of the last account update."""

    e: str
    E: int
    u: int
    B: list[PositionBalance]


class BalanceUpdate(TypedDict):
    """balanceUpdate. asset, delta, clear time."""

    e: str
    E: int
    a: str
    d: str
    T: int


class ExternalLockUpdate(TypedDict):
    """externalLockUpdate. asset, delta, transaction time."""

    e: str
    E: int
    a: str
    d: str
    T: int


class ListedOrder(TypedDict):
    """symbol, order id, client order id."""

    s: str
    i: int
    c: str


class ListStatus(TypedDict):
    """listStatus."""

    e: str  # listStatus
    E: int  # event time
    s: str  # symbol
    g: int  # order list id
    c: str  # contingency type
    l: str  # noqa: E741 - the wire's name: list status type
    L: str  # list order status
    r: str  # reject reason, or NONE
    C: str  # list client order id
    T: int  # transaction time
    O: list[ListedOrder]  # noqa: E741 - the wire's name


class EventStreamTerminated(TypedDict):
    """eventStreamTerminated: the last event of a subscription."""

    e: str
    E: int
