"""What a stream is made of: something that is looked at again and again, and says what is new.

One source serves all subscribers of a stream in a sandbox, from the first to the last of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol, TypeVar

from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message


class Stream(Protocol):
    """What a hub has to know of a stream; the rest is between its parser and its source."""

    @property
    def name(self) -> str:
        """The whole name, by which it is subscribed to."""
        ...

    @property
    def kind(self) -> Hashable:
        """The sort, by which its source is found."""
        ...

    @property
    def instrument(self) -> str | None:
        """The core's name of the instrument whose market it tells of; None: not of a single one."""
        ...


class Source(Protocol):
    """Says what a stream has to say; its instrument, if it has one, is listed.

    All of it is called inside `exact()`. `now_us` is the sandbox's time and never decreases; everything
    due by then has happened. The engine is looked up at each use (`Sandbox.engines`), because one that
    failed is replaced; one that is not there raises EngineUnavailable, and what was called is called
    again. To be inherited from: what most sources leave alone has a body.
    """

    def open(self, now_us: int) -> None:
        """The first subscriber came: remember where things stand."""
        ...

    def look(self, now_us: int) -> Sequence[Message]:
        """What is to be said of the time since the last look; mostly nothing or one message.

        Called when `next_us` has come, which may be late, and whenever a command changed the market of
        the stream's instrument: a source with a pace of its own then says nothing before its time.
        """
        ...

    def next_us(self, now_us: int) -> int | None:
        """When to look again if no command changes the market; None for never. After `open` and `look`."""
        ...

    def greet(self, now_us: int) -> Sequence[Message]:
        """What somebody is told who begins to listen: how things stand by what was told last. After `open`;
        the engine is not asked.
        """
        return ()

    def shown(self, now_us: int) -> None:
        """Somebody is shown the instrument's book of now, and may go on from there."""
        return

    def close(self) -> None:
        """The last subscriber left, or the sandbox is over. Not of a source that could not be opened."""
        return


S = TypeVar("S", bound=Stream)

Make = Callable[[Sandbox, S], Source]


class Paced:
    """The moments of a stream that speaks at intervals: whole multiples of them on the sandbox's clock."""

    __slots__ = ("next_us", "pace_us")

    def __init__(self, pace_us: int) -> None:
        self.pace_us = pace_us
        self.next_us = 0

    def begin(self, now_us: int) -> None:
        self.next_us = now_us - now_us % self.pace_us + self.pace_us

    def is_due(self, now_us: int) -> bool:
        """Whether the next moment has come; if so, the one after now is the next. Missed ones are one."""
        if now_us < self.next_us:
            return False
        self.begin(now_us)
        return True
