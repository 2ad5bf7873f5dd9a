"""The exchange's own SDK of COIN-M: REST, the WebSocket API, streams and user data, by its typed models."""

from binance_common.errors import BadRequestError
from binance_sdk_derivatives_trading_coin_futures.derivatives_trading_coin_futures import (
    DerivativesTradingCoinFutures,
)
from binance_sdk_futures_setup import Heard, Rest, answered, downloaded, socket_api, streams
from binance_sdk_models import quietly
from stage import (
    CONTRACT_TAKER_RATE,
    STREAMS,
    D,
    hold_book,
    hold_price,
    move_clock,
    open_account,
    print_trade,
    raised,
    run,
)

SITE = "binance-coinm"
SYMBOL, PAIR = "BTCUSD_PERP", "BTCUSD"
BIDS = (("49990", "1000"), ("49980", "2000"))
ASKS = (("50010", "1000"), ("50020", "2000"))

CONDITIONAL = {"activatePrice", "modifyId", "priceRate", "goodTillDate"}
"""Documented as present only where they apply, so the models neither demand nor always know them."""

OF_ONE_FILTER = {
    "limit",
    "maxPrice",
    "maxQty",
    "minPrice",
    "minQty",
    "multiplierDecimal",
    "multiplierDown",
    "multiplierUp",
    "stepSize",
    "tickSize",
}
"""One model stands for all filters."""

ABSENT = CONDITIONAL | OF_ONE_FILTER | {"isExpired"}

UNKNOWN = CONDITIONAL | {
    # The exchange has them; the models are behind.
    "cumQuote",
    "isolatedWallet",
    "maxMoveOrderLimit",
    "notional",
    "qtyFloor",
}


def begin(btc="1", leverage=10):
    hold_book(SYMBOL, "50000", BIDS, ASKS, SITE)
    account = open_account(wallet="coinm", BTC=btc)
    rest = Rest(DerivativesTradingCoinFutures, account, ABSENT, UNKNOWN)
    rest.change_initial_leverage(symbol=SYMBOL, leverage=leverage)
    return rest


def market(rest, side, quantity, **terms):
    return rest.new_order(
        symbol=SYMBOL, side=side, type="MARKET", quantity=quantity, new_order_resp_type="RESULT", **terms
    )


def limit(rest, side, quantity, price, **terms):
    terms = {"time_in_force": "GTC", **terms}
    return rest.new_order(symbol=SYMBOL, side=side, type="LIMIT", quantity=quantity, price=price, **terms)


def balance(rest):
    (btc,) = (each for each in rest.futures_account_balance() if each.asset == "BTC")
    return D(btc.balance)


def position(rest):
    (found,) = (each for each in rest.position_information(pair=PAIR) if each.symbol == SYMBOL)
    return found


def near(shown, exact, rounded=1):
    """rounded: how many amounts of eight places are in it."""
    return abs(D(shown) - exact) <= rounded * D("1e-8")


def check_market():
    rest = begin()
    assert rest.check_server_time().server_time == move_clock(step="0s")
    assert SYMBOL in {each.symbol for each in rest.exchange_information().symbols}
    assert rest.order_book(symbol=SYMBOL, limit=5).bids[0] == ["49990.0", "1000"]
    assert rest.symbol_order_book_ticker(symbol=SYMBOL)[0].ask_price == "50010.0"
    assert rest.symbol_price_ticker(symbol=SYMBOL)[0].price == "50000.0"
    assert rest.index_price_and_mark_price(symbol=SYMBOL)[0].mark_price == "50000.00000000"
    assert rest.ticker24hr_price_change_statistics(symbol=SYMBOL)[0].last_price == "50000.0"
    assert rest.recent_trades_list(symbol=SYMBOL, limit=1)[0].price == "50000.0"
    assert rest.kline_candlestick_data(symbol=SYMBOL, interval="1m", limit=1)[0][4] == "50000.0"
    assert len(rest.get_funding_rate_history_of_perpetual_futures(symbol=SYMBOL, limit=3)) == 3
    assert D(rest.open_interest(symbol=SYMBOL).open_interest) > 0


def check_settings():
    rest = begin()
    assert D(rest.change_initial_leverage(symbol=SYMBOL, leverage=20).max_qty) == 50
    assert rest.change_margin_type(symbol=SYMBOL, margin_type="ISOLATED").msg == "success"
    error = raised(BadRequestError, rest.change_margin_type, symbol=SYMBOL, margin_type="ISOLATED")
    assert "No need to change margin type." in str(error)
    assert rest.get_current_position_mode().dual_side_position is False
    assert D(rest.user_commission_rate(symbol=SYMBOL).taker_commission_rate) == CONTRACT_TAKER_RATE
    (listed,) = rest.notional_bracket_for_symbol(symbol=SYMBOL)
    assert listed.brackets[0].initial_leverage == 125


def check_position():
    """100 contracts bought at 50,010, sold at 51,000: for 10,000 / 50,010 and 10,000 / 51,000 bitcoin."""
    rest = begin()
    bought = market(rest, "BUY", 100)
    assert (bought.status, bought.executed_qty) == ("FILLED", "100")
    worth = D(10_000) / 50_010
    paid = worth * CONTRACT_TAKER_RATE
    assert near(balance(rest), 1 - paid)
    hold_book(SYMBOL, "51010", (("51000", "1000"),), (("51020", "1000"),), SITE)
    held = position(rest)
    assert (held.position_amt, D(held.entry_price)) == ("100", 50_010)
    assert near(held.un_realized_profit, worth - D(10_000) / 51_010)
    (btc,) = (each for each in rest.account_information().assets if each.asset == "BTC")
    assert near(btc.initial_margin, D(1000) / 51_010)
    market(rest, "SELL", 100, reduce_only="true")
    won, fee = worth - D(10_000) / 51_000, D(10_000) / 51_000 * CONTRACT_TAKER_RATE
    assert near(balance(rest), 1 + won - paid - fee, rounded=3)
    trades = rest.account_trade_list(symbol=SYMBOL)
    assert near(trades[1].realized_pnl, won)
    assert sum(D(each.income) for each in rest.get_income_history()) == balance(rest)


