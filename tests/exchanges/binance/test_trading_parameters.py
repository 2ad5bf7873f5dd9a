"""What is wrong with an order's parameters, in the exchange's codes and words (errors.md; rest-api.md)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.exchanges.binance.trading_floor import LIMIT_BUY, Floor

pytestmark = pytest.mark.anyio

WHOLE = {
    "LIMIT": {"timeInForce": "GTC", "quantity": "0.01", "price": "90000"},
    "MARKET": {"quantity": "0.01"},
    "LIMIT_MAKER": {"quantity": "0.01", "price": "90000"},
    "STOP_LOSS": {"quantity": "0.01", "stopPrice": "110000"},
    "STOP_LOSS_LIMIT": {
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "110000",
        "stopPrice": "110000",
    },
    "TAKE_PROFIT": {"quantity": "0.01", "stopPrice": "90000"},
    "TAKE_PROFIT_LIMIT": {
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "90000",
        "stopPrice": "90000",
    },
}
ALL = {
    "timeInForce": "GTC",
    "quantity": "0.01",
    "quoteOrderQty": "1000",
    "price": "90000",
    "stopPrice": "90000",
    "trailingDelta": "100",
    "icebergQty": "0.001",
}
OPTIONAL = {
    "LIMIT": {"icebergQty"},
    "LIMIT_MAKER": {"icebergQty"},
    "STOP_LOSS": {"trailingDelta"},
    "STOP_LOSS_LIMIT": {"trailingDelta", "icebergQty"},
    "TAKE_PROFIT": {"trailingDelta"},
    "TAKE_PROFIT_LIMIT": {"trailingDelta", "icebergQty"},
}
MISSING = "Mandatory parameter '%s' was not sent, was empty/null, or malformed."
ILLEGAL = "Illegal characters found in parameter '%s'; legal range is '%s'."
EITHER = "Param '%s' or '%s' must be sent, but both were empty/null!"
SUPERFLUOUS = "Parameter '%s' sent when not required."


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


def order(type_word: str, *without: str, **more: str) -> dict[str, str]:
    whole = {"symbol": "BTCUSDT", "side": "BUY", "type": type_word, **WHOLE[type_word], **more}
    return {name: value for name, value in whole.items() if name not in without}


@pytest.mark.parametrize("type_word", list(WHOLE))
async def test_what_each_type_needs_is_enough(floor: Floor, type_word: str) -> None:
    await floor.post("order", **order(type_word))
    await floor.post("order/test", **order(type_word))


@pytest.mark.parametrize(
    ("type_word", "missing"),
    [
        (type_word, name)
        for type_word, whole in WHOLE.items()
        for name in whole
        if name != "stopPrice" and type_word != "MARKET"
    ],
)
async def test_what_a_type_needs_is_named_when_it_is_missing(
    floor: Floor, type_word: str, missing: str
) -> None:
    assert await floor.no("POST", "order", **order(type_word, missing)) == (-1102, MISSING % missing)


@pytest.mark.parametrize("missing", ["symbol", "side", "type"])
async def test_what_every_order_needs(floor: Floor, missing: str) -> None:
    assert await floor.no("POST", "order", **order("LIMIT", missing)) == (-1102, MISSING % missing)


@pytest.mark.parametrize(
    ("type_word", "missing", "other"),
    [("MARKET", "quantity", "quoteOrderQty")]
    + [(word, "stopPrice", "trailingDelta") for word in WHOLE if "stopPrice" in WHOLE[word]],
)
async def test_one_of_two_is_needed(floor: Floor, type_word: str, missing: str, other: str) -> None:
    assert await floor.no("POST", "order", **order(type_word, missing)) == (
        -1102,
        EITHER % (missing, other),
    )


@pytest.mark.parametrize(
    ("type_word", "name"),
    [
        (type_word, name)
        for type_word, whole in WHOLE.items()
        for name in ALL
        if name not in whole and name not in OPTIONAL.get(type_word, set()) and name != "quoteOrderQty"
    ]
    + [(type_word, "quoteOrderQty") for type_word in WHOLE if type_word != "MARKET"],
)
async def test_what_a_type_does_not_take_is_named(floor: Floor, type_word: str, name: str) -> None:
    refused = await floor.no("POST", "order", **order(type_word, **{name: ALL[name]}))
    assert refused == (-1106, SUPERFLUOUS % name)


async def test_of_both_quantities_it_is_the_base_quantity_that_is_too_much(floor: Floor) -> None:
    refused = await floor.no("POST", "order", **order("MARKET", quoteOrderQty="1000"))
    assert refused == (-1106, SUPERFLUOUS % "quantity")


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        ({"side": "UP"}, -1117, "Invalid side."),
        ({"type": "OCO"}, -1116, "Invalid orderType."),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        ({"price": ""}, -1105, "Parameter 'price' was empty."),
        ({"newClientOrderId": ""}, -1118, "New client order ID was empty."),
        (
            {"newClientOrderId": "not allowed"},
            -1100,
            ILLEGAL % ("newClientOrderId", "^[a-zA-Z0-9-_]{1,36}$"),
        ),
        (
            {"newClientOrderId": "a" * 37},
            -1100,
            ILLEGAL % ("newClientOrderId", "^[a-zA-Z0-9-_]{1,36}$"),
        ),
        (
            {"quantity": "1e3"},
            -1100,
            ILLEGAL % ("quantity", r"^([0-9]{1,20})(\.[0-9]{1,20})?$"),
        ),
        (
            {"quantity": "-1"},
            -1100,
            ILLEGAL % ("quantity", r"^([0-9]{1,20})(\.[0-9]{1,20})?$"),
        ),
        (
            {"trailingDelta": "1.5"},
            -1100,
            ILLEGAL % ("trailingDelta", "^[0-9]{1,20}$"),
        ),
        ({"quantity": "0.123456789"}, -1111, "Parameter 'quantity' has too much precision."),
        ({"price": "90000.123456789"}, -1111, "Parameter 'price' has too much precision."),
        ({"quantity": "99999999999999999999"}, -1108, "Parameter 'quantity' overflowed."),
        ({"strategyType": "999999"}, -1134, "`strategyType` was less than 1000000."),
        ({"newOrderRespType": "SHORT"}, -1130, "Data sent for parameter 'newOrderRespType' is not valid."),
        (
            {"selfTradePreventionMode": "SOMETIMES"},
            -1130,
            "Data sent for parameter 'selfTradePreventionMode' is not valid.",
        ),
        ({"quantity": "0"}, -1013, "Invalid quantity."),
        ({"price": "0"}, -1013, "Invalid price."),
        (
            {"reduceOnly": "true"},
            -1104,
            "Not all sent parameters were read; read '8' parameter(s) but was sent '9'.",
        ),
    ],
)
async def test_what_a_parameter_may_not_be(floor: Floor, sent: dict[str, str], code: int, text: str) -> None:
    assert await floor.no("POST", "order", **order("LIMIT", **sent)) == (code, text)


async def test_nothing_cannot_be_spent(floor: Floor) -> None:
    refused = await floor.no("POST", "order", **order("MARKET", "quantity", quoteOrderQty="0"))
    assert refused == (-1013, "Invalid quantity.")


async def test_digits_beyond_the_assets_own_are_too_much(floor: Floor) -> None:
    await floor.price("0.00001", "PEPE/USDT")
    sell = {**LIMIT_BUY, "symbol": "PEPEUSDT", "side": "SELL", "price": "0.00001"}
    assert await floor.no("POST", "order", **{**sell, "quantity": "1000000.001"}) == (
        -1111,
        "Parameter 'quantity' has too much precision.",
    )
    placed = await floor.post("order", **{**sell, "quantity": "1000000"})
    refused = await floor.no(
        "PUT",
        "order/amend/keepPriority",
        symbol="PEPEUSDT",
        orderId=placed["orderId"],
        newQty="900000.001",
    )
    assert refused == (-1111, "Parameter 'newQty' has too much precision.")


@pytest.mark.parametrize("time_in_force", ["IOC", "FOK"])
async def test_an_iceberg_must_rest(floor: Floor, time_in_force: str) -> None:
    sent = order("LIMIT", timeInForce=time_in_force, icebergQty="0.001")
    assert await floor.no("POST", "order", **sent) == (-1014, "Unsupported order combination.")


WRONG_PEG = (-2010, "This price peg cannot be used with this order type.")
NOT_PEGGABLE = (-2010, "This order type may not use pegged price.")


@pytest.mark.parametrize(
    ("type_word", "sent", "refused"),
    [
        ("LIMIT", {"pegPriceType": "PRIMARY"}, (-1210, "Invalid pegPriceType.")),
        (
            "LIMIT",
            {"pegPriceType": "PRIMARY_PEG", "pegOffsetType": "BIPS", "pegOffsetValue": "1"},
            (-1211, "Invalid pegOffsetType."),
        ),
        ("LIMIT_MAKER", {"pegPriceType": "MARKET_PEG"}, WRONG_PEG),
        ("LIMIT", {"pegPriceType": "PRIMARY_PEG", "timeInForce": "IOC"}, WRONG_PEG),
        ("MARKET", {"pegPriceType": "PRIMARY_PEG"}, NOT_PEGGABLE),
        ("STOP_LOSS", {"pegPriceType": "PRIMARY_PEG"}, NOT_PEGGABLE),
        ("TAKE_PROFIT", {"pegPriceType": "MARKET_PEG"}, NOT_PEGGABLE),
        (
            "LIMIT",
            {"pegPriceType": "PRIMARY_PEG", "pegOffsetType": "PRICE_LEVEL"},
            (-1128, "Combination of optional parameters invalid."),
        ),
        (
            "LIMIT",
            {"pegPriceType": "PRIMARY_PEG", "pegOffsetValue": "1"},
            (-1128, "Combination of optional parameters invalid."),
        ),
        (
            "LIMIT",
            {"pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": "1"},
            (-1106, SUPERFLUOUS % "pegOffsetType"),
        ),
        ("LIMIT", {"pegOffsetValue": "1"}, (-1106, SUPERFLUOUS % "pegOffsetValue")),
        (
            "LIMIT",
            {"pegPriceType": "PRIMARY_PEG", "pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": "101"},
            (-1130, "Data sent for parameter 'pegOffsetValue' is not valid."),
        ),
    ],
)
async def test_what_a_peg_may_not_be(
    floor: Floor, type_word: str, sent: dict[str, str], refused: tuple[int, str]
) -> None:
    assert await floor.no("POST", "order", **order(type_word, **sent)) == refused


@pytest.mark.parametrize("type_word", ["LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"])
async def test_with_a_peg_the_price_may_be_missing(floor: Floor, type_word: str) -> None:
    await floor.post("order", **order(type_word, "price", pegPriceType="PRIMARY_PEG"))


async def test_a_cancel_may_be_restricted_in_two_ways_only(floor: Floor) -> None:
    refused = await floor.no("DELETE", "order", symbol="BTCUSDT", orderId=1, cancelRestrictions="ONLY_FILLED")
    assert refused == (
        -1145,
        "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.",
    )


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({}, (-1102, EITHER % ("preventedMatchId", "orderId"))),
        ({"preventedMatchId": 1, "orderId": 1}, (-1128, "Combination of optional parameters invalid.")),
        (
            {"preventedMatchId": 1, "fromPreventedMatchId": 1},
            (-1128, "Combination of optional parameters invalid."),
        ),
    ],
)
async def test_prevented_matches_are_asked_for_in_documented_ways(
    floor: Floor, more: dict[str, int], refused: tuple[int, str]
) -> None:
    assert await floor.no("GET", "myPreventedMatches", symbol="BTCUSDT", **more) == refused
