"""What is listed, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeVar

from emulator.core.numbers import exact
from emulator.exchanges.bybit.categories import CATEGORIES, OPTION, Category
from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text, read_cursor
from emulator.exchanges.bybit.figures import decimal_text, time_text
from emulator.exchanges.bybit.listings import LEVERAGE_STEP, Listing
from emulator.exchanges.bybit.market.parameters import (
    BASE_COIN,
    CATEGORY,
    CURSOR,
    SYMBOL_INVALID,
    SYMBOL_OPTIONAL,
    category_asked,
    limit,
)
from emulator.exchanges.bybit.payloads.market import (
    ContractInfo,
    InstrumentsInfo,
    PairInfo,
)
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

T = TypeVar("T")

INSTRUMENTS: Final = 500
INSTRUMENTS_MAX: Final = 1000
STATUSES: Final = ("PreLaunch", "Trading", "Delivering", "Closed")


@rows.route(
    "GET",
    "/v5/market/instruments-info",
    summary="Instruments",
    description="Those that can be traded, unless another status is asked for. There are no options.",
    parameters=(
        CATEGORY,
        SYMBOL_OPTIONAL,
        Parameter("symbolType"),
        Parameter("status", Kind.CHOICE, choices=STATUSES),
        BASE_COIN,
        limit(INSTRUMENTS, INSTRUMENTS_MAX),
        CURSOR,
    ),
    answers=InstrumentsInfo,
)
def instruments(call: Call) -> InstrumentsInfo:
    values, now_us = call.values, call.now_us
    category = category_asked(call)
    if category is None:
        return {"category": OPTION, "list": [], "nextPageCursor": LAST_PAGE}
    chosen = _chosen(call, category)
    status = values.get("status", "Trading")
    chosen = [one for one in chosen if one.status(now_us) == status]
    if values.get("symbolType"):
        # Regional and innovative symbols have a type; what is listed here has none.
        chosen = []
    with exact():
        if not category.is_derivative:
            # Quirk: pairs have no pages; `limit` and `cursor` are not looked at ("Get Instruments Info").
            pairs = [render_pair(one) for one in chosen]
            return {"category": category.name, "list": pairs, "nextPageCursor": LAST_PAGE}
        page, following = page_of(chosen, values.get("cursor"), values["limit"])
        return {
            "category": category.name,
            "list": [render_contract(one, now_us) for one in page],
            "nextPageCursor": following,
        }


def _chosen(call: Call, category: Category) -> list[Listing]:
    values, now_us = call.values, call.now_us
    symbol, base = values.get("symbol"), values.get("baseCoin")
    if symbol is not None:
        found = category.listings.get(symbol)
        if found is None or not found.is_known(now_us):
            # Quirk: that there is no such pair is an empty list; that there is no such contract is an error
            # (live answers).
            if not category.is_derivative:
                return []
            raise refuse(10001, text=SYMBOL_INVALID)
        return [found]
    if base is not None and category.is_derivative:
        # Quirk: of a base coin the contracts of both categories are listed, whichever was asked for
        # ("Get Instruments Info").
        return [
            one
            for each in CATEGORIES.values()
            if each.is_derivative
            for one in each.listings.values()
            if one.base == base and one.is_known(now_us)
        ]
    return [one for one in category.listings.values() if one.is_known(now_us)]


def page_of(chosen: Sequence[T], cursor: str | None, size: int) -> tuple[Sequence[T], str]:
    """One page of what is chosen, and the cursor of the next one. Raises 10001 for what is no cursor."""
    first = 0
    if cursor:
        parts = read_cursor(cursor, 2)
        if parts is None or parts[0] != "page" or not (parts[1].isascii() and parts[1].isdecimal()):
            raise refuse_parameter("cursor")
        first = int(parts[1])
    last = first + size
    return chosen[first:last], cursor_text("page", last) if last < len(chosen) else LAST_PAGE


@lru_cache(maxsize=1024)
def render_pair(listing: Listing) -> PairInfo:
    row = listing.pair_row
    assert row is not None, f"{listing.symbol} is no pair"
    instrument = listing.instrument
    return {
        "symbolId": listing.symbol_id,
        "symbol": listing.symbol,
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": row.margin_trading,
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": row.quantity_step,
            "quotePrecision": decimal_text(listing.money_step),
            "minOrderQty": row.quantity_min,
            "maxOrderQty": row.order_quantity_max,
            "minOrderAmt": row.notional_min,
            "maxOrderAmt": row.amount_max,
            "maxLimitOrderQty": row.quantity_max,
            "maxMarketOrderQty": row.market_quantity_max,
            "postOnlyMaxLimitOrderSize": decimal_text(instrument.post_only_quantity_max),
        },
        "priceFilter": {"tickSize": row.price_step},
        "riskParameters": {
            "priceLimitRatioX": row.price_limit_x,
            "priceLimitRatioY": row.price_limit_y,
        },
        "symbolType": "",
    }


def render_contract(listing: Listing, now_us: int) -> ContractInfo:
    row, contract = listing.contract_row, listing.contract
    assert row is not None and contract is not None, f"{listing.symbol} is no contract"  # noqa: PT018 - one fact
    is_perpetual = listing.is_perpetual
    return {
        "symbol": listing.symbol,
        "symbolId": listing.symbol_id,
        "contractType": listing.contract_type,
        "status": listing.status(now_us),
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "launchTime": time_text(listing.launch_us),
        "deliveryTime": "0" if contract.delivery_us is None else time_text(contract.delivery_us),
        "deliveryFeeRate": "" if is_perpetual else row.delivery_fee,
        "priceScale": str(row.price_scale),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": row.leverage_max,
            "leverageStep": LEVERAGE_STEP,
        },
        "priceFilter": {
            "minPrice": row.price_min,
            "maxPrice": row.price_max,
            "tickSize": row.price_step,
        },
        "lotSizeFilter": {
            "maxOrderQty": row.quantity_max,
            "minOrderQty": row.quantity_min,
            "qtyStep": row.quantity_step,
            "postOnlyMaxOrderQty": row.quantity_max,
            "maxMktOrderQty": row.market_quantity_max,
            "minNotionalValue": "" if row.notional_min == "0" else row.notional_min,
        },
        "unifiedMarginTrade": True,
        "fundingInterval": contract.funding_hours * 60,
        "settleCoin": listing.settle,
        "copyTrading": row.copy_trading,
        "upperFundingRate": row.funding_cap if is_perpetual else "",
        "lowerFundingRate": f"-{row.funding_cap}" if is_perpetual else "",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {
            "priceLimitRatioX": row.price_limit_x,
            "priceLimitRatioY": row.price_limit_y,
        },
        "symbolType": "",
        "displayName": "",
        "forbidUplWithdrawal": False,
    }
