"""What is owed in a wallet whose assets stand together, and what it costs. Figures by hand as shown."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.history import Income, IncomeKind, incomes_of
from emulator.core.instruments import Side
from emulator.core.ledger import FAUCET, LOANS
from emulator.core.numbers import exact
from emulator.core.orders import OrderTerms
from emulator.core.positions import AccountMargin
from emulator.core.rejections import Obstacle, Setting
from tests.core.scripted import ScriptedFeed
from tests.core.unified import COIN, GIFT, LINEAR, PAIR, USDT, WALLET, Unified, blocked
from tests.core.world import MINUTE, SECOND, START, limit, market, plain, replaced, stop

D = Decimal
HOUR = 60 * MINUTE
SPOT_MARGIN = Setting.SPOT_MARGIN


def borrowing(side: Side, quantity: str, price: str) -> OrderTerms:
    return limit(side, quantity, price, borrows=True)


def to_interest(world: Unified) -> None:
    """Wait until interest is due, five minutes past an hour."""
    past = (world.now - 5 * MINUTE) % HOUR
    world.wait(HOUR - past)


def interests(world: Unified) -> list[str]:
    query = incomes_of(world.carol, WALLET, kind=IncomeKind.INTEREST)
    return [plain(one.amount) for one in world.engine.views.select(Income, query)]


# Orders that borrow


def test_an_order_borrows_what_its_wallet_allows() -> None:
    """0.08 at 50000 for 4000 of 1000 USDT: 3000 are owed and need a fifth, 600; what was bought counts for
    3800. For 0.1 4000 are owed and need 800, and what there is counts for 4750 - 4000 = 750."""
    world = Unified(USDT="1000")
    world.does(world.spot_margin("5"))
    refused = world.refuses(world.placing(world.carol, borrowing(Side.BUY, "0.1", "50000")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D(5000), available=D(4950))
    world.trade(PAIR, "0.08", "50000", borrows=True)
    assert (world.has("USDT"), world.has("BTC")) == ("-3000", "0.08")
    totals = world.totals()
    assert [plain(one) for one in (totals.margin_balance, totals.debt_margin, totals.debt_maintenance)] == [
        "800",
        "600",
        "120",
    ]
    assert (plain(totals.available), plain(world.figures("USDT").owed)) == ("200", "3000")
    world.is_same_again()


def test_it_borrows_when_it_rests_already_and_gives_back_when_it_ends() -> None:
    world = Unified(USDT="1000")
    world.does(world.spot_margin("5"))
    order = world.place(world.carol, borrowing(Side.BUY, "0.08", "40000"))
    assert (world.has("USDT"), world.kept("USDT"), plain(world.figures("USDT").owed)) == (
        "-2200",
        "3200",
        "2200",
    )
    assert world.refuses(world.spot_margin(on=False)) == blocked(SPOT_MARGIN, Obstacle.DEBT)
    assert world.refuses(world.setting(AccountMargin.ISOLATED)) == blocked(
        Setting.ACCOUNT_MARGIN, Obstacle.DEBT, Obstacle.BORROWING
    )
    world.is_same_again()
    world.deposit(world.carol, "USDT", "2200", WALLET)
    assert world.refuses(world.spot_margin(on=False)) == blocked(SPOT_MARGIN, Obstacle.BORROWING)
    world.cancel(order)
    assert (world.has("USDT"), plain(world.figures("USDT").owed)) == ("3200", "0")
    world.does(world.spot_margin(on=False))


def test_what_is_sold_may_be_borrowed_too() -> None:
    """0.02 BTC for 1000 of 500 USDT: 1000 are owed, and need 200; 1500 less 1000 are there."""
    world = Unified(USDT="500")
    world.does(world.spot_margin("5"))
    world.trade(PAIR, "-0.02", "50000", borrows=True)
    assert (world.has("USDT"), world.has("BTC")) == ("1500", "-0.02")
    assert plain(world.totals().margin_balance) == "500"
    world.trade(PAIR, "0.02", "50000")
    assert world.has("BTC") == "0"


def test_orders_at_market_and_orders_that_wait_borrow_alike() -> None:
    world = Unified(USDT="1000")
    world.does(world.spot_margin("5"))
    world.sell(world.bob, "0.1", "50000")
    refused = world.refuses(world.placing(world.carol, market(Side.BUY, "0.1", borrows=True)))
    assert isinstance(refused, r.InsufficientMargin)
    waiting = world.place(world.carol, limit(Side.BUY, "0.01", "60000", trigger=stop("55000"), borrows=True))
    assert (world.has("USDT"), world.kept("USDT")) == ("400", "600")
    world.place(world.carol, market(Side.BUY, budget="2500", borrows=True))
    assert (world.has("USDT"), world.has("BTC")) == ("-2100", "0.05")
    world.cancel(waiting)


def test_who_does_not_borrow_spends_no_more_than_there_is() -> None:
    world = Unified(USDT="1000")
    world.does(world.spot_margin("5"))
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "0.03", "50000")))
    assert refused == r.InsufficientBalance(asset="USDT", needed=D(1500), available=D(1000))


def test_nobody_borrows_without_having_chosen_it() -> None:
    world = Unified(USDT="1000")
    asking = world.placing(world.carol, borrowing(Side.BUY, "0.03", "50000"))
    assert world.refuses(asking) == r.BorrowingOff(asset="USDT")
    assert world.refuses(world.spot_margin("11")) == r.LeverageInvalid(leverage=D(11), most=D(10))
    world.does(world.spot_margin(None))
    assert world.engine.state.spot_margins[world.carol, WALLET] == 10
    assert world.refuses(world.spot_margin("10")) == r.SettingUnchanged(setting=SPOT_MARGIN)
    world.does(world.setting(AccountMargin.ISOLATED))
    assert world.refuses(asking) == r.BorrowingOff(asset="USDT", is_isolated=True)
    assert world.refuses(world.spot_margin("3")) == blocked(SPOT_MARGIN, Obstacle.ISOLATED)


def test_a_lower_leverage_needs_to_be_covered() -> None:
    """3000 are owed and 800 there: a third is too much, a quarter is not."""
    world = Unified(USDT="1000")
    world.does(world.spot_margin("5"))
    world.trade(PAIR, "0.08", "50000", borrows=True)
    assert world.refuses(world.spot_margin("3")) == blocked(SPOT_MARGIN, Obstacle.MARGIN)
    world.does(world.spot_margin("4"))


def test_contracts_and_lists_do_not_borrow() -> None:
    world = Unified(USDT="1000")
    world.symbol = LINEAR
    refused = world.refuses(world.placing(world.carol, borrowing(Side.BUY, "0.01", "50000")))
    assert isinstance(refused, r.OrderTermsInvalid)


# Interest


def test_interest_is_paid_for_each_hour_that_a_jump_of_the_clock_covers() -> None:
    """0.00001 of 3000, of 3000.03 and of 3000.0600003, down to a hundred-millionth."""
    world = Unified(USDT="1000")
    world.does(world.spot_margin("5"))
    world.trade(PAIR, "0.08", "50000", borrows=True)
    to_interest(world)
    assert interests(world) == ["-0.03"]
    world.wait(HOUR - 1)
    assert interests(world) == ["-0.03"]
    world.wait(HOUR + 1)
    assert interests(world) == ["-0.03", "-0.0300003", "-0.0300006"]
    assert world.has("USDT") == "-3000.0900009"
    world.is_same_again()


def test_one_jump_and_many_steps_cost_the_same() -> None:
    worlds = [Unified(USDT="1000", GIFT="100") for _ in range(2)]
    for world in worlds:
        world.does(world.spot_margin("5"))
        world.trade(PAIR, "0.05", "50000", borrows=True)
        world.trade(LINEAR, "0.01", "50000")
    for _ in range(30):
        worlds[0].wait(10 * MINUTE)
    worlds[1].wait(300 * MINUTE)
    assert len(interests(worlds[0])) == 5
    assert worlds[0].engine.fingerprint() == worlds[1].engine.fingerprint()


def test_losses_that_are_not_realised_are_owed_and_free_up_to_a_bound() -> None:
    """Long 1 from 50000 lost 1000 at 49000: of 100 USDT, so 900 are owed, 400 beyond what is free."""
    world = Unified(USDT="100", GIFT="10000")
    world.trade(LINEAR, "1", "50000")
    world.price("49000")
    assert plain(world.figures("USDT").owed) == "900"
    to_interest(world)
    assert interests(world) == ["-0.004"]
    (charged,) = [one for _, events in world.history for one in events if isinstance(one, e.InterestCharged)]
    assert (charged.owed, charged.bearing, charged.of_loan) == (D(900), D(400), D(0))


def test_more_than_can_be_borrowed_costs_a_power_of_it() -> None:
    """Long 10 from 50000 lost 150000 at 35000, one and a half times what can be borrowed: 149500 of it are
    not free, and cost 0.00001 * 1.5 ^ 3 = 0.00003375."""
    dear = msgspec.structs.replace(USDT, over_power=3)
    for asset, cost, rate in ((dear, "-5.045625", "0.00003375"), (USDT, "-1.495", "0.00001")):
        world = Unified(assets=(asset, COIN, GIFT), GIFT="1000000")
        world.trade(LINEAR, "10", "50000")
        world.price("35000")
        to_interest(world)
        assert interests(world) == [cost]
        charged = [one for _, events in world.history for one in events if isinstance(one, e.InterestCharged)]
        assert [plain(one.rate) for one in charged] == [rate]
        world.is_same_again()
    with exact():
        # Not before there is more.
        assert dear.rate_of(D(100_000)) == D("0.00001")


def test_who_owes_nothing_pays_nothing() -> None:
    world = Unified(USDT="10000")
    world.trade(LINEAR, "0.1", "50000")
    world.trade(PAIR, "0.01", "50000")
    world.wait(5 * HOUR)
    assert interests(world) == []


# Borrowing by itself


def test_what_was_borrowed_is_there_and_owed() -> None:
    """2000 USDT need a tenth; GIFT counts for 1000."""
    world = Unified(GIFT="1000")
    world.does(world.borrowing("USDT", "2000"))
    totals = world.totals()
    assert (world.has("USDT"), plain(world.figures("USDT").owed)) == ("2000", "2000")
    assert (plain(totals.margin_balance), plain(totals.available)) == ("1000", "800")
    # What is taken away is not there any more, though it is owed still: of 1000 the tenth must stay.
    assert world.refuses(world.taking("USDT", "801")) == r.InsufficientBalance(
        asset="USDT", needed=D(801), available=D(800)
    )
    world.does(world.taking("USDT", "800"))
    assert plain(world.totals().available) == "0"
    world.is_same_again()


def test_no_more_is_lent_than_is_covered_or_may_be_owed() -> None:
    """1000 cover 10000 at a tenth; 2 BTC may be owed."""
    world = Unified(GIFT="1000")
    assert world.refuses(world.borrowing("USDT", "10001")) == r.InsufficientMargin(
        asset="USDT", needed=D(10001), available=D(10000)
    )
    world.deposit(world.carol, "GIFT", "1000000", WALLET)
    assert world.refuses(world.borrowing("BTC", "2.1")) == r.BorrowedTooMuch(
        asset="BTC", owed=D("2.1"), most=D(2)
    )
    assert world.refuses(world.borrowing("GIFT", "1")) == r.BorrowingOff(asset="GIFT")
    assert world.refuses(world.borrowing("USDT", "0")) == r.AmountInvalid(amount=D(0))
    world.does(world.borrowing("BTC", "2"))
    world.is_same_again()


def test_interest_is_owed_with_what_was_borrowed_and_given_back_first() -> None:
    """0.02 of 2000 and 0.0200002 of 2000.02; then 1000 give back 0.0400002 of interest and 999.9599998."""
    world = Unified(GIFT="10000")
    world.does(world.borrowing("USDT", "2000"))
    to_interest(world)
    world.wait(HOUR)
    loan = world.engine.state.loans[world.carol, WALLET, "USDT"]
    assert (plain(loan.principal), plain(loan.interest), world.has("USDT")) == ("2000", "0.0400002", "2000")
    assert world.refuses(world.repaying("USDT", "2001")) == r.NothingOwed(
        asset="USDT", owed=D("2000.0400002")
    )
    (given,) = world.does(world.repaying("USDT", "1000"))
    assert isinstance(given, e.LoanRepaid)
    assert (plain(given.interest), plain(given.principal)) == ("0.0400002", "999.9599998")
    assert world.has("USDT") == "1000"
    # 1000.0400002 are owed, and 1000 there.
    world.does(world.repaying("USDT"))
    assert (world.has("USDT"), plain(world.figures("USDT").owed)) == ("0", "0.0400002")
    refused = world.refuses(world.repaying("USDT"))
    assert isinstance(refused, r.InsufficientBalance)
    world.is_same_again()


def test_what_is_missing_is_bought_for_other_assets() -> None:
    """95 USDT are owed and were spent; they cost 0.002 BTC at 47500."""
    world = Unified(BTC="0.01")
    world.does(world.borrowing("USDT", "95"))
    world.trade(PAIR, "0.001", "50000")
    world.trade(PAIR, "0.001", "45000")
    assert (world.has("USDT"), world.has("BTC")) == ("0", "0.012")
    world.does(world.repaying("USDT", converts=True))
    assert (world.has("USDT"), world.has("BTC")) == ("0", "0.01")
    assert not world.engine.state.loans
    assert world.refuses(world.repaying("USDT")) == r.NothingOwed(asset="USDT", owed=D(0))
    world.is_same_again()


def test_what_is_below_zero_is_made_up_for_alike() -> None:
    """A loss of 100 USDT, and 0.01 BTC of which 0.00210527 are 100.000325 at 47500, or all that is needed."""
    world = Unified(BTC="0.01")
    world.trade(LINEAR, "0.05", "50000")
    world.trade(LINEAR, "-0.05", "48000")
    assert world.has("USDT") == "-100"
    world.does(world.repaying("USDT", converts=True))
    assert (world.has("USDT"), world.has("BTC")) == ("0", "0.00789473")


def test_assets_are_sold_one_after_the_other_where_they_have_turns() -> None:
    """A loss of 100 USDT: all of 60 GIFT, each for 1 USDT, then 40 USDT for BTC at 47500, as above."""
    world = Unified(assets=(USDT, replaced(COIN, turn=2), replaced(GIFT, turn=1)), BTC="0.01", GIFT="60")
    world.trade(LINEAR, "0.05", "50000")
    world.trade(LINEAR, "-0.05", "48000")
    world.does(world.repaying("USDT", converts=True))
    assert [world.has(one) for one in ("USDT", "GIFT", "BTC")] == ["0", "0", "0.00915789"]


def test_assets_of_one_turn_are_sold_together() -> None:
    """50 GIFT and 0.01 BTC stand for 50 and 475: for 100 of 525 go 0.00190476 BTC, down, for 90.4761, and
    9.5239 GIFT for the rest."""
    world = Unified(BTC="0.01", GIFT="50")
    world.trade(LINEAR, "0.05", "50000")
    world.trade(LINEAR, "-0.05", "48000")
    world.does(world.repaying("USDT", converts=True))
    assert [world.has(one) for one in ("USDT", "GIFT", "BTC")] == ["0", "40.4761", "0.00809524"]


# What is owed cannot be kept for ever


def test_who_owes_is_liquidated_without_any_position() -> None:
    """3000 owed need 120, and 0.08 BTC count for 0.076 of the price: 3120 / 0.076 = 41052.63...; at 41052 a
    BTC is sold for 38999.4, so 3000 cost 0.0769242603..., up."""
    world = Unified(USDT="1000")
    world.does(world.spot_margin("5"))
    world.trade(PAIR, "0.08", "50000", borrows=True)
    world.price("41053")
    assert world.has("USDT") == "-3000"
    happened = world.price("41052")
    assert [one for one in happened if isinstance(one, e.LiquidationBegun)]
    assert (world.has("USDT"), world.has("BTC")) == ("0", "0.00307573")
    world.is_same_again()


def test_the_market_itself_finds_who_owes_too_much() -> None:
    moments = [(START - SECOND, "50000"), (START + 20 * SECOND, "41500"), (START + 40 * SECOND, "41000")]
    world = Unified(ScriptedFeed(*moments), USDT="1000")
    world.does(world.spot_margin("5"))
    world.trade(PAIR, "0.08", "50000", borrows=True)
    happened = world.until(60)
    begun = [at for at, events in happened if isinstance(events[0], e.LiquidationBegun)]
    assert begun == [START + 40 * SECOND]


def test_what_was_borrowed_is_given_back_when_it_cannot_be_kept() -> None:
    """20000 are owed and need 800, 5000 of them are left, and 0.4 BTC count for 0.38 of the price: so it is
    kept above 15800 / 0.38 = 41578.94... Then all that is there is given back, so 15000 are owed and need
    600, which is kept above 15600 / 0.38 = 41052.63..."""
    world = Unified(BTC="0.1")
    world.does(world.borrowing("USDT", "20000"))
    world.trade(PAIR, "0.3", "50000")
    assert world.has("USDT") == "5000"
    world.price("41579")
    assert world.engine.state.loans
    happened = world.price("41578")
    kinds = [type(one) for one in happened if isinstance(one, e.LiquidationBegun | e.LoanRepaid)]
    assert kinds == [e.LiquidationBegun, e.LoanRepaid]
    assert not world.engine.state.loans
    assert world.has("USDT") == "-15000"
    world.price("41053")
    assert world.has("USDT") == "-15000"
    world.price("41052")
    assert world.has("USDT") == "0"
    world.is_same_again()


def test_what_is_lent_is_what_the_lender_gave_away() -> None:
    world = Unified(USDT="1000", BTC="1")
    world.does(world.spot_margin())
    world.does(world.borrowing("USDT", "300"))
    world.does(world.repaying("USDT", "100"))
    assert world.engine.audit() == []
    lender, faucet = (world.engine.state.ledger.counterparties[one] for one in (LOANS, FAUCET))
    lender["USDT"] += 1
    faucet["USDT"] -= 1
    (mismatch,) = world.engine.audit()
    assert str(mismatch) == "loans of USDT: expected 200, found 199"
