"""A site of two notes and a till, and a dialect of few words: what web/ must carry without knowing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from starlette.routing import BaseRoute

from emulator.core.commands import Command
from emulator.core.rejections import Rejection
from emulator.web.codec import encode
from emulator.web.contract import (
    Admit,
    Call,
    Failure,
    Kind,
    NotEmulated,
    Parameter,
    Refusal,
    Render,
    Reply,
    Route,
    Rows,
    Security,
    Settle,
    Site,
    render_plain,
)
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.params import split_pairs
from emulator.web.server import Application
from tests.runtime.universe import Universe, till, withdraw

KEYED = Security(name="KEYED", keyed=True)


class ToyDialect:
    """Lets everybody in; charges and speaks in words of its own. is_broken: it fails at the last step."""

    key_header = b"x-toy-key"
    content_type = b"application/json"

    def __init__(self) -> None:
        self.settled: list[str | None] = []
        self.is_broken = False

    def compile(self, route: Route) -> Admit:
        def admit(call: Call) -> None:
            pairs, _ = split_pairs(call.request.query, call.request.body)
            for parameter in route.parameters:
                if parameter.required and parameter.name not in pairs:
                    raise Refusal(400, "missing", parameter.name)
            call.values = dict(pairs)
            if route.security.keyed:
                record = call.sandbox.keys.get(call.request.headers.get(b"x-toy-key", b"").decode())
                if record is None:
                    raise Refusal(401, "stranger", "who are you?")
                call.key_record, call.account = record, record.account

        return admit

    def compile_settling(self, route: Route) -> Settle:
        def settle(call: Call, refusal: Refusal | None) -> None:
            if self.is_broken:
                raise RuntimeError("a defect")
            self.settled.append(None if refusal is None else str(refusal.code))
            call.header_lines += b"x-toy-settled: yes\r\n"

        return settle

    def compile_rendering(self, route: Route) -> Render:
        return render_plain

    def reserve_orders(self, call: Call, count: int) -> None:
        raise Refusal(429, "too many orders", str(count))

    def speak(self, rejection: Rejection, command: Command | None) -> Refusal:
        return Refusal(400, type(rejection).__name__, type(command).__name__)

    def fail(self, failure: Failure, detail: str) -> Refusal:
        statuses = {
            Failure.UNKNOWN_PATH: 404,
            Failure.NOT_EMULATED: 404,
            Failure.WRONG_METHOD: 405,
            Failure.UNKNOWN_SANDBOX: 404,
            Failure.TOO_LARGE: 413,
            Failure.UNAVAILABLE: 503,
            Failure.OUTCOME_UNKNOWN: 504,
            Failure.BROKEN: 400,
        }
        return Refusal(statuses[failure], failure.value, detail)

    def render_refusal(self, refusal: Refusal, now_us: int | None = None) -> bytes:
        return encode({"code": refusal.code, "msg": refusal.message})

    def describe_parameters(self, route: Route) -> tuple[Parameter, ...]:
        return ()

    def refuses_unknown(self, route: Route) -> bool:
        return False

    def describe_answer(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return schema

    def describe_errors(self) -> Mapping[str, Any]:
        return {"type": "object", "properties": {"code": {"type": "string"}, "msg": {"type": "string"}}}

    def describe_failures(self, route: Route) -> Mapping[int, str]:
        return {400: "Something is wrong"}

    def describe_security(self) -> Mapping[str, Mapping[str, Any]]:
        return {"Key": {"type": "apiKey", "in": "header", "name": "X-Toy-Key"}}


class Echo(TypedDict):
    said: dict[str, str]
    sandbox: str


class Balance(TypedDict):
    balance: str
    at: int


rows = Rows()


@rows.route("GET", "/api/v3/echo", summary="Say it again", answers=Echo)
def echo(call: Call) -> Echo:
    return {"said": call.values, "sandbox": call.sandbox.name}


@rows.route(
    "POST",
    "/api/v3/echo",
    summary="Say it again, louder",
    answers=Echo,
    parameters=(Parameter("word", required=True), Parameter("times", Kind.INTEGER, default=1)),
)
async def echo_louder(call: Call) -> Echo:
    return {"said": call.values, "sandbox": call.sandbox.name}


@rows.route("GET", "/api/v3/balance", summary="What is left", answers=Balance, security=KEYED)
def balance(call: Call) -> Balance:
    engine = till(call.sandbox)
    return {"balance": str(engine.balances[call.account, "USDT"]), "at": call.render_time(call.now_us)}


@rows.route("DELETE", "/api/v3/balance", summary="Take some out", answers=Balance, security=KEYED)
async def take(call: Call) -> Balance:
    return await call.submit(withdraw(call.account, call.values["amount"]), lambda done: balance(call))


@rows.route("POST", "/api/v3/broken", summary="Has a defect", answers=Echo)
async def broken(call: Call) -> Echo:
    raise KeyError("a defect")


@rows.route("GET", "/api/v3/inexact", summary="Answers what JSON cannot say", answers=Echo)
def inexact(call: Call) -> object:
    return {"said": {1, 2}}


@rows.route("GET", "/api/v3/encoded", summary="Encodes by itself", answers=Echo, reads=False)
def encoded(call: Call) -> bytes:
    return b'{"said":{},"sandbox":"-"}'


@rows.route("GET", "/shelves/{shelf}/{book}", summary="A book as it is", answers=Any, media="text/plain")
def book(call: Call) -> Reply:
    text = call.request.path.encode()
    return Reply(body=text[:8], content_type=b"text/plain", status=206, headers=((b"x-letters", b"8"),))


@rows.route("GET", "/cellar/*", summary="Whatever lies there", answers=Echo)
def cellar(call: Call) -> Echo:
    return {"said": {"path": call.request.path}, "sandbox": call.sandbox.name}


def toy_site(dialect: ToyDialect, name: str = "binance") -> Site:
    return Site(
        name=name,
        engine="north",
        title="Toy",
        rows=tuple(rows),
        dialect=dialect,
        not_emulated=(
            NotEmulated("GET", "/api/v3/gone", "it left"),
            NotEmulated("*", "/api/v3/lend/*", "nobody lends here"),
        ),
    )


class House:
    """An application with a universe behind it."""

    def __init__(self, dialect: ToyDialect | None = None) -> None:
        self.universe = Universe()
        self.dialect = dialect or ToyDialect()
        self.hosts = Hosts({8586: "binance"})
        self.application = self.build()

    def build(self, routes: tuple[BaseRoute, ...] = ()) -> Application:
        return Application(
            sites=[toy_site(self.dialect)],
            sandboxes=self.universe.sandboxes,
            hosts=self.hosts,
            frame=build_frame(routes, None),
        )
