"""Journal entries survive their encoding."""

from decimal import Decimal

import msgspec
import pytest

from emulator.core.events import AmountDeposited
from emulator.runtime.ports import (
    AccountNamed,
    Batch,
    ClockMode,
    ClockSet,
    ClockSetting,
    JournalCorrupt,
    KeyAdded,
    KeyRecord,
    KeyRemoved,
    Record,
    SandboxCreated,
    SandboxEvent,
    SandboxProvisioned,
    decode_batch,
    encode_batch,
)

SETTING = ClockSetting(mode=ClockMode.VIRTUAL, time_us=1, wall_us=2, speed=Decimal("0.10"))


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


def test_another_version_is_refused() -> None:
    batch = Batch(version=99, sandbox="s", sequence=1, records=())
    with pytest.raises(JournalCorrupt, match="version 99"):
        decode_batch(encode_batch(batch))


@pytest.mark.parametrize(
    "encoded", [b"", b"\xc1", msgspec.msgpack.encode([1, "s", 1, [["", 1, [["NoSuchEvent"]]]]])]
)
def test_anything_else_is_refused(encoded: bytes) -> None:
    with pytest.raises(JournalCorrupt):
        decode_batch(encoded)
