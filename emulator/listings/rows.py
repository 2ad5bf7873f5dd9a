"""What rows of all files have: the limits of a symbol, and how its synthetic market behaves."""

from __future__ import annotations

from decimal import Decimal
from typing import TypedDict

import msgspec

from emulator.core.instruments import MarketProfile
from emulator.listings.reading import number


class InstrumentRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A symbol, or a family of dated contracts.

    symbol: as the wire has it, or what it begins with. price_min: empty where it is one step.
    source: where its figures come from, in a few words. anchor to spread_steps: see `MarketProfile`.
    """

    symbol: str
    base: str
    quote: str
    price_step: str
    price_min: str = ""
    price_max: str
    quantity_step: str
    quantity_min: str
    quantity_max: str
    market_quantity_max: str
    notional_min: str = "0"
    source: str
    anchor: str
    path: str
    volatility_bips: int
    spread_steps: int = 1
    trade_quantity: str
    level_quantity: str
    trades_per_minute: int


class ContractRow(InstrumentRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contract, or a family of dated ones.

    launch: when it was listed, with its zone. funding_cap: the highest rate of one payment, and below zero
    the lowest; "0" is none. funding_hours: between two payments.
    """

    settle: str
    launch: str
    funding_cap: str
    funding_hours: int = 8


class Limits(TypedDict):
    """What an instrument has of its row's limits. At market the same holds, but for the largest quantity."""

    price_step: Decimal
    price_min: Decimal
    price_max: Decimal
    quantity_step: Decimal
    quantity_min: Decimal
    quantity_max: Decimal
    market_quantity_step: Decimal
    market_quantity_min: Decimal
    market_quantity_max: Decimal
    notional_min: Decimal


def limits_of(row: InstrumentRow, *, quantity_min: str = "") -> Limits:
    """quantity_min: the one that is held to, where the row's is only shown."""
    step = number(row.quantity_step, "quantity_step")
    least = number(quantity_min or row.quantity_min, "quantity_min")
    return {
        "price_step": number(row.price_step, "price_step"),
        "price_min": number(row.price_min or row.price_step, "price_min"),
        "price_max": number(row.price_max, "price_max"),
        "quantity_step": step,
        "quantity_min": least,
        "quantity_max": number(row.quantity_max, "quantity_max"),
        "market_quantity_step": step,
        "market_quantity_min": least,
        "market_quantity_max": number(row.market_quantity_max, "market_quantity_max"),
        "notional_min": number(row.notional_min, "notional_min"),
    }


def profile_of(row: InstrumentRow, times: int = 1) -> MarketProfile:
    """times: how much more is traded than the row says."""
    return MarketProfile(
        anchor=number(row.anchor, "anchor"),
        volatility_bips=row.volatility_bips,
        spread_steps=row.spread_steps,
        trade_quantity=number(row.trade_quantity, "trade_quantity") * times,
        level_quantity=number(row.level_quantity, "level_quantity") * times,
        trades_per_minute=row.trades_per_minute * times,
        path=row.path,
    )
