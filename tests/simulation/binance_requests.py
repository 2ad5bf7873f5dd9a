"""Requests to Binance as its clients make them: signed, over REST, and over a WebSocket API where the seat
has one and the API a method."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from tests.simulation.dialect import Seat, Unavailable
from tests.simulation.lines import Lost
from tests.simulation.words import Outcome, Reply

Answer = tuple[int, Any]
"""Status and content, whichever way they came."""

OUTAGES = (408, 503, 504)
"""Statuses of answers that say that there is none now."""


class Requests:
    """methods: the WebSocket API's names of what REST has. read_reply: what became of a request, by its
    answer."""

    def __init__(
        self, methods: Mapping[tuple[str, str], str], read_reply: Callable[[int, Any], Reply]
    ) -> None:
        self._methods = methods
        self._read_reply = read_reply
        self._bodies = 0

    async def send(
        self,
        seat: Seat,
        method: str,
        path: str,
        parameters: Mapping[str, Any],
        *,
        signed: bool = True,
        keyed: bool = False,
        secret: str | None = None,
    ) -> Answer:
        """Ask the way that the seat does. keyed: with a key, signed or not. Raises Lost."""
        named = self._methods.get((method, path))
        texts = {name: str(value) for name, value in parameters.items()}
        if signed:
            texts["timestamp"] = str(time.time_ns() // 1_000_000)
        credentials = seat.credentials
        key = (secret or credentials.secret).encode()
        hangs_up, seat.hangs_up = seat.hangs_up, None
        if seat.socket is not None and named is not None and (hangs_up is None or hangs_up[0] is None):
            if signed or keyed:
                texts["apiKey"] = credentials.key
            if signed:
                payload = "&".join(f"{name}={texts[name]}" for name in sorted(texts))
                texts["signature"] = hmac.digest(key, payload.encode(), "sha256").hex()
            request = {"method": named, "params": texts}
            if hangs_up is not None:
                await seat.socket.abandon(request)
                raise Lost("hung up")
            frame = await seat.socket.ask(request)
            return frame["status"], frame.get("result", frame.get("error"))
        query = urlencode(texts)
        headers = {}
        if signed or keyed:
            headers["X-MBX-APIKEY"] = credentials.key
        if signed:
            query += "&signature=" + hmac.digest(key, query.encode(), "sha256").hex()
        target, body = f"{path}?{query}", b""
        if method in ("POST", "PUT"):
            self._bodies += 1
            if self._bodies % 2:
                target, body = path, query.encode()
                headers["Content-Type"] = "application/x-www-form-urlencoded"
        if hangs_up is not None:
            await seat.http.abandon(method, target, headers, body, hangs_up[0])
            raise Lost("hung up")
        status, content = await seat.http.ask(method, target, headers, body)
        return status, orjson.loads(content)

    async def do(
        self, seat: Seat, method: str, path: str, parameters: Mapping[str, Any], *, secret: str | None = None
    ) -> Reply:
        try:
            status, content = await self.send(seat, method, path, parameters, secret=secret)
        except Lost as lost:
            return Reply(outcome=Outcome.UNKNOWN, reason=str(lost))
        return self._read_reply(status, content)

    async def get(self, seat: Seat, path: str, parameters: Mapping[str, Any], *, signed: bool = True) -> Any:
        try:
            status, content = await self.send(seat, "GET", path, parameters, signed=signed)
        except Lost as lost:
            raise Unavailable(str(lost)) from lost
        if status in OUTAGES:
            raise Unavailable(str(content))
        assert status == 200, (path, dict(parameters), status, content)
        return content
