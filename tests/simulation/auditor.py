"""Judges whether what an exchange answers is what its clients were told, and agrees with itself.

Pure: it is given notebooks and surveys and returns complaints, one line each, and none where all is well.
It knows no exchange. Nothing may be under way while a survey is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from itertools import chain, pairwise
from typing import Protocol

import msgspec

from emulator.core.instruments import Side
from emulator.core.orders import OrderStatus
from tests.simulation.notebook import Known, Notebook, regressions
from tests.simulation.survey import Survey
from tests.simulation.words import RANKS, Book, FillView, OrderView, Outcome, Reply, Traded

ZERO = Decimal(0)
LEVELS_MAX = 1000
"""A side of a book that shows so many levels may have more."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What an auditor is told of an exchange. wallet: the one that trades."""

    instruments: Mapping[str, Traded]
    hold_step: Decimal
    wallet: str
    elsewhere: frozenset[str] = frozenset()
    """Wallets that others trade with."""


def audit(terms: Terms, notebook: Notebook, survey: Survey) -> list[str]:
    """Everything that is wrong with one account."""
    found = [
        *notebook.complaints,
        *survey.complaints,
        *(f"the books are out by {amount} {asset}" for asset, amount in survey.differences.items()),
        *_orders(notebook, survey),
        *unlike_asked(survey.queried, survey.orders),
        *_fills(terms, notebook, survey),
        *_lists(notebook, survey),
        *_movements(notebook, survey),
        *_money(terms, notebook, survey),
        *_holds(terms, notebook, survey),
        *_stream(notebook, survey),
    ]
    return [f"{notebook.account}: {complaint}" for complaint in found]


def settle(terms: Terms, notebook: Notebook, survey: Survey) -> None:
    """Take over from a survey without complaints what nobody was sure of."""
    names = {order.name: order for order in survey.orders.values()}
    for name, asked in notebook.orders.items():
        if asked.known in (Known.UNSURE, Known.ABANDONED):
            if name in names:
                asked.show("survey", names[name])
                notebook.adopt(asked)
            elif asked.known is Known.UNSURE:
                asked.known = Known.ABSENT
    for view in survey.orders.values():
        found = notebook.of_id(view.id)
        if found is not None:
            found.show("survey", view)
    by_name = {one.name: one for one in survey.lists.values()}
    for name, asked_list in notebook.lists.items():
        if name in by_name:
            asked_list.id, asked_list.known = by_name[name].id, Known.THERE
            asked_list.was_done |= by_name[name].is_done
        elif asked_list.known is Known.UNSURE:
            asked_list.known = Known.ABSENT
    moved = list(survey.movements)
    for asked_movement in notebook.movements:
        if asked_movement.known in (Known.UNSURE, Known.ABANDONED):
            if asked_movement.movement in moved:
                asked_movement.known = Known.THERE
            elif asked_movement.known is Known.UNSURE:
                asked_movement.known = Known.ABSENT
    needed, at_least = _needed(terms, notebook, survey)
    for asset in notebook.unsure_locks.keys() - at_least:
        _, held = survey.balances.get(asset, (ZERO, ZERO))
        notebook.locks[asset] = held - needed.get(asset, ZERO)
        del notebook.unsure_locks[asset]


# Orders


