"""What trades cannot do to a position, and what it keeps through them."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from emulator.core.margin import effective_leverage
from emulator.core.numbers import exact
from emulator.core.positions import (
    BreakEven,
    Leg,
    MarginMode,
    Position,
    after_margin,
    break_even_price,
    entry_price,
    traded,
)
from tests.core.futures import BTC, BTC_COIN, CENT, ETH, held


def test_a_leg_of_hedge_mode_never_turns() -> None:
    with exact():
        long = held(ETH, "1", "2000", leg=Leg.LONG)
        assert traded(ETH, long, quantity=D(-1), price=D(2100)).position.quantity == 0
        with pytest.raises(AssertionError, match="long leg would turn"):
            traded(ETH, long, quantity=D("-1.5"), price=D(2100))
        with pytest.raises(AssertionError, match="short leg would open on the other side"):
            traded(ETH, Position(leg=Leg.SHORT), quantity=D(1), price=D(2100))


def test_what_it_realised_is_counted_from_when_it_was_last_flat() -> None:
    with exact():
        first = traded(ETH, Position(), quantity=D(2), price=D(2000), fee=D(2)).position
        second = traded(ETH, first, quantity=D(-1), price=D(2100), fee=D(1)).position
        assert (second.realised, second.fees) == (D(100), D(3))
        closed = traded(ETH, second, quantity=D(-1), price=D(2200), fee=D(1)).position
        assert (closed.realised, closed.fees, closed.cost) == (D(300), D(4), D(0))
        again = traded(ETH, closed, quantity=D(-1), price=D(2200), fee=D(1)).position
        assert (again.realised, again.fees, again.funding) == (D(0), D(1), D(0))


def test_turning_an_isolated_position_releases_its_margin_and_takes_new() -> None:
    with exact():
        start = Position(mode=MarginMode.ISOLATED, leverage=D(10))
        long = traded(BTC, start, quantity=D("0.2"), price=D(50000)).position
        change = traded(BTC, long, quantity=D("-0.5"), price=D(48000))
    assert (change.margin_released, change.margin_taken) == (D(1000), D(1440))
    assert (change.realised, change.position.margin, change.position.quantity) == (
        D(-400),
        D(1440),
        D("-0.3"),
    )
    assert (change.closed, change.opened) == (D("0.2"), D("0.3"))


def test_a_flat_position_has_no_prices() -> None:
    with exact():
        assert entry_price(BTC, Position(), CENT) == 0
        assert break_even_price(BTC, Position(), BreakEven(), CENT) == 0


def test_there_may_be_no_break_even_price() -> None:
    """A long that has gained more than its cost cannot lose it again; an inverse short likewise."""
    with exact():
        rich = Position(quantity=D(1), cost=D(100), realised=D(150))
        assert break_even_price(ETH, rich, BreakEven(), CENT) == 0
        rich = Position(quantity=D(-100), cost=D("0.2"), realised=D("0.3"))
        assert break_even_price(BTC_COIN, rich, BreakEven(), CENT) == 0


def test_margin_is_moved_on_isolated_positions_only() -> None:
    with exact():
        isolated = held(BTC, "0.1", "100000", margin="500")
        assert after_margin(isolated, D(250)).margin == 750
        assert effective_leverage(BTC, isolated, D(100000), CENT) == 20
        assert effective_leverage(BTC, after_margin(isolated, D(500)), D(100000), CENT) == 10
        assert effective_leverage(BTC, isolated, D(95000), CENT) == 0
        with pytest.raises(AssertionError, match="more margin than there is"):
            after_margin(isolated, D(-501))
        with pytest.raises(AssertionError, match="no margin of its own"):
            after_margin(held(BTC, "0.1", "100000"), D(1))
