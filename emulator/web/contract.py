"""An endpoint is declared once: a row beside the function that answers it.

    rows = Rows()

    @rows.route(
        "POST", "/api/v3/order", summary="New order", security=TRADE, weight=1,
        free_when_accepted=True, orders=1,
        parameters=(SYMBOL, SIDE, Parameter("quantity", Kind.DECIMAL, required=True)),
        answers=OrderAck | OrderResult,
    )
    def place_order(call: Call) -> Submission[OrderAck | OrderResult]:
        # Leaves when it is durable; a rejection leaves as the exchange's own error.
        return call.submit(PlaceOrder(...), lambda done: answer_placed(call, done))

Routing, parameter errors in the exchange's own words, signing, quotas, the OpenAPI document and the
coverage page all come from the row. What an exchange says, and in which order it checks, is its
`Dialect`; this module knows no wire word.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import msgspec

from emulator.web.codec import encode

if TYPE_CHECKING:
    from emulator.core.commands import Command
    from emulator.core.engine import Done, Engine
    from emulator.core.history import AnyRecord, Query
    from emulator.core.ids import AccountId, OrderId
    from emulator.core.orders import Order
    from emulator.core.rejections import Rejection
    from emulator.runtime.ports import KeyRecord
    from emulator.runtime.sandbox import Sandbox
    from emulator.runtime.submission import Submission
    from emulator.web.sockets import Session, Socket


class Kind(str, Enum):
    """What a parameter's text becomes in `Call.values`."""

    TEXT = "text"
    """str"""
    DECIMAL = "decimal"
    """Decimal, exact and canonical"""
    INTEGER = "integer"
    """int"""
    BOOLEAN = "boolean"
    """bool"""
    CHOICE = "choice"
    """str, one of `choices`"""
    TIME = "time"
    """int, always microseconds, whatever unit was sent"""
    TEXT_LIST = "text_list"
    """tuple[str, ...], sent as a JSON array"""
    REQUEST_LIST = "request_list"
    """tuple[dict[str, Any] | Refusal, ...], sent as a JSON array of objects: of each member its values, or
    what is wrong with it"""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a row, by its name on the wire. Everything after `kind` goes by keyword.

    default: put into `Call.values` when the parameter is not sent; with None an absent parameter is
    missing there. minimum, maximum: limits of the parsed number; clamped: above the maximum the
    maximum is used instead of refusing. decimals: digits allowed after the point. pattern: what a
    TEXT, or each member of a TEXT_LIST, must match as a whole. legal_range: the pattern as the
    exchange prints it. length_max: of a TEXT. members_max: of a list. members: the parameters of each member
    of a REQUEST_LIST. error: the exchange's code for a value outside `choices` or the limits, where it has
    one of its own.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None
    clamped: bool = False
    decimals: int | None = None
    pattern: str | None = None
    legal_range: str | None = None
    length_max: int = 200
    members_max: int = 1000
    members: tuple[Parameter, ...] = ()
    error: int | None = None
    description: str = ""

    def but(self, **changes: Any) -> Parameter:
        """The same parameter with some fields changed, such as `SYMBOL.but(required=True)`."""
        return msgspec.structs.replace(self, **changes)


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """What a request must prove. permission: what its key must be allowed, or None."""

    name: str
    keyed: bool = False
    signed: bool = False
    permission: str | None = None
    description: str = ""


OPEN = Security(name="NONE", description="Anybody may ask.")

Handler = Callable[["Call"], Any]
"""Answers a call with a JSON-ready body, encoded bytes or a Reply, now or by a submission; or
asynchronously."""

