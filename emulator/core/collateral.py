"""What an account covers its margins with: every asset for itself, or all assets together.

Both answer the same questions, so who asks need not know which it is. Isolated positions are covered
by their own margin and do not occur here, but for the margin of orders that would open them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Protocol

import msgspec

from emulator.core.margin import AssetFigures
from emulator.core.numbers import ONE, ZERO, divide_down, divide_half, divide_up, round_down


class Counted(str, Enum):
    """How unrealised profit of cross positions counts towards an amount that can be used."""

    BOTH = "both"
    LOSSES = "losses"


class CollateralTier(msgspec.Struct, frozen=True, kw_only=True):
    """From which quantity on an asset counts less: the haircut on what is owned beyond it."""

    floor: Decimal
    bid_buffer: Decimal


class CollateralRate(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit of an asset stands for in the account's own unit, say US dollars.

    index: its index price. bid_buffer: the haircut on what is owned, so one less the collateral ratio; tiers:
    greater ones on what is owned beyond some quantities. ask_buffer: what is added to what is owed or needed.
    exchanged: which part of both holds where the asset is exchanged for another that is owed. is_used:
    whether what is owned counts at all. turn: as of `CollateralAsset`. debt_initial, debt_maintenance: which
    part of what is owed is initial and maintenance margin.
    """

    index: Decimal
    bid_buffer: Decimal = ZERO
    tiers: tuple[CollateralTier, ...] = ()
    ask_buffer: Decimal = ZERO
    exchanged: Decimal = ONE
    is_used: bool = True
    turn: int = 0
    debt_initial: Decimal = ZERO
    debt_maintenance: Decimal = ZERO

    @property
    def bid(self) -> Decimal:
        """What one unit counts for of the first that are owned."""
        return self.index * (ONE - self.bid_buffer) if self.is_used else ZERO

    @property
    def bid_least(self) -> Decimal:
        """What one unit counts for where there are as many as may be."""
        if not self.tiers or not self.is_used:
            return self.bid
        return self.index * (ONE - self.tiers[-1].bid_buffer)

    @property
    def ask(self) -> Decimal:
        return self.index * (ONE + self.ask_buffer)

    @property
    def sold(self) -> Decimal:
        """For what one is given away; nothing, where it is not to be."""
        if not self.is_used:
            return ZERO
        return self.index * (ONE - self.bid_buffer * self.exchanged)

    @property
    def bought(self) -> Decimal:
        """For what one is got."""
        return self.index * (ONE + self.ask_buffer * self.exchanged)

    def worth(self, amount: Decimal) -> Decimal:
        """What an amount counts for: at the bid when owned, each part of it at that of its tier, and at the
        ask when owed."""
        if not self.tiers:
            return min(amount * self.bid, amount * self.ask)
        return self.index * self.counted(amount)

    def counted(self, amount: Decimal) -> Decimal:
        """As how many units at the index an amount counts."""
        if amount < ZERO:
            return amount * (ONE + self.ask_buffer)
        if not self.is_used:
            return ZERO
        total, floor, part = ZERO, ZERO, ONE - self.bid_buffer
        for tier in self.tiers:
            if amount <= tier.floor:
                break
            total += (tier.floor - floor) * part
            floor, part = tier.floor, ONE - tier.bid_buffer
        return total + (amount - floor) * part

    def lines(self) -> list[tuple[Decimal, Decimal]]:
        """The straight lines of which the lowest tells what an amount counts for: what each begins with, and
        by how much it rises with each unit."""
        bids = [(self.worth(floor) - floor * bid, bid) for floor, bid in self._tiers()]
        return [*bids, (ZERO, self.ask)]

    def lost(self, owned: Decimal, amount: Decimal) -> Decimal:
        """How much less what is owned counts for without some of it."""
        if not self.tiers:
            return amount * self.bid
        return self.worth(owned) - self.worth(owned - amount)

    def spared(self, owned: Decimal, worth: Decimal, step: Decimal) -> Decimal:
        """How much may go of what is owned, and beyond, so that no more than some worth is lost: what counts
        least goes first."""
        gone = ZERO
        for floor, bid in reversed(self._tiers()):
            there = owned - gone - floor
            if floor and there <= ZERO:
                continue
            if bid and (not floor or there * bid > worth):
                return gone + divide_down(worth, bid, step)
            worth -= there * bid
            gone += there
        return gone

    def needed(self, worth: Decimal, step: Decimal) -> Decimal:
        """How much must be owned to count for some worth; for what no quantity counts for, as much as is
        worth it at the index."""
        reached, floor, bid = ZERO, ZERO, self.bid
        for above, less in self._tiers()[1:]:
            most = reached + (above - floor) * bid
            if worth <= most:
                break
            reached, floor, bid = most, above, less
        return floor + divide_up(worth - reached, bid or self.index, step)

    def _tiers(self) -> list[tuple[Decimal, Decimal]]:
        """From which quantity on one unit counts for how much."""
        found = [(ZERO, self.bid)]
        if self.is_used:
            found += [(tier.floor, self.index * (ONE - tier.bid_buffer)) for tier in self.tiers]
        return found


