"""python-binance's part of the live story: it bids over REST, and cancels another's order over its socket."""

from meeting import all_have_come
from python_binance_setup import connected, following, next_of
from stage import ARGUMENTS, TOLD, Account, run

symbol = ARGUMENTS["symbol"]


async def check_part():
    async with connected(Account("", ARGUMENTS["key"], ARGUMENTS["secret"])) as (client, sockets):
        user = await following(sockets.user_socket())
        events = TOLD["events"] = []

        async def until(name, execution):
            while not events or (events[-1].get("C") or events[-1].get("c"), events[-1].get("x")) != (
                name,
                execution,
            ):
                events.append(await next_of(user))
            return events[-1]

        await all_have_come("python_binance", 3)
        await client.create_order(
            symbol=symbol,
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="3",
            price="10.00",
            newClientOrderId="first",
        )
        await until("first", "TRADE")
        await client.ws_cancel_order(symbol=symbol, origClientOrderId="second")
        await until("first", "CANCELED")
        events.append(await next_of(user))
        shown = await client.get_account(omitZeroBalances="true")
        TOLD["balances"] = {each["asset"]: [each["free"], each["locked"]] for each in shown["balances"]}


run()
