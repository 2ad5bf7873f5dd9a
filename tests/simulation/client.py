"""What every client of an account has and does alike, whatever it trades where.

What it does next is decided by its dice, by what it was answered, and by nothing else, so that one seed is
one run as long as clients take turns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from itertools import count
from random import Random
from typing import Generic, TypeVar

import msgspec

from emulator.core.orders import OrderTerms
from emulator.core.positions import Leg
from tests.simulation.dialect import Credentials, Seat, Unavailable
from tests.simulation.notebook import Notebook
from tests.simulation.wishes import stepped
from tests.simulation.words import Outcome, Reply, Traded

# Every amount of money is one of a kind, so that it is recognised wherever it is told of.
GRAIN = Decimal("0.000001")


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How often, of all its requests, a client hangs up after one or in the midst of it."""

    hangs_up: float = 0.0


class Transcript:
    """What was asked, newest last. kept: as many as a failure shows, or all."""

    def __init__(self, kept: int | None = 60) -> None:
        self.lines: deque[str] = deque(maxlen=kept)
        self.outcomes: dict[str, dict[str, int]] = {}

    def note(self, who: str, what: str, detail: object, reply: Reply | None = None) -> None:
        outcome = "" if reply is None else reply.outcome.value
        of_action = self.outcomes.setdefault(what, {})
        of_action[outcome] = of_action.get(outcome, 0) + 1
        reason = "" if reply is None else reply.reason
        self.lines.append(f"{who} {what} {detail} -> {outcome} {reason}")

    def done(self, what: str) -> int:
        return self.outcomes.get(what, {}).get(Outcome.DONE.value, 0)


class Prices:
    """What was last seen of each market by anybody."""

    def __init__(self) -> None:
        self.seen: dict[str, Decimal] = {}
        self._rested: dict[str, deque[Decimal]] = {}

    def rested_of(self, instrument: str) -> deque[Decimal]:
        """Where orders were placed lately that may rest."""
        return self._rested.setdefault(instrument, deque(maxlen=5))


class Owner:
    """An account: what proves who it is, and what its clients know together."""

    def __init__(self, credentials: Credentials, trade_group: int) -> None:
        self.credentials = credentials
        self.trade_group = trade_group
        self.notebook = Notebook(credentials.account)
        self.amounts = count(1)
        self.spare: Credentials | None = None

    def amount_of(self, most: Decimal, dice: Random) -> Decimal:
        """Some part of it, and one of a kind."""
        part = stepped(most * Decimal(dice.randint(1, 90)) / 1000, Decimal("0.01"))
        return part + GRAIN * next(self.amounts)


T = TypeVar("T", bound=Traded)
N = TypeVar("N", bound=Notebook)

Offers = Sequence[tuple[int, Callable[[T], Awaitable[None]]]]
"""What a client may do, and how often it does each."""


class Client(Generic[T, N]):
    """One client of an account, in its own seat. place_name: where it trades, before all that is noted."""

    def __init__(
        self,
        seat: Seat,
        owner: Owner,
        notebook: N,
        prices: Prices,
        dice: Random,
        transcript: Transcript,
        manners: Manners,
        *,
        place_name: str = "",
    ) -> None:
        self.seat = seat
        self.owner = owner
        self.notebook = notebook
        self.prices = prices
        self.dice = dice
        self.transcript = transcript
        self.manners = manners
        self._before = f"{place_name} " if place_name else ""
        self._made = 0
        offers = self.offers()
        self._weights = [weight for weight, _ in offers]
        self._actions = [action for _, action in offers]

    # What it is told by the form that it has

    def offers(self) -> Offers[T]:
        raise NotImplementedError

    @property
    def instruments(self) -> Sequence[T]:
        raise NotImplementedError

    async def ask_last(self, traded: T) -> Decimal:
        """The last price. Raises Unavailable."""
        raise NotImplementedError

    async def ask_wrongly(self, traded: T) -> Reply:
        """A request that must be refused."""
        raise NotImplementedError

    # What all do alike

    async def act(self) -> None:
        """One thing that a client may want; an exchange that is not there is no news to it."""
        (action,) = self.dice.choices(self._actions, self._weights)
        traded = self.dice.choice(list(self.instruments))
        if self.manners.hangs_up and self.dice.random() < self.manners.hangs_up:
            # Half of these requests arrive in full.
            self.seat.hangs_up = (None if self.dice.random() < 0.5 else self.dice.randint(1, 300),)
        try:
            await action(traded)
        except Unavailable as unavailable:
            self.transcript.note(self.seat.name, "got no answer", f"{action.__name__}: {unavailable}")
        finally:
            self.seat.hangs_up = None

    async def misbehave(self, traded: T) -> None:
        reply = await self.ask_wrongly(traded)
        self._note("misbehave", traded.name, reply)
        if reply.outcome is Outcome.DONE:
            self.notebook.complaints.append(f"{self.seat.name}: what is wrong was accepted: {reply}")

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"{self.seat.name}-{kind}{self._made}"

    def _write(self, what: str, detail: object, reply: Reply | None = None) -> None:
        """In the transcript alone."""
        self.transcript.note(self.seat.name, self._before + what, detail, reply)

    def _note(self, what: str, detail: object, reply: Reply) -> None:
        """In the transcript, and in the notebook whatever the answer shows."""
        self._write(what, detail, reply)
        self.notebook.told(self.seat.name, reply)

    async def _last(self, traded: T) -> Decimal:
        seen = self.prices.seen.get(traded.name)
        if seen is None or self.dice.random() < 0.2:
            seen = self.prices.seen[traded.name] = await self.ask_last(traded)
        return seen

    def _met(self, traded: T) -> Decimal | None:
        """Now and then a price at which somebody else may rest."""
        rested = self.prices.rested_of(traded.name)
        return self.dice.choice(rested) if rested and self.dice.random() < 0.3 else None


def brief(traded: Traded, terms: OrderTerms) -> str:
    trigger = terms.trigger
    words = [terms.client_id, traded.name, terms.side.value, terms.type.value, terms.time_in_force.value]
    words += [str(terms.quantity), f"at {terms.price}"]
    if terms.quote_quantity is not None:
        words.append(f"for {terms.quote_quantity}")
    if terms.post_only:
        words.append("post-only")
    if trigger is not None:
        words.append(f"{trigger.kind.value} {trigger.price} {trigger.trailing_bips}")
    if terms.peg is not None:
        words.append(f"peg {terms.peg.side.value}+{terms.peg.levels}")
    if terms.iceberg_quantity is not None:
        words.append(f"iceberg {terms.iceberg_quantity}")
    if terms.self_trade_mode is not None:
        words.append(terms.self_trade_mode.value)
    if terms.leg is not Leg.BOTH:
        words.append(terms.leg.value)
    words += [word for word in ("reduce_only", "close_position") if getattr(terms, word)]
    return " ".join(words)
