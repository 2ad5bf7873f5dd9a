"""Giving an open order another price and quantity, and what was made of it before (Modify Order)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.commands import ModifyOrder
from emulator.core.engine import Done
from emulator.core.history import Amendment as AmendmentRecord
from emulator.core.instruments import OrderType
from emulator.core.orders import Order
from emulator.exchanges.binance.futures.order_parameters import MODIFY_ORDER, NAMED, ONE_NAMED
from emulator.exchanges.binance.futures.orders import eras_of, open_order
from emulator.exchanges.binance.futures.payloads.trading import Amendment, CoinmOrder, UsdmOrder
from emulator.exchanges.binance.futures.products import Product, product_of
from emulator.exchanges.binance.futures.refusals import CODES, TABLES
from emulator.exchanges.binance.futures.replies import PlacedOrder, answer_order
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import find
from emulator.exchanges.binance.futures.terms import PLAIN, Reading
from emulator.exchanges.binance.futures.vocabulary import TRADE, render_price, render_quantity
from emulator.exchanges.binance.futures.windows import records_of, span_of
from emulator.exchanges.binance.vocabulary import END_TIME, SIDES, START_TIME, USER_DATA, limit
from emulator.runtime.submission import Submission
from emulator.web.contract import Call

rows = FuturesRows()


def modify(call: Call, values: Mapping[str, Any]) -> Submission[PlacedOrder]:
    """Raises what is wrong with a modification by itself, before the order is asked."""
    product = product_of(call)
    listing = find(product, values["symbol"], call.now_us)
    order_id: int | None = values.get("orderId")
    name: str | None = values.get("origClientOrderId") if order_id is None else None
    reading = Reading(product, listing, values, PLAIN, is_hedged=False, now_us=call.now_us)
    # Quirk: price and quantity are both mandatory, though only one of them may be new (Modify Order).
    quantity = reading.quantity()
    price, peg = reading.price(OrderType.LIMIT)
    modify_id: int | None = values.get("modifyId")
    command = ModifyOrder(
        account=call.account,
        instrument=listing.instrument.symbol,
        price=price,
        quantity=quantity,
        peg=peg,
        order=order_id,
        client_id=name,
        reference="" if modify_id is None else str(modify_id),
    )
    order = open_order(call, listing, order_id, name)
    if order is None:
        raise TABLES[product].refuse(-2013)
    _check(product, order, values)

    def answer(done: Done) -> PlacedOrder:
        answered = answer_order(call, product, order, eras_of(call))
        answered["pair"] = listing.pair
        if modify_id is not None:
            answered["modifyId"] = modify_id
        return answered

    return call.submit(command, answer)


def _check(product: Product, order: Order, values: Mapping[str, Any]) -> None:
    terms, refuse = order.terms, TABLES[product].refuse
    if terms.type is not OrderType.LIMIT or not order.resting:
        raise refuse(CODES[product].modified_type)
    if terms.side is not SIDES[values["side"]]:
        raise refuse(-1117)
    if values.get("reduceOnly") and not terms.reduce_only:
        raise refuse(-5047)


@rows.both(
    "PUT",
    "/v1/order",
    summary="Modify order",
    description="Of orders that rest. It loses its place in the queue, and may trade at once.",
    security=TRADE,
    weight=0,
    orders=1,
    parameters=MODIFY_ORDER,
    one_of=ONE_NAMED,
    answers=UsdmOrder,
    coinm=Declared(answers=CoinmOrder),
)
def modify_order(call: Call) -> Submission[PlacedOrder]:
    return modify(call, call.values)


@rows.both(
    "GET",
    "/v1/orderAmendment",
    summary="Get order modify history",
    security=USER_DATA,
    weight=1,
    parameters=(*NAMED, START_TIME, END_TIME, limit(50, 100)),
    one_of=ONE_NAMED,
    answers=list[Amendment],
)
async def order_amendments(call: Call) -> list[Amendment]:
    values, product = call.values, product_of(call)
    listing = find(product, values["symbol"], call.now_us)
    order_id: int | None = values.get("orderId")
    name: str | None = values.get("origClientOrderId") if order_id is None else None
    span = span_of(call)
    order = await call.order(listing.instrument.symbol, order_id, name)
    if order is None or order.terms.detached:
        raise TABLES[product].refuse(-2013)
    listed = await records_of(call, AmendmentRecord, (listing.instrument.symbol,), span, part=order.id)
    answered: list[Amendment] = []
    for record in listed:
        one: Amendment = {
            "amendmentId": record.execution,
            "symbol": listing.symbol,
            "pair": listing.pair,
            "orderId": record.order,
            "clientOrderId": record.client_id_after,
            "time": call.render_time(record.time_us),
            "amendment": {
                "price": {
                    "before": render_price(listing, record.price_before or order.price),
                    "after": render_price(listing, record.price_after or order.price),
                },
                "origQty": {
                    "before": render_quantity(listing, record.quantity_before),
                    "after": render_quantity(listing, record.quantity_after),
                },
                "count": record.count,
            },
        }
        if record.reference:
            one["amendment"]["modifyId"] = int(record.reference)
        answered.append(one)
    return answered
