"""Binance Spot's market endpoints over the synthetic market, in memory, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from emulator.core.commands import Command, Deposit, PlaceOrder
from emulator.core.engine import Done, Engine
from emulator.core.instruments import Instrument, OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.spot import market
from emulator.exchanges.binance.spot.instruments import load
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.ports import ClockMode, EnginePort
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.storage.memory import MemoryJournal
from emulator.web.contract import Site
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.web.client import Reply, ask

NOW_US = 1_790_000_123_456_789
"""2026-09-21 14:15:23.456789 UTC, a Monday."""

NOW_MS = NOW_US // 1000


class Marketplace:
    """altered: fields of instruments that differ from the listing, by symbol. wall_ns: what a clock that is
    set going goes by; it stands still too if nothing is said."""

    def __init__(
        self,
        altered: Mapping[str, Mapping[str, Any]] | None = None,
        now_us: int = NOW_US,
        wall_ns: Callable[[], int] | None = None,
    ) -> None:
        self._altered = altered or {}
        self.sandboxes = Sandboxes(
            journal=MemoryJournal(),
            make_engines=self._make_engines,
            provision=_provision,
            wall_ns=wall_ns or (lambda: now_us * 1000),
            clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=now_us),
        )
        site = Site(
            name="binance",
            engine="binance",
            title="Binance Spot",
            rows=tuple(market.rows),
            dialect=Door(engine="binance"),
        )
        self.application = Application(
            sites=[site], sandboxes=self.sandboxes, hosts=Hosts(), frame=build_frame((), None)
        )

    async def __aenter__(self) -> Marketplace:
        await self.sandboxes.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandboxes.close()

    def _make_engines(self, seed: int) -> Mapping[str, EnginePort]:
        instruments = {
            listing.symbol: _with(listing.instrument, self._altered.get(listing.symbol)) for listing in load()
        }
        feed = SyntheticFeed(seed)
        return {"binance": Engine("binance", instruments, feed, ("spot",))}

    @property
    def sandbox(self) -> Sandbox:
        return self.sandboxes.default

    async def ask(self, path: str, query: str = "", **more: Any) -> Reply:
        return await ask(self.application, "GET", f"/api/v3/{path}", query=query, **more)

    async def get(self, path: str, query: str = "", **more: Any) -> Any:
        """The body of an answer that must be a success."""
        reply = await self.ask(path, query, **more)
        assert reply.status == 200, reply.content
        return reply.json

    async def refusal(self, path: str, query: str = "", **more: Any) -> tuple[int, str]:
        """Code and text of an answer that must be an error."""
        reply = await self.ask(path, query, **more)
        assert reply.status == 400, reply.content
        assert set(reply.json) == {"code", "msg"}
        return reply.json["code"], reply.json["msg"]

    async def do(self, command: Command) -> Done:
        done = await self.sandbox.submit("binance", command)
        assert done.rejection is None, done.rejection
        return done

    async def order(self, symbol: str, side: Side, quantity: str, price: str | None = None) -> Done:
        """The demo account's order: limit with a price, at market without."""
        terms = OrderTerms(
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
        )
        account = self.sandbox.accounts["demo"]
        return await self.do(PlaceOrder(account=account, instrument=symbol, wallet="spot", terms=terms))

    async def step(self, by_us: int) -> None:
        await self.sandbox.step_clock(by_us)


def _with(instrument: Instrument, changes: Mapping[str, Any] | None) -> Instrument:
    return msgspec.structs.replace(instrument, **changes) if changes else instrument


async def _provision(sandbox: Sandbox) -> None:
    account = await sandbox.open_account("demo")
    for asset in ("USDT", "BTC", "ETH"):
        await sandbox.submit(
            "binance",
            Deposit(account=account, wallet="spot", asset=asset, amount=Decimal(1_000_000), reference=""),
        )
