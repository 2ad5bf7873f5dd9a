"""The server's one ASGI application: an exact-match table in front, Starlette behind it.

A site whose rows have names in their paths is looked through after the table knew nothing.

Exchange requests take the short way: one look at the place, one at the table, no middleware, one
start and one body out. Everything else (the control API, pages, lifespan) is Starlette's. Every
buffer has a bound: the body, the query, the number of parameters, the requests remembered.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from time import perf_counter_ns, time_ns
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import JSON_TYPE, encode
from emulator.web.contract import (
    Failure,
    NotEmulated,
    Opening,
    Refusal,
    Route,
    Sandboxes,
    Site,
)
from emulator.web.endpoint import Answer, Endpoint, refuse
from emulator.web.hosts import CONTROL, SITES, Hosts, Place, futures_data_site
from emulator.web.paths import compile_path, is_template
from emulator.web.short_way import Arrival
from emulator.web.sockets import RESTARTING, Socket
from emulator.web.sockets import STATE as SOCKET

BODY_MAX = 1_000_000
QUERY_MAX = 65_536
RECORDS_MAX = 1000
RECORDED_BYTES_MAX = 2000

DEFAULT_SANDBOX = "default"

_WITH_BODY = frozenset({"POST", "PUT", "DELETE"})
_SHOWN_PATH_MAX = 200


class Counts:
    """What the server has seen since it started."""

    __slots__ = ("defects", "refusals", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.refusals = 0
        self.defects = 0

    def note_defect(self) -> None:
        """A session of a WebSocket failed by one; a request is counted where it is answered."""
        self.defects += 1


class Recorder:
    """The last requests, as they came. Keeping one is a tuple and an append; masking waits for a reader."""

    def __init__(self, capacity: int = RECORDS_MAX) -> None:
        self._kept: deque[tuple[Any, ...]] = deque(maxlen=capacity)

    def note(self, *record: Any) -> None:
        """time_us, method, path, query, body, site, sandbox, status, code, duration_us, account, key."""
        self._kept.append(record)

    def clear(self) -> None:
        self._kept.clear()

    def read(self, limit: int = RECORDS_MAX) -> list[dict[str, Any]]:
        """The newest `limit` requests, oldest first, without secrets, passphrases and signatures."""
        kept = list(self._kept)[-limit:] if limit > 0 else []
        return [
            {
                "timeUs": time_us,
                "method": method,
                "path": path,
                "query": mask_pairs(query),
                "body": mask_pairs(body),
                "site": site,
                "sandbox": sandbox,
                "status": status,
                "code": code,
                "durationUs": duration_us,
                "account": account or None,
                "key": mask_key(key),
            }
            for (
                time_us,
                method,
                path,
                query,
                body,
                site,
                sandbox,
                status,
                code,
                duration_us,
                account,
                key,
            ) in kept
        ]


_MASKED = frozenset({"signature", "secret", "passphrase", "apisecret", "token", "sign", "password"})


def mask_pairs(raw: bytes) -> str:
    """A query or form as text, with the values of what is nobody else's business replaced."""
    text = raw[:RECORDED_BYTES_MAX].decode(errors="replace")
    if "=" not in text or text.startswith(("{", "[")):
        # Not a form, so nothing tells a name from a value: all of it, or nothing.
        return text if not any(word in text.lower() for word in _MASKED) else "***"
    pieces = []
    for piece in text.split("&"):
        name, equals, value = piece.partition("=")
        if unquote(name).lower() in _MASKED:
            value = "***"
        elif unquote(name).lower() in ("apikey", "key"):
            value = mask_key(value.encode()) or ""
        pieces.append(name + equals + value)
    return "&".join(pieces)


