"""No answer tells whether history was in memory or in an archive: whatever is asked for, by whatever key, an
engine that forgets what it gave away answers as one that keeps everything."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec.structs import astuple

from emulator.core.engine import Engine
from emulator.core.history import (
    Amendment,
    AnyRecord,
    Fill,
    LedgerEntry,
    ListRecord,
    Movement,
    MovementKind,
    PreventedMatch,
    Query,
)
from emulator.core.orders import Order
from emulator.runtime.archive import Mark, Row
from emulator.runtime.history import History
from emulator.storage.memory import MemoryArchive
from tests.properties.dice import act
from tests.properties.effort import seeds
from tests.properties.test_everything import OnScript, OnSynthetic
from tests.properties.universe import ACCOUNTS, SYMBOLS, Universe

pytestmark = pytest.mark.anyio

KINDS: tuple[type[Any], ...] = (
    Order, Fill, Amendment, PreventedMatch, Movement, LedgerEntry, ListRecord,
)  # fmt: skip
LIST_NAMES = ("x", "y")
IDS = (0, 1, 5, 10, 20, 50, 100, 2**70)
STEPS = 240
ENOUGH = 60


class Forgetting(Universe):
    """What its engine records goes to an archive, and it is restarted from snapshots."""

    def begin(self, discounted: set[int], funds: int) -> None:
        self.archive = MemoryArchive()
        self.is_restart_due = False
        super().begin(discounted, funds)

    def make_engine(self) -> Engine:
        engine = super().make_engine()
        engine.keep_records()
        return engine

    def restart(self) -> None:
        self.is_restart_due = True

    async def write(self, retained: int) -> None:
        taken = self.engine.take()
        rows = [Row("test", record) for record in taken.records]
        await self.archive.write("s", rows, Mark(len(self.history), ""))
        self.engine.forget(taken.through, retained)
        if self.is_restart_due:
            self.is_restart_due = False
            parts = list(self.engine.capture().parts())
            self.engine = self.make_engine()
            self.engine.restore(parts)

    def keeping(self) -> Engine:
        """An engine to which the same happened, and which has all of it."""
        engine = self.make_engine()
        for time_us, events in self.history:
            engine.apply(events, time_us)
        return engine


class OnScriptForgetting(Forgetting, OnScript):
    pass


class OnSyntheticForgetting(Forgetting, OnSynthetic):
    pass


def plain(record: AnyRecord | None) -> object:
    """What of a record is always the same, and can be compared."""
    if isinstance(record, Order):
        return (record.id, record.client_id, record.status, record.executed, record.updated_us)
    if isinstance(record, ListRecord):
        return (astuple(record.order_list), record.client_ids)
    return record


def asked(dice: random.Random, whole: Engine, times: list[int]) -> tuple[type[Any], Query]:
    kind = dice.choice(KINDS)
    scope, part, label = dice.choice(SYMBOLS), None, None
    if kind is Movement:
        scope = dice.choice(list(MovementKind)).value
    elif kind in (LedgerEntry, ListRecord):
        scope = ""
    if kind is Amendment:
        part = dice.choice(list(whole.views.amendments) or [1])
    elif kind in (Fill, PreventedMatch):
        part = dice.choice([None, *whole.views.orders])
    elif kind is ListRecord:
        label = dice.choice([None, *LIST_NAMES])

    def bound(among: tuple[int, ...] | list[int]) -> int | None:
        return dice.choice([None, None, dice.choice(among)])

    query = Query(
        account=dice.choice(ACCOUNTS), scope=scope, part=part, label=label, first_id=bound(IDS),
        last_id=bound(IDS), start_us=bound(times), end_us=bound(times), limit=dice.choice([1, 2, 5, 1000]),
        newest=dice.random() < 0.5,
    )  # fmt: skip
    return kind, query


async def assert_same_answers(universe: Forgetting, dice: random.Random) -> None:
    whole = universe.keeping()
    here = History("s", {"test": universe.engine}, universe.archive)
    everything = History("s", {"test": whole}, None)
    times = sorted({time_us for time_us, _ in universe.history})
    for _ in range(ENOUGH):
        kind, query = asked(dice, whole, times)
        found = [plain(one) for one in await here.select("test", kind, query)]
        assert found == [plain(one) for one in await everything.select("test", kind, query)], (kind, query)
    orders = whole.views.orders.values()
    names = {one.client_id for one in orders}
    names |= {one.client_id_before for listed in whole.views.amendments.values() for one in listed}
    for name in sorted(names - {""}):
        for account in ACCOUNTS:
            for symbol in SYMBOLS:
                key = ("test", account, symbol, None, name)
                assert plain(await here.order(*key)) == plain(await everything.order(*key)), key
    for order in orders:
        assert plain(await here.order("test", order.account, order.instrument, order.id, None)) == plain(
            order
        )


def assert_forgotten(engine: Engine) -> None:
    """Only what is open is left, and nothing that belongs to what is not."""
    state, views = engine.state, engine.views
    open_ids = {*state.orders, *(leg for one in state.lists.values() for leg in one.orders)}
    assert set(views.orders) == open_ids
    assert sorted(one for listed in views.order_ids.values() for one in listed) == sorted(open_ids)
    assert {*views.client_ids.values()} <= open_ids
    assert set(views.lists) == set(state.lists)
    assert not views.fills_of
    assert not views.amendments
    for listed in (views.fills, views.prevented, views.movements, views.postings):
        assert not any(listed.values())


@pytest.mark.parametrize("market", [OnScriptForgetting, OnSyntheticForgetting])
@pytest.mark.parametrize("seed", seeds(300, 3, campaign=30))
async def test_seeded(market: type[Forgetting], seed: int) -> None:
    dice = random.Random(seed)
    universe = market()
    universe.begin(set(ACCOUNTS), dice.randint(20, 80))
    every, retained = dice.choice([1, 3, 10]), dice.choice([0, 1, 5, 50])
    for step in range(STEPS):
        act(universe, dice, SYMBOLS[0] if seed % 3 else dice.choice(SYMBOLS))
        if step % every == 0:
            await universe.write(retained)
        if step % 80 == 79:
            # Some of it has not been written yet, as whenever an archive is behind.
            await assert_same_answers(universe, dice)
    await universe.write(0)
    assert_forgotten(universe.engine)
    await assert_same_answers(universe, dice)
