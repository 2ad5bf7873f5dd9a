"""Bytes that no client sends on purpose: each gets an error of the exchange, quickly, and never a 5xx."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.effort import EXAMPLES_FACTOR
from tests.conformance.signing import KEY, SECRET

TIMEOUT = 10
ANSWER_MAX = 2_000_000
"""An error, or a page of the longest list, is smaller; more would be an unbounded answer."""

NAMES = (
    "symbol side type timeInForce quantity quoteOrderQty price stopPrice trailingDelta icebergQty "
    "newClientOrderId newOrderRespType selfTradePreventionMode strategyId strategyType pegPriceType "
    "limit fromId startTime endTime interval timeZone symbols permissions windowSize orderId "
    "origClientOrderId recvWindow timestamp cancelReplaceMode asset coin amount address network "
    "aboveType belowType workingType pendingType workingSide pendingSide workingPrice workingQuantity"
).split()
VALUES = (
    "BTCUSDT BUY SELL LIMIT MARKET GTC 1 0.01 100000 1E+999999 1e400 NaN Infinity -1 -0 0 ０．１ 1_000 0x10 "
    '%00 %FF %C3%28 + %2B [] ["BTCUSDT"] [["a"]] {} null true STOP_LOSS_LIMIT TAKE_PROFIT OCO 1d 1M FULL '
    "99999999999999999999 -12:00 +14:00 +99:99"
).split()
PATHS = [
    ("GET", "/api/v3/depth"),
    ("GET", "/api/v3/klines"),
    ("GET", "/api/v3/exchangeInfo"),
    ("GET", "/api/v3/ticker"),
    ("GET", "/api/v3/ticker/24hr"),
    ("GET", "/api/v3/aggTrades"),
    ("GET", "/api/v3/account"),
    ("GET", "/api/v3/myTrades"),
    ("GET", "/api/v3/allOrders"),
    ("POST", "/api/v3/order"),
    ("POST", "/api/v3/order/cancelReplace"),
    ("PUT", "/api/v3/order/amend/keepPriority"),
    ("DELETE", "/api/v3/order"),
    ("POST", "/api/v3/orderList/oco"),
    ("POST", "/api/v3/orderList/otoco"),
    ("POST", "/sapi/v1/asset/transfer"),
    ("POST", "/sapi/v1/capital/withdraw/apply"),
    ("GET", "/sapi/v1/capital/config/getall"),
    ("GET", "/api/v3/nothing"),
    ("PATCH", "/api/v3/order"),
]

JSON_FOLLOWS = (
    b"PUT /_emulator/clock HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
)

raw_text = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=40)
percent_encoded = st.text(max_size=12).map(
    lambda text: "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
)
value = st.one_of(st.sampled_from(VALUES), raw_text, percent_encoded)
field = st.one_of(
    st.tuples(st.sampled_from(NAMES), value).map("=".join),
    st.tuples(raw_text, value).map("=".join),
    raw_text,
)
fields = st.lists(field, max_size=14).map("&".join).filter(str.isascii)
budget = settings(
    max_examples=400 * EXAMPLES_FACTOR,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


class Wire:
    """One keep-alive connection that sends exactly what it is told."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url)
        self.connection = http.client.HTTPConnection(self.host.netloc, timeout=TIMEOUT)

    def send(self, method: str, target: str, body: bytes, *, keyed: bool) -> tuple[int, bytes, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        if keyed:
            headers["X-MBX-APIKEY"] = KEY
        try:
            self.connection.request(method, target, body or None, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read(ANSWER_MAX + 1), answer.headers.get("content-type", "")
        except (http.client.HTTPException, ConnectionError):
            # What is not HTTP at all may cost the connection, never the server.
            self.connection.close()
            return 400, b'{"code":-1,"msg":"closed"}', "application/json"


@pytest.fixture(scope="module")
def wire(server_url: str) -> Iterator[Wire]:
    one = Wire(server_url)
    yield one
    one.connection.close()


@budget
@given(st.sampled_from(PATHS), fields, fields, st.booleans())
@example(("POST", "/api/v3/order"), "symbol=BTCUSDT&quantity=1E%2B999999", "", True)
@example(("GET", "/api/v3/depth"), "symbol=" + "B" * 60_000, "", False)
@example(("POST", "/api/v3/order"), "&" * 5_000, "a=1&" * 10_000, True)
def test_any_bytes_get_an_error_of_the_exchange(
    wire: Wire, route: tuple[str, str], query: str, body: str, signed: bool
) -> None:
    method, path = route
    content = body.encode() if method != "GET" else b""
    if signed:
        stamp = f"timestamp={time.time_ns() // 1_000_000}"
        query = f"{query}&{stamp}" if query else stamp
        signature = hmac.new(SECRET.encode(), query.encode() + content, hashlib.sha256).hexdigest()
        query += f"&signature={signature}"
    status, answer, kind = wire.send(method, f"{path}?{query}", content, keyed=signed)
    assert status < 500, answer[:300]
    assert len(answer) <= ANSWER_MAX
    if status != 200:
        assert kind.startswith("application/json"), (status, kind, answer[:300])
        error = json.loads(answer)
        assert isinstance(error["code"], int), error
        assert error["code"] != -1000, "a defect of ours"
        assert isinstance(error["msg"], str), error
        assert len(answer) < 20_000, "an error must not echo what was sent without bound"


@pytest.mark.parametrize(
    "raw",
    [
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /api/v3/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v3/time?%ff HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET /~%00/api/v3/time HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET //api//v3 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v3/account HTTP/1.1\r\nHost: a\r\nX-MBX-APIKEY: \xff\xfe\r\n\r\n",
        b"GET /api/v3/time HTTP/1.1\r\nHost: a\r\nX-MBX-TIME-UNIT: \xff\r\n\r\n",
        b"POST /api/v3/order HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/v3/order HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /api/v3/order HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /api/v3/order HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        JSON_FOLLOWS + b"100000\r\n\r\n" + b"[" * 100_000,
        JSON_FOLLOWS + b"4\r\n\r\n\xff\xff\xff\xff",
    ],
    ids=lambda raw: repr(raw[:60]),
)
def test_what_is_hardly_http_is_refused_and_hurts_nobody_else(wire: Wire, raw: bytes) -> None:
    with socket.create_connection(
        (wire.host.hostname or "", wire.host.port or 0), timeout=TIMEOUT
    ) as stranger:
        stranger.sendall(raw)
        first_line = stranger.recv(1000).split(b"\r\n")[0]
    assert re.fullmatch(rb"HTTP/1\.1 4\d\d .*", first_line), first_line
    status, answer, _ = wire.send("GET", "/api/v3/time", b"", keyed=False)
    assert status == 200, answer


def test_a_megabyte_of_parameters_is_refused(wire: Wire) -> None:
    status, answer, _ = wire.send("POST", "/api/v3/order", b"a=" + b"1" * 1_100_000, keyed=True)
    assert 400 <= status < 500
    assert isinstance(json.loads(answer)["code"], int)
    status, answer, _ = wire.send("GET", "/api/v3/time", b"", keyed=False)
    assert status == 200, "the server goes on"
