"""python-binance, synchronous: orders and what becomes of them, to the last digit."""

import time

from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of
from stage import TAKER_RATE, D, hold_book, hold_price, open_account, print_trade, raised, run, text

SYMBOL = "SOLUSDT"
BIDS = (("99.99", "1"), ("99.95", "2"), ("99.90", "100"))
ASKS = (("100.01", "1"), ("100.05", "2"), ("100.10", "100"))


def begin(**funds):
    """The market as above, and a client with an account of its own."""
    hold_book(SYMBOL, "100.00", BIDS, ASKS)
    account = open_account(**(funds or {"USDT": "10000", "SOL": "50"}))
    return client_of(account)


def balances(client):
    """(free, locked) of every asset that the account has some of."""
    shown = client.get_account(omitZeroBalances="true")["balances"]
    return {each["asset"]: (D(each["free"]), D(each["locked"])) for each in shown}


def limit(client, side, quantity, price, **terms):
    return client.create_order(
        symbol=SYMBOL, side=side, type="LIMIT", timeInForce="GTC", quantity=quantity, price=price, **terms
    )


def numbers_of(orders):
    return [order["orderId"] for order in orders]


def check_resting_order():
    client = begin()
    placed = limit(client, "BUY", "2", "90")
    assert placed["status"] == "NEW"
    assert placed["fills"] == []
    assert placed["orderListId"] == -1
    assert placed["clientOrderId"].startswith("x-HNA2TXFJ")
    assert placed["workingTime"] == placed["transactTime"]
    assert abs(placed["transactTime"] - time.time() * 1000) < 5000
    figures = ("price", "origQty", "executedQty", "cummulativeQuoteQty", "origQuoteOrderQty")
    assert [placed[name] for name in figures] == [
        "90.00000000",
        "2.00000000",
        "0.00000000",
        "0.00000000",
        "0.00000000",
    ]
    assert balances(client) == {"USDT": (D(9820), D(180)), "SOL": (D(50), D(0))}

    found = client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert found == client.get_order(symbol=SYMBOL, origClientOrderId=placed["clientOrderId"])
    shared = set(found) & set(placed)
    assert {name: found[name] for name in shared} == {name: placed[name] for name in shared}
    assert found["isWorking"] is True
    assert found["stopPrice"] == "0.00000000"
    assert found["time"] == placed["transactTime"]
    assert client.get_open_orders(symbol=SYMBOL) == [found] == client.get_open_orders()

    canceled = client.cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert canceled["status"] == "CANCELED"
    assert canceled["origClientOrderId"] == placed["clientOrderId"]
    assert canceled["clientOrderId"] != placed["clientOrderId"], "it is the name of the cancel"
    assert canceled["orderId"] == placed["orderId"]
    assert balances(client) == {"USDT": (D(10000), D(0)), "SOL": (D(50), D(0))}
    assert client.get_open_orders(symbol=SYMBOL) == []
    after = client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert (after["status"], after["clientOrderId"]) == ("CANCELED", placed["clientOrderId"])
    assert after["updateTime"] == canceled["transactTime"]
    assert client.get_all_orders(symbol=SYMBOL) == [after]


