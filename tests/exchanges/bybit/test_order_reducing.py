"""Orders that may only make a position smaller: what is refused of them, and what they are told of as."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from emulator.core.commands import SetPositionMode
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import LINEAR, LONG, SHORT, Pit

pytestmark = pytest.mark.anyio

ZERO_HELD = "current position is zero, cannot fix reduce-only order qty"
SAME_SIDE = "reduce-only order has same side with current position"
COVERED = "orderQty will be truncated to zero"
"""All of 110017: the last one is the error page's, the others are recorded from running servers."""


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


async def hedge(pit: Pit) -> None:
    account = pit.sandbox.accounts["alice"]
    await pit.do(SetPositionMode(account=account, wallet=UNIFIED, hedged=True))


@pytest.mark.parametrize("kind", ["Limit", "Market"])
async def test_the_text_says_why_there_is_nothing_to_reduce(pit: Pit, kind: str) -> None:
    price = "99990" if kind == "Limit" else None
    reducing = {**SHORT, "orderType": kind, "price": price, "reduceOnly": True}
    assert await pit.refused(reducing) == (110017, ZERO_HELD)
    await pit.place(LONG, price="100010", qty="0.03")
    buying = {**reducing, "side": "Buy", "price": None if price is None else "100010"}
    assert await pit.refused(buying) == (110017, SAME_SIDE)
    await pit.place(SHORT, price="100500", qty="0.03", reduceOnly=True)
    assert await pit.refused(reducing) == (110017, COVERED)


async def test_an_order_is_trimmed_to_what_others_leave(pit: Pit) -> None:
    # help centre, Reduce-Only Order: no larger than the open position, less what other orders claim
    await pit.place(LONG, price="100010", qty="0.03")
    await pit.place(SHORT, price="100500", qty="0.02", reduceOnly=True)
    trimmed = await pit.find(await pit.place(SHORT, price="100600", qty="0.05", reduceOnly=True), LINEAR)
    assert (trimmed["qty"], trimmed["leavesQty"], trimmed["reduceOnly"]) == ("0.010", "0.010", True)


async def test_against_a_position_of_hedge_mode_an_order_only_reduces(pit: Pit) -> None:
    """Recorded: accepted orders came back with reduceOnly, though they had been sent without it, and those
    beyond the position were refused; one that waits for a trigger stays without, and is bound by nothing."""
    await hedge(pit)
    assert await pit.refused(SHORT, positionIdx=1) == (110017, ZERO_HELD)
    waits = {**SHORT, "positionIdx": 1, "triggerPrice": "99000", "triggerDirection": 2}
    waiting = await pit.find(await pit.place(waits), LINEAR)
    assert (waiting["orderStatus"], waiting["reduceOnly"]) == ("Untriggered", False)
    opened = await pit.find(await pit.place(LONG, price="100010", qty="0.03", positionIdx=1), LINEAR)
    assert opened["reduceOnly"] is False
    closing = await pit.find(await pit.place(SHORT, price="100500", qty="0.03", positionIdx=1), LINEAR)
    assert closing["reduceOnly"] is True
    assert await pit.refused(SHORT, positionIdx=1) == (110017, COVERED)
    assert (await pit.find(await pit.place(waits), LINEAR))["orderStatus"] == "Untriggered"
