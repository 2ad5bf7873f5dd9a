"""ccxt.pro: what it watches of an account, figure by figure, whichever way the orders went in."""

import asyncio

import ccxt
from ccxt_setup import own_ports
from ccxt_watching import Watching, client_of, watched, watcher
from stage import (
    KEYS,
    MAKER_RATE,
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
)

SYMBOL, MARKET = "XRP/USDT", "XRPUSDT"
BIDS = (("1.9990", "1000"), ("1.9950", "2000"))
ASKS = (("2.0010", "1000"), ("2.0050", "2000"))


def begin(**funds):
    """The market as above, and a client that is told of an account of its own."""
    hold_book(MARKET, "2.0000", BIDS, ASKS)
    return watcher(open_account(**(funds or {"USDT": "10000", "XRP": "5000"})))


def exact(value):
    return D(str(value))


async def check_order_from_birth_to_death():
    async with begin() as exchange, Watching(lambda: exchange.watch_orders(SYMBOL)) as orders:
        placed = await exchange.create_order(SYMBOL, "limit", "buy", 100, 1.9)
        seen = await orders.until(lambda order: order["id"] == placed["id"])
        known = await exchange.fetch_order(placed["id"], SYMBOL)
        for name in (
            "id",
            "clientOrderId",
            "symbol",
            "type",
            "side",
            "price",
            "amount",
            "filled",
            "remaining",
            "cost",
            "status",
            "timestamp",
            "timeInForce",
        ):
            assert seen[name] == known[name], name
        assert (seen["status"], seen["price"], seen["amount"], seen["filled"]) == ("open", 1.9, 100.0, 0.0)
        assert seen["timestamp"] == placed["timestamp"]
        await exchange.cancel_order(placed["id"], SYMBOL)
        ended = await orders.until(lambda order: order["status"] == "canceled")
        assert (ended["id"], ended["clientOrderId"]) == (placed["id"], placed["clientOrderId"])
        assert (ended["filled"], ended["remaining"]) == (0.0, 100.0)


async def check_market_order():
    async with (
        begin() as exchange,
        Watching(exchange.watch_orders) as orders,
        Watching(exchange.watch_my_trades) as trades,
        Watching(exchange.watch_balance) as balances,
    ):
        done = await exchange.create_order(SYMBOL, "market", "buy", 2500)
        cost = 1000 * D("2.001") + 1500 * D("2.005")
        order = await orders.until(lambda order: order["status"] == "closed")
        assert (order["id"], order["filled"], exact(order["cost"])) == (done["id"], 2500.0, cost)
        assert exact(order["average"]) == (cost / 2500)
        assert (order["fee"]["currency"], exact(order["fee"]["cost"])) == ("XRP", 2500 * TAKER_RATE)
        await trades.until(lambda trade: trade["amount"] == 1500.0)
        known = {trade["id"]: trade for trade in await exchange.fetch_my_trades(SYMBOL)}
        assert [trade["id"] for trade in trades.seen] == list(known)
        for trade in trades.seen:
            for name in ("order", "price", "amount", "cost", "side", "takerOrMaker", "timestamp", "symbol"):
                assert trade[name] == known[trade["id"]][name], name
            assert exact(trade["fee"]["cost"]) == exact(known[trade["id"]]["fee"]["cost"])
        balance = await balances.until(lambda balance: "XRP" in balance)
        fetched = await exchange.fetch_balance()
        for asset, total in (("USDT", 10000 - cost), ("XRP", 5000 + 2500 * (1 - TAKER_RATE))):
            for name in ("free", "used", "total"):
                assert balance[asset][name] == fetched[asset][name]
            assert exact(balance[asset]["total"]) == total


async def check_filled_in_part_by_the_market_and_by_another_account():
    async with (
        begin() as exchange,
        Watching(lambda: exchange.watch_orders(SYMBOL)) as orders,
        Watching(lambda: exchange.watch_my_trades(SYMBOL)) as trades,
    ):
        placed = await exchange.create_order(SYMBOL, "limit", "sell", 100, 2.0005)
        print_trade(MARKET, "2.0005", "30", "buy")
        part = await orders.until(lambda order: order["filled"] == 30.0)
        assert (part["id"], part["status"], part["remaining"]) == (placed["id"], "open", 70.0)
        async with client_of(open_account(USDT="1000")) as other:
            taken = await other.create_order(SYMBOL, "market", "buy", 80)
            filled = await orders.until(lambda order: order["status"] == "closed")
            assert exact(filled["cost"]) == 100 * D("2.0005")
            assert exact(filled["fee"]["cost"]) == 100 * D("2.0005") * MAKER_RATE
            last = await trades.until(lambda trade: trade["amount"] == 70.0)
            assert last["id"] == taken["trades"][0]["id"]
            assert last["timestamp"] == taken["timestamp"]
            assert (last["takerOrMaker"], last["side"], last["price"]) == ("maker", "sell", 2.0005)


