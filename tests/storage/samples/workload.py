"""What the frozen sample journals were made from: everything that can happen, on the real engine.

Seeded and on a clock that stands still between steps, so that a run can be made again. A sample, once
made, is never made anew: this says where it came from.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from emulator import app
from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.instruments import OrderType, SelfTradeMode, Side, TimeInForce
from emulator.core.order_lists import ListKind
from emulator.core.orders import OrderTerms, Peg, PegSide, Trigger, TriggerKind
from emulator.exchanges.binance import ENGINE
from emulator.runtime.ports import ClockMode, EnginePort, Journal, KeyKind, KeyRecord
from emulator.runtime.recovery import MakeEngines
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes

SEED = 20
START_US = 1_767_225_600_000_000
"""The first moment of 2026."""
SECOND = 1_000_000
STEPS = 80

SPOT, FUNDING = "spot", "funding"
BTC, ETH = "BTCUSDT", "ETHUSDT"
BUY, SELL = Side.BUY, Side.SELL
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


async def run_spot(journal: Journal) -> Sandbox:
    """Fill a journal with the life of one sandbox, and return it, closed."""
    async with opened(journal) as sandbox:
        await live(sandbox)
    return sandbox


async def live(sandbox: Sandbox) -> None:
    """Everything that can happen to a sandbox whose clock stands still between steps."""
    spot = _Spot(sandbox)
    await spot.open_accounts()
    await spot.directed()
    await spot.at_random()


async def run_preferences(journal: Journal) -> Sandbox:
    """What is only kept: chosen, chosen again, and not any more."""
    async with opened(journal) as sandbox:
        spot = _Spot(sandbox)
        for name, value in (("window", "10"), ("style", "plain"), ("window", "30"), ("style", "")):
            await spot.do(c.SetPreference(account=spot.demo, name=name, value=value))
    return sandbox


async def run_correction(journal: Journal) -> Sandbox:
    """What a repair writes: more is held for an open order, and less again; and asset by asset."""
    async with opened(journal) as sandbox:
        spot = _Spot(sandbox)
        await spot.place(spot.demo, ETH, limit(BUY, Decimal(1), spot.near(ETH, "0.95")))
        for change in (Decimal("0.5"), Decimal("-0.5")):
            amounts = {"free": -change - 1, "held": change, "rounding": Decimal(1)}
            await spot.do(c.CorrectBalance(account=spot.demo, wallet=SPOT, asset="USDT", **amounts))
            amounts = {"free": Decimal(0), "held": Decimal(0), "rounding": change}
            await spot.do(c.CorrectBalance(account=None, wallet="", asset="BTC", **amounts))
    return sandbox


def make_sampled(seed: int) -> Mapping[str, EnginePort]:
    """The one engine that samples are made of: what another one does is no other event."""
    return {ENGINE: app.make_engines(seed)[ENGINE]}


@asynccontextmanager
async def opened(
    journal: Journal, start_us: int = START_US, *, make: MakeEngines = make_sampled
) -> AsyncIterator[Sandbox]:
    """A sandbox that is closed at the end."""
    sandboxes = Sandboxes(
        journal=journal,
        make_engines=make,
        provision=app.provision,
        wall_ns=lambda: start_us * 1000,
        seed=SEED,
        clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=start_us),
    )
    await sandboxes.open()
    yield sandboxes.default
    await sandboxes.close()


class Actor:
    """Who does what happens to a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.dice = Random(SEED)
        self.demo = sandbox.accounts["demo"]

    async def do(self, command: c.Command, *, refused: bool = False) -> Done:
        done = await self.sandbox.submit(ENGINE, command)
        assert refused or done.rejection is None, (command, done.rejection)
        return done

    async def step(self, by_us: int) -> None:
        await self.sandbox.step_clock(by_us)

    def last(self, symbol: str) -> Decimal:
        return self.sandbox.engines[ENGINE].state.markets[symbol].last_price(self.sandbox.clock.now_us())

    def near(self, symbol: str, factor: str) -> Decimal:
        """A price at some distance from the last one, on whole units."""
        return (self.last(symbol) * Decimal(factor)).quantize(Decimal(1))

    async def place(
        self, account: int, symbol: str, terms: OrderTerms, *, wallet: str = SPOT, refused: bool = False
    ) -> int:
        """The id of the order, or 0."""
        done = await self.do(
            c.PlaceOrder(account=account, wallet=wallet, instrument=symbol, terms=terms), refused=refused
        )
        return self.sandbox.engines[ENGINE].state.next_order - 1 if done.rejection is None else 0


