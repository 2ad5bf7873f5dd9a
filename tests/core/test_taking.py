"""Orders that trade at once, or not: limit, market, immediate-or-cancel, fill-or-kill, post-only."""

from __future__ import annotations

from decimal import Decimal

import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.instruments import Outcome, Side, TimeInForce
from emulator.core.orders import EndReason
from tests.core.world import SECOND, World, deep, instrument, limit, market, moving, seen

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


@pytest.mark.parametrize(
    ("side", "price", "quantity", "fills", "status"),
    [
        (BUY, "99.99", "1", [], "new"),
        (BUY, "100", "0.4", [("100", "0.4")], "filled"),
        (BUY, "100", "1", [("100", "1")], "filled"),
        (BUY, "100", "1.5", [("100", "1")], "partially_filled"),
        (BUY, "102", "2.5", [("100", "1"), ("101", "1"), ("102", "0.5")], "filled"),
        (BUY, "1000", "11", [(str(100 + k), "1") for k in range(10)], "partially_filled"),
        (SELL, "99.01", "1", [], "new"),
        (SELL, "99", "0.4", [("99", "0.4")], "filled"),
        (SELL, "98", "2.5", [("99", "1"), ("98", "1")], "partially_filled"),
    ],
)
def test_a_limit_order_takes_up_to_its_price_and_rests(
    side: Side, price: str, quantity: str, fills: list[tuple[str, str]], status: str
) -> None:
    world = World(deep())
    order = world.place(world.alice, limit(side, quantity, price))
    assert world.fills(order) == fills
    assert order.status.value == status
    assert order.resting is (status != "filled")


def test_better_prices_first_then_older_orders() -> None:
    world = World()
    carol = world.open("carol")
    late = world.sell(world.bob, "1", "102")
    second = world.sell(carol, "1", "101")
    third = world.sell(world.bob, "1", "101")
    taker = world.buy(world.alice, "2.5", "102")
    assert world.fills(taker) == [("101", "1"), ("101", "1"), ("102", "0.5")]
    assert [seen(one)[:2] for one in (second, third, late)] == [
        ("filled", "1"), ("filled", "1"), ("partially_filled", "0.5"),
    ]  # fmt: skip
    assert world.free(world.alice, "BTC") == 1_000_002 + Decimal("0.5")
    assert world.free(world.alice, "USDT") == 1_000_000 - Decimal("253")


def test_accounts_and_the_market_share_a_level_by_time() -> None:
    """The market's quantity at 100 appeared at second 0: who rests there since before is served first."""
    world = World(moving((-60, "90"), (0, "100"), depth=3, period_us=60 * SECOND))
    world.now -= SECOND
    early = world.sell(world.bob, "1", "101")
    world.until(1)
    late = world.sell(world.bob, "1", "101")
    taker = world.buy(world.alice, "4", "101")
    events = [one for one in world.history[-1][1] if isinstance(one, e.TradeExecuted)]
    assert [(one.maker, str(one.price)) for one in events] == [
        (0, "100"), (early.id, "101"), (0, "101"), (late.id, "101"),
    ]  # fmt: skip
    assert seen(taker)[0] == "filled"


def test_the_taker_gets_the_makers_price_and_its_hold_back() -> None:
    world = World()
    world.sell(world.bob, "1", "90")
    world.buy(world.alice, "1", "100")
    assert world.free(world.alice, "USDT") == 1_000_000 - 90
    assert not world.held(world.alice, "USDT")
    assert world.last() == 90


def test_resting_orders_hold_what_they_may_cost() -> None:
    world = World()
    buy = world.buy(world.alice, "2", "50")
    sell = world.sell(world.alice, "3", "200")
    assert world.held(world.alice, "USDT") == 100
    assert world.held(world.alice, "BTC") == 3
    world.cancel(buy)
    world.cancel(sell)
    assert not world.held(world.alice, "USDT")
    assert not world.held(world.alice, "BTC")


