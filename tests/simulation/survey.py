"""Everything that an exchange answers about an account at one moment at which nothing is under way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from random import Random
from typing import TypeVar

import msgspec

from tests.simulation.control import Control
from tests.simulation.dialect import Dialect, Seat
from tests.simulation.words import FillView, ListView, Movement, OrderView, Reply, Swap


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """orders, fills: from their histories, page by page. queried: some of the same orders, asked for one
    by one. swaps: of all orders that were kept from trading. wallets: from the control API."""

    account: str
    orders: dict[int, OrderView]
    fills: tuple[FillView, ...]
    swaps: dict[tuple[str, int], Swap]
    open_orders: dict[int, OrderView]
    queried: dict[int, Reply]
    lists: dict[int, ListView]
    open_lists: tuple[ListView, ...]
    balances: dict[str, tuple[Decimal, Decimal]]
    wallets: dict[str, dict[str, tuple[Decimal, Decimal]]]
    movements: tuple[Movement, ...]
    differences: dict[str, str]
    """What the books of the exchange are out by."""
    complaints: tuple[str, ...]
    """What is wrong with the answers themselves."""


QUERIED_MAX = 25


async def survey(dialect: Dialect, control: Control, seat: Seat, dice: Random, *, since_ms: int) -> Survey:
    """Ask for everything. dice: how long pages are, and which orders are asked for one by one."""
    complaints: list[str] = []
    orders: dict[int, OrderView] = {}
    fills: list[FillView] = []
    for traded in dialect.instruments:
        limit = dice.randint(3, 90)
        first = 0
        while True:
            page = await dialect.orders(seat, traded.name, first, limit)
            ids = [one.id for one in page]
            if ids != sorted(set(ids)) or (ids and ids[0] < first):
                complaints.append(f"{traded.name}: a page of orders from {first} on has {ids}")
            complaints += [f"order {one.id} is on two pages" for one in page if one.id in orders]
            orders |= {one.id: one for one in page}
            if len(page) < limit:
                break
            first = ids[-1] + 1
        ask = partial(dialect.fills, seat, traded.name)
        fills += await every_fill(ask, traded.name, dice.randint(3, 90), complaints)
    swaps: dict[tuple[str, int], Swap] = {}
    for order in orders.values():
        if order.prevented:
            swaps |= {(one.instrument, one.id): one for one in await dialect.swaps(seat, order)}
    lists: dict[int, ListView] = {}
    limit, first = dice.randint(3, 60), 0
    while True:
        listed = await dialect.lists(seat, first, limit)
        complaints += [f"list {one.id} is on two pages" for one in listed if one.id in lists]
        lists |= {one.id: one for one in listed}
        if len(listed) < limit:
            break
        first = listed[-1].id + 1
    queried: dict[int, Reply] = {}
    for order_id in dice.sample(sorted(orders), min(QUERIED_MAX, len(orders))):
        order = orders[order_id]
        by_name = dice.random() < 0.5
        queried[order_id] = await dialect.order(
            seat, order.instrument, None if by_name else order_id, order.name if by_name else None
        )
    open_listed = await dialect.open_orders(seat, None)
    wallets, differences = await control.money(seat.credentials.account, dialect.engine)
    return Survey(
        account=seat.credentials.account,
        orders=orders,
        fills=tuple(fills),
        swaps=swaps,
        open_orders={one.id: one for one in open_listed},
        queried=queried,
        lists=lists,
        open_lists=tuple(await dialect.open_lists(seat)),
        balances=await dialect.balances(seat),
        wallets=wallets,
        movements=tuple(await dialect.movements(seat, since_ms, await control.now_ms())),
        differences=differences,
        complaints=tuple(complaints),
    )


F = TypeVar("F", bound=FillView)


async def every_fill(
    ask: Callable[[int, int], Awaitable[list[F]]], instrument: str, limit: int, complaints: list[str]
) -> list[F]:
    """From a trade on, page by page. One trade may be twice on an account, as both of its sides. ask: for
    a page, by its first trade and its length."""
    found: dict[tuple[int, int], F] = {}
    first = 0
    while True:
        page = await ask(first, limit)
        trades = [one.trade for one in page]
        if trades != sorted(trades) or (trades and trades[0] < first):
            complaints.append(f"{instrument}: a page of trades from {first} on has {trades}")
        keys = [(one.trade, one.order) for one in page]
        if len(set(keys)) < len(keys):
            complaints.append(f"{instrument}: a trade is twice on a page: {keys}")
        for key, one in zip(keys, page, strict=True):
            if found.setdefault(key, one) != one:
                complaints.append(f"{instrument}: trade {key} differs between two pages")
        if len(page) < limit:
            return list(found.values())
        # The other side of the last trade may have been cut off.
        first = trades[-1] if trades[-1] > first else trades[-1] + 1
