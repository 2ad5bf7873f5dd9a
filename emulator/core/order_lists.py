"""Order lists: orders that start, cancel or pay one another.

    one cancels the other (OCO): two legs live together; the first to trade or fire ends the other
    one triggers (OTO): the working leg lives; when it is filled, the pending leg is placed
    one triggers an OCO (OTOCO): likewise, with two pending legs that cancel each other
A list is `funded` when what the working order received pays for the pending legs (OPO, OPOCO).
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import msgspec

from emulator.core.ids import AccountId, ListId, OrderId
from emulator.core.numbers import ZERO


class ListKind(str, Enum):
    OCO = "oco"
    OTO = "oto"
    OTOCO = "otoco"


class ListStatus(str, Enum):
    EXECUTING = "executing"
    DONE = "done"


class OrderList(msgspec.Struct, kw_only=True, eq=False):
    """One list's record. `orders`: the working leg first, then the pending legs; or the pair.

    held: what the wallet holds for the two legs that cancel each other, once for both, and before
    they are placed what the working order of a funded list received.
    """

    id: ListId
    account: AccountId
    wallet: str
    instrument: str
    kind: ListKind
    funded: bool
    client_id: str
    orders: tuple[OrderId, ...]
    hold_asset: str
    created_us: int
    updated_us: int
    held: Decimal = ZERO
    received: Decimal = ZERO
    status: ListStatus = ListStatus.EXECUTING

    @property
    def pair(self) -> tuple[OrderId, ...]:
        """The two legs that cancel each other, or nothing for OTO."""
        match self.kind:
            case ListKind.OCO:
                return self.orders
            case ListKind.OTOCO:
                return self.orders[1:]
            case ListKind.OTO:
                return ()

    @property
    def pending(self) -> tuple[OrderId, ...]:
        """The legs that wait for the working order."""
        return () if self.kind is ListKind.OCO else self.orders[1:]