def _orders(notebook: Notebook, survey: Survey) -> list[str]:
    complaints: list[str] = []
    named: dict[str, list[OrderView]] = defaultdict(list)
    for view in survey.orders.values():
        named[view.name].append(view)
        asked = notebook.orders.get(view.name)
        if asked is None:
            complaints.append(f"order {view.id} {view.name!r} is there, and nobody placed it")
        elif asked.known is Known.ABSENT:
            complaints.append(f"order {view.id} {view.name!r} is there, and was refused")
        else:
            complaints += regressions(asked.furthest, view)
            if asked.instrument != view.instrument:
                complaints.append(f"order {view.id} is of {view.instrument}, not of {asked.instrument}")
    complaints += [
        f"{len(views)} orders have the name {name!r}" for name, views in named.items() if views[1:]
    ]
    for name, asked in notebook.orders.items():
        if asked.known is not Known.THERE:
            continue
        assert asked.id is not None
        found = survey.orders.get(asked.id)
        if found is None:
            complaints.append(f"order {asked.id} {name!r} was acknowledged, and is not there")
        elif found.name not in asked.names:
            complaints.append(f"order {asked.id} is called {found.name!r}, not one of {sorted(asked.names)}")
    still_open = {view.id: view for view in survey.orders.values() if not view.is_ended}
    if still_open != survey.open_orders:
        differing = {
            order_id
            for order_id in still_open.keys() | survey.open_orders.keys()
            if still_open.get(order_id) != survey.open_orders.get(order_id)
        }
        complaints.append(f"open orders and the history disagree about {sorted(differing)}")
    return complaints


def unlike_asked(queried: Mapping[int, Reply], orders: Mapping[int, OrderView]) -> list[str]:
    """What is told of orders one by one against what is told of all together; both by id."""
    complaints: list[str] = []
    for order_id, reply in queried.items():
        order = orders.get(order_id)
        if reply.outcome is not Outcome.DONE:
            complaints.append(f"asked for order {order_id}: {reply.reason}")
        elif reply.orders != (order,):
            complaints.append(f"asked for order {order_id}: {reply.orders}, not {order}")
    return complaints


# Trades


def _fills(terms: Terms, notebook: Notebook, survey: Survey) -> list[str]:
    complaints: list[str] = []
    executed: dict[int, Decimal] = defaultdict(lambda: ZERO)
    amounts: dict[int, Decimal] = defaultdict(lambda: ZERO)
    known: dict[tuple[int, int], FillView] = {}
    by_instrument: dict[str, list[FillView]] = defaultdict(list)
    for fill in survey.fills:
        if (fill.trade, fill.order) in known:
            complaints.append(f"trade {fill.trade} of order {fill.order} is there twice")
        known[fill.trade, fill.order] = fill
        by_instrument[fill.instrument].append(fill)
        executed[fill.order] += fill.quantity
        amounts[fill.order] += fill.amount or ZERO
        order = survey.orders.get(fill.order)
        if order is None:
            complaints.append(f"trade {fill.trade} is of order {fill.order}, which is not there")
        elif (order.instrument, order.side is Side.BUY) != (fill.instrument, fill.is_buyer):
            complaints.append(f"trade {fill.trade} is not as order {fill.order}: {fill}")
        if abs((fill.amount or ZERO) - fill.price * fill.quantity) >= terms.hold_step:
            complaints.append(f"trade {fill.trade} comes to {fill.amount}")
    for instrument, fills in by_instrument.items():
        for before, after in pairwise(fills):
            if after.trade < before.trade or (after.time_ms or 0) < (before.time_ms or 0):
                complaints.append(f"{instrument}: trade {after.trade} comes after {before.trade}")
    for order in survey.orders.values():
        if (order.executed, order.amount) != (executed[order.id], amounts[order.id]):
            complaints.append(
                f"order {order.id} says {order.executed} for {order.amount},"
                f" its trades {executed[order.id]} for {amounts[order.id]}"
            )
        if order.quantity is not None and executed[order.id] + order.prevented > order.quantity:
            complaints.append(f"order {order.id} traded more than it is: {order}")
        if order.status is OrderStatus.FILLED and executed[order.id] + order.prevented != order.quantity:
            complaints.append(f"order {order.id} is filled with {executed[order.id]} of {order.quantity}")
    for key, told in chain(notebook.fills.items(), notebook.stream.fills.items()):
        if not _tells_of(told, known.get(key)):
            complaints.append(f"trade {key[0]} of order {key[1]} was told as {told}, is {known.get(key)}")
    return complaints


def _tells_of(told: FillView, fill: FillView | None) -> bool:
    """Whether all that was told is so; of some trades not everything is told."""
    return fill is not None and all(
        getattr(told, name) in (None, getattr(fill, name)) for name in told.__struct_fields__
    )


# Lists