_USAGE_STEP, _RATE_STEP = Decimal("1E-8"), Decimal("1E-18")


class CollateralAsset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that counts where all assets of a wallet stand together.

    bid_buffer, tiers, ask_buffer, exchanged: as of `CollateralRate`. index: what one unit is worth, unless it
    is a part of the index price of a contract: `index_of` is its name then, and `index_part` that part, which
    is less than one where the index is of many units. owed_max: how much may be owed of it before it is
    bought for others; None: as much as they cover. turn: whose turn it is to be given away for another that
    is owed, the lowest first; those with the same one go together, each in proportion to what it is worth.

    Where it can be borrowed: borrow_max: how much an account may owe when it borrows; None: it cannot be
    borrowed. hourly_rate: interest on what is owed, for an hour. over_power: where more is owed than can be
    borrowed, as by losses, interest is multiplied by this power of how many times as much it is; 0: it is
    not. debt_initial, debt_maintenance: as of `CollateralRate`. debt_free: how much may be owed without
    interest because of losses that are not realised. is_optional: whether an account may choose that it does
    not count.
    """

    asset: str
    bid_buffer: Decimal = ZERO
    tiers: tuple[CollateralTier, ...] = ()
    ask_buffer: Decimal = ZERO
    exchanged: Decimal = ONE
    index: Decimal = ONE
    index_of: str = ""
    index_part: Decimal = ONE
    owed_max: Decimal | None = None
    turn: int = 0
    borrow_max: Decimal | None = None
    hourly_rate: Decimal = ZERO
    over_power: int = 0
    debt_initial: Decimal = ZERO
    debt_maintenance: Decimal = ZERO
    debt_free: Decimal = ZERO
    is_optional: bool = True

    def __post_init__(self) -> None:
        buffers = [self.bid_buffer, *(tier.bid_buffer for tier in self.tiers)]
        floors = [ZERO, *(tier.floor for tier in self.tiers)]
        assert buffers == sorted(buffers), f"{self.asset}: what is beyond a tier does not count for more"
        assert all(low < high for low, high in pairwise(floors)), f"{self.asset}: its tiers are in order"

    def rate_of(self, owed: Decimal) -> Decimal:
        """Interest for an hour where so much is owed."""
        if not self.over_power or not self.borrow_max or owed <= self.borrow_max:
            return self.hourly_rate
        usage = divide_up(owed, self.borrow_max, _USAGE_STEP)
        return round_down(self.hourly_rate * usage**self.over_power, _RATE_STEP)

    @property
    def is_lent(self) -> bool:
        """Whether owing it has consequences of its own."""
        return self.borrow_max is not None or bool(self.hourly_rate or self.debt_maintenance)


class Loan(msgspec.Struct, frozen=True):
    """What an account borrowed of an asset by itself, and the interest that is owed for it."""

    principal: Decimal = ZERO
    interest: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.principal + self.interest


class Collateral(Protocol):
    """figures: what there is, asset by asset.

    equity, maintenance: of all cross positions that share what covers those settled in `asset`; in
    that asset when each covers itself, in the account's unit when all do. available, withdrawable: what
    a new order may ask for, and what may leave, in `asset`.
    """

    @property
    def figures(self) -> Mapping[str, AssetFigures]: ...

    def equity(self, asset: str) -> Decimal: ...

    def maintenance(self, asset: str) -> Decimal: ...

    def available(self, asset: str) -> Decimal: ...

    def withdrawable(self, asset: str) -> Decimal: ...


class SeparateCollateral(msgspec.Struct, frozen=True, kw_only=True):
    """Each asset covers what settles in it.

    counted: how unrealised profit counts towards what is available for orders.
    """

    figures: Mapping[str, AssetFigures]
    counted: Counted = Counted.BOTH

    def equity(self, asset: str) -> Decimal:
        own = self._of(asset)
        return own.cross_wallet + own.cross_unrealised

    def maintenance(self, asset: str) -> Decimal:
        return self._of(asset).cross_maintenance

    def available(self, asset: str) -> Decimal:
        """max(0, cross wallet + cross unrealised - cross initial margins - isolated orders' margin)."""
        return self._left(self._of(asset), self.counted)

    def withdrawable(self, asset: str) -> Decimal:
        """The same without profit that was not realised: it can be traded on, not carried away."""
        return self._left(self._of(asset), Counted.LOSSES)

    def _of(self, asset: str) -> AssetFigures:
        return self.figures.get(asset) or AssetFigures(asset=asset, wallet=ZERO)

    @staticmethod
    def _left(own: AssetFigures, counted: Counted) -> Decimal:
        profit = own.cross_unrealised if counted is Counted.BOTH else min(ZERO, own.cross_unrealised)
        left = own.cross_wallet + profit - own.cross_margin - own.isolated_order_margin
        # What is held for pairs' orders is there, and cannot be had a second time.
        return max(ZERO, left - own.held)


class SharedCollateral(msgspec.Struct, frozen=True, kw_only=True):
    """All assets with a rate cover all positions; an asset without one covers nothing.

    Equity is the sum of min(balance * bid, balance * ask), but for tiers, and margins count at the ask.
    Source: Binance FAQ "How to Calculate Margin in Multi-Assets Mode". steps: the ledger step of each asset;
    without: 1E-8. What is owed needs margin itself, as its rate says. counts_held: whether what is held for
    pairs' orders covers new orders of contracts; in any case it cannot leave.
    """

    figures: Mapping[str, AssetFigures]
    rates: Mapping[str, CollateralRate]
    steps: Mapping[str, Decimal] = {}
    counted: Counted = Counted.BOTH
    counts_held: bool = True

    def equity(self, asset: str = "") -> Decimal:
        return self._equity(Counted.BOTH)

    def maintenance(self, asset: str = "") -> Decimal:
        kept = sum((self._at_ask(own, own.cross_maintenance) for own in self.figures.values()), ZERO)
        return kept + self.debt_maintenance()

    def initial_margin(self) -> Decimal:
        needed = sum(
            (
                self._at_ask(own, own.cross_margin + own.isolated_order_margin)
                for own in self.figures.values()
            ),
            ZERO,
        )
        return needed + self.debt_margin()

    def debt_margin(self) -> Decimal:
        """Initial margin of all that is owed, in the account's unit."""
        return sum((one.ask * one.debt_initial * owed for one, owed in self._owed()), ZERO)

    def debt_maintenance(self) -> Decimal:
        """Maintenance margin of all that is owed."""
        return sum((one.ask * one.debt_maintenance * owed for one, owed in self._owed()), ZERO)

    def promised(self) -> Decimal:
        """What all that is held for pairs' orders counts for."""
        worth = ZERO
        for own in self.figures.values():
            rate = self.rates.get(own.asset) if own.held else None
            if rate is not None:
                worth += rate.lost(own.cross_wallet + own.cross_unrealised, own.held)
        return worth

    def _owed(self) -> list[tuple[CollateralRate, Decimal]]:
        found = []
        for own in self.figures.values():
            owed = own.owed
            rate = self.rates.get(own.asset) if owed else None
            if rate is not None and (rate.debt_initial or rate.debt_maintenance):
                found.append((rate, owed))
        return found

    def available(self, asset: str) -> Decimal:
        """max(0, equity - initial margins) / ask: as much as an order for this asset may ask for."""
        rate = self.rates.get(asset)
        left = self._equity(self.counted) - self.initial_margin()
        if not self.counts_held:
            left -= self.promised()
        if rate is None or left <= ZERO:
            return ZERO
        return divide_down(left, rate.ask, self._step(asset))

    def withdrawable(self, asset: str) -> Decimal:
        """What may leave: no more than is owned of it, and none that the rest has to be covered with.

        What leaves counted at the bid, so that much equity goes with it; of tiers the last ones leave first.
        """
        own, rate = self.figures.get(asset), self.rates.get(asset)
        if own is None:
            return ZERO
        # What was borrowed is there like all else: it may be spent as long as the rest covers what is owed.
        owned = max(ZERO, own.wallet - own.isolated - own.held + min(ZERO, own.cross_unrealised))
        if rate is None or not rate.bid:
            return owned
        left = max(ZERO, self._equity(Counted.LOSSES) - self.initial_margin() - self.promised())
        counted = own.cross_wallet + min(ZERO, own.cross_unrealised)
        return min(owned, rate.spared(counted, left, self._step(asset)))

    def _equity(self, counted: Counted) -> Decimal:
        total = ZERO
        for own in self.figures.values():
            if not own.cross_wallet and not own.cross_unrealised:
                continue
            rate = self.rates.get(own.asset)
            if rate is not None:
                profit = own.cross_unrealised
                total += rate.worth(
                    own.cross_wallet + (profit if counted is Counted.BOTH else min(ZERO, profit))
                )
        return total

    def _at_ask(self, own: AssetFigures, amount: Decimal) -> Decimal:
        if not amount:
            return ZERO
        assert own.asset in self.rates, f"positions settle in {own.asset}, which has no rate"
        return amount * self.rates[own.asset].ask

    def _step(self, asset: str) -> Decimal:
        return self.steps.get(asset, Decimal("0.00000001"))


def margin_ratio(collateral: Collateral, asset: str, step: Decimal) -> Decimal | None:
    """Maintenance margin over equity: liquidation begins at 1. None when there is no equity left
    although something must be kept, which is beyond 1."""
    return ratio_of(collateral.maintenance(asset), collateral.equity(asset), step)


def ratio_of(maintenance: Decimal, equity: Decimal, step: Decimal) -> Decimal | None:
    """maintenance / equity to the nearest multiple of `step`; None when equity does not cover anything."""
    if not maintenance:
        return ZERO
    return divide_half(maintenance, equity, step) if equity > ZERO else None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The account as a whole, in one unit, as exchanges print it above the list of assets."""

    wallet: Decimal = ZERO
    unrealised: Decimal = ZERO
    margin_balance: Decimal = ZERO
    initial_margin: Decimal = ZERO
    position_margin: Decimal = ZERO
    order_margin: Decimal = ZERO
    maintenance: Decimal = ZERO
    cross_wallet: Decimal = ZERO
    cross_unrealised: Decimal = ZERO
    available: Decimal = ZERO
    withdrawable: Decimal = ZERO
    debt_margin: Decimal = ZERO
    debt_maintenance: Decimal = ZERO
    """What is owed needs, as a part of initial margin and of maintenance."""
    worth: Decimal = ZERO
    wallet_worth: Decimal = ZERO
    unrealised_worth: Decimal = ZERO
    """All that has an index, at its index alone, without haircuts and whether it is to count or not."""

    def initial_rate(self, step: Decimal) -> Decimal | None:
        """Initial margin over what covers it; None where nothing does."""
        return ratio_of(self.initial_margin, self.margin_balance, step)

    def maintenance_rate(self, step: Decimal) -> Decimal | None:
        """Maintenance margin over what covers it: what there is cannot be kept from 1 on."""
        return ratio_of(self.maintenance, self.margin_balance, step)


def totals_of_asset(own: AssetFigures, collateral: Collateral) -> Totals:
    """The totals where each asset stands for itself: those of the one asset that is shown."""
    return Totals(
        wallet=own.wallet,
        unrealised=own.unrealised,
        margin_balance=own.margin_balance,
        initial_margin=own.initial_margin,
        position_margin=own.position_margin,
        order_margin=own.order_margin,
        maintenance=own.maintenance,
        cross_wallet=own.cross_wallet,
        cross_unrealised=own.cross_unrealised,
        available=collateral.available(own.asset),
        withdrawable=collateral.withdrawable(own.asset),
    )


def totals_shared(collateral: SharedCollateral) -> Totals:
    """The totals where all assets stand together, in the account's unit: balances and profits as they
    count, margins at the ask. The margin balance is the equity, so it need not be the sum of the two."""
    wallet = unrealised = cross_wallet = cross_unrealised = ZERO
    worth = wallet_worth = unrealised_worth = ZERO
    position_margin = order_margin = maintenance = ZERO
    for own in collateral.figures.values():
        rate = collateral.rates.get(own.asset)
        if rate is None:
            continue
        worth += rate.index * own.margin_balance
        wallet_worth += rate.index * (own.wallet - own.borrowed)
        unrealised_worth += rate.index * own.unrealised
        wallet += rate.worth(own.wallet)
        cross_wallet += rate.worth(own.cross_wallet)
        unrealised += rate.worth(own.unrealised)
        cross_unrealised += rate.worth(own.cross_unrealised)
        position_margin += own.position_margin * rate.ask
        order_margin += own.order_margin * rate.ask
        maintenance += own.maintenance * rate.ask
    debts, debts_kept = collateral.debt_margin(), collateral.debt_maintenance()
    equity, needed = collateral.equity(), collateral.initial_margin()
    losses_only = sum(
        (
            rate.worth(own.cross_wallet + min(ZERO, own.cross_unrealised))
            for own in collateral.figures.values()
            if (rate := collateral.rates.get(own.asset)) is not None
        ),
        ZERO,
    )
    return Totals(
        wallet=wallet,
        unrealised=unrealised,
        margin_balance=equity,
        initial_margin=position_margin + order_margin + debts,
        position_margin=position_margin,
        order_margin=order_margin,
        maintenance=maintenance + debts_kept,
        cross_wallet=cross_wallet,
        cross_unrealised=cross_unrealised,
        available=max(ZERO, equity - needed),
        withdrawable=max(ZERO, losses_only - needed - collateral.promised()),
        debt_margin=debts,
        debt_maintenance=debts_kept,
        worth=worth,
        wallet_worth=wallet_worth,
        unrealised_worth=unrealised_worth,
    )
