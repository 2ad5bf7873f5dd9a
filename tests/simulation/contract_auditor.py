"""Judges whether what is answered about contracts is what their owners were told, and agrees with itself.

Pure, as the auditor of all else: it is given notebooks and surveys and returns complaints.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain

import msgspec

from emulator.core.orders import OrderStatus
from emulator.core.positions import Leg
from tests.simulation.auditor import unlike_asked
from tests.simulation.contract_notebook import ContractNotebook, Fold
from tests.simulation.contract_survey import ContractSurvey
from tests.simulation.contract_words import Contracted, ContractFill, ContractOrder, IncomeKinds, PositionView
from tests.simulation.notebook import Known, regressions
from tests.simulation.words import Movement

ZERO = Decimal(0)
CUT = Decimal("0.00000001")
"""The last place of what is shown of an amount that has more of them."""
AVERAGE_STEP = Decimal("0.01")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What an auditor is told of a floor."""

    instruments: Mapping[str, Contracted]
    wallet: str
    kinds: IncomeKinds


def audit_contracts(
    rules: Rules, notebook: ContractNotebook, survey: ContractSurvey, movements: Sequence[Movement]
) -> list[str]:
    """Everything that is wrong with one account on one floor. movements: all of the account's."""
    found = [
        *notebook.complaints,
        *survey.complaints,
        *_orders(notebook, survey),
        *unlike_asked(survey.queried, survey.orders),
        *_fills(rules, notebook, survey),
        *_positions(survey),
        *_incomes(rules, survey, movements),
        *_wallet(rules, survey),
        *_told(notebook, survey),
    ]
    return [f"{survey.account} in {rules.wallet}: {complaint}" for complaint in found]


def settle_contracts(notebook: ContractNotebook, survey: ContractSurvey) -> None:
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
    notebook.hedged = survey.hedged
    if notebook.fold.is_torn:
        notebook.fold = _begun_anew(notebook.fold, survey)


def _begun_anew(before: Fold, survey: ContractSurvey) -> Fold:
    fold = Fold()
    fold.heard, fold.begun = before.heard, before.begun + 1
    fold.orders = dict(survey.orders)
    fold.fills = {(one.trade, one.order): one for one in survey.fills}
    fold.balances = dict(survey.balances)
    fold.positions = {(one.instrument, one.leg): one for one in survey.positions if one.quantity}
    return fold


# Orders


def _orders(notebook: ContractNotebook, survey: ContractSurvey) -> list[str]:
    complaints: list[str] = []
    named: dict[str, list[ContractOrder]] = defaultdict(list)
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
    for name, asked in notebook.orders.items():
        if asked.known is Known.THERE and asked.id not in survey.orders:
            last = asked.furthest
            may_be_forgotten = not (last is not None and last.executed)
            if notebook.is_young(name, survey.now_ms) or not may_be_forgotten:
                complaints.append(f"order {asked.id} {name!r} was acknowledged, and is not there")
    still_open = {one.id: one for one in survey.orders.values() if not one.is_ended}
    complaints += [
        f"order {order_id} is {still_open.get(order_id)} in the history, and among the open ones"
        f" {survey.open_orders.get(order_id)}"
        for order_id in sorted(still_open.keys() | survey.open_orders.keys())
        if still_open.get(order_id) != survey.open_orders.get(order_id)
    ]
    return complaints


# Trades


def _fills(rules: Rules, notebook: ContractNotebook, survey: ContractSurvey) -> list[str]:
    complaints: list[str] = []
    known: dict[tuple[int, int], ContractFill] = {}
    of_order: dict[int, list[ContractFill]] = defaultdict(list)
    for fill in survey.fills:
        if (fill.trade, fill.order) in known:
            complaints.append(f"trade {fill.trade} of order {fill.order} is there twice")
        known[fill.trade, fill.order] = fill
        of_order[fill.order].append(fill)
        order = survey.orders.get(fill.order)
        if order is None:
            complaints.append(f"trade {fill.trade} is of order {fill.order}, which is not there")
        elif (order.instrument, order.leg) != (fill.instrument, fill.leg):
            complaints.append(f"trade {fill.trade} is not as order {fill.order}: {fill}, {order}")
    for order in survey.orders.values():
        if order.detached:
            continue
        fills = of_order[order.id]
        executed = sum((one.quantity for one in fills), ZERO)
        if order.executed != executed:
            complaints.append(f"order {order.id} says {order.executed}, its trades {executed}")
        if order.status is OrderStatus.FILLED and executed != order.quantity:
            complaints.append(f"order {order.id} is filled with {executed} of {order.quantity}")
        traded = rules.instruments[order.instrument]
        average = _average(traded, fills)
        # What is settled outside the book need not be at a price that the book knows, and is shown as one.
        slack = traded.price_step if order.by_exchange else AVERAGE_STEP
        if order.average is not None and abs(order.average - average) > slack:
            complaints.append(f"order {order.id} has the price {order.average}, its trades {average}")
    for key, told in chain(notebook.fills.items(), notebook.fold.fills.items()):
        if known.get(key) is None or not _is_same(told, known[key]):
            complaints.append(f"trade {key} was told as {told}, is {known.get(key)}")
    silent = known.keys() - notebook.fold.fills.keys()
    if silent and not notebook.fold.is_torn:
        complaints.append(f"trades were never told of: {sorted(silent)}")
    return complaints


