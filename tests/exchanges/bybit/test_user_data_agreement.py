"""Whoever keeps an account by its private topics alone has what REST says, whatever is done with it.

Two clients ask at random, rightly and wrongly, for pairs and contracts, in every margin and position mode,
while prices jump, funding is paid, and positions are liquidated; after each step what was told is compared. A
failure names what was done; EMULATOR_TEST_LONG=1 makes many more seeds and steps of it.
"""

from __future__ import annotations

import os
from decimal import Decimal
from random import Random
from typing import Any

import orjson
import pytest

from emulator.exchanges.bybit.user_data.hub import HUBS
from emulator.exchanges.bybit.user_data.topics import TOPICS
from emulator.web.streams.message import Message
from tests.exchanges.bybit.pit import SECOND_US, Pit

pytestmark = pytest.mark.anyio

IS_LONG = os.environ.get("EMULATOR_TEST_LONG") == "1"
SEEDS = range(40) if IS_LONG else (1, 7)
"""The short ones come to liquidations, funding and stops, in either margin and position mode."""
STEPS = 300 if IS_LONG else 80

HOUR_US = 3_600 * SECOND_US
NAMES = ("alice", "bob")
PLACES = (("spot", "BTCUSDT"), ("linear", "BTCUSDT"), ("inverse", "BTCUSD"))
BOOKS = {"spot": "spot:BTCUSDT", "linear": "linear:BTCUSDT", "inverse": "inverse:BTCUSD"}
LOTS = {"spot": Decimal("0.01"), "linear": Decimal("0.05"), "inverse": Decimal(5000)}
OPEN = {"New", "PartiallyFilled", "Untriggered"}

LIVE = frozenset(
    """markPrice liqPrice unrealisedPnl positionIM positionIMByMp positionMM positionMMByMp positionBalance
    adlRankIndicator""".split()
)
"""What of a position goes with the market alone, so that nothing is told of it."""
LIVE_COIN = frozenset(
    "equity usdValue unrealisedPnl totalPositionIM totalPositionMM totalOrderIM borrowAmount".split()
)
"""The same of a coin; what is owed of it has losses that nobody realised in it."""


