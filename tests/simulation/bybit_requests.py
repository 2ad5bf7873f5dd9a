"""Requests to Bybit as its clients make them: signed, over REST, and orders over the socket for them where
the seat has one."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from websockets.asyncio.client import ClientConnection

from tests.simulation.dialect import Credentials, Seat, Unavailable
from tests.simulation.lines import Address, Lost, SocketLine
from tests.simulation.words import Outcome, Reply

PREFIX = "/bybit"
TRADE, PRIVATE = f"{PREFIX}/v5/trade", f"{PREFIX}/v5/private"
TOPICS = ("order", "execution", "position", "wallet")
WINDOW = "20000"

OPERATIONS = {
    f"/v5/order/{word}": f"order.{word}"
    for word in ("create", "amend", "cancel", "create-batch", "amend-batch", "cancel-batch")
}

SERVER_TIMEOUT, SERVER_ERROR = 10000, 10016
"""What may have been done or not, and what was not."""
ABSENT = frozenset({110001, 170213})


class BybitLine(SocketLine):
    """A socket of an account, which says first whose it is. Ids are texts, as the exchange wants them."""

    def __init__(
        self,
        address: Address,
        path: str,
        credentials: Credentials,
        *,
        id_name: str,
        topics: Sequence[str] = (),
    ) -> None:
        super().__init__(address, path)
        self._credentials = credentials
        self._id_name = id_name
        self._topics = topics

    def named(self, asked: int) -> dict[str, Any]:
        return {self._id_name: str(asked)}

    def answers(self, frame: Any, asked: int) -> bool:
        return bool(frame.get(self._id_name) == str(asked))

    async def greet(self, connection: ClientConnection) -> None:
        expires = time.time_ns() // 1_000_000 + 10_000
        signature = hmac.digest(
            self._credentials.secret.encode(), b"GET/realtime%d" % expires, "sha256"
        ).hex()
        said: list[dict[str, Any]] = [{"op": "auth", "args": [self._credentials.key, expires, signature]}]
        if self._topics:
            said.append({"op": "subscribe", "args": list(self._topics)})
        for one in said:
            await connection.send(orjson.dumps(one).decode())
            answer = orjson.loads(await connection.recv())
            while "topic" in answer:
                self.events.append(answer)
                answer = orjson.loads(await connection.recv())
            assert answer.get("success") or answer.get("retCode") == 0, answer


class Requests:
    async def send(
        self,
        seat: Seat,
        method: str,
        path: str,
        values: Mapping[str, Any],
        *,
        signed: bool = True,
        secret: str | None = None,
    ) -> tuple[int, Any]:
        """Ask the way that the seat does: the status, and the envelope. Raises Lost."""
        stamp = str(time.time_ns() // 1_000_000)
        hangs_up, seat.hangs_up = seat.hangs_up, None
        operation = OPERATIONS.get(path)
        is_whole = hangs_up is None or hangs_up[0] is None
        if seat.socket is not None and operation is not None and secret is None and is_whole:
            header = {"X-BAPI-TIMESTAMP": stamp, "X-BAPI-RECV-WINDOW": WINDOW}
            request = {"op": operation, "header": header, "args": [dict(values)]}
            if hangs_up is not None:
                await seat.socket.abandon(request)
                raise Lost("hung up")
            frame = await seat.socket.ask(request)
            return 200, {**frame, "result": frame.get("data")}
        query = urlencode(values) if method == "GET" else ""
        body = b"" if method == "GET" else orjson.dumps(values)
        headers: dict[str, str] = {}
        credentials = seat.credentials
        if signed:
            proof = f"{stamp}{credentials.key}{WINDOW}{query}".encode() + body
            key = (secret or credentials.secret).encode()
            headers = {
                "X-BAPI-API-KEY": credentials.key,
                "X-BAPI-TIMESTAMP": stamp,
                "X-BAPI-RECV-WINDOW": WINDOW,
                "X-BAPI-SIGN": hmac.digest(key, proof, "sha256").hex(),
            }
        if body:
            headers["Content-Type"] = "application/json"
        target = f"{PREFIX}{path}?{query}" if query else PREFIX + path
        if hangs_up is not None:
            await seat.http.abandon(method, target, headers, body, hangs_up[0])
            raise Lost("hung up")
        status, content = await seat.http.ask(method, target, headers, body)
        return status, orjson.loads(content)

    async def do(
        self, seat: Seat, path: str, values: Mapping[str, Any], *, secret: str | None = None
    ) -> tuple[Reply, Any]:
        """What became of a POST, and the envelope of its answer; None where there was none."""
        try:
            status, envelope = await self.send(seat, "POST", path, values, secret=secret)
        except Lost as lost:
            return Reply(outcome=Outcome.UNKNOWN, reason=str(lost)), None
        return read_reply(status, envelope), envelope

    async def get(self, seat: Seat, path: str, values: Mapping[str, Any], *, signed: bool = True) -> Any:
        try:
            status, envelope = await self.send(seat, "GET", path, values, signed=signed)
        except Lost as lost:
            raise Unavailable(str(lost)) from lost
        code = envelope.get("retCode") if isinstance(envelope, Mapping) else None
        if code in (SERVER_TIMEOUT, SERVER_ERROR):
            raise Unavailable(str(envelope))
        assert (status, code) == (200, 0), (path, dict(values), status, envelope)
        return envelope["result"]

    async def pages(
        self, seat: Seat, path: str, values: Mapping[str, Any], limit: int, complaints: list[str]
    ) -> list[Any]:
        """All of a list, page by page."""
        found: list[Any] = []
        asked = {**values, "limit": limit}
        while True:
            page = await self.get(seat, path, asked)
            listed, cursor = page["list"], page["nextPageCursor"]
            if len(listed) > limit or (cursor and len(listed) < limit):
                complaints.append(f"{path} {asked}: a page of {len(listed)}, and the cursor {cursor!r}")
            found += listed
            if not cursor:
                return found
            asked["cursor"] = cursor


def read_reply(status: int, envelope: Any) -> Reply:
    code = envelope.get("retCode") if isinstance(envelope, Mapping) else None
    if status == 200 and code == 0:
        return Reply(outcome=Outcome.DONE)
    if status >= 500 or code is None:
        return Reply(outcome=Outcome.UNKNOWN, reason=f"{status} {envelope!r}", is_broken=True)
    return read_code(code, envelope["retMsg"])


def read_code(code: int, text: str) -> Reply:
    reason = f"{code} {text}"
    match code:
        case 0:
            return Reply(outcome=Outcome.DONE)
        case 10000:
            return Reply(outcome=Outcome.UNKNOWN, reason=reason)
        case 10016:
            return Reply(outcome=Outcome.UNDONE, reason=reason)
    return Reply(outcome=Outcome.REFUSED, reason=reason, is_absent=code in ABSENT)
