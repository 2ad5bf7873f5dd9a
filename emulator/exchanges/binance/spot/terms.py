"""What an order's parameters come to as terms of the core, and what can be wrong between them.

Which parameters an order needs and takes depends on its type alone (rest-api.md, "New order", and the
tables under each order list); the same rules hold for every leg of a list, whose parameters carry the
leg's name in front. Each parameter by itself was checked at the door.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec

from emulator.core.instruments import OrderType, SelfTradeMode, Side, TimeInForce
from emulator.core.numbers import decimals
from emulator.core.orders import OrderTerms, Peg, PegSide, Trigger, TriggerKind
from emulator.exchanges.binance.client_ids import new_client_id
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.refusals import EITHER_REQUIRED
from emulator.exchanges.binance.spot.instruments import load
from emulator.exchanges.binance.vocabulary import PEG_SIDES, TIMES_IN_FORCE

NOT_PEGGABLE: Final = "This order type may not use pegged price."
WRONG_PEG: Final = "This price peg cannot be used with this order type."

USED_SOR: Final = ("usedSor", "true")
"""The label of an order that asked for smart order routing."""

_GTC: Final = TimeInForce.GTC

DOOR_PRECISION: Final = 8
"""Digits after the point that the door lets pass."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a wire type of order is made of.

    priced: it has a limit price, so it may be pegged and may be an iceberg; timed: a time in force.
    """

    type: OrderType
    trigger: TriggerKind | None = None
    priced: bool = False
    timed: bool = False
    post_only: bool = False


SHAPES: Mapping[str, Shape] = {
    "LIMIT": Shape(type=OrderType.LIMIT, priced=True, timed=True),
    "MARKET": Shape(type=OrderType.MARKET),
    "LIMIT_MAKER": Shape(type=OrderType.LIMIT, priced=True, post_only=True),
    "STOP_LOSS": Shape(type=OrderType.MARKET, trigger=TriggerKind.STOP_LOSS),
    "STOP_LOSS_LIMIT": Shape(type=OrderType.LIMIT, trigger=TriggerKind.STOP_LOSS, priced=True, timed=True),
    "TAKE_PROFIT": Shape(type=OrderType.MARKET, trigger=TriggerKind.TAKE_PROFIT),
    "TAKE_PROFIT_LIMIT": Shape(
        type=OrderType.LIMIT, trigger=TriggerKind.TAKE_PROFIT, priced=True, timed=True
    ),
}


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What one leg's parameters are called. quote_quantity: "" where a leg has no such parameter.

    paired: a leg of an OCO, whose mistakes have a code of their own. rare: those that most orders have not,
    so that one look passes over all of them.
    """

    quantity: str
    price: str
    stop_price: str
    trailing_delta: str
    time_in_force: str
    iceberg_quantity: str
    client_id: str
    strategy_id: str
    strategy_type: str
    peg_price_type: str
    peg_offset_type: str
    peg_offset_value: str
    quote_quantity: str = ""
    paired: bool = False
    rare: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        rare = {
            self.quote_quantity,
            self.stop_price,
            self.trailing_delta,
            self.iceberg_quantity,
            self.strategy_id,
            self.strategy_type,
            self.peg_price_type,
            self.peg_offset_type,
            self.peg_offset_value,
        }
        msgspec.structs.force_setattr(self, "rare", frozenset(rare))


PLAIN: Final = Names(
    quantity="quantity",
    quote_quantity="quoteOrderQty",
    price="price",
    stop_price="stopPrice",
    trailing_delta="trailingDelta",
    time_in_force="timeInForce",
    iceberg_quantity="icebergQty",
    client_id="newClientOrderId",
    strategy_id="strategyId",
    strategy_type="strategyType",
    peg_price_type="pegPriceType",
    peg_offset_type="pegOffsetType",
    peg_offset_value="pegOffsetValue",
)


def names_of(prefix: str, *, quantity: str, paired: bool = False) -> Names:
    """The names of a leg whose parameters begin with `prefix`."""
    return Names(
        quantity=quantity,
        price=f"{prefix}Price",
        stop_price=f"{prefix}StopPrice",
        trailing_delta=f"{prefix}TrailingDelta",
        time_in_force=f"{prefix}TimeInForce",
        iceberg_quantity=f"{prefix}IcebergQty",
        client_id=f"{prefix}ClientOrderId",
        strategy_id=f"{prefix}StrategyId",
        strategy_type=f"{prefix}StrategyType",
        peg_price_type=f"{prefix}PegPriceType",
        peg_offset_type=f"{prefix}PegOffsetType",
        peg_offset_value=f"{prefix}PegOffsetValue",
        paired=paired,
    )


