"""What Binance's futures sites answer and say, in the simulation's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from emulator.core.orders import OrderStatus
from emulator.core.positions import Leg
from tests.simulation.binance_spot_reading import SIDES, STATUSES
from tests.simulation.contract_words import (
    APART,
    AccountChanged,
    AssetView,
    Changed,
    ContractFill,
    ContractOrder,
    IncomeView,
    LeverageChanged,
    OrderChanged,
    Placed,
    PositionView,
)
from tests.simulation.words import Outcome, Reply

LEGS = {"BOTH": Leg.BOTH, "LONG": Leg.LONG, "SHORT": Leg.SHORT}
ALGO_STATUSES = {
    "NEW": OrderStatus.DORMANT,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.EXPIRED,
    # Whatever becomes of the order that comes of it, it waits no more.
    **dict.fromkeys(("TRIGGERING", "TRIGGERED", "FINISHED"), OrderStatus.TRIGGERED),
}
BY_EXCHANGE = ("autoclose-", "adl_autoclose", "settlement_autoclose-")

_ABSENT = {-2013, -2011}


def read_reply(status: int, content: Any) -> Reply:
    if status == 200:
        return _success(content)
    code = content.get("code") if isinstance(content, Mapping) else None
    reason = f"{code} {content.get('msg')}" if isinstance(content, Mapping) else repr(content)
    match status:
        # These sites say so with 408, where Spot has 504.
        case 408 | 504:
            return Reply(outcome=Outcome.UNKNOWN, reason=reason)
        case 503:
            return Reply(outcome=Outcome.UNDONE, reason=reason)
        case _ if status >= 500 or code is None:
            return Reply(outcome=Outcome.UNKNOWN, reason=reason, is_broken=True)
    return Reply(outcome=Outcome.REFUSED, reason=reason, is_absent=code in _ABSENT)


def read_batch(status: int, content: Any) -> Placed:
    whole = read_reply(status, content)
    parts = [_part(member) for member in content] if status == 200 else ()
    return Placed(whole=whole, parts=tuple(parts))


def _part(member: Mapping[str, Any]) -> Reply:
    if "orderId" in member:
        return _success(member)
    reason = f"{member['code']} {member['msg']}"
    match member["code"]:
        case -1007:
            return Reply(outcome=Outcome.UNKNOWN, reason=reason)
        case -1001:
            return Reply(outcome=Outcome.UNDONE, reason=reason)
    return Reply(outcome=Outcome.REFUSED, reason=reason, is_absent=member["code"] in _ABSENT)


def _success(content: Any) -> Reply:
    members = content if isinstance(content, list) else [content]
    orders = [
        read_waiting(one) if "algoType" in one else read_order(one)
        for one in members
        if "algoType" in one or ("orderId" in one and "origQty" in one)
    ]
    return Reply(outcome=Outcome.DONE, orders=tuple(orders))


def read_order(order: Mapping[str, Any]) -> ContractOrder:
    average = order.get("avgPrice")
    return ContractOrder(
        id=order["orderId"],
        name=order["clientOrderId"],
        instrument=order["symbol"],
        side=SIDES[order["side"]],
        quantity=_positive(order["origQty"]),
        executed=Decimal(order["executedQty"]),
        status=STATUSES[order["status"]],
        price=_positive(order["price"]),
        leg=LEGS[order["positionSide"]],
        average=None if average is None else Decimal(average),
        reduces=order["reduceOnly"] or order["closePosition"],
        by_exchange=order["clientOrderId"].startswith(BY_EXCHANGE),
        created_ms=order.get("time"),
    )


def read_waiting(order: Mapping[str, Any]) -> ContractOrder:
    return ContractOrder(
        id=order["algoId"],
        name=APART + order["clientAlgoId"],
        instrument=order["symbol"],
        side=SIDES[order["side"]],
        quantity=_positive(order["quantity"]),
        status=ALGO_STATUSES[order["algoStatus"]],
        leg=LEGS[order["positionSide"]],
        reduces=order["reduceOnly"] or order["closePosition"],
        detached=True,
        created_ms=order["createTime"],
    )


def read_fill(trade: Mapping[str, Any]) -> ContractFill:
    return ContractFill(
        trade=trade["id"],
        order=trade["orderId"],
        instrument=trade["symbol"],
        price=Decimal(trade["price"]),
        quantity=Decimal(trade["qty"]),
        fee=Decimal(trade["commission"]),
        fee_asset=trade["commissionAsset"],
        is_buyer=trade["buyer"],
        is_maker=trade["maker"],
        time_ms=trade["time"],
        realised=Decimal(trade["realizedPnl"]),
        leg=LEGS[trade["positionSide"]],
    )


def read_position(risk: Mapping[str, Any]) -> PositionView:
    return PositionView(
        instrument=risk["symbol"],
        leg=LEGS[risk["positionSide"]],
        quantity=Decimal(risk["positionAmt"]),
        entry=Decimal(risk["entryPrice"]),
        is_isolated=risk["marginType"] == "isolated",
        margin=Decimal(risk["isolatedWallet"]),
        unrealised=Decimal(risk["unRealizedProfit"]),
        leverage=Decimal(risk["leverage"]),
    )


def read_asset(asset: Mapping[str, Any]) -> AssetView:
    return AssetView(
        asset=asset["asset"],
        wallet=Decimal(asset["walletBalance"]),
        cross_wallet=Decimal(asset["crossWalletBalance"]),
        cross_unrealised=Decimal(asset["crossUnPnl"]),
        unrealised=Decimal(asset["unrealizedProfit"]),
        margin_balance=Decimal(asset["marginBalance"]),
        initial=Decimal(asset["initialMargin"]),
        position_initial=Decimal(asset["positionInitialMargin"]),
        order_initial=Decimal(asset["openOrderInitialMargin"]),
        maintenance=Decimal(asset["maintMargin"]),
        available=Decimal(asset["availableBalance"]),
        withdrawable=Decimal(asset["maxWithdrawAmount"]),
    )


def read_income(income: Mapping[str, Any]) -> IncomeView:
    return IncomeView(
        number=int(income["tranId"]),
        kind=income["incomeType"],
        asset=income["asset"],
        amount=Decimal(income["income"]),
        instrument=income["symbol"],
        trade=int(income["tradeId"]) if income["tradeId"] else None,
    )


# What is told without being asked for


def read_told(event: Mapping[str, Any], symbols: Iterable[str]) -> Changed | None:
    """None for what says nothing of its own: a trade that is told of with its order as well, and margin
    calls. symbols: of the contracts that are traded in this run."""
    match event["e"]:
        case "ORDER_TRADE_UPDATE":
            return _told_order(event["o"])
        case "ALGO_UPDATE":
            return OrderChanged(order=_told_waiting(event["o"]))
        case "ACCOUNT_UPDATE":
            change = event["a"]
            return AccountChanged(
                balances={one["a"]: (Decimal(one["wb"]), Decimal(one["cw"])) for one in change["B"]},
                positions=tuple(_told_position(one) for one in change["P"] if one["s"] in symbols),
            )
        case "ACCOUNT_CONFIG_UPDATE" if "ac" in event:
            return LeverageChanged(instrument=event["ac"]["s"], leverage=Decimal(event["ac"]["l"]))
    return None


def _told_order(told: Mapping[str, Any]) -> OrderChanged:
    fill: ContractFill | None = None
    if told["x"] in ("TRADE", "CALCULATED"):
        fill = ContractFill(
            trade=told["t"],
            order=told["i"],
            instrument=told["s"],
            price=Decimal(told["L"]),
            quantity=Decimal(told["l"]),
            fee=Decimal(told.get("n", "0")),
            fee_asset=told.get("N", ""),
            is_buyer=told["S"] == "BUY",
            is_maker=told["m"],
            time_ms=told["T"],
            realised=Decimal(told["rp"]),
            leg=LEGS[told["ps"]],
        )
    return OrderChanged(
        order=ContractOrder(
            id=told["i"],
            name=told["c"],
            instrument=told["s"],
            side=SIDES[told["S"]],
            quantity=_positive(told["q"]),
            executed=Decimal(told["z"]),
            status=STATUSES[told["X"]],
            price=_positive(told["p"]),
            leg=LEGS[told["ps"]],
            average=Decimal(told["ap"]),
            reduces=told["R"] or told["cp"],
            by_exchange=told["c"].startswith(BY_EXCHANGE),
        ),
        fill=fill,
    )


def _told_waiting(told: Mapping[str, Any]) -> ContractOrder:
    return ContractOrder(
        id=told["aid"],
        name=APART + told["caid"],
        instrument=told["s"],
        side=SIDES[told["S"]],
        quantity=_positive(told["q"]),
        status=ALGO_STATUSES[told["X"]],
        leg=LEGS[told["ps"]],
        reduces=told["R"] or told["cp"],
        detached=True,
    )


def _told_position(told: Mapping[str, Any]) -> PositionView:
    return PositionView(
        instrument=told["s"],
        leg=LEGS[told["ps"]],
        quantity=Decimal(told["pa"]),
        entry=Decimal(told["ep"]),
        is_isolated=told["mt"] == "isolated",
        margin=Decimal(told["iw"]),
    )


def _positive(text: str) -> Decimal | None:
    value = Decimal(text)
    return value if value else None
