"""The folded state of one engine. `apply` is the only way it changes; everything else reads.

Invariants, which the tests check after every event: the ledger sums to zero for every asset; what a
wallet holds is the sum of what its open orders and order lists hold and of isolated margins; an order
is in exactly one of the books, trigger queues or neither, as its status says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MethodType
from typing import Any

from emulator.core import events as e
from emulator.core.collateral import CollateralAsset, Loan
from emulator.core.contracts import Contract
from emulator.core.ids import NO_LIST, AccountId, ListId, OrderId
from emulator.core.instruments import Instrument
from emulator.core.ledger import Ledger
from emulator.core.lifetimes import Closing, Lifetime
from emulator.core.markets import Feed
from emulator.core.numbers import ZERO
from emulator.core.order_lists import OrderList
from emulator.core.orders import ENDED, OF_POSITIONS, Order, OrderStatus, StopRole
from emulator.core.positions import AccountMargin, Leg, MarginMode, Position
from emulator.core.state.choices import mode_under
from emulator.core.state.digest import fingerprint
from emulator.core.state.folds import FOLDS
from emulator.core.state.holds import dormant_requirement, requirement
from emulator.core.state.markets import market_of
from emulator.core.state.records import Account, ChargedPlace, Choice, Counts, PositionKey, Stops

_NEW, _DORMANT = OrderStatus.NEW, OrderStatus.DORMANT
_HOLDS_NOTHING = ENDED | {OrderStatus.WAITING}


class State:
    """What all events so far have made of an engine."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        feed: Feed,
        wallets: tuple[str, ...],
        discount_asset: str | None = None,
        collateral: Mapping[str, tuple[CollateralAsset, ...]] | None = None,
        pair_wallets: tuple[str, ...] | None = None,
        account_margin: Mapping[str, AccountMargin] | None = None,
        *,
        keeps_lifetimes: bool = False,
    ) -> None:
        markets = {symbol: market_of(instrument, feed) for symbol, instrument in instruments.items()}
        self.keeps_lifetimes = keeps_lifetimes
        """Whether `lifetimes` and `closings` are kept."""
        self.wallets = wallets
        self.margin_wallets = frozenset(
            market.instrument.contract.wallet
            for market in markets.values()
            if market.instrument.contract is not None
        )
        """Where contracts are traded, so that what is free there may be below zero."""
        assert self.margin_wallets <= set(wallets), "a contract is traded in a wallet that there is not"
        if pair_wallets is None:
            pair_wallets = tuple(wallet for wallet in wallets if wallet not in self.margin_wallets)
        assert set(pair_wallets) <= set(wallets), "a pair is traded in a wallet that there is not"
        self.pair_wallets = pair_wallets
        """Where pairs are traded."""
        self.collateral = collateral or {}
        """By wallet, what may stand together there."""
        self.lending = frozenset(
            wallet for wallet, assets in self.collateral.items() if any(one.is_lent for one in assets)
        )
        """The wallets where owing something has consequences of its own."""
        for market in markets.values():
            contract = market.instrument.contract
            assets = None if contract is None else self.collateral.get(contract.wallet)
            assert assets is None or contract is None or contract.settle in {one.asset for one in assets}, (
                f"{market.instrument.symbol} settles in what does not count as collateral"
            )
        self.account_margin_default = account_margin or {}
        """By wallet, how all contracts are covered there until an account chooses."""
        for wallet, mode in self.account_margin_default.items():
            assert wallet in self.margin_wallets, f"no contract is traded in {wallet}"
            assert wallet in self.collateral or mode is AccountMargin.ISOLATED, f"nothing counts in {wallet}"
        self.discount_asset = discount_asset

        self.ledger = Ledger()
        self.ledger.owing = self.margin_wallets
        self.accounts: dict[AccountId, Account] = {}
        self.markets = markets
        self.locked: dict[tuple[AccountId, str, str], Decimal] = {}
        """What systems outside hold, by account, wallet and asset; it is held in the ledger as well."""
        self.loans: dict[tuple[AccountId, str, str], Loan] = {}
        """What accounts borrowed by themselves, by account, wallet and asset."""

        self.orders: dict[OrderId, Order] = {}
        self.lists: dict[ListId, OrderList] = {}
        self.client_ids: dict[tuple[AccountId, str, str], OrderId] = {}
        self.list_client_ids: dict[tuple[AccountId, str, str], ListId] = {}
        self.counts: dict[tuple[AccountId, str], Counts] = {}
        self.next_order = 1
        self.next_list = 1
        self.next_movement = 1
        self.next_execution = 1
        """Counts what is reported of orders: one for each order that an event is about, the taker first."""
        self.booked: dict[OrderId, Decimal] = {}
        """What each order counts with in `Account.beside`, if it does."""

        self.positions: dict[PositionKey, Position] = {}
        """Those that are not flat."""
        self.holders: dict[str, dict[tuple[AccountId, Leg], Position]] = {}
        """The same by instrument."""
        self.lifetimes: dict[PositionKey, Lifetime] = {}
        self.position_listener: Callable[[AccountId, str, Leg], None] | None = None
        """Is told of every position that changed, or was closed, right after that."""

        self.choices: dict[tuple[AccountId, str], Choice] = {}
        """Only those that were made; see `choice`."""
        self.account_margins: dict[tuple[AccountId, str], AccountMargin] = {}
        """What was chosen about how all contracts of a wallet are covered."""
        self.hedged: dict[tuple[AccountId, str], None] = {}
        """Accounts and wallets where positions have two legs."""
        self.hedged_contracts: dict[tuple[AccountId, str], None] = {}
        """Accounts and contracts where positions have two legs, where each contract has a mode of its own."""
        self.shared: dict[tuple[AccountId, str], None] = {}
        """Accounts and wallets where all assets stand together."""
        self.unused: dict[tuple[AccountId, str, str], None] = {}
        """By account and wallet, the assets that do not count although they could."""
        self.replenished: dict[PositionKey, None] = {}
        """Positions, there or not, to which margin is moved before they are liquidated."""
        self.spot_margins: dict[tuple[AccountId, str], Decimal] = {}
        """The leverage of what pairs' orders borrow, where they may."""

        self.realised: dict[OrderId, Decimal] = {}
        """What the trade that was folded last realised, by order; who tells of the trade takes it away."""
        self.closings: dict[OrderId, Closing] = {}
        """What the trade that was folded last closed, by order; likewise."""
        self.touched: set[str] = set()
        """Instruments where the market may make something due earlier than before; the engine clears it."""
        self.disturbed: dict[AccountId, None] = {}
        """Accounts whose positions, or what covers them, changed; who looks ahead for them clears it."""
        self.jolted: dict[str, None] = {}
        """Contracts whose mark may go another way than was foreseen; likewise."""
        self.charged: dict[ChargedPlace, Decimal] = {}
        """What was paid from where as interest or funding since somebody looked; nothing else changed by it,
        and what was received is not counted."""
        self.folds: dict[type[e.Event], Callable[[Any, int], None]] = {
            kind: MethodType(fold, self) for kind, fold in FOLDS.items()
        }

    def apply(self, event: e.Event, now_us: int) -> None:
        """Fold one event that happened at `now_us`."""
        self.folds[type(event)](event, now_us)

    # Questions

    def siblings(self, order: Order) -> tuple[Order, ...]:
        """The live legs that end when this one trades or fires."""
        if order.list_id == NO_LIST:
            return ()
        order_list = self.lists.get(order.list_id)
        if order_list is None or order.id not in order_list.pair:
            return ()
        return tuple(
            self.orders[other] for other in order_list.pair if other != order.id and other in self.orders
        )

    def required(self, order: Order) -> Decimal:
        """What must be held for the rest of an order, in its hold asset."""
        status, price = order.status, order.price
        if status is not _NEW and status in _HOLDS_NOTHING:
            return ZERO
        if price is None and status is not _DORMANT:
            return ZERO  # At market: it trades at once or not at all.
        instrument = self.markets[order.instrument].instrument
        if instrument.contract is not None:
            return ZERO  # What it needs is margin, of which the ledger knows nothing.
        if price is None or order.terms.detached:
            left = None if order.quantity is None else order.remaining
            return dormant_requirement(instrument, order.terms, order.extreme, left)
        return requirement(instrument, order.terms.side, price, order.remaining)

    def owed(self, owner: Order | OrderList) -> Decimal:
        """What an open order or list should hold: a list for its pair, which then holds nothing itself,
        or what it received."""
        if isinstance(owner, Order):
            order_list = None if owner.list_id == NO_LIST else self.lists.get(owner.list_id)
            is_paired = order_list is not None and owner.id in order_list.pair
            return ZERO if is_paired else self.required(owner)
        if owner.received:
            return owner.received
        legs = (self.orders[leg] for leg in owner.pair if leg in self.orders)
        return max(map(self.required, legs), default=ZERO)

    def set_aside(self, order: Order) -> Decimal:
        """What is held already and serves an order when it becomes active, or another one."""
        return order.held if order.list_id == NO_LIST else order.held + self.lists[order.list_id].held

    def fingerprint(self) -> str:
        """A digest of everything folded, equal for equal histories."""
        return fingerprint(self)

    # Questions about contracts

    def contract_of(self, symbol: str) -> Contract:
        contract = self.markets[symbol].instrument.contract
        assert contract is not None, "a pair has no positions"
        return contract

    def choice(self, account: AccountId, symbol: str) -> Choice:
        """What an account chose about its positions in a contract, or what holds without a choice."""
        chosen = self.choices.get((account, symbol))
        if chosen is not None:
            return chosen
        contract = self.contract_of(symbol)
        mode = MarginMode.ISOLATED if contract.isolated_default else MarginMode.CROSS
        if contract.wallet in self.account_margin_default:
            mode = mode_under(self.account_margin(account, contract.wallet))
        return Choice(min(contract.leverage_default, contract.tiers[0].leverage_max), mode)

    def position(self, account: AccountId, symbol: str, leg: Leg = Leg.BOTH) -> Position:
        """A position; one that is flat is made as it would begin."""
        position = self.positions.get((account, symbol, leg))
        if position is not None:
            return position
        choice = self.choice(account, symbol)
        return Position(leg=leg, mode=choice.mode, leverage=choice.leverage_of(leg))

    def account_margin(self, account: AccountId, wallet: str) -> AccountMargin | None:
        """How all contracts of a wallet are covered; None where that is not chosen for all of them."""
        return self.account_margins.get((account, wallet)) or self.account_margin_default.get(wallet)

    def is_hedged(self, account: AccountId, symbol: str) -> bool:
        """Whether an account has two legs in a contract."""
        wallet = self.contract_of(symbol).wallet
        return (account, wallet) in self.hedged or (account, symbol) in self.hedged_contracts

    def is_overdrawn(self, account: AccountId, wallet: str) -> bool:
        """Whether something is owed in a wallet, losses that are not realised apart."""
        if any(balance.free < ZERO for balance in self.ledger.wallets[account, wallet].values()):
            return True
        return bool(self.loans) and any(place[:2] == (account, wallet) for place in self.loans)

    def lifetime(self, account: AccountId, symbol: str, leg: Leg = Leg.BOTH) -> Lifetime:
        """What an account's positions came to, flat ones too; nothing where that is not kept."""
        return self.lifetimes.get((account, symbol, leg)) or Lifetime()

    def has_reducing(self, account: AccountId, symbol: str) -> bool:
        """Whether an account has open orders on a contract that may only reduce."""
        listed = self.accounts[account].open_orders.values()
        return any(order.instrument == symbol and order.terms.reduces for order in listed)

    def stops_of(self, account: AccountId, symbol: str, leg: Leg = Leg.BOTH) -> Stops:
        """Where a position is left; what was triggered and rests in the book still belongs to its pair."""
        whole: dict[StopRole, Order] = {}
        pairs: dict[int, tuple[Order, ...]] = {}
        for order in self.accounts[account].open_orders.values():
            role = order.terms.role
            if role not in OF_POSITIONS or order.instrument != symbol or order.terms.leg is not leg:
                continue
            if order.terms.close_position:
                whole[role] = order
            else:
                key = order.list_id if order.in_list else -order.id
                pairs[key] = (*pairs.get(key, ()), order)
        return Stops(
            take_profit=whole.get(StopRole.TAKE_PROFIT),
            stop_loss=whole.get(StopRole.STOP_LOSS),
            trailing=whole.get(StopRole.TRAILING),
            pairs=tuple(pairs.values()),
        )

    # For the folds

    def disturb(self, account: AccountId, *wallets: str) -> None:
        """What covers positions may have changed."""
        if not self.margin_wallets.isdisjoint(wallets):
            self.disturbed[account] = None

    def note_charge(self, place: ChargedPlace, amount: Decimal) -> None:
        """So much was paid from there; below zero it was received."""
        self.charged[place] = self.charged.get(place, ZERO) + max(ZERO, amount)
