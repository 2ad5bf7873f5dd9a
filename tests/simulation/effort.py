"""How much is simulated, from which seeds, and with which settings of the emulator.

EMULATOR_TEST_LONG=1 makes a campaign of many seeds and minutes of it; EMULATOR_TEST_SEED=n runs one seed
again, which a failure has printed.
"""

from __future__ import annotations

import os
import random
from collections.abc import Collection, Mapping
from typing import Any

import pytest

IS_LONG = os.environ.get("EMULATOR_TEST_LONG") == "1"
SEED = os.environ.get("EMULATOR_TEST_SEED")

FACTOR = 4 if IS_LONG else 1
"""How many times longer a run is."""

FRUGAL: Mapping[str, str] = {"EMULATOR_RETENTION": "50", "EMULATOR_SNAPSHOT_EVERY": "300"}
"""Settings with which little is kept in memory: history is then answered from what was put away."""


PACE = 1.0 if IS_LONG else 0.4
"""Which part of what the first exchange does others do every day: what they have in common is tried by it."""


def runs(exchanges: Collection[str], *fixed: int) -> list[Any]:
    """Test parameters, exchange and seed: one that nobody ran before; in a campaign more of them, beside
    those that every campaign runs. The names of tests are the same in every process, whatever is drawn."""
    if SEED is not None:
        return [(exchange, int(SEED)) for exchange in exchanges]
    dice = random.SystemRandom()
    drawn: list[Any] = []
    for exchange in exchanges:
        drawn += [(exchange, seed) for seed in (fixed if IS_LONG else ())]
        for fresh in range(6 if IS_LONG else 1):
            drawn.append(pytest.param(exchange, dice.getrandbits(32), id=f"{exchange}-fresh{fresh}"))
    return drawn
