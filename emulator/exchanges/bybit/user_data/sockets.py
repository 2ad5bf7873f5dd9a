"""The socket of private topics, `/v5/private`, and what of it the socket for everything has as well."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from emulator.core.ids import AccountId
from emulator.exchanges.bybit.account.protection import came, went
from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.streams.authentication import METHOD, PARAMETER, TEXTS, auth_private
from emulator.exchanges.bybit.streams.connection import Connection, socket_row
from emulator.exchanges.bybit.streams.frames import PRIVATE_SHAPE, Frame, Refused
from emulator.exchanges.bybit.streams.offer import Begin, Offer, Operate, Unsubscribe
from emulator.exchanges.bybit.user_data.hub import HUBS
from emulator.exchanges.bybit.user_data.topics import CHANNELS, TOPICS, Topic, TopicKind, is_mixed
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import SocketRow

PATH: Final = "/v5/private"

UNAUTHORIZED: Final = "Request not authorized"
"""Said of a topic of an account to somebody who did not say whose it is (live hosts)."""


def find_private(connection: Connection, name: str) -> Begin | None:
    """Finds the topics of the account whose connection it is."""
    topic = TOPICS.get(name)
    if topic is None:
        return None
    if connection.key is None:
        raise Refused(UNAUTHORIZED)
    return partial(_begin, connection, connection.sandbox, connection.key.account, topic)


def _begin(connection: Connection, sandbox: Sandbox, account: AccountId, topic: Topic) -> Unsubscribe:
    if topic.kind is TopicKind.GREEKS:
        return _nothing
    if topic.kind is TopicKind.PROTECTION:
        came(sandbox, account, topic.name)
        return partial(went, sandbox, account, topic.name)
    return HUBS.of(sandbox).listen(account, topic, connection.tell)


def _nothing() -> None:
    pass


def subscribe(connection: Connection, frame: Frame) -> None:
    """As on any socket, but that one request may not name a topic both with and without a category."""
    if is_mixed(frame.args):
        # Documented as impossible, without words for it ("Order"): those for arguments are taken.
        text = TEXTS[PARAMETER]
        connection.send(connection.offer.shape.topics(frame, connection.id, done=(), failed=(), text=text))
        return
    connection.subscribe(frame)


OPERATIONS: Final[Mapping[str, Operate]] = {"subscribe": subscribe}
"""Of every socket that has private topics."""


def private_socket(eras: Eras) -> SocketRow:
    return socket_row(
        PATH,
        Offer(
            shape=PRIVATE_SHAPE,
            find=(find_private,),
            operations={**OPERATIONS, "auth": auth_private},
            takes_age=True,
            # Quirk: a private topic may be subscribed to again, a public one may not (ccxt subscribes to
            # `order` once for each symbol that it watches).
            repeated=TOPICS,
            eras=eras,
        ),
        summary="Private topics",
        channels=CHANNELS,
        methods=(METHOD,),
    )
