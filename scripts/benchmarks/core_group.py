"""The core alone: orders per second without HTTP, and whether its cost stays flat."""

from __future__ import annotations

import gc
import statistics
from bisect import insort
from collections import deque
from decimal import Decimal
from time import perf_counter

import msgspec
from positions_group import positions_table
from table import Table

from emulator.core import commands as c
from emulator.core.engine import Engine
from emulator.core.instruments import OrderType, SelfTradeMode, Side
from emulator.core.orders import OrderTerms, Trigger, TriggerKind
from emulator.exchanges.binance.spot.instruments import load
from emulator.feeds.synthetic import SyntheticFeed

NOW_US = 1_790_000_000_000_000
STEP = Decimal("0.01")
QUANTITY = Decimal("0.01")
TURNS = 10


class PlainBook:
    """The yardstick: a price-time matching loop on dicts and a sorted list, and nothing else."""

    def __init__(self) -> None:
        self.levels: dict[int, deque[list[int]]] = {}
        self.bids: list[int] = []
        self.asks: list[int] = []

    def place(self, order: int, is_buy: bool, price: int, quantity: int) -> None:
        queue = self.asks if is_buy else self.bids
        while quantity and queue and (queue[0] <= price if is_buy else -queue[0] >= price):
            level = self.levels[abs(queue[0])]
            while quantity and level:
                resting = level[0]
                filled = min(quantity, resting[1])
                quantity -= filled
                resting[1] -= filled
                if not resting[1]:
                    level.popleft()
            if not level:
                del self.levels[abs(queue[0])]
                del queue[0]
        if quantity:
            own = self.levels.get(price)
            if own is None:
                own = self.levels[price] = deque()
                insort(self.bids if is_buy else self.asks, -price if is_buy else price)
            own.append([order, quantity])


def run_core(seconds: float) -> list[Table]:
    gc.set_threshold(20_000, 10, 5_000)  # As the server sets it: history holds no cycles.
    return [_throughput(seconds), _flatness(seconds), positions_table(seconds)]


def _engine() -> Engine:
    listed = next(one.instrument for one in load() if one.symbol == "BTCUSDT")
    instrument = msgspec.structs.replace(
        listed, orders_max=0, trigger_orders_max=0, self_trade_modes=frozenset(SelfTradeMode)
    )
    engine = Engine("bench", {"BTCUSDT": instrument}, SyntheticFeed(1), ("spot",))
    for account in (1, 2):
        engine.execute(c.OpenAccount(account=account, name=str(account)), NOW_US)
        for asset in ("BTC", "USDT"):
            amount = Decimal(10**12)
            engine.execute(c.Deposit(account=account, wallet="spot", asset=asset, amount=amount), NOW_US)
    return engine


def _order(account: int, side: Side, price: Decimal, client_id: str) -> c.PlaceOrder:
    terms = OrderTerms(side=side, type=OrderType.LIMIT, quantity=QUANTITY, price=price, client_id=client_id)
    return c.PlaceOrder(account=account, wallet="spot", instrument="BTCUSDT", terms=terms)


