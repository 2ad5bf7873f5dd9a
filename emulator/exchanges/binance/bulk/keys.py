"""Which files there are: their keys, the spans that they cover, and when they appear.

A key says everything: `data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-07-19.zip` is the day of a kind, of
a symbol, in an interval. A checksum is the same key with `.CHECKSUM` at its end (README of
binance/binance-public-data).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

import msgspec

from emulator.core.instruments import Instrument
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.spot.instruments import load
from emulator.exchanges.binance.vocabulary import INTERVALS_US
from emulator.market_data.intervals import DAY_US

BUCKET: Final = "data.binance.vision"
SUM_ENDING: Final = ".CHECKSUM"

DAILY: Final = "daily"
MONTHLY: Final = "monthly"

KLINES: Final = "klines"
TRADES: Final = "trades"
AGGREGATES: Final = "aggTrades"
INDEX: Final = "indexPriceKlines"
MARK: Final = "markPriceKlines"
PREMIUM: Final = "premiumIndexKlines"
FUNDING: Final = "fundingRate"

CANDLES: Final = frozenset({KLINES, INDEX, MARK, PREMIUM})
"""Kinds of which there is a folder for each interval."""

_SPOT_KINDS: Final = (AGGREGATES, KLINES, TRADES)
_FUTURES_KINDS: Final = (AGGREGATES, INDEX, KLINES, MARK, PREMIUM, TRADES)

# Quirk: a month is `1mo` in the names of files, for file systems that do not tell 1M from 1m (README,
# "Klines").
_MONTH_WORD: Final = "1mo"
INTERVALS: Mapping[str, str] = MappingProxyType(
    {_MONTH_WORD if word == "1M" else word: word for word in INTERVALS_US}
)
"""The intervals of REST by the names that they have in files."""

MONTHLY_ONLY: Final = frozenset({"3d", "1w", _MONTH_WORD})
"""What does not fit into a day has no daily files (python/enums.py there)."""

_EPOCH: Final = date(1970, 1, 1)

_FILE: Final = re.compile(r"(?P<of>.+)-(?P<span>[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?)\.zip", re.ASCII)


class Subject(msgspec.Struct, frozen=True, eq=False):
    """What a folder is about: an instrument of the core, by the name that it has in keys.

    listing: of a contract. begins_us, ends_us: when it is traded, as far as its listing says.
    """

    name: str
    instrument: Instrument
    listing: Listing | None = None
    begins_us: int = 0
    ends_us: int | None = None


class File(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One archive, whether it is there or not. interval: as REST has it, empty where there is none.

    start_us, end_us: the day or month. published_us: when it appears.
    """

    section: Section
    period: str
    kind: str
    subject: Subject
    interval: str
    folder: str
    span: str
    start_us: int
    end_us: int
    published_us: int

    @property
    def stem(self) -> str:
        """Its name without the ending, which the table inside has as well."""
        return f"{_prefix_of(self.folder, self.kind)}{self.span}"

    @property
    def name(self) -> str:
        return f"{self.stem}.zip"

    @property
    def key(self) -> str:
        return f"{self.folder}{self.name}"


class Section:
    """One of the three products: where its files are, and which there are. product: None of spot."""

    def __init__(self, path: str, product: Product | None) -> None:
        self.path = path
        self.product = product

    @cached_property
    def subjects(self) -> Mapping[str, Subject]:
        """By symbol."""
        if self.product is None:
            return {one.symbol: Subject(one.symbol, one.instrument) for one in load()}
        return {
            listing.symbol: Subject(
                listing.symbol,
                listing.instrument,
                listing,
                listing.contract.listed_us,
                listing.contract.delivery_us,
            )
            for listing in self.product.listings.values()
        }

    @cached_property
    def perpetuals(self) -> Mapping[str, Subject]:
        return {name: one for name, one in self.subjects.items() if one.listing and one.listing.is_perpetual}

    @cached_property
    def pairs(self) -> Mapping[str, Subject]:
        """By pair: all of its contracts have one index, which its perpetual is asked for."""
        return {
            one.listing.pair: Subject(one.listing.pair, one.instrument, one.listing, one.begins_us)
            for one in self.perpetuals.values()
            if one.listing
        }

    def kinds(self, period: str) -> tuple[str, ...]:
        """In the order of their names."""
        if self.product is None:
            return _SPOT_KINDS
        # Quirk: funding rates are in files of months only (the bucket's own listing).
        return tuple(sorted((*_FUTURES_KINDS, FUNDING))) if period == MONTHLY else _FUTURES_KINDS

    def subjects_of(self, kind: str) -> Mapping[str, Subject]:
        if kind == FUNDING:
            return self.perpetuals
        # Quirk: index prices are kept by pair, which on COIN-M is another name than any symbol's
        # (the bucket's own listing).
        return self.pairs if kind == INDEX else self.subjects

    def intervals(self, period: str) -> tuple[str, ...]:
        return tuple(
            name
            for name in INTERVALS
            if (period == MONTHLY or name not in MONTHLY_ONLY) and (self.product is None or name != "1s")
        )


