"""python-binance: every ws_… method of its spot client, beside what its REST methods answer."""

import asyncio
import time
from pathlib import Path

from binance import AsyncClient
from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of, connected
from stage import KEYS, D, hold_book, hold_price, open_account, raised, raised_async, register, run

SYMBOL = "UNIUSDT"
BIDS = (("9.990", "100"), ("9.950", "200"))
ASKS = (("10.010", "100"), ("10.050", "200"))
DAY_MS = 86_400_000


def begin(**funds):
    """The market as above, and a client with an account of its own."""
    hold_book(SYMBOL, "10.000", BIDS, ASKS)
    return connected(open_account(**(funds or {"USDT": "10000", "UNI": "1000"})))


def limit(client, side, quantity, price, **terms):
    return client.ws_create_order(
        symbol=SYMBOL, side=side, type="LIMIT", timeInForce="GTC", quantity=quantity, price=price, **terms
    )


async def check_general():
    async with connected() as (client, _):
        assert await client.ws_ping() == {}
        shown = await client.ws_get_time()
        assert abs(shown["serverTime"] - time.time() * 1000) < 2000
        over_socket = await client.ws_get_exchange_info(symbols=[SYMBOL, "BTCUSDT"])
        over_rest = client_of_nobody().get_exchange_info()
        by_name = {symbol["symbol"]: symbol for symbol in over_rest["symbols"]}
        assert [symbol == by_name[symbol["symbol"]] for symbol in over_socket["symbols"]] == [True, True]
        kinds = [
            {limit["rateLimitType"]: limit["limit"] for limit in shown["rateLimits"]}
            for shown in (over_socket, over_rest)
        ]
        assert kinds[0] == {"REQUEST_WEIGHT": 6000, "ORDERS": 200_000, "CONNECTIONS": 300}
        assert kinds[1] == {"REQUEST_WEIGHT": 6000, "ORDERS": 200_000, "RAW_REQUESTS": 300_000}


def client_of_nobody():
    return client_of(open_account())


async def check_market():
    async with begin() as (client, _):
        now = int(time.time() * 1000)
        past = {"symbol": "BTCUSDT", "startTime": now - DAY_MS, "endTime": now - DAY_MS + 3_600_000}
        candles = past | {"interval": "1m"}
        held = {"symbol": SYMBOL}
        first = (await client.get_recent_trades(symbol="BTCUSDT", limit=1))[0]["id"] - 5000
        for over_socket, over_rest, terms in (
            (client.ws_get_recent_trades, client.get_recent_trades, held | {"limit": 50}),
            (
                client.ws_get_historical_trades,
                client.get_historical_trades,
                {"symbol": "BTCUSDT", "fromId": first, "limit": 20},
            ),
            (client.ws_get_aggregate_trades, client.get_aggregate_trades, past | {"limit": 30}),
            (client.ws_get_klines, client.get_klines, candles),
            (client.ws_get_uiKlines, client.get_ui_klines, candles),
            (client.ws_get_symbol_ticker, client.get_symbol_ticker, held),
            (client.ws_get_orderbook_ticker, client.get_orderbook_ticker, held),
        ):
            answer = await over_socket(**terms)
            assert answer == await over_rest(**terms), over_socket.__name__
            assert answer
        book = await client.ws_get_order_book(symbol=SYMBOL, limit=5)
        assert book["bids"] == [[f"{price}00000", f"{quantity}.00000000"] for price, quantity in BIDS]
        assert book["asks"] == [[f"{price}00000", f"{quantity}.00000000"] for price, quantity in ASKS]
        assert (await client.get_order_book(symbol=SYMBOL, limit=5))["lastUpdateId"] > book["lastUpdateId"]
        for over_socket, over_rest in (
            (client.ws_get_ticker, client.get_ticker),
            (client.ws_get_avg_price, client.get_avg_price),
        ):
            answer, known = await over_socket(symbol=SYMBOL), await over_rest(symbol=SYMBOL)
            assert set(answer) == set(known)
        window = await client.ws_get_symbol_ticker_window(symbol=SYMBOL, windowSize="1h")
        assert (window["lastPrice"], window["openTime"] % 60_000) == ("10.00000000", 0)
        assert (window["closeTime"] - window["openTime"]) // 60_000 == 60
        day = await client.ws_get_trading_day_ticker(symbol=SYMBOL)
        assert (day["openTime"] % DAY_MS, day["lastPrice"]) == (0, "10.00000000")


