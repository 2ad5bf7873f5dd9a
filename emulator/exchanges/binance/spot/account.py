"""The account: balances, trades, commission rates, unfilled orders and the filters that apply to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from emulator.core.engine import Engine
from emulator.core.history import Fill
from emulator.core.ids import NO_LIST, AccountId
from emulator.core.numbers import BIPS, ONE, divide_down
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.holdings import Holding, holding, holdings
from emulator.exchanges.binance.spot.market.filters import render_filters
from emulator.exchanges.binance.spot.market.symbols import find, listed
from emulator.exchanges.binance.spot.order_parameters import WALLET
from emulator.exchanges.binance.spot.parameters import LIMIT
from emulator.exchanges.binance.spot.payloads.account import (
    Account,
    AccountFilters,
    AccountTrade,
    AssetBalance,
    CommissionRates,
    OrderCount,
    SymbolCommission,
)
from emulator.exchanges.binance.spot.windows import asked, check_span
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    FROM_ID,
    ORDER_ID,
    START_TIME,
    SYMBOL,
    USER_DATA,
    ZERO_AMOUNT,
    render_amount,
)
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

OMIT_ZERO_BALANCES: Final = Parameter(
    "omitZeroBalances",
    Kind.BOOLEAN,
    default=False,
    description="Only balances that are not zero.",
)


@rows.route(
    "GET",
    "/api/v3/account",
    summary="Account information",
    security=USER_DATA,
    weight=20,
    parameters=(OMIT_ZERO_BALANCES,),
    answers=Account,
)
def account(call: Call) -> Account:
    engine = call.engine
    # The rates of an account are those that apply where a symbol does not ask for less.
    instruments = listed(engine)
    maker = max(instrument.maker_fee for instrument in instruments)
    taker = max(instrument.taker_fee for instrument in instruments)
    omit_zero: bool = call.values["omitZeroBalances"]
    body: Account = {
        "makerCommission": int(divide_down(maker, BIPS, ONE)),
        "takerCommission": int(divide_down(taker, BIPS, ONE)),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(render_amount(maker), render_amount(taker)),
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.render_time(engine.views.updated_us.get(call.account, 0)),
        "accountType": "SPOT",
        "balances": [
            AssetBalance(asset=owned.asset, free=render_amount(owned.free), locked=render_amount(owned.held))
            for owned in _balances(engine, call.account)
            if not omit_zero or owned.total
        ],
        "permissions": ["SPOT"],
        "uid": call.account,
    }
    trade_group = engine.state.accounts[call.account].trade_group
    if trade_group:
        body["tradeGroupId"] = trade_group
    return body


def _balances(engine: Engine, account: AccountId) -> Iterator[Holding]:
    """All assets that symbols are made of, in the order of the listing, then what else there is."""
    assets = dict.fromkeys(asset for i in listed(engine) for asset in (i.base, i.quote))
    assets.update(dict.fromkeys(owned.asset for owned in holdings(engine, account, WALLET)))
    return (holding(engine, account, WALLET, asset) for asset in assets)


def _rates(maker: str = ZERO_AMOUNT, taker: str = ZERO_AMOUNT) -> CommissionRates:
    return {"maker": maker, "taker": taker, "buyer": ZERO_AMOUNT, "seller": ZERO_AMOUNT}


# Trades

# Quirk: the optional parameters of myTrades may come together in seven combinations only; an order's trades
# cannot be bounded in time (rest-api.md, "Account trade list").
COMBINATIONS: Final = frozenset(
    {
        frozenset[str](),
        frozenset({"orderId"}),
        frozenset({"startTime"}),
        frozenset({"endTime"}),
        frozenset({"fromId"}),
        frozenset({"startTime", "endTime"}),
        frozenset({"orderId", "fromId"}),
    }
)
"""Which optional parameters of myTrades may come together (rest-api.md, "Account trade list")."""

_OPTIONAL: Final = frozenset[str]().union(*COMBINATIONS)


def _trades_weight(values: Mapping[str, Any]) -> int:
    return 5 if "orderId" in values else 20


@rows.route(
    "GET",
    "/api/v3/myTrades",
    summary="Account trade list",
    security=USER_DATA,
    weight=_trades_weight,
    parameters=(SYMBOL, ORDER_ID, START_TIME, END_TIME, FROM_ID, LIMIT),
    answers=list[AccountTrade],
)
async def my_trades(call: Call) -> list[AccountTrade]:
    values = call.values
    if _OPTIONAL.intersection(values) not in COMBINATIONS:
        raise refuse(-1128)
    check_span(values)
    symbol = find(call.engine, values["symbol"]).symbol
    divisor = call.time_divisor
    return [
        {
            "symbol": symbol,
            "id": fill.trade,
            "orderId": fill.order,
            "orderListId": -1 if fill.order_list == NO_LIST else fill.order_list,
            "price": render_amount(fill.price),
            "qty": render_amount(fill.quantity),
            "quoteQty": render_amount(fill.amount),
            "commission": render_amount(fill.fee),
            "commissionAsset": fill.fee_asset,
            "time": fill.time_us // divisor,
            "isBuyer": fill.is_buyer,
            "isMaker": fill.is_maker,
            "isBestMatch": True,
        }
        for fill in await _fills(call, symbol)
    ]


async def _fills(call: Call, symbol: str) -> list[Fill]:
    values = call.values
    order_id, from_id = values.get("orderId"), values.get("fromId")
    # Another account's order is as unknown as one that does not exist.
    query = asked(
        values,
        account=call.account,
        scope=symbol,
        divisor=call.time_divisor,
        first_id=from_id,
        part=order_id,
    )
    return await call.records(Fill, query)


# Rates, counts and filters


@rows.route(
    "GET",
    "/api/v3/account/commission",
    summary="Query commission rates",
    security=USER_DATA,
    weight=20,
    parameters=(SYMBOL,),
    answers=SymbolCommission,
)
def commission(call: Call) -> SymbolCommission:
    engine = call.engine
    instrument = find(engine, call.values["symbol"])
    fees = engine.rules.fees
    return {
        "symbol": instrument.symbol,
        "standardCommission": _rates(
            render_amount(instrument.maker_fee), render_amount(instrument.taker_fee)
        ),
        "specialCommission": _rates(),
        "taxCommission": _rates(),
        "discount": {
            "enabledForAccount": WALLET in engine.state.accounts[call.account].discounted,
            "enabledForSymbol": fees.discount_asset is not None,
            "discountAsset": fees.discount_asset or "BNB",
            # Quirk: the discount of fees in BNB is called a reduction and is what remains to be paid: of
            # 0.75000000, three quarters (faqs/commission_faq.md, whose formula multiplies by it; live
            # accounts).
            "discount": render_amount(fees.discount),
        },
    }


@rows.route(
    "GET",
    "/api/v3/rateLimit/order",
    summary="Query unfilled order count",
    security=USER_DATA,
    weight=40,
    answers=list[OrderCount],
)
def order_counts(call: Call) -> list[OrderCount]:
    door = call.site.dialect
    assert isinstance(door, Door)
    in_seconds, in_day = door.quotas(call.sandbox).orders_used(call.account, call.now_us)
    return [
        {
            "rateLimitType": "ORDERS",
            "interval": "SECOND",
            "intervalNum": 10,
            "limit": door.limits.orders_per_10_seconds,
            "count": in_seconds,
        },
        {
            "rateLimitType": "ORDERS",
            "interval": "DAY",
            "intervalNum": 1,
            "limit": door.limits.orders_per_day,
            "count": in_day,
        },
    ]


@rows.route(
    "GET",
    "/api/v3/myFilters",
    summary="Query relevant filters",
    description="No account has filters of its own here, nor are there filters of the whole exchange.",
    security=USER_DATA,
    weight=40,
    parameters=(SYMBOL,),
    answers=AccountFilters,
)
def my_filters(call: Call) -> AccountFilters:
    instrument = find(call.engine, call.values["symbol"])
    return {"exchangeFilters": [], "symbolFilters": render_filters(instrument), "assetFilters": []}
