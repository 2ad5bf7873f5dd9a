"""Bybit's unified account in the simulation's words: what is traded, what is asked, and who hears it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from emulator.exchanges.bybit.categories import CATEGORIES
from tests.simulation.bybit_reading import read_book, read_heard, read_ids, read_order
from tests.simulation.bybit_requests import PREFIX, PRIVATE, TOPICS, TRADE, BybitLine, Requests, read_code
from tests.simulation.contract_words import Placed
from tests.simulation.dialect import Credentials, Seat, Unavailable
from tests.simulation.lines import Address, HttpLine, Lost
from tests.simulation.unified_words import Heard, UnifiedOrder, UnifiedTraded
from tests.simulation.words import Book, Reply

LOTS = {
    "spot": {"BTCUSDT": "0.002", "ETHUSDT": "0.05", "ETHBTC": "0.05"},
    "linear": {"BTCUSDT": "0.004", "ETHUSDT": "0.1", "BTCUSDT-25SEP26": "0.002"},
    "inverse": {"BTCUSD": "300", "ETHUSD": "200"},
}
"""What is traded, and how much of it is a usual order. The dated one is delivered on the fourth day."""

Values = Mapping[str, Any]


class Bybit(Requests):
    site = "bybit"
    engine = "bybit"
    wallet = "unified"
    elsewhere = "funding"
    order_path = f"{PREFIX}/v5/order/create"
    loud_path = f"{PREFIX}/v5/public/linear"

    def __init__(self) -> None:
        self.instruments = tuple(
            UnifiedTraded(
                # As the control API calls it as well.
                name=f"{category}:{symbol}",
                category=category,
                symbol=symbol,
                base=listing.instrument.base,
                quote=listing.instrument.quote,
                price_step=listing.instrument.price_step,
                quantity_step=listing.instrument.quantity_step,
                lot=Decimal(lot),
                size=Decimal(1),
                settle=listing.settle,
                is_inverse=category == "inverse",
                delivery_ms=(listing.delivery_us or 0) // 1000,
            )
            for category, lots in LOTS.items()
            for symbol, lot in lots.items()
            for listing in (CATEGORIES[category].listings[symbol],)
        )

    def seat(
        self, address: Address, name: str, credentials: Credentials, *, has_socket: bool, prefix: str = ""
    ) -> Seat:
        socket = BybitLine(address, prefix + TRADE, credentials, id_name="reqId") if has_socket else None
        return Seat(name, credentials, HttpLine(address, prefix), socket)

    # Orders

    async def change(self, seat: Seat, path: str, values: Values) -> Reply:
        """Have something done that answers with no order."""
        reply, _ = await self.do(seat, path, values)
        return reply

    async def order(self, seat: Seat, path: str, values: Values) -> Reply:
        """Place, amend or cancel one; shows its names."""
        reply, envelope = await self.do(seat, path, values)
        if envelope is None or envelope.get("retCode") != 0:
            return reply
        return shows(reply, read_ids(values["category"], values["symbol"], envelope["result"]))

    async def several(self, seat: Seat, path: str, category: str, members: Sequence[Values]) -> Placed:
        reply, envelope = await self.do(seat, path, {"category": category, "request": list(members)})
        if envelope is None or envelope.get("retCode") != 0:
            return Placed(whole=reply, parts=())
        listed, codes = envelope["result"]["list"], envelope["retExtInfo"]["list"]
        parts = [
            shows(part, read_ids(category, one["symbol"], one)) if one["orderId"] else part
            for one, code in zip(listed, codes, strict=True)
            for part in (read_code(code["code"], code["msg"]),)
        ]
        return Placed(whole=reply, parts=tuple(parts))

    async def misbehave(self, seat: Seat, traded: UnifiedTraded, dice: Random) -> Reply:
        good: dict[str, Any] = {
            "category": traded.category,
            "symbol": traded.symbol,
            "side": "Buy",
            "orderType": "Limit",
            "timeInForce": "GTC",
            "qty": str(traded.lot),
            "price": str(traded.price_step * 100_000),
        }
        wrong: list[dict[str, Any]] = [
            {"symbol": "NOSUCHCOIN"},
            {"qty": str(traded.quantity_step / 10)},
            {"qty": "9000000000"},
            {"price": "0"},
            {"price": None},
            {"side": "Up"},
            {"orderType": "Maybe"},
            {"category": "nothing"},
            {"qty": "a lot"},
            {},
        ]
        if not traded.is_pair:
            wrong += [{"positionIdx": 7}, {"triggerPrice": "1"}, {"qty": "0"}]
        # The last one is right but for its signature.
        change = dice.choice(wrong)
        if not change or dice.random() < 0.2:
            reply, _ = await self.do(seat, "/v5/order/create", good, secret="not-the-secret")
            return reply
        if dice.random() < 0.2:
            absent = {"category": traded.category, "symbol": traded.symbol, "orderLinkId": "nobody-o0"}
            return await self.change(seat, "/v5/order/cancel", absent)
        return await self.change(seat, "/v5/order/create", {**good, **change})

    # Queries

    async def find(self, seat: Seat, category: str, named: Values) -> list[UnifiedOrder]:
        """An order by its id or its name, open or over; none where there is none."""
        page = await self.get(seat, "/v5/order/realtime", {"category": category, **named})
        return [read_order(category, one) for one in page["list"]]

    async def market(self, seat: Seat, path: str, traded: UnifiedTraded, **values: Any) -> Any:
        """What anybody may ask. Raises Unavailable also of a contract that is traded no more."""
        asked = {"category": traded.category, "symbol": traded.symbol, **values}
        try:
            status, envelope = await self.send(seat, "GET", path, asked, signed=False)
        except Lost as lost:
            raise Unavailable(str(lost)) from lost
        if envelope["retCode"] in (10000, 10016) or (envelope["retCode"] and traded.delivery_ms):
            raise Unavailable(str(envelope))
        assert (status, envelope["retCode"]) == (200, 0), (path, asked, envelope)
        return envelope["result"]

    async def last(self, seat: Seat, traded: UnifiedTraded) -> Decimal:
        (ticker,) = (await self.market(seat, "/v5/market/tickers", traded))["list"]
        return Decimal(ticker["lastPrice"])

    async def book(self, seat: Seat, traded: UnifiedTraded) -> Book:
        return read_book(await self.market(seat, "/v5/market/orderbook", traded, limit=1000))

    async def look_around(self, seat: Seat, traded: UnifiedTraded, dice: Random) -> None:
        match dice.choice(["kline", "trades", "tickers", "depth", "mark", "limit", "funding"]):
            case "kline":
                await self._candles(seat, "/v5/market/kline", traded, dice)
            case "mark" if not traded.is_pair:
                await self._candles(seat, "/v5/market/mark-price-kline", traded, dice)
            case "trades":
                rows = (await self.market(seat, "/v5/market/recent-trade", traded, limit=50))["list"]
                times = [int(row["time"]) for row in rows]
                assert times == sorted(times, reverse=True), times
            case "depth":
                book = await self.book(seat, traded)
                for levels, is_falling in ((book.bids, True), (book.asks, False)):
                    prices = [price for price, _ in levels]
                    assert prices == sorted(set(prices), reverse=is_falling), traded.name
            case "funding" if not traded.is_pair and not traded.delivery_ms:
                rows = (await self.market(seat, "/v5/market/funding/history", traded, limit=5))["list"]
                times = [int(row["fundingRateTimestamp"]) for row in rows]
                assert times == sorted(set(times), reverse=True), times
            case "limit":
                shown = await self.market(seat, "/v5/market/price-limit", traded)
                assert Decimal(shown["sellLmt"]) < Decimal(shown["buyLmt"]), shown
            case _:
                await self.last(seat, traded)

    async def _candles(self, seat: Seat, path: str, traded: UnifiedTraded, dice: Random) -> None:
        asked = {"interval": dice.choice(["1", "15", "60"]), "limit": 20}
        rows = (await self.market(seat, path, traded, **asked))["list"]
        begins = [int(row[0]) for row in rows]
        assert begins == sorted(set(begins), reverse=True), begins
        for _, opened, high, low, closed, *_ in rows:
            prices = [Decimal(one) for one in (low, opened, closed, high)]
            assert (min(prices), max(prices)) == (prices[0], prices[3]), rows


def shows(reply: Reply, order: UnifiedOrder) -> Reply:
    return Reply(outcome=reply.outcome, reason=reply.reason, orders=(order,))


class Ears:
    """Hears an account over the private socket."""

    def __init__(self, address: Address, credentials: Credentials) -> None:
        self._line = BybitLine(address, PRIVATE, credentials, id_name="req_id", topics=TOPICS)
        self._ends = 0

    async def listen(self) -> None:
        """Begin, or begin again after the connection was lost. Raises Unavailable."""
        self._line.reset()
        self._line.events.clear()
        await self._ping()
        self._ends = self._line.ends

    async def hear(self) -> list[Heard]:
        """All that was said until now, in order. Raises Unavailable when something may be missing."""
        # What was told before has been sent before the answer to what is asked afterwards.
        await self._ping()
        if self._line.ends != self._ends:
            raise Unavailable("the connection was lost")
        frames = list(self._line.events)
        self._line.events.clear()
        return [one for frame in frames for one in read_heard(frame)]

    async def _ping(self) -> None:
        try:
            await self._line.ask({"op": "ping"})
        except Lost as lost:
            raise Unavailable(str(lost)) from lost

    def close(self) -> None:
        self._line.reset()