def _average(traded: Contracted, fills: Sequence[ContractFill]) -> Decimal:
    quantity = sum((one.quantity for one in fills), ZERO)
    if not quantity:
        return ZERO
    if traded.is_inverse:
        return quantity / sum((one.quantity / one.price for one in fills), ZERO)
    return sum((one.quantity * one.price for one in fills), ZERO) / quantity


_TOLD = ("instrument", "price", "quantity", "fee", "is_buyer", "is_maker", "time_ms", "realised", "leg")


def _is_same(told: msgspec.Struct, fill: ContractFill) -> bool:
    """The asset of a fee of nothing need not be told."""
    is_alike = all(getattr(told, name) == getattr(fill, name) for name in _TOLD)
    return is_alike and (not fill.fee or getattr(told, "fee_asset", "") == fill.fee_asset)


# Positions and money


def _positions(survey: ContractSurvey) -> list[str]:
    """A position is what was bought, less what was sold."""
    traded: dict[tuple[str, Leg], Decimal] = defaultdict(lambda: ZERO)
    for fill in survey.fills:
        assert fill.leg is not None
        traded[fill.instrument, fill.leg] += fill.quantity if fill.is_buyer else -fill.quantity
    has = {(one.instrument, one.leg): one.quantity for one in survey.positions}
    complaints = [
        f"the position {key} is {has.get(key, ZERO)}, by its trades {traded.get(key, ZERO)}"
        for key in traded.keys() | has.keys()
        if has.get(key, ZERO) != traded.get(key, ZERO)
    ]
    for (instrument, leg), quantity in has.items():
        if (leg is Leg.BOTH) is survey.hedged:
            complaints.append(f"there is a position {leg} of {instrument} where hedged={survey.hedged}")
        if (leg is Leg.LONG and quantity < 0) or (leg is Leg.SHORT and quantity > 0):
            complaints.append(f"the position {leg} of {instrument} is {quantity}")
    return complaints


def _incomes(rules: Rules, survey: ContractSurvey, movements: Sequence[Movement]) -> list[str]:
    complaints: list[str] = []
    numbers = [one.number for one in survey.incomes]
    if numbers != sorted(set(numbers)):
        complaints.append(f"incomes are not in order, or some are there twice: {numbers}")
    profits, commissions, transfers = rules.kinds
    totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
    of_kind: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    moved: Counter[tuple[str, Decimal]] = Counter()
    for one in survey.incomes:
        totals[one.asset] += one.amount
        if one.kind in profits:
            of_kind["profit", one.asset] += one.amount
        elif one.kind in commissions:
            of_kind["commission", one.asset] += one.amount
        elif one.kind in transfers:
            moved[one.asset, one.amount] += 1
    of_trades: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for fill in survey.fills:
        of_trades["profit", rules.instruments[fill.instrument].settle] += fill.realised
        of_trades["commission", fill.fee_asset] -= fill.fee
    for key in of_kind.keys() | of_trades.keys():
        if of_kind.get(key, ZERO) != of_trades.get(key, ZERO):
            complaints.append(
                f"{key} comes to {of_kind.get(key, ZERO)}, by the trades to {of_trades.get(key, ZERO)}"
            )
    expected: Counter[tuple[str, Decimal]] = Counter()
    for movement in movements:
        for end, sign in ((movement.source, -1), (movement.target, 1)):
            if end == rules.wallet:
                expected[movement.asset, sign * movement.amount] += 1
    if moved != expected:
        complaints.append(f"transfers came as {moved - expected}, not as {expected - moved}")
    for asset in totals.keys() | survey.held.keys():
        free, held = survey.held.get(asset, (ZERO, ZERO))
        if free + held != totals.get(asset, ZERO):
            complaints.append(
                f"there is {free + held} {asset}, and incomes come to {totals.get(asset, ZERO)}"
            )
    return complaints


