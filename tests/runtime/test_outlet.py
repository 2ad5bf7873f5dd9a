"""What is told of a sandbox leaves in order, and never before the journal holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

from emulator.core.commands import Deposit
from emulator.core.events import AmountDeposited, Event
from emulator.runtime.outlet import Outlet
from tests.runtime.universe import Universe


def _told(into: list[str], word: str) -> Callable[[], None]:
    return lambda: into.append(word)


def test_what_is_durable_already_is_told_at_once() -> None:
    told: list[str] = []
    outlet = Outlet(3)
    outlet.say(3, _told(told, "seen"))
    assert told == ["seen"]


def test_what_is_not_durable_waits_and_keeps_its_place() -> None:
    told: list[str] = []
    outlet = Outlet(3)
    outlet.note(_told(told, "first"))
    outlet.note(_told(told, "second"))
    outlet.decided(4)
    outlet.say(3, _told(told, "older, but said later"))
    outlet.say(5, _told(told, "next"))
    assert (told, outlet.held) == ([], 4)
    outlet.durable(4)
    assert told == ["first", "second", "older, but said later"]
    outlet.durable(5)
    assert told[3:] == ["next"]


def test_what_did_not_happen_is_not_told() -> None:
    told: list[str] = []
    outlet = Outlet(0)
    outlet.note(_told(told, "half of a command that raised"))
    outlet.void()
    outlet.note(_told(told, "of an engine that is well"))
    noted = len(outlet.noted)
    outlet.note(_told(told, "of another one that raised"))
    outlet.void(noted)
    outlet.decided(1)
    outlet.durable(1)
    assert told == ["of an engine that is well"]


def test_a_listener_that_raises_keeps_nothing_from_the_others() -> None:
    told: list[str] = []
    outlet = Outlet(0)

    def fail() -> None:
        raise RuntimeError("a defect of a listener")

    outlet.say(1, fail)
    outlet.say(1, _told(told, "others"))
    outlet.durable(1)
    assert told == ["others"]


class _Listener:
    """Notes every deposit as it is applied, and the end of every command."""

    def __init__(self, universe: Universe, told: list[str]) -> None:
        self._sandbox = universe.sandboxes.default
        self._told = told

    def happened(self, event: Event, now_us: int) -> None:
        if isinstance(event, AmountDeposited):
            self._sandbox.outlet.note(_told(self._told, f"{event.amount}"))

    def settled(self, now_us: int) -> None:
        self._sandbox.outlet.note(_told(self._told, "settled"))


def test_an_observer_is_heard_when_the_journal_holds_what_it_saw() -> None:
    async def story() -> None:
        universe = Universe()
        await universe.sandboxes.open()
        sandbox = universe.sandboxes.default
        account = await sandbox.open_account("observed")
        told: list[str] = []
        ignore = sandbox.observe("north", _Listener(universe, told))
        universe.journal.gate = asyncio.Event()
        deposit = Deposit(account=account, wallet="spot", asset="USDT", amount=Decimal(5))
        answer = asyncio.create_task(sandbox.submit("north", deposit))
        for _ in range(10):
            await asyncio.sleep(0)
        assert sandbox.outlet.held == 2
        assert told == [], "a push told of what the journal does not hold"
        universe.journal.gate.set()
        await answer
        assert told == ["5", "settled"]
        ignore()
        await sandbox.submit("north", deposit)
        assert told == ["5", "settled"]
        await universe.sandboxes.close()

    asyncio.run(story())
