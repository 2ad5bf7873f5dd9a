"""Everything that an exchange offers, by several clients at once, and the books agree at every pause."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.simulation.auditor import Surveyed
from tests.simulation.effort import FACTOR, FRUGAL, seeds
from tests.simulation.faults import loiterers
from tests.simulation.stage import DIALECTS, inside, world_of
from tests.simulation.workload import WEEKS_MS, Manners
from tests.simulation.world import begun

pytestmark = pytest.mark.anyio

ALWAYS = (
    "place",
    "place routed",
    "place oco",
    "place oto",
    "place otoco",
    "place opo",
    "place opoco",
    "cancel",
    "cancel all",
    "cancel list",
    "replace",
    "amend",
    "test",
    "deposit",
    "transfer",
    "withdraw",
    "lock",
    "choose fees",
    "query",
    "add key",
    "remove key",
)
"""What every long run must have done with success, or it would have tested nothing of it."""

ALWAYS_WITH_CONTRACTS = (
    "place limit",
    "place market",
    "place apart",
    "place of batch",
    "modify",
    "cancel",
    "cancel apart",
    "set leverage",
    "set margin type",
    "change mode",
    "count down",
    "transfer",
    "query",
)
"""Likewise, on one of the floors at least."""


@pytest.mark.parametrize("seed", seeds(1))
@pytest.mark.parametrize("exchange", DIALECTS)
async def test_all_agree(exchange: str, seed: int, tmp_path: Path) -> None:
    place = (FRUGAL, tmp_path) if seed % 2 else ({}, None)
    world = world_of(exchange, seed, manners=Manners(hangs_up=0.03))
    async with inside(*place) as (emulator, address), begun(world, address):
        world.fingerprint = lambda name: emulator.sandboxes.get(name).fingerprint()  # type: ignore[union-attr]  # it is there
        for phase in range(3 * FACTOR):
            await world.take_turns(50)
            async with loiterers(address, world.dialect.loud_path, Random(seed)):
                await world.rush(45)
                await world.audit()
            await world.audit_a_fork(f"fork-{phase}")
            assert all(owner.notebook.stream.is_whole for owner in world.owners) or phase > 1
            assert not any(desk.notebook.fold.begun for desk in world.bourse.desks) or phase > 1
            if phase == 1:
                world.journey.reach_ms = WEEKS_MS
        surveys: list[Surveyed] = [*world.surveys, *world.bourse.surveys]
        trades = [(fill.instrument, fill.trade) for one in surveys for fill in one.fills]
        assert len(set(trades)) < len(trades), "no two clients ever met"
        assert any(order.prevented for one in world.surveys for order in one.orders.values())
        done = world.transcript.done
        missing = [what for what in ALWAYS if not done(what)]
        if world.bourse.desks:
            missing += [
                what for what in ALWAYS_WITH_CONTRACTS if not done(f"UM {what}") and not done(f"CM {what}")
            ]
            incomes = {one.kind for found in world.bourse.surveys for one in found.incomes}
            assert incomes >= {"REALIZED_PNL", "COMMISSION", "FUNDING_FEE"}, incomes
        assert not missing, f"the workload did none of {missing}"


@pytest.mark.parametrize("exchange", DIALECTS)
async def test_a_seed_is_a_run(exchange: str) -> None:
    """Two exchanges are asked the same, and come to the same, as long as clients take turns."""
    runs: list[tuple[list[str], str]] = []
    for _ in range(2):
        world = world_of(exchange, 5, kept=None)
        async with inside() as (emulator, address), begun(world, address):
            await world.take_turns(250)
            # The wall's time is part of how a clock was set, so it is the engine that is compared.
            engine = emulator.sandboxes.default.engines[world.dialect.engine]
            runs.append((list(world.transcript.lines), engine.fingerprint()))
    first, second = runs
    assert first == second
    assert len(first[0]) > 200
