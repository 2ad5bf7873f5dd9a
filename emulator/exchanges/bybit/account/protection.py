"""Disconnection protection: orders end when their owner's private sockets are gone for too long.

A private socket that subscribes to a `dcp.*` topic watches over one product. When the last one of an account
that does so is lost, a window of the sandbox's clock begins; unless one comes back before it is over, all
active orders of the product end. The window is kept with the account; which sockets there are is not, so a
restart of the emulator, by which all are lost, begins none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from emulator.core import commands as c
from emulator.core.ids import AccountId
from emulator.core.orders import EndReason
from emulator.exchanges.bybit.account.preferences import prefer
from emulator.exchanges.bybit.auth import POSITION, READ
from emulator.exchanges.bybit.categories import CATEGORIES
from emulator.exchanges.bybit.payloads.account import Nothing, Protected, Protection
from emulator.exchanges.bybit.running import ENGINE, engine_of
from emulator.runtime.alarms import Alarm
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.ports import SandboxError
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

SPOT, DERIVATIVES, OPTIONS = "SPOT", "DERIVATIVES", "OPTIONS"
PRODUCTS: Final = (SPOT, DERIVATIVES, OPTIONS)
TOPICS: Final[Mapping[str, str]] = MappingProxyType(
    {"dcp.future": DERIVATIVES, "dcp.spot": SPOT, "dcp.option": OPTIONS}
)
"""Which product a topic watches over."""

PREFERENCE: Final = "dcp."
"""What the window is kept under, in seconds, with the product behind it."""
SECOND_US: Final = 1_000_000

_log = logging.getLogger(__name__)


@rows.route(
    "POST",
    "/v5/order/disconnected-cancel-all",
    summary="Set DCP",
    description="Sockets that are subscribed to `dcp.*` topics watch over the product from then on.",
    security=POSITION,
    parameters=(
        Parameter("product", Kind.CHOICE, choices=PRODUCTS, default=OPTIONS),
        Parameter("timeWindow", Kind.INTEGER, required=True, minimum=3, maximum=300, description="Seconds."),
    ),
    answers=Nothing,
)
def set_window(call: Call) -> Submission[Nothing]:
    return prefer(call, PREFERENCE + call.values["product"], str(call.values["timeWindow"]))


@rows.route(
    "GET",
    "/v5/account/query-dcp-info",
    summary="Get DCP info",
    security=READ,
    answers=Protection,
)
def windows(call: Call) -> Protection:
    preferences = call.engine.state.accounts[call.account].preferences
    found: list[Protected] = [
        {"product": product, "dcpStatus": "ON", "timeWindow": preferences[PREFERENCE + product]}
        for product in PRODUCTS
        if PREFERENCE + product in preferences
    ]
    return {"dcpInfos": found}


class Watches:
    """Which products of which accounts somebody watches over in one sandbox, by how many sockets."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._counts: dict[tuple[AccountId, str], int] = {}
        self._alarms: dict[tuple[AccountId, str], Alarm] = {}

    def came(self, account: AccountId, product: str) -> None:
        """One more socket watches."""
        place = (account, product)
        self._counts[place] = self._counts.get(place, 0) + 1
        alarm = self._alarms.pop(place, None)
        if alarm is not None:
            alarm.cancel()

    def went(self, account: AccountId, product: str) -> None:
        """A socket that watched is gone, or watches no more. With the last one the window begins, if the
        account has one."""
        place = (account, product)
        left = self._counts.pop(place) - 1
        if left:
            self._counts[place] = left
            return
        window_us = self._window_us(account, product)
        if window_us:
            due_us = self._sandbox.clock.now_us() + window_us
            self._alarms[place] = self._sandbox.alarms.at(due_us, partial(self._end, account, product))

    def _window_us(self, account: AccountId, product: str) -> int:
        try:
            preferences = engine_of(self._sandbox).state.accounts[account].preferences
        except SandboxError:
            return 0  # It is being rebuilt: who was lost right then is not noticed.
        return int(preferences.get(PREFERENCE + product, "0")) * SECOND_US

    def _end(self, account: AccountId, product: str, now_us: int) -> None:
        self._alarms.pop((account, product), None)
        instruments = instruments_of(product)
        if not instruments:
            return
        # Quirk: only active orders end, which are those in the book; what waits for its trigger, stops of
        # positions too, goes on waiting (Set DCP, "What is Disconnection Protect").
        command = c.EndOrders(
            account=account, instruments=instruments, reason=EndReason.DISCONNECTED, dormant=False
        )
        try:
            self._sandbox.decide(ENGINE, command, lambda done: None)
        except SandboxError as error:
            _log.warning("%s: orders of who is gone were not ended: %s", self._sandbox.name, error)


WATCHES: Final = PerSandbox(Watches)


def instruments_of(product: str) -> tuple[str, ...]:
    """The core's names of all that belongs to a product."""
    if product == OPTIONS:
        return ()
    return tuple(
        name
        for category in CATEGORIES.values()
        if category.is_derivative is (product == DERIVATIVES)
        for name in category.symbols
    )


def came(sandbox: Sandbox, account: AccountId, topic: str) -> None:
    """A private socket of an account subscribed to a `dcp.*` topic. To be answered by one `went`."""
    WATCHES.of(sandbox).came(account, TOPICS[topic])


def went(sandbox: Sandbox, account: AccountId, topic: str) -> None:
    """A private socket that had subscribed to a `dcp.*` topic was lost, or unsubscribed from it."""
    WATCHES.of(sandbox).went(account, TOPICS[topic])
