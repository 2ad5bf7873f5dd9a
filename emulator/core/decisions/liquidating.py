"""Liquidation: what can be kept no more is sold in the book, and what the book does not take is taken over;
or all that is not made smaller by a tier is taken over, and the book's price is that of the insurance fund.

One position at a time, and by tiers of its margin table where the exchange does so, until what is left
can be kept.
"""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.contracts import Rounding, divided, initial_margin, rounded, value_of
from emulator.core.coverage import spendable
from emulator.core.decisions.closing import NOBODY, Closing
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.lending import repaid
from emulator.core.decisions.sharing import exchanged
from emulator.core.ids import MARKET_ORDER, OrderId
from emulator.core.instruments import TimeInForce
from emulator.core.liquidation import Risk, bankruptcy_price, is_liquidated
from emulator.core.margin import maintenance
from emulator.core.matching import Plan, Taker, walk
from emulator.core.numbers import ONE, ZERO, divide_half
from emulator.core.orders import Cause, EndReason
from emulator.core.positions import Leg, after_margin, unrealised
from emulator.core.risk import Cover, Held, Standing, held_at, standing
from emulator.core.rules import EngineRules, LiquidationStyle
from emulator.core.state import State


def liquidate(state: State, rules: EngineRules, command: c.Liquidate, now_us: int) -> Decision:
    """Begin, unless all is well, or is again with margin that may be added: with the end of the orders whose
    margin may save the positions."""
    risk = command.risk
    held = held_at(state, risk, now_us)
    now = standing(state, risk, held, now_us)
    if not now.is_liquidated:
        return []
    moved, now = _replenished(state, rules, risk, held, now, now_us)
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
) -> tuple[list[e.MarginMoved], Standing]:
    """Margin for an isolated position whose owner wants that, until it can be kept: each time as much as
    opening it took, or what is free; and how it stands then. Never more altogether than it was worth when it
    was entered, which is what it would have at a leverage of one."""
    if not held or (risk.account, risk.instrument, risk.leg) not in state.replenished:
        return [], now
    contract, position = held[0].contract, held[0].position
    step = contract.settle_step
    free = spendable(state, rules, state.accounts[risk.account], risk.wallet, contract.settle, now_us)
    left = min(free, divided(position.cost - position.margin, ONE, step, Rounding.DOWN))
    portion = initial_margin(contract, position.direction * position.cost, position.leverage) or left
    moved: list[e.MarginMoved] = []
    while left > ZERO and now.is_liquidated:
        amount = min(portion, left)
        left -= amount
        # What it costs to close depends on the margin, too.
        position = after_margin(position, amount)
        now = Standing(now.equity + amount, maintenance(contract, position, held[0].mark))
        moved.append(
            e.MarginMoved(
                account=risk.account,
                instrument=risk.instrument,
                leg=risk.leg,
                amount=amount,
                cause=Cause.REPLENISHMENT,
            )
        )
    return moved, now


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
    closing = _CLOSINGS[rules.margin.liquidation_style]
    return closing(state, rules, risk, own, cover, now_us).events()


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


class _Sale(Closing):
    """An order in the book, at whose prices its owner sells, less the fee of the insurance fund."""

    def events(self) -> list[e.Event]:
        step = self.instrument.price_step
        funds = self.beside + self.collateral + self._lent
        limit = bankruptcy_price(self.contract, [self.position], funds, step=step)
        quantity = self._part()
        taker = Taker(
            order=self.order,
            account=self.account,
            wallet=self.contract.wallet,
            side=self.side,
            mode=NOBODY,
            leg=self.position.leg,
            pays_fees=False,
        )
        plan = walk(self.state, self.rules, self.market, taker, self.now_us, limit=limit, quantity=quantity)
        made: list[e.Event] = [
            self._placed(Cause.LIQUIDATION, quantity, limit, TimeInForce.IOC),
            *plan.events,
        ]
        for event in plan.events:
            if isinstance(event, e.TradeExecuted) and event.taker == self.order:
                self._close(event.quantity, event.price)
        self._note(plan)
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


