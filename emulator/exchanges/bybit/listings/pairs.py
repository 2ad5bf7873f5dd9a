"""Pairs: their rules for the core."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core.instruments import FeeAssetRule, Instrument, Outcome, SelfTradeMode, TriggerSource
from emulator.exchanges.bybit.listings.listing import Listing
from emulator.exchanges.bybit.listings.rows import PairRow
from emulator.listings.reading import number
from emulator.listings.rows import limits_of, profile_of
from emulator.listings.soundness import check

FEE: Final = Decimal("0.001")
"""Of maker and taker, at the lowest level (fee schedule, "VIP 0")."""

POST_ONLY_TIMES: Final = 5
"""How many times as much as any other limit order a post-only one may be for."""

STEP: Final = Decimal("0.0000000001")
"""Balances have up to eighteen places; these are enough for what one step of a pair costs."""

SELF_TRADE_MODES: Final = frozenset(
    {
        SelfTradeMode.NONE,
        SelfTradeMode.EXPIRE_TAKER,
        SelfTradeMode.EXPIRE_MAKER,
        SelfTradeMode.EXPIRE_BOTH,
    }
)


def pair_of(row: PairRow) -> Listing:
    """Raises ListingError."""
    ratio = number(row.price_limit_x, "price_limit_x")
    instrument = Instrument(
        symbol=f"spot:{row.symbol}",
        base=row.base,
        quote=row.quote,
        settle=row.quote,
        base_step=STEP,
        quote_step=STEP,
        # Quirk: the smallest quantity is shown and not checked any more, only the smallest amount is
        # ("Get Instruments Info").
        **limits_of(row, quantity_min=row.quantity_step),
        post_only_quantity_max=number(row.quantity_max, "quantity_max") * POST_ONLY_TIMES,
        # On the exchange what the book stands above its index moves both limits, up to a part Y of it ("Set
        # Price Limit Behaviour"); here the book of a pair goes with its index.
        measured_by_index=True,
        bid_multiplier_up=1 + ratio,
        ask_multiplier_down=1 - ratio,
        band_at_trigger=True,
        orders_max=500,
        # Those with their funds frozen, and those without.
        trigger_orders_max=30,
        detached_orders_max=30,
        amends_max=10_000,
        iceberg_orders_max=0,
        iceberg_orders=False,
        cancel_replace=False,
        self_trade_modes=SELF_TRADE_MODES,
        self_trade_default=SelfTradeMode.NONE,
        maker_fee=FEE,
        taker_fee=FEE,
        fee_asset_rule=FeeAssetRule.RECEIVED,
        post_only_failure=Outcome.EXPIRE,
        fill_or_kill_failure=Outcome.EXPIRE,
        take_bound_failure=Outcome.EXPIRE,
        dormant_modified=True,
        below_executed=Outcome.REFUSE,
        take_bound=number(row.price_limit_y, "price_limit_y"),
        trigger_sources=frozenset({TriggerSource.LAST}),
        profile=profile_of(row),
    )
    check(instrument)
    return Listing(
        category="spot",
        symbol=row.symbol,
        symbol_id=row.symbol_id,
        instrument=instrument,
        pair_row=row,
    )