class Follower:
    """What one account was told, folded."""

    def __init__(self, pit: Pit, who: str) -> None:
        self.pit = pit
        self.who = who
        self.orders: dict[str, Any] = {}
        self.executions: dict[str, Any] = {}
        self.fast: dict[str, Any] = {}
        self.positions: dict[tuple[str, str, int], Any] = {}
        self.coins: dict[str, Any] = {}
        self.ids: set[str] = set()
        self.kinds: dict[str, int] = {}
        self.heard = 0
        self.frames: list[Any] = []
        hub = HUBS.of(pit.sandbox)
        account = pit.sandbox.accounts[who]
        for name in ("order", "execution", "execution.fast", "position", "wallet"):
            hub.listen(account, TOPICS[name], self.take)

    def take(self, message: Message) -> None:
        self.frames.append(orjson.loads(message.encoded(1000)))

    def hear(self, frame: Any) -> None:
        self.heard += 1
        topic = frame["topic"]
        if topic != "execution.fast":
            assert frame["id"] not in self.ids
            self.ids.add(frame["id"])
        for one in frame["data"]:
            match topic:
                case "order":
                    before = self.orders.get(one["orderId"])
                    # What ended does not come back, and what traded does not become less.
                    assert before is None or before["orderStatus"] in (*OPEN, "Triggered"), (before, one)
                    assert before is None or Decimal(before["cumExecQty"]) <= Decimal(one["cumExecQty"])
                    self.orders[one["orderId"]] = one
                    self.count(one["orderStatus"])
                case "execution":
                    # Two orders of one account may have met each other in one trade.
                    key = f"{one['execId']} {one['orderId']}"
                    assert key not in self.executions
                    self.executions[key] = one
                    self.count(one["execType"])
                case "execution.fast":
                    self.fast[f"{one['execId']} {one['orderId']}"] = one
                case "position":
                    self.positions[one["category"], one["symbol"], one["positionIdx"]] = one
                case "wallet":
                    self.coins |= {coin["coin"]: coin for coin in one["coin"]}

    def count(self, word: str) -> None:
        self.kinds[word] = self.kinds.get(word, 0) + 1

    def fold(self) -> None:
        frames, self.frames = self.frames, []
        for frame in frames:
            self.hear(frame)

    async def compare(self) -> None:
        await self._compare_orders()
        await self._compare_executions()
        await self._compare_positions()
        await self._compare_wallet()

    async def _pages(self, path: str, category: str, **values: Any) -> list[Any]:
        listed: list[Any] = []
        asked = {"category": category, **values}
        while True:
            page = await self.pit.get(path, asked, self.who)
            listed += page["list"]
            if not page["nextPageCursor"]:
                # What was due happened when it was read, at the latest.
                self.fold()
                return listed
            asked["cursor"] = page["nextPageCursor"]

    async def _compare_orders(self) -> None:
        for category, symbol in PLACES:
            listed = await self._pages("/v5/order/realtime", category, symbol=symbol, limit=50)
            told = {
                number: one
                for number, one in self.orders.items()
                if one["category"] == category and one["orderStatus"] in OPEN
            }
            assert {one["orderId"] for one in listed} == told.keys()
            for one in listed:
                extra, moves = "category closedPnl feeCurrency", ""
                if one["stopOrderType"] == "TrailingStop":
                    # Where it would be triggered is told as of now, and the market moves that without events.
                    moves = "triggerPrice"
                assert without(told[one["orderId"]], f"{extra} {moves}") == without(one, moves)

    async def _compare_executions(self) -> None:
        for category, symbol in PLACES:
            listed = await self._pages("/v5/execution/list", category, symbol=symbol, limit=100)
            told = {key: one for key, one in self.executions.items() if one["category"] == category}
            assert {f"{one['execId']} {one['orderId']}" for one in listed} == told.keys()
            for one in listed:
                key = f"{one['execId']} {one['orderId']}"
                # An order's limit and its quantity are as they were then.
                then = "category isLeverage execPnl marketUnit orderQty orderPrice stopOrderType"
                now = "orderQty orderPrice stopOrderType marketUnit"
                assert without(told[key], then) == without(one, now)
                assert (key in self.fast) is (one["execType"] == "Trade")

    async def _compare_positions(self) -> None:
        for category, symbol in PLACES[1:]:
            listed = await self._pages("/v5/position/list", category, symbol=symbol)
            for one in listed:
                told = self.positions.get((category, symbol, one["positionIdx"]))
                if told is None:
                    assert one["size"] == "0"
                    continue
                told = {**told, "avgPrice": told["entryPrice"]}
                gone = {*LIVE, "category", "entryPrice"}
                assert without(told, gone) == without(one, LIVE)

    async def _compare_wallet(self) -> None:
        asked = {"accountType": "UNIFIED"}
        (listed,) = (await self.pit.get("/v5/account/wallet-balance", asked, self.who))["list"]
        for one in listed["coin"]:
            told = self.coins.get(one["coin"])
            if told is not None:
                assert without(told, LIVE_COIN) == without(one, LIVE_COIN)


def without(one: Any, keys: Any) -> dict[str, Any]:
    gone = set(keys.split()) if isinstance(keys, str) else keys
    return {key: value for key, value in one.items() if key not in gone}


