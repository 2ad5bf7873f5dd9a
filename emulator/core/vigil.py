"""When time, or a mark price, makes something due for positions: what the engine has to be woken for.

Each risk has a band for the mark price of each contract in it, and is safe while all marks are inside. So a
tick concerns only those whose band a mark leaves, and when that is first, the marks themselves can tell.
Whatever changes about an account makes its bands doubtful; they are reckoned anew at the next tick, once
for all that happened since the last one, and never by a tick alone.

All of it is derived from the state and can be forgotten: an engine that begins anew looks at everybody at
its first tick, and finds what the one before would have found. For that it is enough that bands err on
the safe side, since what is liquidated is decided by exact figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from emulator.core import commands as c
from emulator.core.contracts import Contract
from emulator.core.fences import Fences
from emulator.core.funding import next_funding_us
from emulator.core.ids import AccountId
from emulator.core.liquidation import PLAIN, Band, Risk, Stake, Weights, liquidation_band, safe_bands
from emulator.core.markets import SECOND_US
from emulator.core.marks import Marks
from emulator.core.numbers import ONE, divide_half
from emulator.core.positions import Position
from emulator.core.risk import Held, Standing, held_at, risks_of, standing
from emulator.core.rules import EngineRules
from emulator.core.state import State
from emulator.core.tape import FOREVER_US

LOOK_AHEAD_US = 60_000_000
"""How far marks are searched at most when nobody asks for a later time."""

ROUNDINGS = 2
"""Steps of the settle asset by which the exact figures of one position may differ from its band's."""

_UNKNOWN = -1
_WEIGHT_STEP = Decimal("0.00000001")


