"""What Binance says when something is wrong: codes, texts, HTTP statuses, and rejections in its words.

Codes and texts are those of the exchange's errors.md; a text that is known from answers of the live
host only says so. `refuse` makes a documented error, `speak` turns a rejection of the core into one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, assert_never

from emulator.core import commands, rejections
from emulator.core.commands import Command
from emulator.core.instruments import OrderType
from emulator.core.orders import OrderTerms, TriggerKind
from emulator.core.rejections import Feature, Limit, Rejection
from emulator.exchanges.binance.refusals import ErrorTable, Language, render_error
from emulator.web.contract import Refusal

TEXTS: Mapping[int, str] = MappingProxyType(
    {
        -1000: "An unknown error occurred while processing the request.",
        -1001: "Internal error; unable to process your request. Please try again.",
        -1002: "You are not authorized to execute this request.",
        -1003: "Too many requests queued.",
        -1006: "An unexpected response was received from the message bus. Execution status unknown.",
        -1007: (
            "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
        ),
        -1008: "Server is currently overloaded with other requests. Please try again in a few minutes.",
        -1013: "Filter failure: %s",
        -1014: "Unsupported order combination.",
        -1015: "Too many new orders; current limit is %s orders per %s.",
        -1016: "This service is no longer available.",
        -1020: "This operation is not supported.",
        -1021: "Timestamp for this request is outside of the recvWindow.",
        -1022: "Signature for this request is not valid.",
        -1034: "Too many connection attempts from IP; current limit is %s per '%s'.",
        -1100: "Illegal characters found in parameter '%s'; legal range is '%s'.",
        -1101: "Too many parameters; expected '%s' and received '%s'.",
        -1102: "Mandatory parameter '%s' was not sent, was empty/null, or malformed.",
        -1103: "An unknown parameter was sent.",
        -1104: "Not all sent parameters were read; read '%s' parameter(s) but was sent '%s'.",
        -1105: "Parameter '%s' was empty.",
        -1106: "Parameter '%s' sent when not required.",
        -1108: "Parameter '%s' overflowed.",
        -1111: "Parameter '%s' has too much precision.",
        -1112: "No orders on book for symbol.",
        -1114: "TimeInForce parameter sent when not required.",
        -1115: "Invalid timeInForce.",
        -1116: "Invalid orderType.",
        -1117: "Invalid side.",
        -1118: "New client order ID was empty.",
        -1119: "Original client order ID was empty.",
        -1120: "Invalid interval.",
        -1121: "Invalid symbol.",
        -1122: "Invalid symbolStatus.",
        -1125: "This listenKey does not exist.",
        -1127: "More than %s hours between startTime and endTime.",
        -1128: "Combination of optional parameters invalid.",
        -1130: "Data sent for parameter '%s' is not valid.",
        # Not in errors.md any more; named by the change log of the parameter's introduction.
        -1131: "recvWindow must be less than 60000",
        -1134: "`strategyType` was less than 1000000.",
        -1135: "JSON sent for parameter '%s' is not valid",
        -1139: "Invalid ticker type.",
        -1145: "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.",
        -1151: "Symbol is present multiple times in the list.",
        -1155: "SBE is not enabled.",
        -1158: "Order type not supported in OCO.",
        -1160: "Parameter '%s' is not supported if `aboveTimeInForce`/`belowTimeInForce` is not GTC.",
        -1165: "A limit order in a buy OCO must be below.",
        -1166: "A limit order in a sell OCO must be above.",
        -1168: "At least one OCO order must be contingent.",
        -1194: "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.",
        -1196: "A stop loss order in a buy OCO must be above.",
        -1197: "A stop loss order in a sell OCO must be below.",
        -1198: "A take profit order in a buy OCO must be below.",
        -1199: "A take profit order in a sell OCO must be above.",
        -1210: "Invalid pegPriceType.",
        -1211: "Invalid pegOffsetType.",
        -1220: "The symbol's status does not match the requested symbolStatus.",
        -1222: "Working order in an OPO list must be a bid.",
        -1223: "Pending orders in an OPO list must be asks.",
        -1224: "Working order must include the '%s' tag.",
        -1225: "Pending orders should not include the '%s' tag.",
        -2010: "NEW_ORDER_REJECTED",
        -2011: "CANCEL_REJECTED",
        -2013: "Order does not exist.",
        -2014: "API-key format invalid.",
        -2015: "Invalid API-key, IP, or permissions for action.",
        -2016: "No trading window could be found for the symbol. Try ticker/24hrs instead.",
        -2021: "Order cancel-replace partially failed.",
        -2022: "Order cancel-replace failed.",
        -2026: ("Order was canceled or expired with no executed qty over 90 days ago and has been archived."),
        -2035: "User Data Stream subscription already active.",
        -2036: "User Data Stream subscription not active.",
        -2038: "ORDER_AMEND_REJECTED",
        -2039: "Client order ID is not correct for this order ID.",
        -2042: "Maximum subscription ID reached for this connection.",
        -2043: "This symbol doesn't have a reference price.",
        # Of the wallet's API, as live hosts answer.
        -4026: "User has insufficient balance",
    }
)

INVALID_JSON = "Invalid JSON Request"
INVALID_REQUEST_MEMBER = "Invalid '%s' in JSON request; expected %s."
"""Of a WebSocket API's frames (live answers)."""
# Texts of the matching engine (errors.md, "Messages for -1010, -2010, -2011, and -2038").
UNKNOWN_ORDER = "Unknown order sent."
DUPLICATE_ORDER = "Duplicate order sent."
MARKET_CLOSED = "Market is closed."
INSUFFICIENT_BALANCE = "Account has insufficient balance for requested action."
WOULD_TRIGGER = "Order would trigger immediately."
WOULD_TAKE = "Order would immediately match and take."
COMBINATION = "Unsupported order combination"

