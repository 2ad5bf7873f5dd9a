"""Snapshots: what is in them, what restoring makes of it, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.accounting import Accounting
from emulator.core.collateral import CollateralAsset
from emulator.core.consequences import Consequences
from emulator.core.engine import Engine
from emulator.core.instruments import OrderType, SelfTradeMode, Side, TimeInForce, TriggerSource
from emulator.core.ledger import Balance, Ledger
from emulator.core.marks import MarkRule, Marks, Watch
from emulator.core.order_lists import ListKind
from emulator.core.orders import (
    EndReason,
    Order,
    OrderStatus,
    OrderTerms,
    Peg,
    PegSide,
    Trigger,
    TriggerKind,
)
from emulator.core.positions import AccountMargin, Leg
from emulator.core.prints import BLOCK, KEPT
from emulator.core.rules import MarginRules
from emulator.core.shapes import shape_of
from emulator.core.snapshot import FORMAT, MalformedSnapshot
from emulator.core.snapshot.parts import (
    AnyPart,
    End,
    Head,
    Orders,
    PrintsBlock,
    order_of,
    order_row,
)
from emulator.core.state import Account, State
from emulator.core.tape import Market
from tests.core.futures import BTC, BTC_COIN
from tests.core.sameness import assert_same, attributes, told
from tests.core.world import (
    MINUTE,
    SECOND,
    SPOT,
    START,
    World,
    canceling,
    deep,
    instrument,
    limit,
    market,
    moving,
    perpetual,
    stop,
)

PART_BYTES_MAX = 256 * 1024


def parts_of(engine: Engine) -> list[bytes]:
    return list(engine.capture().parts())


def blank(world: World) -> Engine:
    return Engine(
        "test", world.engine.instruments, world.feed, world.engine.state.wallets, world.engine.rules
    )


def restored(world: World, parts: list[bytes] | None = None) -> Engine:
    engine = blank(world)
    engine.restore(parts_of(world.engine) if parts is None else parts)
    return engine


def read(parts: list[bytes]) -> list[Any]:
    return [msgspec.msgpack.decode(part, type=AnyPart) for part in parts]


def full(prints: int = 3) -> World:
    """A world with one of everything that a snapshot has a part for."""
    feed = moving((-60, "100"), (20, "101"), (40, "99"), (60, "103"), (80, "98"), depth=10)
    world = World(
        feed,
        instrument(amend_keeps_priority=False),
        perpetual(BTC),
        perpetual(BTC_COIN),
        margin=MarginRules(
            collateral={
                "coinm": (CollateralAsset(asset="BTC"),),
                "usdm": (CollateralAsset(asset="USDT", borrow_max=Decimal(9)), CollateralAsset(asset="BTC")),
            },
            account_margin={"usdm": AccountMargin.CROSS},
        ),
        checked=prints < 100,
        pair_wallets=(SPOT, "usdm"),
        keeps_transactions=True,
    )
    alice, bob = world.alice, world.bob
    world.does(c.SetAccountMargin(account=bob, wallet="usdm", mode=AccountMargin.PORTFOLIO))
    world.does(c.SetSpotMargin(account=bob, wallet="usdm", on=True))
    world.does(c.SetCollateralUse(account=bob, wallet="usdm", assets=("BTC",), used=False))
    world.does(c.BorrowFunds(account=bob, wallet="usdm", asset="USDT", amount=Decimal(2)))
    # As where each contract has a position mode of its own.
    by_contract = e.PositionModeSet(account=bob, wallet="coinm", hedged=True, instrument="BTCUSD_PERP")
    world.engine.apply((by_contract,), world.now)
    world.history.append((world.now, (by_contract,)))
    added = e.ReplenishmentSet(account=bob, instrument="BTCUSD_PERP", leg=Leg.LONG, on=True)
    world.engine.apply((added,), world.now)
    world.history.append((world.now, (added,)))
    world.does(c.SetFeePayment(account=bob, discounted=True))
    world.does(c.SetCollateralMode(account=bob, wallet="coinm", shared=True))
    world.does(c.SetPreference(account=bob, name="language", value="de"))
    world.does(c.LockFunds(account=bob, wallet=SPOT, asset="BTC", amount=Decimal(3)))
    world.does(c.Transfer(account=bob, asset="USDT", amount=Decimal(5), source=SPOT, target="funding"))
    for _ in range(prints):
        world.prints("100", "0.01")
    world.place(alice, market(Side.BUY, "1.5"))
    world.buy(alice, "2", "95.50", client_id="first")
    iceberg = world.buy(alice, "5", "95.50", iceberg="1", client_id="iceberg")
    world.buy(alice, "1", "95.50")
    world.prints("100", "0.01")
    assert iceberg.visible == 1
    world.place_list(
        alice,
        ListKind.OCO,
        limit(Side.SELL, "1", "130"),
        market(Side.SELL, "1", trigger=stop("90")),
        client_id="pair",
    )
    world.place_list(
        alice, ListKind.OTO, limit(Side.BUY, "1", "94"), limit(Side.SELL, "1", "131"), client_id="waits"
    )
    world.place_list(
        bob,
        ListKind.OTOCO,
        limit(Side.BUY, "1", "105", client_id="ended leg"),
        limit(Side.SELL, "1", "132"),
        limit(Side.SELL, "1", "91", trigger=stop("92")),
    )
    world.place_list(
        bob, ListKind.OTO, limit(Side.BUY, "50", "103.50"), limit(Side.SELL, None, "140"), funded=True
    )
    world.place(bob, market(Side.BUY, "1", trigger=stop("150")))
    world.place(bob, limit(Side.BUY, "1", "120", trigger=stop(trailing=500)))
    world.place(bob, market(Side.SELL, "1", trigger=stop("80", trailing=500)))
    world.price("97", c.PriceMode.SHIFT)
    world.wait(SECOND)
    world.place(alice, limit(Side.SELL, "2", "125", stp=SelfTradeMode.EXPIRE_MAKER))
    world.book([("96", "3"), ("95.75", "4")], [("99", "0.5"), ("100", "4")])
    world.place(bob, market(Side.BUY, "0.25"))
    spot, world.symbol = world.symbol, "BTCUSDT_PERP"
    world.does(c.SetLeverage(account=alice, instrument=world.symbol, leverage=Decimal(5)))
    world.place(alice, market(Side.BUY, "0.25"))
    world.place(bob, market(Side.SELL, "0.5"))
    world.sell(alice, "1", "140")
    for source in (TriggerSource.MARK, TriggerSource.INDEX):
        world.place(alice, market(Side.SELL, "1", trigger=stop("80", source=source)))
        world.place(alice, market(Side.BUY, "1", trigger=stop("150", source=source)))
        world.place(alice, market(Side.SELL, "1", trigger=stop(trailing=900, source=source)))
    world.does(c.SetPositionMode(account=alice, wallet="coinm", hedged=True))
    world.book([("96", "3")], [("98", "4")])
    world.buy(bob, "0.4", "97")
    world.place(alice, market(Side.SELL, "0.1"))
    world.symbol = spot
    return world


# What is in it

STATE = {
    "captured": {
        "account_margins", "accounts", "choices", "hedged", "hedged_contracts", "ledger", "lifetimes",
        "lists", "loans", "locked", "markets", "next_execution", "next_list", "next_movement", "next_order",
        "orders", "positions", "replenished", "shared", "spot_margins", "unused",
    },
    "derived": {
        "booked", "charged", "client_ids", "counts", "disturbed", "holders", "jolted", "list_client_ids",
        "touched",
    },
    "given": {
        "account_margin_default", "collateral", "discount_asset", "folds", "keeps_lifetimes", "lending",
        "margin_wallets", "pair_wallets", "position_listener", "wallets",
    },
    "of one event": {"closings", "realised"},
}  # fmt: skip
ACCOUNT = {
    "captured": {"discounted", "id", "name", "preferences", "trade_group"},
    "derived": {"beside", "open_lists", "open_orders", "positions"},
}
MARKET = {
    "captured": {
        "asks", "bids", "changes", "consumed", "countdowns", "falls", "manual", "marks", "prevented",
        "prints", "rises", "segments", "trailing", "watches",
    },
    "derived": {"_average", "deadlines", "segment_times"},
    "given": {"bounds", "feed", "instrument"},
}  # fmt: skip
WATCH = {"captured": {"falls", "rises", "trailing"}, "given": {"_step", "marks", "source"}}
QUEUES = {"captured": {"queues"}, "derived": {"_ladder", "best", "shown"}, "given": {"descending"}}
LEDGER = {"captured": {"counterparties", "entries", "wallets"}, "given": {"listener", "owing"}}
BALANCE = {"captured": {"free", "held"}}
VIEWS = {
    "captured": {
        "client_ids", "closed", "closed_ids", "list_ids", "lists", "order_ids", "orders",
        "transaction_count", "updated_us",
    },
    "derived": {"begins_late"},
    "given": {"accounting", "is_taken", "margin_wallets", "notes", "state"},
    "in the archive, or on the way to it": {
        "aging", "amendments", "dropped", "fills", "fills_of", "forgotten", "fresh", "fresh_balances",
        "fresh_positions", "fresh_settings", "incomes", "margin_changes", "movements", "older_of_name",
        "postings", "prevented", "transactions",
    },
    "of one event": {"event", "now_us"},
}  # fmt: skip
ACCOUNTING = {"given": {"_state"}, "of one event": {"_lines", "_posted"}}
ENGINE = {
    "captured": {"_advanced_us", "state", "views"},
    "derived": {"_checked", "_due", "_version", "_vigil"},
    "given": {"_consequences", "_steps", "feed", "instruments", "name", "observers", "rules"},
}
CONSEQUENCES = {
    "given": {"_instruments", "_state", "_views", "follows"},
    "of one command": {"followed", "moved", "struck"},
}


def test_nothing_that_is_kept_was_forgotten() -> None:
    """Whoever adds an attribute says here what a snapshot does about it, and does it."""
    engine = World(checked=False).engine
    (listed,) = engine.state.markets.values()
    for kept, known in (
        (engine, ENGINE),
        (engine.state, STATE),
        (engine.views, VIEWS),
        (engine.state.ledger, LEDGER),
        (engine.state.accounts[1], ACCOUNT),
        (listed, MARKET),
        (listed.bids, QUEUES),
        (Watch(Marks(listed, BTC, MarkRule(step=Decimal(1))), TriggerSource.MARK), WATCH),
        (Balance(), BALANCE),
        (Accounting(engine.state), ACCOUNTING),
        (Consequences(engine.state, engine.views, engine.instruments), CONSEQUENCES),
    ):
        assert attributes(kept) == set().union(*known.values()), type(kept)
    assert [type(one) for one in (engine.state.ledger, engine.state.accounts[1], listed)] == [
        Ledger,
        Account,
        Market,
    ]
    assert type(engine.state) is State


def test_an_order_keeps_every_field() -> None:
    terms = OrderTerms(
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=Decimal("1.50"),
        quote_quantity=Decimal("2E-8"),
        price=Decimal(3),
        time_in_force=TimeInForce.FOK,
        post_only=True,
        trigger=Trigger(
            kind=TriggerKind.TAKE_PROFIT, price=Decimal(4), trailing_bips=5, source=TriggerSource.MARK
        ),
        iceberg_quantity=Decimal(6),
        peg=Peg(side=PegSide.MARKET, levels=7),
        self_trade_mode=SelfTradeMode.EXPIRE_BOTH,
        client_id="name",
        labels=(("a", "b"), ("c", "d")),
        leg=Leg.SHORT,
        reduce_only=True,
        close_position=True,
    )
    numbers = iter(range(100, 200))
    values: dict[str, Any] = {"terms": terms, "self_trade_mode": SelfTradeMode.EXPIRE_TAKER}
    values |= {"status": OrderStatus.DORMANT, "end_reason": EndReason.SELF_TRADE}
    values["fees"] = (("BTC", Decimal("0.10")), ("BNB", Decimal("-2E-8")))
    for field in msgspec.structs.fields(Order):
        kinds = get_args(field.type) or (field.type,)
        if field.name in values:
            continue
        number = next(numbers)
        values[field.name] = Decimal(number).scaleb(-2) if Decimal in kinds else kinds[0](number)
    order = Order(**values)
    fields = msgspec.structs.fields(Order)
    assert not [one.name for one in fields if not one.required and getattr(order, one.name) == one.default]
    written = msgspec.msgpack.decode(msgspec.msgpack.encode(order_row(order)))
    assert told(order_of(written)) == told(order)
    assert str(order_of(written).terms) == str(terms)


def test_one_of_everything() -> None:
    world = full()
    world.engine.take()
    parts = parts_of(world.engine)
    assert {type(part) for part in read(parts)} == set(get_args(AnyPart)) - {PrintsBlock}
    again = restored(world, parts)
    assert_same(world.engine, again)
    assert parts_of(again) == parts
    for _ in range(30):
        world.now += 10 * SECOND
        assert again.advance(world.now) == world.engine.advance(world.now)
        placing = world.placing(world.bob, market(Side.SELL, "0.5"))
        assert again.execute(placing, world.now) == world.engine.execute(placing, world.now)
    assert_same(world.engine, again)


def test_of_an_engine_that_nobody_used() -> None:
    world = World(checked=False)
    empty = blank(world)
    parts = parts_of(empty)
    assert [type(part) for part in read(parts)] == [Head, End]
    assert_same(empty, restored(world, parts))


def test_a_market_that_nobody_touched_is_not_in_it() -> None:
    listed = (
        instrument(),
        instrument(symbol="ETHUSDT", base="ETH"),
        instrument(symbol="BNBUSDT", base="BNB"),
    )
    world = World(None, *listed)
    world.symbol = "ETHUSDT"
    world.place(world.alice, market(Side.SELL, "1", trigger=stop("90")))
    parts = read(parts_of(world.engine))
    assert {part.symbol for part in parts if hasattr(part, "symbol")} == {"ETHUSDT"}
    assert_same(world.engine, restored(world))


def test_equal_states_have_equal_bytes() -> None:
    world = full()
    assert parts_of(world.engine) == parts_of(world.engine)
    assert parts_of(world.replayed()) == parts_of(world.engine)


def test_what_happens_later_is_not_in_it() -> None:
    world = full()
    expected, fingerprint = parts_of(world.engine), world.engine.fingerprint()
    capture = world.engine.capture()
    for order in list(world.engine.state.orders.values()):
        if order.id in world.engine.state.orders:
            world.does(canceling(order))
    world.does(c.UnlockFunds(account=world.bob, wallet=SPOT, asset="BTC", amount=Decimal(3)))
    world.does(c.SetFeePayment(account=world.bob, discounted=False))
    world.does(c.ReleaseMarket(pair="BTC/USDT"))
    world.prints("90", "1")
    world.open("carol")
    parts = list(capture.parts())
    assert parts == expected
    assert restored(world, parts).fingerprint() == fingerprint


def test_packed_prints_are_the_same_parts_in_every_later_snapshot() -> None:
    world = full(prints=BLOCK + KEPT)
    before = parts_of(world.engine)
    for _ in range(BLOCK):
        world.prints("99", "0.02")
    after = parts_of(world.engine)

    def packed(parts: list[bytes]) -> list[bytes]:
        return [part for part, shape in zip(parts, read(parts), strict=True) if type(shape) is PrintsBlock]

    assert len(packed(before)) == 1
    assert len(packed(after)) == 2
    assert packed(after)[:1] == packed(before)
    again = restored(world, after)
    assert_same(world.engine, again)
    assert {type(part) for part in read(after)} == set(get_args(AnyPart))


def test_parts_are_small() -> None:
    world = World(deep(), funds="10000000000", checked=False)
    labels = (("type", "STOP_LOSS_LIMIT"), ("strategy", "1234567"))
    for number in range(1_500):
        terms = limit(
            Side.BUY,
            "1000.123",
            f"90.{number % 100:02}",
            client_id=f"{number:036}",
            labels=labels,
            iceberg="100",
        )
        trigger = stop("123.45", trailing=None)
        world.place(world.alice, msgspec.structs.replace(terms, trigger=trigger if number % 2 else None))
    parts = parts_of(world.engine)
    assert sum(type(part) is Orders for part in read(parts)) == 3
    assert max(map(len, parts)) <= PART_BYTES_MAX
    assert_same(world.engine, restored(world, parts))


# What restoring makes of it


def test_numbers_keep_their_digits() -> None:
    """Not that 1.50 comes back as 1.5: what is said of a number would differ."""
    world = World(deep())
    world.buy(world.alice, "1.500", "95.50")
    again = restored(world)
    assert [str(one) for one in again.state.markets["BTCUSDT"].bids.shown.items()] == [
        str(one) for one in world.engine.state.markets["BTCUSDT"].bids.shown.items()
    ]
    assert repr(told(again.state.ledger)) == repr(told(world.engine.state.ledger))


def test_views_begin_with_what_is_open_and_the_legs_of_open_lists() -> None:
    world = full()
    views = restored(world).views
    ended = [order for order in views.orders.values() if order.is_ended]
    assert [order.client_id for order in ended] == ["ended leg"]
    assert views.begins_late
    assert not views.is_whole(Order, world.alice, "BTCUSDT")
    assert views.orders.keys() - {order.id for order in ended} == world.engine.state.orders.keys()
    assert views.order(world.bob, "BTCUSDT", ended[0].id, None) is ended[0]
    # By its name too, but only the archive knows whether a later one has it.
    assert views.order(world.bob, "BTCUSDT", None, "ended leg") is None
    assert views.updated_us == world.engine.views.updated_us
    assert views.fills == {}


def test_a_client_id_means_the_newest_order_even_when_that_ended() -> None:
    world = full()
    later = world.place(world.bob, market(Side.BUY, "0.1", client_id="ended leg"))
    assert later.is_ended
    again = restored(world)
    assert world.engine.views.order(world.bob, "BTCUSDT", None, "ended leg") is later
    assert again.views.order(world.bob, "BTCUSDT", None, "ended leg") is None


def test_it_looks_ahead_anew() -> None:
    world = World(moving((-60, "100"), (30, "99"), (50, "90"), depth=3))
    world.buy(world.alice, "1", "99")
    world.place(world.alice, market(Side.SELL, "1", trigger=stop("90")))
    world.wait(SECOND)
    again = restored(world)
    assert again.next_due_us(world.now) == world.engine.next_due_us(world.now) == START + 30 * SECOND
    world.now += MINUTE
    happened = again.advance(world.now)
    assert happened == world.engine.advance(world.now)
    assert [time_us for time_us, _ in happened] == [START + 30 * SECOND, START + 50 * SECOND]


def test_what_ends_an_open_list_is_recorded_with_all_its_legs() -> None:
    world = full()
    again = restored(world)
    again.keep_records()
    world.engine.keep_records()
    open_list = next(one for one in world.engine.state.lists.values() if one.kind is ListKind.OTOCO)
    canceled = c.CancelOrderList(account=world.bob, instrument="BTCUSDT", order_list=open_list.id)
    for engine in (world.engine, again):
        assert engine.execute(canceled, world.now).rejection is None
    assert told(again.take().records) == told(world.engine.take().records)


# What is refused


def assert_refused(world: World, parts: list[bytes]) -> None:
    """Nothing was changed, so the right parts still make of it what they should."""
    engine = blank(world)
    untouched = engine.fingerprint()
    with pytest.raises(MalformedSnapshot):
        engine.restore(parts)
    assert engine.fingerprint() == untouched
    assert not engine.state.accounts
    assert not engine.views.orders
    engine.restore(parts_of(world.engine))
    assert_same(world.engine, engine)


def test_parts_that_are_missing_or_twice_or_in_another_order() -> None:
    world = full()
    parts = parts_of(world.engine)
    assert_refused(world, [])
    for place in range(len(parts)):
        assert_refused(world, parts[:place])
        assert_refused(world, parts[:place] + parts[place + 1 :])
        assert_refused(world, parts[: place + 1] + parts[place:])
    assert_refused(world, parts[::-1])


@given(place=st.integers(0, 1 << 20), at=st.integers(0, 1 << 20), byte=st.integers(0, 255))
def test_a_damaged_byte_is_refused_or_is_another_state(place: int, at: int, byte: int) -> None:
    """Whatever the bytes say, either the named error is raised or a whole state was restored."""
    parts = PARTS.copy()
    damaged = bytearray(parts[place % len(parts)])
    damaged[at % len(damaged)] = byte
    parts[place % len(parts)] = bytes(damaged)
    engine = blank(FULL)
    try:
        engine.restore(parts)
    except MalformedSnapshot:
        assert not engine.state.accounts
    else:
        assert len(engine.state.orders) == len(FULL.engine.state.orders)


FULL = full()
PARTS = parts_of(FULL.engine)


def changed(kind: type[Any], **fields: Any) -> list[bytes]:
    """The parts of a full world, the first one of a kind with other values."""
    parts = read(PARTS)
    place = next(place for place, part in enumerate(parts) if type(part) is kind)
    parts[place] = msgspec.structs.replace(parts[place], **fields)
    return [msgspec.msgpack.encode(part) for part in parts]


def test_another_format() -> None:
    with pytest.raises(MalformedSnapshot, match="another format"):
        blank(FULL).restore(changed(Head, format="0" * len(FORMAT)))


def test_the_head_of_another_format_may_look_otherwise() -> None:
    with pytest.raises(MalformedSnapshot, match="another format"):
        blank(FULL).restore([msgspec.msgpack.encode(["Head", "older", {"anything": 1}])])


def test_other_counterparties() -> None:
    assert_refused(FULL, changed(Head, counterparties={}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instrument", "ETHUSDT"),
        ("account", 77),
        ("wallet", "margin"),
        ("status", "filled"),
        ("resting", False),
        ("price", None),
        ("terms", []),
        ("list_id", 99),
        ("side of queue", None),
    ],
)
def test_an_order_that_does_not_fit(field: str, value: Any) -> None:
    (listed,) = (part for part in read(PARTS) if type(part) is Orders)
    rows = [list(row) for row in listed.orders]
    place = next(at for at, row in enumerate(rows) if order_of(list(row)).client_id == "first")
    names = Order.__struct_fields__
    if field == "side of queue":
        terms = list(rows[place][names.index("terms")])
        terms[OrderTerms.__struct_fields__.index("side")] = "sell"
        rows[place][names.index("terms")] = terms
    else:
        rows[place][names.index(field)] = value
    assert_refused(FULL, changed(Orders, orders=rows))


def test_an_engine_that_does_not_trade_the_instrument() -> None:
    other = World(None, instrument(symbol="ETHUSDT", base="ETH"), checked=False)
    engine = blank(other)
    with pytest.raises(MalformedSnapshot):
        engine.restore(PARTS)
    assert not engine.state.accounts


# The format


def test_the_format_tells_every_shape() -> None:
    class Color(str, Enum):
        RED = "red"

    class Paint(str, Enum):
        RED = "crimson"

    def made(*fields: Any, **options: Any) -> str:
        return shape_of([msgspec.defstruct("Shape", fields, array_like=True, **options)], revision=1)

    shapes = [
        made(("a", int), ("b", int)),
        made(("b", int), ("a", int)),
        made(("a", int), ("b", str)),
        made(("a", int), ("b", Color)),
        made(("a", int), ("b", Paint)),
        made(("a", int), ("b", int), ("c", int)),
        made(("a", int), ("b", int), tag="other"),
    ]
    assert len(set(shapes)) == len(shapes)
    assert made(("a", int), ("b", int), namespace={"__doc__": "Told otherwise."}) == shapes[0]
