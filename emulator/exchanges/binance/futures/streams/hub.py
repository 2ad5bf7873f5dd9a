"""The streams of the futures sites, and the hubs that run them in each sandbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Final

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.core.marks import Marks
from emulator.exchanges.binance.futures.assets import BUFFERS
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import PRODUCTS, Product
from emulator.exchanges.binance.futures.streams.assets import AssetTickers, all_assets
from emulator.exchanges.binance.futures.streams.contracts import ContractInfo
from emulator.exchanges.binance.futures.streams.events import (
    Renderer,
    render_continuous,
    render_index_kline,
)
from emulator.exchanges.binance.futures.streams.forced import ForcedOrders
from emulator.exchanges.binance.futures.streams.klines import (
    ContinuousCandle,
    OfPrices,
    OfTrades,
    OfType,
)
from emulator.exchanges.binance.futures.streams.marks import IndexPrices, MarkTickers
from emulator.exchanges.binance.futures.streams.names import Stream, StreamKind
from emulator.exchanges.binance.futures.streams.payloads import ContinuousKlineEvent, KlineEvent
from emulator.exchanges.binance.futures.streams.quotes import AllBookTickers
from emulator.exchanges.binance.futures.streams.tickers import DayTickers
from emulator.exchanges.binance.readings.intervals import interval_of
from emulator.exchanges.binance.running import ENGINE
from emulator.market_data.shown import SHOWN
from emulator.market_data.streams.candles import Klines, ToldKline
from emulator.market_data.streams.depth import Books, DepthDiffs, PartialDepth
from emulator.market_data.streams.listed import WhileListed
from emulator.market_data.streams.quotes import BookTickers
from emulator.market_data.streams.tickers import AllTickers, SymbolTicker
from emulator.market_data.streams.trades import Trades
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.hub import Hub
from emulator.web.streams.message import Message
from emulator.web.streams.source import Make, Source

LEVELS_MAX: Final = 1000
"""Of one side, as REST shows at most."""

BOOKS: Final = PerSandbox(partial(Books, engine=ENGINE, levels_max=LEVELS_MAX))


class Silent(Source):
    """A stream that nothing ever happens on."""

    def __init__(self, sandbox: Sandbox, stream: Stream) -> None: ...

    def open(self, now_us: int) -> None:
        pass

    def look(self, now_us: int) -> Sequence[Message]:
        return ()

    def next_us(self, now_us: int) -> int | None:
        return None


# Streams of one contract


def _contract(make: Callable[[Sandbox, Stream, Listing, Renderer], Source]) -> Make[Stream]:
    """Makes the source of a symbol's stream; one of a symbol that is not listed is silent."""

    def made(sandbox: Sandbox, stream: Stream) -> Source:
        listing = stream.listing
        if listing is None:
            return Silent(sandbox, stream)
        source = make(sandbox, stream, listing, Renderer(stream.product, listing))
        return source if listing.is_perpetual else WhileListed(source, listing.is_listed)

    return made


