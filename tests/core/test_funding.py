"""Funding through an engine: who pays what, when, and from where. Figures: F1 to F5 of futures-maths.md."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from emulator.core import commands as c
from emulator.core.contracts import Contract, FundingRule, MarkRule
from emulator.core.engine import Engine
from emulator.core.events import Event, FundingPaid
from emulator.core.history import Income, IncomeKind, incomes_of
from emulator.core.instruments import Side
from emulator.core.ledger import FUNDING
from emulator.core.positions import MarginMode
from tests.core.futures import BTC, BTC_COIN, linear
from tests.core.scripted import ScriptedFeed
from tests.core.test_trading_contracts import Pit
from tests.core.world import MINUTE, SECOND, START, market, plain, replaced, still

D = Decimal
HOUR = 60 * MINUTE
MIDNIGHT = START + 107 * MINUTE
"""The first payment: the start is at 22:13."""


def pit(contract: Contract = BTC, price: str = "100000", *, premium: str = "0", **changes: Any) -> Pit:
    return Pit(contract, still(price, premium=premium), **changes)


def paid(one: Pit, account: int | None = None) -> list[str]:
    query = incomes_of(account or one.alice, one.wallet, kind=IncomeKind.FUNDING)
    return [plain(income.amount) for income in one.engine.views.select(Income, query)]


def funding(happened: list[tuple[int, tuple[Event, ...]]]) -> list[tuple[int, FundingPaid]]:
    return [
        (time_us, event) for time_us, events in happened for event in events if isinstance(event, FundingPaid)
    ]


def test_a_long_pays_and_a_short_gets() -> None:
    """F1 and F4: 0.5 at a mark of 100000 and 0.0001."""
    one = pit()
    one.trade("0.5", "100000")
    assert one.wait(MIDNIGHT - 1 - one.now) == []
    assert one.engine.next_due_us(one.now) == MIDNIGHT
    ((time_us, event),) = funding(one.wait(1))
    assert time_us == MIDNIGHT
    assert event == FundingPaid(instrument=one.symbol, mark=D(100000), rate=D("0.0001"))
    assert (paid(one), paid(one, one.bob)) == (["-5"], ["5"])
    assert (one.balance(), one.balance(one.bob)) == ("999995", "1000005")
    assert plain(one.position().funding) == "-5"
    assert one.position().updated_us == MIDNIGHT
    assert one.engine.state.ledger.counterparties[FUNDING]["USDT"] == 0


def test_the_market_gets_what_no_short_gets() -> None:
    one = Pit(BTC, still("100000", depth=10))
    one.place(one.alice, market(Side.BUY, "0.5"))
    one.wait(MIDNIGHT - one.now)
    assert paid(one) == ["-5"]
    assert plain(one.engine.state.ledger.counterparties[FUNDING]["USDT"]) == "5"


def test_a_rate_below_zero_turns_it_round() -> None:
    """F3: a premium of -0.001 gives -0.0005; the mark is between index and premium, 99950."""
    one = pit(premium="-0.001")
    one.trade("0.5", "100000")
    ((_, event),) = funding(one.wait(MIDNIGHT - one.now))
    assert (event.rate, event.mark) == (D("-0.0005"), D(99950))
    assert (paid(one), paid(one, one.bob)) == (["24.9875"], ["-24.9875"])


def test_no_rate_no_payment() -> None:
    rule = MarkRule(step=D("0.1"), funding=FundingRule(interest=D(0)))
    one = pit(replaced(BTC, marking=rule))
    one.trade("0.5", "100000")
    assert one.wait(MIDNIGHT - one.now) == []


def test_an_inverse_contract_pays_in_its_base() -> None:
    """F5: 10000 / 40000 * 0.0001."""
    one = pit(BTC_COIN, "40000", funds="10")
    one.trade("100", "40000")
    one.wait(MIDNIGHT - one.now)
    assert (paid(one), paid(one, one.bob)) == (["-0.000025"], ["0.000025"])


def test_each_contract_has_its_own_hours() -> None:
    """Half the rate, twice as often: 0.00005 of 50000 at 0 and 4 o'clock."""
    one = pit(replaced(BTC, funding_hours=4))
    one.trade("0.5", "100000")
    happened = one.wait(MIDNIGHT + 4 * HOUR - one.now)
    assert [time_us for time_us, _ in funding(happened)] == [MIDNIGHT, MIDNIGHT + 4 * HOUR]
    assert paid(one) == ["-2.5", "-2.5"]
    never = pit(replaced(BTC, funding_hours=0))
    never.trade("0.5", "100000")
    assert never.wait(24 * HOUR) == []


