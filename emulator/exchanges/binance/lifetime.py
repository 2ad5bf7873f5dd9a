"""How long a WebSocket connection lives: pings, what no answer means, how much may be said, and its last day.

The figures of spot are those of web-socket-streams.md and web-socket-api.md, which agree; those of futures
are in both sites' general information ("Connect").
"""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple

from emulator.exchanges.binance.door import Door
from emulator.runtime.sandbox import Sandbox
from emulator.web.sockets import GOING_AWAY, POLICY, Heart, Socket

LIFE_US: Final = 86_400_000_000
SECOND_US: Final = 1_000_000


class Heartbeat(NamedTuple):
    """How far apart pings are, and how long a client may leave one unanswered."""

    ping_every_s: int
    pong_within_s: int


SPOT_HEARTBEAT: Final = Heartbeat(ping_every_s=20, pong_within_s=60)
FUTURES_HEARTBEAT: Final = Heartbeat(ping_every_s=180, pong_within_s=600)


class Lifetime:
    """Of one connection, from the moment it is open until `end`.

    Pings are due by the sandbox's clock and by the wall's; that a client is gone is told by the wall's.
    """

    __slots__ = (
        "_alarm",
        "_counted",
        "_door",
        "_ends_us",
        "_heart",
        "_heartbeat",
        "_ip",
        "_sandbox",
        "_second",
        "_socket",
    )

    def __init__(self, socket: Socket, sandbox: Sandbox, door: Door, ip: str, heartbeat: Heartbeat) -> None:
        self._socket = socket
        self._sandbox = sandbox
        self._door = door
        self._ip = ip
        self._heartbeat = heartbeat
        self._second = 0
        self._counted = 0
        now_us = sandbox.clock.now_us()
        self._ends_us = now_us + LIFE_US
        self._heart = Heart(
            socket,
            interval_s=heartbeat.ping_every_s,
            timeout_s=heartbeat.pong_within_s,
            payload=partial(_stamp, sandbox),
        )
        self._alarm = sandbox.alarms.at(self._next_us(now_us), self._beat)

    def count(self) -> bool:
        """Count something that the client said; False when it was too much, and the connection closes."""
        door, sandbox = self._door, self._sandbox
        if not door.counts_in(sandbox):
            return True
        now_us = sandbox.clock.now_us()
        second = now_us // SECOND_US
        if second != self._second:
            self._second = second
            self._counted = 0
        self._counted += 1
        if self._counted <= door.limits.messages_per_second:
            return True
        door.quotas(sandbox).note_flood(self._ip, now_us)
        # Quirk: who says too much hears of it in the reason of the close and nowhere else (live hosts).
        self._socket.close(POLICY, "Too many requests")
        return False

    def ponged(self, payload: bytes) -> None:
        self._heart.ponged(payload)

    def end(self) -> None:
        self._heart.stop()
        self._alarm.cancel()

    def _beat(self, now_us: int) -> None:
        if now_us >= self._ends_us:
            self._socket.close(GOING_AWAY, "The connection has been open for 24 hours")
            return
        # By a clock that keeps pace with the wall's the heart beats on its own.
        if self._sandbox.clock.speed != 1:
            self._heart.beat()
        self._alarm = self._sandbox.alarms.at(self._next_us(now_us), self._beat)

    def _next_us(self, now_us: int) -> int:
        # Under a clock that runs fast at most once in a second of the wall: nobody needs more pings.
        pause_us = max(self._heartbeat.ping_every_s * SECOND_US, int(self._sandbox.clock.speed * SECOND_US))
        return min(now_us + pause_us, self._ends_us)


def _stamp(sandbox: Sandbox) -> bytes:
    # The payload of a ping is the time (live hosts).
    return b"%d" % (sandbox.clock.now_us() // 1000)
