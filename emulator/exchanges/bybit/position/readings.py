"""What a position is, on the wire: made of the engine's state and an account, for rows and streams alike."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, TypedDict

from emulator.core.contracts import Contract
from emulator.core.numbers import ZERO
from emulator.core.orders import Order
from emulator.core.positions import BreakEven, Leg, MarginMode, break_even_price
from emulator.core.statement import PositionStatement, deleveraging_light, position_statement
from emulator.exchanges.bybit.account.readings import Standing
from emulator.exchanges.bybit.categories import Category
from emulator.exchanges.bybit.figures import decimal_text, time_text
from emulator.exchanges.bybit.ids import cross_sequence
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.payloads.position import Position, PositionFigures, SideWord, StreamedPosition
from emulator.exchanges.bybit.position.sums import PRICE_STEP, amount
from emulator.exchanges.bybit.vocabulary import POSITION_INDEXES

CLOSING_RATE: Final = Decimal("0.00055")
"""The least that a break-even price assumes closing to cost ("Get Position Info", `breakEvenPrice`)."""


def legs_of(standing: Standing, listing: Listing) -> tuple[Leg, ...]:
    """The one position of a contract, or the two of hedge mode."""
    name = listing.instrument.symbol
    is_hedged = standing.engine.state.is_hedged(standing.account, name)
    return (Leg.LONG, Leg.SHORT) if is_hedged else (Leg.BOTH,)


def positions_of(standing: Standing, listing: Listing) -> Iterator[PositionStatement]:
    """Every position that there is, or could be, in a contract."""
    state, name = standing.engine.state, listing.instrument.symbol
    held = {one.position.leg: one for one in standing.statement.positions if one.instrument.symbol == name}
    for leg in legs_of(standing, listing):
        one = held.get(leg)
        owner = state.accounts[standing.account]
        yield one or position_statement(state, owner, name, leg, standing.now_us)


def open_positions(standing: Standing, category: Category) -> Iterator[tuple[Listing, PositionStatement]]:
    """Those of a category that are not flat, in the order of its symbols."""
    held: dict[str, list[PositionStatement]] = {}
    for one in standing.statement.positions:
        if one.position.quantity and category.holds(one.instrument.symbol):
            held.setdefault(one.instrument.symbol, []).append(one)
    for listing in category.listings.values():
        for one in held.get(listing.instrument.symbol, ()):
            yield listing, one


def render_position(standing: Standing, listing: Listing, one: PositionStatement) -> Position:
    return {**_figures(standing, listing, one), "avgPrice": _entry(one)}


def render_streamed(standing: Standing, listing: Listing, one: PositionStatement) -> StreamedPosition:
    # Quirk: the private stream calls the price of entry `entryPrice`, where the list has `avgPrice`
    # ("Position" of the private stream).
    return {
        "category": listing.category,
        **_figures(standing, listing, one),
        "entryPrice": _entry(one),
    }


def _figures(standing: Standing, listing: Listing, one: PositionStatement) -> PositionFigures:
    position = one.position
    state = standing.engine.state
    lifetime = state.lifetime(standing.account, one.instrument.symbol, position.leg)
    initial, maintenance = amount(one.needed.position), amount(one.maintenance)
    stops = stops_of(standing, one)
    return {
        "positionIdx": POSITION_INDEXES[position.leg],
        "riskId": risk_number(listing, one),
        "riskLimitValue": decimal_text(one.tier.cap),
        "symbol": listing.symbol,
        "side": side_word(position.quantity),
        "size": decimal_text(abs(position.quantity)),
        "positionValue": amount(position.cost),
        "autoAddMargin": int((standing.account, one.instrument.symbol, position.leg) in state.replenished),
        "positionStatus": "Normal",
        "leverage": decimal_text(position.leverage),
        "breakEvenPrice": _break_even(one),
        "markPrice": decimal_text(one.mark),
        "liqPrice": liquidation_text(listing, one),
        # Quirk: kept for compatibility, and always these ("Get Position Info").
        "bustPrice": "",
        "positionIM": initial,
        "positionIMByMp": initial,
        "positionMM": maintenance,
        "positionMMByMp": maintenance,
        "positionBalance": amount(position.margin if _is_isolated(one) else one.needed.position),
        **stops,
        "sessionAvgPrice": "",
        "delta": "",
        "gamma": "",
        "vega": "",
        "theta": "",
        "unrealisedPnl": amount(one.unrealised),
        "curRealisedPnl": amount(position.realised - position.fees + position.funding),
        "cumRealisedPnl": amount(lifetime.realised - lifetime.fees + lifetime.funding),
        "adlRankIndicator": adl_rank(standing, one),
        "createdTime": time_text(lifetime.created_us),
        "updatedTime": time_text(position.updated_us or lifetime.updated_us),
        "openTime": lifetime.opened_us // 1000 if position.quantity else 0,
        # Quirk: a symbol that was never traded has -1 ("Get Position Info").
        "seq": cross_sequence(lifetime.updated_us) if lifetime.updated_us else -1,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "tpslMode": "Full",
        "tradeMode": 0,
    }


def side_word(quantity: Decimal) -> SideWord:
    """A flat position has no side."""
    return "" if not quantity else "Buy" if quantity > ZERO else "Sell"


def risk_number(listing: Listing, one: PositionStatement) -> int:
    """The number of the tier that a position is in."""
    contract: Contract = one.contract
    return listing.risk_tiers[contract.tiers.index(one.tier)].number


def liquidation_text(listing: Listing, one: PositionStatement) -> str:
    """Nothing where the price is none that the contract may have."""
    price, instrument = one.liquidation, listing.instrument
    if price is None or not instrument.price_min < price < instrument.price_max:
        return ""
    return decimal_text(price)


def adl_rank(standing: Standing, one: PositionStatement) -> int:
    """From 1 to 5, where 5 goes first; 0 of a flat position."""
    if not one.position.quantity:
        return 0
    state = standing.engine.state
    return 1 + deleveraging_light(state, state.accounts[standing.account], one, standing.now_us)


def _is_isolated(one: PositionStatement) -> bool:
    return one.position.mode is MarginMode.ISOLATED


def _entry(one: PositionStatement) -> str:
    return decimal_text(one.entry(PRICE_STEP))


def _break_even(one: PositionStatement) -> str:
    """With the fee of closing at that price; nothing where there is no such price."""
    position = one.position
    rule = BreakEven(counts_funding=True, closing_rate=max(one.instrument.taker_fee, CLOSING_RATE))
    price = break_even_price(one.contract, position, rule, PRICE_STEP)
    return decimal_text(price) if price else ""


class StopTexts(TypedDict):
    takeProfit: str
    stopLoss: str
    trailingStop: str


def stops_of(standing: Standing, one: PositionStatement) -> StopTexts:
    """Where all of a position is left."""
    found = standing.engine.state.stops_of(standing.account, one.instrument.symbol, one.position.leg)
    trailing = None if found.trailing is None else found.trailing.terms.trigger
    distance = None if trailing is None else trailing.trailing_distance
    return {
        "takeProfit": _trigger_price(found.take_profit),
        "stopLoss": _trigger_price(found.stop_loss),
        # Quirk: without one the distance is "0", where the two prices are "" (answers recorded in SDKs'
        # sources).
        "trailingStop": "0" if distance is None else decimal_text(distance),
    }


def _trigger_price(order: Order | None) -> str:
    trigger = None if order is None else order.terms.trigger
    return "" if trigger is None or trigger.price is None else decimal_text(trigger.price)
