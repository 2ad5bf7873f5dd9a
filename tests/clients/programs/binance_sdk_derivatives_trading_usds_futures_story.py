"""The exchange's own SDK of USD-M: REST, the WebSocket API, streams and user data, by its typed models."""

from binance_common.errors import BadRequestError
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
    DerivativesTradingUsdsFutures,
)
from binance_sdk_futures_setup import Heard, Rest, answered, downloaded, socket_api, streams
from binance_sdk_models import quietly
from stage import (
    CONTRACT_TAKER_RATE,
    D,
    hold_book,
    hold_price,
    move_clock,
    open_account,
    print_trade,
    raised,
    run,
)

SITE = "binance-usdm"
SYMBOL = "BTCUSDT"
BIDS = (("99990", "10"), ("99980", "20"))
ASKS = (("100010", "10"), ("100020", "20"))

CONDITIONAL = {
    # Of orders that trail, were changed under a name, or wait for nothing.
    "activatePrice",
    "callbackRate",
    "icebergQuantity",
    "modifyId",
    "priceRate",
}
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
    "notional",
    "stepSize",
    "tickSize",
}
"""One model stands for all filters."""

ABSENT = CONDITIONAL | OF_ONE_FILTER | {"settlePlan", "isExpired"}

UNKNOWN = CONDITIONAL | {
    # The exchange has them; the models are behind.
    "breakEvenPrice",
    "futuresType",
    "isolatedWallet",
    "lastUpdateId",
    "maxMoveOrderLimit",
    "notional",
    "permissionSets",
    "positionControlSide",
}


def begin(leverage=10):
    hold_book(SYMBOL, "100000", BIDS, ASKS, SITE)
    account = open_account(wallet="usdm", USDT="10000")
    rest = Rest(DerivativesTradingUsdsFutures, account, ABSENT, UNKNOWN)
    rest.change_initial_leverage(symbol=SYMBOL, leverage=leverage)
    return rest


def limit(rest, side, quantity, price, **terms):
    return rest.new_order(
        symbol=SYMBOL,
        side=side,
        type="LIMIT",
        **{"time_in_force": "GTC", **terms},
        quantity=quantity,
        price=price,
    )


def market(rest, side, quantity, **terms):
    return rest.new_order(
        symbol=SYMBOL, side=side, type="MARKET", quantity=quantity, new_order_resp_type="RESULT", **terms
    )


def balance(rest):
    (usdt,) = (each for each in rest.futures_account_balance_v3() if each.asset == "USDT")
    return D(usdt.balance)


def check_market():
    rest = begin()
    now = move_clock(step="0s")
    assert rest.check_server_time().server_time == now
    assert SYMBOL in {each.symbol for each in rest.exchange_information().symbols}
    assert rest.order_book(symbol=SYMBOL, limit=5).bids[0] == ["99990.00", "10.000"]
    assert rest.symbol_order_book_ticker(symbol=SYMBOL).actual_instance.ask_price == "100010.00"
    assert rest.symbol_price_ticker_v2(symbol=SYMBOL).actual_instance.price == "100000.00"
    assert rest.mark_price(symbol=SYMBOL).actual_instance.mark_price == "100000.00000000"
    assert rest.ticker24hr_price_change_statistics(symbol=SYMBOL).actual_instance.last_price == "100000.00"
    assert rest.recent_trades_list(symbol=SYMBOL, limit=1)[0].price == "100000.00"
    assert rest.compressed_aggregate_trades_list(symbol=SYMBOL, limit=1)[0].p == "100000.00"
    for candles in (
        rest.kline_candlestick_data(symbol=SYMBOL, interval="1m", limit=1),
        rest.continuous_contract_kline_candlestick_data(
            pair=SYMBOL, contract_type="PERPETUAL", interval="1m", limit=1
        ),
        rest.mark_price_kline_candlestick_data(symbol=SYMBOL, interval="1m", limit=1),
        rest.index_price_kline_candlestick_data(pair=SYMBOL, interval="1m", limit=1),
    ):
        assert D(candles[0][4]) == 100_000
    assert len(rest.get_funding_rate_history(symbol=SYMBOL, limit=3)) == 3
    assert rest.get_funding_rate_info()
    assert D(rest.open_interest(symbol=SYMBOL).open_interest) > 0
    assert len(rest.open_interest_statistics(symbol=SYMBOL, period="5m", limit=2)) == 2
    assert len(rest.long_short_ratio(symbol=SYMBOL, period="5m", limit=2)) == 2
    assert len(rest.taker_buy_sell_volume(symbol=SYMBOL, period="5m", limit=2)) == 2
    assert len(rest.basis(pair=SYMBOL, contract_type="PERPETUAL", period="5m", limit=2)) == 2


