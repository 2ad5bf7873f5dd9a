"""One connection to the WebSocket API: requests are decided in the order in which they come.

A request that is decided at once but has to wait for the journal is answered when that has it, and does
not hold up the next one; who disconnects meanwhile undoes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import perf_counter_ns
from typing import Final, NamedTuple
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

from emulator.exchanges.binance.door import Door, time_divisor
from emulator.exchanges.binance.errors import TEXTS, refuse
from emulator.exchanges.binance.lifetime import Lifetime
from emulator.exchanges.binance.ws_api.admission import (
    RETURN_RATE_LIMITS,
    SocketDoor,
    SocketRequest,
    payload_of,
)
from emulator.exchanges.binance.ws_api.frames import (
    NULL,
    Asked,
    Malformed,
    RateLimits,
    parse_request,
    render_failure,
    render_result,
    render_shutdown,
)
from emulator.exchanges.binance.ws_api.methods import NAME_SHOWN_MAX, Operation
from emulator.exchanges.binance.ws_api.offer import Offer
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Method, Opening, Refusal, Route, Site, SocketRow
from emulator.web.endpoint import Answer, Endpoint
from emulator.web.sockets import POLICY, Socket

POOL: Final = "ws-api"

IN_FLIGHT_MAX: Final = 256
"""Requests of one connection that wait for the journal; no further one is read from it then."""


class Url(NamedTuple):
    """What the address of a connection asks for."""

    divisor: int
    returns_rate_limits: bool


def parse_url(query: bytes, *, takes_time_unit: bool) -> Url:
    """Raises a Refusal for what is not offered, or is no value."""
    divisor, returns_rate_limits = 1000, True
    for name, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        match name:
            case "timeUnit" if takes_time_unit:
                divisor = time_divisor(text.encode("latin-1"))
            case "returnRateLimits":
                returns_rate_limits = parse_truth(text)
            case "responseFormat" if text.lower() == "sbe":
                raise refuse(-1155)
    return Url(divisor, returns_rate_limits)


def parse_truth(text: str) -> bool:
    match text.lower():
        case "true":
            return True
        case "false":
            return False
    raise refuse(-1130, RETURN_RATE_LIMITS)


class Api:
    """What all connections to a site share: its methods made ready."""

    def __init__(self, site: Site, offer: Offer) -> None:
        assert isinstance(site.dialect, Door)
        self.offer = offer
        self.door = SocketDoor(site.dialect)
        limits = self.door.limits
        self.rate_limits = RateLimits(
            weight_per_minute=limits.weight_per_minute, orders=offer.order_windows(limits)
        )
        inside = Site(name=site.name, engine=site.engine, title=site.title, rows=(), dialect=self.door)
        self.methods: dict[str, tuple[Operation, Endpoint]] = {
            name: (operation, Endpoint(inside, operation.route))
            for name, operation in operations(offer, site.rows).items()
        }


def operations(offer: Offer, rows: Sequence[Route]) -> dict[str, Operation]:
    """All methods that can be answered, by name; rows: of the site."""
    offered = {
        one.name: Operation(route, one.overridden, bool(route.orders) or route.path in offer.counted)
        for one, route in offer.all_names(rows)
    }
    return offered | {route.path: Operation(route, {}, False) for route in offer.session_rows}


_apis: WeakKeyDictionary[Site, Api] = WeakKeyDictionary()


def _api_of(site: Site, offer: Offer) -> Api:
    api = _apis.get(site)
    if api is None:
        api = _apis[site] = Api(site, offer)
    return api


class Connection:
    """A `Session` of the socket it is given."""

    __slots__ = ("_api", "_in_flight", "_is_paused", "_lifetime", "_opening", "_socket", "_standing")

    def __init__(self, opening: Opening, socket: Socket, offer: Offer) -> None:
        self._api = _api_of(opening.site, offer)
        self._opening = opening
        self._socket = socket
        url = parse_url(opening.query, takes_time_unit=offer.takes_time_unit)
        self._standing = offer.stand(opening, socket, url.divisor, url.returns_rate_limits)
        self._lifetime = Lifetime(socket, opening.sandbox, self._api.door, opening.source_ip, offer.heartbeat)
        self._in_flight = 0
        self._is_paused = False
        opening.note("GET", opening.path, opening.query, b"", 101, None, 0, 0, None)

    @property
    def in_flight(self) -> int:
        """Requests that were decided and wait for the journal."""
        return self._in_flight

    @property
    def is_paused(self) -> bool:
        """Whether nothing further is read, because too many requests wait."""
        return self._is_paused

    # What the socket says

    def received(self, message: bytes) -> None:
        if not self._socket.is_open:
            # What came with a request that ended the connection.
            return
        began_ns = perf_counter_ns()
        try:
            asked = parse_request(message)
        except Malformed as malformed:
            self._refuse(malformed.id, malformed.refusal, "", message, began_ns)
            return
        self._ask(asked, began_ns)

    def pinged(self) -> None:
        self._lifetime.count()

    def ponged(self, payload: bytes) -> None:
        if self._lifetime.count():
            self._lifetime.ponged(payload)

    def leaving(self) -> None:
        if self._api.offer.announces_shutdown:
            now_us = self._opening.sandbox.clock.now_us()
            self._socket.send_text(render_shutdown(now_us // self._standing.divisor))

    def ended(self) -> None:
        self._lifetime.end()
        self._standing.end()

    # Requests

    def _ask(self, asked: Asked, began_ns: int) -> None:
        id, name, sent = asked
        standing = self._standing
        if standing.is_revoked:
            self._revoke()
        offer = self._api.offer
        known = self._api.methods.get(name) or self._api.methods.get(name.removeprefix(offer.version))
        if known is None:
            why = offer.explain(name.removeprefix(offer.version)[:NAME_SHOWN_MAX])
            refusal = refuse(-1020, text=f"{TEXTS[-1020]} {why}")
            self._refuse(id, refusal, name, payload_of(sent), began_ns)
            return
        operation, endpoint = known
        texts = sent
        returns_rate_limits = standing.returns_rate_limits
        if RETURN_RATE_LIMITS in sent:
            texts = sent.copy()
            try:
                returns_rate_limits = parse_truth(texts.pop(RETURN_RATE_LIMITS))
            except Refusal as refusal:
                self._refuse(id, refusal, name, payload_of(sent), began_ns)
                return
        if operation.overridden:
            texts = {
                each: text
                for each, text in texts.items()
                if not any(other in texts for other in operation.overridden.get(each, ()))
            }
        sandbox = standing.sandbox_of(sent.get("apiKey"))
        request = SocketRequest.of(operation.route, standing, sent, texts)
        under_way = Asking(id, name, request, sandbox, operation, returns_rate_limits, began_ns)

        self._in_flight += 1
        endpoint.start(request, sandbox, partial(self._leave, under_way))
        if self._in_flight >= IN_FLIGHT_MAX and not self._is_paused:
            self._is_paused = True
            self._socket.pause()

    def _leave(self, asking: Asking, answer: Answer) -> None:
        self._in_flight -= 1
        self._answer(asking, answer)
        if self._is_paused and self._in_flight <= IN_FLIGHT_MAX // 2:
            self._is_paused = False
            self._socket.resume()

    # Answers

    def _answer(self, asking: Asking, answer: Answer) -> None:
        standing = self._standing
        request = asking.request
        limits = b""
        if asking.returns_rate_limits:
            limits = self._count(asking, answer.account)
        if answer.code is None:
            text = render_result(asking.id, answer.body, limits)
        else:
            text = render_failure(asking.id, answer.status, answer.body, limits)
        self._socket.send_text(text)
        if standing.parting:
            self._part()
        key = request.sent.get("apiKey")
        if key is None and answer.account and standing.key is not None:
            key = standing.key.key
        self._opening.note(
            asking.name[:NAME_SHOWN_MAX],
            self._opening.path,
            b"",
            request.body,
            answer.status,
            answer.code,
            (perf_counter_ns() - asking.began_ns) // 1000,
            answer.account,
            None if key is None else key.encode(),
        )
        if answer.is_defect:
            self._opening.note_defect()
        if answer.status == 418:
            # Quirk: the connection over which a banned address goes on asking is closed (CHANGELOG.md,
            # 2023-03-13).
            self._socket.close(POLICY, "The IP is banned")

    def _count(self, asking: Asking, account: int) -> bytes:
        quotas = self._api.door.quotas(asking.sandbox)
        now_us = asking.sandbox.clock.now_us()
        orders = None
        if account and asking.operation.counts_orders:
            orders = quotas.orders_used(account, now_us)
        return self._api.rate_limits.render(quotas.charge(self._opening.source_ip, 0, now_us), orders)

    def _refuse(self, id: bytes, refusal: Refusal, name: str, body: bytes, began_ns: int) -> None:
        """Answer what no method looks at. It weighs 1, so that nobody may go on with it for ever."""
        door, sandbox, ip = self._api.door, self._standing.home, self._opening.source_ip
        now_us = sandbox.clock.now_us()
        quotas = door.quotas(sandbox)
        if door.counts_in(sandbox):
            try:
                quotas.enter(ip, now_us)
            except Refusal as used_up:
                refusal = used_up
        quotas.charge(ip, 1, now_us)
        self._socket.send_text(render_failure(id, refusal.status, door.render_refusal(refusal)))
        duration_us = (perf_counter_ns() - began_ns) // 1000
        self._opening.note(
            name[:NAME_SHOWN_MAX],
            self._opening.path,
            b"",
            body,
            refusal.status,
            refusal.code,
            duration_us,
            0,
            None,
        )
        if refusal.status == 418:
            self._socket.close(POLICY, "The IP is banned")

    def _revoke(self) -> None:
        # Quirk: that the key which is logged on was taken away is said by a frame that answers no request,
        # and the connection goes on as if nobody were logged on (web-socket-api.md, "Session
        # Authentication").
        refusal = refuse(-2015)
        self._socket.send_text(render_failure(NULL, refusal.status, self._api.door.render_refusal(refusal)))
        self._standing.log_out()
        self._part()

    def _part(self) -> None:
        """Say the last of what subscriptions have to say that ended with this request."""
        parting, self._standing.parting = self._standing.parting, []
        for event in parting:
            self._socket.send_text(event)


class Asking(NamedTuple):
    """A request under way. name: the method as it was called."""

    id: bytes
    name: str
    request: SocketRequest
    sandbox: Sandbox
    operation: Operation
    returns_rate_limits: bool
    began_ns: int


# The row


def socket_row(offer: Offer, rows: Sequence[Route]) -> SocketRow:
    """The path of a product's WebSocket API. rows: those that its methods may be answered by."""

    def open_session(opening: Opening, socket: Socket) -> Connection:
        return Connection(opening, socket, offer)

    def admit(opening: Opening) -> None:
        door, sandbox = opening.site.dialect, opening.sandbox
        assert isinstance(door, Door)
        quotas, now_us = door.quotas(sandbox), sandbox.clock.now_us()
        if door.counts_in(sandbox):
            quotas.connect(opening.source_ip, now_us, pool=POOL)
            quotas.check_weight(opening.source_ip, offer.connection_weight, now_us)
        quotas.charge(opening.source_ip, offer.connection_weight, now_us)
        parse_url(opening.query, takes_time_unit=offer.takes_time_unit)

    return SocketRow(
        path=offer.path,
        summary=offer.summary,
        open=open_session,
        admit=admit,
        methods=(
            *(Method(one.name, route.summary, route) for one, route in offer.all_names(rows)),
            *(Method(route.path, route.summary) for route in offer.session_rows),
        ),
    )
