"""Orders that wait for a price: conditional ones, and the stops that an order brings along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from emulator.exchanges import bybit
from tests.exchanges.bybit.pit import BUY, LINEAR, LONG, SHORT, Pit

pytestmark = pytest.mark.anyio

BTC = "linear:BTCUSDT"
MARKET: dict[str, Any] = {"category": LINEAR, "symbol": "BTCUSDT", "orderType": "Market", "qty": "0.01"}
ABOVE: dict[str, Any] = {**MARKET, "side": "Buy", "triggerPrice": "101000", "triggerDirection": 1}
"""Waits for a rise by one per cent."""


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


async def quote(pit: Pit, bid: str, ask: str) -> None:
    await pit.book(BTC, [(bid, "5")], [(ask, "5")])


async def position(pit: Pit) -> Decimal:
    """What alice has bought and not sold again, by her executions."""
    trades = await pit.trades(LINEAR, symbol="BTCUSDT", execType="Trade", limit=100)
    sign = {"Buy": 1, "Sell": -1}
    return sum((Decimal(one["execQty"]) * sign[one["side"]] for one in trades), Decimal(0))


# Conditional orders


async def test_a_conditional_order_waits_and_then_trades_under_its_id(pit: Pit) -> None:
    order_id = await pit.place(ABOVE, orderLinkId="later")
    order = await pit.find(order_id, LINEAR)
    assert (order["orderStatus"], order["stopOrderType"]) == ("Untriggered", "Stop")
    assert (order["triggerPrice"], order["triggerDirection"]) == ("101000.00", 1)
    assert (order["triggerBy"], order["createType"]) == ("LastPrice", "CreateByStopOrder")
    assert (order["leavesQty"], order["cumExecQty"]) == ("0.010", "0.000")
    await quote(pit, "101090", "101100")
    order = await pit.find(order_id, LINEAR)
    assert (order["orderStatus"], order["avgPrice"]) == ("Filled", "101100")
    assert (order["stopOrderType"], order["createType"]) == ("Stop", "CreateByStopOrder")
    (trade,) = await pit.trades(LINEAR, orderId=order_id)
    assert (trade["stopOrderType"], trade["orderLinkId"]) == ("Stop", "later")


@pytest.mark.parametrize(
    ("side", "direction", "price", "book"),
    [
        ("Buy", 1, "101000", ("101000", "101010")),
        ("Sell", 1, "101000", ("101000", "101010")),
        ("Buy", 2, "99000", ("98990", "99000")),
        ("Sell", 2, "99000", ("98990", "99000")),
    ],
)
async def test_either_side_waits_for_either_direction(
    pit: Pit, side: str, direction: int, price: str, book: tuple[str, str]
) -> None:
    order_id = await pit.place(MARKET, side=side, triggerPrice=price, triggerDirection=direction)
    assert (await pit.find(order_id, LINEAR))["triggerDirection"] == direction
    await quote(pit, *book)
    order = await pit.find(order_id, LINEAR)
    assert (order["orderStatus"], order["avgPrice"]) == ("Filled", book[1] if side == "Buy" else book[0])


@pytest.mark.parametrize(
    ("direction", "price", "code", "text"),
    [
        # error.mdx; prices are told in whole numbers of four places (issues of ccxt).
        (1, "99000", 110092, "expect Rising, but trigger_price[990000000] <= current[1000000000]??LastPrice"),
        (
            1,
            "100000",
            110092,
            "expect Rising, but trigger_price[1000000000] <= current[1000000000]??LastPrice",
        ),
        (
            2,
            "101000",
            110093,
            "expect Falling, but trigger_price[1010000000] >= current[1000000000]??LastPrice",
        ),
    ],
)
async def test_a_trigger_on_the_wrong_side_is_refused(
    pit: Pit, direction: int, price: str, code: int, text: str
) -> None:
    for side in ("Buy", "Sell"):
        refused = await pit.refused(MARKET, side=side, triggerPrice=price, triggerDirection=direction)
        assert refused == (code, text)


async def test_a_conditional_order_needs_no_margin_until_it_is_triggered(pit: Pit) -> None:
    # create-order.mdx: if the margin is insufficient after it is triggered, the order will be cancelled.
    # 25,000,000 at a leverage of 10 are more than 1,000,000 USDT and ten BTC cover.
    order_id = await pit.place(ABOVE, qty="250", orderType="Limit", price="100900")
    await quote(pit, "101090", "101100")
    order = await pit.find(order_id, LINEAR)
    assert (order["orderStatus"], Decimal(order["cumExecQty"])) == ("Cancelled", Decimal(0))


async def test_what_is_canceled_before_it_is_triggered_is_deactivated(pit: Pit) -> None:
    # enum.mdx: UTA: ... conditional order ... are cancelled before they are triggered.
    order_id = await pit.place(ABOVE)
    await pit.post("/v5/order/cancel", {"category": LINEAR, "symbol": "BTCUSDT", "orderId": order_id})
    order = await pit.find(order_id, LINEAR)
    assert (order["orderStatus"], order["cancelType"]) == ("Deactivated", "CancelByUser")
    # As recorded: the matching engine never knew of it.
    assert order["rejectReason"] == "EC_NoError"


async def test_a_waiting_order_gets_another_trigger(pit: Pit) -> None:
    order_id = await pit.place(ABOVE)
    named = {"category": LINEAR, "symbol": "BTCUSDT", "orderId": order_id}
    await pit.post("/v5/order/amend", {**named, "triggerPrice": "101400", "qty": "0.02"})
    order = await pit.find(order_id, LINEAR)
    assert (order["triggerPrice"], order["qty"]) == ("101400.00", "0.020")
    code, _ = await pit.no("POST", "/v5/order/amend", {**named, "triggerPrice": "99000"})
    assert code == 110092
    await quote(pit, "101200", "101210")
    assert (await pit.find(order_id, LINEAR))["orderStatus"] == "Untriggered"
    await quote(pit, "101400", "101410")
    assert (await pit.find(order_id, LINEAR))["cumExecQty"] == "0.020"


async def test_at_most_ten_conditional_orders_wait_for_a_symbol(pit: Pit) -> None:
    for _ in range(10):
        await pit.place(ABOVE)
    assert (await pit.refused(ABOVE))[0] == 110009
    assert len(await pit.open(LINEAR, orderFilter="StopOrder")) == 10
    assert await pit.open(LINEAR, orderFilter="Order") == []


async def test_filters_tell_waiting_orders_from_active_ones(pit: Pit) -> None:
    waiting, resting = await pit.place(ABOVE), await pit.place(LONG)
    for word, order_id in (("StopOrder", waiting), ("Order", resting)):
        assert [one["orderId"] for one in await pit.open(LINEAR, orderFilter=word)] == [order_id]
        answer = await pit.post(
            "/v5/order/cancel-all", {"category": LINEAR, "symbol": "BTCUSDT", "orderFilter": word}
        )
        assert [one["orderId"] for one in answer["list"]] == [order_id]


# Reducing


async def test_what_may_only_reduce_becomes_as_large_as_the_position(pit: Pit) -> None:
    await pit.place(LONG, price="100010")
    order_id = await pit.place(SHORT, price="99990", qty="0.05", reduceOnly=True)
    order = await pit.find(order_id, LINEAR)
    assert (order["orderStatus"], order["cumExecQty"], order["reduceOnly"]) == ("Filled", "0.010", True)
    assert (await pit.trades(LINEAR, orderId=order_id))[0]["closedSize"] == "0.010"
    assert (await pit.refused(SHORT, reduceOnly=True))[0] == 110017


async def test_nothing_to_reduce_on_the_other_side(pit: Pit) -> None:
    await pit.place(LONG, price="100010")
    assert (await pit.refused(LONG, reduceOnly=True))[0] == 110017


async def test_a_quantity_of_nothing_closes_all_that_there_is(pit: Pit) -> None:
    # create-order.mdx: qty="0" with reduceOnly=true and closeOnTrigger=true
    await pit.place(LONG, price="100010", qty="0.03")
    order_id = await pit.place({**MARKET, "qty": "0"}, side="Sell", reduceOnly=True, closeOnTrigger=True)
    order = await pit.find(order_id, LINEAR)
    assert (order["orderStatus"], order["cumExecQty"]) == ("Filled", "0.030")
    assert (order["reduceOnly"], order["closeOnTrigger"]) == (True, True)
    assert await position(pit) == 0
    assert (await pit.refused({**MARKET, "qty": "0"}, side="Sell", reduceOnly=True))[0] == 10001


# Stops that an order brings along


async def stops(pit: Pit) -> dict[str, Any]:
    """The position's waiting stops, by their sort."""
    return {one["stopOrderType"]: one for one in await pit.open(LINEAR, orderFilter="StopOrder")}


