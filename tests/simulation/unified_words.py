"""What is said of an account that trades pairs and contracts out of one wallet, in words that no exchange
owns, beside those that pairs and contracts have by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from emulator.core.positions import Leg
from tests.simulation.contract_words import Contracted, ContractFill, ContractOrder
from tests.simulation.words import Reply

Record = Mapping[str, Any]
"""All that the exchange says of something but what goes with the market alone, as it says it."""


class UnifiedTraded(Contracted, frozen=True, kw_only=True):
    """A pair or a contract. category, symbol: what they are called on the wire; the name is both of it."""

    category: str
    symbol: str

    @property
    def is_pair(self) -> bool:
        return self.category == "spot"


class UnifiedOrder(ContractOrder, frozen=True, kw_only=True):
    """fee: what its trades have cost, of whichever assets. record: None where not all of it was told."""

    fee: Decimal | None = None
    record: Record | None = None

    @property
    def is_of_two(self) -> bool:
        """Whether another order may have the same name, which comes of it or it of that."""
        return (
            self.record is not None
            and self.instrument.startswith("spot:")
            and bool(self.record["stopOrderType"])
        )


class UnifiedFill(ContractFill, frozen=True, kw_only=True):
    """A trade, or something that takes its place. closed: how much of a position it closed. is_of_order:
    whether its order is one that is told of."""

    closed: Decimal = Decimal(0)
    is_of_order: bool = True


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of funding; below zero: received."""

    id: str
    instrument: str
    fee: Decimal
    time_ms: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A position, flat or not. quantity: with the sign of its side; cost: of all of it, with the same."""

    instrument: str
    leg: Leg
    quantity: Decimal
    leverage: Decimal
    record: Record
    cost: Decimal | None = None


class Coin(msgspec.Struct, frozen=True, kw_only=True):
    asset: str
    wallet: Decimal
    locked: Decimal
    record: Record


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change of what is in the wallet. order, trade: 0 where it is about none."""

    id: str
    kind: str
    asset: str
    change: Decimal
    cash: Decimal
    fee: Decimal
    funding: Decimal
    balance: Decimal
    instrument: str
    order: int
    trade: int
    time_ms: int


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """What an order closed of a position. profit: after the fees of opening and closing it."""

    order: int
    instrument: str
    closed: Decimal
    profit: Decimal
    fees: Decimal


class UnifiedSurvey(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is answered about an account at a moment at which nothing is under way.

    orders: open ones and the history. entries: the oldest first. held: what the ledger has in the wallet, by
    asset. chosen: settings by their names. differences: what the books of the exchange are out by.
    """

    account: str
    now_ms: int
    orders: dict[int, UnifiedOrder]
    open_orders: dict[int, UnifiedOrder]
    queried: dict[int, Reply]
    absent: frozenset[int]
    fills: tuple[UnifiedFill, ...]
    payments: tuple[Payment, ...]
    positions: tuple[Standing, ...]
    coins: dict[str, Coin]
    held: dict[str, Decimal]
    entries: tuple[Entry, ...]
    closings: tuple[Closing, ...]
    chosen: dict[str, str]
    differences: dict[str, str]
    complaints: tuple[str, ...]


class OrderHeard(msgspec.Struct, frozen=True, kw_only=True):
    order: UnifiedOrder


class FillHeard(msgspec.Struct, frozen=True, kw_only=True):
    fill: UnifiedFill


class PaymentHeard(msgspec.Struct, frozen=True, kw_only=True):
    payment: Payment


class PositionHeard(msgspec.Struct, frozen=True, kw_only=True):
    position: Standing


class CoinHeard(msgspec.Struct, frozen=True, kw_only=True):
    coin: Coin


Heard = OrderHeard | FillHeard | PaymentHeard | PositionHeard | CoinHeard
