"""The stream of the best bids and asks of all contracts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from emulator.exchanges.binance.futures.streams.events import Renderer
from emulator.exchanges.binance.running import engine_of
from emulator.market_data.streams.quotes import Best, read_best
from emulator.market_data.streams.stream import MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message
from emulator.web.streams.source import Paced, Source


class AllBookTickers(Source):
    """`!bookTicker`: at each of its moments those that changed, one by one. contracts: which are told at a
    time, by the core's names.
    """

    def __init__(
        self, sandbox: Sandbox, stream: MarketStream, contracts: Callable[[int], dict[str, Renderer]]
    ) -> None:
        self._sandbox = sandbox
        self._name = stream.name
        self._contracts = contracts
        self._paced = Paced(stream.pace_us)
        self._told: dict[str, Best] = {}

    def open(self, now_us: int) -> None:
        self._paced.begin(now_us)
        self._told = self._read(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        if not self._paced.is_due(now_us):
            return ()
        told, self._told = self._told, self._read(now_us)
        contracts = self._contracts(now_us)
        return [
            Message(self._name, partial(contracts[instrument].best, best))
            for instrument, best in self._told.items()
            if (earlier := told.get(instrument)) is None or best.edges != earlier.edges
        ]

    def next_us(self, now_us: int) -> int:
        return self._paced.next_us

    def _read(self, now_us: int) -> dict[str, Best]:
        engine = engine_of(self._sandbox)
        return {instrument: read_best(engine, instrument, now_us) for instrument in self._contracts(now_us)}
