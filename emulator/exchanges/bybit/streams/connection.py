"""One connection, whatever its socket is for: requests to subscribe, pings, and what the socket adds to them.

Every request is read once, its operation is looked up in one table, and it is answered in the shape of the
socket. Nothing is said that was not asked for: no greeting, no heartbeat, no goodbye, since clients fail at
frames that they do not know.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter_ns
from typing import Final

from emulator.exchanges.bybit.door import Door
from emulator.exchanges.bybit.streams.distance import Distance
from emulator.exchanges.bybit.streams.frames import (
    ALREADY,
    INVALID_OP,
    TOO_LONG,
    TOO_MANY_ARGS,
    WORD_MAX,
    Frame,
    Malformed,
    Refused,
    parse_frame,
)
from emulator.exchanges.bybit.streams.lifetime import AGE_DEFAULT_US, Lifetime, parse_age
from emulator.exchanges.bybit.streams.offer import Begin, Offer, Operate, Unsubscribe
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Channel, Method, Opening, SocketRow
from emulator.web.sockets import Socket, encode_text
from emulator.web.streams.message import Message

CHARACTERS_MAX: Final = 21_000
"""Of all topics of one connection together ("Public channel - Args limits")."""

IN_FLIGHT_MAX: Final = 256
"""Requests of one connection that wait for the journal."""

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuv"

MILLISECOND_US: Final = 1000


class Connection:
    """A `Session` of the socket it is given.

    id: as answers name it. sandbox: the one of the address, until somebody who authenticates has a key of
    another one. key: whose it is then. topics: what is subscribed to, by name. names: of its requests, where
    none may be given twice.
    """

    __slots__ = (
        "_at_end",
        "_characters",
        "_distance",
        "_in_flight",
        "_is_paused",
        "_lifetime",
        "_socket",
        "id",
        "key",
        "names",
        "offer",
        "opening",
        "sandbox",
        "topics",
    )

    def __init__(self, opening: Opening, socket: Socket, offer: Offer) -> None:
        self.id = _new_id()
        self.opening = opening
        self.offer = offer
        self.sandbox: Sandbox = opening.sandbox
        self.key: KeyRecord | None = None
        self.topics: dict[str, Unsubscribe] = {}
        self.names: dict[str, None] = {}
        self._characters = 0
        self._in_flight = 0
        self._is_paused = False
        self._at_end: list[Callable[[], None]] = []
        self._socket = socket
        # Quirk: nothing is said sooner than from the real exchange (pybit asks first, and listens then).
        self._distance = Distance(socket, asyncio.get_running_loop())
        age_us = parse_age(opening.query) if offer.takes_age else AGE_DEFAULT_US
        self._lifetime = Lifetime(socket, opening.sandbox, age_us)
        self.door.quotas(opening.sandbox).opened(opening.source_ip, opening.row.path)
        opening.note("GET", opening.path, opening.query, b"", 101, None, 0, 0, None)

    # For operations and topics

    @property
    def door(self) -> Door:
        door = self.opening.site.dialect
        assert isinstance(door, Door)
        return door

    @property
    def is_open(self) -> bool:
        return self._socket.is_open

    def send(self, payload: bytes) -> None:
        """Send a text."""
        self._lifetime.is_active = True
        self._distance.send(encode_text(payload))

    def tell(self, message: Message) -> None:
        """Send what a stream says."""
        self._lifetime.is_active = True
        self._distance.send(message.frame(MILLISECOND_US))

    def at_end(self, call: Callable[[], None]) -> None:
        """Call back once when the connection is over, whoever ended it."""
        self._at_end.append(call)

    def close(self, code: int, reason: str) -> None:
        self._distance.arrive()
        self._socket.close(code, reason)

    def hold(self) -> None:
        """A request is under way that will be answered later: while many are, no further one is read."""
        self._in_flight += 1
        if self._in_flight >= IN_FLIGHT_MAX and not self._is_paused:
            self._is_paused = True
            self._socket.pause()

    def release(self) -> None:
        """It is answered."""
        self._in_flight -= 1
        if self._is_paused and self._in_flight <= IN_FLIGHT_MAX // 2:
            self._is_paused = False
            self._socket.resume()

    def drop(self, name: str) -> None:
        """End one topic, if it is subscribed to."""
        unsubscribe = self.topics.pop(name, None)
        if unsubscribe is not None:
            self._characters -= len(name)
            unsubscribe()

    # What the socket says

    def received(self, message: bytes) -> None:
        if not self._socket.is_open:
            return
        began_ns = perf_counter_ns()
        self._lifetime.is_active = True
        self._distance.asked()
        word, why = "", None
        try:
            frame = parse_frame(message)
        except Malformed as malformed:
            why = str(malformed)
            self.send(self.offer.shape.refusal(None, self.id, why))
        else:
            word = frame.op[:WORD_MAX]
            operate = self.offer.operations.get(frame.op) or OPERATIONS.get(frame.op, _refuse)
            try:
                operate(self, frame)
            except Refused as refused:
                why = str(refused)
                self.send(self.offer.shape.refusal(frame, self.id, why))
        duration_us = (perf_counter_ns() - began_ns) // 1000
        key = self.key
        self.opening.note(
            word,
            self.opening.path,
            b"",
            message,
            200 if why is None else 400,
            why,
            duration_us,
            0 if key is None else key.account,
            None if key is None else key.key.encode(),
        )

    def pinged(self) -> None:
        self._lifetime.is_active = True

    def ponged(self, payload: bytes) -> None:
        self._lifetime.is_active = True

    def leaving(self) -> None:
        return

    def ended(self) -> None:
        self._lifetime.end()
        self._distance.end()
        opening = self.opening
        self.door.quotas(opening.sandbox).closed(opening.source_ip, opening.row.path)
        for unsubscribe in self.topics.values():
            unsubscribe()
        self.topics.clear()
        at_end, self._at_end = self._at_end, []
        for call in at_end:
            call()

    # Topics

    def subscribe(self, frame: Frame) -> None:
        """Begin what a frame names, all of it or, but for sockets that grant topics one by one, nothing."""
        names = _names(frame)
        offer = self.offer
        found: dict[str, Begin] = {}
        failed: list[str] = []
        text: str | None = None
        if offer.args_max is not None and len(names) > offer.args_max:
            text = TOO_MANY_ARGS.format(offer.args_max)
        elif self._characters + sum(map(len, names)) > CHARACTERS_MAX:
            text = TOO_LONG.format(CHARACTERS_MAX)
        for name in names if text is None else ():
            try:
                found[name] = self._find(name)
            except Refused as refused:
                failed.append(name)
                # Quirk: one topic that is refused refuses all of its request, and only the first such one is
                # named (live hosts).
                if not offer.one_by_one:
                    found.clear()
                    text = str(refused)
                    break
        self.send(offer.shape.topics(frame, self.id, done=list(found), failed=failed, text=text))
        for name, begin in found.items():
            if name not in self.topics:
                self.topics[name] = begin()
                self._characters += len(name)

    def unsubscribe(self, frame: Frame) -> None:
        """End what a frame names; what was not subscribed to is passed over."""
        names = _names(frame)
        for name in names:
            self.drop(name)
        self.send(self.offer.shape.topics(frame, self.id, done=list(names), failed=(), text=None))

    def _find(self, name: str) -> Begin:
        """Raises Refused."""
        if name in self.topics:
            offer = self.offer
            if name not in offer.repeated and offer.eras.bybit_repeated_topics == "refuse":
                raise Refused(ALREADY.format(name))
            return _nothing
        for find in self.offer.find:
            begin = find(self, name)
            if begin is not None:
                return begin
        raise Refused(self.offer.unknown.format(name))


def _names(frame: Frame) -> tuple[str, ...]:
    """What is no text names no topic; it is looked for, and refused, as it is written."""
    return tuple(dict.fromkeys(name if isinstance(name, str) else str(name) for name in frame.args))


def _nothing() -> Unsubscribe:
    return lambda: None


def _ping(connection: Connection, frame: Frame) -> None:
    now_us = connection.sandbox.clock.now_us()
    connection.send(connection.offer.shape.pong(frame, connection.id, now_us))


def _refuse(connection: Connection, frame: Frame) -> None:
    raise Refused(INVALID_OP)


OPERATIONS: Final[Mapping[str, Operate]] = {
    "subscribe": Connection.subscribe,
    "unsubscribe": Connection.unsubscribe,
    "ping": _ping,
}

METHODS: Final = (
    Method("subscribe", "Listen to further topics"),
    Method("unsubscribe", "Listen to topics no longer"),
    Method("ping", "Say that one is there"),
)
"""What may be asked for on every socket, for the pages that list it."""


def _new_id() -> str:
    """Twenty letters, and some more behind a dash."""
    letters = [secrets.choice(_ALPHABET) for _ in range(25)]
    return f"{''.join(letters[:20])}-{''.join(letters[20:])}"


def socket_row(
    path: str,
    offer: Offer,
    *,
    summary: str,
    channels: Iterable[Channel] = (),
    methods: Iterable[Method] = (),
) -> SocketRow:
    """A path at which a socket of an offer is opened. methods: beside those that every socket has."""

    def open_session(opening: Opening, socket: Socket) -> Connection:
        return Connection(opening, socket, offer)

    return SocketRow(
        path=path,
        summary=summary,
        open=open_session,
        admit=admit,
        channels=tuple(channels),
        methods=(*METHODS, *methods),
    )


def admit(opening: Opening) -> None:
    """Raises a Refusal for an address that opened too many connections, or has too many of a market."""
    door, sandbox = opening.site.dialect, opening.sandbox
    assert isinstance(door, Door)
    if door.counts_in(sandbox):
        door.quotas(sandbox).connect(opening.source_ip, opening.row.path, sandbox.clock.now_us())
