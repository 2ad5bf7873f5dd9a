"""What a product offers on the sockets of its market streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.lifetime import Heartbeat
from emulator.exchanges.binance.user_data.listen_keys import ListenKeyRing
from emulator.runtime.per_sandbox import PerSandbox
from emulator.web.contract import Channel
from emulator.web.streams.hub import Hub
from emulator.web.streams.source import Stream

S = TypeVar("S", bound=Stream)


def _always(eras: Eras) -> bool:
    return True


class Offer(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """parse: the stream that a name names, or None. serves: whether it speaks on a route, "" being none,
    in these times; what does not may be subscribed to all the same.

    listen_keys: whose events may be subscribed to by the key's name, as long as `listens` says so; None
    where there are none.
    routes: first parts of paths, before `/ws` and `/stream`. plain_names: streams whose names have no `@` in
    them, which in a path would be taken for numbers of connections otherwise. takes_keys: whether
    `listenKey` and `events` in a query subscribe. takes_time_unit: whether `timeUnit` in a query says in
    which unit times are told. announces_shutdown: whether who is connected hears that the server is about
    to stop.
    """

    hubs: PerSandbox[Hub[S]]
    parse: Callable[[str], S | None]
    serves: Callable[[S, str, Eras], bool]
    channels: tuple[Channel, ...]
    heartbeat: Heartbeat
    listen_keys: ListenKeyRing | None = None
    listens: Callable[[Eras], bool] = _always
    routes: tuple[str, ...] = ()
    plain_names: frozenset[str] = frozenset()
    takes_keys: bool = False
    takes_time_unit: bool = False
    announces_shutdown: bool = False
