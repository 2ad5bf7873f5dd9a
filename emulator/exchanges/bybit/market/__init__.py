"""Market data: what anybody may ask."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.bybit.market import (
    book,
    delivery,
    funding,
    instruments,
    interest,
    klines,
    price_limits,
    risk,
    tickers,
    trades,
)
from emulator.web.contract import NotEmulated, Rows

MODULES: Final[tuple[Rows, ...]] = (
    klines.rows,
    instruments.rows,
    book.rows,
    tickers.rows,
    funding.rows,
    trades.rows,
    interest.rows,
    risk.rows,
    delivery.rows,
    price_limits.rows,
)

NOT_EMULATED: Final = (
    NotEmulated(
        "GET", "/v5/market/adlAlert", "what a fund gains by contract, which triggers it, is not kept"
    ),
    NotEmulated(
        "GET", "/v5/market/fee-group-info", "fee groups are of professional clients, and nobody is one"
    ),
)
