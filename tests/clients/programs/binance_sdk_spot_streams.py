"""binance-sdk-spot: every market stream that it knows, through its typed models, by the wall's clock."""

import asyncio
import time
from itertools import pairwise

from binance_common.constants import TimeUnit
from binance_sdk_spot.websocket_streams.models import (
    AllMarketRollingWindowTickerWindowSizeEnum,
    DiffBookDepthUpdateSpeedEnum,
    KlineIntervalEnum,
    KlineOffsetIntervalEnum,
    PartialBookDepthLevelsEnum,
    PartialBookDepthUpdateSpeedEnum,
    RollingWindowTickerWindowSizeEnum,
)
from binance_sdk_spot.websocket_streams.websocket_streams import SpotWebSocketStreams
from binance_sdk_spot_setup import WITHIN_S, Heard, Rest, market_streams, of, quietly, whole
from stage import D, hold_book, open_account, print_trade, run

SYMBOL = "ICPUSDT"
BIDS = (("19.90", "100"), ("19.80", "200"))
ASKS = (("20.10", "100"), ("20.20", "200"))

MOVING = "BTCUSDT"

rest = Rest()
called = set()


def begin():
    hold_book(SYMBOL, "20.00", BIDS, ASKS)
    return market_streams()


async def hear(streams, *wanted):
    """Subscribes to all of them, and returns when the server has listed them.

    Not more than four: the SDK sends a message for each, and the exchange takes five a second.
    """
    heard = await asyncio.gather(*(getattr(streams, name)(**terms) for name, terms in wanted))
    called.update(name for name, _ in wanted)
    listed = await streams.list_subscribe()
    assert len(listed["result"]) >= len(wanted)
    return [Heard(stream) for stream in heard]


async def check_trades_and_best_prices():
    async with begin() as streams:
        trades, groups, best = await hear(
            streams,
            ("trade", {"symbol": SYMBOL}),
            ("agg_trade", {"symbol": SYMBOL}),
            ("book_ticker", {"symbol": SYMBOL}),
        )
        buyer = of(open_account(USDT="10000"))
        done = buyer.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=150)
        own = {fill.trade_id: fill for fill in done.fills}
        for fill in done.fills:
            trade = whole("trade", await trades.next())
            while trade.t not in own:  # The market trades too.
                trade = whole("trade", await trades.next())
            group = whole("agg_trade", await groups.next())
            while group.a not in own:
                group = whole("agg_trade", await groups.next())
            for told in (trade, group):
                assert (told.s, told.p, told.q, told.m, told.M) == (SYMBOL, fill.price, fill.qty, False, True)
                assert told.T == done.transact_time <= told.E
            assert (trade.t, group.f, group.l) == (fill.trade_id,) * 3
        quote = whole("book_ticker", await best.next())
        shown = rest.ticker_book_ticker(symbol=SYMBOL).actual_instance
        assert (quote.s, quote.b, quote.B) == (SYMBOL, shown.bid_price, shown.bid_qty)
        assert (quote.a, quote.A) == (shown.ask_price, shown.ask_qty) == ("20.20000000", "150.00000000")


async def check_books():
    async with begin() as streams:
        slow, fast, changes = await hear(
            streams,
            ("partial_book_depth", {"symbol": SYMBOL, "levels": PartialBookDepthLevelsEnum.LEVELS_5.value}),
            (
                "partial_book_depth",
                {
                    "symbol": SYMBOL,
                    "levels": PartialBookDepthLevelsEnum.LEVELS_10.value,
                    "update_speed": PartialBookDepthUpdateSpeedEnum.UPDATE_SPEED_100ms.value,
                },
            ),
            (
                "diff_book_depth",
                {"symbol": SYMBOL, "update_speed": DiffBookDepthUpdateSpeedEnum.UPDATE_SPEED_100ms.value},
            ),
        )
        account = of(open_account(USDT="10000"))
        account.new_order(
            symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=7, price=19.85
        )
        event = whole("diff_book_depth", await changes.next())
        assert (event.e, event.s, event.a, event.b) == (
            "depthUpdate",
            SYMBOL,
            [],
            [["19.85000000", "7.00000000"]],
        )
        assert event.u >= event.U
        shown = rest.depth(symbol=SYMBOL)
        assert shown.last_update_id >= event.u
        for stream in (slow, fast):
            book = whole("partial_book_depth", await stream.next())
            while book.last_update_id < event.u:
                book = whole("partial_book_depth", await stream.next())
            assert (book.bids, book.asks) == (shown.bids, shown.asks)
        account.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=100)
        after = whole("diff_book_depth", await changes.next())
        assert event.u + 1 == after.U
        assert after.a == [["20.10000000", "0.00000000"]]


