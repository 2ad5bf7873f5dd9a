"""pybit's orders of pairs and contracts, on markets that stand still. Fees and sums are reckoned by hand."""

from bybit_markets import INVERSE, LINEAR, hold_markets, move
from pybit_setup import session_of
from stage import D, open_account, run

PAIR = {"category": "spot", "symbol": "BTCUSDT"}
CONTRACT = {"category": "linear", "symbol": "BTCUSDT"}
COIN = {"category": "inverse", "symbol": "BTCUSD"}


def begin(**funds):
    hold_markets()
    return session_of(open_account(wallet="unified", **(funds or {"USDT": "100000", "BTC": "1"})))


def place(session, market, side, qty, price=None, **terms):
    kind = {"orderType": "Market"} if price is None else {"orderType": "Limit", "price": price}
    answer = session.place_order(**market, side=side, qty=qty, **kind, **terms)
    assert (answer["retCode"], set(answer["result"])) == (0, {"orderId", "orderLinkId"})
    return answer["result"]["orderId"]


def found(session, market, order):
    (shown,) = session.get_open_orders(**market, orderId=order)["result"]["list"]
    return shown


def position(session, market=CONTRACT):
    (shown,) = session.get_positions(**market)["result"]["list"]
    return shown


def check_pair_resting():
    session = begin()
    order = place(session, PAIR, "Buy", "0.01", "99000", orderLinkId="mine")
    shown = found(session, PAIR, order)
    assert (shown["orderStatus"], shown["orderLinkId"], D(shown["leavesValue"])) == ("New", "mine", D(990))
    assert "tpslMode" not in shown, "by this key clients tell contracts from pairs"
    assert "createType" not in shown
    session.amend_order(**PAIR, orderLinkId="mine", qty="0.02", price="98000")
    shown = found(session, PAIR, order)
    assert [D(shown[name]) for name in ("qty", "price", "leavesQty")] == [D("0.02"), D(98000), D("0.02")]
    assert session.cancel_order(**PAIR, orderId=order)["result"]["orderId"] == order
    shown = found(session, PAIR, order)
    assert (shown["orderStatus"], shown["cancelType"], shown["leavesQty"]) == (
        "Cancelled",
        "CancelByUser",
        "0.000000",
    )
    (shown,) = session.get_order_history(**PAIR, orderId=order)["result"]["list"]
    assert shown["orderStatus"] == "Cancelled"
    assert session.get_open_orders(**PAIR)["result"]["list"] == []
    assert session.get_open_orders(**PAIR, orderId="1")["result"]["list"] == [], "no error"


def check_pair_market():
    """A buyer's quantity is in the quote coin unless it says otherwise ("Place Order", marketUnit)."""
    session = begin()
    bought = found(session, PAIR, place(session, PAIR, "Buy", "1000.1"))
    # 1000.1 / 100010
    assert (bought["orderStatus"], D(bought["cumExecQty"])) == ("Filled", D("0.01"))
    assert {coin: D(fee) for coin, fee in bought["cumFeeDetail"].items()} == {"BTC": D("0.00001")}
    based = found(session, PAIR, place(session, PAIR, "Buy", "0.02", marketUnit="baseCoin"))
    assert (based["orderStatus"], D(based["cumExecValue"])) == ("Filled", D("2000.2"))
    sold = place(session, PAIR, "Sell", "0.01")
    (trade,) = session.get_executions(**PAIR, orderId=sold)["result"]["list"]
    assert (trade["execType"], trade["isMaker"], trade["feeCurrency"]) == ("Trade", False, "USDT")
    assert [D(trade[name]) for name in ("execPrice", "execQty", "execFee", "feeRate")] == [
        D(99990),
        D("0.01"),
        D("0.9999"),
        D("0.001"),
    ]


def check_contract_taken():
    session = begin()
    order = place(session, CONTRACT, "Buy", "0.1")
    shown = found(session, CONTRACT, order)
    assert (shown["orderStatus"], shown["timeInForce"], shown["createType"]) == (
        "Filled",
        "IOC",
        "CreateByUser",
    )
    assert [D(shown[name]) for name in ("avgPrice", "cumExecValue", "cumExecFee")] == [
        D(100010),
        D(10001),
        D("5.50055"),
    ]
    (trade,) = session.get_executions(**CONTRACT, orderId=order)["result"]["list"]
    assert [D(trade[name]) for name in ("execPrice", "execQty", "execFee", "closedSize")] == [
        D(100010),
        D("0.1"),
        D("5.50055"),
        D(0),
    ]
    held = position(session)
    assert (held["side"], held["size"], D(held["avgPrice"])) == ("Buy", "0.1", D(100010))


