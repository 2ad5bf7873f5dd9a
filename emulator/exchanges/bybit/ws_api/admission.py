"""The door as requests over a WebSocket come through it.

Checks, limits, errors and their order are the door's, and limits are counted together with those of REST.
What differs is where a request says what: who asks is known of the connection, when it was made stands in
its own header, and its parameters are members of a JSON object already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.exchanges.bybit.door import Door
from emulator.exchanges.bybit.envelope import Told
from emulator.exchanges.bybit.refusals import refuse
from emulator.runtime.ports import KeyRecord
from emulator.web.codec import encode
from emulator.web.contract import Admit, Call, Refusal, Render, Request, Route


class SocketRequest(Request):
    """record: the key of the connection, as it is now; None where it was taken away. sent: the one object of
    the arguments. timestamp, window: as the header has them."""

    record: KeyRecord | None
    sent: Mapping[str, Any]
    timestamp: bytes
    window: bytes


class SocketDoor(Door):
    """Shares its limits and all else with the door that it is made from.

    A body is the part of an answer between what it answers and from where: `retCode` to `retExtInfo`.
    """

    def __init__(self, door: Door) -> None:
        vars(self).update(vars(door))

    def compile(self, route: Route) -> Admit:
        take = self.compile_taking(route)

        def admit(call: Call) -> None:
            request = call.request
            assert isinstance(request, SocketRequest)
            enforced = self.counts_in(call.sandbox)
            if enforced:
                self.quotas(call.sandbox).ask(request.source_ip, call.now_us)
            if request.record is None:
                raise refuse(10003)
            server_ms = self.check_time(call, request.timestamp, request.window)
            self.admit_key(call, request.record)
            take(call, request.sent, server_ms, enforced)

        return admit

    def compile_rendering(self, route: Route) -> Render:
        def render(call: Call, body: Any) -> bytes:
            extra: Any = {}
            if type(body) is Told:
                body, extra = body.result, body.extra
            return _PARTS % (0, b'"OK"', encode(body), encode(extra))

        return render

    def render_refusal(self, refusal: Refusal, now_us: int | None = None) -> bytes:
        assert isinstance(refusal.code, int)
        return _PARTS % (refusal.code, encode(refusal.message), b"{}", b"{}")


_PARTS = b'"retCode":%d,"retMsg":%b,"data":%b,"retExtInfo":%b'
