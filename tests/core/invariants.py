"""What is true of an engine after every command, whatever was asked of it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from emulator.core.engine import Engine
from emulator.core.instruments import Side
from emulator.core.numbers import ZERO
from emulator.core.orders import ENDED, Order, OrderStatus
from emulator.core.state import Counts


def assert_sound(engine: Engine) -> None:
    assert_books_balance(engine)
    assert_holds_are_explained(engine)
    assert_orders_are_where_they_say(engine)
    assert_accounts_know_their_orders(engine)
    assert_views_agree(engine)


def assert_books_balance(engine: Engine) -> None:
    ledger = engine.state.ledger
    assert not {asset: total for asset, total in ledger.totals().items() if total}
    for key, assets in ledger.wallets.items():
        for asset, balance in assets.items():
            assert balance.free >= 0, (key, asset, balance.free)
            assert balance.held >= 0, (key, asset, balance.held)


def assert_holds_are_explained(engine: Engine) -> None:
    state = engine.state
    explained: dict[tuple[int, str, str], Decimal] = defaultdict(lambda: ZERO)
    for order in state.orders.values():
        assert order.held >= 0
        explained[order.account, order.wallet, order.hold_asset] += order.held
        required = state.required(order)
        if order.list_id and order.id in state.lists[order.list_id].pair:
            assert not order.held
            assert state.lists[order.list_id].held >= required
        else:
            assert order.held == required
    for order_list in state.lists.values():
        assert order_list.held >= 0
        explained[order_list.account, order_list.wallet, order_list.hold_asset] += order_list.held
    for (account, wallet), assets in state.ledger.wallets.items():
        for asset, balance in assets.items():
            assert balance.held == explained.pop((account, wallet, asset), ZERO), (account, wallet, asset)
    assert not any(explained.values())


def assert_orders_are_where_they_say(engine: Engine) -> None:
    state = engine.state
    places: dict[int, list[str]] = defaultdict(list)
    for market in state.markets.values():
        for side, queues in ((Side.BUY, market.bids), (Side.SELL, market.asks)):
            for price, queue in queues.queues.items():
                assert queue, "an empty queue stays"
                arrived = [order.queued_us for order in queue.values()]
                assert arrived == sorted(arrived)
                for order in queue.values():
                    places[order.id].append("book")
                    assert order.side is side
                    assert order.price == price
                    assert ZERO < order.visible <= order.remaining
            prices = list(queues.prices())
            assert prices == sorted(queues.queues, reverse=queues.descending)
            assert queues.best == (prices[0] if prices else None)
        for queues, is_rise in ((market.rises, True), (market.falls, False)):
            for price, queue in queues.queues.items():
                for order in queue.values():
                    places[order.id].append("trigger")
                    trigger = order.terms.trigger
                    assert trigger is not None
                    assert trigger.price == price
                    assert trigger.fires_on_rise(order.side) is is_rise
        for order in market.trailing.values():
            places[order.id].append("trailing")
        if market.bids.best is not None and market.asks.best is not None:
            assert market.bids.best < market.asks.best, "the book of accounts is crossed"
    for order in state.orders.values():
        assert places.pop(order.id, ["nowhere"]) == [_place_of(order)], (order.id, order.status)
        assert order.status not in ENDED
        assert order.quantity is None or order.remaining > 0
    assert not places, "an order that is not open stands somewhere"


def _place_of(order: Order) -> str:
    match order.status:
        case OrderStatus.WAITING:
            return "nowhere"
        case OrderStatus.DORMANT:
            return "trailing" if order.trailing else "trigger"
        case _:
            return "book"


def assert_accounts_know_their_orders(engine: Engine) -> None:
    state = engine.state
    known = {order for account in state.accounts.values() for order in account.open_orders.values()}
    assert known == set(state.orders.values())
    lists = {one for account in state.accounts.values() for one in account.open_lists.values()}
    assert lists == set(state.lists.values())
    for order_list in lists:
        assert any(leg in state.orders for leg in order_list.orders), "a list without live legs is over"
    counted: dict[tuple[int, str], Counts] = defaultdict(Counts)
    for order in state.orders.values():
        counts = counted[order.account, order.instrument]
        counts.orders += 1
        counts.triggers += order.terms.trigger is not None
        counts.icebergs += order.terms.iceberg_quantity is not None
    for order_list in lists:
        counted[order_list.account, order_list.instrument].lists += 1
    for key, counts in state.counts.items():
        assert counts == counted.pop(key, Counts())
    assert not counted
    named = {
        (order.account, order.instrument, order.client_id): order.id
        for order in state.orders.values()
        if order.client_id
    }
    assert state.client_ids == named


def assert_views_agree(engine: Engine) -> None:
    views, state = engine.views, engine.state
    for order in views.orders.values():
        fills = views.fills_of.get(order.id, [])
        assert order.executed == sum((fill.quantity for fill in fills), ZERO)
        assert order.executed_amount == sum((fill.amount for fill in fills), ZERO)
        assert (order.id in state.orders) is not order.is_ended
        if order.quantity is not None:
            assert order.executed + order.prevented <= order.quantity or order.is_ended
        if order.status is OrderStatus.FILLED:
            assert order.executed + order.prevented == order.quantity
        if order.is_ended:
            assert not order.held
            assert not order.resting
            assert not order.asleep
    by_trade: dict[tuple[str, int], list[Decimal]] = defaultdict(list)
    for fills_of_account in views.fills.values():
        numbers = [fill.trade for fill in fills_of_account]
        assert numbers == sorted(numbers)
        for fill in fills_of_account:
            by_trade[fill.instrument, fill.trade].append(fill.quantity)
    for symbol, market in state.markets.items():
        assert market.print_ids == sorted(set(market.print_ids))
        for entry in market.prints:
            quantities = by_trade.pop((symbol, entry.id), [])
            assert all(quantity == entry.quantity for quantity in quantities)
    assert not by_trade, "a fill without its trade"
