"""Binance's futures market streams on the air: real sockets in this process, over the synthetic market on a
clock that a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from websockets.asyncio.client import connect

from emulator.core.commands import Command, Deposit
from emulator.core.engine import Done, Engine
from emulator.exchanges import binance
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.ports import ClockMode, EnginePort
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.storage.memory import MemoryJournal
from emulator.web.contract import Site
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.exchanges.binance.studio import Client
from tests.web.client import ask
from tests.web.serving import BareSocket, serving

SECOND_US = 1_000_000
NOW_US = 1_790_000_123_456_789
"""2026-09-21 14:15:23.456789 UTC. Contracts of the current quarter end in _260925, the next in _261225."""


class FuturesStudio:
    """Both futures sites over one sandbox. wall_ns: what a clock that is set going goes by."""

    def __init__(
        self,
        *,
        eras: Eras | None = None,
        counting: str = "off",
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
        self.sites: Mapping[str, Site] = {
            site.name: site
            for site in binance.sites(
                eras=eras or Eras(),
                timestamps="off",
                counting=counting,  # type: ignore[arg-type]  # one of three words
            )
        }
        self.application = Application(
            sites=list(self.sites.values()),
            sandboxes=self.sandboxes,
            hosts=Hosts(),
            frame=build_frame((), None),
        )
        self.port = 0

    async def __aenter__(self) -> FuturesStudio:
        await self.sandboxes.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandboxes.close()

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[FuturesStudio]:
        async with self, serving(self.application) as self.port:
            yield self

    @property
    def sandbox(self) -> Sandbox:
        return self.sandboxes.default

    @property
    def engine(self) -> Engine:
        return self.sandbox.engines["binance"]

    @property
    def now_us(self) -> int:
        return self.sandbox.clock.now_us()

    @asynccontextmanager
    async def listen(self, path: str, *, site: Product = USDM, **options: Any) -> AsyncIterator[Client]:
        url = f"ws://127.0.0.1:{self.port}/{site.site}{path}"
        async with connect(url, **options) as connection:
            yield Client(connection)

    @asynccontextmanager
    async def bare(self, path: str, *, site: Product = USDM) -> AsyncIterator[BareSocket]:
        async with BareSocket.connected(self.port, f"/{site.site}{path}") as bare:
            yield bare

    async def get(self, path: str, query: str = "", *, site: Product = USDM) -> Any:
        """The body of an answer that must be a success."""
        reply = await ask(self.application, "GET", f"/{site.site}{path}", query=query)
        assert reply.status == 200, reply.content
        return reply.json

    async def do(self, command: Command) -> Done:
        done = await self.sandbox.submit("binance", command)
        assert done.rejection is None, done.rejection
        return done

    async def step(self, by_us: int = SECOND_US) -> None:
        await self.sandbox.step_clock(by_us)


def _make_engines(seed: int) -> Mapping[str, EnginePort]:
    return {"binance": binance.engine(SyntheticFeed(seed))}


async def _provision(sandbox: Sandbox) -> None:
    account = await sandbox.open_account("demo")
    for wallet, asset, amount in ((USDM.wallet, "USDT", 10_000_000), (COINM.wallet, "BTC", 100)):
        await sandbox.submit(
            "binance",
            Deposit(account=account, wallet=wallet, asset=asset, amount=Decimal(amount), reference=""),
        )
