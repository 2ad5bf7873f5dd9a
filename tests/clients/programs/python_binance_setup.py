"""python-binance pointed at the emulator as its users do it: class attributes, before any client is made."""

import asyncio
from contextlib import asynccontextmanager

from binance.async_client import AsyncClient
from binance.base_client import BaseClient
from binance.client import Client
from binance.ws.keepalive_websocket import KeepAliveWebsocket
from binance.ws.streams import BinanceSocketManager
from stage import STREAMS, URL

BaseClient.API_URL = f"{URL}/api"
BaseClient.MARGIN_API_URL = f"{URL}/sapi"
BaseClient.FUTURES_URL = f"{URL}/fapi"
BaseClient.FUTURES_DATA_URL = f"{URL}/futures/data"
BaseClient.FUTURES_COIN_URL = f"{URL}/dapi"
BaseClient.FUTURES_COIN_DATA_URL = f"{URL}/futures/data"
BaseClient.WEBSITE_URL = URL
BaseClient.WS_API_URL = f"{STREAMS}/ws-api/v3"
BaseClient.WS_FUTURES_URL = f"{STREAMS}/ws-fapi/v1"
BinanceSocketManager.STREAM_URL = f"{STREAMS}/"
BinanceSocketManager.FSTREAM_URL = f"{STREAMS}/"
BinanceSocketManager.DSTREAM_URL = f"{STREAMS}/binance-coinm/"

WITHIN_S = 10


def client_of(account, **options):
    return Client(account.key, account.secret, ping=False, **options)


@asynccontextmanager
async def connected(account=None, **options):
    """A client, and the manager of its sockets."""
    keys = {} if account is None else {"api_key": account.key, "api_secret": account.secret}
    client = await AsyncClient.create(**keys, **options)
    try:
        yield client, BinanceSocketManager(client)
    finally:
        await client.session.close()
        # A socket of this client looks only every ten seconds whether it is to be closed, unless something
        # comes. So its closing is not waited for, but begun: cancelling alone may pass by its reading loop.
        _begin(client.ws_api.close())
        _begin(client.ws_future.close())
        while _followed:
            _begin(_followed.pop().close())
        await asyncio.sleep(0)


_followed = []
_begun = set()


def _begin(closing):
    _begun.add(task := asyncio.ensure_future(closing))
    task.add_done_callback(_begun.discard)


async def following(*sockets):
    """The sockets, connected."""
    for socket in sockets:
        await socket.connect()
        if not isinstance(socket, KeepAliveWebsocket):
            _followed.append(socket)
    return sockets[0] if len(sockets) == 1 else sockets


async def next_of(socket, count=1):
    """What comes next; a list if more than one is asked for."""
    async with asyncio.timeout(WITHIN_S):
        came = [await socket.recv() for _ in range(count)]
    return came[0] if count == 1 else came
