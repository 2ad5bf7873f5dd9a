"""The one engine behind the site, as it is at the moment."""

from __future__ import annotations

from typing import Final

from emulator.core.engine import Engine
from emulator.runtime.sandbox import Sandbox

ENGINE: Final = "bybit"

UNIFIED: Final = "unified"
"""The wallet in which pairs and contracts are traded: `UNIFIED` on the wire."""
FUND: Final = "fund"
"""The funding wallet, which nothing is traded from: `FUND` on the wire."""


def engine_of(sandbox: Sandbox) -> Engine:
    """To be asked for again at each use, since one that failed is replaced.

    Raises EngineUnavailable while it is being rebuilt.
    """
    return sandbox.engines[ENGINE]
