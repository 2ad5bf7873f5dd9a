"""Requests that should succeed at Bybit's site; see `plausible`.

A row that is not named here is asked for what it must have, and some of what it may, in usual words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.conformance.furniture import NOW_MS, Unified
from tests.conformance.plausible import NEW_IDS, Recipe, Values, one_of, recipe

SITE = "bybit"

DAY_MS = 86_400_000
COINS = one_of("BTC", "USDT", "ETH")
SPAN: Values = {"startTime": st.integers(NOW_MS - 6 * DAY_MS, NOW_MS - 1), "endTime": NOW_MS}

USUAL: Values = {
    "category": "linear",
    "symbol": one_of("BTCUSDT", "ETHUSDT"),
    "interval": one_of("1", "15", "240", "D", "W", "M"),
    "intervalTime": one_of("5min", "1h", "1d"),
    "period": one_of("5min", "1h", "1d"),
    "indexName": "BTCUSDT",
    "limit": one_of(1, 5, 20),
    "coin": COINS,
    "currency": COINS,
    "baseCoin": "BTC",
    "settleCoin": "USDT",
    "accountType": "UNIFIED",
    "memberId": "",
    "fromAccountType": "UNIFIED",
    "toAccountType": "FUND",
    "start": NOW_MS - DAY_MS,
    "end": NOW_MS,
    "buyLeverage": "12",
    "sellLeverage": "12",
    "tradeMode": 0,
    "mode": 0,
    "positionIdx": 0,
    "collateralSwitch": "ON",
    "setMarginMode": "REGULAR_MARGIN",
    "side": "Buy",
    "coinName": COINS,
    "amount": "0.5",
    "leverage": one_of("2", "5"),
    "margin": "1",
    "modifyEnable": one_of(True, False),
    "riskId": 1,
    "setHedgingMode": one_of("ON", "OFF"),
    "spotMarginMode": one_of("0", "1"),
    "tpSlMode": one_of("Full", "Partial"),
    "utaDemoApplyMoney": [{"coin": "USDT", "amountStr": "100"}],
    **SPAN,
}
"""Of these, parameters that are not needed are sent now and then."""

_PLAIN = ("category", "symbol", "limit", "coin", "currency", "interval", "baseCoin")
"""What may be sent beside anything."""


NEVER_ACCEPTED = {
    # The exchange removed it for unified accounts, and says so.
    "POST /v5/position/switch-isolated",
}

_BORROW = ("/v5/account/borrow", {"coin": "BTC", "amount": "0.5"})
_OVERDRAWN = (
    ("/v5/spot-margin-trade/switch-mode", {"spotMarginMode": "1"}),
    (
        "/v5/order/create",
        {
            "category": "spot",
            "symbol": "DOGEUSDT",
            "side": "Sell",
            "orderType": "Market",
            "qty": "100100",
            "isLeverage": 1,
        },
    ),
)
_ISOLATED = (
    # What is borrowed stands in the way of that.
    ("/v5/account/no-convert-repay", {"coin": "SOL"}),
    ("/v5/account/set-margin-mode", {"setMarginMode": "ISOLATED_MARGIN"}),
)
_PREPARATIONS: Mapping[str, Sequence[tuple[str, Values]]] = {
    "POST /v5/account/repay": [_BORROW],
    "POST /v5/account/no-convert-repay": [_BORROW],
    "POST /v5/account/quick-repayment": _OVERDRAWN,
    "POST /v5/spot-margin-trade/set-leverage": [
        ("/v5/spot-margin-trade/switch-mode", {"spotMarginMode": "1"})
    ],
    "POST /v5/position/add-margin": _ISOLATED,
    "POST /v5/position/set-auto-add-margin": _ISOLATED,
    # Thousands of payments of funding and of interest would lie between the two clocks.
    "PUT /clock": [
        ("/v5/account/no-convert-repay", {"coin": "SOL"}),
        (
            "/v5/order/create",
            {
                "category": "linear",
                "symbol": "BTCUSDT",
                "side": "Sell",
                "orderType": "Market",
                "qty": "0",
                "reduceOnly": True,
                "closeOnTrigger": True,
            },
        ),
    ],
}


def preparation_of(label: str) -> Sequence[tuple[str, Values]]:
    """The requests that come before those of a row: path and body."""
    return _PREPARATIONS.get(label, ())


def recipe_of(there: Unified, label: str, names: Sequence[str], required: Sequence[str]) -> Recipe:
    """The recipe of a row, or one for a row that needs nothing in particular."""
    found = _recipes(there).get(label)
    if found is not None:
        return found
    some = {name: USUAL[name] for name in names if name in _PLAIN and name not in required}
    if "symbol" in some or "symbol" in required:
        some.pop("baseCoin", None)
    return recipe(some, **{name: USUAL[name] for name in required})


def _orders() -> Recipe:
    beside: Values = {"orderLinkId": NEW_IDS, "reduceOnly": one_of(False, "false"), "positionIdx": 0}
    order: Values = {"symbol": "BTCUSDT"}
    linear: Values = {**order, "category": "linear", "qty": one_of("0.001", "0.02", 0.5)}
    pair: Values = {**order, "category": "spot"}
    return st.one_of(
        recipe(
            {**beside, "timeInForce": one_of("GTC", "IOC", "FOK", "PostOnly")},
            **linear,
            side=one_of("Buy", "Sell"),
            orderType="Limit",
            price=one_of("48000", "49999.9", "50000", "52000"),
        ),
        recipe(beside, **linear, side=one_of("Buy", "Sell"), orderType="Market"),
        recipe(
            {"triggerBy": one_of("LastPrice", "MarkPrice")},
            **linear,
            side="Buy",
            orderType="Market",
            triggerPrice="55000",
            triggerDirection=1,
        ),
        recipe(
            {**beside, "timeInForce": one_of("GTC", "PostOnly")},
            **pair,
            side="Buy",
            orderType="Limit",
            qty=one_of("0.001", "0.02"),
            price=one_of("45000", "49000"),
        ),
        recipe({}, **pair, side="Buy", orderType="Market", qty="100", marketUnit="quoteCoin"),
    )


def _member(orders: Recipe) -> Recipe:
    """The same without a category, as batches have it."""
    return orders.map(lambda terms: {name: value for name, value in terms.items() if name != "category"})


def _batch(category: str, members: Recipe) -> Recipe:
    return st.lists(members, min_size=1, max_size=3).map(
        lambda requests: {"category": category, "request": requests}
    )


def _recipes(there: Unified) -> dict[str, Recipe]:
    linear: Values = {"category": "linear", "symbol": "BTCUSDT"}
    ids = st.sampled_from(there.order_ids or ("none",))
    names = st.sampled_from(there.link_ids or ("none",))
    named = st.one_of(recipe(**linear, orderId=ids), recipe(**linear, orderLinkId=names))
    change: dict[str, Any] = {"price": one_of("41000", "42000.5"), "qty": one_of("0.02", "0.03")}
    orders = _orders()
    contracts = orders.filter(lambda terms: terms["category"] == "linear")
    pages: Values = {"limit": one_of(5, 50), **SPAN}
    move: Values = {
        "transferId": st.uuids(version=4).map(str),
        "coin": COINS,
        "amount": one_of("0.5", "1"),
        "fromAccountType": "UNIFIED",
        "toAccountType": "FUND",
    }
    return {
        "GET /v5/market/instruments-info": st.one_of(
            recipe({"limit": 50}, category=one_of("linear", "inverse", "spot", "option")),
            recipe(category="spot", symbol="BTCUSDT"),
        ),
        "GET /v5/market/tickers": st.one_of(
            recipe(category=one_of("linear", "inverse", "spot")), recipe(**linear)
        ),
        "GET /v5/market/orderbook": recipe(
            {"limit": one_of(1, 25, 200)}, category=one_of("linear", "spot"), symbol="BTCUSDT"
        ),
        "GET /v5/market/rpi_orderbook": recipe(category="linear", symbol="BTCUSDT", limit=one_of(1, 50)),
        "GET /v5/market/funding/history": recipe(
            {"limit": 20}, category="linear", symbol="BTCUSDT", endTime=NOW_MS
        ),
        "GET /v5/market/delivery-price": recipe({"limit": 5}, category=one_of("linear", "inverse")),
        "GET /v5/market/new-delivery-price": recipe(category="option", baseCoin="BTC"),
        "GET /v5/market/historical-volatility": recipe({"baseCoin": "BTC", "period": 7}, category="option"),
        "GET /v5/order/realtime": st.one_of(recipe({"limit": one_of(5, 50)}, **linear), named),
        "GET /v5/order/history": recipe(pages, **linear),
        "GET /v5/execution/list": recipe(pages, **linear),
        "POST /v5/order/create": orders,
        "POST /v5/order/pre-check": contracts,
        "POST /v5/order/amend": recipe(**linear, orderId=ids, **change),
        "POST /v5/order/cancel": named,
        "POST /v5/order/cancel-all": st.one_of(
            recipe(**linear), recipe(category="linear", settleCoin="USDT"), recipe(category="spot")
        ),
        "POST /v5/order/create-batch": _batch("linear", _member(contracts)),
        "POST /v5/order/amend-batch": _batch("linear", recipe(symbol="BTCUSDT", orderId=ids, **change)),
        "POST /v5/order/cancel-batch": _batch("linear", recipe(symbol="BTCUSDT", orderId=ids)),
        "POST /v5/order/disconnected-cancel-all": recipe(
            {"product": one_of("OPTIONS", "DERIVATIVES", "SPOT")}, timeWindow=st.integers(3, 300)
        ),
        "GET /v5/order/spot-borrow-check": recipe(
            category="spot", symbol="BTCUSDT", side=one_of("Buy", "Sell")
        ),
        "GET /v5/position/list": st.one_of(recipe(**linear), recipe(category="linear", settleCoin="USDT")),
        "POST /v5/position/switch-mode": recipe(category="linear", coin="USDT", mode=one_of(0, 3)),
        "POST /v5/position/trading-stop": recipe(
            **linear, tpslMode="Full", positionIdx=0, takeProfit=one_of("60000", "70000")
        ),
        "POST /v5/position/set-leverage": recipe(
            category="linear", symbol="ETHUSDT", buyLeverage="12", sellLeverage="12"
        ),
        "GET /v5/account/transaction-log": recipe({"currency": COINS, **pages}),
        "POST /v5/account/set-margin-mode": recipe(
            setMarginMode=one_of("REGULAR_MARGIN", "PORTFOLIO_MARGIN")
        ),
        "POST /v5/account/mmp-modify": recipe(
            baseCoin="BTC", window="5000", frozenPeriod="100000", qtyLimit="50", deltaLimit="20"
        ),
        "POST /v5/position/set-risk-limit": recipe(**linear, riskId=one_of(1, 2, 5)),
        "POST /v5/position/set-tpsl-mode": recipe(**linear, tpSlMode=one_of("Full", "Partial")),
        "POST /v5/position/add-margin": recipe(**linear, margin=one_of("10", "-10")),
        "POST /v5/position/set-auto-add-margin": recipe(**linear, autoAddMargin=one_of(0, 1)),
        "GET /v5/account/withdrawal": recipe(coinName=one_of("USDT", "BTC,ETH")),
        "POST /v5/account/set-hedging-mode": recipe(setHedgingMode=one_of("ON", "OFF")),
        "POST /v5/account/set-limit-px-action": recipe(
            category=one_of("linear", "spot"), modifyEnable=one_of(True, False)
        ),
        "POST /v5/account/set-collateral-switch": recipe(coin="ETH", collateralSwitch=one_of("ON", "OFF")),
        "POST /v5/account/set-collateral-switch-batch": recipe(
            request=st.just([{"coin": "ETH", "collateralSwitch": "ON"}])
        ),
        "GET /v5/account/borrow-history": recipe({"currency": COINS, **pages}),
        "POST /v5/account/borrow": recipe(coin="ETH", amount=one_of("0.5", "1")),
        "POST /v5/account/no-convert-repay": recipe({"amount": "0.01"}, coin="SOL"),
        "POST /v5/account/repay": recipe({"amount": "0.01"}, coin="SOL"),
        "POST /v5/account/quick-repayment": recipe({"coin": "DOGE"}),
        "POST /v5/account/demo-apply-money": recipe(
            {"adjustType": one_of(0, 1)}, utaDemoApplyMoney=st.just([{"coin": "USDT", "amountStr": "100"}])
        ),
        "POST /v5/spot-margin-trade/switch-mode": recipe(spotMarginMode=one_of("0", "1")),
        "POST /v5/spot-margin-trade/set-leverage": recipe(leverage=one_of("4", "10")),
        "POST /v5/asset/transfer/inter-transfer": recipe(**move),
        "GET /v5/asset/transfer/query-account-coin-balance": recipe(accountType="UNIFIED", coin=COINS),
        "GET /v5/asset/transfer/query-account-coins-balance": recipe(
            {"coin": COINS}, accountType=one_of("UNIFIED", "FUND")
        ),
        "POST /v5/asset/withdraw/create": recipe(
            coin="ETH",
            chain="ETH",
            address="0x52908400098527886E0F7030069857D2E4169EE7",
            amount="1",
            timestamp=NOW_MS,
            accountType="FUND",
        ),
        "GET /v5/asset/deposit/query-address": recipe(coin=COINS),
    }
