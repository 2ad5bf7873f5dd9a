"""binance-sdk-spot: every method of the WebSocket API, through its typed models."""

import asyncio
import time

from binance_common.constants import TimeUnit, WebsocketMode
from binance_sdk_spot_setup import (
    SOCKET_METHODS,
    Rest,
    SocketRefused,
    called,
    of,
    quietly,
    refusals,
    socket_api,
)
from stage import (
    KEYS,
    TAKER_RATE,
    D,
    hold_book,
    hold_price,
    open_account,
    raised_async,
    register,
    run,
)

SYMBOL = "XLMUSDT"
BIDS = (("0.4990", "1000"), ("0.4980", "2000"))
ASKS = (("0.5010", "1000"), ("0.5020", "2000"))
DAY_MS = 86_400_000

ACK_ONLY = {
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "workingTime",
    "selfTradePreventionMode",
    "fills",
}
"""What an acknowledgement does not hold."""

RATES_ONLY = {
    "discount",
    "specialCommissionForOrder",
    "standardCommissionForOrder",
    "taxCommissionForOrder",
}
"""What a test does not answer unless asked for it."""

LIST_ONLY = {
    "contingencyType",
    "listClientOrderId",
    "listOrderStatus",
    "listStatusType",
    "orderReports",
    "orders",
    "transactionTime",
}
"""What the cancel of an order that is in no list does not hold."""


def begin(**funds):
    hold_book(SYMBOL, "0.5000", BIDS, ASKS)
    return open_account(**(funds or {"USDT": "10000", "XLM": "50000"}))


def limit(api, side, quantity, price, **terms):
    return api.order_place(
        symbol=SYMBOL, side=side, type="LIMIT", time_in_force="GTC", quantity=quantity, price=price, **terms
    )


async def refused(code, request):
    with refusals():
        error = await raised_async(SocketRefused, request)
    assert error.error["code"] == code, error
    return error.error


async def check_general():
    async with socket_api() as api:
        await api.ping()
        assert abs((await api.time()).server_time - time.time() * 1000) < 2000
        shown = await api.exchange_info(symbols=["BTCUSDT", SYMBOL])
        assert {symbol["symbol"]: symbol["status"] for symbol in shown["symbols"]} == {
            "BTCUSDT": "TRADING",
            SYMBOL: "TRADING",
        }
        await api.execution_rules(symbol=SYMBOL)
        await refused(-2043, api.reference_price(symbol=SYMBOL))
        await refused(-2043, api.reference_price_calculation(symbol=SYMBOL))
        (limit,) = api.limits
        assert (limit.rateLimitType, limit.interval, limit.limit) == ("REQUEST_WEIGHT", "MINUTE", 6000)
        assert limit.count > 20


async def check_market():
    begin()
    rest = Rest()
    async with socket_api() as api:
        book = await api.depth(symbol=SYMBOL, limit=5)
        assert book.bids == [["0.49900000", "1000.00000000"], ["0.49800000", "2000.00000000"]]
        assert book.asks == [["0.50100000", "1000.00000000"], ["0.50200000", "2000.00000000"]]
        recent = await api.trades_recent(symbol=SYMBOL, limit=30)
        assert [trade.id for trade in recent] == list(range(recent[0].id, recent[0].id + 30))
        older = await api.trades_historical(symbol=SYMBOL, from_id=recent[0].id, limit=30)
        assert [(trade.id, trade.price, trade.qty) for trade in older] == [
            (trade.id, trade.price, trade.qty) for trade in recent
        ]
        grouped = await api.trades_aggregate(symbol=SYMBOL, from_id=recent[0].id, limit=30)
        assert [(trade.p, trade.q, trade.T) for trade in grouped] == [
            (trade.price, trade.qty, trade.time) for trade in recent
        ]
        assert await api.block_trades_historical(symbol=SYMBOL, from_id=1) == []
        start = int(time.time() * 1000) // DAY_MS * DAY_MS - 2 * DAY_MS
        terms = {"symbol": "BTCUSDT", "interval": "1h", "start_time": start, "limit": 24}
        rows = await api.klines(**terms)
        assert rows == rest.klines(**terms)
        assert len(rows) == 24
        assert await api.ui_klines(**terms) == rest.ui_klines(**terms)
        average = await api.avg_price(symbol=SYMBOL)
        assert (average.mins, abs(D(average.price) - D("0.5")) < D("0.1")) == (5, True)
        day = await api.ticker24hr(symbol=SYMBOL)
        assert (day.last_price, day.bid_price, day.ask_qty) == ("0.50000000", "0.49900000", "1000.00000000")
        assert len(await api.ticker24hr(symbols=[SYMBOL, "BTCUSDT"])) == 2
        assert (await api.ticker_trading_day(symbol=SYMBOL)).open_time % DAY_MS == 0
        assert (await api.ticker(symbol=SYMBOL, window_size="4h")).last_price == "0.50000000"
        assert (await api.ticker_price(symbol=SYMBOL)).price == "0.50000000"
        best = await api.ticker_book(symbol=SYMBOL)
        assert (best.bid_price, best.bid_qty, best.ask_price) == ("0.49900000", "1000.00000000", "0.50100000")
        await refused(-1121, api.depth(symbol="NOSUCHCOIN"))


