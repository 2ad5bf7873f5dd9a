"""One symbol: its rules for the core, and since when, until when and as of when its market is shown."""

from __future__ import annotations

from typing import Final

import msgspec

from emulator.core.contracts import Contract
from emulator.core.instruments import Instrument, Kind

DELIVERING_US: Final = 3_600_000_000
"""For how long a contract that was delivered is still shown. No exchange documents it."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """launch_us: when it was listed, as the wire says. quarter: which of the quarters a dated contract ends,
    counted (`quarters`); 0 of everything else."""

    symbol: str
    instrument: Instrument
    launch_us: int = 0
    quarter: int = 0

    @property
    def contract(self) -> Contract | None:
        """None of a pair."""
        return self.instrument.contract

    @property
    def is_inverse(self) -> bool:
        return self.instrument.kind is Kind.INVERSE

    @property
    def is_perpetual(self) -> bool:
        """Whether it is a contract that is never delivered."""
        contract = self.instrument.contract
        return contract is not None and contract.delivery_us is None

    @property
    def delivery_us(self) -> int | None:
        contract = self.instrument.contract
        return None if contract is None else contract.delivery_us

    def is_listed(self, now_us: int) -> bool:
        """Whether it can be traded at a time."""
        contract = self.instrument.contract
        return contract is None or contract.is_listed(now_us)

    def is_known(self, now_us: int) -> bool:
        """Whether it was ever listed until a time."""
        contract = self.instrument.contract
        return contract is None or contract.listed_us <= now_us

    def is_shown(self, now_us: int) -> bool:
        """Whether it is known, and not delivered for longer than a while."""
        delivery_us = self.delivery_us
        return self.is_known(now_us) and (delivery_us is None or now_us < delivery_us + DELIVERING_US)

    def read_us(self, now_us: int) -> int:
        """The time as of which its market is shown: after the delivery, the last moment before it."""
        delivery_us = self.delivery_us
        return now_us if delivery_us is None or now_us < delivery_us else delivery_us - 1
