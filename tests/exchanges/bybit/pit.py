"""Bybit's site over markets that stand where a test puts them, in memory, for alice and bob who sign.

All pairs and contracts of bitcoin stand at 100000: BTCUSDT (pair and linear) has 5 BTC at 99990 and at
100010, inverse BTCUSD 500000 dollars.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Self
from urllib.parse import urlencode

import jsonschema_rs
import orjson

from emulator.core.commands import Command, Deposit, SetBook, SetPrice
from emulator.core.engine import Done
from emulator.exchanges import bybit
from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.running import UNIFIED
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.archive import Archive
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import ClockMode, EnginePort, Journal, KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.storage.memory import MemoryJournal
from emulator.web.contract import Counting, Site
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.openapi import document
from emulator.web.server import Application
from tests.web.client import Reply, ask

NOW_US = 1_790_000_123_456_789
"""2026-09-21 14:15:23.456789 UTC."""
NOW_MS = NOW_US // 1000
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US

SPOT, LINEAR, INVERSE = "spot", "linear", "inverse"
FUNDS = {"USDT": Decimal(1_000_000), "BTC": Decimal(10)}

Level = tuple[str, str]
USUAL = Eras()

BUY: dict[str, Any] = {
    "category": SPOT,
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.01",
    "price": "99000",
}
SELL: dict[str, Any] = {**BUY, "side": "Sell", "price": "101000"}
LONG: dict[str, Any] = {**BUY, "category": LINEAR}
SHORT: dict[str, Any] = {**SELL, "category": LINEAR}
"""Limit orders beside the market: none of them trades at once."""


class Pit:
    """Two accounts, alice and bob, each with a key of its name and `FUNDS`."""

    def __init__(
        self,
        *,
        journal: Journal | None = None,
        archive: Archive | None = None,
        keeping: Keeping | None = None,
        counting: Counting = "off",
        eras: Eras = USUAL,
    ) -> None:
        self.sandboxes = Sandboxes(
            journal=journal or MemoryJournal(),
            make_engines=_make_engines,
            provision=_provision,
            wall_ns=lambda: NOW_US * 1000,
            clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=NOW_US),
            archive=archive,
            keeping=keeping,
        )
        self.application = Application(
            sites=[site(counting, eras)], sandboxes=self.sandboxes, hosts=Hosts(), frame=build_frame((), None)
        )

    async def __aenter__(self) -> Self:
        await self.sandboxes.open()
        await self.hold("BTC/USDT", "100000")
        await self.hold("BTC/USD", "100000")
        for name in ("spot:BTCUSDT", "linear:BTCUSDT"):
            await self.book(name, [("99990", "5")], [("100010", "5")])
        await self.book("inverse:BTCUSD", [("99990", "500000")], [("100010", "500000")])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandboxes.close()

    @property
    def sandbox(self) -> Sandbox:
        return self.sandboxes.default

    # Asking

    async def ask(
        self, method: str, path: str, values: Mapping[str, Any] | None = None, who: str = "alice"
    ) -> Reply:
        """A signed request: parameters in the query, or as a JSON body."""
        query = urlencode(values or {}) if method == "GET" else ""
        body = "" if method == "GET" else orjson.dumps(values or {}).decode()
        stamp = str(self.sandbox.clock.now_us() // 1000)
        signed = f"{stamp}{who}-key5000{query}{body}"
        headers = {
            "X-BAPI-API-KEY": f"{who}-key",
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": hmac.digest(who.encode(), signed.encode(), "sha256").hex(),
        }
        if body:
            headers["Content-Type"] = "application/json"
        return await ask(self.application, method, path, query=query, body=body, headers=headers)

    async def whole(
        self, method: str, path: str, values: Mapping[str, Any] | None = None, who: str = "alice"
    ) -> Any:
        """The whole body of a success, which is what its row promises."""
        reply = await self.ask(method, path, values, who)
        assert reply.status == 200, reply.content
        body = reply.json
        assert body["retCode"] == 0, body
        promises()[method, path].validate(body)
        return body

    async def get(self, path: str, values: Mapping[str, Any] | None = None, who: str = "alice") -> Any:
        return (await self.whole("GET", path, values, who))["result"]

    async def post(self, path: str, values: Mapping[str, Any] | None = None, who: str = "alice") -> Any:
        return (await self.whole("POST", path, values, who))["result"]

    async def no(
        self, method: str, path: str, values: Mapping[str, Any] | None = None, who: str = "alice"
    ) -> tuple[int, str]:
        """Code and text of an answer that must be an error of the usual sort."""
        reply = await self.ask(method, path, values, who)
        assert reply.status == 200, reply.content
        body = reply.json
        assert body["retCode"] != 0, body
        return body["retCode"], body["retMsg"]

    # Orders

    async def place(self, values: Mapping[str, Any], who: str = "alice", **more: Any) -> str:
        """The id of an order that was accepted."""
        return str((await self.post("/v5/order/create", {**values, **more}, who))["orderId"])

    async def refused(self, values: Mapping[str, Any], **more: Any) -> tuple[int, str]:
        """What is said of an order that is not accepted; a value of None is left out."""
        sent = {name: value for name, value in {**values, **more}.items() if value is not None}
        return await self.no("POST", "/v5/order/create", sent)

    async def find(self, order: str, category: str = SPOT, who: str = "alice") -> Any:
        """An order by its id, whether open or over."""
        listed = (await self.get("/v5/order/realtime", {"category": category, "orderId": order}, who))["list"]
        assert len(listed) == 1, listed
        return listed[0]

    async def open(self, category: str = SPOT, who: str = "alice", **values: Any) -> list[Any]:
        """What is open of BTCUSDT, the newest first."""
        values = {"category": category, "symbol": "BTCUSDT", **values}
        listed: list[Any] = (await self.get("/v5/order/realtime", values, who))["list"]
        return listed

    async def trades(self, category: str = SPOT, who: str = "alice", **values: Any) -> list[Any]:
        listed: list[Any] = (await self.get("/v5/execution/list", {"category": category, **values}, who))[
            "list"
        ]
        return listed

    # The market

    async def do(self, command: Command) -> Done:
        done = await self.sandbox.submit(bybit.ENGINE, command)
        assert done.rejection is None, done.rejection
        return done

    async def hold(self, pair: str, price: str) -> None:
        await self.do(SetPrice(pair=pair, price=Decimal(price)))

    async def book(self, instrument: str, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        def levels(listed: Iterable[Level]) -> tuple[tuple[Decimal, Decimal], ...]:
            return tuple((Decimal(price), Decimal(quantity)) for price, quantity in listed)

        await self.do(SetBook(instrument=instrument, bids=levels(bids), asks=levels(asks)))

    async def step(self, by_us: int) -> None:
        await self.sandbox.step_clock(by_us)


@cache
def site(counting: Counting = "off", eras: Eras = USUAL) -> Site:
    (found,) = bybit.sites(eras=eras, timestamps="sandbox", counting=counting)
    return found


@cache
def promises() -> Mapping[tuple[str, str], jsonschema_rs.Validator]:
    """The closed schema of each row's answers, by method and path."""
    described = document(site())
    return {
        (method.upper(), path): jsonschema_rs.validator_for(
            {
                **operation["responses"]["200"]["content"]["application/json"]["schema"],
                "components": described["components"],
            }
        )
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }


def _make_engines(seed: int) -> Mapping[str, EnginePort]:
    return {bybit.ENGINE: bybit.engine(SyntheticFeed(seed))}


async def _provision(sandbox: Sandbox) -> None:
    for name in ("alice", "bob"):
        account = await sandbox.open_account(name, 0)
        await sandbox.add_key(KeyRecord(key=f"{name}-key", account=account, secret=name))
        for asset, amount in FUNDS.items():
            await sandbox.submit(
                bybit.ENGINE, Deposit(account=account, wallet=UNIFIED, asset=asset, amount=amount)
            )
