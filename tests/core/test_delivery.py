"""Contracts that are delivered: what becomes of positions and orders at their end, and at which price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.contracts import Contract
from emulator.core.decisions import decide
from emulator.core.history import Income, IncomeKind, incomes_of
from emulator.core.ledger import INSURANCE, PROFIT
from emulator.core.numbers import exact
from emulator.core.orders import Cause, EndReason, OrderStatus
from emulator.core.positions import Leg, MarginMode
from tests.core.futures import BTC, BTC_COIN
from tests.core.sameness import assert_same
from tests.core.test_trading_contracts import Pit
from tests.core.world import MINUTE, START, moving, plain, still

HOUR = 60 * MINUTE
DELIVERY = START + 2 * HOUR


def dated(contract: Contract = BTC, **changes: Any) -> Contract:
    """A contract that ends two hours after the start, and pays no funding."""
    return msgspec.structs.replace(contract, delivery_us=DELIVERY, funding_hours=0, **changes)


def settled(pit: Pit, account: int | None = None) -> list[str]:
    query = incomes_of(account or pit.alice, pit.wallet, kind=IncomeKind.SETTLEMENT)
    return [plain(one.amount) for one in pit.engine.views.select(Income, query)]


def test_positions_are_closed_at_the_settlement_price() -> None:
    pit = Pit(dated(), still("100000"), funds="20000")
    pit.trade("0.5", "100000")
    pit.price("101000")
    pit.wait(HOUR)
    pit.wait(HOUR)
    assert not pit.engine.state.positions
    # Held at 101,000 for more than an hour: 0.5 x 1,000 for who was long, and as much lost by the other.
    assert (pit.balance(), pit.balance(pit.bob)) == ("20500", "19500")
    assert (settled(pit), settled(pit, pit.bob)) == (["500"], ["-500"])
    assert plain(pit.engine.state.ledger.counterparties[PROFIT]["USDT"]) == "0"
    order = max(pit.engine.views.orders.values(), key=lambda one: one.id)
    assert (order.terms.cause, order.status) == (Cause.DELIVERY, OrderStatus.FILLED)
    assert order.client_id == f"delivery-{order.id}"


def test_the_settlement_price_is_the_average_of_the_last_half_hour() -> None:
    """600 of 1800 seconds at 100, 1200 at 130: 120."""
    pit = Pit(dated(), moving((0, "100"), (100 * 60, "130")), funds="20000")
    pit.trade("1", "100")
    pit.wait(2 * HOUR)
    assert not pit.engine.state.positions
    assert settled(pit) == ["20"]


def test_it_is_charged_for() -> None:
    """0.05 % of 0.5 x 101,000."""
    pit = Pit(dated(delivery_fee=Decimal("0.0005")), still("100000"), funds="20000")
    pit.trade("0.5", "100000")
    pit.price("101000")
    pit.wait(2 * HOUR)
    query = incomes_of(pit.alice, pit.wallet, kind=IncomeKind.COMMISSION)
    assert [plain(one.amount) for one in pit.engine.views.select(Income, query)] == ["-25.25"]
    assert (settled(pit), pit.balance()) == (["500"], "20474.75")


def test_orders_end_and_nothing_is_placed_any_more() -> None:
    pit = Pit(dated(), still("100000"), funds="20000")
    rests = pit.buy(pit.alice, "0.1", "90000")
    pit.wait(2 * HOUR)
    ended = pit.engine.views.orders[rests.id]
    assert (ended.status, ended.end_reason) == (OrderStatus.EXPIRED, EndReason.DELIVERED)
    refused = pit.refuses(
        c.PlaceOrder(account=pit.alice, wallet=pit.wallet, instrument=pit.symbol, terms=rests.terms)
    )
    assert refused == r.InstrumentNotTrading(instrument=pit.symbol)


def test_an_inverse_isolated_position_gets_its_margin_back() -> None:
    pit = Pit(dated(BTC_COIN), still("50000"), funds="1")
    pit.does(c.SetMarginMode(account=pit.alice, instrument=pit.symbol, mode=MarginMode.ISOLATED))
    pit.trade("100", "50000")
    assert pit.position().margin
    pit.wait(2 * HOUR)
    assert not pit.engine.state.positions
    assert pit.balance() == "1"
    assert plain(pit.engine.state.ledger.free(pit.alice, pit.wallet, "BTC")) == "1"


def test_it_happens_at_its_time_in_a_long_jump_and_is_the_same_from_the_journal() -> None:
    pit = Pit(dated(), still("100000"), funds="20000")
    pit.trade("0.5", "100000")
    with exact():
        due = pit.engine.next_due_us(pit.now)
    assert due is not None
    assert due <= DELIVERY
    pit.wait(24 * HOUR)
    order = max(pit.engine.views.orders.values(), key=lambda one: one.id)
    assert order.created_us == DELIVERY
    assert_same(pit.engine, pit.replayed())


def test_a_countdown_beyond_the_delivery_ends_with_the_contract() -> None:
    pit = Pit(dated(), still("100000"), funds="20000")
    pit.buy(pit.alice, "0.1", "90000")
    counting = c.SetCountdown(account=pit.alice, instrument=pit.symbol, at_us=DELIVERY + MINUTE)
    pit.does(counting)
    with exact():
        due = decide(pit.engine.state, pit.engine.rules, c.EndDue(instrument=pit.symbol), DELIVERY)
    assert not isinstance(due, r.Rejection)
    # What stayed would be due again and again, and the clock would never come past it.
    assert e.CountdownSet(account=pit.alice, instrument=pit.symbol, at_us=None) in due
    pit.wait(3 * HOUR)
    assert not pit.engine.state.markets[pit.symbol].countdowns


def test_a_countdown_ends_with_its_contract_and_none_begins_after_it() -> None:
    pit = Pit(dated(), still("100000"), funds="20000")
    pit.does(c.SetCountdown(account=pit.alice, instrument=pit.symbol, at_us=pit.now + 3 * HOUR + MINUTE))
    pit.wait(3 * HOUR)
    assert not pit.engine.state.markets[pit.symbol].countdowns
    refused = pit.do(c.SetCountdown(account=pit.alice, instrument=pit.symbol, at_us=pit.now + HOUR))
    assert isinstance(refused.rejection, r.InstrumentNotTrading)
    assert pit.engine.next_due_us(pit.now) is None


def test_what_is_chosen_for_a_delivered_contract_is_refused() -> None:
    pit = Pit(dated(), still("100000"), funds="20000")
    pit.wait(3 * HOUR)
    for command in (
        c.SetLeverage(account=pit.alice, instrument=pit.symbol, leverage=Decimal(5)),
        c.SetMarginMode(account=pit.alice, instrument=pit.symbol, mode=MarginMode.ISOLATED),
        c.MoveMargin(account=pit.alice, instrument=pit.symbol, leg=Leg.BOTH, amount=Decimal(1)),
    ):
        assert isinstance(pit.do(command).rejection, r.InstrumentNotTrading)


def test_what_is_owed_after_a_delivery_is_paid_by_the_insurance_fund() -> None:
    """At 100 for 28 of the last minutes and at 50 for two: an average of 96.66666667 after trades at 50. Who
    is short by 1.5 loses 1.5 x 46.66666667 = 70, and has no more than 6."""
    pit = Pit(dated(), moving((0, "100"), (118 * 60, "50")), funds="6")
    pit.wait(119 * MINUTE)
    pit.trade("1", "50")
    pit.trade("0.5", "50")
    pit.wait(2 * MINUTE)
    assert not pit.engine.state.positions
    assert settled(pit, pit.bob) == ["-70"]
    assert (pit.balance(), pit.balance(pit.bob)) == ("76", "0")
    assert plain(pit.engine.state.ledger.counterparties[INSURANCE]["USDT"]) == "-64"
    with exact():
        assert not pit.engine.audit()
    assert_same(pit.engine, pit.replayed())
