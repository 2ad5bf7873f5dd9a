"""Prices, books and trades set by hand: what they show, what they fill, and how they end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.commands import PriceMode
from emulator.core.instruments import Side
from emulator.core.numbers import exact
from tests.core.invariants import assert_tape_agrees
from tests.core.world import (
    MINUTE,
    PROFILE,
    SECOND,
    START,
    World,
    deep,
    instrument,
    limit,
    market,
    moving,
    plain,
    replaced,
    seen,
    side,
    still,
)

BUY, SELL = Side.BUY, Side.SELL


def touch(world: World) -> tuple[str, str]:
    with exact():
        quote = world.engine.state.markets[world.symbol].quote(world.now)
    return plain(quote.bid), plain(quote.ask)


@pytest.mark.parametrize(
    ("price", "quote"), [("90", ("89.99", "90")), ("110", ("110", "110.01")), ("100", ("99.99", "100"))]
)
def test_a_price_that_is_held(price: str, quote: tuple[str, str]) -> None:
    """Fallen to, it is the ask, and risen to, the bid: so it reaches orders that rest exactly there."""
    world = World(moving((-60, "100"), (5, "130"), (10, "70"), depth=10, between="0.01"))
    world.price(price)
    assert (plain(world.last()), touch(world)) == (price, quote)
    world.until(60)
    assert (plain(world.last()), touch(world)) == (price, quote)


def test_a_price_that_shifts_goes_on_with_the_market() -> None:
    world = World(moving((-60, "100"), (5, "130"), (10, "70"), depth=3))
    world.price("1000", PriceMode.SHIFT)
    assert touch(world) == ("999", "1000")
    world.until(5)
    assert (plain(world.last()), touch(world)) == ("1030", ("1029", "1030"))
    world.until(10)
    assert (plain(world.last()), touch(world)) == ("970", ("969", "970"))


def test_released_it_is_the_markets_own_again() -> None:
    world = World(moving((-60, "100"), (5, "130"), depth=3))
    world.price("1000")
    world.until(6)
    world.does(c.ReleaseMarket(pair="BTC/USDT"))
    assert touch(world) == ("129", "130")
    assert world.does(c.ReleaseMarket(pair="BTC/USDT")) != ()
    assert world.refuses(c.ReleaseMarket(pair="X/Y")) == r.UnknownInstrument(instrument="X/Y")


def test_a_market_never_touched_has_nothing_to_release() -> None:
    assert World().does(c.ReleaseMarket(pair="BTC/USDT")) == ()


def test_a_price_fills_what_rests_there_and_beyond() -> None:
    world = World(deep())
    at, beyond, short = (world.buy(world.bob, "0.1", price) for price in ("95", "96", "94.99"))
    world.price("95")
    assert [seen(one)[0] for one in (at, beyond, short)] == ["filled", "filled", "new"]
    assert world.fills(beyond) == [("96", "0.1")], "at the order's own price"
    sell = world.sell(world.bob, "0.1", "120")
    world.price("120")
    assert seen(sell)[0] == "filled"


def test_a_price_moves_every_instrument_of_the_pair() -> None:
    world = World(still(), instrument(), instrument(symbol="BTCUSDT-2"))
    events = world.price("95")
    assert [one.instrument for one in events if isinstance(one, e.PriceSet)] == ["BTCUSDT", "BTCUSDT-2"]


def test_an_instrument_of_the_pair_with_a_coarser_step_or_a_narrower_range_goes_as_near_as_it_can() -> None:
    coarse = instrument(
        symbol="BTCUSDT-2", price_step=Decimal("0.1"), price_min=Decimal(90), price_max=Decimal(110)
    )
    world = World(still(), instrument(), coarse)

    def prices(price: str) -> list[str]:
        return [str(one.price) for one in world.price(price) if isinstance(one, e.PriceSet)]

    assert prices("95.06") == ["95.06", "95.1"]
    assert prices("80.5") == ["80.5", "90"]
    assert prices("120") == ["120", "110"]
    refused = world.refuses(c.SetPrice(pair="BTC/USDT", price=Decimal("95.001")))
    assert refused == r.LimitBroken(limit=r.Limit.PRICE_STEP, value=Decimal("95.001"))


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("0", r.Limit.PRICE_RANGE), ("-5", r.Limit.PRICE_RANGE), ("2000000", r.Limit.PRICE_RANGE),
        ("95.001", r.Limit.PRICE_STEP),
    ],
)  # fmt: skip
def test_prices_that_cannot_be(price: str, said: r.Limit) -> None:
    world = World(deep())
    refused = world.refuses(c.SetPrice(pair="BTC/USDT", price=Decimal(price)))
    assert refused == r.LimitBroken(limit=said, value=Decimal(price))
    print_trade = c.PrintTrade(instrument=world.symbol, price=Decimal(price), quantity=Decimal(1))
    assert world.refuses(print_trade) == refused


def test_a_price_that_shifts_too_far_down_is_refused() -> None:
    """The market's moves are added to the shift, and must not make the price nothing."""
    world = World(deep())
    said = world.refuses(c.SetPrice(pair="BTC/USDT", price=Decimal(40), mode=PriceMode.SHIFT))
    assert said == r.LimitBroken(limit=r.Limit.PRICE_RANGE, value=Decimal(40))
    world.price("50", PriceMode.SHIFT)
    world.price("40")


