"""The control API as one route of the frame: guard, place, body, row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import DEFAULT
from emulator.web.contract import Failure, NotEmulated, Refusal, Request, Site
from emulator.web.control.desk import Desk
from emulator.web.control.dialect import ControlDialect
from emulator.web.control.guard import Guard, name_of
from emulator.web.endpoint import Answer, Endpoint, refuse
from emulator.web.hosts import CONTROL
from emulator.web.paths import compile_path
from emulator.web.server import QUERY_MAX, read_body

_PLACE = re.compile(rf"(?:/~(?P<sandbox>[^/]*))?{re.escape(CONTROL)}(?P<path>/.*)?", re.DOTALL)
_SHOWN_PATH_MAX = 200


class Control(BaseRoute):
    """Answers everything below `/_emulator` and `/~<sandbox>/_emulator`, whatever characters it holds."""

    def __init__(self, site: Site, *, desk: Desk, guard: Guard) -> None:
        self._site = site
        self._desk = desk
        self._guard = guard
        self._endpoints = [(compile_path(route.path), route, Endpoint(site, route)) for route in site.rows]
        self._missing = [(compile_path(missing.path), missing) for missing in site.not_emulated]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_control = scope["type"] in ("http", "websocket") and _PLACE.fullmatch(scope["path"])
        return (Match.FULL if is_control else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = await self._answer(scope, receive)
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [
                    (b"content-type", self._site.dialect.content_type),
                    (b"content-length", b"%d" % len(answer.body)),
                    (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                    *answer.all_headers,
                ],
            }
        )
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        site = self._site
        headers: dict[bytes, bytes] = dict(scope["headers"])
        client = scope.get("client")
        peer: str = client[0] if client else ""
        try:
            self._guard.check(peer, headers)
        except Refusal as refusal:
            return _refuse(site, refusal)
        place = _PLACE.fullmatch(scope["path"])
        assert place is not None, scope["path"]
        path = place["path"] or "/"
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        endpoint = self._find(method, path)
        if endpoint is None:
            return self._refuse_path(method, path)

        query: bytes = scope["query_string"]
        body = await read_body(receive, headers)
        if body is None or len(query) > QUERY_MAX:
            answer = refuse(site, Failure.TOO_LARGE, "")
            answer.headers.append((b"connection", b"close"))
            return answer
        # A body of another type is what a web page can send without asking; GET takes none at all.
        if body and headers.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
            return _refuse(
                site, Refusal(415, "not_json", "The body must be JSON, with the type application/json.")
            )
        server = scope.get("server")
        of_port = self._desk.sandbox_ports.sandbox(server[1] or 0) if server else None
        sandbox, query = self._sandbox(place["sandbox"], of_port, headers, query)
        if isinstance(sandbox, str):
            return refuse(site, Failure.UNKNOWN_SANDBOX, sandbox)
        return await endpoint.run(Request(method, path, query, body, headers, peer), sandbox)

    def _find(self, method: str, path: str) -> Endpoint | None:
        for pattern, route, endpoint in self._endpoints:
            if route.method == method and pattern.fullmatch(path):
                return endpoint
        return None

    def _sandbox(
        self, named: str | None, of_port: str | None, headers: Mapping[bytes, bytes], query: bytes
    ) -> tuple[Sandbox | str, bytes]:
        """The sandbox, or the name that none has; and the query, which names it in any case it is named."""
        asked = re.search(rb"(?:^|&)sandbox=([^&]*)", query)
        if asked is not None:
            name = asked[1].decode("latin-1")
        else:
            label, _, parent = name_of(headers.get(b"host", b"").decode("latin-1").lower()).partition(".")
            of_host = label if parent == "localhost" else of_port
            given = named if named is not None else of_host
            name = DEFAULT if given is None else given
            if given is not None:
                query = query + (b"&" if query else b"") + b"sandbox=" + given.encode("latin-1", "replace")
        return self._desk.sandboxes.get(name) or name, query

    def _refuse_path(self, method: str, path: str) -> Answer:
        site = self._site
        shown = f"{method} {CONTROL}{path}"[:_SHOWN_PATH_MAX]
        methods = [route.method for pattern, route, _ in self._endpoints if pattern.fullmatch(path)]
        if methods:
            allow = ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"]).encode()
            if method == "OPTIONS":
                # Without any CORS header: a browser asks this before it lets a page send the real thing.
                return Answer(204, b"", [(b"allow", allow)], None, 0, False)
            answer = refuse(site, Failure.WRONG_METHOD, shown)
            answer.headers.append((b"allow", allow))
            return answer
        for pattern, missing in self._missing:
            if missing.method in ("*", method) and pattern.fullmatch(path):
                return refuse(site, Failure.NOT_EMULATED, f"{shown}: {missing.why}")
        return refuse(site, Failure.UNKNOWN_PATH, shown)


def _refuse(site: Site, refusal: Refusal) -> Answer:
    body = site.dialect.render_refusal(refusal)
    return Answer(refusal.status, body, list(refusal.headers), refusal.code, 0, False)


def control_site(desk: Desk) -> Site:
    """The rows of the control API, in the order of its documents."""
    from emulator.web.control import accounts, explaining, gates, markets, universes, watching

    return Site(
        name="control",
        engine="",
        title="Control API",
        rows=(*universes.rows, *accounts.rows, *markets.rows, *watching.rows, *explaining.rows, *gates.rows),
        dialect=ControlDialect(desk),
        not_emulated=NOT_EMULATED,
        description="What the emulator itself can be asked and told. It answers this machine only, unless "
        "`EMULATOR_CONTROL_TOKEN` is set and sent as a bearer token. The sandbox is the default one, or "
        "that of `?sandbox=NAME`, of a `/~NAME` prefix, or of its own port.",
        prefix=CONTROL,
        takes_forms=False,
    )


NOT_EMULATED = (
    NotEmulated("POST", "/sandboxes/{name}/snapshot", "snapshots come with durable storage"),
    NotEmulated("POST", "/sandboxes/{name}/restore", "snapshots come with durable storage"),
    NotEmulated("*", "/faults", "faults cannot be injected yet"),
)