def _lists(notebook: Notebook, survey: Survey) -> list[str]:
    complaints: list[str] = []
    names = [view.name for view in survey.lists.values()]
    complaints += [f"list {name!r} is there twice" for name in {*names} if names.count(name) > 1]
    of_list: dict[int, list[OrderView]] = defaultdict(list)
    for order in survey.orders.values():
        if order.list_id:
            of_list[order.list_id].append(order)
    for view in survey.lists.values():
        asked = notebook.lists.get(view.name)
        if asked is None or asked.known is Known.ABSENT:
            complaints.append(f"list {view.id} {view.name!r} is there, and nobody placed it")
            continue
        if asked.id not in (None, view.id):
            complaints.append(f"list {view.name!r} is {view.id}, was {asked.id}")
        if asked.was_done and not view.is_done:
            complaints.append(f"list {view.id} was done and goes on")
        legs = of_list[view.id]
        if sorted(view.orders) != sorted(leg.id for leg in legs) or len(legs) != len(asked.legs):
            complaints.append(f"list {view.id} has {view.orders}, its orders are {[leg.id for leg in legs]}")
        if view.is_done is any(not leg.is_ended for leg in legs):
            complaints.append(f"list {view.id} is_done={view.is_done}, its legs {[x.status for x in legs]}")
    for list_id in of_list.keys() - survey.lists.keys():
        complaints.append(f"orders belong to list {list_id}, which is not there")
    for name, asked in notebook.lists.items():
        if asked.known is Known.THERE and asked.id not in survey.lists:
            complaints.append(f"list {name!r} was acknowledged, and is not there")
    executing = {one.id for one in survey.lists.values() if not one.is_done}
    if sorted(one.id for one in survey.open_lists) != sorted(executing):
        complaints.append(f"open lists are {[one.id for one in survey.open_lists]}, not {sorted(executing)}")
    return complaints


# Money


def _movements(notebook: Notebook, survey: Survey) -> list[str]:
    """Each acknowledged movement once, of the unsure ones each at most once, and no others."""
    complaints: list[str] = []
    left = list(survey.movements)
    for asked in notebook.movements:
        if asked.movement in left:
            left.remove(asked.movement)
            if asked.known is Known.ABSENT:
                complaints.append(f"was refused, and happened: {asked.movement}")
        elif asked.known is Known.THERE:
            complaints.append(f"was acknowledged, and did not happen: {asked.movement}")
    complaints += [f"happened, and nobody asked for it: {movement}" for movement in left]
    return complaints


def _money(terms: Terms, notebook: Notebook, survey: Survey) -> list[str]:
    """What an account has is what came, less what went, and what it traded."""
    totals: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for movement in survey.movements:
        if movement.source:
            totals[movement.source, movement.asset] -= movement.amount
        if movement.target:
            totals[movement.target, movement.asset] += movement.amount
    for fill in survey.fills:
        traded = terms.instruments[fill.instrument]
        sign = 1 if fill.is_buyer else -1
        totals[terms.wallet, traded.base] += sign * fill.quantity
        totals[terms.wallet, traded.quote] -= sign * (fill.amount or ZERO)
        totals[terms.wallet, fill.fee_asset] -= fill.fee
    for swap in survey.swaps.values():
        own = [survey.orders[one] for one in (swap.taker, swap.maker) if one in survey.orders]
        if len(own) == 1:  # With oneself nothing changes hands.
            traded = terms.instruments[swap.instrument]
            sign = 1 if own[0].side is Side.BUY else -1
            totals[terms.wallet, traded.base] += sign * swap.quantity
            amount = (swap.price * swap.quantity).quantize(terms.hold_step, ROUND_DOWN)
            totals[terms.wallet, traded.quote] -= sign * amount
    complaints: list[str] = []
    has: dict[tuple[str, str], Decimal] = {}
    for wallet, assets in survey.wallets.items():
        for asset, (free, held) in assets.items():
            has[wallet, asset] = free + held
            if (free < 0 and wallet not in terms.elsewhere) or held < 0:
                complaints.append(f"{wallet} has {free} {asset} free and {held} held")
    for key in totals.keys() | has.keys():
        if key[0] in terms.elsewhere:
            continue
        if has.get(key, ZERO) != totals.get(key, ZERO):
            complaints.append(
                f"{key[0]} has {has.get(key, ZERO)} {key[1]}, and by its history {totals.get(key, ZERO)}"
            )
    if survey.wallets[terms.wallet] != survey.balances:
        complaints.append(f"balances are {survey.balances}, the ledger has {survey.wallets[terms.wallet]}")
    return complaints


