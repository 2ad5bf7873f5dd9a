"""Trades laid over the feed, packed or not, against a plain list of them."""

from __future__ import annotations

from base64 import b64decode
from bisect import bisect_left, bisect_right
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.commands import PriceMode
from emulator.core.instruments import BUY, SELL
from emulator.core.numbers import ZERO, exact
from emulator.core.prints import BLOCK, KEPT, UNPACKED_MAX, Print, Prints, Sums
from emulator.core.tape import Market
from tests.core.invariants import assert_tape_agrees
from tests.core.world import MINUTE, SECOND, START, World, market, moving

SMALL = {"block": 4, "kept": 3}

spelled = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(0, 10**9), st.integers(-8, 2)
)
"""Numbers in any spelling: 1.5, 1.50, 0.00, 1E+2."""

laid = st.builds(
    lambda ids, pause_us, price, quantity, amount, side: (ids, pause_us, price, quantity, amount, side),
    st.integers(1, 1 << 40),
    st.sampled_from([0, 0, 1, 7, 1 << 40]),
    spelled,
    spelled,
    st.one_of(st.none(), spelled),
    st.booleans(),
)


def listed(steps: list[tuple[int, int, Decimal, Decimal, Decimal | None, bool]]) -> list[Print]:
    """Prints from steps between ids and times; most amounts are the product, some are anything."""
    entries: list[Print] = []
    number = time_us = 0
    with exact():
        for ids, pause_us, price, quantity, amount, side in steps:
            number, time_us = number + ids, time_us + pause_us
            product = price * quantity if amount is None else amount
            entries.append(Print(number, time_us, price, quantity, product, side))
    return entries


def ordinary(count: int, first: int = 0) -> list[Print]:
    """As an exchange would see them: prices to the cent, quantities to five places."""
    numbers = range(first, first + count)
    with exact():
        pairs = [
            (Decimal(6_400_000 + n * n % 997).scaleb(-2), Decimal(n * 7919 % 99_991 + 1).scaleb(-5))
            for n in numbers
        ]
        return [
            Print(10**9 + 2 * n, START + n * 104_729, price, quantity, price * quantity, n % 3 == 0)
            for n, (price, quantity) in zip(numbers, pairs, strict=True)
        ]


def filled(entries: list[Print], *, block: int, kept: int) -> Prints:
    prints = Prints(block=block, kept=kept)
    for entry in entries:
        prints.append(entry)
    return prints


def summed(entries: list[Print]) -> Sums:
    bought = [entry for entry in entries if not entry.buyer_is_maker]
    with exact():
        return Sums(
            open=entries[0].price,
            high=max(entry.price for entry in entries),
            low=min(entry.price for entry in entries),
            close=entries[-1].price,
            volume=sum((entry.quantity for entry in entries), ZERO),
            quote_volume=sum((entry.amount for entry in entries), ZERO),
            trades=len(entries),
            taker_volume=sum((entry.quantity for entry in bought), ZERO),
            taker_quote_volume=sum((entry.amount for entry in bought), ZERO),
            first=entries[0].id,
            last=entries[-1].id,
        )


@settings(max_examples=200)
@given(
    steps=st.lists(laid, max_size=60),
    block=st.integers(1, 9),
    kept=st.integers(1, 12),
    cut=st.integers(0, 60),
    places=st.lists(st.integers(-70, 70), min_size=12, max_size=12),
)
def test_prints_are_a_list_whatever_is_packed(
    steps: list[tuple[int, int, Decimal, Decimal, Decimal | None, bool]],
    block: int,
    kept: int,
    cut: int,
    places: list[int],
) -> None:
    """Spelling included, and also when it was written down and restored on the way."""
    entries = listed(steps)
    whole = filled(entries, block=block, kept=kept)
    before = filled(entries[:cut], block=block, kept=kept)
    restored = Prints.restored(before.blocks(), before.tail(), block=block, kept=kept)
    for entry in entries[cut:]:
        restored.append(entry)
    for prints in (whole, restored):
        assert len(prints) == len(entries)
        assert repr(list(prints)) == repr(entries)
        assert prints.last == (entries[-1] if entries else None)
        assert prints.first_us == (entries[0].time_us if entries else None)
        assert min(kept, len(entries)) <= len(prints.tail()) <= kept + 2 * block - 2
        assert len(prints.blocks()) * block + len(prints.tail()) == len(entries)
        for low, high in zip(places[::2], places[1::2], strict=True):
            assert prints[low:high] == entries[low:high]
            if -len(entries) <= low < len(entries):
                assert prints[low] == entries[low]
                assert prints.time_at(low) == entries[low].time_us
            low, high = sorted((abs(low), abs(high)))
            assert prints.between(low, high) == entries[low:high]
            if low < high <= len(entries):
                assert repr(prints.sums(low, high)) == repr(summed(entries[low:high]))
    assert restored.blocks()[: len(before.blocks())] == before.blocks()
    assert restored.tail() == whole.tail()


