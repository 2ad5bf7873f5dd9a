"""A long answer is made in turns, and a short one at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Context, getcontext, setcontext

import pytest

from emulator.core.numbers import EXACT
from emulator.web import turns
from emulator.web.turns import in_turns

pytestmark = pytest.mark.anyio

NEVER_S = 3_600.0


async def test_others_are_served_between_the_parts_of_a_long_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_S", 0.0)
    loop = asyncio.get_running_loop()
    served: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(5):
            loop.call_soon(served.append, part)
            yield len(served)

    assert await in_turns(parts()) == [0, 1, 2, 3, 4]


async def test_what_is_made_in_one_turn_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_S", NEVER_S)
    with pytest.raises(StopIteration) as ended:
        in_turns(range(1_000)).send(None)
    assert ended.value.value == list(range(1_000))


async def test_every_part_is_made_in_the_exact_context_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "TURN_S", 0.0)
    own = Context(prec=7)
    setcontext(own)
    running = in_turns(getcontext() is EXACT for _ in range(3))
    for _ in range(3):
        running.send(None)
        assert getcontext() is own, "whoever is served between two turns has a context of his own"
    with pytest.raises(StopIteration) as ended:
        running.send(None)
    assert ended.value.value == [True, True, True]
    assert getcontext() is own


async def test_what_a_part_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_S", 0.0)

    def parts() -> Iterator[int]:
        yield 1
        raise LookupError("no more of it")

    with pytest.raises(LookupError, match="no more of it"):
        await in_turns(parts())
