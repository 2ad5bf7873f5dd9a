"""What is true of an engine after every command, whatever was asked of it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from decimal import Decimal

from emulator.core.contracts import value_of
from emulator.core.engine import Engine
from emulator.core.events import AmountWithdrawn
from emulator.core.history import ClosedRecord, Fill, FillKind, IncomeKind
from emulator.core.instruments import Side, TriggerSource
from emulator.core.ledger import FEES, INSURANCE, PROFIT
from emulator.core.margin import OpenOrder, resting_of
from emulator.core.markets import Candle
from emulator.core.marks import Watch
from emulator.core.numbers import ZERO, exact
from emulator.core.orders import ENDED, Order, OrderStatus
from emulator.core.positions import Leg, unrealised
from emulator.core.prints import Print
from emulator.core.state import Counts
from emulator.core.tape import Market


def assert_sound(engine: Engine) -> None:
    assert_books_balance(engine)
    assert_holds_are_explained(engine)
    assert_orders_are_where_they_say(engine)
    assert_accounts_know_their_orders(engine)
    assert_views_agree(engine)
    assert_lists_keep_their_promise(engine)
    assert_positions_are_what_was_traded(engine)
    assert_incomes_explain_wallets(engine)
    if engine.rules.keeps_transactions:
        assert_transactions_explain_wallets(engine)
        assert_closed_is_what_was_realised(engine)
        assert_fills_tell_all(engine)


def assert_books_balance(engine: Engine) -> None:
    ledger = engine.state.ledger
    assert not {asset: total for asset, total in ledger.totals().items() if total}
    for key, assets in ledger.wallets.items():
        for asset, balance in assets.items():
            assert balance.free >= 0 or key[1] in engine.state.margin_wallets, (key, asset, balance.free)
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
    for key, locked in state.locked.items():
        assert locked > 0
        explained[key] += locked
    for order_list in state.lists.values():
        assert order_list.held >= 0
        explained[order_list.account, order_list.wallet, order_list.hold_asset] += order_list.held
    for (account, symbol, _), position in state.positions.items():
        contract = state.markets[symbol].instrument.contract
        assert contract is not None
        assert position.margin >= 0
        explained[account, contract.wallet, contract.settle] += position.margin
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
                assert queues.shown[price] == sum((order.visible for order in queue.values()), ZERO)
                arrived = [order.queued_us for order in queue.values()]
                assert arrived == sorted(arrived)
                for order in queue.values():
                    places[order.id].append("book")
                    assert order.side is side
                    assert order.price == price
                    assert ZERO < order.visible <= order.remaining
            assert queues.shown.keys() == queues.queues.keys()
            prices = list(queues.prices())
            assert prices == sorted(queues.queues, reverse=queues.descending)
            assert queues.best == (prices[0] if prices else None)
        assert_triggers_are_where_they_say(market, TriggerSource.LAST, places)
        for watch in market.watches:
            assert_triggers_are_where_they_say(watch, watch.source, places)
        if market.bids.best is not None and market.asks.best is not None:
            assert market.bids.best < market.asks.best, "the book of accounts is crossed"
        dated = [order for order in state.orders.values() if order.instrument == market.instrument.symbol]
        assert market.deadlines == sorted(
            (order.terms.good_till_us, order.id) for order in dated if order.terms.good_till_us is not None
        )
        assert all(account in state.accounts for account in market.countdowns)
    for order in state.orders.values():
        assert places.pop(order.id, ["nowhere"]) == [_place_of(order)], (order.id, order.status)
        assert order.status not in ENDED
        assert order.quantity is None or order.remaining > 0
    assert not places, "an order that is not open stands somewhere"


def assert_triggers_are_where_they_say(
    waiting: Market | Watch, source: TriggerSource, places: dict[int, list[str]]
) -> None:
    for queues, is_rise in ((waiting.rises, True), (waiting.falls, False)):
        for price, queue in queues.queues.items():
            for order in queue.values():
                places[order.id].append("trigger")
                trigger = order.terms.trigger
                assert trigger is not None
                assert trigger.price == price
                assert trigger.source is source
                assert trigger.fires_on_rise(order.side) is is_rise
    for order in waiting.trailing.values():
        places[order.id].append("trailing")
        assert order.terms.trigger is not None
        assert order.terms.trigger.source is source


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
        counts.detached += order.terms.detached
        counts.triggers += order.terms.trigger is not None and not order.terms.detached
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
    charged: dict[str, Decimal] = defaultdict(lambda: ZERO)
    by_trade: dict[tuple[str, int], list[Decimal]] = defaultdict(list)
    for fills_of_account in views.fills.values():
        numbers = [fill.trade for fill in fills_of_account]
        assert numbers == sorted(numbers)
        for fill in fills_of_account:
            if fill.kind is FillKind.FUNDING:
                continue
            by_trade[fill.instrument, fill.trade].append(fill.quantity)
            charged[fill.fee_asset] += fill.fee
            # Whatever it was modified to, it had one of these limits.
            limits = [views.orders[fill.order].price]
            limits += [one.price_before for one in views.amendments.get(fill.order, [])]
            assert any(
                limit is None or (fill.price <= limit if fill.is_buyer else fill.price >= limit)
                for limit in limits
            )
    for symbol, market in state.markets.items():
        ids = [entry.id for entry in market.prints]
        assert ids == sorted(set(ids))
        for entry in market.prints:
            quantities = by_trade.pop((symbol, entry.id), [])
            if entry.quantity:
                assert all(quantity == entry.quantity for quantity in quantities)
            else:
                assert quantities, "a trade outside the book that filled nobody"
    assert not by_trade, "a fill without its trade"
    for movements in views.movements.values():
        for movement in movements:
            if isinstance(movement.event, AmountWithdrawn):
                charged[movement.event.asset] += movement.event.fee
    paid = state.ledger.counterparties[FEES]
    charged_all, paid_all = ({one: n for one, n in listed.items() if n} for listed in (charged, paid))
    assert charged_all == paid_all


def assert_what_rests_is_counted(engine: Engine) -> None:
    """What counts towards margin beside positions is what is in the books, reckoned anew."""
    state = engine.state
    listed: dict[tuple[int, str, Leg], list[OpenOrder]] = defaultdict(list)
    for order in state.orders.values():
        if order.resting and not order.terms.reduces and state.markets[order.instrument].marks is not None:
            assert order.price is not None
            signed = order.remaining if order.side is Side.BUY else -order.remaining
            listed[order.account, order.instrument, order.terms.leg].append(
                OpenOrder(quantity=signed, price=order.price, leverage=order.terms.leverage)
            )
    counted = {
        (account.id, *place): resting
        for account in state.accounts.values()
        for place, resting in account.beside.items()
    }
    with exact():
        for (account, symbol, leg), orders in listed.items():
            contract = state.markets[symbol].instrument.contract
            assert contract is not None
            assert counted.pop((account, symbol, leg)) == resting_of(contract, orders)
    assert not counted


def assert_positions_are_what_was_traded(engine: Engine) -> None:
    """What positions gained until now, realised or not, is what buying and selling came to, whatever was
    closed by what; but for the roundings, of which a fill has few."""
    state = engine.state
    kept = {
        (account.id, *place): position
        for account in state.accounts.values()
        for place, position in account.positions.items()
    }
    assert kept == state.positions
    assert all(position.quantity for position in kept.values()), "a flat position was kept"
    assert_what_rests_is_counted(engine)
    assert not state.realised, "nobody told what a trade realised"
    realised: dict[str, Decimal] = defaultdict(lambda: ZERO)
    with exact():
        for (account, symbol), fills in engine.views.fills.items():
            contract = state.markets[symbol].instrument.contract
            if contract is None:
                assert not any(fill.realised for fill in fills)
                continue
            held = [state.positions.get((account, symbol, leg)) for leg in Leg]
            signed = [
                (fill.quantity if fill.is_buyer else -fill.quantity, fill)
                for fill in fills
                if fill.kind is not FillKind.FUNDING
            ]
            assert sum((one.quantity for one in held if one), ZERO) == sum((one for one, _ in signed), ZERO)
            mark = Decimal(97)
            spent = sum((value_of(contract, quantity, fill.price) for quantity, fill in signed), ZERO)
            worth = sum((value_of(contract, one.quantity, mark) for one in held if one), ZERO)
            gained = contract.sense * (worth - spent)
            told = sum((fill.realised for fill in fills), ZERO)
            told += sum((unrealised(contract, one, mark) for one in held if one), ZERO)
            assert abs(gained - told) <= (len(fills) + 1) * contract.settle_step
            realised[contract.settle] += sum((fill.realised for fill in fills), ZERO)
    for incomes in engine.views.incomes.values():
        for income in incomes:
            if income.kind in (IncomeKind.LIQUIDATION_FEE, IncomeKind.INSURANCE):
                realised[income.asset] += income.amount
    # The insurance fund has its own part of the other side.
    booked, insured = state.ledger.counterparties[PROFIT], state.ledger.counterparties[INSURANCE]
    assert {asset: -amount for asset, amount in realised.items()} == {
        asset: booked.get(asset, ZERO) + insured.get(asset, ZERO) for asset in realised
    }
    assert booked.keys() <= realised.keys()


def assert_incomes_explain_wallets(engine: Engine) -> None:
    """A wallet of contracts has what its incomes come to, and nothing else has incomes."""
    ledger, margin_wallets = engine.state.ledger, engine.state.margin_wallets
    sums: dict[tuple[int, str, str], Decimal] = defaultdict(lambda: ZERO)
    for (account, wallet), incomes in engine.views.incomes.items():
        numbers = [income.number for income in incomes]
        assert numbers == sorted(set(numbers))
        for income in incomes:
            assert (income.account, income.wallet) == (account, wallet)
            assert income.amount
            sums[account, wallet, income.asset] += income.amount
    for (account, wallet), assets in ledger.wallets.items():
        for asset, balance in assets.items():
            expected = balance.total if wallet in margin_wallets else ZERO
            assert sums.pop((account, wallet, asset), ZERO) == expected
    assert not sums


def assert_transactions_explain_wallets(engine: Engine) -> None:
    """A wallet of contracts has what its transactions come to, each says how much there was after it, and
    none is missing between two."""
    state = engine.state
    balances: dict[tuple[int, str, str], Decimal] = defaultdict(lambda: ZERO)
    with exact():
        for place, listed in engine.views.transactions.items():
            numbers = [one.number for one in listed]
            assert numbers == sorted(set(numbers))
            assert numbers[-1] <= engine.views.transaction_count
            for one in listed:
                assert (one.account, one.wallet) == place
                balances[*place, one.asset] += one.change
                assert one.balance == balances[*place, one.asset]
        for (account, wallet), assets in state.ledger.wallets.items():
            for asset, balance in assets.items():
                expected = balance.total if wallet in state.margin_wallets else ZERO
                assert balances.pop((account, wallet, asset), ZERO) == expected
    # What neither cost nor brought anything is told as well, of an asset of which there never was any.
    assert not any(balances.values())


def assert_closed_is_what_was_realised(engine: Engine) -> None:
    """All that was closed came to what was realised, less the fees and with the funding of what is not held
    any more; and of each order to what its fills say."""
    state, views = engine.state, engine.views
    closed: dict[tuple[int, str, Leg], list[ClosedRecord]] = defaultdict(list)
    for one in views.closed.values():
        closed[one.account, one.instrument, one.leg].append(one)
        fills = [fill for fill in views.fills_of[one.order] if fill.closed]
        assert (one.fills, one.trade) == (len(fills), fills[0].trade)
        assert (one.created_us, one.updated_us) == (fills[0].time_us, fills[-1].time_us)
        assert one.closed == sum((fill.closed for fill in fills), ZERO)
        assert one.realised == sum((fill.realised for fill in fills), ZERO)
        assert one.closed <= one.quantity
    assert sorted(one for listed in views.closed_ids.values() for one in listed) == sorted(views.closed)
    for key, lifetime in state.lifetimes.items():
        position, of_it = state.positions.get(key), closed.pop(key, [])
        with exact():
            assert sum((one.realised for one in of_it), ZERO) == lifetime.realised
            gone = lifetime.fees - lifetime.opening_fees
            assert sum((one.opening_fee + one.closing_fee for one in of_it), ZERO) == gone
            assert sum((one.funding for one in of_it), ZERO) == lifetime.funding - lifetime.held_funding
            came_to = lifetime.realised - gone + lifetime.funding - lifetime.held_funding
            assert sum((one.profit for one in of_it), ZERO) == came_to
        assert bool(lifetime.opened_us) is (position is not None)
        if position is None:
            assert not lifetime.opening_fees
            assert not lifetime.held_funding
    assert not closed
    assert not state.closings, "nobody told what a trade closed"


def assert_fills_tell_all(engine: Engine) -> None:
    """What is left after each fill, so that the last one tells what is left now."""
    left: dict[int, Fill] = {}
    for fills in engine.views.fills_of.values():
        for before, after in itertools.pairwise(fills):
            assert after.time_us >= before.time_us
        left[fills[-1].order] = fills[-1]
    for number, fill in left.items():
        order = engine.views.orders[number]
        if not order.is_ended and not order.amend_count and not order.prevented:
            assert fill.remaining == order.remaining
        assert (fill.mark is None) is (engine.instruments[fill.instrument].contract is None)


def assert_lists_keep_their_promise(engine: Engine) -> None:
    orders = engine.views.orders
    for order_list in engine.views.lists.values():
        pair = [orders[leg] for leg in order_list.pair]
        if any(leg.list_id != order_list.id for leg in pair):
            continue  # They were let go of, and are bound no more.
        begun = [
            leg for leg in pair if leg.executed or leg.prevented or (leg.terms.trigger and leg.working_us)
        ]
        assert len(begun) <= 1, "both legs of a pair began"
        assert not begun or all(leg in begun or leg.is_ended for leg in pair), (
            "a leg outlived its sibling's start"
        )
        assert len({leg.status in ENDED for leg in pair}) <= 1 or any(leg.working_us for leg in pair)
        working = orders[order_list.orders[0]]
        for leg in order_list.pending:
            if working.status is not OrderStatus.FILLED:
                assert orders[leg].status is OrderStatus.WAITING or orders[leg].is_ended
                assert not orders[leg].executed
            else:
                assert orders[leg].status is not OrderStatus.WAITING, "a pending leg was forgotten"


def assert_tape_agrees(engine: Engine, symbol: str, start_us: int, now_us: int) -> None:
    """Trades, candles and last prices of [start_us, now_us] against one list merged by brute force."""
    market = engine.state.markets[symbol]
    feed, listed = market.feed, market.instrument
    with exact():
        first = feed.trade_count(listed, start_us - 1) + 1
        count = feed.trade_count(listed, now_us) - first + 1
        merged: list[tuple[int, int, Print]] = []
        for trade in feed.trades(listed, first, count, now_us):
            price = trade.price
            for segment in market.segments:
                if segment.start_us <= trade.time_us:
                    price = trade.price + segment.shift if segment.price is None else segment.price
            merged.append(
                (trade.time_us, 0, Print(0, trade.time_us, price, trade.quantity, price * trade.quantity,
                                         trade.buyer_is_maker))
            )  # fmt: skip
        merged += [(entry.time_us, 1, entry) for entry in market.prints if entry.time_us >= start_us]
        merged.sort(key=lambda one: one[:2])
        earlier = first - 1 + sum(1 for entry in market.prints if entry.time_us < start_us)
        tape = [entry._replace(id=earlier + place) for place, (_, _, entry) in enumerate(merged, start=1)]
        laid = [entry for entry in tape if entry in set(market.prints)]
        assert laid == [entry for entry in market.prints if entry.time_us >= start_us], (
            "a print was renumbered"
        )

        shown = [entry for entry in tape if entry.quantity]
        assert market.trades(earlier + 1, len(tape) + 5, now_us) == shown
        middle = len(tape) // 2
        assert market.trades(earlier + 1 + middle, 7, now_us) == [
            entry for entry in tape[middle : middle + 7] if entry.quantity
        ]
        assert market.trade_count(now_us) == earlier + len(tape)
        assert market.next_trade_id(now_us) == earlier + len(tape) + 1
        if shown:
            assert market.last_print(now_us) == shown[-1]
            assert market.last_print(shown[len(shown) // 2].time_us).time_us == shown[len(shown) // 2].time_us
        for interval_us in (1_000_000, 7_000_000, 60_000_000):
            opening = start_us // interval_us * interval_us + interval_us
            opening = max(opening, now_us // interval_us * interval_us - 20 * interval_us)
            candles = market.candles(interval_us, opening, now_us, now_us)
            assert [candle.open_us for candle in candles] == list(range(opening, now_us + 1, interval_us))
            for candle in candles:
                assert candle == _candle(tape, earlier, candle.open_us, candle.close_us, candle), candle
        for left, right in (
            (start_us, now_us + 1),
            (start_us + 1, now_us),
            (now_us - 12_345_678, now_us + 1),
        ):
            if start_us <= left < right:
                whole = market.range(left, right)
                assert whole == _candle(tape, earlier, left, right, whole)


def _candle(tape: list[Print], earlier: int, start_us: int, end_us: int, given: Candle) -> Candle:
    within = [entry for entry in tape if start_us <= entry.time_us < end_us]
    before = [entry for entry in tape if entry.time_us < start_us]
    bought = [entry for entry in within if not entry.buyer_is_maker]
    # Of a span without trades the tape cannot say more than its last price, if that is on it.
    flat = [before[-1].price] if before else [given.open]
    prices = [entry.price for entry in within] or flat
    return Candle(
        start_us,
        end_us,
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum((entry.quantity for entry in within), ZERO),
        sum((entry.amount for entry in within), ZERO),
        len(within),
        sum((entry.quantity for entry in bought), ZERO),
        sum((entry.amount for entry in bought), ZERO),
        earlier + len(before) + 1,
        earlier + len(before) + len(within),
    )
