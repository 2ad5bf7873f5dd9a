"""The average price of the last minutes, as its endpoint answers it."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.exchanges.binance.running import engine_of
from emulator.exchanges.binance.spot.market.prices import Average, read_average
from emulator.exchanges.binance.spot.payloads.streams import AveragePriceEvent
from emulator.exchanges.binance.spot.streams.names import Stream
from emulator.exchanges.binance.vocabulary import render_amount
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message
from emulator.web.streams.source import Paced, Source


class AveragePrices(Source):
    """`<symbol>@avgPrice`: whenever the average or the time of the last trade is another."""

    def __init__(self, sandbox: Sandbox, stream: Stream) -> None:
        assert stream.symbol is not None
        self._sandbox = sandbox
        self._name = stream.name
        self._symbol = stream.symbol
        self._paced = Paced(stream.pace_us)
        self._last: Average | None = None

    def open(self, now_us: int) -> None:
        self._last = read_average(engine_of(self._sandbox), self._symbol, now_us)
        self._paced.begin(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        engine = engine_of(self._sandbox)
        if not self._paced.is_due(now_us):
            return ()
        average = read_average(engine, self._symbol, now_us)
        if average == self._last:
            return ()
        self._last = average
        symbol = self._symbol

        def build(divisor: int) -> AveragePriceEvent:
            return {
                "e": "avgPrice",
                "E": now_us // divisor,
                "s": symbol,
                "i": f"{average.minutes}m",
                "w": render_amount(average.price),
                "T": average.last_trade_us // divisor,
            }

        return (Message(self._name, build),)

    def next_us(self, now_us: int) -> int | None:
        return self._paced.next_us