async def test_stops_of_a_whole_position_follow_upon_the_first_trade(pit: Pit) -> None:
    changes = {"takeProfit": "102000", "stopLoss": "97000", "slTriggerBy": "MarkPrice"}
    parent = await pit.place(LONG, orderLinkId="mine", **changes)
    order = await pit.find(parent, LINEAR)
    assert (order["takeProfit"], order["stopLoss"], order["tpslMode"]) == ("102000.00", "97000.00", "Full")
    assert (order["tpTriggerBy"], order["slTriggerBy"]) == ("LastPrice", "MarkPrice")
    assert await stops(pit) == {}
    await quote(pit, "98990", "99000")
    assert (await pit.find(parent, LINEAR))["orderStatus"] == "Filled"
    waiting = await stops(pit)
    assert set(waiting) == {"TakeProfit", "StopLoss"}
    profit, loss = waiting["TakeProfit"], waiting["StopLoss"]
    assert (profit["side"], profit["orderType"], profit["triggerPrice"]) == ("Sell", "Market", "102000.00")
    assert (profit["createType"], loss["createType"]) == ("CreateByTakeProfit", "CreateByStopLoss")
    assert (profit["triggerDirection"], loss["triggerDirection"]) == (1, 2)
    assert (loss["triggerBy"], loss["tpslMode"]) == ("MarkPrice", "Full")
    for one in (profit, loss):
        assert (one["reduceOnly"], one["closeOnTrigger"]) == (True, True)
        assert one["orderStatus"] == "Untriggered"
        assert (one["orderLinkId"], one["parentOrderLinkId"]) == ("", "mine")