def check_settings():
    rest = begin()
    assert rest.change_initial_leverage(symbol=SYMBOL, leverage=20).max_notional_value == "100000000"
    assert rest.change_margin_type(symbol=SYMBOL, margin_type="ISOLATED").msg == "success"
    error = raised(BadRequestError, rest.change_margin_type, symbol=SYMBOL, margin_type="ISOLATED")
    assert "No need to change margin type." in str(error)
    (config,) = rest.symbol_configuration(symbol=SYMBOL)
    assert (config.margin_type, config.leverage) == ("ISOLATED", 20)
    assert rest.change_position_mode(dual_side_position="true").code == 200
    assert rest.get_current_position_mode().dual_side_position is True
    assert rest.futures_account_configuration().dual_side_position is True
    assert D(rest.user_commission_rate(symbol=SYMBOL).taker_commission_rate) == CONTRACT_TAKER_RATE
    assert rest.notional_and_leverage_brackets(symbol=SYMBOL)
    assert rest.get_bnb_burn_status().fee_burn is False
    assert rest.get_current_multi_assets_mode().multi_assets_margin is False
    error = raised(BadRequestError, rest.change_multi_assets_mode, multi_assets_margin="true")
    assert "Unable to adjust to Multi-Assets mode with symbols" in str(error)
    assert rest.change_margin_type(symbol=SYMBOL, margin_type="CROSSED").code == 200
    assert rest.change_multi_assets_mode(multi_assets_margin="true").msg == "success"
    assert rest.get_current_multi_assets_mode().multi_assets_margin is True
    assert rest.futures_account_configuration().multi_assets_margin is True


def check_position():
    """0.1 BTC bought at 100,010 and sold at 100,990."""
    rest = begin()
    bought = market(rest, "BUY", 0.1)
    assert (bought.status, bought.executed_qty) == ("FILLED", "0.100")
    assert balance(rest) == D("9994.9995")
    hold_book(SYMBOL, "101000", (("100990", "10"),), (("101010", "10"),), SITE)
    (held,) = rest.position_information_v3(symbol=SYMBOL)
    assert (D(held.position_amt), D(held.entry_price), D(held.un_realized_profit)) == (D("0.1"), 100_010, 99)
    account = rest.account_information_v3()
    assert D(account.total_margin_balance) == D("10093.9995")
    assert D(account.available_balance) == D("9083.9995")
    assert D(rest.account_information_v2().total_initial_margin) == 1010
    sold = market(rest, "SELL", 0.1, reduce_only="true")
    assert balance(rest) == D("10087.95")
    trades = rest.account_trade_list(symbol=SYMBOL)
    assert [(each.side, D(each.realized_pnl), D(each.commission)) for each in trades] == [
        ("BUY", 0, D("5.0005")),
        ("SELL", 98, D("5.0495")),
    ]
    assert trades[1].order_id == sold.order_id
    incomes = rest.get_income_history()
    assert sum(D(each.income) for each in incomes) == balance(rest)


def check_files():
    rest = begin()
    now = move_clock(step="0s")
    market(rest, "BUY", "0.1")
    ways = (
        (rest.get_download_id_for_futures_order_history, rest.get_futures_order_history_download_link_by_id),
        (rest.get_download_id_for_futures_trade_history, rest.get_futures_trade_download_link_by_id),
        (
            rest.get_download_id_for_futures_transaction_history,
            rest.get_futures_transaction_history_download_link_by_id,
        ),
    )
    texts = []
    for ask, link_of in ways:
        asked = ask(start_time=now - 3_600_000, end_time=now)
        texts.append(downloaded(link_of, asked))
    orders, trades, incomes = texts
    assert orders[1].split(",")[3:6] == [SYMBOL, "MARKET", "BUY"]
    # 0.1 at 100,010, and five of ten thousand of it for whoever takes.
    assert trades[1].split(",")[2:8] == [SYMBOL, "BUY", "100010", "0.1", "10001", "5.00050000USDT"]
    assert [line.split(",")[1:3] for line in incomes[1:]] == [
        ['"TRANSFER"', '"10000"'],
        ['"COMMISSION"', '"-5.0005"'],
    ]


