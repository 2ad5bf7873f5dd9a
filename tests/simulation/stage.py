"""Where a simulation runs: in this process, where its exchange can be broken from inside, or on a server of
its own, which can be killed. Clients use real sockets on both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from emulator.app import Emulator, build
from emulator.exchanges.binance.futures.products import COINM, USDM
from emulator.runtime.sequencer import Patience
from emulator.settings import read_settings
from tests.simulation.binance_futures import BinanceFutures
from tests.simulation.binance_spot import BinanceSpot
from tests.simulation.bybit import Bybit
from tests.simulation.client import Manners
from tests.simulation.lines import Address
from tests.simulation.separate_world import SeparateWorld
from tests.simulation.unified_world import UnifiedWorld
from tests.simulation.world import START_MS, World
from tests.web.serving import serving


def binance(seed: int, *, manners: Manners | None = None, kept: int | None = 60) -> SeparateWorld:
    floors = (BinanceFutures(USDM), BinanceFutures(COINM))
    return SeparateWorld(BinanceSpot(), seed, floors=floors, manners=manners, kept=kept)


def bybit(seed: int, *, manners: Manners | None = None, kept: int | None = 60) -> UnifiedWorld:
    return UnifiedWorld(Bybit(), seed, manners=manners, kept=kept)


WORLDS: Mapping[str, Callable[..., World]] = {"binance": binance, "bybit": bybit}
"""Every exchange that is simulated, with everything that it offers, pairs and contracts alike."""

IMPATIENT = Patience(answer=0.2, retry=0.005, retry_max=0.05, rebuild_pause=0.01)

CLOCK = {"EMULATOR_CLOCK": "virtual", "EMULATOR_TIME": str(START_MS), "EMULATOR_LIMITS": "off"}


def world_of(exchange: str, seed: int, *, manners: Manners | None = None, kept: int | None = 60) -> World:
    return WORLDS[exchange](seed, manners=manners, kept=kept)


@asynccontextmanager
async def inside(
    settings: Mapping[str, str] | None = None, directory: Path | None = None
) -> AsyncIterator[tuple[Emulator, Address]]:
    """An emulator in this process, joined as it always is, on a port of its own. directory: where its state
    is kept; None for in memory."""
    given: dict[str, Any] = {
        name.removeprefix("EMULATOR_").lower(): value for name, value in (settings or {}).items()
    }
    given |= {"ephemeral": True} if directory is None else {"data_dir": directory}
    emulator = build(read_settings(clock="virtual", time_us=START_MS, limits="off", port=0, **given))
    # Nothing that is shipped sets this; with the usual patience each outage would take five seconds.
    emulator.sandboxes._patience = IMPATIENT
    await emulator.sandboxes.open()
    try:
        async with serving(emulator.application) as port:
            yield emulator, Address(port)
    finally:
        await emulator.sandboxes.close()
        await emulator.storage.close()
