"""What was called where somebody keeps count: by host name, with what was refused.

Every map has a bound, because names and paths come from outside.
"""

from __future__ import annotations

from collections.abc import Iterable

HOSTS_MAX = 1000
MISSING_MAX = 200
NAME_MAX = 253

_REST = "(others)"
"""What is too much to be told one by one is counted here."""


class Called:
    """One host: how often it was called, and what of that went wrong.

    errors: answers that were refusals. sockets: WebSocket connections that were opened. missing: how
    often something was asked for that is not emulated, by method and path.
    """

    __slots__ = ("errors", "missing", "requests", "sockets")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.sockets = 0
        self.missing: dict[str, int] = {}

    def note(self, *, is_error: bool) -> None:
        self.requests += 1
        self.errors += is_error

    def note_missing(self, asked: str) -> None:
        """asked: method and path."""
        _count(self.missing, asked, MISSING_MAX)


class Tally:
    """What came in at one place. refused: connections to others, by `name:port`, which were not let out.
    untrusting: handshakes that clients broke off, by host, as those do who do not trust the authority."""

    def __init__(self) -> None:
        self.hosts: dict[str, Called] = {}
        self.refused: dict[str, int] = {}
        self.untrusting: dict[str, int] = {}

    def of(self, host: str) -> Called:
        """Where a host is counted; host: its name in lower case, without a port."""
        name = host[:NAME_MAX]
        if name not in self.hosts and len(self.hosts) >= HOSTS_MAX:
            name = _REST
        return self.hosts.setdefault(name, Called())

    def note_refused(self, host: str, port: int) -> None:
        _count(self.refused, f"{host[:NAME_MAX]}:{port}", HOSTS_MAX)

    def note_untrusting(self, host: str) -> None:
        _count(self.untrusting, host[:NAME_MAX], HOSTS_MAX)


def by_count(counts: dict[str, int]) -> Iterable[tuple[str, int]]:
    """Most frequent first."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _count(counts: dict[str, int], name: str, most: int) -> None:
    if name not in counts and len(counts) >= most:
        name = _REST
    counts[name] = counts.get(name, 0) + 1
