"""ccxt.pro's part of the live story: it bids over the WebSocket API when it has seen another's bid."""

from ccxt_watching import Watching, watcher
from meeting import all_have_come
from stage import ARGUMENTS, TOLD, Account, run


async def check_part():
    async with (
        watcher(Account("", ARGUMENTS["key"], ARGUMENTS["secret"])) as exchange,
        Watching(exchange.watch_orders) as orders,
        Watching(exchange.watch_my_trades) as trades,
        Watching(exchange.watch_balance) as balances,
    ):
        symbol = exchange.market(ARGUMENTS["symbol"])["symbol"]

        def state(name, status):
            return lambda order: (order["clientOrderId"], order["status"]) == (name, status)

        await all_have_come("ccxt", 3)
        await orders.until(state("first", "open"))
        await exchange.create_order_ws(symbol, "limit", "buy", 2, 9.5, {"newClientOrderId": "second"})
        await orders.until(state("first", "canceled"))
        await balances.until(lambda balance: balance["USDT"]["used"] == 0.0)
        TOLD["orders"] = [
            [order[name] for name in ("clientOrderId", "status", "price", "amount", "filled", "cost", "id")]
            for order in orders.seen
        ]
        TOLD["trades"] = [
            [trade[name] for name in ("id", "price", "amount", "cost", "takerOrMaker", "side", "timestamp")]
            + [trade["fee"]["cost"], trade["fee"]["currency"]]
            for trade in trades.seen
        ]
        TOLD["balance"] = {
            asset: [balances.seen[-1][asset][name] for name in ("free", "used")]
            for asset in ("USDT", ARGUMENTS["asset"])
        }


run()
