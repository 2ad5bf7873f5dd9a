"""Streams of the index prices of assets that count as margin."""

from __future__ import annotations

from typing import Any, NamedTuple

from emulator.core.engine import Engine
from emulator.exchanges.binance.futures.assets import BUFFERS, AssetReading, read_asset
from emulator.exchanges.binance.futures.streams.payloads import AssetIndexEvent
from emulator.exchanges.binance.vocabulary import render_amount


class Reading(NamedTuple):
    now_us: int
    one: AssetReading


class AssetTickers:
    """How these are read and shown: again and again, changed or not."""

    def read(self, engine: Engine, asset: str, now_us: int) -> Reading:
        return Reading(now_us, read_asset(engine, asset, now_us))

    read_sums = read

    def is_news(self, reading: Reading, earlier: Reading) -> bool:
        return True

    def render(self, reading: Reading, divisor: int) -> Any:
        return _render(reading, divisor)


def all_assets(engine: Engine, now_us: int) -> list[str]:
    return list(BUFFERS)


def _render(reading: Reading, divisor: int) -> AssetIndexEvent:
    one = reading.one
    buffer, exchanged = one.buffer, one.exchanged
    return {
        "e": "assetIndexUpdate",
        "E": reading.now_us // divisor,
        "s": one.symbol,
        "i": render_amount(one.price),
        "b": render_amount(buffer),
        "a": render_amount(buffer),
        "B": render_amount(one.rate(-buffer)),
        "A": render_amount(one.rate(buffer)),
        "q": render_amount(exchanged),
        "g": render_amount(exchanged),
        "Q": render_amount(one.rate(-exchanged)),
        "G": render_amount(one.rate(exchanged)),
    }
