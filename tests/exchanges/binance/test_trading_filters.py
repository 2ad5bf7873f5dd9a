"""Every filter of a symbol, every feature it may lack, and the matching engine's own refusals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core.instruments import InstrumentStatus, SelfTradeMode
from tests.exchanges.binance.trading_floor import LIMIT_BUY, LIMIT_SELL, OTHER, Floor

pytestmark = pytest.mark.anyio

MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
STOP_BUY = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "STOP_LOSS_LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "110000",
    "stopPrice": "110000",
}
TRAILING = {
    "symbol": "BTCUSDT",
    "type": "STOP_LOSS",
    "quantity": "0.01",
    "trailingDelta": "100",
}


def altered(**fields: Any) -> dict[str, dict[str, Any]]:
    return {"BTCUSDT": {n: Decimal(v) if type(v) is str else v for n, v in fields.items()}}


@pytest.mark.parametrize(
    ("name", "fields", "passes", "fails"),
    [
        ("PRICE_FILTER", {"price_min": "80000"}, {"price": "80000"}, {"price": "79999.99"}),
        (
            "PRICE_FILTER",
            {"price_max": "105000"},
            {"side": "SELL", "price": "105000"},
            {"side": "SELL", "price": "105000.01"},
        ),
        ("PRICE_FILTER", {"price_step": "0.5"}, {"price": "90000.5"}, {"price": "90000.25"}),
        ("LOT_SIZE", {"quantity_min": "0.01"}, {"quantity": "0.01"}, {"quantity": "0.00999"}),
        ("LOT_SIZE", {"quantity_max": "0.02"}, {"quantity": "0.02"}, {"quantity": "0.02001"}),
        ("LOT_SIZE", {"quantity_step": "0.001", "quantity_min": "0.001"}, {}, {"quantity": "0.0105"}),
        ("LOT_SIZE", {}, {"icebergQty": "0.001"}, {"icebergQty": "0.000001"}),
        ("NOTIONAL", {"notional_min": "900"}, {"quantity": "0.01"}, {"quantity": "0.00999"}),
        ("NOTIONAL", {"notional_max": "900"}, {"quantity": "0.01"}, {"quantity": "0.01001"}),
        (
            "PERCENT_PRICE_BY_SIDE",
            {"bid_multiplier_down": "0.9", "bid_multiplier_up": "1.1"},
            {"price": "91000"},
            {"price": "88000"},
        ),
        ("ICEBERG_PARTS", {"iceberg_parts_max": 10}, {"icebergQty": "0.001"}, {"icebergQty": "0.0009"}),
    ],
)
async def test_filters_of_prices_and_quantities(
    name: str, fields: dict[str, Any], passes: dict[str, str], fails: dict[str, str]
) -> None:
    async with Floor(altered(**fields)) as floor:
        await floor.sandbox.step_clock(10 * 60_000_000)
        await floor.post("order", **{**LIMIT_BUY, **passes})
        for path in ("order", "order/test"):
            refused = await floor.no("POST", path, **{**LIMIT_BUY, **fails})
            assert refused == (-1013, f"Filter failure: {name}")


async def test_the_filter_of_prices_is_also_of_stop_prices() -> None:
    async with Floor() as floor:
        refused = await floor.no("POST", "order", **{**STOP_BUY, "stopPrice": "110000.001"})
        assert refused == (-1013, "Filter failure: PRICE_FILTER")


async def test_sellers_have_a_band_of_their_own() -> None:
    async with Floor(altered(ask_multiplier_up="1.05", bid_multiplier_up="5")) as floor:
        await floor.sandbox.step_clock(10 * 60_000_000)
        assert await floor.no("POST", "order", **LIMIT_SELL) == (
            -1013,
            "Filter failure: PERCENT_PRICE_BY_SIDE",
        )
        await floor.post("order", **{**LIMIT_SELL, "price": "104000"})


@pytest.mark.parametrize(
    ("fields", "passes", "fails"),
    [
        ({"market_quantity_max": "0.02"}, "0.02", "0.02001"),
        ({"market_quantity_min": "0.01"}, "0.01", "0.00999"),
        ({"market_quantity_step": "0.01"}, "0.02", "0.015"),
    ],
)
async def test_market_orders_have_a_lot_size_besides(fields: dict[str, str], passes: str, fails: str) -> None:
    async with Floor(altered(**fields)) as floor:
        await floor.post("order", **{**MARKET, "quantity": passes})
        assert await floor.no("POST", "order", **{**MARKET, "quantity": fails}) == (
            -1013,
            "Filter failure: MARKET_LOT_SIZE",
        )
        await floor.post("order", **{**LIMIT_BUY, "quantity": fails})


async def test_the_notional_of_market_orders_is_taken_at_the_average_price() -> None:
    async with Floor(altered(notional_min="1000")) as floor:
        await floor.sandbox.step_clock(10 * 60_000_000)
        await floor.post("order", **MARKET)
        too_little = (-1013, "Filter failure: NOTIONAL")
        assert await floor.no("POST", "order", **{**MARKET, "quantity": "0.0099"}) == too_little
        by_quote = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "999"}
        assert await floor.no("POST", "order", **by_quote) == too_little


async def test_the_notional_may_leave_market_orders_alone() -> None:
    async with Floor(altered(notional_min="1000", notional_min_applies_to_market=False)) as floor:
        await floor.post("order", **{**MARKET, "quantity": "0.001"})


@pytest.mark.parametrize(
    ("name", "field", "order"),
    [
        ("MAX_NUM_ORDERS", "orders_max", LIMIT_BUY),
        ("MAX_NUM_ALGO_ORDERS", "trigger_orders_max", STOP_BUY),
        ("MAX_NUM_ICEBERG_ORDERS", "iceberg_orders_max", {**LIMIT_BUY, "icebergQty": "0.005"}),
    ],
)
async def test_filters_of_how_many_may_be_open(name: str, field: str, order: dict[str, str]) -> None:
    async with Floor(altered(**{field: 2})) as floor:
        first = await floor.post("order", **order)
        await floor.post("order", **order)
        assert await floor.no("POST", "order", **order) == (-1013, f"Filter failure: {name}")
        await floor.post("order", **order, who=OTHER)
        await floor.delete("order", symbol="BTCUSDT", orderId=first["orderId"])
        await floor.post("order", **order)


async def test_the_filter_of_how_much_may_be_owned() -> None:
    async with Floor(altered(position_max="100.02")) as floor:
        await floor.post("order", **LIMIT_BUY)
        await floor.post("order", **LIMIT_SELL)
        await floor.post("order", **LIMIT_BUY)
        assert await floor.no("POST", "order", **LIMIT_BUY) == (-1013, "Filter failure: MAX_POSITION")


@pytest.mark.parametrize(
    ("side", "type_word", "field", "bound", "fails"),
    [
        ("BUY", "STOP_LOSS", "trailing_above_min", 100, "99"),
        ("BUY", "STOP_LOSS", "trailing_above_max", 100, "101"),
        ("SELL", "TAKE_PROFIT", "trailing_above_max", 100, "101"),
        ("SELL", "STOP_LOSS", "trailing_below_min", 100, "99"),
        ("SELL", "STOP_LOSS", "trailing_below_max", 100, "101"),
        ("BUY", "TAKE_PROFIT", "trailing_below_max", 100, "101"),
    ],
)
async def test_the_filter_of_trailing_distances(
    side: str, type_word: str, field: str, bound: int, fails: str
) -> None:
    async with Floor(altered(**{field: bound})) as floor:
        order = {**TRAILING, "side": side, "type": type_word}
        await floor.post("order", **order)
        assert await floor.no("POST", "order", **{**order, "trailingDelta": fails}) == (
            -1013,
            "Filter failure: TRAILING_DELTA",
        )


# What a symbol may lack


@pytest.mark.parametrize(
    ("field", "order", "text"),
    [
        ("market_orders", MARKET, "Market orders are not supported for this symbol."),
        (
            "quote_quantity_orders",
            {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "100"},
            "Quote order qty market orders are not support for this symbol.",
        ),
        ("trigger_orders", STOP_BUY, "Stop loss limit orders are not supported for this symbol."),
        (
            "trigger_orders",
            {**TRAILING, "side": "BUY", "type": "TAKE_PROFIT"},
            "Take profit orders are not supported for this symbol.",
        ),
        (
            "trailing_orders",
            {**TRAILING, "side": "BUY"},
            "Trailing stop orders are not supported for this symbol.",
        ),
        (
            "iceberg_orders",
            {**LIMIT_BUY, "icebergQty": "0.001"},
            "Iceberg orders are not supported for this symbol.",
        ),
        (
            "pegged_orders",
            {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG"},
            "Pegged orders are not supported for this symbol.",
        ),
    ],
)
async def test_what_a_symbol_does_not_offer(field: str, order: dict[str, str], text: str) -> None:
    async with Floor(altered(**{field: False})) as floor:
        assert await floor.no("POST", "order", **order) == (-1013, text)
        if order is not LIMIT_BUY:
            await floor.post("order", **LIMIT_BUY)


async def test_a_symbol_may_not_allow_amendments() -> None:
    async with Floor(altered(amends=False)) as floor:
        placed = await floor.post("order", **LIMIT_BUY)
        refused = await floor.no(
            "PUT",
            "order/amend/keepPriority",
            symbol="BTCUSDT",
            orderId=placed["orderId"],
            newQty="0.005",
        )
        assert refused == (-2038, "Order amend is not supported for this symbol.")


async def test_a_symbol_may_not_be_trading() -> None:
    async with Floor(altered(status=InstrumentStatus.HALTED)) as floor:
        assert await floor.no("POST", "order", **LIMIT_BUY) == (-1013, "Market is closed.")


async def test_a_symbol_may_not_allow_a_self_trade_mode() -> None:
    modes = frozenset({SelfTradeMode.EXPIRE_MAKER, SelfTradeMode.NONE})
    async with Floor(altered(self_trade_modes=modes)) as floor:
        await floor.post("order", **LIMIT_BUY, selfTradePreventionMode="NONE")
        refused = await floor.no("POST", "order", **LIMIT_BUY, selfTradePreventionMode="DECREMENT")
        assert refused == (-1013, "This symbol does not allow the specified self-trade prevention mode.")


# What the matching engine says


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (
            {**LIMIT_SELL, "quantity": "80.00001", "price": "100020"},
            "Account has insufficient balance for requested action.",
        ),
        (
            {
                "symbol": "BTCUSDT",
                "side": "BUY",
                "type": "LIMIT_MAKER",
                "quantity": "0.01",
                "price": "100010",
            },
            "Order would immediately match and take.",
        ),
        ({**STOP_BUY, "stopPrice": "99000"}, "Order would trigger immediately."),
        ({**LIMIT_BUY, "icebergQty": "0.02"}, "IcebergQty exceeds QTY."),
        (
            {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "0.5"},
            "Order book liquidity is less than `LOT_SIZE` filter minimum quantity.",
        ),
    ],
)
async def test_refusals_of_the_engine(order: dict[str, str], text: str) -> None:
    async with Floor(altered(notional_min="0", quantity_min="0.00001")) as floor:
        await floor.post("order", **{**LIMIT_SELL, "quantity": "20"})
        assert await floor.no("POST", "order", **order) == (-2010, text)


async def test_what_is_refused_leaves_nothing_behind() -> None:
    async with Floor() as floor:
        before = floor.engine.fingerprint()
        for order in (
            {**LIMIT_BUY, "price": "90000.001"},
            {**LIMIT_SELL, "quantity": "101"},
            {**STOP_BUY, "stopPrice": "99000"},
        ):
            await floor.no("POST", "order", **order)
        assert floor.engine.fingerprint() == before
