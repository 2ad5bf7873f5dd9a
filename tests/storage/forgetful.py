"""An engine with a defect: of what an order holds it forgets a part, if the client called it so.

Its journal folds to books that do not agree with themselves, as often as it is folded by this engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from emulator.app import make_engines
from emulator.core.engine import Engine
from emulator.core.events import Event, OrderPlaced
from emulator.runtime.ports import EnginePort

FORGOTTEN = Decimal(1)


class ForgetfulEngine(Engine):
    """What is forgotten becomes free again (`forget-…`), or is nowhere any more (`lose-…`)."""

    def _fold(self, event: Event, now_us: int) -> None:
        super()._fold(event, now_us)
        if not isinstance(event, OrderPlaced):
            return
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
