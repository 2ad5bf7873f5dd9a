"""Journal entries survive their encoding, releases to come, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args
from zlib import crc32

import msgspec
import pytest

from emulator.core.engine import Engine
from emulator.core.events import (
    AmountDeposited,
    AnyEvent,
    OrderExpired,
)
from emulator.core.orders import EndReason
from emulator.exchanges.binance import ENGINE
from emulator.runtime.journal_format import Plain, decode_batch, encode_batch
from emulator.runtime.ports import (
    FORMAT_VERSION,
    AccountNamed,
    AnySandboxEvent,
    Batch,
    ClockMode,
    ClockSet,
    ClockSetting,
    Journal,
    JournalCorrupt,
    KeyAdded,
    KeyRecord,
    KeyRemoved,
    Record,
    SandboxCreated,
    SandboxEvent,
    SandboxProvisioned,
)
from emulator.runtime.recovery import fingerprint, recover
from tests.storage.samples.frozen import Sample, outcome_of, samples
from tests.storage.samples.ledger import (
    TAGGED,
    FieldShape,
    Schema,
    StructShape,
    breaks,
    read_ledger,
    schema_today,
)
from tests.storage.samples.workload import make_sampled

SETTING = ClockSetting(mode=ClockMode.VIRTUAL, time_us=1, wall_us=2, speed=Decimal("0.10"))


def entry(plain: object) -> bytes:
    """A journal entry of any content, with the checksum of that content."""
    encoded = msgspec.msgpack.encode(plain)
    return encoded + crc32(encoded).to_bytes(4, "big")


# Today's version


@pytest.mark.parametrize(
    "event",
    [
        SandboxCreated(seed=7, clock=SETTING),
        SandboxProvisioned(),
        AccountNamed(account=3, name="demo", trade_group=2),
        KeyAdded(record=KeyRecord(key="k", account=3, permissions=frozenset({"a", "b"}))),
        KeyRemoved(key="k"),
        ClockSet(setting=SETTING),
    ],
)
def test_sandbox_events_survive(event: SandboxEvent) -> None:
    batch = Batch(sandbox="s", sequence=1, records=(Record(engine="", time_us=9, events=(event,)),))
    assert decode_batch(encode_batch(batch)) == batch


def test_core_events_survive_with_every_digit() -> None:
    event = AmountDeposited(
        account=1, wallet="w", asset="A", amount=Decimal("0.10"), movement=1, reference=""
    )
    batch = Batch(sandbox="s", sequence=1, records=(Record(engine="x", time_us=9, events=(event,)),))
    (record,) = decode_batch(encode_batch(batch)).records
    (decoded,) = record.events
    assert isinstance(decoded, AmountDeposited)
    assert str(decoded.amount) == "0.10"


def test_every_changed_or_missing_byte_is_noticed() -> None:
    event = AmountDeposited(account=1, wallet="w", asset="A", amount=Decimal(10), movement=1, reference="")
    whole = encode_batch(
        Batch(sandbox="s", sequence=1, records=(Record(engine="x", time_us=9, events=(event,)),))
    )
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    damaged += [whole[:length] for length in range(len(whole))]
    for each in damaged:
        with pytest.raises(JournalCorrupt, match="entry 7 of x was changed or cut off"):
            decode_batch(each, name="entry 7 of x")


@pytest.mark.parametrize(
    "plain",
    [
        [FORMAT_VERSION, "s", 1, [["", 1, [["NoSuchEvent"]]]]],
        [FORMAT_VERSION, "s", 1, [["", 1, [["KeyRemoved", 5]]]]],
        [FORMAT_VERSION, "s", 1, [["", 1, [["KeyRemoved"]]]]],
        [FORMAT_VERSION, "s", "1", []],
        ["1", "s", 1, []],
        {"version": 1},
        [],
        None,
    ],
)
def test_anything_else_is_refused(plain: object) -> None:
    with pytest.raises(JournalCorrupt, match="cannot be read"):
        decode_batch(entry(plain))


def test_a_newer_version_is_refused_even_when_it_looks_like_todays() -> None:
    for plain in ([99, "s", 1, []], [99, {"quite": "different"}]):
        with pytest.raises(JournalCorrupt, match=f"version 99.*up to {FORMAT_VERSION}.*newer"):
            decode_batch(entry(plain))


# Older versions: those of a history that might have been

EXPIRED = OrderExpired(order=5, reason=EndReason.NO_LIQUIDITY, execution=7)
AS_OF_VERSION_1 = [1, "s", 3, [["x", 9, [["OrderLapsed", "no_liquidity", 5], ["OrderRested", 4]]]]]
"""The event had another name then, its fields another order, and no execution."""


def from_1_to_2(plain: Plain) -> Plain:
    """OrderLapsed became OrderExpired, and the order comes first."""
    version, sandbox, sequence, records = plain
    lifted = [
        [
            engine,
            time_us,
            [["OrderExpired", e[2], e[1], *e[3:]] if e[0] == "OrderLapsed" else e for e in events],
        ]
        for engine, time_us, events in records
    ]
    return [version, sandbox, sequence, lifted]


def from_2_to_3(plain: Plain) -> Plain:
    """OrderExpired says of which execution; seven was the only one there was."""
    version, sandbox, sequence, records = plain
    lifted = [
        [engine, time_us, [[*e, 7] if e[0] == "OrderExpired" else e for e in events]]
        for engine, time_us, events in records
    ]
    return [version, sandbox, sequence, lifted]


def test_what_an_older_version_wrote_is_lifted_step_by_step() -> None:
    upcasters = {2: from_2_to_3, 1: from_1_to_2}
    batch = decode_batch(entry(AS_OF_VERSION_1), version=3, upcasters=upcasters)
    assert (batch.version, batch.sandbox, batch.sequence) == (3, "s", 3)
    assert batch.records[0].events[0] == EXPIRED
    as_of_version_2 = [2, "s", 3, [["x", 9, [["OrderExpired", 5, "no_liquidity"]]]]]
    assert decode_batch(entry(as_of_version_2), version=3, upcasters=upcasters).records[0].events == (
        EXPIRED,
    )


def test_what_can_be_decoded_is_lifted_all_the_same() -> None:
    """An entry of an older version may look right and mean something else."""
    as_of_version_2 = [2, "s", 3, [["x", 9, [["OrderExpired", 5, "no_liquidity"]]]]]
    assert decode_batch(entry(as_of_version_2), version=2).records[0].events != (EXPIRED,)
    lifted = decode_batch(entry(as_of_version_2), version=3, upcasters={2: from_2_to_3})
    assert lifted.records[0].events == (EXPIRED,)


def test_a_step_that_is_missing_or_stumbles_is_said() -> None:
    with pytest.raises(JournalCorrupt, match="version 1, and nothing here lifts version 2"):
        decode_batch(entry(AS_OF_VERSION_1), version=3, upcasters={1: from_1_to_2})
    with pytest.raises(JournalCorrupt, match="version 1, and is not what version 1 wrote"):
        decode_batch(entry([1, "too short"]), version=2, upcasters={1: from_1_to_2})
    with pytest.raises(JournalCorrupt, match="version 1 and cannot be lifted"):
        decode_batch(entry(AS_OF_VERSION_1), version=2, upcasters={1: lambda plain: plain})


# The schema

HOW = """
Entries that exist would be read wrongly, or not at all. Either leave what is there as it was and add
fields with defaults at the end; or raise FORMAT_VERSION, write an upcaster from the old version
(emulator/runtime/journal_format.py), and run
    python -m tests.storage.samples && python -m tests.storage.samples spot
