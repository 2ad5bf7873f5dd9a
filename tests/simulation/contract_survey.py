"""Everything that is answered about an account's contracts on one floor, at a moment at which nothing is
under way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from random import Random

import msgspec

from tests.simulation.contract_words import (
    AssetView,
    ContractFill,
    ContractOrder,
    Floor,
    IncomeView,
    PositionView,
)
from tests.simulation.control import Control
from tests.simulation.dialect import Seat
from tests.simulation.survey import every_fill
from tests.simulation.words import Reply

QUERIED_MAX = 5
PAGES = (12, 150)
"""How long they are."""


class ContractSurvey(msgspec.Struct, frozen=True, kw_only=True):
    """orders: of both sorts, from their histories, page by page. held: what the ledger says of the wallet,
    free and put up for single positions."""

    account: str
    now_ms: int
    orders: dict[int, ContractOrder]
    fills: tuple[ContractFill, ...]
    open_orders: dict[int, ContractOrder]
    queried: dict[int, Reply]
    positions: tuple[PositionView, ...]
    assets: dict[str, AssetView]
    balances: dict[str, tuple[Decimal, Decimal]]
    held: dict[str, tuple[Decimal, Decimal]]
    incomes: tuple[IncomeView, ...]
    hedged: bool
    complaints: tuple[str, ...]


async def survey_contracts(
    floor: Floor, control: Control, engine: str, seat: Seat, dice: Random, *, since_ms: int
) -> ContractSurvey:
    """dice: how long pages are, and which orders are asked for one by one."""
    complaints: list[str] = []
    orders: dict[int, ContractOrder] = {}
    fills: list[ContractFill] = []
    for traded in floor.instruments:
        name = traded.name
        for ask in (floor.orders, floor.waiting):
            orders |= await _every_order(partial(ask, seat, name), name, dice.randint(*PAGES), complaints)
        fills += await every_fill(partial(floor.fills, seat, name), name, dice.randint(*PAGES), complaints)
    queried: dict[int, Reply] = {}
    for order_id in dice.sample(sorted(orders), min(QUERIED_MAX, len(orders))):
        # Of several orders of one name, as those of the exchange, the newest is found.
        by_name = dice.random() < 0.5 and not orders[order_id].by_exchange
        queried[order_id] = await floor.order(seat, orders[order_id], by_name=by_name)
    wallets, _ = await control.money(seat.credentials.account, engine)
    return ContractSurvey(
        account=seat.credentials.account,
        now_ms=await control.now_ms(),
        orders=orders,
        fills=tuple(fills),
        open_orders={one.id: one for one in await floor.open_orders(seat)},
        queried=queried,
        positions=tuple(await floor.positions(seat)),
        assets={one.asset: one for one in await floor.assets(seat)},
        balances=await floor.balances(seat),
        held=wallets.get(floor.wallet, {}),
        incomes=tuple(await floor.incomes(seat, since_ms)),
        hedged=await floor.hedged(seat),
        complaints=tuple(complaints),
    )


async def _every_order(
    ask: Callable[[int, int], Awaitable[list[ContractOrder]]],
    instrument: str,
    limit: int,
    complaints: list[str],
) -> dict[int, ContractOrder]:
    found: dict[int, ContractOrder] = {}
    first = 1
    while True:
        page = await ask(first, limit)
        ids = [one.id for one in page]
        if ids != sorted(set(ids)) or (ids and ids[0] < first):
            complaints.append(f"{instrument}: a page of orders from {first} on has {ids}")
        complaints += [f"order {one.id} is on two pages" for one in page if one.id in found]
        found |= {one.id: one for one in page}
        if len(page) < limit:
            return found
        first = ids[-1] + 1
