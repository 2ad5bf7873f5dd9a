"""What only MongoDB can do: be shared, be away, refuse large documents, and be interrupted in between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient, WriteConcern

from emulator.runtime.ports import Batch, JournalConflict, JournalUnavailable, KeyAdded, KeyRecord, Record
from emulator.storage.mongo import MongoAddressInvalid, MongoJournal
from emulator.storage.mongo import entries as stored
from emulator.storage.mongo.connection import shown
from emulator.storage.mongo.entries import ENTRIES_PER_READ
from tests.storage.mongo_server import stand_in
from tests.storage.test_journal import batch, held

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def journals(url: str, count: int = 1, **options: int) -> AsyncIterator[list[MongoJournal]]:
    opened = [MongoJournal(url, **options) for _ in range(count)]
    yield opened
    for journal in opened:
        await journal.close()


def documents(url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that the database holds, by collection and in the order of ids."""
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        return {name: list(database[name].find().sort("_id", 1)) for name in database.list_collection_names()}


def tombstones(url: str) -> list[str]:
    """Of forgotten streams, which must be all that is left of them."""
    found = documents(url)
    assert not found.get("journal_streams")
    assert not found.get("journal_parts")
    assert all(entry["parts"] == 0 for entry in found["journal_entries"])
    return [entry["_id"] for entry in found["journal_entries"]]


async def test_comes_back_after_it_was_closed(mongo_url: str) -> None:
    async with journals(mongo_url) as (first,):
        for each in (batch(1), batch(1, "a-later-one"), batch(2)):
            await first.append(each)
    async with journals(mongo_url) as (second,):
        assert list(await second.sandboxes()) == ["default", "a-later-one"]
        assert await held(second) == [batch(1), batch(2)]
        await second.append(batch(3))
        assert await held(second, after_sequence=2) == [batch(3)]


async def test_is_acknowledged_by_the_journals_of_a_majority(mongo_url: str) -> None:
    async with journals(mongo_url) as (journal,):
        store = await journal._opened()
        for collection in store:
            assert collection.write_concern == WriteConcern("majority", j=True)
            assert collection.read_concern.level == "majority"


async def test_many_at_once_are_all_there_in_order(mongo_url: str) -> None:
    names = [f"sandbox-{number}" for number in range(20)]
    async with journals(mongo_url) as (journal,):
        for sequence in range(1, 6):
            await asyncio.gather(*(journal.append(batch(sequence, name)) for name in names))
        for name in names:
            assert [each.sequence for each in await held(journal, name)] == [1, 2, 3, 4, 5]


async def test_a_stream_of_several_pages_is_read_and_copied_whole(mongo_url: str) -> None:
    count = ENTRIES_PER_READ + 3
    async with journals(mongo_url) as (journal,):
        for sequence in range(1, count + 1):
            await journal.append(batch(sequence))
        for after in (0, 1, count - 1, count, count + 5):
            sequences = [each.sequence for each in await held(journal, after_sequence=after)]
            assert sequences == list(range(after + 1, count + 1))
        await journal.copy("default", "fork", count - 1)
        assert [each.sequence for each in await held(journal, "fork")] == list(range(1, count))
        with pytest.raises(JournalConflict, match=f"entry {count + 7} does not follow entry {count},"):
            await journal.append(batch(count + 7))


# Several writers


