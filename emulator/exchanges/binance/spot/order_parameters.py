"""What orders and order lists are described by: parameters that the placing endpoints share."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.binance.spot.parameters import SMART_ROUTED
from emulator.exchanges.binance.vocabulary import (
    CLIENT_ID_PATTERN,
    CLIENT_ID_RANGE,
    ICEBERG_QUANTITY,
    NEW_CLIENT_ORDER_ID,
    NEW_ORDER_RESPONSE_TYPE,
    ORDER_TYPE,
    PEG_OFFSET_TYPE,
    PEG_OFFSET_VALUE,
    PEG_PRICE_TYPE,
    PRICE,
    QUANTITY,
    QUOTE_QUANTITY,
    SELF_TRADE_PREVENTION_MODE,
    SIDE,
    STOP_PRICE,
    STRATEGY_ID,
    STRATEGY_TYPE,
    TIME_IN_FORCE,
    TRAILING_DELTA,
)
from emulator.web.contract import Kind, Parameter

WALLET: Final = "spot"
"""The wallet that Spot orders pay from and into."""

SOR_SYMBOLS: Final = frozenset(symbol for symbols in SMART_ROUTED.values() for symbol in symbols)

NAMED: Final = (("orderId", "origClientOrderId"),)
"""By which of its names an order is asked for: by one of them at least."""

CLIENT_ID: Final = Parameter(
    "clientOrderId", pattern=CLIENT_ID_PATTERN, legal_range=CLIENT_ID_RANGE, length_max=36
)
"""A client's own name for something; take it with `.but(name=…)`."""

LIST_CLIENT_ORDER_ID: Final = CLIENT_ID.but(
    name="listClientOrderId", description="Unique among open order lists; generated when not sent."
)
ORDER_LIST_ID: Final = Parameter("orderListId", Kind.INTEGER)
COMPUTE_COMMISSION_RATES: Final = Parameter(
    "computeCommissionRates", Kind.BOOLEAN, description="Answer the rates that the order would pay."
)

NEW_ORDER: Final = (
    ORDER_TYPE,
    SIDE,
    TIME_IN_FORCE,
    QUANTITY,
    QUOTE_QUANTITY,
    PRICE,
    NEW_CLIENT_ORDER_ID,
    STRATEGY_ID,
    STRATEGY_TYPE,
    STOP_PRICE,
    TRAILING_DELTA,
    ICEBERG_QUANTITY,
    NEW_ORDER_RESPONSE_TYPE,
    SELF_TRADE_PREVENTION_MODE,
    PEG_PRICE_TYPE,
    PEG_OFFSET_VALUE,
    PEG_OFFSET_TYPE,
)
"""What one order is described by, whether it is placed, tested or put in another's place."""


def leg(prefix: str, *types: str, triggered: bool = True) -> tuple[Parameter, ...]:
    """The parameters of a list's leg, apart from its side and quantity.

    types: what it may be; triggered: whether some of these wait for a price.
    """
    triggers = (STOP_PRICE.but(name=f"{prefix}StopPrice"), TRAILING_DELTA.but(name=f"{prefix}TrailingDelta"))
    return (
        ORDER_TYPE.but(name=f"{prefix}Type", choices=types),
        CLIENT_ID.but(
            name=f"{prefix}ClientOrderId", description="Unique among open orders; generated when not sent."
        ),
        ICEBERG_QUANTITY.but(name=f"{prefix}IcebergQty"),
        PRICE.but(name=f"{prefix}Price"),
        *(triggers if triggered else ()),
        TIME_IN_FORCE.but(name=f"{prefix}TimeInForce"),
        STRATEGY_ID.but(name=f"{prefix}StrategyId"),
        STRATEGY_TYPE.but(name=f"{prefix}StrategyType"),
        PEG_PRICE_TYPE.but(name=f"{prefix}PegPriceType"),
        PEG_OFFSET_TYPE.but(name=f"{prefix}PegOffsetType"),
        PEG_OFFSET_VALUE.but(name=f"{prefix}PegOffsetValue"),
    )


_NOT_ROUTED: Final = frozenset(
    {
        "quoteOrderQty",
        "stopPrice",
        "trailingDelta",
        "pegPriceType",
        "pegOffsetType",
        "pegOffsetValue",
        "type",
        "quantity",
    }
)

SOR_ORDER: Final = (
    ORDER_TYPE.but(choices=("LIMIT", "MARKET")),
    QUANTITY.but(required=True),
    *(parameter for parameter in NEW_ORDER if parameter.name not in _NOT_ROUTED),
)
"""What an order that uses smart order routing is described by."""
