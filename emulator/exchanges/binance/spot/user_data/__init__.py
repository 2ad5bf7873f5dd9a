"""What happens to Spot accounts, told to those who listen.

`ACCOUNT_HUBS.of(sandbox).subscribe(account, subscriber)` hands a subscriber every AccountEvent of an
account from then on, in order, each when the journal holds what it tells of.
"""

from __future__ import annotations

from emulator.exchanges.binance.spot.user_data.account_event import AccountEvent
from emulator.exchanges.binance.spot.user_data.hub import ACCOUNT_HUBS, AccountHub, Subscriber
from emulator.exchanges.binance.spot.user_data.reports import stream_terminated

__all__ = ["ACCOUNT_HUBS", "AccountEvent", "AccountHub", "Subscriber", "stream_terminated"]