def parse_terms(
    values: Mapping[str, Any],
    names: Names,
    *,
    type_word: str,
    side: Side,
    self_trade_mode: SelfTradeMode | None,
    labels: tuple[tuple[str, str], ...] = (),
    funded: bool = False,
) -> OrderTerms:
    """One order's terms out of a request's values; raises what is wrong with their combination.

    funded: the leg has no quantity of its own; what its working order receives becomes it.
    """
    shape = SHAPES[type_word]
    get = values.get
    symbol = values["symbol"]
    is_plain = names.rare.isdisjoint(values)
    time_in_force = _GTC
    word = get(names.time_in_force)
    quantity: Decimal | None = None if funded else get(names.quantity)
    price: Decimal | None = get(names.price)
    if is_plain and type_word == "LIMIT" and word and quantity and price and symbol not in coarse_assets():
        # Nearly all orders, and nothing is wrong with them.
        return OrderTerms(
            side=side,
            type=shape.type,
            quantity=quantity,
            price=price,
            time_in_force=TIMES_IN_FORCE[word],
            self_trade_mode=self_trade_mode,
            client_id=get(names.client_id) or new_client_id(),
            labels=labels,
        )

    if shape.timed:
        if word is None:
            raise refuse(-1102, names.time_in_force)
        time_in_force = TIMES_IN_FORCE[word]
    elif word is not None:
        raise refuse(-1106, names.time_in_force)

    quote_quantity: Decimal | None = None if is_plain else get(names.quote_quantity)
    if quote_quantity is not None:
        if type_word != "MARKET":
            raise refuse(-1106, names.quote_quantity)
        if quantity is not None:
            # Quirk: of `quantity` and `quoteOrderQty` together it is `quantity` that is called superfluous
            # (python-binance, issue 522).
            raise refuse(-1106, names.quantity)
        if not quote_quantity:
            raise refuse(-1013, text="Invalid quantity.")
    elif quantity is None:
        if not funded:
            if type_word == "MARKET" and names.quote_quantity:
                raise refuse(-1102, names.quantity, names.quote_quantity, text=EITHER_REQUIRED)
            raise refuse(-1102, names.quantity)
    elif not quantity:
        raise refuse(-1013, text="Invalid quantity.")

    peg = None if is_plain else _parse_peg(values, names, type_word, shape, time_in_force)
    if price is None:
        if shape.priced and peg is None:
            raise refuse(-1102, names.price)
    elif not shape.priced:
        raise refuse(-1106, names.price)
    elif not price:
        raise refuse(-1013, text="Invalid price.")

    trigger: Trigger | None = None
    stop_price: Decimal | None = None if is_plain else get(names.stop_price)
    trailing_delta: int | None = None if is_plain else get(names.trailing_delta)
    if shape.trigger is not None:
        if stop_price is None and trailing_delta is None:
            raise refuse(-1102, names.stop_price, names.trailing_delta, text=EITHER_REQUIRED)
        trigger = Trigger(kind=shape.trigger, price=stop_price, trailing_bips=trailing_delta)
    elif stop_price is not None:
        raise refuse(-1106, names.stop_price)
    elif trailing_delta is not None:
        raise refuse(-1106, names.trailing_delta)

    iceberg_quantity: Decimal | None = None if is_plain else get(names.iceberg_quantity)
    if iceberg_quantity is not None:
        if not shape.priced:
            raise refuse(-1106, names.iceberg_quantity)
        if time_in_force is not _GTC:
            raise refuse(-1160, names.iceberg_quantity) if names.paired else refuse(-1014)

    coarse = coarse_assets().get(symbol)
    if coarse is not None:
        check_precision(coarse[0], (names.quantity, quantity), (names.iceberg_quantity, iceberg_quantity))
        check_precision(
            coarse[1],
            (names.price, price),
            (names.stop_price, stop_price),
            (names.quote_quantity, quote_quantity),
        )

    if not is_plain:
        strategy_id: int | None = get(names.strategy_id)
        if strategy_id is not None:
            labels = (*labels, ("strategyId", str(strategy_id)))
        strategy_type: int | None = get(names.strategy_type)
        if strategy_type is not None:
            labels = (*labels, ("strategyType", str(strategy_type)))

    return OrderTerms(
        side=side,
        type=shape.type,
        quantity=quantity,
        quote_quantity=quote_quantity,
        price=price,
        time_in_force=time_in_force,
        post_only=shape.post_only,
        trigger=trigger,
        iceberg_quantity=iceberg_quantity,
        peg=peg,
        self_trade_mode=self_trade_mode,
        client_id=get(names.client_id) or new_client_id(),
        labels=labels,
    )


def _parse_peg(
    values: Mapping[str, Any], names: Names, type_word: str, shape: Shape, time_in_force: TimeInForce
) -> Peg | None:
    word = values.get(names.peg_price_type)
    offset_type = values.get(names.peg_offset_type)
    levels: int | None = values.get(names.peg_offset_value)
    if word is None:
        if offset_type is not None:
            raise refuse(-1106, names.peg_offset_type)
        if levels is not None:
            raise refuse(-1106, names.peg_offset_value)
        return None
    if not shape.priced:
        raise refuse(-2010, text=NOT_PEGGABLE)
    if (offset_type is None) is not (levels is None):
        raise refuse(-1128)
    side = PEG_SIDES[word]
    if side is PegSide.MARKET:
        if shape.post_only:
            raise refuse(-2010, text=WRONG_PEG)
    elif type_word == "LIMIT" and time_in_force is not _GTC:
        # An order at its own side's best price cannot trade at once (faqs/pegged_orders.md).
        raise refuse(-2010, text=WRONG_PEG)
    return Peg(side=side, levels=levels or 0)


def check_precision(places: int, *named: tuple[str, Decimal | None]) -> None:
    """Raises -1111 for the first value with more digits after the point than its asset has."""
    for name, value in named:
        if value is not None and decimals(value) > places:
            raise refuse(-1111, name)


@cache
def coarse_assets() -> Mapping[str, tuple[int, int]]:
    """Precisions of base and quote of the symbols where one is smaller than the door lets pass."""
    return {
        listing.symbol: (listing.base_precision, listing.quote_precision)
        for listing in load()
        if min(listing.base_precision, listing.quote_precision) < DOOR_PRECISION
    }
