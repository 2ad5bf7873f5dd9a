"""The margin of isolated positions, moved by hand."""

from __future__ import annotations

from emulator.core import commands as c
from emulator.core.engine import Done as Decided
from emulator.core.history import ADDED, TAKEN, Query
from emulator.core.history import MarginChange as MarginRecord
from emulator.core.numbers import ZERO
from emulator.exchanges.binance.futures.account.readings import render_value
from emulator.exchanges.binance.futures.payloads.account import MarginChange, MarginMoved
from emulator.exchanges.binance.futures.products import product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import asked
from emulator.exchanges.binance.futures.vocabulary import LEG_WORDS, LEGS, TRADE
from emulator.exchanges.binance.futures.windows import DAY_US
from emulator.exchanges.binance.vocabulary import END_TIME, START_TIME, SYMBOL, limit
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter

rows = FuturesRows()

ADD, REDUCE = ADDED, TAKEN
KEPT_US = 30 * DAY_US
"""How far back the history goes."""


@rows.both(
    "POST",
    "/v1/positionMargin",
    summary="Modify isolated position margin",
    security=TRADE,
    weight=1,
    parameters=(
        SYMBOL,
        Parameter("positionSide", Kind.CHOICE, choices=tuple(LEGS), default="BOTH", error=-4060),
        Parameter("amount", Kind.DECIMAL, required=True),
        Parameter(
            "type", Kind.INTEGER, required=True, minimum=ADD, maximum=REDUCE, description="1: add; 2: reduce"
        ),
    ),
    answers=MarginMoved,
)
def move_margin(call: Call) -> Submission[MarginMoved]:
    values = call.values
    listing = asked(call)
    if not values["amount"]:
        raise TABLES[product_of(call)].refuse(-4055)
    amount = values["amount"] if values["type"] == ADD else -values["amount"]

    def answer(done: Decided) -> MarginMoved:
        return {
            # Quirk: an amount as a number (Modify Isolated Position Margin).
            "amount": float(values["amount"]),
            "code": 200,
            "msg": "Successfully modify position margin.",
            "type": values["type"],
        }

    command = c.MoveMargin(
        account=call.account,
        instrument=listing.instrument.symbol,
        amount=amount,
        leg=LEGS[values["positionSide"]],
    )
    return call.submit(command, answer)


@rows.both(
    "GET",
    "/v1/positionMargin/history",
    summary="Position margin change history",
    description="What was moved by hand, of the last thirty days at most.",
    security=TRADE,
    weight=1,
    parameters=(
        SYMBOL,
        Parameter("type", Kind.INTEGER, minimum=ADD, maximum=REDUCE, description="1: added; 2: taken back"),
        START_TIME,
        END_TIME,
        limit(100, 500),
    ),
    answers=list[MarginChange],
)
async def margin_changes(call: Call) -> list[MarginChange]:
    values, listing = call.values, asked(call)
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if start_us is not None and end_us is not None and start_us > end_us:
        raise TABLES[product_of(call)].refuse(-1023)
    query = Query(
        account=call.account,
        scope=listing.instrument.symbol,
        start_us=max(start_us or 0, call.now_us - KEPT_US),
        end_us=None if end_us is None else end_us + call.time_divisor - 1,
        part=values.get("type"),
        limit=values["limit"],
        newest=start_us is None,
    )
    return [
        {
            "symbol": listing.symbol,
            "type": ADD if one.amount > ZERO else REDUCE,
            "deltaType": "USER_ADJUST",
            "amount": render_value(abs(one.amount)),
            "asset": one.asset,
            "time": call.render_time(one.time_us),
            "positionSide": LEG_WORDS[one.leg],
        }
        for one in await call.records(MarginRecord, query)
    ]
