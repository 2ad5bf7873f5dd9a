"""A command that was decided, until what came of it may be told.

What is decided is known at once; it is over when the journal holds it. Whoever waits for that is called
back, which costs a tenth of a task and a future for each; who has time awaits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from emulator.runtime.ports import SandboxError

T = TypeVar("T")


class Submission(Generic[T]):
    """answered: what the answer to the command was; it may leave when this is over, unless there is a
    failure. failure: what is to be raised instead. is_over: nothing of it changes any more."""

    __slots__ = ("_tell", "answered", "failure", "is_over")

    answered: T

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.is_over = False
        self._tell: Callable[[Submission[T]], None] | None = None

    def then(self, tell: Callable[[Submission[T]], None]) -> None:
        """Call back when it is over, or at once when it is. One callback at most."""
        if self.is_over:
            tell(self)
        else:
            assert self._tell is None, "somebody else is told"
            self._tell = tell

    def end(self, error: SandboxError | None) -> None:
        """It is over: durable, or with an error, which counts more than what was answered."""
        if error is not None:
            self.failure = error
        self.is_over = True
        tell = self._tell
        if tell is not None:
            tell(self)

    def __await__(self) -> Generator[Any, None, T]:
        if not self.is_over:
            waiter = asyncio.get_running_loop().create_future()

            def wake(_: Submission[T]) -> None:
                if not waiter.done():
                    waiter.set_result(None)

            self.then(wake)
            yield from waiter.__await__()
        if self.failure is not None:
            raise self.failure
        return self.answered
