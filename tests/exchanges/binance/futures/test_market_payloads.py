"""Every public row of both futures sites answers with the keys and types that the documents show.

Shapes are those of the market data pages, as the models of the exchange's own connector
(binance-connector-python, 2026-08) and the answers in JKorf/Binance.Net's tests repeat them; exchangeInfo,
bookTicker and fundingRate of USD-M as live hosts answered in September 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from emulator.exchanges.binance.futures import market
from emulator.exchanges.binance.futures.products import COINM, PRODUCTS, USDM, Product
from tests.exchanges.binance.futures.bourse import Bourse, rows
from tests.exchanges.binance.shapes import Shape, complaints, declared, fields

pytestmark = pytest.mark.anyio

BTC = {"symbol": "BTCUSDT"}
COIN = {"symbol": "BTCUSD_PERP"}
PAIR = {"pair": "BTCUSDT"}
COIN_PAIR = {"pair": "BTCUSD"}
HOUR = {"interval": "1h", "limit": 3}
PERIOD = {"period": "1h"}
PERPETUAL = {"contractType": "PERPETUAL"}

LEVELS = [("s", "s")]
KLINE = [("i", "s", "s", "s", "s", "s", "i", "s", "i", "s", "s", "s")]
TRADE = fields("id:i price:s qty:s quoteQty:s time:i isBuyerMaker:b isRPITrade:b")
COIN_TRADE = fields("id:i price:s qty:s baseQty:s time:i isBuyerMaker:b")
AGGREGATE = fields("a:i p:s q:s f:i l:i T:i m:b")
DAY = fields(
    "symbol:s priceChange:s priceChangePercent:s weightedAvgPrice:s lastPrice:s lastQty:s openPrice:s "
    "highPrice:s lowPrice:s volume:s openTime:i closeTime:i firstId:i lastId:i count:i"
)
PRICE = fields("symbol:s price:s time:i")
BOOK = fields("symbol:s bidPrice:s bidQty:s askPrice:s askQty:s time:i lastUpdateId:i")
PREMIUM = fields(
    "symbol:s markPrice:s indexPrice:s estimatedSettlePrice:s lastFundingRate:s interestRate:s "
    "nextFundingTime:i time:i"
)
FUNDING = fields("symbol:s fundingTime:i fundingRate:s")
INFO = fields(
    "symbol:s adjustedFundingRateCap:s adjustedFundingRateFloor:s fundingIntervalHours:i disclaimer:b"
)
CONSTITUENTS = fields("symbol:s time:i", constituents=[fields("exchange:s symbol:s price:s weight:s")])
COMPOSITE = fields(
    "symbol:s time:i component:s",
    baseAssetList=[fields("baseAsset:s quoteAsset:s weightInQuantity:s weightInPercentage:s")],
)
ASSET = fields(
    "symbol:s time:i index:s bidBuffer:s askBuffer:s bidRate:s askRate:s autoExchangeBidBuffer:s "
    "autoExchangeAskBuffer:s autoExchangeBidRate:s autoExchangeAskRate:s"
)
OPEN = fields("symbol:s openInterest:s time:i")
OPEN_THEN = fields("sumOpenInterest:s sumOpenInterestValue:s timestamp:i")
RATIO = fields("longShortRatio:s timestamp:i")
ACCOUNTS = RATIO | fields("longAccount:s shortAccount:s")
BASIS = fields(
    "indexPrice:s contractType:s basisRate:s futuresPrice:s annualizedBasisRate:s basis:s pair:s timestamp:i"
)
FUND = {"symbols": ["s"], "assets": [fields("asset:s marginBalance:s updateTime:i")]}
RISK = fields("symbol:s adlRisk:s updateTime:i")
NO_SESSIONS: Shape = {"sessions": []}
SESSIONS = {"sessions": [fields("startTime:i endTime:i type:s")]}
MARKETS = ("EQUITY", "COMMODITY", "KR_EQUITY", "HK_EQUITY", "CN_EQUITY")

RATE_LIMIT = fields("rateLimitType:s interval:s intervalNum:i limit:i")
CONTRACT = fields(
    """symbol:s pair:s contractType:s deliveryDate:i onboardDate:i maintMarginPercent:s
    requiredMarginPercent:s baseAsset:s quoteAsset:s marginAsset:s pricePrecision:i quantityPrecision:i
    baseAssetPrecision:i quotePrecision:i underlyingType:s triggerProtect:s liquidationFee:s
    marketTakeBound:s maxMoveOrderLimit:i""",
    orderTypes=["s"],
    timeInForce=["s"],
)
FILTERS: Mapping[str, Shape] = {
    "PRICE_FILTER": fields("filterType:s minPrice:s maxPrice:s tickSize:s"),
    "LOT_SIZE": fields("filterType:s minQty:s maxQty:s stepSize:s"),
    "MARKET_LOT_SIZE": fields("filterType:s minQty:s maxQty:s stepSize:s"),
    "MAX_NUM_ORDERS": fields("filterType:s limit:i"),
    "MAX_NUM_ALGO_ORDERS": fields("filterType:s limit:i"),
    "MIN_NOTIONAL": fields("filterType:s notional:s"),
    "PERCENT_PRICE": fields("filterType:s multiplierUp:s multiplierDown:s multiplierDecimal:s"),
    "POSITION_RISK_CONTROL": fields("filterType:s positionControlSide:s"),
}
FILTERS_OF: Mapping[Product, list[str]] = {
    USDM: [
        "PRICE_FILTER",
        "LOT_SIZE",
        "MARKET_LOT_SIZE",
        "MAX_NUM_ORDERS",
        "MIN_NOTIONAL",
        "PERCENT_PRICE",
        "POSITION_RISK_CONTROL",
    ],
    COINM: [
        "PRICE_FILTER",
        "LOT_SIZE",
        "MARKET_LOT_SIZE",
        "MAX_NUM_ORDERS",
        "MAX_NUM_ALGO_ORDERS",
        "PERCENT_PRICE",
    ],
}


class Example(NamedTuple):
    product: Product
    path: str
    values: Mapping[str, Any]
    shape: Shape


def of_both(
    path: str, shape: Shape, values: Mapping[str, Any], coin_values: Mapping[str, Any]
) -> list[Example]:
    return [Example(USDM, path, values, shape), Example(COINM, path, coin_values, shape)]


EXAMPLES: list[Example] = [
    *of_both("/v1/ping", {}, {}, {}),
    *of_both("/v1/time", fields("serverTime:i"), {}, {}),
    Example(USDM, "/v1/depth", BTC, fields("lastUpdateId:i E:i T:i", bids=LEVELS, asks=LEVELS)),
    Example(USDM, "/v1/rpiDepth", BTC, fields("lastUpdateId:i E:i T:i", bids=LEVELS, asks=LEVELS)),
    Example(
        COINM, "/v1/depth", COIN, fields("lastUpdateId:i symbol:s pair:s E:i T:i", bids=LEVELS, asks=LEVELS)
    ),
    Example(USDM, "/v1/trades", BTC, [TRADE]),
    Example(USDM, "/v1/historicalTrades", BTC, [TRADE]),
    Example(COINM, "/v1/trades", COIN, [COIN_TRADE]),
    Example(COINM, "/v1/historicalTrades", COIN, [COIN_TRADE]),
    Example(USDM, "/v1/aggTrades", BTC, [AGGREGATE | fields("nq:s")]),
    Example(COINM, "/v1/aggTrades", COIN, [AGGREGATE]),
    *of_both("/v1/klines", KLINE, BTC | HOUR, COIN | HOUR),
    *of_both("/v1/klines", KLINE, COIN | HOUR, BTC | HOUR),
    *of_both("/v1/continuousKlines", KLINE, PAIR | PERPETUAL | HOUR, COIN_PAIR | PERPETUAL | HOUR),
    *of_both("/v1/indexPriceKlines", KLINE, PAIR | HOUR, COIN_PAIR | HOUR),
    *of_both("/v1/markPriceKlines", KLINE, BTC | HOUR, COIN | HOUR),
    *of_both("/v1/premiumIndexKlines", KLINE, BTC | HOUR, COIN | HOUR),
    Example(USDM, "/v1/premiumIndex", BTC, PREMIUM),
    Example(USDM, "/v1/premiumIndex", {}, [PREMIUM]),
    Example(COINM, "/v1/premiumIndex", COIN, [PREMIUM | fields("pair:s")]),
    Example(COINM, "/v1/premiumIndex", COIN_PAIR, [PREMIUM | fields("pair:s")]),
    Example(COINM, "/v1/premiumIndex", {}, [PREMIUM | fields("pair:s")]),
    Example(USDM, "/v1/fundingRate", BTC, [FUNDING | fields("markPrice:s rateType:s")]),
    Example(USDM, "/v1/fundingRate", {}, [FUNDING | fields("markPrice:s rateType:s")]),
    Example(COINM, "/v1/fundingRate", COIN, [FUNDING]),
    *of_both("/v1/fundingInfo", [INFO], {}, {}),
    Example(USDM, "/v1/ticker/24hr", BTC, DAY | fields("quoteVolume:s")),
    Example(USDM, "/v1/ticker/24hr", {}, [DAY | fields("quoteVolume:s")]),
    *[
        Example(COINM, "/v1/ticker/24hr", values, [DAY | fields("pair:s baseVolume:s")])
        for values in (COIN, COIN_PAIR, {})
    ],
    Example(USDM, "/v1/ticker/price", BTC, PRICE),
    Example(USDM, "/v1/ticker/price", {}, [PRICE]),
    Example(USDM, "/v2/ticker/price", BTC, PRICE),
    Example(USDM, "/v2/ticker/price", {}, [PRICE]),
    *[
        Example(COINM, "/v1/ticker/price", values, [PRICE | fields("ps:s")])
        for values in (COIN, COIN_PAIR, {})
    ],
    Example(USDM, "/v1/ticker/bookTicker", BTC, BOOK),
    Example(USDM, "/v1/ticker/bookTicker", {}, [BOOK]),
    *[
        Example(COINM, "/v1/ticker/bookTicker", values, [BOOK | fields("pair:s")])
        for values in (COIN, COIN_PAIR, {})
    ],
    Example(USDM, "/v1/openInterest", BTC, OPEN),
    Example(COINM, "/v1/openInterest", COIN, OPEN | fields("pair:s contractType:s")),
    Example(
        USDM,
        "/futures/data/openInterestHist",
        BTC | PERIOD,
        [OPEN_THEN | fields("symbol:s CMCCirculatingSupply:s")],
    ),
    Example(
        COINM,
        "/futures/data/openInterestHist",
        COIN_PAIR | PERIOD,
        [OPEN_THEN | fields("pair:s contractType:s")],
    ),
    *[
        Example(USDM, f"/futures/data/{name}", BTC | PERIOD, [ACCOUNTS | fields("symbol:s")])
        for name in ("topLongShortAccountRatio", "topLongShortPositionRatio", "globalLongShortAccountRatio")
    ],
    *[
        Example(COINM, f"/futures/data/{name}", COIN_PAIR | PERIOD, [ACCOUNTS | fields("pair:s")])
        for name in ("topLongShortAccountRatio", "globalLongShortAccountRatio")
    ],
    Example(
        COINM,
        "/futures/data/topLongShortPositionRatio",
        COIN_PAIR | PERIOD,
        [RATIO | fields("pair:s longPosition:s shortPosition:s")],
    ),
    Example(
        USDM,
        "/futures/data/takerlongshortRatio",
        BTC | PERIOD,
        [fields("buySellRatio:s buyVol:s sellVol:s timestamp:i")],
    ),
    Example(
        COINM,
        "/futures/data/takerBuySellVol",
        COIN_PAIR | PERIOD | PERPETUAL,
        [
            fields(
                "pair:s contractType:s takerBuyVol:s takerSellVol:s takerBuyVolValue:s takerSellVolValue:s "
                "timestamp:i"
            )
        ],
    ),
    *of_both("/futures/data/basis", [BASIS], PAIR | PERIOD | PERPETUAL, COIN_PAIR | PERIOD | PERPETUAL),
    *of_both("/futures/data/delivery-price", [fields("deliveryTime:i deliveryPrice:n")], PAIR, COIN_PAIR),
    *of_both("/v1/constituents", CONSTITUENTS, BTC, {"symbol": "BTCUSD"}),
    Example(USDM, "/v1/assetIndex", {"symbol": "BTCUSD"}, ASSET),
    Example(USDM, "/v1/assetIndex", {}, [ASSET]),
    Example(USDM, "/v1/insuranceBalance", BTC, FUND),
    Example(USDM, "/v1/insuranceBalance", {}, [FUND]),
    Example(USDM, "/v1/symbolAdlRisk", BTC, RISK),
    Example(USDM, "/v1/symbolAdlRisk", {}, [RISK]),
    Example(
        USDM,
        "/v1/tradingSchedule",
        {},
        fields("updateTime:i", marketSchedules=dict.fromkeys(MARKETS, NO_SESSIONS)),
    ),
]

ELSEWHERE = ("/v1/exchangeInfo", "/v1/indexInfo")
"""Rows with a test of their own below."""


def whole(product: Product, path: str) -> str:
    return path if path.startswith("/futures/") else product.prefix + path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.product!r} {one.path} {[*one.values]}")
async def test_an_answer_has_the_documented_keys_and_types(example: Example) -> None:
    async with Bourse() as bourse:
        body = await bourse.take(example.product, example.path, **example.values)
    assert list(complaints(body, example.shape)) == []


async def test_what_no_contract_has_is_declared_all_the_same() -> None:
    """Composite Index Symbol Information; Trading Schedule."""
    async with Bourse() as bourse:
        assert await bourse.usdm("/v1/indexInfo") == await bourse.usdm("/v1/indexInfo", **BTC) == []
    assert declared(rows(USDM)["GET", "/fapi/v1/indexInfo"].answers) == [COMPOSITE]
    schedule = declared(rows(USDM)["GET", "/fapi/v1/tradingSchedule"].answers)
    assert schedule == fields("updateTime:i", marketSchedules=dict.fromkeys(MARKETS, SESSIONS))


async def test_exchange_info_of_linear_contracts() -> None:
    """Live answer of September 2026."""
    async with Bourse() as bourse:
        body = await bourse.usdm("/v1/exchangeInfo")
    symbols = body.pop("symbols")
    expected = fields(
        "timezone:s serverTime:i futuresType:s",
        rateLimits=[RATE_LIMIT],
        exchangeFilters=[],
        assets=[fields("asset:s marginAvailable:b autoAssetExchange:s")],
    )
    assert list(complaints(body, expected)) == []
    sub_types = [symbol.pop("underlyingSubType") for symbol in symbols]
    assert ["PoW", "Crypto"] in sub_types
    assert [] in sub_types
    check_filters(USDM, symbols)
    assert list(complaints(symbols, [CONTRACT | fields("status:s", permissionSets=["s"])])) == []


async def test_exchange_info_of_inverse_contracts() -> None:
    """Exchange Information of COIN-M; a listing of 2024."""
    async with Bourse() as bourse:
        body = await bourse.coinm("/v1/exchangeInfo")
    symbols = body.pop("symbols")
    expected = fields("timezone:s serverTime:i", rateLimits=[RATE_LIMIT], exchangeFilters=[])
    assert list(complaints(body, expected)) == []
    for symbol in symbols:
        assert all(isinstance(word, str) for word in symbol.pop("underlyingSubType"))
    check_filters(COINM, symbols)
    shape = CONTRACT | fields("contractStatus:s contractSize:i equalQtyPrecision:i")
    assert list(complaints(symbols, [shape])) == []


def check_filters(product: Product, symbols: list[dict[str, Any]]) -> None:
    for symbol in symbols:
        filters = symbol.pop("filters")
        assert [one["filterType"] for one in filters] == FILTERS_OF[product]
        for one in filters:
            assert list(complaints(one, FILTERS[one["filterType"]])) == []


async def test_bitcoin_is_listed_as_live_hosts_list_it() -> None:
    """GET /fapi/v1/exchangeInfo, September 2026: all members of BTCUSDT."""
    async with Bourse() as bourse:
        body = await bourse.usdm("/v1/exchangeInfo")
    assert body["symbols"][0] == {
        "symbol": "BTCUSDT",
        "pair": "BTCUSDT",
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1567965300000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW", "Crypto"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": "50"},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
            {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
        ],
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TAKE_PROFIT",
            "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY", "DCA", "PSB"],
    }


async def test_ether_of_coin_m_is_listed_as_the_exchange_lists_it() -> None:
    """A listing of 2024."""
    async with Bourse() as bourse:
        body = await bourse.coinm("/v1/exchangeInfo")
    (listed,) = (one for one in body["symbols"] if one["symbol"] == "ETHUSD_PERP")
    assert listed == {
        "symbol": "ETHUSD_PERP",
        "pair": "ETHUSD",
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1597734000000,
        "contractStatus": "TRADING",
        "contractSize": 10,
        "marginAsset": "ETH",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": "ETH",
        "quoteAsset": "USD",
        "pricePrecision": 2,
        "quantityPrecision": 0,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "equalQtyPrecision": 4,
        "maxMoveOrderLimit": 10000,
        "triggerProtect": "0.0500",
        "underlyingType": "COIN",
        "underlyingSubType": ["Layer-1"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "50", "maxPrice": "306159", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "1000000", "stepSize": "1"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "1", "maxQty": "500000", "stepSize": "1"},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 20},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TAKE_PROFIT",
            "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "liquidationFee": "0.015000",
        "marketTakeBound": "0.05",
    }


def test_every_row_is_shown() -> None:
    shown = {(one.product, whole(one.product, one.path)) for one in EXAMPLES}
    shown |= {(product, whole(product, path)) for product in PRODUCTS.values() for path in ELSEWHERE}
    shown.discard((COINM, "/dapi/v1/indexInfo"))
    known = {
        (product, route.path)
        for product in PRODUCTS.values()
        for module in market.MODULES
        for route in module.of(product)
    }
    assert shown == known
