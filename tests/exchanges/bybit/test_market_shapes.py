"""The keys of every answer of market data, as the examples of the documents have them (v5, "Market")."""

from __future__ import annotations

import pytest

from tests.exchanges.bybit.bazaar import Bazaar

CONTRACT_INFO = (
    "symbol symbolId contractType status baseCoin quoteCoin launchTime deliveryTime deliveryFeeRate "
    "priceScale leverageFilter priceFilter lotSizeFilter unifiedMarginTrade fundingInterval settleCoin "
    "copyTrading upperFundingRate lowerFundingRate isPreListing preListingInfo riskParameters symbolType "
    "displayName forbidUplWithdrawal"
)
PAIR_INFO = (
    "symbolId symbol baseCoin quoteCoin innovation status marginTrading stTag lotSizeFilter priceFilter "
    "riskParameters symbolType"
)
CONTRACT_TICKER = (
    "symbol lastPrice indexPrice markPrice prevPrice24h price24hPcnt highPrice24h lowPrice24h prevPrice1h "
    "openInterest openInterestValue turnover24h volume24h fundingRate nextFundingTime predictedDeliveryPrice "
    "basisRate deliveryFeeRate deliveryTime ask1Size bid1Price ask1Price bid1Size basis preOpenPrice preQty "
    "curPreListingPhase fundingIntervalHour basisRateYear fundingCap singleOpenInterest "
    "singleOpenInterestValue"
)
PAIR_TICKER = (
    "symbol bid1Price bid1Size ask1Price ask1Size lastPrice prevPrice24h price24hPcnt highPrice24h "
    "lowPrice24h turnover24h volume24h usdIndexPrice"
)
PUBLIC_TRADE = "execId symbol price size side time isBlockTrade isRPITrade seq"
LISTED = {"category", "list"}
PAGED = {*LISTED, "nextPageCursor"}


@pytest.mark.parametrize(
    ("path", "query", "outer", "inner"),
    [
        ("instruments-info", "category=linear", PAGED, CONTRACT_INFO),
        ("instruments-info", "category=inverse", PAGED, CONTRACT_INFO),
        ("instruments-info", "category=spot", PAGED, PAIR_INFO),
        ("tickers", "category=linear", LISTED, CONTRACT_TICKER),
        ("tickers", "category=inverse", LISTED, CONTRACT_TICKER),
        ("tickers", "category=spot", LISTED, PAIR_TICKER),
        ("recent-trade", "category=spot&symbol=BTCUSDT", LISTED, PUBLIC_TRADE),
        ("recent-trade", "category=linear&symbol=BTCUSDT", LISTED, PUBLIC_TRADE),
        (
            "funding/history",
            "category=linear&symbol=ETHPERP",
            LISTED,
            "symbol fundingRate fundingRateTimestamp",
        ),
        (
            "open-interest",
            "category=inverse&symbol=BTCUSD&intervalTime=1d",
            {*PAGED, "symbol"},
            "openInterest singleOpenInterest timestamp",
        ),
        (
            "account-ratio",
            "category=linear&symbol=BTCUSDT&period=1h",
            {"list", "nextPageCursor"},
            "symbol buyRatio sellRatio timestamp",
        ),
        (
            "risk-limit",
            "category=inverse&symbol=BTCUSD",
            PAGED,
            "id symbol riskLimitValue maintenanceMargin initialMargin isLowestRisk maxLeverage mmDeduction",
        ),
        ("insurance", "", {"updatedTime", "list"}, "coin symbols balance value"),
        ("delivery-price", "category=inverse", PAGED, "symbol deliveryPrice deliveryTime"),
    ],
)
async def test_items_of_lists_have_the_documented_keys(
    path: str, query: str, outer: set[str], inner: str
) -> None:
    async with Bazaar() as bazaar:
        result = await bazaar.get(path, query)
        assert set(result) == outer
        assert result["list"]
        for row in result["list"]:
            assert set(row) == set(inner.split())


