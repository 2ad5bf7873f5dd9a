"""Streams of forced orders: a liquidation as everybody hears of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from emulator.core.commands import PlaceOrder, PriceMode, SetMarginMode, SetPrice
from emulator.core.history import Fill
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import Cause, OrderTerms
from emulator.core.positions import MarginMode
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.studio import SECOND_US, FuturesStudio
from tests.exchanges.binance.shapes import complaints, fields

pytestmark = pytest.mark.anyio

FORCED_ORDER = fields("e:s E:i", o=fields("s:s S:s o:s f:s q:s p:s ap:s X:s l:s z:s T:i ps:s st:i"))
"""Live frames of `!forceOrder@arr` of 2026-10."""


@pytest.fixture
async def studio(anyio_backend: str) -> AsyncIterator[FuturesStudio]:
    async with FuturesStudio().on_air() as studio:
        yield studio


async def hold(studio: FuturesStudio, price: int, pair: str = "BTC/USDT") -> None:
    await studio.do(SetPrice(pair=pair, price=Decimal(price), mode=PriceMode.HOLD))


async def buy(studio: FuturesStudio, quantity: str, site: Product = USDM, symbol: str = "BTCUSDT") -> None:
    """An isolated position at market, twenty times its margin, as it is unless somebody chooses otherwise."""
    account, instrument = studio.sandbox.accounts["demo"], f"{site.wallet}:{symbol}"
    mode = SetMarginMode(account=account, instrument=instrument, mode=MarginMode.ISOLATED)
    # Refused where it is so already.
    await studio.sandbox.submit("binance", mode)
    terms = OrderTerms(side=Side.BUY, type=OrderType.MARKET, quantity=Decimal(quantity))
    await studio.do(PlaceOrder(account=account, instrument=instrument, wallet=site.wallet, terms=terms))


def fills(studio: FuturesStudio) -> list[Fill]:
    """Of all liquidations."""
    views = studio.engine.views
    forced = [order.id for order in views.orders.values() if order.terms.cause is Cause.LIQUIDATION]
    return [fill for order in forced for fill in views.fills_of[order]]


@pytest.mark.parametrize("name", ["btcusdt@forceOrder", "!forceOrder@arr"])
async def test_a_liquidation_is_told_when_the_second_is_over(studio: FuturesStudio, name: str) -> None:
    await hold(studio, 100_000)
    await buy(studio, "2")
    async with studio.listen(f"/ws/{name}") as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        # 1 / 20 of the value is there, of which 0.4 % must be left: 5% - 0.4% below the entry it is too late.
        await hold(studio, 95_200)
        closed_ms = studio.now_us // 1000
        await studio.step(SECOND_US - studio.now_us % SECOND_US)
        told = await client.next()
    assert list(complaints(told, FORCED_ORDER)) == []
    assert list(told["o"]) == list(FORCED_ORDER["o"])
    order = told["o"]
    closing = fills(studio)
    assert len(closing) > 1
    value = sum((fill.price * fill.quantity for fill in closing), Decimal(0))
    assert (told["e"], told["E"]) == ("forceOrder", studio.now_us // 1000)
    assert {key: order[key] for key in ("s", "ps", "st", "S", "o", "f", "X", "q", "z", "T")} == {
        "s": "BTCUSDT",
        "ps": "BTCUSDT",
        "st": 1,
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "X": "FILLED",
        "q": "2.000",
        "z": "2.000",
        "T": closed_ms,
    }
    # At its limit the margin would be gone: a twentieth below what it was bought at, on average.
    assert abs(Decimal(order["p"]) - 95_000) < 10
    assert abs(Decimal(order["ap"]) - value / 2) <= Decimal("0.005")
    assert Decimal(order["l"]) == closing[-1].quantity


async def test_of_a_contract_in_coin(studio: FuturesStudio) -> None:
    await hold(studio, 100_000, "BTC/USD")
    await buy(studio, "100", COINM, "BTCUSD_PERP")
    async with studio.listen("/ws/btcusd_perp@forceOrder", site=COINM) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await hold(studio, 95_400, "BTC/USD")
        await studio.step(SECOND_US)
        order = (await client.next())["o"]
    assert (order["s"], order["ps"], order["st"]) == ("BTCUSD_PERP", "BTCUSD", 2)
    assert (order["q"], order["z"], order["X"]) == ("100", "100", "FILLED")
    # 10,000 / 100,000 = 0.1 BTC were bought, and a twentieth of that is 10,000 / p - 0.1: p is 95,238.1.
    assert abs(Decimal(order["p"]) - Decimal("95238.1")) < 10
    assert Decimal(order["p"]) <= Decimal(order["ap"]) <= 95_400


async def test_of_a_second_the_newest_is_told_and_of_each_contract_one(studio: FuturesStudio) -> None:
    await hold(studio, 100_000)
    await hold(studio, 4_000, "ETH/USDT")
    await studio.step(SECOND_US - studio.now_us % SECOND_US)
    async with studio.listen("/ws/!forceOrder@arr") as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        for quantity in ("1", "3"):
            await hold(studio, 100_000)
            await buy(studio, quantity)
            await hold(studio, 95_200)
            await studio.step(1000)
        await buy(studio, "1", USDM, "ETHUSDT")
        await hold(studio, 3_800, "ETH/USDT")
        await studio.step(SECOND_US)
        told = {(one := (await client.next())["o"])["s"]: one["q"] for _ in range(2)}
        assert told == {"BTCUSDT": "3.000", "ETHUSDT": "1.000"}
        # Nothing further of what was told, and nothing of other orders.
        await hold(studio, 100_000)
        await buy(studio, "1")
        await studio.step(2 * SECOND_US)
        await client.ask("LIST_SUBSCRIPTIONS")


async def test_nobody_watches_the_engine_when_nobody_listens(studio: FuturesStudio) -> None:
    async with studio.listen("/ws") as client:
        await client.ask("SUBSCRIBE", "!contractInfo")
        before = len(studio.engine.observers)
        await client.ask("SUBSCRIBE", "!forceOrder@arr")
        assert len(studio.engine.observers) == before + 1
        await client.ask("UNSUBSCRIBE", "!forceOrder@arr")
        assert len(studio.engine.observers) == before
