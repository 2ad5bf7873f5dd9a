"""What only some exchanges tell of: what orders closed of positions, transactions, funding among fills.

Where a figure is an exchange's own, its documents are named; the others are reckoned by hand.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from emulator.core import commands as c
from emulator.core.contracts import Contract
from emulator.core.engine import Engine
from emulator.core.history import (
    ClosedRecord,
    Fill,
    FillKind,
    Query,
    Transaction,
    TransactionKind,
    key_of,
    transactions_of,
)
from emulator.core.instruments import OrderType, SelfTradeMode, Side
from emulator.core.orders import OrderTerms
from emulator.core.positions import Leg
from tests.core.futures import BTC, flat, inverse, linear
from tests.core.test_delivery import dated
from tests.core.test_trading_contracts import Pit
from tests.core.unified import LINEAR, Unified, in_wallet
from tests.core.world import (
    MINUTE,
    SECOND,
    SPOT,
    START,
    World,
    instrument,
    limit,
    market,
    perpetual,
    plain,
    still,
)

D = Decimal
MIDNIGHT = START + 107 * MINUTE
"""The first funding: the start is at 22:13."""
COINS = linear(flat("0.005"))


def pit(contract: Contract = COINS, price: str = "100", **changes: Any) -> Pit:
    return Pit(contract, still(price), keeps_transactions=True, **changes)


def closed(world: World, account: int, symbol: str = "") -> list[ClosedRecord]:
    query = Query(account=account, scope=symbol or world.symbol)
    return world.engine.views.select(ClosedRecord, query)


def logged(world: World, account: int, wallet: str = "usdm", **asked: Any) -> list[Transaction]:
    return world.engine.views.select(Transaction, transactions_of(account, wallet, **asked))


def fills(world: World, account: int) -> list[Fill]:
    return world.engine.views.fills[account, world.symbol]


# What orders closed


def test_a_closed_position_comes_to_what_the_documents_say() -> None:
    """Bybit, v5/position/close-pnl, example of ETHPERP: 3 that were worth 3584.9255 sold for 3541.795 by four
    fills of one order come to -47.4065323, with 0.06 % for each side."""
    eth = pit(price="1180", price_step="0.01", quantity_step="0.01", quantity_min="0.01", taker_fee="0.0006")
    alice, bob = eth.alice, eth.bob
    eth.does(eth.leverage("3"))
    for quantity, price in (("2.99", "1195.00"), ("0.01", "1187.55")):
        eth.sell(bob, quantity, price)
        eth.buy(alice, quantity, price)
    for quantity, price in (
        ("1", "1180.60"),
        ("0.75", "1180.60"),
        ("0.75", "1180.60"),
        ("0.5", "1180.59"),
    ):
        eth.buy(bob, quantity, price)
    eth.wait(5 * SECOND)
    order = eth.place(alice, market(Side.SELL, "3", client_id="mine"))
    (record,) = closed(eth, alice)
    assert record.order == order.id
    assert (plain(record.closed), plain(record.entry), plain(record.exit)) == ("3", "3584.9255", "3541.795")
    assert plain(record.profit) == "-47.4065323"
    assert (plain(record.opening_fee), plain(record.closing_fee)) == ("2.1509553", "2.125077")
    assert (record.fills, plain(record.leverage), record.is_buyer) == (4, "3", False)
    assert (record.type, record.quantity, record.client_id) == (OrderType.MARKET, D(3), "mine")
    assert (record.created_us, record.updated_us, record.asset) == (eth.now, eth.now, "USDT")
    lifetime = eth.engine.state.lifetime(alice, eth.symbol)
    assert plain(lifetime.realised - lifetime.fees) == "-47.4065323"


def test_an_inverse_position_is_closed_by_and_by() -> None:
    """1000 at 50000 are 0.02, for 0.0006 of it. 400 of them at 40000: 0.01 for what had cost 0.008, and two
    fifths of the fee; then 600 at 60000: 0.01 again, for what had cost 0.012."""
    coin = pit(inverse(flat("0.005"), "1"), "50000", funds="10", taker_fee="0.0006")
    coin.trade("1000", "50000")
    coin.trade("-400", "40000")
    coin.trade("-600", "60000")
    first, second = closed(coin, coin.alice)
    assert [plain(one) for one in (first.entry, first.exit, first.realised)] == ["0.008", "0.01", "-0.002"]
    assert (plain(first.opening_fee), plain(first.closing_fee)) == ("0.0000048", "0.000006")
    assert plain(first.profit) == "-0.0020108"
    assert [plain(one) for one in (second.entry, second.exit, second.realised)] == ["0.012", "0.01", "0.002"]
    assert (plain(second.opening_fee), plain(second.closing_fee)) == ("0.0000072", "0.000006")
    assert plain(second.profit) == "0.0019868"
    assert [one.asset for one in (first, second)] == ["BTC", "BTC"]
    assert not any(one.opening_fee or one.closing_fee for one in closed(coin, coin.bob)), (
        "makers paid nothing"
    )


def test_an_order_that_turns_a_position_closes_the_old_one() -> None:
    """2 at 100 for 0.2; selling 5 at 110 costs 0.55, of which two fifths are for closing."""
    one = pit(taker_fee="0.001")
    one.trade("2", "100")
    opened_us = one.now
    one.wait(SECOND)
    one.trade("-5", "110")
    (record,) = closed(one, one.alice)
    assert (plain(record.closed), plain(record.quantity)) == ("2", "5")
    assert (plain(record.entry), plain(record.exit), plain(record.realised)) == ("200", "220", "20")
    assert (plain(record.opening_fee), plain(record.closing_fee)) == ("0.2", "0.22")
    assert plain(record.profit) == "19.58"
    (turned,) = [fill for fill in fills(one, one.alice) if fill.closed]
    assert (plain(turned.quantity), plain(turned.closed)) == ("5", "2")
    lifetime = one.engine.state.lifetime(one.alice, one.symbol)
    assert (lifetime.created_us, lifetime.opened_us) == (opened_us, one.now)
    assert (plain(lifetime.opening_fees), plain(lifetime.fees)) == ("0.33", "0.75")
    assert lifetime.trade == turned.trade


def test_an_order_that_closes_again_is_the_same_record() -> None:
    """3 at 100, sold at 105 by one order: 1 now, 1 later, and 1 never."""
    one = pit()
    one.trade("3", "100")
    order = one.sell(one.alice, "3", "105", client_id="mine")
    one.buy(one.bob, "1", "105")
    first_us = one.now
    one.wait(MINUTE)
    one.buy(one.bob, "1", "105")
    before = closed(one, one.alice)
    one.cancel(order)
    (record,) = closed(one, one.alice)
    assert before == [record]
    assert (record.created_us, record.updated_us, record.fills) == (first_us, one.now, 2)
    assert (plain(record.closed), plain(record.realised), record.price) == ("2", "10", D(105))
    assert [plain(fill.remaining) for fill in fills(one, one.alice)] == ["0", "2", "1"]
    assert [one.is_maker for one in fills(one, one.alice)] == [False, True, True]


def test_closed_positions_are_asked_for_by_time() -> None:
    one = pit()
    one.trade("3", "100")
    times = []
    for price in ("101", "102", "103"):
        one.wait(MINUTE)
        times.append(one.now)
        one.trade("-1", price)
    query = Query(account=one.alice, scope=one.symbol, start_us=times[1], newest=True, limit=2)
    found = one.engine.views.select(ClosedRecord, query)
    assert [plain(record.exit) for record in found] == ["102", "103"]
    query = Query(account=one.alice, scope=one.symbol, end_us=times[1], newest=True, limit=1)
    assert [plain(record.exit) for record in one.engine.views.select(ClosedRecord, query)] == ["102"]
    assert closed(one, one.alice, "BTCUSDT") == []


def test_only_engines_that_ask_for_it_keep_any_of_this() -> None:
    plain_pit = Pit(COINS, taker_fee="0.001")
    plain_pit.trade("2", "100")
    plain_pit.trade("-1", "110")
    assert (closed(plain_pit, plain_pit.alice), logged(plain_pit, plain_pit.alice)) == ([], [])
    assert not plain_pit.engine.state.lifetimes
    fill = fills(plain_pit, plain_pit.alice)[-1]
    assert (fill.mark, fill.closed, fill.rate) == (None, D(0), D(0))


# Positions over their life


def test_a_life_has_all_that_was_and_knows_what_belongs_to_what_is_held() -> None:
    """4 at 100 for 0.4; a quarter of it closed at 104 takes 0.1 of that, and costs 0.104."""
    one = pit(taker_fee="0.001")
    state, alice, symbol = one.engine.state, one.alice, one.symbol
    never = state.lifetime(alice, symbol)
    assert (never.created_us, never.opened_us, never.trade) == (0, 0, 0)
    one.trade("4", "100")
    created_us = one.now
    one.wait(SECOND)
    one.trade("-1", "104")
    lifetime = state.lifetime(alice, symbol)
    assert (lifetime.created_us, lifetime.opened_us, lifetime.updated_us) == (created_us, created_us, one.now)
    assert (plain(lifetime.realised), plain(lifetime.fees)) == ("4", "0.504")
    assert plain(lifetime.opening_fees) == "0.3"
    one.trade("-3", "104")
    flat_one = state.lifetime(alice, symbol)
    assert (flat_one.created_us, flat_one.opened_us, plain(flat_one.realised)) == (created_us, 0, "16")
    one.wait(SECOND)
    one.trade("-1", "100")
    again = state.lifetime(alice, symbol)
    assert (again.created_us, again.opened_us, plain(again.realised)) == (created_us, one.now, "16")
    assert plain(again.opening_fees) == "0.1"


def test_legs_have_lives_of_their_own() -> None:
    one = pit()
    one.does(c.SetPositionMode(account=one.alice, wallet="usdm", hedged=True))
    for leg, make, side in ((Leg.LONG, one.sell, Side.BUY), (Leg.SHORT, one.buy, Side.SELL)):
        make(one.bob, "1", "100")
        one.place(one.alice, limit(side, "1", "100", leg=leg))
        one.wait(SECOND)
    one.buy(one.bob, "1", "103")
    one.place(one.alice, market(Side.SELL, "1", leg=Leg.LONG))
    state = one.engine.state
    long, short = (state.lifetime(one.alice, one.symbol, leg) for leg in (Leg.LONG, Leg.SHORT))
    assert (plain(long.realised), long.opened_us) == ("3", 0)
    assert (plain(short.realised), bool(short.opened_us)) == ("0", True)
    (record,) = closed(one, one.alice)
    assert (record.leg, plain(record.profit)) == (Leg.LONG, "3")


# Funding


def test_funding_is_told_among_the_fills() -> None:
    """0.5 at a mark of 100000 and a rate of 0.0001: 5, which the long pays and the short gets."""
    one = pit(BTC, "100000")
    one.trade("0.5", "100000")
    one.wait(MIDNIGHT - one.now)
    one.trade("-0.2", "100000")
    opened, paid, reduced = fills(one, one.alice)
    assert [fill.kind for fill in (opened, paid, reduced)] == [
        FillKind.TRADE, FillKind.FUNDING, FillKind.TRADE,
    ]  # fmt: skip
    assert (plain(paid.fee), paid.fee_asset, plain(paid.rate)) == ("5", "USDT", "0.0001")
    assert (plain(paid.quantity), plain(paid.amount), plain(paid.price)) == ("0.5", "50000", "100000")
    assert (paid.is_buyer, paid.time_us, paid.order, paid.mark) == (True, MIDNIGHT, 0, D(100000))
    assert plain(fills(one, one.bob)[1].fee) == "-5"
    assert not fills(one, one.bob)[1].is_buyer
    found = one.engine.views.select(Fill, Query(account=one.alice, scope=one.symbol, start_us=MIDNIGHT))
    assert found == [paid, reduced]
    keys = [key_of(fill) for fill in (opened, paid, reduced)]
    assert sorted(keys, key=lambda key: (key.id, key.part)) == keys, "funding keeps its place in any archive"


def test_each_payment_to_each_leg_has_a_key_of_its_own() -> None:
    """Nothing trades for a day, and twice three payments follow the same trade."""
    one = pit(BTC, "100000")
    one.does(c.SetPositionMode(account=one.alice, wallet="usdm", hedged=True))
    for leg, make, side in ((Leg.LONG, one.sell, Side.BUY), (Leg.SHORT, one.buy, Side.SELL)):
        make(one.bob, "1", "100000")
        one.place(one.alice, limit(side, "1", "100000", leg=leg))
    one.wait(24 * 60 * MINUTE)
    payments = [fill for fill in fills(one, one.alice) if fill.kind is FillKind.FUNDING]
    assert [fill.leg for fill in payments] == [Leg.LONG, Leg.SHORT] * 3
    assert len({key_of(fill)[2:4] for fill in payments}) == 6
    assert [key_of(fill)[2:4] for fill in payments] == sorted(key_of(fill)[2:4] for fill in payments)


def test_what_is_closed_takes_its_share_of_the_funding() -> None:
    """Of 5 that were paid, closing two fifths takes 2; what is left takes 3."""
    one = pit(BTC, "100000")
    one.trade("0.5", "100000")
    one.wait(MIDNIGHT - one.now)
    one.trade("-0.2", "100010")
    held = one.engine.state.lifetime(one.alice, one.symbol)
    assert (plain(held.funding), plain(held.held_funding)) == ("-5", "-3")
    one.trade("-0.3", "100010")
    assert [plain(record.funding) for record in closed(one, one.alice)] == ["-2", "-3"]
    assert [plain(record.profit) for record in closed(one, one.alice)] == ["0", "0"]


# Transactions


def test_the_log_is_the_one_of_the_documents() -> None:
    """Bybit, v5/account/transaction-log, example of XRPUSDT: 12 and 88 bought at 0.3615 for 0.06 %, then
    funding at 0.3676, and what there was in the wallet after each."""
    xrp = pit(
        price="0.3676", price_step="0.0001", quantity_step="1", quantity_min="1", taker_fee="0.0006",
        funds="5086.58361602",
    )  # fmt: skip
    for quantity in ("12", "88"):
        xrp.sell(xrp.bob, quantity, "0.3615")
    xrp.buy(xrp.alice, "100", "0.3615", client_id="linear-order")
    xrp.wait(MIDNIGHT - xrp.now)
    _, first, second, funding = logged(xrp, xrp.alice)
    assert [plain(one.fee) for one in (first, second, funding)] == ["0.0026028", "0.0190872", "0"]
    assert [plain(one.change) for one in (first, second, funding)] == [
        "-0.0026028",
        "-0.0190872",
        "-0.003676",
    ]
    assert [plain(one.balance) for one in (first, second, funding)] == [
        "5086.58101322", "5086.56192602", "5086.55825002",
    ]  # fmt: skip
    assert [plain(one.quantity) for one in (first, second, funding)] == ["12", "88", "100"]
    assert [plain(one.position) for one in (first, second, funding)] == ["12", "100", "100"]
    assert [one.kind for one in (first, second, funding)] == [
        TransactionKind.TRADE, TransactionKind.TRADE, TransactionKind.FUNDING,
    ]  # fmt: skip
    assert (plain(funding.funding), funding.price, funding.rate) == ("-0.003676", D("0.3676"), D("0.0001"))
    assert (second.price, second.rate, second.reference) == (D("0.3615"), D("0.0006"), "linear-order")
    assert all(one.is_buyer and one.asset == "USDT" for one in (first, second, funding))
    assert first.order == second.order
    assert first.trade + 1 == second.trade


def test_profit_is_cash_and_the_fee_beside_it() -> None:
    """0.1 bought at 100000 and sold at 101000: 100 gained, 4 and 4.04 paid; a rebate is below zero."""
    one = pit(BTC, "100000", taker_fee="0.0004", maker_fee="-0.0001", funds="5000")
    one.trade("0.1", "100000")
    one.trade("-0.1", "101000")

    def told(account: int) -> list[tuple[str, ...]]:
        return [
            tuple(plain(figure) for figure in (line.cash, line.fee, line.change, line.balance, line.position))
            for line in logged(one, account)
        ]

    assert told(one.alice) == [
        ("5000", "0", "5000", "5000", "0"),
        ("0", "4", "-4", "4996", "0.1"),
        ("100", "4.04", "95.96", "5091.96", "0"),
    ]
    assert told(one.bob) == [
        ("5000", "0", "5000", "5000", "0"),
        ("0", "-1", "1", "5001", "-0.1"),
        ("-100", "-1.01", "-98.99", "4902.01", "0"),
    ]


def test_of_two_orders_of_one_owner_each_has_its_line() -> None:
    one = pit(taker_fee="0.001", maker_fee="0.0002", self_trade_modes=frozenset({SelfTradeMode.NONE}))
    make = one.sell(one.alice, "1", "100")
    take = one.buy(one.alice, "1", "100")
    _, taken, made = logged(one, one.alice)
    assert [(line.order, plain(line.fee)) for line in (taken, made)] == [(make.id, "0.02"), (take.id, "0.1")]
    assert [plain(line.balance) for line in (taken, made)] == ["999999.98", "999999.88"]


def test_what_moves_between_wallets_and_to_the_outside() -> None:
    world = World(None, perpetual(COINS), funds="5000", keeps_transactions=True)
    alice = world.alice
    moved: dict[str, Any] = {"account": alice, "asset": "USDT", "amount": D(100)}
    world.does(c.Transfer(**moved, source="usdm", target=SPOT))
    world.does(c.Transfer(**moved, source=SPOT, target="usdm", reference="back"))
    world.does(c.Withdraw(account=alice, wallet="usdm", asset="USDT", amount=D(60), fee=D(1)))
    lines = logged(world, alice)
    assert [(line.kind.value, plain(line.change), plain(line.balance)) for line in lines] == [
        ("deposit", "5000", "5000"),
        ("transfer_out", "-100", "4900"),
        ("transfer_in", "100", "5000"),
        ("withdrawal", "-60", "4940"),
    ]
    assert (plain(lines[-1].cash), plain(lines[-1].fee), lines[2].reference) == ("-59", "1", "back")
    assert logged(world, alice, SPOT) == [], "only wallets of contracts have a log"
    assert [line.number for line in lines] == sorted({line.number for line in lines})


def test_an_exchange_of_assets_is_two_lines() -> None:
    world = World(None, perpetual(COINS), funds="5000", keeps_transactions=True)
    world.deposit(world.alice, "BTC", "1", "usdm")
    world.does(
        c.ExchangeAssets(
            account=world.alice, wallet="usdm", sold="BTC", sold_amount=D("0.5"), bought="USDT",
            bought_amount=D(50), reference="quote",
        )
    )  # fmt: skip
    sold, bought = logged(world, world.alice)[-2:]
    assert (sold.kind, sold.asset, plain(sold.change), plain(sold.balance)) == (
        TransactionKind.SOLD, "BTC", "-0.5", "0.5",
    )  # fmt: skip
    assert (bought.kind, bought.asset, plain(bought.change), plain(bought.balance)) == (
        TransactionKind.BOUGHT, "USDT", "50", "5050",
    )  # fmt: skip
    assert sold.reference == bought.reference == "quote"


def test_transactions_are_asked_for_by_kind_asset_and_time() -> None:
    one = pit(BTC, "100000", taker_fee="0.0004")
    one.deposit(one.alice, "BTC", "1", "usdm")
    one.trade("0.5", "100000")
    one.wait(MIDNIGHT - one.now)
    kinds = [line.kind for line in logged(one, one.alice, kind=TransactionKind.FUNDING)]
    assert kinds == [TransactionKind.FUNDING]
    assert [plain(line.change) for line in logged(one, one.alice, asset="BTC")] == ["1"]
    assert [line.kind for line in logged(one, one.alice, start_us=MIDNIGHT)] == kinds
    assert [line.kind for line in logged(one, one.alice, limit=1, newest=True)] == kinds
    everything = logged(one, one.alice)
    assert logged(one, one.alice, last_number=everything[1].number) == everything[:2]


# Losing it, and beginning again


def test_a_liquidation_is_told_as_one() -> None:
    one = pit(
        linear(flat("0.01", "50"), liquidation_fee=D("0.01")),
        funds="1000000",
        taker_fee="0.001",
        price_step="0.01",
    )
    poor = one.open("poor", USDT="30")
    one.does(one.leverage("50", poor))
    one.sell(one.bob, "10", "100")
    one.buy(poor, "10", "100")
    one.buy(one.bob, "4", "98")
    one.price("97.5")
    one.wait(2 * SECOND)
    lines = logged(one, poor)
    kinds = [line.kind.value for line in lines]
    assert kinds[:2] == ["deposit", "trade"]
    assert set(kinds[2:]) <= {"liquidation", "insurance"}
    assert kinds.count("liquidation") >= 2, "what was closed, and what the insurance fund charged for it"
    (record,) = closed(one, poor)
    assert (record.kind, plain(record.closed)) == (FillKind.LIQUIDATION, "10")
    assert all(fill.kind is FillKind.LIQUIDATION for fill in fills(one, poor)[1:])
    charged = [line for line in lines if line.kind is TransactionKind.LIQUIDATION and not line.trade]
    assert all(line.fee > 0 and not line.cash and line.order for line in charged)


def test_a_delivery_is_told_as_one() -> None:
    """0.5 bought at 100000 and settled at 101000: 500 gained, and 0.05 % of 50500 charged."""
    contract = dated(delivery_fee=D("0.0005"))
    one = pit(contract, "100000", funds="20000")
    one.trade("0.5", "100000")
    one.price("101000")
    one.wait(120 * MINUTE)
    delivered = fills(one, one.alice)[-1]
    assert (delivered.kind, plain(delivered.closed), delivered.rate) == (
        FillKind.DELIVERY,
        "0.5",
        D("0.0005"),
    )
    line = logged(one, one.alice)[-1]
    assert (line.kind, plain(line.cash), plain(line.fee)) == (TransactionKind.DELIVERY, "500", "25.25")
    assert (plain(line.balance), plain(line.position)) == ("20474.75", "0")
    (record,) = closed(one, one.alice)
    assert (record.kind, plain(record.profit)) == (FillKind.DELIVERY, "474.75")


def test_an_engine_that_begins_again_has_what_open_orders_closed() -> None:
    one = pit(taker_fee="0.001")
    one.trade("3", "100")
    order = one.sell(one.alice, "2", "105")
    one.buy(one.bob, "1", "105")
    again = Engine("test", one.engine.instruments, one.feed, one.engine.state.wallets, one.engine.rules)
    again.restore(list(one.engine.capture().parts()))
    assert again.fingerprint() == one.engine.fingerprint() == one.replayed().fingerprint()
    assert list(again.views.closed) == [order.id]
    taking = one.placing(one.bob, limit(Side.BUY, "1", "105"))
    for engine in (again, one.engine):
        engine.execute(taking, one.now)
    mine, theirs = one.engine.views, again.views
    assert theirs.closed[order.id] == mine.closed[order.id]
    assert (mine.closed[order.id].fills, plain(mine.closed[order.id].closed)) == (2, "2")
    for account in (one.alice, one.bob):
        assert theirs.transactions[account, "usdm"] == mine.transactions[account, "usdm"][-1:]


# A wallet in which pairs are traded as well, and something may be owed


def shown(lines: list[Transaction]) -> list[tuple[str, str, str, str]]:
    return [(line.kind.value, line.asset, plain(line.change), plain(line.balance)) for line in lines]


def test_a_trade_of_a_pair_is_a_line_for_each_of_its_assets() -> None:
    """1 bought at 100 for a thousandth of what it is; sold at 110 for a thousandth of what that brings."""
    world = World(
        None, instrument(taker_fee="0.001"), in_wallet(COINS), keeps_transactions=True,
        pair_wallets=("usdm", SPOT),
    )  # fmt: skip
    alice, bob = world.alice, world.bob

    def place(account: int, terms: OrderTerms) -> None:
        world.does(c.PlaceOrder(account=account, wallet="usdm", instrument="BTCUSDT", terms=terms))

    for account in (alice, bob):
        world.deposit(account, "BTC", "10", "usdm")
    before = len(logged(world, alice))
    place(bob, limit(Side.SELL, "1", "100"))
    place(alice, limit(Side.BUY, "1", "100", client_id="first"))
    place(bob, limit(Side.BUY, "1", "110"))
    place(alice, limit(Side.SELL, "1", "110"))
    lines = logged(world, alice)[before:]
    assert shown(lines) == [
        ("trade", "BTC", "0.999", "10.999"),
        ("trade", "USDT", "-100", "999900"),
        ("trade", "BTC", "-1", "9.999"),
        ("trade", "USDT", "109.89", "1000009.89"),
    ]
    assert [plain(line.quantity) for line in lines] == ["1", "-100", "-1", "110"]
    assert [plain(line.fee) for line in lines] == ["0.001", "0", "0", "0.11"]
    assert [plain(line.rate) for line in lines] == ["0.001", "0", "0", "0.001"]
    assert [line.is_buyer for line in lines] == [True, True, False, False]
    assert [line.reference for line in lines] == ["first", "first", "", ""]
    assert closed(world, alice, "BTCUSDT") == [], "a pair has no positions"
    assert not world.engine.state.lifetimes


def test_interest_is_paid_for_what_is_below_zero() -> None:
    """A loss of 100 is owed; of it 0.00001 an hour, five minutes after the hour."""
    world = Unified(GIFT="10000")
    world.trade(LINEAR, "0.1", "50000")
    world.trade(LINEAR, "-0.1", "49000")
    world.wait(52 * MINUTE)
    *_, lost, interest = logged(world, world.carol)
    assert shown([lost, interest]) == [
        ("trade", "USDT", "-100", "-100"), ("interest", "USDT", "-0.001", "-100.001"),
    ]  # fmt: skip
    assert (plain(interest.quantity), interest.rate) == ("100", D("0.00001"))


def test_what_was_borrowed_is_given_back_interest_first() -> None:
    """1000 for an hour come to 1000.01, and 1000 are there."""
    world = Unified(GIFT="10000")
    borrowed: dict[str, Any] = {"account": world.carol, "wallet": "usdm", "asset": "USDT"}
    world.does(c.BorrowFunds(**borrowed, amount=D(1000)))
    world.wait(52 * MINUTE)
    world.does(c.RepayFunds(**borrowed))
    assert shown(logged(world, world.carol)[1:]) == [
        ("borrowed", "USDT", "1000", "1000"),
        # Charged, and owed until it is given back.
        ("interest", "USDT", "0", "1000"),
        ("interest", "USDT", "-0.01", "999.99"),
        ("repaid", "USDT", "-999.99", "0"),
    ]


def test_what_changes_hands_where_two_orders_are_prevented_is_a_transfer() -> None:
    world = World(
        None,
        instrument(),
        in_wallet(COINS),
        keeps_transactions=True,
        pair_wallets=("usdm", SPOT),
        funds="1000",
    )
    carol, dave = (world.open(name, group=7) for name in ("carol", "dave"))
    world.deposit(carol, "BTC", "10", "usdm")
    for account, terms in (
        (carol, limit(Side.SELL, "2", "100", stp=SelfTradeMode.TRANSFER)),
        (dave, limit(Side.BUY, "2", "100", stp=SelfTradeMode.TRANSFER)),
    ):
        world.does(c.PlaceOrder(account=account, wallet="usdm", instrument="BTCUSDT", terms=terms))
    assert shown(logged(world, carol)[-2:]) == [
        ("transfer_out", "BTC", "-2", "8"), ("transfer_in", "USDT", "200", "1200"),
    ]  # fmt: skip
    assert shown(logged(world, dave)[-2:]) == [
        ("transfer_in", "BTC", "2", "2"), ("transfer_out", "USDT", "-200", "800"),
    ]  # fmt: skip
