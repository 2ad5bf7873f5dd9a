"""Names that the exchange gives to what its clients did not name."""

from __future__ import annotations

from os import urandom
from typing import Final

MADE_AT_ONCE: Final = 256
"""Asking the system for chance takes longer than anything else about a name."""


def new_client_id() -> str:
    """22 letters and digits."""
    if not _unused:
        text = urandom(11 * MADE_AT_ONCE).hex()
        _unused.extend(text[start : start + 22] for start in range(0, len(text), 22))
    return _unused.pop()


_unused: list[str] = []
