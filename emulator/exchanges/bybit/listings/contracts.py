"""Contracts, perpetual and dated: their rules for the core, and the risk limits that the wire shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from emulator.core.contracts import Contract, FeeBasis, FundingRule, MarkRule, PremiumBand, Tier, Valuation
from emulator.core.instruments import (
    FeeAssetRule,
    Instrument,
    Kind,
    Outcome,
    SelfTradeMode,
    TriggerSource,
)
from emulator.exchanges.bybit.listings.listing import Listing, RiskTier
from emulator.exchanges.bybit.listings.pairs import SELF_TRADE_MODES
from emulator.exchanges.bybit.listings.rows import ContractRow, TierRow
from emulator.listings.quarters import QUARTERS, delivery_us, last_friday, launch_us, letter, times_traded
from emulator.listings.reading import ListingError, moment_us, number
from emulator.listings.rows import limits_of, profile_of
from emulator.listings.soundness import check
from emulator.listings.tiers import continued

UNIFIED: Final = "unified"
"""The wallet in which everything is traded."""

MAKER_FEE: Final = Decimal("0.0002")
TAKER_FEE: Final = Decimal("0.00055")
"""At the lowest level (fee schedule, "VIP 0")."""

PREMIUM_SECONDS: Final = 30
"""Over how long it is averaged how far a contract's book is above its mark price ("Set Price Limit
Behaviour")."""

STOP_PAIRS_MAX: Final = 20
"""How many pairs of stops for parts of one position may wait (error page, 110061)."""

LEVERAGE_STEP: Final = "0.01"


def contracts_of(
    category: str, row: ContractRow, tables: Mapping[str, Sequence[TierRow]]
) -> Iterator[Listing]:
    """The contract, or all of the family. Raises ListingError."""
    table = tables.get(row.tiers)
    if table is None:
        raise ListingError(f"there is no table of tiers {row.tiers!r}")
    tiers = continued([(cap, leverage, maintenance) for cap, leverage, _, maintenance in table])
    shown = tuple(
        RiskTier(
            number=number, value_max=cap, leverage_max=f"{Decimal(leverage):.2f}", initial=im, maintenance=mm
        )
        for number, (cap, leverage, im, mm) in enumerate(table, start=1)
    )
    for quarter in QUARTERS if row.dated else (0,):
        instrument = _instrument(category, row, tiers, quarter)
        check(instrument)
        yield Listing(
            category=category,
            symbol=_symbol(row, quarter),
            symbol_id=row.symbol_id * 1000 + quarter % 1000 if quarter else row.symbol_id,
            instrument=instrument,
            launch_us=launch_us(quarter) if quarter else moment_us(row.launch, "launch"),
            quarter=quarter,
            contract_row=row,
            risk_tiers=shown,
        )


def _symbol(row: ContractRow, quarter: int) -> str:
    """Such as BTCUSDT-26DEC25; of an inverse contract BTCUSDZ25, with the letter of the quarter."""
    if not quarter:
        return row.symbol
    day = last_friday(quarter)
    if row.dated == "quarter":
        return f"{row.symbol}{letter(quarter)}{day:%y}"
    return f"{row.symbol}-{day:%d%b%y}".upper()


def _instrument(category: str, row: ContractRow, tiers: tuple[Tier, ...], quarter: int) -> Instrument:
    ratio = number(row.price_limit_x, "price_limit_x")
    return Instrument(
        symbol=f"{category}:{_symbol(row, quarter)}",
        kind=Kind.INVERSE if category == "inverse" else Kind.LINEAR,
        base=row.base,
        quote=row.quote,
        settle=row.settle,
        **limits_of(row),
        bid_multiplier_up=1 + ratio,
        ask_multiplier_down=1 - ratio,
        orders_max=500,
        trigger_orders_max=10,
        trigger_sources=frozenset(TriggerSource),
        iceberg_orders_max=0,
        amends_max=10_000,
        quote_quantity_orders=False,
        iceberg_orders=False,
        order_lists=False,
        cancel_replace=False,
        self_trade_modes=SELF_TRADE_MODES,
        self_trade_default=SelfTradeMode.NONE,
        maker_fee=MAKER_FEE,
        taker_fee=TAKER_FEE,
        fee_asset_rule=FeeAssetRule.QUOTE,
        post_only_failure=Outcome.EXPIRE,
        fill_or_kill_failure=Outcome.EXPIRE,
        take_bound_failure=Outcome.EXPIRE,
        dormant_modified=True,
        below_executed=Outcome.REFUSE,
        profile=profile_of(row, times_traded(quarter)),
        contract=_contract(category, row, tiers, quarter),
    )


def _contract(category: str, row: ContractRow, tiers: tuple[Tier, ...], quarter: int) -> Contract:
    cap, hard = number(row.funding_cap, "funding_cap"), number(row.price_limit_y, "price_limit_y")
    return Contract(
        is_inverse=category == "inverse",
        wallet=UNIFIED,
        settle=row.settle,
        margin_asset=row.settle,
        # A perpetual is there at any time, so that a clock of the past has something to trade.
        listed_us=launch_us(quarter) if quarter else 0,
        delivery_us=delivery_us(quarter) if quarter else None,
        delivery_fee=number(row.delivery_fee, "delivery_fee"),
        funding_hours=0 if quarter else row.funding_hours,
        # Initial and maintenance margin have what closing at the bankruptcy price costs (help centre,
        # "Liquidation Price Calculation under Isolated Mode"; "Get Wallet Balance", `totalPositionIM`).
        maintenance_fee=TAKER_FEE,
        maintenance_fee_on=FeeBasis.BANKRUPTCY,
        initial_fee=TAKER_FEE,
        # Quirk: all margins go by the mark price but the initial margin of an isolated position, which goes
        # by that of entry (help centre, "The New Margin Calculation: Adjustments and Implications").
        isolated_initial_by=Valuation.ENTRY,
        tiers=tiers,
        leverage_default=Decimal(10),
        marking=MarkRule(
            step=Decimal(1).scaleb(-row.price_scale),
            funding=FundingRule(cap=cap, floor=-cap) if cap else FundingRule(),
        ),
        take_bound=hard,
        band=PremiumBand(seconds=PREMIUM_SECONDS, hard=hard),
        stop_pairs_max=STOP_PAIRS_MAX,
        # Quirk: what may only reduce is split where it is larger than one order may be (Place Order, "Reduce
        # only orders").
        splits_reducing=True,
        # Quirk: a price beyond the limit becomes the nearest one that is allowed, which is known of a
        # conditional order when it is triggered ("Set Price Limit Behaviour").
        adjusts_triggered=True,
        # Quirk: what others in the book would reduce beyond the position is taken off them or ends; that the
        # newest are the first is not documented (help centre, "Reduce-Only Order").
        trims_reducing=True,
        # Quirk: positions of both sides at once are for perpetuals in USDT only ("Switch Position Mode").
        hedgeable=row.settle == "USDT" and not quarter,
    )
