"""A server on real sockets is killed in the midst of everything, again and again; then it is stopped as it
should be, and answers as before."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.launch import Server, launched, stop
from tests.simulation.client import Manners
from tests.simulation.effort import FACTOR, FRUGAL, runs
from tests.simulation.faults import loiterers
from tests.simulation.lines import Address
from tests.simulation.stage import CLOCK, WORLDS, world_of
from tests.simulation.world import World, begun

pytestmark = pytest.mark.anyio

KILLS = 3 if FACTOR == 1 else 10
"""In one run."""


@pytest.mark.parametrize(("exchange", "seed"), runs(WORLDS, 7))
async def test_what_was_acknowledged_survives(exchange: str, seed: int, tmp_path: Path) -> None:
    world = world_of(exchange, seed, manners=Manners(hangs_up=0.03))
    settings = {**CLOCK, **FRUGAL} if seed % 2 else CLOCK
    dice = Random(seed)
    with launched(tmp_path, settings=settings) as server:
        async with begun(world, _address(server)):
            await _go_on_until_killed(world, server, dice)
    for round_ in range(max(2, round(KILLS * world.pace)) - 1):
        with launched(tmp_path, settings=settings) as server:
            world.address.port = server.ports["all"]
            await world.audit()
            await world.audit_a_fork(f"fork-{round_}")
            await _go_on_until_killed(world, server, dice)
            world.hang_up()
    with launched(tmp_path, settings=settings) as server:
        world.address.port = server.ports["all"]
        await world.audit()
        await world.take_turns(40)
        await world.audit()
        world.hang_up()
        assert stop(server.process) == 0
    with launched(tmp_path, settings=settings) as server:
        world.address.port = server.ports["all"]
        await world.audit_again()
        world.hang_up()


async def _go_on_until_killed(world: World, server: Server, dice: Random) -> None:
    left = round(dice.randint(100, 400) * world.pace)

    def kill_in_time() -> bool:
        nonlocal left
        left -= 1
        if left == 0:
            server.process.kill()
        return left <= 0

    async with loiterers(_address(server), world.loud_path, world.order_path, dice):
        await world.rush(1000, until=kill_in_time)


def _address(server: Server) -> Address:
    return Address(server.ports["all"])
