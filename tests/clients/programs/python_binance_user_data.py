"""python-binance: what its user socket tells of an account, figure by figure, beside what REST answers.

The user socket of this version subscribes over the client's connection to the WebSocket API.
"""

import asyncio
import time
from contextlib import asynccontextmanager
from queue import Queue

from binance import BinanceSocketManager, ThreadedWebsocketManager
from binance.exceptions import BinanceAPIException
from python_binance_setup import WITHIN_S, client_of, connected, following, next_of
from stage import (
    KEYS,
    TAKER_RATE,
    Account,
    D,
    control,
    deposit,
    hold_book,
    hold_price,
    open_account,
    print_trade,
    raised,
    raised_async,
    register,
    run,
    text,
)

SYMBOL = "ADAUSDT"
BIDS = (("0.9990", "1000"), ("0.9950", "2000"))
ASKS = (("1.0010", "1000"), ("1.0050", "2000"))
ZERO = "0.00000000"

CONDITIONAL = {"d", "D", "j", "J", "v", "A", "B", "u", "U", "Cs", "pl", "pL", "pY", "W", "eR"}


@asynccontextmanager
async def begin(**funds):
    """The market as above, a client with an account of its own, and what its user socket tells."""
    hold_book(SYMBOL, "1.0000", BIDS, ASKS)
    account = open_account(**(funds or {"USDT": "10000", "ADA": "5000"}))
    async with connected(account) as (client, sockets):
        client.account = account
        yield client, await following(sockets.user_socket())


def limit(client, side, quantity, price, **terms):
    return client.create_order(
        symbol=SYMBOL, side=side, type="LIMIT", timeInForce="GTC", quantity=quantity, price=price, **terms
    )


def report_of(reply, **more):
    """The report of an order's start, as far as the reply to the order decides it."""
    return {
        "e": "executionReport",
        "s": reply["symbol"],
        "c": reply["clientOrderId"],
        "S": reply["side"],
        "o": reply["type"],
        "f": reply["timeInForce"],
        "q": reply["origQty"],
        "p": reply["price"],
        "P": reply.get("stopPrice", ZERO),
        "F": reply.get("icebergQty", ZERO),
        "g": reply["orderListId"],
        "C": "",
        "x": "NEW",
        "X": "NEW",
        "r": "NONE",
        "i": reply["orderId"],
        "l": ZERO,
        "z": ZERO,
        "L": ZERO,
        "n": "0",
        "N": None,
        "T": reply["transactTime"],
        "t": -1,
        "w": True,
        "m": False,
        "M": False,
        "O": reply["transactTime"],
        "Z": ZERO,
        "Y": ZERO,
        "Q": reply["origQuoteOrderQty"],
        "W": reply["workingTime"],
        "V": reply["selfTradePreventionMode"],
        **more,
    }


def without_numbers(report):
    """E and I are nobody's to foretell; they are whole numbers."""
    rest = dict(report)
    event_time, execution = rest.pop("E"), rest.pop("I")
    assert type(execution) is int
    assert rest["T"] <= event_time <= time.time() * 1000 + 2000
    return rest


def amounts(position):
    assert set(position) == {"e", "E", "u", "B"}
    assert position["e"] == "outboundAccountPosition"
    return {each["a"]: (each["f"], each["l"]) for each in position["B"]}


async def agrees(position, client, *assets):
    """A position tells of these assets, and REST has the same figures."""
    told = amounts(position)
    assert set(assets) <= set(told) <= {*assets, "BNB"}
    for asset, (free, locked) in told.items():
        assert await client.get_asset_balance(asset) == {"asset": asset, "free": free, "locked": locked}
    return {asset: tuple(map(D, told[asset])) for asset in assets}


