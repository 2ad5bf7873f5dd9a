"""Binance's words and the core's, and how amounts and times look on its wire.

Also the parameters that many endpoints share, so that each is described once. Legal ranges are
written as the live host prints them in -1100; the patterns beside them say the same to Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, Inexact
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from emulator.core.commands import CancelRestriction
from emulator.core.instruments import InstrumentStatus, OrderType, SelfTradeMode, Side, TimeInForce
from emulator.core.numbers import EXACT, round_down
from emulator.core.order_lists import ListStatus
from emulator.core.orders import EndReason, OrderStatus, OrderTerms, PegSide, TriggerKind
from emulator.web.contract import OPEN, Kind, Parameter, Security

# Words

SIDES: Mapping[str, Side] = MappingProxyType({"BUY": Side.BUY, "SELL": Side.SELL})
SIDE_WORDS: Mapping[Side, str] = MappingProxyType({side: word for word, side in SIDES.items()})

TIMES_IN_FORCE: Mapping[str, TimeInForce] = MappingProxyType(
    {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
)
TIME_IN_FORCE_WORDS: Mapping[TimeInForce, str] = MappingProxyType(
    {tif: word for word, tif in TIMES_IN_FORCE.items()}
)

ORDER_TYPES: Final = (
    "LIMIT",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
    "LIMIT_MAKER",
)

SELF_TRADE_MODES: Mapping[str, SelfTradeMode] = MappingProxyType(
    {
        "NONE": SelfTradeMode.NONE,
        "EXPIRE_TAKER": SelfTradeMode.EXPIRE_TAKER,
        "EXPIRE_MAKER": SelfTradeMode.EXPIRE_MAKER,
        "EXPIRE_BOTH": SelfTradeMode.EXPIRE_BOTH,
        "DECREMENT": SelfTradeMode.DECREMENT,
        "TRANSFER": SelfTradeMode.TRANSFER,
    }
)
SELF_TRADE_WORDS: Mapping[SelfTradeMode, str] = MappingProxyType(
    {mode: word for word, mode in SELF_TRADE_MODES.items()}
)

PEG_SIDES: Mapping[str, PegSide] = MappingProxyType(
    {"PRIMARY_PEG": PegSide.PRIMARY, "MARKET_PEG": PegSide.MARKET}
)
PEG_SIDE_WORDS: Mapping[PegSide, str] = MappingProxyType({side: word for word, side in PEG_SIDES.items()})

CANCEL_RESTRICTIONS: Mapping[str, CancelRestriction] = MappingProxyType(
    {
        "ONLY_NEW": CancelRestriction.ONLY_NEW,
        "ONLY_PARTIALLY_FILLED": CancelRestriction.ONLY_PARTIALLY_FILLED,
    }
)

ORDER_STATUS_WORDS: Mapping[OrderStatus, str] = MappingProxyType(
    {
        OrderStatus.WAITING: "PENDING_NEW",
        # Quirk: a stop order that waits for its price is NEW, as one on the book is; `isWorking` tells them
        # apart (rest-api.md, "Query order").
        OrderStatus.DORMANT: "NEW",
        OrderStatus.NEW: "NEW",
        OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
        OrderStatus.FILLED: "FILLED",
        OrderStatus.CANCELED: "CANCELED",
        OrderStatus.EXPIRED: "EXPIRED",
        # Quirk: an order that self-trade prevention ended has a status of its own, which is not EXPIRED
        # (enums.md, "Order status").
        OrderStatus.EXPIRED_IN_MATCH: "EXPIRED_IN_MATCH",
        # Of futures only, where such orders are told of in other words.
        OrderStatus.TRIGGERED: "NEW",
    }
)

EXPIRY_REASON_WORDS: Mapping[EndReason, str] = MappingProxyType(
    {
        EndReason.NONE: "NONE",
        EndReason.UNFILLED_IMMEDIATE: "UNFILLED_IOC_QUANTITY_EXPIRED",
        EndReason.UNFILLED_ALL_OR_NOTHING: "UNFILLED_FOK_ORDER_EXPIRED",
        EndReason.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
        EndReason.LIST_SIBLING: "OCO_TRIGGER",
        EndReason.LIST_WORKING_ENDED: "OTO_PHASE_ONE_EXPIRED",
        EndReason.SELF_TRADE: "NONE",
        EndReason.WOULD_TAKE: "REJECTED",
        EndReason.INSUFFICIENT_BALANCE: "REJECTED",
        EndReason.NO_PEG_LEVEL: "REJECTED",
        EndReason.REFUSED_AT_ACTIVATION: "REJECTED",
        EndReason.NOTHING_TO_REDUCE: "REJECTED",
        EndReason.PRICE_PROTECTED: "REJECTED",
        EndReason.TIME_PASSED: "NONE",
        # Of contracts only, which tell of it in other words.
        EndReason.LIQUIDATION: "NONE",
        EndReason.DELIVERED: "NONE",
        EndReason.DELEVERAGING: "NONE",
        # Of what is not offered here.
        EndReason.TAKE_PROFIT_FIRED: "NONE",
        EndReason.STOP_LOSS_FIRED: "NONE",
        EndReason.POSITION_CLOSED: "NONE",
        EndReason.DISCONNECTED: "NONE",
        EndReason.MADE_WAY: "NONE",
    }
)

SYMBOL_STATUS_WORDS: Mapping[InstrumentStatus, str] = MappingProxyType(
    {
        InstrumentStatus.TRADING: "TRADING",
        InstrumentStatus.HALTED: "HALT",
        InstrumentStatus.CANCEL_ONLY: "CANCEL_ONLY",
    }
)
SYMBOL_STATUSES: Final = ("TRADING", "END_OF_DAY", "HALT", "BREAK", "CANCEL_ONLY")

LIST_STATUS_TYPE_WORDS: Mapping[ListStatus, str] = MappingProxyType(
    {ListStatus.EXECUTING: "EXEC_STARTED", ListStatus.DONE: "ALL_DONE"}
)
LIST_ORDER_STATUS_WORDS: Mapping[ListStatus, str] = MappingProxyType(
    {ListStatus.EXECUTING: "EXECUTING", ListStatus.DONE: "ALL_DONE"}
)

INTERVALS_US: Mapping[str, int] = MappingProxyType(
    {
        "1s": 1_000_000,
        "1m": 60_000_000,
        "3m": 180_000_000,
        "5m": 300_000_000,
        "15m": 900_000_000,
        "30m": 1_800_000_000,
        "1h": 3_600_000_000,
        "2h": 7_200_000_000,
        "4h": 14_400_000_000,
        "6h": 21_600_000_000,
        "8h": 28_800_000_000,
        "12h": 43_200_000_000,
        "1d": 86_400_000_000,
        "3d": 259_200_000_000,
        "1w": 604_800_000_000,
        "1M": 0,
    }
)
"""Lengths of kline intervals; a month has none of its own."""


_MARKET: Final = OrderType.MARKET


def order_type_word(terms: OrderTerms) -> str:
    """The wire's type of an order, which also says whether it is post-only or a trigger order."""
    if terms.trigger is None:
        if terms.type is _MARKET:
            return "MARKET"
        return "LIMIT_MAKER" if terms.post_only else "LIMIT"
    word = "STOP_LOSS" if terms.trigger.kind is TriggerKind.STOP_LOSS else "TAKE_PROFIT"
    return word if terms.type is _MARKET else word + "_LIMIT"


