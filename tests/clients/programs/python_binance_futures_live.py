"""python-binance, asynchronous, on both futures sites: REST, its sockets, user data and the WebSocket API.

The clock stands still unless it is stepped, so what comes is what was made to happen.
"""

import asyncio
from contextlib import asynccontextmanager

from binance.enums import FuturesType
from binance.exceptions import BinanceAPIException
from python_binance_setup import connected, following, next_of
from stage import D, hold_book, move_clock, open_account, print_trade, raised_async, run

USDM, COINM = "binance-usdm", "binance-coinm"
LINEAR, INVERSE = "BTCUSDT", "BTCUSD_PERP"
BIDS = (("49990", "1000"), ("49980", "2000"))
ASKS = (("50010", "1000"), ("50020", "2000"))


@asynccontextmanager
async def begin():
    """Both markets held at 50,000, and an account with 10,000 USDT."""
    hold_book(LINEAR, "50000", BIDS, ASKS, USDM)
    hold_book(INVERSE, "50000", BIDS, ASKS, COINM)
    account = open_account(wallet="usdm", USDT="10000")
    async with connected(account) as (client, sockets):
        yield client, sockets


def bought(client, quantity, **terms):
    return client.futures_create_order(symbol=LINEAR, side="BUY", type="MARKET", quantity=quantity, **terms)


async def wallet(client):
    return {each["asset"]: D(each["balance"]) for each in await client.futures_account_balance()}["USDT"]


