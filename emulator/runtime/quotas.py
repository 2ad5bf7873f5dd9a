"""How often: counters in windows aligned to the clock, and bans that grow.

No exchange's figure is in here. Memory is bounded: a window forgets everybody when the next one
begins, and holds at most `SUBJECTS_MAX` subjects, the oldest of which is forgotten for a new one.
Times are the sandbox's; a clock that is set elsewhere simply lands in another window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

SUBJECTS_MAX = 10_000

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000


class Window:
    """Counts per subject within windows of `interval_us` that begin at multiples of it since 1970."""

    __slots__ = ("_counts", "_from_us", "_until_us", "interval_us", "limit")

    def __init__(self, *, interval_us: int, limit: int) -> None:
        self.interval_us = interval_us
        self.limit = limit
        self._from_us = self._until_us = 0
        self._counts: dict[Hashable, int] = {}

    def used(self, subject: Hashable, now_us: int) -> int:
        if not self._from_us <= now_us < self._until_us:
            self._begin(now_us)
        return self._counts.get(subject, 0)

    def add(self, subject: Hashable, count: int, now_us: int) -> int:
        """Count, and return what the subject has used. Never refuses; see `used` and `limit`."""
        if not self._from_us <= now_us < self._until_us:
            self._begin(now_us)
        counts = self._counts
        used = counts[subject] = counts.get(subject, 0) + count
        if len(counts) > SUBJECTS_MAX:
            del counts[next(iter(counts))]
        return used

    def release(self, subject: Hashable, count: int, now_us: int) -> None:
        """Take back at most `count` of what the subject has used in the current window."""
        if not self._from_us <= now_us < self._until_us:
            self._begin(now_us)
        counts = self._counts
        used = counts.get(subject)
        if used is not None:
            counts[subject] = max(0, used - count)

    def seconds_left(self, now_us: int) -> int:
        """Whole seconds until the next window begins, at least 1."""
        return max(1, -(-(self.interval_us - now_us % self.interval_us) // 1_000_000))

    def _begin(self, now_us: int) -> None:
        self._from_us = now_us - now_us % self.interval_us
        self._until_us = self._from_us + self.interval_us
        self._counts = {}


class Rolling:
    """What was counted per subject in the last `interval_us`, whenever that began.

    Only what was let pass is counted, so there are never more entries of a subject than its limit.
    """

    __slots__ = ("_entries", "interval_us", "limit")

    def __init__(self, *, interval_us: int, limit: int) -> None:
        self.interval_us = interval_us
        self.limit = limit
        self._entries: dict[Hashable, deque[tuple[int, int]]] = {}

    def left(self, subject: Hashable, now_us: int) -> int:
        """How many more there may be."""
        entries = self._entries.get(subject)
        return self.limit if entries is None else self.limit - self._sum(entries, now_us)

    def add(self, subject: Hashable, count: int, now_us: int) -> None:
        """Count what is let pass, which is no more than what is left."""
        entries = self._entries.get(subject)
        if entries is None:
            if len(self._entries) >= SUBJECTS_MAX:
                del self._entries[next(iter(self._entries))]
            entries = self._entries[subject] = deque()
        entries.append((now_us, count))

    def frees_us(self, subject: Hashable, now_us: int) -> int:
        """From when on there is more left than now."""
        entries = self._entries.get(subject)
        return entries[0][0] + self.interval_us if entries else now_us

    def _sum(self, entries: deque[tuple[int, int]], now_us: int) -> int:
        # A clock that was set back leaves entries of the future, which count no more.
        since_us = now_us - self.interval_us
        while entries and not since_us < entries[0][0] <= now_us:
            entries.popleft()
        return sum(count for _, count in entries)


class _Record:
    __slots__ = ("bans", "until_us", "violations", "violations_window")

    def __init__(self) -> None:
        self.violations = 0
        self.violations_window = 0
        self.bans = 0
        self.until_us = 0


class Bans:
    """Who went on asking after being told to stop, and for how long nothing is answered.

    After `tolerance` violations within `within_us` a subject is banned; each further ban lasts twice as
    long as the one before, from `shortest_us` to `longest_us`. A subject that keeps quiet for
    `longest_us` after its ban starts afresh.
    """

    def __init__(self, *, tolerance: int, within_us: int, shortest_us: int, longest_us: int) -> None:
        self._tolerance = tolerance
        self._within_us = within_us
        self._shortest_us = shortest_us
        self._longest_us = longest_us
        self._records: dict[Hashable, _Record] = {}

    def __bool__(self) -> bool:
        return bool(self._records)

    def until_us(self, subject: Hashable, now_us: int) -> int | None:
        """When the subject's ban ends, or None when it has none."""
        record = self._records.get(subject)
        return record.until_us if record is not None and record.until_us > now_us else None

    def note_violation(self, subject: Hashable, now_us: int) -> int | None:
        """Count a violation; returns when the ban ends that it brought on, or None."""
        record = self._records.get(subject)
        if record is None:
            if len(self._records) >= SUBJECTS_MAX:
                del self._records[next(iter(self._records))]
            record = self._records[subject] = _Record()
        elif record.bans and now_us - record.until_us > self._longest_us:
            record.bans = 0
        window = now_us // self._within_us
        if window != record.violations_window:
            record.violations_window = window
            record.violations = 0
        record.violations += 1
        if record.violations <= self._tolerance:
            return None
        record.violations = 0
        record.until_us = now_us + min(self._shortest_us << min(record.bans, 40), self._longest_us)
        record.bans += 1
        return record.until_us
