"""An engine survives every sequence of what is done with contracts, and no position is but what was traded.

How often the rarer things were met is counted: a machine that never reaches them would say nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from emulator.core.rules import LeverageScope
from tests.properties.contract_machine import ContractMachine, ContractUniverse, roll_contracts
from tests.properties.test_everything import OnScript
from tests.properties.test_snapshot import Restoring

MANY = settings(max_examples=14, stateful_step_count=35, deadline=None)
FEWER = settings(max_examples=12, stateful_step_count=35, deadline=None)

SEEDS = 5
MET = {
    "hedged trade": 50,
    "one-way trade": 40,
    "isolated trade": 40,
    "cross trade": 40,
    "liquidation": 5,
    "funding": 3,
    "delivery": 1,
    "mode changed": 2,
    "taken out": 3,
    "exchanged": 3,
    "discounted fee": 10,
}
"""How often at least, in all seeds of `test_seeded` together."""


class Replaying(ContractMachine, OnScript):
    pass


class ByLeg(ContractMachine, OnScript):
    """Isolated legs have leverages of their own, and margin follows them."""

    scope = LeverageScope.ISOLATED_LEG
    refits = True


class FromSnapshots(Restoring, ContractMachine, OnScript):
    restart = rule()(Restoring.restart)


def run(machine: type[RuleBasedStateMachine], many: settings) -> None:
    assert issubclass(machine, ContractMachine)
    before = machine.seen.copy()
    run_state_machine_as_test(machine, settings=many)
    met = machine.seen - before
    # Which and how many differs from run to run, but hedge mode is no exception in any.
    assert met["hedged trade"] > 5, met


def test_replayed() -> None:
    run(Replaying, MANY)


def test_with_leverages_of_legs() -> None:
    run(ByLeg, FEWER)


def test_from_snapshots() -> None:
    run(FromSnapshots, FEWER)


class Rolled(ContractUniverse, OnScript):
    seen: ClassVar[Counter[str]] = Counter()


class RolledByLeg(ContractUniverse, OnScript):
    scope = LeverageScope.ISOLATED_LEG
    refits = True
    seen: ClassVar[Counter[str]] = Counter()


@pytest.mark.parametrize("market", [Rolled, RolledByLeg])
def test_seeded(market: type[ContractUniverse]) -> None:
    """Denser than what Hypothesis draws, and the same in every run, so that it is known what was met."""
    for seed in range(SEEDS):
        roll_contracts(market(), seed, steps=60)
    for what, at_least in MET.items():
        assert market.seen[what] >= at_least, (what, market.seen)
