"""What the futures sites say when something is wrong: tables of codes and texts.

Codes and texts are those of the two error-code pages; a text that is known from live answers only says
so. Most codes are both products'; COIN-M has other numbers for some of what USD-M refuses (`Codes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.refusals import ErrorTable

TEXTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        # Quirk: the futures pages spell "occured" (error codes, -1000).
        -1000: "An unknown error occured while processing the request.",
        -1001: "Internal error; unable to process your request. Please try again.",
        -1002: "You are not authorized to execute this request.",
        -1003: "Too many requests queued.",
        -1007: (
            "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
        ),
        -1014: "Unsupported order combination.",
        -1015: "Too many new orders; current limit is %s orders per %s.",
        -1020: "This operation is not supported.",
        -1021: "Timestamp for this request is outside of the recvWindow.",
        -1022: "Signature for this request is not valid.",
        -1023: "Start time is greater than end time.",
        # Of sockets, as on Spot; not on the pages of futures.
        -1034: "Too many connection attempts from IP; current limit is %s per '%s'.",
        # Of links to files that are not there; what the storage of the exchange says is not documented.
        -1099: "Not found, unauthenticated, or unauthorized.",
        -1100: "Illegal characters found in parameter '%s'; legal range is '%s'.",
        -1101: "Too many parameters; expected '%s' and received '%s'.",
        -1102: "Mandatory parameter '%s' was not sent, was empty/null, or malformed.",
        -1104: "Not all sent parameters were read; read '%s' parameter(s) but was sent '%s'.",
        -1105: "Parameter '%s' was empty.",
        -1106: "Parameter '%s' sent when not required.",
        -1108: "Invalid asset.",
        -1109: "Invalid account.",
        -1110: "Invalid symbolType.",
        # Quirk: on futures -1111 names no parameter (error codes, -1111).
        -1111: "Precision is over the maximum defined for this asset.",
        -1112: "No orders on book for symbol.",
        -1114: "TimeInForce parameter sent when not required.",
        -1115: "Invalid timeInForce.",
        -1116: "Invalid orderType.",
        -1117: "Invalid side.",
        -1118: "New client order ID was empty.",
        -1119: "Original client order ID was empty.",
        -1120: "Invalid interval.",
        -1121: "Invalid symbol.",
        -1122: "Invalid symbol status.",
        # Quirk: COIN-M's page names the path of USD-M here too (error codes, -1125).
        -1125: (
            "This listenKey does not exist. Please use `POST /fapi/v1/listenKey` to recreate `listenKey`"
        ),
        -1126: "This asset is not supported.",
        -1127: "More than %s hours between startTime and endTime.",
        -1128: "Combination of optional parameters invalid.",
        -1130: "Data sent for parameter '%s' is not valid.",
        # Of Spot; the pages of futures have no code for it.
        -1131: "recvWindow must be less than 60000",
        # Of the WebSocket API's frames, as on Spot.
        -1135: "Invalid JSON Request",
        -1136: "Invalid newOrderRespType.",
        -1151: "Symbol is present multiple times in the list.",
        # Live answers only (issue threads of trailing stop orders).
        -2007: "Invalid callBack rate.",
        # Quirk: there is nothing to cancel: -2011 with Spot's text, though the page has only the name
        # CANCEL_REJECTED (live answers).
        -2011: "Unknown order sent.",
        -2013: "Order does not exist.",
        -2014: "API-key format invalid.",
        -2015: "Invalid API-key, IP, or permissions for action.",
        -2018: "Balance is insufficient.",
        -2019: "Margin is insufficient.",
        -2020: "Unable to fill.",
        -2021: "Order would immediately trigger.",
        -2022: "ReduceOnly Order is rejected.",
        -2023: "User in liquidation mode now.",
        -2025: "Reach max open order limit.",
        -2026: "This OrderType is not supported when reduceOnly.",
        -2027: "Exceeded the maximum allowable position at current leverage.",
        -2028: "Leverage is smaller than permitted: insufficient margin balance.",
        -4001: "Price less than 0.",
        -4002: "Price greater than max price.",
        # Quirk: a quantity of zero is told "or equal", which the page does not have (live answers).
        -4003: "Quantity less than or equal to zero.",
        -4004: "Quantity less than min quantity.",
        -4005: "Quantity greater than max quantity.",
        -4006: "Stop price less than zero.",
        -4007: "Stop price greater than max price.",
        -4013: "Price less than min price.",
        -4014: "Price not increased by tick size.",
        -4015: "Client order id is not valid.",
        # Quirk: a price outside of the band around the mark price is told what the bound is; the page says
        # only "Price is higher than mark price multiplier cap." (live answers).
        -4016: "Limit price can't be higher than %s.",
        # Quirk: the page has quotation marks around the limit and a full stop, hosts have neither (live
        # answers).
        -4021: "%s is not valid depth limit",
        -4023: "Qty not increased by step size.",
        -4024: "Limit price can't be lower than %s.",
        -4028: "Leverage %s is not valid",
        -4031: "Invalid parameter working type",
        -4032: "Exceed maximum cancel order size.",
        -4045: "Reach max stop order limit.",
        -4046: "No need to change margin type.",
        -4047: "Margin type cannot be changed if there exists open orders.",
        -4048: "Margin type cannot be changed if there exists position.",
        -4049: "Add margin only support for isolated position.",
        -4050: "Cross balance insufficient.",
        -4051: "Isolated balance insufficient.",
        -4054: "Cannot add position margin: position is 0.",
        -4055: "Amount must be positive.",
        -4059: "No need to change position side.",
        -4060: "Invalid position side.",
        -4061: "Order's position side does not match user's setting.",
        -4062: "Invalid or improper reduceOnly value.",
        -4067: "Position side cannot be changed if there exists open orders.",
        -4068: "Position side cannot be changed if there exists position.",
        -4082: "Invalid number of batch place orders.",
        -4083: "Fail to place batch orders.",
        -4104: "Invalid contract type",
        # Live answers only.
        -4108: "Symbol is on delivering or delivered or settling or closed or pre-trading.",
        -4116: "ClientOrderId is duplicated.",
        -4120: (
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
        ),
        -4130: "An open stop or take profit order with GTE and closePosition in the direction is existing.",
        -4135: "Invalid activation price",
        # Live answers only.
        -4136: "Target strategy invalid for orderType %s,closePosition %s",
        -4137: "Quantity must be zero with closePosition equals true",
        -4138: "Reduce only must be true with closePosition equals true",
        -4140: "Invalid symbol status for opening position",
        -4141: "Symbol is closed",
        -4142: "REJECT: take profit or stop order will be triggered immediately",
        -4167: (
            "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under isolated-margin mode."
        ),
        -4168: "Unable to adjust to isolated-margin mode under the Multi-Assets mode.",
        -4169: "Unable to adjust Multi-Assets Mode with insufficient margin balance in USDⓈ-M Futures.",
        -4170: "Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures.",
        -4171: "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
        -4172: (
            "Unable to adjust Multi-Assets Mode with a negative wallet balance of margin available asset in "
            "USDⓈ-M Futures account."
        ),
        # Quirk: the exchange's pages lack this one (change log, 2026-06; live answers).
        -4531: (
            "Position mode change requires syncing UM and CM. Please close any open positions or orders in "
            "%s and try again."
        ),
        # Quirk: orders that fail by their own time in force end with a sentence that the page does not have
        # (change log, 2023-03; live answers).
        -5021: (
            "Due to the order could not be filled immediately, the FOK order has been rejected. "
            "The order will not be recorded in the order history"
        ),
        -5022: (
            "Due to the order could not be executed as maker, the Post Only order will be rejected. "
            "The order will not be recorded in the order history"
        ),
        -5028: "Timestamp for this request is outside of the ME recvWindow.",
        -5029: "Order's notional must be no smaller than %s",
        -5037: "Invalid price match",
        -5038: "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT",
        -5039: "Invalid self trade prevention mode",
        -5040: (
            "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller "
            "than 253402300799000 (UTC 9999-12-31 23:59:59)"
        ),
        -5041: "No depth matches this BBO order",
        # Of conversions: in words of the documents of Binance Pay, which has the same quotes, since those of
        # futures have none.
        345231: "System failed to execute the quote, which has expired. Please request for quote again.",
        -5047: "The original order is not a reduce-only order",
        # Quirk: the pages of futures have no code for accounts without portfolio margin; this is what the
        # exchange's article on that program and the error codes of its own site say (support article "How
        # to Use the Binance Portfolio Margin Pro Program APIs", its example of an account without it).
        -21001: "invalid request: request ID is not a Portfolio Margin Account",
    }
)


class Codes(msgspec.Struct, frozen=True, kw_only=True):
    """What the two products have different numbers for."""

    minimum_notional: int
    reduced_leverage: int
    long_interval: int
    invalid_pair: int
    market_bound: int
    modified_type: int
    modified_nothing: int
    modified_often: int
    modified_closed: int
    above_stop_cap: int
    below_stop_floor: int


CODES: Final[Mapping[Product, Codes]] = MappingProxyType(
    {
        USDM: Codes(
            minimum_notional=-4164,
            reduced_leverage=-4161,
            long_interval=-4165,
            invalid_pair=-4144,
            market_bound=-4131,
            modified_type=-5025,
            modified_nothing=-5027,
            modified_often=-5026,
            modified_closed=-5024,
            above_stop_cap=-4183,
            below_stop_floor=-4184,
        ),
        # Quirk: for the same things COIN-M has other codes than USD-M, of which some mean something else
        # there (error codes of both, -4087 and -4088).
        COINM: Codes(
            minimum_notional=-4178,
            reduced_leverage=-4150,
            long_interval=-4088,
            invalid_pair=-4087,
            market_bound=-4113,
            modified_type=-4196,
            modified_nothing=-4197,
            modified_often=-4198,
            modified_closed=-4199,
            above_stop_cap=-4151,
            below_stop_floor=-4152,
        ),
    }
)
_CODE_TEXTS: Final[Mapping[str, str]] = {
    # Quirk: the text about the smallest notional ends with a full stop on the wire, and not on the page
    # (live answers).
    "minimum_notional": "Order's notional must be no smaller than %s (unless you choose reduce only).",
    "reduced_leverage": "Leverage reduction is not supported in Isolated Margin Mode with open positions",
    "long_interval": "Maximum time interval is %s days",
    "invalid_pair": "Invalid pair",
    "market_bound": "The counterparty's best price does not meet the PERCENT_PRICE filter limit",
    "modified_type": "Only limit order is supported.",
    "modified_nothing": "No need to modify the order.",
    "modified_often": "Exceed maximum modify order limit.",
    "modified_closed": "Symbol is not in trading status. Order amendment is not permitted.",
    # A limit price is measured by the stop price until its order is triggered.
    "above_stop_cap": "Limit price can't be higher than %s.",
    "below_stop_floor": "Limit price can't be lower than %s.",
}

_STATUSES: Final = {
    -1001: 503,
    -1002: 401,
    -1003: 429,
    # Quirk: a backend that does not answer in time is a 408 on futures (general information, "HTTP Return
    # Codes").
    -1007: 408,
    -1015: 429,
    -1034: 429,
    -1099: 404,
    -2014: 401,
    -2015: 401,
}


def _table(product: Product) -> ErrorTable:
    codes = msgspec.structs.asdict(CODES[product])
    return ErrorTable(
        texts=MappingProxyType({**TEXTS, **{codes[name]: text for name, text in _CODE_TEXTS.items()}}),
        statuses=_STATUSES,
        weight_used=(
            "Too many requests; current limit is {limit} requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        ),
        ip_banned=(
            "Way too many requests; IP banned until %s. "
            "Please use the websocket for live updates to avoid bans."
        ),
        # Quirk: -1108 is about assets on futures; a number that is too large is malformed (error codes).
        overflow=-1102,
        signed_numbers=True,
        # Quirk: parameters that are missing, empty or superfluous are named in lower case on futures
        # (live answers: 'reduceonly', 'timeinforce').
        lowers_names=True,
    )


TABLES: Final[Mapping[Product, ErrorTable]] = MappingProxyType(
    {product: _table(product) for product in (USDM, COINM)}
)

refuse: Final = TABLES[USDM].refuse
"""An error that both products have under one code; for the others see `Codes`."""
