"""A local order book, kept by the documented procedure to the letter.

web-socket-streams.md, "How to manage a local order book correctly". What the procedure calls having missed
events is a failure here: nothing is ever lost on the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Side = dict[str, str]
"""Quantity by price, both as text."""


class LocalBook:
    """Buffers events until it gets a snapshot."""

    def __init__(self) -> None:
        self.bids: Side = {}
        self.asks: Side = {}
        self.update_id = 0
        self.events = 0
        self._buffered: list[Any] = []
        self._last_id: int | None = None
        self._has_begun = False

    def receive(self, event: Any) -> None:
        """The next event of the stream."""
        assert event["U"] <= event["u"]
        if self._last_id is not None:
            assert event["U"] == self._last_id + 1
        assert event["b"] or event["a"], "an event without a change"
        self._last_id = event["u"]
        self.events += 1
        if self._has_begun:
            self._apply(event)
        else:
            self._buffered.append(event)

    def begin(self, snapshot: Any) -> bool:
        """Begin with what GET depth answered; False when that is older than the events: ask again."""
        last_id = snapshot["lastUpdateId"]
        if self._buffered and last_id < self._buffered[0]["U"]:
            return False
        self.bids, self.asks = sides(snapshot)
        self.update_id = last_id
        self._has_begun = True
        kept = [event for event in self._buffered if event["u"] > last_id]
        if kept:
            assert kept[0]["U"] <= last_id + 1 <= kept[0]["u"]
        for event in kept:
            self._apply(event)
        self._buffered.clear()
        return True

    def _apply(self, event: Any) -> None:
        if event["u"] <= self.update_id:
            return
        assert event["U"] <= self.update_id + 1, "events were missed"
        for side, changes in ((self.bids, event["b"]), (self.asks, event["a"])):
            for price, quantity in changes:
                if quantity == "0.00000000":
                    side.pop(price, None)
                else:
                    side[price] = quantity
        self.update_id = event["u"]

    def differences(self, snapshot: Any) -> list[str]:
        """Where the book is not what GET depth answers for the same moment."""
        bids, asks = sides(snapshot)
        return [*_differences("bid", self.bids, bids), *_differences("ask", self.asks, asks)]


def sides(snapshot: Any) -> tuple[Side, Side]:
    return dict(snapshot["bids"]), dict(snapshot["asks"])


def _differences(name: str, mine: Side, theirs: Side) -> Iterable[str]:
    for price in mine.keys() | theirs.keys():
        if mine.get(price) != theirs.get(price):
            yield f"{name} {price}: {mine.get(price)}, not {theirs.get(price)}"
