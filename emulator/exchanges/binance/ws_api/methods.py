"""What methods of a WebSocket API are: rows of REST under other names, and rows of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from emulator.web.contract import OPEN, Handler, Parameter, Route, Security

NAME_SHOWN_MAX: Final = 64


class Name(NamedTuple):
    """A method that a row answers.

    overridden: parameters that are not looked at when one of certain others is sent.
    """

    name: str
    method: str
    path: str
    overridden: Mapping[str, tuple[str, ...]] = {}


class Operation(NamedTuple):
    """A method made ready to be answered by a row. counts_orders: whether its answers tell of them."""

    route: Route
    overridden: Mapping[str, tuple[str, ...]]
    counts_orders: bool


def own_row(
    name: str,
    summary: str,
    answer: Handler,
    answers: object,
    *parameters: Parameter,
    weight: int,
    security: Security = OPEN,
) -> Route:
    """A row that only a socket has. It reads nothing of the market or an account, so it answers while a
    journal is being written, at once: the answer to a subscription precedes its events.
    """
    return Route(
        method="WS",
        path=name,
        summary=summary,
        answer=answer,
        answers=answers,
        security=security,
        parameters=parameters,
        weight=weight,
        reads=False,
    )
