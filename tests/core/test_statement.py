"""What an owner is told of a wallet of contracts, with every figure reckoned by hand beside it."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core.numbers import exact
from emulator.core.positions import Leg, MarginMode
from emulator.core.statement import PositionStatement, WalletStatement, position_statement, wallet_statement
from tests.core.futures import BTC, BTC_COIN
from tests.core.test_trading_contracts import Pit
from tests.core.world import plain, still

STEP = Decimal("0.01")


def told(pit: Pit) -> WalletStatement:
    engine = pit.engine
    with exact():
        account = engine.state.accounts[pit.alice]
        return wallet_statement(engine.state, engine.rules, account, pit.wallet, pit.now)


def only(statement: WalletStatement) -> PositionStatement:
    (position,) = statement.positions
    return position


def test_a_cross_position_and_an_order_beside_it() -> None:
    pit = Pit(BTC, still("100000"), funds="20000")
    pit.trade("1", "100000")
    pit.price("98000")
    pit.buy(pit.alice, "0.5", "90000")
    statement = told(pit)
    position = only(statement)
    assert (plain(position.mark), plain(position.value)) == ("98000", "98000")
    assert plain(position.unrealised) == "-2000"  # 1 x (98,000 - 100,000)
    assert plain(position.needed.position) == "4900"  # 98,000 / 20
    assert plain(position.needed.orders) == "2250"  # 0.5 x 90,000 / 20
    assert plain(position.maintenance) == "392"  # 98,000 x 0.004
    assert plain(position.resting.bids) == "45000"
    assert plain(position.funds) == "20000"
    # (20,000 - 100,000) / (0.004 - 1) = 80,321.285
    assert plain(position.liquidation or Decimal(0)) == "80321.3"
    assert plain(position.bankruptcy or Decimal(0)) == "80000"
    assert plain(position.value_max) == "100000000"  # the cap of the last tier that admits 20
    with exact():
        assert plain(position.entry(STEP)) == "100000"
        totals = statement.totals("USDT")
        # 20,000 - 2,000 - 4,900 - 2,250
        assert plain(statement.available("USDT")) == plain(totals.available) == "10850"
        assert plain(statement.withdrawable("USDT")) == "10850"
    assert (plain(totals.wallet), plain(totals.margin_balance)) == ("20000", "18000")
    assert (plain(totals.initial_margin), plain(totals.maintenance)) == ("7150", "392")


def test_an_isolated_position_stands_for_itself() -> None:
    pit = Pit(BTC, still("100000"), funds="20000")
    pit.does(c.SetMarginMode(account=pit.alice, instrument=pit.symbol, mode=MarginMode.ISOLATED))
    pit.trade("1", "100000")
    pit.price("98000")
    statement = told(pit)
    position = only(statement)
    assert plain(position.funds) == "5000"  # 100,000 / 20
    # (5,000 - 100,000) / (0.004 - 1) = 95,381.526
    assert plain(position.liquidation or Decimal(0)) == "95381.5"
    assert plain(position.bankruptcy or Decimal(0)) == "95000"
    own = statement.assets["USDT"]
    assert (plain(own.wallet), plain(own.cross_wallet), plain(own.isolated)) == ("20000", "15000", "5000")
    with exact():
        assert plain(statement.available("USDT")) == "15000"


def test_an_inverse_position_is_told_in_its_coin() -> None:
    pit = Pit(BTC_COIN, still("50000"), funds="1")
    pit.trade("100", "50000")
    pit.does(c.SetPrice(pair="BTC/USD", price=Decimal(40000)))
    position = only(told(pit))
    assert plain(position.value) == "0.25"  # 100 x 100 / 40,000
    assert plain(position.unrealised) == "-0.05"  # 10,000 x (1 / 50,000 - 1 / 40,000)
    assert plain(position.needed.position) == "0.0125"
    # (100 x 0.004 + 100) / (1 / 100 + 100 / 50,000) = 8,366.67
    assert plain(position.liquidation or Decimal(0)) == "8366.7"


def test_legs_of_hedge_mode_share_one_liquidation_price() -> None:
    pit = Pit(BTC, still("100000"), funds="20000")
    pit.does(c.SetPositionMode(account=pit.alice, wallet=pit.wallet, hedged=True))
    pit.sell(pit.bob, "1", "100000")
    pit.buy(pit.alice, "1", "100000", leg=Leg.LONG)
    pit.buy(pit.bob, "0.4", "99000")
    pit.sell(pit.alice, "0.4", "99000", leg=Leg.SHORT)
    statement = told(pit)
    long, short = statement.positions
    assert (long.position.leg, short.position.leg) == (Leg.LONG, Leg.SHORT)
    # (20,000 - 100,000 + 39,600) / (1.4 x 0.004 - 0.6) = 67,967.698
    assert plain(long.liquidation or Decimal(0)) == plain(short.liquidation or Decimal(0)) == "67967.7"


def test_what_is_not_there_has_its_settings() -> None:
    pit = Pit(BTC, still("100000"), funds="20000")
    assert told(pit).positions == ()
    pit.does(pit.leverage("50"))
    with exact():
        account = pit.engine.state.accounts[pit.alice]
        flat = position_statement(pit.engine.state, account, pit.symbol, Leg.BOTH, pit.now)
        assert (plain(flat.value), flat.liquidation, plain(flat.entry(STEP))) == ("0", None, "0")
    assert (plain(flat.position.leverage), plain(flat.value_max)) == ("50", "12000000")
