"""Somebody who listens to accounts of a sandbox and remembers every event, in the order of delivery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from emulator.exchanges.binance.spot.user_data import ACCOUNT_HUBS, AccountEvent
from emulator.runtime.sandbox import Sandbox

Event = dict[str, Any]


class Listener:
    """One account's events, as clients with a unit of time of `divisor` microseconds read them."""

    def __init__(self, sandbox: Sandbox, who: str = "demo", *, divisor: int = 1000) -> None:
        self.heard: list[Event] = []
        self.events: list[AccountEvent] = []
        self.on_event: Callable[[AccountEvent], None] | None = None
        self._divisor = divisor
        self.leave = ACCOUNT_HUBS.of(sandbox).subscribe(sandbox.accounts[who], self._hear)

    def _hear(self, event: AccountEvent) -> None:
        self.events.append(event)
        self.heard.append(orjson.loads(event.encoded(self._divisor)))
        if self.on_event is not None:
            self.on_event(event)

    def take(self) -> list[Event]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard

    def story(self) -> list[str]:
        """What was heard since the last time, a few words each."""
        return [words(event) for event in self.take()]

    def reports(self, order_id: int | None = None) -> list[Event]:
        """The execution reports since the last time, of one order or of all."""
        return [
            event
            for event in self.take()
            if event["e"] == "executionReport" and order_id in (None, event["i"])
        ]


def words(event: Event) -> str:
    match event["e"]:
        case "executionReport":
            return f"{event['i']} {event['x']} {event['X']}"
        case "listStatus":
            return f"list {event['g']} {event['l']} {event['L']}"
        case "outboundAccountPosition":
            return "position " + " ".join(balance["a"] for balance in event["B"])
        case "balanceUpdate":
            return f"{event['a']} {event['d']}"
    return str(event["e"])
