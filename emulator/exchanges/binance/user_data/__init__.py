"""What happens to accounts, told to those who listen, as far as the products have it alike."""

from __future__ import annotations

from emulator.exchanges.binance.user_data.account_event import AccountEvent
from emulator.exchanges.binance.user_data.hub import AccountHub, Subscriber

__all__ = ["AccountEvent", "AccountHub", "Subscriber"]
