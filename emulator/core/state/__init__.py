"""The folded state of one engine (`state.State`); what folds which event is listed in `folds`."""

from __future__ import annotations

from emulator.core.state.choices import mode_under
from emulator.core.state.holds import dormant_price, dormant_requirement, requirement
from emulator.core.state.markets import market_of
from emulator.core.state.open_orders import rebook
from emulator.core.state.positions import index_position
from emulator.core.state.records import Account, ChargedPlace, Choice, Counts, PositionKey
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
    "index_position",
    "market_of",
    "mode_under",
    "rebook",
    "requirement",
]
