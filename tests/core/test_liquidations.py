"""Liquidation through an engine. Figures by docs/futures-maths.md (L3, L15, K6, K7) or by hand as shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.contracts import Contract
from emulator.core.engine import Engine, Risk
from emulator.core.history import Income, incomes_of
from emulator.core.instruments import OrderType, Side, TimeInForce
from emulator.core.ledger import INSURANCE, PROFIT
from emulator.core.orders import Cause, EndReason, Order, OrderStatus
from emulator.core.positions import Leg, MarginMode
from emulator.core.rules import MarginRules
from tests.core.futures import BTC, BTC_COIN, ETH
from tests.core.sameness import assert_same
from tests.core.scripted import ScriptedFeed
from tests.core.test_trading_contracts import Pit
from tests.core.world import (
    SECOND,
    START,
    World,
    deep,
    market,
    perpetual,
    plain,
    replaced,
    still,
    stop,
)

D = Decimal


def pit(
    feed: ScriptedFeed | None = None,
    contract: Contract = BTC,
    *,
    fund: str = "0",
    price: str = "100000",
    isolated: bool = True,
    **rules: Any,
) -> Pit:
    margin = MarginRules(insurance={contract.settle: D(fund)}, **rules)
    made = Pit(contract, feed or still(price), margin=margin)
    if isolated:
        made.does(c.SetMarginMode(account=made.alice, instrument=made.symbol, mode=MarginMode.ISOLATED))
    return made


def forced(world: World, cause: Cause = Cause.LIQUIDATION) -> list[Order]:
    return [order for order in world.engine.views.orders.values() if order.terms.cause is cause]


def told(one: Pit, account: int | None = None) -> list[tuple[str, str]]:
    """Incomes but for deposits."""
    query = incomes_of(account or one.alice, one.wallet)
    incomes = one.engine.views.select(Income, query)
    return [(i.kind.value, plain(i.amount)) for i in incomes if i.kind.value != "deposit"]


def fund(one: World, asset: str = "USDT") -> str:
    """What the insurance fund gained."""
    return plain(one.engine.state.ledger.counterparties[INSURANCE].get(asset, D(0)))


def kinds(happened: list[tuple[int, tuple[e.Event, ...]]]) -> list[str]:
    return [type(event).__name__ for _, events in happened for event in events]


# One isolated position


def test_a_position_is_closed_in_the_book_at_its_liquidation_price() -> None:
    """L3: 95381.5. There 461.85 of 500 are lost, and 38.1526 must be kept.

    It is sold at 95381.4, so 38.14 are left, of which the fee of 1.25 % takes all (as in K6).
    """
    one = pit(deep("100000"))
    one.place(one.alice, market(Side.BUY, "0.1"))
    assert plain(one.position().margin) == "500"
    one.price("95381.6")
    assert one.position().quantity
    one.price("95381.5")
    assert not one.position().quantity
    (order,) = forced(one)
    assert (order.terms.type, order.terms.time_in_force) == (OrderType.LIMIT, TimeInForce.IOC)
    assert (order.client_id, plain(order.price or D(0))) == (f"liquidation-{order.id}", "95000")
    assert (order.status, one.fills(order)) == (OrderStatus.FILLED, [("95381.4", "0.1")])
    assert told(one) == [("realised", "-461.86"), ("liquidation_fee", "-38.14")]
    assert (one.balance(), fund(one)) == ("999500", "38.14")
    assert plain(one.engine.views.fills_of[order.id][0].fee) == "0"


def test_what_the_book_does_not_take_the_fund_takes_over() -> None:
    """At 95000, where nothing is left; it parts with it at 95381.5 and keeps 0.1 * 381.5."""
    one = pit()
    one.trade("0.1", "100000")
    one.price("95381.5")
    last = one.last()
    (order,) = forced(one)
    assert (order.status, one.fills(order)) == (OrderStatus.FILLED, [("95000", "0.1")])
    assert told(one) == [("realised", "-500")]
    assert (one.balance(), fund(one)) == ("999500", "38.15")
    # Only accounts that were in it are told of the trade, which has a number all the same.
    assert one.last() == last == D("95381.5")
    (fill,) = one.engine.views.fills_of[order.id]
    tape = one.engine.state.markets[one.symbol]
    assert fill.trade not in [entry.id for entry in tape.trades(1, 100, one.now)]
    one.trade("0.1", "95381.5")
    assert tape.last_print(one.now).id == fill.trade + 1


def test_a_gap_is_the_funds() -> None:
    """K7: at 94000 100 more are lost than there was."""
    one = pit(fund="1000")
    one.trade("0.1", "100000")
    one.price("94000")
    assert told(one) == [("realised", "-500")]
    assert (one.balance(), fund(one)) == ("999500", "-100")


def test_a_short_is_bought_back() -> None:
    """L4: at 104581.7; 105000 is where nothing is left."""
    one = pit()
    one.trade("-0.1", "100000")
    one.price("104581.6")
    assert one.position().quantity
    one.price("104581.7")
    (order,) = forced(one)
    assert (order.side, one.fills(order)) == (Side.BUY, [("105000", "0.1")])
    assert (one.balance(), fund(one)) == ("999500", "41.83")


def test_an_inverse_contract_loses_coins() -> None:
    """L15: 100 at 50000 with 0.02 BTC at 45636.4; at 45454.6, above 10000 / 0.22, hardly anything is left."""
    one = pit(contract=BTC_COIN, price="50000")
    one.does(one.leverage("10"))
    one.trade("100", "50000")
    assert plain(one.position().margin) == "0.02"
    one.does(c.SetPrice(pair="BTC/USD", price=D("45636.4")))
    assert one.position().quantity
    one.does(c.SetPrice(pair="BTC/USD", price=D("45636.3")))
    (order,) = forced(one)
    assert one.fills(order) == [("45454.6", "100")]
    # 0.2 - 10000 / 45454.6 = -0.01999973600... to the nearest satoshi; the fee would be zero here.
    assert told(one) == [("realised", "-0.01999974")]
    assert one.balance() == "999999.98000026"


def test_orders_beside_it_end_first_and_others_stay() -> None:
    one = pit()
    beside = one.sell(one.alice, "0.1", "120000")
    waits = one.place(one.alice, market(Side.SELL, "0.1", trigger=stop("80000")))
    one.trade("0.1", "100000")
    bobs = one.sell(one.bob, "0.1", "120000")
    one.price("95381.5")
    for order in (beside, waits):
        assert (order.status, order.end_reason) == (OrderStatus.EXPIRED, EndReason.LIQUIDATION)
    assert bobs.status is OrderStatus.NEW
    ended = [event for _, events in one.history for event in events]
    begun = next(place for place, event in enumerate(ended) if isinstance(event, e.LiquidationBegun))
    names = [type(event).__name__ for event in ended[begun:]]
    assert names == ["LiquidationBegun", "OrderExpired", "OrderExpired", "OrderPlaced", "PositionTakenOver"]
    assert ended[begun] == e.LiquidationBegun(
        account=one.alice,
        wallet="usdm",
        asset="USDT",
        instrument=one.symbol,
        leg=Leg.BOTH,
        equity=D("38.15"),
        maintenance=D("38.1526"),
    )


def test_margin_that_was_added_holds_it() -> None:
    """With 600 nothing is left at 94000 only; it is kept at 95381.5, and not at 94377.5."""
    one = pit(fund="1000")
    one.trade("0.1", "100000")
    one.does(c.MoveMargin(account=one.alice, instrument=one.symbol, amount=D(100)))
    one.price("95381.5")
    assert one.position().quantity
    one.price("94377.5")
    assert one.fills(forced(one)[0]) == [("94000", "0.1")]


# By the market's own moves


def quarters(*script: tuple[int, str]) -> ScriptedFeed:
    """At 100000 first; times are quarters of a second from the start."""
    moments = [(START + at * SECOND // 4, price) for at, price in script]
    return ScriptedFeed((START - SECOND, "100000"), *moments)


def test_it_happens_at_the_first_tick_beyond() -> None:
    """The mark is the index here, whose ticks are whole seconds."""
    one = pit(quarters((42, "95381.6"), (81, "95381.5"), (87, "101000")))
    one.trade("0.1", "100000")
    happened = one.wait(3600 * SECOND)
    liquidated = [time_us for time_us, events in happened if isinstance(events[0], e.LiquidationBegun)]
    assert liquidated == [START + 21 * SECOND]


def test_between_two_ticks_it_does_not_count() -> None:
    one = pit(quarters((41, "90000"), (43, "100000")))
    one.trade("0.1", "100000")
    assert one.wait(3600 * SECOND) == []


def test_whoever_is_lost_by_a_trade_is_found_at_the_next_tick() -> None:
    """Bought at 104700 where the mark is 100000: at 20x 5235 are put up, and 4700 are lost already."""
    free = MarginRules(insurance={"USDT": D(10000)})
    one = Pit(BTC, still("100000"), margin=free)
    one.does(c.SetMarginMode(account=one.alice, instrument=one.symbol, mode=MarginMode.ISOLATED))
    one.does(one.leverage("21"))
    one.wait(SECOND // 4)
    one.trade("1", "104700")
    assert one.position().quantity
    assert one.engine.next_due_us(one.now) == START + SECOND
    # 104700 / 21 = 4985.71428571; less 4700 is 285.71428571, and 400 must be kept.
    happened = one.wait(SECOND)
    assert [time_us for time_us, _ in happened] == [START + SECOND]
    assert not one.position().quantity


# Tier by tier


def large(feed: ScriptedFeed, **rules: Any) -> Pit:
    """10 BTC at 100000, which is in the third tier, with 50000 of margin."""
    one = pit(feed, replaced(BTC, liquidation_fee=D(0)), **rules)
    one.deposit(one.bob, "USDT", "9000000", "usdm")
    one.trade("10", "100000")
    assert plain(one.position().margin) == "50000"
    return one


def test_a_large_position_is_made_smaller_by_a_tier() -> None:
    """At 95470 it is worth 954700, and 6205.55 - 1500 = 4705.55 must be kept; 4700 are left.

    8.379 are worth 799943.13, so 1.621 are sold: 1 at 95469.9 and 0.621 at 95468.9, which realises
    -4530.1 - 2813.8131. 50000 - 7343.9131 - 37956.87 = 4699.2169 are left, and 3999.71565 - 300 must be kept.
    """
    one = large(deep("100000"))
    one.price("95470")
    (order,) = forced(one)
    assert one.fills(order) == [("95469.9", "1"), ("95468.9", "0.621")]
    assert plain(one.position().quantity) == "8.379"
    assert told(one) == [("realised", "-4530.1"), ("realised", "-2813.8131")]
    # Closing a part gave back 8105 of the margin; what is left of it covers the rest again.
    assert plain(one.position().margin) == "42656.0869"
    assert one.free(one.alice, "USDT", "usdm") == 950000


def test_a_part_that_nobody_buys_is_taken_over() -> None:
    """1.621 at 95000 realises -8105: 50000 - 8105 - 37956.87 = 3938.13, and 3699.71565 must be kept."""
    one = large(still("100000"))
    one.price("95470")
    (order,) = forced(one)
    assert one.fills(order) == [("95000", "1.621")]
    assert plain(one.position().quantity) == "8.379"
    assert fund(one) == "761.87"


def test_tier_by_tier_until_nothing_is_left() -> None:
    """At 95100 the rest of the second tier cannot be kept either, nor that of the first."""
    one = large(still("100000"))
    one.price("95100")
    assert [plain(order.executed) for order in forced(one)] == ["1.588", "5.258", "3.154"]
    assert not one.position().quantity
    assert one.balance() == "950000"


def test_it_may_be_closed_as_a_whole_at_once() -> None:
    one = large(still("100000"), liquidates_by_tier=False)
    one.price("95470")
    assert [plain(order.executed) for order in forced(one)] == ["10"]


# Cross


def crossed(**rules: Any) -> World:
    """Two contracts of one wallet, and the fund of 1000."""
    margin = MarginRules(insurance={"USDT": D(1000)}, **rules)
    world = World(
        still("100000"),
        perpetual(replaced(BTC, liquidation_fee=D(0))),
        perpetual(ETH, symbol="ETHUSDT_PERP", base="ETH"),
        margin=margin,
        funds="10000000",
    )
    world.carol = world.open("carol", USDT="10000")  # type: ignore[attr-defined]  # of this story only
    return world


def test_a_cross_position_has_all_of_the_wallet() -> None:
    """L7 without the others: 10000 - 100000 + p = 0.004 p at 90361.445...; nothing is left at 90000."""
    world = crossed()
    carol = world.carol  # type: ignore[attr-defined]  # see above
    world.sell(world.bob, "1", "100000")
    world.buy(carol, "1", "100000")
    elsewhere = world.engine.state
    world.symbol = "ETHUSDT_PERP"
    waits = world.buy(carol, "0.1", "90000")
    world.symbol = "BTCUSDT_PERP"
    world.price("90361.5")
    assert waits.status is OrderStatus.NEW
    world.price("90361.4")
    assert (waits.status, waits.end_reason) == (OrderStatus.EXPIRED, EndReason.LIQUIDATION)
    (order,) = forced(world)
    assert world.fills(order) == [("90000", "1")]
    assert not elsewhere.accounts[carol].positions
    assert world.free(carol, "USDT", "usdm") == 0
    assert fund(world) == "361.4"


def test_of_two_positions_the_heavier_one_goes_first() -> None:
    """Without the BTC position there is enough for the ETH position.

    Long 1 BTC at 100000 and short 0.1 ETH at 100000, wallet 10000. At 90300 for BTC: 300 are left, and
    361.2 + 40 (0.4 % of 10000) must be kept. The bankruptcy price is 90000; a bid of 90250 leaves 250.
    """
    world = crossed()
    carol = world.carol  # type: ignore[attr-defined]  # see above
    world.sell(world.bob, "1", "100000")
    world.buy(carol, "1", "100000")
    world.symbol = "ETHUSDT_PERP"
    world.buy(world.bob, "0.1", "100000")
    world.sell(carol, "0.1", "100000")
    world.symbol = "BTCUSDT_PERP"
    world.buy(world.bob, "1", "90250")
    world.price("90300")
    (order,) = forced(world)
    assert (order.instrument, world.fills(order)) == ("BTCUSDT_PERP", [("90250", "1")])
    assert [symbol for symbol, _ in world.engine.state.accounts[carol].positions] == ["ETHUSDT_PERP"]
    assert world.free(carol, "USDT", "usdm") == 250


def test_both_legs_stand_together() -> None:
    """L8: wallet 5000, long 0.5 at 100000 and short 0.2 at 102000: at 82772.5 no more."""
    one = Pit(BTC, still("100000"), margin=MarginRules(insurance={"USDT": D(100000)}))
    carol = one.open("carol", USDT="5000")
    one.does(c.SetPositionMode(account=carol, wallet="usdm", hedged=True))
    one.sell(one.bob, "0.5", "100000")
    one.buy(carol, "0.5", "100000", leg=Leg.LONG)
    one.buy(one.bob, "0.2", "102000")
    one.sell(carol, "0.2", "102000", leg=Leg.SHORT)
    one.price("82772.6")
    assert not forced(one)
    one.price("82772.5")
    # 5000 - 0.5 * 17227.5 + 0.2 * 19227.5 = 231.75: nothing is left of the long one at 82772.5 - 463.5.
    assert one.fills(forced(one)[0]) == [("82309", "0.5")]
    # Then nothing is left but what the short one gained, whose own maintenance is not covered.
    assert one.fills(forced(one)[1]) == [("82772.5", "0.2")]
    assert one.free(carol, "USDT", "usdm") == 0


# Deleveraging


def test_without_a_fund_the_other_side_is_closed() -> None:
    """At 94000 nobody has the 100 that were lost beyond 500: bob's short is closed at 95000."""
    one = pit()
    one.trade("0.1", "100000")
    one.sell(one.bob, "0.4", "120000")
    reducing = one.buy(one.bob, "0.1", "93000", reduce_only=True)
    one.price("94000")
    (order,) = forced(one)
    (counter,) = forced(one, Cause.DELEVERAGING)
    assert one.fills(order) == one.fills(counter) == [("95000", "0.1")]
    assert (counter.account, counter.side, counter.client_id) == (
        one.bob,
        Side.BUY,
        f"deleveraging-{counter.id}",
    )
    assert counter.status is OrderStatus.FILLED
    assert told(one, one.bob) == [("realised", "500")]
    assert not one.position(one.bob).quantity
    assert (reducing.status, reducing.end_reason) == (OrderStatus.EXPIRED, EndReason.NOTHING_TO_REDUCE)
    assert fund(one) == "0"
    assert plain(one.engine.state.ledger.counterparties[PROFIT]["USDT"]) == "0"


