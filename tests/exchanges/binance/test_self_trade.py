"""Self-trade prevention, mode by mode, after the scenarios of faqs/stp_faq.md."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.binance.trading_floor import DEMO, NOW_MS, SIBLING, TWIN, Floor

pytestmark = pytest.mark.anyio

MATCH = {
    "symbol",
    "preventedMatchId",
    "takerOrderId",
    "makerSymbol",
    "makerOrderId",
    "tradeGroupId",
    "selfTradePreventionMode",
    "price",
    "transactTime",
}


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


async def order(
    floor: Floor, side: str, quantity: str, price: str | None, mode: str, *, who: str = DEMO
) -> Any:
    more = {"type": "MARKET"} if price is None else {"type": "LIMIT", "timeInForce": "GTC", "price": price}
    return await floor.post(
        "order",
        who=who,
        symbol="BTCUSDT",
        side=side,
        quantity=quantity,
        selfTradePreventionMode=mode,
        newOrderRespType="FULL",
        **more,
    )


async def test_without_prevention_an_account_trades_with_itself(floor: Floor) -> None:
    maker = await order(floor, "BUY", "1", "100000", "NONE")
    taker = await order(floor, "SELL", "1", "100000", "NONE")
    assert taker["status"] == "FILLED"
    assert await floor.status(maker["orderId"]) == "FILLED"
    assert await floor.get("myPreventedMatches", symbol="BTCUSDT", orderId=taker["orderId"]) == []


async def test_expire_maker_clears_the_way(floor: Floor) -> None:
    makers = [
        await order(floor, "BUY", quantity, price, "NONE")
        for quantity, price in (("1.2", "100002"), ("1.3", "100001"), ("2.1", "100000"))
    ]
    taker = await order(floor, "SELL", "3", "100000", "EXPIRE_MAKER")
    assert (taker["status"], taker["fills"]) == ("NEW", [])
    assert taker["preventedMatches"] == [
        {
            "preventedMatchId": number,
            "makerSymbol": "BTCUSDT",
            "makerOrderId": maker["orderId"],
            "price": maker["price"],
            "makerPreventedQuantity": maker["origQty"],
        }
        for number, maker in enumerate(makers)
    ]
    assert "preventedQuantity" not in taker
    for number, maker in enumerate(makers):
        found = await floor.order(maker["orderId"])
        assert found["status"] == "EXPIRED_IN_MATCH"
        assert found["preventedMatchId"] == number
        assert found["preventedQuantity"] == maker["origQty"]
        assert "expiryReason" not in found
    found = await floor.order(taker["orderId"])
    assert "preventedQuantity" not in found
    assert floor.balance("USDT")[1] == 0


async def test_expire_taker_leaves_the_book_alone(floor: Floor) -> None:
    maker = await order(floor, "BUY", "1.2", "100002", "NONE")
    taker = await order(floor, "SELL", "3", "100000", "EXPIRE_TAKER")
    assert taker["status"] == "EXPIRED_IN_MATCH"
    assert taker["preventedQuantity"] == "3.00000000"
    assert taker["preventedMatches"][0]["takerPreventedQuantity"] == "3.00000000"
    assert "makerPreventedQuantity" not in taker["preventedMatches"][0]
    assert await floor.status(maker["orderId"]) == "NEW"
    found = await floor.order(taker["orderId"])
    assert (found["preventedMatchId"], found["preventedQuantity"]) == (0, "3.00000000")


async def test_expire_both(floor: Floor) -> None:
    maker = await order(floor, "BUY", "1", "100000", "NONE")
    taker = await order(floor, "SELL", "3", "100000", "EXPIRE_BOTH")
    assert taker["status"] == "EXPIRED_IN_MATCH"
    (match,) = taker["preventedMatches"]
    assert (match["takerPreventedQuantity"], match["makerPreventedQuantity"]) == ("3.00000000", "1.00000000")
    assert await floor.status(maker["orderId"]) == "EXPIRED_IN_MATCH"


async def test_the_takers_mode_decides(floor: Floor) -> None:
    maker = await order(floor, "BUY", "1", "100000", "EXPIRE_MAKER")
    taker = await order(floor, "SELL", "1", "100000", "EXPIRE_TAKER")
    assert taker["status"] == "EXPIRED_IN_MATCH"
    assert await floor.status(maker["orderId"]) == "NEW"


async def test_a_market_order_that_only_meets_its_own_runs_out_of_liquidity(floor: Floor) -> None:
    await floor.book(asks=[("100010", "1")])
    maker = await order(floor, "BUY", "1", "100000", "NONE")
    taker = await order(floor, "SELL", "1", None, "EXPIRE_MAKER")
    assert await floor.status(maker["orderId"]) == "EXPIRED_IN_MATCH"
    assert (taker["status"], taker["expiryReason"]) == ("EXPIRED", "INSUFFICIENT_LIQUIDITY")
    assert len(taker["preventedMatches"]) == 1


async def test_decrement_takes_the_smaller_from_both(floor: Floor) -> None:
    maker = await order(floor, "BUY", "6", "100000", "NONE")
    taker = await order(floor, "SELL", "2", "100000", "DECREMENT")
    assert (taker["status"], taker["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "2.00000000")
    found = await floor.order(maker["orderId"])
    assert (found["status"], found["preventedQuantity"]) == ("NEW", "2.00000000")
    assert found["origQty"] == "6.00000000"
    assert floor.balance("USDT")[1] == 400_000
    # What is left of it can still trade.
    await floor.trade("99999", "10")
    found = await floor.order(maker["orderId"])
    assert (found["status"], found["executedQty"]) == ("FILLED", "4.00000000")


async def test_decrement_goes_on_with_what_is_left_of_the_taker(floor: Floor) -> None:
    maker = await order(floor, "BUY", "1", "100000", "NONE")
    taker = await order(floor, "SELL", "3", "99990", "DECREMENT")
    assert await floor.status(maker["orderId"]) == "EXPIRED_IN_MATCH"
    assert (taker["executedQty"], taker["preventedQuantity"]) == ("2.00000000", "1.00000000")
    assert taker["fills"][0]["price"] == "99990.00000000"


@pytest.mark.parametrize(("maker_mode", "moves"), [("TRANSFER", True), ("DECREMENT", False)])
async def test_transfer_moves_funds_within_a_trade_group(floor: Floor, maker_mode: str, moves: bool) -> None:
    maker = await order(floor, "BUY", "0.6", "100000", maker_mode, who=TWIN)
    taker = await order(floor, "SELL", "0.2", "100000", "TRANSFER", who=SIBLING)
    assert taker["status"] == "EXPIRED_IN_MATCH"
    assert taker["tradeGroupId"] == 7
    (match,) = taker["preventedMatches"]
    assert match["takerPreventedQuantity"] == match["makerPreventedQuantity"] == "0.20000000"
    found = await floor.order(maker["orderId"], who=TWIN)
    assert (found["status"], found["preventedQuantity"]) == ("NEW", "0.20000000")
    moved = Decimal("0.2") if moves else Decimal(0)
    assert floor.balance("BTC", who=TWIN)[0] == 100 + moved
    assert floor.balance("BTC", who=SIBLING)[0] == 100 - moved
    assert floor.balance("USDT", who=SIBLING)[0] == 10_000_000 + 100_000 * moved
    free, held = floor.balance("USDT", who=TWIN)
    assert (free, held) == (10_000_000 - 40_000 - 100_000 * moved, Decimal(40_000))
    (kept,) = await floor.get("myPreventedMatches", who=TWIN, symbol="BTCUSDT", orderId=maker["orderId"])
    assert kept["selfTradePreventionMode"] == ("TRANSFER" if moves else "DECREMENT")
    assert kept["tradeGroupId"] == 7


async def test_transfer_within_one_account_is_a_decrement(floor: Floor) -> None:
    maker = await order(floor, "BUY", "0.6", "100000", "TRANSFER")
    taker = await order(floor, "SELL", "0.2", "100000", "TRANSFER")
    assert taker["status"] == "EXPIRED_IN_MATCH"
    assert (await floor.order(maker["orderId"]))["preventedQuantity"] == "0.20000000"
    assert floor.balance("BTC") == (Decimal(100), Decimal(0))


async def test_a_symbols_default_is_to_expire_the_maker(floor: Floor) -> None:
    bid = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "100000"}
    maker = await floor.post("order", **bid, side="BUY")
    taker = await floor.post("order", **bid, side="SELL")
    assert maker["selfTradePreventionMode"] == "EXPIRE_MAKER"
    assert taker["status"] == "NEW"
    assert await floor.status(maker["orderId"]) == "EXPIRED_IN_MATCH"


async def test_prevented_matches_can_be_asked_for(floor: Floor) -> None:
    for price in ("100000", "100001", "100002"):
        await order(floor, "BUY", "1", price, "NONE")
    taker = await order(floor, "SELL", "3", "100000", "EXPIRE_MAKER")

    async def listed(**more: int) -> list[Any]:
        found: list[Any] = await floor.get("myPreventedMatches", symbol="BTCUSDT", **more)
        return found

    every = await listed(orderId=taker["orderId"])
    assert [one["preventedMatchId"] for one in every] == [0, 1, 2]
    assert set(every[0]) == MATCH | {"makerPreventedQuantity"}
    assert every[0]["tradeGroupId"] == -1
    assert every[0]["transactTime"] == NOW_MS
    assert every[0]["price"] == "100002.00000000"
    assert await listed(preventedMatchId=1) == every[1:2]
    assert await listed(orderId=taker["orderId"], fromPreventedMatchId=1) == every[1:]
    assert await listed(orderId=taker["orderId"], fromPreventedMatchId=1, limit=1) == every[1:2]
    assert await floor.get("myPreventedMatches", symbol="BTCUSDT", preventedMatchId=1, who=TWIN) == []


@pytest.mark.parametrize(
    ("more", "weight"),
    [({"preventedMatchId": 1}, 2), ({"orderId": 1}, 20), ({"symbol": "NOSUCH", "orderId": 1}, 2)],
)
async def test_what_asking_for_prevented_matches_weighs(
    floor: Floor, more: dict[str, Any], weight: int
) -> None:
    reply = await floor.send("GET", "myPreventedMatches", **{"symbol": "BTCUSDT", **more})
    assert reply.headers["x-mbx-used-weight-1m"] == str(weight)
