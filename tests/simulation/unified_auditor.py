"""Judges whether what is answered about an account that trades out of one wallet is what its clients were
told, and agrees with itself.

Pure, as the auditors of all else: it is given notebooks and surveys and returns complaints.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from itertools import chain, pairwise

from emulator.core.instruments import Side
from emulator.core.orders import OrderStatus
from emulator.core.positions import Leg
from tests.simulation.auditor import unlike_asked
from tests.simulation.contract_notebook import DAY_MS
from tests.simulation.notebook import AskedMovement, Known, regressions
from tests.simulation.unified_notebook import UnifiedNotebook
from tests.simulation.unified_words import (
    Coin,
    Standing,
    UnifiedFill,
    UnifiedOrder,
    UnifiedSurvey,
    UnifiedTraded,
)

ZERO = Decimal(0)
CENT = Decimal("0.000001")
"""What a sum of amounts that were cut off may be out by."""

ARRIVED, LEFT = "TRANSFER_IN", "TRANSFER_OUT"
OF_TRADES = frozenset({"TRADE", "LIQUIDATION", "ADL", "DELIVERY"})
FUNDING = "SETTLEMENT"
WALLET = "unified"

Instruments = Mapping[str, UnifiedTraded]
Recorded = UnifiedOrder | Standing | Coin


def audit_unified(instruments: Instruments, notebook: UnifiedNotebook, survey: UnifiedSurvey) -> list[str]:
    """Everything that is wrong with one account."""
    found = [
        *notebook.complaints,
        *survey.complaints,
        *(f"the books are out by {amount} {asset}" for asset, amount in survey.differences.items()),
        *_orders(notebook, survey),
        *unlike_asked(survey.queried, survey.orders),
        *_fills(notebook, survey),
        *_positions(instruments, survey),
        *_entries(instruments, survey),
        *_closings(survey),
        *_movements(notebook, survey),
        *_wallet(survey),
        *_chosen(notebook, survey),
        *_told(notebook, survey),
    ]
    return [f"{survey.account}: {complaint}" for complaint in found]


def settle_unified(notebook: UnifiedNotebook, survey: UnifiedSurvey) -> None:
    """Take over from a survey without complaints what nobody was sure of, or what may have been missed."""
    names = {order.name: order for order in survey.orders.values() if not order.by_exchange}
    for name, asked in notebook.orders.items():
        if asked.known in (Known.UNSURE, Known.ABANDONED):
            if name in names:
                asked.show("survey", names[name])
                notebook.adopt(asked)
            elif asked.known is Known.UNSURE:
                asked.known = Known.ABSENT
    for view in survey.orders.values():
        known = notebook.of_id(view.id)
        if known is not None:
            known.show("survey", view)
    moved = _moved(survey)
    for movement in notebook.movements:
        if movement.known in (Known.UNSURE, Known.ABANDONED):
            if moved[_mark(movement)]:
                movement.known = Known.THERE
            elif movement.known is Known.UNSURE:
                movement.known = Known.ABSENT
    notebook.hedged = survey.chosen.get("hedged linear:BTCUSDT") == "True"
    if notebook.told_of.is_torn:
        notebook.told_of.begin_anew(survey)


def is_old(order: UnifiedOrder, now_ms: int) -> bool:
    """Whether the history need not tell of an order any more, if it ended without a trade."""
    assert order.created_ms is not None
    return order.created_ms < now_ms - DAY_MS


# Orders


def _orders(notebook: UnifiedNotebook, survey: UnifiedSurvey) -> list[str]:
    complaints: list[str] = []
    named: dict[str, list[UnifiedOrder]] = defaultdict(list)
    for view in survey.orders.values():
        asked = notebook.of_id(view.id) if view.by_exchange else notebook.orders.get(view.name)
        if not view.by_exchange:
            named[view.name].append(view)
            if asked is None:
                complaints.append(f"order {view.id} {view.name!r} is there, and nobody placed it")
            elif asked.known is Known.ABSENT:
                complaints.append(f"order {view.id} {view.name!r} is there, and was refused")
        if asked is not None:
            complaints += regressions(asked.furthest, view)
            if asked.instrument != view.instrument:
                complaints.append(f"order {view.id} is of {view.instrument}, not of {asked.instrument}")
    complaints += [
        f"{len(views)} orders have the name {name!r}" for name, views in named.items() if views[1:]
    ]
    complaints += [f"order {number} was acknowledged, and is not there" for number in sorted(survey.absent)]
    for name, asked in notebook.orders.items():
        found = None if asked.id is None else survey.orders.get(asked.id)
        if asked.known is Known.THERE and found is None and asked.id not in survey.absent:
            last = asked.furthest
            if isinstance(last, UnifiedOrder):
                is_told = bool(last.executed) or not is_old(last, survey.now_ms)
            else:
                is_told = notebook.is_young(name, survey.now_ms)
            if is_told:
                complaints.append(f"order {asked.id} {name!r} was acknowledged, and is in no list: {last}")
    for view in survey.orders.values():
        if view.is_ended is (view.id in survey.open_orders):
            complaints.append(f"order {view.id} is {view.status}, and is in the wrong list")
    return complaints


# Trades


def _fills(notebook: UnifiedNotebook, survey: UnifiedSurvey) -> list[str]:
    complaints: list[str] = []
    known: dict[tuple[int, int], UnifiedFill] = {}
    of_order: dict[int, list[UnifiedFill]] = defaultdict(list)
    for fill in survey.fills:
        if (fill.trade, fill.order) in known:
            complaints.append(f"trade {fill.trade} of order {fill.order} is there twice")
        known[fill.trade, fill.order] = fill
        of_order[fill.order].append(fill)
        order = survey.orders.get(fill.order)
        if order is None:
            if fill.is_of_order:
                complaints.append(f"trade {fill.trade} is of order {fill.order}, which is not there")
        elif (order.instrument, order.side is Side.BUY) != (fill.instrument, fill.is_buyer):
            complaints.append(f"trade {fill.trade} is not as order {fill.order}: {fill}, {order}")
    for order in survey.orders.values():
        fills = of_order[order.id]
        executed = sum((one.quantity for one in fills), ZERO)
        amount = sum((one.amount or ZERO for one in fills), ZERO)
        fee = sum((one.fee for one in fills), ZERO)
        if (order.executed, order.fee) != (executed, fee) or abs((order.amount or ZERO) - amount) > CENT:
            complaints.append(
                f"order {order.id} says {order.executed} for {order.amount} with {order.fee},"
                f" its trades {executed} for {amount} with {fee}"
            )
        if order.quantity is not None and executed > order.quantity:
            complaints.append(f"order {order.id} traded more than it is: {order}")
        if order.status is OrderStatus.FILLED and order.quantity not in (None, executed):
            complaints.append(f"order {order.id} is filled with {executed} of {order.quantity}")
    for key, told in chain(notebook.fills.items(), notebook.told_of.fills.items()):
        if known.get(key) != told:
            complaints.append(f"trade {key} was told as {told}, is {known.get(key)}")
    fold = notebook.told_of
    if not fold.is_torn:
        silent = known.keys() - fold.fills.keys()
        if silent:
            complaints.append(f"trades were never told of: {sorted(silent)}")
        payments = {one.id for one in survey.payments}
        if payments != fold.payments:
            complaints.append(f"payments were told of otherwise: {payments ^ fold.payments}")
    return complaints


# Positions and money


def _positions(instruments: Instruments, survey: UnifiedSurvey) -> list[str]:
    """A position is what was bought, less what was sold; and what it realised is what it took in so far."""
    complaints: list[str] = []
    bought: dict[str, Decimal] = defaultdict(lambda: ZERO)
    paid: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for fill in survey.fills:
        sign = 1 if fill.is_buyer else -1
        bought[fill.instrument] += sign * fill.quantity
        paid[fill.instrument] += sign * (fill.amount or ZERO)
    has: dict[str, Decimal] = defaultdict(lambda: ZERO)
    cost: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in survey.positions:
        has[one.instrument] += one.quantity
        cost[one.instrument] += one.cost or ZERO
        if (one.leg is Leg.LONG and one.quantity < 0) or (one.leg is Leg.SHORT and one.quantity > 0):
            complaints.append(f"the position {one.leg} of {one.instrument} is {one.quantity}")
    cash: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for entry in survey.entries:
        if entry.kind in OF_TRADES:
            cash[entry.instrument] += entry.cash
    for name, traded in instruments.items():
        if traded.is_pair:
            continue
        if has[name] != bought[name]:
            complaints.append(f"the position of {name} is {has[name]}, by its trades {bought[name]}")
        realised = cost[name] - paid[name] if not traded.is_inverse else paid[name] - cost[name]
        if abs(realised - cash[name]) > CENT * (1 + len(survey.fills)):
            complaints.append(f"{name} realised {cash[name]}, by its trades {realised}")
    return complaints


def _entries(instruments: Instruments, survey: UnifiedSurvey) -> list[str]:
    """Each balance follows from the one before, the last is what there is, and fees are those of trades."""
    complaints: list[str] = []
    ids = Counter(one.id for one in survey.entries)
    complaints += [f"entry {id} is there {count} times" for id, count in ids.items() if count > 1]
    complaints += [
        f"entry {after.id} comes after {before.id}"
        for before, after in pairwise(survey.entries)
        if after.time_ms < before.time_ms
    ]
    balances: dict[str, Decimal] = defaultdict(lambda: ZERO)
    fees: dict[tuple[int, int], Decimal] = defaultdict(lambda: ZERO)
    funding = ZERO
    for one in survey.entries:
        if balances[one.asset] + one.change != one.balance:
            complaints.append(f"{one.asset} was {balances[one.asset]}, and then {one}")
        balances[one.asset] = one.balance
        if one.change != one.cash + one.funding - one.fee:
            complaints.append(f"an entry does not add up: {one}")
        if one.kind in OF_TRADES and one.trade:
            fees[one.trade, one.order] += one.fee
        if one.kind == FUNDING:
            funding += one.funding
    for asset in balances.keys() | survey.coins.keys():
        shown = survey.coins[asset].wallet if asset in survey.coins else ZERO
        if balances[asset] != shown:
            complaints.append(f"there is {shown} {asset}, and by the log {balances[asset]}")
    trades = {(one.trade, one.order): one.fee for one in survey.fills}
    for key in trades.keys() | fees.keys():
        if trades.get(key) != fees.get(key):
            complaints.append(f"trade {key} has cost {trades.get(key)}, in the log {fees.get(key)}")
    paid = sum((one.fee for one in survey.payments), ZERO)
    if paid != -funding:
        complaints.append(f"funding has cost {paid}, in the log {-funding}")
    return complaints


def _closings(survey: UnifiedSurvey) -> list[str]:
    """What was closed is what trades closed, with the cash that the log has, and a share of the funding."""
    complaints: list[str] = []
    closed: dict[int, Decimal] = defaultdict(lambda: ZERO)
    cash: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for fill in survey.fills:
        if fill.closed:
            closed[fill.order] += fill.closed
    for entry in survey.entries:
        if entry.kind in OF_TRADES and entry.order in closed:
            cash[entry.order] += entry.cash
    funding: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for payment in survey.payments:
        funding[payment.instrument] += abs(payment.fee)
    shown = {one.order: one for one in survey.closings}
    if len(shown) < len(survey.closings):
        complaints.append("something was closed twice by one order")
    for order in closed.keys() | shown.keys():
        one = shown.get(order)
        if one is None or one.closed != closed.get(order):
            complaints.append(f"order {order} closed {closed.get(order)}, and is told as {one}")
        elif abs(one.profit + one.fees - cash[order]) > CENT + funding[one.instrument]:
            complaints.append(f"order {order} brought {cash[order]}, and is told as {one}")
    return complaints


Mark = tuple[str, str, Decimal]


def _mark(asked: AskedMovement) -> Mark:
    """A movement as the log tells of it: each amount is one of a kind."""
    movement = asked.movement
    return (ARRIVED if movement.target == WALLET else LEFT), movement.asset, movement.amount


def _moved(survey: UnifiedSurvey) -> Counter[Mark]:
    return Counter(
        (one.kind, one.asset, abs(one.change)) for one in survey.entries if one.kind in (ARRIVED, LEFT)
    )


def _movements(notebook: UnifiedNotebook, survey: UnifiedSurvey) -> list[str]:
    """Each acknowledged movement once, of the unsure ones each at most once, and no others."""
    complaints: list[str] = []
    left = _moved(survey)
    for asked in notebook.movements:
        mark = _mark(asked)
        if left[mark]:
            left[mark] -= 1
            if asked.known is Known.ABSENT:
                complaints.append(f"was refused, and happened: {asked.movement}")
        elif asked.known is Known.THERE:
            complaints.append(f"was acknowledged, and did not happen: {asked.movement}")
    complaints += [f"happened, and nobody asked for it: {mark}" for mark, count in left.items() if count]
    return complaints


def _wallet(survey: UnifiedSurvey) -> list[str]:
    """What is told of the wallet agrees with the ledger."""
    complaints: list[str] = []
    for asset in survey.coins.keys() | survey.held.keys():
        coin = survey.coins.get(asset)
        shown = ZERO if coin is None else coin.wallet
        if shown != survey.held.get(asset, ZERO):
            complaints.append(f"there is {shown} {asset}, the ledger has {survey.held.get(asset, ZERO)}")
        if coin is not None and coin.locked < 0:
            complaints.append(f"{coin.locked} {asset} is locked")
    return complaints


def _chosen(notebook: UnifiedNotebook, survey: UnifiedSurvey) -> list[str]:
    return [
        f"{name} was acknowledged as {value}, is {survey.chosen[name]}"
        for name, value in notebook.chosen.items()
        if survey.chosen.get(name, value) != value
    ]


# What was told


def _told(notebook: UnifiedNotebook, survey: UnifiedSurvey) -> list[str]:
    """An account by what was told of it is the account that is answered."""
    fold = notebook.told_of
    if fold.is_torn:
        return []
    complaints: list[str] = []
    for number, told in fold.orders.items():
        order = survey.orders.get(number)
        if order is None:
            if not told.is_ended or told.executed or not is_old(told, survey.now_ms):
                complaints.append(f"order {number} was told of, and is not there: {told}")
        elif told.record != order.record:
            complaints.append(f"order {number} differs from what was told: {_apart(told, order)}")
    silent = survey.orders.keys() - fold.orders.keys()
    if silent:
        complaints.append(f"orders were never told of: {[survey.orders[one] for one in sorted(silent)]}")
    for one in survey.positions:
        heard = fold.positions.get((one.instrument, one.leg))
        if heard is None:
            if one.quantity:
                complaints.append(f"the position {one} was never told of")
        elif heard.record != one.record:
            complaints.append(f"{one.instrument} {one.leg} differs from what was told: {_apart(heard, one)}")
    for asset, coin in survey.coins.items():
        told_coin = fold.coins.get(asset)
        if told_coin is None:
            if coin.wallet:
                complaints.append(f"{asset} was never told of: {coin}")
        elif told_coin.record != coin.record:
            complaints.append(f"{asset} differs from what was told: {_apart(told_coin, coin)}")
    return complaints


def _apart(told: Recorded, shown: Recorded) -> dict[str, tuple[object, object]]:
    """Where two records differ: what was told, and what is shown."""
    one, other = told.record or {}, shown.record or {}
    return {
        key: (one.get(key), other.get(key))
        for key in one.keys() | other.keys()
        if one.get(key) != other.get(key)
    }


def differences_of_unified(before: UnifiedSurvey, after: UnifiedSurvey) -> list[str]:
    """What a copy, or the same exchange after a restart, answers otherwise."""
    complaints: list[str] = []
    for name in before.__struct_fields__:
        then, now = getattr(before, name), getattr(after, name)
        if name in ("queried", "absent") or then == now:
            continue  # Others are asked for each time.
        if isinstance(then, dict):
            keys = [key for key in then.keys() | now.keys() if then.get(key) != now.get(key)]
            complaints += [f"{name} {key} is {now.get(key)}, was {then.get(key)}" for key in keys]
        else:
            complaints.append(f"{name} are {now}, were {then}")
    return [f"{before.account}: {complaint}" for complaint in complaints]
