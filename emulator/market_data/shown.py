"""The books that REST shows, for streams that tell what changed since."""

from __future__ import annotations

from typing import Final

from emulator.runtime.per_sandbox import PerSandbox
from emulator.web.streams.hub import ShownBooks

SHOWN: Final[ShownBooks] = PerSandbox(lambda _: [])
"""Whoever shows a book that nobody was shown before tells all of these, by instrument and time."""