async def check_balance_of_money_that_comes():
    account = open_account(USDT="100")
    async with watcher(account) as exchange, Watching(exchange.watch_balance) as balances:
        deposit(account.name, "DOGE", "12.5")
        # What came is told first, as a change, and then what there is.
        balance = await balances.until(
            lambda balance: balance["info"]["e"] == "outboundAccountPosition" and "DOGE" in balance
        )
        assert balance["DOGE"] == {"free": 12.5, "used": 0.0, "total": 12.5}


async def check_balance_that_begins_with_a_snapshot():
    account = open_account(USDT="100", XRP="7")
    options = {"watchBalance": {"fetchBalanceSnapshot": True, "awaitBalanceSnapshot": True}}
    async with watcher(account, options=options) as exchange:
        watching = asyncio.ensure_future(exchange.watch_balance())
        await asyncio.sleep(0)
        placed = exchange.create_order(SYMBOL, "limit", "buy", 10, 1.9)
        balance, _ = await asyncio.gather(watching, placed)
        assert balance["XRP"]["total"] == 7.0


async def check_trigger_and_expiry():
    async with begin() as exchange, Watching(exchange.watch_orders) as orders:
        stop = await exchange.create_order(SYMBOL, "limit", "sell", 10, 1.9, {"triggerPrice": 1.95})
        seen = await orders.until(lambda order: order["id"] == stop["id"])
        assert (seen["triggerPrice"], seen["status"]) == (1.95, "open")
        hold_price(MARKET, "1.9400")
        ended = await orders.until(lambda order: order["id"] == stop["id"] and order["status"] == "closed")
        assert ended["filled"] == 10.0
        hold_book(MARKET, "2.0000", BIDS, ASKS)
        some = await exchange.create_order(SYMBOL, "limit", "buy", 1500, 2.001, {"timeInForce": "IOC"})
        ended = await orders.until(lambda order: order["id"] == some["id"] and order["status"] == "expired")
        assert (ended["filled"], ended["remaining"]) == (1000.0, 500.0)


async def check_every_kind_of_key():
    for kind in ("ed25519", "rsa"):
        account = open_account(USDT="1000")
        key = register(account.name, kind, KEYS[kind]["public"])
        async with (
            watcher(account._replace(key=key, secret=KEYS[kind]["private"])) as exchange,
            Watching(exchange.watch_orders) as orders,
        ):
            placed = await exchange.create_order(SYMBOL, "limit", "buy", 10, 1.9)
            assert (await orders.until(bool))["id"] == placed["id"]


async def check_on_the_port_of_the_site():
    account = open_account(USDT="1000")
    async with watcher(account, urls=own_ports()) as exchange, Watching(exchange.watch_orders) as orders:
        placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 10, 1.9)
        assert (await orders.until(bool))["id"] == placed["id"]
        book = await watched(lambda: exchange.watch_order_book(SYMBOL))
        assert book["bids"][0] == (await exchange.fetch_order_book(SYMBOL))["bids"][0]


async def check_accounts_are_apart():
    async with (
        begin() as exchange,
        watcher(open_account(USDT="1000")) as other,
        Watching(exchange.watch_orders) as orders,
        Watching(other.watch_orders) as others,
    ):
        theirs = await other.create_order(SYMBOL, "limit", "buy", 10, 1.9)
        ours = await exchange.create_order(SYMBOL, "limit", "buy", 20, 1.9)
        assert (await orders.until(bool))["id"] == ours["id"]
        assert (await others.until(bool))["id"] == theirs["id"]
        assert len(orders.seen) == len(others.seen) == 1


async def check_wrong_secret():
    account = open_account(USDT="1000")
    async with client_of() as exchange:
        exchange.apiKey, exchange.secret = account.key, "wrong"
        # This version of ccxt trips over its own bookkeeping when the subscription is refused.
        error = await raised_async(KeyError, exchange.watch_orders())
        assert isinstance(error.__context__, ccxt.AuthenticationError)
        assert "-1022" in str(error.__context__)


async def check_it_is_told_when_it_watches_first_and_trades_later():
    """No call of `authenticate` by hand, and the first of all that it does is to watch."""
    hold_book(MARKET, "2.0000", BIDS, ASKS)
    async with client_of(open_account(USDT="1000")) as exchange:
        pending = []

        def place():
            order = exchange.create_order(SYMBOL, "limit", "buy", 10, 1.9)
            pending.append(asyncio.ensure_future(order))

        orders = await watched(lambda: exchange.watch_orders(SYMBOL), stir=place)
        placed = await asyncio.gather(*pending)
        assert {order["id"] for order in orders} <= {order["id"] for order in placed}


run()