@pytest.mark.parametrize("tif", [IOC, FOK])
@pytest.mark.parametrize("quantity", ["1", "2", "3"])
def test_what_cannot_be_filled_at_once_ends(tif: TimeInForce, quantity: str) -> None:
    world = World(deep(depth=2))
    order = world.buy(world.alice, quantity, "1000", tif=tif)
    if quantity != "3":
        assert seen(order)[:2] == ("filled", quantity)
    elif tif is IOC:
        assert seen(order)[:2] == ("expired", "2")
        assert order.end_reason is EndReason.UNFILLED_IMMEDIATE
    else:
        assert seen(order)[:2] == ("expired", "0")
        assert order.end_reason is EndReason.UNFILLED_ALL_OR_NOTHING
        assert world.depth(SELL) == [("100", "1"), ("101", "1")]
    assert not world.held(world.alice, "USDT")


@pytest.mark.parametrize("tif", [IOC, FOK])
def test_beyond_the_market_they_end_without_a_trade(tif: TimeInForce) -> None:
    world = World(deep())
    order = world.buy(world.alice, "1", "99.5", tif=tif)
    assert seen(order)[:2] == ("expired", "0")


@pytest.mark.parametrize("price", ["99.5", "100"])
def test_fill_or_kill_may_be_a_refusal(price: str) -> None:
    world = World(deep(), instrument(fill_or_kill_failure=Outcome.REFUSE))
    refused = world.refuses(world.placing(world.alice, limit(BUY, "1.5", price, tif=FOK)))
    assert refused == r.WouldNotFill()
    assert seen(world.buy(world.alice, "1.5", "101", tif=FOK))[0] == "filled"


def test_post_only_that_would_take_is_refused() -> None:
    world = World(deep())
    assert world.refuses(world.placing(world.alice, limit(BUY, "1", "100", post_only=True))) == r.WouldTake()
    assert world.refuses(world.placing(world.alice, limit(SELL, "1", "99", post_only=True))) == r.WouldTake()
    assert world.buy(world.alice, "1", "99.99", post_only=True).resting


def test_post_only_that_would_take_may_be_accepted_and_end() -> None:
    world = World(deep(), instrument(post_only_failure=Outcome.EXPIRE))
    order = world.buy(world.alice, "1", "100", post_only=True)
    assert (seen(order)[0], order.end_reason) == ("expired", EndReason.WOULD_TAKE)
    assert not world.held(world.alice, "USDT")


def test_post_only_sees_orders_of_accounts_too() -> None:
    world = World()
    world.sell(world.bob, "1", "95")
    assert world.refuses(world.placing(world.alice, limit(BUY, "1", "95", post_only=True))) == r.WouldTake()


def test_consumed_levels_do_not_stand_in_the_way() -> None:
    world = World(deep())
    world.buy(world.alice, "1", "100")
    assert world.buy(world.bob, "1", "100", post_only=True).resting


# At market


def test_market_by_quantity() -> None:
    world = World(deep())
    buy = world.place(world.alice, market(BUY, "2.5"))
    assert world.fills(buy) == [("100", "1"), ("101", "1"), ("102", "0.5")]
    assert buy.executed_amount == 252
    sell = world.place(world.alice, market(SELL, "1.5"))
    assert world.fills(sell) == [("99", "1"), ("98", "0.5")]
    assert not world.held(world.alice, "USDT")
    assert not world.held(world.alice, "BTC")


def test_market_beyond_the_book_ends() -> None:
    world = World(deep(depth=2))
    order = world.place(world.alice, market(BUY, "5"))
    assert seen(order)[:2] == ("expired", "2")
    assert order.end_reason is EndReason.NO_LIQUIDITY


def test_market_on_an_empty_book_ends_without_a_trade() -> None:
    world = World()
    order = world.place(world.alice, market(BUY, "1"))
    assert (seen(order)[:2], order.end_reason) == (("expired", "0"), EndReason.NO_LIQUIDITY)


