"""What an instrument does not let through, each with the rejection that names it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.instruments import InstrumentStatus, Side, TimeInForce
from emulator.core.numbers import DIGITS_MAX
from emulator.core.order_lists import ListKind
from emulator.core.orders import OrderTerms, PegSide
from emulator.core.rejections import Feature, Limit
from tests.core.world import (
    MINUTE,
    SPOT,
    World,
    deep,
    instrument,
    limit,
    market,
    moving,
    peg,
    plain,
    profit,
    replaced,
    stop,
)

BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("listed", "terms", "broken"),
    [
        ({"price_min": "10"}, limit(BUY, "1", "9.99"), Limit.PRICE_RANGE),
        ({"price_max": "200"}, limit(SELL, "1", "200.01"), Limit.PRICE_RANGE),
        ({"price_max": "200"}, market(SELL, "1", trigger=profit("200.01")), Limit.PRICE_RANGE),
        ({"price_step": "0.05"}, limit(BUY, "1", "9.99"), Limit.PRICE_STEP),
        ({"price_step": "0.05"}, limit(BUY, "1", "120", trigger=stop("120.01")), Limit.PRICE_STEP),
        ({"quantity_min": "1"}, limit(BUY, "0.5", "90"), Limit.QUANTITY_RANGE),
        ({"quantity_max": "2"}, limit(BUY, "2.001", "90"), Limit.QUANTITY_RANGE),
        ({"quantity_max": "2"}, market(BUY, "2.001"), Limit.QUANTITY_RANGE),
        ({"quantity_step": "0.1"}, limit(BUY, "0.25", "90"), Limit.QUANTITY_STEP),
        ({"quantity_step": "2", "quantity_min": "1"}, limit(BUY, "2", "90"), Limit.QUANTITY_STEP),
        ({"market_quantity_min": "1"}, market(BUY, "0.5"), Limit.MARKET_QUANTITY_RANGE),
        ({"market_quantity_max": "2"}, market(BUY, "3"), Limit.MARKET_QUANTITY_RANGE),
        ({"market_quantity_max": "2"}, market(BUY, "3", trigger=stop("110")), Limit.MARKET_QUANTITY_RANGE),
        ({"market_quantity_step": "0.5"}, market(BUY, "0.7"), Limit.MARKET_QUANTITY_STEP),
        ({"notional_min": "50"}, limit(BUY, "0.5", "99.98"), Limit.NOTIONAL),
        ({"notional_max": "50"}, limit(BUY, "0.5", "100.02"), Limit.NOTIONAL),
        ({"notional_min": "50"}, market(BUY, "0.499"), Limit.NOTIONAL),
        ({"notional_min": "50"}, market(BUY, budget="49.99"), Limit.NOTIONAL),
        (
            {"notional_max": "50", "notional_max_applies_to_market": True},
            market(BUY, "0.501"),
            Limit.NOTIONAL,
        ),
        ({"bid_multiplier_up": "1.1"}, limit(BUY, "1", "110.01"), Limit.PRICE_BAND),
        ({"bid_multiplier_down": "0.9"}, limit(BUY, "1", "89.99"), Limit.PRICE_BAND),
        ({"ask_multiplier_up": "1.1"}, limit(SELL, "1", "110.01"), Limit.PRICE_BAND),
        ({"ask_multiplier_down": "0.9"}, limit(SELL, "1", "89.99"), Limit.PRICE_BAND),
        ({"position_max": "1000001"}, limit(BUY, "1.001", "90"), Limit.POSITION),
    ],
)
def test_figures(listed: dict[str, Any], terms: OrderTerms, broken: Limit) -> None:
    world = World(deep(), instrument(**listed))
    said = world.refuses(world.placing(world.alice, terms))
    assert isinstance(said, r.LimitBroken)
    assert said.limit is broken
    test = c.TestOrder(account=world.alice, wallet=SPOT, instrument=world.symbol, terms=terms)
    assert world.refuses(test) == said


@pytest.mark.parametrize(
    ("listed", "terms"),
    [
        ({"price_min": "10", "price_max": "200"}, limit(BUY, "1", "10")),
        ({"quantity_min": "0.5", "quantity_max": "2"}, limit(BUY, "2", "90")),
        ({"quantity_step": "2", "quantity_min": "1"}, limit(BUY, "3", "90")),
        ({"market_quantity_max": "2"}, limit(BUY, "3", "90")),
        ({"notional_min": "50"}, limit(BUY, "0.5", "100")),
        ({"notional_min": "50", "notional_min_applies_to_market": False}, market(BUY, "0.1")),
        ({"notional_max": "50"}, market(BUY, "0.6")),
        ({"bid_multiplier_up": "1.1"}, limit(SELL, "1", "200")),
        ({"bid_multiplier_up": "1.1"}, limit(BUY, "1", "110")),
        ({"bid_multiplier_up": "1.1"}, market(BUY, "5")),
        ({"position_max": "1000001"}, limit(BUY, "1", "90")),
        ({"position_max": "1"}, limit(SELL, "1", "110")),
    ],
)
def test_figures_that_fit(listed: dict[str, Any], terms: OrderTerms) -> None:
    world = World(deep(), instrument(**listed))
    world.place(world.alice, terms)


def test_open_buys_count_towards_the_position() -> None:
    world = World(deep(), instrument(position_max="1000003"))
    world.buy(world.alice, "2", "90")
    world.sell(world.alice, "100", "190")
    said = world.refuses(world.placing(world.alice, limit(BUY, "1.001", "90")))
    assert said == r.LimitBroken(limit=Limit.POSITION)
    world.buy(world.alice, "1", "90")


@pytest.mark.parametrize(
    ("listed", "terms", "broken"),
    [
        ("orders_max", limit(BUY, "1", "50"), Limit.ORDERS),
        ("trigger_orders_max", market(SELL, "1", trigger=stop("80")), Limit.TRIGGER_ORDERS),
        ("iceberg_orders_max", limit(BUY, "1", "50", iceberg="0.1"), Limit.ICEBERG_ORDERS),
    ],
)
def test_counts_of_open_orders(listed: str, terms: OrderTerms, broken: Limit) -> None:
    world = World(deep(), instrument(**{listed: 2}))
    first = world.place(world.alice, terms)
    world.place(world.alice, terms)
    assert world.refuses(world.placing(world.alice, terms)) == r.LimitBroken(limit=broken)
    world.place(world.bob, terms)
    world.cancel(first)
    world.place(world.alice, terms)


def test_lists_count_and_so_do_their_legs() -> None:
    legs = (limit(SELL, "1", "110", post_only=True), market(SELL, "1", trigger=stop("90")))
    world = World(deep(), instrument(order_lists_max=1))
    world.place_list(world.alice, ListKind.OCO, *legs)
    said = world.refuses(world.placing_list(world.alice, ListKind.OCO, *legs))
    assert said == r.LimitBroken(limit=Limit.ORDER_LISTS)
    world = World(deep(), instrument(orders_max=2))
    world.buy(world.alice, "1", "50")
    said = world.refuses(world.placing_list(world.alice, ListKind.OCO, *legs))
    assert said == r.LimitBroken(limit=Limit.ORDERS)


@pytest.mark.parametrize(
    ("listed", "terms", "feature"),
    [
        ("market_orders", market(BUY, "1"), Feature.MARKET),
        ("quote_quantity_orders", market(BUY, budget="100"), Feature.QUOTE_QUANTITY),
        ("trigger_orders", market(BUY, "1", trigger=stop("110")), Feature.TRIGGER),
        ("trailing_orders", market(BUY, "1", trigger=stop(trailing=100)), Feature.TRAILING),
        ("iceberg_orders", limit(BUY, "1", "50", iceberg="0.1"), Feature.ICEBERG),
        ("pegged_orders", limit(BUY, "1", None, peg=peg(PegSide.PRIMARY)), Feature.PEG),
    ],
)
def test_features_that_are_off(listed: str, terms: OrderTerms, feature: Feature) -> None:
    world = World(deep(), instrument(**{listed: False}))
    assert world.refuses(world.placing(world.alice, terms)) == r.FeatureOff(feature=feature)


@pytest.mark.parametrize(
    "terms",
    [
        limit(BUY, "0", "90"),
        limit(BUY, "-1", "90"),
        market(BUY, "0"),
        limit(BUY, "1", "0.00"),
        limit(BUY, "1", "-5"),
    ],
)
def test_nothing_and_less(terms: OrderTerms) -> None:
    world = World(deep(), instrument(price_min="0", quantity_min="0"))
    said = world.refuses(world.placing(world.alice, terms))
    assert isinstance(said, r.NotionalZero | r.LimitBroken)


FINE = limit(BUY, "1", "90")


@pytest.mark.parametrize(
    "terms",
    [
        replaced(FINE, price=None),
        replaced(FINE, quantity=None),
        replaced(FINE, quote_quantity=Decimal(5)),
        replaced(FINE, post_only=True, time_in_force=TimeInForce.IOC),
        replaced(FINE, iceberg_quantity=Decimal("0.1"), time_in_force=TimeInForce.FOK),
        replaced(FINE, peg=peg(PegSide.PRIMARY, -1)),
        replaced(FINE, trigger=stop()),
        market(BUY),
        market(BUY, "1", budget="100"),
        market(BUY, budget="0"),
        replaced(market(BUY, "1"), price=Decimal(90)),
        replaced(market(BUY, "1"), post_only=True),
        replaced(market(BUY, "1"), iceberg_quantity=Decimal("0.1")),
        replaced(market(BUY, "1"), peg=peg(PegSide.MARKET)),
    ],
)
def test_terms_that_mean_nothing(terms: OrderTerms) -> None:
    world = World(deep())
    assert isinstance(world.refuses(world.placing(world.alice, terms)), r.OrderTermsInvalid)


HUGE = "9" * DIGITS_MAX
TINY = "0." + "0" * (DIGITS_MAX - 2) + "1"


@pytest.mark.parametrize(
    "terms",
    [
        limit(BUY, HUGE, HUGE),
        limit(SELL, HUGE, "0.01"),
        limit(BUY, "1", HUGE),
        market(BUY, HUGE),
        market(SELL, budget=HUGE),
        market(BUY, budget=HUGE),
        market(SELL, budget=TINY),
        limit(BUY, TINY, "90"),
        market(SELL, HUGE, trigger=stop("90")),
    ],
)
@pytest.mark.parametrize("is_unlimited", [False, True])
def test_numbers_as_long_as_a_wire_lets_through(terms: OrderTerms, is_unlimited: bool) -> None:
    unlimited = {"quantity_max": "0", "price_max": "0", "quantity_min": "0", "price_min": "0"}
    world = World(deep(), instrument(**unlimited if is_unlimited else {}))
    world.do(world.placing(world.alice, terms))


@pytest.mark.parametrize("status", [InstrumentStatus.HALTED, InstrumentStatus.CANCEL_ONLY])
def test_an_instrument_that_does_not_trade(status: InstrumentStatus) -> None:
    world = World(deep(), instrument(status=status))
    said = r.InstrumentNotTrading(instrument=world.symbol)
    assert world.refuses(world.placing(world.alice, FINE)) == said
    assert world.refuses(world.placing_list(world.alice, ListKind.OTO, FINE, FINE)) == said


def test_what_does_not_exist() -> None:
    world = World(deep())
    placing = world.placing(world.alice, FINE)
    assert world.refuses(replaced(placing, account=9)) == r.UnknownAccount(account=9)
    assert world.refuses(replaced(placing, instrument="X")) == r.UnknownInstrument(instrument="X")
    assert world.refuses(replaced(placing, wallet="moon")) == r.UnknownWallet(wallet="moon")
    listing = world.placing_list(world.alice, ListKind.OTO, FINE, FINE)
    assert world.refuses(replaced(listing, account=9)) == r.UnknownAccount(account=9)
    assert world.refuses(replaced(listing, instrument="X")) == r.UnknownInstrument(instrument="X")
    assert world.refuses(replaced(listing, wallet="moon")) == r.UnknownWallet(wallet="moon")


def test_an_order_in_another_wallet() -> None:
    world = World(deep())
    lent = c.Transfer(account=world.alice, asset="USDT", amount=Decimal(90), source=SPOT, target="funding")
    world.does(lent)
    world.does(replaced(world.placing(world.alice, FINE), wallet="funding"))
    balance = world.engine.state.ledger.wallets[world.alice, "funding"]["USDT"]
    assert (plain(balance.free), plain(balance.held)) == ("0", "90")


# The reference price


def test_the_band_lies_around_the_average_of_the_last_minutes() -> None:
    script = [(-600, "50", "100"), (-200, "100", "3"), (-100, "200", "1"), (0, "500", "9")]
    listed = instrument(bid_multiplier_up="2", reference_minutes=5)
    world = World(moving(*script), listed)
    average = Decimal(125)  # (3 * 100 + 1 * 200) / 4; what happens in the current second does not count yet
    world.buy(world.alice, "1", str(2 * average))
    said = world.refuses(world.placing(world.alice, limit(BUY, "1", str(2 * average + Decimal("0.01")))))
    most = 2 * average
    assert said == r.LimitBroken(limit=Limit.PRICE_BAND, value=most + Decimal("0.01"), bound=most)


def test_without_trades_the_band_lies_around_the_last_price() -> None:
    world = World(moving((-3600, "100")), instrument(bid_multiplier_up="2"))
    world.buy(world.alice, "1", "200")


def test_a_price_set_by_hand_moves_the_band_at_once() -> None:
    world = World(moving((-60, "100")), instrument(bid_multiplier_down="0.5", bid_multiplier_up="1.1"))
    world.price("10")
    world.buy(world.alice, "1", "9")
    world.wait(MINUTE)
    world.buy(world.alice, "1", "9")
