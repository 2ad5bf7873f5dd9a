"""Something that each sandbox has one of, made when it is first asked for, gone with the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from emulator.runtime.sandbox import Sandbox

T = TypeVar("T")


class PerSandbox(Generic[T]):
    """A sandbox that was reset is another one under the same name, and begins anew."""

    def __init__(self, make: Callable[[Sandbox], T]) -> None:
        self._make = make
        self._made: dict[Sandbox, T] = {}

    def of(self, sandbox: Sandbox) -> T:
        made = self._made.get(sandbox)
        if made is None:
            made = self._made[sandbox] = self._make(sandbox)
            sandbox.fanout.at_end(lambda: self._forget(sandbox))
        return made

    def _forget(self, sandbox: Sandbox) -> None:
        self._made.pop(sandbox, None)
