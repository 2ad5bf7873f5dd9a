"""Subscriptions to user data over the WebSocket API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.exchanges.binance.spot.user_data import ACCOUNT_HUBS
from emulator.exchanges.binance.spot.ws_api import standing
from tests.exchanges.binance.switchboard import Caller, Switchboard
from tests.exchanges.binance.trading_floor import (
    DEMO,
    LIMIT_BUY,
    LIMIT_SELL,
    MARKET_BUY,
    NOW_MS,
    NOW_US,
    OTHER,
    TWIN,
)
from tests.runtime.universe import FailingJournal

pytestmark = pytest.mark.anyio

ACTIVE = (400, -2035, "User Data Stream subscription already active.")
INACTIVE = (400, -2036, "User Data Stream subscription not active.")
NO_MORE = (400, -2042, "Maximum subscription ID reached for this connection.")

SUBSCRIBE = "userDataStream.subscribe.signature"


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard().on_air() as on_air:
        yield on_air


@pytest.fixture
async def caller(board: Switchboard) -> AsyncIterator[Caller]:
    async with board.call() as connected:
        yield connected


def story(frame: Any) -> str:
    event = frame["event"]
    words = [str(frame["subscriptionId"]), event["e"]]
    if event["e"] == "executionReport":
        words += [event["x"], event["X"]]
    return " ".join(words)


async def stories(caller: Caller, count: int) -> list[str]:
    return [story(await caller.event()) for _ in range(count)]


async def quiet(caller: Caller) -> bool:
    """Whether no event came before the answer to what is asked now."""
    await caller.take("ping")
    return not caller.events


# Starting


async def test_subscribing_by_signature(board: Switchboard, caller: Caller) -> None:
    assert await caller.own(SUBSCRIBE) == {"subscriptionId": 0}
    await board.post("order", **LIMIT_BUY)
    assert await stories(caller, 2) == ["0 executionReport NEW NEW", "0 outboundAccountPosition"]


async def test_subscribing_logged_on(board: Switchboard, caller: Caller) -> None:
    await caller.own("session.logon")
    assert await caller.take("userDataStream.subscribe") == {"subscriptionId": 0}
    assert (await caller.take("session.status"))["userDataStream"] is True
    await board.post("order", **MARKET_BUY)
    assert await stories(caller, 3) == [
        "0 executionReport NEW NEW",
        "0 executionReport TRADE FILLED",
        "0 outboundAccountPosition",
    ]


async def test_a_logon_stands_in_for_the_signature(board: Switchboard, caller: Caller) -> None:
    """As the exchange's own connector does on a connection that it logged on."""
    await caller.own("session.logon")
    assert await caller.take(SUBSCRIBE, {"timestamp": NOW_MS}) == {"subscriptionId": 0}
    # It is no subscription of the logon all the same.
    await caller.take("session.logout")
    await board.post("order", **LIMIT_BUY)
    assert (await stories(caller, 1)) == ["0 executionReport NEW NEW"]


async def test_the_answer_precedes_the_events(board: Switchboard, caller: Caller) -> None:
    """Some clients read one frame and expect the answer in it."""
    await caller.send(SUBSCRIBE, board.sign(), id="subscribe")
    await caller.send("order.place", board.sign(**LIMIT_BUY), id="place")
    first = await caller.next()
    assert (first["id"], first["result"]) == ("subscribe", {"subscriptionId": 0})
    assert sorted(
        [story(frame) if "event" in frame else frame["id"] for frame in await frames(caller, 3)]
    ) == [
        "0 executionReport NEW NEW",
        "0 outboundAccountPosition",
        "place",
    ]


async def frames(caller: Caller, count: int) -> list[Any]:
    return [await caller.next() for _ in range(count)]


async def test_an_order_and_its_report_are_of_one_mind(board: Switchboard, caller: Caller) -> None:
    await caller.own(SUBSCRIBE)
    placed = await caller.own("order.place", **LIMIT_BUY, newClientOrderId="mine")
    report = (await caller.event())["event"]
    assert (report["i"], report["c"], report["X"], report["T"]) == (
        placed["orderId"],
        "mine",
        placed["status"],
        placed["transactTime"],
    )
    assert (await caller.event())["event"]["e"] == "outboundAccountPosition"
    canceled = await caller.own("order.cancel", symbol="BTCUSDT", orderId=placed["orderId"])
    report = (await caller.event())["event"]
    assert (report["c"], report["C"], report["X"]) == (canceled["clientOrderId"], "mine", "CANCELED")


