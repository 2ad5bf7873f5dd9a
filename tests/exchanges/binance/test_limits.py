"""Weights by IP, bans, and unfilled orders by account."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.events import Event, OrderPlaced, TradeExecuted
from emulator.core.ids import MARKET_ORDER, NO_LIST
from emulator.core.instruments import OrderType, SelfTradeMode, Side
from emulator.core.numbers import ONE, ZERO
from emulator.core.orders import OrderStatus, OrderTerms
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.limits import VIOLATIONS_TOLERATED, Limits, Quotas
from emulator.runtime.ports import Batch, ClockMode, Record
from emulator.runtime.quotas import DAY_US, MINUTE_US, SUBJECTS_MAX, Bans, Window
from tests.exchanges.binance.lobby import Lobby
from tests.web.client import Reply

pytestmark = pytest.mark.anyio

SECOND_US = 1_000_000
MIDNIGHT_US = 19_675 * DAY_US


class TestWindow:
    def test_it_begins_at_multiples_of_its_length(self) -> None:
        window = Window(interval_us=MINUTE_US, limit=10)
        assert window.add("a", 4, MIDNIGHT_US + 59 * SECOND_US) == 4
        assert window.add("a", 4, MIDNIGHT_US + 59_999_999) == 8
        assert window.used("b", MIDNIGHT_US + 59_999_999) == 0
        assert window.used("a", MIDNIGHT_US + MINUTE_US) == 0

    @pytest.mark.parametrize(("past_us", "seconds"), [(0, 60), (1, 60), (59 * SECOND_US, 1), (59_999_999, 1)])
    def test_it_tells_how_long_it_lasts(self, past_us: int, seconds: int) -> None:
        assert Window(interval_us=MINUTE_US, limit=1).seconds_left(MIDNIGHT_US + past_us) == seconds

    def test_no_more_is_given_back_than_was_used(self) -> None:
        window = Window(interval_us=MINUTE_US, limit=10)
        window.add("a", 2, 0)
        window.release("a", 5, 0)
        window.release("stranger", 5, 0)
        assert window.used("a", 0) == 0
        assert window.used("stranger", 0) == 0

    def test_it_remembers_so_many_and_no_more(self) -> None:
        window = Window(interval_us=DAY_US, limit=1)
        for subject in range(SUBJECTS_MAX + 1):
            window.add(subject, 1, 0)
        assert window.used(0, 0) == 0
        assert window.used(SUBJECTS_MAX, 0) == 1

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300)), max_size=40))
    def test_it_counts_what_a_naive_one_counts(self, steps: list[tuple[int, int]]) -> None:
        window = Window(interval_us=60, limit=10)
        now = 0
        noted: list[tuple[int, int]] = []
        for count, later in steps:
            now += later
            noted.append((now, count))
            naive = sum(c for t, c in noted if t // 60 == now // 60)
            assert window.add("a", count, now) == naive


class TestBans:
    def bans(self) -> Bans:
        return Bans(tolerance=2, within_us=60, shortest_us=100, longest_us=350)

    def test_a_few_violations_are_let_pass(self) -> None:
        bans = self.bans()
        assert [bans.note_violation("a", 0) for _ in range(3)] == [None, None, 100]
        assert bans.until_us("a", 99) == 100
        assert bans.until_us("a", 100) is None
        assert bans.until_us("b", 0) is None

    def test_they_count_within_a_window(self) -> None:
        bans = self.bans()
        assert [bans.note_violation("a", now) for now in (0, 59, 60, 119, 120, 121)] == [None] * 6

    def test_each_lasts_twice_as_long_up_to_the_longest(self) -> None:
        bans = self.bans()
        now = 0
        lengths = []
        for _ in range(4):
            until = [bans.note_violation("a", now) for _ in range(3)][-1]
            assert until is not None
            lengths.append(until - now)
            now = until
        assert lengths == [100, 200, 350, 350]

    def test_who_keeps_quiet_starts_afresh(self) -> None:
        bans = self.bans()
        for _ in range(3):
            bans.note_violation("a", 0)
        assert [bans.note_violation("a", 451) for _ in range(3)][-1] == 551


def used(reply: Reply) -> int:
    assert reply.headers["x-mbx-used-weight"] == reply.headers["x-mbx-used-weight-1m"]
    return int(reply.headers["x-mbx-used-weight"])


def orders(reply: Reply) -> tuple[int, int]:
    return int(reply.headers["x-mbx-order-count-10s"]), int(reply.headers["x-mbx-order-count-1d"])


class TestWeight:
    async def test_every_reply_tells_what_its_ip_has_used(self) -> None:
        async with Lobby() as lobby:
            assert used(await lobby.get("/api/v3/ping")) == 1
            assert used(await lobby.get("/api/v3/depth", "symbol=A&limit=100")) == 6
            assert used(await lobby.get("/api/v3/depth", "symbol=A&limit=101")) == 256
            assert used(await lobby.send("GET", "/api/v3/account")) == 276
            assert used(await lobby.get("/api/v3/ping", source_ip="10.0.0.9")) == 1

    async def test_an_accepted_order_is_free_and_a_refused_one_is_not(self) -> None:
        async with Lobby() as lobby:
            assert used(await lobby.order()) == 0
            assert used(await lobby.order("symbol=NOSUCH&side=BUY&type=MARKET")) == 1
            assert used(await lobby.order(secret="wrong")) == 2

    async def test_an_accepted_order_was_charged_before(self) -> None:
        async with Lobby(eras=Eras(accepted_orders="charged")) as lobby:
            assert used(await lobby.order()) == 1

    async def test_a_new_minute_begins_at_the_full_minute(self) -> None:
        async with Lobby() as lobby:
            lobby.universe.wall_us += MINUTE_US - lobby.universe.wall_us % MINUTE_US - 1
            assert used(await lobby.get("/api/v3/heavy")) == 2500
            lobby.universe.wall_us += 1
            assert used(await lobby.get("/api/v3/ping")) == 1

    async def test_more_than_the_minute_holds_is_refused(self) -> None:
        async with Lobby() as lobby:
            lobby.universe.wall_us += -lobby.universe.wall_us % MINUTE_US + 15 * SECOND_US
            for _ in range(2):
                await lobby.get("/api/v3/heavy")
            refused = await lobby.get("/api/v3/heavy")
            assert refused.status == 429
            assert refused.json == {
                "code": -1003,
                "msg": (
                    "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "
                    "Please use WebSocket Streams for live updates to avoid polling the API."
                ),
            }
            assert refused.headers["retry-after"] == "45"
            assert (await lobby.get("/api/v3/ping")).status == 429
            assert (await lobby.get("/api/v3/ping", source_ip="10.0.0.9")).status == 200

    async def test_who_goes_on_is_banned(self) -> None:
        async with Lobby(limits=Limits(weight_per_minute=10)) as lobby:
            lobby.universe.wall_us += -lobby.universe.wall_us % MINUTE_US
            for _ in range(10):
                await lobby.get("/api/v3/ping")
            replies = [await lobby.get("/api/v3/ping") for _ in range(VIOLATIONS_TOLERATED + 1)]
            assert {reply.status for reply in replies[:-1]} == {429}
            assert replies[-1].status == 418
            until_ms = lobby.universe.wall_us // 1000 + 120_000
            assert replies[-1].json == {
                "code": -1003,
                "msg": (
                    f"Way too much request weight used; IP banned until {until_ms}. "
                    "Please use WebSocket Streams for live updates to avoid bans."
                ),
            }
            assert replies[-1].headers["retry-after"] == "120"
            lobby.universe.wall_us += 2 * MINUTE_US - 1
            assert (await lobby.get("/api/v3/ping")).status == 418
            lobby.universe.wall_us += 1
            assert (await lobby.get("/api/v3/ping")).status == 200

    async def test_requests_count_whatever_they_weigh(self) -> None:
        async with Lobby(limits=Limits(requests_per_5_minutes=3)) as lobby:
            statuses = [(await lobby.order()).status for _ in range(4)]
            assert statuses == [200, 200, 200, 429]

    async def test_sapi_counts_each_endpoint_by_itself(self) -> None:
        async with Lobby(limits=Limits(sapi_weight_per_minute=2)) as lobby:
            replies = [await lobby.send("GET", "/sapi/v1/bnbBurn") for _ in range(3)]
            assert [reply.status for reply in replies] == [200, 200, 429]
            assert replies[1].headers["x-sapi-used-ip-weight-1m"] == "2"
            assert "x-mbx-used-weight" not in replies[1].headers
            assert used(await lobby.get("/api/v3/ping")) == 1

    @pytest.mark.parametrize(
        ("counting", "wall", "virtual"), [("auto", 429, 200), ("on", 429, 429), ("off", 200, 200)]
    )
    async def test_when_it_refuses(self, counting: str, wall: int, virtual: int) -> None:
        async with Lobby(limits=Limits(weight_per_minute=2), counting=counting) as lobby:
            assert [(await lobby.get("/api/v3/ping")).status for _ in range(3)][-1] == wall
            await lobby.sandbox.set_clock(ClockMode.VIRTUAL, lobby.universe.wall_us + MINUTE_US)
            replies = [await lobby.get("/api/v3/ping") for _ in range(3)]
            assert replies[-1].status == virtual

    async def test_a_reset_sandbox_begins_with_fresh_counts(self) -> None:
        async with Lobby() as lobby:
            assert used(await lobby.get("/api/v3/heavy")) == 2500
            await lobby.universe.sandboxes.reset("default")
            assert used(await lobby.get("/api/v3/ping")) == 1


class TestOrders:
    async def test_an_accepted_order_counts(self) -> None:
        async with Lobby() as lobby:
            assert orders(await lobby.order()) == (1, 1)
            assert orders(await lobby.order()) == (2, 2)
            refused = await lobby.order("symbol=NOSUCH&side=BUY&type=MARKET")
            assert "x-mbx-order-count-10s" not in refused.headers
            assert orders(await lobby.order()) == (3, 3)

    async def test_ten_seconds_and_a_day(self) -> None:
        async with Lobby() as lobby:
            lobby.universe.wall_us += -lobby.universe.wall_us % (10 * SECOND_US)
            assert orders(await lobby.order()) == (1, 1)
            lobby.universe.wall_us += 10 * SECOND_US
            assert orders(await lobby.order()) == (1, 2)
            lobby.universe.wall_us += DAY_US
            assert orders(await lobby.order()) == (1, 1)

    @pytest.mark.parametrize(
        ("limits", "words", "retry"),
        [
            (Limits(orders_per_10_seconds=2), "2 orders per 10 SECOND", 10),
            (Limits(orders_per_day=2), "2 orders per 1 DAY", 86_400),
        ],
    )
    async def test_too_many(self, limits: Limits, words: str, retry: int) -> None:
        async with Lobby(limits=limits) as lobby:
            lobby.universe.wall_us += -lobby.universe.wall_us % DAY_US
            replies = [await lobby.order() for _ in range(3)]
            assert [reply.status for reply in replies] == [200, 200, 429]
            assert replies[-1].json == {
                "code": -1015,
                "msg": f"Too many new orders; current limit is {words}.",
            }
            assert replies[-1].headers["retry-after"] == str(retry)

    async def test_an_endpoint_that_counts_by_itself(self) -> None:
        async with Lobby() as lobby:
            assert (await lobby.send("POST", "/api/v3/replace")).status == 400
            assert orders(await lobby.order()) == (1, 1)
            assert (await lobby.send("POST", "/api/v3/replace", headers={"x-keep": "1"})).status == 400
            assert orders(await lobby.order()) == (3, 3)


def placed(order: int, account: int = 1) -> OrderPlaced:
    return OrderPlaced(
        order=order,
        account=account,
        wallet="spot",
        instrument="BTCUSDT",
        terms=OrderTerms(side=Side.BUY, type=OrderType.MARKET, quantity=ONE),
        self_trade_mode=SelfTradeMode.NONE,
        status=OrderStatus.NEW,
        price=None,
        quantity=ONE,
        extreme=None,
        order_list=NO_LIST,
    )


def traded(*, taker: int = MARKET_ORDER, maker: int = MARKET_ORDER) -> TradeExecuted:
    return TradeExecuted(
        instrument="BTCUSDT",
        trade=1,
        price=ONE,
        quantity=ONE,
        amount=ONE,
        taker_side=Side.BUY,
        taker=taker,
        maker=maker,
        taker_fee=ZERO,
        taker_fee_asset="BTC",
        maker_fee=ZERO,
        maker_fee_asset="BTC",
        feed_price=None,
        feed_since_us=0,
    )


class TestUnfilledOrders:
    """The examples of faqs/order_count_decrement.md."""

    def setup_method(self) -> None:
        self.quotas = Quotas(Limits(), maker_releases=Eras().first_maker_fill_releases)
        self.now_us = MIDNIGHT_US
        self.sequence = 0

    def note(self, *events: Any, engine: str = "binance") -> None:
        self.sequence += 1
        noted: tuple[Event, ...] = events
        record = Record(engine=engine, time_us=self.now_us, events=noted)
        batch = Batch(sandbox="default", sequence=self.sequence, records=(record,))
        self.quotas.note(batch, "binance", self.now_us)

    def place(self, order: int, *then: Any) -> int:
        self.quotas.reserve_orders(1, 1, self.now_us)
        self.note(placed(order), *then)
        return self.count()

    def count(self) -> int:
        return self.quotas.orders_used(1, self.now_us)[0]

    def test_as_taker(self) -> None:
        assert self.place(1) == 1
        assert self.place(2, traded(taker=2)) == 1
        assert self.place(3) == 2
        self.note(traded(taker=2))
        assert self.count() == 2
        assert self.place(4, traded(taker=4)) == 2

    def test_as_maker(self) -> None:
        for order in range(1, 6):
            assert self.place(order) == order
        self.note(traded(maker=1))
        assert self.count() == 0
        assert [self.place(6), self.place(7)] == [1, 2]
        self.note(traded(maker=1))
        assert self.count() == 2
        self.note(traded(maker=2))
        assert self.count() == 0

    def test_orders_of_yesterday_release_todays(self) -> None:
        for order in range(3):
            self.place(order + 1)
        self.now_us += DAY_US
        assert self.quotas.orders_used(1, self.now_us) == (0, 0)
        assert self.place(10) == 1
        self.note(traded(taker=1))
        assert self.quotas.orders_used(1, self.now_us) == (0, 0)

    def test_another_engines_orders_are_not_ours(self) -> None:
        self.place(1)
        self.note(traded(taker=1), engine="bybit")
        assert self.count() == 1

    def test_each_account_has_its_own(self) -> None:
        self.quotas.reserve_orders(2, 1, self.now_us)
        self.place(1)
        self.note(traded(taker=1))
        assert self.quotas.orders_used(2, self.now_us) == (1, 1)
        assert self.count() == 0
