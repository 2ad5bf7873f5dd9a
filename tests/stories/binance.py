"""Binance, as a venue of the stories: Spot, USD-M and COIN-M."""

from __future__ import annotations

import hmac
import time
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlencode

from tests.stories.table import REPRICES
from tests.stories.venue import Venue, VenueRefused
from tests.stories.words import Leg, Place, Product, Status, Told

_STATUS = {
    "NEW": Status.OPEN,
    "PARTIALLY_FILLED": Status.PARTLY_FILLED,
    "FILLED": Status.FILLED,
    "CANCELED": Status.ENDED,
    "EXPIRED": Status.ENDED,
}
_SITES = {Product.SPOT: "binance", Product.LINEAR: "binance-usdm", Product.INVERSE: "binance-coinm"}
_PATHS = {Product.SPOT: "/api/v3", Product.LINEAR: "/fapi/v1", Product.INVERSE: "/dapi/v1"}
_SYMBOLS = {Product.SPOT: "BTCUSDT", Product.LINEAR: "BTCUSDT", Product.INVERSE: "BTCUSD_PERP"}
_WALLETS = {Product.SPOT: "spot", Product.LINEAR: "usdm", Product.INVERSE: "coinm"}
ALGO = "algo-"
"""Before the ids of what stands beside the market until its trigger."""
UNPLACED = "refused"


