"""What an order's parameters come to as terms of the core, and what can be wrong with them (Place Order)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from emulator.core.instruments import OrderType, SelfTradeMode, Side, TriggerSource
from emulator.core.numbers import ONE, ZERO, is_on_step
from emulator.core.orders import (
    Attached,
    OrderTerms,
    Peg,
    Slippage,
    Stop,
    StopRole,
    Trigger,
    TriggerKind,
)
from emulator.core.positions import Leg
from emulator.exchanges.bybit.categories import Category
from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.refusals import (
    SAME_SIDE,
    refuse,
    refuse_parameter,
    refuse_spot_missing,
    refuse_spot_parameter,
)
from emulator.exchanges.bybit.vocabulary import (
    BASE_COIN,
    BASE_PRICE,
    BBO_SIDES,
    FALLING,
    FULL,
    ORDER,
    ORDER_TYPES,
    PARTIAL,
    PERCENT,
    POSITION_LEGS,
    POST_ONLY,
    QUOTE_COIN,
    REJECTED,
    RISING,
    RPI,
    SELF_TRADE_MODES,
    SIDES,
    SPOT_TPSL,
    STOP_ORDER,
    TICK_SIZE,
    TIMES_IN_FORCE,
    TRIGGER_SOURCES,
    TURNED_AWAY,
    UNIT,
)
from emulator.web.contract import Refusal

LINK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}", re.ASCII)

TICKS_MAX: Final = 10_000
PERCENT_MIN, PERCENT_MAX = Decimal("0.01"), Decimal(10)
BBO_LEVELS: Final = 5
NO_MARGIN: Final = "none"
"""`marginTrading` of a pair whose orders cannot borrow."""

_NEAR_UP, _NEAR_DOWN = Decimal("1.1"), Decimal("0.9")
"""How far the trigger price of a pair's limit order may be from its limit price."""

W = TypeVar("W")


def read_link_id(category: Category, text: str) -> str:
    """The client's own name for an order; raises what is wrong with one."""
    if not LINK_ID.fullmatch(text):
        raise refuse_word(category, "orderLinkId")
    return text


def refuse_word(category: Category, name: str) -> Refusal:
    """A parameter that is not what it may be."""
    return refuse_parameter(name) if category.is_derivative else refuse_spot_parameter(name)


