"""Pairs out of queries and forms."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.web.params import PARAMETERS_MAX, TooManyPairs, split_pairs


@pytest.mark.parametrize(
    ("query", "body", "pairs"),
    [
        (b"", b"", {}),
        (b"a=1&b=2", b"", {"a": "1", "b": "2"}),
        (b"", b"a=1", {"a": "1"}),
        (b"a=1", b"b=2", {"a": "1", "b": "2"}),
        (b"a=", b"", {"a": ""}),
        (b"a", b"", {"a": ""}),
        (b"a=1&", b"", {"a": "1"}),
        (b"&&a=1", b"", {"a": "1"}),
        (b"a=b=c", b"", {"a": "b=c"}),
        (b"a=x+y%2Bz", b"", {"a": "x y+z"}),
        (b"symbol=%EF%BC%91", b"", {"symbol": "１"}),
        (b"a=%zz", b"", {"a": "%zz"}),
    ],
)
def test_pairs_are_what_a_form_says(query: bytes, body: bytes, pairs: dict[str, str]) -> None:
    assert split_pairs(query, body) == (pairs, False)


def test_the_query_wins_over_the_body() -> None:
    pairs, twice = split_pairs(b"price=1", b"price=2&side=BUY")
    assert pairs == {"price": "1", "side": "BUY"}
    assert not twice


@pytest.mark.parametrize(("query", "body"), [(b"a=1&a=2", b""), (b"", b"a=1&a=1"), (b"b=1", b"%61=1&a=2")])
def test_a_name_that_comes_twice_in_one_place_is_told(query: bytes, body: bytes) -> None:
    assert split_pairs(query, body)[1]


@pytest.mark.parametrize("raw", [b"a=%ff", b"a=\xff", "a=\ufffd".encode()])
def test_bytes_that_are_no_text_become_what_no_parameter_allows(raw: bytes) -> None:
    assert split_pairs(raw, b"")[0] == {"a": "\ufffd"}


def test_more_pairs_than_any_endpoint_has_are_refused_unread() -> None:
    most = b"&".join(b"p%d=1" % number for number in range(PARAMETERS_MAX))
    assert len(split_pairs(most, b"")[0]) == PARAMETERS_MAX
    with pytest.raises(TooManyPairs):
        split_pairs(most + b"&one=more", b"")
    with pytest.raises(TooManyPairs):
        split_pairs(most, b"one=more")


WORDS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.dictionaries(WORDS.filter(bool), WORDS, max_size=8))
def test_what_a_client_encodes_comes_back(pairs: dict[str, str]) -> None:
    assert split_pairs(urlencode(pairs).encode(), b"") == (pairs, False)
