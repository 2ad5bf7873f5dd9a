"""What is said to parameters that are missing, malformed, too many or too much."""

from __future__ import annotations

import time
from decimal import Decimal
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.numbers import parse_plain
from emulator.exchanges.binance import vocabulary as v
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.errors import ERRORS
from emulator.exchanges.binance.reading import DECIMAL_MAX, LONG_MAX, Reader
from emulator.web.contract import Kind, Parameter, Refusal
from emulator.web.eras import EraUnknown, check_eras, read_eras
from tests.exchanges.binance.lobby import KEY, Lobby, sign
from tests.web.client import ask

pytestmark = pytest.mark.anyio

compile_parameter = Reader(ERRORS).compile_parameter

ILLEGAL = "Illegal characters found in parameter '%s'; legal range is '%s'."
DECIMALS = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
INTEGERS = "^[0-9]{1,20}$"
SYMBOLS = r"^[\w\-._&&[^a-z]]{1,50}$"
SYMBOL_LISTS = r'^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$'
CLIENT_IDS = "^[a-zA-Z0-9-_]{1,36}$"


def said(parameter: Parameter, text: str) -> object:
    """The value, or the code and text of the refusal."""
    try:
        return compile_parameter(parameter)(text)
    except Refusal as refusal:
        return refusal.code, refusal.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "1"),
        ("1.50", "1.5"),
        ("0.00000001", "0.00000001"),
        ("0.10000000000", "0.1"),
        ("00012.0", "12"),
        ("0", "0"),
        ("0.000", "0"),
        ("100", "100"),
        ("92233720368.54775807", "92233720368.54775807"),
    ],
)
def test_decimals_that_are_read(text: str, value: str) -> None:
    parsed = compile_parameter(v.QUANTITY)(text)
    assert isinstance(parsed, Decimal)
    assert format(parsed, "f") == value


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "Infinity", "-1", "+1", "1e5", "1E+999999", ".5", "1.", "1,5", "1_000", " 1", "1 ", "１２",
        "٣", "0x10", "1.2.3", "1\n", "1" * 21, "0." + "1" * 21, "9" * 1_000_000,
    ],
)  # fmt: skip
def test_decimals_that_are_not(text: str) -> None:
    began = time.perf_counter()
    assert said(v.QUANTITY, text) == (-1100, ILLEGAL % ("quantity", DECIMALS))
    assert time.perf_counter() - began < 0.1


def test_a_decimal_too_fine_or_too_large() -> None:
    assert said(v.QUANTITY, "0.123456789") == (-1111, "Parameter 'quantity' has too much precision.")
    assert said(v.QUANTITY, "92233720368.54775808") == (-1108, "Parameter 'quantity' overflowed.")
    assert said(v.QUANTITY, "9" * 20) == (-1108, "Parameter 'quantity' overflowed.")


@given(st.decimals(min_value=0, max_value=DECIMAL_MAX, places=8))
def test_a_decimal_is_read_as_the_core_reads_it(value: Decimal) -> None:
    text = format(value, "f")
    parsed = compile_parameter(v.PRICE)(text)
    assert str(parsed) == str(parse_plain(text))


ILLEGAL_LIMIT = ILLEGAL % ("limit", INTEGERS)


@pytest.mark.parametrize(
    ("parameter", "text", "outcome"),
    [
        (v.limit(500, 1000), "10", 10),
        (v.limit(500, 1000), "1001", 1000),
        (v.limit(500, 1000), "0", (-1130, "Data sent for parameter 'limit' is not valid.")),
        (v.limit(500, 1000), "-5", (-1100, ILLEGAL_LIMIT)),
        (v.limit(500, 1000), "abc", (-1100, ILLEGAL_LIMIT)),
        (v.limit(500, 1000), "1.0", (-1100, ILLEGAL_LIMIT)),
        (v.limit(500, 1000), "٣", (-1100, ILLEGAL_LIMIT)),
        (v.ORDER_ID, str(LONG_MAX), LONG_MAX),
        (v.ORDER_ID, str(LONG_MAX + 1), (-1108, "Parameter 'orderId' overflowed.")),
        (v.STRATEGY_TYPE, "1000000", 1_000_000),
        (v.STRATEGY_TYPE, "999999", (-1134, "`strategyType` was less than 1000000.")),
        (v.PEG_OFFSET_VALUE, "101", (-1130, "Data sent for parameter 'pegOffsetValue' is not valid.")),
        (v.START_TIME, "1700000000000", 1_700_000_000_000_000),
        (v.START_TIME, "1700000000000001", 1_700_000_000_000_001),
        (v.START_TIME, "9" * 20, (-1108, "Parameter 'startTime' overflowed.")),
        (Parameter("flag", Kind.BOOLEAN), "true", True),
        (Parameter("flag", Kind.BOOLEAN), "False", False),
        (Parameter("flag", Kind.BOOLEAN), "1", (-1130, "Data sent for parameter 'flag' is not valid.")),
        (v.SIDE, "BUY", "BUY"),
        (v.SIDE, "buy", (-1117, "Invalid side.")),
        (v.ORDER_TYPE, "STOP", (-1116, "Invalid orderType.")),
        (v.TIME_IN_FORCE, "GTX", (-1115, "Invalid timeInForce.")),
        (v.INTERVAL, "1min", (-1120, "Invalid interval.")),
        (v.SYMBOL_STATUS, "UP", (-1122, "Invalid symbolStatus.")),
        (v.PEG_PRICE_TYPE, "X", (-1210, "Invalid pegPriceType.")),
        (v.PEG_OFFSET_TYPE, "X", (-1211, "Invalid pegOffsetType.")),
        (
            v.CANCEL_RESTRICTION,
            "ALL",
            (-1145, "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`."),
        ),
        (
            v.NEW_ORDER_RESPONSE_TYPE,
            "full",
            (-1130, "Data sent for parameter 'newOrderRespType' is not valid."),
        ),
        (v.NEW_CLIENT_ORDER_ID, "x-HNA2TXFJ_1", "x-HNA2TXFJ_1"),
        (v.SYMBOL, "BTCUSDT", "BTCUSDT"),
        (v.SYMBOL, "币安人生USDT", "币安人生USDT"),
        (v.SYMBOL, "１２３４５６", "１２３４５６"),
    ],
)
def test_values(parameter: Parameter, text: str, outcome: object) -> None:
    assert said(parameter, text) == outcome


