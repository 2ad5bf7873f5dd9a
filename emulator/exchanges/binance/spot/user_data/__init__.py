"""What happens to Spot accounts, told to those who listen.

`ACCOUNT_HUBS.of(sandbox).subscribe(account, subscriber)` hands a subscriber every AccountEvent of an
account from then on, in order, each when the journal holds what it tells of.
"""

from __future__ import annotations

from emulator.exchanges.binance.spot.user_data.hub import ACCOUNT_HUBS, SpotAccountHub
from emulator.exchanges.binance.spot.user_data.reports import stream_terminated
from emulator.exchanges.binance.user_data import AccountEvent

__all__ = ["ACCOUNT_HUBS", "AccountEvent", "SpotAccountHub", "stream_terminated"]
