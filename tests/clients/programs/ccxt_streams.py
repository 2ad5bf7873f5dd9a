"""ccxt.pro: what it watches of markets, where the clock runs fast and may be stopped."""

import asyncio
from itertools import count, pairwise

from ccxt_watching import client_of, watched
from stage import D, hold_book, move_clock, open_account, print_trade, run

SYMBOL, MARKET = "LTC/USDT", "LTCUSDT"
BIDS = (("79.90", "10"), ("79.80", "20"))
ASKS = (("80.10", "10"), ("80.20", "20"))

MOVING = "ETH/USDT"
"""Nothing holds this one."""

SPEED = 20


def begin():
    move_clock(speed=SPEED)
    hold_book(MARKET, "80.00", BIDS, ASKS)
    return client_of()


def printing():
    """Prints a trade at each call, and each is larger by one than the last."""
    quantities = count(1)
    return lambda: print_trade(MARKET, "80.10", next(quantities), "buy")


async def check_trades():
    async with begin() as exchange:
        trades = await watched(
            lambda: exchange.watch_trades(SYMBOL), lambda came: came[-1]["price"] == 80.1, printing()
        )
        known = {trade["id"]: trade for trade in await exchange.fetch_trades(SYMBOL, limit=1000)}
        print_trade(MARKET, "79.90", "2.5", "sell")

        def sales(came):
            return [trade for trade in came if trade["price"] == 79.9]

        # What was being printed when the first one was heard may come beside it.
        (sale,) = sales(await watched(lambda: exchange.watch_trades(SYMBOL), sales))
        for trade in trades:
            same = known[trade["id"]]
            for name in ("symbol", "price", "amount", "cost", "side", "timestamp"):
                assert trade[name] == same[name]
        assert (trade["side"], trade["symbol"], trade["takerOrMaker"]) == ("buy", SYMBOL, None)
        assert (sale["side"], sale["amount"], sale["cost"]) == ("sell", 2.5, 199.75)
        await exchange.un_watch_trades(SYMBOL)


async def check_trades_of_several_symbols():
    async with begin() as exchange:
        symbols = [SYMBOL, "BTC/USDT", "ETH/BTC"]
        seen = {}

        def gathered(trades):
            for trade in trades:
                seen.setdefault(trade["symbol"], []).append(trade)
            return set(seen) == set(symbols)

        await watched(lambda: exchange.watch_trades_for_symbols(symbols), gathered, printing())
        for symbol in symbols[1:]:
            known = {trade["id"]: trade for trade in await exchange.fetch_trades(symbol, limit=1000)}
            for trade in seen[symbol]:
                assert (trade["price"], trade["amount"], trade["side"]) == tuple(
                    known[trade["id"]][name] for name in ("price", "amount", "side")
                )


async def check_aggregate_trades():
    async with begin() as exchange:
        trades = await watched(
            lambda: exchange.watch_trades(MOVING, params={"name": "aggTrade"}), lambda came: len(came) > 0
        )
        came = trades[0]["info"]
        (shown,) = await exchange.public_get_aggtrades({"symbol": "ETHUSDT", "fromId": came["a"], "limit": 1})
        assert came == {"e": "aggTrade", "E": came["E"], "s": "ETHUSDT", **shown}
        assert 0 <= came["E"] - came["T"] < 2000