# Amounts and times

EIGHT_PLACES: Final = Decimal("0.00000001")
ZERO_AMOUNT: Final = "0.00000000"


def _render_amount(value: Decimal) -> str:
    """Eight places, always; Inexact when the value has more, because a wire amount is never rounded.

    Clients compare with the text "0.00000000", so nothing shorter will do.
    """
    # Quirk: amounts of /api/v3 are text with eight places, zero included, and clients compare them as text
    # (live answers; the examples of rest-api.md have fewer here and there).

    # The text that str() gives needs only zeros at its end, in nearly all cases; that takes a third of
    # the time of a quantization, and a book of a hundred levels has four hundred amounts.
    if not value:
        return ZERO_AMOUNT  # A negative zero too, which is equal to the other one.
    text = str(value)
    point = text.find(".")
    if point > 0:
        missing = 9 + point - len(text)
        if missing >= 0 and "E" not in text:
            return text + _ZEROS[missing]
    elif text.isdigit():
        return text + ".00000000"
    return format(EXACT.quantize(value, EIGHT_PLACES), "f")


# The same prices and quantities are shown again and again; a remembered one costs a quarter.
render_amount: Callable[[Decimal], str] = lru_cache(maxsize=8192)(_render_amount)

_ZEROS: Final = tuple("0" * count for count in range(10))


