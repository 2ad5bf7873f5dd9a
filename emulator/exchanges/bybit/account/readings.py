"""How an account stands: one reading for every row and stream that tells of balances or positions.

A wallet object is made of the engine's state and an account alone, so that it is the same wherever it is
told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.ids import AccountId
from emulator.core.numbers import ZERO, divide_half, round_down
from emulator.core.positions import AccountMargin
from emulator.core.rules import CollateralAsset
from emulator.core.statement import AssetFigures, WalletStatement, wallet_statement
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.account import CoinBalance, Wallet
from emulator.exchanges.bybit.running import UNIFIED
from emulator.web.contract import Call

EIGHT_PLACES: Final = Decimal("1E-8")
RATE_STEP: Final = Decimal("0.0001")
"""Rates of an account have four places ("Get Wallet Balance")."""

NOTHING: Final = AssetFigures(asset="", wallet=ZERO)


class Standing(NamedTuple):
    """An account in the unified wallet."""

    engine: Engine
    account: AccountId
    statement: WalletStatement
    now_us: int

    @property
    def margin(self) -> AccountMargin:
        mode = self.engine.state.account_margin(self.account, UNIFIED)
        assert mode is not None, "the unified wallet has one mode for all its contracts"
        return mode

    @property
    def is_isolated(self) -> bool:
        return self.margin is AccountMargin.ISOLATED

    def figures(self, coin: str) -> AssetFigures:
        """Of a coin in the unified wallet, those without any included."""
        return self.statement.assets.get(coin, NOTHING)

    def balance(self, wallet: str, coin: str) -> Decimal:
        """All that there is of a coin in a wallet, what is held for orders and positions included."""
        found = self.engine.state.ledger.wallets[self.account, wallet].get(coin)
        return ZERO if found is None else found.free + found.held

    def transferable(self, wallet: str, coin: str) -> Decimal:
        """How much of a coin may leave a wallet."""
        free = max(ZERO, self.engine.state.ledger.free(self.account, wallet, coin))
        return min(free, self.statement.withdrawable(coin)) if wallet == UNIFIED else free

    def realised(self, coin: str) -> Decimal:
        """What contracts that settle in a coin have brought, after fees and funding."""
        state, total = self.engine.state, ZERO
        for (account, symbol, _), one in state.lifetimes.items():
            if account == self.account and state.contract_of(symbol).settle == coin:
                total += one.realised - one.fees + one.funding
        return total

    def coins_of(self, wallet: str) -> list[str]:
        """Of which there is anything in a wallet, or anything owed."""
        held = self.engine.state.ledger.wallets[self.account, wallet]
        found = dict.fromkeys(coin for coin, one in held.items() if one.free or one.held)
        if wallet == UNIFIED:
            listed = self.statement.assets.items()
            found |= dict.fromkeys(coin for coin, one in listed if one.margin_balance or one.initial_margin)
        return list(found)

    def price(self, coin: str) -> Decimal:
        """What one of a coin is worth in US dollars."""
        state = self.engine.state
        for one in state.collateral.get(UNIFIED, ()):
            if one.asset == coin:
                return index_of(self.engine, one, self.now_us)
        pair = self.engine.rules.symbols.get((coin, "USDT"))
        return ZERO if pair is None else state.markets[pair].last_price(self.now_us)


def index_of(engine: Engine, asset: CollateralAsset, now_us: int) -> Decimal:
    """What one of a coin that may be collateral is worth in US dollars."""
    if not asset.index_of:
        return asset.index
    marks = engine.state.markets[asset.index_of].marks
    assert marks is not None, "a pair has no index price"
    return marks.index_price(now_us) * asset.index_part


def stand(engine: Engine, account: AccountId, now_us: int) -> Standing:
    """How an account stands. To be called in the exact context."""
    state = engine.state
    return Standing(
        engine=engine,
        account=account,
        statement=wallet_statement(state, engine.rules, state.accounts[account], UNIFIED, now_us),
        now_us=now_us,
    )


def read(call: Call) -> Standing:
    """How the caller stands. To be called in the exact context."""
    return stand(call.engine, call.account, call.now_us)


def collateral_of(engine: Engine) -> Mapping[str, CollateralAsset]:
    """What may be collateral in the unified wallet, by coin."""
    return {one.asset: one for one in engine.state.collateral.get(UNIFIED, ())}


# The wallet object


def render_wallet(standing: Standing, coins: Iterable[str]) -> Wallet:
    """The account's figures in US dollars, and those of some of its coins."""
    wallet = equity = unrealised = ZERO
    for coin, one in standing.statement.assets.items():
        index = standing.price(coin)
        wallet += one.wallet * index
        equity += one.margin_balance * index
        unrealised += one.unrealised * index
    initial = maintenance = initial_rate = maintenance_rate = available = ""
    if not standing.is_isolated:
        totals = standing.statement.totals("")
        initial, maintenance = dollars(totals.initial_margin), dollars(totals.maintenance)
        initial_rate = _rate(totals.initial_margin, totals.margin_balance)
        maintenance_rate = _rate(totals.maintenance, totals.margin_balance)
        available = dollars(totals.available)
    return {
        "accountType": "UNIFIED",
        "accountLTV": "0",
        # Quirk: under isolated margin nothing is told of the account as a whole but what it is worth
        # ("Get Wallet Balance", `accountIMRate`).
        "accountIMRate": initial_rate,
        "accountIMRateByMp": initial_rate,
        "accountMMRate": maintenance_rate,
        "accountMMRateByMp": maintenance_rate,
        "totalEquity": dollars(equity),
        "totalWalletBalance": dollars(wallet),
        # Quirk: what was borrowed is in the wallet balance, and in no other sum (help centre, "Trading Terms
        # and Formulas in Unified Trading Account").
        "totalMarginBalance": "" if standing.is_isolated else dollars(equity),
        "totalAvailableBalance": available,
        "totalPerpUPL": dollars(unrealised),
        "totalInitialMargin": initial,
        "totalInitialMarginByMp": initial,
        "totalMaintenanceMargin": maintenance,
        "totalMaintenanceMarginByMp": maintenance,
        "coin": [render_coin(standing, coin) for coin in coins],
    }


