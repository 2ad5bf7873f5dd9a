"""What happens to accounts of one futures product, as their user data streams tell it.

Of a fill first the trade alone, then what it made of balance and position, then the order; of everything
else the same order: what an account has, before what became of its orders.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal

from emulator.core import events as e
from emulator.core.engine import Risk
from emulator.core.history import Fill, IncomeKind
from emulator.core.ids import MARKET_ORDER, AccountId, OrderId
from emulator.core.numbers import ZERO, exact
from emulator.core.orders import Cause, Order
from emulator.core.positions import Leg, MarginMode, Position
from emulator.core.statement import PositionStatement, position_statement
from emulator.exchanges.binance.futures.account.readings import SIDES_OF_LEGS
from emulator.exchanges.binance.futures.payloads.user_data import ChangedBalance, ChangedPosition
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.user_data.reports import (
    AMENDMENT,
    CANCELED,
    EXPIRED,
    NEW,
    TRADE,
    render_balance,
    render_position,
    report_account,
    report_algo,
    report_assets_mode,
    report_leverage,
    report_margin_call,
    report_order,
    report_trade_lite,
)
from emulator.exchanges.binance.user_data.hub import AccountHub, Hear
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox

_log = logging.getLogger(__name__)

_NOTHING_REALISED: Mapping[Leg, Decimal] = {}


class FuturesAccountHub(AccountHub):
    """Everything that is told of one sandbox's accounts of a product."""

    def __init__(self, sandbox: Sandbox, product: Product) -> None:
        self._product = product
        super().__init__(sandbox)

    def _compile(self) -> Mapping[type[e.Event], Hear]:
        return {
            e.AmountDeposited: self._deposited,
            e.AmountWithdrawn: self._withdrawn,
            e.AmountTransferred: self._transferred,
            e.OrderPlaced: self._placed,
            e.TradeExecuted: self._traded,
            e.OrderTriggered: self._triggered,
            e.OrderSucceeded: self._succeeded,
            e.OrderAmended: self._amended,
            e.OrderCanceled: self._canceled,
            e.OrderExpired: self._expired,
            e.MatchPrevented: self._prevented,
            e.LeverageSet: self._leverage_set,
            e.MarginModeSet: self._margin_mode_set,
            e.MarginMoved: self._margin_moved,
            e.CollateralModeSet: self._collateral_mode_set,
            e.FundingPaid: self._funding_paid,
            e.PositionTakenOver: self._taken_over,
            e.AutoDeleveraged: self._deleveraged,
            e.LiquidationCharged: self._charged,
            e.InsurancePaid: self._insured,
            e.AssetExchanged: self._exchanged,
        }

    def _conclude(self, now_us: int) -> None:
        """Nothing is said once for a whole command."""

    def _forget(self) -> None:
        """Nothing is noted."""

    # What an account has

    def _statement(self, account: AccountId, instrument: str, leg: Leg, now_us: int) -> PositionStatement:
        state = self._running.state
        return position_statement(state, state.accounts[account], instrument, leg, now_us)

    def _balance(self, account: AccountId, asset: str, changed: Decimal = ZERO) -> ChangedBalance:
        ledger, wallet = self._running.state.ledger, self._product.wallet
        total, free = ledger.total(account, wallet, asset), ledger.free(account, wallet, asset)
        return render_balance(asset, total, total - free, changed)

    def _positions(
        self,
        account: AccountId,
        instrument: str,
        now_us: int,
        realised: Mapping[Leg, Decimal] = _NOTHING_REALISED,
    ) -> list[ChangedPosition]:
        """The position in a contract; in hedge mode both of its legs. realised: by what is told of."""
        is_hedged = (account, self._product.wallet) in self._running.state.hedged
        return [
            render_position(
                self._product,
                self._statement(account, instrument, leg, now_us),
                realised.get(leg, ZERO),
            )
            for leg in ((Leg.LONG, Leg.SHORT) if is_hedged else (Leg.BOTH,))
        ]

    def _tell_account(
        self,
        account: AccountId,
        reason: str,
        balances: Iterable[ChangedBalance],
        positions: Iterable[ChangedPosition],
        now_us: int,
    ) -> None:
        self._tell(account, report_account(self._product, reason, balances, positions, now_us))

    # Funds

    def _deposited(self, event: e.AmountDeposited, now_us: int) -> None:
        if event.wallet == self._product.wallet:
            self._moved(event.account, event.asset, event.amount, now_us)

    def _withdrawn(self, event: e.AmountWithdrawn, now_us: int) -> None:
        if event.wallet == self._product.wallet:
            self._moved(event.account, event.asset, -event.amount, now_us)

    def _transferred(self, event: e.AmountTransferred, now_us: int) -> None:
        if event.source == self._product.wallet:
            self._moved(event.account, event.asset, -event.amount, now_us)
        elif event.target == self._product.wallet:
            self._moved(event.account, event.asset, event.amount, now_us)

    def _moved(self, account: AccountId, asset: str, changed: Decimal, now_us: int) -> None:
        # Quirk: what is transferred between wallets is told of as deposited or withdrawn (live streams).
        if self._is_heard(account):
            reason = "DEPOSIT" if changed > ZERO else "WITHDRAW"
            self._tell_account(account, reason, [self._balance(account, asset, changed)], (), now_us)

    def _exchanged(self, event: e.AssetExchanged, now_us: int) -> None:
        account = event.account
        if event.wallet != self._product.wallet or not self._is_heard(account):
            return
        sold = self._balance(account, event.sold, -event.sold_amount)
        bought = self._balance(account, event.bought, event.bought_amount)
        if event.reference:
            # Both reasons are documented, and that each tells of its own asset is the plain reading of them.
            self._tell_account(account, "COIN_SWAP_WITHDRAW", [sold], (), now_us)
            self._tell_account(account, "COIN_SWAP_DEPOSIT", [bought], (), now_us)
        else:
            self._tell_account(account, "AUTO_EXCHANGE", [sold, bought], (), now_us)

    # Orders

    def _listened(self, order_id: OrderId) -> Order | None:
        """An order of this product that somebody wants to hear of."""
        if order_id == MARKET_ORDER:
            return None
        order = self._running.views.orders[order_id]
        return order if self._is_heard(order.account) and self._product.holds(order.instrument) else None

    def _report(self, order: Order, now_us: int, execution_type: str, fill: Fill | None = None) -> None:
        beside = self._statement(order.account, order.instrument, order.terms.leg, now_us)
        self._tell(
            order.account,
            report_order(self._product, order, beside, now_us, execution_type, fill=fill),
        )
        if order.origin and order.is_ended:
            self._report_algo(order.origin, now_us, status="FINISHED", successor=order)

    def _report_algo(
        self, order_id: OrderId, now_us: int, *, status: str = "", successor: Order | None = None
    ) -> None:
        order = self._running.views.orders[order_id]
        self._tell(
            order.account, report_algo(self._product, order, now_us, status=status, successor=successor)
        )

    def _placed(self, event: e.OrderPlaced, now_us: int) -> None:
        order = self._listened(event.order)
        if order is None:
            return
        if order.terms.detached:
            self._report_algo(order.id, now_us)
            return
        if order.origin:
            self._report_algo(order.origin, now_us, status="TRIGGERED", successor=order)
        self._report(order, now_us, NEW)

    def _triggered(self, event: e.OrderTriggered, now_us: int) -> None:
        # An order with its condition within it is told of as new for a second time when it is met.
        order = self._listened(event.order)
        if order is not None:
            self._report(order, now_us, NEW)

    def _succeeded(self, event: e.OrderSucceeded, now_us: int) -> None:
        if self._listened(event.order) is not None:
            self._report_algo(event.order, now_us, status="TRIGGERING")

    def _traded(self, event: e.TradeExecuted, now_us: int) -> None:
        for order_id in (event.taker, event.maker):
            self._filled(order_id, now_us)

    def _taken_over(self, event: e.PositionTakenOver, now_us: int) -> None:
        self._filled(event.order, now_us)

    def _deleveraged(self, event: e.AutoDeleveraged, now_us: int) -> None:
        self._filled(event.order, now_us)
        self._filled(event.counter, now_us)

    def _filled(self, order_id: OrderId, now_us: int) -> None:
        order = self._listened(order_id)
        if order is None:
            return
        fill = self._running.views.fills_of[order_id][-1]
        account, instrument = order.account, order.instrument
        if not self._product.is_inverse and order.terms.cause is Cause.OWNER:
            self._tell(account, report_trade_lite(self._product, order, fill, now_us))
        contract = self._running.instruments[instrument].contract
        assert contract is not None
        assets = dict.fromkeys((contract.settle, fill.fee_asset)) if fill.fee else (contract.settle,)
        self._tell_account(
            account,
            "ORDER",
            [self._balance(account, asset) for asset in assets],
            self._positions(account, instrument, now_us, {order.terms.leg: fill.realised}),
            now_us,
        )
        self._report(order, now_us, TRADE, fill)

    def _prevented(self, event: e.MatchPrevented, now_us: int) -> None:
        """The orders that prevention ends are told of when they end, which is part of this event."""
        for order_id, lost in ((event.taker, event.taker_prevented), (event.maker, event.maker_prevented)):
            order = self._listened(order_id) if lost else None
            if order is not None and order.is_ended:
                self._report(order, now_us, EXPIRED)

    def _amended(self, event: e.OrderAmended, now_us: int) -> None:
        order = self._listened(event.order)
        if order is not None:
            self._report(order, now_us, AMENDMENT)

    def _canceled(self, event: e.OrderCanceled, now_us: int) -> None:
        self._ended(event.order, now_us, CANCELED)

    def _expired(self, event: e.OrderExpired, now_us: int) -> None:
        self._ended(event.order, now_us, EXPIRED)

    def _ended(self, order_id: OrderId, now_us: int, execution_type: str) -> None:
        order = self._listened(order_id)
        if order is None:
            return
        if order.terms.detached:
            self._report_algo(order.id, now_us)
        else:
            self._report(order, now_us, execution_type)

    # Settings and margins

    def _leverage_set(self, event: e.LeverageSet, now_us: int) -> None:
        if self._is_heard(event.account) and self._product.holds(event.instrument):
            self._tell(
                event.account, report_leverage(self._product, event.instrument, event.leverage, now_us)
            )

    def _margin_mode_set(self, event: e.MarginModeSet, now_us: int) -> None:
        if self._is_heard(event.account) and self._product.holds(event.instrument):
            # Quirk: a margin type is no setting of the account, but a change of the position (Event: Balance
            # and Position Update).
            positions = self._positions(event.account, event.instrument, now_us)
            self._tell_account(event.account, "MARGIN_TYPE_CHANGE", (), positions, now_us)

    def _margin_moved(self, event: e.MarginMoved, now_us: int) -> None:
        if self._is_heard(event.account) and self._product.holds(event.instrument):
            self._tell_account(
                event.account,
                "MARGIN_TRANSFER",
                [self._balance(event.account, self._settle_of(event.instrument))],
                self._positions(event.account, event.instrument, now_us),
                now_us,
            )

    def _collateral_mode_set(self, event: e.CollateralModeSet, now_us: int) -> None:
        if self._is_heard(event.account) and event.wallet == self._product.wallet:
            self._tell(event.account, report_assets_mode(event.shared, now_us))

    def _settle_of(self, instrument: str) -> str:
        return self._running.instruments[instrument].settle

    # What time and the exchange do

    def _funding_paid(self, event: e.FundingPaid, now_us: int) -> None:
        symbol = event.instrument
        if not self._product.holds(symbol):
            return
        views, asset = self._running.views, self._settle_of(symbol)
        for account in {owner for owner, _ in self._running.state.holders.get(symbol, ())}:
            if not self._is_heard(account):
                continue
            paid, payments = ZERO, 0
            for income in reversed(views.incomes.get((account, self._product.wallet), [])):
                if (income.kind, income.instrument, income.time_us) != (IncomeKind.FUNDING, symbol, now_us):
                    break
                paid, payments = paid + income.amount, payments + 1
            is_isolated = self._running.state.choice(account, symbol).mode is MarginMode.ISOLATED
            # What one isolated leg pays the other leaves the balance as it is, and changes both.
            if not payments or not (paid or is_isolated):
                continue
            # Quirk: a funding fee of a cross position is told of without the position, and of an isolated one
            # with no leg beside those that paid it (Event: Balance and Position Update).
            held = {
                SIDES_OF_LEGS[leg] for owner, leg in self._running.state.holders[symbol] if owner == account
            }
            positions = self._positions(account, symbol, now_us) if is_isolated else []
            positions = [one for one in positions if one["ps"] in held]
            self._tell_account(
                account, "FUNDING_FEE", [self._balance(account, asset, paid)], positions, now_us
            )

    def _charged(self, event: e.LiquidationCharged, now_us: int) -> None:
        if self._is_heard(event.account) and self._product.holds(event.instrument):
            asset = self._settle_of(event.instrument)
            balance = self._balance(event.account, asset, -event.amount)
            self._tell_account(event.account, "INSURANCE_CLEAR", [balance], (), now_us)

    def _insured(self, event: e.InsurancePaid, now_us: int) -> None:
        if self._is_heard(event.account) and event.wallet == self._product.wallet:
            balance = self._balance(event.account, event.asset, event.amount)
            self._tell_account(event.account, "INSURANCE_CLEAR", [balance], (), now_us)

    # The engine's watcher

    def margin_called(self, risk: Risk, now_us: int) -> None:
        account = risk.account
        if risk.wallet != self._product.wallet or not self._is_heard(account):
            return
        self._follow_engine()
        try:
            with exact():
                called = [
                    self._statement(account, symbol, leg, now_us)
                    for (symbol, leg), position in self._running.state.accounts[account].positions.items()
                    if self._is_at(risk, symbol, leg, position)
                ]
                asset = risk.asset or called[0].contract.settle
                cross = None if risk.is_isolated else self._balance(account, asset)["cw"]
            self._tell_at_once(account, report_margin_call(self._product, called, cross, now_us))
        except Exception:
            # As of an observer: the engine would be rebuilt for what is wrong here.
            _log.exception("a margin call cannot be told: %r", risk)

    def _is_at(self, risk: Risk, symbol: str, leg: Leg, position: Position) -> bool:
        """Whether a position is among those that are kept or liquidated together."""
        if risk.is_isolated:
            return (symbol, leg) == (risk.instrument, risk.leg)
        is_here = self._product.holds(symbol) and position.mode is MarginMode.CROSS
        return is_here and risk.asset in ("", self._settle_of(symbol))


def hubs_of(product: Product) -> PerSandbox[FuturesAccountHub]:
    def make(sandbox: Sandbox) -> FuturesAccountHub:
        return FuturesAccountHub(sandbox, product)

    return PerSandbox(make)
