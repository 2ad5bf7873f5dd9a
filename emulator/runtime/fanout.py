"""Tells of what is durable: every batch, once, in order, to whoever subscribed.

A subscriber is called synchronously and must not block. One that raises is dropped, and the others
never notice. The most recent batches are kept for those who ask afterwards.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from emulator.runtime.ports import Batch

RECENT_RECORDS_MAX = 10_000

Subscriber = Callable[[Batch], None]
Unsubscribe = Callable[[], None]

_log = logging.getLogger(__name__)


class _Subscription:
    __slots__ = ("callback", "on_end")

    def __init__(self, callback: Subscriber, on_end: Callable[[], None] | None) -> None:
        self.callback = callback
        self.on_end = on_end


class Fanout:
    def __init__(self, *, recent_records_max: int = RECENT_RECORDS_MAX) -> None:
        self._subscriptions: tuple[_Subscription, ...] = ()
        self._endings: dict[object, Callable[[], None]] = {}
        self._ended = False
        self._recent: deque[Batch] = deque()
        self._recent_records = 0
        self._recent_records_max = recent_records_max

    def subscribe(self, callback: Subscriber, *, on_end: Callable[[], None] | None = None) -> Unsubscribe:
        """Call back with every batch from now on, and `on_end` once when the sandbox ends (reset, drop)."""
        if self._ended and on_end is not None:
            on_end()
        subscription = _Subscription(callback, on_end)
        # A tuple that is replaced, not changed: subscribing inside a callback disturbs no iteration.
        self._subscriptions = (*self._subscriptions, subscription)

        def unsubscribe() -> None:
            self._remove(subscription)

        return unsubscribe

    def at_end(self, callback: Callable[[], None]) -> Unsubscribe:
        """Call back once when the sandbox ends, for who has no use for its batches; at once when it has."""
        token = object()
        if self._ended:
            # While a sandbox is reset, the old one is still found under its name.
            callback()
        else:
            self._endings[token] = callback

        def unsubscribe() -> None:
            self._endings.pop(token, None)

        return unsubscribe

    def publish(self, batch: Batch) -> None:
        self._recent.append(batch)
        self._recent_records += len(batch.records)
        while self._recent_records > self._recent_records_max and len(self._recent) > 1:
            self._recent_records -= len(self._recent.popleft().records)
        for subscription in self._subscriptions:
            try:
                subscription.callback(batch)
            except Exception:
                _log.exception(
                    "a subscriber of sandbox %s raised at entry %d and is dropped",
                    batch.sandbox,
                    batch.sequence,
                )
                self._remove(subscription)

    def recent(self, *, after_sequence: int = 0, records_max: int = 1000) -> list[Batch]:
        """Whole batches after a sequence, oldest first: at least one if there is any, and no further
        one that would exceed `records_max`. What is older than the first kept one is in the journal."""
        batches: list[Batch] = []
        records = 0
        for batch in self._recent:
            if batch.sequence <= after_sequence:
                continue
            records += len(batch.records)
            if batches and records > records_max:
                break
            batches.append(batch)
        return batches

    @property
    def recent_first(self) -> int:
        """The sequence of the oldest batch that is kept, 0 when there is none."""
        return self._recent[0].sequence if self._recent else 0

    def end(self) -> None:
        """The sandbox is over: nothing will be published any more."""
        self._ended = True
        subscriptions, self._subscriptions = self._subscriptions, ()
        endings, self._endings = self._endings, {}
        for on_end in (*(subscription.on_end for subscription in subscriptions), *endings.values()):
            if on_end is None:
                continue
            try:
                on_end()
            except Exception:
                _log.exception("a subscriber raised when its sandbox ended")

    def _remove(self, subscription: _Subscription) -> None:
        self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
