"""Order lists, in which one order cancels, triggers or pays the other (rest-api.md, "Order lists").

The stop-loss leg of a pair comes first in a list, whichever of the two is above.
"""

from __future__ import annotations

from typing import Any, Final

from emulator.core.commands import CancelOrderList, PlaceOrderList
from emulator.core.engine import Done
from emulator.core.events import OrderListPlaced
from emulator.core.history import ListRecord, Query
from emulator.core.instruments import SelfTradeMode, Side
from emulator.core.order_lists import ListKind
from emulator.core.orders import OrderTerms
from emulator.exchanges.binance.client_ids import new_client_id
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.order_parameters import (
    CLIENT_ID,
    LIST_CLIENT_ORDER_ID,
    ORDER_LIST_ID,
    WALLET,
    leg,
)
from emulator.exchanges.binance.spot.parameters import LIMIT
from emulator.exchanges.binance.spot.payloads.trading import (
    CanceledOrderList,
    OrderListState,
    PlacedOrderList,
)
from emulator.exchanges.binance.spot.queries import known_instrument
from emulator.exchanges.binance.spot.replies import (
    RESULT,
    answer_cancels,
    answer_list,
    answer_placed_list,
)
from emulator.exchanges.binance.spot.terms import Names, names_of, parse_terms
from emulator.exchanges.binance.spot.windows import asked, check_span
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    FROM_ID,
    ICEBERG_QUANTITY,
    NEW_CLIENT_ORDER_ID,
    NEW_ORDER_RESPONSE_TYPE,
    ORDER_TYPES,
    ORIG_CLIENT_ORDER_ID,
    PRICE,
    QUANTITY,
    SELF_TRADE_MODES,
    SELF_TRADE_PREVENTION_MODE,
    SIDE,
    SIDES,
    START_TIME,
    STOP_PRICE,
    STRATEGY_ID,
    STRATEGY_TYPE,
    SYMBOL,
    TIME_IN_FORCE,
    TRADE,
    TRAILING_DELTA,
    USER_DATA,
)
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Rows

rows = Rows()

_STOP_LOSSES: Final = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT"})
_TAKE_PROFITS: Final = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
_PAIRED: Final = (*sorted(_STOP_LOSSES), *sorted(_TAKE_PROFITS), "LIMIT_MAKER")
_WORKING: Final = ("LIMIT", "LIMIT_MAKER")

OCO_TYPE_REFUSED: Final = -1158

_WHOLE_LIST: Final = (
    SYMBOL,
    LIST_CLIENT_ORDER_ID,
    NEW_ORDER_RESPONSE_TYPE,
    SELF_TRADE_PREVENTION_MODE,
)
_WORKING_QUANTITY: Final = QUANTITY.but(name="workingQuantity")
_PENDING_QUANTITY: Final = QUANTITY.but(name="pendingQuantity")
_QUANTITIES: Final = (_WORKING_QUANTITY.but(required=True), _PENDING_QUANTITY.but(required=True))
# Lists whose working order pays have codes of their own for a quantity too few or too many.
_PAID_QUANTITIES: Final = (_WORKING_QUANTITY, _PENDING_QUANTITY)
_PENDING_SIDE: Final = SIDE.but(name="pendingSide")
_WORKING_ORDER: Final = (SIDE.but(name="workingSide"), *leg("working", *_WORKING, triggered=False))
_PENDING_ORDER: Final = (_PENDING_SIDE, *leg("pending", *ORDER_TYPES))
_PENDING_PAIR: Final = (
    _PENDING_SIDE,
    *leg("pendingAbove", *ORDER_TYPES),
    *leg("pendingBelow", *ORDER_TYPES),
)

ABOVE: Final = names_of("above", quantity="quantity", paired=True)
BELOW: Final = names_of("below", quantity="quantity", paired=True)
WORKING: Final = names_of("working", quantity="workingQuantity")
PENDING: Final = names_of("pending", quantity="pendingQuantity")
PENDING_ABOVE: Final = names_of("pendingAbove", quantity="pendingQuantity", paired=True)
PENDING_BELOW: Final = names_of("pendingBelow", quantity="pendingQuantity", paired=True)

