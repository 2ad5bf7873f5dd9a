"""The trades that were laid over the feed of one instrument, all of them, for as long as it lives.

Memory: the newest are objects, older ones are packed in blocks of equal length, some forty bytes a
trade. Cost: whole blocks are summed once, so the sums of any span cost a walk over the blocks in it.
A packed block never changes and is the same object for ever, so it has to be written down only once.

What is in a block is what came in, digit for digit; how it is compressed may differ between machines,
so nothing compares or hashes the bytes.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from decimal import Context, Decimal
from itertools import accumulate, compress
from operator import not_, sub
from typing import NamedTuple, overload

import msgspec

from emulator.core.numbers import PRECISION, ZERO, exact

BLOCK = 256
"""Longer ones take less memory, and make a day's sums cheaper; shorter ones make a thousand candles
cheaper, since both ends of each fall into a block that has to be unpacked for it."""

KEPT = 2_048
UNPACKED_MAX = 32
"""So many blocks stay unpacked after they were looked into: some three megabytes an instrument."""


class Print(NamedTuple):
    """One trade of the tape. `amount` is price times quantity in quote asset.

    Without a quantity, it stands for a trade outside the book, which is not shown and has a number; its price
    is the last one before it.
    """

    id: int
    time_us: int
    price: Decimal
    quantity: Decimal
    amount: Decimal
    buyer_is_maker: bool


class Sums(NamedTuple):
    """Successive prints, summed; `taker_*` is what buyers took. `first` and `last` are ids."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    taker_volume: Decimal
    taker_quote_volume: Decimal
    first: int
    last: int


class _Block(msgspec.Struct, frozen=True, array_like=True, tag_field="format", tag=1):
    """One block as it is kept and written; ids and times apart, because they are wanted without the rest."""

    trades: int
    sums: Sums
    columns: bytes
    amounts: bytes


class _Columns(msgspec.Struct, frozen=True, array_like=True):
    """The first id and time, and of every other print the difference from the one before."""

    ids: list[int]
    times_us: list[int]


class _Amounts(msgspec.Struct, frozen=True, array_like=True):
    """`amounts` has those that are not spelled like price times quantity, which few or none are."""

    prices: list[Decimal]
    quantities: list[Decimal]
    amounts: dict[int, Decimal]
    buyers_are_makers: list[bool]


FASTEST = 1
"""A level of zlib: the default one takes six times as long for a tenth less."""

_encode = msgspec.msgpack.Encoder(decimal_format="string").encode
_decode_block = msgspec.msgpack.Decoder(_Block).decode
_decode_columns = msgspec.msgpack.Decoder(_Columns).decode
_decode_amounts = msgspec.msgpack.Decoder(_Amounts).decode

# Never raises: an amount that is not this product, rounded or not, is kept beside it.
_multiply = Context(prec=PRECISION, traps=[]).multiply