async def check_orders():
    account = begin()
    rest = of(account)
    async with socket_api(account) as api:
        placed = await limit(api, "BUY", 105, 0.4)
        assert (placed.status, placed.price, placed.orig_qty, placed.fills) == (
            "NEW",
            "0.40000000",
            "105.00000000",
            [],
        )
        assert {(each.rateLimitType, each.interval) for each in api.limits} == {
            ("REQUEST_WEIGHT", "MINUTE"),
            ("ORDERS", "SECOND"),
            ("ORDERS", "DAY"),
        }
        assert {each.count for each in api.limits if each.rateLimitType == "ORDERS"} == {1}
        found = await api.order_status(symbol=SYMBOL, order_id=placed.order_id)
        assert found.to_dict() == rest.get_order(symbol=SYMBOL, order_id=placed.order_id).to_dict()
        (opened,) = await api.open_orders_status(symbol=SYMBOL)
        assert opened.order_id == placed.order_id
        amended = await api.order_amend_keep_priority(
            symbol=SYMBOL, order_id=placed.order_id, new_qty=50, absent={"listStatus"}
        )
        assert amended.amended_order.qty == "50.00000000"
        (change,) = await api.order_amendments(symbol=SYMBOL, order_id=placed.order_id)
        assert (change.orig_qty, change.new_qty) == ("105.00000000", "50.00000000")
        replaced = await api.order_cancel_replace(
            symbol=SYMBOL,
            cancel_replace_mode="STOP_ON_FAILURE",
            side="BUY",
            type="LIMIT",
            time_in_force="GTC",
            cancel_order_id=placed.order_id,
            quantity=60,
            price=0.45,
        )
        assert (replaced.cancel_result, replaced.new_order_result) == ("SUCCESS", "SUCCESS")
        new = replaced.new_order_response
        canceled = await api.order_cancel(symbol=SYMBOL, order_id=new.order_id, absent=LIST_ONLY)
        assert (canceled.status, canceled.order_id) == ("CANCELED", new.order_id)

        done = await api.order_place(symbol=SYMBOL, side="BUY", type="MARKET", quantity=1500)
        spent = 1000 * D("0.501") + 500 * D("0.502")
        assert (done.status, D(done.cummulative_quote_qty)) == ("FILLED", spent)
        assert [(fill.price, fill.qty) for fill in done.fills] == [
            ("0.50100000", "1000.00000000"),
            ("0.50200000", "500.00000000"),
        ]
        trades = await api.my_trades(symbol=SYMBOL)
        assert [(trade.id, trade.price, trade.commission) for trade in trades] == [
            (fill.trade_id, fill.price, fill.commission) for fill in done.fills
        ]
        assert sum(D(trade.commission) for trade in trades) == 1500 * TAKER_RATE
        await limit(api, "BUY", 100, 0.4, new_order_resp_type="ACK", absent=ACK_ONLY)
        await limit(api, "SELL", 100, 0.6, new_order_resp_type="RESULT", absent={"fills"})
        assert len(await api.open_orders_cancel_all(symbol=SYMBOL, absent=LIST_ONLY)) == 2
        everything = await api.all_orders(symbol=SYMBOL)
        assert [order.status for order in everything] == ["CANCELED", "CANCELED", "FILLED"] + ["CANCELED"] * 2
        await api.order_test(symbol=SYMBOL, side="BUY", type="MARKET", quantity=100, absent=RATES_ONLY)
        rates = await api.order_test(
            symbol=SYMBOL, side="BUY", type="MARKET", quantity=100, compute_commission_rates=True
        )
        assert rates.standard_commission_for_order.taker == "0.00100000"


