"""Incomes, transactions, what orders closed, funding, positions and settings in an archive tell the same as
an engine that keeps everything."""

from __future__ import annotations

import random

import msgspec
import pytest

from emulator.core.engine import Engine
from emulator.core.history import (
    ClosedRecord,
    ContractSettings,
    Fill,
    FillKind,
    Income,
    IncomeKind,
    PositionRecord,
    Query,
    Transaction,
    TransactionKind,
    WalletSettings,
    incomes_of,
    transactions_of,
)
from emulator.runtime.history import History
from tests.properties.effort import seeds
from tests.properties.futures_universe import CONTRACTS, FuturesUniverse, act
from tests.properties.test_everything import OnScript
from tests.properties.test_history import Forgetting
from tests.properties.universe import ACCOUNTS

pytestmark = pytest.mark.anyio


class FuturesForgetting(Forgetting, FuturesUniverse, OnScript):
    pass


async def assert_same_incomes(universe: FuturesForgetting, whole: Engine, dice: random.Random) -> None:
    here = History("s", {"test": universe.engine}, universe.archive)
    everything = History("s", {"test": whole}, None)
    times = sorted({time_us for time_us, _ in universe.history})
    for _ in range(60):
        query = incomes_of(
            dice.choice(ACCOUNTS),
            dice.choice(["usdm", "coinm"]),
            kind=dice.choice([None, None, *IncomeKind]),
            instrument=dice.choice([None, *CONTRACTS]),
            start_us=dice.choice([None, dice.choice(times)]),
            end_us=dice.choice([None, dice.choice(times)]),
            limit=dice.choice([1, 3, 1000]),
            newest=dice.random() < 0.5,
        )
        found = await here.select("test", Income, query)
        assert found == await everything.select("test", Income, query), query


async def assert_same_transactions(universe: FuturesForgetting, whole: Engine, dice: random.Random) -> None:
    here = History("s", {"test": universe.engine}, universe.archive)
    everything = History("s", {"test": whole}, None)
    times = sorted({time_us for time_us, _ in universe.history})
    for _ in range(60):
        query = transactions_of(
            dice.choice(ACCOUNTS),
            dice.choice(["usdm", "coinm"]),
            kind=dice.choice([None, None, *TransactionKind]),
            asset=dice.choice([None, "USDT", "BTC"]),
            start_us=dice.choice([None, dice.choice(times)]),
            end_us=dice.choice([None, dice.choice(times)]),
            last_number=dice.choice([None, whole.views.transaction_count // 2]),
            limit=dice.choice([1, 3, 1000]),
            newest=dice.random() < 0.5,
        )
        found = await here.select("test", Transaction, query)
        assert found == await everything.select("test", Transaction, query), query
        asked = Query(
            account=dice.choice(ACCOUNTS),
            scope=dice.choice(CONTRACTS),
            part=dice.choice([None, None, *whole.views.closed]),
            start_us=query.start_us,
            end_us=query.end_us,
            limit=query.limit,
            newest=query.newest,
        )
        closed = await here.select("test", ClosedRecord, asked)
        assert closed == await everything.select("test", ClosedRecord, asked), asked
        fills = await here.select("test", Fill, asked)
        assert fills == await everything.select("test", Fill, asked), asked
    for account in ACCOUNTS:
        for symbol in CONTRACTS:
            # Pages end between records of one id as well: both sides of a trade, and funding after it.
            of_it = Query(account=account, scope=symbol, limit=dice.choice([1, 2, 3]))
            every = await everything.select("test", Fill, msgspec.structs.replace(of_it, limit=100_000))
            assert await here.walk_back("test", Fill, of_it) == every[::-1]
    assert universe.engine.views.transaction_count == whole.views.transaction_count


async def assert_shown_as_they_are(universe: FuturesForgetting, engine: Engine) -> None:
    """What the archive shows of positions and settings is what the state has."""
    state = engine.state
    shown = {}
    async for _, record in universe.archive.scan("s", PositionRecord):
        if record.position.quantity:
            shown[record.account, record.instrument, record.position.leg] = record.position
    assert shown == state.positions
    async for _, setting in universe.archive.scan("s", ContractSettings):
        choice = state.choices[setting.account, setting.instrument]
        assert (setting.leverage, setting.mode) == (choice.leverage, choice.mode)
    async for _, mode in universe.archive.scan("s", WalletSettings):
        place = (mode.account, mode.wallet)
        assert (mode.hedged, mode.shared) == (place in state.hedged, place in state.shared)


@pytest.mark.parametrize("seed", seeds(300, 3, campaign=30))
async def test_seeded(seed: int) -> None:
    dice = random.Random(seed)
    universe = FuturesForgetting()
    universe.begin(set(ACCOUNTS), dice.randint(20, 80))
    every, retained = dice.choice([1, 3, 10]), dice.choice([0, 1, 5, 50])
    for step in range(160):
        act(universe, dice)
        if step % every == 0:
            await universe.write(retained)
        if step % 80 == 79:
            await assert_same_incomes(universe, universe.keeping(), dice)
            await assert_same_transactions(universe, universe.keeping(), dice)
    await universe.write(0)
    whole = universe.keeping()
    await assert_same_incomes(universe, whole, dice)
    await assert_same_transactions(universe, whole, dice)
    await assert_shown_as_they_are(universe, universe.engine)
    views = universe.engine.views
    assert not any(views.incomes.values())
    assert not any(views.transactions.values())
    assert {one.order for one in views.closed.values()} <= universe.engine.state.orders.keys()
    incomes, fills = whole.views.incomes.values(), whole.views.fills.values()
    assert any(income.kind is IncomeKind.REALISED for listed in incomes for income in listed)
    assert whole.views.closed
    if seed == 300:  # In others nobody may hold anything when it is due.
        assert any(fill.kind is FillKind.FUNDING for listed in fills for fill in listed)
