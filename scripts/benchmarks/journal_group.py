"""What durability costs: orders over HTTP with each journal, the journals alone, starts, and snapshots.

The memory journal is the yardstick, in the same run and in turns, since a disk's pace changes from
minute to minute. MongoDB is measured when EMULATOR_TEST_MONGO_URL names a server, in databases of
their own, which are removed again.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from decimal import Decimal
from pathlib import Path
from time import perf_counter, time_ns
from typing import Any, NamedTuple

import servers
import uvloop
from load import Load, drive, signed
from servers import ACCOUNTS, Server, open_accounts, resting_orders, small_buys
from table import Table

from emulator import app
from emulator.core.commands import Deposit, PlaceOrder
from emulator.core.events import (
    AmountDeposited,
    Event,
    OrderCanceled,
    OrderPlaced,
    OrderRested,
    TradeExecuted,
)
from emulator.core.instruments import OrderType, SelfTradeMode, Side
from emulator.core.orders import OrderStatus, OrderTerms
from emulator.exchanges import binance
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import Batch, Journal, Record
from emulator.runtime.sandboxes import Sandboxes
from emulator.storage.sqlite import SqliteJournal
from emulator.storage.sqlite_archive import SqliteArchive

MONGO_URL = os.environ.get("EMULATOR_TEST_MONGO_URL")
CONNECTIONS = (1, 16, 64)
ROUNDS = 5
WRITERS = 64
EVENTS_PER_ENTRY = 100
"""Of large entries; a small one has one event."""
HISTORY = 1_000_000
"""Events that a start is judged by."""
HISTORY_PER_SECOND = 250_000
"""Events that it is measured with for each of --seconds: by default, those."""
ORDERS_PER_ACCOUNT = 100
PRICES = 5_000
"""At which orders rest."""
TOGETHER = 1000
"""Entries of that history written in one transaction."""


def run_journal(seconds: float) -> list[Table]:
    return [_over_http(seconds), _alone(seconds), _start(seconds), _pauses()]


@contextmanager
def _mongo_database() -> Iterator[str]:
    """The URL of a database that is not there yet, and is gone afterwards."""
    import pymongo

    assert MONGO_URL is not None
    name = f"emulator-bench-{os.getpid()}-{os.urandom(4).hex()}"
    head, _, options = MONGO_URL.partition("?")
    scheme, _, rest = head.partition("://")
    url = f"{scheme}://{rest.partition('/')[0]}/{name}" + (f"?{options}" if options else "")
    try:
        yield url
    finally:
        with pymongo.MongoClient[dict[str, object]](MONGO_URL) as client:
            client.drop_database(name)


def _percentiles(seconds: list[float]) -> tuple[str, str]:
    """The 50th and the 99th, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return f"{cuts[49] * 1000:.2f}", f"{cuts[98] * 1000:.2f}"


# Orders over HTTP


@contextmanager
def _memory_server() -> Iterator[Server]:
    with servers.emulator() as server:
        yield server


@contextmanager
def _sqlite_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder, servers.emulator(directory=Path(folder)) as server:
        yield server


@contextmanager
def _mongo_server() -> Iterator[Server]:
    with _mongo_database() as url, servers.emulator(settings={"EMULATOR_MONGO_URL": url}) as server:
        yield server


