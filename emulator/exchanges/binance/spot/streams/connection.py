"""One connection to the market streams: its address, its subscriptions, and what is said over it.

The path picks the shape of the frames: `/stream` sends each payload with the name of its stream around
it, every other path the payload alone; a client may change that (web-socket-streams.md, "Setting
Properties").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from time import perf_counter_ns
from typing import Final, NamedTuple
from urllib.parse import unquote

from emulator.exchanges.binance.door import Door, time_divisor
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.lifetime import Lifetime
from emulator.exchanges.binance.spot import listen_keys
from emulator.exchanges.binance.spot.streams.channels import CHANNELS, METHODS
from emulator.exchanges.binance.spot.streams.control import (
    STREAMS_MAX,
    Fault,
    Method,
    Request,
    is_well_formed,
    parse_names,
    parse_property,
    parse_request,
    render_answer,
    render_fault,
    too_many_parameters,
    too_many_streams,
)
from emulator.exchanges.binance.spot.streams.hub import HUBS
from emulator.exchanges.binance.spot.streams.message import Message
from emulator.exchanges.binance.spot.streams.names import StreamKind, parse_stream
from emulator.exchanges.binance.spot.user_data import AccountEvent
from emulator.web.codec import encode
from emulator.web.contract import Opening, SocketRow
from emulator.web.sockets import Socket

POOL: Final = "streams"
COMBINED_PATH: Final = "/stream"
_KEY_MIN: Final = 20
"""Letters of a path's segment that may be a listen key; a shorter one numbers a connection."""

Unsubscribe = Callable[[], None]


class Address(NamedTuple):
    """What a URL asks for. divisor: microseconds in one unit of the times that are sent."""

    names: tuple[str, ...]
    is_combined: bool
    divisor: int


def parse_address(path: str, query: bytes) -> Address:
    """Raises Refusal for a unit of time that there is not, and for too many streams."""
    divisor = 1000
    listed = ""
    for pair in query.decode("latin-1").split("&"):
        name, _, text = pair.partition("=")
        if name == "timeUnit":
            divisor = time_divisor(text.encode("latin-1"))
        elif name == "streams":
            listed += "/" + unquote(text)
    is_combined = path.rstrip("/") == COMBINED_PATH
    if not is_combined:
        _, _, listed = path.partition("/ws")
    # Quirk: what names no stream is passed over, so that clients may number their connections: `/ws/0`
    # (ccxt.pro).
    names = tuple(dict.fromkeys(name for name in listed.split("/") if _names_a_stream(name)))
    if len(names) > STREAMS_MAX:
        raise refuse(-1101, STREAMS_MAX, len(names))
    return Address(names, is_combined, divisor)


def _names_a_stream(segment: str) -> bool:
    return ("@" in segment or len(segment) >= _KEY_MIN) and is_well_formed(segment)


class StreamSession:
    """A `Session` of the socket it is given."""

    __slots__ = (
        "_divisor",
        "_door",
        "_hub",
        "_is_combined",
        "_lifetime",
        "_opening",
        "_socket",
        "_subscriptions",
    )

    def __init__(self, opening: Opening, socket: Socket, door: Door) -> None:
        address = parse_address(opening.path, opening.query)
        self._opening = opening
        self._socket = socket
        self._door = door
        self._is_combined = address.is_combined
        self._divisor = address.divisor
        self._hub = HUBS.of(opening.sandbox)
        self._subscriptions: dict[str, Unsubscribe] = {}
        self._lifetime = Lifetime(socket, opening.sandbox, door, opening.source_ip)
        opening.note("GET", opening.path, opening.query, b"", 101, None, 0, 0, None)
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
        now_us = self._opening.sandbox.clock.now_us()
        event = {"e": "serverShutdown", "E": now_us // self._divisor}
        self._socket.send_text(
            encode({"stream": "!serverShutdown", "data": event} if self._is_combined else event)
        )

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
                self._is_combined = value
            case Method.GET_PROPERTY:
                parse_property(request)
                return render_answer(request.id, self._is_combined)
        return render_answer(request.id)

    def _subscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._subscriptions:
                self._subscriptions[name] = self._begin(name)

    def _begin(self, name: str) -> Unsubscribe:
        eras = self._door.eras
        stream = parse_stream(name)
        if stream is None:
            if "@" not in name and eras.spot_listen_key == "serve":
                opening = self._opening
                home = opening.sandbox if opening.is_named else None
                return listen_keys.listen(name, partial(self._tell_account, name), sandbox=home) or _nothing
        elif stream.kind is not StreamKind.TICKERS or eras.all_tickers_stream == "serve":
            return self._hub.subscribe(stream, self._tell)
        # Quirk: a stream that does not exist, as one of a symbol in upper case, can be subscribed to and says
        # nothing (live hosts).
        return _nothing

    def _tell(self, message: Message) -> None:
        self._socket.send(message.frame(combined=self._is_combined, divisor=self._divisor))

    def _tell_account(self, name: str, event: AccountEvent) -> None:
        payload = event.encoded(self._divisor)
        if self._is_combined:
            payload = b'{"stream":%b,"data":%b}' % (encode(name), payload)
        self._socket.send_text(payload)


def _nothing() -> None:
    pass


# Rows


def _admit(door: Door, opening: Opening) -> None:
    sandbox = opening.sandbox
    if door.counts_in(sandbox):
        door.quotas(sandbox).connect(opening.source_ip, sandbox.clock.now_us(), pool=POOL)
    parse_address(opening.path, opening.query)


def sockets(door: Door) -> tuple[SocketRow, ...]:
    """The paths of the market streams."""

    def open_session(opening: Opening, socket: Socket) -> StreamSession:
        return StreamSession(opening, socket, door)

    admit = partial(_admit, door)
    return tuple(
        SocketRow(
            path=path, summary=summary, open=open_session, admit=admit, channels=CHANNELS, methods=METHODS
        )
        for path, summary in (
            ("/ws", "Market streams by request, payloads alone"),
            ("/ws/*", "Market streams named by the path, `/ws/<stream>/<stream>`, payloads alone"),
            (
                COMBINED_PATH,
                "Market streams named by `streams=<stream>/<stream>`, each payload with its stream's name",
            ),
            (f"{COMBINED_PATH}/", "The same"),
            ("/stream/ws", "As `/ws`, for clients that tell spot by `/stream` in the address"),
            ("/stream/ws/*", "As `/ws/*`, for the same clients"),
        )
    )
