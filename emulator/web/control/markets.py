"""Markets moved by hand: prices, quotes, books and trades, at once and until released."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

import msgspec

from emulator.core.commands import BookSide, Command, PriceMode, PrintTrade, ReleaseMarket, SetBook, SetPrice
from emulator.core.engine import Done, Engine
from emulator.core.instruments import Instrument, Side
from emulator.core.numbers import exact
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows
from emulator.web.control.dialect import BODY, Number, desk, number, submit, text
from emulator.web.hosts import SITES

rows = Rows()

LEVELS_MAX = 5000
LEVELS_SHOWN = 20

SITE = Parameter(
    "site", Kind.CHOICE, choices=SITES, required=True, description="A site's name, as in its path."
)
SYMBOL = Parameter(
    "symbol",
    pattern=r"[A-Za-z0-9._:-]{1,50}",
    length_max=50,
    required=True,
    description="What the site calls the instrument; `category:symbol` where two of them have one symbol.",
)
_MARKET = (SITE, SYMBOL)


class Level(TypedDict):
    price: str
    quantity: str


class MarketShown(TypedDict):
    """The whole book's best levels, orders of accounts included. byHand: whether anything holds or
    shifts the feed's own prices, or stands in for its book."""

    sandbox: str
    site: str
    symbol: str
    instrument: str
    pair: str
    timeUs: int
    last: str
    bids: list[Level]
    asks: list[Level]
    byHand: bool


class NewPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """mode: hold stays there until released; shift jumps there now and goes on moving."""

    price: Number
    mode: Literal["hold", "shift"] = "hold"


class NewQuote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Quantities that are left out are the instrument's usual ones."""

    bid: Number
    ask: Number
    bid_quantity: Number | None = None
    ask_quantity: Number | None = None


Levels = Annotated[list[tuple[Number, Number]], msgspec.Meta(max_length=LEVELS_MAX)]


class NewBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pairs of price and quantity, best first. A side that is left out is empty."""

    bids: Levels = []
    asks: Levels = []


class NewTrade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """side: the taker's. Without a quantity it is the instrument's usual one."""

    price: Number
    quantity: Number | None = None
    side: Literal["buy", "sell"] = "buy"


@rows.route(
    "GET",
    "/markets/{site}/{symbol}",
    summary="Last price and the best levels of a market",
    parameters=_MARKET,
    answers=MarketShown,
)
def read_market(call: Call) -> MarketShown:
    engine_name, instrument = market_of(call)
    with exact():
        return _shown(call, call.sandbox.engines[engine_name], instrument)


@rows.route(
    "PUT",
    "/markets/{site}/{symbol}/price",
    summary="Move a pair to a price",
    description="Every market of the pair moves, on every site, and a trade is printed there.",
    parameters=_MARKET,
    body=NewPrice,
    answers=MarketShown,
)
async def set_price(call: Call) -> MarketShown:
    wanted: NewPrice = call.values[BODY]
    engine, instrument = market_of(call)
    price = number(wanted.price, "price")
    command = SetPrice(pair=instrument.pair, price=price, mode=PriceMode(wanted.mode))
    shown = await _submit(call, engine, instrument, command)
    following = msgspec.structs.replace(command, follows=True)
    for other in _others_with(call, engine, instrument.pair):
        await submit(call, other, following, lambda done: None)
    return shown


@rows.route(
    "PUT",
    "/markets/{site}/{symbol}/quote",
    summary="Set the best bid and ask of one market, instead of its book",
    parameters=_MARKET,
    body=NewQuote,
    answers=MarketShown,
)
async def set_quote(call: Call) -> MarketShown:
    wanted: NewQuote = call.values[BODY]
    engine, instrument = market_of(call)
    usual = instrument.profile.level_quantity
    bid_quantity = usual if wanted.bid_quantity is None else number(wanted.bid_quantity, "bidQuantity")
    ask_quantity = usual if wanted.ask_quantity is None else number(wanted.ask_quantity, "askQuantity")
    command = SetBook(
        instrument=instrument.symbol,
        bids=((number(wanted.bid, "bid"), bid_quantity),),
        asks=((number(wanted.ask, "ask"), ask_quantity),),
    )
    return await _submit(call, engine, instrument, command)


@rows.route(
    "PUT",
    "/markets/{site}/{symbol}/book",
    summary="Set the whole book of one market",
    parameters=_MARKET,
    body=NewBook,
    answers=MarketShown,
)
async def set_book(call: Call) -> MarketShown:
    wanted: NewBook = call.values[BODY]
    engine, instrument = market_of(call)
    command = SetBook(
        instrument=instrument.symbol, bids=_side(wanted.bids, "bids"), asks=_side(wanted.asks, "asks")
    )
    return await _submit(call, engine, instrument, command)


@rows.route(
    "POST",
    "/markets/{site}/{symbol}/trades",
    summary="Print a trade, which fills the orders it reaches",
    parameters=_MARKET,
    body=NewTrade,
    answers=MarketShown,
)
async def print_trade(call: Call) -> MarketShown:
    wanted: NewTrade = call.values[BODY]
    engine, instrument = market_of(call)
    usual = instrument.profile.trade_quantity
    command = PrintTrade(
        instrument=instrument.symbol,
        price=number(wanted.price, "price"),
        quantity=usual if wanted.quantity is None else number(wanted.quantity, "quantity"),
        buyer_is_maker=wanted.side == "sell",
    )
    return await _submit(call, engine, instrument, command)


@rows.route(
    "DELETE",
    "/markets/{site}/{symbol}",
    summary="Give a pair back to its feed",
    description="Prices, quotes and books that were set by hand end, on every market of the pair.",
    parameters=_MARKET,
    answers=MarketShown,
)
async def release(call: Call) -> MarketShown:
    engine, instrument = market_of(call)
    command = ReleaseMarket(pair=instrument.pair)
    shown = await _submit(call, engine, instrument, command)
    for other in _others_with(call, engine, instrument.pair):
        await submit(call, other, command, lambda done: None)
    return shown


def market_of(call: Call) -> tuple[str, Instrument]:
    known = desk(call)
    site_name: str = call.values["site"]
    site = known.sites.get(site_name)
    if site is None:
        served = ", ".join(known.sites)
        raise Refusal(404, "no_such_site", f"There is no site {site_name!r}; served: {served}.")
    symbol: str = call.values["symbol"]
    instrument = known.symbols.get(site_name, {}).get(symbol)
    if instrument is None:
        raise Refusal(404, "no_such_symbol", f"{site_name} lists no symbol {symbol!r}.")
    return site.engine, call.sandbox.engines[site.engine].instruments[instrument]


def _others_with(call: Call, engine: str, pair: str) -> list[str]:
    """The other engines in which the pair is traded: all of them follow one price."""
    return [
        name
        for name, other in call.sandbox.engines.items()
        if name != engine and any(listed.pair == pair for listed in other.instruments.values())
    ]


def _side(levels: list[tuple[str | int | float, str | int | float]], name: str) -> BookSide:
    return tuple((number(price, name), number(quantity, name)) for price, quantity in levels)


async def _submit(call: Call, engine: str, instrument: Instrument, command: Command) -> MarketShown:
    def answer(done: Done) -> MarketShown:
        return _shown(call, call.sandbox.engines[engine], instrument)

    return await submit(call, engine, command, answer)


def _shown(call: Call, engine: Engine, instrument: Instrument) -> MarketShown:
    market = engine.state.markets[instrument.symbol]
    now_us = call.sandbox.clock.now_us()
    segment = market.segment

    def levels(side: Side) -> list[Level]:
        return [
            {"price": text(price), "quantity": text(quantity)}
            for price, quantity in market.depth(side, now_us, LEVELS_SHOWN)
        ]

    return {
        "sandbox": call.sandbox.name,
        "site": call.values["site"],
        "symbol": call.values["symbol"],
        "instrument": instrument.symbol,
        "pair": instrument.pair,
        "timeUs": now_us,
        "last": text(market.last_price(now_us)),
        "bids": levels(Side.BUY),
        "asks": levels(Side.SELL),
        "byHand": market.manual is not None or (segment is not None and not segment.is_release),
    }