Weight = int | Callable[[Mapping[str, Any]], int]
"""What a request costs, or how to tell from its parsed values."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A success that is not just a body of JSON. content_type: the row's media where it is empty."""

    body: bytes
    content_type: bytes = b""
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A row.

    one_of: groups of parameters of which at least one must be sent. exclusive: groups of which at
    most one may be. answers: a type expression that msgspec can describe. free_when_accepted: the
    weight is charged only when the request fails. orders: what it adds to the count of orders when
    it succeeds. reads: the sandbox is advanced before the answer is built, and the answer leaves when
    what it saw is durable; commands that go through `Call.submit` need neither. pool: which quota the
    weight comes from, where an exchange has several. body: the type of a JSON body, where the row takes
    one. failures: HTTP statuses of errors that this row has and others have not, and what they mean.
    media: what the bytes of a success are, where they are no JSON. A path may hold `{name}` for parameters of
    that name, which are one segment each, and end in `/*` for all that is below it.
    """

    method: str
    path: str
    summary: str
    answer: Handler
    answers: Any
    security: Security = OPEN
    parameters: tuple[Parameter, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()
    weight: Weight = 1
    free_when_accepted: bool = False
    orders: int = 0
    reads: bool = True
    pool: str = ""
    deprecated: bool = False
    description: str = ""
    body: Any = None
    failures: Mapping[int, str] = {}
    media: str = ""


H = TypeVar("H", bound=Handler)
T = TypeVar("T")
R = TypeVar("R", bound="AnyRecord")


class Rows:
    """The rows of one module, in the order in which they were declared."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def __len__(self) -> int:
        return len(self._routes)

    def route(
        self,
        method: str,
        path: str,
        *,
        summary: str,
        answers: Any,
        security: Security = OPEN,
        parameters: tuple[Parameter, ...] = (),
        one_of: tuple[tuple[str, ...], ...] = (),
        exclusive: tuple[tuple[str, ...], ...] = (),
        weight: Weight = 1,
        free_when_accepted: bool = False,
        orders: int = 0,
        reads: bool | None = None,
        pool: str = "",
        deprecated: bool = False,
        description: str = "",
        body: Any = None,
        failures: Mapping[int, str] | None = None,
        media: str = "",
    ) -> Callable[[H], H]:
        """Declare the decorated function as the answer to `method path`. reads: GET unless said."""
        assert method in ("GET", "POST", "PUT", "DELETE"), method
        names = {parameter.name for parameter in parameters}
        assert len(names) == len(parameters), f"{method} {path} names a parameter twice"
        for group in (*one_of, *exclusive):
            assert names.issuperset(group), f"{method} {path}: {group} is not among its parameters"

        def declare(answer: H) -> H:
            self._routes.append(
                Route(
                    method=method,
                    path=path,
                    summary=summary,
                    answer=answer,
                    answers=answers,
                    security=security,
                    parameters=parameters,
                    one_of=one_of,
                    exclusive=exclusive,
                    weight=weight,
                    free_when_accepted=free_when_accepted,
                    orders=orders,
                    reads=method == "GET" if reads is None else reads,
                    pool=pool,
                    deprecated=deprecated,
                    description=description,
                    body=body,
                    failures=failures or {},
                    media=media,
                )
            )
            return answer

        return declare


class NotEmulated(msgspec.Struct, frozen=True):
    """A path that the exchange has and this project does not answer, and why. `*` ends a prefix.

    gone: the exchange itself has it no longer, and says so with HTTP 410.
    """

    method: str
    path: str
    why: str
    gone: bool = False


class Channel(msgspec.Struct, frozen=True):
    """A stream that can be subscribed to, as its documents write its name."""

    name: str
    summary: str


class Method(msgspec.Struct, frozen=True):
    """An operation that can be called over a WebSocket. route: the row that answers it, if one does."""

    name: str
    summary: str
    route: Route | None = None


class SocketRow(msgspec.Struct, frozen=True, kw_only=True):
    """A WebSocket path: exact, or everything below it where it ends in `/*`.

    open: makes the session of a connection that was accepted. admit: looks at a handshake before that
    and may raise a Refusal, which is then an HTTP answer.
    """

    path: str
    summary: str
    open: Callable[[Opening, Socket], Session]
    admit: Callable[[Opening], None] | None = None
    channels: tuple[Channel, ...] = ()
    methods: tuple[Method, ...] = ()

    def matches(self, path: str) -> bool:
        if self.path.endswith("/*"):
            return path.startswith(self.path[:-1])
        return path == self.path


class Sandboxes(Protocol):
    """Where requests find their sandbox."""

    def get(self, name: str) -> Sandbox | None: ...

    def owning(self, key: str) -> Sandbox | None:
        """The sandbox that knows an API key; of several, the default one first."""
        ...


