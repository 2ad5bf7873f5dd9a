"""Self-trade prevention: the scenarios of the exchange's own document, stp_faq.md, and all six modes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.instruments import SelfTradeMode, Side, TimeInForce
from emulator.core.orders import EndReason, Order
from tests.core.world import World, deep, instrument, limit, market, seen, still

BUY, SELL = Side.BUY, Side.SELL
Mode = SelfTradeMode
NONE = Mode.NONE


def at_one() -> World:
    """The document's prices are near 1."""
    return World(still("1"))


def prevented(world: World) -> list[tuple[int, int, int, str, str, str]]:
    return [
        (one.match, one.taker, one.maker, str(one.price), str(one.taker_prevented), str(one.maker_prevented))
        for one in world.history[-1][1]
        if isinstance(one, e.MatchPrevented)
    ]


def test_scenario_a_none_trades() -> None:
    world = at_one()
    maker = world.buy(world.alice, "1", "1", stp=NONE)
    taker = world.sell(world.alice, "1", "1", stp=NONE)
    assert seen(maker) == seen(taker) == ("filled", "1", "0")
    assert maker.executed_amount == taker.executed_amount == 1
    assert world.free(world.alice, "USDT") == world.free(world.alice, "BTC") == 1_000_000


def three_makers(world: World) -> list[Order]:
    return [
        world.buy(world.alice, quantity, price, stp=NONE)
        for quantity, price in (("1.2", "1.2"), ("1.3", "1.1"), ("8.1", "1"))
    ]


def test_scenario_b_expire_maker() -> None:
    world = at_one()
    makers = three_makers(world)
    taker = world.sell(world.alice, "3", "1", stp=Mode.EXPIRE_MAKER)
    assert [seen(maker) for maker in makers] == [
        ("expired_in_match", "0", "1.2"),
        ("expired_in_match", "0", "1.3"),
        ("expired_in_match", "0", "8.1"),
    ]
    assert [maker.prevented_match for maker in makers] == [0, 1, 2]
    assert seen(taker) == ("new", "0", "0")
    assert taker.prevented_match is None
    assert taker.resting
    assert prevented(world) == [
        (0, taker.id, makers[0].id, "1.2", "0", "1.2"),
        (1, taker.id, makers[1].id, "1.1", "0", "1.3"),
        (2, taker.id, makers[2].id, "1", "0", "8.1"),
    ]
    assert not world.held(world.alice, "USDT")


def test_scenario_c_expire_taker() -> None:
    world = at_one()
    makers = three_makers(world)
    taker = world.sell(world.alice, "3", "1", stp=Mode.EXPIRE_TAKER)
    assert [seen(maker) for maker in makers] == [("new", "0", "0")] * 3
    assert [maker.prevented_match for maker in makers] == [None] * 3
    assert seen(taker) == ("expired_in_match", "0", "3")
    assert (taker.prevented_match, taker.end_reason) == (0, EndReason.SELF_TRADE)
    assert not world.held(world.alice, "BTC")


def test_scenario_d_expire_both() -> None:
    world = at_one()
    maker = world.buy(world.alice, "1", "1", stp=NONE)
    taker = world.sell(world.alice, "3", "1", stp=Mode.EXPIRE_BOTH)
    assert seen(maker) == ("expired_in_match", "0", "1")
    assert seen(taker) == ("expired_in_match", "0", "3")
    assert prevented(world) == [(0, taker.id, maker.id, "1", "3", "1")]


def test_scenario_e_the_takers_mode_counts() -> None:
    world = at_one()
    maker = world.buy(world.alice, "1", "1", stp=Mode.EXPIRE_MAKER)
    taker = world.sell(world.alice, "1", "1", stp=Mode.EXPIRE_TAKER)
    assert seen(maker) == ("new", "0", "0")
    assert seen(taker) == ("expired_in_match", "0", "1")


def test_scenario_f_market_order() -> None:
    world = at_one()
    maker = world.buy(world.alice, "1", "1", stp=NONE)
    taker = world.place(world.alice, market(SELL, "1", stp=Mode.EXPIRE_MAKER))
    assert seen(maker) == ("expired_in_match", "0", "1")
    assert seen(taker) == ("expired", "0", "0")
    assert taker.end_reason is EndReason.NO_LIQUIDITY


