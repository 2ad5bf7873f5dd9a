"""Folds of what accounts choose about contracts, and about all that stands together in a wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from emulator.core import events as e
from emulator.core.positions import AccountMargin, Leg, MarginMode
from emulator.core.state.positions import hold_position

if TYPE_CHECKING:
    from emulator.core.state.state import State


def leverage_set(state: State, event: e.LeverageSet, now_us: int) -> None:
    account, symbol = event.account, event.instrument
    state.choices[account, symbol] = state.choice(account, symbol).with_leverage(event.leverage, event.leg)
    for leg in Leg if event.leg is None else (event.leg,):
        position = state.positions.get((account, symbol, leg))
        if position is not None:
            hold_position(state, account, symbol, replace(position, leverage=event.leverage), now_us)


def margin_mode_set(state: State, event: e.MarginModeSet, now_us: int) -> None:
    account, symbol = event.account, event.instrument
    state.choices[account, symbol] = replace(state.choice(account, symbol), mode=event.mode)


def position_mode_set(state: State, event: e.PositionModeSet, now_us: int) -> None:
    if event.instrument:
        state.hedged_contracts.pop((event.account, event.instrument), None)
        if event.hedged:
            state.hedged_contracts[event.account, event.instrument] = None
    elif event.hedged:
        state.hedged[event.account, event.wallet] = None
    else:
        del state.hedged[event.account, event.wallet]


def collateral_mode_set(state: State, event: e.CollateralModeSet, now_us: int) -> None:
    if event.shared:
        state.shared[event.account, event.wallet] = None
    else:
        del state.shared[event.account, event.wallet]
    state.disturbed[event.account] = None


def account_margin_set(state: State, event: e.AccountMarginSet, now_us: int) -> None:
    account, wallet, mode = event.account, event.wallet, mode_under(event.mode)
    state.account_margins[account, wallet] = event.mode
    state.shared.pop((account, wallet), None)
    if mode is MarginMode.CROSS:
        state.shared[account, wallet] = None
    for (owner, symbol), chosen in state.choices.items():
        if owner == account and state.contract_of(symbol).wallet == wallet:
            state.choices[owner, symbol] = replace(chosen, mode=mode)
    for (symbol, _), position in list(state.accounts[account].positions.items()):
        if state.contract_of(symbol).wallet == wallet and position.mode is not mode:
            assert not position.margin, "its margin was not given back"
            hold_position(state, account, symbol, replace(position, mode=mode), now_us)
    state.disturbed[account] = None


def collateral_use_set(state: State, event: e.CollateralUseSet, now_us: int) -> None:
    place = (event.account, event.wallet, event.asset)
    state.unused.pop(place, None)
    if not event.used:
        state.unused[place] = None
    state.disturbed[event.account] = None


def replenishment_set(state: State, event: e.ReplenishmentSet, now_us: int) -> None:
    place = (event.account, event.instrument, event.leg)
    state.replenished.pop(place, None)
    if event.on:
        state.replenished[place] = None


def spot_margin_set(state: State, event: e.SpotMarginSet, now_us: int) -> None:
    place = (event.account, event.wallet)
    state.spot_margins.pop(place, None)
    if event.leverage is not None:
        state.spot_margins[place] = event.leverage
    state.disturbed[event.account] = None


def mode_under(mode: AccountMargin | None) -> MarginMode:
    """How positions are covered where all contracts of a wallet are covered in one way."""
    return MarginMode.ISOLATED if mode is AccountMargin.ISOLATED else MarginMode.CROSS