def check_made_in_two_parts():
    """One account rests, another takes half of it."""
    maker, taker = begin(), begin()
    order = place(maker, CONTRACT, "Sell", "0.02", "100000", timeInForce="PostOnly")
    place(taker, CONTRACT, "Buy", "0.01", "100000", timeInForce="IOC")
    shown = found(maker, CONTRACT, order)
    assert (shown["orderStatus"], D(shown["leavesQty"])) == ("PartiallyFilled", D("0.01"))
    # 1000 * 0.0002
    assert D(shown["cumExecFee"]) == D("0.2")
    maker.cancel_order(**CONTRACT, orderId=order)
    shown = found(maker, CONTRACT, order)
    assert (shown["orderStatus"], D(shown["cumExecQty"])) == ("Cancelled", D("0.01"))
    (made,) = maker.get_executions(**CONTRACT)["result"]["list"]
    (taken,) = taker.get_executions(**CONTRACT)["result"]["list"]
    assert (made["isMaker"], taken["isMaker"]) == (True, False)
    assert made["execId"] == taken["execId"], "they tell of one trade"
    assert made["execTime"] == taken["execTime"]


def check_what_matching_refuses():
    """It is accepted, and then over: the answer is no error ("Place Order")."""
    session = begin()
    posted = found(
        session, CONTRACT, place(session, CONTRACT, "Buy", "0.01", "100010", timeInForce="PostOnly")
    )
    assert (posted["orderStatus"], posted["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")
    whole = found(session, CONTRACT, place(session, CONTRACT, "Buy", "0.01", "99000", timeInForce="FOK"))
    assert (whole["orderStatus"], D(whole["cumExecQty"])) == ("Cancelled", D(0))
    assert whole["rejectReason"] == "EC_NoEnoughQtyToFill"


def check_inverse():
    session = begin(BTC="1")
    order = place(session, COIN, "Sell", "1000")
    shown = found(session, COIN, order)
    assert (shown["orderStatus"], D(shown["avgPrice"])) == ("Filled", D(99990))
    # 1000 / 99990 * 0.00055, cut to the coin's step
    assert abs(D(shown["cumExecFee"]) - D("0.0000055005")) < D("0.00000001")
    assert [position(session, COIN)[name] for name in ("side", "size")] == ["Sell", "1000"]
    move(INVERSE, "90000")
    # 1000 * (1/90000 - 1/99990)
    assert abs(D(position(session, COIN)["unrealisedPnl"]) - D("0.00111011")) < D("0.0000001")


def check_conditional():
    session = begin()
    order = place(session, CONTRACT, "Buy", "0.01", triggerPrice="101000", triggerDirection=1)
    shown = found(session, CONTRACT, order)
    assert (shown["orderStatus"], shown["stopOrderType"]) == ("Untriggered", "Stop")
    move(LINEAR, "101000")
    shown = found(session, CONTRACT, order)
    assert (shown["orderStatus"], D(shown["cumExecQty"])) == ("Filled", D("0.01"))


def check_stops_of_an_order():
    """The pair appears with the first fill; the one that triggers ends the other, and the position."""
    session = begin()
    place(session, CONTRACT, "Buy", "0.01", takeProfit="103000", stopLoss="99000")
    held = position(session)
    assert (D(held["takeProfit"]), D(held["stopLoss"])) == (103000, 99000)
    waiting = session.get_open_orders(**CONTRACT)["result"]["list"]
    assert {(each["stopOrderType"], each["side"], each["reduceOnly"]) for each in waiting} == {
        ("TakeProfit", "Sell", True),
        ("StopLoss", "Sell", True),
    }
    move(LINEAR, "103000")
    assert position(session)["size"] == "0"
    assert session.get_open_orders(**CONTRACT)["result"]["list"] == []
    history = session.get_order_history(**CONTRACT)["result"]["list"]
    ended = {each["stopOrderType"]: each["orderStatus"] for each in history}
    assert (ended["TakeProfit"], ended["StopLoss"]) == ("Filled", "Deactivated")


def check_partial_stops_of_an_order():
    session = begin()
    place(
        session,
        CONTRACT,
        "Buy",
        "0.02",
        takeProfit="103000",
        stopLoss="99000",
        tpslMode="Partial",
        tpOrderType="Limit",
        tpLimitPrice="103500",
    )
    waiting = {each["stopOrderType"]: each for each in session.get_open_orders(**CONTRACT)["result"]["list"]}
    assert set(waiting) == {"PartialTakeProfit", "PartialStopLoss"}
    profit = waiting["PartialTakeProfit"]
    assert (profit["orderType"], D(profit["price"]), D(profit["qty"])) == ("Limit", 103500, D("0.02"))
    session.amend_order(**CONTRACT, orderId=waiting["PartialStopLoss"]["orderId"], triggerPrice="98500")
    move(LINEAR, "98500")
    assert position(session)["size"] == "0"
    assert session.get_open_orders(**CONTRACT)["result"]["list"] == []


def check_stops_of_a_pairs_order():
    """What was bought is sold by the one of the two that comes first."""
    session = begin(USDT="100000")
    place(session, PAIR, "Buy", "0.01", "100010", takeProfit="103000", stopLoss="98000")
    waiting = session.get_open_orders(**PAIR, orderFilter="tpslOrder")["result"]["list"]
    waiting += session.get_open_orders(**PAIR, orderFilter="OcoOrder")["result"]["list"]
    assert {each["side"] for each in waiting} == {"Sell"}
    move(LINEAR, "98000")
    sold = session.get_executions(**PAIR)["result"]["list"][0]
    # 0.01 less the fee, cut to the pair's step
    assert (sold["side"], D(sold["execQty"])) == ("Sell", D("0.00999"))
    assert session.get_open_orders(**PAIR)["result"]["list"] == []


def check_stops_of_a_position():
    session = begin()
    place(session, CONTRACT, "Sell", "0.02")
    session.set_trading_stop(
        **CONTRACT, tpslMode="Full", positionIdx=0, takeProfit="95000", stopLoss="102000", trailingStop="500"
    )
    held = position(session)
    assert [D(held[name]) for name in ("takeProfit", "stopLoss", "trailingStop")] == [95000, 102000, 500]
    session.set_trading_stop(**CONTRACT, tpslMode="Full", positionIdx=0, takeProfit="0", stopLoss="0")
    held = position(session)
    assert (held["takeProfit"], held["stopLoss"]) == ("", "")
    move(LINEAR, "98000")
    assert position(session)["size"] == "0.02"
    move(LINEAR, "98500")
    assert position(session)["size"] == "0", "500 back from the lowest"


def check_batches():
    session = begin()
    answer = session.place_batch_order(
        category="linear",
        request=[
            {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": price}
            for price in ("99000", "98000", "0.01")
        ],
    )
    first, second, third = answer["result"]["list"]
    codes = [each["code"] for each in answer["retExtInfo"]["list"]]
    assert (codes[:2], third["orderId"]) == ([0, 0], "")
    assert codes[2] != 0
    answer = session.amend_batch_order(
        category="linear", request=[{"symbol": "BTCUSDT", "orderId": first["orderId"], "qty": "0.03"}]
    )
    assert answer["retExtInfo"]["list"][0]["code"] == 0
    assert D(found(session, CONTRACT, first["orderId"])["qty"]) == D("0.03")
    session.cancel_batch_order(
        category="linear", request=[{"symbol": "BTCUSDT", "orderId": first["orderId"]}]
    )
    answer = session.cancel_all_orders(category="linear", settleCoin="USDT")
    assert [each["orderId"] for each in answer["result"]["list"]] == [second["orderId"]]
    assert answer["result"]["success"] == "1"


def check_pages_to_the_end():
    """Cursors have percent signs, and the last page an empty one."""
    session = begin()
    orders = [place(session, CONTRACT, "Buy", "0.01", str(99000 - 10 * number)) for number in range(5)]
    listed, cursor = [], None
    while cursor != "":
        shown = session.get_open_orders(**CONTRACT, limit=2, cursor=cursor)["result"]
        listed += [each["orderId"] for each in shown["list"]]
        cursor = shown["nextPageCursor"]
    assert listed == orders[::-1]
    session.cancel_all_orders(**CONTRACT)
    seen, cursor = [], None
    while cursor != "":
        shown = session.get_order_history(**CONTRACT, limit=3, cursor=cursor)["result"]
        seen += [each["orderId"] for each in shown["list"]]
        cursor = shown["nextPageCursor"]
    assert sorted(seen) == sorted(orders)
    place(session, CONTRACT, "Buy", "0.01")
    place(session, CONTRACT, "Sell", "0.01", reduceOnly=True)
    shown = session.get_executions(**CONTRACT, limit=1)["result"]
    rest = session.get_executions(**CONTRACT, limit=1, cursor=shown["nextPageCursor"])["result"]
    assert [each["list"][0]["side"] for each in (shown, rest)] == ["Sell", "Buy"]


def check_hedge_mode():
    session = begin()
    session.switch_position_mode(category="linear", symbol="BTCUSDT", mode=3)
    place(session, CONTRACT, "Buy", "0.02", positionIdx=1)
    place(session, CONTRACT, "Sell", "0.01", positionIdx=2)
    held = session.get_positions(**CONTRACT)["result"]["list"]
    assert [(each["positionIdx"], each["side"], each["size"]) for each in held] == [
        (1, "Buy", "0.02"),
        (2, "Sell", "0.01"),
    ]
    place(session, CONTRACT, "Buy", "0.01", positionIdx=2, reduceOnly=True)
    held = session.get_positions(**CONTRACT)["result"]["list"]
    assert [(each["positionIdx"], each["side"], each["size"]) for each in held] == [
        (1, "Buy", "0.02"),
        (2, "", "0"),
    ]


def check_before_trading():
    session = begin()
    checked = session.pre_check_order(**CONTRACT, side="Buy", orderType="Limit", qty="0.1", price="99000")[
        "result"
    ]
    assert checked["preImrE4"] < checked["postImrE4"]
    quota = session.get_borrow_quota(**PAIR, side="Sell")["result"]
    assert (D(quota["spotMaxTradeQty"]), quota["borrowCoin"]) == (1, "BTC")


run()
