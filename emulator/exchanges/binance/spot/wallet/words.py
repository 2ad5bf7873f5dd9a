"""The wallet API's words: errors, wallets, amounts, and the parameters that its endpoints share.

Texts of errors are those of the wallet's own error list, where no live answer is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeVar

from emulator.core.history import Movement, MovementKind, Query
from emulator.core.numbers import canonical
from emulator.exchanges.binance.assets import Asset, assets
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.windows import DAY_US
from emulator.exchanges.binance.vocabulary import END_TIME, START_TIME, limit
from emulator.web.contract import Call, Kind, Parameter, Refusal

SPOT: Final = "spot"
FUNDING: Final = "funding"

WALLET_TYPES: Mapping[str, int] = MappingProxyType({SPOT: 0, FUNDING: 1})
"""The numbers under which deposits and withdrawals name the wallets they go into and out of."""

TEXTS: Mapping[int, str] = MappingProxyType(
    {
        # As live hosts answer.
        -4007: "Address verification failed",
        -4008: "Address tag validation is not passed.",
        -4018: "We don't have this asset.",
        -4019: "Current asset is not open for withdrawal.",
        -4021: "Asset withdrawal must be an %s multiple of %s.",
        -4022: "Not less than the minimum pick-up quantity %s.",
        -4023: "Within 24 hours, the withdrawal exceeds the maximum amount.",
        -4047: "Time interval must be within 0-90 days",
        # Named without a text in the change log of 2026-04-28.
        -4106: "TAG_NOT_SUPPORTED_FOR_NETWORK",
        -5003: "You don't have this asset.",
        -5007: "Quantity must be greater than zero.",
        # As live hosts answer; not in the error list.
        -5013: "Asset transfer failed: insufficient balance",
    }
)


COIN: Final = Parameter("coin", pattern="[A-Za-z0-9_-]{1,40}", length_max=40)
ASSET: Final = COIN.but(name="asset")
NETWORK: Final = Parameter(
    "network",
    pattern="[A-Za-z0-9_-]{1,40}",
    length_max=40,
    description="The coin's default one when not sent.",
)
NEED_BTC_VALUATION: Final = Parameter("needBtcValuation", Kind.BOOLEAN, default=False)
OFFSET: Final = Parameter("offset", Kind.INTEGER, default=0)
HISTORY: Final = (START_TIME, END_TIME, OFFSET, limit(1000, 1000))
HISTORY_DAYS: Final = 90

T = TypeVar("T")


def refuse_wallet(code: int, *parts: object) -> Refusal:
    """The error `code` of the wallet's API."""
    return refuse(code, *parts, text=TEXTS[code])


def render_plain(value: Decimal) -> str:
    """An amount without trailing zeros and without an exponent."""
    return format(canonical(value), "f")


def find_coin(code: str) -> Asset:
    """The asset of a code; raises -4018."""
    asset = assets().get(code)
    if asset is None:
        raise refuse_wallet(-4018)
    return asset


def asked_range(values: Mapping[str, Any], now_us: int, days: int = HISTORY_DAYS) -> tuple[int, int]:
    """First and last moment of a history, by default the last so many days; raises -4047."""
    start_us: int = values.get("startTime", now_us - days * DAY_US)
    # A client means the whole of a millisecond.
    end_us: int = values["endTime"] + 999 if "endTime" in values else now_us
    if end_us - start_us > days * DAY_US + 999:
        raise refuse_wallet(-4047)
    return start_us, end_us


def page(entries: Sequence[T], values: Mapping[str, Any]) -> Sequence[T]:
    """The part that `offset` and `limit` name."""
    offset: int = values["offset"]
    return entries[offset : offset + values["limit"]]


async def movements(call: Call, kind: MovementKind, start_us: int, end_us: int) -> list[Movement]:
    """What came in, went out or was moved between wallets in a span, newest first."""
    query = Query(account=call.account, scope=kind.value, start_us=start_us, end_us=end_us)
    return await call.sandbox.history.walk_back(call.site.engine, Movement, query)
