"""What only a file can do: come back, be shared, be full, and be somebody else's."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from emulator.runtime.ports import JournalConflict, JournalCorrupt, JournalTaken, JournalUnavailable
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


async def test_is_open_in_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    one, other = SqliteJournal(path), SqliteJournal(path)
    await one.append(batch(1))
    for _ in range(2):
        with pytest.raises(JournalTaken, match=f"journal.sqlite is in use by process {os.getpid()} on "):
            await other.sandboxes()
    with pytest.raises(JournalTaken):
        await other.append(batch(2))
    await one.append(batch(2))
    await one.close()
    await other.append(batch(3))
    with pytest.raises(JournalTaken):
        await one.sandboxes()
    await one.close()
    await other.close()
    assert not (tmp_path / "journal.sqlite.lock").read_bytes(), "whoever has it no longer is still named"


async def test_two_without_a_lock_have_one_writer_and_hear_who_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    one, other = SqliteJournal(path), SqliteJournal(path)
    await one.append(batch(1))
    (tmp_path / "journal.sqlite.lock").unlink()
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
    refused: JournalUnavailable | None = None
    while refused is None and sequence < 1000:
        sequence += 1
        try:
            await journal.append(batch(sequence))
        except JournalUnavailable as error:
            refused = error
    assert str(refused) == f"{path}: database or disk is full"
    assert len(await held(journal)) == sequence - 1
    await limit(1_000_000)
    await journal.append(batch(sequence))
    assert [each.sequence for each in await held(journal)] == list(range(1, sequence + 1))
    await journal.close()


async def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"this is not a database, and long enough to say so" * 20)
    before = path.read_bytes()
    journal = SqliteJournal(path)
    for _ in range(2):
        with pytest.raises(JournalCorrupt, match=f"{path}: file is not a database"):
            await journal.sandboxes()
    await journal.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("PRAGMA user_version = 99", "has the schema 99, expected"),
        ("CREATE TABLE recipe (name TEXT)", "has the schema 0, expected"),
        ("PRAGMA user_version = 2", "is a database, but not a journal"),
    ],
)
async def test_a_database_of_another_kind_is_left_alone(tmp_path: Path, made: str, said: str) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(made)
    before = path.read_bytes()
    journal = SqliteJournal(path)
    with pytest.raises(JournalCorrupt, match=said):
        await journal.sandboxes()
    await journal.close()
    assert path.read_bytes() == before


async def test_an_entry_that_was_changed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    for each in (batch(1), batch(1, "other"), batch(2, "other"), batch(3, "other")):
        await journal.append(each)
    await journal.close()
    with closing(sqlite3.connect(path)) as connection:
        (entry,) = connection.execute("SELECT batch FROM entry WHERE sequence = 2").fetchone()
        assert b"1.5" in entry
        connection.execute("UPDATE entry SET batch = ? WHERE sequence = 2", (entry.replace(b"1.5", b"9.5"),))
        connection.commit()
    assert await held(journal) == [batch(1)]
    with pytest.raises(JournalCorrupt, match="other: entry 2 was changed"):
        await held(journal, "other")
    await journal.close()


@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_what_is_written_to_a_file_that_is_gone_is_not_called_durable(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / "journal.sqlite"
    taken, aside = tmp_path / f"journal.sqlite{suffix}", tmp_path / "aside"
    journal = SqliteJournal(path, look_every_s=0)
    await journal.append(batch(1))
    taken.rename(aside)
    for _ in range(2):
        with pytest.raises(JournalUnavailable, match="deleted, moved or replaced"):
            await journal.append(batch(2))
    aside.rename(taken)
    # The first try had been written before it was noticed, and is not written again.
    with pytest.raises(JournalConflict):
        await journal.append(batch(2))
    assert await held(journal) == [batch(1), batch(2)]
    await journal.append(batch(3))
    await journal.close()
    assert await held(journal) == [batch(1), batch(2), batch(3)]
    await journal.close()


async def test_a_file_that_took_its_place_is_left_alone(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    journal = SqliteJournal(mine / "journal.sqlite", look_every_s=0)
    other = SqliteJournal(theirs / "journal.sqlite")
    await journal.append(batch(1))
    await other.append(batch(1, amount="7"))
    # As after a kill: what was written last is in the -wal file only.
    for path in list(mine.iterdir()):
        path.unlink()
    for name in ("journal.sqlite", "journal.sqlite-wal"):
        (mine / name).write_bytes((theirs / name).read_bytes())
    with pytest.raises(JournalUnavailable):
        await journal.append(batch(2))
    await journal.close()
    await other.close()
    newcomer = SqliteJournal(mine / "journal.sqlite")
    assert await held(newcomer) == [batch(1, amount="7")]
    await newcomer.close()
