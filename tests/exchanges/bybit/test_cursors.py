"""Cursors of lists: opaque, percent-encoded, and read however a client sends them back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest

from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text, read_cursor


def test_a_cursor_is_encoded_text() -> None:
    # execution.mdx shows 132766%3A2%2C132766%3A2.
    assert cursor_text(132766, 2) == "132766%3A2"
    assert LAST_PAGE == ""


@pytest.mark.parametrize("sent", [str, unquote, quote, lambda text: quote(quote(text))])
def test_a_cursor_is_read_as_it_came_decoded_or_encoded_again(sent: Callable[[str], str]) -> None:
    assert read_cursor(sent(cursor_text("linear", 7, 9)), 3) == ("linear", "7", "9")


@pytest.mark.parametrize("text", ["", "7", "7:", ":9", "1:2:3", "%3A", "nonsense"])
def test_what_is_no_cursor_of_two_parts_is_none(text: str) -> None:
    assert read_cursor(text, 2) is None
