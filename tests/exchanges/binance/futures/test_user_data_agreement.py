"""Whoever keeps an account of futures by its stream alone has what REST says, whatever is done with it.

Two clients of both products ask at random, rightly and wrongly, in both position modes, while prices jump,
funding is paid and positions are liquidated; after each step what the stream told is compared. A failure
names what was done; EMULATOR_TEST_LONG=1 makes many more seeds and steps of it.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.bank import NAMES
from tests.exchanges.binance.futures.arena import BTC, COIN, Arena, promises
from tests.exchanges.binance.futures.folding import SYMBOLS, Follower

pytestmark = pytest.mark.anyio

IS_LONG = os.environ.get("EMULATOR_TEST_LONG") == "1"
SEEDS = range(40) if IS_LONG else (1, 5)
"""Of the short ones the first comes to liquidations, both to funding and moved margin, in either mode."""
STEPS = 300 if IS_LONG else 70

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US

CONDITIONAL = ("STOP_MARKET", "TAKE_PROFIT_MARKET", "STOP", "TAKE_PROFIT", "TRAILING_STOP_MARKET")
PRICES = {"BTCUSDT": Decimal(100_000), "ETHUSDT": Decimal(4_000), "BTCUSD_PERP": Decimal(50_000)}
PAIRS = {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT", "BTCUSD_PERP": "BTC/USD"}
LOTS = {"BTCUSDT": Decimal("0.05"), "ETHUSDT": Decimal("1"), "BTCUSD_PERP": Decimal(300)}
STEP = Decimal("0.1")


class Chance:
    """What is done, drawn from a seed."""

    def __init__(self, arena: Arena, seed: int) -> None:
        self.arena = arena
        self.dice = Random(seed)
        self.prices = dict(PRICES)
        self.is_hedged = dict.fromkeys(NAMES, False)
        self.followers = {
            (product, who): Follower(arena, product, who) for product in (USDM, COINM) for who in NAMES
        }
        self.told: list[str] = []
        self.answered: dict[str, int] = {}

    async def begin(self) -> None:
        for who in NAMES:
            if self.dice.random() < 0.5:
                await self.arena.deposit("BTC", "0.5", "usdm", who)
        for follower in self.followers.values():
            await follower.begin()
        for (product, who), _ in self.followers.items():
            for symbol in SYMBOLS[product.is_inverse]:
                if self.dice.random() < 0.6:
                    await self.ask("POST", product, "marginType", who, symbol=symbol, marginType="ISOLATED")
                leverage = self.dice.choice((5, 20, 50, 100))
                await self.ask("POST", product, "leverage", who, symbol=symbol, leverage=leverage)
            if self.dice.random() < 0.5:
                await self.switch(product, who, is_cleared=False)

    async def check(self) -> int:
        """How many events there were. Everything is read first: what is due happens then at the latest, and
        is told before it is read."""
        heard = 0
        said = [await follower.read() for follower in self.followers.values()]
        for ((_, who), follower), one in zip(self.followers.items(), said, strict=True):
            heard += follower.fold()
            assert follower.differences(one) == []
            for update in follower.updates:
                self._check_legs(who, update["a"])
        return heard

    def _check_legs(self, who: str, change: dict[str, Any]) -> None:
        """In hedge mode a trade tells of both legs, else of the one position."""
        legs = ["LONG", "SHORT"] if self.is_hedged[who] else ["BOTH"]
        if change["m"] in ("ORDER", "MARGIN_TRANSFER", "MARGIN_TYPE_CHANGE"):
            assert [one["ps"] for one in change["P"]] == legs, change

    async def ask(self, method: str, product: Product, path: str, who: str, **values: Any) -> Any:
        """The body of an answer that is a success or an error of a client's own making."""
        whole = f"{product.prefix}/v1/{path}"
        self.told.append(f"{who} {method} {whole} {values}")
        reply = await self.arena.ask(method, whole, who, **values)
        assert reply.status in (200, 400), reply.content
        body = reply.json
        if reply.status == 200:
            promises(self.arena.eras)[method, whole].validate(body)
        else:
            assert body["code"] < -1007, body
        kind = f"{path} {'done' if reply.status == 200 else body['code']}"
        self.answered[kind] = self.answered.get(kind, 0) + 1
        return body if reply.status == 200 else None

    async def act(self) -> None:
        dice = self.dice
        who = dice.choice(NAMES)
        product = dice.choice((USDM, COINM))
        symbol = dice.choice(SYMBOLS[product.is_inverse])
        known = self.followers[product, who].known
        match dice.randrange(32):
            case 0 | 1 | 2 | 3:
                await self.jump(symbol, dice.choice((-9, -4, -1, 1, 4, 9)))
            case 4:
                self.told.append("time")
                await self.arena.step(dice.choice((SECOND_US, 60 * SECOND_US, 9 * HOUR_US)))
            case 5:
                if dice.random() < 0.5:
                    await self.clear(product, who)
                    await self.check()
                word = dice.choice(("ISOLATED", "ISOLATED", "CROSSED"))
                await self.ask("POST", product, "marginType", who, symbol=symbol, marginType=word)
            case 6:
                leverage = dice.choice((1, 5, 20, 20, 50, 100, 126))
                await self.ask("POST", product, "leverage", who, symbol=symbol, leverage=leverage)
            case 7 if product is USDM:
                await self.join_assets(who, is_cleared=dice.random() < 0.7)
            case 7 | 8:
                await self.switch(product, who, is_cleared=dice.random() < 0.7)
            case 9 | 10 | 11:
                amount = dice.choice(("10", "500", "0.01", "100000"))
                kind, leg = dice.choice((1, 1, 2)), self.leg(who)
                if known.positions and dice.random() < 0.8:
                    symbol, side = dice.choice(list(known.positions))
                    leg, amount = {"positionSide": side}, "0.001" if product.is_inverse else amount
                values = {"symbol": symbol, "amount": amount, "type": kind, **leg}
                await self.ask("POST", product, "positionMargin", who, **values)
            case 12 | 13 if known.orders:
                number = dice.choice(list(known.orders))
                of = known.orders[number].symbol
                await self.ask("DELETE", product, "order", who, symbol=of, orderId=number)
            case 14 if known.waiting:
                await self.ask("DELETE", product, "algoOrder", who, algoId=dice.choice(list(known.waiting)))
            case 15:
                path = dice.choice(("allOpenOrders", "algoOpenOrders"))
                await self.ask("DELETE", product, path, who, symbol=symbol)
            case 16 | 17 if known.orders:
                number = dice.choice(list(known.orders))
                one = known.orders[number]
                values = {"symbol": one.symbol, "side": one.side, "orderId": number}
                values |= {"quantity": self.quantity(one.symbol), "price": self.near(one.symbol, 20)}
                await self.ask("PUT", product, "order", who, **values)
            case 18:
                several = [self.order(who, symbol) for _ in range(dice.randint(1, 5))]
                await self.ask("POST", product, "batchOrders", who, batchOrders=json.dumps(several))
            case 19 if known.orders:
                numbers = [number for number, one in known.orders.items() if one.symbol == symbol][:10]
                listed = json.dumps(numbers).replace(" ", "")
                await self.ask("DELETE", product, "batchOrders", who, symbol=symbol, orderIdList=listed)
            case 20 | 21 | 22 | 23:
                await self.ask("POST", product, "algoOrder", who, **self.conditional(who, symbol))
            case _:
                await self.ask("POST", product, "order", who, **self.order(who, symbol))

    # The market

    async def jump(self, symbol: str, percent: int) -> None:
        low, high = PRICES[symbol] * 6 / 10, PRICES[symbol] * 15 / 10
        price = min(max(self.prices[symbol] * (100 + percent) / 100, low), high).quantize(Decimal(1))
        self.prices[symbol] = price
        self.told.append(f"{symbol} {price}")
        if symbol != "ETHUSDT":
            thin = self.dice.random() < 0.3
            quantity = "0.02" if thin else "5"
            if symbol == "BTCUSD_PERP":
                quantity = "50" if thin else "10000"
            bids, asks = [(str(price - 10), quantity)], [(str(price + 10), quantity)]
            await self.arena.book({"BTCUSDT": BTC, "BTCUSD_PERP": COIN}[symbol], bids, asks)
        await self.arena.hold_price(PAIRS[symbol], str(price))

    # What is asked

    async def switch(self, product: Product, who: str, *, is_cleared: bool) -> None:
        """The other position mode, with nothing in its way more often than not."""
        if is_cleared:
            for each in (USDM, COINM):
                await self.clear(each, who)
        await self.check()
        wanted = not self.is_hedged[who]
        word = "true" if wanted else "false"
        if await self.ask("POST", product, "positionSide/dual", who, dualSidePosition=word):
            self.is_hedged[who] = wanted

    async def join_assets(self, who: str, *, is_cleared: bool) -> None:
        """The other mode of assets; all together only where nothing is isolated."""
        follower = self.followers[USDM, who]
        is_wanted = not follower.known.together["assets"]
        if is_cleared:
            await self.clear(USDM, who)
            await self.check()
            for symbol in SYMBOLS[USDM.is_inverse]:
                await self.ask("POST", USDM, "marginType", who, symbol=symbol, marginType="CROSSED")
        word = "true" if is_wanted else "false"
        await self.ask("POST", USDM, "multiAssetsMargin", who, multiAssetsMargin=word)

    async def clear(self, product: Product, who: str) -> None:
        """End orders, and positions as far as there is somebody to trade with."""
        for symbol in SYMBOLS[product.is_inverse]:
            for path in ("allOpenOrders", "algoOpenOrders"):
                await self.ask("DELETE", product, path, who, symbol=symbol)
        follower = self.followers[product, who]
        follower.fold()
        for (symbol, leg), one in list(follower.known.positions.items()):
            side, quantity = ("SELL" if one.quantity > 0 else "BUY"), str(abs(one.quantity))
            values = {"symbol": symbol, "side": side, "type": "MARKET", "quantity": quantity}
            await self.ask("POST", product, "order", who, positionSide=leg, **values)

    def leg(self, who: str) -> dict[str, str]:
        """Mostly one that fits the mode."""
        fitting = self.is_hedged[who]
        if self.dice.random() < 0.08:
            fitting = not fitting
        if fitting:
            return {"positionSide": self.dice.choice(("LONG", "SHORT"))}
        return self.dice.choice(({}, {"positionSide": "BOTH"}))

    def quantity(self, symbol: str) -> str:
        return str(LOTS[symbol] * self.dice.choice((1, 1, 2, 5, 20)))

    def near(self, symbol: str, away: int) -> str:
        """So many thousandths away, at most."""
        price = self.prices[symbol] * (1000 + self.dice.randint(-away, away)) / 1000
        return str(price.quantize(STEP))

    def order(self, who: str, symbol: str) -> dict[str, Any]:
        dice = self.dice
        values: dict[str, Any] = {"symbol": symbol, "side": dice.choice(("BUY", "SELL")), **self.leg(who)}
        values |= {"type": "MARKET", "quantity": self.quantity(symbol)}
        if dice.random() < 0.6:
            tif = dice.choice(("GTC", "GTC", "GTC", "IOC", "FOK", "GTX"))
            values |= {"type": "LIMIT", "timeInForce": tif, "price": self.near(symbol, 30)}
        if dice.random() < (0.05 if self.is_hedged[who] else 0.25):
            values["reduceOnly"] = dice.choice(("true", "false"))
        if dice.random() < 0.2:
            values["selfTradePreventionMode"] = dice.choice(("NONE", "EXPIRE_MAKER", "EXPIRE_BOTH"))
        return values

    def conditional(self, who: str, symbol: str) -> dict[str, Any]:
        dice, kind = self.dice, self.dice.choice(CONDITIONAL)
        values: dict[str, Any] = {"symbol": symbol, "side": dice.choice(("BUY", "SELL")), **self.leg(who)}
        values |= {"algoType": "CONDITIONAL", "type": kind}
        values["workingType"] = dice.choice(("CONTRACT_PRICE", "MARK_PRICE"))
        if kind == "TRAILING_STOP_MARKET":
            values["callbackRate"] = dice.choice(("0.5", "2"))
        else:
            values["triggerPrice"] = self.near(symbol, 60)
        if kind.endswith("_MARKET") and kind != "TRAILING_STOP_MARKET" and dice.random() < 0.4:
            values["closePosition"] = "true"
        else:
            values["quantity"] = self.quantity(symbol)
        if kind in ("STOP", "TAKE_PROFIT"):
            values["price"] = self.near(symbol, 60)
        return values


@pytest.mark.parametrize("seed", SEEDS)
async def test_who_listens_knows_what_who_asks_is_told(seed: int) -> None:
    async with Arena() as arena:
        chance, heard = Chance(arena, seed), 0
        await chance.begin()
        try:
            for _ in range(STEPS):
                await chance.act()
                heard += await chance.check()
        except Exception as error:
            error.add_note(f"seed {seed}: " + "\n".join(["", *chance.told]))
            raise
        assert heard > STEPS // 2, "nothing was told"
        assert chance.answered.get("order done", 0) > STEPS // 20, chance.answered
