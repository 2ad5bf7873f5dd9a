"""Binance's front door: in which order a request is checked, and what is said when it fails.

The exchange documents the errors, not their precedence. The order here, with what speaks for it:

 1. the IP: banned (418), used up (429). Nothing of a request that is not let in is looked at.
 2. `X-MBX-TIME-UNIT`, then the key's form (-2014). Live hosts answer an unsigned call of a private
    endpoint with -2014, not with a missing parameter.
 3. the parameters: mandatory ones (-1102; the endpoint's own before timestamp and signature), the
    values in the order sent (-1105, -1100, -1108, -1111, -1114 and so on), what nobody reads (-1101,
    -1104), duplicates (-1101), combinations (-1102, -1128). Counts in live -1104 texts include
    timestamp and signature, so these have been read by then.
 4. the time (-1131, -1021), the key itself (-2015), the signature (-1022), permission (-2015).
 5. the weight, where it depends on the parameters, and the orders (-1015).
 6. the endpoint: rules between parameters, symbols, filters, the engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from time import time_ns
from typing import Any, Literal, assert_never

from emulator.core.commands import Command
from emulator.core.rejections import Rejection
from emulator.exchanges.binance import errors
from emulator.exchanges.binance.auth import (
    KEY_PATTERN,
    RECV_WINDOW_DEFAULT_MS,
    RECV_WINDOW_MAX_MS,
    Verifiers,
    check_timestamp,
    decoded,
    permits,
    to_microseconds,
    unsigned,
)
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.errors import (
    DUPLICATE_VALUES,
    EITHER_REQUIRED,
    TEXTS,
    TOO_MANY_PARAMETERS,
    refuse,
    render_error,
)
from emulator.exchanges.binance.limits import (
    ACCOUNT_POOL,
    ACCOUNT_SECOND_POOL,
    Limits,
    Quotas,
    QuotasBySandbox,
)
from emulator.exchanges.binance.vocabulary import DECIMAL_RANGE, INTEGER_RANGE
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import JSON_TYPE, encode
from emulator.web.contract import Admit, Call, Failure, Kind, Parameter, Refusal, Route
from emulator.web.params import TooManyPairs, split_pairs

Timestamps = Literal["auto", "wall", "sandbox", "off"]
"""What request timestamps are compared with; auto: the sandbox's clock, or the wall while that is
virtual, because unmodified clients sign with their own time."""

Counting = Literal["auto", "on", "off"]
"""Whether quotas refuse; auto: only while the sandbox's clock is the wall's."""

_ACCOUNT_WEIGHT_HEADERS: Mapping[str, bytes] = {
    ACCOUNT_POOL: b"x-sapi-used-uid-weight-1m",
    ACCOUNT_SECOND_POOL: b"x-sapi-used-uid-weight-1s",
}

LONG_MAX = 9_223_372_036_854_775_807
DECIMAL_MAX = Decimal(LONG_MAX).scaleb(-8)
"""Amounts are 64-bit integers of 1e-8, as the largest listed `maxQty`, 92141578736, suggests."""
DECIMALS = 8
DECIMALS_REMEMBERED = 256
"""Of each parameter."""

_DECIMAL = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII)
_INTEGER = re.compile(r"[0-9]{1,20}", re.ASCII)
_TRUTHS = {"true": True, "false": False}

TIMESTAMP = Parameter(
    "timestamp",
    Kind.TIME,
    required=True,
    description="When the request was made, in milliseconds or microseconds.",
)
RECV_WINDOW = Parameter(
    "recvWindow",
    Kind.DECIMAL,
    minimum=0,
    maximum=60_000,
    decimals=3,
    description="For how many milliseconds after its timestamp the request may be processed.",
)
SIGNATURE = Parameter(
    "signature", required=True, length_max=1024, description="Of the query followed by the body."
)

Parse = Callable[[str], Any]


class Door:
    """The dialect that Binance's sites share. One per process and engine; it holds the quotas."""

    key_header = b"x-mbx-apikey"
    content_type = JSON_TYPE
    counts_connections = False
    """Whether the limits that are shown are those of a WebSocket API, of connections, not of requests."""

    def __init__(
        self,
        *,
        eras: Eras | None = None,
        limits: Limits | None = None,
        engine: str = "binance",
        timestamps: Timestamps = "auto",
        counting: Counting = "auto",
        wall_us: Callable[[], int] | None = None,
    ) -> None:
        self.eras = eras or Eras()
        self.limits = limits or Limits()
        self._timestamps = timestamps
        self._counting = counting
        self._wall_us = wall_us or _wall_us
        self._accepts_free = self.eras.accepted_orders == "free"
        self._verifiers = Verifiers()
        self._quotas = QuotasBySandbox(
            self.limits, engine=engine, maker_releases=self.eras.first_maker_fill_releases
        )

    def quotas(self, sandbox: Sandbox) -> Quotas:
        """The counters of a sandbox, for the endpoints that tell of them."""
        return self._quotas.of(sandbox)

    # Letting in

    def compile(self, route: Route) -> Admit:
        enter, spend = self.compile_entry(route), self.compile_spending(route)
        read = self.compile_reading(route)
        read_plain = _compile_plain_reading(route, _parsers_of(route))
        security = route.security
        keyed, signed = security.keyed, security.signed

        def admit(call: Call) -> None:
            enter(call)
            request = call.request
            headers = request.headers
            unit = headers.get(b"x-mbx-time-unit")
            if unit is not None:
                call.time_divisor = time_divisor(unit)
            record: KeyRecord | None = None
            if keyed:
                key = headers.get(b"x-mbx-apikey", b"").decode("latin-1")
                record = call.sandbox.keys.get(key)
                # Quirk: a signed endpoint that is called without anything asks for the key, not for the
                # parameters (live answers).
                if record is None and not KEY_PATTERN.fullmatch(key):
                    raise refuse(-2014)

            # Quirk: POST, PUT and DELETE alike take their parameters from the query, from a form body or
            # from both, and what is in both is read from the query (rest-api.md, "General Information on
            # Endpoints").
            query, body = request.query, request.body
            values = None if query and body else read_plain(query or body)
            if values is None:
                try:
                    pairs, twice = split_pairs(query, body)
                except TooManyPairs:
                    raise refuse(-1101, text=TOO_MANY_PARAMETERS) from None
                values = read(pairs, twice)

            if keyed:
                if signed:
                    self.check_time(call, values)
                if record is None:
                    raise refuse(-2015)
                if signed:
                    signature = values.pop("signature")
                    if not self._is_signed(record, query, body, signature):
                        raise refuse(-1022)
                if not permits(record, security.permission):
                    raise refuse(-2015)
                call.key_record = record
                call.account = record.account
            call.values = values
            spend(call)

        return admit

    def compile_entry(self, route: Route) -> Admit:
        """Whether the IP may ask at all."""
        is_sapi = route.path.startswith("/sapi/")
        is_by_account = route.pool in _ACCOUNT_WEIGHT_HEADERS
        path = route.path
        # What a request that fails from here on costs; its own weight is known when it is parsed.
        weight = route.weight if isinstance(route.weight, int) else 1

        def enter(call: Call) -> None:
            sandbox = call.sandbox
            if self.counts_in(sandbox):
                quotas = self._quotas.of(sandbox)
                if not is_sapi:
                    quotas.enter(call.source_ip, call.now_us)
                elif not is_by_account:
                    quotas.enter_sapi(call.source_ip, path, weight, call.now_us)
            call.weight = weight

        return enter

    def compile_reading(
        self, route: Route, *, strict: bool | None = None
    ) -> Callable[[dict[str, str], bool], dict[str, Any]]:
        """What turns the pairs of a request into values, or raises what is wrong with them.

        Its second argument says whether a name was sent twice. strict: refuse what the row does not
        have. Of a signed row, `timestamp`, `recvWindow` and `signature` are among the values.
        """
        parsers, required, defaults = _parsers_of(route), _required_of(route), _defaults_of(route)
        # Quirk: the spot API refuses parameters that it does not know, and says how many it read but not
        # which; /sapi and the futures APIs pass over them (errors.md, -1104; binance-connector-python,
        # issue 172).
        is_strict = self.refuses_unknown(route) if strict is None else strict
        one_of, exclusive = route.one_of, route.exclusive

        def read(pairs: dict[str, str], twice: bool) -> dict[str, Any]:
            if is_strict and pairs and not parsers:
                raise refuse(-1101, 0, len(pairs))
            for name in required:
                if name not in pairs:
                    raise refuse(-1102, name)
            values: dict[str, Any] = defaults.copy()
            unread = 0
            for name, text in pairs.items():
                parse = parsers.get(name)
                if parse is None:
                    unread += 1
                elif text:
                    values[name] = parse(text)
                else:
                    raise _empty(name)
            if unread and is_strict:
                raise refuse(-1104, len(pairs) - unread, len(pairs))
            if twice:
                raise refuse(-1101, text=DUPLICATE_VALUES)
            for group in one_of:
                if not any(name in pairs for name in group):
                    raise _either(group)
            for group in exclusive:
                if sum(name in pairs for name in group) > 1:
                    raise refuse(-1128)
            return values

        return read

    def check_time(self, call: Call, values: dict[str, Any]) -> None:
        """Take the timestamp and its window out of the values; raises -1131 and -1021."""
        timestamp_us = values.pop("timestamp")
        window_ms = values.pop("recvWindow", RECV_WINDOW_DEFAULT_MS)
        server_us = self._server_us(call)
        if server_us is not None:
            check_timestamp(timestamp_us, window_ms, server_us)
        elif window_ms > RECV_WINDOW_MAX_MS:
            raise refuse(-1131)

    def compile_spending(self, route: Route) -> Admit:
        """Whether there is enough left for the weight and the orders of a call that was read."""
        pool, path, weigh, orders = route.pool, route.path, route.weight, route.orders
        is_by_account = pool in _ACCOUNT_WEIGHT_HEADERS
        is_by_ip = not path.startswith("/sapi/")

        def spend(call: Call) -> None:
            if not isinstance(weigh, int):
                call.weight = weigh(call.values)
            sandbox = call.sandbox
            enforced = self.counts_in(sandbox)
            if enforced:
                quotas = self._quotas.of(sandbox)
                if is_by_account:
                    quotas.enter_sapi_account(pool, call.account, path, call.weight, call.now_us)
                elif is_by_ip:
                    quotas.check_weight(call.source_ip, call.weight, call.now_us)
            if orders:
                self._quotas.of(sandbox).reserve_orders(call.account, orders, call.now_us, enforced=enforced)
                call.orders_reserved = orders

        return spend

    def counts_in(self, sandbox: Sandbox) -> bool:
        """Whether quotas refuse in a sandbox."""
        counting = self._counting
        return counting == "on" or (counting == "auto" and not sandbox.clock.is_virtual)

    def verifies(self, record: KeyRecord, payload: bytes, signature: str) -> bool:
        """Whether a signature is a key's over exactly this payload."""
        return self._verifiers.verify(record, payload, signature)

    def _server_us(self, call: Call) -> int | None:
        match self._timestamps:
            case "auto":
                return self._wall_us() if call.sandbox.clock.is_virtual else call.now_us
            case "wall":
                return self._wall_us()
            case "sandbox":
                return call.now_us
            case "off":
                return None
        assert_never(self._timestamps)

    def _is_signed(self, record: KeyRecord, query: bytes, body: bytes, signature: str) -> bool:
        # Quirk: where a request has parameters in query and body, both are signed with nothing in between
        # (older editions of rest-api.md, the example that mixes both).
        payload = unsigned(query) + unsigned(body) if query else unsigned(body)
        if self._verifiers.verify(record, payload, signature):
            return True
        if self.eras.signature_encoding == "encoded":
            return False
        # Some clients sign their parameters as text and let the HTTP library escape them afterwards.
        text = decoded(payload)
        return text is not None and self._verifiers.verify(record, text, signature)

    def reserve_orders(self, call: Call, count: int) -> None:
        sandbox = call.sandbox
        self._quotas.of(sandbox).reserve_orders(
            call.account, count, call.now_us, enforced=self.counts_in(sandbox)
        )
        call.orders_reserved += count

    # Settling

    def settle(self, call: Call, refusal: Refusal | None) -> None:
        route, ip, now_us = call.route, call.request.source_ip, call.now_us
        quotas = self._quotas.of(call.sandbox)
        headers = call.headers
        if not route.path.startswith("/sapi/"):
            weight = call.weight
            # Quirk: an order request that succeeds costs no weight; one that fails costs what is documented
            # (CHANGELOG.md, 2026-03-27).
            if refusal is None and route.free_when_accepted and self._accepts_free:
                weight = 0
            used_text = b"%d" % quotas.charge(ip, weight, now_us)
            headers += ((b"x-mbx-used-weight", used_text), (b"x-mbx-used-weight-1m", used_text))
        elif route.pool in _ACCOUNT_WEIGHT_HEADERS:
            used = quotas.sapi_account_used(route.pool, call.account, route.path, now_us)
            headers.append((_ACCOUNT_WEIGHT_HEADERS[route.pool], b"%d" % used))
        else:
            used = quotas.sapi_used(ip, route.path, now_us)
            headers.append((b"x-sapi-used-ip-weight-1m", b"%d" % used))
        if refusal is None:
            if route.orders or call.orders_reserved:
                seconds, day = quotas.orders_used(call.account, now_us)
                headers += (
                    (b"x-mbx-order-count-10s", b"%d" % seconds),
                    (b"x-mbx-order-count-1d", b"%d" % day),
                )
        elif call.orders_reserved:
            quotas.release_orders(call.account, call.orders_reserved, now_us)
            call.orders_reserved = 0

    # Saying no

    def speak(self, rejection: Rejection, command: Command | None) -> Refusal:
        return errors.speak(rejection, command)

    def fail(self, failure: Failure, detail: str) -> Refusal:
        return errors.fail(failure, detail)

    def render_refusal(self, refusal: Refusal) -> bytes:
        return encode(render_error(refusal))

    # Describing

    def describe_parameters(self, route: Route) -> tuple[Parameter, ...]:
        return (RECV_WINDOW, TIMESTAMP, SIGNATURE) if route.security.signed else ()

    def refuses_unknown(self, route: Route) -> bool:
        return route.path.startswith("/api/") and self.eras.unknown_parameters == "refuse"

    def describe_errors(self) -> Mapping[str, Any]:
        return {
            "type": "object",
            "properties": {
                "code": {"type": "integer"},
                "msg": {"type": "string"},
                "data": {
                    "type": "object",
                    "description": "Only of an order cancel-replace: what became of its two halves. "
                    "A response is the half's answer or error; of one that was not attempted there is none.",
                    "properties": {
                        "cancelResult": {"enum": ["SUCCESS", "FAILURE"]},
                        "newOrderResult": {"enum": ["SUCCESS", "FAILURE", "NOT_ATTEMPTED"]},
                        "cancelResponse": {"type": "object", "additionalProperties": True},
                        "newOrderResponse": {"type": ["object", "null"], "additionalProperties": True},
                    },
                    "required": ["cancelResult", "newOrderResult", "cancelResponse", "newOrderResponse"],
                },
            },
            "required": ["code", "msg"],
        }

    def describe_failures(self, route: Route) -> Mapping[int, str]:
        failures = {
            400: "What is wrong with the request",
            404: "There is no such sandbox",
            413: "More was sent than any request needs",
            418: "The IP is banned for going on after 429",
            429: "Too much request weight used, or too many orders placed",
            503: "Nothing was done: the exchange cannot, for now",
            504: "The exchange did not say in time whether it was done",
        }
        if route.security.keyed:
            failures[401] = "The API key is malformed, unknown, or not allowed to do this"
        return failures

    def describe_security(self) -> Mapping[str, Mapping[str, Any]]:
        return {"ApiKey": {"type": "apiKey", "in": "header", "name": "X-MBX-APIKEY"}}


