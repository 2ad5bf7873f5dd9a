"""Stories of orders that wait for a price or an end, and of settings, over signed requests.

The mark price while a book is set by hand: the median of the index with what is left of the funding rate, the
index with the basis of the last 30 seconds on average, and the last price. The last price goes to the nearer
side of a new book at once; the basis follows within 30 seconds, so the mark ends at the last price.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.arena import COIN_BUY, LIMIT_BUY, MARKET_BUY, STOP
from tests.exchanges.binance.futures.stage import BUY, SECOND_US, Stage, decimals

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage.played() as stage:
        yield stage


# Conditional orders


FALLING = {
    "STOP": "SELL",
    "STOP_MARKET": "SELL",
    "TAKE_PROFIT": "BUY",
    "TAKE_PROFIT_MARKET": "BUY",
    "TRAILING_STOP_MARKET": "SELL",
}
"""Which side a falling price triggers."""


@pytest.mark.parametrize("product", [USDM, COINM], ids=["usdm", "coinm"])
@pytest.mark.parametrize("working", ["CONTRACT_PRICE", "MARK_PRICE"])
@pytest.mark.parametrize("kind", FALLING)
async def test_a_conditional_order_goes_by_the_price_that_it_names(
    stage: Stage, product: Product, working: str, kind: str
) -> None:
    """The contract falls by 2 % at once and its mark within 30 seconds: by 1.5 % after 22.5 seconds, by the
    one per cent of a trailing order after 15. Marks move at whole seconds; the first is 0.543 s away."""
    side = FALLING[kind]
    usdm = product is USDM
    bid, ask = ("97990", "98010") if usdm else ("48990", "49010")
    values: dict[str, Any] = {
        **STOP,
        "symbol": BUY[product]["symbol"],
        "side": side,
        "type": kind,
        "quantity": "0.01" if usdm else "10",
        "triggerPrice": "98500" if usdm else "49250",
        "workingType": working,
    }
    if kind == "TRAILING_STOP_MARKET":
        del values["triggerPrice"]
        values["callbackRate"] = "1"
    if kind in ("STOP", "TAKE_PROFIT"):
        values["price"] = {"SELL": ("97900", "48950"), "BUY": ("98100", "49050")}[side][not usdm]
        values["timeInForce"] = "GTC"
    algo_id = (await stage.ok("POST", "algoOrder", product, **values))["algoId"]

    async def status() -> str:
        return str((await stage.ok("GET", "algoOrder", product, algoId=algo_id))["algoStatus"])

    await stage.quote(bid, ask, product)
    if working == "MARK_PRICE":
        last_second = 15 if kind == "TRAILING_STOP_MARKET" else 22
        await stage.step((last_second + 1) * SECOND_US - NOW_US % SECOND_US - 1)
        assert await status() == "NEW"
        await stage.step(1)
    assert await status() == "FINISHED"
    order_id = (await stage.ok("GET", "algoOrder", product, algoId=algo_id))["actualOrderId"]
    order = await stage.find_order(int(order_id), product, values["symbol"])
    price = bid if side == "SELL" else ask
    assert (order["status"], Decimal(order["avgPrice"])) == ("FILLED", Decimal(price))
    quantity = Decimal(values["quantity"]) * (-1 if side == "SELL" else 1)
    assert await stage.positions(product) == {"BOTH": (quantity, Decimal(price))}


async def test_an_order_that_closes_a_position_takes_all_of_it(stage: Stage) -> None:
    await stage.taken("BUY", "0.1", "100010")
    closing = {**STOP, "triggerPrice": "98500", "closePosition": "true"}
    del closing["quantity"]
    algo_id = (await stage.ok("POST", "algoOrder", **closing))["algoId"]
    assert (await stage.no("POST", "algoOrder", **closing))[0] == -4130
    await stage.taken("BUY", "0.05", "100010")
    await stage.quote("97990", "98010")
    assert (await stage.ok("GET", "algoOrder", algoId=algo_id))["algoStatus"] == "FINISHED"
    assert await stage.positions() == {}
    # 0.15 * (97990 - 100010); fees are 0.0005 of 10001, 5000.5 and 14698.5.
    assert await stage.incomes("REALIZED_PNL") == [-303]
    assert await stage.wallet() == Decimal("99682.15")


@pytest.mark.parametrize(("protects", "status"), [("true", "EXPIRED"), ("false", "FINISHED")])
@pytest.mark.parametrize("ask", ["94010", "95010"])
async def test_a_protected_order_ends_where_the_prices_are_apart(
    stage: Stage, protects: str, status: str, ask: str
) -> None:
    """The contract is at 94010 and its mark still at 100000, which is more than 5 %; 95010 is not."""
    values = {**STOP, "side": "BUY", "type": "TAKE_PROFIT_MARKET", "triggerPrice": "98500"}
    algo_id = (await stage.ok("POST", "algoOrder", **values, priceProtect=protects))["algoId"]
    await stage.quote(str(int(ask) - 20), ask)
    is_near = ask == "95010"
    told = (await stage.ok("GET", "algoOrder", algoId=algo_id))["algoStatus"]
    assert told == ("FINISHED" if is_near else status)
    assert await stage.positions() == ({"BOTH": decimals("0.01", ask)} if told == "FINISHED" else {})


# What ends by the clock


async def test_an_order_good_till_a_date_frees_its_margin(stage: Stage) -> None:
    date_ms = (NOW_US // SECOND_US + 601) * 1000
    placed = await stage.place_order({**LIMIT_BUY, "timeInForce": "GTD", "goodTillDate": date_ms})
    account = await stage.get("/fapi/v2/account")
    # 0.01 * 99000 / 20
    assert Decimal(account["totalOpenOrderInitialMargin"]) == Decimal("49.5")
    await stage.step(date_ms * 1000 - NOW_US - 1)
    assert (await stage.find_order(placed["orderId"]))["status"] == "NEW"
    await stage.step(1)
    assert (await stage.find_order(placed["orderId"]))["status"] == "EXPIRED"
    account = await stage.get("/fapi/v2/account")
    assert Decimal(account["availableBalance"]) == 100_000


@pytest.mark.parametrize(("product", "values"), [(USDM, LIMIT_BUY), (COINM, COIN_BUY)], ids=["usdm", "coinm"])
async def test_a_countdown_ends_the_orders_of_its_symbol(
    stage: Stage, product: Product, values: dict[str, Any]
) -> None:
    symbol = values["symbol"]
    ended = await stage.place_order(values, product)
    other, price = ("ETHUSDT", "3900") if product is USDM else ("BTCUSD_260925", "49000")
    stays = await stage.place_order(values, product, symbol=other, price=price, quantity="1")
    await stage.ok("POST", "countdownCancelAll", product, symbol=symbol, countdownTime=5000)
    await stage.step(5 * SECOND_US - 1)
    assert (await stage.find_order(ended["orderId"], product, symbol))["status"] == "NEW"
    # Time is counted in milliseconds from that of the request.
    await stage.step(1)
    assert (await stage.find_order(ended["orderId"], product, symbol))["status"] == "CANCELED"
    assert [one["orderId"] for one in await stage.ok("GET", "openOrders", product)] == [stays["orderId"]]


# Settings, and what they are refused for


@pytest.mark.parametrize("product", [USDM, COINM], ids=["usdm", "coinm"])
async def test_when_margin_types_may_not_change(stage: Stage, product: Product) -> None:
    symbol = BUY[product]["symbol"]
    resting = LIMIT_BUY if product is USDM else COIN_BUY

    async def refused(kind: str) -> int:
        return (await stage.no("POST", "marginType", product, symbol=symbol, marginType=kind))[0]

    assert await refused("CROSSED") == -4046
    order_id = (await stage.place_order(resting, product))["orderId"]
    assert await refused("ISOLATED") == -4047
    await stage.ok("DELETE", "order", product, symbol=symbol, orderId=order_id)
    await stage.finish(BUY[product], product)
    assert await refused("ISOLATED") == -4048
    await stage.finish(BUY[product], product, side="SELL")
    await stage.ok("POST", "marginType", product, symbol=symbol, marginType="ISOLATED")
    assert await refused("ISOLATED") == -4046


@pytest.mark.parametrize("product", [USDM, COINM], ids=["usdm", "coinm"])
async def test_when_the_position_mode_may_not_change(stage: Stage, product: Product) -> None:
    """The mode is that of both products, so what the other one has is in the way as well."""
    coin = {**BUY[COINM], "quantity": "10"}
    sides = [(USDM, LIMIT_BUY, MARKET_BUY), (COINM, COIN_BUY, coin)]

    async def refused(dual: str) -> int:
        return (await stage.no("POST", "positionSide/dual", product, dualSidePosition=dual))[0]

    assert await refused("false") == -4059
    assert (await stage.no("POST", "order", product, **BUY[product], positionSide="LONG"))[0] == -4061
    for site, resting, market in sides:
        order_id = (await stage.place_order(resting, site))["orderId"]
        assert await refused("true") == (-4067 if site is product else -4531)
        await stage.ok("DELETE", "order", site, symbol=resting["symbol"], orderId=order_id)
        await stage.finish(market, site)
        assert await refused("true") == (-4068 if site is product else -4531)
        await stage.finish(market, site, side="SELL")
    await stage.ok("POST", "positionSide/dual", product, dualSidePosition="true")
    assert await refused("true") == -4059
    assert (await stage.no("POST", "order", product, **BUY[product]))[0] == -4061


@pytest.mark.parametrize(
    ("product", "most", "quantity", "code"),
    [
        (USDM, 150, "0.1", -4161),
        # COIN-M has another code for it (error codes, -4150).
        (COINM, 125, "100", -4150),
    ],
    ids=["usdm", "coinm"],
)
async def test_leverage_of_an_isolated_position_only_rises(
    stage: Stage, product: Product, most: int, quantity: str, code: int
) -> None:
    symbol = BUY[product]["symbol"]
    for wrong in (0, most + 1):
        refused = await stage.no("POST", "leverage", product, symbol=symbol, leverage=wrong)
        assert refused == (-4028, f"Leverage {wrong} is not valid")
    await stage.ok("POST", "marginType", product, symbol=symbol, marginType="ISOLATED")
    await stage.finish(BUY[product], product, quantity=quantity)
    assert (await stage.no("POST", "leverage", product, symbol=symbol, leverage=19))[0] == code
    told = await stage.ok("POST", "leverage", product, symbol=symbol, leverage=21)
    assert told["leverage"] == 21


async def test_leverage_bounds_what_may_be_held(stage: Stage) -> None:
    """At 150 up to 300000, at 100 up to 800000; 3 at 100010 are 300030 and 4.9 are 490049."""
    await stage.ok("POST", "leverage", symbol="BTCUSDT", leverage=150)
    assert (await stage.no("POST", "order", **{**MARKET_BUY, "quantity": "3"}))[0] == -2027
    await stage.ok("POST", "leverage", symbol="BTCUSDT", leverage=20)
    await stage.taken("BUY", "4.9", "100010")
    assert (await stage.no("POST", "leverage", symbol="BTCUSDT", leverage=150))[0] == -2027
    # A fourth of 490000 is 122500, and there are less than 100000; a fifth is 98000, which is there:
    # 100000 - 245.0245 of fee - 49 lost at a mark of 100000.
    assert (await stage.no("POST", "leverage", symbol="BTCUSDT", leverage=4))[0] == -2028
    await stage.ok("POST", "leverage", symbol="BTCUSDT", leverage=5)
    account = await stage.get("/fapi/v2/account")
    assert Decimal(account["totalPositionInitialMargin"]) == 98_000


async def test_coin_margined_leverage_bounds_what_may_be_held(stage: Stage) -> None:
    """At 125 up to 5 BTC: 2501 contracts at 50010 are 5.001 BTC."""
    symbol = "BTCUSD_PERP"
    await stage.ok("POST", "leverage", COINM, symbol=symbol, leverage=125)
    assert (await stage.no("POST", "order", COINM, **{**BUY[COINM], "quantity": "2501"}))[0] == -2027
    await stage.ok("POST", "leverage", COINM, symbol=symbol, leverage=20)
    await stage.taken("BUY", "10000", "50010", COINM)
    assert (await stage.no("POST", "leverage", COINM, symbol=symbol, leverage=125))[0] == -2027
    # 20 BTC at a mark of 50000: the whole of it is more than the 10 that there are, a half too by the fee.
    for leverage in (1, 2):
        assert (await stage.no("POST", "leverage", COINM, symbol=symbol, leverage=leverage))[0] == -2028
    await stage.ok("POST", "leverage", COINM, symbol=symbol, leverage=3)
