"""What is said of an order that is not accepted, by the codes of pairs and of contracts (docs/v5/error)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.bybit.pit import BUY, INVERSE, LINEAR, LONG, SELL, SHORT, SPOT, Pit

pytestmark = pytest.mark.anyio

MARKET: dict[str, Any] = {"orderType": "Market", "price": None}


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


# error.mdx, "UTA Perps and Futures": 10001 is all of the parameters; "Spot Trade": 170xxx.
WRONG: list[tuple[str, dict[str, Any], int]] = [
    (LINEAR, {"symbol": "XYZUSDT"}, 10001),
    (SPOT, {"symbol": "XYZUSDT"}, 170121),
    (SPOT, {"symbol": "BTCUSD"}, 170121),
    (LINEAR, {"symbol": None}, 10001),
    (LINEAR, {"side": "buy"}, 10001),
    (SPOT, {"side": "buy"}, 170117),
    (LINEAR, {"orderType": "Stop"}, 10001),
    (SPOT, {"orderType": "Stop"}, 170116),
    (LINEAR, {"timeInForce": "GTX"}, 10001),
    (SPOT, {"timeInForce": "GTX"}, 170115),
    # Only approved market makers may place RPI orders.
    (LINEAR, {"timeInForce": "RPI"}, 110119),
    (SPOT, {"timeInForce": "RPI"}, 170355),
    (LINEAR, {"qty": None}, 10001),
    (SPOT, {"qty": None}, 170105),
    (LINEAR, {"qty": "0"}, 10001),
    (SPOT, {"qty": "0"}, 170130),
    (LINEAR, {"qty": "-1"}, 10001),
    (LINEAR, {"qty": "0.0015"}, 10001),
    (SPOT, {"qty": "0.0100001"}, 170137),
    (LINEAR, {"price": None}, 10001),
    (SPOT, {"price": None}, 170105),
    (LINEAR, {"price": "99000.05"}, 10001),
    (SPOT, {"price": "99000.05"}, 170134),
    (LINEAR, {"positionIdx": 1}, 10001),
    (LINEAR, {"positionIdx": 3}, 10001),
    (LINEAR, {"smpType": "CancelAll"}, 10001),
    (LINEAR, {"triggerPrice": "101000"}, 10001),
    (LINEAR, {"triggerPrice": "101000", "triggerDirection": 3}, 10001),
    (LINEAR, {"triggerPrice": "101000", "triggerDirection": 1, "triggerBy": "BidPrice"}, 10001),
    (LINEAR, {"bboSideType": "Both"}, 10001),
    (LINEAR, {"bboSideType": "Queue", "bboLevel": 6}, 10001),
    (SPOT, {"orderFilter": "Stop"}, 170201),
    # Please enter the TP/SL price.
    (SPOT, {"orderFilter": "tpslOrder"}, 170202),
    # trigger price cannot be higher than 110% price; lower than 90%.
    (SPOT, {"orderFilter": "tpslOrder", "triggerPrice": "110001", "price": "100000"}, 170203),
    (SPOT, {"orderFilter": "tpslOrder", "triggerPrice": "89999", "price": "100000"}, 170204),
    # Order notional value below the lower limit: 5 USDT.
    (SPOT, {"qty": "0.00005"}, 170140),
    (LINEAR, {"price": "4990", "qty": "0.001"}, 110094),
    (LINEAR, {**MARKET, "slippageToleranceType": "TickSize", "slippageTolerance": "0"}, 110108),
    (LINEAR, {**MARKET, "slippageToleranceType": "TickSize", "slippageTolerance": "10001"}, 110108),
    (LINEAR, {**MARKET, "slippageToleranceType": "TickSize", "slippageTolerance": "1.5"}, 110108),
    (LINEAR, {**MARKET, "slippageToleranceType": "TickSize"}, 110108),
    (LINEAR, {**MARKET, "slippageToleranceType": "Percent", "slippageTolerance": "0.001"}, 110109),
    (LINEAR, {**MARKET, "slippageToleranceType": "Percent", "slippageTolerance": "10.01"}, 110109),
    (LINEAR, {"slippageToleranceType": "Percent", "slippageTolerance": "1"}, 10001),
    (SPOT, {**MARKET, "marketUnit": "usd"}, 170130),
    (LINEAR, {"takeProfit": "101000", "tpslMode": "Half"}, 10001),
    (LINEAR, {"takeProfit": "101000", "tpOrderType": "Limit"}, 10001),
    (LINEAR, {"takeProfit": "101000", "tpOrderType": "Limit", "tpLimitPrice": "100900"}, 10001),
    (SPOT, {**MARKET, "takeProfit": "110000"}, 170130),
]


@pytest.mark.parametrize(("category", "changes", "code"), WRONG)
async def test_what_is_wrong_with_an_order(
    pit: Pit, category: str, changes: dict[str, Any], code: int
) -> None:
    assert (await pit.refused(LONG if category == LINEAR else BUY, **changes))[0] == code
    assert await pit.open(category) == []


async def test_texts_of_running_servers(pit: Pit) -> None:
    """Codes are the documents', these words are what clients were told (issues of pybit and ccxt)."""
    assert await pit.refused(LONG, positionIdx=2) == (10001, "position idx not match position mode")
    assert await pit.refused(LONG, qty="0") == (10001, "Qty invalid")
    assert await pit.refused(LONG, triggerPrice="101000") == (
        10001,
        "params error: TriggerDirection invalid",
    )
    assert await pit.refused(LONG, symbol="XYZ") == (10001, "params error: symbol invalid XYZ")
    assert await pit.refused(BUY, symbol="XYZ") == (170121, "Invalid symbol.")
    assert await pit.refused({**LONG, "category": "futures"}) == (10001, "Illegal category")
    assert await pit.refused(LONG, reduceOnly=True) == (
        110017,
        "current position is zero, cannot fix reduce-only order qty",
    )


