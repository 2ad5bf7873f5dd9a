"""What all ways to end a position that cannot be kept have in common: its figures, and who gets what the book
does not take.

What a step comes to is reckoned with the same functions that fold its events.
"""

from __future__ import annotations

from decimal import Decimal

from emulator.core import events as e
from emulator.core.contracts import Contract, fee_of, quantity_worth, tier_of, value_of
from emulator.core.decisions.outcomes import placed
from emulator.core.deleveraging import Candidate, deleveraged
from emulator.core.ids import MARKET_ORDER, AccountId, OrderId
from emulator.core.instruments import BUY, SELL, Instrument, OrderType, SelfTradeMode, Side, TimeInForce
from emulator.core.liquidation import Risk
from emulator.core.matching import Plan
from emulator.core.numbers import ZERO, divide_down
from emulator.core.orders import Cause, EndReason, Order, OrderTerms
from emulator.core.positions import Leg, Position, traded
from emulator.core.risk import Cover, Held, deleveraging_queue, insurance_balance
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State
from emulator.core.tape import Market

NOBODY = SelfTradeMode.NONE


class Closing:
    """The end of one position, or of a part of it."""

    taker_rate = ZERO
    """What its owner pays for what is closed outside of the book, as part of the value."""
    counter_rate = ZERO
    """What whoever is deleveraged pays."""

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
        """The trades that were decided so far."""
        self.met: dict[OrderId, Decimal] = {}
        """How much the book took of others' orders."""
        self.gone: set[OrderId] = set()
        """Those that ended meanwhile."""

    def _part(self) -> Decimal:
        """How much of the position is closed by one order: all, or what leads to the tier below."""
        held = abs(self.position.quantity)
        value = abs(value_of(self.contract, held, self.own.mark))
        floor = tier_of(self.contract, value).floor
        if not floor or not self.rules.margin.liquidates_by_tier:
            return held
        kept = quantity_worth(self.contract, floor, self.own.mark, self.instrument.quantity_step)
        return held if kept < self.instrument.quantity_min or kept >= held else held - kept

    def _placed(
        self, cause: Cause, quantity: Decimal, limit: Decimal | None, time_in_force: TimeInForce
    ) -> e.Event:
        """The order that does it; at market where there is no limit."""
        terms = OrderTerms(
            side=self.side,
            type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            quantity=quantity,
            price=limit,
            time_in_force=TimeInForce.GTC if limit is None else time_in_force,
            client_id=self.rules.margin.names.liquidation.replace("{order}", str(self.order)),
            leg=self.position.leg,
            reduce_only=self.position.leg is Leg.BOTH,
            cause=cause,
        )
        return placed(
            self.order, self.account, self.contract.wallet, self.instrument, terms, NOBODY, quantity, limit
        )

    def _close(self, quantity: Decimal, price: Decimal, fee: Decimal = ZERO) -> None:
        """Note that so much of the position was closed, as the fold of it will."""
        signed = quantity if self.side is BUY else -quantity
        change = traded(self.contract, self.position, quantity=signed, price=price)
        self.position = change.position
        self.collateral += change.realised - fee

    @property
    def _lent(self) -> Decimal:
        """What the other assets stand for in that of the position: how far it may be owed, or, below zero,
        how much there must be of it."""
        step = self.contract.settle_step
        if self.others > ZERO:
            return divide_down(self.others, self.rate.ask, step)
        return -self.rate.needed(-self.others, step) if self.others else ZERO

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

    def _note(self, plan: Plan) -> None:
        """What a walk did to orders that rested in the book."""
        self.hidden = plan.trades
        for event in plan.events:
            if isinstance(event, e.TradeExecuted) and event.maker != MARKET_ORDER:
                self.met[event.maker] = self.met.get(event.maker, ZERO) + event.quantity
            elif isinstance(event, e.OrderExpired):
                self.gone.add(event.order)

    # What the book does not take

    def _hand_over(self, quantity: Decimal, price: Decimal) -> list[e.Event]:
        """To the insurance fund as far as it reaches, then to those on the other side, else the market."""
        made: list[e.Event] = []
        carried = self._carried(quantity, price)
        if carried:
            made.append(self._taken_over(carried, price, self.own.mark, by_fund=True))
        return made + self._given_to_others(quantity - carried, price)

    def _given_to_others(self, quantity: Decimal, price: Decimal) -> list[e.Event]:
        made: list[e.Event] = []
        if quantity:
            made = self._deleverage(quantity, price)
            quantity -= sum((one.quantity for one in made if isinstance(one, e.AutoDeleveraged)), ZERO)
        if quantity:
            made.append(self._taken_over(quantity, price, self.own.mark, by_fund=False))
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

    def _taken_over(self, quantity: Decimal, price: Decimal, mark: Decimal, *, by_fund: bool) -> e.Event:
        fee = fee_of(self.contract, quantity, price, self.taker_rate)
        self._close(quantity, price, fee)
        return e.PositionTakenOver(
            order=self.order,
            instrument=self.instrument.symbol,
            trade=self._trade(),
            price=price,
            quantity=quantity,
            amount=self.instrument.amount(quantity, price),
            mark=mark,
            by_fund=by_fund,
            fee=fee,
        )

    def _deleverage(self, quantity: Decimal, price: Decimal) -> list[e.Event]:
        """Close opposite positions, those with most profit and leverage first."""
        made: list[e.Event] = []
        counter, direction = self.order, -self.own.position.direction
        for account, share in deleveraged(self._candidates(direction), quantity):
            counter += 1
            owner = self.state.accounts[account]
            fee = fee_of(self.contract, share, price, self.taker_rate)
            made += [
                *self._ended(owner),
                self._counter_order(counter, owner, direction, share, price),
                e.AutoDeleveraged(
                    order=self.order,
                    counter=counter,
                    instrument=self.instrument.symbol,
                    trade=self._trade(),
                    price=price,
                    quantity=share,
                    amount=self.instrument.amount(share, price),
                    fee=fee,
                    counter_fee=fee_of(self.contract, share, price, self.counter_rate),
                ),
            ]
            self._close(share, price, fee)
        return made

    def _candidates(self, direction: Decimal) -> list[Candidate]:
        """The others on the other side, with as much as the book left of their positions."""
        left: dict[AccountId, Decimal] = {}
        for number, taken in self.met.items():
            maker = self.state.orders[number]
            if self._position_of(maker.account, direction).leg is maker.terms.leg:
                # Who rested on the other side of the liquidation was reducing the position that counts here.
                left[maker.account] = left.get(maker.account, ZERO) - taken
        queue = deleveraging_queue(self.state, self.market, direction, self.now_us)
        found = []
        for one in queue:
            quantity = one.quantity + left.get(one.account, ZERO)
            if one.account != self.account.id and quantity > ZERO:
                found.append(Candidate(account=one.account, score=one.score, quantity=quantity))
        return found

    def _position_of(self, account: AccountId, direction: Decimal) -> Position:
        """The position of a direction that an account has in the contract, or its only one if it has none."""
        symbol = self.instrument.symbol
        held = self.state.accounts[account].positions
        for (of, _), position in held.items():
            if of == symbol and position.direction == direction:
                return position
        return self.state.position(account, symbol)

    def _ended(self, account: Account) -> list[e.Event]:
        """The orders in the book that end before their owner is deleveraged."""
        if not self.rules.margin.deleveraging_ends_orders:
            return []
        return [
            e.OrderExpired(order=order.id, reason=EndReason.DELEVERAGING)
            for order in account.open_orders.values()
            if order.instrument == self.instrument.symbol and order.resting and self._is_left(order)
        ]

    def _is_left(self, order: Order) -> bool:
        return order.id not in self.gone and self.met.get(order.id, ZERO) < order.remaining

    def _counter_order(
        self, order: OrderId, account: Account, direction: Decimal, quantity: Decimal, price: Decimal
    ) -> e.Event:
        leg = self._position_of(account.id, direction).leg
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
        return placed(order, account, self.contract.wallet, self.instrument, terms, NOBODY, quantity, price)

    def _trade(self) -> int:
        """The number of a trade that the public is not told of."""
        self.hidden += 1
        return self.market.next_trade_id(self.now_us) + self.hidden - 1
