"""The fees of a plan's trades: each in the discount asset as long as the payer has enough of it."""

from __future__ import annotations

from decimal import Decimal

from emulator.core.contracts import fee_of
from emulator.core.fees import discounted_fee, standard_fee
from emulator.core.instruments import SELL, FeeAssetRule, Instrument, Side
from emulator.core.numbers import ZERO
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State


class Fees:
    """Remembers what the plan has taken of each payer's free discount asset, so it is never overdrawn.

    Makers pay for what they trade from their holds, which lie outside of what is free. What the taker
    may still pay from its free funds is set aside with `reserve` before anything else.
    """

    __slots__ = ("_discount_asset", "_now_us", "_purses", "_rules", "_state")

    def __init__(self, state: State, rules: EngineRules, now_us: int) -> None:
        self._state = state
        self._rules = rules
        self._now_us = now_us
        self._discount_asset = rules.fees.discount_asset
        self._purses: dict[tuple[int, str], Decimal] = {}

    def reserve(self, account: Account, wallet: str, asset: str, amount: Decimal) -> None:
        """Keep `amount` of what is free of an asset for other payments than fees."""
        if asset == self._discount_asset and wallet in account.discounted:
            self._purses[account.id, wallet] = self._purse(account, wallet) - amount

    def of(
        self,
        instrument: Instrument,
        account: Account,
        wallet: str,
        side: Side,
        quantity: Decimal,
        amount: Decimal,
        price: Decimal,
        *,
        is_maker: bool,
    ) -> tuple[Decimal, str]:
        """The fee of one account's side of one trade, and its asset."""
        contract, asset, rules = instrument.contract, self._discount_asset, self._rules.fees
        left = rules.discount if contract is None else rules.discounts.get(wallet)
        if asset is not None and left is not None and wallet in account.discounted:
            fee = discounted_fee(
                rules, instrument, quantity, amount, self._price_of, left=left, is_maker=is_maker
            )
            if fee is not None:
                purse = self._purse(account, wallet)
                if fee <= purse:
                    self._purses[account.id, wallet] = purse - fee
                    return fee, asset
        if contract is not None:
            rate = instrument.maker_fee if is_maker else instrument.taker_fee
            return fee_of(contract, quantity, price, rate), contract.settle
        return standard_fee(instrument, side, quantity, amount, is_maker=is_maker)

    def _purse(self, account: Account, wallet: str) -> Decimal:
        asset = self._discount_asset
        assert asset is not None
        purse = self._purses.get((account.id, wallet))
        return self._state.ledger.free(account.id, wallet, asset) if purse is None else purse

    def _price_of(self, base: str, quote: str) -> Decimal | None:
        symbol = self._rules.symbols.get((base, quote))
        market = None if symbol is None else self._state.markets.get(symbol)
        return None if market is None else market.last_price(self._now_us)


def paid_on_top(instrument: Instrument, side: Side, quantity: Decimal, amount: Decimal) -> Decimal:
    """What a taker's fee may cost in the asset that it pays with: nothing where it is taken from what
    the taker receives."""
    if side is SELL or instrument.fee_asset_rule is FeeAssetRule.RECEIVED:
        return ZERO
    return standard_fee(instrument, side, quantity, amount, is_maker=False)[0]
