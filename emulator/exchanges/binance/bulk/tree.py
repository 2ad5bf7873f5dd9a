"""The bucket as folders, walked in the order of its keys without ever holding all of them.

There are some millions of keys, nearly all of them days, so what a listing does not ask for is passed over
a folder at a time. A folder without a file is not there, as in any bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from emulator.exchanges.binance.bulk.archives import Archives
from emulator.exchanges.binance.bulk.keys import (
    CANDLES,
    DAILY,
    MONTHLY,
    SECTIONS,
    SUM_ENDING,
    File,
    Section,
    Subject,
    day_of,
    file_of,
    spans_from,
)


class Key(NamedTuple):
    """A file or its checksum."""

    key: str
    file: File

    @property
    def is_sum(self) -> bool:
        return self.key.endswith(SUM_ENDING)


Entry = Key | str
"""A key, or what several begin with that a listing tells of together."""


class Walk:
    """Over the keys that begin with a prefix and come after a marker, as they are at a time.

    by_folder: keys with a slash after the prefix are told of by what they have until there.
    """

    def __init__(
        self, archives: Archives, now_us: int, *, prefix: str = "", marker: str = "", by_folder: bool = False
    ) -> None:
        self._archives = archives
        self._now_us = now_us
        self._prefix = prefix
        self._marker = marker
        self._by_folder = by_folder

    def __iter__(self) -> Iterator[Entry]:
        return self._visit(_ROOT)

    def _visit(self, folder: _Folder) -> Iterator[Entry]:
        for child in folder.children():
            path = child.path
            if not (path.startswith(self._prefix) or self._prefix.startswith(path)):
                continue
            if path <= self._marker and not self._marker.startswith(path):
                continue
            if self._by_folder and path.startswith(self._prefix) and len(path) > len(self._prefix):
                if path != self._marker and self._has_file(child):
                    yield path
            else:
                yield from self._visit(child)
        for file in folder.files(self._archives, self._now_us):
            for key in (file.key, file.key + SUM_ENDING):
                if key.startswith(self._prefix) and key > self._marker:
                    yield Key(key, file)

    def _has_file(self, folder: _Folder) -> bool:
        if next(folder.files(self._archives, self._now_us), None) is not None:
            return True
        return any(self._has_file(child) for child in folder.children())


class _Folder:
    """One that is above others."""

    def __init__(self, path: str, make: Callable[[], Sequence[_Folder]]) -> None:
        self.path = path
        self._make = make

    def children(self) -> Sequence[_Folder]:
        """In the order of their keys."""
        return sorted(self._make(), key=lambda child: child.path)

    def files(self, archives: Archives, now_us: int) -> Iterator[File]:
        return iter(())


class _Leaf(_Folder):
    """One with files. interval: as in their names."""

    def __init__(
        self, path: str, section: Section, period: str, kind: str, subject: Subject, interval: str
    ) -> None:
        super().__init__(path, tuple)
        self._of = partial(file_of, section, period, kind, subject, interval)
        self._period = period
        self._ends_us = subject.ends_us

    def files(self, archives: Archives, now_us: int) -> Iterator[File]:
        """Those that are there, in the order of their keys."""
        last_us = now_us if self._ends_us is None else min(now_us, self._ends_us)
        newest = self._of(day_of(last_us))
        begun_us = archives.begins_us(newest, now_us)
        if begun_us is None:
            return
        for first in spans_from(self._period, day_of(begun_us), day_of(last_us)):
            file = self._of(first)
            if archives.missing_because(file, now_us) is None:
                yield file


def _section(section: Section) -> _Folder:
    return _Folder(f"{section.path}/", lambda: [_period(section, period) for period in (DAILY, MONTHLY)])


def _period(section: Section, period: str) -> _Folder:
    path = f"{section.path}/{period}/"
    return _Folder(
        path, lambda: [_kind(f"{path}{kind}/", section, period, kind) for kind in section.kinds(period)]
    )


def _kind(path: str, section: Section, period: str, kind: str) -> _Folder:
    def subjects() -> list[_Folder]:
        return [
            _subject(f"{path}{name}/", section, period, kind, subject)
            for name, subject in section.subjects_of(kind).items()
        ]

    return _Folder(path, subjects)


def _subject(path: str, section: Section, period: str, kind: str, subject: Subject) -> _Folder:
    if kind not in CANDLES:
        return _Leaf(path, section, period, kind, subject, "")

    def intervals() -> list[_Folder]:
        return [
            _Leaf(f"{path}{interval}/", section, period, kind, subject, interval)
            for interval in section.intervals(period)
        ]

    return _Folder(path, intervals)


def _above(path: str, *children: _Folder) -> _Folder:
    return _Folder(path, lambda: children)


_CM, _UM, _SPOT = map(_section, SECTIONS)
_ROOT: Final = _above("", _above("data/", _above("data/futures/", _CM, _UM), _SPOT))
