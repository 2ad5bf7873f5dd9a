"""ccxt's binanceusdm, synchronous: one account's way through orders, positions, margin and funding."""

import ccxt
from ccxt_setup import config_of
from stage import Account, D, hold_book, hold_price, move_clock, open_account, raised, run

SITE = "binance-usdm"
SYMBOL, MARKET = "BTC/USDT:USDT", "BTCUSDT"
BIDS = (("99990", "10"), ("99980", "20"))
ASKS = (("100010", "10"), ("100020", "20"))

_loaded = ccxt.binanceusdm(config_of(Account("", None, None)))
_loaded.load_markets()


def begin(usdt="10000", leverage=10):
    hold_book(MARKET, "100000", BIDS, ASKS, SITE)
    exchange = ccxt.binanceusdm(config_of(open_account(wallet="usdm", USDT=usdt)))
    exchange.set_markets(_loaded.markets, _loaded.currencies)
    if leverage is not None:
        exchange.set_leverage(leverage, SYMBOL)
    return exchange


def near(shown, exact):
    """Unified figures are floats."""
    return abs(D(str(shown)) - D(exact)) < D("1e-8")


def check_markets():
    market = _loaded.market(SYMBOL)
    assert (market["id"], market["swap"], market["linear"], market["contractSize"]) == (
        MARKET,
        True,
        True,
        1.0,
    )
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
    assert (market["limits"]["cost"]["min"], market["limits"]["amount"]["min"]) == (50.0, 0.001)
    kinds = {each["type"] for each in _loaded.markets.values()}
    assert kinds == {"swap", "future"}
    loading = ccxt.binanceusdm(config_of(open_account(wallet="usdm", USDT="1")))
    assert SYMBOL in loading.load_markets(), "with a key it asks for currencies and margin too"


def check_market_data():
    exchange = begin()
    now = move_clock(step="0s")
    book = exchange.fetch_order_book(SYMBOL, limit=5)
    assert (book["bids"], book["asks"]) == (
        [[99990.0, 10.0], [99980.0, 20.0]],
        [[100010.0, 10.0], [100020.0, 20.0]],
    )
    assert exchange.fetch_ticker(SYMBOL)["last"] == 100000.0
    assert exchange.fetch_bids_asks([SYMBOL])[SYMBOL]["bid"] == 99990.0
    assert exchange.fetch_trades(SYMBOL, limit=1)[0]["price"] == 100000.0
    assert exchange.fetch_ohlcv(SYMBOL, "1m", limit=1)[0][4] == 100000.0
    assert exchange.fetch_mark_ohlcv(SYMBOL, "1m", limit=1)[0][4] == 100000.0
    assert exchange.fetch_mark_price(SYMBOL)["markPrice"] == 100000.0
    rate = exchange.fetch_funding_rate(SYMBOL)
    assert (rate["markPrice"], rate["indexPrice"], rate["fundingRate"]) == (100000.0, 100000.0, 0.0001)
    assert 0 < rate["fundingTimestamp"] - now <= 8 * 3_600_000
    assert exchange.fetch_funding_rates([SYMBOL])[SYMBOL]["fundingRate"] == 0.0001
    history = exchange.fetch_funding_rate_history(SYMBOL, limit=3)
    assert [each["timestamp"] % (8 * 3_600_000) for each in history] == [0, 0, 0]
    assert exchange.fetch_open_interest(SYMBOL)["openInterestAmount"] > 0
    raised(ccxt.BadSymbol, exchange.fetch_ticker, "NOSUCH/USDT:USDT")
    raised(ccxt.BadSymbol, exchange.fapiPublicGetTickerPrice, {"symbol": "NOSUCHUSDT"})


def check_settings():
    exchange = begin(leverage=None)
    assert exchange.set_leverage(20, SYMBOL)["leverage"] == 20
    exchange.set_margin_mode("isolated", SYMBOL)
    raised(ccxt.MarginModeAlreadySet, exchange.set_margin_mode, "isolated", SYMBOL)
    mode = exchange.fetch_margin_mode(SYMBOL)
    assert mode["marginMode"] == "isolated"
    assert exchange.fetch_leverage(SYMBOL)["longLeverage"] == 20
    exchange.set_margin_mode("cross", SYMBOL)
    exchange.fapiPrivatePostMultiAssetsMargin({"multiAssetsMargin": "true"})
    assert exchange.fapiPrivateGetMultiAssetsMargin() == {"multiAssetsMargin": True}
    error = raised(ccxt.ExchangeError, exchange.set_margin_mode, "isolated", SYMBOL)
    assert '"code":-4168' in str(error)
    exchange.fapiPrivatePostMultiAssetsMargin({"multiAssetsMargin": "false"})
    exchange.set_position_mode(True)
    assert exchange.fetch_position_mode(SYMBOL)["hedged"] is True
    error = raised(ccxt.OperationRejected, exchange.set_position_mode, True)
    assert '"code":-4059' in str(error)
    exchange.set_position_mode(False)
    tier = exchange.fetch_market_leverage_tiers(SYMBOL)[2]
    assert {name: tier[name] for name in ("tier", "minNotional", "maxNotional", "maxLeverage")} == {
        "tier": 3,
        "minNotional": 800000.0,
        "maxNotional": 3000000.0,
        "maxLeverage": 75.0,
    }
    assert tier["maintenanceMarginRate"] == 0.0065
    fee = exchange.fetch_trading_fee(SYMBOL)
    assert (fee["maker"], fee["taker"]) == (0.0002, 0.0005)


