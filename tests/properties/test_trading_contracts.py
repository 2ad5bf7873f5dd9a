"""An engine survives everything that is done with contracts, again from its journal or a snapshot too."""

from __future__ import annotations

from random import Random

import pytest

from emulator.core.positions import MarginMode
from emulator.core.rules import LeverageScope
from tests.properties.futures_universe import CONTRACTS, FuturesUniverse, act
from tests.properties.test_everything import OnScript, OnSynthetic
from tests.properties.test_snapshot import Restoring
from tests.properties.universe import ACCOUNTS


class Scripted(FuturesUniverse, OnScript):
    pass


class Synthetic(FuturesUniverse, OnSynthetic):
    pass


class ScriptedRestoring(FuturesUniverse, Restoring, OnScript):
    pass


class ByLeg(FuturesUniverse, OnScript):
    """Isolated legs have leverages of their own, and margin follows them."""

    scope = LeverageScope.ISOLATED_LEG
    refits = True

    def begin(self, discounted: set[int], funds: int) -> None:
        super().begin(discounted, funds)
        isolate(self, hedged=True)


class ByOrder(FuturesUniverse, OnScript):
    """Orders under isolated margin bring leverages of their own."""

    scope = LeverageScope.ISOLATED_ORDER

    def begin(self, discounted: set[int], funds: int) -> None:
        super().begin(discounted, funds)
        isolate(self, hedged=bool(funds % 2))


def isolate(universe: FuturesUniverse, *, hedged: bool) -> None:
    """As every account's choice, to begin with."""
    for account in ACCOUNTS:
        for symbol in CONTRACTS:
            universe.set_margin_mode(account, symbol, MarginMode.ISOLATED)
            universe.set_position_mode(account, universe.wallet_of(symbol), hedged=hedged)


class ByLegRestoring(ByLeg, Restoring):
    pass


class ByOrderRestoring(ByOrder, Restoring):
    pass


@pytest.mark.parametrize("market", [Scripted, Synthetic, ByLeg, ByOrder])
@pytest.mark.parametrize("seed", range(16))
def test_replayed(market: type[FuturesUniverse], seed: int) -> None:
    dice = Random(seed)
    universe = market()
    universe.begin({1} if seed % 2 else set(), dice.randint(1, 40))
    for _ in range(100):
        act(universe, dice)
        universe.is_sound()
    universe.end()


@pytest.mark.parametrize(
    ("market", "seeds"),
    [(ScriptedRestoring, range(100, 108)), (ByLegRestoring, range(4)), (ByOrderRestoring, range(4))],
)
def test_restored(market: type[ScriptedRestoring | ByLegRestoring | ByOrderRestoring], seeds: range) -> None:
    for seed in seeds:
        restore_often(market(), Random(seed))


def restore_often(universe: ScriptedRestoring | ByLegRestoring | ByOrderRestoring, dice: Random) -> None:
    universe.begin(set(), dice.randint(1, 40))
    for step in range(100):
        act(universe, dice)
        universe.is_sound()
        if step % 6 == 5:
            universe.restart()
    universe.end()
