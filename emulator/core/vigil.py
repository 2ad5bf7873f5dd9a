"""When time, or a mark price, makes something due for positions: what the engine has to be woken for.

Each risk has a band for each price that it depends on, and is safe while all are inside. So a
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
from typing import NamedTuple

from emulator.core import commands as c
from emulator.core.bands import Safety, Watched, safety
from emulator.core.contracts import Contract
from emulator.core.fences import Fences
from emulator.core.funding import HOUR_US, next_funding_us, next_interest_us
from emulator.core.ids import AccountId
from emulator.core.liquidation import Risk
from emulator.core.markets import SECOND_US
from emulator.core.marks import Marks
from emulator.core.numbers import ONE, ZERO, divide_half
from emulator.core.risk import Cover, held_at, may_owe, owed_too_far, owing, risks_of
from emulator.core.rules import EngineRules
from emulator.core.state import ChargedPlace, State
from emulator.core.tape import FOREVER_US

LOOK_AHEAD_US = 60_000_000
"""How far marks are searched at most when nobody asks for a later time."""

SEARCHED_US, SEARCHED_US_MAX = 8 * HOUR_US, 256 * HOUR_US
"""How far at once: at first, since an account of which something changes again is looked at anew, and after
one search in vain after another."""

_UNKNOWN = -1
_WEIGHT_STEP = Decimal("0.00000001")


class _Search(NamedTuple):
    """When a price first leaves a band, or until when that was searched for in vain; and how far at most."""

    at_us: int
    span_us: int
    is_found: bool = False


class Vigil:
    """Over the positions of one engine.

    warned: the risks that were found beyond the warning ratio when they were last looked at, by account.
    calls: those that were not before, for whoever tells their owners and takes them away. next_due_us: when
    something may be due at the earliest, unless the state says that something changed since.
    """

    __slots__ = ("_crossings", "_debtors", "_dirty", "_fences", "_guarded", "_interest_minute", "_spared",
                 "_state", "_tick_us", "_warning", "calls", "next_due_us", "warned")  # fmt: skip

    def __init__(self, state: State, rules: EngineRules) -> None:
        self._state = state
        self.next_due_us = _UNKNOWN
        self._tick_us: int | None = None
        """When accounts and marks of which something changed are looked at."""
        self._dirty: dict[AccountId, None] = {}
        self._debtors: dict[AccountId, None] = {}
        """Accounts that may owe something when interest is due."""
        self._spared: dict[AccountId, dict[ChargedPlace, Decimal]] = {}
        """How much more may be paid before the bands of an account become doubtful."""
        self._interest_minute = rules.margin.interest_minute
        self._guarded: dict[AccountId, dict[Risk, tuple[Watched, ...]]] = {}
        """The risks of an account, and for which prices they have bands."""
        self._fences: dict[Watched, Fences] = {}
        self._crossings: dict[Watched, _Search] = {}
        self.warned: dict[AccountId, list[Risk]] = {}
        self.calls: list[Risk] = []
        ratio = rules.margin.warning_ratio
        self._warning = ONE if ratio is None else divide_half(ONE, ratio, _WEIGHT_STEP)

    # When

    def next_us(self, after_us: int, now_us: int) -> int:
        """The first moment after one at which something may be due; FOREVER_US where no position is held.

        It may be the one through which was searched, at most until `now_us` or a minute ahead.
        """
        state = self._state
        if state.disturbed or state.jolted or state.charged:
            self._note(after_us)
        if self.next_due_us == _UNKNOWN:
            self.next_due_us = self._soonest(after_us, now_us)
        return self.next_due_us

    def _note(self, after_us: int) -> None:
        state = self._state
        tick_us = after_us - after_us % SECOND_US + SECOND_US
        for place, amount in state.charged.items():
            if not self._is_spared(place, amount):
                state.disturbed[place.account] = None
        state.charged.clear()
        for account in state.disturbed:
            if may_owe(state, account):
                self._debtors[account] = None
            else:
                self._debtors.pop(account, None)
            if state.accounts[account].positions or owed_too_far(state, account) or owing(state, account):
                self._dirty[account] = None
            else:
                self._dirty.pop(account, None)
                self.warned.pop(account, None)
                self._give_up(account)
        jolted = [one for symbol in state.jolted for one in (Watched(symbol), Watched(symbol, is_index=True))]
        for one in jolted:
            self._crossings.pop(one, None)
        if self._dirty or any(one in self._fences for one in jolted):
            self._tick_us = tick_us if self._tick_us is None else min(self._tick_us, tick_us)
        state.disturbed.clear()
        state.jolted.clear()
        self.next_due_us = _UNKNOWN

    def _is_spared(self, place: ChargedPlace, amount: Decimal) -> bool:
        """Whether the bands of an account hold although so much was paid: they leave room for some of it, so
        that not all prices are looked at each time."""
        account = place.account
        if account in self.warned or owed_too_far(self._state, account):
            return False
        spared = self._spared.get(account)
        left = ZERO if spared is None else spared.get(place, ZERO)
        if amount > left:
            return False
        if spared is not None and amount:
            spared[place] = left - amount
        return True

    def _soonest(self, after_us: int, now_us: int) -> int:
        soonest = FOREVER_US if self._tick_us is None else self._tick_us
        for _, contract in self._held():
            if contract.delivery_us is not None:
                soonest = min(soonest, max(contract.delivery_us, after_us + 1))
        # What is paid mostly changes no bands.
        until_us = min(soonest, max(now_us, after_us + LOOK_AHEAD_US))
        for _, contract in self._held():
            if contract.funding_hours:
                soonest = min(soonest, next_funding_us(after_us, contract.funding_hours))
        if self._debtors:
            soonest = min(soonest, next_interest_us(after_us, self._interest_minute))
        for one in sorted(self._fences):
            search = self._crossings.get(one)
            if search is None or search.at_us <= after_us:
                if self._tick_us is not None:
                    continue  # It is searched for from there.
                span_us = SEARCHED_US if search is None else min(2 * search.span_us, SEARCHED_US_MAX)
                search = self._search(one, after_us, min(until_us, after_us + span_us), span_us)
                self._crossings[one] = search
            soonest = min(soonest, search.at_us)
        return soonest

    def _search(self, one: Watched, after_us: int, until_us: int, span_us: int) -> _Search:
        fences, marks = self._fences[one], self._marks(one.symbol)
        search = marks.next_index_crossing if one.is_index else marks.next_mark_crossing
        found = search(
            after_us,
            until_us,
            at_most=None if fences.low is None else fences.low - marks.step,
            at_least=None if fences.high is None else fences.high + marks.step,
        )
        return _Search(until_us, span_us) if found is None else _Search(found, span_us, is_found=True)

    # What

    def endangered(self, at_us: int) -> list[c.Command]:
        """What is to be asked of the engine at a moment that was named: about those who owe too much of an
        asset, and those who are beyond their bands, and cannot be kept."""
        self.next_due_us = _UNKNOWN
        doubtful: dict[AccountId, None] = {}
        is_tick = self._tick_us is not None and self._tick_us <= at_us
        if is_tick:
            self._tick_us = None
            doubtful.update(self._dirty)
        for one in self._fences:
            search = self._crossings.get(one)
            if is_tick if search is None else search.is_found and search.at_us <= at_us:
                self._crossings.pop(one, None)
                doubtful.update(self._beyond(one, at_us))
        return self._looked_at(doubtful, at_us)

    def payments(self, at_us: int) -> list[c.PayFunding]:
        """What else is to be asked then, after that: so that nobody is judged by what he has just paid, who
        would not be looked at for another reason."""
        return [
            c.PayFunding(instrument=symbol)
            for symbol, contract in self._held()
            if contract.funding_hours and next_funding_us(at_us - 1, contract.funding_hours) == at_us
        ]

    def interest(self, at_us: int) -> list[c.ChargeInterest]:
        """What else: interest on what is owed, losses that are not realised included."""
        if not self._debtors or next_interest_us(at_us - 1, self._interest_minute) != at_us:
            return []
        return [c.ChargeInterest(account=account) for account in sorted(self._debtors)]

    def deliveries(self, at_us: int) -> list[c.DeliverContract]:
        """What is to be asked last of all: contracts that are at their end."""
        return [
            c.DeliverContract(instrument=symbol)
            for symbol, contract in self._held()
            if contract.delivery_us is not None and contract.delivery_us <= at_us
        ]

    def struck(self, symbols: Iterable[str], now_us: int) -> list[c.Command]:
        """The same right after somebody moved the marks of these contracts by hand."""
        state = self._state
        if not state.holders and not (state.lending and (self._debtors or state.disturbed)):
            return []
        if state.disturbed or state.jolted or state.charged:
            self._note(now_us)
        moved = frozenset(symbols)
        sharing = {account for account, _ in self._state.shared}
        doubtful = {
            account: None
            for account in self._dirty
            # Where assets stand together, there may be one whose index moved, or that is owed.
            if account in sharing
            or any(symbol in moved for symbol, _ in self._state.accounts[account].positions)
        }
        for one in self._fences:
            if one.symbol in moved:
                doubtful.update(self._beyond(one, now_us))
        self.next_due_us = _UNKNOWN
        return self._looked_at(doubtful, now_us)

    def _beyond(self, one: Watched, at_us: int) -> dict[AccountId, None]:
        marks = self._marks(one.symbol)
        price = marks.index_price(at_us) if one.is_index else marks.mark_price(at_us)
        return {risk.account: None for risk in self._fences[one].left(price)}

    def _looked_at(self, doubtful: Iterable[AccountId], at_us: int) -> list[c.Command]:
        """Reckon anew what is to be known about accounts; in an order that only the state decides."""
        asked: list[c.Command] = []
        lost: list[Risk] = []
        for account in sorted(doubtful):
            self._dirty.pop(account, None)
            self._give_up(account)
            self._debtors.pop(account, None)
            warned = self.warned.pop(account, ())
            for wallet in owed_too_far(self._state, account):
                asked.append(c.ExchangeOwed(account=account, wallet=wallet))
            for risk in risks_of(self._state, self._state.accounts[account]):
                cover = Cover(self._state, risk, held_at(self._state, risk, at_us), at_us)
                now = cover.standing()
                if now.is_liquidated:
                    lost.append(risk)
                    self._note_debtor(risk)
                    continue
                # Where its margin is called for, and after that, where it cannot be kept.
                is_called = now.equity <= now.maintenance * self._warning
                if is_called and self._warning != ONE:
                    self.warned.setdefault(account, []).append(risk)
                    if risk not in warned:
                        self.calls.append(risk)
                warning = ONE if is_called else self._warning
                safe = safety(self._state, risk, cover, warning, at_us)
                self._guard(risk, safe)
                if safe.may_owe:
                    self._note_debtor(risk)
        asked += [c.Liquidate(risk=risk) for risk in sorted(lost)]
        return asked

    def _note_debtor(self, risk: Risk) -> None:
        if risk.asset == "" and risk.wallet in self._state.lending:
            self._debtors[risk.account] = None

    # Bands

    def _give_up(self, account: AccountId) -> None:
        self._spared.pop(account, None)
        for risk, watched in self._guarded.pop(account, {}).items():
            for one in watched:
                fences = self._fences[one]
                fences.drop(risk)
                self._crossings.pop(one, None)
                if not fences:
                    del self._fences[one]

    def _guard(self, risk: Risk, safe: Safety) -> None:
        self._guarded.setdefault(risk.account, {})[risk] = tuple(safe.bands)
        if not safe.is_none:
            spared = self._spared.setdefault(risk.account, {})
            for asset, amount in safe.spared.items():
                spared[ChargedPlace(risk.account, risk.wallet, asset, risk.instrument, risk.leg)] = amount
        for one, band in safe.bands.items():
            fences = self._fences.get(one)
            if fences is None:
                fences = self._fences[one] = Fences()
            fences.put(risk, band)
            self._crossings.pop(one, None)

    def _marks(self, symbol: str) -> Marks:
        marks = self._state.markets[symbol].marks
        assert marks is not None, "a pair has no mark price"
        return marks

    def _held(self) -> list[tuple[str, Contract]]:
        """The contracts in which somebody has a position, by name."""
        return [(symbol, self._state.contract_of(symbol)) for symbol in sorted(self._state.holders)]