class Prints(Sequence[Print]):
    """An append-only sequence; ids ascend, times do not descend.

    block: how many prints are packed together. kept: so many of the newest, at least, stay objects.
    Neither changes any answer.
    """

    __slots__ = (
        "_block",
        "_blocks",
        "_completes_at",
        "_ids",
        "_kept",
        "_sums",
        "_tail",
        "_times_us",
        "_unpacked",
    )

    def __init__(self, *, block: int = BLOCK, kept: int = KEPT) -> None:
        assert block > 0
        assert kept > 0, "the newest is always at hand"
        self._block = block
        self._kept = kept
        self._blocks: list[bytes] = []
        self._tail: list[Print] = []
        self._ids = array("q")
        self._times_us = array("q")
        self._sums: list[Sums] = []  # of every complete block, packed or not
        self._completes_at = block  # as a length of the tail, which begins with a block
        self._unpacked: dict[int, list[Print]] = {}  # the one used last is the last one

    @classmethod
    def restored(
        cls, blocks: Iterable[bytes], tail: Iterable[Print], *, block: int = BLOCK, kept: int = KEPT
    ) -> Prints:
        """What `blocks()` and `tail()` were taken from; blocks that were written longer or shorter stay so.

        Raises msgspec.DecodeError, zlib.error or ValueError for bytes that no `Prints` made.
        """
        packed = list(blocks)
        prints = cls(block=_decode_block(packed[0]).trades if packed else block, kept=kept)
        for written in packed:
            read = _decode_block(written)
            columns = _decode_columns(zlib.decompress(read.columns))
            if not read.trades == prints._block == len(columns.ids) == len(columns.times_us):
                raise ValueError(f"a block of {read.trades} prints among blocks of {prints._block}")
            prints._blocks.append(written)
            prints._sums.append(read.sums)
            prints._ids.extend(accumulate(columns.ids))
            prints._times_us.extend(accumulate(columns.times_us))
        for entry in tail:
            prints.append(entry)
        return prints

    def append(self, entry: Print) -> None:
        self._ids.append(entry.id)
        self._times_us.append(entry.time_us)
        tail = self._tail
        tail.append(entry)
        if len(tail) == self._completes_at:
            self._complete()

    def _complete(self) -> None:
        """Sum the block that is complete now, and pack what is no longer among the newest."""
        block, tail = self._block, self._tail
        with exact():
            self._sums.append(_summed(tail[-block:]))
        while len(tail) - block >= self._kept:
            number = len(self._blocks)
            self._blocks.append(_pack(tail[:block], self._sums[number]))
            del tail[:block]
        self._completes_at = len(tail) + block

    # Written down

    def blocks(self) -> tuple[bytes, ...]:
        """The packed blocks, oldest first; what was there before is there still, as the same objects."""
        return tuple(self._blocks)

    def tail(self) -> tuple[Print, ...]:
        """The prints that follow the packed blocks."""
        return tuple(self._tail)

    # Finding: an ordinal is a place in the sequence, from 0

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def last(self) -> Print | None:
        return self._tail[-1] if self._tail else None

    @property
    def first_us(self) -> int | None:
        """When the oldest was made."""
        return self._times_us[0] if self._times_us else None

    def time_at(self, ordinal: int) -> int:
        """When a print was made, without unpacking it."""
        return self._times_us[ordinal]

    def count_until(self, time_us: int) -> int:
        """How many were made at or before a time."""
        return bisect_right(self._times_us, time_us)

    def count_before(self, time_us: int) -> int:
        """How many were made before a time; the ordinal of the first one made at it or later."""
        return bisect_left(self._times_us, time_us)

    def find(self, first_id: int) -> int:
        """The ordinal of the first print with this id or a higher one."""
        return bisect_left(self._ids, first_id)

    @overload
    def __getitem__(self, place: int) -> Print: ...

    @overload
    def __getitem__(self, place: slice) -> list[Print]: ...

    def __getitem__(self, place: int | slice) -> Print | list[Print]:
        if isinstance(place, slice):
            low, high, step = place.indices(len(self))
            assert step == 1, "prints are read in their order"
            return self.between(low, high)
        ordinal = range(len(self))[place]
        packed = len(self._blocks) * self._block
        if ordinal >= packed:
            return self._tail[ordinal - packed]
        number, within = divmod(ordinal, self._block)
        return self._opened(number)[within]

    def __iter__(self) -> Iterator[Print]:
        for number in range(len(self._blocks)):
            yield from self._opened(number)
        yield from self._tail

    def between(self, low: int, high: int) -> list[Print]:
        """The prints of ordinals [low, high)."""
        block = self._block
        packed = len(self._blocks) * block
        if low >= packed:
            return self._tail[low - packed : max(high - packed, 0)]
        listed: list[Print] = []
        for number in range(low // block, -(-min(high, packed) // block)):
            start = number * block
            listed += self._opened(number)[max(low - start, 0) : high - start]
        if high > packed:
            listed += self._tail[: high - packed]
        return listed

    def _opened(self, number: int) -> list[Print]:
        """The prints of a packed block."""
        unpacked = self._unpacked
        listed = unpacked.pop(number, None)
        if listed is None:
            low, high = number * self._block, (number + 1) * self._block
            listed = _unpack(self._blocks[number], self._ids[low:high], self._times_us[low:high])
            if len(unpacked) == UNPACKED_MAX:
                del unpacked[next(iter(unpacked))]
        unpacked[number] = listed
        return listed

    # Summing

    def sums(self, low: int, high: int) -> Sums:
        """The sums of ordinals [low, high), of which there is at least one."""
        assert 0 <= low < high <= len(self)
        block = self._block
        first, end = -(-low // block), high // block
        with exact():
            if first >= end:
                return _summed(self.between(low, high))
            parts = self._sums[first:end]
            if low < first * block:
                parts.insert(0, _summed(self.between(low, first * block)))
            if end * block < high:
                parts.append(_summed(self.between(end * block, high)))
            return _joined(parts)


def _summed(prints: list[Print]) -> Sums:
    ids, _, prices, quantities, amounts, buyers_are_makers = zip(*prints, strict=True)
    bought = list(map(not_, buyers_are_makers))
    return Sums(
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=sum(quantities, ZERO),
        quote_volume=sum(amounts, ZERO),
        trades=len(prints),
        taker_volume=sum(compress(quantities, bought), ZERO),
        taker_quote_volume=sum(compress(amounts, bought), ZERO),
        first=ids[0],
        last=ids[-1],
    )


def _joined(parts: list[Sums]) -> Sums:
    _, highs, lows, _, volumes, quote_volumes, trades, taker_volumes, taker_quote_volumes, _, _ = zip(
        *parts, strict=True
    )
    return Sums(
        open=parts[0].open,
        high=max(highs),
        low=min(lows),
        close=parts[-1].close,
        volume=sum(volumes, ZERO),
        quote_volume=sum(quote_volumes, ZERO),
        trades=sum(trades),
        taker_volume=sum(taker_volumes, ZERO),
        taker_quote_volume=sum(taker_quote_volumes, ZERO),
        first=parts[0].first,
        last=parts[-1].last,
    )


def _pack(prints: list[Print], sums: Sums) -> bytes:
    ids, times_us, prices, quantities, amounts, sides = map(list, zip(*prints, strict=True))
    columns = _Columns(_differences(ids), _differences(times_us))
    products = map(_multiply, prices, quantities)
    odd = {
        place: amount
        for place, (amount, product) in enumerate(zip(amounts, products, strict=True))
        if amount.compare_total(product)  # Equal is not enough: 1.50 is to come back as 1.50.
    }
    return _encode(
        _Block(
            trades=len(prints),
            sums=sums,
            columns=zlib.compress(_encode(columns), FASTEST),
            amounts=zlib.compress(_encode(_Amounts(prices, quantities, odd, sides)), FASTEST),
        )
    )


def _differences(ascending: list[int]) -> list[int]:
    return [ascending[0], *map(sub, ascending[1:], ascending)]


def _unpack(block: bytes, ids: Iterable[int], times_us: Iterable[int]) -> list[Print]:
    read = _decode_amounts(zlib.decompress(_decode_block(block).amounts))
    amounts = list(map(_multiply, read.prices, read.quantities))
    for place, amount in read.amounts.items():
        amounts[place] = amount
    return list(map(Print, ids, times_us, read.prices, read.quantities, amounts, read.buyers_are_makers))