async def check_resting_order():
    async with begin() as (client, user):
        placed = await limit(client, "BUY", "100", "0.9")
        report, position = await next_of(user, 2)
        assert without_numbers(report) == report_of(placed)
        assert set(report) - CONDITIONAL == set(report) - {"W"}
        assert await agrees(position, client, "USDT", "ADA") == {"USDT": (9910, 90), "ADA": (5000, 0)}
        assert position["u"] == placed["transactTime"]

        canceled = await client.cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
        report, position = await next_of(user, 2)
        assert without_numbers(report) == report_of(
            placed,
            c=canceled["clientOrderId"],
            C=placed["clientOrderId"],
            x="CANCELED",
            X="CANCELED",
            T=canceled["transactTime"],
            w=False,
        )
        assert (await agrees(position, client, "USDT", "ADA"))["USDT"] == (10000, 0)


async def check_market_order_walks_the_book():
    async with begin() as (client, user):
        done = await client.order_market_buy(symbol=SYMBOL, quantity="2500")
        new, first, second, position = await next_of(user, 4)
        start = {"w": False} if not new["w"] else {}
        assert without_numbers(new) == report_of(done, **start)
        spent = D(0)
        filled = D(0)
        for report, fill, status in zip(
            (first, second), done["fills"], ("PARTIALLY_FILLED", "FILLED"), strict=True
        ):
            quote = D(fill["price"]) * D(fill["qty"])
            spent, filled = spent + quote, filled + D(fill["qty"])
            assert without_numbers(report) == report_of(
                done,
                x="TRADE",
                X=status,
                l=fill["qty"],
                z=text(filled),
                L=fill["price"],
                n=fill["commission"],
                N=fill["commissionAsset"],
                t=fill["tradeId"],
                w=False,
                M=True,
                Z=text(spent),
                Y=text(quote),
            )
        assert text(spent) == done["cummulativeQuoteQty"]
        assert first["I"] != second["I"] != new["I"]
        assert await agrees(position, client, "USDT", "ADA") == {
            "USDT": (10000 - spent, 0),
            "ADA": (5000 + 2500 * (1 - TAKER_RATE), 0),
        }


async def check_maker_is_filled_by_the_market_and_by_another_account():
    async with begin() as (client, user):
        placed = await limit(client, "SELL", "100", "1.0005")
        await next_of(user, 2)
        print_trade(SYMBOL, "1.0005", "30", "buy")
        part, position = await next_of(user, 2)
        assert (part["x"], part["X"], part["m"]) == ("TRADE", "PARTIALLY_FILLED", True)
        assert (part["l"], part["z"], part["L"]) == (text(30), text(30), "1.00050000")
        assert (part["n"], part["N"]) == (text(30 * D("1.0005") * TAKER_RATE), "USDT")
        assert (await agrees(position, client, "USDT", "ADA"))["ADA"] == (4900, 70)

        other = client_of(open_account(USDT="1000"))
        taken = other.order_market_buy(symbol=SYMBOL, quantity="80")
        rest, position = await next_of(user, 2)
        (fill, _) = taken["fills"]
        assert without_numbers(rest) == report_of(
            placed,
            x="TRADE",
            X="FILLED",
            l=fill["qty"],
            z=text(100),
            L=fill["price"],
            n=text(70 * D("1.0005") * TAKER_RATE),
            N="USDT",
            T=taken["transactTime"],
            t=fill["tradeId"],
            w=False,
            m=True,
            M=True,
            Z=text(100 * D("1.0005")),
            Y=text(70 * D("1.0005")),
        )
        assert (await agrees(position, client, "USDT", "ADA"))["ADA"] == (4900, 0)
        trades = await client.get_my_trades(symbol=SYMBOL)
        assert [(trade["id"], trade["price"], trade["commission"]) for trade in trades] == [
            (report["t"], report["L"], report["n"]) for report in (part, rest)
        ]


