"""Binance Spot's WebSocket API on real sockets in this process, beside the REST endpoints of the site."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import msgspec
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.spot import listen_keys
from emulator.exchanges.binance.spot.ws_api import socket_row
from emulator.exchanges.binance.ws_api.connection import Connection
from emulator.runtime.ports import KeyKind, KeyRecord
from emulator.web.contract import Opening, Site
from emulator.web.sockets import Socket
from tests.exchanges.binance.building import Building, spot
from tests.exchanges.binance.trading_floor import DEMO
from tests.web.serving import WAIT_S, BareSocket, serving

PATH = "/ws-api/v3"

Sign = Callable[[bytes], str]


class Switchboard(Building):
    """As a `Building`, whose clock stands still and whose quotas do not refuse unless asked to."""

    port = 0

    def _site(self) -> Site:
        return Site(
            name="binance",
            engine="binance",
            title="Binance Spot",
            rows=(*spot().rows, *(listen_keys.rows if self.eras.spot_listen_key == "serve" else ())),
            dialect=self.door,
            not_emulated=spot().not_emulated,
            sockets=(msgspec.structs.replace(socket_row, open=self._open),),
        )

    def __init__(self, *, eras: Eras | None = None, **more: Any) -> None:
        self.eras = eras or Eras()
        self.sessions: list[Connection] = []
        super().__init__(**more)
        self.door.eras = self.eras

    def _open(self, opening: Opening, socket: Socket) -> Connection:
        session = socket_row.open(opening, socket)
        assert isinstance(session, Connection)
        self.sessions.append(session)
        return session

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[Switchboard]:
        async with self, serving(self.application) as self.port:
            yield self

    @asynccontextmanager
    async def call(self, query: str = "", *, path: str = PATH, **options: Any) -> AsyncIterator[Caller]:
        address = f"ws://127.0.0.1:{self.port}{path}" + (f"?{query}" if query else "")
        async with connect(address, **options) as connection:
            yield Caller(self, connection)

    @asynccontextmanager
    async def bare(self, query: str = "") -> AsyncIterator[BareSocket]:
        async with BareSocket.connected(self.port, PATH + (f"?{query}" if query else "")) as bare:
            yield bare

    def sign(self, who: str | None = DEMO, /, **params: Any) -> dict[str, Any]:
        """The parameters of somebody's request, with all that proves whose it is."""
        params = {"apiKey": f"key-of-{who}", "timestamp": self.now_ms, **params}
        params["signature"] = hmac.digest(f"secret-of-{who}".encode(), payload(params), "sha256").hex()
        return params

    @property
    def now_ms(self) -> int:
        return self.sandbox.clock.now_us() // 1000

    async def add_key(self, kind: KeyKind, sign: Sign, public: str, who: str = DEMO) -> Key:
        """Somebody's further key."""
        record = KeyRecord(
            key=f"{kind.value}-of-{who}", account=self.sandbox.accounts[who], kind=kind, secret=public
        )
        await self.sandbox.add_key(record)
        return Key(record.key, sign, self)

    async def add_ed25519_key(self, who: str = DEMO) -> Key:
        private = Ed25519PrivateKey.generate()
        return await self.add_key(
            KeyKind.ED25519,
            lambda text: base64.b64encode(private.sign(text)).decode(),
            _pem(private.public_key()),
            who,
        )

    async def add_rsa_key(self, who: str = DEMO) -> Key:
        private = generate_private_key(public_exponent=65537, key_size=2048)
        return await self.add_key(
            KeyKind.RSA,
            lambda text: base64.b64encode(private.sign(text, PKCS1v15(), SHA256())).decode(),
            _pem(private.public_key()),
            who,
        )


def _pem(public: Any) -> str:
    pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


class Key:
    """A key that signs for itself."""

    def __init__(self, name: str, sign: Sign, board: Switchboard) -> None:
        self.name = name
        self._sign = sign
        self._board = board

    def sign(self, **params: Any) -> dict[str, Any]:
        params = {"apiKey": self.name, "timestamp": self._board.now_ms, **params}
        return {**params, "signature": self._sign(payload(params))}


def payload(params: Mapping[str, Any]) -> bytes:
    """What web-socket-api.md says is signed."""
    return "&".join(f"{name}={_text(params[name])}" for name in sorted(params)).encode()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def escaped(params: Mapping[str, Any]) -> bytes:
    """What Python's clients sign in its place."""
    return urlencode(sorted(params.items())).encode()


class Caller:
    """A client. Events that come while it waits for an answer are kept in `events`."""

    def __init__(self, board: Switchboard, connection: ClientConnection) -> None:
        self.board = board
        self.connection = connection
        self.events: deque[Any] = deque()

    async def send(self, method: str, params: Mapping[str, Any] | None = None, *, id: Any = 1) -> None:
        request: dict[str, Any] = {"id": id, "method": method}
        if params is not None:
            request["params"] = params
        await self.say(orjson.dumps(request).decode())

    async def say(self, text: str) -> None:
        await self.connection.send(text)

    async def next(self) -> Any:
        return orjson.loads(await asyncio.wait_for(self.connection.recv(), WAIT_S))

    async def answer(self) -> Any:
        while True:
            frame = await self.next()
            if "status" in frame:
                return frame
            self.events.append(frame)

    async def event(self) -> Any:
        return self.events.popleft() if self.events else await self.next()

    async def ask(self, method: str, params: Mapping[str, Any] | None = None, *, id: Any = 1) -> Any:
        """The whole answer."""
        await self.send(method, params, id=id)
        return await self.answer()

    async def take(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """The result of an answer that must be a success."""
        answer = await self.ask(method, params)
        assert answer["status"] == 200, (method, params, answer)
        return answer["result"]

    async def own(self, method: str, who: str = DEMO, /, **params: Any) -> Any:
        """The result of a signed request."""
        return await self.take(method, self.board.sign(who, **params))

    async def no(self, method: str, params: Mapping[str, Any] | None = None) -> tuple[int, int, str]:
        """Status, code and text of an answer that must be a refusal of the usual sort."""
        answer = await self.ask(method, params)
        assert list(answer) in (["id", "status", "error"], ["id", "status", "error", "rateLimits"]), answer
        assert list(answer["error"]) == ["code", "msg"], answer
        return answer["status"], answer["error"]["code"], answer["error"]["msg"]

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close that the server sends, after whatever else it sends."""
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    await self.connection.recv()
                except ConnectionClosed as closed:
                    return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
