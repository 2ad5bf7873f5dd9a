"""What a futures contract is: its size, what it settles in, its margin tiers, and how amounts round.

A linear contract is worth price times size in the settle asset; an inverse one is worth size divided
by price. Its size is in base for a linear one, in quote for an inverse one. All that exchanges do
differently with a contract is a field here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import Enum
from itertools import pairwise

import msgspec

from emulator.core.numbers import (
    ONE,
    ZERO,
    canonical,
    divide_down,
    divide_half,
    divide_up,
    round_down,
    round_half,
    round_up,
)


class Rounding(str, Enum):
    """DOWN: towards zero; UP: away from zero; HALF: to the nearest, halves to the even one."""

    DOWN = "down"
    UP = "up"
    HALF = "half"


_ROUND = {Rounding.DOWN: round_down, Rounding.UP: round_up, Rounding.HALF: round_half}
_DIVIDE = {Rounding.DOWN: divide_down, Rounding.UP: divide_up, Rounding.HALF: divide_half}


def rounded(value: Decimal, step: Decimal, rounding: Rounding) -> Decimal:
    return _ROUND[rounding](value, step)


def initial_margin(contract: Contract, value: Decimal, leverage: Decimal) -> Decimal:
    """Initial margin of so much, with its sign: abs(value) / leverage, and what closing it at its bankruptcy
    price costs, as far as the contract counts that."""
    margin = divided(abs(value), leverage, contract.settle_step, contract.margin_rounding)
    if contract.initial_fee and value:
        direction = ONE if value > ZERO else -ONE
        margin += closing_fee(contract, abs(value), direction, leverage, contract.initial_fee)
    return margin


def closing_fee(
    contract: Contract, value: Decimal, direction: Decimal, leverage: Decimal, rate: Decimal
) -> Decimal:
    """The fee for closing what is worth so much at its bankruptcy price, V * (L - s * d) / L."""
    bankrupt = value * (leverage - contract.sense * direction) * rate
    return divided(bankrupt, leverage, contract.settle_step, Rounding.UP)


def divided(numerator: Decimal, denominator: Decimal, step: Decimal, rounding: Rounding) -> Decimal:
    """The quotient with one rounding, to a multiple of `step`."""
    return _DIVIDE[rounding](numerator, denominator, step)


class Valuation(str, Enum):
    """At which price a position is valued when its margin is asked for."""

    MARK = "mark"
    ENTRY = "entry"


class FeeBasis(str, Enum):
    """Of what the maintenance margin of a position holds the fee for closing it."""

    VALUE = "value"
    """Of what it is worth."""
    BANKRUPTCY = "bankruptcy"
    """Of what it is worth where nothing is left that covers it (`positions.closing_cost`)."""


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the margin table. floor < value <= cap, in the settle asset of the contract.

    maintenance_amount: what is taken off value * maintenance_rate, so that the maintenance margin
    does not jump where the tier begins.
    """

    floor: Decimal
    cap: Decimal
    leverage_max: Decimal
    maintenance_rate: Decimal
    maintenance_amount: Decimal = ZERO


class FundingRule(msgspec.Struct, frozen=True, kw_only=True):
    """interest: for eight hours. dampener: how far interest may pull the rate from the premium.

    cap, floor: limits of the rate of one interval; None: no limit. rate_step: how finely it is told.
    """

    interest: Decimal = Decimal("0.0001")
    dampener: Decimal = Decimal("0.0005")
    cap: Decimal | None = None
    floor: Decimal | None = None
    rate_step: Decimal = Decimal("0.00000001")


class MarkRule(msgspec.Struct, frozen=True, kw_only=True):
    """How index, mark price and funding rate of a contract are made (`marks`).

    step: of index and mark price. premium_max: of the market's own premium, either way.
    """

    step: Decimal
    premium_max: Decimal = Decimal("0.001")
    funding: FundingRule = FundingRule()