def _wall_us() -> int:
    return time_ns() // 1000


def time_divisor(unit: bytes) -> int:
    match unit.strip().upper():
        case b"MICROSECOND":
            return 1
        case b"MILLISECOND":
            return 1000
    raise refuse(-1194)


def _empty(name: str) -> Refusal:
    # Quirk: two parameters have codes of their own for being empty (errors.md, -1118 and -1119).
    match name:
        case "newClientOrderId":
            return refuse(-1118)
        case "origClientOrderId":
            return refuse(-1119)
        case "timestamp" | "signature":
            return refuse(-1102, name)
    return refuse(-1105, name)


def _either(group: tuple[str, ...]) -> Refusal:
    return refuse(-1102, group[0], group[1], text=EITHER_REQUIRED)


# Values


def _parsers_of(route: Route) -> dict[str, Parse]:
    parsers: dict[str, Parse] = {p.name: compile_parameter(p) for p in route.parameters}
    if route.security.signed:
        parsers["timestamp"] = compile_parameter(TIMESTAMP)
        parsers["recvWindow"] = compile_parameter(Parameter("recvWindow", Kind.DECIMAL, decimals=3))
        parsers["signature"] = str
    return parsers


def _required_of(route: Route) -> tuple[str, ...]:
    required = tuple(p.name for p in route.parameters if p.required)
    return (*required, "timestamp", "signature") if route.security.signed else required


