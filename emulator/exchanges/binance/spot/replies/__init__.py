"""Answers about orders and order lists, built from the core's records and from what a command caused.

Nothing here changes or decides anything.
"""

from __future__ import annotations

from emulator.exchanges.binance.spot.replies.changes import (
    answer_amended_order,
    answer_amendment,
    answer_cancels,
)
from emulator.exchanges.binance.spot.replies.conditionals import NO_LIST_ID
from emulator.exchanges.binance.spot.replies.placements import (
    RESULT,
    answer_commissions,
    answer_order,
    answer_placed_list,
    default_response,
)
from emulator.exchanges.binance.spot.replies.states import (
    answer_list,
    answer_list_status,
    answer_prevented_match,
    answer_state,
)

__all__ = [
    "NO_LIST_ID",
    "RESULT",
    "answer_amended_order",
    "answer_amendment",
    "answer_cancels",
    "answer_commissions",
    "answer_list",
    "answer_list_status",
    "answer_order",
    "answer_placed_list",
    "answer_prevented_match",
    "answer_state",
    "default_response",
]
