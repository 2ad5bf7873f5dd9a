"""Draws what an actor asks for: orders of every form and lists of every form, near a price that it saw."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from random import Random

from emulator.core.instruments import OrderType, SelfTradeMode, Side, TimeInForce
from emulator.core.orders import OrderTerms, Peg, PegSide, Trigger, TriggerKind
from tests.simulation.words import ListForm, Traded

FORMS = ["limit"] * 8 + ["market"] * 3 + ["budget", "maker", "maker", "maker"]
FORMS += ["stop", "stop_limit", "take", "take_limit", "trailing", "trailing_limit", "peg", "iceberg"]
ANSWERS = ("ACK", "RESULT", "FULL")

GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


def stepped(value: Decimal, step: Decimal) -> Decimal:
    """Down to a step, and at least one."""
    return max(step, (value / step).to_integral_value(ROUND_DOWN) * step)


def near(dice: Random, traded: Traded, last: Decimal, *, bips: int) -> Decimal:
    """A price within so many hundredths of a per cent; mostly much nearer."""
    away = dice.choice([1, 3, 10, 30, 100]) * bips * dice.uniform(-1, 1) / 100
    return stepped(last * (1 + Decimal(round(away, 2)) / 10_000), traded.price_step)


def wish(dice: Random, traded: Traded, last: Decimal, name: str, met: Decimal | None = None) -> OrderTerms:
    """One order. met: a price at which somebody's order may rest, to meet that.

    What must be refused is drawn as well, rarely: a stop on the wrong side of the price.
    """
    form = dice.choice(FORMS)
    side = dice.choice([Side.BUY, Side.SELL])
    quantity: Decimal | None = stepped(
        traded.lot * Decimal(round(dice.choice([0.2, 1, 1, 2, 10]) * dice.uniform(0.2, 2), 3)),
        traded.quantity_step,
    )
    assert quantity is not None
    price: Decimal | None = met or near(dice, traded, last, bips=60)
    budget: Decimal | None = None
    time_in_force = dice.choice([GTC] * 6 + [IOC, FOK])
    trigger: Trigger | None = None
    peg: Peg | None = None
    iceberg: Decimal | None = None
    kind = OrderType.LIMIT
    is_post_only = False
    match form:
        case "market" | "budget":
            kind, price = OrderType.MARKET, None
            if form == "budget":
                budget, quantity = stepped(quantity * last, Decimal("0.000001")), None
        case "maker":
            is_post_only = True
            aside = Decimal(dice.choice([0, 1, 2, 5, 20, 60])) / 10_000
            price = stepped(last * (1 - aside if side is Side.BUY else 1 + aside), traded.price_step)
        case "peg":
            pegged = dice.choice([PegSide.PRIMARY, PegSide.MARKET])
            peg, price = Peg(side=pegged, levels=dice.choice([0, 0, 1, 3])), None
            if pegged is PegSide.PRIMARY:
                time_in_force = GTC
        case "iceberg":
            time_in_force = GTC
            iceberg = stepped(quantity / dice.randint(2, 9), traded.quantity_step)
        case "limit":
            pass
        case _:
            trigger = _trigger(dice, traded, last, side, form)
            if not form.endswith("limit"):
                kind, price = OrderType.MARKET, None
    if kind is OrderType.MARKET or is_post_only:
        time_in_force = GTC
    return OrderTerms(
        side=side,
        type=kind,
        quantity=quantity,
        quote_quantity=budget,
        price=price,
        time_in_force=time_in_force,
        post_only=is_post_only,
        trigger=trigger,
        iceberg_quantity=iceberg,
        peg=peg,
        self_trade_mode=dice.choice([None, None, None, *SelfTradeMode]),
        client_id=name,
        labels=(("answer", dice.choice(ANSWERS)),) if dice.random() < 0.7 else (),
    )


def _trigger(dice: Random, traded: Traded, last: Decimal, side: Side, form: str) -> Trigger:
    kind = TriggerKind.TAKE_PROFIT if form.startswith("take") else TriggerKind.STOP_LOSS
    is_above = (side is Side.BUY) is (kind is TriggerKind.STOP_LOSS)
    if dice.random() < 0.05:
        is_above = not is_above
    away = Decimal(dice.choice([2, 5, 10, 40, 100])) / 10_000
    stop: Decimal | None = stepped(last * (1 + away if is_above else 1 - away), traded.price_step)
    bips = None
    if form.startswith("trailing"):
        bips = dice.choice([10, 20, 50, 200, 1000])
        if dice.random() < 0.5:
            stop = None
    return Trigger(kind=kind, price=stop, trailing_bips=bips)


def wish_list(
    dice: Random, traded: Traded, last: Decimal, form: ListForm, names: Sequence[str]
) -> list[OrderTerms]:
    """The legs of a list: the working one first, then the pending ones; or the pair."""
    quantity = stepped(traded.lot * Decimal(round(dice.uniform(0.5, 2), 3)), traded.quantity_step)
    pending_side = Side.SELL if form.is_funded else dice.choice([Side.BUY, Side.SELL])
    own_quantity = None if form.is_funded else quantity
    legs: list[OrderTerms] = []
    if form is not ListForm.OCO:
        side = pending_side.opposite
        away = Decimal(dice.choice([-20, -5, 1, 5, 20, 60])) / 10_000
        price = stepped(last * (1 - away if side is Side.BUY else 1 + away), traded.price_step)
        is_post_only = away > 0 and dice.random() < 0.4
        legs.append(
            OrderTerms(
                side=side,
                type=OrderType.LIMIT,
                quantity=quantity,
                price=price,
                post_only=is_post_only,
                client_id=names[0],
            )
        )
    rest = names[len(legs) :]
    if len(rest) == 1:
        legs.append(_single(dice, traded, last, pending_side, own_quantity, rest[0]))
    else:
        legs += _pair(dice, traded, last, pending_side, own_quantity, rest)
    return legs


def _single(
    dice: Random, traded: Traded, last: Decimal, side: Side, quantity: Decimal | None, name: str
) -> OrderTerms:
    match dice.choice(["limit", "market", "stop"]):
        case "limit":
            price = near(dice, traded, last, bips=100)
            return OrderTerms(side=side, type=OrderType.LIMIT, quantity=quantity, price=price, client_id=name)
        case "market":
            return OrderTerms(side=side, type=OrderType.MARKET, quantity=quantity, client_id=name)
    trigger = _trigger(dice, traded, last, side, dice.choice(["stop", "take", "trailing"]))
    return OrderTerms(side=side, type=OrderType.MARKET, quantity=quantity, trigger=trigger, client_id=name)


def _pair(
    dice: Random, traded: Traded, last: Decimal, side: Side, quantity: Decimal | None, names: Sequence[str]
) -> list[OrderTerms]:
    """A stop-loss, and on the other side of the price an order that rests or takes a profit."""
    gain = Decimal(dice.choice([5, 20, 60])) / 10_000
    up = 1 if side is Side.SELL else -1
    better = stepped(last * (1 + up * gain), traded.price_step)
    worse = stepped(last * (1 - up * gain), traded.price_step)
    bips = dice.choice([None, None, 20, 100])
    stop = Trigger(kind=TriggerKind.STOP_LOSS, price=worse, trailing_bips=bips)
    stop_limit = stepped(worse * (1 - up * Decimal("0.001")), traded.price_step)
    is_limit = dice.random() < 0.5
    stop_loss = OrderTerms(
        side=side,
        type=OrderType.LIMIT if is_limit else OrderType.MARKET,
        quantity=quantity,
        price=stop_limit if is_limit else None,
        trigger=stop,
        client_id=names[0],
    )
    take = Trigger(kind=TriggerKind.TAKE_PROFIT, price=better)
    match dice.choice(["maker", "maker", "take", "take_limit"]):
        case "maker":
            other = OrderTerms(
                side=side,
                type=OrderType.LIMIT,
                quantity=quantity,
                price=better,
                post_only=True,
                client_id=names[1],
            )
        case "take":
            other = OrderTerms(
                side=side, type=OrderType.MARKET, quantity=quantity, trigger=take, client_id=names[1]
            )
        case _:
            other = OrderTerms(
                side=side,
                type=OrderType.LIMIT,
                quantity=quantity,
                price=better,
                trigger=take,
                client_id=names[1],
            )
    return [stop_loss, other]


LEGS = {ListForm.OCO: 2, ListForm.OTO: 2, ListForm.OTOCO: 3, ListForm.OPO: 2, ListForm.OPOCO: 3}