def _defaults_of(route: Route) -> dict[str, Any]:
    return {p.name: p.default for p in route.parameters if p.default is not None}


def _compile_plain_reading(
    route: Route, parsers: Mapping[str, Parse]
) -> Callable[[bytes], dict[str, Any] | None]:
    """What reads a query or a body in one go, as long as nothing is escaped and nothing wrong with it.

    None: something is, and what is said of it is for `compile_reading` to find in its order.
    """
    required, defaults = frozenset(_required_of(route)), _defaults_of(route)
    one_of, exclusive = route.one_of, route.exclusive

    def read(raw: bytes) -> dict[str, Any] | None:
        if b"%" in raw or b"+" in raw or not raw.isascii():
            return None
        pieces = raw.decode().split("&")
        if len(pieces) > len(parsers):
            return None
        values: dict[str, Any] = {}
        try:
            for piece in pieces:
                name, _, text = piece.partition("=")
                if not text:
                    return None
                values[name] = parsers[name](text)
        except (KeyError, Refusal):
            return None
        if len(values) < len(pieces) or not required <= values.keys():
            return None
        for group in one_of:
            if not any(name in values for name in group):
                return None
        for group in exclusive:
            if sum(name in values for name in group) > 1:
                return None
        return {**defaults, **values} if defaults else values

    return read


