"""A digest of everything folded, to tell whether two histories came to the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import asdict, astuple

from emulator.core.order_lists import OrderList
from emulator.core.orders import Cause, Order, OrderTerms, StopRole
from emulator.core.positions import Leg

if TYPE_CHECKING:
    from emulator.core.state.records import Account, Choice
    from emulator.core.state.state import State


_ADDED = {
    "leg": Leg.BOTH,
    "reduce_only": False,
    "close_position": False,
    "price_protect": False,
    "detached": False,
    "good_till_us": None,
    "cause": Cause.OWNER,
    "leverage": None,
    "borrows": False,
    "close_on_trigger": False,
    "attached": None,
    "role": StopRole.NONE,
    "parent": 0,
    "parent_name": "",
    "slippage": None,
}


_SUMS = {"fees"}
"""What only adds up that which events say; states of before there were these sums have the same digest."""
_OF_CONTRACTS = {"executed_cost", "origin", "successor", "bound"}
"""What only some orders have, mostly those of contracts; where they have none it does not count either."""


def _terms(terms: OrderTerms) -> dict[str, Any]:
    """What was added with contracts counts only where it says something, so that the digest of a state
    without them is what it was before there were any."""
    listed = asdict(terms)
    for name, default in _ADDED.items():
        if listed[name] == default:
            del listed[name]
    trigger = terms.trigger
    if trigger is not None and trigger.trailing_distance is None:
        listed["trigger"] = asdict(trigger)
        del listed["trigger"]["trailing_distance"]
    return listed


def _discounted(state: State, account: Account) -> bool | list[str]:
    """As it was when it was one choice for all wallets, as long as it is."""
    if not account.discounted:
        return False
    return account.discounted >= frozenset(state.wallets) or sorted(account.discounted)


def fingerprint(state: State) -> str:
    """Equal for equal histories; accounts, balances, orders, queues and markets all count."""
    ledger = state.ledger
    folded = [
        [[a.id, a.name, a.trade_group, _discounted(state, a)] for a in state.accounts.values()],
        sorted(
            (account, wallet, asset, balance.free, balance.held)
            for (account, wallet), assets in ledger.wallets.items()
            for asset, balance in assets.items()
        ),
        sorted((*key, amount) for key, amount in state.locked.items()),
        sorted((name, asset, n) for name, book in ledger.counterparties.items() for asset, n in book.items()),
        [
            [
                _terms(order.terms) if slot == "terms" else getattr(order, slot)
                for slot in Order.__struct_fields__
                if slot not in _SUMS and (slot not in _OF_CONTRACTS or getattr(order, slot))
            ]
            for order in sorted(state.orders.values(), key=lambda order: order.id)
        ],
        [
            [getattr(order_list, slot) for slot in sorted(OrderList.__struct_fields__)]
            for order_list in sorted(state.lists.values(), key=lambda order_list: order_list.id)
        ],
        [
            [
                symbol,
                [[price, list(market_queue)] for price, market_queue in sorted(queues.queues.items())],
            ]
            for symbol, market in sorted(state.markets.items())
            for queues in (market.bids, market.asks, market.rises, market.falls)
            if queues.queues
        ],
        [
            [
                symbol,
                market.segments,
                market.manual,
                len(market.prints),
                market.prints[-1:],
                market.changes,
            ]
            + [sorted((side, price, *used) for (side, price), used in market.consumed.items())]
            + [sorted(market.trailing), market.prevented]
            for symbol, market in sorted(state.markets.items())
            if market.prints or market.segments or market.manual or market.changes
        ],
        [state.next_order, state.next_list, state.next_movement, state.next_execution],
    ]
    moves = [
        [symbol, market.marks.moves]
        for symbol, market in sorted(state.markets.items())
        if market.marks is not None and market.marks.moves
    ]
    watched = [
        [
            symbol,
            watch.source.value,
            sorted(watch.trailing),
            [[price, list(queue)] for price, queue in sorted(watch.rises.queues.items())],
            [[price, list(queue)] for price, queue in sorted(watch.falls.queues.items())],
        ]
        for symbol, market in sorted(state.markets.items())
        for watch in market.watches
        if not watch.is_idle
    ]
    countdowns = [
        [symbol, sorted(market.countdowns.items())]
        for symbol, market in sorted(state.markets.items())
        if market.countdowns
    ]
    if countdowns:
        folded.append(countdowns)
    preferences = [
        [one.id, sorted(one.preferences.items())] for one in state.accounts.values() if one.preferences
    ]
    if preferences:
        folded.append(["preferences", preferences])
    if state.lifetimes:
        lived = [[*key, list(astuple(one))] for key, one in sorted(state.lifetimes.items())]
        folded.append(["lifetimes", lived])
    if state.shared:
        folded.append(sorted(list(key) for key in state.shared))
    unified = (
        sorted(state.account_margins.items()),
        sorted(state.hedged_contracts),
        sorted(state.unused),
        sorted(state.spot_margins.items()),
        sorted((*key, one.principal, one.interest) for key, one in state.loans.items()),
    )
    if state.replenished:
        folded.append(["replenished", sorted(state.replenished)])
    if any(unified):
        folded.append(unified)
    if state.positions or state.choices or state.hedged or moves or watched:
        # Without them the digest is what it was before there were contracts.
        folded.append([[*key, list(astuple(one))] for key, one in sorted(state.positions.items())])
        folded.append([[*key, _choice(one)] for key, one in sorted(state.choices.items())])
        folded.append(sorted(list(key) for key in state.hedged))
        folded.append(moves)
        folded.append(watched)
    encoded = msgspec.msgpack.encode(folded, enc_hook=str)
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


def _choice(choice: Choice) -> list[object]:
    """Without leverages of single legs it is what it was before there were any."""
    chosen = list(astuple(choice))
    return chosen if choice.long is not None or choice.short is not None else chosen[:2]
