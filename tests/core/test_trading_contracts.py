"""Contracts traded through an engine: positions, what they realise, and the margin that orders need."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.audit import corrections
from emulator.core.collateral import SeparateCollateral
from emulator.core.contracts import Contract
from emulator.core.coverage import collateral, mark_price
from emulator.core.engine import Engine
from emulator.core.instruments import Side
from emulator.core.ledger import FEES, PROFIT
from emulator.core.margin import CostRule
from emulator.core.numbers import exact
from emulator.core.order_lists import ListKind
from emulator.core.orders import EndReason, Order, OrderStatus
from emulator.core.positions import Leg, MarginMode, Position, entry_price, unrealised
from emulator.core.rules import MarginRules
from tests.core.futures import BTC, BTC_COIN, ETH, ETH_COIN
from tests.core.sameness import assert_same
from tests.core.scripted import ScriptedFeed
from tests.core.world import (
    SPOT,
    WALLET_OF,
    World,
    deep,
    instrument,
    limit,
    market,
    perpetual,
    plain,
    still,
    stop,
)

D = Decimal


class Pit(World):
    """A world where contracts are traded, by two who have the same funds."""

    def __init__(
        self, contract: Contract = BTC, feed: ScriptedFeed | None = None, *, funds: str = "1000000",
        margin: MarginRules | None = None, keeps_transactions: bool = False, **changes: Any,
    ) -> None:  # fmt: skip
        self.contract = contract
        self.wallet = WALLET_OF[contract.is_inverse]
        super().__init__(
            feed or still(),
            perpetual(contract, **changes),
            funds=funds,
            margin=margin,
            keeps_transactions=keeps_transactions,
        )

    def trade(self, quantity: str, price: str) -> tuple[Order, Order]:
        """Alice buys from bob, or sells to him, at a price; she takes."""
        signed = D(quantity)
        make, take = (self.sell, self.buy) if signed > 0 else (self.buy, self.sell)
        made = make(self.bob, plain(abs(signed)), price)
        return take(self.alice, plain(abs(signed)), price), made

    def position(self, account: int | None = None) -> Position:
        return self.engine.state.position(account or self.alice, self.symbol)

    def entry(self, account: int | None = None) -> str:
        with exact():
            return plain(entry_price(self.contract, self.position(account), D("0.00000001")))

    def balance(self, account: int | None = None) -> str:
        return plain(self.engine.state.ledger.total(account or self.alice, self.wallet, self.contract.settle))

    def leverage(self, leverage: str, account: int | None = None) -> c.SetLeverage:
        return c.SetLeverage(account=account or self.alice, instrument=self.symbol, leverage=D(leverage))

    def realised(self, account: int | None = None) -> list[str]:
        fills = self.engine.views.fills.get((account or self.alice, self.symbol), [])
        return [plain(fill.realised) for fill in fills]


# Positions and what they realise; the figures are those of docs/futures-maths.md


def test_a_linear_position_grows_shrinks_and_turns() -> None:
    """P1, P2 and P4."""
    pit = Pit()
    pit.trade("0.5", "100000")
    pit.trade("0.3", "101000")
    assert (plain(pit.position().quantity), pit.entry()) == ("0.8", "100375")
    pit.trade("-0.2", "102000")
    assert (plain(pit.position().quantity), pit.entry()) == ("0.6", "100375")
    pit.trade("-1", "99000")
    assert (plain(pit.position().quantity), pit.entry()) == ("-0.4", "99000")
    assert pit.realised() == ["0", "0", "325", "-825"]
    assert pit.realised(pit.bob) == ["0", "0", "-325", "825"]
    assert (pit.balance(), pit.balance(pit.bob)) == ("999500", "1000500")
    assert plain(pit.engine.state.ledger.counterparties[PROFIT]["USDT"]) == "0"


def test_an_inverse_position_settles_in_its_base() -> None:
    """P8 and P10: what is worth less as the price rises gains its holder."""
    pit = Pit(BTC_COIN, still("45000"), funds="10")
    pit.trade("100", "50000")
    pit.trade("100", "40000")
    assert pit.entry() == "44444.44444444"
    pit.trade("-50", "60000")
    assert (plain(pit.position().quantity), plain(pit.position().cost)) == ("150", "0.3375")
    assert pit.realised() == ["0", "0", "0.02916667"]
    assert (pit.balance(), pit.balance(pit.bob)) == ("10.02916667", "9.97083333")


def test_an_inverse_short_is_turned() -> None:
    """P11 and P12."""
    pit = Pit(ETH_COIN, base="ETH")
    pit.trade("-10", "2000")
    pit.trade("15", "2500")
    assert pit.realised() == ["0", "-0.01"]
    assert (plain(pit.position().quantity), plain(pit.position().cost)) == ("5", "0.02")


def test_fees_are_of_the_value_and_in_what_it_settles_in() -> None:
    """B1, and a rebate for who made."""
    pit = Pit(ETH, taker_fee="0.0004", maker_fee="-0.0001")
    taken, made = pit.trade("0.02", "3900")
    assert [(plain(one.fee), one.fee_asset) for one in pit.engine.views.fills_of[taken.id]] == [
        ("0.0312", "USDT")
    ]
    assert plain(pit.engine.views.fills_of[made.id][0].fee) == "-0.0078"
    assert (pit.balance(), pit.balance(pit.bob)) == ("999999.9688", "1000000.0078")
    assert plain(pit.engine.state.ledger.counterparties[FEES]["USDT"]) == "0.0234"
    inverse = Pit(BTC_COIN, taker_fee="0.0005")
    inverse.trade("10", "30000")
    assert inverse.balance() == "999999.99998334"
    assert plain(inverse.position().fees) == "0.00001666"


def test_what_a_trade_comes_to_is_in_what_it_settles_in() -> None:
    pit = Pit(BTC_COIN)
    taken, _ = pit.trade("10", "30000")
    assert plain(taken.executed_amount) == "0.03333333"


def test_the_market_may_be_on_the_other_side() -> None:
    pit = Pit(BTC, deep("100"))
    taken = pit.place(pit.alice, market(Side.BUY, "1.5"))
    assert pit.fills(taken) == [("100", "1"), ("101", "0.5")]
    assert plain(pit.position().cost) == "150.5"
    pit.place(pit.alice, market(Side.SELL, "1.5"))
    assert pit.fills(pit.engine.views.orders[taken.id + 1]) == [("99", "1"), ("98", "0.5")]
    assert not pit.engine.state.positions
    # 99 + 49 for what cost 150.5, of which two thirds and then the rest are released
    assert pit.balance() == "999997.5"
    assert plain(pit.engine.state.ledger.counterparties[PROFIT]["USDT"]) == "2.5"


def test_who_trades_with_himself_has_nothing_afterwards() -> None:
    pit = Pit(taker_fee="0.001")
    pit.buy(pit.alice, "1", "100")
    pit.sell(pit.alice, "1", "100")
    assert not pit.engine.state.positions
    assert pit.realised() == ["0", "0"]
    assert pit.balance() == "999999.9"


def test_orders_hold_nothing() -> None:
    pit = Pit()
    resting = pit.buy(pit.alice, "1", "90")
    assert (resting.hold_asset, plain(resting.held)) == ("USDT", "0")
    assert pit.free(pit.alice, "USDT", "usdm") == 1_000_000


# Margin


def test_an_order_needs_its_initial_margin() -> None:
    """At 20x, 100 for 1 contract needs 5."""
    pit = Pit(funds="5")
    refused = pit.refuses(pit.placing(pit.alice, limit(Side.BUY, "1.001", "100")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D("5.005"), available=D(5))
    pit.buy(pit.alice, "1", "100")
    refused = pit.refuses(pit.placing(pit.alice, limit(Side.BUY, "0.001", "100")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D("0.005"), available=D(0))
    # The two sides cover each other.
    pit.sell(pit.alice, "0.9", "100.1", post_only=True)


def test_the_cost_of_orders_counts_what_would_be_lost_at_once() -> None:
    """M8 and M9: a buy below the mark, a sell below it."""
    # The last price is the mark here, so the assumed one is 9259.84 * 1.0015 = 9273.72976; a 20th of that
    # and the open loss of 6.54 are 470.226488.
    rules = MarginRules(sell_premium=D("0.0015"))
    pit = Pit(BTC, still("9259.84"), funds="470.226487", margin=rules, price_step="0.01")
    refused = pit.refuses(pit.placing(pit.alice, limit(Side.SELL, "1", "9253.30")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D("470.226488"), available=D("470.226487"))
    pit.deposit(pit.alice, "USDT", "0.000001", "usdm")
    pit.sell(pit.alice, "1", "9253.30")
    pit = Pit(BTC, still("9259.84"), funds="462.665", price_step="0.01")
    pit.buy(pit.alice, "1", "9253.30")
    free_of_it = MarginRules(cost=CostRule(open_loss=False))
    pit = Pit(BTC, still("9259.84"), funds="462.992", margin=free_of_it, price_step="0.01")
    pit.sell(pit.alice, "1", "9253.30")


def test_an_order_that_only_closes_needs_nothing() -> None:
    pit = Pit(funds="5")
    pit.deposit(pit.bob, "USDT", "1000", "usdm")
    pit.trade("1", "100")
    pit.price("96")
    assert pit.refuses(pit.placing(pit.alice, limit(Side.BUY, "0.001", "96"))) == r.InsufficientMargin(
        asset="USDT", needed=D("0.0048"), available=D(0)
    )
    pit.buy(pit.bob, "1", "96")
    pit.place(pit.alice, market(Side.SELL, "1"))
    assert (pit.balance(), pit.realised()) == ("1", ["0", "-4"])


def test_a_market_order_is_judged_by_the_worst_price_that_it_finds() -> None:
    pit = Pit(BTC, deep("100"), funds="10.15")
    refused = pit.refuses(pit.placing(pit.alice, market(Side.BUY, "2")))
    # 202 / 20 for two at 101, and what 101 is above the mark of 100, twice.
    assert refused == r.InsufficientMargin(asset="USDT", needed=D("12.1"), available=D("10.15"))
    # An inverse contract is worth more, the lower it trades.
    inverse = Pit(BTC_COIN, deep("100"), funds="0.1")
    refused = inverse.refuses(inverse.placing(inverse.alice, market(Side.SELL, "2")))
    assert isinstance(refused, r.InsufficientMargin)
    with exact():
        # 200 / 98 at 20x, and the open loss 200 / 98 - 200 / 100
        assert refused.needed == D("0.10204082") + D("0.04081633")


def test_a_loss_is_paid_whether_it_is_there_or_not() -> None:
    """Who sells far below the mark owes what he lost, and can neither open nor take out anything."""
    pit = Pit(funds="5")
    pit.deposit(pit.bob, "USDT", "1000", "usdm")
    pit.trade("1", "100")
    pit.buy(pit.bob, "1", "80")
    pit.place(pit.alice, market(Side.SELL, "1"))
    assert (pit.balance(), pit.balance(pit.bob)) == ("-15", "1025")
    assert pit.engine.audit() == []
    assert isinstance(
        pit.refuses(pit.placing(pit.alice, limit(Side.BUY, "0.001", "80"))), r.InsufficientMargin
    )
    short = r.InsufficientBalance(asset="USDT", needed=D(1), available=D(0))
    where: dict[str, Any] = {"account": pit.alice, "asset": "USDT", "amount": D(1)}
    assert pit.refuses(c.Transfer(**where, source="usdm", target=SPOT)) == short
    assert pit.refuses(c.Withdraw(**where, wallet="usdm", fee=D(0))) == short
    assert pit.refuses(c.LockFunds(**where, wallet="usdm")) == short


def test_only_what_is_not_needed_may_leave() -> None:
    """A2: wallet 1000, long 2 at 4000 with 10x, mark 4100: 380 are available, 180 may leave."""
    pit = Pit(ETH, still("4000"), funds="1000")
    pit.deposit(pit.bob, "USDT", "10000", "usdm")
    pit.does(pit.leverage("10"))
    pit.trade("2", "4000")
    pit.price("4100")

    def leaving(amount: str) -> c.Withdraw:
        return c.Withdraw(account=pit.alice, wallet="usdm", asset="USDT", amount=D(amount), fee=D(0))

    refused = pit.refuses(leaving("180.01"))
    assert refused == r.InsufficientBalance(asset="USDT", needed=D("180.01"), available=D(180))
    pit.does(leaving("180"))
    # 200 of profit are left to trade on.
    pit.buy(pit.alice, "0.487", "4100")


def test_a_position_may_be_no_larger_than_its_leverage_admits() -> None:
    """T6: 800000 at 100x."""
    pit = Pit(funds="100000000", price_step="1")
    pit.does(pit.leverage("100"))
    pit.does(pit.leverage("100", pit.bob))
    pit.buy(pit.alice, "3000", "99")
    refused = pit.refuses(pit.placing(pit.alice, limit(Side.BUY, "5081", "99")))
    assert refused == r.PositionTooLarge(leverage=D(100), value=D(800019), most=D(800000))
    pit.buy(pit.alice, "5080", "99")


# What positions are valued at


def test_positions_are_valued_at_the_mark_price_which_trades_of_accounts_do_not_move() -> None:
    """10 at 100 need 50 at 20x; the last price of 120 is that of one trade between accounts."""
    pit = Pit(funds="1000")
    pit.trade("10", "100")
    pit.until(1)
    pit.trade("0.1", "120")
    state, account = pit.engine.state, pit.engine.state.accounts[pit.alice]
    with exact():
        assert mark_price(state.markets[pit.symbol], pit.now) == 100
        figures = collateral(state, pit.engine.rules, account, "usdm", pit.now)
    assert isinstance(figures, SeparateCollateral)
    # 10 at 100, and 0.1 for 12 of which 10 are there.
    assert plain(figures.figures["USDT"].unrealised) == "-2"
    assert plain(figures.figures["USDT"].position_margin) == "50.5"


def test_the_mark_follows_what_is_set_by_hand_and_is_there_again_after_a_restart() -> None:
    """A price moves the index; the contract's own book moves the mark alone, by its middle once it has
    stood for half a minute, and no further than the median lets it."""
    pit = Pit()

    def prices(engine: Engine) -> tuple[str, str]:
        marks = engine.state.markets[pit.symbol].marks
        assert marks is not None
        with exact():
            return plain(marks.index_price(pit.now)), plain(marks.mark_price(pit.now))

    assert prices(pit.engine) == ("100", "100")
    pit.price("104")
    assert prices(pit.engine) == ("104", "104")
    pit.price("105", c.PriceMode.SHIFT)
    assert prices(pit.engine) == ("105", "105")
    pit.until(1)
    pit.book([("106", "1")], [("108", "1")])
    pit.until(40)
    # The median of 105 (to which funding adds a hundredth), the book's middle, and its last price.
    assert prices(pit.engine) == ("105", "106")
    again = Engine("test", pit.engine.instruments, pit.feed, pit.engine.state.wallets, pit.engine.rules)
    again.restore(list(pit.engine.capture().parts()))
    for engine in (again, pit.replayed()):
        assert prices(engine) == ("105", "106")
        assert engine.fingerprint() == pit.engine.fingerprint()
    pit.does(c.ReleaseMarket(pair="BTC/USDT"))
    assert prices(pit.engine) == ("100", "100")
    assert pit.engine.fingerprint() != again.fingerprint()


# Leverage


def test_leverage_is_that_of_the_contract_until_it_is_chosen() -> None:
    pit = Pit(funds="100")
    assert pit.position().leverage == 20
    pit.trade("1", "100")
    pit.does(pit.leverage("2"))
    assert pit.position().leverage == 2
    assert pit.engine.state.position(pit.bob, pit.symbol).leverage == 20
    # 50 of 100 are needed now, so one more is too much with its 50 and the open loss of 1.
    refused = pit.refuses(pit.placing(pit.alice, limit(Side.BUY, "1", "101")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D("51.5"), available=D(50))
    pit.trade("-1", "100")
    assert pit.position().leverage == 2


@pytest.mark.parametrize("leverage", ["0.5", "151", "-1"])
def test_leverage_has_its_limits(leverage: str) -> None:
    pit = Pit()
    assert pit.refuses(pit.leverage(leverage)) == r.LeverageInvalid(leverage=D(leverage), most=D(150))


def test_a_choice_that_changes_nothing_is_refused() -> None:
    pit = Pit()
    assert pit.refuses(pit.leverage("20")) == r.SettingUnchanged(setting=r.Setting.LEVERAGE)
    pit.does(pit.leverage("7"))
    assert pit.refuses(pit.leverage("7")) == r.SettingUnchanged(setting=r.Setting.LEVERAGE)


def test_what_there_is_must_be_allowed_and_covered_at_another_leverage() -> None:
    pit = Pit(funds="100")
    pit.deposit(pit.bob, "USDT", "100000", "usdm")
    pit.trade("10", "100")
    assert pit.refuses(pit.leverage("9")) == r.InsufficientMargin(
        asset="USDT", needed=D("61.11111111"), available=D(50)
    )
    pit.does(pit.leverage("10"))
    rich = Pit(funds="100000000")
    rich.buy(rich.alice, "9000", "99")
    assert rich.refuses(rich.leverage("100")) == r.PositionTooLarge(
        leverage=D(100), value=D(891000), most=D(800000)
    )


# Isolated margin


def isolated(funds: str = "1000000", price: str = "100000", contract: Contract = BTC) -> Pit:
    pit = Pit(contract, still(price), funds=funds)
    pit.deposit(pit.bob, contract.settle, "1000000", pit.wallet)
    pit.does(c.SetMarginMode(account=pit.alice, instrument=pit.symbol, mode=MarginMode.ISOLATED))
    return pit


def moving_margin(pit: Pit, amount: str) -> c.MoveMargin:
    return c.MoveMargin(account=pit.alice, instrument=pit.symbol, amount=D(amount))


def test_an_isolated_position_takes_its_margin_from_the_wallet() -> None:
    """P13: 500 for 0.1 at 100000 with 20x, of which three tenths come back."""
    pit = isolated(funds="1000")
    pit.trade("0.1", "100000")
    assert plain(pit.position().margin) == "500"
    ledger = pit.engine.state.ledger
    assert (plain(ledger.free(pit.alice, "usdm", "USDT")), pit.balance()) == ("500", "1000")
    pit.trade("-0.03", "100000")
    assert (plain(pit.position().margin), plain(ledger.free(pit.alice, "usdm", "USDT"))) == ("350", "650")
    pit.trade("-0.17", "100000")
    assert (plain(pit.position().quantity), plain(pit.position().margin)) == ("-0.1", "500")
    pit.trade("0.1", "100000")
    assert (plain(ledger.free(pit.alice, "usdm", "USDT")), pit.balance()) == ("1000", "1000")


def test_an_inverse_one_puts_up_coins() -> None:
    """P15: 10000 / (50000 * 25)."""
    pit = isolated("1", "50000", BTC_COIN)
    pit.does(pit.leverage("25"))
    pit.trade("100", "50000")
    assert plain(pit.position().margin) == "0.008"


def test_profit_of_an_isolated_position_is_not_available_to_others() -> None:
    pit = isolated(funds="1000")
    pit.trade("0.1", "100000")
    pit.price("110000")
    refused = pit.refuses(pit.placing(pit.alice, limit(Side.BUY, "0.1", "100100")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D("500.5"), available=D(500))
    pit.buy(pit.alice, "0.1", "100000")


def test_margin_is_added_and_taken_back() -> None:
    pit = isolated(funds="1000")
    pit.trade("0.1", "100000")
    refused = pit.refuses(moving_margin(pit, "500.01"))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D("500.01"), available=D(500))
    pit.does(moving_margin(pit, "200"))
    assert plain(pit.position().margin) == "700"
    assert pit.refuses(moving_margin(pit, "-200.01")) == r.MarginNeeded(asset="USDT", spare=D(200))
    # At 99000 it needs 495 and has lost 100.
    pit.price("99000")
    assert pit.refuses(moving_margin(pit, "-105.01")) == r.MarginNeeded(asset="USDT", spare=D(105))
    pit.does(moving_margin(pit, "-105"))
    assert (plain(pit.position().margin), pit.balance()) == ("595", "1000")
    # A profit is not margin: 505 are needed at 101000.
    pit.price("101000")
    assert pit.refuses(moving_margin(pit, "-91")) == r.MarginNeeded(asset="USDT", spare=D(90))
    assert pit.engine.audit() == []


def test_only_an_isolated_position_has_margin_to_move() -> None:
    pit = Pit(funds="1000")
    assert pit.refuses(moving_margin(pit, "1")) == r.NoIsolatedPosition()
    pit.trade("1", "100")
    assert pit.refuses(moving_margin(pit, "1")) == r.NoIsolatedPosition(is_cross=True)
    for amount in ("0", "0.000000001"):
        assert pit.refuses(moving_margin(pit, amount)) == r.AmountInvalid(amount=D(amount))


def test_the_margin_mode_waits_until_there_is_nothing() -> None:
    pit = Pit()
    asked = c.SetMarginMode(account=pit.alice, instrument=pit.symbol, mode=MarginMode.ISOLATED)
    back = c.SetMarginMode(account=pit.alice, instrument=pit.symbol, mode=MarginMode.CROSS)
    assert pit.refuses(back) == r.SettingUnchanged(setting=r.Setting.MARGIN_MODE)
    resting = pit.buy(pit.alice, "1", "90")
    blocked = r.SettingBlocked(setting=r.Setting.MARGIN_MODE, obstacle=r.Obstacle.ORDERS)
    assert pit.refuses(asked) == blocked
    pit.cancel(resting)
    pit.trade("1", "100")
    blocked = r.SettingBlocked(setting=r.Setting.MARGIN_MODE, obstacle=r.Obstacle.POSITION)
    assert pit.refuses(asked) == blocked
    pit.trade("-1", "100")
    pit.does(asked)
    assert pit.position().mode is MarginMode.ISOLATED
    assert pit.position(pit.bob).mode is MarginMode.CROSS


def test_an_isolated_position_is_not_held_at_less_leverage_than_it_was_opened_at() -> None:
    pit = isolated()
    pit.trade("0.1", "100000")
    blocked = r.SettingBlocked(setting=r.Setting.LEVERAGE, obstacle=r.Obstacle.POSITION)
    assert pit.refuses(pit.leverage("19")) == blocked
    pit.does(pit.leverage("50"))
    assert (plain(pit.position().margin), plain(pit.position().leverage)) == ("500", "50")
    pit.does(moving_margin(pit, "-300"))


# What contracts do not have, and spot does


def test_a_contract_is_traded_in_its_wallet_only() -> None:
    pit = Pit()
    for wallet in (SPOT, "coinm", "nowhere"):
        placing = c.PlaceOrder(
            account=pit.alice, wallet=wallet, instrument=pit.symbol, terms=limit(Side.BUY, "1", "90")
        )
        assert pit.refuses(placing) == r.UnknownWallet(wallet=wallet)


def test_there_is_no_order_by_amount() -> None:
    pit = Pit()
    refused = pit.refuses(pit.placing(pit.alice, market(Side.BUY, budget="50")))
    assert refused == r.FeatureOff(feature=r.Feature.QUOTE_QUANTITY)


def test_a_pair_has_no_leverage() -> None:
    world = World()
    asked = c.SetLeverage(account=world.alice, instrument=world.symbol, leverage=D(5))
    assert world.refuses(asked) == r.NotAContract(instrument=world.symbol)
    unknown = c.SetLeverage(account=world.alice, instrument="X", leverage=D(5))
    assert world.refuses(unknown) == r.UnknownInstrument(instrument="X")


def test_notional_limits_are_about_the_value() -> None:
    pit = Pit(notional_min="100")
    assert isinstance(pit.refuses(pit.placing(pit.alice, limit(Side.BUY, "1", "99"))), r.LimitBroken)
    pit.buy(pit.alice, "1", "100")
    inverse = Pit(BTC_COIN, notional_min="200")
    assert isinstance(
        inverse.refuses(inverse.placing(inverse.alice, limit(Side.BUY, "1", "99"))), r.LimitBroken
    )
    inverse.buy(inverse.alice, "2", "99")


# Triggers


def test_a_trigger_order_needs_margin_only_when_it_fires() -> None:
    pit = Pit(funds="5")
    pit.deposit(pit.bob, "USDT", "1000", "usdm")
    stopped = pit.place(pit.alice, market(Side.BUY, "1", trigger=stop("110")))
    pit.buy(pit.alice, "0.9", "99")
    pit.sell(pit.bob, "1", "110")
    pit.price("110")
    assert (stopped.status, stopped.end_reason) == (OrderStatus.EXPIRED, EndReason.INSUFFICIENT_BALANCE)


def test_a_stop_closes_a_position() -> None:
    pit = Pit()
    pit.trade("1", "100")
    stopped = pit.place(pit.alice, market(Side.SELL, "1", trigger=stop("90")))
    pit.buy(pit.bob, "1", "85")
    pit.price("90")
    assert stopped.status is OrderStatus.FILLED
    assert pit.realised() == ["0", "-15"]


# Kept and told again


@pytest.mark.parametrize("contract", [BTC, BTC_COIN])
def test_it_comes_to_the_same_again(contract: Contract) -> None:
    pit = Pit(contract, taker_fee="0.0004")
    pit.does(pit.leverage("7"))
    pit.trade("5", "99.1")
    pit.trade("-2", "97")
    pit.trade("-7", "98.3")
    pit.sell(pit.alice, "3", "120")
    engine, replayed = pit.engine, pit.replayed()
    assert_same(engine, replayed)
    restored = Engine("test", engine.instruments, pit.feed, engine.state.wallets, engine.rules)
    restored.restore(list(engine.capture().parts()))
    assert_same(engine, restored)
    closing = pit.placing(pit.bob, market(Side.SELL, "4"))
    done = engine.execute(closing, pit.now)
    assert done.events
    assert replayed.execute(closing, pit.now) == restored.execute(closing, pit.now) == done
    assert_same(engine, replayed)
    assert_same(engine, restored)


def test_a_pair_is_not_traded_where_contracts_are() -> None:
    """What covers positions cannot be spent."""
    world = World(still(), instrument(), perpetual(BTC))
    buying = limit(Side.BUY, "1", "90")
    where: dict[str, Any] = {"account": world.alice, "wallet": "usdm", "instrument": world.symbol}
    refused = r.UnknownWallet(wallet="usdm")
    assert world.refuses(c.PlaceOrder(**where, terms=buying)) == refused
    assert world.refuses(c.TestOrder(**where, terms=buying)) == refused
    assert world.refuses(c.PlaceOrderList(**where, kind=ListKind.OTO, legs=(buying, buying))) == refused


def test_spot_beside_it_is_untouched() -> None:
    """The same account trades both, each from its wallet."""
    world = World(still(), instrument(), perpetual(BTC))
    world.buy(world.alice, "1", "90")
    world.symbol = "BTCUSDT_PERP"
    world.buy(world.alice, "1", "90")
    assert (plain(world.held(world.alice, "USDT")), plain(world.free(world.alice, "USDT", "usdm"))) == (
        "90",
        "1000000",
    )


# Orders that may only reduce


def closing(pit: Pit, side: Side, *, trigger: str | None = None, **terms: Any) -> c.PlaceOrder:
    fires = None if trigger is None else stop(trigger)
    return pit.placing(pit.alice, market(side, close_position=True, trigger=fires, **terms))


def test_without_a_position_there_is_nothing_to_reduce() -> None:
    pit = Pit()
    for side in Side:
        placing = pit.placing(pit.alice, limit(side, "1", "100", reduce_only=True))
        assert pit.refuses(placing) == r.NothingToReduce()
    pit.trade("1", "100")
    wrong = pit.placing(pit.alice, limit(Side.BUY, "1", "90", reduce_only=True))
    assert pit.refuses(wrong) == r.NothingToReduce()


def test_what_reduces_is_as_large_as_the_position_at_most() -> None:
    pit = Pit()
    pit.trade("1", "100")
    first = pit.sell(pit.alice, "0.7", "110", reduce_only=True)
    second = pit.sell(pit.alice, "0.7", "111", reduce_only=True)
    assert (plain(first.remaining), plain(second.remaining)) == ("0.7", "0.3")
    third = pit.placing(pit.alice, limit(Side.SELL, "0.7", "112", reduce_only=True))
    assert pit.refuses(third) == r.NothingToReduce()
    strict = Pit(margin=MarginRules(shrinks_reducing=False))
    strict.trade("1", "100")
    placing = strict.placing(strict.alice, limit(Side.SELL, "1.1", "110", reduce_only=True))
    assert strict.refuses(placing) == r.NothingToReduce()
    strict.sell(strict.alice, "1", "110", reduce_only=True)


def test_what_reduces_needs_no_margin() -> None:
    pit = Pit(funds="5")
    pit.deposit(pit.bob, "USDT", "1000", "usdm")
    pit.trade("1", "100")
    pit.sell(pit.alice, "0.5", "110", reduce_only=True)
    pit.sell(pit.alice, "0.5", "95.1", post_only=False, reduce_only=True)


def test_what_reduces_ends_with_the_position() -> None:
    pit = Pit()
    pit.trade("1", "100")
    resting = pit.sell(pit.alice, "1", "110", reduce_only=True)
    dormant = pit.engine.views.orders[pit.does(closing(pit, Side.SELL, trigger="80"))[0].order]  # type: ignore[attr-defined]  # it was placed
    pit.trade("-0.4", "100")
    assert resting.status is OrderStatus.NEW
    pit.trade("-0.6", "100")
    for order in (resting, dormant):
        assert (order.status, order.end_reason) == (OrderStatus.EXPIRED, EndReason.NOTHING_TO_REDUCE)


def test_what_reduces_never_turns_a_position_even_within_one_walk() -> None:
    """The better of alice's two sells closes most; the other one may then trade the rest only."""
    pit = Pit()
    pit.trade("1", "100")
    plainly = pit.sell(pit.alice, "0.8", "101")
    reducing = pit.sell(pit.alice, "1", "102", reduce_only=True)
    taken = pit.buy(pit.bob, "3", "103")
    assert pit.fills(plainly) == [("101", "0.8")]
    assert pit.fills(reducing) == [("102", "0.2")]
    assert (reducing.status, reducing.end_reason) == (OrderStatus.EXPIRED, EndReason.NOTHING_TO_REDUCE)
    assert plain(taken.remaining) == "2"
    assert not pit.position().quantity


