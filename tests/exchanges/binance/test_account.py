"""The account endpoints, as a client sees them. Examples are those of rest-api.md, "Account endpoints"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.events import TradeExecuted
from emulator.core.instruments import Side
from tests.exchanges.binance.bank import NOW_US, Bank, shape

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000
NOW_MS = NOW_US // 1000

RATES = {"maker": "0.00150000", "taker": "0.00150000", "buyer": "0.00000000", "seller": "0.00000000"}

ACCOUNT: dict[str, Any] = {
    "makerCommission": 15,
    "takerCommission": 15,
    "buyerCommission": 0,
    "sellerCommission": 0,
    "commissionRates": RATES,
    "canTrade": True,
    "canWithdraw": True,
    "canDeposit": True,
    "brokered": False,
    "requireSelfTradePrevention": False,
    "preventSor": False,
    "updateTime": 123456789,
    "accountType": "SPOT",
    "balances": [{"asset": "BTC", "free": "4723846.89208129", "locked": "0.00000000"}],
    "permissions": ["SPOT"],
    "uid": 354937868,
}
TRADE = {
    "symbol": "BNBBTC",
    "id": 28457,
    "orderId": 100234,
    "orderListId": -1,
    "price": "4.00000100",
    "qty": "12.00000000",
    "quoteQty": "48.000012",
    "commission": "10.10000000",
    "commissionAsset": "BNB",
    "time": 1499865549590,
    "isBuyer": True,
    "isMaker": False,
    "isBestMatch": True,
}
COMMISSION = {
    "symbol": "BTCUSDT",
    "standardCommission": RATES,
    "specialCommission": RATES,
    "taxCommission": RATES,
    "discount": {
        "enabledForAccount": True,
        "enabledForSymbol": True,
        "discountAsset": "BNB",
        "discount": "0.75000000",
    },
}


@pytest.fixture
async def bank(anyio_backend: str) -> AsyncIterator[Bank]:
    async with Bank() as bank:
        yield bank


async def trade(bank: Bank, count: int, apart_us: int = HOUR_US) -> list[dict[str, Any]]:
    """So many purchases at market, each some time after the one before."""
    for _ in range(count):
        await bank.order("BTCUSDT", Side.BUY, "0.001")
        await bank.step(apart_us)
    trades: list[dict[str, Any]] = await bank.get("/api/v3/myTrades", symbol="BTCUSDT")
    assert len(trades) == count
    return trades


class TestAccount:
    async def test_it_has_the_documented_members(self, bank: Bank) -> None:
        assert shape(await bank.get("/api/v3/account")) == shape(ACCOUNT)

    async def test_a_trade_group_is_told_of_an_account_that_has_one(self, bank: Bank) -> None:
        body = await bank.get("/api/v3/account", "bob")
        assert body["tradeGroupId"] == 7
        assert shape(body) == shape(ACCOUNT | {"tradeGroupId": 2})

    async def test_rates_are_told_in_basis_points_as_well(self, bank: Bank) -> None:
        body = await bank.get("/api/v3/account")
        assert body["makerCommission"] == body["takerCommission"] == 10
        assert body["commissionRates"]["taker"] == "0.00100000"
        assert body["uid"] == bank.account()

    async def test_every_listed_asset_has_a_balance_even_if_it_is_zero(self, bank: Bank) -> None:
        balances = {each["asset"]: each for each in (await bank.get("/api/v3/account"))["balances"]}
        assert balances["BTC"] == {"asset": "BTC", "free": "100.00000000", "locked": "0.00000000"}
        assert balances["ETH"] == {"asset": "ETH", "free": "0.00000000", "locked": "0.00000000"}
        instruments = bank.sandbox.engines["binance"].instruments.values()
        assert set(balances) == {a for i in instruments if i.contract is None for a in (i.base, i.quote)}

    async def test_zero_balances_can_be_left_out(self, bank: Bank) -> None:
        assert set(await bank.balances()) == {"USDT", "BTC", "BNB", "XRP"}

    async def test_an_open_order_locks_what_it_needs(self, bank: Bank) -> None:
        before = (await bank.get("/api/v3/account"))["updateTime"]
        await bank.step(HOUR_US)
        await bank.hold_price("BTC/USDT", "100000")
        await bank.order("BTCUSDT", Side.BUY, "2", "50000.5")
        assert (await bank.balances())["USDT"] == ("899999.00000000", "100001.00000000")
        assert (await bank.get("/api/v3/account"))["updateTime"] == before + HOUR_US // 1000

    async def test_a_commission_has_the_digits_that_the_symbol_says(self, bank: Bank) -> None:
        await bank.hold_price("PEPE/USDT", "0.00001")
        await bank.order("PEPEUSDT", Side.BUY, "1234567")
        (trade,) = await bank.get("/api/v3/myTrades", symbol="PEPEUSDT")
        # A thousandth is 1234.567, and baseCommissionPrecision is 2.
        assert (trade["commission"], trade["commissionAsset"]) == ("1234.56000000", "PEPE")
        assert (await bank.balances())["PEPE"] == ("1233332.44000000", "0.00000000")

    async def test_an_asset_that_no_symbol_has_is_shown_when_it_is_owned(self, bank: Bank) -> None:
        await bank.deposit("NFT", "3")
        assert (await bank.balances())["NFT"] == ("3.00000000", "0.00000000")

    async def test_what_it_does_not_know_is_refused(self, bank: Bank) -> None:
        reply = await bank.refusal("GET", "/api/v3/account", showZero="true")
        assert reply[:2] == (400, -1104)
        assert (await bank.refusal("GET", "/api/v3/account", signed=False))[1] == -1102


class TestMyTrades:
    async def test_a_trade_has_the_documented_members(self, bank: Bank) -> None:
        assert shape(await trade(bank, 1)) == shape([TRADE])

    async def test_a_trade_tells_what_happened(self, bank: Bank) -> None:
        done = await bank.order("BTCUSDT", Side.BUY, "0.002")
        (executed,) = [event for event in done.events if isinstance(event, TradeExecuted)]
        (shown,) = await bank.get("/api/v3/myTrades", symbol="BTCUSDT")
        assert shown["id"] == executed.trade
        assert shown["orderId"] == executed.taker
        assert shown["orderListId"] == -1
        assert Decimal(shown["price"]) == executed.price
        assert Decimal(shown["quoteQty"]) == executed.price * Decimal("0.002")
        assert (shown["commission"], shown["commissionAsset"]) == ("0.00000200", "BTC")
        assert (shown["isBuyer"], shown["isMaker"], shown["time"]) == (True, False, NOW_MS)

    async def test_both_sides_see_their_own(self, bank: Bank) -> None:
        await bank.order("BTCUSDT", Side.SELL, "0.01", "49999", name="bob")
        theirs = (await bank.get("/api/v3/myTrades", "bob", symbol="BTCUSDT"))[0]
        assert not theirs["isBuyer"]
        assert theirs["commissionAsset"] == "USDT"
        assert await bank.get("/api/v3/myTrades", symbol="BTCUSDT") == []

    async def test_of_one_order_from_one_id_on(self, bank: Bank) -> None:
        trades = await trade(bank, 3)
        second = trades[1]
        of_order = {"symbol": "BTCUSDT", "orderId": second["orderId"]}
        assert await bank.get("/api/v3/myTrades", **of_order) == [second]
        assert await bank.get("/api/v3/myTrades", **of_order, fromId=second["id"] + 1) == []
        assert await bank.get("/api/v3/myTrades", symbol="BTCUSDT", fromId=second["id"]) == trades[1:]
        assert await bank.get("/api/v3/myTrades", symbol="BTCUSDT", fromId=0, limit=2) == trades[:2]
        assert await bank.get("/api/v3/myTrades", symbol="ETHUSDT", orderId=second["orderId"]) == []

    async def test_an_order_of_somebody_else_is_not_told_of(self, bank: Bank) -> None:
        (shown,) = await trade(bank, 1)
        assert await bank.get("/api/v3/myTrades", "bob", symbol="BTCUSDT", orderId=shown["orderId"]) == []

    async def test_from_a_start_the_oldest_else_the_newest(self, bank: Bank) -> None:
        trades = await trade(bank, 5)

        async def ask(**values: Any) -> Any:
            return await bank.get("/api/v3/myTrades", symbol="BTCUSDT", limit=2, **values)

        times = [each["time"] for each in trades]
        assert times == sorted(times)
        assert await ask() == trades[3:]
        assert await ask(startTime=times[1]) == trades[1:3]
        assert await ask(startTime=times[1] + 1) == trades[2:4]
        assert await ask(endTime=times[2]) == trades[1:3]
        assert await ask(endTime=times[2] - 1) == trades[:2]
        assert await ask(startTime=times[0], endTime=times[0]) == trades[:1]

    @pytest.mark.parametrize(
        "values",
        [
            {"orderId": 1, "startTime": 1},
            {"orderId": 1, "endTime": 1},
            {"fromId": 1, "startTime": 1},
            {"fromId": 1, "endTime": 1},
            {"fromId": 1, "startTime": 1, "endTime": 2},
            {"orderId": 1, "fromId": 1, "endTime": 2},
        ],
        ids=lambda values: "+".join(values),
    )
    async def test_other_combinations_are_refused(self, bank: Bank, values: dict[str, Any]) -> None:
        reply = await bank.refusal("GET", "/api/v3/myTrades", symbol="BTCUSDT", **values)
        assert reply == (400, -1128, "Combination of optional parameters invalid.")

    async def test_a_day_is_the_longest_span(self, bank: Bank) -> None:
        day_ms = 24 * HOUR_US // 1000
        await bank.get("/api/v3/myTrades", symbol="BTCUSDT", startTime=NOW_MS, endTime=NOW_MS + day_ms)
        reply = await bank.refusal(
            "GET", "/api/v3/myTrades", symbol="BTCUSDT", startTime=NOW_MS, endTime=NOW_MS + day_ms + 1
        )
        assert reply == (400, -1127, "More than 24 hours between startTime and endTime.")

    async def test_unknown_symbols_are_refused(self, bank: Bank) -> None:
        reply = await bank.refusal("GET", "/api/v3/myTrades", symbol="NOSUCH")
        assert reply == (400, -1121, "Invalid symbol.")

    async def test_it_weighs_less_by_order(self) -> None:
        async with Bank(counting="on") as bank:
            reply = await bank.ask("GET", "/api/v3/myTrades", symbol="BTCUSDT")
            assert reply.headers["x-mbx-used-weight-1m"] == "20"
            reply = await bank.ask("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=1)
            assert reply.headers["x-mbx-used-weight-1m"] == "25"


class TestCommission:
    async def test_it_has_the_documented_members(self, bank: Bank) -> None:
        body = await bank.get("/api/v3/account/commission", symbol="BTCUSDT")
        assert shape(body) == shape(COMMISSION)
        assert body["standardCommission"]["maker"] == "0.00100000"
        assert body["specialCommission"] == body["taxCommission"] == dict.fromkeys(RATES, "0.00000000")

    async def test_the_discount_follows_the_switch_and_what_is_charged(self, bank: Bank) -> None:
        await bank.hold_price("BNB/USDT", "500")
        assert not (await bank.get("/api/v3/account/commission", symbol="BTCUSDT"))["discount"][
            "enabledForAccount"
        ]
        await bank.post("/sapi/v1/bnbBurn", spotBNBBurn="true")
        body = await bank.get("/api/v3/account/commission", symbol="BTCUSDT")
        assert body["discount"] == COMMISSION["discount"]
        (shown,) = await trade(bank, 1)
        assert shown["commissionAsset"] == "BNB"
        charged = Decimal(shown["commission"]) * 500 / Decimal(shown["quoteQty"])
        assert charged.quantize(Decimal("0.000001")) == Decimal("0.00075")


class TestOrderCounts:
    async def test_they_are_those_of_the_windows(self, bank: Bank) -> None:
        quotas = bank.door.quotas(bank.sandbox)
        quotas.reserve_orders(bank.account(), 3, bank.sandbox.clock.now_us(), enforced=False)
        in_seconds, in_day = await bank.get("/api/v3/rateLimit/order")
        # rest-api.md, "Query Unfilled Order Count"; the limits are those of exchangeInfo.
        assert in_seconds == {
            "rateLimitType": "ORDERS",
            "interval": "SECOND",
            "intervalNum": 10,
            "limit": 100,
            "count": 3,
        }
        assert in_day == in_seconds | {"interval": "DAY", "intervalNum": 1, "limit": 200_000}
        await bank.step(10_000_000)
        assert [each["count"] for each in await bank.get("/api/v3/rateLimit/order")] == [0, 3]


class TestMyFilters:
    async def test_a_symbol_has_its_filters_and_the_account_none_of_its_own(self, bank: Bank) -> None:
        body = await bank.get("/api/v3/myFilters", symbol="BTCUSDT")
        assert set(body) == {"exchangeFilters", "symbolFilters", "assetFilters"}
        assert {
            "filterType": "PRICE_FILTER",
            "minPrice": "0.01000000",
            "maxPrice": "1000000.00000000",
            "tickSize": "0.01000000",
        } in body["symbolFilters"]
        assert (await bank.refusal("GET", "/api/v3/myFilters", symbol="NOSUCH"))[1] == -1121
