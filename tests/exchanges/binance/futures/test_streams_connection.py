"""Sockets of the futures sites' market streams: routes, requests, limits, and streams of all contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from emulator.core.commands import PrintTrade
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.futures.streams.names import MARKET, PRIVATE, PUBLIC
from tests.exchanges.binance.futures.studio import NOW_US, SECOND_US, FuturesStudio

pytestmark = pytest.mark.anyio

TRADE, MARK = "btcusdt@trade", "btcusdt@markPrice@1s"
"""One stream of each route."""


@pytest.fixture
async def studio(anyio_backend: str) -> AsyncIterator[FuturesStudio]:
    async with FuturesStudio().on_air() as studio:
        yield studio


async def print_trade(studio: FuturesStudio, instrument: str = "usdm:BTCUSDT") -> None:
    await studio.do(
        PrintTrade(instrument=instrument, price=Decimal(110_000), quantity=Decimal(2), buyer_is_maker=False)
    )


async def only(studio: FuturesStudio, path: str, speaking: set[str], site: Product = USDM) -> None:
    """Check which of the two streams speak on a path."""
    async with studio.listen(path, site=site) as client:
        assert await client.ask("SUBSCRIBE", TRADE, MARK) is None
        assert await client.ask("LIST_SUBSCRIPTIONS") == [TRADE, MARK]
        await client.ask("SET_PROPERTY", "combined", True)
        await studio.step(SECOND_US)
        await print_trade(studio)
        heard: set[str] = set()
        while heard != speaking:
            heard.add((await client.next())["stream"])
        # What another one had said would have come by the time that three questions are answered.
        for _ in range(3):
            await client.say({"method": "GET_PROPERTY", "params": ["combined"], "id": 7})
            while (message := await client.next()).get("id") != 7:
                assert message["stream"] in speaking


class TestRoutes:
    @pytest.mark.parametrize("route", ["", f"/{PUBLIC}", f"/{MARKET}", f"/{PRIVATE}"])
    @pytest.mark.parametrize("path", ["/ws", "/ws/0", "/stream"])
    async def test_everything_is_told_everywhere(self, studio: FuturesStudio, route: str, path: str) -> None:
        await only(studio, route + path, {TRADE, MARK})

    @pytest.mark.parametrize(
        ("route", "told"),
        [("", {TRADE}), (f"/{PUBLIC}", {TRADE}), (f"/{MARKET}", {MARK}), (f"/{PRIVATE}", set())],
    )
    async def test_a_strict_exchange_tells_only_what_belongs_to_the_route(
        self, route: str, told: set[str]
    ) -> None:
        async with FuturesStudio(eras=Eras(futures_stream_routes="strict")).on_air() as studio:
            await only(studio, f"{route}/ws", told)

    async def test_coin_margined_contracts_have_no_routes(self) -> None:
        async with FuturesStudio(eras=Eras(futures_stream_routes="strict")).on_air() as studio:
            await only(studio, "/ws", {TRADE, MARK}, COINM)
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://127.0.0.1:{studio.port}/{COINM.site}/{PUBLIC}/ws")
            assert refused.value.response.status_code == 404

    @pytest.mark.parametrize("route", ["", f"/{MARKET}"])
    async def test_streams_named_by_the_path(self, studio: FuturesStudio, route: str) -> None:
        for path, is_combined in ((f"/ws/{TRADE}/!contractInfo", False), (f"/stream?streams={TRADE}", True)):
            async with studio.listen(route + path) as client:
                names = await client.ask("LIST_SUBSCRIPTIONS")
                assert names == [TRADE, "!contractInfo"] if not is_combined else [TRADE]
                await print_trade(studio)
                message = await client.next()
                assert ("stream" in message) is is_combined
                assert (message["data"] if is_combined else message)["e"] == "trade"

    async def test_without_a_prefix_a_route_says_which_site_it_is(self, studio: FuturesStudio) -> None:
        async with connect(f"ws://127.0.0.1:{studio.port}/public/ws/{TRADE}") as connection:
            assert await connection.ping() is not None
            await print_trade(studio)
            assert '"s":"BTCUSDT"' in str(await connection.recv())


class TestRequests:
    @pytest.mark.parametrize("site", [USDM, COINM])
    async def test_what_is_asked_is_answered_as_on_spot(self, studio: FuturesStudio, site: Product) -> None:
        async with studio.listen("/ws", site=site) as client:
            for request_id in (1, "a-uuid-of-the-sdk", -5):
                assert await client.ask("LIST_SUBSCRIPTIONS", request_id=request_id) == []
            assert (await client.fault({"method": "NONSENSE", "id": 1}))["error"]["code"] == 2
            assert (await client.fault("{"))["error"]["code"] == 3
            assert await client.ask("SUBSCRIBE", "btcusdt@nosuch", "k" * 64) is None

    @pytest.mark.parametrize(
        "path", ["/ws?listenKey={}", "/private/stream?listenKey={}&events=X", "/ws/{}", "/stream?streams={}"]
    )
    async def test_a_key_that_nobody_has_is_silent(self, studio: FuturesStudio, path: str) -> None:
        key = "k" * 64
        async with studio.listen(path.format(key)) as client:
            assert await client.ask("LIST_SUBSCRIPTIONS") == [key]

    async def test_symbols_of_both_products_are_told_on_both_sites(self, studio: FuturesStudio) -> None:
        for site in (USDM, COINM):
            async with studio.listen("/ws/btcusdt@trade/btcusd_perp@trade", site=site) as client:
                await client.ask("LIST_SUBSCRIPTIONS")
                await print_trade(studio)
                await print_trade(studio, "coinm:BTCUSD_PERP")
                told = [await client.next() for _ in range(2)]
                assert [(one["s"], one["st"]) for one in told] == [("BTCUSDT", 1), ("BTCUSD_PERP", 2)]


class TestLife:
    async def test_a_ping_comes_every_three_minutes(self, studio: FuturesStudio) -> None:
        async with studio.bare("/ws") as bare:
            bare.send(b"hello")
            await bare.frame()
            await studio.step(179 * SECOND_US)
            await studio.step(SECOND_US)
            frame = await bare.frame()
            assert frame == (9, b"%d" % (NOW_US // 1000 + 180_000))

    async def test_who_says_more_than_ten_things_in_a_second_is_cut(self) -> None:
        async with FuturesStudio(counting="on").on_air() as studio, studio.listen("/ws") as client:
            for _ in range(10):
                await client.ask("LIST_SUBSCRIPTIONS")
            await client.say({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            assert await client.closed() == (1008, "Too many requests")

    async def test_a_server_that_stops_says_nothing_of_it(self) -> None:
        async with FuturesStudio().on_air() as studio:
            connection = await connect(f"ws://127.0.0.1:{studio.port}/{USDM.site}/stream")
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


class TestAll:
    @pytest.mark.parametrize("site", [USDM, COINM])
    @pytest.mark.parametrize("name", ["!markPrice@arr@1s", "!ticker@arr"])
    async def test_arrays_are_of_both_products_if_that_is_chosen(self, site: Product, name: str) -> None:
        async with (
            FuturesStudio(eras=Eras(futures_arrays="merged")).on_air() as studio,
            studio.listen(f"/ws/{name}", site=site) as client,
        ):
            await client.ask("LIST_SUBSCRIPTIONS")
            await studio.step(10 * SECOND_US)
            told = {one["s"]: one["st"] for one in await client.next()}
        assert (told["BTCUSDT"], told["BTCUSD_PERP"]) == (1, 2)
