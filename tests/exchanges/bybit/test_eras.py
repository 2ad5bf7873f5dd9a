"""Where the documents leave doubt a switch decides: each as it is by default, and as it is otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.exchanges.bybit.eras import Eras
from tests.exchanges.bybit.pit import BUY, LINEAR, SPOT, Pit

pytestmark = pytest.mark.anyio

STOP: dict[str, Any] = {**BUY, "orderType": "Market", "marketUnit": "baseCoin", "triggerPrice": "101000"}
del STOP["price"]


@pytest.mark.parametrize(("switch", "code"), [("ok", 0), ("refuse", 110025)])
async def test_a_coin_whose_contracts_have_the_mode_already(switch: Any, code: int) -> None:
    async with Pit(eras=Eras(bybit_coin_mode_unchanged=switch)) as pit:
        body = {"category": LINEAR, "coin": "USDT", "mode": 0}
        assert (await pit.ask("POST", "/v5/position/switch-mode", body)).json["retCode"] == code
        # Of a symbol it is always said.
        body = {"category": LINEAR, "symbol": "BTCUSDT", "mode": 0}
        assert (await pit.no("POST", "/v5/position/switch-mode", body))[0] == 110025


async def test_rates_of_risk_limits_are_fractions_or_percent() -> None:
    async def rates(**switch: Any) -> tuple[Decimal, Decimal]:
        async with Pit(eras=Eras(**switch)) as pit:
            listed = await pit.get("/v5/market/risk-limit", {"category": LINEAR, "symbol": "BTCUSDT"})
            lowest = listed["list"][0]
            return Decimal(lowest["maintenanceMargin"]), Decimal(lowest["initialMargin"])

    # Half a percent is kept at a leverage of a hundred (Get Risk Limit).
    assert await rates() == (Decimal("0.005"), Decimal("0.01"))
    assert await rates(bybit_risk_rates="percent") == (Decimal("0.5"), Decimal(1))


@pytest.mark.parametrize("switch", ["new", "same"])
async def test_under_which_id_a_pairs_conditional_order_goes_on(switch: Any) -> None:
    async with Pit(eras=Eras(bybit_spot_trigger_id=switch)) as pit:
        order = await pit.place(STOP)
        assert (await pit.find(order))["orderStatus"] == "Untriggered"
        await pit.book("spot:BTCUSDT", [("101990", "5")], [("102010", "5")])
        first = await pit.find(order)
        (trade,) = await pit.trades(SPOT)
        if switch == "same":
            assert (first["orderStatus"], trade["orderId"]) == ("Filled", order)
        else:
            assert first["orderStatus"] == "Triggered"
            assert trade["orderId"] != order
        assert (await pit.find(trade["orderId"]))["orderStatus"] == "Filled"


@pytest.mark.parametrize("switch", ["Cancelled", "Rejected"])
async def test_what_a_pairs_order_is_that_may_only_rest_and_would_trade(switch: Any) -> None:
    async with Pit(eras=Eras(bybit_post_only_spot=switch)) as pit:
        order = await pit.place({**BUY, "price": "100020", "timeInForce": "PostOnly"})
        ended = await pit.find(order)
        assert (ended["orderStatus"], ended["rejectReason"]) == (switch, "EC_PostOnlyWillTakeLiquidity")
        history = await pit.get("/v5/order/history", {"category": SPOT, "orderStatus": switch})
        assert [one["orderId"] for one in history["list"]] == [order]
