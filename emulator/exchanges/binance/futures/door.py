"""The doors of the two futures sites: one for each, since they speak differently, with common counts.

Both share the weight of an IP and the orders of an account (architecture integration of 2026-06).
Orders are counted by the minute and by ten seconds, and no fill takes one off again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.futures.errors import language_of
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.limits import FUNDING_POOL, Limits
from emulator.web.contract import Call

__all__ = ["FUNDING_POOL", "LIMITS", "door_of", "futures_doors", "reserve_batch"]

LIMITS: Final = Limits(
    weight_per_minute=2400,
    requests_per_5_minutes=0,
    orders_per_10_seconds=300,
    orders_per_day=0,
    orders_per_minute=1200,
    fills_release=False,
    messages_per_second=10,
    # Quirk: futures name the ten seconds in which there were too many orders in one word (live answers).
    ten_seconds="TEN_SECONDS",
)


def futures_doors(*, limits: Limits = LIMITS, **settings: Any) -> Mapping[Product, Door]:
    """A door for each product; settings: those of `Door` that are the same for both."""
    usdm = Door(limits=limits, language=language_of(USDM), **settings)
    return {USDM: usdm, COINM: Door(language=language_of(COINM), quotas_of=usdm, **settings)}


def door_of(call: Call) -> Door:
    door = call.site.dialect
    assert isinstance(door, Door)
    return door


def reserve_batch(call: Call, count: int) -> None:
    """Count the orders of a batch; raises -1015 when the account has too many."""
    # Quirk: a batch counts as one order in the minute, and as its orders in the ten seconds (Place Multiple
    # Orders, "Request Weight").
    door = door_of(call)
    door.quotas(call.sandbox).reserve_orders(
        call.account, count, call.now_us, in_long=1, enforced=door.counts_in(call.sandbox)
    )
    call.orders_reserved += count
