"""Requests that should succeed at the two sites of contracts; see `plausible`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.conformance.furniture import CONTRACTS, NOW_MS, Trades
from tests.conformance.plausible import EARLIER, NEW_IDS, SIDES, Recipe, Values, one_of, recipe

DAY_MS = 86_400_000
PERIODS = one_of("5m", "1h", "4h", "1d")
KINDS = one_of("PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER")
INTERVALS = one_of("1m", "15m", "4h", "1d", "1w", "1M")
SIZES = st.integers(1, 500)


class _Words:
    """Symbols, pairs and quantities of one site."""

    def __init__(self, site: str) -> None:
        self.symbol, self.prefix, self.quantity = CONTRACTS[site]
        self.is_coin = site == "binance-coinm"
        self.pair = "BTCUSD" if self.is_coin else "BTCUSDT"
        self.other = "ETHUSD_PERP" if self.is_coin else "ETHUSDT"
        self.symbols = one_of(self.symbol, self.other)
        self.quantities = one_of("1", "10", "25") if self.is_coin else one_of("0.002", "0.01", "0.5")
        self.assets = one_of("BTC", "ETH") if self.is_coin else one_of("USDT", "USDC")


def preparation_of(site: str, label: str) -> Sequence[tuple[str, str, Values]]:
    """The requests that come before those of a row: method, path and parameters."""
    words = _Words(site)
    method, path = label.split(" ")
    match path.removeprefix(f"{words.prefix}/v1/"):
        case "listenKey" if method != "POST":
            # Forks begin without any.
            return [("POST", path, {})]
        case "positionSide/dual" if method == "POST":
            # Both sites have the same position mode.
            return [request for each in CONTRACTS for request in _leave(_Words(each))]
        case "multiAssetsMargin" if method == "POST":
            return _leave(words)
        case "positionMargin":
            opened = {"symbol": words.other, "side": "BUY", "type": "MARKET", "quantity": words.quantity}
            return [
                ("POST", f"{words.prefix}/v1/marginType", {"symbol": words.other, "marginType": "ISOLATED"}),
                ("POST", f"{words.prefix}/v1/order", opened),
            ]
    return []


def _leave(words: _Words) -> Sequence[tuple[str, str, Values]]:
    close = {"symbol": words.symbol, "side": "SELL", "type": "MARKET", "quantity": words.quantity}
    return [
        ("DELETE", f"{words.prefix}/v1/allOpenOrders", {"symbol": words.symbol}),
        ("DELETE", f"{words.prefix}/v1/algoOpenOrders", {"symbol": words.symbol}),
        ("POST", f"{words.prefix}/v1/order", close),
    ]


def recipe_of(there: Trades, label: str, names: Sequence[str], required: Sequence[str]) -> Recipe:
    """The recipe of a row, or one for a row that needs nothing in particular."""
    words = _Words(there.site)
    found = _recipes(there, words).get(label)
    if found is not None:
        return found
    usual: Values = {
        "symbol": words.symbols,
        "pair": words.pair,
        "contractType": KINDS,
        "period": PERIODS,
        "interval": INTERVALS,
        "limit": one_of(5, 10, 50),
        "marginAsset": words.assets,
        "asset": words.assets,
        "page": 1,
    }
    some = {name: usual[name] for name in names if name in usual and name not in required}
    if words.is_coin:
        # Of symbol and pair one is enough.
        some.pop("pair", None)
    return recipe(some, **{name: usual[name] for name in required})


_ANY_ORDER: Values = {
    "newOrderRespType": one_of("ACK", "RESULT"),
    "selfTradePreventionMode": one_of("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"),
    "positionSide": "BOTH",
}


def _plain_orders(words: _Words) -> Recipe:
    beside = {**_ANY_ORDER, "newClientOrderId": NEW_IDS, "reduceOnly": "false"}
    order: Values = {"symbol": words.symbol, "quantity": words.quantities}
    near = one_of("48000", "49999", "50000", "50001", "52000")
    return st.one_of(
        recipe(
            beside, **order, side=SIDES, type="LIMIT", price=near, timeInForce=one_of("GTC", "IOC", "FOK")
        ),
        recipe(beside, **order, side="BUY", type="LIMIT", price="48000", timeInForce="GTX"),
        recipe(
            beside,
            **order,
            side="BUY",
            type="LIMIT",
            price="48000",
            timeInForce="GTD",
            goodTillDate=st.integers(NOW_MS + 700_000, NOW_MS + DAY_MS),
        ),
        recipe(
            beside,
            **order,
            side=SIDES,
            type="LIMIT",
            priceMatch=one_of("OPPONENT", "OPPONENT_5", "QUEUE", "QUEUE_10"),
            timeInForce="GTC",
        ),
        recipe(beside, **order, side=SIDES, type="MARKET"),
        recipe(_ANY_ORDER, **order, side="SELL", type="MARKET", reduceOnly="true"),
    )


def _conditional_orders(words: _Words) -> Recipe:
    beside = {
        **_ANY_ORDER,
        "clientAlgoId": NEW_IDS,
        "workingType": one_of("MARK_PRICE", "CONTRACT_PRICE"),
        "priceProtect": one_of("true", "false"),
    }
    order: Values = {"algoType": "CONDITIONAL", "symbol": words.symbol}
    sized: Values = {**order, "quantity": words.quantities}
    return st.one_of(
        recipe(beside, **sized, side="SELL", type="STOP_MARKET", triggerPrice=BELOW_STEP),
        recipe(beside, **sized, side="BUY", type="TAKE_PROFIT_MARKET", triggerPrice=BELOW_STEP),
        recipe(beside, **sized, side="BUY", type="STOP", triggerPrice="52000", price="52100"),
        recipe(
            {**beside, "timeInForce": "GTC"},
            **sized,
            side="SELL",
            type="TAKE_PROFIT",
            triggerPrice="52000",
            price="51900",
        ),
        recipe(
            {**beside, "activatePrice": one_of("52000", "53000.5")},
            **sized,
            side="SELL",
            type="TRAILING_STOP_MARKET",
            callbackRate=one_of("0.1", "1", "5.5"),
        ),
        recipe(
            beside, **order, side="SELL", type="STOP_MARKET", triggerPrice=BELOW_STEP, closePosition="true"
        ),
    )


BELOW_STEP = one_of("40000", "45000.1", "49000.5")


def _batch(orders: SearchStrategy[Any]) -> Recipe:
    return recipe(batchOrders=st.lists(orders, min_size=1, max_size=3).map(json.dumps))


def _recipes(there: Trades, words: _Words) -> dict[str, Recipe]:
    ids, names = st.sampled_from(there.order_ids), st.sampled_from(there.client_ids)
    any_ids = st.sampled_from([*there.order_ids, there.filled_id])
    algo_ids, algo_names = st.sampled_from(there.algo_ids), st.sampled_from(there.client_algo_ids)
    symbol = words.symbol
    # A span of seven days at most.
    times: Values = {"startTime": st.integers(NOW_MS - 6 * DAY_MS, NOW_MS - 1), "endTime": NOW_MS}
    named = st.one_of(recipe(symbol=symbol, orderId=ids), recipe(symbol=symbol, origClientOrderId=names))
    algo = st.one_of(recipe(algoId=algo_ids), recipe(clientAlgoId=algo_names))
    change: Values = {"symbol": symbol, "side": "BUY", "quantity": words.quantities}
    changes = recipe(
        {"modifyId": st.integers(1, 99)}, **change, orderId=ids, price=one_of("41000", "42000.5")
    )
    orders = _plain_orders(words)
    candles = {"limit": SIZES, "startTime": EARLIER, "endTime": NOW_MS}
    prefix = words.prefix
    return {
        f"GET {prefix}/v1/historicalTrades": recipe(
            {"limit": SIZES, "fromId": st.integers(0, 10**9)}, symbol=words.symbols
        ),
        f"GET {prefix}/v1/aggTrades": recipe({"limit": SIZES}, symbol=words.symbols),
        **{
            f"GET {prefix}/v1/{name}": recipe(candles, symbol=words.symbols, interval=INTERVALS)
            for name in ("klines", "markPriceKlines", "premiumIndexKlines")
        },
        f"GET {prefix}/v1/indexPriceKlines": recipe(candles, pair=words.pair, interval=INTERVALS),
        f"GET {prefix}/v1/continuousKlines": recipe(
            candles, pair=words.pair, interval=INTERVALS, contractType="PERPETUAL"
        ),
        f"GET {prefix}/v1/constituents": recipe(symbol=words.pair if words.is_coin else symbol),
        f"POST {prefix}/v1/order": orders,
        f"POST {prefix}/v1/order/test": orders,
        f"PUT {prefix}/v1/order": changes,
        f"DELETE {prefix}/v1/order": named,
        f"GET {prefix}/v1/order": st.one_of(recipe(symbol=symbol, orderId=any_ids), named),
        f"GET {prefix}/v1/openOrder": named,
        f"GET {prefix}/v1/orderAmendment": st.one_of(
            recipe({"limit": SIZES, **times}, symbol=symbol, orderId=any_ids), named
        ),
        f"POST {prefix}/v1/countdownCancelAll": recipe(symbol=symbol, countdownTime=st.integers(0, 10**6)),
        f"POST {prefix}/v1/batchOrders": _batch(orders),
        f"PUT {prefix}/v1/batchOrders": _batch(changes),
        f"DELETE {prefix}/v1/batchOrders": st.one_of(
            recipe(symbol=symbol, orderIdList=st.lists(ids, min_size=1, max_size=10).map(json.dumps)),
            recipe(symbol=symbol, origclientorderidlist=st.lists(names, min_size=1).map(json.dumps)),
        ),
        f"POST {prefix}/v1/algoOrder": _conditional_orders(words),
        f"GET {prefix}/v1/algoOrder": algo,
        f"DELETE {prefix}/v1/algoOrder": algo,
        f"GET {prefix}/v1/openAlgoOrders": recipe(
            {"symbol": symbol, "algoId": algo_ids, "algoType": "CONDITIONAL"}
        ),
        f"GET {prefix}/v1/allAlgoOrders": recipe({"limit": SIZES, **times}, symbol=symbol),
        f"GET {prefix}/v1/allOrders": recipe({"limit": SIZES, "orderId": any_ids, **times}, symbol=symbol),
        f"GET {prefix}/v1/userTrades": st.one_of(
            recipe({"limit": SIZES, "fromId": 0, "orderId": there.filled_id}, symbol=symbol),
            recipe({"limit": SIZES, **times}, symbol=symbol),
        ),
        f"GET {prefix}/v1/forceOrders": recipe(
            {"symbol": symbol, "autoCloseType": one_of("LIQUIDATION", "ADL"), "limit": SIZES, **times}
        ),
        f"GET {prefix}/v1/income": recipe({"symbol": symbol, "incomeType": "COMMISSION", "page": 1, **times}),
        **{
            f"GET {prefix}/v1/{subject}/asyn": recipe(
                startTime=st.integers(NOW_MS - 365 * DAY_MS, NOW_MS - 1), endTime=NOW_MS
            )
            for subject in there.download_ids
        },
        **{
            f"GET {prefix}/v1/{subject}/asyn/id": recipe(downloadId=download)
            for subject, download in there.download_ids.items()
        },
        "GET /fapi/v1/convert/exchangeInfo": recipe(
            {"fromAsset": words.assets, "toAsset": one_of("BTC", "ETH")}
        ),
        "POST /fapi/v1/convert/getQuote": st.one_of(
            recipe({"validTime": "10s"}, fromAsset="USDT", toAsset=one_of("BTC", "USDC"), fromAmount="100.5"),
            recipe({"validTime": "10s"}, fromAsset="BTC", toAsset="USDT", toAmount=one_of("50", "1000")),
        ),
        "POST /fapi/v1/convert/acceptQuote": recipe(quoteId="1"),
        "GET /fapi/v1/convert/orderStatus": recipe(orderId=there.conversion_id),
        f"GET {prefix}/v1/asyn/file": recipe(token="WyIxIl0.signature"),
        f"GET {prefix}/v1/fundingRate": recipe({"limit": SIZES, **times}, symbol=words.symbols),
        f"POST {prefix}/v1/leverage": recipe(symbol=words.symbols, leverage=st.integers(5, 50)),
        f"POST {prefix}/v1/marginType": recipe(symbol=words.other, marginType=one_of("ISOLATED", "CROSSED")),
        f"POST {prefix}/v1/positionSide/dual": recipe(dualSidePosition=one_of("true", "false")),
        f"POST {prefix}/v1/multiAssetsMargin": recipe(multiAssetsMargin="true"),
        f"POST {prefix}/v1/positionMargin": recipe(symbol=words.other, amount="0.001", type=1),
        f"POST {prefix}/v1/feeBurn": recipe(feeBurn=one_of("true", "false")),
    }
