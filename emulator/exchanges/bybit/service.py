"""What the exchange says of itself: its time, and that nothing is announced."""

from __future__ import annotations

from emulator.exchanges.bybit.payloads.service import ServerTime, SystemStatus
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()


@rows.route("GET", "/v5/market/time", summary="The server's time", answers=ServerTime)
def read_time(call: Call) -> ServerTime:
    return {"timeSecond": str(call.now_us // 1_000_000), "timeNano": str(call.now_us * 1000)}


@rows.route(
    "GET",
    "/v5/system/status",
    summary="Maintenance and incidents that were announced: none ever are",
    parameters=(
        Parameter("id"),
        Parameter("state", Kind.CHOICE, choices=("scheduled", "ongoing", "completed", "canceled")),
    ),
    answers=SystemStatus,
)
def read_status(call: Call) -> SystemStatus:
    return {"list": []}
