"""What an account may trade: all that can be traded, and whether at retail prices, which nobody may here."""

from __future__ import annotations

from typing import Final

from emulator.core.numbers import exact
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.categories import CATEGORIES
from emulator.exchanges.bybit.cursors import LAST_PAGE
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.instruments import page_of, render_contract, render_pair
from emulator.exchanges.bybit.payloads.account import OwnContract, OwnInstruments, OwnPair
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

SIZE: Final = 200
"""Of a page, if no less is asked for, and at most."""


@rows.route(
    "GET",
    "/v5/account/instruments-info",
    summary="Get account instruments info",
    security=READ,
    parameters=(
        Parameter("category", Kind.CHOICE, required=True, choices=tuple(CATEGORIES)),
        Parameter("symbol"),
        Parameter("limit", Kind.INTEGER, default=SIZE, minimum=1, maximum=SIZE),
        Parameter("cursor", length_max=500, description="`nextPageCursor` of the page before."),
    ),
    answers=OwnInstruments,
)
def instruments(call: Call) -> OwnInstruments:
    category, values = CATEGORIES[call.values["category"]], call.values
    chosen = [one for one in category.listings.values() if one.status(call.now_us) == "Trading"]
    if "symbol" in values:
        chosen = [one for one in chosen if one.symbol == values["symbol"]]
        if not chosen:
            raise refuse_parameter("symbol")
    with exact():
        if not category.is_derivative:
            # Quirk: pairs have no pages; `limit` and `cursor` are not looked at ("Get Account Instruments
            # Info").
            pairs = [_pair(one) for one in chosen]
            return {"category": category.name, "list": pairs, "nextPageCursor": LAST_PAGE}
        page, following = page_of(chosen, values.get("cursor"), values["limit"])
        return {
            "category": category.name,
            "list": [_contract(one, call.now_us) for one in page],
            "nextPageCursor": following,
        }


def _pair(listing: Listing) -> OwnPair:
    return {**render_pair(listing), "isPublicRpi": False, "myRpiPermission": False}


def _contract(listing: Listing, now_us: int) -> OwnContract:
    return {**render_contract(listing, now_us), "isPublicRpi": False, "myRpiPermission": False}
