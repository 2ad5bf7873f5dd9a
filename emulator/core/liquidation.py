"""When a position can no longer be kept, at which price that is, and what then happens, as data.

With x the price (linear) or one over it (inverse), what covers a position less its maintenance margin
is a sum of straight lines in x with a bend at each tier boundary: concave, since the rates grow. So the
prices at which it can be kept are one interval, and each of its ends lies on the line of the tier that
holds there: no guess of a tier, no iteration.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import msgspec

from emulator.core.contracts import (
    Contract,
    Rounding,
    Tier,
    Valuation,
    divided,
    maintenance_of,
    rounded,
    tier_of,
    value_of,
)
from emulator.core.ids import AccountId
from emulator.core.numbers import ONE, ZERO, divide_down, divide_half
from emulator.core.positions import Leg, Position, closing_cost

_TABLES_KEPT = 1_000

_FINE = Decimal("1E-36")
"""How finely boundaries and roots are compared; where two lines meet, either of them gives the root."""


class Risk(NamedTuple):
    """What is kept or liquidated together: one isolated position, or all that one collateral covers.

    instrument, leg: of the isolated one, else empty and BOTH. asset: what it settles in; empty where all
    assets of the wallet stand together.
    """

    account: AccountId
    wallet: str
    asset: str
    instrument: str = ""
    leg: Leg = Leg.BOTH

    @property
    def is_isolated(self) -> bool:
        return self.instrument != ""


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """The prices at which positions can be kept: low and above, high and below; None: no such end.

    low above high: there is no such price.
    """

    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        return self.low is not None and self.high is not None and self.low > self.high

    def holds(self, price: Decimal) -> bool:
        return (self.low is None or price >= self.low) and (self.high is None or price <= self.high)

    def narrowed(self, other: Band) -> Band:
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return Band(low=max(lows, default=None), high=min(highs, default=None))


NEVER = Band(low=ONE, high=ZERO)


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit of the settle asset counts for in the unit of the funds: of profit or loss, and of
    maintenance margin. All are one unless an account's assets stand together.

    owed: what profit or loss counts for where the asset is owed; None: the same. More maintenance margin than
    has to be kept is asked for where somebody wants to know earlier.
    """

    profit: Decimal = ONE
    maintenance: Decimal = ONE
    owed: Decimal | None = None


PLAIN = Weights()


class _Line(NamedTuple):
    """constant + slope * x, from x = above / below, about start, to where the next line begins."""

    start: Decimal
    above: Decimal
    below: Decimal
    constant: Decimal
    slope: Decimal


class _Root(NamedTuple):
    above: Decimal
    below: Decimal


def liquidation_band(
    contract: Contract,
    legs: Sequence[Position],
    funds: Decimal,
    *,
    step: Decimal,
    weights: Weights = PLAIN,
    inward: bool = False,
    mark: Decimal | None = None,
) -> Band:
    """The prices at which funds and profit of these legs of one contract cover their maintenance margin.

    funds: isolated, the position's margin; cross, the cross wallet with the unrealised profit of all
    other positions, less their maintenance margin. Ends are rounded to the nearest multiple of `step`,
    or `inward`, so that a price inside is safe beyond doubt. With `mark` it is the prices that can be
    reached from there without passing one at which the legs cannot be kept, NEVER if it is one; that
    differs only for tables whose margin jumps at boundaries, where one interval need not be all.

    Source: Binance FAQ "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts" and the one on
    COIN-M; theirs is the root of one line, this the root of the line that holds there.
    """
    held = [leg for leg in legs if leg.quantity]
    if not held:
        return Band()
    if len(held) == 1 and contract.maintenance_by is Valuation.MARK and not _has_jumps(contract.tiers):
        found = _band_of_one(contract, held[0], funds, step, weights, mark, inward=inward)
        if found is not None:
            return found
    lines = _lines(contract, held, funds, weights)
    if mark is None:
        return _band(contract, _first_root(lines), _last_root(lines), step, inward=inward)
    return _band(contract, *_around(lines, mark, is_inverse=contract.is_inverse), step, inward=inward)


