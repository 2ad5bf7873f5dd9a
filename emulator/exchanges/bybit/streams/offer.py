"""What a socket offers: the shape of its answers, the topics that it knows, and further operations."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING

import msgspec

from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.streams.frames import NOT_FOUND, Frame, Shape

if TYPE_CHECKING:
    from emulator.exchanges.bybit.streams.connection import Connection

Unsubscribe = Callable[[], None]

Begin = Callable[[], Unsubscribe]
"""Begins what a topic names, after the request was answered; returns what ends it."""

Find = Callable[["Connection", str], Begin | None]
"""What begins a topic, or None for one that is not known. Raises Refused for one that is not granted."""

Operate = Callable[["Connection", Frame], None]
"""Does what a frame asks for, and answers it with `Connection.send`, now or later."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """find: which topics there are; the first that knows one begins it. operations: by their word, beside
    `subscribe`, `unsubscribe` and `ping`, which every socket has unless one of these replaces it.

    unknown: what is said of a topic that nobody knows. args_max: topics in one request, None where it does
    not matter. one_by_one: whether topics are granted each for itself; else one that is refused refuses the
    whole request. takes_age: whether `max_active_time` in the address says after which time without any
    traffic the connection is cut. repeated: topics that may be subscribed to again, which changes nothing.
    """

    shape: Shape
    find: tuple[Find, ...]
    operations: Mapping[str, Operate] = {}
    unknown: str = NOT_FOUND
    args_max: int | None = None
    one_by_one: bool = False
    takes_age: bool = False
    repeated: Container[str] = ()
    eras: Eras
