"""What an order's parameters come to as terms of the core, and what can be wrong between them (New Order).

Conditional orders are described in the same words at both endpoints that take them, but for the name of
the price that triggers them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from emulator.core.instruments import OrderType, SelfTradeMode, Side, TimeInForce
from emulator.core.numbers import decimals
from emulator.core.orders import OrderTerms, Peg, Trigger
from emulator.core.positions import Leg
from emulator.exchanges.binance.client_ids import new_client_id
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.vocabulary import (
    LEGS,
    PRICE_MATCHES,
    SELF_TRADE_MODES,
    STOP_TYPES,
    TIMES_IN_FORCE,
    TRAILING,
    WORKING_TYPES,
)
from emulator.exchanges.binance.vocabulary import SIDES
from emulator.web.contract import Refusal

GOOD_FOR_AT_LEAST_US: Final = 600_000_000
LAST_DATE_US: Final = 253_402_300_799_000_000
SECOND_US: Final = 1_000_000
MILLISECOND_US: Final = 1000

RATE_STEP: Final = Decimal("0.1")
BIPS_IN_PERCENT: Final = 100

TYPE_LABEL: Final = "type"
"""The label that keeps the type of a conditional order, which another one has when it is active."""


_OPENED: Final = {Side.BUY: Leg.LONG, Side.SELL: Leg.SHORT}
"""Which leg an order of a side can only add to."""


class Names:
    """What differs in the words of the two endpoints that take conditional orders."""

    def __init__(self, *, stop_price: str, activation: str, client_id: str, is_detached: bool) -> None:
        self.stop_price = stop_price
        self.activation = activation
        self.client_id = client_id
        self.is_detached = is_detached


PLAIN: Final = Names(
    stop_price="stopPrice", activation="activationPrice", client_id="newClientOrderId", is_detached=False
)
ALGO: Final = Names(
    stop_price="triggerPrice", activation="activatePrice", client_id="clientAlgoId", is_detached=True
)


class Reading:
    """The parameters of one order on their way to terms; each step refuses what is wrong with it."""

    def __init__(
        self,
        product: Product,
        listing: Listing,
        values: Mapping[str, Any],
        names: Names,
        *,
        is_hedged: bool,
        now_us: int,
    ) -> None:
        self.listing = listing
        self.values = values
        self.names = names
        self.is_hedged = is_hedged
        self.now_us = now_us
        self.refuse = TABLES[product].refuse
        self.word: str = values.get("type", "LIMIT")

    def terms(self) -> OrderTerms:
        values = self.values
        is_stop = self.word in STOP_TYPES
        type, kind = STOP_TYPES[self.word] if is_stop else (OrderType[self.word], None)
        closes = self._closes(type)
        leg = LEGS[values.get("positionSide", "BOTH")]
        reduce_only = self._reduces_only(leg, closes=closes)
        time_in_force, post_only, good_till_us = self._time_in_force(type)
        quantity = None if closes else self.quantity()
        price, peg = self.price(type)
        trigger = None
        labels: tuple[tuple[str, str], ...] = ()
        if kind is not None:
            trigger = Trigger(
                kind=kind,
                price=self._stop_price(),
                trailing_bips=self._trailing_bips(),
                source=WORKING_TYPES[values.get("workingType", "CONTRACT_PRICE")],
            )
            labels = ((TYPE_LABEL, self.word),)
        else:
            self._refuse_superfluous(self.names.stop_price, self.names.activation, "callbackRate")
        mode_word = values.get("selfTradePreventionMode")
        mode = None if mode_word is None else SELF_TRADE_MODES[mode_word]
        if time_in_force is TimeInForce.FOK:
            # Quirk: self-trade prevention has no effect on orders that fill at once or not at all (New Order,
            # `selfTradePreventionMode`).
            mode = SelfTradeMode.NONE
        return OrderTerms(
            side=SIDES[values["side"]],
            type=type,
            quantity=quantity,
            price=price,
            time_in_force=time_in_force,
            post_only=post_only,
            trigger=trigger,
            peg=peg,
            self_trade_mode=mode,
            client_id=values.get(self.names.client_id) or new_client_id(),
            labels=labels,
            leg=leg,
            reduce_only=reduce_only,
            close_position=closes,
            price_protect=is_stop and values.get("priceProtect", False),
            detached=self.names.is_detached,
            good_till_us=good_till_us,
        )

    def _closes(self, type: OrderType) -> bool:
        values = self.values
        closes: bool = values.get("closePosition", False)
        if closes:
            if type is not OrderType.MARKET or self.word not in STOP_TYPES or self.word == TRAILING:
                raise self.refuse(-4136, self.word, "true")
            if "quantity" in values:
                raise self.refuse(-4137)
            if LEGS[values.get("positionSide", "BOTH")] is _OPENED[SIDES[values["side"]]]:
                raise self.refuse(-4136, self.word, "true")
            # Quirk: what closes a position says nothing of only reducing it, not even that it does
            # (New Order, `closePosition`; live answers).
            self._refuse_superfluous("reduceOnly")
        return closes

    def _reduces_only(self, leg: Leg, *, closes: bool) -> bool:
        if self.is_hedged:
            # Quirk: in hedge mode `reduceOnly` is refused whatever it says (New Order, `reduceOnly`), and is
            # true of every order against its leg all the same (live answers of both products).
            self._refuse_superfluous("reduceOnly")
            return closes or leg is not _OPENED[SIDES[self.values["side"]]]
        return closes or bool(self.values.get("reduceOnly", False))

    def _time_in_force(self, type: OrderType) -> tuple[TimeInForce, bool, int | None]:
        values = self.values
        word = values.get("timeInForce")
        date_us = values.get("goodTillDate", 0) * MILLISECOND_US
        if type is OrderType.MARKET:
            # Conditional ones may say how long they wait, plain ones have nothing to wait for.
            if self.word not in STOP_TYPES:
                self._refuse_superfluous("timeInForce")
            elif word not in (None, "GTC", "GTD"):
                raise self.refuse(-1115)
        elif word is None and self.word not in STOP_TYPES:
            raise self._missing("timeInForce")
        good_till_us: int | None = None
        if word == "GTD":
            if not date_us:
                raise self._missing("goodTillDate")
            if not self.now_us + GOOD_FOR_AT_LEAST_US < date_us < LAST_DATE_US:
                raise self.refuse(-5040)
            # Quirk: of a date only the seconds count (New Order, `goodTillDate`).
            good_till_us = date_us - date_us % SECOND_US
        elif date_us:
            raise self.refuse(-1106, "goodTillDate")
        return TIMES_IN_FORCE[word or "GTC"], word == "GTX", good_till_us

    def quantity(self) -> Decimal:
        quantity: Decimal | None = self.values.get("quantity")
        if quantity is None:
            raise self._missing("quantity")
        if quantity <= 0:
            raise self.refuse(-4003)
        self._check_places(quantity, self.listing.row.quantity_precision)
        return quantity

    def price(self, type: OrderType) -> tuple[Decimal | None, Peg | None]:
        """A limit price, or where in the book to take it from."""
        values = self.values
        price: Decimal | None = values.get("price")
        match = values.get("priceMatch", "NONE")
        if type is OrderType.MARKET:
            if match != "NONE":
                raise self.refuse(-5038)
            if price:
                raise self.refuse(-1106, "price")
            return None, None
        if match != "NONE":
            if price is not None:
                raise self.refuse(-5037)
            return None, PRICE_MATCHES[match]
        if price is None:
            raise self._missing("price")
        return self._checked_price(price, -4001), None

    def _stop_price(self) -> Decimal | None:
        names, values = self.names, self.values
        if self.word == TRAILING:
            self._refuse_superfluous(names.stop_price)
            price = values.get(names.activation)
            return None if price is None else self._checked_price(price, -4135)
        self._refuse_superfluous(names.activation)
        price = values.get(names.stop_price)
        if price is None:
            raise self._missing(names.stop_price)
        return self._checked_price(price, -4006)

    def _trailing_bips(self) -> int | None:
        if self.word != TRAILING:
            self._refuse_superfluous("callbackRate")
            return None
        rate: Decimal | None = self.values.get("callbackRate")
        if rate is None:
            raise self._missing("callbackRate")
        if rate <= 0 or rate % RATE_STEP:
            raise self.refuse(-2007)
        return int(rate * BIPS_IN_PERCENT)

    def _checked_price(self, price: Decimal, code: int) -> Decimal:
        if price <= 0:
            raise self.refuse(code)
        self._check_places(price, self.listing.row.price_precision)
        return price

    def _check_places(self, value: Decimal, places: int) -> None:
        if decimals(value) > places:
            raise self.refuse(-1111)

    def _missing(self, name: str) -> Refusal:
        return self.refuse(-1102, name)

    def _refuse_superfluous(self, *names: str) -> None:
        for name in names:
            if name in self.values:
                raise self.refuse(-1106, name)