class Reading:
    """The parameters of one order on their way to terms; each step refuses what is wrong with it.

    last: the last price, which is kept with the order, and tells where a pair's trigger is. held: how much
    there is of a position.
    """

    def __init__(
        self,
        category: Category,
        listing: Listing,
        values: Mapping[str, Any],
        *,
        last: Decimal,
        held: Callable[[Leg], Decimal],
        is_hedged: bool,
        eras: Eras,
    ) -> None:
        self.eras = eras
        self.category = category
        self.listing = listing
        self.values = values
        self.last = last
        self.held = held
        self.is_hedged = is_hedged
        self.labels: list[tuple[str, str]] = [(BASE_PRICE, f"{last:.{listing.price_places}f}")]

    def terms(self) -> OrderTerms:
        side = self._word("side", SIDES)
        type = self._word("orderType", ORDER_TYPES)
        client_id = self._link_id()
        if self.category.is_derivative:
            return self._of_contract(side, type, client_id)
        return self._of_pair(side, type, client_id)

    # Pairs

    def _of_pair(self, side: Side, type: OrderType, client_id: str) -> OrderTerms:
        trigger = self._pair_trigger(side)
        # Quirk: a pair's conditional order freezes nothing until it is triggered, and then another comes
        # in its place; what waits with its funds frozen goes by another filter (Place Order, `orderFilter`).
        is_conditional = trigger is not None and self.values.get("orderFilter") != SPOT_TPSL
        is_detached = is_conditional and self.eras.bybit_spot_trigger_id == "new"
        price = self._price(type)
        quantity, quote_quantity = self._pair_quantity(side, type)
        if trigger is not None and price is not None:
            self._check_near(trigger, price)
        post_only, time_in_force = self._time_in_force(type)
        if post_only and self.eras.bybit_post_only_spot == REJECTED:
            self.labels.append((TURNED_AWAY, REJECTED))
        return OrderTerms(
            side=side,
            type=type,
            quantity=quantity,
            quote_quantity=quote_quantity,
            price=price,
            time_in_force=TIMES_IN_FORCE[time_in_force],
            post_only=post_only,
            trigger=trigger,
            self_trade_mode=self._self_trade_mode(),
            client_id=client_id,
            labels=tuple(self.labels),
            borrows=self._borrows(),
            attached=self._pair_stops(type, trigger),
            role=StopRole.STOP if is_conditional else StopRole.NONE,
            detached=is_detached,
            slippage=self._slippage(type, trigger),
        )

    def _borrows(self) -> bool:
        row = self.listing.pair_row
        assert row is not None, "a pair has the row of one"
        borrows = bool(self.values.get("isLeverage"))
        if borrows and row.margin_trading == NO_MARGIN:
            raise refuse(170344)
        return borrows

    def _pair_stops(self, type: OrderType, trigger: Trigger | None) -> Attached | None:
        attached = read_stops(self.category, self.listing, self.values, None)
        if attached is not None and (type is OrderType.MARKET or trigger is not None):
            # Quirk: of pairs only limit orders bring stops along (Place Order, `takeProfit`).
            raise refuse_word(self.category, "takeProfit" if attached.take_profit else "stopLoss")
        return attached

    def _pair_trigger(self, side: Side) -> Trigger | None:
        word = self.values.get("orderFilter", ORDER)
        price: Decimal | None = self.values.get("triggerPrice")
        if word == ORDER:
            if price is None:
                return None
            # Quirk: an order with a trigger price becomes a conditional one by itself (Place Order, "How to
            # create a conditional order").
            word = STOP_ORDER
        elif word not in (SPOT_TPSL, STOP_ORDER):
            raise refuse_word(self.category, "orderFilter")
        if not price:
            raise refuse(170202)
        _check_step(self.category, self.listing, price, "triggerPrice")
        # Quirk: on which side of the market it is triggered is not said of a pair, the last price tells
        # (Place Order, `triggerDirection`).
        return _trigger(side, price, TriggerSource.LAST, rises=price > self.last)

    def _check_near(self, trigger: Trigger, price: Decimal) -> None:
        assert trigger.price is not None
        if trigger.price > price * _NEAR_UP:
            raise refuse(170203)
        if trigger.price < price * _NEAR_DOWN:
            raise refuse(170204)

    def _pair_quantity(self, side: Side, type: OrderType) -> tuple[Decimal | None, Decimal | None]:
        """In base, or in quote coin."""
        quantity = self._quantity()
        if type is not OrderType.MARKET:
            return quantity, None
        # Quirk: a pair's market buy says how much to spend, a sell how much to sell, unless `marketUnit`
        # says otherwise (Place Order, `qty`).
        default = QUOTE_COIN if side is Side.BUY else BASE_COIN
        unit = self.values.get("marketUnit", default)
        if unit not in (BASE_COIN, QUOTE_COIN):
            raise refuse_word(self.category, "marketUnit")
        self.labels.append((UNIT, unit))
        if unit == BASE_COIN:
            return quantity, None
        if not is_on_step(quantity, self.listing.money_step):
            raise refuse(170148)
        return None, quantity

    # Contracts

    def _of_contract(self, side: Side, type: OrderType, client_id: str) -> OrderTerms:
        values = self.values
        leg = self._leg()
        reduce_only, on_trigger = bool(values.get("reduceOnly")), bool(values.get("closeOnTrigger"))
        # Quirk: a quantity of "0" closes all that there is, as far as one order of its type can (Place Order,
        # `qty`).
        is_all = values["qty"] == ZERO and reduce_only and on_trigger
        closes = is_all and type is OrderType.MARKET
        quantity = None if closes else self._all_of(side, leg) if is_all else self._quantity()
        peg = None if type is OrderType.MARKET else self._peg()
        price = None if peg is not None else self._price(type)
        post_only, time_in_force = self._time_in_force(type)
        trigger = self._contract_trigger(side)
        reduces = reduce_only or on_trigger
        return OrderTerms(
            side=side,
            type=type,
            quantity=quantity,
            price=price,
            time_in_force=TIMES_IN_FORCE[time_in_force],
            post_only=post_only,
            trigger=trigger,
            peg=peg,
            self_trade_mode=self._self_trade_mode(),
            client_id=client_id,
            labels=tuple(self.labels),
            leg=leg,
            reduce_only=reduce_only,
            close_position=closes,
            close_on_trigger=on_trigger,
            # Quirk: what may only reduce brings no stops along, and says nothing (Place Order, `reduceOnly`).
            attached=None if reduces else read_stops(self.category, self.listing, values, None),
            role=StopRole.NONE if trigger is None else StopRole.STOP,
            slippage=self._slippage(type, trigger),
        )

    def _all_of(self, side: Side, leg: Leg) -> Decimal:
        """As much of what is held as one limit order can close."""
        held = -self.held(leg) if side is Side.BUY else self.held(leg)
        if held <= ZERO:
            raise refuse(110017, text=SAME_SIDE if held else None)
        return min(held, self.listing.instrument.quantity_max)

    def _leg(self) -> Leg:
        index = self.values.get("positionIdx", 0)
        leg = POSITION_LEGS.get(index)
        if leg is None or (leg is Leg.BOTH) is self.is_hedged:
            raise refuse_parameter("positionIdx")
        return leg

    def _contract_trigger(self, side: Side) -> Trigger | None:
        values = self.values
        price: Decimal | None = values.get("triggerPrice")
        if not price:
            return None
        direction = values.get("triggerDirection")
        if direction not in (RISING, FALLING):
            raise refuse_word(self.category, "triggerDirection")
        _check_step(self.category, self.listing, price, "triggerPrice")
        source = self._word("triggerBy", TRIGGER_SOURCES, default="LastPrice")
        return _trigger(side, price, source, rises=direction == RISING)

    def _peg(self) -> Peg | None:
        values = self.values
        if "bboSideType" not in values:
            return None
        side = self._word("bboSideType", BBO_SIDES)
        level = values.get("bboLevel", 1)
        if not 1 <= level <= BBO_LEVELS:
            raise refuse_word(self.category, "bboLevel")
        return Peg(side=side, levels=level - 1)

    # Both

    def _word(self, name: str, words: Mapping[str, W], default: str = "") -> W:
        found = words.get(self.values.get(name, default))
        if found is None:
            raise refuse_word(self.category, name)
        return found

    def _link_id(self) -> str:
        text = self.values.get("orderLinkId")
        return "" if text is None else read_link_id(self.category, text)

    def _time_in_force(self, type: OrderType) -> tuple[bool, str]:
        """Whether it may only rest, and for how long it is good."""
        # Quirk: a market order is IOC whatever it says (Place Order, `timeInForce`).
        if type is OrderType.MARKET:
            return False, "GTC"
        word = self.values.get("timeInForce", "GTC")
        if word == RPI:
            # Quirk: only market makers whom the exchange chose may place RPI orders (error page, 110119).
            raise refuse(110119 if self.category.is_derivative else 170355)
        if word not in TIMES_IN_FORCE:
            raise refuse_word(self.category, "timeInForce")
        return word == POST_ONLY, word

    def _quantity(self) -> Decimal:
        quantity: Decimal = self.values["qty"]
        if quantity <= ZERO:
            raise refuse_word(self.category, "qty")
        return quantity

    def _price(self, type: OrderType) -> Decimal | None:
        # Quirk: the price of a market order is not looked at (Place Order, `price`).
        if type is OrderType.MARKET:
            return None
        price: Decimal | None = self.values.get("price")
        if price is None and not self.category.is_derivative:
            raise refuse_spot_missing("price")
        if not price:
            raise refuse_word(self.category, "price")
        return price

    def _self_trade_mode(self) -> SelfTradeMode | None:
        return self._word("smpType", SELF_TRADE_MODES, default="None")

    def _slippage(self, type: OrderType, trigger: Trigger | None) -> Slippage | None:
        """How far from the best price it may trade, if it says so; of market orders without a trigger."""
        word = self.values.get("slippageToleranceType")
        if word is None:
            return None
        if word not in (TICK_SIZE, PERCENT) or type is not OrderType.MARKET or trigger is not None:
            raise refuse_word(self.category, "slippageToleranceType")
        tolerance: Decimal | None = self.values.get("slippageTolerance")
        if word == TICK_SIZE:
            if tolerance is None or not 1 <= tolerance <= TICKS_MAX or tolerance % ONE:
                raise refuse(110108)
            return Slippage(steps=int(tolerance))
        if tolerance is None or not PERCENT_MIN <= tolerance <= PERCENT_MAX or tolerance % PERCENT_MIN:
            raise refuse(110109)
        return Slippage(ratio=tolerance.scaleb(-2))


