"""The walk of one taker through the book, and what happens when it meets an order of its own owner."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from emulator.core import events as e
from emulator.core.ids import MARKET_ORDER
from emulator.core.instruments import BUY, FeeAssetRule, SelfTradeMode, Side
from emulator.core.markets import FeedLevel
from emulator.core.matching.charging import Fees, paid_on_top
from emulator.core.matching.queue import standing
from emulator.core.matching.reach import Reach
from emulator.core.numbers import ONE, ZERO, divide_down, round_down
from emulator.core.orders import EndReason, Order
from emulator.core.positions import Leg
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State
from emulator.core.tape import Market

_NONE = SelfTradeMode.NONE


class Taker:
    """Who takes: an order that is being placed, or one that exists and became active.

    siblings: legs of its list that end as soon as it trades or loses quantity to self-trade prevention.
    pays_fees: or does it trade for nothing.
    """

    __slots__ = ("account", "leg", "mode", "order", "pays_fees", "siblings", "side", "wallet")

    def __init__(
        self,
        *,
        order: int,
        account: Account,
        wallet: str,
        side: Side,
        mode: SelfTradeMode,
        siblings: tuple[Order, ...] = (),
        leg: Leg = Leg.BOTH,
        pays_fees: bool = True,
    ) -> None:
        self.order = order
        self.account = account
        self.wallet = wallet
        self.side = side
        self.mode = mode
        self.siblings = siblings
        self.leg = leg
        self.pays_fees = pays_fees


class Plan:
    """What a walk comes to.

    remaining: what the taker still wants; None when it spends a budget.
    paid: the most that it takes of the asset that the taker pays with; fees in a discount asset apart.
    ended: self-trade prevention took the rest of the taker. dry: the book ran out within the limit. bounded:
    what comes next is beyond the limit.
    """

    __slots__ = ("amount", "bounded", "dry", "ended", "events", "executed", "matches", "paid", "prevented",
                 "remaining", "trades")  # fmt: skip

    def __init__(self, quantity: Decimal | None = None) -> None:
        self.events: list[e.Event] = []
        self.executed = ZERO
        self.amount = ZERO
        self.prevented = ZERO
        self.paid = ZERO
        self.remaining = quantity
        self.trades = 0
        self.matches = 0
        self.ended = False
        self.dry = False
        self.bounded = False


def walk(
    state: State,
    rules: EngineRules,
    market: Market,
    taker: Taker,
    now_us: int,
    *,
    limit: Decimal | None,
    quantity: Decimal | None,
    budget: Decimal | None = None,
    reserved: Decimal = ZERO,
) -> Plan:
    """Plan a taker's trades up to `limit`, for a quantity or for a budget in quote asset.

    reserved: how much of its free funds the taker needs for what it buys or sells, as far as known.
    """
    walker = _Walker(state, rules, market, taker, now_us, quantity, budget)
    if reserved:
        instrument = market.instrument
        asset = instrument.quote if taker.side is BUY else instrument.base
        walker.fees.reserve(taker.account, taker.wallet, asset, reserved)
    walker.walk(limit)
    return walker.plan


class _Walker:
    """One walk under way."""

    __slots__ = ("budget", "fees", "first_trade", "gone", "instrument", "is_buy", "market", "now_us", "plan",
                 "reach", "state", "step", "taker")  # fmt: skip

    def __init__(
        self,
        state: State,
        rules: EngineRules,
        market: Market,
        taker: Taker,
        now_us: int,
        quantity: Decimal | None,
        budget: Decimal | None,
    ) -> None:
        instrument = market.instrument
        self.state = state
        self.market = market
        self.instrument = instrument
        self.taker = taker
        self.now_us = now_us
        self.plan = Plan(quantity)
        self.fees = Fees(state, rules, now_us)
        self.is_buy = taker.side is BUY
        self.step = instrument.market_quantity_step or instrument.quantity_step
        if budget is not None and self.is_buy and instrument.fee_asset_rule is FeeAssetRule.QUOTE:
            # What is charged on top must be paid from the same budget.
            budget = divide_down(budget, ONE + instrument.taker_fee, instrument.quote_step)
        self.budget = budget
        self.gone: set[int] = set()
        """Orders that the plan itself has ended."""
        self.first_trade = 0
        self.reach = None if instrument.contract is None else Reach(state, instrument.symbol)

    def walk(self, limit: Decimal | None) -> None:
        market, is_buy, plan = self.market, self.is_buy, self.plan
        queues = market.asks if is_buy else market.bids
        prices: Iterator[Decimal] = iter(()) if queues.best is None else queues.prices()
        levels = market.levels(self.taker.side.opposite, self.now_us)
        price = next(prices, None)
        level = next(levels, None)
        if price is not None or level is not None:
            self.first_trade = market.next_trade_id(self.now_us)
        while price is not None or level is not None:
            source: FeedLevel | None = None
            if level is None or (
                price is not None and (price < level.price if is_buy else price > level.price)
            ):
                assert price is not None
                at = price
            else:
                at, source = level.price, level
            if limit is not None and (at > limit if is_buy else at < limit):
                plan.bounded = True
                return
            if price != at:
                assert source is not None
                if self._meet(None, source.quantity, at, source):
                    return
                level = next(levels, None)
                continue
            for maker, part in standing(queues, at, source):
                if self._meet(maker, part, at, source):
                    return
            price = next(prices, None)
            if source is not None:
                level = next(levels, None)
        plan.dry = True

    def _meet(self, maker: Order | None, part: Decimal, at: Decimal, source: FeedLevel | None) -> bool:
        """Deal with what stands next in the taker's way; whether the walk is over."""
        plan, taker = self.plan, self.taker
        if maker is not None and maker.id in self.gone:
            return False
        if maker is not None and self.reach is not None:
            part = self.reach.part(maker, part)
            if not part:
                self.gone.add(maker.id)
                plan.events.append(e.OrderExpired(order=maker.id, reason=EndReason.NOTHING_TO_REDUCE))
                return False
        if plan.remaining is not None:
            wanted = plan.remaining
        else:
            assert self.budget is not None
            wanted = divide_down(self.budget, at, self.step)
            if wanted <= ZERO:
                return True
        if maker is not None and taker.mode is not _NONE and _is_own(taker, maker):
            self._prevent(maker, part, at, wanted)
            return plan.ended
        self._trade(maker, min(part, wanted), at, source if maker is None else None)
        return part >= wanted

    def _trade(self, maker: Order | None, filled: Decimal, at: Decimal, source: FeedLevel | None) -> None:
        plan, taker, instrument, state = self.plan, self.taker, self.instrument, self.state
        amount = instrument.amount(filled, at)
        if taker.siblings:
            self._end(taker.siblings)
        taker_fee, taker_asset = ZERO, instrument.settle
        maker_fee, maker_asset = ZERO, ""
        if maker is not None and maker.in_list:
            self._end(state.siblings(maker))
        if taker.pays_fees:
            taker_fee, taker_asset = self.fees.of(
                instrument, taker.account, taker.wallet, taker.side, filled, amount, at, is_maker=False
            )
        if maker is not None:
            maker_fee, maker_asset = self.fees.of(
                instrument,
                state.accounts[maker.account],
                maker.wallet,
                maker.terms.side,
                filled,
                amount,
                at,
                is_maker=True,
            )
        plan.events.append(
            e.TradeExecuted(
                instrument=instrument.symbol,
                trade=self.first_trade + plan.trades,
                price=at,
                quantity=filled,
                amount=amount,
                taker_side=taker.side,
                taker=taker.order,
                maker=MARKET_ORDER if maker is None else maker.id,
                taker_fee=taker_fee,
                taker_fee_asset=taker_asset,
                maker_fee=maker_fee,
                maker_fee_asset=maker_asset,
                feed_price=None if source is None else source.price,
                feed_since_us=0 if source is None else source.since_us,
            )
        )
        if self.reach is not None:
            self.reach.trade(taker.account.id, taker.leg, taker.side, filled)
            if maker is not None:
                self.reach.trade(maker.account, maker.terms.leg, maker.side, filled)
        plan.trades += 1
        plan.executed += filled
        plan.amount += amount
        if self.is_buy:
            plan.paid += amount + paid_on_top(instrument, taker.side, filled, amount)
        else:
            plan.paid += filled
        self._use(filled, amount)

    def _prevent(self, maker: Order, part: Decimal, at: Decimal, wanted: Decimal) -> None:
        """Apply the taker's self-trade mode to a maker of the same owner, instead of a trade."""
        plan, taker, instrument = self.plan, self.taker, self.instrument
        mode = taker.mode
        if mode is SelfTradeMode.TRANSFER and (
            maker.self_trade_mode is not SelfTradeMode.TRANSFER or instrument.contract is not None
        ):
            mode = SelfTradeMode.DECREMENT
        taker_part = maker_part = transferred = transferred_amount = ZERO
        match mode:
            case SelfTradeMode.EXPIRE_TAKER:
                taker_part = wanted
            case SelfTradeMode.EXPIRE_MAKER:
                maker_part = maker.remaining
            case SelfTradeMode.EXPIRE_BOTH:
                taker_part, maker_part = wanted, maker.remaining
            case SelfTradeMode.DECREMENT | SelfTradeMode.TRANSFER:
                taker_part = maker_part = min(wanted, part)
                if mode is SelfTradeMode.TRANSFER and maker.account != taker.account.id:
                    transferred = taker_part
                    transferred_amount = round_down(at * transferred, instrument.quote_step)
            case SelfTradeMode.NONE:
                raise AssertionError("self-trade prevention is off")
        if taker_part:
            self._end(taker.siblings)
        if maker_part:
            self._end(self.state.siblings(maker))
        if mode in (SelfTradeMode.EXPIRE_MAKER, SelfTradeMode.EXPIRE_BOTH):
            self.gone.add(maker.id)
        plan.events.append(
            e.MatchPrevented(
                instrument=instrument.symbol,
                match=self.market.prevented + plan.matches,
                taker=taker.order,
                maker=maker.id,
                mode=mode,
                price=at,
                taker_prevented=taker_part,
                maker_prevented=maker_part,
                transferred=transferred,
                transferred_amount=transferred_amount,
            )
        )
        plan.matches += 1
        plan.prevented += taker_part
        plan.paid += transferred_amount if self.is_buy else transferred
        plan.ended = taker_part == wanted
        if not plan.ended:
            self._use(taker_part, round_down(at * taker_part, instrument.quote_step))

    def _use(self, quantity: Decimal, amount: Decimal) -> None:
        """Take from what the taker still wants."""
        if self.plan.remaining is not None:
            self.plan.remaining -= quantity
        else:
            assert self.budget is not None
            self.budget -= amount

    def _end(self, siblings: tuple[Order, ...]) -> None:
        for order in siblings:
            if order.id not in self.gone:
                self.gone.add(order.id)
                self.plan.events.append(e.OrderExpired(order=order.id, reason=EndReason.LIST_SIBLING))


def _is_own(taker: Taker, maker: Order) -> bool:
    account = taker.account
    if maker.account == account.id:
        return True
    return account.trade_group != 0 and maker.trade_group == account.trade_group
