"""What Binance's futures sites list: the rows of usdm.json and coinm.json, checked and read once.

The files hold figures of the exchange's own listings. A row wins over the file's "defaults"; `source`
says where its figures come from. A perpetual is a symbol as it stands. A row with `quarterly` is a family:
one contract for each quarter (`emulator.listings.quarters`).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from emulator.core.contracts import Contract, FundingRule, MarkRule
from emulator.core.instruments import FeeAssetRule, Instrument, Kind, Outcome, SelfTradeMode, TriggerSource
from emulator.listings import listing, rows
from emulator.listings.quarters import QUARTERS, delivery_us, last_friday, launch_us, times_traded
from emulator.listings.reading import DefaultedRows, ListingError, decode, moment_us, naming, number
from emulator.listings.rows import limits_of, profile_of
from emulator.listings.soundness import check
from emulator.listings.tiers import published

MARK_STEP: Final = Decimal("0.00000001")
"""Index and mark price have eight places, whatever the contract's price steps are."""

SELF_TRADE_MODES: Final = frozenset(
    {
        SelfTradeMode.NONE,
        SelfTradeMode.EXPIRE_TAKER,
        SelfTradeMode.EXPIRE_MAKER,
        SelfTradeMode.EXPIRE_BOTH,
    }
)


class Row(rows.ContractRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of the files.

    tiers: floor, highest leverage, maintenance rate and what is taken off (`cum`) of each; the cap of
    one is the floor of the next, and of the last one `tier_cap`. size: base asset of one contract, or
    the USD that one inverse contract stands for. funding_disclaimer: what `fundingInfo` says of it.
    """

    quarterly: bool = False
    size: str
    multiplier_up: str
    multiplier_down: str
    orders_max: int
    algo_orders_max: int
    maker_fee: str
    taker_fee: str
    liquidation_fee: str
    market_take_bound: str
    trigger_protect: str
    maintenance_percent: str
    required_percent: str
    funding_disclaimer: bool = False
    price_precision: int
    quantity_precision: int
    base_precision: int
    quote_precision: int
    underlying_type: str
    sub_types: tuple[str, ...]
    tiers: tuple[tuple[str, str, str, str], ...]
    tier_cap: str


class Listing(listing.Listing, frozen=True, kw_only=True):
    """One symbol: its rules for the core, and what only `exchangeInfo` shows."""

    pair: str
    row: Row

    @property
    def contract(self) -> Contract:
        contract = self.instrument.contract
        assert contract is not None
        return contract

    def contract_type(self, now_us: int) -> str:
        """As `exchangeInfo` names it; empty where it is not shown."""
        if self.is_perpetual:
            return "PERPETUAL"
        if not self.is_shown(now_us):
            return ""
        if not self.is_listed(now_us):
            # Quirk: the type of a contract that is being delivered has a space in it, where the documents
            # have an underscore (live answers).
            return "CURRENT_QUARTER DELIVERING"
        return "CURRENT_QUARTER" if now_us >= delivery_us(self.quarter - 1) else "NEXT_QUARTER"

    def type_span(self, contract_type: str) -> tuple[int, int | None]:
        """From when on, and before when, it is of a type; nothing between them where it never is.

        None: for ever.
        """
        if self.is_perpetual:
            return (0, None) if contract_type == "PERPETUAL" else (0, 0)
        current_us = delivery_us(self.quarter - 1)
        match contract_type:
            case "CURRENT_QUARTER":
                return current_us, self.contract.delivery_us
            case "NEXT_QUARTER":
                return self.contract.listed_us, current_us
        return 0, 0


@cache
def load(wallet: str) -> tuple[Listing, ...]:
    """The listings that come with the package for the product that trades in a wallet."""
    document = files("emulator.exchanges.binance.futures").joinpath(f"{wallet}.json").read_bytes()
    return tuple(read(document, wallet))


def read(document: bytes, wallet: str) -> Iterator[Listing]:
    """The listings of a document. Raises ListingError, which names the symbol."""
    seen: set[str] = set()
    for values in decode(document, DefaultedRows).rows():
        with naming(values.get("symbol", "a row without a symbol")):
            listed = list(_listed(msgspec.convert(values, Row), wallet))
        for one in listed:
            if one.symbol in seen:
                raise ListingError(f"{one.symbol}: listed twice")
            seen.add(one.symbol)
            yield one


def _listed(row: Row, wallet: str) -> Iterator[Listing]:
    for quarter in QUARTERS if row.quarterly else (0,):
        symbol = f"{row.symbol}_{last_friday(quarter):%y%m%d}" if quarter else row.symbol
        instrument = _instrument(row, symbol, wallet, quarter)
        check(instrument)
        yield Listing(
            symbol=symbol,
            pair=row.base + row.quote,
            instrument=instrument,
            launch_us=launch_us(quarter) if quarter else moment_us(row.launch, "launch"),
            quarter=quarter,
            row=row,
        )


def _instrument(row: Row, symbol: str, wallet: str, quarter: int) -> Instrument:
    is_inverse = row.settle == row.base
    return Instrument(
        symbol=f"{wallet}:{symbol}",
        kind=Kind.INVERSE if is_inverse else Kind.LINEAR,
        base=row.base,
        quote=row.quote,
        settle=row.settle,
        **limits_of(row),
        bid_multiplier_up=number(row.multiplier_up, "multiplier_up"),
        ask_multiplier_down=number(row.multiplier_down, "multiplier_down"),
        orders_max=row.orders_max,
        trigger_orders_max=row.algo_orders_max,
        trigger_orders_shared=True,
        trigger_sources=frozenset({TriggerSource.LAST, TriggerSource.MARK}),
        trigger_protect=number(row.trigger_protect, "trigger_protect"),
        # A callback rate is a tenth to ten per cent ("New Algo Order"), on USD-M to twenty (change log,
        # 2026-10-23), on whichever side.
        trailing_above_min=10,
        trailing_above_max=1000 if is_inverse else 2000,
        trailing_below_min=10,
        trailing_below_max=1000 if is_inverse else 2000,
        trailing_reached=Outcome.REFUSE,
        iceberg_orders_max=0,
        amends_max=10_000,
        quote_quantity_orders=False,
        iceberg_orders=False,
        order_lists=False,
        cancel_replace=False,
        self_trade_modes=SELF_TRADE_MODES,
        self_trade_default=SelfTradeMode.EXPIRE_MAKER,
        maker_fee=number(row.maker_fee, "maker_fee"),
        taker_fee=number(row.taker_fee, "taker_fee"),
        fee_asset_rule=FeeAssetRule.QUOTE,
        amend_keeps_priority=False,
        # No order comes of one that cannot do what its time in force says (error codes -5021, -5022).
        post_only_failure=Outcome.REFUSE,
        fill_or_kill_failure=Outcome.REFUSE,
        profile=profile_of(row, times_traded(quarter)),
        contract=_contract(row, wallet, quarter),
    )


def _contract(row: Row, wallet: str, quarter: int) -> Contract:
    cap = number(row.funding_cap, "funding_cap")
    return Contract(
        is_inverse=row.settle == row.base,
        wallet=wallet,
        size=number(row.size, "size"),
        settle=row.settle,
        margin_asset=row.settle,
        # A perpetual is there at any time, so that a clock of the past has something to trade.
        listed_us=launch_us(quarter) if quarter else 0,
        delivery_us=delivery_us(quarter) if quarter else None,
        # Quirk: a delivery is charged as a taker is (FAQ "Delivery & Settlement of Quarterly Futures").
        delivery_fee=number(row.taker_fee, "taker_fee"),
        funding_hours=0 if quarter else row.funding_hours,
        liquidation_fee=number(row.liquidation_fee, "liquidation_fee"),
        tiers=published(row.tiers, cap=row.tier_cap),
        marking=MarkRule(step=MARK_STEP, funding=FundingRule(cap=cap, floor=-cap)),
        take_bound=number(row.market_take_bound, "market_take_bound"),
        closing_orders_max=1,
    )
