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

from collections.abc import Callable, Hashable, Mapping
from time import time_ns
from typing import Any, assert_never

from emulator.core.commands import Command
from emulator.core.rejections import Rejection
from emulator.exchanges.binance.auth import (
    KEY_PATTERN,
    RECV_WINDOW_DEFAULT_MS,
    RECV_WINDOW_MAX_MS,
    check_timestamp,
    permits,
    unsigned,
)
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.errors import SPOT, refuse
from emulator.exchanges.binance.limits import POOLS, SAPI_POOL, Limits, Quotas, QuotasBySandbox
from emulator.exchanges.binance.reading import RECV_WINDOW, SIGNATURE, TIMESTAMP, Reader
from emulator.exchanges.binance.refusals import TOO_MANY_PARAMETERS, Language, render_error
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import JSON_TYPE, encode
from emulator.web.contract import (
    Admit,
    Call,
    Counting,
    Failure,
    Parameter,
    Refusal,
    Render,
    Route,
    Settle,
    Timestamps,
    render_plain,
)
from emulator.web.params import TooManyPairs, split_pairs
from emulator.web.signatures import Verifiers, decoded


class Door:
    """The dialect that Binance's sites share. One per site and process; it holds the quotas.

    language: whose words it speaks. quotas_of: another door's, whose counts it shares.
    """

    key_header = b"x-mbx-apikey"
    content_type = JSON_TYPE
    counts_connections = False
    """Whether the limits that are shown are those of a WebSocket API, of connections, not of requests."""

    limits: Limits
    _quotas: QuotasBySandbox

    def __init__(
        self,
        *,
        eras: Eras | None = None,
        limits: Limits | None = None,
        engine: str = "binance",
        timestamps: Timestamps = "auto",
        counting: Counting = "auto",
        wall_us: Callable[[], int] | None = None,
        language: Language = SPOT,
        quotas_of: Door | None = None,
    ) -> None:
        self.eras = eras or Eras()
        self.language = language
        self.errors = language.errors
        self.limits = (limits or Limits()) if quotas_of is None else quotas_of.limits
        self._timestamps = timestamps
        self._counting = counting
        self._wall_us = wall_us or _wall_us
        self._verifiers = Verifiers()
        self._reader = Reader(self.errors)
        if quotas_of is not None:
            self._quotas = quotas_of._quotas
        else:
            self._quotas = QuotasBySandbox(
                self.limits,
                engine=engine,
                maker_releases=self.eras.first_maker_fill_releases,
                errors=self.errors,
            )

    def quotas(self, sandbox: Sandbox) -> Quotas:
        """The counters of a sandbox, for the endpoints that tell of them."""
        return self._quotas.of(sandbox)

    # Letting in

    def compile(self, route: Route) -> Admit:
        enter, spend = self.compile_entry(route), self.compile_spending(route)
        read = self.compile_reading(route)
        read_plain = self._reader.compile_plain(route)
        refuse = self.errors.refuse
        takes_units = self.language.time_units
        security = route.security
        keyed, signed = security.keyed, security.signed

        def admit(call: Call) -> None:
            enter(call)
            request = call.request
            headers = request.headers
            unit = headers.get(b"x-mbx-time-unit")
            if unit is not None and takes_units:
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
                if record.permissions and not permits(record, security.permission):
                    raise refuse(-2015)
                call.key_record = record
                call.account = record.account
            call.values = values
            spend(call)

        return admit

    def compile_entry(self, route: Route) -> Admit:
        """Whether the IP may ask at all."""
        pool = pool_of(route)
        is_by_account = pool is not None and POOLS[pool].by_account
        # What a request that fails from here on costs; its own weight is known when it is parsed.
        weight = route.weight if isinstance(route.weight, int) else 1
        counts_always, counts_on_the_wall = self._counting == "on", self._counting == "auto"
        quotas_of = self._quotas.of

        def enter(call: Call) -> None:
            # As in `counts_in`, without a call.
            if counts_always or (counts_on_the_wall and not call.sandbox.clock.is_virtual):
                quotas = quotas_of(call.sandbox)
                if pool is None:
                    quotas.enter(call.source_ip, call.now_us)
                elif not is_by_account:
                    quotas.enter_pool(pool, _subject(call, pool), weight, call.now_us)
            call.weight = weight

        return enter

    def compile_reading(
        self, route: Route, *, strict: bool | None = None
    ) -> Callable[[dict[str, str], bool], dict[str, Any]]:
        """See `Reader.compile`. strict: whether to refuse what the row does not have, if not as usual."""
        # Quirk: the spot API refuses parameters that it does not know, and says how many it read but not
        # which; /sapi and the futures APIs pass over them (errors.md, -1104; binance-connector-python,
        # issue 172).
        is_strict = self.refuses_unknown(route) if strict is None else strict
        return self._reader.compile(route, is_strict=is_strict)

    def check_time(self, call: Call, values: dict[str, Any]) -> None:
        """Take the timestamp and its window out of the values; raises -1131 and -1021."""
        timestamp_us = values.pop("timestamp")
        window_ms = values.pop("recvWindow", RECV_WINDOW_DEFAULT_MS)
        server_us = self._server_us(call, timestamp_us)
        if server_us is not None:
            check_timestamp(timestamp_us, window_ms, server_us, self.errors)
        elif window_ms > RECV_WINDOW_MAX_MS:
            raise self.errors.refuse(-1131)

    def compile_spending(self, route: Route) -> Admit:
        """Whether there is enough left for the weight and the orders of a call that was read."""
        pool, weigh, orders = pool_of(route), route.weight, route.orders
        is_by_account = pool is not None and POOLS[pool].by_account
        counts_always, counts_on_the_wall = self._counting == "on", self._counting == "auto"
        quotas_of = self._quotas.of

        def spend(call: Call) -> None:
            if not isinstance(weigh, int):
                call.weight = weigh(call.values)
            enforced = counts_always or (counts_on_the_wall and not call.sandbox.clock.is_virtual)
            if not (enforced or orders):
                return
            quotas, now_us = quotas_of(call.sandbox), call.now_us
            if enforced:
                if pool is None:
                    quotas.check_weight(call.source_ip, call.weight, now_us)
                elif is_by_account:
                    quotas.enter_pool(pool, _subject(call, pool), call.weight, now_us)
            if orders:
                quotas.reserve_orders(call.account, orders, now_us, enforced=enforced)
                call.orders_reserved = orders

        return spend

    def counts_in(self, sandbox: Sandbox) -> bool:
        """Whether quotas refuse in a sandbox."""
        counting = self._counting
        return counting == "on" or (counting == "auto" and not sandbox.clock.is_virtual)

    def verifies(self, record: KeyRecord, payload: bytes, signature: str) -> bool:
        """Whether a signature is a key's over exactly this payload."""
        return self._verifiers.verify(record, payload, signature)

    def _server_us(self, call: Call, timestamp_us: int) -> int | None:
        match self._timestamps:
            case "auto":
                if not call.sandbox.clock.is_virtual:
                    return call.now_us
                return min(self._wall_us(), call.now_us, key=lambda time_us: abs(time_us - timestamp_us))
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
        # Quirk: HMAC signatures are read in either case of letters, those of RSA and Ed25519 only as they are
        # (rest-api.md, "Signature Case Sensitivity").
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

    def compile_settling(self, route: Route) -> Settle:
        pool = pool_of(route)
        # Quirk: an order request that succeeds costs no weight; one that fails costs what is documented
        # (CHANGELOG.md, 2026-03-27).
        is_free = route.free_when_accepted and self.eras.accepted_orders == "free"
        places = route.orders
        quotas_of = self._quotas.of
        told = self.language.weight_headers if pool is None else (POOLS[pool].header,)
        weight_lines = [b"%b: %%d\r\n" % header for header in told if header is not None]
        long = b"1m" if self.limits.orders_per_minute else b"1d"
        plain_lines = b"".join(weight_lines)
        order_lines = plain_lines + b"x-mbx-order-count-10s: %%d\r\nx-mbx-order-count-%b: %%d\r\n" % long

        def settle(call: Call, refusal: Refusal | None) -> None:
            quotas, now_us = quotas_of(call.sandbox), call.now_us
            if pool is None:
                weight = 0 if is_free and refusal is None else call.weight
                used = quotas.charge(call.request.source_ip, weight, now_us)
            else:
                used = quotas.pool_used(pool, _subject(call, pool), now_us)
            counts = (used,) * len(weight_lines)
            if refusal is None and (places or call.orders_reserved):
                counts += quotas.orders_used(call.account, now_us)
                call.header_lines += order_lines % counts
                return
            call.header_lines += plain_lines % counts
            if call.orders_reserved:
                quotas.release_orders(call.account, call.orders_reserved, now_us)
                call.orders_reserved = 0

        return settle

    # Answering

    def compile_rendering(self, route: Route) -> Render:
        return render_plain

    # Saying no

    def speak(self, rejection: Rejection, command: Command | None) -> Refusal:
        return self.language.speak(rejection, command)

    def fail(self, failure: Failure, detail: str) -> Refusal:
        return self.errors.fail(failure, detail)

    def render_refusal(self, refusal: Refusal, now_us: int | None = None) -> bytes:
        return encode(render_error(refusal))

    # Describing

    def describe_parameters(self, route: Route) -> tuple[Parameter, ...]:
        return (RECV_WINDOW, TIMESTAMP, SIGNATURE) if route.security.signed else ()

    def refuses_unknown(self, route: Route) -> bool:
        return route.path.startswith("/api/") and self.refuses_unknown_parameters

    @property
    def refuses_unknown_parameters(self) -> bool:
        return self.language.refuses_unknown and self.eras.unknown_parameters == "refuse"

    def describe_answer(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return schema

    def describe_errors(self) -> Mapping[str, Any]:
        members: dict[str, Any] = {"code": {"type": "integer"}, "msg": {"type": "string"}}
        if self.language.describes_halves:
            members["data"] = _HALVES
        return {"type": "object", "properties": members, "required": ["code", "msg"]}

    def describe_failures(self, route: Route) -> Mapping[int, str]:
        failures = {
            400: "What is wrong with the request",
            404: "There is no such sandbox",
            413: "More was sent than any request needs",
            418: "The IP is banned for going on after 429",
            429: "Too much request weight used, or too many orders placed",
            503: "Nothing was done: the exchange cannot, for now",
            self.errors.statuses[-1007]: "The exchange did not say in time whether it was done",
        }
        if route.security.keyed:
            failures[401] = "The API key is malformed, unknown, or not allowed to do this"
        return failures

    def describe_security(self) -> Mapping[str, Mapping[str, Any]]:
        return {"ApiKey": {"type": "apiKey", "in": "header", "name": "X-MBX-APIKEY"}}


_HALVES: Mapping[str, Any] = {
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
}


def pool_of(route: Route) -> str | None:
    """Which of `POOLS` a row's weight comes from; None: the one of all others."""
    return route.pool or (SAPI_POOL if route.path.startswith("/sapi/") else None)


def _subject(call: Call, pool: str) -> Hashable:
    """For whom a request of a pool is counted."""
    rule = POOLS[pool]
    who: Hashable = call.account if rule.by_account else call.source_ip
    return (who, call.route.path) if rule.by_path else who


def _wall_us() -> int:
    return time_ns() // 1000


def time_divisor(unit: bytes) -> int:
    match unit.strip().upper():
        case b"MICROSECOND":
            return 1
        case b"MILLISECOND":
            return 1000
    raise refuse(-1194)