def read_stops(
    category: Category, listing: Listing, values: Mapping[str, Any], before: Attached | None
) -> Attached | None:
    """The stops that an order shall bring along, of which some may be there already; None for no word about
    them. A price of zero removes one. Raises what is wrong with them by themselves."""
    if values.keys().isdisjoint(_STOP_NAMES):
        return None
    whole = _is_whole(category, values, before)
    take_profit = _stop(category, listing, values, "tp", None if before is None else before.take_profit)
    stop_loss = _stop(category, listing, values, "sl", None if before is None else before.stop_loss)
    if before is None and take_profit is None and stop_loss is None:
        return None
    for name, stop in (("tpOrderType", take_profit), ("slOrderType", stop_loss)):
        if whole and stop is not None and stop.limit is not None:
            # Quirk: stops for all of a position are at market only (Place Order, `tpslMode`).
            raise refuse_word(category, name)
    return Attached(whole=whole, take_profit=take_profit, stop_loss=stop_loss)


_STOP_NAMES: Final = frozenset({"takeProfit", "stopLoss", "tpLimitPrice", "slLimitPrice"})
_PRICES: Final = {"tp": "takeProfit", "sl": "stopLoss"}


def _is_whole(category: Category, values: Mapping[str, Any], before: Attached | None) -> bool:
    if not category.is_derivative:
        return False
    word = values.get("tpslMode")
    if word is None:
        return True if before is None else before.whole
    if word not in (FULL, PARTIAL):
        raise refuse_word(category, "tpslMode")
    return bool(word == FULL)


