"""The socket that takes orders, `/v5/trade`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.refusals import refuse
from emulator.exchanges.bybit.streams.authentication import METHOD, auth_trade
from emulator.exchanges.bybit.streams.connection import Connection, socket_row
from emulator.exchanges.bybit.streams.frames import WORD_MAX, Frame
from emulator.exchanges.bybit.streams.offer import Offer, Operate
from emulator.exchanges.bybit.ws_api.methods import methods
from emulator.exchanges.bybit.ws_api.orders import OPERATIONS
from emulator.web.codec import encode
from emulator.web.contract import Route, SocketRow

PATH: Final = "/v5/trade"


class TradeShape:
    """Of answers that have codes; no topic is told of here."""

    def topics(
        self, frame: Frame, conn_id: str, *, done: Sequence[str], failed: Sequence[str], text: str | None
    ) -> bytes:
        return self.refusal(frame, conn_id, text or "")

    def pong(self, frame: Frame, conn_id: str, now_us: int) -> bytes:
        return _told(frame, conn_id, "pong", 0, "OK", data=[str(now_us // 1000)])

    def refusal(self, frame: Frame | None, conn_id: str, text: str) -> bytes:
        """Whatever it is that cannot be done, there is no such operation."""
        if frame is None:
            return _told(None, conn_id, "", 10001, text)
        refusal = refuse(10404)
        return _told(frame, conn_id, frame.op[:WORD_MAX], 10404, refusal.message)


def _told(frame: Frame | None, conn_id: str, op: str, code: int | str, text: str, **more: Any) -> bytes:
    id = None if frame is None else frame.members.get("reqId")
    named = {} if id is None else {"reqId": id}
    return encode({**named, "retCode": code, "retMsg": text, "op": op, **more, "connId": conn_id})


def _no_topics(connection: Connection, frame: Frame) -> None:
    connection.send(TRADE_SHAPE.refusal(frame, connection.id, ""))


TRADE_SHAPE: Final = TradeShape()
TRADE_OPERATIONS: Final[Mapping[str, Operate]] = {
    **OPERATIONS,
    "auth": auth_trade,
    "subscribe": _no_topics,
    "unsubscribe": _no_topics,
}


def trade_socket(rows: Iterable[Route], eras: Eras) -> SocketRow:
    """rows: of the site."""
    return socket_row(
        PATH,
        Offer(shape=TRADE_SHAPE, find=(), operations=TRADE_OPERATIONS, takes_age=True, eras=eras),
        summary="Orders",
        methods=(METHOD, *methods(rows)),
    )