def test_the_market_takes_no_more_of_it_either() -> None:
    pit = Pit()
    pit.trade("1", "100")
    plainly = pit.sell(pit.alice, "0.8", "101")
    reducing = pit.sell(pit.alice, "1", "102", reduce_only=True)
    pit.prints("102", "5")
    assert pit.fills(plainly) == [("101", "0.8")]
    assert pit.fills(reducing) == [("102", "0.2")]
    assert not pit.position().quantity


def test_closing_takes_what_there_is_when_it_fires() -> None:
    pit = Pit()
    pit.trade("1", "100")
    (placed,) = pit.does(closing(pit, Side.SELL, trigger="90"))
    pit.trade("0.5", "100")
    pit.buy(pit.bob, "4", "88")
    pit.price("90")
    order = pit.engine.views.orders[placed.order]  # type: ignore[attr-defined]  # it was placed
    assert (order.status, pit.fills(order)) == (OrderStatus.FILLED, [("88", "1.5")])
    assert not pit.position().quantity
    pit.trade("-2", "100")
    pit.sell(pit.bob, "5", "100")
    pit.does(closing(pit, Side.BUY))
    assert not pit.position().quantity


def test_a_stop_that_may_only_reduce_finds_less_or_nothing() -> None:
    pit = Pit()
    pit.trade("1", "100")
    less = pit.place(pit.alice, market(Side.SELL, "2", trigger=stop("90"), reduce_only=True))
    nothing = pit.place(pit.alice, market(Side.SELL, "1", trigger=stop("85"), reduce_only=True))
    pit.buy(pit.bob, "4", "84")
    pit.price("90")
    assert (less.status, plain(less.executed)) == (OrderStatus.FILLED, "1")
    pit.price("85")
    assert (nothing.status, nothing.end_reason) == (OrderStatus.EXPIRED, EndReason.NOTHING_TO_REDUCE)