# The deprecated endpoint has names of its own; those of a leg that it does not have match nothing.
LEGACY_LIMIT: Final = Names(
    quantity="quantity",
    price="price",
    stop_price="",
    trailing_delta="",
    time_in_force="",
    iceberg_quantity="limitIcebergQty",
    client_id="limitClientOrderId",
    strategy_id="limitStrategyId",
    strategy_type="limitStrategyType",
    peg_price_type="",
    peg_offset_type="",
    peg_offset_value="",
)
LEGACY_STOP: Final = Names(
    quantity="quantity",
    price="stopLimitPrice",
    stop_price="stopPrice",
    trailing_delta="trailingDelta",
    time_in_force="stopLimitTimeInForce",
    iceberg_quantity="stopIcebergQty",
    client_id="stopClientOrderId",
    strategy_id="stopStrategyId",
    strategy_type="stopStrategyType",
    peg_price_type="",
    peg_offset_type="",
    peg_offset_value="",
)


# Placing


def _mode(values: dict[str, Any]) -> SelfTradeMode | None:
    word = values.get("selfTradePreventionMode")
    return None if word is None else SELF_TRADE_MODES[word]


def _parse_pair(
    values: dict[str, Any],
    above: Names,
    below: Names,
    prefixes: tuple[str, str],
    side: Side,
    *,
    funded: bool = False,
) -> tuple[OrderTerms, OrderTerms]:
    """The two legs of a pair, the stop-loss first; raises -1158 to -1199 for types in the wrong place."""
    above_word: str = values[f"{prefixes[0]}Type"]
    below_word: str = values[f"{prefixes[1]}Type"]
    if above_word not in _PAIRED or below_word not in _PAIRED:
        raise refuse(OCO_TYPE_REFUSED)
    if above_word == below_word == "LIMIT_MAKER":
        raise refuse(-1168)
    is_buy = side is Side.BUY
    limit_word, stop_word = (below_word, above_word) if is_buy else (above_word, below_word)
    # In a buy the stop-loss is above and the other leg below; in a sell the other way round.
    if stop_word == "LIMIT_MAKER":
        raise refuse(-1165 if is_buy else -1166)
    if limit_word in _STOP_LOSSES:
        raise refuse(-1196 if is_buy else -1197)
    if stop_word in _TAKE_PROFITS:
        raise refuse(-1198 if is_buy else -1199)
    mode = _mode(values)
    above_terms = parse_terms(
        values, above, type_word=above_word, side=side, self_trade_mode=mode, funded=funded
    )
    below_terms = parse_terms(
        values, below, type_word=below_word, side=side, self_trade_mode=mode, funded=funded
    )
    return (above_terms, below_terms) if is_buy else (below_terms, above_terms)


def _place(
    call: Call, kind: ListKind, legs: tuple[OrderTerms, ...], *, funded: bool = False
) -> Submission[PlacedOrderList]:
    values = call.values
    # Quirk: the reports of a list's orders are whole unless less is asked for, also those of stop orders,
    # which alone would be acknowledged only (rest-api.md, "New Order list - OCO", its example).
    response: str = values.get("newOrderRespType") or RESULT
    command = PlaceOrderList(
        account=call.account,
        wallet=WALLET,
        instrument=values["symbol"],
        kind=kind,
        legs=legs,
        funded=funded,
        client_id=values.get("listClientOrderId") or new_client_id(),
    )

    def answer(done: Done) -> PlacedOrderList:
        placed = done.events[0]
        assert isinstance(placed, OrderListPlaced)
        return answer_placed_list(call, call.engine, placed.order_list, done.events, response)

    return call.submit(command, answer)


