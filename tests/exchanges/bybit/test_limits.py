"""How often: figures of "Rate Limit Rules" (docs, v5), and what headers and refusals say of them."""

from __future__ import annotations

import json

import pytest

from emulator.exchanges.bybit.limits import Limits, rate_of
from emulator.runtime.ports import ClockMode
from emulator.runtime.quotas import Rolling
from tests.exchanges.bybit.gatehouse import Gatehouse, told
from tests.web.client import Reply

pytestmark = pytest.mark.anyio

TOO_MANY = (200, 10006, "Too many visits. Exceeded the API Rate Limit.")
TURNED_AWAY = (403, 403, "access too frequent")


def limits(reply: Reply) -> tuple[int, int, int]:
    """The limit, what is left of it, and when it is reset."""
    names = ("", "-status", "-reset-timestamp")
    headers = {name.lower(): value for name, value in reply.headers.items()}
    first, left, reset = (int(headers[f"x-bapi-limit{name}"]) for name in names)
    return first, left, reset


# The columns of the table: contracts, options, pairs; one number where a path has no category.
@pytest.mark.parametrize(
    ("path", "calls"),
    [
        ("/v5/order/create", (10, 10, 20)),
        ("/v5/order/amend", (10, 10, 10)),
        ("/v5/order/cancel", (10, 10, 20)),
        ("/v5/order/cancel-all", (10, 1, 20)),
        ("/v5/order/create-batch", (10, 10, 20)),
        ("/v5/order/amend-batch", (10, 10, 20)),
        ("/v5/order/cancel-batch", (10, 10, 20)),
        ("/v5/order/pre-check", (10, 10, 20)),
        ("/v5/order/realtime", (50, 50, 50)),
        ("/v5/order/history", (50, 50, 50)),
        ("/v5/execution/list", (50, 50, 50)),
        ("/v5/position/list", (50, 50, 50)),
        ("/v5/position/set-leverage", (10, 10, 10)),
        ("/v5/position/trading-stop", (10, 10, 10)),
        ("/v5/account/wallet-balance", 50),
        ("/v5/account/info", 50),
        ("/v5/account/transaction-log", 25),
        ("/v5/account/fee-rate", 5),
        ("/v5/account/set-margin-mode", 5),
        ("/v5/user/query-api", 10),
        ("/v5/asset/coin/query-info", 5),
    ],
)
def test_rates_are_those_of_the_table(path: str, calls: int | tuple[int, int, int]) -> None:
    rate = rate_of(path)
    assert rate.interval_us == 1_000_000
    if isinstance(calls, int):
        assert rate.of(None) == calls
    else:
        assert (rate.of("linear"), rate.of("option"), rate.of("spot")) == calls
        assert rate.of("inverse") == calls[0]


def test_transfers_are_counted_by_the_minute() -> None:
    rate = rate_of("/v5/asset/transfer/inter-transfer")
    assert (rate.calls, rate.interval_us) == (60, 60_000_000)


async def test_each_answer_says_what_is_left_and_that_now_is_the_reset() -> None:
    async with Gatehouse() as house:
        for left in (9, 8, 7):
            assert limits(await house.create()) == (10, left, house.now_ms)
        pair = await house.create('{"category":"spot","symbol":"BTCUSDT"}')
        assert limits(pair) == (20, 19, house.now_ms)


async def test_no_answer_to_strangers_says_anything_of_limits() -> None:
    async with Gatehouse() as house:
        for reply in (await house.knock(), await house.realtime(key="nobody")):
            assert not any(name.lower().startswith("x-bapi") for name in reply.headers)


async def test_the_eleventh_order_of_a_second_waits_for_the_first_to_be_a_second_old() -> None:
    async with Gatehouse() as house:
        for _ in range(4):
            assert told(await house.create())[1] == 0
        house.universe.wall_us += 600_000
        for _ in range(6):
            assert told(await house.create())[1] == 0
        refused = await house.create()
        assert told(refused) == TOO_MANY
        assert limits(refused) == (10, 0, house.now_ms + 400)
        house.universe.wall_us += 399_000
        assert told(await house.create()) == TOO_MANY
        house.universe.wall_us += 1_000
        assert limits(await house.create()) == (10, 3, house.now_ms)