The samples of older versions stay, and still have to replay."""

WRITE_DOWN = """
The change is compatible: entries that exist are read as before. Write it down:
    python -m tests.storage.samples
An event that is new needs a sample with it: see tests/storage/samples/workload.py."""


def test_the_types_still_read_what_was_written() -> None:
    kept, today = read_ledger(), schema_today()
    if kept.version == today.version:
        assert not breaks(kept, today), "\n".join([*breaks(kept, today), HOW])
    assert kept == today, WRITE_DOWN


def schema(*fields: FieldShape, by: str = "place", words: tuple[str, ...] = ("a", "b")) -> Schema:
    assert by in ("place", "name")
    shape = StructShape("place" if by == "place" else "name", fields)
    return Schema(1, {"Happened": shape}, {"Kind": words})


ORDER = FieldShape("order", "int")
PRICE = FieldShape("price", "Decimal | None")
NOTE = FieldShape("note", "str", '""')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (schema(ORDER), schema(ORDER, NOTE)),
        (schema(ORDER, by="name"), schema(NOTE, ORDER, by="name")),
        (schema(ORDER), schema(FieldShape("order", "int | None"))),
        (schema(ORDER), schema(FieldShape("order", "int", "0"))),
        (schema(words=("a",)), schema(words=("a", "b"))),
    ],
)
def test_what_may_change_without_a_new_version(before: Schema, after: Schema) -> None:
    assert breaks(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (schema(ORDER, PRICE), schema(PRICE, ORDER), "it began with order, price, and begins with price"),
        (schema(ORDER), schema(NOTE, ORDER), "it began with order, and begins with note"),
        (schema(ORDER, PRICE), schema(ORDER), "it began with order, price, and begins with order"),
        (schema(ORDER), schema(ORDER, PRICE), "price is new and has no default"),
        (schema(ORDER, by="name"), schema(NOTE, by="name"), "order is gone"),
        (schema(ORDER), schema(ORDER, by="name"), "found by place, and are found by name"),
        (schema(PRICE), schema(FieldShape("price", "Decimal")), "price was Decimal | None, and is Decimal"),
        (schema(NOTE), schema(FieldShape("note", "str", '"x"')), 'the default was "", and is "x"'),
        (schema(NOTE), schema(FieldShape("note", "str")), 'the default was "", and is None'),
        (schema(), Schema(1, {}, {"Kind": ("a", "b")}), "Happened is gone"),
        (schema(), schema(words=("a",)), "Kind: no longer knows b"),
    ],
)
def test_what_may_not(before: Schema, after: Schema, said: str) -> None:
    (only,) = breaks(before, after)
    assert said in only


def test_the_ledger_knows_everything_that_is_journalled() -> None:
    structs = schema_today().structs
    assert {kind.__name__ for kind in (*get_args(AnyEvent), *get_args(AnySandboxEvent))} <= structs.keys()
    assert {"Batch", "Record", "OrderTerms", "Trigger", "Peg", "KeyRecord", "ClockSetting"} <= structs.keys()
    assert structs["Record"].fields[2].type == f"tuple[{TAGGED}, ...]"


# The samples


@pytest.mark.anyio
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
async def test_a_frozen_sample_replays_to_what_it_came_to(sample: Sample, journal: Journal) -> None:
    batches = sample.batches()
    for batch in batches:
        await journal.append(batch)
    recovered = await recover(journal, batches[0].sandbox, make_sampled)
    engine = recovered.engines[ENGINE]
    assert isinstance(engine, Engine)
    outcome = outcome_of(batches, engine, fingerprint(recovered.state, recovered.engines))
    without = msgspec.structs.replace(outcome, fingerprint=sample.outcome.fingerprint)
    assert without == sample.outcome, "a journal from before comes to something else than it did"
    assert outcome == sample.outcome, (
        "a journal from before has another fingerprint, though its balances and orders are the same:"
        " if only what a fingerprint covers has changed, put the new one into the .json by hand"
    )


def test_the_samples_have_every_event_and_todays_version() -> None:
    seen = {
        type(event)
        for sample in samples()
        for batch in sample.batches()
        for record in batch.records
        for event in record.events
    }
    missing = {*get_args(AnyEvent), *get_args(AnySandboxEvent)} - seen
    assert not missing, f"{missing}: add a workload with them to tests/storage/samples, and a sample of it"
    assert any(sample.name.startswith(f"{FORMAT_VERSION}-") for sample in samples())