def _holds(terms: Terms, notebook: Notebook, survey: Survey) -> list[str]:
    """What is held is what open orders need and what was locked."""
    needed, at_least = _needed(terms, notebook, survey)
    complaints: list[str] = []
    for asset in needed.keys() | survey.balances.keys() | notebook.locks.keys():
        _, held = survey.balances.get(asset, (ZERO, ZERO))
        possible = {needed.get(asset, ZERO) + locked for locked in notebook.possible_locks(asset)}
        if held not in possible and not (asset in at_least and held >= min(possible)):
            complaints.append(f"{held} {asset} is held, and open orders and locks need {sorted(possible)}")
    return complaints


def _needed(terms: Terms, notebook: Notebook, survey: Survey) -> tuple[dict[str, Decimal], set[str]]:
    """What open orders hold by asset, and of which assets a client cannot know all of it."""
    needed: dict[str, Decimal] = defaultdict(lambda: ZERO)
    at_least: set[str] = set()
    paired: dict[tuple[int, str], Decimal] = defaultdict(lambda: ZERO)
    for order in survey.open_orders.values():
        traded = terms.instruments[order.instrument]
        asset = traded.base if order.side is Side.SELL else traded.quote
        needs = _needs(terms, order)
        order_list = survey.lists.get(order.list_id)
        if order_list is not None and notebook.lists[order_list.name].is_funded:
            at_least.add(traded.base)  # The part that it received so far is locked as well.
        if needs is None:
            at_least.add(asset)
        elif order_list is None:
            needed[asset] += needs
        else:
            # Of two legs that cancel each other the larger is held, and of the others only one works.
            paired[order_list.id, asset] = max(paired[order_list.id, asset], needs)
    for (_, asset), needs in paired.items():
        needed[asset] += needs
    return dict(needed), at_least


def _needs(terms: Terms, order: OrderView) -> Decimal | None:
    """None where an order's client cannot know."""
    if order.status is OrderStatus.WAITING:
        return ZERO
    if order.quantity is None or order.executed is None:
        return None
    left = order.quantity - order.executed - order.prevented
    if order.side is Side.SELL:
        return left
    price = order.price or order.stop
    return None if price is None else (left * price).quantize(terms.hold_step, ROUND_UP)


# What was told


def _stream(notebook: Notebook, survey: Survey) -> list[str]:
    stream = notebook.stream
    complaints: list[str] = []
    fields = ("name", "status", "executed", "amount", "quantity", "prevented", "list_id", "side")
    for order_id, told in stream.orders.items():
        order = survey.orders.get(order_id)
        if order is None:
            complaints.append(f"order {order_id} was told of, and is not there")
            continue
        complaints += [
            f"order {order_id} has {name} {getattr(order, name)}, was last told with {getattr(told, name)}"
            for name in fields
            if getattr(order, name) != getattr(told, name)
        ]
    for list_id, told_list in stream.lists.items():
        if survey.lists.get(list_id) != told_list:
            complaints.append(f"list {list_id} was last told as {told_list}, is {survey.lists.get(list_id)}")
    for asset, balance in stream.balances.items():
        if survey.balances.get(asset, (ZERO, ZERO)) != balance:
            complaints.append(f"{asset} was last told as {balance}, is {survey.balances.get(asset)}")
    if stream.is_whole:
        silent = survey.orders.keys() - stream.orders.keys()
        if silent:
            complaints.append(f"orders were never told of: {sorted(silent)}")
        silent = survey.lists.keys() - stream.lists.keys()
        if silent:
            complaints.append(f"lists were never told of: {sorted(silent)}")
        if len(stream.fills) != len(survey.fills):
            complaints.append(f"{len(stream.fills)} trades were told of, and {len(survey.fills)} are there")
        silent_assets = survey.balances.keys() - stream.balances.keys()
        if silent_assets:
            complaints.append(f"balances were never told of: {sorted(silent_assets)}")
    return complaints


