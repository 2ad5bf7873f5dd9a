"""Bybit's front door: in which order a request is checked, and what is said when it fails.

The exchange documents the errors, not their precedence. The order here, with what speaks for it:

 1. the IP: too many requests, or still banned for that (HTTP 403). Nothing else of it is looked at.
 2. a GET with a body (HTTP 403): a firewall in front of all services turns it away.
 3. who asks: headers that are missing or no key's (10003), the time (10002), the signature (10004). The
    gateway does this before any service sees the request.
 4. how often (10006), by the account, the endpoint and, where one was sent, the category. Without one that
    there is, the service could not count and complains of the category.
 5. what the key may do (10005), which depends on the category as well.
 6. the parameters (10001, of orders of pairs 170xxx): what was sent first, in the order of the row, then what
    is missing, then combinations.
 7. the endpoint: rules between parameters, symbols, limits, the engine.

An answer that is refused has HTTP 200 in nearly all cases.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import count
from time import time_ns
from typing import Any, Final, assert_never

from emulator.core.commands import Command
from emulator.core.rejections import Rejection
from emulator.exchanges.bybit import envelope
from emulator.exchanges.bybit.auth import (
    AHEAD_MAX_MS,
    DIGITS_MAX,
    KEY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    WINDOW_DEFAULT_MS,
    WINDOW_HEADER,
    is_signed,
    permits,
)
from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.errors import speak
from emulator.exchanges.bybit.limits import Limits, Quotas, rate_of
from emulator.exchanges.bybit.reading import (
    CATEGORY,
    Unreadable,
    compile_reading,
    parse_body,
    parse_query,
)
from emulator.exchanges.bybit.refusals import fail, refuse, render_error
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import encode
from emulator.web.contract import (
    Admit,
    Call,
    Counting,
    Failure,
    Kind,
    Parameter,
    Refusal,
    Render,
    Route,
    Settle,
    Timestamps,
)
from emulator.web.signatures import Verifiers

CATEGORIES: Final = frozenset({"spot", "linear", "inverse", "option"})
REQUESTS: Final = "request"
"""The parameter that holds the requests of a batch."""

Take = Callable[[Call, Mapping[str, Any], int, bool], None]
"""Of a call: what was sent, the server's time as the client knows it, and whether limits refuse."""


