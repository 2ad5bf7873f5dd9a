"""What only a file can do: come back, be shared, be full, and be somebody else's."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from emulator.runtime.ports import JournalConflict, JournalCorrupt
from emulator.storage.sqlite import SqliteJournal
from tests.storage.test_journal import batch, held

pytestmark = pytest.mark.anyio


async def test_comes_back_after_it_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.sqlite"
    first = SqliteJournal(path)
    for each in (batch(1), batch(2), batch(1, "other")):
        await first.append(each)
    await first.close()
    second = SqliteJournal(path)
    assert list(await second.sandboxes()) == ["default", "other"]
    assert await held(second) == [batch(1), batch(2)]
    await second.append(batch(3))
    assert await held(second, after_sequence=2) == [batch(3)]
    await second.close()


async def test_is_on_the_disk_when_the_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.append(batch(1))
    with sqlite3.connect(path) as reader:
        assert reader.execute("SELECT count(*) FROM entry").fetchone() == (1,)
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    await journal.close()


async def test_many_at_once_are_all_there_in_order(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    names = [f"sandbox-{number}" for number in range(20)]
    for sequence in range(1, 6):
        await asyncio.gather(*(journal.append(batch(sequence, name)) for name in names))
    for name in names:
        assert [each.sequence for each in await held(journal, name)] == [1, 2, 3, 4, 5]
    await journal.close()


async def test_one_that_conflicts_does_not_take_the_others_of_its_transaction_with_it(
    tmp_path: Path,
) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await journal.append(batch(1))
    outcomes = await asyncio.gather(
        journal.append(batch(1, "a")),
        journal.append(batch(7)),
        journal.append(batch(1, "b")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), JournalConflict, type(None)]
    assert list(await journal.sandboxes()) == ["default", "a", "b"]
    await journal.close()


async def test_the_second_writer_fails_and_hears_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    one, other = SqliteJournal(path), SqliteJournal(path)
    await one.append(batch(1))
    await other.append(batch(2))
    with pytest.raises(JournalConflict, match=f"process {os.getpid()} on "):
        await one.append(batch(2, amount="9"))
    assert await held(one) == [batch(1), batch(2)]
    # Whoever failed does not know better than before: it fails again, and the other one goes on.
    await other.append(batch(3))
    with pytest.raises(JournalConflict):
        await one.append(batch(3, amount="9"))
    await one.close()
    await other.close()


async def test_a_full_disk_refuses_and_forgives(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.append(batch(1))

    async def limit(pages: int) -> None:
        await journal._ask(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}"))

    await limit(1)
    sequence = 1
    refused: sqlite3.OperationalError | None = None
    while refused is None and sequence < 1000:
        sequence += 1
        try:
            await journal.append(batch(sequence))
        except sqlite3.OperationalError as error:
            refused = error
    assert "full" in str(refused)
    assert len(await held(journal)) == sequence - 1
    await limit(1_000_000)
    await journal.append(batch(sequence))
    assert [each.sequence for each in await held(journal)] == list(range(1, sequence + 1))
    await journal.close()


async def test_a_file_that_cannot_be_written_is_said_at_every_call(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"this is not a database, and long enough to say so" * 20)
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError):
            await journal.sandboxes()
    await journal.close()


async def test_a_file_of_another_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    journal = SqliteJournal(path)
    with pytest.raises(JournalCorrupt, match="99"):
        await journal.sandboxes()
    await journal.close()
