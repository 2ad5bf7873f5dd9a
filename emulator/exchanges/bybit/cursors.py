"""Where the next page of a list begins, as an opaque text: the parts of a key, percent-encoded.

The last page gives "", which is what clients loop until.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote

LAST_PAGE: Final = ""

_SEPARATOR: Final = ":"
_DECODED_MAX: Final = 3


def cursor_text(*parts: int | str) -> str:
    """A cursor that `read_cursor` gives back as these parts, as texts without a colon."""
    return quote(_SEPARATOR.join(str(part) for part in parts), safe="")


def read_cursor(text: str, parts: int) -> tuple[str, ...] | None:
    """The parts of a cursor; None if it is none of so many.

    A client may have encoded again what came encoded, or have decoded it.
    """
    for _ in range(_DECODED_MAX):
        if "%" not in text:
            break
        text = unquote(text)
    found = tuple(text.split(_SEPARATOR))
    return found if len(found) == parts and all(found) else None
