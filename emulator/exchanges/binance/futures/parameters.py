"""Parameters that several of the public futures endpoints share, and what their ranges of time come to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from emulator.exchanges.binance import vocabulary as v
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.market_data.intervals import DAY_US
from emulator.web.contract import Kind, Parameter


def limit(default: int, maximum: int) -> Parameter:
    """How many rows; more than the maximum is refused."""
    # Quirk: a `limit` above the maximum is -1130 on futures, where Spot gives the maximum (live answers).
    return Parameter("limit", Kind.INTEGER, default=default, minimum=1, maximum=maximum)


LIMIT: Final = limit(500, 1000)
KLINE_LIMIT: Final = limit(500, 1500)
DATA_LIMIT: Final = limit(30, 500)

# Quirk: futures have no klines of a second (live answers: -1120).
INTERVAL: Final = v.INTERVAL.but(choices=tuple(word for word in v.INTERVALS_US if word != "1s"))

PERIODS_US: Mapping[str, int] = MappingProxyType(
    {word: v.INTERVALS_US[word] for word in ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")}
)
PERIOD: Final = Parameter("period", Kind.CHOICE, required=True, choices=tuple(PERIODS_US))

PAIR: Final = v.SYMBOL.but(name="pair", description="The name of a pair, such as BTCUSDT.")
PAIR_OPTIONAL: Final = PAIR.but(required=False)

CONTRACT_TYPES: Final = ("PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER")
ALL_TYPES: Final = "ALL"
CONTRACT_TYPE: Final = Parameter(
    "contractType", Kind.CHOICE, required=True, choices=CONTRACT_TYPES, error=-4104
)
ANY_CONTRACT_TYPE: Final = CONTRACT_TYPE.but(required=False, choices=(ALL_TYPES, *CONTRACT_TYPES))

DATA_DAYS: Final = 30
"""How far back the figures of /futures/data go."""


def kline_weight(values: Mapping[str, Any]) -> int:
    wanted = values["limit"]
    if wanted < 100:
        return 1
    if wanted < 500:
        return 2
    return 5 if wanted <= 1000 else 10


def check_order(product: Product, values: Mapping[str, Any]) -> None:
    """Raises -1023 when `startTime` is after `endTime`."""
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if start_us is not None and end_us is not None and start_us > end_us:
        raise TABLES[product].refuse(-1023)


def data_span(product: Product, values: Mapping[str, Any], now_us: int, period_us: int) -> range:
    """The moments, a period apart, of which /futures/data tells: from a start the oldest, else the newest."""
    check_order(product, values)
    oldest_us = now_us // 1000 * 1000 - DATA_DAYS * DAY_US
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if start_us is not None and start_us < oldest_us:
        # Quirk: a start that is too long ago has a text of its own (live answers to openInterestHist).
        raise TABLES[product].refuse(-1130, text="parameter 'startTime' is invalid.")
    last_us = now_us if end_us is None else min(end_us, now_us)
    last_us -= last_us % period_us
    wanted = values["limit"]
    if start_us is None:
        first_us = max(last_us - (wanted - 1) * period_us, -(-oldest_us // period_us) * period_us)
    else:
        first_us = -(-start_us // period_us) * period_us
        last_us = min(last_us, first_us + (wanted - 1) * period_us)
    return range(first_us, last_us + 1, period_us)
