"""One suite for every journal, and one for every archive: an implementation is a row here."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emulator.runtime.archive import Archive
from emulator.runtime.ports import Journal
from emulator.storage.memory import MemoryArchive, MemoryJournal
from emulator.storage.mongo import MongoArchive, MongoJournal
from emulator.storage.sqlite import SqliteJournal
from emulator.storage.sqlite_archive import SqliteArchive
from tests.storage.kept import Kept, KeptInFile, KeptInMongo
from tests.storage.mongo_server import REAL_URL, database, stand_in

JOURNALS: dict[str, Callable[[Path, pytest.FixtureRequest], Journal]] = {
    "memory": lambda folder, request: MemoryJournal(),
    "sqlite": lambda folder, request: SqliteJournal(folder / "journal.sqlite"),
    "mongo": lambda folder, request: MongoJournal(request.getfixturevalue("mongo_url")),
}

ARCHIVES: dict[str, Callable[[Path, pytest.FixtureRequest], Archive]] = {
    "memory": lambda folder, request: MemoryArchive(),
    "sqlite": lambda folder, request: SqliteArchive(folder / "archive.sqlite"),
    "mongo": lambda folder, request: MongoArchive(request.getfixturevalue("mongo_url")),
}

KEPT: dict[str, Callable[[Path, pytest.FixtureRequest], Kept]] = {
    "sqlite": lambda folder, request: KeptInFile(folder / "archive.sqlite"),
    "mongo": lambda folder, request: KeptInMongo(request.getfixturevalue("mongo_url")),
}


@pytest.fixture(params=JOURNALS)
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    journal = JOURNALS[request.param](tmp_path, request)
    yield journal
    await journal.close()


@pytest.fixture(params=ARCHIVES)
async def archive(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Archive]:
    archive = ARCHIVES[request.param](tmp_path, request)
    yield archive
    await archive.close()


@pytest.fixture(params=KEPT)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """Where an archive outlives whoever opened it."""
    return KEPT[request.param](tmp_path, request)


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that all tests of a session share."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("mongo")
        yield REAL_URL or stack.enter_context(stand_in(folder, is_durable=False)).url


@pytest.fixture
def mongo_url(mongo_server: str) -> Iterator[str]:
    """The address of an empty database."""
    with database(mongo_server) as url:
        yield url
