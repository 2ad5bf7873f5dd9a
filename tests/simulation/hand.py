"""A hand that moves markets and the clock, as whoever tests a bot does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from random import Random
from typing import NamedTuple

from tests.simulation.client import Prices, Transcript
from tests.simulation.control import Control
from tests.simulation.wishes import stepped
from tests.simulation.words import Traded

DAY_MS = 86_400_000
HOURS_MS = 20 * 3_600_000
WEEKS_MS = 15 * DAY_MS
"""How far a run moves its clock at most: histories of money reach back three months."""


class Journey:
    """Where the clock is, as far as it was moved. reach_ms: how far it is moved in all; connections end with
    their first day."""

    def __init__(self, start_ms: int) -> None:
        self.start_ms = start_ms
        self.moved_ms = 0
        self.reach_ms = HOURS_MS

    @property
    def now_ms(self) -> int:
        return self.start_ms + self.moved_ms


class Place(NamedTuple):
    """Where a hand moves prices, and how far at once, in 1/10,000."""

    instruments: Sequence[Traded]
    control: Control
    prices: Prices
    moves: Sequence[int] = (-300, -60, -20, -5, -1, 1, 5, 20, 60, 300)


class Hand:
    """Moves prices, books and the clock, as whoever tests a bot does. before_time: called
    before the clock is moved, with how many milliseconds."""

    def __init__(
        self,
        places: Sequence[Place],
        journey: Journey,
        dice: Random,
        transcript: Transcript,
        before_time: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self._places = places
        self._journey = journey
        self._dice = dice
        self._transcript = transcript
        self._before_time = before_time

    async def act(self) -> None:
        dice = self._dice
        instruments, control, prices, moves = dice.choice(self._places)
        traded = dice.choice(list(instruments))
        last = prices.seen.get(traded.name)
        if last is None or dice.random() < 0.4:
            return await self._let_time_pass()
        away = Decimal(dice.choice(moves)) / 10_000
        price = stepped(last * (1 + away), traded.price_step)
        lots = [traded.lot * dice.randint(1, 9) for _ in range(6)]
        match dice.choice(["price", "price", "book", "book", "book", "trade", "trade", "release"]):
            case "price":
                mode = dice.choice(["hold", "shift", "shift"])
                reply = await control.set_price(traded.name, price, mode)
                self._transcript.note("hand", "set price", f"{traded.name} {price} {mode}", reply)
            case "book":
                # Within a wide spread clients meet nobody but each other.
                gap = stepped(last * dice.choice([2, 30, 100]) / 10_000, traded.price_step)
                bids = [(price - gap * (n + 1), lots[n]) for n in range(3)]
                asks = [(price + gap * (n + 1), lots[n + 3]) for n in range(3)]
                reply = await control.set_book(traded.name, bids, asks)
                self._transcript.note("hand", "set book", f"{traded.name} {bids} {asks}", reply)
            case "trade":
                side = dice.choice(["buy", "sell"])
                reply = await control.print_trade(traded.name, price, lots[0], side)
                self._transcript.note("hand", "print", f"{traded.name} {price} {lots[0]} {side}", reply)
            case _:
                reply = await control.release(traded.name)
                self._transcript.note("hand", "release", traded.name, reply)
        prices.seen.pop(traded.name, None)
        return None

    async def _let_time_pass(self) -> None:
        journey = self._journey
        step_ms = self._dice.choice([1, 300, 1000, 5000, 60_000, 60_000, 600_000, 3_300_000])
        if self._dice.random() < 0.1 and journey.reach_ms > DAY_MS:
            step_ms = 2 * DAY_MS
        if journey.moved_ms + step_ms < journey.reach_ms:
            if self._before_time is not None:
                await self._before_time(step_ms)
            reply = await self._places[0].control.step(step_ms)
            # Not sooner: who asks for something meanwhile may think it older than it is, but not younger.
            journey.moved_ms += step_ms
            self._transcript.note("hand", "step", f"{step_ms} ms", reply)
