"""Liquidation: what can be kept no more is closed in the book, and what the book does not take is taken over.

One position at a time, and by tiers of its margin table where the exchange does so, until what is left
can be kept. What a step comes to is reckoned with the same functions that fold its events.
"""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.contracts import (
    Contract,
    Rounding,
    divided,
    initial_margin,
    quantity_worth,
    rounded,
    tier_of,
    value_of,
)
from emulator.core.coverage import spendable
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.lending import repaid
from emulator.core.decisions.outcomes import placed
from emulator.core.decisions.sharing import exchanged
from emulator.core.deleveraging import deleveraged
from emulator.core.ids import OrderId
from emulator.core.instruments import BUY, SELL, Instrument, OrderType, SelfTradeMode, Side, TimeInForce
from emulator.core.liquidation import Risk, bankruptcy_price, is_liquidated
from emulator.core.margin import maintenance
from emulator.core.matching import Taker, walk
from emulator.core.numbers import ONE, ZERO, divide_down
from emulator.core.orders import Cause, EndReason, OrderTerms
from emulator.core.positions import Leg, Position, traded, unrealised
from emulator.core.risk import (
    Cover,
    Held,
    Standing,
    deleveraging_queue,
    held_at,
    insurance_balance,
    standing,
)
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State
from emulator.core.tape import Market

_NOBODY = SelfTradeMode.NONE


def liquidate(state: State, rules: EngineRules, command: c.Liquidate, now_us: int) -> Decision:
    """Begin, unless all is well, or is again with margin that may be added: with the end of the orders whose
    margin may save the positions."""
    risk = command.risk
    held = held_at(state, risk, now_us)
    now = standing(state, risk, held, now_us)
    if not now.is_liquidated:
        return []
    moved = _replenished(state, rules, risk, held, now, now_us)
    now = Standing(now.equity + sum((one.amount for one in moved), ZERO), now.maintenance)
    if not now.is_liquidated:
        return moved
    begun = e.LiquidationBegun(
        account=risk.account,
        wallet=risk.wallet,
        asset=risk.asset,
        instrument=risk.instrument,
        leg=risk.leg,
        equity=now.equity,
        maintenance=now.maintenance,
    )
    ended = [e.OrderExpired(order=one, reason=EndReason.LIQUIDATION) for one in _orders_at(state, risk)]
    # What was borrowed is given back at once, there or not: what is missing is owed as everything else.
    account = state.accounts[risk.account]
    given_back = [
        repaid(account, risk.wallet, asset, loan, loan.total)
        for (owner, wallet, asset), loan in state.loans.items()
        if (owner, wallet) == (risk.account, risk.wallet) and risk.asset == ""
    ]
    return [*moved, begun, *ended, *given_back]


def _replenished(
    state: State, rules: EngineRules, risk: Risk, held: list[Held], now: Standing, now_us: int
) -> list[e.MarginMoved]:
    """Margin for an isolated position whose owner wants that, until it can be kept: each time as much as
    opening it took, or what is free. Never more altogether than it was worth when it was entered, which is
    what it would have at a leverage of one."""
    if not held or (risk.account, risk.instrument, risk.leg) not in state.replenished:
        return []
    contract, position = held[0].contract, held[0].position
    step = contract.settle_step
    free = spendable(state, rules, state.accounts[risk.account], risk.wallet, contract.settle, now_us)
    left = min(free, divided(position.cost - position.margin, ONE, step, Rounding.DOWN))
    portion = initial_margin(contract, position.direction * position.cost, position.leverage) or left
    equity, moved = now.equity, list[e.MarginMoved]()
    while left > ZERO and is_liquidated(now.maintenance, equity):
        amount = min(portion, left)
        left -= amount
        equity += amount
        moved.append(
            e.MarginMoved(
                account=risk.account,
                instrument=risk.instrument,
                leg=risk.leg,
                amount=amount,
                cause=Cause.REPLENISHMENT,
            )
        )
    return moved