async def test_options_cannot_be_traded(pit: Pit) -> None:
    code, _ = await pit.refused({**LONG, "category": "option", "symbol": "BTC-27MAR26-70000-P-USDT"})
    assert code == 10001


# Bands and funds


@pytest.mark.parametrize(
    ("values", "code"),
    [
        # instruments.json: a price limit ratio of 1 % (linear) and 0.5 %... of the exchange's own listings.
        ({**LONG, "price": "150000"}, 110121),
        ({**SHORT, "price": "50000"}, 110120),
        # error.mdx has other codes for the same (170193, 170194), which are older than the price limits.
        ({**BUY, "price": "150000"}, 170372),
        ({**SELL, "price": "50000"}, 170371),
    ],
)
async def test_a_price_far_beyond_the_market_is_refused(pit: Pit, values: dict[str, Any], code: int) -> None:
    await behave(pit, "linear", is_adjusted=False)
    assert (await pit.refused(values))[0] == code


async def behave(pit: Pit, category: str, *, is_adjusted: bool) -> None:
    sent = {"category": category, "modifyEnable": is_adjusted}
    await pit.post("/v5/account/set-limit-px-action", sent)


@pytest.mark.parametrize("values", [{**LONG, "price": "150000"}, {**SHORT, "price": "50000"}])
async def test_or_becomes_the_nearest_allowed_one(pit: Pit, values: dict[str, Any]) -> None:
    # Of contracts without being asked: set-price-limit.mdx, "Default Setting".
    limits = await pit.get("/v5/market/price-limit", {"category": LINEAR, "symbol": "BTCUSDT"})
    order_id = await pit.place({**values, "timeInForce": "IOC"})
    nearest = limits["buyLmt" if values["side"] == "Buy" else "sellLmt"]
    found = await pit.find(order_id, LINEAR)
    assert (found["price"], found["orderStatus"]) == (nearest, "Filled")


async def test_or_of_pairs_if_that_is_chosen(pit: Pit) -> None:
    await behave(pit, SPOT, is_adjusted=True)
    limits = await pit.get("/v5/market/price-limit", {"category": SPOT, "symbol": "BTCUSDT"})
    order_id = await pit.place({**BUY, "price": "150000"})
    assert Decimal((await pit.find(order_id))["price"]) == Decimal(limits["buyLmt"])
    # One that no order may have at any time is refused all the same.
    assert (await pit.refused({**BUY, "price": "99999999999"}))[0] == 170132


async def test_so_does_the_price_of_an_order_that_is_amended(pit: Pit) -> None:
    order_id = await pit.place(LONG)
    limits = await pit.get("/v5/market/price-limit", {"category": LINEAR, "symbol": "BTCUSDT"})
    sent = {"category": LINEAR, "symbol": "BTCUSDT", "orderId": order_id, "price": "150000"}
    await pit.post("/v5/order/amend", sent)
    assert (await pit.find(order_id, LINEAR))["price"] == limits["buyLmt"]


@pytest.mark.parametrize(
    "values",
    [{**LONG, "price": "50000"}, {**SHORT, "price": "150000"}, {**BUY, "price": "50000"}],
)
async def test_a_price_far_before_the_market_rests(pit: Pit, values: dict[str, Any]) -> None:
    order_id = await pit.place(values)
    assert (await pit.find(order_id, values["category"]))["orderStatus"] == "New"


async def test_who_has_not_enough_is_refused(pit: Pit) -> None:
    assert (await pit.refused(BUY, qty="10.2"))[0] == 170131
    assert (await pit.refused(SELL, qty="10.000001"))[0] == 170131
    # Everything covers everything: a million dollars and 95 % of ten bitcoin are less than a tenth of these.
    assert (await pit.refused(LONG, qty="250"))[0] == 110007
    assert (await pit.refused(LONG, category=INVERSE, symbol="BTCUSD", qty="25000000"))[0] == 110007


# Ways to write the same


@pytest.mark.parametrize(
    "changes",
    [
        {"qty": 0.01, "price": 99000},
        {"reduceOnly": "false", "closeOnTrigger": False, "positionIdx": "0"},
        {"timeInForce": "", "orderLinkId": "", "takeProfit": None, "stopLoss": ""},
        {"foo": "bar", "orderIv": "0.1", "mmp": False, "rpiTakerAccess": False},
    ],
)
async def test_numbers_may_be_texts_and_what_is_empty_was_not_sent(pit: Pit, changes: dict[str, Any]) -> None:
    order_id = (await pit.post("/v5/order/create", {**LONG, **changes}))["orderId"]
    order = await pit.find(order_id, LINEAR)
    assert (order["qty"], order["price"], order["orderLinkId"]) == ("0.010", "99000.00", "")


async def test_numbers_may_be_written_as_programs_write_small_ones(pit: Pit) -> None:
    # 6e-5 on the wire, as Python's and JavaScript's writers have it.
    order = await pit.place({**BUY, "qty": 0.00006})
    assert (await pit.find(order))["qty"] == "0.000060"
    assert (await pit.refused(BUY, qty=1e300))[0] == 170130
