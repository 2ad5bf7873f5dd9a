"""What became of orders, positions and balances of contracts, as a user data stream says it.

Everything is taken from the core's records as they are at the call, which is when the event that is told of
has just been applied. Times are milliseconds, the only unit of these streams. To be called in the exact
context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from emulator.core.history import Fill
from emulator.core.instruments import BUY
from emulator.core.numbers import ZERO
from emulator.core.orders import Cause, EndReason, Order, OrderStatus
from emulator.core.statement import PositionStatement
from emulator.exchanges.binance.futures.account.readings import (
    ENTRY_STEP,
    SIDES_OF_LEGS,
    is_isolated,
    render_plain,
    render_value,
)
from emulator.exchanges.binance.futures.algo import ALGO_TYPE, algo_id_of, status_word
from emulator.exchanges.binance.futures.payloads.user_data import (
    AccountUpdate,
    AlgoChange,
    AlgoUpdate,
    ChangedBalance,
    ChangedPosition,
    ConfigUpdate,
    MarginCall,
    OrderChange,
    OrderTradeUpdate,
    TradeLite,
)
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.replies import (
    average_price,
    callback_rate,
    good_till_ms,
    listing_of,
    time_in_force_word,
    type_word,
)
from emulator.exchanges.binance.futures.vocabulary import (
    LEG_WORDS,
    ORDER_STATUS_WORDS,
    PRICE_MATCH_WORDS,
    WORKING_TYPE_WORDS,
)
from emulator.exchanges.binance.user_data.account_event import AccountEvent
from emulator.exchanges.binance.vocabulary import SELF_TRADE_WORDS, SIDE_WORDS

NEW: Final = "NEW"
CANCELED: Final = "CANCELED"
CALCULATED: Final = "CALCULATED"
EXPIRED: Final = "EXPIRED"
TRADE: Final = "TRADE"
AMENDMENT: Final = "AMENDMENT"
"""Execution types."""

_OPEN: Final = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})

ALIAS: Final = "SfsR"
"""Quirk: events of COIN-M have a short text that stands for the account (Event: Order Update)."""

EXPIRY_REASONS: Final[Mapping[EndReason, str]] = MappingProxyType(
    {
        EndReason.SELF_TRADE: "1",
        EndReason.UNFILLED_IMMEDIATE: "2",
        EndReason.UNFILLED_ALL_OR_NOTHING: "2",
        EndReason.NOTHING_TO_REDUCE: "4",
        EndReason.LIQUIDATION: "5",
        EndReason.NO_LIQUIDITY: "9",
    }
)
"""Quirk: why an order expired is a digit as text, and what has none is "0" (Event: Order Update)."""


def report_order(
    product: Product,
    order: Order,
    beside: PositionStatement,
    now_us: int,
    execution_type: str,
    *,
    fill: Fill | None = None,
) -> AccountEvent:
    """An ORDER_TRADE_UPDATE about an order as it is now. beside: the position that it is about, with all
    orders at it. fill: what happened, of a TRADE."""
    listing, terms, trigger = listing_of(product, order), order.terms, order.terms.trigger
    is_closing = terms.cause is not Cause.OWNER
    original = type_word(terms)
    is_waiting = order.status is OrderStatus.DORMANT
    if is_closing:
        if terms.cause is not Cause.DELIVERY:
            original = "LIQUIDATION"
        kind = original
        execution_type = CALCULATED if execution_type == TRADE else execution_type
    else:
        kind = original if is_waiting or not order.working_us else terms.type.name
    is_trailing = trigger is not None and trigger.trailing_bips is not None
    bids, asks = _beside(order, beside)
    change: OrderChange = {
        "s": listing.symbol,
        "c": order.client_id,
        "S": SIDE_WORDS[order.side],
        "o": kind,
        "f": time_in_force_word(terms),
        "q": render_plain(order.quantity or ZERO),
        "p": render_plain(order.price or terms.price or ZERO),
        "ap": render_plain(average_price(listing, order)),
        "sp": render_plain((trigger.price or ZERO) if trigger is not None and not is_trailing else ZERO),
        "x": execution_type,
        "X": ORDER_STATUS_WORDS[order.status],
        "i": order.id,
        "l": render_plain(fill.quantity if fill else ZERO),
        "z": render_plain(order.executed),
        "L": render_plain(fill.price if fill else ZERO),
        "T": now_us // 1000,
        # Quirk: the id of a trade is 0 where there was none, not -1 as on Spot (Event: Order Update).
        "t": fill.trade if fill else 0,
        "b": render_plain(bids),
        "a": render_plain(asks),
        "m": fill.is_maker if fill else False,
        "R": terms.reduce_only,
        "wt": WORKING_TYPE_WORDS[trigger.source] if trigger else "CONTRACT_PRICE",
        "ot": original,
        "ps": LEG_WORDS[terms.leg],
        "cp": terms.close_position,
        "rp": render_plain(fill.realised if fill else ZERO),
        "pP": terms.price_protect,
        "V": SELF_TRADE_WORDS[order.self_trade_mode],
        "pm": PRICE_MATCH_WORDS[terms.peg] if terms.peg else "NONE",
        "er": EXPIRY_REASONS.get(order.end_reason, "0"),
    }
    if fill is not None and fill.fee:
        # Quirk: without a commission there is neither its asset nor its amount (Event: Order Update).
        change["N"] = fill.fee_asset
        change["n"] = render_plain(fill.fee)
    if is_trailing:
        assert trigger is not None
        change["AP"] = render_plain(trigger.price or order.extreme or ZERO)
        change["cr"] = callback_rate(terms)
    if product.is_inverse:
        change["ma"] = listing.contract.margin_asset
    else:
        change["si"] = change["ss"] = 0
        change["gtd"] = good_till_ms(terms)
    payload: OrderTradeUpdate = {
        "e": "ORDER_TRADE_UPDATE",
        "E": now_us // 1000,
        "T": now_us // 1000,
        "o": change,
    }
    return _event(product, payload)


def _beside(order: Order, beside: PositionStatement) -> tuple[Decimal, Decimal]:
    """What the orders to buy and to sell are worth; an order that is on its way to the book is among them."""
    bids, asks = beside.resting.bids, beside.resting.asks
    is_coming = order.status in _OPEN and not order.resting and not order.terms.reduces
    if is_coming and order.price is not None:
        worth = beside.instrument.amount(order.remaining, order.price)
        if order.side is BUY:
            bids += worth
        else:
            asks += worth
    return bids, asks


def report_trade_lite(product: Product, order: Order, fill: Fill, now_us: int) -> AccountEvent:
    payload: TradeLite = {
        "e": "TRADE_LITE",
        "E": now_us // 1000,
        "T": now_us // 1000,
        "s": product.symbols[order.instrument],
        "q": render_plain(order.quantity or ZERO),
        "p": render_plain(order.price or ZERO),
        "m": fill.is_maker,
        "c": order.client_id,
        "S": SIDE_WORDS[order.side],
        "L": render_plain(fill.price),
        "l": render_plain(fill.quantity),
        "t": fill.trade,
        "i": order.id,
    }
    return AccountEvent(payload, ())


def report_account(
    product: Product,
    reason: str,
    balances: Iterable[ChangedBalance],
    positions: Iterable[ChangedPosition],
    now_us: int,
) -> AccountEvent:
    """An ACCOUNT_UPDATE. reason: of the change, in the stream's words."""
    payload: AccountUpdate = {
        "e": "ACCOUNT_UPDATE",
        "E": now_us // 1000,
        "T": now_us // 1000,
        "a": {"m": reason, "B": list(balances), "P": list(positions)},
    }
    return _event(product, payload)


