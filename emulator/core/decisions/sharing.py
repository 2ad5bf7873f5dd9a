"""Whether the assets of a wallet stand together, or each for itself."""

from __future__ import annotations

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.collateral import SeparateCollateral, SharedCollateral
from emulator.core.coverage import collateral, collateral_rates
from emulator.core.decisions.decision import Decision
from emulator.core.numbers import ZERO
from emulator.core.positions import MarginMode
from emulator.core.rejections import Obstacle, Setting
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State

_MODE = Setting.COLLATERAL_MODE


def set_collateral_mode(
    state: State, rules: EngineRules, command: c.SetCollateralMode, now_us: int
) -> Decision:
    account, wallet = state.accounts.get(command.account), command.wallet
    if account is None:
        return r.UnknownAccount(account=command.account)
    if wallet not in state.collateral:
        return r.UnknownWallet(wallet=wallet)
    if ((account.id, wallet) in state.shared) is command.shared:
        return r.SettingUnchanged(setting=_MODE)
    obstacle = _obstacle(state, rules, account, wallet, now_us, shared=command.shared)
    if obstacle is not None:
        return r.SettingBlocked(setting=_MODE, obstacle=obstacle)
    return [e.CollateralModeSet(account=account.id, wallet=wallet, shared=command.shared)]


def _obstacle(
    state: State, rules: EngineRules, account: Account, wallet: str, now_us: int, *, shared: bool
) -> Obstacle | None:
    symbols = [
        symbol
        for symbol, market in state.markets.items()
        if market.instrument.contract is not None and market.instrument.contract.wallet == wallet
    ]
    there = frozenset(symbols)
    if any(order.instrument in there for order in account.open_orders.values()):
        return Obstacle.ORDERS
    if shared and any(state.choice(account.id, one).mode is MarginMode.ISOLATED for one in symbols):
        return Obstacle.ISOLATED
    balances = state.ledger.wallets[account.id, wallet].values()
    if not shared and any(balance.free < ZERO for balance in balances):
        return Obstacle.DEBT
    figures = collateral(state, rules, account, wallet, now_us).figures
    if shared:
        together = SharedCollateral(figures=figures, rates=collateral_rates(state, wallet, now_us))
        is_covered = together.equity() >= together.initial_margin()
    else:
        apart = SeparateCollateral(figures=figures)
        is_covered = all(apart.equity(asset) >= own.cross_margin for asset, own in figures.items())
    return None if is_covered else Obstacle.MARGIN
