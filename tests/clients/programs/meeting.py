"""Where programs that are played at the same time wait for each other: files in a folder of theirs."""

import asyncio
import time
from pathlib import Path

from stage import ARGUMENTS

WITHIN_S = 30

_PLACE = Path(ARGUMENTS["meeting"])


async def all_have_come(name, count):
    """Says that `name` is there, and waits until that many are."""
    await asyncio.to_thread(_come, name, count)


def _come(name, count):
    (_PLACE / name).touch()
    until = time.monotonic() + WITHIN_S
    while len(there := sorted(each.name for each in _PLACE.iterdir())) < count:
        assert time.monotonic() < until, f"only {there} came"
        time.sleep(0.01)
