"""A journal that fails in every way and an engine that breaks in the midst of commands: what was told stays
true, and whatever nobody is sure of happened whole or not at all."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.simulation.client import Manners
from tests.simulation.effort import FACTOR, FRUGAL, runs
from tests.simulation.faults import EngineFaults, JournalFaults
from tests.simulation.stage import WORLDS, inside, world_of
from tests.simulation.world import begun

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("exchange", "seed"), runs(WORLDS, 3))
async def test_what_was_told_stays_true(exchange: str, seed: int, tmp_path: Path) -> None:
    place = (FRUGAL, tmp_path) if seed % 2 else ({}, None)
    world = world_of(exchange, seed, manners=Manners(hangs_up=0.02))
    async with inside(*place) as (emulator, address), begun(world, address):
        dice = Random(seed)
        world.fingerprint = lambda name: emulator.sandboxes.get(name).fingerprint()  # type: ignore[union-attr]  # it is there
        journal = JournalFaults(emulator.storage.journal, dice)
        engine = EngineFaults(dice, every=120)
        unobserve = emulator.sandboxes.default.observe(world.engine, engine)
        for phase in range(3 * FACTOR):
            # By turns: one of the two, then both.
            journal.is_on, engine.is_on = phase % 3 != 1, phase % 3 != 0
            await world.rush(45)
            if journal.is_on and not journal.struck["outage"]:
                # Only now: clients that are turned away at once have soon had all their turns.
                journal.go_away()
                await world.rush(5)
            journal.end()
            engine.is_on = False
            await world.recovered()
            await world.audit()
            await world.audit_a_fork(f"fork-{phase}")
        unobserve()
        assert all(journal.struck.values()), journal.struck
        assert engine.struck > 1
        assert any("unknown" in outcomes for outcomes in world.transcript.outcomes.values())
