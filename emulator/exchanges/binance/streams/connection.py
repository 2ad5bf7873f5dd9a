"""One connection to the market streams: its subscriptions, and what is said over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from time import perf_counter_ns
from typing import Final, Generic

from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.lifetime import Lifetime
from emulator.exchanges.binance.streams.address import (
    ALL_EVENTS,
    COMBINED_PATH,
    Address,
    parse_address,
)
from emulator.exchanges.binance.streams.control import (
    STREAMS_MAX,
    Fault,
    Method,
    Request,
    parse_names,
    parse_property,
    parse_request,
    render_answer,
    render_fault,
    too_many_parameters,
    too_many_streams,
)
from emulator.exchanges.binance.streams.offer import Offer, S
from emulator.exchanges.binance.streams.wire import combined
from emulator.exchanges.binance.user_data import AccountEvent
from emulator.exchanges.binance.user_data.listen_keys import EXPIRED
from emulator.web import contract
from emulator.web.codec import encode
from emulator.web.contract import Opening, SocketRow
from emulator.web.sockets import Socket
from emulator.web.streams.message import Message, Wrap

POOL: Final = "streams"

METHODS: Final = (
    contract.Method(Method.SUBSCRIBE.value, "Listen to further streams"),
    contract.Method(Method.UNSUBSCRIBE.value, "Listen to streams no longer"),
    contract.Method(Method.LIST_SUBSCRIPTIONS.value, "Which streams this connection listens to"),
    contract.Method(
        Method.SET_PROPERTY.value, "Whether payloads come with the name of their stream: `combined`"
    ),
    contract.Method(Method.GET_PROPERTY.value, "Whether they do"),
)
"""What may be asked for on such a socket, for the pages that list it."""

Unsubscribe = Callable[[], None]


class StreamSession(Generic[S]):
    """A `Session` of the socket it is given."""

    __slots__ = (
        "_divisor",
        "_door",
        "_lifetime",
        "_offer",
        "_opening",
        "_route",
        "_socket",
        "_subscriptions",
        "_wrap",
    )

    def __init__(self, opening: Opening, socket: Socket, door: Door, offer: Offer[S]) -> None:
        address = _parse(opening, offer)
        self._opening = opening
        self._socket = socket
        self._door = door
        self._offer = offer
        self._wrap: Wrap | None = combined if address.is_combined else None
        self._divisor = address.divisor
        self._route = address.route
        self._subscriptions: dict[str, Unsubscribe] = {}
        self._lifetime = Lifetime(socket, opening.sandbox, door, opening.source_ip, offer.heartbeat)
        opening.note("GET", opening.path, opening.query, b"", 101, None, 0, 0, None)
        for asked in address.keys:
            self._subscriptions[asked.key] = self._listen(asked.key, asked.events)
        self._subscribe(address.names)

    # What the socket says

    def received(self, message: bytes) -> None:
        if not self._lifetime.count():
            return
        began_ns = perf_counter_ns()
        request: Request | None = None
        code: int | None = None
        try:
            request = parse_request(message)
            answer = self._answer(request)
        except Fault as fault:
            code = fault.code
            answer = render_fault(fault if request is None else fault.of(request.id))
        name = "" if request is None else request.method.value
        self._socket.send_text(answer)
        duration_us = (perf_counter_ns() - began_ns) // 1000
        status = 200 if code is None else 400
        self._opening.note(name, self._opening.path, b"", message, status, code, duration_us, 0, None)

    def pinged(self) -> None:
        self._lifetime.count()

    def ponged(self, payload: bytes) -> None:
        if self._lifetime.count():
            self._lifetime.ponged(payload)

    def leaving(self) -> None:
        if self._offer.announces_shutdown:
            now_us = self._opening.sandbox.clock.now_us()
            event = encode({"e": "serverShutdown", "E": now_us // self._divisor})
            self._send("!serverShutdown", event)

    def ended(self) -> None:
        self._lifetime.end()
        for unsubscribe in self._subscriptions.values():
            unsubscribe()
        self._subscriptions.clear()

    # Requests

    def _answer(self, request: Request) -> bytes:
        """Raises Fault."""
        match request.method:
            case Method.SUBSCRIBE:
                names = parse_names(request)
                if len(self._subscriptions.keys() | set(names)) > STREAMS_MAX:
                    raise too_many_streams()
                self._subscribe(names)
            case Method.UNSUBSCRIBE:
                for name in parse_names(request):
                    self._subscriptions.pop(name, _nothing)()
            case Method.LIST_SUBSCRIPTIONS:
                if request.params:
                    raise too_many_parameters()
                return render_answer(request.id, list(self._subscriptions))
            case Method.SET_PROPERTY:
                value = parse_property(request)
                assert value is not None
                self._wrap = combined if value else None
            case Method.GET_PROPERTY:
                parse_property(request)
                return render_answer(request.id, self._wrap is not None)
        return render_answer(request.id)

    def _subscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._subscriptions:
                self._subscriptions[name] = self._begin(name)

    def _begin(self, name: str) -> Unsubscribe:
        stream = self._offer.parse(name)
        if stream is None:
            if "@" not in name:
                return self._listen(name, ALL_EVENTS)
        elif self._offer.serves(stream, self._route, self._door.eras):
            return self._offer.hubs.of(self._opening.sandbox).subscribe(stream, self._tell)
        # Quirk: a stream that does not exist, as one of a symbol in upper case, can be subscribed to and says
        # nothing (live hosts).
        return _nothing

    def _listen(self, key: str, events: frozenset[str]) -> Unsubscribe:
        """A key that nobody has, or has no longer, is silent."""
        offer, opening = self._offer, self._opening
        if offer.listen_keys is None or not offer.listens(self._door.eras):
            return _nothing
        home = opening.sandbox if opening.is_named else None
        tell = partial(self._tell_account, key, events)
        return offer.listen_keys.listen(key, tell, sandbox=home) or _nothing

    def _tell(self, message: Message) -> None:
        self._socket.send(message.frame(self._divisor, self._wrap))

    def _tell_account(self, key: str, events: frozenset[str], event: AccountEvent) -> None:
        # That a key is over is told whatever was asked for: nothing else would come any more.
        if not events or event.kind in events or event.kind == EXPIRED:
            self._send(key, event.encoded(self._divisor))

    def _send(self, stream: str, payload: bytes) -> None:
        self._socket.send_text(payload if self._wrap is None else self._wrap(stream, payload))


def _nothing() -> None:
    pass


def _parse(opening: Opening, offer: Offer[S]) -> Address:
    return parse_address(
        opening.path,
        opening.query,
        routes=offer.routes,
        takes_keys=offer.takes_keys,
        takes_time_unit=offer.takes_time_unit,
        plain_names=offer.plain_names,
    )


# Rows

PATHS: Final = (
    ("/ws", "Market streams by request, payloads alone"),
    ("/ws/*", "Market streams named by the path, `/ws/<stream>/<stream>`, payloads alone"),
    (
        COMBINED_PATH,
        "Market streams named by `streams=<stream>/<stream>`, each payload with its stream's name",
    ),
    (f"{COMBINED_PATH}/", "The same"),
)


def socket_rows(
    door: Door, offer: Offer[S], paths: Iterable[tuple[str, str]] = PATHS
) -> tuple[SocketRow, ...]:
    """paths: each with its summary."""

    def open_session(opening: Opening, socket: Socket) -> StreamSession[S]:
        return StreamSession(opening, socket, door, offer)

    def admit(opening: Opening) -> None:
        sandbox = opening.sandbox
        if door.counts_in(sandbox):
            door.quotas(sandbox).connect(opening.source_ip, sandbox.clock.now_us(), pool=POOL)
        _parse(opening, offer)

    return tuple(
        SocketRow(
            path=path,
            summary=summary,
            open=open_session,
            admit=admit,
            channels=offer.channels,
            methods=METHODS,
        )
        for path, summary in paths
    )