class Opening:
    """A WebSocket handshake. `path` has neither site nor sandbox prefix; headers are lower case.

    sandbox: the one that the address names, or the one that the key in its headers does, or the
    default one. is_named: whether the address or the key named it; if not, a key that comes later may.
    note: remembers a request for `GET /_emulator/requests`: method, path, query, body, status, code,
    duration in microseconds, account, key. note_defect: counts a request that failed by a defect of ours.
    """

    __slots__ = (
        "headers",
        "is_named",
        "note",
        "note_defect",
        "path",
        "query",
        "row",
        "sandbox",
        "sandboxes",
        "site",
        "source_ip",
    )

    def __init__(
        self,
        *,
        site: Site,
        row: SocketRow,
        sandbox: Sandbox,
        is_named: bool,
        sandboxes: Sandboxes,
        path: str,
        query: bytes,
        headers: dict[bytes, bytes],
        source_ip: str,
        note: Callable[[str, str, bytes, bytes, int, int | str | None, int, int, bytes | None], None],
        note_defect: Callable[[], None],
    ) -> None:
        self.site = site
        self.row = row
        self.sandbox = sandbox
        self.is_named = is_named
        self.sandboxes = sandboxes
        self.path = path
        self.query = query
        self.headers = headers
        self.source_ip = source_ip
        self.note = note
        self.note_defect = note_defect


