"""binance-sdk-spot: account and trading through its typed models, with every method of its REST API."""

import time

from binance_common.errors import BadRequestError, ClientError, TooManyRequestsError, UnauthorizedError
from binance_sdk_spot_setup import MARKET_METHODS, METHODS, Rest, called, of, quietly
from stage import KEYS, TAKER_RATE, D, hold_book, hold_price, open_account, print_trade, raised, register, run

SYMBOL = "NEARUSDT"
BIDS = (("4.990", "100"), ("4.980", "200"))
ASKS = (("5.010", "100"), ("5.020", "200"))

ACK_ONLY = {
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "workingTime",
    "selfTradePreventionMode",
    "fills",
}
"""What an acknowledgement does not hold."""

UNKNOWN_YET = {"origQty"}
"""Of an order whose quantity depends on how much the working order will receive."""


def begin(**funds):
    hold_book(SYMBOL, "5.000", BIDS, ASKS)
    return of(open_account(**(funds or {"USDT": "10000", "NEAR": "1000"})))


def balances(rest):
    shown = rest.get_account(omit_zero_balances=True).balances
    return {each.asset: (D(each.free), D(each.locked)) for each in shown}


def limit(rest, side, quantity, price, **terms):
    return rest.new_order(
        symbol=SYMBOL, side=side, type="LIMIT", time_in_force="GTC", quantity=quantity, price=price, **terms
    )


def check_account():
    rest = begin(USDT="10000.5")
    account = rest.get_account()
    assert (account.account_type, account.can_trade, account.maker_commission) == ("SPOT", True, 10)
    assert balances(rest) == {"USDT": (D("10000.5"), D(0))}
    rates = rest.account_commission(symbol=SYMBOL)
    assert (rates.standard_commission.maker, rates.standard_commission.taker) == ("0.00100000", "0.00100000")
    assert rest.my_allocations(symbol=SYMBOL) == []
    assert rest.my_prevented_matches(symbol=SYMBOL, prevented_match_id=1) == []
    filters = rest.my_filters(symbol=SYMBOL, absent={"rateLimits"})
    assert filters.symbol_filters
    limits = {(each.interval, each.interval_num): each for each in rest.rate_limit_order()}
    assert (limits["SECOND", 10].limit, limits["DAY", 1].limit) == (100, 200_000)


def check_orders():
    rest = begin()
    placed = limit(rest, "BUY", 10.5, 4.5)
    assert (placed.status, placed.price, placed.orig_qty, placed.fills) == (
        "NEW",
        "4.50000000",
        "10.50000000",
        [],
    )
    found = rest.get_order(symbol=SYMBOL, order_id=placed.order_id)
    assert (found.status, found.client_order_id, found.is_working) == ("NEW", placed.client_order_id, True)
    (opened,) = rest.get_open_orders(symbol=SYMBOL)
    assert opened.order_id == placed.order_id
    done = rest.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=150)
    spent = 100 * D("5.01") + 50 * D("5.02")
    assert (done.status, D(done.cummulative_quote_qty)) == ("FILLED", spent)
    assert [(fill.price, fill.qty, D(fill.commission), fill.commission_asset) for fill in done.fills] == [
        ("5.01000000", "100.00000000", 100 * TAKER_RATE, "NEAR"),
        ("5.02000000", "50.00000000", 50 * TAKER_RATE, "NEAR"),
    ]
    trades = rest.my_trades(symbol=SYMBOL)
    assert [trade.id for trade in trades] == [fill.trade_id for fill in done.fills]
    assert balances(rest) == {
        "USDT": (10000 - spent - D("47.25"), D("47.25")),
        "NEAR": (1150 - 150 * TAKER_RATE, D(0)),
    }
    canceled = rest.delete_order(symbol=SYMBOL, order_id=placed.order_id)
    assert (canceled.status, canceled.orig_client_order_id) == ("CANCELED", placed.client_order_id)
    assert [order.status for order in rest.all_orders(symbol=SYMBOL)] == ["CANCELED", "FILLED"]
    by_quote = rest.new_order(symbol=SYMBOL, side="SELL", type="MARKET", quote_order_qty=49.9)
    assert (by_quote.executed_qty, by_quote.cummulative_quote_qty) == ("10.00000000", "49.90000000")


