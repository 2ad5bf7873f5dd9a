"""When, to whom and how often events of an account are told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any

import orjson
import pytest

from emulator.core.events import Event, OrderRested
from emulator.exchanges.binance.spot.user_data import ACCOUNT_HUBS, AccountEvent, stream_terminated
from emulator.runtime.sandbox import Sandbox
from tests.exchanges.binance.listening import Listener
from tests.exchanges.binance.trading_floor import (
    DEMO,
    LIMIT_BUY,
    LIMIT_SELL,
    NOW_MS,
    OTHER,
    Floor,
)
from tests.runtime.universe import IMPATIENT, FailingJournal

pytestmark = pytest.mark.anyio

POSITION = "position BTC USDT BNB"


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


@pytest.fixture
def journal() -> FailingJournal:
    return FailingJournal()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing tells of what a test looks at from outside
            await asyncio.sleep(0)


def start(*requests: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(request) for request in requests]


def observers(sandbox: Sandbox) -> Iterable[object]:
    return sandbox.engines["binance"].observers


# Durability


async def test_nothing_is_told_before_the_journal_holds_it(journal: FailingJournal) -> None:
    async with Floor(journal=journal) as floor:
        listener = Listener(floor.sandbox)
        journal.gate = asyncio.Event()
        requests = start(
            floor.post("order", **LIMIT_BUY),
            floor.post("order", **{**LIMIT_BUY, "price": "100010"}),
            floor.delete("order", symbol="BTCUSDT", orderId="1"),
        )
        await until(lambda: floor.engine.views.orders[1].is_ended if 1 in floor.engine.views.orders else 0)
        assert listener.take() == []
        assert floor.sandbox.outlet.held > 0
        journal.gate.set()
        await asyncio.gather(*requests)
        assert listener.story() == [
            "1 NEW NEW",
            POSITION,
            "2 NEW NEW",
            "2 TRADE FILLED",
            POSITION,
            "1 CANCELED CANCELED",
            POSITION,
        ]


async def test_what_is_told_is_what_was_true_then_not_what_is_true_now(journal: FailingJournal) -> None:
    """Amounts and balances are those of each event, though the order is filled by the time it is told."""
    async with Floor(journal=journal) as floor:
        listener = Listener(floor.sandbox)
        journal.gate = asyncio.Event()
        requests = start(
            floor.post("order", **{**LIMIT_BUY, "price": "100000"}),
            floor.post("order", who=OTHER, **{**LIMIT_SELL, "price": "100000", "quantity": "0.004"}),
            floor.post("order", who=OTHER, **{**LIMIT_SELL, "price": "100000"}),
        )
        await until(lambda: len(floor.engine.views.orders) == 3)
        journal.gate.set()
        await asyncio.gather(*requests)
        heard = listener.take()
        reports = [event for event in heard if event["e"] == "executionReport"]
        assert [(report["X"], report["z"]) for report in reports] == [
            ("NEW", "0.00000000"),
            ("PARTIALLY_FILLED", "0.00400000"),
            ("FILLED", "0.01000000"),
        ]
        positions = [event["B"][1] for event in heard if event["e"] == "outboundAccountPosition"]
        assert [(usdt["f"], usdt["l"]) for usdt in positions] == [
            ("9999000.00000000", "1000.00000000"),
            ("9999000.00000000", "600.00000000"),
            ("9999000.00000000", "0.00000000"),
        ]


async def test_a_journal_that_refuses_holds_everything_back(journal: FailingJournal) -> None:
    async with Floor(journal=journal, patience=IMPATIENT) as floor:
        listener = Listener(floor.sandbox)
        journal.fails = 1_000_000
        (request,) = start(floor.send("POST", "order", **LIMIT_BUY))
        await until(lambda: floor.sandbox.is_degraded)
        reply = await request
        assert reply.json["code"] == -1007, "the outcome is unknown"
        assert listener.take() == []
        journal.fails = 0
        await until(lambda: not floor.sandbox.is_degraded and listener.heard)
        assert listener.story() == ["1 NEW NEW", POSITION]


async def test_a_refusal_is_told_with_its_cancel_and_before_what_came_later(journal: FailingJournal) -> None:
    async with Floor(journal=journal) as floor:
        await floor.post("order", **LIMIT_BUY)
        listener = Listener(floor.sandbox)
        journal.gate = asyncio.Event()
        replacement = {**LIMIT_SELL, "type": "LIMIT_MAKER", "price": "99990"}
        del replacement["timeInForce"]
        requests = start(
            floor.send(
                "POST",
                "order/cancelReplace",
                **replacement,
                cancelReplaceMode="STOP_ON_FAILURE",
                cancelOrderId="1",
            ),
            floor.post("order", **LIMIT_SELL),
        )
        await until(lambda: 2 in floor.engine.views.orders)
        assert listener.take() == []
        journal.gate.set()
        await asyncio.gather(*requests)
        assert listener.story() == [
            "1 CANCELED CANCELED",
            POSITION,
            "-1 REJECTED REJECTED",
            "2 NEW NEW",
            POSITION,
        ]


# Who is told


async def test_all_who_listen_hear_the_same_in_the_same_order(floor: Floor) -> None:
    listeners = [Listener(floor.sandbox) for _ in range(3)]
    order: list[int] = []
    for number, listener in enumerate(listeners):
        listener.on_event = lambda _, number=number: order.append(number)
    await floor.post("order", **{**LIMIT_BUY, "price": "100010"})
    await floor.post("order", **LIMIT_SELL)
    first, *others = [listener.take() for listener in listeners]
    assert len(first) == 5
    assert all(heard == first for heard in others)
    assert order == [0, 1, 2] * 5, "each event goes to all before the next one goes to any"


async def test_an_event_is_encoded_once_for_all(floor: Floor) -> None:
    one, two = Listener(floor.sandbox), Listener(floor.sandbox, divisor=1)
    await floor.post("order", **LIMIT_BUY)
    assert one.events == two.events
    for event in one.events:
        assert event.encoded(1000) is event.encoded(1000)
        assert event.encoded(1) is event.encoded(1)
    assert one.heard[0]["T"] * 1000 == two.heard[0]["T"]


async def test_who_leaves_hears_nothing_more(floor: Floor) -> None:
    leaving, staying = Listener(floor.sandbox), Listener(floor.sandbox)
    await floor.post("order", **LIMIT_BUY)
    leaving.leave()
    leaving.leave()
    leaving.take()
    staying.take()
    await floor.post("order", **LIMIT_SELL)
    assert leaving.take() == []
    assert staying.story() == ["2 NEW NEW", POSITION]


async def test_who_leaves_while_an_event_is_on_its_way_does_not_get_it(journal: FailingJournal) -> None:
    async with Floor(journal=journal) as floor:
        leaving, staying = Listener(floor.sandbox), Listener(floor.sandbox)
        journal.gate = asyncio.Event()
        requests = start(floor.post("order", **LIMIT_BUY))
        await until(lambda: floor.engine.views.orders)
        leaving.leave()
        staying.on_event = lambda _: staying.leave()
        coming = Listener(floor.sandbox)
        journal.gate.set()
        await asyncio.gather(*requests)
        assert leaving.take() == []
        assert staying.story() == ["1 NEW NEW"], "it left at the first event"
        assert coming.take() == [], "what was on its way was not meant for one who came later"


async def test_one_who_raises_disturbs_nobody(floor: Floor, caplog: pytest.LogCaptureFixture) -> None:
    def raising(event: AccountEvent) -> None:
        raise ValueError(event)

    ACCOUNT_HUBS.of(floor.sandbox).subscribe(floor.sandbox.accounts[DEMO], raising)
    listener = Listener(floor.sandbox)
    await floor.post("order", **LIMIT_BUY)
    assert listener.story() == ["1 NEW NEW", POSITION]
    assert "a subscriber raised" in caplog.text


async def test_the_engine_is_watched_only_while_somebody_listens(floor: Floor) -> None:
    hub = ACCOUNT_HUBS.of(floor.sandbox)
    assert hub is ACCOUNT_HUBS.of(floor.sandbox)
    assert hub not in observers(floor.sandbox)
    one, two = Listener(floor.sandbox), Listener(floor.sandbox, OTHER)
    assert list(observers(floor.sandbox)).count(hub) == 1
    one.leave()
    assert hub in observers(floor.sandbox)
    two.leave()
    assert hub not in observers(floor.sandbox)
    again = Listener(floor.sandbox)
    await floor.post("order", **LIMIT_BUY)
    assert again.story() == ["1 NEW NEW", POSITION]


async def test_a_reset_sandbox_is_another_one(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    before = ACCOUNT_HUBS.of(floor.sandbox)
    await floor.sandboxes.reset("default")
    assert ACCOUNT_HUBS.of(floor.sandbox) is not before
    await floor.post("order", **LIMIT_BUY)
    assert listener.take() == []


# Defects


class Defect:
    """An observer that breaks the engine at the first event of a sort, as a defect of the core would."""

    def __init__(self, sort: type[Event]) -> None:
        self._sort = sort
        self.has_struck = False

    def happened(self, event: Event, now_us: int) -> None:
        if type(event) is self._sort and not self.has_struck:
            self.has_struck = True
            raise RuntimeError("a defect")

    def settled(self, now_us: int) -> None:
        pass


async def test_what_a_broken_engine_did_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    async with Floor(patience=IMPATIENT) as floor:
        listener = Listener(floor.sandbox)
        await floor.post("order", **LIMIT_BUY)
        (before, _) = listener.take()
        defect = Defect(OrderRested)
        stop = floor.sandbox.observe("binance", defect)
        broken = floor.engine
        reply = await floor.send("POST", "order", **LIMIT_SELL)
        assert (reply.json["code"], defect.has_struck) == (-1007, True)
        stop()
        await until(lambda: "binance" in floor.sandbox.engines and floor.engine is not broken)
        # What the rebuilt engine tells first is no order, so nothing but its being another one says that
        # what was heard of the broken one is void.
        await floor.price("100001")
        assert listener.take() == []
        placed = await floor.post("order", **LIMIT_SELL)
        report, position = listener.take()
        assert (report["i"], report["x"]) == (placed["orderId"], "NEW")
        assert report["I"] == before["I"] + 1
        assert position["B"][0]["l"] == "0.01000000"


# The end of a subscription


def test_the_last_event_of_a_subscription() -> None:
    event = stream_terminated(NOW_MS * 1000 + 7)
    assert event.kind == "eventStreamTerminated"
    assert orjson.loads(event.encoded(1000)) == {"e": "eventStreamTerminated", "E": NOW_MS}
    assert orjson.loads(event.encoded(1)) == {"e": "eventStreamTerminated", "E": NOW_MS * 1000 + 7}
