"""Order lists: orders that start, cancel or pay one another.

    one cancels the other (OCO): two legs live together; the first to trade or fire ends the other
    one triggers (OTO): the working leg lives; when it is filled, the pending leg is placed
    one triggers an OCO (OTOCO): likewise, with two pending legs that cancel each other
A list is `funded` when what the working order received pays for the pending legs (OPO, OPOCO).
"""

from __future__ import annotations

from enum import Enum

from emulator.core.ids import AccountId, ListId, OrderId
from emulator.core.numbers import ZERO


class ListKind(str, Enum):
    OCO = "oco"
    OTO = "oto"
    OTOCO = "otoco"


class ListStatus(str, Enum):
    EXECUTING = "executing"
    DONE = "done"


class OrderList:
    """One list's record. `orders`: the working leg first, then the pending legs; or the pair.

    held: what the wallet holds for the two legs that cancel each other, once for both, and before
    they are placed what the working order of a funded list received.
    """

    __slots__ = (
        "account",
        "client_id",
        "created_us",
        "funded",
        "held",
        "hold_asset",
        "id",
        "instrument",
        "kind",
        "orders",
        "received",
        "status",
        "updated_us",
        "wallet",
    )

    def __init__(
        self,
        *,
        id: ListId,
        account: AccountId,
        wallet: str,
        instrument: str,
        kind: ListKind,
        funded: bool,
        client_id: str,
        orders: tuple[OrderId, ...],
        hold_asset: str,
        created_us: int,
    ) -> None:
        self.id = id
        self.account = account
        self.wallet = wallet
        self.instrument = instrument
        self.kind = kind
        self.funded = funded
        self.client_id = client_id
        self.orders = orders
        self.hold_asset = hold_asset
        self.held = ZERO
        self.received = ZERO
        self.status = ListStatus.EXECUTING
        self.created_us = created_us
        self.updated_us = created_us

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
