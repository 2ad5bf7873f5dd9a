"""Writes down, for whoever reports it in the end, what a command was not let out to."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from threading import Lock


class Refusals:
    """Appends one line of JSON for each; `pid` is the command's. A file that cannot be written is no reason
    to let the command fail, so that is silent."""

    def __init__(self, report: Path | None, *, pid: int) -> None:
        self._report = report
        self._pid = pid
        self._lock = Lock()
        self._questions: Counter[tuple[str, int]] = Counter()
        self._told: Counter[str] = Counter()

    def note(self, host: str, port: int | None) -> None:
        """port: None when the host's address was asked for and nothing more."""
        line = {"host": host, "port": port, "by": "namespace", "pid": self._pid}
        if self._report is None:
            return
        try:
            with self._lock, self._report.open("ab", buffering=0) as file:
                file.write(json.dumps(line).encode() + b"\n")
        except OSError:
            pass

    def note_question(self, name: str, type_: int) -> None:
        """A name that is nobody was asked for. Resolvers ask for addresses of both kinds, so a name counts as
        often as for the kind that was asked for most."""
        self._questions[name, type_] += 1
        if self._questions[name, type_] > self._told[name]:
            self._told[name] += 1
            self.note(name, None)
