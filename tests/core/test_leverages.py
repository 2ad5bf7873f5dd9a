"""Leverages of an account's positions, of single legs and of single orders; figures reckoned by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.engine import Engine
from emulator.core.history import ContractSettings
from emulator.core.instruments import Side
from emulator.core.numbers import exact
from emulator.core.positions import Leg, MarginMode, Position
from emulator.core.rules import LeverageScope, MarginRules
from emulator.core.statement import PositionStatement, WalletStatement, wallet_statement
from tests.core.futures import BTC, BTC_COIN
from tests.core.sameness import assert_same
from tests.core.test_trading_contracts import Pit
from tests.core.world import limit, market, plain, still

D = Decimal
LEGS = MarginRules(leverage_scope=LeverageScope.ISOLATED_LEG)
REFITTING = MarginRules(leverage_scope=LeverageScope.ISOLATED_LEG, refits_isolated=True)
ORDERS = MarginRules(leverage_scope=LeverageScope.ISOLATED_ORDER)


def choosing(pit: Pit, leverage: str, leg: Leg | None = None, opposite: str | None = None) -> c.SetLeverage:
    return c.SetLeverage(
        account=pit.alice,
        instrument=pit.symbol,
        leverage=D(leverage),
        leg=leg,
        opposite=None if opposite is None else D(opposite),
    )


def mode(pit: Pit, chosen: MarginMode) -> c.SetMarginMode:
    return c.SetMarginMode(account=pit.alice, instrument=pit.symbol, mode=chosen)


def hedging(pit: Pit, *, hedged: bool = True) -> c.SetPositionMode:
    return c.SetPositionMode(account=pit.alice, wallet=pit.wallet, hedged=hedged)


def hedged(margin: MarginRules = LEGS, funds: str = "20000") -> Pit:
    """Isolated legs of a contract that stands at 100,000."""
    pit = Pit(BTC, still("100000"), funds=funds, margin=margin)
    pit.does(c.Deposit(account=pit.bob, wallet=pit.wallet, asset="USDT", amount=D(10_000_000)))
    pit.does(hedging(pit))
    pit.does(mode(pit, MarginMode.ISOLATED))
    return pit


def isolated(funds: str = "20000") -> Pit:
    """One isolated position, for orders that bring a leverage of their own."""
    pit = Pit(BTC, still("100000"), funds=funds, margin=ORDERS)
    pit.does(c.Deposit(account=pit.bob, wallet=pit.wallet, asset="USDT", amount=D(10_000_000)))
    pit.does(mode(pit, MarginMode.ISOLATED))
    return pit


def hold(pit: Pit, quantity: str, leg: Leg) -> None:
    if leg is Leg.LONG:
        pit.sell(pit.bob, quantity, "100000")
        pit.buy(pit.alice, quantity, "100000", leg=leg)
    else:
        pit.buy(pit.bob, quantity, "100000")
        pit.sell(pit.alice, quantity, "100000", leg=leg)


def leg(pit: Pit, which: Leg) -> Position:
    return pit.engine.state.position(pit.alice, pit.symbol, which)


def told(pit: Pit) -> WalletStatement:
    engine = pit.engine
    with exact():
        account = engine.state.accounts[pit.alice]
        return wallet_statement(engine.state, engine.rules, account, pit.wallet, pit.now)


def of(statement: WalletStatement, which: Leg) -> PositionStatement:
    (found,) = (one for one in statement.positions if one.position.leg is which)
    return found


def available(pit: Pit) -> str:
    with exact():
        return plain(told(pit).available("USDT"))


def restored(pit: Pit) -> Engine:
    again = Engine(
        "test", pit.engine.instruments, pit.engine.feed, pit.engine.state.wallets, pit.engine.rules
    )
    again.restore(list(pit.engine.capture().parts()))
    return again


# Legs


def test_isolated_legs_are_held_at_leverages_of_their_own() -> None:
    pit = hedged()
    pit.does(choosing(pit, "10", Leg.LONG, opposite="20"))
    hold(pit, "1", Leg.LONG)
    hold(pit, "1", Leg.SHORT)
    statement = told(pit)
    long, short = of(statement, Leg.LONG), of(statement, Leg.SHORT)
    # 100,000 / 10 and 100,000 / 20
    assert (plain(long.needed.position), plain(long.funds)) == ("10000", "10000")
    assert (plain(short.needed.position), plain(short.funds)) == ("5000", "5000")
    # (10,000 - 100,000) / (0.004 - 1) = 90,361.446, and (5,000 + 100,000) / (0.004 + 1) = 104,581.673
    assert plain(long.liquidation or D(0)) == "90361.4"
    assert plain(short.liquidation or D(0)) == "104581.7"
    assert (plain(long.bankruptcy or D(0)), plain(short.bankruptcy or D(0))) == ("90000", "105000")
    # The caps of the last tiers that admit 10 and 20
    assert (plain(long.value_max), plain(short.value_max)) == ("230000000", "100000000")
    assert available(pit) == "5000"


def test_only_the_leg_that_cannot_be_kept_is_lost() -> None:
    """The short leg is lost at 104,581.7, and nothing is put up for the long one's sake."""
    pit = hedged()
    pit.does(choosing(pit, "10", Leg.LONG, opposite="20"))
    hold(pit, "1", Leg.LONG)
    hold(pit, "1", Leg.SHORT)
    pit.price("104600")
    assert not leg(pit, Leg.SHORT).quantity
    assert plain(leg(pit, Leg.LONG).quantity) == "1"
    assert plain(leg(pit, Leg.LONG).margin) == "10000"


