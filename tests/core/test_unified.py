"""Pairs and contracts in one wallet: what orders of pairs may spend, what still covers positions, and how all
of it is covered. Figures by hand as shown."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.history import Income, incomes_of
from emulator.core.instruments import Side
from emulator.core.margin import requirement
from emulator.core.numbers import exact
from emulator.core.orders import EndReason, OrderStatus
from emulator.core.positions import AccountMargin, Leg, MarginMode, entry_margin
from emulator.core.rejections import Obstacle, Setting
from emulator.core.rules import MarginRules
from tests.core.futures import BTC_TIERS, held, linear
from tests.core.unified import COIN, INVERSE, LINEAR, OTHER, PAIR, USDT, WALLET, Unified, blocked
from tests.core.world import limit, plain, replaced

D = Decimal
ISOLATED, CROSS, PORTFOLIO = AccountMargin.ISOLATED, AccountMargin.CROSS, AccountMargin.PORTFOLIO
MODE, USE = Setting.ACCOUNT_MARGIN, Setting.COLLATERAL_USE


# Spending


def test_what_an_order_of_a_pair_holds_still_covers_but_cannot_be_had_twice() -> None:
    """0.1 at 40000 hold 4000 of 10000 USDT."""
    world = Unified(USDT="10000")
    order = world.buy(world.carol, "0.1", "40000")
    assert (world.has("USDT"), world.kept("USDT")) == ("6000", "4000")
    assert plain(world.totals().margin_balance) == plain(world.totals().available) == "10000"
    assert world.refuses(world.taking("USDT", "6001")) == r.InsufficientBalance(
        asset="USDT", needed=D(6001), available=D(6000)
    )
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "0.2", "40000")))
    assert refused == r.InsufficientBalance(asset="USDT", needed=D(8000), available=D(6000))
    world.is_same_again()
    world.cancel(order)
    assert (world.has("USDT"), world.kept("USDT")) == ("10000", "0")


def test_where_it_does_not_cover_new_orders_there_is_less_for_them() -> None:
    """4000 of 10000 are held, so an order of a contract may ask for 6000: 2.5 at 50000 / 20 are 6250."""
    world = Unified(USDT="10000", rules=MarginRules(counts_held=False))
    world.buy(world.carol, "0.1", "40000")
    world.symbol = LINEAR
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "2.5", "50000")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D(6250), available=D(6000))
    world.buy(world.carol, "2.4", "50000")


def test_margins_are_not_spent_on_what_does_not_count() -> None:
    """Long 1 at 50000 needs 2500 of 10000, so 7500 may be spent on BTC where that is not to count; else all
    of it, since what is bought counts for 9500."""
    world = Unified(USDT="10000")
    world.trade(LINEAR, "1", "50000")
    world.does(world.using("BTC", used=False))
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "0.16", "50000")))
    assert refused == r.InsufficientBalance(asset="USDT", needed=D(8000), available=D(7500))
    world.cancel(world.buy(world.carol, "0.15", "50000"))
    world.does(world.using("BTC", used=True))
    world.buy(world.carol, "0.2", "50000")
    assert world.has("USDT") == "0"


def test_a_trade_changes_one_asset_for_another_in_the_same_wallet() -> None:
    """0.1 BTC for 5000 of 10000 USDT, of which 95 % of 5000 count."""
    world = Unified(USDT="10000")
    world.trade(PAIR, "0.1", "50000")
    assert (world.has("USDT"), world.has("BTC")) == ("5000", "0.1")
    assert plain(world.totals().margin_balance) == "9750"
    incomes = world.engine.views.select(Income, incomes_of(world.carol, WALLET))
    assert sorted((one.kind.value, one.asset, plain(one.amount)) for one in incomes[1:]) == [
        ("trade", "BTC", "0.1"),
        ("trade", "USDT", "-5000"),
    ]
    world.is_same_again()


def test_what_was_bought_covers_a_position() -> None:
    """0.2 BTC count for 9500: 3.7 at 50000 / 20 are 9250, 3.9 are 9750."""
    world = Unified(USDT="10000")
    world.trade(PAIR, "0.2", "50000")
    assert world.has("USDT") == "0"
    world.symbol = LINEAR
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "3.9", "50000")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D(9750), available=D(9500))
    world.buy(world.carol, "3.7", "50000")


def test_pairs_are_traded_where_the_rules_say_and_nowhere_else() -> None:
    world = Unified(USDT="10000")
    for wallet in ("coinm", "funding", "nowhere"):
        elsewhere = c.PlaceOrder(
            account=world.carol, wallet=wallet, instrument=PAIR, terms=limit(Side.BUY, "0.1", "50000")
        )
        assert world.refuses(elsewhere) == r.UnknownWallet(wallet=wallet)


def test_held_funds_count_until_the_end_and_orders_end_first() -> None:
    """Long 1 at 50000 with 10000 has p - 40000 at p, of which 4015 are held: what that lacks is owed, and
    needs 4 %. So p - 40000 > 0.004 p + 0.04 (4015 - (p - 40000)) above 40309.45...; without the order the
    position is kept above 40160.64..."""
    world = Unified(USDT="10000")
    world.trade(LINEAR, "1", "50000")
    order = world.buy(world.carol, "0.1", "40150")
    world.price("40310")
    assert order.resting
    (ended,) = [one for one in world.price("40309") if isinstance(one, e.OrderExpired)]
    assert ended == e.OrderExpired(order=order.id, reason=EndReason.LIQUIDATION)
    assert (order.status, world.kept("USDT")) == (OrderStatus.EXPIRED, "0")
    world.price("40161")
    assert world.position().quantity
    world.price("40160")
    assert not world.position().quantity
    world.is_same_again()


# How all contracts are covered


def test_an_account_begins_with_what_the_rules_say() -> None:
    state = Unified().engine.state
    assert state.account_margin(1, WALLET) is CROSS
    assert state.account_margin(1, "coinm") is None
    assert state.choice(1, LINEAR).mode is MarginMode.CROSS
    apart = Unified(mode=ISOLATED).engine.state
    assert apart.account_margin(1, WALLET) is ISOLATED
    assert apart.choice(1, LINEAR).mode is MarginMode.ISOLATED
    assert not apart.shared


def test_it_is_not_chosen_for_one_contract_nor_for_the_assets_by_themselves() -> None:
    world = Unified()
    one = c.SetMarginMode(account=world.carol, instrument=LINEAR, mode=MarginMode.ISOLATED)
    assert world.refuses(one) == blocked(Setting.MARGIN_MODE, Obstacle.ACCOUNT)
    assets = c.SetCollateralMode(account=world.carol, wallet=WALLET, shared=False)
    assert world.refuses(assets) == blocked(Setting.COLLATERAL_MODE, Obstacle.ACCOUNT)


def test_what_is_so_already_or_cannot_be_is_refused() -> None:
    world = Unified()
    assert world.refuses(world.setting(CROSS)) == r.SettingUnchanged(setting=MODE)
    elsewhere = c.SetAccountMargin(account=world.carol, wallet="coinm", mode=CROSS)
    assert world.refuses(elsewhere) == r.UnknownWallet(wallet="coinm")
    world.does(world.setting(PORTFOLIO))
    assert world.engine.state.account_margin(world.carol, WALLET) is PORTFOLIO
    world.is_same_again()


def test_positions_are_set_apart_with_their_margin_and_what_they_lost() -> None:
    """0.1 at 49000 / 20 are 245, and 100 were lost; of 10000 then 9655 are free. And back."""
    world = Unified(USDT="10000")
    world.trade(LINEAR, "0.1", "50000")
    world.price("49000")
    happened = world.does(world.setting(ISOLATED))
    assert [type(one) for one in happened] == [e.AccountMarginSet, e.MarginMoved]
    assert (world.position().mode, plain(world.position().margin)) == (MarginMode.ISOLATED, "345")
    assert (world.has("USDT"), world.kept("USDT")) == ("9655", "345")
    world.is_same_again()
    world.trade(LINEAR, "0.1", "49000")
    assert plain(world.position().margin) == "590"
    world.does(world.setting(CROSS))
    assert (world.position().mode, world.position().margin) == (MarginMode.CROSS, D(0))
    assert (world.has("USDT"), world.kept("USDT")) == ("10000", "0")
    world.is_same_again()


def test_an_order_beside_goes_with_it() -> None:
    """2500 for the position and 2450 for an order at 49000: 4950 of what is there."""
    world = Unified(USDT="4949")
    world.trade(LINEAR, "1", "50000")
    world.symbol = LINEAR
    world.deposit(world.carol, "GIFT", "1000", WALLET)
    order = world.buy(world.carol, "1", "49000")
    assert world.refuses(world.setting(ISOLATED)) == blocked(MODE, Obstacle.MARGIN)
    world.deposit(world.carol, "USDT", "1", WALLET)
    world.does(world.setting(ISOLATED))
    assert world.has("USDT") == "2450"
    world.cancel(order)


def test_what_other_assets_cover_cannot_be_set_apart() -> None:
    """A loss of 100 is owed, which others cover."""
    world = Unified(GIFT="10000")
    world.trade(LINEAR, "0.1", "50000")
    world.trade(LINEAR, "-0.1", "49000")
    assert world.has("USDT") == "-100"
    assert world.refuses(world.setting(ISOLATED)) == blocked(MODE, Obstacle.DEBT)
    world.trade(LINEAR, "0.1", "50000")
    assert world.refuses(world.setting(ISOLATED)) == blocked(MODE, Obstacle.DEBT, Obstacle.MARGIN)


def test_what_all_together_do_not_cover_cannot_be_put_together() -> None:
    """Opened with 250, the rest is gone; at 45100 490 of 250 are lost, and equity is below what is needed."""
    world = Unified(mode=ISOLATED, USDT="1000")
    world.trade(LINEAR, "0.1", "50000")
    world.does(world.taking("USDT", "750"))
    world.price("47900")
    assert world.refuses(world.setting(CROSS)) == blocked(MODE, Obstacle.MARGIN)
    world.price("49999")
    world.deposit(world.carol, "USDT", "10", WALLET)
    world.does(world.setting(CROSS))
    world.is_same_again()


def test_each_asset_stands_for_itself_where_positions_are_isolated() -> None:
    """BTC covers nothing of what settles in USDT."""
    world = Unified(mode=ISOLATED, USDT="100", BTC="1")
    world.symbol = LINEAR
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "0.1", "50000")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D(250), available=D(100))
    world.symbol = PAIR
    world.buy(world.carol, "0.002", "40000")
    world.symbol = LINEAR
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "0.01", "50000")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D(25), available=D(20))


# Two legs, contract by contract


def hedging(world: Unified, *symbols: str, hedged: bool = True) -> c.SetPositionMode:
    return c.SetPositionMode(account=world.carol, wallet=WALLET, hedged=hedged, instruments=symbols)


def test_each_contract_has_a_position_mode() -> None:
    world = Unified(USDT="10000")
    world.does(hedging(world, LINEAR))
    state = world.engine.state
    assert [state.is_hedged(world.carol, one) for one in (LINEAR, OTHER, INVERSE)] == [True, False, False]
    world.symbol = LINEAR
    assert world.refuses(world.placing(world.carol, limit(Side.BUY, "0.1", "50000"))) == r.LegWrong()
    world.trade(LINEAR, "0.1", "50000", leg=Leg.LONG)
    world.symbol = OTHER
    world.buy(world.carol, "0.1", "40000")
    world.is_same_again()


def test_several_are_changed_together_or_not_at_all() -> None:
    world = Unified(USDT="10000")
    world.symbol = LINEAR
    order = world.buy(world.carol, "0.1", "40000")
    setting = Setting.POSITION_MODE
    assert world.refuses(hedging(world, OTHER, LINEAR)) == blocked(setting, Obstacle.ORDERS)
    assert world.refuses(hedging(world)) == blocked(setting, Obstacle.ORDERS)
    world.cancel(order)
    world.trade(LINEAR, "0.1", "50000")
    assert world.refuses(hedging(world, OTHER, LINEAR)) == blocked(setting, Obstacle.POSITION)
    world.does(hedging(world, OTHER))
    assert world.refuses(hedging(world, OTHER)) == r.SettingUnchanged(setting=setting)
    assert world.refuses(hedging(world, "nothing")) == r.UnknownInstrument(instrument="nothing")
    assert world.refuses(hedging(world, PAIR)) == r.NotAContract(instrument=PAIR)
    world.does(hedging(world, LINEAR, OTHER, hedged=False))
    assert not world.engine.state.hedged_contracts


# What counts


def test_an_asset_that_is_not_to_count_covers_nothing() -> None:
    """10000 GIFT count for 10000 of 11000; without them 1000 are left."""
    world = Unified(USDT="1000", GIFT="10000")
    assert plain(world.totals().available) == "11000"
    world.does(world.using("GIFT", used=False))
    assert plain(world.totals().available) == "1000"
    assert world.refuses(world.using("GIFT", used=False)) == r.SettingUnchanged(setting=USE)
    world.is_same_again()
    world.does(world.taking("GIFT", "10000"))
    world.does(world.using("GIFT", used=True))


@pytest.mark.parametrize("asset", ["USDT", "DOGE"])
def test_not_every_asset_is_free_to_choose(asset: str) -> None:
    world = Unified(USDT="1000")
    assert world.refuses(world.using(asset, used=False)) == blocked(USE, Obstacle.NOT_OFFERED)


def test_what_is_needed_goes_on_counting() -> None:
    """0.5 at 50000 / 20 are 1250, of 1000 USDT and GIFT."""
    world = Unified(USDT="1000", GIFT="10000")
    world.trade(LINEAR, "0.5", "50000")
    assert world.refuses(world.using("GIFT", "BTC", used=False)) == blocked(USE, Obstacle.MARGIN)
    world.does(world.using("BTC", used=False))
    world.symbol = INVERSE
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "10", "50000")))
    assert refused == r.CollateralOff(asset="BTC")


def test_what_counts_is_exchanged_at_once_or_not_at_all() -> None:
    """1250 are needed, and of the GIFT 10000 * 2 / 2 count: without them a bitcoin that counts does it."""
    world = Unified(USDT="1000", GIFT="10000", BTC="1")
    world.does(world.using("BTC", used=False))
    world.trade(LINEAR, "0.5", "50000")
    assert world.refuses(world.using("GIFT", used=False)) == blocked(USE, Obstacle.MARGIN)
    both = c.SetCollateralUse(
        account=world.carol, wallet=WALLET, assets=("BTC",), used=True, others=("GIFT",)
    )
    assert world.does(both) == tuple(
        e.CollateralUseSet(account=world.carol, wallet=WALLET, asset=asset, used=used)
        for asset, used in (("BTC", True), ("GIFT", False))
    )
    back = c.SetCollateralUse(
        account=world.carol, wallet=WALLET, assets=("BTC",), used=False, others=("DOGE", "GIFT")
    )
    assert world.refuses(back) == blocked(USE, Obstacle.NOT_OFFERED)
    assert world.engine.state.unused == {(world.carol, WALLET, "GIFT"): None}
    world.is_same_again()


def test_what_contracts_settle_in_counts_while_they_are_held() -> None:
    world = Unified(USDT="10000", BTC="1")
    world.trade(INVERSE, "10", "50000")
    assert world.refuses(world.using("BTC", used=False)) == blocked(USE, Obstacle.POSITION)
    world.trade(INVERSE, "-10", "50000")
    world.does(world.using("BTC", used=False))


def test_prices_of_inverse_contracts_and_their_collateral_are_watched_together() -> None:
    """Long 1000 of 100 USD at 50000 is 2 BTC, of 0.2 BTC. At p it lost 100000 / p - 2, and 0.4 % of
    100000 / p must be kept. What is owned counts for 95 %: 0.95 * (2.2 - 100000 / p) = 400 / p above
    95400 / 2.09."""
    world = Unified(assets=(USDT, replaced(COIN, index_of=INVERSE)), BTC="0.2")
    world.does(c.SetLeverage(account=world.carol, instrument=INVERSE, leverage=D(100)))
    world.trade(INVERSE, "1000", "50000")
    for price, quantity in (("45646.5", 1000), ("45645.5", 0)):
        world.does(c.SetPrice(pair="BTC/USD", price=D(price)))
        assert world.position(INVERSE).quantity == quantity
    world.is_same_again()


# What an owner is told


def test_totals_are_told_with_and_without_haircuts() -> None:
    """4000 USDT and 0.1 BTC that counts for 95 % of 6000; long 0.1 from 60000 needs 300, and keeps 24."""
    world = Unified(USDT="10000")
    world.price("60000")
    world.trade(PAIR, "0.1", "60000")
    world.trade(LINEAR, "0.1", "60000")
    totals = world.totals()
    assert [plain(one) for one in (totals.worth, totals.wallet_worth, totals.unrealised_worth)] == [
        "10000",
        "10000",
        "0",
    ]
    assert (plain(totals.margin_balance), plain(totals.initial_margin)) == ("9700", "300")
    rates = totals.initial_rate(D("0.0001")), totals.maintenance_rate(D("0.0001"))
    assert rates == (D("0.0309"), D("0.0025"))
    world.does(world.using("BTC", used=False))
    assert (plain(world.totals().worth), plain(world.totals().margin_balance)) == ("10000", "4000")


def test_what_closing_costs_is_put_up_for_an_isolated_position_where_the_contract_says_so() -> None:
    """40000 / 50 = 800. Long 0.055 % of 40000 * 49 / 50 = 21.56, as in Bybit's help centre ("Liquidation
    Price Calculation under Isolated Mode"); short 0.055 % of 40000 * 51 / 50 = 22.44. Inverse it is the
    other way round: 1 / 50 = 0.02, and 0.055 % of 51 / 50 = 0.000561, or of 49 / 50 = 0.000539."""
    contract = linear(BTC_TIERS, initial_fee=D("0.00055"))
    coin = msgspec.structs.replace(contract, is_inverse=True)
    with exact():
        margins = [
            entry_margin(one, quantity=D(quantity), price=D(40000), leverage=D(50))
            for one, quantity in ((contract, "1"), (contract, "-1"), (coin, "40000"), (coin, "-40000"))
        ]
    assert [plain(margin) for margin in margins] == ["821.56", "822.44", "0.020561", "0.020539"]


def test_what_closing_costs_is_a_part_of_initial_margin_where_the_contract_says_so() -> None:
    """5000 / 20 = 250 and 0.055 % of 5000 * 19 / 20, so 2.6125; short 0.055 % of 5000 * 21 / 20 = 2.8875."""
    contract = linear(BTC_TIERS, initial_fee=D("0.00055"))
    with exact():
        needed = [
            requirement(contract, held(contract, quantity, "50000", leverage="20"), D(50000))
            for quantity in ("0.1", "-0.1")
        ]
    assert [plain(one.total) for one in needed] == ["252.6125", "252.8875"]
