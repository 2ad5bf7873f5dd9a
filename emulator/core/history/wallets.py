"""Records of wallets: what came and went, each posting, and why a wallet of contracts has more or less."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import msgspec

from emulator.core import events as e
from emulator.core.ids import AccountId, OrderId
from emulator.core.numbers import ZERO
from emulator.core.positions import Leg


class Movement(msgspec.Struct, frozen=True, gc=False):
    event: e.AmountDeposited | e.AmountWithdrawn | e.AmountTransferred
    time_us: int


class MovementKind(str, Enum):
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"


KIND_OF_MOVEMENT: dict[type, MovementKind] = {
    e.AmountDeposited: MovementKind.DEPOSIT,
    e.AmountWithdrawn: MovementKind.WITHDRAWAL,
    e.AmountTransferred: MovementKind.TRANSFER,
}


class LedgerEntry(msgspec.Struct, frozen=True, gc=False):
    """One movement as the owner of a wallet sees it, with the event that caused it.

    number: counts the entries of an engine from 1. free, held: what was added to either.
    counterparty: on whose behalf.
    """

    number: int
    account: AccountId
    wallet: str
    asset: str
    free: Decimal
    held: Decimal
    counterparty: str
    reason: str
    time_us: int


class BalanceRecord(msgspec.Struct, frozen=True, gc=False):
    """What is in a wallet of one asset, as of `time_us`. The newest one replaces those before."""

    account: AccountId
    wallet: str
    asset: str
    free: Decimal
    held: Decimal
    time_us: int


class IncomeKind(str, Enum):
    """Why a wallet of contracts has more or less than before."""

    REALISED = "realised"
    """Profit of what a trade closed, before fees."""
    COMMISSION = "commission"
    """Below zero when it was paid; a rebate is above."""
    FUNDING = "funding"
    TRANSFER = "transfer"
    """Between two wallets of the account."""
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    LIQUIDATION_FEE = "liquidation_fee"
    """What a liquidation cost, to the insurance fund."""
    INSURANCE = "insurance"
    """What the insurance fund paid for what was lost beyond what there was."""
    SETTLEMENT = "settlement"
    """Profit of a position that was closed because its contract was delivered."""
    CORRECTION = "correction"
    """Booked by a repair."""
    EXCHANGE = "exchange"
    """One asset was exchanged for what was owed of another."""
    CONVERSION = "conversion"
    """One asset was exchanged for another because the account wanted it: below zero what was sold."""
    TRADE = "trade"
    """Paid or received for a pair that was traded in the same wallet, before fees."""
    LOAN = "loan"
    """Borrowed, or below zero given back."""
    INTEREST = "interest"
    """Paid for what is owed."""


NUMBER_OF_INCOME = {kind: number for number, kind in enumerate(IncomeKind, 1)}
"""Kept in archives; a new kind comes last."""


class Income(msgspec.Struct, frozen=True, gc=False):
    """One reason why a wallet of contracts has more or less than before: the sum of all is what is in it.

    number: ascends through all of an engine, the transaction's own. amount: added; below zero, taken.
    instrument: empty and trade: 0 where it was about none.
    """

    number: int
    account: AccountId
    wallet: str
    kind: IncomeKind
    asset: str
    amount: Decimal
    instrument: str
    trade: int
    time_us: int


class TransactionKind(str, Enum):
    """Why a wallet of contracts has more or less than before, as its owner is told of it."""

    TRADE = "trade"
    """That cost and brought an asset, or opened and closed positions; its fee with it."""
    LIQUIDATION = "liquidation"
    """A trade of a liquidation, and what the insurance fund charged for it, as a fee."""
    DELEVERAGING = "deleveraging"
    DELIVERY = "delivery"
    FUNDING = "funding"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    INSURANCE = "insurance"
    """What the insurance fund paid for what was lost beyond what there was."""
    BOUGHT = "bought"
    """For another asset without an order: converted, or to pay what was owed."""
    SOLD = "sold"
    CORRECTION = "correction"
    """Booked by a repair."""
    INTEREST = "interest"
    """For what is below zero, hour by hour; for what was borrowed, when it is given back."""
    BORROWED = "borrowed"
    REPAID = "repaid"


NUMBER_OF_TRANSACTION = {kind: number for number, kind in enumerate(TransactionKind, 1)}
"""Kept in archives; a new kind comes last."""


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """One change of one asset of a wallet of contracts, and how much of it there is after that.

    number: ascends through all of an engine. What was added is `change`: cash, what came beside fees and
    funding, and these: fee, paid, below zero a rebate; funding, received.

    balance: free and held, after it. quantity: of a trade, contracts, or of a pair what came of this asset,
    below zero what went; of funding, what was held; of interest by the hour, what bears it. position:
    contracts after it, below zero when short. is_buyer: of a trade; of funding, whether long; None: of
    neither. price: at which; of funding, the mark price. rate: of the fee, of funding, or of interest.
    reference: the client's own name for the order or the movement.
    """

    number: int
    account: AccountId
    wallet: str
    kind: TransactionKind
    asset: str
    cash: Decimal
    fee: Decimal
    funding: Decimal
    balance: Decimal
    time_us: int
    instrument: str = ""
    leg: Leg = Leg.BOTH
    is_buyer: bool | None = None
    quantity: Decimal = ZERO
    position: Decimal = ZERO
    price: Decimal | None = None
    rate: Decimal = ZERO
    trade: int = 0
    order: OrderId = 0
    reference: str = ""

    @property
    def change(self) -> Decimal:
        return self.cash + self.funding - self.fee
