"""What the clients of one account know of its contracts: what they asked for, and what is left when
everything that was told of the account is put together."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from emulator.core.positions import Leg
from tests.simulation.contract_words import (
    APART,
    AccountChanged,
    Changed,
    ContractFill,
    ContractOrder,
    LeverageChanged,
    OrderChanged,
    PositionView,
)
from tests.simulation.notebook import Known, Notebook, regressions
from tests.simulation.words import Reply

ZERO = Decimal(0)
DAY_MS = 86_400_000


class Fold:
    """An account as it is by what was told of it, from a moment on."""

    def __init__(self) -> None:
        self.orders: dict[int, ContractOrder] = {}
        self.fills: dict[tuple[int, int], ContractFill] = {}
        self.balances: dict[str, tuple[Decimal, Decimal]] = {}
        self.positions: dict[tuple[str, Leg], PositionView] = {}
        self.leverages: dict[str, Decimal] = {}
        self.heard = 0
        self.begun = 0
        """How often it began anew after the first time."""
        self.is_torn = False
        """Whether something may be missing, so that it is to begin anew."""

    def take(self, told: Sequence[Changed]) -> list[str]:
        complaints: list[str] = []
        for one in told:
            self.heard += 1
            match one:
                case OrderChanged():
                    complaints += self._order(one)
                case AccountChanged():
                    self.balances |= one.balances
                    self.positions |= {(its.instrument, its.leg): its for its in one.positions}
                case LeverageChanged():
                    self.leverages[one.instrument] = one.leverage
        return complaints

    def _order(self, told: OrderChanged) -> list[str]:
        view, fill = told.order, told.fill
        before = self.orders.get(view.id)
        complaints = [f"told: {complaint}" for complaint in regressions(before, view)]
        if before is not None and before.is_ended and not view.detached:
            complaints.append(f"told: order {view.id} goes on after its end")
        had = ZERO if before is None or before.executed is None else before.executed
        if fill is not None:
            if (fill.trade, fill.order) in self.fills:
                complaints.append(f"told: trade {fill.trade} of order {fill.order} twice")
            self.fills[fill.trade, fill.order] = fill
            had += fill.quantity
        if not view.detached and view.executed != had:
            complaints.append(f"told: order {view.id} has {view.executed} executed, its trades {had}")
        self.orders[view.id] = view
        return complaints


class ContractNotebook(Notebook):
    """Of one account on one floor. names of orders that stand apart begin with `APART`."""

    young_ms = 2 * DAY_MS
    """For so long at least an order is told of by whoever is asked, whatever became of it."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.fold = Fold()
        self.hedged = False
        """Whether there are two positions of a contract, as far as is known."""
        self._asked_ms: dict[str, int] = {}

    def ask(self, name: str, instrument: str, now_ms: int) -> None:
        """Somebody wants to place an order; one that stands apart may become another of the same name."""
        self.ask_order(name, instrument)
        self._asked_ms[name] = now_ms
        if name.startswith(APART):
            successor = name.removeprefix(APART)
            self.ask_order(successor, instrument)
            self.orders[successor].known = Known.ABANDONED
            self._asked_ms[successor] = now_ms

    def placed(self, name: str, reply: Reply, *, abandoned: bool = False) -> None:
        super().placed(name, reply, abandoned=abandoned)
        if name.startswith(APART) and self.orders[name].known is Known.ABSENT:
            self.orders[name.removeprefix(APART)].known = Known.ABSENT

    def told(self, seat: str, reply: Reply) -> None:
        for view in reply.orders:
            if isinstance(view, ContractOrder) and view.by_exchange and self.of_id(view.id) is None:
                # Their names need not be one of a kind.
                self.ask_order(f"{view.name}#{view.id}", view.instrument)
                asked = self.orders[f"{view.name}#{view.id}"]
                asked.id = view.id
                asked.names = {view.name}
                self.adopt(asked)
        super().told(seat, reply)

    def is_young(self, name: str, now_ms: int) -> bool:
        """Whether it was asked for so lately that nobody may have forgotten it."""
        return now_ms - self._asked_ms.get(name, now_ms) < self.young_ms