@given(steps=st.lists(laid, min_size=1, max_size=40), block=st.integers(1, 9), kept=st.integers(1, 9))
def test_times_and_ids_are_found(
    steps: list[tuple[int, int, Decimal, Decimal, Decimal | None, bool]], block: int, kept: int
) -> None:
    entries = listed(steps)
    prints = filled(entries, block=block, kept=kept)
    ids, times_us = [entry.id for entry in entries], [entry.time_us for entry in entries]
    for time_us in {time_us + near for time_us in times_us for near in (-1, 0, 1)}:
        assert prints.count_until(time_us) == bisect_right(times_us, time_us)
        assert prints.count_before(time_us) == bisect_left(times_us, time_us)
    for number in {number + near for number in ids for near in (-1, 0, 1)}:
        assert prints.find(number) == bisect_left(ids, number)


def test_amounts_come_back_as_they_were_spelled() -> None:
    """Equal to price times quantity is not the same as spelled like it; a rounded one may be neither."""
    amounts = ["1.5", "1.50", "1.500", "15E-1", "1.49", "0", "1." + "5" * 58]
    price, quantity = Decimal("1.5"), Decimal("1.0")
    entries = [
        Print(number, START, price, quantity, Decimal(text), False)
        for number, text in enumerate(amounts, start=1)
    ]
    prints = filled(entries + ordinary(8), block=len(amounts), kept=1)
    assert prints.blocks()
    assert repr(prints[: len(amounts)]) == repr(entries)


def test_places_that_are_not_there() -> None:
    prints = filled(ordinary(20), **SMALL)
    for place in (20, -21):
        with pytest.raises(IndexError):
            prints[place]
    assert prints[25:30] == []
    assert Prints()[-1:] == []


def test_every_span_is_summed_exactly() -> None:
    entries = ordinary(30)
    prints = filled(entries, **SMALL)
    for low in range(30):
        for high in range(low + 1, 31):
            assert prints.sums(low, high) == summed(entries[low:high])


def test_a_packed_block_stays_the_same_object() -> None:
    """So what was written once need not be looked at again."""
    prints = filled(ordinary(50), **SMALL)
    before = prints.blocks()
    assert len(before) == 11
    for entry in ordinary(50, first=50):
        prints.append(entry)
    after = prints.blocks()
    assert len(after) == 24
    assert all(old is new for old, new in zip(before, after, strict=False))
    restored = Prints.restored(after, prints.tail(), **SMALL)
    assert all(old is new for old, new in zip(after, restored.blocks(), strict=True))


def test_what_was_written_with_another_length_goes_on_with_it() -> None:
    entries = ordinary(60)
    written = filled(entries[:40], block=4, kept=3)
    restored = Prints.restored(written.blocks(), written.tail(), block=16, kept=9)
    for entry in entries[40:]:
        restored.append(entry)
    assert list(restored) == entries
    assert restored.sums(1, 59) == summed(entries[1:59])
    assert 9 <= len(restored.tail()) <= 9 + 2 * 4 - 2


def test_nothing_is_packed_before_there_are_enough_new_ones() -> None:
    entries = ordinary(8)
    assert filled(entries[:7], block=4, kept=4).blocks() == ()
    assert filled(entries, block=4, kept=4).tail() == tuple(entries[4:])


def test_blocks_that_are_no_such_blocks_are_refused() -> None:
    one, other = filled(ordinary(9), block=4, kept=1), filled(ordinary(9), block=3, kept=1)
    with pytest.raises(ValueError, match="a block of 3 prints among blocks of 4"):
        Prints.restored(one.blocks() + other.blocks(), ())
    newer = msgspec.msgpack.decode(one.blocks()[0])
    newer[0] += 1
    with pytest.raises(msgspec.DecodeError):
        Prints.restored([msgspec.msgpack.encode(newer)], ())


