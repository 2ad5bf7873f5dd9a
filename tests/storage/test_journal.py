"""What every journal keeps to."""

from decimal import Decimal

import pytest

from emulator.core.events import AmountDeposited
from emulator.runtime.ports import (
    SANDBOX,
    Batch,
    ClockMode,
    ClockSet,
    ClockSetting,
    Journal,
    JournalConflict,
    KeyAdded,
    KeyKind,
    KeyRecord,
    Record,
)

pytestmark = pytest.mark.anyio


def batch(sequence: int, sandbox: str = "default", amount: str = "1.5") -> Batch:
    deposited = AmountDeposited(
        account=1,
        wallet="spot",
        asset="BTC",
        amount=Decimal(amount),
        movement=sequence,
        reference="wörd",
    )
    key = KeyRecord(
        key="k",
        account=1,
        kind=KeyKind.ED25519,
        secret="pem",
        permissions=frozenset({"trade", "read"}),
        label="x",
    )
    setting = ClockSetting(mode=ClockMode.VIRTUAL, time_us=5, wall_us=7, speed=Decimal("1.50"))
    return Batch(
        sandbox=sandbox,
        sequence=sequence,
        records=(
            Record(engine="binance", time_us=1_700_000_000_000_001, events=(deposited,)),
            Record(
                engine=SANDBOX,
                time_us=1_700_000_000_000_002,
                events=(KeyAdded(record=key), ClockSet(setting=setting)),
            ),
        ),
    )


async def held(journal: Journal, sandbox: str = "default", after_sequence: int = 0) -> list[Batch]:
    return [batch async for batch in journal.read(sandbox, after_sequence)]


async def test_gives_back_what_was_appended_in_order(journal: Journal) -> None:
    batches = [batch(1), batch(2, amount="0.000000000000000001"), batch(3, amount="1E-30")]
    for each in batches:
        await journal.append(each)
    assert await held(journal) == batches
    assert await held(journal, after_sequence=1) == batches[1:]
    assert await held(journal, after_sequence=3) == []


async def test_keeps_decimals_digit_by_digit(journal: Journal) -> None:
    digits = "123456789012345678901234567890.1234567890"
    await journal.append(batch(1, amount=digits))
    (only,) = await held(journal)
    event = only.records[0].events[0]
    assert isinstance(event, AmountDeposited)
    assert str(event.amount) == digits


@pytest.mark.parametrize("sequence", [0, 1, 2, 4])
async def test_refuses_what_does_not_follow(journal: Journal, sequence: int) -> None:
    await journal.append(batch(1))
    await journal.append(batch(2))
    with pytest.raises(JournalConflict):
        await journal.append(batch(sequence))
    assert await held(journal) == [batch(1), batch(2)]


async def test_a_stream_begins_with_one(journal: Journal) -> None:
    with pytest.raises(JournalConflict):
        await journal.append(batch(2))
    assert await journal.sandboxes() == ()


async def test_streams_are_apart(journal: Journal) -> None:
    await journal.append(batch(1))
    await journal.append(batch(1, "other"))
    await journal.append(batch(2, "other"))
    assert await held(journal) == [batch(1)]
    assert await held(journal, "other") == [batch(1, "other"), batch(2, "other")]
    assert await held(journal, "nobody") == []
    assert list(await journal.sandboxes()) == ["default", "other"]


async def test_forgets_one_stream_only(journal: Journal) -> None:
    await journal.append(batch(1))
    await journal.append(batch(1, "other"))
    await journal.forget("default")
    await journal.forget("nobody")
    assert await held(journal) == []
    assert list(await journal.sandboxes()) == ["other"]
    await journal.append(batch(1))
    assert await held(journal) == [batch(1)]


async def test_copies_the_beginning_of_a_stream(journal: Journal) -> None:
    for each in (batch(1), batch(2), batch(3)):
        await journal.append(each)
    await journal.append(batch(1, "fork", amount="7"))
    await journal.copy("default", "fork", 2)
    assert await held(journal, "fork") == [batch(1, "fork"), batch(2, "fork")]
    assert await held(journal) == [batch(1), batch(2), batch(3)]
    await journal.append(batch(3, "fork", amount="9"))
    with pytest.raises(JournalConflict):
        await journal.append(batch(3, "fork"))
