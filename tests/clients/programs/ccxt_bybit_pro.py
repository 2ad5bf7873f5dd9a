"""ccxt.pro's bybit pointed at the emulator, and ways to wait for what it watches."""

import asyncio
from contextlib import asynccontextmanager

import ccxt.pro
from ccxt_bybit_setup import begin
from stage import control

WITHIN_S = 10


@asynccontextmanager
async def client(**options):
    exchange = begin(kind=ccxt.pro.bybit, timeout_on_exit=0, **options)
    try:
        yield exchange
    finally:
        await exchange.close()


async def watched(watch, is_wanted=bool, stir=None):
    """What `watch()` gives as soon as it is wanted; until then it is stirred, and time goes on.

    Nobody is told when a stream begins.
    """

    async def stirring():
        while True:
            if stir is not None:
                stir()
            control("PUT", "clock", {"step": "200ms"})
            await asyncio.sleep(0.02)

    moving = asyncio.ensure_future(stirring())
    try:
        async with asyncio.timeout(WITHIN_S):
            while not is_wanted(came := await watch()):
                pass
        return came
    finally:
        moving.cancel()


class Watching:
    """Runs one of the client's watch methods again and again, as a bot does, and keeps what it gives.

    Nothing is said at the beginning, nobody is told when the client is there, and what comes while it does
    not wait it keeps until the next message: so something is stirred until what is waited for has come.
    """

    def __init__(self, watch, stir):
        self.seen = []
        self._watch, self._stir = watch, stir
        self._came = asyncio.Event()

    async def __aenter__(self):
        self._task = asyncio.ensure_future(self._run())
        async with asyncio.timeout(WITHIN_S):
            while not self.seen:
                await self._nudge()
        return self

    async def __aexit__(self, *_):
        self._task.cancel()

    async def _run(self):
        while True:
            came = await self._watch()
            self.seen += came if isinstance(came, list) else [came]
            self._came.set()

    async def until(self, is_wanted):
        """The first that is wanted."""
        async with asyncio.timeout(WITHIN_S):
            while not (found := [each for each in self.seen if is_wanted(each)]):
                await self._nudge()
        return found[0]

    async def _nudge(self):
        """Waits for news; stirs where none comes."""
        self._came.clear()
        try:
            await asyncio.wait_for(self._came.wait(), 0.1)
        except TimeoutError:
            await self._stir()
