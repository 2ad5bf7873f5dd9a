"""Lists of orders and trades: which part of them is answered, and what is told of a trade."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.core.instruments import Side
from emulator.exchanges.binance.futures.products import COINM, USDM
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.arena import (
    BTC,
    COIN_BUY,
    DAY_US,
    LIMIT_BUY,
    MARKET_BUY,
    MARKET_SELL,
    Arena,
)

pytestmark = pytest.mark.anyio

NOW_MS = NOW_US // 1000
DAY_MS = DAY_US // 1000


@pytest.fixture
async def arena() -> AsyncIterator[Arena]:
    async with Arena() as arena:
        yield arena


async def test_the_fields_and_figures_of_a_trade(arena: Arena) -> None:
    """0.01 from 100010 to 99990 at a rate of 0.0005: a loss of 0.2, and fees of 0.50005 and 0.49995."""
    await arena.place_order(MARKET_BUY)
    placed = await arena.place_order(MARKET_SELL)
    bought, sold = await arena.ok("GET", "userTrades", symbol="BTCUSDT")
    assert sold == {
        "symbol": "BTCUSDT",
        "pair": "BTCUSDT",
        "id": bought["id"] + 1,
        "orderId": placed["orderId"],
        "side": "SELL",
        "price": "99990.00",
        "qty": "0.010",
        "quoteQty": "999.90000",
        "baseQty": "0.01000000",
        "realizedPnl": "-0.20000000",
        "marginAsset": "USDT",
        "commission": "0.49995000",
        "commissionAsset": "USDT",
        "time": NOW_MS,
        "positionSide": "BOTH",
        "buyer": False,
        "maker": False,
    }
    assert (bought["realizedPnl"], bought["commission"], bought["buyer"]) == ("0", "0.50005000", True)


async def test_a_trade_of_coin_m_is_counted_in_contracts_and_coins(arena: Arena) -> None:
    """10 contracts of 100 USD at 50010: 0.01999600 BTC, of which 0.0005 is the fee."""
    await arena.place_order({**MARKET_BUY, "symbol": "BTCUSD_PERP", "quantity": "10"}, COINM)
    (trade,) = await arena.ok("GET", "userTrades", COINM, pair="BTCUSD")
    assert {name: trade[name] for name in ("symbol", "pair", "qty", "baseQty", "quoteQty")} == {
        "symbol": "BTCUSD_PERP",
        "pair": "BTCUSD",
        "qty": "10",
        "baseQty": "0.01999600",
        "quoteQty": "1000.0",
    }
    assert (trade["marginAsset"], trade["commissionAsset"], trade["commission"]) == (
        "BTC",
        "BTC",
        "0.00000999",
    )


async def test_the_leg_of_a_trade_is_told(arena: Arena) -> None:
    await arena.hedge()
    await arena.place_order(MARKET_SELL, positionSide="SHORT")
    (trade,) = await arena.ok("GET", "userTrades", symbol="BTCUSDT")
    assert (trade["positionSide"], trade["side"]) == ("SHORT", "SELL")


async def test_a_maker_is_told_so_and_pays_less(arena: Arena) -> None:
    """0.0002 of 1000."""
    await arena.place(BTC, Side.BUY, "0.01", "100000")
    await arena.place(BTC, Side.SELL, "0.01", "100000", "bob")
    (trade,) = await arena.ok("GET", "userTrades", symbol="BTCUSDT")
    assert (trade["maker"], trade["commission"]) == (True, "0.20000000")


async def test_trades_of_an_order_and_from_an_id(arena: Arena) -> None:
    orders = [(await arena.place_order(MARKET_BUY))["orderId"] for _ in range(3)]
    trades = await arena.ok("GET", "userTrades", symbol="BTCUSDT")
    assert [one["orderId"] for one in trades] == orders
    of_one = await arena.ok("GET", "userTrades", symbol="BTCUSDT", orderId=orders[1])
    assert of_one == [trades[1]]
    assert await arena.ok("GET", "userTrades", symbol="BTCUSDT", fromId=trades[1]["id"]) == trades[1:]
    assert await arena.ok("GET", "userTrades", symbol="BTCUSDT", limit=2) == trades[1:]


async def at_days(arena: Arena, count: int, values: dict[str, Any] = LIMIT_BUY) -> list[int]:
    """An order a day, the first one now."""
    placed = []
    for day in range(count):
        if day:
            await arena.step(DAY_US)
        placed.append((await arena.place_order(values))["orderId"])
    return placed


def ids(listed: list[dict[str, Any]]) -> list[int]:
    return [one["orderId"] for one in listed]


async def test_orders_of_the_last_seven_days(arena: Arena) -> None:
    placed = await at_days(arena, 10)
    assert ids(await arena.ok("GET", "allOrders", symbol="BTCUSDT")) == placed[2:]
    assert ids(await arena.ok("GET", "allOrders", symbol="BTCUSDT", limit=2)) == placed[-2:]


async def test_orders_of_a_span(arena: Arena) -> None:
    placed = await at_days(arena, 10)
    start = {"symbol": "BTCUSDT", "startTime": NOW_MS}
    # Seven days from the start on, the oldest first.
    assert ids(await arena.ok("GET", "allOrders", USDM, **start)) == placed[:8]
    assert ids(await arena.ok("GET", "allOrders", USDM, **start, limit=3)) == placed[:3]
    until = {"symbol": "BTCUSDT", "endTime": NOW_MS + 2 * DAY_MS}
    assert ids(await arena.ok("GET", "allOrders", USDM, **until, limit=2)) == placed[1:3]


async def test_orders_from_an_id_on(arena: Arena) -> None:
    placed = await at_days(arena, 10)
    listed = await arena.ok("GET", "allOrders", symbol="BTCUSDT", orderId=placed[0], limit=3)
    assert ids(listed) == placed[:3]


async def test_orders_that_are_not_told_of_make_room_for_others(arena: Arena) -> None:
    placed = [(await arena.place_order(LIMIT_BUY))["orderId"] for _ in range(6)]
    for order_id in placed[3:]:
        await arena.ok("DELETE", "order", symbol="BTCUSDT", orderId=order_id)
    await arena.step(4 * DAY_US)
    assert ids(await arena.ok("GET", "allOrders", symbol="BTCUSDT", limit=3)) == placed[:3]


async def test_orders_of_all_symbols_in_the_order_of_time(arena: Arena) -> None:
    values = [LIMIT_BUY, {**LIMIT_BUY, "symbol": "ETHUSDT", "price": "3900"}, LIMIT_BUY]
    placed = [(await arena.place_order(one))["orderId"] for one in values]
    assert ids(await arena.ok("GET", "allOrders")) == placed
    assert ids(await arena.ok("GET", "openOrders", symbol="ETHUSDT")) == placed[1:2]


async def test_orders_of_a_pair(arena: Arena) -> None:
    quarter = next(
        one.symbol
        for one in COINM.listings.values()
        if one.pair == "BTCUSD" and not one.is_perpetual and one.is_listed(NOW_US)
    )
    placed = [
        (await arena.place_order({**COIN_BUY, "symbol": symbol}, COINM))["orderId"]
        for symbol in ("BTCUSD_PERP", quarter)
    ]
    assert ids(await arena.ok("GET", "openOrders", COINM, pair="BTCUSD")) == placed
    assert ids(await arena.ok("GET", "allOrders", COINM, pair="BTCUSD")) == placed
    assert await arena.ok("GET", "openOrders", COINM, pair="ETHUSD") == []


async def test_orders_by_which_the_exchange_closed_a_position(arena: Arena) -> None:
    """A tenth of an isolated position's worth is its margin, and more than that is lost."""
    await arena.ok("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    await arena.ok("POST", "leverage", symbol="BTCUSDT", leverage=10)
    assert await arena.ok("GET", "forceOrders") == []
    await arena.place_order(MARKET_BUY)
    await arena.hold_price("BTC/USDT", "90000")
    (forced,) = await arena.ok("GET", "forceOrders")
    assert forced["clientOrderId"] == f"autoclose-{forced['orderId']}"
    shown = ("status", "side", "type", "timeInForce", "reduceOnly", "executedQty")
    assert [forced[name] for name in shown] == ["FILLED", "SELL", "LIMIT", "IOC", True, "0.010"]
    assert not {"priceProtect", "goodTillDate", "priceMatch", "selfTradePreventionMode"} & set(forced)
    assert (await arena.find_order(forced["orderId"]))["avgPrice"] == forced["avgPrice"]
    assert await arena.ok("GET", "forceOrders", symbol="BTCUSDT", autoCloseType="LIQUIDATION") == [forced]
    assert await arena.ok("GET", "forceOrders", autoCloseType="ADL") == []
    assert await arena.ok("GET", "forceOrders", COINM) == []


async def test_weights_of_lists(arena: Arena) -> None:
    """1 with a symbol, 40 without; 5 of all orders and of trades."""
    used = 0
    asked: list[tuple[str, dict[str, Any], int]] = [
        ("openOrders", {"symbol": "BTCUSDT"}, 1),
        ("openOrders", {}, 40),
        ("openAlgoOrders", {}, 40),
        ("allOrders", {"symbol": "BTCUSDT"}, 5),
        ("userTrades", {"symbol": "BTCUSDT"}, 5),
        ("rateLimit/order", {}, 1),
    ]
    for path, values, weight in asked:
        reply = await arena.ask("GET", f"/fapi/v1/{path}", **values)
        now = int(reply.headers["x-mbx-used-weight-1m"])
        assert (path, now - used) == (path, weight)
        used = now


async def test_how_many_orders_may_be_placed(arena: Arena) -> None:
    assert await arena.ok("GET", "rateLimit/order") == [
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    ]
