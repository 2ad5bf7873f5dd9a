"""What a liquidation does, step by step, and whose position is closed when nobody takes it."""

from __future__ import annotations

from decimal import Decimal as D

import msgspec
import pytest

from emulator.core.deleveraging import Candidate, deleveraged, deleveraging_lights
from emulator.core.funding import HOUR_US, funding_times_us
from emulator.core.liquidation import (
    NEVER,
    Band,
    CancelOrders,
    CloseAtMarket,
    Deleverage,
    Stake,
    TakeOver,
    Weights,
    is_liquidated,
    liquidation_band,
    liquidation_price,
    liquidation_price_shared,
    liquidation_steps,
    safe_bands,
)
from emulator.core.numbers import exact
from emulator.core.positions import Leg, Position
from tests.core.futures import BTC, BTC_COIN, ETH, TENTH, held

JUMPING = msgspec.structs.replace(
    BTC, tiers=tuple(msgspec.structs.replace(tier, maintenance_amount=D(0)) for tier in BTC.tiers)
)
"""A table without maintenance amounts, as some exchanges have it."""

LONG = held(BTC, "3", "100000", leg=Leg.LONG)


def test_orders_go_first_then_the_market_the_fund_and_other_people() -> None:
    steps = liquidation_steps(LONG, D(95000), is_cross=True, filled=D(1), fund_takes=D("1.5"))
    assert steps == (
        CancelOrders(True),
        CloseAtMarket(Leg.LONG, D(3), D(95000)),
        TakeOver(Leg.LONG, D("1.5"), D(95000)),
        Deleverage(Leg.LONG, D("0.5"), D(95000)),
    )


def test_what_the_market_takes_nobody_else_must() -> None:
    steps = liquidation_steps(LONG, D(95000), is_cross=False, filled=D(3), fund_takes=D(9))
    assert steps == (CancelOrders(False), CloseAtMarket(Leg.LONG, D(3), D(95000)))


def test_without_a_bankruptcy_price_there_is_no_limit() -> None:
    steps = liquidation_steps(LONG, None, is_cross=True, filled=D(2), fund_takes=D(1))
    assert steps[1:] == (CloseAtMarket(Leg.LONG, D(3), None), TakeOver(Leg.LONG, D(1), D(0)))


def test_liquidation_begins_when_there_is_no_more_than_must_be_kept() -> None:
    assert is_liquidated(D(40), D(40))
    assert is_liquidated(D(40), D(-1))
    assert not is_liquidated(D(40), D("40.00000001"))
    assert not is_liquidated(D(0), D(0))


def test_a_band_without_ends_holds_every_price() -> None:
    with exact():
        assert liquidation_band(BTC, [Position()], D(0), step=TENTH) == Band()
        assert Band().holds(D("0.1"))
        assert not NEVER.holds(D(0))
        assert not NEVER.holds(D(1))
        assert Band(low=D(1)).narrowed(Band(low=D(2), high=D(5))) == Band(low=D(2), high=D(5))


def test_legs_that_cover_each_other_have_two_ends() -> None:
    """Net long by little: it loses below, and at very high prices the margin of both legs grows faster
    than the profit."""
    with exact():
        legs = [held(BTC, "1.1", "100000", leg=Leg.LONG), held(BTC, "-1", "100000", leg=Leg.SHORT)]
        band = liquidation_band(BTC, legs, D(5000), step=TENTH)
    # Below, both in the first tier: 5000 + 0.1 p - 10000 = 2.1 * 0.004 p, p = 5000 / 0.0916.
    assert band.low == D("54585.2")
    # Above, both from 230M to 480M, where 10 % of both is more than the profit on their difference:
    # 0.1 p - 5000 = 2.1 * 0.1 * p - 2 * 14482000, p = 28959000 / 0.11.
    assert band.high == D("263263636.4")


@pytest.mark.parametrize(
    ("cover", "price"),
    [
        ("4100", "99966.8"),  # 4100 - 3 (p - 99000) = 3 * 0.004 p: p = 301100 / 3.012 = 99966.799...
        ("4300", "100000"),  # 100 are left at the boundary, and 300 more are needed beyond it
        ("4600", "100033.2"),  # 100 are left beyond it too: p = 301600 / 3.015 = 100033.167...
    ],
)
@pytest.mark.parametrize("mark", ["99000", "99900"])
def test_a_jump_of_the_margin_can_be_the_end(cover: str, price: str, mark: str) -> None:
    """Short 3 at 99000: from 300000, at 100000, the rate is 0.005 on all of it and not 0.004."""
    short = held(JUMPING, "-3", "99000")
    with exact():
        assert liquidation_price(JUMPING, [short], D(cover), step=TENTH, mark=D(mark)) == D(price)


def test_a_boundary_belongs_to_the_tier_below() -> None:
    short = held(JUMPING, "-3", "99000")
    with exact():
        band = liquidation_band(JUMPING, [short], D(4300), step=TENTH, mark=D(100000))
        beyond = liquidation_band(JUMPING, [short], D(4300), step=TENTH, mark=D("100000.1"))
    assert band == Band(high=D(100000))
    assert beyond == NEVER


