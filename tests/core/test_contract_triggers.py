"""Orders of contracts that wait for the last, the mark or the index price, and what protects them.

Sources: the developers' page "New Algo Order" (when conditional orders are triggered) and Binance's FAQ
"How to Place Stop-Loss and Take-Profit Orders on Binance Futures" (how prices are cut off).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.contracts import Contract, MarkRule
from emulator.core.instruments import Outcome, Side, TriggerSource
from emulator.core.numbers import exact
from emulator.core.orders import EndReason, Order, OrderStatus
from emulator.core.positions import Leg
from tests.core.futures import BTC
from tests.core.sameness import assert_same
from tests.core.scripted import Moment, ScriptedFeed
from tests.core.test_snapshot import restored
from tests.core.world import (
    SECOND,
    START,
    World,
    instrument,
    limit,
    market,
    moving,
    perpetual,
    profit,
    seen,
    stop,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
LAST, MARK, INDEX = TriggerSource.LAST, TriggerSource.MARK, TriggerSource.INDEX
DEEP: dict[str, Any] = {"depth": 20, "between": "0.1", "quantity": "5"}


class Pit(World):
    """A contract on a market that follows a script; its index is the price at whole seconds."""

    def __init__(self, *script: Moment, contract: Contract = BTC, feed: ScriptedFeed | None = None,
                 funds: str = "1000000", **changes: Any) -> None:  # fmt: skip
        made = feed or moving((-60, "100"), *script, spread="0.1", **DEEP)
        super().__init__(made, perpetual(contract, **changes), funds=funds)

    def price_of(self, source: TriggerSource) -> Decimal:
        with exact():
            return self.engine.state.markets[self.symbol].price_by(source, self.now)

    def triggered_at(self, order: Order) -> float | None:
        """Seconds from the start."""
        return (order.working_us - START) / SECOND if order.working_us else None

    def trade(self, price: str) -> None:
        """Bob sells alice a thousandth, so that this is the last price."""
        self.sell(self.bob, "0.001", price, post_only=True)
        self.buy(self.alice, "0.001", price)


# By which price


@pytest.mark.parametrize(("source", "second"), [(LAST, 10.25), (INDEX, 11), (MARK, 11)])
def test_a_stop_fires_by_the_price_that_it_names_and_at_that_very_moment(
    source: TriggerSource, second: float
) -> None:
    """The market trades at 105 a quarter second after the tenth; index and mark follow at whole seconds."""
    feed = moving((-60, "100"), (10, "104.9"), spread="0.1", **DEEP)
    feed = ScriptedFeed(
        *((one.time_us, str(one.price)) for one in feed.tape),
        (START + 10 * SECOND + SECOND // 4, "105"),
        spread="0.1",
        **DEEP,
    )
    pit = Pit(feed=feed)
    order = pit.place(pit.alice, market(BUY, "1", trigger=stop("105", source=source)))
    pit.until(60)
    assert (order.status, pit.triggered_at(order)) == (OrderStatus.FILLED, second)


def test_a_trade_between_accounts_moves_the_last_price_and_not_the_mark() -> None:
    pit = Pit()
    by_last = pit.place(pit.bob, market(SELL, "1", trigger=profit("103", source=LAST)))
    by_mark = pit.place(pit.bob, market(SELL, "1", trigger=profit("103", source=MARK)))
    pit.book([("100", "50")], [("110", "50")])
    pit.trade("105")
    assert by_last.status is OrderStatus.FILLED
    assert by_mark.status is OrderStatus.DORMANT


def test_the_book_of_a_contract_moves_its_mark_and_not_the_index() -> None:
    """Its middle, 104, is the mark once it stood for half a minute and the last price is beyond."""
    pit = Pit()
    by_index = pit.place(pit.alice, market(BUY, "1", trigger=stop("103", source=INDEX)))
    by_mark = pit.place(pit.alice, market(BUY, "1", trigger=stop("103", source=MARK)))
    pit.book([("103.9", "9")], [("104.1", "9")])
    pit.until(60)
    # Of the thirty seconds so many have to be of the new book that 100 + 4 * n / 30 is 103: 22.5.
    assert pit.triggered_at(by_mark) == 23
    assert by_index.status is OrderStatus.DORMANT
    pit.price("103")
    assert pit.triggered_at(by_index) == 60


@pytest.mark.parametrize("source", [LAST, MARK, INDEX])
def test_what_would_be_triggered_at_once_is_refused(source: TriggerSource) -> None:
    pit = Pit()
    for side, make in ((BUY, stop), (SELL, profit)):
        refused = pit.refuses(pit.placing(pit.alice, market(side, "1", trigger=make("100", source=source))))
        assert refused == r.WouldTrigger()
        pit.place(pit.alice, market(side, "1", trigger=make("100.1", source=source)))
    for side, make in ((SELL, stop), (BUY, profit)):
        refused = pit.refuses(pit.placing(pit.alice, market(side, "1", trigger=make("100", source=source))))
        assert refused == r.WouldTrigger()
        pit.place(pit.alice, market(side, "1", trigger=make("99.9", source=source)))


def test_a_pair_has_no_mark_and_a_contract_may_lack_triggers_by_its_index() -> None:
    pair = World(moving((-60, "100")), instrument())
    refused = pair.refuses(pair.placing(pair.alice, market(BUY, "1", trigger=stop("105", source=MARK))))
    assert refused == r.FeatureOff(feature=r.Feature.TRIGGER)
    pit = Pit(trigger_sources=frozenset({LAST, MARK}))
    refused = pit.refuses(pit.placing(pit.alice, market(BUY, "1", trigger=stop("105", source=INDEX))))
    assert refused == r.FeatureOff(feature=r.Feature.TRIGGER)


def marked_by(premium: str, price: str, *, price_step: str) -> Pit:
    """A contract without funding, whose mark is index * (1 + premium)."""
    rule = MarkRule(step=D("0.00000001"), premium_max=D("0.01"))
    contract = replace(BTC, funding_hours=0, marking=rule)
    feed = moving((-60, price), (10, price), premium=premium, **(DEEP | {"spread": price_step}))
    return Pit(feed=feed, contract=contract, price_step=price_step, price_min=price_step)


@pytest.mark.parametrize(("premium", "mark"), [("0.00002446", "2000.04"), ("0.000025", "2000.05")])
def test_a_mark_above_its_step_is_cut_off_before_it_is_compared_from_below(premium: str, mark: str) -> None:
    """The FAQ's example: 2000.0489 is not yet 2000.05."""
    pit = marked_by(premium, "2000", price_step="0.01")
    assert pit.price_of(MARK) == D(mark)
    placing = pit.placing(pit.alice, market(SELL, "0.001", trigger=profit("2000.05", source=MARK)))
    if mark == "2000.05":
        assert pit.refuses(placing) == r.WouldTrigger()
    else:
        pit.does(placing)


