"""What an exchange must be able to say for the workload to trade on it and for the auditor to audit it.

An exchange joins the simulation with a world, which is a line in `WORLDS` of the stage. Where pairs have a
wallet of their own it is one class of this protocol and a listener. A form of order that it does not have is
left out of what it offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Protocol

from emulator.core.orders import OrderTerms
from tests.simulation.lines import HttpLine, SocketLine
from tests.simulation.words import (
    Book,
    FillView,
    ListForm,
    ListView,
    Movement,
    OrderView,
    Reply,
    Swap,
    Told,
    Traded,
)


class Credentials:
    """An account as its owner knows it. key: replaced when the owner takes another one."""

    def __init__(self, account: str, key: str, secret: str) -> None:
        self.account = account
        self.key = key
        self.secret = secret


class Seat:
    """One client of an account, with connections of its own. socket: None for who only speaks HTTP.

    hangs_up: how the next request is made instead: None in full, else the connection is reset after it,
    or after so many bytes of it.
    """

    def __init__(
        self, name: str, credentials: Credentials, http: HttpLine, socket: SocketLine | None = None
    ) -> None:
        self.name = name
        self.credentials = credentials
        self.http = http
        self.socket = socket
        self.hangs_up: tuple[int | None] | None = None

    def reset(self) -> None:
        self.http.reset()
        if self.socket is not None:
            self.socket.reset()


class Unavailable(Exception):
    """A query that was not answered, for the connection or the server is not there."""


class Listener(Protocol):
    """Hears an account."""

    async def listen(self) -> None:
        """Begin, or begin again after the connection was lost."""
        ...

    async def hear(self) -> Sequence[Told]:
        """All that was said until now, in order. Raises Unavailable when something may be missing."""
        ...

    def close(self) -> None: ...


class Dialect(Protocol):
    """Replies never raise: what became of the request is in them. Queries raise Unavailable."""

    @property
    def site(self) -> str: ...

    @property
    def engine(self) -> str: ...

    @property
    def wallets(self) -> Sequence[str]:
        """The first is the one that trades."""
        ...

    @property
    def instruments(self) -> Sequence[Traded]: ...

    @property
    def forms(self) -> Sequence[ListForm]: ...

    @property
    def socket_path(self) -> str:
        """Where requests are made over a socket."""
        ...

    @property
    def loud_path(self) -> str:
        """Where a socket is told much without asking."""
        ...

    @property
    def order_path(self) -> str:
        """Where orders are placed over REST."""
        ...

    @property
    def hold_step(self) -> Decimal:
        """What holds are rounded up to."""
        ...

    # Orders

    async def place(self, seat: Seat, traded: Traded, terms: OrderTerms, *, routed: bool) -> Reply: ...

    async def test(self, seat: Seat, traded: Traded, terms: OrderTerms) -> Reply: ...

    async def place_list(
        self, seat: Seat, traded: Traded, form: ListForm, legs: Sequence[OrderTerms], name: str
    ) -> Reply: ...

    async def cancel(self, seat: Seat, order: OrderView, *, by_name: bool, dice: Random) -> Reply: ...

    async def cancel_all(self, seat: Seat, traded: Traded) -> Reply: ...

    async def cancel_list(self, seat: Seat, view: ListView, *, by_name: bool) -> Reply: ...

    async def replace(
        self, seat: Seat, traded: Traded, order: OrderView, terms: OrderTerms, *, stop_on_failure: bool
    ) -> Reply: ...

    async def amend(self, seat: Seat, order: OrderView, quantity: Decimal, new_name: str) -> Reply: ...

    async def misbehave(self, seat: Seat, traded: Traded, dice: Random) -> Reply:
        """A request that must be refused."""
        ...

    # Money

    async def transfer(self, seat: Seat, movement: Movement) -> Reply: ...

    async def withdraw(self, seat: Seat, movement: Movement) -> Reply: ...

    async def choose_fees(self, seat: Seat, *, discounted: bool) -> Reply: ...

    # Queries

    async def order(self, seat: Seat, instrument: str, order_id: int | None, name: str | None) -> Reply: ...

    async def orders(self, seat: Seat, instrument: str, first_id: int, limit: int) -> list[OrderView]:
        """A page of all that ever were, oldest first, from an id on."""
        ...

    async def fills(self, seat: Seat, instrument: str, first_trade: int, limit: int) -> list[FillView]: ...

    async def swaps(self, seat: Seat, order: OrderView) -> list[Swap]:
        """Those of an order that was kept from trading."""
        ...

    async def open_orders(self, seat: Seat, instrument: str | None) -> list[OrderView]: ...

    async def lists(self, seat: Seat, first_id: int, limit: int) -> list[ListView]: ...

    async def open_lists(self, seat: Seat) -> list[ListView]: ...

    async def balances(self, seat: Seat) -> dict[str, tuple[Decimal, Decimal]]:
        """Free and held in the wallet that trades, without what is zero."""
        ...

    async def movements(self, seat: Seat, since_ms: int, until_ms: int) -> list[Movement]: ...

    async def look_around(self, seat: Seat, traded: Traded, dice: Random) -> None:
        """Some query of the market, whose answer must make sense."""
        ...

    async def book(self, seat: Seat, instrument: str) -> Book: ...

    async def last(self, seat: Seat, instrument: str) -> Decimal: ...

    def listener(self, seat: Seat) -> Listener: ...
