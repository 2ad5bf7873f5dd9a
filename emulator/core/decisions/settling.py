"""What time makes of positions."""

from __future__ import annotations

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.coverage import mark_price
from emulator.core.decisions.decision import Decision
from emulator.core.rules import EngineRules
from emulator.core.state import State


def pay_funding(state: State, rules: EngineRules, command: c.PayFunding, now_us: int) -> Decision:
    symbol = command.instrument
    market = state.markets[symbol]
    assert market.marks is not None, "a pair has no funding"
    rate = market.marks.funding_rate(now_us)
    if not rate or not state.holders.get(symbol):
        return []
    return [e.FundingPaid(instrument=symbol, mark=mark_price(market, now_us), rate=rate)]