class Vigil:
    """Over the positions of one engine.

    warned: the risks that were found beyond the warning ratio when they were last looked at, by account.
    calls: those that were not before, for whoever tells their owners and takes them away. next_due_us: when
    something may be due at the earliest, unless the state says that something changed since.
    """

    __slots__ = ("_crossings", "_dirty", "_fences", "_guarded", "_state", "_tick_us", "_warning", "calls",
                 "next_due_us", "warned")  # fmt: skip

    def __init__(self, state: State, rules: EngineRules) -> None:
        self._state = state
        self.next_due_us = _UNKNOWN
        self._tick_us: int | None = None
        """When accounts and marks of which something changed are looked at."""
        self._dirty: dict[AccountId, None] = {}
        self._guarded: dict[AccountId, dict[Risk, tuple[str, ...]]] = {}
        """The risks of an account, and in which contracts they have bands."""
        self._fences: dict[str, Fences] = {}
        self._crossings: dict[str, tuple[int, bool]] = {}
        """When a mark first leaves a band, or until when it was searched for in vain."""
        self.warned: dict[AccountId, list[Risk]] = {}
        self.calls: list[Risk] = []
        ratio = rules.margin.warning_ratio
        self._warning = None if ratio is None else divide_half(ONE, ratio, _WEIGHT_STEP)

    # When

    def next_us(self, after_us: int, now_us: int) -> int:
        """The first moment after one at which something may be due; FOREVER_US where no position is held.

        It may be the one through which was searched, at most until `now_us` or a minute ahead.
        """
        state = self._state
        if state.disturbed or state.jolted:
            self._note(after_us)
        if self.next_due_us == _UNKNOWN:
            self.next_due_us = self._soonest(after_us, now_us)
        return self.next_due_us

    def _note(self, after_us: int) -> None:
        state = self._state
        tick_us = after_us - after_us % SECOND_US + SECOND_US
        for account in state.disturbed:
            if state.accounts[account].positions:
                self._dirty[account] = None
            else:
                self._dirty.pop(account, None)
                self.warned.pop(account, None)
                self._give_up(account)
        for symbol in state.jolted:
            self._crossings.pop(symbol, None)
        if self._dirty or any(symbol in self._fences for symbol in state.jolted):
            self._tick_us = tick_us if self._tick_us is None else min(self._tick_us, tick_us)
        state.disturbed.clear()
        state.jolted.clear()
        self.next_due_us = _UNKNOWN

    def _soonest(self, after_us: int, now_us: int) -> int:
        soonest = FOREVER_US if self._tick_us is None else self._tick_us
        for _, contract in self._held():
            if contract.funding_hours:
                soonest = min(soonest, next_funding_us(after_us, contract.funding_hours))
            if contract.delivery_us is not None:
                soonest = min(soonest, max(contract.delivery_us, after_us + 1))
        until_us = max(now_us, after_us + LOOK_AHEAD_US)
        for symbol in sorted(self._fences):
            crossing = self._crossings.get(symbol)
            if crossing is None or crossing[0] <= after_us:
                if self._tick_us is not None:
                    continue  # It is searched for from there.
                crossing = self._crossing(symbol, after_us, min(until_us, soonest))
                self._crossings[symbol] = crossing
            soonest = min(soonest, crossing[0])
        return soonest

    def _crossing(self, symbol: str, after_us: int, until_us: int) -> tuple[int, bool]:
        fences, marks = self._fences[symbol], self._marks(symbol)
        found = marks.next_mark_crossing(
            after_us,
            until_us,
            at_most=None if fences.low is None else fences.low - marks.step,
            at_least=None if fences.high is None else fences.high + marks.step,
        )
        return (until_us, False) if found is None else (found, True)

    # What

    def endangered(self, at_us: int) -> list[c.Liquidate]:
        """What is to be asked of the engine at a moment that was named: about those who are beyond their
        bands, and cannot be kept."""
        self.next_due_us = _UNKNOWN
        doubtful: dict[AccountId, None] = {}
        is_tick = self._tick_us is not None and self._tick_us <= at_us
        if is_tick:
            self._tick_us = None
            doubtful.update(self._dirty)
        for symbol in self._fences:
            crossing = self._crossings.get(symbol)
            if is_tick if crossing is None else crossing[1] and crossing[0] <= at_us:
                self._crossings.pop(symbol, None)
                doubtful.update(self._beyond(symbol, at_us))
        return self._looked_at(doubtful, at_us)

    def payments(self, at_us: int) -> list[c.PayFunding]:
        """What else is to be asked then, after that: so that nobody is judged by what he has just paid, who
        would not be looked at for another reason."""
        return [
            c.PayFunding(instrument=symbol)
            for symbol, contract in self._held()
            if contract.funding_hours and next_funding_us(at_us - 1, contract.funding_hours) == at_us
        ]

    def deliveries(self, at_us: int) -> list[c.DeliverContract]:
        """What is to be asked last of all: contracts that are at their end."""
        return [
            c.DeliverContract(instrument=symbol)
            for symbol, contract in self._held()
            if contract.delivery_us is not None and contract.delivery_us <= at_us
        ]

    def struck(self, symbols: Iterable[str], now_us: int) -> list[c.Liquidate]:
        """The same right after somebody moved the marks of these contracts by hand."""
        if not self._state.holders:
            return []
        if self._state.disturbed or self._state.jolted:
            self._note(now_us)
        moved = frozenset(symbols)
        doubtful = {
            account: None
            for account in self._dirty
            if any(symbol in moved for symbol, _ in self._state.accounts[account].positions)
        }
        for symbol in sorted(moved & self._fences.keys()):
            doubtful.update(self._beyond(symbol, now_us))
        self.next_due_us = _UNKNOWN
        return self._looked_at(doubtful, now_us)

    def _beyond(self, symbol: str, at_us: int) -> dict[AccountId, None]:
        fences = self._fences.get(symbol)
        if fences is None:
            return {}
        return {risk.account: None for risk in fences.left(self._marks(symbol).mark_price(at_us))}

    def _looked_at(self, doubtful: Iterable[AccountId], at_us: int) -> list[c.Liquidate]:
        """Reckon anew what is to be known about accounts; in an order that only the state decides."""
        lost: list[Risk] = []
        for account in sorted(doubtful):
            self._dirty.pop(account, None)
            self._give_up(account)
            warned = self.warned.pop(account, ())
            for risk in risks_of(self._state, self._state.accounts[account]):
                held = held_at(self._state, risk, at_us)
                now = standing(self._state, risk, held)
                if now.is_liquidated:
                    lost.append(risk)
                    continue
                is_called = self._warning is not None and now.equity <= now.maintenance * self._warning
                if is_called:
                    self.warned.setdefault(account, []).append(risk)
                    if risk not in warned:
                        self.calls.append(risk)
                self._guard(risk, held, now, is_called=is_called)
        return [c.Liquidate(risk=risk) for risk in sorted(lost)]

    # Bands

    def _give_up(self, account: AccountId) -> None:
        for risk, symbols in self._guarded.pop(account, {}).items():
            for symbol in symbols:
                fences = self._fences[symbol]
                fences.drop(risk)
                self._crossings.pop(symbol, None)
                if not fences:
                    del self._fences[symbol]

    def _guard(self, risk: Risk, held: list[Held], now: Standing, *, is_called: bool) -> None:
        """Give a risk its bands: where its margin is called for, and after that, where it cannot be kept."""
        weights = PLAIN if self._warning is None or is_called else Weights(maintenance=self._warning)
        bands = _bands(risk, held, now, weights)
        self._guarded.setdefault(risk.account, {})[risk] = tuple(bands)
        for symbol, band in bands.items():
            fences = self._fences.get(symbol)
            if fences is None:
                fences = self._fences[symbol] = Fences()
            fences.put(risk, band)
            self._crossings.pop(symbol, None)

    def _marks(self, symbol: str) -> Marks:
        marks = self._state.markets[symbol].marks
        assert marks is not None, "a pair has no mark price"
        return marks

    def _held(self) -> list[tuple[str, Contract]]:
        """The contracts in which somebody has a position, by name."""
        return [(symbol, self._state.contract_of(symbol)) for symbol in sorted(self._state.holders)]


def _bands(risk: Risk, held: list[Held], now: Standing, weights: Weights) -> dict[str, Band]:
    """A band for each contract, inside of which the exact figures say that all can be kept.

    Figures round what bands do not, so some of what there is does not count for them.
    """
    spared = sum((one.contract.settle_step for one in held), held[0].contract.settle_step) * ROUNDINGS
    if risk.is_isolated:
        (only,) = held
        band = liquidation_band(
            only.contract,
            [only.position],
            only.position.margin - spared,
            step=_step(only),
            weights=weights,
            inward=True,
            mark=only.mark,
        )
        return {risk.instrument: band}
    legs: dict[str, list[Position]] = {}
    of: dict[str, Held] = {}
    for one in held:
        symbol = one.market.instrument.symbol
        legs.setdefault(symbol, []).append(one.position)
        of[symbol] = one
    stakes = [
        Stake(
            contract=one.contract,
            legs=tuple(legs[symbol]),
            mark=one.mark,
            weights=weights,
            step=_step(one),
        )
        for symbol, one in of.items()
    ]
    slack = now.equity - now.maintenance * weights.maintenance - spared
    return dict(zip(of, safe_bands(stakes, slack), strict=True))


def _step(one: Held) -> Decimal:
    assert one.market.marks is not None
    return one.market.marks.step
