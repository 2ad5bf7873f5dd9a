"""Long answers in turns: whoever asks for much does not keep everybody else waiting.

An answer of a thousand candles may take a second to read the first time, of which each candle takes a
millisecond. So it is written as an iterator, and taken a little at a time. What it reads is then of
several moments: it has to tell how things were at one time, not how they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from time import perf_counter
from typing import Final, TypeVar

from emulator.core.numbers import exact

T = TypeVar("T")

TURN_S: Final = 0.002
"""How long an answer is worked on before everybody else has a turn of the event loop."""


async def in_turns(parts: Iterable[T]) -> list[T]:
    """All of `parts`, which are made as they are asked for, in the core's exact context.

    What is made within one turn is there at once, without waiting for anybody.
    """
    made: list[T] = []
    coming = iter(parts)
    while True:
        if _take_turn(coming, made):
            return made
        await asyncio.sleep(0)


async def by_turns(parts: Iterable[T]) -> AsyncIterator[list[T]]:
    """The same, turn by turn, of what is too much to be had at once."""
    coming = iter(parts)
    is_over = False
    while not is_over:
        made: list[T] = []
        is_over = _take_turn(coming, made)
        yield made
        if not is_over:
            await asyncio.sleep(0)


def _take_turn(coming: Iterator[T], made: list[T]) -> bool:
    """Put what is made in one turn to the rest; whether that is all."""
    until_s = perf_counter() + TURN_S
    # Entered for each turn, since others have theirs in a context of their own.
    with exact():
        for part in coming:
            made.append(part)
            if perf_counter() >= until_s:
                return False
    return True
