"""Drives an ASGI application without a socket: one request in, its whole answer out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from starlette.types import ASGIApp, Message

from emulator.web.sockets import STATE as SOCKET


class Reply(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.content)

    @property
    def code(self) -> Any:
        """The error code of an answer that has one."""
        return self.json.get("code")


async def ask(
    application: ASGIApp,
    method: str,
    path: str,
    *,
    query: str | bytes = b"",
    body: str | bytes = b"",
    headers: dict[str, str] | None = None,
    port: int = 8585,
    parts: Sequence[bytes] | None = None,
    source_ip: str = "127.0.0.1",
) -> Reply:
    """parts: the body in pieces, as a slow client sends it."""
    whole = body.encode() if isinstance(body, str) else body
    pieces = list(parts) if parts is not None else [whole]
    sent: list[Message] = []
    raw_headers = [(b"host", b"127.0.0.1:%d" % port)]
    for name, value in (headers or {}).items():
        if name.lower() == "host":
            raw_headers = []
        raw_headers.append((name.lower().encode(), value.encode("latin-1")))
    if parts is None and whole:
        raw_headers.append((b"content-length", b"%d" % len(whole)))

    async def receive() -> Message:
        if not pieces:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode() if isinstance(query, str) else query,
        "root_path": "",
        "headers": raw_headers,
        "client": (source_ip, 50_000),
        "server": ("127.0.0.1", port),
    }
    await application(scope, receive, send)
    start, *bodies = sent
    return Reply(
        status=start["status"],
        headers={name.decode(): value.decode() for name, value in start["headers"]},
        content=b"".join(part.get("body", b"") for part in bodies),
    )


async def knock(
    application: ASGIApp, path: str, *, query: bytes = b"", source_ip: str = "127.0.0.1"
) -> Reply:
    """The answer to a WebSocket handshake that is refused."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": path,
        "query_string": query,
        "headers": [(b"host", b"127.0.0.1:8585")],
        "client": (source_ip, 50_000),
        "server": ("127.0.0.1", 8585),
        "state": {SOCKET: None},
    }
    await application(scope, receive, send)
    start, body = sent
    assert start["type"] == "websocket.http.response.start", start
    return Reply(
        status=start["status"],
        headers={name.decode(): value.decode() for name, value in start["headers"]},
        content=body["body"],
    )
