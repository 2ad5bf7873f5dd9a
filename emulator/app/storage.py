"""Where state is kept, by the settings."""

from __future__ import annotations

import msgspec

from emulator.runtime.archive import Archive
from emulator.runtime.ports import Journal
from emulator.settings import Settings, SettingsError
from emulator.storage.memory import MemoryJournal
from emulator.storage.sqlite import SqliteJournal
from emulator.storage.sqlite_archive import SqliteArchive

JOURNAL_FILE = "journal.sqlite"
ARCHIVE_FILE = "history.sqlite"


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """Where state is kept. kind: of the journal. kept: the place, for people."""

    journal: Journal
    archive: Archive | None
    kind: str
    kept: str

    async def close(self) -> None:
        if self.archive is not None:
            await self.archive.close()
        await self.journal.close()


def choose_storage(settings: Settings) -> Storage:
    """Raises SettingsError."""
    if settings.ephemeral:
        kept = "in memory, and ends with this process"
        return Storage(journal=MemoryJournal(), archive=None, kind="memory", kept=kept)
    address = settings.mongo_address
    if address is None:
        path = settings.data_dir / JOURNAL_FILE
        archive = SqliteArchive(settings.data_dir / ARCHIVE_FILE)
        return Storage(journal=SqliteJournal(path), archive=archive, kind="sqlite", kept=str(path))
    # Its client takes longer to import than everything else takes to start.
    from emulator.storage.mongo import MongoAddressInvalid, MongoArchive, MongoJournal

    try:
        journal = MongoJournal(address)
        return Storage(journal=journal, archive=MongoArchive(address), kind="mongo", kept=journal.address)
    except MongoAddressInvalid as error:
        raise SettingsError(f"EMULATOR_MONGO_URL or MONGO_DB_HOST: {error}") from error