@pytest.mark.parametrize(
    "text", ["btcusdt", "BTC/USDT", "BTC USDT", "A" * 51, "BTCUSDT\n", "\ufffd", "A" * 1_000_000]
)
def test_symbols_that_no_market_could_have(text: str) -> None:
    assert said(v.SYMBOL, text) == (-1100, ILLEGAL % ("symbol", SYMBOLS))


@pytest.mark.parametrize("text", ["a" * 37, "a b", "a.b", "é", "a'--"])
def test_client_order_ids_that_are_refused(text: str) -> None:
    assert said(v.NEW_CLIENT_ORDER_ID, text) == (-1100, ILLEGAL % ("newClientOrderId", CLIENT_IDS))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('["BTCUSDT","ETHUSDT"]', ("BTCUSDT", "ETHUSDT")),
        ('["BTCUSDT"]', ("BTCUSDT",)),
        ("[]", ()),
        ('["BTCUSDT","BTCUSDT"]', (-1151, "Symbol is present multiple times in the list.")),
    ],
)
def test_lists_of_symbols(text: str, outcome: object) -> None:
    assert said(v.SYMBOLS, text) == outcome


@pytest.mark.parametrize(
    "text",
    ["BTCUSDT", '"BTCUSDT"', '["BTCUSDT", "ETHUSDT"]', '["btcusdt"]', "[1]", '["A"', '["A",]', "[" * 100_000],
)
def test_lists_of_symbols_that_are_refused(text: str) -> None:
    assert said(v.SYMBOLS, text) == (-1100, ILLEGAL % ("symbols", SYMBOL_LISTS))


