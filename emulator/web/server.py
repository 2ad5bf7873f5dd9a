"""The server's one ASGI application: an exact-match table in front, Starlette behind it.

Exchange requests take the short way: one look at the place, one at the table, no middleware, one
start and one body out. Everything else (the control API, pages, lifespan) is Starlette's. Every
buffer has a bound: the body, the query, the number of parameters, the requests remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from time import perf_counter_ns, time_ns

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import JSON_TYPE, encode
from emulator.web.contract import (
    Failure,
    Opening,
    Refusal,
    Sandboxes,
    Site,
)
from emulator.web.endpoint import Answer, Endpoint, refuse
from emulator.web.hosts import CONTROL, SITES, Hosts, Place, futures_data_site
from emulator.web.recorder import RECORDED_BYTES_MAX, Counts, Recorder
from emulator.web.short_way import Arrival
from emulator.web.sockets import RESTARTING, Socket
from emulator.web.sockets import STATE as SOCKET
from emulator.web.table import Table, note_missing

BODY_MAX = 1_000_000
QUERY_MAX = 65_536

DEFAULT_SANDBOX = "default"

_WITH_BODY = frozenset({"POST", "PUT", "DELETE"})


class _AsgiArrival(Arrival, kw_only=True):
    """A request that came on the way of ASGI. left: its answer, as soon as it may leave."""

    left: asyncio.Future[Answer]

    def leave(self, answer: Answer) -> None:
        if not self.left.done():
            self.left.set_result(answer)


class Application:
    """The ASGI application, which takes requests on the short way too.

    frame: answers what no site does. Its routes are matched one after the other, which is fine for
    what people look at.
    """

    def __init__(
        self,
        *,
        sites: Sequence[Site],
        sandboxes: Sandboxes,
        hosts: Hosts,
        frame: Starlette,
        recorder: Recorder | None = None,
        counts: Counts | None = None,
    ) -> None:
        self.hosts = hosts
        self.recorder = recorder or Recorder()
        self.counts = counts or Counts()
        self.place = hosts.locate
        """Where a request goes; what has no site is the frame's to answer."""
        self._sandboxes = sandboxes
        self._frame = frame
        self._table = Table(sites)
        self.sites = self._table.sites

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await self._open(scope, receive, send)
            else:
                await self._frame(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        server = scope.get("server")
        port = (server[1] or 0) if server else 0
        place = self.place(scope["path"], headers.get(b"host", b""), port)
        if place.site is None:
            if place.called is not None and not place.path.startswith(CONTROL):
                place.called.note(is_error=True)
                note_missing(place, scope["method"])
            await self._frame(scope, receive, send)
            return
        client = scope.get("client")
        arrival = _AsgiArrival(
            scope["method"],
            place.path,
            scope["query_string"],
            b"",
            headers,
            client[0] if client else "127.0.0.1",
            scope["path"],
            place,
            perf_counter_ns(),
            left=asyncio.get_running_loop().create_future(),
        )
        target = self._find(arrival)
        if isinstance(target, Endpoint):
            body: bytes | None = b""
            if arrival.method in _WITH_BODY:
                try:
                    body = await read_body(receive, headers)
                except ClientDisconnect:
                    return
            if body is None or len(arrival.query) > QUERY_MAX:
                target = refuse(target.site, Failure.TOO_LARGE, "", arrival.sandbox)
                # What was not read of the body would be taken for the next request.
                target.headers.append((b"connection", b"close"))
            else:
                arrival.body = body
        self._answer(arrival, target)
        answer = await arrival.left
        response_headers = [
            (b"content-type", arrival.content_type),
            (b"content-length", b"%d" % len(answer.body)),
            *answer.all_headers,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": response_headers})
        await send({"type": "http.response.body", "body": b"" if arrival.method == "HEAD" else answer.body})

    def take(self, arrival: Arrival) -> None:
        """Answer a request to a site that is here as a whole, when its answer may leave."""
        if arrival.method not in _WITH_BODY:
            arrival.body = b""
        self._answer(arrival, self._find(arrival))

    def _find(self, arrival: Arrival) -> Endpoint | Answer:
        """Who answers a request, or what is said because nobody does."""
        place = arrival.place
        site_name = futures_data_site(arrival.query) if place.by_query else place.site
        assert site_name is not None
        arrival.site_name = site_name
        endpoint = self._table.find(site_name, arrival.method, place.path)
        site = self.sites.get(site_name) if endpoint is None else endpoint.site
        if site is None:
            arrival.content_type = JSON_TYPE
            return self._table.refuse_site(site_name, arrival.method, place)
        speaker = endpoint or site.dialect
        arrival.content_type = speaker.content_type
        key = arrival.key = arrival.headers.get(speaker.key_header)
        sandbox = arrival.sandbox = self._sandbox_of(place.sandbox, key)
        if sandbox is None:
            named = DEFAULT_SANDBOX if place.sandbox is None else place.sandbox
            return refuse(site, Failure.UNKNOWN_SANDBOX, named)
        if endpoint is None:
            return self._table.refuse_path(site, arrival.method, place, sandbox)
        return endpoint

    def _answer(self, arrival: Arrival, target: Endpoint | Answer) -> None:
        sandbox = arrival.sandbox
        if isinstance(target, Answer):
            self._leave(arrival, target)
        else:
            assert sandbox is not None
            target.start(arrival, sandbox, partial(self._leave, arrival))

    def _leave(self, arrival: Arrival, answer: Answer) -> None:
        """Let an answer go, count it and remember what it was an answer to."""
        if answer.content_type:
            arrival.content_type = answer.content_type
        counts = self.counts
        counts.requests += 1
        if answer.code is not None:
            counts.refusals += 1
            if answer.is_defect:
                counts.defects += 1
        called = arrival.place.called
        if called is not None:
            called.note(is_error=answer.code is not None)
        arrival.leave(answer)
        self.recorder.note(
            time_ns() // 1000,
            arrival.method,
            arrival.sent_path[:RECORDED_BYTES_MAX],
            arrival.query[:RECORDED_BYTES_MAX],
            arrival.body[:RECORDED_BYTES_MAX],
            arrival.site_name,
            arrival.place.sandbox if arrival.sandbox is None else arrival.sandbox.name,
            answer.status,
            answer.code,
            (perf_counter_ns() - arrival.began_ns) // 1000,
            answer.account,
            arrival.key,
        )

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept a WebSocket that some row serves, and stay as long as it is there."""
        socket: Socket = scope["state"].pop(SOCKET)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        server = scope.get("server")
        place = self.hosts.locate(scope["path"], headers.get(b"host", b""), (server[1] or 0) if server else 0)
        await receive()
        try:
            opening = self._opening(scope, headers, place)
        except Exception:
            self.counts.note_defect()
            raise
        if isinstance(opening, Answer):
            await _refuse_handshake(opening, send)
            return
        if place.called is not None:
            place.called.sockets += 1
        await send({"type": "websocket.accept"})
        try:
            session = opening.row.open(opening, socket)
        except Exception:
            self.counts.note_defect()
            raise
        socket.serve(session, on_defect=self.counts.note_defect)
        forget = opening.sandbox.fanout.at_end(lambda: socket.close(RESTARTING, "The sandbox ended"))
        try:
            await socket.over
        finally:
            forget()

    def _opening(self, scope: Scope, headers: dict[bytes, bytes], place: Place) -> Opening | Answer:
        """What a handshake is about, or why nobody takes it."""
        site_name = place.site
        if site_name is None:
            body = encode({"error": "No site serves this path.", "sites": [f"/{name}/" for name in SITES]})
            return Answer(404, body, [], None, 0, False)
        site = self.sites.get(site_name)
        if site is None:
            return self._table.refuse_site(site_name, "GET", place)
        key = headers.get(site.dialect.key_header)
        sandbox = self._sandbox_of(place.sandbox, key)
        if sandbox is None:
            return refuse(site, Failure.UNKNOWN_SANDBOX, place.sandbox or DEFAULT_SANDBOX)
        row = next((row for row in site.sockets if row.matches(place.path)), None)
        if row is None:
            return self._table.refuse_path(site, "GET", place, sandbox)
        client = scope.get("client")
        recorder, counts, sandbox_name, called = self.recorder, self.counts, sandbox.name, place.called

        def note(
            method: str,
            path: str,
            query: bytes,
            body: bytes,
            status: int,
            code: int | str | None,
            duration_us: int,
            account: int,
            key: bytes | None,
        ) -> None:
            counts.requests += 1
            counts.refusals += code is not None
            if called is not None:
                called.note(is_error=code is not None)
            recorder.note(
                time_ns() // 1000,
                method,
                path[:RECORDED_BYTES_MAX],
                query[:RECORDED_BYTES_MAX],
                body[:RECORDED_BYTES_MAX],
                site_name,
                sandbox_name,
                status,
                code,
                duration_us,
                account,
                key,
            )

        opening = Opening(
            site=site,
            row=row,
            sandbox=sandbox,
            is_named=place.sandbox is not None or (key is not None and key.decode("latin-1") in sandbox.keys),
            sandboxes=self._sandboxes,
            path=place.path,
            query=scope["query_string"],
            headers=headers,
            source_ip=client[0] if client else "127.0.0.1",
            note=note,
            note_defect=counts.note_defect,
        )
        if row.admit is not None:
            try:
                row.admit(opening)
            except Refusal as refusal:
                return Answer(
                    refusal.status,
                    site.dialect.render_refusal(refusal, sandbox.clock.now_us()),
                    list(refusal.headers),
                    refusal.code,
                    0,
                    False,
                )
        return opening

    def _sandbox_of(self, name: str | None, key: bytes | None) -> Sandbox | None:
        if name is not None:
            return self._sandboxes.get(name)
        if key is not None:
            owner = self._sandboxes.owning(key.decode("latin-1"))
            if owner is not None:
                return owner
        return self._sandboxes.get(DEFAULT_SANDBOX)


async def _refuse_handshake(answer: Answer, send: Send) -> None:
    headers = [(b"content-type", JSON_TYPE), *answer.headers]
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})


async def read_body(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes | None:
    """The whole body, or None when it is larger than BODY_MAX.

    Raises ClientDisconnect when it breaks off: half a body may read like a whole one.
    """
    declared = headers.get(b"content-length")
    if declared is not None and declared.isdigit() and int(declared[:20]) > BODY_MAX:
        return None
    parts: list[bytes] = []
    size = 0
    while size <= BODY_MAX:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        size += len(part)
        if not message.get("more_body"):
            if size > BODY_MAX:
                return None
            return b"".join([*parts, part]) if parts else part
        parts.append(part)
    return None
