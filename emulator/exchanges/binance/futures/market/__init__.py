"""Market data of both futures sites: all endpoints that anybody may ask.

Every figure comes from the core's tape, book and marks, so that trades, klines, statistics and funding
agree. What others hold, which the core knows nothing of, is in `crowd`.
"""

from __future__ import annotations

from emulator.exchanges.binance.futures.market import (
    book,
    funding,
    general,
    indexes,
    interest,
    klines,
    ratios,
    risk,
    tickers,
    trades,
)

MODULES = (
    general.rows,
    book.rows,
    trades.rows,
    klines.rows,
    tickers.rows,
    funding.rows,
    indexes.rows,
    interest.rows,
    ratios.rows,
    risk.rows,
)
