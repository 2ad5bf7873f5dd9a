"""Listen keys: user data as a stream among those of the market.

An account has at most one key of a product, which is valid for an hour from when it was last asked for or
kept alive, by the sandbox's clock. A socket of the market streams that subscribes to the key as if it were
a stream gets the account's events. Nothing of it is kept in the journal: a restart ends all keys.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import partial
from secrets import token_hex
from typing import Final, Protocol
from weakref import WeakValueDictionary

from emulator.core.ids import AccountId
from emulator.exchanges.binance.user_data.account_event import AccountEvent
from emulator.runtime.alarms import Alarm
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Refusal

VALID_US: Final = 3_600_000_000
KEY_BYTES: Final = 32
EXPIRED: Final = "listenKeyExpired"

Tell = Callable[[AccountEvent], None]
Unsubscribe = Callable[[], None]


class Hears(Protocol):
    """What tells of accounts; a hub (`user_data.hub`)."""

    def subscribe(self, account: AccountId, subscriber: Tell) -> Unsubscribe: ...


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
    """The keys of one product in one sandbox. homes: whose each key is, of all sandboxes. unknown: what is
    said of a key that there is not."""

    def __init__(
        self,
        sandbox: Sandbox,
        hub: Hears,
        homes: MutableMapping[str, ListenKeys],
        unknown: Callable[[], Refusal],
    ) -> None:
        self._sandbox = sandbox
        self._hub = hub
        self._homes = homes
        self._unknown = unknown
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
            self._homes[key.text] = self
        self._extend(key)
        return key.text

    def extend(self, account: AccountId, text: str | None = None) -> str:
        """Valid for an hour from now; which key that is, where it is not said.

        Raises what there is to say of a key that the account does not have.
        """
        key = self._find(account, text)
        self._extend(key)
        return key.text

    def close(self, account: AccountId, text: str | None = None) -> None:
        """Raises what there is to say of a key that the account does not have."""
        self._drop(self._find(account, text))

    def listen(self, text: str, tell: Tell) -> Unsubscribe | None:
        """Tell of all that happens to the key's account while it is valid; None: there is no such key."""
        key = self._by_text.get(text)
        if key is None:
            return None
        listener = _Listener(tell, self._hub.subscribe(key.account, tell))
        key.listeners[listener] = None

        def unsubscribe() -> None:
            key.listeners.pop(listener, None)
            listener.leave()

        return unsubscribe

    def _find(self, account: AccountId, text: str | None) -> _Key:
        key = self._by_account.get(account)
        if key is None or text not in (None, key.text):
            raise self._unknown()
        return key

    def _extend(self, key: _Key) -> None:
        if key.alarm is not None:
            key.alarm.cancel()
        expires_us = self._sandbox.clock.now_us() + VALID_US
        key.alarm = self._sandbox.alarms.at(expires_us, partial(self._expire, key))

    def _expire(self, key: _Key, now_us: int) -> None:
        event = AccountEvent({"e": EXPIRED, "E": now_us, "listenKey": key.text}, ("E",))
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
        self._homes.pop(key.text, None)
        for listener in key.listeners:
            listener.leave()
        key.listeners.clear()


class ListenKeyRing:
    """The keys of one product. hub_of: what tells of the accounts of a sandbox. unknown: -1125 in the
    product's words."""

    def __init__(self, hub_of: Callable[[Sandbox], Hears], unknown: Callable[[], Refusal]) -> None:
        homes: WeakValueDictionary[str, ListenKeys] = WeakValueDictionary()
        self._homes = homes
        self._keys = PerSandbox(lambda sandbox: ListenKeys(sandbox, hub_of(sandbox), homes, unknown))

    def of(self, sandbox: Sandbox) -> ListenKeys:
        return self._keys.of(sandbox)

    def listen(self, text: str, tell: Tell, *, sandbox: Sandbox | None) -> Unsubscribe | None:
        """As `ListenKeys.listen`, of the given sandbox or, since a key need not come with the name of one,
        of the one whose key it is.
        """
        home = self._homes.get(text) if sandbox is None else self.of(sandbox)
        return None if home is None else home.listen(text, tell)