def _wallet(rules: Rules, survey: ContractSurvey) -> list[str]:
    """What is told of a wallet agrees with the ledger, with its positions, and with itself."""
    complaints: list[str] = []
    ledger = {asset: (free + held, free) for asset, (free, held) in survey.held.items()}
    if survey.balances != ledger:
        complaints.append(f"balances are {survey.balances}, the ledger has {ledger}")
    for asset, one in survey.assets.items():
        if (one.wallet, one.cross_wallet) != survey.balances.get(asset, (ZERO, ZERO)):
            complaints.append(f"{asset}: {one} is not the balance {survey.balances.get(asset)}")
        own = [pos for pos in survey.positions if rules.instruments[pos.instrument].settle == asset]
        margins = sum((pos.margin for pos in own), ZERO)
        if one.wallet - one.cross_wallet != margins:
            complaints.append(f"{asset}: positions have {margins} of their own: {one}")
        profit = sum((pos.unrealised or ZERO for pos in own), ZERO)
        slack = CUT * (len(own) + 1)
        checks = {
            "unrealised": (one.unrealised, profit),
            "margin balance": (one.margin_balance, one.wallet + one.unrealised),
            "initial": (one.initial, one.position_initial + one.order_initial),
        }
        isolated = [pos for pos in own if pos.is_isolated]
        if not isolated:
            left = max(ZERO, one.cross_wallet + one.cross_unrealised - one.initial)
            checks["available"] = (one.available, left)
            if one.maintenance > one.cross_wallet + one.cross_unrealised + slack:
                complaints.append(f"{asset}: what must be kept is not covered: {one}")
        complaints += [
            f"{asset}: {what} is {shown}, reckoned {reckoned}: {one}"
            for what, (shown, reckoned) in checks.items()
            if abs(shown - reckoned) > slack
        ]
        if (
            not ZERO
            <= one.withdrawable
            <= one.available
            <= max(ZERO, one.cross_wallet + one.cross_unrealised)
        ):
            complaints.append(f"{asset}: more is available than there is: {one}")
    return complaints


# What was told


def _told(notebook: ContractNotebook, survey: ContractSurvey) -> list[str]:
    """An account by what was told of it is the account that is answered."""
    fold = notebook.fold
    if fold.is_torn:
        return []
    complaints: list[str] = []
    for order_id, told in fold.orders.items():
        order = survey.orders.get(order_id)
        if order is None:
            is_gone = told.is_ended and not told.executed
            if not is_gone or notebook.is_young(told.name, survey.now_ms):
                complaints.append(f"order {order_id} was told of, and is not there: {told}")
            continue
        complaints += [
            f"order {order_id} has {name} {getattr(order, name)}, was last told with {getattr(told, name)}"
            for name in ("name", "instrument", "side", "status", "executed", "quantity", "leg", "price")
            if getattr(order, name) != getattr(told, name) and not (name == "price" and told.is_ended)
        ]
    silent = survey.orders.keys() - fold.orders.keys()
    if silent:
        complaints.append(f"orders were never told of: {[survey.orders[one] for one in sorted(silent)]}")
    balances = {asset: one for asset, one in fold.balances.items() if any(one)}
    for asset in balances.keys() | survey.balances.keys():
        if balances.get(asset) != survey.balances.get(asset):
            complaints.append(
                f"{asset} is {survey.balances.get(asset)}, was last told as {balances.get(asset)}"
            )
    has = {(one.instrument, one.leg): one for one in survey.positions}
    told_of = {key: one for key, one in fold.positions.items() if one.quantity or key in has}
    for key in told_of.keys() | {key for key, one in has.items() if one.quantity}:
        if _figures(told_of.get(key)) != _figures(has.get(key)):
            complaints.append(f"the position {key} is {has.get(key)}, was last told as {told_of.get(key)}")
    leverages = {one.instrument: one.leverage for one in survey.positions}
    complaints += [
        f"the leverage of {instrument} is {leverages[instrument]}, was last told as {leverage}"
        for instrument, leverage in fold.leverages.items()
        if leverages.get(instrument, leverage) != leverage
    ]
    return complaints


def _figures(one: PositionView | None) -> tuple[object, ...]:
    """What the mark does not move; nothing of one that is flat."""
    if one is None or not one.quantity:
        return ()
    return one.quantity, one.entry, one.is_isolated, one.margin


def differences_of_contracts(before: ContractSurvey, after: ContractSurvey) -> list[str]:
    """What a copy, or the same exchange after a restart, answers otherwise."""
    return [
        f"{before.account}: {name} are {getattr(after, name)}, were {getattr(before, name)}"
        for name in before.__struct_fields__
        if name != "queried" and getattr(before, name) != getattr(after, name)
    ]
