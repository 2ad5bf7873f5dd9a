"""How what the market's streams tell looks on spot: trades, the book, klines."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.markets import Candle
from emulator.exchanges.binance.readings.statistics import trade_ids
from emulator.exchanges.binance.spot.market.klines import render_kline
from emulator.exchanges.binance.spot.payloads.market import PriceLevel
from emulator.exchanges.binance.spot.payloads.streams import (
    AggregateTradeEvent,
    BookTickerEvent,
    DepthEvent,
    KlineEvent,
    PartialDepthEvent,
    TradeEvent,
)
from emulator.exchanges.binance.vocabulary import render_amount
from emulator.market_data.streams.candles import ToldKline
from emulator.market_data.streams.depth import ToldDepth
from emulator.market_data.streams.quotes import Best
from emulator.market_data.streams.stream import Level
from emulator.market_data.streams.trades import ToldTrade


def render_trade(symbol: str, trade: ToldTrade, divisor: int) -> TradeEvent:
    return {
        "e": "trade",
        "E": trade.now_us // divisor,
        "s": symbol,
        "t": trade.id,
        "p": render_amount(trade.price),
        "q": render_amount(trade.quantity),
        "T": trade.time_us // divisor,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def render_aggregate(symbol: str, trade: ToldTrade, divisor: int) -> AggregateTradeEvent:
    """Every trade is an aggregate of its own, as on REST."""
    return {
        "e": "aggTrade",
        "E": trade.now_us // divisor,
        "s": symbol,
        "a": trade.id,
        "p": render_amount(trade.price),
        "q": render_amount(trade.quantity),
        "f": trade.id,
        "l": trade.id,
        "T": trade.time_us // divisor,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def render_best(symbol: str, best: Best, divisor: int) -> BookTickerEvent:
    # Quirk: there is neither an event type nor a time in it; clients tell it by its shape
    # (web-socket-streams.md, "Individual Symbol Book Ticker Streams").
    return {
        "u": best.update_id,
        "s": symbol,
        "b": render_amount(best.bid[0]),
        "B": render_amount(best.bid[1]),
        "a": render_amount(best.ask[0]),
        "A": render_amount(best.ask[1]),
    }


def render_partial_depth(depth: ToldDepth, divisor: int) -> PartialDepthEvent:
    # Quirk: it names neither its type nor its symbol, so who gets it without the combined wrapper has to
    # know what it asked for (web-socket-streams.md, "Partial Book Depth Streams").
    return {
        "lastUpdateId": depth.update_id,
        "bids": _render_levels(depth.bids),
        "asks": _render_levels(depth.asks),
    }


def render_depth(symbol: str, depth: ToldDepth, divisor: int) -> DepthEvent:
    """U of an event is one more than u of the event before; u is the id of the book that its quantities
    are of.
    """
    return {
        "e": "depthUpdate",
        "E": depth.now_us // divisor,
        "s": symbol,
        "U": depth.told_id + 1,
        "u": depth.update_id,
        "b": _render_levels(depth.bids),
        "a": _render_levels(depth.asks),
    }


def _render_levels(levels: Sequence[Level]) -> list[PriceLevel]:
    # Quirk: always eight places, because clients take a level away for the text "0.00000000" alone
    # (python-binance, `DepthCache`).
    return [(render_amount(price), render_amount(quantity)) for price, quantity in levels]


def render_candle(symbol: str, interval: str, told: ToldKline[Candle], divisor: int) -> KlineEvent:
    candle = told.candle
    kline = render_kline(candle, divisor)
    first_id, last_id = trade_ids(candle)
    return {
        "e": "kline",
        "E": told.now_us // divisor,
        "s": symbol,
        "k": {
            "t": kline[0],
            "T": kline[6],
            "s": symbol,
            "i": interval,
            "f": first_id,
            "L": last_id,
            "o": kline[1],
            "c": kline[4],
            "h": kline[2],
            "l": kline[3],
            "v": kline[5],
            "n": kline[8],
            "x": told.is_closed,
            "q": kline[7],
            "V": kline[9],
            "Q": kline[10],
            "B": kline[11],
        },
    }