STATUSES: Mapping[int, int] = MappingProxyType(
    {
        -1001: 503,
        -1002: 401,
        -1003: 429,
        -1006: 503,
        # An older edition of the documents: 504 when no response came within the timeout.
        -1007: 504,
        -1008: 503,
        -1015: 429,
        -1034: 429,
        -2014: 401,
        -2015: 401,
        # Quirk: a cancel-replace that succeeds by half is a conflict, 409 (rest-api.md, "HTTP Return Codes").
        -2021: 409,
    }
)
"""Everything else is a 400."""


ERRORS: Final = ErrorTable(
    texts=TEXTS,
    statuses=STATUSES,
    weight_used=(
        "Too much request weight used; current limit is {limit} request weight per {interval}. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    ),
    ip_banned=(
        "Way too much request weight used; IP banned until %s. "
        "Please use WebSocket Streams for live updates to avoid bans."
    ),
)

refuse: Final = ERRORS.refuse
"""A documented error of Spot and of the wallet."""


class Attempt(str, Enum):
    """What was asked for when a rejection came; it decides the code of the engine's texts."""

    PLACE = "place"
    CANCEL = "cancel"
    AMEND = "amend"
    MOVE = "move"
    """Deposits, withdrawals, transfers and locks."""
    QUERY = "query"


def attempt_of(command: Command | None) -> Attempt:
    match command:
        case None:
            return Attempt.QUERY
        case commands.CancelOrder() | commands.CancelAllOrders() | commands.CancelOrderList():
            return Attempt.CANCEL
        case commands.AmendOrder() | commands.ModifyOrder():
            return Attempt.AMEND
        case (
            commands.Deposit()
            | commands.Withdraw()
            | commands.Transfer()
            | commands.LockFunds()
            | commands.UnlockFunds()
            | commands.CorrectBalance()
        ):
            return Attempt.MOVE
        case _:
            return Attempt.PLACE


_ENGINE_CODE = {
    Attempt.PLACE: -2010,
    Attempt.CANCEL: -2011,
    Attempt.AMEND: -2038,
    Attempt.MOVE: -1013,
    Attempt.QUERY: -2013,
}

FILTERS: Mapping[Limit, str] = MappingProxyType(
    {
        Limit.PRICE_RANGE: "PRICE_FILTER",
        Limit.PRICE_STEP: "PRICE_FILTER",
        Limit.PRICE_BAND: "PERCENT_PRICE_BY_SIDE",
        Limit.QUANTITY_RANGE: "LOT_SIZE",
        Limit.QUANTITY_STEP: "LOT_SIZE",
        Limit.MARKET_QUANTITY_RANGE: "MARKET_LOT_SIZE",
        Limit.MARKET_QUANTITY_STEP: "MARKET_LOT_SIZE",
        Limit.NOTIONAL: "NOTIONAL",
        Limit.ICEBERG_PARTS: "ICEBERG_PARTS",
        Limit.TRAILING_DISTANCE: "TRAILING_DELTA",
        Limit.POSITION: "MAX_POSITION",
        Limit.ORDERS: "MAX_NUM_ORDERS",
        Limit.TRIGGER_ORDERS: "MAX_NUM_ALGO_ORDERS",
        Limit.ICEBERG_ORDERS: "MAX_NUM_ICEBERG_ORDERS",
        Limit.ORDER_LISTS: "MAX_NUM_ORDER_LISTS",
        Limit.AMENDS: "MAX_NUM_ORDER_AMENDS",
        Limit.TAKE_BOUND: "PERCENT_PRICE_BY_SIDE",
        Limit.CLOSING_ORDERS: "MAX_NUM_ALGO_ORDERS",
        Limit.STOP_PAIRS: "MAX_NUM_ALGO_ORDERS",
    }
)
"""The filter that a limit belongs to, by its name on the wire."""


def speak(rejection: Rejection, command: Command | None) -> Refusal:
    """A rejection in Binance's words. command: what was rejected; None for a query."""
    return _speak(rejection, attempt_of(command), command)


def _speak(rejection: Rejection, attempt: Attempt, command: Command | None) -> Refusal:
    engine = _ENGINE_CODE[attempt]
    match rejection:
        case rejections.UnknownAccount():
            return refuse(-1002)
        case rejections.UnknownInstrument():
            return refuse(-1121)
        case rejections.UnknownWallet():
            return refuse(-1130, "type")
        case rejections.UnknownOrder() | rejections.UnknownOrderList():
            if attempt is Attempt.QUERY:
                return refuse(-2013)
            return refuse(engine, text=UNKNOWN_ORDER)
        case rejections.OrderIdsDisagree():
            return refuse(-2039)
        case rejections.InstrumentNotTrading():
            # Quirk: that a market is closed is a text of the engine, but comes under -1013, the code of
            # failed filters (ccxt, pull request 6570).
            return refuse(engine if attempt is not Attempt.PLACE else -1013, text=MARKET_CLOSED)
        case rejections.DuplicateClientId():
            return refuse(engine, text=DUPLICATE_ORDER)
        case rejections.AmountInvalid():
            return refuse(-1130, "amount")
        case rejections.InsufficientBalance():
            if attempt is Attempt.MOVE:
                return refuse(-4026)
            return refuse(engine, text=INSUFFICIENT_BALANCE)
        case rejections.LimitBroken():
            # Quirk: too many amendments of one order break a filter too, but are a -2038 (filters.md,
            # "MAX_NUM_ORDER_AMENDS").
            code = -2038 if rejection.limit is Limit.AMENDS else -1013
            return refuse(code, FILTERS[rejection.limit], text=TEXTS[-1013])
        case rejections.FeatureOff():
            # Live hosts send these texts under -1013, before the engine sees the order.
            code = -2038 if rejection.feature is Feature.AMEND else -1013
            return refuse(code, text=_feature_text(rejection.feature, command))
        case rejections.SelfTradeModeNotAllowed():
            return refuse(-1013, text="This symbol does not allow the specified self-trade prevention mode.")
        case rejections.WouldTake():
            return refuse(engine, text=WOULD_TAKE)
        case rejections.WouldTrigger():
            return refuse(engine, text=WOULD_TRIGGER)
        case rejections.WouldNotFill():
            # Binance accepts such an order and lets it expire; its instruments are configured so.
            return refuse(-2010)
        case rejections.NotionalZero():
            return refuse(engine, text="Price * QTY is zero or less.")
        case rejections.IcebergTooLarge():
            return refuse(engine, text="IcebergQty exceeds QTY.")
        case rejections.BookTooThin():
            # Quirk: what a book is too thin for has three texts (errors.md, "Messages for -1010, -2010,
            # -2011, and -2038").
            name = None if rejection.limit is None else f"`{FILTERS[rejection.limit]}` filter"
            return refuse(
                engine, text=f"Order book liquidity is less than {name or 'symbol'} minimum quantity."
            )
        case rejections.NoPegLevel():
            return refuse(engine, text="Order book liquidity is too low for this pegged order.")
        case rejections.ListPricesWrong():
            return refuse(engine, text="The relationship of the prices for the orders is not correct.")
        case rejections.CancelRestricted():
            return refuse(-2011, text="Order was not canceled due to cancel restrictions.")
        case rejections.AmendIncreases():
            return refuse(-2038, text="Order amend (quantity increase) is not supported.")
        case rejections.AmendChangesNothing():
            return refuse(-2038, text="The requested action would change no state; rejecting")
        case rejections.AmendPendingFunded():
            return refuse(-2038, text="Order amend (pending OPO order) is not supported.")
        case rejections.OrderTermsInvalid():
            return refuse(engine, text=COMBINATION)
        case (
            rejections.InsufficientMargin()
            | rejections.PositionTooLarge()
            | rejections.NotAContract()
            | rejections.LeverageInvalid()
            | rejections.LeverageShared()
            | rejections.SettingUnchanged()
            | rejections.SettingBlocked()
            | rejections.NoIsolatedPosition()
            | rejections.LegWrong()
            | rejections.NothingToReduce()
            | rejections.MarginNeeded()
            | rejections.TimePassed()
            | rejections.OrderNotResting()
            | rejections.CollateralOff()
            | rejections.BorrowingOff()
            | rejections.BorrowedTooMuch()
            | rejections.NothingOwed()
            | rejections.StopPriceWrong()
            | rejections.AmendBelowExecuted()
        ):
            # Only contracts have positions, and those are not traded on this site; nor do orders end by time.
            return refuse(-1130, "symbol")
        case rejections.ReplaceFailed():
            cancel = command.cancel if isinstance(command, commands.ReplaceOrder) else None
            place = command.place if isinstance(command, commands.ReplaceOrder) else None
            return replace_refusal(rejection, cancel_command=cancel, place_command=place)
        case _:
            # The root class is open to Python, the set is not: a member without words is our defect.
            raise AssertionError(f"no words for {type(rejection).__name__}")


def _feature_text(feature: Feature, command: Command | None) -> str:
    match feature:
        case Feature.MARKET:
            return "Market orders are not supported for this symbol."
        case Feature.QUOTE_QUANTITY:
            # Quirk: the text about market orders by quote quantity says "support" for "supported" (errors.md,
            # "Messages for -1010, -2010, -2011, and -2038").
            return "Quote order qty market orders are not support for this symbol."
        case Feature.TRIGGER:
            return f"{_trigger_words(command)} orders are not supported for this symbol."
        case Feature.TRAILING:
            return "Trailing stop orders are not supported for this symbol."
        case Feature.ICEBERG:
            return "Iceberg orders are not supported for this symbol."
        case Feature.PEG:
            return "Pegged orders are not supported for this symbol."
        case Feature.ORDER_LIST:
            if isinstance(command, commands.PlaceOrderList) and command.funded:
                return "OPO orders are not supported for this symbol."
            return "OCO orders are not supported for this symbol"
        case Feature.REPLACE:
            return "Order cancel-replace is not supported for this symbol."
        case Feature.AMEND:
            return "Order amend is not supported for this symbol."
    assert_never(feature)


def _trigger_words(command: Command | None) -> str:
    terms: OrderTerms | None = None
    match command:
        case commands.PlaceOrder() | commands.TestOrder():
            terms = command.terms
        case commands.ReplaceOrder():
            terms = command.place.terms
        case commands.PlaceOrderList():
            terms = next((leg for leg in command.legs if leg.trigger is not None), None)
        case _:
            pass
    if terms is None or terms.trigger is None:
        return "Stop loss"
    words = "Stop loss" if terms.trigger.kind is TriggerKind.STOP_LOSS else "Take profit"
    return words if terms.type is OrderType.MARKET else f"{words} limit"


def replace_refusal(
    rejection: rejections.ReplaceFailed,
    *,
    cancel_command: Command | None = None,
    place_command: Command | None = None,
    canceled: Mapping[str, Any] | None = None,
    placed: Mapping[str, Any] | None = None,
    place_refusal: Refusal | None = None,
) -> Refusal:
    """The answer to a replacement of which at least one half failed.

    canceled, placed: the body of the half that succeeded. place_refusal: the placement's error where
    it is not the core's to know, such as a quota. -2021 (409) when one half succeeded, else -2022.
    """
    cancel_body: Mapping[str, Any] | None = canceled
    if rejection.cancel is not None:
        cancel_body = render_error(_speak(rejection.cancel, Attempt.CANCEL, cancel_command))
    place_body: Mapping[str, Any] | None = placed
    place_failed = rejection.place is not None or place_refusal is not None
    if place_refusal is not None:
        place_body = render_error(place_refusal)
    elif rejection.place is not None:
        place_body = render_error(_speak(rejection.place, Attempt.PLACE, place_command))
    attempted = rejection.place_attempted or place_refusal is not None
    place_result = "NOT_ATTEMPTED" if not attempted else "FAILURE" if place_failed else "SUCCESS"
    # Quirk: a cancel-replace whose cancel fails under STOP_ON_FAILURE does not attempt the placement and
    # is a whole failure, -2022 with 400 (rest-api.md, cancelReplace).
    whole = rejection.cancel is not None and place_result != "SUCCESS"
    code = -2022 if whole else -2021
    return Refusal(
        STATUSES.get(code, 400),
        code,
        TEXTS[code],
        extra={
            "data": {
                "cancelResult": "SUCCESS" if rejection.cancel is None else "FAILURE",
                "newOrderResult": place_result,
                "cancelResponse": cancel_body,
                "newOrderResponse": place_body if attempted else None,
            }
        },
    )


SPOT: Final = Language(
    errors=ERRORS,
    speak=speak,
    weight_headers=(b"x-mbx-used-weight", b"x-mbx-used-weight-1m"),
    describes_halves=True,
    refuses_unknown=True,
    time_units=True,
)
