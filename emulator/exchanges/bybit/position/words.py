"""What the position endpoints have in common: their parameters, and the contract that a request is about."""

from __future__ import annotations

from typing import Final

from emulator.core.positions import Leg
from emulator.exchanges.bybit.categories import CATEGORIES, OPTION, Category
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.refusals import CATEGORY as ILLEGAL_CATEGORY
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.running import engine_of
from emulator.exchanges.bybit.vocabulary import POSITION_LEGS
from emulator.web.contract import Call, Kind, Parameter

CATEGORY: Final = Parameter("category", required=True, description="`linear` or `inverse`.")
SYMBOL: Final = Parameter("symbol", required=True)
SYMBOL_OPTIONAL: Final = Parameter("symbol")
POSITION_INDEX: Final = Parameter(
    "positionIdx",
    Kind.INTEGER,
    default=0,
    minimum=0,
    maximum=2,
    description="0: the one position; 1: the long one of hedge mode; 2: the short one.",
)
CURSOR: Final = Parameter("cursor", length_max=500, description="`nextPageCursor` of the page before.")


def asked_category(call: Call) -> Category:
    """The category of contracts that a request names; raises 10001."""
    category = CATEGORIES.get(call.values["category"])
    if category is None or not category.is_derivative:
        raise refuse(10001, text=ILLEGAL_CATEGORY)
    return category


def is_option(call: Call) -> bool:
    """Whether a request is about options, of which nobody has any."""
    return bool(call.values["category"] == OPTION)


def find(category: Category, symbol: str, now_us: int) -> Listing:
    """A symbol of a category, those included that were delivered; raises 10001."""
    listing = category.listings.get(symbol)
    if listing is None or not listing.is_known(now_us):
        raise refuse_parameter("symbol")
    return listing


def asked(call: Call) -> Listing:
    """The contract that a request is about, which then reads that market only."""
    listing = find(asked_category(call), call.values["symbol"], call.now_us)
    call.instrument = listing.instrument.symbol
    return listing


def asked_leg(call: Call, listing: Listing) -> Leg:
    """Which position is meant; raises 10001 where the mode has no such one."""
    leg = POSITION_LEGS[call.values["positionIdx"]]
    is_hedged = engine_of(call.sandbox).state.is_hedged(call.account, listing.instrument.symbol)
    if (leg is Leg.BOTH) is is_hedged:
        raise refuse_parameter("positionIdx")
    return leg
