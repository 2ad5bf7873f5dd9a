"""An example of every record that an archive keeps, with every field set; orders also with none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from emulator.core.events import AmountDeposited, AmountTransferred, AmountWithdrawn, MatchPrevented
from emulator.core.history import (
    Amendment,
    BalanceRecord,
    ClosedRecord,
    ContractSettings,
    Fill,
    FillKind,
    Income,
    IncomeKind,
    LedgerEntry,
    ListRecord,
    MarginChange,
    Movement,
    PositionRecord,
    PreventedMatch,
    Transaction,
    TransactionKind,
    WalletSettings,
)
from emulator.core.instruments import (
    Instrument,
    Kind,
    MarketProfile,
    SelfTradeMode,
    Side,
    TimeInForce,
    TriggerSource,
)
from emulator.core.instruments import OrderType as Type
from emulator.core.order_lists import ListKind, ListStatus, OrderList
from emulator.core.orders import (
    Attached,
    EndReason,
    Order,
    OrderStatus,
    OrderTerms,
    Peg,
    PegSide,
    Slippage,
    Stop,
    StopRole,
    Trigger,
    TriggerKind,
)
from emulator.core.positions import Leg, MarginMode, Position
from emulator.runtime.archive import (
    AccountRecord,
    ApiKeyRecord,
    ArchiveRecord,
    InstrumentRecord,
)
from emulator.runtime.ports import KeyKind

T0 = 1_700_000_000_000_000
DIGITS = Decimal("123456789012345678901234567890.1234567890")


def fill(trade: int, **changes: Any) -> Fill:
    """Trade 7 was of order 70, seven seconds after the first moment."""
    made = Fill(
        trade=trade,
        order=10 * trade,
        account=1,
        order_list=0,
        instrument="BTCUSDT",
        price=Decimal("42000.10"),
        quantity=Decimal("1.5"),
        amount=Decimal("63000.15"),
        fee=Decimal(0),
        fee_asset="BTC",
        time_us=T0 + trade * 1_000_000,
        is_buyer=True,
        is_maker=False,
    )
    return msgspec.structs.replace(made, **changes)


def order(number: int, **changes: Any) -> Order:
    made = Order(
        id=number,
        account=1,
        wallet="spot",
        instrument="BTCUSDT",
        terms=OrderTerms(side=Side.BUY, type=Type.MARKET),
        client_id=f"mine-{number}",
        self_trade_mode=SelfTradeMode.NONE,
        trade_group=-1,
        quantity=None,
        price=None,
        status=OrderStatus.NEW,
        list_id=0,
        hold_asset="USDT",
        created_us=T0 + number * 1_000_000,
        updated_us=T0 + number * 1_000_000,
    )
    return msgspec.structs.replace(made, **changes)


TERMS = OrderTerms(
    side=Side.SELL,
    type=Type.LIMIT,
    quantity=DIGITS,
    quote_quantity=Decimal("1E-30"),
    price=Decimal("-0.0"),
    time_in_force=TimeInForce.FOK,
    post_only=True,
    trigger=Trigger(
        kind=TriggerKind.TAKE_PROFIT,
        price=Decimal("1.10"),
        trailing_bips=25,
        source=TriggerSource.MARK,
        trailing_distance=Decimal("0.50"),
    ),
    iceberg_quantity=Decimal("0.100"),
    peg=Peg(side=PegSide.MARKET, levels=3),
    self_trade_mode=SelfTradeMode.DECREMENT,
    client_id="wörd/✓ $ . \u2028",
    labels=(("strategyId", "7"), ("$odd.name", "")),
    close_on_trigger=True,
    attached=Attached(
        whole=False,
        take_profit=Stop(price=Decimal("1.20"), source=TriggerSource.INDEX, limit=Decimal("1.1900")),
        stop_loss=Stop(price=Decimal("0.90")),
    ),
    role=StopRole.PARTIAL_STOP_LOSS,
    parent=2**61,
    slippage=Slippage(steps=3, ratio=Decimal("0.010")),
)
FULL_ORDER = order(
    2**62,
    created_us=T0,
    updated_us=T0 + 9,
    terms=TERMS,
    client_id="$wörd/✓",
    trade_group=2**40,
    quantity=DIGITS,
    price=Decimal("0.00000001"),
    status=OrderStatus.EXPIRED_IN_MATCH,
    list_id=9,
    held=Decimal("0E-8"),
    executed=Decimal("1.000"),
    executed_amount=Decimal("2.00"),
    prevented=Decimal("3.0"),
    prevented_match=77,
    visible=Decimal("4"),
    resting=True,
    asleep=True,
    trailing=True,
    extreme=Decimal("5.5"),
    extreme_us=T0 + 1,
    seen=Decimal("6.6"),
    amend_count=8,
    end_reason=EndReason.SELF_TRADE,
    working_us=T0 + 2,
    queued_us=T0 + 3,
    bound=Decimal("7.70"),
)
LISTED = OrderList(
    id=9,
    account=1,
    wallet="spot",
    instrument="BTCUSDT",
    kind=ListKind.OTOCO,
    funded=True,
    client_id="list",
    orders=(5, 6, 7),
    hold_asset="USDT",
    created_us=T0,
    updated_us=T0 + 5,
    held=Decimal("1.10"),
    received=Decimal("2.20"),
    status=ListStatus.DONE,
)
PREVENTED = MatchPrevented(
    instrument="BTCUSDT",
    match=4,
    taker=5,
    maker=6,
    mode=SelfTradeMode.TRANSFER,
    price=Decimal("1.10"),
    taker_prevented=Decimal("0.5"),
    maker_prevented=Decimal(0),
    transferred=Decimal("0.50"),
    transferred_amount=Decimal("0.55"),
)
INSTRUMENT = Instrument(
    symbol="BTCUSDT",
    kind=Kind.INVERSE,
    base="BTC",
    quote="USDT",
    settle="BTC",
    price_step=Decimal("0.10"),
    price_min=Decimal("0.10"),
    price_max=Decimal("1000000.00"),
    quantity_step=Decimal("0.001"),
    quantity_min=Decimal("0.001"),
    quantity_max=Decimal("9000"),
    bid_multiplier_up=Decimal("5"),
    bid_multiplier_down=Decimal("0.2"),
    ask_multiplier_up=Decimal("5"),
    ask_multiplier_down=Decimal("0.2"),
    position_max=Decimal("10.0"),
    self_trade_modes=frozenset({SelfTradeMode.NONE, SelfTradeMode.DECREMENT}),
    profile=MarketProfile(
        anchor=Decimal("42000"),
        trade_quantity=Decimal("0.01"),
        level_quantity=Decimal("0.5"),
        path="BTC",
    ),
)
POSITION = Position(
    leg=Leg.SHORT,
    mode=MarginMode.ISOLATED,
    leverage=Decimal("7.0"),
    quantity=Decimal("-1.50"),
    cost=DIGITS,
    margin=Decimal("2.20"),
    realised=Decimal("-3.30"),
    fees=Decimal("0.10"),
    funding=Decimal("-0.20"),
    updated_us=T0 + 1,
)
TRANSACTION = Transaction(
    number=12,
    account=1,
    wallet="usdm",
    kind=TransactionKind.REPAID,
    asset="USDT",
    cash=DIGITS,
    fee=Decimal("-0.10"),
    funding=Decimal("1E-30"),
    balance=Decimal("0E-8"),
    time_us=T0,
    instrument="BTCUSDT",
    leg=Leg.SHORT,
    is_buyer=False,
    quantity=Decimal("1.50"),
    position=Decimal("-2.50"),
    price=Decimal("42000.10"),
    rate=Decimal("0.00055"),
    trade=2**53,
    order=2**62,
    reference="wörd",
)
CLOSED = ClosedRecord(
    trade=7,
    order=70,
    account=1,
    instrument="BTCUSDT",
    leg=Leg.LONG,
    kind=FillKind.LIQUIDATION,
    is_buyer=False,
    type=Type.LIMIT,
    quantity=Decimal("3.0"),
    price=Decimal("42000.10"),
    client_id="wörd/✓",
    asset="USDT",
    leverage=Decimal("7.0"),
    closed=Decimal("2.0"),
    entry=DIGITS,
    exit=Decimal("3541.7950"),
    realised=Decimal("-43.1305"),
    opening_fee=Decimal("2.15"),
    closing_fee=Decimal("-0.10"),
    funding=Decimal("1E-8"),
    fills=4,
    created_us=T0,
    updated_us=T0 + 5,
)
FUNDED = Fill(
    trade=8,
    order=0,
    account=1,
    order_list=0,
    instrument="ETHUSDT",
    price=Decimal("42000.10"),
    quantity=Decimal("1.5"),
    amount=Decimal("63000.15"),
    fee=Decimal("-0.30"),
    fee_asset="USDT",
    time_us=T0,
    is_buyer=True,
    is_maker=False,
    realised=Decimal("0.0"),
    leg=Leg.SHORT,
    kind=FillKind.FUNDING,
    remaining=Decimal("0.10"),
    closed=Decimal("1.0"),
    rate=Decimal("-0.0001"),
    mark=Decimal("42000.10"),
    index=DIGITS,
)
RECORDS: dict[str, ArchiveRecord] = {
    "full order": FULL_ORDER,
    "bare order": order(1),
    "fill": fill(3, price=DIGITS, fee=Decimal("1E-30"), order_list=9, is_maker=True),
    "list": ListRecord(LISTED, ("working", "", "wörd")),
    "amendment": Amendment(5, 1, "BTCUSDT", 3, "before", "after", Decimal("2.0"), Decimal("1.0"), T0),
    "prevented match": PreventedMatch(PREVENTED, 5, 1, -1, T0),
    "deposit": Movement(
        AmountDeposited(
            account=1,
            wallet="spot",
            asset="BTC",
            amount=DIGITS,
            movement=3,
            reference="wörd",
        ),
        T0,
    ),
    "withdrawal": Movement(
        AmountWithdrawn(
            account=1,
            wallet="funding",
            asset="BTC",
            amount=Decimal("1.50"),
            fee=Decimal("0.0010"),
            movement=4,
            reference="",
            labels=(("network", "BTC"), ("address", "bc1")),
        ),
        T0,
    ),
    "transfer": Movement(
        AmountTransferred(
            account=1,
            asset="BTC",
            amount=Decimal("0.1"),
            source="spot",
            target="funding",
            movement=5,
            reference="mine",
        ),
        T0,
    ),
    "ledger entry": LedgerEntry(8, 1, "spot", "BTC", Decimal("-1.0"), Decimal("1.0"), "market", "Why", T0),
    "margin change": MarginChange(11, 1, "BTCUSDT", Leg.LONG, "USDT", Decimal("-12.5"), T0),
    "income": Income(9, 1, "usdm", IncomeKind.FUNDING, "USDT", Decimal("-0.10"), "BTCUSDT", 2**53, T0),
    "transaction": TRANSACTION,
    "closed": CLOSED,
    "closed at market": msgspec.structs.replace(CLOSED, order=71, type=Type.MARKET, price=None),
    "funding": FUNDED,
    "position": PositionRecord(1, "BTCUSDT", POSITION, T0),
    "contract settings": ContractSettings(1, "BTCUSDT", Decimal("7.0"), MarginMode.ISOLATED, T0),
    "settings of legs": ContractSettings(
        1, "ETHUSDT", Decimal(20), MarginMode.ISOLATED, T0, Decimal("7.5"), Decimal(30)
    ),
    "wallet settings": WalletSettings(1, "usdm", hedged=True, shared=True, time_us=T0),
    "balance": BalanceRecord(1, "spot", "1INCH", Decimal("0E-8"), DIGITS, T0),
    "account": AccountRecord(7, "wörd", -1, T0),
    "api key": ApiKeyRecord(7, "k/e.y$", KeyKind.ED25519, ("read", "trade"), "my label", T0),
    "instrument": InstrumentRecord(INSTRUMENT),
}


def exactly(record: ArchiveRecord) -> tuple[str, Any]:
    """All that a record says, digit by digit: orders and lists have no equality of their own."""
    return type(record).__name__, msgspec.to_builtins(record, order="deterministic")
