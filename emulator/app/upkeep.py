"""Looks after storage while nothing runs on it: compares, makes anew, repairs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import NamedTuple, TypeVar

from emulator.app.building import make_engines
from emulator.app.ready import must_be_stopped
from emulator.app.storage import JOURNAL_FILE, choose_storage
from emulator.runtime import upkeep
from emulator.runtime.archive import Archive
from emulator.runtime.ports import Journal
from emulator.runtime.recovery import MakeEngines
from emulator.runtime.upkeep import Plan, Verified
from emulator.settings import Settings, SettingsError

T = TypeVar("T")


def verify_storage(
    settings: Settings, sandbox: str | None, *, engines: MakeEngines | None = None
) -> list[Verified]:
    """Compare what is kept of a sandbox, or of all, with their journals. Raises what a start does."""

    async def verify(storage: _Kept, name: str) -> Verified:
        return await upkeep.verify(storage.journal, storage.archive, name, engines or make_engines)

    return asyncio.run(_for_each(settings, sandbox, verify))


def rebuild_storage(
    settings: Settings, sandbox: str | None, *, engines: MakeEngines | None = None
) -> list[tuple[str, dict[str, int], float]]:
    """Make archive and snapshot anew from the journal: of each sandbox the counts of records, and how many
    seconds it took. Raises what a start does."""

    async def rebuild(storage: _Kept, name: str) -> tuple[str, dict[str, int], float]:
        began = monotonic()
        counts = await upkeep.rebuild(storage.journal, storage.archive, name, engines or make_engines)
        return name, counts, monotonic() - began

    return asyncio.run(_for_each(settings, sandbox, rebuild))


def repair_storage(
    settings: Settings, sandbox: str | None, *, is_agreed: bool, engines: MakeEngines | None = None
) -> list[Plan]:
    """What does not agree and what is done about it, which is done only when that is agreed to.

    Raises what a start does, and Unrepairable.
    """

    async def repair(storage: _Kept, name: str) -> Plan:
        do = upkeep.repair if is_agreed else upkeep.plan_repair
        return await do(storage.journal, storage.archive, name, engines or make_engines)

    return asyncio.run(_for_each(settings, sandbox, repair))


class _Kept(NamedTuple):
    journal: Journal
    archive: Archive


async def _for_each(
    settings: Settings, sandbox: str | None, do: Callable[[_Kept, str], Awaitable[T]]
) -> list[T]:
    """What comes of every sandbox, or of the one that is named, on storage that nobody else uses."""
    if settings.ephemeral:
        raise SettingsError("state is in memory and ends with its process: there is nothing to look after")
    path = settings.data_dir / JOURNAL_FILE
    if settings.mongo_address is not None:
        must_be_stopped(settings)
    elif not path.exists():
        raise SettingsError(f"there is no {path}")
    storage = choose_storage(settings)
    assert storage.archive is not None, "what outlives the process has an archive"
    try:
        names = await storage.journal.sandboxes()
        if sandbox is not None and sandbox not in names:
            raise SettingsError(f"there is no sandbox {sandbox!r} in {storage.kept}")
        kept = _Kept(storage.journal, storage.archive)
        return [await do(kept, name) for name in names if sandbox in (None, name)]
    finally:
        await storage.close()
