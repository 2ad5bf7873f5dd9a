"""The public sockets: one for each category, that of maintenance, and one for topics of any sort.

The last is no path of the exchange's. Clients that know one address for everything are given it: it finds a
topic in whatever category has it, contracts first, and also takes what the private socket and that of
orders take.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from urllib.parse import parse_qsl

from emulator.exchanges.bybit.categories import CATEGORIES, INVERSE, LINEAR, SPOT, Category
from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.streams.authentication import METHOD, auth_any
from emulator.exchanges.bybit.streams.channels import (
    CONTRACT_CHANNELS,
    SPOT_CHANNELS,
    STATUS_CHANNELS,
)
from emulator.exchanges.bybit.streams.connection import Connection, socket_row
from emulator.exchanges.bybit.streams.frames import (
    CONTRACT_SHAPE,
    INVALID_SYMBOL,
    OPTION_SHAPE,
    SPOT_SHAPE,
)
from emulator.exchanges.bybit.streams.hub import HUBS
from emulator.exchanges.bybit.streams.offer import Begin, Find, Offer, Operate, Unsubscribe
from emulator.exchanges.bybit.streams.topics import parse_status, parse_topic
from emulator.web.contract import Channel, Method, SocketRow

SPOT_ARGS_MAX = 10
"""Topics in one request ("Public channel - Args limits")."""

ANY_PATH = "/v5/any"


def find_public(category: Category) -> Find:
    """Finds the public topics of a category."""

    def find(connection: Connection, name: str) -> Begin | None:
        sandbox = connection.sandbox
        topic = parse_topic(category, name, sandbox.clock.now_us())
        if topic is None:
            return None
        found = topic

        def begin() -> Unsubscribe:
            return HUBS[category.name].of(connection.sandbox).subscribe(found, connection.tell)

        return begin

    return find


def _find_status(connection: Connection, name: str) -> Begin | None:
    """There is no maintenance, so nothing is ever told of it."""
    return None if parse_status(name) is None else lambda: _nothing


def _find_any(connection: Connection, name: str) -> Begin | None:
    """category: in the address, says where to look first."""
    order = [LINEAR, INVERSE, SPOT]
    asked = dict(parse_qsl(connection.opening.query.decode("latin-1"))).get("category", "")
    if asked in CATEGORIES:
        order.sort(key=lambda category: category.name != asked)
    for category in order:
        begin = find_public(category)(connection, name)
        if begin is not None:
            return begin
    return _find_status(connection, name)


def _nothing() -> None:
    pass


def sockets(
    eras: Eras,
    *,
    find: Iterable[Find] = (),
    channels: Iterable[Channel] = (),
    repeated: Container[str] = (),
    operations: Mapping[str, Operate] | None = None,
    methods: Iterable[Method] = (),
) -> tuple[SocketRow, ...]:
    """find, channels, operations, methods: what the socket for everything has beside public topics. repeated:
    as of an `Offer`.
    """
    contracts = tuple(
        socket_row(
            f"/v5/public/{category.name}",
            Offer(shape=CONTRACT_SHAPE, find=(find_public(category),), eras=eras),
            summary=f"Public topics of {category.name} contracts",
            channels=CONTRACT_CHANNELS,
        )
        for category in (LINEAR, INVERSE)
    )
    empty = tuple(
        socket_row(
            f"/v5/public/{name}",
            Offer(shape=OPTION_SHAPE, find=(), one_by_one=True, eras=eras),
            summary=f"Public topics of {name}s, of which none is listed",
        )
        for name in ("option", "spread")
    )
    return (
        socket_row(
            "/v5/public/spot",
            Offer(
                shape=SPOT_SHAPE,
                find=(find_public(SPOT),),
                unknown=INVALID_SYMBOL,
                args_max=SPOT_ARGS_MAX,
                eras=eras,
            ),
            summary="Public topics of pairs",
            channels=SPOT_CHANNELS,
        ),
        *contracts,
        *empty,
        socket_row(
            "/v5/public/misc/status",
            Offer(shape=CONTRACT_SHAPE, find=(_find_status,), eras=eras),
            summary="Maintenance",
            channels=STATUS_CHANNELS,
        ),
        socket_row(
            ANY_PATH,
            Offer(
                shape=CONTRACT_SHAPE,
                find=(_find_any, *find),
                operations={"auth": auth_any, **(operations or {})},
                takes_age=True,
                repeated=repeated,
                eras=eras,
            ),
            summary="All of it, for clients that know one address",
            channels=(*CONTRACT_CHANNELS, *STATUS_CHANNELS, *channels),
            methods=(METHOD, *methods),
        ),
    )
