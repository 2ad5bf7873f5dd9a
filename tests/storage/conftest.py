"""One suite for every journal: an implementation is a row here, and nothing else."""

from collections.abc import AsyncIterator, Callable

import pytest

from emulator.runtime.ports import Journal
from emulator.storage.memory import MemoryJournal

JOURNALS: dict[str, Callable[[], Journal]] = {"memory": MemoryJournal}


@pytest.fixture(params=JOURNALS)
async def journal(request: pytest.FixtureRequest) -> AsyncIterator[Journal]:
    journal = JOURNALS[request.param]()
    yield journal
    await journal.close()