def test_pairs_that_do_not_exist() -> None:
    world = World()
    assert world.refuses(c.SetPrice(pair="X/Y", price=Decimal(1))) == r.UnknownInstrument(instrument="X/Y")
    assert world.refuses(c.SetBook(instrument="X", bids=(), asks=())) == r.UnknownInstrument(instrument="X")
    print_trade = c.PrintTrade(instrument="X", price=Decimal(1), quantity=Decimal(1))
    assert world.refuses(print_trade) == r.UnknownInstrument(instrument="X")


# A book


def test_a_book_replaces_the_markets_levels_and_stays() -> None:
    world = World(moving((-60, "100"), (5, "130"), depth=10))
    world.book([("99.5", "2"), ("99", "3")], [("100.5", "1"), ("101", "4")])
    assert world.depth(BUY) == [("99.5", "2"), ("99", "3")]
    assert world.depth(SELL) == [("100.5", "1"), ("101", "4")]
    assert plain(world.last()) == "100"
    taker = world.buy(world.alice, "2", "101")
    assert world.fills(taker) == [("100.5", "1"), ("101", "1")]
    world.until(3600)
    assert world.depth(SELL) == [("101", "3")], "what was consumed stays consumed"
    world.book([("99.5", "2")], [("100.5", "1")])
    assert world.depth(SELL) == [("100.5", "1")]


def test_a_book_beyond_the_last_price_moves_it() -> None:
    world = World(deep())
    world.book([("120", "1")], [("121", "1")])
    assert plain(world.last()) == "120"
    world.book([], [("80", "1")])
    assert plain(world.last()) == "80"


def test_a_book_fills_what_it_crosses() -> None:
    world = World(deep())
    order = world.buy(world.alice, "5", "95")
    world.book([], [("94", "2"), ("95", "1"), ("95.5", "9")])
    assert world.fills(order) == [("95", "2"), ("95", "1")]
    assert world.depth(SELL) == [("95.5", "9")]
    assert world.depth(BUY) == [("95", "2")]


def test_a_book_by_hand_is_what_post_only_orders_look_at() -> None:
    world = World(deep(), instrument(profile=replaced(PROFILE, spread_steps=100)))
    world.book([("102", "1")], [("102.5", "1")])
    said = world.refuses(world.placing(world.alice, limit(BUY, "1", "102.7", post_only=True)))
    assert said == r.WouldTake()
    assert world.buy(world.alice, "1", "102.4", post_only=True).resting


