"""python-binance, asynchronous: one event loop, many requests in flight."""

import asyncio
import time
from contextlib import asynccontextmanager
from itertools import pairwise

import python_binance_setup  # noqa: F401 - points the client at the emulator
from binance import AsyncClient
from binance.exceptions import BinanceAPIException
from stage import TAKER_RATE, D, hold_book, hold_price, open_account, raised_async, requests_seen, run, text

SYMBOL = "AVAXUSDT"
BIDS = (("39.99", "10"), ("39.95", "20"))
ASKS = (("40.01", "10"), ("40.05", "20"))


@asynccontextmanager
async def begin(**funds):
    hold_book(SYMBOL, "40.00", BIDS, ASKS)
    account = open_account(**(funds or {"USDT": "10000", "AVAX": "100"}))
    client = await AsyncClient.create(account.key, account.secret)
    try:
        yield client
    finally:
        await client.close_connection()


async def check_start():
    async with begin() as client:
        paths = [request["path"] for request in requests_seen()]
        assert paths[-2:] == ["/api/v3/ping", "/api/v3/time"]
        assert abs(client.timestamp_offset) < 1000
        assert await client.ping() == {}
        assert abs((await client.get_server_time())["serverTime"] - time.time() * 1000) < 2000


async def check_market():
    async with begin() as client:
        shown, book, trades, grouped, rows, average, ticker, best, price = await asyncio.gather(
            client.get_symbol_info(SYMBOL),
            client.get_order_book(symbol=SYMBOL),
            client.get_recent_trades(symbol=SYMBOL, limit=5),
            client.get_aggregate_trades(symbol=SYMBOL, limit=5),
            client.get_klines(symbol=SYMBOL, interval="5m", limit=3),
            client.get_avg_price(symbol=SYMBOL),
            client.get_ticker(symbol=SYMBOL),
            client.get_orderbook_ticker(symbol=SYMBOL),
            client.get_symbol_ticker(symbol=SYMBOL),
        )
        assert shown["baseAsset"] == "AVAX"
        assert book["bids"] == [[text(level), text(quantity)] for level, quantity in BIDS]
        assert [trade["id"] for trade in trades] == list(range(trades[0]["id"], trades[0]["id"] + 5))
        assert all(later["a"] == earlier["a"] + 1 for earlier, later in pairwise(grouped))
        assert [row[0] % 300_000 for row in rows] == [0, 0, 0]
        assert average["mins"] == 5
        assert ticker["lastPrice"] == price["price"] == "40.00000000"
        assert (best["bidPrice"], best["askPrice"]) == ("39.99000000", "40.01000000")


async def check_historical_klines():
    async with begin() as client:
        start = int(time.time() * 1000) // 86_400_000 * 86_400_000 - 3 * 86_400_000
        rows = await client.get_historical_klines("ETHUSDT", "1m", start, start + 1200 * 60_000 - 1)
        assert [row[0] for row in rows] == list(range(start, start + 1200 * 60_000, 60_000))
        generated = await client.get_historical_klines_generator(
            "ETHUSDT", "1m", start, start + 1200 * 60_000 - 1
        )
        assert [row async for row in generated] == rows


async def check_aggregate_trade_iterator():
    async with begin() as client:
        walked = []
        start = int(time.time() * 1000) - 86_400_000
        async for trade in client.aggregate_trade_iter("ETHUSDT", start_str=start):
            walked.append(trade["a"])
            if len(walked) == 700:
                break
        assert walked == list(range(walked[0], walked[0] + 700))


async def check_orders_at_once():
    async with begin() as client:
        prices = [f"{30 + ordinal / 10:.2f}" for ordinal in range(40)]
        placed = await asyncio.gather(
            *(client.order_limit_buy(symbol=SYMBOL, quantity="1", price=price) for price in prices)
        )
        assert [order["price"] for order in placed] == [text(price) for price in prices], (
            "each has its own answer"
        )
        assert len({order["orderId"] for order in placed}) == 40
        assert len({order["clientOrderId"] for order in placed}) == 40
        opened = await client.get_open_orders(symbol=SYMBOL)
        assert {order["orderId"] for order in opened} == {order["orderId"] for order in placed}
        locked = sum(D(price) for price in prices)
        balance = await client.get_asset_balance("USDT")
        assert (D(balance["free"]), D(balance["locked"])) == (10000 - locked, locked)
        canceled = await asyncio.gather(
            *(client.cancel_order(symbol=SYMBOL, orderId=order["orderId"]) for order in placed[:20])
        )
        assert {order["status"] for order in canceled} == {"CANCELED"}
        assert len(await client.cancel_all_open_orders(symbol=SYMBOL)) == 20
        assert (await client.get_asset_balance("USDT"))["free"] == "10000.00000000"


