"""The core's integers as Bybit writes them, and back: pure, invertible, and without a table.

Orders of derivatives are UUIDs, those of pairs long decimals that ascend; what is executed is named by its
trade, so that both sides of it and the public list say the same. A text that was never given out is not read
as an order, because it does not agree with itself.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_MASK: Final = (1 << 64) - 1
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_DECIMAL: Final = re.compile(r"[1-9][0-9]{18}", re.ASCII)

# A bijection of 64 bits: each step has an inverse, and an odd factor one modulo 2**64.
_FACTOR: Final = 0x9E3779B97F4A7C15
_INVERSE: Final = pow(_FACTOR, -1, 1 << 64)
_CHECK_BITS: Final = 58

_SPOT_BASE: Final = 6_250_000_000_000_000
"""What makes 19 digits of the first ones."""
_SPOT_CHECK: Final = 256

_EXECUTION_BASE: Final = 2_100_000_000_000_000_000
_EXECUTION_ROOM: Final = 10_000

EPOCH_US: Final = 1_483_228_800_000_000
"""2017, from where sequences count."""


def order_id_text(category: str, order: int) -> str:
    """The id of an order of a category, `spot` or another, on the wire."""
    if category == "spot":
        return str((_SPOT_BASE + order) * _SPOT_CHECK + _mixed(order) % _SPOT_CHECK)
    return uuid_text(order, version=4)


def read_order_id(text: str) -> int | None:
    """Which order a text names, whatever its category; None if it is no order's."""
    if _DECIMAL.fullmatch(text):
        order = int(text) // _SPOT_CHECK - _SPOT_BASE
        return order if order > 0 and order_id_text("spot", order) == text else None
    lower = text.lower()
    if not _UUID.fullmatch(lower):
        return None
    bits = int(lower.replace("-", ""), 16)
    # Without the four bits of the version and the two of the variant.
    packed = (bits >> 80 << 74) | ((bits >> 64 & 0xFFF) << 62) | (bits & ((1 << 62) - 1))
    order = _unmixed(packed >> _CHECK_BITS)
    return order if order >> 63 == 0 and uuid_text(order, version=4) == lower else None


def execution_id_text(category: str, instrument: str, trade: int) -> str:
    """The id of an execution, which is that of the trade it was: the public list has it too.

    instrument: the core's name of it.
    """
    if category == "spot":
        # Trades are numbered by instrument, so its name is in the number.
        return str(_EXECUTION_BASE + trade * _EXECUTION_ROOM + text_number(instrument) % _EXECUTION_ROOM)
    return uuid_text(trade ^ (text_number(instrument) & ((1 << 63) - 1)), version=5)


def funding_id_text(account: int, instrument: str, leg: str, time_us: int) -> str:
    """What names a payment of funding, as an execution."""
    return uuid_text(_funding_number(account, instrument, leg, time_us), version=5)


def funding_order_text(account: int, instrument: str, leg: str, time_us: int) -> str:
    """The order that a payment of funding claims to be of, which there is not."""
    return uuid_text(_funding_number(account, instrument, leg, time_us), version=8)


def _funding_number(account: int, instrument: str, leg: str, time_us: int) -> int:
    return text_number(f"{account}/{instrument}/{leg}/{time_us}")


def cross_sequence(time_us: int) -> int:
    """The `seq` of what happened at a moment: the same for all that one command did."""
    return max(0, time_us - EPOCH_US)


def uuid_text(number: int, *, version: int) -> str:
    """A number below 2**64 as a UUID that nobody would guess the next one of."""
    number &= _MASK
    packed = _mixed(number) << _CHECK_BITS | _mixed(~number & _MASK) >> (64 - _CHECK_BITS)
    bits = (
        (packed >> 74 << 80) | (version << 76) | ((packed >> 62 & 0xFFF) << 64) | (2 << 62)
        | (packed & ((1 << 62) - 1))
    )  # fmt: skip
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@lru_cache(maxsize=1024)
def text_number(text: str) -> int:
    """64 bits of a text (FNV-1a), the same in every process."""
    number = 0xCBF29CE484222325
    for byte in text.encode():
        number = (number ^ byte) * 0x100000001B3 & _MASK
    return number


def _mixed(number: int) -> int:
    for _ in range(2):
        number = (number ^ number >> 32) * _FACTOR & _MASK
    return number ^ number >> 32


def _unmixed(number: int) -> int:
    number ^= number >> 32
    for _ in range(2):
        number = number * _INVERSE & _MASK
        number ^= number >> 32
    return number
