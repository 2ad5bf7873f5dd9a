"""Bybit on the air: real sockets in this process, over the synthetic market on a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect

from emulator.core.commands import Command, Deposit, PlaceOrder
from emulator.core.engine import Done, Engine
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.exchanges import bybit
from emulator.exchanges.bybit.eras import Eras
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.ports import ClockMode, EnginePort, KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.storage.memory import MemoryJournal
from emulator.web.contract import Counting, Site, Timestamps
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.web.client import ask
from tests.web.serving import serving

SECOND_US = 1_000_000
NOW_US = 1_790_000_123_456_789
"""2026-09-21 14:15:23.456789 UTC."""

PATIENCE_S = 10.0

FUNDS = {"USDT": 10_000_000, "USDC": 10_000_000, "BTC": 100, "ETH": 1_000}


class Client:
    """One connection, and what came over it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.texts: list[str] = []

    async def say(self, frame: Any) -> None:
        """A frame as a value, or as the text that it is."""
        await self.connection.send(frame if isinstance(frame, str) else orjson.dumps(frame).decode())

    async def next(self) -> Any:
        """The next frame."""
        text = await asyncio.wait_for(self.connection.recv(), PATIENCE_S)
        assert isinstance(text, str)
        self.texts.append(text)
        return orjson.loads(text)

    async def ask(self, op: str, *args: Any, id: Any = None) -> Any:
        """What answers a request, whatever streams say before it."""
        frame: dict[str, Any] = {"op": op}
        if id is not None:
            frame["req_id"] = id
        if args or op != "ping":
            frame["args"] = list(args)
        await self.say(frame)
        while "topic" in (answer := await self.next()):
            continue
        return answer

    async def join(self, *topics: str) -> None:
        """Subscribe, successfully."""
        answer = await self.ask("subscribe", *topics)
        assert answer["success"] is True, answer

    async def told(self, topic: str) -> Any:
        """The next frame of a topic; frames of others are passed over."""
        while (frame := await self.next()).get("topic") != topic:
            assert "topic" in frame, frame
        return frame

    async def rest(self) -> list[Any]:
        """What came until now: all that was said before three pings are answered, one after the other."""
        frames = []
        for _ in range(3):
            await self.say({"op": "ping"})
            while "topic" in (frame := await self.next()):
                frames.append(frame)
        return frames


class Station:
    """The site over one sandbox. wall_ns: what a clock that is set going goes by."""

    def __init__(
        self,
        *,
        eras: Eras | None = None,
        counting: Counting = "off",
        timestamps: Timestamps = "off",
        now_us: int = NOW_US,
        wall_ns: Callable[[], int] | None = None,
    ) -> None:
        self.sandboxes = Sandboxes(
            journal=MemoryJournal(),
            make_engines=_make_engines,
            provision=_provision,
            wall_ns=wall_ns or (lambda: now_us * 1000),
            clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=now_us),
        )
        self.sites: tuple[Site, ...] = bybit.sites(
            eras=eras or Eras(), timestamps=timestamps, counting=counting
        )
        self.application = Application(
            sites=self.sites, sandboxes=self.sandboxes, hosts=Hosts(), frame=build_frame((), None)
        )
        self.port = 0

    async def __aenter__(self) -> Station:
        await self.sandboxes.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandboxes.close()

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[Station]:
        async with self, serving(self.application) as self.port:
            yield self

    @property
    def sandbox(self) -> Sandbox:
        return self.sandboxes.default

    @property
    def engine(self) -> Engine:
        return self.sandbox.engines["bybit"]

    @property
    def now_us(self) -> int:
        return self.sandbox.clock.now_us()

    @asynccontextmanager
    async def listen(self, path: str, **options: Any) -> AsyncIterator[Client]:
        async with connect(f"ws://127.0.0.1:{self.port}/bybit{path}", **options) as connection:
            yield Client(connection)

    async def get(self, path: str, **parameters: Any) -> Any:
        """The result of an answer that must be a success."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        reply = await ask(self.application, "GET", f"/bybit{path}", query=query)
        assert reply.status == 200, reply.content
        assert reply.json["retCode"] == 0, reply.json
        return reply.json["result"]

    async def do(self, command: Command) -> Done:
        done = await self.attempt(command)
        assert done.rejection is None, done.rejection
        return done

    async def attempt(self, command: Command) -> Done:
        """Accepted or not."""
        return await self.sandbox.submit("bybit", command)

    def order(
        self,
        instrument: str,
        side: Side,
        quantity: str,
        price: str | None = None,
        account: str = "demo",
    ) -> PlaceOrder:
        """Limit with a price, at market without."""
        terms = OrderTerms(
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
        )
        return PlaceOrder(
            account=self.sandbox.accounts[account], instrument=instrument, wallet="unified", terms=terms
        )

    async def step(self, by_us: int = SECOND_US) -> None:
        await self.sandbox.step_clock(by_us)


def _make_engines(seed: int) -> Mapping[str, EnginePort]:
    return {"bybit": bybit.engine(SyntheticFeed(seed))}


async def _provision(sandbox: Sandbox) -> None:
    for name in ("demo", "other"):
        account = await sandbox.open_account(name)
        await sandbox.add_key(KeyRecord(key=f"{name}-key", account=account, secret=f"{name}-secret"))
        for asset, amount in FUNDS.items():
            await sandbox.submit(
                "bybit",
                Deposit(account=account, wallet="unified", asset=asset, amount=Decimal(amount), reference=""),
            )
