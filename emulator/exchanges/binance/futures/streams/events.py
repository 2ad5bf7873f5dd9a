"""How trades, books and klines look on the streams of the futures sites."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.markets import Candle
from emulator.core.numbers import exact
from emulator.exchanges.binance.futures.figures import Figures, figures_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import USDM, Product
from emulator.exchanges.binance.futures.streams.payloads import (
    AggregateTradeEvent,
    BookTickerEvent,
    ContinuousKlineEvent,
    DepthEvent,
    KlineEvent,
    KlineSoFar,
    Level,
    PriceKlineEvent,
    TradeEvent,
)
from emulator.exchanges.binance.readings.statistics import trade_ids
from emulator.exchanges.binance.vocabulary import render_amount
from emulator.market_data.contract_candles import PricesSoFar
from emulator.market_data.streams.candles import ToldKline
from emulator.market_data.streams.depth import ToldDepth
from emulator.market_data.streams.quotes import Best
from emulator.market_data.streams.stream import Level as BookLevel
from emulator.market_data.streams.trades import ToldTrade


def product_number(product: Product) -> int:
    """What `st` says of a product's symbols."""
    return 1 if product is USDM else 2


class Renderer:
    """Of one contract."""

    __slots__ = ("_figures", "_listing", "_pair", "_product", "_st", "_symbol")

    def __init__(self, product: Product, listing: Listing) -> None:
        self._product = product
        self._listing = listing
        self._symbol = listing.symbol
        self._pair = listing.pair
        self._figures = figures_of(listing)
        self._st = product_number(product)

    def trade(self, trade: ToldTrade, divisor: int) -> TradeEvent:
        figures = self._figures
        return {
            "e": "trade",
            "E": trade.now_us // divisor,
            "T": trade.time_us // divisor,
            "s": self._symbol,
            "t": trade.id,
            "p": figures.price(trade.price),
            "q": figures.quantity(trade.quantity),
            "X": "MARKET",
            "m": trade.buyer_is_maker,
            "st": self._st,
        }

    def aggregate(self, trade: ToldTrade, divisor: int) -> AggregateTradeEvent:
        """Every trade is an aggregate of its own, as on REST."""
        figures = self._figures
        quantity = figures.quantity(trade.quantity)
        event: AggregateTradeEvent = {
            "e": "aggTrade",
            "E": trade.now_us // divisor,
            "a": trade.id,
            "s": self._symbol,
            "p": figures.price(trade.price),
            "q": quantity,
            "nq": quantity,
            "f": trade.id,
            "l": trade.id,
            "T": trade.time_us // divisor,
            "m": trade.buyer_is_maker,
            "st": self._st,
        }
        if self._product is not USDM:
            del event["nq"]
        return event

    def best(self, best: Best, divisor: int) -> BookTickerEvent:
        figures, time = self._figures, best.now_us // divisor
        return {
            "e": "bookTicker",
            "u": best.update_id,
            "s": self._symbol,
            "ps": self._pair,
            "b": figures.price(best.bid[0]),
            "B": figures.quantity(best.bid[1]),
            "a": figures.price(best.ask[0]),
            "A": figures.quantity(best.ask[1]),
            "T": time,
            "E": time,
            "st": self._st,
        }

    def diff(self, depth: ToldDepth, divisor: int) -> DepthEvent:
        # Quirk: a local book of futures begins with an event that has U <= lastUpdateId <= u, where on spot
        # lastUpdateId + 1 lies between them. So that there always is one, an event begins with the very
        # update that the one before ended with ("How to manage a local order book correctly" of USD-M).
        return self._depth(depth, depth.told_id, divisor)

    def partial(self, depth: ToldDepth, divisor: int) -> DepthEvent:
        return self._depth(depth, min(depth.told_id + 1, depth.update_id), divisor)

    def _depth(self, depth: ToldDepth, first_id: int, divisor: int) -> DepthEvent:
        time = depth.now_us // divisor
        return {
            "e": "depthUpdate",
            "E": time,
            "T": time,
            "s": self._symbol,
            "ps": self._pair,
            "U": first_id,
            "u": depth.update_id,
            "pu": depth.told_id,
            "b": self._levels(depth.bids),
            "a": self._levels(depth.asks),
            "st": self._st,
        }

    def _levels(self, levels: Sequence[BookLevel]) -> list[Level]:
        figures = self._figures
        return [(figures.price(price), figures.quantity(quantity)) for price, quantity in levels]

    def kline(self, interval: str, told: ToldKline[Candle], divisor: int) -> KlineEvent:
        ids = trade_ids(told.candle)
        kline = _kline(self._figures, self._symbol, interval, told, ids, divisor)
        return {"e": "kline", "E": told.now_us // divisor, "s": self._symbol, "k": kline}

    def mark_kline(self, interval: str, told: ToldKline[PricesSoFar], divisor: int) -> PriceKlineEvent:
        return _price_kline("markPrice_kline", self._pair, self._symbol, interval, told, divisor)


def render_continuous(
    listing: Listing,
    contract_type: str,
    interval: str,
    ids: tuple[int, int],
    told: ToldKline[Candle],
    divisor: int,
) -> ContinuousKlineEvent:
    """listing: whose trades it tells. ids: the first and the last update of the book in its time."""
    kline = _kline(figures_of(listing), "", interval, told, ids, divisor)
    del kline["s"]
    return {
        "e": "continuous_kline",
        "E": told.now_us // divisor,
        "ps": listing.pair,
        "ct": contract_type,
        "k": kline,
    }


def _kline(
    figures: Figures,
    symbol: str,
    interval: str,
    told: ToldKline[Candle],
    ids: tuple[int, int],
    divisor: int,
) -> KlineSoFar:
    candle = told.candle
    with exact():
        return {
            "t": candle.open_us // divisor,
            "T": (candle.close_us - 1) // divisor,
            "s": symbol,
            "i": interval,
            "f": ids[0],
            "L": ids[1],
            "o": figures.price(candle.open),
            "c": figures.price(candle.close),
            "h": figures.price(candle.high),
            "l": figures.price(candle.low),
            "v": figures.quantity(candle.volume),
            "n": candle.trades,
            "x": told.is_closed,
            "q": figures.exact_value(candle.volume, candle.quote_volume),
            "V": figures.quantity(candle.taker_volume),
            "Q": figures.exact_value(candle.taker_volume, candle.taker_quote_volume),
            "B": "0",
        }


def render_index_kline(
    pair: str, interval: str, told: ToldKline[PricesSoFar], divisor: int
) -> PriceKlineEvent:
    # Quirk: an index has no symbol, and its klines say "0" for one (COIN-M, "Index Kline/Candlestick
    # Streams").
    return _price_kline("indexPrice_kline", pair, "0", interval, told, divisor)


def _price_kline(
    word: str, pair: str, symbol: str, interval: str, told: ToldKline[PricesSoFar], divisor: int
) -> PriceKlineEvent:
    prices = told.candle
    candle = prices.candle
    return {
        "e": word,
        "E": told.now_us // divisor,
        "ps": pair,
        "k": {
            "t": candle.open_us // divisor,
            "T": (candle.close_us - 1) // divisor,
            "s": symbol,
            "i": interval,
            "f": candle.open_us // divisor,
            "L": prices.last_us // divisor,
            "o": render_amount(candle.open),
            "c": render_amount(candle.close),
            "h": render_amount(candle.high),
            "l": render_amount(candle.low),
            "v": "0",
            "n": prices.seconds,
            "x": told.is_closed,
            "q": "0",
            "V": "0",
            "Q": "0",
            "B": "0",
        },
    }
