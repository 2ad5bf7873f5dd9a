"""Bytes in bodies and headers of Bybit's site that no client sends on purpose; see `test_raw_bytes`."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.effort import EXAMPLES_FACTOR
from tests.conformance.signing import KEY, sign

TIMEOUT = 10
ANSWER_MAX = 2_000_000

PATHS = [
    ("POST", "/v5/order/create"),
    ("POST", "/v5/order/amend"),
    ("POST", "/v5/order/cancel"),
    ("POST", "/v5/order/create-batch"),
    ("POST", "/v5/order/cancel-batch"),
    ("POST", "/v5/position/set-leverage"),
    ("POST", "/v5/position/trading-stop"),
    ("POST", "/v5/asset/transfer/inter-transfer"),
    ("POST", "/v5/asset/withdraw/create"),
    ("POST", "/v5/nothing"),
    ("GET", "/v5/order/realtime"),
    ("GET", "/v5/execution/list"),
    ("GET", "/v5/market/kline"),
    ("GET", "/v5/market/orderbook"),
    ("GET", "/v5/market/instruments-info"),
]
NAMES = (
    "category symbol side orderType qty price timeInForce positionIdx orderLinkId orderId reduceOnly request "
    "triggerPrice triggerDirection takeProfit stopLoss tpslMode buyLeverage sellLeverage coin amount limit "
    "cursor startTime endTime transferId fromAccountType toAccountType settleCoin interval"
).split()
WORDS = (
    "linear inverse spot option BTCUSDT Buy Sell Limit Market GTC 1 0.01 -1 -0 1E+999999 NaN 0x10 1_000 true "
    "99999999999999999999 a%3Ab ０．１ UNIFIED FUND"
).split()

words = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))
numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -(10**400), 1e308]))
values = st.recursive(
    st.one_of(words, numbers, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)),
    max_leaves=8,
)
members = st.dictionaries(st.one_of(st.sampled_from(NAMES), words), values, max_size=12)
bodies = st.one_of(
    members.map(lambda one: json.dumps(one).encode("utf-8", "surrogatepass")),
    st.lists(members, max_size=3).map(
        lambda many: json.dumps({"category": "linear", "request": many}).encode()
    ),
    st.binary(max_size=60),
)
budget = settings(
    max_examples=250 * EXAMPLES_FACTOR,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


class Wire:
    """One keep-alive connection that sends exactly what it is told."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)

    def send(self, method: str, path: str, content: bytes) -> tuple[int, bytes]:
        stamp = str(time.time_ns() // 1_000_000)
        headers = {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": KEY,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "60000",
        }
        if method == "GET":
            query = "&".join(f"{byte:02x}=%{byte:02X}" for byte in content)
            headers["X-BAPI-SIGN"] = sign(f"{stamp}{KEY}60000{query}".encode())
            self.connection.request(method, f"{path}?{query}", None, headers)
        else:
            headers["X-BAPI-SIGN"] = sign(f"{stamp}{KEY}60000".encode() + content)
            self.connection.request(method, path, content, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read(ANSWER_MAX + 1)


@pytest.fixture(scope="module")
def wire(server_url: str) -> Iterator[Wire]:
    one = Wire(server_url)
    yield one
    one.connection.close()


@budget
@given(st.sampled_from(PATHS), bodies)
@example(("POST", "/v5/order/create"), b'{"category":"linear","symbol":"BTCUSDT","qty":1E+999999}')
@example(("POST", "/v5/order/create"), b'{"a":' * 50_000 + b"1" + b"}" * 50_000)
@example(("POST", "/v5/order/create-batch"), b'{"category":"linear","request":[{"symbol":"\xff"}]}')
@example(("POST", "/v5/order/create"), b"{" + b'"a":1,' * 50_000 + b'"b":2}')
@example(("POST", "/v5/order/create"), b'{"category":"linear","symbol":"BTCUSDT","qty":' + b"9" * 5000 + b"}")
def test_any_bytes_get_an_answer_in_an_envelope(wire: Wire, route: tuple[str, str], content: bytes) -> None:
    status, answer = wire.send(*route, content)
    assert status in (200, 404), answer[:300]
    assert len(answer) <= ANSWER_MAX
    envelope = json.loads(answer)
    assert list(envelope) == ["retCode", "retMsg", "result", "retExtInfo", "time"]
    assert envelope["retCode"] != 10016, "a defect of ours"
    if envelope["retCode"]:
        assert len(answer) < 20_000, "an error must not echo what was sent without bound"


@pytest.mark.parametrize("name", ["X-BAPI-API-KEY", "X-BAPI-TIMESTAMP", "X-BAPI-SIGN", "X-BAPI-RECV-WINDOW"])
@pytest.mark.parametrize("value", [b"\xff\xfe", b" ", b"x" * 5000, b"%00", b"-1", b"1" * 100])
def test_any_header_gets_an_answer_in_an_envelope(wire: Wire, name: str, value: bytes) -> None:
    headers: dict[str, str | bytes] = {
        "X-BAPI-API-KEY": KEY,
        "X-BAPI-TIMESTAMP": str(time.time_ns() // 1_000_000),
        "X-BAPI-SIGN": "00",
        name: value,
    }
    wire.connection.request("GET", "/v5/user/query-api", None, headers)
    answer = wire.connection.getresponse()
    assert answer.status == 200
    assert json.loads(answer.read())["retCode"] in (10002, 10003, 10004)
