"""A row: what one endpoint is asked, what a request of it must prove and costs, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from emulator.web.contract.calls import Call


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
