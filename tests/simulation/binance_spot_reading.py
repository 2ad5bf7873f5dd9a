"""What Binance Spot answers and says, in the simulation's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from emulator.core.instruments import Side
from emulator.core.orders import OrderStatus
from tests.simulation.words import (
    BalancesTold,
    Book,
    FillView,
    ListTold,
    ListView,
    Movement,
    OrderTold,
    OrderView,
    Outcome,
    Reply,
    Swap,
    Told,
)

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
STATUSES = {
    "PENDING_NEW": OrderStatus.WAITING,
    "NEW": OrderStatus.NEW,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED_IN_MATCH,
}
DEPOSIT_WALLETS = {0: "spot", 1: "funding"}
"""By the number that histories give them."""


def read_reply(status: int, content: Any) -> Reply:
    if status == 200:
        return _success(content)
    code = content.get("code") if isinstance(content, Mapping) else None
    reason = f"{code} {content.get('msg')}" if isinstance(content, Mapping) else repr(content)
    match status:
        case 504:
            return Reply(outcome=Outcome.UNKNOWN, reason=reason)
        case 503:
            return Reply(outcome=Outcome.UNDONE, reason=reason)
        case _ if status >= 500 or code is None:
            return Reply(outcome=Outcome.UNKNOWN, reason=reason, is_broken=True)
    shown = _success(content.get("data", {}))
    return Reply(
        outcome=Outcome.REFUSED,
        reason=reason,
        orders=shown.orders,
        fills=shown.fills,
        lists=shown.lists,
        is_absent=code == -2013,
    )


def _success(content: Any) -> Reply:
    """All orders, fills and lists that an answer shows, wherever in it they are."""
    orders: list[OrderView] = []
    fills: list[FillView] = []
    lists: list[ListView] = []
    for found in _objects(content):
        if "orderReports" in found or "contingencyType" in found:
            lists.append(read_list(found))
        elif "orderId" in found and "symbol" in found and ("side" in found or "transactTime" in found):
            orders.append(read_order(found))
            fills += [_fill_of(found, fill) for fill in found.get("fills", ())]
    return Reply(outcome=Outcome.DONE, orders=tuple(orders), fills=tuple(fills), lists=tuple(lists))


def _objects(content: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, list):
        for member in content:
            yield from _objects(member)
    elif isinstance(content, Mapping):
        yield content
        for name, member in content.items():
            # The list beside an amended order, and the names of a list's legs, are no answers of their own.
            if name not in ("listStatus", "orders"):
                yield from _objects(member)


def read_order(order: Mapping[str, Any]) -> OrderView:
    """From an answer about it: placed, canceled, amended or queried."""
    # What was canceled goes by its own name here, and by the cancel's in `clientOrderId`. What was amended
    # has a new name and the old one, but an amendment says `qty` where all others say `origQty`.
    is_amended = "cumulativeQuoteQty" in order
    name = order["clientOrderId"] if is_amended else order.get("origClientOrderId", order["clientOrderId"])
    quantity = order.get("qty" if is_amended else "origQty")
    amount = order.get("cumulativeQuoteQty" if is_amended else "cummulativeQuoteQty")
    prevented = order.get("preventedQty", order.get("preventedQuantity", "0"))
    list_id = order.get("orderListId", -1)
    word = order.get("status")
    status = None if word is None else STATUSES[word]
    if status is OrderStatus.NEW and _sleeps(order):
        status = OrderStatus.DORMANT
    return OrderView(
        id=order["orderId"],
        name=name,
        instrument=order["symbol"],
        list_id=0 if list_id == -1 else list_id,
        side=None if "side" not in order else SIDES[order["side"]],
        quantity=_positive(quantity),
        executed=None if "executedQty" not in order else Decimal(order["executedQty"]),
        amount=None if amount is None else Decimal(amount),
        prevented=Decimal(prevented),
        status=status,
        price=_positive(order.get("peggedPrice") or order.get("price")),
        stop=_positive(order.get("stopPrice")),
    )


def _sleeps(order: Mapping[str, Any]) -> bool:
    if "isWorking" in order:
        return not order["isWorking"]
    # The answer to a cancel does not tell, but what it shows has ended.
    return order.get("workingTime", 0) == -1 or ("workingTime" not in order and "qty" in order)


def _positive(text: str | None) -> Decimal | None:
    value = Decimal(text or 0)
    return value if value else None


def _fill_of(order: Mapping[str, Any], fill: Mapping[str, Any]) -> FillView:
    return FillView(
        trade=fill["tradeId"],
        order=order["orderId"],
        instrument=order["symbol"],
        price=Decimal(fill["price"]),
        quantity=Decimal(fill["qty"]),
        fee=Decimal(fill["commission"]),
        fee_asset=fill["commissionAsset"],
    )


def read_fill(trade: Mapping[str, Any]) -> FillView:
    return FillView(
        trade=trade["id"],
        order=trade["orderId"],
        instrument=trade["symbol"],
        price=Decimal(trade["price"]),
        quantity=Decimal(trade["qty"]),
        fee=Decimal(trade["commission"]),
        fee_asset=trade["commissionAsset"],
        amount=Decimal(trade["quoteQty"]),
        is_buyer=trade["isBuyer"],
        is_maker=trade["isMaker"],
        time_ms=trade["time"],
    )


def read_swap(match: Mapping[str, Any]) -> Swap:
    """From a prevented match whose mode was to transfer: both orders lost what changed hands."""
    return Swap(
        id=match["preventedMatchId"],
        instrument=match["symbol"],
        taker=match["takerOrderId"],
        maker=match["makerOrderId"],
        price=Decimal(match["price"]),
        quantity=Decimal(match["takerPreventedQuantity"]),
    )


def read_list(answer: Mapping[str, Any]) -> ListView:
    return ListView(
        id=answer["orderListId"],
        name=answer["listClientOrderId"],
        instrument=answer["symbol"],
        orders=tuple(one["orderId"] for one in answer["orders"]),
        is_done=answer["listOrderStatus"] == "ALL_DONE",
    )


def read_book(depth: Mapping[str, Any]) -> Book:
    bids, asks = (
        tuple((Decimal(price), Decimal(quantity)) for price, quantity in depth[side])
        for side in ("bids", "asks")
    )
    return Book(bids=bids, asks=asks)


def movements_of(
    kind: str, rows: Iterable[Mapping[str, Any]], source: str = "", target: str = ""
) -> list[Movement]:
    found: list[Movement] = []
    for row in rows:
        match kind:
            case "deposit":
                wallet = DEPOSIT_WALLETS[row["walletType"]]
                amount = Decimal(row["amount"])
                found.append(Movement(source="", target=wallet, asset=row["coin"], amount=amount))
            case "withdrawal":
                found.append(
                    Movement(
                        source=DEPOSIT_WALLETS[row["walletType"]],
                        target="",
                        asset=row["coin"],
                        amount=Decimal(row["amount"]) + Decimal(row["transactionFee"]),
                        reference=row.get("withdrawOrderId", ""),
                    )
                )
            case _:
                found.append(
                    Movement(source=source, target=target, asset=row["asset"], amount=Decimal(row["amount"]))
                )
    return found


# What is told without being asked for


def read_told(event: Mapping[str, Any]) -> Told | None:
    """None for what the simulation does not follow: movements and locks, which balances tell as well."""
    match event["e"]:
        case "executionReport" if event["x"] != "REJECTED":
            return _told_order(event)
        case "outboundAccountPosition":
            return BalancesTold(
                balances={one["a"]: (Decimal(one["f"]), Decimal(one["l"])) for one in event["B"]}
            )
        case "listStatus":
            return ListTold(
                view=ListView(
                    id=event["g"],
                    name=event["C"],
                    instrument=event["s"],
                    orders=tuple(one["i"] for one in event["O"]),
                    is_done=event["L"] == "ALL_DONE",
                )
            )
    return None


def _told_order(report: Mapping[str, Any]) -> OrderTold:
    status = STATUSES[report["X"]]
    if status is OrderStatus.NEW and "W" not in report:
        status = OrderStatus.DORMANT
    fill: FillView | None = None
    if report["x"] == "TRADE":
        fill = FillView(
            trade=report["t"],
            order=report["i"],
            instrument=report["s"],
            price=Decimal(report["L"]),
            quantity=Decimal(report["l"]),
            fee=Decimal(report["n"]),
            fee_asset=report["N"] or "",
            amount=Decimal(report["Y"]),
            is_buyer=report["S"] == "BUY",
            is_maker=report["m"],
            time_ms=report["T"],
        )
    return OrderTold(
        order=OrderView(
            id=report["i"],
            # The report of a cancel has the cancel's own name in `c`.
            name=report["C"] if report["x"] == "CANCELED" else report["c"],
            instrument=report["s"],
            list_id=0 if report["g"] == -1 else report["g"],
            side=SIDES[report["S"]],
            quantity=_positive(report["q"]),
            executed=Decimal(report["z"]),
            amount=Decimal(report["Z"]),
            prevented=Decimal(report.get("A", "0")),
            status=status,
        ),
        execution=report["I"],
        fill=fill,
    )
