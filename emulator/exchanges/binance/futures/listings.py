"""What Binance's futures sites list: the rows of usdm.json and coinm.json, checked and read once.

The files hold figures of the exchange's own listings. A row wins over the file's "defaults"; `source`
says where its figures come from. Every decimal is a string there, so nothing passes through a float.

A perpetual is a symbol as it stands. A row with `quarterly` is a family: one contract for each last
Friday of a quarter, delivered at 08:00 UTC and listed when the contract two quarters before it is
delivered, so that two of them can be traded at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

import msgspec

from emulator.core.contracts import Contract, FundingRule, MarkRule, Tier
from emulator.core.instruments import (
    FeeAssetRule,
    Instrument,
    Kind,
    MarketProfile,
    Outcome,
    SelfTradeMode,
    TriggerSource,
)
from emulator.core.numbers import ONE, exact, is_on_step, parse_plain

FIRST_QUARTER: Final = (2024, 1)
LAST_QUARTER: Final = (2030, 4)
"""The quarters at whose end contracts are delivered."""

DELIVERING_US: Final = 3_600_000_000
"""For how long a contract that was delivered is still shown. Not documented."""

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


class ListingError(ValueError):
    """The listing file contradicts itself or the rules of the core."""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of the files.

    tiers: floor, highest leverage, maintenance rate and what is taken off (`cum`) of each; the cap of
    one is the floor of the next, and of the last one `tier_cap`. size: base asset of one contract, or
    the USD that one inverse contract stands for. funding_cap: the highest rate of one payment, and below
    zero the lowest; funding_disclaimer: what `fundingInfo` says of it. anchor: of the synthetic market, see
    `MarketProfile`.
    """

    symbol: str
    base: str
    quote: str
    settle: str
    quarterly: bool = False
    onboard: str
    size: str
    price_step: str
    price_min: str
    price_max: str
    quantity_step: str
    quantity_min: str
    quantity_max: str
    market_quantity_max: str
    notional_min: str = "0"
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
    funding_hours: int
    funding_cap: str
    funding_disclaimer: bool = False
    price_precision: int
    quantity_precision: int
    base_precision: int
    quote_precision: int
    underlying_type: str
    sub_types: tuple[str, ...]
    tiers: tuple[tuple[str, str, str, str], ...]
    tier_cap: str
    anchor: str
    path: str
    volatility_bips: int
    spread_steps: int
    trade_quantity: str
    level_quantity: str
    trades_per_minute: int
    source: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol: its rules for the core, and what only `exchangeInfo` shows."""

    symbol: str
    pair: str
    instrument: Instrument
    contract: Contract
    onboard_us: int
    quarter: int
    """Which of the quarters a delivery contract ends, counted; 0 of a perpetual."""
    row: Row

    @property
    def is_perpetual(self) -> bool:
        return self.contract.delivery_us is None

    def is_listed(self, now_us: int) -> bool:
        """Whether it can be traded at a time."""
        return self.contract.is_listed(now_us)

    def is_shown(self, now_us: int) -> bool:
        """Whether the market data endpoints know of it: also for a while after its delivery."""
        delivery_us = self.contract.delivery_us
        return self.contract.listed_us <= now_us and (
            delivery_us is None or now_us < delivery_us + DELIVERING_US
        )

    def read_us(self, now_us: int) -> int:
        """The time as of which its market is shown: after the delivery, the last moment before it."""
        delivery_us = self.contract.delivery_us
        return now_us if delivery_us is None or now_us < delivery_us else delivery_us - 1

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
        return "CURRENT_QUARTER" if now_us >= _delivery_us(self.quarter - 1) else "NEXT_QUARTER"

    def type_span(self, contract_type: str) -> tuple[int, int | None]:
        """From when on, and before when, it is of a type; nothing between them where it never is.

        None: for ever.
        """
        if self.is_perpetual:
            return (0, None) if contract_type == "PERPETUAL" else (0, 0)
        current_us = _delivery_us(self.quarter - 1)
        match contract_type:
            case "CURRENT_QUARTER":
                return current_us, self.contract.delivery_us
            case "NEXT_QUARTER":
                return self.contract.listed_us, current_us
        return 0, 0


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    defaults: dict[str, Any]
    listings: list[dict[str, Any]]


@cache
def load(wallet: str) -> tuple[Listing, ...]:
    """The listings that come with the package for the product that trades in a wallet."""
    document = files("emulator.exchanges.binance.futures").joinpath(f"{wallet}.json").read_bytes()
    return tuple(read(document, wallet))


def read(document: bytes, wallet: str) -> Iterator[Listing]:
    """The listings of a document. Raises ListingError, which names the symbol."""
    try:
        parsed = msgspec.json.decode(document, type=_Document)
    except msgspec.DecodeError as error:
        raise ListingError(str(error)) from error
    seen: set[str] = set()
    for values in parsed.listings:
        try:
            row = msgspec.convert({**parsed.defaults, **values}, Row)
            listed = list(_listed(row, wallet))
        except (msgspec.ValidationError, ListingError) as error:
            raise ListingError(f"{values.get('symbol', 'a row without a symbol')}: {error}") from error
        for listing in listed:
            if listing.symbol in seen:
                raise ListingError(f"{listing.symbol}: listed twice")
            seen.add(listing.symbol)
            yield listing


def _listed(row: Row, wallet: str) -> Iterator[Listing]:
    if not row.quarterly:
        yield _listing(row, row.symbol, wallet, _time_us(row.onboard), quarter=0)
        return
    first, last = _number(*FIRST_QUARTER), _number(*LAST_QUARTER)
    for quarter in range(first, last + 1):
        symbol = f"{row.symbol}_{_last_friday(quarter):%y%m%d}"
        yield _listing(row, symbol, wallet, _delivery_us(quarter - 2), quarter=quarter)


def _listing(row: Row, symbol: str, wallet: str, onboard_us: int, *, quarter: int) -> Listing:
    is_inverse = row.settle == row.base
    funding_cap = _number_of(row.funding_cap, "funding_cap")
    times = 1 + quarter % 2
    contract = Contract(
        is_inverse=is_inverse,
        wallet=wallet,
        size=_number_of(row.size, "size"),
        settle=row.settle,
        margin_asset=row.settle,
        # A perpetual is there at any time, so that a clock of the past has something to trade.
        listed_us=onboard_us if quarter else 0,
        delivery_us=_delivery_us(quarter) if quarter else None,
        # Quirk: a delivery is charged as a taker is (FAQ "Delivery & Settlement of Quarterly Futures").
        delivery_fee=_number_of(row.taker_fee, "taker_fee"),
        funding_hours=0 if quarter else row.funding_hours,
        liquidation_fee=_number_of(row.liquidation_fee, "liquidation_fee"),
        tiers=_tiers(row),
        marking=MarkRule(step=MARK_STEP, funding=FundingRule(cap=funding_cap, floor=-funding_cap)),
        take_bound=_number_of(row.market_take_bound, "market_take_bound"),
        closing_orders_max=1,
    )
    step = _number_of(row.quantity_step, "quantity_step")
    instrument = Instrument(
        symbol=f"{wallet}:{symbol}",
        kind=Kind.INVERSE if is_inverse else Kind.LINEAR,
        base=row.base,
        quote=row.quote,
        settle=row.settle,
        price_step=_number_of(row.price_step, "price_step"),
        price_min=_number_of(row.price_min, "price_min"),
        price_max=_number_of(row.price_max, "price_max"),
        quantity_step=step,
        quantity_min=_number_of(row.quantity_min, "quantity_min"),
        quantity_max=_number_of(row.quantity_max, "quantity_max"),
        market_quantity_step=step,
        market_quantity_min=_number_of(row.quantity_min, "quantity_min"),
        market_quantity_max=_number_of(row.market_quantity_max, "market_quantity_max"),
        notional_min=_number_of(row.notional_min, "notional_min"),
        bid_multiplier_up=_number_of(row.multiplier_up, "multiplier_up"),
        ask_multiplier_down=_number_of(row.multiplier_down, "multiplier_down"),
        orders_max=row.orders_max,
        trigger_orders_max=row.algo_orders_max,
        trigger_orders_shared=True,
        trigger_sources=frozenset({TriggerSource.LAST, TriggerSource.MARK}),
        trigger_protect=_number_of(row.trigger_protect, "trigger_protect"),
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
        maker_fee=_number_of(row.maker_fee, "maker_fee"),
        taker_fee=_number_of(row.taker_fee, "taker_fee"),
        fee_asset_rule=FeeAssetRule.QUOTE,
        amend_keeps_priority=False,
        # No order comes of one that cannot do what its time in force says (error codes -5021, -5022).
        post_only_failure=Outcome.REFUSE,
        fill_or_kill_failure=Outcome.REFUSE,
        profile=MarketProfile(
            anchor=_number_of(row.anchor, "anchor"),
            volatility_bips=row.volatility_bips,
            spread_steps=row.spread_steps,
            # Two quarters that were traded alike would have the same market to the last trade.
            trade_quantity=_number_of(row.trade_quantity, "trade_quantity") * times,
            level_quantity=_number_of(row.level_quantity, "level_quantity") * times,
            trades_per_minute=row.trades_per_minute * times,
            path=row.path,
        ),
        contract=contract,
    )
    complaints = "; ".join(_complaints(instrument))
    if complaints:
        raise ListingError(complaints)
    return Listing(
        symbol=symbol,
        pair=row.base + row.quote,
        instrument=instrument,
        contract=contract,
        onboard_us=onboard_us,
        quarter=quarter,
        row=row,
    )


def _number_of(text: str, name: str) -> Decimal:
    number = parse_plain(text)
    if number is None:
        raise ListingError(f"{name} is not a plain decimal: {text!r}")
    return number


def _tiers(row: Row) -> tuple[Tier, ...]:
    caps: Sequence[str] = [*(floor for floor, *_ in row.tiers[1:]), row.tier_cap]
    return tuple(
        Tier(
            floor=_number_of(floor, "tiers"),
            cap=_number_of(cap, "tiers"),
            leverage_max=_number_of(leverage, "tiers"),
            maintenance_rate=_number_of(rate, "tiers"),
            maintenance_amount=_number_of(taken_off, "tiers"),
        )
        for (floor, leverage, rate, taken_off), cap in zip(row.tiers, caps, strict=True)
    )


def _complaints(instrument: Instrument) -> Iterator[str]:
    """What the figures of one instrument contradict; nothing, if they may be used."""
    profile = instrument.profile
    assert instrument.contract is not None
    for name, value, step, lowest, highest in (
        ("price_min", instrument.price_min, instrument.price_step, instrument.price_step, None),
        ("price_max", instrument.price_max, instrument.price_step, instrument.price_min, None),
        ("quantity_min", instrument.quantity_min, instrument.quantity_step, instrument.quantity_step, None),
        ("quantity_max", instrument.quantity_max, instrument.quantity_step, instrument.quantity_min, None),
        ("anchor", profile.anchor, instrument.price_step, instrument.price_min, instrument.price_max),
        (
            "trade_quantity",
            profile.trade_quantity,
            instrument.quantity_step,
            instrument.quantity_min,
            instrument.quantity_max,
        ),
        (
            "level_quantity",
            profile.level_quantity,
            instrument.quantity_step,
            instrument.quantity_min,
            instrument.quantity_max,
        ),
    ):
        if value < lowest or (highest is not None and value > highest):
            yield f"{name} is not between {lowest} and {highest}"
        elif not is_on_step(value, step):
            yield f"{name} is not a multiple of {step}"
    up, down = instrument.bid_multiplier_up, instrument.ask_multiplier_down
    if up is None or down is None or not down < ONE < up:
        yield "the multipliers are not a band around 1"
    tiers = instrument.contract.tiers
    if not tiers or tiers[0].floor or tiers[0].maintenance_amount:
        yield "the first tier does not begin at zero"
    with exact():
        for below, tier in pairwise(tiers):
            rise = tier.floor * (tier.maintenance_rate - below.maintenance_rate)
            if tier.maintenance_amount != below.maintenance_amount + rise:
                yield f"the maintenance margin jumps at {tier.floor}"


# Quarters, numbered from the year 0


def _number(year: int, quarter: int) -> int:
    return year * 4 + quarter - 1


def _last_friday(quarter: int) -> date:
    """Of the last month of a quarter."""
    year, place = divmod(quarter + 1, 4)
    last = date(year, place * 3 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - 4) % 7)


def _delivery_us(quarter: int) -> int:
    return _day_us(_last_friday(quarter)) + 8 * 3_600_000_000


def _time_us(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ListingError(f"onboard: {error}") from error
    if moment.tzinfo is None:
        raise ListingError(f"onboard says no time zone: {text!r}")
    return int(moment.timestamp()) * 1_000_000


def _day_us(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