def check_conversion():
    rest = begin()
    (pair,) = rest.list_all_convert_pairs(from_asset="USDT", to_asset="BTC")
    assert D(pair.from_asset_max_amount) == 2_500_000
    quote = rest.send_quote_request(from_asset="USDT", to_asset="BTC", from_amount=5000)
    # At 100,000, less a thousandth.
    assert (D(quote.from_amount), D(quote.to_amount)) == (5000, D("0.04995"))
    order = rest.accept_the_offered_quote(quote_id=quote.quote_id)
    assert balance(rest) == 5000
    (btc,) = (each for each in rest.futures_account_balance_v3() if each.asset == "BTC")
    assert D(btc.balance) == D("0.04995")
    state = rest.order_status(order_id=order.order_id)
    assert (state.order_status, state.from_asset, state.to_asset) == ("SUCCESS", "USDT", "BTC")
    error = raised(BadRequestError, rest.accept_the_offered_quote, quote_id=quote.quote_id)
    assert "expired" in str(error)


def check_orders():
    rest = begin()
    first = limit(rest, "BUY", 0.01, 99000)
    changed = rest.modify_order(
        symbol=SYMBOL, side="BUY", order_id=first.order_id, quantity=0.02, price=98000
    )
    assert (changed.price, changed.orig_qty) == ("98000.00", "0.020")
    assert rest.get_order_modify_history(symbol=SYMBOL, order_id=first.order_id)[0].amendment.count == 1
    posted = limit(rest, "BUY", 0.01, 99500, time_in_force="GTX")
    error = raised(BadRequestError, limit, rest, "BUY", 0.01, 100010, time_in_force="GTX")
    assert "could not be executed as maker" in str(error)
    assert [each.order_id for each in rest.current_all_open_orders(symbol=SYMBOL)] == [
        first.order_id,
        posted.order_id,
    ]
    assert rest.query_order(symbol=SYMBOL, order_id=posted.order_id).time_in_force == "GTX"
    assert rest.query_current_open_order(symbol=SYMBOL, order_id=posted.order_id).status == "NEW"
    assert rest.cancel_order(symbol=SYMBOL, order_id=posted.order_id).status == "CANCELED"
    assert rest.auto_cancel_all_open_orders(symbol=SYMBOL, countdown_time=0).countdown_time == "0"
    assert rest.cancel_all_open_orders(symbol=SYMBOL).code == 200
    assert [each.status for each in rest.all_orders(symbol=SYMBOL)] == ["CANCELED", "CANCELED"]
    error = raised(BadRequestError, market, rest, "BUY", 2)
    assert "Margin is insufficient." in str(error)


def check_algo_orders():
    rest = begin()
    market(rest, "BUY", 0.02)
    stop = rest.new_algo_order(
        algo_type="CONDITIONAL",
        symbol=SYMBOL,
        side="SELL",
        type="STOP_MARKET",
        trigger_price=98000,
        quantity=0.02,
        reduce_only="true",
    )
    assert (stop.algo_status, stop.order_type) == ("NEW", "STOP_MARKET")
    (waiting,) = rest.current_all_algo_open_orders(symbol=SYMBOL)
    assert waiting.algo_id == stop.algo_id
    hold_price(SYMBOL, "97990", SITE)
    done = rest.query_algo_order(algo_id=stop.algo_id)
    assert done.algo_status == "FINISHED"
    assert rest.query_order(symbol=SYMBOL, order_id=int(done.actual_order_id)).status == "FILLED"
    assert rest.position_information_v3(symbol=SYMBOL) == []
    other = rest.new_algo_order(
        algo_type="CONDITIONAL",
        symbol=SYMBOL,
        side="BUY",
        type="TAKE_PROFIT",
        time_in_force="GTC",
        trigger_price=97000,
        price=97010,
        quantity=0.01,
    )
    assert rest.cancel_algo_order(algo_id=other.algo_id).msg == "success"
    assert [each.algo_status for each in rest.query_all_algo_orders(symbol=SYMBOL)] == [
        "FINISHED",
        "CANCELED",
    ]


def check_isolated_margin():
    rest = begin(leverage=20)
    rest.change_margin_type(symbol=SYMBOL, margin_type="ISOLATED")
    market(rest, "BUY", 0.1)
    assert rest.modify_isolated_position_margin(symbol=SYMBOL, amount=100, type=1).amount == 100
    (held,) = rest.position_information_v2(symbol=SYMBOL)
    assert (held.margin_type, held.isolated_wallet) == ("isolated", "600.05000000")


