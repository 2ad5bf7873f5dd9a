"""Index, mark, premium and funding of a contract on a market that is written down, with figures by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D

import pytest

from emulator.core.commands import PriceMode
from emulator.core.contracts import FundingRule
from emulator.core.marks import MarkRule, Marks
from emulator.core.numbers import exact
from tests.core.marking import HOUR, Marked
from tests.core.scripted import Moment, ScriptedFeed
from tests.core.world import MINUTE, SECOND, instrument

DAWN = 1_700_006_400 * SECOND
"""2023-11-15 00:00:00 UTC: a moment of payment, whatever the interval."""


def marked(*script: Moment, hours: int = 8, premium: str = "0", rule: MarkRule | None = None) -> Marked:
    """At 02:00; times of the script are seconds from there, and the market stood at 50000 before."""
    now = DAWN + 2 * HOUR
    moments: list[Moment] = [(now + moment[0] * SECOND, *moment[1:]) for moment in script]
    feed = ScriptedFeed((DAWN - 100 * HOUR, "50000"), *moments, premium=premium)
    return Marked(feed, instrument(), hours=hours, rule=rule, now=now)


@pytest.mark.parametrize(
    ("premium", "rate", "mark"),
    [
        # rate = p + clamp(0.0001 - p, +-0.0005); at 02:00 six of eight hours are left, so the funding
        # term is rate x 3/4. The mark is the middle one of both and of the index, 50000.
        ("0.0005", "0.0001", "50003.75"),  # 50003.75, 50025
        ("0.00005", "0.0001", "50002.5"),  # 50003.75, 50002.5
        ("0", "0.0001", "50000"),  # 50003.75, 50000
        ("-0.0002", "0.0001", "50000"),  # 50003.75, 49990
        ("0.001", "0.0005", "50018.75"),  # 50018.75, 50050
        ("-0.001", "-0.0005", "49981.25"),  # 49981.25, 49950
        ("-0.0005", "0", "50000"),  # 50000, 49975
    ],
)
def test_the_middle_one_of_three(premium: str, rate: str, mark: str) -> None:
    contract = marked(premium=premium)
    with exact():
        assert contract.marks.last_rate(contract.now) == D(rate)
        assert contract.marks.index_price(contract.now) == 50000
        assert contract.marks.mark_price(contract.now) == D(mark)
        assert contract.marks.premium(contract.now) == D(premium)


@pytest.mark.parametrize(
    ("hours", "rate"),
    # (0.001 - 0.0005) x hours / 8
    [(8, "0.0005"), (4, "0.00025"), (1, "0.0000625")],
)
def test_rates_are_of_their_interval(hours: int, rate: str) -> None:
    contract = marked(hours=hours, premium="0.001", rule=MarkRule(step=D("0.01"), premium_max=D("0.01")))
    with exact():
        assert contract.marks.last_rate(contract.now) == D(rate)
        assert contract.marks.predicted_rate(contract.now) == D(rate)


def test_rates_have_a_cap_and_a_floor() -> None:
    rule = MarkRule(
        step=D("0.01"), premium_max=D("0.05"), funding=FundingRule(cap=D("0.003"), floor=D("-0.002"))
    )
    with exact():
        assert marked(premium="0.05", rule=rule).marks.funding_rate(DAWN) == D("0.003")
        assert marked(premium="-0.05", rule=rule).marks.funding_rate(DAWN) == D("-0.002")


def test_the_index_changes_once_a_second() -> None:
    contract = marked((1, "51000"), (2, "52000"))
    with exact():
        shown = [
            contract.marks.index_price(contract.now + place * SECOND // 10)
            for place in (0, 3, 9, 10, 14, 19, 20)
        ]
    assert shown == [50000, 50000, 50000, 51000, 51000, 51000, 52000]


def test_a_contract_that_is_delivered_has_index_and_basis() -> None:
    contract = marked(hours=0, premium="-0.0004")
    with exact():
        assert contract.marks.mark_price(contract.now) == 49980


def test_prices_are_told_in_the_rules_step() -> None:
    contract = marked((0, "50000.37"), premium="0.00000001", rule=MarkRule(step=D("0.05")))
    with exact():
        assert contract.marks.index_price(contract.now) == D("50000.35")
        assert contract.marks.mark_price(contract.now) == D("50000.35")


# By hand


def test_a_price_held_for_the_pair_is_everybodys_price_at_once() -> None:
    contract = marked((5, "49000"), premium="0.0005")
    contract.world.wait(SECOND // 2)
    with exact():
        contract.price("61000")
        for later in (0, 1, 5, 60, 7200):
            now = contract.now + later * SECOND
            assert contract.marks.index_price(now) == contract.marks.mark_price(now) == 61000
            assert contract.marks.premium(now) == 0
        assert contract.marks.mark_price(contract.now - 1) == D("50003.75")


def test_a_shifted_price_goes_on_moving() -> None:
    contract = marked((5, "49000"))
    with exact():
        contract.price("61000", PriceMode.SHIFT)
        assert contract.marks.index_price(contract.now) == 61000
        assert contract.marks.mark_price(contract.now) == 61000
        assert contract.marks.index_price(contract.now + 4 * SECOND) == 61000
        assert contract.marks.index_price(contract.now + 5 * SECOND) == 60000
        contract.world.wait(10 * SECOND)
        contract.release()
        assert contract.marks.index_price(contract.now) == 49000
        assert contract.marks.mark_price(contract.now + SECOND) == 49000


def test_a_book_of_its_own_moves_the_mark_and_not_the_index() -> None:
    contract = marked()
    with exact():
        contract.book("52000", "53000")
        at = [contract.marks.mark_price(contract.now + later * SECOND) for later in (0, 3, 15, 30, 3000)]
        # The funding term is 50003.75 and falls slowly; the last price is 52000, the bid. The basis
        # comes from 50000 to 52500 in half a minute.
        assert at == [D("50003.75"), D("50250"), D("51250"), D("52000"), D("52000")]
        assert contract.marks.index_price(contract.now + 3000 * SECOND) == 50000
        # (52000 - 50000) / 50000
        assert contract.marks.premium(contract.now) == D("0.04")


@pytest.mark.parametrize(
    ("later", "apart"),
    [
        # The mark goes from 50000 by 100 a second; what it still lacks, since the book was set.
        (0, "3000"),
        (10, "2500"),  # 3000, 2900, ... 2000
        (29, "1550"),  # 3000 ... 100
        (30, "1450"),  # 2900 ... 0: no longer than half a minute
        (59, "0"),
        (3600, "0"),
    ],
)
def test_what_a_book_stands_above_the_mark_is_averaged(later: int, apart: str) -> None:
    contract = marked(hours=0)
    with exact():
        contract.book("52999", "53001")
        now = contract.now + later * SECOND
        assert contract.marks.book_premium(now, 30) == D(apart)
        assert contract.again().book_premium(now + SECOND - 1, 30) == D(apart)


def test_a_book_that_goes_with_its_pair_stands_at_the_index() -> None:
    with exact():
        contract = marked(hours=0, premium="-0.0004")
        assert contract.marks.mark_price(contract.now) == 49980
        assert contract.marks.book_premium(contract.now, 30) == 20
        contract.world.wait(SECOND // 2)
        contract.price("60000")
        assert contract.marks.book_premium(contract.now, 30) == 0, "what was before the price was set is over"


def test_a_book_around_the_index_is_no_premium() -> None:
    contract = marked(premium="0.0007")
    with exact():
        contract.book("49990", "50030")
        assert contract.marks.premium(contract.now) == 0
        contract.price("50000")
        contract.book("40000", "40010")
        # (50000 - 40010) / 50000, below
        assert contract.marks.premium(contract.now) == D("-0.1998")
        assert contract.marks.index_price(contract.now) == 50000, "set at the same moment, for the pair"


def test_a_book_set_twice_at_one_moment_forgets_nothing_of_the_pair() -> None:
    contract = marked()
    with exact():
        contract.price("60000")
        contract.world.wait(SECOND)
        contract.book("61000", "61001")
        contract.book("62000", "62001")
        assert contract.marks.index_price(contract.now) == 60000
        assert contract.marks.mark_price(contract.now + 30 * SECOND) == 62000
        contract.release()
        assert contract.marks.index_price(contract.now) == 50000


def test_a_trade_moves_the_mark_by_the_funding_term_until_the_market_trades_again() -> None:
    contract = marked((10, "50000"), premium="0.0005")
    with exact():
        contract.world.wait(7 * SECOND // 2)
        contract.print("70000")
        second = contract.now - SECOND // 2
        # Before it and from 11 on the index is below both others, 50003.75 and 50025; then the trade is
        # above both. At 10 the market's own trade is of that very moment.
        basis, funding = D(50025), D("50003.75")
        shown = [contract.marks.mark_price(second + later * SECOND) for later in (0, 1, 6, 7, 8)]
    assert shown == [funding, basis, basis, basis, funding]


def test_a_tick_does_not_change_by_a_trade_of_its_own_moment() -> None:
    contract = marked(premium="0.0005")
    with exact():
        before = contract.marks.mark_price(contract.now)
        contract.print("70000")
        assert contract.marks.mark_price(contract.now) == before
        assert contract.marks.mark_price(contract.now + SECOND) != before


def test_funding_follows_a_book_of_its_own() -> None:
    contract = marked()
    with exact():
        contract.book("50100", "50101")
        contract.world.wait(6 * HOUR)
        # Minutes 121 to 480 of 480 have a premium of 0.002, weighted by their numbers:
        # 0.002 x (480 x 481 - 120 x 121) / (480 x 481), less 0.0005
        assert contract.marks.last_rate(contract.now) == D("0.00137422")
        assert contract.marks.funding_rate(DAWN) == D("0.0001")


def test_nothing_before_a_moment_changes_by_what_happens_then() -> None:
    contract = marked((60, "50300"), (3000, "49000"), premium="0.0003")

    def known(marks: Marks) -> tuple[object, ...]:
        """All that can be known now of what is over."""
        asked = (MINUTE, DAWN, contract.now - MINUTE, contract.now)
        return (
            [marks.mark_price(tick) for tick in range(DAWN, contract.now, 7 * SECOND)],
            [row for row in marks.mark_candles(*asked) if row.close_us <= contract.now],
            [row for row in marks.index_candles(*asked) if row.close_us <= contract.now],
            [row for row in marks.premium_candles(*asked) if row.close_us <= contract.now],
            marks.last_rate(contract.now),
        )

    happenings: list[Callable[[], None]] = [
        lambda: contract.price("60000", PriceMode.SHIFT),
        lambda: contract.book("70000", "70001"),
        lambda: contract.price("55000"),
        lambda: contract.print("80000"),
        contract.release,
    ]
    with exact():
        for happens in happenings:
            contract.world.wait(701 * SECOND + 300_000)
            before = known(contract.marks)
            happens()
            assert known(contract.marks) == before
            assert known(contract.again()) == before


def test_a_limit_already_passed_is_found_at_the_next_tick() -> None:
    contract = marked()
    with exact():
        found = contract.marks.next_mark_crossing(contract.now, contract.now + HOUR, at_most=D(60000))
        assert found == contract.now + SECOND
        none = contract.marks.next_mark_crossing(contract.now, contract.now, at_most=D(60000))
        assert none is None


def test_a_limit_beside_a_held_price_is_not_reached_in_a_month() -> None:
    contract = marked(premium="0.0005")
    month = contract.now + 720 * HOUR
    with exact():
        contract.price("50000")
        contract.world.wait(1)
        none = contract.marks.next_mark_crossing(
            contract.now, month, at_most=D("49999.99"), at_least=D("50000.01")
        )
        assert none is None
        at_price = contract.marks.next_mark_crossing(contract.now, month, at_most=D(50000))
        assert at_price == contract.marks.next_tick_us(contract.now)