class Door:
    """The dialect. One per process; it holds the quotas."""

    key_header = KEY_HEADER
    content_type = b"application/json; charset=utf-8"

    def __init__(
        self,
        *,
        eras: Eras | None = None,
        limits: Limits | None = None,
        timestamps: Timestamps = "auto",
        counting: Counting = "auto",
        wall_us: Callable[[], int] | None = None,
    ) -> None:
        self.eras = eras or Eras()
        self.limits = limits or Limits()
        self.verifiers = Verifiers()
        self._timestamps = timestamps
        self._counting = counting
        self._wall_us = wall_us or _wall_us
        self._quotas = PerSandbox(lambda sandbox: Quotas(self.limits))
        self._trace_ids = map((os.urandom(8).hex() + "%016x").__mod__, count(1))

    def quotas(self, sandbox: Sandbox) -> Quotas:
        """The counters of a sandbox."""
        return self._quotas.of(sandbox)

    def counts_in(self, sandbox: Sandbox) -> bool:
        """Whether quotas refuse in a sandbox."""
        counting = self._counting
        return counting == "on" or (counting == "auto" and not sandbox.clock.is_virtual)

    # Letting in

    def compile(self, route: Route) -> Admit:
        take = self.compile_taking(route)
        is_get = route.method == "GET"
        signed = route.security.signed
        parse = parse_query if is_get else parse_body

        def admit(call: Call) -> None:
            request = call.request
            headers = request.headers
            enforced = self.counts_in(call.sandbox)
            if enforced:
                self._quotas.of(call.sandbox).enter(request.source_ip, call.now_us)
            if is_get and (headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers):
                # Quirk: a GET with a body is forbidden, be it an empty JSON object ("HTTP Code", 403).
                raise refuse(403, text="a GET request has no body", status=403)
            content = request.query if is_get else request.body
            server_ms = self._authenticate(call, content) if signed else 0
            try:
                sent = parse(content)
            except Unreadable:
                raise refuse(10001) from None
            take(call, sent, server_ms, enforced)

        return admit

    def compile_taking(self, route: Route) -> Take:
        """What counts a request whose sender is known, asks whether the key may, and reads what was sent."""
        read = compile_reading(route)
        signed = route.security.signed
        security, path = route.security, route.path
        by_category = any(each.name == CATEGORY for each in route.parameters)
        is_batch = any(each.kind is Kind.REQUEST_LIST for each in route.parameters)

        def take(call: Call, sent: Mapping[str, Any], server_ms: int, enforced: bool) -> None:
            category: str | None = None
            if by_category:
                asked = sent.get(CATEGORY)
                if type(asked) is str and asked in CATEGORIES:
                    category = asked
            if signed:
                calls = granted = 1
                if is_batch:
                    members = sent.get(REQUESTS)
                    calls = max(1, len(members)) if type(members) is list else 1
                granted = self._spend(call, path, category, calls, server_ms, enforced=enforced)
                record = call.key_record
                assert record is not None
                if record.permissions and not permits(record, security, category):
                    raise refuse(10005)
            values = call.values = read(sent, category)
            if signed and granted < calls:
                # Quirk: of a batch that is more than what is left, the first part is let in and only the rest
                # refused ("Instructions for batch endpoints").
                let_in = values[REQUESTS][:granted]
                values[REQUESTS] = (*let_in, *(refuse(10006) for _ in range(calls - granted)))

        return take

    def _authenticate(self, call: Call, content: bytes) -> int:
        """Find out who asks; returns the server's time as the client knows it, in milliseconds.

        Raises 10003, 10002 and 10004.
        """
        headers = call.request.headers
        key = headers.get(KEY_HEADER, b"")
        timestamp = headers.get(TIMESTAMP_HEADER, b"")
        signature = headers.get(SIGNATURE_HEADER, b"")
        window = headers.get(WINDOW_HEADER, b"")
        record = call.sandbox.keys.get(key.decode("latin-1"))
        if record is None:
            raise self._unproven(refuse(10003))
        server_ms = self.check_time(call, timestamp, window)
        proof = timestamp + key + window
        text = signature.decode("latin-1")
        if not is_signed(self.verifiers, record, proof, content, text):
            shown = (proof + content)[:500].decode("utf-8", "replace")
            raise self._unproven(refuse(10004, shown))
        self.admit_key(call, record)
        return server_ms

    def admit_key(self, call: Call, record: KeyRecord) -> None:
        call.key_record = record
        call.account = record.account

    def check_time(self, call: Call, timestamp: bytes, window: bytes) -> int:
        """The server's time as the client knows it, in milliseconds; raises 10002."""
        window_ms = _digits(window) if window else WINDOW_DEFAULT_MS
        timestamp_ms = _digits(timestamp)
        server_ms = self.server_ms(call.sandbox, timestamp_ms or 0, call.now_us)
        if timestamp_ms is None or window_ms is None:
            raise refuse(10002, _shown(timestamp), server_ms, _shown(window) or WINDOW_DEFAULT_MS)
        # Quirk: a timestamp may be almost a second ahead of the server, whatever the window, which only
        # counts backwards ("Integration Guidance", the rule for timestamps).
        if self._timestamps == "off" or server_ms - window_ms <= timestamp_ms < server_ms + AHEAD_MAX_MS:
            return server_ms
        raise refuse(10002, _shown(timestamp), server_ms, _shown(window) or WINDOW_DEFAULT_MS)

    @property
    def checks_time(self) -> bool:
        return self._timestamps != "off"

    def server_ms(self, sandbox: Sandbox, timestamp_ms: int, now_us: int | None = None) -> int:
        """The server's time as a client knows it that sent a timestamp. now_us: the sandbox's time."""
        if now_us is None:
            now_us = sandbox.clock.now_us()
        match self._timestamps:
            case "auto":
                if not sandbox.clock.is_virtual:
                    return now_us // 1000
                times = (self._wall_us() // 1000, now_us // 1000)
                return min(times, key=lambda time_ms: abs(time_ms - timestamp_ms))
            case "wall":
                return self._wall_us() // 1000
            case "sandbox" | "off":
                return now_us // 1000
        assert_never(self._timestamps)

    def _unproven(self, refusal: Refusal) -> Refusal:
        # Quirk: a request whose key or signature is wrong is answered with HTTP 200 and a code, though the
        # error page promises 401 for some; clients know the codes (see the era switch).
        if self.eras.bybit_proof_status == "unauthorized":
            refusal.status = 401
        return refusal

    def _spend(
        self, call: Call, path: str, category: str | None, calls: int, server_ms: int, *, enforced: bool
    ) -> int:
        """Count as many calls as there are left, and say both; raises 10006 where there is none left."""
        if not enforced:
            limit = rate_of(path).of(category)
            call.header_lines += _LIMIT_LINES % (limit, max(0, limit - calls), server_ms)
            return calls
        pool = self._quotas.of(call.sandbox).pool(path, category)
        left = pool.left(call.account, call.now_us)
        if not left:
            # Clients sleep until the moment at which the limit is reset, by their own clock, and pybit breaks
            # down if that has passed: it is told in the client's time, and never as a past one.
            wait_us = pool.frees_us(call.account, call.now_us) - call.now_us
            reset_ms = server_ms + max(_RESET_MIN_MS, -(-wait_us // 1000))
            call.header_lines += _LIMIT_LINES % (pool.limit, 0, reset_ms)
            raise refuse(10006)
        # Quirk: as long as there is something left, the reset is now ("API Rate Limit").
        granted = min(calls, left)
        pool.add(call.account, granted, call.now_us)
        call.header_lines += _LIMIT_LINES % (pool.limit, left - granted, server_ms)
        return granted

    def reserve_orders(self, call: Call, count: int) -> None:
        raise AssertionError("orders are counted as calls")

    # Answering

    def compile_rendering(self, route: Route) -> Render:
        return envelope.compile_rendering(route)

    def compile_settling(self, route: Route) -> Settle:
        trace_ids = self._trace_ids

        def settle(call: Call, refusal: Refusal | None) -> None:
            call.header_lines += b"traceid: %b\r\ntimenow: %d\r\n" % (
                next(trace_ids).encode(),
                call.now_us // 1000,
            )

        return settle

    # Saying no

    def speak(self, rejection: Rejection, command: Command | None) -> Refusal:
        return speak(rejection, command)

    def fail(self, failure: Failure, detail: str) -> Refusal:
        return fail(failure, detail)

    def render_refusal(self, refusal: Refusal, now_us: int | None = None) -> bytes:
        return encode(render_error(refusal, self._wall_us() if now_us is None else now_us))

    # Describing

    def describe_parameters(self, route: Route) -> tuple[Parameter, ...]:
        return ()

    def refuses_unknown(self, route: Route) -> bool:
        return False

    def describe_answer(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return envelope.describe_answer(schema)

    def describe_errors(self) -> Mapping[str, Any]:
        return envelope.ERRORS

    def describe_failures(self, route: Route) -> Mapping[int, str]:
        failures = {
            400: "The method is not that of the endpoint, or the request is too large",
            403: "Too many requests from the IP, or a GET with a body",
            404: "There is no such sandbox",
        }
        if route.security.keyed and self.eras.bybit_proof_status == "unauthorized":
            failures[401] = "The key or the signature is wrong or missing"
        return failures

    def describe_security(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "ApiKey": _scheme("X-BAPI-API-KEY"),
            "Timestamp": _scheme("X-BAPI-TIMESTAMP"),
            "Signature": _scheme("X-BAPI-SIGN"),
        }


_LIMIT_LINES: Final = b"X-Bapi-Limit: %d\r\nX-Bapi-Limit-Status: %d\r\nX-Bapi-Limit-Reset-Timestamp: %d\r\n"
_RESET_MIN_MS: Final = 100
"""How far ahead a reset is told at least, so that it is still ahead when it arrives."""


def _scheme(header: str) -> Mapping[str, Any]:
    return {"type": "apiKey", "in": "header", "name": header}


def _digits(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) <= DIGITS_MAX else None


def _shown(text: bytes) -> str:
    return text[:40].decode("latin-1")


def _wall_us() -> int:
    return time_ns() // 1000
