"""One exchange's rules and state in one sandbox: commands in, events out.

`execute` decides a command, applies its events, and then decides and applies everything that follows
from it (triggers, legs of lists) before it returns. The caller has advanced the engine to the
command's time before; times never decrease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, getcontext, setcontext
from heapq import heappop, heappush
from typing import Any, Protocol, runtime_checkable

import msgspec

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import snapshot
from emulator.core.accounting import Accounting
from emulator.core.audit import Mismatch, audit
from emulator.core.decisions import DECIDERS, check_placement, decide, next_trigger, rest_of
from emulator.core.ids import NO_LIST, AccountId, OrderId
from emulator.core.instruments import Instrument
from emulator.core.liquidation import Risk as Risk
from emulator.core.markets import Feed
from emulator.core.numbers import EXACT, ZERO, exact
from emulator.core.orders import Cause, EndReason, Order, OrderStatus
from emulator.core.rejections import Feature, FeatureOff, Rejection, ReplaceFailed
from emulator.core.risk import held_at
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


_SIBLING_FIRED = frozenset({EndReason.LIST_SIBLING, EndReason.TAKE_PROFIT_FIRED, EndReason.STOP_LOSS_FIRED})


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
        self._struck: dict[str, None] = {}
        self._moved: dict[str, None] = {}
        self._followed: dict[OrderId, Decimal] = {}
        """What was traded of orders that bring stops along, which do not know of it yet."""
        follows: dict[type[e.Event], Callable[[Any, list[c.Command]], None]] = {
            e.TradeExecuted: self._follow_trade,
            e.PositionTakenOver: self._follow_taken_over,
            e.AutoDeleveraged: self._follow_deleveraged,
            e.TradePrinted: self._follow_print,
            e.PriceSet: self._follow_market,
            e.BookSet: self._follow_market,
            e.MarketReleased: self._follow_market,
            e.OrderCanceled: self._follow_close,
            e.OrderExpired: self._follow_close,
            e.MatchPrevented: self._follow_prevented,
        }
        if any(one.contract is not None and one.contract.splits_reducing for one in instruments.values()):
            follows |= {e.OrderPlaced: self._follow_entry, e.OrderTriggered: self._follow_entry}
        folds: dict[type[e.Event], Callable[[Any, int], None]] = {
            **self.state.folds,
            e.OrderAmended: self._amend,
        }
        notes = self.views.notes
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
                    self._moved[symbol] = None
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
            if decided == len(pending) and self._followed:
                pending += self._follow_stops()
            if decided == len(pending) and not self._moved and not self._struck:
                break
            if decided < len(pending):
                command = pending[decided]
                decided += 1
            else:
                trigger = self._next_trigger(now_us) if self._moved and fired < FOLLOW_UPS_MAX else None
                if trigger is None:
                    self._moved.clear()
                    if not self._struck:
                        break
                    pending += self._vigil.struck(self._struck, now_us)
                    self._struck.clear()
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
        for symbol in self._moved:
            found = next_trigger(self.state.markets[symbol], now_us)
            if found is not None:
                return found
        return None

    def _follow_trade(self, event: e.TradeExecuted, pending: list[c.Command]) -> None:
        self._moved[event.instrument] = None
        is_contract = self.instruments[event.instrument].contract is not None
        for order_id in (event.taker, event.maker):
            if order_id:
                order = self.views.orders[order_id]
                self._follow_end(order, pending)
                if is_contract:
                    self._follow_position(order, pending)
                if order.terms.attached is not None:
                    self._note_stops(order, event.quantity)

    def _note_stops(self, order: Order, quantity: Decimal) -> None:
        """Stops follow from each trade that opens a position; of a pair, from the end of what traded."""
        if self.instruments[order.instrument].contract is None:
            if order.is_ended and order.executed:
                self._followed[order.id] = order.executed
        elif quantity and not order.terms.reduces:
            self._followed[order.id] = self._followed.get(order.id, ZERO) + quantity

    def _follow_stops(self) -> list[c.Command]:
        asked: list[c.Command] = []
        for order_id, quantity in self._followed.items():
            order = self.views.orders[order_id]
            attached = order.terms.attached
            assert attached is not None
            asked.append(
                c.FollowStops(
                    parent=order_id,
                    account=order.account,
                    wallet=order.wallet,
                    instrument=order.instrument,
                    leg=order.terms.leg,
                    side=order.side,
                    attached=attached,
                    quantity=quantity,
                )
            )
        self._followed.clear()
        return asked

    def _follow_taken_over(self, event: e.PositionTakenOver, pending: list[c.Command]) -> None:
        order = self.views.orders[event.order]
        self._follow_position(order, pending)
        if order.terms.cause is Cause.DELIVERY:
            self._follow_delivery(order, pending)

    def _follow_delivery(self, order: Order, pending: list[c.Command]) -> None:
        """The settlement price may be far from the mark price by which a position could be kept. What is owed
        then is owed by nobody who has a position, so nobody would look for it later."""
        contract = self.state.contract_of(order.instrument)
        account, wallet, asset = order.account, contract.wallet, contract.settle
        is_shared = (account, wallet) in self.state.shared
        risk = Risk(account, wallet, "" if is_shared else asset)
        owes = self.state.ledger.free(account, wallet, asset) < ZERO
        if owes and not held_at(self.state, risk, self.views.now_us):
            pending.append(c.CloseOut(risk=risk))

    def _follow_deleveraged(self, event: e.AutoDeleveraged, pending: list[c.Command]) -> None:
        for order in (event.order, event.counter):
            self._follow_position(self.views.orders[order], pending)

    def _follow_position(self, order: Order, pending: list[c.Command]) -> None:
        """What the change of a position means for orders that may only reduce it."""
        if self.state.has_reducing(order.account, order.instrument):
            pending.append(c.DropReducing(account=order.account, instrument=order.instrument))

    def _follow_entry(self, event: e.OrderPlaced | e.OrderTriggered, pending: list[c.Command]) -> None:
        """What only reduces, and is larger than one order may be, goes on as another one."""
        order = self.state.orders[event.order]
        instrument = self.instruments[order.instrument]
        if instrument.contract is None or not instrument.contract.splits_reducing or not order.terms.reduces:
            return
        rest = rest_of(self.state, instrument, order)
        if rest:
            pending.append(
                c.SplitReducing(
                    account=order.account,
                    instrument=order.instrument,
                    terms=order.terms,
                    price=order.price,
                    quantity=rest,
                )
            )

    def _follow_print(self, event: e.TradePrinted, pending: list[c.Command]) -> None:
        self._moved[event.instrument] = None

    def _follow_market(
        self, event: e.PriceSet | e.BookSet | e.MarketReleased, pending: list[c.Command]
    ) -> None:
        self._moved[event.instrument] = None
        if self.instruments[event.instrument].contract is not None:
            self._struck[event.instrument] = None
        pending.append(c.AdvanceInstrument(instrument=event.instrument))

    def _follow_close(self, event: e.OrderCanceled | e.OrderExpired, pending: list[c.Command]) -> None:
        order = self.views.orders[event.order]
        self._follow_end(order, pending)
        if order.terms.attached is not None and order.executed:
            self._note_stops(order, ZERO)

    def _follow_prevented(self, event: e.MatchPrevented, pending: list[c.Command]) -> None:
        for order_id in (event.taker, event.maker):
            order = self.views.orders[order_id]
            self._follow_end(order, pending)
            if order.terms.attached is not None and order.is_ended:
                self._note_stops(order, ZERO)

    def _follow_end(self, order: Order, pending: list[c.Command]) -> None:
        """What the end of an order means for the list it belongs to."""
        if order.list_id == NO_LIST or not order.is_ended:
            return
        order_list = self.state.lists.get(order.list_id)
        if order_list is None:
            return
        live = [leg for leg in order_list.orders if leg in self.state.orders]
        if not live:
            pending.append(c.EndOrderList(order_list=order_list.id))
        elif order.id in order_list.pair:
            if order.end_reason in _SIBLING_FIRED:
                return  # The other one is why it ended, and lives on.
            # However else one of two legs that cancel each other ends, the other ends with it.
            reason = EndReason.LIST_SIBLING.value
            pending.extend(c.ExpireOrder(order=leg, reason=reason) for leg in order_list.pair if leg in live)
        elif order.id == order_list.orders[0]:
            if order.status is OrderStatus.FILLED:
                pending.extend(c.ActivateOrder(order=leg) for leg in live)
            else:
                reason = EndReason.LIST_WORKING_ENDED.value
                pending.extend(c.ExpireOrder(order=leg, reason=reason) for leg in live)

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
