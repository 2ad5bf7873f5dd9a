"""What an account chooses about a whole wallet of contracts: how they are covered, what counts for it, which
of them have two legs, and whether orders of pairs may borrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.collateral import CollateralRate, SharedCollateral
from emulator.core.coverage import collateral_rates, debt_part, holdings, sums
from emulator.core.decisions.decision import Decision
from emulator.core.margin import AssetFigures, Holding, requirement
from emulator.core.numbers import ONE, ZERO
from emulator.core.positions import Leg, MarginMode, unrealised
from emulator.core.rejections import Obstacle, Rejection, Setting
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State, mode_under


def set_account_margin(
    state: State, rules: EngineRules, command: c.SetAccountMargin, now_us: int
) -> Decision:
    account, wallet = state.accounts.get(command.account), command.wallet
    if account is None:
        return r.UnknownAccount(account=command.account)
    before = state.account_margin(account.id, wallet)
    if before is None:
        return r.UnknownWallet(wallet=wallet)
    if before is command.mode:
        return r.SettingUnchanged(setting=Setting.ACCOUNT_MARGIN)
    chosen = e.AccountMarginSet(account=account.id, wallet=wallet, mode=command.mode)
    mode = mode_under(command.mode)
    if mode_under(before) is mode:
        return [chosen]
    if mode is MarginMode.ISOLATED:
        return _set_apart(state, account, wallet, chosen, now_us)
    return _put_together(state, account, wallet, chosen, now_us)


def _set_apart(
    state: State, account: Account, wallet: str, chosen: e.AccountMarginSet, now_us: int
) -> Decision:
    """Each position gets the margin that opening it now would take, and what it has lost, out of what is free
    of its asset."""
    put_up: dict[tuple[str, Leg], Decimal] = {}
    needed: dict[str, Decimal] = {}
    for place, one in holdings(state, account, wallet, now_us).items():
        wanted = requirement(one.contract, one.position, one.mark, one.resting)
        settle = one.contract.settle
        needed[settle] = needed.get(settle, ZERO) + wanted.orders
        if one.position.quantity:
            lost = max(ZERO, -unrealised(one.contract, one.position, one.mark))
            put_up[place] = wanted.position + lost
            needed[settle] += put_up[place]
    obstacles: list[Obstacle] = []
    if state.is_overdrawn(account.id, wallet):
        obstacles.append(Obstacle.DEBT)
    if any(order.terms.borrows and order.wallet == wallet for order in account.open_orders.values()):
        obstacles.append(Obstacle.BORROWING)
    if any(amount > state.ledger.free(account.id, wallet, asset) for asset, amount in needed.items()):
        obstacles.append(Obstacle.MARGIN)
    if obstacles:
        return _blocked(Setting.ACCOUNT_MARGIN, obstacles)
    return [chosen, *_moved(account, put_up)]


def _put_together(
    state: State, account: Account, wallet: str, chosen: e.AccountMarginSet, now_us: int
) -> Decision:
    """Margins of single positions are given back, and all assets together have to cover them."""
    if wallet not in state.collateral:
        return _blocked(Setting.ACCOUNT_MARGIN, [Obstacle.NOT_OFFERED])
    held = holdings(state, account, wallet, now_us)
    given_back = {place: -one.position.margin for place, one in held.items() if one.position.margin}
    crossed: list[Holding] = []
    for (symbol, _), one in held.items():
        leverage = state.choice(account.id, symbol).leverage
        position = replace(one.position, mode=MarginMode.CROSS, margin=ZERO, leverage=leverage)
        crossed.append(replace(one, position=position))
    figures = sums(state, account, wallet, now_us, crossed)
    if not _is_covered(figures, collateral_rates(state, wallet, now_us, account.id)):
        return _blocked(Setting.ACCOUNT_MARGIN, [Obstacle.MARGIN])
    # Only legs that are isolated have a leverage of their own.
    rejoined = [
        e.LeverageSet(account=account.id, instrument=symbol, leverage=choice.leverage)
        for (owner, symbol), choice in state.choices.items()
        if owner == account.id
        and (choice.long, choice.short) != (None, None)
        and state.contract_of(symbol).wallet == wallet
    ]
    return [*_moved(account, given_back), chosen, *rejoined]


def _moved(account: Account, amounts: dict[tuple[str, Leg], Decimal]) -> list[e.Event]:
    return [
        e.MarginMoved(account=account.id, instrument=symbol, leg=leg, amount=amount)
        for (symbol, leg), amount in amounts.items()
        if amount
    ]


def _is_covered(figures: dict[str, AssetFigures], rates: Mapping[str, CollateralRate]) -> bool:
    together = SharedCollateral(figures=figures, rates=rates)
    return together.equity() >= together.initial_margin()


def _blocked(setting: Setting, obstacles: list[Obstacle]) -> Rejection:
    return r.SettingBlocked(setting=setting, obstacle=obstacles[0], beside=tuple(obstacles[1:]))


def set_position_modes(state: State, account: Account, command: c.SetPositionMode) -> Decision:
    """Where each contract has a mode of its own."""
    wallet = command.wallet
    names = command.instruments or tuple(
        symbol
        for symbol, market in state.markets.items()
        if (contract := market.instrument.contract) is not None
        and contract.wallet == wallet
        and contract.hedgeable
    )
    for symbol in names:
        market = state.markets.get(symbol)
        if market is None:
            return r.UnknownInstrument(instrument=symbol)
        contract = market.instrument.contract
        if contract is None or contract.wallet != wallet:
            return r.NotAContract(instrument=symbol)
        if command.hedged and not contract.hedgeable:
            return _blocked(Setting.POSITION_MODE, [Obstacle.NOT_OFFERED])
    changed = [symbol for symbol in names if state.is_hedged(account.id, symbol) is not command.hedged]
    if not changed:
        return r.SettingUnchanged(setting=Setting.POSITION_MODE)
    obstacle = _traded(account, changed)
    if obstacle is not None:
        return _blocked(Setting.POSITION_MODE, [obstacle])
    return [
        e.PositionModeSet(account=account.id, wallet=wallet, hedged=command.hedged, instrument=symbol)
        for symbol in changed
    ]


def _traded(account: Account, symbols: Iterable[str]) -> Obstacle | None:
    """What an account has in some contracts."""
    there = frozenset(symbols)
    if any(symbol in there for symbol, _ in account.positions):
        return Obstacle.POSITION
    if any(order.instrument in there for order in account.open_orders.values()):
        return Obstacle.ORDERS
    return None


def set_collateral_use(
    state: State, rules: EngineRules, command: c.SetCollateralUse, now_us: int
) -> Decision:
    account, wallet = state.accounts.get(command.account), command.wallet
    if account is None:
        return r.UnknownAccount(account=command.account)
    if wallet not in state.collateral:
        return r.UnknownWallet(wallet=wallet)
    setting = Setting.COLLATERAL_USE
    optional = {one.asset for one in state.collateral[wallet] if one.is_optional}
    wanted = dict.fromkeys(command.assets, command.used) | dict.fromkeys(command.others, not command.used)
    if not optional.issuperset(wanted):
        return _blocked(setting, [Obstacle.NOT_OFFERED])
    changed = {
        asset: used
        for asset, used in wanted.items()
        if ((account.id, wallet, asset) not in state.unused) is not used
    }
    if not changed:
        return r.SettingUnchanged(setting=setting)
    dropped = [asset for asset, used in changed.items() if not used]
    if dropped and (account.id, wallet) in state.shared:
        settling = [
            symbol
            for symbol, market in state.markets.items()
            if (contract := market.instrument.contract) is not None
            and contract.wallet == wallet
            and contract.settle in dropped
        ]
        obstacle = _traded(account, settling)
        if obstacle is not None:
            return _blocked(setting, [obstacle])
        figures = sums(state, account, wallet, now_us)
        rates = dict(collateral_rates(state, wallet, now_us, account.id))
        rates |= {asset: replace(rates[asset], is_used=used) for asset, used in changed.items()}
        counts = any(figures[asset].margin_balance > ZERO for asset in dropped if asset in figures)
        if counts and not _is_covered(figures, rates):
            return _blocked(setting, [Obstacle.MARGIN])
    return [
        e.CollateralUseSet(account=account.id, wallet=wallet, asset=asset, used=used)
        for asset, used in changed.items()
    ]


def set_spot_margin(state: State, rules: EngineRules, command: c.SetSpotMargin, now_us: int) -> Decision:
    account, wallet = state.accounts.get(command.account), command.wallet
    if account is None:
        return r.UnknownAccount(account=command.account)
    if wallet not in state.lending or wallet not in state.pair_wallets:
        return r.UnknownWallet(wallet=wallet)
    setting, most = Setting.SPOT_MARGIN, rules.margin.spot_leverage_max
    before = state.spot_margins.get((account.id, wallet))
    leverage = None
    if command.on:
        leverage = command.leverage or before or most
        if not ONE <= leverage <= most:
            return r.LeverageInvalid(leverage=leverage, most=most)
        if (account.id, wallet) not in state.shared:
            return _blocked(setting, [Obstacle.ISOLATED])
    if leverage == before:
        return r.SettingUnchanged(setting=setting)
    if leverage is None and state.is_overdrawn(account.id, wallet):
        # What orders borrowed is given back first.
        return _blocked(setting, [Obstacle.DEBT])
    if leverage is None and any(
        order.terms.borrows and order.wallet == wallet for order in account.open_orders.values()
    ):
        return _blocked(setting, [Obstacle.BORROWING])
    if leverage is not None and before is not None and leverage < before:
        rates = collateral_rates(state, wallet, now_us, account.id)
        part = debt_part(leverage)
        rates = {asset: replace(rate, debt_initial=part) for asset, rate in rates.items()}
        figures = sums(state, account, wallet, now_us)
        if any(own.owed for own in figures.values()) and not _is_covered(figures, rates):
            return _blocked(setting, [Obstacle.MARGIN])
    return [e.SpotMarginSet(account=account.id, wallet=wallet, leverage=leverage)]
