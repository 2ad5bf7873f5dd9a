"""binance-sdk-spot: market data through its typed models."""

import time

from binance_common.errors import BadRequestError
from binance_sdk_spot_setup import MARKET_METHODS, Rest, called, quietly
from stage import D, hold_book, raised, run

rest = Rest()

DAY_MS = 86_400_000
HELD = "FILUSDT"

NOT_THERE = {"sors", "count"}
"""No smart order routing is offered; `count` is for limits of an account, not of the exchange."""

FULL_ONLY = {
    "askPrice",
    "askQty",
    "bidPrice",
    "bidQty",
    "lastQty",
    "prevClosePrice",
    "priceChange",
    "priceChangePercent",
    "weightedAvgPrice",
}
"""What a MINI ticker does not hold."""


def begin():
    hold_book(HELD, "5.000", [("4.990", "10"), ("4.980", "20")], [("5.010", "30"), ("5.020", "40")])


def check_general():
    rest.ping()
    assert abs(rest.time().server_time - time.time() * 1000) < 2000


def check_exchange_info():
    shown = rest.exchange_info(absent=NOT_THERE)
    assert len(shown.symbols) >= 40
    by_name = {symbol.symbol: symbol for symbol in shown.symbols}
    bitcoin = by_name["BTCUSDT"]
    rules = {rule.actual_instance.filter_type: rule.actual_instance for rule in bitcoin.filters}
    assert (rules["PRICE_FILTER"].tick_size, rules["LOT_SIZE"].step_size) == ("0.01000000", "0.00001000")
    assert rules["MAX_NUM_ORDERS"].max_num_orders == 200
    assert rules["NOTIONAL"].min_notional == "5.00000000"
    assert bitcoin.default_self_trade_prevention_mode == "EXPIRE_MAKER"
    assert "DECREMENT" in bitcoin.allowed_self_trade_prevention_modes
    some = rest.exchange_info(symbols=["ETHUSDT", "BTCUSDT"], absent=NOT_THERE)
    assert {symbol.symbol for symbol in some.symbols} == {"ETHUSDT", "BTCUSDT"}
    one = rest.exchange_info(
        symbol="ETHBTC", show_permission_sets=False, absent={*NOT_THERE, "permissionSets"}
    )
    assert [symbol.symbol for symbol in one.symbols] == ["ETHBTC"]
    assert len(rest.exchange_info(permissions="SPOT", absent=NOT_THERE).symbols) == len(shown.symbols)


def check_execution_rules():
    shown = rest.execution_rules(symbol="BTCUSDT")
    assert [rule.symbol for rule in shown.symbol_rules or []] in ([], ["BTCUSDT"])


def check_reference_price():
    error = raised(BadRequestError, rest.reference_price, symbol="BTCUSDT")
    assert error.status_code == -2043
    error = raised(BadRequestError, rest.reference_price_calculation, symbol="BTCUSDT")
    assert error.status_code == -2043


def check_depth():
    begin()
    book = rest.depth(symbol=HELD, limit=100)
    assert book.bids == [["4.99000000", "10.00000000"], ["4.98000000", "20.00000000"]]
    assert book.asks == [["5.01000000", "30.00000000"], ["5.02000000", "40.00000000"]]
    assert book.last_update_id > 0


def check_trades():
    newest = rest.get_trades(symbol="ETHUSDT", limit=20)
    assert len(newest) == 20
    assert [trade.id for trade in newest] == list(range(newest[0].id, newest[0].id + 20))
    assert all(D(trade.quote_qty) == D(trade.price) * D(trade.qty) for trade in newest)
    again = rest.historical_trades(symbol="ETHUSDT", from_id=newest[0].id, limit=20)
    assert [trade.to_dict() for trade in again] == [trade.to_dict() for trade in newest]
    grouped = rest.agg_trades(symbol="ETHUSDT", limit=20)
    assert [trade.a for trade in grouped] == list(range(grouped[0].a, grouped[0].a + 20))
    assert rest.historical_block_trades(symbol="ETHUSDT", from_id=0) == []