def check_response_types():
    rest = begin()
    terms = {"side": "BUY", "quantity": 10, "price": 4.5}
    ack = limit(rest, **terms, new_order_resp_type="ACK", absent=ACK_ONLY)
    assert (ack.order_id > 0, ack.status) == (True, None)
    result = limit(rest, **terms, new_order_resp_type="RESULT", absent={"fills"})
    assert (result.status, result.fills) == ("NEW", None)
    full = limit(rest, **terms, new_order_resp_type="FULL", strategy_id=7, strategy_type=1_000_001)
    assert (full.to_dict()["strategyId"], full.to_dict()["strategyType"]) == (7, 1_000_001)
    stop = rest.new_order(
        symbol=SYMBOL,
        side="SELL",
        type="STOP_LOSS_LIMIT",
        time_in_force="GTC",
        quantity=10,
        price=4.1,
        stop_price=4.2,
        absent=ACK_ONLY,
    )
    found = rest.get_order(symbol=SYMBOL, order_id=stop.order_id)
    assert (found.stop_price, found.is_working, found.working_time) == ("4.20000000", False, -1)


def check_test_orders():
    rest = begin()
    terms = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "time_in_force": "GTC",
        "quantity": 10,
        "price": 4.5,
    }
    empty = {
        "standardCommissionForOrder",
        "specialCommissionForOrder",
        "taxCommissionForOrder",
        "discount",
    }
    rest.order_test(**terms, absent=empty)
    rates = rest.order_test(**terms, compute_commission_rates=True)
    assert rates.standard_commission_for_order.taker == "0.00100000"
    assert raised(BadRequestError, rest.order_test, **{**terms, "price": 4.50001}).status_code in (
        -1013,
        -1111,
    )
    assert rest.all_orders(symbol=SYMBOL) == []


def check_smart_order_routing():
    rest = begin(USDT="10000")
    terms = {"side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 10, "price": 4.5}
    error = raised(BadRequestError, rest.sor_order, symbol=SYMBOL, **terms)
    assert (error.status_code, error.error_message) == (-1013, "This symbol has no SOR.")
    raised(BadRequestError, rest.sor_order_test, symbol=SYMBOL, **terms)


def check_amend_keeps_the_place():
    rest = begin()
    first = limit(rest, "BUY", 10, 4.81)
    second = limit(begin(), "BUY", 10, 4.81)
    amended = rest.order_amend_keep_priority(
        symbol=SYMBOL,
        order_id=first.order_id,
        new_qty=6,
        new_client_order_id="smaller",
        absent={"listStatus"},
    )
    assert (amended.amended_order.order_id, amended.amended_order.qty) == (first.order_id, "6.00000000")
    assert amended.amended_order.client_order_id == "smaller"
    assert amended.amended_order.cumulative_quote_qty == "0.00000000"
    (change,) = rest.order_amendments(symbol=SYMBOL, order_id=first.order_id)
    assert (change.orig_qty, change.new_qty) == ("10.00000000", "6.00000000")
    print_trade(SYMBOL, "4.810", "6", "sell")
    assert rest.get_order(symbol=SYMBOL, order_id=first.order_id).status == "FILLED", (
        "it was still the first in line"
    )
    assert second.status == "NEW"
    refused = limit(rest, "BUY", 10, 4.4)
    error = raised(
        BadRequestError, rest.order_amend_keep_priority, symbol=SYMBOL, order_id=refused.order_id, new_qty=11
    )
    assert error.status_code == -2038


def check_cancel_replace():
    rest = begin()
    placed = limit(rest, "BUY", 10, 4.5)
    terms = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "time_in_force": "GTC",
        "quantity": 10,
        "price": 4.6,
    }
    replaced = rest.order_cancel_replace(
        **terms,
        cancel_replace_mode="STOP_ON_FAILURE",
        cancel_order_id=placed.order_id,
        absent={"data", "code", "msg"},
    )
    assert (replaced.cancel_result, replaced.new_order_result) == ("SUCCESS", "SUCCESS")
    assert replaced.new_order_response.price == "4.60000000"
    again = {**terms, "cancel_order_id": placed.order_id}
    error = raised(BadRequestError, rest.order_cancel_replace, **again, cancel_replace_mode="STOP_ON_FAILURE")
    assert error.status_code == -2022
    # Its errors have no class for the status 409, and then no code either.
    error = raised(ClientError, rest.order_cancel_replace, **again, cancel_replace_mode="ALLOW_FAILURE")
    assert error.error_message == "Order cancel-replace partially failed."
    assert len(rest.get_open_orders()) == 2


