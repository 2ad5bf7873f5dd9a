"""Whether the assets of a wallet stand together, or each for itself; and what is exchanged then."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.collateral import CollateralRate, SeparateCollateral, SharedCollateral
from emulator.core.coverage import collateral, collateral_rates
from emulator.core.decisions.decision import Decision
from emulator.core.ids import AccountId
from emulator.core.numbers import ZERO, divide_down, divide_up
from emulator.core.positions import MarginMode
from emulator.core.rejections import Obstacle, Setting
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State

ASSET_STEP = Decimal("0.00000001")
"""Of amounts that are exchanged."""

_MODE = Setting.COLLATERAL_MODE


def set_collateral_mode(
    state: State, rules: EngineRules, command: c.SetCollateralMode, now_us: int
) -> Decision:
    account, wallet = state.accounts.get(command.account), command.wallet
    if account is None:
        return r.UnknownAccount(account=command.account)
    if wallet not in state.collateral:
        return r.UnknownWallet(wallet=wallet)
    if wallet in state.account_margin_default:
        return r.SettingBlocked(setting=_MODE, obstacle=Obstacle.ACCOUNT)
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


def exchange_owed(state: State, rules: EngineRules, command: c.ExchangeOwed, now_us: int) -> Decision:
    """All that is owed of an asset of which too much is, is bought for what there is of others."""
    account, wallet = command.account, command.wallet
    rates = collateral_rates(state, wallet, now_us, account)
    balances = state.ledger.wallets[account, wallet]
    there = {asset: balance.free for asset, balance in balances.items() if asset in rates}
    made: list[e.Event] = []
    for one in state.collateral[wallet]:
        if one.owed_max is not None and there.get(one.asset, ZERO) < -one.owed_max:
            made += exchanged(account, wallet, rates, there, one.asset)
    return made


def exchanged(
    account: AccountId,
    wallet: str,
    rates: Mapping[str, CollateralRate],
    there: dict[str, Decimal],
    owed: str,
) -> list[e.Event]:
    """Buy what is owed of an asset for the others, by turns (`CollateralAsset.turn`); or for all that there
    is. `there` has what is left of each then."""
    sources = [asset for asset in sorted(there) if there[asset] > ZERO and rates[asset].sold > ZERO]
    made: list[e.Event] = []
    for turn in sorted({rates[asset].turn for asset in sources}):
        if there[owed] >= ZERO:
            break
        together = [asset for asset in sources if rates[asset].turn == turn]
        made += _exchanged_together(account, wallet, rates, there, owed, together)
    return made


def _exchanged_together(
    account: AccountId,
    wallet: str,
    rates: Mapping[str, CollateralRate],
    there: dict[str, Decimal],
    owed: str,
    sources: list[str],
) -> list[e.Event]:
    """Of each of the sources so much of it as of all together is needed."""
    worth = sum((there[asset] * rates[asset].sold for asset in sources), ZERO)
    price = rates[owed].bought
    whole = -there[owed] * price
    made: list[e.Event] = []
    for asset in sources:
        bid = rates[asset].sold
        if whole >= worth:
            sold = there[asset]
        elif asset == sources[-1]:
            # It makes up for what was rounded of the others.
            sold = min(there[asset], divide_up(-there[owed] * price, bid, ASSET_STEP))
        else:
            sold = divide_down(there[asset] * whole, worth, ASSET_STEP)
        bought = min(-there[owed], divide_down(sold * bid, price, ASSET_STEP))
        if not sold or not bought:
            continue
        there[asset] -= sold
        there[owed] += bought
        made.append(
            e.AssetExchanged(
                account=account,
                wallet=wallet,
                sold=asset,
                sold_amount=sold,
                bought=owed,
                bought_amount=bought,
            )
        )
    return made
