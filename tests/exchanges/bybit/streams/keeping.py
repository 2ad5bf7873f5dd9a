"""Copies of what is told, kept as the documents say, and strictly: what pybit would fail at fails."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any


class KeptBook:
    """A local book of one topic ("Orderbook", Process snapshot/delta)."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.levels = int(topic.split(".")[1])
        self.sides: dict[str, dict[str, str]] = {}
        self.number = 0
        self.sequence = 0
        self.snapshots = 0
        self.deltas = 0

    def receive(self, frame: Any) -> None:
        assert frame["topic"] == self.topic
        book = frame["data"]
        assert book["s"] == self.topic.split(".")[2]
        assert frame["ts"] >= frame["cts"]
        assert book["seq"] >= self.sequence
        self.sequence = book["seq"]
        if frame["type"] == "snapshot":
            self.snapshots += 1
            assert self.levels == 1 or self.snapshots == 1
            assert self.snapshots == 1 or book["u"] in (self.number, self.number + 1)
            self.sides = {side: dict(book[side]) for side in ("b", "a")}
        else:
            assert frame["type"] == "delta"
            assert self.snapshots
            assert self.levels > 1
            assert book["u"] == self.number + 1
            assert book["b"] or book["a"]
            self.deltas += 1
            for side in ("b", "a"):
                for price, size in book[side]:
                    if size == "0":
                        # KeyError, for a price that is not there: what pybit stops at.
                        del self.sides[side][price]
                    else:
                        assert Decimal(size)
                        self.sides[side][price] = size
        self.number = book["u"]
        for levels in self.sides.values():
            assert len(levels) <= self.levels

    def shown(self) -> dict[str, list[tuple[Decimal, Decimal]]]:
        """Both sides in order."""
        return {
            side: sorted(_numbers(levels.items()), reverse=side == "b") for side, levels in self.sides.items()
        }


def rest_book(result: Any) -> dict[str, list[tuple[Decimal, Decimal]]]:
    """What `GET orderbook` answers."""
    return {side: list(_numbers(result[side])) for side in ("b", "a")}


def _numbers(levels: Any) -> Iterator[tuple[Decimal, Decimal]]:
    for price, size in levels:
        yield Decimal(price), Decimal(size)


class KeptTicker:
    """A ticker of one topic: the snapshot with all that was told since ("Ticker")."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.fields: dict[str, str] = {}
        self.frames = 0

    def receive(self, frame: Any) -> None:
        assert frame["topic"] == self.topic
        self.frames += 1
        fields = frame["data"]
        assert fields["symbol"] == self.topic.split(".")[1]
        if frame["type"] == "snapshot":
            self.fields = dict(fields)
            return
        assert frame["type"] == "delta"
        changed = {name for name, value in fields.items() if self.fields[name] != value}
        # Nothing is told that did not change, but for the symbol.
        assert changed == fields.keys() - {"symbol"}
        assert changed
        self.fields.update(fields)
