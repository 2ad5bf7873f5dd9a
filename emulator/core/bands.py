"""Between which prices a risk is safe beyond doubt: a band for each price that it depends on.

While all are inside, exact figures say that everything can be kept. What figures round and bands do not is
made up for by a few steps of what there is, which do not count for bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from emulator.core.contracts import Contract, Tier, value_of
from emulator.core.liquidation import NEVER, Band, Risk, Stake, Weights, liquidation_band, safe_bands
from emulator.core.margin import maintenance
from emulator.core.numbers import ONE, ZERO, divide_down, round_down, round_up
from emulator.core.positions import Leg, Position, unrealised
from emulator.core.risk import Cover, Held
from emulator.core.state import State

ROUNDINGS = 2
"""Steps of the settle asset by which the exact figures of one position may differ from its band's."""


class Watched(NamedTuple):
    """The mark price of a contract, or its index price."""

    symbol: str
    is_index: bool = False


class Safety(NamedTuple):
    """What is known of a risk as long as all prices are inside their bands.

    spared: by asset, how much may be paid meanwhile beside what is earned and lost by prices, so that nobody
    need look again for that. may_owe: whether anything may be owed then, though no more is paid.
    """

    bands: dict[Watched, Band]
    spared: dict[str, Decimal]
    may_owe: bool = True

    @property
    def is_none(self) -> bool:
        """There is no price at which the risk is safe beyond doubt."""
        return NEVER in self.bands.values()


def safety(state: State, risk: Risk, cover: Cover, warning: Decimal, now_us: int) -> Safety:
    """All bands of a risk, with something set aside for payments. warning: by how much what must be kept is
    to be covered."""
    held = cover.held
    if risk.is_isolated:
        (only,) = held
        left = only.position.margin + only.unrealised - only.maintenance * warning
        spared = _spared(cover, left, warning)
        band = liquidation_band(
            only.contract,
            [only.position],
            only.position.margin - 2 * ROUNDINGS * only.contract.settle_step - sum(spared.values()),
            step=_step(only),
            weights=Weights(maintenance=warning),
            inward=True,
            mark=only.mark,
        )
        return Safety({Watched(risk.instrument): band}, spared)
    if risk.asset == "" and risk.wallet in state.lending:
        return _boxed(state, risk, cover, warning, now_us)
    stakes = _stakes(cover, warning)
    if risk.asset == "":
        backing = _backing(state, risk, cover, now_us)
        if backing is None:
            return _boxed(state, risk, cover, warning, now_us)
        stakes |= backing
    now = cover.standing()
    steps = [one.contract.settle_step * max(ONE, cover.rate(one.contract.settle).ask) for one in held]
    slack = now.equity - now.maintenance * warning - ROUNDINGS * sum(steps, steps[0])
    spared = _spared(cover, slack, warning)
    slack -= sum((cover.rate(asset).ask * amount for asset, amount in spared.items()), ZERO)
    return Safety(dict(zip(stakes, safe_bands(list(stakes.values()), slack), strict=True)), spared)


SPARED: Final = Decimal("0.0625")
"""Which part of what there is beyond what must be kept is set aside for payments at most."""
SPARED_OF_WORTH: Final = Decimal("0.03125")
"""And of the worth of what it is paid for: some hundred payments."""
PAID_STEP: Final = Decimal("0.00000001")


def _spared(cover: Cover, left: Decimal, warning: Decimal) -> dict[str, Decimal]:
    """How much may be paid of each asset, of which anything is likely to be: they share what is set aside by
    the worth of what it is paid for. What is owed then needs margin as well."""
    if left <= ZERO:
        return {}
    amounts: dict[str, Decimal] = {}
    for one in cover.held:
        asset, value = one.contract.settle, value_of(one.contract, one.position.quantity, one.mark)
        amounts[asset] = amounts.get(asset, ZERO) + abs(value)
    for asset in cover.rates:
        owed = cover.owed(asset, cover.owned[asset]) if asset in cover.owned else ZERO
        if owed:
            amounts[asset] = amounts.get(asset, ZERO) + owed
    whole = sum((amount * cover.rate(asset).ask for asset, amount in amounts.items()), ZERO)
    found: dict[str, Decimal] = {}
    for asset, amount in amounts.items():
        rate = cover.rate(asset)
        if amount and rate.ask:
            costs = rate.ask * (ONE + rate.debt_maintenance * warning)
            share = divide_down(left * SPARED * amount * rate.ask, whole * costs, PAID_STEP)
            found[asset] = min(share, round_down(amount * SPARED_OF_WORTH, PAID_STEP))
    return found


def _stakes(cover: Cover, warning: Decimal) -> dict[Watched, Stake]:
    legs: dict[str, list[Position]] = {}
    of: dict[str, Held] = {}
    for one in cover.held:
        symbol = one.market.instrument.symbol
        legs.setdefault(symbol, []).append(one.position)
        of[symbol] = one
    stakes: dict[Watched, Stake] = {}
    for symbol, one in of.items():
        rate = cover.rate(one.contract.settle)
        stakes[Watched(symbol)] = Stake(
            contract=one.contract,
            legs=tuple(legs[symbol]),
            mark=one.mark,
            weights=Weights(profit=rate.bid_least, maintenance=rate.ask * warning, owed=rate.ask),
            step=_step(one),
        )
    return stakes