def test_the_fund_takes_as_much_as_it_can_carry() -> None:
    """0.1 would cost it 100, so 50 carry 0.05."""
    one = pit(fund="50")
    one.trade("0.1", "100000")
    one.price("94000")
    (order,) = forced(one)
    assert one.fills(order) == [("95000", "0.05"), ("95000", "0.05")]
    assert one.fills(forced(one, Cause.DELEVERAGING)[0]) == [("95000", "0.05")]
    assert plain(one.position(one.bob).quantity) == "-0.05"
    assert fund(one) == "-50"


def test_who_has_most_profit_and_leverage_goes_first() -> None:
    """Both are short 0.1 at 100000, so at 94000 both gained 600; carol with 20000 in her wallet scores higher
    than bob, who has a million."""
    one = pit()
    carol = one.open("carol", USDT="20000")
    dave = one.open("dave", USDT="1000000")
    one.trade("0.1", "100000")
    one.buy(dave, "0.1", "100000")
    one.sell(carol, "0.1", "100000")
    one.price("94000")
    assert [order.account for order in forced(one, Cause.DELEVERAGING)] == [carol]
    assert (plain(one.position(one.bob).quantity), one.balance(carol)) == ("-0.1", "20500")


def test_at_last_the_market_is_on_the_other_side() -> None:
    one = pit(deep("100000"))
    one.place(one.alice, market(Side.BUY, "0.1"))
    one.price("94000")
    (order,) = forced(one)
    assert one.fills(order) == [("95000", "0.1")]
    assert not forced(one, Cause.DELEVERAGING)
    assert (one.balance(), fund(one)) == ("999500", "0")
    assert plain(one.engine.state.ledger.counterparties[PROFIT]["USDT"]) == "500"


