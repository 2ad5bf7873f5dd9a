"""What was closed of positions, order by order."""

from __future__ import annotations

from typing import Final

from emulator.core.history import ClosedRecord, FillKind, Query
from emulator.core.numbers import exact
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text, read_cursor
from emulator.exchanges.bybit.figures import decimal_text, time_text, zero_text
from emulator.exchanges.bybit.ids import order_id_text
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.payloads.position import ClosedPosition, ClosedPositions
from emulator.exchanges.bybit.position.sums import amount, average
from emulator.exchanges.bybit.position.words import CATEGORY, CURSOR, SYMBOL_OPTIONAL, asked_category, find
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.exchanges.bybit.vocabulary import ORDER_TYPE_WORDS
from emulator.exchanges.bybit.windows import span_of
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

SPAN_US: Final = 7 * 86_400_000_000

EXECUTION_TYPES: Final = {
    FillKind.TRADE: "Trade",
    FillKind.LIQUIDATION: "BustTrade",
    FillKind.DELEVERAGING: "AdlTrade",
    FillKind.DELIVERY: "Settle",
}


@rows.route(
    "GET",
    "/v5/position/closed-pnl",
    summary="Get closed PnL",
    description="Newest first, of the last seven days where no time is given.",
    security=READ,
    parameters=(
        CATEGORY,
        SYMBOL_OPTIONAL,
        Parameter("startTime", Kind.TIME),
        Parameter("endTime", Kind.TIME, description="Seven days after the start at most."),
        Parameter("limit", Kind.INTEGER, default=50, minimum=1, maximum=100),
        CURSOR,
    ),
    answers=ClosedPositions,
)
async def closed_positions(call: Call) -> ClosedPositions:
    category, values = asked_category(call), call.values
    symbol = values.get("symbol")
    start_us, end_us = span_of(call, longest_us=SPAN_US, default_us=SPAN_US)
    until = _until(values.get("cursor"))
    listings = category.listings.values() if symbol is None else (find(category, symbol, call.now_us),)
    found: list[tuple[ClosedRecord, Listing]] = []
    for listing in listings:
        query = Query(account=call.account, scope=listing.instrument.symbol, start_us=start_us, end_us=end_us)
        walked = await call.sandbox.history.walk_back(call.site.engine, ClosedRecord, query)
        found += ((one, listing) for one in walked)
    found.sort(key=lambda pair: _place(pair[0]), reverse=True)
    if until is not None:
        found = [pair for pair in found if _place(pair[0]) <= until]
    page, rest = found[: values["limit"]], found[values["limit"] :]
    with exact():
        return {
            "category": category.name,
            "nextPageCursor": cursor_text(*_place(rest[0][0])) if rest else LAST_PAGE,
            "list": [_closed(one, listing) for one, listing in page],
        }


def _place(one: ClosedRecord) -> tuple[int, int]:
    return one.created_us, one.order


def _until(cursor: str | None) -> tuple[int, int] | None:
    if not cursor:
        return None
    parts = read_cursor(cursor, 2)
    if parts is None or not all(part.isascii() and part.isdecimal() for part in parts):
        raise refuse_parameter("cursor")
    return int(parts[0]), int(parts[1])


def _closed(one: ClosedRecord, listing: Listing) -> ClosedPosition:
    contract = listing.instrument.contract
    assert contract is not None
    exit_price = average(contract, one.closed, one.exit)
    return {
        "symbol": listing.symbol,
        "orderId": order_id_text(listing.category, one.order),
        "side": "Buy" if one.is_buyer else "Sell",
        "qty": decimal_text(one.quantity),
        "orderPrice": zero_text(one.price),
        "orderType": ORDER_TYPE_WORDS[one.type],
        "execType": EXECUTION_TYPES[one.kind],
        "closedSize": decimal_text(one.closed),
        "cumEntryValue": amount(one.entry),
        "avgEntryPrice": average(contract, one.closed, one.entry),
        "cumExitValue": amount(one.exit),
        "avgExitPrice": exit_price,
        "closedPnl": amount(one.profit),
        "fillCount": str(one.fills),
        "leverage": decimal_text(one.leverage),
        "openFee": amount(one.opening_fee),
        "closeFee": amount(one.closing_fee),
        "createdTime": time_text(one.created_us),
        "updatedTime": time_text(one.updated_us),
    }
