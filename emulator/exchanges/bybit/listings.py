"""What Bybit lists: the rows of instruments.json, checked and read once.

The file holds figures of the exchange's own listings; `source` says of each row where they come from.
Every decimal is a string there, so nothing passes through a float, and it has as many places as the wire
shows. A perpetual and a pair are a symbol as it stands. A row that is `dated` is a family: one contract for
each last Friday of a quarter, delivered at 08:00 UTC and listed when the contract two quarters before it
is delivered, so that two of them can be traded at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

from emulator.core.contracts import (
    Contract,
    FeeBasis,
    FundingRule,
    MarkRule,
    Tier,
    Valuation,
    tier_faults,
    tier_table,
)
from emulator.core.instruments import (
    FeeAssetRule,
    Instrument,
    Kind,
    MarketProfile,
    Outcome,
    SelfTradeMode,
    TriggerSource,
)
from emulator.core.numbers import ZERO, exact, is_on_step, parse_plain

UNIFIED: Final = "unified"
"""The wallet in which everything is traded."""

FIRST_QUARTER: Final = (2024, 1)
LAST_QUARTER: Final = (2030, 4)
"""The quarters at whose end dated contracts are delivered."""

DELIVERING_US: Final = 3_600_000_000
"""For how long a contract that was delivered says so before it is closed. Not documented."""

MAKER_FEE: Final = Decimal("0.0002")
TAKER_FEE: Final = Decimal("0.00055")
"""Of contracts, at the lowest level (fee schedule, "VIP 0")."""

SPOT_FEE: Final = Decimal("0.001")
DELIVERY_FEE: Final = "0.0005"

PAIR_STEP: Final = Decimal("0.0000000001")
"""Balances have up to eighteen places; these are enough for what one step of a pair costs."""

STOP_PAIRS_MAX: Final = 20
"""How many pairs of stops for parts of one position may wait (error page, 110061)."""

LEVERAGE_STEP: Final = "0.01"

SELF_TRADE_MODES: Final = frozenset(
    {
        SelfTradeMode.NONE,
        SelfTradeMode.EXPIRE_TAKER,
        SelfTradeMode.EXPIRE_MAKER,
        SelfTradeMode.EXPIRE_BOTH,
    }
)

_QUARTER_LETTERS: Final = "HMUZ"


class ListingError(ValueError):
    """The listing file contradicts itself or the rules of the core."""


class PairRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pair.

    quantity_min, order_quantity_max, amount_max: shown, and not checked any more ("Get Instruments Info").
    limit_quantity_max, market_quantity_max: of one order of that type. anchor to spread_steps: of the
    synthetic market, see `MarketProfile`.
    """

    symbol: str
    symbol_id: int
    base: str
    quote: str
    price_step: str
    price_max: str
    quantity_step: str
    quantity_min: str
    limit_quantity_max: str
    market_quantity_max: str
    order_quantity_max: str
    amount_min: str
    amount_max: str
    price_limit_x: str
    price_limit_y: str
    margin_trading: str = "utaOnly"
    source: str
    anchor: str
    path: str
    volatility_bips: int
    trade_quantity: str
    level_quantity: str
    trades_per_minute: int
    spread_steps: int = 1


class ContractRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contract, or a family of dated ones.

    dated: empty for a perpetual; else how its contracts are called: by the `day` of their delivery or by the
    letter of its `quarter`. price_scale: places of index and mark price. notional_min: "0" is shown as
    nothing. tiers: which table of the file.
    """

    symbol: str
    symbol_id: int
    base: str
    quote: str
    settle: str
    launch: str
    price_step: str
    price_min: str
    price_max: str
    price_scale: int
    quantity_step: str
    quantity_min: str
    quantity_max: str
    market_quantity_max: str
    notional_min: str
    leverage_max: str
    tiers: str
    funding_cap: str
    price_limit_x: str
    price_limit_y: str
    copy_trading: str
    dated: Literal["", "day", "quarter"] = ""
    source: str
    anchor: str
    path: str
    volatility_bips: int
    trade_quantity: str
    level_quantity: str
    trades_per_minute: int
    spread_steps: int = 1


class RiskTier(msgspec.Struct, frozen=True, kw_only=True):
    """One tier as the wire shows it. value_max: of a position, in what the contract settles in."""

    number: int
    value_max: str
    leverage_max: str
    initial: str
    maintenance: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol: its rules for the core, and what only the wire shows.

    launch_us: when it was listed. quarter: which of the quarters a dated contract ends, counted; 0 else.
    pair_row, contract_row: one of them is there.
    pair: of a contract the row, of a pair None, and the other way round.
    """

    category: str
    symbol: str
    symbol_id: int
    instrument: Instrument
    launch_us: int
    quarter: int = 0
    pair_row: PairRow | None = None
    contract_row: ContractRow | None = None
    risk_tiers: tuple[RiskTier, ...] = ()

    @property
    def row(self) -> PairRow | ContractRow:
        row = self.pair_row or self.contract_row
        assert row is not None
        return row

    @property
    def base(self) -> str:
        return self.instrument.base

    @property
    def quote(self) -> str:
        return self.instrument.quote

    @property
    def settle(self) -> str:
        return self.instrument.settle

    @property
    def money_step(self) -> Decimal:
        """Of amounts of money that a pair's order may be for."""
        return self.instrument.price_step * self.instrument.quantity_step

    @property
    def contract(self) -> Contract | None:
        return self.instrument.contract

    @property
    def is_inverse(self) -> bool:
        return self.instrument.kind is Kind.INVERSE

    @property
    def is_perpetual(self) -> bool:
        """Of a contract: whether it is never delivered."""
        contract = self.contract
        return contract is not None and contract.delivery_us is None

    @property
    def delivery_us(self) -> int | None:
        return None if self.contract is None else self.contract.delivery_us

    @property
    def price_places(self) -> int:
        """Digits after the point of its prices on the wire."""
        return _places(self.row.price_step)

    @property
    def quantity_places(self) -> int:
        return _places(self.row.quantity_step)

    @property
    def contract_type(self) -> str:
        """`LinearPerpetual`, `LinearFutures`, `InversePerpetual` or `InverseFutures`."""
        kind = "Inverse" if self.is_inverse else "Linear"
        return kind + ("Perpetual" if self.is_perpetual else "Futures")

    def is_listed(self, now_us: int) -> bool:
        """Whether it can be traded at a time."""
        return self.contract is None or self.contract.is_listed(now_us)

    def is_known(self, now_us: int) -> bool:
        """Whether it was ever listed until a time."""
        return self.contract is None or self.contract.listed_us <= now_us

    def status(self, now_us: int) -> str:
        """`Trading`, `Delivering` for a while after its delivery, and `Closed`; of one that is known."""
        if self.is_listed(now_us):
            return "Trading"
        delivery_us = self.delivery_us
        assert delivery_us is not None
        return "Delivering" if now_us < delivery_us + DELIVERING_US else "Closed"

    def read_us(self, now_us: int) -> int:
        """The time as of which its market is shown: after the delivery, the last moment before it."""
        delivery_us = self.delivery_us
        return now_us if delivery_us is None or now_us < delivery_us else delivery_us - 1


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tiers: dict[str, list[tuple[str, str, str, str]]]
    spot: list[PairRow]
    linear: list[ContractRow]
    inverse: list[ContractRow]


@cache
def load() -> tuple[Listing, ...]:
    """The listings that come with the package, category after category."""
    return read(files("emulator.exchanges.bybit").joinpath("instruments.json").read_bytes())


def read(document: bytes) -> tuple[Listing, ...]:
    """The listings of a document. Raises ListingError, which names the symbol."""
    try:
        parsed = msgspec.json.decode(document, type=_Document)
    except msgspec.DecodeError as error:
        raise ListingError(str(error)) from error
    found: dict[str, Listing] = {}
    for listing in _all(parsed):
        name = listing.instrument.symbol
        if name in found:
            raise ListingError(f"{name}: listed twice")
        found[name] = listing
    return tuple(found.values())


