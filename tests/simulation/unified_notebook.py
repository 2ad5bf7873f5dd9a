"""What the clients of one unified account know: what they asked for, what they chose, and what is left when
everything that was told of the account is put together."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from emulator.core.positions import Leg
from tests.simulation.contract_notebook import DAY_MS, ContractNotebook
from tests.simulation.notebook import regressions
from tests.simulation.unified_words import (
    Coin,
    CoinHeard,
    FillHeard,
    Heard,
    OrderHeard,
    PaymentHeard,
    PositionHeard,
    Standing,
    UnifiedFill,
    UnifiedOrder,
    UnifiedSurvey,
)
from tests.simulation.words import Outcome, Reply

ZERO = Decimal(0)


class UnifiedFold:
    """An account as it is by what was told of it, from a moment on."""

    def __init__(self) -> None:
        self.orders: dict[int, UnifiedOrder] = {}
        self.fills: dict[tuple[int, int], UnifiedFill] = {}
        self.payments: set[str] = set()
        self.positions: dict[tuple[str, Leg], Standing] = {}
        self.coins: dict[str, Coin] = {}
        self.begun = 0
        """How often it began anew after the first time."""
        self.is_torn = False
        """Whether something may be missing, so that it is to begin anew."""

    def take(self, heard: Sequence[Heard]) -> list[str]:
        complaints: list[str] = []
        for one in heard:
            match one:
                case OrderHeard(order=order):
                    complaints += self._order(order)
                case FillHeard(fill=fill):
                    if (fill.trade, fill.order) in self.fills:
                        complaints.append(f"told: trade {fill.trade} of order {fill.order} twice")
                    self.fills[fill.trade, fill.order] = fill
                case PaymentHeard(payment=payment):
                    if payment.id in self.payments:
                        complaints.append(f"told: payment {payment} twice")
                    self.payments.add(payment.id)
                case PositionHeard(position=position):
                    self.positions[position.instrument, position.leg] = position
                case CoinHeard(coin=coin):
                    self.coins[coin.asset] = coin
        return complaints

    def _order(self, order: UnifiedOrder) -> list[str]:
        before = self.orders.get(order.id)
        self.orders[order.id] = order
        complaints = [f"told: {complaint}" for complaint in regressions(before, order)]
        if before is not None and before.is_ended:
            complaints.append(f"told: order {order.id} goes on after its end")
        return complaints

    def begin_anew(self, survey: UnifiedSurvey) -> None:
        """From what is answered, where something was missed."""
        self.begun += 1
        self.is_torn = False
        self.orders = dict(survey.orders)
        self.fills = {(one.trade, one.order): one for one in survey.fills}
        self.payments = {one.id for one in survey.payments}
        self.positions = {(one.instrument, one.leg): one for one in survey.positions}
        self.coins = dict(survey.coins)


class UnifiedNotebook(ContractNotebook):
    """Of one account. What ended without a trade is told of for a day.

    chosen: settings that were acknowledged, by their names, as the survey has them.
    """

    young_ms = DAY_MS

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.told_of = UnifiedFold()
        self.chosen: dict[str, str] = {}

    def renamed(self, reply: Reply) -> Reply:
        """An answer that shows no more than the names of orders, with those that they have here."""
        orders = []
        for view in reply.orders:
            asked = self.of_id(view.id)
            orders.append(view if asked is None else msgspec.structs.replace(view, name=min(asked.names)))
        return msgspec.structs.replace(reply, orders=tuple(orders))

    def choose(self, name: str, value: str, reply: Reply) -> None:
        """Only one client of an account changes what it chose, so that its last answer counts."""
        match reply.outcome:
            case Outcome.DONE:
                self.chosen[name] = value
            case Outcome.UNKNOWN:
                self.chosen.pop(name, None)
            case _:
                pass
