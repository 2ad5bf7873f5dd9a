"""A site's door as requests over a WebSocket come through it.

Checks, quotas, errors and their order are the door's. What differs is where a request says who asks:
`apiKey` and `signature` are among its parameters, or it leaves both to the key that is logged on. The
payload that is signed is all parameters but the signature, sorted by name, `name=value` joined by `&`,
not escaped (web-socket-api.md, "SIGNED request security").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from emulator.exchanges.binance.auth import KEY_PATTERN, permits
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.limits import Exhausted
from emulator.exchanges.binance.reading import TIMESTAMP
from emulator.exchanges.binance.ws_api.standing import Standing
from emulator.runtime.ports import KeyRecord
from emulator.web.contract import OPEN, Admit, Call, Kind, Parameter, Refusal, Request, Route, Settle

RETURN_RATE_LIMITS: Final = "returnRateLimits"
"""Of every method; what it says concerns the answer's frame."""

LOGON: Final = "session.logon"

API_KEY: Final = Parameter("apiKey", length_max=1024)
RECV_WINDOW: Final = Parameter("recvWindow", Kind.DECIMAL, decimals=3)
SIGNATURE: Final = Parameter("signature", length_max=1024)

_PYTHON_WORDS: Final = {"true": "True", "false": "False"}

Read = Callable[[dict[str, str], bool], dict[str, Any]]


class SocketRequest(Request):
    """standing: of the connection. sent: all parameters. texts: those that the method reads.

    The body is the payload that is signed.
    """

    standing: Standing
    sent: dict[str, str]
    texts: dict[str, str]

    @classmethod
    def of(
        cls, route: Route, standing: Standing, sent: dict[str, str], texts: dict[str, str]
    ) -> SocketRequest:
        opening = standing.opening
        payload = payload_of(sent)
        return cls(
            route.method, route.path, b"", payload, opening.headers, opening.source_ip, standing, sent, texts
        )


def payload_of(sent: Mapping[str, str]) -> bytes:
    return "&".join([f"{name}={sent[name]}" for name in sorted(sent) if name != "signature"]).encode()


def escaped_payloads_of(sent: Mapping[str, str]) -> Iterator[bytes]:
    """The payload as Python's clients sign it: escaped as in a URL, and with its own words for truth."""
    pairs = [(name, sent[name]) for name in sorted(sent) if name != "signature"]
    yield urlencode(pairs).encode()
    if any(text in _PYTHON_WORDS for _, text in pairs):
        yield urlencode([(name, _PYTHON_WORDS.get(text, text)) for name, text in pairs]).encode()


class SocketDoor(Door):
    """Shares its quotas and all else with the door that it is made from."""

    counts_connections = True

    def __init__(self, door: Door) -> None:
        vars(self).update(vars(door))

    def compile(self, route: Route) -> Admit:
        enter, spend = self.compile_entry(route), self.compile_spending(route)
        security = route.security
        keyed, signed = security.keyed, security.signed
        is_logon = route.path == LOGON
        key, signature = API_KEY.but(required=True), SIGNATURE.but(required=True)
        if signed:
            # A signature without a key is that of the key which is logged on.
            read_own = self._read_by(route, TIMESTAMP, RECV_WINDOW, SIGNATURE)
            read = self._read_by(route, key, TIMESTAMP, RECV_WINDOW, signature)
        elif keyed:
            read_own, read = self._read_by(route), self._read_by(route, key)
        else:
            read_own = read = self._read_by(route)

        def admit(call: Call) -> None:
            request = call.request
            assert isinstance(request, SocketRequest)
            standing = request.standing
            call.time_divisor = standing.divisor
            enter(call)
            texts = request.texts
            if not keyed:
                call.values = read(texts, False)
                spend(call)
                return

            name = texts.get("apiKey")
            record: KeyRecord | None
            if name is None and standing.key is not None and not is_logon:
                record = standing.key
                values = read_own(texts, False)
                is_proven = "signature" not in values
            else:
                record = None if name is None else call.sandbox.keys.get(name)
                if record is None and name and not KEY_PATTERN.fullmatch(name):
                    raise refuse(-2014)
                values = read(texts, False)
                values.pop("apiKey")
                is_proven = False
            if signed:
                self.check_time(call, values)
            if record is None:
                raise refuse(-2015)
            if signed:
                proof = values.pop("signature", None)
                if not is_proven and not self._is_proof(record, request, proof):
                    raise refuse(-1022)
            if not permits(record, security.permission):
                raise refuse(-2015)
            call.key_record = record
            call.account = record.account
            call.values = values
            spend(call)

        return admit

    def _read_by(self, route: Route, *proof: Parameter) -> Read:
        parameters = (*route.parameters, *proof)
        strict = self.refuses_unknown_parameters
        open_route = msgspec.structs.replace(route, security=OPEN, parameters=parameters)
        read = self.compile_reading(open_route, strict=strict)
        if parameters or not strict:
            return read

        def read_nothing(texts: dict[str, str], twice: bool) -> dict[str, Any]:
            # Quirk: a method without parameters says of others that it did not read them, -1104, where REST
            # says that there are too many, -1101 (binance-connector-js, issue 318).
            if texts:
                raise refuse(-1104, 0, len(texts))
            return {}

        return read_nothing

    def _is_proof(self, record: KeyRecord, request: SocketRequest, signature: str) -> bool:
        if self.verifies(record, request.body, signature):
            return True
        if self.eras.signature_encoding == "encoded":
            return False
        # Quirk: python-binance and the exchange's own connector sign their parameters escaped as in a URL,
        # though they send them as JSON, and python-binance signs True where it sends true (their sources).
        return any(
            payload != request.body and self.verifies(record, payload, signature)
            for payload in escaped_payloads_of(request.sent)
        )

    def compile_settling(self, route: Route) -> Settle:
        charge = super().compile_settling(route)

        def settle(call: Call, refusal: Refusal | None) -> None:
            charge(call, refusal)
            if isinstance(refusal, Exhausted) and refusal.extra is None:
                refusal.extra = {
                    "data": {
                        "serverTime": call.render_time(call.now_us),
                        "retryAfter": call.render_time(refusal.until_us),
                    }
                }

        return settle
