"""Where positions are left: trading-stop over the wire (docs/v5/position/trading-stop)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.core.orders import StopRole
from tests.exchanges.bybit.treasury import LINEAR, Treasury

pytestmark = pytest.mark.anyio

PATH = "/v5/position/trading-stop"
FULL: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0}
PARTIAL: dict[str, Any] = {**FULL, "tpslMode": "Partial"}


@pytest.fixture
async def pit() -> AsyncIterator[Treasury]:
    async with Treasury() as pit:
        await pit.trade(LINEAR, "0.1")
        yield pit


async def told(pit: Treasury) -> tuple[str, str, str]:
    one = await pit.position()
    return one["takeProfit"], one["stopLoss"], one["trailingStop"]


def waiting(pit: Treasury) -> list[StopRole]:
    state = pit.sandbox.engines["bybit"].state
    owner = state.accounts[pit.sandbox.accounts["alice"]]
    return [one.terms.role for one in owner.open_orders.values()]


async def test_a_take_profit_and_a_stop_loss_are_set_changed_and_removed(pit: Treasury) -> None:
    assert await pit.post(PATH, {**FULL, "takeProfit": "110000", "stopLoss": "90000"}) == {}
    assert await told(pit) == ("110000", "90000", "0")
    assert waiting(pit) == [StopRole.TAKE_PROFIT, StopRole.STOP_LOSS]
    await pit.post(PATH, {**FULL, "stopLoss": "91000"})
    assert await told(pit) == ("110000", "91000", "0")
    await pit.post(PATH, {**FULL, "takeProfit": "0"})
    assert await told(pit) == ("", "91000", "0")
    assert await pit.no("POST", PATH, {**FULL, "stopLoss": "91000"}) == (34040, "not modified")
    assert (await pit.no("POST", PATH, {**FULL, "takeProfit": "0"}))[0] == 34040
    assert (await pit.no("POST", PATH, FULL))[0] == 34040
    # The source alone is a change too.
    await pit.post(PATH, {**FULL, "slTriggerBy": "MarkPrice"})
    assert await told(pit) == ("", "91000", "0")


async def test_a_trailing_stop_is_a_distance(pit: Treasury) -> None:
    # What ccxt sends of one has no tpslMode.
    sent = {name: value for name, value in FULL.items() if name != "tpslMode"}
    await pit.post(PATH, {**sent, "trailingStop": "500", "activePrice": "105000"})
    assert await told(pit) == ("", "", "500")
    await pit.post(PATH, {**FULL, "activePrice": "106000"})
    assert await told(pit) == ("", "", "500")
    await pit.post(PATH, {**FULL, "trailingStop": "0"})
    assert (await told(pit), waiting(pit)) == (("", "", "0"), [])


async def trailing(pit: Treasury) -> tuple[str, int, str]:
    (one,) = (await pit.get("/v5/order/realtime", {"category": "linear", "symbol": "BTCUSDT"}))["list"]
    assert (one["stopOrderType"], one["createType"], one["orderStatus"]) == (
        "TrailingStop",
        "CreateByTrailingStop",
        "Untriggered",
    )
    return one["triggerPrice"], one["triggerDirection"], one["orderId"]


async def test_a_trailing_stop_says_where_it_would_be_triggered(pit: Treasury) -> None:
    """As recorded of one without activePrice: set with a last price of 64809.6, it waited at 64556.9, went up
    with the price, and its last message, Deactivated with EC_NoError, still told that price."""
    await pit.post(PATH, {**FULL, "trailingStop": "500"})
    # bought at 100010: 500 less, and triggered when the price falls there
    assert (await trailing(pit))[:2] == ("99510.00", 2)
    await pit.hold("BTC/USDT", "101000")
    assert (await trailing(pit))[:2] == ("100500.00", 2)
    await pit.hold("BTC/USDT", "100700")
    price, _, order = await trailing(pit)
    assert price == "100500.00"
    await pit.book(LINEAR, [("100690", "5")], [("100710", "5")])
    await pit.trade(LINEAR, "-0.1")
    over = await pit.find(order, "linear")
    assert (over["orderStatus"], over["cancelType"], over["rejectReason"]) == (
        "Deactivated",
        "CancelByTpSlTsClear",
        "EC_NoError",
    )
    # It had followed to 101000, wherever the price is by now.
    assert over["triggerPrice"] == "100500.00"
    await pit.hold("BTC/USDT", "110000")
    assert (await pit.find(order, "linear"))["triggerPrice"] == "100500.00"


async def test_a_trailing_stop_waits_for_its_activation_first(pit: Treasury) -> None:
    # order.mdx, triggerPrice: if stopOrderType is TrailingStop, it is the activate price
    await pit.post(PATH, {**FULL, "trailingStop": "500", "activePrice": "101000"})
    assert (await trailing(pit))[:2] == ("101000.00", 1)
    await pit.hold("BTC/USDT", "101200")
    price, direction, order = await trailing(pit)
    assert (price, direction) == ("100700.00", 2)
    await pit.book(LINEAR, [("100600", "5")], [("100620", "5")])
    over = await pit.find(order, "linear")
    assert (over["orderStatus"], over["triggerPrice"], over["avgPrice"]) == ("Filled", "100700.00", "100600")


async def test_parts_of_a_position_have_stops_of_their_own(pit: Treasury) -> None:
    await pit.post(
        PATH,
        {
            **PARTIAL,
            "takeProfit": "110000",
            "stopLoss": "90000",
            "tpSize": "0.05",
            "slSize": "0.05",
            "tpOrderType": "Limit",
            "tpLimitPrice": "109900",
        },
    )
    assert await told(pit) == ("", "", "0")
    assert waiting(pit) == [StopRole.PARTIAL_TAKE_PROFIT, StopRole.PARTIAL_STOP_LOSS]
    await pit.post(PATH, {**PARTIAL, "stopLoss": "90000", "slSize": "0.01"})
    assert waiting(pit)[2:] == [StopRole.PARTIAL_STOP_LOSS]


async def test_stops_go_with_the_position(pit: Treasury) -> None:
    await pit.post(PATH, {**FULL, "takeProfit": "110000", "stopLoss": "90000", "trailingStop": "500"})
    await pit.trade(LINEAR, "-0.1")
    assert (await told(pit), waiting(pit)) == (("", "", "0"), [])


async def test_a_stop_loss_closes_the_position(pit: Treasury) -> None:
    await pit.post(PATH, {**FULL, "stopLoss": "99000"})
    await pit.hold("BTC/USDT", "98000")
    await pit.book(LINEAR, [("98000", "5")], [("98010", "5")])
    assert (await pit.position())["size"] == "0"
    (one,) = (await pit.get("/v5/position/closed-pnl", {"category": "linear"}))["list"]
    assert (one["side"], one["closedSize"], one["orderType"]) == ("Sell", "0.1", "Market")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        # A long takes its profit above, and stops its loss below.
        ({**FULL, "takeProfit": "90000"}, 10001),
        ({**FULL, "stopLoss": "110000"}, 10001),
        ({**FULL, "takeProfit": "110000.05"}, None),
        ({**FULL, "takeProfit": "-1"}, 10001),
        ({**FULL, "takeProfit": "110000", "tpOrderType": "Limit", "tpLimitPrice": "110000"}, 10001),
        ({**PARTIAL, "takeProfit": "110000"}, 10001),
        ({**PARTIAL, "takeProfit": "110000", "tpSize": "0.01", "slSize": "0.02"}, 10001),
        ({**PARTIAL, "takeProfit": "110000", "tpSize": "0.2"}, 110058),
        ({**PARTIAL, "takeProfit": "110000", "tpSize": "0.01", "tpOrderType": "Limit"}, 10001),
        ({**FULL, "takeProfit": "110000", "positionIdx": 1}, 10001),
        ({**FULL, "takeProfit": "110000", "tpTriggerBy": "Last"}, 10001),
        ({**FULL, "takeProfit": "110000", "tpslMode": "Half"}, 10001),
        ({**FULL, "symbol": "ETHUSDT", "takeProfit": "110000"}, 10001),
        ({**FULL, "category": "spot", "takeProfit": "110000"}, 10001),
    ],
)
async def test_stops_that_are_refused(pit: Treasury, sent: dict[str, Any], code: int | None) -> None:
    refused, _ = await pit.no("POST", PATH, sent)
    assert code in (None, refused)
    assert waiting(pit) == []


async def test_what_is_flat_has_no_stops(pit: Treasury) -> None:
    await pit.trade(LINEAR, "-0.1")
    assert await pit.no("POST", PATH, {**FULL, "takeProfit": "110000"}) == (
        10001,
        "can not set tp/sl/ts for zero position",
    )