SECTIONS: Final = (
    Section("data/futures/cm", COINM),
    Section("data/futures/um", USDM),
    Section("data/spot", None),
)


def parse_key(key: str) -> File | None:
    """The file of a key, without the ending of a checksum; None for a key that nothing can have."""
    for section in SECTIONS:
        if key.startswith(section.path + "/"):
            return _parse(section, key[len(section.path) + 1 :].split("/"))
    return None


def _parse(section: Section, segments: list[str]) -> File | None:
    if len(segments) < 4:
        return None
    period, kind, symbol, *rest = segments
    if period not in (DAILY, MONTHLY) or kind not in section.kinds(period):
        return None
    subject = section.subjects_of(kind).get(symbol)
    if subject is None or len(rest) != (2 if kind in CANDLES else 1):
        return None
    if kind in CANDLES and rest[0] not in section.intervals(period):
        return None
    interval = rest[0] if kind in CANDLES else ""
    named = _FILE.fullmatch(rest[-1])
    if named is None or named["of"] != f"{symbol}-{interval or kind}":
        return None
    first = _first_day(period, named["span"])
    if first is None:
        return None
    return file_of(section, period, kind, subject, interval, first)


def _first_day(period: str, span: str) -> date | None:
    try:
        first = date.fromisoformat(span if period == DAILY else f"{span}-01")
    except ValueError:
        return None
    # What comes after the last year cannot be said.
    return first if first.year < date.max.year else None


def file_of(section: Section, period: str, kind: str, subject: Subject, interval: str, first: date) -> File:
    """The file of the day, or of the month that begins with it. interval: as in names of files."""
    start_us = us_of(first)
    if period == DAILY:
        span = first.isoformat()
        end_us = published_us = start_us + DAY_US
    else:
        span = first.isoformat()[:7]
        next_month = month_after(first)
        end_us = us_of(next_month)
        # "The first monday of the month" (README).
        published_us = us_of(next_month + timedelta(days=-next_month.weekday() % 7))
    return File(
        section=section,
        period=period,
        kind=kind,
        subject=subject,
        interval=INTERVALS.get(interval, ""),
        folder=folder_of(section, period, kind, subject.name, interval),
        span=span,
        start_us=start_us,
        end_us=end_us,
        published_us=published_us,
    )


def folder_of(section: Section, period: str, kind: str, name: str, interval: str = "") -> str:
    inner = f"{interval}/" if interval else ""
    return f"{section.path}/{period}/{kind}/{name}/{inner}"


def _prefix_of(folder: str, kind: str) -> str:
    """What the names of files in a folder begin with."""
    *_, above, last, _ = folder.split("/")
    return f"{above}-{last}-" if kind in CANDLES else f"{last}-{kind}-"


def spans_from(period: str, first: date, last: date) -> Iterator[date]:
    """The first days of days or months, from the one that holds `first` to the one that holds `last`."""
    day = first if period == DAILY else first.replace(day=1)
    while day <= last:
        yield day
        day = day + timedelta(days=1) if period == DAILY else month_after(day)


def us_of(day: date) -> int:
    return (day - _EPOCH).days * DAY_US


def day_of(time_us: int) -> date:
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).date()


def month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