async def check_orders():
    async with begin() as (client, _):
        placed = await limit(client, "BUY", "10", "9")
        assert (placed["status"], placed["price"], placed["origQty"]) == ("NEW", "9.00000000", "10.00000000")
        assert placed["clientOrderId"].startswith("x-HNA2TXFJ")
        terms = {"symbol": SYMBOL, "orderId": placed["orderId"]}
        found = await client.ws_get_order(**terms)
        assert found == await client.get_order(**terms)
        assert await client.ws_get_open_orders(symbol=SYMBOL) == [found]
        canceled = await client.ws_cancel_order(**terms)
        assert (canceled["status"], canceled["origClientOrderId"]) == ("CANCELED", placed["clientOrderId"])

        done = await client.ws_order_market_buy(symbol=SYMBOL, quantity="150")
        assert [(fill["price"], fill["qty"]) for fill in done["fills"]] == [
            ("10.01000000", "100.00000000"),
            ("10.05000000", "50.00000000"),
        ]
        assert D(done["cummulativeQuoteQty"]) == 100 * D("10.01") + 50 * D("10.05")
        sold = await client.ws_order_market_sell(symbol=SYMBOL, quantity="30")
        trades = await client.ws_get_my_trades(symbol=SYMBOL)
        assert trades == await client.get_my_trades(symbol=SYMBOL)
        assert [trade["id"] for trade in trades] == [
            fill["tradeId"] for order in (done, sold) for fill in order["fills"]
        ]
        bought = await client.ws_order_limit_buy(symbol=SYMBOL, quantity="5", price="9.5")
        offered = await client.ws_order_limit_sell(symbol=SYMBOL, quantity="5", price="11")
        assert (bought["side"], offered["side"], offered["timeInForce"]) == ("BUY", "SELL", "GTC")
        ended = await client.ws_cancel_all_open_orders(symbol=SYMBOL)
        assert {order["orderId"] for order in ended} == {bought["orderId"], offered["orderId"]}
        everything = await client.ws_get_all_orders(symbol=SYMBOL)
        assert everything == await client.get_all_orders(symbol=SYMBOL)
        assert [order["status"] for order in everything] == ["CANCELED", "FILLED", "FILLED"] + [
            "CANCELED"
        ] * 2


async def check_numbers_instead_of_text():
    async with begin() as (client, _):
        placed = await limit(client, "BUY", 10, 9.5, icebergQty=2.5)
        assert (placed["price"], placed["origQty"]) == ("9.50000000", "10.00000000")
        assert placed["icebergQty"] == "2.50000000"
        named = await limit(client, "BUY", 10, 9, newClientOrderId="a-name_of-its_own-1")
        assert named["clientOrderId"] == "a-name_of-its_own-1"


async def check_replaced_order():
    async with begin() as (client, _):
        placed = await limit(client, "BUY", "10", "9")
        answer = await client.ws_cancel_and_replace_order(
            symbol=SYMBOL,
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            cancelReplaceMode="STOP_ON_FAILURE",
            cancelOrderId=placed["orderId"],
            quantity="20",
            price="8.5",
        )
        assert (answer["cancelResult"], answer["newOrderResult"]) == ("SUCCESS", "SUCCESS")
        assert answer["cancelResponse"]["orderId"] == placed["orderId"]
        (opened,) = await client.get_open_orders(symbol=SYMBOL)
        assert (opened["orderId"], opened["origQty"], opened["price"]) == (
            answer["newOrderResponse"]["orderId"],
            "20.00000000",
            "8.50000000",
        )