def liquidation_price(
    contract: Contract,
    legs: Sequence[Position],
    funds: Decimal,
    *,
    step: Decimal,
    mark: Decimal | None = None,
) -> Decimal | None:
    """The end of the band that the legs together lose towards; None where there is none above zero."""
    return _towards_loss(liquidation_band(contract, legs, funds, step=step, mark=mark), legs)


def liquidation_price_shared(
    contract: Contract,
    legs: Sequence[Position],
    *,
    own: Decimal,
    others: Decimal,
    counted: Sequence[tuple[Decimal, Decimal]],
    ask: Decimal,
    step: Decimal,
) -> Decimal | None:
    """The same where all assets of an account stand together.

    own: balance of the settle asset with the profit of other positions in it, in that asset; others: all
    else that counts, less maintenance margins of other positions, in the account's unit. counted: the lines
    of which the lowest tells what so much of the settle asset counts for (`CollateralRate.lines`), so the
    prices that are safe are those safe under all of them. ask: what one that is needed counts for.
    """
    band = Band()
    for start, rate in counted:
        reached = liquidation_band(
            contract,
            legs,
            others + start + own * rate,
            step=step,
            weights=Weights(profit=rate, maintenance=ask),
        )
        band = band.narrowed(reached)
    return _towards_loss(band, legs)


def bankruptcy_price(
    contract: Contract, legs: Sequence[Position], funds: Decimal, *, step: Decimal, fee_rate: Decimal = ZERO
) -> Decimal | None:
    """The price at which closing leaves nothing of the funds, a closing fee counted at `fee_rate`.

    Rounded so that closing there does not leave less than nothing, as far as a step allows.
    """
    held = [leg for leg in legs if leg.quantity]
    if not held:
        return None
    constant, slope = funds, ZERO
    for leg in held:
        amount = abs(leg.quantity) * contract.size
        constant -= contract.sense * leg.direction * leg.cost
        slope += amount * (contract.sense * leg.direction - fee_rate)
    line = [_Line(ZERO, ZERO, ONE, constant, slope)]
    band = _band(contract, _first_root(line), _last_root(line), step, inward=True)
    return _towards_loss(band, held)


_JUMPS: dict[int, tuple[tuple[Tier, ...], bool]] = {}


def _has_jumps(tiers: tuple[Tier, ...]) -> bool:
    """Whether the maintenance margin jumps at a boundary. Remembered by the table's identity, since it is
    asked for each of many positions in few contracts."""
    known = _JUMPS.get(id(tiers))
    if known is not None and known[0] is tiers:
        return known[1]
    found = any(
        tier.maintenance_amount - below.maintenance_amount
        != tier.floor * (tier.maintenance_rate - below.maintenance_rate)
        for below, tier in pairwise(tiers)
    )
    if len(_JUMPS) > _TABLES_KEPT:
        _JUMPS.clear()
    _JUMPS[id(tiers)] = (tiers, found)
    return found


