"""Binance Spot in the simulation's words: requests over REST, signed, and over its WebSocket API."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from emulator.core.orders import OrderTerms, TriggerKind
from emulator.exchanges.binance.spot.instruments import load
from emulator.exchanges.binance.spot.order_parameters import SOR_SYMBOLS
from emulator.exchanges.binance.spot.ws_api.methods import NAMES
from emulator.exchanges.binance.vocabulary import (
    PEG_SIDE_WORDS,
    SELF_TRADE_WORDS,
    SIDE_WORDS,
    TIME_IN_FORCE_WORDS,
    order_type_word,
)
from tests.simulation.binance_requests import Requests
from tests.simulation.binance_spot_reading import (
    movements_of,
    read_book,
    read_fill,
    read_list,
    read_order,
    read_reply,
    read_swap,
    read_told,
)
from tests.simulation.dialect import Seat, Unavailable
from tests.simulation.lines import Lost, SocketLine
from tests.simulation.words import (
    Book,
    FillView,
    ListForm,
    ListView,
    Movement,
    OrderView,
    Reply,
    Swap,
    Told,
    Traded,
)

SYMBOLS = {"BTCUSDT": "0.005", "ETHUSDT": "0.1", "BNBUSDT": "0.5", "ETHBTC": "0.1"}
"""What is traded, and how much of it is a usual order."""

WALLETS = {"spot": "MAIN", "funding": "FUNDING", "usdm": "UMFUTURE", "coinm": "CMFUTURE"}

METHODS = {(one.method, one.path): one.name for one in NAMES}
DAY_MS = 86_400_000

LOOKS_MAX = 200
LOOK_AGAIN_S = 0.05
"""How often, at most, and after how long a book is looked at again that no exchange would show."""


def is_crossed(book: Book) -> bool:
    return bool(book.bids and book.asks) and book.bids[0][0] >= book.asks[0][0]


def fraction(value: Decimal) -> str:
    return format(value, "f")


class BinanceSpot(Requests):
    site = "binance"
    engine = "binance"
    wallets = tuple(WALLETS)
    forms = tuple(ListForm)
    hold_step = Decimal("0.00000001")
    socket_path = "/ws-api/v3"
    order_path = "/api/v3/order"
    loud_path = "/stream?streams=btcusdt@depth@100ms/btcusdt@trade/ethusdt@depth/ethusdt@kline_1m"

    def __init__(self) -> None:
        super().__init__(METHODS, read_reply)
        known = {one.symbol: one.instrument for one in load()}
        self.instruments = tuple(
            Traded(
                name=symbol,
                base=known[symbol].base,
                quote=known[symbol].quote,
                price_step=known[symbol].price_step,
                quantity_step=known[symbol].quantity_step,
                lot=Decimal(lot),
                routed=symbol in SOR_SYMBOLS,
            )
            for symbol, lot in SYMBOLS.items()
        )

    # Orders

    async def place(self, seat: Seat, traded: Traded, terms: OrderTerms, *, routed: bool) -> Reply:
        path = "/api/v3/sor/order" if routed else "/api/v3/order"
        return await self.do(seat, "POST", path, _placement(traded, terms))

    async def test(self, seat: Seat, traded: Traded, terms: OrderTerms) -> Reply:
        return await self.do(seat, "POST", "/api/v3/order/test", _placement(traded, terms))

    async def place_list(
        self, seat: Seat, traded: Traded, form: ListForm, legs: Sequence[OrderTerms], name: str
    ) -> Reply:
        parameters: dict[str, Any] = {"symbol": traded.name, "listClientOrderId": name}
        pair, prefixes = legs, ("above", "below")
        if form is ListForm.OCO:
            parameters |= {"side": SIDE_WORDS[legs[0].side], "quantity": legs[0].quantity}
        else:
            working, *pair = legs
            parameters |= {"workingSide": SIDE_WORDS[working.side], "workingQuantity": working.quantity}
            parameters |= {"pendingSide": SIDE_WORDS[pair[0].side], **_leg("working", working)}
            if not form.is_funded:
                parameters["pendingQuantity"] = pair[0].quantity
            prefixes = ("pendingAbove", "pendingBelow")
        if len(pair) == 1:
            parameters |= _leg("pending", pair[0])
        else:
            # The stop-loss of the two is above the other one in a buy, and below it in a sell.
            ordered = sorted(pair, key=_is_stop_loss, reverse=SIDE_WORDS[pair[0].side] == "BUY")
            for prefix, leg in zip(prefixes, ordered, strict=True):
                parameters |= _leg(prefix, leg)
        return await self.do(seat, "POST", f"/api/v3/orderList/{form.value}", _texts(parameters))

    async def cancel(self, seat: Seat, order: OrderView, *, by_name: bool, dice: Random) -> Reply:
        parameters: dict[str, Any] = {"symbol": order.instrument}
        parameters |= {"origClientOrderId": order.name} if by_name else {"orderId": order.id}
        if dice.random() < 0.1:
            parameters["cancelRestrictions"] = dice.choice(["ONLY_NEW", "ONLY_PARTIALLY_FILLED"])
        return await self.do(seat, "DELETE", "/api/v3/order", parameters)

    async def cancel_all(self, seat: Seat, traded: Traded) -> Reply:
        return await self.do(seat, "DELETE", "/api/v3/openOrders", {"symbol": traded.name})

    async def cancel_list(self, seat: Seat, view: ListView, *, by_name: bool) -> Reply:
        named = {"listClientOrderId": view.name} if by_name else {"orderListId": view.id}
        return await self.do(seat, "DELETE", "/api/v3/orderList", {"symbol": view.instrument, **named})

    async def replace(
        self, seat: Seat, traded: Traded, order: OrderView, terms: OrderTerms, *, stop_on_failure: bool
    ) -> Reply:
        parameters = {
            **_placement(traded, terms),
            "cancelReplaceMode": "STOP_ON_FAILURE" if stop_on_failure else "ALLOW_FAILURE",
            "cancelOrderId": order.id,
        }
        return await self.do(seat, "POST", "/api/v3/order/cancelReplace", parameters)

    async def amend(self, seat: Seat, order: OrderView, quantity: Decimal, new_name: str) -> Reply:
        parameters: dict[str, Any] = {"symbol": order.instrument, "orderId": order.id}
        parameters |= {"newQty": fraction(quantity), "newClientOrderId": new_name}
        return await self.do(seat, "PUT", "/api/v3/order/amend/keepPriority", parameters)

    async def misbehave(self, seat: Seat, traded: Traded, dice: Random) -> Reply:
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
            {"price": fraction(traded.price_step / 10)},
            {"quantity": "9000000"},
            {"price": "0"},
            {"type": "STOP_LOSS_LIMIT"},
            {"stopPrice": "1"},
            {"side": "UP"},
            {"timeInForce": ""},
            {"quantity": "1e3"},
            {},
        ]
        # The last one is right but for its signature.
        change = dice.choice(wrong)
        if not change or dice.random() < 0.2:
            return await self.do(seat, "POST", "/api/v3/order", good, secret="not-the-secret")
        if dice.random() < 0.2:
            absent = {"symbol": traded.name, "orderId": 1 << 50}
            return await self.do(seat, "DELETE", "/api/v3/order", absent)
        return await self.do(seat, "POST", "/api/v3/order", {**good, **change})

    # Money

    async def transfer(self, seat: Seat, movement: Movement) -> Reply:
        way = f"{WALLETS[movement.source]}_{WALLETS[movement.target]}"
        parameters = {"type": way, "asset": movement.asset, "amount": fraction(movement.amount)}
        return await self.do(seat, "POST", "/sapi/v1/asset/transfer", parameters)

    async def withdraw(self, seat: Seat, movement: Movement) -> Reply:
        address = await self.get(seat, "/sapi/v1/capital/deposit/address", {"coin": movement.asset})
        parameters = {
            "coin": movement.asset,
            "address": address["address"],
            "amount": fraction(movement.amount),
            "withdrawOrderId": movement.reference,
            "walletType": 1 if movement.source == "funding" else 0,
        }
        if address["tag"]:
            parameters["addressTag"] = address["tag"]
        return await self.do(seat, "POST", "/sapi/v1/capital/withdraw/apply", parameters)

    async def choose_fees(self, seat: Seat, *, discounted: bool) -> Reply:
        word = "true" if discounted else "false"
        return await self.do(seat, "POST", "/sapi/v1/bnbBurn", {"spotBNBBurn": word})

    # Queries

    async def order(self, seat: Seat, instrument: str, order_id: int | None, name: str | None) -> Reply:
        parameters: dict[str, Any] = {"symbol": instrument}
        if order_id is not None:
            parameters["orderId"] = order_id
        if name is not None:
            parameters["origClientOrderId"] = name
        return await self.do(seat, "GET", "/api/v3/order", parameters)

    async def orders(self, seat: Seat, instrument: str, first_id: int, limit: int) -> list[OrderView]:
        parameters = {"symbol": instrument, "orderId": first_id, "limit": limit}
        return [read_order(one) for one in await self.get(seat, "/api/v3/allOrders", parameters)]

    async def fills(self, seat: Seat, instrument: str, first_trade: int, limit: int) -> list[FillView]:
        parameters = {"symbol": instrument, "fromId": first_trade, "limit": limit}
        return [read_fill(one) for one in await self.get(seat, "/api/v3/myTrades", parameters)]

    async def swaps(self, seat: Seat, order: OrderView) -> list[Swap]:
        asked = {"symbol": order.instrument, "orderId": order.id, "limit": 1000}
        rows = await self.get(seat, "/api/v3/myPreventedMatches", asked)
        return [read_swap(row) for row in rows if row["selfTradePreventionMode"] == "TRANSFER"]

    async def open_orders(self, seat: Seat, instrument: str | None) -> list[OrderView]:
        parameters = {} if instrument is None else {"symbol": instrument}
        return [read_order(one) for one in await self.get(seat, "/api/v3/openOrders", parameters)]

    async def lists(self, seat: Seat, first_id: int, limit: int) -> list[ListView]:
        parameters = {"fromId": first_id, "limit": limit}
        return [read_list(one) for one in await self.get(seat, "/api/v3/allOrderList", parameters)]

    async def open_lists(self, seat: Seat) -> list[ListView]:
        return [read_list(one) for one in await self.get(seat, "/api/v3/openOrderList", {})]

    async def balances(self, seat: Seat) -> dict[str, tuple[Decimal, Decimal]]:
        account = await self.get(seat, "/api/v3/account", {"omitZeroBalances": "true"})
        return {one["asset"]: (Decimal(one["free"]), Decimal(one["locked"])) for one in account["balances"]}

    async def movements(self, seat: Seat, since_ms: int, until_ms: int) -> list[Movement]:
        """The histories reach back 90 days at most; a run is shorter."""
        assert until_ms - since_ms < 90 * DAY_MS
        span = {"startTime": since_ms, "endTime": until_ms, "limit": 1000}
        found = movements_of("deposit", await self._paged(seat, "/sapi/v1/capital/deposit/hisrec", span))
        gone = await self._paged(seat, "/sapi/v1/capital/withdraw/history", span)
        found += movements_of("withdrawal", gone)
        ways = [
            (one, other) for one in WALLETS for other in WALLETS if "spot" in (one, other) and one != other
        ]
        for source, target in ways:
            way = f"{WALLETS[source]}_{WALLETS[target]}"
            asked = {"type": way, "startTime": since_ms, "endTime": until_ms, "size": 100}
            page = 0
            while True:
                page += 1
                answer = await self.get(seat, "/sapi/v1/asset/transfer", {**asked, "current": page})
                found += movements_of("transfer", answer["rows"], source, target)
                if page * 100 >= answer["total"]:
                    break
        return found

    async def _paged(self, seat: Seat, path: str, parameters: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = []
        while True:
            page = await self.get(seat, path, {**parameters, "offset": len(found)})
            found += page
            if len(page) < parameters["limit"]:
                return found

    async def look_around(self, seat: Seat, traded: Traded, dice: Random) -> None:
        match dice.choice(["klines", "ticker", "trades", "bookTicker", "avgPrice", "exchangeInfo", "depth"]):
            case "klines":
                asked = {"symbol": traded.name, "interval": dice.choice(["1s", "1m", "1h"]), "limit": 20}
                rows = await self.get(seat, "/api/v3/klines", asked, signed=False)
                opens = [row[0] for row in rows]
                assert opens == sorted(set(opens)), "candles follow each other"
                for _, opened, high, low, closed, volume, *_ in rows:
                    prices = Decimal(low), Decimal(opened), Decimal(closed), Decimal(high)
                    assert prices[0] == min(prices), rows
                    assert prices[3] == max(prices), rows
                    assert Decimal(volume) >= 0, rows
            case "ticker":
                asked = {"symbol": traded.name}
                ticker = await self.get(seat, "/api/v3/ticker/24hr", asked, signed=False)
                assert (
                    Decimal(ticker["lowPrice"])
                    <= Decimal(ticker["lastPrice"])
                    <= Decimal(ticker["highPrice"])
                ), ticker
            case "trades":
                asked = {"symbol": traded.name, "limit": 50}
                rows = await self.get(seat, "/api/v3/trades", asked, signed=False)
                ids = [row["id"] for row in rows]
                assert ids == list(range(ids[0], ids[0] + len(ids))) if ids else True, ids
            case "exchangeInfo":
                asked = {"symbol": traded.name}
                listed = await self.get(seat, "/api/v3/exchangeInfo", asked, signed=False)
                assert [one["symbol"] for one in listed["symbols"]] == [traded.name]
            case "depth":
                book = await self.book(seat, traded.name)
                # While a journal refuses, the market goes on and no order meets it; that is made up for.
                for _ in range(LOOKS_MAX):
                    if not is_crossed(book):
                        break
                    await asyncio.sleep(LOOK_AGAIN_S)
                    book = await self.book(seat, traded.name)
                assert not is_crossed(book), (traded.name, book.bids[0], book.asks[0])
            case other:
                path = f"/api/v3/{'ticker/' if other == 'bookTicker' else ''}{other}"
                await self.get(seat, path, {"symbol": traded.name}, signed=False)

    async def book(self, seat: Seat, instrument: str) -> Book:
        asked = {"symbol": instrument, "limit": 1000}
        return read_book(await self.get(seat, "/api/v3/depth", asked, signed=False))

    async def last(self, seat: Seat, instrument: str) -> Decimal:
        ticker = await self.get(seat, "/api/v3/ticker/price", {"symbol": instrument}, signed=False)
        return Decimal(ticker["price"])

    def listener(self, seat: Seat) -> UserData:
        return UserData(self, seat)


class UserData:
    """An account's events over the WebSocket API, subscribed to by signature."""

    def __init__(self, dialect: BinanceSpot, seat: Seat) -> None:
        assert seat.socket is not None
        self._seat = seat
        self._line: SocketLine = seat.socket
        self._dialect = dialect
        self._ends = 0

    async def listen(self) -> None:
        self._line.reset()
        self._line.events.clear()
        key = self._seat.credentials
        texts = {"apiKey": key.key, "timestamp": str(time.time_ns() // 1_000_000)}
        payload = "&".join(f"{name}={texts[name]}" for name in sorted(texts))
        texts["signature"] = hmac.digest(key.secret.encode(), payload.encode(), "sha256").hex()
        try:
            frame = await self._line.ask({"method": "userDataStream.subscribe.signature", "params": texts})
        except Lost as lost:
            raise Unavailable(str(lost)) from lost
        assert frame["status"] == 200, frame
        self._ends = self._line.ends

    async def hear(self) -> Sequence[Told]:
        # What was told before is delivered before the answer to what is asked afterwards.
        await self._dialect.balances(self._seat)
        if self._line.ends != self._ends:
            raise Unavailable("the connection was lost")
        told = [read_told(frame["event"]) for frame in self._line.events]
        self._line.events.clear()
        return [one for one in told if one is not None]

    def close(self) -> None:
        self._line.reset()


def _is_stop_loss(terms: OrderTerms) -> bool:
    return terms.trigger is not None and terms.trigger.kind is TriggerKind.STOP_LOSS


def _texts(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: fraction(value) if isinstance(value, Decimal) else str(value)
        for name, value in parameters.items()
        if value is not None
    }


def _placement(traded: Traded, terms: OrderTerms) -> dict[str, str]:
    leg = {name[:1].lower() + name[1:]: value for name, value in _leg("", terms).items()}
    name = leg.pop("clientOrderId", None)
    return _texts(
        {
            "symbol": traded.name,
            "side": SIDE_WORDS[terms.side],
            "quantity": terms.quantity,
            "quoteOrderQty": terms.quote_quantity,
            "newClientOrderId": name,
            "selfTradePreventionMode": (
                None if terms.self_trade_mode is None else SELF_TRADE_WORDS[terms.self_trade_mode]
            ),
            "newOrderRespType": dict(terms.labels).get("answer"),
            **leg,
        }
    )


def _leg(prefix: str, terms: OrderTerms) -> dict[str, Any]:
    """One order's parameters, but for its side and quantity, under a leg's names."""
    word = order_type_word(terms)
    trigger, peg = terms.trigger, terms.peg
    is_timed = word in ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
    return {
        f"{prefix}Type": word,
        f"{prefix}ClientOrderId": terms.client_id,
        f"{prefix}Price": terms.price,
        f"{prefix}TimeInForce": TIME_IN_FORCE_WORDS[terms.time_in_force] if is_timed else None,
        f"{prefix}IcebergQty": terms.iceberg_quantity,
        f"{prefix}StopPrice": None if trigger is None else trigger.price,
        f"{prefix}TrailingDelta": None if trigger is None else trigger.trailing_bips,
        f"{prefix}PegPriceType": None if peg is None else PEG_SIDE_WORDS[peg.side],
        f"{prefix}PegOffsetType": "PRICE_LEVEL" if peg is not None and peg.levels else None,
        f"{prefix}PegOffsetValue": peg.levels if peg is not None and peg.levels else None,
    }
