"""The words of futures and the core's, how prices and quantities look there, and what rows of both share."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from emulator.core.instruments import OrderType, SelfTradeMode, TimeInForce, TriggerSource
from emulator.core.numbers import ONE, ZERO, round_down
from emulator.core.orders import OrderStatus, Peg, PegSide, TriggerKind
from emulator.core.positions import Leg
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.vocabulary import ORIG_CLIENT_ORDER_ID
from emulator.web.contract import Kind, Parameter, Security

# Words

LEGS: Final[Mapping[str, Leg]] = MappingProxyType({"BOTH": Leg.BOTH, "LONG": Leg.LONG, "SHORT": Leg.SHORT})
LEG_WORDS: Final[Mapping[Leg, str]] = MappingProxyType({leg: word for word, leg in LEGS.items()})

STOP_TYPES: Final[Mapping[str, tuple[OrderType, TriggerKind]]] = MappingProxyType(
    {
        "STOP": (OrderType.LIMIT, TriggerKind.STOP_LOSS),
        "STOP_MARKET": (OrderType.MARKET, TriggerKind.STOP_LOSS),
        "TAKE_PROFIT": (OrderType.LIMIT, TriggerKind.TAKE_PROFIT),
        "TAKE_PROFIT_MARKET": (OrderType.MARKET, TriggerKind.TAKE_PROFIT),
        # It is on its way from where the price is better than now, as that of an order to take profit is.
        "TRAILING_STOP_MARKET": (OrderType.MARKET, TriggerKind.TAKE_PROFIT),
    }
)
"""What conditional orders become, and on which side of the market their trigger is."""
TRAILING: Final = "TRAILING_STOP_MARKET"
ORDER_TYPES: Final = ("LIMIT", "MARKET", *STOP_TYPES)

TIMES_IN_FORCE: Final[Mapping[str, TimeInForce]] = MappingProxyType(
    {
        "GTC": TimeInForce.GTC,
        "IOC": TimeInForce.IOC,
        "FOK": TimeInForce.FOK,
        "GTX": TimeInForce.GTC,
        "GTD": TimeInForce.GTC,
    }
)
"""GTX is post-only, GTD has a date until which it is good."""

WORKING_TYPES: Final[Mapping[str, TriggerSource]] = MappingProxyType(
    {"CONTRACT_PRICE": TriggerSource.LAST, "MARK_PRICE": TriggerSource.MARK}
)
WORKING_TYPE_WORDS: Final[Mapping[TriggerSource, str]] = MappingProxyType(
    {source: word for word, source in WORKING_TYPES.items()}
)

PRICE_MATCHES: Final[Mapping[str, Peg]] = MappingProxyType(
    {
        f"{word}{suffix}": Peg(side=side, levels=levels)
        for word, side in (("OPPONENT", PegSide.MARKET), ("QUEUE", PegSide.PRIMARY))
        for suffix, levels in (("", 0), ("_5", 4), ("_10", 9), ("_20", 19))
    }
)
PRICE_MATCH_WORDS: Final[Mapping[Peg, str]] = MappingProxyType(
    {peg: word for word, peg in PRICE_MATCHES.items()}
)

SELF_TRADE_MODES: Final[Mapping[str, SelfTradeMode]] = MappingProxyType(
    {
        "NONE": SelfTradeMode.NONE,
        "EXPIRE_TAKER": SelfTradeMode.EXPIRE_TAKER,
        "EXPIRE_MAKER": SelfTradeMode.EXPIRE_MAKER,
        "EXPIRE_BOTH": SelfTradeMode.EXPIRE_BOTH,
    }
)

ORDER_STATUS_WORDS: Final[Mapping[OrderStatus, str]] = MappingProxyType(
    {
        OrderStatus.DORMANT: "NEW",
        OrderStatus.NEW: "NEW",
        OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
        OrderStatus.FILLED: "FILLED",
        OrderStatus.CANCELED: "CANCELED",
        OrderStatus.EXPIRED: "EXPIRED",
        OrderStatus.EXPIRED_IN_MATCH: "EXPIRED_IN_MATCH",
    }
)
"""Of what is among the orders; what stands apart until its trigger has words of its own, in `algo`."""

# Security

TRADE: Final = Security(
    name="TRADE",
    keyed=True,
    signed=True,
    permission="futures",
    description="Trading contracts: a key that may, a timestamp and a signature.",
)

# Numbers


def render_price(listing: Listing, value: Decimal | None) -> str:
    """With the places of the symbol's prices; zero where there is none."""
    return render_places(value or ZERO, listing.row.price_precision)


def render_quantity(listing: Listing, value: Decimal | None) -> str:
    """With the places of the symbol's quantities; zero where there is none."""
    return render_places(value or ZERO, listing.row.quantity_precision)


def render_average(listing: Listing, value: Decimal) -> str:
    # Quirk: an average price has three more places than the symbol's prices, and a zero has none of them
    # (live answers: "0.00" before a trade, "27894.10000" after it).
    places = listing.row.price_precision
    return render_places(value, places + 3 if value else places)


def render_notional(listing: Listing, value: Decimal) -> str:
    """A price times a quantity: the places of both."""
    return render_places(value, listing.row.price_precision + listing.row.quantity_precision)


def render_places(value: Decimal, places: int) -> str:
    """So many places; what is worth more exactly than that is cut off."""
    return f"{round_down(value, ONE.scaleb(-places)):.{places}f}"


# Parameters

CLIENT_ID_PATTERN: Final = r"[.A-Z:/a-z0-9_-]{1,36}"
CLIENT_ID_RANGE: Final = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"

# Quirk: names of orders may hold points, colons and slashes on futures (New Order), and what is wrong with
# one is -4015, not -1100 (error codes).
CLIENT_ID: Final = ORIG_CLIENT_ORDER_ID.but(
    pattern=CLIENT_ID_PATTERN, legal_range=CLIENT_ID_RANGE, error=-4015
)
POSITION_SIDE: Final = Parameter(
    "positionSide",
    Kind.CHOICE,
    choices=tuple(LEGS),
    error=-4060,
    description="BOTH in one-way mode, and then the default; LONG or SHORT in hedge mode.",
)
SELF_TRADE_PREVENTION_MODE: Final = Parameter(
    "selfTradePreventionMode", Kind.CHOICE, choices=tuple(SELF_TRADE_MODES), error=-5039
)
WORKING_TYPE: Final = Parameter("workingType", Kind.CHOICE, choices=tuple(WORKING_TYPES), error=-4031)
PRICE_MATCH: Final = Parameter(
    "priceMatch",
    Kind.CHOICE,
    choices=("NONE", *PRICE_MATCHES),
    error=-5037,
    description="Take the price from the book; not with `price`.",
)
TIME_IN_FORCE: Final = Parameter(
    "timeInForce",
    Kind.CHOICE,
    choices=tuple(TIMES_IN_FORCE),
    error=-1115,
    description="RPI is not emulated: such orders trade with those of apps and the web site only.",
)
RESPONSE_TYPE: Final = Parameter(
    "newOrderRespType", Kind.CHOICE, choices=("ACK", "RESULT"), default="ACK", error=-1136
)
PAIR: Final = Parameter("pair", length_max=50, description="Such as BTCUSD.")
