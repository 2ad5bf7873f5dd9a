"""Streams of what an engine does, told at a pace.

A source hears of it inside the engine, in the midst of a command, and tells it when the command is complete
and the stream's next moment has come.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from emulator.core.engine import Engine
from emulator.core.events import Event
from emulator.market_data.streams.stream import MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message
from emulator.web.streams.source import Paced, Source

V = TypeVar("V")

Reads = Mapping[type[Event], Callable[[Engine, Any, int], V | None]]
"""By the event: what is to be told of it, or None. Called right after it was applied, with its time."""

_log = logging.getLogger(__name__)


class Heard(Source, Generic[V]):
    """To be inherited from. What is heard under the same key between two moments is told once."""

    def __init__(self, sandbox: Sandbox, stream: MarketStream, reads: Reads[V]) -> None:
        self._sandbox = sandbox
        self._engine_name = stream.engine
        self._name = stream.name
        self._reads = reads
        self._paced = Paced(stream.pace_us)
        self._engine: Engine | None = None
        self._unobserve: Callable[[], None] | None = None
        self._heard: list[V] = []
        self._settled: dict[Hashable, V] = {}

    # What a stream says of its own

    def _key(self, value: V) -> Hashable:
        raise NotImplementedError

    def _join(self, earlier: V, value: V) -> V:
        """Both of one key, as one."""
        return value

    def _messages(self, values: Iterable[V], now_us: int) -> Sequence[Message]:
        raise NotImplementedError

    # The engine's observer

    def happened(self, event: Event, now_us: int) -> None:
        read = self._reads.get(type(event))
        if read is None:
            return
        self._follow_engine()
        assert self._engine is not None
        try:
            value = read(self._engine, event, now_us)
        except Exception:
            # An observer must not raise: the engine would be rebuilt for what is wrong here.
            _log.exception("it cannot be told: %r", event)
            return
        if value is not None:
            self._heard.append(value)

    def settled(self, now_us: int) -> None:
        self._follow_engine()
        for value in self._heard:
            key = self._key(value)
            earlier = self._settled.get(key)
            self._settled[key] = value if earlier is None else self._join(earlier, value)
        self._heard.clear()

    def _follow_engine(self) -> None:
        """Forget what an engine did that was taken out in the midst of a command: it did not happen."""
        engine = self._sandbox.engines[self._engine_name]
        if engine is not self._engine:
            self._engine = engine
            self._heard.clear()

    # The source

    def open(self, now_us: int) -> None:
        self._paced.begin(now_us)
        self._unobserve = self._sandbox.observe(self._engine_name, self)

    def close(self) -> None:
        if self._unobserve is not None:
            self._unobserve()
            self._unobserve = None

    def look(self, now_us: int) -> Sequence[Message]:
        if not self._is_time(now_us) or not self._settled:
            return ()
        settled, self._settled = self._settled, {}
        return self._messages(settled.values(), now_us)

    def next_us(self, now_us: int) -> int:
        return self._paced.next_us

    def _is_time(self, now_us: int) -> bool:
        return self._paced.is_due(now_us)