@pytest.mark.parametrize(
    ("path", "query", "keys"),
    [
        ("orderbook", "category=spot&symbol=BTCUSDT", "s b a ts u seq cts"),
        ("full_orderbook", "category=spot&symbol=BTCUSDT", "s b a ts u seq cts"),
        ("rpi_orderbook", "category=spot&symbol=BTCUSDT&limit=1", "s b a ts u seq cts"),
        ("price-limit", "symbol=BTCUSDT", "symbol buyLmt sellLmt ts"),
        (
            "index-price-components",
            "indexName=1000PEPEUSDT",
            "indexName lastPrice updateTime components",
        ),
        ("kline", "symbol=BTCUSDT&interval=1", "category symbol list"),
        ("mark-price-kline", "symbol=BTCUSDT&interval=1", "category symbol list"),
    ],
)
async def test_single_answers_have_the_documented_keys(path: str, query: str, keys: str) -> None:
    async with Bazaar() as bazaar:
        assert set(await bazaar.get(path, query)) == set(keys.split())


async def test_the_listing_of_btcusdt_is_that_of_the_documents() -> None:
    # "Get Instruments Info", the examples of linear and spot, but for what is told of none or anew.
    async with Bazaar() as bazaar:
        (contract,) = (await bazaar.get("instruments-info", "category=linear&symbol=BTCUSDT"))["list"]
        assert contract["symbolId"] == 5
        assert contract["launchTime"] == "1585526400000"
        assert contract["priceScale"] == "2"
        assert contract["leverageFilter"] == {
            "minLeverage": "1",
            "maxLeverage": "100.00",
            "leverageStep": "0.01",
        }
        assert contract["priceFilter"] == {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"}
        assert contract["lotSizeFilter"] == {
            "maxOrderQty": "1190.000",
            "minOrderQty": "0.001",
            "qtyStep": "0.001",
            "postOnlyMaxOrderQty": "1190.000",
            "maxMktOrderQty": "500.000",
            "minNotionalValue": "5",
        }
        assert contract["fundingInterval"] == 480
        assert (contract["upperFundingRate"], contract["lowerFundingRate"]) == ("0.00375", "-0.00375")
        assert contract["riskParameters"] == {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"}
        (pair,) = (await bazaar.get("instruments-info", "category=spot&symbol=BTCUSDT"))["list"]
        assert pair["lotSizeFilter"]["basePrecision"] == "0.000001"
        assert pair["lotSizeFilter"]["quotePrecision"] == "0.0000001"
        assert pair["lotSizeFilter"]["minOrderQty"] == "0.000011"
        assert pair["lotSizeFilter"]["maxMarketOrderQty"] == "41.5"
        assert pair["riskParameters"] == {"priceLimitRatioX": "0.005", "priceLimitRatioY": "0.01"}
        # "Get Risk Limit": 150 BTC at 0.5 and 1 per cent, which running servers tell as fractions.
        first = (await bazaar.get("risk-limit", "category=inverse&symbol=BTCUSD"))["list"][0]
        assert first == {
            "id": 1,
            "symbol": "BTCUSD",
            "riskLimitValue": "150",
            "maintenanceMargin": "0.005",
            "initialMargin": "0.01",
            "isLowestRisk": 1,
            "maxLeverage": "100.00",
            "mmDeduction": "",
        }


async def test_what_has_no_delivery_and_what_has_no_funding_say_so() -> None:
    async with Bazaar() as bazaar:
        (perpetual,) = (await bazaar.get("tickers", "category=linear&symbol=BTCUSDT"))["list"]
        assert (perpetual["deliveryTime"], perpetual["deliveryFeeRate"]) == ("0", "")
        assert (perpetual["basis"], perpetual["basisRate"], perpetual["predictedDeliveryPrice"]) == ("",) * 3
        (dated,) = (await bazaar.get("tickers", "category=linear&symbol=BTCUSDT-25SEP26"))["list"]
        assert (dated["fundingRate"], dated["nextFundingTime"], dated["fundingIntervalHour"]) == ("", "0", "")
        assert dated["deliveryTime"] == "1790323200000"
        assert dated["basis"] != ""
