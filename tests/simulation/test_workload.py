"""Everything that an exchange offers, by several clients at once, and the books agree at every pause."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.simulation.effort import FACTOR, FRUGAL, seeds
from tests.simulation.faults import loiterers
from tests.simulation.stage import DIALECTS, inside
from tests.simulation.workload import WEEKS_MS, Manners
from tests.simulation.world import World, begun

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


@pytest.mark.parametrize("seed", seeds(1, 2))
@pytest.mark.parametrize("exchange", DIALECTS)
async def test_all_agree(exchange: str, seed: int, tmp_path: Path) -> None:
    place = (FRUGAL, tmp_path) if seed % 2 else ({}, None)
    world = World(DIALECTS[exchange](), seed, manners=Manners(hangs_up=0.03))
    async with inside(*place) as (emulator, address), begun(world, address):
        world.fingerprint = lambda name: emulator.sandboxes.get(name).fingerprint()  # type: ignore[union-attr]  # it is there
        for phase in range(3 * FACTOR):
            await world.take_turns(50)
            async with loiterers(address, world.dialect.loud_path, Random(seed)):
                await world.rush(45)
                await world.audit()
            await world.audit_a_fork(f"fork-{phase}")
            assert all(owner.notebook.stream.is_whole for owner in world.owners) or phase > 1
            if phase == 1:
                world.hand.reach_ms = WEEKS_MS
        trades = [(fill.instrument, fill.trade) for one in world.surveys for fill in one.fills]
        assert len(set(trades)) < len(trades), "no two clients ever met"
        assert any(order.prevented for one in world.surveys for order in one.orders.values())
        missing = [what for what in ALWAYS if not world.transcript.done(what)]
        assert not missing, f"the workload did none of {missing}"


@pytest.mark.parametrize("exchange", DIALECTS)
async def test_a_seed_is_a_run(exchange: str) -> None:
    """Two exchanges are asked the same, and come to the same, as long as clients take turns."""
    runs: list[tuple[list[str], str]] = []
    for _ in range(2):
        world = World(DIALECTS[exchange](), 5, kept=None)
        async with inside() as (emulator, address), begun(world, address):
            await world.take_turns(250)
            # The wall's time is part of how a clock was set, so it is the engine that is compared.
            engine = emulator.sandboxes.default.engines[world.dialect.engine]
            runs.append((list(world.transcript.lines), engine.fingerprint()))
    first, second = runs
    assert first == second
    assert len(first[0]) > 200
