"""What time makes of positions."""

from __future__ import annotations

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.contracts import fee_of
from emulator.core.coverage import mark_price
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.outcomes import placed
from emulator.core.instruments import BUY, SELL, OrderType, SelfTradeMode, TimeInForce
from emulator.core.numbers import ZERO
from emulator.core.orders import Cause, OrderTerms
from emulator.core.positions import Leg
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


def deliver(state: State, rules: EngineRules, command: c.DeliverContract, now_us: int) -> Decision:
    """Every position is closed by an order of its own, outside the book and at the settlement price, against
    the market."""
    symbol = command.instrument
    market, contract = state.markets[symbol], state.contract_of(symbol)
    assert market.marks is not None
    assert contract.delivery_us is not None, "a perpetual is not delivered"
    price = market.marks.settlement_price(contract.delivery_us)
    order, trade = state.next_order, market.next_trade_id(now_us)
    made: list[e.Event] = []
    for (account, leg), position in sorted(state.holders.get(symbol, {}).items()):
        quantity = abs(position.quantity)
        terms = OrderTerms(
            side=SELL if position.quantity > ZERO else BUY,
            type=OrderType.LIMIT,
            quantity=quantity,
            price=price,
            time_in_force=TimeInForce.IOC,
            client_id=rules.margin.names.delivery.replace("{order}", str(order)),
            leg=leg,
            reduce_only=leg is Leg.BOTH,
            cause=Cause.DELIVERY,
        )
        owner, wallet, instrument = state.accounts[account], contract.wallet, market.instrument
        made += [
            placed(order, owner, wallet, instrument, terms, SelfTradeMode.NONE, quantity, price),
            e.PositionTakenOver(
                order=order,
                instrument=symbol,
                trade=trade,
                price=price,
                quantity=quantity,
                amount=instrument.amount(quantity, price),
                mark=price,
                by_fund=False,
                fee=fee_of(contract, quantity, price, contract.delivery_fee),
            ),
        ]
        order += 1
        trade += 1
    return made
