"""Tickers and price limits as their topics have them: the figures of REST, some of them under other words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

from emulator.core.engine import Engine
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.figures import figures_of
from emulator.exchanges.bybit.market.prices import read_price_limit
from emulator.exchanges.bybit.market.tickers import render_ticker
from emulator.exchanges.bybit.streams.topics import SECOND_US, TICK_WORDS
from emulator.market_data.streams.records import Fields
from emulator.market_data.ticks import read_tick
from emulator.runtime.sandbox import Sandbox

_DAY: Final = (
    "price24hPcnt",
    "lastPrice",
    "prevPrice24h",
    "highPrice24h",
    "lowPrice24h",
    "prevPrice1h",
    "markPrice",
    "indexPrice",
    "openInterest",
    "openInterestValue",
    "singleOpenInterest",
    "singleOpenInterestValue",
    "turnover24h",
    "volume24h",
)
_BEST: Final = ("bid1Price", "bid1Size", "ask1Price", "ask1Size")
_PRE_MARKET: Final = ("preOpenPrice", "preQty", "curPreListingPhase")
_FUNDING: Final = ("nextFundingTime", "fundingRate")

PERPETUAL: Final = (*_DAY, "fundingIntervalHour", "fundingCap", *_FUNDING, *_BEST, *_PRE_MARKET)
DATED: Final = (
    *_DAY,
    "deliveryTime",
    "basisRate",
    "deliveryFeeRate",
    "predictedDeliveryPrice",
    "basis",
    "basisRateYear",
    *_FUNDING,
    *_BEST,
)
PAIR: Final = (
    "lastPrice",
    "highPrice24h",
    "lowPrice24h",
    "prevPrice24h",
    "volume24h",
    "turnover24h",
    "price24hPcnt",
    "usdIndexPrice",
)
"""What each sort tells, in the order of the documents' examples ("Ticker"). Of pairs there is no bid and no
ask in it."""


def read_ticker(sandbox: Sandbox, listing: Listing, engine: Engine, now_us: int) -> Fields:
    """To be asked inside `exact()`."""
    shown = cast(Mapping[str, Any], render_ticker(sandbox, engine, listing, now_us))
    contract = listing.contract
    if contract is None:
        return {name: shown[name] for name in PAIR}
    tick = {"tickDirection": TICK_WORDS[read_tick(engine, listing.instrument.symbol, now_us)]}
    if contract.delivery_us is None:
        return tick | {name: shown[name] for name in PERPETUAL}
    fields = tick | {name: shown[name] for name in DATED}
    # Quirk: here the delivery is a date, and the next payment of funding is nothing, where REST has
    # milliseconds and "0" ("Ticker", the example of dated contracts).
    fields["deliveryTime"] = _date_text(contract.delivery_us)
    fields["nextFundingTime"] = ""
    if listing.settle == "USDT":
        fields |= {name: shown[name] for name in _PRE_MARKET}
    return fields


def _date_text(time_us: int) -> str:
    """`2025-12-26T08:00:00Z`."""
    return datetime.fromtimestamp(time_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_limits(listing: Listing, engine: Engine, now_us: int) -> Fields:
    """To be asked inside `exact()`."""
    figures = figures_of(listing)
    limit = read_price_limit(engine, listing, now_us)
    return {"buyLmt": figures.price(limit.highest_bid), "sellLmt": figures.price(limit.lowest_ask)}
