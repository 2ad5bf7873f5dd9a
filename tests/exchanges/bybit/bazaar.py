"""Bybit's market data over the synthetic market, in memory, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from emulator.core.commands import Command, Deposit
from emulator.core.engine import Done
from emulator.exchanges import bybit
from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.running import ENGINE, UNIFIED
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.ports import ClockMode, EnginePort
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.storage.memory import MemoryJournal
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.web.client import Reply, ask

NOW_US = 1_790_000_123_456_789
"""2026-09-21 14:15:23.456789 UTC, a Monday: four days before contracts of September are delivered."""

NOW_MS = NOW_US // 1000


class Bazaar:
    """ask, get, refusal: a GET of /v5/market."""

    def __init__(self, now_us: int = NOW_US) -> None:
        self.sandboxes = Sandboxes(
            journal=MemoryJournal(),
            make_engines=_make_engines,
            provision=_provision,
            wall_ns=lambda: now_us * 1000,
            clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=now_us),
        )
        self.application = Application(
            sites=bybit.sites(eras=Eras(), timestamps="auto", counting="auto"),
            sandboxes=self.sandboxes,
            hosts=Hosts(),
            frame=build_frame((), None),
        )

    async def __aenter__(self) -> Bazaar:
        await self.sandboxes.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandboxes.close()

    @property
    def sandbox(self) -> Sandbox:
        return self.sandboxes.default

    async def do(self, command: Command) -> Done:
        done = await self.sandbox.submit(ENGINE, command)
        assert done.rejection is None, done.rejection
        return done

    async def deposit(self, asset: str, amount: int) -> None:
        account = self.sandbox.accounts["demo"]
        await self.do(
            Deposit(account=account, wallet=UNIFIED, asset=asset, amount=Decimal(amount), reference="test")
        )

    async def ask(self, path: str, query: str = "", **more: Any) -> Reply:
        return await ask(self.application, "GET", f"/bybit/v5/market/{path}", query=query, **more)

    async def get(self, path: str, query: str = "", **more: Any) -> Any:
        """The `result` of an answer that must be a success."""
        reply = await self.ask(path, query, **more)
        assert reply.status == 200, reply.content
        assert reply.json["retCode"] == 0, reply.content
        return reply.json["result"]

    async def refusal(self, path: str, query: str = "") -> tuple[int, str]:
        reply = await self.ask(path, query)
        assert reply.status == 200, reply.content
        assert reply.json["retCode"] != 0, reply.content
        return reply.json["retCode"], reply.json["retMsg"]


def _make_engines(seed: int) -> Mapping[str, EnginePort]:
    return {ENGINE: bybit.engine(SyntheticFeed(seed))}


async def _provision(sandbox: Sandbox) -> None:
    await sandbox.open_account("demo")