def _stop(
    category: Category, listing: Listing, values: Mapping[str, Any], prefix: str, before: Stop | None
) -> Stop | None:
    name = _PRICES[prefix]
    price: Decimal | None = values.get(name, None if before is None else before.price)
    if not price:
        return None
    _check_step(category, listing, price, name)
    source = TriggerSource.LAST if before is None else before.source
    if category.is_derivative and f"{prefix}TriggerBy" in values:
        found = TRIGGER_SOURCES.get(values[f"{prefix}TriggerBy"])
        if found is None:
            raise refuse_word(category, f"{prefix}TriggerBy")
        source = found
    limit: Decimal | None = values.get(f"{prefix}LimitPrice", None if before is None else before.limit)
    # Quirk: that it has a limit price makes a limit order of a pair's stop only; of a contract's it has to be
    # said as well, or to be one already (Place Order, `tpOrderType`, `tpLimitPrice`).
    is_limit = limit and (not category.is_derivative or (before is not None and before.limit is not None))
    word = values.get(f"{prefix}OrderType", "Limit" if is_limit else "Market")
    if word not in ORDER_TYPES or (word == "Limit" and not limit):
        raise refuse_word(category, f"{prefix}OrderType" if limit else f"{prefix}LimitPrice")
    if word == "Market" or not limit:
        return Stop(price=price, source=source)
    _check_step(category, listing, limit, f"{prefix}LimitPrice")
    return Stop(price=price, source=source, limit=limit)


def _check_step(category: Category, listing: Listing, price: Decimal, name: str) -> None:
    if not is_on_step(price, listing.instrument.price_step):
        raise refuse_word(category, name)


def _trigger(side: Side, price: Decimal, source: TriggerSource, *, rises: bool) -> Trigger:
    kind = TriggerKind.STOP_LOSS if (side is Side.BUY) is rises else TriggerKind.TAKE_PROFIT
    return Trigger(kind=kind, price=price, source=source)