def test_scenario_g_decrement() -> None:
    world = at_one()
    maker = world.buy(world.alice, "6", "2", stp=NONE)
    taker = world.sell(world.alice, "2", "2", stp=Mode.DECREMENT)
    assert seen(maker) == ("new", "0", "2")
    assert seen(taker) == ("expired_in_match", "0", "2")
    assert maker.prevented_match == taker.prevented_match == 0
    assert world.held(world.alice, "USDT") == 8


def test_scenario_h_transfer_within_a_trade_group() -> None:
    world = World(still("0.2"), funds="20000")
    maker_account, taker_account = world.open("maker", group=1), world.open("taker", group=1)
    maker = world.buy(maker_account, "0.6", "0.2", stp=Mode.TRANSFER)
    taker = world.sell(taker_account, "0.2", "0.2", stp=Mode.TRANSFER)
    assert seen(maker) == ("new", "0", "0.2")
    assert seen(taker) == ("expired_in_match", "0", "0.2")
    shown = {
        (account, asset): (str(world.free(account, asset)), str(world.held(account, asset)))
        for account in (maker_account, taker_account)
        for asset in ("BTC", "USDT")
    }
    assert {key: tuple(map(Decimal, value)) for key, value in shown.items()} == {
        (maker_account, "BTC"): (Decimal("20000.2"), 0),
        (maker_account, "USDT"): (Decimal("19999.88"), Decimal("0.08")),
        (taker_account, "BTC"): (Decimal("19999.8"), 0),
        (taker_account, "USDT"): (Decimal("20000.04"), 0),
    }
    assert not world.engine.views.fills


@pytest.mark.parametrize("maker_mode", [mode for mode in Mode if mode is not Mode.TRANSFER])
def test_transfer_needs_both(maker_mode: SelfTradeMode) -> None:
    world = at_one()
    one, other = world.open("one", group=1), world.open("other", group=1)
    maker = world.buy(one, "3", "1", stp=maker_mode)
    taker = world.sell(other, "1", "1", stp=Mode.TRANSFER)
    assert seen(maker)[2] == seen(taker)[2] == "1"
    assert world.free(other, "USDT") == 1_000_000
    event = world.history[-1][1][1]
    assert isinstance(event, e.MatchPrevented)
    assert event.mode is Mode.DECREMENT


def test_transfer_within_one_account_only_decrements() -> None:
    world = at_one()
    maker = world.buy(world.alice, "3", "1", stp=Mode.TRANSFER)
    taker = world.sell(world.alice, "1", "1", stp=Mode.TRANSFER)
    assert seen(maker)[2] == seen(taker)[2] == "1"
    assert world.free(world.alice, "BTC") == 1_000_000


def test_transfer_of_a_market_buy_needs_the_money() -> None:
    world = at_one()
    rich, poor = world.open("rich", group=1), world.open("poor", group=1, USDT="0.5")
    world.sell(rich, "1", "1", stp=Mode.TRANSFER)
    said = world.refuses(world.placing(poor, market(BUY, "1", stp=Mode.TRANSFER)))
    assert isinstance(said, r.InsufficientBalance)


@pytest.mark.parametrize("mode", Mode)
def test_groups_and_strangers(mode: SelfTradeMode) -> None:
    """Members of one group are one owner; accounts without a group are not one group."""
    world = at_one()
    one, other = world.open("one", group=4), world.open("other", group=4)
    maker = world.buy(one, "1", "1", stp=NONE)
    taker = world.sell(other, "1", "1", stp=mode)
    assert (seen(taker)[0] == "filled") is (mode is NONE)
    assert (seen(maker)[0] == "filled") is (mode is NONE)
    world = at_one()
    world.buy(world.alice, "1", "1", stp=NONE)
    assert seen(world.sell(world.bob, "1", "1", stp=mode))[0] == "filled"


