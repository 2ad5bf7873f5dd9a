"""What is done with contracts as rules of a state machine, so that failures shrink; and what must hold of
positions after each of them, reckoned from their trades alone."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import ClassVar

import msgspec
from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.contracts import value_max
from emulator.core.coverage import mark_price
from emulator.core.ids import MARKET_ORDER
from emulator.core.instruments import Instrument, OrderType, Side
from emulator.core.margin import margin_value
from emulator.core.numbers import ZERO, exact
from emulator.core.orders import Cause, OrderTerms
from emulator.core.positions import Leg, MarginMode
from emulator.core.statement import WalletStatement, wallet_statement
from tests.core.world import MINUTE, SECOND, START
from tests.properties import dice as spot_dice
from tests.properties.futures_universe import CONTRACTS, HOUR, LINEAR, LISTED, WAITING, FuturesUniverse
from tests.properties.machine import accounts, coins, levels, lots, offsets, picks, wishes
from tests.properties.universe import ACCOUNTS, LOT, STEP, Wish

assert LINEAR.contract is not None
DELIVERY = START + 2 * HOUR
DATED = msgspec.structs.replace(
    LINEAR,
    symbol="BTCUSDT_DATED",
    contract=msgspec.structs.replace(
        LINEAR.contract, delivery_us=DELIVERY, funding_hours=0, delivery_fee=Decimal("0.0005")
    ),
)
TRADED = (*CONTRACTS, DATED.symbol)
WALLETS = {"usdm": ("USDT", "BTC", "BNB"), "coinm": ("BTC", "USDT")}
"""And what is in them."""
A_BIT = Decimal("0.00000001")

contracts = st.sampled_from([*CONTRACTS, *CONTRACTS, DATED.symbol])
wallets = st.sampled_from(sorted(WALLETS))
modes = st.sampled_from(MarginMode)
changes = st.permutations(WALLETS["usdm"]).map(lambda assets: (assets[0], assets[1]))
legs = st.sampled_from([Leg.LONG, Leg.SHORT])
pairs = st.permutations(ACCOUNTS).map(lambda all_of_them: (all_of_them[0], all_of_them[1]))
sizes = st.sampled_from([1, 3, 8, 15, 30, 60])
openings = st.sampled_from([True, True, False])
with_orders = precondition(lambda self: self.has_orders)

Key = tuple[int, str, Leg]
"""Account, contract and leg."""


class ContractUniverse(FuturesUniverse):
    """A universe that reckons positions from trades. seen: how often what
    happened, of all examples. is_drawn: whether Hypothesis is to be told."""

    listed: tuple[Instrument, ...] = (*LISTED, DATED)
    symbols = tuple(one.symbol for one in listed)
    seen: ClassVar[Counter[str]] = Counter()
    is_drawn = False

    def begin(self, discounted: set[int], funds: int) -> None:
        self.reckoned: dict[Key, Decimal] = {}
        super().begin(discounted, funds)

    def saw(self, what: str) -> None:
        self.seen[what] += 1
        if self.is_drawn:
            event(what)

    def remember(self, time_us: int, events: tuple[e.Event, ...]) -> None:
        super().remember(time_us, events)
        for one in events:
            match one:
                case e.TradeExecuted():
                    if one.instrument in TRADED and "BNB" in (one.taker_fee_asset, one.maker_fee_asset):
                        self.saw("discounted fee")
                    self._filled(one.taker, one.quantity)
                    self._filled(one.maker, one.quantity)
                case e.PositionTakenOver():
                    self._filled(one.order, one.quantity)
                case e.AutoDeleveraged():
                    self.saw("deleveraged")
                    self._filled(one.order, one.quantity)
                    self._filled(one.counter, one.quantity)
                case e.FundingPaid():
                    self.saw("funding")
                case e.AssetExchanged() if one.reference:
                    self.saw("exchanged")
                case e.LiquidationBegun():
                    self.saw("liquidation")
                case _:
                    pass

    def _filled(self, order_id: int, quantity: Decimal) -> None:
        if order_id == MARKET_ORDER:
            return
        order = self.engine.views.orders[order_id]
        if order.instrument not in TRADED:
            return
        terms = order.terms
        key = (order.account, order.instrument, terms.leg)
        before = self.reckoned.get(key, ZERO)
        after = before + (quantity if order.side is Side.BUY else -quantity)
        self.reckoned[key] = after
        if terms.reduces or terms.cause is not Cause.OWNER:
            assert abs(after) < abs(before), f"{order} made {after} of {before}"
            assert not after or (after > ZERO) is (before > ZERO), f"{order} turned {before} to {after}"
        if terms.leg is Leg.LONG:
            assert after >= ZERO
        elif terms.leg is Leg.SHORT:
            assert after <= ZERO
        mode = self.engine.state.choice(order.account, order.instrument).mode
        self.saw("one-way trade" if terms.leg is Leg.BOTH else "hedged trade")
        self.saw(f"{mode.value} trade")
        if terms.cause is Cause.DELIVERY:
            self.saw("delivery")

    # Rules

    def begin_trading(
        self, funds: int, hedged: set[int], isolated: set[int], shared: set[int], leverage: int
    ) -> None:
        """With what accounts choose before they trade; most of it can be chosen with nothing open only.
        The last one pays its fees in the discount asset, as long as it has some."""
        self.begin({ACCOUNTS[-1]}, funds)
        for account in ACCOUNTS:
            for wallet in WALLETS:
                if account in hedged:
                    self.set_position_mode(account, wallet, hedged=True)
                elif account in shared:
                    self.set_collateral_mode(account, wallet, shared=True)
            for symbol in TRADED:
                self.set_leverage(account, symbol, leverage, leg=None, opposite=None)
                if account in isolated:
                    self.set_margin_mode(account, symbol, MarginMode.ISOLATED)

    def meet(self, pair: tuple[int, int], symbol: str, many: int, offset: int, opens: bool) -> None:
        """Two accounts trade with each other; in hedge mode both open, or both close, their legs."""
        last = self.last(symbol)
        # Between nothing, so that it is them who meet.
        self.do(c.SetBook(instrument=symbol, bids=(), asks=()))
        price, wallet = max(STEP, last + offset * STEP), self.wallet_of(symbol)
        for account, side in zip(pair, (Side.SELL, Side.BUY), strict=True):
            leg = Leg.BOTH
            if (account, wallet) in self.engine.state.hedged:
                leg = Leg.LONG if (side is Side.BUY) is opens else Leg.SHORT
            terms = OrderTerms(side=side, type=OrderType.LIMIT, quantity=LOT * many, price=price, leg=leg)
            self.place_sized(c.PlaceOrder(account=account, wallet=wallet, instrument=symbol, terms=terms))

    def place_sized(self, command: c.PlaceOrder) -> None:
        """Place an order, which must not make a position larger than its leverage lets it be."""
        symbol, leg = command.instrument, command.terms.leg
        self.settle()
        before = abs(self.engine.state.position(command.account, symbol, leg).quantity)
        self.do(command)
        position = self.engine.state.position(command.account, symbol, leg)
        if abs(position.quantity) <= before:
            return
        contract = self.engine.instruments[symbol].contract
        assert contract is not None
        with exact():
            mark = mark_price(self.engine.state.markets[symbol], self.now)
            value = min(margin_value(contract, position, mark), position.cost)
            assert value <= value_max(contract, position.leverage), position

    def place(self, account: int, symbol: str, wish: Wish) -> None:
        self.place_sized(self.placing(account, symbol, wish))

    def take_out(self, account: int, wallet: str) -> None:
        """Exactly as much leaves as is said to be free to leave."""
        self.settle()
        with exact():
            statement = self._statement(account, wallet)
            most = {asset: statement.withdrawable(asset) for asset in WALLETS[wallet]}
        for asset, amount in most.items():
            beyond = self._moving(account, asset, amount + A_BIT, wallet)
            assert isinstance(self.do(beyond).rejection, r.InsufficientBalance | r.InsufficientMargin), beyond
        asset = WALLETS[wallet][0]
        if most[asset]:
            self.saw("taken out")
            done = self.do(self._moving(account, asset, most[asset], wallet))
            assert done.rejection is None, done

    def exchange_some(self, account: int, assets: tuple[str, str], percent: int) -> None:
        self.exchange(account, "usdm", *assets, percent)

    def _moving(self, account: int, asset: str, amount: Decimal, wallet: str) -> c.Transfer:
        return c.Transfer(account=account, asset=asset, amount=amount, source=wallet, target="funding")

    def change_mode(self, account: int, wallet: str, hedged: bool) -> None:
        """Between one position and two, with nothing open if it can be had."""
        for symbol in TRADED:
            if self.wallet_of(symbol) == wallet:
                self.cancel_all(account, symbol)
        for (symbol, leg), position in list(self.engine.state.accounts[account].positions.items()):
            if self.wallet_of(symbol) == wallet and position.quantity:
                terms = OrderTerms(
                    side=Side.SELL if position.quantity > ZERO else Side.BUY,
                    type=OrderType.MARKET,
                    quantity=abs(position.quantity),
                    leg=leg,
                    reduce_only=leg is Leg.BOTH,
                )
                self.do(c.PlaceOrder(account=account, wallet=wallet, instrument=symbol, terms=terms))
        before = (account, wallet) in self.engine.state.hedged
        self.set_position_mode(account, wallet, hedged=hedged)
        if ((account, wallet) in self.engine.state.hedged) is not before:
            self.saw("mode changed")

    def put_up(self, account: int, symbol: str, leg: Leg, tenths: int) -> None:
        is_hedged = (account, self.wallet_of(symbol)) in self.engine.state.hedged
        scale = 10 if symbol != CONTRACTS[1] else 1000
        self.do(
            c.MoveMargin(
                account=account,
                instrument=symbol,
                amount=Decimal(tenths) / scale,
                leg=leg if is_hedged else Leg.BOTH,
            )
        )

    def until_the_hour(self, early: bool) -> None:
        self.wait(HOUR - self.now % HOUR - early)

    # What holds

    def _statement(self, account: int, wallet: str) -> WalletStatement:
        state = self.engine.state
        return wallet_statement(state, self.engine.rules, state.accounts[account], wallet, self.now)

    def is_sound(self) -> None:
        super().is_sound()
        state = self.engine.state
        has = {key: position.quantity for key, position in state.positions.items() if position.quantity}
        assert has == {key: one for key, one in self.reckoned.items() if one}, (
            "positions are not their trades"
        )
        with exact():
            for account in ACCOUNTS:
                for wallet, assets in WALLETS.items():
                    self._check_statement(account, wallet, assets)

    def _check_statement(self, account: int, wallet: str, assets: tuple[str, ...]) -> None:
        """What is told to be available follows from what else is told."""
        statement, ledger = self._statement(account, wallet), self.engine.state.ledger
        is_shared = (account, wallet) in self.engine.state.shared
        for asset in assets:
            available, out = statement.available(asset), statement.withdrawable(asset)
            assert available >= ZERO
            assert out >= ZERO
            if is_shared:
                continue
            own = [one for one in statement.positions if one.contract.settle == asset]
            left = ledger.free(account, wallet, asset)
            for one in own:
                if one.position.mode is MarginMode.CROSS:
                    left += one.unrealised - one.needed.total
                else:
                    left -= one.needed.orders
            assert available == max(ZERO, left), (account, wallet, asset)
            assert out <= available


def roll_contracts(universe: ContractUniverse, seed: int, steps: int) -> None:
    """A run that is named by its seed: begin, act so many times with all checked after each, and end."""
    dice = Random(seed)
    hedged, isolated, shared = (
        {account for account in ACCOUNTS if dice.random() < part} for part in (0.6, 0.5, 0.15)
    )
    universe.begin_trading(dice.randint(10, 80), hedged, isolated, shared, dice.choice([20, 25, 50]))
    for step in range(steps):
        _act(universe, dice)
        universe.is_sound()
        if step % 20 == 19:
            universe.restart()
    if universe.now < DELIVERY and seed % 2:
        first, second, _ = ACCOUNTS
        universe.meet((first, second), DATED.symbol, 1, 0, opens=True)
        universe.wait(DELIVERY - universe.now)
    universe.end()


def _act(universe: ContractUniverse, dice: Random) -> None:
    account, symbol = dice.choice(ACCOUNTS), dice.choice([*CONTRACTS, *TRADED])
    wallet = universe.wallet_of(symbol)
    match dice.randint(0, 31):
        case kind if kind < 11:
            first, second, _ = dice.sample(ACCOUNTS, 3)
            sizes = [1, 8, 15, 30, 60, 120]
            universe.meet(
                (first, second), symbol, dice.choice(sizes), dice.randint(-4, 4), dice.random() < 0.75
            )
        case kind if kind < 15:
            universe.place(account, symbol, spot_dice.wish(dice, *(WAITING if kind == 14 else ())))
        case kind if kind < 19:
            universe.jump(symbol, dice.choice([-20, -8, -4, -2, 2, 4, 8, 20]), dice.choice(list(c.PriceMode)))
        case 19:
            universe.until_the_hour(early=dice.random() < 0.3)
        case 20:
            universe.set_leverage(account, symbol, dice.choice([1, 5, 20, 25, 50]), leg=None, opposite=None)
        case 21:
            universe.cancel_all(account, symbol)
            universe.set_margin_mode(account, symbol, dice.choice(list(MarginMode)))
        case 22:
            universe.put_up(
                account, symbol, dice.choice([Leg.LONG, Leg.SHORT]), dice.choice([-20, -1, 1, 20])
            )
        case 23 | 24:
            universe.change_mode(account, wallet, dice.random() < 0.65)
        case 25:
            universe.take_out(account, wallet)
        case 26:
            universe.transfer(account, symbol, dice.randint(1, 60), is_inward=True)
        case 27 if universe.has_orders:
            universe.modify(dice.randint(0, 1000), dice.randint(-4, 4), dice.choice([None, 3, 9]), None)
        case 28:
            universe.release(symbol)
        case 29:
            sold, bought = dice.sample(WALLETS["usdm"], 2)
            universe.exchange_some(account, (sold, bought), dice.choice([1, 50, 100, 101]))
        case 30:
            universe.pay_fees(account, dice.random() < 0.8)
        case _:
            universe.wait(dice.choice([1, SECOND, 20 * SECOND, 5 * MINUTE]))


class ContractMachine(RuleBasedStateMachine, ContractUniverse):
    """Subclasses say which market it is."""

    is_drawn = True

    begin_trading = initialize(
        funds=st.integers(10, 80),
        hedged=st.sets(accounts, min_size=1),
        isolated=st.sets(accounts),
        shared=st.sets(accounts, max_size=1),
        leverage=st.sampled_from([20, 25, 50, 5]),
    )(ContractUniverse.begin_trading)

    place = rule(account=accounts, symbol=contracts, wish=wishes())(ContractUniverse.place)
    place_waiting = rule(account=accounts, symbol=contracts, wish=wishes(*WAITING))(ContractUniverse.place)
    meet = rule(pair=pairs, symbol=contracts, many=sizes, offset=offsets, opens=openings)(
        ContractUniverse.meet
    )
    meet_again = rule(pair=pairs, symbol=contracts, many=sizes, offset=offsets, opens=openings)(
        ContractUniverse.meet
    )
    meet_once_more = rule(pair=pairs, symbol=contracts, many=sizes, offset=offsets, opens=openings)(
        ContractUniverse.meet
    )
    modify = with_orders(
        rule(pick=picks, away=st.none() | offsets, lots=st.none() | lots, of=st.none())(
            ContractUniverse.modify
        )
    )
    cancel = with_orders(rule(pick=picks, restriction=st.none())(ContractUniverse.cancel))
    cancel_all = rule(account=accounts, symbol=contracts)(ContractUniverse.cancel_all)
    count_down = rule(account=accounts, symbol=contracts, seconds=st.sampled_from([0, 1, 20, 300]))(
        ContractUniverse.count_down
    )

    jump = rule(
        symbol=contracts,
        percent=st.sampled_from([-30, -20, -12, -8, -4, 4, 8, 12, 20, 30]),
        mode=st.sampled_from(c.PriceMode),
    )(ContractUniverse.jump)
    set_book = rule(symbol=contracts, bids=levels, asks=levels, offset=offsets)(ContractUniverse.set_book)
    release = rule(symbol=contracts)(ContractUniverse.release)
    until_the_hour = rule(early=coins)(ContractUniverse.until_the_hour)
    wait = rule(step_us=st.sampled_from([1, SECOND // 3, SECOND, 20 * SECOND, 5 * MINUTE]))(
        ContractUniverse.wait
    )

    take_out = rule(account=accounts, wallet=wallets)(ContractUniverse.take_out)
    change_mode = rule(account=accounts, wallet=wallets, hedged=st.sampled_from([True, True, False]))(
        ContractUniverse.change_mode
    )
    restart = rule()(ContractUniverse.restart)
    put_up = rule(account=accounts, symbol=contracts, leg=legs, tenths=st.sampled_from([-20, -1, 1, 5, 20]))(
        ContractUniverse.put_up
    )

    exchange_some = rule(account=accounts, assets=changes, percent=st.sampled_from([1, 10, 50, 100, 101]))(
        ContractUniverse.exchange_some
    )
    pay_fees = rule(account=accounts, discounted=coins)(ContractUniverse.pay_fees)

    @rule(account=accounts, symbol=contracts, leverage=st.sampled_from([1, 2, 5, 20, 25, 50, 60]))
    def choose_leverage(self, account: int, symbol: str, leverage: int) -> None:
        self.set_leverage(account, symbol, leverage, leg=None, opposite=None)

    @rule(account=accounts, symbol=contracts, mode=modes)
    def choose_margin_mode(self, account: int, symbol: str, mode: MarginMode) -> None:
        self.cancel_all(account, symbol)
        self.set_margin_mode(account, symbol, mode)

    @rule(account=accounts, symbol=contracts, amount=st.integers(1, 90), inward=coins)
    def bring(self, account: int, symbol: str, amount: int, inward: bool) -> None:
        self.transfer(account, symbol, amount, is_inward=inward)

    @invariant()
    def stays_sound(self) -> None:
        if hasattr(self, "engine"):
            self.is_sound()

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.end()
            note(str(dict(self.seen)))