async def test_a_reset_is_never_in_the_past_when_it_arrives() -> None:
    async with Gatehouse() as house:
        for _ in range(10):
            await house.create()
        house.universe.wall_us += 999_999
        refused = await house.create()
        assert told(refused) == TOO_MANY
        assert limits(refused)[2] == house.now_ms + 100


async def test_categories_endpoints_and_accounts_are_counted_apart() -> None:
    async with Gatehouse() as house:
        for _ in range(11):
            refused = await house.create()
        assert told(refused) == TOO_MANY
        assert told(await house.create('{"category":"inverse","symbol":"BTCUSD"}'))[1] == 0
        assert told(await house.create('{"category":"spot","symbol":"BTCUSDT"}'))[1] == 0
        assert told(await house.realtime())[1] == 0
        # Another key of the same account is no other account.
        await house.add_key("second", secret="s")
        assert told(await house.create(key="second", secret="s")) == TOO_MANY


async def test_a_batch_counts_as_its_orders() -> None:
    async with Gatehouse() as house:
        batch = json.dumps({"category": "linear", "request": [{"symbol": "BTCUSDT"}] * 6})
        path = "/v5/order/create-batch"
        assert limits(await house.send("POST", path, batch))[:2] == (10, 4)
        # Single orders have a pool of their own.
        assert limits(await house.create())[:2] == (10, 9)


async def test_of_a_batch_that_is_too_large_the_first_part_is_let_in() -> None:
    # The example of "Instructions for batch endpoints": five are left, and eight come.
    async with Gatehouse() as house:
        path, one = "/v5/order/create-batch", {"symbol": "BTCUSDT"}
        five = json.dumps({"category": "linear", "request": [one] * 5})
        eight = json.dumps({"category": "linear", "request": [one] * 8})
        assert limits(await house.send("POST", path, five))[:2] == (10, 5)
        reply = await house.send("POST", path, eight)
        assert limits(reply)[:2] == (10, 0)
        assert [type(each) is dict for each in reply.json["result"]["request"]] == [True] * 5 + [False] * 3
        assert reply.json["result"]["request"][-1] == list(TOO_MANY[1:])
        assert told(await house.send("POST", path, five)) == TOO_MANY


async def test_an_ip_that_asks_too_often_is_turned_away_for_ten_minutes() -> None:
    async with Gatehouse(limits=Limits(requests_per_5_seconds=3)) as house:
        # The window is the clock's.
        house.universe.wall_us -= house.universe.wall_us % 5_000_000
        for _ in range(3):
            assert told(await house.knock())[0] == 200
        assert told(await house.knock()) == TURNED_AWAY
        assert told(await house.knock(source_ip="10.0.0.9"))[0] == 200
        house.universe.wall_us += 599_000_000
        assert told(await house.realtime()) == TURNED_AWAY
        house.universe.wall_us += 1_000_000
        assert told(await house.realtime())[0] == 200


async def test_nobody_is_refused_on_a_virtual_clock_unless_it_is_asked_for() -> None:
    async with Gatehouse() as house:
        await house.sandbox.set_clock(mode=ClockMode.VIRTUAL)
        for _ in range(12):
            assert limits(await house.create())[:2] == (10, 9)
    async with Gatehouse(counting="on", timestamps="wall") as house:
        moment_us = house.universe.wall_us + 86_400_000_000
        await house.sandbox.set_clock(mode=ClockMode.VIRTUAL, time_us=moment_us)
        for _ in range(11):
            refused = await house.create()
        assert told(refused) == TOO_MANY
        # The client sleeps by its own clock, which is the wall's.
        assert limits(refused)[2] == house.now_ms + 1000


class TestRolling:
    def test_what_is_older_than_the_interval_counts_no_more(self) -> None:
        rolling = Rolling(interval_us=10, limit=3)
        for at_us in (0, 5, 9):
            rolling.add("a", 1, at_us)
        assert rolling.left("a", 9) == 0
        assert rolling.frees_us("a", 9) == 10
        assert [rolling.left("a", at_us) for at_us in (10, 14, 15, 19)] == [1, 1, 2, 3]
        assert (rolling.left("b", 9), rolling.frees_us("b", 9)) == (3, 9)

    def test_a_clock_that_was_set_back_forgets_the_future(self) -> None:
        rolling = Rolling(interval_us=10, limit=3)
        rolling.add("a", 2, 100)
        assert (rolling.left("a", 100), rolling.left("a", 50)) == (1, 3)
