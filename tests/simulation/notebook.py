"""What the clients of one account know: what they asked for, what they were told, and what is unsure.

It is written as answers and messages come, and complains at once about what contradicts what one client
was told before. What the account ought to be by it, the auditor judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from itertools import chain, combinations

from tests.simulation.words import (
    BalancesTold,
    FillView,
    ListTold,
    ListView,
    Movement,
    OrderTold,
    OrderView,
    Outcome,
    Reply,
    Told,
)


class Known(str, Enum):
    """asked: under way. unsure: may be there or not; abandoned: likewise, and may even come later."""

    ASKED = "asked"
    THERE = "there"
    ABSENT = "absent"
    UNSURE = "unsure"
    ABANDONED = "abandoned"


class AskedOrder:
    """names: those that it may have by now. furthest: the latest that anybody was shown of it."""

    def __init__(self, name: str, instrument: str) -> None:
        self.names = {name}
        self.instrument = instrument
        self.known = Known.ASKED
        self.id: int | None = None
        self.furthest: OrderView | None = None
        self._shown: dict[str, OrderView] = {}

    def show(self, seat: str, view: OrderView) -> list[str]:
        """Take in what a client was shown; complaints about it."""
        complaints: list[str] = []
        if self.id not in (None, view.id):
            complaints.append(f"order {view.id} was {self.id} before")
        self.id = view.id
        self.known = Known.THERE
        if view.status is not None:
            # Answers to two clients may cross on their way; those to one cannot.
            complaints += regressions(self._shown.get(seat), view)
            self._shown[seat] = view
            if self.furthest is None or _progress(view) >= _progress(self.furthest):
                self.furthest = view
        return complaints


def regressions(before: OrderView | None, after: OrderView) -> list[str]:
    """What an order can no longer be after somebody was shown it as `before`."""
    if before is None:
        return []
    complaints: list[str] = []
    if after.rank < before.rank:
        complaints.append(f"order {after.id} went back from {before.status} to {after.status}")
    if before.executed is not None and after.executed is not None and after.executed < before.executed:
        complaints.append(f"order {after.id} has {after.executed} executed, and had {before.executed}")
    if before.is_ended:
        for field in ("status", "executed", "amount", "quantity"):
            then, now = getattr(before, field), getattr(after, field)
            if then is not None and now is not None and then != now:
                complaints.append(f"order {after.id} had ended with {field} {then}, and now has {now}")
    return complaints


def _progress(view: OrderView) -> tuple[int, Decimal]:
    return view.rank, view.executed or Decimal(0)


class AskedList:
    def __init__(self, name: str, instrument: str, legs: Sequence[str], *, is_funded: bool) -> None:
        self.name = name
        self.instrument = instrument
        self.legs = tuple(legs)
        self.is_funded = is_funded
        self.known = Known.ASKED
        self.id: int | None = None
        self.was_done = False


class AskedMovement:
    def __init__(self, movement: Movement) -> None:
        self.movement = movement
        self.known = Known.ASKED


class Stream:
    """What is known of an account by what was told of it. starts: at which audit's end it began to listen,
    if it was not there from the beginning."""

    def __init__(self) -> None:
        self.orders: dict[int, OrderView] = {}
        self.fills: dict[tuple[int, int], FillView] = {}
        self.lists: dict[int, ListView] = {}
        self.balances: dict[str, tuple[Decimal, Decimal]] = {}
        self.execution = 0
        self.is_whole = True
        self.heard = 0

    def begin_again(self) -> None:
        """What was told meanwhile is lost: all that is known is what comes from here on."""
        self.orders.clear()
        self.fills.clear()
        self.lists.clear()
        self.balances.clear()
        self.execution = 0
        self.is_whole = False

    def take(self, told: Sequence[Told]) -> list[str]:
        complaints: list[str] = []
        for one in told:
            self.heard += 1
            match one:
                case OrderTold():
                    complaints += self._order(one)
                case BalancesTold():
                    self.balances |= one.balances
                case ListTold():
                    before = self.lists.get(one.view.id)
                    if before is not None and before.is_done:
                        complaints.append(f"list {one.view.id} is told of after it was done")
                    self.lists[one.view.id] = one.view
        return complaints

    def _order(self, told: OrderTold) -> list[str]:
        view, fill = told.order, told.fill
        before = self.orders.get(view.id)
        complaints = [f"told: {complaint}" for complaint in regressions(before, view)]
        if told.execution <= self.execution:
            complaints.append(f"told: report {told.execution} after {self.execution}")
        self.execution = told.execution
        if before is not None and before.is_ended:
            complaints.append(f"told: order {view.id} goes on after its end")
        if fill is not None:
            key = (fill.trade, fill.order)
            if key in self.fills:
                complaints.append(f"told: trade {fill.trade} of order {fill.order} twice")
            self.fills[key] = fill
            had = Decimal(0) if before is None else before.executed
            is_known = (before is not None or self.is_whole) and had is not None
            if is_known and view.executed != (had or 0) + fill.quantity:
                complaints.append(f"told: order {view.id} has {view.executed} after {had}+{fill.quantity}")
        self.orders[view.id] = view
        return complaints


class Notebook:
    """Of one account."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.orders: dict[str, AskedOrder] = {}
        self.lists: dict[str, AskedList] = {}
        self.movements: list[AskedMovement] = []
        self.fills: dict[tuple[int, int], FillView] = {}
        self.locks: dict[str, Decimal] = {}
        self.unsure_locks: dict[str, list[Decimal]] = {}
        self.stream = Stream()
        self.complaints: list[str] = []
        self._by_id: dict[int, AskedOrder] = {}

    # Asking

    def ask_order(self, name: str, instrument: str) -> None:
        assert name not in self.orders
        self.orders[name] = AskedOrder(name, instrument)

    def ask_list(self, name: str, instrument: str, legs: Sequence[str], *, is_funded: bool) -> None:
        assert name not in self.lists
        self.lists[name] = AskedList(name, instrument, legs, is_funded=is_funded)
        for leg in legs:
            self.ask_order(leg, instrument)

    def ask_movement(self, movement: Movement) -> AskedMovement:
        asked = AskedMovement(movement)
        self.movements.append(asked)
        return asked

    def ask_name(self, order_id: int, name: str) -> None:
        """An order may have another name from now on."""
        if order_id in self._by_id:
            self._by_id[order_id].names.add(name)
            self.orders[name] = self._by_id[order_id]

    # Answers

    def told(self, seat: str, reply: Reply) -> None:
        """Whatever an answer shows."""
        if reply.is_broken:
            self.complaints.append(f"{seat}: a broken answer: {reply.reason}")
        for view in reply.orders:
            asked = self.orders.get(view.name) or self._by_id.get(view.id)
            if asked is None:
                self.complaints.append(f"{seat}: shown an order that nobody asked for: {view}")
                continue
            self._by_id[view.id] = asked
            self.complaints += [f"{seat}: {complaint}" for complaint in asked.show(seat, view)]
        for fill in reply.fills:
            self.fills[fill.trade, fill.order] = fill
        for shown in reply.lists:
            asked_list = self.lists.get(shown.name)
            if asked_list is None:
                self.complaints.append(f"{seat}: shown a list that nobody asked for: {shown}")
                continue
            if asked_list.id not in (None, shown.id):
                self.complaints.append(f"{seat}: list {shown.name} is {shown.id}, was {asked_list.id}")
            asked_list.id = shown.id
            asked_list.known = Known.THERE
            asked_list.was_done |= shown.is_done

    def placed(self, name: str, reply: Reply, *, abandoned: bool = False) -> None:
        """What became of an order that was asked for; `told` has had the answer."""
        asked = self.orders[name]
        if asked.known is Known.THERE:
            return
        asked.known = _became(reply, abandoned=abandoned)
        if asked.known is Known.THERE and asked.id is None:
            self.complaints.append(f"the answer to {name} does not show the order")

    def placed_list(self, name: str, reply: Reply, *, abandoned: bool = False) -> None:
        asked = self.lists[name]
        if asked.known is not Known.THERE:
            asked.known = _became(reply, abandoned=abandoned)
        for leg in asked.legs:
            self.placed(leg, reply, abandoned=abandoned)

    def moved(self, asked: AskedMovement, reply: Reply, *, abandoned: bool = False) -> None:
        asked.known = _became(reply, abandoned=abandoned)
        if reply.is_broken:
            self.complaints.append(f"a broken answer: {reply.reason}")

    def locked(self, asset: str, change: Decimal, reply: Reply) -> None:
        match reply.outcome:
            case Outcome.DONE:
                self.locks[asset] = self.locks.get(asset, Decimal(0)) + change
            case Outcome.UNKNOWN:
                self.unsure_locks.setdefault(asset, []).append(change)
            case _:
                pass

    def asked_for(self, seat: str, name: str, reply: Reply) -> None:
        """The answer to a query for an order whose placement nobody is sure of."""
        asked = self.orders[name]
        if reply.is_absent and asked.known is Known.UNSURE:
            asked.known = Known.ABSENT
        elif reply.is_absent and asked.known is Known.THERE:
            self.complaints.append(f"{seat}: {name} was acknowledged and does not exist")
        self.told(seat, reply)

    # What is known

    def of_id(self, order_id: int) -> AskedOrder | None:
        return self._by_id.get(order_id)

    def live(self, instrument: str | None = None) -> list[OrderView]:
        """Orders that may still be open, by what was shown last."""
        return [
            asked.furthest
            for asked in {id(one): one for one in self.orders.values()}.values()
            if asked.furthest is not None
            and not asked.furthest.is_ended
            and instrument in (None, asked.instrument)
        ]

    def adopt(self, asked: AskedOrder) -> None:
        """Go by the id of an order that turned out to be there."""
        assert asked.id is not None
        self._by_id[asked.id] = asked

    def possible_locks(self, asset: str) -> set[Decimal]:
        """What may be locked of an asset, sure or not."""
        changes = self.unsure_locks.get(asset, [])
        sure = self.locks.get(asset, Decimal(0))
        chosen = chain.from_iterable(combinations(changes, many) for many in range(len(changes) + 1))
        return {sure + sum(some, Decimal(0)) for some in chosen}

    def answered(self, instrument: str) -> list[str]:
        """Names of orders of an instrument but for those that are under way: of one of them an answer may say
        that it is not there, and come after the answer that it is."""
        return [
            name
            for name, asked in self.orders.items()
            if asked.instrument == instrument and asked.known is not Known.ASKED
        ]

    def unsure(self) -> list[str]:
        return [name for name, asked in self.orders.items() if asked.known is Known.UNSURE]


def _became(reply: Reply, *, abandoned: bool) -> Known:
    match reply.outcome:
        case Outcome.DONE:
            return Known.THERE
        case Outcome.REFUSED | Outcome.UNDONE:
            return Known.ABSENT
        case Outcome.UNKNOWN:
            return Known.ABANDONED if abandoned else Known.UNSURE