def check_cancel_all():
    rest = begin()
    single = limit(rest, "BUY", 10, 4.5)
    rest.order_list_oco(
        symbol=SYMBOL,
        side="SELL",
        quantity=10,
        above_type="LIMIT_MAKER",
        above_price=5.5,
        below_type="STOP_LOSS",
        below_stop_price=4.2,
        absent={"fills"},
    )
    # The model of this answer knows single orders only.
    canceled = rest.delete_open_orders(
        symbol=SYMBOL,
        absent={
            "origClientOrderId",
            "orderId",
            "clientOrderId",
            "transactTime",
            "price",
            "origQty",
            "executedQty",
            "origQuoteOrderQty",
            "cummulativeQuoteQty",
            "status",
            "timeInForce",
            "type",
            "side",
            "selfTradePreventionMode",
            "contingencyType",
            "listStatusType",
            "listOrderStatus",
            "listClientOrderId",
            "transactionTime",
            "orders",
            "orderReports",
        },
        unknown={
            "contingencyType",
            "listStatusType",
            "listOrderStatus",
            "listClientOrderId",
            "transactionTime",
            "orders",
            "orderReports",
        },
    )
    assert len(canceled) == 2
    assert single.order_id in [each.order_id for each in canceled]
    assert rest.get_open_orders(symbol=SYMBOL) == []
    assert balances(rest) == {"USDT": (D(10000), D(0)), "NEAR": (D(1000), D(0))}


