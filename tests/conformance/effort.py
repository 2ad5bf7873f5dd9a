"""How much is tried: enough for every day, or a campaign with EMULATOR_TEST_LONG=1 in the environment."""

from __future__ import annotations

import os

IS_LONG = os.environ.get("EMULATOR_TEST_LONG") == "1"
EXAMPLES_FACTOR = 30 if IS_LONG else 1
