"""Several orders in one request: what becomes of each, in its place (docs/v5/order/batch-*)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.exchanges.bybit.pit import BUY, LINEAR, LONG, NOW_MS, SPOT, Pit

pytestmark = pytest.mark.anyio

MEMBERS = {SPOT: BUY, LINEAR: LONG}


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


def member(category: str, **changes: Any) -> dict[str, Any]:
    values = {**MEMBERS[category], **changes}
    del values["category"]
    return values


async def batch(pit: Pit, path: str, category: str, members: list[dict[str, Any]]) -> tuple[Any, Any]:
    """The orders and the codes of an answer."""
    body = await pit.whole("POST", f"/v5/order/{path}-batch", {"category": category, "request": members})
    return body["result"]["list"], body["retExtInfo"]["list"]


@pytest.mark.parametrize("category", [SPOT, LINEAR])
async def test_each_order_of_a_batch_has_its_place(pit: Pit, category: str) -> None:
    members = [
        member(category, orderLinkId="first"),
        member(category, orderLinkId="second", side="Hold"),
        member(category, orderLinkId="third", symbol="XYZ"),
        member(category, orderLinkId="first"),
        member(category, orderLinkId="fifth"),
        member(category, orderLinkId="sixth", qty="many"),
    ]
    listed, codes = await batch(pit, "create", category, members)
    pair = category == SPOT
    assert [one["code"] for one in codes] == [
        0,
        170117 if pair else 10001,
        170121 if pair else 10001,
        170141 if pair else 110072,
        0,
        170130 if pair else 10001,
    ]
    assert codes[0] == {"code": 0, "msg": "OK"}
    assert [bool(one["orderId"]) for one in listed] == [True, False, False, False, True, False]
    assert [one["symbol"] for one in listed][2] == "XYZ"
    assert {one["category"] for one in listed} == {category}
    # What failed keeps the name that it was sent with, so that a client knows which one it was.
    assert [one["orderLinkId"] for one in listed] == ["first", "second", "third", "first", "fifth", "sixth"]
    assert listed[5]["symbol"] == "BTCUSDT"
    assert [listed[0]["createAt"], listed[0]["orderLinkId"]] == [str(NOW_MS), "first"]
    assert [one["orderLinkId"] for one in await pit.open(category)] == ["fifth", "first"]


@pytest.mark.parametrize("category", [SPOT, LINEAR])
async def test_batches_amend_and_cancel(pit: Pit, category: str) -> None:
    first, second = await pit.place(MEMBERS[category]), await pit.place(MEMBERS[category], orderLinkId="b")
    named = [
        {"symbol": "BTCUSDT", "orderId": first},
        {"symbol": "BTCUSDT", "orderLinkId": "b"},
        {"symbol": "BTCUSDT", "orderLinkId": "nobody"},
        {"symbol": "BTCUSDT"},
    ]
    unknown = 170213 if category == SPOT else 110001
    listed, codes = await batch(pit, "amend", category, [{**one, "price": "98000"} for one in named])
    assert [one["code"] for one in codes] == [0, 0, unknown, 10001]
    assert [one["orderId"] for one in listed] == [first, second, "", ""]
    assert {float(one["price"]) for one in await pit.open(category)} == {98000}
    listed, codes = await batch(pit, "cancel", category, named)
    assert [one["code"] for one in codes] == [0, 0, unknown, 10001]
    # batch-cancel.mdx: an item has category, symbol, orderId and orderLinkId.
    assert listed[1] == {"category": category, "symbol": "BTCUSDT", "orderId": second, "orderLinkId": "b"}
    assert listed[2] == {"category": category, "symbol": "BTCUSDT", "orderId": "", "orderLinkId": "nobody"}
    assert await pit.open(category) == []


@pytest.mark.parametrize(("category", "code"), [(SPOT, 170312), (LINEAR, 110032)])
async def test_batches_do_not_amend_conditional_orders(pit: Pit, category: str, code: int) -> None:
    # batch-amend.mdx: conditional orders are not supported.
    waits: dict[str, Any] = {"triggerPrice": "101000", "triggerDirection": 1}
    if category == SPOT:
        waits = {"triggerPrice": "101000", "orderFilter": "StopOrder"}
    order = await pit.place(MEMBERS[category], **waits)
    named = {"symbol": "BTCUSDT", "orderId": order, "price": "98000"}
    listed, codes = await batch(pit, "amend", category, [named])
    assert ([one["code"] for one in codes], listed[0]["orderId"]) == ([code], "")
    await pit.post("/v5/order/amend", {"category": category, **named})


@pytest.mark.parametrize(("category", "most"), [(SPOT, 10), (LINEAR, 20)])
async def test_a_batch_has_a_largest_size(pit: Pit, category: str, most: int) -> None:
    # batch-place.mdx: a maximum of 20 orders (linear), 10 orders (spot) can be placed per request.
    listed, _ = await batch(pit, "create", category, [member(category)] * most)
    assert len(listed) == most
    values = {"category": category, "request": [member(category)] * (most + 1)}
    assert (await pit.no("POST", "/v5/order/create-batch", values))[0] in (10001, 170130)
    assert len(await pit.open(category, limit=50)) == most


@pytest.mark.parametrize("request_", [None, [], "x", {}, [1]])
async def test_a_batch_is_a_list_of_orders(pit: Pit, request_: Any) -> None:
    values = {"category": LINEAR, "request": request_}
    assert (await pit.no("POST", "/v5/order/create-batch", values))[0] == 10001