async def check_local_book_joins_a_snapshot():
    """By the procedure of the documents: gather events, take a snapshot, drop what is older, go on."""
    async with begin() as streams:
        (changes,) = await hear(
            streams,
            (
                "diff_book_depth",
                {"symbol": MOVING, "update_speed": DiffBookDepthUpdateSpeedEnum.UPDATE_SPEED_100ms.value},
            ),
        )
        first = await changes.next()
        snapshot = rest.depth(symbol=MOVING, limit=1000)
        assert snapshot.last_update_id >= first.U
        sides = {"b": {D(price): D(size) for price, size in snapshot.bids}}
        sides["a"] = {D(price): D(size) for price, size in snapshot.asks}
        number = None
        for _ in range(12):
            event = await changes.next()
            if event.u <= snapshot.last_update_id:
                continue
            if number is None:
                assert event.U <= snapshot.last_update_id + 1 <= event.u
            else:
                assert number + 1 == event.U
            number = event.u
            for side, levels in sides.items():
                for price, size in getattr(event, side):
                    levels[D(price)] = D(size)
                    if not D(size):
                        del levels[D(price)]
            assert max(sides["b"]) < min(sides["a"])
        assert number is not None


async def check_candles():
    async with begin() as streams:
        seconds, days, shifted = await hear(
            streams,
            ("kline", {"symbol": MOVING, "interval": KlineIntervalEnum.INTERVAL_1s.value}),
            ("kline", {"symbol": MOVING, "interval": KlineIntervalEnum.INTERVAL_1d.value}),
            ("kline_offset", {"symbol": MOVING, "interval": KlineOffsetIntervalEnum.INTERVAL_1d.value}),
        )
        closed = []
        while len(closed) < 2:
            message = whole("kline", await seconds.next())
            assert (message.e, message.s, message.k.s, message.k.i) == ("kline", MOVING, MOVING, "1s")
            if message.k.x:
                closed.append(message.k)
        for earlier, later in pairwise(closed):
            assert later.t == earlier.t + 1000
        rows = rest.klines(symbol=MOVING, interval="1s", start_time=closed[0].t, limit=2)
        assert [[getattr(candle, name) for name in "tohlcvTqnVQB"] for candle in closed] == rows
        begun = {}
        for name, stream, zone in (("kline", days, None), ("kline_offset", shifted, "+08:00")):
            candle = whole(name, await stream.next()).k
            ((row, *_),) = (
                rest.klines(
                    symbol=MOVING, interval="1d", limit=1, **({} if zone is None else {"time_zone": zone})
                ),
            )
            assert (candle.t, candle.T, candle.o, candle.x) == (row[0], row[6], row[1], False)
            assert candle.n <= row[8]
            begun[name] = candle.t
        assert begun["kline"] % 86_400_000 == 0
        assert begun["kline_offset"] % 86_400_000 == 57_600_000


