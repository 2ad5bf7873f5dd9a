"""The two things a command can come to."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.events import Event
from emulator.core.rejections import Rejection

Decision = Sequence[Event] | Rejection
