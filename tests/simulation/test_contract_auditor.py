"""The auditor of contracts sees what is wrong: each test changes one thing in what a run came to, as a defect
would, and names the complaint."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import pytest

from emulator.core.orders import OrderStatus
from tests.simulation.contract_auditor import Rules, audit_contracts, differences_of_contracts
from tests.simulation.contract_notebook import ContractNotebook
from tests.simulation.contract_survey import ContractSurvey
from tests.simulation.contract_words import ContractOrder
from tests.simulation.notebook import Known
from tests.simulation.stage import binance, inside
from tests.simulation.words import Movement
from tests.simulation.world import begun

pytestmark = pytest.mark.anyio

replace = msgspec.structs.replace
A_BIT = Decimal("0.00000001")
TURNS = 500


class Case(NamedTuple):
    rules: Rules
    notebook: ContractNotebook
    survey: ContractSurvey
    movements: tuple[Movement, ...]

    def changed(self, **fields: Any) -> Case:
        return self._replace(survey=replace(self.survey, **fields))


_kept: list[Case] = []


async def _run() -> Case:
    """One run that all tests start from: the desk with most trades among those that have
    a
    position, an open order, and one that waits for nothing any more."""
    if not _kept:
        world = binance(9)
        async with inside() as (_, address), begun(world, address):
            await world.take_turns(TURNS)
            await world.audit()
        surveys = world.bourse.surveys
        holding = [
            n
            for n, one in enumerate(surveys)
            if one.open_orders
            and any(pos.quantity for pos in one.positions)
            and any(order.detached and order.is_ended for order in one.orders.values())
        ]
        number = max(holding, key=lambda n: len(surveys[n].fills))
        survey, desk = surveys[number], world.bourse.desks[number]
        movements = next(one.movements for one in world.surveys if one.account == survey.account)
        _kept.append(Case(world.bourse.rules[desk.floor.name], desk.notebook, survey, movements))
    return _kept[0]._replace(notebook=copy.deepcopy(_kept[0].notebook))


def _order(case: Case, *, detached: bool = False, ended: bool = True) -> ContractOrder:
    return next(
        one
        for one in case.survey.orders.values()
        if one.detached is detached and one.is_ended is ended and not one.by_exchange
    )


def lost_order(case: Case) -> Case:
    gone = _order(case).id
    return case.changed(orders={id: one for id, one in case.survey.orders.items() if id != gone})


def order_of_nobody(case: Case) -> Case:
    other = replace(_order(case), id=9999, name="nobody-o1")
    return case.changed(orders={**case.survey.orders, 9999: other})


def refused_order(case: Case) -> Case:
    case.notebook.orders[_order(case).name].known = Known.ABSENT
    return case


def waits_again(case: Case) -> Case:
    order = _order(case, detached=True)
    back = replace(order, status=OrderStatus.DORMANT)
    return case.changed(
        orders={**case.survey.orders, order.id: back}, open_orders={**case.survey.open_orders, order.id: back}
    )


def not_among_the_open(case: Case) -> Case:
    return case.changed(open_orders=dict(list(case.survey.open_orders.items())[1:]))


def lost_trade(case: Case) -> Case:
    return case.changed(fills=case.survey.fills[1:])


def other_commission(case: Case) -> Case:
    first, *rest = case.survey.fills
    return case.changed(fills=(replace(first, fee=first.fee + A_BIT), *rest))


def other_profit(case: Case) -> Case:
    first, *rest = case.survey.fills
    return case.changed(fills=(replace(first, realised=first.realised + A_BIT), *rest))


def other_position(case: Case) -> Case:
    first = next(one for one in case.survey.positions if one.quantity)
    positions = [replace(one, quantity=one.quantity * 2) if one is first else one
                 for one in case.survey.positions]  # fmt: skip
    return case.changed(positions=tuple(positions))


def other_entry(case: Case) -> Case:
    positions = [replace(one, entry=one.entry + A_BIT) for one in case.survey.positions]
    return case.changed(positions=tuple(positions))


def lost_income(case: Case) -> Case:
    return case.changed(incomes=case.survey.incomes[:-1])


def income_twice(case: Case) -> Case:
    return case.changed(incomes=(*case.survey.incomes, case.survey.incomes[-1]))


def transfer_of_nobody(case: Case) -> Case:
    more = Movement(source="spot", target=case.rules.wallet, asset="USDT", amount=Decimal(1))
    return case._replace(movements=(*case.movements, more))


def ledger_has_more(case: Case) -> Case:
    held = {asset: (free + A_BIT, kept) for asset, (free, kept) in case.survey.held.items()}
    return case.changed(held=held)


def available_is_too_much(case: Case) -> Case:
    assets = {
        name: replace(one, available=one.available + one.wallet + 1)
        for name, one in case.survey.assets.items()
    }
    return case.changed(assets=assets)


def margin_was_not_told(case: Case) -> Case:
    fold = case.notebook.fold
    for asset, (wallet, cross) in fold.balances.items():
        fold.balances[asset] = (wallet, cross - A_BIT)
    return case


def position_was_not_told(case: Case) -> Case:
    case.notebook.fold.positions.clear()
    return case


def order_was_not_told(case: Case) -> Case:
    del case.notebook.fold.orders[_order(case).id]
    return case


def trade_was_not_told(case: Case) -> Case:
    case.notebook.fold.fills.popitem()
    return case


TAMPERED: dict[Callable[[Case], Case], str] = {
    lost_order: "was acknowledged, and is not there",
    order_of_nobody: "nobody placed it",
    refused_order: "was refused",
    waits_again: "to OrderStatus.DORMANT",
    not_among_the_open: "in the history, and among the open ones None",
    lost_trade: "its trades",
    other_commission: "'commission', ",
    other_profit: "'profit', ",
    other_position: "by its trades",
    other_entry: "was last told as",
    lost_income: "and incomes come to",
    income_twice: "some are there twice",
    transfer_of_nobody: "transfers came as",
    ledger_has_more: "and incomes come to",
    available_is_too_much: "more is available than there is",
    margin_was_not_told: "was last told as",
    position_was_not_told: "was last told as None",
    order_was_not_told: "orders were never told of",
    trade_was_not_told: "trades were never told of",
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
async def test_sees(tamper: Callable[[Case], Case]) -> None:
    case = await _run()
    assert audit_contracts(*case) == []
    complaints = audit_contracts(*tamper(case))
    assert any(TAMPERED[tamper] in complaint for complaint in complaints), complaints


async def test_sees_that_a_copy_differs() -> None:
    case = await _run()
    assert differences_of_contracts(case.survey, case.survey) == []
    assert len(differences_of_contracts(case.survey, lost_income(case).survey)) == 1
