"""An engine survives every sequence of commands: on a scripted market, and on the synthetic one."""

from __future__ import annotations

import random

import pytest
from hypothesis import settings

from emulator.core.markets import Feed
from emulator.feeds.synthetic import SyntheticFeed
from tests.core.scripted import Moment, ScriptedFeed
from tests.core.world import MINUTE, SECOND, START
from tests.properties.dice import roll
from tests.properties.effort import seeds
from tests.properties.machine import Machine
from tests.properties.universe import Universe


class OnScript(Universe):
    """Prices near 100 that move by a step or two every few seconds, over a shallow book."""

    def make_feed(self) -> Feed:
        dice = random.Random(5)
        price, time_us = 200, START - 6 * MINUTE
        script: list[Moment] = []
        while time_us < START + 60 * MINUTE:
            price = max(150, min(250, price + dice.choice([-2, -1, -1, 0, 1, 1, 2])))
            script.append((time_us, str(price / 2), str(dice.randint(1, 9) / 10)))
            time_us += dice.randint(1, 9 * SECOND)
        return ScriptedFeed(
            *script,
            alternating=True,
            spread="0.5",
            between="0.5",
            quantity="2",
            depth=6,
            period_us=3 * SECOND,
        )


class OnSynthetic(Universe):
    """The market that ships, on the same coarse steps."""

    def make_feed(self) -> Feed:
        return SyntheticFeed(seed=11)


@pytest.mark.parametrize("market", [OnScript, OnSynthetic])
@pytest.mark.parametrize("seed", seeds(0, 10, campaign=100))
def test_seeded(market: type[Universe], seed: int) -> None:
    roll(market(), seed, steps=100)


class ScriptedMachine(Machine, OnScript):
    pass


class SyntheticMachine(Machine, OnSynthetic):
    pass


MANY = settings(max_examples=60, stateful_step_count=30, deadline=None)

TestOnScript = ScriptedMachine.TestCase
TestOnScript.settings = MANY
TestOnSynthetic = SyntheticMachine.TestCase
TestOnSynthetic.settings = MANY
