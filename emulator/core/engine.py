"""One exchange's rules and state in one sandbox: commands in, events out.

`execute` decides a command, applies its events, and then decides and applies everything that follows
from it (triggers, legs of lists) before it returns. The caller has advanced the engine to the
command's time before; times never decrease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import getcontext, setcontext
from heapq import heappop, heappush
from typing import Any, Protocol, runtime_checkable

import msgspec

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import snapshot
from emulator.core.accounting import Accounting
from emulator.core.audit import Mismatch, audit
from emulator.core.consequences import Consequences
from emulator.core.decisions import DECIDERS, check_placement, decide, next_trigger
from emulator.core.ids import AccountId
from emulator.core.instruments import Instrument
from emulator.core.liquidation import Risk as Risk
from emulator.core.markets import Feed
from emulator.core.numbers import EXACT, exact
from emulator.core.orders import Order
from emulator.core.rejections import Feature, FeatureOff, Rejection, ReplaceFailed
from emulator.core.rules import EngineRules
from emulator.core.state import State
from emulator.core.tape import FOREVER_US, next_due
from emulator.core.views import Taken, Views
from emulator.core.vigil import Vigil

__all__ = ["FOLLOW_UPS_MAX", "Done", "Engine", "Observer", "Risk", "Watcher"]

FOLLOW_UPS_MAX = 10_000
"""Triggers fired by one command at most; what is due beyond that fires at the next one."""

LOOK_AHEAD_US = 60_000_000
"""How far the market is searched for what is due when nobody asks for a later time.

