"""binance-sdk-spot: what an account is told over the WebSocket API, through typed models."""

from binance_sdk_spot.websocket_api.models import (
    BalanceUpdate,
    EventStreamTerminated,
    ExecutionReport,
    ListStatus,
    OutboundAccountPosition,
)
from binance_sdk_spot_setup import SocketRefused, of, quietly, refusals, socket_api
from stage import (
    KEYS,
    TAKER_RATE,
    D,
    deposit,
    hold_book,
    hold_price,
    open_account,
    print_trade,
    raised_async,
    register,
    run,
    text,
)

SYMBOL = "OPUSDT"
BIDS = (("1.990", "1000"), ("1.980", "2000"))
ASKS = (("2.010", "1000"), ("2.020", "2000"))


def begin(**funds):
    hold_book(SYMBOL, "2.000", BIDS, ASKS)
    return open_account(**(funds or {"USDT": "10000", "OP": "5000"}))


def limit(rest, side, quantity, price, **terms):
    return rest.new_order(
        symbol=SYMBOL, side=side, type="LIMIT", time_in_force="GTC", quantity=quantity, price=price, **terms
    )


def balances(position):
    assert isinstance(position, OutboundAccountPosition)
    return {each.a: (D(each.f), D(each.l)) for each in position.B}


async def told(stream, *kinds):
    """The next events, which are of these kinds."""
    events = [await stream.next() for _ in kinds]
    assert [type(event) for event in events] == list(kinds)
    return events


async def check_subscribed_by_signature():
    account = begin()
    rest = of(account)
    async with socket_api(account) as api:
        result, events = await api.user_data_stream_subscribe_signature()
        assert result.subscription_id == 0
        placed = limit(rest, "BUY", 10.5, 1.5, strategy_id=7, strategy_type=1_000_001)
        report, position = await told(events, ExecutionReport, OutboundAccountPosition)
        assert (report.i, report.c, report.x, report.X) == (
            placed.order_id,
            placed.client_order_id,
            "NEW",
            "NEW",
        )
        assert (report.q, report.p, report.j, report.J) == ("10.50000000", "1.50000000", 7, 1_000_001)
        assert report.T == report.O == report.W == placed.transact_time
        assert balances(position)["USDT"] == (D("9984.25"), D("15.75"))

        done = rest.new_order(symbol=SYMBOL, side="SELL", type="MARKET", quantity=1500)
        new, first, second, position = await told(
            events, ExecutionReport, ExecutionReport, ExecutionReport, OutboundAccountPosition
        )
        assert [(report.x, report.X) for report in (new, first, second)] == [
            ("NEW", "NEW"),
            ("TRADE", "PARTIALLY_FILLED"),
            ("TRADE", "FILLED"),
        ]
        for report, fill in zip((first, second), done.fills, strict=True):
            assert (report.t, report.L, report.l) == (fill.trade_id, fill.price, fill.qty)
            assert (
                (report.n, report.N)
                == (fill.commission, "USDT")
                == (
                    text(D(report.Y) * TAKER_RATE),
                    "USDT",
                )
            )
        assert (second.Z, second.z) == (done.cummulative_quote_qty, done.executed_qty)
        shown = {
            each.asset: (D(each.free), D(each.locked))
            for each in rest.get_account(omit_zero_balances=True).balances
        }
        assert {asset: balances(position)[asset] for asset in ("USDT", "OP")} == shown


async def check_logged_on():
    account = begin()
    key = register(account.name, "ed25519", KEYS["ed25519"]["public"])
    rest = of(account)
    async with socket_api(api_key=key, private_key=KEYS["ed25519"]["private"].encode()) as api:
        with refusals():
            error = await raised_async(SocketRefused, api.user_data_stream_subscribe())
        assert "code" in error.error
        logon = await api.session_logon()
        assert (logon.api_key, logon.user_data_stream) == (key, False)
        status = await api.session_status()
        assert (status.api_key, status.authorized_since) == (key, logon.authorized_since)
        result, events = await api.user_data_stream_subscribe()
        assert (await api.session_status()).user_data_stream is True
        assert [each.subscription_id for each in await api.session_subscriptions()] == [
            result.subscription_id
        ]
        with refusals():
            error = await raised_async(SocketRefused, api.user_data_stream_subscribe())
        assert error.error["code"] == -2035

        placed = await api.order_place(
            symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=20, price=1.5
        )
        report, _ = await told(events, ExecutionReport, OutboundAccountPosition)
        assert (report.i, report.T) == (placed.order_id, placed.transact_time)
        await api.session_logout(absent={"apiKey", "authorizedSince"})
        await told(events, EventStreamTerminated)
        assert (await api.session_status(absent={"apiKey", "authorizedSince"})).api_key is None
        assert await api.session_subscriptions() == []
        limit(rest, "BUY", 20, 1.5)
        assert (await api.session_status(absent={"apiKey", "authorizedSince"})).user_data_stream is False
        assert events.is_empty


async def check_several_accounts_on_one_connection():
    first, second = begin(), begin()
    async with socket_api(first) as api:
        _, ours = await api.user_data_stream_subscribe_signature()
        api.api.configuration.api_key, api.api.configuration.api_secret = second.key, second.secret
        result, theirs = await api.user_data_stream_subscribe_signature()
        assert result.subscription_id == 1
        placed = limit(of(second), "BUY", 20, 1.5)
        mine = limit(of(first), "BUY", 30, 1.5)
        (report,) = await told(theirs, ExecutionReport)
        (own,) = await told(ours, ExecutionReport)
        assert (report.i, own.i) == (placed.order_id, mine.order_id)
        assert {each.subscription_id for each in await api.session_subscriptions()} == {0, 1}
        await api.user_data_stream_unsubscribe(subscription_id=0)
        await told(ours, OutboundAccountPosition, EventStreamTerminated)
        assert [each.subscription_id for each in await api.session_subscriptions()] == [1]