def check_one_cancels_the_other():
    rest = begin()
    placed = rest.order_list_oco(
        symbol=SYMBOL,
        side="SELL",
        quantity=10,
        above_type="TAKE_PROFIT_LIMIT",
        above_price=5.6,
        above_stop_price=5.5,
        above_time_in_force="GTC",
        below_type="STOP_LOSS_LIMIT",
        below_price=4.1,
        below_stop_price=4.2,
        below_time_in_force="GTC",
    )
    assert (placed.contingency_type, placed.list_order_status) == ("OCO", "EXECUTING")
    assert [report.type for report in placed.order_reports] == ["STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]
    assert [each.order_list_id for each in rest.open_order_list()] == [placed.order_list_id]
    hold_price(SYMBOL, "5.500")
    states = {order.type: (order.status, order.is_working) for order in rest.all_orders(symbol=SYMBOL)}
    assert states == {"STOP_LOSS_LIMIT": ("EXPIRED", False), "TAKE_PROFIT_LIMIT": ("NEW", True)}
    hold_price(SYMBOL, "5.700")
    assert rest.get_order_list(order_list_id=placed.order_list_id).list_order_status == "ALL_DONE"
    assert balances(rest) == {"USDT": (10000 + 56 * (1 - TAKER_RATE), D(0)), "NEAR": (D(990), D(0))}
    assert [each.order_list_id for each in rest.all_order_list()] == [placed.order_list_id]


def check_the_deprecated_pair():
    rest = begin()
    placed = rest.order_oco(
        symbol=SYMBOL,
        side="BUY",
        quantity=10,
        price=4.5,
        stop_price=5.5,
        stop_limit_price=5.6,
        stop_limit_time_in_force="GTC",
    )
    assert [report.type for report in placed.order_reports] == ["STOP_LOSS_LIMIT", "LIMIT_MAKER"]
    # Its model lacks a field that the documents have.
    canceled = rest.delete_order_list(
        symbol=SYMBOL, order_list_id=placed.order_list_id, unknown={"selfTradePreventionMode"}
    )
    assert (canceled.list_status_type, canceled.list_order_status) == ("ALL_DONE", "ALL_DONE")
    assert {report.status for report in canceled.order_reports} == {"CANCELED"}
    assert balances(rest)["USDT"] == (D(10000), D(0))


def check_one_triggers_the_other():
    rest = begin()
    placed = rest.order_list_oto(
        symbol=SYMBOL,
        working_type="LIMIT",
        working_side="BUY",
        working_price=4.5,
        working_quantity=10,
        working_time_in_force="GTC",
        pending_type="LIMIT",
        pending_side="SELL",
        pending_price=6,
        pending_quantity=10,
        pending_time_in_force="GTC",
    )
    assert [report.status for report in placed.order_reports] == ["NEW", "PENDING_NEW"]
    hold_price(SYMBOL, "4.400")
    assert [order.status for order in rest.all_orders(symbol=SYMBOL)] == ["FILLED", "NEW"]
    hold_price(SYMBOL, "6.100")
    assert rest.get_order_list(order_list_id=placed.order_list_id).list_order_status == "ALL_DONE"
    assert balances(rest)["USDT"] == (10000 - 45 + 60 * (1 - TAKER_RATE), D(0))


def check_one_triggers_a_pair():
    rest = begin()
    placed = rest.order_list_otoco(
        symbol=SYMBOL,
        working_type="LIMIT",
        working_side="BUY",
        working_price=4.5,
        working_quantity=10,
        working_time_in_force="GTC",
        pending_side="SELL",
        pending_quantity=9,
        pending_above_type="LIMIT_MAKER",
        pending_above_price=6,
        pending_below_type="STOP_LOSS",
        pending_below_stop_price=4,
    )
    assert placed.contingency_type == "OTO"
    assert [report.status for report in placed.order_reports] == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    hold_price(SYMBOL, "4.500")
    hold_price(SYMBOL, "3.900")
    states = {order.type: order.status for order in rest.all_orders(symbol=SYMBOL)}
    assert states == {"LIMIT": "FILLED", "LIMIT_MAKER": "EXPIRED", "STOP_LOSS": "FILLED"}


def check_one_pays_for_the_other():
    rest = begin(USDT="10000")
    placed = rest.order_list_opo(
        symbol=SYMBOL,
        working_type="LIMIT",
        working_side="BUY",
        working_price=4.5,
        working_quantity=10,
        working_time_in_force="GTC",
        pending_type="LIMIT",
        pending_side="SELL",
        pending_price=6,
        pending_time_in_force="GTC",
        absent=UNKNOWN_YET,
    )
    hold_price(SYMBOL, "4.500")
    working, pending = rest.all_orders(symbol=SYMBOL)
    assert (working.order_id, working.status) == (placed.orders[0].order_id, "FILLED")
    # 9.99 were received; whole lots of 0.1 of them are sold on.
    assert (pending.status, pending.orig_qty) == ("NEW", "9.90000000")
    assert balances(rest)["NEAR"] == (D("0.09"), D("9.9"))


def check_one_pays_for_a_pair():
    rest = begin(USDT="10000")
    rest.order_list_opoco(
        symbol=SYMBOL,
        working_type="LIMIT",
        working_side="BUY",
        working_price=4.5,
        working_quantity=10,
        working_time_in_force="GTC",
        pending_side="SELL",
        pending_above_type="LIMIT_MAKER",
        pending_above_price=6,
        pending_below_type="STOP_LOSS",
        pending_below_stop_price=4,
        absent=UNKNOWN_YET,
    )
    hold_price(SYMBOL, "4.500")
    hold_price(SYMBOL, "6.100")
    states = {order.type: (order.status, order.orig_qty) for order in rest.all_orders(symbol=SYMBOL)}
    assert states["LIMIT_MAKER"] == ("FILLED", "9.90000000")
    assert states["STOP_LOSS"][0] == "EXPIRED"


def check_trailing_iceberg_and_pegged_orders():
    rest = begin()
    trailing = rest.new_order(
        symbol=SYMBOL,
        side="SELL",
        type="TAKE_PROFIT",
        quantity=10,
        trailing_delta=200,
        new_order_resp_type="RESULT",
        absent={"fills"},
    )
    assert trailing.to_dict()["trailingDelta"] == 200
    error = raised(
        BadRequestError,
        rest.new_order,
        symbol=SYMBOL,
        side="SELL",
        type="STOP_LOSS",
        quantity=10,
        trailing_delta=5,
    )
    assert (error.status_code, error.error_message) == (-1013, "Filter failure: TRAILING_DELTA")
    pegged = rest.new_order(
        symbol=SYMBOL,
        side="BUY",
        type="LIMIT",
        time_in_force="GTC",
        quantity=10,
        peg_price_type="PRIMARY_PEG",
    )
    assert pegged.price == "0.00000000", "none was asked for"
    assert pegged.to_dict()["peggedPrice"] == "4.99000000"


def check_self_trade_prevention():
    rest = begin()
    maker = limit(rest, "BUY", 10, 5)
    taker = limit(rest, "SELL", 4, 5, self_trade_prevention_mode="DECREMENT")
    assert (taker.status, taker.executed_qty) == ("EXPIRED_IN_MATCH", "0.00000000")
    assert taker.to_dict()["preventedQuantity"] == "4.00000000"
    found = rest.get_order(symbol=SYMBOL, order_id=maker.order_id)
    assert (found.status, found.to_dict()["preventedQuantity"]) == ("NEW", "4.00000000")
    (match,) = rest.my_prevented_matches(symbol=SYMBOL, order_id=taker.order_id)
    assert (match.taker_order_id, match.maker_order_id) == (taker.order_id, maker.order_id)
    assert (match.self_trade_prevention_mode, match.price) == ("DECREMENT", "5.00000000")


def check_keys_of_every_kind():
    for kind, credentials in (
        (kind, credentials)
        for kind, pair in KEYS.items()
        for credentials in (
            {"private_key": pair["private"]},
            {"private_key": pair["protected"], "private_key_passphrase": pair["passphrase"]},
        )
    ):
        hold_book(SYMBOL, "5.000", BIDS, ASKS)
        account = open_account(USDT="100")
        key = register(account.name, kind, KEYS[kind]["public"])
        rest = Rest(api_key=key, **credentials)
        placed = limit(rest, "BUY", 10, 4.5, new_client_order_id="by-signature_1")
        assert placed.status == "NEW", kind
        assert rest.delete_order(symbol=SYMBOL, orig_client_order_id="by-signature_1").status == "CANCELED"
        assert balances(rest) == {"USDT": (D(100), D(0))}
        stranger = Rest(api_key=key, api_secret="not the owner")
        error = raised(BadRequestError, stranger.get_account)
        assert (error.status_code, error.error_message) == (-1022, "Signature for this request is not valid.")


def check_microseconds():
    hold_book(SYMBOL, "5.000", BIDS, ASKS)
    account = open_account(USDT="1000")
    rest = Rest(api_key=account.key, api_secret=account.secret, time_unit="MICROSECOND")
    now = time.time() * 1_000_000
    done = rest.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=10)
    assert abs(done.transact_time - now) < 2_000_000
    (trade,) = rest.my_trades(symbol=SYMBOL)
    assert trade.time == done.transact_time
    plain = of(account).my_trades(symbol=SYMBOL)[0]
    assert plain.time == trade.time // 1000
    assert rest.my_trades(symbol=SYMBOL, start_time=trade.time) == [trade], "times are taken in both units"


