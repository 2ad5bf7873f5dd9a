"""Positions: what they are, and what their owner chooses about them (docs/v5/position)."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.bybit.position import closed, margins, positions, settings, stops
from emulator.web.contract import Rows

MODULES: Final[tuple[Rows, ...]] = (
    positions.rows,
    settings.rows,
    stops.rows,
    margins.rows,
    closed.rows,
)
