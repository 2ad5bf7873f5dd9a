"""The auditor of unified accounts sees what is wrong: each test changes one thing in what a run came to, as a
defect would, and names the complaint."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import pytest

from emulator.core.orders import OrderStatus
from tests.simulation.notebook import Known
from tests.simulation.stage import bybit, inside
from tests.simulation.unified_auditor import Instruments, audit_unified, differences_of_unified
from tests.simulation.unified_notebook import UnifiedNotebook
from tests.simulation.unified_words import UnifiedOrder, UnifiedSurvey
from tests.simulation.words import Movement, Outcome, Reply
from tests.simulation.world import begun

pytestmark = pytest.mark.anyio

replace = msgspec.structs.replace
A_BIT = Decimal("0.00001")
TURNS = 300


class Case(NamedTuple):
    instruments: Instruments
    notebook: UnifiedNotebook
    survey: UnifiedSurvey

    def changed(self, **fields: Any) -> Case:
        return self._replace(survey=replace(self.survey, **fields))


_kept: list[Case] = []


async def _run() -> Case:
    """One run that all tests start from: the account that traded most, before it is settled."""
    if not _kept:
        world = bybit(9)
        async with inside() as (_, address), begun(world, address):
            await world.take_turns(TURNS)
            await world.audit()
        number = max(range(len(world.surveys)), key=lambda n: len(world.surveys[n].closings))
        _kept.append(Case(world.instruments, world.accounts[number].notebook, world.surveys[number]))
    return _kept[0]._replace(notebook=copy.deepcopy(_kept[0].notebook))


def _order(case: Case, *, ended: bool = True) -> UnifiedOrder:
    return next(one for one in case.survey.orders.values() if one.is_ended is ended and not one.by_exchange)


def _with_order(case: Case, order: UnifiedOrder) -> Case:
    return case.changed(orders={**case.survey.orders, order.id: order})


def lost_order(case: Case) -> Case:
    return case.changed(absent=frozenset({_order(case).id}))


def order_in_no_list(case: Case) -> Case:
    gone = _order(case).id
    return case.changed(orders={id: one for id, one in case.survey.orders.items() if id != gone})


def order_of_nobody(case: Case) -> Case:
    return _with_order(case, replace(_order(case), id=9999, name="nobody-o1"))


def refused_order(case: Case) -> Case:
    case.notebook.orders[_order(case).name].known = Known.ABSENT
    return case


def order_goes_on(case: Case) -> Case:
    return _with_order(case, replace(_order(case), status=OrderStatus.NEW))


def order_is_another_one_by_its_id(case: Case) -> Case:
    order = _order(case)
    other = Reply(outcome=Outcome.DONE, orders=(replace(order, quantity=Decimal(77)),))
    return case.changed(queried={order.id: other})


def lost_trade(case: Case) -> Case:
    return case.changed(fills=case.survey.fills[1:])


def trade_twice(case: Case) -> Case:
    return case.changed(fills=(*case.survey.fills, case.survey.fills[-1]))


def other_fee(case: Case) -> Case:
    first, *rest = case.survey.fills
    return case.changed(fills=(replace(first, fee=first.fee + A_BIT), *rest))


def other_position(case: Case) -> Case:
    first, *rest = case.survey.positions
    return case.changed(positions=(replace(first, quantity=first.quantity + 1), *rest))


def other_cost(case: Case) -> Case:
    costly = [replace(one, cost=(one.cost or Decimal(0)) + 1) for one in case.survey.positions]
    return case.changed(positions=tuple(costly))


def lost_entry(case: Case) -> Case:
    first, _, *rest = case.survey.entries
    return case.changed(entries=(first, *rest))


def entry_twice(case: Case) -> Case:
    return case.changed(entries=(*case.survey.entries, case.survey.entries[-1]))


def other_entry(case: Case) -> Case:
    *rest, last = case.survey.entries
    return case.changed(entries=(*rest, replace(last, fee=last.fee + A_BIT)))


def other_balance(case: Case) -> Case:
    coin = case.survey.coins["USDT"]
    return case.changed(coins={**case.survey.coins, "USDT": replace(coin, wallet=coin.wallet + A_BIT)})


def other_ledger(case: Case) -> Case:
    held = case.survey.held
    return case.changed(held={**held, "USDT": held["USDT"] + A_BIT})


def lost_closing(case: Case) -> Case:
    return case.changed(closings=case.survey.closings[1:])


def other_profit(case: Case) -> Case:
    first, *rest = case.survey.closings
    return case.changed(closings=(replace(first, profit=first.profit + 1000), *rest))


def other_setting(case: Case) -> Case:
    case.notebook.chosen["margin mode"] = "SOME_MARGIN"
    return case


def movement_was_lost(case: Case) -> Case:
    gone = Movement(source="", target="unified", asset="USDT", amount=Decimal("0.123"))
    case.notebook.ask_movement(gone).known = Known.THERE
    return case


def movement_of_nobody(case: Case) -> Case:
    case.notebook.movements.pop()
    return case


def order_was_not_told(case: Case) -> Case:
    del case.notebook.told_of.orders[_order(case).id]
    return case


def order_was_told_otherwise(case: Case) -> Case:
    order = _order(case, ended=False)
    told = {**(order.record or {}), "qty": "77"}
    case.notebook.told_of.orders[order.id] = replace(order, record=told)
    return case


def trade_was_not_told(case: Case) -> Case:
    case.notebook.told_of.fills.popitem()
    return case


def position_was_told_otherwise(case: Case) -> Case:
    fold = case.notebook.told_of
    for place, one in fold.positions.items():
        fold.positions[place] = replace(one, record={**one.record, "avgPrice": "1"})
    return case


def coin_was_not_told(case: Case) -> Case:
    del case.notebook.told_of.coins["USDT"]
    return case


TAMPERED: dict[Callable[[Case], Case], str] = {
    lost_order: "was acknowledged, and is not there",
    order_in_no_list: "was acknowledged, and is in no list",
    order_of_nobody: "nobody placed it",
    refused_order: "was refused",
    order_goes_on: "is in the wrong list",
    order_is_another_one_by_its_id: "asked for order",
    lost_trade: "its trades",
    trade_twice: "is there twice",
    other_fee: "has cost",
    other_position: "by its trades",
    other_cost: "realised",
    lost_entry: "and then",
    entry_twice: "is there 2 times",
    other_entry: "does not add up",
    other_balance: "and by the log",
    other_ledger: "the ledger has",
    lost_closing: "and is told as None",
    other_profit: "brought",
    other_setting: "was acknowledged as SOME_MARGIN",
    movement_was_lost: "was acknowledged, and did not happen",
    movement_of_nobody: "happened, and nobody asked for it",
    order_was_not_told: "orders were never told of",
    order_was_told_otherwise: "differs from what was told",
    trade_was_not_told: "trades were never told of",
    position_was_told_otherwise: "differs from what was told",
    coin_was_not_told: "USDT was never told of",
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
async def test_sees(tamper: Callable[[Case], Case]) -> None:
    case = await _run()
    assert audit_unified(*case) == []
    complaints = audit_unified(*tamper(case))
    assert any(TAMPERED[tamper] in complaint for complaint in complaints), complaints


async def test_sees_that_a_copy_differs() -> None:
    case = await _run()
    assert differences_of_unified(case.survey, case.survey) == []
    assert len(differences_of_unified(case.survey, lost_closing(case).survey)) == 1
