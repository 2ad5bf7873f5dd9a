"""Both futures sites over the synthetic market, in memory, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlencode

from emulator.core.commands import Command, Deposit, PlaceOrder
from emulator.core.engine import Done
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.exchanges import binance
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import COINM, PRODUCTS, USDM, Product
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.ports import ClockMode, KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.storage.memory import MemoryJournal
from emulator.web.contract import Route, Site
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.web.client import Reply, ask

NOW_US = 1_784_550_123_456_789
"""2026-07-20 12:22:03.456789 UTC, a Monday: BTCUSDT_260925 is the current quarter's."""

NOW_MS = NOW_US // 1000
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

KEY = "key-of-somebody"


@cache
def sites() -> Mapping[Product, Site]:
    """Both sites as they are served."""
    served = {site.name: site for site in binance.sites(eras=Eras(), timestamps="auto", counting="auto")}
    return {product: served[name] for name, product in PRODUCTS.items()}


def rows(product: Product) -> Mapping[tuple[str, str], Route]:
    return {(route.method, route.path): route for route in sites()[product].rows}


class Bourse:
    """counting: whether quotas refuse."""

    def __init__(self, *, now_us: int = NOW_US, seed: int = 1, counting: str = "auto") -> None:
        self.sandboxes = Sandboxes(
            journal=MemoryJournal(),
            make_engines=lambda seed: {binance.ENGINE: binance.engine(SyntheticFeed(seed))},
            provision=_provision,
            wall_ns=lambda: now_us * 1000,
            clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=now_us),
            seed=seed,
        )
        made = binance.sites(eras=Eras(), timestamps="auto", counting=counting)  # type: ignore[arg-type]  # text
        self.application = Application(
            sites=list(made), sandboxes=self.sandboxes, hosts=Hosts(), frame=build_frame((), None)
        )

    async def __aenter__(self) -> Bourse:
        await self.sandboxes.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandboxes.close()

    @property
    def sandbox(self) -> Sandbox:
        return self.sandboxes.default

    @property
    def now_us(self) -> int:
        return self.sandbox.clock.now_us()

    async def ask(
        self, product: Product, path: str, *, headers: Mapping[str, str] | None = None, **values: Any
    ) -> Reply:
        """path: what follows the product's prefix, or all of it where it begins with `/futures`."""
        whole = path if path.startswith("/futures/") else product.prefix + path
        route = rows(product).get(("GET", whole))
        sent = dict(headers or {})
        if route is not None and route.security.keyed:
            sent.setdefault("X-MBX-APIKEY", KEY)
        address = f"/{product.site}{whole}"
        return await ask(self.application, "GET", address, query=urlencode(values), headers=sent)

    async def take(self, product: Product, path: str, **values: Any) -> Any:
        """The body of an answer that must be a success."""
        reply = await self.ask(product, path, **values)
        assert reply.status == 200, (product, path, values, reply.content)
        return reply.json

    async def refusal(self, product: Product, path: str, **values: Any) -> tuple[int, str]:
        """Code and text of an answer that must be an error."""
        reply = await self.ask(product, path, **values)
        assert reply.status == 400, (product, path, values, reply.content)
        assert set(reply.json) == {"code", "msg"}
        return reply.json["code"], reply.json["msg"]

    async def usdm(self, path: str, **values: Any) -> Any:
        return await self.take(USDM, path, **values)

    async def coinm(self, path: str, **values: Any) -> Any:
        return await self.take(COINM, path, **values)

    async def do(self, command: Command) -> Done:
        done = await self.sandbox.submit(binance.ENGINE, command)
        assert done.rejection is None, done.rejection
        return done

    async def trade(self, listing: Listing, side: Side, quantity: str, price: str | None = None) -> Done:
        """The demo account's order: limit with a price, at market without."""
        terms = OrderTerms(
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
        )
        return await self.do(
            PlaceOrder(
                account=self.sandbox.accounts["demo"],
                instrument=listing.instrument.symbol,
                wallet=listing.contract.wallet,
                terms=terms,
            )
        )

    async def step(self, by_us: int) -> None:
        await self.sandbox.step_clock(by_us)

    async def step_to(self, time_us: int) -> None:
        await self.step(time_us - self.now_us)


async def _provision(sandbox: Sandbox) -> None:
    account = await sandbox.open_account("demo")
    for wallet, asset, amount in (("usdm", "USDT", 10_000_000), ("coinm", "BTC", 1_000)):
        await sandbox.submit(
            binance.ENGINE,
            Deposit(account=account, wallet=wallet, asset=asset, amount=Decimal(amount), reference=""),
        )
    await sandbox.add_key(KeyRecord(key=KEY, account=account, secret="secret-of-somebody"))
