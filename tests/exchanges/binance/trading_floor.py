"""Binance Spot's trading endpoints over a market that stands where a test puts it, with several clients."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Self
from urllib.parse import urlencode

import jsonschema_rs
import msgspec

from emulator.core.commands import BookSide, Command, Deposit, PrintTrade, SetBook, SetPrice
from emulator.core.engine import Done, Engine
from emulator.core.fees import FeeRules
from emulator.core.rules import EngineRules
from emulator.exchanges.binance import WALLETS
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.limits import Limits
from emulator.exchanges.binance.spot import order_lists, queries, trading
from emulator.exchanges.binance.spot.instruments import load
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.archive import Archive
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import ClockMode, EnginePort, Journal, KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.runtime.sequencer import Patience
from emulator.storage.memory import MemoryJournal
from emulator.web.contract import Counting, Site, Timestamps
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.openapi import document
from emulator.web.server import Application
from tests.web.client import Reply, ask

NOW_US = 1_790_000_120_000_000
NOW_MS = NOW_US // 1000
MINUTE_US = 60_000_000
DAY_US = 1440 * MINUTE_US

MIDDLE = Decimal(100_000)

DEMO, OTHER, TWIN, SIBLING = "demo", "other", "twin", "sibling"
"""twin and sibling belong to one trade group."""

_GROUPS = {DEMO: 0, OTHER: 0, TWIN: 7, SIBLING: 7}
_FUNDS = {"USDT": 10_000_000, "BTC": 100, "ETH": 1000, "BNB": 1000, "PEPE": 1_000_000_000}

LIMIT_BUY = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "90000",
}
LIMIT_SELL = {**LIMIT_BUY, "side": "SELL", "price": "110000"}
MARKET_BUY = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
STOP_SELL = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_LOSS_LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "94000",
    "stopPrice": "95000",
}

ACK = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
RESULT = ACK | {
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "workingTime",
    "selfTradePreventionMode",
}
FULL = RESULT | {"fills"}
"""Keys of the three forms of an answer: the examples of rest-api.md, "New order"."""


class Floor:
    """altered: fields of instruments that differ from the listing, by symbol.

    At the start BTCUSDT last traded at 100000, and 5 BTC stand at 99990 and at 100010.
    """

    def __init__(
        self,
        altered: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        counting: Counting = "off",
        timestamps: Timestamps = "off",
        limits: Limits | None = None,
        journal: Journal | None = None,
        patience: Patience | None = None,
        archive: Archive | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self._altered = altered or {}
        self.door = Door(engine="binance", timestamps=timestamps, counting=counting, limits=limits)
        self.journal = journal or MemoryJournal()
        self.sandboxes = Sandboxes(
            journal=self.journal,
            make_engines=self._make_engines,
            provision=_provision,
            wall_ns=lambda: NOW_US * 1000,
            clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=NOW_US),
            patience=patience,
            archive=archive,
            keeping=keeping,
        )
        self.application = Application(
            sites=[self._site()], sandboxes=self.sandboxes, hosts=Hosts(), frame=build_frame((), None)
        )

    def _site(self) -> Site:
        return _site(self.door)

    async def __aenter__(self) -> Self:
        await self.sandboxes.open()
        await self.price("100000")
        await self.book(bids=[("99990", "5")], asks=[("100010", "5")])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandboxes.close()

    def _make_engines(self, seed: int) -> Mapping[str, EnginePort]:
        instruments = {
            listing.symbol: msgspec.structs.replace(
                listing.instrument, **self._altered.get(listing.symbol, {})
            )
            for listing in load()
        }
        rules = EngineRules(
            fees=FeeRules(discount_asset="BNB"),
            symbols={(one.base, one.quote): one.symbol for one in instruments.values()},
        )
        return {"binance": Engine("binance", instruments, SyntheticFeed(seed), WALLETS, rules)}

    @property
    def sandbox(self) -> Sandbox:
        return self.sandboxes.default

    @property
    def engine(self) -> Engine:
        return self.sandbox.engines["binance"]

    # The market

    async def price(self, price: str, pair: str = "BTC/USDT") -> None:
        await self.do(SetPrice(pair=pair, price=Decimal(price)))

    async def book(
        self,
        *,
        bids: Sequence[tuple[str, str]] = (),
        asks: Sequence[tuple[str, str]] = (),
        symbol: str = "BTCUSDT",
    ) -> None:
        await self.do(SetBook(instrument=symbol, bids=_levels(bids), asks=_levels(asks)))

    async def trade(self, price: str, quantity: str = "0.001", symbol: str = "BTCUSDT") -> None:
        """Let the market print a trade, which fills what rests there: bids below 100000, asks above."""
        await self.do(
            PrintTrade(
                instrument=symbol,
                price=Decimal(price),
                quantity=Decimal(quantity),
                buyer_is_maker=Decimal(price) < MIDDLE,
            )
        )

    async def drift(self, *prices: str) -> None:
        """Let the price go through these, a second each."""
        for price in prices:
            await self.sandbox.step_clock(1_000_000)
            await self.price(price)

    async def do(self, command: Command) -> Done:
        done = await self.sandbox.submit("binance", command)
        assert done.rejection is None, done.rejection
        return done

    # Clients

    async def send(self, method: str, path: str, *, who: str = DEMO, **parameters: Any) -> Reply:
        query = urlencode({**parameters, "timestamp": NOW_MS})
        query += "&signature=" + hmac.digest(_secret(who), query.encode(), "sha256").hex()
        return await ask(
            self.application,
            method,
            f"/api/v3/{path}",
            query=query,
            headers={"X-MBX-APIKEY": f"key-of-{who}"},
        )

    async def ok(self, method: str, path: str, **more: Any) -> Any:
        """The body of an answer that must be a success, and what its row promises to answer."""
        reply = await self.send(method, path, **more)
        assert reply.status == 200, reply.content
        body = reply.json
        _promises()[method, path].validate(body)
        return body

    async def post(self, path: str, **more: Any) -> Any:
        return await self.ok("POST", path, **more)

    async def get(self, path: str, **more: Any) -> Any:
        return await self.ok("GET", path, **more)

    async def delete(self, path: str, **more: Any) -> Any:
        return await self.ok("DELETE", path, **more)

    async def no(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        """Code and text of an answer that must be a refusal of the usual sort."""
        reply = await self.send(method, path, **more)
        assert reply.status == 400, reply.content
        assert set(reply.json) == {"code", "msg"}
        return reply.json["code"], reply.json["msg"]

    async def order(self, order_id: int, *, who: str = DEMO, symbol: str = "BTCUSDT") -> Any:
        return await self.get("order", who=who, symbol=symbol, orderId=order_id)

    async def status(self, order_id: int, *, who: str = DEMO) -> str:
        found: str = (await self.order(order_id, who=who))["status"]
        return found

    def balance(self, asset: str, *, who: str = DEMO) -> tuple[Decimal, Decimal]:
        """What is free and what is held of an asset."""
        account = self.sandbox.accounts[who]
        found = self.engine.state.ledger.balance(account, "spot", asset)
        return found.free, found.held


def _site(door: Door) -> Site:
    return Site(
        name="binance",
        engine="binance",
        title="Binance Spot",
        rows=(*trading.rows, *queries.rows, *order_lists.rows),
        dialect=door,
    )


@cache
def _promises() -> Mapping[tuple[str, str], jsonschema_rs.Validator]:
    """The closed schema of each row's answers, by method and path."""
    described = document(_site(Door(engine="binance")))
    return {
        (method.upper(), path.removeprefix("/api/v3/")): jsonschema_rs.validator_for(
            {
                **operation["responses"]["200"]["content"]["application/json"]["schema"],
                "components": described["components"],
            }
        )
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }


def _levels(listed: Sequence[tuple[str, str]]) -> BookSide:
    return tuple((Decimal(price), Decimal(quantity)) for price, quantity in listed)


def _secret(who: str) -> bytes:
    return f"secret-of-{who}".encode()


async def _provision(sandbox: Sandbox) -> None:
    for who, group in _GROUPS.items():
        account = await sandbox.open_account(who, group)
        await sandbox.add_key(KeyRecord(key=f"key-of-{who}", account=account, secret=_secret(who).decode()))
        for asset, amount in _FUNDS.items():
            await sandbox.submit(
                "binance",
                Deposit(account=account, wallet="spot", asset=asset, amount=Decimal(amount)),
            )