async def test_a_stop_of_a_journal_without_its_parents_name_tells_it_all_the_same(pit: Pit) -> None:
    await pit.place(LONG, price="100010", orderLinkId="mine", takeProfit="102000", tpslMode="Partial")
    (order,) = pit.sandbox.engines[bybit.ENGINE].state.orders.values()
    assert order.terms.parent_name == "mine"
    order.terms = replace(order.terms, parent_name="")
    (told,) = (await stops(pit)).values()
    assert told["parentOrderLinkId"] == "mine"


async def test_a_stop_that_is_triggered_ends_the_other_one(pit: Pit) -> None:
    await pit.place(LONG, price="100010", takeProfit="102000", stopLoss="97000")
    waiting = await stops(pit)
    await quote(pit, "102000", "102010")
    profit = await pit.find(waiting["TakeProfit"]["orderId"], LINEAR)
    assert (profit["orderStatus"], profit["avgPrice"], profit["cumExecQty"]) == ("Filled", "102000", "0.010")
    loss = await pit.find(waiting["StopLoss"]["orderId"], LINEAR)
    assert loss["orderStatus"] == "Deactivated"
    assert loss["cancelType"] == "CancelByOCOSlCanceledByTpTriggered"
    assert await position(pit) == 0


async def test_stops_end_with_the_position(pit: Pit) -> None:
    await pit.place(LONG, price="100010", takeProfit="102000")
    waiting = await stops(pit)
    await pit.place(SHORT, price="99990")
    profit = await pit.find(waiting["TakeProfit"]["orderId"], LINEAR)
    assert (profit["orderStatus"], profit["cancelType"]) == ("Deactivated", "CancelByTpSlTsClear")