def test_an_empty_book() -> None:
    world = World(deep())
    world.book([], [])
    assert world.depth(BUY) == world.depth(SELL) == []
    assert touch(world) == ("0", "0")
    assert seen(world.place(world.alice, market(BUY, "1")))[0] == "expired"


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([("99", "1"), ("99", "1")], []),
        ([("98", "1"), ("99", "1")], []),
        ([], [("101", "1"), ("100", "1")]),
        ([("100", "1")], [("100", "1")]),
        ([("101", "1")], [("100", "1")]),
        ([("99", "0")], []),
        ([("99", "0.0001")], []),
        ([("99.001", "1")], []),
    ],
)
def test_books_that_cannot_be(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
    world = World(deep())
    said = world.refuses(c.SetBook(instrument=world.symbol, bids=side(bids), asks=side(asks)))
    assert isinstance(said, r.LimitBroken | r.OrderTermsInvalid)


# A trade


def test_a_printed_trade_fills_what_it_reaches_and_shows_the_rest() -> None:
    world = World(deep())
    better = world.sell(world.bob, "1", "104")
    at = world.sell(world.bob, "1", "105")
    beyond = world.sell(world.bob, "1", "106")
    events = world.prints("105", "2.5")
    assert [seen(one)[0] for one in (better, at, beyond)] == ["filled", "filled", "new"]
    printed = events[-1]
    assert isinstance(printed, e.TradePrinted)
    assert (plain(printed.quantity), plain(printed.price)) == ("0.5", "105")
    assert plain(world.last()) == "105"


def test_a_printed_sale_fills_buyers() -> None:
    world = World(deep())
    order = world.buy(world.bob, "2", "95")
    world.prints("95", "0.5", buyer_is_maker=True)
    assert seen(order)[:2] == ("partially_filled", "0.5")
    world.prints("95", "5", buyer_is_maker=False)
    assert seen(order)[:2] == ("partially_filled", "0.5"), "a buyer who takes reaches sellers only"


def test_a_printed_trade_that_is_used_up_shows_only_the_fill() -> None:
    world = World(deep())
    world.sell(world.bob, "1", "105")
    assert not any(isinstance(one, e.TradePrinted) for one in world.prints("105", "1"))


def test_printed_quantities_are_on_step() -> None:
    world = World(deep())
    for quantity in ("0", "-1", "0.0001"):
        print_trade = c.PrintTrade(instrument=world.symbol, price=Decimal(100), quantity=Decimal(quantity))
        assert isinstance(world.refuses(print_trade), r.LimitBroken)


# What the tape says afterwards


def test_the_tape_of_a_busy_day_agrees_with_itself() -> None:
    script = [(second, str(100 + second % 7), "0.5") for second in range(-60, 400, 3)]
    world = World(moving(*script, alternating=True, depth=5, period_us=10 * SECOND), checked=False)
    for step in range(60):
        world.wait(7 * SECOND + 13)
        match step % 12:
            case 0:
                world.price("110")
            case 3 | 4:
                world.place(world.alice, market(BUY if step % 2 else SELL, "0.7"))
            case 5:
                world.price("90", PriceMode.SHIFT)
            case 6:
                world.prints("95", "0.3", buyer_is_maker=True)
                world.prints("96", "0.3")
            case 8:
                world.does(c.ReleaseMarket(pair="BTC/USDT"))
            case 9:
                world.buy(world.alice, "0.1", "101")
                world.sell(world.bob, "0.2", "99")
            case _:
                pass
    assert_tape_agrees(world.engine, world.symbol, START - MINUTE, world.now)
    assert world.replayed().fingerprint() == world.engine.fingerprint()


def test_trade_ids_count_every_trade_once() -> None:
    world = World(moving((-60, "100"), (5, "101"), (6, "102"), depth=5))
    world.place(world.alice, market(BUY, "1.5"))
    world.until(7)
    world.prints("103", "1")
    with exact():
        tape = world.engine.state.markets[world.symbol].trades(1, 100, world.now)
    assert [(entry.id, plain(entry.price)) for entry in tape] == [
        (1, "100"), (2, "100"), (3, "101"), (4, "101"), (5, "102"), (6, "103"),
    ]  # fmt: skip
    assert [fill.trade for fill in world.engine.views.fills[world.alice, world.symbol]] == [2, 3]


def test_an_empty_minute_after_a_trade_by_hand_repeats_its_price() -> None:
    world = World(moving((-600, "100"), (600, "50")))
    world.prints("120", "1")
    world.wait(5 * MINUTE)
    with exact():
        candles = world.engine.state.markets[world.symbol].candles(
            MINUTE, START - MINUTE, world.now, world.now
        )
    assert [(plain(candle.open), plain(candle.close), candle.trades) for candle in candles] == [
        ("100", "100", 0), ("120", "120", 1), *[("120", "120", 0)] * 5,
    ]  # fmt: skip


def test_one_command_may_be_many_trades_at_one_price() -> None:
    world = World()
    for _ in range(3):
        world.sell(world.bob, "1", "101")
    taker = world.place(world.alice, limit(BUY, "3", "101"))
    assert world.fills(taker) == [("101", "1")] * 3
