"""Listen keys: how user data was streamed before 2026-02-20, for clients that still do.

An account has at most one key, which is valid for an hour from when it was last asked for or kept alive,
by the sandbox's clock. A socket of the market streams that subscribes to the key as if it were a stream
gets the account's events. Nothing of it is kept in the journal: a restart ends all keys.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from secrets import token_hex
from typing import Final, TypedDict
from weakref import WeakValueDictionary

from emulator.core.ids import AccountId
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.user_data import ACCOUNT_HUBS, AccountEvent
from emulator.exchanges.binance.vocabulary import USER_STREAM
from emulator.runtime.alarms import Alarm
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Call, Parameter, Rows

VALID_US: Final = 3_600_000_000
KEY_BYTES: Final = 32

LISTEN_KEY: Final = Parameter("listenKey", required=True, description="As it was given out.")

Tell = Callable[[AccountEvent], None]
Unsubscribe = Callable[[], None]

rows = Rows()


class _Listener:
    __slots__ = ("leave", "tell")

    def __init__(self, tell: Tell, leave: Unsubscribe) -> None:
        self.tell = tell
        self.leave = leave


class _Key:
    __slots__ = ("account", "alarm", "listeners", "text")

    def __init__(self, text: str, account: AccountId) -> None:
        self.text = text
        self.account = account
        self.alarm: Alarm | None = None
        self.listeners: dict[_Listener, None] = {}


class ListenKeys:
    """The keys of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._by_account: dict[AccountId, _Key] = {}
        self._by_text: dict[str, _Key] = {}

    def __contains__(self, text: str) -> bool:
        return text in self._by_text

    def start(self, account: AccountId) -> str:
        """The account's key, valid for an hour from now."""
        key = self._by_account.get(account)
        if key is None:
            key = _Key(token_hex(KEY_BYTES), account)
            self._by_account[account] = self._by_text[key.text] = key
            _HOMES[key.text] = self
        self._extend(key)
        return key.text

    def extend(self, account: AccountId, text: str) -> None:
        """Raises -1125 for a key that the account does not have."""
        self._extend(self._find(account, text))

    def close(self, account: AccountId, text: str) -> None:
        """Raises -1125 for a key that the account does not have."""
        self._drop(self._find(account, text))

    def listen(self, text: str, tell: Tell) -> Unsubscribe | None:
        """Tell of all that happens to the key's account while it is valid; None: there is no such key."""
        key = self._by_text.get(text)
        if key is None:
            return None
        listener = _Listener(tell, ACCOUNT_HUBS.of(self._sandbox).subscribe(key.account, tell))
        key.listeners[listener] = None

        def unsubscribe() -> None:
            key.listeners.pop(listener, None)
            listener.leave()

        return unsubscribe

    def _find(self, account: AccountId, text: str) -> _Key:
        key = self._by_text.get(text)
        if key is None or key.account != account:
            raise refuse(-1125)
        return key

    def _extend(self, key: _Key) -> None:
        if key.alarm is not None:
            key.alarm.cancel()
        expires_us = self._sandbox.clock.now_us() + VALID_US
        key.alarm = self._sandbox.alarms.at(expires_us, partial(self._expire, key))

    def _expire(self, key: _Key, now_us: int) -> None:
        event = AccountEvent({"e": "listenKeyExpired", "E": now_us, "listenKey": key.text}, ("E",))
        listeners = tuple(key.listeners)
        self._drop(key)

        def tell() -> None:
            for listener in listeners:
                listener.tell(event)

        # After what was told of the account before.
        self._sandbox.outlet.say(self._sandbox.sequence, tell)

    def _drop(self, key: _Key) -> None:
        if key.alarm is not None:
            key.alarm.cancel()
        del self._by_account[key.account], self._by_text[key.text]
        _HOMES.pop(key.text, None)
        for listener in key.listeners:
            listener.leave()
        key.listeners.clear()


LISTEN_KEYS: Final = PerSandbox(ListenKeys)

_HOMES: WeakValueDictionary[str, ListenKeys] = WeakValueDictionary()
"""Whose each key is: an address with a key in it need not name a sandbox."""


def listen(text: str, tell: Tell, *, sandbox: Sandbox | None) -> Unsubscribe | None:
    """As `ListenKeys.listen`, of the given sandbox or of the one whose key it is."""
    home = _HOMES.get(text) if sandbox is None else LISTEN_KEYS.of(sandbox)
    return None if home is None else home.listen(text, tell)


# The endpoints


class GivenListenKey(TypedDict):
    listenKey: str


class Nothing(TypedDict):
    pass


@rows.route(
    "POST",
    "/api/v3/userDataStream",
    summary="Start user data stream, or go on with the one that there is",
    security=USER_STREAM,
    weight=2,
    answers=GivenListenKey,
    deprecated=True,
)
def start(call: Call) -> GivenListenKey:
    return {"listenKey": LISTEN_KEYS.of(call.sandbox).start(call.account)}


@rows.route(
    "PUT",
    "/api/v3/userDataStream",
    summary="Keep user data stream alive",
    security=USER_STREAM,
    weight=2,
    parameters=(LISTEN_KEY,),
    answers=Nothing,
    deprecated=True,
)
def keep_alive(call: Call) -> Nothing:
    LISTEN_KEYS.of(call.sandbox).extend(call.account, call.values["listenKey"])
    return {}


@rows.route(
    "DELETE",
    "/api/v3/userDataStream",
    summary="Close user data stream",
    security=USER_STREAM,
    weight=2,
    parameters=(LISTEN_KEY,),
    answers=Nothing,
    deprecated=True,
)
def close(call: Call) -> Nothing:
    LISTEN_KEYS.of(call.sandbox).close(call.account, call.values["listenKey"])
    return {}
