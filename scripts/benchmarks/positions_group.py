"""The core with many positions: what a tick of the mark prices costs when it puts nobody in danger."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from time import perf_counter

import msgspec
from table import Table

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.engine import Engine
from emulator.core.instruments import OrderType, SelfTradeMode, Side, TimeInForce
from emulator.core.numbers import exact
from emulator.core.orders import OrderStatus, OrderTerms
from emulator.core.positions import MarginMode
from emulator.core.rules import EngineRules, MarginRules
from emulator.exchanges.binance.futures.assets import COLLATERAL_ASSETS
from emulator.exchanges.binance.futures.listings import load
from emulator.feeds.synthetic import SyntheticFeed

NOW_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
SYMBOLS = tuple(f"usdm:{one}" for one in ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT"))
CROWDS = (1_000, 10_000, 100_000)
ISOLATED, SHARED = 0, 3
GROUP = (1, 1, 5, 2)
"""The positions of an isolated account, of two under cross margin, and of one whose assets stand together."""


def positions_table(seconds: float) -> Table:
    table = Table(
        "Core, cost with many positions: isolated, cross with one and with five, assets together with two",
        "what",
        *(f"{crowd:,}" for crowd in CROWDS),
        "ratio",
    )
    ticks: list[float] = []
    trades: list[float] = []
    looks: list[float] = []
    for crowd in CROWDS:
        engine = _engine()
        _crowd(engine, crowd)
        now_us = NOW_US
        started = perf_counter()
        now_us += SECOND_US
        engine.advance(now_us)
        looks.append((perf_counter() - started) * 1e6 / crowd)
        count = int(250 * seconds)
        started = perf_counter()
        for _ in range(count):
            now_us += SECOND_US
            assert not engine.advance(now_us), "somebody was in danger"
        ticks.append((perf_counter() - started) * 1e6 / count)
        started = perf_counter()
        count = int(25 * seconds)
        for number in range(count):
            # Each changes an account, whose bands are reckoned anew at the next tick.
            now_us += SECOND_US
            engine.advance(now_us)
            terms = OrderTerms(
                side=Side.SELL if number % 2 else Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.002")
            )
            done = engine.execute(
                c.PlaceOrder(account=1, wallet="usdm", instrument=SYMBOLS[0], terms=terms), now_us
            )
            assert done.rejection is None, done.rejection
        trades.append((perf_counter() - started) * 1e6 / count)
    _row(table, "a tick that concerns nobody, µs", ticks)
    _row(table, "a tick and a market order, µs", trades)
    _row(table, "the first look at everybody, µs a position", looks)
    return table


def _row(table: Table, name: str, measured: list[float]) -> None:
    table.add(name, *(f"{one:.1f}" for one in measured), f"{measured[-1] / measured[0]:.2f}")


def _engine() -> Engine:
    contracts = [
        msgspec.structs.replace(one.instrument, orders_max=0)
        for one in load("usdm")
        if one.instrument.symbol in SYMBOLS
    ]
    rules = EngineRules(margin=MarginRules(collateral={"usdm": COLLATERAL_ASSETS}))
    return Engine("bench", {one.symbol: one for one in contracts}, SyntheticFeed(1), ("usdm",), rules)


def _crowd(engine: Engine, positions: int) -> None:
    """Accounts that hold so many positions together, as if they had traded with the market."""
    with exact():
        events = list(_events(engine, positions))
    engine.apply(events, NOW_US)


def _events(engine: Engine, positions: int) -> Iterator[e.Event]:
    account = order = 0
    for group in range(positions // sum(GROUP) + 1):
        for kind, count in enumerate(GROUP):
            account += 1
            yield e.AccountOpened(account=account, name=str(account), trade_group=0)
            yield _deposited(account, "USDT", 100_000 + group % 1_000)
            if kind == SHARED:
                yield _deposited(account, "BTC", 1)
                yield e.CollateralModeSet(account=account, wallet="usdm", shared=True)
            for number in range(count):
                symbol = SYMBOLS[(group + number) % len(SYMBOLS)]
                if kind == ISOLATED:
                    yield e.LeverageSet(account=account, instrument=symbol, leverage=Decimal(2))
                    yield e.MarginModeSet(account=account, instrument=symbol, mode=MarginMode.ISOLATED)
                order += 1
                yield from _opened(engine, account, symbol, order)


def _deposited(account: int, asset: str, amount: int) -> e.Event:
    return e.AmountDeposited(
        account=account,
        wallet="usdm",
        asset=asset,
        amount=Decimal(amount),
        movement=account,
        reference="",
    )


def _opened(engine: Engine, account: int, symbol: str, order: int) -> Iterator[e.Event]:
    market = engine.state.markets[symbol]
    instrument = market.instrument
    side = Side.SELL if order % 2 else Side.BUY
    price = market.last_price(NOW_US)
    steps = (200 + order % 800) // int(price * instrument.quantity_step + 1) + 1
    quantity = max(steps * instrument.quantity_step, instrument.quantity_min)
    terms = OrderTerms(side=side, type=OrderType.MARKET, quantity=quantity, time_in_force=TimeInForce.GTC)
    yield e.OrderPlaced(
        order=order,
        account=account,
        wallet="usdm",
        instrument=symbol,
        terms=terms,
        self_trade_mode=SelfTradeMode.NONE,
        status=OrderStatus.NEW,
        quantity=quantity,
        price=None,
        extreme=None,
        order_list=0,
    )
    yield e.TradeExecuted(
        instrument=symbol,
        trade=market.next_trade_id(NOW_US) + order,
        price=price,
        quantity=quantity,
        amount=instrument.amount(quantity, price),
        taker_side=side,
        taker=order,
        maker=0,
        taker_fee=Decimal(0),
        taker_fee_asset="USDT",
        maker_fee=Decimal(0),
        maker_fee_asset="",
        feed_price=None,
        feed_since_us=0,
    )
