"""The doors of both futures sites: common counts, their own words, and what differs from Spot's."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.exchanges.binance import vocabulary as v
from emulator.exchanges.binance.futures.door import LIMITS, futures_doors, reserve_batch
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.limits import FUNDING_POOL, VIOLATIONS_TOLERATED, Limits
from emulator.runtime.quotas import MINUTE_US
from emulator.web.contract import Call, Kind, Parameter, Site
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.server import Application
from tests.runtime.universe import Universe
from tests.web.client import Reply, ask

pytestmark = pytest.mark.anyio

SECOND_US = 1_000_000

rows = FuturesRows()
Told = dict[str, Any]


@rows.both(
    "GET",
    "/v1/depth",
    summary="Open to all",
    answers=Told,
    weight=100,
    parameters=(v.SYMBOL_OPTIONAL, Parameter("amount", Kind.DECIMAL), v.ORDER_ID),
)
def depth(call: Call) -> Told:
    return {name: str(one) if isinstance(one, Decimal) else one for name, one in call.values.items()}


@rows.both("GET", "/v1/fundingRate", summary="Counted apart", answers=Told, pool=FUNDING_POOL)
def funding(call: Call) -> Told:
    return {}


@rows.both("POST", "/v1/order", summary="Counts one", answers=Told, security=v.TRADE, weight=0, orders=1)
def order(call: Call) -> Told:
    return {}


@rows.both("POST", "/v1/batchOrders", summary="Counts five", answers=Told, security=v.TRADE, weight=5)
def batch(call: Call) -> Told:
    reserve_batch(call, 5)
    return {}


class Halls:
    """Both sites over a toy engine."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.universe = Universe()
        doors = futures_doors(limits=limits, engine="north", wall_us=lambda: self.universe.wall_us)
        self.application = Application(
            sites=[
                Site(
                    name=product.site,
                    engine="north",
                    title=product.title,
                    rows=tuple(rows.of(product)),
                    dialect=doors[product],
                )
                for product in (USDM, COINM)
            ],
            sandboxes=self.universe.sandboxes,
            hosts=Hosts(),
            frame=build_frame((), None),
        )

    async def ask(self, path: str, query: str = "", product: Product = USDM, **more: Any) -> Reply:
        return await ask(self.application, "GET", product.prefix + path, query=query, **more)

    async def send(self, path: str, product: Product = USDM, *, signature: str | None = None) -> Reply:
        query = f"timestamp={self.universe.wall_us // 1000}"
        signed = signature or hmac.digest(b"demo-secret", query.encode(), "sha256").hex()
        return await ask(
            self.application,
            "POST",
            product.prefix + path,
            query=f"{query}&signature={signed}",
            headers={"X-MBX-APIKEY": "demo-key"},
        )

    def begin(self, interval_us: int) -> None:
        """Go to where a window of this length begins."""
        self.universe.wall_us += -self.universe.wall_us % interval_us


@pytest.fixture
async def halls() -> AsyncIterator[Halls]:
    halls = Halls()
    await halls.universe.open()
    yield halls
    await halls.universe.sandboxes.close()


async def halls_of(limits: Limits) -> Halls:
    halls = Halls(limits)
    await halls.universe.open()
    return halls


def used(reply: Reply) -> int:
    assert "x-mbx-used-weight" not in reply.headers
    return int(reply.headers["x-mbx-used-weight-1m"])


def orders(reply: Reply) -> tuple[int, int]:
    assert "x-mbx-order-count-1d" not in reply.headers
    return int(reply.headers["x-mbx-order-count-10s"]), int(reply.headers["x-mbx-order-count-1m"])


def said(reply: Reply) -> tuple[int, int, str]:
    return reply.status, reply.json["code"], reply.json["msg"]


async def test_both_products_share_the_weight_of_an_ip(halls: Halls) -> None:
    assert used(await halls.ask("/v1/depth")) == 100
    assert used(await halls.ask("/v1/depth", product=COINM)) == 200
    assert used(await halls.send("/v1/order")) == 200
    assert used(await halls.ask("/v1/depth", source_ip="10.0.0.9")) == 100