@pytest.mark.parametrize("terms", [{"reduce_only": True}, {"leg": Leg.LONG}])
def test_a_pair_has_no_positions(terms: dict[str, Any]) -> None:
    world = World()
    placing = world.placing(world.alice, limit(Side.BUY, "1", "90", **terms))
    assert world.refuses(placing) == r.NotAContract(instrument=world.symbol)


def test_closing_has_no_quantity() -> None:
    pit = Pit()
    placing = pit.placing(pit.alice, market(Side.SELL, "1", close_position=True))
    assert isinstance(pit.refuses(placing), r.OrderTermsInvalid)


# Two legs


def hedging(pit: Pit, *, hedged: bool = True) -> c.SetPositionMode:
    return c.SetPositionMode(account=pit.alice, wallet=pit.wallet, hedged=hedged)


def test_two_legs_are_held_side_by_side() -> None:
    """P6: at 100500 the long leg gains 100, the short one 50."""
    pit = Pit(feed=still("100000"))
    pit.does(hedging(pit))
    pit.sell(pit.bob, "0.2", "100000")
    pit.buy(pit.alice, "0.2", "100000", leg=Leg.LONG)
    pit.buy(pit.bob, "0.1", "101000")
    pit.sell(pit.alice, "0.1", "101000", leg=Leg.SHORT)
    state = pit.engine.state
    legs = [state.position(pit.alice, pit.symbol, leg) for leg in (Leg.LONG, Leg.SHORT)]
    assert [plain(leg.quantity) for leg in legs] == ["0.2", "-0.1"]
    with exact():
        assert [plain(unrealised(BTC, leg, D(100500))) for leg in legs] == ["100", "50"]
    # Each needs its own margin at the mark of 100000: 20000 / 20 and 10000 / 20.
    with exact():
        covered = collateral(state, pit.engine.rules, state.accounts[pit.alice], "usdm", pit.now)
        margins = covered.figures["USDT"].cross_margin
    assert margins == 1500
    pit.buy(pit.bob, "0.2", "100000")
    pit.sell(pit.alice, "0.2", "100000", leg=Leg.LONG)
    assert list(state.accounts[pit.alice].positions) == [(pit.symbol, Leg.SHORT)]


