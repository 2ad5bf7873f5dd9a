"""Records of positions, of the margin that owners moved, and of what they chose about contracts."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from emulator.core.ids import AccountId
from emulator.core.positions import Leg, MarginMode, Position

ADDED, TAKEN = 1, 2
"""Margin, as a part of the keys of its changes."""


class MarginChange(msgspec.Struct, frozen=True, gc=False):
    """The owner of an isolated position added to its margin, or took from it (amount below zero).

    number: of the posting that it was.
    """

    number: int
    account: AccountId
    instrument: str
    leg: Leg
    asset: str
    amount: Decimal
    time_us: int


class PositionRecord(msgspec.Struct, frozen=True, gc=False):
    """A position or one leg as of `time_us`, flat when it was closed. Replaces those before."""

    account: AccountId
    instrument: str
    position: Position
    time_us: int


class ContractSettings(msgspec.Struct, frozen=True, gc=False):
    """What an account chose about its positions in one contract. The newest one replaces those before.

    long, short: the leverage of one leg, where it was chosen by itself.
    """

    account: AccountId
    instrument: str
    leverage: Decimal
    mode: MarginMode
    time_us: int
    long: Decimal | None = None
    short: Decimal | None = None


class WalletSettings(msgspec.Struct, frozen=True, gc=False):
    """What an account chose about all contracts of a wallet. The newest one replaces those before.

    hedged: whether positions have two legs. shared: whether all assets stand together.
    """

    account: AccountId
    wallet: str
    hedged: bool
    shared: bool
    time_us: int


Settings = ContractSettings | WalletSettings