class TestAtTheDoor:
    """Which of several faults is told, and the texts that count parameters."""

    async def public(self, query: str, lobby: Lobby | None = None) -> tuple[object, object]:
        async with lobby or Lobby() as entered:
            reply = await entered.get("/api/v3/depth", query)
            return reply.json.get("code"), reply.json.get("msg")

    async def test_defaults_fill_what_was_not_sent(self) -> None:
        async with Lobby() as lobby:
            assert (await lobby.get("/api/v3/depth", "symbol=BTCUSDT")).json == {
                "symbol": "BTCUSDT",
                "limit": 100,
            }

    async def test_an_empty_value(self) -> None:
        assert await self.public("symbol=") == (-1105, "Parameter 'symbol' was empty.")

    async def test_an_unknown_parameter(self) -> None:
        assert await self.public("symbol=BTCUSDT&depth=5") == (
            -1104,
            "Not all sent parameters were read; read '1' parameter(s) but was sent '2'.",
        )

    async def test_an_unknown_parameter_is_ignored_by_switch(self) -> None:
        lobby = Lobby(eras=Eras(unknown_parameters="ignore"))
        assert await self.public("symbol=BTCUSDT&depth=5", lobby) == (None, None)

    async def test_a_name_twice(self) -> None:
        assert await self.public("symbol=A&symbol=B") == (
            -1101,
            "Duplicate values for a parameter detected.",
        )

    async def test_an_illegal_value_is_told_before_a_duplicate(self) -> None:
        # Seen on the exchange's testnet for a repeated `symbols`.
        assert (await self.public("symbols=BTCUSDT&symbols=ETHUSDT"))[0] == -1100

    async def test_parameters_that_exclude_each_other(self) -> None:
        assert await self.public('symbol=A&symbols=["B"]') == (
            -1128,
            "Combination of optional parameters invalid.",
        )

    async def test_parameters_where_none_is_wanted(self) -> None:
        async with Lobby() as lobby:
            reply = await lobby.get("/api/v3/ping", "a=1&b=2")
            assert reply.json == {
                "code": -1101,
                "msg": "Too many parameters; expected '0' and received '2'.",
            }

    async def test_more_parameters_than_anything_has(self) -> None:
        query = "&".join(f"p{number}=1" for number in range(300))
        assert await self.public(query) == (-1101, "Too many parameters sent for this endpoint.")

    async def test_a_body_that_is_no_form(self) -> None:
        async with Lobby() as lobby:
            reply = await ask(
                lobby.application,
                "POST",
                "/api/v3/order",
                body='{"symbol":"BTCUSDT"}',
                headers={"X-MBX-APIKEY": KEY, "Content-Type": "application/json"},
            )
            assert reply.json["msg"] == (
                "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            )

    @pytest.mark.parametrize(
        ("parameters", "name"),
        [
            ("", "symbol"),
            ("symbol=BTCUSDT", "side"),
            ("symbol=BTCUSDT&side=BUY", "type"),
            ("symbol=BTCUSDT&side=BUY&type=MARKET", "timestamp"),
            ("symbol=BTCUSDT&side=BUY&type=MARKET&timestamp=1", "signature"),
        ],
    )
    async def test_mandatory_parameters_are_missed_in_order(self, parameters: str, name: str) -> None:
        async with Lobby() as lobby:
            reply = await ask(
                lobby.application,
                "POST",
                "/api/v3/order",
                query=parameters,
                headers={"X-MBX-APIKEY": KEY},
            )
            assert reply.status == 400
            assert reply.json == {
                "code": -1102,
                "msg": f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
            }

    async def test_one_of_two_is_needed(self) -> None:
        async with Lobby() as lobby:
            reply = await lobby.send("DELETE", "/api/v3/order", "symbol=BTCUSDT")
            assert reply.json == {
                "code": -1102,
                "msg": "Param 'orderId' or 'origClientOrderId' must be sent, but both were empty/null!",
            }

    async def test_timestamp_and_signature_are_counted(self) -> None:
        async with Lobby() as lobby:
            reply = await lobby.order("symbol=BTCUSDT&side=BUY&type=MARKET&timeinForce=GTC")
            assert reply.json == {
                "code": -1104,
                "msg": "Not all sent parameters were read; read '5' parameter(s) but was sent '6'.",
            }

    async def test_sapi_ignores_what_it_does_not_know(self) -> None:
        async with Lobby() as lobby:
            reply = await lobby.send("GET", "/sapi/v1/bnbBurn", "whatever=1")
            assert reply.json == {}

    @pytest.mark.parametrize(
        ("name", "code"),
        [("newClientOrderId", -1118), ("quantity", -1105), ("symbol", -1105)],
    )
    async def test_codes_of_emptiness(self, name: str, code: int) -> None:
        pairs = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"} | {name: ""}
        async with Lobby() as lobby:
            reply = await lobby.order("&".join(f"{key}={value}" for key, value in pairs.items()))
            assert reply.code == code

    async def test_the_order_of_checks(self) -> None:
        """Each request has the faults of all those after it, and is told of its own."""
        good = "symbol=BTCUSDT&side=BUY&type=MARKET"
        async with Lobby() as lobby:
            now_ms = lobby.universe.wall_us // 1000
            old = now_ms - 60_000
            told = [
                (await lobby.order("side=b", key="no key", timestamp=old)).code,
                (await lobby.order("side=b", key="unknown", timestamp=old)).code,
                (await lobby.order(good + "&quantity=x&y=1", key="unknown", timestamp=old)).code,
                (await lobby.order(good + "&y=1", key="unknown", timestamp=old)).code,
                (await lobby.order(good, key="unknown", timestamp=old)).code,
                (await lobby.order(good, key="unknown")).code,
                (await lobby.order(good.replace("BTCUSDT", "NOSUCH"), secret="x")).code,
                (await lobby.order(good.replace("BTCUSDT", "NOSUCH"))).code,
            ]
            assert told == [-2014, -1102, -1100, -1104, -1021, -2015, -1022, -1121]

    async def test_letters_beyond_ascii_are_escaped_and_read(self) -> None:
        async with Lobby() as lobby:
            reply = await lobby.order(f"symbol={quote('币安人生USDT')}&side=BUY&type=MARKET")
            assert reply.json["symbol"] == "币安人生USDT"
            assert sign("x") != sign("y")


class TestEras:
    def test_switches_are_read_by_name(self) -> None:
        assert read_eras({}, Eras) == Eras()
        read = read_eras({"unknown_parameters": "ignore", "first_maker_fill_releases": "1"}, Eras)
        assert (read.unknown_parameters, read.first_maker_fill_releases) == ("ignore", 1)

    def test_what_does_not_exist_is_refused_with_what_does(self) -> None:
        with pytest.raises(EraUnknown, match="signature_encoding"):
            check_eras({"unknown": "x"}, [Eras])
        with pytest.raises(EraUnknown, match="unknown_parameters"):
            read_eras({"unknown_parameters": "perhaps"}, Eras)