def check_klines():
    start = int(time.time() * 1000) // DAY_MS * DAY_MS - 3 * DAY_MS
    rows = rest.klines(symbol="BTCUSDT", interval="15m", start_time=start, end_time=start + DAY_MS - 1)
    assert [row[0] for row in rows] == list(range(start, start + DAY_MS, 900_000))
    assert all(len(row) == 12 for row in rows)
    assert (
        rest.ui_klines(symbol="BTCUSDT", interval="15m", start_time=start, end_time=start + DAY_MS - 1)
        == rows
    )
    (day,) = rest.klines(symbol="BTCUSDT", interval="1d", start_time=start, limit=1)
    assert (day[1], day[4]) == (rows[0][1], rows[-1][4])
    (elsewhere,) = rest.klines(symbol="BTCUSDT", interval="1d", start_time=start, limit=1, time_zone="+2:00")
    assert elsewhere[0] % DAY_MS == 22 * 3_600_000, "the day begins where it begins in that zone"


def check_prices():
    begin()
    assert D(rest.avg_price(symbol=HELD).price) == 5
    price = rest.ticker_price(symbol=HELD).actual_instance
    assert (price.symbol, price.price) == (HELD, "5.00000000")
    assert [each.price for each in rest.ticker_price(symbols=[HELD]).actual_instance] == ["5.00000000"]
    assert len(rest.ticker_price().actual_instance) >= 40
    best = rest.ticker_book_ticker(symbol=HELD).actual_instance
    assert [best.bid_price, best.bid_qty, best.ask_price, best.ask_qty] == [
        "4.99000000",
        "10.00000000",
        "5.01000000",
        "30.00000000",
    ]
    assert len(rest.ticker_book_ticker(symbols=[HELD, "BTCUSDT"]).actual_instance) == 2


def check_statistics():
    begin()
    day = rest.ticker24hr(symbol=HELD).actual_instance
    assert (day.last_price, day.bid_price, day.ask_price) == ("5.00000000", "4.99000000", "5.01000000")
    assert day.count == day.last_id - day.first_id + 1
    mini = rest.ticker24hr(symbols=[HELD, "BTCUSDT"], type="MINI", absent=FULL_ONLY).actual_instance
    assert [each.symbol for each in mini] == [HELD, "BTCUSDT"]
    assert len(rest.ticker24hr().actual_instance) >= 40
    window = rest.ticker(symbol=HELD, window_size="1h").actual_instance
    assert window.last_price == "5.00000000"
    assert len(rest.ticker(symbols=[HELD, "BTCUSDT"], window_size="4h").actual_instance) == 2
    trading_day = rest.ticker_trading_day(symbol=HELD).actual_instance
    assert trading_day.open_time % DAY_MS == 0
    assert len(rest.ticker_trading_day(symbols=[HELD, "BTCUSDT"]).actual_instance) == 2


def check_microseconds():
    micro = Rest(time_unit="MICROSECOND")
    now = time.time() * 1_000_000
    assert abs(micro.time().server_time - now) < 2_000_000
    assert abs(micro.get_trades(symbol="ETHUSDT", limit=1)[0].time - now) < 60_000_000
    assert micro.klines(symbol="BTCUSDT", interval="1m", limit=1)[0][0] % 60_000_000 == 0
    assert micro.klines(symbol="BTCUSDT", interval="1m", limit=1)[0][6] % 60_000_000 == 59_999_999


def check_errors():
    error = raised(BadRequestError, rest.depth, symbol="NOSUCHCOIN")
    assert (error.status_code, error.error_message) == (-1121, "Invalid symbol.")
    error = raised(BadRequestError, rest.ticker24hr, symbol="BTCUSDT", symbols=["ETHUSDT"])
    assert error.status_code == -1128
    error = raised(BadRequestError, rest.klines, symbol="BTCUSDT", interval="9m")
    assert error.status_code == -1120


def check_every_method_was_used():
    assert MARKET_METHODS - called == set()


run(around=quietly)
