"""Writes down, for whoever reports it in the end, what a command was not let out to."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from threading import Lock

TOLD_ONE_BY_ONE = 100
"""A destination's refusals beyond that are told as many at a time, for a program that tries for hours."""
KNOWN_MAX = 10_000


class Refusals:
    """Appends lines of JSON, {"host", "port", "by", "pid", "count"}; `pid` is the command's. That a file
    cannot be written is no reason to let the command fail, so it is silent."""

    def __init__(self, report: Path | None, *, pid: int) -> None:
        self._report = report
        self._pid = pid
        self._lock = Lock()
        self._counts: Counter[tuple[str, int | None]] = Counter()
        self._questions: Counter[tuple[str, int]] = Counter()
        self._asked_for: Counter[str] = Counter()

    def note(self, host: str, port: int | None) -> None:
        """port: None when the host's address was asked for and nothing more."""
        with self._lock:
            if len(self._counts) > KNOWN_MAX:
                self._tell_rest()
            self._counts[host, port] += 1
            count = self._counts[host, port]
            if count <= TOLD_ONE_BY_ONE:
                self._tell(host, port, 1)
            elif not count % TOLD_ONE_BY_ONE:
                self._tell(host, port, TOLD_ONE_BY_ONE)

    def note_question(self, name: str, type_: int) -> None:
        """A name that is nobody was asked for. Resolvers ask for addresses of both kinds, so a name counts as
        often as for the kind that was asked for most."""
        if len(self._questions) > KNOWN_MAX:
            self._questions.clear()
            self._asked_for.clear()
        self._questions[name, type_] += 1
        if self._questions[name, type_] > self._asked_for[name]:
            self._asked_for[name] += 1
            self.note(name, None)

    def finish(self) -> None:
        """Tell what is left of those that are told together."""
        with self._lock:
            self._tell_rest()

    def _tell_rest(self) -> None:
        for (host, port), count in self._counts.items():
            if count > TOLD_ONE_BY_ONE and count % TOLD_ONE_BY_ONE:
                self._tell(host, port, count % TOLD_ONE_BY_ONE)
        self._counts.clear()

    def _tell(self, host: str, port: int | None, count: int) -> None:
        if self._report is None:
            return
        line = {"host": host, "port": port, "by": "namespace", "pid": self._pid, "count": count}
        try:
            with self._report.open("ab", buffering=0) as file:
                file.write(json.dumps(line).encode() + b"\n")
        except OSError:
            pass
