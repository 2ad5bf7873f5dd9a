"""Binance's futures sites in the simulation's words: requests over REST, signed, and over their WebSocket
APIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

import orjson

from emulator.core.instruments import OrderType, Side, TimeInForce, TriggerSource
from emulator.core.orders import OrderTerms, TriggerKind
from emulator.core.positions import Leg
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.vocabulary import LEG_WORDS, PRICE_MATCH_WORDS, WORKING_TYPE_WORDS
from emulator.exchanges.binance.futures.ws_api.methods import names_of
from emulator.exchanges.binance.futures.ws_api.sockets import PATHS
from emulator.exchanges.binance.vocabulary import SELF_TRADE_WORDS, SIDE_WORDS
from tests.simulation.binance_futures_reading import (
    read_asset,
    read_batch,
    read_fill,
    read_income,
    read_order,
    read_position,
    read_reply,
    read_told,
    read_waiting,
)
from tests.simulation.binance_requests import OUTAGES, Requests
from tests.simulation.binance_spot import fraction
from tests.simulation.binance_spot_reading import read_book
from tests.simulation.contract_words import (
    APART,
    AssetView,
    Changed,
    Contracted,
    ContractFill,
    ContractOrder,
    IncomeView,
    Placed,
    PositionView,
)
from tests.simulation.dialect import Seat, Unavailable
from tests.simulation.lines import Address, Lost, SocketLine
from tests.simulation.words import Book, OrderView, Outcome, Reply

SYMBOLS: Mapping[str, Mapping[str, str]] = {
    "usdm": {"BTCUSDT": "0.004", "ETHUSDT": "0.1", "BTCUSDT_260925": "0.002"},
    "coinm": {"BTCUSD_PERP": "5", "ETHUSD_PERP": "20", "BTCUSD_260925": "3"},
}
"""What is traded, and how much of it is a usual order. The last ones are delivered on the fourth day."""

TRAILING = "TRAILING_STOP_MARKET"
_STOPS = {
    (OrderType.LIMIT, TriggerKind.STOP_LOSS): "STOP",
    (OrderType.MARKET, TriggerKind.STOP_LOSS): "STOP_MARKET",
    (OrderType.LIMIT, TriggerKind.TAKE_PROFIT): "TAKE_PROFIT",
    (OrderType.MARKET, TriggerKind.TAKE_PROFIT): "TAKE_PROFIT_MARKET",
}
_TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
INCOMES_MAX = 1000


class BinanceFutures(Requests):
    # Quirk of the exchange's spelling: what a delivery settles.
    kinds = (
        frozenset({"REALIZED_PNL", "DELIVERED_SETTELMENT"}),
        frozenset({"COMMISSION"}),
        frozenset({"TRANSFER"}),
    )

    def __init__(self, product: Product) -> None:
        methods = {(one.method, one.path): one.name for one in names_of(product)}
        super().__init__(methods, read_reply)
        self._product = product
        self._prefix = product.prefix
        self.name = product.letters
        self.site = product.site
        self.wallet = product.wallet
        self.socket_path = PATHS[product]
        self.instruments = tuple(
            Contracted(
                name=symbol,
                base=listing.instrument.base,
                quote=listing.instrument.quote,
                price_step=listing.instrument.price_step,
                quantity_step=listing.instrument.quantity_step,
                lot=Decimal(lot),
                size=listing.contract.size,
                settle=listing.contract.settle,
                is_inverse=product.is_inverse,
                delivery_ms=(listing.contract.delivery_us or 0) // 1000,
            )
            for symbol, lot in SYMBOLS[product.wallet].items()
            for listing in (product.listings[symbol],)
        )
        self._symbols = frozenset(one.name for one in self.instruments)

    async def _ask(self, seat: Seat, path: str, parameters: Mapping[str, Any]) -> Any:
        return await self.get(seat, self._prefix + path, parameters)

    async def _look(self, seat: Seat, path: str, traded: Contracted, **parameters: Any) -> Any:
        """What anybody may ask of a symbol. Raises Unavailable also of one that is traded no more."""
        asked = {"symbol": traded.name, **parameters}
        try:
            status, content = await self.send(seat, "GET", self._prefix + path, asked, signed=False)
        except Lost as lost:
            raise Unavailable(str(lost)) from lost
        if status in OUTAGES or (status == 400 and traded.delivery_ms):
            raise Unavailable(str(content))
        assert status == 200, (path, asked, status, content)
        return content

    async def _have(self, seat: Seat, method: str, path: str, parameters: Mapping[str, Any]) -> Reply:
        return await self.do(seat, method, self._prefix + path, parameters)

    async def _batch(self, seat: Seat, method: str, parameters: Mapping[str, Any]) -> Placed:
        try:
            status, content = await self.send(seat, method, self._prefix + "/v1/batchOrders", parameters)
        except Lost as lost:
            return Placed.lost(str(lost))
        return read_batch(status, content)

    # Orders

    async def place(self, seat: Seat, terms: OrderTerms, traded: Contracted) -> Reply:
        path = "/v1/algoOrder" if terms.detached else "/v1/order"
        return await self._have(seat, "POST", path, _placement(terms, traded))

    async def test(self, seat: Seat, terms: OrderTerms, traded: Contracted) -> Reply:
        if self._product.is_inverse:
            return Reply(outcome=Outcome.REFUSED, reason="there is no such thing here")
        reply = await self._have(seat, "POST", "/v1/order/test", _placement(terms, traded))
        # What it shows is no order that there is.
        return Reply(outcome=reply.outcome, reason=reply.reason, is_broken=reply.is_broken)

    async def place_batch(self, seat: Seat, wanted: Sequence[tuple[OrderTerms, Contracted]]) -> Placed:
        orders = [_placement(terms, traded) for terms, traded in wanted]
        return await self._batch(seat, "POST", {"batchOrders": orjson.dumps(orders).decode()})

    async def modify(
        self, seat: Seat, order: OrderView, side: Side, quantity: Decimal, price: Decimal
    ) -> Reply:
        return await self._have(seat, "PUT", "/v1/order", _modification(order, side, quantity, price))

    async def modify_batch(
        self, seat: Seat, wanted: Sequence[tuple[OrderView, Side, Decimal, Decimal]]
    ) -> Placed:
        orders = [_modification(*one) for one in wanted]
        return await self._batch(seat, "PUT", {"batchOrders": orjson.dumps(orders).decode()})

    async def cancel(self, seat: Seat, order: ContractOrder, *, by_name: bool) -> Reply:
        return await self._have(seat, "DELETE", *_named(order, by_name=by_name))

    async def cancel_batch(self, seat: Seat, orders: Sequence[OrderView], *, by_name: bool) -> Placed:
        parameters: dict[str, Any] = {"symbol": orders[0].instrument}
        if by_name:
            parameters["origClientOrderIdList"] = orjson.dumps([one.name for one in orders]).decode()
        else:
            parameters["orderIdList"] = orjson.dumps([one.id for one in orders]).decode()
        return await self._batch(seat, "DELETE", parameters)

    async def cancel_all(self, seat: Seat, traded: Contracted, *, detached: bool) -> Reply:
        path = "/v1/algoOpenOrders" if detached else "/v1/allOpenOrders"
        return await self._have(seat, "DELETE", path, {"symbol": traded.name})

    async def count_down(self, seat: Seat, traded: Contracted, milliseconds: int) -> Reply:
        parameters = {"symbol": traded.name, "countdownTime": milliseconds}
        return await self._have(seat, "POST", "/v1/countdownCancelAll", parameters)

    async def misbehave(self, seat: Seat, traded: Contracted, dice: Random) -> Reply:
        good = {
            "symbol": traded.name,
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": fraction(traded.lot),
            "price": fraction(traded.price_step * 100_000),
        }
        wrong: list[dict[str, str]] = [
            {"symbol": "NOSUCHCOIN"},
            {"quantity": fraction(traded.quantity_step / 10)},
            {"price": fraction(traded.price_step / 1000)},
            {"quantity": "9000000000"},
            {"price": "0"},
            {"type": "STOP_MARKET", "stopPrice": "1"},
            {"side": "UP"},
            {"positionSide": "NEITHER"},
            {"quantity": "1e3"},
            {},
        ]
        change = dice.choice(wrong)
        if not change or dice.random() < 0.2:
            return await self.do(seat, "POST", f"{self._prefix}/v1/order", good, secret="not-the-secret")
        if dice.random() < 0.2:
            return await self._have(seat, "POST", "/v1/leverage", {"symbol": traded.name, "leverage": 500})
        return await self._have(seat, "POST", "/v1/order", {**good, **change})

    # Settings and money

    async def set_leverage(self, seat: Seat, traded: Contracted, leverage: int) -> Reply:
        return await self._have(seat, "POST", "/v1/leverage", {"symbol": traded.name, "leverage": leverage})

    async def set_isolated(self, seat: Seat, traded: Contracted, *, isolated: bool) -> Reply:
        parameters = {"symbol": traded.name, "marginType": "ISOLATED" if isolated else "CROSSED"}
        return await self._have(seat, "POST", "/v1/marginType", parameters)

    async def set_hedged(self, seat: Seat, *, hedged: bool) -> Reply:
        parameters = {"dualSidePosition": "true" if hedged else "false"}
        return await self._have(seat, "POST", "/v1/positionSide/dual", parameters)

    async def move_margin(self, seat: Seat, traded: Contracted, leg: Leg, amount: Decimal) -> Reply:
        parameters = {
            "symbol": traded.name,
            "positionSide": LEG_WORDS[leg],
            "amount": fraction(abs(amount)),
            "type": 1 if amount > 0 else 2,
        }
        return await self._have(seat, "POST", "/v1/positionMargin", parameters)

    async def choose_fees(self, seat: Seat, *, discounted: bool) -> Reply:
        if self._product.is_inverse:
            return Reply(outcome=Outcome.REFUSED, reason="there is no such thing here")
        return await self._have(seat, "POST", "/v1/feeBurn", {"feeBurn": "true" if discounted else "false"})

    async def exchange(self, seat: Seat, sold: str, bought: str, amount: Decimal) -> Reply:
        if self._product.is_inverse:
            return Reply(outcome=Outcome.REFUSED, reason="there is no such thing here")
        path = f"{self._prefix}/v1/convert"
        wanted = {"fromAsset": sold, "toAsset": bought, "fromAmount": fraction(amount)}
        try:
            status, content = await self.send(seat, "POST", f"{path}/getQuote", wanted)
            if status == 200 and "quoteId" not in content:
                return Reply(outcome=Outcome.REFUSED, reason="there is not so much")
            if status == 200:
                named = {"quoteId": content["quoteId"]}
                status, content = await self.send(seat, "POST", f"{path}/acceptQuote", named)
        except Lost as lost:
            return Reply(outcome=Outcome.UNKNOWN, reason=str(lost))
        # What is answered is no order, though it has the id of one.
        return Reply(outcome=Outcome.DONE) if status == 200 else read_reply(status, content)

    # Queries

    async def order(self, seat: Seat, order: ContractOrder, *, by_name: bool) -> Reply:
        return await self._have(seat, "GET", *_named(order, by_name=by_name))

    async def orders(self, seat: Seat, instrument: str, first_id: int, limit: int) -> list[ContractOrder]:
        asked = {"symbol": instrument, "orderId": first_id, "limit": limit}
        return [read_order(one) for one in await self._ask(seat, "/v1/allOrders", asked)]

    async def waiting(self, seat: Seat, instrument: str, first_id: int, limit: int) -> list[ContractOrder]:
        asked = {"symbol": instrument, "algoId": first_id, "limit": limit}
        return [read_waiting(one) for one in await self._ask(seat, "/v1/allAlgoOrders", asked)]

    async def fills(self, seat: Seat, instrument: str, first_trade: int, limit: int) -> list[ContractFill]:
        asked = {"symbol": instrument, "fromId": first_trade, "limit": limit}
        return [read_fill(one) for one in await self._ask(seat, "/v1/userTrades", asked)]

    async def open_orders(self, seat: Seat) -> list[ContractOrder]:
        plain = [read_order(one) for one in await self._ask(seat, "/v1/openOrders", {})]
        return [*plain, *(read_waiting(one) for one in await self._ask(seat, "/v1/openAlgoOrders", {}))]

    async def hedged(self, seat: Seat) -> bool:
        mode: bool = (await self._ask(seat, "/v1/positionSide/dual", {}))["dualSidePosition"]
        return mode

    async def positions(self, seat: Seat) -> list[PositionView]:
        path = "/v1/positionRisk" if self._product.is_inverse else "/v2/positionRisk"
        risks = [one for one in await self._ask(seat, path, {}) if one["symbol"] in self._symbols]
        return [read_position(one) for one in risks]

    async def assets(self, seat: Seat) -> list[AssetView]:
        path = "/v1/account" if self._product.is_inverse else "/v3/account"
        return [read_asset(one) for one in (await self._ask(seat, path, {}))["assets"]]

    async def balances(self, seat: Seat) -> dict[str, tuple[Decimal, Decimal]]:
        path = "/v1/balance" if self._product.is_inverse else "/v2/balance"
        return {
            one["asset"]: (Decimal(one["balance"]), Decimal(one["crossWalletBalance"]))
            for one in await self._ask(seat, path, {})
            if Decimal(one["balance"]) or Decimal(one["crossWalletBalance"])
        }

    async def incomes(self, seat: Seat, since_ms: int) -> list[IncomeView]:
        found: list[IncomeView] = []
        page: list[Any] = []
        while not found or len(page) == INCOMES_MAX:
            number = len(found) // INCOMES_MAX + 1
            asked = {"startTime": since_ms, "limit": INCOMES_MAX, "page": number}
            page = await self._ask(seat, "/v1/income", asked)
            found += [read_income(one) for one in page]
            if not page:
                break
        return found

    async def look_around(self, seat: Seat, traded: Contracted, dice: Random) -> None:
        match dice.choice(["risk", "account", "premium", "klines", "depth", "rate", "forced", "margin"]):
            case "risk" if not self._product.is_inverse:
                await self._ask(seat, "/v3/positionRisk", {})
            case "account":
                await self.assets(seat)
            case "premium":
                answer = await self._look(seat, "/v1/premiumIndex", traded)
                one = answer[0] if isinstance(answer, list) else answer
                assert Decimal(one["markPrice"]) > 0, one
            case "klines":
                rows = await self._look(seat, "/v1/markPriceKlines", traded, interval="1m", limit=20)
                for _, opened, high, low, closed, *_ in rows:
                    prices = [Decimal(one) for one in (low, opened, closed, high)]
                    assert (min(prices), max(prices)) == (prices[0], prices[3]), rows
            case "depth":
                book = await self.book(seat, traded)
                if book.bids and book.asks:
                    assert book.bids[0][0] < book.asks[0][0], (traded.name, book.bids[0], book.asks[0])
            case "forced":
                await self._ask(seat, "/v1/forceOrders", {})
            case "margin" if not traded.delivery_ms:
                await self._ask(seat, "/v1/positionMargin/history", {"symbol": traded.name})
            case _:
                await self._ask(seat, "/v1/adlQuantile", {})

    async def book(self, seat: Seat, traded: Contracted) -> Book:
        return read_book(await self._look(seat, "/v1/depth", traded, limit=1000))

    async def last(self, seat: Seat, traded: Contracted) -> Decimal:
        ticker = await self._look(seat, "/v1/ticker/price", traded)
        return Decimal((ticker[0] if isinstance(ticker, list) else ticker)["price"])

    def hearing(self, seat: Seat, address: Address) -> UserData:
        return UserData(self, seat, address)

    async def listen_key(self, seat: Seat, method: str) -> str | None:
        """None when there is no answer to be had now."""
        path = f"{self._prefix}/v1/listenKey"
        status, content = await self.send(seat, method, path, {}, signed=False, keyed=True)
        return content["listenKey"] if status == 200 else None


class UserData:
    """An account's events, by its listen key."""

    def __init__(self, floor: BinanceFutures, seat: Seat, address: Address) -> None:
        self._floor = floor
        self._seat = seat
        self._address = address
        self._line: SocketLine | None = None
        self._ends = 0

    async def listen(self) -> None:
        self.close()
        try:
            key = await self._floor.listen_key(self._seat, "POST")
            if key is None:
                raise Unavailable("no listen key")
            self._line = SocketLine(self._address, f"/{self._floor.site}/ws/{key}")
            await self._line.ask({"method": "LIST_SUBSCRIPTIONS"})
            self._ends = self._line.ends
        except Lost as lost:
            raise Unavailable(str(lost)) from lost

    async def keep_alive(self) -> None:
        # A connection that nobody used for long may be ended by the server in this very moment.
        for _ in range(2):
            with suppress(Lost):
                await self._floor.listen_key(self._seat, "PUT")
                return

    async def hear(self) -> Sequence[Changed]:
        if self._line is None:
            raise Unavailable("nobody listens")
        # A reading waits for what it saw, and what is told of it is then on its way.
        await self._floor.balances(self._seat)
        try:
            await self._line.ask({"method": "LIST_SUBSCRIPTIONS"})
        except Lost as lost:
            raise Unavailable(str(lost)) from lost
        events = [frame for frame in self._line.events if "e" in frame]
        self._line.events.clear()
        if self._line.ends != self._ends or any(one["e"] == "listenKeyExpired" for one in events):
            raise Unavailable("something may be missing")
        symbols = [one.name for one in self._floor.instruments]
        told = [read_told(event, symbols) for event in events]
        return [one for one in told if one is not None]

    def close(self) -> None:
        if self._line is not None:
            self._line.reset()
            self._line = None