@cache
def compile_parameter(parameter: Parameter) -> Parse:
    """What turns one parameter's text, which is not empty, into its value or raises its error.

    Rows name two thousand parameters, of which few differ: equal ones share what reads them.
    """
    match parameter.kind:
        case Kind.DECIMAL:
            return _decimal(parameter)
        case Kind.INTEGER:
            return _integer(parameter)
        case Kind.TIME:
            return _time(parameter)
        case Kind.BOOLEAN:
            return _boolean(parameter)
        case Kind.CHOICE:
            return _choice(parameter)
        case Kind.TEXT:
            return _text(parameter)
        case Kind.TEXT_LIST:
            return _text_list(parameter)
    assert_never(parameter.kind)


def _invalid(parameter: Parameter) -> Refusal:
    code = -1130 if parameter.error is None else parameter.error
    return refuse(code, parameter.name) if "%s" in TEXTS[code] else refuse(code)


def _decimal(parameter: Parameter) -> Parse:
    name = parameter.name
    places = DECIMALS if parameter.decimals is None else parameter.decimals
    minimum, maximum = parameter.minimum, parameter.maximum
    matches = _DECIMAL.fullmatch

    def parse(text: str) -> Decimal:
        if not matches(text):
            raise refuse(-1100, name, DECIMAL_RANGE)
        whole, point, fraction = text.partition(".")
        if point:
            if fraction[-1] == "0":
                fraction = fraction.rstrip("0")
                text = f"{whole}.{fraction}" if fraction else whole
            if len(fraction) > places:
                raise refuse(-1111, name)
        value = Decimal(text)
        # Ten digits cannot exceed the largest amount, so most values need no comparison.
        if len(whole) > 10 and value > DECIMAL_MAX:
            raise refuse(-1108, name)
        if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            raise _invalid(parameter)
        return value

    # Windows, quantities and prices come again and again, and a remembered one costs a tenth.
    return lru_cache(maxsize=DECIMALS_REMEMBERED)(parse)