def test_others_behind_ones_own_order_are_traded_with() -> None:
    world = at_one()
    own = world.buy(world.alice, "1", "1")
    others = world.buy(world.bob, "1", "1")
    taker = world.sell(world.alice, "1.5", "1", stp=Mode.DECREMENT)
    assert seen(own) == ("expired_in_match", "0", "1")
    assert seen(others) == ("partially_filled", "0.5", "0")
    assert seen(taker) == ("filled", "0.5", "1")


def test_an_iceberg_is_met_part_by_part() -> None:
    world = at_one()
    own = world.buy(world.alice, "5", "1", iceberg="1")
    others = world.buy(world.bob, "1", "1")
    taker = world.sell(world.alice, "2.5", "1", stp=Mode.DECREMENT)
    assert seen(own) == ("new", "0", "1.5")
    assert seen(others) == ("filled", "1", "0")
    assert seen(taker) == ("expired_in_match", "1", "1.5")


@pytest.mark.parametrize(
    ("mode", "taker", "maker"),
    [
        (NONE, ("filled", "1.992", "0"), ("filled", "0.5", "0")),
        (Mode.EXPIRE_TAKER, ("expired_in_match", "1", "0.995"), ("new", "0", "0")),
        (Mode.EXPIRE_MAKER, ("filled", "1.99", "0"), ("expired_in_match", "0", "0.5")),
        (Mode.EXPIRE_BOTH, ("expired_in_match", "1", "0.995"), ("expired_in_match", "0", "0.5")),
        (Mode.DECREMENT, ("filled", "1.492", "0.5"), ("expired_in_match", "0", "0.5")),
    ],
)
def test_a_budget_that_meets_ones_own_order(
    mode: SelfTradeMode, taker: tuple[str, str, str], maker: tuple[str, str, str]
) -> None:
    """200 buy one at 100 from the market; then one's own half at 100.5 stands before the next at 101.

    What is prevented counts against the budget: of 100 left, a half at 100.5 leaves 49.75.
    """
    world = World(deep())
    own = world.sell(world.alice, "0.5", "100.5", stp=NONE)
    order = world.place(world.alice, market(BUY, budget="200", stp=mode))
    assert seen(order) == taker
    assert seen(own) == maker
    assert order.quantity == order.executed + order.prevented


def test_a_budget_of_which_too_little_is_left_beyond_ones_own_order() -> None:
    """One step could be bought from oneself; what stands behind is dearer, so nothing is left to buy."""
    world = World(deep())
    own = world.sell(world.alice, "1", "100", stp=NONE)
    order = world.place(world.alice, market(BUY, budget="100.1", stp=Mode.EXPIRE_MAKER))
    assert seen(own) == ("expired_in_match", "0", "1")
    assert seen(order) == ("filled", "1", "0")
    assert world.engine.views.prevented[world.alice, world.symbol][0].event.taker == order.id


@pytest.mark.parametrize("mode", [Mode.EXPIRE_TAKER, Mode.EXPIRE_BOTH, Mode.DECREMENT])
def test_fill_or_kill_that_loses_quantity_to_prevention_ends_whole(mode: SelfTradeMode) -> None:
    world = at_one()
    own = world.buy(world.alice, "1", "1")
    order = world.sell(world.alice, "1", "1", stp=mode, tif=TimeInForce.FOK)
    assert (seen(order), order.end_reason) == (("expired", "0", "0"), EndReason.UNFILLED_ALL_OR_NOTHING)
    assert seen(own) == ("new", "0", "0")


def test_the_market_is_nobodys_own() -> None:
    world = World(deep())
    taker = world.buy(world.alice, "1", "100", stp=Mode.EXPIRE_BOTH)
    assert seen(taker) == ("filled", "1", "0")


def test_modes_that_an_instrument_does_not_offer() -> None:
    world = World(deep(), instrument(self_trade_modes=frozenset({NONE, Mode.EXPIRE_TAKER})))
    said = world.refuses(world.placing(world.alice, limit(BUY, "1", "50", stp=Mode.EXPIRE_MAKER)))
    assert said == r.SelfTradeModeNotAllowed()


def test_an_order_without_a_mode_takes_the_instruments() -> None:
    world = World(deep(), instrument(self_trade_default=Mode.EXPIRE_TAKER))
    assert world.buy(world.alice, "1", "50").self_trade_mode is Mode.EXPIRE_TAKER
