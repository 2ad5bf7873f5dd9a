"""What only some exchanges tell of: transactions, what orders closed, funding among fills, fills in full.

Made while an event is folded, from what the state made of it, and handed to `views`, which keeps it as it
keeps all history. Engines whose rules do not ask for it have none of this (`keeps_transactions`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from emulator.core import events as e
from emulator.core.contracts import amount_of
from emulator.core.history import (
    KIND_OF_CAUSE,
    ClosedRecord,
    Fill,
    FillKind,
    Transaction,
    TransactionKind,
)
from emulator.core.ids import AccountId
from emulator.core.instruments import Instrument
from emulator.core.ledger import FEES, INTEREST
from emulator.core.lifetimes import Closing
from emulator.core.numbers import ZERO
from emulator.core.orders import Order
from emulator.core.positions import Leg
from emulator.core.state import State

_KIND = {
    FillKind.TRADE: TransactionKind.TRADE,
    FillKind.LIQUIDATION: TransactionKind.LIQUIDATION,
    FillKind.DELEVERAGING: TransactionKind.DELEVERAGING,
    FillKind.DELIVERY: TransactionKind.DELIVERY,
}
_MORE_LESS: dict[type[e.Event], tuple[TransactionKind, TransactionKind]] = {
    e.AmountDeposited: (TransactionKind.DEPOSIT,) * 2,
    e.AmountWithdrawn: (TransactionKind.WITHDRAWAL,) * 2,
    e.AmountTransferred: (TransactionKind.TRANSFER_IN, TransactionKind.TRANSFER_OUT),
    e.MatchPrevented: (TransactionKind.TRANSFER_IN, TransactionKind.TRANSFER_OUT),
    e.AssetExchanged: (TransactionKind.BOUGHT, TransactionKind.SOLD),
    e.LiquidationCharged: (TransactionKind.LIQUIDATION,) * 2,
    e.InsurancePaid: (TransactionKind.INSURANCE,) * 2,
    e.BalanceCorrected: (TransactionKind.CORRECTION,) * 2,
    e.FundsBorrowed: (TransactionKind.BORROWED,) * 2,
    e.LoanRepaid: (TransactionKind.REPAID,) * 2,
    e.InterestCharged: (TransactionKind.INTEREST,) * 2,
}
"""What an event that fills nothing is called where it adds to a wallet, and where it takes from one."""
_CHARGED = frozenset({e.LiquidationCharged})
"""Events of which what is taken is a fee, whoever gets it."""

_FILLING = (e.TradeExecuted, e.PositionTakenOver, e.AutoDeleveraged)


class Accounting:
    """Of one engine. Told of everything in its order: postings and fills of an event, then its end."""

    __slots__ = ("_lines", "_posted", "_state")

    def __init__(self, state: State) -> None:
        self._state = state
        self._lines: list[Transaction] = []
        """Of the fills of this event, without their numbers and balances."""
        self._posted: dict[tuple[AccountId, str, str, bool], tuple[Decimal, Decimal]] = {}
        """What this event added beside fees, and which fees it took, by account, wallet and asset; what went
        to who gets interest apart."""

    def post(self, account: AccountId, wallet: str, asset: str, amount: Decimal, counterparty: str) -> None:
        """A wallet of contracts has so much more than before."""
        place = (account, wallet, asset, counterparty == INTEREST)
        cash, fee = self._posted.get(place, (ZERO, ZERO))
        if counterparty == FEES:
            fee -= amount
        else:
            cash += amount
        self._posted[place] = (cash, fee)

    # Fills

    def fill(self, fill: Fill, order: Order, now_us: int) -> tuple[Fill, Closing | None]:
        """The same with all that an execution tells, and what it closed of a position."""
        state, market = self._state, self._state.markets[fill.instrument]
        instrument, marks = market.instrument, market.marks
        closing = state.closings.pop(order.id, None)
        kind, rate = KIND_OF_CAUSE[order.terms.cause], ZERO
        if kind is FillKind.DELIVERY:
            rate = state.contract_of(fill.instrument).delivery_fee
        elif fill.fee:
            rate = instrument.maker_fee if fill.is_maker else instrument.taker_fee
        full = msgspec.structs.replace(
            fill,
            kind=kind,
            remaining=order.remaining,
            closed=ZERO if closing is None else closing.quantity,
            rate=rate,
            mark=None if marks is None else marks.mark_price(now_us),
            index=None if marks is None else marks.index_price(now_us),
        )
        if order.wallet in state.margin_wallets:
            self._lines += self._lines_of(full, order, instrument, closing)
        return full, None if closing is None or not closing.quantity else closing

    def _lines_of(
        self, fill: Fill, order: Order, instrument: Instrument, closing: Closing | None
    ) -> list[Transaction]:
        """One for each asset of which a fill made more or less."""
        moved: dict[str, tuple[Decimal, Decimal]]
        if closing is not None:
            moved = {order.hold_asset: (fill.realised, fill.quantity)}
        else:
            base, quote = fill.quantity, -fill.amount
            if not fill.is_buyer:
                base, quote = -base, -quote
            moved = {instrument.base: (base, base), instrument.quote: (quote, quote)}
        if fill.fee:
            moved.setdefault(fill.fee_asset, (ZERO, ZERO))
        return [
            Transaction(
                number=0,
                account=order.account,
                wallet=order.wallet,
                kind=_KIND[fill.kind],
                asset=asset,
                cash=cash,
                fee=fill.fee if asset == fill.fee_asset else ZERO,
                funding=ZERO,
                balance=ZERO,
                time_us=fill.time_us,
                instrument=fill.instrument,
                leg=fill.leg,
                is_buyer=fill.is_buyer,
                quantity=quantity,
                position=ZERO if closing is None else closing.position,
                price=fill.price,
                rate=fill.rate if asset == fill.fee_asset else ZERO,
                trade=fill.trade,
                order=order.id,
                reference=order.client_id,
            )
            for asset, (cash, quantity) in moved.items()
        ]

    def closed(self, before: ClosedRecord | None, fill: Fill, order: Order, closing: Closing) -> ClosedRecord:
        """What an order closed by now, after what it closed before this fill, if it did."""
        assert order.quantity is not None
        if before is None:
            before = ClosedRecord(
                trade=fill.trade,
                order=order.id,
                account=order.account,
                instrument=fill.instrument,
                leg=fill.leg,
                kind=fill.kind,
                is_buyer=fill.is_buyer,
                type=order.terms.type,
                quantity=order.quantity,
                price=_price_of(order),
                client_id=order.terms.client_id,
                asset=order.hold_asset,
                leverage=closing.leverage,
                closed=ZERO,
                entry=ZERO,
                exit=ZERO,
                realised=ZERO,
                opening_fee=ZERO,
                closing_fee=ZERO,
                funding=ZERO,
                fills=0,
                created_us=fill.time_us,
                updated_us=fill.time_us,
            )
        return msgspec.structs.replace(
            before,
            kind=fill.kind,
            quantity=order.quantity,
            price=_price_of(order),
            leverage=closing.leverage,
            closed=before.closed + closing.quantity,
            entry=before.entry + closing.entry,
            exit=before.exit + closing.exit,
            realised=before.realised + closing.realised,
            opening_fee=before.opening_fee + closing.opening_fee,
            closing_fee=before.closing_fee + closing.closing_fee,
            funding=before.funding + closing.funding,
            fills=before.fills + 1,
            updated_us=fill.time_us,
        )

    # Funding

    def fund(self, event: e.FundingPaid, account: AccountId, leg: Leg, now_us: int) -> Fill:
        """What a position paid or got just now."""
        state, symbol = self._state, event.instrument
        market, contract = state.markets[symbol], state.contract_of(symbol)
        position = state.positions[account, symbol, leg]
        received, _ = self._posted.pop((account, contract.wallet, contract.settle, False))
        held, is_long = abs(position.quantity), position.quantity > ZERO
        self._lines.append(
            Transaction(
                number=0,
                account=account,
                wallet=contract.wallet,
                kind=TransactionKind.FUNDING,
                asset=contract.settle,
                cash=ZERO,
                fee=ZERO,
                funding=received,
                balance=ZERO,
                time_us=now_us,
                instrument=symbol,
                leg=leg,
                is_buyer=is_long,
                quantity=held,
                position=position.quantity,
                price=event.mark,
                rate=event.rate,
            )
        )
        assert market.marks is not None
        return Fill(
            trade=market.trade_count(now_us),
            order=0,
            account=account,
            order_list=0,
            instrument=symbol,
            price=event.mark,
            quantity=held,
            amount=amount_of(contract, held, event.mark),
            fee=-received,
            fee_asset=contract.settle,
            time_us=now_us,
            is_buyer=is_long,
            is_maker=False,
            leg=leg,
            kind=FillKind.FUNDING,
            rate=event.rate,
            mark=event.mark,
            index=market.marks.index_price(now_us),
        )

    # The end of an event

    def conclude(self, event: Any, count: int, now_us: int) -> list[Transaction]:
        """The transactions of an event, numbered from `count` + 1."""
        lines, posted = self._lines, self._posted
        if isinstance(event, e.InterestCharged):
            # It is told as well where nothing is paid and all of it is owed with what was borrowed.
            posted.setdefault((event.account, event.wallet, event.asset, True), (ZERO, ZERO))
        if not lines and not posted:
            return []
        if isinstance(event, _FILLING):
            posted.clear()  # The fills have told it.
        for (account, wallet, asset, is_interest), (cash, fee) in posted.items():
            more, less = _MORE_LESS[type(event)]
            kind = more if cash > ZERO else less
            if is_interest:
                kind = TransactionKind.INTEREST
            if type(event) in _CHARGED:
                cash, fee = ZERO, fee - cash
            lines.append(
                Transaction(
                    number=0,
                    account=account,
                    wallet=wallet,
                    kind=kind,
                    asset=asset,
                    cash=cash,
                    fee=fee,
                    funding=ZERO,
                    balance=ZERO,
                    time_us=now_us,
                    instrument=getattr(event, "instrument", ""),
                    quantity=event.bearing if isinstance(event, e.InterestCharged) else ZERO,
                    rate=event.rate if isinstance(event, e.InterestCharged) else ZERO,
                    order=getattr(event, "order", 0),
                    reference=getattr(event, "reference", ""),
                )
            )
        posted.clear()
        self._lines = []
        return self._numbered(lines, count)

    def _numbered(self, lines: list[Transaction], count: int) -> list[Transaction]:
        """The ledger knows what there is after the last of an asset; before each there was that much less."""
        after: dict[tuple[AccountId, str, str], Decimal] = {}
        for at in reversed(range(len(lines))):
            line = lines[at]
            place = (line.account, line.wallet, line.asset)
            balance = after.get(place)
            if balance is None:
                balance = self._state.ledger.total(*place)
            after[place] = balance - line.change
            lines[at] = msgspec.structs.replace(line, number=count + 1 + at, balance=balance)
        return lines


def _price_of(order: Order) -> Decimal | None:
    """Its limit, or the worst price that it could trade at."""
    return order.bound if order.price is None else order.price