# All accounts together


class Surveyed(Protocol):
    """What is asked of all accounts alike, whatever they trade."""

    @property
    def account(self) -> str: ...

    @property
    def orders(self) -> Mapping[int, OrderView]: ...

    @property
    def fills(self) -> Sequence[FillView]: ...

    @property
    def open_orders(self) -> Mapping[int, OrderView]: ...


def audit_together(surveys: Sequence[Survey]) -> list[str]:
    complaints = audit_sides(surveys)
    for one in surveys:
        for other in surveys:
            if other is not one:
                complaints += [
                    f"swap {swap} of {one.account} is not told to {other.account}"
                    for key, swap in one.swaps.items()
                    if {swap.taker, swap.maker} & other.orders.keys() and other.swaps.get(key) != swap
                ]
    return complaints


def audit_sides(surveys: Sequence[Surveyed]) -> list[str]:
    """Two sides of one trade are of one price and quantity, opposite, and one of them was there first."""
    complaints: list[str] = []
    sides: dict[tuple[str, int], list[FillView]] = defaultdict(list)
    owners: dict[int, str] = {}
    for one in surveys:
        for order_id in one.orders:
            if owners.setdefault(order_id, one.account) != one.account:
                complaints.append(f"order {order_id} is of {one.account} and of {owners[order_id]}")
        for fill in one.fills:
            sides[fill.instrument, fill.trade].append(fill)
    for key, fills in sides.items():
        if len(fills) > 2:
            complaints.append(f"trade {key} has {len(fills)} sides")
        elif len(fills) == 2:
            first, second = fills
            alike = (first.price, first.quantity, first.time_ms) == (
                second.price,
                second.quantity,
                second.time_ms,
            )
            if not alike or first.is_buyer is second.is_buyer or first.is_maker is second.is_maker:
                complaints.append(f"the two sides of trade {key} do not fit: {fills}")
    return complaints


def audit_book(instrument: str, book: Book, surveys: Sequence[Surveyed]) -> list[str]:
    """A book is in order, not crossed, and shows what rests in it."""
    complaints: list[str] = []
    for name, levels, sign in (("bids", book.bids, -1), ("asks", book.asks, 1)):
        prices = [sign * price for price, _ in levels]
        if prices != sorted(set(prices)):
            complaints.append(f"{instrument}: {name} are not in order")
        if any(quantity <= 0 for _, quantity in levels):
            complaints.append(f"{instrument}: {name} have a level of nothing")
    if book.bids and book.asks and book.bids[0][0] >= book.asks[0][0]:
        complaints.append(f"{instrument}: the book is crossed: {book.bids[0]}, {book.asks[0]}")
    for one in surveys:
        for order in one.open_orders.values():
            if order.instrument == instrument and order.rank >= RANKS[OrderStatus.NEW] and order.price:
                levels = book.bids if order.side is Side.BUY else book.asks
                prices = [price for price, _ in levels]
                is_beyond = prices and (order.price < min(prices)) is (order.side is Side.BUY)
                if order.price not in prices and not (is_beyond and len(levels) == LEVELS_MAX):
                    complaints.append(f"{instrument}: the book does not show order {order.id}: {order}")
    return complaints


def differences(before: Survey, after: Survey) -> list[str]:
    """What a copy, or the same exchange after a restart, answers otherwise."""
    complaints: list[str] = []
    for name in before.__struct_fields__:
        if name == "queried":
            continue  # Others are asked for each time.
        then, now = getattr(before, name), getattr(after, name)
        if then != now:
            complaints.append(f"{before.account}: {name} are {now}, were {then}")
    return complaints
