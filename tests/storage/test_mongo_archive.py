"""What only MongoDB can do to an archive: be shared, be away, be read by others, and be interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import WriteConcern

from emulator.core.history import Fill, Query
from emulator.runtime.archive import TABLES, ArchiveUnavailable, Mark, Row, Snapshot
from emulator.storage.mongo import MongoArchive, MongoJournal
from emulator.storage.mongo.archive import ROWS_PER_WRITE
from emulator.storage.mongo.documents import ARCHIVED
from emulator.storage.mongo.snapshots import Snapshots
from tests.storage.kept import KeptInMongo, contents
from tests.storage.mongo_server import stand_in
from tests.storage.records import FULL_ORDER, RECORDS, fill, order
from tests.storage.test_archive import ENGINE, MARK, Broken, rows, trades
from tests.storage.test_journal import batch, held

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def archives(url: str, count: int = 1, **options: int) -> AsyncIterator[list[MongoArchive]]:
    several = [MongoArchive(url, **options) for _ in range(count)]
    yield several
    for archive in several:
        await archive.close()


def documents(url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that the database holds, by collection and in the order of ids; no empty collections."""
    with contents(url) as database:
        names = database.list_collection_names()
        found = {name: list(database[name].find().sort("_id", 1)) for name in names}
    return {name: listed for name, listed in found.items() if listed}


def indexes(url: str, collection: str) -> set[str]:
    """The fields of each but the one that every collection has. The stand-in gives them other names."""
    with contents(url) as database:
        made = database[collection].index_information().values()
    return {" ".join(field for field, _ in index["key"]) for index in made} - {"_id"}


# What others read


async def test_a_record_tells_people_what_it_is(mongo_url: str) -> None:
    async with archives(mongo_url) as (archive,):
        written = rows(fill(3), RECORDS["withdrawal"], RECORDS["prevented match"], FULL_ORDER)
        await archive.write("default", written, MARK)
        found = documents(mongo_url)
        assert found["archive_trades"] == [
            {
                "_id": "default/binance/1/BTCUSDT/3/30",
                "sandbox": "default",
                "engine": "binance",
                "account": 1,
                "scope": "BTCUSDT",
                "number": 3,
                "part": 30,
                "time_us": 1_700_000_003_000_000,
                "label": "",
                "record": {
                    "trade": 3,
                    "order": 30,
                    "account": 1,
                    "order_list": 0,
                    "instrument": "BTCUSDT",
                    "price": "42000.10",
                    "quantity": "1.5",
                    "amount": "63000.15",
                    "fee": "0",
                    "fee_asset": "BTC",
                    "time_us": 1_700_000_003_000_000,
                    "is_buyer": True,
                    "is_maker": False,
                },
            }
        ]
        (withdrawal,) = found["archive_movements"]
        assert withdrawal["record"]["event"] == {
            "type": "AmountWithdrawn",
            "account": 1,
            "wallet": "funding",
            "asset": "BTC",
            "amount": "1.50",
            "fee": "0.0010",
            "movement": 4,
            "reference": "",
            "labels": [["network", "BTC"], ["address", "bc1"]],
        }
        (prevented,) = found["archive_prevented_matches"]
        assert prevented["record"]["event"]["type"] == "MatchPrevented"
        assert prevented["record"]["event"]["mode"] == "transfer"
        (shown,) = found["archive_orders"]
        assert shown["record"]["status"] == "expired_in_match"
        assert shown["record"]["terms"]["trigger"]["kind"] == "take_profit"
        assert found["archive_marks"] == [{"_id": "default", "sequence": 1, "digest": "first"}]


async def test_what_is_there_is_what_its_documents_declare(mongo_url: str) -> None:
    async with archives(mongo_url) as (archive,):
        await archive.write("default", rows(*RECORDS.values()), MARK)
        found = documents(mongo_url)
        assert ARCHIVED.keys() == TABLES.keys()
        for kind, document in ARCHIVED.items():
            assert document.get_collection_name() == f"archive_{TABLES[kind]}"
            for content in found[f"archive_{TABLES[kind]}"]:
                assert (
                    document.model_validate(content).model_dump(by_alias=True, exclude={"revision_id"})
                    == content
                )


