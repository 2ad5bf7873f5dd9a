"""A local order book of a contract, kept by the documented procedure to the letter.

"How to manage a local order book correctly" of both futures sites: events that end before the snapshot are
dropped, the first one that is not has U <= lastUpdateId <= u, and pu of each later one is u of the one
before. What the procedure calls having missed events is a failure here: nothing is ever lost on the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

Side = dict[str, str]
"""Quantity by price, both as text."""


class FuturesBook:
    """Buffers events until it gets a snapshot."""

    def __init__(self) -> None:
        self.bids: Side = {}
        self.asks: Side = {}
        self.events = 0
        self._last_id: int | None = None
        self._applied_id: int | None = None
        self._snapshot_id: int | None = None
        self._buffered: list[Any] = []

    @property
    def has_begun(self) -> bool:
        return self._snapshot_id is not None

    def receive(self, event: Any) -> None:
        """The next event of the stream."""
        assert event["U"] <= event["u"]
        if self._last_id is not None:
            assert event["pu"] == self._last_id, "events were missed"
        assert event["b"] or event["a"], "an event without a change"
        self._last_id = event["u"]
        self.events += 1
        if self.has_begun:
            self._take(event)
        else:
            self._buffered.append(event)

    def begin(self, snapshot: Any) -> None:
        """Begin with what GET depth answered."""
        self._snapshot_id = snapshot["lastUpdateId"]
        self.bids, self.asks = dict(snapshot["bids"]), dict(snapshot["asks"])
        for event in self._buffered:
            self._take(event)
        self._buffered.clear()

    def _take(self, event: Any) -> None:
        assert self._snapshot_id is not None
        if self._applied_id is None:
            if event["u"] < self._snapshot_id:
                return
            assert event["U"] <= self._snapshot_id <= event["u"]
        else:
            assert event["pu"] == self._applied_id
        for side, changes in ((self.bids, event["b"]), (self.asks, event["a"])):
            for price, quantity in changes:
                if Decimal(quantity):
                    side[price] = quantity
                else:
                    side.pop(price, None)
        self._applied_id = event["u"]

    def differences(self, snapshot: Any) -> list[str]:
        """Where the book is not what GET depth answers for the same moment."""
        return [
            *_differences("bid", self.bids, dict(snapshot["bids"])),
            *_differences("ask", self.asks, dict(snapshot["asks"])),
        ]


def _differences(name: str, mine: Side, theirs: Side) -> Iterable[str]:
    for price in mine.keys() | theirs.keys():
        if mine.get(price) != theirs.get(price):
            yield f"{name} {price}: {mine.get(price)}, not {theirs.get(price)}"
