"""How an account stands: one reading for every row and stream that tells of balances or positions.

Made of the engine's state and an account alone, so that what is told is the same wherever it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.ids import AccountId
from emulator.core.numbers import ZERO
from emulator.core.rules import CollateralAsset
from emulator.core.statement import AssetFigures, WalletStatement, wallet_statement
from emulator.exchanges.bybit.running import UNIFIED
from emulator.web.contract import Call

NOTHING: Final = AssetFigures(asset="", wallet=ZERO)


class Standing(NamedTuple):
    """An account in the unified wallet."""

    engine: Engine
    account: AccountId
    statement: WalletStatement
    now_us: int

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
    return marks.index_price(now_us)


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