def check_position():
    exchange = begin()
    bought = exchange.create_order(SYMBOL, "market", "buy", 0.1)
    assert (bought["status"], bought["filled"], bought["type"]) == ("closed", 0.1, "market")
    assert bought["clientOrderId"].startswith("x-cvBPrNm9")
    state = exchange.fetch_order(bought["id"], SYMBOL)
    assert (state["average"], state["cost"], state["status"]) == (100010.0, 10001.0, "closed")
    hold_book(MARKET, "101000", (("100990", "10"),), (("101010", "10"),), SITE)
    (held,) = exchange.fetch_positions([SYMBOL])
    shown = {
        name: held[name]
        for name in ("side", "contracts", "entryPrice", "markPrice", "unrealizedPnl", "notional", "hedged")
    }
    assert shown == {
        "side": "long",
        "contracts": 0.1,
        "entryPrice": 100010.0,
        "markPrice": 101000.0,
        "unrealizedPnl": 99.0,
        "notional": 10100.0,
        "hedged": False,
    }
    assert (held["initialMargin"], held["maintenanceMargin"], held["marginMode"]) == (1010.0, 40.4, "cross")
    balance = exchange.fetch_balance()["USDT"]
    # Its totals are margin balances: with what is not realised yet.
    assert near(balance["total"], 10_000 - D("5.0005") + 99)
    assert near(balance["free"], D("10093.9995") - 1010)
    assert near(balance["used"], 1010)
    sold = exchange.create_order(SYMBOL, "market", "sell", 0.1, None, {"reduceOnly": True})
    assert (sold["status"], sold["reduceOnly"]) == ("closed", True)
    assert exchange.fetch_positions([SYMBOL]) == []
    # 98 won, 5.0005 and 5.0495 paid.
    assert exchange.fetch_balance()["USDT"] == {"free": 10087.95, "used": 0.0, "total": 10087.95}
    trades = exchange.fetch_my_trades(SYMBOL)
    assert [(each["side"], each["price"], each["cost"], each["fee"]["cost"]) for each in trades] == [
        ("buy", 100010.0, 10001.0, 5.0005),
        ("sell", 100990.0, 10099.0, 5.0495),
    ]
    assert [each["info"]["realizedPnl"] for each in trades][1] == "98.00000000"
    ledger = exchange.fetch_ledger("USDT")
    assert [(each["type"], each["direction"], each["amount"]) for each in ledger] == [
        ("transfer", "in", 10000.0),
        ("commission", "out", 5.0005),
        ("trade", "in", 98.0),
        ("commission", "out", 5.0495),
    ]


