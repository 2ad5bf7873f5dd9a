"""What happens in the engine as the events of those accounts that somebody listens to."""

from __future__ import annotations

from collections.abc import Callable

from emulator.exchanges.binance.running import ENGINE
from emulator.exchanges.binance.user_data.account_event import AccountEvent
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams import accounts
from emulator.web.streams.accounts import Hear

__all__ = ["AccountHub", "Hear", "Subscriber"]

Subscriber = Callable[[AccountEvent], None]
"""Takes one event of the account. Must not block."""


class AccountHub(accounts.AccountHub[AccountEvent]):
    """Everything that is told of one sandbox's accounts of one product; a product's own hub says what."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, ENGINE)
