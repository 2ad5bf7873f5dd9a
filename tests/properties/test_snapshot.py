"""An engine that was restored from a snapshot goes on exactly as the one that was captured."""

from __future__ import annotations

import random

import pytest
from hypothesis import settings
from hypothesis.stateful import rule

from emulator.core.engine import Engine
from tests.core.invariants import (
    assert_accounts_know_their_orders,
    assert_books_balance,
    assert_holds_are_explained,
    assert_orders_are_where_they_say,
)
from tests.core.sameness import assert_same
from tests.core.world import MINUTE
from tests.properties.dice import act
from tests.properties.effort import seeds
from tests.properties.machine import Machine, steps_us
from tests.properties.test_everything import OnScript, OnSynthetic
from tests.properties.universe import ACCOUNTS, SYMBOLS, Universe


class Restoring(Universe):
    """The twin, which is told every command too and must do the same, comes out of a snapshot.

    Each later one is made from the twin before, so that what is lost once is lost for good.
    """

    def restart(self) -> None:
        parts = list(self.engine.capture().parts())
        assert all(len(part) <= 256 * 1024 for part in parts)
        if self.twin is not None:
            assert list(self.twin.capture().parts()) == parts, "equal states, other bytes"
        twin = self.restored(parts)
        assert_same(self.engine, twin)
        self.twin = twin

    def restored(self, parts: list[bytes]) -> Engine:
        engine = self.make_engine()
        engine.restore(parts)
        return engine

    def is_sound(self) -> None:
        super().is_sound()
        if self.twin is not None:
            # Its views begin late, so what they say of the time before is not asked.
            assert_books_balance(self.twin)
            assert_holds_are_explained(self.twin)
            assert_orders_are_where_they_say(self.twin)
            assert_accounts_know_their_orders(self.twin)

    def wait(self, step_us: int) -> None:
        due = None if self.twin is None else self.twin.next_due_us(self.now)
        before = len(self.history)
        super().wait(step_us)
        if self.twin is not None and len(self.history) > before:
            assert due is not None
            assert due <= self.history[before][0], "what happened was not announced"

    def end(self) -> None:
        """At the end too, and looking ahead from the same moment both see the same."""
        super().end()
        assert self.twin is not None
        assert_same(self.engine, self.twin)
        for engine in (self.engine, self.twin):
            engine.state.touched.update(self.symbols)
            engine.state.disturbed.update(dict.fromkeys(engine.state.accounts))
        assert self.twin.next_due_us(self.now) == self.engine.next_due_us(self.now)


class OnScriptRestoring(Restoring, OnScript):
    pass


class OnSyntheticRestoring(Restoring, OnSynthetic):
    pass


@pytest.mark.parametrize("market", [OnScriptRestoring, OnSyntheticRestoring])
@pytest.mark.parametrize("seed", seeds(100, 6, campaign=60))
def test_seeded(market: type[Restoring], seed: int) -> None:
    dice = random.Random(seed)
    universe = market()
    universe.begin({account for account in ACCOUNTS if dice.random() < 0.5}, dice.randint(20, 80))
    only = SYMBOLS[seed // 2 % len(SYMBOLS)]
    for step in range(100):
        act(universe, dice, dice.choice(SYMBOLS) if seed % 2 else only)
        universe.is_sound()
        if step % 6 == 5:
            universe.restart()
    universe.end()


@pytest.mark.parametrize("seed", range(200, 206))
def test_what_happens_later_is_not_in_it(seed: int) -> None:
    dice = random.Random(seed)
    universe = OnScriptRestoring()
    universe.begin(set(ACCOUNTS), 80)
    for _ in range(60):
        act(universe, dice, dice.choice(SYMBOLS))
    capture, parts = universe.engine.capture(), list(universe.engine.capture().parts())
    told = universe.engine.fingerprint()
    for _ in range(60):
        act(universe, dice, dice.choice(SYMBOLS))
    universe.now += MINUTE
    universe.settle()
    assert universe.engine.fingerprint() != told
    assert list(capture.parts()) == parts
    assert universe.restored(parts).fingerprint() == told


class ScriptedMachine(Restoring, Machine, OnScript):
    restart = rule()(Restoring.restart)
    wait = rule(step_us=steps_us)(Restoring.wait)


class SyntheticMachine(Restoring, Machine, OnSynthetic):
    restart = rule()(Restoring.restart)
    wait = rule(step_us=steps_us)(Restoring.wait)


MANY = settings(max_examples=30, stateful_step_count=30, deadline=None)

TestOnScript = ScriptedMachine.TestCase
TestOnScript.settings = MANY
TestOnSynthetic = SyntheticMachine.TestCase
TestOnSynthetic.settings = MANY