async def check_stop_is_triggered():
    async with begin() as (client, user):
        placed = await client.create_order(
            symbol=SYMBOL,
            side="SELL",
            type="STOP_LOSS_LIMIT",
            timeInForce="GTC",
            quantity="100",
            price="0.96",
            stopPrice="0.98",
        )
        new, _ = await next_of(user, 2)
        assert (new["x"], new["P"], new["p"], new["w"]) == ("NEW", "0.98000000", "0.96000000", False)
        assert "W" not in new
        hold_price(SYMBOL, "0.9700")
        reports = []
        while not reports or reports[-1].get("X") != "FILLED":
            reports.append(await next_of(user))
        trades = [report for report in reports if report.get("x") == "TRADE"]
        assert sum(D(report["l"]) for report in trades) == 100
        state = await client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
        assert (trades[-1]["Z"], trades[-1]["z"]) == (state["cummulativeQuoteQty"], state["executedQty"])
        assert trades[-1]["W"] == state["workingTime"]
        await agrees(await next_of(user), client, "USDT", "ADA")


async def check_orders_that_expire():
    async with begin() as (client, user):
        done = await client.create_order(
            symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="IOC", quantity="1500", price="1.001"
        )
        assert done["status"] == "EXPIRED"
        new, trade, expired, _ = await next_of(user, 4)
        assert [new["x"], trade["x"], expired["x"]] == ["NEW", "TRADE", "EXPIRED"]
        assert (expired["X"], expired["z"], expired["Z"]) == ("EXPIRED", text(1000), text(1001))
        assert expired["eR"] == "UNFILLED_IOC_QUANTITY_EXPIRED"
        assert (expired["l"], expired["t"], expired["n"], expired["N"]) == (ZERO, -1, "0", None)


async def check_self_trade_is_prevented():
    async with begin() as (client, user):
        resting = await limit(client, "SELL", "10", "1.0005")
        await next_of(user, 2)
        taker = await limit(client, "BUY", "10", "1.0005")
        events = []
        while not events or events[-1]["e"] != "outboundAccountPosition":
            events.append(await next_of(user))
        (match,) = await client.get_prevented_matches(symbol=SYMBOL, orderId=taker["orderId"])
        ended = [event for event in events if event.get("X") == "EXPIRED_IN_MATCH"]
        assert {event["i"] for event in ended} == {resting["orderId"]}
        assert ended[-1]["v"] == match["preventedMatchId"]
        assert {event["i"] for event in events[:-1]} == {resting["orderId"], taker["orderId"]}


async def check_order_list():
    async with begin() as (client, user):
        placed = await client.create_oco_order(
            symbol=SYMBOL,
            side="SELL",
            quantity="50",
            aboveType="LIMIT_MAKER",
            abovePrice="1.05",
            belowType="STOP_LOSS_LIMIT",
            belowStopPrice="0.95",
            belowPrice="0.94",
            belowTimeInForce="GTC",
        )
        events = await next_of(user, 4)
        reports = {event["i"]: event for event in events if event["e"] == "executionReport"}
        (status,) = (event for event in events if event["e"] == "listStatus")
        assert set(reports) == {order["orderId"] for order in placed["orders"]}
        for order in placed["orderReports"]:
            report = reports[order["orderId"]]
            assert (report["x"], report["g"], report["o"]) == ("NEW", placed["orderListId"], order["type"])
            assert (report["p"], report["c"]) == (order["price"], order["clientOrderId"])
        event_time = status.pop("E")
        assert event_time >= placed["transactionTime"]
        assert status == {
            "e": "listStatus",
            "s": SYMBOL,
            "g": placed["orderListId"],
            "c": "OCO",
            "l": "EXEC_STARTED",
            "L": "EXECUTING",
            "r": "NONE",
            "C": placed["listClientOrderId"],
            "T": placed["transactionTime"],
            "O": [
                {"s": SYMBOL, "i": order["orderId"], "c": order["clientOrderId"]}
                for order in placed["orders"]
            ],
        }
        (position,) = (event for event in events if event["e"] == "outboundAccountPosition")
        assert (await agrees(position, client, "USDT", "ADA"))["ADA"] == (4950, 50), "locked once"

        hold_price(SYMBOL, "1.0510")
        events = await next_of(user, 4)
        by_kind = {event.get("x") or event["e"]: event for event in events}
        assert set(by_kind) == {"EXPIRED", "TRADE", "listStatus", "outboundAccountPosition"}
        stop, maker = placed["orderReports"]
        assert (by_kind["EXPIRED"]["i"], by_kind["EXPIRED"]["eR"]) == (stop["orderId"], "OCO_TRIGGER")
        assert (by_kind["TRADE"]["i"], by_kind["TRADE"]["X"]) == (maker["orderId"], "FILLED")
        assert (by_kind["TRADE"]["L"], by_kind["TRADE"]["m"]) == ("1.05000000", True)
        assert (by_kind["listStatus"]["l"], by_kind["listStatus"]["L"]) == ("ALL_DONE", "ALL_DONE")
        await agrees(by_kind["outboundAccountPosition"], client, "USDT", "ADA")