def mask_key(key: bytes | None) -> str | None:
    """The first letters of a key, enough to tell which of one's own it was."""
    if key is None:
        return None
    text = key[:64].decode("latin-1")
    return text[:6] + "…" if len(text) > 6 else "…"


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
        self.sites: Mapping[str, Site] = {site.name: site for site in sites}
        self.hosts = hosts
        self.recorder = recorder or Recorder()
        self.counts = counts or Counts()
        self.place = hosts.locate
        """Where a request goes; what has no site is the frame's to answer."""
        self._sandboxes = sandboxes
        self._frame = frame
        self._rows: dict[tuple[str, str, str], tuple[Site, Route]] = {}
        self._endpoints: dict[tuple[str, str, str], Endpoint] = {}
        """Of the rows that were asked for: most never are, and no start need wait for what they compile."""
        self._methods: dict[tuple[str, str], list[str]] = {}
        self._templates: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        """Of the sites that have rows for more than one path each; the others are found by looking once."""
        for site in sites:
            for route in site.rows:
                if is_template(route.path):
                    templates = self._templates.setdefault(site.name, [])
                    templates.append((compile_path(route.path), route.path))
                self._rows[site.name, route.method, route.path] = site, route
                methods = self._methods.setdefault((site.name, route.path), [])
                methods.append(route.method)
                if route.method == "GET":
                    methods.append("HEAD")
                    self._rows[site.name, "HEAD", route.path] = site, route

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
                _note_missing(place, scope["method"])
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
                target = refuse(target.site, Failure.TOO_LARGE, "")
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
        endpoint = self._endpoints.get((site_name, arrival.method, place.path))
        if endpoint is None:
            endpoint = self._make_ready(site_name, arrival.method, place.path)
        site = self.sites.get(site_name) if endpoint is None else endpoint.site
        if site is None:
            arrival.content_type = JSON_TYPE
            _note_missing(place, arrival.method)
            return _not_served(site_name, self.sites)
        speaker = endpoint or site.dialect
        arrival.content_type = speaker.content_type
        key = arrival.key = arrival.headers.get(speaker.key_header)
        sandbox = arrival.sandbox = self._sandbox_of(place.sandbox, key)
        if sandbox is None:
            named = DEFAULT_SANDBOX if place.sandbox is None else place.sandbox
            return refuse(site, Failure.UNKNOWN_SANDBOX, named)
        return self._refuse_path(site, arrival.method, place) if endpoint is None else endpoint

    def _make_ready(self, site_name: str, method: str, path: str) -> Endpoint | None:
        """The endpoint of the row that a path fits, made where nobody asked for the row before."""
        known = (site_name, method, path)
        if known not in self._rows:
            known = (site_name, method, self._declared(site_name, path))
        found = self._rows.get(known)
        if found is None:
            return None
        site, route = found
        of_row = (site_name, route.method, route.path)
        endpoint = self._endpoints.get(of_row)
        if endpoint is None:
            endpoint = self._endpoints[of_row] = Endpoint(site, route)
        self._endpoints[known] = endpoint
        return endpoint

    def _declared(self, site_name: str, path: str) -> str:
        """The path of the row that a path fits, or the path itself."""
        for template, declared in self._templates.get(site_name, ()):
            if template.fullmatch(path):
                return declared
        return path

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
            _note_missing(place, "GET")
            return _not_served(site_name, self.sites)
        key = headers.get(site.dialect.key_header)
        sandbox = self._sandbox_of(place.sandbox, key)
        if sandbox is None:
            return refuse(site, Failure.UNKNOWN_SANDBOX, place.sandbox or DEFAULT_SANDBOX)
        row = next((row for row in site.sockets if row.matches(place.path)), None)
        if row is None:
            return self._refuse_path(site, "GET", place)
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
                    site.dialect.render_refusal(refusal),
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

    def _refuse_path(self, site: Site, method: str, place: Place) -> Answer:
        """The answer to what is not in the table: which methods there are, or why it is missing."""
        path = place.path
        methods = self._methods.get((site.name, self._declared(site.name, path)))
        if methods is not None:
            allow = ", ".join([*methods, "OPTIONS"]).encode()
            if method == "OPTIONS":
                return Answer(204, b"", [(b"allow", allow)], None, 0, False)
            for missing in site.not_emulated:
                # A method of its own that is left out of a path which is there otherwise.
                if missing.method == method and _matches(missing, method, path):
                    _note_missing(place, method)
                    return _refuse_missing(site, missing, f"{method} {path}")
            answer = refuse(site, Failure.WRONG_METHOD, f"{method} {path}")
            answer.headers.append((b"allow", allow))
            return answer
        shown = path[:_SHOWN_PATH_MAX]
        if any(row.matches(path) for row in site.sockets):
            return refuse(site, Failure.WRONG_METHOD, f"{method} {shown}: a WebSocket handshake is expected.")
        for missing in site.not_emulated:
            if _matches(missing, method, path):
                _note_missing(place, method)
                return _refuse_missing(site, missing, f"{method} {shown}")
        _note_missing(place, method)
        return refuse(site, Failure.UNKNOWN_PATH, f"{method} {shown}")


def _note_missing(place: Place, method: str) -> None:
    if place.called is not None:
        place.called.note_missing(f"{method} {place.path[:_SHOWN_PATH_MAX]}")


def _refuse_missing(site: Site, missing: NotEmulated, asked: str) -> Answer:
    answer = refuse(site, Failure.NOT_EMULATED, f"{asked}: {missing.why}")
    if missing.gone:
        answer.status = 410
    return answer


def _matches(missing: NotEmulated, method: str, path: str) -> bool:
    if missing.method not in ("*", method):
        return False
    if missing.path.endswith("*"):
        return path.startswith(missing.path[:-1])
    return path == missing.path


async def _refuse_handshake(answer: Answer, send: Send) -> None:
    headers = [(b"content-type", JSON_TYPE), *answer.headers]
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})


def _not_served(site_name: str, served: Mapping[str, Site]) -> Answer:
    names = ", ".join(served)
    body = encode({"code": -1, "msg": f"Site {site_name!r} is not served by this emulator. Served: {names}."})
    return Answer(404, body, [], -1, 0, False)


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


def build_frame(
    routes: Sequence[BaseRoute], lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None
) -> Starlette:
    """Starlette around the pages and the control API; a path that nobody answers says who would."""
    return Starlette(routes=list(routes), lifespan=lifespan, exception_handlers={404: _nothing_here})


async def _nothing_here(request: HttpRequest, error: Exception) -> Response:
    detail = getattr(error, "detail", "Not Found")
    if detail != "Not Found":
        return Response(encode({"error": detail}), status_code=404, media_type="application/json")
    return Response(
        encode(
            {
                "error": f"Nothing answers {request.method} {request.url.path[:_SHOWN_PATH_MAX]} here.",
                "sites": [f"/{name}/" for name in SITES],
                "control": CONTROL,
            }
        ),
        status_code=404,
        media_type="application/json",
    )
