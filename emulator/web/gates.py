"""What the control API asks of gates, which `emulator.intercept` has."""

from __future__ import annotations

from typing import Annotated, Protocol

import msgspec

from emulator.web.tallies import Tally

ALLOWED_MAX = 1000

AllowedHost = Annotated[
    str, msgspec.Meta(min_length=1, max_length=260, description="A host, `name` or `name:port`.")
]


class GateOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """guard: whether others than exchanges' hosts and this machine are refused. allow: except these."""

    guard: bool = True
    allow: Annotated[tuple[AllowedHost, ...], msgspec.Meta(max_length=ALLOWED_MAX)] = ()


class GateKept(Exception):
    """A gate that stays as long as the server does."""


class Gates(Protocol):
    @property
    def certificate(self) -> str:
        """The path of the authority's certificate in PEM. Raises OSError."""
        ...

    def open(self, order: GateOrder) -> int:
        """A gate on a port of this machine. Raises PortUnavailable, and ValueError for an allowed host."""
        ...

    def tally(self, port: int) -> Tally | None:
        """What came through it so far; None when there is no such gate."""
        ...

    async def close(self, port: int) -> Tally | None:
        """What came through a gate that is no more; None when there is none. Raises GateKept."""
        ...
