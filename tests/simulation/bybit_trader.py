"""A client of a unified account that does everything that Bybit offers, for pairs and contracts alike."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from emulator.core.orders import OrderStatus
from emulator.exchanges.bybit.ids import order_id_text
from tests.simulation.bybit import Bybit
from tests.simulation.bybit_reading import read_fill, read_order, read_position
from tests.simulation.bybit_wishes import (
    Values,
    away,
    quantity_of,
    wish_apart,
    wish_order,
    wish_stops,
)
from tests.simulation.client import Client, Manners, Offers, Owner, Prices, Transcript
from tests.simulation.contract_words import APART, Placed
from tests.simulation.control import Control
from tests.simulation.dialect import Credentials, Seat
from tests.simulation.hand import Journey
from tests.simulation.unified_notebook import UnifiedNotebook
from tests.simulation.unified_words import Standing, UnifiedOrder, UnifiedTraded
from tests.simulation.words import Movement, Outcome, Reply

MONEY = {"USDT": Decimal(8000), "BTC": Decimal("0.08"), "ETH": Decimal(2)}
"""So little that it may be lost."""
BATCH_MAX = 5
FILTERS = {"Stop": "StopOrder", "tpslOrder": "tpslOrder", "OcoOrder": "OcoOrder"}
"""Under what a pair's order that waits is canceled, by what it is."""
MARGIN_MODES = ("REGULAR_MARGIN", "REGULAR_MARGIN", "ISOLATED_MARGIN", "PORTFOLIO_MARGIN")


