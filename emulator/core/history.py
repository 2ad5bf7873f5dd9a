"""What is over and does not change any more: the records that queries page through.

A record is made by one event and tells of it for ever; orders and lists become records when they end.
Recent records are in memory (`views`), all of them in an archive. Both are asked with the same `Query`,
by the same keys, so that an answer does not tell from where it came.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import msgspec

from emulator.core import events as e
from emulator.core.ids import AccountId, ListId, OrderId
from emulator.core.instruments import OrderType
from emulator.core.numbers import ZERO
from emulator.core.order_lists import OrderList
from emulator.core.orders import Cause, Order
from emulator.core.positions import Leg, MarginMode, Position


class FillKind(str, Enum):
    """What filled an order, by who wanted it."""

    TRADE = "trade"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"
    """Of somebody whose position was the opposite of one that could not be kept."""
    DELIVERY = "delivery"
    FUNDING = "funding"
    """Nothing: what a position paid or got at its funding is told among the fills."""


KIND_OF_CAUSE: dict[Cause, FillKind] = {
    Cause.OWNER: FillKind.TRADE,
    Cause.LIQUIDATION: FillKind.LIQUIDATION,
    Cause.REDUCTION: FillKind.TRADE,
    Cause.DELEVERAGING: FillKind.DELEVERAGING,
    Cause.DELIVERY: FillKind.DELIVERY,
}


class Fill(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One account's side of one trade. `amount` in quote asset; of a contract, in what it settles in.

    realised: profit of what the trade closed of a position, before fees. leg: which position it was.

    Only where the rules of the engine ask for it (`EngineRules.keeps_transactions`): kind. remaining: what
    the order had left after it. closed: how much of it closed a position. rate: what the fee is of the
    amount; of FUNDING the funding rate. mark, index: of a contract, as of that moment.

    Of FUNDING: trade: the number of the trade before it; order: 0; price: the mark price; quantity, amount:
    what was held, and was worth; is_buyer: whether it was long; fee: what was paid, below zero what was got.
    """

    trade: int
    order: OrderId
    account: AccountId
    order_list: ListId
    instrument: str
    price: Decimal
    quantity: Decimal
    amount: Decimal
    fee: Decimal
    fee_asset: str
    time_us: int
    is_buyer: bool
    is_maker: bool
    realised: Decimal = ZERO
    leg: Leg = Leg.BOTH
    kind: FillKind = FillKind.TRADE
    remaining: Decimal = ZERO
    closed: Decimal = ZERO
    rate: Decimal = ZERO
    mark: Decimal | None = None
    index: Decimal | None = None


class Amendment(msgspec.Struct, frozen=True, gc=False):
    """count: how many there were of the order with it. reference: the client's own name for it.
    Quantities are 0 of what closes all of a position."""

    order: OrderId
    account: AccountId
    instrument: str
    execution: int
    client_id_before: str
    client_id_after: str
    quantity_before: Decimal
    quantity_after: Decimal
    time_us: int
    price_before: Decimal | None = None
    price_after: Decimal | None = None
    count: int = 0
    reference: str = ""


class Movement(msgspec.Struct, frozen=True, gc=False):
    event: e.AmountDeposited | e.AmountWithdrawn | e.AmountTransferred
    time_us: int


class PreventedMatch(msgspec.Struct, frozen=True, gc=False):
    """Two orders of one owner that met, as the owner of `order`, one of the two, is told of it."""

    event: e.MatchPrevented
    order: OrderId
    account: AccountId
    trade_group: int
    time_us: int


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


class ListRecord(msgspec.Struct, frozen=True):
    """An order list with the client ids of its legs, in their order."""

    order_list: OrderList
    client_ids: tuple[str, ...]


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


_NUMBER_OF_KIND = {kind: number for number, kind in enumerate(IncomeKind, 1)}
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


_NUMBER_OF_TRANSACTION = {kind: number for number, kind in enumerate(TransactionKind, 1)}
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


