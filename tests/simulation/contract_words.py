"""What the workload, the notebook and the auditor say of contracts, in words that no exchange owns."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Protocol

import msgspec

from emulator.core.instruments import Side
from emulator.core.orders import OrderTerms
from emulator.core.positions import Leg
from tests.simulation.dialect import Seat
from tests.simulation.lines import Address
from tests.simulation.words import Book, FillView, OrderView, Outcome, Reply, Traded

APART = "apart:"
"""Before the names of orders that only wait for their trigger: what comes of one has the same name."""


class Contracted(Traded, frozen=True, kw_only=True):
    """A contract. size: of one, in base asset, or in quote where it is inverse; settle: what it pays in.

    delivery_ms: when it is delivered, and traded no more; 0 of a perpetual.
    """

    size: Decimal
    settle: str
    is_inverse: bool
    delivery_ms: int = 0


class ContractOrder(OrderView, frozen=True, kw_only=True):
    """An order of a contract. detached: it only waits for its trigger, and another order comes of it.

    average: the price at which it was filled, zero before it was. by_exchange: a liquidation or the like.
    """

    leg: Leg | None = None
    average: Decimal | None = None
    reduces: bool = False
    detached: bool = False
    by_exchange: bool = False
    created_ms: int | None = None


class ContractFill(FillView, frozen=True, kw_only=True):
    realised: Decimal = Decimal(0)
    leg: Leg | None = None


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """quantity: with the sign of its side. margin: put up for this position alone, of an isolated one."""

    instrument: str
    leg: Leg
    quantity: Decimal
    entry: Decimal
    is_isolated: bool
    margin: Decimal
    unrealised: Decimal | None = None
    leverage: Decimal | None = None


class AssetView(msgspec.Struct, frozen=True, kw_only=True):
    """An asset of a wallet of contracts, as the account statement shows it."""

    asset: str
    wallet: Decimal
    cross_wallet: Decimal
    cross_unrealised: Decimal
    unrealised: Decimal
    margin_balance: Decimal
    initial: Decimal
    position_initial: Decimal
    order_initial: Decimal
    maintenance: Decimal
    available: Decimal
    withdrawable: Decimal


IncomeKinds = tuple[frozenset[str], frozenset[str], frozenset[str]]
"""An exchange's words for incomes that are profits of trades, for commissions, and for transfers."""


class IncomeView(msgspec.Struct, frozen=True, kw_only=True):
    """kind: in the exchange's own word."""

    number: int
    kind: str
    asset: str
    amount: Decimal
    instrument: str
    trade: int | None


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A message about an order."""

    order: ContractOrder
    fill: ContractFill | None = None


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True):
    """balances: the whole wallet and the cross part of it, by asset."""

    balances: dict[str, tuple[Decimal, Decimal]]
    positions: tuple[PositionView, ...]


class LeverageChanged(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    leverage: Decimal


Changed = OrderChanged | AccountChanged | LeverageChanged


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A batch: what became of the whole request, and of each part where it tells."""

    whole: Reply
    parts: tuple[Reply, ...]

    def part(self, number: int) -> Reply:
        return self.parts[number] if self.parts else msgspec.structs.replace(self.whole, orders=())

    @classmethod
    def lost(cls, reason: str) -> Placed:
        return cls(whole=Reply(outcome=Outcome.UNKNOWN, reason=reason), parts=())


class Hearing(Protocol):
    """Hears an account of a product."""

    async def listen(self) -> None:
        """Begin, or begin again after what was said may have been missed."""
        ...

    async def keep_alive(self) -> None: ...

    async def hear(self) -> Sequence[Changed]:
        """All that was said until now, in order. Raises Unavailable when something may be missing."""
        ...

    def close(self) -> None: ...


