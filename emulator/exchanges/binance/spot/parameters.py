"""Parameters that several Spot endpoints share; those of orders are in `order_parameters`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.exchanges.binance.vocabulary import limit
from emulator.web.contract import Kind, Parameter

LIMIT: Final = limit(500, 1000)
DEPTH_LIMIT: Final = limit(100, 5000)
TIME_ZONE: Final = Parameter(
    "timeZone",
    default="0",
    pattern=r"[+-]?[0-9]{1,2}(?::[0-9]{2})?",
    legal_range="^[+-]?[0-9]{1,2}(:[0-9]{2})?$",
    length_max=6,
    description="Hours and minutes beyond UTC, from -12:00 to +14:00.",
)

TICKER_TYPE: Final = Parameter("type", Kind.CHOICE, choices=("FULL", "MINI"), default="FULL", error=-1139)

WINDOWS_US: Final[Mapping[str, int]] = MappingProxyType(
    {
        **{f"{count}m": count * 60_000_000 for count in range(1, 60)},
        **{f"{count}h": count * 3_600_000_000 for count in range(1, 24)},
        **{f"{count}d": count * 86_400_000_000 for count in range(1, 8)},
    }
)
"""Lengths of rolling windows."""

WINDOW_SIZE: Final = Parameter(
    "windowSize", Kind.CHOICE, choices=tuple(WINDOWS_US), default="1d", description="1m..59m, 1h..23h, 1d..7d"
)

PERMISSION_WORDS: Final = (
    "SPOT",
    "MARGIN",
    "LEVERAGED",
    *(f"TRD_GRP_{number:03}" for number in range(2, 26)),
)
PERMISSIONS_SHOWN: Final = frozenset({"SPOT", "MARGIN", "LEVERAGED"})
"""Whose symbols exchangeInfo shows when it is not told which."""

PERMISSIONS: Final = Parameter(
    "permissions",
    pattern=r'[A-Z0-9_]{1,20}|\[(?:"[A-Z0-9_]{1,20}"(?:,"[A-Z0-9_]{1,20}")*)?\]',
    legal_range='^[A-Z0-9_]{1,20}$|^\\[("[A-Z0-9_]{1,20}"(,"[A-Z0-9_]{1,20}"){0,}){0,1}\\]$',
    length_max=1000,
    description='One permission, or several as a JSON array: SPOT, ["MARGIN","LEVERAGED"].',
)
SHOW_PERMISSION_SETS: Final = Parameter("showPermissionSets", Kind.BOOLEAN, default=True)

SMART_ROUTED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"BTC": ("BTCUSDT", "BTCUSDC"), "ETH": ("ETHUSDT", "ETHUSDC")}
)
"""Symbols among which smart order routing chooses, by base asset (exchangeInfo's `sors`)."""
