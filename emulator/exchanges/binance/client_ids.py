"""Names that the exchange gives to what its clients did not name."""

from __future__ import annotations

from os import urandom


def new_client_id() -> str:
    """22 letters and digits."""
    return urandom(11).hex()