async def check_ticker():
    def bought(ticker):
        return ticker["last"] == 80.1

    async with begin() as exchange:
        small = await watched(lambda: exchange.watch_ticker(SYMBOL), bought, printing())
        assert (small["info"]["e"], small["symbol"], small["bid"]) == ("24hrMiniTicker", SYMBOL, None)
        ticker = await watched(lambda: exchange.watch_ticker(SYMBOL, {"name": "ticker"}), bought, printing())
        known = await exchange.fetch_ticker(SYMBOL)
        assert (ticker["bid"], ticker["bidVolume"], ticker["ask"]) == (79.9, 10.0, 80.1)
        for name in ("bid", "ask", "high", "low"):
            assert ticker[name] == known[name]
        assert 0 <= known["timestamp"] - ticker["timestamp"] < 60_000
        assert D(str(ticker["change"])) == D(str(ticker["last"])) - D(str(ticker["open"]))
        window = await watched(
            lambda: exchange.watch_ticker(SYMBOL, {"name": "ticker_1h"}), bought, printing()
        )
        assert (window["last"], window["info"]["e"]) == (80.1, "1hTicker")
        begun, ended = window["info"]["O"], window["info"]["C"]
        assert (begun % 60_000, (ended - begun) // 60_000) == (0, 60)
        await exchange.un_watch_ticker(SYMBOL)


async def check_tickers():
    async with begin() as exchange:
        everything = {}
        # Symbols of contracts name what they settle in, too: BTC/USDT:USDT.
        spot = [symbol for symbol in exchange.symbols if ":" not in symbol]

        def most(tickers):
            everything.update(tickers)
            return len(everything) > len(spot) * 0.8

        await watched(exchange.watch_tickers, most, printing())
        assert everything[SYMBOL]["last"] in (80.0, 80.1)
        some = await watched(
            lambda: exchange.watch_tickers(["BTC/USDT", SYMBOL], {"name": "miniTicker"}), stir=printing()
        )
        assert set(some) <= {"BTC/USDT", SYMBOL}
        windows = await watched(lambda: exchange.watch_tickers(None, {"name": "ticker_4h"}), bool)
        assert {ticker["info"]["e"] for ticker in windows.values()} == {"4hTicker"}


async def check_bids_and_asks():
    async with begin() as exchange:
        sizes = count(11)

        def moving():
            hold_book(MARKET, "80.00", [("79.95", str(next(sizes)))], ASKS)

        best = await watched(
            lambda: exchange.watch_bids_asks([SYMBOL]), lambda came: came[SYMBOL]["bid"] == 79.95, moving
        )
        assert (best[SYMBOL]["ask"], best[SYMBOL]["askVolume"]) == (80.1, 10.0)
        assert 11 <= best[SYMBOL]["bidVolume"] < next(sizes)
        hold_book(MARKET, "80.00", [("79.70", "3")], [("80.30", "4")])
        best = await watched(
            lambda: exchange.watch_bids_asks([SYMBOL]), lambda came: came[SYMBOL]["bid"] == 79.7
        )
        assert (best[SYMBOL]["bidVolume"], best[SYMBOL]["ask"], best[SYMBOL]["askVolume"]) == (3.0, 80.3, 4.0)


async def check_order_book():
    async with begin() as exchange, client_of(open_account(USDT="1000")) as trader:

        async def book_that(is_wanted):
            """The local book, now or after what is still to come."""
            book = exchange.orderbooks[SYMBOL]
            if not is_wanted(book):
                book = await watched(lambda: exchange.watch_order_book(SYMBOL), is_wanted)
            return book

        book = await watched(lambda: exchange.watch_order_book(SYMBOL))
        assert book["bids"] == [[79.9, 10.0], [79.8, 20.0]]
        assert book["asks"] == [[80.1, 10.0], [80.2, 20.0]]
        placed = await trader.create_order(SYMBOL, "limit", "buy", 2, 79.85)
        book = await book_that(lambda book: len(book["bids"]) == 3)
        assert book["bids"][1] == [79.85, 2.0]
        await trader.cancel_order(placed["id"], SYMBOL)
        await trader.create_order(SYMBOL, "market", "buy", 4)
        book = await book_that(lambda book: len(book["bids"]) == 2 and book["asks"][0][1] != 10.0)
        assert book["asks"] == [[80.1, 6.0], [80.2, 20.0]]
        limited = await watched(lambda: exchange.watch_order_book(MOVING, 10))
        assert (len(limited["bids"]), len(limited["asks"])) == (10, 10)
        await exchange.un_watch_order_book(SYMBOL)


async def check_order_book_of_a_moving_market():
    async with begin() as exchange:
        nonces = []

        def long_enough(book):
            nonces.append(book["nonce"])
            return len(nonces) > 60

        # It raises a ChecksumError by itself where two messages do not join.
        await watched(lambda: exchange.watch_order_book(MOVING), long_enough)
        assert all(later > earlier for earlier, later in pairwise(nonces))
        stopped = move_clock(speed=0)
        move_clock(time=(stopped // 1000 + 1) * 1000)
        shown = await exchange.fetch_order_book(MOVING, 1000)
        book = exchange.orderbooks[MOVING]
        if book["nonce"] < shown["nonce"]:
            book = await watched(
                lambda: exchange.watch_order_book(MOVING), lambda book: book["nonce"] >= shown["nonce"]
            )
        assert book["nonce"] == shown["nonce"]
        # Where the book of a thousand levels that it began with has ended, it knows no further.
        for side, begun in (("bids", 400), ("asks", 400)):
            assert book[side][:begun] == shown[side][:begun]


async def check_candles():
    async with begin() as exchange:
        for timeframe, enough in (("1s", 4), ("1m", 1)):
            seen = {}

            def several(rows, seen=seen, enough=enough):
                seen.update({row[0]: row for row in rows})
                return len(seen) > enough

            await watched(lambda timeframe=timeframe: exchange.watch_ohlcv(MOVING, timeframe), several)
            first, *_, last = sorted(seen)
            known = {row[0]: row for row in await exchange.fetch_ohlcv(MOVING, timeframe, first, 100)}
            closed = [time for time in seen if first <= time < last]
            assert [seen[time] for time in closed] == [known[time] for time in closed]
            assert all(time % (1000 if timeframe == "1s" else 60_000) == 0 for time in seen)
        rows = await watched(
            lambda: exchange.watch_ohlcv_for_symbols([[SYMBOL, "1h"], ["BTC/USDT", "5m"]]), stir=printing()
        )
        ((symbol, by_timeframe),) = rows.items()
        ((timeframe, (row, *_)),) = by_timeframe.items()
        assert (symbol, timeframe) in ((SYMBOL, "1h"), ("BTC/USDT", "5m"))
        (known,) = await exchange.fetch_ohlcv(symbol, timeframe, row[0], 1)
        assert row[:2] == known[:2]
        assert known[3] <= row[3] <= row[4] <= row[2] <= known[2]


async def check_candles_of_another_time_zone():
    async with begin() as exchange:
        rows = await watched(lambda: exchange.watch_ohlcv(MOVING, "1d", params={"timezone": "+08:00"}))
        assert rows[-1][0] % 86_400_000 == 16 * 3_600_000
        known = await exchange.fetch_ohlcv(MOVING, "1d", rows[-1][0], 1, {"timeZone": "+08:00"})
        assert known[0][:2] == rows[-1][:2]


async def check_everything_at_once():
    async with begin() as exchange:
        trades, ticker, book, rows, best = await asyncio.gather(
            watched(lambda: exchange.watch_trades(MOVING)),
            watched(lambda: exchange.watch_ticker(MOVING)),
            watched(lambda: exchange.watch_order_book(MOVING)),
            watched(lambda: exchange.watch_ohlcv(MOVING, "1m")),
            watched(lambda: exchange.watch_bids_asks([MOVING])),
        )
        prices = (
            trades[-1]["price"],
            ticker["last"],
            book["bids"][0][0],
            rows[-1][4],
            best[MOVING]["bid"],
        )
        assert max(prices) < min(prices) * 1.01


run()
