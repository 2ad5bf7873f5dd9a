"""A seeded workload: denser than what Hypothesis draws, and every run is named by its seed."""

from __future__ import annotations

from random import Random

from emulator.core import commands as c
from emulator.core.instruments import SelfTradeMode, Side, TimeInForce
from emulator.core.order_lists import ListKind
from emulator.core.orders import Peg, PegSide, TriggerKind
from tests.core.world import MINUTE, SECOND
from tests.properties.universe import ACCOUNTS, ASSETS, SYMBOLS, TYPES, Universe, Wish

WORKING = ("limit", "limit", "post_only", "market", "peg", "stop_limit")
UPPER = ("post_only", "post_only", "limit", "peg")
LOWER = ("stop", "stop_limit", "trailing", "trailing_limit", "limit", "market")


def roll(universe: Universe, seed: int, steps: int) -> None:
    """Begin, act `steps` times with all invariants checked after each, and end."""
    dice = Random(seed)
    universe.begin({account for account in ACCOUNTS if dice.random() < 0.5}, dice.randint(1, 80))
    only = SYMBOLS[seed // 2 % len(SYMBOLS)]
    for _ in range(steps):
        act(universe, dice, dice.choice(SYMBOLS) if seed % 2 else only)
        universe.is_sound()
    universe.end()


def act(universe: Universe, dice: Random, symbol: str) -> None:
    """One action; places and lists are the most frequent."""
    account, pick = dice.choice(ACCOUNTS), dice.randint(0, 1000)
    kinds = ["place"] * 50 + ["list"] * 14 + ["cancel", "replace", "amend", "fund", "price", "wait"] * 4
    kinds += ["test", "print"] * 3 + ["pay", "book", "release", "cancel all", "cancel list", "restart"]
    match dice.choice(kinds):
        case "place":
            universe.place(account, symbol, wish(dice))
        case "test":
            universe.test(account, symbol, wish(dice))
        case "list":
            shape = (dice.choice(list(ListKind)), dice.random() < 0.5)
            if shape == (ListKind.OCO, True):
                shape = (ListKind.OCO, False)
            universe.place_list(
                account, symbol, dice.choice(list(Side)), shape, wish(dice, *WORKING), wish(dice, *UPPER),
                wish(dice, *LOWER), dice.randint(1, 4), dice.choice(["", "", "x", "y"]),
            )  # fmt: skip
        case "cancel" if universe.has_orders:
            universe.cancel(pick, dice.choice([None, *c.CancelRestriction]))
        case "replace" if universe.has_orders:
            coins = [dice.random() < 0.8 for _ in range(3)]
            universe.replace(pick, wish(dice), *coins)
        case "amend" if universe.has_orders:
            universe.amend(pick, dice.randint(0, 20), dice.choice(["", "", "a", "b"]))
        case "cancel all":
            universe.cancel_all(account, symbol)
        case "cancel list" if universe.has_lists:
            universe.cancel_list(pick)
        case "fund":
            way = dice.choice(["deposit", "withdraw", "withdraw", "lend", "lend back", "lock", "unlock"])
            universe.fund(account, dice.choice(ASSETS), dice.randint(-1, 50), way)
        case "pay":
            universe.pay_fees(account, dice.random() < 0.5)
        case "price":
            universe.set_price(symbol, dice.randint(-6, 6), dice.choice(list(c.PriceMode)))
        case "book":
            bids, asks = ([dice.randint(1, 30) for _ in range(dice.randint(0, 4))] for _ in range(2))
            universe.set_book(symbol, bids, asks, dice.randint(-6, 6))
        case "print":
            universe.print_trade(symbol, dice.randint(-6, 6), dice.randint(1, 30), dice.random() < 0.5)
        case "restart":
            universe.restart()
        case "release":
            universe.release(symbol)
        case _:
            universe.wait(dice.choice([1, SECOND // 3, SECOND, 20 * SECOND, 5 * MINUTE]))


def wish(dice: Random, *types: str) -> Wish:
    def maybe(number: int) -> int | None:
        return number if dice.random() < 0.6 else None

    return Wish(
        side=dice.choice(list(Side)),
        lots=dice.randint(1, 30),
        offset=dice.randint(-6, 6),
        type=dice.choice(types or TYPES),
        tif=dice.choice([TimeInForce.GTC] * 5 + [TimeInForce.IOC, TimeInForce.FOK]),
        mode=dice.choice([None, None, *SelfTradeMode]),
        iceberg=maybe(dice.randint(1, 5)) if dice.random() < 0.5 else None,
        kind=dice.choice(list(TriggerKind)),
        stop=maybe(dice.randint(-6, 6)),
        trailing=dice.randint(10, 400),
        peg=dice.choice([None, Peg(side=dice.choice(list(PegSide)), levels=dice.randint(0, 3))]),
        name=dice.choice(["", "", "", "a", "b", "c"]),
    )
