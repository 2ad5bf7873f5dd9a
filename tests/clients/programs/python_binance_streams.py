"""python-binance: market streams by its socket manager, where a clock stands still until it is stepped.

So each message has one right content: what REST answers at the same moment.
"""

import asyncio
from itertools import pairwise
from queue import Empty, Queue

from binance import DepthCacheManager, ThreadedWebsocketManager
from python_binance_setup import WITHIN_S, client_of, connected, following, next_of
from stage import D, hold_book, hold_price, move_clock, open_account, print_trade, run

SYMBOL = "LINKUSDT"
BIDS = (("19.99", "10"), ("19.95", "20"))
ASKS = (("20.01", "10"), ("20.05", "20"))

MOVING = "ETHUSDT"
"""Nothing holds this one."""

MINUTE_MS = 60_000


def begin():
    """A book that stands still, and nothing due that came before."""
    hold_book(SYMBOL, "20.00", BIDS, ASKS)
    move_clock(step="10s")


def kline_row(kline):
    """What the endpoint has for it."""
    return [kline[name] for name in "tohlcvTqnVQB"]


def ticker_row(ticker):
    named = {
        "symbol": "s",
        "priceChange": "p",
        "priceChangePercent": "P",
        "weightedAvgPrice": "w",
        "prevClosePrice": "x",
        "lastPrice": "c",
        "lastQty": "Q",
        "bidPrice": "b",
        "bidQty": "B",
        "askPrice": "a",
        "askQty": "A",
        "openPrice": "o",
        "highPrice": "h",
        "lowPrice": "l",
        "volume": "v",
        "quoteVolume": "q",
        "openTime": "O",
        "closeTime": "C",
        "firstId": "F",
        "lastId": "L",
        "count": "n",
    }
    assert set(ticker) == {"e", "E", *named.values()}
    assert ticker["e"] == "24hrTicker"
    return {name: ticker[key] for name, key in named.items()}


def mini_ticker_row(ticker):
    named = {
        "symbol": "s",
        "lastPrice": "c",
        "openPrice": "o",
        "highPrice": "h",
        "lowPrice": "l",
        "volume": "v",
        "quoteVolume": "q",
    }
    assert set(ticker) == {"e", "E", *named.values()}
    assert ticker["e"] == "24hrMiniTicker"
    return {name: ticker[key] for name, key in named.items()}


async def check_trades():
    async with connected() as (client, sockets):
        begin()
        stream = await following(sockets.trade_socket(SYMBOL))
        print_trade(SYMBOL, "20.01", "3", "buy")
        print_trade(SYMBOL, "19.99", "1.5", "sell")
        came = await next_of(stream, 2)
        rows = await client.get_recent_trades(symbol=SYMBOL, limit=2)
        now = move_clock(step="0s")
        assert came == [
            {
                "e": "trade",
                "E": now,
                "s": SYMBOL,
                "t": row["id"],
                "p": row["price"],
                "q": row["qty"],
                "T": row["time"],
                "m": row["isBuyerMaker"],
                "M": True,
            }
            for row in rows
        ]
        assert [(trade["p"], trade["q"], trade["m"], trade["T"]) for trade in came] == [
            ("20.01000000", "3.00000000", False, now),
            ("19.99000000", "1.50000000", True, now),
        ]


async def check_aggregate_trades():
    async with connected() as (client, sockets):
        begin()
        stream = await following(sockets.aggtrade_socket(SYMBOL))
        # One taker who fills two accounts' orders, and takes what the market has at the next price.
        makers = [client_of(open_account(LINK="100")) for _ in range(2)]
        for maker in makers:
            maker.order_limit_sell(symbol=SYMBOL, quantity="2", price="20.00")
        done = client_of(open_account(USDT="1000")).order_market_buy(symbol=SYMBOL, quantity="5")
        came = await next_of(stream, 3)
        rows = await client.get_aggregate_trades(symbol=SYMBOL, limit=3)
        assert came == [{"e": "aggTrade", "E": row["T"], "s": SYMBOL, **row} for row in rows]
        fills = [(fill["price"], fill["qty"], fill["tradeId"]) for fill in done["fills"]]
        assert [(each["p"], each["q"], each["f"]) for each in came] == fills
        assert [each["l"] for each in came] == [number for _, _, number in fills]
        assert [(each["p"], each["q"], each["m"]) for each in came] == [
            ("20.00000000", "2.00000000", False),
            ("20.00000000", "2.00000000", False),
            ("20.01000000", "1.00000000", False),
        ]


