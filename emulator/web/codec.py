"""Bodies: JSON out through orjson, and nothing that JSON cannot say exactly.

Amounts are rendered to text by their dialect before they get here; a Decimal or a NaN that slips
through is an error of ours, not a rounding.
"""

from __future__ import annotations

from typing import Any

import orjson

JSON_TYPE = b"application/json;charset=UTF-8"

encode = orjson.dumps


def decode(body: bytes | str) -> Any:
    """The value that JSON text spells; ValueError when it is none."""
    return orjson.loads(body)