def test_what_a_long_reaches_first_counts_though_it_could_be_kept_further_down() -> None:
    """Long 3 at 101000 with 4400: 4400 + 3 (p - 101000) = 3 * 0.005 p at 298600 / 2.985, before the rate
    falls at 100000. Equity less maintenance at 101000 is 4400 - 1515."""
    long = held(JUMPING, "3", "101000")
    stake = Stake(contract=JUMPING, legs=(long,), mark=D(101000), step=TENTH)
    with exact():
        band = liquidation_band(JUMPING, [long], D(4400), step=TENTH, mark=D(101000))
        assert band == Band(low=D("100033.5"))
        assert safe_bands([stake], D(2885)) == [Band(low=D("100033.6"))]


def test_what_can_be_kept_at_no_price_has_no_liquidation_price() -> None:
    legs = [held(BTC, "1.1", "100000", leg=Leg.LONG), held(BTC, "-1", "100000", leg=Leg.SHORT)]
    with exact():
        assert liquidation_price(BTC, legs, D(-1_000_000_000), step=TENTH) is None
        for own, others in (("-1000000000", "0"), ("0", "-1000000000")):
            price = liquidation_price_shared(
                BTC,
                legs,
                own=D(own),
                others=D(others),
                counted=[(D(0), D("0.9")), (D(0), D("1.1"))],
                ask=D("1.1"),
                step=TENTH,
            )
            assert price is None


def test_without_slack_no_price_is_safe() -> None:
    stake = Stake(contract=ETH, legs=(held(ETH, "1", "2000"),), mark=D(2000), step=TENTH)
    flat = Stake(contract=ETH, legs=(Position(),), mark=D(2000), step=TENTH)
    with exact():
        assert safe_bands([stake, flat], D(-1)) == [NEVER, NEVER]
        assert safe_bands([stake, flat], D(0)) == [Band(low=D(2000)), Band()]


def test_slack_is_shared_by_value() -> None:
    """100 of slack over 4000 and 6000: 40 and 60, and what the maintenance margin gives back or takes."""
    stakes = [
        Stake(contract=ETH, legs=(held(ETH, "2", "1900"),), mark=D(2000), step=TENTH),
        Stake(contract=ETH, legs=(held(ETH, "-3", "1900"),), mark=D(2000), step=TENTH),
    ]
    with exact():
        long, short = safe_bands(stakes, D(100))
    # 2 * (1 - 0.004) * (2000 - p) = 40: 1979.919..., up; 3 * 1.004 * (p - 2000) = 60: 2019.920..., down.
    assert long == Band(low=D("1980.0"))
    assert short == Band(high=D("2019.9"))


def test_an_inverse_stake_has_its_band_too() -> None:
    stake = Stake(contract=BTC_COIN, legs=(held(BTC_COIN, "100", "50000"),), mark=D(50000), step=TENTH)
    with exact():
        (band,) = safe_bands([stake], D("0.01"))
    # 10000 * 1.004 * (1 / p - 1 / 50000) = 0.01: 1 / p = 0.00002099601..., p = 47628.083..., up.
    assert band == Band(low=D("47628.1"))


def test_losses_count_at_the_ask_where_assets_stand_together() -> None:
    weights = Weights(profit=D("0.9"), maintenance=D("1.1"), owed=D("1.1"))
    stake = Stake(contract=ETH, legs=(held(ETH, "1", "2000"),), mark=D(2000), step=TENTH, weights=weights)
    with exact():
        (band,) = safe_bands([stake], D(110))
    # 1.1 * 0.996 * (2000 - p) = 110: p = 1899.598..., up.
    assert band == Band(low=D("1899.6"))


def test_the_highest_score_is_deleveraged_first_and_wholly() -> None:
    queue = [
        Candidate(account=7, score=D("0.1"), quantity=D(5)),
        Candidate(account=8, score=D("0.4"), quantity=D(2)),
        Candidate(account=3, score=D("0.1"), quantity=D(5)),
    ]
    assert deleveraged(queue, D(4)) == [(8, D(2)), (3, D(2))]
    assert deleveraged(queue, D(20)) == [(8, D(2)), (3, D(5)), (7, D(5))]
    assert deleveraged(queue, D(2)) == [(8, D(2))]
    assert deleveraged([], D(2)) == []


def test_the_queue_is_shown_in_fifths() -> None:
    assert deleveraging_lights([]) == []
    assert deleveraging_lights([D(3)]) == [4]
    assert deleveraging_lights([D(0), D(2), D(1), D(0)]) == [1, 4, 3, 1]
    assert deleveraging_lights([D(number) for number in range(10)]) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_payments_between_two_moments() -> None:
    times = funding_times_us(after_us=8 * HOUR_US, until_us=24 * HOUR_US, hours=8)
    assert list(times) == [16 * HOUR_US, 24 * HOUR_US]
    assert not funding_times_us(after_us=8 * HOUR_US, until_us=9 * HOUR_US, hours=4)