def check_market_buy_walks_the_book():
    client = begin()
    done = client.order_market_buy(symbol=SYMBOL, quantity="2.5")
    assert (done["status"], done["type"], done["timeInForce"], done["price"]) == (
        "FILLED",
        "MARKET",
        "GTC",
        "0.00000000",
    )
    assert [(fill["price"], fill["qty"]) for fill in done["fills"]] == [
        ("100.01000000", "1.00000000"),
        ("100.05000000", "1.50000000"),
    ]
    spent = D("100.01") + D("100.05") * D("1.5")
    assert done["cummulativeQuoteQty"] == text(spent)
    for fill in done["fills"]:
        assert fill["commissionAsset"] == "SOL"
        assert D(fill["commission"]) == D(fill["qty"]) * TAKER_RATE
    fees = D("2.5") * TAKER_RATE
    assert balances(client) == {"USDT": (10000 - spent, D(0)), "SOL": (50 + D("2.5") - fees, D(0))}

    trades = client.get_my_trades(symbol=SYMBOL)
    assert [trade["id"] for trade in trades] == [fill["tradeId"] for fill in done["fills"]]
    for trade, fill in zip(trades, done["fills"], strict=True):
        assert {name: trade[name] for name in ("price", "qty", "commission", "commissionAsset")} == {
            name: fill[name] for name in ("price", "qty", "commission", "commissionAsset")
        }
        assert D(trade["quoteQty"]) == D(trade["price"]) * D(trade["qty"])
        assert (trade["isBuyer"], trade["isMaker"], trade["orderId"]) == (True, False, done["orderId"])
        assert trade["time"] == done["transactTime"]
    published = client.get_recent_trades(symbol=SYMBOL, limit=100)
    public = {trade["id"]: trade for trade in published}
    for trade in trades:
        assert public[trade["id"]]["qty"] == trade["qty"]
        assert public[trade["id"]]["isBuyerMaker"] is False
    book = client.get_order_book(symbol=SYMBOL, limit=5)
    assert book["asks"] == [["100.05000000", "0.50000000"], ["100.10000000", "100.00000000"]], "it is used up"


def check_market_order_by_quote_quantity():
    client = begin()
    bought = client.order_market_buy(symbol=SYMBOL, quoteOrderQty="200")
    second = D("0.999")  # as much of the second level as 99.99 USDT buy, in whole lots
    spent = D("100.01") + D("100.05") * second
    assert bought["origQuoteOrderQty"] == "200.00000000"
    assert bought["status"] == "FILLED"
    assert bought["executedQty"] == bought["origQty"] == text(1 + second)
    assert bought["cummulativeQuoteQty"] == text(spent)

    sold = client.order_market_sell(symbol=SYMBOL, quoteOrderQty="150")
    received = D(sold["cummulativeQuoteQty"])
    assert D(150) - D("99.95") * D("0.001") < received <= 150
    assert {fill["commissionAsset"] for fill in sold["fills"]} == {"USDT"}
    fees = sum(D(fill["commission"]) for fill in sold["fills"])
    assert fees == sum(D(fill["price"]) * D(fill["qty"]) * TAKER_RATE for fill in sold["fills"])
    assert balances(client)["USDT"] == (10000 - spent + received - fees, D(0))


def check_limit_order_that_crosses_rests_with_the_remainder():
    client = begin()
    placed = limit(client, "BUY", "4", "100.05")
    assert (placed["status"], placed["executedQty"]) == ("PARTIALLY_FILLED", "3.00000000")
    spent = D("100.01") + D("100.05") * 2
    assert placed["cummulativeQuoteQty"] == text(spent)
    free = 10000 - spent - D("100.05")
    assert balances(client)["USDT"] == (free, D("100.05"))
    assert client.get_order_book(symbol=SYMBOL, limit=5)["bids"][0] == ["100.05000000", "1.00000000"]

    print_trade(SYMBOL, "100.05", "0.4", "sell")
    state = client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert (state["status"], state["executedQty"]) == ("PARTIALLY_FILLED", "3.40000000")
    print_trade(SYMBOL, "100.00", "5", "sell")
    state = client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert (state["status"], state["executedQty"]) == ("FILLED", "4.00000000")
    trades = client.get_my_trades(symbol=SYMBOL, orderId=placed["orderId"])
    assert [(trade["qty"], trade["price"], trade["isMaker"]) for trade in trades] == [
        ("1.00000000", "100.01000000", False),
        ("2.00000000", "100.05000000", False),
        ("0.40000000", "100.05000000", True),
        ("0.60000000", "100.05000000", True),
    ]
    assert balances(client) == {"USDT": (free, D(0)), "SOL": (54 - 4 * TAKER_RATE, D(0))}


def check_time_in_force():
    client = begin()
    taken = client.order_limit_buy(symbol=SYMBOL, timeInForce="IOC", quantity="4", price="100.05")
    assert (taken["status"], taken["executedQty"], taken["timeInForce"]) == ("EXPIRED", "3.00000000", "IOC")
    begin()
    killed = client.order_limit_sell(symbol=SYMBOL, timeInForce="FOK", quantity="4", price="99.95")
    assert (killed["status"], killed["executedQty"], killed["fills"]) == ("EXPIRED", "0.00000000", [])
    filled = client.order_limit_sell(symbol=SYMBOL, timeInForce="FOK", quantity="3", price="99.95")
    assert (filled["status"], filled["executedQty"]) == ("FILLED", "3.00000000")
    assert client.get_open_orders(symbol=SYMBOL) == []


