"""python-binance, synchronous, on USD-M: one account's way through orders, positions, margin and funding.

The clock stands still and the market is held, so index and mark price are the price that is held, and
every figure below can be reckoned by hand.
"""

from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of
from stage import (
    CONTRACT_MAKER_RATE,
    CONTRACT_TAKER_RATE,
    Account,
    D,
    deposit,
    hold_book,
    hold_price,
    move_clock,
    open_account,
    raised,
    run,
    text,
)

SITE = "binance-usdm"
SYMBOL = "BTCUSDT"
BIDS = (("99990", "10"), ("99980", "20"))
ASKS = (("100010", "10"), ("100020", "20"))
DONE = {"code": 200, "msg": "success"}
UNFILLED = "Due to the order could not be filled immediately, the FOK order has been rejected."
TAKING = "Due to the order could not be executed as maker, the Post Only order will be rejected."
NOT_RECORDED = "The order will not be recorded in the order history"
HOUR_MS = 3_600_000


def begin(usdt="10000", leverage=10):
    hold_book(SYMBOL, "100000", BIDS, ASKS, SITE)
    account = open_account(wallet="usdm", USDT=usdt)
    client = client_of(account)
    client.account = account
    if leverage is not None:
        client.futures_change_leverage(symbol=SYMBOL, leverage=leverage)
    return client


def market(client, side, quantity, **terms):
    return client.futures_create_order(
        symbol=SYMBOL, side=side, type="MARKET", quantity=quantity, newOrderRespType="RESULT", **terms
    )


def limit(client, side, quantity, price, tif="GTC", **terms):
    return client.futures_create_order(
        symbol=SYMBOL, side=side, type="LIMIT", timeInForce=tif, quantity=quantity, price=price, **terms
    )


def conditional(client, side, kind, **terms):
    return client.futures_create_order(symbol=SYMBOL, side=side, type=kind, **terms)


def refused(call, *arguments, **terms):
    error = raised(BinanceAPIException, call, *arguments, **terms)
    assert error.status_code == 400
    return error.code, error.message


def code(call, *arguments, **terms):
    return refused(call, *arguments, **terms)[0]


def wallet(client):
    (usdt,) = (each for each in client.futures_account_balance() if each["asset"] == "USDT")
    return D(usdt["balance"])


def position(client):
    (found,) = client.futures_position_information(symbol=SYMBOL)
    return found


def incomes(client, kind):
    """What the account got of a kind, in the order in which it came."""
    return [D(each["income"]) for each in client.futures_income_history(incomeType=kind)]


def check_general():
    client = begin()
    assert client.futures_ping() == {}
    now = move_clock(step="0s")
    assert client.futures_time() == {"serverTime": now}
    shown = client.futures_exchange_info()
    (listed,) = (each for each in shown["symbols"] if each["symbol"] == SYMBOL)
    assert (listed["contractType"], listed["marginAsset"], listed["status"]) == (
        "PERPETUAL",
        "USDT",
        "TRADING",
    )
    filters = {each["filterType"]: each for each in listed["filters"]}
    assert (filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]) == ("0.10", "0.001")
    assert filters["MIN_NOTIONAL"]["notional"] == "50"
    limits = {(each["rateLimitType"], each["intervalNum"]): each["limit"] for each in shown["rateLimits"]}
    assert limits == {("REQUEST_WEIGHT", 1): 2400, ("ORDERS", 1): 1200, ("ORDERS", 10): 300}


