"""A universe with a pair, a linear and an inverse contract, where accounts soon run out of margin."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import msgspec

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.collateral import CollateralAsset, CollateralTier
from emulator.core.engine import Engine
from emulator.core.fees import FeeRules
from emulator.core.instruments import Instrument, Outcome, Side, TriggerSource
from emulator.core.margin import CostRule
from emulator.core.numbers import divide_down, exact, round_down
from emulator.core.orders import Peg
from emulator.core.positions import Leg, MarginMode
from emulator.core.risk import held_at, risks_of, standing
from emulator.core.rules import EngineRules, LeverageScope, MarginRules
from tests.core.futures import flat, inverse, linear, table
from tests.core.world import MINUTE, SECOND, SPOT, WALLET_OF, instrument, perpetual
from tests.properties import dice as spot_dice
from tests.properties.universe import ACCOUNTS, ASKED_LATER, INSTRUMENTS, LOT, RECEIVED, STEP, Universe, Wish

LINEAR = perpetual(
    linear(
        table("0 | 50 | 0.01 \n 120 | 25 | 0.02 \n 400 | 20 | 0.03", "2000"),
        funding_hours=1,
        liquidation_fee=Decimal("0.01"),
        take_bound=Decimal("0.03"),
        closing_orders_max=1,
    ),
    price_step="0.5",
    quantity_step="0.1",
    quantity_min="0.1",
    maker_fee="-0.0001",
    taker_fee="0.0005",
    trigger_protect="0.02",
    trailing_reached=Outcome.REFUSE,
)
INVERSE = perpetual(
    inverse(flat("0.02", "25", "3"), "10", funding_hours=2, liquidation_fee=Decimal("0.005")),
    price_step="0.5",
    quantity_step="0.1",
    quantity_min="0.1",
    maker_fee="0.0002",
    taker_fee="0.0005",
    post_only_failure=Outcome.EXPIRE,
    fill_or_kill_failure=Outcome.REFUSE,
    amend_keeps_priority=False,
)
PAIR = instrument(**RECEIVED, maker_fee="0.001", taker_fee="0.002")
BNB_PAIR = next(one for one in INSTRUMENTS if one.symbol == "BNBUSDT")
"""Nobody trades it here; it says what fees cost in the discount asset."""
LISTED = (PAIR, BNB_PAIR, LINEAR, INVERSE)
SYMBOLS = tuple(one.symbol for one in LISTED)
CONTRACTS = (LINEAR.symbol, INVERSE.symbol)
HOUR = 60 * MINUTE
WAITING = ("stop", "stop", "stop_limit", "trailing", "trailing_limit")
SATOSHI = Decimal("0.00000001")
_WORTH = {"USDT": Decimal(1), "BTC": Decimal(100), "BNB": Decimal(100)}
_DIRECTION = {Side.BUY: 1, Side.SELL: -1}
RULES = EngineRules(
    keeps_transactions=True,
    fees=FeeRules(discount_asset="BNB", discounts={"usdm": Decimal("0.9")}),
    symbols={(one.base, one.quote): one.symbol for one in (PAIR, BNB_PAIR)},
    margin=MarginRules(
        cost=CostRule(opening_rate=Decimal("0.0005")),
        sell_premium=Decimal("0.0015"),
        warning_ratio=Decimal("0.8"),
        insurance={"USDT": Decimal(30), "BTC": Decimal("0.05")},
        collateral={
            "usdm": (
                CollateralAsset(
                    asset="USDT",
                    bid_buffer=Decimal("0.01"),
                    ask_buffer=Decimal("0.005"),
                    exchanged=Decimal("0.5"),
                    owed_max=Decimal(5),
                ),
                CollateralAsset(
                    asset="BTC",
                    bid_buffer=Decimal("0.05"),
                    tiers=(
                        CollateralTier(floor=Decimal("0.05"), bid_buffer=Decimal("0.2")),
                        CollateralTier(floor=Decimal("0.6"), bid_buffer=Decimal(1)),
                    ),
                    ask_buffer=Decimal("0.05"),
                    index_of=LINEAR.symbol,
                ),
                CollateralAsset(
                    asset="BNB", index=Decimal(90), bid_buffer=Decimal("0.1"), ask_buffer=Decimal("0.1")
                ),
            ),
            # What its contracts settle in has a price of its own here.
            "coinm": (
                CollateralAsset(
                    asset="BTC", bid_buffer=Decimal("0.02"), index_of=INVERSE.symbol, owed_max=Decimal("0.01")
                ),
                CollateralAsset(
                    asset="USDT", tiers=(CollateralTier(floor=Decimal(3), bid_buffer=Decimal("0.3")),)
                ),
            ),
        },
    ),
)


def assert_nobody_is_lost(engine: Engine, now_us: int) -> None:
    """Whoever has not changed since the last tick has more than must be kept: no mark went by unnoticed."""
    state = engine.state
    with exact():
        for account in state.accounts.values():
            if any(
                position.updated_us >= now_us - now_us % SECOND for position in account.positions.values()
            ):
                continue
            if account.id in state.disturbed:
                continue
            for risk in risks_of(state, account):
                assert not standing(state, risk, held_at(state, risk, now_us), now_us).is_liquidated, risk


class FuturesUniverse(Universe):
    """Subclasses say which market it is on."""

    symbols = SYMBOLS
    listed: tuple[Instrument, ...] = LISTED
    scope = LeverageScope.CONTRACT
    refits = False
    pair_wallet = SPOT
    asked_later: tuple[type[r.Rejection], ...] = (
        *ASKED_LATER,
        r.InsufficientMargin,
        r.PositionTooLarge,
        r.NothingToReduce,
        r.LimitBroken,
    )

    def make_engine(self) -> Engine:
        wallets = (SPOT, "funding", *WALLET_OF.values())
        replace = msgspec.structs.replace
        margin = replace(RULES.margin, leverage_scope=self.scope, refits_isolated=self.refits)
        rules = replace(RULES, margin=margin, pair_wallets=(self.pair_wallet,))
        return Engine("test", {one.symbol: one for one in self.listed}, self.feed, wallets, rules)

    def begin(self, discounted: set[int], funds: int) -> None:
        super().begin(discounted, funds)
        for account in ACCOUNTS:
            for wallet, asset, amount in (
                ("usdm", "USDT", Decimal(2 * funds)),
                ("coinm", "BTC", Decimal(funds) / 100),
                ("usdm", "BTC", Decimal(funds) / 100),
                ("coinm", "USDT", Decimal(funds) / 10),
                ("usdm", "BNB", Decimal(funds) / 1000),
            ):
                self.do(
                    c.Deposit(account=account, wallet=wallet, asset=asset, amount=amount)
                )  # fmt: skip

    def wallet_of(self, symbol: str) -> str:
        contract = self.engine.instruments[symbol].contract
        return self.pair_wallet if contract is None else contract.wallet

    def set_leverage(
        self, account: int, symbol: str, leverage: int, *, leg: Leg | None, opposite: int | None
    ) -> None:
        self.do(
            c.SetLeverage(
                account=account,
                instrument=symbol,
                leverage=Decimal(leverage),
                leg=leg,
                opposite=None if leg is None or opposite is None else Decimal(opposite),
            )
        )

    def set_margin_mode(self, account: int, symbol: str, mode: MarginMode) -> None:
        self.do(c.SetMarginMode(account=account, instrument=symbol, mode=mode))

    def move_margin(self, account: int, symbol: str, amount: Decimal) -> None:
        self.do(c.MoveMargin(account=account, instrument=symbol, amount=amount))

    def set_collateral_mode(self, account: int, wallet: str, *, shared: bool) -> None:
        self.do(c.SetCollateralMode(account=account, wallet=wallet, shared=shared))

    def set_position_mode(self, account: int, wallet: str, *, hedged: bool) -> None:
        self.do(c.SetPositionMode(account=account, wallet=wallet, hedged=hedged))

    def jump(self, symbol: str, percent: int, mode: c.PriceMode) -> None:
        price = self.last(symbol) * (100 + percent) // 100
        self.do(
            c.SetPrice(pair=self.engine.instruments[symbol].pair, price=max(price, Decimal(2)), mode=mode)
        )

    def placing(self, account: int, symbol: str, wish: Wish) -> c.PlaceOrder:
        """With the terms that only contracts have, which follow from the size that is wished for."""
        placing = super().placing(account, symbol, wish)
        if symbol == PAIR.symbol:
            return placing
        terms, replace = placing.terms, msgspec.structs.replace
        if (account, placing.wallet) in self.engine.state.hedged:
            terms = replace(terms, leg=Leg.LONG if wish.lots % 2 else Leg.SHORT)
        position = self.engine.state.position(account, symbol, terms.leg)
        if wish.lots % 9 == 0 or (wish.lots % 2 and position.direction * _DIRECTION[wish.side] < 0):
            terms = replace(terms, reduce_only=True)
        if wish.type in ("stop", "market") and wish.lots % 4 == 0:
            terms = replace(terms, quantity=None, close_position=True)
        if terms.trigger is not None:
            source = (TriggerSource.LAST, TriggerSource.MARK, TriggerSource.INDEX)[wish.lots % 3]
            trigger = replace(terms.trigger, source=source)
            terms = replace(
                terms, trigger=trigger, price_protect=wish.lots % 5 == 0, detached=wish.lots % 7 < 3
            )
        if self.scope is LeverageScope.ISOLATED_ORDER and wish.lots % 3:
            terms = replace(terms, leverage=Decimal((1, 3, 7, 20, 25)[wish.lots % 5]))
        if wish.lots % 7 == 0:
            terms = replace(terms, good_till_us=self.now + SECOND * wish.lots)
        return replace(placing, terms=terms)

    def modify(self, pick: int, away: int | None, lots: int | None, of: Peg | None) -> None:
        listed = self.open_orders()
        order = listed[pick % len(listed)]
        price = None if away is None else max(STEP, self.last(order.instrument) + away * STEP)
        self.do(
            c.ModifyOrder(
                account=order.account,
                instrument=order.instrument,
                order=order.id,
                price=price,
                quantity=None if lots is None else LOT * lots,
                peg=of,
            )
        )

    def count_down(self, account: int, symbol: str, seconds: int) -> None:
        at_us = self.now + seconds * SECOND if seconds else None
        self.do(c.SetCountdown(account=account, instrument=symbol, at_us=at_us))

    def cancel_sort(self, account: int, symbol: str, *, dormant: bool) -> None:
        self.do(c.CancelAllOrders(account=account, instrument=symbol, dormant=dormant))

    def transfer(self, account: int, symbol: str, amount: int, *, is_inward: bool) -> None:
        """Between the wallet of an instrument and the one where nothing is traded."""
        contract = self.engine.instruments[symbol].contract
        asset, wallet = ("USDT", SPOT) if contract is None else (contract.settle, contract.wallet)
        source, target = ("funding", wallet) if is_inward else (wallet, "funding")
        self.do(
            c.Transfer(account=account, asset=asset, amount=Decimal(amount), source=source, target=target)
        )

    def exchange(self, account: int, wallet: str, sold: str, bought: str, percent: int) -> None:
        """So much of what is there, which may be more than is free, a tenth below what it is worth."""
        there = abs(self.engine.state.ledger.free(account, wallet, sold))
        with exact():
            amount = round_down(there * percent / 100, SATOSHI)
            got = divide_down(amount * _WORTH[sold] * 9, _WORTH[bought] * 10, SATOSHI)
        self.do(
            c.ExchangeAssets(
                account=account,
                wallet=wallet,
                sold=sold,
                sold_amount=amount,
                bought=bought,
                bought_amount=got,
                reference="a quote",
            )
        )

    def is_sound(self) -> None:
        super().is_sound()
        assert self.engine.audit() == []
        self.assert_nobody_is_lost()

    def assert_nobody_is_lost(self) -> None:
        assert_nobody_is_lost(self.engine, self.now)


def act(universe: FuturesUniverse, dice: Random) -> None:
    """One action; most are orders of contracts."""
    account, symbol = dice.choice(ACCOUNTS), dice.choice(CONTRACTS)
    match dice.randint(-14, 19):
        case -14:
            sold, bought = dice.sample(sorted(_WORTH), 2)
            universe.exchange(
                account, universe.wallet_of(symbol), sold, bought, dice.choice([1, 10, 50, 100, 101])
            )
        case -13:
            universe.pay_fees(account, dice.random() < 0.7)
        case -10 | -9:
            universe.jump(
                symbol, dice.choice([-30, -20, -12, -8, 8, 12, 20, 30]), dice.choice(list(c.PriceMode))
            )
        case -8 | -7 if universe.has_orders:
            wish = spot_dice.wish(dice)
            price, lots = dice.choice([wish.offset, wish.offset, None]), dice.choice([wish.lots, None])
            universe.modify(dice.randint(0, 1000), price, lots, wish.peg if wish.lots % 4 == 0 else None)
        case -6:
            universe.count_down(account, symbol, dice.choice([0, 1, 20, 20, 300]))
        case -5:
            universe.cancel_sort(account, symbol, dormant=dice.random() < 0.5)
        case -12 | -11:
            if dice.random() < 0.7:
                universe.cancel_all(account, symbol)
            universe.set_collateral_mode(account, universe.wallet_of(symbol), shared=dice.random() < 0.8)
        case -4 if dice.random() < 0.3:
            # Funding is due at whole hours.
            universe.wait(HOUR - universe.now % HOUR - dice.choice([0, 0, 1]))
        case -3:
            universe.cancel_all(account, symbol)
            universe.set_position_mode(account, universe.wallet_of(symbol), hedged=dice.random() < 0.7)
        case -2:
            universe.set_margin_mode(account, symbol, dice.choice(list(MarginMode)))
        case -1:
            universe.move_margin(account, symbol, Decimal(dice.choice([-20, -1, 1, 5, 20])) / 10)
        case 0:
            leverages = [1, 2, 5, 20, 25, 50, 60]
            leg = opposite = None
            if universe.scope is LeverageScope.ISOLATED_LEG:
                leg, opposite = dice.choice([None, *Leg]), dice.choice([None, *leverages])
            universe.set_leverage(account, symbol, dice.choice(leverages), leg=leg, opposite=opposite)
        case 1:
            universe.transfer(account, symbol, dice.randint(1, 90), is_inward=dice.random() < 0.5)
        case 2:
            spot_dice.act(universe, dice, PAIR.symbol)
        case kind if kind < 8:
            wish = spot_dice.wish(dice, "limit")
            universe.place(account, symbol, larger(wish, dice.choice([1, 1, 5])))
        case kind if kind < 11:
            universe.place(account, symbol, spot_dice.wish(dice, *WAITING))
        case _:
            spot_dice.act(universe, dice, symbol)


def larger(wish: Wish, times: int) -> Wish:
    return msgspec.structs.replace(wish, lots=wish.lots * times)
