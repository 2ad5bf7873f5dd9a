"""The exchange's two SDKs of contracts pointed at the emulator by their addresses; each is given as it is."""

import asyncio
import contextlib
import io
import time
import urllib.request
import warnings
import zipfile

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_models import held_whole
from stage import STREAMS, URL

WITHIN_S = 10


class Rest:
    """An SDK's REST API; each answer is checked to be whole and typed, then given as the model.

    absent: what answers need not have. unknown: what they may have beside what their models declare.
    """

    def __init__(self, kind, account, absent, unknown):
        keys = {"api_key": account.key, "api_secret": account.secret}
        self.account = account
        self.rest = kind(config_rest_api=ConfigurationRestAPI(base_path=URL, **keys)).rest_api
        self._absent, self._unknown = absent, unknown

    def __getattr__(self, name):
        method = getattr(self.rest, name)

        def call(**terms):
            return held_whole(name, method(**terms).data(), self._absent, self._unknown)

        return call


def downloaded(link_of, asked):
    """The lines of the one table in the file that a link leads to, as soon as it is there."""
    until = time.monotonic() + WITHIN_S
    while (link := link_of(download_id=asked.download_id)).status != "completed":
        assert time.monotonic() < until, link
    with urllib.request.urlopen(link.url, timeout=WITHIN_S) as reply:
        file = zipfile.ZipFile(io.BytesIO(reply.read()))
    (name,) = file.namelist()
    return file.read(name).decode().splitlines()


class Heard:
    """What a stream tells, message by message."""

    def __init__(self, stream):
        self._queue = asyncio.Queue()
        stream.on("message", self._queue.put_nowait)

    async def next(self):
        async with asyncio.timeout(WITHIN_S):
            message = await self._queue.get()
        return getattr(message, "actual_instance", message)


@contextlib.asynccontextmanager
async def socket_api(kind, account, path):
    """path: that of the site's WebSocket API."""
    api = kind(
        config_ws_api=ConfigurationWebSocketAPI(
            api_key=account.key, api_secret=account.secret, stream_url=f"{STREAMS}{path}"
        )
    ).websocket_api
    with warnings.catch_warnings():
        # It gives its time-out to aiohttp as aiohttp no longer likes it.
        warnings.simplefilter("ignore", DeprecationWarning)
        await api.create_connection()
    try:
        yield api
    finally:
        await api.close_connection(close_session=True)


@contextlib.asynccontextmanager
async def streams(kind, base=STREAMS):
    connected = kind(config_ws_streams=ConfigurationWebSocketStreams(stream_url=base)).websocket_streams
    await connected.create_connection()
    try:
        yield connected
    finally:
        await connected.close_connection(close_session=True)


async def answered(awaitable):
    """The result of a request over the WebSocket API."""
    answer = (await awaitable).data()
    answer = getattr(answer, "actual_instance", answer)
    assert answer.status == 200, answer
    return answer.result
