"""Who is at the other end: what is signed, what is refused, and in which words."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.streams.authentication import auth_private, auth_trade
from emulator.exchanges.bybit.streams.connection import Connection
from emulator.exchanges.bybit.streams.frames import PRIVATE_SHAPE, parse_frame
from emulator.exchanges.bybit.streams.offer import Offer
from emulator.web.contract import Opening
from emulator.web.sockets import Socket
from tests.exchanges.bybit.station import NOW_US, Client, Station

pytestmark = pytest.mark.anyio

NOW_MS = NOW_US // 1000
KEY, SECRET = "demo-key", "demo-secret"


def proof(expires: int | str = NOW_MS + 1000, key: str = KEY, secret: str = SECRET) -> list[Any]:
    """As pybit and ccxt make it: HMAC-SHA256 of `GET/realtime` and the moment."""
    signed = f"GET/realtime{expires}".encode()
    return [key, expires, hmac.digest(secret.encode(), signed, "sha256").hex()]


@pytest.fixture
async def station(anyio_backend: str) -> AsyncIterator[Station]:
    async with Station(timestamps="sandbox").on_air() as station:
        yield station


@asynccontextmanager
async def anybody(station: Station) -> AsyncIterator[Client]:
    async with station.listen("/v5/any") as client:
        yield client


class TestProofs:
    @pytest.mark.parametrize("expires", [NOW_MS + 1000, str(NOW_MS + 10_000), NOW_MS + 1])
    async def test_a_number_or_a_text(self, station: Station, expires: int | str) -> None:
        """pybit sends a number a second from now, ccxt a text ten seconds from now."""
        async with anybody(station) as client:
            answer = await client.ask("auth", *proof(expires), id="1")
            assert (answer["success"], answer["ret_msg"], answer["req_id"]) == (True, "", "1")
            assert (answer["retCode"], answer["retMsg"], answer["op"]) == (0, "OK", "auth")
            assert answer["conn_id"] == answer["connId"]

    @pytest.mark.parametrize("expires", [NOW_MS, NOW_MS - 1, str(NOW_MS - 60_000)])
    async def test_what_has_expired_is_refused(self, station: Station, expires: int | str) -> None:
        """ "expires; is greater than your current timestamp"."""
        async with anybody(station) as client:
            answer = await client.ask("auth", *proof(expires))
            assert (answer["success"], answer["ret_msg"], answer["retCode"]) == (False, "Params Error", 10001)

    @pytest.mark.parametrize(
        "args",
        [
            [],
            [KEY],
            proof()[:2],
            [*proof(), "more"],
            [7, *proof()[1:]],
            [KEY, None, "x"],
            [KEY, "tomorrow", "x"],
            [KEY, "", "x"],
            [KEY, -5, "x"],
            [KEY, 1.5, "x"],
            [KEY, True, "x"],
            [KEY, "9" * 19, "x"],
            [KEY, "\u0661" * 13, "x"],
            [KEY, NOW_MS + 1000, None],
        ],
    )
    async def test_arguments_that_are_none(self, station: Station, args: list[Any]) -> None:
        async with anybody(station) as client:
            answer = await client.ask("auth", *args)
            assert (answer["success"], answer["retCode"]) == (False, 10001)

    async def test_a_key_that_is_nobodys(self, station: Station) -> None:
        async with anybody(station) as client:
            answer = await client.ask("auth", *proof(key="nobody"))
            assert (answer["success"], answer["ret_msg"], answer["retCode"]) == (
                False,
                "Invalid apikey",
                10003,
            )

    async def test_a_signature_of_something_else(self, station: Station) -> None:
        key, _, signature = proof()
        for args in (proof(secret="other-secret"), [key, NOW_MS + 999, signature], [key, NOW_MS + 1000, ""]):
            async with anybody(station) as client:
                answer = await client.ask("auth", *args)
                assert (answer["success"], answer["retCode"]) == (False, 10004)
                assert (await client.ask("auth", *proof()))["success"] is True

    async def test_times_that_nobody_looks_at(self) -> None:
        async with Station(timestamps="off").on_air() as station, anybody(station) as client:
            assert (await client.ask("auth", *proof(1)))["success"] is True

    async def test_public_sockets_have_no_such_operation(self, station: Station) -> None:
        async with station.listen("/v5/public/spot") as client:
            answer = await client.ask("auth", *proof())
            assert (answer["success"], answer["ret_msg"]) == (False, "error:invalid op")


class Line(Socket):
    """A socket that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    @property
    def is_open(self) -> bool:
        return True

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)


def connected(station: Station) -> tuple[Connection, Line]:
    """A connection without a client; the site's socket for everything."""
    site = station.sites[0]
    row = next(row for row in site.sockets if row.path == "/v5/any")
    opening = Opening(
        site=site,
        row=row,
        sandbox=station.sandbox,
        is_named=False,
        sandboxes=station.sandboxes,
        path=row.path,
        query=b"",
        headers={},
        source_ip="127.0.0.1",
        note=lambda *_: None,
        note_defect=lambda: None,
    )
    line = Line()
    return Connection(opening, line, Offer(shape=PRIVATE_SHAPE, find=(), eras=Eras())), line


def told(line: Line) -> bytes:
    """The text of the only frame that was sent."""
    (frame,) = line.sent
    line.sent.clear()
    return frame[4:] if frame[1] == 126 else frame[2:]


async def test_each_socket_answers_in_its_own_words(station: Station) -> None:
    """Members in the order of "Connect" and of "Websocket Trade Guideline"."""
    connection, line = connected(station)
    frame = parse_frame(orjson.dumps({"op": "auth", "req_id": "a", "reqId": "b", "args": proof()}))
    auth_private(connection, frame)
    assert orjson.loads(told(line)) == {
        "req_id": "a",
        "success": True,
        "ret_msg": "",
        "op": "auth",
        "conn_id": connection.id,
    }
    assert connection.key is not None
    assert connection.key.account == station.sandbox.accounts["demo"]
    # Who is known may prove it again to the one socket, and not to the other.
    auth_private(connection, frame)
    assert orjson.loads(told(line))["success"] is True
    auth_trade(connection, frame)
    assert orjson.loads(told(line)) == {
        "reqId": "b",
        "retCode": 20001,
        "retMsg": "Repeat auth",
        "op": "auth",
        "connId": connection.id,
    }
    connection.ended()


async def test_a_key_of_another_sandbox_leads_there(station: Station) -> None:
    other = await station.sandboxes.create("other")
    connection, line = connected(station)
    record = station.sandbox.keys[KEY]
    await other.add_key(type(record)(key="theirs", account=other.accounts["demo"], secret="s"))
    frame = parse_frame(
        b'{"op":"auth","args":["theirs",%d,"%s"]}'
        % (NOW_MS + 1000, proof(key="theirs", secret="s")[2].encode())
    )
    auth_trade(connection, frame)
    assert b'"retCode":0' in told(line)
    assert connection.sandbox is other
    connection.ended()
