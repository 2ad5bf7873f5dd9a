"""What is in a file: the rows that REST would answer for its span, as lines, some at a time.

Files of spot have no header line, those of contracts have one (issue 283 of binance/binance-public-data).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, Protocol

from emulator.core.engine import Engine
from emulator.core.marks import Marks
from emulator.core.numbers import exact
from emulator.exchanges.binance.bulk.keys import (
    AGGREGATES,
    CANDLES,
    FUNDING,
    INDEX,
    KLINES,
    MARK,
    PREMIUM,
    TRADES,
    File,
)
from emulator.exchanges.binance.futures.figures import Figures, figures_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.market.klines import render_price_kline, render_trade_kline
from emulator.exchanges.binance.futures.products import USDM
from emulator.exchanges.binance.readings.intervals import interval_of
from emulator.exchanges.binance.spot.market.klines import render_kline
from emulator.exchanges.binance.vocabulary import INTERVALS_US, render_amount, render_product
from emulator.market_data.candles import read_candles
from emulator.market_data.contract_candles import Ask, Wanted, read_prices, read_trades
from emulator.market_data.intervals import MINUTE_US
from emulator.market_data.marks import marks_of, payment_times, read_payment

ROWS_MAX: Final = 1_500_000
"""In one file: a day of the busiest market has fewer, and making as many takes half a minute."""

TRADES_AT_ONCE: Final = 100
CANDLES_AT_ONCE: Final = 50
"""How much is looked up at once, which costs less than one by one: some milliseconds at most."""

MICROSECONDS_SINCE_US: Final = 1_735_689_600_000_000
"""2025-01-01, from when on the times in files of spot are in microseconds (README, "SPOT")."""

HOUR_US: Final = 60 * MINUTE_US

_KLINE_HEADER: Final = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)
_AGGREGATE_HEADER: Final = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
)
_USDM_TRADE_HEADER: Final = "id,price,qty,quote_qty,time,is_buyer_maker\n"
_COINM_TRADE_HEADER: Final = "id,price,qty,base_qty,time,is_buyer_maker\n"
_FUNDING_HEADER: Final = "calc_time,funding_interval_hours,last_funding_rate\n"

_ASKS: Final[dict[str, Ask]] = {
    INDEX: Marks.index_candles,
    MARK: Marks.mark_candles,
    PREMIUM: Marks.premium_candles,
}


class Trade(Protocol):
    """One trade of the tape, as it is read here."""

    @property
    def id(self) -> int: ...
    @property
    def time_us(self) -> int: ...
    @property
    def price(self) -> Decimal: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def buyer_is_maker(self) -> bool: ...


EngineNow = Callable[[], Engine]
"""The engine as it is at the moment; see `running.engine_of`."""


def begins_us(engine: Engine, file: File, now_us: int) -> int | None:
    """When what a file is about began to be traded; None if it has not yet been."""
    instrument = file.subject.instrument.symbol
    with exact():
        oldest = engine.state.markets[instrument].trades(1, 1, now_us)
    if not oldest:
        return None
    begun_us = max(oldest[0].time_us, file.subject.begins_us)
    # The candle that holds the beginning opens before it.
    return interval_of(file.interval).open_of(begun_us) if file.kind in CANDLES else begun_us


def rows_of(file: File) -> int:
    """About how many rows a whole file has."""
    length_us = file.end_us - file.start_us
    if file.kind in CANDLES:
        return -(-length_us // (INTERVALS_US[file.interval] or length_us))
    if file.kind == FUNDING:
        return length_us // (8 * HOUR_US)
    return length_us // MINUTE_US * file.subject.instrument.profile.trades_per_minute


def effort_of(file: File) -> int:
    """About how long a file takes to make, in trades that are read in that time."""
    return rows_of(file) * _EFFORTS[file.kind]


_EFFORTS: Final[dict[str, int]] = {
    TRADES: 1,
    AGGREGATES: 1,
    PREMIUM: 5,
    KLINES: 10,
    INDEX: 15,
    MARK: 60,
    FUNDING: 60,
}


def text_of(engine_now: EngineNow, file: File, from_us: int) -> Iterator[str]:
    """The table of a file that is there, piece by piece; what is before `from_us` is left out.

    Each piece is made when it is asked for, in the core's exact context, so that others may have their turn
    between two of them.
    """
    start_us, end_us = max(file.start_us, from_us), file.end_us
    if file.subject.ends_us is not None:
        end_us = min(end_us, file.subject.ends_us)
    if file.kind in (TRADES, AGGREGATES):
        return _trades(engine_now, file, start_us, end_us)
    if file.kind == FUNDING:
        return _payments(engine_now, file, start_us, end_us)
    return _candles(engine_now, file, start_us, end_us)


def spot_divisor(file: File) -> int:
    """Microseconds in the unit of a file of spot."""
    # Quirk: files of spot say when in microseconds since those of 2025-01-01, earlier ones and those of
    # contracts in milliseconds (README, "SPOT").
    return 1 if file.start_us >= MICROSECONDS_SINCE_US else 1000


# Trades


def _trades(engine_now: EngineNow, file: File, start_us: int, end_us: int) -> Iterator[str]:
    instrument, last_us = file.subject.instrument.symbol, end_us - 1
    listing = file.subject.listing
    if listing is None:
        line = _spot_line(file.kind, spot_divisor(file))
    else:
        line = _contract_line(file.kind, figures_of(listing))
        yield _trade_header(file)
    market = engine_now().state.markets[instrument]
    first_id, last_id = market.trade_count(start_us - 1) + 1, market.trade_count(last_us)
    while first_id <= last_id:
        market = engine_now().state.markets[instrument]
        yield "".join([line(trade) for trade in market.trades(first_id, TRADES_AT_ONCE, last_us)])
        first_id += TRADES_AT_ONCE


def _trade_header(file: File) -> str:
    if file.kind == AGGREGATES:
        return _AGGREGATE_HEADER
    return _USDM_TRADE_HEADER if file.section.product is USDM else _COINM_TRADE_HEADER


def _spot_line(kind: str, divisor: int) -> Callable[[Trade], str]:
    def trade_line(trade: Trade) -> str:
        return (
            f"{trade.id},{render_amount(trade.price)},{render_amount(trade.quantity)},"
            f"{render_product(trade.amount)},{trade.time_us // divisor},{trade.buyer_is_maker},True\n"
        )

    def aggregate_line(trade: Trade) -> str:
        return (
            f"{trade.id},{render_amount(trade.price)},{render_amount(trade.quantity)},{trade.id},{trade.id},"
            f"{trade.time_us // divisor},{trade.buyer_is_maker},True\n"
        )

    return trade_line if kind == TRADES else aggregate_line


def _contract_line(kind: str, figures: Figures) -> Callable[[Trade], str]:
    # Quirk: what Python prints of a truth is in files of spot, what JSON does in those of contracts (README).
    def trade_line(trade: Trade) -> str:
        return (
            f"{trade.id},{figures.price(trade.price)},{figures.quantity(trade.quantity)},"
            f"{figures.exact_value(trade.quantity, trade.amount)},{trade.time_us // 1000},"
            f"{'true' if trade.buyer_is_maker else 'false'}\n"
        )

    def aggregate_line(trade: Trade) -> str:
        return (
            f"{trade.id},{figures.price(trade.price)},{figures.quantity(trade.quantity)},{trade.id},"
            f"{trade.id},{trade.time_us // 1000},{'true' if trade.buyer_is_maker else 'false'}\n"
        )

    return trade_line if kind == TRADES else aggregate_line


# Candles


def _candles(engine_now: EngineNow, file: File, start_us: int, end_us: int) -> Iterator[str]:
    """Those that open in a span and were over when the file appeared."""
    interval, listing = interval_of(file.interval), file.subject.listing
    if listing is not None:
        yield _KLINE_HEADER
    open_us = interval.open_from(start_us)
    while open_us < end_us:
        last_us = min(end_us - 1, interval.step(open_us, CANDLES_AT_ONCE - 1))
        # A month's file ends with what was over when it was made, which a candle of several days that began
        # in it need not be. What it would hold of that otherwise, nobody knew by then.
        while last_us >= open_us and interval.step(interval.open_of(last_us), 1) > file.published_us:
            last_us = interval.open_of(last_us) - 1
        if last_us < open_us:
            return
        wanted = Wanted(interval, open_us, last_us, CANDLES_AT_ONCE, file.published_us)
        for row in _klines(engine_now(), file, listing, wanted):
            yield ",".join(map(str, row)) + "\n"
        open_us = interval.step(open_us, CANDLES_AT_ONCE)


def _klines(
    engine: Engine, file: File, listing: Listing | None, wanted: Wanted
) -> Iterator[tuple[str | int, ...]]:
    if listing is None:
        divisor = spot_divisor(file)
        candles = read_candles(
            engine,
            file.subject.instrument.symbol,
            wanted.interval,
            start_us=wanted.start_us,
            end_us=wanted.end_us,
            limit=wanted.limit,
            now_us=wanted.now_us,
        )
        return (render_kline(candle, divisor) for candle in candles)
    if file.kind == KLINES:
        figures = figures_of(listing)
        return (
            render_trade_kline(figures, candle) for candle in read_trades(engine, listing.instrument, wanted)
        )
    return (
        render_price_kline(prices)
        for prices in read_prices(engine, listing.instrument, _ASKS[file.kind], wanted)
    )


# Payments


def _payments(engine_now: EngineNow, file: File, start_us: int, end_us: int) -> Iterator[str]:
    listing = file.subject.listing
    assert listing is not None, "spot pays no funding"
    yield _FUNDING_HEADER
    engine = engine_now()
    hours = marks_of(engine, listing.instrument.symbol).interval_us // HOUR_US
    for time_us in payment_times(
        engine, listing.instrument, start_us=start_us, end_us=end_us - 1, limit=31 * 24
    ):
        rate = read_payment(engine_now(), listing.instrument, time_us).rate
        yield f"{time_us // 1000},{hours},{render_amount(rate)}\n"


def length_of(file: File) -> int:
    """About how many bytes a file has."""
    return 200 + rows_of(file) * _BYTES_PER_ROW.get(file.kind, 30)


_BYTES_PER_ROW: Final[dict[str, int]] = {KLINES: 55, TRADES: 22, AGGREGATES: 22, FUNDING: 12}