async def check_candles_open_and_close():
    async with connected() as (client, sockets):
        now = move_clock(step="0s")
        begun = move_clock(time=(now // MINUTE_MS + 1) * MINUTE_MS)
        stream = await following(sockets.kline_socket(MOVING, "1m"))
        now = move_clock(step="20s")
        came = await next_of(stream)
        (row,) = await client.get_klines(symbol=MOVING, interval="1m", limit=1)
        candle = came.pop("k")
        assert came == {"e": "kline", "E": now, "s": MOVING}
        assert (candle["s"], candle["i"], candle["x"], candle["t"]) == (MOVING, "1m", False, begun)
        assert candle["L"] - candle["f"] + 1 == candle["n"] > 0
        assert kline_row(candle) == row

        closed = []
        for _ in range(3):
            now = move_clock(step="1m")
            while (candle := (await next_of(stream))["k"])["x"]:
                closed.append(candle)
            assert candle["t"] == now // MINUTE_MS * MINUTE_MS
        rows = await client.get_klines(symbol=MOVING, interval="1m", startTime=begun, limit=4)
        assert [kline_row(candle) for candle in (*closed, candle)] == rows
        for earlier, later in pairwise((*closed, candle)):
            assert later["f"] == earlier["L"] + 1


async def check_candles_of_a_quiet_second():
    async with connected() as (client, sockets):
        begin()
        stream = await following(sockets.kline_socket(SYMBOL, "1s"))
        print_trade(SYMBOL, "20.05", "2", "buy")
        move_clock(step="5s")
        rows = await client.get_klines(symbol=SYMBOL, interval="1s", limit=6)
        by_time = {row[0]: row for row in rows}
        traded = rows[0]
        assert traded[1:3] == ["20.05000000", "20.05000000"]
        while True:
            candle = (await next_of(stream))["k"]
            if candle["x"]:
                assert kline_row(candle) == by_time[candle["t"]]
                if candle["t"] == traded[0]:
                    break
        assert D(candle["V"]) >= 2, "the second of the trade is told of when it is over"


async def check_partial_depth():
    async with connected() as (client, sockets):
        begin()
        wide, narrow = await following(
            sockets.depth_socket(SYMBOL, depth="20"), sockets.depth_socket(SYMBOL, depth="5", interval=100)
        )
        asks = [(f"20.{cents}", "7") for cents in range(10, 40)]
        hold_book(SYMBOL, "20.02", BIDS, asks)
        move_clock(step="1s")
        for stream, limit in ((wide, 20), (narrow, 5)):
            shown = await client.get_order_book(symbol=SYMBOL, limit=limit)
            while (came := await next_of(stream)) != shown:
                assert set(came) == {"lastUpdateId", "bids", "asks"}
                assert came["lastUpdateId"] < shown["lastUpdateId"]
            assert (len(came["bids"]), len(came["asks"])) == (2, limit)


async def check_depth_changes():
    async with connected() as (client, sockets):
        begin()
        stream = await following(sockets.depth_socket(SYMBOL, interval=100))
        before = await client.get_order_book(symbol=SYMBOL)
        account = client_of(open_account(USDT="1000"))

        # While the clock stands still, what changes is told of at once.
        placed = account.order_limit_buy(symbol=SYMBOL, quantity="3", price="19.95")
        first = await next_of(stream)
        assert first["U"] <= before["lastUpdateId"] + 1 <= first["u"]
        assert (first["e"], first["E"], first["s"]) == ("depthUpdate", placed["transactTime"], SYMBOL)
        assert (first["b"], first["a"]) == ([["19.95000000", "23.00000000"]], [])

        account.order_market_buy(symbol=SYMBOL, quantity="10")
        second = await next_of(stream)
        account.cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
        third = await next_of(stream)
        assert set(second) == {"e", "E", "s", "U", "u", "b", "a"}
        assert (second["U"], third["U"]) == (first["u"] + 1, second["u"] + 1)
        assert (second["b"], second["a"]) == ([], [["20.01000000", "0.00000000"]])
        assert (third["b"], third["a"]) == ([["19.95000000", "20.00000000"]], [])
        assert (await client.get_order_book(symbol=SYMBOL))["lastUpdateId"] == third["u"]

        hold_book(SYMBOL, "20.00", [("19.98", "1")], ASKS)
        now = move_clock(step="100ms")
        changed = {"b": {}, "a": {}}
        number = third["u"]
        while changed["b"].get("19.99000000") != "0.00000000" or "20.01000000" not in changed["a"]:
            event = await next_of(stream)
            assert event["U"] == number + 1
            assert event["E"] <= now
            number = event["u"]
            for side, levels in changed.items():
                levels.update(event[side])
        assert changed["a"]["20.01000000"] == "10.00000000"
        assert changed["b"]["19.95000000"] == "0.00000000"
        assert changed["b"]["19.98000000"] == "1.00000000"


async def check_best_prices():
    async with connected() as (client, sockets):
        begin()
        stream = await following(sockets.symbol_book_ticker_socket(SYMBOL))
        account = client_of(open_account(USDT="1000", LINK="10"))
        for act, best in (
            (lambda: account.order_limit_buy(symbol=SYMBOL, quantity="2", price="20.00"), ("20.00", "20.01")),
            (lambda: account.order_market_sell(symbol=SYMBOL, quantity="2"), ("19.99", "20.01")),
            (lambda: account.order_market_buy(symbol=SYMBOL, quantity="10"), ("19.99", "20.05")),
        ):
            act()
            shown = await client.get_orderbook_ticker(symbol=SYMBOL)
            came = await next_of(stream)
            assert came == {
                "u": (await client.get_order_book(symbol=SYMBOL, limit=1))["lastUpdateId"],
                "s": SYMBOL,
                "b": shown["bidPrice"],
                "B": shown["bidQty"],
                "a": shown["askPrice"],
                "A": shown["askQty"],
            }
            assert (D(came["b"]), D(came["a"])) == tuple(map(D, best))


async def check_tickers():
    async with connected() as (client, sockets):
        full, mini = await following(
            sockets.symbol_ticker_socket(MOVING), sockets.symbol_miniticker_socket(MOVING)
        )
        for _ in range(2):
            now = move_clock(step="1s")
            row = await client.get_ticker(symbol=MOVING)
            shown = await next_of(full)
            assert ticker_row(shown) == row
            small = await next_of(mini)
            assert mini_ticker_row(small) == {name: row[name] for name in mini_ticker_row(small)}
            assert shown["E"] == small["E"] == now


async def check_tickers_of_all_symbols():
    async with connected() as (client, sockets):
        full, mini = await following(sockets.ticker_socket(), sockets.miniticker_socket())
        now = move_clock(step="3s")
        rows = {row["symbol"]: row for row in await client.get_ticker()}
        came = await next_of(full)
        assert {each["E"] for each in came} == {now}
        assert [ticker_row(each) for each in came] == [rows[each["s"]] for each in came]
        assert len(came) > len(rows) / 2, "in three seconds most symbols are traded"
        small = await next_of(mini)
        assert [each["s"] for each in small] == [each["s"] for each in came]
        for each in small:
            told = mini_ticker_row(each)
            assert told == {name: rows[each["s"]][name] for name in told}


async def check_several_streams_of_one_socket():
    async with connected() as (client, sockets):
        begin()
        names = [f"{SYMBOL.lower()}@trade", f"{SYMBOL.lower()}@bookTicker", f"{SYMBOL.lower()}@depth5@100ms"]
        stream = await following(sockets.multiplex_socket(names))
        client_of(open_account(USDT="1000")).order_market_buy(symbol=SYMBOL, quantity="10")
        came = {}
        while set(came) != set(names):
            message = await next_of(stream)
            assert set(message) == {"stream", "data"}
            came.setdefault(message["stream"], message["data"])
        trade, best, book = (came[name] for name in names)
        assert (trade["p"], trade["q"], trade["m"]) == ("20.01000000", "10.00000000", False)
        assert (best["a"], best["A"]) == ("20.05000000", "20.00000000")
        assert book == await client.get_order_book(symbol=SYMBOL, limit=5)


async def check_microseconds():
    async with connected(time_unit="MICROSECOND") as (client, sockets):
        begin()
        stream = await following(sockets.trade_socket(SYMBOL))
        print_trade(SYMBOL, "20.01", "3", "buy")
        came = await next_of(stream)
        (row,) = await client.get_recent_trades(symbol=SYMBOL, limit=1)
        assert came["T"] == row["time"] == came["E"] == move_clock(step="0s") * 1000


async def check_depth_cache():
    async with connected() as (client, sockets):
        cache = DepthCacheManager(client, MOVING, bm=sockets, limit=5000, ws_interval=100, conv_type=D)
        await cache.__aenter__()
        account = client_of(open_account(USDT="100000"))

        async def catches_up():
            """What REST shows now is what the cache comes to hold."""
            shown = await client.get_order_book(symbol=MOVING, limit=5000)
            bids, asks = (
                [[D(price), D(quantity)] for price, quantity in shown[side]] for side in ("bids", "asks")
            )
            assert len(bids) > 500, "it is a deep book"
            async with asyncio.timeout(WITHIN_S):
                book = await cache.recv()
                while (book.get_bids(), book.get_asks()) != (bids, asks):
                    book = await cache.recv()
            return bids

        touches, orders = set(), []
        for _ in range(10):
            # A pace that is no multiple of the stream's: what one look saw, the next goes on from.
            move_clock(step="370ms")
            best = D((await client.get_orderbook_ticker(symbol=MOVING))["bidPrice"])
            price = str((best * D("0.98")).quantize(D("0.01")))
            orders.append(account.order_limit_buy(symbol=MOVING, quantity="0.1234", price=price))
            account.order_market_buy(symbol=MOVING, quantity="0.5")
            move_clock(step="1s")
            touches.add((await catches_up())[0][0])
        assert len(touches) > 5, "the market moves"
        for order in orders:
            account.cancel_order(symbol=MOVING, orderId=order["orderId"])
        move_clock(step="1s")
        await catches_up()


def check_threads():
    manager = ThreadedWebsocketManager()
    manager.start()
    came = Queue()
    hold_price(SYMBOL, "20.00")
    try:
        name = manager.start_trade_socket(came.put, SYMBOL)
        combined = manager.start_multiplex_socket(came.put, [f"{SYMBOL.lower()}@bookTicker"])
        assert name == f"{SYMBOL.lower()}@trade"
        first, quantity = {}, 0
        # Nobody says when such a socket is connected, so something happens until it is.
        while set(first) != {"trade", "best"}:
            quantity += 1
            assert quantity < 500
            hold_book(SYMBOL, "20.00", BIDS, [("20.01", str(quantity))])
            print_trade(SYMBOL, "20.01", quantity, "buy")
            try:
                message = came.get(timeout=0.05)
            except Empty:
                continue
            assert message.get("e") != "error", message
            first.setdefault("best" if "stream" in message else "trade", message)
        while not came.empty():
            came.get()
        hold_book(SYMBOL, "20.00", BIDS, [("20.03", "8")])
        print_trade(SYMBOL, "20.02", "4.5", "buy")
        trade = best = None
        while trade is None or best is None:
            message = came.get(timeout=WITHIN_S)
            if "stream" in message:
                best = message["data"] if message["data"]["a"] == "20.03000000" else best
            elif message["p"] == "20.02000000":
                trade = message
        assert (best["s"], best["A"], best["b"]) == (SYMBOL, "8.00000000", "19.99000000")
        assert (trade["q"], trade["m"], trade["s"]) == ("4.50000000", False, SYMBOL)
        manager.stop_socket(combined)
    finally:
        manager.stop()
        # Its sockets end when something comes.
        while manager.is_alive():
            print_trade(SYMBOL, "20.02", "1", "buy")
            hold_book(SYMBOL, "20.00", BIDS, [("20.03", "8")])
            hold_book(SYMBOL, "20.00", BIDS, [("20.03", "9")])
            manager.join(0.05)


run()
