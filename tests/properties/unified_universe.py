"""A universe where a pair is traded in the wallet of linear contracts, and more may be spent there than there
is: every account begins with all assets standing together."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import msgspec

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.contracts import FeeBasis, Valuation
from emulator.core.engine import Engine
from emulator.core.instruments import Instrument
from emulator.core.numbers import exact
from emulator.core.positions import AccountMargin, Leg
from emulator.core.risk import held_at, risks_of, standing
from emulator.core.rules import LiquidationStyle, PositionModeScope
from tests.core.world import MINUTE, SECOND, SPOT, WALLET_OF
from tests.properties import dice as spot_dice
from tests.properties import futures_universe
from tests.properties.futures_universe import CONTRACTS, HOUR, LINEAR, PAIR, RULES, FuturesUniverse
from tests.properties.universe import ACCOUNTS, Wish

WALLET = "usdm"
ASSETS = ("USDT", "BTC", "BNB")
LENT = tuple(
    msgspec.structs.replace(
        one,
        owed_max=None,
        borrow_max=most,
        hourly_rate=Decimal(rate),
        over_power=3,
        debt_initial=Decimal("0.2"),
        debt_maintenance=Decimal("0.05"),
        debt_free=free,
        is_optional=one.asset != "USDT",
    )
    for one, most, rate, free in zip(
        RULES.margin.collateral[WALLET],
        (Decimal(200), Decimal(2), None),
        ("0.0003", "0.00007", "0.00011"),
        (Decimal(3), Decimal(0), Decimal(0)),
        strict=True,
    )
)


def _with_closing_fee(instrument: Instrument) -> Instrument:
    """A contract whose margins have what closing costs where nothing is left."""
    contract, replace = instrument.contract, msgspec.structs.replace
    if contract is None or contract.wallet != WALLET:
        return instrument
    contract = replace(
        contract,
        initial_fee=instrument.taker_fee,
        maintenance_fee=instrument.taker_fee,
        maintenance_fee_on=FeeBasis.BANKRUPTCY,
        isolated_initial_by=Valuation.ENTRY,
    )
    return replace(instrument, contract=contract)


class UnifiedUniverse(FuturesUniverse):
    """Subclasses say which market it is on."""

    asked_later = (*FuturesUniverse.asked_later, r.BorrowingOff, r.BorrowedTooMuch, r.CollateralOff)

    def make_engine(self) -> Engine:
        replace = msgspec.structs.replace
        margin = replace(
            RULES.margin,
            leverage_scope=self.scope,
            collateral={**RULES.margin.collateral, WALLET: LENT},
            account_margin={WALLET: AccountMargin.CROSS},
            position_mode_scope=PositionModeScope.CONTRACT,
            interest_minute=5,
            liquidation_style=LiquidationStyle.TAKEOVER,
            deleveraging_ends_orders=True,
        )
        rules = replace(RULES, margin=margin, pair_wallets=(WALLET, SPOT))
        wallets = (SPOT, "funding", *WALLET_OF.values())
        listed = {one.symbol: _with_closing_fee(one) for one in self.listed}
        return Engine("test", listed, self.feed, wallets, rules)

    def wallet_of(self, symbol: str) -> str:
        return WALLET if symbol == PAIR.symbol else super().wallet_of(symbol)

    def placing(self, account: int, symbol: str, wish: Wish) -> c.PlaceOrder:
        placing, replace = super().placing(account, symbol, wish), msgspec.structs.replace
        if symbol == PAIR.symbol:
            return replace(placing, terms=replace(placing.terms, borrows=wish.lots % 3 == 0))
        is_hedged = self.engine.state.is_hedged(account, symbol)
        leg = Leg.BOTH if not is_hedged else Leg.LONG if wish.lots % 2 else Leg.SHORT
        return replace(placing, terms=replace(placing.terms, leg=leg))

    def assert_nobody_is_lost(self) -> None:
        """Whoever has not changed since the last tick has more than must be kept, what is owed included."""
        engine, tick_us = self.engine, self.now - self.now % SECOND
        state = engine.state
        with exact():
            for account in state.accounts.values():
                changed_us = engine.views.updated_us.get(account.id, 0)
                moved = [position.updated_us for position in account.positions.values()]
                if account.id in state.disturbed or max([changed_us, *moved]) >= tick_us:
                    continue
                for risk in risks_of(state, account):
                    assert not standing(state, risk, held_at(state, risk, self.now), self.now).is_liquidated

    def set_position_modes(self, account: int, symbols: tuple[str, ...], *, hedged: bool) -> None:
        self.do(c.SetPositionMode(account=account, wallet=WALLET, hedged=hedged, instruments=symbols))

    def to_interest(self) -> None:
        past = (self.now - 5 * MINUTE) % HOUR
        self.wait(HOUR - past)


def act(universe: UnifiedUniverse, dice: Random) -> None:
    """One action; a third of them is about what only such a wallet has."""
    account, asset = dice.choice(ACCOUNTS), dice.choice(ASSETS)
    match dice.randint(0, 26):
        case 0:
            mode = dice.choice(list(AccountMargin))
            if dice.random() < 0.5:
                universe.cancel_all(account, PAIR.symbol)
            universe.do(c.SetAccountMargin(account=account, wallet=WALLET, mode=mode))
        case 1:
            universe.cancel_all(account, LINEAR.symbol)
            names = dice.choice([(), (LINEAR.symbol,)])
            universe.set_position_modes(account, names, hedged=dice.random() < 0.5)
        case 2:
            used = dice.random() < 0.6
            universe.do(c.SetCollateralUse(account=account, wallet=WALLET, assets=(asset,), used=used))
        case 3 | 4:
            leverage = dice.choice([None, Decimal(2), Decimal(5), Decimal(10), Decimal(12)])
            on = dice.random() < 0.9
            universe.do(c.SetSpotMargin(account=account, wallet=WALLET, on=on, leverage=leverage))
        case 5 | 6:
            amount = Decimal(dice.randint(1, 600)) / (10 if asset == "USDT" else 1000)
            universe.do(c.BorrowFunds(account=account, wallet=WALLET, asset=asset, amount=amount))
        case 7:
            repaid = dice.choice([None, Decimal(dice.randint(1, 100)) / 10])
            converts = dice.random() < 0.5
            universe.do(
                c.RepayFunds(account=account, wallet=WALLET, asset=asset, amount=repaid, converts=converts)
            )
        case 8 if dice.random() < 0.5:
            universe.to_interest()
        case 8:
            on = dice.random() < 0.8
            legs = (Leg.LONG, Leg.SHORT, Leg.BOTH)
            universe.do(
                c.SetReplenishment(account=account, instrument=LINEAR.symbol, leg=dice.choice(legs), on=on)
            )
        case 9 | 10 | 11:
            spot_dice.act(universe, dice, PAIR.symbol)
        case _:
            futures_universe.act(universe, dice)


assert LINEAR.symbol in CONTRACTS
