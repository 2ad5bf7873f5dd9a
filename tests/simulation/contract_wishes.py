"""Orders of contracts that a client may come upon: all that the dice give, within what makes sense often."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from emulator.core.instruments import OrderType, SelfTradeMode, Side, TimeInForce, TriggerSource
from emulator.core.orders import OrderTerms, Peg, PegSide, Trigger, TriggerKind
from emulator.core.positions import Leg
from tests.simulation.contract_words import Contracted
from tests.simulation.wishes import stepped

ANSWERS = ("ACK", "RESULT")
LIVES_US = (601_000_000, 700_000_000, 3_600_000_000, 9_000_000_000)
"""How long an order with a date may be good."""
MODES = (SelfTradeMode.EXPIRE_TAKER, SelfTradeMode.EXPIRE_MAKER, SelfTradeMode.EXPIRE_BOTH)


class Standpoint:
    """What a client goes by: the last price, the account's mode, what it holds, the time, and a price at
    which somebody else may rest."""

    def __init__(
        self, last: Decimal, *, hedged: bool, held: Decimal, now_us: int, met: Decimal | None = None
    ) -> None:
        self.last = last
        self.hedged = hedged
        self.held = held
        self.now_us = now_us
        self.met = met


def quantity_of(dice: Random, traded: Contracted) -> Decimal:
    times = dice.choice([1, 1, 2, 3, 5, 9, 25, 60])
    return stepped(traded.lot * times * Decimal(dice.randint(5, 20)) / 10, traded.quantity_step) + (
        traded.quantity_step
    )


def near(dice: Random, traded: Contracted, last: Decimal, bips: tuple[int, ...]) -> Decimal:
    return stepped(last * (1 + Decimal(dice.choice(bips)) / 10_000), traded.price_step)


def wish_contract(dice: Random, traded: Contracted, of: Standpoint, name: str) -> OrderTerms:
    """An order for the book."""
    side, leg, reduces = _about(dice, of)
    mode = dice.choice(MODES) if dice.random() < 0.3 else None
    labels = (("answer", dice.choice(ANSWERS)),) if dice.random() < 0.7 else ()
    quantity = quantity_of(dice, traded)
    if dice.random() < 0.3:
        return OrderTerms(
            side=side, type=OrderType.MARKET, quantity=quantity, client_id=name, leg=leg,
            reduce_only=reduces, self_trade_mode=mode, labels=labels,
        )  # fmt: skip
    price: Decimal | None = of.met or near(dice, traded, of.last, (-200, -60, -20, -5, 0, 5, 20, 60, 200))
    peg: Peg | None = None
    if dice.random() < 0.1:
        price, peg = None, Peg(side=dice.choice(list(PegSide)), levels=dice.choice([0, 4, 9, 19]))
    time_in_force, is_post_only, good_till_us = TimeInForce.GTC, False, None
    match dice.choice(["GTC", "GTC", "GTC", "GTX", "IOC", "FOK", "GTD"]):
        case "GTX":
            is_post_only = True
        case "GTD":
            good_till_us = of.now_us + dice.choice(LIVES_US)
        case word:
            time_in_force = TimeInForce[word]
    return OrderTerms(
        side=side, type=OrderType.LIMIT, quantity=quantity, price=price, peg=peg, client_id=name, leg=leg,
        time_in_force=time_in_force, post_only=is_post_only, good_till_us=good_till_us,
        reduce_only=reduces, self_trade_mode=mode, labels=labels,
    )  # fmt: skip


def wish_apart(dice: Random, traded: Contracted, of: Standpoint, name: str) -> OrderTerms:
    """An order that waits for a price."""
    side, leg, reduces = _about(dice, of)
    up = 1 if side is Side.BUY else -1
    source = dice.choice([TriggerSource.LAST, TriggerSource.MARK])
    kind = dice.choice([TriggerKind.STOP_LOSS, TriggerKind.TAKE_PROFIT])
    away = Decimal(dice.choice([3, 10, 40, 150])) / 10_000 * up
    bips: int | None = None
    price: Decimal | None = stepped(
        of.last * (1 + (away if kind is TriggerKind.STOP_LOSS else -away)), traded.price_step
    )
    if dice.random() < 0.25:
        kind, bips = TriggerKind.TAKE_PROFIT, dice.choice([10, 20, 100])
        price = stepped(of.last * (1 - away), traded.price_step) if dice.random() < 0.5 else None
    is_limit = bips is None and dice.random() < 0.4
    limit = stepped((price or of.last) * (1 + away / 4), traded.price_step) if is_limit else None
    closes = not is_limit and bips is None and dice.random() < 0.35
    if closes and of.hedged:
        # Only what is against a leg can close it.
        leg = Leg.SHORT if side is Side.BUY else Leg.LONG
    return OrderTerms(
        side=side, type=OrderType.LIMIT if is_limit else OrderType.MARKET, client_id=name, leg=leg,
        quantity=None if closes else quantity_of(dice, traded), price=limit,
        trigger=Trigger(kind=kind, price=price, trailing_bips=bips, source=source), detached=True,
        reduce_only=reduces and not closes, close_position=closes,
        price_protect=dice.random() < 0.2,
        good_till_us=of.now_us + dice.choice(LIVES_US) if dice.random() < 0.15 else None,
    )  # fmt: skip


def _about(dice: Random, of: Standpoint) -> tuple[Side, Leg, bool]:
    """Side, which position, and whether only to reduce it: more often away from what is held."""
    side = dice.choice([Side.BUY, Side.SELL])
    if of.held and dice.random() < 0.3:
        side = Side.SELL if of.held > 0 else Side.BUY
    # Now and then what the mode does not know.
    is_hedged = of.hedged is (dice.random() < 0.97)
    leg = dice.choice([Leg.LONG, Leg.SHORT]) if is_hedged else Leg.BOTH
    reduces = not is_hedged and dice.random() < (0.4 if of.held else 0.05)
    return side, leg, reduces