def _named(order: ContractOrder, *, by_name: bool) -> tuple[str, dict[str, Any]]:
    """The path at which an order is found, and what names it there."""
    if order.detached:
        name = order.name.removeprefix(APART)
        return "/v1/algoOrder", {"clientAlgoId": name} if by_name else {"algoId": order.id}
    named = {"origClientOrderId": order.name} if by_name else {"orderId": order.id}
    return "/v1/order", {"symbol": order.instrument, **named}


def _modification(order: OrderView, side: Side, quantity: Decimal, price: Decimal) -> dict[str, str]:
    return {
        "symbol": order.instrument,
        "orderId": str(order.id),
        "side": SIDE_WORDS[side],
        "quantity": fraction(quantity),
        "price": fraction(price),
    }


def _placement(terms: OrderTerms, traded: Contracted) -> dict[str, str]:
    trigger, is_apart = terms.trigger, terms.detached
    is_trailing = trigger is not None and trigger.trailing_bips is not None
    if trigger is None:
        word = terms.type.name
    else:
        word = TRAILING if is_trailing else _STOPS[terms.type, trigger.kind]
    parameters: dict[str, Any] = {
        "symbol": traded.name,
        "side": SIDE_WORDS[terms.side],
        "type": word,
        "newOrderRespType": None if is_apart else dict(terms.labels).get("answer"),
        "quantity": terms.quantity,
        "price": terms.price,
    }
    name = terms.client_id.removeprefix(APART)
    parameters["clientAlgoId" if is_apart else "newClientOrderId"] = name
    if is_apart:
        parameters["algoType"] = "CONDITIONAL"
    if terms.leg is not Leg.BOTH:
        parameters["positionSide"] = LEG_WORDS[terms.leg]
    if terms.close_position:
        parameters["closePosition"] = "true"
    elif terms.reduce_only:
        parameters["reduceOnly"] = "true"
    if terms.type is OrderType.LIMIT or terms.good_till_us is not None:
        is_dated = terms.good_till_us is not None
        parameters["timeInForce"] = (
            "GTX" if terms.post_only else "GTD" if is_dated else _TIMES[terms.time_in_force]
        )
        if is_dated:
            assert terms.good_till_us is not None
            parameters["goodTillDate"] = terms.good_till_us // 1000
    if terms.peg is not None:
        parameters["priceMatch"] = PRICE_MATCH_WORDS[terms.peg]
    if terms.self_trade_mode is not None:
        parameters["selfTradePreventionMode"] = SELF_TRADE_WORDS[terms.self_trade_mode]
    if trigger is not None:
        parameters["workingType"] = WORKING_TYPE_WORDS[trigger.source or TriggerSource.LAST]
        parameters["triggerPrice" if not is_trailing else "activatePrice"] = trigger.price
        if is_trailing:
            assert trigger.trailing_bips is not None
            parameters["callbackRate"] = Decimal(trigger.trailing_bips) / 100
        if terms.price_protect:
            parameters["priceProtect"] = "true"
    return {
        key: fraction(value) if isinstance(value, Decimal) else str(value)
        for key, value in parameters.items()
        if value is not None
    }