def test_blocks_written_by_the_first_version_are_read() -> None:
    """Frozen: blocks are kept for as long as their history."""
    with exact():
        written = [
            Print(
                17, 1_790_000_000_000_000, Decimal("64000.50"), Decimal("0.10"), Decimal("6400.0500"), True
            ),
            Print(20, 1_790_000_000_000_000, Decimal("1E+2"), Decimal("3"), Decimal("300"), False),
        ]
    restored = Prints.restored([b64decode(FIRST_VERSION)], ())
    assert repr(list(restored)) == repr(written)
    assert restored.sums(0, 2) == summed(written)


FIRST_VERSION = (
    "lQECm6g2NDAwMC41MKg2NDAwMC41MKQxRSsypDFFKzKkMy4xMKk2NzAwLjA1MDACoTOjMzAwERTEGHgBmzRJkHnSeQ"
    "a26H+3VB8wMAAAMA0F2MQqeAGbMmmFmYmBgYGeqcESQ1dto0lLDPQMDRYaNzIuNjYwmHT4EAC4Awtr"
)


def test_old_prints_take_little_memory() -> None:
    prints = filled(ordinary(5_000), block=BLOCK, kept=KEPT)
    assert KEPT <= len(prints.tail()) < KEPT + BLOCK
    # Beside these bytes there are two integers of eight bytes each, and the sums of each block.
    assert sum(map(len, prints.blocks())) < 24 * (5_000 - len(prints.tail()))


def test_only_some_blocks_stay_unpacked() -> None:
    prints = filled(ordinary(4 * (UNPACKED_MAX + 3)), **SMALL)
    opened = prints[0]
    for number in range(1, UNPACKED_MAX):
        prints[4 * number]
    assert prints[0] is opened
    prints[4 * UNPACKED_MAX]
    assert prints[0] is opened, "the one looked into last went first"
    for number in range(1, UNPACKED_MAX + 1):
        prints[4 * number]
    again = prints[0]
    assert again == opened
    assert again is not opened


# Through the market


def busy(**sizes: int) -> World:
    """Trades by hand and by accounts between those of the feed, held and shifted prices among them."""
    script = [(second, str(100 + second % 7), "0.5") for second in range(-60, 400, 3)]
    world = World(moving(*script, alternating=True, depth=5, period_us=10 * SECOND), checked=False)
    traded = world.engine.state.markets[world.symbol]
    traded.prints = Prints(**sizes)
    for step in range(60):
        world.wait(6 * SECOND)
        if step == 30 and sizes:
            traded.prints = Prints.restored(traded.prints.blocks(), traded.prints.tail(), **sizes)
        match step % 5:
            case 0:
                world.place(world.alice, market(BUY if step % 2 else SELL, "2.7"))
            case 1:
                world.prints("95", "0.3", buyer_is_maker=True)
                world.prints("96", "0.25")
            case 2:
                world.price(str(90 + step % 20), PriceMode.SHIFT if step % 3 else PriceMode.HOLD)
            case 3:
                world.buy(world.alice, "0.1", "130")
                world.sell(world.bob, "0.2", "80")
            case _:
                pass
    return world


def asked(traded: Market, now_us: int) -> list[object]:
    """Everything that the tape answers, from the beginning until now."""
    marks = range(START - MINUTE, now_us + SECOND, 11 * SECOND)
    total = traded.trade_count(now_us)
    return [
        [traded.range(left, right) for left in marks for right in marks if left < right],
        [traded.candles(us, START - MINUTE, now_us, now_us) for us in (SECOND, 7 * SECOND, MINUTE)],
        [traded.trades(first, limit, now_us) for first in range(1, total + 1) for limit in (1, 6, total)],
        [(traded.last_print(time_us), traded.trade_count(time_us)) for time_us in marks],
        traded.next_trade_id(now_us),
        traded.average_price(now_us),
    ]


@pytest.mark.parametrize(("block", "kept"), [(1, 1), (4, 3), (7, 20)])
def test_a_market_answers_the_same_whatever_is_packed(block: int, kept: int) -> None:
    plain, packed = busy(), busy(block=block, kept=kept)
    ours, theirs = (world.engine.state.markets[world.symbol] for world in (packed, plain))
    assert not theirs.prints.blocks()
    assert len(ours.prints.blocks()) > 3
    assert packed.engine.fingerprint() == plain.engine.fingerprint()
    assert packed.replayed().fingerprint() == packed.engine.fingerprint()
    with exact():
        assert repr(asked(ours, packed.now)) == repr(asked(theirs, plain.now))
    assert_tape_agrees(packed.engine, packed.symbol, START - MINUTE, packed.now)
