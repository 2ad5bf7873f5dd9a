"""How much is rolled: enough for every day, or a campaign with EMULATOR_TEST_LONG=1 in the environment.

EMULATOR_TEST_SEED=n rolls one seed again, which a failure has shown.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

IS_LONG = os.environ.get("EMULATOR_TEST_LONG") == "1"
SEED = os.environ.get("EMULATOR_TEST_SEED")


def seeds(first: int, everyday: int, *, campaign: int) -> list[Any]:
    """Test parameters: so many seeds from the first one, which everybody rolls, and one that nobody rolled
    before. The names of tests are the same in every process, whatever is drawn."""
    if SEED is not None:
        return [int(SEED)]
    fixed = range(first, first + (campaign if IS_LONG else everyday))
    return [*fixed, pytest.param(random.SystemRandom().getrandbits(32), id="fresh")]