class _Spot(Actor):
    async def open_accounts(self) -> None:
        sandbox = self.sandbox
        self.one = await sandbox.open_account("one", trade_group=5)
        self.two = await sandbox.open_account("two", trade_group=5)
        for account in (self.one, self.two):
            for asset, amount in (("USDT", "2000000"), ("BTC", "20"), ("ETH", "300"), ("BNB", "50")):
                await self.do(
                    c.Deposit(
                        account=account, wallet=SPOT, asset=asset, amount=Decimal(amount), reference="é"
                    )
                )
        records = (
            KeyRecord(key="one-hmac", account=self.one, secret="s", permissions=frozenset({"trade"})),
            KeyRecord(key="two-rsa", account=self.two, kind=KeyKind.RSA, secret="a key in PEM", label="two"),
            KeyRecord(key="two-ed", account=self.two, kind=KeyKind.ED25519, secret="PEM", passphrase="p"),
        )
        for record in records:
            await sandbox.add_key(record)
        await sandbox.remove_key("two-rsa")

    # What is rare, once each at least

    async def directed(self) -> None:
        await self.do(c.SetFeePayment(account=self.one, discounted=True))
        await self.do(
            c.Transfer(account=self.one, asset="USDT", amount=Decimal("10.5"), source=SPOT, target=FUNDING)
        )
        await self.do(
            c.Withdraw(
                account=self.two,
                wallet=SPOT,
                asset="BTC",
                amount=Decimal("0.5"),
                fee=Decimal("0.00001"),
                reference="abroad",
                labels=(("network", "BTC"), ("address", "bc1q")),
            )
        )
        held: dict[str, Any] = {"account": self.one, "wallet": SPOT, "asset": "BNB"}
        await self.do(c.LockFunds(**held, amount=Decimal("2.5")))
        await self.do(c.UnlockFunds(**held, amount=Decimal("0.5")))
        await self.orders()
        await self.lists()
        await self.markets()
        await self.place(self.one, ETH, limit(BUY, Decimal(1), self.near(ETH, "0.95")))
        await self.do(c.CancelAllOrders(account=self.one, instrument=ETH))
        below = limit(BUY, Decimal(1), self.near(ETH, "0.9"))
        await self.place_list(self.two, ListKind.OTO, (below, limit(SELL, Decimal(1), self.near(ETH, "1.1"))))

    async def orders(self) -> None:
        one, two = self.one, self.two
        quantity = Decimal("0.2")
        resting = await self.place(
            one, BTC, limit(BUY, quantity, self.near(BTC, "0.95"), client_id="first", labels=(("side", "x"),))
        )
        await self.do(
            c.AmendOrder(
                account=one, instrument=BTC, quantity=Decimal("0.1"), order=resting, new_client_id="n"
            )
        )
        await self.do(c.CancelOrder(account=one, instrument=BTC, order=resting, cancel_client_id="because"))
        await self.place(one, BTC, market(BUY, quantity))
        await self.place(one, BTC, market(SELL, None, budget=Decimal(5000)))
        await self.place(one, BTC, limit(BUY, Decimal("0.3"), self.near(BTC, "1.01"), tif=IOC))
        await self.place(one, BTC, limit(BUY, Decimal(9), self.near(BTC, "1.0001"), tif=FOK))
        await self.place(
            one, BTC, limit(SELL, Decimal(1), self.near(BTC, "1.03"), iceberg_quantity=Decimal("0.25"))
        )
        await self.place(one, BTC, limit(BUY, quantity, self.near(BTC, "0.97"), post_only=True))
        # An amendment that leaves nothing: a part has to be filled first.
        await self.do(c.SetBook(instrument=BTC, bids=book(self, "0.999", 5), asks=book(self, "1.001", 5)))
        partly = await self.place(one, BTC, limit(BUY, Decimal(8), self.near(BTC, "1.001")))
        executed = self.sandbox.engines[ENGINE].state.orders[partly].executed
        await self.do(c.AmendOrder(account=one, instrument=BTC, quantity=executed, order=partly))
        await self.do(c.ReleaseMarket(pair="BTC/USDT"))
        # Both are of one trade group.
        for mode in (
            SelfTradeMode.EXPIRE_TAKER,
            SelfTradeMode.EXPIRE_MAKER,
            SelfTradeMode.EXPIRE_BOTH,
            SelfTradeMode.DECREMENT,
            SelfTradeMode.TRANSFER,
        ):
            await self.do(c.SetBook(instrument=BTC, bids=book(self, "0.98", 1), asks=book(self, "1.02", 1)))
            price = self.near(BTC, "1")
            await self.place(one, BTC, limit(SELL, quantity, price))
            await self.place(two, BTC, limit(BUY, quantity / 2, price, self_trade_mode=mode))
            await self.do(c.CancelAllOrders(account=one, instrument=BTC), refused=True)
            await self.do(c.CancelAllOrders(account=two, instrument=BTC), refused=True)
        await self.place(self.demo, BTC, limit(SELL, quantity, price))
        await self.place(two, BTC, limit(BUY, quantity, price))
        await self.do(c.ReleaseMarket(pair="BTC/USDT"))

    async def lists(self) -> None:
        one, two = self.one, self.two
        quantity = Decimal(2)
        above, below = self.near(ETH, "1.04"), self.near(ETH, "0.96")
        stop = Trigger(kind=TriggerKind.STOP_LOSS, price=below)
        upper = limit(SELL, quantity, above, post_only=True)
        lower = OrderTerms(side=SELL, type=OrderType.MARKET, quantity=quantity, trigger=stop)
        await self.place_list(one, ListKind.OCO, (upper, lower), client_id="oco")
        await self.place_list(two, ListKind.OTO, (limit(BUY, quantity, below), upper))
        working = limit(BUY, quantity, self.near(ETH, "1.01"))
        funded = [msgspec.structs.replace(leg, quantity=None) for leg in (upper, lower)]
        await self.place_list(two, ListKind.OTOCO, (working, *funded), funded=True)
        await self.place_list(two, ListKind.OTOCO, (limit(BUY, quantity, below), upper, lower))
        trailing = Trigger(kind=TriggerKind.STOP_LOSS, trailing_bips=200)
        later = Trigger(kind=TriggerKind.TAKE_PROFIT, price=self.near(ETH, "1.01"), trailing_bips=100)
        for trigger in (trailing, later):
            await self.place(
                one, ETH, OrderTerms(side=SELL, type=OrderType.MARKET, quantity=quantity, trigger=trigger)
            )
        limited = Trigger(kind=TriggerKind.TAKE_PROFIT, price=self.near(ETH, "1.02"))
        await self.place(one, ETH, limit(SELL, quantity, self.near(ETH, "1.02"), trigger=limited))
        peg = Peg(side=PegSide.PRIMARY, levels=2)
        await self.place(one, ETH, OrderTerms(side=BUY, type=OrderType.LIMIT, quantity=quantity, peg=peg))
        for price in (self.near(ETH, "1.03"), self.near(ETH, "0.94")):
            await self.do(c.SetPrice(pair="ETH/USDT", price=price, mode=c.PriceMode.SHIFT))
            await self.step(2 * SECOND)

    async def place_list(
        self,
        account: int,
        kind: ListKind,
        legs: tuple[OrderTerms, ...],
        *,
        funded: bool = False,
        client_id: str = "",
    ) -> None:
        await self.do(
            c.PlaceOrderList(
                account=account,
                wallet=SPOT,
                instrument=ETH,
                kind=kind,
                legs=legs,
                funded=funded,
                client_id=client_id,
            )
        )

    async def markets(self) -> None:
        await self.do(c.SetPrice(pair="ETH/USDT", price=self.near(ETH, "1.001")))
        await self.do(
            c.PrintTrade(instrument=ETH, price=self.near(ETH, "1"), quantity=Decimal(3), buyer_is_maker=True)
        )
        await self.do(c.ReleaseMarket(pair="ETH/USDT"))
        await self.sandbox.set_clock(ClockMode.VIRTUAL, self.sandbox.clock.now_us() + SECOND, Decimal(0))

    # And what is common, at random

    async def at_random(self) -> None:
        dice = self.dice
        for _ in range(STEPS):
            account = dice.choice((self.one, self.two, self.demo))
            symbol = dice.choice((BTC, ETH))
            side = dice.choice((BUY, SELL))
            quantity = Decimal(dice.randint(1, 40)) / 100
            price = self.near(symbol, f"{Decimal(dice.randint(9950, 10050)) / 10000}")
            match dice.randrange(6):
                case 0:
                    await self.place(account, symbol, market(side, quantity), refused=True)
                case 1:
                    opened = list(self.sandbox.engines[ENGINE].state.accounts[account].open_orders.values())
                    if opened:
                        order = dice.choice(opened)
                        cancel = c.CancelOrder(account=account, instrument=order.instrument, order=order.id)
                        await self.do(cancel, refused=True)
                case 2:
                    await self.step(dice.randint(1, 30 * SECOND))
                case _:
                    terms = limit(side, quantity, price, client_id=f"r{dice.randrange(10**6)}")
                    await self.place(account, symbol, terms, refused=True)


def limit(
    side: Side, quantity: Decimal, price: Decimal, *, tif: TimeInForce = TimeInForce.GTC, **more: Any
) -> OrderTerms:
    return OrderTerms(
        side=side, type=OrderType.LIMIT, quantity=quantity, price=price, time_in_force=tif, **more
    )


def market(side: Side, quantity: Decimal | None, *, budget: Decimal | None = None, **more: Any) -> OrderTerms:
    return OrderTerms(side=side, type=OrderType.MARKET, quantity=quantity, quote_quantity=budget, **more)


def book(spot: _Spot, factor: str, levels: int) -> c.BookSide:
    """Levels of one unit each, from a price near the last one outwards."""
    best = spot.near(BTC, factor)
    outwards = 1 if Decimal(factor) > 1 else -1
    return tuple((best + outwards * ordinal, Decimal(1)) for ordinal in range(levels))
