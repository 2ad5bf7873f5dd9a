"""ccxt.pro pointed at the emulator, and a way to wait for what it watches."""

import asyncio
from contextlib import asynccontextmanager

import ccxt.pro
from ccxt_setup import config_of
from stage import Account

WITHIN_S = 10


_loaded = {}
"""The program's first client of a kind; the others need not load the markets again."""


@asynccontextmanager
async def client_of(account=None, kind=ccxt.pro.binance, **options):
    # Where it is not closing encrypted connections, it need not linger.
    options = {"timeout_on_exit": 0, **options}
    exchange = kind(config_of(account or Account("", None, None), **options))
    try:
        if known := _loaded.get(kind):
            exchange.set_markets(known.markets, known.currencies)
        else:
            await exchange.load_markets()
            _loaded[kind] = exchange
        yield exchange
    finally:
        await exchange.close()


@asynccontextmanager
async def watcher(account, **options):
    """A client of the spot site that is already told of what becomes of its account."""
    async with client_of(account, **options) as exchange:
        await exchange.authenticate()
        yield exchange


async def watched(watch, is_wanted=bool, stir=None):
    """What `watch()` gives as soon as it is wanted.

    stir: makes something happen, again and again until then, since nobody is told when a stream begins.
    """

    async def stirring():
        while True:
            stir()
            await asyncio.sleep(0.02)

    moving = None if stir is None else asyncio.ensure_future(stirring())
    try:
        async with asyncio.timeout(WITHIN_S):
            while not is_wanted(came := await watch()):
                pass
        return came
    finally:
        if moving is not None:
            moving.cancel()


class Watching:
    """Runs one of the client's watch methods again and again, as a bot does, and keeps what it gives."""

    def __init__(self, watch):
        self.seen = []
        self._watch = watch
        self._came = asyncio.Event()

    async def __aenter__(self):
        self._task = asyncio.ensure_future(self._run())
        await asyncio.sleep(0)
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
                self._came.clear()
                await self._came.wait()
        return found[0]
