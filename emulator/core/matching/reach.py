"""How much orders that may only reduce a position can still trade, while a plan changes positions."""

from __future__ import annotations

from decimal import Decimal

from emulator.core.ids import AccountId
from emulator.core.instruments import BUY, SELL, Side
from emulator.core.numbers import ZERO
from emulator.core.orders import Order
from emulator.core.positions import Leg
from emulator.core.state import State


class Reach:
    """Positions in one contract as a plan would leave them so far."""

    __slots__ = ("_held", "_state", "_symbol")

    def __init__(self, state: State, symbol: str) -> None:
        self._state = state
        self._symbol = symbol
        self._held: dict[tuple[AccountId, Leg], Decimal] = {}

    def part(self, order: Order, part: Decimal) -> Decimal:
        """So much of a part of an order as it may trade: all, unless it may only reduce."""
        terms = order.terms
        if not terms.reduces:
            return part
        held = self._quantity(order.account, terms.leg)
        return max(ZERO, min(part, held if terms.side is SELL else -held))

    def trade(self, account: AccountId, leg: Leg, side: Side, quantity: Decimal) -> None:
        """Note a trade that was planned."""
        held = self._quantity(account, leg)
        self._held[account, leg] = held + quantity if side is BUY else held - quantity

    def _quantity(self, account: AccountId, leg: Leg) -> Decimal:
        held = self._held.get((account, leg))
        if held is not None:
            return held
        position = self._state.positions.get((account, self._symbol, leg))
        return ZERO if position is None else position.quantity
