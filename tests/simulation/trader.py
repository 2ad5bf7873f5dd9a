"""A client of an account that trades contracts on one floor and does everything that is offered there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.core.positions import Leg
from tests.simulation.client import Client, Manners, Offers, Owner, Prices, Transcript, brief
from tests.simulation.contract_notebook import ContractNotebook
from tests.simulation.contract_wishes import Standpoint, near, quantity_of, wish_apart, wish_contract
from tests.simulation.contract_words import APART, Contracted, ContractOrder, Floor, Placed, PositionView
from tests.simulation.dialect import Dialect, Seat
from tests.simulation.hand import Journey
from tests.simulation.words import Movement, Outcome, Reply

BATCH_MAX = 5
CANCELS_MAX = 10

FUNDS = {"USDT": Decimal(2500), "BNB": Decimal(20), "BTC": Decimal("0.03"), "ETH": Decimal("0.9")}
"""How much is moved into a wallet of contracts at first; so little that it may be lost."""


class Trader(Client[Contracted, ContractNotebook]):
    """money: where wallets are asked to give to each other. siblings: the account's clients on all floors,
    in which everything must be over before its mode may change."""

    def __init__(
        self,
        seat: Seat,
        owner: Owner,
        floor: Floor,
        notebook: ContractNotebook,
        money: Dialect,
        prices: Prices,
        journey: Journey,
        dice: Random,
        transcript: Transcript,
        manners: Manners,
        siblings: list[Trader],
    ) -> None:
        super().__init__(seat, owner, notebook, prices, dice, transcript, manners, place_name=floor.name)
        self.floor = floor
        self.money = money
        self.journey = journey
        self.siblings = siblings
        self._held: dict[tuple[str, Leg], Decimal] = {}
        """Positions as they were looked at last."""

    def offers(self) -> Offers[Contracted]:
        return [
            (30, self.place),
            (12, self.place_apart),
            (4, self.place_batch),
            (2, self.test),
            (8, self.modify),
            (2, self.modify_batch),
            (8, self.cancel),
            (2, self.cancel_batch),
            (1, self.cancel_all),
            (2, self.count_down),
            (5, self.set_leverage),
            (3, self.set_margin_type),
            (4, self.move_margin),
            (1, self.change_mode),
            (1, self.choose_fees),
            (5, self.exchange),
            (4, self.transfer),
            (4, self.misbehave),
            (6, self.query),
            (4, self.page),
            (4, self.count),
            (4, self.look_around),
        ]

    @property
    def instruments(self) -> Sequence[Contracted]:
        return self.floor.instruments

    async def ask_last(self, traded: Contracted) -> Decimal:
        return await self.floor.last(self.seat, traded)

    async def ask_wrongly(self, traded: Contracted) -> Reply:
        return await self.floor.misbehave(self.seat, traded, self.dice)

    async def _standpoint(self, traded: Contracted) -> Standpoint:
        last = await self._last(traded)
        met = self._met(traded)
        held = sum((of for (name, _), of in self._held.items() if name == traded.name), Decimal(0))
        return Standpoint(
            last, hedged=self.notebook.hedged, held=held, now_us=self.journey.now_ms * 1000, met=met
        )

    # Orders

    def _ask(self, terms: OrderTerms, traded: Contracted) -> None:
        self.notebook.ask(terms.client_id, traded.name, self.journey.now_ms)
        if terms.price is not None and not terms.detached:
            self.prices.rested_of(traded.name).append(terms.price)

    async def _place(
        self, terms: OrderTerms, traded: Contracted, what: str, seat: Seat | None = None
    ) -> Reply:
        seat = seat or self.seat
        self._ask(terms, traded)
        abandons = seat.hangs_up is not None
        reply = await self.floor.place(seat, terms, traded)
        self.transcript.note(seat.name, f"{self.floor.name} {what}", brief(traded, terms), reply)
        self.notebook.told(seat.name, reply)
        self.notebook.placed(terms.client_id, reply, abandoned=abandons)
        return reply

    async def place(self, traded: Contracted) -> None:
        of = await self._standpoint(traded)
        terms = wish_contract(self.dice, traded, of, self._name("o"))
        await self._place(terms, traded, f"place {terms.type.value}")

    async def place_apart(self, traded: Contracted) -> None:
        of = await self._standpoint(traded)
        terms = wish_apart(self.dice, traded, of, APART + self._name("s"))
        await self._place(terms, traded, "place apart")

    async def test(self, traded: Contracted) -> None:
        terms = wish_contract(self.dice, traded, await self._standpoint(traded), self._name("t"))
        self._note("test", brief(traded, terms), await self.floor.test(self.seat, terms, traded))

    async def place_batch(self, traded: Contracted) -> None:
        wanted: list[tuple[OrderTerms, Contracted]] = []
        for _ in range(self.dice.randint(1, BATCH_MAX)):
            of = await self._standpoint(traded)
            wanted.append((wish_contract(self.dice, traded, of, self._name("b")), traded))
            traded = self.dice.choice([traded, self.dice.choice(list(self.floor.instruments))])
        for terms, one in wanted:
            self._ask(terms, one)
        abandons = self.seat.hangs_up is not None
        placed = await self.floor.place_batch(self.seat, wanted)
        self._note("place batch", [brief(one, terms) for terms, one in wanted], placed.whole)
        self._note_parts("place of batch", placed)
        for number, (terms, _) in enumerate(wanted):
            self.notebook.placed(terms.client_id, placed.part(number), abandoned=abandons)

    def _note_parts(self, what: str, placed: Placed) -> None:
        for part in placed.parts:
            self._write(what, "", part)

    async def _live(self, traded: Contracted) -> list[ContractOrder]:
        """What is open as far as is known, or by looking."""
        if self.dice.random() < 0.5:
            return [one for one in self.notebook.live(traded.name) if isinstance(one, ContractOrder)]
        orders = await self.floor.open_orders(self.seat)
        self.notebook.told(self.seat.name, Reply(outcome=Outcome.DONE, orders=tuple(orders)))
        return orders

    async def _resting(self, traded: Contracted) -> list[ContractOrder]:
        return [one for one in await self._live(traded) if not one.detached and one.price and one.quantity]

    def _traded(self, instrument: str) -> Contracted:
        (traded,) = (one for one in self.floor.instruments if one.name == instrument)
        return traded

    def _modified(self, order: ContractOrder) -> tuple[Side, Decimal, Decimal]:
        traded = self._traded(order.instrument)
        assert order.side is not None
        assert order.quantity is not None
        assert order.price is not None
        last = self.prices.seen.get(traded.name, order.price)
        quantity = self.dice.choice([order.quantity, quantity_of(self.dice, traded)])
        price = self.dice.choice([order.price, near(self.dice, traded, last, (-60, -20, -5, 0, 5, 20, 60))])
        return order.side, quantity, price

    async def modify(self, traded: Contracted) -> None:
        orders = await self._resting(traded)
        if not orders:
            return await self.place(traded)
        order = self.dice.choice(orders)
        side, quantity, price = self._modified(order)
        reply = await self.floor.modify(self.seat, order, side, quantity, price)
        self._note("modify", f"{order.name} to {quantity} at {price}", reply)
        return None

    async def modify_batch(self, traded: Contracted) -> None:
        orders = await self._resting(traded)
        if not orders:
            return await self.place_batch(traded)
        chosen = self.dice.sample(orders, min(len(orders), self.dice.randint(1, BATCH_MAX)))
        wanted = [(one, *self._modified(one)) for one in chosen]
        placed = await self.floor.modify_batch(self.seat, wanted)
        self._note("modify batch", [one.name for one in chosen], placed.whole)
        self._note_parts("modify of batch", placed)
        return None

    async def cancel(self, traded: Contracted) -> None:
        orders = await self._live(traded)
        if not orders:
            return await self.place(traded)
        order = self.dice.choice(orders)
        reply = await self.floor.cancel(self.seat, order, by_name=self.dice.random() < 0.5)
        self._note("cancel apart" if order.detached else "cancel", order.name, reply)
        return None

    async def cancel_batch(self, traded: Contracted) -> None:
        orders = [one for one in await self._live(traded) if not one.detached]
        if not orders:
            return await self.place_batch(traded)
        orders = [one for one in orders if one.instrument == orders[0].instrument]
        chosen = self.dice.sample(orders, min(len(orders), self.dice.randint(1, CANCELS_MAX)))
        placed = await self.floor.cancel_batch(self.seat, chosen, by_name=self.dice.random() < 0.5)
        self._note("cancel batch", [one.name for one in chosen], placed.whole)
        self._note_parts("cancel of batch", placed)
        return None

    async def cancel_all(self, traded: Contracted) -> None:
        is_apart = self.dice.random() < 0.5
        reply = await self.floor.cancel_all(self.seat, traded, detached=is_apart)
        self._note("cancel all apart" if is_apart else "cancel all", traded.name, reply)

    async def count_down(self, traded: Contracted) -> None:
        milliseconds = self.dice.choice([0, 1000, 30_000, 600_000])
        reply = await self.floor.count_down(self.seat, traded, milliseconds)
        self._note("count down", f"{traded.name} {milliseconds}", reply)

    # Settings and money

    async def set_leverage(self, traded: Contracted) -> None:
        leverage = self.dice.choice([1, 10, 25, 50, 50, 75, 100, 125])
        reply = await self.floor.set_leverage(self.seat, traded, leverage)
        self._note("set leverage", f"{traded.name} {leverage}", reply)

    async def set_margin_type(self, traded: Contracted) -> None:
        """Mostly of a contract without orders, as it cannot be changed beside them."""
        is_isolated = self.dice.random() < 0.7
        if self.dice.random() < 0.8:
            for is_apart in (False, True):
                await self.floor.cancel_all(self.seat, traded, detached=is_apart)
        reply = await self.floor.set_isolated(self.seat, traded, isolated=is_isolated)
        self._note("set margin type", f"{traded.name} isolated={is_isolated}", reply)

    async def move_margin(self, traded: Contracted) -> None:
        positions = [one for one in await self._look() if one.is_isolated and one.quantity]
        if not positions:
            return await self.place(traded)
        position = self.dice.choice(positions)
        traded = self._traded(position.instrument)
        most = max(position.margin, FUNDS[traded.settle] / 100)
        amount = (most * self.dice.choice([-80, -30, -5, 3, 20, 60]) / 100).quantize(Decimal("0.00000001"))
        if amount:
            reply = await self.floor.move_margin(self.seat, traded, position.leg, amount)
            what = "add margin" if amount > 0 else "take margin"
            self._note(what, f"{traded.name} {position.leg.value} {amount}", reply)
        return None

    async def change_mode(self, traded: Contracted) -> None:
        """Between one position of a contract and two, which needs that nothing is open anywhere."""
        # Its siblings may be in the midst of something, and its socket is that of its own floor.
        seat = Seat(self.seat.name, self.seat.credentials, self.seat.http)
        for sibling in self.siblings:
            await sibling.go_flat(seat)
        hedged = not await self.floor.hedged(self.seat)
        await self.choose_mode(hedged=hedged)

    async def choose_mode(self, *, hedged: bool) -> None:
        reply = await self.floor.set_hedged(self.seat, hedged=hedged)
        self._note("change mode", f"hedged={hedged}", reply)
        is_hedged = hedged if reply.outcome is Outcome.DONE else await self.floor.hedged(self.seat)
        for sibling in self.siblings:
            sibling.notebook.hedged = is_hedged

    async def go_flat(self, seat: Seat) -> None:
        for traded in self.floor.instruments:
            for is_apart in (False, True):
                await self.floor.cancel_all(seat, traded, detached=is_apart)
        for position in await self.floor.positions(seat):
            if position.quantity:
                traded = self._traded(position.instrument)
                terms = OrderTerms(
                    side=Side.SELL if position.quantity > 0 else Side.BUY,
                    type=OrderType.MARKET,
                    quantity=abs(position.quantity),
                    client_id=self._name("f"),
                    leg=position.leg,
                    reduce_only=position.leg is Leg.BOTH,
                )
                await self._place(terms, traded, "go flat", seat)

    async def choose_fees(self, traded: Contracted) -> None:
        reply = await self.floor.choose_fees(self.seat, discounted=self.dice.random() < 0.5)
        self._note("choose fees", "", reply)

    async def exchange(self, traded: Contracted) -> None:
        sold, bought = self.dice.sample(list(FUNDS), 2)
        amount = FUNDS[sold] * self.dice.randint(10, 200) / 1000
        reply = await self.floor.exchange(self.seat, sold, bought, amount)
        self._note("exchange", f"{amount} {sold} for {bought}", reply)

    def _assets(self) -> Sequence[str]:
        assets = dict.fromkeys(one.settle for one in self.floor.instruments)
        return [*assets, *(("BNB",) if "USDT" in assets else ())]

    async def begin(self, *, isolated: bool) -> None:
        """Bring the first money. isolated: whether each position is to have a margin of its own at first."""
        for traded in self.floor.instruments if isolated else ():
            reply = await self.floor.set_isolated(self.seat, traded, isolated=True)
            self._note("set margin type", f"{traded.name} isolated=True", reply)
        for asset in self._assets():
            await self._move(Movement(source="spot", target=self.floor.wallet, asset=asset,
                                      amount=FUNDS[asset]))  # fmt: skip

    async def transfer(self, traded: Contracted) -> None:
        asset = self.dice.choice(self._assets())
        amount = self.owner.amount_of(FUNDS[asset], self.dice)
        ends = ("spot", self.floor.wallet)
        source, target = ends if self.dice.random() < 0.6 else ends[::-1]
        await self._move(Movement(source=source, target=target, asset=asset, amount=amount))

    async def _move(self, movement: Movement) -> None:
        asked = self.owner.notebook.ask_movement(movement)
        abandons = self.seat.hangs_up is not None
        reply = await self.money.transfer(self.seat, movement)
        self._write("transfer", movement, reply)
        self.owner.notebook.moved(asked, reply, abandoned=abandons)

    # Queries

    async def _look(self) -> list[PositionView]:
        positions = await self.floor.positions(self.seat)
        self._held = {(one.instrument, one.leg): one.quantity for one in positions if one.quantity}
        return positions

    async def query(self, traded: Contracted) -> None:
        """An order that is unsure first, else any that was ever asked for."""
        names = self.notebook.unsure() or self.notebook.answered(traded.name)
        names = [name for name in names if "#" not in name]
        if not names:
            return
        name = self.dice.choice(names)
        asked = self.notebook.orders[name]
        order = ContractOrder(
            id=asked.id or 0, name=name, instrument=asked.instrument, detached=name.startswith(APART)
        )
        by_name = asked.id is None or self.dice.random() < 0.5
        reply = await self.floor.order(self.seat, order, by_name=by_name)
        self._write("query", name, reply)
        if not reply.is_absent or self.notebook.is_young(name, self.journey.now_ms):
            self.notebook.asked_for(self.seat.name, name, reply)

    async def page(self, traded: Contracted) -> None:
        limit, first = self.dice.randint(1, 50), self.dice.randint(1, 500)
        what = self.dice.choice(["orders", "apart", "fills", "open"])
        self._write("page", f"{what} {traded.name} from {first}")
        orders: list[ContractOrder] = []
        match what:
            case "orders":
                orders = await self.floor.orders(self.seat, traded.name, first, limit)
            case "apart":
                orders = await self.floor.waiting(self.seat, traded.name, first, limit)
            case "fills":
                for fill in await self.floor.fills(self.seat, traded.name, first, limit):
                    self.notebook.fills[fill.trade, fill.order] = fill
            case _:
                orders = await self.floor.open_orders(self.seat)
        self.notebook.told(self.seat.name, Reply(outcome=Outcome.DONE, orders=tuple(orders)))

    async def count(self, traded: Contracted) -> None:
        await self._look()
        for asset in await self.floor.assets(self.seat):
            if asset.available < 0 or asset.withdrawable < 0:
                self.notebook.complaints.append(f"{self.seat.name}: below zero: {asset}")
        self._write("count", "")

    async def look_around(self, traded: Contracted) -> None:
        await self.floor.look_around(self.seat, traded, self.dice)
        self._write("look around", traded.name)
