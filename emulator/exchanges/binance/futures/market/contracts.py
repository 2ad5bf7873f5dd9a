"""What exchangeInfo says of a contract: its kind and dates, its filters, what orders it takes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from emulator.core.instruments import Instrument, InstrumentStatus
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.payloads.market import CoinmContract, Filter, UsdmContract
from emulator.exchanges.binance.vocabulary import render_places

NEVER_US: Final = 4_133_404_800_000_000
"""When perpetuals are delivered: 2100-12-25."""

ORDER_TYPES: Final = (
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
)
# Quirk: conditional types are listed, though POST /fapi/v1/order refers them to the algo orders (live
# answers: -4120).
TIMES_IN_FORCE: Final = ("GTC", "IOC", "FOK", "GTX", "GTD")
COINM_TIMES_IN_FORCE: Final = ("GTC", "IOC", "FOK", "GTX")
PERMISSION_SETS: Final = ("GRID", "COPY", "DCA", "PSB")
EQUAL_QUANTITY_PRECISION: Final = 4
"""To be ignored, say the documents."""

STATUS_WORDS: Mapping[InstrumentStatus, str] = MappingProxyType(
    {
        InstrumentStatus.TRADING: "TRADING",
        InstrumentStatus.HALTED: "CLOSE",
        InstrumentStatus.CANCEL_ONLY: "PRE_SETTLE",
    }
)
"""The nearest of the exchange's own words: neither takes new orders."""


def status_word(listing: Listing, instrument: Instrument, now_us: int) -> str:
    return STATUS_WORDS[instrument.status] if listing.is_listed(now_us) else "DELIVERING"


def render_usdm_contract(listing: Listing, instrument: Instrument, now_us: int) -> UsdmContract:
    row = listing.row
    return {
        "symbol": listing.symbol,
        "pair": listing.pair,
        "contractType": listing.contract_type(now_us),
        "deliveryDate": _delivery_ms(listing),
        "onboardDate": listing.launch_us // 1000,
        "status": status_word(listing, instrument, now_us),
        "maintMarginPercent": row.maintenance_percent,
        "requiredMarginPercent": row.required_percent,
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": listing.contract.margin_asset,
        "pricePrecision": row.price_precision,
        "quantityPrecision": row.quantity_precision,
        "baseAssetPrecision": row.base_precision,
        "quotePrecision": row.quote_precision,
        "underlyingType": row.underlying_type,
        "underlyingSubType": list(row.sub_types),
        "triggerProtect": row.trigger_protect,
        "liquidationFee": render_places(listing.contract.liquidation_fee, 6),
        "marketTakeBound": row.market_take_bound,
        "maxMoveOrderLimit": instrument.amends_max,
        "filters": _filters(listing, instrument),
        "orderTypes": list(ORDER_TYPES),
        "timeInForce": list(TIMES_IN_FORCE),
        "permissionSets": list(PERMISSION_SETS),
    }


def render_coinm_contract(listing: Listing, instrument: Instrument, now_us: int) -> CoinmContract:
    row = listing.row
    return {
        "symbol": listing.symbol,
        "pair": listing.pair,
        "contractType": listing.contract_type(now_us),
        "deliveryDate": _delivery_ms(listing),
        "onboardDate": listing.launch_us // 1000,
        # Quirk: what USD-M calls `status` is `contractStatus` on COIN-M (Exchange Information of both).
        "contractStatus": status_word(listing, instrument, now_us),
        "contractSize": int(listing.contract.size),
        "marginAsset": listing.contract.margin_asset,
        "maintMarginPercent": row.maintenance_percent,
        "requiredMarginPercent": row.required_percent,
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "pricePrecision": row.price_precision,
        "quantityPrecision": row.quantity_precision,
        "baseAssetPrecision": row.base_precision,
        "quotePrecision": row.quote_precision,
        "equalQtyPrecision": EQUAL_QUANTITY_PRECISION,
        "maxMoveOrderLimit": instrument.amends_max,
        "triggerProtect": row.trigger_protect,
        "underlyingType": row.underlying_type,
        "underlyingSubType": list(row.sub_types),
        "filters": _filters(listing, instrument),
        "orderTypes": list(ORDER_TYPES),
        "timeInForce": list(COINM_TIMES_IN_FORCE),
        "liquidationFee": render_places(listing.contract.liquidation_fee, 6),
        "marketTakeBound": row.market_take_bound,
    }


def _delivery_ms(listing: Listing) -> int:
    delivery_us = listing.contract.delivery_us
    return (NEVER_US if delivery_us is None else delivery_us) // 1000


def _filters(listing: Listing, instrument: Instrument) -> list[Filter]:
    row, is_inverse = listing.row, listing.contract.is_inverse
    up, down = instrument.bid_multiplier_up, instrument.ask_multiplier_down
    assert up is not None
    assert down is not None
    filters: list[Filter] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": _text(instrument.price_min, row.price_min),
            "maxPrice": _text(instrument.price_max, row.price_max),
            "tickSize": _text(instrument.price_step, row.price_step),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": _text(instrument.quantity_min, row.quantity_min),
            "maxQty": _text(instrument.quantity_max, row.quantity_max),
            "stepSize": _text(instrument.quantity_step, row.quantity_step),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": _text(instrument.market_quantity_min, row.quantity_min),
            "maxQty": _text(instrument.market_quantity_max, row.market_quantity_max),
            "stepSize": _text(instrument.market_quantity_step, row.quantity_step),
        },
        # Quirk: its figure is called `limit`, where Spot has `maxNumOrders` (Exchange Information).
        {"filterType": "MAX_NUM_ORDERS", "limit": instrument.orders_max},
    ]
    if is_inverse:
        filters.append({"filterType": "MAX_NUM_ALGO_ORDERS", "limit": instrument.trigger_orders_max})
    else:
        # Quirk: the smallest notional is a MIN_NOTIONAL with `notional`, and COIN-M has none (Exchange
        # Information of both).
        filters.append(
            {"filterType": "MIN_NOTIONAL", "notional": _text(instrument.notional_min, row.notional_min)}
        )
    filters.append(
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": render_places(up, 4),
            "multiplierDown": render_places(down, 4),
            "multiplierDecimal": "4",
        }
    )
    if not is_inverse:
        filters.append({"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"})
    return filters


def _text(value: Decimal, listed: str) -> str:
    """As the exchange writes it in its listing, with zeros at its end; plainly where it is another value."""
    return listed if Decimal(listed) == value else format(value, "f")
