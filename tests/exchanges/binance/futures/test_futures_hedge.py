"""Hedge mode over the wire: two legs of each symbol, with orders, margins, settings and stories of their own.

Sources: New Order, Modify Isolated Position Margin, Position ADL Quantile Estimation, Event: Balance and
Position Update, and the error codes of both products, unless a test says another.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.arena import LIMIT_BUY, LIMIT_SELL, STOP
from tests.exchanges.binance.futures.stage import BUY, HOUR_US, Stage
from tests.exchanges.binance.futures.test_futures_user_data import Ear

pytestmark = pytest.mark.anyio

OPEN_LONG = {**LIMIT_BUY, "positionSide": "LONG"}
OPEN_SHORT = {**LIMIT_SELL, "positionSide": "SHORT"}
CLOSE_LONG = {**LIMIT_SELL, "positionSide": "LONG"}
CLOSE_SHORT = {**LIMIT_BUY, "positionSide": "SHORT"}
OF_COIN = {"symbol": "BTCUSD_PERP", "quantity": "10"}
CLOSING: dict[str, Any] = {name: value for name, value in STOP.items() if name != "quantity"} | {
    "closePosition": "true"
}
BTCUSDT: dict[str, Any] = {"symbol": "BTCUSDT"}


@pytest.fixture
async def stage(anyio_backend: str) -> AsyncIterator[Stage]:
    """In hedge mode from the start."""
    async with Stage.played() as stage:
        await stage.hedge()
        yield stage


async def both(stage: Stage, product: Product = USDM) -> None:
    """A long leg at the ask, and a short one at the bid."""
    await stage.finish(BUY[product], product, positionSide="LONG")
    await stage.finish(BUY[product], product, side="SELL", positionSide="SHORT")


# Orders


@pytest.mark.parametrize("product", [USDM, COINM], ids=["usdm", "coinm"])
async def test_what_is_against_its_leg_is_told_to_only_reduce(stage: Stage, product: Product) -> None:
    """Live answers: a limit order to sell of the leg LONG has `reduceOnly` true, on both products, though
    nobody may send that in hedge mode."""
    await both(stage, product)
    more = OF_COIN if product is COINM else {}
    ear = Ear(stage, product)
    for values, is_reducing, price in (
        (OPEN_LONG, False, "49000"),
        (OPEN_SHORT, False, "51000"),
        (CLOSE_LONG, True, "51000"),
        (CLOSE_SHORT, True, "49000"),
    ):
        placed = await stage.place_order(
            {**values, **({**more, "price": price} if more else {})}, product, newOrderRespType="RESULT"
        )
        assert placed["reduceOnly"] is is_reducing
        found = await stage.find_order(placed["orderId"], product, placed["symbol"])
        assert found["reduceOnly"] is is_reducing
        (event,) = ear.take()
        assert (event["o"]["R"], event["o"]["ps"]) == (is_reducing, values["positionSide"])


async def test_a_conditional_order_against_its_leg_only_reduces_too(stage: Stage) -> None:
    await both(stage)
    ear = Ear(stage, USDM)
    placed = await stage.ok("POST", "algoOrder", **STOP, positionSide="LONG")
    assert (placed["reduceOnly"], placed["positionSide"]) == (True, "LONG")
    (event,) = ear.take()
    assert (event["o"]["R"], event["o"]["ps"]) == (True, "LONG")
    opening = await stage.ok("POST", "algoOrder", **STOP, positionSide="SHORT")
    assert opening["reduceOnly"] is False


@pytest.mark.parametrize("product", [USDM, COINM], ids=["usdm", "coinm"])
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, -4061),
        ({"positionSide": "BOTH"}, -4061),
        ({"positionSide": "UP"}, -4060),
        ({"positionSide": "LONG", "reduceOnly": "true"}, -1106),
        ({"positionSide": "LONG", "reduceOnly": "perhaps"}, -4062),
        ({"positionSide": "SHORT"}, -2022),
    ],
    ids=str,
)
async def test_what_does_not_fit_the_mode(
    stage: Stage, product: Product, values: dict[str, Any], code: int
) -> None:
    assert (await stage.no("POST", "order", product, **{**BUY[product], **values}))[0] == code


async def test_each_leg_has_orders_of_its_own_that_close_it(stage: Stage) -> None:
    """One of each kind of trigger for a leg; and not to buy for LONG, nor to sell for SHORT."""
    await both(stage)
    await stage.ok("POST", "algoOrder", **CLOSING, positionSide="LONG")
    rising: dict[str, Any] = {**CLOSING, "side": "BUY", "triggerPrice": "102000"}
    await stage.ok("POST", "algoOrder", **rising, positionSide="SHORT")
    for values in ({**CLOSING, "positionSide": "LONG"}, {**rising, "positionSide": "SHORT"}):
        assert (await stage.no("POST", "algoOrder", **values))[0] == -4130
    for values in ({**CLOSING, "positionSide": "SHORT"}, {**rising, "positionSide": "LONG"}):
        assert (await stage.no("POST", "algoOrder", **values))[0] == -4136
    ear = Ear(stage, USDM)
    await stage.quote("97980", "97990")
    await stage.hold_price("BTC/USDT", "97985")
    assert set(await stage.positions()) == {"SHORT"}
    (waiting,) = await stage.ok("GET", "openAlgoOrders")
    assert (waiting["positionSide"], waiting["closePosition"]) == ("SHORT", True)
    closed = [one["o"] for one in ear.take() if one["e"] == "ORDER_TRADE_UPDATE"][-1]
    assert (closed["ps"], closed["X"], closed["z"], closed["R"]) == ("LONG", "FILLED", "0.01", True)


async def test_a_batch_says_of_each_order_whether_it_fits(stage: Stage) -> None:
    await both(stage)
    orders = [OPEN_LONG, LIMIT_BUY, CLOSE_LONG, {**CLOSE_SHORT, "reduceOnly": "true"}]
    answers = await stage.ok("POST", "batchOrders", batchOrders=json.dumps(orders))
    assert [one.get("code") for one in answers] == [None, -4061, None, -1106]
    assert [one.get("reduceOnly") for one in answers] == [False, None, True, None]


async def test_a_modified_order_stays_with_its_leg(stage: Stage) -> None:
    await both(stage)
    placed = await stage.place_order(CLOSE_LONG)
    more: dict[str, Any] = {"side": "SELL", "quantity": "0.01", "price": "102000"}
    changed = await stage.ok("PUT", "order", symbol="BTCUSDT", orderId=placed["orderId"], **more)
    assert (changed["positionSide"], changed["price"], changed["reduceOnly"]) == ("LONG", "102000.00", True)
    # Of an order that may only reduce no more rests than there is.
    more |= {"quantity": "5", "price": "103000"}
    await stage.ok(
        "PUT",
        "order",
        symbol="BTCUSDT",
        orderId=placed["orderId"],
        **more,
    )
    assert (await stage.find_order(placed["orderId"]))["origQty"] == "0.010"


# Margins and settings


async def test_margin_is_moved_by_leg(stage: Stage) -> None:
    await stage.ok("POST", "marginType", **BTCUSDT, marginType="ISOLATED")
    await both(stage)
    ear = Ear(stage, USDM)
    await stage.ok("POST", "positionMargin", **BTCUSDT, positionSide="SHORT", amount="30", type=1)
    rows = {row["positionSide"]: row for row in await stage.get("/fapi/v3/positionRisk")}
    # 0.01 x 100,010 / 20 and 0.01 x 99,990 / 20 + 30
    assert Decimal(rows["LONG"]["isolatedWallet"]) == Decimal("50.005")
    assert Decimal(rows["SHORT"]["isolatedWallet"]) == Decimal("79.995")
    (event,) = ear.take()
    assert (event["a"]["m"], [one["ps"] for one in event["a"]["P"]]) == ("MARGIN_TRANSFER", ["LONG", "SHORT"])
    assert [one["iw"] for one in event["a"]["P"]] == ["50.005", "79.995"]
    (change,) = await stage.ok("GET", "positionMargin/history", **BTCUSDT)
    assert (change["positionSide"], change["amount"]) == ("SHORT", "30.00000000")


@pytest.mark.parametrize(("kind", "code"), [(1, -4054), (2, -4051)])
async def test_margin_is_moved_of_no_leg_that_is_not_there(stage: Stage, kind: int, code: int) -> None:
    """Who forgets the leg in hedge mode hears -4054 where margin is added, and -4051 where it is taken back
    (live answers, a thread about the parameter that an SDK lacked)."""
    await stage.ok("POST", "marginType", **BTCUSDT, marginType="ISOLATED")
    await both(stage)
    assert (await stage.no("POST", "positionMargin", **BTCUSDT, amount="1", type=kind))[0] == code


@pytest.mark.parametrize(("kind", "code"), [(1, -4049), (2, -4051)])
async def test_cross_positions_have_no_margin_to_move(stage: Stage, kind: int, code: int) -> None:
    await both(stage)
    values: dict[str, Any] = {**BTCUSDT, "positionSide": "LONG", "amount": "1", "type": kind}
    assert (await stage.no("POST", "positionMargin", **values))[0] == code


@pytest.mark.parametrize("product", [USDM, COINM], ids=["usdm", "coinm"])
async def test_leverage_and_margin_type_are_those_of_both_legs(stage: Stage, product: Product) -> None:
    symbol = BUY[product]["symbol"]
    ear = Ear(stage, product)
    await stage.ok("POST", "marginType", product, symbol=symbol, marginType="ISOLATED")
    await stage.ok("POST", "leverage", product, symbol=symbol, leverage=7)
    typed, leveraged = ear.take()
    assert [(one["ps"], one["mt"]) for one in typed["a"]["P"]] == [
        ("LONG", "isolated"),
        ("SHORT", "isolated"),
    ]
    assert leveraged["ac"] == {"s": symbol, "l": 7}
    path = "/fapi/v2/positionRisk" if product is USDM else "/dapi/v1/positionRisk"
    rows = [row for row in await stage.get(path) if row["symbol"] == symbol]
    assert [(row["positionSide"], row["leverage"], row["marginType"]) for row in rows] == [
        ("LONG", "7", "isolated"),
        ("SHORT", "7", "isolated"),
    ]


@pytest.mark.parametrize("is_isolated", [False, True])
async def test_quantiles_of_both_legs(stage: Stage, is_isolated: bool) -> None:
    """Crossed legs have one quantile, and HEDGE as a sign of it."""
    if is_isolated:
        await stage.ok("POST", "marginType", **BTCUSDT, marginType="ISOLATED")
    await both(stage)
    (row,) = await stage.ok("GET", "adlQuantile")
    assert set(row["adlQuantile"]) == {"LONG", "SHORT", "BOTH" if is_isolated else "HEDGE"}
    if not is_isolated:
        assert row["adlQuantile"]["LONG"] == row["adlQuantile"]["SHORT"]


# What streams tell


async def test_profit_is_told_of_the_leg_that_made_it(stage: Stage) -> None:
    """A leg that is flat has realised nothing, whatever the other one did."""
    await stage.taken("BUY", "0.1", "100010", positionSide="LONG")
    ear = Ear(stage, USDM)
    await stage.quote("100110", "100130")
    await stage.finish(BUY[USDM], side="SELL", quantity="0.1", positionSide="LONG")
    (change,) = [one["a"] for one in ear.take() if one["e"] == "ACCOUNT_UPDATE"]
    # 0.1 x (100,110 - 100,010)
    assert [(one["ps"], one["pa"], one["cr"]) for one in change["P"]] == [
        ("LONG", "0", "10"),
        ("SHORT", "0", "0"),
    ]


async def test_funding_is_told_of_isolated_legs_that_paid_it(stage: Stage) -> None:
    await stage.ok("POST", "marginType", **BTCUSDT, marginType="ISOLATED")
    await stage.taken("SELL", "0.1", "99990", positionSide="SHORT")
    ear = Ear(stage, USDM)
    await stage.step(9 * HOUR_US)
    (change,) = [one["a"] for one in ear.take() if one["e"] == "ACCOUNT_UPDATE"]
    assert change["m"] == "FUNDING_FEE"
    (leg,) = change["P"]
    assert leg["ps"] == "SHORT"
    (row,) = await stage.get("/fapi/v3/positionRisk")
    assert Decimal(leg["iw"]) == Decimal(row["isolatedWallet"])


async def test_funding_that_one_leg_pays_the_other_is_told_too(stage: Stage) -> None:
    """The balance is what it was, and the margins of both isolated legs are not."""
    await stage.ok("POST", "marginType", **BTCUSDT, marginType="ISOLATED")
    await both(stage)
    ear = Ear(stage, USDM)
    await stage.step(9 * HOUR_US)
    (change,) = [one["a"] for one in ear.take() if one["e"] == "ACCOUNT_UPDATE"]
    assert (change["m"], change["B"][0]["bc"]) == ("FUNDING_FEE", "0")
    told = {one["ps"]: Decimal(one["iw"]) for one in change["P"]}
    rows = await stage.get("/fapi/v3/positionRisk")
    assert told == {row["positionSide"]: Decimal(row["isolatedWallet"]) for row in rows}
    # 0.01 x 100,010 / 20 and 0.01 x 99,990 / 20 are put up.
    assert told["LONG"] - Decimal("50.005") == Decimal("49.995") - told["SHORT"] != 0


@pytest.mark.parametrize("product", [USDM, COINM], ids=["usdm", "coinm"])
async def test_crossed_legs_are_lost_together(stage: Stage, product: Product) -> None:
    """All that is left of the account stands for both: the larger leg takes the smaller with it."""
    await stage.ok("POST", "leverage", product, symbol=BUY[product]["symbol"], leverage=100)
    quantity = "4" if product is USDM else "4000"
    if product is COINM:
        away = c.Transfer(
            account=stage.account(), asset="BTC", amount=Decimal("9.5"), source="coinm", target="spot"
        )
        await stage.do(away)
    await stage.taken("BUY", quantity, "100010" if product is USDM else "50010", product, positionSide="LONG")
    small = "0.1" if product is USDM else "100"
    await stage.taken("SELL", small, "99990" if product is USDM else "49990", product, positionSide="SHORT")
    risks = await stage.get("/fapi/v2/positionRisk" if product is USDM else "/dapi/v1/positionRisk")
    shown = {row["liquidationPrice"] for row in risks if Decimal(row["positionAmt"])}
    assert len(shown) == 1, "both legs have one liquidation price"
    ear = Ear(stage, product)
    price = Decimal(shown.pop()).quantize(Decimal(1)) - 300
    await stage.quote(str(price - 10), str(price + 10), product)
    await stage.hold_price("BTC/USDT" if product is USDM else "BTC/USD", str(price))
    orders = [one["o"] for one in ear.take() if one["e"] == "ORDER_TRADE_UPDATE"]
    assert {one["ps"] for one in orders if one["o"] == "LIQUIDATION"} >= {"LONG"}
    for row in await stage.ok("GET", "forceOrders", product):
        assert (row["positionSide"], row["side"]) in (("LONG", "SELL"), ("SHORT", "BUY"))
