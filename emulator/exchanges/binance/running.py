"""The one engine behind all sites, as it is at the moment."""

from __future__ import annotations

from typing import Final

from emulator.core.engine import Engine
from emulator.runtime.sandbox import Sandbox

ENGINE: Final = "binance"


def engine_of(sandbox: Sandbox) -> Engine:
    """To be asked for again at each use, since one that failed is replaced.

    Raises EngineUnavailable while it is being rebuilt.
    """
    return sandbox.engines[ENGINE]
