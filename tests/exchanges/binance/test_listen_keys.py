"""The removed way to user data: listen keys over REST, and as streams of the market's sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect

from emulator.core.commands import Deposit
from emulator.core.numbers import ONE
from emulator.exchanges import binance
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.spot import listen_keys, queries, trading
from emulator.exchanges.binance.spot.listen_keys import LISTEN_KEYS
from emulator.exchanges.binance.spot.streams.sockets import sockets
from emulator.exchanges.binance.spot.user_data import ACCOUNT_HUBS
from emulator.exchanges.binance.user_data.listen_keys import VALID_US
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Site
from tests.exchanges.binance.studio import Client
from tests.exchanges.binance.trading_floor import DEMO, LIMIT_BUY, OTHER, Floor
from tests.web.client import Reply, ask
from tests.web.serving import serving

pytestmark = pytest.mark.anyio

PATH = "/api/v3/userDataStream"
UNKNOWN = (400, -1125, "This listenKey does not exist.")
SECOND_US = 1_000_000


class OldFloor(Floor):
    """A trading floor of the time before, with sockets."""

    port = 0

    def _site(self) -> Site:
        self.door = Door(
            engine="binance", timestamps="off", counting="off", eras=Eras(spot_listen_key="serve")
        )
        return Site(
            name="binance",
            engine="binance",
            title="Binance Spot",
            rows=(*trading.rows, *queries.rows, *listen_keys.rows),
            dialect=self.door,
            sockets=sockets(self.door),
        )

    async def call(self, method: str, *, who: str = DEMO, **parameters: str) -> Reply:
        """With a key and no signature; parameters as python-binance sends them, in the body."""
        body = "&".join(f"{name}={text}" for name, text in parameters.items())
        return await ask(self.application, method, PATH, body=body, headers={"X-MBX-APIKEY": f"key-of-{who}"})

    async def key(self, who: str = DEMO) -> str:
        reply = await self.call("POST", who=who)
        assert reply.status == 200
        assert list(reply.json) == ["listenKey"]
        key: str = reply.json["listenKey"]
        assert len(key) >= 60
        assert key.isalnum()
        return key

    @asynccontextmanager
    async def listen(self, path: str) -> AsyncIterator[Client]:
        async with connect(f"ws://127.0.0.1:{self.port}{path}") as connection:
            client = Client(connection)
            await client.ask("GET_PROPERTY", "combined")
            yield client


@pytest.fixture
async def floor(anyio_backend: str) -> AsyncIterator[OldFloor]:
    async with OldFloor() as floor, serving(floor.application) as floor.port:
        yield floor


def said(reply: Reply) -> tuple[int, Any, Any]:
    return reply.status, reply.json.get("code"), reply.json.get("msg")


class TestKeys:
    async def test_an_account_has_one_and_gets_it_again(self, floor: OldFloor) -> None:
        key = await floor.key()
        assert await floor.key() == key
        other = await floor.key(OTHER)
        assert other != key
        assert (await floor.call("PUT", listenKey=key)).json == {}
        assert (await floor.call("DELETE", listenKey=key)).json == {}
        assert said(await floor.call("PUT", listenKey=key)) == UNKNOWN
        assert said(await floor.call("DELETE", listenKey=key)) == UNKNOWN
        assert await floor.key() != key
        assert await floor.key(OTHER) == other

    async def test_nobody_has_the_key_of_another(self, floor: OldFloor) -> None:
        key = await floor.key()
        assert said(await floor.call("PUT", who=OTHER, listenKey=key)) == UNKNOWN
        assert said(await floor.call("DELETE", who=OTHER, listenKey=key)) == UNKNOWN
        assert await floor.key() == key

    async def test_it_needs_a_key_and_a_listen_key(self, floor: OldFloor) -> None:
        assert said(await floor.call("POST", who="nobody-at-all"))[:2] == (401, -2015)
        assert said(await floor.call("PUT"))[:2] == (400, -1102)
        assert said(await floor.call("DELETE", listenKey=""))[:2] == (400, -1105)
        assert said(await floor.call("PUT", listenKey="x")) == UNKNOWN

    async def test_it_is_valid_for_an_hour_from_when_it_was_last_wanted(self, floor: OldFloor) -> None:
        key = await floor.key()
        keys = LISTEN_KEYS.of(floor.sandbox)
        for method in ("PUT", "POST", "PUT"):
            await floor.sandbox.step_clock(VALID_US - 1)
            parameters = {"listenKey": key} if method == "PUT" else {}
            assert (await floor.call(method, **parameters)).status == 200
        async with floor.listen(f"/ws/{key}") as client:
            await floor.sandbox.step_clock(VALID_US)
            event = await client.next()
            now_ms = floor.sandbox.clock.now_us() // 1000
            assert event == {"e": "listenKeyExpired", "E": now_ms, "listenKey": key}
            assert key not in keys
            assert said(await floor.call("PUT", listenKey=key)) == UNKNOWN
            await floor.post("order", **LIMIT_BUY)
            assert await client.ask("LIST_SUBSCRIPTIONS") == [key]
        assert await floor.key() != key

    async def test_a_sandbox_that_is_reset_has_none(self, floor: OldFloor) -> None:
        key = await floor.key()
        await floor.sandboxes.reset("default")
        assert said(await floor.call("PUT", listenKey=key)) == UNKNOWN


class TestEvents:
    @pytest.mark.parametrize(
        ("path", "is_combined", "factor"),
        [
            ("/ws/{key}", False, 1),
            ("/stream?streams={key}", True, 1),
            ("/ws/{key}?timeUnit=MICROSECOND", False, 1000),
            ("/stream/ws/{key}", False, 1),
        ],
    )
    async def test_they_come_in_the_shape_of_the_path(
        self, floor: OldFloor, path: str, is_combined: bool, factor: int
    ) -> None:
        key = await floor.key()
        async with floor.listen(path.format(key=key)) as client:
            assert await client.ask("LIST_SUBSCRIPTIONS") == [key]
            await floor.post("order", **LIMIT_BUY)
            events = [await client.next(), await client.next()]
        if is_combined:
            assert all(list(event) == ["stream", "data"] and event["stream"] == key for event in events)
            events = [event["data"] for event in events]
        report, position = events
        assert (report["e"], report["x"], report["i"]) == ("executionReport", "NEW", 1)
        assert report["E"] == floor.sandbox.clock.now_us() // 1000 * factor + (
            floor.sandbox.clock.now_us() % 1000 if factor == 1000 else 0
        )
        assert position["e"] == "outboundAccountPosition"

    async def test_a_request_subscribes_as_well_and_one_socket_carries_both(self, floor: OldFloor) -> None:
        key, other = await floor.key(), await floor.key(OTHER)
        async with floor.listen("/stream?streams=btcusdt@avgPrice") as client:
            assert await client.ask("SUBSCRIBE", key, other) is None
            await floor.post("order", who=OTHER, **LIMIT_BUY)
            assert [(await client.next())["stream"] for _ in range(2)] == [other, other]
            assert await client.ask("UNSUBSCRIBE", other) is None
            await floor.post("order", who=OTHER, **LIMIT_BUY)
            await floor.post("order", **LIMIT_BUY)
            assert [(await client.next())["stream"] for _ in range(2)] == [key, key]

    async def test_everybody_who_listens_hears_it_until_the_key_is_closed(self, floor: OldFloor) -> None:
        key = await floor.key()
        async with floor.listen(f"/ws/{key}") as one, floor.listen(f"/ws/{key}") as other:
            await floor.post("order", **LIMIT_BUY)
            heard = [await one.next(), await one.next()]
            assert heard == [await other.next(), await other.next()]
            await floor.call("DELETE", listenKey=key)
            await floor.post("order", **LIMIT_BUY)
            assert await one.ask("LIST_SUBSCRIPTIONS") == [key]
            assert not ACCOUNT_HUBS.of(floor.sandbox)._subscriptions

    @pytest.mark.parametrize("key", ["0" * 64, "x" * 60])
    async def test_a_key_that_nobody_has_is_silent(self, floor: OldFloor, key: str) -> None:
        async with floor.listen(f"/ws/{key}") as client:
            await floor.post("order", **LIMIT_BUY)
            assert await client.ask("LIST_SUBSCRIPTIONS") == [key]

    async def test_a_key_leads_to_its_sandbox_unless_the_address_names_another(self, floor: OldFloor) -> None:
        red = await floor.sandboxes.create("red")
        account = await red.open_account("anna")
        await red.add_key(KeyRecord(key="key-of-anna", account=account, secret="s"))
        key = await floor.key("anna")
        assert key in LISTEN_KEYS.of(red)
        await floor.sandboxes.create("blue")
        async with (
            floor.listen(f"/ws/{key}") as unnamed,
            floor.listen(f"/~red/binance/ws/{key}") as right,
            floor.listen(f"/~blue/binance/ws/{key}") as wrong,
        ):
            await deposit(red, account)
            for client in (unnamed, right):
                assert (await client.next())["e"] == "balanceUpdate"
                assert (await client.next())["e"] == "outboundAccountPosition"
            assert await wrong.ask("LIST_SUBSCRIPTIONS") == [key]

    async def test_connections_leave_nothing_behind(self, floor: OldFloor) -> None:
        key = await floor.key()
        for _ in range(5):
            async with floor.listen(f"/ws/{key}") as client:
                await floor.post("order", **LIMIT_BUY)
                await client.next()
        async with floor.listen("/ws") as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            hub = ACCOUNT_HUBS.of(floor.sandbox)
            while hub._subscriptions:
                await client.ask("LIST_SUBSCRIPTIONS")


async def deposit(sandbox: Sandbox, account: int) -> None:
    await sandbox.submit("binance", Deposit(account=account, wallet="spot", asset="BTC", amount=ONE))


class TestEras:
    def test_it_is_off_unless_it_is_chosen(self) -> None:
        for eras, is_served in ((Eras(), False), (Eras(spot_listen_key="serve"), True)):
            site = binance.sites(eras=eras, timestamps="auto", counting="auto")[0]
            assert any(route.path == PATH for route in site.rows) is is_served

    async def test_where_it_is_off_a_key_is_a_stream_that_there_is_not(self) -> None:
        async with OldFloor() as floor:
            key = await floor.key()
            floor.door.eras = Eras()
            async with serving(floor.application) as floor.port, floor.listen(f"/ws/{key}") as client:
                await floor.post("order", **LIMIT_BUY)
                assert await client.ask("LIST_SUBSCRIPTIONS") == [key]