def _orders_at(state: State, risk: Risk) -> list[OrderId]:
    """The open orders beside an isolated position, or all that are covered by what covers the risk; those of
    pairs that are paid from it, too."""
    found: list[OrderId] = []
    for order in state.accounts[risk.account].open_orders.values():
        contract = state.markets[order.instrument].instrument.contract
        if (order.wallet if contract is None else contract.wallet) != risk.wallet:
            continue
        if risk.is_isolated:
            is_there = (order.instrument, order.terms.leg) == (risk.instrument, risk.leg)
        else:
            is_there = risk.asset in ("", order.hold_asset)
        if is_there:
            found.append(order.id)
    return found


def close_out(state: State, rules: EngineRules, command: c.CloseOut, now_us: int) -> Decision:
    """Close the next part of what cannot be kept, or let the insurance fund pay what is owed after all."""
    risk = command.risk
    held = held_at(state, risk, now_us)
    cover = Cover(state, risk, held, now_us)
    if not held:
        if risk.asset == "" and risk.wallet in state.lending and not cover.standing().is_liquidated:
            return []  # It goes on being owed, at interest.
        return _made_up_for(risk, cover)
    if not cover.standing().is_liquidated:
        return []
    # First what has to be covered by most, since without it the rest may be kept.
    own = max(held, key=lambda one: _weight(cover, one))
    return _Closing(state, rules, risk, own, cover, now_us).events()


def _weight(cover: Cover, one: Held) -> tuple[Decimal, str, Leg]:
    counted = one.maintenance * cover.rate(one.contract.settle).ask
    return counted, one.market.instrument.symbol, one.position.leg


def _made_up_for(risk: Risk, cover: Cover) -> list[e.Event]:
    """Without positions nothing can be owed that will ever be earned: other assets that stood for it are
    exchanged, and the fund pays the rest."""
    if risk.is_isolated:
        return []
    made: list[e.Event] = []
    there = dict(cover.balances)
    for owed in sorted(asset for asset, amount in there.items() if amount < ZERO):
        made += exchanged(risk.account, risk.wallet, cover.rates, there, owed)
        if there[owed] < ZERO:
            made.append(
                e.InsurancePaid(account=risk.account, wallet=risk.wallet, asset=owed, amount=-there[owed])
            )
    return made


