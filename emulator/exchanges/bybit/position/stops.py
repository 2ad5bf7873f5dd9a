"""Where a position is left: its take profit, stop loss and trailing stop, set for all of it or for a part."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.instruments import TriggerSource
from emulator.core.orders import Order, Stop, StopRole
from emulator.core.rejections import NothingToReduce, SettingUnchanged
from emulator.exchanges.bybit.auth import POSITION
from emulator.exchanges.bybit.payloads.account import Nothing
from emulator.exchanges.bybit.position.words import CATEGORY, POSITION_INDEX, SYMBOL, asked, asked_leg
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.vocabulary import FULL, PARTIAL, TRIGGER_SOURCES
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

NO_POSITION: Final = "can not set tp/sl/ts for zero position"
"""Of 10001, as running servers say it."""
UNCHANGED: Final = 34040
TOO_LARGE: Final = 110058

SOURCE: Final = Parameter("tpTriggerBy", Kind.CHOICE, choices=tuple(TRIGGER_SOURCES))
ORDER_TYPE: Final = Parameter("tpOrderType", Kind.CHOICE, choices=("Market", "Limit"), default="Market")


@rows.route(
    "POST",
    "/v5/position/trading-stop",
    summary="Set trading stop",
    security=POSITION,
    parameters=(
        CATEGORY,
        SYMBOL,
        POSITION_INDEX,
        Parameter(
            "tpslMode",
            Kind.CHOICE,
            choices=(FULL, PARTIAL),
            default=FULL,
            description="Full: changes what is for all of the position; Partial: adds for a part of it.",
        ),
        Parameter("takeProfit", Kind.DECIMAL, description="0: not any more."),
        Parameter("stopLoss", Kind.DECIMAL, description="0: not any more."),
        Parameter("trailingStop", Kind.DECIMAL, description="A distance of prices; 0: not any more."),
        Parameter("activePrice", Kind.DECIMAL, description="From which price on it trails."),
        SOURCE,
        SOURCE.but(name="slTriggerBy"),
        Parameter("tpSize", Kind.DECIMAL, description="How much of the position; the same as slSize."),
        Parameter("slSize", Kind.DECIMAL),
        Parameter("tpLimitPrice", Kind.DECIMAL),
        Parameter("slLimitPrice", Kind.DECIMAL),
        ORDER_TYPE,
        ORDER_TYPE.but(name="slOrderType"),
    ),
    answers=Nothing,
)
def set_trading_stop(call: Call) -> Submission[Nothing]:
    listing, values = asked(call), call.values
    name, leg = listing.instrument.symbol, asked_leg(call, listing)
    whole = values["tpslMode"] == FULL
    current = call.engine.state.stops_of(call.account, name, leg)
    command = c.SetStops(
        account=call.account,
        instrument=name,
        leg=leg,
        whole=whole,
        take_profit=_stop(call, "tp", "takeProfit", current.take_profit if whole else None, whole=whole),
        stop_loss=_stop(call, "sl", "stopLoss", current.stop_loss if whole else None, whole=whole),
        trailing=_trail(call, current.trailing),
        quantity=None if whole else _quantity(call),
        removes=tuple(role for word, role in _ROLES.items() if values.get(word) == 0),
    )

    def answer(done: Done) -> Nothing:
        match done.rejection:
            case None:
                return {}
            case SettingUnchanged():
                raise refuse(UNCHANGED)
            case NothingToReduce():
                is_flat = not call.engine.state.position(call.account, name, leg).quantity
                raise refuse(10001, text=NO_POSITION) if is_flat else refuse(TOO_LARGE)
            case rejection:
                raise call.site.dialect.speak(rejection, command)

    return call.attempt(command, answer)


_ROLES: Final = {
    "takeProfit": StopRole.TAKE_PROFIT,
    "stopLoss": StopRole.STOP_LOSS,
    "trailingStop": StopRole.TRAILING,
}


def _stop(call: Call, letters: str, word: str, before: Order | None, *, whole: bool) -> Stop | None:
    """What is asked for; where only its source is named, what there is with that one."""
    values = call.values
    price: Decimal | None = values.get(word)
    source = values.get(f"{letters}TriggerBy")
    if price is None and source is not None and before is not None and before.terms.trigger is not None:
        price = before.terms.trigger.price
    if not price:
        return None
    limit = values.get(f"{letters}LimitPrice") if values[f"{letters}OrderType"] == "Limit" else None
    if values[f"{letters}OrderType"] == "Limit" and (whole or not limit):
        # For all of a position there are market orders only ("Set Trading Stop", `tpOrderType`).
        raise refuse_parameter(f"{letters}OrderType" if whole else f"{letters}LimitPrice")
    return Stop(price=price, source=_source(source), limit=limit)


def _trail(call: Call, before: Order | None) -> c.Trail | None:
    distance, activation = call.values.get("trailingStop"), call.values.get("activePrice")
    trigger = None if before is None else before.terms.trigger
    if distance is None and activation is not None and trigger is not None:
        distance = trigger.trailing_distance
    if not distance:
        return None
    return c.Trail(distance=distance, activation=activation or None)


def _quantity(call: Call) -> Decimal | None:
    sizes = {call.values[name] for name in ("tpSize", "slSize") if name in call.values}
    if len(sizes) > 1:
        raise refuse_parameter("slSize")
    if not sizes and any(call.values.get(word) for word in ("takeProfit", "stopLoss")):
        raise refuse_parameter("tpSize")
    return next(iter(sizes), None)


def _source(word: str | None) -> TriggerSource:
    return TriggerSource.LAST if word is None else TRIGGER_SOURCES[word]