def _all(document: _Document) -> Iterator[Listing]:
    for pair in document.spot:
        with _naming(f"spot {pair.symbol}"):
            yield _pair(pair)
    for category, rows in (("linear", document.linear), ("inverse", document.inverse)):
        for row in rows:
            with _naming(f"{category} {row.symbol}"):
                yield from _contracts(category, row, document.tiers)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Says of which row a complaint is."""
    try:
        yield
    except ListingError as error:
        raise ListingError(f"{name}: {error}") from error


# Pairs


def _pair(row: PairRow) -> Listing:
    step = _number(row.quantity_step, "quantity_step")
    instrument = Instrument(
        symbol=f"spot:{row.symbol}",
        base=row.base,
        quote=row.quote,
        settle=row.quote,
        base_step=PAIR_STEP,
        quote_step=PAIR_STEP,
        price_step=_number(row.price_step, "price_step"),
        price_min=_number(row.price_step, "price_step"),
        price_max=_number(row.price_max, "price_max"),
        quantity_step=step,
        # Quirk: the smallest quantity is shown and not checked any more, only the smallest amount is
        # ("Get Instruments Info").
        quantity_min=step,
        quantity_max=_number(row.limit_quantity_max, "limit_quantity_max"),
        market_quantity_step=step,
        market_quantity_min=step,
        market_quantity_max=_number(row.market_quantity_max, "market_quantity_max"),
        notional_min=_number(row.amount_min, "amount_min"),
        # Prices are measured by the last one.
        reference_minutes=0,
        bid_multiplier_up=1 + _number(row.price_limit_x, "price_limit_x"),
        ask_multiplier_down=1 - _number(row.price_limit_x, "price_limit_x"),
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
        maker_fee=SPOT_FEE,
        taker_fee=SPOT_FEE,
        fee_asset_rule=FeeAssetRule.RECEIVED,
        post_only_failure=Outcome.EXPIRE,
        fill_or_kill_failure=Outcome.EXPIRE,
        take_bound_failure=Outcome.EXPIRE,
        dormant_modified=True,
        below_executed=Outcome.REFUSE,
        take_bound=_number(row.price_limit_y, "price_limit_y"),
        trigger_sources=frozenset({TriggerSource.LAST}),
        profile=_profile(row),
    )
    _check(instrument)
    return Listing(
        category="spot",
        symbol=row.symbol,
        symbol_id=row.symbol_id,
        instrument=instrument,
        launch_us=0,
        pair_row=row,
    )


# Contracts


def _contracts(
    category: str, row: ContractRow, tables: dict[str, list[tuple[str, str, str, str]]]
) -> Iterator[Listing]:
    table = tables.get(row.tiers)
    if table is None:
        raise ListingError(f"there is no table of tiers {row.tiers!r}")
    tiers = _tiers(table)
    shown = tuple(
        RiskTier(
            number=number, value_max=cap, leverage_max=f"{Decimal(leverage):.2f}", initial=im, maintenance=mm
        )
        for number, (cap, leverage, im, mm) in enumerate(table, start=1)
    )
    if not row.dated:
        yield _contract(category, row, tiers, shown, row.symbol, quarter=0)
        return
    for quarter in range(_quarter(*FIRST_QUARTER), _quarter(*LAST_QUARTER) + 1):
        yield _contract(category, row, tiers, shown, _dated_symbol(row, quarter), quarter=quarter)


def _contract(
    category: str,
    row: ContractRow,
    tiers: tuple[Tier, ...],
    shown: tuple[RiskTier, ...],
    symbol: str,
    *,
    quarter: int,
) -> Listing:
    is_inverse = category == "inverse"
    cap = _number(row.funding_cap, "funding_cap")
    ratio = _number(row.price_limit_x, "price_limit_x")
    step = _number(row.quantity_step, "quantity_step")
    launch_us = _delivery_us(quarter - 2) if quarter else _time_us(row.launch)
    contract = Contract(
        is_inverse=is_inverse,
        wallet=UNIFIED,
        settle=row.settle,
        margin_asset=row.settle,
        # A perpetual is there at any time, so that a clock of the past has something to trade.
        listed_us=launch_us if quarter else 0,
        delivery_us=_delivery_us(quarter) if quarter else None,
        delivery_fee=Decimal(DELIVERY_FEE) if quarter else ZERO,
        funding_hours=0 if quarter else 8,
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
        take_bound=_number(row.price_limit_y, "price_limit_y"),
        stop_pairs_max=STOP_PAIRS_MAX,
        # Quirk: positions of both sides at once are for perpetuals in USDT only ("Switch Position Mode").
        hedgeable=row.settle == "USDT" and not quarter,
    )
    instrument = Instrument(
        symbol=f"{category}:{symbol}",
        kind=Kind.INVERSE if is_inverse else Kind.LINEAR,
        base=row.base,
        quote=row.quote,
        settle=row.settle,
        price_step=_number(row.price_step, "price_step"),
        price_min=_number(row.price_min, "price_min"),
        price_max=_number(row.price_max, "price_max"),
        quantity_step=step,
        quantity_min=_number(row.quantity_min, "quantity_min"),
        quantity_max=_number(row.quantity_max, "quantity_max"),
        market_quantity_step=step,
        market_quantity_min=_number(row.quantity_min, "quantity_min"),
        market_quantity_max=_number(row.market_quantity_max, "market_quantity_max"),
        notional_min=_number(row.notional_min, "notional_min"),
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
        # Two quarters that were traded alike would have the same market to the last trade.
        profile=_profile(row, times=1 + quarter % 2),
        contract=contract,
    )
    _check(instrument)
    return Listing(
        category=category,
        symbol=symbol,
        symbol_id=row.symbol_id * 1000 + quarter % 1000 if quarter else row.symbol_id,
        instrument=instrument,
        launch_us=launch_us,
        quarter=quarter,
        contract_row=row,
        risk_tiers=shown,
    )


def _tiers(table: Sequence[tuple[str, str, str, str]]) -> tuple[Tier, ...]:
    """The rows of a table are the largest value, the highest leverage, and the initial and maintenance rate;
    what is taken off follows from the rates, and is what the exchange publishes."""
    floors = [ZERO, *(_number(cap, "tiers") for cap, *_ in table[:-1])]
    with exact():
        tiers = tier_table(
            (
                (floor, _number(leverage, "tiers"), _number(maintenance, "tiers"))
                for floor, (_, leverage, _, maintenance) in zip(floors, table, strict=True)
            ),
            cap=_number(table[-1][0], "tiers"),
        )
        faults = tier_faults(tiers)
    if faults:
        raise ListingError("; ".join(faults))
    return tiers


def _profile(row: PairRow | ContractRow, times: int = 1) -> MarketProfile:
    return MarketProfile(
        anchor=_number(row.anchor, "anchor"),
        volatility_bips=row.volatility_bips,
        spread_steps=row.spread_steps,
        trade_quantity=_number(row.trade_quantity, "trade_quantity") * times,
        level_quantity=_number(row.level_quantity, "level_quantity") * times,
        trades_per_minute=row.trades_per_minute * times,
        path=row.path,
    )


def _number(text: str, name: str) -> Decimal:
    number = parse_plain(text)
    if number is None:
        raise ListingError(f"{name} is not a plain decimal: {text!r}")
    return number


def _check(instrument: Instrument) -> None:
    complaints = "; ".join(_complaints(instrument))
    if complaints:
        raise ListingError(complaints)


def _complaints(instrument: Instrument) -> Iterator[str]:
    """What the figures of one instrument contradict; nothing, if they may be used."""
    profile = instrument.profile
    prices = (instrument.price_step, instrument.price_min, instrument.price_max)
    quantities = (instrument.quantity_step, instrument.quantity_min, instrument.quantity_max)
    for name, value, (step, lowest, highest) in (
        ("price_min", instrument.price_min, prices),
        ("price_max", instrument.price_max, prices),
        ("anchor", profile.anchor, prices),
        ("quantity_min", instrument.quantity_min, quantities),
        ("quantity_max", instrument.quantity_max, quantities),
        ("market_quantity_max", instrument.market_quantity_max, quantities),
        ("trade_quantity", profile.trade_quantity, quantities),
        ("level_quantity", profile.level_quantity, quantities),
    ):
        if not lowest <= value <= highest:
            yield f"{name} is not between {lowest} and {highest}"
        elif not is_on_step(value, step):
            yield f"{name} is not a multiple of {step}"
    if min(profile.spread_steps, profile.volatility_bips, profile.trades_per_minute) < 1:
        yield "spread_steps, volatility_bips and trades_per_minute are at least 1"


def _places(step: str) -> int:
    return len(step.partition(".")[2])


# Quarters, numbered from the year 0


def _quarter(year: int, quarter: int) -> int:
    return year * 4 + quarter - 1


def _last_friday(quarter: int) -> date:
    """Of the last month of a quarter."""
    year, place = divmod(quarter + 1, 4)
    last = date(year, place * 3 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - 4) % 7)


def _delivery_us(quarter: int) -> int:
    day = _last_friday(quarter)
    return int(datetime(day.year, day.month, day.day, 8, tzinfo=UTC).timestamp()) * 1_000_000


def _dated_symbol(row: ContractRow, quarter: int) -> str:
    """Such as BTCUSDT-26DEC25; of an inverse contract BTCUSDZ25, with the letter of the quarter."""
    day = _last_friday(quarter)
    if row.dated == "quarter":
        return f"{row.symbol}{_QUARTER_LETTERS[quarter % 4]}{day:%y}"
    return f"{row.symbol}-{day:%d%b%y}".upper()


def _time_us(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ListingError(f"launch: {error}") from error
    if moment.tzinfo is None:
        raise ListingError(f"launch says no time zone: {text!r}")
    return int(moment.timestamp()) * 1_000_000
