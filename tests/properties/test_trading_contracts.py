"""An engine survives everything that is done with contracts, again from its journal or a snapshot too."""

from __future__ import annotations

from random import Random

import pytest

from tests.properties.futures_universe import FuturesUniverse, act
from tests.properties.test_everything import OnScript, OnSynthetic
from tests.properties.test_snapshot import Restoring


class Scripted(FuturesUniverse, OnScript):
    pass


class Synthetic(FuturesUniverse, OnSynthetic):
    pass


class ScriptedRestoring(FuturesUniverse, Restoring, OnScript):
    pass


@pytest.mark.parametrize("market", [Scripted, Synthetic])
@pytest.mark.parametrize("seed", range(16))
def test_replayed(market: type[FuturesUniverse], seed: int) -> None:
    dice = Random(seed)
    universe = market()
    universe.begin({1} if seed % 2 else set(), dice.randint(1, 40))
    for _ in range(100):
        act(universe, dice)
        universe.is_sound()
    universe.end()


@pytest.mark.parametrize("seed", range(100, 108))
def test_restored(seed: int) -> None:
    dice = Random(seed)
    universe = ScriptedRestoring()
    universe.begin(set(), dice.randint(1, 40))
    for step in range(100):
        act(universe, dice)
        universe.is_sound()
        if step % 6 == 5:
            universe.restart()
    universe.end()