def test_an_order_needs_the_margin_of_its_leg() -> None:
    pit = hedged()
    pit.does(choosing(pit, "10", Leg.LONG, opposite="20"))
    pit.buy(pit.alice, "1", "90000", leg=Leg.LONG)
    pit.sell(pit.alice, "1", "110000", leg=Leg.SHORT)
    # 20,000 - 9,000 - 5,500
    assert available(pit) == "5500"
    too_much = pit.placing(pit.alice, limit(Side.BUY, "0.7", "90000", leg=Leg.LONG))
    assert isinstance(pit.refuses(too_much), r.InsufficientMargin)
    # 0.5 x 90,000 / 5 instead of / 10 is 18,000 of the 5,500 + 9,000 that there are
    assert pit.refuses(choosing(pit, "5", Leg.LONG)) == r.InsufficientMargin(
        asset="USDT", needed=D(9000), available=D(5500)
    )
    pit.does(choosing(pit, "45", Leg.LONG))
    assert available(pit) == "12500"


def test_a_leg_is_too_large_for_its_own_leverage_only() -> None:
    pit = hedged(funds="1000000")
    pit.does(choosing(pit, "150", Leg.LONG, opposite="20"))
    large = limit(Side.BUY, "4", "99000", leg=Leg.LONG)
    assert pit.refuses(pit.placing(pit.alice, large)) == r.PositionTooLarge(
        leverage=D(150), value=D(396000), most=D(300000)
    )
    pit.sell(pit.alice, "4", "101000", leg=Leg.SHORT)
    assert pit.refuses(choosing(pit, "150", Leg.SHORT)) == r.PositionTooLarge(
        leverage=D(150), value=D(404000), most=D(300000)
    )


def test_a_leverage_for_all_takes_the_place_of_those_of_single_legs() -> None:
    pit = hedged()
    pit.does(choosing(pit, "10", Leg.LONG))
    assert [plain(leg(pit, one).leverage) for one in Leg] == ["20", "10", "20"]
    unchanged = r.SettingUnchanged(setting=r.Setting.LEVERAGE)
    assert pit.refuses(choosing(pit, "10", Leg.LONG)) == unchanged
    assert pit.refuses(choosing(pit, "10", Leg.LONG, opposite="20")) == unchanged
    pit.does(choosing(pit, "20"))
    assert [plain(leg(pit, one).leverage) for one in Leg] == ["20", "20", "20"]
    assert pit.refuses(choosing(pit, "20")) == unchanged


def test_both_leverages_are_chosen_or_none() -> None:
    pit = hedged()
    asked = choosing(pit, "10", Leg.LONG, opposite="151")
    assert pit.refuses(asked) == r.LeverageInvalid(leverage=D(151), most=D(150))
    assert plain(leg(pit, Leg.LONG).leverage) == "20"


def test_a_leg_is_named_where_there_are_legs() -> None:
    pit = Pit(margin=LEGS)
    pit.does(mode(pit, MarginMode.ISOLATED))
    assert pit.refuses(choosing(pit, "10", Leg.LONG)) == r.LegWrong()
    pit.does(hedging(pit))
    assert pit.refuses(choosing(pit, "10", Leg.BOTH)) == r.LegWrong()
    pit.does(choosing(pit, "10", Leg.SHORT))


def test_cross_legs_share_their_leverage() -> None:
    pit = hedged()
    pit.does(choosing(pit, "10", Leg.LONG, opposite="30"))
    pit.does(mode(pit, MarginMode.CROSS))
    assert [plain(leg(pit, one).leverage) for one in Leg] == ["20", "20", "20"]
    assert pit.refuses(choosing(pit, "10", Leg.LONG)) == r.LeverageShared()


@pytest.mark.parametrize("margin", [MarginRules(), ORDERS])
def test_legs_share_their_leverage_where_the_exchange_has_it_so(margin: MarginRules) -> None:
    pit = hedged(margin)
    assert pit.refuses(choosing(pit, "10", Leg.LONG)) == r.LeverageShared()
    pit.does(choosing(pit, "10"))