def check_files():
    rest = begin()
    now = move_clock(step="0s")
    market(rest, "BUY", 7)
    asked = rest.get_download_id_for_futures_trade_history(start_time=now - 3_600_000, end_time=now)
    trades = downloaded(rest.get_futures_trade_download_link_by_id, asked)
    # Seven contracts of 100 dollars.
    assert trades[1].split(",")[2:7] == [SYMBOL, "BUY", "50010", "7", "700"]
    asked = rest.get_download_id_for_futures_transaction_history(start_time=now - 3_600_000, end_time=now)
    incomes = downloaded(rest.get_futures_transaction_history_download_link_by_id, asked)
    assert [line.split(",")[1] for line in incomes[1:]] == ['"TRANSFER"', '"COMMISSION"']


def check_orders():
    rest = begin()
    first = limit(rest, "BUY", 10, 49000)
    changed = rest.modify_order(symbol=SYMBOL, side="BUY", order_id=first.order_id, quantity=20, price=48500)
    assert (changed.price, changed.orig_qty) == ("48500.0", "20")
    (opened,) = rest.current_all_open_orders(symbol=SYMBOL)
    assert opened.order_id == first.order_id
    assert rest.query_order(symbol=SYMBOL, order_id=first.order_id).status == "NEW"
    assert rest.cancel_order(symbol=SYMBOL, order_id=first.order_id).status == "CANCELED"
    stop = rest.new_order(symbol=SYMBOL, side="BUY", type="STOP_MARKET", stop_price=50500, quantity=5)
    assert stop.status == "NEW"
    hold_price(SYMBOL, "50501", SITE)
    assert position(rest).position_amt == "5"
    assert rest.cancel_all_open_orders(symbol=SYMBOL).code == 200
    assert rest.all_orders(symbol=SYMBOL)[0].status == "CANCELED"
    error = raised(BadRequestError, limit, rest, "BUY", 10, 50502, time_in_force="GTX")
    assert "could not be executed as maker" in str(error)


async def check_socket_api():
    rest = begin()
    async with socket_api(DerivativesTradingCoinFutures, rest.account, "/ws-dapi/v1") as api:
        placed = await answered(
            api.new_order(
                symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=10, price=49000
            )
        )
        assert placed.status == "NEW"
        changed = await answered(
            api.modify_order(symbol=SYMBOL, side="BUY", order_id=placed.order_id, quantity=20, price=48500)
        )
        assert changed.price == "48500.0"
        assert (await answered(api.query_order(symbol=SYMBOL, order_id=placed.order_id))).orig_qty == "20"
        gone = await answered(api.cancel_order(symbol=SYMBOL, order_id=placed.order_id))
        assert gone.status == "CANCELED"
        await answered(api.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=100))
        held = {each.symbol: each for each in await answered(api.position_information(pair=PAIR))}
        assert held[SYMBOL].position_amt == "100"
        account = await answered(api.account_information())
        assert {each.asset: D(each.wallet_balance) for each in account.assets}["BTC"] == balance(rest)
        shown = await answered(api.futures_account_balance())
        assert {each.asset: D(each.balance) for each in shown}["BTC"] == balance(rest)


async def check_streams():
    begin()
    async with streams(DerivativesTradingCoinFutures, f"{STREAMS}/binance-coinm") as connected:
        marks = Heard(await connected.mark_price_stream(symbol=SYMBOL.lower(), update_speed="1s"))
        prices = Heard(await connected.index_price_stream(pair=PAIR.lower(), update_speed="1s"))
        trades = Heard(await connected.aggregate_trade_streams(symbol=SYMBOL.lower()))
        best = Heard(await connected.individual_symbol_book_ticker_streams(symbol=SYMBOL.lower()))
        move_clock(step="1s")
        assert (await marks.next()).p == "50000.00000000"
        assert (await prices.next()).p == "50000.00000000"
        print_trade(SYMBOL, "50010", "7", "buy", SITE)
        hold_book(SYMBOL, "50000", (("49995", "3"),), ASKS, SITE)
        move_clock(step="1s")
        while (trade := await trades.next()).p != "50010.0":
            pass
        assert (trade.q, trade.m) == ("7", False)
        while (await best.next()).b != "49995.0":
            pass


async def check_user_data():
    rest = begin()
    key = rest.start_user_data_stream().listen_key
    async with streams(DerivativesTradingCoinFutures, f"{STREAMS}/binance-coinm") as connected:
        told = Heard(await connected.user_data(key))
        bought = market(rest, "BUY", 100)
        seen = {}
        while "AccountUpdate" not in seen or seen["OrderTradeUpdate"].o.X != "FILLED":
            event = await told.next()
            seen[type(event).__name__] = event
        order = seen["OrderTradeUpdate"].o
        assert (order.i, order.N, D(order.L), D(order.z)) == (bought.order_id, "BTC", 50_010, 100)
        account = seen["AccountUpdate"].a
        assert (account.m, account.B[0].a, D(account.B[0].wb)) == ("ORDER", "BTC", balance(rest))
        assert (account.P[0].s, D(account.P[0].pa), D(account.P[0].ep)) == (SYMBOL, 100, 50_010)
    rest.keepalive_user_data_stream()
    rest.close_user_data_stream()


run(quietly)
