"""A wallet in which a pair and contracts are traded together, and what may be owed there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.collateral import CollateralAsset, Totals
from emulator.core.contracts import Contract
from emulator.core.margin import AssetFigures
from emulator.core.numbers import exact
from emulator.core.orders import OrderTerms
from emulator.core.positions import AccountMargin, Leg, Position
from emulator.core.rejections import Obstacle, Rejection, Setting
from emulator.core.rules import MarginRules, PositionModeScope
from emulator.core.statement import wallet_statement
from tests.core.futures import BTC, BTC_COIN, ETH
from tests.core.sameness import assert_same
from tests.core.scripted import ScriptedFeed
from tests.core.world import SPOT, World, instrument, perpetual, plain, still

D = Decimal
WALLET = "usdm"
PAIR, LINEAR, OTHER, INVERSE = "BTCUSDT", "BTCUSDT_PERP", "ETHUSDT_PERP", "BTCUSD_PERP"

USDT = CollateralAsset(
    asset="USDT",
    is_optional=False,
    borrow_max=D(100_000),
    hourly_rate=D("0.00001"),
    debt_initial=D("0.1"),
    debt_maintenance=D("0.04"),
    debt_free=D(500),
)
COIN = CollateralAsset(
    asset="BTC",
    bid_buffer=D("0.05"),
    index_of=LINEAR,
    borrow_max=D(2),
    hourly_rate=D("0.00002"),
    debt_initial=D("0.1"),
    debt_maintenance=D("0.04"),
)
GIFT = CollateralAsset(asset="GIFT", bid_buffer=D("0.5"), index=D(2))


def in_wallet(contract: Contract, **changes: Any) -> Any:
    one = perpetual(contract, **changes)
    assert one.contract is not None
    return msgspec.structs.replace(one, contract=msgspec.structs.replace(one.contract, wallet=WALLET))


class Unified(World):
    """Carol has what is named; alice and bob have plenty of everything. All trade in one wallet."""

    def __init__(
        self,
        feed: ScriptedFeed | None = None,
        *,
        mode: AccountMargin = AccountMargin.CROSS,
        assets: tuple[CollateralAsset, ...] = (USDT, COIN, GIFT),
        rules: MarginRules | None = None,
        **amounts: str,
    ) -> None:
        super().__init__(
            feed or still("50000"),
            instrument(price_step="0.1"),
            in_wallet(BTC),
            in_wallet(ETH, symbol=OTHER, base="ETH"),
            in_wallet(BTC_COIN),
            margin=msgspec.structs.replace(
                rules or MarginRules(),
                insurance={"USDT": D(1000)},
                collateral={WALLET: assets},
                account_margin={WALLET: mode},
                position_mode_scope=PositionModeScope.CONTRACT,
                interest_minute=5,
            ),
            funds="1000000",
            pair_wallets=(WALLET, SPOT),
            keeps_transactions=True,
        )
        self.symbol = PAIR
        self.deposit(self.alice, "BTC", "1000", WALLET)
        self.deposit(self.bob, "BTC", "1000", WALLET)
        self.carol = self.open("carol", USDT="0", BTC="0", ETH="0")
        for asset, amount in amounts.items():
            self.deposit(self.carol, asset, amount, WALLET)

    def placing(self, account: int, terms: OrderTerms) -> c.PlaceOrder:
        return c.PlaceOrder(account=account, wallet=WALLET, instrument=self.symbol, terms=terms)

    def trade(self, symbol: str, quantity: str, price: str, **terms: Any) -> None:
        """Carol buys from bob, or sells to him."""
        signed, before = D(quantity), self.symbol
        self.symbol = symbol
        make, take = (self.sell, self.buy) if signed > 0 else (self.buy, self.sell)
        make(self.bob, plain(abs(signed)), price)
        take(self.carol, plain(abs(signed)), price, **terms)
        self.symbol = before

    def has(self, asset: str, account: int | None = None) -> str:
        return plain(self.free(account or self.carol, asset, WALLET))

    def kept(self, asset: str) -> str:
        total = self.engine.state.ledger.total(self.carol, WALLET, asset)
        return plain(total - self.free(self.carol, asset, WALLET))

    def position(self, symbol: str = LINEAR, leg: Leg = Leg.BOTH) -> Position:
        return self.engine.state.position(self.carol, symbol, leg)

    def totals(self) -> Totals:
        with exact():
            state, owner = self.engine.state, self.engine.state.accounts[self.carol]
            return wallet_statement(state, self.engine.rules, owner, WALLET, self.now).totals("USDT")

    def figures(self, asset: str) -> AssetFigures:
        with exact():
            state, owner = self.engine.state, self.engine.state.accounts[self.carol]
            return wallet_statement(state, self.engine.rules, owner, WALLET, self.now).assets[asset]

    def setting(self, mode: AccountMargin) -> c.SetAccountMargin:
        return c.SetAccountMargin(account=self.carol, wallet=WALLET, mode=mode)

    def spot_margin(self, leverage: str | None = "5", *, on: bool = True) -> c.SetSpotMargin:
        return c.SetSpotMargin(
            account=self.carol, wallet=WALLET, on=on, leverage=None if leverage is None else D(leverage)
        )

    def using(self, *assets: str, used: bool) -> c.SetCollateralUse:
        return c.SetCollateralUse(account=self.carol, wallet=WALLET, assets=assets, used=used)

    def borrowing(self, asset: str, amount: str) -> c.BorrowFunds:
        return c.BorrowFunds(account=self.carol, wallet=WALLET, asset=asset, amount=D(amount))

    def repaying(self, asset: str, amount: str | None = None, *, converts: bool = False) -> c.RepayFunds:
        return c.RepayFunds(
            account=self.carol,
            wallet=WALLET,
            asset=asset,
            amount=None if amount is None else D(amount),
            converts=converts,
        )

    def taking(self, asset: str, amount: str) -> c.Transfer:
        return c.Transfer(account=self.carol, asset=asset, amount=D(amount), source=WALLET, target=SPOT)

    def is_same_again(self) -> None:
        """What was told leads to the same, and so does what was captured."""
        again = self.replayed()
        assert_same(self.engine, again)
        other = type(again)(
            "test", self.engine.instruments, self.feed, self.engine.state.wallets, self.engine.rules
        )
        other.restore(list(self.engine.capture().parts()))
        assert_same(self.engine, other)
        assert self.engine.audit() == []


def blocked(setting: Setting, *obstacles: Obstacle) -> Rejection:
    return r.SettingBlocked(setting=setting, obstacle=obstacles[0], beside=obstacles[1:])