async def check_scarce_money_is_spent_once():
    async with begin(USDT="100") as client:
        outcomes = await asyncio.gather(
            *(client.order_limit_buy(symbol=SYMBOL, quantity="1", price="30") for _ in range(10)),
            return_exceptions=True,
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, BinanceAPIException)]
        assert len(refused) == 7
        assert {error.code for error in refused} == {-2010}
        balance = await client.get_asset_balance("USDT")
        assert (balance["free"], balance["locked"]) == ("10.00000000", "90.00000000")


async def check_market_order_and_its_trades():
    async with begin() as client:
        done = await client.order_market_buy(symbol=SYMBOL, quantity="15")
        spent = 10 * D("40.01") + 5 * D("40.05")
        assert (done["status"], done["cummulativeQuoteQty"]) == ("FILLED", text(spent))
        trades = await client.get_my_trades(symbol=SYMBOL)
        assert [trade["id"] for trade in trades] == [fill["tradeId"] for fill in done["fills"]]
        assert sum(D(trade["commission"]) for trade in trades) == 15 * TAKER_RATE
        by_quote = await client.order_market_sell(symbol=SYMBOL, quoteOrderQty="39.99")
        assert (by_quote["executedQty"], by_quote["cummulativeQuoteQty"]) == ("1.00000000", "39.99000000")
        assert (await client.get_order(symbol=SYMBOL, orderId=done["orderId"]))["status"] == "FILLED"
        assert len(await client.get_all_orders(symbol=SYMBOL)) == 2


async def check_conditional_orders_and_lists():
    async with begin() as client:
        stop = await client.create_order(
            symbol=SYMBOL,
            side="SELL",
            type="STOP_LOSS_LIMIT",
            timeInForce="GTC",
            quantity="1",
            price="37",
            stopPrice="38",
        )
        pair = await client.create_oco_order(
            symbol=SYMBOL,
            side="BUY",
            quantity="1",
            aboveType="STOP_LOSS",
            aboveStopPrice="45",
            belowType="LIMIT_MAKER",
            belowPrice="36",
        )
        hold_price(SYMBOL, "38.00")
        assert (await client.get_order(symbol=SYMBOL, orderId=stop["orderId"]))["status"] == "FILLED"
        hold_price(SYMBOL, "45.00")
        states = {order["type"]: order["status"] for order in await client.get_all_orders(symbol=SYMBOL)}
        assert (states["STOP_LOSS"], states["LIMIT_MAKER"]) == ("FILLED", "EXPIRED")
        listed = await client.v3_get_order_list(orderListId=pair["orderListId"])
        assert listed["listOrderStatus"] == "ALL_DONE"


async def check_cancel_replace():
    async with begin() as client:
        first = await client.order_limit_sell(symbol=SYMBOL, quantity="1", price="50")
        replaced = await client.cancel_replace_order(
            symbol=SYMBOL,
            side="SELL",
            type="LIMIT",
            timeInForce="GTC",
            quantity="1",
            price="51",
            cancelReplaceMode="STOP_ON_FAILURE",
            cancelOrderId=first["orderId"],
        )
        assert replaced["newOrderResponse"]["status"] == "NEW"
        (opened,) = await client.get_open_orders(symbol=SYMBOL)
        assert opened["orderId"] == replaced["newOrderResponse"]["orderId"]


async def check_account():
    async with begin() as client:
        assert (await client.get_account())["canTrade"] is True
        assert (await client.get_trade_fee(symbol=SYMBOL))[0]["takerCommission"] == "0.001"
        assert await client.get_account_status() == {"data": "Normal"}
        address = (await client.get_deposit_address(coin="USDT", network="ETH"))["address"]
        await client.withdraw(coin="USDT", network="ETH", address=address, amount="1000")
        await client.make_universal_transfer(type="MAIN_FUNDING", asset="USDT", amount="500")
        assert (await client.get_asset_balance("USDT"))["free"] == "8500.00000000"
        assert len(await client.get_withdraw_history()) == 1
        assert len(await client.get_deposit_history()) == 2


async def check_errors():
    async with begin() as client:
        for code, request in (
            (-1121, client.get_order_book(symbol="NOSUCHCOIN")),
            (-2010, client.order_limit_buy(symbol=SYMBOL, quantity="500", price="39")),
            (-1013, client.order_limit_buy(symbol=SYMBOL, quantity="0.01", price="39")),
            (-2011, client.cancel_order(symbol=SYMBOL, orderId=999_999_999)),
            (-2013, client.get_order(symbol=SYMBOL, orderId=999_999_999)),
        ):
            error = await raised_async(BinanceAPIException, request)
            assert (error.status_code, error.code) == (400, code)
        client.timestamp_offset = -20_000
        assert (await raised_async(BinanceAPIException, client.get_account())).code == -1021


run()
