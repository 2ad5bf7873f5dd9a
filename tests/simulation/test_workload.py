"""Everything that an exchange offers, by several clients at once, and the books agree at every pause."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.simulation.client import Manners
from tests.simulation.effort import FACTOR, FRUGAL, runs
from tests.simulation.faults import loiterers
from tests.simulation.hand import WEEKS_MS
from tests.simulation.stage import WORLDS, inside, world_of
from tests.simulation.world import begun

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("exchange", "seed"), runs(WORLDS, 1))
async def test_all_agree(exchange: str, seed: int, tmp_path: Path) -> None:
    place = (FRUGAL, tmp_path) if seed % 2 else ({}, None)
    world = world_of(exchange, seed, manners=Manners(hangs_up=0.03))
    async with inside(*place) as (emulator, address), begun(world, address):
        world.fingerprint = lambda name: emulator.sandboxes.get(name).fingerprint()  # type: ignore[union-attr]  # it is there
        for phase in range(3 * FACTOR):
            await world.take_turns(50)
            async with loiterers(address, world.loud_path, world.order_path, Random(seed)):
                await world.rush(45)
                await world.audit()
            await world.audit_a_fork(f"fork-{phase}")
            assert world.is_whole or phase > 1
            if phase == 1:
                world.journey.reach_ms = WEEKS_MS
        trades = [(fill.instrument, fill.trade) for one in world.surveyed for fill in one.fills]
        assert len(set(trades)) < len(trades), "no two clients ever met"
        missing = world.judge_whole()
        assert not missing, f"the workload did none of {missing}"


@pytest.mark.parametrize("exchange", WORLDS)
async def test_a_seed_is_a_run(exchange: str) -> None:
    """Two exchanges are asked the same, and come to the same, as long as clients take turns."""
    runs: list[tuple[list[str], str]] = []
    for _ in range(2):
        world = world_of(exchange, 5, kept=None)
        async with inside() as (emulator, address), begun(world, address):
            await world.take_turns(round(250 * world.pace))
            # The wall's time is part of how a clock was set, so it is the engine that is compared.
            engine = emulator.sandboxes.default.engines[world.engine]
            runs.append((list(world.transcript.lines), engine.fingerprint()))
    first, second = runs
    assert first == second
    assert len(first[0]) > 200 * world.pace