def _over_http(seconds: float) -> Table:
    table = Table(
        "Signed LIMIT orders over HTTP, one server process for each journal",
        "journal, connections",
        "requests/s",
        "of memory",
        "server CPU µs",
        "of memory",
        "p50 ms",
        "p99 ms",
        "errors",
    )
    kinds: dict[str, Callable[[], AbstractContextManager[Server]]] = {
        "memory": _memory_server,
        "sqlite": _sqlite_server,
    }
    if MONGO_URL is not None:
        kinds["mongo"] = _mongo_server
    loads: dict[tuple[int, str], list[Load]] = {}
    with ExitStack() as stack:
        running = {name: stack.enter_context(start()) for name, start in kinds.items()}
        orders = {name: _orders(server, seconds) for name, server in running.items()}
        for _ in range(ROUNDS):
            for connections in CONNECTIONS:
                for name, server in running.items():
                    load = drive(server, orders[name], connections=connections, seconds=seconds / 2 / ROUNDS)
                    loads.setdefault((connections, name), []).append(load)
    for (connections, name), measured in loads.items():
        beside = list(zip(measured, loads[connections, "memory"], strict=True))
        table.add(
            f"{name}, {connections}",
            f"{statistics.median(load.rate for load in measured):,.0f}",
            f"{statistics.median(load.rate / memory.rate for load, memory in beside):.2f}",
            f"{statistics.median(load.cpu_us for load in measured):.0f}",
            f"{statistics.median(load.cpu_us / memory.cpu_us for load, memory in beside):.2f}",
            *_percentiles([latency for load in measured for latency in load.latencies]),
            str(sum(load.failures for load in measured)),
        )
    return table


def _orders(server: Server, seconds: float) -> Iterator[bytes]:
    symbols = small_buys(server.port)
    open_accounts(server.port, map(str, range(ACCOUNTS)), "USDT")
    return iter(
        [
            signed("POST", "/api/v3/order", tuple(fields.items()), key)
            for key, fields in resting_orders(symbols, int(15_000 * seconds))
        ]
    )


# The journals alone


class _Pace(NamedTuple):
    """What one journal does by itself. small: how long each entry of a single writer took, in seconds.

    events, events_of_many: a second, in large entries of one writer and in small ones of many.
    """

    small: list[float]
    events: float
    events_of_many: float