class Floor(Protocol):
    """Where contracts are traded: what an exchange must be able to say of one of its products for its
    clients to trade there. Replies never raise; queries raise Unavailable."""

    @property
    def name(self) -> str: ...

    @property
    def site(self) -> str: ...

    @property
    def wallet(self) -> str: ...

    @property
    def instruments(self) -> Sequence[Contracted]: ...

    @property
    def socket_path(self) -> str:
        """Where requests are made over a socket."""
        ...

    @property
    def kinds(self) -> IncomeKinds: ...

    # Orders

    async def place(self, seat: Seat, terms: OrderTerms, traded: Contracted) -> Reply: ...

    async def test(self, seat: Seat, terms: OrderTerms, traded: Contracted) -> Reply: ...

    async def place_batch(self, seat: Seat, wanted: Sequence[tuple[OrderTerms, Contracted]]) -> Placed: ...

    async def modify(self, seat: Seat, order: OrderView, side: Side, quantity: Decimal,
                     price: Decimal) -> Reply: ...  # fmt: skip

    async def modify_batch(
        self, seat: Seat, wanted: Sequence[tuple[OrderView, Side, Decimal, Decimal]]
    ) -> Placed: ...

    async def cancel(self, seat: Seat, order: ContractOrder, *, by_name: bool) -> Reply: ...

    async def cancel_batch(self, seat: Seat, orders: Sequence[OrderView], *, by_name: bool) -> Placed: ...

    async def cancel_all(self, seat: Seat, traded: Contracted, *, detached: bool) -> Reply: ...

    async def count_down(self, seat: Seat, traded: Contracted, milliseconds: int) -> Reply: ...

    async def misbehave(self, seat: Seat, traded: Contracted, dice: Random) -> Reply:
        """A request that must be refused."""
        ...

    # Settings and money

    async def set_leverage(self, seat: Seat, traded: Contracted, leverage: int) -> Reply: ...

    async def set_isolated(self, seat: Seat, traded: Contracted, *, isolated: bool) -> Reply: ...

    async def set_hedged(self, seat: Seat, *, hedged: bool) -> Reply: ...

    async def move_margin(self, seat: Seat, traded: Contracted, leg: Leg, amount: Decimal) -> Reply: ...

    async def choose_fees(self, seat: Seat, *, discounted: bool) -> Reply: ...

    async def exchange(self, seat: Seat, sold: str, bought: str, amount: Decimal) -> Reply:
        """One asset of the wallet for another, at the exchange's own price."""
        ...

    # Queries

    async def order(self, seat: Seat, order: ContractOrder, *, by_name: bool) -> Reply: ...

    async def orders(self, seat: Seat, instrument: str, first_id: int, limit: int) -> list[ContractOrder]: ...

    async def waiting(self, seat: Seat, instrument: str, first_id: int, limit: int) -> list[ContractOrder]:
        """Those that stand apart until their trigger, and those that did."""
        ...

    async def fills(
        self, seat: Seat, instrument: str, first_trade: int, limit: int
    ) -> list[ContractFill]: ...

    async def open_orders(self, seat: Seat) -> list[ContractOrder]:
        """Of both sorts."""
        ...

    async def hedged(self, seat: Seat) -> bool: ...

    async def positions(self, seat: Seat) -> list[PositionView]:
        """Of this run's contracts, those that are flat included."""
        ...

    async def assets(self, seat: Seat) -> list[AssetView]: ...

    async def balances(self, seat: Seat) -> dict[str, tuple[Decimal, Decimal]]:
        """The whole wallet and the cross part of it, by asset, without what is nothing."""
        ...

    async def incomes(self, seat: Seat, since_ms: int) -> list[IncomeView]: ...

    async def look_around(self, seat: Seat, traded: Contracted, dice: Random) -> None: ...

    async def book(self, seat: Seat, traded: Contracted) -> Book: ...

    async def last(self, seat: Seat, traded: Contracted) -> Decimal: ...

    def hearing(self, seat: Seat, address: Address) -> Hearing: ...
