"""The control API's own dialect: plain JSON in and out, and errors that say what to do.

Unlike a site's, these rows have paths with `{parameters}`, take JSON bodies, and fail with proper
HTTP statuses: `{"error": {"code": "no_such_account", "message": "..."}}`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Mapping
from decimal import Decimal
from typing import Annotated, Any, TypeVar, assert_never
from urllib.parse import unquote_plus

import msgspec

from emulator.core import rejections
from emulator.core.commands import Command
from emulator.core.engine import Done
from emulator.core.numbers import canonical, exact, parse_plain
from emulator.core.rejections import Rejection
from emulator.runtime import ports
from emulator.web.codec import encode
from emulator.web.contract import (
    Admit,
    Call,
    Failure,
    Kind,
    Parameter,
    Refusal,
    Render,
    Route,
    Settle,
    render_plain,
)
from emulator.web.control.desk import Desk
from emulator.web.paths import compile_path

T = TypeVar("T")

BODY = "body"
"""Where `Call.values` holds a row's JSON body, as a value of the row's `body` type."""

SANDBOX = Parameter(
    "sandbox",
    pattern=r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
    length_max=63,
    description="Which sandbox; the default one when neither this nor a /~name prefix says.",
)
ACCOUNT_NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
ACCOUNT_NAME = Parameter(
    "name", pattern=ACCOUNT_NAME_PATTERN, length_max=64, required=True, description="An account's name."
)
SANDBOX_NAME = SANDBOX.but(name="name", required=True, description="A sandbox's name.")

_PLAIN_NUMBER = r"^[0-9]{1,30}(\.[0-9]{1,30})?$"
Number = (
    Annotated[str, msgspec.Meta(pattern=_PLAIN_NUMBER, description="Digits, with a point or without.")]
    | Annotated[int, msgspec.Meta(ge=0)]
    | Annotated[float, msgspec.Meta(ge=0)]
)
"""An amount, a quantity or a price in a body. Text is exact; a JSON number is what it is printed as."""

Name = Annotated[str, msgspec.Meta(pattern=f"^{ACCOUNT_NAME_PATTERN}$", max_length=64)]
SandboxName = Annotated[str, msgspec.Meta(pattern=f"^{SANDBOX.pattern}$", max_length=63)]


def number(value: str | int | float, name: str) -> Decimal:
    """The exact value of a Number. Raises `invalid_body` for what is not plain."""
    text = value if isinstance(value, str) else format(Decimal(repr(value)), "f")
    parsed = parse_plain(text)
    if parsed is None:
        raise refuse_body(f"{name}: {text[:60]!r} is not a plain decimal number")
    return parsed


def refuse_body(message: str) -> Refusal:
    return Refusal(400, "invalid_body", message)


def text(value: Decimal) -> str:
    """A number as it is written: in full and without trailing zeros."""
    return format(canonical(value), "f")


_STATUS_BY_ERROR: Mapping[type[ports.SandboxError], tuple[int, str]] = {
    ports.AccountExists: (409, "account_exists"),
    ports.KeyExists: (409, "key_exists"),
    ports.SandboxExists: (409, "sandbox_exists"),
    ports.ClockSettingRefused: (409, "clock_refused"),
    ports.NoSuchAccount: (404, "no_such_account"),
    ports.NoSuchKey: (404, "no_such_key"),
    ports.NoSuchSandbox: (404, "no_such_sandbox"),
    ports.SandboxNameInvalid: (400, "invalid_sandbox_name"),
}


@contextlib.contextmanager
def translated() -> Generator[None, None, None]:
    """Turns what a sandbox refuses into a Refusal. Storage that is down is the endpoint's to say."""
    try:
        yield
    except ports.SandboxError as error:
        known = _STATUS_BY_ERROR.get(type(error))
        if known is None:
            raise
        raise Refusal(*known, str(error)) from error