async def test_both_products_share_the_orders_of_an_account(halls: Halls) -> None:
    halls.begin(MINUTE_US)
    assert orders(await halls.send("/v1/order")) == (1, 1)
    assert orders(await halls.send("/v1/order", COINM)) == (2, 2)
    halls.universe.wall_us += 10 * SECOND_US
    assert orders(await halls.send("/v1/order")) == (1, 3)
    halls.universe.wall_us += 50 * SECOND_US
    assert orders(await halls.send("/v1/order")) == (1, 1)


async def test_a_batch_counts_once_in_the_minute(halls: Halls) -> None:
    """Place Multiple Orders: 5 on the 10 s limit, 1 on the 1 min limit."""
    assert orders(await halls.send("/v1/batchOrders")) == (5, 1)


@pytest.mark.parametrize(
    ("limits", "words", "retry"),
    [
        ({"orders_per_10_seconds": 2}, "2 orders per TEN_SECONDS", "10"),
        ({"orders_per_minute": 2}, "2 orders per MINUTE", "60"),
    ],
)
async def test_too_many_orders(limits: dict[str, Any], words: str, retry: str) -> None:
    halls = await halls_of(Limits(**{"fills_release": False, "orders_per_minute": 1200, **limits, **TEN}))
    halls.begin(MINUTE_US)
    replies = [await halls.send("/v1/order") for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert said(replies[-1]) == (429, -1015, f"Too many new orders; current limit is {words}.")
    assert replies[-1].headers["retry-after"] == retry
    await halls.universe.sandboxes.close()


TEN = {"ten_seconds": "TEN_SECONDS"}


async def test_too_much_weight(halls: Halls) -> None:
    halls.begin(MINUTE_US)
    replies = [await halls.ask("/v1/depth") for _ in range(25)]
    assert said(replies[-1]) == (
        429,
        -1003,
        (
            "Too many requests; current limit is 2400 requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        ),
    )
    for _ in range(VIOLATIONS_TOLERATED - 1):
        await halls.ask("/v1/depth")
    until_ms = halls.universe.wall_us // 1000 + 120_000
    assert said(await halls.ask("/v1/depth", product=COINM)) == (
        418,
        -1003,
        (
            f"Way too many requests; IP banned until {until_ms}. "
            "Please use the websocket for live updates to avoid bans."
        ),
    )


async def test_funding_rates_are_counted_apart() -> None:
    halls = await halls_of(Limits(funding_requests_per_5_minutes=2))
    replies = [
        await halls.ask("/v1/fundingRate"),
        await halls.ask("/v1/fundingRate", product=COINM),
        await halls.ask("/v1/fundingRate"),
    ]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert not any(name.startswith("x-mbx-used") for reply in replies for name in reply.headers)
    assert used(await halls.ask("/v1/depth")) == 100
    await halls.universe.sandboxes.close()


async def test_unknown_parameters_are_passed_over(halls: Halls) -> None:
    assert (await halls.ask("/v1/depth", "symbol=BTCUSDT&nonsense=1")).json == {"symbol": "BTCUSDT"}


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("amount=1.123456789", -1111, "Precision is over the maximum defined for this asset."),
        (
            "orderId=99999999999999999999",
            -1102,
            "Mandatory parameter 'orderid' was not sent, was empty/null, or malformed.",
        ),
        ("symbol=", -1105, "Parameter 'symbol' was empty."),
        (
            "amount=1e5",
            -1100,
            f"Illegal characters found in parameter 'amount'; legal range is '{v.DECIMAL_RANGE}'.",
        ),
    ],
)
async def test_what_is_wrong_with_parameters(halls: Halls, query: str, code: int, message: str) -> None:
    assert said(await halls.ask("/v1/depth", query)) == (400, code, message)


async def test_an_amount_below_zero_is_a_number(halls: Halls) -> None:
    assert (await halls.ask("/v1/depth", "amount=-1.50")).json == {"amount": "-1.5"}


async def test_who_asks(halls: Halls) -> None:
    invalid = "Signature for this request is not valid."
    assert said(await halls.send("/v1/order", signature="00")) == (400, -1022, invalid)
    reply = await ask(halls.application, "POST", "/fapi/v1/order")
    assert said(reply) == (401, -2014, "API-key format invalid.")


async def test_times_are_in_milliseconds_whatever_a_header_says(halls: Halls) -> None:
    reply = await halls.ask("/v1/depth", headers={"X-MBX-TIME-UNIT": "FORTNIGHT"})
    assert reply.status == 200
