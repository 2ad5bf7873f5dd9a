"""What exchangeInfo says of a symbol: its features, its filters in the exchange's order, its permissions."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from emulator.core.instruments import Instrument
from emulator.exchanges.binance.spot.instruments import Listing, load
from emulator.exchanges.binance.spot.payloads.market import Filter, Symbol
from emulator.exchanges.binance.vocabulary import SELF_TRADE_WORDS, SYMBOL_STATUS_WORDS, render_amount


@cache
def _listings() -> dict[str, Listing]:
    return {listing.symbol: listing for listing in load()}


def listing_of(instrument: Instrument) -> Listing:
    """What the listing says of a symbol beside the core's rules."""
    return _listings()[instrument.symbol]


def render_symbol(instrument: Instrument, *, shows_permission_sets: bool) -> Symbol:
    listing = listing_of(instrument)
    return {
        "symbol": instrument.symbol,
        "status": SYMBOL_STATUS_WORDS[instrument.status],
        "baseAsset": instrument.base,
        "baseAssetPrecision": listing.base_precision,
        "quoteAsset": instrument.quote,
        # Quirk: the precision of the quote asset has two names (rest-api.md, "Exchange information").
        "quotePrecision": listing.quote_precision,
        "quoteAssetPrecision": listing.quote_precision,
        "baseCommissionPrecision": listing.base_commission_precision,
        "quoteCommissionPrecision": listing.quote_commission_precision,
        "orderTypes": list(listing.order_types),
        "icebergAllowed": instrument.iceberg_orders,
        "ocoAllowed": instrument.order_lists,
        "otoAllowed": instrument.order_lists,
        "opoAllowed": instrument.order_lists,
        "quoteOrderQtyMarketAllowed": instrument.quote_quantity_orders,
        "allowTrailingStop": instrument.trailing_orders,
        "cancelReplaceAllowed": instrument.cancel_replace,
        "amendAllowed": instrument.amends,
        "pegInstructionsAllowed": instrument.pegged_orders,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": listing.is_margin_allowed,
        "filters": render_filters(instrument),
        # Quirk: `permissions` is always empty, `permissionSets` took its place (CHANGELOG.md, 2024-04-02).
        "permissions": [],
        "permissionSets": [list(words) for words in listing.permission_sets] if shows_permission_sets else [],
        "defaultSelfTradePreventionMode": SELF_TRADE_WORDS[instrument.self_trade_default],
        "allowedSelfTradePreventionModes": [
            word for mode, word in SELF_TRADE_WORDS.items() if mode in instrument.self_trade_modes
        ],
    }


def render_filters(instrument: Instrument) -> list[Filter]:
    """The symbol's trading rules (filters.md). Those that can be absent are shown only when they apply."""
    filters: list[Filter] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": render_amount(instrument.price_min),
            "maxPrice": render_amount(instrument.price_max),
            "tickSize": render_amount(instrument.price_step),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": render_amount(instrument.quantity_min),
            "maxQty": render_amount(instrument.quantity_max),
            "stepSize": render_amount(instrument.quantity_step),
        },
        {"filterType": "ICEBERG_PARTS", "limit": instrument.iceberg_parts_max},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": render_amount(instrument.market_quantity_min),
            "maxQty": render_amount(instrument.market_quantity_max),
            "stepSize": render_amount(instrument.market_quantity_step),
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": instrument.trailing_above_min,
            "maxTrailingAboveDelta": instrument.trailing_above_max,
            "minTrailingBelowDelta": instrument.trailing_below_min,
            "maxTrailingBelowDelta": instrument.trailing_below_max,
        },
    ]
    bid_up, bid_down = instrument.bid_multiplier_up, instrument.bid_multiplier_down
    ask_up, ask_down = instrument.ask_multiplier_up, instrument.ask_multiplier_down
    if bid_up is not None and bid_down is not None and ask_up is not None and ask_down is not None:
        filters.append(
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": _plain(bid_up),
                "bidMultiplierDown": _plain(bid_down),
                "askMultiplierUp": _plain(ask_up),
                "askMultiplierDown": _plain(ask_down),
                "avgPriceMins": instrument.reference_minutes,
            }
        )
    filters += [
        {
            "filterType": "NOTIONAL",
            "minNotional": render_amount(instrument.notional_min),
            "applyMinToMarket": instrument.notional_min_applies_to_market,
            "maxNotional": render_amount(instrument.notional_max),
            "applyMaxToMarket": instrument.notional_max_applies_to_market,
            "avgPriceMins": instrument.reference_minutes,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": instrument.orders_max},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": instrument.order_lists_max},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": instrument.trigger_orders_max},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": instrument.amends_max},
    ]
    if instrument.iceberg_orders_max:
        filters.append(
            {"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": instrument.iceberg_orders_max}
        )
    if instrument.position_max is not None:
        filters.append({"filterType": "MAX_POSITION", "maxPosition": render_amount(instrument.position_max)})
    return filters


def _plain(value: Decimal) -> str:
    return format(value, "f")
