"""The folded state of one engine; see `emulator.core.state.state`."""

from __future__ import annotations

from emulator.core.state.contracts import ChargedPlace, market_of, mode_under
from emulator.core.state.holds import dormant_price, dormant_requirement, requirement
from emulator.core.state.records import Account, Choice, Counts, PositionKey
from emulator.core.state.state import State

__all__ = [
    "Account",
    "ChargedPlace",
    "Choice",
    "Counts",
    "PositionKey",
    "State",
    "dormant_price",
    "dormant_requirement",
    "market_of",
    "mode_under",
    "requirement",
]