def render_coin(standing: Standing, coin: str) -> CoinBalance:
    one = standing.figures(coin)
    known = collateral_of(standing.engine).get(coin)
    index = standing.price(coin)
    return {
        "coin": coin,
        "equity": decimal_text(one.margin_balance),
        "usdValue": dollars(one.margin_balance * index),
        "walletBalance": decimal_text(one.wallet),
        # Quirk: there is no `free` beside it, which was of spot wallets; ccxt takes it for what may be spent
        # where it finds it ("Get Wallet Balance").
        "locked": decimal_text(one.held),
        "spotHedgingQty": "0",
        "borrowAmount": decimal_text(one.owed),
        "spotBorrow": decimal_text(one.borrowed),
        "accruedInterest": decimal_text(interest_owed(standing.engine, standing.account, coin)),
        "totalOrderIM": decimal_text(one.order_margin),
        "totalPositionIM": decimal_text(one.position_margin),
        "totalPositionMM": decimal_text(one.maintenance),
        "unrealisedPnl": decimal_text(one.unrealised),
        "cumRealisedPnl": decimal_text(standing.realised(coin)),
        "bonus": "0",
        "marginCollateral": known is not None and known.bid_buffer < 1,
        "collateralSwitch": is_used(standing.engine, standing.account, coin),
        "colRes": "0",
        # Quirk: both are told elsewhere by now, and are empty here ("Get Wallet Balance").
        "availableToWithdraw": "",
        "availableToBorrow": "",
    }


def is_used(engine: Engine, account: AccountId, coin: str) -> bool:
    """Whether an account lets a coin be collateral."""
    return (account, UNIFIED, coin) not in engine.state.unused


def interest_owed(engine: Engine, account: AccountId, coin: str) -> Decimal:
    """Interest on what was borrowed that is not paid yet."""
    loan = engine.state.loans.get((account, UNIFIED, coin))
    return ZERO if loan is None else loan.interest


def dollars(value: Decimal) -> str:
    """Eight places, cut off."""
    return decimal_text(round_down(value, EIGHT_PLACES))


def _rate(part: Decimal, whole: Decimal) -> str:
    """Of the margin that there is; beyond one where there is none."""
    if not part:
        return "0"
    return decimal_text(divide_half(part, whole, RATE_STEP)) if whole > ZERO else "1"
