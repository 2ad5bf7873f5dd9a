"""How long a connection lives over which nothing is said: ten minutes, or as its address asks for.

The exchange looks every thirty seconds, so it may be up to half a minute more ("Customise Private Connection
Alive Time"). Time is the sandbox's. Where that does not go as the wall's does, a connection has some time
of the wall as well: no client can say something between two steps of a clock.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final
from urllib.parse import parse_qsl

from emulator.runtime.sandbox import Sandbox
from emulator.web.sockets import GOING_AWAY, Socket

SECOND_US: Final = 1_000_000
AGE_DEFAULT_US: Final = 600 * SECOND_US
AGE_MIN_US: Final = 30 * SECOND_US
LOOK_US: Final = 30 * SECOND_US

GRACE_S: Final = 30.0
"""Of the wall, under a clock that does not go as it does: more than the twenty seconds between pings."""

_AGE = re.compile(r"([1-9][0-9]{0,2})([sm])", re.ASCII)


def parse_age(query: bytes) -> int:
    """After how many microseconds without traffic a connection is cut; what cannot be read counts as not
    sent, and what is beyond the limits as the limit.
    """
    for name, text in parse_qsl(query.decode("latin-1")):
        age = _AGE.fullmatch(text) if name == "max_active_time" else None
        if age is not None:
            asked_us = int(age[1]) * SECOND_US * (60 if age[2] == "m" else 1)
            return min(max(asked_us, AGE_MIN_US), AGE_DEFAULT_US)
    return AGE_DEFAULT_US


class Lifetime:
    """Of one connection, from the moment it is open until `end`.

    is_active: to be set with everything that is said, by either side.
    """

    __slots__ = ("_age_us", "_alarm", "_last_us", "_sandbox", "_socket", "_timer", "is_active")

    def __init__(self, socket: Socket, sandbox: Sandbox, age_us: int) -> None:
        self._socket = socket
        self._sandbox = sandbox
        self._age_us = age_us
        self._last_us = sandbox.clock.now_us()
        self._timer: asyncio.TimerHandle | None = None
        self.is_active = False
        self._alarm = sandbox.alarms.at(self._last_us + LOOK_US, self._look)

    @property
    def is_waiting(self) -> bool:
        """Whether it is about to be cut, if nothing is said."""
        return self._timer is not None

    def end(self) -> None:
        self._alarm.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, now_us: int) -> None:
        if self.is_active:
            self.is_active = False
            self._last_us = now_us
        elif now_us - self._last_us >= self._age_us and self._timer is None:
            if not self._sandbox.clock.is_virtual:
                self._part(self._last_us)
                return
            self._timer = asyncio.get_running_loop().call_later(GRACE_S, self._part, self._last_us)
        # Under a clock that runs fast not more often than once in a second of the wall.
        pause_us = max(LOOK_US, int(self._sandbox.clock.speed * SECOND_US))
        self._alarm = self._sandbox.alarms.at(now_us + pause_us, self._look)

    def _part(self, last_us: int) -> None:
        """last_us: the last traffic that was known of, if there was none since."""
        self._timer = None
        if not self.is_active and self._last_us == last_us:
            self._socket.close(GOING_AWAY, "No traffic")