def test_an_isolated_leg_is_not_held_at_less_leverage_than_it_was_opened_at() -> None:
    pit = hedged()
    hold(pit, "0.1", Leg.LONG)
    blocked = r.SettingBlocked(setting=r.Setting.LEVERAGE, obstacle=r.Obstacle.POSITION)
    assert pit.refuses(choosing(pit, "19", Leg.LONG)) == blocked
    assert pit.refuses(choosing(pit, "10", Leg.SHORT, opposite="19")) == blocked
    pit.does(choosing(pit, "10", Leg.SHORT, opposite="25"))
    assert plain(leg(pit, Leg.LONG).margin) == "500"


def test_where_margin_follows_the_leverage_it_is_put_up_and_given_back() -> None:
    pit = hedged(REFITTING)
    pit.does(choosing(pit, "10", Leg.LONG, opposite="20"))
    hold(pit, "1", Leg.LONG)
    hold(pit, "1", Leg.SHORT)
    pit.does(c.MoveMargin(account=pit.alice, instrument=pit.symbol, amount=D(300), leg=Leg.LONG))
    # 100,000 / 20 instead of / 10, and what was added; 100,000 / 10 instead of / 20.
    pit.does(choosing(pit, "20", Leg.LONG, opposite="10"))
    assert (plain(leg(pit, Leg.LONG).margin), plain(leg(pit, Leg.SHORT).margin)) == ("5300", "10000")
    assert available(pit) == "4700"
    # 100,000 / 5 is 10,000 more than there is put up, and 4,700 are left.
    assert pit.refuses(choosing(pit, "5", Leg.SHORT)) == r.InsufficientMargin(
        asset="USDT", needed=D(10000), available=D(4700)
    )
    assert_same(pit.engine, pit.replayed())


def test_margin_that_keeps_a_position_is_not_given_back() -> None:
    """At 93,000 the long leg has 10,000 - 7,000 left, of which 372 must be kept; at 100x 9,000 would go."""
    pit = hedged(REFITTING)
    pit.does(choosing(pit, "10", Leg.LONG))
    hold(pit, "1", Leg.LONG)
    pit.price("93000")
    assert pit.refuses(choosing(pit, "100", Leg.LONG)) == r.MarginNeeded(asset="USDT", spare=D(2628))
    # 100,000 / 12.5 is 2,000 less.
    pit.does(choosing(pit, "12.5", Leg.LONG))
    assert plain(leg(pit, Leg.LONG).margin) == "8000"


def test_leverages_of_legs_are_kept() -> None:
    pit = hedged()
    pit.engine.views.is_taken = True
    pit.does(choosing(pit, "10", Leg.LONG, opposite="30"))
    hold(pit, "0.1", Leg.LONG)
    pit.sell(pit.alice, "0.1", "110000", leg=Leg.SHORT)
    (settings,) = (one for one in pit.engine.views.take().records if isinstance(one, ContractSettings))
    assert (settings.leverage, settings.long, settings.short) == (D(20), D(10), D(30))
    assert_same(pit.engine, pit.replayed())
    again = restored(pit)
    assert_same(pit.engine, again)
    assert again.state.fingerprint() == pit.engine.state.fingerprint()
    pit.does(choosing(pit, "31", Leg.SHORT))
    assert again.state.fingerprint() != pit.engine.state.fingerprint()


# Orders


def test_an_order_opens_at_its_own_leverage_and_joins_the_position() -> None:
    """50,000 / 10 and 50,000 / 40 are put up; 100,000 / 6,250 is 16."""
    pit = isolated()
    pit.sell(pit.bob, "1", "100000")
    pit.place(pit.alice, market(Side.BUY, "0.5", leverage=D(10)))
    assert (plain(pit.position().margin), plain(pit.position().leverage)) == ("5000", "10")
    pit.place(pit.alice, market(Side.BUY, "0.5", leverage=D(40)))
    assert (plain(pit.position().margin), plain(pit.position().leverage)) == ("6250", "16")
    # (6,250 - 100,000) / (0.004 - 1) = 94,126.506
    assert plain(of(told(pit), Leg.BOTH).liquidation or D(0)) == "94126.5"
    assert available(pit) == "13750"
    # Reducing gives a share back, and leaves the leverage.
    pit.buy(pit.bob, "0.4", "100000")
    pit.place(pit.alice, market(Side.SELL, "0.4", leverage=D(3)))
    assert (plain(pit.position().margin), plain(pit.position().leverage)) == ("3750", "16")