async def check_order_lists():
    async with begin() as (client, _):
        pair = {
            "aboveType": "LIMIT_MAKER",
            "abovePrice": "11",
            "belowType": "STOP_LOSS_LIMIT",
            "belowStopPrice": "9.5",
            "belowPrice": "9.4",
            "belowTimeInForce": "GTC",
        }
        placed = await client.ws_create_oco_order(symbol=SYMBOL, side="SELL", quantity="10", **pair)
        assert [order["type"] for order in placed["orderReports"]] == ["STOP_LOSS_LIMIT", "LIMIT_MAKER"]
        listed = await client.ws_get_oco_order(orderListId=placed["orderListId"])
        assert listed == await client.v3_get_order_list(orderListId=placed["orderListId"])
        assert await client.ws_get_oco_open_orders() == [listed]
        ended = await client.ws_cancel_oco_order(symbol=SYMBOL, orderListId=placed["orderListId"])
        assert ended["listOrderStatus"] == "ALL_DONE"
        working = {
            "workingType": "LIMIT",
            "workingSide": "BUY",
            "workingTimeInForce": "GTC",
            "workingQuantity": "10",
            "workingPrice": "9.9",
            "pendingSide": "SELL",
            "pendingQuantity": "9",
        }
        one = await client.ws_create_oto_order(
            symbol=SYMBOL, pendingType="LIMIT", pendingPrice="11", pendingTimeInForce="GTC", **working
        )
        three = await client.ws_create_otoco_order(
            symbol=SYMBOL, **working, **{f"pending{name[0].upper()}{name[1:]}": pair[name] for name in pair}
        )
        assert (len(one["orders"]), len(three["orders"])) == (2, 3)
        assert {one["contingencyType"], three["contingencyType"]} == {"OTO"}
        hold_price(SYMBOL, "9.800")
        states = [order["status"] for order in await client.ws_get_all_orders(symbol=SYMBOL)]
        assert states == ["CANCELED"] * 2 + ["FILLED", "NEW", "FILLED", "NEW", "NEW"]


async def check_account():
    async with begin(USDT="1000.5") as (client, _):
        shown = await client.ws_get_account(omitZeroBalances=True)
        assert shown == await client.get_account(omitZeroBalances="true")
        assert shown["balances"] == [{"asset": "USDT", "free": "1000.50000000", "locked": "0.00000000"}]
        rates = await client.ws_get_commission_rates(symbol=SYMBOL)
        assert rates == await client.v3_get_account_commission(symbol=SYMBOL)
        await limit(client, "BUY", "10", "9")
        counts = await client.ws_get_account_rate_limits_orders()
        assert counts == await client.get_current_order_count()
        assert [each["count"] for each in counts] == [1, 1]
        assert await client.ws_get_prevented_matches(symbol=SYMBOL, preventedMatchId=1) == []
        assert await client.ws_get_allocations(symbol=SYMBOL) == []


async def check_test_orders():
    async with begin() as (client, _):
        terms = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        assert await client.ws_create_test_order(**terms, quantity="10", price="9") == {}
        rates = await client.ws_create_test_order(
            **terms, quantity="10", price="9", computeCommissionRates=True
        )
        assert rates["standardCommissionForOrder"]["maker"] == "0.00100000"
        error = await raised_async(
            BinanceAPIException, client.ws_create_test_order(**terms, quantity="10.001", price="9")
        )
        assert (error.code, error.message) == (-1013, "Filter failure: LOT_SIZE")
        assert await client.ws_get_all_orders(symbol=SYMBOL) == []


async def check_smart_order_routing():
    """There is none, over either way."""
    async with begin() as (client, _):
        terms = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "10"}
        for over_socket, over_rest in (
            (client.ws_create_sor_order, client.v3_post_sor_order),
            (client.ws_create_test_sor_order, client.v3_post_sor_order_test),
        ):
            error = await raised_async(BinanceAPIException, over_socket(**terms))
            known = await raised_async(BinanceAPIException, over_rest(**terms))
            assert (error.code, error.message, error.status_code) == (
                known.code,
                known.message,
                known.status_code,
            )


