"""ccxt's bybit, asynchronous, as a bot of several tasks uses it."""

import asyncio
from contextlib import asynccontextmanager

import ccxt
import ccxt.async_support
from ccxt_bybit_setup import COIN, PAIR, SWAP, begin, config_of
from stage import open_account, raised_async, run


@asynccontextmanager
async def client(**options):
    exchange = begin(kind=ccxt.async_support.bybit, **options)
    try:
        yield exchange
    finally:
        await exchange.close()


async def check_load_markets():
    exchange = ccxt.async_support.bybit(config_of(open_account(wallet="unified", USDT="1000")))
    try:
        markets = await exchange.load_markets()
        assert (markets[PAIR]["id"], markets[SWAP]["id"]) == ("BTCUSDT", "BTCUSDT")
        assert (await exchange.fetch_balance())["USDT"]["free"] == 1000.0
    finally:
        await exchange.close()


async def check_all_at_once():
    async with client() as exchange:
        book, ticker, tickers, candles, status, tiers = await asyncio.gather(
            exchange.fetch_order_book(SWAP, 50),
            exchange.fetch_ticker(COIN),
            exchange.fetch_tickers(params={"type": "spot"}),
            exchange.fetch_ohlcv(PAIR, "1m", limit=10),
            exchange.fetch_status(),
            exchange.fetch_market_leverage_tiers(SWAP),
        )
        assert book["bids"][0] == [99990.0, 10.0]
        assert ticker["last"] == 100000.0
        assert PAIR in tickers
        assert len(candles) == 10
        assert status["status"] == "ok"
        assert tiers[0]["maxLeverage"] == 100.0


async def check_orders():
    async with client() as exchange:
        placed = await asyncio.gather(
            *(
                exchange.create_order(symbol, "limit", "buy", amount, 99000)
                for symbol, amount in ((PAIR, 0.01), (SWAP, 0.01), (COIN, 1000))
            )
        )
        assert len({each["id"] for each in placed}) == 3
        for symbol, order in zip((PAIR, SWAP, COIN), placed, strict=True):
            (shown,) = await exchange.fetch_open_orders(symbol)
            assert (shown["id"], shown["symbol"]) == (order["id"], symbol)
            await exchange.cancel_order(order["id"], symbol)
            assert await exchange.fetch_open_orders(symbol) == []


async def check_errors():
    async with client(funds={"USDT": "10"}) as exchange:
        await raised_async(ccxt.InsufficientFunds, exchange.create_order(SWAP, "limit", "buy", 1, 99000))
        await raised_async(ccxt.OrderNotFound, exchange.cancel_order("1", PAIR))


run()
