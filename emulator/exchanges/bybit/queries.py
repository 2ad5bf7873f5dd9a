"""Finding orders and executions (docs/v5/order): what is open, what is over, and what was traded.

An id or a name counts before a symbol, a symbol before a base coin, and that before a settle coin. What
nobody knows is an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from emulator.core.history import Fill, FillKind
from emulator.core.ids import OrderId
from emulator.core.orders import Order
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.beside import beside
from emulator.exchanges.bybit.categories import Category
from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text
from emulator.exchanges.bybit.ids import order_id_text, read_order_id
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.order_parameters import (
    BASE_COIN,
    CATEGORY,
    CURSOR,
    END_TIME,
    ORDER_FILTER,
    ORDER_ID,
    ORDER_LINK_ID,
    SETTLE_COIN,
    START_TIME,
    SYMBOL_OPTIONAL,
)
from emulator.exchanges.bybit.payloads import trading as payloads
from emulator.exchanges.bybit.refusals import MISSING_ONE_OF, refuse
from emulator.exchanges.bybit.replies import render_execution, render_funding, render_order
from emulator.exchanges.bybit.symbols import chosen_instruments, read_category
from emulator.exchanges.bybit.terms import refuse_word
from emulator.exchanges.bybit.trading import CONTRACT_FILTERS, SPOT_FILTERS, filter_word
from emulator.exchanges.bybit.vocabulary import (
    CANCELLED,
    DEACTIVATED,
    EXECUTION_TYPES,
    ORDER_STATUSES,
    REJECTED,
    execution_kind,
    is_order,
    status_word,
)
from emulator.exchanges.bybit.windows import (
    DAY_US,
    Place,
    Span,
    page_of,
    place_of,
    place_of_nth,
    read_place,
    span_of,
)
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

CLOSED_MAX: Final = 500
"""How many orders that are over the list of open ones remembers, of each category."""
UNFILLED_KEPT_US: Final = DAY_US
"""For how long the history tells of an order that ended without a trade."""

_UNFILLED: Final = frozenset({CANCELLED, REJECTED, DEACTIVATED})


def _limit(default: int, maximum: int) -> Parameter:
    return Parameter("limit", Kind.INTEGER, default=default, minimum=1, maximum=maximum)


_FILTERS: Final = (
    CATEGORY,
    SYMBOL_OPTIONAL,
    BASE_COIN,
    SETTLE_COIN,
    ORDER_ID,
    ORDER_LINK_ID,
)


# Orders


@rows.route(
    "GET",
    "/v5/order/realtime",
    summary="Get open & closed orders",
    description="Open ones, or the newest 500 that are over; an order that is named in either case.",
    security=READ,
    parameters=(
        *_FILTERS,
        Parameter("openOnly", Kind.INTEGER, default=0, maximum=2),
        ORDER_FILTER,
        _limit(20, 50),
        CURSOR,
    ),
    answers=payloads.OrderPage,
)
async def open_orders(call: Call) -> payloads.OrderPage:
    values = call.values
    category = read_category(values)
    if category is None:
        return _no_orders(values)
    if _is_named(values):
        return await _answer_named(call, category)
    if category.name == "linear" and not any(name in values for name in _COINS):
        # Quirk: of linear contracts one has to say which, of the others not (Get Open & Closed Orders).
        raise refuse(10001, "symbol or baseCoin or settleCoin", text=MISSING_ONE_OF)
    instruments = chosen_instruments(category, values, call.now_us)
    admits = _filtered(category, values)
    if values["openOnly"]:
        # Quirk: what is over is among the newest 500 of its category, or only in the history (Get Open &
        # Closed Orders, `openOnly`).
        first = await _first_remembered(call, category)
        span = Span(0, call.now_us)
        page, cursor = await page_of(
            call,
            Order,
            instruments,
            span,
            admits=lambda order: (
                _is_over(order) and admits(order) and (first is None or place_of(order) >= first)
            ),
        )
        return await _page(call, category, page, cursor)
    chosen = frozenset(instruments)
    before = read_place(call)
    size: int = values["limit"]
    listed = [
        order
        for order in reversed(call.engine.state.accounts[call.account].open_orders.values())
        if order.instrument in chosen and admits(order) and (before is None or order.id < before.id)
    ]
    cursor = LAST_PAGE
    if len(listed) > size:
        last = listed[size - 1]
        cursor = cursor_text(last.created_us, last.instrument, last.id, 0)
    return await _page(call, category, listed[:size], cursor)


_COINS: Final = ("symbol", "baseCoin", "settleCoin")


def _is_over(order: Order) -> bool:
    return order.is_ended and is_order(order)


async def _first_remembered(call: Call, category: Category) -> Place | None:
    """Where the oldest order stands that is not only in the history; None: nothing is too old."""
    if call.engine.state.next_order <= CLOSED_MAX:
        return None
    return await place_of_nth(call, Order, category.instruments, CLOSED_MAX, admits=_is_over)


@rows.route(
    "GET",
    "/v5/order/history",
    summary="Get order history",
    description="What is over, of seven days at most, the last ones where no time is given.",
    security=READ,
    parameters=(
        *_FILTERS,
        ORDER_FILTER,
        Parameter("orderStatus"),
        START_TIME,
        END_TIME,
        _limit(20, 50),
        CURSOR,
    ),
    answers=payloads.OrderPage,
)
async def order_history(call: Call) -> payloads.OrderPage:
    values = call.values
    category = read_category(values)
    if category is None:
        return _no_orders(values)
    if _is_named(values):
        return await _answer_named(call, category, is_over=True)
    status: str | None = values.get("orderStatus")
    if status is not None and status not in ORDER_STATUSES:
        raise refuse_word(category, "orderStatus")
    admits, is_spot = _filtered(category, values), not category.is_derivative

    def is_told(order: Order) -> bool:
        if not order.is_ended or not is_order(order) or not admits(order):
            return False
        word = status_word(order, is_spot=is_spot)
        # Quirk: an order that ended without a trade is told of for a day only (Get Order History).
        if word in _UNFILLED and not order.executed and order.created_us < call.now_us - UNFILLED_KEPT_US:
            return False
        return status in (None, word)

    instruments = chosen_instruments(category, values, call.now_us)
    page, cursor = await page_of(call, Order, instruments, span_of(call), admits=is_told)
    return await _page(call, category, page, cursor)


def _is_named(values: Mapping[str, Any]) -> bool:
    return "orderId" in values or "orderLinkId" in values


async def _answer_named(call: Call, category: Category, *, is_over: bool = False) -> payloads.OrderPage:
    order = await find_order(call, category)
    # Quirk: an id that nobody knows is an empty list and no error (Get Open & Closed Orders).
    if order is None or (is_over and not order.is_ended) or not is_order(order):
        return _no_orders(call.values)
    return await _page(call, category, [order], LAST_PAGE)


async def find_order(call: Call, category: Category) -> Order | None:
    """The caller's order that a request names, by its id or else by the client's own name for it."""
    values = call.values
    text: str | None = values.get("orderId")
    name: str | None = values.get("orderLinkId")
    number: OrderId | None = None
    if text is not None:
        number, name = read_order_id(text), None
        if number is None or order_id_text(category.name, number) != text.lower():
            return None
    newest: Order | None = None
    # Where a symbol is named beside, the order is looked for there first, since an archive is asked for each.
    likely = category.listings.get(values.get("symbol", ""))
    for instrument in _likely(call, category, number, likely):
        order = await call.order(instrument, number, name)
        if order is None:
            continue
        if number is not None or not order.is_ended or likely is not None:
            return order
        if newest is None or order.id > newest.id:
            newest = order
    return newest


def _likely(call: Call, category: Category, number: OrderId | None, likely: Listing | None) -> Iterable[str]:
    """The instruments that an order may be of, the likeliest first; one, where memory knows it."""
    here = None if number is None else call.engine.views.orders.get(number)
    if here is None:
        first = () if likely is None else (likely.instrument.symbol,)
        return dict.fromkeys((*first, *category.instruments))
    return (here.instrument,) if category.holds(here.instrument) else ()


def _filtered(category: Category, values: Mapping[str, Any]) -> Callable[[Order], bool]:
    """Whether an order is of the sort that was asked for; raises what is no sort."""
    word: str | None = values.get("orderFilter")
    if word is None:
        return lambda order: True
    if word not in (CONTRACT_FILTERS if category.is_derivative else SPOT_FILTERS):
        raise refuse_word(category, "orderFilter")
    return lambda order: filter_word(category, order) == word


def _no_orders(values: Mapping[str, Any]) -> payloads.OrderPage:
    return {"category": values["category"], "nextPageCursor": LAST_PAGE, "list": []}


async def _page(call: Call, category: Category, orders: Sequence[Order], cursor: str) -> payloads.OrderPage:
    listed = [render_order(category, order, await beside(call, order)) for order in orders]
    return {"category": call.values["category"], "nextPageCursor": cursor, "list": listed}


# Executions


@rows.route(
    "GET",
    "/v5/execution/list",
    summary="Get trade history",
    description="Trades and funding, of seven days at most, the last ones where no time is given.",
    security=READ,
    parameters=(
        *_FILTERS,
        START_TIME,
        END_TIME,
        Parameter("execType"),
        _limit(50, 100),
        CURSOR,
    ),
    answers=payloads.ExecutionPage,
)
async def executions(call: Call) -> payloads.ExecutionPage:
    values = call.values
    category = read_category(values)
    word: str | None = values.get("execType")
    kind = None if word is None else execution_kind(word)
    if word is not None and word not in EXECUTION_TYPES:
        raise refuse(10001, "execType", text=_INVALID)
    if category is None or (word is not None and kind is None):
        return {"category": values["category"], "nextPageCursor": LAST_PAGE, "list": []}
    part: OrderId | None = None
    span = span_of(call)
    if _is_named(values):
        order = await find_order(call, category)
        if order is None:
            return {"category": values["category"], "nextPageCursor": LAST_PAGE, "list": []}
        # Quirk: where an order is named nothing else counts (Get Trade History).
        part, kind, span = order.id, None, Span(0, call.now_us)
        instruments: tuple[str, ...] = (order.instrument,)
    else:
        instruments = chosen_instruments(category, values, call.now_us)
    page, cursor = await page_of(
        call,
        Fill,
        instruments,
        span,
        admits=None if kind is None else lambda fill: fill.kind is kind,
        part=part,
    )
    known: dict[OrderId, Order] = {}
    listed: list[payloads.Execution] = []
    for fill in page:
        if fill.kind is FillKind.FUNDING:
            listed.append(render_funding(category, fill))
            continue
        if fill.order not in known:
            found = await call.order(fill.instrument, fill.order, None)
            assert found is not None, "what was traded was an order"
            known[fill.order] = found
        listed.append(render_execution(category, fill, known[fill.order]))
    return {"category": values["category"], "nextPageCursor": cursor, "list": listed}


_INVALID: Final = "params error: %s invalid"