@rows.route(
    "POST",
    "/api/v3/order/oco",
    summary="New OCO",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    orders=2,
    deprecated=True,
    parameters=(
        SYMBOL,
        LIST_CLIENT_ORDER_ID,
        SIDE,
        QUANTITY.but(required=True),
        CLIENT_ID.but(name="limitClientOrderId"),
        PRICE.but(required=True),
        STRATEGY_ID.but(name="limitStrategyId"),
        STRATEGY_TYPE.but(name="limitStrategyType"),
        ICEBERG_QUANTITY.but(name="limitIcebergQty"),
        TRAILING_DELTA,
        CLIENT_ID.but(name="stopClientOrderId"),
        STOP_PRICE.but(required=True),
        STRATEGY_ID.but(name="stopStrategyId"),
        STRATEGY_TYPE.but(name="stopStrategyType"),
        PRICE.but(name="stopLimitPrice"),
        ICEBERG_QUANTITY.but(name="stopIcebergQty"),
        TIME_IN_FORCE.but(name="stopLimitTimeInForce"),
        NEW_ORDER_RESPONSE_TYPE,
        SELF_TRADE_PREVENTION_MODE,
    ),
    answers=PlacedOrderList,
)
def place_legacy_oco(call: Call) -> Submission[PlacedOrderList]:
    values = call.values
    side = SIDES[values["side"]]
    mode = _mode(values)
    stop_word = "STOP_LOSS_LIMIT" if "stopLimitPrice" in values else "STOP_LOSS"
    stop = parse_terms(values, LEGACY_STOP, type_word=stop_word, side=side, self_trade_mode=mode)
    limit = parse_terms(values, LEGACY_LIMIT, type_word="LIMIT_MAKER", side=side, self_trade_mode=mode)
    return _place(call, ListKind.OCO, (stop, limit))


@rows.route(
    "POST",
    "/api/v3/orderList/oco",
    summary="New order list: OCO",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    orders=2,
    parameters=(
        *_WHOLE_LIST,
        SIDE,
        QUANTITY.but(required=True),
        *leg("above", *ORDER_TYPES),
        *leg("below", *ORDER_TYPES),
    ),
    answers=PlacedOrderList,
)
def place_oco(call: Call) -> Submission[PlacedOrderList]:
    side = SIDES[call.values["side"]]
    return _place(call, ListKind.OCO, _parse_pair(call.values, ABOVE, BELOW, ("above", "below"), side))


def _parse_working(values: dict[str, Any]) -> OrderTerms:
    return parse_terms(
        values,
        WORKING,
        type_word=values["workingType"],
        side=SIDES[values["workingSide"]],
        self_trade_mode=_mode(values),
    )


def _parse_pending(values: dict[str, Any], *, funded: bool = False) -> OrderTerms:
    return parse_terms(
        values,
        PENDING,
        type_word=values["pendingType"],
        side=SIDES[values["pendingSide"]],
        self_trade_mode=_mode(values),
        funded=funded,
    )


def _parse_pending_pair(values: dict[str, Any], *, funded: bool = False) -> tuple[OrderTerms, OrderTerms]:
    return _parse_pair(
        values,
        PENDING_ABOVE,
        PENDING_BELOW,
        ("pendingAbove", "pendingBelow"),
        SIDES[values["pendingSide"]],
        funded=funded,
    )


@rows.route(
    "POST",
    "/api/v3/orderList/oto",
    summary="New order list: OTO",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    orders=2,
    parameters=(*_WHOLE_LIST, *_WORKING_ORDER, *_PENDING_ORDER, *_QUANTITIES),
    answers=PlacedOrderList,
)
def place_oto(call: Call) -> Submission[PlacedOrderList]:
    values = call.values
    return _place(call, ListKind.OTO, (_parse_working(values), _parse_pending(values)))


@rows.route(
    "POST",
    "/api/v3/orderList/otoco",
    summary="New order list: OTOCO",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    orders=3,
    parameters=(*_WHOLE_LIST, *_WORKING_ORDER, *_PENDING_PAIR, *_QUANTITIES),
    answers=PlacedOrderList,
)
def place_otoco(call: Call) -> Submission[PlacedOrderList]:
    values = call.values
    return _place(call, ListKind.OTOCO, (_parse_working(values), *_parse_pending_pair(values)))


def _check_paying(values: dict[str, Any]) -> None:
    """What only lists whose working order pays for the rest may not do (errors.md, -1222 to -1225)."""
    if values["workingSide"] != "BUY":
        raise refuse(-1222)
    if values["pendingSide"] != "SELL":
        raise refuse(-1223)
    if "workingQuantity" not in values:
        raise refuse(-1224, "workingQuantity")
    if "pendingQuantity" in values:
        raise refuse(-1225, "pendingQuantity")