async def check_order_lists():
    account = begin()
    rest = of(account)
    async with socket_api(account) as api:
        _, events = await api.user_data_stream_subscribe_signature()
        placed = rest.order_list_oto(
            symbol=SYMBOL,
            working_type="LIMIT",
            working_side="BUY",
            working_time_in_force="GTC",
            working_quantity=100,
            working_price=1.9,
            pending_type="LIMIT",
            pending_side="SELL",
            pending_time_in_force="GTC",
            pending_quantity=50,
            pending_price=2.2,
        )
        seen = []
        while not (seen and isinstance(seen[-1], OutboundAccountPosition)):
            seen.append(await events.next())
        (status,) = (event for event in seen if isinstance(event, ListStatus))
        assert (status.g, status.c, status.l, status.L) == (
            placed.order_list_id,
            "OTO",
            "EXEC_STARTED",
            "EXECUTING",
        )
        assert [order.i for order in status.O] == [order.order_id for order in placed.orders]
        working, pending = (
            next(event for event in seen if isinstance(event, ExecutionReport) and event.i == order.order_id)
            for order in placed.orders
        )
        assert (working.w, working.p, pending.p) == (True, "1.90000000", "2.20000000")
        assert pending.w is False
        hold_price(SYMBOL, "1.890")
        seen = []
        while not (seen and isinstance(seen[-1], OutboundAccountPosition)):
            seen.append(await events.next())
        reports = [event for event in seen if isinstance(event, ExecutionReport)]
        assert [(event.x, event.X) for event in reports if event.i == working.i] == [("TRADE", "FILLED")]
        (started,) = (event for event in reports if event.i == pending.i)
        assert (started.x, started.w) == ("NEW", True)
        assert started.W >= reports[0].T


async def check_amended():
    account = begin()
    rest = of(account)
    async with socket_api(account) as api:
        _, events = await api.user_data_stream_subscribe_signature()
        placed = limit(rest, "BUY", 100, 1.5)
        await told(events, ExecutionReport, OutboundAccountPosition)
        amended = rest.order_amend_keep_priority(
            symbol=SYMBOL, order_id=placed.order_id, new_qty=60, absent={"listStatus"}
        )
        report, position = await told(events, ExecutionReport, OutboundAccountPosition)
        order = amended.amended_order
        assert (report.x, report.X, report.i, report.q) == ("REPLACED", "NEW", order.order_id, "60.00000000")
        assert (report.c, report.C) == (order.client_order_id, placed.client_order_id)
        assert (amended.transact_time, amended.execution_id) == (report.T, report.I)
        assert balances(position)["USDT"] == (9910, 90)


async def check_self_trade_is_prevented():
    account = begin()
    rest = of(account)
    async with socket_api(account) as api:
        _, events = await api.user_data_stream_subscribe_signature()
        resting = limit(rest, "SELL", 10, 2.005)
        await told(events, ExecutionReport, OutboundAccountPosition)
        taker = limit(rest, "BUY", 10, 2.005, self_trade_prevention_mode="EXPIRE_BOTH")
        seen = []
        while not (seen and isinstance(seen[-1], OutboundAccountPosition)):
            seen.append(await events.next())
        reports = [event for event in seen if isinstance(event, ExecutionReport)]
        ended = {event.i: event for event in reports if event.X == "EXPIRED_IN_MATCH"}
        assert set(ended) == {resting.order_id, taker.order_id}
        (match,) = rest.my_prevented_matches(symbol=SYMBOL, order_id=taker.order_id)
        for report in ended.values():
            assert report.v == match.prevented_match_id
            assert (report.A, report.B) == ("10.00000000", "10.00000000")
            assert report.u is None, "the account is of no trade group"
        assert ended[taker.order_id].V == "EXPIRE_BOTH"
        assert resting.self_trade_prevention_mode == ended[resting.order_id].V
        assert resting.order_id == ended[taker.order_id].U
        assert ended[taker.order_id].pL == "2.00500000"


async def check_filled_by_a_trade_of_the_market():
    account = begin()
    rest = of(account)
    async with socket_api(account) as api:
        _, events = await api.user_data_stream_subscribe_signature()
        placed = limit(rest, "BUY", 100, 1.995)
        await told(events, ExecutionReport, OutboundAccountPosition)
        print_trade(SYMBOL, "1.995", "40", "sell")
        report, position = await told(events, ExecutionReport, OutboundAccountPosition)
        assert (report.x, report.X, report.m, report.M) == ("TRADE", "PARTIALLY_FILLED", True, True)
        assert (report.l, report.L, report.n, report.N) == (
            "40.00000000",
            "1.99500000",
            "0.04000000",
            "OP",
        )
        (trade,) = rest.my_trades(symbol=SYMBOL)
        assert (trade.id, trade.order_id, trade.time) == (report.t, placed.order_id, report.T)
        assert balances(position)["OP"] == (D("5039.96"), 0)


async def check_money():
    account = begin(USDT="100")
    async with socket_api(account) as api:
        _, events = await api.user_data_stream_subscribe_signature()
        deposit(account.name, "DOGE", "12.5")
        update, position = await told(events, BalanceUpdate, OutboundAccountPosition)
        assert (update.a, update.d) == ("DOGE", "12.50000000")
        assert balances(position) == {"DOGE": (D("12.5"), 0)}
        assert update.T <= update.E


run(around=quietly)