async def check_order_lists():
    account = begin()
    async with socket_api(account) as api:
        pair = {
            "above_type": "LIMIT_MAKER",
            "above_price": 0.6,
            "below_type": "STOP_LOSS_LIMIT",
            "below_stop_price": 0.45,
            "below_price": 0.44,
            "below_time_in_force": "GTC",
        }
        oco = await api.order_list_place_oco(symbol=SYMBOL, side="SELL", quantity=100, **pair)
        assert [order.type for order in oco.order_reports] == ["STOP_LOSS_LIMIT", "LIMIT_MAKER"]
        old = await api.order_list_place(
            symbol=SYMBOL, side="SELL", quantity=100, price=0.61, stop_price=0.45
        )
        assert {order.type for order in old.order_reports} == {"STOP_LOSS", "LIMIT_MAKER"}
        state = await api.order_list_status(order_list_id=oco.order_list_id)
        assert (state.list_order_status, len(state.orders)) == ("EXECUTING", 2)
        lists = await api.open_order_lists_status()
        assert {each.order_list_id for each in lists} == {oco.order_list_id, old.order_list_id}
        for placed in (oco, old):
            ended = await api.order_list_cancel(symbol=SYMBOL, order_list_id=placed.order_list_id)
            assert ended.list_order_status == "ALL_DONE"
        working = {
            "working_type": "LIMIT",
            "working_side": "BUY",
            "working_time_in_force": "GTC",
            "working_quantity": 100,
            "working_price": 0.49,
            "pending_side": "SELL",
        }
        one = {"pending_type": "LIMIT", "pending_price": 0.6, "pending_time_in_force": "GTC"}
        two = {f"pending_{name}": value for name, value in pair.items()}
        placed = [
            await api.order_list_place_oto(symbol=SYMBOL, **working, **one, pending_quantity=50),
            await api.order_list_place_otoco(symbol=SYMBOL, **working, **two, pending_quantity=50),
            await api.order_list_place_opo(symbol=SYMBOL, **working, **one, absent={"origQty"}),
            await api.order_list_place_opoco(symbol=SYMBOL, **working, **two, absent={"origQty"}),
        ]
        assert [len(each.orders) for each in placed] == [2, 3, 2, 3]
        hold_price(SYMBOL, "0.4800")
        states = [order.status for order in await api.open_orders_status(symbol=SYMBOL)]
        assert states == ["NEW"] * 6
        everything = {each.order_list_id: each for each in await api.all_order_lists()}
        assert len(everything) == 6
        assert everything[placed[0].order_list_id].list_status_type in ("ALL_DONE", "EXEC_STARTED")


async def check_account():
    account = begin(USDT="1000.5")
    async with socket_api(account) as api:
        shown = await api.account_status(omit_zero_balances=True)
        assert [(each.asset, each.free, each.locked) for each in shown.balances] == [
            ("USDT", "1000.50000000", "0.00000000")
        ]
        rates = await api.account_commission(symbol=SYMBOL)
        assert (rates.standard_commission.maker, rates.discount.discount_asset) == ("0.00100000", "BNB")
        counts = await api.account_rate_limits_orders()
        assert [(each.interval, each.limit, each.count) for each in counts] == [
            ("SECOND", 100, 0),
            ("DAY", 200_000, 0),
        ]
        assert await api.my_allocations(symbol=SYMBOL) == []
        assert await api.my_prevented_matches(symbol=SYMBOL, prevented_match_id=1) == []
        assert await api.my_filters(symbol=SYMBOL) is None, "the SDK's model drops all that it is given"


