"""Contracts that are open, now and at earlier times."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from emulator.core.numbers import ZERO, divide_half, exact, round_half
from emulator.exchanges.binance.futures.figures import figures_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.parameters import (
    ALL_TYPES,
    ANY_CONTRACT_TYPE,
    DATA_LIMIT,
    PAIR,
    PERIOD,
    PERIODS_US,
    data_span,
)
from emulator.exchanges.binance.futures.payloads.market import (
    CoinmOpenInterest,
    CoinmOpenInterestThen,
    UsdmOpenInterest,
    UsdmOpenInterestThen,
)
from emulator.exchanges.binance.futures.products import COINM, USDM, product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import asked, asked_shown, of_pair
from emulator.exchanges.binance.limits import DATA_POOL
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES, END_TIME, START_TIME, SYMBOL, render_amount
from emulator.market_data.crowd import accounts_interest, open_interest
from emulator.market_data.marks import marks_of
from emulator.web.contract import Call
from emulator.web.turns import in_turns

rows = FuturesRows()

NOW = "What accounts of the sandbox have open is added to what the market's own traders have."
THEN = "What the market's own traders had open."


@rows.usdm(
    "GET",
    "/v1/openInterest",
    summary="Open interest",
    description=NOW,
    weight=1,
    parameters=(SYMBOL,),
    answers=UsdmOpenInterest,
)
def usdm_open_interest(call: Call) -> UsdmOpenInterest:
    listing = asked(call)
    return {
        "symbol": listing.symbol,
        "openInterest": _open_now(call, listing),
        "time": call.render_time(call.now_us),
    }


@rows.coinm(
    "GET",
    "/v1/openInterest",
    summary="Open interest",
    description=NOW,
    weight=1,
    parameters=(SYMBOL,),
    answers=CoinmOpenInterest,
)
def coinm_open_interest(call: Call) -> CoinmOpenInterest:
    listing = asked(call)
    return {
        "symbol": listing.symbol,
        "pair": listing.pair,
        "openInterest": _open_now(call, listing),
        "contractType": listing.contract_type(call.now_us),
        "time": call.render_time(call.now_us),
    }


def _open_now(call: Call, listing: Listing) -> str:
    with exact():
        if not listing.is_listed(call.now_us):
            # Quirk: open interest of a contract that is over has a code of its own (live answers).
            raise TABLES[product_of(call)].refuse(-4108)
        own = open_interest(call.sandbox.seed, listing.symbol, listing.instrument, call.now_us)
        return figures_of(listing).quantity(own + accounts_interest(call.engine, listing.instrument.symbol))


@rows.usdm(
    "GET",
    "/futures/data/openInterestHist",
    summary="Open interest statistics",
    description=f"{THEN} How much of an asset circulates is not known here, so that is zero.",
    pool=DATA_POOL,
    weight=1,
    parameters=(SYMBOL, PERIOD, DATA_LIMIT, START_TIME, END_TIME),
    answers=list[UsdmOpenInterestThen],
)
async def usdm_open_interest_then(call: Call) -> list[UsdmOpenInterestThen]:
    return await in_turns(_usdm_then(call, asked_shown(call)))


def _usdm_then(call: Call, listing: Listing) -> Iterator[UsdmOpenInterestThen]:
    for time_us in data_span(USDM, call.values, call.now_us, PERIODS_US[call.values["period"]]):
        if listing.is_listed(time_us):
            quantity, worth = _open_then(call, listing, time_us)
            yield {
                "symbol": listing.symbol,
                "sumOpenInterest": render_amount(quantity),
                "sumOpenInterestValue": render_amount(worth),
                "CMCCirculatingSupply": "0.00000000",
                "timestamp": time_us // 1000,
            }


@rows.coinm(
    "GET",
    "/futures/data/openInterestHist",
    summary="Open interest statistics",
    description=THEN,
    weight=1,
    parameters=(PAIR, PERIOD, ANY_CONTRACT_TYPE, DATA_LIMIT, START_TIME, END_TIME),
    answers=list[CoinmOpenInterestThen],
)
async def coinm_open_interest_then(call: Call) -> list[CoinmOpenInterestThen]:
    values = call.values
    pair, kind = values["pair"], values.get("contractType", ALL_TYPES)
    of_pair(COINM, pair, call.now_us)
    return await in_turns(_coinm_then(call, pair, kind))


def _coinm_then(call: Call, pair: str, kind: str) -> Iterator[CoinmOpenInterestThen]:
    for time_us in data_span(COINM, call.values, call.now_us, PERIODS_US[call.values["period"]]):
        parts = [
            _open_then(call, listing, time_us)
            for listing in COINM.listings.values()
            if listing.pair == pair
            and listing.is_listed(time_us)
            and kind in (ALL_TYPES, listing.contract_type(time_us))
        ]
        quantity = sum((part[0] for part in parts), ZERO)
        worth = sum((part[1] for part in parts), ZERO)
        yield {
            "pair": pair,
            "contractType": kind,
            "sumOpenInterest": format(quantity, "f"),
            "sumOpenInterestValue": render_amount(worth),
            "timestamp": time_us // 1000,
        }


def _open_then(call: Call, listing: Listing, time_us: int) -> tuple[Decimal, Decimal]:
    """Contracts, and what they were worth by the mark price: in quote, or of COIN-M in coin."""
    quantity = open_interest(call.sandbox.seed, listing.symbol, listing.instrument, time_us)
    mark = marks_of(call.engine, listing.instrument.symbol).mark_price(time_us)
    if listing.contract.is_inverse:
        return quantity, divide_half(quantity * listing.contract.size, mark, EIGHT_PLACES)
    return quantity, round_half(quantity * mark, EIGHT_PLACES)
