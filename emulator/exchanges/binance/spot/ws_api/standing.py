"""What a connection has come to: whose key is logged on, and which accounts it hears of.

It ends with the connection; nothing of it is journalled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from emulator.core.ids import AccountId
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.payloads.ws_api import SessionState
from emulator.exchanges.binance.spot.user_data import ACCOUNT_HUBS, AccountEvent, stream_terminated
from emulator.exchanges.binance.spot.ws_api.frames import render_event
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Opening
from emulator.web.sockets import RESTARTING, Socket

SUBSCRIPTIONS_MAX: Final = 1000
"""Active ones at a time."""
SUBSCRIPTION_IDS_MAX: Final = 65_535
"""Over the lifetime of a connection."""


class Subscription:
    """by_logon: made for the key that was logged on, so it ends when that is logged out."""

    __slots__ = ("account", "by_logon", "cancel", "sandbox")

    def __init__(
        self, sandbox: Sandbox, account: AccountId, *, by_logon: bool, cancel: Callable[[], None]
    ) -> None:
        self.sandbox = sandbox
        self.account = account
        self.by_logon = by_logon
        self.cancel = cancel


class Standing:
    """divisor: microseconds in one unit of the times that the connection is told.

    key: the one that is logged on, known in the sandbox `home`. parting: what is to be said after the
    answer that is being made.
    """

    def __init__(self, opening: Opening, socket: Socket, *, divisor: int, returns_rate_limits: bool) -> None:
        self.opening = opening
        self.divisor = divisor
        self.returns_rate_limits = returns_rate_limits
        self.connected_us = opening.sandbox.clock.now_us()
        self.key: KeyRecord | None = None
        self.home = opening.sandbox
        self.authorized_us = 0
        self.parting: list[bytes] = []
        self._socket = socket
        self._subscriptions: dict[int, Subscription] = {}
        self._next_id = 0
        self._attached: dict[Sandbox, Callable[[], None]] = {}

    # Sandboxes

    def sandbox_of(self, key: str | None) -> Sandbox:
        """Where a request belongs that is sent with a key, or with none.

        An address that names a sandbox decides; otherwise the key does, sent or logged on.
        """
        opening = self.opening
        if opening.is_named:
            return opening.sandbox
        if key is None:
            return self.home
        return opening.sandboxes.owning(key) or opening.sandbox

    def _attach(self, sandbox: Sandbox) -> None:
        """The connection ends with every sandbox that it has to do with."""
        # With the one that it was opened for it ends anyway.
        if sandbox is not self.opening.sandbox and sandbox not in self._attached:
            socket = self._socket
            self._attached[sandbox] = sandbox.fanout.at_end(
                lambda: socket.close(RESTARTING, "The sandbox ended")
            )

    # Logon

    def log_on(self, key: KeyRecord, sandbox: Sandbox, now_us: int) -> None:
        self._attach(sandbox)
        self.key = key
        self.home = sandbox
        self.authorized_us = now_us

    def log_out(self) -> None:
        """Forget the key, if there is one, and end what was subscribed for it."""
        for number in [number for number, one in self._subscriptions.items() if one.by_logon]:
            self._end(number)
        self.key = None
        self.home = self.opening.sandbox

    @property
    def is_revoked(self) -> bool:
        """Whether the key that is logged on was taken away meanwhile."""
        key = self.key
        return key is not None and self.home.keys.get(key.key) is not key

    def render(self, now_us: int) -> SessionState:
        divisor = self.divisor
        key = self.key
        return {
            "apiKey": None if key is None else key.key,
            "authorizedSince": None if key is None else self.authorized_us // divisor,
            "connectedSince": self.connected_us // divisor,
            "returnRateLimits": self.returns_rate_limits,
            "serverTime": now_us // divisor,
            "userDataStream": bool(self._subscriptions),
        }

    # User data

    @property
    def subscriptions(self) -> list[int]:
        return list(self._subscriptions)

    def subscribe(self, sandbox: Sandbox, account: AccountId, *, by_logon: bool) -> int:
        """Hear of an account from now on; the subscription's id. Raises -2035 and -2042."""
        active = self._subscriptions
        if any(one.account == account and one.sandbox is sandbox for one in active.values()):
            raise refuse(-2035)
        if len(active) >= SUBSCRIPTIONS_MAX or self._next_id >= SUBSCRIPTION_IDS_MAX:
            raise refuse(-2042)
        number = self._next_id
        self._next_id += 1
        self._attach(sandbox)
        send, divisor = self._socket.send_text, self.divisor

        def tell(event: AccountEvent) -> None:
            send(render_event(number, event.encoded(divisor)))

        cancel = ACCOUNT_HUBS.of(sandbox).subscribe(account, tell)
        active[number] = Subscription(sandbox, account, by_logon=by_logon, cancel=cancel)
        return number

    def unsubscribe(self, number: int | None) -> None:
        """End one subscription, or all that there are. Raises -2036 for one that there is not."""
        if number is not None and number not in self._subscriptions:
            raise refuse(-2036)
        for ended in self.subscriptions if number is None else [number]:
            self._end(ended)

    def _end(self, number: int) -> None:
        one = self._subscriptions.pop(number)
        one.cancel()
        event = stream_terminated(one.sandbox.clock.now_us())
        self.parting.append(render_event(number, event.encoded(self.divisor)))

    def end(self) -> None:
        """The connection is gone."""
        for one in self._subscriptions.values():
            one.cancel()
        self._subscriptions.clear()
        for forget in self._attached.values():
            forget()
        self._attached.clear()