async def check_replaced_order():
    async with begin() as (client, user):
        placed = await limit(client, "BUY", "100", "0.9")
        await next_of(user, 2)
        answer = await client.cancel_replace_order(
            symbol=SYMBOL,
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            cancelReplaceMode="STOP_ON_FAILURE",
            cancelOrderId=placed["orderId"],
            quantity="200",
            price="0.8",
        )
        events = []
        while len([event for event in events if event["e"] == "executionReport"]) < 2:
            events.append(await next_of(user))
        canceled, new = (event for event in events if event["e"] == "executionReport")
        assert (canceled["x"], canceled["i"], canceled["C"]) == (
            "CANCELED",
            placed["orderId"],
            placed["clientOrderId"],
        )
        assert without_numbers(new) == report_of(answer["newOrderResponse"])
        if events[-1]["e"] == "executionReport":
            events.append(await next_of(user))
        assert (await agrees(events[-1], client, "USDT", "ADA"))["USDT"] == (9840, 160)


async def check_money_that_comes_and_goes():
    async with begin(USDT="100") as (client, user):
        deposit(client.account.name, "DOGE", "12.5")
        update, position = await next_of(user, 2)
        assert set(update) == {"e", "E", "a", "d", "T"}
        assert (update["e"], update["a"], update["d"]) == ("balanceUpdate", "DOGE", "12.50000000")
        assert await agrees(position, client, "DOGE") == {"DOGE": (D("12.5"), 0)}
        await client.make_universal_transfer(type="MAIN_FUNDING", asset="USDT", amount="40")
        update, position = await next_of(user, 2)
        assert (update["a"], update["d"]) == ("USDT", "-40.00000000")
        assert await agrees(position, client, "USDT") == {"USDT": (60, 0)}


async def check_refused_orders_are_not_told_of():
    async with begin(USDT="100") as (client, user):
        error = await raised_async(BinanceAPIException, limit(client, "BUY", "1000", "0.9"))
        assert error.code == -2010
        placed = await limit(client, "BUY", "100", "0.9")
        assert (await next_of(user))["i"] == placed["orderId"]


async def check_accounts_are_apart_and_connections_alike():
    async with (
        begin() as (client, user),
        begin() as (stranger, other),
        connected(client.account) as (_, sockets),
    ):
        again = await following(sockets.user_socket())
        first = await limit(stranger, "BUY", "20", "0.9")
        for _ in range(5):
            await limit(client, "BUY", "20", "0.9")
        await client.order_market_sell(symbol=SYMBOL, quantity="1500")
        events, copies = await asyncio.gather(next_of(user, 14), next_of(again, 14))
        assert events == copies
        assert [event.get("x") for event in events] == ["NEW", None] * 5 + ["NEW", "TRADE", "TRADE", None]
        executions = [event["I"] for event in events if "I" in event]
        assert executions == sorted(set(executions))
        told = await next_of(other, 2)
        assert told[0]["i"] == first["orderId"]
        last = await limit(stranger, "BUY", "30", "0.9")
        assert (await next_of(other))["i"] == last["orderId"], "nothing of the other account came between"


