"""ccxt.pro: orders and questions over the WebSocket API, beside what it is answered over REST."""

import asyncio

import ccxt
from ccxt_watching import client_of
from stage import TAKER_RATE, D, hold_book, open_account, raised_async, run

SYMBOL, MARKET = "BCH/USDT", "BCHUSDT"
BIDS = (("399.90", "10"), ("399.50", "20"))
ASKS = (("400.10", "10"), ("400.50", "20"))


def begin(**funds):
    hold_book(MARKET, "400.00", BIDS, ASKS)
    return client_of(open_account(**(funds or {"USDT": "100000", "BCH": "100"})))


def same(order, known):
    for name in (
        "id",
        "clientOrderId",
        "symbol",
        "type",
        "side",
        "price",
        "amount",
        "filled",
        "remaining",
        "cost",
        "status",
        "timeInForce",
    ):
        assert order[name] == known[name], name


async def check_orders():
    async with begin() as exchange:
        placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 2, 390)
        assert (placed["status"], placed["price"], placed["amount"]) == ("open", 390.0, 2.0)
        assert placed["clientOrderId"].startswith("x-TKT5PX2F")
        same(await exchange.fetch_order(placed["id"], SYMBOL), placed)
        same(await exchange.fetch_order_ws(placed["id"], SYMBOL), placed)
        (opened,) = await exchange.fetch_open_orders_ws(SYMBOL)
        same(opened, placed)
        edited = await exchange.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 3, 380)
        assert (edited["status"], edited["price"], edited["amount"]) == ("open", 380.0, 3.0)
        assert edited["id"] != placed["id"]
        assert (await exchange.fetch_order(placed["id"], SYMBOL))["status"] == "canceled"
        canceled = await exchange.cancel_order_ws(edited["id"], SYMBOL)
        assert (canceled["id"], canceled["status"]) == (edited["id"], "canceled")

        done = await exchange.create_order_ws(SYMBOL, "market", "buy", 15)
        cost = 10 * D("400.1") + 5 * D("400.5")
        assert (done["status"], D(str(done["cost"]))) == ("closed", cost)
        assert [trade["amount"] for trade in done["trades"]] == [10.0, 5.0]
        trades = await exchange.fetch_my_trades_ws(SYMBOL)
        assert [trade["id"] for trade in trades] == [
            trade["id"] for trade in await exchange.fetch_my_trades(SYMBOL)
        ]
        assert sum(D(str(trade["fee"]["cost"])) for trade in trades) == 15 * TAKER_RATE
        everything = await exchange.fetch_orders_ws(SYMBOL)
        assert [order["status"] for order in everything] == ["canceled", "canceled", "closed"]
        (closed,) = [
            order for order in await exchange.fetch_closed_orders_ws(SYMBOL) if order["status"] == "closed"
        ]
        assert closed["id"] == done["id"]


async def check_stop_order():
    async with begin() as exchange:
        stop = await exchange.create_order_ws(SYMBOL, "limit", "sell", 2, 350, {"stopPrice": 360})
        assert stop["info"]["type"] == "STOP_LOSS_LIMIT"
        (opened,) = await exchange.fetch_open_orders_ws(SYMBOL)
        assert (opened["id"], opened["triggerPrice"], opened["price"]) == (stop["id"], 360.0, 350.0)


async def check_test_order_leaves_nothing():
    async with begin() as exchange:
        await exchange.create_order_ws(SYMBOL, "limit", "buy", 2, 390, {"test": True})
        assert await exchange.fetch_open_orders_ws(SYMBOL) == []


async def check_cancel_all():
    async with begin() as exchange:
        placed = await asyncio.gather(
            *(exchange.create_order_ws(SYMBOL, "limit", "buy", 1, 380 + ordinal) for ordinal in range(10))
        )
        assert [order["price"] for order in placed] == [float(380 + ordinal) for ordinal in range(10)]
        ended = await exchange.cancel_all_orders_ws(SYMBOL)
        assert {order["id"] for order in ended} == {order["id"] for order in placed}
        assert {order["status"] for order in ended} == {"canceled"}


async def check_balance():
    async with begin(USDT="1000.5") as exchange:
        await exchange.create_order_ws(SYMBOL, "limit", "buy", 1, 390)
        # This version of ccxt looks for a futures balance in the answer, so its own view of it is empty.
        shown = (await exchange.fetch_balance_ws())["info"]
        known = await exchange.fetch_balance()
        assert shown == known["info"]
        assert known["USDT"] == {"free": 610.5, "used": 390.0, "total": 1000.5}


async def check_market():
    async with begin() as exchange:
        trades = await exchange.fetch_trades_ws(SYMBOL, limit=20)
        known = {trade["id"]: trade for trade in await exchange.fetch_trades(SYMBOL, limit=1000)}
        assert len(trades) == 20
        for trade in trades:
            assert trade["price"] == known[trade["id"]]["price"]
            assert trade["amount"] == known[trade["id"]]["amount"]
        since = exchange.milliseconds() // 3_600_000 * 3_600_000 - 86_400_000
        rows = await exchange.fetch_ohlcv_ws(SYMBOL, "1h", since, 20)
        assert rows == await exchange.fetch_ohlcv(SYMBOL, "1h", since, 20)
        assert len(rows) == 20


async def check_errors():
    async with begin(USDT="100") as exchange:
        for kind, place in (
            (ccxt.InsufficientFunds, lambda: exchange.create_order_ws(SYMBOL, "limit", "buy", 1, 390)),
            (ccxt.InvalidOrder, lambda: exchange.create_order_ws(SYMBOL, "limit", "buy", 1, 39000)),
            (ccxt.OrderNotFound, lambda: exchange.fetch_order_ws("999999999", SYMBOL)),
            (ccxt.OrderNotFound, lambda: exchange.cancel_order_ws("999999999", SYMBOL)),
            (
                ccxt.OrderImmediatelyFillable,
                lambda: exchange.create_order_ws(SYMBOL, "limit_maker", "buy", 0.1, 400.1),
            ),
        ):
            await raised_async(kind, place())
        exchange.options["timeDifference"] = 20_000
        await raised_async(ccxt.InvalidNonce, exchange.fetch_balance_ws())
        exchange.options["timeDifference"] = 0
        exchange.secret = "wrong"
        await raised_async(ccxt.AuthenticationError, exchange.fetch_balance_ws())
        assert len(await exchange.fetch_trades_ws(SYMBOL, limit=3)) == 3, "the connection lives on"


run()