@rows.route(
    "POST",
    "/api/v3/orderList/opo",
    summary="New order list: OPO",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    orders=2,
    parameters=(*_WHOLE_LIST, *_WORKING_ORDER, *_PENDING_ORDER, *_PAID_QUANTITIES),
    answers=PlacedOrderList,
    description="What the working order receives becomes the quantity of the pending order.",
)
def place_opo(call: Call) -> Submission[PlacedOrderList]:
    values = call.values
    _check_paying(values)
    legs = (_parse_working(values), _parse_pending(values, funded=True))
    return _place(call, ListKind.OTO, legs, funded=True)


@rows.route(
    "POST",
    "/api/v3/orderList/opoco",
    summary="New order list: OPOCO",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    orders=3,
    parameters=(*_WHOLE_LIST, *_WORKING_ORDER, *_PENDING_PAIR, *_PAID_QUANTITIES),
    answers=PlacedOrderList,
    description="What the working order receives becomes the quantity of the pending orders.",
)
def place_opoco(call: Call) -> Submission[PlacedOrderList]:
    values = call.values
    _check_paying(values)
    legs = (_parse_working(values), *_parse_pending_pair(values, funded=True))
    return _place(call, ListKind.OTOCO, legs, funded=True)


# Canceling


@rows.route(
    "DELETE",
    "/api/v3/orderList",
    summary="Cancel order list",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    parameters=(SYMBOL, ORDER_LIST_ID, LIST_CLIENT_ORDER_ID, NEW_CLIENT_ORDER_ID),
    one_of=(("orderListId", "listClientOrderId"),),
    answers=CanceledOrderList,
)
def cancel_list(call: Call) -> Submission[CanceledOrderList]:
    values = call.values
    known_instrument(call)
    command = CancelOrderList(
        account=call.account,
        instrument=values["symbol"],
        order_list=values.get("orderListId"),
        client_id=values.get("listClientOrderId"),
        cancel_client_id=values.get("newClientOrderId") or new_client_id(),
    )

    def answer(done: Done) -> CanceledOrderList:
        canceled: Any = answer_cancels(call, call.engine, done.events)[0]
        return canceled  # type: ignore[no-any-return] # what belongs to a list comes as its list

    return call.submit(command, answer)


# Queries


@rows.route(
    "GET",
    "/api/v3/orderList",
    summary="Query order list",
    security=USER_DATA,
    weight=4,
    parameters=(ORDER_LIST_ID, ORIG_CLIENT_ORDER_ID),
    one_of=(("orderListId", "origClientOrderId"),),
    answers=OrderListState,
)
async def query_list(call: Call) -> OrderListState:
    values = call.values
    list_id: int | None = values.get("orderListId")
    client_id: str | None = values.get("origClientOrderId")
    if list_id is None:
        query = Query(account=call.account, label=client_id, limit=1, newest=True)
    else:
        query = Query(account=call.account, first_id=list_id, last_id=list_id, limit=1)
    found = await call.records(ListRecord, query)
    if not found:
        raise refuse(-2013)
    if client_id is not None and found[0].order_list.client_id != client_id:
        raise refuse(-2039)
    return answer_list(call, found[0])


@rows.route(
    "GET",
    "/api/v3/allOrderList",
    summary="Query all order lists",
    security=USER_DATA,
    weight=20,
    parameters=(FROM_ID, START_TIME, END_TIME, LIMIT),
    answers=list[OrderListState],
)
async def all_lists(call: Call) -> list[OrderListState]:
    values = call.values
    first_id: int | None = values.get("fromId")
    if first_id is not None and ("startTime" in values or "endTime" in values):
        raise refuse(-1128)
    check_span(values)
    query = asked(values, account=call.account, divisor=call.time_divisor, first_id=first_id)
    return [answer_list(call, record) for record in await call.records(ListRecord, query)]


@rows.route(
    "GET",
    "/api/v3/openOrderList",
    summary="Query open order lists",
    security=USER_DATA,
    weight=6,
    answers=list[OrderListState],
)
def open_lists(call: Call) -> list[OrderListState]:
    engine = call.engine
    account = engine.state.accounts[call.account]
    return [answer_list(call, engine.views.list_record(one)) for one in account.open_lists.values()]