async def test_the_indexes_are_those_that_queries_need(mongo_url: str) -> None:
    async with archives(mongo_url) as (archive,):
        await archive.mark("default")
        made = {table: indexes(mongo_url, f"archive_{table}") for table in TABLES.values()}
    own = "sandbox engine account scope"
    number, part = f"{own} number part", f"{own} part number"
    time, label = f"{own} time_us number part", f"{own} label number part"
    assert made == {
        "accounts": {number},
        "api_keys": {number},
        "instruments": {number},
        "incomes": {number, time, part, label},
        "transactions": {number, time, part, label},
        "closed_positions": {number, time, part},
        "margin_changes": {number, time, part},
        "balances": {number},
        "positions": {number},
        "contract_settings": {number},
        "wallet_settings": {number},
        "ledger_entries": {number},
        "orders": {number, time, label},
        "order_lists": {number, time, label},
        "trades": {number, time, part},
        "movements": {number, time},
        "prevented_matches": {number, part},
        "amendments": {part},
    }


async def test_is_acknowledged_by_the_journals_of_a_majority(mongo_url: str) -> None:
    async with archives(mongo_url) as (archive,):
        store = await archive._opened()
        snapshots = (store.snapshots._snapshots, store.snapshots._pieces)
        for collection in (store.format, store.marks, *store.records.values(), *snapshots):
            assert collection.write_concern == WriteConcern("majority", j=True)
            assert collection.read_concern.level == "majority"


async def test_a_record_that_others_spoilt_is_said(mongo_url: str) -> None:
    async with archives(mongo_url) as (archive,):
        await archive.write("default", rows(fill(1), RECORDS["deposit"]), MARK)
        with contents(mongo_url) as database:
            database["archive_trades"].update_one({}, {"$set": {"record": {"trade": "one"}}})
        with pytest.raises(ArchiveUnavailable, match="what is in archive_trades"):
            await trades(archive)


# Several archives


async def test_two_in_a_process_do_not_move_each_other(mongo_url: str) -> None:
    async with archives(mongo_url) as (one,), archives(f"{mongo_url}-other") as (other,):
        try:
            await one.write("default", rows(fill(1)), MARK)
            await other.write("default", rows(fill(2)), Mark(2, "other"))
            await one.write("default", rows(fill(3)), Mark(3, "third"))
            assert await trades(one) == [1, 3]
            assert await trades(other) == [2]
        finally:
            with contents(f"{mongo_url}-other") as database:
                database.client.drop_database(database.name)


async def test_several_that_begin_at_once_share_it(mongo_url: str) -> None:
    async with archives(mongo_url, 4) as several:
        await asyncio.gather(
            *(one.write(f"of-{place}", rows(fill(place)), MARK) for place, one in enumerate(several))
        )
        for reader in several:
            for place in range(len(several)):
                assert await trades(reader, f"of-{place}") == [place]
                assert await reader.mark(f"of-{place}") == MARK


async def test_who_wrote_what_is_gone_writes_no_mark_any_more(mongo_url: str) -> None:
    async with archives(mongo_url, 2) as (one, other):
        await one.write("default", rows(fill(1)), MARK)
        KeptInMongo(mongo_url).make_foreign()
        await other.write("other", rows(fill(2)), MARK)
        with pytest.raises(ArchiveUnavailable, match="begun anew by another process"):
            await one.write("default", rows(fill(3)), Mark(2, "second"))
        with pytest.raises(ArchiveUnavailable, match="begun anew by another process"):
            await one.save("default", Mark(2, "second"), "format", [b"a"])
        assert await other.mark("default") is None
        assert await trades(other, "other") == [2]
    async with archives(mongo_url) as (again,):
        assert await again.mark("other") == MARK
        await again.write("default", rows(fill(3)), Mark(2, "second"))


