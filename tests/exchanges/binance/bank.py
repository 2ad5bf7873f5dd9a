"""Binance's account and wallet endpoints over the synthetic market, in memory, for signing clients."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from emulator.core.commands import Command, Deposit, PlaceOrder, SetPrice
from emulator.core.engine import Done
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.exchanges import binance
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.spot import account, wallet
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.archive import Archive
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import ClockMode, EnginePort, KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.storage.memory import MemoryJournal
from emulator.web.contract import Counting, Site
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.web.client import Reply, ask

NOW_US = 1_790_000_123_456_789
"""2026-09-21 14:15:23.456789 UTC."""

FUNDS = {"USDT": Decimal(1_000_000), "BTC": Decimal(100), "BNB": Decimal(1000), "XRP": Decimal(5000)}
NAMES = ("alice", "bob")


class Bank:
    """Two accounts, alice and bob (of trade group 7), each with a key of its name and `FUNDS` in spot."""

    def __init__(
        self, counting: Counting = "off", *, archive: Archive | None = None, keeping: Keeping | None = None
    ) -> None:
        self.door = Door(engine=binance.ENGINE, timestamps="sandbox", counting=counting)
        self.sandboxes = Sandboxes(
            journal=MemoryJournal(),
            make_engines=_make_engines,
            provision=_provision,
            wall_ns=lambda: NOW_US * 1000,
            clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=NOW_US),
            archive=archive,
            keeping=keeping,
        )
        self.application = Application(
            sites=self._sites(), sandboxes=self.sandboxes, hosts=Hosts(), frame=build_frame((), None)
        )

    def _sites(self) -> Sequence[Site]:
        spot = Site(
            name="binance",
            engine=binance.ENGINE,
            title="Binance Spot",
            rows=(*account.rows, *wallet.rows),
            dialect=self.door,
            not_emulated=wallet.NOT_EMULATED,
        )
        return [spot]

    async def __aenter__(self) -> Bank:
        await self.sandboxes.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandboxes.close()

    @property
    def sandbox(self) -> Sandbox:
        return self.sandboxes.default

    def account(self, name: str = "alice") -> int:
        return self.sandbox.accounts[name]

    async def ask(
        self,
        method: str,
        path: str,
        who: str | None = "alice",
        *,
        signed: bool = True,
        in_body: bool = False,
        **values: object,
    ) -> Reply:
        """A request of somebody, or of nobody; values by their wire names, a trailing _ stripped."""
        pairs = {name.rstrip("_"): value for name, value in values.items()}
        if signed and who is not None:
            pairs["timestamp"] = self.sandbox.clock.now_us() // 1000
        text = urlencode(pairs)
        if signed and who is not None:
            signature = hmac.digest(who.encode(), text.encode(), "sha256").hex()
            text += f"&signature={signature}"
        return await ask(
            self.application,
            method,
            path,
            query="" if in_body else text,
            body=text if in_body else "",
            headers={} if who is None else {"X-MBX-APIKEY": f"{who}-key"},
        )

    async def add_key(self, name: str, permissions: frozenset[str]) -> None:
        """A further key of alice, under a name to ask by."""
        await self.sandbox.add_key(
            KeyRecord(key=f"{name}-key", account=self.account(), secret=name, permissions=permissions)
        )

    async def get(self, path: str, who: str | None = "alice", **values: Any) -> Any:
        """The body of a success."""
        reply = await self.ask("GET", path, who, **values)
        assert reply.status == 200, reply.content
        return reply.json

    async def post(self, path: str, who: str | None = "alice", **values: Any) -> Any:
        reply = await self.ask("POST", path, who, **values)
        assert reply.status == 200, reply.content
        return reply.json

    async def refusal(self, method: str, path: str, who: str | None = "alice", **values: Any) -> Any:
        """(status, code, text) of an answer that must be an error."""
        reply = await self.ask(method, path, who, **values)
        assert set(reply.json) == {"code", "msg"}, reply.content
        return reply.status, reply.json["code"], reply.json["msg"]

    async def do(self, command: Command) -> Done:
        done = await self.sandbox.submit(binance.ENGINE, command)
        assert done.rejection is None, done.rejection
        return done

    async def deposit(self, asset: str, amount: str, wallet: str = "spot", name: str = "alice") -> None:
        await self.do(Deposit(account=self.account(name), wallet=wallet, asset=asset, amount=Decimal(amount)))

    async def order(
        self, symbol: str, side: Side, quantity: str, price: str | None = None, name: str = "alice"
    ) -> Done:
        """A limit order with a price, one at market without."""
        terms = OrderTerms(
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
        )
        return await self.do(
            PlaceOrder(account=self.account(name), instrument=symbol, wallet="spot", terms=terms)
        )

    async def hold_price(self, pair: str, price: str) -> None:
        await self.do(SetPrice(pair=pair, price=Decimal(price)))

    async def step(self, by_us: int) -> None:
        await self.sandbox.step_clock(by_us)

    async def balances(self, name: str = "alice") -> dict[str, tuple[str, str]]:
        body = await self.get("/api/v3/account", name, omitZeroBalances="true")
        return {each["asset"]: (each["free"], each["locked"]) for each in body["balances"]}


def _make_engines(seed: int) -> Mapping[str, EnginePort]:
    return {binance.ENGINE: binance.engine(SyntheticFeed(seed))}


async def _provision(sandbox: Sandbox) -> None:
    for name, trade_group in zip(NAMES, (0, 7), strict=True):
        account = await sandbox.open_account(name, trade_group)
        await sandbox.add_key(KeyRecord(key=f"{name}-key", account=account, secret=name))
        for asset, amount in FUNDS.items():
            await sandbox.submit(
                binance.ENGINE, Deposit(account=account, wallet="spot", asset=asset, amount=amount)
            )


def shape(body: Any) -> Any:
    """The keys and JSON types of a body; of a list, those of its first member."""
    if isinstance(body, dict):
        return {name: shape(value) for name, value in body.items()}
    if isinstance(body, list):
        return [shape(value) for value in body[:1]]
    return "number" if type(body) in (int, float) else type(body).__name__
