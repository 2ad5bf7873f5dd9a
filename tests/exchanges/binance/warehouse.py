"""All sites of the exchange and its public files, on a market with few trades, so that days are soon made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urlencode
from xml.etree import ElementTree
from zipfile import ZipFile

import msgspec

from emulator.core.commands import Command, Deposit, PlaceOrder
from emulator.core.engine import Done, Engine
from emulator.core.instruments import Instrument, OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.exchanges import binance
from emulator.exchanges.binance.eras import Eras
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.ports import ClockMode, EnginePort
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.storage.memory import MemoryJournal
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.web.client import Reply, ask

NOW_US = 1_784_550_123_456_789
"""2026-07-20 12:22:03.456789 UTC, a Monday."""

DAY_US = 86_400_000_000
DAY_MS = 86_400_000
TODAY_MS = 1_784_505_600_000
"""2026-07-20, when it began."""

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"

ANSWERS_PER_PAGE = 1000


class Unpacked(NamedTuple):
    """A file that was asked for, and the rows of the table in it. header: the first line of a contract's."""

    content: bytes
    member: str
    header: list[str] | None
    rows: list[list[str]]


class Warehouse:
    def __init__(self, *, now_us: int = NOW_US, seed: int = 1) -> None:
        self.sandboxes = Sandboxes(
            journal=MemoryJournal(),
            make_engines=_make_engines,
            provision=_provision,
            wall_ns=lambda: now_us * 1000,
            clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=now_us),
            seed=seed,
        )
        self.application = Application(
            sites=list(binance.sites(eras=Eras(), timestamps="auto", counting="off")),
            sandboxes=self.sandboxes,
            hosts=Hosts(),
            frame=build_frame((), None),
        )

    async def __aenter__(self) -> Warehouse:
        await self.sandboxes.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandboxes.close()

    @property
    def sandbox(self) -> Sandbox:
        return self.sandboxes.default

    # The files

    async def fetch(self, key: str, method: str = "GET", **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await ask(self.application, method, f"/{key}", headers={"host": "data.binance.vision", **sent})

    async def file(self, key: str) -> Unpacked:
        """A file that must be there, and agree with its checksum."""
        reply = await self.fetch(key)
        assert reply.status == 200, (key, reply.content)
        told = await self.fetch(f"{key}.CHECKSUM")
        digest = hashlib.sha256(reply.content).hexdigest()
        assert told.content.decode() == f"{digest}  {key.rpartition('/')[2]}\n"
        with ZipFile(BytesIO(reply.content)) as archive:
            assert archive.testzip() is None
            (member,) = archive.namelist()
            lines = archive.read(member).decode().splitlines()
        header = None if lines[0][0].isdigit() else lines.pop(0).split(",")
        return Unpacked(reply.content, member, header, [line.split(",") for line in lines])

    async def missing(self, key: str) -> dict[str, str]:
        """What the error says that must come instead of a file."""
        reply = await self.fetch(key)
        assert reply.status == 404, (key, reply.status)
        assert reply.headers["content-type"] == "application/xml"
        error = ElementTree.fromstring(reply.content)
        assert error.tag == "Error"
        said = {member.tag: member.text or "" for member in error}
        assert said["Code"] == "NoSuchKey"
        assert said["Key"] == key
        return said

    async def listing(self, **values: Any) -> ElementTree.Element:
        named = {name.replace("_", "-"): value for name, value in values.items()}
        reply = await ask(
            self.application,
            "GET",
            "/data.binance.vision",
            query=urlencode(named),
            headers={"host": "s3-ap-northeast-1.amazonaws.com"},
        )
        assert reply.status == 200, reply.content
        assert reply.headers["content-type"] == "application/xml"
        return ElementTree.fromstring(reply.content)

    # The same over REST

    async def rest(self, site: str, path: str, *, unit: str = "MILLISECOND", **values: Any) -> Any:
        reply = await ask(
            self.application,
            "GET",
            f"/{site}{path}",
            query=urlencode(values),
            headers={"X-MBX-TIME-UNIT": unit, "X-MBX-APIKEY": "key-of-somebody"},
        )
        assert reply.status == 200, (site, path, values, reply.content)
        return reply.json

    async def trades_of_day(self, site: str, path: str, first_id: int, **values: Any) -> list[dict[str, Any]]:
        """A thousand of single or aggregated trades from an id on."""
        found: list[dict[str, Any]] = await self.rest(
            site, path, fromId=first_id, limit=ANSWERS_PER_PAGE, **values
        )
        return found

    # What accounts do

    async def do(self, command: Command) -> Done:
        done = await self.sandbox.submit(binance.ENGINE, command)
        assert done.rejection is None, done.rejection
        return done

    async def buy(self, symbol: str, quantity: str) -> Done:
        terms = OrderTerms(side=Side.BUY, type=OrderType.MARKET, quantity=Decimal(quantity))
        account = self.sandbox.accounts["demo"]
        return await self.do(PlaceOrder(account=account, instrument=symbol, wallet="spot", terms=terms))

    async def step(self, by_us: int) -> None:
        await self.sandbox.step_clock(by_us)


def children(element: ElementTree.Element, path: str) -> list[str]:
    """The texts of what is at a path of a listing."""
    found = element.findall("/".join(NAMESPACE + name for name in path.split("/")))
    return [one.text or "" for one in found]


def value(element: ElementTree.Element, name: str) -> str | None:
    found = element.find(NAMESPACE + name)
    return None if found is None else found.text or ""


def _make_engines(seed: int) -> Mapping[str, EnginePort]:
    feed = SyntheticFeed(seed)
    usual = binance.engine(feed)
    quiet = {name: _quiet(instrument) for name, instrument in usual.instruments.items()}
    return {binance.ENGINE: Engine(binance.ENGINE, quiet, feed, binance.WALLETS, usual.rules)}


def _quiet(instrument: Instrument) -> Instrument:
    profile = msgspec.structs.replace(instrument.profile, trades_per_minute=1)
    return msgspec.structs.replace(instrument, profile=profile)


async def _provision(sandbox: Sandbox) -> None:
    account = await sandbox.open_account("demo")
    await sandbox.submit(
        binance.ENGINE,
        Deposit(account=account, wallet="spot", asset="USDT", amount=Decimal(10_000_000), reference=""),
    )