def check_rate_limit_headers():
    rest = begin()
    answer = rest.rest.get_account()
    (weight,) = (limit for limit in answer.rate_limits if limit.rateLimitType == "REQUEST_WEIGHT")
    assert (weight.interval, weight.intervalNum) == ("MINUTE", 1)
    again = rest.rest.get_account()
    (later,) = (limit for limit in again.rate_limits if limit.rateLimitType == "REQUEST_WEIGHT")
    assert later.count - weight.count == 20 or later.count == 20, "20 each, unless a new minute began"
    placed = rest.rest.new_order(
        symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=10, price=4.5
    )
    counts = {
        (limit.interval, limit.intervalNum): limit.count
        for limit in placed.rate_limits
        if limit.rateLimitType == "ORDERS"
    }
    assert counts == {("SECOND", 10): 1, ("DAY", 1): 1}


def check_errors():
    rest = begin(USDT="100")
    terms = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "time_in_force": "GTC",
        "quantity": 10,
        "price": 4.5,
    }
    for code, message, change in (
        (-1121, "Invalid symbol.", {"symbol": "NOSUCHCOIN"}),
        (-2010, "Account has insufficient balance for requested action.", {"quantity": 1000}),
        (-1013, "Filter failure: LOT_SIZE", {"quantity": 10.01}),
        (-1013, "Filter failure: PRICE_FILTER", {"price": 4.5001}),
        (-1013, "Filter failure: NOTIONAL", {"quantity": 0.1}),
        (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", {"price": 50}),
    ):
        error = raised(BadRequestError, rest.new_order, **(terms | change))
        assert (error.status_code, error.error_message) == (code, message)
    error = raised(BadRequestError, rest.get_order, symbol=SYMBOL, order_id=999_999_999)
    assert (error.status_code, error.error_message) == (-2013, "Order does not exist.")
    error = raised(BadRequestError, rest.delete_order, symbol=SYMBOL, order_id=999_999_999)
    assert (error.status_code, error.error_message) == (-2011, "Unknown order sent.")
    error = raised(UnauthorizedError, Rest(api_key="k" * 64, api_secret="s").get_account)
    assert error.status_code == -2015
    error = raised(UnauthorizedError, Rest(api_key="not a key!", api_secret="s").get_account)
    assert error.status_code == -2014
    assert balances(rest) == {"USDT": (D(100), D(0))}


def check_too_many_orders():
    rest = begin()
    error = None
    for _ in range(210):  # two windows of ten seconds at most
        try:
            limit(rest, "BUY", 10, 4.5)
        except TooManyRequestsError as refusal:
            error = refusal
            break
    assert error.status_code == -1015
    assert 0 < error.retry_after <= 10


def check_every_method_was_used():
    assert METHODS - MARKET_METHODS - called == set()


run(around=quietly)