def _integer(parameter: Parameter) -> Parse:
    name = parameter.name
    minimum, maximum, clamped = parameter.minimum, parameter.maximum, parameter.clamped
    matches = _INTEGER.fullmatch

    def parse(text: str) -> int:
        if not matches(text):
            raise refuse(-1100, name, INTEGER_RANGE)
        value = int(text)
        if value > LONG_MAX:
            raise refuse(-1108, name)
        if minimum is not None and value < minimum:
            raise _invalid(parameter)
        if maximum is not None and value > maximum:
            if clamped:
                return int(maximum)
            raise _invalid(parameter)
        return value

    return parse


def _time(parameter: Parameter) -> Parse:
    name = parameter.name
    matches = _INTEGER.fullmatch

    def parse(text: str) -> int:
        if not matches(text):
            raise refuse(-1100, name, INTEGER_RANGE)
        value = int(text)
        if value > LONG_MAX:
            raise refuse(-1108, name)
        return to_microseconds(value)

    return parse


def _boolean(parameter: Parameter) -> Parse:
    def parse(text: str) -> bool:
        # Python clients send str(True).
        truth = _TRUTHS.get(text.lower())
        if truth is None:
            raise _invalid(parameter)
        return truth

    return parse


def _choice(parameter: Parameter) -> Parse:
    choices = frozenset(parameter.choices)

    def parse(text: str) -> str:
        if text not in choices:
            raise _invalid(parameter)
        return text

    return lru_cache(maxsize=len(choices))(parse)


