"""Streams of what is not listed for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from emulator.web.streams.message import Message
from emulator.web.streams.source import Source


class WhileListed(Source):
    """Another source, which says nothing while what it tells of is not listed. is_listed: at a time."""

    def __init__(self, source: Source, is_listed: Callable[[int], bool]) -> None:
        self._source = source
        self._is_listed = is_listed

    def open(self, now_us: int) -> None:
        self._source.open(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        messages = self._source.look(now_us)
        return messages if self._is_listed(now_us) else ()

    def next_us(self, now_us: int) -> int | None:
        return self._source.next_us(now_us)

    def greet(self, now_us: int) -> Sequence[Message]:
        return self._source.greet(now_us) if self._is_listed(now_us) else ()

    def shown(self, now_us: int) -> None:
        self._source.shown(now_us)

    def close(self) -> None:
        self._source.close()
