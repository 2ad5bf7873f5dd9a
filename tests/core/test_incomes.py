"""Incomes: why a wallet of contracts has more or less than before, and how that is asked for."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core.history import (
    ContractSettings,
    Income,
    IncomeKind,
    PositionRecord,
    WalletSettings,
    incomes_of,
)
from emulator.core.positions import Leg, MarginMode
from tests.core.futures import BTC, ETH
from tests.core.test_trading_contracts import Pit
from tests.core.world import SPOT, World, perpetual, plain, still

D = Decimal


def told(world: World, account: int, wallet: str = "usdm", **asked: object) -> list[tuple[str, str, str]]:
    """Kind, amount and instrument of what a query finds."""
    query = incomes_of(account, wallet, **asked)  # type: ignore[arg-type]  # what a test asks for
    found = world.engine.views.select(Income, query)
    return [(one.kind.value, plain(one.amount), one.instrument) for one in found]


def test_a_trade_realises_and_costs() -> None:
    """0.1 bought at 100000 and sold at 101000: 100 gained, 0.04 % of 10000 and of 10100 paid."""
    pit = Pit(feed=still("100000"), taker_fee="0.0004", maker_fee="-0.0001", funds="5000")
    opened, _ = pit.trade("0.1", "100000")
    closed, _ = pit.trade("-0.1", "101000")
    symbol = pit.symbol
    assert told(pit, pit.alice) == [
        ("deposit", "5000", ""),
        ("commission", "-4", symbol),
        ("realised", "100", symbol),
        ("commission", "-4.04", symbol),
    ]
    assert told(pit, pit.bob) == [
        ("deposit", "5000", ""),
        ("commission", "1", symbol),
        ("realised", "-100", symbol),
        ("commission", "1.01", symbol),
    ]
    trades = [pit.engine.views.fills_of[one.id][0].trade for one in (opened, closed)]
    incomes = pit.engine.views.select(Income, incomes_of(pit.alice, "usdm"))
    assert [one.trade for one in incomes] == [0, trades[0], trades[1], trades[1]]
    assert incomes[-1].time_us == pit.now


def test_incomes_are_asked_for_by_kind_instrument_and_time() -> None:
    world = World(None, perpetual(BTC), perpetual(ETH, symbol="ETHUSDT_PERP", base="ETH"), funds="5000")
    alice, first_us = world.alice, world.now
    for moment, symbol in enumerate(("BTCUSDT_PERP", "ETHUSDT_PERP", "BTCUSDT_PERP")):
        world.wait(1_000_000)
        world.symbol = symbol
        world.sell(world.bob, "1", f"{100 + moment}")
        world.buy(alice, "1", f"{100 + moment}")
        world.buy(world.bob, "1", f"{99 + moment}")
        world.sell(alice, "1", f"{99 + moment}")
    world.does(c.Transfer(account=alice, asset="USDT", amount=D(5), source="usdm", target=SPOT))
    realised = IncomeKind.REALISED
    both = [("realised", "-1", "BTCUSDT_PERP"), ("realised", "-1", "ETHUSDT_PERP")]
    assert told(world, alice, kind=realised, limit=2) == both
    assert told(world, alice, kind=realised, instrument="BTCUSDT_PERP") == [both[0], both[0]]
    assert told(world, alice, instrument="ETHUSDT_PERP") == [both[1]]
    assert told(world, alice, kind=IncomeKind.TRANSFER) == [("transfer", "-5", "")]
    assert told(world, alice, limit=2, newest=True) == [both[0], ("transfer", "-5", "")]
    second_us = first_us + 2_000_000
    assert told(world, alice, start_us=second_us, end_us=second_us) == [both[1]]
    assert told(world, alice, wallet="coinm", kind=realised) == []
    assert told(world, alice, wallet=SPOT) == [], "a wallet without contracts has no incomes"


def test_positions_and_settings_are_recorded_as_they_are_now() -> None:
    pit = Pit()
    pit.engine.keep_records()
    pit.does(pit.leverage("7"))
    pit.trade("0.5", "100")
    pit.trade("0.5", "100")
    taken = pit.engine.take().records
    (position,) = [one for one in taken if isinstance(one, PositionRecord) and one.account == pit.alice]
    assert position.position == pit.position()
    assert (position.position.quantity, position.time_us) == (D(1), pit.now)
    assert [one for one in taken if isinstance(one, ContractSettings)] == [
        ContractSettings(pit.alice, pit.symbol, D(7), MarginMode.CROSS, pit.now)
    ]
    pit.trade("-1", "100")
    pit.does(c.SetPositionMode(account=pit.alice, wallet="usdm", hedged=True))
    taken = pit.engine.take().records
    flat = [one.position for one in taken if isinstance(one, PositionRecord)]
    assert [(one.leg, one.quantity) for one in flat] == [(Leg.BOTH, D(0))] * 2
    assert [one for one in taken if isinstance(one, WalletSettings)] == [
        WalletSettings(pit.alice, "usdm", hedged=True, shared=False, time_us=pit.now)
    ]
