"""An engine survives everything that is done with contracts, again from its journal or a snapshot too."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest

from emulator.core import commands as c
from emulator.core.positions import MarginMode
from emulator.core.rules import LeverageScope
from tests.properties import dice as spot_dice
from tests.properties.effort import IS_LONG, seeds
from tests.properties.futures_universe import CONTRACTS, PAIR, FuturesUniverse, act
from tests.properties.test_everything import OnScript, OnSynthetic
from tests.properties.test_snapshot import Restoring
from tests.properties.universe import ACCOUNTS


class Scripted(FuturesUniverse, OnScript):
    pass


class Synthetic(FuturesUniverse, OnSynthetic):
    pass


class ScriptedRestoring(FuturesUniverse, Restoring, OnScript):
    pass


class ByLeg(FuturesUniverse, OnScript):
    """Isolated legs have leverages of their own, and margin follows them."""

    scope = LeverageScope.ISOLATED_LEG
    refits = True

    def begin(self, discounted: set[int], funds: int) -> None:
        super().begin(discounted, funds)
        isolate(self, hedged=True)


class ByOrder(FuturesUniverse, OnScript):
    """Orders under isolated margin bring leverages of their own."""

    scope = LeverageScope.ISOLATED_ORDER

    def begin(self, discounted: set[int], funds: int) -> None:
        super().begin(discounted, funds)
        isolate(self, hedged=bool(funds % 2))


class InOneWallet(FuturesUniverse, OnScript):
    """Pairs are traded with what covers the contracts that settle in their quote asset."""

    pair_wallet = "usdm"

    def begin(self, discounted: set[int], funds: int) -> None:
        super().begin(discounted, funds)
        for account in ACCOUNTS:
            for asset, amount in (("USDT", 100 * funds), ("BTC", funds)):
                self.do(c.Deposit(account=account, wallet="usdm", asset=asset, amount=Decimal(amount)))


def isolate(universe: FuturesUniverse, *, hedged: bool) -> None:
    """As every account's choice, to begin with."""
    for account in ACCOUNTS:
        for symbol in CONTRACTS:
            universe.set_margin_mode(account, symbol, MarginMode.ISOLATED)
            universe.set_position_mode(account, universe.wallet_of(symbol), hedged=hedged)


class ByLegRestoring(ByLeg, Restoring):
    pass


class ByOrderRestoring(ByOrder, Restoring):
    pass


@pytest.mark.parametrize("market", [Scripted, Synthetic, ByLeg, ByOrder])
@pytest.mark.parametrize("seed", seeds(0, 5, campaign=40))
def test_replayed(market: type[FuturesUniverse], seed: int) -> None:
    dice = Random(seed)
    universe = market()
    universe.begin({1} if seed % 2 else set(), dice.randint(1, 40))
    for _ in range(100):
        act(universe, dice)
        universe.is_sound()
    universe.end()


@pytest.mark.parametrize(
    ("market", "seeds"),
    [
        (ScriptedRestoring, range(100, 140 if IS_LONG else 104)),
        (ByLegRestoring, range(20 if IS_LONG else 3)),
        (ByOrderRestoring, range(20 if IS_LONG else 3)),
    ],
)
def test_restored(market: type[ScriptedRestoring | ByLegRestoring | ByOrderRestoring], seeds: range) -> None:
    for seed in seeds:
        restore_often(market(), Random(seed))


def restore_often(universe: ScriptedRestoring | ByLegRestoring | ByOrderRestoring, dice: Random) -> None:
    universe.begin(set(), dice.randint(1, 40))
    for step in range(100):
        act(universe, dice)
        universe.is_sound()
        if step % 6 == 5:
            universe.restart()
    universe.end()


@pytest.mark.parametrize("seed", range(8))
def test_pairs_in_a_wallet_of_contracts(seed: int) -> None:
    dice = Random(seed)
    universe = InOneWallet()
    universe.begin({1} if seed % 2 else set(), dice.randint(1, 40))
    for _ in range(60):
        act(universe, dice)
        universe.place(dice.choice(ACCOUNTS), PAIR.symbol, spot_dice.wish(dice))
        universe.is_sound()
    universe.end()
    told = [line for listed in universe.engine.views.transactions.values() for line in listed]
    assert {line.asset for line in told if line.instrument == PAIR.symbol} >= {"BTC", "USDT"}