async def test_times_are_in_the_connections_unit(board: Switchboard) -> None:
    async with board.call() as coarse, board.call("timeUnit=MICROSECOND") as fine:
        for caller in (coarse, fine):
            await caller.own(SUBSCRIBE)
        await board.post("order", **LIMIT_BUY)
        for caller, now in ((coarse, NOW_MS), (fine, NOW_US)):
            report, position = await frames(caller, 2)
            assert (report["event"]["E"], report["event"]["T"], report["event"]["O"]) == (now, now, now)
            assert (position["event"]["E"], position["event"]["u"]) == (now, now)
            await caller.take("userDataStream.unsubscribe")
            assert (await caller.event())["event"] == {"e": "eventStreamTerminated", "E": now}


# Several


async def test_one_connection_hears_of_several_accounts(board: Switchboard, caller: Caller) -> None:
    assert await caller.own(SUBSCRIBE, OTHER) == {"subscriptionId": 0}
    assert await caller.own(SUBSCRIBE, DEMO) == {"subscriptionId": 1}
    assert await caller.take("session.subscriptions") == [{"subscriptionId": 0}, {"subscriptionId": 1}]
    await board.post("order", who=DEMO, **LIMIT_BUY)
    assert await stories(caller, 2) == ["1 executionReport NEW NEW", "1 outboundAccountPosition"]
    await board.post("order", who=TWIN, **LIMIT_BUY)
    await board.post("order", who=OTHER, **LIMIT_BUY)
    assert await stories(caller, 2) == ["0 executionReport NEW NEW", "0 outboundAccountPosition"]
    assert await quiet(caller)


async def test_an_account_is_heard_of_once_per_connection(board: Switchboard, caller: Caller) -> None:
    await caller.own("session.logon")
    await caller.take("userDataStream.subscribe")
    assert await caller.no("userDataStream.subscribe") == ACTIVE
    assert await caller.no(SUBSCRIBE, board.sign()) == ACTIVE
    # Whichever of its keys asks.
    key = await board.add_ed25519_key()
    assert await caller.no(SUBSCRIBE, key.sign()) == ACTIVE
    async with board.call() as another:
        assert await another.own(SUBSCRIBE) == {"subscriptionId": 0}


async def test_two_clients_hear_of_a_trade_between_them(board: Switchboard) -> None:
    async with board.call() as seller, board.call() as buyer:
        await seller.own(SUBSCRIBE, OTHER)
        await buyer.own(SUBSCRIBE, DEMO)
        await seller.own("order.place", OTHER, **{**LIMIT_SELL, "price": "100001"})
        assert await stories(seller, 2) == ["0 executionReport NEW NEW", "0 outboundAccountPosition"]
        filled = await buyer.own("order.place", DEMO, **{**LIMIT_BUY, "price": "100001"})
        assert filled["status"] == "FILLED"
        taken = [(await buyer.event())["event"] for _ in range(3)]
        made = [(await seller.event())["event"] for _ in range(2)]
        assert [event["e"] for event in (*taken, *made)] == [
            "executionReport",
            "executionReport",
            "outboundAccountPosition",
            "executionReport",
            "outboundAccountPosition",
        ]
        assert (taken[1]["X"], taken[1]["m"], made[0]["X"], made[0]["m"]) == ("FILLED", False, "FILLED", True)
        assert taken[1]["t"] == made[0]["t"] == filled["fills"][0]["tradeId"]
        assert await quiet(seller)
        assert await quiet(buyer)


async def test_all_connections_hear_the_same_in_the_same_order(board: Switchboard) -> None:
    async with board.call() as first, board.call() as second:
        await first.own(SUBSCRIBE)
        await second.own(SUBSCRIBE)
        for number in range(20):
            await first.send("order.place", board.sign(**LIMIT_BUY), id=number)
        heard: list[Any] = []
        answers = 0
        while answers < 20 or len(heard) < 40:
            frame = await first.next()
            if "event" in frame:
                heard.append(frame)
            else:
                answers += 1
        assert await frames(second, 40) == heard
        assert [frame["event"]["i"] for frame in heard[::2]] == list(range(1, 21))


# Ending