class _Closing:
    """One liquidation order, and all that follows from it."""

    def __init__(
        self,
        state: State,
        rules: EngineRules,
        risk: Risk,
        own: Held,
        cover: Cover,
        now_us: int,
    ) -> None:
        self.state = state
        self.rules = rules
        self.risk = risk
        self.own = own
        self.now_us = now_us
        self.market: Market = own.market
        self.instrument: Instrument = own.market.instrument
        self.contract: Contract = own.contract
        self.account: Account = state.accounts[risk.account]
        self.side: Side = SELL if own.position.quantity > ZERO else BUY
        self.rate = cover.rate(own.contract.settle)
        # What covers this position beside its own profit and margin, in its asset and by the others, and what
        # has to be kept beside it.
        self.beside = cover.owned[own.contract.settle] - own.unrealised - own.position.margin
        self.others = cover.beside(own.contract.settle)
        self.kept_beside = cover.standing().maintenance - self.rate.ask * own.maintenance
        self.position: Position = own.position
        """As the events so far leave it."""
        self.collateral = own.position.margin
        """The margin that was its own, with what closing realised, less fees."""
        self.order: OrderId = state.next_order
        self.hidden = 0

    def events(self) -> list[e.Event]:
        step = self.instrument.price_step
        funds = self.beside + self.collateral + self._lent
        limit = bankruptcy_price(self.contract, [self.position], funds, step=step)
        quantity = self._part()
        terms = OrderTerms(
            side=self.side,
            type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            quantity=quantity,
            price=limit,
            time_in_force=TimeInForce.GTC if limit is None else TimeInForce.IOC,
            client_id=self.rules.margin.names.liquidation.replace("{order}", str(self.order)),
            leg=self.position.leg,
            reduce_only=self.position.leg is Leg.BOTH,
            cause=Cause.LIQUIDATION,
        )
        taker = Taker(
            order=self.order,
            account=self.account,
            wallet=self.contract.wallet,
            side=self.side,
            mode=_NOBODY,
            leg=self.position.leg,
            pays_fees=False,
        )
        plan = walk(self.state, self.rules, self.market, taker, self.now_us, limit=limit, quantity=quantity)
        made: list[e.Event] = [
            placed(
                self.order, self.account, self.contract.wallet, self.instrument, terms, _NOBODY,
                quantity, limit,
            ),
            *plan.events,
        ]  # fmt: skip
        for event in plan.events:
            if isinstance(event, e.TradeExecuted) and event.taker == self.order:
                self._close(event.quantity, event.price)
        self.hidden = plan.trades
        rest = quantity - plan.executed
        mark = self.own.mark
        owned = self._balance_at(mark) - self._fee(plan.amount, mark)
        if rest and is_liquidated(self._kept, self.others + self.rate.worth(owned)):
            # At no price would it be worth what is owed: then at what it is worth.
            price = mark if limit is None else limit
            # The fee for what the book took leaves what the rest loses at its price.
            made += self._charge(plan.amount, price)
            made += self._hand_over(rest, price)
            made += self._charge(self.instrument.amount(rest, price), mark)
        else:
            made += self._charge(plan.amount, mark)
            if rest:
                made.append(e.OrderExpired(order=self.order, reason=EndReason.UNFILLED_IMMEDIATE))
        return made + self._put_back()

    def _part(self) -> Decimal:
        """How much of the position is closed by this order: all, or what leads to the tier below."""
        held = abs(self.position.quantity)
        value = abs(value_of(self.contract, held, self.own.mark))
        floor = tier_of(self.contract, value).floor
        if not floor or not self.rules.margin.liquidates_by_tier:
            return held
        kept = quantity_worth(self.contract, floor, self.own.mark, self.instrument.quantity_step)
        return held if kept < self.instrument.quantity_min or kept >= held else held - kept

    # What it comes to

    def _close(self, quantity: Decimal, price: Decimal) -> None:
        """Note that so much of the position was closed, as the fold of it will."""
        signed = quantity if self.side is BUY else -quantity
        change = traded(self.contract, self.position, quantity=signed, price=price)
        self.position = change.position
        self.collateral += change.realised

    @property
    def _lent(self) -> Decimal:
        """What the other assets stand for in that of the position: how far it may be owed, or, below zero,
        how much there must be of it."""
        step = self.contract.settle_step
        if self.others > ZERO:
            return divide_down(self.others, self.rate.ask, step)
        return -self.rate.needed(-self.others, step) if self.others else ZERO

    def _balance_at(self, price: Decimal) -> Decimal:
        return self.beside + self.collateral + unrealised(self.contract, self.position, price)

    @property
    def _kept(self) -> Decimal:
        return self.kept_beside + self.rate.ask * maintenance(self.contract, self.position, self.own.mark)

    def _fee(self, value: Decimal, price: Decimal) -> Decimal:
        """For what was closed, as far as it is there while what is still open is worth that price."""
        contract = self.contract
        due = rounded(value * contract.liquidation_fee, contract.settle_step, contract.fee_rounding)
        return min(due, max(ZERO, self._balance_at(price) + self._lent))

    def _charge(self, value: Decimal, price: Decimal) -> list[e.Event]:
        fee = self._fee(value, price)
        if not fee:
            return []
        self.collateral -= fee
        return [
            e.LiquidationCharged(
                order=self.order, account=self.account.id, instrument=self.instrument.symbol, amount=fee
            )
        ]

    def _put_back(self) -> list[e.Event]:
        """What is left of an isolated position keeps all that is left of its collateral: closing a part has
        given a part of the margin back, and realised a loss and a fee elsewhere."""
        amount = self.collateral - self.position.margin
        if not self.risk.is_isolated or not self.position.quantity or not amount:
            return []
        return [
            e.MarginMoved(
                account=self.account.id,
                instrument=self.instrument.symbol,
                leg=self.position.leg,
                amount=amount,
                cause=Cause.LIQUIDATION,
            )
        ]

    # What the book did not take

    def _hand_over(self, quantity: Decimal, price: Decimal) -> list[e.Event]:
        """To the insurance fund as far as it reaches, then to those on the other side, else the market."""
        made: list[e.Event] = []
        carried = self._carried(quantity, price)
        if carried:
            made.append(self._taken_over(carried, price, by_fund=True))
        left = quantity - carried
        if left:
            counters = self._deleverage(left, price)
            made += counters
            left -= sum((one.quantity for one in counters if isinstance(one, e.AutoDeleveraged)), ZERO)
        if left:
            made.append(self._taken_over(left, price, by_fund=False))
        return made

    def _carried(self, quantity: Decimal, price: Decimal) -> Decimal:
        """How much the fund can take at a price and part with at the mark price."""
        contract, mark = self.contract, self.own.mark
        gained = contract.sense * self.own.position.direction
        loss = gained * (value_of(contract, quantity, price) - value_of(contract, quantity, mark))
        there = insurance_balance(self.state, self.rules, contract.settle)
        if loss <= max(there, ZERO):
            return quantity
        return divide_down(quantity * max(there, ZERO), loss, self.instrument.quantity_step)

    def _taken_over(self, quantity: Decimal, price: Decimal, *, by_fund: bool) -> e.Event:
        self._close(quantity, price)
        return e.PositionTakenOver(
            order=self.order,
            instrument=self.instrument.symbol,
            trade=self._trade(),
            price=price,
            quantity=quantity,
            amount=self.instrument.amount(quantity, price),
            mark=self.own.mark,
            by_fund=by_fund,
        )

    def _deleverage(self, quantity: Decimal, price: Decimal) -> list[e.Event]:
        """Close opposite positions, those with most profit and leverage first."""
        made: list[e.Event] = []
        counter, direction = self.order, -self.own.position.direction
        queue = deleveraging_queue(self.state, self.market, direction, self.now_us)
        others = [one for one in queue if one.account != self.account.id]
        for account, share in deleveraged(others, quantity):
            counter += 1
            made += [
                self._counter_order(counter, self.state.accounts[account], direction, share, price),
                e.AutoDeleveraged(
                    order=self.order,
                    counter=counter,
                    instrument=self.instrument.symbol,
                    trade=self._trade(),
                    price=price,
                    quantity=share,
                    amount=self.instrument.amount(share, price),
                ),
            ]
            self._close(share, price)
        return made

    def _counter_order(
        self, order: OrderId, account: Account, direction: Decimal, quantity: Decimal, price: Decimal
    ) -> e.Event:
        symbol = self.instrument.symbol
        leg = next(
            leg
            for (of, leg), position in account.positions.items()
            if of == symbol and position.direction == direction
        )
        terms = OrderTerms(
            side=self.side.opposite,
            type=OrderType.LIMIT,
            quantity=quantity,
            price=price,
            time_in_force=TimeInForce.IOC,
            client_id=self.rules.margin.names.deleveraging.replace("{order}", str(order)),
            leg=leg,
            reduce_only=leg is Leg.BOTH,
            cause=Cause.DELEVERAGING,
        )
        return placed(order, account, self.contract.wallet, self.instrument, terms, _NOBODY, quantity, price)

    def _trade(self) -> int:
        """The number of a trade that the public is not told of."""
        self.hidden += 1
        return self.market.next_trade_id(self.now_us) + self.hidden - 1