class Chance:
    """What is done, drawn from a seed."""

    def __init__(self, pit: Pit, seed: int) -> None:
        self.pit = pit
        self.dice = Random(seed)
        self.price = Decimal(100_000)
        self.followers = {who: Follower(pit, who) for who in NAMES}
        self.is_hedged = dict.fromkeys(NAMES, False)
        self.told: list[str] = []
        self.answered: dict[str, int] = {}

    async def begin(self) -> None:
        for who in NAMES:
            if self.dice.random() < 0.6:
                await self.ask("/v5/account/set-margin-mode", who, setMarginMode="ISOLATED_MARGIN")
            for category, symbol in PLACES[1:]:
                leverage = self.dice.choice(("5", "20", "50", "100"))
                sides = {"buyLeverage": leverage, "sellLeverage": leverage}
                await self.ask("/v5/position/set-leverage", who, category=category, symbol=symbol, **sides)

    async def ask(self, path: str, who: str, **values: Any) -> Any:
        """The result of a success, None of an error."""
        self.told.append(f"{who} {path} {values}")
        reply = await self.pit.ask("POST", path, values, who)
        assert reply.status == 200, reply.content
        code = reply.json["retCode"]
        assert code not in (10016, 10000), reply.json
        word = f"{path} {code or 'done'}"
        self.answered[word] = self.answered.get(word, 0) + 1
        return None if code else reply.json["result"]

    async def act(self) -> None:
        dice = self.dice
        who = dice.choice(NAMES)
        category, symbol = dice.choice(PLACES)
        contract = dice.choice(PLACES[1:])
        follower = self.followers[who]
        mine = [one for one in follower.orders.values() if one["orderStatus"] in OPEN]
        of_contract = {"category": contract[0], "symbol": contract[1]}
        match dice.randrange(26):
            case 0 | 1 | 2 | 3:
                await self.jump()
            case 4:
                self.told.append("time")
                await self.pit.step(dice.choice((SECOND_US, HOUR_US, 9 * HOUR_US)))
            case 5:
                mode = dice.choice(("ISOLATED_MARGIN", "REGULAR_MARGIN", "REGULAR_MARGIN"))
                await self.ask("/v5/account/set-margin-mode", who, setMarginMode=mode)
            case 6:
                if dice.random() < 0.7:
                    await self.ask("/v5/order/cancel-all", who, category="linear", settleCoin="USDT")
                    await self.close(who)
                wanted = 0 if self.is_hedged[who] else 3
                named = {"category": "linear", "symbol": "BTCUSDT"}
                if await self.ask("/v5/position/switch-mode", who, **named, mode=wanted) is not None:
                    self.is_hedged[who] = wanted == 3
            case 7:
                leverage = dice.choice(("1", "5", "20", "50", "100", "200"))
                await self.ask(
                    "/v5/position/set-leverage", who, **of_contract, buyLeverage=leverage,
                    sellLeverage=leverage,
                )  # fmt: skip
            case 8:
                amount = dice.choice(("10", "0.001", "-5", "500"))
                await self.ask(
                    "/v5/position/add-margin", who, **of_contract, margin=amount, **self.leg(who, contract[0])
                )
            case 9 | 10:
                stops: dict[str, Any] = {"tpslMode": "Full"}
                held = [key for key, one in follower.positions.items() if one["side"]]
                if held:
                    category, symbol, leg = dice.choice(held)
                    of_contract = {"category": category, "symbol": symbol}
                    stops["positionIdx"] = leg
                    if follower.positions[category, symbol, leg]["side"] == "Sell":
                        stops["isShort"] = True
                if dice.random() < 0.3:
                    stops |= {"tpslMode": "Partial", "tpSize": "0.05", "slSize": "0.05"}
                if dice.random() < 0.2:
                    stops["trailingStop"] = "2000"
                low, high = self.near(-40, -10), self.near(10, 40)
                if stops.pop("isShort", False):
                    low, high = high, low
                stops |= {"takeProfit": high, "stopLoss": low}
                if dice.random() < 0.1:
                    stops["takeProfit"] = "0"
                await self.ask("/v5/position/trading-stop", who, **of_contract, **stops)
            case 11 | 12 if mine:
                one = dice.choice(mine)
                named = {key: one[key] for key in ("category", "symbol", "orderId")}
                await self.ask("/v5/order/cancel", who, **named)
            case 13:
                await self.ask("/v5/order/cancel-all", who, category=category, symbol=symbol)
            case 14 | 15 if mine:
                one = dice.choice(mine)
                named = {key: one[key] for key in ("category", "symbol", "orderId")}
                values = {"qty": self.quantity(one["category"]), "price": self.near(-20, 20)}
                await self.ask("/v5/order/amend", who, **named, **values)
            case 16:
                several = [self.order(who, category, symbol) for _ in range(dice.randint(1, 4))]
                for one in several:
                    del one["category"]
                await self.ask("/v5/order/create-batch", who, category=category, request=several)
            case 17:
                path, amount = dice.choice((("borrow", "1"), ("repay", "1"), ("borrow", "3")))
                await self.ask(f"/v5/account/{path}", who, coin="ETH", amount=amount)
            case 18:
                switch = dice.choice(("ON", "OFF"))
                await self.ask("/v5/account/set-collateral-switch", who, coin="BTC", collateralSwitch=switch)
            case _:
                await self.ask("/v5/order/create", who, **self.order(who, category, symbol))

    async def jump(self) -> None:
        percent = self.dice.choice((-9, -4, -1, 1, 4, 9))
        price = min(max(self.price * (100 + percent) / 100, Decimal(60_000)), Decimal(150_000))
        self.price = price = price.quantize(Decimal(1))
        self.told.append(f"price {price}")
        is_thin = self.dice.random() < 0.3
        for category, name in BOOKS.items():
            quantity = {"inverse": "500" if is_thin else "500000"}.get(category, "0.02" if is_thin else "5")
            await self.pit.book(name, [(str(price - 10), quantity)], [(str(price + 10), quantity)])
        await self.pit.hold("BTC/USDT", str(price))
        await self.pit.hold("BTC/USD", str(price))

    async def close(self, who: str) -> None:
        for (category, symbol, leg), one in list(self.followers[who].positions.items()):
            if one["side"]:
                side = "Sell" if one["side"] == "Buy" else "Buy"
                await self.ask(
                    "/v5/order/create", who, category=category, symbol=symbol, side=side, positionIdx=leg,
                    orderType="Market", qty="0", reduceOnly=True, closeOnTrigger=True,
                )  # fmt: skip

    def leg(self, who: str, category: str) -> dict[str, int]:
        """Mostly one that fits the mode."""
        fitting = self.is_hedged[who] and category == "linear"
        if self.dice.random() < 0.08:
            fitting = not fitting
        return {"positionIdx": self.dice.choice((1, 2)) if fitting else 0}

    def quantity(self, category: str) -> str:
        return str(LOTS[category] * self.dice.choice((1, 1, 2, 5, 20)))

    def near(self, low: int, high: int) -> str:
        """So many thousandths away."""
        price = self.price * (1000 + self.dice.randint(low, high)) / 1000
        return str(price.quantize(Decimal(1)))

    def order(self, who: str, category: str, symbol: str) -> dict[str, Any]:
        dice = self.dice
        values: dict[str, Any] = {"category": category, "symbol": symbol}
        values |= {"side": dice.choice(("Buy", "Sell")), "qty": self.quantity(category)}
        if dice.random() < 0.3:
            values["orderType"] = "Market"
            if category == "spot":
                values["marketUnit"] = "baseCoin"
        else:
            tif = dice.choice(("GTC", "GTC", "GTC", "IOC", "FOK", "PostOnly"))
            values |= {"orderType": "Limit", "price": self.near(-15, 15), "timeInForce": tif}
        if category == "spot":
            if dice.random() < 0.3:
                values |= {"orderFilter": dice.choice(("tpslOrder", "StopOrder"))}
                values["triggerPrice"] = self.near(-40, 40)
            elif dice.random() < 0.2:
                values["isLeverage"] = 1
        else:
            values |= self.leg(who, category)
            if dice.random() < 0.15:
                values["reduceOnly"] = True
            if dice.random() < 0.25:
                rises = dice.random() < 0.5
                values["triggerDirection"] = 1 if rises else 2
                values["triggerPrice"] = self.near(5, 40) if rises else self.near(-40, -5)
                values["triggerBy"] = dice.choice(("LastPrice", "MarkPrice"))
        if dice.random() < 0.25:
            low, high = self.near(-90, -40), self.near(40, 90)
            if values["side"] == "Sell":
                low, high = high, low
            values |= {"takeProfit": high, "stopLoss": low}
            if category != "spot":
                values["tpslMode"] = dice.choice(("Full", "Partial"))
        if dice.random() < 0.2:
            values["smpType"] = dice.choice(("CancelMaker", "CancelTaker", "CancelBoth"))
        return values


@pytest.mark.parametrize("seed", SEEDS)
async def test_who_listens_knows_what_who_asks_is_told(seed: int) -> None:
    async with Pit() as pit:
        chance = Chance(pit, seed)
        try:
            await chance.begin()
            for _ in range(STEPS):
                await chance.act()
                for follower in chance.followers.values():
                    await follower.compare()
        except Exception as error:
            error.add_note(f"seed {seed}: " + "\n".join(["", *chance.told]))
            raise
        assert sum(one.heard for one in chance.followers.values()) > STEPS, "little was told"
        assert chance.answered.get("/v5/order/create done", 0) > STEPS // 10, chance.answered