A search costs little more for a minute than for a second, and until then ticks cost nothing.
"""


class Done(msgspec.Struct, frozen=True):
    """What a command came to. A rejection without events changed nothing."""

    events: tuple[e.Event, ...]
    rejection: Rejection | None = None


class Observer(Protocol):
    """Watches a living engine from inside, where the state is still that of each single event.

    What it sees is not durable yet, and it must neither change anything nor raise. Folding a journal
    is not observed.
    """

    def happened(self, event: e.Event, now_us: int) -> None:
        """An event was applied just now; nothing else has been since."""
        ...

    def settled(self, now_us: int) -> None:
        """What was asked for, or came due, is complete with all that follows from it."""
        ...


@runtime_checkable
class Watcher(Protocol):
    """An observer that wants to know when somebody's margin becomes scarce (`MarginRules.warning_ratio`).

    That changes nothing, so it is no event: a new process may tell it again, and it is not told twice as
    long as nothing about the account changed.
    """

    def margin_called(self, risk: Risk, now_us: int) -> None: ...


class Engine:
    """Decides, applies, follows up. Deterministic: same commands at the same times, same events."""

    def __init__(
        self,
        name: str,
        instruments: Mapping[str, Instrument],
        feed: Feed,
        wallets: tuple[str, ...],
        rules: EngineRules | None = None,
    ) -> None:
        self.name = name
        self.instruments = instruments
        self.feed = feed
        self.rules = rules or EngineRules()
        keeps_transactions = self.rules.keeps_transactions
        self.state = State(
            instruments,
            feed,
            wallets,
            self.rules.fees.discount_asset,
            self.rules.margin.collateral,
            self.rules.pair_wallets,
            self.rules.margin.account_margin,
            keeps_lifetimes=keeps_transactions,
        )
        self.views = Views(self.state, Accounting(self.state) if keeps_transactions else None)
        self.observers: Sequence[Observer] = ()
        self._advanced_us = 0
        self._checked: dict[str, int] = {}
        self._version: dict[str, int] = {}
        self._due: list[tuple[int, str, int, bool]] = []
        self._vigil = Vigil(self.state, self.rules)
        self._consequences = Consequences(self.state, self.views, instruments)
        folds: dict[type[e.Event], Callable[[Any, int], None]] = {
            **self.state.folds,
            e.OrderAmended: self._amend,
        }
        notes, follows = self.views.notes, self._consequences.follows
        self._steps = {kind: (fold, notes.get(kind), follows.get(kind)) for kind, fold in folds.items()}
        """What is done with each kind of event: by the state, by the views, and what follows from it."""

    def execute(self, command: c.Command, now_us: int) -> Done:
        """Decide one command at `now_us` and apply what it causes, follow-ups included."""
        if now_us > self._advanced_us:
            self._advanced_us = now_us
        # As `exact()` does, which takes three calls more.
        outer = getcontext()
        setcontext(EXACT)
        try:
            decider = DECIDERS.get(type(command))
            if decider is None:
                assert type(command) is c.ReplaceOrder, f"nobody decides {command}"
                return self._replace(command, now_us)
            decision = decider(self.state, self.rules, command, now_us)
            if isinstance(decision, Rejection):
                return Done((), decision)
            if not decision:
                return Done(())  # Nothing happens, as of a TestOrder.
            return Done(tuple(self._settle(decision, now_us)))
        finally:
            setcontext(outer)

    def advance(self, now_us: int) -> list[tuple[int, tuple[e.Event, ...]]]:
        """Let the market do what is due by `now_us`, in the order of time; each with its own time."""
        due, vigil, state = self._due, self._vigil, self.state
        if (
            not state.touched
            and (not due or due[0][0] > now_us)
            and not state.disturbed
            and not state.jolted
            and not state.charged
            and vigil.next_due_us > now_us
        ):
            if now_us > self._advanced_us:
                self._advanced_us = now_us
            return []
        happened: list[tuple[int, tuple[e.Event, ...]]] = []
        with exact():
            self._look_touched(now_us)
            passed_us = self._advanced_us
            while True:
                ahead_us = vigil.next_us(passed_us, now_us)
                if ahead_us <= now_us and (not due or ahead_us < due[0][0]):
                    passed_us = ahead_us
                    events = self._watch(ahead_us)
                    if events:
                        happened.append((ahead_us, tuple(events)))
                    for other in self.state.touched:
                        self._checked[other] = ahead_us
                    self._look_touched(now_us)
                    continue
                if not due or due[0][0] > now_us:
                    break
                at_us, symbol, version, is_due = heappop(due)
                # What is due for positions at the same moment comes after it.
                passed_us = max(passed_us, at_us - 1)
                if version != self._version[symbol]:
                    continue
                self._checked[symbol] = at_us
                if is_due:
                    events = []
                    if self.state.markets[symbol].deadline_us <= at_us:
                        # What ends at this moment is not reached by the market any more.
                        events += self._do(c.EndDue(instrument=symbol), at_us)
                    self._consequences.moved[symbol] = None
                    events += self._do(c.AdvanceInstrument(instrument=symbol), at_us)
                    if events:
                        happened.append((at_us, tuple(events)))
                    # Follow-ups may concern other instruments; they look from this moment on.
                    for other in self.state.touched:
                        self._checked[other] = at_us
                self.state.touched.add(symbol)
                self._look_touched(now_us)
        self._advanced_us = max(self._advanced_us, now_us)
        return happened

    def has_account(self, account: AccountId) -> bool:
        return account in self.state.accounts

    def next_due_us(self, now_us: int) -> int | None:
        """When the market should be looked at next; None when nothing here is at stake."""
        with exact():
            self._look_touched(now_us)
            ahead_us = self._vigil.next_us(self._advanced_us, now_us)
        due = self._due
        while due and due[0][2] != self._version[due[0][1]]:
            heappop(due)
        first_us = min(ahead_us, due[0][0]) if due else ahead_us
        return None if first_us == FOREVER_US else first_us

    def apply(self, events: Iterable[e.Event], time_us: int) -> None:
        """Fold journalled events; nothing is decided and nothing follows."""
        with exact():
            for event in events:
                self._fold(event, time_us)
        self._advanced_us = max(self._advanced_us, time_us)

    # History

    def keep_records(self) -> None:
        """From now on, records of what is over gather until they are taken."""
        self.views.is_taken = True

    def take(self) -> Taken:
        """The records since the last taking; see `Views.take`."""
        return self.views.take()

    def forget(self, through: int, retained: int, at_most: int | None = None) -> int:
        """Drop records that an archive holds, beyond the newest `retained`; see `Views.forget`."""
        with exact():
            return self.views.forget(through, retained, at_most)

    def audit(self) -> list[Mismatch]:
        """Where the folded state does not agree with itself; see `audit`."""
        with exact():
            return audit(self.state)

    def capture(self) -> snapshot.Capture:
        """A copy of everything folded so far, to be written down later, and elsewhere."""
        return snapshot.capture(self.state, self.views, self._advanced_us)

    def restore(self, parts: Iterable[bytes]) -> None:
        """Take over what another engine captured, instead of any event; see `snapshot.restore`."""
        self._advanced_us = snapshot.restore(self.state, self.views, parts)

    def fingerprint(self) -> str:
        """A digest of the folded state."""
        with exact():
            return self.state.fingerprint()

    # Applying and what follows

    def _fold(self, event: e.Event, now_us: int) -> None:
        views = self.views
        views.event, views.now_us = event, now_us
        fold, note, _ = self._steps[type(event)]
        fold(event, now_us)
        if note is not None:
            note(event)

    def _amend(self, event: e.OrderAmended, now_us: int) -> None:
        self.views.will_amend(event)
        self.state.apply(event, now_us)

    def _settle(
        self, decision: Sequence[e.Event], now_us: int, asked: Iterable[c.Command] = ()
    ) -> list[e.Event]:
        """Fold a decision and everything that follows from it: first what was asked for, then triggers, then
        the liquidations of those whose marks were moved by hand."""
        happened: list[e.Event] = []
        pending = [*asked]
        steps, views, observers = self._steps, self.views, self.observers
        consequences = self._consequences
        views.now_us = now_us
        decided = fired = 0
        while True:
            for event in decision:
                # As in `_fold`.
                views.event = event
                fold, note, follow = steps[type(event)]
                fold(event, now_us)
                if note is not None:
                    note(event)
                for observer in observers:
                    observer.happened(event, now_us)
                if follow is not None:
                    follow(event, pending)
            happened += decision
            if decided == len(pending) and consequences.followed:
                pending += consequences.stops()
            if decided == len(pending) and not consequences.moved and not consequences.struck:
                break
            if decided < len(pending):
                command = pending[decided]
                decided += 1
            else:
                trigger = (
                    self._next_trigger(now_us) if consequences.moved and fired < FOLLOW_UPS_MAX else None
                )
                if trigger is None:
                    consequences.moved.clear()
                    if not consequences.struck:
                        break
                    pending += self._vigil.struck(consequences.struck, now_us)
                    consequences.struck.clear()
                    self._call_margins(now_us)
                    decision = ()
                    continue
                fired += 1
                command = c.TriggerOrder(order=trigger.id)
            outcome = decide(self.state, self.rules, command, now_us)
            assert not isinstance(outcome, Rejection), f"a follow-up was rejected: {outcome}"
            if outcome and isinstance(command, c.Liquidate | c.CloseOut):
                pending.append(c.CloseOut(risk=command.risk))
            decision = outcome
        for observer in observers:
            observer.settled(now_us)
        return happened

    def _do(self, command: c.Command, now_us: int) -> list[e.Event]:
        """Settle a command of the engine itself, which is never refused."""
        decision = decide(self.state, self.rules, command, now_us)
        assert not isinstance(decision, Rejection), f"the engine refused itself: {decision}"
        return self._settle(decision, now_us)

    def _next_trigger(self, now_us: int) -> Order | None:
        for symbol in self._consequences.moved:
            found = next_trigger(self.state.markets[symbol], now_us)
            if found is not None:
                return found
        return None

    def _replace(self, command: c.ReplaceOrder, now_us: int) -> Done:
        """Cancel and place as one command; limits are checked before the cancel, and once more after it."""
        state, rules = self.state, self.rules
        market = state.markets.get(command.place.instrument)
        if market is not None and not market.instrument.cancel_replace:
            return Done((), FeatureOff(feature=Feature.REPLACE))
        if command.place_allowed:
            refused = check_placement(state, rules, command.place, now_us)
            if refused is not None:
                return Done((), refused)
        canceled = decide(state, rules, command.cancel, now_us)
        events: list[e.Event] = []
        cancel_rejection = canceled if isinstance(canceled, Rejection) else None
        if not isinstance(canceled, Rejection):
            events += self._settle(canceled, now_us)
        elif command.stop_on_failure:
            return Done((), ReplaceFailed(cancel=canceled, place=None, place_attempted=False))
        if not command.place_allowed:
            return Done(
                tuple(events), ReplaceFailed(cancel=cancel_rejection, place=None, place_attempted=False)
            )
        placed = decide(state, rules, command.place, now_us)
        if isinstance(placed, Rejection):
            failed = ReplaceFailed(cancel=cancel_rejection, place=placed, place_attempted=True)
            return Done(tuple(events), failed)
        events += self._settle(placed, now_us)
        if cancel_rejection is not None:
            failed = ReplaceFailed(cancel=cancel_rejection, place=None, place_attempted=True)
            return Done(tuple(events), failed)
        return Done(tuple(events))

    # Looking ahead

    def _watch(self, at_us: int) -> list[e.Event]:
        """Let happen what is due for positions."""
        endangered = self._vigil.endangered(at_us)
        self._call_margins(at_us)
        happened = self._settle((), at_us, endangered) if endangered else []
        vigil = self._vigil
        for due in (vigil.payments(at_us), vigil.interest(at_us), vigil.deliveries(at_us)):
            if due:
                happened += self._settle((), at_us, due)
        return happened

    def _call_margins(self, now_us: int) -> None:
        calls = self._vigil.calls
        if not calls:
            return
        for observer in self.observers:
            if isinstance(observer, Watcher):
                for risk in calls:
                    observer.margin_called(risk, now_us)
        calls.clear()

    def _look_touched(self, now_us: int) -> None:
        touched = self.state.touched
        while touched:
            symbol = touched.pop()
            version = self._version[symbol] = self._version.get(symbol, 0) + 1
            market = self.state.markets[symbol]
            if market.is_idle:
                continue
            after_us = max(self._checked.get(symbol, 0), self._advanced_us)
            until_us = max(now_us, after_us + LOOK_AHEAD_US)
            found = next_due(market, after_us, until_us)
            entry = (until_us, symbol, version, False) if found is None else (found, symbol, version, True)
            heappush(self._due, entry)
