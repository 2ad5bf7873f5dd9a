"""Every code of the futures sites that trading can come to is come to, by a request that deserves it.

Texts are those of the error-code pages, or of live answers where `errors` says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.futures.refusals import TABLES
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.arena import (
    BTC,
    COIN_BUY,
    LIMIT_BUY,
    LIMIT_SELL,
    MARKET_BUY,
    MARKET_SELL,
    STOP,
    Arena,
)

pytestmark = pytest.mark.anyio

NOW_MS = NOW_US // 1000
WEEK_MS = 7 * 86_400_000

NOTIONAL = "Order's notional must be no smaller than 50 (unless you choose reduce only)."
GONE = "The order will not be recorded in the order history"


@pytest.fixture
async def arena() -> AsyncIterator[Arena]:
    async with Arena() as arena:
        yield arena


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def mandatory(name: str) -> str:
    return f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def superfluous(name: str) -> str:
    return f"Parameter '{name}' sent when not required."


PLACEMENTS: list[tuple[dict[str, Any], int, str]] = [
    # What a type needs, and what it does not take
    (without(LIMIT_BUY, "symbol"), -1102, mandatory("symbol")),
    (without(LIMIT_BUY, "timeInForce"), -1102, mandatory("timeinforce")),
    (without(LIMIT_BUY, "price"), -1102, mandatory("price")),
    (without(LIMIT_BUY, "quantity"), -1102, mandatory("quantity")),
    ({**LIMIT_BUY, "timeInForce": "GTD"}, -1102, mandatory("goodtilldate")),
    ({**LIMIT_BUY, "price": ""}, -1105, "Parameter 'price' was empty."),
    ({**LIMIT_BUY, "newClientOrderId": ""}, -1118, "New client order ID was empty."),
    ({**LIMIT_BUY, "stopPrice": "90000"}, -1106, superfluous("stopprice")),
    ({**LIMIT_BUY, "goodTillDate": NOW_MS + 700_000}, -1106, superfluous("goodtilldate")),
    ({**MARKET_BUY, "timeInForce": "GTC"}, -1106, superfluous("timeinforce")),
    ({**MARKET_BUY, "price": "100000"}, -1106, superfluous("price")),
    ({**LIMIT_BUY, "timeInForce": "DAY"}, -1115, "Invalid timeInForce."),
    ({**LIMIT_BUY, "type": "ICEBERG"}, -1116, "Invalid orderType."),
    ({**LIMIT_BUY, "side": "LONG"}, -1117, "Invalid side."),
    ({**LIMIT_BUY, "symbol": "BTCEUR"}, -1121, "Invalid symbol."),
    ({**LIMIT_BUY, "symbol": "BTCUSD_PERP"}, -1121, "Invalid symbol."),
    # Listed half a year before it is delivered: not yet.
    ({**LIMIT_BUY, "symbol": "BTCUSDT_300329"}, -1121, "Invalid symbol."),
    # Delivered half a year ago.
    ({**LIMIT_BUY, "symbol": "BTCUSDT_260327"}, -4141, "Symbol is closed"),
    ({**LIMIT_BUY, "newOrderRespType": "FULL"}, -1136, "Invalid newOrderRespType."),
    ({**LIMIT_BUY, "reduceOnly": "perhaps"}, -4062, "Invalid or improper reduceOnly value."),
    ({**LIMIT_BUY, "newClientOrderId": "a b"}, -4015, "Client order id is not valid."),
    ({**LIMIT_BUY, "newClientOrderId": "x" * 37}, -4015, "Client order id is not valid."),
    ({**LIMIT_BUY, "positionSide": "NEITHER"}, -4060, "Invalid position side."),
    (
        {**LIMIT_BUY, "positionSide": "LONG"},
        -4061,
        "Order's position side does not match user's setting.",
    ),
    ({**LIMIT_BUY, "workingType": "INDEX_PRICE"}, -4031, "Invalid parameter working type"),
    ({**LIMIT_BUY, "selfTradePreventionMode": "TRANSFER"}, -5039, "Invalid self trade prevention mode"),
    (
        {**MARKET_BUY, "closePosition": "true"},
        -4136,
        "Target strategy invalid for orderType MARKET,closePosition true",
    ),
    (
        {**LIMIT_BUY, "timeInForce": "GTD", "goodTillDate": NOW_MS + 600_000},
        -5040,
        (
            "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller "
            "than 253402300799000 (UTC 9999-12-31 23:59:59)"
        ),
    ),
    # Prices from the book
    ({**without(LIMIT_BUY, "price"), "priceMatch": "BEST"}, -5037, "Invalid price match"),
    ({**LIMIT_BUY, "priceMatch": "QUEUE"}, -5037, "Invalid price match"),
    (
        {**MARKET_BUY, "priceMatch": "QUEUE"},
        -5038,
        "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT",
    ),
    ({**without(LIMIT_BUY, "price"), "priceMatch": "QUEUE_20"}, -5041, "No depth matches this BBO order"),
    # Filters of BTCUSDT: 556.80 to 4529764 by 0.10, 0.001 to 1000 (120 at market) by 0.001, 50 USDT, 5 %
    ({**LIMIT_BUY, "price": "0"}, -4001, "Price less than 0."),
    ({**LIMIT_BUY, "price": "-1"}, -4001, "Price less than 0."),
    ({**LIMIT_BUY, "price": "4529764.1"}, -4002, "Price greater than max price."),
    ({**LIMIT_BUY, "quantity": "0"}, -4003, "Quantity less than or equal to zero."),
    ({**LIMIT_BUY, "quantity": "-0.01"}, -4003, "Quantity less than or equal to zero."),
    ({**LIMIT_BUY, "quantity": "1000.001"}, -4005, "Quantity greater than max quantity."),
    ({**MARKET_BUY, "quantity": "120.001"}, -4005, "Quantity greater than max quantity."),
    ({**LIMIT_BUY, "price": "556.7"}, -4013, "Price less than min price."),
    ({**LIMIT_BUY, "price": "99000.05"}, -4014, "Price not increased by tick size."),
    (
        {**LIMIT_BUY, "price": "99000.001"},
        -1111,
        "Precision is over the maximum defined for this asset.",
    ),
    (
        {**LIMIT_BUY, "quantity": "0.0101"},
        -1111,
        "Precision is over the maximum defined for this asset.",
    ),
    ({**LIMIT_BUY, "price": "105000.1"}, -4016, "Limit price can't be higher than 105000."),
    ({**LIMIT_SELL, "price": "94999.9"}, -4024, "Limit price can't be lower than 95000."),
    ({**LIMIT_BUY, "price": "49000", "quantity": "0.001"}, -4164, NOTIONAL),
    # Margin and positions
    ({**LIMIT_BUY, "quantity": "30"}, -2019, "Margin is insufficient."),
    ({**MARKET_SELL, "reduceOnly": "true"}, -2022, "ReduceOnly Order is rejected."),
    # What an order's own conditions forbid
    (
        {**LIMIT_BUY, "timeInForce": "GTX", "price": "100010"},
        -5022,
        f"Due to the order could not be executed as maker, the Post Only order will be rejected. {GONE}",
    ),
    (
        {**LIMIT_BUY, "timeInForce": "FOK", "price": "100000"},
        -5021,
        f"Due to the order could not be filled immediately, the FOK order has been rejected. {GONE}",
    ),
    (
        {**MARKET_BUY, "type": "STOP_MARKET", "stopPrice": "110000"},
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    ),
]


@pytest.mark.parametrize(("values", "code", "text"), PLACEMENTS, ids=str)
async def test_what_speaks_against_a_placement(
    arena: Arena, values: dict[str, Any], code: int, text: str
) -> None:
    assert await arena.no("POST", "order", **values) == (code, text)


CONDITIONAL: list[tuple[dict[str, Any], int, str]] = [
    (without(STOP, "algoType"), -1102, mandatory("algotype")),
    (without(STOP, "triggerPrice"), -1102, mandatory("triggerprice")),
    (without(STOP, "quantity"), -1102, mandatory("quantity")),
    ({**STOP, "type": "STOP"}, -1102, mandatory("price")),
    ({**STOP, "type": "LIMIT"}, -1116, "Invalid orderType."),
    ({**STOP, "algoType": "VP"}, -1130, "Data sent for parameter 'algoType' is not valid."),
    ({**STOP, "timeInForce": "IOC"}, -1115, "Invalid timeInForce."),
    ({**STOP, "callbackRate": "1"}, -1106, superfluous("callbackrate")),
    ({**STOP, "triggerPrice": "0"}, -4006, "Stop price less than zero."),
    ({**STOP, "triggerPrice": "4529764.1", "side": "BUY"}, -4007, "Stop price greater than max price."),
    ({**STOP, "triggerPrice": "101000"}, -2021, "Order would immediately trigger."),
    ({**STOP, "type": "TAKE_PROFIT_MARKET"}, -2021, "Order would immediately trigger."),
    (
        {**STOP, "closePosition": "true"},
        -4137,
        "Quantity must be zero with closePosition equals true",
    ),
    (
        {**without(STOP, "quantity"), "closePosition": "true", "reduceOnly": "true"},
        -1106,
        superfluous("reduceonly"),
    ),
    (
        {**STOP, "type": "STOP", "price": "90000", "triggerPrice": "98000"},
        -4184,
        "Limit price can't be lower than 93100.",
    ),
    (
        {**STOP, "type": "STOP", "side": "BUY", "price": "108000", "triggerPrice": "102000"},
        -4183,
        "Limit price can't be higher than 107100.",
    ),
    (
        {**without(STOP, "triggerPrice"), "type": "TRAILING_STOP_MARKET"},
        -1102,
        mandatory("callbackrate"),
    ),
    (
        {**without(STOP, "triggerPrice"), "type": "TRAILING_STOP_MARKET", "callbackRate": "0.05"},
        -2007,
        "Invalid callBack rate.",
    ),
    (
        {**without(STOP, "triggerPrice"), "type": "TRAILING_STOP_MARKET", "callbackRate": "50"},
        -2007,
        "Invalid callBack rate.",
    ),
    (
        {**without(STOP, "triggerPrice"), "type": "TRAILING_STOP_MARKET", "callbackRate": "1"}
        | {"activatePrice": "99000"},
        -2021,
        "Order would immediately trigger.",
    ),
    (
        {**without(STOP, "triggerPrice"), "type": "TRAILING_STOP_MARKET", "callbackRate": "1"}
        | {"activatePrice": "0"},
        -4135,
        "Invalid activation price",
    ),
]


@pytest.mark.parametrize(("values", "code", "text"), CONDITIONAL, ids=str)
async def test_what_speaks_against_a_conditional_order(
    arena: Arena, values: dict[str, Any], code: int, text: str
) -> None:
    assert await arena.no("POST", "algoOrder", **values) == (code, text)


QUERIES: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "order", {"symbol": "BTCUSDT", "orderId": 99}, -2013, "Order does not exist."),
    ("GET", "openOrder", {"symbol": "BTCUSDT", "orderId": 99}, -2013, "Order does not exist."),
    ("GET", "algoOrder", {"algoId": 99}, -2013, "Order does not exist."),
    ("DELETE", "order", {"symbol": "BTCUSDT", "orderId": 99}, -2011, "Unknown order sent."),
    ("DELETE", "algoOrder", {"clientAlgoId": "nobody"}, -2011, "Unknown order sent."),
    (
        "GET",
        "order",
        {"symbol": "BTCUSDT"},
        -1102,
        "Param 'origclientorderid' or 'orderid' must be sent, but both were empty/null!",
    ),
    (
        "DELETE",
        "order",
        {"symbol": "BTCUSDT", "origClientOrderId": ""},
        -1119,
        "Original client order ID was empty.",
    ),
    ("GET", "openOrders", {"symbol": "NONE"}, -1121, "Invalid symbol."),
    ("DELETE", "allOpenOrders", {"symbol": "NONE"}, -1121, "Invalid symbol."),
    (
        "GET",
        "allOrders",
        {"symbol": "BTCUSDT", "startTime": NOW_MS, "endTime": NOW_MS - 1},
        -1023,
        "Start time is greater than end time.",
    ),
    (
        "GET",
        "allOrders",
        {"symbol": "BTCUSDT", "startTime": NOW_MS - WEEK_MS - 1, "endTime": NOW_MS},
        -4165,
        "Maximum time interval is 7 days",
    ),
    (
        "GET",
        "userTrades",
        {"symbol": "BTCUSDT", "startTime": NOW_MS, "fromId": 1},
        -1128,
        "Combination of optional parameters invalid.",
    ),
    ("POST", "batchOrders", {"batchOrders": "[]"}, -4082, "Invalid number of batch place orders."),
    (
        "POST",
        "batchOrders",
        {"batchOrders": "nonsense"},
        -1130,
        "Data sent for parameter 'batchOrders' is not valid.",
    ),
    (
        "DELETE",
        "batchOrders",
        {"symbol": "BTCUSDT", "orderIdList": "[1,2,3,4,5,6,7,8,9,10,11]"},
        -4032,
        "Exceed maximum cancel order size.",
    ),
]


@pytest.mark.parametrize(("method", "path", "values", "code", "text"), QUERIES, ids=str)
async def test_what_speaks_against_other_requests(
    arena: Arena, method: str, path: str, values: dict[str, Any], code: int, text: str
) -> None:
    assert await arena.no(method, path, **values) == (code, text)


async def test_a_name_that_an_open_order_has(arena: Arena) -> None:
    await arena.place_order(LIMIT_BUY, newClientOrderId="mine")
    said = await arena.no("POST", "order", **LIMIT_BUY, newClientOrderId="mine")
    assert said == (-4116, "ClientOrderId is duplicated.")


async def test_more_than_two_hundred_open_orders(arena: Arena) -> None:
    for _ in range(200):
        await arena.ask("POST", "/fapi/v1/order", **{**LIMIT_BUY, "quantity": "0.001"})
    assert await arena.no("POST", "order", **LIMIT_BUY) == (-2025, "Reach max open order limit.")


async def test_more_than_two_hundred_conditional_orders_on_all_symbols(arena: Arena) -> None:
    for _ in range(200):
        await arena.ask("POST", "/fapi/v1/algoOrder", **STOP)
    other = {**STOP, "symbol": "ETHUSDT", "triggerPrice": "3900"}
    assert await arena.no("POST", "algoOrder", **other) == (-4045, "Reach max stop order limit.")


async def test_one_order_closes_a_position_from_each_side(arena: Arena) -> None:
    closing = {**without(STOP, "quantity"), "closePosition": "true"}
    await arena.ok("POST", "algoOrder", **closing)
    assert await arena.no("POST", "algoOrder", **{**closing, "triggerPrice": "97000"}) == (
        -4130,
        "An open stop or take profit order with GTE and closePosition in the direction is existing.",
    )


async def test_a_position_too_large_for_its_leverage(arena: Arena) -> None:
    """At 100x no more than 800000 USDT may be held (the symbol's brackets)."""
    await arena.ok("POST", "leverage", symbol="BTCUSDT", leverage=100)
    assert await arena.no("POST", "order", **{**LIMIT_BUY, "quantity": "9"}) == (
        -2027,
        "Exceeded the maximum allowable position at current leverage.",
    )


async def test_hedge_mode_asks_for_a_leg_and_takes_no_reduce_only(arena: Arena) -> None:
    await arena.hedge()
    assert (await arena.no("POST", "order", **LIMIT_BUY))[0] == -4061
    for word in ("true", "false"):
        values = {**MARKET_SELL, "positionSide": "LONG", "reduceOnly": word}
        assert await arena.no("POST", "order", **values) == (-1106, superfluous("reduceonly"))
    closing = {**without(STOP, "quantity"), "closePosition": "true", "positionSide": "SHORT"}
    assert (await arena.no("POST", "algoOrder", **closing))[0] == -4136


async def test_a_market_order_beyond_the_bound(arena: Arena) -> None:
    """marketTakeBound of BTCUSDT: 0.05."""
    await arena.book(BTC, [("94000", "5")], [("106000", "5")])
    await arena.hold_price("ETH/USDT", "4000")
    said = await arena.no("POST", "order", **MARKET_BUY)
    assert said == (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({**COIN_BUY, "quantity": "0.5"}, -1111),
        ({**COIN_BUY, "price": "49000.05"}, -1111),
        ({**COIN_BUY, "symbol": "BTCUSDT"}, -1121),
        ({**COIN_BUY, "quantity": "900000"}, -2027),
        ({**COIN_BUY, "price": "52500.1"}, -4016),
        ({**COIN_BUY, "side": "SELL", "price": "47499.9"}, -4024),
        ({**COIN_BUY, "quantity": "1000001"}, -4005),
    ],
    ids=str,
)
async def test_coin_m_refuses_likewise(arena: Arena, values: dict[str, Any], code: int) -> None:
    assert (await arena.no("POST", "order", COINM, **values))[0] == code


