"""The pit on the air: who trades there may do so over real sockets in this process."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect

from tests.exchanges.bybit.pit import Pit
from tests.exchanges.bybit.station import Client
from tests.web.serving import serving

TRADE, PRIVATE, ANY = "/v5/trade", "/v5/private", "/v5/any"


def proof(key: str, secret: str, expires: int | str) -> list[Any]:
    """The arguments of `auth` ("Connect", Authentication)."""
    signature = hmac.digest(secret.encode(), f"GET/realtime{expires}".encode(), "sha256").hex()
    return [key, expires, signature]


class Booth(Pit):
    port = 0

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[Booth]:
        async with self, serving(self.application) as self.port:
            yield self

    @property
    def now_ms(self) -> int:
        return self.sandbox.clock.now_us() // 1000

    @asynccontextmanager
    async def listen(self, path: str) -> AsyncIterator[Client]:
        """Somebody who has not said who it is."""
        async with connect(f"ws://127.0.0.1:{self.port}/bybit{path}") as connection:
            yield Client(connection)

    @asynccontextmanager
    async def line(self, path: str, who: str = "alice") -> AsyncIterator[Client]:
        async with self.listen(path) as client:
            answer = await client.ask("auth", *proof(f"{who}-key", who, self.now_ms + 1000))
            assert answer.get("retCode", 0) == 0, answer
            assert answer.get("success", True) is True, answer
            yield client

    async def order(self, client: Client, op: str, *args: Any, id: Any = None, **header: Any) -> Any:
        """What answers a request over a socket that takes orders."""
        frame: dict[str, Any] = {"op": op, "args": list(args)}
        frame["header"] = {"X-BAPI-TIMESTAMP": str(self.now_ms), **header}
        if id is not None:
            frame["reqId"] = id
        await client.say(frame)
        while "topic" in (answer := await client.next()):
            continue
        return answer
