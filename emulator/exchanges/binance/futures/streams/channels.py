"""What can be subscribed to on the sockets of the futures sites, for the pages that list it."""

from __future__ import annotations

from emulator.exchanges.binance.futures.products import COINM, Product
from emulator.web.contract import Channel

_BOTH = (
    Channel("<symbol>@aggTrade", "Every trade, as an aggregate of its own, every 100 ms"),
    Channel("<symbol>@trade", "Every trade; not documented, but served"),
    Channel("<symbol>@bookTicker", "The best bid and ask whenever they change"),
    Channel("!bookTicker", "The same of all symbols that changed, every 5 seconds"),
    Channel(
        "<symbol>@depth<levels>",
        "The best 5, 10 or 20 levels, every 250 ms; `@100ms` and `@500ms` for other paces",
    ),
    Channel("<symbol>@depth", "What changed in the book, at the same paces"),
    Channel("<symbol>@rpiDepth@500ms", "The same with retail price improvement; nobody makes any here"),
    Channel("<symbol>@kline_<interval>", "The current candle, every 250 ms"),
    Channel(
        "<pair>_<contractType>@continuousKline_<interval>",
        "The same of the contract that is of a type just then",
    ),
    Channel("<pair>@indexPriceKline_<interval>", "The same of the index price"),
    Channel("<symbol>@markPriceKline_<interval>", "The same of the mark price"),
    Channel("!miniTicker@arr", "24 hours in short of all symbols that changed, every second"),
    Channel("!ticker@arr", "24 hours of all symbols that changed, every second"),
    Channel("<symbol>@markPrice", "Mark price and funding, every 3 seconds; `@1s` for every second"),
    Channel("!markPrice@arr", "The same of all symbols"),
    Channel("<pair>@indexPrice", "The index price, every 3 seconds; `@1s` for every second"),
    Channel("<symbol>@forceOrder", "The newest forced order of a second"),
    Channel("!forceOrder@arr", "The same of all symbols, one by one"),
    Channel("!contractInfo", "Contracts that are listed, become current or are delivered"),
    Channel("<symbol>@compositeIndex", "Composite indices; no symbol is one here, so it is silent"),
    Channel("!assetIndex@arr", "Index prices of the assets that count as margin, every second"),
    Channel("<asset>@assetIndex", "The same of one asset, such as `btcusd`"),
    Channel("tradingSession", "Sessions of stock exchanges; no symbol has one here, so it is silent"),
)


def channels(product: Product) -> tuple[Channel, ...]:
    pace = "500 ms" if product is COINM else "2 seconds"
    own = (
        Channel("<symbol>@miniTicker", f"24 hours in short, every {pace}"),
        Channel("<symbol>@ticker", f"24 hours, every {pace}"),
    )
    if product is not COINM:
        return (*_BOTH, *own)
    return (*_BOTH, *own, Channel("<pair>@markPrice", "The same of all symbols of a pair, as an array"))