async def test_a_limit_price_alone_makes_no_limit_order_of_a_contracts_stop(pit: Pit) -> None:
    # create-order.mdx, tpLimitPrice: only works when tpslMode=Partial and tpOrderType=Limit; the latter is
    # Market by default.
    order_id = await pit.place(LONG, takeProfit="102000", tpLimitPrice="101990")
    order = await pit.find(order_id, LINEAR)
    assert (order["takeProfit"], order["tpLimitPrice"], order["tpslMode"]) == ("102000.00", "", "Full")


async def test_stops_of_a_part_are_as_large_as_the_trade_and_may_have_limits(pit: Pit) -> None:
    # The example of create-order.mdx: tpslMode=Partial with tpLimitPrice and slLimitPrice.
    await pit.place(
        LONG,
        price="100010",
        takeProfit="102000",
        stopLoss="97000",
        tpslMode="Partial",
        tpOrderType="Limit",
        tpLimitPrice="101990",
    )
    waiting = await stops(pit)
    assert set(waiting) == {"PartialTakeProfit", "PartialStopLoss"}
    profit, loss = waiting["PartialTakeProfit"], waiting["PartialStopLoss"]
    assert (profit["orderType"], profit["price"], profit["qty"]) == ("Limit", "101990.00", "0.010")
    assert (loss["orderType"], loss["qty"], loss["tpslMode"]) == ("Market", "0.010", "Partial")
    assert loss["createType"] == "CreateByPartialStopLoss"


@pytest.mark.parametrize(
    ("values", "changes", "text"),
    [
        (
            LONG,
            {"takeProfit": "98000"},
            "TakeProfit:980000000 set for Buy position should be higher than base_price:",
        ),
        (
            LONG,
            {"stopLoss": "99500"},
            "StopLoss:995000000 set for Buy position should lower than base_price:",
        ),
        (
            SHORT,
            {"takeProfit": "101500"},
            "TakeProfit:1015000000 set for Sell position should be lower than base_price:",
        ),
        (
            SHORT,
            {"stopLoss": "100500"},
            "StopLoss:1005000000 set for Sell position should greater base_price:",
        ),
    ],
)
async def test_stops_lie_on_their_sides_of_the_price(
    pit: Pit, values: dict[str, Any], changes: dict[str, Any], text: str
) -> None:
    code, told = await pit.refused(values, **changes)
    assert code == 10001
    assert told.startswith(text), told


async def test_the_stops_of_an_open_order_are_changed_and_removed(pit: Pit) -> None:
    order_id = await pit.place(LONG, takeProfit="102000", stopLoss="97000")
    named = {"category": LINEAR, "symbol": "BTCUSDT", "orderId": order_id}
    await pit.post("/v5/order/amend", {**named, "takeProfit": "103000"})
    order = await pit.find(order_id, LINEAR)
    assert (order["takeProfit"], order["stopLoss"]) == ("103000.00", "97000.00")
    # amend-order.mdx: if pass "0", it means cancel the existing take profit of the order.
    await pit.post("/v5/order/amend", {**named, "takeProfit": "0"})
    order = await pit.find(order_id, LINEAR)
    assert (order["takeProfit"], order["stopLoss"]) == ("", "97000.00")
    await pit.post("/v5/order/amend", {**named, "stopLoss": "0"})
    order = await pit.find(order_id, LINEAR)
    assert (order["takeProfit"], order["stopLoss"], order["tpslMode"]) == ("", "", "")


