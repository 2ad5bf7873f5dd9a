"""Live data over loopback against one server process, beside a bare uvicorn server in the same run.

The bare server does nothing but what uvicorn does for any ASGI application: it echoes, or sends the
bytes it is given to all who are connected, one after the other. Both servers are driven by requests
over HTTP, one for each change of the book, so a message to a single subscriber costs a request, and
one to many shows what a delivery costs. Who listens and who drives is this process, in one thread,
which is said to be busy when it might be what holds up the servers.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import statistics
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter, process_time, time
from typing import Final, NamedTuple, TypeVar, cast

import servers
import uvloop
from frames import Listener, Talker, masked
from servers import ACCOUNTS, KEY, Server, open_accounts, resting_orders, sign, small_buys
from table import Table

ROUNDS = 5
SUBSCRIBERS = (1, 50, 500)
IDLE = 1000
IN_FLIGHT = (1, 32)
PIPELINED = 4
"""Changes on their way at a time, so that a server never waits for the next one."""
LOOKED_AT = 50
"""Listeners looked at in a row; then whoever drives has its turn."""
BUSY = 0.9
"""A share of one core from which on the load generator is said to be what was measured."""
STREAM = "/ws/btcusdt@bookTicker"
QUIET = "/ws/ethusdt@bookTicker"
API = "/ws-api/v3"
MAKER, TAKER = "maker", "taker"

ACCEPTED: Final = b"HTTP/1.1 200"
REFUSED: Final = re.compile(rb"HTTP/1\.1 [45]")
ANSWERED: Final = re.compile(rb'\{"id": ?(\d+)')
ERROR: Final = b'"error":'
TRADED: Final = b'"x":"TRADE"'

BARE_APP = """
import asyncio, socket, uvicorn, uvloop
clients = []
async def app(scope, receive, send):
    if scope["type"] == "http":
        text = (await receive())["body"].decode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})
        for client in clients:
            await client({"type": "websocket.send", "text": text})
        return
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/echo":
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        return
    clients.append(send)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    clients.remove(send)
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen(2048)
print(sock.getsockname()[1], flush=True)
config = uvicorn.Config(app, log_level="error", access_log=False, http="httptools", lifespan="off",
    ws="websockets-sansio", ws_per_message_deflate=False, ws_ping_interval=None)
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(uvicorn.Server(config).serve(sockets=[sock]))
"""

T = TypeVar("T")


class Refused(Exception):
    """A server did not do what was asked, so there is nothing to measure."""


def run_streams(seconds: float) -> list[Table]:
    with servers.bare(BARE_APP) as bare, servers.emulator() as emulator:
        tables = [
            *(_fan_out(audience, bare, emulator, seconds) for audience in (TICKER, ORDER_BOOK)),
            _reports(bare, emulator, seconds),
            _placement(bare, emulator, seconds),
        ]
    return [*tables, _idle()]


def _run(work: Callable[[], Awaitable[T]]) -> T:
    """Raises SystemExit with what a callback raised."""

    async def run() -> T:
        task = asyncio.current_task()
        assert task is not None
        raised: list[object] = []

        def fail(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
            raised.append(context.get("exception") or context["message"])
            task.cancel()

        asyncio.get_running_loop().set_exception_handler(fail)
        try:
            return await work()
        except asyncio.CancelledError:
            if raised:
                raise SystemExit(str(raised[0])) from None
            raise

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def _hold(server: Server, symbol: str, bid: str, ask: str) -> None:
    """A book of one large level a side, which does not move by itself."""
    quote = {"bid": bid, "ask": ask, "bidQuantity": "1000", "askQuantity": "1000"}
    servers.control(server.port, "PUT", f"markets/binance/{symbol}/quote", quote)


class Fan:
    """What came of driving a server while some listened."""

    def __init__(
        self, *, messages: int, changes: int, seconds: float, server_cpu_s: float, own_cpu_s: float
    ) -> None:
        self.rate = messages / seconds
        self.cpu_us = server_cpu_s * 1e6 / max(messages, 1)
        self.change_cpu_us = server_cpu_s * 1e6 / max(changes, 1)
        self.busy = own_cpu_s / seconds


class Audience(NamedTuple):
    """Who listens to what. market: of the control API, whose quote is changed. hello: what is said first, as
    a frame; unchanged: how many messages answer that before the first change. pause_s: from one change to
    the next, where a stream has a pace of its own; as fast as they are answered without."""

    title: str
    path: str
    market: str
    hello: bytes = b""
    unchanged: int = 0
    pause_s: float = 0.0


TICKER: Final = Audience("Binance's bookTicker of one symbol", STREAM, "binance/BTCUSDT")
ORDER_BOOK: Final = Audience(
    "Bybit's orderbook.50 of one symbol",
    "/v5/public/linear",
    "bybit/linear:BTCUSDT",
    hello=masked(b'{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}'),
    unchanged=2,
    pause_s=0.025,
)


def _fan_out(audience: Audience, bare: Server, emulator: Server, seconds: float) -> Table:
    table = Table(
        f"{audience.title} to many, driven by one request for each change",
        "subscribers, server",
        "messages/s",
        "ratio",
        "server CPU µs a change",
        "a message",
        "ratio",
        "load generator",
    )
    quotes = itertools.cycle([_quote(audience.market, "1"), _quote(audience.market, "2")])
    triggers = itertools.repeat(_post("POST", "/", _hear_one(audience, emulator, quotes)))
    silent = audience._replace(path="/", hello=b"", unchanged=0)
    loads = {"bare uvicorn": (bare, silent, triggers), "emulator": (emulator, audience, quotes)}
    fans: dict[tuple[int, str], list[Fan]] = {}
    for subscribers in SUBSCRIBERS:
        for _ in range(ROUNDS):
            for name, (server, heard, requests) in loads.items():
                fan = _listen(server, heard, requests, subscribers, seconds / ROUNDS)
                fans.setdefault((subscribers, name), []).append(fan)
    for (subscribers, name), rounds in fans.items():
        pairs = list(zip(rounds, fans[subscribers, "bare uvicorn"], strict=True))
        busy = max(fan.busy for fan in rounds)
        table.add(
            f"{subscribers}, {name}",
            f"{statistics.median(fan.rate for fan in rounds):,.0f}",
            f"{statistics.median(fan.rate / other.rate for fan, other in pairs):.2f}",
            f"{statistics.median(fan.change_cpu_us for fan in rounds):,.0f}",
            f"{statistics.median(fan.cpu_us for fan in rounds):.1f}",
            f"{statistics.median(other.cpu_us / fan.cpu_us for fan, other in pairs):.2f}",
            f"{busy:.0%} of a core" + (", saturated" if busy > BUSY else ""),
        )
    # What a change itself costs is the same however many hear of it, so the rest is the deliveries'.
    few, many = SUBSCRIBERS[0], SUBSCRIBERS[-1]
    further = {
        name: (
            statistics.median(fan.change_cpu_us for fan in fans[many, name])
            - statistics.median(fan.change_cpu_us for fan in fans[few, name])
        )
        / (many - few)
        for name in loads
    }
    for name, cpu_us in further.items():
        ratio = further["bare uvicorn"] / cpu_us
        table.add(f"each further one, {name}", "", "", "", f"{cpu_us:.1f}", f"{ratio:.2f}", "")
    return table


def _post(method: str, path: str, body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def _quote(market: str, bid_quantity: str) -> bytes:
    quote = {"bid": "60000.00", "ask": "60000.10", "bidQuantity": bid_quantity, "askQuantity": "1"}
    return _post("PUT", f"/_emulator/markets/{market}/quote", json.dumps(quote).encode())


def _hear_one(audience: Audience, emulator: Server, quotes: Iterator[bytes]) -> bytes:
    """What the stream tells, to have the bare server send the same."""

    async def hear() -> bytes:
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        messages = itertools.count()

        def keep(message: bytes) -> None:
            # The first change makes a book of what was one, so the second is like all others.
            if next(messages) > audience.unchanged and not heard.done():
                heard.set_result(message)

        talker = await Talker(keep).connect(emulator.port, audience.path)
        if audience.hello:
            talker.send(audience.hello)
        driver = await _Driver(quotes, audience.pause_s).connect(emulator.port)
        try:
            return await asyncio.wait_for(heard, 10)
        finally:
            await driver.finish()
            talker.close()

    return _run(hear)


def _listen(
    server: Server, audience: Audience, requests: Iterator[bytes], subscribers: int, seconds: float
) -> Fan:
    listeners = [Listener(server.port, audience.path, audience.hello) for _ in range(subscribers)]

    async def drive() -> Fan:
        while any(listener.messages < audience.unchanged for listener in listeners):
            await _look(listeners)
        for listener in listeners:
            listener.messages = 0
        driver = await _Driver(requests, audience.pause_s).connect(server.port)
        server_cpu_s, own_cpu_s, began = server.cpu_seconds(), process_time(), perf_counter()
        while perf_counter() < began + seconds:
            await _look(listeners)
        fan = Fan(
            messages=sum(listener.messages for listener in listeners),
            changes=driver.answers,
            seconds=perf_counter() - began,
            server_cpu_s=server.cpu_seconds() - server_cpu_s,
            own_cpu_s=process_time() - own_cpu_s,
        )
        await driver.finish()
        return fan

    try:
        return _run(drive)
    finally:
        for listener in listeners:
            listener.close()


async def _look(listeners: list[Listener]) -> None:
    for number, listener in enumerate(listeners):
        if number % LOOKED_AT == 0:
            await asyncio.sleep(0.001)
        listener.look()


class _Driver(asyncio.Protocol):
    """Sends requests over HTTP and counts the answers: several at a time, or one after a pause."""

    def __init__(self, requests: Iterator[bytes], pause_s: float = 0.0) -> None:
        self._requests = requests
        self._pause_s = pause_s
        self._sent = 0
        self._end = b""
        self._finished: asyncio.Future[None] | None = None
        self.answers = 0

    async def connect(self, port: int) -> _Driver:
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._send(1 if self._pause_s else PIPELINED)

    def _send(self, count: int) -> None:
        if self._finished is not None:
            return
        self._sent += count
        self._transport.write(b"".join(itertools.islice(self._requests, count)))

    def data_received(self, data: bytes) -> None:
        received = self._end + data
        if REFUSED.search(received):
            raise Refused(f"a change was refused:\n{received.decode(errors='replace')}")
        answers = received.count(ACCEPTED)
        self.answers += answers
        # A status line may be split, and none that was counted may be counted again.
        self._end = received[1 - len(ACCEPTED) :]
        if self._finished is None:
            if self._pause_s:
                asyncio.get_running_loop().call_later(self._pause_s, self._send, answers)
            else:
                self._send(answers)
        elif self.answers == self._sent and not self._finished.done():
            # What is left of the last answer may come by itself.
            self._finished.set_result(None)

    async def finish(self) -> None:
        self._finished = asyncio.get_running_loop().create_future()
        if self.answers == self._sent:
            self._finished.set_result(None)
        await asyncio.wait_for(self._finished, 10)
        self._transport.close()


class Talk:
    """What came of one connection that asked again as often as it was answered."""

    def __init__(self, latencies: list[float], seconds: float, cpu_seconds: float) -> None:
        self.rate = len(latencies) / seconds
        self.cpu_us = cpu_seconds * 1e6 / len(latencies)
        self.latencies = latencies


def _placement(bare: Server, emulator: Server, seconds: float) -> Table:
    table = Table(
        "Orders over one connection of the WebSocket API",
        "what",
        "round trips/s",
        "ratio",
        "server CPU µs",
        "ratio",
        "p50 ms",
        "p99 ms",
    )
    open_accounts(emulator.port, map(str, range(ACCOUNTS)), "USDT")
    wanted = resting_orders(small_buys(emulator.port), int(8_000 * seconds))
    orders = [(number, _order(number, key, fields)) for number, (key, fields) in enumerate(wanted)]
    echoed = itertools.cycle(orders[:1000])
    fresh = iter(orders)
    for in_flight in IN_FLIGHT:
        talks: dict[str, list[Talk]] = {"bare echo": [], "order.place": []}
        for _ in range(ROUNDS):
            share = seconds / ROUNDS
            talks["bare echo"].append(_talk(bare, "/echo", echoed, in_flight, share))
            talks["order.place"].append(_talk(emulator, API, fresh, in_flight, share))
        for name, rounds in talks.items():
            pairs = list(zip(rounds, talks["bare echo"], strict=True))
            p50, p99 = _percentiles([one for talk in rounds for one in talk.latencies])
            table.add(
                f"{name}, {in_flight} in flight",
                f"{statistics.median(talk.rate for talk in rounds):,.0f}",
                f"{statistics.median(talk.rate / other.rate for talk, other in pairs):.2f}",
                f"{statistics.median(talk.cpu_us for talk in rounds):.0f}",
                f"{statistics.median(other.cpu_us / talk.cpu_us for talk, other in pairs):.2f}",
                p50,
                p99,
            )
    return table


def _order(number: int, key: str, fields: dict[str, str]) -> bytes:
    return _call(number, "order.place", key, fields)


def _call(number: int, method: str, key: str, fields: dict[str, str]) -> bytes:
    """A signed request as a frame."""
    given = {**fields, "apiKey": key, "recvWindow": "60000", "timestamp": str(int(time() * 1000))}
    signature = sign("&".join(f"{name}={given[name]}" for name in sorted(given)))
    params: dict[str, str | int] = {
        **given,
        "recvWindow": 60_000,
        "timestamp": int(given["timestamp"]),
        "signature": signature,
    }
    return masked(json.dumps({"id": number, "method": method, "params": params}).encode())


def _talk(
    server: Server, path: str, requests: Iterator[tuple[int, bytes]], in_flight: int, seconds: float
) -> Talk:
    async def talk() -> Talk:
        sent: dict[int, float] = {}
        latencies: list[float] = []
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def ask() -> None:
            request = next(requests, None) if perf_counter() < until else None
            if request is not None:
                number, frame = request
                sent[number] = perf_counter()
                talker.send(frame)
            elif not sent and not done.done():
                done.set_result(None)

        def heard(message: bytes) -> None:
            latencies.append(perf_counter() - sent.pop(_answered(message)))
            ask()

        talker = await Talker(heard).connect(server.port, path)
        cpu_seconds, began = server.cpu_seconds(), perf_counter()
        until = began + seconds
        for _ in range(in_flight):
            ask()
        await asyncio.wait_for(done, seconds + 10)
        talker.close()
        return Talk(latencies, perf_counter() - began, server.cpu_seconds() - cpu_seconds)

    return _run(talk)


def _answered(message: bytes) -> int:
    """Which request a message answers, or echoes."""
    found = ANSWERED.match(message)
    if found is None or ERROR in message[:80]:
        raise Refused(f"a request was refused:\n{message.decode()}")
    return int(found[1])


def _percentiles(seconds: list[float]) -> tuple[str, str]:
    """p50 and p99 in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return f"{cuts[49] * 1000:.3f}", f"{cuts[98] * 1000:.3f}"


