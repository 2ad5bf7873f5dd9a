"""Which function notes which event in the views, after the state applied it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.core import events as e
from emulator.core.views import orders, wallets

NOTES: dict[type[e.Event], Callable[[Any, Any], None]] = {
    e.OrderPlaced: orders.placed,
    e.OrderSucceeded: orders.closed,
    e.OrderCanceled: orders.closed,
    e.OrderExpired: orders.closed,
    e.TradeExecuted: orders.traded,
    e.PositionTakenOver: orders.taken_over,
    e.AutoDeleveraged: orders.deleveraged,
    e.MatchPrevented: orders.prevented,
    e.OrderListPlaced: orders.list_placed,
    e.OrderListEnded: orders.list_ended,
    e.AmountDeposited: wallets.moved,
    e.AmountWithdrawn: wallets.moved,
    e.AmountTransferred: wallets.moved,
    e.LeverageSet: wallets.contract_set,
    e.MarginModeSet: wallets.contract_set,
    e.MarginMoved: wallets.margin_moved,
    e.PositionModeSet: wallets.wallet_set,
    e.CollateralModeSet: wallets.wallet_set,
    e.AccountMarginSet: wallets.account_margin_set,
}
"""Each is called with the views and the event."""
