"""What is set aside for payments spares looks, and nothing else: an engine whose accounts are all looked at
anew whenever anything was paid, and every few minutes, goes the same way."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from random import Random

import msgspec
import pytest

from emulator.core import commands as c
from emulator.core.contracts import FundingRule, MarkRule
from emulator.core.engine import Engine
from emulator.core.events import FundingPaid, InterestCharged, LiquidationBegun
from emulator.core.ids import AccountId
from emulator.core.instruments import Instrument, OrderType, Side
from emulator.core.markets import Feed
from emulator.core.orders import OrderTerms
from emulator.core.risk import may_owe
from emulator.core.vigil import Vigil
from tests.core.world import MINUTE, SECOND, still
from tests.properties import futures_universe, unified_universe
from tests.properties.effort import seeds
from tests.properties.futures_universe import HOUR, INVERSE, LINEAR, LISTED, FuturesUniverse
from tests.properties.test_everything import OnScript, OnSynthetic
from tests.properties.unified_universe import WALLET, UnifiedUniverse
from tests.properties.universe import ACCOUNTS, Universe


def dear(one: Instrument, interest: str, **changes: object) -> Instrument:
    """The same with funding so high that what is set aside for it is used up in hours."""
    assert one.contract is not None
    rule = MarkRule(step=one.price_step, funding=FundingRule(interest=Decimal(interest), dampener=Decimal(1)))
    contract = msgspec.structs.replace(one.contract, marking=rule, wallet=WALLET)
    return msgspec.structs.replace(one, contract=contract, **changes)


FIRST = dear(LINEAR, "0.02")
OTHER = dear(LINEAR, "-0.03", symbol="ETHUSDT_PERP", base="ETH")
COIN = dear(INVERSE, "0.01")
DEAR = (*LISTED[:2], FIRST, COIN, OTHER)


class Watchful(Vigil):
    """Spares nothing."""

    __slots__ = ("_all_us", "_everybody")

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.state, engine.rules)
        self._everybody = engine.state
        self._all_us = 0

    def next_us(self, after_us: int, now_us: int) -> int:
        if after_us >= self._all_us + 7 * MINUTE:
            self._all_us = after_us
            self._note(after_us)
        return super().next_us(after_us, now_us)

    def _note(self, after_us: int) -> None:
        self._everybody.disturbed.update(dict.fromkeys(self._everybody.accounts))
        super()._note(after_us)

    def _looked_at(self, doubtful: Iterable[AccountId], at_us: int) -> list[c.Command]:
        accounts = list(doubtful)
        asked = super()._looked_at(accounts, at_us)
        self._debtors.update({one: None for one in accounts if may_owe(self._everybody, one)})
        return asked


class Doubled(FuturesUniverse):
    """With a twin that spares nothing."""

    listed = DEAR

    def make_twin(self) -> None:
        self.restart()
        assert self.twin is not None
        self.twin._vigil = Watchful(self.twin)

    def open(self, account: int, symbol: str, side: Side, lots: int) -> None:
        quantity = Decimal(lots) / 10
        terms = OrderTerms(side=side, type=OrderType.MARKET, quantity=quantity)
        self.do(c.PlaceOrder(account=account, wallet=self.wallet_of(symbol), instrument=symbol, terms=terms))


class Together(Doubled, UnifiedUniverse, OnSynthetic):
    """All in one wallet where debts cost interest."""


class TogetherOnScript(Doubled, UnifiedUniverse, OnScript):
    """The same on a market that moves for an hour."""


class OnStill(Universe):
    """A market that never moves, so that only payments put anybody in danger."""

    def make_feed(self) -> Feed:
        return still("100", spread="0.5", between="0.5", quantity="20", depth=6, period_us=3 * SECOND)


class TogetherOnStill(Doubled, UnifiedUniverse, OnStill):
    pass


class ApartOnStill(Doubled, OnStill):
    pass


class Apart(Doubled, OnSynthetic):
    """Each asset for itself, or all together without loans; isolated positions too."""


def venture(universe: Doubled, dice: Random) -> None:
    """Positions in several contracts, on either side, and whatever else may be done."""
    for _ in range(dice.randint(1, 5)):
        account, one = dice.choice(ACCOUNTS), dice.choice((FIRST, OTHER, COIN))
        universe.open(account, one.symbol, dice.choice(list(Side)), dice.choice([1, 5, 20, 60]))
    for _ in range(dice.randint(0, 4)):
        if isinstance(universe, UnifiedUniverse):
            unified_universe.act(universe, dice)
        else:
            futures_universe.act(universe, dice)


@pytest.mark.parametrize("market", [Together, TogetherOnScript, TogetherOnStill, Apart, ApartOnStill])
@pytest.mark.parametrize("seed", seeds(0, 3, campaign=60))
def test_it_is_the_same_without(market: type[Doubled], seed: int) -> None:
    dice, universe = Random(seed), market()
    universe.begin(set(), dice.choice([1, 5, 40, 400]))
    universe.make_twin()
    for _ in range(6):
        venture(universe, dice)
        universe.wait(dice.choice([20 * MINUTE, HOUR, 7 * HOUR, 30 * HOUR]) + dice.randint(0, MINUTE))
        universe.is_sound()
    assert universe.twin is not None
    assert universe.twin.fingerprint() == universe.engine.fingerprint()


def test_all_of_it_comes_about() -> None:
    """What the others go through is not only waiting."""
    wanted, seen = {FundingPaid, InterestCharged, LiquidationBegun}, set[type]()
    for seed in range(20):
        dice, universe = Random(seed), Together()
        universe.begin(set(), dice.choice([1, 5, 40, 400]))
        for _ in range(6):
            venture(universe, dice)
            universe.wait(30 * HOUR)
        seen |= {type(event) for _, events in universe.history for event in events}
        if seen >= wanted:
            return
    pytest.fail(f"nobody saw {wanted - seen}")
