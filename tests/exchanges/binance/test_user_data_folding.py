"""Who keeps orders and balances by an account's events alone has what the exchange has, after anything.

A seeded workload of everything that may be asked of an engine, on three accounts, two of them of one
trade group; after each few commands what was folded is compared with the core's own records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core.engine import Done, Engine
from emulator.core.markets import Feed
from emulator.core.numbers import exact
from emulator.exchanges.binance.spot.holdings import holdings
from emulator.exchanges.binance.vocabulary import ORDER_STATUS_WORDS, render_amount
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.ports import ClockMode, EnginePort
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from tests.core.world import SPOT, START
from tests.exchanges.binance.listening import Event, Listener
from tests.properties.dice import act
from tests.properties.universe import ACCOUNTS, ASSETS, INSTRUMENTS, RULES, SYMBOLS, Universe
from tests.runtime.universe import FailingJournal

pytestmark = pytest.mark.anyio

ENDED = {"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}


class Wishes(Universe):
    """Collects the commands of a workload instead of executing them, by the state that a sandbox is in."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.commands: list[c.Command] = []
        self.waits_us = 0

    @property
    def engine(self) -> Engine:  # type: ignore[override]  # it is the sandbox's, and may be replaced
        return self._sandbox.engines["binance"]

    @property
    def now(self) -> int:  # type: ignore[override]  # likewise
        return self._sandbox.clock.now_us()

    def do(self, command: c.Command) -> Done:
        self.commands.append(command)
        return Done(())

    def wait(self, step_us: int) -> None:
        self.waits_us += step_us

    def restart(self) -> None:
        pass


class Ledger:
    """What a client knows of one account from its events."""

    def __init__(self, sandbox: Sandbox, account: int) -> None:
        self.account = account
        self.orders: dict[int, Event] = {}
        self.traded: dict[int, tuple[Decimal, Decimal]] = {}
        self.lists: dict[int, Event] = {}
        self.balances: dict[str, tuple[str, str]] = {
            one.asset: (render_amount(one.free), render_amount(one.held))
            for one in holdings(sandbox.engines["binance"], account, SPOT)
        }
        self.locked: dict[str, Decimal] = {}
        self.last_execution = 0
        self.listener = Listener(sandbox, str(account))

    def fold(self) -> int:
        """Take in what was heard; how many events it was."""
        heard = self.listener.take()
        for event in heard:
            match event["e"]:
                case "executionReport":
                    self._report(event)
                case "outboundAccountPosition":
                    for balance in event["B"]:
                        self.balances[balance["a"]] = (balance["f"], balance["l"])
                case "listStatus":
                    self._list(event)
                case "balanceUpdate":
                    self._movement(event)
                case "externalLockUpdate":
                    self._lock(event)
                case other:
                    raise AssertionError(other)
        return len(heard)

    def _report(self, report: Event) -> None:
        assert report["I"] > self.last_execution, "execution ids grow"
        self.last_execution = report["I"]
        before = self.orders.get(report["i"])
        assert before is not None or report["x"] == "NEW", "an order begins by being new"
        quantity, amount = self.traded.get(report["i"], (Decimal(0), Decimal(0)))
        with exact():
            quantity, amount = quantity + Decimal(report["l"]), amount + Decimal(report["Y"])
        self.traded[report["i"]] = quantity, amount
        assert (Decimal(report["z"]), Decimal(report["Z"])) == (quantity, amount)
        if before is not None:
            assert before["X"] not in ENDED, "nothing comes after the end"
            if report["x"] == "REPLACED":
                assert report["C"] == before["c"]
        assert ("eR" in report) <= (report["x"] == "EXPIRED")
        self.orders[report["i"]] = report

    def _list(self, status: Event) -> None:
        before = self.lists.get(status["g"])
        assert (before is None) is (status["l"] == "EXEC_STARTED")
        assert before is None or before["L"] == "EXECUTING"
        assert [one["i"] for one in status["O"]] == sorted(
            report["i"] for report in self.orders.values() if report["g"] == status["g"]
        ), "the legs have been reported before"
        self.lists[status["g"]] = status

    def _movement(self, update: Event) -> None:
        free, held = self.balances.get(update["a"], ("0", "0"))
        with exact():
            self.balances[update["a"]] = (render_amount(Decimal(free) + Decimal(update["d"])), held)

    def _lock(self, update: Event) -> None:
        free, held = self.balances.get(update["a"], ("0", "0"))
        with exact():
            change = Decimal(update["d"])
            self.balances[update["a"]] = (
                render_amount(Decimal(free) - change),
                render_amount(Decimal(held) + change),
            )
            self.locked[update["a"]] = self.locked.get(update["a"], Decimal(0)) + change

    def compare(self, engine: Engine) -> None:
        """It is what the core has."""
        mine = {i: order for i, order in engine.views.orders.items() if order.account == self.account}
        assert self.orders.keys() == mine.keys()
        for order_id, order in mine.items():
            report = self.orders[order_id]
            client_id = report["C"] if report["x"] == "CANCELED" else report["c"]
            assert (report["X"], client_id) == (ORDER_STATUS_WORDS[order.status], order.client_id)
            assert Decimal(report["z"]) == order.executed
            assert Decimal(report["Z"]) == order.executed_amount
            assert Decimal(report["q"]) == (order.quantity or 0)
            assert Decimal(report.get("A", "0")) == order.prevented
            assert report.get("W", 0) == order.working_us // 1000
        lists = {i: one for i, one in engine.views.lists.items() if one.account == self.account}
        assert self.lists.keys() == lists.keys()
        for list_id, order_list in lists.items():
            done = order_list.status.value == "done"
            assert self.lists[list_id]["L"] == ("ALL_DONE" if done else "EXECUTING")
        locked = {asset: amount for asset, amount in self.locked.items() if amount}
        assert locked == {
            asset: amount
            for (account, wallet, asset), amount in engine.state.locked.items()
            if account == self.account and wallet == SPOT
        }
        assert self.balances == {
            one.asset: (render_amount(one.free), render_amount(one.held))
            for one in holdings(engine, self.account, SPOT)
        }


