"""Whether anything is decided, and why not; and how long to wait until it is."""

from __future__ import annotations

from typing import NoReturn

import msgspec

from emulator.runtime.ports import SandboxClosed, StorageUnavailable


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for what, in seconds.

    answer: how long a caller waits for the journal before it is told that the outcome is unknown.
    retry, retry_max: the pause after the first failed write, doubled up to the maximum.
    rebuild_pause: the least time between two rebuilds of one engine.
    gather: how long what was decided first waits at most for others to join its entry, where the last
    write took `gather_from` or longer.
    """

    answer: float = 5.0
    retry: float = 0.05
    retry_max: float = 5.0
    rebuild_pause: float = 1.0
    gather: float = 0.01
    gather_from: float = 0.0001


class Standing:
    """How one sandbox stands. is_refused: the journal refuses or keeps silent. ended, distrusted: why, if
    it is. is_halted: any of the three, one look on the way of every command."""

    __slots__ = ("_refused", "_sandbox", "distrusted", "ended", "is_halted", "is_refused")

    def __init__(self, sandbox: str) -> None:
        self._sandbox = sandbox
        self.is_halted = False
        self.is_refused = False
        self._refused = ""
        """What the journal said last when it refused."""
        self.ended: str | None = None
        self.distrusted: str | None = None

    @property
    def because(self) -> str | None:
        """Why nothing is decided, for people; None while it is well."""
        return (self.ended or self.distrusted or self._refused) if self.is_halted else None

    def degrade(self, why: str) -> None:
        """The journal refuses, or keeps silent."""
        self._refused = why
        self.is_refused = True
        self.is_halted = True

    def recover(self) -> None:
        """The journal accepts again."""
        self.is_refused = False
        self.is_halted = self.ended is not None or self.distrusted is not None

    def distrust(self, reason: str) -> None:
        """Nothing is decided any more, for the state is not what it should be. Reads are answered."""
        self.distrusted = reason
        self.is_halted = True

    def end(self, reason: str) -> None:
        """Nothing is decided any more; the journal was lost, or somebody wants it so."""
        self.ended = reason
        self.is_halted = True

    def refuse(self) -> NoReturn:
        """Raises StorageUnavailable, which says why nothing is decided; SandboxClosed after the end."""
        if self.ended is not None:
            raise SandboxClosed(f"{self._sandbox}: {self.ended}")
        if self.distrusted is not None:
            raise StorageUnavailable(f"{self._sandbox}: {self.distrusted}")
        raise StorageUnavailable(f"{self._sandbox}: the journal does not accept entries")