@pytest.mark.parametrize(("premium", "mark"), [("0.00035", "0.00667"), ("-0.00001", "0.00666")])
def test_a_mark_above_its_step_is_low_enough_from_above(premium: str, mark: str) -> None:
    """The FAQ's other example, of a buy at 0.00666: all below 0.00667 is that."""
    pit = marked_by(premium, "0.00667", price_step="0.00001")
    assert pit.price_of(MARK) == D(mark)
    placing = pit.placing(pit.alice, market(BUY, "1", trigger=profit("0.00666", source=MARK)))
    if mark == "0.00666":
        assert pit.refuses(placing) == r.WouldTrigger()
    else:
        pit.does(placing)


def test_the_search_cuts_off_as_the_comparison_does() -> None:
    """The index falls by a whole one; 2001 * 1.00002446 and 2000 * 1.00002446 are 2001.04… and 2000.04…"""
    rule = MarkRule(step=D("0.00000001"), premium_max=D("0.01"))
    contract = replace(BTC, funding_hours=0, marking=rule)
    script: list[Moment] = [(-60, "2002"), (5, "2001"), (9, "2000")]
    pit = Pit(feed=moving(*script, premium="0.00002446", **(DEEP | {"spread": "0.01"})), contract=contract,
              price_step="0.01")  # fmt: skip
    early = pit.place(pit.alice, market(SELL, "0.1", trigger=stop("2001.04", source=MARK)))
    late = pit.place(pit.alice, market(SELL, "0.1", trigger=stop("2001.03", source=MARK)))
    pit.until(20)
    assert (pit.triggered_at(early), pit.triggered_at(late)) == (5, 9)


# Trailing


WAY: list[Moment] = [(5, "109.9"), (10, "110"), (15, "120"), (20, "118.9"), (25, "118.8"), (30, "118")]
"""Up to 120, of which one hundredth is 1.2."""


