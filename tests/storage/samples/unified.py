"""What the frozen sample of a unified wallet was made from: how all contracts are covered, and what is owed.

As of `workload`, on the same engine under other rules: what these rules let an account ask for is folded
by any engine alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core.engine import Engine
from emulator.core.positions import AccountMargin, Leg
from emulator.core.rules import PositionModeScope
from emulator.exchanges.binance import ENGINE
from emulator.runtime.ports import EnginePort, Journal
from emulator.runtime.sandbox import Sandbox
from tests.storage.samples.workload import SECOND, SPOT, Actor, make_sampled, opened

WALLET = "usdm"
BTC = "usdm:BTCUSDT"
HOUR = 3600 * SECOND


def make_unified(seed: int) -> Mapping[str, EnginePort]:
    """An account's contracts are isolated until it chooses otherwise; each has a position mode of its own."""
    plain = make_sampled(seed)[ENGINE]
    assert isinstance(plain, Engine)
    margin = plain.rules.margin
    lent = tuple(
        replace(one, borrow_max=Decimal(100_000), hourly_rate=Decimal("0.00001"))
        for one in margin.collateral[WALLET]
    )
    rules = replace(
        plain.rules,
        pair_wallets=(SPOT, WALLET),
        margin=replace(
            margin,
            account_margin={WALLET: AccountMargin.ISOLATED},
            collateral={WALLET: lent},
            position_mode_scope=PositionModeScope.CONTRACT,
            interest_minute=5,
        ),
    )
    return {ENGINE: Engine(ENGINE, plain.instruments, plain.feed, plain.state.wallets, rules)}


async def run_unified(journal: Journal) -> Sandbox:
    """Chosen, borrowed, paid for during some hours, and given back."""
    async with opened(journal, make=make_unified) as sandbox:
        actor = Actor(sandbox)
        demo = actor.demo
        for hedged in (True, False):
            await actor.do(c.SetPositionMode(account=demo, wallet=WALLET, hedged=hedged, instruments=(BTC,)))
        for mode in (AccountMargin.CROSS, AccountMargin.PORTFOLIO):
            await actor.do(c.SetAccountMargin(account=demo, wallet=WALLET, mode=mode))
        await actor.do(c.SetCollateralUse(account=demo, wallet=WALLET, assets=("BTC",), used=False))
        await actor.do(c.SetSpotMargin(account=demo, wallet=WALLET, on=True, leverage=Decimal(4)))
        for amount in ("1000", "250.5"):
            await actor.do(c.BorrowFunds(account=demo, wallet=WALLET, asset="USDT", amount=Decimal(amount)))
            await actor.step(3 * HOUR)
        await actor.do(c.RepayFunds(account=demo, wallet=WALLET, asset="USDT", amount=Decimal("1000.2")))
        await actor.step(HOUR)
        await actor.do(c.RepayFunds(account=demo, wallet=WALLET, asset="USDT"))
        await actor.do(c.SetCollateralUse(account=demo, wallet=WALLET, assets=("BTC",), used=True))
        await actor.do(c.SetSpotMargin(account=demo, wallet=WALLET, on=False))
        await actor.do(c.BorrowFunds(account=demo, wallet=WALLET, asset="BTC", amount=Decimal("0.5")))
        await actor.step(HOUR)
    return sandbox


async def run_replenishment(journal: Journal) -> Sandbox:
    """Margin that would be added by itself: chosen, taken back, and chosen for one leg."""
    async with opened(journal, make=make_unified) as sandbox:
        actor = Actor(sandbox)
        demo = actor.demo
        for on in (True, False):
            await actor.do(c.SetReplenishment(account=demo, instrument=BTC, on=on))
        await actor.do(c.SetPositionMode(account=demo, wallet=WALLET, hedged=True, instruments=(BTC,)))
        await actor.do(c.SetReplenishment(account=demo, instrument=BTC, on=True, leg=Leg.SHORT))
    return sandbox
