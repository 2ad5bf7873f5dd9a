"""An engine survives everything that is done in a wallet of pairs, contracts and debts."""

from __future__ import annotations

import os
from decimal import Decimal
from random import Random

import pytest

from emulator.core.coverage import pledged
from emulator.core.events import InterestCharged, LiquidationBegun
from emulator.core.numbers import ZERO, exact
from emulator.core.order_lists import OrderList
from emulator.core.orders import Order
from tests.properties.test_everything import OnScript, OnSynthetic
from tests.properties.test_snapshot import Restoring
from tests.properties.unified_universe import WALLET, UnifiedUniverse, act

IS_LONG = os.environ.get("EMULATOR_TEST_LONG") == "1"
STEPS = 100 if IS_LONG else 60


class Scripted(UnifiedUniverse, OnScript):
    pass


class Synthetic(UnifiedUniverse, OnSynthetic):
    pass


class ScriptedRestoring(UnifiedUniverse, Restoring, OnScript):
    pass


def assert_loans_are_what_was_lent(universe: UnifiedUniverse) -> None:
    """Who lends has given what is owed of it, interest apart."""
    state = universe.engine.state
    lent: dict[str, Decimal] = {}
    with exact():
        for (_, _, asset), loan in state.loans.items():
            assert loan.total > 0
            lent[asset] = lent.get(asset, ZERO) + loan.principal
        booked = {asset: -amount for asset, amount in state.ledger.counterparties["loans"].items() if amount}
    assert {asset: amount for asset, amount in lent.items() if amount} == booked


def assert_what_is_pledged_is_what_orders_hold(universe: UnifiedUniverse) -> None:
    state = universe.engine.state
    with exact():
        for account in state.accounts.values():
            by_orders: dict[str, Decimal] = {}
            owners: list[Order | OrderList] = [*account.open_orders.values(), *account.open_lists.values()]
            for owner in owners:
                if owner.held and owner.wallet == WALLET:
                    by_orders[owner.hold_asset] = by_orders.get(owner.hold_asset, ZERO) + owner.held
            assert pledged(state, account, WALLET) == by_orders


@pytest.mark.parametrize("market", [Scripted, Synthetic])
@pytest.mark.parametrize("seed", range(40 if IS_LONG else 2))
def test_replayed(market: type[UnifiedUniverse], seed: int) -> None:
    dice = Random(seed)
    universe = market()
    universe.begin({1} if seed % 2 else set(), dice.randint(1, 40))
    for _ in range(STEPS):
        act(universe, dice)
        universe.is_sound()
        assert_loans_are_what_was_lent(universe)
        assert_what_is_pledged_is_what_orders_hold(universe)
    universe.end()


@pytest.mark.parametrize("seed", range(50, 90 if IS_LONG else 52))
def test_restored(seed: int) -> None:
    dice = Random(seed)
    universe = ScriptedRestoring()
    universe.begin(set(), dice.randint(1, 40))
    for step in range(STEPS):
        act(universe, dice)
        universe.is_sound()
        if step % 6 == 5:
            universe.restart()
    universe.end()


def test_debts_and_their_interest_come_about() -> None:
    """What the others go through is not only refusals."""
    seen: set[type] = set()
    for seed in range(12):
        dice = Random(seed)
        universe = Scripted()
        universe.begin(set(), dice.randint(1, 40))
        for _ in range(120):
            act(universe, dice)
        seen |= {type(event) for _, events in universe.history for event in events}
        if seen >= {InterestCharged, LiquidationBegun}:
            return
    pytest.fail("nobody owed anything, or nobody was liquidated")
