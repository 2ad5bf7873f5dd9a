"""One symbol: its rules for the core, and what only the wire shows."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from emulator.exchanges.bybit.listings.rows import ContractRow, PairRow
from emulator.listings import listing
from emulator.listings.reading import places


class RiskTier(msgspec.Struct, frozen=True, kw_only=True):
    """One tier as the wire shows it. value_max: of a position, in what the contract settles in."""

    number: int
    value_max: str
    leverage_max: str
    initial: str
    maintenance: str


class Listing(listing.Listing, frozen=True, kw_only=True):
    """pair_row, contract_row: one of them is there."""

    category: str
    symbol_id: int
    pair_row: PairRow | None = None
    contract_row: ContractRow | None = None
    risk_tiers: tuple[RiskTier, ...] = ()

    @property
    def row(self) -> PairRow | ContractRow:
        row = self.pair_row or self.contract_row
        assert row is not None
        return row

    @property
    def base(self) -> str:
        return self.instrument.base

    @property
    def quote(self) -> str:
        return self.instrument.quote

    @property
    def settle(self) -> str:
        return self.instrument.settle

    @property
    def money_step(self) -> Decimal:
        """Of amounts of money that a pair's order may be for."""
        return self.instrument.price_step * self.instrument.quantity_step

    @property
    def price_places(self) -> int:
        """Digits after the point of its prices on the wire."""
        return places(self.row.price_step)

    @property
    def quantity_places(self) -> int:
        return places(self.row.quantity_step)

    @property
    def contract_type(self) -> str:
        """`LinearPerpetual`, `LinearFutures`, `InversePerpetual` or `InverseFutures`."""
        kind = "Inverse" if self.is_inverse else "Linear"
        return kind + ("Perpetual" if self.is_perpetual else "Futures")

    def status(self, now_us: int) -> str:
        """`Trading`, `Delivering` for a while after its delivery, and `Closed`; of one that is known."""
        if self.is_listed(now_us):
            return "Trading"
        return "Delivering" if self.is_shown(now_us) else "Closed"
