"""Bybit's front door with hardly a room behind it: a few rows that tell what they were given."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from emulator.core.rejections import InsufficientBalance
from emulator.exchanges.bybit.auth import ALL_PERMISSIONS, ORDER, POSITION, READ
from emulator.exchanges.bybit.door import Door
from emulator.exchanges.bybit.envelope import Told
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows, Site
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.runtime.universe import FailingJournal, Universe, till, withdraw
from tests.web.client import Reply, ask

KEY = "demo-key"
SECRET = "demo-secret"

rows = Rows()
Anything = dict[str, Any]

CATEGORY = Parameter("category", Kind.CHOICE, choices=("spot", "linear", "inverse", "option"), required=True)
SYMBOL = Parameter("symbol", pattern=r"[A-Z0-9-]+", required=True)
SIDE = Parameter("side", Kind.CHOICE, choices=("Buy", "Sell"))
QUANTITY = Parameter("qty", Kind.DECIMAL)
ORDER_TERMS = (
    SYMBOL,
    SIDE,
    QUANTITY,
    Parameter("price", Kind.DECIMAL, decimals=4),
    Parameter("positionIdx", Kind.INTEGER, maximum=2, default=0),
    Parameter("reduceOnly", Kind.BOOLEAN),
    Parameter("margin", Kind.DECIMAL, minimum=-1000),
    Parameter("at", Kind.TIME),
    Parameter("coins", Kind.TEXT_LIST, members_max=3),
)


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return str(value)
        case Refusal():
            return [value.code, value.message]
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case tuple():
            return [_plain(one) for one in value]
        case _:
            return value


def _told(call: Call) -> Anything:
    told: Anything = _plain(call.values)
    return told


@rows.route("GET", "/v5/market/time", summary="Nothing asked", answers=Anything)
def time(call: Call) -> Anything:
    return {}


@rows.route(
    "GET",
    "/v5/order/realtime",
    summary="A read",
    answers=Anything,
    security=READ,
    parameters=(
        CATEGORY,
        SYMBOL.but(required=False),
        Parameter("settleCoin"),
        Parameter("cursor"),
        Parameter("limit", Kind.INTEGER, minimum=1, maximum=50, clamped=True, default=20),
    ),
    one_of=(("symbol", "settleCoin"),),
)
def realtime(call: Call) -> Anything:
    return _told(call) | {"account": call.account}


@rows.route(
    "POST",
    "/v5/order/create",
    summary="For one's own account",
    answers=Anything,
    security=ORDER,
    parameters=(CATEGORY, *ORDER_TERMS),
)
def create(call: Call) -> Anything:
    if call.values["symbol"] == "POOR":
        raise call.site.dialect.speak(
            InsufficientBalance(asset="USDT", needed=Decimal(1), available=Decimal(0)), None
        )
    return _told(call) | {"account": call.account}


@rows.route(
    "POST",
    "/v5/order/create-batch",
    summary="Several at once",
    answers=Anything,
    security=ORDER,
    parameters=(
        CATEGORY,
        Parameter("request", Kind.REQUEST_LIST, members=ORDER_TERMS, members_max=20, required=True),
    ),
)
def create_batch(call: Call) -> Told:
    return Told(result=_told(call), extra={"list": [{"code": 0, "msg": "OK"}]})


@rows.route("POST", "/v5/position/confirm", summary="No parameters", answers=Anything, security=POSITION)
async def confirm(call: Call) -> Anything:
    return await call.submit(withdraw(call.account, "1"), lambda done: {})


@rows.route("GET", "/v5/user/query-api", summary="Bytes", answers=Anything, security=READ)
def bare(call: Call) -> bytes:
    return b'{"balance":"%d"}' % int(till(call.sandbox).balances[call.account, "USDT"])


class Gatehouse:
    """The door, a universe, and clients that sign as real ones do."""

    def __init__(self, *, journal: FailingJournal | None = None, **settings: Any) -> None:
        self.universe = Universe(journal)
        self.door = Door(wall_us=lambda: self.universe.wall_us, **settings)
        self.site = Site(
            name="bybit",
            engine="north",
            title="Bybit",
            rows=tuple(rows),
            dialect=self.door,
            takes_forms=False,
            takes_json=True,
            permissions=ALL_PERMISSIONS,
        )
        self.application = Application(
            sites=[self.site],
            sandboxes=self.universe.sandboxes,
            hosts=Hosts(),
            frame=build_frame((), None),
        )

    async def __aenter__(self) -> Gatehouse:
        await self.universe.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.universe.sandboxes.close()

    @property
    def sandbox(self) -> Sandbox:
        return self.universe.sandboxes.default

    @property
    def account(self) -> int:
        return self.sandbox.accounts["demo"]

    @property
    def now_ms(self) -> int:
        return self.universe.wall_us // 1000

    async def add_key(self, key: str, **fields: Any) -> None:
        await self.sandbox.add_key(KeyRecord(key=key, account=self.account, **fields))

    async def knock(self, path: str = "/v5/market/time", **more: Any) -> Reply:
        """Without a signature."""
        return await ask(self.application, "GET", path, **more)

    async def send(
        self,
        method: str,
        path: str,
        content: str = "",
        *,
        key: str | None = KEY,
        secret: str = SECRET,
        timestamp: int | str | None = None,
        window: int | str | None = 5000,
        sent: str | None = None,
        signature: str | None = None,
        headers: Mapping[str, str] | None = None,
        source_ip: str = "127.0.0.1",
    ) -> Reply:
        """content: the query of a GET, or the body of a POST, as it is signed. sent: how it is really sent,
        where that differs."""
        stamp = str(self.now_ms if timestamp is None else timestamp)
        named = "" if window is None else str(window)
        if signature is None:
            signature = sign(f"{stamp}{key or ''}{named}{content}", secret)
        said = {"X-BAPI-SIGN": signature, "X-BAPI-TIMESTAMP": stamp, **(headers or {})}
        if key is not None:
            said["X-BAPI-API-KEY"] = key
        if window is not None:
            said["X-BAPI-RECV-WINDOW"] = named
        carried = content if sent is None else sent
        query, body = (carried, "") if method == "GET" else ("", carried)
        return await ask(
            self.application,
            method,
            path,
            query=query,
            body=body,
            headers=said,
            source_ip=source_ip,
        )

    async def create(self, body: str = '{"category":"linear","symbol":"BTCUSDT"}', **more: Any) -> Reply:
        return await self.send("POST", "/v5/order/create", body, **more)

    async def realtime(self, query: str = "category=linear&symbol=BTCUSDT", **more: Any) -> Reply:
        return await self.send("GET", "/v5/order/realtime", query, **more)


def sign(payload: str, secret: str = SECRET) -> str:
    return hmac.digest(secret.encode(), payload.encode(), "sha256").hex()


def told(reply: Reply) -> tuple[int, int, str]:
    """Status, code and text of an answer, whose envelope is whole."""
    body = reply.json
    assert list(body) == ["retCode", "retMsg", "result", "retExtInfo", "time"], body
    return reply.status, body["retCode"], body["retMsg"]
