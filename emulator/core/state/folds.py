"""Which function folds which event into a state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.core import events as e
from emulator.core.state import accounts, choices, debts, markets, order_lists, orders, positions, trades

FOLDS: dict[type[e.Event], Callable[[Any, Any, int], None]] = {
    e.AccountOpened: accounts.account_opened,
    e.FeePaymentSet: accounts.fee_payment_set,
    e.PreferenceSet: accounts.preference_set,
    e.AmountDeposited: accounts.amount_deposited,
    e.AmountWithdrawn: accounts.amount_withdrawn,
    e.AmountTransferred: accounts.amount_transferred,
    e.AmountLocked: accounts.amount_locked,
    e.BalanceCorrected: accounts.balance_corrected,
    e.OrderPlaced: orders.order_placed,
    e.OrderRested: orders.order_rested,
    e.TrailingStarted: orders.trailing_started,
    e.OrderTriggered: orders.order_triggered,
    e.OrderActivated: orders.order_activated,
    e.OrderSucceeded: orders.order_succeeded,
    e.OrderAmended: orders.order_amended,
    e.OrderCanceled: orders.order_canceled,
    e.OrderExpired: orders.order_expired,
    e.CountdownSet: orders.countdown_set,
    e.TradeExecuted: trades.trade_executed,
    e.PositionTakenOver: trades.position_taken_over,
    e.AutoDeleveraged: trades.auto_deleveraged,
    e.MatchPrevented: trades.match_prevented,
    e.OrderListPlaced: order_lists.order_list_placed,
    e.OrderListEnded: order_lists.order_list_ended,
    e.PriceSet: markets.price_set,
    e.BookSet: markets.book_set,
    e.TradePrinted: markets.trade_printed,
    e.MarketReleased: markets.market_released,
    e.MarginMoved: positions.margin_moved,
    e.FundingPaid: positions.funding_paid,
    e.LiquidationBegun: positions.liquidation_begun,
    e.LiquidationCharged: positions.liquidation_charged,
    e.InsurancePaid: positions.insurance_paid,
    e.LeverageSet: choices.leverage_set,
    e.MarginModeSet: choices.margin_mode_set,
    e.PositionModeSet: choices.position_mode_set,
    e.CollateralModeSet: choices.collateral_mode_set,
    e.AccountMarginSet: choices.account_margin_set,
    e.CollateralUseSet: choices.collateral_use_set,
    e.SpotMarginSet: choices.spot_margin_set,
    e.ReplenishmentSet: choices.replenishment_set,
    e.AssetExchanged: debts.asset_exchanged,
    e.FundsBorrowed: debts.funds_borrowed,
    e.LoanRepaid: debts.loan_repaid,
    e.InterestCharged: debts.interest_charged,
}
"""Each is called with the state, the event and when it happened; nothing else changes a state."""
