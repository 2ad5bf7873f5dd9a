"""What Bybit says when it refuses: its codes with their texts, and which of them are no HTTP 200.

Texts are those of the error page (docs, v5, "Error Codes"), or, where running servers say something else,
what these say; both have parts that are filled in. Nearly everything is told with HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, assert_never

from emulator.web.contract import Failure, Refusal

TEXTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        403: "access too frequent",
        10000: "Server Timeout",
        10001: "Request parameter error",
        10002: (
            "invalid request, please check your server timestamp or recv_window param. "
            "req_timestamp[%s],server_timestamp[%s],recv_window[%s]"
        ),
        10003: "API key is invalid.",
        10004: "error sign! origin_string[%s]",
        10005: "Permission denied, please check your API key permissions.",
        10006: "Too many visits. Exceeded the API Rate Limit.",
        10007: "User authentication failed.",
        10010: "Unmatched IP, please check your API key's bound IP addresses.",
        10014: "Invalid duplicate request.",
        10016: "Server error.",
        10017: "Route not found.",
        10024: "Compliance rules triggered",
        10027: "Transactions are banned.",
        10028: "The API can only be accessed by unified account users.",
        10029: "The requested symbol is invalid, please check symbol whitelist",
        # Sockets that take orders
        10403: "Exceed IP rate limit. %s requests per second per IP",
        10404: "op type is not found or `category` is not correct/supported",
        20006: "reqId is duplicated",
        33004: "Your api key has expired.",
        34040: "not modified",
        100028: "The API cannot be accessed by unified account users.",
        # Contracts
        110001: "order not exists or too late to cancel",
        110003: "Order price is out of permissible range",
        110004: "Wallet balance is insufficient",
        110006: "The assets are estimated to be unable to cover the position margin",
        110007: "ab not enough for new order",
        110008: "The order has been completed or cancelled.",
        110009: "already had 10 working normal stop orders",
        110010: "The order has been cancelled",
        110011: "Liquidation will be triggered immediately by this adjustment",
        110012: "Insufficient available balance.",
        110013: "cannot set leverage [%s] gt maxLeverage [%s] by risk limit",
        110014: "Insufficient available balance to add additional margin.",
        110015: "The position is in cross margin mode.",
        110017: "current position is zero, cannot fix reduce-only order qty",
        110020: "Not allowed to have more than 500 active orders.",
        110021: "Not allowed to exceeded position limits due to Open Interest.",
        110022: "Quantity has been restricted and orders cannot be modified to increase the quantity.",
        110023: "Currently you can only reduce your position on this contract.",
        110024: "You have an existing position, so the position mode cannot be switched.",
        110025: "Position mode is not modified",
        110026: "Cross/isolated margin mode has not been modified.",
        110027: "Margin has not been modified.",
        110028: "You have existing open orders, so the position mode cannot be switched.",
        110029: "Hedge mode is not supported for this symbol.",
        110032: "Order is illegal",
        110033: "You can't set margin without an open position",
        110034: "There is no net position",
        110036: "You are not allowed to change leverage due to cross margin mode.",
        110037: "User setting list does not have this symbol",
        110038: "You are not allowed to change leverage due to portfolio margin mode.",
        110039: "Maintenance margin rate is too high. This may trigger liquidation.",
        110040: "The order will trigger a forced liquidation, please re-submit the order.",
        110041: "Skip liquidation is not allowed when a position or maker order exists",
        110042: ("Currently,due to pre-delivery status, you can only reduce your position on this contract."),
        110043: "leverage not modified",
        110044: "Available margin is insufficient.",
        110045: "Wallet balance is insufficient.",
        110050: "Invalid coin",
        110057: "Conditional order or limit order contains TP/SL related params",
        110058: (
            "You can't set take profit and stop loss due to insufficient size of remaining position size."
        ),
        110059: "Not allowed to  modify the TP/SL of a partially filled open order",
        110060: "Under full TP/SL mode, it is not allowed to modify TP/SL",
        110061: "Not allowed to have more than 20 TP/SLs under Partial tpSlMode",
        110064: "The modified contract quantity cannot be less than or equal to the filled quantity.",
        110065: "MMP hasn't yet been enabled for your account. Please contact your BD manager.",
        110066: "Trading is currently not allowed.",
        110068: "Leveraged trading is not allowed.",
        110072: "OrderLinkedID is duplicate",
        110073: "Set margin mode failed",
        110074: "This contract is not live",
        110076: "Only isolated mode can set auto-add-margin",
        110077: "Pm mode cannot support",
        110078: "Added margin more than max can reduce margin",
        110079: "The order is processing and can not be operated, please try again later",
        110086: (
            "Current order leverage exceeds the maximum available for your current Risk Limit tier. "
            "Please lower leverage before placing an order"
        ),
        110089: "Exceeds the maximum risk limit level",
        110090: (
            "Order placement failed as your position may exceed the max limit. "
            "Please adjust your leverage to %s or below to increase the max. position limit"
        ),
        110092: "expect Rising, but trigger_price[%s] <= current[%s]??%s",
        110093: "expect Falling, but trigger_price[%s] >= current[%s]??%s",
        110094: "Order does not meet minimum order value %s",
        110098: "Only Good-Till-Canceled (GTC) orders are supported during Call Auction. ",
        110100: (
            "You cannot place, modify, or cancel Pre-Market Perpetual orders when you are in Demo Trading. "
        ),
        110101: (
            "Trading inverse contracts under Cross and Portfolio modes requires enabling the settlement "
            "asset as collateral."
        ),
        110103: "Only Post-Only orders are available at this stage",
        110108: "Allowable range: 1 to 10000 tick size",
        110109: "Allowable range: 0.01% to 10%",
        110118: "Unable to retrieve a pruce of the market order due to low liquidity",
        110119: "Order failed. RPI orders are restricted to approved market makers only",
        110120: "Order price cannot be smaller than %s, the price limitation",
        110121: "Order price cannot be higher than %s, the price limitation",
        3400045: "Set margin mode failed",
        # Pairs
        170005: "Too many new orders; current limit is %s orders per %s.",
        170007: "Timeout waiting for response from backend server.",
        170033: "margin Insufficient account balance ",
        170034: "Liability over flow in spot leverage trade!",
        170036: (
            "You haven't enabled Cross Margin Trading yet. To do so, please head to the PC trading site "
            "or the Bybit app"
        ),
        170037: "Cross Margin Trading not yet supported by the selected coin",
        170105: "Parameter '%s' was empty.",
        170115: "Invalid timeInForce.",
        170116: "Invalid orderType.",
        170117: "Invalid side.",
        170121: "Invalid symbol.",
        170124: "Order amount too large.",
        170130: "Data sent for paramter '%s' is not valid.",
        170131: "Insufficient balance.",
        170132: "Order price too high.",
        170133: "Order price lower than the minimum.",
        170134: "Order price has too many decimals.",
        170136: "Order quantity exceeded lower limit.",
        170137: "Order quantity has too many decimals.",
        170139: "Order has been filled.",
        170140: "Order value exceeded lower limit.",
        170141: "Duplicate clientOrderId",
        170142: "Order has been cancelled",
        170143: "Cannot be found on order book",
        170145: "This order type does not support cancellation",
        170148: "Market order amount decimal too long",
        170151: "The trading pair is not open yet",
        170190: "Cancel order has been finished",
        170191: "Can not cancel order, please try again later",
        170192: "Order price cannot be higher than %s .",
        170193: "Buy order price cannot be higher than %s.",
        170194: "Sell order price cannot be lower than %s.",
        170201: "Invalid orderFilter parameter",
        170202: "Please enter the TP/SL price.",
        170203: "trigger price cannot be higher than 110% price.",
        170204: "trigger price cannot be lower than 90% of qty. ",
        170210: "New order rejected.",
        170213: "Order does not exist.",
        170217: "Only LIMIT-MAKER order is supported for the current pair.",
        170218: "The LIMIT-MAKER order is rejected due to invalid price.",
        170221: "This coin does not exist.",
        170227: "This feature is not supported.",
        170228: "The purchase amount of each order exceeds the estimated maximum purchase amount.",
        170229: "The sell quantity per order exceeds the estimated maximum sell quantity.",
        170312: "The current order does not support modification",
        170313: "The modified contract quantity cannot be less than to the filled quantity",
        170341: "Request order quantity exceeds maximum limit",
        170344: "Symbol is not supported on Margin Trading",
        170346: "Settle coin is not a collateral coin, cannot trade",
        170355: "RPI orders are restricted to approved market makers only ",
        170371: "Order price cannot be lower than %s, the price limitation.",
        170372: "Order price cannot be higher than %s, the price limitation",
        170381: "Order quantity too large.",
        170382: "Order quantity too large.",
        170810: "Cannot exceed maximum of 500 conditional, TP/SL and active orders. ",
        # Wallets
        131001: "openapi svc error",
        131002: "Parameter error",
        131212: "Insufficient balance",
        131214: "TransferId exist",
        182021: (
            "Cannot enable spot margin while in isolated margin mode. Please switch to cross margin mode or "
            "portfolio margin mode to trade spot with margin."
        ),
    }
)

PARAMETER: Final = "params error: %s invalid"
"""Of 10001, where one parameter is not what it should be (running servers)."""
CATEGORY: Final = "Illegal category"
MISSING_ONE_OF: Final = "Missing some parameters that must be filled in, %s"
SAME_SIDE: Final = "reduce-only order has same side with current position"
COVERED: Final = "orderQty will be truncated to zero"
"""Of 110017, where there is a position: it is on the same side, or others in the book reduce all of it."""

_OWN_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "category": CATEGORY,
        "qty": "Qty invalid",
        "side": "Side invalid",
        "orderType": "OrderType invalid",
        "triggerDirection": "params error: TriggerDirection invalid",
        "positionIdx": "position idx not match position mode",
        "buyLeverage": "buy leverage invalid",
        "sellLeverage": "sell leverage invalid",
        "interval": "params error: intervalTime is invalid",
    }
)
"""Parameters whose error running servers tell in another way."""


def refuse(code: int, *parts: object, text: str | None = None, status: int = 200) -> Refusal:
    """The error `code`; parts fill its text, or the given one of several texts."""
    words = TEXTS[code] if text is None else text
    return Refusal(status, code, words % parts if parts else words)


def refuse_parameter(name: str) -> Refusal:
    """A parameter that is missing, or not what it should be, as most endpoints say it."""
    own = _OWN_WORDS.get(name)
    return Refusal(200, 10001, PARAMETER % name if own is None else own)


_SPOT_INVALID: Final[Mapping[str, int]] = MappingProxyType(
    {"timeInForce": 170115, "orderType": 170116, "side": 170117, "symbol": 170121, "orderFilter": 170201}
)


def refuse_spot_missing(name: str) -> Refusal:
    """The same of orders of pairs, which have codes of their own."""
    return refuse(10001, text=CATEGORY) if name == "category" else refuse(170105, name)


def refuse_spot_parameter(name: str) -> Refusal:
    code = _SPOT_INVALID.get(name)
    return refuse(170130, name) if code is None else refuse(code)


def fail(failure: Failure, detail: str) -> Refusal:
    """What the mechanics could not do. HTTP statuses are those of the error page, which has no 5xx: that a
    server fails, or does not answer in time, is told by codes."""
    match failure:
        case Failure.UNKNOWN_PATH | Failure.NOT_EMULATED:
            return refuse(10017, detail, text=f"{TEXTS[10017]} Not emulated: %s", status=404)
        case Failure.WRONG_METHOD:
            # Quirk: a path that is called by another method is a bad request, 400 ("HTTP Code").
            return refuse(10017, detail, text=f"{TEXTS[10017]} %s", status=400)
        case Failure.UNKNOWN_SANDBOX:
            words = f"There is no sandbox named {detail[:80]!r}."
            return refuse(10017, words, text=f"{TEXTS[10017]} %s", status=404)
        case Failure.TOO_LARGE:
            return refuse(10001, text="Request parameter error: the request is too large", status=400)
        case Failure.UNAVAILABLE:
            # Nothing was done: a server error says so best, since a timeout leaves it open.
            return refuse(10016)
        case Failure.OUTCOME_UNKNOWN:
            return refuse(10000)
        case Failure.BROKEN:
            return refuse(10016)
    assert_never(failure)


def render_error(refusal: Refusal, now_us: int) -> dict[str, Any]:
    """The envelope of an error. `result` and `retExtInfo` may be given as further members."""
    body: dict[str, Any] = {
        "retCode": refusal.code,
        "retMsg": refusal.message,
        "result": {},
        "retExtInfo": {},
        "time": now_us // 1000,
    }
    if refusal.extra:
        body.update(refusal.extra)
    return body