def _reports(bare: Server, emulator: Server, seconds: float) -> Table:
    """One order at a time that trades with one that rests, on two connections."""
    table = Table("From a taker's order to the maker's executionReport", "what", "p50 ms", "p99 ms", "trades")
    echoes = _talk(bare, "/echo", ((number, _order(number, KEY, {})) for number in itertools.count()), 1, 1.0)
    table.add("bare echo, sent to answer", *_percentiles(echoes.latencies), "")

    open_accounts(emulator.port, (MAKER, TAKER), "USDT", "BTC")
    _hold(emulator, "BTCUSDT", "59000.00", "61000.00")
    trades = _run(lambda: _trade(emulator.port, seconds))
    for name, first, then in (
        ("sent to answer", 0, 1),
        ("sent to report", 0, 2),
        ("answer to report", 1, 2),
    ):
        gaps = [trade[then] - trade[first] for trade in trades]
        table.add(name, *_percentiles(gaps), f"{len(trades):,}")
    return table


async def _trade(port: int, seconds: float) -> list[tuple[float, float, float]]:
    """When an order was sent, when it was answered, and when the maker heard of it; for each trade."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[float] = loop.create_future()
    reported: asyncio.Future[float] = loop.create_future()
    subscribed: asyncio.Future[None] = loop.create_future()
    resting: asyncio.Future[None] = loop.create_future()

    def told_taker(message: bytes) -> None:
        now = perf_counter()
        _answered(message)
        answered.set_result(now)

    def told_maker(message: bytes) -> None:
        now = perf_counter()
        if message.startswith(b'{"id":'):
            (resting if _answered(message) else subscribed).set_result(None)
        elif TRADED in message:
            reported.set_result(now)

    maker = await Talker(told_maker).connect(port, API)
    taker = await Talker(told_taker).connect(port, API)
    maker.send(_call(0, "userDataStream.subscribe.signature", KEY + MAKER, {}))
    await asyncio.wait_for(subscribed, 10)
    terms = {"symbol": "BTCUSDT", "type": "LIMIT", "price": "60000.00"}
    sale = {**terms, "side": "SELL", "timeInForce": "GTC", "quantity": "100"}
    maker.send(_order(1, KEY + MAKER, sale))
    await asyncio.wait_for(resting, 10)
    purchase = {**terms, "side": "BUY", "timeInForce": "IOC", "quantity": "0.001"}
    trades: list[tuple[float, float, float]] = []
    until = perf_counter() + seconds
    while perf_counter() < until:
        frame = _order(len(trades), KEY + TAKER, purchase)
        answered, reported = loop.create_future(), loop.create_future()
        sent = perf_counter()
        taker.send(frame)
        trades.append((sent, await answered, await asyncio.wait_for(reported, 10)))
    maker.close()
    taker.close()
    return trades


def _idle() -> Table:
    """Servers of their own: memory that others left behind would be taken before any new one."""
    table = Table(
        f"{IDLE:,} connections on which nothing is said",
        "what",
        "before, MiB",
        "after, MiB",
        "KiB a connection",
        "ratio",
    )
    with servers.bare(BARE_APP) as bare, servers.emulator() as emulator:
        _hold(emulator, "ETHUSDT", "3000.00", "3000.01")
        grown: list[float] = []
        for name, server, path in (
            ("bare uvicorn", bare, "/"),
            ("emulator, one quiet stream each", emulator, QUIET),
        ):
            # What the first few bring with them is not what each of many costs.
            listeners = [Listener(server.port, path) for _ in range(10)]
            before = server.resident_bytes()
            # The last one is answered when those before it have all been served.
            listeners += [Listener(server.port, path) for _ in range(IDLE)]
            after = server.resident_bytes()
            grown.append(after - before)
            table.add(
                name,
                f"{before / 2**20:.1f}",
                f"{after / 2**20:.1f}",
                f"{grown[-1] / IDLE / 1024:.1f}",
                f"{grown[0] / grown[-1]:.2f}",
            )
            for listener in listeners:
                listener.close()
    return table
