"""Both futures sites over markets that stand where a test puts them, for alice and bob."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import jsonschema_rs

from emulator.core.commands import SetBook
from emulator.exchanges import binance
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.products import COINM, PRODUCTS, USDM, Product
from emulator.web.contract import Site
from emulator.web.openapi import document
from tests.exchanges.binance.futures.vault import BTC, COIN, Vault

LIMIT_BUY: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "99000",
}
LIMIT_SELL: dict[str, Any] = {**LIMIT_BUY, "side": "SELL", "price": "101000"}
MARKET_BUY: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
MARKET_SELL: dict[str, Any] = {**MARKET_BUY, "side": "SELL"}
COIN_BUY: dict[str, Any] = {**LIMIT_BUY, "symbol": "BTCUSD_PERP", "quantity": "10", "price": "49000"}
STOP: dict[str, Any] = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_MARKET",
    "quantity": "0.01",
    "triggerPrice": "98000",
}
"""An algo order below the market."""

DAY_US = 86_400_000_000


class Arena(Vault):
    """BTCUSDT stands at 100000, with 5 BTC at 99990 and 100010; BTCUSD_PERP at 50000, with 10000 contracts
    at 49990 and 50010."""

    async def __aenter__(self) -> Arena:
        await super().__aenter__()
        await self.book(BTC, [("99990", "5")], [("100010", "5")])
        await self.book(COIN, [("49990", "10000")], [("50010", "10000")])
        return self

    async def book(
        self, instrument: str, bids: Sequence[tuple[str, str]], asks: Sequence[tuple[str, str]]
    ) -> None:
        def levels(listed: Iterable[tuple[str, str]]) -> tuple[tuple[Decimal, Decimal], ...]:
            return tuple((Decimal(price), Decimal(quantity)) for price, quantity in listed)

        await self.do(SetBook(instrument=instrument, bids=levels(bids), asks=levels(asks)))

    async def ok(self, method: str, path: str, product: Product = USDM, **values: Any) -> Any:
        """The body of a success, which is what its row promises."""
        reply = await self.ask(method, f"{product.prefix}/v1/{path}", **values)
        assert reply.status == 200, reply.content
        body = reply.json
        promises(self.eras)[method, f"{product.prefix}/v1/{path}"].validate(body)
        return body

    async def no(self, method: str, path: str, product: Product = USDM, **values: Any) -> tuple[int, str]:
        """Code and text of an answer that must be a refusal of the usual sort."""
        status, code, text = await self.refusal(method, f"{product.prefix}/v1/{path}", **values)
        assert status == 400, (status, code, text)
        return code, text

    async def place_order(self, values: Mapping[str, Any], product: Product = USDM, **more: Any) -> Any:
        return await self.ok("POST", "order", product, **{**values, **more})

    async def finish(self, values: Mapping[str, Any], product: Product = USDM, **more: Any) -> Any:
        """As it is when it is over, or rests."""
        return await self.place_order(values, product, newOrderRespType="RESULT", **more)

    async def find_order(self, order_id: int, product: Product = USDM, symbol: str = "BTCUSDT") -> Any:
        return await self.ok("GET", "order", product, symbol=symbol, orderId=order_id)

    async def position(self, symbol: str = "BTCUSDT") -> Decimal:
        """Of alice, of both legs together."""
        rows = await self.get("/fapi/v2/positionRisk", symbol=symbol)
        return sum((Decimal(row["positionAmt"]) for row in rows), Decimal(0))

    async def hedge(self) -> None:
        await self.ok("POST", "positionSide/dual", dualSidePosition="true")


@cache
def sites_of(eras: Eras) -> Mapping[str, Site]:
    sites = binance.sites(eras=eras, timestamps="sandbox", counting="off")
    return {site.name: site for site in sites if site.name in PRODUCTS}


@cache
def promises(eras: Eras) -> Mapping[tuple[str, str], jsonschema_rs.Validator]:
    """The closed schema of each row's answers, by method and path."""
    found: dict[tuple[str, str], jsonschema_rs.Validator] = {}
    for site in sites_of(eras).values():
        described = document(site)
        for path, operations in described["paths"].items():
            for method, operation in operations.items():
                content = operation["responses"]["200"]["content"]
                if "application/json" not in content:
                    # A file.
                    continue
                schema = content["application/json"]["schema"]
                found[method.upper(), path] = jsonschema_rs.validator_for(
                    {**schema, "components": described["components"]}
                )
    return found


__all__ = ["BTC", "COIN", "COINM", "USDM"]
