"""Whole stories on the futures sites, and whether the books are even when one is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from emulator.core.audit import audit
from emulator.core.numbers import exact
from emulator.exchanges import binance
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.bank import NAMES
from tests.exchanges.binance.futures.arena import BTC, COIN, MARKET_BUY, Arena

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US

BUY: dict[Product, dict[str, Any]] = {
    USDM: MARKET_BUY,
    COINM: {**MARKET_BUY, "symbol": "BTCUSD_PERP", "quantity": "100"},
}
"""At market; the same value in both products but for its price."""
ASSETS = {USDM: "USDT", COINM: "BTC"}

_INSTRUMENTS = {USDM: BTC, COINM: COIN}


class Stage(Arena):
    """Requests of alice, and their figures as numbers."""

    @classmethod
    @asynccontextmanager
    async def played(cls) -> AsyncIterator[Stage]:
        """A stage whose books must be even at the end."""
        async with cls() as stage:
            assert isinstance(stage, Stage)
            yield stage
            await stage.balances_itself()

    async def balances_itself(self) -> None:
        """All accounts and counterparties of every asset come to zero, and a wallet is the sum of its
        incomes."""
        state = self.sandbox.engines[binance.ENGINE].state
        with exact():
            assert audit(state) == []
            assert {asset: total for asset, total in state.ledger.totals().items() if total} == {}
        for product in (USDM, COINM):
            for who in NAMES:
                told = await self.get(f"{product.prefix}/v1/income", who, limit=1000)
                amounts = [Decimal(one["income"]) for one in told if one["asset"] == ASSETS[product]]
                assert sum(amounts) == await self.wallet(product, who)

    async def wallet(self, product: Product = USDM, who: str = "alice") -> Decimal:
        path = "/fapi/v2/balance" if product is USDM else "/dapi/v1/balance"
        (balance,) = [one for one in await self.get(path, who) if one["asset"] == ASSETS[product]]
        return Decimal(balance["balance"])

    async def taken(self, side: str, quantity: str, price: str, product: Product = USDM, **more: Any) -> None:
        """An order at market, all of which trades at one price."""
        placed = await self.finish(BUY[product], product, side=side, quantity=quantity, **more)
        order = await self.find_order(placed["orderId"], product, placed["symbol"])
        assert order["status"] == "FILLED"
        assert decimals(order["executedQty"], order["avgPrice"]) == decimals(quantity, price)

    async def quote(self, bid: str, ask: str, product: Product = USDM) -> None:
        """The contract alone; its pair stays where it is."""
        quantity = "50" if product is USDM else "10000"
        await self.book(_INSTRUMENTS[product], [(bid, quantity)], [(ask, quantity)])

    async def positions(self, product: Product = USDM, who: str = "alice") -> dict[str, tuple[Decimal, ...]]:
        """Quantity and entry price by leg, without legs that are flat."""
        path = "/fapi/v2/positionRisk" if product is USDM else "/dapi/v1/positionRisk"
        return {
            row["positionSide"]: decimals(row["positionAmt"], row["entryPrice"])
            for row in await self.get(path, who)
            if Decimal(row["positionAmt"])
        }

    async def incomes(self, kind: str, product: Product = USDM, who: str = "alice") -> list[Decimal]:
        rows = await self.get(f"{product.prefix}/v1/income", who, incomeType=kind)
        return [Decimal(row["income"]) for row in rows]


def decimals(*texts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(text) for text in texts)
