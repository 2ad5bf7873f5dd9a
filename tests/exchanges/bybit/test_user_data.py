"""What happens to accounts, as private topics tell it: in which frames, in which order, with what in them.

Names of fields are those of the documents' tables and examples (docs/v5/websocket/private/*.mdx).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, get_args

import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.exchanges.bybit.user_data.hub import HUBS, SILENT
from tests.exchanges.bybit.booth import ANY, PRIVATE, Booth
from tests.exchanges.bybit.pit import BUY, INVERSE, LINEAR, LONG, SECOND_US, SELL, SHORT, SPOT
from tests.exchanges.bybit.station import Client

pytestmark = pytest.mark.anyio

ALL = ("order", "execution", "execution.fast", "position", "wallet", "greeks")
HOUR_US = 3_600 * SECOND_US

SPOT_ORDER = set(
    """category orderId orderLinkId parentOrderLinkId isLeverage blockTradeId symbol price qty side
    positionIdx orderStatus cancelType rejectReason avgPrice leavesQty leavesValue cumExecQty cumExecValue
    cumExecFee closedPnl feeCurrency timeInForce orderType stopOrderType ocoTriggerBy orderIv marketUnit
    slippageToleranceType slippageTolerance triggerPrice takeProfit stopLoss tpLimitPrice slLimitPrice
    tpTriggerBy slTriggerBy triggerDirection triggerBy lastPriceOnCreated reduceOnly closeOnTrigger placeType
    smpType smpGroup smpOrderId createdTime updatedTime cumFeeDetail rpiTakerAccess rpiMatchedQty
    basePrice extraFees""".split()
)
"""order.mdx without `brokerOrderPrice`, which is for one sort of users; the last two as REST has them."""
ORDER = SPOT_ORDER | {"createType", "tpslMode"}

SPOT_EXECUTION = set(
    """category symbol isLeverage orderId orderLinkId side orderPrice orderQty leavesQty orderType
    stopOrderType execFee execId execPrice execQty execPnl execType execValue execTime isMaker feeRate tradeIv
    markIv markPrice indexPrice underlyingPrice blockTradeId closedSize extraFees seq feeCurrency marketUnit
    execFeeV2""".split()
)
"""execution.mdx with `marketUnit` of its example; the last one as REST has it."""
EXECUTION = SPOT_EXECUTION | {"createType"}

FAST = set("category symbol orderId isMaker orderLinkId execId execPrice execQty side execTime seq".split())
"""fast-execution.mdx."""

POSITION = set(
    """category symbol side size positionIdx positionValue riskId riskLimitValue entryPrice markPrice leverage
    breakEvenPrice autoAddMargin positionIM positionMM liqPrice takeProfit stopLoss trailingStop unrealisedPnl
    curRealisedPnl sessionAvgPrice delta gamma vega theta cumRealisedPnl positionStatus adlRankIndicator
    isReduceOnly createdTime updatedTime openTime seq mmrSysUpdatedTime leverageSysUpdatedTime positionIMByMp
    positionMMByMp tpslMode bustPrice positionBalance tradeMode""".split()
)
"""position.mdx."""

WALLET = set(
    """accountType accountIMRate accountMMRate totalEquity totalWalletBalance totalMarginBalance
    totalAvailableBalance totalPerpUPL totalInitialMargin totalMaintenanceMargin accountIMRateByMp
    accountMMRateByMp totalInitialMarginByMp totalMaintenanceMarginByMp accountLTV coin""".split()
)
COIN = set(
    """coin equity usdValue walletBalance locked spotHedgingQty borrowAmount accruedInterest totalOrderIM
    totalPositionIM totalPositionMM unrealisedPnl cumRealisedPnl bonus collateralSwitch marginCollateral
    colRes spotBorrow availableToBorrow availableToWithdraw""".split()
)
"""wallet.mdx without `free`, which its example has not either, since there are no spot wallets any more."""


@pytest.fixture
async def booth(anyio_backend: str) -> AsyncIterator[Booth]:
    async with Booth().on_air() as booth:
        yield booth


@pytest.fixture
async def line(booth: Booth) -> AsyncIterator[Client]:
    """Alice, who listens to everything."""
    async with booth.line(PRIVATE) as client:
        await client.join(*ALL)
        yield client


def topics(frames: list[Any]) -> list[str]:
    """What was told; of orders also as what."""
    return [
        one["topic"] + (f":{one['data'][0]['orderStatus']}" if one["topic"].startswith("order") else "")
        for one in frames
    ]


def of(frames: list[Any], topic: str) -> Any:
    """The data of the only frame of a topic, of one record."""
    (found,) = [one for one in frames if one["topic"] == topic]
    (record,) = found["data"]
    return record


def last(frames: list[Any], topic: str) -> Any:
    return [one for one in frames if one["topic"] == topic][-1]["data"]


async def amend(booth: Booth, order: str, category: str = LINEAR, **values: Any) -> None:
    named = {"category": category, "symbol": "BTCUSDT", "orderId": order}
    await booth.post("/v5/order/amend", {**named, **values})


async def cancel(booth: Booth, order: str, category: str = LINEAR) -> None:
    await booth.post("/v5/order/cancel", {"category": category, "symbol": "BTCUSDT", "orderId": order})


def test_every_event_of_the_engine_is_told_or_said_why_not(booth: Booth) -> None:
    told = HUBS.of(booth.sandbox).hears
    assert not told & SILENT.keys()
    assert told | SILENT.keys() == set(get_args(e.AnyEvent))


class TestSubscribing:
    async def test_nobody_in_particular_hears_nothing(self, booth: Booth) -> None:
        async with booth.listen(PRIVATE) as client:
            answer = await client.ask("subscribe", "order", id="100001")
            del answer["conn_id"]
            assert answer == {
                "req_id": "100001",
                "success": False,
                "ret_msg": "Request not authorized",
                "op": "subscribe",
            }
            await booth.place(BUY)
            assert await client.rest() == []

    async def test_a_success_has_the_documented_shape(self, booth: Booth) -> None:
        async with booth.line(PRIVATE) as client:
            answer = await client.ask("subscribe", *ALL, id="100001")
            conn_id = answer.pop("conn_id")
            assert conn_id
            assert answer == {"req_id": "100001", "success": True, "ret_msg": "", "op": "subscribe"}
            pong = await client.ask("ping", id="100002")
            assert pong == {
                "req_id": "100002",
                "op": "pong",
                "args": [str(booth.now_ms)],
                "conn_id": conn_id,
            }

    @pytest.mark.parametrize(
        "topic",
        [
            "orders",
            "order.future",
            "position.spot",
            "wallet.spot",
            "dcp",
            "dcp.linear",
            "",
            "tickers.BTCUSDT",
        ],
    )
    async def test_what_is_no_private_topic_is_not_found(self, booth: Booth, topic: str) -> None:
        async with booth.line(PRIVATE) as client:
            answer = await client.ask("subscribe", "order", topic)
            assert (answer["success"], answer["ret_msg"]) == (False, f"error:handler not found,topic:{topic}")
            await booth.place(BUY)
            # One that is refused refuses all.
            assert await client.rest() == []

    async def test_one_request_names_a_topic_whole_or_by_category(self, booth: Booth) -> None:
        async with booth.line(PRIVATE) as client:
            answer = await client.ask("subscribe", "order", "order.spot")
            assert (answer["success"], answer["op"]) == (False, "subscribe")
            await booth.place(BUY)
            assert await client.rest() == []
            await client.join("order.spot", "execution")
            await client.join("order")
            await booth.place(BUY)
            assert topics(await client.rest()) == ["order.spot:New", "order:New"]

    async def test_topics_of_a_category_tell_of_it_alone_under_their_own_name(self, booth: Booth) -> None:
        async with booth.line(PRIVATE) as client:
            await client.join(
                "order.spot", "execution.linear", "execution.fast.inverse", "position.inverse", "order.option"
            )
            await booth.place(BUY, price="100010")
            await booth.place(LONG, price="100010")
            await booth.place({**LONG, "category": INVERSE, "symbol": "BTCUSD", "qty": "100"}, price="100010")
            frames = await client.rest()
            assert topics(frames) == [
                "order.spot:New",
                "order.spot:Filled",
                "execution.linear",
                "execution.fast.inverse",
                "position.inverse",
            ]
            categories = [one["data"][0]["category"] for one in frames]
            assert categories == [SPOT, SPOT, LINEAR, INVERSE, INVERSE]

    async def test_nothing_is_told_at_first_nor_after_the_end(self, booth: Booth) -> None:
        await booth.place(LONG)
        async with booth.line(PRIVATE) as client:
            await client.join(*ALL)
            assert await client.rest() == []
            answer = await client.ask("unsubscribe", "order", "position")
            assert answer["success"] is True
            await booth.place(LONG)
            assert topics(await client.rest()) == ["wallet"]

    @pytest.mark.parametrize("path", [PRIVATE, ANY])
    async def test_whoever_subscribes_twice_is_told_once(self, booth: Booth, path: str) -> None:
        """As ccxt does, which watches the orders of one symbol after another by the same topic."""
        async with booth.line(path) as client:
            await client.join("order", "position")
            await client.join("order", "execution")
            await booth.place(LONG, price="100010")
            assert topics(await client.rest()) == ["order:New", "execution", "order:Filled", "position"]

    async def test_who_comes_again_subscribes_again(self, booth: Booth) -> None:
        async with booth.line(PRIVATE) as client:
            await client.join("order")
        await booth.place(BUY)
        async with booth.line(PRIVATE) as client:
            await booth.place(BUY)
            await client.join("order")
            await booth.place(BUY, orderLinkId="third")
            assert of(await client.rest(), "order")["orderLinkId"] == "third"

    async def test_the_socket_for_everything_has_private_topics_too(self, booth: Booth) -> None:
        async with booth.listen(ANY) as client:
            refused = await client.ask("subscribe", "publicTrade.BTCUSDT", "order")
            assert (refused["success"], refused["ret_msg"]) == (False, "Request not authorized")
        async with booth.line(ANY) as client:
            await client.join("order.linear", "wallet")
            mixed = await client.ask("subscribe", "execution", "execution.linear")
            assert mixed["success"] is False
            placed = await booth.order(client, "order.create", LONG)
            assert placed["retCode"] == 0
            assert len([text for text in client.texts if '"topic":"order.linear"' in text]) <= 1
            await client.rest()
            assert len([text for text in client.texts if '"topic":"order.linear"' in text]) == 1


class TestShapes:
    async def test_frames(self, booth: Booth, line: Client) -> None:
        await booth.place(LONG, price="100010")
        frames = await line.rest()
        ids = [one["id"] for one in frames if "id" in one]
        assert len(set(ids)) == len(ids) == 5
        for one in frames:
            # Fast executions have no id (fast-execution.mdx).
            keys = ["topic", "creationTime", "data"]
            assert list(one) == (keys if one["topic"] == "execution.fast" else ["id", *keys])
            assert one["creationTime"] == booth.now_ms

    async def test_contracts(self, booth: Booth, line: Client) -> None:
        await booth.place(LONG, price="100010", orderLinkId="mine")
        frames = await line.rest()
        for one in frames:
            if one["topic"] == "order":
                assert one["data"][0].keys() == ORDER
        execution = of(frames, "execution")
        assert execution.keys() == EXECUTION
        # 0.01 x 100010 = 1000.1, and 0.055 % of it.
        assert (execution["execValue"], execution["execFee"]) == ("1000.1", "0.550055")
        assert (execution["isLeverage"], execution["execPnl"], execution["marketUnit"]) == ("0", "0", "")
        assert (execution["execType"], execution["isMaker"], execution["orderLinkId"]) == (
            "Trade",
            False,
            "mine",
        )
        fast = of(frames, "execution.fast")
        assert fast.keys() == FAST
        assert {key: execution[key] for key in FAST} == fast
        position = of(frames, "position")
        assert position.keys() == POSITION
        assert (position["side"], position["size"], position["positionIdx"]) == ("Buy", "0.01", 0)
        assert (position["entryPrice"], position["positionValue"]) == ("100010", "1000.1")

    async def test_pairs(self, booth: Booth, line: Client) -> None:
        await booth.place(BUY, price="100010")
        frames = await line.rest()
        filled = last(frames, "order")[0]
        assert filled.keys() == SPOT_ORDER
        # 0.1 % of 0.01, in what was bought.
        assert (filled["feeCurrency"], filled["cumFeeDetail"]) == ("BTC", {"BTC": "0.00001"})
        assert (filled["closedPnl"], filled["category"]) == ("0", SPOT)
        execution = of(frames, "execution")
        assert execution.keys() == SPOT_EXECUTION
        assert execution["feeCurrency"] == "BTC"
        assert "position" not in topics(frames)

    async def test_the_wallet(self, booth: Booth, line: Client) -> None:
        await booth.place(BUY, price="100010")
        wallet = of(await line.rest(), "wallet")
        assert wallet.keys() == WALLET
        assert wallet["accountType"] == "UNIFIED"
        assert all(coin.keys() == COIN for coin in wallet["coin"])
        balances = {coin["coin"]: coin["walletBalance"] for coin in wallet["coin"]}
        # 0.01 x 100010 = 1000.1 paid; 0.01 - 0.00001 came.
        assert balances == {"USDT": "998999.9", "BTC": "10.00999"}
        for coin in wallet["coin"]:
            for key in ("locked", "totalOrderIM", "totalPositionIM", "totalPositionMM", "borrowAmount"):
                assert coin[key] == "0"

    async def test_records_are_those_of_rest(self, booth: Booth, line: Client) -> None:
        order = await booth.place(LONG, price="100010")
        frames = await line.rest()
        told = last(frames, "order")[0]
        for key in ("category", "closedPnl", "feeCurrency"):
            del told[key]
        assert told == await booth.find(order, LINEAR)
        execution = of(frames, "execution")
        for key in ("category", "isLeverage", "execPnl", "marketUnit"):
            del execution[key]
        assert [execution] == await booth.trades(LINEAR)
        position = of(frames, "position")
        position["avgPrice"] = position.pop("entryPrice")
        del position["category"]
        listed = await booth.get("/v5/position/list", {"category": LINEAR, "symbol": "BTCUSDT"})
        assert [position] == listed["list"]
        wallet = of(frames, "wallet")
        asked = {"accountType": "UNIFIED", "coin": "USDT"}
        assert [wallet] == (await booth.get("/v5/account/wallet-balance", asked))["list"]


class TestOrders:
    async def test_a_taker_hears_of_the_order_the_trade_the_position_and_the_wallet(
        self, booth: Booth, line: Client
    ) -> None:
        await booth.place(LONG, orderType="Market", price=None)
        assert topics(await line.rest()) == [
            "order:New", "execution.fast", "execution", "order:Filled", "position", "wallet",
        ]  # fmt: skip

    async def test_each_level_is_an_execution_and_a_state_of_the_order(
        self, booth: Booth, line: Client
    ) -> None:
        await booth.book("linear:BTCUSDT", [("99990", "5")], [("100010", "0.004"), ("100020", "5")])
        await booth.place(LONG, price="100020")
        frames = await line.rest()
        assert topics(frames) == [
            "order:New",
            "execution.fast", "execution", "order:PartiallyFilled",
            "execution.fast", "execution", "order:Filled",
            "position", "wallet",
        ]  # fmt: skip
        executed = [
            (one["data"][0]["execQty"], one["data"][0]["leavesQty"])
            for one in frames
            if one["topic"] == "execution"
        ]
        assert executed == [("0.004", "0.006"), ("0.006", "0.000")]
        cumulated = [one["data"][0]["cumExecQty"] for one in frames if one["topic"] == "order"]
        assert cumulated == ["0.000", "0.004", "0.010"]

    async def test_both_sides_of_a_trade_are_told_and_only_their_own(
        self, booth: Booth, line: Client
    ) -> None:
        await booth.place({**LONG, "price": "100000"}, orderLinkId="resting")
        await line.rest()
        async with booth.line(PRIVATE, "bob") as other:
            await other.join(*ALL)
            theirs = await booth.place({**SHORT, "price": "100000"}, "bob", orderLinkId="coming")
            told = await other.rest()
            mine = await line.rest()
        assert {one["data"][0]["orderId"] for one in told if one["topic"] == "order"} == {theirs}
        maker, taker = of(mine, "execution"), of(told, "execution")
        assert (maker["isMaker"], taker["isMaker"]) == (True, False)
        assert maker["execId"] == taker["execId"]
        # "maker trade is always `\"\"`" (fast-execution.mdx)
        assert (maker["orderLinkId"], of(mine, "execution.fast")["orderLinkId"]) == ("resting", "")
        assert of(told, "execution.fast")["orderLinkId"] == "coming"
        assert topics(mine) == ["execution.fast", "execution", "order:Filled", "position", "wallet"]

    async def test_what_became_of_a_resting_order(self, booth: Booth, line: Client) -> None:
        order = await booth.place(LONG)
        assert topics(await line.rest()) == ["order:New", "position", "wallet"]
        await amend(booth, order, price="98000")
        frames = await line.rest()
        assert topics(frames) == ["order:New", "position", "wallet"]
        assert of(frames, "order")["price"] == "98000.00"
        await cancel(booth, order)
        frames = await line.rest()
        assert topics(frames) == ["order:Cancelled", "position", "wallet"]
        told = of(frames, "order")
        assert (told["cancelType"], told["rejectReason"]) == ("CancelByUser", "EC_PerCancelRequest")
        assert told["leavesQty"] == "0.000"

    @pytest.mark.parametrize(
        ("how", "price", "why"),
        [
            ("PostOnly", "100010", "EC_PostOnlyWillTakeLiquidity"),
            ("IOC", "99000", "EC_NoImmediateQtyToFill"),
        ],
    )
    async def test_what_comes_to_nothing_is_new_and_then_canceled(
        self, booth: Booth, line: Client, how: str, price: str, why: str
    ) -> None:
        await booth.place(LONG, price=price, timeInForce=how)
        frames = [one for one in await line.rest() if one["topic"] == "order"]
        assert topics(frames) == ["order:New", "order:Cancelled"]
        assert frames[-1]["data"][0]["rejectReason"] == why

    async def test_a_refused_order_is_told_nobody(self, booth: Booth, line: Client) -> None:
        await booth.refused(LONG, qty="1000")
        assert await line.rest() == []

    async def test_a_condition_that_is_met_is_a_status_of_its_own(self, booth: Booth, line: Client) -> None:
        await booth.place(LONG, triggerPrice="101000", triggerDirection=1)
        assert topics(await line.rest()) == ["order:Untriggered", "position"]
        await booth.hold("BTC/USDT", "101000")
        frames = [one for one in await line.rest() if one["topic"] == "order"]
        assert topics(frames) == ["order:Triggered", "order:New"]
        assert len({one["data"][0]["orderId"] for one in frames}) == 1

    async def test_a_pairs_condition_that_is_met_brings_another_order(
        self, booth: Booth, line: Client
    ) -> None:
        """create-order.mdx: of a `StopOrder` nothing is occupied before its trigger. That it goes on under
        another id is the switch `bybit_spot_trigger_id` as it is by default."""
        waiting = await booth.place(BUY, orderFilter="StopOrder", triggerPrice="101000", orderLinkId="mine")
        assert topics(await line.rest()) == ["order:Untriggered"]
        await booth.hold("BTC/USDT", "101000")
        frames = await line.rest()
        assert topics(frames) == ["order:Triggered", "order:New", "wallet"]
        first, second = (one["data"][0] for one in frames[:2])
        assert first["orderId"] == waiting != second["orderId"]
        assert first["orderLinkId"] == second["orderLinkId"] == "mine"

    async def test_two_orders_of_one_owner_that_meet(self, booth: Booth, line: Client) -> None:
        resting = await booth.place({**LONG, "price": "100000"})
        await line.rest()
        coming = await booth.place({**SHORT, "price": "100000"}, smpType="CancelMaker")
        orders = [one["data"][0] for one in await line.rest() if one["topic"] == "order"]
        ended = {one["orderId"]: one for one in orders}[resting]
        assert (ended["orderStatus"], ended["cancelType"]) == ("Cancelled", "CancelBySmp")
        assert ended["smpOrderId"] == coming
        assert [one["orderStatus"] for one in orders if one["orderId"] == coming] == ["New"]

    async def test_one_of_two_stops_ends_the_other(self, booth: Booth, line: Client) -> None:
        await booth.place(BUY, price="100010", takeProfit="110000", stopLoss="90000")
        frames = [one for one in await line.rest() if one["topic"] == "order"]
        assert topics(frames) == [
            "order:New", "order:Filled", "order:Untriggered", "order:Untriggered",
        ]  # fmt: skip
        assert {one["data"][0]["stopOrderType"] for one in frames[2:]} == {"OcoOrder"}
        await booth.hold("BTC/USDT", "90000")
        last_of = {
            one["data"][0]["orderId"]: one["data"][0]["orderStatus"]
            for one in await line.rest()
            if one["topic"] == "order"
        }
        assert sorted(last_of.values()) == ["Deactivated", "Filled"]
        for order, status in last_of.items():
            assert (await booth.find(order))["orderStatus"] == status

    async def test_closing_tells_its_profit(self, booth: Booth, line: Client) -> None:
        await booth.place(LONG, price="100010")
        await line.rest()
        await booth.place(SHORT, price="99990", reduceOnly=True)
        frames = await line.rest()
        execution, order = of(frames, "execution"), last(frames, "order")[0]
        # (99990 - 100010) x 0.01, before fees.
        assert (execution["execPnl"], execution["closedSize"]) == ("-0.2", "0.010")
        closed = (await booth.get("/v5/position/closed-pnl", {"category": LINEAR}))["list"]
        # -0.2 - 0.550055 - 0.549945
        assert order["closedPnl"] == closed[0]["closedPnl"] == "-1.3"
        position = of(frames, "position")
        assert (position["side"], position["size"], position["entryPrice"]) == ("", "0", "0")
        assert position["cumRealisedPnl"] == "-1.3"


class TestPositionsAndWallets:
    async def test_both_positions_of_hedge_mode_are_told(self, booth: Booth, line: Client) -> None:
        switch = {"category": LINEAR, "symbol": "BTCUSDT", "mode": 3}
        await booth.post("/v5/position/switch-mode", switch)
        await line.rest()
        await booth.place(LONG, price="100010", positionIdx=1)
        (frame,) = [one for one in await line.rest() if one["topic"] == "position"]
        told = [(one["positionIdx"], one["side"], one["size"]) for one in frame["data"]]
        assert told == [(1, "Buy", "0.01"), (2, "", "0")]

    async def test_leverage_changes_the_position(self, booth: Booth, line: Client) -> None:
        chosen = {"category": LINEAR, "symbol": "BTCUSDT", "buyLeverage": "20", "sellLeverage": "20"}
        await booth.post("/v5/position/set-leverage", chosen)
        assert of(await line.rest(), "position")["leverage"] == "20"

    async def test_stops_of_a_position_are_orders_and_part_of_it(self, booth: Booth, line: Client) -> None:
        await booth.place(LONG, price="100010")
        await line.rest()
        stops = {"category": LINEAR, "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0}
        await booth.post("/v5/position/trading-stop", {**stops, "takeProfit": "120000", "stopLoss": "90000"})
        frames = await line.rest()
        assert topics(frames) == ["order:Untriggered", "order:Untriggered", "position"]
        kinds = {one["data"][0]["stopOrderType"] for one in frames if one["topic"] == "order"}
        assert kinds == {"TakeProfit", "StopLoss"}
        position = of(frames, "position")
        assert [Decimal(position[key]) for key in ("takeProfit", "stopLoss")] == [120_000, 90_000]
        await booth.place(SHORT, price="99990", reduceOnly=True)
        ended = [
            one["data"][0]["cancelType"]
            for one in await line.rest()
            if one["topic"] == "order" and one["data"][0]["orderStatus"] == "Deactivated"
        ]
        assert ended == ["CancelByTpSlTsClear"] * 2

    async def test_stops_of_all_of_a_position_are_told_with_it(self, booth: Booth, line: Client) -> None:
        """trading-stop.mdx: `Full` is for the entire position, however large it is."""
        await booth.place(LONG, price="100010", stopLoss="90000")
        await line.rest()
        await booth.place(LONG, price="100010", qty="0.02")
        frames = await line.rest()
        orders = [one["data"][0] for one in frames if one["topic"] == "order"]
        (stop,) = [one for one in orders if one["stopOrderType"] == "StopLoss"]
        assert (stop["orderStatus"], stop["qty"]) == ("Untriggered", "0.030")
        assert topics(frames)[-3:] == ["order:Untriggered", "position", "wallet"]

    async def test_a_trailing_stop_is_told_when_its_price_has_moved(self, booth: Booth, line: Client) -> None:
        """As recorded: one that was placed 145 seconds before is told as Untriggered, with a higher price."""
        await booth.place(LONG, price="100010")
        stop = {"category": LINEAR, "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0}
        await booth.post(
            "/v5/position/trading-stop", {**stop, "trailingStop": "500", "activePrice": "101000"}
        )
        assert last(await line.rest(), "order")[0]["triggerPrice"] == "101000.00"
        await booth.step(SECOND_US)
        assert await line.rest() == []
        # It begins to follow, which is an event of its own,
        await booth.hold("BTC/USDT", "101200")
        began = of(await line.rest(), "order")
        assert (began["orderStatus"], began["triggerPrice"], began["triggerDirection"]) == (
            "Untriggered",
            "100700.00",
            2,
        )
        # goes up with the price, which is seen within a second,
        await booth.hold("BTC/USDT", "102000")
        await booth.step(SECOND_US)
        frames = await line.rest()
        moved = of(frames, "order")
        assert (topics(frames), moved["triggerPrice"]) == (["order:Untriggered"], "101500.00")
        assert moved.keys() == ORDER
        assert moved["orderId"] == began["orderId"]
        # and stays where it is when the price comes back.
        await booth.hold("BTC/USDT", "101800")
        await booth.step(SECOND_US)
        assert await line.rest() == []

    async def test_who_listens_later_hears_of_trailing_stops_too(self, booth: Booth) -> None:
        await booth.place(LONG, price="100010")
        stop = {"category": LINEAR, "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0}
        await booth.post("/v5/position/trading-stop", {**stop, "trailingStop": "500"})
        async with booth.line(PRIVATE) as client, booth.line(PRIVATE, "bob") as other:
            await client.join("order.linear")
            await other.join("order")
            await booth.hold("BTC/USDT", "102000")
            await booth.step(SECOND_US)
            assert of(await client.rest(), "order.linear")["triggerPrice"] == "101500.00"
            assert await other.rest() == []

    async def test_a_price_that_moves_is_told_by_no_private_topic(self, booth: Booth, line: Client) -> None:
        """wallet.mdx: "The unrealised PnL change does not trigger an event"."""
        await booth.place(LONG, price="100010")
        await line.rest()
        await booth.hold("BTC/USDT", "101000")
        await booth.step(SECOND_US)
        assert await line.rest() == []

    async def test_only_coins_that_changed_are_told(self, booth: Booth, line: Client) -> None:
        alice = booth.sandbox.accounts["alice"]
        await booth.do(
            c.Deposit(account=alice, wallet="unified", asset="ETH", amount=Decimal(5), reference="")
        )
        frames = await line.rest()
        assert topics(frames) == ["wallet"]
        (coin,) = of(frames, "wallet")["coin"]
        assert (coin["coin"], coin["walletBalance"]) == ("ETH", "5")
        await booth.do(
            c.Transfer(account=alice, asset="ETH", amount=Decimal(2), source="unified", target="fund")
        )
        (coin,) = of(await line.rest(), "wallet")["coin"]
        assert (coin["coin"], coin["walletBalance"]) == ("ETH", "3")
        await booth.do(c.Deposit(account=alice, wallet="fund", asset="ETH", amount=Decimal(5), reference=""))
        assert await line.rest() == []
        await booth.place(SELL)
        assert [coin["coin"] for coin in of(await line.rest(), "wallet")["coin"]] == ["BTC"]

    async def test_a_switch_of_collateral_is_in_the_wallet(self, booth: Booth, line: Client) -> None:
        await booth.post("/v5/account/set-collateral-switch", {"coin": "BTC", "collateralSwitch": "OFF"})
        (coin,) = of(await line.rest(), "wallet")["coin"]
        assert (coin["coin"], coin["collateralSwitch"]) == ("BTC", False)

    async def test_a_loan_and_its_interest(self, booth: Booth, line: Client) -> None:
        await booth.post("/v5/account/borrow", {"coin": "ETH", "amount": "2"})
        (coin,) = of(await line.rest(), "wallet")["coin"]
        assert (coin["coin"], coin["spotBorrow"]) == ("ETH", "2")
        await booth.step(HOUR_US)
        (coin,) = of(await line.rest(), "wallet")["coin"]
        assert coin["coin"] == "ETH"
        assert Decimal(coin["accruedInterest"]) > 0

    async def test_the_margin_mode_changes_every_position_and_coin(self, booth: Booth, line: Client) -> None:
        await booth.place(LONG, price="100010")
        await line.rest()
        await booth.post("/v5/account/set-margin-mode", {"setMarginMode": "ISOLATED_MARGIN"})
        frames = await line.rest()
        assert topics(frames) == ["position", "wallet"]
        assert {coin["coin"] for coin in of(frames, "wallet")["coin"]} == {"USDT", "BTC"}

    async def test_funding_is_an_execution(self, booth: Booth, line: Client) -> None:
        await booth.place(LONG, price="100010")
        await line.rest()
        await booth.step(8 * HOUR_US)
        frames = await line.rest()
        assert topics(frames) == ["execution", "position", "wallet"]
        execution = of(frames, "execution")
        assert execution.keys() == EXECUTION
        assert (execution["execType"], execution["orderType"]) == ("Funding", "UNKNOWN")
        assert (await booth.trades(LINEAR, execType="Funding"))[0]["execId"] == execution["execId"]
        assert "execution.fast" not in topics(frames)


class TestProtection:
    """dcp.mdx: protection begins when all private connections that subscribed to it are gone."""

    async def protect(self, booth: Booth) -> str:
        await booth.post("/v5/order/disconnected-cancel-all", {"product": "DERIVATIVES", "timeWindow": 10})
        return await booth.place(LONG)

    async def gone(self, booth: Booth, count: int) -> None:
        """Until the emulator noticed that sockets closed, there are no more of them."""
        hub = HUBS.of(booth.sandbox)
        while hub.listening > count:
            await booth.step(1)

    async def test_the_last_one_that_is_lost_begins_it(self, booth: Booth) -> None:
        order = await self.protect(booth)
        spot = await booth.place(BUY)
        async with booth.line(PRIVATE) as witness:
            await witness.join("order")
            async with booth.line(PRIVATE) as first:
                await first.join("dcp.future", "execution")
                async with booth.line(ANY) as second:
                    await second.join("dcp.future", "execution")
                await self.gone(booth, 2)
                await booth.step(60 * SECOND_US)
                assert (await booth.find(order, LINEAR))["orderStatus"] == "New"
            await self.gone(booth, 1)
            await booth.step(9 * SECOND_US)
            assert await witness.rest() == []
            await booth.step(2 * SECOND_US)
            told = of(await witness.rest(), "order")
        assert (told["orderId"], told["orderStatus"], told["cancelType"]) == (
            order,
            "Cancelled",
            "CancelByDCP",
        )
        assert (await booth.find(spot))["orderStatus"] == "New"

    async def test_who_comes_back_in_time_keeps_the_orders(self, booth: Booth) -> None:
        order = await self.protect(booth)
        async with booth.line(PRIVATE) as client:
            await client.join("dcp.future", "execution")
        await self.gone(booth, 0)
        await booth.step(5 * SECOND_US)
        async with booth.line(PRIVATE) as client:
            await client.join("dcp.future", "execution")
            await booth.step(60 * SECOND_US)
            assert (await booth.find(order, LINEAR))["orderStatus"] == "New"
            assert await client.rest() == []

    async def test_who_never_subscribed_is_not_missed(self, booth: Booth) -> None:
        order = await self.protect(booth)
        async with booth.line(PRIVATE) as client:
            await client.join("execution", "dcp.spot")
        await self.gone(booth, 0)
        await booth.step(60 * SECOND_US)
        assert (await booth.find(order, LINEAR))["orderStatus"] == "New"
