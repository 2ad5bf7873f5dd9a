"""binance-sdk-spot's part of the live story: another account sells into the bid, and it cancels the rest."""

from binance_sdk_spot.websocket_api.models import OutboundAccountPosition
from binance_sdk_spot_setup import of, quietly, socket_api
from meeting import all_have_come
from stage import ARGUMENTS, TOLD, Account, run

symbol = ARGUMENTS["symbol"]


async def check_part():
    other = of(Account("", *ARGUMENTS["other"]))
    async with socket_api(Account("", ARGUMENTS["key"], ARGUMENTS["secret"])) as api:
        _, stream = await api.user_data_stream_subscribe_signature()
        events = TOLD["events"] = []

        async def until(name, execution):
            while True:
                event = await stream.next()
                events.append(event.to_dict())
                if (getattr(event, "C", "") or getattr(event, "c", ""), getattr(event, "x", "")) == (
                    name,
                    execution,
                ):
                    return event

        await all_have_come("binance_sdk_spot", 3)
        await until("second", "NEW")
        sold = other.new_order(symbol=symbol, side="SELL", type="MARKET", quantity=1)
        TOLD["sold"] = [[fill.trade_id, fill.price, fill.qty, fill.commission] for fill in sold.fills]
        first = await until("first", "TRADE")
        await until("second", "CANCELED")
        await api.api.order_cancel(symbol=symbol, order_id=first.i)
        await until("first", "CANCELED")
        last = await stream.next()
        assert isinstance(last, OutboundAccountPosition)
        events.append(last.to_dict())


run(around=quietly)
