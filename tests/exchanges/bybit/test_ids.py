"""Ids of orders and executions: invertible, of the shapes that the documents show, never another's."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.exchanges.bybit.ids import (
    cross_sequence,
    execution_id_text,
    order_id_text,
    read_order_id,
    uuid_text,
)

ORDERS = st.integers(min_value=1, max_value=2**48)


@given(ORDERS)
def test_an_id_of_derivatives_is_a_uuid_that_is_read_back(order: int) -> None:
    text = order_id_text("linear", order)
    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert parsed.version == 4
    assert parsed.variant == uuid.RFC_4122
    assert read_order_id(text) == order
    assert read_order_id(text.upper()) == order
    assert order_id_text("inverse", order) == text


@given(ORDERS)
def test_an_id_of_a_pair_is_nineteen_digits_that_are_read_back(order: int) -> None:
    # create-order.mdx and batch-place.mdx show ids such as 1666800494330512128.
    text = order_id_text("spot", order)
    assert text.isdigit()
    assert len(text) == 19
    assert read_order_id(text) == order


@given(ORDERS)
def test_ids_of_pairs_ascend_with_the_orders(order: int) -> None:
    assert int(order_id_text("spot", order)) < int(order_id_text("spot", order + 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "1",
        "1666800494330512128",
        "c6f055d9-7f21-4079-913d-e6523a9cfffa",
        "fd4300ae-7847-404e-b947-b46980a4d140",
        "not-an-id",
        "９" * 19,
        "-1666800494330512128",
    ],
)
def test_what_was_never_given_out_is_no_order(text: str) -> None:
    assert read_order_id(text) is None


def test_an_id_with_another_digit_is_no_order() -> None:
    text = order_id_text("linear", 7)
    for place, letter in enumerate(text):
        if letter == "-":
            continue
        other = text[:place] + ("0" if letter != "0" else "1") + text[place + 1 :]
        assert read_order_id(other) is None, place


def test_orders_that_follow_each_other_have_ids_that_do_not() -> None:
    ids = [order_id_text("linear", order) for order in range(1, 2001)]
    assert len(set(ids)) == 2000
    assert len({text[:4] for text in ids}) > 1500


def test_executions_are_named_by_instrument_and_trade() -> None:
    # execution.mdx: e0cbe81d-0f18-5866-9415-cf319b5dab3b, a UUID of version 5.
    text = execution_id_text("linear", "linear:BTCUSDT", 7)
    assert uuid.UUID(text).version == 5
    assert text == execution_id_text("linear", "linear:BTCUSDT", 7)
    assert text != execution_id_text("linear", "linear:ETHUSDT", 7)
    assert text != execution_id_text("linear", "linear:BTCUSDT", 8)
    pair = execution_id_text("spot", "spot:BTCUSDT", 7)
    assert pair.isdigit()
    assert len(pair) == 19
    assert pair != execution_id_text("spot", "spot:ETHUSDT", 7)


def test_an_execution_is_no_order() -> None:
    assert read_order_id(execution_id_text("linear", "linear:BTCUSDT", 7)) is None
    assert read_order_id(uuid_text(7, version=5)) is None


def test_sequences_ascend_with_time() -> None:
    assert cross_sequence(1_672_282_722_429_000) < cross_sequence(1_672_282_722_429_001)
