"""Turns what happens in an engine into what is told to those who listen to its accounts.

It watches the engine only while there are subscribers. What an event was to an account is captured when the
event has just been applied, so cumulative amounts and statuses are those of that very event, and leaves by
the sandbox's outlet once the command is complete and durable.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from emulator.core import events as e
from emulator.core.engine import Engine
from emulator.core.ids import AccountId
from emulator.runtime.sandbox import Sandbox

T = TypeVar("T")
"""What is told of an account, once."""

Hear = Callable[[Any, int], None]
"""Takes an event of the engine that was just applied, and its time."""

_log = logging.getLogger(__name__)


class _Subscription(Generic[T]):
    __slots__ = ("is_live", "subscriber")

    def __init__(self, subscriber: Callable[[T], None]) -> None:
        self.subscriber = subscriber
        self.is_live = True


_Told = tuple[tuple[_Subscription[T], ...], T]


class AccountHub(ABC, Generic[T]):
    """Everything that is told of one sandbox's accounts in one way; an observer of the engine of a name.

    An exchange's own hub says which events of the engine it hears, and tells what they are to an account,
    during the command or once at its end.
    """

    def __init__(self, sandbox: Sandbox, engine: str) -> None:
        self._sandbox = sandbox
        self._engine_name = engine
        self._subscriptions: dict[AccountId, tuple[_Subscription[T], ...]] = {}
        self._unobserve: Callable[[], None] | None = None
        self._engine: Engine | None = None
        self._told: list[_Told[T]] = []
        self._has_heard = False
        self._hears = self._compile()

    @abstractmethod
    def _compile(self) -> Mapping[type[e.Event], Hear]:
        """What to do at which events of the engine. Called once, when the rest is not made yet."""

    @abstractmethod
    def _conclude(self, now_us: int) -> None:
        """Tell what is said once for a command of which something was heard, as balances are."""

    @abstractmethod
    def _forget(self) -> None:
        """Forget what was noted of a command: it is over, or did not happen."""

    def subscribe(self, account: AccountId, subscriber: Callable[[T], None]) -> Callable[[], None]:
        """Tell a subscriber all that happens to an account from now on; returns what ends that at once.

        The subscriber must not block.
        """
        subscription = _Subscription(subscriber)
        # Tuples that are replaced, not changed: what is on its way keeps those that it was meant for.
        self._subscriptions[account] = (*self._subscriptions.get(account, ()), subscription)
        if self._unobserve is None:
            self._unobserve = self._sandbox.observe(self._engine_name, self)

        def unsubscribe() -> None:
            self._remove(account, subscription)

        return unsubscribe

    def _remove(self, account: AccountId, subscription: _Subscription[T]) -> None:
        if not subscription.is_live:
            return
        subscription.is_live = False
        left = tuple(one for one in self._subscriptions[account] if one is not subscription)
        if left:
            self._subscriptions[account] = left
            return
        del self._subscriptions[account]
        if not self._subscriptions and self._unobserve is not None:
            self._unobserve()
            self._unobserve = None

    @property
    def hears(self) -> frozenset[type[e.Event]]:
        """The events that are told somebody."""
        return frozenset(self._hears)

    @property
    def listening(self) -> int:
        """How many subscribe, of all accounts together."""
        return sum(map(len, self._subscriptions.values()))

    # The engine's observer

    def happened(self, event: e.Event, now_us: int) -> None:
        hears = self._hears.get(type(event))
        if hears is None:
            return
        self._follow_engine()
        self._has_heard = True
        try:
            hears(event, now_us)
        except Exception:
            # An observer must not raise: the engine would be rebuilt for what is wrong here.
            _log.exception("an event cannot be told: %r", event)

    def settled(self, now_us: int) -> None:
        self._follow_engine()
        if not self._has_heard:
            return
        try:
            self._conclude(now_us)
        except Exception:
            _log.exception("what a command came to cannot be told")
        told = self._told
        self._clear()
        if told:
            self._sandbox.outlet.note(lambda: _tell(told))

    def _follow_engine(self) -> None:
        """Forget what an engine did that was taken out in the midst of a command: it did not happen."""
        engine = self._sandbox.engines[self._engine_name]
        if engine is not self._engine:
            self._engine = engine
            self._clear()

    def _clear(self) -> None:
        self._told = []
        self._has_heard = False
        self._forget()

    # For the exchange's own

    @property
    def _running(self) -> Engine:
        """The engine that the event is of which is being heard."""
        assert self._engine is not None
        return self._engine

    def _is_heard(self, account: AccountId) -> bool:
        return account in self._subscriptions

    def _tell(self, account: AccountId, told: T) -> None:
        """To everybody who listens to the account, and somebody does, when the command is durable."""
        self._told.append((self._subscriptions[account], told))

    def _tell_aside(self, account: AccountId, make: Callable[[], T]) -> None:
        """The same of something that no event of the engine tells of, right after it was decided."""
        subscriptions = self._subscriptions.get(account)
        if subscriptions:
            told = make()
            self._sandbox.outlet.note(lambda: _tell([(subscriptions, told)]))

    def _tell_at_once(self, account: AccountId, one: T) -> None:
        """The same of something that is no part of a command, after all that was told before."""
        told = [(self._subscriptions[account], one)]
        self._sandbox.outlet.say(self._sandbox.sequence, lambda: _tell(told))


def _tell(told: list[_Told[T]]) -> None:
    for subscriptions, one in told:
        for subscription in subscriptions:
            if subscription.is_live:
                try:
                    subscription.subscriber(one)
                except Exception:
                    _log.exception("a subscriber raised at what happened to its account")