def render_balance(asset: str, wallet: Decimal, isolated: Decimal, changed: Decimal) -> ChangedBalance:
    """wallet: with the margins of isolated positions. changed: beside profit and commissions."""
    return {
        "a": asset,
        "wb": render_value(wallet),
        "cw": render_value(wallet - isolated),
        "bc": render_plain(changed),
    }


def render_position(product: Product, one: PositionStatement, realised: Decimal) -> ChangedPosition:
    """realised: by the trade that is told of, of a position that it closed."""
    position = one.position
    rendered: ChangedPosition = {
        "s": product.symbols[one.instrument.symbol],
        "pa": render_plain(position.quantity),
        "ep": render_plain(one.entry(ENTRY_STEP)),
        "bep": render_plain(one.break_even(ENTRY_STEP)),
        "cr": render_plain(position.realised if position.quantity else realised),
        "up": render_plain(one.unrealised),
        "mt": "isolated" if is_isolated(one) else "cross",
        "iw": render_plain(position.margin),
        "ps": SIDES_OF_LEGS[position.leg],
    }
    if product.is_inverse:
        rendered["ma"] = one.contract.margin_asset
    return rendered


def report_leverage(product: Product, instrument: str, leverage: Decimal, now_us: int) -> AccountEvent:
    payload: ConfigUpdate = {
        "e": "ACCOUNT_CONFIG_UPDATE",
        "E": now_us // 1000,
        "T": now_us // 1000,
        "ac": {"s": product.symbols[instrument], "l": int(leverage)},
    }
    return AccountEvent(payload, ())


