"""The positions of an account."""

from __future__ import annotations

from typing import Final

from emulator.core.numbers import exact
from emulator.core.statement import PositionStatement
from emulator.exchanges.bybit.account.readings import Standing, read
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.categories import OPTION, Category
from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text, read_cursor
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.payloads.position import ChosenLeverage, ChosenLeverages, Positions
from emulator.exchanges.bybit.position.readings import (
    legs_of,
    open_positions,
    positions_of,
    render_position,
    side_word,
)
from emulator.exchanges.bybit.position.words import (
    CATEGORY,
    CURSOR,
    SYMBOL_OPTIONAL,
    asked_category,
    find,
    is_option,
)
from emulator.exchanges.bybit.refusals import MISSING_ONE_OF, refuse, refuse_parameter
from emulator.exchanges.bybit.vocabulary import POSITION_INDEXES
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

SYMBOLS_OPEN_MAX: Final = 200


@rows.route(
    "GET",
    "/v5/position/list",
    summary="Get position info",
    description="With a symbol all positions that it may have, flat ones too; else those that are not flat.",
    security=READ,
    parameters=(
        CATEGORY.but(description="`linear`, `inverse`, or `option`, of which there is never any."),
        SYMBOL_OPTIONAL,
        Parameter("baseCoin", description="Of options."),
        Parameter("settleCoin", description="Linear contracts need it, or a symbol."),
        Parameter("limit", Kind.INTEGER, default=20, minimum=1, maximum=SYMBOLS_OPEN_MAX),
        CURSOR,
    ),
    answers=Positions,
)
def positions(call: Call) -> Positions:
    values = call.values
    if is_option(call):
        return {"category": OPTION, "nextPageCursor": LAST_PAGE, "list": []}
    category = asked_category(call)
    symbol, coin = values.get("symbol"), values.get("settleCoin")
    if symbol is None and coin is None and not category.is_inverse:
        raise refuse(10001, "symbol or settleCoin", text=MISSING_ONE_OF)
    if symbol is None and coin is not None and coin not in category.settle_coins:
        raise refuse_parameter("settleCoin")
    with exact():
        standing = read(call)
        found = _found(standing, category, symbol, coin)
        first = _first(values.get("cursor"), found)
        page = found[first : first + values["limit"]]
        rest = found[first + values["limit"] :]
        return {
            "category": category.name,
            "nextPageCursor": cursor_text(*_place(*rest[0])) if rest else LAST_PAGE,
            "list": [render_position(standing, listing, one) for listing, one in page],
        }


def _found(
    standing: Standing, category: Category, symbol: str | None, coin: str | None
) -> list[tuple[Listing, PositionStatement]]:
    if symbol is not None:
        listing = find(category, symbol, standing.now_us)
        return [(listing, one) for one in positions_of(standing, listing)]
    return [
        (listing, one)
        for listing, one in open_positions(standing, category)
        if coin in (None, listing.settle)
    ]


def _place(listing: Listing, one: PositionStatement) -> tuple[str, int]:
    return listing.symbol, POSITION_INDEXES[one.position.leg]


def _first(cursor: str | None, found: list[tuple[Listing, PositionStatement]]) -> int:
    """Where the page begins. One that was closed meanwhile is where the next one is by now, or nowhere."""
    if not cursor:
        return 0
    read_as = read_cursor(cursor, 2)
    if read_as is None:
        raise refuse_parameter("cursor")
    places = [tuple(map(str, _place(*one))) for one in found]
    return places.index(read_as) if read_as in places else len(found)


@rows.route(
    "GET",
    "/v5/position/symbol-info",
    summary="Get futures leverage",
    description="Of a symbol, or of all for which a leverage was chosen or that have a position.",
    security=READ,
    parameters=(CATEGORY, SYMBOL_OPTIONAL),
    answers=ChosenLeverages,
)
def leverages(call: Call) -> ChosenLeverages:
    category = asked_category(call)
    symbol = call.values.get("symbol")
    with exact():
        standing = read(call)
        state = standing.engine.state
        if symbol is not None:
            listings = [find(category, symbol, call.now_us)]
        else:
            known = {name for account, name in state.choices if account == call.account}
            known |= {name for name, _ in state.accounts[call.account].positions}
            listings = [one for name, one in category.by_instrument.items() if name in known]
        return {
            "category": category.name,
            "list": [one for listing in listings for one in _leverages(standing, listing)],
        }


def _leverages(standing: Standing, listing: Listing) -> list[ChosenLeverage]:
    state, name = standing.engine.state, listing.instrument.symbol
    found = (state.position(standing.account, name, leg) for leg in legs_of(standing, listing))
    return [
        {
            "symbol": listing.symbol,
            "leverage": decimal_text(one.leverage),
            "side": side_word(one.quantity),
            "positionIdx": POSITION_INDEXES[one.leg],
        }
        for one in found
    ]
