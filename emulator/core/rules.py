"""What of an exchange's behaviour is data of the whole engine."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from emulator.core.fees import NO_DISCOUNT, FeeRules


class EngineRules(msgspec.Struct, frozen=True, kw_only=True):
    """symbols: the spot instrument of each (base, quote), to convert fees and values."""

    fees: FeeRules = NO_DISCOUNT
    symbols: Mapping[tuple[str, str], str] = {}