async def check_tickers():
    async with begin() as streams:
        print_trade(SYMBOL, "20.10", "3", "buy")
        full, mini, everything, window = await hear(
            streams,
            ("ticker", {"symbol": MOVING}),
            ("mini_ticker", {"symbol": MOVING}),
            ("all_mini_ticker", {}),
            (
                "rolling_window_ticker",
                {"symbol": MOVING, "window_size": RollingWindowTickerWindowSizeEnum.WINDOW_SIZE_1h.value},
            ),
        )
        ticker = whole("ticker", await full.next())
        known = rest.ticker24hr(symbol=MOVING).actual_instance
        assert ticker.s == MOVING
        assert 0 <= known.close_time - ticker.C < 3000
        assert known.close_time - known.open_time == ticker.C - ticker.O
        assert ticker.n == ticker.L - ticker.F + 1
        assert known.last_id >= ticker.L
        assert known.first_id >= ticker.F
        assert D(ticker.p) == D(ticker.c) - D(ticker.o)
        trade = next(each for each in rest.historical_trades(symbol=MOVING, from_id=ticker.L, limit=1))
        assert (trade.price, trade.qty) == (ticker.c, ticker.Q)
        small = whole("mini_ticker", await mini.next())
        assert D(small.l) <= D(small.c) <= D(small.h)
        many = await everything.next()
        assert len({each.s for each in many}) == len(many) > 1
        for each in many:
            whole("all_mini_ticker", each)
        hour = whole("rolling_window_ticker", await window.next())
        assert (hour.e, hour.O % 60_000, (hour.C - hour.O) // 60_000) == ("1hTicker", 0, 60)
        assert D(hour.h) <= D(ticker.h)
        assert hour.n < ticker.n


async def check_the_rest():
    async with begin() as streams:
        average, windows, reference, blocks = await hear(
            streams,
            ("avg_price", {"symbol": SYMBOL}),
            (
                "all_market_rolling_window_ticker",
                {"window_size": AllMarketRollingWindowTickerWindowSizeEnum.WINDOW_SIZE_4h.value},
            ),
            ("reference_price", {"symbol": SYMBOL}),
            ("block_trade", {"symbol": SYMBOL}),
        )
        for _ in range(2):
            print_trade(SYMBOL, "20.10", "3", "buy")
        told = whole("avg_price", await average.next())
        known = rest.avg_price(symbol=SYMBOL)
        assert (told.e, told.s, told.i) == ("avgPrice", SYMBOL, "5m")
        assert known.close_time >= told.T
        assert abs(D(told.w) / D(known.price) - 1) < D("0.01")
        assert {each.e for each in await windows.next()} == {"4hTicker"}
        assert reference.is_empty
        assert blocks.is_empty


async def check_coming_and_going():
    async with begin() as streams:
        trades, best = await hear(streams, ("trade", {"symbol": SYMBOL}), ("book_ticker", {"symbol": SYMBOL}))
        await trades.unsubscribe()
        listed = await streams.list_subscribe()
        assert listed["result"] == [f"{SYMBOL.lower()}@bookTicker"]
        print_trade(SYMBOL, "19.90", "1", "sell")
        hold_book(SYMBOL, "20.00", [("19.98", "1")], ASKS)
        while (await best.next()).b != "19.98000000":
            pass
        assert trades.is_empty


async def check_microseconds_and_a_ping():
    hold_book(SYMBOL, "20.00", BIDS, ASKS)
    async with market_streams(time_unit=TimeUnit.MICROSECOND) as streams:
        (trades,) = await hear(streams, ("trade", {"symbol": SYMBOL}))
        print_trade(SYMBOL, "20.10", "3", "buy")
        trade = await trades.next()
        assert abs(trade.T - time.time() * 1_000_000) < 5_000_000
        assert trade.E >= trade.T
        pongs = asyncio.Queue()
        streams.on_connection("pong", pongs.put_nowait)
        await streams.ping_server(streams.connections[0])
        async with asyncio.timeout(WITHIN_S):
            await pongs.get()


def check_every_stream_was_used():
    other = {
        "close_connection",
        "list_subscribe",
        "on",
        "ping_server",
        "subscribe",
        "unsubscribe",
        "user_data",
    }
    known = {name for name in vars(SpotWebSocketStreams) if not name.startswith("_")} - other
    assert known - called == set()


run(around=quietly)