class Site:
    """One API surface: its rows, what it leaves out, and the dialect it speaks.

    prefix: before its paths on the common port. takes_forms: whether parameters may come in a form body.
    takes_json: whether those of a POST come in a JSON body, and nowhere else. permissions: what keys may be
    given beside what the rows ask for.
    """

    def __init__(
        self,
        *,
        name: str,
        engine: str,
        title: str,
        rows: tuple[Route, ...],
        dialect: Dialect,
        not_emulated: tuple[NotEmulated, ...] = (),
        sockets: tuple[SocketRow, ...] = (),
        description: str = "",
        prefix: str | None = None,
        takes_forms: bool = True,
        takes_json: bool = False,
        permissions: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self.sockets = sockets
        self.engine = engine
        self.title = title
        self.rows = rows
        self.dialect = dialect
        self.not_emulated = not_emulated
        self.description = description
        self.prefix = f"/{name}" if prefix is None else prefix
        self.takes_forms = takes_forms
        self.takes_json = takes_json
        self.permissions = permissions | {
            route.security.permission for route in rows if route.security.permission is not None
        }
        declared = [(route.method, route.path) for route in rows]
        twice = {key for key in declared if declared.count(key) > 1}
        assert not twice, f"{name} declares twice: {sorted(twice)}"


class Failure(str, Enum):
    """What the mechanics, not an endpoint, could not do; each dialect has its words for it."""

    UNKNOWN_PATH = "unknown_path"
    NOT_EMULATED = "not_emulated"
    WRONG_METHOD = "wrong_method"
    UNKNOWN_SANDBOX = "unknown_sandbox"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"
    """The journal does not accept: nothing was done."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    BROKEN = "broken"
    """A defect of ours."""


class Refusal(Exception):
    """An error in the exchange's own words. Raise it anywhere below an endpoint.

    extra: further members of the error body. headers: added to the response.
    """

    def __init__(
        self,
        status: int,
        code: int | str,
        message: str,
        *,
        extra: Mapping[str, Any] | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra
        self.headers = headers

    def __str__(self) -> str:
        return f"{self.code}: {self.message} (HTTP {self.status})"


class Request(msgspec.Struct, eq=False):
    """What arrived, as it arrived. `path` has neither site nor sandbox prefix; headers are lower case."""

    method: str
    path: str
    query: bytes
    body: bytes
    headers: dict[bytes, bytes]
    source_ip: str


class Call(msgspec.Struct, eq=False):
    """One admitted request on its way through an endpoint.

    values: parsed parameters by wire name; those that were not sent and have no default are missing.
    account, key_record: set where the row's security asks for a key. instrument: an endpoint that reads
    one instrument's market says its core name here, so that a failing journal does not hold it up
    for others. header_lines: what the head of the response says beyond the usual, each line with its end.
    time_divisor: microseconds in one unit of the times this call renders. weight, orders_reserved: what
    the call costs so far.
    """

    site: Site
    route: Route
    request: Request
    sandbox: Sandbox
    now_us: int
    account: AccountId = 0
    instrument: str | None = None
    key_record: KeyRecord | None = None
    values: dict[str, Any] = {}
    header_lines: bytes = b""
    time_divisor: int = 1000
    orders_reserved: int = 0
    weight: int = 0

    @property
    def engine(self) -> Engine:
        """The site's engine in this sandbox. Raises StorageUnavailable while it is being rebuilt."""
        return self.sandbox.engines[self.site.engine]

    @property
    def source_ip(self) -> str:
        return self.request.source_ip

    def render_time(self, time_us: int) -> int:
        """A moment in the unit that the client asked for."""
        return time_us // self.time_divisor

    def submit(self, command: Command, answer: Callable[[Done], T]) -> Submission[T]:
        """Have a command decided and kept; fails with a Refusal in the exchange's words when rejected.

        answer: builds the body from what happened. It runs right after the command was decided,
        before anything else can change the state that it reads, and leaves when all is durable.
        """

        def build(done: Done) -> T:
            if done.rejection is not None:
                raise self.site.dialect.speak(done.rejection, command)
            return answer(done)

        return self.sandbox.decide(self.site.engine, command, build)

    def attempt(self, command: Command, answer: Callable[[Done], T]) -> Submission[T]:
        """As `submit`, but a rejection is left to `answer`."""
        return self.sandbox.decide(self.site.engine, command, answer)

    def records(self, kind: type[R], query: Query) -> Coroutine[Any, Any, list[R]]:
        """What is over, from memory and from the archive; see `History.select`."""
        return self.sandbox.history.select(self.site.engine, kind, query)

    def order(
        self, instrument: str, order: OrderId | None, client_id: str | None
    ) -> Coroutine[Any, Any, Order | None]:
        """An order of this account by its id, or the newest by its client id, open or over."""
        return self.sandbox.history.order(self.site.engine, self.account, instrument, order, client_id)

    def reserve_orders(self, count: int) -> None:
        """Add to the account's count of orders; raises a Refusal when there are too many.

        Given back when the call ends in a Refusal, unless `keep_orders` was called.
        """
        self.site.dialect.reserve_orders(self, count)

    def keep_orders(self) -> None:
        """Let the orders reserved so far count even if the call ends in a Refusal."""
        self.orders_reserved = 0


Timestamps = Literal["auto", "wall", "sandbox", "off"]
"""What request timestamps are compared with; auto: the sandbox's clock, and while that is virtual the wall
too, whichever is nearer: clients sign with their own time, or with what the server told them of its."""

Counting = Literal["auto", "on", "off"]
"""Whether quotas refuse; auto: only while the sandbox's clock is the wall's."""

Admit = Callable[[Call], None]
"""Checks a request of one row in the exchange's order and fills its Call, or raises a Refusal."""


Settle = Callable[["Call", Refusal | None], None]
"""Charges what a call cost and adds the header lines that tell of it."""


Render = Callable[["Call", Any], bytes]
"""Makes the bytes of a success from what an endpoint answered, which may be bytes already."""


def render_plain(call: Call, body: Any) -> bytes:
    """What was answered, and nothing around it."""
    return body if type(body) is bytes else encode(body)


class Dialect(Protocol):
    """How one exchange lets requests in and says what is wrong."""

    key_header: bytes
    """The header that carries the API key, lower case; empty where no header does."""

    content_type: bytes

    def compile(self, route: Route) -> Admit:
        """Prepare a row once; what it returns runs for every request."""
        ...

    def compile_settling(self, route: Route) -> Settle:
        """Prepare once what is done at the end of every request of a row."""
        ...

    def compile_rendering(self, route: Route) -> Render:
        """Prepare once how what the row answers is told."""
        ...

    def reserve_orders(self, call: Call, count: int) -> None: ...

    def speak(self, rejection: Rejection, command: Command | None) -> Refusal:
        """A rejection of the core in the exchange's words. command: what was rejected."""
        ...

    def fail(self, failure: Failure, detail: str) -> Refusal: ...

    def render_refusal(self, refusal: Refusal, now_us: int | None = None) -> bytes:
        """The error body. now_us: the sandbox's time, where there is one."""
        ...

    def describe_parameters(self, route: Route) -> tuple[Parameter, ...]:
        """What every request of the row's security carries beside the row's own parameters."""
        ...

    def refuses_unknown(self, route: Route) -> bool:
        """Whether a parameter that the row does not have is an error, rather than passed over."""
        ...

    def describe_answer(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The JSON schema of what answers with HTTP 200, where `schema` is that of a row's answers."""
        ...

    def describe_errors(self) -> Mapping[str, Any]:
        """The JSON schema of the error body."""
        ...

    def describe_failures(self, route: Route) -> Mapping[int, str]:
        """The HTTP statuses of errors that any row like this one has, and what they mean."""
        ...

    def describe_security(self) -> Mapping[str, Mapping[str, Any]]:
        """OpenAPI security schemes by name, for the header that carries the key and the signature."""
        ...