async def check_socket_api():
    rest = begin()
    async with socket_api(DerivativesTradingUsdsFutures, rest.account, "/ws-fapi/v1") as api:
        assert (await answered(api.symbol_price_ticker(symbol=SYMBOL))).price == "100000.00"
        assert (await answered(api.symbol_order_book_ticker(symbol=SYMBOL))).bid_price == "99990.00"
        assert (await answered(api.order_book(symbol=SYMBOL, limit=5))).last_update_id > 0
        placed = await answered(
            api.new_order(
                symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01, price=99000
            )
        )
        assert placed.status == "NEW"
        changed = await answered(
            api.modify_order(symbol=SYMBOL, side="BUY", order_id=placed.order_id, quantity=0.02, price=98000)
        )
        assert changed.price == "98000.00"
        known = await answered(api.query_order(symbol=SYMBOL, order_id=placed.order_id))
        assert known.orig_qty == "0.020"
        gone = await answered(api.cancel_order(symbol=SYMBOL, order_id=placed.order_id))
        assert gone.status == "CANCELED"
        await answered(
            api.new_order(
                symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.1, new_order_resp_type="RESULT"
            )
        )
        (held,) = await answered(api.position_information_v2(symbol=SYMBOL))
        assert D(held.entry_price) == 100_010
        account = await answered(api.account_information_v2())
        assert D(account.total_wallet_balance) == D("9994.9995")
        shown = await answered(api.futures_account_balance_v2())
        assert {each.asset: D(each.balance) for each in shown}["USDT"] == D("9994.9995")
        stop = await answered(
            api.new_algo_order(
                algo_type="CONDITIONAL",
                symbol=SYMBOL,
                side="SELL",
                type="STOP_MARKET",
                trigger_price=98000,
                quantity=0.1,
            )
        )
        assert (await answered(api.cancel_algo_order(algo_id=stop.algo_id))).code == "200"


async def check_streams():
    begin()
    async with streams(DerivativesTradingUsdsFutures) as connected:
        marks = Heard(await connected.mark_price_stream(symbol=SYMBOL.lower(), update_speed="1s"))
        trades = Heard(await connected.aggregate_trade_streams(symbol=SYMBOL.lower()))
        best = Heard(await connected.individual_symbol_book_ticker_streams(symbol=SYMBOL.lower()))
        candles = Heard(await connected.kline_candlestick_streams(symbol=SYMBOL.lower(), interval="1m"))
        books = Heard(await connected.partial_book_depth_streams(symbol=SYMBOL.lower(), levels=5))
        move_clock(step="1s")
        assert (await marks.next()).p == "100000.00000000"
        print_trade(SYMBOL, "100010", "1", "buy", SITE)
        hold_book(SYMBOL, "100000", (("99995", "3"),), ASKS, SITE)
        move_clock(step="1s")
        trade = await trades.next()
        while trade.p != "100010.00":
            trade = await trades.next()
        assert (trade.q, trade.m) == ("1.000", False)
        while (await best.next()).b != "99995.00":
            pass
        assert (await candles.next()).k.i == "1m"
        while (await books.next()).b != [["99995.00", "3.000"]]:
            pass


async def check_user_data():
    rest = begin()
    key = rest.start_user_data_stream().listen_key
    async with streams(DerivativesTradingUsdsFutures) as connected:
        told = Heard(await connected.user_data(key))
        bought = market(rest, "BUY", 0.1)
        seen = {}
        for name in ("OrderTradeUpdate", "TradeLite", "AccountUpdate", "OrderTradeUpdate"):
            event = await told.next()
            assert type(event).__name__ == name
            seen[name] = event
        order = seen["OrderTradeUpdate"].o
        assert (order.i, order.X, order.N) == (bought.order_id, "FILLED", "USDT")
        assert (D(order.L), D(order.z), D(order.n)) == (100_010, D("0.1"), D("5.0005"))
        account = seen["AccountUpdate"].a
        assert (account.m, account.B[0].a, D(account.B[0].wb)) == ("ORDER", "USDT", D("9994.9995"))
        (held,) = account.P
        assert (held.s, D(held.pa), D(held.ep), held.mt) == (SYMBOL, D("0.1"), 100_010, "cross")
        rest.change_initial_leverage(symbol=SYMBOL, leverage=11)
        changed = await told.next()
        assert (changed.ac.s, changed.ac.l) == (SYMBOL, 11)
    rest.keepalive_user_data_stream()
    rest.close_user_data_stream()


run(quietly)