class _Takeover(Closing):
    """A trade that makes the position smaller by a tier; else the insurance fund gets it, and sells it."""

    def __init__(
        self, state: State, rules: EngineRules, risk: Risk, own: Held, cover: Cover, now_us: int
    ) -> None:
        super().__init__(state, rules, risk, own, cover, now_us)
        self.taker_rate = self.instrument.taker_fee
        self.counter_rate = self.instrument.maker_fee
        self.limit = bankruptcy_price(
            self.contract,
            [self.position],
            self._funds(),
            step=self.instrument.price_step,
            fee_rate=self.taker_rate,
        )

    def _funds(self) -> Decimal:
        """What is lost at the bankruptcy price: the margin of an isolated position; else what has to be kept
        for the position at its mark price, or all that covers it, if that is less."""
        there = self.beside + self.collateral + self._lent
        if self.risk.is_isolated:
            return there
        return min(there, self.own.maintenance - self.own.unrealised)

    def events(self) -> list[e.Event]:
        part = self._part()
        if part < abs(self.position.quantity):
            made = self._reduced(part)
            if made:
                return made
        return self._passed_on()

    def _reduced(self, quantity: Decimal) -> list[e.Event]:
        """Nothing where the book does not take all of it at the bankruptcy price or better."""
        plan = self._walk(self.order, quantity, pays_fees=True)
        if plan.executed < quantity:
            return []
        for event in plan.events:
            if isinstance(event, e.TradeExecuted) and event.taker == self.order:
                self._close(event.quantity, event.price, event.taker_fee)
        order = self._placed(Cause.REDUCTION, quantity, self.limit, TimeInForce.FOK)
        return [order, *plan.events, *self._put_back()]

    def _passed_on(self) -> list[e.Event]:
        """What is worth more in the book than at the bankruptcy price, and what the fund can part with at the
        mark price, is the fund's."""
        held, mark = abs(self.position.quantity), self.own.mark
        # At no price would all be lost: then at what it is worth.
        price = mark if self.limit is None else self.limit
        plan = self._walk(MARKET_ORDER, held, pays_fees=False)
        self._note(plan)
        rest = held - plan.executed
        carried = self._carried(rest, price) if rest else ZERO
        order = self._placed(Cause.LIQUIDATION, held, self.limit, TimeInForce.IOC)
        made = [order, *plan.events]
        if plan.executed or carried:
            average = self._average(plan.amount, plan.executed, carried)
            made.append(self._taken_over(plan.executed + carried, price, average, by_fund=True))
        return made + self._given_to_others(rest - carried, price)

    def _walk(self, order: OrderId, quantity: Decimal, *, pays_fees: bool) -> Plan:
        taker = Taker(
            order=order,
            account=self.account,
            wallet=self.contract.wallet,
            side=self.side,
            mode=NOBODY,
            leg=self.position.leg,
            pays_fees=pays_fees,
        )
        limit = self.limit
        return walk(self.state, self.rules, self.market, taker, self.now_us, limit=limit, quantity=quantity)

    def _average(self, amount: Decimal, sold: Decimal, carried: Decimal) -> Decimal:
        """What the fund got for a unit: so much in the book, and the mark price for the rest."""
        contract, mark = self.contract, self.own.mark
        if not sold:
            return mark
        worth = amount + value_of(contract, carried, mark)
        size = (sold + carried) * contract.size
        if contract.is_inverse:
            return divide_half(size, worth, contract.cost_step)
        return divide_half(worth, size, contract.cost_step)


_CLOSINGS: dict[LiquidationStyle, type[_Sale | _Takeover]] = {
    LiquidationStyle.SALE: _Sale,
    LiquidationStyle.TAKEOVER: _Takeover,
}
