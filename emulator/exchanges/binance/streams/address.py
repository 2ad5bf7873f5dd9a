"""What the address of a connection to the market streams asks for.

The path picks the shape of the frames: `/stream` sends each payload with the name of its stream around it,
every other path the payload alone; a client may change that (web-socket-streams.md, "Setting Properties").
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple
from urllib.parse import unquote

from emulator.exchanges.binance.door import time_divisor
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.streams.control import STREAMS_MAX, is_well_formed

COMBINED_PATH: Final = "/stream"
_KEY_MIN: Final = 20
"""Letters of a path's segment that may be a listen key; a shorter one numbers a connection."""

ALL_EVENTS: Final[frozenset[str]] = frozenset()


class KeyAsked(NamedTuple):
    """A listen key in a query. events: which of its events are told; ALL_EVENTS where it does not say."""

    key: str
    events: frozenset[str]


class Address(NamedTuple):
    """names: of streams, and of listen keys in their place. divisor: microseconds in one unit of the times
    that are sent. route: the first part of the path, without slashes, or "".
    """

    names: tuple[str, ...]
    is_combined: bool
    divisor: int = 1000
    route: str = ""
    keys: tuple[KeyAsked, ...] = ()


def parse_address(
    path: str,
    query: bytes,
    *,
    routes: tuple[str, ...] = (),
    takes_keys: bool = False,
    takes_time_unit: bool = True,
    plain_names: Collection[str] = (),
) -> Address:
    """plain_names: of streams that a short name without an `@` names. For the rest see `offer.Offer`.

    Raises Refusal for a unit of time that there is not, and for too many streams.
    """
    route, path = _split_route(path, routes)
    divisor = 1000
    listed = ""
    keys: dict[str, frozenset[str]] = {}
    key = ""
    for pair in query.decode("latin-1").split("&"):
        name, _, text = pair.partition("=")
        if name == "timeUnit" and takes_time_unit:
            divisor = time_divisor(text.encode("latin-1"))
        elif name == "streams":
            listed += "/" + unquote(text)
        elif name == "listenKey" and takes_keys:
            key = unquote(text)
            if is_well_formed(key):
                keys[key] = ALL_EVENTS
        elif name == "events" and key in keys:
            # Of several keys each has its events after it.
            keys[key] |= {event for event in unquote(text).split("/") if event}
    is_combined = path.rstrip("/") == COMBINED_PATH
    if not is_combined:
        _, _, listed = path.partition("/ws")
    # Quirk: what names no stream is passed over, so that clients may number their connections: `/ws/0`
    # (ccxt.pro).
    names = tuple(
        dict.fromkeys(name for name in listed.split("/") if name in plain_names or _names_a_stream(name))
    )
    if len(names) + len(keys) > STREAMS_MAX:
        raise refuse(-1101, STREAMS_MAX, len(names) + len(keys))
    return Address(names, is_combined, divisor, route, tuple(KeyAsked(*asked) for asked in keys.items()))


def _split_route(path: str, routes: tuple[str, ...]) -> tuple[str, str]:
    first, _, rest = path[1:].partition("/")
    return (first, f"/{rest}") if first in routes else ("", path)


def _names_a_stream(segment: str) -> bool:
    return ("@" in segment or len(segment) >= _KEY_MIN) and is_well_formed(segment)
