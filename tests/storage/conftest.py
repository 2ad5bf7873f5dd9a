"""One suite for every journal: an implementation is a row here, and nothing else."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emulator.runtime.ports import Journal
from emulator.storage.memory import MemoryJournal
from emulator.storage.mongo import MongoJournal
from emulator.storage.sqlite import SqliteJournal
from tests.storage.mongo_server import REAL_URL, database, stand_in

JOURNALS: dict[str, Callable[[Path, pytest.FixtureRequest], Journal]] = {
    "memory": lambda folder, request: MemoryJournal(),
    "sqlite": lambda folder, request: SqliteJournal(folder / "journal.sqlite"),
    "mongo": lambda folder, request: MongoJournal(request.getfixturevalue("mongo_url")),
}


@pytest.fixture(params=JOURNALS)
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    journal = JOURNALS[request.param](tmp_path, request)
    yield journal
    await journal.close()


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that all tests of a session share."""
    with ExitStack() as stack:
        yield REAL_URL or stack.enter_context(stand_in(tmp_path_factory.mktemp("mongo"))).url


@pytest.fixture
def mongo_url(mongo_server: str) -> Iterator[str]:
    """The address of an empty database."""
    with database(mongo_server) as url:
        yield url
