"""What a command comes to: events, or the reason why not. Reads state, never changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.core import commands as c
from emulator.core.decisions import (
    accounts,
    changing,
    contracts,
    following,
    lending,
    leverages,
    liquidating,
    lists,
    markets,
    modes,
    modifying,
    placing,
    reducing,
    settling,
    sharing,
    stops,
)
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.following import next_trigger
from emulator.core.decisions.placing import check_placement
from emulator.core.decisions.reducing import rest_of
from emulator.core.rules import EngineRules
from emulator.core.state import State

__all__ = ["DECIDERS", "Decision", "check_placement", "decide", "next_trigger", "rest_of"]


def decide(state: State, rules: EngineRules, command: c.Command, now_us: int) -> Decision:
    """The events that a command causes, or its rejection."""
    return DECIDERS[type(command)](state, rules, command, now_us)


DECIDERS: dict[type[c.Command], Callable[[State, EngineRules, Any, int], Decision]] = {
    c.OpenAccount: accounts.open_account,
    c.SetFeePayment: accounts.set_fee_payment,
    c.SetPreference: accounts.set_preference,
    c.Deposit: accounts.deposit,
    c.Withdraw: accounts.withdraw,
    c.Transfer: accounts.transfer,
    c.ExchangeAssets: accounts.exchange,
    c.LockFunds: accounts.lock,
    c.UnlockFunds: accounts.unlock,
    c.CorrectBalance: accounts.correct,
    c.SetLeverage: leverages.set_leverage,
    c.SetMarginMode: contracts.set_margin_mode,
    c.SetPositionMode: contracts.set_position_mode,
    c.SetCollateralMode: sharing.set_collateral_mode,
    c.SetAccountMargin: modes.set_account_margin,
    c.SetCollateralUse: modes.set_collateral_use,
    c.SetSpotMargin: modes.set_spot_margin,
    c.BorrowFunds: lending.borrow,
    c.RepayFunds: lending.repay,
    c.MoveMargin: contracts.move_margin,
    c.SetReplenishment: contracts.set_replenishment,
    c.PlaceOrder: placing.place_order,
    c.TestOrder: placing.place_order,
    c.PlaceOrderList: lists.place_order_list,
    c.CancelOrder: changing.cancel_order,
    c.CancelAllOrders: changing.cancel_all,
    c.CancelOrders: changing.cancel_several,
    c.EndOrders: changing.end_several,
    c.SetCountdown: changing.set_countdown,
    c.CancelOrderList: changing.cancel_list,
    c.AmendOrder: changing.amend,
    c.ModifyOrder: modifying.modify,
    c.SetPrice: markets.set_price,
    c.SetBook: markets.set_book,
    c.PrintTrade: markets.print_trade,
    c.ReleaseMarket: markets.release,
    c.AdvanceInstrument: following.advance,
    c.EndDue: following.end_due,
    c.SetStops: stops.set_stops,
    c.FollowStops: stops.follow,
    c.TriggerOrder: following.trigger_order,
    c.DropReducing: reducing.drop_reducing,
    c.SplitReducing: reducing.split,
    c.PayFunding: settling.pay_funding,
    c.ChargeInterest: lending.charge,
    c.DeliverContract: settling.deliver,
    c.Liquidate: liquidating.liquidate,
    c.CloseOut: liquidating.close_out,
    c.ExchangeOwed: sharing.exchange_owed,
    c.ActivateOrder: following.activate,
    c.ExpireOrder: following.expire,
    c.EndOrderList: following.end_list,
}
