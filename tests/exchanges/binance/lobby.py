"""Binance's front door with hardly a room behind it: a few rows that tell what they were given."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from emulator.core.rejections import InsufficientBalance
from emulator.exchanges.binance import vocabulary as v
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.errors import refuse
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Call, Kind, Parameter, Rows, Site
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.runtime.universe import Universe, withdraw
from tests.web.client import Reply, ask

KEY = "demo-key"
SECRET = "demo-secret"

rows = Rows()
Told = dict[str, Any]


def _told(call: Call) -> Told:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in call.values.items()}


@rows.route("GET", "/api/v3/ping", summary="Nothing asked", answers=Told)
def ping(call: Call) -> Told:
    return _told(call)


@rows.route(
    "GET",
    "/api/v3/depth",
    summary="Open to all",
    answers=Told,
    weight=lambda values: 5 if values["limit"] <= 100 else 250,
    parameters=(
        v.SYMBOL_OPTIONAL,
        v.SYMBOLS,
        v.limit(100, 5000),
        v.INTERVAL.but(required=False),
        v.START_TIME,
        v.FROM_ID,
        Parameter("flag", Kind.BOOLEAN),
        Parameter("words"),
    ),
    exclusive=(("symbol", "symbols"),),
)
def depth(call: Call) -> Told:
    return _told(call)


@rows.route("GET", "/api/v3/heavy", summary="Weighs much", answers=Told, weight=2500)
def heavy(call: Call) -> Told:
    return {}


@rows.route(
    "POST",
    "/api/v3/order",
    summary="For one's own account",
    answers=Told,
    security=v.TRADE,
    weight=1,
    free_when_accepted=True,
    orders=1,
    parameters=(
        v.SYMBOL,
        v.SIDE,
        v.ORDER_TYPE,
        v.TIME_IN_FORCE,
        v.QUANTITY,
        v.PRICE,
        v.NEW_CLIENT_ORDER_ID,
        v.STRATEGY_TYPE,
        v.SELF_TRADE_PREVENTION_MODE,
    ),
)
async def order(call: Call) -> Told:
    if call.values["symbol"] == "NOSUCH":
        raise refuse(-1121)
    return _told(call) | {"account": call.account, "at": call.render_time(call.now_us)}


@rows.route(
    "DELETE",
    "/api/v3/order",
    summary="By either id",
    answers=Told,
    security=v.TRADE,
    free_when_accepted=True,
    parameters=(v.SYMBOL, v.ORDER_ID, v.ORIG_CLIENT_ORDER_ID),
    one_of=(("orderId", "origClientOrderId"),),
)
async def cancel(call: Call) -> Told:
    return await call.submit(withdraw(call.account, "1"), lambda done: _told(call))


@rows.route("GET", "/api/v3/account", summary="A read", answers=Told, security=v.USER_DATA, weight=20)
def account(call: Call) -> Told:
    return {"account": call.account}


@rows.route("GET", "/sapi/v1/bnbBurn", summary="Another pool", answers=Told, security=v.USER_DATA)
def burn(call: Call) -> Told:
    return _told(call)


@rows.route("POST", "/api/v3/replace", summary="Counts its order itself", answers=Told, security=v.TRADE)
async def replace(call: Call) -> Told:
    call.reserve_orders(1)
    if call.request.headers.get(b"x-keep"):
        call.keep_orders()
    raise call.site.dialect.speak(
        InsufficientBalance(asset="USDT", needed=Decimal(1), available=Decimal(0)), None
    )


class Lobby:
    """The door, a universe, and clients that sign as real ones do."""

    def __init__(self, make_door: Callable[..., Door] = Door, **settings: Any) -> None:
        self.universe = Universe()
        self.door = make_door(engine="north", wall_us=lambda: self.universe.wall_us, **settings)
        self.application = Application(
            sites=[
                Site(
                    name="binance",
                    engine="north",
                    title="Binance",
                    rows=tuple(rows),
                    dialect=self.door,
                )
            ],
            sandboxes=self.universe.sandboxes,
            hosts=Hosts(),
            frame=build_frame((), None),
        )

    async def __aenter__(self) -> Lobby:
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

    async def add_key(self, key: str, **fields: Any) -> None:
        await self.sandbox.add_key(KeyRecord(key=key, account=self.account, **fields))

    async def get(self, path: str, query: str | bytes = "", **more: Any) -> Reply:
        return await ask(self.application, "GET", path, query=query, **more)

    async def send(
        self,
        method: str,
        path: str,
        parameters: str = "",
        *,
        body: str = "",
        timestamp: int | str | None = None,
        key: str | None = KEY,
        secret: str = SECRET,
        headers: dict[str, str] | None = None,
        source_ip: str = "127.0.0.1",
    ) -> Reply:
        """Signed with HMAC; timestamp and signature go last, into the body if there is one."""
        stamp = self.universe.wall_us // 1000 if timestamp is None else timestamp
        if body:
            body += f"&timestamp={stamp}"
            body += f"&signature={sign(parameters + body, secret)}"
        else:
            parameters += ("&" if parameters else "") + f"timestamp={stamp}"
            parameters += f"&signature={sign(parameters, secret)}"
        sent = dict(headers or {})
        if key is not None:
            sent["X-MBX-APIKEY"] = key
        return await ask(
            self.application,
            method,
            path,
            query=parameters,
            body=body,
            headers=sent,
            source_ip=source_ip,
        )

    async def order(self, parameters: str = "symbol=BTCUSDT&side=BUY&type=MARKET", **more: Any) -> Reply:
        return await self.send("POST", "/api/v3/order", parameters, **more)


def sign(payload: str, secret: str = SECRET) -> str:
    return hmac.digest(secret.encode(), payload.encode(), "sha256").hex()
