"""Notices when the price has moved at which a trailing stop is triggered.

No event of the engine says so, since it follows from the market alone. The exchange tells of it by the topic
of orders; here within a second, and only of stops that somebody hears of.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from emulator.core.engine import Engine
from emulator.core.ids import AccountId, OrderId
from emulator.core.orders import Order
from emulator.exchanges.bybit.beside import trails_at
from emulator.exchanges.bybit.running import engine_of
from emulator.runtime.alarms import Alarm
from emulator.runtime.ports import SandboxError
from emulator.runtime.sandbox import Sandbox

LOOK_US: Final = 1_000_000
"""How often is looked, by the sandbox's clock; under one that runs fast once in a second of the wall."""


class Trails:
    """Of all trailing stops of one sandbox that somebody hears of.

    is_heard: whether somebody still listens to the orders of an account. moved: takes a stop whose price is
    another one than was told last, and the time.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        is_heard: Callable[[AccountId], bool],
        moved: Callable[[Engine, Order, int], None],
    ) -> None:
        self._sandbox = sandbox
        self._is_heard = is_heard
        self._moved = moved
        self._told: dict[OrderId, Decimal | None] = {}
        self._alarm: Alarm | None = None

    def begin(self, account: AccountId) -> None:
        """Somebody listens to an account's orders from now on, and knows them as they are."""
        try:
            engine = engine_of(self._sandbox)
        except SandboxError:
            return  # It is being rebuilt; what moves is told of again with the first event of the order.
        now_us = self._sandbox.clock.now_us()
        for order in engine.state.accounts[account].open_orders.values():
            self.note(engine, order, now_us)

    def note(self, engine: Engine, order: Order, now_us: int) -> None:
        """An order is told of, as it is now."""
        if order.trailing and order.asleep:
            self._told[order.id] = trails_at(engine, order, now_us)
            self._wait(now_us)
        else:
            self._told.pop(order.id, None)

    def _wait(self, now_us: int) -> None:
        if self._alarm is None:
            pause_us = max(LOOK_US, int(self._sandbox.clock.speed * LOOK_US))
            self._alarm = self._sandbox.alarms.at(now_us + pause_us, self._look)

    def _look(self, now_us: int) -> None:
        self._alarm = None
        try:
            self._sandbox.advance()
            engine = engine_of(self._sandbox)
        except SandboxError:
            self._wait(now_us)
            return
        for order_id, told in list(self._told.items()):
            order = engine.views.orders.get(order_id)
            if order is None or not (order.trailing and order.asleep and self._is_heard(order.account)):
                del self._told[order_id]
                continue
            price = trails_at(engine, order, now_us)
            if price != told:
                self._told[order_id] = price
                self._moved(engine, order, now_us)
        if self._told:
            self._wait(now_us)
