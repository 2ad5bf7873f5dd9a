"""What of an exchange's behaviour is data of the whole engine."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from emulator.core.collateral import Counted
from emulator.core.fees import NO_DISCOUNT, FeeRules
from emulator.core.margin import CostRule
from emulator.core.numbers import ZERO


class MarginRules(msgspec.Struct, frozen=True, kw_only=True):
    """What accounts must have to trade contracts.

    cost: what an order that opens must be covered by beside its initial margin. sell_premium: how much
    above the last price a sell of a linear contract is assumed to trade. counted: how unrealised profit
    counts towards what is available. shrinks_reducing: whether an order that may only reduce and is larger
    than what there is becomes as large as that; else it is refused. shares_position_mode: whether an account
    has one position mode for all its wallets of contracts.
    """

    cost: CostRule = CostRule()
    sell_premium: Decimal = ZERO
    counted: Counted = Counted.BOTH
    shrinks_reducing: bool = True
    shares_position_mode: bool = False


class EngineRules(msgspec.Struct, frozen=True, kw_only=True):
    """symbols: the spot instrument of each (base, quote), to convert fees and values."""

    fees: FeeRules = NO_DISCOUNT
    symbols: Mapping[tuple[str, str], str] = {}
    margin: MarginRules = MarginRules()
