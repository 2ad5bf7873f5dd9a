"""Liquidation where a position passes to the insurance fund as a whole; figures by hand as shown.

Margins hold 0.05 % for closing where nothing is left, which is what a taker pays, and makers pay 0.02 %.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.contracts import Contract, FeeBasis, Valuation
from emulator.core.history import ClosedRecord, FillKind, Transaction, TransactionKind
from emulator.core.instruments import Side, TimeInForce
from emulator.core.orders import Cause, EndReason, OrderStatus
from emulator.core.positions import Leg, MarginMode
from emulator.core.rules import LiquidationStyle, MarginRules
from tests.core.futures import BTC, BTC_COIN, ETH
from tests.core.sameness import assert_same
from tests.core.scripted import ScriptedFeed
from tests.core.test_liquidations import forced, fund, quarters, told
from tests.core.test_trading_contracts import Pit
from tests.core.world import SECOND, World, deep, limit, market, perpetual, plain, replaced, still, stop

D = Decimal
FEES: dict[str, Any] = {"taker_fee": D("0.0005"), "maker_fee": D("0.0002")}
TAKEOVER = LiquidationStyle.TAKEOVER


def closing(contract: Contract) -> Contract:
    return replaced(
        contract,
        initial_fee=D("0.0005"),
        maintenance_fee=D("0.0005"),
        maintenance_fee_on=FeeBasis.BANKRUPTCY,
        isolated_initial_by=Valuation.ENTRY,
    )


def pit(
    feed: ScriptedFeed | None = None,
    contract: Contract = BTC,
    *,
    insurance: str = "0",
    price: str = "100000",
    **rules: Any,
) -> Pit:
    margin = MarginRules(insurance={contract.settle: D(insurance)}, liquidation_style=TAKEOVER, **rules)
    one = Pit(closing(contract), feed or still(price), margin=margin, keeps_transactions=True, **FEES)
    for account in (one.alice, one.bob):
        one.does(c.SetMarginMode(account=account, instrument=one.symbol, mode=MarginMode.ISOLATED))
    return one


def test_it_is_closed_at_its_bankruptcy_price() -> None:
    """500 and 9500 * 0.0005 = 4.75 are put up for 0.1 at 100000, which leave nothing at 95000.

    4.75 and 0.004 of what it is worth must be kept: 0.1 * p - 9500 = 0.0004 * p at 9500 / 0.0996 = 95381.526.
    The fund parts with it at 95381.5.
    """
    one = pit()
    one.trade("0.1", "100000")
    assert plain(one.position().margin) == "504.75"
    one.price("95381.6")
    assert one.position().quantity
    one.price("95381.5")
    assert not one.position().quantity
    (order,) = forced(one)
    assert (order.status, one.fills(order)) == (OrderStatus.FILLED, [("95000", "0.1")])
    assert told(one) == [("commission", "-5"), ("realised", "-500"), ("commission", "-4.75")]
    assert (one.balance(), fund(one)) == ("999490.25", "38.15")


def test_what_the_book_gives_for_it_is_the_funds() -> None:
    """0.1 * (95381.4 - 95000); its owner is told of one trade, the market of another."""
    one = pit(deep("100000"))
    one.place(one.alice, market(Side.BUY, "0.1"))
    happened = one.price("95381.5")
    (order,) = forced(one)
    assert one.fills(order) == [("95000", "0.1")]
    assert one.balance() == "999490.25"
    assert fund(one) == "38.14"
    began = next(at for at, event in enumerate(happened) if isinstance(event, e.LiquidationBegun))
    names = [type(event).__name__ for event in happened[began:]]
    assert names == ["LiquidationBegun", "OrderPlaced", "TradeExecuted", "PositionTakenOver"]
    assert plain(one.last()) == "95381.4"


def test_orders_in_the_book_trade_with_the_fund() -> None:
    """Bob buys 0.04 at 95300; the mark price is got for the rest: 0.04 * 300 + 0.06 * 381.5."""
    one = pit()
    one.trade("0.1", "100000")
    bobs = one.buy(one.bob, "0.04", "95300")
    one.price("95381.5")
    assert one.fills(bobs) == [("95300", "0.04")]
    assert one.fills(forced(one)[0]) == [("95000", "0.1")]
    assert fund(one) == "34.89"


def test_a_gap_is_the_funds() -> None:
    one = pit(insurance="1000")
    one.trade("0.1", "100000")
    one.price("94000")
    assert (one.balance(), fund(one)) == ("999490.25", "-100")


def test_a_short_is_closed_above() -> None:
    """500 and 10500 * 0.0005 = 5.25; 10500 / 0.1004 = 104581.67."""
    one = pit()
    one.trade("-0.1", "100000")
    assert plain(one.position().margin) == "505.25"
    one.price("104581.6")
    assert one.position().quantity
    one.price("104581.7")
    assert one.fills(forced(one)[0]) == [("105000", "0.1")]
    assert (one.balance(), fund(one)) == ("999489.75", "41.83")


def test_an_inverse_contract_loses_coins() -> None:
    """100 of 100 dollars at 50000: 0.2 / 10 and 0.2 * 11 / 10 * 0.0005 = 0.00011. 10000 * 1.004 / 0.22 is
    45636.36...; nothing is left at 45454.54..., and 10000 / 45454.6 * 0.0005 = 0.000109999... is the fee."""
    one = pit(contract=BTC_COIN, price="50000")
    one.does(one.leverage("10"))
    one.trade("100", "50000")
    assert plain(one.position().margin) == "0.02011"
    one.does(c.SetPrice(pair="BTC/USD", price=D("45636.4")))
    assert one.position().quantity
    one.does(c.SetPrice(pair="BTC/USD", price=D("45636.3")))
    assert one.fills(forced(one)[0]) == [("45454.6", "100")]
    assert told(one)[1:] == [("realised", "-0.01999974"), ("commission", "-0.00010999")]


def test_the_records_of_it_say_the_same() -> None:
    one = pit()
    one.trade("0.1", "100000")
    one.price("95381.5")
    views, account = one.engine.views, one.alice
    line = views.transactions[account, one.wallet][-1]
    assert isinstance(line, Transaction)
    assert (line.kind, plain(line.cash), plain(line.fee)) == (TransactionKind.LIQUIDATION, "-500", "4.75")
    assert (plain(line.price or D(0)), plain(line.rate)) == ("95000", "0.0005")
    assert plain(line.balance) == one.balance() == "999490.25"
    (record,) = views.closed.values()
    assert isinstance(record, ClosedRecord)
    assert (record.kind, plain(record.exit)) == (FillKind.LIQUIDATION, "9500")
    assert plain(record.closing_fee) == "4.75"
    life = one.engine.state.lifetime(account, one.symbol)
    assert (plain(life.realised), plain(life.fees)) == ("-500", "9.75")


def test_margin_that_is_added_by_itself_is_what_closing_costs_then_as_well() -> None:
    """505.25 are added to the 505.25 of 0.1 sold at 100000, so nothing is left at 11010.5 / 1.0005, and
    5.50249... is for closing, instead of 5.25: 11004.99... is 0.1004 * p at 109611.5, and not at 109613."""
    one = pit()
    one.does(c.SetReplenishment(account=one.alice, instrument=one.symbol, leg=Leg.BOTH, on=True))
    one.trade("-0.1", "100000")
    one.price("109611.5")
    assert (plain(one.position().quantity), plain(one.position().margin)) == ("-0.1", "1010.5")
    one.price("109612")
    assert (plain(one.position().quantity), plain(one.position().margin)) == ("-0.1", "1515.75")


# Tier by tier


def large(feed: ScriptedFeed) -> Pit:
    """10 at 100000, in the third tier; 50000 and 950000 * 0.0005 = 475."""
    one = pit(feed, insurance="100000")
    one.deposit(one.bob, "USDT", "9000000", one.wallet)
    one.trade("10", "100000")
    assert plain(one.position().margin) == "50475"
    return one


def test_it_is_made_smaller_by_an_ordinary_trade() -> None:
    """10 * p - 950000 = 10 * p * 0.0065 - 1500 at 948500 / 9.935 = 95470.55.... 800000 / 95470.5 is 8.379, so
    1.621 are sold: 1 at 95470.4 and 0.621 at 95469.4, for 47.7352 and 29.6432487.

    50475 - 4529.6 - 2813.5026 - 77.3784487 are left of the margin.
    """
    one = large(deep("100000"))
    one.price("95470.6")
    assert not forced(one, Cause.REDUCTION)
    one.price("95470.5")
    (order,) = forced(one, Cause.REDUCTION)
    assert (order.terms.time_in_force, order.status) == (TimeInForce.FOK, OrderStatus.FILLED)
    assert one.fills(order) == [("95470.4", "1"), ("95469.4", "0.621")]
    assert {fill.kind for fill in one.engine.views.fills_of[order.id]} == {FillKind.TRADE}
    assert plain(one.position().quantity) == "8.379"
    assert plain(one.position().margin) == "43054.5189513"
    assert not forced(one)
    assert fund(one) == "0"


def test_a_part_that_nobody_buys_whole_is_not_sold() -> None:
    """The rest of the book is below the bankruptcy price of 95000."""
    one = large(still("100000"))
    one.buy(one.bob, "1.6", "95300")
    one.price("95470.5")
    assert not forced(one, Cause.REDUCTION)
    (order,) = forced(one)
    assert one.fills(order) == [("95000", "10")]


# Cross


def test_one_of_two_positions_costs_no_more_than_what_had_to_be_kept_for_it() -> None:
    """At 90300 what is left of 10101.2 is 401.2, as much as must be kept: 361.2 for 1 BTC and 40 for 0.1 ETH,
    short at 100000. So the first is closed at 90300 - 361.2, and the second at 100000 + 400."""
    world = World(
        still("100000"),
        perpetual(BTC),
        perpetual(ETH, symbol="ETHUSDT_PERP", base="ETH"),
        margin=MarginRules(insurance={"USDT": D(1000)}, liquidation_style=TAKEOVER),
        funds="10000000",
    )
    carol = world.open("carol", USDT="10101.2")
    world.sell(world.bob, "1", "100000")
    world.buy(carol, "1", "100000")
    world.symbol = "ETHUSDT_PERP"
    world.buy(world.bob, "0.1", "100000")
    world.sell(carol, "0.1", "100000")
    world.symbol = "BTCUSDT_PERP"
    world.price("90300.1")
    assert not forced(world)
    world.price("90300")
    assert [world.fills(order) for order in forced(world)] == [[("89938.8", "1")], [("100400", "0.1")]]
    assert world.free(carol, "USDT", "usdm") == 0
    assert fund(world) == "401.2"


def test_where_there_is_less_than_that_it_costs_all_there_is() -> None:
    """At 90200 only 301.2 are left, so nothing is at 90200 - 301.2."""
    one = Pit(BTC, margin=MarginRules(insurance={"USDT": D(1000)}, liquidation_style=TAKEOVER))
    one.price("100000")
    carol = one.open("carol", USDT="10101.2")
    one.sell(one.bob, "1", "100000")
    one.buy(carol, "1", "100000")
    one.price("90200")
    assert one.fills(forced(one)[0]) == [("89898.8", "1")]
    assert one.free(carol, "USDT", "usdm") == 0


# Deleveraging


def test_the_other_side_pays_as_a_maker_and_its_orders_end() -> None:
    """At 94000 nobody has the 100 that were lost beyond 500: bob's short is closed at 95000, for
    9500 * 0.0002."""
    one = pit(deleveraging_ends_orders=True)
    one.trade("0.1", "100000")
    rests = one.sell(one.bob, "0.4", "120000")
    waits = one.place(one.bob, market(Side.BUY, "0.1", trigger=stop("130000")))
    one.price("94000")
    (counter,) = forced(one, Cause.DELEVERAGING)
    assert one.fills(counter) == one.fills(forced(one)[0]) == [("95000", "0.1")]
    assert (rests.status, rests.end_reason) == (OrderStatus.EXPIRED, EndReason.DELEVERAGING)
    assert waits.status is OrderStatus.DORMANT
    # What he sold at 100000 he sold as a maker as well.
    assert told(one, one.bob) == [("commission", "-2"), ("realised", "500"), ("commission", "-1.9")]
    assert one.balance() == "999490.25"
    (fill,) = one.engine.views.fills_of[counter.id]
    assert (fill.is_maker, plain(fill.rate)) == (True, "0.0002")
    assert fund(one) == "0"


def test_nobody_is_deleveraged_of_what_the_book_closed_already() -> None:
    """Bob goes first, and bids for 0.04 of the 0.05 that he is short of, above the bankruptcy price.

    The price falls within a second, and nobody sells; at its end so does the mark price.
    """
    one = pit(quarters((42, "94000")))
    carol = one.open("carol", USDT="20000")
    one.trade("0.05", "100000")
    one.sell(carol, "0.05", "100000")
    one.buy(one.alice, "0.05", "100000")
    bid = one.buy(one.bob, "0.04", "95200")
    one.wait(11 * SECOND)
    assert one.fills(bid) == [("95200", "0.04")]
    assert [(order.account, plain(order.executed)) for order in forced(one, Cause.DELEVERAGING)] == [
        (one.bob, "0.01"),
        (carol, "0.05"),
    ]
    assert not one.position(carol).quantity
    assert not one.position(one.bob).quantity


def test_it_all_comes_back() -> None:
    one = large(deep("100000"))
    carol = one.open("carol", USDT="20000")
    one.does(c.SetPositionMode(account=carol, wallet=one.wallet, hedged=True))
    one.place(carol, limit(Side.BUY, "0.5", "100000.1", leg=Leg.LONG))
    one.price("95470.5")
    one.price("90000")
    assert forced(one, Cause.REDUCTION)
    assert forced(one)
    assert_same(one.engine, one.replayed())
