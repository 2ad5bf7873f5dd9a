"""Between which prices a risk is safe beyond doubt: a band for each price that it depends on.

While all are inside, exact figures say that everything can be kept. What figures round and bands do not is
made up for by a few steps of what there is, which do not count for bands.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from emulator.core.contracts import Contract, Tier
from emulator.core.liquidation import NEVER, Band, Risk, Stake, Weights, liquidation_band, safe_bands
from emulator.core.numbers import ONE, ZERO
from emulator.core.positions import Leg, Position
from emulator.core.risk import Cover, Held
from emulator.core.state import State

ROUNDINGS = 2
"""Steps of the settle asset by which the exact figures of one position may differ from its band's."""


class Watched(NamedTuple):
    """The mark price of a contract, or its index price."""

    symbol: str
    is_index: bool = False


def bands(state: State, risk: Risk, cover: Cover, warning: Decimal, now_us: int) -> dict[Watched, Band]:
    """All bands of a risk. warning: by how much what must be kept is to be covered."""
    held = cover.held
    if risk.is_isolated:
        (only,) = held
        spared = 2 * ROUNDINGS * only.contract.settle_step
        band = liquidation_band(
            only.contract,
            [only.position],
            only.position.margin - spared,
            step=_step(only),
            weights=Weights(maintenance=warning),
            inward=True,
            mark=only.mark,
        )
        return {Watched(risk.instrument): band}
    stakes = _stakes(cover, warning)
    if risk.asset == "":
        backing = _backing(state, risk, cover, now_us)
        if backing is None:
            return dict.fromkeys(stakes, NEVER)
        stakes |= backing
    now = cover.standing()
    steps = [one.contract.settle_step * max(ONE, cover.rate(one.contract.settle).ask) for one in held]
    slack = now.equity - now.maintenance * warning - ROUNDINGS * sum(steps, steps[0])
    return dict(zip(stakes, safe_bands(list(stakes.values()), slack), strict=True))


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
            weights=Weights(profit=rate.bid, maintenance=rate.ask * warning, owed=rate.ask),
            step=_step(one),
        )
    return stakes


def _backing(state: State, risk: Risk, cover: Cover, now_us: int) -> dict[Watched, Stake] | None:
    """What assets that stand together with others gain or lose by their own index prices, as if they were
    positions that nothing has to be kept for. None where that is not all: something settles in such an asset,
    so that profit and index together make what there is."""
    stakes: dict[Watched, Stake] = {}
    for one in state.collateral[risk.wallet]:
        amount = cover.owned.get(one.asset, ZERO)
        if not one.index_of or not amount:
            continue
        if one.asset in cover.kept:
            return None
        marks = state.markets[one.index_of].marks
        assert marks is not None, "a pair has no index price"
        counted = amount * (ONE - one.bid_buffer if amount > ZERO else ONE + one.ask_buffer)
        index = marks.index_price(now_us)
        stakes[Watched(one.index_of, is_index=True)] = Stake(
            contract=_ITSELF,
            legs=(Position(leg=Leg.BOTH, quantity=counted, cost=abs(counted) * index),),
            mark=index,
            step=marks.step,
        )
    return stakes


_ITSELF = Contract(
    settle="",
    margin_asset="",
    tiers=(Tier(floor=ZERO, cap=Decimal("1E30"), leverage_max=ONE, maintenance_rate=ZERO),),
)
"""One unit of an asset, held."""


def _step(one: Held) -> Decimal:
    assert one.market.marks is not None
    return one.market.marks.step