def check_limit_maker():
    client = begin()
    error = raised(
        BinanceAPIException,
        client.create_order,
        symbol=SYMBOL,
        side="BUY",
        type="LIMIT_MAKER",
        quantity="1",
        price="100.01",
    )
    assert (error.status_code, error.code) == (400, -2010)
    assert error.message == "Order would immediately match and take."
    acknowledged = client.create_order(
        symbol=SYMBOL, side="BUY", type="LIMIT_MAKER", quantity="1", price="100.00"
    )
    assert sorted(acknowledged) == ["clientOrderId", "orderId", "orderListId", "symbol", "transactTime"]
    assert client.get_order(symbol=SYMBOL, orderId=acknowledged["orderId"])["type"] == "LIMIT_MAKER"


def check_stop_loss_limit():
    client = begin()
    wrong = raised(
        BinanceAPIException,
        client.create_order,
        symbol=SYMBOL,
        side="SELL",
        type="STOP_LOSS_LIMIT",
        timeInForce="GTC",
        quantity="1",
        price="100",
        stopPrice="101",
    )
    assert (wrong.code, wrong.message) == (-2010, "Order would trigger immediately.")
    placed = client.create_order(
        symbol=SYMBOL,
        side="SELL",
        type="STOP_LOSS_LIMIT",
        timeInForce="GTC",
        quantity="1",
        price="96",
        stopPrice="95",
        newOrderRespType="RESULT",
    )
    assert (placed["status"], placed["workingTime"], placed["stopPrice"]) == ("NEW", -1, "95.00000000")
    assert "fills" not in placed
    state = client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert (state["isWorking"], state["workingTime"]) == (False, -1)
    assert balances(client)["SOL"] == (D(49), D(1))
    hold_price(SYMBOL, "95.50")
    assert client.get_order(symbol=SYMBOL, orderId=placed["orderId"])["isWorking"] is False
    hold_price(SYMBOL, "95.00")
    state = client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert (state["status"], state["isWorking"], state["type"]) == ("NEW", True, "STOP_LOSS_LIMIT")
    assert state["workingTime"] >= placed["transactTime"]
    hold_price(SYMBOL, "96.20")
    state = client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert (state["status"], state["cummulativeQuoteQty"]) == ("FILLED", "96.00000000")
    assert balances(client) == {"USDT": (10000 + 96 * (1 - TAKER_RATE), D(0)), "SOL": (D(49), D(0))}


def check_take_profit_limit_and_stop_loss():
    client = begin()
    profit = client.create_order(
        symbol=SYMBOL,
        side="SELL",
        type="TAKE_PROFIT_LIMIT",
        timeInForce="GTC",
        quantity="1",
        price="109",
        stopPrice="110",
    )
    assert "fills" not in profit, "conditional orders are only acknowledged unless more is asked for"
    loss = client.create_order(symbol=SYMBOL, side="BUY", type="STOP_LOSS", quantity="1", stopPrice="105")
    hold_price(SYMBOL, "105.00")
    state = client.get_order(symbol=SYMBOL, orderId=loss["orderId"])
    assert (state["status"], state["type"]) == ("FILLED", "STOP_LOSS")
    assert D("104.9") < D(state["cummulativeQuoteQty"]) < D("105.2")
    assert client.get_order(symbol=SYMBOL, orderId=profit["orderId"])["isWorking"] is False
    hold_price(SYMBOL, "110.00")
    state = client.get_order(symbol=SYMBOL, orderId=profit["orderId"])
    assert state["status"] == "FILLED"
    (trade,) = client.get_my_trades(symbol=SYMBOL, orderId=profit["orderId"])
    assert (trade["isMaker"], D(trade["price"]) >= 109) == (False, True)


