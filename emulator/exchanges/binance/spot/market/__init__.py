"""Market data and what is said of the exchange in general: all endpoints that anybody may ask.

Every figure comes from the core's tape and book, so that trades, klines and statistics agree.
"""

from __future__ import annotations

from emulator.exchanges.binance.spot.market import book, general, klines, prices, tickers, trades

rows = (*general.rows, *book.rows, *trades.rows, *klines.rows, *tickers.rows, *prices.rows)
