"""The margin of isolated positions, moved by hand."""

from __future__ import annotations

from emulator.core import commands as c
from emulator.core.engine import Done as Decided
from emulator.core.positions import Leg
from emulator.exchanges.binance.futures.errors import TABLES
from emulator.exchanges.binance.futures.payloads.account import MarginMoved
from emulator.exchanges.binance.futures.products import product_of
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import asked
from emulator.exchanges.binance.futures.vocabulary import TRADE
from emulator.exchanges.binance.vocabulary import SYMBOL
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter

rows = FuturesRows()

LEGS = {"BOTH": Leg.BOTH, "LONG": Leg.LONG, "SHORT": Leg.SHORT}
ADD = 1
REDUCE = 2


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
