"""Whether one engine is another one over again, in everything that folding or restoring makes."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from emulator.core.book import PriceLadder, PriceQueues
from emulator.core.engine import Engine
from emulator.core.ledger import Balance, Ledger
from emulator.core.marks import Marks, Watch
from emulator.core.orders import Order
from emulator.core.prints import Prints
from emulator.core.state import Account, State
from emulator.core.tape import Market

NOT_COMPARED = {
    State: {"charged", "disturbed", "folds", "jolted", "position_listener", "touched"},
    Market: {"feed", "instrument", "bounds", "_average"},
    Ledger: {"listener"},
}
"""What is given to an engine, or kept to be quicker; and what the engine has to look at again."""

UNORDERED = {"beside", "booked", "client_ids", "list_client_ids", "counts"}
"""Dicts that are only ever asked by key."""


def told(value: Any) -> Any:
    """What a part of a state holds, attribute by attribute, in its order; equal for equal parts."""
    if type(value) in (State, Market, Watch, Ledger, Account, Balance, PriceQueues):
        names = attributes(value)
        return {
            name: _of(name, getattr(value, name)) for name in names - NOT_COMPARED.get(type(value), set())
        }
    if isinstance(value, PriceLadder):
        return list(value)
    if isinstance(value, Marks):
        return told(value.moves)
    if isinstance(value, Prints):
        return (list(value), value.blocks(), value.tail())
    if isinstance(value, Enum) or not isinstance(value, dict | list | tuple | msgspec.Struct):
        return value
    if isinstance(value, msgspec.Struct):
        return (type(value), {name: told(getattr(value, name)) for name in value.__struct_fields__})
    if isinstance(value, dict):
        return [(told(key), told(entry)) for key, entry in value.items()]
    return [told(entry) for entry in value]


def _of(name: str, value: Any) -> Any:
    if name == "counts":
        return {key: told(counts) for key, counts in value.items() if any(msgspec.structs.astuple(counts))}
    if name == "holders":
        return {symbol: told(positions) for symbol, positions in value.items()}
    return dict(value) if name in UNORDERED else told(value)


def attributes(value: object) -> set[str]:
    """The names of all that an object keeps."""
    kept = getattr(type(value), "__slots__", None)
    return set(vars(value) if kept is None else kept)


def assert_same(one: Engine, other: Engine) -> None:
    """Equal states, down to the order of every queue, and the same about what is open in the views."""
    assert one.fingerprint() == other.fingerprint()
    mine, theirs = told(one.state), told(other.state)
    assert mine.keys() == theirs.keys()
    for name in mine:
        assert mine[name] == theirs[name], name
    assert_shared(other)
    assert legs_of_lists(one) == legs_of_lists(other)
    for order in _known(one):
        if order.client_id:
            key = (order.account, order.instrument, None, order.client_id)
            named = one.views.order(*key)
            assert named is not None
            again = other.views.order(*key)
            if again is not None and again.amend_count and again.id < named.id:
                assert named.is_ended, "the archive is asked whether it knows a newer one"
            elif again is not None:
                assert told(again) == told(named)
            else:
                assert named.is_ended, "what ended before is known by its name to the archive only"
    assert one.views.updated_us == other.views.updated_us


def legs_of_lists(engine: Engine) -> list[Any]:
    """Every open list as a query answers it: with all its legs."""
    views = engine.views
    return [
        (told(views.lists[one]), [told(views.orders[leg]) for leg in views.lists[one].orders])
        for one in engine.state.lists
    ]


def assert_shared(engine: Engine) -> None:
    """Wherever an open order or list is found, it is the same object."""
    state, views = engine.state, engine.views
    for order in state.orders.values():
        assert views.orders[order.id] is order
        assert order.id in views.order_ids[order.account, order.instrument]
        assert state.accounts[order.account].open_orders[order.id] is order
    for market in state.markets.values():
        waiting: list[Market | Watch] = [market, *market.watches]
        queued = [queues for place in waiting for queues in (place.rises, place.falls)]
        for queues in (market.bids, market.asks, *queued):
            for queue in queues.queues.values():
                assert all(state.orders[order_id] is order for order_id, order in queue.items())
        for place in waiting:
            assert all(state.orders[order_id] is order for order_id, order in place.trailing.items())
    for order_list in state.lists.values():
        assert views.lists[order_list.id] is order_list
        assert order_list.id in views.list_ids[order_list.account]
        assert state.accounts[order_list.account].open_lists[order_list.id] is order_list
    for ids in (*views.order_ids.values(), *views.list_ids.values()):
        assert ids == sorted(set(ids))


def _known(engine: Engine) -> list[Order]:
    """The orders that a snapshot keeps: open ones, and the legs of open lists."""
    legs = {leg for one in engine.state.lists.values() for leg in one.orders}
    return [engine.views.orders[one] for one in sorted(legs | engine.state.orders.keys())]
