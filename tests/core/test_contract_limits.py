"""How far, how much and how many: what a contract allows to orders. Figures are reckoned beside each."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from emulator.core import rejections as r
from emulator.core.contracts import PremiumBand
from emulator.core.instruments import Outcome, Side, TimeInForce
from emulator.core.orders import EndReason, OrderStatus, PegSide
from emulator.core.rejections import Limit
from tests.core.futures import BTC, BTC_COIN
from tests.core.world import (
    SECOND,
    World,
    deep,
    limit,
    market,
    peg,
    perpetual,
    plain,
    profit,
    seen,
    still,
    stop,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def pit(feed: Any = None, contract: Any = BTC, **changes: Any) -> World:
    return World(feed or still(), perpetual(contract, **changes))


# How far: bands around the mark


def test_a_buy_may_not_be_above_the_mark_and_a_sell_not_below_it_by_more_than_the_band() -> None:
    """A twentieth of the mark of 100, whatever the last price is."""
    world = pit(bid_multiplier_up="1.05", ask_multiplier_down="0.95")
    world.prints("104", "0.001")
    refused = world.refuses(world.placing(world.alice, limit(BUY, "1", "105.1")))
    assert refused == r.LimitBroken(limit=Limit.PRICE_BAND, value=D("105.1"), bound=D(105))
    refused = world.refuses(world.placing(world.alice, limit(SELL, "1", "94.9")))
    assert refused == r.LimitBroken(limit=Limit.PRICE_BAND, value=D("94.9"), bound=D(95))
    world.buy(world.alice, "1", "1")
    world.sell(world.alice, "1", "200")
    world.buy(world.alice, "1", "105")


@pytest.mark.parametrize(
    ("bid", "ask", "waited", "highest", "lowest"),
    [
        # Mark and index 100, nothing apart: a twentieth.
        (None, None, 0, "105", "95"),
        # A book around 130 since half a minute: the mark is 130, and was 14.5 below on average (from 29 down
        # to 0 in 30 looks). 130 x 1.05 + 14.5; and the index, but no further than 130 x 0.8.
        ("129", "131", 30, "151", "104"),
        # A minute: the mark is there. 130 x 1.05.
        ("129", "131", 60, "136.5", "104"),
        # A book around 70: the index, no further than 70 x 1.2; 70 x 0.95 - 14.5 = 52, no further than 56.
        ("69", "71", 30, "84", "56"),
        ("69", "71", 60, "84", "66.5"),
        # Of 100.5 the index is within.
        ("100.4", "100.6", 60, "105.5", "95.5"),
    ],
)
def test_where_the_book_stands_leaves_room_for_prices(
    bid: str | None, ask: str | None, waited: int, highest: str, lowest: str
) -> None:
    """min(mark x 1.2, max(index, mark x 1.05 + premium)) for buys, where a premium below zero is none."""
    contract = replace(BTC, funding_hours=0, band=PremiumBand(seconds=30, hard=D("0.2")))
    world = pit(still(), contract, bid_multiplier_up="1.05", ask_multiplier_down="0.95")
    if bid is not None and ask is not None:
        world.book([(bid, "1000")], [(ask, "1000")])
    world.wait(waited * SECOND)
    for side, bound, beyond in ((BUY, highest, D("0.1")), (SELL, lowest, D("-0.1"))):
        world.place(world.alice, limit(side, "0.001", bound))
        for price in (D(bound) + beyond, D(bound) + 100 * beyond):
            refused = world.refuses(world.placing(world.alice, limit(side, "0.001", str(price))))
            assert isinstance(refused, r.LimitBroken)
            assert (refused.limit, refused.value) == (Limit.PRICE_BAND, price)
            assert refused.bound is not None
            assert abs(refused.bound - D(bound)) < D("0.1")


def test_an_order_at_market_takes_up_to_the_bound_and_no_further() -> None:
    """Asks at 100, 101, … of one each; 3 % above the mark of 100 is 103."""
    world = pit(deep("100"), replace(BTC, take_bound=D("0.03")))
    order = world.place(world.alice, market(BUY, "7"))
    assert [price for price, _ in world.fills(order)] == ["100", "101", "102", "103"]
    assert (order.status, order.end_reason) == (OrderStatus.EXPIRED, EndReason.NO_LIQUIDITY)


def test_an_order_at_market_is_refused_if_the_best_price_is_beyond_the_bound() -> None:
    world = pit(still(), replace(BTC, take_bound=D("0.03")))
    world.sell(world.bob, "1", "103.1")
    refused = world.refuses(world.placing(world.alice, market(BUY, "1")))
    assert refused == r.LimitBroken(limit=Limit.TAKE_BOUND, value=D("103.1"), bound=D(103))
    world.buy(world.bob, "1", "96.9")
    refused = world.refuses(world.placing(world.alice, market(SELL, "1")))
    assert refused == r.LimitBroken(limit=Limit.TAKE_BOUND, value=D("96.9"), bound=D(97))
    # A limit order says itself how far it goes, and one that waited only expires.
    waited = world.place(world.alice, market(BUY, "1", trigger=stop("103")))
    world.buy(world.alice, "0.5", "103.1")
    assert (waited.status, waited.end_reason) == (OrderStatus.EXPIRED, EndReason.NO_LIQUIDITY)
    # Where there is nobody at all, there is no price to complain of.
    empty = pit(still(), replace(BTC, take_bound=D("0.03")))
    assert empty.place(empty.alice, market(BUY, "1")).end_reason is EndReason.NO_LIQUIDITY


# How much


def test_the_smallest_notional_is_not_asked_of_what_only_reduces() -> None:
    world = pit(deep("100"), notional_min="50")
    refused = world.refuses(world.placing(world.alice, limit(BUY, "0.499", "100")))
    assert refused == r.LimitBroken(limit=Limit.NOTIONAL, value=D("49.9"), bound=D(50))
    refused = world.refuses(world.placing(world.alice, market(BUY, "0.499")))
    assert isinstance(refused, r.LimitBroken)
    world.place(world.alice, market(BUY, "0.5"))
    refused = world.refuses(world.placing(world.alice, market(SELL, "0.1")))
    assert isinstance(refused, r.LimitBroken)
    world.place(world.alice, market(SELL, "0.1", reduce_only=True))
    world.sell(world.alice, "0.1", "110", reduce_only=True)


def test_orders_at_market_have_limits_of_their_own() -> None:
    world = pit(deep("100"), market_quantity_max="2", market_quantity_step="0.01")
    refused = world.refuses(world.placing(world.alice, market(BUY, "2.01")))
    assert refused == r.LimitBroken(limit=Limit.MARKET_QUANTITY_RANGE, value=D("2.01"))
    refused = world.refuses(world.placing(world.alice, market(BUY, "1.001")))
    assert refused == r.LimitBroken(limit=Limit.MARKET_QUANTITY_STEP, value=D("1.001"))
    world.buy(world.alice, "2.011", "90")


# How many


def test_what_is_active_and_what_waits_are_counted_apart() -> None:
    world = pit(orders_max=2, trigger_orders_max=1)
    waiting = market(BUY, "1", trigger=stop("110"))
    world.place(world.alice, waiting)
    refused = world.refuses(world.placing(world.alice, waiting))
    assert refused == r.LimitBroken(limit=Limit.TRIGGER_ORDERS)
    world.buy(world.alice, "1", "90")
    last = world.buy(world.alice, "1", "90")
    refused = world.refuses(world.placing(world.alice, limit(BUY, "1", "90")))
    assert refused == r.LimitBroken(limit=Limit.ORDERS)
    world.cancel(last)
    # One that was triggered counts as what it is now.
    triggered = world.buy(world.alice, "1", "90", trigger=None)
    world.cancel(triggered)
    world.prints("110", "0.001")
    world.place(world.alice, market(BUY, "1", trigger=stop("120")))


def test_what_waits_may_be_counted_over_all_contracts_of_a_wallet() -> None:
    listed = [
        perpetual(BTC, symbol=symbol, base=symbol, trigger_orders_max=2, trigger_orders_shared=True)
        for symbol in ("AAA", "BBB")
    ]
    other = perpetual(BTC_COIN, trigger_orders_max=2, trigger_orders_shared=True)
    world = World(still(), *listed, other)
    waiting = market(BUY, "1", trigger=stop("110"))
    world.place(world.alice, waiting)
    world.symbol = "BBB"
    world.place(world.alice, waiting)
    for symbol in ("AAA", "BBB"):
        world.symbol = symbol
        refused = world.refuses(world.placing(world.alice, waiting))
        assert refused == r.LimitBroken(limit=Limit.TRIGGER_ORDERS)
    world.symbol = other.symbol
    world.place(world.alice, waiting)


def test_one_order_of_a_kind_may_wait_to_close_a_position() -> None:
    """Codes of the exchange: -4130, an open stop or take profit order with closePosition exists."""
    world = pit(deep("100"), replace(BTC, closing_orders_max=1))
    world.place(world.alice, market(BUY, "1"))
    stopping = market(SELL, trigger=stop("90"), close_position=True)
    first = world.place(world.alice, stopping)
    refused = world.refuses(world.placing(world.alice, stopping))
    assert refused == r.LimitBroken(limit=Limit.CLOSING_ORDERS)
    world.place(world.alice, market(SELL, trigger=profit("120"), close_position=True))
    world.place(world.alice, market(BUY, trigger=stop("120"), close_position=True))
    world.place(world.alice, market(SELL, "1", trigger=stop("90"), reduce_only=True))
    world.cancel(first)
    world.place(world.alice, stopping)


# At whose price


@pytest.mark.parametrize(
    ("side", "of", "levels", "price"),
    [
        (BUY, PegSide.MARKET, 0, "100"),
        (BUY, PegSide.MARKET, 4, "104"),
        (BUY, PegSide.PRIMARY, 0, "99"),
        (BUY, PegSide.PRIMARY, 4, "95"),
        (SELL, PegSide.MARKET, 0, "99"),
        (SELL, PegSide.MARKET, 9, "90"),
        (SELL, PegSide.PRIMARY, 0, "100"),
        (SELL, PegSide.PRIMARY, 9, "109"),
    ],
)
def test_a_price_may_be_matched_with_a_level_of_the_book(
    side: Side, of: PegSide, levels: int, price: str
) -> None:
    """Binance FAQ "Understanding and Using BBO Orders on Binance Futures": counterparty 5 of a buy is the
    fifth lowest ask, queue 5 the fifth highest bid."""
    world = pit(deep("100"))
    order = world.place(world.alice, limit(side, "0.5", None, peg=peg(of, levels)))
    assert order.price == D(price)


def test_without_such_a_level_there_is_no_price() -> None:
    world = pit(deep("100"))
    terms = limit(BUY, "0.5", None, peg=peg(PegSide.MARKET, 19))
    assert world.refuses(world.placing(world.alice, terms)) == r.NoPegLevel()


def test_what_waits_is_matched_when_it_is_triggered() -> None:
    world = pit(deep("100"))
    order = world.place(
        world.alice, limit(BUY, "0.5", None, peg=peg(PegSide.PRIMARY, 4), trigger=stop("110"))
    )
    world.price("110")
    # A price that was set above is the best bid: 110, 109, 108, 107, 106.
    assert (seen(order)[0], order.price) == ("new", D(106))


# Only if nobody is there, or only if somebody is


@pytest.mark.parametrize("outcome", Outcome)
def test_an_order_that_may_only_rest_is_refused_or_expires(outcome: Outcome) -> None:
    world = pit(deep("100"), post_only_failure=outcome)
    terms = limit(BUY, "0.5", "100", post_only=True)
    if outcome is Outcome.REFUSE:
        assert world.refuses(world.placing(world.alice, terms)) == r.WouldTake()
    else:
        order = world.place(world.alice, terms)
        assert (order.status, order.end_reason) == (OrderStatus.EXPIRED, EndReason.WOULD_TAKE)


@pytest.mark.parametrize("outcome", Outcome)
def test_an_order_of_all_or_nothing_is_refused_or_expires(outcome: Outcome) -> None:
    world = pit(deep("100"), fill_or_kill_failure=outcome)
    terms = limit(BUY, "1.5", "100", tif=TimeInForce.FOK)
    if outcome is Outcome.REFUSE:
        assert world.refuses(world.placing(world.alice, terms)) == r.WouldNotFill()
    else:
        order = world.place(world.alice, terms)
        assert (order.end_reason, plain(order.executed)) == (EndReason.UNFILLED_ALL_OR_NOTHING, "0")
