"""What the frozen sample of contracts was made from: everything that happens to positions.

As of `workload`, on both futures sites, around a moment at which funding is paid and a contract delivered.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from emulator.core import commands as c
from emulator.core.instruments import OrderType, TimeInForce, TriggerSource
from emulator.core.orders import OrderTerms, Trigger, TriggerKind
from emulator.core.positions import Leg, MarginMode
from emulator.exchanges.binance import ENGINE
from emulator.runtime.ports import Journal
from emulator.runtime.sandbox import Sandbox
from tests.storage.samples.workload import BUY, SECOND, SELL, SPOT, STEPS, Actor, limit, market, opened

START_US = 1_774_597_800_000_000
"""Ten minutes before the funding and the delivery of 27 March 2026, 08:00 UTC."""
MINUTE = 60 * SECOND

USDM, COINM = "usdm", "coinm"
BTC, ETH, DATED = "usdm:BTCUSDT", "usdm:ETHUSDT", "usdm:BTCUSDT_260327"
BTC_COIN, SOL_COIN = "coinm:BTCUSD_PERP", "coinm:SOLUSD_PERP"
PRICES = {"BTC/USDT": "100000", "ETH/USDT": "4000", "BTC/USD": "100000", "SOL/USD": "200"}


async def run_contracts(journal: Journal) -> Sandbox:
    """Fill a journal with the life of one sandbox, and return it, closed."""
    async with opened(journal, START_US) as sandbox:
        await live_with_contracts(sandbox)
    return sandbox


async def live_with_contracts(sandbox: Sandbox) -> None:
    """Everything that can happen to positions, on a clock that stands still between steps."""
    contracts = _Contracts(sandbox)
    await contracts.open_accounts()
    await contracts.settings()
    await contracts.orders()
    await contracts.positions()
    await contracts.until_the_hour()
    await contracts.liquidations()
    await contracts.at_random()


class _Contracts(Actor):
    """alice has one position in each contract, bob, who is on the other side, two legs; all of carol's assets
    stand together, and dave has next to nothing."""

    async def open_accounts(self) -> None:
        self.alice, self.bob, self.carol, self.dave = [
            await self.sandbox.open_account(name) for name in ("alice", "bob", "carol", "dave")
        ]
        for account, wallet, asset, amount in (
            (self.alice, USDM, "USDT", "100000"),
            (self.alice, COINM, "BTC", "10"),
            (self.alice, COINM, "SOL", "10"),
            (self.bob, USDM, "USDT", "1000000"),
            (self.bob, COINM, "BTC", "10"),
            (self.bob, COINM, "SOL", "1000"),
            (self.carol, USDM, "USDT", "1000"),
            (self.carol, USDM, "BTC", "1"),
            (self.dave, USDM, "USDT", "20"),
        ):
            await self.do(c.Deposit(account=account, wallet=wallet, asset=asset, amount=Decimal(amount)))
        for pair in PRICES:
            await self.hold(pair, PRICES[pair])

    async def hold(self, pair: str, price: str) -> None:
        await self.do(c.SetPrice(pair=pair, price=Decimal(price)))

    async def order(self, account: int, symbol: str, terms: OrderTerms, *, refused: bool = False) -> int:
        return await self.place(account, symbol, terms, wallet=symbol.partition(":")[0], refused=refused)

    async def trade(self, symbol: str, quantity: str, price: str, *, buyer: int = 0, seller: int = 0) -> None:
        """Between two accounts alone, within a spread; alice buys from bob unless others are named."""
        instrument = self.sandbox.engines[ENGINE].state.markets[symbol].instrument
        lot, at = Decimal(quantity), Decimal(price)
        away = at / 100
        await self.do(c.SetBook(instrument=symbol, bids=((at - away, lot),), asks=((at + away, lot),)))
        leg = Leg.BOTH if seller else Leg.SHORT
        await self.order(seller or self.bob, symbol, limit(SELL, lot, at, leg=leg))
        await self.order(buyer or self.alice, symbol, limit(BUY, lot, at, tif=TimeInForce.IOC))
        await self.hold(instrument.pair, price)

    async def settings(self) -> None:
        alice = self.alice
        await self.do(c.SetLeverage(account=alice, instrument=BTC, leverage=Decimal(50)))
        await self.do(c.SetLeverage(account=alice, instrument=SOL_COIN, leverage=Decimal(40)))
        await self.do(c.SetMarginMode(account=alice, instrument=ETH, mode=MarginMode.ISOLATED))
        await self.do(c.SetPositionMode(account=self.bob, wallet=USDM, hedged=True))
        for shared in (True, False, True):
            await self.do(c.SetCollateralMode(account=self.carol, wallet=USDM, shared=shared))
        moved: dict[str, Any] = {"account": alice, "asset": "USDT", "amount": Decimal("12.5")}
        await self.do(c.Transfer(**moved, source=USDM, target=SPOT))
        await self.do(c.Transfer(**moved, source=SPOT, target=USDM))

    async def orders(self) -> None:
        alice, one = self.alice, Decimal("0.1")
        await self.order(alice, BTC, limit(BUY, one, Decimal(99000), good_till_us=START_US + 20 * SECOND))
        resting = await self.order(alice, BTC, limit(BUY, one, Decimal(98000), client_id="resting"))
        for price, quantity in (("98100", "0.1"), ("98100", "0.05"), ("98200.1", "0.2")):
            await self.do(
                c.ModifyOrder(
                    account=alice,
                    instrument=BTC,
                    order=resting,
                    price=Decimal(price),
                    quantity=Decimal(quantity),
                    reference="again",
                )
            )
        countdown = c.SetCountdown(account=alice, instrument=BTC, at_us=START_US + MINUTE)
        await self.do(countdown)
        await self.trade(BTC, "0.5", "100000")
        # Stops by the last price and by the mark price leave what the order in the book may reduce; it ends
        # with the position.
        await self.order(alice, BTC, limit(SELL, one, Decimal(103000), reduce_only=True))
        for source, price in ((TriggerSource.LAST, "99600"), (TriggerSource.MARK, "99500")):
            detached = source is TriggerSource.MARK
            stop = Trigger(kind=TriggerKind.STOP_LOSS, price=Decimal(price), source=source)
            terms = OrderTerms(
                side=SELL,
                type=OrderType.MARKET,
                quantity=None if detached else one,
                reduce_only=not detached,
                close_position=detached,
                trigger=stop,
                detached=detached,
                client_id=f"stop-{source.value}",
            )
            await self.order(alice, BTC, terms)
        await self.hold("BTC/USDT", "99400")
        await self.order(alice, BTC, market(SELL, one))
        await self.step(MINUTE)
        await self.hold("BTC/USDT", "100000")

    async def positions(self) -> None:
        alice = self.alice
        await self.trade(ETH, "10", "4000")
        for amount in ("50", "-20.5"):
            await self.do(c.MoveMargin(account=alice, instrument=ETH, amount=Decimal(amount)))
        await self.trade(BTC_COIN, "500", "100000")
        await self.trade(DATED, "1", "100000")
        await self.order(alice, BTC_COIN, market(SELL, Decimal(100)))
        # Both legs, and one of them smaller again.
        await self.order(self.bob, ETH, market(BUY, Decimal(2), leg=Leg.LONG))
        await self.order(self.bob, ETH, market(SELL, Decimal(1), leg=Leg.LONG))

    async def until_the_hour(self) -> None:
        """The contract is settled far above where it was sold last; who sold it then cannot pay."""
        await self.hold("BTC/USDT", "50000")
        await self.trade(DATED, "0.004", "50000", seller=self.dave)
        await self.step(MINUTE * 10)
        await self.step(SECOND)

    async def liquidations(self) -> None:
        # A little below where it can be kept, the book takes it; far below, the insurance fund.
        await self.hold("ETH/USDT", "3812")
        await self.step(2 * SECOND)
        await self.trade(ETH, "10", "3812")
        await self.hold("ETH/USDT", "3000")
        await self.step(2 * SECOND)
        # Of solanas there is no insurance.
        await self.trade(SOL_COIN, "3000", "200")
        await self.hold("SOL/USD", "150")
        await self.step(2 * SECOND)
        # Bitcoins stand for dollars, and are exchanged for them in the end.
        await self.trade(BTC, "5", "50000", buyer=self.carol)
        await self.hold("BTC/USDT", "42000")
        await self.step(2 * SECOND)
        await self.hold("BTC/USDT", "50000")

    # And what is common, at random

    async def at_random(self) -> None:
        for pair in PRICES:
            await self.do(c.ReleaseMarket(pair=pair))
        dice = self.dice
        for _ in range(STEPS):
            account = dice.choice((self.alice, self.bob, self.demo))
            side, leg = dice.choice((BUY, SELL)), Leg.BOTH
            if account == self.bob:
                leg = dice.choice((Leg.LONG, Leg.SHORT))
            symbol, unit = dice.choice(((BTC, "0.01"), (ETH, "0.1"), (BTC_COIN, "1")))
            quantity = Decimal(unit) * dice.randint(1, 40)
            price = self.near(symbol, f"{Decimal(dice.randint(9950, 10050)) / 10000}")
            match dice.randrange(6):
                case 0:
                    await self.order(account, symbol, market(side, quantity, leg=leg), refused=True)
                case 1:
                    await self.do(c.CancelAllOrders(account=account, instrument=symbol), refused=True)
                case 2:
                    await self.step(dice.randint(1, 30 * SECOND))
                case _:
                    await self.order(account, symbol, limit(side, quantity, price, leg=leg), refused=True)