@pytest.mark.parametrize("source", [LAST, MARK, INDEX])
def test_a_trailing_stop_is_activated_and_then_follows_the_price_that_it_names(source: TriggerSource) -> None:
    pit = Pit(*WAY, trailing_reached=Outcome.REFUSE)
    terms = market(SELL, "1", trigger=profit("110", trailing=100, source=source))
    order = pit.place(pit.alice, terms)
    pit.until(7)
    assert (order.trailing, order.extreme) == (False, None)
    pit.until(12)
    assert (order.trailing, order.extreme) == (True, D(110))
    pit.until(23)
    assert order.status is OrderStatus.DORMANT
    pit.until(40)
    assert (order.status, pit.triggered_at(order)) == (OrderStatus.FILLED, 25)


@pytest.mark.parametrize("source", [LAST, MARK, INDEX])
def test_a_trailing_buy_follows_the_price_down(source: TriggerSource) -> None:
    """A hundredth of 80 is 0.8."""
    pit = Pit((5, "95"), (10, "90"), (15, "80"), (20, "80.7"), (25, "80.8"))
    order = pit.place(pit.alice, market(BUY, "1", trigger=stop(trailing=100, source=source)))
    assert (order.trailing, order.extreme) == (True, D(100))
    # The rest between 95 and 80 is on the way; only the turn counts.
    pit.until(40)
    assert pit.triggered_at(order) == 25


def test_a_trailing_stop_that_is_activated_already_is_refused_where_the_contract_says_so() -> None:
    """BUY: `activatePrice` should be smaller than the latest price; SELL: larger."""
    pit = Pit(trailing_reached=Outcome.REFUSE)
    for side, price in ((SELL, "100"), (BUY, "100")):
        terms = market(side, "1", trigger=profit(price, trailing=100, source=MARK))
        assert pit.refuses(pit.placing(pit.alice, terms)) == r.WouldTrigger()
    # Without a price it begins where the market is.
    assert pit.place(pit.alice, market(SELL, "1", trigger=profit(trailing=100, source=MARK))).trailing
    other = Pit()
    terms = market(SELL, "1", trigger=profit("100", trailing=100, source=MARK))
    assert other.place(other.alice, terms).trailing


def test_what_a_trailing_stop_saw_counts_though_it_was_gone_at_the_same_moment() -> None:
    pit = Pit()
    order = pit.place(pit.alice, market(SELL, "1", trigger=stop(trailing=500, source=MARK)))
    pit.price("110")
    pit.price("105")
    assert seen(order)[0] == "dormant"
    pit.price("104.5")
    assert seen(order)[0] == "filled"


# Protection


def test_a_protected_order_is_not_triggered_by_a_price_far_from_the_mark() -> None:
    """A twentieth of the mark of 100 is 5."""
    pit = Pit(trigger_protect="0.05")
    pit.book([("99", "50")], [("110", "50")])
    protected = pit.place(pit.bob, limit(BUY, "1", "99", price_protect=True, trigger=stop("105.1")))
    near = pit.place(pit.bob, limit(BUY, "1", "99", price_protect=True, trigger=stop("105")))
    plain = pit.place(pit.bob, limit(BUY, "1", "99", trigger=stop("105.1")))
    pit.trade("105")
    assert seen(near)[0] == "new"
    assert seen(protected)[0] == "dormant"
    pit.trade("105.1")
    assert (protected.status, protected.end_reason) == (OrderStatus.EXPIRED, EndReason.PRICE_PROTECTED)
    assert seen(plain)[0] == "new"


def test_by_the_mark_a_protected_order_asks_for_the_last_price() -> None:
    """The last price of 106 is that of one trade; the index reaches 101 while it stands."""
    pit = Pit((3600, "100"), trigger_protect="0.05")
    pit.book([("99", "50")], [("110", "50")])
    pit.trade("106.1")
    order = pit.place(pit.alice, market(BUY, "1", trigger=stop("100.9", source=MARK), price_protect=True))
    pit.until(30)
    # The mark is the middle of the book by then, 104.5, of which 106.1 is within a twentieth; but it was
    # 100 + 4.5 * 6 / 30 = 100.9 at first.
    assert pit.triggered_at(order) is None
    assert (order.end_reason, order.updated_us) == (EndReason.PRICE_PROTECTED, START + 6 * SECOND)


# What it comes to


def test_an_order_that_waits_needs_no_margin_until_it_is_active() -> None:
    pit = Pit((10, "105"), funds="5")
    order = pit.place(pit.alice, market(BUY, "1", trigger=stop("105", source=MARK)))
    small = pit.place(pit.alice, market(BUY, "0.9", trigger=stop("105", source=MARK)))
    pit.until(20)
    # 105 at 20x are 5.25.
    assert (order.status, order.end_reason) == (OrderStatus.EXPIRED, EndReason.INSUFFICIENT_BALANCE)
    assert small.status is OrderStatus.FILLED