async def check_session():
    account = begin()
    key = register(account.name, "ed25519", KEYS["ed25519"]["public"])
    absent = {"apiKey", "authorizedSince"}
    async with socket_api(api_key=key, private_key=KEYS["ed25519"]["private"].encode()) as api:
        before = await api.session_status(absent=absent)
        assert (before.api_key, before.return_rate_limits, before.user_data_stream) == (None, True, False)
        logon = await api.session_logon()
        assert (logon.api_key, logon.connected_since) == (key, before.connected_since)
        assert logon.authorized_since >= logon.connected_since
        # From now on the SDK sends neither key nor signature.
        placed = await limit(api, "BUY", 100, 0.4)
        assert [order.order_id for order in await api.open_orders_status()] == [placed.order_id]
        result, _ = await api.user_data_stream_subscribe()
        assert result.subscription_id == 0
        assert len(await api.session_subscriptions()) == 1
        await api.user_data_stream_unsubscribe()
        assert await api.session_subscriptions() == []
        await api.session_logout(absent=absent)
        assert (await api.session_status(absent=absent)).api_key is None
        assert (await api.open_orders_status())[0].order_id == placed.order_id, "it signs again"


async def check_smart_order_routing():
    account = begin()
    async with socket_api(account) as api:
        terms = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": 100}
        for method in (api.sor_order_place, api.sor_order_test):
            with refusals():
                error = await raised_async(SocketRefused, method(**terms))
            assert error.error["code"] < 0


async def check_errors():
    account = begin(USDT="100")
    async with socket_api(account) as api:
        for code, message, request in (
            (-2010, "Account has insufficient balance for requested action.", limit(api, "BUY", 1000, 0.4)),
            (-1013, "Filter failure: LOT_SIZE", limit(api, "BUY", 100.01, 0.4)),
            (-1013, "Filter failure: PRICE_FILTER", limit(api, "BUY", 100, 0.40001)),
            (-2013, "Order does not exist.", api.order_status(symbol=SYMBOL, order_id=999_999_999)),
            (-2011, "Unknown order sent.", api.order_cancel(symbol=SYMBOL, order_id=999_999_999)),
        ):
            assert (await refused(code, request))["msg"] == message
        assert (await api.account_status(omit_zero_balances=True)).balances[0].free == "100.00000000"
    async with socket_api(account._replace(secret="wrong")) as api:
        await refused(-1022, api.account_status())
    async with socket_api(api_key="k" * 64, api_secret="s") as api:
        await refused(-2015, api.account_status())


async def check_without_rate_limits():
    account = begin()
    async with socket_api(account, return_rate_limits=False) as api:
        placed = await limit(api, "BUY", 100, 0.4, absent={"rateLimits"})
        assert placed.status == "NEW"
        assert api.limits == []


async def check_pool_and_microseconds():
    account = begin()
    async with socket_api(
        account, mode=WebsocketMode.POOL, pool_size=3, time_unit=TimeUnit.MICROSECOND
    ) as api:
        placed = await asyncio.gather(*(limit(api, "BUY", 100 + ordinal, 0.4) for ordinal in range(12)))
        assert [D(order.orig_qty) for order in placed] == [100 + ordinal for ordinal in range(12)]
        now = time.time() * 1_000_000
        assert all(abs(order.transact_time - now) < 5_000_000 for order in placed)
        assert len(await api.open_orders_status(symbol=SYMBOL)) == 12


def check_every_method_was_used():
    elsewhere = {"user_data_stream_subscribe_signature"}
    assert SOCKET_METHODS - called == elsewhere


run(around=quietly)
