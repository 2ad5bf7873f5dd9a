"""What somebody knows of an account of futures who read it once over REST, and since then heard its stream.

Orders and positions are kept as the documents say (Event: Order Update, Event: Balance and Position Update),
and compared with what REST says of them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from emulator.exchanges.binance.futures.products import USDM, Product
from tests.exchanges.binance.futures.arena import Arena
from tests.exchanges.binance.futures.test_futures_user_data import Ear

SYMBOLS = {True: ("BTCUSD_PERP",), False: ("BTCUSDT", "ETHUSDT")}
"""Those that are traded, by whether the product is inverse."""

OPEN = {"NEW", "PARTIALLY_FILLED"}
NOTHING = Decimal(0)


class Held(NamedTuple):
    """One leg, or the only position, of a symbol."""

    quantity: Decimal
    entry: Decimal
    margin: Decimal


class Rested(NamedTuple):
    """One open order."""

    symbol: str
    side: str
    leg: str
    status: str
    quantity: Decimal
    executed: Decimal
    average: Decimal
    price: Decimal
    stop: Decimal
    is_reducing: bool
    is_closing: bool


class Waiting(NamedTuple):
    """One algo order that waits."""

    symbol: str
    side: str
    leg: str
    quantity: Decimal
    stop: Decimal
    price: Decimal
    is_reducing: bool
    is_closing: bool


class Known(NamedTuple):
    """Everything at one moment; positions without those that are flat."""

    positions: dict[tuple[str, str], Held]
    modes: dict[str, str]
    leverages: dict[str, Decimal]
    balances: dict[str, tuple[Decimal, Decimal]]
    orders: dict[int, Rested]
    waiting: dict[int, Waiting]
    together: dict[str, bool]
    """Whether all assets stand together, where there is such a mode."""


class Follower:
    """One account of a product. read: what REST says now; fold: what was heard since the last time."""

    def __init__(self, arena: Arena, product: Product, who: str) -> None:
        self._arena = arena
        self._product = product
        self._who = who
        self.ear = Ear(arena, product, who)
        self.known = Known({}, {}, {}, {}, {}, {}, {})
        self.updates: list[dict[str, Any]] = []
        """The account's changes that were folded last."""

    async def begin(self) -> None:
        self.ear.take()
        self.known = await self.read()

    # By what is heard

    def fold(self) -> int:
        """How many events it was."""
        heard = self.ear.take()
        self.updates = [event for event in heard if event["e"] == "ACCOUNT_UPDATE"]
        for event in heard:
            match event["e"]:
                case "ACCOUNT_UPDATE":
                    self._account(event["a"])
                case "ORDER_TRADE_UPDATE":
                    self._order(event["o"])
                case "ALGO_UPDATE":
                    self._algo(event["o"])
                case "ACCOUNT_CONFIG_UPDATE" if "ac" in event:
                    self.known.leverages[event["ac"]["s"]] = Decimal(event["ac"]["l"])
                case "ACCOUNT_CONFIG_UPDATE":
                    self.known.together["assets"] = event["ai"]["j"]
                case "TRADE_LITE" | "MARGIN_CALL":
                    pass
                case other:
                    raise AssertionError(other)
        return len(heard)

    def _account(self, change: dict[str, Any]) -> None:
        for one in change["B"]:
            self.known.balances[one["a"]] = Decimal(one["wb"]), Decimal(one["cw"])
        for one in change["P"]:
            place, quantity = (one["s"], one["ps"]), Decimal(one["pa"])
            if one["s"] in self.known.modes:
                self.known.modes[one["s"]] = one["mt"]
            self.known.positions.pop(place, None)
            if quantity:
                self.known.positions[place] = Held(quantity, Decimal(one["ep"]), Decimal(one["iw"]))

    def _order(self, order: dict[str, Any]) -> None:
        number, before = order["i"], self.known.orders.pop(order["i"], None)
        executed = (NOTHING if before is None else before.executed) + Decimal(order["l"])
        assert executed == Decimal(order["z"]), f"fills of {number} do not come to what was executed"
        if order["X"] in OPEN:
            self.known.orders[number] = Rested(
                symbol=order["s"],
                side=order["S"],
                leg=order["ps"],
                status=order["X"],
                quantity=Decimal(order["q"]),
                executed=executed,
                average=Decimal(order["ap"]),
                price=Decimal(order["p"]),
                stop=Decimal(order["sp"]),
                is_reducing=order["R"],
                is_closing=order["cp"],
            )

    def _algo(self, order: dict[str, Any]) -> None:
        self.known.waiting.pop(order["aid"], None)
        if order["X"] == "NEW":
            self.known.waiting[order["aid"]] = Waiting(
                symbol=order["s"],
                side=order["S"],
                leg=order["ps"],
                quantity=Decimal(order["q"]),
                stop=Decimal(order["tp"]),
                price=Decimal(order["p"]),
                is_reducing=order["R"],
                is_closing=order["cp"],
            )

    # By what is asked

    async def read(self) -> Known:
        product = self._product
        rows = [row for name in SYMBOLS[product.is_inverse] for row in await self._risks(name)]
        versions = "v3" if product is USDM else "v1"
        balances = await self._get(f"{versions}/balance")
        orders = await self._get("v1/openOrders")
        waiting = await self._get("v1/openAlgoOrders")
        together = {}
        if product is USDM:
            together["assets"] = (await self._get("v1/multiAssetsMargin"))["multiAssetsMargin"]
        return Known(
            positions={
                (row["symbol"], row["positionSide"]): Held(
                    Decimal(row["positionAmt"]), Decimal(row["entryPrice"]), Decimal(row["isolatedWallet"])
                )
                for row in rows
                if Decimal(row["positionAmt"])
            },
            modes={row["symbol"]: row["marginType"] for row in rows},
            leverages={row["symbol"]: Decimal(row["leverage"]) for row in rows},
            balances={
                row["asset"]: (Decimal(row["balance"]), Decimal(row["crossWalletBalance"]))
                for row in balances
            },
            orders={
                row["orderId"]: Rested(
                    symbol=row["symbol"],
                    side=row["side"],
                    leg=row["positionSide"],
                    status=row["status"],
                    quantity=Decimal(row["origQty"]),
                    executed=Decimal(row["executedQty"]),
                    average=Decimal(row["avgPrice"]),
                    price=Decimal(row["price"]),
                    stop=Decimal(row["stopPrice"]),
                    is_reducing=row["reduceOnly"],
                    is_closing=row["closePosition"],
                )
                for row in orders
            },
            waiting={
                row["algoId"]: Waiting(
                    symbol=row["symbol"],
                    side=row["side"],
                    leg=row["positionSide"],
                    quantity=Decimal(row["quantity"]),
                    stop=Decimal(row["triggerPrice"]),
                    price=Decimal(row["price"]),
                    is_reducing=row["reduceOnly"],
                    is_closing=row["closePosition"],
                )
                for row in waiting
            },
            together=together,
        )

    async def _risks(self, symbol: str) -> list[dict[str, Any]]:
        if self._product is USDM:
            rows = await self._get("v2/positionRisk", symbol=symbol)
        else:
            rows = await self._get("v1/positionRisk", pair=symbol.removesuffix("_PERP"))
        return [row for row in rows if row["symbol"] == symbol]

    async def _get(self, path: str, **values: Any) -> Any:
        return await self._arena.get(f"{self._product.prefix}/{path}", self._who, **values)

    def differences(self, said: Known) -> list[str]:
        """What differs between what was heard and what REST said; an asset that never was there is none."""
        nothing = (NOTHING, NOTHING)
        found: list[str] = []
        for name, heard, read in zip(Known._fields, self.known, said, strict=True):
            assert isinstance(heard, dict)
            assert isinstance(read, dict)
            whose = f"{self._who} of {self._product.site}: {name}"
            missing = nothing if name == "balances" else None
            found += [
                f"{whose} {key}: heard {heard.get(key)}, read {read.get(key)}"
                for key in heard.keys() | read.keys()
                if heard.get(key, missing) != read.get(key, missing)
            ]
        return found
