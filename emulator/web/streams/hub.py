"""Looks at the sources of a sandbox's streams when there may be something new, and tells who subscribed.

A source is looked at when its own time has come on the sandbox's clock, and when a command changed the
market of its instrument: then once for all commands of one turn of the event loop. What it says leaves
through the sandbox's outlet, so never before the journal holds what it tells of.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from time import perf_counter
from typing import Any, Final, Generic

from emulator.core.events import Event
from emulator.core.numbers import exact
from emulator.runtime.alarms import Alarm
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.ports import EngineUnavailable
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message
from emulator.web.streams.source import Make, S, Source

TURN_S: Final = 0.002
"""How long sources are looked at before everybody else has a turn of the event loop."""

AHEAD_S: Final = 0.05
"""How much time may go into looks whose news wait for the journal. Rendering them takes about as long,
and happens when they are told, all at once; whoever looks later is told the same in fewer words."""

RETRY_S: Final = 0.05
"""While the journal refuses or the engine is rebuilt: how often to see whether that is over."""

BROKEN_US: Final = 1_000_000
"""When a source that raised is looked at again."""

FORGOTTEN_MAX: Final = 64
"""Times that may be kept in vain, beside as many as there are streams."""

Subscriber = Callable[[Message], None]

ShownBooks = PerSandbox[list[Callable[[str, int], None]]]
"""Who is told, by instrument and time, of each book that a reader of a sandbox is the first to be shown."""

_log = logging.getLogger(__name__)


class _Subscription:
    __slots__ = ("subscriber",)

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber: Subscriber | None = subscriber


class _Running(Generic[S]):
    """A stream that somebody gets. due_us: when its source asked to be looked at; None for never.

    source: None while the engine is not there, and for a stream that has nothing to say.
    """

    __slots__ = ("due_us", "is_open", "source", "stream", "subscriptions")

    def __init__(self, stream: S) -> None:
        self.stream = stream
        self.source: Source | None = None
        self.is_open = False
        self.due_us: int | None = None
        # A tuple that is replaced, not changed: who is told of something is settled when it is seen.
        self.subscriptions: tuple[_Subscription, ...] = ()


class Hub(Generic[S]):
    """The running streams of one site in one sandbox, with one alarm for all of them.

    engine: whose commands change what the streams tell of. sources: what makes the source of each sort of
    stream; a sort that is missing may be subscribed to and says nothing. shown: where to be told of books
    that REST shows.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        engine: str,
        sources: Mapping[Any, Make[S]],
        shown: ShownBooks | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._engine = engine
        self._sources = sources
        self._running: dict[str, _Running[S]] = {}
        self._of_instrument: dict[str, dict[str, _Running[S]]] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._due: list[tuple[int, int, _Running[S]]] = []
        self._count = count()
        self._waiting: dict[_Running[S], None] = {}
        self._has_settled = False
        self._is_called = False
        self._is_looking = False
        self._ahead_s = 0.0
        self._alarm: Alarm | None = None
        self._alarm_us = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        sandbox.observe(engine, self)
        if shown is not None:
            shown.of(sandbox).append(self._shown)
        sandbox.fanout.at_end(self._end)

    def subscribe(self, stream: S, subscriber: Subscriber) -> Callable[[], None]:
        """Call back with everything that a stream says from now on; returns what ends it.

        A stream of an instrument that is not listed says nothing. The callback must not block.
        """
        running = self._running.get(stream.name)
        if running is None:
            running = self._running[stream.name] = _Running(stream)
            if stream.instrument is not None:
                self._of_instrument.setdefault(stream.instrument, {})[stream.name] = running
            self._begin(running)
        subscription = _Subscription(subscriber)
        running.subscriptions += (subscription,)
        if running.is_open:
            self._greet(running, (subscription,))

        def unsubscribe() -> None:
            if subscription.subscriber is not None:
                subscription.subscriber = None
                self._leave(running, subscription)

        return unsubscribe

    @property
    def streams(self) -> Sequence[str]:
        """The names of what is running."""
        return tuple(self._running)

    # The engine's observer

    def happened(self, event: Event, now_us: int) -> None:
        pass

    def settled(self, now_us: int) -> None:
        self._has_settled = True
        if self._of_instrument:
            self._call()

    # The readers of books

    def _shown(self, instrument: str, now_us: int) -> None:
        """REST shows somebody a book that it has not shown before."""
        for running in self._of_instrument.get(instrument, {}).values():
            if running.source is not None:
                running.source.shown(now_us)

    # Looking

    def _begin(self, running: _Running[S]) -> None:
        """Open at once if possible, so that whatever is read from now on comes after the stream's begin."""
        sandbox = self._sandbox
        self._waiting[running] = None
        if self._is_looking or sandbox.is_degraded:
            self._call()
            return
        now_us = sandbox.clock.now_us()
        sandbox.advance()
        try:
            with exact():
                self._open(running, now_us)
        except EngineUnavailable:
            self._retry()
            return
        del self._waiting[running]
        self._arm()

    def _call(self) -> None:
        """Look as soon as what happens just now is over: once in a turn of the event loop, whoever calls."""
        if not self._is_called:
            self._is_called = True
            self._loop.call_soon(self._turn)

    def _rang(self, now_us: int) -> None:
        self._alarm = None
        self._call()

    def _retried(self) -> None:
        self._timer = None
        self._call()

    def _turn(self) -> None:
        self._is_called = False
        if not self._running or self._ahead_s > AHEAD_S:
            return
        sandbox = self._sandbox
        if sandbox.is_degraded:
            self._retry()
            return
        began_s = perf_counter()
        self._is_looking = True
        # The time is read first: all that is due by then has happened when it is looked at.
        now_us = sandbox.clock.now_us()
        sandbox.advance()
        try:
            with exact():
                self._look_around(now_us, began_s + TURN_S)
        except EngineUnavailable:
            self._retry()
            return
        finally:
            self._is_looking = False
            self._note_ahead(perf_counter() - began_s)
        if self._waiting:
            self._call()
        self._arm()

    def _note_ahead(self, spent_s: float) -> None:
        """Count what was spent on looks that the journal is behind of; when it is too much, wait for it."""
        outlet = self._sandbox.outlet
        self._ahead_s = self._ahead_s + spent_s if outlet.held else 0.0
        if self._ahead_s > AHEAD_S:
            outlet.say(self._sandbox.sequence, self._caught_up)

    def _caught_up(self) -> None:
        self._ahead_s = 0.0
        self._call()

    def _look_around(self, now_us: int, until_s: float) -> None:
        """Look at what is due or changed, until the turn is over; the rest waits for the next one."""
        self._gather(now_us)
        waiting = self._waiting
        while waiting:
            running = next(iter(waiting))
            if running.is_open:
                self._look(running, now_us)
            else:
                self._open(running, now_us)
            waiting.pop(running, None)
            if perf_counter() > until_s:
                break

    def _gather(self, now_us: int) -> None:
        due = self._due
        while due and due[0][0] <= now_us:
            due_us, _, running = heappop(due)
            if running.due_us == due_us:
                running.due_us = None
                self._waiting[running] = None
        if self._has_settled:
            markets = self._sandbox.engines[self._engine].state.markets
            self._has_settled = False
            for instrument, streams in self._of_instrument.items():
                market = markets.get(instrument)
                if market is not None:
                    seen = (market.changes, len(market.prints))
                    if self._seen.get(instrument) != seen:
                        self._seen[instrument] = seen
                        self._waiting.update(dict.fromkeys(streams.values()))

    def _open(self, running: _Running[S], now_us: int) -> None:
        stream = running.stream
        markets = self._sandbox.engines[self._engine].state.markets
        make = self._sources.get(stream.kind)
        if make is not None and (stream.instrument is None or stream.instrument in markets):
            try:
                source = make(self._sandbox, stream)
                source.open(now_us)
                self._look_again(running, source.next_us(now_us))
                running.source = source
            except EngineUnavailable:
                raise
            except Exception:
                self._complain(stream)
        running.is_open = True
        if running.subscriptions:
            self._greet(running, running.subscriptions)

    def _greet(self, running: _Running[S], subscriptions: tuple[_Subscription, ...]) -> None:
        """Tell those who are new how things stand; what is told next follows from that."""
        source = running.source
        if source is None:
            return
        try:
            with exact():
                messages = source.greet(self._sandbox.clock.now_us())
        except Exception:
            self._complain(running.stream)
            return
        if messages:
            self._sandbox.outlet.say(self._sandbox.sequence, partial(_tell, subscriptions, messages))

    def _look(self, running: _Running[S], now_us: int) -> None:
        source = running.source
        if source is None:
            return
        try:
            messages = source.look(now_us)
            due_us = source.next_us(now_us)
        except EngineUnavailable:
            raise
        except Exception:
            self._complain(running.stream)
            messages, due_us = (), now_us + BROKEN_US
        self._look_again(running, due_us)
        if messages:
            tell = partial(_tell, running.subscriptions, messages)
            self._sandbox.outlet.say(self._sandbox.sequence, tell)

    def _complain(self, stream: S) -> None:
        _log.exception("%s: the stream %s failed by a defect", self._sandbox.name, stream.name)

    def _look_again(self, running: _Running[S], due_us: int | None) -> None:
        if due_us != running.due_us:
            running.due_us = due_us
            if due_us is not None:
                heappush(self._due, (due_us, next(self._count), running))

    def _arm(self) -> None:
        due = self._due
        if len(due) > 2 * len(self._running) + FORGOTTEN_MAX:
            # On a clock that stands still the time of what nobody waits for any more never comes.
            due[:] = [each for each in due if each[2].due_us == each[0]]
            heapify(due)
        while due and due[0][2].due_us != due[0][0]:
            heappop(due)
        if due and (self._alarm is None or due[0][0] < self._alarm_us):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_us = due[0][0]
            self._alarm = self._sandbox.alarms.at(self._alarm_us, self._rang)

    def _retry(self) -> None:
        """Nothing can be said just now. The clock may stand still, so the wall tells when to try again."""
        if self._timer is None:
            self._timer = self._loop.call_later(RETRY_S, self._retried)

    # Ending

    def _leave(self, running: _Running[S], subscription: _Subscription) -> None:
        running.subscriptions = tuple(one for one in running.subscriptions if one is not subscription)
        if running.subscriptions:
            return
        name, instrument = running.stream.name, running.stream.instrument
        if self._running.get(name) is not running:
            return
        del self._running[name]
        running.due_us = None
        self._waiting.pop(running, None)
        if instrument is not None:
            streams = self._of_instrument[instrument]
            del streams[name]
            if not streams:
                del self._of_instrument[instrument]
                self._seen.pop(instrument, None)
        self._close(running)

    def _close(self, running: _Running[S]) -> None:
        source, running.source = running.source, None
        if source is not None:
            try:
                source.close()
            except Exception:
                self._complain(running.stream)

    def _end(self) -> None:
        """The sandbox is over."""
        for timer in (self._alarm, self._timer):
            if timer is not None:
                timer.cancel()
        self._alarm = self._timer = None
        for running in self._running.values():
            self._close(running)
        self._running.clear()
        self._of_instrument.clear()
        self._due.clear()
        self._waiting.clear()


def _tell(subscriptions: Sequence[_Subscription], messages: Sequence[Message]) -> None:
    for message in messages:
        for subscription in subscriptions:
            subscriber = subscription.subscriber
            if subscriber is not None:
                try:
                    subscriber(message)
                except Exception:
                    _log.exception("a subscriber of %s raised", message.stream)
