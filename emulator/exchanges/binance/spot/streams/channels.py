"""What can be subscribed to on a market stream socket, for the pages that list it."""

from __future__ import annotations

from typing import Final

from emulator.web.contract import Channel

CHANNELS: Final = (
    Channel("<symbol>@trade", "Every trade"),
    Channel("<symbol>@aggTrade", "Every trade, as an aggregate of its own"),
    Channel("<symbol>@blockTrade", "Block trades; nobody makes any here, so it is silent"),
    Channel(
        "<symbol>@kline_<interval>", "The current candle, every 2 seconds; every second for the interval 1s"
    ),
    Channel("<symbol>@kline_<interval>@+08:00", "The same with days, weeks and months that begin in UTC+8"),
    Channel("<symbol>@miniTicker", "24 hours in short, every second"),
    Channel("!miniTicker@arr", "The same of all symbols that changed"),
    Channel("<symbol>@ticker", "24 hours, every second"),
    Channel(
        "!ticker@arr",
        "The same of all symbols that changed; retired on 2026-03-26, and silent with the era switch "
        "`all_tickers_stream` at `silent`",
    ),
    Channel("<symbol>@ticker_<window>", "1h, 4h or 1d, every second"),
    Channel("!ticker_<window>@arr", "The same of all symbols that changed"),
    Channel("<symbol>@bookTicker", "The best bid and ask whenever they change"),
    Channel("<symbol>@avgPrice", "The average price of filters, every second"),
    Channel("<symbol>@referencePrice", "Reference prices; no symbol has one here, so it is silent"),
    Channel(
        "<symbol>@depth<levels>", "The best 5, 10 or 20 levels, every second; `@100ms` for ten times as often"
    ),
    Channel("<symbol>@depth", "What changed in the book, every second; `@100ms` for ten times as often"),
)
