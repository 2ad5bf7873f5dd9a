"""The synthetic market agrees with itself: candles, trades, quotes and searches tell one story."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, Inexact, localcontext
from hashlib import blake2b
from itertools import islice, pairwise

import pytest

from emulator.core.instruments import Instrument, MarketProfile, Side
from emulator.core.markets import Candle, Feed, FeedLevel, FeedTrade, Quote
from emulator.core.numbers import EXACT, ZERO, exact, is_on_step
from emulator.feeds.synthetic import SyntheticFeed
from emulator.feeds.synthetic.path import BEGIN_US, NODES_LEFT, NODES_MAX, _weight

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = 1_790_000_000 * SECOND
LATER = NOW + 10_000 * DAY


def instrument(
    pair: str = "BTC/USDT",
    *,
    anchor: str = "100000",
    price_step: str = "0.01",
    price_min: str = "0.01",
    price_max: str = "1000000",
    quantity_step: str = "0.00001",
    trade: str = "0.005",
    level: str = "0.5",
    per_minute: int = 1200,
    volatility: int = 300,
    spread: int = 1,
) -> Instrument:
    base, quote = pair.split("/")
    return Instrument(
        symbol=base + quote,
        base=base,
        quote=quote,
        settle=quote,
        price_step=Decimal(price_step),
        price_min=Decimal(price_min),
        price_max=Decimal(price_max),
        quantity_step=Decimal(quantity_step),
        quantity_min=Decimal(quantity_step),
        quantity_max=Decimal(9000),
        profile=MarketProfile(
            anchor=Decimal(anchor),
            volatility_bips=volatility,
            spread_steps=spread,
            trade_quantity=Decimal(trade),
            level_quantity=Decimal(level),
            trades_per_minute=per_minute,
        ),
    )


BUSY = instrument()
CHEAP = instrument(
    "PEPE/USDT",
    anchor="0.00001",
    price_step="0.00000001",
    price_min="0.00000001",
    price_max="1",
    quantity_step="1",
    trade="5000000",
    level="50000000",
    per_minute=300,
    volatility=500,
)
QUIET = instrument(
    "QNT/USDT",
    anchor="90",
    price_step="0.1",
    quantity_step="0.001",
    trade="0.5",
    level="20",
    per_minute=10,
    volatility=400,
    spread=2,
)
ODD = instrument(
    "ODD/EUR",
    anchor="37.5",
    price_step="0.025",
    price_min="0.025",
    quantity_step="0.5",
    trade="3",
    level="40",
    per_minute=60,
    volatility=900,
    spread=3,
)
ALL = [pytest.param(each, id=each.base) for each in (BUSY, CHEAP, QUIET, ODD)]


def trades_of(feed: Feed, of: Instrument, start_us: int, end_us: int) -> Sequence[FeedTrade]:
    """All trades of [start_us, end_us)."""
    first = feed.trade_count(of, start_us - 1) + 1
    return feed.trades(of, first, 1_000_000, end_us - 1)


def candle_of(trades: Sequence[FeedTrade], open_us: int, close_us: int, before: FeedTrade) -> Candle:
    """The candle that its trades make, summed one by one."""
    with exact():
        inside = [trade for trade in trades if open_us <= trade.time_us < close_us]
        earlier = [trade for trade in trades if trade.time_us < open_us]
        last = earlier[-1] if earlier else before
        prices = [trade.price for trade in inside] or [last.price]
        bought = [trade for trade in inside if not trade.buyer_is_maker]
        return Candle(
            open_us,
            close_us,
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            sum((trade.quantity for trade in inside), ZERO),
            sum((trade.price * trade.quantity for trade in inside), ZERO),
            len(inside),
            sum((trade.quantity for trade in bought), ZERO),
            sum((trade.price * trade.quantity for trade in bought), ZERO),
            last.number + 1,
            last.number + len(inside),
        )


def joined(parts: Sequence[Candle]) -> Candle:
    """One candle over neighbours of which the first has trades."""
    with exact():
        return Candle(
            parts[0].open_us,
            parts[-1].close_us,
            parts[0].open,
            max(part.high for part in parts),
            min(part.low for part in parts),
            parts[-1].close,
            sum((part.volume for part in parts), ZERO),
            sum((part.quote_volume for part in parts), ZERO),
            sum(part.trades for part in parts),
            sum((part.taker_volume for part in parts), ZERO),
            sum((part.taker_quote_volume for part in parts), ZERO),
            parts[0].first,
            parts[-1].last,
        )


@pytest.mark.parametrize("of", ALL)
@pytest.mark.parametrize("seconds", [1, 7, 60, 300])
def test_a_candle_is_the_sum_of_its_trades(of: Instrument, seconds: int) -> None:
    feed = SyntheticFeed(7)
    start_us = NOW // SECOND * SECOND - 17 * HOUR
    end_us = start_us + 600 * SECOND
    before = feed.last_trade(of, start_us - 1)
    trades = trades_of(feed, of, start_us, end_us)
    candles = SyntheticFeed(7).candles(of, seconds * SECOND, start_us, end_us - 1, end_us - 1)
    assert len(candles) == -(-600 // seconds)
    for candle in candles:
        assert candle == candle_of(trades, candle.open_us, candle.close_us, before)
    whole = feed.range(of, start_us, end_us)
    assert whole == candle_of(trades, start_us, end_us, before)
    assert whole.trades > 0


@pytest.mark.parametrize("of", ALL)
def test_intervals_add_up_to_longer_ones(of: Instrument) -> None:
    feed = SyntheticFeed(3)
    start_us = NOW // DAY * DAY
    days = feed.candles(of, DAY, start_us, start_us + 2 * DAY, LATER)
    hours = feed.candles(of, HOUR, start_us, start_us + DAY - 1, LATER)
    minutes = feed.candles(of, MINUTE, start_us, start_us + HOUR - 1, LATER)
    assert (len(days), len(hours), len(minutes)) == (3, 24, 60)
    assert joined(hours) == days[0]
    assert joined([minute for minute in minutes if minute.trades])[2:] == hours[0][2:]
    assert list(feed.candles(of, 3 * DAY, start_us, start_us, LATER)) == [joined(days)]
    four = feed.candles(of, 4 * HOUR, start_us, start_us + DAY - 1, LATER)
    assert joined(four) == days[0]
    # A day in another time zone, and an interval that no tree is cut by.
    shifted = feed.candles(of, DAY, start_us - 8 * HOUR, start_us, LATER)[0]
    assert shifted == joined(feed.candles(of, 4320 * SECOND, shifted.open_us, shifted.close_us - 1, LATER))


@pytest.mark.parametrize("of", ALL)
def test_a_day_opens_where_the_last_one_closed(of: Instrument) -> None:
    days = SyntheticFeed(5).candles(of, DAY, NOW // DAY * DAY - 300 * DAY, NOW, LATER)
    assert all(later.open == earlier.close for earlier, later in pairwise(days))
    assert all(later.first == earlier.last + 1 for earlier, later in pairwise(days))
    assert len({day.trades for day in days}) == 1
    assert len({day.close for day in days}) > 20
    assert len({day.volume for day in days}) > 250


@pytest.mark.parametrize("of", ALL)
def test_the_open_candle_ends_now(of: Instrument) -> None:
    feed = SyntheticFeed(7)
    open_us = NOW // HOUR * HOUR
    now_us = open_us + 1234 * SECOND + 567_891
    candles = feed.candles(of, HOUR, open_us - HOUR, open_us + 5 * HOUR, now_us)
    assert [candle.open_us for candle in candles] == [open_us - HOUR, open_us]
    running = candles[-1]
    assert running.close_us == open_us + HOUR
    assert running[2:] == feed.range(of, open_us, now_us + 1)[2:]
    assert running.close == feed.last_trade(of, now_us).price
    assert running.last == feed.trade_count(of, now_us)


@pytest.mark.parametrize("of", ALL)
def test_trade_numbers_have_no_gaps_and_lead_back_to_their_times(of: Instrument) -> None:
    feed = SyntheticFeed(11)
    trades = feed.trades(of, feed.trade_count(of, NOW) + 1, 400, LATER)
    assert len(trades) == 400
    for earlier, later in pairwise(trades):
        assert later.number == earlier.number + 1
        assert later.time_us > earlier.time_us
        assert feed.next_trade_time(of, earlier.time_us) == later.time_us
    other = SyntheticFeed(11)
    for trade in trades[::7]:
        assert other.trade_count(of, trade.time_us) == trade.number
        assert other.trade_count(of, trade.time_us - 1) == trade.number - 1
        assert other.last_trade(of, trade.time_us) == trade
        assert list(other.trades(of, trade.number, 1, LATER)) == [trade]
    assert feed.trades(of, trades[0].number, 400, trades[9].time_us) == trades[:10]
    assert not feed.trades(of, trades[0].number, 400, trades[0].time_us - 1)


@pytest.mark.parametrize("of", ALL)
def test_prices_and_quantities_are_on_their_steps(of: Instrument) -> None:
    feed = SyntheticFeed(2)
    for trade in feed.trades(of, feed.trade_count(of, NOW), 1_000, LATER):
        assert is_on_step(trade.price, of.price_step)
        assert is_on_step(trade.quantity, of.quantity_step)
        assert of.price_min <= trade.price <= of.price_max
        assert trade.quantity >= of.quantity_step


def test_trades_are_of_the_size_and_rate_that_the_profile_says() -> None:
    feed = SyntheticFeed(2)
    day = feed.candles(BUSY, DAY, NOW // DAY * DAY, NOW, LATER)[0]
    assert day.trades == 1440 * BUSY.profile.trades_per_minute
    quantities = sorted(
        trade.quantity
        for hour in range(24)
        for trade in feed.trades(BUSY, day.first + hour * 70_000, 100, LATER)
    )
    median = quantities[len(quantities) // 2]
    assert BUSY.profile.trade_quantity / 3 < median < BUSY.profile.trade_quantity * 3


def test_daily_ranges_are_of_the_size_that_the_profile_says() -> None:
    for of in (BUSY, CHEAP, QUIET):
        days = SyntheticFeed(2).candles(of, DAY, NOW - 400 * DAY, NOW, LATER)
        ranges = sorted((day.high - day.low) / day.open * 10_000 for day in days)
        median = ranges[len(ranges) // 2]
        assert (
            of.profile.volatility_bips * Decimal("0.6") < median < of.profile.volatility_bips * Decimal("1.5")
        )
        assert all(of.profile.anchor / 4 < day.close < of.profile.anchor * 4 for day in days)


def test_a_quiet_market_has_seconds_without_trades_and_they_repeat_the_price() -> None:
    feed = SyntheticFeed(7)
    seconds = feed.candles(QUIET, SECOND, NOW, NOW + 599 * SECOND, LATER)
    empty = [(earlier, later) for earlier, later in pairwise(seconds) if not later.trades]
    assert 300 < len(empty) < 600
    for earlier, later in empty:
        assert later[2:] == (
            earlier.close, earlier.close, earlier.close, earlier.close,
            ZERO, ZERO, 0, ZERO, ZERO, earlier.last + 1, earlier.last,
        )  # fmt: skip


@pytest.mark.parametrize("of", ALL)
def test_the_quote_lies_around_the_last_trade(of: Instrument) -> None:
    feed = SyntheticFeed(9)
    with exact():
        spread = of.profile.spread_steps * of.price_step
        for trade in feed.trades(of, feed.trade_count(of, NOW), 200, LATER):
            quote = feed.quote(of, trade.time_us)
            assert quote.ask - quote.bid == spread
            assert trade.price == (quote.bid if trade.buyer_is_maker else quote.ask)
            bid = next(iter(feed.levels(of, Side.BUY, trade.time_us)))
            ask = next(iter(feed.levels(of, Side.SELL, trade.time_us)))
            assert (bid.price, bid.quantity, ask.price, ask.quantity) == quote


@pytest.mark.parametrize("of", ALL)
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_levels_are_sorted_and_on_their_steps(of: Instrument, side: Side) -> None:
    feed = SyntheticFeed(9)
    levels = list(feed.levels(of, side, NOW))
    assert len(levels) >= 50
    assert len(levels) == len(list(islice(feed.levels(of, side, NOW), 5_000)))
    for near, far in pairwise(levels):
        assert far.price < near.price if side is Side.BUY else far.price > near.price
    for level in levels:
        assert is_on_step(level.price, of.price_step)
        assert is_on_step(level.quantity, of.quantity_step)
        assert level.quantity >= of.quantity_min
        assert of.price_min <= level.price <= of.price_max
        assert level.since_us <= NOW < level.until_us
    near_quantity = sum(level.quantity for level in levels[:40]) / 40
    assert of.profile.level_quantity / 3 < near_quantity < of.profile.level_quantity * 3


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_level_keeps_its_quantity_until_it_is_renewed(side: Side) -> None:
    feed = SyntheticFeed(9)
    seen: dict[tuple[Decimal, int], object] = {}
    renewed = kept = 0
    last: dict[Decimal, tuple[int, Decimal]] = {}
    for tick in range(100):
        time_us = NOW + tick * 250_000
        for level in islice(feed.levels(BUSY, side, time_us), 100):
            assert seen.setdefault((level.price, level.since_us), level) == level
            before, quantity = last.get(level.price, (0, ZERO))
            if before == tick - 1:
                renewed += quantity != level.quantity
                kept += quantity == level.quantity
            last[level.price] = tick, level.quantity
    assert renewed > 100
    assert kept > 5 * renewed
    # An instance that comes fresh to a moment sees the same.
    assert list(SyntheticFeed(9).levels(BUSY, side, time_us)) == list(feed.levels(BUSY, side, time_us))


def quotes_of(of: Instrument, trade: FeedTrade) -> tuple[Decimal, Decimal]:
    spread = of.profile.spread_steps * of.price_step
    return (
        (trade.price, trade.price + spread) if trade.buyer_is_maker else (trade.price - spread, trade.price)
    )


@pytest.mark.parametrize("of", ALL)
def test_next_crossing_finds_what_a_scan_finds(of: Instrument) -> None:
    feed = SyntheticFeed(13)
    minutes = {BUSY.base: 6, CHEAP.base: 20, ODD.base: 90, QUIET.base: 500}[of.base]
    start_us, end_us = NOW + 12_345, NOW + minutes * MINUTE
    trades = trades_of(feed, of, start_us + 1, end_us + 1)
    prices = sorted({trade.price for trade in trades})
    found = 0
    with exact():
        for case in range(160):
            draw = int.from_bytes(blake2b(str(case).encode(), digest_size=8).digest(), "big")
            price = prices[draw % len(prices)] + (draw >> 32 & 7) * of.price_step / 4 - of.price_step
            after = trades[(draw >> 20) % len(trades)] if case % 3 else None
            after_us = after.time_us if after else start_us
            until_us = end_us if case % 5 else trades[(draw >> 12) % len(trades)].time_us
            wanted: int | None = None
            for trade in trades:
                bid, ask = quotes_of(of, trade)
                holds = (
                    ask <= price,
                    bid >= price,
                    trade.price <= price,
                    trade.price >= price,
                    ask <= price - of.price_step or trade.price >= price + of.price_step,
                )[case % 5 if case % 5 < 5 else 0]
                if holds and after_us < trade.time_us <= until_us:
                    wanted = trade.time_us
                    break
            fresh = SyntheticFeed(13) if case % 40 == 0 else feed
            match case % 5:
                case 0:
                    at = fresh.next_crossing(of, after_us, until_us, ask_at_most=price)
                case 1:
                    at = fresh.next_crossing(of, after_us, until_us, bid_at_least=price)
                case 2:
                    at = fresh.next_crossing(of, after_us, until_us, last_at_most=price)
                case 3:
                    at = fresh.next_crossing(of, after_us, until_us, last_at_least=price)
                case _:
                    at = fresh.next_crossing(
                        of,
                        after_us,
                        until_us,
                        ask_at_most=price - of.price_step,
                        last_at_least=price + of.price_step,
                    )
            assert at == wanted, (case, price)
            found += at is not None
    assert 40 < found < 160


def test_next_crossing_far_away_agrees_with_daily_candles() -> None:
    feed = SyntheticFeed(13)
    start_us = NOW // DAY * DAY
    days = feed.candles(BUSY, DAY, start_us, start_us + 400 * DAY, LATER)
    peak = max(day.high for day in days)
    day = next(day for day in days if day.high == peak)
    at = SyntheticFeed(13).next_crossing(BUSY, start_us, start_us + 400 * DAY, last_at_least=peak)
    assert at is not None
    assert day.open_us <= at < day.close_us
    assert feed.last_trade(BUSY, at).price == peak
    assert feed.next_crossing(BUSY, start_us, at - 1, last_at_least=peak) is None
    above = peak + BUSY.price_step
    assert feed.next_crossing(BUSY, start_us, start_us + 400 * DAY, last_at_least=above) is None
    assert feed.next_crossing(BUSY, start_us, start_us + 400 * DAY) is None


@pytest.mark.parametrize("of", ALL)
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_next_reversal_finds_what_a_scan_finds(of: Instrument, side: Side) -> None:
    feed = SyntheticFeed(17)
    minutes = {BUSY.base: 12, CHEAP.base: 30, ODD.base: 120, QUIET.base: 700}[of.base]
    start_us, end_us = NOW + 54_321, NOW + minutes * MINUTE
    trades = trades_of(feed, of, start_us + 1, end_us + 1)
    best = max if side is Side.SELL else min
    fired = 0
    with exact():
        for case in range(60):
            draw = int.from_bytes(blake2b(str(case).encode(), digest_size=8).digest(), "big")
            delta = (1, 3, 8, 15, 40, 90)[case % 6]
            after = trades[draw % (len(trades) // 2)]
            until_us = end_us if case % 4 else trades[(draw >> 20) % len(trades)].time_us
            # A start that may lie beside the steps, or far on the side that the price must reach first.
            shift = (of.price_step * ((draw >> 40) % 9)) / 2 - of.price_step
            extreme = known = after.price + shift if case % 3 else after.price
            wanted: int | None = None
            for trade in trades:
                if not after.time_us < trade.time_us <= until_us:
                    continue
                known = best(known, trade.price)
                change = known * delta
                if (
                    trade.price * 10_000 <= known * 10_000 - change
                    if side is Side.SELL
                    else trade.price * 10_000 >= known * 10_000 + change
                ):
                    wanted = trade.time_us
                    break
            fresh = SyntheticFeed(17) if case % 20 == 0 else feed
            at, reached = fresh.next_reversal(
                of, after.time_us, until_us, side=side, extreme=extreme, delta_bips=delta
            )
            assert (at, reached) == (wanted, known), (case, delta)
            fired += at is not None
    assert 10 < fired < 60


@pytest.mark.parametrize("of", ALL)
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_next_reversal_by_a_distance_finds_what_a_scan_finds(of: Instrument, side: Side) -> None:
    feed = SyntheticFeed(19)
    minutes = {BUSY.base: 12, CHEAP.base: 30, ODD.base: 120, QUIET.base: 700}[of.base]
    start_us, end_us = NOW + 54_321, NOW + minutes * MINUTE
    trades = trades_of(feed, of, start_us + 1, end_us + 1)
    best = max if side is Side.SELL else min
    fired = 0
    with exact():
        for case in range(60):
            draw = int.from_bytes(blake2b(str(case).encode(), digest_size=8).digest(), "big")
            after = trades[draw % (len(trades) // 2)]
            # Some distances lie between the steps, as may what the price is measured from.
            wide = after.price * (1, 3, 8, 15, 40, 90)[case % 6] / 10_000
            distance = (wide // of.price_step + 1) * of.price_step
            distance -= of.price_step / 2 if case % 5 == 0 else 0
            until_us = end_us if case % 4 else trades[(draw >> 20) % len(trades)].time_us
            shift = (of.price_step * ((draw >> 40) % 9)) / 2 - of.price_step
            extreme = known = after.price + shift if case % 3 else after.price
            wanted: int | None = None
            for trade in trades:
                if not after.time_us < trade.time_us <= until_us:
                    continue
                known = best(known, trade.price)
                if abs(known - trade.price) >= distance:
                    wanted = trade.time_us
                    break
            fresh = SyntheticFeed(19) if case % 20 == 0 else feed
            at, reached = fresh.next_reversal(
                of, after.time_us, until_us, side=side, extreme=extreme, distance=distance
            )
            assert (at, reached) == (wanted, known), (case, distance)
            fired += at is not None
    assert 10 < fired < 60


def test_the_function_is_the_same_in_every_instance() -> None:
    warm = SyntheticFeed(21)
    for step in range(40):
        warm.quote(BUSY, NOW + step * 977 * MINUTE)
    times = [NOW + step * 3_333 * MINUTE // 7 for step in range(12)]
    for time_us in reversed(times):
        cold = SyntheticFeed(21)
        assert cold.last_trade(BUSY, time_us) == warm.last_trade(BUSY, time_us)
        assert cold.quote(BUSY, time_us) == warm.quote(BUSY, time_us)
        assert cold.range(BUSY, time_us, time_us + DAY) == warm.range(BUSY, time_us, time_us + DAY)
    assert SyntheticFeed(22).last_trade(BUSY, NOW) != warm.last_trade(BUSY, NOW)


def test_the_function_has_not_changed() -> None:
    """Golden values, taken from the function itself once. They say nothing of what is right.

    What changes them changes every market and every recorded scenario of users: on purpose only.
    """
    feed = SyntheticFeed(1)
    assert (
        feed.last_trade(BUSY, NOW),
        feed.quote(CHEAP, NOW),
        feed.candles(QUIET, HOUR, NOW // HOUR * HOUR, NOW, LATER)[0],
        SyntheticFeed(1, "kucoin").last_trade(ODD, NOW),
        next(iter(feed.levels(QUIET, Side.BUY, NOW))),
    ) == GOLDEN


def test_instruments_of_a_pair_share_the_path() -> None:
    """Steps, rates, quantities and sites may differ: minutes still begin within two bips and a step."""
    reference = SyntheticFeed(7)
    other_site = SyntheticFeed(7, "bybit")
    coarse = instrument(price_step="0.1", quantity_step="0.001", per_minute=600)
    slow = instrument(per_minute=120, quantity_step="0.0001", spread=4)
    deviations = {BUSY: set[Decimal](), coarse: set[Decimal](), slow: set[Decimal]()}
    for step in range(150):
        time_us = (NOW - step * 1_237 * MINUTE) // MINUTE * MINUTE
        price = reference.range(BUSY, time_us, time_us + MINUTE).open
        for of, seen in deviations.items():
            away = other_site.range(of, time_us, time_us + MINUTE).open - price
            assert abs(away) <= 2 * BUSY.profile.anchor / 10_000 + of.price_step
            seen.add(away)
    # On one site the basis is a constant, and only rounding is seen beside it.
    assert len(deviations[BUSY]) == 1
    assert max(deviations[coarse]) - min(deviations[coarse]) <= coarse.price_step
    assert other_site.quote(BUSY, NOW) != reference.quote(BUSY, NOW)


@pytest.mark.parametrize("of", ALL)
def test_before_the_beginning_the_price_stands_still(of: Instrument) -> None:
    feed = SyntheticFeed(7)
    first = feed.trades(of, 1, 1, LATER)[0]
    assert first.number == 1
    assert BEGIN_US <= first.time_us < BEGIN_US + HOUR
    for time_us in (-5, 0, BEGIN_US - 1, first.time_us - 1):
        assert feed.trade_count(of, time_us) == 0
        nothing = feed.last_trade(of, time_us)
        assert (nothing.number, nothing.price, nothing.quantity) == (0, first.price, ZERO)
        assert nothing.time_us <= time_us
        assert feed.next_trade_time(of, time_us) == first.time_us
    candle = feed.candles(of, DAY, BEGIN_US - DAY, BEGIN_US, LATER)
    assert [part.trades for part in candle] == [0, 1440 * of.profile.trades_per_minute]
    assert candle[0].close == candle[1].open == first.price
    assert (candle[0].first, candle[0].last, candle[1].first) == (1, 0, 1)
    assert feed.next_crossing(of, 0, LATER, last_at_most=first.price) == first.time_us


@pytest.mark.parametrize("of", ALL)
def test_the_far_future_is_as_near_as_the_past(of: Instrument) -> None:
    feed = SyntheticFeed(7)
    far_us = 253_402_300_799 * SECOND
    trade = feed.last_trade(of, far_us)
    assert far_us - HOUR < trade.time_us <= far_us
    assert feed.trade_count(of, far_us) == trade.number
    assert of.profile.anchor / 5 < trade.price < of.profile.anchor * 5


def test_limits_of_an_instrument_are_kept() -> None:
    wild = instrument(
        "WILD/USDT", anchor="0.0005", price_step="0.0001", price_min="0.0002", price_max="0.0008",
        quantity_step="1", trade="40", level="900", per_minute=60, volatility=6000,
    )  # fmt: skip
    feed = SyntheticFeed(3)
    days = feed.candles(wild, DAY, NOW - 200 * DAY, NOW, LATER)
    assert min(day.low for day in days) >= wild.price_min + wild.price_step
    assert max(day.high for day in days) <= wild.price_max - wild.price_step
    assert len({day.close for day in days}) > 2
    for day in days[::20]:
        quote = feed.quote(wild, day.open_us)
        assert wild.price_min <= quote.bid < quote.ask <= wild.price_max
        end_us = day.open_us + 10 * MINUTE
        trades = trades_of(feed, wild, day.open_us, end_us)
        before = feed.last_trade(wild, day.open_us - 1)
        assert feed.range(wild, day.open_us, end_us) == candle_of(trades, day.open_us, end_us, before)


def test_quantities_of_few_steps_still_add_up() -> None:
    """A typical trade of less than one quantity step leaves the least room for exact amounts."""
    tight = instrument(quantity_step="0.01", trade="0.001", per_minute=240, price_step="0.1", volatility=900)
    feed = SyntheticFeed(3)
    for step in range(4):
        start_us = NOW // DAY * DAY + step * 17 * DAY
        trades = trades_of(feed, tight, start_us, start_us + 20 * MINUTE)
        before = feed.last_trade(tight, start_us - 1)
        for candle in feed.candles(tight, MINUTE, start_us, start_us + 20 * MINUTE - 1, LATER):
            assert candle == candle_of(trades, candle.open_us, candle.close_us, before)


def test_the_callers_decimal_context_does_not_matter() -> None:
    answers = []
    for context in (EXACT, Context(prec=3), Context(prec=2, traps=[Inexact])):
        feed = SyntheticFeed(31)
        with localcontext(context):
            answers.append(
                (
                    feed.last_trade(BUSY, NOW),
                    feed.quote(BUSY, NOW),
                    list(islice(feed.levels(BUSY, Side.SELL, NOW), 60)),
                    feed.range(BUSY, NOW, NOW + DAY),
                    feed.next_crossing(BUSY, NOW, NOW + DAY, last_at_most=Decimal("127654.321")),
                    feed.next_reversal(
                        BUSY, NOW, NOW + DAY, side=Side.SELL, extreme=Decimal("129000.005"), delta_bips=50
                    ),
                )
            )
    assert answers[0] == answers[1] == answers[2]


def test_a_candle_costs_about_a_node_and_a_search_about_a_path() -> None:
    """Cost is counted in nodes that were made, which is what time is proportional to."""

    def made(feed: SyntheticFeed) -> int:
        return feed._forest.weight

    feed = SyntheticFeed(7)
    feed.candles(BUSY, MINUTE, NOW // MINUTE * MINUTE, NOW + 999 * MINUTE, LATER)
    assert made(feed) < 2_500
    feed = SyntheticFeed(7)
    feed.candles(BUSY, DAY, NOW // DAY * DAY, NOW + 999 * DAY, LATER)
    assert made(feed) < 1_100
    feed = SyntheticFeed(7)
    assert feed.next_crossing(BUSY, NOW, NOW + 30 * DAY, last_at_most=Decimal(1)) is None
    assert made(feed) < 35
    feed = SyntheticFeed(7)
    price = feed.range(BUSY, NOW, NOW + 30 * DAY).high
    searching = SyntheticFeed(7)
    assert searching.next_crossing(BUSY, NOW, NOW + 30 * DAY, last_at_least=price) is not None
    assert made(searching) < 250


def test_what_is_kept_is_bounded() -> None:
    feed = SyntheticFeed(7)
    for day in range(6):
        for hour in range(0, 24, 2):
            start_us = NOW // DAY * DAY + day * DAY + hour * HOUR
            feed.candles(QUIET, SECOND, start_us, start_us + 300 * SECOND, LATER)
            feed.candles(BUSY, SECOND, start_us, start_us + 300 * SECOND, LATER)
            assert feed._forest.weight <= NODES_MAX + 5_000
    kept = feed._forest.weight
    feed._forest.trim()
    assert feed._forest.weight <= min(kept, NODES_LEFT)
    assert feed._forest.weight == sum(map(_weight, feed._forest.days.values()))
    before = SyntheticFeed(7).last_trade(BUSY, NOW)
    assert feed.last_trade(BUSY, NOW) == before


GOLDEN: tuple[object, ...] = (
    FeedTrade(
        number=6135390962,
        time_us=1789999999965896,
        price=Decimal("83221.54"),
        quantity=Decimal("0.00151"),
        buyer_is_maker=True,
    ),
    Quote(
        bid=Decimal("0.00001036"),
        bid_quantity=Decimal("6662664"),
        ask=Decimal("0.00001037"),
        ask_quantity=Decimal("151646519"),
    ),
    Candle(
        open_us=1789999200000000,
        close_us=1790002800000000,
        open=Decimal("88.1"),
        high=Decimal("88.2"),
        low=Decimal("87.5"),
        close=Decimal("88"),
        volume=Decimal("252.802"),
        quote_volume=Decimal("22200.0426"),
        trades=304,
        taker_volume=Decimal("161.474"),
        taker_quote_volume=Decimal("14179.1638"),
        first=51128023,
        last=51128326,
    ),
    FeedTrade(
        number=306776795,
        time_us=1789999998704848,
        price=Decimal("60.5"),
        quantity=Decimal("71"),
        buyer_is_maker=False,
    ),
    FeedLevel(
        price=Decimal("87.8"),
        quantity=Decimal("65.173"),
        since_us=1789999997642717,
        until_us=1790000000580217,
    ),
)
