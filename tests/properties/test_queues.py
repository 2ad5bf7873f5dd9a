"""Prices and orders in order, against sorted lists."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core import book
from emulator.core.book import PriceLadder, PriceQueues

kinds = st.sampled_from(["add", "add", "remove", "requeue", "show"])
prices = st.integers(-30, 30).map(lambda cents: Decimal(cents) / 4)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that chunks are split and emptied all the time."""
    monkeypatch.setattr(book, "CHUNK", 3)


@given(wanted=st.lists(prices, max_size=80))
def test_a_ladder_is_a_sorted_set(wanted: list[Decimal]) -> None:
    """Each price is added when it is not there and removed when it is."""
    ladder, model = PriceLadder(), set[Decimal]()
    for price in wanted:
        if price in model:
            ladder.remove(price)
            model.remove(price)
        else:
            ladder.add(price)
            model.add(price)
        assert list(ladder) == sorted(model)
        assert list(reversed(ladder)) == sorted(model, reverse=True)
        assert len(ladder) == len(model)
        assert ladder.lowest == min(model, default=None)
        assert ladder.highest == max(model, default=None)


@settings(max_examples=60)
@given(
    descending=st.booleans(),
    steps=st.lists(st.tuples(kinds, prices, st.integers(0, 99))),
)
def test_queues_are_lists_by_price(descending: bool, steps: list[tuple[str, Decimal, int]]) -> None:
    queues = PriceQueues(descending=descending)
    model: list[tuple[Decimal, Any]] = []
    for number, (step, price, pick) in enumerate(steps):
        if step == "add":
            order: Any = SimpleNamespace(id=number, visible=Decimal(pick))
            queues.add(price, order)
            model.append((price, order))
        elif model:
            entry = model[pick % len(model)]
            if step == "show":
                queues.show(*entry, Decimal(pick))
                continue
            model.remove(entry)
            if step == "remove":
                queues.remove(*entry)
            else:
                queues.requeue(*entry)
                model.append(entry)
        expected = sorted(model, key=lambda one: one[0], reverse=descending)
        assert [(at, one) for at in queues.prices() for one in queues.queues[at].values()] == expected
        assert queues.best == (expected[0][0] if expected else None)
        assert len(queues) == len(model)
        for at, shown in queues.shown.items():
            assert shown == sum(one.visible for its, one in model if its == at)


def test_ten_thousand_prices_up_and_down() -> None:
    ladder = PriceLadder()
    listed = [Decimal(7919 * step % 10_007) for step in range(10_000)]
    for price in listed:
        ladder.add(price)
    assert list(ladder) == sorted(listed)
    for price in listed[::2]:
        ladder.remove(price)
    assert list(ladder) == sorted(listed[1::2])
