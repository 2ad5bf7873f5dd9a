"""Bybit, as a venue of the stories: spot, linear and inverse on the unified account."""

from __future__ import annotations

import hmac
import json
import time
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlencode

from tests.stories.table import REPRICES
from tests.stories.venue import Venue, VenueRefused
from tests.stories.words import Leg, Place, Product, Side, Status, Told

_STATUS = {
    "New": Status.OPEN,
    "PartiallyFilled": Status.PARTLY_FILLED,
    "Untriggered": Status.WAITING,
    "Triggered": Status.OPEN,
    "Filled": Status.FILLED,
    "Cancelled": Status.ENDED,
    "PartiallyFilledCanceled": Status.ENDED,
    "Rejected": Status.ENDED,
    "Deactivated": Status.ENDED,
}
_SYMBOLS = {Product.SPOT: "BTCUSDT", Product.LINEAR: "BTCUSDT", Product.INVERSE: "BTCUSD"}
_INDEX = {None: 0, Leg.LONG: 1, Leg.SHORT: 2}


class Bybit(Venue):
    name = exchange = "bybit"
    wallet = "unified"
    lots: ClassVar = {
        Product.SPOT: Decimal("0.1"),
        Product.LINEAR: Decimal("0.1"),
        Product.INVERSE: Decimal(1000),
    }
    margin_has_fee = True
    fees: ClassVar = {
        Product.SPOT: (Decimal("0.001"), Decimal("0.001")),
        Product.LINEAR: (Decimal("0.0002"), Decimal("0.00055")),
        Product.INVERSE: (Decimal("0.0002"), Decimal("0.00055")),
    }

    @property
    def market(self) -> str:
        return f"bybit/{self._category}:{self._symbol}"

    @classmethod
    def offers(cls, product: Product) -> frozenset[str]:
        return frozenset({REPRICES})

    @property
    def _category(self) -> str:
        return self.product.value

    @property
    def _symbol(self) -> str:
        return _SYMBOLS[self.product]

    def _get(self, path: str, **values: Any) -> Any:
        query = urlencode(values)
        return self._ask("GET", f"{path}?{query}", query, b"")

    def _post(self, path: str, **values: Any) -> Any:
        body = json.dumps(values)
        return self._ask("POST", path, body, body.encode())

    def _ask(self, method: str, path: str, signed: str, body: bytes) -> Any:
        now = str(int(time.time() * 1000))
        payload = f"{now}{self.KEY}5000{signed}".encode()
        headers = {
            "X-BAPI-API-KEY": self.KEY,
            "X-BAPI-TIMESTAMP": now,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": hmac.new(self.SECRET.encode(), payload, sha256).hexdigest(),
            "Content-Type": "application/json",
        }
        url = f"{self.control.url}/v5/{path}"
        reply = self.http.request(method, url, content=body or None, headers=headers)
        assert reply.status_code == 200, reply.text
        told = reply.json()
        if told["retCode"] != 0:
            raise VenueRefused(reply.text)
        return told["result"]

    def place(self, order: Place) -> str:
        values: dict[str, Any] = {
            "category": self._category,
            "symbol": self._symbol,
            "side": order.side.value.capitalize(),
            "orderType": "Market",
            "qty": str(Decimal(order.lots) * self.lot),
        }
        if order.limit is not None:
            force = "PostOnly" if order.post_only else "IOC" if order.at_once else "GTC"
            values |= {"orderType": "Limit", "price": order.limit, "timeInForce": force}
        elif self.product is Product.SPOT:
            # A market order to buy is for an amount of money unless it says otherwise.
            values["marketUnit"] = "baseCoin"
        if order.stop is not None:
            values["triggerPrice"] = order.stop
            if self.product is Product.SPOT:
                values["orderFilter"] = "StopOrder"
            else:
                # From the other side: a sell waits for a fall.
                values["triggerDirection"] = 1 if order.side is Side.BUY else 2
        if self.product is not Product.SPOT:
            values["positionIdx"] = _INDEX[order.leg]
            if order.reduce_only:
                values["reduceOnly"] = True
        return str(self._post("order/create", **values)["orderId"])

    def amend(self, order: str, quantity: Decimal, limit: str | None) -> None:
        values = {"category": self._category, "symbol": self._symbol, "orderId": order, "qty": str(quantity)}
        if limit is not None and Decimal(limit) != Decimal(self._order(order)["price"]):
            values["price"] = limit
        self._post("order/amend", **values)

    def cancel(self, order: str) -> None:
        values = {"category": self._category, "symbol": self._symbol, "orderId": order}
        if self.product is Product.SPOT and self._order(order)["stopOrderType"]:
            values["orderFilter"] = "StopOrder"
        self._post("order/cancel", **values)

    def _order(self, order: str) -> Any:
        (found,) = self._get("order/realtime", category=self._category, orderId=order)["list"]
        return found

    def told(self, order: str) -> Told:
        found = self._order(order)
        if found["orderStatus"] == "Triggered":
            # A pair's goes on under another id.
            listed = self._get("order/history", category=self._category, symbol=self._symbol)["list"]
            listed += self._get("order/realtime", category=self._category, symbol=self._symbol)["list"]
            (found,) = [one for one in listed if one["orderId"] != order and one["side"] == found["side"]]
        return Told(_STATUS[found["orderStatus"]], Decimal(found["cumExecQty"]))

    def balances(self) -> dict[str, Decimal]:
        (account,) = self._get("account/wallet-balance", accountType="UNIFIED")["list"]
        return {one["coin"]: Decimal(one["walletBalance"]) for one in account["coin"]}

    def position(self, leg: Leg | None) -> tuple[Decimal, Decimal]:
        for one in self._positions():
            if one["positionIdx"] == _INDEX[leg] and Decimal(one["size"]):
                sign = 1 if one["side"] == "Buy" else -1
                return sign * Decimal(one["size"]), Decimal(one["avgPrice"])
        return Decimal(0), Decimal(0)

    def _positions(self) -> list[Any]:
        return list(self._get("position/list", category=self._category, symbol=self._symbol)["list"])

    def liquidated_at(self) -> Decimal:
        (only,) = [one for one in self._positions() if Decimal(one["size"])]
        return Decimal(only["liqPrice"])

    def hedge(self) -> None:
        self._post("position/switch-mode", category=self._category, symbol=self._symbol, mode=3)

    def isolate(self, leverage: int) -> None:
        self._post("account/set-margin-mode", setMarginMode="ISOLATED_MARGIN")
        both = str(leverage)
        values = {
            "category": self._category,
            "symbol": self._symbol,
            "buyLeverage": both,
            "sellLeverage": both,
        }
        try:
            self._post("position/set-leverage", **values)
        except VenueRefused as refused:
            # What it begins with.
            if "110043" not in str(refused):
                raise

    def funding_rate(self) -> Decimal:
        values = {"category": self._category, "symbol": self._symbol}
        return Decimal(self._get("market/funding/history", **values)["list"][0]["fundingRate"])

    def funding_paid(self) -> list[Decimal]:
        values = {"category": self._category, "symbol": self._symbol, "execType": "Funding"}
        # What is paid is above zero there.
        return [-Decimal(one["execFee"]) for one in self._get("execution/list", **values)["list"]]