class PremiumBand(msgspec.Struct, frozen=True, kw_only=True):
    """Leaves limit prices room for where the contract's own book stands.

    seconds: over so many whole seconds the middle of the book less the mark price is averaged. hard: by which
    part of the mark price a limit price may be away from it all the same.
    """

    seconds: int
    hard: Decimal


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """The futures side of an instrument.

    wallet: in which wallet of an account it is traded, and what is in it covers it; no order in another.
    size: base asset of one contract when linear, quote amount of one when inverse.
    settle_step: the ledger's smallest amount of the settle asset.
    margin_asset: what is put up for it; the settle asset unless an exchange tells them apart.
    listed_us: from when on it can be traded. delivery_us: when it settles for good; None: a perpetual.
    settlement_seconds: over how many seconds before that the index is averaged. delivery_fee: part of
    the value that is charged for it.
    funding_hours: hours between funding payments; 0: none.
    liquidation_fee: part of the liquidated value that goes to the insurance fund.
    maintenance_fee: rate of the fee for closing that the maintenance margin holds beside the tier's part, and
    maintenance_fee_on: of what.
    initial_fee: rate of the fee for closing at the bankruptcy price that the initial margin holds as well.
    leverage_default, isolated_default: of positions for which their owner has chosen nothing.
    initial_by, maintenance_by: at which price the margins of a position value it; isolated_initial_by: the
    initial margin of an isolated one.
    marking: how index and mark price are made; None: as `MarkRule` has it, in the instrument's price steps.
    take_bound: by which part of the mark price an order at market may trade beyond it; None: however far.
    band: how far its limit prices may be from mark and index price beyond the instrument's multipliers; None:
    no further.
    hedgeable: whether there may be two positions in it, one a side.
    stop_pairs_max: how many pairs of stops for parts of one position may wait; 0: any number.
    splits_reducing: whether an order that may only reduce, and is larger than one order may be, comes as
    several; else it is refused, or once it was triggered of any size. trims_reducing: whether orders in the
    book that may only reduce become smaller, or end, the newest first, when the position does not need them
    any more; else they stay, and trade no more than there is.
    adjusts_triggered: whether the limit price of an order that waited becomes the nearest one that is near
    enough to the reference when it is triggered, and is not measured before; else it is, and the order ends.
    closing_orders_max: how many orders may wait that close the same position at the same kind of trigger;
    0: any number.
    cost_step: how finely the entry cost of a position is kept. It is not money: a share of it that is
    released, or the worth of an inverse contract, is rarely a finite decimal.
    *_rounding: how profit, margins, fees and funding become multiples of settle_step.
    """

    is_inverse: bool = False
    wallet: str = ""
    size: Decimal = ONE
    settle: str
    settle_step: Decimal = Decimal("0.00000001")
    margin_asset: str
    listed_us: int = 0
    delivery_us: int | None = None
    settlement_seconds: int = 1800
    delivery_fee: Decimal = ZERO
    funding_hours: int = 8
    liquidation_fee: Decimal = ZERO
    maintenance_fee: Decimal = ZERO
    maintenance_fee_on: FeeBasis = FeeBasis.VALUE
    tiers: tuple[Tier, ...]
    leverage_default: Decimal = Decimal(20)
    isolated_default: bool = False
    initial_by: Valuation = Valuation.MARK
    isolated_initial_by: Valuation = Valuation.MARK
    maintenance_by: Valuation = Valuation.MARK
    marking: MarkRule | None = None
    take_bound: Decimal | None = None
    closing_orders_max: int = 0
    hedgeable: bool = True
    initial_fee: Decimal = ZERO
    stop_pairs_max: int = 0
    splits_reducing: bool = False
    trims_reducing: bool = False
    adjusts_triggered: bool = False
    band: PremiumBand | None = None

    cost_step: Decimal = Decimal("1E-18")
    profit_rounding: Rounding = Rounding.HALF
    margin_rounding: Rounding = Rounding.HALF
    fee_rounding: Rounding = Rounding.DOWN
    funding_rounding: Rounding = Rounding.HALF

    @property
    def sense(self) -> Decimal:
        """1, or -1 when inverse: worth less as the price rises, it gains a long what it loses in worth."""
        return -ONE if self.is_inverse else ONE

    def is_listed(self, now_us: int) -> bool:
        """Whether it can be traded at a time."""
        return self.listed_us <= now_us and (self.delivery_us is None or now_us < self.delivery_us)


def value_of(contract: Contract, quantity: Decimal, price: Decimal) -> Decimal:
    """What so many contracts are worth at a price, in the settle asset, with the sign of `quantity`.

    Exact when linear; to the contract's cost step when inverse.
    """
    if contract.is_inverse:
        return divide_half(quantity * contract.size, price, contract.cost_step)
    return quantity * contract.size * price


def amount_of(contract: Contract, quantity: Decimal, price: Decimal) -> Decimal:
    """What a trade of so many contracts comes to, in whole steps of the settle asset's ledger."""
    return round_down(abs(value_of(contract, quantity, price)), contract.settle_step)


