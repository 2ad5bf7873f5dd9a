"""A request on its way through an endpoint, and what may come of it: a reply, a refusal, our own failure."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from emulator.web.contract.rows import Route

if TYPE_CHECKING:
    from emulator.core.commands import Command
    from emulator.core.engine import Done, Engine
    from emulator.core.history import AnyRecord, Query
    from emulator.core.ids import AccountId, OrderId
    from emulator.core.orders import Order
    from emulator.runtime.ports import KeyRecord
    from emulator.runtime.sandbox import Sandbox
    from emulator.runtime.submission import Submission
    from emulator.web.contract.sites import Site


T = TypeVar("T")


R = TypeVar("R", bound="AnyRecord")


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


class Reply(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A success that is not just a body of JSON. content_type: the row's media where it is empty."""

    body: bytes
    content_type: bytes = b""
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


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