def _trades(sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    return Trades(sandbox, stream, renderer.trade)


def _aggregates(sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    return Trades(sandbox, stream, renderer.aggregate)


def _book_tickers(sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    return BookTickers(sandbox, stream, renderer.best)


def _partial_depth(sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    return PartialDepth(sandbox, stream, renderer.partial, levels=stream.levels)


def _depth(sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    return DepthDiffs(sandbox, stream, renderer.diff, books=BOOKS)


def _klines(sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    interval = interval_of(stream.interval)
    read = OfTrades(listing, interval)
    render: Callable[[ToldKline[Candle], int], KlineEvent] = partial(renderer.kline, stream.interval)
    return Klines(sandbox, stream, render, interval=interval, read=read)


def _mark_klines(sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    interval = interval_of(stream.interval)
    read = OfPrices(Marks.mark_candles, listing, interval)
    return Klines(
        sandbox, stream, partial(renderer.mark_kline, stream.interval), interval=interval, read=read
    )


def _ticker(is_mini: bool, sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    return SymbolTicker(sandbox, stream, DayTickers([stream.product], is_mini=is_mini))


def _mark_price(sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    return SymbolTicker(sandbox, stream, MarkTickers([stream.product]))


def _forced_order(sandbox: Sandbox, stream: Stream, listing: Listing, renderer: Renderer) -> Source:
    return ForcedOrders(sandbox, stream, {listing.instrument.symbol: (stream.product, listing)})


# Streams of a pair


def _of_pair(stream: Stream) -> list[Listing]:
    return [listing for listing in stream.product.listings.values() if listing.pair == stream.pair]


def _pair_marks(sandbox: Sandbox, stream: Stream) -> Source:
    listings = _of_pair(stream)

    def listed(engine: Engine, now_us: int) -> list[str]:
        return [listing.instrument.symbol for listing in listings if listing.is_listed(now_us)]

    return AllTickers(sandbox, stream, MarkTickers([stream.product]), listed=listed)


def _index_price(sandbox: Sandbox, stream: Stream) -> Source:
    # The index is the same whatever is traded on it, and a pair's first contract is its perpetual.
    listings = _of_pair(stream)
    if not listings:
        return Silent(sandbox, stream)
    return IndexPrices(sandbox, stream, stream.pair, listings[0].instrument.symbol)


def _index_klines(sandbox: Sandbox, stream: Stream) -> Source:
    listings = _of_pair(stream)
    if not listings:
        return Silent(sandbox, stream)
    interval = interval_of(stream.interval)
    return Klines(
        sandbox,
        stream,
        partial(render_index_kline, stream.pair, stream.interval),
        interval=interval,
        read=OfPrices(Marks.index_candles, listings[0], interval),
    )


def _continuous_klines(sandbox: Sandbox, stream: Stream) -> Source:
    interval = interval_of(stream.interval)

    def render(told: ToldKline[ContinuousCandle], divisor: int) -> ContinuousKlineEvent:
        found = told.candle
        of_trades = ToldKline(found.candle, told.now_us, is_closed=told.is_closed)
        return render_continuous(
            found.listing, stream.contract_type, stream.interval, found.ids, of_trades, divisor
        )

    read = OfType(stream.product, stream.pair, stream.contract_type, interval)
    return Klines(sandbox, stream, render, interval=interval, read=read)


# Streams of assets


def _asset_index(sandbox: Sandbox, stream: Stream) -> Source:
    asset = stream.asset.removesuffix("USD")
    if asset not in BUFFERS or asset == stream.asset:
        return Silent(sandbox, stream)
    return SymbolTicker(sandbox, stream, AssetTickers(), of=asset)


def _asset_indices(sandbox: Sandbox, stream: Stream) -> Source:
    return AllTickers(sandbox, stream, AssetTickers(), listed=all_assets)


# Streams of all contracts


class _All:
    """Makes the sources of streams of all contracts of some products."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._products = products
        self._listings = {
            listing.instrument.symbol: (product, listing)
            for product in products
            for listing in product.listings.values()
        }

    def _listed(self, engine: Engine, now_us: int) -> list[str]:
        return [name for name, (_, listing) in self._listings.items() if listing.is_listed(now_us)]

    def _renderers(self, now_us: int) -> dict[str, Renderer]:
        return {
            name: Renderer(product, listing)
            for name, (product, listing) in self._listings.items()
            if listing.is_listed(now_us)
        }

    def book_tickers(self, sandbox: Sandbox, stream: Stream) -> Source:
        return AllBookTickers(sandbox, stream, self._renderers)

    def tickers(self, sandbox: Sandbox, stream: Stream) -> Source:
        is_mini = stream.kind is StreamKind.MINI_TICKERS
        return AllTickers(sandbox, stream, DayTickers(self._products, is_mini=is_mini), listed=self._listed)

    def mark_prices(self, sandbox: Sandbox, stream: Stream) -> Source:
        return AllTickers(sandbox, stream, MarkTickers(self._products), listed=self._listed)

    def forced_orders(self, sandbox: Sandbox, stream: Stream) -> Source:
        return ForcedOrders(sandbox, stream, self._listings)

    def contract_info(self, sandbox: Sandbox, stream: Stream) -> Source:
        return ContractInfo(sandbox, stream, self._products)


def sources_of(site: Product, *, is_merged: bool) -> dict[StreamKind, Make[Stream]]:
    """What makes the sources on a product's site. is_merged: whether streams of all contracts tell of both
    products' ones.
    """
    everything = _All(tuple(PRODUCTS.values()) if is_merged else (site,))
    return {
        StreamKind.TRADE: _contract(_trades),
        StreamKind.AGGREGATE_TRADE: _contract(_aggregates),
        StreamKind.BOOK_TICKER: _contract(_book_tickers),
        StreamKind.BOOK_TICKERS: everything.book_tickers,
        StreamKind.PARTIAL_DEPTH: _contract(_partial_depth),
        StreamKind.DEPTH: _contract(_depth),
        # Nobody places retail price improvement orders here, so the book with them is the book.
        StreamKind.RETAIL_DEPTH: _contract(_depth),
        StreamKind.KLINE: _contract(_klines),
        StreamKind.CONTINUOUS_KLINE: _continuous_klines,
        StreamKind.INDEX_KLINE: _index_klines,
        StreamKind.MARK_KLINE: _contract(_mark_klines),
        StreamKind.MINI_TICKER: _contract(partial(_ticker, True)),
        StreamKind.MINI_TICKERS: everything.tickers,
        StreamKind.TICKER: _contract(partial(_ticker, False)),
        StreamKind.TICKERS: everything.tickers,
        StreamKind.MARK_PRICE: _contract(_mark_price),
        StreamKind.MARK_PRICES: everything.mark_prices,
        StreamKind.PAIR_MARK_PRICES: _pair_marks,
        StreamKind.INDEX_PRICE: _index_price,
        StreamKind.FORCED_ORDER: _contract(_forced_order),
        StreamKind.FORCED_ORDERS: everything.forced_orders,
        StreamKind.CONTRACT_INFO: everything.contract_info,
        StreamKind.ASSET_INDEX: _asset_index,
        StreamKind.ASSET_INDICES: _asset_indices,
    }


@cache
def hubs_of(site: Product, *, is_merged: bool = False) -> PerSandbox[Hub[Stream]]:
    """The hub of each sandbox for a product's site."""
    sources = sources_of(site, is_merged=is_merged)

    def make(sandbox: Sandbox) -> Hub[Stream]:
        return Hub(sandbox, engine=ENGINE, sources=sources, shown=SHOWN)

    return PerSandbox(make)
