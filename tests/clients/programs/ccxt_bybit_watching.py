"""ccxt.pro's bybit: what it watches of markets. The clock is moved, and what is due comes."""

import asyncio

from bybit_markets import LINEAR, SPOT, hold_markets, move, trade_there
from ccxt_bybit_pro import WITHIN_S, client, watched
from ccxt_bybit_setup import COIN, PAIR, SWAP
from stage import control, run


async def check_books():
    async with client() as exchange:
        for symbol, quantity in ((PAIR, 10.0), (SWAP, 10.0), (COIN, 1_000_000.0)):
            book = await watched(lambda symbol=symbol: exchange.watch_order_book(symbol))
            assert book["symbol"] == symbol
            assert book["bids"] == [[99990.0, quantity], [99980.0, quantity]]


async def check_what_changes_in_a_book():
    """The client keeps the book, and lays over it what it is told."""
    async with client() as exchange:
        await watched(lambda: exchange.watch_order_book(SWAP))
        book = exchange.orderbooks[SWAP]

        async def has(*bids):
            async with asyncio.timeout(WITHIN_S):
                while [list(level) for level in book["bids"]] != list(bids):
                    control("PUT", "clock", {"step": "200ms"})
                    await asyncio.sleep(0.01)

        hold_markets()
        market = ([99990.0, 10.0], [99980.0, 10.0])
        order = await exchange.create_order(SWAP, "limit", "buy", 0.05, 99000)
        await has(*market, [99000.0, 0.05])
        await exchange.edit_order(order["id"], SWAP, "limit", "buy", 0.07, 99985)
        await has(market[0], [99985.0, 0.07], market[1])
        await exchange.cancel_order(order["id"], SWAP)
        await has(*market)


async def check_many_books():
    async with client() as exchange:
        symbols = [SWAP, "ETH/USDT:USDT"]
        seen = set()

        def both(book):
            seen.add(book["symbol"])
            return seen == set(symbols)

        await watched(lambda: exchange.watch_order_book_for_symbols(symbols), both)


async def check_tickers():
    async with client() as exchange:
        for symbol in (PAIR, SWAP):
            ticker = await watched(lambda symbol=symbol: exchange.watch_ticker(symbol))
            assert (ticker["symbol"], ticker["last"]) == (symbol, 100000.0)
        move(LINEAR, "101000")
        ticker = await watched(lambda: exchange.watch_ticker(SWAP), lambda ticker: ticker["last"] == 101000.0)
        assert ticker["markPrice"] == 101000.0
        best = await watched(lambda: exchange.watch_bids_asks([PAIR]))
        assert best[PAIR]["bid"] < best[PAIR]["ask"]


async def check_trades():
    async with client() as exchange:
        for symbol, market in ((PAIR, SPOT), (SWAP, LINEAR)):
            (trade, *_) = await watched(
                lambda symbol=symbol: exchange.watch_trades(symbol),
                lambda trades: any(trade["amount"] == 0.125 for trade in trades),
                lambda market=market: trade_there(market, "100000", "0.125", "sell"),
            )
            assert (trade["symbol"], trade["price"]) == (symbol, 100000.0)


async def check_candles():
    async with client() as exchange:
        candles = await watched(
            lambda: exchange.watch_ohlcv(SWAP, "1m"),
            stir=lambda: trade_there(LINEAR, "100000", "0.125", "buy"),
        )
        assert (candles[-1][0] % 60_000, candles[-1][4]) == (0, 100000.0)


async def check_leaving():
    async with client() as exchange:
        await watched(lambda: exchange.watch_order_book(SWAP))
        # Left to itself it leaves depth 500 of contracts, and has watched 50.
        await asyncio.wait_for(exchange.un_watch_order_book(SWAP, {"limit": 50}), WITHIN_S)
        await watched(lambda: exchange.watch_order_book(SWAP))


run()