def check_resting_orders():
    exchange = begin()
    first = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 99000)
    assert (first["status"], first["price"], first["remaining"]) == ("open", 99000.0, 0.01)
    edited = exchange.edit_order(first["id"], SYMBOL, "limit", "buy", 0.02, 98000)
    assert (edited["id"], edited["price"], edited["amount"]) == (first["id"], 98000.0, 0.02)
    posted = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 99500, {"postOnly": True})
    assert (posted["postOnly"], posted["timeInForce"]) == (True, "PO")
    error = raised(
        ccxt.InvalidOrder, exchange.create_order, SYMBOL, "limit", "buy", 0.01, 100010, {"postOnly": True}
    )
    assert '"code":-5022' in str(error)
    until = (move_clock(step="0s") + 700_000) // 1000 * 1000
    timed = exchange.create_order(
        SYMBOL, "limit", "sell", 0.01, 102000, {"timeInForce": "GTD", "goodTillDate": until}
    )
    assert (timed["timeInForce"], timed["info"]["goodTillDate"]) == ("GTD", until)
    joined = exchange.create_order(SYMBOL, "limit", "buy", 0.01, None, {"priceMatch": "QUEUE"})
    assert joined["price"] == 99990.0
    numbers = [each["id"] for each in (first, posted, timed, joined)]
    assert [each["id"] for each in exchange.fetch_open_orders(SYMBOL)] == numbers
    canceled = exchange.cancel_order(posted["id"], SYMBOL)
    assert (canceled["id"], canceled["status"]) == (posted["id"], "canceled")
    raised(ccxt.OrderNotFound, exchange.cancel_order, posted["id"], SYMBOL)
    raised(ccxt.OrderNotFound, exchange.fetch_order, "987654", SYMBOL)
    both = exchange.cancel_orders([numbers[0], numbers[3]], SYMBOL)
    assert [each["status"] for each in both] == ["canceled", "canceled"]
    exchange.cancel_all_orders(SYMBOL)
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert {each["status"] for each in exchange.fetch_orders(SYMBOL)} == {"canceled"}
    assert exchange.fetch_closed_orders(SYMBOL) == []
    many = exchange.create_orders(
        [
            {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": price}
            for price in (97000, 97100)
        ]
    )
    assert [each["price"] for each in many] == [97000.0, 97100.0]


def check_conditional_orders():
    exchange = begin()
    exchange.create_order(SYMBOL, "market", "buy", 0.02)
    stop = exchange.create_order(
        SYMBOL, "market", "sell", None, None, {"stopLossPrice": 98000, "closePosition": True}
    )
    assert (stop["type"], stop["triggerPrice"], stop["status"]) == ("market", 98000.0, "open")
    profit = exchange.create_order(
        SYMBOL, "TAKE_PROFIT", "sell", 0.02, 103010, {"stopPrice": 103000, "reduceOnly": True}
    )
    trailing = exchange.create_order(
        SYMBOL,
        "market",
        "sell",
        0.01,
        None,
        {"trailingPercent": 1, "trailingTriggerPrice": 101000, "reduceOnly": True},
    )
    limited = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 105000, {"triggerPrice": 104000})
    numbers = [each["id"] for each in (stop, profit, trailing, limited)]
    assert exchange.fetch_open_orders(SYMBOL) == []
    waiting = exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert sorted(each["id"] for each in waiting) == sorted(numbers)
    canceled = exchange.cancel_order(profit["id"], SYMBOL, {"trigger": True})
    assert canceled["id"] == profit["id"]

    hold_book(MARKET, "102000", (("101990", "10"),), (("102010", "10"),), SITE)
    hold_price(MARKET, "100980", SITE)
    (held,) = exchange.fetch_positions([SYMBOL])
    assert held["contracts"] == 0.01, "one percent back from 102,000"
    fired = exchange.fetch_order(trailing["id"], SYMBOL, {"trigger": True})
    sold = exchange.fetch_order(fired["info"]["actualOrderId"], SYMBOL)
    assert (sold["status"], sold["filled"], sold["reduceOnly"]) == ("closed", 0.01, True)
    hold_price(MARKET, "98000", SITE)
    assert exchange.fetch_positions([SYMBOL]) == []
    exchange.cancel_all_orders(SYMBOL, {"trigger": True})
    assert exchange.fetch_open_orders(SYMBOL, params={"trigger": True}) == []


def check_isolated_margin():
    exchange = begin(leverage=20)
    exchange.set_margin_mode("isolated", SYMBOL)
    exchange.create_order(SYMBOL, "market", "buy", 0.1)
    (held,) = exchange.fetch_positions([SYMBOL])
    assert (held["marginMode"], held["liquidationPrice"]) == ("isolated", 95391.06425703)
    assert exchange.add_margin(SYMBOL, 100)["amount"] == 100.0
    (held,) = exchange.fetch_positions([SYMBOL])
    # (600.05 - 10001) / (0.0004 - 0.1)
    assert held["liquidationPrice"] == 94387.04819277
    assert held["info"]["isolatedWallet"] == "600.05000000"
    exchange.reduce_margin(SYMBOL, 90)
    raised(ccxt.InsufficientFunds, exchange.reduce_margin, SYMBOL, 50)


def check_funding():
    exchange = begin()
    exchange.create_order(SYMBOL, "market", "sell", 0.1)
    due = exchange.fetch_funding_rate(SYMBOL)["fundingTimestamp"]
    move_clock(time=due + 1000)
    (got,) = exchange.fetch_funding_history(SYMBOL)
    (rate,) = exchange.fetch_funding_rate_history(SYMBOL, limit=1)
    assert near(got["amount"], D("0.1") * 100_000 * D(str(rate["fundingRate"])))
    assert got["amount"] > 0, "who is short gets what the rate is worth"
    assert (got["code"], rate["timestamp"]) == ("USDT", due)


def check_hedge_mode():
    exchange = begin()
    exchange.set_position_mode(True)
    exchange.create_order(SYMBOL, "market", "buy", 0.02, None, {"positionSide": "LONG"})
    exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"positionSide": "SHORT"})
    held = {each["side"]: each for each in exchange.fetch_positions([SYMBOL])}
    assert {side: (each["contracts"], each["hedged"]) for side, each in held.items()} == {
        "long": (0.02, True),
        "short": (0.01, True),
    }


def check_refusals():
    """Away from the exchange's own host names the client tells some refusals apart by their code only."""
    exchange = begin()

    def order(*terms):
        return raised(ccxt.ExchangeError, exchange.create_order, SYMBOL, *terms)

    assert '{"code":-2019,"msg":"Margin is insufficient."}' in str(order("market", "buy", 2))
    assert '"code":-2022' in str(order("market", "sell", 0.01, None, {"reduceOnly": True}))
    raised(ccxt.InvalidOrder, exchange.create_order, SYMBOL, "limit", "buy", 0.0001, 99000)
    raised(ccxt.AuthenticationError, ccxt.binanceusdm(config_of(Account("", "x", "y"))).fetch_balance)


run()
