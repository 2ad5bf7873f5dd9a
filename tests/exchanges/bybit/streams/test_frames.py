"""Frames beside topics, in the shape of each socket: the examples of "Connect", key by key."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.exchanges.bybit.streams.frames import (
    CONTRACT_SHAPE,
    OPTION_SHAPE,
    PRIVATE_SHAPE,
    SPOT_SHAPE,
    Frame,
    Malformed,
    Shape,
    parse_frame,
)

NOW_US = 1_672_916_271_846_123
TOPIC = "orderbook.100.BTC-6JAN23-18000-C"


def frame(op: str, id: Any = None) -> Frame:
    members = {"op": op} if id is None else {"op": op, "req_id": id}
    return parse_frame(orjson.dumps(members))


def listed(payload: bytes) -> list[tuple[str, Any]]:
    """Members in the order in which they are sent."""
    return list(orjson.loads(payload).items())


def acknowledged(shape: Shape, request: Frame, text: str | None = None) -> list[tuple[str, Any]]:
    done, failed = ([TOPIC], []) if text is None else ([], [TOPIC])
    return listed(shape.topics(request, "c-1", done=done, failed=failed, text=text))


class TestAcknowledgements:
    def test_of_pairs(self) -> None:
        assert acknowledged(SPOT_SHAPE, frame("subscribe", "10001")) == [
            ("success", True),
            ("ret_msg", "subscribe"),
            ("conn_id", "c-1"),
            ("req_id", "10001"),
            ("op", "subscribe"),
        ]
        assert acknowledged(SPOT_SHAPE, frame("unsubscribe")) == [
            ("success", True),
            ("ret_msg", "unsubscribe"),
            ("conn_id", "c-1"),
            ("op", "unsubscribe"),
        ]

    def test_of_contracts(self) -> None:
        assert acknowledged(CONTRACT_SHAPE, frame("subscribe")) == [
            ("success", True),
            ("ret_msg", ""),
            ("conn_id", "c-1"),
            ("req_id", ""),
            ("op", "subscribe"),
        ]

    def test_of_options(self) -> None:
        assert acknowledged(OPTION_SHAPE, frame("subscribe")) == [
            ("success", True),
            ("conn_id", "c-1"),
            ("data", {"failTopics": [], "successTopics": [TOPIC]}),
            ("type", "COMMAND_RESP"),
        ]

    def test_of_accounts(self) -> None:
        assert acknowledged(PRIVATE_SHAPE, frame("subscribe")) == [
            ("success", True),
            ("ret_msg", ""),
            ("op", "subscribe"),
            ("conn_id", "c-1"),
        ]

    @pytest.mark.parametrize("shape", [SPOT_SHAPE, CONTRACT_SHAPE, PRIVATE_SHAPE])
    def test_a_failure_says_why(self, shape: Shape) -> None:
        members = dict(acknowledged(shape, frame("subscribe", "1"), "args size >10"))
        assert (members["success"], members["ret_msg"], members["op"]) == (
            False,
            "args size >10",
            "subscribe",
        )

    @pytest.mark.parametrize("shape", [SPOT_SHAPE, CONTRACT_SHAPE, OPTION_SHAPE, PRIVATE_SHAPE])
    @pytest.mark.parametrize("id", [7, "7", 0, "", 9_007_199_254_740_993])
    def test_what_the_client_calls_it_comes_back_as_it_is(self, shape: Shape, id: Any) -> None:
        """ccxt sends a number and compares with it; pybit a text."""
        found = dict(acknowledged(shape, frame("subscribe", id)))["req_id"]
        assert (found, type(found)) == (id, type(id))


class TestPongs:
    def test_of_pairs(self) -> None:
        assert listed(SPOT_SHAPE.pong(frame("ping"), "c-1", NOW_US)) == [
            ("success", True),
            ("ret_msg", "pong"),
            ("conn_id", "c-1"),
            ("op", "ping"),
        ]

    def test_of_contracts(self) -> None:
        assert listed(CONTRACT_SHAPE.pong(frame("ping"), "c-1", NOW_US)) == [
            ("success", True),
            ("ret_msg", "pong"),
            ("conn_id", "c-1"),
            ("req_id", ""),
            ("op", "ping"),
        ]

    def test_of_options(self) -> None:
        assert listed(OPTION_SHAPE.pong(frame("ping"), "c-1", NOW_US)) == [
            ("args", ["1672916271846"]),
            ("op", "pong"),
        ]

    def test_of_accounts(self) -> None:
        assert listed(PRIVATE_SHAPE.pong(frame("ping", "test"), "c-1", NOW_US)) == [
            ("req_id", "test"),
            ("op", "pong"),
            ("args", ["1672916271846"]),
            ("conn_id", "c-1"),
        ]

    def test_a_ping_may_come_with_anything(self) -> None:
        """hummingbot sends a number."""
        assert parse_frame(b'{"op":"ping","args":1672916271846}').args == []


class TestWhatIsNoRequest:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (
                b"hello",
                "readObjectStart: expect { or n, but found h, error found in #1 byte of ...|hello|...",
            ),
            (b'  ["ping"]', "readObjectStart: expect { or n, but found [, error found in #3 byte of ..."),
            (b"7", "readObjectStart: expect { or n, but found 7,"),
            (b"", "readObjectStart: expect { or n, but found \x00,"),
            (b'{"op":"ping"', "readObject: expect , or }, but found \x00, error found in #13 byte of ..."),
        ],
    )
    def test_it_is_said_where_the_reading_stopped(self, text: bytes, words: str) -> None:
        with pytest.raises(Malformed) as malformed:
            parse_frame(text)
        assert str(malformed.value).startswith("Failed to decode incoming data:" + words)

    @pytest.mark.parametrize("text", [b"{}", b"null", b'{"op":7}', b'{"op":null,"args":{}}'])
    def test_what_names_no_operation_is_a_request_all_the_same(self, text: bytes) -> None:
        assert parse_frame(text)[:3] == ("", None, [])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    id=VALUES,
    op=VALUES | st.sampled_from(["subscribe", "ping", "auth"]),
    args=VALUES,
    shape=st.sampled_from([SPOT_SHAPE, CONTRACT_SHAPE, OPTION_SHAPE, PRIVATE_SHAPE]),
)
def test_whatever_is_sent_can_be_answered(id: Any, op: Any, args: Any, shape: Shape) -> None:
    """What the client calls its request comes back as it is, whatever it is."""
    frame = parse_frame(orjson.dumps({"op": op, "req_id": id, "args": args}))
    for answer in (
        shape.topics(frame, "c-1", done=(), failed=(), text=None),
        shape.topics(frame, "c-1", done=(), failed=(), text="no"),
        shape.refusal(frame, "c-1", "no"),
    ):
        members = orjson.loads(answer)
        assert members["conn_id"] == "c-1"
        if id is not None:
            assert members["req_id"] == id


@given(st.binary(max_size=40))
def test_whatever_bytes_come_are_a_request_or_are_complained_of(message: bytes) -> None:
    why, frame = None, None
    try:
        frame = parse_frame(message)
    except Malformed as malformed:
        why = str(malformed)
    if frame is not None:
        assert orjson.loads(message) in (frame.members, None)
    else:
        answer = orjson.loads(SPOT_SHAPE.refusal(None, "c-1", why or ""))
        assert (answer["success"], answer["ret_msg"]) == (False, why)
