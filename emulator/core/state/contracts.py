"""What the state keeps of futures contracts: positions, what accounts chose about them, and their folds.

Invariant: what a wallet of contracts holds is the sum of the margins of isolated positions in it, and of
what is locked from outside; all other balance of it is free, and may be below zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from emulator.core import events as e
from emulator.core.collateral import CollateralAsset, Loan
from emulator.core.contracts import Contract, MarkRule, rounded, value_of
from emulator.core.funding import funding_payment
from emulator.core.ids import AccountId, OrderId
from emulator.core.instruments import BUY, SELL, Instrument, Side, TriggerSource
from emulator.core.ledger import FEES, FUNDING, INSURANCE, INTEREST, LOANS, MARKET, PROFIT, Ledger
from emulator.core.lifetimes import Closing, Lifetime, after_payment, after_trade
from emulator.core.margin import NOTHING_RESTS, counted
from emulator.core.markets import Feed
from emulator.core.marks import Marks, Watch
from emulator.core.numbers import ONE, ZERO
from emulator.core.orders import OF_POSITIONS, Order, StopRole
from emulator.core.positions import (
    AccountMargin,
    Leg,
    MarginMode,
    Position,
    after_funding,
    margin_moved,
    traded,
)
from emulator.core.state.records import Account, Choice, PositionKey, Stops
from emulator.core.tape import Market


def market_of(instrument: Instrument, feed: Feed) -> Market:
    """A market that nobody has touched, with the marks of a contract."""
    market, contract = Market(instrument, feed), instrument.contract
    if contract is not None:
        rule = contract.marking or MarkRule(step=instrument.price_step)
        marks = market.marks = Marks(market, contract, rule)
        market.watches = (Watch(marks, TriggerSource.MARK), Watch(marks, TriggerSource.INDEX))
    return market


class ContractState:
    """The part of the state that only contracts have; empty where none are traded."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: dict[AccountId, Account],
        markets: dict[str, Market],
        collateral: Mapping[str, tuple[CollateralAsset, ...]],
        account_margin: Mapping[str, AccountMargin],
    ) -> None:
        self.collateral = collateral
        """By wallet, what may stand together there."""
        self.lending = frozenset(
            wallet for wallet, assets in collateral.items() if any(one.is_lent for one in assets)
        )
        """The wallets where owing something has consequences of its own."""
        self.account_margin_default = account_margin
        """By wallet, how all contracts are covered there until an account chooses."""
        self.account_margins: dict[tuple[AccountId, str], AccountMargin] = {}
        """What was chosen about it."""
        self.hedged_contracts: dict[tuple[AccountId, str], None] = {}
        """Accounts and contracts where positions have two legs, where each contract has a mode of its own."""
        self.unused: dict[tuple[AccountId, str, str], None] = {}
        """By account and wallet, the assets that do not count although they could."""
        self.replenished: dict[PositionKey, None] = {}
        """Positions, there or not, to which margin is moved before they are liquidated."""
        self.spot_margins: dict[tuple[AccountId, str], Decimal] = {}
        """The leverage of what pairs' orders borrow, where they may."""
        self.loans: dict[tuple[AccountId, str, str], Loan] = {}
        """What accounts borrowed by themselves, by account, wallet and asset."""
        self.ledger = ledger
        self.accounts = accounts
        self.markets = markets
        self.positions: dict[PositionKey, Position] = {}
        """Those that are not flat."""
        self.holders: dict[str, dict[tuple[AccountId, Leg], Position]] = {}
        """The same by instrument."""
        self.charged: dict[AccountId, None] = {}
        """Whose debts were charged interest, and else nothing, since somebody looked."""
        self.disturbed: dict[AccountId, None] = {}
        """Accounts whose positions, or what covers them, changed; who looks ahead for them clears it."""
        self.jolted: dict[str, None] = {}
        """Contracts whose mark may go another way than was foreseen; likewise."""
        self.hedged: dict[tuple[AccountId, str], None] = {}
        """Accounts and wallets where positions have two legs."""
        self.shared: dict[tuple[AccountId, str], None] = {}
        """Accounts and wallets where all assets stand together."""
        self.choices: dict[tuple[AccountId, str], Choice] = {}
        """Only those that were made; see `choice`."""
        self.margin_wallets = frozenset(
            market.instrument.contract.wallet
            for market in markets.values()
            if market.instrument.contract is not None
        )
        """Where contracts are traded, so that what is free there may be below zero."""
        for market in markets.values():
            contract = market.instrument.contract
            assets = None if contract is None else collateral.get(contract.wallet)
            assert assets is None or contract is None or contract.settle in {one.asset for one in assets}, (
                f"{market.instrument.symbol} settles in what does not count as collateral"
            )
        self.booked: dict[OrderId, Decimal] = {}
        """What each order counts with in `Account.beside`, if it does."""
        self.realised: dict[OrderId, Decimal] = {}
        """What the trade that was folded last realised, by order; who tells of the trade takes it away."""
        self.keeps_lifetimes = False
        """Whether the next two are kept."""
        self.lifetimes: dict[PositionKey, Lifetime] = {}
        self.closings: dict[OrderId, Closing] = {}
        """What the trade that was folded last closed, by order; likewise."""
        self.position_listener: Callable[[AccountId, str, Leg], None] | None = None
        """Is told of every position that changed, or was closed, right after that."""

    def folds_of_contracts(self) -> dict[type[e.Event], Callable[[Any, int], None]]:
        """What folds which event."""
        return {
            e.LeverageSet: self._leverage_set,
            e.MarginModeSet: self._margin_mode_set,
            e.MarginMoved: self._margin_moved,
            e.PositionModeSet: self._position_mode_set,
            e.CollateralModeSet: self._collateral_mode_set,
            e.AssetExchanged: self._asset_exchanged,
            e.FundingPaid: self._funding_paid,
            e.LiquidationBegun: self._liquidation_begun,
            e.LiquidationCharged: self._liquidation_charged,
            e.InsurancePaid: self._insurance_paid,
            e.AccountMarginSet: self._account_margin_set,
            e.CollateralUseSet: self._collateral_use_set,
            e.SpotMarginSet: self._spot_margin_set,
            e.FundsBorrowed: self._funds_borrowed,
            e.LoanRepaid: self._loan_repaid,
            e.InterestCharged: self._interest_charged,
            e.ReplenishmentSet: self._replenishment_set,
        }

    # Questions

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

    # Trades

    def settle_fill(
        self,
        instrument: Instrument,
        contract: Contract,
        order: Order,
        event: e.Filling,
        fee: Decimal,
        fee_asset: str,
        now_us: int,
    ) -> None:
        """What a trade makes of a position, and of the balance that covers it."""
        ledger, account, wallet, settle = self.ledger, order.account, order.wallet, contract.settle
        order.executed_cost += abs(value_of(contract, event.quantity, event.price))
        before = self.position(account, instrument.symbol, order.terms.leg)
        change = traded(
            contract,
            before,
            quantity=event.quantity if order.terms.side is BUY else -event.quantity,
            price=event.price,
            fee=fee if fee_asset == settle else ZERO,
            leverage=order.terms.leverage,
        )
        if self.keeps_lifetimes:
            key = (account, instrument.symbol, before.leg)
            self.lifetimes[key], self.closings[order.id] = after_trade(
                contract,
                self.lifetime(*key),
                before,
                change,
                price=event.price,
                fee=fee if fee_asset == settle else ZERO,
                trade=event.trade,
                now_us=now_us,
            )
        margin = change.margin_taken - change.margin_released
        if margin:
            ledger.put_up(account, wallet, settle, margin)
        if change.realised:
            ledger.settle(account, wallet, settle, change.realised, PROFIT)
            self.realised[order.id] = change.realised
        if fee:
            ledger.settle(account, wallet, fee_asset, -fee, FEES)
        self._hold_position(account, instrument.symbol, change.position, now_us)

    def rebook(self, order: Order) -> None:
        """Count what an order in the book is worth by now, at its price."""
        contract = self.markets[order.instrument].instrument.contract
        assert contract is not None
        worth = ZERO
        if order.resting and not order.terms.reduces:
            assert order.price is not None
            worth = abs(value_of(contract, order.remaining, order.price))
        before = self.booked.pop(order.id, ZERO)
        if worth:
            self.booked[order.id] = worth
        if worth == before:
            return
        place, listed = (order.instrument, order.terms.leg), self.accounts[order.account].beside
        beside = counted(
            contract,
            listed.pop(place, NOTHING_RESTS),
            is_buy=order.terms.side is BUY,
            before=before,
            value=worth,
            leverage=order.terms.leverage,
        )
        if beside.bids or beside.asks:
            listed[place] = beside

    def _hold_position(self, account: AccountId, symbol: str, position: Position, now_us: int) -> None:
        leg, positions = position.leg, self.accounts[account].positions
        key = (account, symbol, leg)
        if position.quantity:
            self.positions[key] = positions[symbol, leg] = replace(position, updated_us=now_us)
            self.index_position(account, symbol, leg)
        elif key in self.positions:
            holders = self.holders[symbol]
            del self.positions[key], positions[symbol, leg], holders[account, leg]
            if not holders:
                del self.holders[symbol]
        self.disturbed[account] = None
        if self.position_listener is not None:
            self.position_listener(account, symbol, leg)

    def index_position(self, account: AccountId, symbol: str, leg: Leg) -> None:
        """Let a position be found by its instrument."""
        holders = self.holders.get(symbol)
        if holders is None:
            holders = self.holders[symbol] = {}
        holders[account, leg] = self.positions[account, symbol, leg]

    # What time makes of positions

    def _funding_paid(self, event: e.FundingPaid, now_us: int) -> None:
        symbol = event.instrument
        contract = self.contract_of(symbol)
        for (account, _), position in list(self.holders[symbol].items()):
            amount = funding_payment(contract, position, mark=event.mark, rate=event.rate)
            if amount:
                self._pay_funding(contract, account, symbol, position, amount, now_us)

    def _pay_funding(
        self,
        contract: Contract,
        account: AccountId,
        symbol: str,
        position: Position,
        amount: Decimal,
        now_us: int,
    ) -> None:
        ledger, wallet, settle = self.ledger, contract.wallet, contract.settle
        of_margin = ZERO
        if position.mode is MarginMode.ISOLATED:
            # More than there is of it is paid from what is free.
            of_margin = max(amount, -position.margin)
        if of_margin < ZERO:
            ledger.put_up(account, wallet, settle, of_margin)
        ledger.settle(account, wallet, settle, amount, FUNDING)
        if of_margin > ZERO:
            ledger.put_up(account, wallet, settle, of_margin)
        if self.keeps_lifetimes:
            key = (account, symbol, position.leg)
            self.lifetimes[key] = after_payment(self.lifetime(*key), amount)
        self._hold_position(account, symbol, after_funding(position, amount, margin=of_margin), now_us)

    # Liquidation

    def _liquidation_begun(self, event: e.LiquidationBegun, now_us: int) -> None:
        """It says why; what is done about it is said by what follows."""

    def _liquidation_charged(self, event: e.LiquidationCharged, now_us: int) -> None:
        contract = self.contract_of(event.instrument)
        self.ledger.settle(event.account, contract.wallet, contract.settle, -event.amount, INSURANCE)
        self.disturbed[event.account] = None

    def _insurance_paid(self, event: e.InsurancePaid, now_us: int) -> None:
        self.ledger.settle(event.account, event.wallet, event.asset, event.amount, INSURANCE)
        self.disturbed[event.account] = None

    def _asset_exchanged(self, event: e.AssetExchanged, now_us: int) -> None:
        ledger, account, wallet = self.ledger, event.account, event.wallet
        ledger.settle(account, wallet, event.sold, -event.sold_amount, MARKET)
        ledger.settle(account, wallet, event.bought, event.bought_amount, MARKET)
        self.disturbed[account] = None

    def part_with(self, event: e.PositionTakenOver, side: Side) -> None:
        """The insurance fund parts with what it took over from an order of a side, as the event says."""
        contract = self.contract_of(event.instrument)
        direction = ONE if side is SELL else -ONE
        difference = value_of(contract, event.quantity, event.mark) - value_of(
            contract, event.quantity, event.price
        )
        gained = rounded(
            contract.sense * direction * difference, contract.settle_step, contract.profit_rounding
        )
        if gained:
            self.ledger.between(contract.settle, gained, PROFIT, INSURANCE)

    def contract_of(self, symbol: str) -> Contract:
        contract = self.markets[symbol].instrument.contract
        assert contract is not None, "a pair has no positions"
        return contract

    # Settings

    def _leverage_set(self, event: e.LeverageSet, now_us: int) -> None:
        account, symbol = event.account, event.instrument
        self.choices[account, symbol] = self.choice(account, symbol).with_leverage(event.leverage, event.leg)
        for leg in Leg if event.leg is None else (event.leg,):
            position = self.positions.get((account, symbol, leg))
            if position is not None:
                self._hold_position(account, symbol, replace(position, leverage=event.leverage), now_us)

    def _margin_mode_set(self, event: e.MarginModeSet, now_us: int) -> None:
        account, symbol = event.account, event.instrument
        self.choices[account, symbol] = replace(self.choice(account, symbol), mode=event.mode)

    def _position_mode_set(self, event: e.PositionModeSet, now_us: int) -> None:
        if event.instrument:
            self.hedged_contracts.pop((event.account, event.instrument), None)
            if event.hedged:
                self.hedged_contracts[event.account, event.instrument] = None
        elif event.hedged:
            self.hedged[event.account, event.wallet] = None
        else:
            del self.hedged[event.account, event.wallet]

    def _collateral_mode_set(self, event: e.CollateralModeSet, now_us: int) -> None:
        if event.shared:
            self.shared[event.account, event.wallet] = None
        else:
            del self.shared[event.account, event.wallet]
        self.disturbed[event.account] = None

    def begin_margin(self, account: AccountId) -> None:
        """What a new account's wallets of contracts begin with."""
        for wallet, mode in self.account_margin_default.items():
            if mode is not AccountMargin.ISOLATED:
                self.shared[account, wallet] = None

    def _account_margin_set(self, event: e.AccountMarginSet, now_us: int) -> None:
        account, wallet, mode = event.account, event.wallet, mode_under(event.mode)
        self.account_margins[account, wallet] = event.mode
        self.shared.pop((account, wallet), None)
        if mode is MarginMode.CROSS:
            self.shared[account, wallet] = None
        for (owner, symbol), chosen in self.choices.items():
            if owner == account and self.contract_of(symbol).wallet == wallet:
                self.choices[owner, symbol] = replace(chosen, mode=mode)
        for (symbol, _), position in list(self.accounts[account].positions.items()):
            if self.contract_of(symbol).wallet == wallet and position.mode is not mode:
                assert not position.margin, "its margin was not given back"
                self._hold_position(account, symbol, replace(position, mode=mode), now_us)
        self.disturbed[account] = None

    def _collateral_use_set(self, event: e.CollateralUseSet, now_us: int) -> None:
        place = (event.account, event.wallet, event.asset)
        self.unused.pop(place, None)
        if not event.used:
            self.unused[place] = None
        self.disturbed[event.account] = None

    def _replenishment_set(self, event: e.ReplenishmentSet, now_us: int) -> None:
        place = (event.account, event.instrument, event.leg)
        self.replenished.pop(place, None)
        if event.on:
            self.replenished[place] = None

    # What is owed

    def _spot_margin_set(self, event: e.SpotMarginSet, now_us: int) -> None:
        place = (event.account, event.wallet)
        self.spot_margins.pop(place, None)
        if event.leverage is not None:
            self.spot_margins[place] = event.leverage
        self.disturbed[event.account] = None

    def _funds_borrowed(self, event: e.FundsBorrowed, now_us: int) -> None:
        place = (event.account, event.wallet, event.asset)
        loan = self.loans.get(place) or Loan()
        self.loans[place] = Loan(loan.principal + event.amount, loan.interest)
        self.ledger.settle(*place, event.amount, LOANS)
        self.disturbed[event.account] = None

    def _loan_repaid(self, event: e.LoanRepaid, now_us: int) -> None:
        place = (event.account, event.wallet, event.asset)
        loan = self.loans.pop(place)
        left = Loan(loan.principal - event.principal, loan.interest - event.interest)
        assert left.principal >= ZERO <= left.interest, "more given back than was owed"
        if left.total:
            self.loans[place] = left
        for amount, lender in ((event.interest, INTEREST), (event.principal, LOANS)):
            if amount:
                self.ledger.settle(*place, -amount, lender)
        self.disturbed[event.account] = None

    def _interest_charged(self, event: e.InterestCharged, now_us: int) -> None:
        place = (event.account, event.wallet, event.asset)
        if event.of_loan:
            loan = self.loans[place]
            self.loans[place] = Loan(loan.principal, loan.interest + event.of_loan)
        paid = event.amount - event.of_loan
        if paid:
            self.ledger.settle(*place, -paid, INTEREST)
        self.charged[event.account] = None

    def _margin_moved(self, event: e.MarginMoved, now_us: int) -> None:
        contract = self.contract_of(event.instrument)
        position = self.positions[event.account, event.instrument, event.leg]
        self.ledger.put_up(event.account, contract.wallet, contract.settle, event.amount)
        self._hold_position(event.account, event.instrument, margin_moved(position, event.amount), now_us)


def mode_under(mode: AccountMargin | None) -> MarginMode:
    """How positions are covered where all contracts of a wallet are covered in one way."""
    return MarginMode.ISOLATED if mode is AccountMargin.ISOLATED else MarginMode.CROSS