def _band_of_one(
    contract: Contract,
    leg: Position,
    funds: Decimal,
    step: Decimal,
    weights: Weights,
    mark: Decimal | None,
    *,
    inward: bool,
) -> Band | None:
    """The band of a single leg, by its value: profit and maintenance are straight in it within each tier,
    so the end is at value = above / below of the first tier that reaches so far. None where maintenance
    grows faster than profit, and both ends may be bent."""
    gains = contract.sense * leg.direction > ZERO
    amount = abs(leg.quantity) * contract.size
    cost, kept = weights.profit * leg.cost, weights.maintenance
    closing = closing_cost(contract, leg)
    funds -= kept * closing.amount
    above = below = ZERO
    for tier in contract.tiers:
        rate = kept * (tier.maintenance_rate + closing.rate)
        if gains:
            above = cost - funds - kept * tier.maintenance_amount
            below = weights.profit - rate
            if below <= ZERO:
                return None
        else:
            above = cost + funds + kept * tier.maintenance_amount
            below = weights.profit + rate
        if above <= tier.cap * below:
            break
    if above <= ZERO:
        return Band() if gains else NEVER
    # A linear contract at its price is worth price * amount, an inverse one amount / price.
    if contract.is_inverse:
        above, below = below * amount, above
    else:
        below *= amount
    is_low = gains is not contract.is_inverse
    if mark is not None and (mark * below < above if is_low else mark * below > above):
        return NEVER
    rounding = Rounding.HALF if not inward else Rounding.UP if is_low else Rounding.DOWN
    end = divided(above, below, step, rounding)
    return Band(low=end) if is_low else Band(high=end)


def _towards_loss(band: Band, legs: Sequence[Position]) -> Decimal | None:
    if band.is_empty:
        return None
    net = sum((leg.quantity for leg in legs), ZERO)
    end = band.low if net > ZERO else band.high
    if net == ZERO and end is None:
        end = band.low
    return end if end is not None and end > ZERO else None


def _lines(contract: Contract, legs: Sequence[Position], funds: Decimal, weights: Weights) -> list[_Line]:
    """The bent line of funds + profit - maintenance, from x = 0 on: one line, and one more from each
    boundary of a tier that a leg reaches."""
    constant, slope = funds, ZERO
    bends: list[tuple[Decimal, Decimal, Decimal, Decimal, Decimal]] = []
    for leg in legs:
        amount = abs(leg.quantity) * contract.size
        lean = contract.sense * leg.direction * weights.profit
        constant -= lean * leg.cost
        slope += lean * amount
        closing = closing_cost(contract, leg)
        constant -= weights.maintenance * closing.amount
        if contract.maintenance_by is Valuation.ENTRY:
            constant -= weights.maintenance * maintenance_of(contract, leg.cost, closing.rate)
            continue
        kept = weights.maintenance * amount
        first = contract.tiers[0]
        constant += weights.maintenance * first.maintenance_amount
        slope -= kept * (first.maintenance_rate + closing.rate)
        for below, tier in pairwise(contract.tiers):
            bends.append(
                (
                    divide_half(tier.floor, amount, _FINE),
                    tier.floor,
                    amount,
                    weights.maintenance * (tier.maintenance_amount - below.maintenance_amount),
                    kept * (below.maintenance_rate - tier.maintenance_rate),
                )
            )
    bends.sort()
    lines = [_Line(ZERO, ZERO, ONE, constant, slope)]
    for start, above, below_, raised, turned in bends:
        constant += raised
        slope += turned
        lines.append(_Line(start, above, below_, constant, slope))
    return lines


def _band(contract: Contract, low: _Root | None, high: _Root | None, step: Decimal, *, inward: bool) -> Band:
    """The band between two values of x, as prices."""
    if high == _NOWHERE:
        return NEVER
    to_low, to_high = (Rounding.UP, Rounding.DOWN) if inward else (Rounding.HALF, Rounding.HALF)
    if contract.is_inverse:
        low, high = _turned(high), _turned(low)
    return Band(
        low=divided(low.above, low.below, step, to_low) if low else None,
        high=divided(high.above, high.below, step, to_high) if high else None,
    )


_NOWHERE = _Root(-ONE, ONE)


def _turned(root: _Root | None) -> _Root | None:
    return _Root(root.below, root.above) if root and root.above else None


def _first_root(lines: Sequence[_Line]) -> _Root | None:
    """Where the bent line first comes up to zero; None when it begins there, or never comes."""
    if lines[0].constant >= ZERO:
        return None
    for number, line in enumerate(lines):
        if line.slope <= ZERO:
            continue
        root = divide_half(-line.constant, line.slope, _FINE)
        if number + 1 == len(lines) or root <= lines[number + 1].start:
            return _Root(-line.constant, line.slope)
    return None