def check_market():
    client = begin()
    now = move_clock(step="0s")
    book = client.futures_order_book(symbol=SYMBOL, limit=5)
    assert (book["bids"], book["asks"]) == (
        [["99990.00", "10.000"], ["99980.00", "20.000"]],
        [["100010.00", "10.000"], ["100020.00", "20.000"]],
    )
    best = client.futures_orderbook_ticker(symbol=SYMBOL)
    assert (best["bidPrice"], best["askPrice"], best["askQty"]) == ("99990.00", "100010.00", "10.000")
    assert client.futures_symbol_ticker(symbol=SYMBOL) == {
        "symbol": SYMBOL,
        "price": "100000.00",
        "time": now,
    }
    (last,) = client.futures_recent_trades(symbol=SYMBOL, limit=1)
    assert (last["price"], last["time"]) == ("100000.00", now)
    (grouped,) = client.futures_aggregate_trades(symbol=SYMBOL, limit=1)
    assert (grouped["p"], grouped["l"]) == ("100000.00", last["id"])
    (row,) = client.futures_klines(symbol=SYMBOL, interval="1m", limit=1)
    assert (row[0], row[4]) == (now // 60_000 * 60_000, "100000.00")
    assert client.futures_continuous_klines(
        pair=SYMBOL, contractType="PERPETUAL", interval="1m", limit=1
    ) == [row]
    marks = client.futures_mark_price(symbol=SYMBOL)
    assert (marks["markPrice"], marks["indexPrice"]) == ("100000.00000000", "100000.00000000")
    assert (marks["nextFundingTime"] - now) / HOUR_MS <= 8
    assert client.futures_mark_price_klines(symbol=SYMBOL, interval="1m", limit=1)[0][4] == "100000.00000000"
    assert client.futures_index_price_klines(pair=SYMBOL, interval="1m", limit=1)[0][4] == "100000.00000000"
    assert len(client.futures_premium_index_klines(symbol=SYMBOL, interval="1m", limit=2)) == 2
    start = now - 1200 * 60_000
    rows = client.futures_historical_klines(SYMBOL, "1m", start, now - 1)
    assert [each[0] for each in rows] == list(range(start, now, 60_000))
    assert client.futures_ticker(symbol=SYMBOL)["lastPrice"] == "100000.00"
    rates = client.futures_funding_rate(symbol=SYMBOL, limit=3)
    assert [each["fundingTime"] % (8 * HOUR_MS) for each in rates] == [0, 0, 0]
    assert D(client.futures_open_interest(symbol=SYMBOL)["openInterest"]) > 0
    for call in (
        client.futures_open_interest_hist,
        client.futures_top_longshort_account_ratio,
        client.futures_global_longshort_ratio,
        client.futures_taker_longshort_ratio,
    ):
        assert len(call(symbol=SYMBOL, period="5m", limit=2)) == 2
    assert code(client.futures_order_book, symbol="NOSUCHCOIN") == -1121


def check_settings():
    client = begin(leverage=None)
    assert client.futures_change_leverage(symbol=SYMBOL, leverage=20) == {
        "leverage": 20,
        "maxNotionalValue": "100000000",
        "symbol": SYMBOL,
    }
    assert refused(client.futures_change_leverage, symbol=SYMBOL, leverage=151) == (
        -4028,
        "Leverage 151 is not valid",
    )
    assert client.futures_change_margin_type(symbol=SYMBOL, marginType="ISOLATED") == DONE
    assert refused(client.futures_change_margin_type, symbol=SYMBOL, marginType="ISOLATED") == (
        -4046,
        "No need to change margin type.",
    )
    (config,) = client.futures_symbol_config(symbol=SYMBOL)
    assert config == {
        "symbol": SYMBOL,
        "marginType": "ISOLATED",
        "isAutoAddMargin": False,
        "leverage": 20,
        "maxNotionalValue": "100000000",
    }
    assert client.futures_change_margin_type(symbol=SYMBOL, marginType="CROSSED") == DONE
    assert client.futures_change_position_mode(dualSidePosition="true") == DONE
    assert refused(client.futures_change_position_mode, dualSidePosition="true") == (
        -4059,
        "No need to change position side.",
    )
    assert client.futures_get_position_mode() == {"dualSidePosition": True}
    assert client.futures_change_position_mode(dualSidePosition="false") == DONE
    assert client.futures_account_config()["dualSidePosition"] is False
    (listed,) = client.futures_leverage_bracket(symbol=SYMBOL)
    assert listed["brackets"][2] == {
        "bracket": 3,
        "initialLeverage": 75,
        "notionalCap": 3_000_000,
        "notionalFloor": 800_000,
        "maintMarginRatio": 0.0065,
        "cum": 1500.0,
    }
    rates = client.futures_commission_rate(symbol=SYMBOL)
    assert (D(rates["makerCommissionRate"]), D(rates["takerCommissionRate"])) == (
        CONTRACT_MAKER_RATE,
        CONTRACT_TAKER_RATE,
    )


def check_position():
    """0.1 BTC bought at 100,010 with ten times leverage, and sold at 100,990 and 101,000."""
    client = begin()
    bought = market(client, "BUY", "0.1")
    assert (bought["status"], bought["executedQty"], bought["cumQty"]) == ("FILLED", "0.100", "0.100")
    assert bought["clientOrderId"].startswith("x-Cb7ytekJ")
    assert not {"avgPrice", "cumQuote"} & set(bought), "gone from these replies since June 2026"
    state = client.futures_get_order(symbol=SYMBOL, orderId=bought["orderId"])
    assert (D(state["avgPrice"]), D(state["cumQuote"]), state["origType"]) == (100_010, 10_001, "MARKET")
    paid = 10_001 * CONTRACT_TAKER_RATE
    assert wallet(client) == 10_000 - paid == D("9994.9995")

    hold_book(SYMBOL, "101000", (("100990", "10"),), (("101010", "10"),), SITE)
    held = position(client)
    assert (D(held["positionAmt"]), D(held["entryPrice"]), held["positionSide"]) == (
        D("0.1"),
        100_010,
        "BOTH",
    )
    assert (held["markPrice"], D(held["unRealizedProfit"]), D(held["notional"])) == (
        "101000.00000000",
        99,
        10_100,
    )
    assert (D(held["initialMargin"]), D(held["maintMargin"])) == (1010, D("40.4"))
    assert D(held["breakEvenPrice"]) == D("100060.005"), "with what was paid to enter"
    assert D(held["liquidationPrice"]) == expected_liquidation(D("9994.9995"), D("0.1"), 100_010)
    account = client.futures_account()
    assert {name: D(account[name]) for name in TOTALS} == {
        "totalWalletBalance": D("9994.9995"),
        "totalUnrealizedProfit": D(99),
        "totalMarginBalance": D("10093.9995"),
        "totalInitialMargin": D(1010),
        "totalMaintMargin": D("40.4"),
        "availableBalance": D("9083.9995"),
    }
    (shown,) = (each for each in account["positions"] if each["symbol"] == SYMBOL)
    assert (shown["leverage"], shown["isolated"], shown["positionAmt"]) == ("10", False, "0.100")

    # The maker of the second half is an order of one's own that only reduces.
    market(client, "SELL", "0.05", reduceOnly="true")
    rest = limit(client, "SELL", "0.05", "101005", reduceOnly="true")
    assert rest["reduceOnly"] is True
    hold_price(SYMBOL, "101006", SITE)
    assert client.futures_get_order(symbol=SYMBOL, orderId=rest["orderId"])["status"] == "FILLED"
    profits = [D("0.05") * (100_990 - 100_010), D("0.05") * (101_005 - 100_010)]
    fees = [
        -paid,
        -D("0.05") * 100_990 * CONTRACT_TAKER_RATE,
        -D("0.05") * 101_005 * CONTRACT_MAKER_RATE,
    ]
    assert incomes(client, "REALIZED_PNL") == profits == [49, D("49.75")]
    assert incomes(client, "COMMISSION") == fees == [D("-5.0005"), D("-2.52475"), D("-1.01005")]
    assert wallet(client) == 10_000 + sum(profits) + sum(fees) == D("10090.2147")
    assert client.futures_position_information(symbol=SYMBOL) == []

    trades = client.futures_account_trades(symbol=SYMBOL)
    assert [(trade["side"], trade["maker"], D(trade["realizedPnl"])) for trade in trades] == [
        ("BUY", False, 0),
        ("SELL", False, profits[0]),
        ("SELL", True, profits[1]),
    ]
    assert [-D(trade["commission"]) for trade in trades] == fees
    assert {trade["commissionAsset"] for trade in trades} == {"USDT"}
    assert client.futures_account_trades(symbol=SYMBOL, fromId=trades[1]["id"]) == trades[1:]
    assert client.futures_account_trades(symbol=SYMBOL, orderId=rest["orderId"]) == trades[2:]


TOTALS = (
    "totalWalletBalance",
    "totalUnrealizedProfit",
    "totalMarginBalance",
    "totalInitialMargin",
    "totalMaintMargin",
    "availableBalance",
)


def expected_liquidation(balance, quantity, entry):
    """Of a long in BTCUSDT's first bracket: where 0.4 % of the worth is left; as fine as mark prices."""
    return round((balance - quantity * entry) / (quantity * D("0.004") - quantity), 8)


def check_resting_orders():
    client = begin()
    first = limit(client, "BUY", "0.01", "99000")
    assert (first["status"], first["price"], first["origQty"]) == ("NEW", "99000.00", "0.010")
    assert refused(limit, client, "BUY", "0.01", "100010", "GTX") == (
        -5022,
        f"{TAKING} {NOT_RECORDED}",
    )
    assert refused(limit, client, "BUY", "0.01", "100000", "FOK") == (
        -5021,
        f"{UNFILLED} {NOT_RECORDED}",
    )
    posted = limit(client, "BUY", "0.01", "99500", "GTX", newClientOrderId="mine-1")
    now = move_clock(step="0s")
    until = (now + 700_000) // 1000 * 1000
    timed = limit(client, "SELL", "0.01", "102000", "GTD", goodTillDate=until)
    assert (timed["timeInForce"], timed["goodTillDate"]) == ("GTD", until)
    assert code(limit, client, "SELL", "0.01", "102000", "GTD", goodTillDate=now + 60_000) == -5040
    gone = limit(client, "BUY", "0.01", "99000", "IOC", newOrderRespType="RESULT")
    assert (gone["status"], gone["executedQty"]) == ("EXPIRED", "0.000")
    joined = client.futures_create_order(
        symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", priceMatch="QUEUE"
    )
    assert (joined["price"], joined["priceMatch"]) == ("99990.00", "QUEUE")
    numbers = [each["orderId"] for each in (first, posted, timed, joined)]
    assert [each["orderId"] for each in client.futures_get_open_orders(symbol=SYMBOL)] == numbers
    assert (
        client.futures_v1_get_open_order(symbol=SYMBOL, origClientOrderId="mine-1")["orderId"] == numbers[1]
    )
    # At most what the buying side can come to: 0.03 BTC.
    account = client.futures_account()
    assert D(account["totalOpenOrderInitialMargin"]) == D("0.01") * (99_000 + 99_500 + 99_990) / 10

    changed = client.futures_modify_order(
        symbol=SYMBOL, side="BUY", orderId=first["orderId"], quantity="0.02", price="98000"
    )
    assert (changed["orderId"], changed["price"], changed["origQty"]) == (numbers[0], "98000.00", "0.020")
    assert refused(
        client.futures_modify_order,
        symbol=SYMBOL,
        side="BUY",
        orderId=first["orderId"],
        quantity="0.02",
        price="98000",
    ) == (-5027, "No need to modify the order.")
    (amended,) = client.futures_v1_get_order_amendment(symbol=SYMBOL, orderId=first["orderId"])
    assert {name: D(value) for name, value in amended["amendment"]["price"].items()} == {
        "before": 99_000,
        "after": 98_000,
    }
    canceled = client.futures_cancel_order(symbol=SYMBOL, origClientOrderId="mine-1")
    assert (canceled["status"], canceled["clientOrderId"]) == ("CANCELED", "mine-1")
    assert refused(client.futures_cancel_order, symbol=SYMBOL, origClientOrderId="mine-1") == (
        -2011,
        "Unknown order sent.",
    )
    move_clock(time=until)
    assert client.futures_get_order(symbol=SYMBOL, orderId=numbers[2])["status"] == "EXPIRED"
    assert client.futures_cancel_all_open_orders(symbol=SYMBOL) == {
        "code": 200,
        "msg": "The operation of cancel all open order is done.",
    }
    assert client.futures_get_open_orders() == []
    assert [each["status"] for each in client.futures_get_all_orders(symbol=SYMBOL)] == [
        "CANCELED",
        "CANCELED",
        "EXPIRED",
        "EXPIRED",
        "CANCELED",
    ]
    assert wallet(client) == 10_000


def check_conditional_orders():
    """They are sent to the service of conditional orders by the client itself, with other names."""
    client = begin()
    market(client, "BUY", "0.02")
    stop = conditional(client, "SELL", "STOP_MARKET", stopPrice="98000", closePosition="true")
    assert (stop["algoStatus"], stop["orderType"], D(stop["triggerPrice"])) == ("NEW", "STOP_MARKET", 98_000)
    assert stop["closePosition"] is True
    profit = conditional(
        client, "SELL", "TAKE_PROFIT", stopPrice="103000", price="103010", quantity="0.02", timeInForce="GTC"
    )
    trailing = conditional(
        client,
        "SELL",
        "TRAILING_STOP_MARKET",
        activationPrice="101000",
        activatePrice="101000",
        callbackRate="1",
        quantity="0.01",
        reduceOnly="true",
    )
    assert refused(conditional, client, "SELL", "STOP_MARKET", stopPrice="101000", quantity="0.01") == (
        -2021,
        "Order would immediately trigger.",
    )
    numbers = [each["algoId"] for each in (stop, profit, trailing)]
    assert client.futures_get_open_orders(symbol=SYMBOL) == [], "they are not in the book"
    waiting = client.futures_get_open_orders(symbol=SYMBOL, conditional=True)
    assert sorted(each["algoId"] for each in waiting) == numbers
    canceled = client.futures_cancel_order(symbol=SYMBOL, algoId=profit["algoId"])
    assert (canceled["algoId"], canceled["clientAlgoId"], canceled["code"], canceled["msg"]) == (
        profit["algoId"],
        profit["clientAlgoId"],
        "200",
        "success",
    )

    # Up to 102,000, back by one percent: the trailing stop sells half.
    hold_book(SYMBOL, "102000", (("101990", "10"),), (("102010", "10"),), SITE)
    assert client.futures_get_algo_order(algoId=trailing["algoId"])["algoStatus"] == "NEW"
    hold_price(SYMBOL, "100980", SITE)
    fired = client.futures_get_algo_order(algoId=trailing["algoId"])
    assert fired["algoStatus"] == "FINISHED"
    order = client.futures_get_order(symbol=SYMBOL, orderId=int(fired["actualOrderId"]))
    assert (order["status"], order["clientOrderId"], order["type"], order["executedQty"]) == (
        "FILLED",
        trailing["clientAlgoId"],
        "MARKET",
        "0.010",
    )
    assert D(position(client)["positionAmt"]) == D("0.01")

    hold_price(SYMBOL, "98000", SITE)
    assert client.futures_get_algo_order(clientAlgoId=stop["clientAlgoId"])["algoStatus"] == "FINISHED"
    assert client.futures_position_information(symbol=SYMBOL) == []
    states = {
        each["algoId"]: each["algoStatus"]
        for each in client.futures_get_all_orders(symbol=SYMBOL, conditional=True)
    }
    assert states == dict(zip(numbers, ("FINISHED", "CANCELED", "FINISHED"), strict=True))
    conditional(client, "BUY", "STOP_MARKET", stopPrice="99000", quantity="0.01")
    client.futures_cancel_all_open_orders(symbol=SYMBOL, conditional=True)
    assert client.futures_get_open_orders(symbol=SYMBOL, conditional=True) == []


def check_batches():
    client = begin()
    terms = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    placed = client.futures_place_batch_order(
        batchOrders=[
            {**terms, "price": "99000"},
            {**terms, "price": "1"},
            {**terms, "price": "98000"},
            {**terms, "price": "97000"},
        ]
    )
    assert [each.get("price", each.get("code")) for each in placed] == [
        "99000.00",
        -4013,
        "98000.00",
        "97000.00",
    ]
    numbers = [each["orderId"] for each in placed if "orderId" in each]
    gone = client.futures_cancel_orders(symbol=SYMBOL, orderidlist=[numbers[0], 987654321, numbers[2]])
    assert [each.get("status", each.get("code")) for each in gone] == ["CANCELED", -2011, "CANCELED"]
    assert [each["orderId"] for each in client.futures_get_open_orders(symbol=SYMBOL)] == [numbers[1]]
    assert client.futures_countdown_cancel_all(symbol=SYMBOL, countdownTime=30_000) == {
        "symbol": SYMBOL,
        "countdownTime": "30000",
    }
    move_clock(step="29s")
    assert len(client.futures_get_open_orders(symbol=SYMBOL)) == 1
    move_clock(step="1s")
    assert client.futures_get_open_orders(symbol=SYMBOL) == []


def check_isolated_margin():
    client = begin(leverage=20)
    client.futures_change_margin_type(symbol=SYMBOL, marginType="ISOLATED")
    market(client, "BUY", "0.1")
    held = position(client)
    # A twentieth of what it was bought for.
    assert (D(held["isolatedWallet"]), D(held["isolatedMargin"])) == (D("500.05"), D("499.05"))
    assert D(held["liquidationPrice"]) == expected_liquidation(D("500.05"), D("0.1"), 100_010)
    assert client.futures_change_position_margin(symbol=SYMBOL, amount="100", type=1) == {
        "amount": 100.0,
        "code": 200,
        "msg": "Successfully modify position margin.",
        "type": 1,
    }
    assert D(position(client)["isolatedWallet"]) == D("600.05")
    client.futures_change_position_margin(symbol=SYMBOL, amount="50", type=2)
    assert D(position(client)["isolatedWallet"]) == D("550.05")
    assert code(client.futures_change_position_margin, symbol=SYMBOL, amount="5000000", type=1) == -4050
    assert code(client.futures_change_margin_type, symbol=SYMBOL, marginType="CROSSED") == -4048
    assert code(client.futures_change_leverage, symbol=SYMBOL, leverage=10) == -4161

    # Down to where 0.4 % of the worth is left of 550.05: it is taken over, and the rest of the wallet stays.
    assert D(position(client)["liquidationPrice"]) == expected_liquidation(D("550.05"), D("0.1"), 100_010)
    cross = wallet(client) - D("550.05")
    hold_price(SYMBOL, "94890", SITE)
    assert D(position(client)["positionAmt"]) == D("0.1"), "38.05 are left, 37.956 needed"
    hold_price(SYMBOL, "94880", SITE)
    assert client.futures_position_information(symbol=SYMBOL) == []
    # What selling it left goes to the insurance fund, since that is less than its fee.
    assert wallet(client) == cross
    (lost,) = incomes(client, "REALIZED_PNL")
    assert incomes(client, "INSURANCE_CLEAR") == [-(D("550.05") + lost)]
    (forced,) = client.futures_liquidation_orders(symbol=SYMBOL)
    assert (forced["side"], forced["status"], forced["executedQty"]) == ("SELL", "FILLED", "0.100")
    assert forced["clientOrderId"].startswith("autoclose-")


def check_funding():
    """Whoever is long when the hour comes pays the rate of the position's worth."""
    client = begin()
    market(client, "BUY", "0.1")
    before = wallet(client)
    marks = client.futures_mark_price(symbol=SYMBOL)
    move_clock(time=marks["nextFundingTime"] + 1000)
    (paid,) = client.futures_income_history(incomeType="FUNDING_FEE")
    (rate,) = client.futures_funding_rate(symbol=SYMBOL, limit=1)
    assert (rate["fundingTime"], D(rate["markPrice"])) == (marks["nextFundingTime"], 100_000)
    assert (paid["symbol"], paid["asset"], paid["time"] // 1000) == (
        SYMBOL,
        "USDT",
        rate["fundingTime"] // 1000,
    )
    assert D(paid["income"]) == -(D("0.1") * 100_000 * D(rate["fundingRate"])) != 0
    assert wallet(client) == before + D(paid["income"])


def check_hedge_mode():
    client = begin()
    client.futures_change_position_mode(dualSidePosition="true")
    assert refused(market, client, "BUY", "0.01") == (
        -4061,
        "Order's position side does not match user's setting.",
    )
    market(client, "BUY", "0.02", positionSide="LONG")
    market(client, "SELL", "0.01", positionSide="SHORT")
    sides = {each["positionSide"]: each for each in client.futures_position_information(symbol=SYMBOL)}
    assert {side: (D(each["positionAmt"]), D(each["entryPrice"])) for side, each in sides.items()} == {
        "LONG": (D("0.02"), 100_010),
        "SHORT": (D("-0.01"), 99_990),
    }
    assert code(market, client, "SELL", "0.01", positionSide="LONG", reduceOnly="true") == -1106
    assert code(client.futures_change_position_mode, dualSidePosition="false") == -4068
    market(client, "SELL", "0.02", positionSide="LONG")
    market(client, "BUY", "0.01", positionSide="SHORT")
    assert client.futures_position_information(symbol=SYMBOL) == []
    resting = limit(client, "BUY", "0.01", "99000", positionSide="LONG")
    assert code(client.futures_change_position_mode, dualSidePosition="false") == -4067
    client.futures_cancel_order(symbol=SYMBOL, orderId=resting["orderId"])
    assert client.futures_change_position_mode(dualSidePosition="false") == DONE


def check_all_assets_together():
    """A bitcoin counts for 95,000 dollars, 100 USDT for 99.9; what is needed counts 0.1 % more."""
    client = begin(usdt="100")
    deposit(client.account.name, "BTC", "1", "usdm")
    assert refused(market, client, "BUY", "0.5") == (-2019, "Margin is insufficient.")
    assert client.futures_get_multi_assets_mode() == {"multiAssetsMargin": False}
    assert client.futures_change_multi_assets_mode(multiAssetsMargin=True) == DONE
    assert client.futures_get_multi_assets_mode() == {"multiAssetsMargin": True}
    assert refused(client.futures_change_multi_assets_mode, multiAssetsMargin=True) == (
        -4171,
        "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
    )
    assert refused(client.futures_change_margin_type, symbol=SYMBOL, marginType="ISOLATED") == (
        -4168,
        "Unable to adjust to isolated-margin mode under the Multi-Assets mode.",
    )
    assert D(client.futures_account()["totalMarginBalance"]) == D("95099.9")
    market(client, "BUY", "0.5")
    # Half a bitcoin lost 1010 and cost 25.0025; to sell it cost 24.75.
    hold_book(SYMBOL, "98990", (("98990", "10"),), (("99010", "10"),), SITE)
    assert code(client.futures_change_multi_assets_mode, multiAssetsMargin=False) == -4169
    market(client, "SELL", "0.5")
    assert wallet(client) == D("-459.75")
    assert code(client.futures_change_multi_assets_mode, multiAssetsMargin=False) == -4172


def check_refusals():
    client = begin()
    assert refused(market, client, "BUY", "2") == (-2019, "Margin is insufficient.")
    assert refused(market, client, "SELL", "0.01", reduceOnly="true") == (
        -2022,
        "ReduceOnly Order is rejected.",
    )
    assert code(limit, client, "BUY", "0.001", "49000") == -4164
    assert code(limit, client, "BUY", "0.0001", "99000") == -1111
    assert code(limit, client, "BUY", "0.01", "99000.05") == -4014
    assert code(limit, client, "BUY", "0.01", "500") == -4013
    assert code(limit, client, "BUY", "0.01", "105000.10") == -4016
    assert code(limit, client, "SELL", "0.01", "94999.90") == -4024
    assert code(limit, client, "BUY", "1001", "99000") == -4005
    assert code(client.futures_get_order, symbol=SYMBOL, orderId=987654) == -2013
    assert code(client.futures_change_leverage, symbol="NOSUCHCOIN", leverage=5) == -1121
    assert code(limit, client, "BUY", "0.01", "99000", "GTC", newClientOrderId="no spaces") == -4015
    limit(client, "BUY", "0.01", "99000", newClientOrderId="once")
    assert refused(limit, client, "BUY", "0.01", "99000", newClientOrderId="once")[0] == -4116
    assert (
        client.futures_create_test_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.01").get(
            "executedQty", "0.000"
        )
        == "0.000"
    )
    # What the client would send elsewhere is refused where it was once taken.
    params = {"symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET", "quantity": "1", "stopPrice": "9"}
    error = raised(BinanceAPIException, client._request_futures_api, "post", "order", True, data=params)
    assert (error.code, error.message) == (
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    )


def check_keys():
    client = begin()
    error = raised(BinanceAPIException, client_of(Account("", "x" * 64, "y" * 64)).futures_account)
    assert error.code in (-2014, -2015)
    error = raised(BinanceAPIException, client_of(client.account._replace(secret="z" * 64)).futures_account)
    assert error.code == -1022


def check_transfer_between_wallets():
    client = begin()
    deposit(client.account.name, "USDT", "500")
    client.make_universal_transfer(type="MAIN_UMFUTURE", asset="USDT", amount="200")
    assert wallet(client) == 10_200
    assert client.get_asset_balance("USDT") == {"asset": "USDT", "free": text(300), "locked": text(0)}
    assert incomes(client, "TRANSFER") == [10_000, 200]
    client.make_universal_transfer(type="UMFUTURE_MAIN", asset="USDT", amount="10200")
    assert wallet(client) == 0


def check_listen_key():
    client = begin()
    key = client.futures_stream_get_listen_key()
    assert client.futures_stream_get_listen_key() == key, "the same one as long as it lives"
    assert client.futures_stream_keepalive(key) == {"listenKey": key}
    assert client.futures_stream_close(key) == {}
    assert code(client.futures_stream_keepalive, key) == -1125


run()