@pytest.mark.parametrize(
    ("side", "budget", "fills"),
    [
        (BUY, "100", [("100", "1")]),
        (BUY, "50.04", [("100", "0.5")]),
        (BUY, "200", [("100", "1"), ("101", "0.99")]),
        (SELL, "99", [("99", "1")]),
        (SELL, "150", [("99", "1"), ("98", "0.52")]),
    ],
)
def test_market_by_quote_quantity(side: Side, budget: str, fills: list[tuple[str, str]]) -> None:
    """As much as the amount buys in whole steps; the quantity of the order is what it came to."""
    world = World(deep())
    order = world.place(world.alice, market(side, budget=budget))
    assert world.fills(order) == fills
    assert order.quantity == order.executed
    assert order.status.value == "filled"
    assert order.executed_amount <= Decimal(budget)


def test_a_budget_that_outlasts_the_book_expires() -> None:
    world = World(deep(depth=2))
    order = world.place(world.alice, market(BUY, budget="1000"))
    assert world.fills(order) == [("100", "1"), ("101", "1")]
    assert order.status.value == "expired"
    assert order.quantity is not None
    assert order.quantity > order.executed


def test_a_budget_below_one_step_is_refused() -> None:
    world = World(deep())
    assert world.refuses(world.placing(world.alice, market(BUY, budget="0.09"))) == r.BookTooThin()


def test_steps_of_market_orders_bind_budgets() -> None:
    world = World(deep(), instrument(market_quantity_step="0.1"))
    order = world.place(world.alice, market(BUY, budget="55"))
    assert order.executed == Decimal("0.5")


# Funds


@pytest.mark.parametrize(
    ("side", "quantity", "price", "asset", "needed"),
    [(BUY, "1.001", "1000", "USDT", "1001"), (SELL, "1000.001", "2000", "BTC", "1000.001")],
)
def test_a_limit_order_needs_its_hold(side: Side, quantity: str, price: str, asset: str, needed: str) -> None:
    world = World(funds="1000")
    refused = world.refuses(world.placing(world.alice, limit(side, quantity, price)))
    assert refused == r.InsufficientBalance(asset=asset, needed=Decimal(needed), available=Decimal(1000))


def test_held_funds_are_not_there_twice() -> None:
    world = World(funds="1000")
    world.buy(world.alice, "6", "100")
    assert isinstance(
        world.refuses(world.placing(world.alice, limit(BUY, "4.001", "100"))), r.InsufficientBalance
    )
    assert world.buy(world.alice, "4", "100").resting


def test_a_market_order_needs_what_all_of_it_costs() -> None:
    world = World(deep(), funds="200")
    assert isinstance(world.refuses(world.placing(world.alice, market(BUY, "2"))), r.InsufficientBalance)
    assert isinstance(
        world.refuses(world.placing(world.alice, market(BUY, budget="200.01"))), r.InsufficientBalance
    )
    assert isinstance(world.refuses(world.placing(world.alice, market(SELL, "201"))), r.InsufficientBalance)
    assert seen(world.place(world.alice, market(BUY, "1.99")))[0] == "filled"


def test_an_empty_wallet_never_heard_of_the_asset() -> None:
    world = World(deep(), funds="0")
    assert isinstance(
        world.refuses(world.placing(world.alice, limit(SELL, "1", "99"))), r.InsufficientBalance
    )
    assert world.engine.state.ledger.wallets[world.alice, "spot"] == {}


def test_a_test_of_an_order_changes_nothing() -> None:
    world = World(deep())
    before = world.engine.fingerprint()
    placing = world.placing(world.alice, limit(BUY, "1", "100"))
    tested = c.TestOrder(account=world.alice, wallet="spot", instrument=world.symbol, terms=placing.terms)
    assert world.do(tested).events == ()
    assert world.engine.fingerprint() == before
    assert world.place(world.alice, placing.terms).id == 1
