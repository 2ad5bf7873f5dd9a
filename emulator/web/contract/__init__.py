"""An endpoint is declared once: a row beside the function that answers it.

    rows = Rows()

    @rows.route(
        "POST", "/api/v3/order", summary="New order", security=TRADE, weight=1,
        free_when_accepted=True, orders=1,
        parameters=(SYMBOL, SIDE, Parameter("quantity", Kind.DECIMAL, required=True)),
        answers=OrderAck | OrderResult,
    )
    def place_order(call: Call) -> Submission[OrderAck | OrderResult]:
        # Leaves when it is durable; a rejection leaves as the exchange's own error.
        return call.submit(PlaceOrder(...), lambda done: answer_placed(call, done))

Routing, parameter errors in the exchange's own words, signing, quotas, the OpenAPI document and the
coverage page all come from the row. What an exchange says, and in which order it checks, is its
`Dialect`; this module knows no wire word.
"""

from __future__ import annotations

from emulator.web.contract.calls import Call, Failure, Refusal, Reply, Request
from emulator.web.contract.dialect import Admit, Counting, Dialect, Render, Settle, Timestamps, render_plain
from emulator.web.contract.rows import OPEN, Handler, Kind, Parameter, Route, Rows, Security, Weight
from emulator.web.contract.sites import Channel, Method, NotEmulated, Opening, Sandboxes, Site, SocketRow

__all__ = [
    "OPEN",
    "Admit",
    "Call",
    "Channel",
    "Counting",
    "Dialect",
    "Failure",
    "Handler",
    "Kind",
    "Method",
    "NotEmulated",
    "Opening",
    "Parameter",
    "Refusal",
    "Render",
    "Reply",
    "Request",
    "Route",
    "Rows",
    "Sandboxes",
    "Security",
    "Settle",
    "Site",
    "SocketRow",
    "Timestamps",
    "Weight",
    "render_plain",
]