def _throughput(seconds: float) -> Table:
    table = Table("Core, one thread, without HTTP", "what", "orders/s", "ratio")
    plain, engine = PlainBook(), _engine()
    low = _away(engine, Decimal("0.9"))
    plain_rates: list[float] = []
    rates: list[float] = []
    share = int(2_000 * seconds)
    for turn in range(TURNS):
        # By turns, because what else runs on a machine comes and goes within less than a second.
        plain_rates.append(_plain_rate(plain, turn, 5 * share))
        resting = [
            _order(1, Side.BUY, low - STEP * (number * 7919 % 1000), f"r{turn}-{number}")
            for number in range(share)
        ]
        rates.append(_rate(engine, resting))
    yardstick, rate = statistics.median(plain_rates), statistics.median(rates)
    table.add("plain dict-and-bisect loop", f"{yardstick:,.0f}", "1.000")
    ratio = statistics.median(own / other for own, other in zip(rates, plain_rates, strict=True))
    table.add("resting limit orders", f"{rate:,.0f}", f"{ratio:.3f}")

    count = share * TURNS
    engine = _engine()
    count //= 2
    inside = engine.state.markets["BTCUSDT"].market_quote(NOW_US)
    engine.execute(
        c.SetBook(
            instrument="BTCUSDT",
            bids=((inside[0] - 1000 * STEP, QUANTITY),),
            asks=((inside[1] + 1000 * STEP, QUANTITY),),
        ),
        NOW_US,
    )
    matched = [
        _order(1 + number % 2, Side.SELL if number % 2 else Side.BUY, inside[0], f"m{number}")
        for number in range(count)
    ]
    rate = _rate(engine, matched)
    table.add("limit orders, each second one trades", f"{rate:,.0f}", f"{rate / yardstick:.3f}")

    engine = _engine()
    market_orders = [
        c.PlaceOrder(
            account=1,
            wallet="spot",
            instrument="BTCUSDT",
            terms=OrderTerms(side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.0002")),
        )
        for _ in range(count // 4)
    ]
    rate = _rate(engine, market_orders, step_us=5_000_000)
    table.add("market orders on the synthetic book", f"{rate:,.0f}", f"{rate / yardstick:.3f}")
    return table


def _plain_rate(plain: PlainBook, turn: int, count: int) -> float:
    """Orders a second of the yardstick, on a book that goes on growing as the other does."""
    first = turn * count
    started = perf_counter()
    for number in range(first, first + count):
        plain.place(number, number % 2 == 0, 8_000_000 + number * 7919 % 1000 - 500 * (number % 2), 10)
    return count / (perf_counter() - started)


def _away(engine: Engine, share: Decimal) -> Decimal:
    last = engine.state.markets["BTCUSDT"].last_price(NOW_US)
    return (last * share).quantize(STEP)


def _rate(engine: Engine, orders: list[c.PlaceOrder], step_us: int = 0) -> float:
    now_us = NOW_US
    started = perf_counter()
    for order in orders:
        now_us += step_us
        engine.advance(now_us)
        done = engine.execute(order, now_us)
        assert done.rejection is None, done.rejection
    return len(orders) / (perf_counter() - started)


def _flatness(seconds: float) -> Table:
    table = Table("Core, cost with many open orders", "what", "few", "100,000", "ratio")
    few, many = _engine(), _engine()
    _fill(many, 50_000)
    base_few, base_many = _away(few, Decimal("0.8")), _away(many, Decimal("0.8"))
    placing: dict[str, list[float]] = {"few": [], "many": []}
    for turn in range(10):
        for name, engine, base in (("few", few, base_few), ("many", many, base_many)):
            orders = [
                _order(2, Side.BUY, base - STEP * (number % 50), f"{turn}-{number}")
                for number in range(int(200 * seconds))
            ]
            placing[name].append(1e6 / _rate(engine, orders))
            engine.execute(c.CancelAllOrders(account=2, instrument="BTCUSDT"), NOW_US)
    _row(table, "placing one order, µs", placing["few"], placing["many"])

    few = _engine()
    _fill(few, 50)
    ticking: dict[str, list[float]] = {"few": [], "many": []}
    now_us = {"few": NOW_US, "many": NOW_US}
    for _ in range(10):
        for name, engine in (("few", few), ("many", many)):
            started = perf_counter()
            ticks = int(100 * seconds)
            for _ in range(ticks):
                now_us[name] += 1_000_000
                engine.advance(now_us[name])
            ticking[name].append((perf_counter() - started) * 1e6 / ticks)
    _row(table, "a market tick that crosses none, µs", ticking["few"], ticking["many"])

    jump = _engine()
    _fill(jump, 500, near=Decimal("0.02"))
    started = perf_counter()
    happened = jump.advance(NOW_US + 30 * 86_400_000_000)
    took = perf_counter() - started
    table.add("30 days in one jump, 1,000 orders, s", "", f"{took:.2f}", f"{len(happened)} moments")
    return table


def _fill(engine: Engine, pairs: int, near: Decimal = Decimal("0.1")) -> None:
    """Rest `pairs` limit orders away from the market on both sides, and as many stop orders beyond."""
    for number in range(pairs):
        side = Side.SELL if number % 2 else Side.BUY
        away = STEP * (number * 7919 % 100_000)
        price = _away(engine, 1 + near) + away if number % 2 else _away(engine, 1 - near) - away
        _accept(engine, _order(1, side, price, f"l{number}"))
        terms = OrderTerms(
            side=side.opposite,
            type=OrderType.MARKET,
            quantity=QUANTITY,
            trigger=Trigger(kind=TriggerKind.STOP_LOSS, price=price),
            client_id=f"s{number}",
        )
        _accept(engine, c.PlaceOrder(account=1, wallet="spot", instrument="BTCUSDT", terms=terms))


def _accept(engine: Engine, command: c.PlaceOrder) -> None:
    done = engine.execute(command, NOW_US)
    assert done.rejection is None, done.rejection


def _row(table: Table, name: str, few: list[float], many: list[float]) -> None:
    low, high = statistics.median(few), statistics.median(many)
    table.add(name, f"{low:.2f}", f"{high:.2f}", f"{high / low:.2f}")