def render_optional(value: Decimal | None) -> str:
    """Zero where there is no amount."""
    return render_amount(value) if value else ZERO_AMOUNT


def render_product(value: Decimal) -> str:
    """Eight places, the rest cut off: a price times a quantity may have more, or a sum of such."""
    try:
        return render_amount(value)
    except Inexact:
        return render_amount(round_down(value, EIGHT_PLACES))


def render_places(value: Decimal, places: int) -> str:
    """A value that is exact at so many places; Inexact otherwise."""
    return format(EXACT.quantize(value, Decimal(1).scaleb(-places)), "f")


# Security

NONE: Final = OPEN
USER_DATA: Final = Security(
    name="USER_DATA",
    keyed=True,
    signed=True,
    permission="read",
    description="Private account data: a key, a timestamp and a signature.",
)
TRADE: Final = Security(
    name="TRADE",
    keyed=True,
    signed=True,
    permission="trade",
    description="Placing and canceling orders: a key, a timestamp and a signature.",
)
TRANSFER: Final = Security(
    name="TRANSFER",
    keyed=True,
    signed=True,
    permission="transfer",
    description="Moving funds between one's own wallets.",
)
WITHDRAW: Final = Security(
    name="WITHDRAW", keyed=True, signed=True, permission="withdraw", description="Taking funds out."
)
USER_STREAM: Final = Security(
    name="USER_STREAM", keyed=True, permission="read", description="A key without a signature."
)

MARKET_DATA: Final = Security(
    name="MARKET_DATA", keyed=True, permission="read", description="A key without a signature."
)

# Legal ranges, as live hosts print them (issue threads and answers of 2022 to 2026)

DECIMAL_RANGE: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
INTEGER_RANGE: Final = "^[0-9]{1,20}$"
SYMBOL_RANGE: Final = r"^[\w\-._&&[^a-z]]{1,50}$"
SYMBOLS_RANGE: Final = r'^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$'
CLIENT_ID_RANGE: Final = "^[a-zA-Z0-9-_]{1,36}$"

SYMBOL_PATTERN: Final = r"(?:[A-Z0-9_.-]{1,50}|(?:[^\Wa-z]|[.-]){1,50})"
"""Java's class intersection in Python: any letter, digit or underscore but a to z, and . and -.
The first alternative says nothing more than the second, but is what nearly all symbols match, fast."""
CLIENT_ID_PATTERN: Final = "[a-zA-Z0-9_-]{1,36}"

# Parameters that many endpoints share

