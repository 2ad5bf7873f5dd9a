"""ccxt, asynchronous."""

import asyncio
from contextlib import asynccontextmanager

import ccxt
import ccxt.async_support
from ccxt_setup import config_of
from stage import TAKER_RATE, D, hold_book, hold_price, open_account, raised_async, run

SYMBOL = "ATOM/USDT"
MARKET = "ATOMUSDT"
BIDS = (("9.990", "100"), ("9.950", "200"))
ASKS = (("10.010", "100"), ("10.050", "200"))


@asynccontextmanager
async def begin(**funds):
    hold_book(MARKET, "10.000", BIDS, ASKS)
    account = open_account(**(funds or {"USDT": "10000", "ATOM": "1000"}))
    exchange = ccxt.async_support.binance(config_of(account))
    try:
        yield exchange
    finally:
        await exchange.close()


async def check_load_markets():
    async with begin() as exchange:
        markets = await exchange.load_markets()
        assert markets[SYMBOL]["id"] == MARKET
        assert "USDT" in exchange.currencies
        assert (await exchange.fetch_balance())["ATOM"]["free"] == 1000.0


async def check_market():
    async with begin() as exchange:
        await exchange.load_markets()
        book, ticker, tickers, trades, rows, status, now = await asyncio.gather(
            exchange.fetch_order_book(SYMBOL),
            exchange.fetch_ticker(SYMBOL),
            exchange.fetch_tickers(),
            exchange.fetch_trades(SYMBOL, limit=10),
            exchange.fetch_ohlcv(SYMBOL, "1h", limit=24),
            exchange.fetch_status(),
            exchange.fetch_time(),
        )
        assert book["bids"] == [[9.99, 100.0], [9.95, 200.0]]
        assert (ticker["last"], ticker["bid"], ticker["ask"]) == (10.0, 9.99, 10.01)
        assert set(tickers) == {symbol for symbol, market in exchange.markets.items() if market["spot"]}
        assert len(trades) == 10
        assert [row[0] for row in rows] == [rows[0][0] + hour * 3_600_000 for hour in range(24)]
        assert status["status"] == "ok"
        assert abs(now - exchange.milliseconds()) < 2000


async def check_orders():
    async with begin() as exchange:
        await exchange.load_markets()
        placed = await asyncio.gather(
            *(exchange.create_order(SYMBOL, "limit", "buy", 10, 8 + ordinal / 100) for ordinal in range(20))
        )
        assert [order["price"] for order in placed] == [round(8 + ordinal / 100, 2) for ordinal in range(20)]
        assert {order["id"] for order in await exchange.fetch_open_orders(SYMBOL)} == {
            order["id"] for order in placed
        }
        edited = await exchange.edit_order(placed[0]["id"], SYMBOL, "limit", "buy", 5, 7)
        assert (edited["price"], edited["amount"]) == (7.0, 5.0)
        canceled = await exchange.cancel_order(placed[1]["id"], SYMBOL)
        assert canceled["status"] == "canceled"
        assert len(await exchange.cancel_all_orders(SYMBOL)) == 19
        done = await exchange.create_order(SYMBOL, "market", "buy", 150)
        cost = 100 * D("10.01") + 50 * D("10.05")
        assert (done["status"], D(str(done["cost"]))) == ("closed", cost)
        trades = await exchange.fetch_my_trades(SYMBOL)
        assert [trade["amount"] for trade in trades] == [100.0, 50.0]
        assert sum(D(str(trade["fee"]["cost"])) for trade in trades) == 150 * TAKER_RATE
        stop = await exchange.create_order(SYMBOL, "limit", "sell", 10, 9, {"triggerPrice": 9.5})
        hold_price(MARKET, "9.500")
        assert (await exchange.fetch_order(stop["id"], SYMBOL))["status"] == "closed"
        assert {order["id"] for order in await exchange.fetch_closed_orders(SYMBOL)} == {
            done["id"],
            stop["id"],
        }
        assert len(await exchange.fetch_orders(SYMBOL)) == 23
        balance = await exchange.fetch_balance()
        assert D(str(balance["ATOM"]["total"])) == 1000 + 150 * (1 - TAKER_RATE) - 10
        assert balance["USDT"]["used"] == 0.0


async def check_errors():
    async with begin(USDT="100") as exchange:
        await exchange.load_markets()
        for kind, request in (
            (ccxt.InsufficientFunds, exchange.create_order(SYMBOL, "limit", "buy", 100, 9)),
            (ccxt.InvalidOrder, exchange.create_order(SYMBOL, "limit", "buy", 1, 900)),
            (
                ccxt.OrderImmediatelyFillable,
                exchange.create_order(SYMBOL, "limit", "buy", 1, 10.01, {"postOnly": True}),
            ),
            (ccxt.OrderNotFound, exchange.fetch_order("999999999", SYMBOL)),
            (ccxt.OrderNotFound, exchange.cancel_order("999999999", SYMBOL)),
            (ccxt.BadSymbol, exchange.fetch_ticker("NOSUCH/COIN")),
        ):
            await raised_async(kind, request)
        exchange.options["timeDifference"] = 20_000
        await raised_async(ccxt.InvalidNonce, exchange.fetch_balance())
        exchange.options["timeDifference"] = 0
        exchange.secret = "wrong"
        await raised_async(ccxt.AuthenticationError, exchange.fetch_balance())


async def check_money():
    async with begin() as exchange:
        await exchange.load_markets()
        fees = await exchange.fetch_trading_fees()
        assert fees[SYMBOL]["taker"] == 0.001
        address = (await exchange.fetch_deposit_address("USDT", {"network": "ERC20"}))["address"]
        await exchange.withdraw("USDT", 1000, address, {"network": "ERC20"})
        await exchange.transfer("USDT", 500, "spot", "funding")
        assert (await exchange.fetch_balance())["USDT"]["total"] == 8500.0
        assert len(await exchange.fetch_withdrawals()) == 1
        assert len(await exchange.fetch_deposits()) == 2


run()
