"""The hub of a sandbox's streams: one source for all subscribers, and nothing told before it is durable."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import orjson
import pytest

from emulator.core.commands import Command
from emulator.exchanges.binance.spot.streams.hub import HUBS, SOURCES
from emulator.exchanges.binance.spot.streams.names import Stream, StreamKind, parse_stream
from emulator.exchanges.binance.streams.wire import combined
from emulator.runtime.ports import ClockMode, EngineUnavailable, OutcomeUnknown, StorageUnavailable
from emulator.runtime.sequencer import Patience
from emulator.web.streams import hub as hub_module
from emulator.web.streams.hub import Hub
from emulator.web.streams.message import Message
from emulator.web.streams.source import Paced, Source
from tests.exchanges.binance.hearing import Ear
from tests.exchanges.binance.trading_floor import Floor
from tests.runtime.universe import IMPATIENT, FailingJournal

pytestmark = pytest.mark.anyio

SECOND_US = 1_000_000
TRADE, QUOTE, TOP = "btcusdt@trade", "btcusdt@bookTicker", "btcusdt@depth5@100ms"


@pytest.fixture
async def floor(anyio_backend: str) -> AsyncIterator[Floor]:
    async with Floor() as floor:
        yield floor


def stream(name: str) -> Stream:
    found = parse_stream(name)
    assert found is not None
    return found


def hub_of(floor: Floor) -> Hub[Stream]:
    return HUBS.of(floor.sandbox)


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


# Messages


def test_a_message_is_built_once_for_a_unit_of_time_and_framed_in_both_shapes() -> None:
    built: list[int] = []

    def build(divisor: int) -> dict[str, int]:
        built.append(divisor)
        return {"E": 1_700_000_000_123_456 // divisor}

    message = Message("btcusdt@trade", build)
    alone = message.frame(1000)
    assert alone == b'\x81\x13{"E":1700000000123}'
    assert message.frame(1000) is alone
    wrapped = message.frame(1000, combined)
    assert orjson.loads(wrapped[2:]) == {"stream": "btcusdt@trade", "data": {"E": 1_700_000_000_123}}
    assert message.frame(1000, combined) is wrapped
    assert built == [1000]
    assert orjson.loads(message.encoded(1)) == {"E": 1_700_000_000_123_456}
    assert built == [1000, 1]


def test_a_name_that_is_not_ascii_is_wrapped_as_utf_8() -> None:
    frame = Message("币usdt@trade", lambda divisor: {}).frame(1000, combined)
    assert orjson.loads(frame[2:]) == {"stream": "币usdt@trade", "data": {}}


# Subscribing


async def test_all_subscribers_get_the_same_message(floor: Floor) -> None:
    hub, heard = hub_of(floor), cast(list[list[Message]], [[], [], []])
    for messages in heard:
        hub.subscribe(stream(TRADE), messages.append)
    ear = Ear(floor.sandbox, TRADE)
    assert list(hub.streams) == [TRADE]
    await floor.trade("100000")
    await ear.next()
    assert [len(messages) for messages in heard] == [1, 1, 1]
    assert heard[0][0] is heard[1][0] is heard[2][0]


async def test_the_last_to_go_ends_the_stream(floor: Floor) -> None:
    first, second = Ear(floor.sandbox, TRADE), Ear(floor.sandbox, TRADE)
    third = Ear(floor.sandbox, QUOTE)
    first.close()
    first.close()
    await floor.trade("100000")
    assert (await second.next())["e"] == "trade"
    assert first.rest() == []
    assert sorted(hub_of(floor).streams) == [QUOTE, TRADE]
    second.close()
    third.close()
    assert not hub_of(floor).streams
    # Whoever comes again begins anew: what happened meanwhile is not told.
    await floor.trade("100000")
    again = Ear(floor.sandbox, TRADE)
    await floor.trade("100000", "0.002")
    assert (await again.next())["q"] == "0.00200000"


async def test_one_that_leaves_while_it_is_told_is_told_nothing_more(floor: Floor) -> None:
    hub, heard = hub_of(floor), cast(list[Message], [])

    def leave(message: Message) -> None:
        heard.append(message)
        unsubscribe()

    unsubscribe = hub.subscribe(stream(TRADE), leave)
    ear = Ear(floor.sandbox, TRADE)
    await floor.sandbox.set_clock(ClockMode.VIRTUAL, floor.sandbox.clock.now_us() + 60 * SECOND_US)
    trades = await ear.several(20)
    assert len(trades) == 20
    assert len(heard) == 1


async def test_a_subscriber_that_raises_harms_nobody(floor: Floor, caplog: pytest.LogCaptureFixture) -> None:
    def fail(message: Message) -> None:
        raise ValueError("not today")

    hub_of(floor).subscribe(stream(TRADE), fail)
    ear = Ear(floor.sandbox, TRADE)
    await floor.trade("100000")
    assert (await ear.next())["e"] == "trade"
    assert "a subscriber of btcusdt@trade raised" in caplog.text


@pytest.mark.parametrize("name", ["nosuchcoin@trade", "nosuchcoin@depth", "btcusdt@blockTrade"])
async def test_what_never_happens_may_be_subscribed_to(floor: Floor, name: str) -> None:
    silent, ear = Ear(floor.sandbox, name), Ear(floor.sandbox, TOP)
    await floor.sandbox.step_clock(SECOND_US)
    await floor.trade("100000")
    await ear.next()
    assert silent.rest() == []
    silent.close()


async def test_every_symbol_is_told_of_itself_only(floor: Floor) -> None:
    bitcoin, ether = Ear(floor.sandbox, "btcusdt@bookTicker"), Ear(floor.sandbox, "ethusdt@bookTicker")
    await floor.price("3000", "ETH/USDT")
    assert (await ether.next())["s"] == "ETHUSDT"
    assert bitcoin.rest() == []


async def test_a_source_with_a_defect_stops_nobody_else(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Source):
        def __init__(self, sandbox: object, stream: Stream) -> None:
            self.looks = 0

        def open(self, now_us: int) -> None:
            pass

        def look(self, now_us: int) -> list[Message]:
            self.looks += 1
            if self.looks == 1:
                raise ZeroDivisionError
            return [Message(QUOTE, lambda divisor: {"looks": self.looks})]

        def next_us(self, now_us: int) -> int | None:
            return now_us + 3600 * SECOND_US

    monkeypatch.setitem(SOURCES, StreamKind.BOOK_TICKER, Broken)
    broken, ear = Ear(floor.sandbox, QUOTE), Ear(floor.sandbox, TRADE)
    await floor.trade("100000")
    await ear.next()
    assert "the stream btcusdt@bookTicker failed by a defect" in caplog.text
    # It gets another chance a second later, whatever it asked for.
    await floor.sandbox.step_clock(SECOND_US)
    assert await broken.next() == {"looks": 2}


async def test_a_source_that_cannot_open_is_silent(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(sandbox: object, stream: Stream) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(SOURCES, StreamKind.BOOK_TICKER, fail)
    broken, ear = Ear(floor.sandbox, QUOTE), Ear(floor.sandbox, TRADE)
    assert "the stream btcusdt@bookTicker failed by a defect" in caplog.text
    await floor.trade("100000")
    await ear.next()
    assert broken.rest() == []


class Greeting(Source):
    """Counts its looks, and tells who is new how many there were."""

    def __init__(self, sandbox: object, stream: Stream) -> None:
        self.looks = 0

    def open(self, now_us: int) -> None:
        pass

    def greet(self, now_us: int) -> list[Message]:
        looks = self.looks
        return [Message(QUOTE, lambda divisor: {"so_far": looks})]

    def look(self, now_us: int) -> list[Message]:
        self.looks += 1
        looks = self.looks
        return [Message(QUOTE, lambda divisor: {"look": looks})]

    def next_us(self, now_us: int) -> int | None:
        return None


async def test_who_is_new_is_greeted_alone_and_hears_what_follows(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SOURCES, StreamKind.BOOK_TICKER, Greeting)
    first = Ear(floor.sandbox, QUOTE)
    assert await first.next() == {"so_far": 0}
    await floor.trade("100000")
    assert await first.next() == {"look": 1}
    second = Ear(floor.sandbox, QUOTE)
    await floor.trade("100000")
    assert await second.several(2) == [{"so_far": 1}, {"look": 2}]
    assert await first.next() == {"look": 2}


async def test_who_came_before_the_engine_is_greeted_when_it_is_there(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Greeting):
        def __init__(self, sandbox: object, stream: Stream) -> None:
            super().__init__(sandbox, stream)
            if not tries:
                tries.append(stream)
                raise EngineUnavailable("not yet")

    tries: list[Stream] = []
    monkeypatch.setitem(SOURCES, StreamKind.BOOK_TICKER, Late)
    ears = [Ear(floor.sandbox, QUOTE), Ear(floor.sandbox, QUOTE)]
    for ear in ears:
        assert await ear.next() == {"so_far": 0}
        assert ear.rest() == []


async def test_many_sources_that_are_due_together_leave_room_for_others(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TURN_S", 0.0)
    symbols = list(floor.engine.instruments)[:12]
    ears = [Ear(floor.sandbox, f"{symbol.lower()}@depth5@100ms") for symbol in symbols]
    turns: list[int] = []

    def count_turn() -> None:
        turns.append(sum(len(ear.rest()) for ear in ears))
        if sum(turns) < len(ears):
            asyncio.get_running_loop().call_soon(count_turn)
        else:
            done.set()

    done = asyncio.Event()
    floor.sandbox.alarms.at(floor.sandbox.clock.now_us() + 1, lambda now_us: count_turn())
    await floor.sandbox.step_clock(100_000)
    await asyncio.wait_for(done.wait(), 10)
    assert sum(turns) == len(ears)
    assert max(turns) <= 2


async def test_however_often_it_is_called_it_takes_one_turn_of_the_event_loop(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TURN_S", 0.0)
    symbols = list(floor.engine.instruments)[:30]
    looks: list[int] = []

    class Busy(Source):
        """Due again as soon as it was looked at, as under a clock that runs too fast."""

        def __init__(self, sandbox: object, stream: Stream) -> None: ...

        def open(self, now_us: int) -> None:
            pass

        def look(self, now_us: int) -> list[Message]:
            looks.append(now_us)
            return []

        def next_us(self, now_us: int) -> int | None:
            return now_us + 1

    monkeypatch.setitem(SOURCES, StreamKind.BOOK_TICKER, Busy)
    ears = [Ear(floor.sandbox, f"{symbol.lower()}@bookTicker") for symbol in symbols]
    for _ in range(10):
        # An alarm rings while others still wait for their turn.
        await floor.sandbox.step_clock(1)
        floor.sandbox.alarms.look()
        await floor.trade("100000")
    looks.clear()
    turns = 20
    for _ in range(turns):
        await asyncio.sleep(0)
    assert 0 < len(looks) <= turns + 1
    for ear in ears:
        ear.close()


async def test_streams_that_end_leave_nothing_behind_on_a_clock_that_stands_still(floor: Floor) -> None:
    stays = Ear(floor.sandbox, QUOTE)
    kept: list[weakref.ref[Any]] = []

    class Kept(Source):
        def __init__(self, sandbox: object, stream: Stream) -> None:
            kept.append(weakref.ref(self))

        def open(self, now_us: int) -> None:
            pass

        def look(self, now_us: int) -> list[Message]:
            return []

        def next_us(self, now_us: int) -> int | None:
            return now_us + 3600 * SECOND_US

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SOURCES, StreamKind.KLINE, Kept)
        for _ in range(20 * hub_module.FORGOTTEN_MAX):
            Ear(floor.sandbox, "btcusdt@kline_1h").close()
    assert len(kept) == 20 * hub_module.FORGOTTEN_MAX
    assert sum(one() is not None for one in kept) <= 2 * hub_module.FORGOTTEN_MAX
    stays.close()


# Durability


@pytest.fixture
async def journal(anyio_backend: str) -> FailingJournal:
    return FailingJournal()


async def test_nothing_is_told_before_the_journal_holds_it(journal: FailingJournal) -> None:
    async with Floor(journal=journal) as floor:
        ear = Ear(floor.sandbox, TRADE)
        journal.gate = asyncio.Event()
        trading = asyncio.create_task(floor.trade("100000"))
        await until(lambda: floor.sandbox.outlet.held > 0)
        assert ear.rest() == []
        journal.gate.set()
        assert (await ear.next())["p"] == "100000.00000000"
        await trading
        journal.gate = None


async def test_what_is_told_keeps_its_order_while_the_journal_is_slow(journal: FailingJournal) -> None:
    async with Floor(journal=journal) as floor:
        ear = Ear(floor.sandbox, TRADE)
        journal.turns = 7
        for count in range(1, 6):
            await floor.trade("100000", f"0.00{count}")
        quantities = [trade["q"] for trade in await ear.several(5)]
        assert quantities == [f"0.00{count}00000" for count in range(1, 6)]


async def test_while_the_journal_is_slow_it_does_not_look_ahead_for_long(
    journal: FailingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "AHEAD_S", 0.0)
    async with Floor(journal=journal) as floor:
        ear = Ear(floor.sandbox, QUOTE)
        journal.gate = asyncio.Event()
        tasks = [asyncio.create_task(floor.book(bids=[("99990", "100")], asks=[("100010", "1")]))]
        await until(lambda: floor.sandbox.outlet.held > 0)
        held: list[int] = []
        for count in range(1, 30):
            tasks.append(
                asyncio.create_task(floor.book(bids=[("99990", str(count))], asks=[("100010", "1")]))
            )
            for _ in range(5):
                await asyncio.sleep(0)
            held.append(floor.sandbox.outlet.held)
        assert ear.rest() == []
        assert max(held) <= 4
        journal.gate.set()
        await asyncio.gather(*tasks)
        # Nothing of what it then is remains untold.
        while (await ear.next())["B"] != "29.00000000":
            pass
        await floor.book(bids=[("99990", "30")], asks=[("100010", "1")])
        while (await ear.next())["B"] != "30.00000000":
            pass


async def test_while_the_journal_refuses_nothing_is_told_and_afterwards_all_of_it(
    journal: FailingJournal,
) -> None:
    async with Floor(journal=journal, patience=IMPATIENT) as floor:
        ear = Ear(floor.sandbox, TRADE)
        journal.fails = 1_000_000
        with pytest.raises(OutcomeUnknown):
            await floor.trade("100000", "0.007")
        assert floor.sandbox.is_degraded
        late = Ear(floor.sandbox, TOP)
        with pytest.raises(StorageUnavailable):
            await floor.trade("100000")
        assert ear.rest() == []
        journal.fails = 0
        assert (await ear.next())["q"] == "0.00700000"
        await asyncio.wait_for(_opened(floor, late), 10)


async def test_streams_go_on_over_an_engine_that_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    async with Floor(patience=Patience(answer=5.0, rebuild_pause=0.01)) as floor:
        names = [TRADE, QUOTE, "btcusdt@depth@100ms", "btcusdt@aggTrade"]
        trades, quotes, depth, aggregates = (Ear(floor.sandbox, name) for name in names)
        await floor.trade("100000")
        first = await trades.next()
        before = floor.engine
        breaking = asyncio.create_task(floor.sandbox.submit("binance", cast(Command, object())))
        await until(lambda: "binance" not in floor.sandbox.engines)
        # Who comes while there is no engine hears of what happens once there is one again.
        late = Ear(floor.sandbox, "btcusdt@depth5@100ms")
        with pytest.raises(OutcomeUnknown):
            await breaking
        assert floor.engine is not before
        # The stream that came late opens at the next try.
        await asyncio.wait_for(_opened(floor, late), 10)
        for ear in (trades, aggregates, quotes, depth):
            ear.rest()
        await floor.trade("100000", "0.002")
        second = await trades.next()
        assert (second["t"], second["q"]) == (first["t"] + 1, "0.00200000")
        assert (await aggregates.next())["a"] == second["t"]
        await floor.book(bids=[("99990", "4")], asks=[("100010", "5")])
        assert (await quotes.next())["B"] == "4.00000000"
        assert (await depth.next())["b"] == [["99990.00000000", "4.00000000"]]


async def _opened(floor: Floor, ear: Ear) -> None:
    """Wait until a stream speaks, which it does for every change while the clock stands still."""
    count = 1
    while not ear.rest():
        count += 1
        await floor.book(bids=[("99990", "5")], asks=[("100010", str(count))])
        await asyncio.sleep(0.01)


# The clock


async def test_streams_follow_a_clock_that_is_set(floor: Floor) -> None:
    ear = Ear(floor.sandbox, TOP)
    for _ in range(3):
        await floor.sandbox.step_clock(100_000)
        await ear.next()
    await floor.sandbox.step_clock(50_000)
    await floor.sandbox.step_clock(50_000)
    await ear.next()
    assert ear.rest() == []


def test_a_pace_has_whole_multiples_and_what_was_missed_counts_once() -> None:
    paced = Paced(100_000)
    paced.begin(1_234_567)
    assert paced.next_us == 1_300_000
    assert not paced.is_due(1_299_999)
    assert paced.is_due(1_300_000)
    assert paced.next_us == 1_400_000
    assert paced.is_due(9_999_999)
    assert paced.next_us == 10_000_000


# Ending


async def test_a_sandbox_that_is_reset_is_silent_and_its_hub_is_forgotten() -> None:
    async with Floor() as floor:
        ear = Ear(floor.sandbox, TRADE)
        hub, old = weakref.ref(hub_of(floor)), floor.sandbox
        await floor.sandboxes.reset("default")
        assert floor.sandbox is not old
        assert hub_of(floor) is not hub()
        anew = Ear(floor.sandbox, TRADE)
        await floor.trade("100000")
        await anew.next()
        assert ear.rest() == []
        ear.close()
        del ear, old
        gc.collect()
        assert hub() is None
