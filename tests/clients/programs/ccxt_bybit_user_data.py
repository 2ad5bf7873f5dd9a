"""ccxt.pro's bybit: what it watches of an account, and its orders over a socket."""

import ccxt
from bybit_markets import LINEAR, move
from ccxt_bybit_pro import Watching, client
from ccxt_bybit_setup import PAIR, SWAP, near, nobody
from stage import D, raised_async, run


def stirring(exchange, symbol):
    """Places an order that rests, and takes it back."""

    async def stir():
        placed = await exchange.create_order(symbol, "limit", "buy", 0.001, 90000)
        await exchange.cancel_order(placed["id"], symbol)

    return stir


def trading(exchange, symbol):
    async def stir():
        await exchange.create_order(symbol, "market", "buy", 0.001)

    return stir


async def check_orders():
    async with client() as exchange:
        for symbol in (PAIR, SWAP):
            watch = lambda symbol=symbol: exchange.watch_orders(symbol)  # noqa: E731 - called for each answer
            async with Watching(watch, stirring(exchange, symbol)) as orders:
                placed = await exchange.create_order(symbol, "limit", "buy", 0.01, 99000)
                seen = await orders.until(lambda order, placed=placed: order["id"] == placed["id"])
                assert (seen["symbol"], seen["status"], seen["amount"]) == (symbol, "open", 0.01)
                known = await exchange.fetch_open_order(placed["id"], symbol)
                for name in ("id", "symbol", "type", "side", "price", "filled", "remaining", "timestamp"):
                    assert seen[name] == known[name], name
                await exchange.cancel_order(placed["id"], symbol)
                gone = await orders.until(
                    lambda order, placed=placed: (order["id"], order["status"]) == (placed["id"], "canceled")
                )
                assert gone["filled"] == 0.0


async def check_trades():
    async with (
        client() as exchange,
        Watching(lambda: exchange.watch_my_trades(SWAP), trading(exchange, SWAP)) as trades,
    ):
        placed = await exchange.create_order(SWAP, "market", "sell", 0.1)
        seen = await trades.until(lambda trade: trade["order"] == placed["id"])
        (known,) = await exchange.fetch_order_trades(placed["id"], SWAP)
        for name in ("id", "symbol", "side", "price", "amount", "cost", "takerOrMaker", "fee"):
            assert seen[name] == known[name], name
        assert near(seen["fee"]["cost"], D("9999") * D("0.00055"))


async def check_positions():
    """It takes what there is from REST, and then from the socket, where the average is `entryPrice`."""
    async with client() as exchange:
        watch = lambda: exchange.watch_positions([SWAP])  # noqa: E731 - called for each answer
        async with Watching(watch, stirring(exchange, SWAP)) as positions:
            await exchange.create_order(SWAP, "market", "buy", 0.1)
            seen = await positions.until(lambda each: each["contracts"] == 0.1)
            assert (seen["side"], seen["entryPrice"], seen["symbol"]) == ("long", 100010.0, SWAP)


async def check_balance():
    async with (
        client(funds={"USDT": "10000"}) as exchange,
        Watching(exchange.watch_balance, stirring(exchange, PAIR)) as balances,
    ):
        await exchange.create_order(PAIR, "market", "buy", 0.01)
        bought = D("0.01") * D("0.999")
        seen = await balances.until(lambda balance: near(balance.get("BTC", {}).get("total") or 0, bought))
        assert near(seen["USDT"]["total"], (await exchange.fetch_balance())["USDT"]["total"])


async def check_orders_over_the_socket():
    async with client() as exchange:
        for symbol in (PAIR, SWAP):
            placed = await exchange.create_order_ws(symbol, "limit", "buy", 0.01, 99000)
            edited = await exchange.edit_order_ws(placed["id"], symbol, "limit", "buy", 0.02, 98000)
            assert edited["id"] == placed["id"]
            shown = await exchange.fetch_open_order(placed["id"], symbol)
            assert (shown["amount"], shown["price"], shown["symbol"]) == (0.02, 98000.0, symbol)
            gone = await exchange.cancel_order_ws(placed["id"], symbol)
            assert gone["id"] == placed["id"]
            assert await exchange.fetch_open_orders(symbol) == []
        await raised_async(
            ccxt.InsufficientFunds, exchange.create_order_ws(SWAP, "limit", "buy", 1000, 99000)
        )
        await raised_async(ccxt.OrderNotFound, exchange.cancel_order_ws("no-such-order", SWAP))


async def check_stops():
    async with client() as exchange:
        watch = lambda: exchange.watch_orders(SWAP)  # noqa: E731 - called for each answer
        async with Watching(watch, stirring(exchange, SWAP)) as orders:
            stop = await exchange.create_order(
                SWAP, "market", "buy", 0.01, None, {"triggerPrice": 101000, "triggerDirection": "ascending"}
            )
            waiting = await orders.until(lambda order: order["id"] == stop["id"])
            assert (waiting["triggerPrice"], waiting["status"]) == (101000.0, "open")
            move(LINEAR, "101000")
            done = await orders.until(lambda order: (order["id"], order["status"]) == (stop["id"], "closed"))
            assert done["filled"] == 0.01


async def check_wrong_keys():
    async with client(account=nobody(), options={"enableUnifiedAccount": True}) as exchange:
        await raised_async(ccxt.AuthenticationError, exchange.watch_orders(SWAP))


run()