async def test_one_that_conflicts_does_not_take_others_with_it(mongo_url: str) -> None:
    async with journals(mongo_url) as (journal,):
        await journal.append(batch(1))
        outcomes = await asyncio.gather(
            journal.append(batch(1, "a")),
            journal.append(batch(7)),
            journal.append(batch(1, "b")),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [type(None), JournalConflict, type(None)]
        assert set(await journal.sandboxes()) == {"default", "a", "b"}


async def test_the_second_writer_fails_and_hears_who_the_first_is(mongo_url: str) -> None:
    async with journals(mongo_url, 2) as (one, other):
        await one.append(batch(1))
        await other.append(batch(2))
        with pytest.raises(JournalConflict, match=f"entry 2 was written by process {os.getpid()} on "):
            await one.append(batch(2, amount="9"))
        assert await held(one) == [batch(1), batch(2)]
        # Whoever failed does not know better than before: it fails again, and the other one goes on.
        await other.append(batch(3))
        with pytest.raises(JournalConflict):
            await one.append(batch(3, amount="9"))


async def test_two_that_begin_one_stream_do_not_share_it(mongo_url: str) -> None:
    async with journals(mongo_url, 4) as several:
        outcomes = await asyncio.gather(
            *(journal.append(batch(1, amount=f"{place}")) for place, journal in enumerate(several)),
            return_exceptions=True,
        )
        begun = [place for place, outcome in enumerate(outcomes) if outcome is None]
        assert all(isinstance(o, JournalConflict) for place, o in enumerate(outcomes) if place not in begun)
        assert len(begun) == 1
        assert await held(several[0]) == [batch(1, amount=f"{place}") for place in begun]


async def test_a_writer_cannot_go_on_where_another_forgot_the_stream(mongo_url: str) -> None:
    async with journals(mongo_url, 2) as (one, other):
        await one.append(batch(1))
        await one.append(batch(2))
        await other.forget("default")
        await other.append(batch(1, amount="7"))
        with pytest.raises(JournalConflict, match=f"made the end of its stream by process {os.getpid()} on "):
            await one.append(batch(3))
        assert await held(one) == [batch(1, amount="7")]


async def test_nothing_is_left_of_what_was_forgotten_but_its_tombstone(mongo_url: str) -> None:
    async with journals(mongo_url, part_bytes=50) as (journal,):
        for sequence in (1, 2, 3):
            await journal.append(batch(sequence))
        await journal.copy("default", "fork", 2)
        await journal.copy("default", "fork", 1)
        await journal.forget("default")
        await journal.forget("fork")
        assert [tombstone.rpartition("/")[2] for tombstone in tombstones(mongo_url)] == [
            f"{end:012d}" for end in (4, 3, 2)
        ]
        assert await journal.sandboxes() == ()


# Large entries


async def test_an_entry_larger_than_a_document_is_cut_into_several(mongo_url: str) -> None:
    async with journals(mongo_url, part_bytes=20) as (journal,):
        await journal.append(batch(1))
        await journal.copy("default", "fork", 1)
        assert await held(journal, "fork") == [batch(1, "fork")]
        assert len(documents(mongo_url)["journal_parts"]) > 4
        with pytest.raises(JournalConflict):
            await journal.append(batch(1))
        await journal.append(batch(2))
        assert await held(journal) == [batch(1), batch(2)]


async def test_an_entry_may_be_larger_than_a_document_can_be(mongo_url: str) -> None:
    key = KeyRecord(key="k", account=1, secret="x" * (17 << 20))
    large = Batch(
        sandbox="default",
        sequence=1,
        records=(Record(engine="", time_us=1, events=(KeyAdded(record=key),)),),
    )
    async with journals(mongo_url) as (journal,):
        await journal.append(large)
        assert await held(journal) == [large]


# Interruptions


class Interrupted(Exception):
    pass


async def test_a_copy_that_is_interrupted_leaves_the_target_as_it_was(mongo_url: str) -> None:
    async with journals(mongo_url) as (journal,):
        for each in (batch(1), batch(2), batch(1, "target", amount="7")):
            await journal.append(each)
        store = await journal._opened()
        source = documents(mongo_url)["journal_streams"][0]["stem"]

        async def fill(stem: str) -> None:
            await stored.copy(store, source, stem, 1)
            raise Interrupted

        for target in ("target", "unknown"):
            with pytest.raises(Interrupted):
                await journal._make(store, target, fill, replaces=True)
        assert await held(journal, "target") == [batch(1, "target", amount="7")]
        assert list(await journal.sandboxes()) == ["default", "target"]
        await journal.append(batch(2, "target"))
        drafts = {found["draft"] for found in documents(mongo_url)["journal_streams"]} - {None}
        assert len(drafts) == 2
    async with journals(mongo_url) as (again,):
        assert await held(again, "target") == [batch(1, "target", amount="7"), batch(2, "target")]
        await again.forget("default")
        await again.forget("target")
        assert drafts < {tombstone.partition("/")[0] for tombstone in tombstones(mongo_url)}


async def test_what_was_being_forgotten_is_gone_when_the_journal_is_opened(mongo_url: str) -> None:
    async with journals(mongo_url) as (journal,):
        await journal.append(batch(1))
    with MongoClient[dict[str, Any]](mongo_url) as client:
        # As an emulator leaves it that is killed before it removes the entries.
        streams = client.get_default_database()["journal_streams"]
        stem = streams.find_one({})["stem"]  # type: ignore[index]  # there is one
        streams.update_one({"_id": "default"}, {"$set": {"stem": None, "old": [stem]}})
    async with journals(mongo_url) as (again,):
        assert await again.sandboxes() == ()
        assert tombstones(mongo_url) == [f"{stem}/{2:012d}"]
        await again.append(batch(1))
        assert await held(again) == [batch(1)]


async def test_a_copy_fails_when_another_process_removes_its_beginning(mongo_url: str) -> None:
    async with journals(mongo_url) as (journal,):
        await journal.append(batch(1))
        store = await journal._opened()

        async def fill(stem: str) -> None:
            async with journals(mongo_url) as (opener,):
                assert list(await opener.sandboxes()) == ["default"]

        with pytest.raises(JournalConflict, match="fork"):
            await journal._make(store, "fork", fill, replaces=True)
        assert list(await journal.sandboxes()) == ["default"]


# A server that is away


async def test_a_server_that_is_away_is_an_error_and_may_come_back(tmp_path: Path) -> None:
    with stand_in(tmp_path) as server:
        async with journals(f"{server.url}?timeoutMS=200") as (journal,):
            await journal.append(batch(1))
            server.kill()
            for _ in range(2):
                with pytest.raises(JournalUnavailable, match="MongoDB at mongodb://"):
                    await journal.append(batch(2))
            with pytest.raises(JournalUnavailable):
                await held(journal)
            server.start()
            await journal.append(batch(2))
            assert await held(journal) == [batch(1), batch(2)]


async def test_what_a_silent_server_wrote_after_all_is_there_once(tmp_path: Path) -> None:
    with stand_in(tmp_path) as server:
        async with journals(f"{server.url}?timeoutMS=1000") as (journal,):
            await journal.append(batch(1))
            server.freeze()
            with pytest.raises(JournalUnavailable):
                await journal.append(batch(2))
            server.thaw()
            # It had the entry and writes it sometime, perhaps before it is asked again.
            written = False
            while not written:
                try:
                    await journal.append(batch(2))
                    written = True
                except JournalConflict:
                    assert await held(journal, after_sequence=1) == [batch(2)]
                    written = True
                except JournalUnavailable:
                    pass
            await journal.append(batch(3))
            assert await held(journal) == [batch(1), batch(2), batch(3)]


async def test_a_server_that_nobody_runs_is_said_without_the_password() -> None:
    url = "mongodb://somebody:a-secret@127.0.0.1:1/emulator?timeoutMS=100"
    async with journals(url) as (journal,):
        with pytest.raises(JournalUnavailable) as refused:
            await journal.sandboxes()
    text = str(refused.value)
    assert text.startswith("MongoDB at mongodb://somebody:***@127.0.0.1:1/emulator: ")
    assert "a-secret" not in text
    assert "Topology" not in text


@pytest.mark.parametrize(
    "address",
    [
        "localhost:27017",
        "http://localhost",
        "mongodb://",
        "mongodb://host:99999999/x",
        "mongodb://somebody:a-secret/more@host/x",
        "mongodb://somebody:a-secret@more@host/x",
        "mongodb://somebody:a-secret@",
    ],
)
def test_what_is_no_address_is_refused_without_the_password(address: str) -> None:
    with pytest.raises(MongoAddressInvalid) as refused:
        MongoJournal(address)
    assert "secret" not in str(refused.value)
    assert "more" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("mongodb://localhost", "mongodb://localhost"),
        ("mongodb://me:secret@a:1,b:2/x", "mongodb://me:***@a:1,b:2/x"),
        ("mongodb://me@localhost/x", "mongodb://me@localhost/x"),
        ("mongodb+srv://me:se%40cret@host/x?password=secret", "mongodb+srv://me:***@host/x"),
    ],
)
def test_an_address_is_shown_without_secrets(address: str, text: str) -> None:
    assert shown(address) == text
