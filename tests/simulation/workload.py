"""Actors that do everything an exchange offers for pairs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from tests.simulation.client import Client, Manners, Offers, Owner, Prices, Transcript, brief
from tests.simulation.control import Control
from tests.simulation.dialect import Credentials, Dialect, Seat, Unavailable
from tests.simulation.notebook import Notebook
from tests.simulation.wishes import LEGS, stepped, wish, wish_list
from tests.simulation.words import ListView, Movement, OrderView, Outcome, Reply, Traded

MONEY = {"USDT": Decimal(200_000), "BTC": Decimal(4), "ETH": Decimal(100), "BNB": Decimal(200)}
UNSURE_LOCKS_MAX = 4


class Actor(Client[Traded, Notebook]):
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
        super().__init__(seat, owner, owner.notebook, prices, dice, transcript, manners)
        self.dialect = dialect
        self.control = control

    def offers(self) -> Offers[Traded]:
        return [
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

    @property
    def instruments(self) -> Sequence[Traded]:
        return self.dialect.instruments

    async def ask_last(self, traded: Traded) -> Decimal:
        return await self.dialect.last(self.seat, traded.name)

    async def ask_wrongly(self, traded: Traded) -> Reply:
        return await self.dialect.misbehave(self.seat, traded, self.dice)

    # Orders

    async def place(self, traded: Traded) -> None:
        met = self._met(traded)
        terms = wish(self.dice, traded, await self._last(traded), self._name("o"), met)
        if terms.price is not None and terms.trigger is None:
            self.prices.rested_of(traded.name).append(terms.price)
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
        self._write("deposit", movement, reply)
        self.notebook.moved(asked, reply)

    async def transfer(self, traded: Traded) -> None:
        asset = self.dice.choice(sorted(MONEY))
        source, target = self.dice.choice([("spot", "funding"), ("spot", "usdm"), ("funding", "spot"),
                                           ("usdm", "spot")])  # fmt: skip
        movement = Movement(source=source, target=target, asset=asset, amount=self._amount(MONEY[asset]))
        asked = self.notebook.ask_movement(movement)
        abandons = self.seat.hangs_up is not None
        reply = await self.dialect.transfer(self.seat, movement)
        self._write("transfer", movement, reply)
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
        self._write("withdraw", movement, reply)
        self.notebook.moved(asked, reply, abandoned=abandons)

    async def lock(self, traded: Traded) -> None:
        asset = self.dice.choice(sorted(MONEY))
        if len(self.notebook.unsure_locks.get(asset, [])) >= UNSURE_LOCKS_MAX:
            return
        locked = self.notebook.locks.get(asset, Decimal(0))
        change = -locked if locked and self.dice.random() < 0.6 else self._amount(MONEY[asset])
        reply = await self.control.lock(self.owner.credentials.account, "spot", asset, change)
        self._write("lock", f"{change} {asset}", reply)
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
            self._write("add key", spare.key, reply)
            if reply.outcome is Outcome.DONE and self.owner.spare is None:
                self.owner.spare = spare
            return
        self.owner.spare = None
        reply = await self.control.do("DELETE", f"/accounts/{account}/keys/{spare.key}")
        self._write("remove key", spare.key, reply)
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
        names = self.notebook.unsure() or self.notebook.answered(traded.name)
        if not names:
            return
        name = self.dice.choice(names)
        asked = self.notebook.orders[name]
        by_id = asked.id is not None and self.dice.random() < 0.5
        reply = await self.dialect.order(
            self.seat, asked.instrument, asked.id if by_id else None, None if by_id else name
        )
        self._write("query", name, reply)
        # A name that an amendment took from it, or has not given it, finds nothing.
        if len(asked.names) == 1 or not reply.is_absent:
            self.notebook.asked_for(self.seat.name, name, reply)

    async def page(self, traded: Traded) -> None:
        limit = self.dice.randint(1, 50)
        first = self.dice.randint(0, 500)
        what = self.dice.choice(["orders", "fills", "open", "lists", "open lists"])
        self._write("page", f"{what} {traded.name} from {first}")
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
        self._write("count money", "")

    async def look_around(self, traded: Traded) -> None:
        await self.dialect.look_around(self.seat, traded, self.dice)
        self._write("look around", traded.name)