def test_a_stop_limit_is_measured_by_its_trigger_and_when_it_is_active_by_the_mark() -> None:
    """A band of a twentieth: 115.5 for 110, and 105 for a mark of 100 that only the last price left."""
    pit = Pit(bid_multiplier_up="1.05", ask_multiplier_down="0.95")
    refused = pit.refuses(pit.placing(pit.alice, limit(BUY, "1", "115.6", trigger=stop("110"))))
    assert refused == r.LimitBroken(limit=r.Limit.PRICE_BAND, value=D("115.6"), bound=D("115.5"))
    far = pit.buy(pit.alice, "1", "115.5", trigger=stop("110"))
    pit.prints("110", "0.001")
    assert (far.status, far.end_reason) == (OrderStatus.EXPIRED, EndReason.REFUSED_AT_ACTIVATION)


@pytest.mark.parametrize(("price", "nearest"), [("200", "105"), ("104", "104")])
def test_its_price_may_become_the_nearest_one_instead(price: str, nearest: str) -> None:
    """The same band, where the contract says so: any price at first, and 105 for a mark of 100."""
    contract = replace(BTC, adjusts_triggered=True)
    pit = Pit(contract=contract, bid_multiplier_up="1.05", ask_multiplier_down="0.95")
    order = pit.buy(pit.alice, "1", price, trigger=stop("110"))
    assert (order.price, order.status) == (D(price), OrderStatus.DORMANT)
    pit.prints("110", "0.001")
    assert (order.price, order.status, order.executed) == (D(nearest), OrderStatus.FILLED, D(1))
    assert_same(pit.engine, pit.replayed())


def test_what_closes_a_position_closes_all_of_it_and_is_dropped_with_it() -> None:
    pit = Pit((10, "95"))
    pit.place(pit.alice, market(BUY, "1"))
    stopping = pit.place(pit.alice, market(SELL, trigger=stop("95", source=MARK), close_position=True))
    taking = pit.place(pit.alice, market(SELL, trigger=profit("110", source=LAST), close_position=True))
    reducing = pit.place(pit.alice, market(SELL, "1", trigger=profit("111", source=LAST), reduce_only=True))
    pit.place(pit.alice, market(BUY, "0.5"))
    pit.until(20)
    assert (stopping.status, stopping.executed) == (OrderStatus.FILLED, D("1.5"))
    assert (taking.status, taking.end_reason) == (OrderStatus.EXPIRED, EndReason.NOTHING_TO_REDUCE)
    assert reducing.status is OrderStatus.DORMANT
    assert not pit.engine.state.positions


def test_each_leg_is_stopped_by_itself() -> None:
    pit = Pit((10, "95"), (20, "105"))
    pit.does(c.SetPositionMode(account=pit.alice, wallet="usdm", hedged=True))
    pit.place(pit.alice, market(BUY, "1", leg=Leg.LONG))
    pit.place(pit.alice, market(SELL, "2", leg=Leg.SHORT))
    long = market(SELL, trigger=stop("95", source=MARK), close_position=True, leg=Leg.LONG)
    short = market(BUY, trigger=stop("105", source=INDEX), close_position=True, leg=Leg.SHORT)
    stops = [pit.place(pit.alice, one) for one in (long, short)]
    pit.until(15)
    assert [one.status for one in stops] == [OrderStatus.FILLED, OrderStatus.DORMANT]
    assert [leg for _, leg in pit.engine.state.accounts[pit.alice].positions] == [Leg.SHORT]
    pit.until(25)
    assert (stops[1].status, stops[1].executed) == (OrderStatus.FILLED, D(2))


def test_what_waits_for_marks_is_there_after_a_restart() -> None:
    pit = Pit(*WAY)
    for source in (MARK, INDEX):
        pit.place(pit.alice, market(SELL, "1", trigger=profit("110", trailing=100, source=source)))
        pit.place(pit.alice, market(BUY, "1", trigger=stop("109", source=source)))
    pit.until(17)
    again = restored(pit)
    assert_same(pit.engine, again)
    assert pit.replayed().fingerprint() == again.fingerprint()
    pit.until(60)
    again.advance(pit.now)
    assert again.fingerprint() == pit.engine.fingerprint()
    assert not pit.engine.state.orders