async def test_coin_m_has_its_own_code_for_long_spans(arena: Arena) -> None:
    values = {"symbol": "BTCUSD_PERP", "startTime": NOW_MS - WEEK_MS - 1, "endTime": NOW_MS}
    assert await arena.no("GET", "allOrders", COINM, **values) == (-4088, "Maximum time interval is 7 days")


async def test_coin_m_refuses_conditional_types_in_an_era_to_come() -> None:
    async with Arena(Eras(coinm_stop_orders="refuse")) as arena:
        stop = {**COIN_BUY, "type": "STOP", "stopPrice": "51000"}
        assert (await arena.no("POST", "order", COINM, **stop))[0] == -4120


@pytest.mark.parametrize(
    ("product", "most", "over"), [(USDM, "20", "20.1"), (COINM, "10", "10.1")], ids=["usdm", "coinm"]
)
async def test_how_far_an_order_may_trail(arena: Arena, product: Product, most: str, over: str) -> None:
    symbol, quantity = ("BTCUSD_PERP", "1") if product is COINM else ("BTCUSDT", "0.01")
    trailing = {**without(STOP, "triggerPrice"), "type": "TRAILING_STOP_MARKET"}
    trailing |= {"symbol": symbol, "quantity": quantity}
    assert await arena.ok("POST", "algoOrder", product, **trailing, callbackRate=most)
    assert (await arena.no("POST", "algoOrder", product, **trailing, callbackRate=over))[0] == -2007