_SYMBOL = Parameter(
    "symbol",
    pattern=SYMBOL_PATTERN,
    legal_range=SYMBOL_RANGE,
    length_max=50,
    description="The name of a symbol, such as BTCUSDT.",
)
SYMBOL: Final = _SYMBOL.but(required=True)
SYMBOL_OPTIONAL: Final = _SYMBOL
SYMBOLS: Final = Parameter(
    "symbols",
    Kind.TEXT_LIST,
    pattern=SYMBOL_PATTERN,
    legal_range=SYMBOLS_RANGE,
    members_max=1000,
    description='Several symbols as a JSON array: ["BTCUSDT","ETHUSDT"].',
)
SYMBOL_STATUS: Final = Parameter(
    "symbolStatus",
    Kind.CHOICE,
    choices=SYMBOL_STATUSES,
    error=-1122,
    description="Only symbols in this status.",
)
SIDE: Final = Parameter("side", Kind.CHOICE, required=True, choices=tuple(SIDES), error=-1117)
ORDER_TYPE: Final = Parameter("type", Kind.CHOICE, required=True, choices=ORDER_TYPES, error=-1116)
TIME_IN_FORCE: Final = Parameter("timeInForce", Kind.CHOICE, choices=tuple(TIMES_IN_FORCE), error=-1115)
QUANTITY: Final = Parameter("quantity", Kind.DECIMAL, description="In the base asset.")
QUOTE_QUANTITY: Final = Parameter("quoteOrderQty", Kind.DECIMAL, description="In the quote asset.")
PRICE: Final = Parameter("price", Kind.DECIMAL)
STOP_PRICE: Final = Parameter("stopPrice", Kind.DECIMAL)
TRAILING_DELTA: Final = Parameter(
    "trailingDelta", Kind.INTEGER, description="Distance of the reversal in 1/10,000."
)
ICEBERG_QUANTITY: Final = Parameter("icebergQty", Kind.DECIMAL)
NEW_CLIENT_ORDER_ID: Final = Parameter(
    "newClientOrderId",
    pattern=CLIENT_ID_PATTERN,
    legal_range=CLIENT_ID_RANGE,
    length_max=36,
    description="Unique among open orders; generated when not sent.",
)
ORDER_ID: Final = Parameter("orderId", Kind.INTEGER)
ORIG_CLIENT_ORDER_ID: Final = Parameter(
    "origClientOrderId", pattern=CLIENT_ID_PATTERN, legal_range=CLIENT_ID_RANGE, length_max=36
)
STRATEGY_ID: Final = Parameter("strategyId", Kind.INTEGER)
STRATEGY_TYPE: Final = Parameter("strategyType", Kind.INTEGER, minimum=1_000_000, error=-1134)
NEW_ORDER_RESPONSE_TYPE: Final = Parameter("newOrderRespType", Kind.CHOICE, choices=("ACK", "RESULT", "FULL"))
SELF_TRADE_PREVENTION_MODE: Final = Parameter(
    "selfTradePreventionMode", Kind.CHOICE, choices=tuple(SELF_TRADE_MODES)
)
CANCEL_RESTRICTION: Final = Parameter(
    "cancelRestrictions", Kind.CHOICE, choices=tuple(CANCEL_RESTRICTIONS), error=-1145
)
PEG_PRICE_TYPE: Final = Parameter("pegPriceType", Kind.CHOICE, choices=tuple(PEG_SIDES), error=-1210)
PEG_OFFSET_TYPE: Final = Parameter("pegOffsetType", Kind.CHOICE, choices=("PRICE_LEVEL",), error=-1211)
PEG_OFFSET_VALUE: Final = Parameter("pegOffsetValue", Kind.INTEGER, minimum=1, maximum=100)
INTERVAL: Final = Parameter("interval", Kind.CHOICE, required=True, choices=tuple(INTERVALS_US), error=-1120)
START_TIME: Final = Parameter("startTime", Kind.TIME)
END_TIME: Final = Parameter("endTime", Kind.TIME)
FROM_ID: Final = Parameter("fromId", Kind.INTEGER)


def limit(default: int, maximum: int) -> Parameter:
    """How many rows; more than the maximum gives the maximum, as the live host does."""
    # Quirk: a `limit` above the documented maximum is no error and gives the maximum (live answers).
    return Parameter("limit", Kind.INTEGER, default=default, minimum=1, maximum=maximum, clamped=True)
