"""Contracts that are over or not there yet: what may still be asked of them, and what may not.

-4141 is "Symbol is closed" of the error codes; -4108 is what live hosts say of open interest.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.vault import Vault

pytestmark = pytest.mark.anyio

PRODUCTS = pytest.mark.parametrize("product", [USDM, COINM])
CLOSED = (400, -4141, "Symbol is closed")
UNKNOWN = (400, -1121, "Invalid symbol.")
NEW = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "50000"}


@pytest.fixture
async def vault(anyio_backend: str) -> AsyncIterator[Vault]:
    async with Vault() as vault:
        yield vault


def current(product: Product) -> Listing:
    """The quarterly of now, which is delivered on 2026-09-25 at eight."""
    return next(one for one in product.listings.values() if one.symbol.endswith("_260925"))


def coming(product: Product) -> Listing:
    """One that is not there yet."""
    return next(one for one in product.listings.values() if one.contract.listed_us > NOW_US)


async def delivered(vault: Vault, product: Product) -> str:
    """The symbol of the current quarterly, an hour after its end."""
    listing = current(product)
    assert listing.contract.delivery_us is not None
    await vault.step(listing.contract.delivery_us - NOW_US + 3_600_000_000)
    return listing.symbol


def settings(symbol: str) -> list[tuple[str, str, dict[str, Any]]]:
    """What changes something about a contract, so that it must be there."""
    return [
        ("POST", "leverage", {"symbol": symbol, "leverage": 5}),
        ("POST", "marginType", {"symbol": symbol, "marginType": "ISOLATED"}),
        ("POST", "positionMargin", {"symbol": symbol, "amount": 1, "type_": 1}),
        ("POST", "countdownCancelAll", {"symbol": symbol, "countdownTime": 10_000}),
        ("POST", "order", {"symbol": symbol, **{k.replace("type", "type_"): w for k, w in NEW.items()}}),
        (
            "POST",
            "algoOrder",
            {
                "algoType": "CONDITIONAL",
                "symbol": symbol,
                "side": "BUY",
                "type_": "STOP_MARKET",
                "quantity": 1,
                "triggerPrice": 900_000,
            },
        ),
    ]


@PRODUCTS
async def test_nothing_can_be_set_for_what_is_delivered(vault: Vault, product: Product) -> None:
    symbol = await delivered(vault, product)
    for method, path, values in settings(symbol):
        said = await vault.refusal(method, f"{product.prefix}/v1/{path}", **values)
        assert said == CLOSED, path
    batch = await vault.post(
        f"{product.prefix}/v1/batchOrders", batchOrders=json.dumps([{"symbol": symbol, **NEW}])
    )
    assert batch == [{"code": -4141, "msg": "Symbol is closed"}]


@PRODUCTS
async def test_what_waits_can_be_taken_back_to_the_end(vault: Vault, product: Product) -> None:
    """An account may always be told that nothing is open any more."""
    symbol = await delivered(vault, product)
    for path in ("allOpenOrders", "algoOpenOrders"):
        reply = await vault.ask("DELETE", f"{product.prefix}/v1/{path}", symbol=symbol)
        assert reply.json["code"] == 200
    off = await vault.post(f"{product.prefix}/v1/countdownCancelAll", symbol=symbol, countdownTime=0)
    assert off["countdownTime"] == "0"


@PRODUCTS
async def test_histories_of_what_is_delivered_are_still_told(vault: Vault, product: Product) -> None:
    listing = current(product)
    price, quantity = ("50000", "3") if product is COINM else ("100000", "0.1")
    side = {"side": "BUY", "type_": "LIMIT", "timeInForce": "IOC"}
    await vault.post(
        f"{product.prefix}/v1/order", symbol=listing.symbol, **side, quantity=quantity, price=price
    )
    await vault.hold_price("BTC/USD" if product is COINM else "BTC/USDT", str(int(price) + 1000))
    symbol = await delivered(vault, product)
    trades = await vault.get(f"{product.prefix}/v1/userTrades", symbol=symbol)
    orders = await vault.get(f"{product.prefix}/v1/allOrders", symbol=symbol)
    # The one that was placed, and the one by which the position was settled.
    assert {one["side"] for one in trades} == {"BUY", "SELL"}
    assert [one["side"] for one in orders] == ["BUY", "SELL"]
    incomes = await vault.get(f"{product.prefix}/v1/income", symbol=symbol)
    assert "DELIVERED_SETTELMENT" in {one["incomeType"] for one in incomes}


@PRODUCTS
async def test_open_interest_ends_with_the_contract(vault: Vault, product: Product) -> None:
    path = f"{product.prefix}/v1/openInterest"
    assert float((await vault.get(path, symbol=current(product).symbol))["openInterest"]) > 0
    symbol = await delivered(vault, product)
    text = "Symbol is on delivering or delivered or settling or closed or pre-trading."
    assert await vault.refusal("GET", path, symbol=symbol) == (400, -4108, text)


@PRODUCTS
async def test_what_is_not_listed_yet_is_not_known(vault: Vault, product: Product) -> None:
    symbol, prefix = coming(product).symbol, product.prefix
    for method, path, values in settings(symbol):
        assert await vault.refusal(method, f"{prefix}/v1/{path}", **values) == UNKNOWN, path
    for method, path in (
        ("DELETE", "allOpenOrders"),
        ("DELETE", "algoOpenOrders"),
        ("GET", "openOrders"),
        ("GET", "openAlgoOrders"),
        ("GET", "allOrders"),
        ("GET", "allAlgoOrders"),
        ("GET", "userTrades"),
        ("GET", "forceOrders"),
        ("GET", "income"),
        ("GET", "commissionRate"),
        ("GET", "positionMargin/history"),
        ("GET", "adlQuantile"),
        ("GET", "depth"),
    ):
        assert await vault.refusal(method, f"{prefix}/v1/{path}", symbol=symbol) == UNKNOWN, path
    for method, path in (("GET", "order"), ("DELETE", "order"), ("GET", "openOrder")):
        assert await vault.refusal(method, f"{prefix}/v1/{path}", symbol=symbol, orderId=1) == UNKNOWN, path


async def test_old_trades_come_by_the_hundred(vault: Vault) -> None:
    for product, symbol in ((USDM, "BTCUSDT"), (COINM, "BTCUSD_PERP")):
        path = f"{product.prefix}/v1/historicalTrades"
        assert len(await vault.get(path, symbol=symbol)) == 100
        assert len(await vault.get(path, symbol=symbol, limit=500)) == 500
        assert (await vault.refusal("GET", path, symbol=symbol, limit=501))[:2] == (400, -1130)
