"""On the synthetic market, spot, index, mark and funding tell one story, and searches find what is there."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from random import Random

import msgspec
import pytest

from emulator.core.commands import PriceMode
from emulator.core.funding import funding_rate
from emulator.core.instruments import Instrument
from emulator.core.markets import PREMIUM_SPAN_US, Stretch
from emulator.core.marks import MarkRule, Marks
from emulator.core.numbers import exact
from emulator.feeds.synthetic import SyntheticFeed
from emulator.feeds.synthetic.index import KEPT_LEFT, KEPT_MAX
from emulator.feeds.synthetic.path import BEGIN_US
from tests.core.marking import Marked
from tests.feeds.test_synthetic import ALL, BUSY, CHEAP, DAY, HOUR, MINUTE, NOW, ODD, QUIET, SECOND

BEGIN = NOW // (8 * HOUR) * 8 * HOUR + 7 * HOUR


def contract(of: Instrument, *, seed: int = 22, hours: int = 8, now: int = BEGIN) -> Marked:
    """With a premium that is small when the seed is even, and large beside what an hour moves when odd."""
    step = of.price_step / 4 if of is ODD else of.price_step / 10
    most = Decimal("0.03") if seed % 2 else Decimal("0.001")
    return Marked(SyntheticFeed(seed), of, hours=hours, rule=MarkRule(step=step, premium_max=most), now=now)


def handled(of: Instrument, *, seed: int, hours: int = 8) -> Marked:
    """Moved by hand and traded in, over ninety minutes."""
    one = contract(of, seed=seed, hours=hours)
    random = Random(seed)

    def near(bips: int) -> Decimal:
        price = one.market.last_price(one.now) * (10_000 + random.randint(-bips, bips)) / 10_000
        return price // of.price_step * of.price_step

    with exact():
        for _ in range(12):
            one.world.wait(random.choice((0, 1, 700_000, 20 * SECOND, 4 * MINUTE, 15 * MINUTE)))
            price = near(40)
            match random.randrange(6):
                case 0:
                    one.price(price)
                case 1:
                    one.price(price, PriceMode.SHIFT)
                case 2:
                    one.book(price, price + of.price_step * random.choice((1, 5)))
                case 3:
                    one.release()
                case _:
                    one.print(price)
        one.world.wait(3 * MINUTE)
    return one


@pytest.mark.parametrize("of", ALL)
def test_the_index_is_within_what_is_traded(of: Instrument) -> None:
    feed = SyntheticFeed(5)
    start = NOW // DAY * DAY - DAY
    for traded in feed.candles(of, 15 * MINUTE, start, start + DAY - 1, NOW):
        low, high = traded.low - of.price_step, traded.high + of.price_step
        for second in range(traded.open_us, traded.close_us, 47 * SECOND):
            assert low <= feed.index(of, second, of.price_step) * of.price_step <= high


def test_the_index_is_of_the_pair_whatever_is_traded_on_it() -> None:
    feed = SyntheticFeed(5, "somewhere")
    future = msgspec.structs.replace(
        BUSY,
        symbol="BTCUSDT_260925",
        price_step=Decimal("0.1"),
        quantity_step=Decimal("0.001"),
        profile=msgspec.structs.replace(BUSY.profile, trades_per_minute=7, spread_steps=4),
    )
    step = Decimal("0.00000001")
    for time_us in range(NOW - 3 * DAY, NOW, HOUR // 7):
        assert feed.index(BUSY, time_us, step) == feed.index(future, time_us, step)
        assert feed.index(BUSY, time_us, step) == feed.index(BUSY, time_us // SECOND * SECOND, step)


def test_before_the_beginning_the_index_stands_still() -> None:
    feed = SyntheticFeed(5)
    step = BUSY.price_step
    first = feed.index(BUSY, BEGIN_US, step)
    assert feed.index(BUSY, BEGIN_US - 1, step) == feed.index(BUSY, BEGIN_US - 500 * DAY, step) == first
    parts = list(feed.stretches(BUSY, BEGIN_US - DAY, BEGIN_US + 1, step))
    assert (parts[0].low, parts[0].high) == (first, first)
    assert parts[0].end_us == parts[1].start_us == BEGIN_US


@pytest.mark.parametrize("of", ALL)
def test_stretches_are_cut_into_what_they_are_made_of(of: Instrument) -> None:
    feed = SyntheticFeed(8)
    step = of.price_step
    waiting: list[Stretch] = list(feed.stretches(of, NOW - 1, NOW, step))
    leaves = 0
    while waiting and leaves < 60:
        stretch = waiting.pop()
        parts = stretch.parts()
        if parts:
            assert [stretch.start_us, parts[-1].end_us] == [parts[0].start_us, stretch.end_us]
            assert parts[0].end_us == parts[1].start_us
            assert min(part.low for part in parts) == stretch.low
            assert max(part.high for part in parts) == stretch.high
            waiting += parts
        else:
            leaves += 1
            assert stretch.end_us - stretch.start_us < 8 * SECOND
            met = [feed.index(of, at, step) for at in range(stretch.start_us, stretch.end_us, SECOND)]
            assert (min(met), max(met)) == (stretch.low, stretch.high)
    assert leaves == 60


@pytest.mark.parametrize("of", ALL)
def test_a_premium_is_bounded_and_moves_slowly(of: Instrument) -> None:
    feed = SyntheticFeed(8)
    most = Decimal("0.0012")
    first = NOW // PREMIUM_SPAN_US
    knots = [feed.premium(of, first + place, most) for place in range(3000)]
    assert all(abs(knot) <= most for knot in knots)
    assert min(knots) < -most / 4 < most / 4 < max(knots), "both ways, and not just a little"
    assert max(abs(one - other) for one, other in pairwise(knots)) < most / 2
    assert knots == [SyntheticFeed(8).premium(of, first + place, most) for place in range(3000)]
    assert knots != [SyntheticFeed(9).premium(of, first + place, most) for place in range(3000)]


@pytest.mark.parametrize("of", ALL)
def test_the_mark_stays_in_its_band(of: Instrument) -> None:
    one = contract(of)
    with exact():
        for tick in range(NOW - 10 * DAY, NOW, HOUR // 3 + SECOND):
            index, mark = one.marks.index_price(tick), one.marks.mark_price(tick)
            assert abs(mark - index) <= index * one.rule.premium_max + one.rule.step


@pytest.mark.parametrize("hours", [8, 4, 1])
def test_rates_are_those_of_the_definition(hours: int) -> None:
    one = contract(QUIET, hours=hours)
    with exact():
        moments = range(BEGIN // (8 * HOUR) * 8 * HOUR - DAY, BEGIN, hours * HOUR)
        rates = [one.marks.funding_rate(settled) for settled in moments]
        assert rates == [one.rate(settled) for settled in moments]
        assert one.marks.predicted_rate(moments[-1] - 1) == rates[-1]
        assert one.marks.predicted_rate(moments[-1]) == funding_rate(
            one.rule.funding, one.premium(moments[-1]), hours
        )


def test_funding_is_paid_both_ways() -> None:
    one = contract(BUSY)
    with exact():
        rates = [
            one.marks.funding_rate(BEGIN // (8 * HOUR) * 8 * HOUR - place * 8 * HOUR) for place in range(600)
        ]
    assert min(rates) < 0 < max(rates)
    assert rates.count(Decimal("0.0001")) > 300, "mostly what interest makes it"


@pytest.mark.parametrize("seed", range(6))
def test_all_is_as_defined_whatever_is_done_by_hand(seed: int) -> None:
    one = handled((BUSY, QUIET, CHEAP, ODD)[seed % 4], seed=seed, hours=(8, 1, 4, 0, 8, 1)[seed])
    ticks = one.ticks(BEGIN - MINUTE, one.now)
    sampled = sorted({*Random(seed).sample(ticks, 300), *(told.time_us for told in one.told)})
    with exact():
        for tick in sampled:
            assert one.marks.index_price(tick) == one.index(tick)
            assert one.marks.mark_price(tick) == one.mark(tick), tick
            assert one.marks.premium(tick) == one.premium(tick)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_asking_does_not_matter(seed: int) -> None:
    one = handled((BUSY, QUIET, CHEAP, ODD)[seed], seed=seed)
    moments = [BEGIN - DAY + place * 1_237 * SECOND for place in range(90)]
    with exact():
        inorder = {at: (one.marks.mark_price(at), one.marks.last_rate(at)) for at in moments}
        Random(seed).shuffle(moments)
        other = one.again()
        for at in moments:
            assert (other.mark_price(at), other.last_rate(at)) == inorder[at]


@pytest.mark.parametrize("seed", [31, 32, 33])
def test_what_was_foreseen_is_forgotten_when_it_comes_otherwise(seed: int) -> None:
    one = contract(BUSY, seed=seed)
    day = BEGIN + DAY

    def foreseen(by: Marks) -> tuple[object, ...]:
        settled = range(BEGIN // (8 * HOUR) * 8 * HOUR, day, 8 * HOUR)
        marks = [by.mark_price(tick) for tick in range(BEGIN, day, 17 * MINUTE)]
        return (
            marks,
            [by.funding_rate(at) for at in settled],
            by.predicted_rate(one.now),
            by.mark_candles(HOUR, BEGIN, day, day),
            by.premium_candles(HOUR, BEGIN, day, day),
            [by.next_mark_crossing(one.now, day, at_least=price) for price in sorted(marks)[-5:]],
        )

    with exact():
        price = one.market.last_price(one.now)
        happenings: list[Callable[[], None]] = [
            lambda: one.price(price * 101 // 100),
            lambda: one.price(price, PriceMode.SHIFT),
            lambda: one.book(price * 99 // 100, price),
            one.release,
        ]
        for happens in happenings:
            before = foreseen(one.marks)
            one.world.wait(HOUR + 1)
            happens()
            assert foreseen(one.marks) == foreseen(one.again()) != before


def naive(one: Marked, values: dict[int, Decimal], start: int, end: int) -> Sequence[Decimal]:
    prices = [values[tick] for tick in one.ticks(start, end)]
    return prices[0], max(prices), min(prices), prices[-1]


@pytest.mark.parametrize("seed", range(12))
def test_candles_are_those_of_their_ticks(seed: int) -> None:
    of = (BUSY, QUIET, CHEAP, ODD)[seed // 2 % 4]
    one = contract(of, seed=seed, now=BEGIN + HOUR) if seed < 6 else handled(of, seed=seed)
    with exact():
        start = BEGIN - 30 * MINUTE
        ticks = one.ticks(start, one.now + 1)
        kinds = (
            (one.marks.mark_candles, {tick: one.marks.mark_price(tick) for tick in ticks}),
            (one.marks.index_candles, {tick: one.marks.index_price(tick) for tick in ticks}),
            (one.marks.premium_candles, {tick: one.marks.premium(tick) for tick in ticks}),
        )
        for interval in (7 * SECOND, MINUTE, 15 * MINUTE, HOUR):
            for candles, values in kinds:
                listed = candles(interval, start, one.now, one.now)
                assert [row.open_us for row in listed] == list(range(start, one.now + 1, interval))
                for row in listed:
                    end = min(row.close_us, one.now + 1)
                    assert row[2:] == naive(one, values, row.open_us, end)
                assert candles(interval, start, one.now, one.now) == listed


@pytest.mark.parametrize("seed", range(12))
def test_crossings_are_found_where_they_are(seed: int) -> None:
    of = (BUSY, QUIET, CHEAP, ODD)[seed // 2 % 4]
    one = contract(of, seed=seed) if seed < 6 else handled(of, seed=seed)
    random = Random(seed)
    start, end = BEGIN - 20 * MINUTE, one.now + 3 * HOUR
    with exact():
        ticks = one.ticks(start, end)
        for search, price in (
            (one.marks.next_mark_crossing, one.marks.mark_price),
            (one.marks.next_index_crossing, one.marks.index_price),
        ):
            prices = [price(tick) for tick in ticks]
            lowest, highest = min(prices), max(prices)
            for _ in range(60):
                after, until = sorted((random.randint(start, end - 1), random.randint(start, end - 1)))
                at_most, at_least = (
                    lowest + (highest - lowest) * random.randint(-100, 1100) / 1000 for _ in range(2)
                )
                low = at_most if random.random() < 0.6 else None
                high = at_least if low is None or random.random() < 0.3 else None
                first = next(
                    (
                        tick
                        for tick, price_then in zip(ticks, prices, strict=True)
                        if after < tick <= until
                        and (
                            (low is not None and price_then <= low)
                            or (high is not None and price_then >= high)
                        )
                    ),
                    None,
                )
                assert search(after, until, at_most=low, at_least=high) == first, (after, until, low, high)


def test_a_months_search_looks_at_little() -> None:
    for of in (BUSY, QUIET, CHEAP, ODD):
        feed = SyntheticFeed(3)
        one = Marked(feed, of, rule=MarkRule(step=of.price_step / 20), now=NOW)
        with exact():
            mark = one.marks.mark_price(NOW)
            looked_at = feed._days.weight
            assert one.marks.next_mark_crossing(NOW, NOW + 30 * DAY, at_most=mark / 4) is None
            assert feed._days.weight - looked_at <= 40, "days, and hardly anything in them"
            lowest = min(
                day.low
                for day in one.marks.mark_candles(DAY, NOW // DAY * DAY, NOW + 30 * DAY, NOW + 30 * DAY)
            )
            fresh = one.again()
            feed._days.kept.clear()
            feed._days.weight = 0
            found = fresh.next_mark_crossing(NOW, NOW + 30 * DAY, at_most=lowest)
            assert found is not None
            assert feed._days.weight <= 400
            assert fresh.mark_price(found) <= lowest < fresh.mark_price(found - 1)


def test_a_lot_of_history_is_not_kept() -> None:
    feed = SyntheticFeed(3)
    step = BUSY.price_step
    times = [NOW - place * 11 * HOUR // 3 for place in range(2_500)]
    first = [feed.index(BUSY, at, step) for at in times]
    assert KEPT_LEFT - 1_000 < feed._days.weight <= KEPT_MAX + 40
    for at in range(NOW // DAY * DAY, NOW // DAY * DAY + DAY, 7 * SECOND):
        feed.index(BUSY, at, step)  # all of one day, which alone is a good part of what is kept
        assert feed._days.weight <= KEPT_MAX + 40, "and one way down"
    assert feed._days.weight == sum(day.root.weight for day in feed._days.kept.values())
    assert [feed.index(BUSY, at, step) for at in times] == first


def test_what_is_forgotten_is_gone_at_once() -> None:
    """What lies about in circles is there until the garbage collector comes, and then everybody waits."""
    feed = SyntheticFeed(3)
    step = BUSY.price_step
    days, times = 0, range(NOW, NOW - 4_000 * DAY, -DAY)
    gc.collect()
    gc.disable()
    try:
        for at in times:
            days += 1
            feed.index(BUSY, at, step)
        known = {id(day.root) for day in feed._days.kept.values()}
        assert len(known) < days, "some were forgotten"
        kind = type(next(iter(feed._days.kept.values())))
        roots = {
            id(each.root) for each in gc.get_objects() if type(each) is kind and each.root.days is feed._days
        }
        assert len(roots) <= len(known) + 1, "and one that the index looked at last"
    finally:
        gc.enable()