# Warnings


class Told:
    def __init__(self) -> None:
        self.calls: list[tuple[Risk, int]] = []

    def happened(self, event: e.Event, now_us: int) -> None:
        pass

    def settled(self, now_us: int) -> None:
        pass

    def margin_called(self, risk: Risk, now_us: int) -> None:
        self.calls.append((risk, now_us))


def test_margin_is_called_for_once() -> None:
    """From 500 + 0.1 p - 10000 = 1.25 * 0.0004 p on: p = 95477.386..."""
    one = pit(warning_ratio=D("0.8"), fund="1000")
    watcher = Told()
    one.engine.observers = (watcher,)
    one.trade("0.1", "100000")
    one.price("95477.4")
    assert watcher.calls == []
    one.price("95477.3")
    risk = Risk(one.alice, "usdm", "USDT", one.symbol, Leg.BOTH)
    assert watcher.calls == [(risk, one.now)]
    one.price("95400")
    assert len(watcher.calls) == 1
    one.price("99000")
    one.does(c.MoveMargin(account=one.alice, instrument=one.symbol, amount=D(1)))
    one.wait(SECOND)
    one.price("95400")
    assert len(watcher.calls) == 2


# Again


@pytest.mark.parametrize("mode", list(MarginMode))
def test_it_comes_to_the_same_again(mode: MarginMode) -> None:
    one = pit(fund="50", isolated=mode is MarginMode.ISOLATED)
    carol = one.open("carol", USDT="600")
    one.trade("0.1", "100000")
    one.sell(one.bob, "0.1", "100000")
    one.buy(carol, "0.1", "100000")
    one.price("94000")
    assert forced(one)
    assert_same(one.engine, one.replayed())
    other = Engine("test", one.engine.instruments, one.feed, one.engine.state.wallets, one.engine.rules)
    other.restore(list(one.engine.capture().parts()))
    assert_same(one.engine, other)
    assert other.fingerprint() == one.engine.fingerprint()
