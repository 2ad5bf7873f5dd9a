"""Both futures sites over the synthetic market, in memory, for signing clients who trade contracts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from emulator.core.commands import PlaceOrder
from emulator.core.engine import Done
from emulator.core.instruments import OrderType, Side, TimeInForce
from emulator.core.orders import OrderTerms
from emulator.core.positions import Leg
from emulator.exchanges import binance
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.products import COINM, USDM
from emulator.runtime.archive import Archive
from emulator.runtime.chronicle import Keeping
from emulator.web.contract import Counting, Site
from tests.exchanges.binance.bank import Bank

BTC = USDM.listings["BTCUSDT"].instrument.symbol
ETH = USDM.listings["ETHUSDT"].instrument.symbol
COIN = COINM.listings["BTCUSD_PERP"].instrument.symbol

FUNDS = (("usdm", "USDT", "100000"), ("coinm", "BTC", "10"))


class Vault(Bank):
    """Alice and bob, each with the same funds in both wallets; bob makes the prices at which she trades."""

    def __init__(
        self,
        eras: Eras | None = None,
        counting: Counting = "off",
        *,
        archive: Archive | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self.eras = eras or Eras()
        self._counting = counting
        super().__init__(counting, archive=archive, keeping=keeping)

    def _sites(self) -> Sequence[Site]:
        return list(binance.sites(eras=self.eras, timestamps="sandbox", counting=self._counting))

    async def __aenter__(self) -> Vault:
        await super().__aenter__()
        for name in ("alice", "bob"):
            for wallet, asset, amount in FUNDS:
                await self.deposit(asset, amount, wallet, name)
        await self.hold_price("BTC/USDT", "100000")
        await self.hold_price("ETH/USDT", "4000")
        await self.hold_price("BTC/USD", "50000")
        return self

    async def place(
        self,
        instrument: str,
        side: Side,
        quantity: str,
        price: str,
        name: str = "alice",
        *,
        leg: Leg = Leg.BOTH,
    ) -> Done:
        wallet = "coinm" if instrument == COIN else "usdm"
        terms = OrderTerms(
            side=side,
            type=OrderType.LIMIT,
            quantity=Decimal(quantity),
            price=Decimal(price),
            time_in_force=TimeInForce.GTC,
            leg=leg,
        )
        return await self.do(
            PlaceOrder(account=self.account(name), instrument=instrument, wallet=wallet, terms=terms)
        )

    async def trade(self, instrument: str, quantity: str, price: str, *, leg: Leg = Leg.BOTH) -> None:
        """Alice buys from bob, or sells to him below zero, at a price inside the spread of the market."""
        signed = Decimal(quantity)
        sides = (Side.SELL, Side.BUY) if signed > 0 else (Side.BUY, Side.SELL)
        await self.place(instrument, sides[0], str(abs(signed)), price, "bob")
        await self.place(instrument, sides[1], str(abs(signed)), price, leg=leg)

    async def usdm(self, path: str, who: str = "alice", **values: Any) -> Any:
        return await self.get(f"/fapi{path}", who, **values)

    async def coinm(self, path: str, who: str = "alice", **values: Any) -> Any:
        return await self.get(f"/dapi{path}", who, **values)