async def test_ending_one_subscription(board: Switchboard, caller: Caller) -> None:
    await caller.own(SUBSCRIBE, OTHER)
    await caller.own(SUBSCRIBE, DEMO)
    for number in (1, "1"):
        answer = await caller.ask("userDataStream.unsubscribe", {"subscriptionId": number})
        if number == 1:
            assert answer["result"] == {}
            # The last of its events comes after the answer.
            assert await caller.next() == {
                "subscriptionId": 1,
                "event": {"e": "eventStreamTerminated", "E": NOW_MS},
            }
        else:
            assert answer["error"]["code"] == -2036
    assert await caller.take("session.subscriptions") == [{"subscriptionId": 0}]
    await board.post("order", **LIMIT_BUY)
    assert await quiet(caller)
    # An id is not used again.
    assert await caller.own(SUBSCRIBE, DEMO) == {"subscriptionId": 2}


async def test_ending_all_subscriptions(board: Switchboard, caller: Caller) -> None:
    for who in (OTHER, DEMO):
        await caller.own(SUBSCRIBE, who)
    assert await caller.take("userDataStream.unsubscribe") == {}
    assert await stories(caller, 2) == ["0 eventStreamTerminated", "1 eventStreamTerminated"]
    assert await caller.take("session.subscriptions") == []
    assert (await caller.take("session.status"))["userDataStream"] is False


async def test_what_is_not_active_cannot_be_ended(caller: Caller) -> None:
    assert await caller.take("userDataStream.unsubscribe") == {}
    assert await caller.no("userDataStream.unsubscribe", {"subscriptionId": 0}) == INACTIVE
    status, code, _ = await caller.no("userDataStream.unsubscribe", {"subscriptionId": "all"})
    assert (status, code) == (400, -1100)


async def test_logging_out_ends_what_was_subscribed_by_logon_only(board: Switchboard, caller: Caller) -> None:
    await caller.own(SUBSCRIBE, OTHER)
    await caller.own("session.logon")
    await caller.take("userDataStream.subscribe")
    assert (await caller.take("session.logout"))["userDataStream"] is True
    assert await stories(caller, 1) == ["1 eventStreamTerminated"]
    assert await caller.take("session.subscriptions") == [{"subscriptionId": 0}]
    await board.post("order", who=OTHER, **LIMIT_BUY)
    assert (await stories(caller, 1)) == ["0 executionReport NEW NEW"]


async def test_a_connection_that_is_gone_is_not_told_any_more(board: Switchboard) -> None:
    hub = ACCOUNT_HUBS.of(board.sandbox)
    async with board.call() as caller:
        await caller.own(SUBSCRIBE)
        assert hub in board.engine.observers
    async with asyncio.timeout(10):
        while hub in board.engine.observers:  # noqa: ASYNC110 - nothing tells of the other end of a socket
            await asyncio.sleep(0)
    await board.post("order", **LIMIT_BUY)


# Limits


async def test_so_many_subscriptions_at_a_time(
    board: Switchboard, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert standing.SUBSCRIPTIONS_MAX == 1000
    monkeypatch.setattr(standing, "SUBSCRIPTIONS_MAX", 2)
    for who in (DEMO, OTHER):
        await caller.own(SUBSCRIBE, who)
    assert await caller.no(SUBSCRIBE, board.sign(TWIN)) == NO_MORE
    await caller.take("userDataStream.unsubscribe", {"subscriptionId": 0})
    assert await caller.own(SUBSCRIBE, TWIN) == {"subscriptionId": 2}


async def test_so_many_subscriptions_over_the_lifetime(
    board: Switchboard, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert standing.SUBSCRIPTION_IDS_MAX == 65_535
    monkeypatch.setattr(standing, "SUBSCRIPTION_IDS_MAX", 3)
    for number in range(3):
        assert await caller.own(SUBSCRIBE) == {"subscriptionId": number}
        await caller.take("userDataStream.unsubscribe")
    assert await caller.no(SUBSCRIBE, board.sign()) == NO_MORE
    async with board.call() as another:
        assert await another.own(SUBSCRIBE) == {"subscriptionId": 0}


# Durability


async def test_nothing_is_told_before_the_journal_holds_it() -> None:
    journal = FailingJournal()
    async with Switchboard(journal=journal).on_air() as board, board.call() as caller:
        await caller.own(SUBSCRIBE)
        journal.gate = asyncio.Event()
        await caller.send("order.place", board.sign(**LIMIT_BUY), id="place")
        # What needs no journal is answered meanwhile.
        assert (await caller.ask("session.status", id="status"))["id"] == "status"
        assert await quiet(caller)
        journal.gate.set()
        assert {story(frame) if "event" in frame else frame["id"] for frame in await frames(caller, 3)} == {
            "0 executionReport NEW NEW",
            "0 outboundAccountPosition",
            "place",
        }
