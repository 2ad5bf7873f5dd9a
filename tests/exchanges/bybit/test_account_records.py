"""Fee rates, the transaction log and closed positions over the wire; figures reckoned by hand.

Takers of contracts pay 0.055 %, funding is due every eight hours from midnight on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import PlaceOrder
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import DAY_US, NOW_MS, NOW_US, SECOND_US, Pit

pytestmark = pytest.mark.anyio

CLOSED = "/v5/position/closed-pnl"
LOG = "/v5/account/transaction-log"
FUNDING_US = 1_790_006_400 * SECOND_US
"""2026-09-21 16:00 UTC, the first payment after the start."""


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


async def trade(pit: Pit, instrument: str, side: Side, quantity: str, who: str = "alice") -> None:
    """At market."""
    terms = OrderTerms(side=side, type=OrderType.MARKET, quantity=Decimal(quantity))
    account = pit.sandbox.accounts[who]
    await pit.do(PlaceOrder(account=account, wallet=UNIFIED, instrument=instrument, terms=terms))


async def log(pit: Pit, **values: Any) -> list[dict[str, str]]:
    """The whole log, newest first, page by page."""
    found: list[dict[str, str]] = []
    cursor = ""
    while True:
        told = await pit.get(LOG, {"limit": 3, **values, "cursor": cursor})
        found += told["list"]
        cursor = told["nextPageCursor"]
        if not cursor:
            return found


# Fees


async def test_fee_rates_are_those_of_no_vip(pit: Pit) -> None:
    path = "/v5/account/fee-rate"
    # The page's own example has no category ("Get Fee Rate").
    without = await pit.get(path, {"symbol": "ETHUSDT"})
    assert without == {"list": [{"symbol": "ETHUSDT", "takerFeeRate": "0.00055", "makerFeeRate": "0.0002"}]}
    told = await pit.get(path, {"category": "linear", "symbol": "BTCUSDT"})
    assert told == {"list": [{"symbol": "BTCUSDT", "takerFeeRate": "0.00055", "makerFeeRate": "0.0002"}]}
    told = await pit.get(path, {"category": "spot", "symbol": "BTCUSDT"})
    rate = {"symbol": "BTCUSDT", "baseCoin": "BTC", "takerFeeRate": "0.001", "makerFeeRate": "0.001"}
    assert told == {"category": "spot", "list": [rate]}
    assert len((await pit.get(path, {"category": "inverse"}))["list"]) > 1
    assert await pit.get(path, {"category": "option"}) == {"category": "option", "list": []}
    assert (await pit.no("GET", path, {"category": "linear", "symbol": "NONE"}))[0] == 10001
    assert await pit.no("GET", path, {"category": "what"}) == (10001, "Illegal category")


# Closed positions


async def test_a_linear_position_that_was_closed_by_two_orders(pit: Pit) -> None:
    await trade(pit, "linear:BTCUSDT", Side.BUY, "0.3")
    await pit.step(SECOND_US)
    await trade(pit, "linear:BTCUSDT", Side.SELL, "0.1")
    await pit.step(SECOND_US)
    await trade(pit, "linear:BTCUSDT", Side.SELL, "0.2")
    told = await pit.get(CLOSED, {"category": "linear", "symbol": "BTCUSDT"})
    assert (told["category"], told["nextPageCursor"]) == ("linear", "")
    second, first = told["list"]
    placed = first.pop("orderId")
    assert placed != second["orderId"]
    assert first == {
        "symbol": "BTCUSDT",
        "side": "Sell",
        "qty": "0.1",
        "orderPrice": first["orderPrice"],
        "orderType": "Market",
        "execType": "Trade",
        "closedSize": "0.1",
        "cumEntryValue": "10001",
        "avgEntryPrice": "100010",
        "cumExitValue": "9999",
        "avgExitPrice": "99990",
        # 10001 * 0.00055 and 9999 * 0.00055
        "openFee": "5.50055",
        "closeFee": "5.49945",
        # -0.1 * 20 less both fees
        "closedPnl": "-13",
        "fillCount": "1",
        "leverage": "10",
        "createdTime": str(NOW_MS + 1000),
        "updatedTime": str(NOW_MS + 1000),
    }
    assert (second["closedSize"], second["closedPnl"]) == ("0.2", "-26")
    page = await pit.get(CLOSED, {"category": "linear", "limit": 1})
    assert [one["closedSize"] for one in page["list"]] == ["0.2"]
    page = await pit.get(CLOSED, {"category": "linear", "limit": 1, "cursor": page["nextPageCursor"]})
    assert [one["closedSize"] for one in page["list"]] == ["0.1"]
    assert page["nextPageCursor"] == ""
    assert (await pit.get(CLOSED, {"category": "inverse"}))["list"] == []
    assert (await pit.get(CLOSED, {"category": "linear", "endTime": NOW_MS + 1500}))["list"][0][
        "qty"
    ] == "0.1"


async def test_an_inverse_position_is_closed_in_its_coin(pit: Pit) -> None:
    await pit.book("inverse:BTCUSD", [("99990", "500000")], [("100000", "500000")])
    await trade(pit, "inverse:BTCUSD", Side.BUY, "1000")
    await pit.hold("BTC/USD", "125000")
    await pit.book("inverse:BTCUSD", [("125000", "500000")], [("125010", "500000")])
    await trade(pit, "inverse:BTCUSD", Side.SELL, "1000")
    (one,) = (await pit.get(CLOSED, {"category": "inverse", "symbol": "BTCUSD"}))["list"]
    assert (one["avgEntryPrice"], one["cumEntryValue"]) == ("100000", "0.01")
    assert (one["avgExitPrice"], one["cumExitValue"]) == ("125000", "0.008")
    # 0.00055 of 0.01 and of 0.008 BTC; 1000 * (1/100000 - 1/125000) less both.
    assert (one["openFee"], one["closeFee"]) == ("0.0000055", "0.0000044")
    assert one["closedPnl"] == "0.0019901"


@pytest.mark.parametrize(
    "sent",
    [
        {"category": "spot"},
        {"category": "linear", "symbol": "NONE"},
        {"category": "linear", "limit": 101},
        {"category": "linear", "cursor": "7"},
        {"category": "linear", "startTime": NOW_MS, "endTime": NOW_MS + 7 * 86_400_000 + 1},
        {"category": "linear", "startTime": NOW_MS, "endTime": NOW_MS - 1},
        {},
    ],
)
async def test_closed_positions_that_cannot_be_asked_for(pit: Pit, sent: dict[str, Any]) -> None:
    assert (await pit.no("GET", CLOSED, sent))[0] == 10001


# The transaction log


async def test_every_change_of_the_wallet_is_in_the_log(pit: Pit) -> None:
    await trade(pit, "linear:BTCUSDT", Side.BUY, "0.1")
    await pit.step(FUNDING_US - NOW_US + SECOND_US)
    await trade(pit, "linear:BTCUSDT", Side.SELL, "0.1")
    moved = {
        "transferId": "42c0cfb0-6bca-c242-bc76-4e6df6cbab16",
        "coin": "USDT",
        "amount": "100",
        "fromAccountType": "UNIFIED",
        "toAccountType": "FUND",
    }
    await pit.post("/v5/asset/transfer/inter-transfer", moved)
    lines = await log(pit, currency="USDT")
    assert [one["type"] for one in lines] == ["TRANSFER_OUT", "TRADE", "SETTLEMENT", "TRADE", "TRANSFER_IN"]
    out, sold, funded, bought, deposited = lines
    assert (deposited["change"], deposited["cashBalance"], deposited["side"]) == (
        "1000000",
        "1000000",
        "None",
    )
    assert bought["cashBalance"] == "999994.49945"
    assert {name: bought[name] for name in ("side", "qty", "size", "tradePrice", "fee", "feeRate")} == {
        "side": "Buy",
        "qty": "0.1",
        "size": "0.1",
        "tradePrice": "100010",
        "fee": "5.50055",
        "feeRate": "0.00055",
    }
    assert (bought["cashFlow"], bought["change"], bought["funding"]) == ("0", "-5.50055", "")
    paid = Decimal(funded["funding"])
    # A long pays the rate on its value at the mark price, and is told of it below zero.
    assert paid == -(Decimal(funded["tradePrice"]) * Decimal("0.1") * Decimal(funded["feeRate"])).quantize(
        Decimal("1E-8")
    )
    assert (funded["fee"], funded["change"], funded["qty"]) == ("0", funded["funding"], "0.1")
    # 0.1 * -20, and 9999 * 0.00055.
    assert (sold["cashFlow"], sold["fee"], sold["change"], sold["size"]) == ("-2", "5.49945", "-7.49945", "0")
    assert Decimal(sold["cashBalance"]) == 1_000_000 - Decimal("5.50055") + paid - Decimal("7.49945")
    assert (out["change"], out["symbol"], out["category"]) == ("-100", "", "")
    assert Decimal(out["cashBalance"]) == Decimal(sold["cashBalance"]) - 100
    for one in lines:
        parts = [Decimal(one[name] or 0) for name in ("cashFlow", "funding", "fee")]
        assert Decimal(one["change"]) == parts[0] + parts[1] - parts[2]


async def test_the_log_is_asked_by_type_category_and_coin(pit: Pit) -> None:
    await trade(pit, "linear:BTCUSDT", Side.BUY, "0.1")
    await trade(pit, "inverse:BTCUSD", Side.BUY, "1000")
    assert [one["currency"] for one in await log(pit, type="TRADE")] == ["BTC", "USDT"]
    assert [one["symbol"] for one in await log(pit, category="inverse")] == ["BTCUSD"]
    assert [one["type"] for one in await log(pit, currency="BTC")] == ["TRADE", "TRANSFER_IN"]
    assert len(await log(pit, baseCoin="BTC")) == 2
    assert await log(pit, category="option") == []
    assert await log(pit, transSubType="movePosition") == []
    assert await log(pit, type="BONUS") == []
    await pit.step(DAY_US + SECOND_US)
    # Without times it is the last day, of which there is funding only.
    assert {one["type"] for one in await log(pit)} == {"SETTLEMENT"}
    assert len(await log(pit, startTime=NOW_MS - 1, type="TRADE")) == 2
    span = {"startTime": NOW_MS, "endTime": NOW_MS + 7 * 86_400_000 + 1}
    assert (await pit.no("GET", LOG, span))[0] == 10001
    assert (await pit.no("GET", LOG, {"cursor": "x"}))[0] == 10001
    assert (await pit.no("GET", LOG, {"accountType": "CONTRACT"}))[0] == 10001


# What is only kept


async def test_protection_of_makers_is_kept_and_told_of(pit: Pit) -> None:
    state = "/v5/account/mmp-state"
    assert (await pit.get(state, {"baseCoin": "BTC"}))["result"] == []
    sent = {
        "baseCoin": "BTC",
        "window": "5000",
        "frozenPeriod": "100000",
        "qtyLimit": "0.01",
        "deltaLimit": "1",
    }
    await pit.post("/v5/account/mmp-modify", sent)
    await pit.post("/v5/account/mmp-reset", {"baseCoin": "BTC"})
    (told,) = (await pit.get(state, {"baseCoin": "BTC"}))["result"]
    assert told == {
        **sent,
        "vegaLimit": "500000",
        "mmpEnabled": True,
        "mmpFrozen": False,
        "mmpFrozenUntil": "0",
    }
    assert (await pit.get(state, {"baseCoin": "ETH"}))["result"] == []
    assert (await pit.get(state, {"baseCoin": "BTC"}, "bob"))["result"] == []
