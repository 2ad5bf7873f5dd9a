"""A site: its rows and sockets, and what it leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from emulator.web.contract.rows import Route

if TYPE_CHECKING:
    from emulator.runtime.sandbox import Sandbox
    from emulator.web.contract.dialect import Dialect
    from emulator.web.sockets import Session, Socket


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