def test_only_who_holds_at_that_moment_pays() -> None:
    one = pit()
    one.trade("0.5", "100000")
    one.wait(MIDNIGHT - SECOND - one.now)
    one.trade("-0.5", "100000")
    assert one.wait(2 * MINUTE) == []
    assert one.engine.next_due_us(one.now) is None
    one.trade("0.5", "100000")
    assert [time_us for time_us, _ in funding(one.wait(9 * HOUR))] == [MIDNIGHT + 8 * HOUR]


def isolated(contract: Contract, leverage: str, premium: str) -> Pit:
    one = pit(contract, premium=premium, funds="1000000")
    one.does(c.SetMarginMode(account=one.alice, instrument=one.symbol, mode=MarginMode.ISOLATED))
    one.does(c.SetLeverage(account=one.alice, instrument=one.symbol, leverage=D(leverage)))
    return one


def test_an_isolated_position_pays_from_its_margin() -> None:
    one = isolated(BTC, "25", "0")
    one.trade("0.1", "100000")
    one.wait(MIDNIGHT - one.now)
    assert plain(one.position().margin) == "399"
    assert plain(one.engine.state.ledger.free(one.alice, "usdm", "USDT")) == "999600"
    one.trade("-0.2", "100000")
    one.wait(8 * HOUR)
    assert (plain(one.position().margin), paid(one)) == ("401", ["-1", "1"])
    assert plain(one.engine.state.ledger.free(one.alice, "usdm", "USDT")) == "999599"


def test_what_the_margin_lacks_is_paid_from_what_is_free() -> None:
    """At 101950 and 0.0195: 0.1 * 101950 * 0.0195 = 198.8025, and the margin is 80."""
    rule = MarkRule(step=D("0.1"), premium_max=D("0.02"))
    one = isolated(linear(BTC.tiers, marking=rule), "125", "0.02")
    one.trade("0.1", "100000")
    ((_, event),) = funding(one.wait(MIDNIGHT - one.now))
    assert (event.mark, event.rate) == (D(101950), D("0.0195"))
    assert (plain(one.position().margin), paid(one)) == ("0", ["-198.8025"])
    assert plain(one.engine.state.ledger.free(one.alice, "usdm", "USDT")) == "999801.1975"


def test_it_is_paid_again_by_an_engine_that_was_restored() -> None:
    one = pit()
    one.trade("0.5", "100000")
    other = Engine("test", one.engine.instruments, one.feed, one.engine.state.wallets, one.engine.rules)
    other.restore(list(one.engine.capture().parts()))
    assert other.advance(MIDNIGHT + 9 * HOUR) == one.wait(MIDNIGHT + 9 * HOUR - one.now)
    assert other.fingerprint() == one.engine.fingerprint()


def test_a_feed_is_not_asked_about_what_nobody_holds() -> None:
    feed = ScriptedFeed((START - MINUTE, "100"))
    one = Pit(BTC, feed)
    feed.calls.clear()
    assert one.engine.advance(START + 1000 * HOUR) == []
    assert not feed.calls


def test_payments_do_not_make_it_look_anew() -> None:
    """Of sixty payments in twenty days none uses up what is set aside; each search goes twice as far as the
    one before, eight hours at first: 8 + 16 + 32 + 64 + 128 + 256 are more than 480."""
    feed = ScriptedFeed((START - MINUTE, "100000"))
    one = Pit(BTC, feed)
    one.trade("0.5", "100000")
    one.wait(SECOND)
    feed.calls.clear()
    assert len(funding(one.wait(480 * HOUR))) == 60
    assert 0 < feed.calls["stretches"] <= 6
    assert paid(one) == ["-5"] * 60