def test_a_position_that_turns_has_the_leverage_of_the_order_that_turned_it() -> None:
    pit = isolated()
    pit.sell(pit.bob, "0.2", "100000")
    pit.place(pit.alice, market(Side.BUY, "0.2", leverage=D(10)))
    pit.buy(pit.bob, "0.3", "100000")
    pit.place(pit.alice, market(Side.SELL, "0.3", leverage=D(25)))
    position = pit.position()
    assert plain(position.quantity) == "-0.1"
    assert (plain(position.margin), plain(position.leverage)) == ("400", "25")


def test_what_is_no_finite_leverage_is_kept_to_the_step_of_costs() -> None:
    """100,000 / (50,000 / 10 + 50,000 / 5) = 6.666666666666666667"""
    pit = isolated()
    pit.sell(pit.bob, "1", "100000")
    pit.place(pit.alice, market(Side.BUY, "0.5", leverage=D(10)))
    pit.place(pit.alice, market(Side.BUY, "0.5", leverage=D(5)))
    assert plain(pit.position().leverage) == "6.666666666666666667"
    assert plain(pit.position().margin) == "15000"


def test_orders_that_rest_need_margin_by_their_own_leverage() -> None:
    pit = isolated()
    first = pit.buy(pit.alice, "0.5", "90000", leverage=D(10))
    pit.buy(pit.alice, "0.5", "90000", leverage=D(45))
    pit.buy(pit.alice, "0.5", "90000")
    # 20,000 - 4,500 - 1,000, and at the leverage of the contract, 20: - 2,250
    assert available(pit) == "12250"
    pit.does(c.ModifyOrder(account=pit.alice, instrument=pit.symbol, order=first.id, quantity=D("0.4")))
    assert available(pit) == "13150"
    too_much = limit(Side.BUY, "0.5", "90000", leverage=D(3))
    assert pit.refuses(pit.placing(pit.alice, too_much)) == r.InsufficientMargin(
        asset="USDT", needed=D(15000), available=D(13150)
    )
    again = restored(pit)
    assert_same(pit.engine, again)
    assert_same(pit.engine, pit.replayed())
    pit.does(c.CancelAllOrders(account=pit.alice, instrument=pit.symbol))
    assert available(pit) == "20000"
    assert pit.engine.state.accounts[pit.alice].beside == {}


def test_an_inverse_order_has_its_own_leverage_too() -> None:
    """100 contracts of 100 USD at 50,000 are 0.2 BTC: 0.02 at 10; 300 at 60,000 are 0.5: 0.025 at 20."""
    pit = Pit(BTC_COIN, still("50000"), funds="1", margin=ORDERS)
    pit.does(mode(pit, MarginMode.ISOLATED))
    pit.sell(pit.bob, "100", "50000")
    pit.place(pit.alice, market(Side.BUY, "100", leverage=D(10)))
    assert plain(pit.position().margin) == "0.02"
    pit.buy(pit.bob, "400", "60000")
    pit.sell(pit.alice, "400", "60000", leverage=D(20))
    assert (plain(pit.position().margin), plain(pit.position().leverage)) == ("0.025", "20")


def test_a_position_is_too_large_for_the_leverage_that_it_would_have() -> None:
    pit = isolated(funds="1000000")
    large = limit(Side.BUY, "4", "99000", leverage=D(150))
    assert pit.refuses(pit.placing(pit.alice, large)) == r.PositionTooLarge(
        leverage=D(150), value=D(396000), most=D(300000)
    )
    pit.buy(pit.alice, "4", "99000", leverage=D(100))


@pytest.mark.parametrize("leverage", ["0.5", "151"])
def test_an_order_cannot_have_any_leverage(leverage: str) -> None:
    pit = isolated()
    asked = limit(Side.BUY, "0.1", "90000", leverage=D(leverage))
    refused = r.LeverageInvalid(leverage=D(leverage), most=D(150))
    assert pit.refuses(pit.placing(pit.alice, asked)) == refused
    tested = c.TestOrder(account=pit.alice, wallet=pit.wallet, instrument=pit.symbol, terms=asked)
    assert pit.refuses(tested) == refused


def test_an_order_has_no_leverage_of_its_own_elsewhere() -> None:
    asked = limit(Side.BUY, "0.1", "90", leverage=D(10))
    crossed = Pit(margin=ORDERS)
    assert crossed.refuses(crossed.placing(crossed.alice, asked)) == r.LeverageShared()
    shared = Pit()
    shared.does(mode(shared, MarginMode.ISOLATED))
    assert shared.refuses(shared.placing(shared.alice, asked)) == r.LeverageShared()


def test_the_leverage_of_the_contract_does_not_reach_what_orders_opened() -> None:
    pit = isolated()
    pit.sell(pit.bob, "0.5", "100000")
    pit.place(pit.alice, market(Side.BUY, "0.5", leverage=D(10)))
    blocked = r.SettingBlocked(setting=r.Setting.LEVERAGE, obstacle=r.Obstacle.POSITION)
    assert pit.refuses(choosing(pit, "30")) == blocked