class ControlDialect:
    """Lets control requests in and speaks for them. desk: what their answers are made from."""

    key_header = b""
    content_type = b"application/json"

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def compile(self, route: Route) -> Admit:
        template = compile_path(route.path)
        parameters = {p.name: p for p in (*route.parameters, *self.describe_parameters(route))}
        in_path = {name for name in parameters if f"{{{name}}}" in route.path}
        parsers = {name: _compile_parameter(parameter) for name, parameter in parameters.items()}
        required = [name for name, p in parameters.items() if p.required and name not in in_path]
        defaults = {name: p.default for name, p in parameters.items() if p.default is not None}
        decoder = None if route.body is None else msgspec.json.Decoder(route.body)

        def admit(call: Call) -> None:
            request = call.request
            values: dict[str, Any] = dict(defaults)
            found = template.fullmatch(request.path)
            assert found is not None, f"{request.path} is not {route.path}"
            for name, value in found.groupdict().items():
                values[name] = parsers[name](value)
            for name, value in _pairs(request.query):
                if name not in parsers or name in in_path:
                    raise Refusal(400, "unknown_parameter", f"There is no parameter {name[:60]!r} here.")
                values[name] = parsers[name](value)
            for name in required:
                if name not in values:
                    raise Refusal(400, "missing_parameter", f"The parameter {name!r} is missing.")
            if decoder is not None:
                try:
                    values[BODY] = decoder.decode(request.body or b"{}")
                except msgspec.DecodeError as error:
                    raise refuse_body(str(error)) from error
                except UnicodeDecodeError as error:
                    raise refuse_body("The body is not UTF-8.") from error
            elif request.body:
                raise refuse_body("This takes no body.")
            call.values = values

        return admit

    def compile_settling(self, route: Route) -> Settle:
        def settle(call: Call, refusal: Refusal | None) -> None:
            """Control calls cost nothing."""

        return settle

    def compile_rendering(self, route: Route) -> Render:
        return render_plain

    def reserve_orders(self, call: Call, count: int) -> None:
        raise AssertionError("the control API places no orders")

    def speak(self, rejection: Rejection, command: Command | None) -> Refusal:
        match rejection:
            case rejections.UnknownAccount():
                return Refusal(404, "no_such_account", "There is no such account.")
            case rejections.UnknownInstrument():
                return Refusal(
                    404, "no_such_symbol", f"Nothing is traded under the name {rejection.instrument!r}."
                )
            case rejections.UnknownWallet():
                return Refusal(400, "no_such_wallet", f"There is no wallet {rejection.wallet!r}.")
            case rejections.AmountInvalid():
                return Refusal(
                    400,
                    "invalid_amount",
                    f"{text(rejection.amount)} is not an amount: it must be positive and have at most "
                    "as many digits as the ledger keeps.",
                )
            case rejections.InsufficientBalance():
                return Refusal(
                    400,
                    "insufficient_balance",
                    f"{text(rejection.needed)} {rejection.asset} is more than the "
                    f"{text(rejection.available)} that there are.",
                )
            case rejections.LimitBroken():
                shown = "" if rejection.value is None else f" by {text(rejection.value)}"
                return Refusal(
                    400, "limit_broken", f"The instrument's {rejection.limit.value} rule is broken{shown}."
                )
            case rejections.OrderTermsInvalid():
                return Refusal(400, "invalid_book", f"{rejection.reason[:1].upper()}{rejection.reason[1:]}.")
            case _:
                return Refusal(400, "rejected", f"The engine rejects this: {rejection!r}.")

    def fail(self, failure: Failure, detail: str) -> Refusal:
        match failure:
            case Failure.UNKNOWN_PATH:
                return Refusal(404, "unknown_path", f"Nothing answers {detail} here.")
            case Failure.NOT_EMULATED:
                return Refusal(404, "not_emulated", detail)
            case Failure.WRONG_METHOD:
                return Refusal(405, "wrong_method", f"Not this way: {detail}.")
            case Failure.UNKNOWN_SANDBOX:
                return Refusal(404, "no_such_sandbox", f"There is no sandbox {detail[:80]!r}.")
            case Failure.TOO_LARGE:
                return Refusal(413, "too_large", "The request is too large.")
            case Failure.UNAVAILABLE:
                return Refusal(503, "unavailable", f"Nothing was done: {detail}.")
            case Failure.OUTCOME_UNKNOWN:
                return Refusal(503, "outcome_unknown", f"It may or may not have happened: {detail}.")
            case Failure.BROKEN:
                return Refusal(500, "broken", "A defect of the emulator; its log says more.")
        assert_never(failure)

    def render_refusal(self, refusal: Refusal, now_us: int | None = None) -> bytes:
        return encode({"error": {"code": refusal.code, "message": refusal.message}})

    def describe_parameters(self, route: Route) -> tuple[Parameter, ...]:
        return (SANDBOX,)

    def refuses_unknown(self, route: Route) -> bool:
        return True

    def describe_answer(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return schema

    def describe_errors(self) -> Mapping[str, Any]:
        return {
            "type": "object",
            "properties": {
                "error": {
                    "type": "object",
                    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
                    "required": ["code", "message"],
                }
            },
            "required": ["error"],
        }

    def describe_failures(self, route: Route) -> Mapping[int, str]:
        failures = {
            400: "What is wrong with the request",
            401: "The bearer token is wrong",
            403: "The request comes from elsewhere, without the token",
            404: "There is no such sandbox, or nothing of that name in it",
            413: "The request is too large",
            415: "The body is not declared to be JSON",
            500: "A defect of the emulator",
            503: "The journal does not accept: nothing was done, or it is not known whether",
        }
        if route.method != "GET":
            failures[409] = "What is there already, or the state that it is in, forbids it"
        return failures

    def describe_security(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "ControlToken": {
                "type": "http",
                "scheme": "bearer",
                "description": "EMULATOR_CONTROL_TOKEN; not needed on the emulator's own machine.",
            }
        }


def desk(call: Call) -> Desk:
    """What a control endpoint answers from."""
    dialect = call.site.dialect
    assert isinstance(dialect, ControlDialect)
    return dialect.desk


async def submit(call: Call, engine: str, command: Command, answer: Callable[[Done], T]) -> T:
    """As `Call.submit`, for any engine of the call's sandbox."""

    def build(done: Done) -> T:
        if done.rejection is not None:
            raise call.site.dialect.speak(done.rejection, command)
        with exact():
            return answer(done)

    return await call.sandbox.submit(engine, command, build)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    pairs: dict[str, str] = {}
    for piece in query.decode("latin-1").split("&"):
        if piece:
            name, _, value = piece.partition("=")
            name = unquote_plus(name)
            if name in pairs:
                raise Refusal(400, "duplicate_parameter", f"The parameter {name[:60]!r} was sent twice.")
            pairs[name] = unquote_plus(value)
    return list(pairs.items())


_INTEGER = re.compile(r"[0-9]{1,16}", re.ASCII)


def _compile_parameter(parameter: Parameter) -> Callable[[str], Any]:
    name = parameter.name

    def invalid(wanted: str) -> Refusal:
        return Refusal(400, "invalid_parameter", f"The parameter {name!r} must be {wanted}.")

    match parameter.kind:
        case Kind.INTEGER:
            low = 0 if parameter.minimum is None else int(parameter.minimum)
            high = 10**16 if parameter.maximum is None else int(parameter.maximum)

            def parse_integer(value: str) -> int:
                if not _INTEGER.fullmatch(value) or not low <= int(value) <= high:
                    raise invalid(f"a whole number from {low} to {high}")
                return int(value)

            return parse_integer
        case Kind.CHOICE:

            def parse_choice(value: str) -> str:
                if value not in parameter.choices:
                    raise invalid(f"one of {', '.join(parameter.choices)}")
                return value

            return parse_choice
        case Kind.TEXT:
            pattern = re.compile(parameter.pattern or r"[^\x00-\x1f\x7f]+")

            def parse_text(value: str) -> str:
                if len(value) > parameter.length_max or not pattern.fullmatch(value):
                    raise invalid(f"text of at most {parameter.length_max} characters, {pattern.pattern}")
                return value

            return parse_text
        case _:
            raise AssertionError(f"control rows have no {parameter.kind} parameters")
