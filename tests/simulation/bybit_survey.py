"""Everything that Bybit answers about an account at a moment at which nothing is under way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from random import Random
from typing import Any

from emulator.core.positions import Leg
from emulator.exchanges.bybit.ids import order_id_text
from tests.simulation.bybit import Bybit
from tests.simulation.bybit_reading import (
    FUNDING,
    read_closing,
    read_coin,
    read_entry,
    read_fill,
    read_order,
    read_payment,
    read_position,
)
from tests.simulation.control import Control
from tests.simulation.dialect import Seat
from tests.simulation.unified_words import (
    Closing,
    Coin,
    Entry,
    Payment,
    Standing,
    UnifiedFill,
    UnifiedOrder,
    UnifiedSurvey,
)
from tests.simulation.words import OrderView, Outcome, Reply

WEEK_MS = 7 * 86_400_000
QUERIED_MAX = 8


def _spans(since_ms: int, until_ms: int) -> Iterator[dict[str, int]]:
    """Spans that are no longer than one request may ask for, the newest first."""
    while until_ms >= since_ms:
        start_ms = max(since_ms, until_ms - WEEK_MS)
        yield {"startTime": start_ms, "endTime": until_ms}
        until_ms = start_ms - 1


async def survey_unified(
    bybit: Bybit,
    control: Control,
    seat: Seat,
    dice: Random,
    *,
    since_ms: int,
    acknowledged: Collection[OrderView],
) -> UnifiedSurvey:
    """dice: how long pages are, and which orders are asked for one by one. acknowledged: orders that
    must be found, by their id at least."""
    now_ms = await control.now_ms()
    complaints: list[str] = []
    orders: dict[int, UnifiedOrder] = {}
    open_orders: dict[int, UnifiedOrder] = {}
    fills: list[UnifiedFill] = []
    payments: list[Payment] = []
    positions: list[Standing] = []

    async def pages(path: str, longest: int, **values: Any) -> list[Any]:
        return await bybit.pages(seat, path, values, dice.randint(longest // 4, longest), complaints)

    for traded in bybit.instruments:
        named = {"category": traded.category, "symbol": traded.symbol}
        for one in await pages("/v5/order/realtime", 50, **named):
            order = read_order(traded.category, one)
            open_orders[order.id] = orders[order.id] = order
        for span in _spans(since_ms, now_ms):
            for one in await pages("/v5/order/history", 50, **named, **span):
                order = read_order(traded.category, one)
                if order.id in orders:
                    complaints.append(f"order {order.id} is told of twice, or is open and over")
                orders[order.id] = order
            for one in await pages("/v5/execution/list", 100, **named, **span):
                if one["execType"] == FUNDING:
                    payments.append(read_payment(traded.category, one))
                else:
                    fills.append(read_fill(traded.category, one))
        if not traded.is_pair:
            listed = await pages("/v5/position/list", 50, **named)
            positions += [read_position(traded.category, one) for one in listed]
    queried: dict[int, Reply] = {}
    for number in dice.sample(sorted(orders), min(QUERIED_MAX, len(orders))):
        found = await _ask_for(bybit, seat, orders[number], by_name=dice.random() < 0.5)
        queried[number] = Reply(outcome=Outcome.DONE, orders=tuple(found))
    absent: set[int] = set()
    for one in acknowledged:
        if one.id not in orders and not await _ask_for(bybit, seat, one):
            absent.add(one.id)
    balance = await bybit.get(seat, "/v5/account/wallet-balance", {"accountType": "UNIFIED"})
    coins = [read_coin(one) for one in balance["list"][0]["coin"]]
    entries: list[Entry] = []
    for span in _spans(since_ms, now_ms):
        listed = await pages("/v5/account/transaction-log", 50, accountType="UNIFIED", **span)
        entries += [read_entry(one) for one in listed]
    closings: list[Closing] = []
    for category in ("linear", "inverse"):
        for span in _spans(since_ms, now_ms):
            listed = await pages("/v5/position/closed-pnl", 100, category=category, **span)
            closings += [read_closing(category, one) for one in listed]
    wallets, differences = await control.money(seat.credentials.account, bybit.engine)
    return UnifiedSurvey(
        account=seat.credentials.account,
        now_ms=now_ms,
        orders=orders,
        open_orders=open_orders,
        queried=queried,
        absent=frozenset(absent),
        fills=tuple(sorted(fills, key=lambda one: (one.time_ms or 0, one.instrument, one.trade, one.order))),
        payments=tuple(sorted(payments, key=lambda one: (one.time_ms, one.id))),
        positions=tuple(positions),
        coins={one.asset: one for one in coins},
        held={asset: free + held for asset, (free, held) in wallets.get(bybit.wallet, {}).items()},
        entries=tuple(reversed(entries)),
        closings=tuple(closings),
        chosen=await _chosen(bybit, seat, positions, coins),
        differences=differences,
        complaints=tuple(complaints),
    )


async def _ask_for(
    bybit: Bybit, seat: Seat, order: OrderView, *, by_name: bool = False
) -> list[UnifiedOrder]:
    """An order by its id, or by its own name if it has one of its own."""
    category, symbol = order.instrument.split(":")
    named = {"symbol": symbol, "orderId": order_id_text(category, order.id)}
    if by_name and isinstance(order, UnifiedOrder) and not order.by_exchange and not order.is_of_two:
        named = {"symbol": symbol, "orderLinkId": order.name}
    return await bybit.find(seat, category, named)


async def _chosen(
    bybit: Bybit, seat: Seat, positions: Sequence[Standing], coins: Sequence[Coin]
) -> dict[str, str]:
    """Settings by their names, as they are."""
    chosen = {"margin mode": (await bybit.get(seat, "/v5/account/info", {}))["marginMode"]}
    chosen["spot margin"] = (await bybit.get(seat, "/v5/spot-margin-trade/state", {}))["spotMarginMode"]
    for one in positions:
        chosen[f"leverage of {one.instrument}"] = str(one.leverage)
        chosen[f"hedged {one.instrument}"] = str(one.leg is not Leg.BOTH)
    for coin in coins:
        chosen[f"collateral {coin.asset}"] = "ON" if coin.record["collateralSwitch"] else "OFF"
    return chosen
