"""Deposits, withdrawals, transfers, and what the ledger and its journal of postings say of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.history import Movement, MovementKind, Query
from emulator.core.ledger import FAUCET, FEES, OUTSIDE
from tests.core.world import SPOT, World, instrument, plain

D = Decimal


def withdrawing(account: int, asset: str, amount: str) -> c.Withdraw:
    return c.Withdraw(account=account, wallet=SPOT, asset=asset, amount=D(amount), fee=D(0))


def lending(account: int, asset: str, amount: str) -> c.Transfer:
    return c.Transfer(account=account, asset=asset, amount=D(amount), source=SPOT, target="funding")


def test_a_deposit_comes_from_the_faucet() -> None:
    world = World()
    world.does(c.Deposit(account=world.alice, wallet="funding", asset="ETH", amount=D("1.5"), reference="tx"))
    ledger = world.engine.state.ledger
    assert ledger.free(world.alice, "funding", "ETH") == D("1.5")
    assert ledger.counterparties[FAUCET]["ETH"] == D("-1.5")
    movement = world.engine.views.movements[world.alice][-1]
    assert isinstance(movement.event, e.AmountDeposited)
    assert (movement.event.reference, movement.time_us) == ("tx", world.now)


def test_a_withdrawal_leaves_and_pays_its_fee() -> None:
    world = World(funds="100")
    world.does(
        c.Withdraw(
            account=world.alice, wallet=SPOT, asset="USDT", amount=D(60), fee=D(1), labels=(("network", "X"),)
        )
    )
    ledger = world.engine.state.ledger
    assert world.free(world.alice, "USDT") == 40
    assert ledger.counterparties[OUTSIDE]["USDT"] == 59
    assert ledger.counterparties[FEES]["USDT"] == 1


def test_a_transfer_moves_between_wallets() -> None:
    world = World(funds="100")
    world.does(c.Transfer(account=world.alice, asset="BTC", amount=D(30), source=SPOT, target="funding"))
    assert world.free(world.alice, "BTC") == 70
    assert world.engine.state.ledger.free(world.alice, "funding", "BTC") == 30


def test_a_transfer_is_found_by_its_owners_name_for_it() -> None:
    world = World(funds="100")
    moved = c.Transfer(account=world.alice, asset="BTC", amount=D(1), source=SPOT, target="funding")
    world.does(moved)
    world.does(replace(moved, reference="mine"))
    asked = Query(account=world.alice, scope=MovementKind.TRANSFER.value, label="mine")
    (found,) = world.engine.views.select(Movement, asked)
    assert isinstance(found.event, e.AmountTransferred)
    assert (found.event.movement, found.event.reference) == (world.engine.state.next_movement - 1, "mine")


def test_movements_are_numbered_in_one_row() -> None:
    world = World()
    world.does(c.Transfer(account=world.alice, asset="BTC", amount=D(1), source=SPOT, target="funding"))
    world.does(c.Withdraw(account=world.bob, wallet=SPOT, asset="BTC", amount=D(1), fee=D(0)))
    numbers = [one.event.movement for listed in world.engine.views.movements.values() for one in listed]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("amount", ["0", "-1", "0.000000001"])
def test_amounts_that_are_none(amount: str) -> None:
    world = World()
    invalid = r.AmountInvalid(amount=D(amount))
    alice = world.alice
    assert world.refuses(c.Deposit(account=alice, wallet=SPOT, asset="BTC", amount=D(amount))) == invalid
    assert (
        world.refuses(c.Withdraw(account=alice, wallet=SPOT, asset="BTC", amount=D(amount), fee=D(0)))
        == invalid
    )
    assert world.refuses(lending(alice, "BTC", amount)) == invalid


@pytest.mark.parametrize("fee", ["-1", "5", "6", "0.000000001"])
def test_withdrawal_fees_that_are_none(fee: str) -> None:
    world = World()
    said = world.refuses(c.Withdraw(account=world.alice, wallet=SPOT, asset="BTC", amount=D(5), fee=D(fee)))
    assert said == r.AmountInvalid(amount=D(fee))


def test_only_what_is_free_may_leave() -> None:
    world = World(funds="100")
    world.buy(world.alice, "1", "60")
    short = r.InsufficientBalance(asset="USDT", needed=D(41), available=D(40))
    alice = world.alice
    assert world.refuses(withdrawing(alice, "USDT", "41")) == short
    assert (
        world.refuses(c.Transfer(account=alice, asset="USDT", amount=D(41), source=SPOT, target="funding"))
        == short
    )


def test_who_and_where() -> None:
    world = World()
    nobody, moon = r.UnknownAccount(account=9), r.UnknownWallet(wallet="moon")
    one = D(1)
    assert world.refuses(c.Deposit(account=9, wallet=SPOT, asset="BTC", amount=one)) == nobody
    assert world.refuses(c.Deposit(account=1, wallet="moon", asset="BTC", amount=one)) == moon
    assert world.refuses(withdrawing(9, "BTC", "1")) == nobody
    assert world.refuses(lending(9, "BTC", "1")) == nobody
    assert world.refuses(c.Transfer(account=1, asset="BTC", amount=one, source=SPOT, target="moon")) == moon
    same = c.Transfer(account=1, asset="BTC", amount=one, source=SPOT, target=SPOT)
    assert world.refuses(same) == r.UnknownWallet(wallet=SPOT)


def test_postings_explain_every_balance() -> None:
    world = World(None, instrument(taker_fee="0.001", maker_fee="0.001"), funds="1000")
    world.sell(world.bob, "1", "50")
    world.buy(world.alice, "2", "51")
    for account in (world.alice, world.bob):
        for asset in ("BTC", "USDT"):
            entries = [one for one in world.engine.views.postings[account] if one.asset == asset]
            assert sum(one.free for one in entries) == world.free(account, asset)
            assert sum(one.held for one in entries) == world.held(account, asset)
    reasons = [one.reason for one in world.engine.views.postings[world.alice]]
    assert reasons[2:] == ["OrderPlaced", *["TradeExecuted"] * 4]
    assert plain(world.held(world.alice, "USDT")) == "51"


def locking(account: int, amount: str) -> c.LockFunds:
    return c.LockFunds(account=account, wallet=SPOT, asset="USDT", amount=D(amount))


def unlocking(account: int, amount: str) -> c.UnlockFunds:
    return c.UnlockFunds(account=account, wallet=SPOT, asset="USDT", amount=D(amount))


def test_what_is_locked_from_outside_is_held_until_it_is_given_back() -> None:
    world = World(funds="100")
    world.does(locking(world.alice, "60"))
    balance = world.engine.state.ledger.balance(world.alice, SPOT, "USDT")
    assert (balance.free, balance.held) == (D(40), D(60))
    refused = world.refuses(locking(world.alice, "40.5"))
    assert refused == r.InsufficientBalance(asset="USDT", needed=D("40.5"), available=D(40))
    assert isinstance(world.refuses(withdrawing(world.alice, "USDT", "50")), r.InsufficientBalance)
    world.does(unlocking(world.alice, "25"))
    assert (balance.free, balance.held) == (D(65), D(35))
    refused = world.refuses(unlocking(world.alice, "35.5"))
    assert refused == r.InsufficientBalance(asset="USDT", needed=D("35.5"), available=D(35))
    world.does(unlocking(world.alice, "35"))
    assert (balance.free, balance.held) == (D(100), D(0))
    assert not world.engine.state.locked


@pytest.mark.parametrize("amount", ["0", "-1", "0.000000001"])
def test_amounts_that_cannot_be_locked(amount: str) -> None:
    world = World(funds="100")
    assert isinstance(world.refuses(locking(world.alice, amount)), r.AmountInvalid)
    assert isinstance(world.refuses(unlocking(world.alice, amount)), r.AmountInvalid)


# What is only kept


def preferring(account: int, name: str, value: str) -> c.SetPreference:
    return c.SetPreference(account=account, name=name, value=value)


def test_a_preference_is_kept_until_another_one_or_none_is_chosen() -> None:
    world = World()
    alice, bob = (world.engine.state.accounts[one] for one in (world.alice, world.bob))
    world.does(preferring(alice.id, "window", "10"))
    world.does(preferring(alice.id, "style", "plain"))
    world.does(preferring(alice.id, "window", "30"))
    assert alice.preferences == {"style": "plain", "window": "30"}
    assert not bob.preferences
    world.does(preferring(alice.id, "style", ""))
    assert alice.preferences == {"window": "30"}


def test_a_preference_that_is_one_already_changes_nothing() -> None:
    world = World()
    world.does(preferring(world.alice, "window", "10"))
    before = world.engine.fingerprint()
    assert world.does(preferring(world.alice, "window", "10")) == ()
    assert world.does(preferring(world.bob, "window", "")) == ()
    assert world.engine.fingerprint() == before
    assert world.refuses(preferring(99, "window", "10")) == r.UnknownAccount(account=99)


def test_preferences_count_in_the_fingerprint() -> None:
    world = World()
    bare = world.engine.fingerprint()
    world.does(preferring(world.alice, "window", "10"))
    chosen = world.engine.fingerprint()
    assert chosen != bare
    world.does(preferring(world.alice, "window", ""))
    assert world.engine.fingerprint() == bare
