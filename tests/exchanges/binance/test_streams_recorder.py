"""A recorder of two busy books over a socket, at fifty times the pace of the wall: never a difference.

EMULATOR_TEST_LONG makes it minutes.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import random
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.exchanges.binance.local_book import LocalBook
from tests.launch import Server

pytestmark = pytest.mark.anyio

ROUNDS = 60 if os.environ.get("EMULATOR_TEST_LONG") else 7
ROUND_EVENTS = 12
"""What comes of each book before it is compared, and how often somebody trades meanwhile, at least: a slow
machine takes longer."""
ROUND_S_MAX = 60
SPEED = 50
SYMBOLS = ("BTCUSDT", "ETHUSDT")
SANDBOX = "recorder"
PATIENCE_S = 20
TENTH_MS = 100


class Market:
    """A sandbox of one's own, as a client of it sees it."""

    def __init__(self, server: Server) -> None:
        self.client = httpx.AsyncClient(
            base_url=f"{server.url}/~{SANDBOX}", trust_env=False, timeout=PATIENCE_S
        )
        self.trades = 0
        # Held while nobody may trade.
        self.quiet = asyncio.Lock()

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, f"/_emulator/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def depth(self, symbol: str, limit: int = 5000) -> Any:
        answer = await self.client.get("/api/v3/depth", params={"symbol": symbol, "limit": limit})
        assert answer.status_code == 200, answer.text
        return orjson.loads(answer.content)

    async def signed(self, method: str, path: str, **parameters: Any) -> int:
        """The status: what happens by chance is not always accepted."""
        query = urlencode({**parameters, "timestamp": time.time_ns() // 1_000_000})
        query += "&signature=" + hmac.digest(b"emulator-demo-secret", query.encode(), "sha256").hex()
        headers = {"X-MBX-APIKEY": "emulator-demo-key"}
        answer = await self.client.request(method, f"/api/v3/{path}?{query}", headers=headers)
        assert answer.status_code in (200, 400), answer.text
        return answer.status_code


@pytest.fixture
async def market(server: Server) -> AsyncIterator[Market]:
    market = Market(server)
    body = {"name": SANDBOX, "seed": 3, "clock": {"time": "2026-03-01T00:00:00Z", "speed": SPEED}}
    made = await market.client.post(f"{server.control}/sandboxes", json=body)
    assert made.status_code in (200, 201), made.text
    yield market
    await market.client.delete(f"{server.control}/sandboxes/{SANDBOX}")
    await market.client.aclose()


class Recorder:
    """Local books of all symbols, from one combined connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.books = {symbol: LocalBook() for symbol in SYMBOLS}
        self.replies: asyncio.Queue[Any] = asyncio.Queue()
        self.bytes = 0
        self._asked = 0

    async def record(self) -> None:
        async for text in self.socket:
            self.bytes += len(text)
            message = orjson.loads(text)
            if "stream" in message:
                event = message["data"]
                assert message["stream"] == f"{event['s'].lower()}@depth@100ms"
                self.books[event["s"]].receive(event)
            else:
                self.replies.put_nowait(message)

    async def drained(self) -> None:
        """Everything that was sent until now has arrived, since an answer arrives after it."""
        self._asked += 1
        await self.socket.send(orjson.dumps({"method": "LIST_SUBSCRIPTIONS", "id": self._asked}).decode())
        reply = await asyncio.wait_for(self.replies.get(), PATIENCE_S)
        assert reply["id"] == self._asked


async def trade(market: Market, chance: random.Random) -> None:
    """One thing that moves a book, when nobody wants it quiet."""
    symbol = chance.choice(SYMBOLS)
    async with market.quiet:
        top = await market.depth(symbol, limit=10)
        side = chance.choice(("BUY", "SELL"))
        common = {"symbol": symbol, "side": side, "quantity": f"0.0{chance.randrange(10, 99)}"}
        match chance.randrange(8):
            case 0 | 1 | 2:
                levels = top["bids" if side == "BUY" else "asks"]
                price = levels[chance.randrange(min(8, len(levels)))][0] if levels else "1000"
                await market.signed("POST", "order", type="LIMIT", timeInForce="GTC", price=price, **common)
            case 3 | 4:
                await market.signed("POST", "order", type="MARKET", **common)
            case 5:
                await market.signed("DELETE", "openOrders", symbol=symbol)
            case 6:
                middle = Decimal(top["asks"][0][0]) if top["asks"] else Decimal(3000)
                price = str((middle * chance.randrange(99, 102) / 100).quantize(Decimal("0.01")))
                mode = chance.choice(("hold", "shift"))
                await market.control("PUT", f"markets/binance/{symbol}/price", {"price": price, "mode": mode})
            case 7:
                await market.control("DELETE", f"markets/binance/{symbol}")


async def keep_trading(market: Market) -> None:
    chance = random.Random(5)
    while True:
        await trade(market, chance)
        market.trades += 1
        await asyncio.sleep(chance.random() * 0.02)


async def begin(market: Market, recorder: Recorder, symbol: str) -> None:
    """The documented start: events first, then a snapshot that is not older than the first of them."""
    while not recorder.books[symbol].begin(await market.depth(symbol)):
        await recorder.drained()


async def check(market: Market, recorder: Recorder) -> None:
    """Stop the clock where the streams speak, and compare."""
    async with market.quiet:
        stopped = await market.control("PUT", "clock", {"speed": 0})
        time_ms = -(-stopped["timeUs"] // (TENTH_MS * 1000)) * TENTH_MS
        await market.control("PUT", "clock", {"time": time_ms})
        for symbol, book in recorder.books.items():
            snapshot = await market.depth(symbol)
            await recorder.drained()
            assert book.differences(snapshot) == []
            assert book.update_id <= snapshot["lastUpdateId"]
        await market.control("PUT", "clock", {"speed": SPEED})


async def test_a_recorder_never_sees_a_difference(server: Server, market: Market) -> None:
    streams = "/".join(f"{symbol.lower()}@depth@100ms" for symbol in SYMBOLS)
    address = f"{server.url.replace('http', 'ws')}/~{SANDBOX}/stream?streams={streams}"
    async with connect(address, compression=None, max_size=None, max_queue=None, proxy=None) as socket:
        recorder = Recorder(socket)
        recording = asyncio.create_task(recorder.record())
        trading = asyncio.create_task(keep_trading(market))
        try:
            for symbol in SYMBOLS:
                await begin(market, recorder, symbol)
            for _ in range(ROUNDS):
                traded = market.trades + ROUND_EVENTS
                heard = {book: book.events + ROUND_EVENTS for book in recorder.books.values()}
                async with asyncio.timeout(ROUND_S_MAX):
                    while market.trades < traded or any(book.events < heard[book] for book in heard):
                        done, _ = await asyncio.wait(
                            (recording, trading), timeout=0.02, return_when=asyncio.FIRST_COMPLETED
                        )
                        for task in done:
                            task.result()
                await check(market, recorder)
        finally:
            for task in (recording, trading):
                task.cancel()
            await asyncio.gather(recording, trading, return_exceptions=True)
