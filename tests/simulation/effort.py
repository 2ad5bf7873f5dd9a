"""How much is simulated, from which seeds, and with which settings of the emulator.

EMULATOR_TEST_LONG=1 makes a campaign of many seeds and minutes of it; EMULATOR_TEST_SEED=n runs one seed
again, which a failure has printed.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from typing import Any

import pytest

IS_LONG = os.environ.get("EMULATOR_TEST_LONG") == "1"
SEED = os.environ.get("EMULATOR_TEST_SEED")

FACTOR = 4 if IS_LONG else 1
"""How many times longer a run is."""

FRUGAL: Mapping[str, str] = {"EMULATOR_RETENTION": "50", "EMULATOR_SNAPSHOT_EVERY": "300"}
"""Settings with which little is kept in memory: history is then answered from what was put away."""


def seeds(*fixed: int) -> list[Any]:
    """Test parameters: the seeds that everybody runs, and one that nobody ran before; many more in a
    campaign. The names of tests are the same in every process, whatever is drawn."""
    if SEED is not None:
        return [int(SEED)]
    dice = random.SystemRandom()
    fresh = range(6 if IS_LONG else 1)
    return [*fixed, *(pytest.param(dice.getrandbits(32), id=f"fresh{number}") for number in fresh)]