def _last_root(lines: Sequence[_Line]) -> _Root | None:
    """Where the bent line is at zero for the last time; None when it stays above; _NOWHERE when it is
    below zero for all x above zero."""
    last = lines[-1]
    if last.slope > ZERO or (not last.slope and last.constant >= ZERO):
        return None
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        if line.slope >= ZERO:
            return _NOWHERE
        root = divide_half(-line.constant, line.slope, _FINE)
        if root > line.start:
            return _Root(line.constant, -line.slope)
    return _NOWHERE


def _around(lines: Sequence[_Line], mark: Decimal, *, is_inverse: bool) -> tuple[_Root | None, _Root | None]:
    """The nearest x on either side of the mark's beyond which the bent line is below zero. A line may
    begin lower than the one before it ends; its own beginning still belongs to the one before."""
    above, below = (ONE, mark) if is_inverse else (mark, ONE)
    here = 0
    while here + 1 < len(lines):
        following = lines[here + 1]
        if above * following.below <= following.above * below:
            break
        here += 1
    if lines[here].constant * below + lines[here].slope * above < ZERO:
        return None, _NOWHERE
    return _below(lines, here), _above(lines, here)


def _below(lines: Sequence[_Line], here: int) -> _Root | None:
    for number in range(here, -1, -1):
        line = lines[number]
        if line.slope > ZERO and divide_half(-line.constant, line.slope, _FINE) > line.start:
            return _Root(-line.constant, line.slope)
    return None


def _above(lines: Sequence[_Line], here: int) -> _Root | None:
    for number in range(here, len(lines)):
        line = lines[number]
        root = divide_half(-line.constant, line.slope, _FINE) if line.slope < ZERO else None
        if number + 1 == len(lines):
            return _Root(line.constant, -line.slope) if root is not None else None
        following = lines[number + 1]
        if root is not None and root < following.start:
            return _Root(line.constant, -line.slope)
        if following.constant * following.below + following.slope * following.above < ZERO:
            return _Root(following.above, following.below)
    return None