async def test_what_is_not_the_archives_stays(mongo_url: str) -> None:
    journal = MongoJournal(mongo_url)
    try:
        await journal.append(batch(1))
        with contents(mongo_url) as database:
            database["orders"].insert_one({"_id": "somebody's"})
        async with archives(mongo_url) as (archive,):
            await archive.write("default", rows(fill(1)), MARK)
        KeptInMongo(mongo_url).make_foreign()
        with contents(mongo_url) as database:
            # Of a release that kept more than this one.
            database["archive_older"].insert_one({"_id": 1})
        async with archives(mongo_url) as (archive,):
            assert await archive.mark("default") is None
            await archive.forget("default")
        found = documents(mongo_url)
        assert found["orders"] == [{"_id": "somebody's"}]
        assert [name for name in found if name.startswith("archive_")] == ["archive_format"]
        assert await held(journal) == [batch(1)]
    finally:
        await journal.close()


# Interruptions


async def test_a_beginning_that_was_interrupted_is_begun_again(mongo_url: str) -> None:
    async with archives(mongo_url) as (archive,):
        await archive.write("default", rows(fill(1)), MARK)
    with contents(mongo_url) as database:
        database["archive_format"].update_one({}, {"$set": {"format": "", "begun": "halfway"}})
        database["archive_trades"].drop()
    async with archives(mongo_url) as (archive,):
        assert await archive.mark("default") is None
        await archive.write("default", rows(fill(2)), MARK)
        assert await trades(archive) == [2]
        assert len(indexes(mongo_url, "archive_trades")) == 3


async def test_what_breaks_off_moves_no_mark_and_can_be_written_again(mongo_url: str) -> None:
    written = [fill(trade) for trade in range(1, ROWS_PER_WRITE + 3)]
    async with archives(mongo_url) as (archive,):
        await archive.write("default", rows(fill(1)), MARK)
        with pytest.raises(OverflowError):
            # MongoDB has no such number.
            await archive.write("default", rows(*written, order(2**70)), Mark(2, "second"))
        assert await archive.mark("default") == MARK
        assert await trades(archive, limit=1000) == [each.trade for each in written]
        await archive.write("default", rows(*written, order(1)), Mark(2, "second"))
        assert await trades(archive, limit=1000) == [each.trade for each in written]
        assert await archive.mark("default") == Mark(2, "second")


async def test_pieces_of_a_snapshot_that_broke_off_are_used_or_removed(mongo_url: str) -> None:
    def breaking() -> Iterator[bytes]:
        yield from (b"used", b"useless", b"x" * 100)
        raise Broken

    async with archives(mongo_url, piece_bytes=10) as (archive,):
        # Each of them is one write, but for the last.
        with pytest.raises(Broken):
            await archive.save("default", MARK, "format", breaking())
        left = [piece["content"] for piece in documents(mongo_url)["archive_snapshot_pieces"]]
        assert b"useless" in left
        await archive.save("default", MARK, "format", [b"used"])
        left = [piece["content"] for piece in documents(mongo_url)["archive_snapshot_pieces"]]
        assert left == [b"used"]


async def test_a_snapshot_whose_list_of_parts_has_changed_is_none(mongo_url: str) -> None:
    async with archives(mongo_url) as (archive,):
        await archive.save("default", MARK, "format", [b"a", b"b"])
        with contents(mongo_url) as database:
            database["archive_snapshots"].update_one({}, {"$set": {"sequence": 2}})
        assert await archive.snapshot("default") is None
        await archive.save("default", MARK, "format", [b"a", b"b"])
        assert await archive.snapshot("default") == Snapshot(MARK, "format", (b"a", b"b"))


async def test_a_snapshot_that_is_replaced_while_it_is_read_is_the_new_one(mongo_url: str) -> None:
    class Overtaken(Snapshots):
        """Between its two reads another snapshot is saved, once."""

        is_overtaken = False

        async def _contents(self, sandbox: str, digests: set[str]) -> dict[str, bytes] | None:
            if not self.is_overtaken:
                self.is_overtaken = True
                await self.save(sandbox, Mark(2, "second"), "format", [b"b", b"c"])
            return await super()._contents(sandbox, digests)

    async with archives(mongo_url) as (archive,):
        await archive.save("default", MARK, "format", [b"a", b"b"])
        stored = (await archive._opened()).snapshots
        overtaken = Overtaken(stored._snapshots, stored._pieces)
        assert await overtaken.load("default") == Snapshot(Mark(2, "second"), "format", (b"b", b"c"))