def _backing(state: State, risk: Risk, cover: Cover, now_us: int) -> dict[Watched, Stake] | None:
    """What assets that stand together with others gain or lose by their own index prices, as if they were
    positions that nothing has to be kept for. None where that is not all: something settles in such an asset,
    so that profit and index together make what there is, and no band is right for each of them alone."""
    counted: dict[str, Decimal] = {}
    for one in state.collateral[risk.wallet]:
        amount = cover.owned.get(one.asset, ZERO)
        if not one.index_of or not amount:
            continue
        if one.asset in cover.kept:
            return None
        part = cover.rate(one.asset).counted(amount) * one.index_part
        counted[one.index_of] = counted.get(one.index_of, ZERO) + part
    stakes: dict[Watched, Stake] = {}
    for symbol, quantity in counted.items():
        marks = state.markets[symbol].marks
        assert marks is not None, "a pair has no index price"
        index = marks.index_price(now_us)
        stakes[Watched(symbol, is_index=True)] = Stake(
            contract=_ITSELF,
            legs=(Position(leg=Leg.BOTH, quantity=quantity, cost=abs(quantity) * index),),
            mark=index,
            step=marks.step,
        )
    return stakes


_WIDTHS = tuple(map(Decimal, "0.5 0.3 0.2 0.12 0.07 0.04 0.02 0.01 0.004 0.001 0.0003 0.0001 0".split()))
"""How far all prices may go at once, tried one after the other, as parts of each."""


def _boxed(state: State, risk: Risk, cover: Cover, warning: Decimal, now_us: int) -> Safety:
    """The same part of every price to either side, such that everything can be kept whatever each of them
    does within: where what is owed needs margin, and an index counts together with a mark, no line tells."""
    marks = {Watched(one.market.instrument.symbol): (one.mark, _step(one)) for one in cover.held}
    for asset in state.collateral[risk.wallet]:
        if asset.index_of and (cover.owned.get(asset.asset) or cover.borrowed.get(asset.asset)):
            there = state.markets[asset.index_of].marks
            assert there is not None, "a pair has no index price"
            marks[Watched(asset.index_of, is_index=True)] = there.index_price(now_us), there.step
    here, _ = _worst(state, risk, cover, warning, ZERO, {})
    spared = _spared(cover, here, warning)
    for width in _WIDTHS:
        left, may_owe = _worst(state, risk, cover, warning, width, spared)
        if left > ZERO:
            box = {
                one: Band(
                    low=round_up(price * (ONE - width), step), high=round_down(price * (ONE + width), step)
                )
                for one, (price, step) in marks.items()
            }
            return Safety(box, spared, may_owe)
    return Safety(dict.fromkeys(marks, NEVER), {})


def _worst(
    state: State, risk: Risk, cover: Cover, warning: Decimal, width: Decimal, paid: Mapping[str, Decimal]
) -> tuple[Decimal, bool]:
    """At most what covers a risk, less what has to be kept, while prices are so near to what they are and so
    much was paid; and whether anything may be owed."""
    owned, kept = dict(cover.balances), dict.fromkeys(cover.balances, ZERO)
    for asset, amount in paid.items():
        owned[asset] = owned.get(asset, ZERO) - amount
    legs: dict[str, list[Held]] = {}
    for one in cover.held:
        legs.setdefault(one.market.instrument.symbol, []).append(one)
    for listed in legs.values():
        contract, mark, settle = listed[0].contract, listed[0].mark, listed[0].contract.settle
        ends = [mark * (ONE - width), mark * (ONE + width)]
        profits = [sum((unrealised(contract, one.position, end) for one in listed), ZERO) for end in ends]
        needs = [sum((maintenance(contract, one.position, end) for one in listed), ZERO) for end in ends]
        spared = ROUNDINGS * len(listed) * contract.settle_step
        owned[settle] = owned.get(settle, ZERO) + min(profits) - spared
        kept[settle] = kept.get(settle, ZERO) + max(needs) + spared
    left, may_owe = ZERO, False
    moving = {one.asset for one in state.collateral[risk.wallet] if one.index_of}
    for asset, amount in owned.items():
        rate = cover.rate(asset)
        away = width if asset in moving else ZERO
        ask = rate.ask * (ONE + away)
        left += min(rate.worth(amount) * (ONE - away), amount * ask)
        owed = cover.owed(asset, amount)
        may_owe |= owed > ZERO
        left -= (kept.get(asset, ZERO) + owed * rate.debt_maintenance) * ask * warning
    return left, may_owe


_ITSELF = Contract(
    settle="",
    margin_asset="",
    tiers=(Tier(floor=ZERO, cap=Decimal("1E30"), leverage_max=ONE, maintenance_rate=ZERO),),
)
"""One unit of an asset, held."""


def _step(one: Held) -> Decimal:
    assert one.market.marks is not None
    return one.market.marks.step