async def check_rest():
    async with begin() as (client, _):
        assert (await client.futures_mark_price(symbol=LINEAR))["markPrice"] == "50000.00000000"
        await client.futures_change_leverage(symbol=LINEAR, leverage=10)
        await bought(client, "0.1")
        (held,) = await client.futures_position_information(symbol=LINEAR)
        assert (D(held["positionAmt"]), D(held["entryPrice"])) == (D("0.1"), 50_010)
        assert await wallet(client) == 10_000 - D("2.5005")
        stop = await client.futures_create_order(
            symbol=LINEAR, side="SELL", type="STOP_MARKET", stopPrice="49000", closePosition="true"
        )
        (waiting,) = await client.futures_get_open_orders(symbol=LINEAR, conditional=True)
        assert waiting["algoId"] == stop["algoId"]
        terms = {"symbol": LINEAR, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
        placed = await asyncio.gather(
            *(client.futures_create_order(**terms, price=str(price)) for price in range(49000, 49005))
        )
        opened = await client.futures_get_open_orders(symbol=LINEAR)
        assert {each["orderId"] for each in opened} == {each["orderId"] for each in placed}
        await client.futures_cancel_all_open_orders(symbol=LINEAR)
        error = await raised_async(BinanceAPIException, bought(client, "5"))
        assert (error.code, error.message) == (-2019, "Margin is insufficient.")
        error = await raised_async(
            BinanceAPIException, client.futures_change_margin_type(symbol=LINEAR, marginType="CROSSED")
        )
        assert error.code == -4046
        (shown,) = await client.futures_coin_mark_price(symbol=INVERSE)
        assert shown["markPrice"] == "50000.00000000"


async def market_is_told(futures_type, site, symbol, price):
    async with begin() as (_, sockets):
        lower = symbol.lower()
        trades, best, books, candles, many = await following(
            sockets.aggtrade_futures_socket(symbol, futures_type=futures_type),
            sockets.symbol_ticker_futures_socket(symbol, futures_type=futures_type),
            sockets.futures_depth_socket(symbol, depth="5", futures_type=futures_type),
            sockets.kline_futures_socket(symbol.partition("_")[0], futures_type=futures_type),
            sockets.futures_multiplex_socket([f"{lower}@markPrice@1s"], futures_type=futures_type),
        )
        move_clock(step="1s")
        marks = await next_of(many)
        assert (marks["stream"], marks["data"]["p"]) == (f"{lower}@markPrice@1s", "50000.00000000")
        print_trade(symbol, "50010", "7", "buy", site)
        hold_book(symbol, "50000", (("49995", "3"),), ASKS, site)
        move_clock(step="1s")
        while (trade := await next_of(trades))["data"]["p"] != price("50010"):
            pass
        assert (trade["data"]["s"], D(trade["data"]["q"]), trade["data"]["m"]) == (symbol, 7, False)
        while (shown := await next_of(best))["data"]["b"] != price("49995"):
            pass
        assert D(shown["data"]["B"]) == 3
        while (book := await next_of(books))["data"]["b"][0][0] != price("49995"):
            pass
        assert book["data"]["e"] == "depthUpdate"
        candle = await next_of(candles)
        assert (candle["e"], candle["ct"], candle["k"]["i"]) == ("continuous_kline", "PERPETUAL", "1m")


async def check_linear_market():
    await market_is_told(FuturesType.USD_M, USDM, LINEAR, "{}.00".format)


async def check_inverse_market():
    await market_is_told(FuturesType.COIN_M, COINM, INVERSE, "{}.0".format)


async def check_linear_account():
    async with begin() as (client, sockets):
        user = await following(sockets.futures_user_socket())
        await client.futures_change_leverage(symbol=LINEAR, leverage=10)
        config = await next_of(user)
        assert (config["e"], config["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": LINEAR, "l": 10})
        done = await bought(client, "0.1")
        new, lite, account, filled = await next_of(user, 4)
        assert [each["e"] for each in (new, lite, account, filled)] == [
            "ORDER_TRADE_UPDATE",
            "TRADE_LITE",
            "ACCOUNT_UPDATE",
            "ORDER_TRADE_UPDATE",
        ]
        assert (new["o"]["x"], new["o"]["X"], new["o"]["c"]) == ("NEW", "NEW", done["clientOrderId"])
        order = filled["o"]
        assert (order["x"], order["X"], order["i"]) == ("TRADE", "FILLED", done["orderId"])
        assert (D(order["L"]), D(order["l"]), D(order["n"]), order["N"]) == (
            50_010,
            D("0.1"),
            D("2.5005"),
            "USDT",
        )
        assert (lite["t"], lite["i"]) == (order["t"], order["i"])
        (balance,), (held,) = account["a"]["B"], account["a"]["P"]
        assert (account["a"]["m"], balance["a"]) == ("ORDER", "USDT")
        assert D(balance["wb"]) == await wallet(client) == D("9997.4995")
        assert (held["s"], D(held["pa"]), D(held["ep"]), held["ps"]) == (LINEAR, D("0.1"), 50_010, "BOTH")

        # A stop stands apart until it is reached; then an order of its own sells.
        stop = await client.futures_create_order(
            symbol=LINEAR, side="SELL", type="STOP_MARKET", stopPrice="49990", quantity="0.1"
        )
        waiting = await next_of(user)
        assert (waiting["e"], waiting["o"]["X"], waiting["o"]["aid"]) == (
            "ALGO_UPDATE",
            "NEW",
            stop["algoId"],
        )
        hold_book(LINEAR, "49985", (("49980", "10"),), (("49990", "10"),), USDM)
        told = []
        while not told or told[-1] != ("ALGO_UPDATE", "FINISHED"):
            event = await next_of(user)
            told.append((event["e"], event.get("o", {}).get("X", "")))
        kinds = [each for each in told if each[0] in ("ALGO_UPDATE", "ORDER_TRADE_UPDATE")]
        assert kinds == [
            ("ALGO_UPDATE", "TRIGGERING"),
            ("ALGO_UPDATE", "TRIGGERED"),
            ("ORDER_TRADE_UPDATE", "NEW"),
            ("ORDER_TRADE_UPDATE", "FILLED"),
            ("ALGO_UPDATE", "FINISHED"),
        ]
        assert await client.futures_position_information(symbol=LINEAR) == []


async def check_inverse_account():
    hold_book(INVERSE, "50000", BIDS, ASKS, COINM)
    async with connected(open_account(wallet="coinm", BTC="10")) as (client, sockets):
        user = await following(sockets.coin_futures_user_socket())
        done = await client.futures_coin_create_order(
            symbol=INVERSE, side="SELL", type="MARKET", quantity="10"
        )
        told = {}
        while "ACCOUNT_UPDATE" not in told or told["ORDER_TRADE_UPDATE"]["o"]["X"] != "FILLED":
            event = await next_of(user)
            told[event["e"]] = event
        order = told["ORDER_TRADE_UPDATE"]["o"]
        assert (order["i"], D(order["L"]), order["N"], order["ma"]) == (done["orderId"], 49_990, "BTC", "BTC")
        (held,) = told["ACCOUNT_UPDATE"]["a"]["P"]
        assert (held["s"], D(held["pa"]), D(held["ep"])) == (INVERSE, -10, 49_990)
        (balance,) = told["ACCOUNT_UPDATE"]["a"]["B"]
        assert abs(D(balance["wb"]) - (10 - D(1000) / 49_990 * D("0.0005"))) <= D("1e-8")


async def check_socket_api():
    async with begin() as (client, _):
        assert (await client.ws_futures_get_order_book(symbol=LINEAR))["bids"][0][0] == "49990.00"
        best = await client.ws_futures_get_order_book_ticker(symbol=LINEAR)
        assert (best["bidPrice"], best["askPrice"]) == ("49990.00", "50010.00")
        placed = await client.ws_futures_create_order(
            symbol=LINEAR, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="49000"
        )
        assert placed["status"] == "NEW"
        changed = await client.ws_futures_edit_order(
            symbol=LINEAR, side="BUY", orderId=placed["orderId"], quantity="0.02", price="48500"
        )
        assert (changed["price"], changed["origQty"]) == ("48500.00", "0.020")
        known = await client.ws_futures_get_order(symbol=LINEAR, orderId=placed["orderId"])
        assert known["status"] == "NEW"
        gone = await client.ws_futures_cancel_order(symbol=LINEAR, orderId=placed["orderId"])
        assert gone["status"] == "CANCELED"
        await client.ws_futures_create_order(symbol=LINEAR, side="BUY", type="MARKET", quantity="0.1")
        (held,) = await client.ws_futures_v2_account_position(symbol=LINEAR)
        assert D(held["entryPrice"]) == 50_010
        account = await client.ws_futures_v2_account_status()
        assert D(account["totalWalletBalance"]) == D("9997.4995")
        balances = await client.ws_futures_v2_account_balance()
        assert {each["asset"]: D(each["balance"]) for each in balances}["USDT"] == D("9997.4995")
        stop = await client.ws_futures_create_order(
            symbol=LINEAR, side="SELL", type="STOP_MARKET", triggerPrice="49000", quantity="0.1"
        )
        assert stop["algoStatus"] == "NEW"
        assert (await client.ws_futures_cancel_algo_order(algoId=stop["algoId"]))["msg"] == "success"


run()