class ClosedRecord(msgspec.Struct, frozen=True, gc=False):
    """What one order closed of a position, all its fills together; the newest replaces those before.

    trade: the first that closed something. closed: contracts. entry, exit: what they were worth when they
    were entered, and when they were closed, in the settle asset. realised: profit before fees. opening_fee,
    funding: their shares of what was paid for the position, and received. closing_fee: of what closed.
    fills: how many closed. kind: of the newest. quantity, price, type, is_buyer, client_id: of the order;
    price: of one at market the worst that it could trade at, None for any.
    """

    trade: int
    order: OrderId
    account: AccountId
    instrument: str
    leg: Leg
    kind: FillKind
    is_buyer: bool
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    client_id: str
    asset: str
    leverage: Decimal
    closed: Decimal
    entry: Decimal
    exit: Decimal
    realised: Decimal
    opening_fee: Decimal
    closing_fee: Decimal
    funding: Decimal
    fills: int
    created_us: int
    updated_us: int

    @property
    def profit(self) -> Decimal:
        """After fees and funding."""
        return self.realised - self.opening_fee - self.closing_fee + self.funding


ADDED, TAKEN = 1, 2
"""Margin, as a part of the keys of its changes."""


class MarginChange(msgspec.Struct, frozen=True, gc=False):
    """The owner of an isolated position added to its margin, or took from it (amount below zero).

    number: of the posting that it was.
    """

    number: int
    account: AccountId
    instrument: str
    leg: Leg
    asset: str
    amount: Decimal
    time_us: int


class PositionRecord(msgspec.Struct, frozen=True, gc=False):
    """A position or one leg as of `time_us`, flat when it was closed. Replaces those before."""

    account: AccountId
    instrument: str
    position: Position
    time_us: int


class ContractSettings(msgspec.Struct, frozen=True, gc=False):
    """What an account chose about its positions in one contract. The newest one replaces those before.

    long, short: the leverage of one leg, where it was chosen by itself.
    """

    account: AccountId
    instrument: str
    leverage: Decimal
    mode: MarginMode
    time_us: int
    long: Decimal | None = None
    short: Decimal | None = None


class WalletSettings(msgspec.Struct, frozen=True, gc=False):
    """What an account chose about all contracts of a wallet. The newest one replaces those before.

    hedged: whether positions have two legs. shared: whether all assets stand together.
    """

    account: AccountId
    wallet: str
    hedged: bool
    shared: bool
    time_us: int


Settings = ContractSettings | WalletSettings
AnyRecord = (
    Order
    | Fill
    | Amendment
    | Movement
    | PreventedMatch
    | LedgerEntry
    | ListRecord
    | BalanceRecord
    | Income
    | Transaction
    | ClosedRecord
    | MarginChange
    | PositionRecord
    | ContractSettings
    | WalletSettings
)

R = TypeVar("R", bound=AnyRecord)


class MovementKind(str, Enum):
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"


KIND_OF_MOVEMENT: dict[type, MovementKind] = {
    e.AmountDeposited: MovementKind.DEPOSIT,
    e.AmountWithdrawn: MovementKind.WITHDRAWAL,
    e.AmountTransferred: MovementKind.TRANSFER,
}


class Key(NamedTuple):
    """Where a record stands among those of its type in one engine.

    scope: within the account, the instrument; of movements the kind; of balances wallet and asset; of
    positions instrument and leg; of incomes, transactions and settings of a wallet the wallet; nothing for
    lists and ledger entries. id ascends with time. part: the order, where several records may share an id; of
    incomes and transactions a number for their kind, of changes of margin ADDED or TAKEN. label: a client's
    own name for it; of incomes the instrument, of transactions the asset.
    """

    account: AccountId
    scope: str
    id: int
    part: int
    time_us: int
    label: str


def key_of(record: AnyRecord) -> Key:
    """The key of a record: `account`, `scope`, `id` and `part` together are unique for its type."""
    return _KEYS[type(record)](record)


def _order(record: Order) -> Key:
    return Key(record.account, record.instrument, record.id, 0, record.created_us, record.client_id)


def _fill(record: Fill) -> Key:
    part = record.order or _part_of_funding(record)
    return Key(record.account, record.instrument, record.trade, part, record.time_us, "")


_LEG_NUMBERS = {leg: number for number, leg in enumerate(Leg)}


def _part_of_funding(record: Fill) -> int:
    """Above all orders, since it was after the trade whose number it has; ascending with time."""
    return (1 << 61) + record.time_us * len(_LEG_NUMBERS) + _LEG_NUMBERS[record.leg]


def _transaction(record: Transaction) -> Key:
    part = _NUMBER_OF_TRANSACTION[record.kind]
    return Key(record.account, record.wallet, record.number, part, record.time_us, record.asset)


def _closed(record: ClosedRecord) -> Key:
    name = record.client_id
    return Key(record.account, record.instrument, record.trade, record.order, record.created_us, name)


def _ledger_entry(record: LedgerEntry) -> Key:
    return Key(record.account, "", record.number, 0, record.time_us, "")


