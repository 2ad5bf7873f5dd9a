"""Binance's market streams on the air: real sockets in this process, over the synthetic market on a clock
that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.limits import Limits
from emulator.exchanges.binance.spot import market
from emulator.exchanges.binance.spot.streams.hub import HUBS
from emulator.exchanges.binance.spot.streams.sockets import sockets
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Site
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.exchanges.binance.marketplace import Marketplace
from tests.web.serving import WAIT_S, BareSocket, serving

SECOND_US = 1_000_000


class Client:
    """A connection whose messages are read as JSON, each within a time that nothing here takes."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, message: Any) -> None:
        """A value as JSON, or a text as it is."""
        await self.connection.send(message if isinstance(message, str) else orjson.dumps(message).decode())

    async def next(self) -> Any:
        return orjson.loads(await asyncio.wait_for(self.connection.recv(), WAIT_S))

    async def ask(self, method: str, *params: Any, request_id: Any = 1) -> Any:
        """The answer's `result`, in a connection that is told nothing else."""
        request: dict[str, Any] = {"method": method, "id": request_id}
        if params:
            request["params"] = list(params)
        await self.say(request)
        answer = await self.next()
        assert list(answer) == ["result", "id"], answer
        assert (answer["id"], type(answer["id"])) == (request_id, type(request_id))
        return answer["result"]

    async def fault(self, message: Any) -> Any:
        """The answer to a request that must be refused."""
        await self.say(message)
        answer = await self.next()
        assert list(answer) in (["error"], ["error", "id"]), answer
        assert list(answer["error"]) == ["code", "msg"]
        return answer

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close that the server sends, after whatever else it sends."""
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    await self.connection.recv()
                except ConnectionClosed as closed:
                    return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


class Studio:
    """figures: of the limits that differ from the exchange's."""

    def __init__(self, *, eras: Eras | None = None, counting: str = "off", **figures: Any) -> None:
        self.marketplace = Marketplace()
        self.door = Door(
            engine="binance",
            eras=eras,
            limits=Limits(**figures),
            counting=counting,  # type: ignore[arg-type]  # one of three words
        )
        self.application = Application(
            sites=[
                Site(
                    name="binance",
                    engine="binance",
                    title="Binance Spot",
                    rows=tuple(market.rows),
                    dialect=self.door,
                    sockets=sockets(self.door),
                )
            ],
            sandboxes=self.marketplace.sandboxes,
            hosts=Hosts(),
            frame=build_frame((), None),
        )
        self.port = 0

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[Studio]:
        async with self.marketplace, serving(self.application) as self.port:
            yield self

    @property
    def sandbox(self) -> Sandbox:
        return self.marketplace.sandbox

    @property
    def streams(self) -> tuple[str, ...]:
        """What somebody listens to."""
        return tuple(HUBS.of(self.sandbox).streams)

    @asynccontextmanager
    async def listen(self, path: str = "/ws", **options: Any) -> AsyncIterator[Client]:
        async with connect(f"ws://127.0.0.1:{self.port}{path}", **options) as connection:
            yield Client(connection)

    @asynccontextmanager
    async def bare(self, path: str = "/ws") -> AsyncIterator[BareSocket]:
        async with BareSocket.connected(self.port, path) as bare:
            yield bare

    async def step(self, by_us: int = SECOND_US) -> None:
        await self.sandbox.step_clock(by_us)
