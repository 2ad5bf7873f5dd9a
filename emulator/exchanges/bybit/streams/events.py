"""How what public topics tell looks: books, trades, klines, liquidations, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from emulator.core.instruments import Side
from emulator.core.numbers import exact
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.ids import cross_sequence, execution_id_text
from emulator.exchanges.bybit.market.figures import figures_of
from emulator.exchanges.bybit.streams.klines import ToldCandle
from emulator.exchanges.bybit.streams.liquidations import Liquidated
from emulator.exchanges.bybit.streams.payloads import (
    Book,
    BookEvent,
    KlineEvent,
    Level,
    LiquidationEvent,
    PriceLimitEvent,
    RpiLevel,
    TickerEvent,
    Trade,
    TradeEvent,
)
from emulator.exchanges.bybit.streams.topics import TICK_WORDS, Topic, TopicKind
from emulator.exchanges.bybit.vocabulary import SIDE_WORDS
from emulator.market_data.streams.candles import ToldKline
from emulator.market_data.streams.records import ToldFields
from emulator.market_data.streams.trades import ToldTrade
from emulator.market_data.streams.window import ToldWindow
from emulator.market_data.ticks import Tick

SNAPSHOT, DELTA = "snapshot", "delta"


class Renderer:
    """Of one topic of a symbol. Each method takes what is told, and how many microseconds its unit of time
    has, which is always a thousand."""

    __slots__ = ("_figures", "_listing", "_time_first", "_topic")

    def __init__(self, topic: Topic) -> None:
        assert topic.listing is not None
        self._topic = topic.name
        self._listing = topic.listing
        self._figures = figures_of(topic.listing)
        self._time_first = topic.listing.contract is None or topic.kind is TopicKind.BEST

    # Books

    def book(self, told: ToldWindow, divisor: int) -> BookEvent:
        return self._book(told, self._levels(told.bids), self._levels(told.asks))

    def best(self, told: ToldWindow, divisor: int) -> BookEvent:
        # Quirk: the best bid and ask of contracts come without the zeros at the end that other depths have
        # (live frames).
        bids, asks = (
            [(decimal_text(price), decimal_text(quantity)) for price, quantity in side]
            for side in (told.bids, told.asks)
        )
        return self._book(told, bids, asks)

    def rpi_book(self, told: ToldWindow, divisor: int) -> BookEvent:
        """Nobody offers a retail price improvement, so there is none at any price."""
        bids, asks = (
            [(price, quantity, "0") for price, quantity in self._levels(side)]
            for side in (told.bids, told.asks)
        )
        return self._book(told, bids, asks)

    def _book(
        self, told: ToldWindow, bids: list[Level] | list[RpiLevel], asks: list[Level] | list[RpiLevel]
    ) -> BookEvent:
        type_, ts = SNAPSHOT if told.is_snapshot else DELTA, told.now_us // 1000
        book: Book = {
            "s": self._listing.symbol,
            "b": bids,
            "a": asks,
            "u": told.number,
            "seq": cross_sequence(told.looked_us),
        }
        cts = told.looked_us // 1000
        # Quirk: of pairs, and of the best bid and ask, the time is told before the type ("Orderbook").
        if self._time_first:
            return {"topic": self._topic, "ts": ts, "type": type_, "data": book, "cts": cts}
        return {"topic": self._topic, "type": type_, "ts": ts, "data": book, "cts": cts}

    def _levels(self, levels: Sequence[tuple[Decimal, Decimal]]) -> list[Level]:
        """What is gone is "0", without places."""
        price_text, quantity_text = self._figures.price, self._figures.quantity
        with exact():
            return [
                (price_text(price), quantity_text(quantity) if quantity else "0")
                for price, quantity in levels
            ]

    # Trades

    def trades(self, trades: Sequence[tuple[ToldTrade, Tick]], divisor: int) -> TradeEvent:
        with exact():
            told = [self._trade(trade, tick) for trade, tick in trades]
        return {"topic": self._topic, "type": SNAPSHOT, "ts": trades[0][0].now_us // 1000, "data": told}

    def _trade(self, trade: ToldTrade, tick: Tick) -> Trade:
        listing, figures = self._listing, self._figures
        told: Trade = {
            "T": trade.time_us // 1000,
            "s": listing.symbol,
            "S": SIDE_WORDS[Side.SELL if trade.buyer_is_maker else Side.BUY],
            "v": figures.quantity(trade.quantity),
            "p": figures.price(trade.price),
            "L": TICK_WORDS[tick],
            "i": execution_id_text(listing.category, listing.instrument.symbol, trade.id),
            "BT": False,
            "RPI": False,
            "seq": cross_sequence(trade.time_us),
        }
        if listing.contract is None:
            del told["L"]
        return told

    # At a pace

    def kline(self, interval: str, told: ToldKline[ToldCandle], divisor: int) -> KlineEvent:
        candle, last_us = told.candle
        with exact():
            turnover = decimal_text(self._figures.turnover(candle))
        return {
            "topic": self._topic,
            "data": [
                {
                    "start": candle.open_us // 1000,
                    "end": candle.close_us // 1000 - 1,
                    "interval": interval,
                    "open": decimal_text(candle.open),
                    "close": decimal_text(candle.close),
                    "high": decimal_text(candle.high),
                    "low": decimal_text(candle.low),
                    "volume": decimal_text(candle.volume),
                    "turnover": turnover,
                    "confirm": told.is_closed,
                    "timestamp": last_us // 1000,
                }
            ],
            "ts": told.now_us // 1000,
            "type": SNAPSHOT,
        }

    def liquidations(self, values: Sequence[Liquidated], now_us: int, divisor: int) -> LiquidationEvent:
        listing, figures = self._listing, self._figures
        with exact():
            return {
                "topic": self._topic,
                "type": SNAPSHOT,
                "ts": now_us // 1000,
                "data": [
                    {
                        "T": one.time_us // 1000,
                        "s": listing.symbol,
                        "S": SIDE_WORDS[one.side],
                        "v": decimal_text(one.quantity),
                        "p": figures.price(one.price),
                    }
                    for one in values
                ],
            }

    def ticker(self, told: ToldFields, divisor: int) -> TickerEvent:
        type_, ts = SNAPSHOT if told.is_snapshot else DELTA, told.now_us // 1000
        fields, cs = {"symbol": self._listing.symbol, **told.fields}, cross_sequence(told.looked_us)
        # Quirk: the members of a ticker come in another order for pairs ("Ticker").
        if self._time_first:
            return {"topic": self._topic, "ts": ts, "type": type_, "cs": cs, "data": fields}
        return {"topic": self._topic, "type": type_, "data": fields, "cs": cs, "ts": ts}

    def price_limit(self, told: ToldFields, divisor: int) -> PriceLimitEvent:
        return {
            "topic": self._topic,
            "data": {
                "symbol": self._listing.symbol,
                "buyLmt": told.fields["buyLmt"],
                "sellLmt": told.fields["sellLmt"],
            },
            "ts": told.now_us // 1000,
        }
