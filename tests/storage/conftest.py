"""One suite for every journal: an implementation is a row here, and nothing else."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from emulator.runtime.ports import Journal
from emulator.storage.memory import MemoryJournal
from emulator.storage.sqlite import SqliteJournal

JOURNALS: dict[str, Callable[[Path], Journal]] = {
    "memory": lambda folder: MemoryJournal(),
    "sqlite": lambda folder: SqliteJournal(folder / "journal.sqlite"),
}


@pytest.fixture(params=JOURNALS)
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    journal = JOURNALS[request.param](tmp_path)
    yield journal
    await journal.close()
