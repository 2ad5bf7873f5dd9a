"""A record of a market that is told whole at first, and then by what changed in it, at a pace.

Who keeps a copy, and puts into it what is told, has the record of now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from emulator.core.engine import Engine
from emulator.core.numbers import exact
from emulator.market_data.streams.stream import MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message, Payload
from emulator.web.streams.source import Paced, Source

Fields = Mapping[str, Any]
"""A record as it is sent, field by field."""


class ToldFields(NamedTuple):
    """Fields of a record of `looked_us`, told at `now_us`: all, or what changed."""

    now_us: int
    looked_us: int
    is_snapshot: bool
    fields: Fields


class Records(Source):
    """read: the record of now. render: what is sent. snapshots: tell all of it whenever something changed."""

    def __init__(
        self,
        sandbox: Sandbox,
        stream: MarketStream,
        render: Callable[[ToldFields, int], Payload],
        *,
        read: Callable[[Engine, int], Fields],
        snapshots: bool = False,
    ) -> None:
        self._sandbox = sandbox
        self._engine = stream.engine
        self._name = stream.name
        self._render = render
        self._read_fields = read
        self._snapshots = snapshots
        self._paced = Paced(stream.pace_us)
        self._told = ToldFields(0, 0, True, {})

    def open(self, now_us: int) -> None:
        self._paced.begin(now_us)
        self._told = self._read(now_us)

    def greet(self, now_us: int) -> Sequence[Message]:
        return (self._message(self._told._replace(now_us=now_us)),)

    def look(self, now_us: int) -> Sequence[Message]:
        # On a clock that stands still the next moment never comes.
        if not self._paced.is_due(now_us) and self._sandbox.clock.speed:
            return ()
        told, record = self._told.fields, self._read(now_us)
        if record.fields == told:
            return ()
        self._told = record
        if self._snapshots:
            return (self._message(record),)
        changed = {name: value for name, value in record.fields.items() if told.get(name) != value}
        return (self._message(record._replace(is_snapshot=False, fields=changed)),)

    def next_us(self, now_us: int) -> int:
        return self._paced.next_us if self._sandbox.clock.speed else now_us + 1

    def _read(self, now_us: int) -> ToldFields:
        engine = self._sandbox.engines[self._engine]
        with exact():
            fields = self._read_fields(engine, now_us)
        return ToldFields(now_us, now_us, True, fields)

    def _message(self, told: ToldFields) -> Message:
        return Message(self._name, partial(self._render, told))