async def check_it_ends_and_begins_again():
    async with begin() as (client, user):
        await limit(client, "BUY", "20", "0.9")
        await next_of(user, 2)
        await user.close()
        await limit(client, "BUY", "30", "0.9")
        user = await following(BinanceSocketManager(client).user_socket())
        placed = await limit(client, "BUY", "40", "0.9")
        assert (await next_of(user))["i"] == placed["orderId"]


async def check_signed_with_private_keys():
    for kind in ("ed25519", "rsa"):
        account = open_account(USDT="1000")
        key = register(account.name, kind, KEYS[kind]["public"])
        signer = {"api_key": key, "private_key": KEYS[kind]["private"]}
        async with connected(**signer) as (client, sockets):
            user = await following(sockets.user_socket())
            placed = await limit(client, "BUY", "20", "0.9")
            assert without_numbers(await next_of(user)) == report_of(placed)


async def check_microseconds():
    account = open_account(USDT="1000")
    async with connected(account, time_unit="MICROSECOND") as (_, sockets):
        user = await following(sockets.user_socket())
        placed = client_of(account, time_unit="MICROSECOND").order_limit_buy(
            symbol=SYMBOL, quantity="20", price="0.9"
        )
        report, position = await next_of(user, 2)
        assert report["T"] == report["O"] == report["W"] == placed["transactTime"] == position["u"]
        assert abs(report["E"] - time.time() * 1_000_000) < 5_000_000


async def check_wrong_secret():
    account = open_account(USDT="1000")
    async with connected(account._replace(secret="wrong")) as (_, sockets):
        error = await raised_async(BinanceAPIException, sockets.user_socket().connect())
        assert (error.status_code, error.code) == (400, -1022)


async def check_the_key_leads_to_its_sandbox():
    """Neither the address nor the path says which one."""
    control("POST", "sandboxes", {"name": "aside"})
    control("POST", "accounts?sandbox=aside", {"name": "guest"})
    money = {"wallet": "spot", "asset": "USDT", "amount": "1000"}
    control("POST", "accounts/guest/deposits?sandbox=aside", money)
    made = control("POST", "accounts/guest/keys?sandbox=aside", {})
    async with connected(Account("guest", made["key"], made["secret"])) as (client, sockets):
        user = await following(sockets.user_socket())
        best = D((await client.get_orderbook_ticker(symbol=SYMBOL))["bidPrice"])
        terms = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        placed = await client.ws_create_order(**terms, quantity="100", price=f"{best * D('0.9'):.4f}")
        assert placed["orderId"] == 1, "it is the first order there"
        assert without_numbers(await next_of(user)) == report_of(placed)
        assert [order["orderId"] for order in await client.get_open_orders()] == [1]
    control("DELETE", "sandboxes/aside")


def check_listen_keys_are_gone():
    error = raised(BinanceAPIException, client_of(open_account()).stream_get_listen_key)
    assert error.status_code >= 400
    assert "userDataStream" in error.message


def check_threads():
    account = open_account(USDT="1000", ADA="100")
    manager = ThreadedWebsocketManager(api_key=account.key, api_secret=account.secret)
    manager.daemon = True
    manager.start()
    came = Queue()
    client = client_of(account)
    name = manager.start_user_socket(came.put)
    # Nobody says when such a socket is connected, so something happens until it is.
    while came.empty():
        early = client.order_limit_buy(symbol=SYMBOL, quantity="20", price="0.9")
        client.cancel_order(symbol=SYMBOL, orderId=early["orderId"])
    placed = client.order_limit_buy(symbol=SYMBOL, quantity="20", price="0.95")
    event = came.get(timeout=WITHIN_S)
    while event.get("i") != placed["orderId"]:
        event = came.get(timeout=WITHIN_S)
    assert without_numbers(event) == report_of(placed)
    manager.stop_socket(name)


run()
