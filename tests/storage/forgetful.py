"""An engine with a defect: of what an order holds it forgets a part, if the client called it so.

Its journal folds to books that do not agree with themselves, as often as it is folded by this engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from emulator.app import make_engines
from emulator.core.engine import Engine
from emulator.core.events import OrderPlaced
from emulator.runtime.ports import EnginePort

FORGOTTEN = Decimal(1)


class ForgetfulEngine(Engine):
    """What is forgotten becomes free again (`forget-…`), or is nowhere any more (`lose-…`)."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._place, note, follow = self._steps[OrderPlaced]
        self._steps[OrderPlaced] = (self._place_and_forget, note, follow)

    def _place_and_forget(self, event: OrderPlaced, now_us: int) -> None:
        self._place(event, now_us)
        order = self.state.orders[event.order]
        place = (order.account, order.wallet, order.hold_asset)
        if order.client_id.startswith("forget-"):
            self.state.ledger.hold(*place, -FORGOTTEN)
        elif order.client_id.startswith("lose-"):
            self.state.ledger.balance(*place).held -= FORGOTTEN


def forgetful_engines(seed: int) -> Mapping[str, EnginePort]:
    """The engines that are served, with the defect."""
    made: dict[str, EnginePort] = {}
    for name, engine in make_engines(seed).items():
        assert isinstance(engine, Engine)
        made[name] = ForgetfulEngine(
            engine.name, engine.instruments, engine.feed, engine.state.wallets, engine.rules
        )
    return made