def _text(parameter: Parameter) -> Parse:
    name = parameter.name
    length_max = parameter.length_max
    legal_range = parameter.legal_range or parameter.pattern or f"^.{{1,{length_max}}}$"
    matches = re.compile(parameter.pattern or r"[^\x00-\x1f\x7f\ufffd]*").fullmatch

    def parse(text: str) -> str:
        if len(text) > length_max or not matches(text):
            raise refuse(-1100, name, legal_range)
        return text

    return parse


def _text_list(parameter: Parameter) -> Parse:
    name = parameter.name
    member = parameter.pattern or r'[^"\\\x00-\x1f\x7f\ufffd]{1,100}'
    legal_range = parameter.legal_range or rf'^\[("{member}"(,"{member}"){{0,}}){{0,1}}\]$'
    matches = re.compile(rf'\[(?:"(?:{member})"(?:,"(?:{member})")*)?\]').fullmatch

    def parse(text: str) -> tuple[str, ...]:
        # Quirk: a list such as `symbols` is JSON, but spaces between its members are refused (live answers
        # to several clients).
        if not matches(text):
            raise refuse(-1100, name, legal_range)
        if len(text) == 2:
            return ()
        members = tuple(text[2:-2].split('","'))
        if len(members) > parameter.members_max:
            raise refuse(-1101, parameter.members_max, len(members))
        if len(set(members)) < len(members):
            raise refuse(-1151)
        return members

    return parse