def _alone(seconds: float) -> Table:
    table = Table(
        "A journal alone",
        "journal",
        "commits/s, 1 event",
        "p50 ms",
        "p99 ms",
        f"events/s, {EVENTS_PER_ENTRY} an entry",
        f"events/s, {WRITERS} writers of 1",
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kinds: dict[str, Callable[[], Journal]] = {"sqlite": lambda: SqliteJournal(folder / app.JOURNAL_FILE)}
        if MONGO_URL is not None:
            url = stack.enter_context(_mongo_database())
            kinds["mongo"] = lambda: _mongo_journal(url)
        for name, make in kinds.items():
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                pace = runner.run(_pace(make, seconds / 3))
            table.add(
                name,
                f"{len(pace.small) / sum(pace.small):,.0f}",
                *_percentiles(pace.small),
                f"{pace.events:,.0f}",
                f"{pace.events_of_many:,.0f}",
            )
    return table


def _mongo_journal(url: str) -> Journal:
    from emulator.storage.mongo import MongoJournal

    return MongoJournal(url)


async def _pace(make: Callable[[], Journal], seconds: float) -> _Pace:
    journal = make()
    small = await _write(journal, "small", 1, seconds)
    large = await _write(journal, "large", EVENTS_PER_ENTRY, seconds)
    began = perf_counter()
    many = await asyncio.gather(
        *(_write(journal, f"writer-{number}", 1, seconds) for number in range(WRITERS))
    )
    took = perf_counter() - began
    await journal.close()
    return _Pace(small, EVENTS_PER_ENTRY * len(large) / sum(large), sum(map(len, many)) / took)


async def _write(journal: Journal, sandbox: str, events: int, seconds: float) -> list[float]:
    """Append one entry after the other; how long each took."""
    took: list[float] = []
    until = perf_counter() + seconds
    while (began := perf_counter()) < until:
        batch = Batch(sandbox=sandbox, sequence=len(took) + 1, records=(_deposits(events),))
        await journal.append(batch)
        took.append(perf_counter() - began)
    return took


def _deposits(count: int) -> Record:
    events = tuple(
        AmountDeposited(
            account=1,
            wallet="spot",
            asset="USDT",
            amount=Decimal("1000.5"),
            movement=number,
            reference="a reference",
        )
        for number in range(count)
    )
    return Record(engine="binance", time_us=1_700_000_000_000_000, events=events)


# A start


def _start(seconds: float) -> Table:
    table = Table(
        "Starts over one history: from nothing but the journal, then with its archive, then with a snapshot",
        "what there is",
        "events",
        "files MB",
        "start s",
        "when empty s",
        "µs an event",
        f"s for {HISTORY:,}",
        "memory MB",
    )
    empty_s, empty_bytes = _started(None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        events = asyncio.run(_write_history(folder / app.JOURNAL_FILE, int(HISTORY_PER_SECOND * seconds)))
        for kind in ("journal", "and archive", "and snapshot"):
            if kind == "and archive":
                _drop_snapshots(folder / app.ARCHIVE_FILE)
            start_s, resident = _started(folder)
            each_s = (start_s - empty_s) / events
            table.add(
                kind,
                f"{events:,}",
                f"{sum(path.stat().st_size for path in folder.glob('*.sqlite')) / 1e6:.0f}",
                f"{start_s:.1f}",
                f"{empty_s:.1f}",
                f"{each_s * 1e6:.1f}",
                f"{empty_s + each_s * HISTORY:.0f}",
                f"{(resident - empty_bytes) / 1e6:.0f}",
            )
    return table


def _drop_snapshots(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM snapshot")


def _pauses() -> Table:
    table = Table(
        "A snapshot while the loop turns: how long requests wait for it at most",
        "resting orders",
        "longest pause ms",
        "without ms",
        "captured ms",
        "kept after ms",
        "parts MB",
    )
    for orders in (1_000, 10_000, 100_000):
        with (
            tempfile.TemporaryDirectory() as name,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            table.add(f"{orders:,}", *(f"{figure:.1f}" for figure in runner.run(_pause(Path(name), orders))))
    return table


async def _pause(folder: Path, orders: int) -> tuple[float, float, float, float, float]:
    """The figures of a row, for a sandbox with so many resting orders."""
    journal, archive = SqliteJournal(folder / app.JOURNAL_FILE), SqliteArchive(folder / app.ARCHIVE_FILE)
    sandboxes = Sandboxes(
        journal=journal,
        archive=archive,
        make_engines=app.make_engines,
        provision=app.provision,
        wall_ns=time_ns,
        keeping=Keeping(snapshot_every=1 << 60),
    )
    await sandboxes.open()
    sandbox = sandboxes.default
    price = sandbox.engines[binance.ENGINE].state.markets["BTCUSDT"].last_price(sandbox.clock.now_us())
    for first in range(0, orders, ORDERS_PER_ACCOUNT):
        account = await sandbox.open_account(f"holder-{first}")
        await sandbox.submit(binance.ENGINE, _money(account))
        placing = [_resting(account, number, price) for number in range(first, first + ORDERS_PER_ACCOUNT)]
        for done in await asyncio.gather(*(sandbox.submit(binance.ENGINE, order) for order in placing)):
            assert done.rejection is None, done.rejection
    gc.collect()
    gc.freeze()
    without = await _longest_gap(asyncio.sleep(0.5))
    began = perf_counter()
    captured = sandbox.engines[binance.ENGINE].capture()
    captured_s = perf_counter() - began
    size = sum(map(len, captured.parts()))
    del captured
    began = perf_counter()
    longest = await _longest_gap(sandbox.snapshot())
    kept_s = perf_counter() - began
    await sandboxes.close()
    await archive.close()
    await journal.close()
    return longest * 1000, without * 1000, captured_s * 1000, kept_s * 1000, size / 1e6


async def _longest_gap(work: Coroutine[Any, Any, Any]) -> float:
    """The longest time in which a task that always wants a turn got none, while some work is done."""
    task = asyncio.ensure_future(work)
    longest, last = 0.0, perf_counter()
    while not task.done():
        await asyncio.sleep(0)
        now = perf_counter()
        longest, last = max(longest, now - last), now
    task.result()
    return longest


def _money(account: int) -> Deposit:
    return Deposit(account=account, wallet="spot", asset="USDT", amount=Decimal(10**9), reference="bench")


def _resting(account: int, number: int, price: Decimal) -> PlaceOrder:
    below = (price * 9 / 10).quantize(Decimal("0.01")) - Decimal("0.01") * (number % PRICES)
    terms = OrderTerms(
        side=Side.BUY, type=OrderType.LIMIT, quantity=Decimal("0.001"), price=below, client_id=str(number)
    )
    return PlaceOrder(account=account, wallet="spot", instrument="BTCUSDT", terms=terms)


def _started(directory: Path | None) -> tuple[float, int]:
    """How long a start took by itself, and how much memory the server then has."""
    with ExitStack() as stack:
        folder = directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with servers.emulator(directory=folder) as server:
            ready = json.loads((folder / app.READY_FILE).read_bytes())
            return ready["startedMs"] / 1000, server.resident_bytes()


async def _write_history(path: Path, wanted: int) -> int:
    """Give a fresh sandbox a history: orders that rest and are canceled, and others that trade.

    Written past the engine, as it would have decided. Returns the number of events.
    """
    journal = SqliteJournal(path)
    sandboxes = Sandboxes(
        journal=journal, make_engines=app.make_engines, provision=app.provision, wall_ns=time_ns
    )
    await sandboxes.open()
    sandbox = sandboxes.default
    history = _history(
        sandbox.engines[binance.ENGINE].state.markets["BTCUSDT"].last_price(sandbox.clock.now_us())
    )
    await sandboxes.close()
    sequence = sandbox.durable_sequence
    now_us = sandbox.clock.now_us()
    events = 0
    while events < wanted:
        batches = []
        for made in itertools.islice(history, TOGETHER):
            sequence += 1
            now_us += 1000
            events += len(made)
            record = Record(engine=binance.ENGINE, time_us=now_us, events=made)
            batches.append(Batch(sandbox=sandbox.name, sequence=sequence, records=(record,)))
        # They share a transaction.
        await asyncio.gather(*map(journal.append, batches))
    await journal.close()
    return events


def _history(price: Decimal) -> Iterator[tuple[Event, ...]]:
    """The events of one entry after the other, for ever, by the first account."""
    low, quantity = (price * 9 / 10).quantize(Decimal("0.01")), Decimal("0.01")
    resting = OrderTerms(side=Side.BUY, type=OrderType.LIMIT, quantity=quantity, price=low, client_id="bench")
    taking = [OrderTerms(side=side, type=OrderType.MARKET, quantity=quantity) for side in Side]
    order, trade = itertools.count(1), itertools.count(10**12)
    while True:
        number = next(order)
        yield _placed(number, resting), OrderRested(order=number)
        yield (OrderCanceled(order=number, cancel_client_id=""),)
        for terms in taking:
            number = next(order)
            yield (
                _placed(number, terms),
                TradeExecuted(
                    instrument="BTCUSDT",
                    trade=next(trade),
                    price=price,
                    quantity=quantity,
                    amount=price * quantity,
                    taker_side=terms.side,
                    taker=number,
                    maker=0,
                    taker_fee=Decimal("0.00001") if terms.side is Side.BUY else Decimal("0.5"),
                    taker_fee_asset="BTC" if terms.side is Side.BUY else "USDT",
                    maker_fee=Decimal(0),
                    maker_fee_asset="",
                    feed_price=price,
                    feed_since_us=number,
                ),
            )


def _placed(number: int, terms: OrderTerms) -> OrderPlaced:
    return OrderPlaced(
        order=number,
        account=1,
        wallet="spot",
        instrument="BTCUSDT",
        terms=terms,
        self_trade_mode=SelfTradeMode.EXPIRE_MAKER,
        status=OrderStatus.NEW,
        quantity=terms.quantity,
        price=terms.price,
        extreme=None,
        order_list=0,
    )
