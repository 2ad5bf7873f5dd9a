"""How many are long, what takers bought and sold, how far contracts are from their index, and deliveries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.core.numbers import ZERO, divide_half, exact, round_half
from emulator.exchanges.binance.futures.figures import figures_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.parameters import (
    ALL_TYPES,
    ANY_CONTRACT_TYPE,
    CONTRACT_TYPE,
    DATA_LIMIT,
    PAIR,
    PERIOD,
    PERIODS_US,
    data_span,
)
from emulator.exchanges.binance.futures.payloads.market import (
    Basis,
    CoinmLongShortRatio,
    CoinmPositionRatio,
    CoinmTakerVolume,
    DeliveryPrice,
    UsdmLongShortRatio,
    UsdmTakerVolume,
)
from emulator.exchanges.binance.futures.products import COINM, Product, product_of
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import asked_shown, of_pair
from emulator.exchanges.binance.limits import DATA_POOL
from emulator.exchanges.binance.vocabulary import (
    EIGHT_PLACES,
    END_TIME,
    START_TIME,
    SYMBOL,
    render_amount,
    render_places,
)
from emulator.market_data.crowd import SHARE_PLACES, Shares, shares
from emulator.market_data.intervals import DAY_US
from emulator.market_data.marks import marks_of
from emulator.web.contract import Call
from emulator.web.turns import in_turns

rows = FuturesRows()

CROWDS: Mapping[str, str] = MappingProxyType(
    {
        "/futures/data/globalLongShortAccountRatio": "accounts",
        "/futures/data/topLongShortAccountRatio": "top accounts",
        "/futures/data/topLongShortPositionRatio": "top positions",
    }
)
"""Whose share each endpoint tells."""

CROWD: Final = "Of the market's own traders; accounts of the sandbox do not count."
YEAR_US: Final = 365 * DAY_US

_BY_SYMBOL = (SYMBOL, PERIOD, DATA_LIMIT, START_TIME, END_TIME)
_BY_PAIR = (PAIR, PERIOD, ANY_CONTRACT_TYPE, DATA_LIMIT, START_TIME, END_TIME)


def _span(call: Call) -> range:
    return data_span(product_of(call), call.values, call.now_us, PERIODS_US[call.values["period"]])


# Long and short


@rows.usdm(
    "GET",
    "/futures/data/globalLongShortAccountRatio",
    summary="Long/Short ratio",
    description=CROWD,
    pool=DATA_POOL,
    weight=1,
    parameters=_BY_SYMBOL,
    answers=list[UsdmLongShortRatio],
)
@rows.usdm(
    "GET",
    "/futures/data/topLongShortAccountRatio",
    summary="Top trader long/short ratio (accounts)",
    description=CROWD,
    pool=DATA_POOL,
    weight=1,
    parameters=_BY_SYMBOL,
    answers=list[UsdmLongShortRatio],
)
@rows.usdm(
    "GET",
    "/futures/data/topLongShortPositionRatio",
    summary="Top trader long/short ratio (positions)",
    description=CROWD,
    pool=DATA_POOL,
    weight=1,
    parameters=_BY_SYMBOL,
    answers=list[UsdmLongShortRatio],
)
def usdm_long_short(call: Call) -> list[UsdmLongShortRatio]:
    listing = asked_shown(call)
    with exact():
        return [
            {
                "symbol": listing.symbol,
                "longShortRatio": _ratio(parts),
                # Quirk: shares of positions are called accounts too on USD-M (Top Trader Long/Short Ratio).
                "longAccount": render_places(parts.long, 4),
                "shortAccount": render_places(parts.short, 4),
                "timestamp": time_us // 1000,
            }
            for time_us, parts in _shares(call, listing.symbol)
            if listing.is_listed(time_us)
        ]


@rows.coinm(
    "GET",
    "/futures/data/globalLongShortAccountRatio",
    summary="Long/Short ratio",
    description=CROWD,
    weight=1,
    parameters=_BY_PAIR,
    answers=list[CoinmLongShortRatio],
)
@rows.coinm(
    "GET",
    "/futures/data/topLongShortAccountRatio",
    summary="Top trader long/short ratio (accounts)",
    description=CROWD,
    weight=1,
    parameters=_BY_PAIR,
    answers=list[CoinmLongShortRatio],
)
def coinm_long_short(call: Call) -> list[CoinmLongShortRatio]:
    pair = _pair_of(call)
    with exact():
        return [
            {
                "pair": pair,
                "longShortRatio": _ratio(parts),
                "longAccount": render_places(parts.long, 4),
                "shortAccount": render_places(parts.short, 4),
                "timestamp": time_us // 1000,
            }
            for time_us, parts in _shares(call, _crowd_name(call))
        ]


@rows.coinm(
    "GET",
    "/futures/data/topLongShortPositionRatio",
    summary="Top trader long/short ratio (positions)",
    description=CROWD,
    weight=1,
    parameters=_BY_PAIR,
    answers=list[CoinmPositionRatio],
)
def coinm_positions(call: Call) -> list[CoinmPositionRatio]:
    pair = _pair_of(call)
    with exact():
        return [
            {
                "pair": pair,
                "longShortRatio": _ratio(parts),
                "longPosition": render_places(parts.long, 4),
                "shortPosition": render_places(parts.short, 4),
                "timestamp": time_us // 1000,
            }
            for time_us, parts in _shares(call, _crowd_name(call))
        ]


def _pair_of(call: Call) -> str:
    pair: str = call.values["pair"]
    of_pair(product_of(call), pair, call.now_us)
    return pair


def _crowd_name(call: Call) -> str:
    return f"{call.values['pair']} {call.values.get('contractType', ALL_TYPES)}"


def _shares(call: Call, name: str) -> list[tuple[int, Shares]]:
    seed, series = call.sandbox.seed, CROWDS[call.route.path]
    return [(time_us, shares(seed, name, series, time_us)) for time_us in _span(call)]


def _ratio(parts: Shares) -> str:
    return render_places(divide_half(parts.long, parts.short, SHARE_PLACES), 4)


# What takers did


@rows.usdm(
    "GET",
    "/futures/data/takerlongshortRatio",
    summary="Taker buy/sell volume",
    description="Of the klines that open at these times, and are closed.",
    pool=DATA_POOL,
    weight=1,
    parameters=_BY_SYMBOL,
    answers=list[UsdmTakerVolume],
)
async def usdm_taker_volume(call: Call) -> list[UsdmTakerVolume]:
    return await in_turns(_usdm_volumes(call, asked_shown(call)))


def _usdm_volumes(call: Call, listing: Listing) -> Iterator[UsdmTakerVolume]:
    for open_us, period_us in _closed(call):
        if not listing.is_listed(open_us):
            continue
        bought, sold = _taken(_candle(call.engine, listing, open_us, period_us))
        yield {
            "buySellRatio": render_places(divide_half(bought, sold, SHARE_PLACES), 4) if sold else "0.0000",
            "buyVol": render_places(bought, 4),
            "sellVol": render_places(sold, 4),
            "timestamp": open_us // 1000,
        }


@rows.coinm(
    "GET",
    "/futures/data/takerBuySellVol",
    summary="Taker buy/sell volume",
    description="Of the klines that open at these times, and are closed. Values are in coin.",
    weight=1,
    parameters=(
        PAIR,
        ANY_CONTRACT_TYPE.but(required=True),
        PERIOD,
        DATA_LIMIT,
        START_TIME,
        END_TIME,
    ),
    answers=list[CoinmTakerVolume],
)
async def coinm_taker_volume(call: Call) -> list[CoinmTakerVolume]:
    return await in_turns(_coinm_volumes(call, _pair_of(call), call.values["contractType"]))


def _coinm_volumes(call: Call, pair: str, kind: str) -> Iterator[CoinmTakerVolume]:
    for open_us, period_us in _closed(call):
        bought = sold = bought_worth = sold_worth = ZERO
        for listing in _of_type(COINM, pair, kind, open_us):
            candle = _candle(call.engine, listing, open_us, period_us)
            figures = figures_of(listing)
            buys, sells = _taken(candle)
            bought, sold = bought + buys, sold + sells
            bought_worth += figures.value(buys, candle.taker_quote_volume)
            sold_worth += figures.value(sells, candle.quote_volume - candle.taker_quote_volume)
        yield {
            "pair": pair,
            "contractType": kind,
            "takerBuyVol": format(bought, "f"),
            "takerSellVol": format(sold, "f"),
            "takerBuyVolValue": render_places(round_half(bought_worth, SHARE_PLACES), 4),
            "takerSellVolValue": render_places(round_half(sold_worth, SHARE_PLACES), 4),
            "timestamp": open_us // 1000,
        }


def _closed(call: Call) -> list[tuple[int, int]]:
    """When the periods of a request open that are over, and how long they are."""
    period_us = PERIODS_US[call.values["period"]]
    values = {"endTime": call.now_us, **call.values}
    values["endTime"] = min(values["endTime"], call.now_us - period_us)
    return [(open_us, period_us) for open_us in data_span(product_of(call), values, call.now_us, period_us)]


def _of_type(product: Product, pair: str, kind: str, time_us: int) -> list[Listing]:
    return [
        listing
        for listing in product.listings.values()
        if listing.pair == pair
        and listing.is_listed(time_us)
        and kind in (ALL_TYPES, listing.contract_type(time_us))
    ]


def _candle(engine: Engine, listing: Listing, open_us: int, period_us: int) -> Candle:
    market = engine.state.markets[listing.instrument.symbol]
    return market.range(open_us, listing.read_us(open_us + period_us - 1) + 1)


def _taken(candle: Candle) -> tuple[Decimal, Decimal]:
    return candle.taker_volume, candle.volume - candle.taker_volume


# Basis and deliveries


@rows.both(
    "GET",
    "/futures/data/basis",
    summary="Basis",
    parameters=(PAIR, CONTRACT_TYPE, PERIOD, DATA_LIMIT, START_TIME, END_TIME),
    weight=1,
    answers=list[Basis],
    usdm=Declared(pool=DATA_POOL),
)
async def basis(call: Call) -> list[Basis]:
    pair, kind = _pair_of(call), call.values["contractType"]
    product = product_of(call)
    return await in_turns(
        _basis(call.engine, listing, kind, time_us)
        for time_us in _span(call)
        for listing in _of_type(product, pair, kind, time_us)
    )


def _basis(engine: Engine, listing: Listing, kind: str, time_us: int) -> Basis:
    name = listing.instrument.symbol
    index = marks_of(engine, name).index_price(time_us)
    price = engine.state.markets[name].last_price(time_us)
    apart, delivery_us = price - index, listing.contract.delivery_us
    annual = ""
    if delivery_us is not None:
        by_year = divide_half(apart * YEAR_US, index * (delivery_us - time_us), SHARE_PLACES)
        annual = render_places(by_year + ZERO, 4)
    return {
        "indexPrice": render_amount(index),
        "contractType": kind,
        # Zero has no sign, from whichever side it was rounded.
        "basisRate": render_places(divide_half(apart, index, SHARE_PLACES) + ZERO, 4),
        "futuresPrice": figures_of(listing).price(price),
        # Quirk: a perpetual has no annual rate, and an empty text for it (Basis).
        "annualizedBasisRate": annual,
        "basis": render_amount(round_half(apart, EIGHT_PLACES)),
        "pair": listing.pair,
        "timestamp": time_us // 1000,
    }


@rows.both(
    "GET",
    "/futures/data/delivery-price",
    summary="Quarterly contract settlement price",
    parameters=(PAIR,),
    weight=1,
    answers=list[DeliveryPrice],
    usdm=Declared(pool=DATA_POOL),
)
def delivery_price(call: Call) -> list[DeliveryPrice]:
    pair, product = _pair_of(call), product_of(call)
    delivered = [
        (delivery_us, listing)
        for listing in product.listings.values()
        if listing.pair == pair
        and (delivery_us := listing.contract.delivery_us) is not None
        and delivery_us <= call.now_us
    ]
    with exact():
        # Quirk: the price of a delivery is a number, where all others are text (Quarterly Contract
        # Settlement Price).
        return [
            {
                "deliveryTime": delivery_us // 1000,
                "deliveryPrice": float(
                    marks_of(call.engine, listing.instrument.symbol).settlement_price(delivery_us)
                ),
            }
            for delivery_us, listing in reversed(delivered)
        ]