async def check_errors():
    async with begin(USDT="100") as (client, _):
        terms = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        for status, code, message, request in (
            (400, -1121, "Invalid symbol.", client.ws_get_order_book(symbol="NOSUCHCOIN")),
            (
                400,
                -2010,
                "Account has insufficient balance for requested action.",
                limit(client, "BUY", "100", "9"),
            ),
            (400, -1013, "Filter failure: PRICE_FILTER", limit(client, "BUY", "10", "9.00001")),
            (400, -2013, "Order does not exist.", client.ws_get_order(symbol=SYMBOL, orderId=999_999_999)),
            (400, -2011, "Unknown order sent.", client.ws_cancel_order(symbol=SYMBOL, orderId=999_999_999)),
            (400, -1102, None, client.ws_create_order(**terms, quantity="10")),
            (400, -1121, "Invalid symbol.", client.ws_get_ticker(symbol="NOSUCHCOIN")),
        ):
            error = await raised_async(BinanceAPIException, request)
            assert (error.status_code, error.code) == (status, code), str(error)
            assert message is None or error.message == message
        assert await client.ws_ping() == {}, "the connection lives on"

        async with connected() as (stranger, _):
            stranger.API_KEY, stranger.API_SECRET = client.API_KEY, "wrong"
            error = await raised_async(BinanceAPIException, stranger.ws_get_account())
            assert (error.status_code, error.code) == (400, -1022)
            stranger.API_KEY = "k" * 64
            error = await raised_async(BinanceAPIException, stranger.ws_get_account())
            assert (error.status_code, error.code) == (401, -2015)
            stranger.timestamp_offset = -20_000
            stranger.API_KEY, stranger.API_SECRET = client.API_KEY, client.API_SECRET
            error = await raised_async(BinanceAPIException, stranger.ws_get_account())
            assert (error.status_code, error.code) == (400, -1021)


async def check_many_in_flight():
    async with begin() as (client, _):
        placed = await asyncio.gather(
            *(limit(client, "BUY", "10", str(8 + D(ordinal) / 100)) for ordinal in range(40))
        )
        assert [order["price"] for order in placed] == [
            f"{8 + D(ordinal) / 100:.8f}" for ordinal in range(40)
        ]
        assert len({order["orderId"] for order in placed}) == 40
        found = await asyncio.gather(
            *(client.ws_get_order(symbol=SYMBOL, orderId=order["orderId"]) for order in placed)
        )
        assert [order["price"] for order in found] == [order["price"] for order in placed]
        assert len(await client.ws_cancel_all_open_orders(symbol=SYMBOL)) == 40


async def check_keys_of_every_kind():
    account = open_account(USDT="1000")
    for kind in ("ed25519", "rsa"):
        # It reads no protected Ed25519 key.
        is_open = kind == "ed25519"
        signer = {
            "api_key": register(account.name, kind, KEYS[kind]["public"]),
            "private_key": KEYS[kind]["private" if is_open else "protected"],
            "private_key_pass": None if is_open else KEYS[kind]["passphrase"],
        }
        async with connected(**signer) as (client, _):
            shown = await client.ws_get_account(omitZeroBalances=True)
            assert [each["asset"] for each in shown["balances"]] == ["USDT"]
            placed = await limit(client, "BUY", "10", "9")
            assert placed["status"] == "NEW"


def check_synchronous_client():
    hold_book(SYMBOL, "10.000", BIDS, ASKS)
    client = client_of(open_account(USDT="1000"))
    placed = client.ws_create_order(
        symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="10", price="9.123"
    )
    assert client.ws_get_order(symbol=SYMBOL, orderId=placed["orderId"]) == client.get_order(
        symbol=SYMBOL, orderId=placed["orderId"]
    )
    book = client.ws_get_order_book(symbol=SYMBOL)
    assert ["9.12300000", "10.00000000"] in book["bids"]
    assert client.ws_cancel_order(symbol=SYMBOL, orderId=placed["orderId"])["status"] == "CANCELED"
    error = raised(BinanceAPIException, client.ws_get_order, symbol=SYMBOL, orderId=999_999_999)
    assert error.code == -2013


async def check_microseconds():
    async with connected(open_account(USDT="1000"), time_unit="MICROSECOND") as (client, _):
        assert abs((await client.ws_get_time())["serverTime"] - time.time() * 1_000_000) < 2_000_000
        placed = await limit(client, "BUY", "10", "9")
        assert abs(placed["transactTime"] - time.time() * 1_000_000) < 5_000_000


def check_every_method_was_used():
    source = Path(__file__).read_text()
    methods = {name for name in vars(AsyncClient) if name.startswith("ws_") and "futures" not in name} - {
        "ws_order_limit",
        "ws_order_market",
        "ws_api",
    }
    assert {name for name in methods if f".{name}" not in source} == set()


run()
