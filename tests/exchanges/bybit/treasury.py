"""The pit, for stories about positions and wallets: orders at market without the order endpoints."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from emulator.core.commands import PlaceOrder
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.core.positions import Leg
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import Pit

LINEAR = "linear:BTCUSDT"
INVERSE = "inverse:BTCUSD"


class Treasury(Pit):
    async def trade(self, instrument: str, quantity: str, who: str = "alice", *, leg: Leg = Leg.BOTH) -> None:
        """At market: bought, or sold below zero."""
        signed = Decimal(quantity)
        await self._order(
            instrument,
            OrderTerms(
                side=Side.BUY if signed > 0 else Side.SELL,
                type=OrderType.MARKET,
                quantity=abs(signed),
                leg=leg,
            ),
            who,
        )

    async def rest(self, instrument: str, quantity: str, price: str, who: str = "alice") -> None:
        """A limit order beside the market."""
        signed = Decimal(quantity)
        await self._order(
            instrument,
            OrderTerms(
                side=Side.BUY if signed > 0 else Side.SELL,
                type=OrderType.LIMIT,
                quantity=abs(signed),
                price=Decimal(price),
            ),
            who,
        )

    async def _order(self, instrument: str, terms: OrderTerms, who: str) -> None:
        account = self.sandbox.accounts[who]
        await self.do(PlaceOrder(account=account, wallet=UNIFIED, instrument=instrument, terms=terms))

    async def position(self, symbol: str = "BTCUSDT", category: str = "linear", **asked: Any) -> Any:
        """The one position of a symbol."""
        (one,) = await self.positions(symbol, category, **asked)
        return one

    async def positions(
        self, symbol: str = "BTCUSDT", category: str = "linear", who: str = "alice"
    ) -> list[Any]:
        sent = {"category": category, "symbol": symbol}
        listed: list[Any] = (await self.get("/v5/position/list", sent, who))["list"]
        return listed

    async def wallet(self, who: str = "alice", **asked: Any) -> Any:
        sent = {"accountType": "UNIFIED", **asked}
        (one,) = (await self.get("/v5/account/wallet-balance", sent, who))["list"]
        return one

    async def coin(self, coin: str, who: str = "alice") -> Any:
        (one,) = (await self.wallet(who, coin=coin))["coin"]
        return one

    async def margin_mode(self, mode: str, who: str = "alice") -> Any:
        return await self.post("/v5/account/set-margin-mode", {"setMarginMode": mode}, who)
