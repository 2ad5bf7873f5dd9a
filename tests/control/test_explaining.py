"""Figures that explain themselves: what is put in gives what comes out, by the formula beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.app import Emulator, build, default_settings
from emulator.core import commands as c
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.core.positions import MarginMode
from emulator.exchanges import binance
from tests.web.client import ask

pytestmark = pytest.mark.anyio

BTC = binance.SYMBOLS["binance-usdm"]["BTCUSDT"]


class House:
    """A whole emulator in memory, whose demo account trades contracts with bob."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.sandbox = emulator.sandboxes.default
        self.demo = self.sandbox.accounts["demo"]
        self.bob = 0

    async def do(self, command: c.Command) -> int:
        """Returns the number of the next order before it."""
        number = self.sandbox.engines[binance.ENGINE].state.next_order
        done = await self.sandbox.submit(binance.ENGINE, command)
        assert done.rejection is None, done.rejection
        return number

    async def order(
        self,
        account: int,
        side: Side,
        quantity: str,
        price: str,
        *,
        instrument: str = BTC,
        wallet: str = "usdm",
    ) -> int:
        terms = OrderTerms(side=side, type=OrderType.LIMIT, quantity=Decimal(quantity), price=Decimal(price))
        return await self.do(c.PlaceOrder(account=account, wallet=wallet, instrument=instrument, terms=terms))

    async def explain(self, path: str, status: int = 200) -> Any:
        path, _, query = path.partition("?")
        reply = await ask(self.emulator.application, "GET", f"/_emulator/explain/{path}", query=query)
        assert reply.status == status, reply.content
        return reply.json

    async def figures(self, path: str) -> dict[str, Any]:
        body = await self.explain(path)
        return {one["name"]: one for one in body["figures"]} | {"tier": body["tier"], "unit": body["unit"]}


@pytest.fixture
async def house(anyio_backend: str) -> AsyncIterator[House]:
    emulator = build(default_settings().model_copy(update={"ephemeral": True, "clock": "virtual"}))
    await emulator.sandboxes.open()
    house = House(emulator)
    house.bob = await house.sandbox.open_account("bob")
    await house.do(c.Deposit(account=house.bob, wallet="usdm", asset="USDT", amount=Decimal(1_000_000)))
    await house.do(c.SetPrice(pair="BTC/USDT", price=Decimal(100_000)))
    yield house
    await emulator.sandboxes.close()


async def test_a_liquidation_price(house: House) -> None:
    await house.do(c.SetMarginMode(account=house.demo, instrument=BTC, mode=MarginMode.ISOLATED))
    await house.order(house.bob, Side.SELL, "1", "100000")
    await house.order(house.demo, Side.BUY, "1", "100000")
    figures = await house.figures("liquidation/demo/binance-usdm/BTCUSDT")
    assert figures["value"]["value"] == "100000"
    assert figures["maintenance margin"]["value"] == "400"
    assert figures["tier"] == {
        "floor": "0",
        "cap": "300000",
        "leverageMax": "150",
        "maintenanceRate": "0.004",
        "amount": "0",
    }
    inputs = {name: float(one) for name, one in figures["liquidation"]["inputs"].items()}
    price = float(figures["liquidation"]["value"])
    # Put into the formula, the price leaves the maintenance margin of the value there, to its eight places.
    left = inputs["funds"] + inputs["direction"] * (
        inputs["size"] * inputs["quantity"] * price - inputs["cost"]
    )
    assert left == pytest.approx(0.004 * inputs["quantity"] * price, abs=1e-7)
    assert figures["bankruptcy"]["value"] == "95000"


async def test_a_margin_with_orders_beside(house: House) -> None:
    await house.order(house.demo, Side.BUY, "2", "90000")
    figures = await house.figures("margin/demo/binance-usdm/BTCUSDT")
    assert figures["bids"]["value"] == "180000"
    assert figures["order margin"]["value"] == "9000"
    assert figures["largest value"]["value"] == "100000000"
    order = await house.order(house.demo, Side.BUY, "1", "80000")
    told = await house.figures(f"order/demo/binance-usdm/BTCUSDT/{order}")
    assert (told["status"]["value"], told["worth"]["value"], told["unit"]) == ("new", "80000", "USDT")


async def test_balances(house: House) -> None:
    await house.order(house.demo, Side.BUY, "2", "90000")
    figures = await house.figures("balance/demo/binance-usdm/USDT")
    assert figures["available"]["value"] == "991000"
    assert figures["available"]["inputs"]["cross wallet"] == "1000000"
    order = await house.order(house.demo, Side.BUY, "1", "50000", instrument="BTCUSDT", wallet="spot")
    spot = await house.figures("balance/demo/binance/USDT")
    assert (spot["free"]["value"], spot["held"]["value"]) == ("950000", "50000")
    assert spot["held"]["inputs"] == {f"order {order}": "50000", "locked": "0"}
    told = await house.figures(f"order/demo/binance/BTCUSDT/{order}")
    assert (told["held"]["value"], told["unit"]) == ("50000", "USDT")
    funding = await house.figures("balance/demo/binance/USDT?wallet=funding")
    assert funding["total"]["value"] == "0"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("liquidation/nobody/binance-usdm/BTCUSDT", 404, "no_such_account"),
        ("liquidation/demo/binance-usdm/NOPE", 404, "no_such_symbol"),
        ("liquidation/demo/binance-usdm/BTCUSDT", 404, "no_such_position"),
        ("margin/demo/binance/BTCUSDT", 400, "not_a_contract"),
        ("balance/demo/kucoin/USDT", 404, "no_such_site"),
        ("balance/demo/binance/USDT?wallet=purse", 404, "no_such_wallet"),
        ("balance/demo/binance-coinm/XYZ", 404, "nothing_there"),
        ("order/demo/binance/BTCUSDT/77", 404, "no_such_order"),
    ],
)
async def test_what_cannot_be_explained(house: House, path: str, status: int, code: str) -> None:
    assert (await house.explain(path, status))["error"]["code"] == code
