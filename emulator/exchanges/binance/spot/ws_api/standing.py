"""What a connection to spot's WebSocket API has come to beyond a logon: which accounts it hears of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from emulator.core.ids import AccountId
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.payloads.ws_api import SpotSessionState
from emulator.exchanges.binance.spot.user_data import ACCOUNT_HUBS, AccountEvent, stream_terminated
from emulator.exchanges.binance.ws_api.frames import render_event
from emulator.exchanges.binance.ws_api.standing import Standing
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Opening
from emulator.web.sockets import Socket

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


class SpotStanding(Standing):
    def __init__(self, opening: Opening, socket: Socket, divisor: int, returns_rate_limits: bool) -> None:
        super().__init__(opening, socket, divisor, returns_rate_limits)
        self._subscriptions: dict[int, Subscription] = {}
        self._next_id = 0

    def log_out(self) -> None:
        """Forget the key, if there is one, and end what was subscribed for it."""
        for number in [number for number, one in self._subscriptions.items() if one.by_logon]:
            self._end(number)
        super().log_out()

    def render(self, now_us: int) -> SpotSessionState:
        return {**super().render(now_us), "userDataStream": bool(self._subscriptions)}

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
        self.attach(sandbox)
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
        for one in self._subscriptions.values():
            one.cancel()
        self._subscriptions.clear()
        super().end()