async def test_a_market_order_that_finds_nobody(arena: Arena) -> None:
    await arena.book(BTC, [("99990", "5")], [])
    finished = await arena.finish(MARKET_BUY)
    assert (finished["status"], finished["executedQty"]) == ("EXPIRED", "0.000")


# The ledger

REACHED_ELSEWHERE = {
    "test_futures_door": {-1003, -1015, -1022, -1100, -2014, -2015},
    "test_futures_account": {-4028, -4046, -4047, -4048, -4050, -4051, -4054, -4055, -4059}
    | {-2028, -4067, -4068, -4531}
    | {-4167, -4168, -4169, -4170, -4171, -4172, -21001},
    "test_futures_hedge": {-4049},
    "test_futures_modifying": {-5025, -5027, -5029, -5047, -4196, -4197},
    "test_futures_errors": {-5024, -5026, -4199, -4198},
    "test_futures_downloads": {-1099, -1130, -4165},
    "test_futures_over": {-4108},
    "test_futures_convert": {-1126, -2018, 345231},
}
NOT_REACHED = {
    -1000: "a defect of ours",
    -1001: "a journal that does not accept",
    -1002: "a key without an account",
    -1007: "a journal that does not answer",
    -1014: "nothing that these sites take can come to it",
    -1020: "paths that are not emulated",
    -1021: "timestamps; the door is Spot's",
    -1034: "sockets",
    -1101: "repeated parameters; the door is Spot's",
    -1104: "futures pass over what they do not know",
    -1108: "transfers of assets, which are Spot's",
    -1109: "a key without an account",
    -1110: "no row has a symbolType",
    -1112: "a market without a book",
    -1114: "-1106 is said instead",
    -1120: "candles, which are market data",
    -1122: "no row has a symbolStatus",
    -1125: "listen keys, which are user data",
    -1126: "no row takes an asset",
    -1127: "spans are counted in days",
    -1131: "recvWindow; the door is Spot's",
    -1135: "the WebSocket API",
    -1151: "no row takes a list of symbols",
    -2020: "orders by what they may cost, which futures have not",
    -2023: "an account in liquidation",
    -2026: "reduce-only goes with every type",
    -4004: "the smallest quantity is the step, so that less is zero or too precise",
    -4014: "COIN-M: its prices have no more places than steps",
    -4021: "depth, which is market data",
    -4023: "steps are powers of ten, so that what is off them is too precise",
    -4083: "each order of a batch fails by itself",
    -4087: "a pair is looked up as symbols are",
    -4104: "continuous candles, which are market data",
    -4113: "COIN-M: as -4131",
    -4138: "-1106 is said instead",
    -4140: "contracts are traded from their listing on",
    -4142: "-2021 is said instead",
    -4144: "a pair is looked up as symbols are",
    -4150: "COIN-M: as -4161",
    -4151: "COIN-M: as -4183",
    -4152: "COIN-M: as -4184",
    -4161: "leverage of isolated positions, see test_futures_errors",
    -4178: "COIN-M has no smallest notional",
    -5028: "a matching engine that is late",
}


def test_every_code_is_reached_or_has_a_reason_not_to() -> None:
    here = {code for _, code, _ in (*PLACEMENTS, *CONDITIONAL)} | {one[3] for one in QUERIES}
    here |= {-4116, -2025, -4045, -2027, -4061, -4130, -4136, -4131, -4088, -4120}
    elsewhere = set[int]().union(*REACHED_ELSEWHERE.values())
    known = {code for product in (USDM, COINM) for code in _texts(product)}
    missing = known - here - elsewhere - set(NOT_REACHED)
    assert not missing, f"no test comes to {sorted(missing)}"
    strangers = (here | elsewhere | set(NOT_REACHED)) - known
    assert not strangers, f"the tables do not have {sorted(strangers)}"


def _texts(product: Product) -> set[int]:
    return set(TABLES[product].texts)
