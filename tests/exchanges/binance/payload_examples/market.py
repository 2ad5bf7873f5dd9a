"""General rows and market data."""

from __future__ import annotations

from tests.exchanges.binance.payload_examples.example import BTC, TWO, Examples
from tests.exchanges.binance.shapes import fields

examples = Examples()

# Shapes: market data

RATE_LIMIT = fields("rateLimitType:s interval:s intervalNum:i limit:i")
SYMBOL = fields(
    """symbol:s status:s baseAsset:s baseAssetPrecision:i quoteAsset:s quotePrecision:i quoteAssetPrecision:i
    baseCommissionPrecision:i quoteCommissionPrecision:i icebergAllowed:b ocoAllowed:b otoAllowed:b
    opoAllowed:b quoteOrderQtyMarketAllowed:b allowTrailingStop:b cancelReplaceAllowed:b amendAllowed:b
    pegInstructionsAllowed:b isSpotTradingAllowed:b isMarginTradingAllowed:b
    defaultSelfTradePreventionMode:s""",
    orderTypes=["s"],
    permissions=[],
    permissionSets=[["s"]],
    allowedSelfTradePreventionModes=["s"],
)
FILTERS = {
    "PRICE_FILTER": fields("filterType:s minPrice:s maxPrice:s tickSize:s"),
    "LOT_SIZE": fields("filterType:s minQty:s maxQty:s stepSize:s"),
    "MARKET_LOT_SIZE": fields("filterType:s minQty:s maxQty:s stepSize:s"),
    "ICEBERG_PARTS": fields("filterType:s limit:i"),
    "TRAILING_DELTA": fields(
        "filterType:s minTrailingAboveDelta:i maxTrailingAboveDelta:i minTrailingBelowDelta:i "
        "maxTrailingBelowDelta:i"
    ),
    "PERCENT_PRICE_BY_SIDE": fields(
        "filterType:s bidMultiplierUp:s bidMultiplierDown:s askMultiplierUp:s askMultiplierDown:s "
        "avgPriceMins:i"
    ),
    "NOTIONAL": fields(
        "filterType:s minNotional:s applyMinToMarket:b maxNotional:s applyMaxToMarket:b avgPriceMins:i"
    ),
    "MAX_NUM_ORDERS": fields("filterType:s maxNumOrders:i"),
    "MAX_NUM_ORDER_LISTS": fields("filterType:s maxNumOrderLists:i"),
    "MAX_NUM_ALGO_ORDERS": fields("filterType:s maxNumAlgoOrders:i"),
    "MAX_NUM_ICEBERG_ORDERS": fields("filterType:s maxNumIcebergOrders:i"),
    "MAX_NUM_ORDER_AMENDS": fields("filterType:s maxNumOrderAmends:i"),
    "MAX_POSITION": fields("filterType:s maxPosition:s"),
}
"""filters.md, "/exchangeInfo format" of each."""

TRADE = fields("id:i price:s qty:s quoteQty:s time:i isBuyerMaker:b isBestMatch:b")
BLOCK_TRADE = fields("id:i price:s qty:s quoteQty:s time:i isBuyerMaker:b")
AGGREGATE = fields("a:i p:s q:s f:i l:i T:i m:b M:b")
KLINE = ("i", "s", "s", "s", "s", "s", "i", "s", "i", "s", "s", "s")
MINI = fields(
    "symbol:s openPrice:s highPrice:s lowPrice:s lastPrice:s volume:s quoteVolume:s openTime:i closeTime:i "
    "firstId:i lastId:i count:i"
)
WINDOW = MINI | fields("priceChange:s priceChangePercent:s weightedAvgPrice:s")
DAY = WINDOW | fields("prevClosePrice:s lastQty:s bidPrice:s bidQty:s askPrice:s askQty:s")
PRICE_RANGE = fields("ruleType:s bidLimitMultUp:s bidLimitMultDown:s askLimitMultUp:s askLimitMultDown:s")
PRICE = fields("symbol:s price:s")
BOOK = fields("symbol:s bidPrice:s bidQty:s askPrice:s askQty:s")

# General and market data

examples.shows("GET /api/v3/ping", {}, "Test connectivity")
examples.shows("GET /api/v3/time", fields("serverTime:i"), "Check server time")
examples.shows(
    "GET /api/v3/depth", fields("lastUpdateId:i", bids=[("s", "s")], asks=[("s", "s")]), "Order book", BTC
)
examples.shows("GET /api/v3/trades", [TRADE], "Recent trades list", BTC)
examples.shows("GET /api/v3/historicalTrades", [TRADE], "Old trade lookup", BTC)
examples.shows("GET /api/v3/aggTrades", [AGGREGATE], "Compressed/Aggregate trades list", BTC)
examples.shows("GET /api/v3/klines", [KLINE], "Kline/Candlestick data", {**BTC, "interval": "1M"})
examples.shows("GET /api/v3/uiKlines", [KLINE], "UIKlines", {**BTC, "interval": "1s"})
examples.shows("GET /api/v3/avgPrice", fields("mins:i price:s closeTime:i"), "Current average price", BTC)
for _path, _full, _cite in (
    ("24hr", DAY, "24hr ticker price change statistics"),
    ("tradingDay", WINDOW, "Trading Day Ticker"),
    ("", WINDOW, "Rolling window price change statistics"),
):
    _row = f"GET /api/v3/ticker/{_path}".rstrip("/")
    examples.shows(_row, _full, _cite, BTC, form="FULL")
    examples.shows(_row, [_full], _cite, TWO, form="FULL of several")
    examples.shows(_row, MINI, _cite, {**BTC, "type": "MINI"}, form="MINI")
    examples.shows(_row, [MINI], _cite, {**TWO, "type": "MINI"}, form="MINI of several")
for _path, _full, _cite in (
    ("price", PRICE, "Symbol price ticker"),
    ("bookTicker", BOOK, "Symbol order book ticker"),
):
    examples.shows(f"GET /api/v3/ticker/{_path}", _full, _cite, BTC)
    examples.shows(f"GET /api/v3/ticker/{_path}", [_full], _cite, form="of all")