class BybitTrader(Client[UnifiedTraded, UnifiedNotebook]):
    """chooses: whether it is the client that changes the account's settings; only one of an account does."""

    def __init__(
        self,
        seat: Seat,
        owner: Owner,
        bybit: Bybit,
        notebook: UnifiedNotebook,
        control: Control,
        prices: Prices,
        journey: Journey,
        dice: Random,
        transcript: Transcript,
        manners: Manners,
        *,
        chooses: bool,
    ) -> None:
        self._chooses = chooses
        super().__init__(seat, owner, notebook, prices, dice, transcript, manners)
        self.bybit = bybit
        self.control = control
        self.journey = journey
        self._held: list[Standing] = []
        """Positions as they were looked at last."""

    def offers(self) -> Offers[UnifiedTraded]:
        offers: list[tuple[int, Any]] = [
            (34, self.place),
            (9, self.place_apart),
            (4, self.place_batch),
            (8, self.amend),
            (1, self.amend_batch),
            (9, self.cancel),
            (1, self.cancel_batch),
            (1, self.cancel_all),
            (5, self.set_stops),
            (3, self.move_margin),
            (2, self.borrow),
            (2, self.repay),
            (2, self.check),
            (3, self.deposit),
            (3, self.transfer),
            (4, self.misbehave),
            (6, self.query),
            (4, self.page),
            (4, self.count),
            (4, self.look_around),
            (1, self.change_keys),
        ]
        if self._chooses:
            offers += [
                (5, self.set_leverage),
                (2, self.set_margin_mode),
                (2, self.change_mode),
                (2, self.use_collateral),
                (2, self.use_spot_margin),
            ]
        return offers

    @property
    def instruments(self) -> Sequence[UnifiedTraded]:
        return self.bybit.instruments

    async def ask_last(self, traded: UnifiedTraded) -> Decimal:
        return await self.bybit.last(self.seat, traded)

    async def ask_wrongly(self, traded: UnifiedTraded) -> Reply:
        return await self.bybit.misbehave(self.seat, traded, self.dice)

    # Orders

    def _ask(self, values: Values, traded: UnifiedTraded) -> str:
        """Write down that an order is asked for; its name in the notebook."""
        name: str = values["orderLinkId"]
        if values.get("orderFilter") == "StopOrder":
            # Another one of the same name comes of it.
            name = APART + name
        elif "price" in values and "triggerPrice" not in values:
            self.prices.rested_of(traded.name).append(Decimal(values["price"]))
        self.notebook.ask(name, traded.name, self.journey.now_ms)
        return name

    async def _place(
        self, values: Values, traded: UnifiedTraded, what: str, seat: Seat | None = None
    ) -> Reply:
        seat = seat or self.seat
        name = self._ask(values, traded)
        abandons = seat.hangs_up is not None
        reply = _called(await self.bybit.order(seat, "/v5/order/create", values), name)
        self._write(what, brief(values), reply)
        self.notebook.told(seat.name, reply)
        self.notebook.placed(name, reply, abandoned=abandons)
        return reply

    async def place(self, traded: UnifiedTraded) -> None:
        met = self._met(traded)
        last, hedged = await self._last(traded), self.notebook.hedged
        values = wish_order(self.dice, traded, last, self._name("o"), hedged=hedged, met=met)
        await self._place(values, traded, f"place {values['orderType']} {traded.category}")

    async def place_apart(self, traded: UnifiedTraded) -> None:
        last = await self._last(traded)
        values = wish_apart(self.dice, traded, last, self._name("s"), hedged=self.notebook.hedged)
        await self._place(values, traded, f"place apart {values.get('orderFilter', traded.category)}")

    async def check(self, traded: UnifiedTraded) -> None:
        last = await self._last(traded)
        values = wish_order(self.dice, traded, last, self._name("t"), hedged=self.notebook.hedged)
        self._note("check", brief(values), await self.bybit.change(self.seat, "/v5/order/pre-check", values))

    async def place_batch(self, traded: UnifiedTraded) -> None:
        alike = [one for one in self.instruments if one.category == traded.category]
        wanted: list[tuple[Values, UnifiedTraded, str]] = []
        for _ in range(self.dice.randint(1, BATCH_MAX)):
            one = self.dice.choice(alike)
            last = await self._last(one)
            values = wish_order(self.dice, one, last, self._name("b"), hedged=self.notebook.hedged)
            wanted.append((values, one, self._ask(values, one)))
        abandons = self.seat.hangs_up is not None
        placed = await self._several("create", traded.category, [values for values, _, _ in wanted])
        for number, (_, _, name) in enumerate(wanted):
            self.notebook.placed(name, placed.part(number), abandoned=abandons)

    async def _several(self, word: str, category: str, members: Sequence[Values]) -> Placed:
        placed = await self.bybit.several(self.seat, f"/v5/order/{word}-batch", category, members)
        self._note(f"{word} batch", [brief(one) for one in members], placed.whole)
        for part in placed.parts:
            self._note(f"{word} of batch", "", self.notebook.renamed(part))
        return placed

    async def _live(self, traded: UnifiedTraded) -> list[UnifiedOrder]:
        """What is open as far as is known, or by looking."""
        live = [one for one in self.notebook.live(traded.name) if isinstance(one, UnifiedOrder)]
        if live and self.dice.random() < 0.5:
            return live
        asked = {"category": traded.category, "symbol": traded.symbol, "limit": 50}
        page = await self.bybit.get(self.seat, "/v5/order/realtime", asked)
        orders = [read_order(traded.category, one) for one in page["list"]]
        self.notebook.told(self.seat.name, Reply(outcome=Outcome.DONE, orders=tuple(orders)))
        return orders

    def _named(self, order: UnifiedOrder, *, by_name: bool) -> Values:
        category, symbol = order.instrument.split(":")
        named: Values = {"category": category, "symbol": symbol}
        if by_name and not order.by_exchange:
            named["orderLinkId"] = order.name.removeprefix(APART)
        else:
            named["orderId"] = order_id_text(category, order.id)
        return named

    def _amended(self, order: UnifiedOrder) -> Values:
        traded = self._traded(order.instrument)
        last = self.prices.seen.get(traded.name, order.price or Decimal(1))
        values = self._named(order, by_name=self.dice.random() < 0.5)
        if self.dice.random() < 0.6:
            values["price"] = away(traded, last, self.dice.choice([-60, -20, -5, 0, 5, 20, 60]))
        if len(values) == 3 or self.dice.random() < 0.4:
            values["qty"] = quantity_of(self.dice, traded)
        return values

    def _traded(self, name: str) -> UnifiedTraded:
        return next(one for one in self.instruments if one.name == name)

    async def amend(self, traded: UnifiedTraded) -> None:
        orders = await self._live(traded)
        if not orders:
            return await self.place(traded)
        order = self.dice.choice(orders)
        values = self._amended(order)
        if order.status is OrderStatus.DORMANT and self.dice.random() < 0.5:
            values["triggerPrice"] = away(traded, await self._last(traded), self.dice.choice([-40, 40]))
        reply = self.notebook.renamed(await self.bybit.order(self.seat, "/v5/order/amend", values))
        self._note("amend", brief(values), reply)
        return None

    async def _sample(self, traded: UnifiedTraded) -> list[UnifiedOrder]:
        """Some that are open, of several symbols."""
        other = self.dice.choice([one for one in self.instruments if one.category == traded.category])
        alike = {one.id: one for each in (traded, other) for one in await self._live(each)}
        return self.dice.sample(list(alike.values()), min(len(alike), self.dice.randint(1, BATCH_MAX)))

    async def amend_batch(self, traded: UnifiedTraded) -> None:
        orders = await self._sample(traded)
        if not orders:
            return await self.place_batch(traded)
        members = [self._amended(one) for one in orders]
        await self._several("amend", traded.category, members)
        return None

    def _cancelation(self, order: UnifiedOrder) -> Values:
        values = self._named(order, by_name=self.dice.random() < 0.5)
        if values["category"] == "spot" and order.record is not None:
            word = order.record["stopOrderType"] if order.status is OrderStatus.DORMANT else ""
            values["orderFilter"] = FILTERS.get(word, "Order")
        return values

    async def cancel(self, traded: UnifiedTraded) -> None:
        orders = await self._live(traded)
        if not orders:
            return await self.place(traded)
        values = self._cancelation(self.dice.choice(orders))
        reply = self.notebook.renamed(await self.bybit.order(self.seat, "/v5/order/cancel", values))
        self._note("cancel", brief(values), reply)
        return None

    async def cancel_batch(self, traded: UnifiedTraded) -> None:
        orders = await self._sample(traded)
        if not orders:
            return await self.place_batch(traded)
        await self._several("cancel", traded.category, [self._cancelation(one) for one in orders])
        return None

    async def cancel_all(self, traded: UnifiedTraded) -> None:
        values = {"category": traded.category, "symbol": traded.symbol}
        if self.dice.random() < 0.4:
            values["orderFilter"] = self.dice.choice(["Order", "StopOrder"])
        self._note("cancel all", values, await self.bybit.change(self.seat, "/v5/order/cancel-all", values))

    # Positions and settings

    async def _look(self) -> list[Standing]:
        self._held = []
        for category, coin in (("linear", {"settleCoin": "USDT"}), ("inverse", {})):
            page = await self.bybit.get(
                self.seat, "/v5/position/list", {"category": category, "limit": 200, **coin}
            )
            self._held += [read_position(category, one) for one in page["list"]]
        return self._held

    def _of_position(self, one: Standing) -> Values:
        category, symbol = one.instrument.split(":")
        return {"category": category, "symbol": symbol, "positionIdx": one.record["positionIdx"]}

    async def set_stops(self, traded: UnifiedTraded) -> None:
        held = await self._look()
        if not held:
            return await self.place(traded)
        one = self.dice.choice(held)
        traded = self._traded(one.instrument)
        values = self._of_position(one) | wish_stops(
            self.dice, traded, await self._last(traded), one.quantity
        )
        self._note(
            "set stops", values, await self.bybit.change(self.seat, "/v5/position/trading-stop", values)
        )
        return None

    async def move_margin(self, traded: UnifiedTraded) -> None:
        held = await self._look()
        if not held:
            return await self.place(traded)
        one = self.dice.choice(held)
        scale = Decimal("0.0001") if self._traded(one.instrument).is_inverse else Decimal(1)
        margin = str(scale * self.dice.choice([-20, -3, 1, 5, 40]))
        values = {**self._of_position(one), "margin": margin}
        self._note(
            "move margin", values, await self.bybit.change(self.seat, "/v5/position/add-margin", values)
        )
        return None

    async def _choose(self, what: str, path: str, values: Values, chosen: dict[str, str]) -> Reply:
        reply = await self.bybit.change(self.seat, path, values)
        self._note(what, values, reply)
        for name, value in chosen.items():
            self.notebook.choose(name, value, reply)
        return reply

    async def set_leverage(self, traded: UnifiedTraded) -> None:
        if traded.is_pair:
            return await self.place(traded)
        leverage = self.dice.choice(["1", "5", "10", "25", "50", "75", "100", "200"])
        values = {
            "category": traded.category,
            "symbol": traded.symbol,
            "buyLeverage": leverage,
            "sellLeverage": leverage,
        }
        chosen = {f"leverage of {traded.name}": leverage}
        await self._choose("set leverage", "/v5/position/set-leverage", values, chosen)
        return None

    async def set_margin_mode(self, traded: UnifiedTraded) -> None:
        await self.choose_margin_mode(self.dice.choice(MARGIN_MODES))

    async def choose_margin_mode(self, mode: str) -> None:
        values = {"setMarginMode": mode}
        await self._choose("set margin mode", "/v5/account/set-margin-mode", values, {"margin mode": mode})

    async def change_mode(self, traded: UnifiedTraded) -> None:
        """Between one position of a contract and two, which needs that nothing is open there."""
        all_of_it = {"category": "linear", "symbol": "BTCUSDT"}
        await self.bybit.change(self.seat, "/v5/order/cancel-all", all_of_it)
        for one in await self._look():
            if one.instrument == "linear:BTCUSDT":
                values: Values = {
                    **self._of_position(one),
                    "side": "Sell" if one.quantity > 0 else "Buy",
                    "orderType": "Market",
                    "qty": str(abs(one.quantity)),
                    "orderLinkId": self._name("f"),
                    "reduceOnly": True,
                }
                await self._place(values, self._traded(one.instrument), "go flat")
        await self.choose_mode(hedged=not self.notebook.hedged)

    async def choose_mode(self, *, hedged: bool) -> None:
        values = {"category": "linear", "symbol": "BTCUSDT", "mode": 3 if hedged else 0}
        chosen = {"hedged linear:BTCUSDT": str(hedged)}
        reply = await self._choose("change mode", "/v5/position/switch-mode", values, chosen)
        if reply.outcome is Outcome.DONE:
            self.notebook.hedged = hedged

    async def use_collateral(self, traded: UnifiedTraded) -> None:
        coin, switch = self.dice.choice(["BTC", "ETH"]), self.dice.choice(["ON", "ON", "OFF"])
        values = {"coin": coin, "collateralSwitch": switch}
        chosen = {f"collateral {coin}": switch}
        await self._choose("use collateral", "/v5/account/set-collateral-switch", values, chosen)

    async def use_spot_margin(self, traded: UnifiedTraded) -> None:
        await self.choose_spot_margin(on=self.dice.random() < 0.7)

    async def choose_spot_margin(self, *, on: bool) -> None:
        word = "1" if on else "0"
        values = {"spotMarginMode": word}
        chosen = {"spot margin": word}
        await self._choose("use spot margin", "/v5/spot-margin-trade/switch-mode", values, chosen)

    # Money

    async def borrow(self, traded: UnifiedTraded) -> None:
        coin = self.dice.choice(["ETH", "BTC", "USDT"])
        amount = str(MONEY[coin] * self.dice.randint(1, 40) / 100)
        values = {"coin": coin, "amount": amount}
        self._note("borrow", values, await self.bybit.change(self.seat, "/v5/account/borrow", values))

    async def repay(self, traded: UnifiedTraded) -> None:
        coin = self.dice.choice(["ETH", "BTC", "USDT"])
        values: Values = {"coin": coin}
        if self.dice.random() < 0.5:
            values["amount"] = str(MONEY[coin] * self.dice.randint(1, 20) / 100)
        path = self.dice.choice(["/v5/account/repay", "/v5/account/no-convert-repay"])
        self._note("repay", values, await self.bybit.change(self.seat, path, values))

    async def deposit(self, traded: UnifiedTraded) -> None:
        asset = self.dice.choice(sorted(MONEY))
        await self.bring(asset, self.owner.amount_of(MONEY[asset], self.dice))

    async def bring(self, asset: str, amount: Decimal) -> None:
        wallet = self.bybit.wallet
        movement = Movement(source="", target=wallet, asset=asset, amount=amount)
        asked = self.notebook.ask_movement(movement)
        reply = await self.control.deposit(self.owner.credentials.account, wallet, asset, amount)
        self._write("deposit", movement, reply)
        self.notebook.moved(asked, reply)

    async def transfer(self, traded: UnifiedTraded) -> None:
        asset = self.dice.choice(sorted(MONEY))
        amount = self.owner.amount_of(MONEY[asset], self.dice)
        ends = (self.bybit.wallet, self.bybit.elsewhere)
        source, target = ends if self.dice.random() < 0.6 else ends[::-1]
        words = {self.bybit.wallet: "UNIFIED", self.bybit.elsewhere: "FUND"}
        movement = Movement(source=source, target=target, asset=asset, amount=amount)
        asked = self.notebook.ask_movement(movement)
        values = {
            "transferId": str(UUID(int=self.dice.getrandbits(128))),
            "coin": asset,
            "amount": str(amount),
            "fromAccountType": words[source],
            "toAccountType": words[target],
        }
        abandons = self.seat.hangs_up is not None
        reply = await self.bybit.change(self.seat, "/v5/asset/transfer/inter-transfer", values)
        self._write("transfer", movement, reply)
        self.notebook.moved(asked, reply, abandoned=abandons)

    async def change_keys(self, traded: UnifiedTraded) -> None:
        """Take a second key and give it up again; one that was given up is worth nothing."""
        account = self.owner.credentials.account
        spare = Credentials(account, self._name("key"), f"secret-of-{account}")
        body = {"key": spare.key, "secret": spare.secret}
        self._write("add key", spare.key, await self.control.do("POST", f"/accounts/{account}/keys", body))
        reply = await self.control.do("DELETE", f"/accounts/{account}/keys/{spare.key}")
        self._write("remove key", spare.key, reply)
        if reply.outcome is Outcome.DONE:
            last = await self._last(traded)
            values = wish_order(self.dice, traded, last, self._name("k"), hedged=self.notebook.hedged)
            other = Seat(self.seat.name, spare, self.seat.http)
            refused = await self.bybit.order(other, "/v5/order/create", values)
            self._write("use a removed key", spare.key, refused)
            if refused.outcome is Outcome.DONE:
                self.notebook.complaints.append(f"a key that was removed still trades: {spare.key}")

    # Queries

    async def query(self, traded: UnifiedTraded) -> None:
        """An order that is unsure first, else any that was ever asked for."""
        names = self.notebook.unsure() or self.notebook.answered(traded.name)
        # Those that share their name with another one can be told apart by their ids alone.
        names = [name for name in names if "#" not in name]
        names = [name for name in names if self.notebook.orders[name].id or not self._is_of_two(name)]
        if not names:
            return
        name = self.dice.choice(names)
        asked = self.notebook.orders[name]
        category, symbol = asked.instrument.split(":")
        named: Values = {"symbol": symbol, "orderLinkId": name.removeprefix(APART)}
        if asked.id is not None and (self._is_of_two(name) or self.dice.random() < 0.5):
            named = {"symbol": symbol, "orderId": order_id_text(category, asked.id)}
        found = await self.bybit.find(self.seat, category, named)
        reply = Reply(outcome=Outcome.DONE, orders=tuple(found), is_absent=not found)
        self._write("query", name, reply)
        self.notebook.asked_for(self.seat.name, name, reply)

    def _is_of_two(self, name: str) -> bool:
        return name.startswith(APART) or APART + name in self.notebook.orders

    async def page(self, traded: UnifiedTraded) -> None:
        what = self.dice.choice(["realtime", "closed", "history", "fills"])
        asked = {"category": traded.category, "symbol": traded.symbol, "limit": self.dice.randint(1, 50)}
        self._write("page", f"{what} {traded.name}")
        if what == "fills":
            page = await self.bybit.get(self.seat, "/v5/execution/list", {**asked, "execType": "Trade"})
            for one in page["list"]:
                fill = read_fill(traded.category, one)
                self.notebook.fills[fill.trade, fill.order] = fill
            return
        path = "/v5/order/history" if what == "history" else "/v5/order/realtime"
        if what == "closed":
            asked["openOnly"] = 1
        page = await self.bybit.get(self.seat, path, asked)
        orders = tuple(read_order(traded.category, one) for one in page["list"])
        self.notebook.told(self.seat.name, Reply(outcome=Outcome.DONE, orders=orders))

    async def count(self, traded: UnifiedTraded) -> None:
        await self._look()
        shown = await self.bybit.get(self.seat, "/v5/account/wallet-balance", {"accountType": "UNIFIED"})
        for coin in shown["list"][0]["coin"]:
            if Decimal(coin["locked"]) < 0 or Decimal(coin["totalOrderIM"]) < 0:
                self.notebook.complaints.append(f"{self.seat.name}: below zero: {coin}")
        self._write("count", "")

    async def look_around(self, traded: UnifiedTraded) -> None:
        await self.bybit.look_around(self.seat, traded, self.dice)
        self._write("look around", traded.name)


def _called(reply: Reply, name: str) -> Reply:
    """With the name that the notebook has for the order that an answer shows."""
    orders = tuple(msgspec.structs.replace(one, name=name) for one in reply.orders)
    return msgspec.structs.replace(reply, orders=orders)


def brief(values: Values) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())