async def test_the_stops_of_an_order_that_traded_stay(pit: Pit) -> None:
    # error.mdx, 110059: Not allowed to modify the TP/SL of a partially filled open order
    await pit.place(SHORT, "bob", price="100005", qty="0.004")
    order_id = await pit.place(LONG, price="100005", takeProfit="102000", tpslMode="Partial")
    named = {"category": LINEAR, "symbol": "BTCUSDT", "orderId": order_id}
    assert (await pit.no("POST", "/v5/order/amend", {**named, "takeProfit": "103000"}))[0] == 110059
    await pit.post("/v5/order/amend", {**named, "price": "100000"})


async def test_what_may_only_reduce_brings_no_stops_along(pit: Pit) -> None:
    await pit.place(LONG, price="100010")
    order = await pit.find(await pit.place(SHORT, reduceOnly=True, takeProfit="90000"), LINEAR)
    assert order["takeProfit"] == ""


async def test_conditional_orders_are_canceled_without_the_stops_of_positions(pit: Pit) -> None:
    # cancel-all.mdx, stopOrderType=Stop: conditional orders except TP/SL order and Trailing stop orders.
    await pit.place(LONG, price="100010", takeProfit="102000")
    waiting = await pit.place(ABOVE)
    values = {"category": LINEAR, "symbol": "BTCUSDT", "orderFilter": "StopOrder", "stopOrderType": "Stop"}
    answer = await pit.post("/v5/order/cancel-all", values)
    assert [one["orderId"] for one in answer["list"]] == [waiting]
    assert set(await stops(pit)) == {"TakeProfit"}


async def test_a_trailing_stop_is_an_order_that_waits(pit: Pit) -> None:
    await pit.place(LONG, price="100010")
    await pit.post(
        "/v5/position/trading-stop",
        {
            "category": LINEAR,
            "symbol": "BTCUSDT",
            "tpslMode": "Full",
            "positionIdx": 0,
            "trailingStop": "500",
            "activePrice": "100500",
        },
    )
    order = (await stops(pit))["TrailingStop"]
    # open-order.mdx, triggerPrice: If stopOrderType=TrailingStop, it is activate price.
    assert (order["triggerPrice"], order["createType"]) == ("100500.00", "CreateByTrailingStop")
    assert (order["side"], order["reduceOnly"], order["tpslMode"]) == ("Sell", True, "Full")
    await quote(pit, "101000", "101010")
    # From 101000 on it follows, and fires 500 below.
    await quote(pit, "100510", "100520")
    assert (await pit.find(order["orderId"], LINEAR))["orderStatus"] == "Untriggered"
    await quote(pit, "100490", "100500")
    order = await pit.find(order["orderId"], LINEAR)
    assert (order["orderStatus"], order["avgPrice"]) == ("Filled", "100490")


# At market, within bounds


async def test_a_market_order_is_told_of_with_the_worst_price_that_it_may_trade_at(pit: Pit) -> None:
    order = await pit.find(await pit.place(MARKET, side="Buy"), LINEAR)
    assert Decimal(order["price"]) > 100010
    order = await pit.find(await pit.place(MARKET, side="Sell"), LINEAR)
    assert 0 < Decimal(order["price"]) < 99990


@pytest.mark.parametrize(
    ("kind", "tolerance", "price"),
    [("TickSize", "100", "100020.00"), ("Percent", "0.05", "100060.00")],
)
async def test_a_market_order_may_say_how_far_it_slips(
    pit: Pit, kind: str, tolerance: str, price: str
) -> None:
    """The best ask is 100010: 100 steps of 0.1 are 10 dollars, 0.05 % are 50.005, to a whole step below."""
    await pit.book(BTC, [("99990", "5")], [("100010", "0.004"), ("100100", "5")])
    order_id = await pit.place(MARKET, side="Buy", slippageToleranceType=kind, slippageTolerance=tolerance)
    order = await pit.find(order_id, LINEAR)
    assert (order["slippageToleranceType"], order["slippageTolerance"]) == (kind, tolerance)
    assert order["price"] == price
    assert (order["orderStatus"], order["cumExecQty"]) == ("Cancelled", "0.004")


