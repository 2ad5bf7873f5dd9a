"""ccxt.pro: what it watches of linear and inverse contracts, where the clock runs fast."""

import asyncio

from ccxt_setup import urls
from ccxt_watching import WITHIN_S, client_of, watched
from stage import STREAMS, D, control, move_clock, run

LINEAR, INVERSE = "BTC/USDT:USDT", "BTC/USD:BTC"
SPEED = 20

SITES = {LINEAR: ("binance-usdm", "BTCUSDT"), INVERSE: ("binance-coinm", "BTCUSD_PERP")}


def client():
    """With addresses of the futures sites' sockets, which must not have "/stream" in them."""
    move_clock(speed=SPEED)
    places = {"linear": f"{STREAMS}/binance-usdm/ws", "inverse": f"{STREAMS}/binance-coinm/ws"}
    return client_of(urls={"api": {**urls()["api"], "ws": places}})


def print_trade(symbol, price, quantity, side):
    site, name = SITES[symbol]
    control(
        "POST",
        f"markets/{site}/{name}/trades",
        {"price": str(price), "quantity": str(quantity), "side": side},
    )


async def check_order_books_are_stitched_to_the_snapshot():
    """It begins with REST's book and follows `pu`; a gap raises ChecksumError."""
    async with client() as exchange:
        for symbol in (LINEAR, INVERSE):
            books = [await exchange.watch_order_book(symbol) for _ in range(12)]
            assert books[-1]["nonce"] is not None
            assert books[-1]["bids"][0][0] < books[-1]["asks"][0][0]
            # What changed since the stream last spoke is told when the clock is stepped, as of just then.
            move_clock(speed=0)
            now = move_clock(step="1s")
            async with asyncio.timeout(WITHIN_S):
                while (await exchange.watch_order_book(symbol))["timestamp"] != now:
                    pass
            book = exchange.orderbooks[symbol]
            shown = await exchange.fetch_order_book(symbol, 50)
            assert [list(level[:2]) for level in book["bids"][:50]] == shown["bids"]
            assert [list(level[:2]) for level in book["asks"][:50]] == shown["asks"]
            move_clock(speed=SPEED)
            await exchange.un_watch_order_book(symbol)


async def check_trades():
    async with client() as exchange:
        for symbol in (LINEAR, INVERSE):
            trades = await watched(
                lambda symbol=symbol: exchange.watch_trades(symbol),
                lambda came: came[-1]["price"] == 100_000,
                lambda symbol=symbol: print_trade(symbol, 100_000, 3, "sell"),
            )
            known = {trade["id"]: trade for trade in await exchange.fetch_trades(symbol, limit=1000)}
            for trade in trades:
                same = known[trade["id"]]
                for name in ("symbol", "price", "amount", "cost", "side", "timestamp"):
                    assert trade[name] == same[name], name
            assert (trades[-1]["side"], trades[-1]["amount"]) == ("sell", 3)


async def check_candles():
    async with client() as exchange:
        for symbol in (LINEAR, INVERSE):
            seen = {}

            def several(rows, seen=seen):
                seen.update({row[0]: row for row in rows})
                return len(seen) > 2

            await watched(lambda symbol=symbol: exchange.watch_ohlcv(symbol, "1m"), several)
            first, *_, last = sorted(seen)
            known = {row[0]: row for row in await exchange.fetch_ohlcv(symbol, "1m", first, 100)}
            closed = [time for time in seen if first <= time < last]
            # Of inverse contracts it takes the volume in coin from REST, and in contracts from the stream.
            compared = 6 if symbol == LINEAR else 5
            assert [seen[time][:compared] for time in closed] == [known[time][:compared] for time in closed]
            await exchange.un_watch_ohlcv(symbol, "1m")


async def check_tickers_and_best_prices():
    async with client() as exchange:
        for symbol in (LINEAR, INVERSE):
            for name, event in (("ticker", "24hrTicker"), ("miniTicker", "24hrMiniTicker")):
                ticker = await exchange.watch_ticker(symbol, {"name": name})
                assert (ticker["symbol"], ticker["info"]["e"]) == (symbol, event)
                assert ticker["low"] <= ticker["last"] <= ticker["high"]
            best = (await exchange.watch_bids_asks([symbol]))[symbol]
            assert best["bid"] < best["ask"]
        tickers = await exchange.watch_tickers([LINEAR, "ETH/USDT:USDT"])
        assert set(tickers) <= {LINEAR, "ETH/USDT:USDT"}


async def check_mark_prices():
    async with client() as exchange:
        one = await exchange.watch_mark_price(LINEAR)
        (shown,) = (await exchange.fetch_mark_prices([LINEAR])).values()
        assert abs(D(str(one["markPrice"])) / D(str(shown["markPrice"])) - 1) < D("0.01")
        several = await exchange.watch_mark_prices([LINEAR, "ETH/USDT:USDT"])
        assert all(each["indexPrice"] > 0 for each in several.values())


run()