def quantity_worth(contract: Contract, value: Decimal, price: Decimal, step: Decimal) -> Decimal:
    """How many contracts are worth at most `value` at a price, down to a multiple of `step`."""
    if contract.is_inverse:
        return divide_down(value * price, contract.size, step)
    return divide_down(value, contract.size * price, step)


def fee_of(contract: Contract, quantity: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """What trading so many contracts at a price costs; negative for a rebate."""
    amount = abs(quantity) * contract.size * rate
    if contract.is_inverse:
        return divided(amount, price, contract.settle_step, contract.fee_rounding)
    return rounded(amount * price, contract.settle_step, contract.fee_rounding)


def tier_table(rows: Iterable[tuple[Decimal, Decimal, Decimal]], *, cap: Decimal) -> tuple[Tier, ...]:
    """Tiers from rows of floor, highest leverage and maintenance rate, and the cap of the last one.

    amount(n) = amount(n-1) + floor(n) * (rate(n) - rate(n-1)), which makes the margin continuous.
    """
    table = list(rows)
    caps = [floor for floor, _, _ in table[1:]] + [cap]
    tiers: list[Tier] = []
    for (floor, leverage_max, rate), upper in zip(table, caps, strict=True):
        amount = ZERO
        if tiers:
            amount = tiers[-1].maintenance_amount + floor * (rate - tiers[-1].maintenance_rate)
        tiers.append(
            Tier(
                floor=floor,
                cap=upper,
                leverage_max=leverage_max,
                maintenance_rate=rate,
                maintenance_amount=amount,
            )
        )
    return tuple(tiers)


def tier_faults(tiers: Sequence[Tier], *, has_jumps: bool = False) -> list[str]:
    """What is wrong with a margin table, one sentence each; empty when it can be used.

    A maintenance amount that does not continue the tier below makes a position need more margin at
    once by crossing a boundary, which is a fault unless the exchange's table `has_jumps`.
    """
    if not tiers:
        return ["there is no tier"]
    faults = []
    if tiers[0].floor or tiers[0].maintenance_amount:
        faults.append("the first tier begins at zero and takes nothing off")
    for number, tier in enumerate(tiers, start=1):
        if tier.cap <= tier.floor:
            faults.append(f"tier {number} ends where it begins or before")
        if not ZERO < tier.maintenance_rate < ONE:
            faults.append(f"tier {number} has a maintenance rate of {tier.maintenance_rate}")
        if tier.leverage_max * tier.maintenance_rate > ONE:
            faults.append(f"tier {number} asks for more to keep a position than to open it")
    for number, (below, tier) in enumerate(pairwise(tiers), start=2):
        if tier.floor != below.cap:
            faults.append(f"tier {number} does not begin where tier {number - 1} ends")
        if tier.maintenance_rate <= below.maintenance_rate or tier.leverage_max > below.leverage_max:
            faults.append(f"tier {number} is not stricter than tier {number - 1}")
        amount = below.maintenance_amount + tier.floor * (tier.maintenance_rate - below.maintenance_rate)
        if not has_jumps and tier.maintenance_amount != amount:
            faults.append(f"tier {number} should take off {canonical(amount)}")
    return faults


def tier_of(contract: Contract, value: Decimal) -> Tier:
    """The tier that a position of this value is in; a value beyond the last cap is in the last tier."""
    tiers = contract.tiers
    place = bisect_left(tiers, abs(value), key=_cap)
    return tiers[min(place, len(tiers) - 1)]


def _cap(tier: Tier) -> Decimal:
    return tier.cap


def maintenance_of(contract: Contract, value: Decimal, closing_rate: Decimal = ZERO) -> Decimal:
    """Maintenance margin of a position of this value: value * (rate + closing rate) - amount, rounded."""
    value = abs(value)
    tier = tier_of(contract, value)
    margin = value * (tier.maintenance_rate + closing_rate) - tier.maintenance_amount
    return rounded(margin, contract.settle_step, contract.margin_rounding)


def leverage_max(contract: Contract, value: Decimal) -> Decimal:
    """The highest leverage at which a position of this value may be held; zero beyond the last cap."""
    value = abs(value)
    return ZERO if value > contract.tiers[-1].cap else tier_of(contract, value).leverage_max


def value_max(contract: Contract, leverage: Decimal) -> Decimal:
    """The largest position, by value, that may be held at a leverage; zero when none admits it."""
    return max((tier.cap for tier in contract.tiers if tier.leverage_max >= leverage), default=ZERO)
