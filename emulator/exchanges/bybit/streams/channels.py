"""What can be subscribed to on the public sockets, for the pages that list it."""

from __future__ import annotations

from typing import Final

from emulator.web.contract import Channel

_TRADE: Final = Channel("publicTrade.{symbol}", "Every trade")
_BOOKS: Final = (
    Channel("orderbook.1.{symbol}", "The best bid and ask, every 10 ms if they changed, else every 3 s"),
    Channel("orderbook.50.{symbol}", "50 levels and then what changed in them, every 20 ms"),
    Channel("orderbook.200.{symbol}", "200 levels and then what changed in them, every 100 ms"),
    Channel("orderbook.1000.{symbol}", "1000 levels and then what changed in them, every 200 ms"),
    Channel(
        "orderbook.rpi.{symbol}",
        "50 levels with orders of retail price improvement, of which there are none, every 100 ms",
    ),
)
_KLINE: Final = Channel(
    "kline.{interval}.{symbol}", "The current candle, every second, and once more when it is over"
)
_LIMIT: Final = Channel("priceLimit.{symbol}", "How high may be bid and how low asked, every 300 ms")

SPOT_CHANNELS: Final = (
    *_BOOKS,
    _TRADE,
    Channel("tickers.{symbol}", "24 hours, every 50 ms, whole"),
    _KLINE,
    _LIMIT,
)
CONTRACT_CHANNELS: Final = (
    *_BOOKS,
    _TRADE,
    Channel("tickers.{symbol}", "The ticker, and then what changed in it, every 100 ms"),
    _KLINE,
    Channel("allLiquidation.{symbol}", "Positions that were liquidated, every 500 ms"),
    _LIMIT,
    Channel(
        "insurance.{coin}",
        "Pools of single contracts; all contracts share theirs here, and shared pools are not told of",
    ),
)
STATUS_CHANNELS: Final = (Channel("system.status", "Maintenance; there is none, so it is silent"),)
