"""Queries of orders, and of the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.exchanges.binance.building import Building
from tests.exchanges.binance.payload_examples.example import BTC, Examples, placing
from tests.exchanges.binance.payload_examples.market import RATE_LIMIT
from tests.exchanges.binance.payload_examples.shapes_of_orders import (
    DISCOUNT,
    EXPIRED,
    PEGGED,
    PREVENTED,
    STATE,
    STRATEGY,
)
from tests.exchanges.binance.shapes import Shape, fields
from tests.exchanges.binance.trading_floor import LIMIT_BUY, LIMIT_SELL, MARKET_BUY, STOP_SELL

examples = Examples()

# What the loops below go through.
_order: Mapping[str, Any]

# Shapes: the account

FOUR_RATES = fields("maker:s taker:s buyer:s seller:s")
ACCOUNT = fields(
    "makerCommission:i takerCommission:i buyerCommission:i sellerCommission:i canTrade:b canWithdraw:b "
    "canDeposit:b brokered:b requireSelfTradePrevention:b preventSor:b updateTime:i accountType:s uid:i",
    commissionRates=FOUR_RATES,
    balances=[fields("asset:s free:s locked:s")],
    permissions=["s"],
)
OWN_TRADE = fields(
    "symbol:s id:i orderId:i orderListId:i price:s qty:s quoteQty:s commission:s commissionAsset:s time:i "
    "isBuyer:b isMaker:b isBestMatch:b"
)

# Queries

_STATES: tuple[tuple[str, Mapping[str, Any], dict[str, Shape]], ...] = (
    ("", LIMIT_BUY, {}),
    ("a stop", STOP_SELL, {}),
    ("a trailing stop", {**STOP_SELL, "trailingDelta": 100}, fields("trailingDelta:i trailingTime:i")),
    ("an iceberg", {**LIMIT_BUY, "icebergQty": "0.001"}, {}),
    ("of a strategy", {**LIMIT_BUY, "strategyId": 1, "strategyType": 1_000_000}, STRATEGY),
    ("pegged", {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG"}, PEGGED),
    ("expired", {**LIMIT_BUY, "timeInForce": "FOK"}, EXPIRED),
)
for _form, _order, _more in _STATES:
    examples.shows(
        "GET /api/v3/order",
        STATE | _more,
        "Query order",
        BTC,
        form=_form,
        before=placing("order", _order, orderId="orderId"),
    )


async def _prevented(building: Building) -> dict[str, Any]:
    """A maker that expired so."""
    placed = await building.take("POST", "/api/v3/order", {**LIMIT_BUY, "price": "99995"})
    await building.take(
        "POST", "/api/v3/order", {**LIMIT_SELL, "price": "99995", "selfTradePreventionMode": "EXPIRE_MAKER"}
    )
    return {"orderId": placed["orderId"]}


examples.shows(
    "GET /api/v3/order",
    STATE | fields("preventedMatchId:i preventedQuantity:s"),
    "stp_faq.md",
    BTC,
    form="expired in a match",
    before=_prevented,
)
examples.shows(
    "GET /api/v3/myPreventedMatches", [PREVENTED], "Query Prevented Matches", BTC, before=_prevented
)
examples.shows(
    "GET /api/v3/openOrders", [STATE], "Current open orders", BTC, before=placing("order", LIMIT_BUY)
)
examples.shows("GET /api/v3/allOrders", [STATE], "All orders", BTC, before=placing("order", LIMIT_BUY))
examples.shows(
    "GET /api/v3/myTrades", [OWN_TRADE], "Account trade list", BTC, before=placing("order", MARKET_BUY)
)
examples.shows("GET /api/v3/account", ACCOUNT, "Account information")
examples.shows(
    "GET /api/v3/account/commission",
    {
        "symbol": "s",
        "standardCommission": FOUR_RATES,
        "specialCommission": FOUR_RATES,
        "taxCommission": FOUR_RATES,
        "discount": DISCOUNT,
    },
    "Query Commission Rates",
    BTC,
)
examples.shows(
    "GET /api/v3/rateLimit/order",
    [RATE_LIMIT | fields("count:i")],
    "Query Unfilled Order Count",
)