class Stake(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has in one contract under cross margin: one position, or two legs."""

    contract: Contract
    legs: tuple[Position, ...]
    mark: Decimal
    weights: Weights = PLAIN
    """With assets that stand together: the rates of the settle asset; profit counts at the bid."""
    step: Decimal
    """Of its mark price, by which its band is rounded."""


def safe_bands(stakes: Sequence[Stake], slack: Decimal) -> list[Band]:
    """For each stake a band, such that the account is safe while every mark is inside its own.

    slack: equity less maintenance margin, now. Each stake may use up a part of it in proportion to its
    value; a band is where the stake's own loss and growth of maintenance stay within that part. So a tick
    of one mark looks at the accounts whose band it leaves, and at no other.
    """
    values = [
        sum((abs(value_of(stake.contract, leg.quantity, stake.mark)) for leg in stake.legs), ZERO)
        * stake.weights.maintenance
        for stake in stakes
    ]
    whole = sum(values, ZERO)
    if slack < ZERO:
        return [NEVER] * len(stakes)
    bands = []
    for stake, value in zip(stakes, values, strict=True):
        if not value:
            bands.append(Band())
            continue
        part = divide_down(slack * value, whole, stake.contract.settle_step)
        band = Band()
        owed = stake.weights.profit if stake.weights.owed is None else stake.weights.owed
        for profit in {stake.weights.profit, owed}:
            weights = Weights(profit=profit, maintenance=stake.weights.maintenance)
            funds = part - _worth(stake, weights)
            reached = liquidation_band(
                stake.contract,
                stake.legs,
                funds,
                step=stake.step,
                weights=weights,
                inward=True,
                mark=stake.mark,
            )
            band = band.narrowed(reached)
        bands.append(band)
    return bands


def _worth(stake: Stake, weights: Weights) -> Decimal:
    """Profit less maintenance margin of a stake at its mark, without a rounding."""
    contract, worth = stake.contract, ZERO
    for leg in stake.legs:
        if not leg.quantity:
            continue
        value = abs(value_of(contract, leg.quantity, stake.mark))
        worth += weights.profit * contract.sense * leg.direction * (value - leg.cost)
        closing = closing_cost(contract, leg)
        worth -= weights.maintenance * closing.amount
        if contract.maintenance_by is Valuation.ENTRY:
            worth -= weights.maintenance * maintenance_of(contract, leg.cost, closing.rate)
        else:
            tier = tier_of(contract, value)
            kept = value * (tier.maintenance_rate + closing.rate) - tier.maintenance_amount
            worth -= weights.maintenance * kept
    return worth


class CancelOrders(msgspec.Struct, frozen=True, tag="cancel_orders"):
    """First of all: the orders that rest beside the position, or all of a cross account."""

    is_cross: bool


class CloseAtMarket(msgspec.Struct, frozen=True, tag="close_at_market"):
    """An immediate-or-cancel order in the book, limited by the bankruptcy price."""

    leg: Leg
    quantity: Decimal
    limit: Decimal | None


class TakeOver(msgspec.Struct, frozen=True, tag="take_over"):
    """What the market did not take passes to the insurance fund at the bankruptcy price."""

    leg: Leg
    quantity: Decimal
    price: Decimal


class Deleverage(msgspec.Struct, frozen=True, tag="deleverage"):
    """What the fund cannot carry is closed against opposite positions, by rank, at the same price."""

    leg: Leg
    quantity: Decimal
    price: Decimal


Step = CancelOrders | CloseAtMarket | TakeOver | Deleverage


def liquidation_steps(
    position: Position, bankruptcy: Decimal | None, *, is_cross: bool, filled: Decimal, fund_takes: Decimal
) -> tuple[Step, ...]:
    """What happens to a position that is liquidated, in order.

    filled: contracts that the market took at the limit or better; fund_takes: of the rest, as many as
    the insurance fund can carry. Without a bankruptcy price above zero there is no limit, and the market
    takes all that it can, at any price; what then remains is taken over at zero.
    """
    held = abs(position.quantity)
    assert ZERO <= filled <= held, "more filled than there was"
    steps: list[Step] = [
        CancelOrders(is_cross),
        CloseAtMarket(position.leg, held, bankruptcy),
    ]
    rest = held - filled
    carried = min(rest, fund_takes)
    price = bankruptcy if bankruptcy is not None else ZERO
    if carried:
        steps.append(TakeOver(position.leg, carried, price))
    if rest > carried:
        steps.append(Deleverage(position.leg, rest - carried, price))
    return tuple(steps)


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How the money of a liquidation falls: collateral + realised = left + fee - gap.

    fee: goes to the insurance fund, never more than is there. gap: what the fund pays because the
    position lost more than its collateral. left: what stays with the account.
    """

    realised: Decimal
    fee: Decimal
    gap: Decimal
    left: Decimal


def settlement(
    contract: Contract, collateral: Decimal, realised: Decimal, closed_value: Decimal
) -> Settlement:
    """The liquidation fee is a part of the value that was closed; a loss beyond the collateral is booked
    as what it is, and not hidden in a price."""
    remains = collateral + realised
    due = rounded(closed_value * contract.liquidation_fee, contract.settle_step, contract.fee_rounding)
    fee = min(due, max(ZERO, remains))
    return Settlement(realised=realised, fee=fee, gap=max(ZERO, -remains), left=max(ZERO, remains) - fee)


def is_liquidated(maintenance: Decimal, equity: Decimal) -> bool:
    """Something must be kept, and there is no more than that."""
    return maintenance > ZERO and equity <= maintenance
