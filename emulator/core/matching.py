"""The walk of one taker through a book, planned read-only.

At each price, orders that rest there since before the market's own liquidity appeared come first,
then that liquidity, then later orders; an iceberg shows its next part at the end of the queue. The
plan is a list of events; nothing changes until they are applied.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from emulator.core import events as e
from emulator.core.fees import discounted_fee, standard_fee
from emulator.core.ids import MARKET_ORDER
from emulator.core.instruments import Instrument, SelfTradeMode, Side
from emulator.core.markets import FeedLevel
from emulator.core.numbers import ZERO, divide_down, round_down
from emulator.core.orders import EndReason, Order
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State
from emulator.core.tape import Market


class Taker:
    """Who takes: an order that is being placed, or that exists and became active."""

    __slots__ = ("account", "mode", "order", "siblings", "side", "wallet")

    def __init__(
        self,
        *,
        order: int,
        account: Account,
        wallet: str,
        side: Side,
        mode: SelfTradeMode,
        siblings: tuple[Order, ...] = (),
    ) -> None:
        self.order = order
        self.account = account
        self.wallet = wallet
        self.side = side
        self.mode = mode
        self.siblings = siblings


class Plan:
    """What a walk comes to. `remaining` is what the taker still wants; None when it spent a budget.

    ended: self-trade prevention took the rest of the taker. dry: the book ran out within the limit.
    """

    __slots__ = ("amount", "dry", "ended", "events", "executed", "matches", "prevented", "remaining", "trades")

    def __init__(self) -> None:
        self.events: list[e.Event] = []
        self.executed = ZERO
        self.amount = ZERO
        self.prevented = ZERO
        self.remaining: Decimal | None = None
        self.trades = 0
        self.matches = 0
        self.ended = False
        self.dry = False


class Fees:
    """Fees of one plan: remembers what it has already taken of each payer's discount asset."""

    __slots__ = ("_now_us", "_rules", "_spent", "_state")

    def __init__(self, state: State, rules: EngineRules, now_us: int) -> None:
        self._state = state
        self._rules = rules
        self._now_us = now_us
        self._spent: dict[tuple[int, str], Decimal] = {}

    def of(
        self,
        instrument: Instrument,
        account: Account,
        wallet: str,
        side: Side,
        quantity: Decimal,
        amount: Decimal,
        *,
        is_maker: bool,
    ) -> tuple[Decimal, str]:
        asset = self._rules.fees.discount_asset
        if account.discounted and asset is not None:
            fee = discounted_fee(
                self._rules.fees, instrument, quantity, amount, self._price_of, is_maker=is_maker
            )
            spent = self._spent.get((account.id, wallet), ZERO)
            paid = (instrument.base if side is Side.SELL else instrument.quote) == asset
            # What the order itself may still pay in the discount asset is not there for fees.
            own = (quantity if side is Side.SELL else amount) if paid else ZERO
            if fee is not None:
                self._spent[account.id, wallet] = spent + fee + own
                if spent + fee + own <= self._state.ledger.free(account.id, wallet, asset):
                    return fee, asset
                self._spent[account.id, wallet] = spent + own
        return standard_fee(instrument, side, quantity, amount, is_maker=is_maker)

    def _price_of(self, base: str, quote: str) -> Decimal | None:
        symbol = self._rules.symbols.get((base, quote))
        return None if symbol is None else self._state.markets[symbol].last_price(self._now_us)


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
) -> Plan:
    """Plan a taker's trades up to `limit`, for a quantity or for a budget in quote asset."""
    instrument = market.instrument
    plan = Plan()
    plan.remaining = quantity
    is_buy = taker.side is Side.BUY
    queues = market.asks if is_buy else market.bids
    prices: Iterator[Decimal] = iter(()) if queues.best is None else queues.prices()
    levels = market.levels(taker.side.opposite, now_us)
    price = next(prices, None)
    level = next(levels, None)
    fees = Fees(state, rules, now_us)
    first_trade = market.next_trade_id(now_us) if price is not None or level is not None else 0
    step = instrument.market_quantity_step or instrument.quantity_step
    told: set[int] = set()

    def trade(at: Decimal, wanted: Decimal, maker: Order | None, source: FeedLevel | None) -> Decimal:
        filled = wanted if plan.remaining is None else min(wanted, plan.remaining)
        if budget is not None:
            filled = min(filled, divide_down(budget - plan.amount, at, step))
            if filled <= ZERO:
                return ZERO
        amount = round_down(at * filled, instrument.quote_step)
        for order in (*taker.siblings, *(state.siblings(maker) if maker is not None else ())):
            if order.id not in told:
                told.add(order.id)
                plan.events.append(e.OrderExpired(order=order.id, reason=EndReason.LIST_SIBLING))
        taker_fee, taker_asset = fees.of(
            instrument, taker.account, taker.wallet, taker.side, filled, amount, is_maker=False
        )
        maker_fee, maker_asset = ZERO, ""
        if maker is not None:
            maker_fee, maker_asset = fees.of(
                instrument,
                state.accounts[maker.account],
                maker.wallet,
                maker.terms.side,
                filled,
                amount,
                is_maker=True,
            )
        plan.events.append(
            e.TradeExecuted(
                instrument=instrument.symbol,
                trade=first_trade + plan.trades,
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
        plan.trades += 1
        plan.executed += filled
        plan.amount += amount
        if plan.remaining is not None:
            plan.remaining -= filled
        return filled

    while price is not None or level is not None:
        if level is None or (
            price is not None and (price < level.price if is_buy else price > level.price)
        ):
            assert price is not None
            at, source = price, None
        else:
            at, source = level.price, level
        if limit is not None and (at > limit if is_buy else at < limit):
            break
        for maker, part in _entries(market, at if price == at else None, source, is_buy=is_buy):
            if maker is not None and maker.id in told:
                continue
            if (
                maker is not None
                and taker.mode is not SelfTradeMode.NONE
                and _is_own(taker, maker)
            ):
                told.add(maker.id)
                _prevent(state, plan, instrument, taker, maker, at, budget)
                if plan.ended:
                    return plan
                continue
            filled = trade(at, part, maker, source if maker is None else None)
            if plan.remaining is not None and plan.remaining <= ZERO:
                return plan
            if budget is not None and filled < part:
                return plan
        if price == at:
            price = next(prices, None)
        if source is not None:
            level = next(levels, None)
    plan.dry = price is None and level is None
    return plan


def serve(state: State, rules: EngineRules, market: Market, now_us: int) -> list[e.Event]:
    """Plan the fills of resting orders that the market's own quotes have reached.

    The market then takes from them at their own prices, as far as its quantity reaches.
    """
    planned: list[e.Event] = []
    for side in (Side.SELL, Side.BUY):
        queues = market.bids if side is Side.SELL else market.asks
        best = queues.best
        if best is None:
            continue
        level = next(iter(market.levels(side, now_us)), None)
        if level is None or (level.price > best if side is Side.SELL else level.price < best):
            continue
        planned += _serve_side(state, rules, market, side, now_us, len(planned))
    return planned


def _serve_side(
    state: State, rules: EngineRules, market: Market, side: Side, now_us: int, earlier: int
) -> list[e.Event]:
    instrument = market.instrument
    queues = market.bids if side is Side.SELL else market.asks
    fees = Fees(state, rules, now_us)
    planned: list[e.Event] = []
    trade_id = market.next_trade_id(now_us) + earlier
    levels = market.levels(side, now_us)
    level = next(levels, None)
    left = level.quantity if level is not None else ZERO
    for price in queues.prices():
        for maker, part in _entries(market, price, None, is_buy=side is Side.BUY):
            assert maker is not None
            while part > ZERO:
                if level is not None and left <= ZERO:
                    level = next(levels, None)
                    left = level.quantity if level is not None else ZERO
                if level is None or (level.price > price if side is Side.SELL else level.price < price):
                    return planned
                filled = min(part, left)
                planned += sibling_ends(state, maker, planned)
                planned.append(
                    market_takes(
                        state, fees, instrument, maker, side, filled, trade_id, level=level
                    )
                )
                trade_id += 1
                left -= filled
                part -= filled
    return planned


def sibling_ends(state: State, maker: Order, planned: list[e.Event]) -> list[e.Event]:
    """The ends of what a maker's first trade cancels, unless they are planned already."""
    known = {event.order for event in planned if isinstance(event, e.OrderExpired)}
    return [
        e.OrderExpired(order=order.id, reason=EndReason.LIST_SIBLING)
        for order in state.siblings(maker)
        if order.id not in known
    ]


def market_takes(
    state: State,
    fees: Fees,
    instrument: Instrument,
    maker: Order,
    side: Side,
    quantity: Decimal,
    trade_id: int,
    *,
    level: FeedLevel | None,
) -> e.TradeExecuted:
    """The trade of a resting order with a market participant who takes on `side`."""
    assert maker.price is not None
    amount = round_down(maker.price * quantity, instrument.quote_step)
    fee, asset = fees.of(
        instrument,
        state.accounts[maker.account],
        maker.wallet,
        maker.terms.side,
        quantity,
        amount,
        is_maker=True,
    )
    return e.TradeExecuted(
        instrument=instrument.symbol,
        trade=trade_id,
        price=maker.price,
        quantity=quantity,
        amount=amount,
        taker_side=side,
        taker=MARKET_ORDER,
        maker=maker.id,
        taker_fee=ZERO,
        taker_fee_asset="",
        maker_fee=fee,
        maker_fee_asset=asset,
        feed_price=None if level is None else level.price,
        feed_since_us=0 if level is None else level.since_us,
    )


def take_resting(
    state: State,
    rules: EngineRules,
    market: Market,
    side: Side,
    limit: Decimal,
    quantity: Decimal,
    now_us: int,
) -> tuple[list[e.Event], Decimal]:
    """Plan the fills of resting orders by a market trade of `quantity` at `limit`, and what is left."""
    queues = market.bids if side is Side.SELL else market.asks
    fees = Fees(state, rules, now_us)
    planned: list[e.Event] = []
    trade_id = market.next_trade_id(now_us)
    left = quantity
    for price in queues.prices():
        if price < limit if side is Side.SELL else price > limit:
            break
        for maker, part in _entries(market, price, None, is_buy=side is Side.BUY):
            assert maker is not None
            if left <= ZERO:
                return planned, ZERO
            filled = min(part, left)
            planned += sibling_ends(state, maker, planned)
            planned.append(
                market_takes(state, fees, market.instrument, maker, side, filled, trade_id, level=None)
            )
            trade_id += 1
            left -= filled
    return planned, left


def _entries(
    market: Market, price: Decimal | None, level: FeedLevel | None, *, is_buy: bool
) -> Iterator[tuple[Order | None, Decimal]]:
    """What stands at one price, in the order in which it is served: (None, q) is the market's own."""
    if price is None:
        assert level is not None
        yield None, level.quantity
        return
    queues = market.asks if is_buy else market.bids
    hidden: deque[tuple[Order, Decimal]] = deque()
    served = level is None
    for order in queues.queues[price].values():
        if not served and level is not None and order.queued_us >= level.since_us:
            served = True
            yield None, level.quantity
        yield order, order.visible
        rest = order.remaining - order.visible
        if rest > ZERO:
            hidden.append((order, rest))
    if not served and level is not None:
        yield None, level.quantity
    while hidden:
        order, rest = hidden.popleft()
        assert order.terms.iceberg_quantity is not None
        part = min(rest, order.terms.iceberg_quantity)
        yield order, part
        if rest > part:
            hidden.append((order, rest - part))


def _is_own(taker: Taker, maker: Order) -> bool:
    account = taker.account
    if maker.account == account.id:
        return True
    return account.trade_group != 0 and maker.trade_group == account.trade_group


def _prevent(
    state: State,
    plan: Plan,
    instrument: Instrument,
    taker: Taker,
    maker: Order,
    at: Decimal,
    budget: Decimal | None,
) -> None:
    """Apply the taker's self-trade mode to a maker of the same owner, instead of a trade."""
    mode = taker.mode
    if mode is SelfTradeMode.TRANSFER and maker.self_trade_mode is not SelfTradeMode.TRANSFER:
        mode = SelfTradeMode.DECREMENT
    left = maker.remaining
    wanted = plan.remaining
    if wanted is None:
        assert budget is not None
        wanted = divide_down(budget - plan.amount, at, instrument.quantity_step)
    taker_part = maker_part = transferred = transferred_amount = ZERO
    match mode:
        case SelfTradeMode.EXPIRE_TAKER:
            taker_part = wanted
        case SelfTradeMode.EXPIRE_MAKER:
            maker_part = left
        case SelfTradeMode.EXPIRE_BOTH:
            taker_part, maker_part = wanted, left
        case SelfTradeMode.DECREMENT | SelfTradeMode.TRANSFER:
            taker_part = maker_part = min(wanted, left)
            if mode is SelfTradeMode.TRANSFER and maker.account != taker.account.id:
                transferred = taker_part
                transferred_amount = round_down(at * transferred, instrument.quote_step)
        case SelfTradeMode.NONE:
            raise AssertionError("self-trade prevention is off")
    plan.events.append(
        e.MatchPrevented(
            instrument=instrument.symbol,
            match=state.markets[instrument.symbol].prevented + plan.matches,
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
    if plan.remaining is not None:
        plan.remaining -= taker_part
    plan.ended = mode in (SelfTradeMode.EXPIRE_TAKER, SelfTradeMode.EXPIRE_BOTH) or taker_part == wanted
