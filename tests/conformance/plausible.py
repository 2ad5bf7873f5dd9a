"""Requests that should succeed: what a client in its right mind sends, so that checks reach deep.

Random values that a document allows name symbols nobody lists and prices nobody pays. These name what
a fresh sandbox has once `furniture` was there: the market of SYMBOL stands at PRICE by hand, and the demo
account has orders and order lists in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.conformance.furniture import NOW_MS, SYMBOL, Furniture
from tests.conformance.signing import KEY

Values = Mapping[str, Any]
Recipe = SearchStrategy[Values]
"""Parameters by name; for the control API also the members of the body, below `BODY`."""

BODY = "body"


def one_of(*values: Any) -> SearchStrategy[Any]:
    return st.sampled_from(values)


def recipe(some: Values | None = None, /, **always: Any) -> Recipe:
    """always: what is sent. some: what may be sent beside. Plain values stand for themselves."""
    return st.fixed_dictionaries(_strategies(always), optional=_strategies(some or {}))


def _strategies(values: Values) -> dict[str, SearchStrategy[Any]]:
    return {
        name: value if isinstance(value, SearchStrategy) else st.just(value) for name, value in values.items()
    }


# What the parameters of many rows may be

SYMBOLS = one_of(SYMBOL, "ETHUSDT", "ETHBTC", "PEPEUSDT")
SYMBOL_ARRAY = one_of('["BTCUSDT"]', '["BTCUSDT","ETHBTC"]', '["PEPEUSDT","SHIBUSDT","BTCEUR"]')
LIMITS = st.integers(1, 1200)
EARLIER = st.integers(NOW_MS - 40 * 86_400_000, NOW_MS - 1)
ASSETS = one_of("BTC", "USDT", "BNB", "ETH")
RESPONSES = one_of("ACK", "RESULT", "FULL")
SELF_TRADES = one_of("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")
NEW_IDS = st.text("abcXYZ019_-", min_size=8, max_size=36)
SIDES = one_of("BUY", "SELL")
QUANTITIES = one_of("0.001", "0.01", "0.12345", "0.5")
BELOW = one_of("40000", "45000.01", "49000.5")
ABOVE = one_of("51000.5", "55000.01", "60000")
PRICES = st.one_of(BELOW, ABOVE, one_of("49999.99", "50000", "50000.01"))
TIMES_IN_FORCE = one_of("GTC", "IOC", "FOK")
ANY_ORDER: Values = {
    "newClientOrderId": NEW_IDS,
    "newOrderRespType": RESPONSES,
    "selfTradePreventionMode": SELF_TRADES,
    "strategyId": st.integers(0, 10**6),
    "strategyType": st.integers(10**6, 10**7),
}


def _orders(some: Values, **always: Any) -> Recipe:
    beside = {**ANY_ORDER, **some}
    order = {"symbol": SYMBOL, **always}
    triggered = st.one_of(recipe(stopPrice=BELOW), recipe(trailingDelta=st.integers(10, 2000)))
    stop = recipe(beside, **order, side="SELL", type="STOP_LOSS", quantity=QUANTITIES)
    return st.one_of(
        recipe(
            beside,
            **order,
            type="LIMIT",
            side=SIDES,
            quantity=QUANTITIES,
            price=PRICES,
            timeInForce=TIMES_IN_FORCE,
        ),
        recipe(beside, **order, type="MARKET", side=SIDES, quantity=QUANTITIES),
        recipe(beside, **order, type="MARKET", side=SIDES, quoteOrderQty=one_of("10", "1000.5")),
        recipe(beside, **order, type="LIMIT_MAKER", side="BUY", quantity=QUANTITIES, price=BELOW),
        st.builds(lambda terms, trigger: {**terms, **trigger}, stop, triggered),
        recipe(
            beside,
            **order,
            type="STOP_LOSS_LIMIT",
            side="BUY",
            quantity=QUANTITIES,
            price=ABOVE,
            stopPrice=ABOVE,
            timeInForce="GTC",
        ),
        recipe(beside, **order, type="TAKE_PROFIT", side="SELL", quantity=QUANTITIES, stopPrice=ABOVE),
        recipe(
            beside,
            **order,
            type="TAKE_PROFIT_LIMIT",
            side="BUY",
            quantity=QUANTITIES,
            price=BELOW,
            stopPrice=BELOW,
            timeInForce="GTC",
        ),
        recipe(
            beside,
            **order,
            type="LIMIT",
            side="SELL",
            quantity="0.5",
            icebergQty="0.1",
            price=ABOVE,
            timeInForce="GTC",
        ),
        recipe(
            {**beside, "pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": st.integers(1, 20)},
            **order,
            type="LIMIT",
            side=SIDES,
            quantity=QUANTITIES,
            pegPriceType=one_of("PRIMARY_PEG", "MARKET_PEG"),
            timeInForce="GTC",
        ),
    )


def _routed(some: Values) -> Recipe:
    return st.one_of(
        recipe(some, symbol=SYMBOL, side=SIDES, type="MARKET", quantity=QUANTITIES),
        recipe(
            some,
            symbol=SYMBOL,
            side=SIDES,
            type="LIMIT",
            quantity=QUANTITIES,
            price=PRICES,
            timeInForce=TIMES_IN_FORCE,
        ),
    )


_LIST: Values = {
    "listClientOrderId": NEW_IDS,
    "newOrderRespType": RESPONSES,
    "selfTradePreventionMode": SELF_TRADES,
}
_WORKING: Values = {
    "symbol": SYMBOL,
    "workingType": one_of("LIMIT", "LIMIT_MAKER"),
    "workingSide": "BUY",
    "workingPrice": BELOW,
    "workingQuantity": QUANTITIES,
}
_PAIR: Values = {
    "pendingSide": "SELL",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": ABOVE,
    "pendingBelowType": one_of("STOP_LOSS"),
    "pendingBelowStopPrice": one_of("30000", "39000.01"),
}


def _working(**pending: Any) -> Recipe:
    def in_time(values: Values) -> Values:
        return {**values, "workingTimeInForce": "GTC"} if values["workingType"] == "LIMIT" else values

    return recipe(_LIST, **_WORKING, **pending).map(in_time)


def binance(there: Furniture) -> dict[str, Recipe]:
    """Recipes by the row they are for; rows that have none are served by `usual`."""
    ids = st.sampled_from(there.order_ids)
    any_ids = st.sampled_from([*there.order_ids, there.filled_id])
    client_ids = st.sampled_from(there.client_ids)
    list_ids = st.sampled_from(there.list_ids)
    list_client_ids = st.sampled_from(there.list_client_ids)
    times: Values = {"startTime": EARLIER, "endTime": NOW_MS}
    candles = recipe(
        {"limit": LIMITS, "timeZone": one_of("0", "8", "-05:30"), **times},
        symbol=SYMBOLS,
        interval=one_of("1s", "1m", "15m", "4h", "1d", "1w", "1M"),
    )
    few: Values = {"symbolStatus": "TRADING"}
    tickers = st.one_of(recipe(few, symbol=SYMBOLS), recipe(few, symbols=SYMBOL_ARRAY), recipe(few))
    typed: Values = {**few, "type": one_of("FULL", "MINI")}
    named = st.one_of(recipe(typed, symbol=SYMBOLS), recipe(typed, symbols=SYMBOL_ARRAY))
    history: Values = {"coin": ASSETS, "offset": st.integers(0, 3), "limit": LIMITS, **times}
    return {
        "GET /api/v3/exchangeInfo": st.one_of(
            recipe(symbol=SYMBOLS),
            recipe({"showPermissionSets": one_of("true", "false")}, symbols=SYMBOL_ARRAY),
            recipe(permissions=one_of("SPOT", '["MARGIN","LEVERAGED"]')),
            recipe(few),
        ),
        "GET /api/v3/executionRules": st.one_of(
            recipe(symbol=SYMBOLS), recipe(symbols=SYMBOL_ARRAY), recipe(few)
        ),
        "GET /api/v3/depth": recipe({"limit": st.integers(1, 6000)}, symbol=SYMBOLS),
        "GET /api/v3/historicalTrades": recipe(
            {"limit": LIMITS, "fromId": st.integers(0, 10**9)}, symbol=SYMBOLS
        ),
        "GET /api/v3/aggTrades": st.one_of(
            recipe({"limit": LIMITS}, symbol=SYMBOLS, fromId=st.integers(0, 10**9)),
            recipe({"limit": LIMITS, **times}, symbol=SYMBOLS),
        ),
        "GET /api/v3/klines": candles,
        "GET /api/v3/uiKlines": candles,
        "GET /api/v3/ticker/24hr": st.one_of(named, recipe(typed)),
        "GET /api/v3/ticker/tradingDay": named,
        "GET /api/v3/ticker": st.builds(
            lambda values, window: {**values, **window},
            named,
            recipe({"windowSize": one_of("1m", "59m", "1h", "23h", "7d")}),
        ),
        "GET /api/v3/ticker/price": tickers,
        "GET /api/v3/ticker/bookTicker": tickers,
        "POST /api/v3/order": _orders({}),
        "POST /api/v3/order/test": _orders({"computeCommissionRates": one_of("true", "false")}),
        "POST /api/v3/sor/order": _routed(ANY_ORDER),
        "POST /api/v3/sor/order/test": _routed({"computeCommissionRates": one_of("true", "false")}),
        "GET /api/v3/order": st.one_of(
            recipe(symbol=SYMBOL, orderId=any_ids), recipe(symbol=SYMBOL, origClientOrderId=client_ids)
        ),
        "DELETE /api/v3/order": st.one_of(
            recipe({"newClientOrderId": NEW_IDS}, symbol=SYMBOL, orderId=ids),
            recipe({"cancelRestrictions": "ONLY_NEW"}, symbol=SYMBOL, origClientOrderId=client_ids),
        ),
        "DELETE /api/v3/openOrders": recipe(symbol=SYMBOL),
        "GET /api/v3/openOrders": recipe({"symbol": SYMBOL}),
        "POST /api/v3/order/cancelReplace": st.one_of(
            _orders({}, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=ids),
            _orders(
                {"cancelNewClientOrderId": NEW_IDS, "cancelRestrictions": "ONLY_NEW"},
                cancelReplaceMode="ALLOW_FAILURE",
                cancelOrigClientOrderId=client_ids,
            ),
        ),
        "PUT /api/v3/order/amend/keepPriority": st.one_of(
            recipe(symbol=SYMBOL, orderId=ids, newQty=one_of("0.005", "0.001", "0.00999")),
            recipe(
                {"newClientOrderId": NEW_IDS}, symbol=SYMBOL, origClientOrderId=client_ids, newQty="0.00998"
            ),
        ),
        "GET /api/v3/order/amendments": recipe(
            {"fromExecutionId": st.integers(0, 9), "limit": LIMITS}, symbol=SYMBOL, orderId=any_ids
        ),
        "GET /api/v3/allOrders": st.one_of(
            recipe({"limit": LIMITS}, symbol=SYMBOL, orderId=any_ids),
            recipe({"limit": LIMITS}, symbol=SYMBOL, startTime=NOW_MS - 1000, endTime=NOW_MS),
        ),
        "GET /api/v3/myPreventedMatches": st.one_of(
            recipe(symbol=SYMBOL, preventedMatchId=st.integers(0, 9)),
            recipe(
                {"fromPreventedMatchId": st.integers(0, 9), "limit": LIMITS}, symbol=SYMBOL, orderId=any_ids
            ),
        ),
        "GET /api/v3/myAllocations": st.one_of(
            recipe({"fromAllocationId": st.integers(0, 9), "limit": LIMITS}, symbol=SYMBOL),
            recipe({"limit": LIMITS}, symbol=SYMBOL, orderId=any_ids),
        ),
        "GET /api/v3/myTrades": st.one_of(
            recipe(
                {"limit": LIMITS, "fromId": st.integers(0, 10**6)}, symbol=SYMBOL, orderId=there.filled_id
            ),
            recipe(symbol=SYMBOL, startTime=NOW_MS - 1000, endTime=NOW_MS),
        ),
        "POST /api/v3/order/oco": recipe(
            {**_LIST, "limitClientOrderId": NEW_IDS, "stopClientOrderId": NEW_IDS},
            symbol=SYMBOL,
            side="SELL",
            quantity=QUANTITIES,
            price=ABOVE,
            stopPrice=BELOW,
        ),
        "POST /api/v3/orderList/oco": st.one_of(
            recipe(
                _LIST,
                symbol=SYMBOL,
                side="SELL",
                quantity=QUANTITIES,
                aboveType="LIMIT_MAKER",
                abovePrice=ABOVE,
                belowType="STOP_LOSS",
                belowStopPrice=BELOW,
            ),
            recipe(
                _LIST,
                symbol=SYMBOL,
                side="BUY",
                quantity=QUANTITIES,
                aboveType="STOP_LOSS_LIMIT",
                abovePrice="61000",
                aboveStopPrice=ABOVE,
                aboveTimeInForce="GTC",
                belowType="TAKE_PROFIT",
                belowStopPrice=BELOW,
            ),
        ),
        "POST /api/v3/orderList/oto": _working(
            pendingType="LIMIT",
            pendingSide="SELL",
            pendingPrice=ABOVE,
            pendingQuantity=QUANTITIES,
            pendingTimeInForce="GTC",
        ),
        "POST /api/v3/orderList/opo": _working(
            pendingType="LIMIT", pendingSide="SELL", pendingPrice=ABOVE, pendingTimeInForce="GTC"
        ),
        "POST /api/v3/orderList/otoco": _working(**_PAIR, pendingQuantity=QUANTITIES),
        "POST /api/v3/orderList/opoco": _working(**_PAIR),
        "DELETE /api/v3/orderList": st.one_of(
            recipe({"newClientOrderId": NEW_IDS}, symbol=SYMBOL, orderListId=list_ids),
            recipe(symbol=SYMBOL, listClientOrderId=list_client_ids),
        ),
        "GET /api/v3/orderList": st.one_of(
            recipe(orderListId=list_ids), recipe(origClientOrderId=list_client_ids)
        ),
        "GET /api/v3/allOrderList": st.one_of(
            recipe({"limit": LIMITS}, fromId=st.integers(0, 9)),
            recipe({"limit": LIMITS}, startTime=NOW_MS - 1000, endTime=NOW_MS),
        ),
        "GET /sapi/v1/capital/deposit/address": recipe(coin=ASSETS),
        "GET /sapi/v1/capital/deposit/address/list": recipe(coin=ASSETS),
        "GET /sapi/v1/capital/deposit/hisrec": recipe({**history, "includeSource": "true", "status": 1}),
        "GET /sapi/v1/capital/withdraw/history": recipe({**history, "status": 6}),
        "POST /sapi/v1/capital/withdraw/apply": recipe(
            {"walletType": one_of(0, 1), "withdrawOrderId": NEW_IDS, "transactionFeeFlag": "true"},
            coin=ASSETS,
            address="0x52908400098527886E0F7030069857D2E4169EE7",
            amount=one_of("20", "50.5"),
        ),
        "POST /sapi/v1/asset/transfer": recipe(
            type=one_of("MAIN_FUNDING", "FUNDING_MAIN", "MAIN_UMFUTURE"),
            asset=ASSETS,
            amount=one_of("0.1", "3"),
        ),
        "GET /sapi/v1/asset/transfer": recipe(
            {"current": st.integers(1, 3), "size": st.integers(1, 100)}, type="MAIN_FUNDING"
        ),
        "POST /sapi/v1/futures/transfer": recipe(
            type=one_of(1, 3), asset=one_of("USDT", "BTC"), amount=one_of("0.1", "3")
        ),
        "GET /sapi/v1/futures/transfer": recipe(
            {"current": st.integers(1, 3), "size": st.integers(1, 100)}, asset=ASSETS, startTime=EARLIER
        ),
        "GET /sapi/v1/asset/wallet/balance": recipe(
            {"quoteAsset": one_of("BTC", "USDT"), "needBalanceDetail": one_of("true", "false")}
        ),
        "POST /sapi/v3/asset/getUserAsset": recipe({"asset": ASSETS, "needBtcValuation": "true"}),
        "POST /sapi/v1/asset/get-funding-asset": recipe({"asset": ASSETS, "needBtcValuation": "true"}),
        "GET /sapi/v1/asset/assetDividend": recipe({"asset": ASSETS, "limit": st.integers(1, 500)}),
        "GET /sapi/v1/asset/dribblet": recipe({"accountType": "SPOT"}),
        "POST /sapi/v1/bnbBurn": recipe(
            {"interestBNBBurn": one_of("true", "false")}, spotBNBBurn=one_of("true", "false")
        ),
    }


def control(there: Furniture, sandbox: str) -> dict[str, Recipe]:
    """As `binance`, for the rows of the control API, asked in a sandbox of that name."""
    prices = one_of("49000", 51_000, 50_000.5)
    market: Values = {"site": "binance", "symbol": SYMBOL}
    levels = st.lists(st.tuples(one_of("49000", "48000.5"), QUANTITIES), max_size=1)
    names = st.text("abcdefgh", min_size=3, max_size=8)
    seeds: Values = {"seed": st.integers(0, 99), "clock": one_of({"mode": "wall"}, {"time": NOW_MS})}
    here: Values = {"name": sandbox}
    position: Values = {"account": "demo", "site": "binance-usdm", "symbol": SYMBOL}
    return {
        "GET /explain/liquidation/{account}/{site}/{symbol}": recipe(**position),
        "GET /explain/margin/{account}/{site}/{symbol}": recipe(**position),
        "GET /explain/balance/{account}/{site}/{asset}": recipe(
            account="demo", site=one_of("binance", "binance-usdm", "binance-coinm"), asset="BTC"
        ),
        "GET /explain/order/{account}/{site}/{symbol}/{order}": recipe(
            **market, account="demo", order=st.integers(1, 30)
        ),
        "PUT /clock": recipe(
            body=st.one_of(
                recipe(step=one_of("90s", "1h30m", 5000)),
                recipe({"speed": one_of(1, "2.5", 0)}, mode="virtual"),
                recipe(mode="wall"),
            )
        ),
        "POST /reset": recipe(body=recipe(seeds)),
        "POST /sandboxes": recipe(body=recipe(seeds, name=names.map(f"{sandbox}-new-{{}}".format))),
        "GET /sandboxes/{name}": recipe(**here),
        "DELETE /sandboxes/{name}": recipe(**here),
        "POST /sandboxes/{name}/reset": recipe(**here, body=recipe(seeds)),
        "POST /sandboxes/{name}/fork": recipe(
            **here, body=recipe(name=names.map(f"{sandbox}-fork-{{}}".format))
        ),
        "POST /accounts": recipe(body=recipe({"tradeGroup": st.integers(0, 9)}, name=names)),
        "GET /accounts/{name}": recipe(name="demo"),
        "POST /accounts/{name}/keys": recipe(
            name="demo", body=recipe({"kind": "hmac", "label": names, "permissions": ["read", "trade"]})
        ),
        "DELETE /accounts/{name}/keys/{key}": recipe(name="demo", key=KEY),
        "POST /accounts/{name}/deposits": recipe(
            name="demo",
            body=recipe(wallet=one_of("spot", "funding"), asset=ASSETS, amount=one_of("1", 2, 0.5)),
        ),
        "POST /accounts/{name}/locks": recipe(
            name="demo", body=recipe(wallet="spot", asset="BNB", amount=one_of("0.1", 0.2))
        ),
        "GET /markets/{site}/{symbol}": recipe(**market),
        "DELETE /markets/{site}/{symbol}": recipe(**market),
        "PUT /markets/{site}/{symbol}/price": recipe(
            **market, body=recipe({"mode": one_of("hold", "shift")}, price=prices)
        ),
        "PUT /markets/{site}/{symbol}/quote": recipe(
            **market, body=recipe({"bidQuantity": QUANTITIES}, bid="49000", ask="49001")
        ),
        "PUT /markets/{site}/{symbol}/book": recipe(**market, body=recipe({"bids": levels, "asks": []})),
        "POST /markets/{site}/{symbol}/trades": recipe(
            **market, body=recipe({"quantity": QUANTITIES, "side": one_of("buy", "sell")}, price=prices)
        ),
        "GET /requests": recipe({"limit": st.integers(1, 50), "outcome": "accepted", "site": "binance"}),
        "GET /events": recipe({"after": st.integers(0, 9), "limit": st.integers(1, 50)}),
        "GET /ledger/{account}": recipe(account="demo"),
        "POST /gates": recipe(body=recipe({"guard": st.booleans(), "allow": ["localhost", "a.test:443"]})),
        "GET /gates/{port}": recipe(port=there.gates[0]),
        "DELETE /gates/{port}": recipe(port=there.gates[1]),
    }


USUAL: Values = {"symbol": SYMBOLS, "asset": ASSETS, "coin": ASSETS, "limit": LIMITS, "fromId": 0}


def usual(names: Sequence[str], required: Sequence[str]) -> Recipe:
    """For a row that needs nothing in particular: what it must have, and some of what it may."""
    return recipe(
        {name: USUAL[name] for name in names if name in USUAL and name not in required},
        **{name: USUAL[name] for name in required},
    )
