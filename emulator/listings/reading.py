"""Files of figures are read here, and whatever is wrong with one is said by the name of its row.

Every decimal is a string in such a file, so nothing passes through a float.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from emulator.core.numbers import parse_plain

T = TypeVar("T")


class ListingError(ValueError):
    """A file contradicts itself or the rules of the core; its text names the row."""


class DefaultedRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file whose rows win over its `defaults`."""

    defaults: dict[str, Any]
    listings: list[dict[str, Any]]

    def rows(self) -> Iterator[dict[str, Any]]:
        for row in self.listings:
            yield {**self.defaults, **row}


def decode(document: bytes, shape: type[T]) -> T:
    """The document in its shape. Raises ListingError."""
    try:
        return msgspec.json.decode(document, type=shape)
    except msgspec.DecodeError as error:
        raise ListingError(str(error)) from error


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Says of which row a complaint is."""
    try:
        yield
    except (msgspec.ValidationError, ListingError) as error:
        raise ListingError(f"{name}: {error}") from error


@lru_cache(4096)
def figure(text: str) -> Decimal | None:
    """`parse_plain`, once for each text: most figures are there hundreds of times, and read at each start."""
    return parse_plain(text)


def number(text: str, name: str) -> Decimal:
    """The decimal that a figure is; Decimal itself would accept `NaN`, `1_000` and `1E+9`."""
    found = figure(text)
    if found is None:
        raise ListingError(f"{name} is not a plain decimal: {text!r}")
    return found


def moment_us(text: str, name: str) -> int:
    """A time with its zone, in microseconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ListingError(f"{name}: {error}") from error
    if moment.tzinfo is None:
        raise ListingError(f"{name} says no time zone: {text!r}")
    return int(moment.timestamp()) * 1_000_000


def places(step: str) -> int:
    """How many digits after its point a figure has, as it is written."""
    return len(step.partition(".")[2])