def report_assets_mode(is_shared: bool, now_us: int) -> AccountEvent:
    payload: ConfigUpdate = {
        "e": "ACCOUNT_CONFIG_UPDATE",
        "E": now_us // 1000,
        "T": now_us // 1000,
        "ai": {"j": is_shared},
    }
    return AccountEvent(payload, ())


def report_margin_call(
    product: Product, called: Iterable[PositionStatement], cross_wallet: str | None, now_us: int
) -> AccountEvent:
    """A MARGIN_CALL. cross_wallet: None of an isolated position."""
    payload: MarginCall = {
        "e": "MARGIN_CALL",
        "E": now_us // 1000,
        "p": [
            {
                "s": product.symbols[one.instrument.symbol],
                "ps": SIDES_OF_LEGS[one.position.leg],
                "pa": render_plain(one.position.quantity),
                # Quirk: margin types are written in other words here than in positions (Event: Margin Call).
                "mt": "ISOLATED" if is_isolated(one) else "CROSSED",
                "iw": render_plain(one.position.margin),
                "mp": render_plain(one.mark),
                "up": render_plain(one.unrealised),
                "mm": render_plain(one.maintenance),
            }
            for one in called
        ],
    }
    if cross_wallet is not None:
        # Quirk: only of positions under cross margin there is the wallet (Event: Margin Call).
        payload["cw"] = cross_wallet
    return _event(product, payload)


def report_algo(
    product: Product, order: Order, now_us: int, *, status: str = "", successor: Order | None = None
) -> AccountEvent:
    """An ALGO_UPDATE about an order that stands apart. status: where the order's own does not say it.
    successor: the order that took its place."""
    listing, terms, trigger = listing_of(product, order), order.terms, order.terms.trigger
    assert trigger is not None, "what stands apart waits for something"
    change: AlgoChange = {
        "caid": order.client_id,
        "aid": algo_id_of(order),
        "at": ALGO_TYPE,
        "o": type_word(terms),
        "s": listing.symbol,
        "S": SIDE_WORDS[order.side],
        "ps": LEG_WORDS[terms.leg],
        "f": time_in_force_word(terms),
        "q": render_plain(order.quantity or ZERO),
        "X": status or status_word(order, successor),
        # Quirk: before the trigger the actual order is nothing at all, its price "0.00000" and its type "0"
        # (Event: Algo Order Update, the example).
        "ai": str(successor.id) if successor is not None else "",
        "ap": render_plain(average_price(listing, successor)) if successor is not None else "0.00000",
        "aq": render_plain(successor.executed) if successor is not None else "0.00000",
        "act": successor.terms.type.name if successor is not None else "0",
        "tp": render_plain(trigger.price or ZERO),
        "p": render_plain(terms.price or ZERO),
        "V": SELF_TRADE_WORDS[order.self_trade_mode],
        "wt": WORKING_TYPE_WORDS[trigger.source],
        "pm": PRICE_MATCH_WORDS[terms.peg] if terms.peg else "NONE",
        "cp": terms.close_position,
        "pP": terms.price_protect,
        "R": terms.reduce_only,
        "tt": order.updated_us // 1000 if successor is not None else 0,
        "gtd": good_till_ms(terms),
        "rm": _rejected_because(order),
    }
    if trigger.trailing_bips is not None:
        change["ia"] = order.trailing
    payload: AlgoUpdate = {"e": "ALGO_UPDATE", "E": now_us // 1000, "T": now_us // 1000, "o": change}
    return AccountEvent(payload, ())


def _rejected_because(order: Order) -> str:
    match order.end_reason:
        case EndReason.INSUFFICIENT_BALANCE:
            return "Margin is insufficient."
        case EndReason.NOTHING_TO_REDUCE:
            return "ReduceOnly Order is rejected."
        case EndReason.PRICE_PROTECTED:
            return "Price protected."
        case _:
            return ""


def _event(product: Product, payload: Mapping[str, Any]) -> AccountEvent:
    return AccountEvent({**payload, "i": ALIAS} if product.is_inverse else payload, ())