class Binance(Venue):
    name = exchange = "binance"
    lots: ClassVar = {
        Product.SPOT: Decimal("0.1"),
        Product.LINEAR: Decimal("0.1"),
        Product.INVERSE: Decimal(10),
    }
    fees: ClassVar = {
        Product.SPOT: (Decimal("0.001"), Decimal("0.001")),
        Product.LINEAR: (Decimal("0.0002"), Decimal("0.0005")),
        Product.INVERSE: (Decimal("0.0002"), Decimal("0.0005")),
    }

    @property
    def wallet(self) -> str:
        return _WALLETS[self.product]

    @property
    def market(self) -> str:
        return f"{_SITES[self.product]}/{self._symbol}"

    @property
    def size(self) -> Decimal:
        # A contract of BTCUSD is 100 USD.
        return Decimal(100) if self.product is Product.INVERSE else Decimal(1)

    @classmethod
    def offers(cls, product: Product) -> frozenset[str]:
        # An order of a pair can only get smaller (Order Amend Keep Priority).
        return frozenset() if product is Product.SPOT else frozenset({REPRICES})

    @property
    def _symbol(self) -> str:
        return _SYMBOLS[self.product]

    def _ask(self, method: str, path: str, **values: Any) -> Any:
        """path: what follows the product's own, or a whole one."""
        whole = path if path.startswith("/") else f"{_PATHS[self.product]}/{path}"
        query = urlencode({**values, "timestamp": int(time.time() * 1000)})
        signature = hmac.new(self.SECRET.encode(), query.encode(), sha256).hexdigest()
        reply = self.http.request(
            method,
            f"{self.control.url}{whole}?{query}&signature={signature}",
            headers={"X-MBX-APIKEY": self.KEY},
        )
        assert reply.status_code < 500, reply.text
        if reply.status_code != 200:
            raise VenueRefused(reply.text)
        return reply.json()

    def place(self, order: Place) -> str:
        values: dict[str, Any] = {"symbol": self._symbol, "side": order.side.value.upper()}
        values |= {"quantity": str(Decimal(order.lots) * self.lot), "type": "MARKET"}
        is_contract = self.product is not Product.SPOT
        if order.limit is not None:
            values |= {
                "type": "LIMIT",
                "price": order.limit,
                "timeInForce": "IOC" if order.at_once else "GTC",
            }
        if order.post_only and is_contract:
            values["timeInForce"] = "GTX"
        elif order.post_only:
            values["type"] = "LIMIT_MAKER"
            del values["timeInForce"]
        if order.reduce_only:
            values["reduceOnly"] = "true"
        if order.leg is not None:
            values["positionSide"] = order.leg.value.upper()
        if order.stop is not None and is_contract:
            values |= {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "triggerPrice": order.stop}
            return ALGO + str(self._ask("POST", "algoOrder", **values)["algoId"])
        if order.stop is not None:
            values |= {"type": "STOP_LOSS", "stopPrice": order.stop}
        try:
            return str(self._ask("POST", "order", **values)["orderId"])
        except VenueRefused:
            if order.post_only:
                # A contract's is -5022, a pair's -2010; no order came of it.
                return UNPLACED
            raise

    def amend(self, order: str, quantity: Decimal, limit: str | None) -> None:
        if self.product is Product.SPOT:
            assert limit is None, "not of a pair"
            path = "order/amend/keepPriority"
            self._ask("PUT", path, symbol=self._symbol, orderId=order, newQty=str(quantity))
            return
        now = self._ask("GET", "order", symbol=self._symbol, orderId=order)
        self._ask(
            "PUT",
            "order",
            symbol=self._symbol,
            orderId=order,
            side=now["side"],
            quantity=str(quantity),
            price=limit or now["price"],
        )

    def cancel(self, order: str) -> None:
        if order.startswith(ALGO):
            self._ask("DELETE", "algoOrder", algoId=order.removeprefix(ALGO))
        else:
            self._ask("DELETE", "order", symbol=self._symbol, orderId=order)

    def told(self, order: str) -> Told:
        if order == UNPLACED:
            return Told(Status.ENDED, Decimal(0))
        if order.startswith(ALGO):
            waiting = self._ask("GET", "algoOrder", algoId=order.removeprefix(ALGO))
            if not waiting["actualOrderId"]:
                is_waiting = waiting["algoStatus"] == "NEW"
                return Told(Status.WAITING if is_waiting else Status.ENDED, Decimal(0))
            order = waiting["actualOrderId"]
        now = self._ask("GET", "order", symbol=self._symbol, orderId=order)
        status = _STATUS[now["status"]]
        if status is Status.OPEN and now.get("isWorking") is False:
            status = Status.WAITING
        return Told(status, Decimal(now["executedQty"]))

    def balances(self) -> dict[str, Decimal]:
        if self.product is Product.SPOT:
            listed = self._ask("GET", "account")["balances"]
            return {one["asset"]: Decimal(one["free"]) + Decimal(one["locked"]) for one in listed}
        path = "/fapi/v2/balance" if self.product is Product.LINEAR else "/dapi/v1/balance"
        return {one["asset"]: Decimal(one["balance"]) for one in self._ask("GET", path)}

    def position(self, leg: Leg | None) -> tuple[Decimal, Decimal]:
        for one in self._positions():
            if one["positionSide"] == ("BOTH" if leg is None else leg.value.upper()):
                return Decimal(one["positionAmt"]), Decimal(one["entryPrice"])
        return Decimal(0), Decimal(0)

    def _positions(self) -> list[Any]:
        if self.product is Product.LINEAR:
            return list(self._ask("GET", "/fapi/v2/positionRisk", symbol=self._symbol))
        return [
            one
            for one in self._ask("GET", "/dapi/v1/positionRisk", pair="BTCUSD")
            if one["symbol"] == self._symbol
        ]

    def liquidated_at(self) -> Decimal:
        (only,) = [one for one in self._positions() if Decimal(one["positionAmt"])]
        return Decimal(only["liquidationPrice"])

    def hedge(self) -> None:
        self._ask("POST", "positionSide/dual", dualSidePosition="true")

    def isolate(self, leverage: int) -> None:
        self._ask("POST", "marginType", symbol=self._symbol, marginType="ISOLATED")
        self._ask("POST", "leverage", symbol=self._symbol, leverage=leverage)

    def funding_rate(self) -> Decimal:
        told = self.http.get(
            f"{self.control.url}{_PATHS[self.product]}/fundingRate", params={"symbol": self._symbol}
        )
        return Decimal(told.json()[-1]["fundingRate"])

    def funding_paid(self) -> list[Decimal]:
        listed = self._ask("GET", "income", symbol=self._symbol, incomeType="FUNDING_FEE", startTime=0)
        return [Decimal(one["income"]) for one in listed]
