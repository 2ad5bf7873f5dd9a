"""What every archive keeps to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.core.history import Amendment, BalanceRecord, Fill, LedgerEntry, Query
from emulator.core.orders import Order, OrderStatus
from emulator.core.views import chosen
from emulator.runtime.archive import (
    TABLES,
    AccountRecord,
    Archive,
    ArchiveRecord,
    Mark,
    Row,
    archive_key,
)
from tests.storage.kept import Kept, opened
from tests.storage.records import DIGITS, FULL_ORDER, RECORDS, T0, exactly, fill, order

pytestmark = pytest.mark.anyio

MARK = Mark(1, "first")
ENGINE = "binance"


def rows(*records: ArchiveRecord, engine: str = ENGINE) -> list[Row]:
    return [Row(engine, record) for record in records]


async def trades(archive: Archive, sandbox: str = "default", engine: str = ENGINE, **asked: Any) -> list[int]:
    query = Query(**{"account": 1, "scope": "BTCUSDT", **asked})
    return [found.trade for found in await archive.select(sandbox, engine, Fill, query)]


async def the_one(archive: Archive, record: ArchiveRecord, sandbox: str = "default") -> ArchiveRecord:
    key = archive_key(record)
    (found,) = await archive.select(
        sandbox, ENGINE, type(record), Query(account=key.account, scope=key.scope)
    )
    return found


# Records


def test_every_type_of_record_has_an_example() -> None:
    assert {type(record) for record in RECORDS.values()} == set(TABLES)


async def test_gives_back_what_was_written(archive: Archive) -> None:
    """Each in a sandbox of its own: digit by digit, with every field set and with none."""
    given = {f"sandbox-{place}": record for place, record in enumerate(RECORDS.values())}
    for sandbox, record in given.items():
        await archive.write(sandbox, rows(record), MARK)
    for sandbox, record in given.items():
        assert exactly(await the_one(archive, record, sandbox)) == exactly(record)


async def test_everything_fits_into_one_call(archive: Archive) -> None:
    several = [fill(trade) for trade in range(1, 1203)]
    await archive.write("default", rows(*RECORDS.values(), *several), MARK)
    assert await trades(archive, limit=2000) == list(range(1, 1203))
    query = Query(account=1, scope="BTCUSDT")
    orders = await archive.select("default", ENGINE, Order, query)
    assert [exactly(each) for each in orders] == [exactly(order(1)), exactly(FULL_ORDER)]
    (account,) = await archive.select("default", ENGINE, AccountRecord, Query(account=7))
    assert account == RECORDS["account"]


async def test_writing_the_same_again_changes_nothing(archive: Archive) -> None:
    for _ in range(2):
        await archive.write("default", rows(fill(1), fill(2), order(1)), MARK)
    assert await trades(archive) == [1, 2]
    assert exactly(await the_one(archive, order(1))) == exactly(order(1))


async def test_a_later_record_replaces_the_one_with_its_key(archive: Archive) -> None:
    ended = order(1, status=OrderStatus.FILLED, executed=Decimal(2), updated_us=T0 + 9, client_id="renamed")
    await archive.write("default", rows(order(1)), MARK)
    await archive.write("default", rows(ended), MARK)
    assert exactly(await the_one(archive, order(1))) == exactly(ended)
    query = Query(account=1, scope="BTCUSDT", label="mine-1")
    assert await archive.select("default", ENGINE, Order, query) == []


async def test_within_one_call_the_last_one_counts(archive: Archive) -> None:
    ended = order(1, status=OrderStatus.FILLED)
    partly = order(1, status=OrderStatus.PARTIALLY_FILLED)
    await archive.write("default", rows(order(1), partly, ended), MARK)
    assert exactly(await the_one(archive, order(1))) == exactly(ended)


async def test_a_record_that_changes_afterwards_stays_what_it_was(archive: Archive) -> None:
    changing = order(1)
    await archive.write("default", rows(changing), MARK)
    changing.status = OrderStatus.CANCELED
    assert exactly(await the_one(archive, changing)) == exactly(order(1))


async def test_removes_what_is_gone(archive: Archive) -> None:
    await archive.write("default", rows(fill(1), fill(2), fill(3)), MARK)
    await archive.write("default", [Row(ENGINE, fill(2), is_gone=True)], MARK)
    await archive.write("default", [Row(ENGINE, fill(9), is_gone=True)], MARK)
    assert await trades(archive) == [1, 3]


async def test_what_comes_and_goes_in_one_call_does_so_in_order(archive: Archive) -> None:
    await archive.write("default", rows(fill(1)), MARK)
    came_back = [Row(ENGINE, fill(1), is_gone=True), Row(ENGINE, fill(1))]
    went_again = [Row(ENGINE, fill(2)), Row(ENGINE, fill(2), is_gone=True)]
    await archive.write("default", came_back + went_again, MARK)
    assert await trades(archive) == [1]


# Whose they are


async def test_accounts_scopes_engines_and_sandboxes_are_apart(archive: Archive) -> None:
    await archive.write(
        "default",
        [
            *rows(fill(1), fill(2, account=2), fill(3, account=12), fill(4, instrument="BTCUSDTX")),
            *rows(fill(5, instrument="BTC"), fill(6, instrument="")),
            *rows(fill(7), engine="bybit"),
            *rows(fill(8), engine=""),
        ],
        MARK,
    )
    for number, sandbox in ((9, "default-2"), (10, "d"), (11, "")):
        await archive.write(sandbox, rows(fill(number)), MARK)
    assert await trades(archive) == [1]
    assert await trades(archive, account=2) == [2]
    assert await trades(archive, account=12) == [3]
    assert await trades(archive, scope="BTCUSDTX") == [4]
    assert await trades(archive, scope="BTC") == [5]
    assert await trades(archive, scope="") == [6]
    assert await trades(archive, engine="bybit") == [7]
    assert await trades(archive, engine="") == [8]
    assert await trades(archive, "default-2") == [9]
    assert await trades(archive, "d") == [10]
    assert await trades(archive, "") == [11]
    assert await trades(archive, "nobody") == []
    assert await trades(archive, account=3) == []


async def test_scopes_with_a_slash_are_no_others(archive: Archive) -> None:
    held = [BalanceRecord(1, "a", "b/0/0", Decimal(1), Decimal(0), T0)]
    held += [BalanceRecord(1, "a/b", asset, Decimal(2), Decimal(0), T0) for asset in ("0/0", "0", "")]
    await archive.write("default", rows(*held), MARK)
    # The first two have one key, so the later one counts.
    for balance in held[1:]:
        query = Query(account=1, scope=archive_key(balance).scope)
        assert await archive.select("default", ENGINE, BalanceRecord, query) == [balance]


# Queries

FORMS: dict[str, tuple[dict[str, Any], Sequence[int]]] = {
    "everything": ({}, [1, 2, 3, 4, 5, 6]),
    "first": ({"first_id": 3}, [3, 4, 5, 6]),
    "last": ({"last_id": 3}, [1, 2, 3]),
    "one": ({"first_id": 3, "last_id": 3}, [3]),
    "none between": ({"first_id": 4, "last_id": 3}, []),
    "beyond": ({"first_id": 7}, []),
    "start": ({"start_us": T0 + 3_000_000}, [3, 4, 5, 6]),
    "just after": ({"start_us": T0 + 3_000_001}, [4, 5, 6]),
    "end": ({"end_us": T0 + 3_000_000}, [1, 2, 3]),
    "just before": ({"end_us": T0 + 2_999_999}, [1, 2]),
    "span": ({"start_us": T0 + 2_000_000, "end_us": T0 + 4_000_000}, [2, 3, 4]),
    "no span": ({"start_us": T0 + 4_000_000, "end_us": T0 + 3_000_000}, []),
    "span and ids": ({"start_us": T0 + 2_000_000, "last_id": 4}, [2, 3, 4]),
    "limit": ({"limit": 2}, [1, 2]),
    "newest": ({"limit": 2, "newest": True}, [5, 6]),
    "newest of all": ({"newest": True}, [1, 2, 3, 4, 5, 6]),
    "limit from": ({"first_id": 3, "limit": 2}, [3, 4]),
    "newest until": ({"last_id": 4, "limit": 2, "newest": True}, [3, 4]),
    "limit since": ({"start_us": T0 + 3_000_000, "limit": 2}, [3, 4]),
    "newest until then": ({"end_us": T0 + 4_000_000, "limit": 2, "newest": True}, [3, 4]),
    "newest between": (
        {"start_us": T0 + 1_500_000, "end_us": T0 + 5_000_000, "limit": 3, "newest": True},
        [3, 4, 5],
    ),
    "far beyond": ({"first_id": 2**63 - 1, "end_us": 2**63 - 1}, []),
    "from the beginning": ({"first_id": 0, "start_us": 0, "end_us": 2**63 - 1}, [1, 2, 3, 4, 5, 6]),
}


async def test_selects_by_id_and_by_time(archive: Archive) -> None:
    await archive.write("default", rows(*(fill(trade) for trade in (5, 1, 4, 6, 3, 2))), MARK)
    answers = {form: await trades(archive, **asked) for form, (asked, _) in FORMS.items()}
    assert answers == {form: expected for form, (_, expected) in FORMS.items()}


async def test_ids_are_in_the_order_of_numbers(archive: Archive) -> None:
    numbers = [2, 9, 10, 99, 100, 2**31, 2**53 + 1, 2**62]
    await archive.write("default", rows(*(fill(one, order=1, time_us=T0) for one in numbers)), MARK)
    assert await trades(archive) == numbers
    assert await trades(archive, newest=True, limit=3) == numbers[-3:]
    assert await trades(archive, first_id=10, last_id=2**53 + 1) == numbers[2:7]


async def test_selects_by_part(archive: Archive) -> None:
    """A trade between two orders of one account is two records, told apart by their parts."""
    both = [fill(trade, order=order) for trade in (1, 2, 3) for order in (90, 100)]
    await archive.write("default", rows(*both, fill(4, order=9)), MARK)
    found = await archive.select("default", ENGINE, Fill, Query(account=1, scope="BTCUSDT"))
    assert [(each.trade, each.order) for each in found] == [
        (1, 90),
        (1, 100),
        (2, 90),
        (2, 100),
        (3, 90),
        (3, 100),
        (4, 9),
    ]
    newest = await archive.select(
        "default", ENGINE, Fill, Query(account=1, scope="BTCUSDT", last_id=3, limit=3, newest=True)
    )
    assert [(each.trade, each.order) for each in newest] == [(2, 100), (3, 90), (3, 100)]
    assert await trades(archive, part=100) == [1, 2, 3]
    assert await trades(archive, part=100, first_id=2, limit=1) == [2]
    assert await trades(archive, part=90, newest=True, limit=2) == [2, 3]
    assert await trades(archive, part=90, start_us=T0 + 2_000_000, end_us=T0 + 2_500_000) == [2]
    assert await trades(archive, part=1) == []


async def test_selects_by_label(archive: Archive) -> None:
    named = {1: "a", 2: "A", 3: "a", 4: "", 5: "a/b", 6: "a"}
    orders = [order(number, client_id=name) for number, name in named.items()]
    await archive.write("default", rows(*orders), MARK)

    async def numbers(**asked: Any) -> list[int]:
        query = Query(account=1, scope="BTCUSDT", **asked)
        return [found.id for found in await archive.select("default", ENGINE, Order, query)]

    assert await numbers(label="a") == [1, 3, 6]
    assert await numbers(label="a", newest=True, limit=1) == [6]
    assert await numbers(label="a", last_id=5, newest=True, limit=1) == [3]
    assert await numbers(label="a", start_us=T0 + 2_000_000) == [3, 6]
    assert await numbers(label="A") == [2]
    assert await numbers(label="") == [4]
    assert await numbers(label="a/b") == [5]
    assert await numbers(label="b") == []


@st.composite
def histories(draw: st.DrawFn) -> list[Amendment]:
    """Amendments of two accounts, whose ids and times ascend together."""
    made: list[Amendment] = []
    number, time_us = 0, T0
    for _ in range(draw(st.integers(0, 12))):
        number += draw(st.integers(0, 2))
        time_us += draw(st.integers(0, 2)) if number > 0 else 0
        if made and made[-1].execution == number:
            time_us = made[-1].time_us
        made.append(
            Amendment(
                order=draw(st.integers(1, 3)),
                account=draw(st.integers(1, 2)),
                instrument="BTCUSDT",
                execution=number,
                client_id_before=draw(st.sampled_from(["", "a", "b"])),
                client_id_after="",
                quantity_before=Decimal(2),
                quantity_after=Decimal(1),
                time_us=time_us,
            )
        )
    return made


NUMBERS = st.none() | st.integers(0, 20)
TIMES = st.none() | st.integers(T0, T0 + 20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories(),
    queries=st.lists(
        st.builds(
            Query,
            account=st.just(1),
            scope=st.just("BTCUSDT"),
            first_id=NUMBERS,
            last_id=NUMBERS,
            start_us=TIMES,
            end_us=TIMES,
            part=st.none() | st.integers(1, 3),
            label=st.none() | st.sampled_from(["", "a", "b"]),
            limit=st.integers(1, 8),
            newest=st.booleans(),
        ),
        min_size=1,
        max_size=6,
    ),
)
async def test_answers_as_memory_does(
    archive: Archive, history: list[Amendment], queries: list[Query]
) -> None:
    await archive.forget("drawn")
    await archive.write("drawn", rows(*history), MARK)
    kept = {archive_key(record)[:4]: record for record in history if record.account == 1}
    listed = [kept[key] for key in sorted(kept)]
    for query in queries:
        assert await archive.select("drawn", ENGINE, Amendment, query) == list(chosen(listed, query))


# Ledger entries


def entry(number: int, account: int = 1, *, time_us: int | None = None, reason: str = "Why") -> LedgerEntry:
    when = T0 + number * 1_000_000 if time_us is None else time_us
    return LedgerEntry(number, account, "spot", "BTC", Decimal("-1.0"), DIGITS, "market", reason, when)


async def entries(archive: Archive, **asked: Any) -> list[int]:
    found = await archive.select("default", ENGINE, LedgerEntry, Query(**{"account": 1, **asked}))
    return [one.number for one in found]


async def test_selects_among_many_ledger_entries(archive: Archive) -> None:
    """Of two accounts, whose numbers alternate, in several groups."""
    for first in (1, 801, 901):
        written = [entry(number, 1 + number % 2) for number in range(first, min(2 * first + 799, 1001))]
        await archive.write("default", rows(*written), MARK)
    mine = list(range(2, 1001, 2))
    assert await entries(archive, limit=2000) == mine
    assert await entries(archive, limit=3) == [2, 4, 6]
    assert await entries(archive, limit=400) == mine[:400]
    assert await entries(archive, limit=400, newest=True) == mine[-400:]
    assert await entries(archive, first_id=511, last_id=516) == [512, 514, 516]
    assert await entries(archive, last_id=700, limit=300, newest=True) == list(range(102, 701, 2))
    assert await entries(archive, start_us=T0 + 995_000_001) == [996, 998, 1000]
    assert await entries(archive, end_us=T0 + 6_000_000) == [2, 4, 6]
    assert await entries(archive, scope="spot") == []
    assert await entries(archive, label="a") == []
    assert await entries(archive, limit=0) == []
    scanned = [
        (engine, one.account, one.number) async for engine, one in archive.scan("default", LedgerEntry)
    ]
    assert sorted(scanned) == sorted((ENGINE, 1 + number % 2, number) for number in range(1, 1001))


async def test_ledger_entries_are_replaced_and_removed_one_by_one(archive: Archive) -> None:
    await archive.write("default", rows(*(entry(number) for number in range(1, 601))), MARK)
    again = [entry(number, reason="Again") for number in range(250, 651)]
    await archive.write("default", [*rows(*again), Row(ENGINE, entry(3), is_gone=True)], MARK)
    found = await archive.select("default", ENGINE, LedgerEntry, Query(account=1, limit=1000))
    assert found == [
        entry(number, reason="Again" if number >= 250 else "Why") for number in range(1, 651) if number != 3
    ]
    scanned = [one async for _, one in archive.scan("default", LedgerEntry)]
    assert sorted(scanned, key=lambda one: one.number) == found
    gone = [Row(ENGINE, entry(number), is_gone=True) for number in range(1, 651)]
    await archive.write("default", gone, MARK)
    assert await entries(archive) == []
    await archive.write("default", rows(entry(2), entry(1)), MARK)
    assert await entries(archive) == [1, 2]


@st.composite
def ledgers(draw: st.DrawFn) -> list[list[LedgerEntry]]:
    """Entries of an account whose numbers and times ascend, in groups, of which some come twice."""
    made: list[LedgerEntry] = []
    number, time_us = 0, T0
    for _ in range(draw(st.integers(0, 12))):
        number += draw(st.integers(1, 2))
        time_us += draw(st.integers(0, 2))
        made.append(entry(number, time_us=time_us))
    groups: list[list[LedgerEntry]] = []
    at = 0
    while at < len(made):
        end = draw(st.integers(at + 1, len(made)))
        groups.append(made[max(0, at - draw(st.integers(0, 3))) : end])
        at = end
    return groups


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=ledgers(),
    queries=st.lists(
        st.builds(
            Query,
            account=st.just(1),
            first_id=NUMBERS,
            last_id=NUMBERS,
            start_us=TIMES,
            end_us=TIMES,
            limit=st.integers(1, 8),
            newest=st.booleans(),
        ),
        min_size=1,
        max_size=6,
    ),
)
async def test_answers_about_ledgers_as_memory_does(
    archive: Archive, groups: list[list[LedgerEntry]], queries: list[Query]
) -> None:
    await archive.forget("drawn")
    for group in groups:
        await archive.write("drawn", rows(*group), MARK)
    known = {one.number: one for group in groups for one in group}
    listed = [known[number] for number in sorted(known)]
    for query in queries:
        assert await archive.select("drawn", ENGINE, LedgerEntry, query) == list(chosen(listed, query))


# Marks


async def test_the_mark_moves_with_what_is_written(archive: Archive) -> None:
    assert await archive.mark("default") is None
    await archive.write("default", rows(fill(1)), MARK)
    await archive.write("default-2", [], Mark(7, "other"))
    assert await archive.mark("default") == MARK
    await archive.write("default", [], Mark(2**40, "second"))
    assert await archive.mark("default") == Mark(2**40, "second")
    assert await archive.mark("default-2") == Mark(7, "other")
    assert await archive.mark("") is None
    assert await trades(archive) == [1]


async def test_forgets_one_sandbox_only(archive: Archive) -> None:
    others = ("default-2", "d", "")
    for sandbox in ("default", *others):
        await archive.write(sandbox, rows(*RECORDS.values()), MARK)
        await archive.save(sandbox, MARK, "format", [b"same", sandbox.encode()])
    await archive.forget("default")
    await archive.forget("nobody")
    assert await archive.mark("default") is None
    assert await archive.snapshot("default") is None
    for record in RECORDS.values():
        key = archive_key(record)
        query = Query(account=key.account, scope=key.scope)
        assert await archive.select("default", ENGINE, type(record), query) == []
    for sandbox in others:
        assert await archive.mark(sandbox) == MARK
        assert await trades(archive, sandbox) == [3]
        found = await archive.snapshot(sandbox)
        assert found is not None
        assert list(found.parts) == [b"same", sandbox.encode()]
    await archive.write("default", rows(fill(1)), MARK)
    assert await trades(archive) == [1]


# Snapshots


async def test_keeps_the_newest_snapshot(archive: Archive) -> None:
    assert await archive.snapshot("default") is None
    for mark, format, parts in (
        (Mark(1, "a"), "one", [b"first", b"", bytes(range(256)) * 100, b"first"]),
        (Mark(5, "b"), "two", [b"second", b"first"]),
        (Mark(6, "c"), "three", []),
        (Mark(7, "d"), "two", [b"first"]),
    ):
        await archive.save("default", mark, format, iter(parts))
        found = await archive.snapshot("default")
        assert found is not None
        assert (found.mark, found.format, list(found.parts)) == (mark, format, parts)
        assert await archive.snapshot("other") is None
    # It says nothing about what was written.
    assert await archive.mark("default") is None


class Broken(Exception):
    pass


def breaking() -> Iterator[bytes]:
    yield b"new"
    yield b"more"
    raise Broken


async def test_a_snapshot_that_breaks_off_leaves_the_one_before(archive: Archive) -> None:
    with pytest.raises(Broken):
        await archive.save("default", MARK, "format", breaking())
    assert await archive.snapshot("default") is None
    await archive.save("default", MARK, "format", [b"old", b"more"])
    with pytest.raises(Broken):
        await archive.save("default", Mark(2, "second"), "format", breaking())
    found = await archive.snapshot("default")
    assert found is not None
    assert (found.mark, list(found.parts)) == (MARK, [b"old", b"more"])
    await archive.save("default", Mark(3, "third"), "format", [b"new"])
    found = await archive.snapshot("default")
    assert found is not None
    assert (found.mark, list(found.parts)) == (Mark(3, "third"), [b"new"])


# Across restarts


async def test_is_there_when_it_is_opened_again(kept: Kept) -> None:
    async with opened(kept) as archive:
        await archive.write("default", rows(fill(1), fill(2)), MARK)
        await archive.save("default", MARK, "format", [b"a", b"b"])
    async with opened(kept) as archive:
        assert await archive.mark("default") == MARK
        assert await trades(archive) == [1, 2]
        found = await archive.snapshot("default")
        assert found is not None
        assert list(found.parts) == [b"a", b"b"]
        await archive.write("default", rows(fill(3)), Mark(2, "second"))
    async with opened(kept) as archive:
        assert await archive.mark("default") == Mark(2, "second")
        assert await trades(archive) == [1, 2, 3]


async def test_what_was_written_in_another_format_is_made_anew(kept: Kept) -> None:
    async with opened(kept) as archive:
        for sandbox in ("default", "other"):
            await archive.write(sandbox, rows(*RECORDS.values()), MARK)
            await archive.save(sandbox, MARK, "format", [b"a"])
    kept.make_foreign()
    async with opened(kept) as archive:
        for sandbox in ("default", "other"):
            assert await archive.mark(sandbox) is None
            assert await archive.snapshot(sandbox) is None
            assert await trades(archive, sandbox) == []
        await archive.write("default", rows(fill(5)), MARK)
    async with opened(kept) as archive:
        assert await archive.mark("default") == MARK
        assert await trades(archive) == [5]


@pytest.mark.parametrize("is_lost", [False, True], ids=["damaged", "lost"])
async def test_a_snapshot_without_one_of_its_parts_is_none(kept: Kept, is_lost: bool) -> None:
    async with opened(kept) as archive:
        await archive.save("default", MARK, "format", [b"a", b"b"])
    if is_lost:
        kept.lose_part()
    else:
        kept.damage_part()
    async with opened(kept) as archive:
        assert await archive.snapshot("default") is None
        # Nor does the next one take over what is not there.
        await archive.save("default", MARK, "format", [b"a", b"b", b"c"])
        found = await archive.snapshot("default")
        assert found is not None
        assert list(found.parts) == [b"a", b"b", b"c"]


async def test_what_two_snapshots_have_in_common_is_written_once(kept: Kept) -> None:
    async with opened(kept) as archive:
        await archive.save("default", MARK, "format", [b"a", b"b", b"c", b"a"])
        first = kept.stamped_parts()
        assert len(first) == 3
        await archive.save("default", Mark(2, "second"), "format", [b"d", b"c", b"b"])
        second = kept.stamped_parts()
        assert len(second) == 3
        assert len(first & second) == 2
        await archive.forget("default")
        assert kept.stamped_parts() == set()


async def test_a_snapshot_that_is_replaced_while_it_is_read_is_not_damaged(archive: Archive) -> None:
    old, new = [b"a", b"b", b"c", b"d"], [b"e"]
    for number, parts in enumerate([old, new] * 5, 1):
        mark = Mark(number, "same")
        found, _ = await asyncio.gather(
            archive.snapshot("default"), archive.save("default", mark, "format", parts)
        )
        assert found is None or list(found.parts) in (old, new)
        kept = await archive.snapshot("default")
        assert kept is not None
        assert (kept.mark, list(kept.parts)) == (mark, parts)
