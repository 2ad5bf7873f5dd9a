"""Positions and the unified wallet over the wire; every figure is reckoned by hand.

Takers pay 0.055 %. The lowest tier of bitcoin keeps 0.5 %, and 0.055 % for closing where nothing is left.
What is held by hand is index, mark and last price alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.positions import Leg
from tests.exchanges.bybit.pit import NOW_MS, Pit
from tests.exchanges.bybit.treasury import INVERSE, LINEAR, Treasury

pytestmark = pytest.mark.anyio

LIST = "/v5/position/list"
LEVERAGE = "/v5/position/set-leverage"
MODE = "/v5/position/switch-mode"
MARGIN = "/v5/position/add-margin"

SYMBOL = {"category": "linear", "symbol": "BTCUSDT"}


@pytest.fixture
async def pit() -> AsyncIterator[Treasury]:
    async with Treasury() as pit:
        yield pit


# A linear position under cross margin


async def test_a_linear_position_under_cross_margin(pit: Treasury) -> None:
    await pit.trade(LINEAR, "0.1")
    await pit.hold("BTC/USDT", "102000")
    one = await pit.position()
    assert one == {
        "positionIdx": 0,
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "size": "0.1",
        "avgPrice": "100010",
        "positionValue": "10001",
        "autoAddMargin": 0,
        "positionStatus": "Normal",
        "leverage": "10",
        # (10001 + 5.50055) / (0.1 * (1 - 0.00055))
        "breakEvenPrice": "100120.07153935",
        "markPrice": "102000",
        # A million dollars of others cover it down to nothing.
        "liqPrice": "",
        "bustPrice": "",
        # 10200 / 10, and 10200 * 9 / 10 * 0.00055 for closing where nothing is left
        "positionIM": "1025.049",
        "positionIMByMp": "1025.049",
        # 10200 * 0.005, and the same for closing
        "positionMM": "56.049",
        "positionMMByMp": "56.049",
        "positionBalance": "1025.049",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "sessionAvgPrice": "",
        "delta": "",
        "gamma": "",
        "vega": "",
        "theta": "",
        # 0.1 * (102000 - 100010)
        "unrealisedPnl": "199",
        # 10001 * 0.00055
        "curRealisedPnl": "-5.50055",
        "cumRealisedPnl": "-5.50055",
        "adlRankIndicator": one["adlRankIndicator"],
        "createdTime": str(NOW_MS),
        "updatedTime": str(NOW_MS),
        "openTime": NOW_MS,
        "seq": one["seq"],
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "tpslMode": "Full",
        "tradeMode": 0,
    }
    assert 1 <= one["adlRankIndicator"] <= 5
    assert one["seq"] > 0


async def test_the_wallet_of_a_linear_position_under_cross_margin(pit: Treasury) -> None:
    await pit.trade(LINEAR, "0.1")
    await pit.hold("BTC/USDT", "102000")
    wallet = await pit.wallet()
    tether, bitcoin = (next(one for one in wallet["coin"] if one["coin"] == coin) for coin in ("USDT", "BTC"))
    # 1000000 less the fee of 10001 * 0.00055; 10 BTC at 102000, of which 2 % count for nothing.
    assert (tether["walletBalance"], tether["equity"]) == ("999994.49945", "1000193.49945")
    assert (tether["totalPositionIM"], tether["totalPositionMM"]) == ("1025.049", "56.049")
    assert (tether["totalOrderIM"], tether["locked"]) == ("0", "0")
    assert (tether["unrealisedPnl"], tether["cumRealisedPnl"]) == ("199", "-5.50055")
    assert (tether["usdValue"], bitcoin["usdValue"]) == ("1000193.49945", "1020000")
    assert (bitcoin["walletBalance"], bitcoin["equity"], bitcoin["locked"]) == ("10", "10", "0")
    assert "free" not in bitcoin
    assert (bitcoin["marginCollateral"], bitcoin["collateralSwitch"]) == (True, True)
    assert (wallet["totalWalletBalance"], wallet["totalPerpUPL"]) == ("2019994.49945", "199")
    assert wallet["totalEquity"] == wallet["totalMarginBalance"] == "2020193.49945"
    assert (wallet["totalInitialMargin"], wallet["totalMaintenanceMargin"]) == ("1025.049", "56.049")
    # 1000193.49945 + 999600 - 1025.049
    assert wallet["totalAvailableBalance"] == "1998768.45045"
    # 1025.049 and 56.049 over 1999793.49945
    assert (wallet["accountIMRate"], wallet["accountMMRate"]) == ("0.0005", "0")


async def test_an_order_beside_the_market_needs_margin_and_shows_it(pit: Treasury) -> None:
    await pit.rest(LINEAR, "0.1", "99000")
    # 0.1 * 99000 / 10, and 9900 * 9 / 10 * 0.00055
    assert (await pit.coin("USDT"))["totalOrderIM"] == "994.9005"
    wallet = await pit.wallet()
    assert (wallet["totalInitialMargin"], wallet["totalAvailableBalance"]) == ("994.9005", "1979005.0995")


# Isolated margin


async def test_a_linear_position_under_isolated_margin(pit: Treasury) -> None:
    assert await pit.margin_mode("ISOLATED_MARGIN") == {"reasons": []}
    await pit.trade(LINEAR, "0.1")
    one = await pit.position()
    # 10001 / 10, and 10001 * 9 / 10 * 0.00055
    assert one["positionBalance"] == "1005.050495"
    # It is told by its price of entry, what has to be kept by the mark price: 10000 * 0.005 + 4.950495
    assert (one["positionIM"], one["positionMM"]) == ("1005.050495", "54.950495")
    # 10001 * 9 / 10 / (0.1 * (1 - 0.005)) = 90461.306...
    assert one["liqPrice"] == "90461.31"
    wallet = await pit.wallet()
    assert {wallet[name] for name in _OF_ACCOUNTS} == {""}
    tether = next(one for one in wallet["coin"] if one["coin"] == "USDT")
    assert tether["walletBalance"] == "999994.49945"
    told = await pit.get("/v5/account/withdrawal", {"coinName": "USDT,BTC"})
    # What is put up for it may not leave; it is kept by that alone.
    assert told["availableWithdrawal"] == "998989.448955"
    assert told["availableWithdrawalMap"] == {"USDT": "998989.448955", "BTC": "10"}


_OF_ACCOUNTS = (
    "accountIMRate",
    "accountIMRateByMp",
    "accountMMRate",
    "accountMMRateByMp",
    "totalMarginBalance",
    "totalAvailableBalance",
    "totalInitialMargin",
    "totalInitialMarginByMp",
    "totalMaintenanceMargin",
    "totalMaintenanceMarginByMp",
)
"""What is not told under isolated margin (wallet-balance.mdx)."""


async def test_an_inverse_position_under_isolated_margin(pit: Treasury) -> None:
    await pit.margin_mode("ISOLATED_MARGIN")
    await pit.book(INVERSE, [("99990", "500000")], [("100000", "500000")])
    await pit.trade(INVERSE, "1000")
    await pit.hold("BTC/USD", "125000")
    one = await pit.position("BTCUSD", "inverse")
    assert (one["size"], one["avgPrice"], one["positionValue"]) == ("1000", "100000", "0.01")
    # 1000 / 100000 / 10, and 0.01 * 11 / 10 * 0.00055
    assert one["positionBalance"] == "0.00100605"
    # The same, since it goes by the price of entry; 0.008 * 0.005, and 0.01 * 11 / 10 * 0.00055
    assert (one["positionIM"], one["positionMM"]) == ("0.00100605", "0.00004605")
    # 1000 * (1/100000 - 1/125000), and a fee of 0.01 * 0.00055
    assert (one["unrealisedPnl"], one["curRealisedPnl"]) == ("0.002", "-0.0000055")
    # 1000 * 1.005 / (0.01 + 0.01 / 10) = 91363.636... ("Liquidation Price Calculation under Isolated Mode")
    assert one["liqPrice"] == "91363.64"
    bitcoin = await pit.coin("BTC")
    assert (bitcoin["walletBalance"], bitcoin["equity"]) == ("9.9999945", "10.0019945")
    # Coins are worth what they cost in USDT: 10.0019945 * 100000
    assert bitcoin["usdValue"] == "1000199.45"


async def test_margin_of_an_isolated_position_is_added_and_taken_back(pit: Treasury) -> None:
    await pit.margin_mode("ISOLATED_MARGIN")
    await pit.trade(LINEAR, "0.1")
    told = await pit.post(MARGIN, {**SYMBOL, "margin": "500.5"})
    assert (told["category"], told["symbol"], told["positionIdx"]) == ("linear", "BTCUSDT", 0)
    # (10001 - 1505.550495) / 0.99945 = 8500.124..., where nothing is left; / (0.1 * 0.995) = 85428.387...
    assert told["liqPrice"] == "85428.39"
    assert (await pit.position())["positionBalance"] == "1505.550495"
    # With the mark at its entry it can spare all beyond its initial margin, and no more.
    await pit.hold("BTC/USDT", "100010")
    assert (await pit.no("POST", MARGIN, {**SYMBOL, "margin": "-500.6"}))[0] == 110078
    await pit.post(MARGIN, {**SYMBOL, "margin": "-500.5"})
    assert (await pit.position())["positionBalance"] == "1005.050495"


async def test_margins_that_cannot_be_moved(pit: Treasury) -> None:
    sent = {**SYMBOL, "margin": "1"}
    await pit.trade(LINEAR, "0.1")
    assert (await pit.no("POST", MARGIN, sent))[0] == 110015
    await pit.trade(LINEAR, "-0.1")
    await pit.margin_mode("ISOLATED_MARGIN")
    assert (await pit.no("POST", MARGIN, sent))[0] == 110033
    await pit.trade(LINEAR, "0.1")
    assert (await pit.no("POST", MARGIN, {**sent, "margin": "0"}))[0] == 110027
    assert (await pit.no("POST", MARGIN, {**sent, "margin": "-1000"}))[0] == 110078
    assert (await pit.no("POST", MARGIN, {**sent, "margin": "1000000"}))[0] == 110014
    assert (await pit.no("POST", MARGIN, {**sent, "margin": "0.00001"}))[0] == 10001
    assert (await pit.no("POST", MARGIN, {**sent, "positionIdx": 1}))[0] == 10001


AUTOMATIC = "/v5/position/set-auto-add-margin"


async def test_margin_is_added_by_itself_before_a_position_is_liquidated(pit: Treasury) -> None:
    await pit.margin_mode("ISOLATED_MARGIN")
    await pit.trade(LINEAR, "0.1")
    assert await pit.post(AUTOMATIC, {**SYMBOL, "autoAddMargin": 1}) == {}
    assert await pit.post(AUTOMATIC, {**SYMBOL, "autoAddMargin": 1}) == {}
    assert (await pit.position())["autoAddMargin"] == 1
    before = Decimal((await pit.coin("USDT"))["walletBalance"])
    # Opening 0.1 at 100010 took 1005.050495, of which 1001 are lost: as much again is added.
    await pit.hold("BTC/USDT", "90000")
    one = await pit.position()
    assert (one["size"], one["positionBalance"], one["unrealisedPnl"]) == ("0.1", "2010.10099", "-1001")
    # Nothing was paid: it is in the same wallet.
    assert Decimal((await pit.coin("USDT"))["walletBalance"]) == before
    assert await pit.post(AUTOMATIC, {**SYMBOL, "autoAddMargin": 0}) == {}
    assert (await pit.position())["autoAddMargin"] == 0
    # 2001 of 2010.10099 are lost.
    await pit.hold("BTC/USDT", "80000")
    assert (await pit.position())["size"] == "0"


async def test_each_leg_has_its_own_choice_of_added_margin(pit: Treasury) -> None:
    await pit.margin_mode("ISOLATED_MARGIN")
    await pit.post(MODE, {**SYMBOL, "mode": 3})
    assert (await pit.no("POST", AUTOMATIC, {**SYMBOL, "autoAddMargin": 1}))[0] == 10001
    await pit.post(AUTOMATIC, {**SYMBOL, "autoAddMargin": 1, "positionIdx": 2})
    assert [one["autoAddMargin"] for one in await pit.positions()] == [0, 1]


async def test_where_margin_is_not_added_by_itself(pit: Treasury) -> None:
    for chosen in (0, 1):
        assert (await pit.no("POST", AUTOMATIC, {**SYMBOL, "autoAddMargin": chosen}))[0] == 110076
    await pit.margin_mode("ISOLATED_MARGIN")
    inverse = {"category": "inverse", "symbol": "BTCUSD", "autoAddMargin": 1}
    assert (await pit.no("POST", AUTOMATIC, inverse))[0] == 10001
    assert (await pit.no("POST", AUTOMATIC, {**SYMBOL, "autoAddMargin": 2}))[0] == 10001


# The list


async def test_a_symbol_is_told_of_when_flat_and_a_coin_is_not(pit: Treasury) -> None:
    one = await pit.position()
    assert (one["size"], one["side"], one["avgPrice"], one["openTime"], one["seq"]) == ("0", "", "0", 0, -1)
    assert (one["unrealisedPnl"], one["positionValue"], one["liqPrice"]) == ("0", "0", "")
    assert (one["adlRankIndicator"], one["leverage"]) == (0, "10")
    assert (await pit.get(LIST, {"category": "linear", "settleCoin": "USDT"}))["list"] == []
    await pit.trade(LINEAR, "-0.1")
    await pit.trade(INVERSE, "100")
    told = await pit.get(LIST, {"category": "linear", "settleCoin": "USDT"})
    assert [(one["symbol"], one["side"]) for one in told["list"]] == [("BTCUSDT", "Sell")]
    assert (await pit.get(LIST, {"category": "linear", "settleCoin": "USDC"}))["list"] == []
    told = await pit.get(LIST, {"category": "inverse"})
    assert [(one["symbol"], one["side"]) for one in told["list"]] == [("BTCUSD", "Buy")]
    assert await pit.get(LIST, {"category": "option"}) == {
        "category": "option",
        "nextPageCursor": "",
        "list": [],
    }


async def test_positions_are_paged(pit: Treasury) -> None:
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    for symbol, quantity in zip(symbols, ("0.1", "1", "1"), strict=True):
        await pit.trade(f"linear:{symbol}", quantity)
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        told = await pit.get(LIST, {"category": "linear", "settleCoin": "USDT", "limit": 1, "cursor": cursor})
        seen += [one["symbol"] for one in told["list"]]
        cursor = told["nextPageCursor"]
    assert cursor == ""
    assert sorted(seen) == sorted(symbols)


@pytest.mark.parametrize(
    "sent",
    [
        {"category": "linear"},
        {"category": "spot", "symbol": "BTCUSDT"},
        {"category": "linear", "symbol": "NONE"},
        {"category": "linear", "settleCoin": "BTC"},
        {"category": "linear", "symbol": "BTCUSDT", "limit": 201},
        {"category": "linear", "settleCoin": "USDT", "cursor": "x"},
        {},
    ],
)
async def test_positions_that_cannot_be_asked_for(pit: Pit, sent: dict[str, Any]) -> None:
    assert (await pit.no("GET", LIST, sent))[0] == 10001


async def test_what_positions_brought_outlives_them(pit: Treasury) -> None:
    await pit.trade(LINEAR, "0.1")
    await pit.trade(LINEAR, "-0.1")
    one = await pit.position()
    # 0.1 * -20 less 5.50055 and 5.49945
    assert (one["size"], one["curRealisedPnl"], one["cumRealisedPnl"]) == ("0", "0", "-13")
    assert one["createdTime"] == str(NOW_MS)
    assert (await pit.coin("USDT"))["cumRealisedPnl"] == "-13"


# Leverage


def leverage(buy: str, sell: str | None = None, **more: Any) -> dict[str, Any]:
    return {**SYMBOL, "buyLeverage": buy, "sellLeverage": buy if sell is None else sell, **more}


async def test_leverage_is_chosen_for_a_symbol(pit: Treasury) -> None:
    assert await pit.post(LEVERAGE, leverage("6")) == {}
    assert (await pit.position())["leverage"] == "6"
    assert await pit.no("POST", LEVERAGE, leverage("6")) == (110043, "leverage not modified")
    await pit.trade(LINEAR, "0.06")
    await pit.hold("BTC/USDT", "100000")
    # 6000 / 6, and 6000 * 5 / 6 * 0.00055
    assert (await pit.position())["positionIM"] == "1002.75"
    await pit.post(LEVERAGE, leverage("12.5"))
    # 6000 / 12.5, and 6000 * 11.5 / 12.5 * 0.00055
    assert (await pit.position())["positionIM"] == "483.036"
    told = await pit.get("/v5/position/symbol-info", {"category": "linear"})
    assert told["list"] == [{"symbol": "BTCUSDT", "leverage": "12.5", "side": "Buy", "positionIdx": 0}]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (leverage("101"), 110013),
        (leverage("0.5"), 10001),
        (leverage("5", "6"), 10001),
        (leverage("5.001"), 10001),
        (leverage("5", symbol="NONE"), 10001),
        (leverage("5", category="spot"), 10001),
        ({**SYMBOL, "buyLeverage": "5"}, 10001),
    ],
)
async def test_leverages_that_cannot_be_chosen(pit: Treasury, sent: dict[str, Any], code: int) -> None:
    assert (await pit.no("POST", LEVERAGE, sent))[0] == code


async def test_another_leverage_moves_the_margin_of_an_isolated_position(pit: Treasury) -> None:
    await pit.margin_mode("ISOLATED_MARGIN")
    await pit.trade(LINEAR, "0.1")
    await pit.post(LEVERAGE, leverage("20"))
    # 10001 / 20, and 10001 * 19 / 20 * 0.00055
    assert (await pit.position())["positionBalance"] == "505.2755225"
    await pit.post(LEVERAGE, leverage("5"))
    # 10001 / 5, and 10001 * 4 / 5 * 0.00055
    assert (await pit.position())["positionBalance"] == "2004.60044"


async def test_leverage_has_no_meaning_under_portfolio_margin(pit: Treasury) -> None:
    await pit.margin_mode("PORTFOLIO_MARGIN")
    assert (await pit.no("POST", LEVERAGE, leverage("5")))[0] == 110038


# One position or two


def mode(number: int, **more: Any) -> dict[str, Any]:
    return {**SYMBOL, "mode": number, **more}


async def test_a_symbol_has_two_positions_in_hedge_mode(pit: Treasury) -> None:
    assert await pit.post(MODE, mode(3)) == {}
    assert [one["positionIdx"] for one in await pit.positions()] == [1, 2]
    await pit.trade(LINEAR, "0.1", leg=Leg.LONG)
    await pit.trade(LINEAR, "-0.2", leg=Leg.SHORT)
    long, short = await pit.positions()
    assert (long["side"], long["size"], short["side"], short["size"]) == ("Buy", "0.1", "Sell", "0.2")
    told = await pit.get(LIST, {"category": "linear", "settleCoin": "USDT"})
    assert [one["positionIdx"] for one in told["list"]] == [1, 2]
    assert [one["positionIdx"] for one in await pit.positions("ETHUSDT")] == [0]


async def test_legs_have_leverages_of_their_own_under_isolated_margin_only(pit: Treasury) -> None:
    await pit.post(MODE, mode(3))
    assert (await pit.no("POST", LEVERAGE, leverage("5", "8")))[0] == 10001
    await pit.margin_mode("ISOLATED_MARGIN")
    await pit.post(LEVERAGE, leverage("5", "8"))
    assert [one["leverage"] for one in await pit.positions()] == ["5", "8"]


async def test_modes_that_cannot_be_switched(pit: Treasury) -> None:
    assert (await pit.no("POST", MODE, mode(0)))[0] == 110025
    assert (await pit.no("POST", MODE, mode(1)))[0] == 10001
    assert (await pit.no("POST", MODE, {"category": "linear", "mode": 3}))[0] == 10001
    assert (await pit.no("POST", MODE, mode(3, category="inverse", symbol="BTCUSD")))[0] == 110029
    assert (await pit.no("POST", MODE, mode(3, symbol="BTCPERP")))[0] == 110029
    assert (await pit.no("POST", MODE, {"category": "linear", "coin": "EUR", "mode": 3}))[0] == 110050
    await pit.rest(LINEAR, "0.1", "99000")
    assert (await pit.no("POST", MODE, mode(3)))[0] == 110028
    await pit.trade(LINEAR, "0.1")
    assert (await pit.no("POST", MODE, mode(3)))[0] == 110024


async def test_a_coin_is_switched_without_what_is_traded(pit: Treasury) -> None:
    await pit.trade(LINEAR, "0.1")
    # What is so already is a success for a coin: clients send it at every start.
    assert await pit.post(MODE, {"category": "linear", "coin": "USDT", "mode": 0}) == {}
    assert await pit.post(MODE, {"category": "linear", "coin": "USDT", "mode": 3}) == {}
    assert [one["positionIdx"] for one in await pit.positions("BTCUSDT")] == [0]
    assert [one["positionIdx"] for one in await pit.positions("ETHUSDT")] == [1, 2]


# What is gone, or is there for old clients


async def test_what_unified_accounts_have_no_more(pit: Treasury) -> None:
    sent = {**leverage("5"), "tradeMode": 1}
    assert await pit.no("POST", "/v5/position/switch-isolated", sent) == (
        100028,
        "The API cannot be accessed by unified account users.",
    )
    told = await pit.post("/v5/position/set-risk-limit", {**SYMBOL, "riskId": 2})
    assert told == {"category": "linear", "riskId": 2, "riskLimitValue": "2600000"}
    assert (await pit.no("POST", "/v5/position/set-risk-limit", {**SYMBOL, "riskId": 99}))[0] == 10001
    assert await pit.post("/v5/position/set-tpsl-mode", {**SYMBOL, "tpSlMode": "Partial"}) == {
        "tpSlMode": "Partial"
    }