# Large ones


async def test_a_part_larger_than_a_document_can_be_is_cut(mongo_url: str) -> None:
    large = b"".join(number.to_bytes(4, "big") for number in range(17 << 18))
    async with archives(mongo_url) as (archive,):
        await archive.save("default", MARK, "format", [b"a", large, b"", b"b"])
        assert await archive.snapshot("default") == Snapshot(MARK, "format", (b"a", large, b"", b"b"))
        pieces = documents(mongo_url)["archive_snapshot_pieces"]
        assert sorted(len(piece["content"]) for piece in pieces) == [1, 1, 1 << 20, 8 << 20, 8 << 20]


async def test_nothing_is_left_of_what_was_forgotten(mongo_url: str) -> None:
    async with archives(mongo_url, piece_bytes=2) as (archive,):
        await archive.write("default", rows(*RECORDS.values()), MARK)
        await archive.write("default", [Row("", RECORDS["account"])], MARK)
        await archive.save("default", MARK, "format", [b"abcdef"])
        await archive.forget("default")
        assert list(documents(mongo_url)) == ["archive_format"]


# A server that is away


async def test_a_server_that_is_away_is_an_error_and_may_come_back(tmp_path: Path) -> None:
    with stand_in(tmp_path) as server:
        async with archives(f"{server.url}?timeoutMS=300") as (archive,):
            await archive.write("default", rows(fill(1)), MARK)
            server.kill()
            with pytest.raises(ArchiveUnavailable, match="MongoDB at mongodb://"):
                await archive.write("default", rows(fill(2)), Mark(2, "second"))
            with pytest.raises(ArchiveUnavailable):
                await archive.mark("default")
            with pytest.raises(ArchiveUnavailable):
                await archive.select("default", ENGINE, Fill, Query(account=1, scope="BTCUSDT"))
            with pytest.raises(ArchiveUnavailable):
                await archive.save("default", MARK, "format", [b"a"])
            with pytest.raises(ArchiveUnavailable):
                await archive.snapshot("default")
            with pytest.raises(ArchiveUnavailable):
                await archive.forget("default")
            server.start()
            await archive.write("default", rows(fill(2)), Mark(2, "second"))
            assert await trades(archive) == [1, 2]
            assert await archive.mark("default") == Mark(2, "second")


async def test_what_a_silent_server_did_not_acknowledge_is_written_again(tmp_path: Path) -> None:
    with stand_in(tmp_path) as server:
        async with archives(f"{server.url}?timeoutMS=1000") as (archive,):
            await archive.write("default", rows(fill(1)), MARK)
            server.freeze()
            with pytest.raises(ArchiveUnavailable):
                await archive.write("default", rows(fill(2)), Mark(2, "second"))
            server.thaw()
            while await archive_mark(archive) != Mark(2, "second"):
                with suppress(ArchiveUnavailable):
                    await archive.write("default", rows(fill(2)), Mark(2, "second"))
            assert await trades(archive) == [1, 2]


async def archive_mark(archive: MongoArchive) -> Mark | None:
    try:
        return await archive.mark("default")
    except ArchiveUnavailable:
        return None


async def test_a_server_that_nobody_runs_is_said_without_the_password() -> None:
    url = "mongodb://somebody:a-secret@127.0.0.1:1/emulator?timeoutMS=100"
    async with archives(url) as (archive,):
        with pytest.raises(ArchiveUnavailable) as refused:
            await archive.mark("default")
    text = str(refused.value)
    assert text.startswith("MongoDB at mongodb://somebody:***@127.0.0.1:1/emulator: ")
    assert "a-secret" not in text