def _balance(record: BalanceRecord) -> Key:
    return Key(record.account, f"{record.wallet}/{record.asset}", 0, 0, record.time_us, "")


def _amendment(record: Amendment) -> Key:
    before = record.client_id_before
    return Key(record.account, record.instrument, record.execution, record.order, record.time_us, before)


def _movement(record: Movement) -> Key:
    event = record.event
    kind = KIND_OF_MOVEMENT[type(event)].value
    return Key(event.account, kind, event.movement, 0, record.time_us, event.reference)


def _prevented_match(record: PreventedMatch) -> Key:
    event = record.event
    return Key(record.account, event.instrument, event.match, record.order, record.time_us, "")


def _order_list(record: ListRecord) -> Key:
    listed = record.order_list
    return Key(listed.account, "", listed.id, 0, listed.created_us, listed.client_id)


def _income(record: Income) -> Key:
    part = _NUMBER_OF_KIND[record.kind]
    return Key(record.account, record.wallet, record.number, part, record.time_us, record.instrument)


def _margin_change(record: MarginChange) -> Key:
    part = ADDED if record.amount > ZERO else TAKEN
    return Key(record.account, record.instrument, record.number, part, record.time_us, "")


def _position(record: PositionRecord) -> Key:
    leg = record.position.leg.value
    return Key(record.account, f"{record.instrument}/{leg}", 0, 0, record.time_us, "")


def _contract_settings(record: ContractSettings) -> Key:
    return Key(record.account, record.instrument, 0, 0, record.time_us, "")


def _wallet_settings(record: WalletSettings) -> Key:
    return Key(record.account, record.wallet, 0, 0, record.time_us, "")


_KEYS: dict[type[Any], Callable[[Any], Key]] = {
    Order: _order,
    Fill: _fill,
    LedgerEntry: _ledger_entry,
    BalanceRecord: _balance,
    Amendment: _amendment,
    Movement: _movement,
    PreventedMatch: _prevented_match,
    ListRecord: _order_list,
    Income: _income,
    Transaction: _transaction,
    ClosedRecord: _closed,
    MarginChange: _margin_change,
    PositionRecord: _position,
    ContractSettings: _contract_settings,
    WalletSettings: _wallet_settings,
}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which records of one account are asked for; None does not restrict.

    first_id, last_id, start_us, end_us are inclusive. newest: the last `limit` instead of the first.
    Whichever it is, what is answered ascends by id.
    """

    account: AccountId
    scope: str = ""
    first_id: int | None = None
    last_id: int | None = None
    start_us: int | None = None
    end_us: int | None = None
    part: int | None = None
    label: str | None = None
    limit: int = 1000
    newest: bool = False

    def admits(self, key: Key) -> bool:
        """Whether a record of the account and scope is among what is asked for, leaving the limit aside."""
        return (
            (self.first_id is None or key.id >= self.first_id)
            and (self.last_id is None or key.id <= self.last_id)
            and (self.start_us is None or key.time_us >= self.start_us)
            and (self.end_us is None or key.time_us <= self.end_us)
            and (self.part is None or key.part == self.part)
            and (self.label is None or key.label == self.label)
        )


def incomes_of(
    account: AccountId,
    wallet: str,
    *,
    kind: IncomeKind | None = None,
    instrument: str | None = None,
    start_us: int | None = None,
    end_us: int | None = None,
    limit: int = 1000,
    newest: bool = False,
) -> Query:
    """The query for `Income` records of a wallet, of one kind or all, about one instrument or any."""
    return Query(
        account=account,
        scope=wallet,
        part=None if kind is None else _NUMBER_OF_KIND[kind],
        label=instrument,
        start_us=start_us,
        end_us=end_us,
        limit=limit,
        newest=newest,
    )


def transactions_of(
    account: AccountId,
    wallet: str,
    *,
    kind: TransactionKind | None = None,
    asset: str | None = None,
    start_us: int | None = None,
    end_us: int | None = None,
    last_number: int | None = None,
    limit: int = 1000,
    newest: bool = False,
) -> Query:
    """The query for `Transaction` records of a wallet, of one kind or all, of one asset or any."""
    return Query(
        account=account,
        scope=wallet,
        part=None if kind is None else _NUMBER_OF_TRANSACTION[kind],
        label=asset,
        start_us=start_us,
        end_us=end_us,
        last_id=last_number,
        limit=limit,
        newest=newest,
    )
