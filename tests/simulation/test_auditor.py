"""The auditor sees what is wrong: each test changes one thing in what a run came to, as a defect would, and
names the complaint."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

import msgspec
import pytest

from emulator.core.orders import OrderStatus
from tests.simulation.auditor import Terms, audit, audit_book, audit_together, differences
from tests.simulation.binance_spot import BinanceSpot
from tests.simulation.notebook import Known, Notebook
from tests.simulation.separate_world import SeparateWorld
from tests.simulation.stage import inside
from tests.simulation.survey import Survey
from tests.simulation.words import Book, Movement, Outcome, Reply
from tests.simulation.world import begun

pytestmark = pytest.mark.anyio

replace = msgspec.structs.replace
A_BIT = Decimal("0.00000001")


class Case(NamedTuple):
    terms: Terms
    notebook: Notebook
    survey: Survey

    def changed(self, **fields: object) -> Case:
        return self._replace(survey=replace(self.survey, **fields))


_kept: list[tuple[SeparateWorld, Case, dict[str, Book]]] = []


async def _run() -> tuple[SeparateWorld, Case, dict[str, Book]]:
    """One run that all tests start from: the account that traded most, before it is settled."""
    if not _kept:
        world = SeparateWorld(BinanceSpot(), 9)
        async with inside() as (_, address), begun(world, address):
            await world.take_turns(400)
            await world.audit()
            books = {
                one.name: await world.dialect.book(world.auditor, one.name)
                for one in world.dialect.instruments
            }
        number = max(range(len(world.surveys)), key=lambda n: len(world.surveys[n].fills))
        _kept.append((world, Case(world.terms, world.owners[number].notebook, world.surveys[number]), books))
    world, case, books = _kept[0]
    return world, case._replace(notebook=copy.deepcopy(case.notebook)), books


def _of_status(survey: Survey, *statuses: OrderStatus) -> int:
    return next(order_id for order_id, order in survey.orders.items() if order.status in statuses)


def _without(mapping: Mapping[int, object], key: int) -> dict[int, object]:
    return {one: value for one, value in mapping.items() if one != key}


def lost_order(case: Case) -> Case:
    gone = _of_status(case.survey, OrderStatus.CANCELED)
    return case.changed(orders=_without(case.survey.orders, gone))


def order_of_nobody(case: Case) -> Case:
    order = case.survey.orders[_of_status(case.survey, OrderStatus.CANCELED)]
    return case.changed(orders={**case.survey.orders, 9999: replace(order, id=9999, name="nobody-o1")})


def order_twice(case: Case) -> Case:
    order = case.survey.orders[_of_status(case.survey, OrderStatus.CANCELED)]
    return case.changed(orders={**case.survey.orders, 9999: replace(order, id=9999)})


def refused_order(case: Case) -> Case:
    order = case.survey.orders[_of_status(case.survey, OrderStatus.CANCELED)]
    case.notebook.orders[order.name].known = Known.ABSENT
    return case


def undone_cancel(case: Case) -> Case:
    order_id = _of_status(case.survey, OrderStatus.CANCELED)
    back = replace(case.survey.orders[order_id], status=OrderStatus.NEW)
    return case.changed(
        orders={**case.survey.orders, order_id: back},
        open_orders={**case.survey.open_orders, order_id: back},
    )


def lost_trade(case: Case) -> Case:
    return case.changed(fills=case.survey.fills[1:])


def trade_twice(case: Case) -> Case:
    return case.changed(fills=(*case.survey.fills, case.survey.fills[-1]))


def other_fee(case: Case) -> Case:
    first, *rest = case.survey.fills
    return case.changed(fills=(replace(first, fee=first.fee + A_BIT), *rest))


def closed_in_the_history_only(case: Case) -> Case:
    order_id = next(iter(case.survey.open_orders))
    return case.changed(open_orders=_without(case.survey.open_orders, order_id))


def other_answer_to_a_query(case: Case) -> Case:
    order_id, reply = next(iter(case.survey.queried.items()))
    (order,) = reply.orders
    other = replace(reply, orders=(replace(order, executed=(order.executed or 0) + A_BIT),))
    return case.changed(queried={**case.survey.queried, order_id: other})


def forgotten_by_a_query(case: Case) -> Case:
    order_id = next(iter(case.survey.queried))
    refused = Reply(outcome=Outcome.REFUSED, reason="it does not exist", is_absent=True)
    return case.changed(queried={**case.survey.queried, order_id: refused})


def lost_list(case: Case) -> Case:
    return case.changed(lists=_without(case.survey.lists, next(iter(case.survey.lists))))


def list_goes_on(case: Case) -> Case:
    done = next(one for one in case.survey.lists.values() if one.is_done)
    return case.changed(lists={**case.survey.lists, done.id: replace(done, is_done=False)})


def money_from_nowhere(case: Case) -> Case:
    wallets = copy.deepcopy(case.survey.wallets)
    free, held = wallets["spot"]["USDT"]
    wallets["spot"]["USDT"] = (free + A_BIT, held)
    return case.changed(wallets=wallets, balances=wallets["spot"])


def hold_too_large(case: Case) -> Case:
    wallets = copy.deepcopy(case.survey.wallets)
    # Of one asset alone it may be that the client cannot know what is held.
    for asset, (free, held) in wallets["spot"].items():
        wallets["spot"][asset] = (free - A_BIT, held + A_BIT)
    return case.changed(wallets=wallets, balances=wallets["spot"])


def lost_deposit(case: Case) -> Case:
    return case.changed(movements=case.survey.movements[1:])


def deposit_of_nobody(case: Case) -> Case:
    more = Movement(source="", target="spot", asset="USDT", amount=Decimal(1))
    return case.changed(movements=(*case.survey.movements, more))


def refused_deposit(case: Case) -> Case:
    case.notebook.movements[0].known = Known.ABSENT
    return case


def books_are_out(case: Case) -> Case:
    return case.changed(differences={"USDT": "0.01"})


def message_was_lost(case: Case) -> Case:
    stream = case.notebook.stream
    assert stream.is_whole
    del stream.orders[_of_status(case.survey, OrderStatus.FILLED)]
    return case


def message_tells_of_more(case: Case) -> Case:
    order_id, told = next(iter(case.notebook.stream.orders.items()))
    case.notebook.stream.orders[order_id] = replace(told, executed=(told.executed or 0) + A_BIT)
    return case


def balance_was_not_told(case: Case) -> Case:
    free, held = case.notebook.stream.balances["USDT"]
    case.notebook.stream.balances["USDT"] = (free + A_BIT, held)
    return case


TAMPERED: dict[Callable[[Case], Case], str] = {
    lost_order: "was acknowledged, and is not there",
    order_of_nobody: "nobody placed it",
    order_twice: "2 orders have the name",
    refused_order: "was refused",
    undone_cancel: "went back from OrderStatus.CANCELED to OrderStatus.NEW",
    lost_trade: "its trades",
    trade_twice: "is there twice",
    other_fee: "and by its history",
    closed_in_the_history_only: "open orders and the history disagree",
    other_answer_to_a_query: "asked for order",
    forgotten_by_a_query: "it does not exist",
    lost_list: "was acknowledged, and is not there",
    list_goes_on: "is_done=False",
    money_from_nowhere: "and by its history",
    hold_too_large: "is held, and open orders and locks need",
    lost_deposit: "was acknowledged, and did not happen",
    deposit_of_nobody: "nobody asked for it",
    refused_deposit: "was refused, and happened",
    books_are_out: "the books are out by 0.01 USDT",
    message_was_lost: "orders were never told of",
    message_tells_of_more: "was last told with",
    balance_was_not_told: "was last told as",
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
async def test_sees(tamper: Callable[[Case], Case]) -> None:
    _, case, _ = await _run()
    assert audit(*case) == []
    complaints = audit(*tamper(case))
    assert any(TAMPERED[tamper] in complaint for complaint in complaints), complaints


async def test_sees_an_order_that_goes_back() -> None:
    """Already while it is written down: two answers to one client."""
    _, case, _ = await _run()
    order = case.survey.orders[_of_status(case.survey, OrderStatus.FILLED)]
    notebook = case.notebook
    notebook.told("one", Reply(outcome=Outcome.DONE, orders=(order,)))
    assert not notebook.complaints
    before = replace(order, status=OrderStatus.NEW, executed=Decimal(0))
    notebook.told("another", Reply(outcome=Outcome.DONE, orders=(before,)))
    assert not notebook.complaints, "answers to two clients may cross"
    notebook.told("one", Reply(outcome=Outcome.DONE, orders=(before,)))
    assert "one: order" in notebook.complaints[0]
    assert "went back" in notebook.complaints[0]


async def test_sees_sides_that_do_not_fit_and_a_crossed_book() -> None:
    world, case, books = await _run()
    assert audit_together(world.surveys) == []
    fill = case.survey.fills[0]
    other = replace(case.survey, account="other", orders={}, fills=(fill,))
    assert "do not fit" in audit_together([case.survey, other])[0]
    book = books["BTCUSDT"]
    assert audit_book("BTCUSDT", book, world.surveys) == []
    crossed = Book(bids=((book.asks[-1][0], A_BIT), *book.bids), asks=book.asks)
    assert "is crossed" in audit_book("BTCUSDT", crossed, world.surveys)[0]
    order = next(
        one
        for survey in world.surveys
        for one in survey.open_orders.values()
        if one.status is OrderStatus.NEW and one.price
    )
    book = books[order.instrument]
    hidden = Book(
        bids=tuple(level for level in book.bids if level[0] != order.price),
        asks=tuple(level for level in book.asks if level[0] != order.price),
    )
    assert "does not show" in audit_book(order.instrument, hidden, world.surveys)[0]


async def test_sees_that_a_copy_differs() -> None:
    _, case, _ = await _run()
    assert differences(case.survey, case.survey) == []
    assert len(differences(case.survey, lost_trade(case).survey)) == 1
