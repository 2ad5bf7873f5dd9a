"""Lists of orders and executions: what they hold, in which order, page by page, from memory and archive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.bybit.pit import BUY, DAY_US, INVERSE, LINEAR, LONG, NOW_MS, SELL, SHORT, SPOT, Pit

pytestmark = pytest.mark.anyio

PATHS = {"realtime": "/v5/order/realtime", "history": "/v5/order/history", "trades": "/v5/execution/list"}


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


async def pages(pit: Pit, path: str, values: dict[str, Any], size: int) -> list[list[Any]]:
    """All pages of a list, each with the cursor of the one before."""
    found: list[list[Any]] = []
    cursor = ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = await pit.get(path, {**values, "limit": size, **more})
        found.append(answer["list"])
        assert answer["category"] == values["category"]
        cursor = answer["nextPageCursor"]
        if not cursor:
            return found
        assert len(answer["list"]) == size


async def cancel(pit: Pit, order_id: str, category: str = SPOT, symbol: str = "BTCUSDT") -> None:
    await pit.post("/v5/order/cancel", {"category": category, "symbol": symbol, "orderId": order_id})


async def test_pages_of_open_orders_begin_with_the_newest(pit: Pit) -> None:
    ids = [await pit.place(LONG) for _ in range(5)]
    found = await pages(pit, PATHS["realtime"], {"category": LINEAR, "settleCoin": "USDT"}, 2)
    assert [[one["orderId"] for one in page] for page in found] == [ids[:2:-1], ids[2:0:-1], ids[:1]]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
async def test_pages_of_history_have_every_order_once(pit: Pit, size: int) -> None:
    ids = []
    for number in range(5):
        symbol = ("BTCUSDT", "ETHUSDT")[number % 2]
        price = {"BTCUSDT": "99000", "ETHUSDT": "1000"}[symbol]
        ids.append(await pit.place(LONG, symbol=symbol, price=price, qty="0.1"))
        await cancel(pit, ids[-1], LINEAR, symbol)
        await pit.step(number % 2 * 1000)
    found = await pages(pit, PATHS["history"], {"category": LINEAR}, size)
    assert [one["orderId"] for page in found for one in page] == ids[::-1]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_pages_of_executions_have_each_once(pit: Pit, size: int) -> None:
    """Several trades of one moment in two contracts, and then one more."""
    await pit.hold("ETH/USDT", "4000")
    await pit.book("linear:ETHUSDT", [("3999", "50")], [("4001", "50")])
    for price in ("100001", "100002", "100003"):
        await pit.place(SHORT, "bob", price=price)
    await pit.place(LONG, price="100005", qty="0.03")
    await pit.place(LONG, symbol="ETHUSDT", price="4001", qty="0.1")
    await pit.step(1000)
    await pit.place(LONG, price="100010")
    whole = await pit.trades(LINEAR)
    assert len(whole) == 5
    assert [int(one["execTime"]) for one in whole] == sorted(
        (int(one["execTime"]) for one in whole), reverse=True
    )
    found = await pages(pit, PATHS["trades"], {"category": LINEAR}, size)
    assert [one for page in found for one in page] == whole


async def test_an_id_that_nobody_knows_is_an_empty_list(pit: Pit) -> None:
    order_id = await pit.place(BUY)
    for path in PATHS.values():
        for named in (
            {"orderId": "c6f055d9-7f21-4079-913d-e6523a9cfffa"},
            {"orderId": "nonsense"},
            {"orderLinkId": "nobody"},
        ):
            assert (await pit.get(path, {"category": SPOT, **named}))["list"] == []
        # Another category's, and another owner's.
        assert (await pit.get(path, {"category": LINEAR, "orderId": order_id}))["list"] == []
        assert (await pit.get(path, {"category": SPOT, "orderId": order_id}, "bob"))["list"] == []


@pytest.mark.parametrize("path", PATHS.values())
async def test_options_have_no_orders(pit: Pit, path: str) -> None:
    assert await pit.get(path, {"category": "option"}) == {
        "category": "option",
        "nextPageCursor": "",
        "list": [],
    }


@pytest.mark.parametrize("path", PATHS.values())
@pytest.mark.parametrize("category", ["", "futures", None])
async def test_a_category_is_needed(pit: Pit, path: str, category: str | None) -> None:
    values = {} if category is None else {"category": category}
    code, _ = await pit.no("GET", path, values)
    assert code == 10001


async def test_open_orders_of_linear_contracts_are_of_a_symbol_or_a_coin(pit: Pit) -> None:
    # open-order.mdx: for linear, either symbol, baseCoin, settleCoin is required.
    order_id = await pit.place(LONG)
    assert (await pit.no("GET", PATHS["realtime"], {"category": LINEAR}))[0] == 10001
    for named in ({"symbol": "BTCUSDT"}, {"baseCoin": "BTC"}, {"settleCoin": "USDT"}):
        listed = (await pit.get(PATHS["realtime"], {"category": LINEAR, **named}))["list"]
        assert [one["orderId"] for one in listed] == [order_id]
    for named in ({"symbol": "ETHUSDT"}, {"baseCoin": "ETH"}, {"settleCoin": "USDC"}, {"baseCoin": "XYZ"}):
        assert (await pit.get(PATHS["realtime"], {"category": LINEAR, **named}))["list"] == []
    for category in (SPOT, INVERSE):
        assert (await pit.get(PATHS["realtime"], {"category": category}))["list"] == []


async def test_a_symbol_counts_before_a_coin(pit: Pit) -> None:
    order_id = await pit.place(LONG)
    values = {"category": LINEAR, "symbol": "BTCUSDT", "baseCoin": "ETH", "settleCoin": "USDC"}
    listed = (await pit.get(PATHS["realtime"], values))["list"]
    assert [one["orderId"] for one in listed] == [order_id]


async def test_what_is_over_is_found_by_its_id_among_the_open_ones(pit: Pit) -> None:
    order_id = await pit.place(BUY, orderLinkId="mine")
    await cancel(pit, order_id)
    assert await pit.open() == []
    # openOnly param will be ignored when query by orderId or orderLinkId (open-order.mdx)
    for named in ({"orderId": order_id}, {"orderLinkId": "mine"}):
        (found,) = (await pit.get(PATHS["realtime"], {"category": SPOT, "openOnly": 0, **named}))["list"]
        assert found["orderStatus"] == "Cancelled"
    (found,) = await pit.open(openOnly=1)
    assert found["orderId"] == order_id


async def test_the_newest_five_hundred_that_are_over_are_remembered(pit: Pit) -> None:
    """open-order.mdx, openOnly: a maximum of recent 500 closed status records are kept under each account
    each category; all others are in the history only."""
    first = await pit.place(BUY, symbol="ETHUSDT", price="1000", qty="0.01", orderLinkId="first")
    other = await pit.place(LONG)
    await pit.step(1000)
    orders: list[str] = []
    for _ in range(50):
        one = {name: value for name, value in BUY.items() if name != "category"}
        made = await pit.post("/v5/order/create-batch", {"category": SPOT, "request": [one] * 10})
        orders += [order["orderId"] for order in made["list"]]
        await pit.post("/v5/order/cancel-all", {"category": SPOT, "symbol": "BTCUSDT"})
    for category in (SPOT, LINEAR):
        await pit.post("/v5/order/cancel-all", {"category": category, "baseCoin": "ETH", "symbol": "ETHUSDT"})
    await pit.post("/v5/order/cancel-all", {"category": LINEAR, "symbol": "BTCUSDT"})
    asked = {"category": SPOT, "openOnly": 1, "limit": 50}
    found: list[str] = []
    cursor = ""
    while True:
        page = await pit.get(PATHS["realtime"], {**asked, "cursor": cursor} if cursor else asked)
        found += [one["orderId"] for one in page["list"]]
        cursor = page["nextPageCursor"]
        if not cursor:
            break
    assert found == orders[::-1]
    assert (await pit.get(PATHS["realtime"], {**asked, "symbol": "ETHUSDT"}))["list"] == []
    # Each category has a memory of its own, and the history has all of them.
    assert [one["orderId"] for one in await pit.open(LINEAR, openOnly=1)] == [other]
    (listed,) = (await pit.get(PATHS["history"], {"category": SPOT, "symbol": "ETHUSDT"}))["list"]
    assert listed["orderId"] == first


async def test_the_history_has_only_what_is_over(pit: Pit) -> None:
    resting = await pit.place(BUY)
    filled = await pit.place(BUY, price="100010")
    canceled = await pit.place(SELL)
    await cancel(pit, canceled)
    listed = (await pit.get(PATHS["history"], {"category": SPOT}))["list"]
    assert [one["orderId"] for one in listed] == [canceled, filled]
    assert (await pit.get(PATHS["history"], {"category": SPOT, "orderId": resting}))["list"] == []
    for status, order_id in (("Filled", filled), ("Cancelled", canceled)):
        listed = (await pit.get(PATHS["history"], {"category": SPOT, "orderStatus": status}))["list"]
        assert [one["orderId"] for one in listed] == [order_id]


async def test_what_ended_without_a_trade_is_told_of_for_a_day(pit: Pit) -> None:
    # order-list.mdx: in the last 24 hours "Cancelled" (fully cancelled order) can be queried.
    filled = await pit.place(BUY, price="100010")
    canceled = await pit.place(SELL)
    await cancel(pit, canceled)
    await pit.step(DAY_US)
    assert len((await pit.get(PATHS["history"], {"category": SPOT}))["list"]) == 2
    await pit.step(1)
    listed = (await pit.get(PATHS["history"], {"category": SPOT}))["list"]
    assert [one["orderId"] for one in listed] == [filled]


@pytest.mark.parametrize("path", [PATHS["history"], PATHS["trades"]])
async def test_a_history_is_of_seven_days(pit: Pit, path: str) -> None:
    await pit.place(BUY, price="100010")
    await pit.step(7 * DAY_US)
    assert len((await pit.get(path, {"category": SPOT}))["list"]) == 1
    await pit.step(1000)
    assert (await pit.get(path, {"category": SPOT}))["list"] == []
    week_ms = 7 * DAY_US // 1000
    for span, count in (
        ({"startTime": NOW_MS}, 1),
        ({"startTime": NOW_MS + 1}, 0),
        ({"endTime": NOW_MS}, 1),
        ({"endTime": NOW_MS - 1}, 0),
        ({"endTime": NOW_MS + week_ms}, 1),
        ({"endTime": NOW_MS + week_ms + 1}, 0),
        ({"startTime": NOW_MS - 1, "endTime": NOW_MS + 1}, 1),
    ):
        assert len((await pit.get(path, {"category": SPOT, **span}))["list"]) == count, span
    for wrong in (
        {"startTime": NOW_MS, "endTime": NOW_MS + week_ms + 1},
        {"startTime": NOW_MS, "endTime": NOW_MS - 1},
    ):
        assert (await pit.no("GET", path, {"category": SPOT, **wrong}))[0] == 10001


@pytest.mark.parametrize("path", PATHS.values())
@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"cursor": "nonsense"}])
async def test_a_page_that_there_is_not_is_refused(pit: Pit, path: str, wrong: dict[str, Any]) -> None:
    assert (await pit.no("GET", path, {"category": SPOT, **wrong}))[0] == 10001


async def test_executions_of_one_sort(pit: Pit) -> None:
    await pit.place(LONG, price="100010")
    assert len(await pit.trades(LINEAR, execType="Trade")) == 1
    for word in ("Funding", "BustTrade", "AdlTrade", "Settle", "BlockTrade"):
        assert await pit.trades(LINEAR, execType=word) == []
    assert (await pit.no("GET", PATHS["trades"], {"category": LINEAR, "execType": "Gift"}))[0] == 10001


async def test_a_payment_of_funding_stands_among_the_executions(pit: Pit) -> None:
    """At 16:00 UTC, an hour and three quarters from here; positive rates are paid by who is long."""
    await pit.place(LONG, price="100010")
    await pit.step(2 * DAY_US // 24)
    (one,) = await pit.trades(LINEAR, execType="Funding")
    assert (one["execType"], one["orderType"], one["side"]) == ("Funding", "UNKNOWN", "Buy")
    assert (one["execQty"], one["orderQty"], one["leavesQty"]) == ("0.010", "0", "0")
    assert int(one["execTime"]) % (8 * 3_600_000) == 0
    value, rate = Decimal(one["execValue"]), Decimal(one["feeRate"])
    assert value == Decimal(one["execPrice"]) * Decimal("0.01")
    # fee = mark value * rate; above zero what was paid.
    assert abs(Decimal(one["execFee"]) - value * rate) < Decimal("0.00000001")
    assert len(await pit.trades(LINEAR)) == 2
