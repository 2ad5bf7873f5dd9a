"""Books that agree are left alone; each figure that is wrong is found, and corrections make it right."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from emulator.app import make_engines
from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.audit import Mismatch, corrections
from emulator.core.engine import Engine
from emulator.core.instruments import Side
from emulator.core.ledger import INSURANCE, ROUNDING, Ledger
from emulator.core.numbers import ZERO, exact
from emulator.core.order_lists import ListKind
from emulator.exchanges.binance import ENGINE
from tests.core.invariants import assert_sound
from tests.core.world import SPOT, World, limit, plain, stop
from tests.storage.samples.frozen import Sample, samples

D = Decimal


def busy() -> World:
    """Alice holds for everything that one can hold for: 490 USDT and 7 BTC."""
    world = World(funds="1000")
    buyer = world.alice
    world.buy(buyer, "1", "50")
    world.buy(buyer, "1", "60", trigger=stop("120"))
    sold = limit(Side.SELL, "2", "130", post_only=True)
    world.place_list(buyer, ListKind.OCO, sold, limit(Side.SELL, "2", "80", trigger=stop("80")))
    # Half of what pays for the second leg is there.
    working, pending = limit(Side.BUY, "8", "90"), limit(Side.SELL, None, "140", post_only=True)
    world.place_list(buyer, ListKind.OTO, working, pending, funded=True)
    world.prints("90", "4", buyer_is_maker=True)
    world.does(c.LockFunds(account=buyer, wallet=SPOT, asset="BTC", amount=D(1)))
    world.does(c.LockFunds(account=buyer, wallet=SPOT, asset="USDT", amount=D(20)))
    return world


def test_books_that_agree_are_left_alone() -> None:
    world = busy()
    assert (plain(world.held(world.alice, "USDT")), plain(world.held(world.alice, "BTC"))) == ("490", "7")
    assert world.engine.audit() == []
    with exact():
        assert corrections(world.engine.state) == []


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_books_agree_after_every_entry_of_a_journal(sample: Sample) -> None:
    engine = make_engines(20)[ENGINE]
    found: list[int] = []
    for batch in sample.batches():
        for record in batch.records:
            if record.engine == ENGINE:
                engine.apply(record.events, record.time_us)
        if engine.audit():
            found.append(batch.sequence)
    # One sample is of corrections, which made books wrong that were right, and right again.
    assert found if sample.name == "1-correction" else not found
    assert not engine.audit()


def less_held(world: World) -> None:
    world.engine.state.ledger.hold(world.alice, SPOT, "USDT", D(-3))


def more_held(world: World) -> None:
    world.engine.state.ledger.hold(world.alice, SPOT, "BTC", D(2))


def held_lost(world: World) -> None:
    world.engine.state.ledger.balance(world.alice, SPOT, "USDT").held -= D("0.5")


def order_forgets(world: World) -> None:
    world.engine.state.orders[1].held -= D(10)


def list_forgets(world: World) -> None:
    order_list = next(one for one in world.engine.state.lists.values() if one.kind is ListKind.OCO)
    order_list.held = ZERO


def overdrawn(world: World) -> None:
    ledger = world.engine.state.ledger
    ledger.balance(world.bob, SPOT, "BTC").free -= 1004
    ledger.counterparties[INSURANCE]["BTC"] = D(1004)


def out_of_nothing(world: World) -> None:
    world.engine.state.ledger.counterparties[INSURANCE]["BTC"] = D("-0.25")


def all_is_held_elsewhere(world: World) -> None:
    """There is not enough left to make good what should be held."""
    balance = world.engine.state.ledger.balance(world.alice, SPOT, "USDT")
    balance.free, balance.held = D(30), D(450)


@pytest.mark.parametrize(
    ("spoil", "found", "corrected"),
    [
        (
            less_held,
            ["held of USDT of account 1 in spot: expected 490, found 487"],
            [("USDT", "-3", "3", "0")],
        ),
        (more_held, ["held of BTC of account 1 in spot: expected 7, found 9"], [("BTC", "2", "-2", "0")]),
        (
            held_lost,
            [
                "held of USDT of account 1 in spot: expected 490, found 489.5",
                "sum of USDT: expected 0, found -0.5",
            ],
            [("USDT", "-0.5", "0.5", "0"), ("USDT", "0", "0", "0.5")],
        ),
        (
            order_forgets,
            ["hold of order 1 of USDT of account 1 in spot: expected 50, found 40"],
            [("USDT", "0", "0", "0")],
        ),
        (
            list_forgets,
            ["hold of order list 1 of BTC of account 1 in spot: expected 2, found 0"],
            [("BTC", "0", "0", "0")],
        ),
        (overdrawn, ["free of BTC of account 2 in spot: expected 0, found -4"], [("BTC", "4", "0", "-4")]),
        (out_of_nothing, ["sum of BTC: expected 0, found -0.25"], [("BTC", "0", "0", "0.25")]),
        (
            all_is_held_elsewhere,
            [
                "held of USDT of account 1 in spot: expected 490, found 450",
                "sum of USDT: expected 0, found -160",
            ],
            [("USDT", "-30", "40", "-10"), ("USDT", "0", "0", "160")],
        ),
    ],
)
def test_a_wrong_figure_is_found_and_corrected(
    spoil: Callable[[World], None], found: list[str], corrected: list[tuple[str, str, str, str]]
) -> None:
    world = busy()
    with exact():
        spoil(world)
    engine = world.engine
    assert list(map(str, engine.audit())) == found
    with exact():
        commands = corrections(engine.state)
    shown = [(one.asset, *map(plain, (one.free, one.held, one.rounding))) for one in commands]
    assert shown == corrected
    for command in commands:
        assert engine.execute(command, world.now).rejection is None
    assert engine.audit() == []
    assert_sound(engine)
    # Everything that is open gives back what is held for it, and no more.
    for order in list(engine.state.orders.values()):
        if order.id in engine.state.orders:
            world.cancel(order)
    assert plain(world.held(world.alice, "USDT")) == "20"
    assert plain(world.held(world.alice, "BTC")) == "1"


def test_a_correction_is_an_entry_of_the_ledger_like_others() -> None:
    world = World(funds="100")
    ledger: Ledger = world.engine.state.ledger
    world.does(
        c.CorrectBalance(account=world.alice, wallet=SPOT, asset="USDT", free=D(3), held=ZERO, rounding=D(-3))
    )
    assert world.free(world.alice, "USDT") == D(103)
    assert ledger.counterparties[ROUNDING] == {"USDT": D(-3)}
    entry = world.engine.views.postings[world.alice][-1]
    assert (entry.free, entry.held) == (D(3), ZERO)
    assert (entry.counterparty, entry.reason) == (ROUNDING, "BalanceCorrected")
    assert entry.number == ledger.entries
    replayed = world.replayed()
    assert isinstance(replayed, Engine)
    assert replayed.fingerprint() == world.engine.fingerprint()


def test_corrections_that_cannot_be() -> None:
    world = World(funds="100")

    def refused(account: int | None, wallet: str, free: str, held: str) -> r.Rejection:
        return world.refuses(
            c.CorrectBalance(
                account=account, wallet=wallet, asset="USDT", free=D(free), held=D(held), rounding=ZERO
            )
        )

    assert refused(9, SPOT, "1", "0") == r.UnknownAccount(account=9)
    assert refused(world.alice, "moon", "1", "0") == r.UnknownWallet(wallet="moon")
    assert refused(None, "", "1", "0") == r.AmountInvalid(amount=D(1))
    assert refused(world.alice, SPOT, "-101", "0") == r.InsufficientBalance(
        asset="USDT", needed=D(101), available=D(100)
    )
    assert refused(world.alice, SPOT, "0", "-1") == r.InsufficientBalance(
        asset="USDT", needed=D(1), available=ZERO
    )


def test_a_mismatch_of_no_account_says_none() -> None:
    assert str(Mismatch(what="sum", asset="A", expected=ZERO, found=D("1.50"))) == (
        "sum of A: expected 0, found 1.5"
    )
