"""What orders of contracts are described by: parameters that the placing endpoints share."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.binance.futures.vocabulary import (
    CLIENT_ID,
    ORDER_TYPES,
    POSITION_SIDE,
    PRICE_MATCH,
    RESPONSE_TYPE,
    SELF_TRADE_PREVENTION_MODE,
    STOP_TYPES,
    TIME_IN_FORCE,
    WORKING_TYPE,
)
from emulator.exchanges.binance.vocabulary import ORDER_ID, SIDE, SYMBOL
from emulator.web.contract import Kind, Parameter

TYPE: Final = Parameter("type", Kind.CHOICE, required=True, choices=ORDER_TYPES, error=-1116)
QUANTITY: Final = Parameter("quantity", Kind.DECIMAL, description="Of a coin-margined symbol in contracts.")
PRICE: Final = Parameter("price", Kind.DECIMAL)
REDUCE_ONLY: Final = Parameter(
    "reduceOnly", Kind.BOOLEAN, error=-4062, description="Not in hedge mode, nor with closePosition."
)
CLOSE_POSITION: Final = Parameter(
    "closePosition",
    Kind.BOOLEAN,
    description="Close all that there is when it is triggered; of STOP_MARKET and TAKE_PROFIT_MARKET.",
)
PRICE_PROTECT: Final = Parameter("priceProtect", Kind.BOOLEAN)
CALLBACK_RATE: Final = Parameter(
    "callbackRate", Kind.DECIMAL, description="Of a trailing order, in per cent with one place."
)
GOOD_TILL_DATE: Final = Parameter(
    "goodTillDate", Kind.INTEGER, description="Of GTD, in milliseconds; only the seconds count."
)
NEW_CLIENT_ORDER_ID: Final = CLIENT_ID.but(
    name="newClientOrderId", description="Unique among open orders; generated when not sent."
)

_COMMON: Final = (
    SYMBOL,
    SIDE,
    POSITION_SIDE,
    TIME_IN_FORCE,
    QUANTITY,
    REDUCE_ONLY,
    PRICE,
    CLOSE_POSITION,
    CALLBACK_RATE,
    WORKING_TYPE,
    PRICE_PROTECT,
    RESPONSE_TYPE,
    PRICE_MATCH,
    SELF_TRADE_PREVENTION_MODE,
    GOOD_TILL_DATE,
)

NEW_ORDER: Final = (
    *_COMMON,
    TYPE,
    NEW_CLIENT_ORDER_ID,
    Parameter("stopPrice", Kind.DECIMAL),
    Parameter("activationPrice", Kind.DECIMAL),
)
NEW_ALGO_ORDER: Final = (
    Parameter("algoType", Kind.CHOICE, required=True, choices=("CONDITIONAL",)),
    *_COMMON,
    TYPE.but(choices=tuple(STOP_TYPES)),
    CLIENT_ID.but(name="clientAlgoId", description="Unique among open orders; generated when not sent."),
    Parameter("triggerPrice", Kind.DECIMAL),
    Parameter("activatePrice", Kind.DECIMAL),
)

MODIFY_ORDER: Final = (
    SYMBOL,
    SIDE,
    ORDER_ID,
    CLIENT_ID,
    QUANTITY,
    PRICE,
    PRICE_MATCH,
    REDUCE_ONLY,
    Parameter("modifyId", Kind.INTEGER, description="The client's own number of the modification."),
)

ORIG_CLIENT_ORDER_ID: Final = CLIENT_ID
NAMED: Final = (SYMBOL, ORDER_ID, ORIG_CLIENT_ORDER_ID)
# Quirk: where neither of an order's two ids is sent, futures name the client's own first (live answers).
ONE_NAMED: Final = (("origClientOrderId", "orderId"),)