async def provision(sandbox: Sandbox) -> None:
    dice = Random(sandbox.name)
    funds = dice.randint(1, 80)
    for account in ACCOUNTS:
        assert await sandbox.open_account(str(account), 7 if account < 3 else 0) == account
        for asset in ASSETS:
            amount = Decimal(funds * (100 if asset == "USDT" else 1))
            await sandbox.submit(
                "binance", c.Deposit(account=account, wallet=SPOT, asset=asset, amount=amount)
            )
        await sandbox.submit("binance", c.SetFeePayment(account=account, discounted=dice.random() < 0.5))


def make_engines(seed: int) -> Mapping[str, EnginePort]:
    feed: Feed = SyntheticFeed(seed)
    listed = {one.symbol: one for one in INSTRUMENTS}
    return {"binance": Engine("binance", listed, feed, (SPOT, "funding"), RULES)}


@pytest.mark.parametrize("seed", range(10))
async def test_seeded(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    journal = FailingJournal()
    sandboxes = Sandboxes(
        journal=journal,
        make_engines=make_engines,
        provision=provision,
        wall_ns=lambda: START * 1000,
        clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=START),
    )
    await sandboxes.open()
    try:
        sandbox = await sandboxes.create(f"seed-{seed}", seed=seed)
        journal.turns = seed % 4
        await run(sandbox, Random(seed))
    finally:
        await sandboxes.close()
    assert not caplog.records


async def run(sandbox: Sandbox, dice: Random) -> None:
    ledgers = [Ledger(sandbox, account) for account in ACCOUNTS]
    wishes = Wishes(sandbox)
    heard = 0
    for _ in range(60):
        for _ in range(dice.randint(1, 4)):
            act(wishes, dice, dice.choice(SYMBOLS))
        commands, wishes.commands = wishes.commands, []
        requests: list[Any] = [sandbox.submit("binance", command) for command in commands]
        await asyncio.gather(*requests)
        if wishes.waits_us:
            await sandbox.step_clock(wishes.waits_us)
            wishes.waits_us = 0
        for ledger in ledgers:
            heard += ledger.fold()
            ledger.compare(sandbox.engines["binance"])
    assert heard > 100, "the workload did something"