@pytest.mark.parametrize(
    ("side", "by", "level", "price"),
    [
        ("Buy", "Queue", 1, "99990.00"),
        ("Buy", "Queue", 2, "99980.00"),
        ("Buy", "Counterparty", 2, "100020.00"),
        ("Sell", "Queue", 1, "100010.00"),
        ("Sell", "Counterparty", 2, "99980.00"),
    ],
)
async def test_an_order_takes_its_price_from_the_book(
    pit: Pit, side: str, by: str, level: int, price: str
) -> None:
    # create-order.mdx: Queue: the same direction as the side; Counterparty: the opposite direction.
    await pit.book(BTC, [("99990", "5"), ("99980", "5")], [("100010", "5"), ("100020", "5")])
    values = {**LONG, "side": side, "bboSideType": by, "bboLevel": level}
    del values["price"]
    order = await pit.find(await pit.place(values), LINEAR)
    assert (order["price"], order["createType"]) == (price, "CreateByBboOrder")
    assert order["orderStatus"] == ("New" if by == "Queue" else "Filled")


async def test_one_stop_of_a_bought_coin_is_a_tpsl_order(pit: Pit) -> None:
    """enum.mdx, `stopOrderType`: tpslOrder is a pair's TP/SL order, OcoOrder one of two."""
    await pit.place(BUY, price="100010", stopLoss="99600")
    (order,) = await pit.open(orderFilter="tpslOrder")
    assert (order["stopOrderType"], order["triggerPrice"], order["side"]) == ("tpslOrder", "99600.0", "Sell")
    assert await pit.open(orderFilter="StopOrder") == []
    canceled = await pit.post("/v5/order/cancel-all", {"category": "spot", "orderFilter": "tpslOrder"})
    assert [one["orderId"] for one in canceled["list"]] == [order["orderId"]]


# Limits of prices


@pytest.mark.parametrize(
    ("side", "trigger", "direction", "price", "nearest"),
    [("Buy", "101000", 1, "120000", "102010.00"), ("Sell", "99000", 2, "80000", "98010.00")],
)
async def test_a_triggered_order_gets_the_nearest_price_that_is_allowed(
    pit: Pit, side: str, trigger: str, direction: int, price: str, nearest: str
) -> None:
    """set-price-limit.mdx: of futures, if the order price exceeds the limit, the system will automatically
    adjust the price to the nearest allowed price; a hundredth of the mark price here."""
    waits = {**LONG, "side": side, "price": price, "triggerPrice": trigger, "triggerDirection": direction}
    waiting = await pit.find(await pit.place(waits), LINEAR)
    assert (waiting["orderStatus"], Decimal(waiting["price"])) == ("Untriggered", Decimal(price))
    # Index, mark and last price are there then.
    await pit.hold("BTC/USDT", trigger)
    told = await pit.find(waiting["orderId"], LINEAR)
    assert (told["orderStatus"], told["price"]) == ("Filled", nearest)


async def test_a_conditional_order_is_amended_across_the_market_in_vain(pit: Pit) -> None:
    """Its trigger is asked about, whatever its limit price: error.mdx, 110092."""
    waits = {**LONG, "price": "101000", "triggerPrice": "101000", "triggerDirection": 1}
    order = await pit.place(waits)
    amended = {"category": LINEAR, "symbol": "BTCUSDT", "orderId": order, "triggerPrice": "99000"}
    code, text = await pit.no("POST", "/v5/order/amend", amended)
    assert (code, text.partition(",")[0]) == (110092, "expect Rising")
