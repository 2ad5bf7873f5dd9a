"""What the asset endpoints have in common: account types, their own error texts, and histories.

Texts are those of the error page ("Asset"), or where running servers say something else, what these say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

from emulator.core.history import Movement, MovementKind, Query
from emulator.exchanges.bybit.assets import Asset, assets
from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text, read_cursor
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.running import FUND, UNIFIED
from emulator.web.contract import Call, Kind, Parameter, Refusal

WALLETS: Final[Mapping[str, str]] = MappingProxyType({"UNIFIED": UNIFIED, "FUND": FUND})
"""The wallet of each account type."""
ACCOUNT_TYPES: Final[Mapping[str, str]] = MappingProxyType({wallet: word for word, wallet in WALLETS.items()})

TEXTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        131002: "Parameter error",
        131077: "receive user not exist",
        131081: "Do not input memo/tag,please.",
        131082: "Do not repeat the request",
        131096: "Withdraw amount does not satify the lower limit or upper limit",
        131203: "Request parameter error",
        131210: "Amount accuracy error",
        131211: "fromAccountType can't be the same as toAccountType",
        131212: "Insufficient balance",
        131214: "TransferId exist",
        131215: "Amount error",
        131231: "Transfers into this account are not supported",
        131232: "Transfers out this account are not supported",
    }
)

COIN: Final = Parameter("coin", pattern="[A-Za-z0-9_-]{1,40}", length_max=40)
START_TIME: Final = Parameter("startTime", Kind.TIME)
END_TIME: Final = Parameter("endTime", Kind.TIME)
CURSOR: Final = Parameter("cursor", length_max=500, description="`nextPageCursor` of the page before.")

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US

T = TypeVar("T")


def refuse_asset(code: int, *, text: str | None = None) -> Refusal:
    """The error `code` of the asset endpoints."""
    return refuse(code, text=TEXTS[code] if text is None else text)


def limit(default: int, most: int = 50) -> Parameter:
    return Parameter("limit", Kind.INTEGER, default=default, minimum=1, maximum=most)


def find_coin(code: str) -> Asset:
    """The coin of a code; raises 10001."""
    asset = assets().get(code)
    if asset is None:
        raise refuse_parameter("coin")
    return asset


def asked_range(values: Mapping[str, Any], now_us: int, days: int) -> tuple[int, int]:
    """First and last moment of a history, so many days at most; raises 10001.

    Quirk: histories of assets count in whole seconds, whatever is asked ("Get Internal Transfer Records").
    """
    span_us = days * DAY_US
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if start_us is None:
        end_us = now_us if end_us is None else end_us
        start_us = max(0, end_us - span_us)
    elif end_us is None:
        end_us = start_us + span_us
    if start_us > end_us or end_us - start_us > span_us:
        raise refuse_parameter("startTime")
    return start_us // SECOND_US * SECOND_US, end_us // SECOND_US * SECOND_US + SECOND_US - 1


async def movements(call: Call, kind: MovementKind, days: int) -> list[Movement]:
    """What came in, went out or was moved between wallets, newest first, from where the cursor says."""
    values = call.values
    start_us, end_us = asked_range(values, call.now_us, days)
    last_id = None
    if values.get("cursor"):
        read = read_cursor(values["cursor"], 1)
        if read is None or not (read[0].isascii() and read[0].isdecimal() and len(read[0]) <= 18):
            raise refuse_parameter("cursor")
        last_id = int(read[0])
    query = Query(account=call.account, scope=kind.value, start_us=start_us, end_us=end_us, last_id=last_id)
    return await call.sandbox.history.walk_back(call.site.engine, Movement, query)


def page(found: Sequence[tuple[int, T]], size: int) -> tuple[list[T], str]:
    """The first so many of numbered entries, and the cursor to the next ones."""
    rest = found[size:]
    return [one for _, one in found[:size]], cursor_text(rest[0][0]) if rest else LAST_PAGE