def check_trailing_stop():
    client = begin()
    placed = client.create_order(
        symbol=SYMBOL,
        side="SELL",
        type="STOP_LOSS",
        quantity="1",
        trailingDelta=100,
        newOrderRespType="RESULT",
    )
    assert placed["trailingDelta"] == 100
    for price in ("101.00", "102.00", "101.20"):
        hold_price(SYMBOL, price)
    assert client.get_order(symbol=SYMBOL, orderId=placed["orderId"])["status"] == "NEW", (
        "not yet one percent back"
    )
    hold_price(SYMBOL, "100.90")
    assert client.get_order(symbol=SYMBOL, orderId=placed["orderId"])["status"] == "FILLED"


def check_test_order():
    client = begin()
    terms = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1",
        "price": "99",
    }
    assert client.create_test_order(**terms) == {}
    rates = client.create_test_order(**terms, computeCommissionRates="true")
    assert rates["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert rates["discount"]["discountAsset"] == "BNB"
    assert raised(BinanceAPIException, client.create_test_order, **{**terms, "price": "99.001"}).code in (
        -1013,
        -1111,
    )
    assert client.get_all_orders(symbol=SYMBOL) == []
    assert balances(client)["USDT"] == (D(10000), D(0))


def check_cancel_all():
    client = begin()
    single = [limit(client, "BUY", "1", price) for price in ("80", "81")]
    pair = client.order_oco_sell(
        symbol=SYMBOL,
        quantity="1",
        aboveType="LIMIT_MAKER",
        abovePrice="110",
        belowType="STOP_LOSS",
        belowStopPrice="90",
    )
    assert len(client.get_open_orders(symbol=SYMBOL)) == 4
    canceled = client.cancel_all_open_orders(symbol=SYMBOL)
    assert sorted(each["orderId"] for each in canceled if "orderId" in each) == numbers_of(single)
    (listed,) = (each for each in canceled if "orderReports" in each)
    assert listed["orderListId"] == pair["orderListId"]
    assert {report["status"] for report in listed["orderReports"]} == {"CANCELED"}
    assert client.get_open_orders() == []
    assert balances(client) == {"USDT": (D(10000), D(0)), "SOL": (D(50), D(0))}
    error = raised(BinanceAPIException, client.cancel_all_open_orders, symbol=SYMBOL)
    assert (error.code, error.message) == (-2011, "Unknown order sent.")


def check_one_cancels_the_other():
    client = begin()
    placed = client.create_oco_order(
        symbol=SYMBOL,
        side="SELL",
        quantity="2",
        aboveType="LIMIT_MAKER",
        abovePrice="105",
        belowType="STOP_LOSS_LIMIT",
        belowStopPrice="95",
        belowPrice="94",
        belowTimeInForce="GTC",
    )
    assert (placed["contingencyType"], placed["listStatusType"], placed["listOrderStatus"]) == (
        "OCO",
        "EXEC_STARTED",
        "EXECUTING",
    )
    stop, maker = placed["orderReports"]
    assert (stop["type"], stop["stopPrice"], maker["type"]) == (
        "STOP_LOSS_LIMIT",
        "95.00000000",
        "LIMIT_MAKER",
    )
    assert [each["orderId"] for each in placed["orders"]] == [stop["orderId"], maker["orderId"]]
    assert balances(client)["SOL"] == (D(48), D(2)), "locked once for the pair"
    (listed,) = client.get_open_oco_orders()
    assert listed["orderListId"] == placed["orderListId"]
    assert client.v3_get_order_list(orderListId=placed["orderListId"]) == listed

    hold_price(SYMBOL, "105.10")
    states = {order["orderId"]: order for order in client.get_all_orders(symbol=SYMBOL)}
    assert states[maker["orderId"]]["status"] == "FILLED"
    assert states[stop["orderId"]]["status"] == "EXPIRED"
    assert client.get_open_oco_orders() == []
    ended = client.v3_get_order_list(orderListId=placed["orderListId"])
    assert (ended["listStatusType"], ended["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert balances(client) == {"USDT": (10000 + 210 * (1 - TAKER_RATE), D(0)), "SOL": (D(48), D(0))}
    assert [each["orderListId"] for each in client.v3_get_all_order_list()] == [placed["orderListId"]]

    error = raised(
        BinanceAPIException,
        client.order_oco_sell,
        symbol=SYMBOL,
        quantity="1",
        aboveType="LIMIT_MAKER",
        abovePrice="90",
        belowType="STOP_LOSS",
        belowStopPrice="80",
    )
    assert error.code == -2010
    assert error.message == "The relationship of the prices for the orders is not correct."


def check_one_triggers_the_other():
    client = begin()
    placed = client.v3_post_order_list_oto(
        symbol=SYMBOL,
        workingType="LIMIT",
        workingSide="BUY",
        workingPrice="99",
        workingQuantity="1",
        workingTimeInForce="GTC",
        pendingType="LIMIT",
        pendingSide="SELL",
        pendingPrice="120",
        pendingQuantity="1",
        pendingTimeInForce="GTC",
    )
    assert placed["contingencyType"] == "OTO"
    working, pending = placed["orderReports"]
    assert (working["status"], pending["status"], pending["workingTime"]) == ("NEW", "PENDING_NEW", -1)
    assert balances(client)["SOL"] == (D(50), D(0)), "nothing is locked for an order that waits"
    hold_price(SYMBOL, "98.90")
    assert client.get_order(symbol=SYMBOL, orderId=working["orderId"])["status"] == "FILLED"
    state = client.get_order(symbol=SYMBOL, orderId=pending["orderId"])
    assert (state["status"], state["isWorking"]) == ("NEW", True)
    assert balances(client)["SOL"] == (51 - TAKER_RATE - 1, D(1))
    canceled = client.v3_delete_order_list(symbol=SYMBOL, orderListId=placed["orderListId"])
    assert canceled["listOrderStatus"] == "ALL_DONE"
    assert client.get_open_orders() == []


def check_one_triggers_a_pair():
    client = begin()
    placed = client.v3_post_order_list_otoco(
        symbol=SYMBOL,
        workingType="LIMIT",
        workingSide="BUY",
        workingPrice="100.01",
        workingQuantity="1",
        workingTimeInForce="GTC",
        pendingSide="SELL",
        pendingQuantity="0.5",
        pendingAboveType="LIMIT_MAKER",
        pendingAbovePrice="110",
        pendingBelowType="STOP_LOSS",
        pendingBelowStopPrice="90",
    )
    statuses = [report["status"] for report in placed["orderReports"]]
    assert statuses == ["FILLED", "PENDING_NEW", "PENDING_NEW"], (
        "as when it was placed, even if filled at once"
    )
    assert len(client.get_open_orders(symbol=SYMBOL)) == 2
    hold_price(SYMBOL, "89.00")
    ended = {order["type"]: order["status"] for order in client.get_all_orders(symbol=SYMBOL)}
    assert ended == {"LIMIT": "FILLED", "LIMIT_MAKER": "EXPIRED", "STOP_LOSS": "FILLED"}


def check_cancel_replace():
    client = begin()
    first = limit(client, "BUY", "1", "90")
    terms = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1",
        "price": "91",
        "cancelReplaceMode": "STOP_ON_FAILURE",
    }
    replaced = client.cancel_replace_order(**terms, cancelOrderId=first["orderId"])
    assert (replaced["cancelResult"], replaced["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert replaced["cancelResponse"]["status"] == "CANCELED"
    assert replaced["newOrderResponse"]["price"] == "91.00000000"
    assert numbers_of(client.get_open_orders()) == [replaced["newOrderResponse"]["orderId"]]
    assert balances(client)["USDT"] == (D(9909), D(91))

    failed = raised(BinanceAPIException, client.cancel_replace_order, **terms, cancelOrderId=first["orderId"])
    assert (failed.status_code, failed.code, failed.message) == (400, -2022, "Order cancel-replace failed.")
    shown = failed.response.json()["data"]
    assert (shown["cancelResult"], shown["newOrderResult"], shown["newOrderResponse"]) == (
        "FAILURE",
        "NOT_ATTEMPTED",
        None,
    )
    assert shown["cancelResponse"]["code"] == -2011

    partly = raised(
        BinanceAPIException,
        client.cancel_replace_order,
        **{**terms, "cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": first["orderId"]},
    )
    assert (partly.status_code, partly.code) == (409, -2021)
    shown = partly.response.json()["data"]
    assert (shown["cancelResult"], shown["newOrderResult"]) == ("FAILURE", "SUCCESS")
    assert shown["newOrderResponse"]["status"] == "NEW"
    assert len(client.get_open_orders()) == 2


def check_order_count():
    def of_day(client):
        counts = {(each["interval"], each["intervalNum"]): each for each in client.get_current_order_count()}
        assert counts["SECOND", 10]["limit"] == 100
        assert counts["DAY", 1]["rateLimitType"] == "ORDERS"
        return counts["DAY", 1]["count"]

    client = begin()
    assert of_day(client) == 0
    limit(client, "BUY", "1", "90")
    limit(client, "BUY", "1", "91")
    assert int(client.response.headers["x-mbx-order-count-1d"]) == 2
    assert of_day(client) == 2
    client.order_market_buy(symbol=SYMBOL, quantity="1")
    assert of_day(client) == 2, "an order counts until its first fill"


def check_self_trade_prevention():
    client = begin()
    maker = limit(client, "BUY", "1", "100")
    taker = limit(client, "SELL", "1", "100")
    assert taker["selfTradePreventionMode"] == "EXPIRE_MAKER"
    assert taker["status"] == "NEW"
    state = client.get_order(symbol=SYMBOL, orderId=maker["orderId"])
    assert (state["status"], state["executedQty"]) == ("EXPIRED_IN_MATCH", "0.00000000")
    (match,) = client.get_prevented_matches(symbol=SYMBOL, orderId=taker["orderId"])
    assert (match["takerOrderId"], match["makerOrderId"]) == (taker["orderId"], maker["orderId"])
    assert (match["selfTradePreventionMode"], match["price"]) == ("EXPIRE_MAKER", "100.00000000")
    assert client.get_prevented_matches(symbol=SYMBOL, preventedMatchId=match["preventedMatchId"]) == [match]
    own = limit(client, "BUY", "1", "100", selfTradePreventionMode="NONE")
    assert own["status"] == "FILLED", "who asks for it trades with oneself"


def check_lists_of_orders_and_trades():
    client = begin()
    placed = [limit(client, "BUY", "1", price)["orderId"] for price in ("90", "91", "92")]
    assert placed == sorted(placed)
    assert numbers_of(client.get_all_orders(symbol=SYMBOL, limit=2)) == placed[1:]
    assert numbers_of(client.get_all_orders(symbol=SYMBOL, orderId=placed[1])) == placed[1:]
    client.order_market_buy(symbol=SYMBOL, quantity="2.5")
    sold = client.order_market_sell(symbol=SYMBOL, quantity="1")
    trades = client.get_my_trades(symbol=SYMBOL)
    assert len(trades) == 3
    assert client.get_my_trades(symbol=SYMBOL, limit=1) == trades[2:]
    assert client.get_my_trades(symbol=SYMBOL, fromId=trades[1]["id"]) == trades[1:]
    assert client.get_my_trades(symbol=SYMBOL, orderId=sold["orderId"]) == trades[2:]
    assert (
        client.get_my_trades(symbol=SYMBOL, startTime=trades[0]["time"], endTime=trades[2]["time"]) == trades
    )
    assert client.get_my_trades(symbol=SYMBOL, startTime=trades[2]["time"] + 1000) == []
    assert client.get_my_trades(symbol="ETHUSDT") == []
    assert client.get_allocations(symbol=SYMBOL) == []


def check_two_accounts_do_not_see_each_other():
    client, other = begin(), begin()
    placed = limit(client, "BUY", "1", "90")
    assert other.get_open_orders() == []
    error = raised(BinanceAPIException, other.get_order, symbol=SYMBOL, orderId=placed["orderId"])
    assert (error.code, error.message) == (-2013, "Order does not exist.")
    assert (
        raised(BinanceAPIException, other.cancel_order, symbol=SYMBOL, orderId=placed["orderId"]).code
        == -2011
    )
    assert client.get_order(symbol=SYMBOL, orderId=placed["orderId"])["status"] == "NEW"


run()
