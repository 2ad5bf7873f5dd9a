"""When time makes something due for positions: what the engine has to be woken for.

All of it is derived from the state and can be forgotten. A moment may be early, never late.
"""

from __future__ import annotations

from emulator.core import commands as c
from emulator.core.contracts import Contract
from emulator.core.funding import next_funding_us
from emulator.core.state import State


class Vigil:
    """Over the positions of one engine."""

    __slots__ = ("_is_stale", "_next_us", "_state")

    def __init__(self, state: State) -> None:
        self._state = state
        self._is_stale = True
        self._next_us: int | None = None

    def is_quiet(self, now_us: int) -> bool:
        """Whether nothing changed since it was asked last, and nothing is due."""
        if self._is_stale or self._state.disturbed:
            return False
        return self._next_us is None or self._next_us > now_us

    def next_us(self, after_us: int) -> int | None:
        """The first moment after one at which something may be due; None where no position is held."""
        disturbed = self._state.disturbed
        if disturbed or self._is_stale:
            disturbed.clear()
            self._is_stale = False
            self._next_us = min(
                (
                    next_funding_us(after_us, contract.funding_hours)
                    for _, contract in self._held()
                    if contract.funding_hours
                ),
                default=None,
            )
        return self._next_us

    def payments(self, at_us: int) -> list[c.PayFunding]:
        """What is to be asked of the engine at a moment that was named, first of all."""
        self._is_stale = True
        return [
            c.PayFunding(instrument=symbol)
            for symbol, contract in self._held()
            if contract.funding_hours and next_funding_us(at_us - 1, contract.funding_hours) == at_us
        ]

    def _held(self) -> list[tuple[str, Contract]]:
        """The contracts in which somebody has a position, by name."""
        markets = self._state.markets
        return [
            (symbol, contract)
            for symbol in sorted(self._state.holders)
            if (contract := markets[symbol].instrument.contract) is not None
        ]
