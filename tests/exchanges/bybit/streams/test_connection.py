"""The public sockets: what is answered, what is refused and why, and that nothing is said unasked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from emulator.exchanges.bybit.door import Door
from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.limits import Limits
from emulator.exchanges.bybit.streams import lifetime
from emulator.web.sockets import Socket
from tests.exchanges.bybit.station import SECOND_US, Client, Station

pytestmark = pytest.mark.anyio


class Line(Socket):
    """A socket without anybody at the other end."""

    def __init__(self) -> None:
        self.is_cut = False

    @property
    def is_open(self) -> bool:
        return not self.is_cut

    def close(self, code: int, reason: str = "") -> None:
        self.is_cut = True


def _is_settled(line: Line, life: lifetime.Lifetime) -> bool:
    return not (line.is_open and life.is_waiting)


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


SPOT, LINEAR, INVERSE = "/v5/public/spot", "/v5/public/linear", "/v5/public/inverse"
OPTION, SPREAD, STATUS, ANY = "/v5/public/option", "/v5/public/spread", "/v5/public/misc/status", "/v5/any"

BOOK = "orderbook.50.BTCUSDT"


@pytest.fixture
async def station(anyio_backend: str) -> AsyncIterator[Station]:
    async with Station().on_air() as station:
        yield station


async def refusal(client: Client, op: str, *args: Any, id: Any = None) -> str:
    answer = await client.ask(op, *args, id=id)
    assert answer["success"] is False
    return str(answer["ret_msg"])


class TestAnswers:
    """Shapes are those of "Connect"; `test_frames` has them key by key."""

    @pytest.mark.parametrize(
        ("path", "text", "unasked"), [(SPOT, "subscribe", None), (LINEAR, "", ""), (INVERSE, "", "")]
    )
    async def test_a_subscription_is_acknowledged(
        self, station: Station, path: str, text: str, unasked: str | None
    ) -> None:
        topic = "orderbook.1.BTCUSD" if path == INVERSE else "orderbook.1.BTCUSDT"
        async with station.listen(path) as client:
            answer = await client.ask("subscribe", topic, id="a7")
            assert (answer["success"], answer["ret_msg"], answer["op"]) == (True, text, "subscribe")
            assert answer["req_id"] == "a7"
            again = await client.ask("unsubscribe", topic)
            assert (again["success"], again["op"]) == (True, "unsubscribe")
            assert again.get("req_id") == unasked
            # All answers of a connection name it alike.
            assert again["conn_id"] == answer["conn_id"]

    async def test_connections_have_names_of_their_own(self, station: Station) -> None:
        async with station.listen(LINEAR) as first, station.listen(LINEAR) as second:
            names = {(await client.ask("ping"))["conn_id"] for client in (first, second)}
            assert len(names) == 2

    @pytest.mark.parametrize("path", [SPOT, LINEAR, INVERSE, STATUS, ANY])
    async def test_a_ping_is_answered(self, station: Station, path: str) -> None:
        async with station.listen(path) as client:
            answer = await client.ask("ping", id="p")
            assert (answer["success"], answer["ret_msg"], answer["op"], answer["req_id"]) == (
                True,
                "pong",
                "ping",
                "p",
            )

    async def test_options_and_spreads_are_answered_topic_by_topic(self, station: Station) -> None:
        for path in (OPTION, SPREAD):
            async with station.listen(path) as client:
                topics = ["orderbook.25.BTC-27MAR26-70000-P-USDT", "tickers.BTC-27MAR26-70000-P-USDT"]
                answer = await client.ask("subscribe", *topics)
                assert answer["type"] == "COMMAND_RESP"
                assert answer["data"] == {"failTopics": topics, "successTopics": []}
                assert (await client.ask("ping"))["op"] == "pong"

    async def test_a_number_comes_back_as_a_number(self, station: Station) -> None:
        """As ccxt names its requests."""
        async with station.listen(LINEAR) as client:
            assert (await client.ask("subscribe", BOOK, id=1))["req_id"] == 1
            assert (await client.ask("ping", id=2))["req_id"] == 2

    async def test_the_acknowledgement_comes_before_what_is_told(self, station: Station) -> None:
        async with station.listen(LINEAR) as client:
            await client.say({"op": "subscribe", "args": [BOOK, "tickers.BTCUSDT"]})
            assert (await client.next())["op"] == "subscribe"
            assert [(await client.next())["topic"] for _ in range(2)] == [BOOK, "tickers.BTCUSDT"]

    async def test_maintenance_may_be_listened_to_and_there_is_none(self, station: Station) -> None:
        async with station.listen(STATUS) as client:
            await client.join("system.status")
            await station.step(3_600 * SECOND_US)
            assert await client.rest() == []


class TestRefusals:
    """Texts are those of live hosts."""

    @pytest.mark.parametrize(
        "topic", ["orderbook.50.NOPEUSDT", "orderbook.30.BTCUSDT", "nope.BTCUSDT", "order", BOOK.lower()]
    )
    async def test_topics_that_there_are_not(self, station: Station, topic: str) -> None:
        async with station.listen(LINEAR) as client:
            assert await refusal(client, "subscribe", topic) == f"error:handler not found,topic:{topic}"

    async def test_pairs_are_refused_in_other_words(self, station: Station) -> None:
        async with station.listen(SPOT) as client:
            text = await refusal(client, "subscribe", "tickers.NOPEUSDT")
            assert text == "Invalid symbol :[tickers.NOPEUSDT]"

    async def test_one_topic_refuses_them_all(self, station: Station) -> None:
        async with station.listen(LINEAR) as client:
            text = await refusal(client, "subscribe", BOOK, "tickers.NOPEUSDT", "tickers.NOTHING")
            assert text == "error:handler not found,topic:tickers.NOPEUSDT"
            await station.step(SECOND_US)
            assert await client.rest() == []
            await client.join(BOOK)

    async def test_what_is_subscribed_to_is_not_again(self, station: Station) -> None:
        async with station.listen(LINEAR) as client:
            await client.join(BOOK)
            assert await refusal(client, "subscribe", BOOK) == f"error:already subscribed,topic:{BOOK}"
            await client.ask("unsubscribe", BOOK)
            await client.join(BOOK)

    async def test_unless_the_times_allow_it(self) -> None:
        accepting = Station(eras=Eras(bybit_repeated_topics="accept"))
        async with accepting.on_air(), accepting.listen(LINEAR) as client:
            await client.join(BOOK)
            await client.told(BOOK)
            await client.join(BOOK)
            assert await client.rest() == []

    async def test_what_was_not_subscribed_to_may_be_left(self, station: Station) -> None:
        async with station.listen(SPOT) as client:
            answer = await client.ask("unsubscribe", "tickers.BTCUSDT", "nope")
            assert (answer["success"], answer["ret_msg"]) == (True, "unsubscribe")

    @pytest.mark.parametrize("op", ["nope", "", "Subscribe", "pong", "auth", "order.create"])
    async def test_operations_that_there_are_not(self, station: Station, op: str) -> None:
        async with station.listen(LINEAR) as client:
            assert await refusal(client, op, "x", id="7") == "error:invalid op"

    async def test_what_is_no_request_leaves_the_connection_open(self, station: Station) -> None:
        async with station.listen(LINEAR) as client:
            await client.say("hello")
            answer = await client.next()
            assert answer["success"] is False
            assert answer["ret_msg"].startswith(
                "Failed to decode incoming data:readObjectStart: expect { or n, but found h,"
            )
            assert (await client.ask("ping"))["success"] is True

    async def test_arguments_that_are_no_texts_name_nothing(self, station: Station) -> None:
        async with station.listen(LINEAR) as client:
            assert await refusal(client, "subscribe", 7) == "error:handler not found,topic:7"


class TestLimits:
    async def test_pairs_take_ten_topics_at_once(self, station: Station) -> None:
        """ "Public channel - Args limits"."""
        topics = [f"kline.{word}.BTCUSDT" for word in "1 3 5 15 30 60 120 240 360 720 D".split()]
        async with station.listen(SPOT) as client:
            assert await refusal(client, "subscribe", *topics) == "args size >10"
            await client.join(*topics[:10])
            await client.join(topics[10])

    async def test_contracts_take_as_many_as_they_like(self, station: Station) -> None:
        topics = [f"kline.{word}.BTCUSDT" for word in "1 3 5 15 30 60 120 240 360 720 D".split()]
        async with station.listen(LINEAR) as client:
            await client.join(*topics)

    async def test_topics_of_a_connection_have_21000_letters(self, station: Station) -> None:
        async with station.listen(LINEAR) as client:
            await client.join(BOOK)
            text = await refusal(client, "subscribe", "x" * (21_001 - len(BOOK)))
            assert text == "args characters >21000"
            text = await refusal(client, "subscribe", "x" * (21_000 - len(BOOK)))
            assert text.startswith("error:handler not found")
            await client.ask("unsubscribe", BOOK)
            text = await refusal(client, "subscribe", "x" * 21_000)
            assert text.startswith("error:handler not found")

    async def test_connections_of_an_address_are_counted(self) -> None:
        """500 in five minutes."""
        async with Station(counting="on").on_air() as station:
            for _ in range(500):
                async with station.listen(LINEAR):
                    pass
            with pytest.raises(InvalidStatus) as refused:
                async with station.listen(LINEAR):
                    pass
            assert refused.value.response.status_code == 403
            await station.step(300 * SECOND_US)
            async with station.listen(LINEAR) as client:
                assert (await client.ask("ping"))["success"] is True

    async def test_connections_that_are_open_are_counted_by_market(self) -> None:
        """1000 of an address ("Rate Limit Rules"); three, here."""
        station = Station(counting="on")
        door = station.sites[0].dialect
        assert isinstance(door, Door)
        door.limits = Limits(connections_per_market=3)
        async with station.on_air(), AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(station.listen(LINEAR)) for _ in range(3)]
            for client in clients:
                await client.ask("ping")
            with pytest.raises(InvalidStatus) as refused:
                async with station.listen(LINEAR):
                    pass
            assert refused.value.response.status_code == 403
            async with station.listen(SPOT) as client:
                await client.ask("ping")
            await clients[0].connection.close()
            async with station.listen(LINEAR) as client:
                assert (await client.ask("ping"))["success"] is True


class TestSilence:
    """No client is told anything that it did not ask for."""

    @pytest.mark.parametrize("path", [SPOT, LINEAR, INVERSE, OPTION, SPREAD, STATUS, ANY])
    async def test_there_is_no_greeting_and_no_heartbeat(self, station: Station, path: str) -> None:
        async with station.listen(path, ping_interval=None) as client:
            await station.step(60 * SECOND_US)
            await station.step(60 * SECOND_US)
            await client.ask("ping")
            assert len(client.texts) == 1

    async def test_pings_of_the_protocol_are_answered(self, station: Station) -> None:
        """pybit sends them every twenty seconds and gives up after ten."""
        async with station.listen(LINEAR) as client:
            waiter = await client.connection.ping(b"are you there")
            await asyncio.wait_for(waiter, 10)

    async def test_who_leaves_is_told_nothing_more(self, station: Station) -> None:
        async with station.listen(LINEAR) as client:
            await client.join("tickers.BTCUSDT", "orderbook.1.BTCUSDT")
            await client.ask("unsubscribe", "tickers.BTCUSDT", "orderbook.1.BTCUSDT")
            await station.step(60 * SECOND_US)
            assert await client.rest() == []


class TestAge:
    @pytest.fixture(autouse=True)
    def no_grace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lifetime, "GRACE_S", 0.0)

    async def steps(self, station: Station, count: int) -> None:
        for _ in range(count):
            await station.step(30 * SECOND_US)
            station.sandbox.alarms.look()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    @pytest.mark.parametrize(
        ("query", "steps"),
        [("", 20), ("?max_active_time=30s", 1), ("?max_active_time=2m", 4), ("?max_active_time=900s", 20)],
    )
    async def test_who_says_nothing_is_cut(self, station: Station, query: str, steps: int) -> None:
        """Ten minutes, or as long as the address asks for: 30 seconds to ten minutes."""
        async with station.listen(ANY + query, ping_interval=None) as client:
            await self.steps(station, steps - 1)
            await client.connection.ping()
            assert (await client.ask("ping"))["success"] is True
            await self.steps(station, 1)
            await self.steps(station, steps)
            with pytest.raises(ConnectionClosed):
                await client.next()

    async def test_the_address_of_public_topics_asks_for_nothing(self, station: Station) -> None:
        async with station.listen(LINEAR + "?max_active_time=30s", ping_interval=None) as client:
            await self.steps(station, 19)
            assert (await client.ask("ping"))["success"] is True

    async def test_what_is_told_counts(self, station: Station) -> None:
        async with station.listen(LINEAR, ping_interval=None) as client:
            await client.join("tickers.BTCUSDT")
            for _ in range(50):
                await self.steps(station, 1)
                await client.told("tickers.BTCUSDT")
            assert (await client.ask("ping"))["success"] is True

    async def test_under_a_clock_that_jumps_a_client_has_some_time_to_answer(self, station: Station) -> None:
        for is_active in (True, False):
            line = Line()
            life = lifetime.Lifetime(line, station.sandbox, 600 * SECOND_US)
            await station.step(3_600 * SECOND_US)
            station.sandbox.alarms.look()
            assert line.is_open
            life.is_active = is_active
            # It may be looked at again before the time is over.
            await station.step(30 * SECOND_US)
            station.sandbox.alarms.look()
            await until(partial(_is_settled, line, life))
            assert line.is_open is is_active
            life.end()


class TestTopicsOfAnySort:
    async def test_contracts_are_found_first_then_pairs(self, station: Station) -> None:
        async with station.listen(ANY) as client:
            await client.join(
                "publicTrade.BTCUSDT", "publicTrade.BTCUSD", "publicTrade.BTCUSDC", "system.status"
            )
            text = await refusal(client, "subscribe", "publicTrade.NOPE")
            assert text == "error:handler not found,topic:publicTrade.NOPE"
            await station.step(60 * SECOND_US)
            assert "L" in (await client.told("publicTrade.BTCUSDT"))["data"][0]

    async def test_the_address_says_where_to_look_first(self, station: Station) -> None:
        async with station.listen(ANY + "?category=spot") as client:
            await client.join("publicTrade.BTCUSDT")
            await station.step(60 * SECOND_US)
            assert "L" not in (await client.told("publicTrade.BTCUSDT"))["data"][0]
