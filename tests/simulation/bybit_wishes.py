"""Draws what a client of Bybit asks for: orders of every form that the unified account has, near a price that
it saw, as requests have them."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from tests.simulation.unified_words import UnifiedTraded
from tests.simulation.wishes import near, stepped

MODES = ("CancelMaker", "CancelTaker", "CancelBoth")
SOURCES = ("LastPrice", "MarkPrice", "IndexPrice")

Values = dict[str, Any]


def away(traded: UnifiedTraded, last: Decimal, bips: int) -> str:
    return str(stepped(last * (1 + Decimal(bips) / 10_000), traded.price_step))


def quantity_of(dice: Random, traded: UnifiedTraded) -> str:
    times = Decimal(dice.choice([1, 1, 2, 3, 5, 9, 30]) * dice.randint(5, 20)) / 10
    return str(stepped(traded.lot * times, traded.quantity_step) + traded.quantity_step)


def leg_of(dice: Random, traded: UnifiedTraded, *, hedged: bool) -> Values:
    """Mostly a position that the mode knows."""
    if traded.is_pair:
        return {}
    has_two = hedged and traded.name == "linear:BTCUSDT"
    if dice.random() < 0.03:
        has_two = not has_two
    return {"positionIdx": dice.choice([1, 2]) if has_two else 0}


def wish_order(
    dice: Random, traded: UnifiedTraded, last: Decimal, name: str, *, hedged: bool, met: Decimal | None = None
) -> Values:
    """An order for the book. met: a price at which somebody's order may rest, to meet that."""
    side = dice.choice(["Buy", "Sell"])
    values: Values = {
        "category": traded.category,
        "symbol": traded.symbol,
        "side": side,
        "qty": quantity_of(dice, traded),
        "orderLinkId": name,
        **leg_of(dice, traded, hedged=hedged),
    }
    if dice.random() < 0.3:
        values["orderType"] = "Market"
        if traded.is_pair and dice.random() < 0.7:
            values["marketUnit"] = dice.choice(["baseCoin", "baseCoin", "quoteCoin"])
        if traded.is_pair and side == "Buy" and values.get("marketUnit") != "baseCoin":
            values["marketUnit"] = "quoteCoin"
            budget = Decimal(values["qty"]) * last
            values["qty"] = str(stepped(budget, traded.price_step))
        if dice.random() < 0.1:
            values |= {"slippageToleranceType": "Percent", "slippageTolerance": dice.choice(["0.05", "1"])}
    else:
        values["orderType"] = "Limit"
        values["timeInForce"] = dice.choice(["GTC", "GTC", "GTC", "PostOnly", "IOC", "FOK"])
        values["price"] = str(met or near(dice, traded, last, bips=40))
    if not traded.is_pair and dice.random() < 0.15:
        values["reduceOnly"] = True
    if traded.is_pair and dice.random() < 0.15:
        values["isLeverage"] = 1
    if dice.random() < 0.2:
        values |= _stops(dice, traded, last, side)
    if dice.random() < 0.25:
        values["smpType"] = dice.choice(MODES)
    return values


def _stops(dice: Random, traded: UnifiedTraded, last: Decimal, side: str) -> Values:
    """What an order brings along."""
    if traded.is_pair and dice.random() < 0.5:
        return {}
    up = 1 if side == "Buy" else -1
    stops: Values = {}
    if dice.random() < 0.8:
        stops["takeProfit"] = away(traded, last, up * dice.choice([60, 150, 400]))
    if not stops or dice.random() < 0.8:
        stops["stopLoss"] = away(traded, last, -up * dice.choice([60, 150, 400]))
    if not traded.is_pair:
        stops["tpslMode"] = dice.choice(["Full", "Full", "Partial"])
    return stops


def wish_apart(dice: Random, traded: UnifiedTraded, last: Decimal, name: str, *, hedged: bool) -> Values:
    """An order that waits for a price. Now and then on the wrong side of it."""
    values = wish_order(dice, traded, last, name, hedged=hedged)
    for word in ("slippageToleranceType", "slippageTolerance"):
        values.pop(word, None)
    bips = dice.choice([3, 10, 40, 150]) * dice.choice([-1, 1])
    values["triggerPrice"] = trigger = away(traded, last, bips)
    if values["orderType"] == "Limit":
        values["price"] = away(traded, Decimal(trigger), dice.choice([-20, 0, 20]))
    if traded.is_pair:
        values["orderFilter"] = dice.choice(["StopOrder", "tpslOrder"])
    else:
        is_rising = (bips > 0) is (dice.random() < 0.97)
        values |= {"triggerDirection": 1 if is_rising else 2, "triggerBy": dice.choice(SOURCES)}
    return values


def wish_stops(dice: Random, traded: UnifiedTraded, last: Decimal, quantity: Decimal) -> Values:
    """Where a position is left. quantity: of it, with the sign of its side."""
    up = 1 if quantity > 0 else -1
    values: Values = {"tpslMode": "Full"}
    if dice.random() < 0.4:
        part = str(stepped(abs(quantity) / 2, traded.quantity_step))
        values = {"tpslMode": "Partial", "tpSize": part, "slSize": part}
    values["takeProfit"] = dice.choice(["0", *[away(traded, last, up * bips) for bips in (20, 60, 150)]])
    values["stopLoss"] = dice.choice(["0", *[away(traded, last, -up * bips) for bips in (20, 60, 150)]])
    if dice.random() < 0.3:
        values["trailingStop"] = dice.choice(["0", str(stepped(last / 200, traded.price_step))])
    return values
