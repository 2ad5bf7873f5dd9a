"""Actors that do everything an exchange offers, and a hand that moves its markets and its clock.

What they do next is decided by their dice, by what they were answered, and by nothing else, so that one
seed is one run as long as they take turns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from itertools import count
from random import Random
from typing import NamedTuple

import msgspec

from emulator.core.orders import OrderTerms
from emulator.core.positions import Leg
from tests.simulation.control import Control
from tests.simulation.dialect import Credentials, Dialect, Seat, Unavailable
from tests.simulation.notebook import Notebook
from tests.simulation.wishes import LEGS, stepped, wish, wish_list
from tests.simulation.words import ListView, Movement, OrderView, Outcome, Reply, Traded

DAY_MS = 86_400_000
HOURS_MS = 20 * 3_600_000
WEEKS_MS = 15 * DAY_MS
"""How far a run moves its clock at most: histories of money reach back three months."""

MONEY = {"USDT": Decimal(200_000), "BTC": Decimal(4), "ETH": Decimal(100), "BNB": Decimal(200)}
UNSURE_LOCKS_MAX = 4

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


class Actor:
    """One client of an account, in its own seat."""

    def __init__(
        self,
        seat: Seat,
        owner: Owner,
        dialect: Dialect,
        control: Control,
        prices: Prices,
        dice: Random,
        transcript: Transcript,
        manners: Manners,
    ) -> None:
        self.seat = seat
        self.owner = owner
        self.notebook = owner.notebook
        self.dialect = dialect
        self.control = control
        self.prices = prices
        self.dice = dice
        self.transcript = transcript
        self.manners = manners
        self._made = 0
        actions: list[tuple[int, Callable[[Traded], Awaitable[None]]]] = [
            (34, self.place),
            (9, self.place_list),
            (10, self.cancel),
            (1, self.cancel_all),
            (3, self.cancel_list),
            (7, self.replace),
            (5, self.amend),
            (2, self.test),
            (4, self.misbehave),
            (3, self.deposit),
            (3, self.transfer),
            (2, self.withdraw),
            (2, self.lock),
            (2, self.choose_fees),
            (6, self.query),
            (4, self.page),
            (2, self.count_money),
            (5, self.look_around),
            (1, self.change_keys),
        ]
        self._weights = [weight for weight, _ in actions]
        self._actions = [action for _, action in actions]

    async def act(self) -> None:
        """One thing that a client may want; an exchange that is not there is no news to it."""
        (action,) = self.dice.choices(self._actions, self._weights)
        traded = self.dice.choice(list(self.dialect.instruments))
        if self.manners.hangs_up and self.dice.random() < self.manners.hangs_up:
            # Half of these requests arrive in full.
            self.seat.hangs_up = (None if self.dice.random() < 0.5 else self.dice.randint(1, 300),)
        try:
            await action(traded)
        except Unavailable as unavailable:
            self.transcript.note(self.seat.name, "got no answer", f"{action.__name__}: {unavailable}")
        finally:
            self.seat.hangs_up = None

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"{self.seat.name}-{kind}{self._made}"

    async def _last(self, traded: Traded) -> Decimal:
        seen = self.prices.seen.get(traded.name)
        if seen is None or self.dice.random() < 0.2:
            seen = self.prices.seen[traded.name] = await self.dialect.last(self.seat, traded.name)
        return seen

    def _note(self, what: str, detail: object, reply: Reply) -> None:
        self.transcript.note(self.seat.name, what, detail, reply)
        self.notebook.told(self.seat.name, reply)

    # Orders

    async def place(self, traded: Traded) -> None:
        rested = self.prices.rested_of(traded.name)
        met = self.dice.choice(rested) if rested and self.dice.random() < 0.3 else None
        terms = wish(self.dice, traded, await self._last(traded), self._name("o"), met)
        if terms.price is not None and terms.trigger is None:
            rested.append(terms.price)
        is_plain = terms.trigger is None and terms.peg is None and terms.quote_quantity is None
        routed = traded.routed and is_plain and not terms.post_only and self.dice.random() < 0.15
        self.notebook.ask_order(terms.client_id, traded.name)
        abandons = self.seat.hangs_up is not None
        reply = await self.dialect.place(self.seat, traded, terms, routed=routed)
        self._note("place routed" if routed else "place", brief(traded, terms), reply)
        self.notebook.placed(terms.client_id, reply, abandoned=abandons)

    async def test(self, traded: Traded) -> None:
        terms = wish(self.dice, traded, await self._last(traded), self._name("t"))
        reply = await self.dialect.test(self.seat, traded, terms)
        self._note("test", brief(traded, terms), reply)

    async def place_list(self, traded: Traded) -> None:
        form = self.dice.choice(list(self.dialect.forms))
        names = [self._name("l") for _ in range(LEGS[form])]
        name = self._name("list")
        legs = wish_list(self.dice, traded, await self._last(traded), form, names)
        self.notebook.ask_list(name, traded.name, names, is_funded=form.is_funded)
        abandons = self.seat.hangs_up is not None
        reply = await self.dialect.place_list(self.seat, traded, form, legs, name)
        self._note(f"place {form.value}", [brief(traded, leg) for leg in legs], reply)
        self.notebook.placed_list(name, reply, abandoned=abandons)

    async def cancel(self, traded: Traded) -> None:
        order = self._some_order(traded)
        if order is None:
            return await self.place(traded)
        by_name = self.dice.random() < 0.5
        reply = await self.dialect.cancel(self.seat, order, by_name=by_name, dice=self.dice)
        self._note("cancel", order.name, reply)
        return None

    async def cancel_all(self, traded: Traded) -> None:
        self._note("cancel all", traded.name, await self.dialect.cancel_all(self.seat, traded))

    async def cancel_list(self, traded: Traded) -> None:
        lists = [one for one in self.notebook.lists.values() if one.id is not None and not one.was_done]
        if not lists:
            return await self.place_list(traded)
        chosen = self.dice.choice(lists)
        assert chosen.id is not None
        view = ListView(
            id=chosen.id, name=chosen.name, instrument=chosen.instrument, orders=(), is_done=False
        )
        reply = await self.dialect.cancel_list(self.seat, view, by_name=self.dice.random() < 0.5)
        self._note("cancel list", view.name, reply)
        if reply.outcome is Outcome.REFUSED:
            chosen.was_done = True
        return None

    async def replace(self, traded: Traded) -> None:
        order = self._some_order(traded)
        if order is None:
            return await self.place(traded)
        terms = wish(self.dice, traded, await self._last(traded), self._name("r"))
        self.notebook.ask_order(terms.client_id, traded.name)
        abandons = self.seat.hangs_up is not None
        stop = self.dice.random() < 0.6
        reply = await self.dialect.replace(self.seat, traded, order, terms, stop_on_failure=stop)
        self._note("replace", f"{order.name} by {brief(traded, terms)}", reply)
        # Half of it may have been done: what was placed is in the answer, and `told` has seen it.
        self.notebook.placed(terms.client_id, reply, abandoned=abandons)
        return None

    async def amend(self, traded: Traded) -> None:
        order = self._some_order(traded)
        if order is None or order.quantity is None:
            return await self.place(traded)
        part = Decimal(round(self.dice.uniform(0.1, 1.05), 2))
        quantity = stepped(order.quantity * part, traded.quantity_step)
        name = self._name("a")
        self.notebook.ask_name(order.id, name)
        reply = await self.dialect.amend(self.seat, order, quantity, name)
        self._note("amend", f"{order.name} to {quantity} as {name}", reply)
        return None

    async def misbehave(self, traded: Traded) -> None:
        reply = await self.dialect.misbehave(self.seat, traded, self.dice)
        self._note("misbehave", traded.name, reply)
        if reply.outcome is Outcome.DONE:
            self.notebook.complaints.append(f"{self.seat.name}: what is wrong was accepted: {reply}")

    def _some_order(self, traded: Traded) -> OrderView | None:
        """One that is open as far as is known."""
        orders = self.notebook.live(traded.name)
        return self.dice.choice(orders) if orders else None

    # Money

    def _amount(self, most: Decimal) -> Decimal:
        return self.owner.amount_of(most, self.dice)

    async def deposit(self, traded: Traded) -> None:
        asset = self.dice.choice(sorted(MONEY))
        wallet = self.dice.choice(["spot", "spot", "funding"])
        movement = Movement(source="", target=wallet, asset=asset, amount=self._amount(MONEY[asset]))
        asked = self.notebook.ask_movement(movement)
        reply = await self.control.deposit(self.owner.credentials.account, wallet, asset, movement.amount)
        self.transcript.note(self.seat.name, "deposit", movement, reply)
        self.notebook.moved(asked, reply)

    async def transfer(self, traded: Traded) -> None:
        asset = self.dice.choice(sorted(MONEY))
        source, target = self.dice.choice([("spot", "funding"), ("spot", "usdm"), ("funding", "spot"),
                                           ("usdm", "spot")])  # fmt: skip
        movement = Movement(source=source, target=target, asset=asset, amount=self._amount(MONEY[asset]))
        asked = self.notebook.ask_movement(movement)
        abandons = self.seat.hangs_up is not None
        reply = await self.dialect.transfer(self.seat, movement)
        self.transcript.note(self.seat.name, "transfer", movement, reply)
        self.notebook.moved(asked, reply, abandoned=abandons)

    async def withdraw(self, traded: Traded) -> None:
        asset = self.dice.choice(["BTC", "ETH", "BNB"])
        movement = Movement(
            source=self.dice.choice(["spot", "funding"]),
            target="",
            asset=asset,
            amount=self._amount(MONEY[asset] / 10),
            reference=self._name("w"),
        )
        asked = self.notebook.ask_movement(movement)
        abandons = self.seat.hangs_up is not None
        try:
            reply = await self.dialect.withdraw(self.seat, movement)
        except Unavailable:
            # Where to is asked for first; without an answer nothing was withdrawn.
            reply = Reply(outcome=Outcome.UNDONE)
        self.transcript.note(self.seat.name, "withdraw", movement, reply)
        self.notebook.moved(asked, reply, abandoned=abandons)

    async def lock(self, traded: Traded) -> None:
        asset = self.dice.choice(sorted(MONEY))
        if len(self.notebook.unsure_locks.get(asset, [])) >= UNSURE_LOCKS_MAX:
            return
        locked = self.notebook.locks.get(asset, Decimal(0))
        change = -locked if locked and self.dice.random() < 0.6 else self._amount(MONEY[asset])
        reply = await self.control.lock(self.owner.credentials.account, "spot", asset, change)
        self.transcript.note(self.seat.name, "lock", f"{change} {asset}", reply)
        self.notebook.locked(asset, change, reply)

    async def choose_fees(self, traded: Traded) -> None:
        reply = await self.dialect.choose_fees(self.seat, discounted=self.dice.random() < 0.5)
        self._note("choose fees", "", reply)

    async def change_keys(self, traded: Traded) -> None:
        """Take a second key, or give it up again; one that was given up is worth nothing."""
        account = self.owner.credentials.account
        spare = self.owner.spare
        if spare is None:
            spare = Credentials(account, self._name("key"), f"secret-of-{account}")
            body = {"key": spare.key, "secret": spare.secret}
            reply = await self.control.do("POST", f"/accounts/{account}/keys", body)
            self.transcript.note(self.seat.name, "add key", spare.key, reply)
            if reply.outcome is Outcome.DONE and self.owner.spare is None:
                self.owner.spare = spare
            return
        self.owner.spare = None
        reply = await self.control.do("DELETE", f"/accounts/{account}/keys/{spare.key}")
        self.transcript.note(self.seat.name, "remove key", spare.key, reply)
        if reply.outcome is Outcome.DONE:
            other = Seat(self.seat.name, spare, self.seat.http, self.seat.socket)
            terms = wish(self.dice, traded, await self._last(traded), self._name("k"))
            refused = await self.dialect.place(other, traded, terms, routed=False)
            self._note("use a removed key", spare.key, refused)
            if refused.outcome is Outcome.DONE:
                self.notebook.complaints.append(f"a key that was removed still trades: {spare.key}")

    # Queries

    async def query(self, traded: Traded) -> None:
        """An order that is unsure first, else any that was ever asked for."""
        names = self.notebook.unsure() or [
            name for name, asked in self.notebook.orders.items() if asked.instrument == traded.name
        ]
        if not names:
            return
        name = self.dice.choice(names)
        asked = self.notebook.orders[name]
        by_id = asked.id is not None and self.dice.random() < 0.5
        reply = await self.dialect.order(
            self.seat, asked.instrument, asked.id if by_id else None, None if by_id else name
        )
        self.transcript.note(self.seat.name, "query", name, reply)
        # A name that an amendment took from it, or has not given it, finds nothing.
        if len(asked.names) == 1 or not reply.is_absent:
            self.notebook.asked_for(self.seat.name, name, reply)

    async def page(self, traded: Traded) -> None:
        limit = self.dice.randint(1, 50)
        first = self.dice.randint(0, 500)
        what = self.dice.choice(["orders", "fills", "open", "lists", "open lists"])
        self.transcript.note(self.seat.name, "page", f"{what} {traded.name} from {first}")
        match what:
            case "orders":
                orders = await self.dialect.orders(self.seat, traded.name, first, limit)
                self.notebook.told(self.seat.name, Reply(outcome=Outcome.DONE, orders=tuple(orders)))
            case "fills":
                for fill in await self.dialect.fills(self.seat, traded.name, first, limit):
                    self.notebook.fills[fill.trade, fill.order] = fill
            case "open":
                orders = await self.dialect.open_orders(self.seat, traded.name)
                self.notebook.told(self.seat.name, Reply(outcome=Outcome.DONE, orders=tuple(orders)))
            case "lists":
                lists = await self.dialect.lists(self.seat, first, limit)
                self.notebook.told(self.seat.name, Reply(outcome=Outcome.DONE, lists=tuple(lists)))
            case _:
                lists = await self.dialect.open_lists(self.seat)
                self.notebook.told(self.seat.name, Reply(outcome=Outcome.DONE, lists=tuple(lists)))

    async def count_money(self, traded: Traded) -> None:
        for asset, (free, held) in (await self.dialect.balances(self.seat)).items():
            if free < 0 or held < 0:
                self.notebook.complaints.append(f"{free} {asset} free and {held} held")
        self.transcript.note(self.seat.name, "count money", "")

    async def look_around(self, traded: Traded) -> None:
        await self.dialect.look_around(self.seat, traded, self.dice)
        self.transcript.note(self.seat.name, "look around", traded.name)


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
        before_time: Callable[[int], Awaitable[None]],
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
            await self._before_time(step_ms)
            journey.moved_ms += step_ms
            reply = await self._places[0].control.step(step_ms)
            self._transcript.note("hand", "step", f"{step_ms} ms", reply)