def test_a_leg_is_named_where_there_are_legs_and_only_there() -> None:
    pit = Pit()
    named = pit.placing(pit.alice, limit(Side.BUY, "1", "90", leg=Leg.LONG))
    unnamed = pit.placing(pit.alice, limit(Side.BUY, "1", "90"))
    assert pit.refuses(named) == r.LegWrong()
    pit.does(hedging(pit))
    assert pit.refuses(unnamed) == r.LegWrong()
    pit.does(named)


def test_against_a_leg_an_order_only_reduces() -> None:
    pit = Pit()
    pit.does(hedging(pit))
    sell = pit.placing(pit.alice, limit(Side.SELL, "1", "100", leg=Leg.LONG))
    assert pit.refuses(sell) == r.NothingToReduce()
    pit.sell(pit.bob, "1", "100")
    pit.buy(pit.alice, "1", "100", leg=Leg.LONG)
    assert plain(pit.sell(pit.alice, "5", "110", leg=Leg.LONG).remaining) == "1"
    opening = pit.placing(pit.alice, limit(Side.BUY, "1", "90", leg=Leg.LONG, reduce_only=True))
    assert pit.refuses(opening) == r.NothingToReduce()


def test_the_position_mode_waits_until_there_is_nothing() -> None:
    pit = Pit()
    mode = r.Setting.POSITION_MODE
    assert pit.refuses(hedging(pit, hedged=False)) == r.SettingUnchanged(setting=mode)
    elsewhere = c.SetPositionMode(account=pit.alice, wallet=SPOT, hedged=True)
    assert pit.refuses(elsewhere) == r.UnknownWallet(wallet=SPOT)
    resting = pit.buy(pit.alice, "1", "90")
    assert pit.refuses(hedging(pit)) == r.SettingBlocked(setting=mode, obstacle=r.Obstacle.ORDERS)
    pit.cancel(resting)
    pit.trade("1", "100")
    assert pit.refuses(hedging(pit)) == r.SettingBlocked(setting=mode, obstacle=r.Obstacle.POSITION)
    pit.trade("-1", "100")
    pit.does(hedging(pit))
    pit.does(hedging(pit, hedged=False))


def test_margin_that_is_not_there_is_found_and_made_up_for() -> None:
    """Where more is owed than there is, it stays owed."""
    pit = isolated(funds="600")
    pit.trade("0.1", "100000")
    balance = pit.engine.state.ledger.wallets[pit.alice, "usdm"]["USDT"]
    balance.held -= D(200)
    balance.free -= D(150)
    wrong = [str(one) for one in pit.engine.audit()]
    assert wrong == [
        "held of USDT of account 1 in usdm: expected 500, found 300",
        "sum of USDT: expected 0, found -350",
    ]
    with exact():
        wanted = corrections(pit.engine.state)
    for command in wanted:
        assert pit.engine.execute(command, pit.now).rejection is None
    assert pit.engine.audit() == []
    assert (plain(balance.free), plain(balance.held)) == ("-250", "500")
