"""How far away the exchange is: what a socket says comes some time after what it was asked.

Clients rely on it. pybit sends a request first and writes down who waits for its answer afterwards, in
another thread than the one that reads: an answer that is there before loses its callback, and the answer to a
subscription that it does not know yet ends its reading for good.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from emulator.web.sockets import Socket

ANSWER_S: Final = 0.01
"""Nothing is sent sooner after a request; less than it takes to reach the exchange's own hosts."""


class Distance:
    """Between a connection and its client: nothing changes in what is sent and in which order.

    It takes time, and no room: whoever asks further does not hold up what was asked before.
    """

    __slots__ = ("_due_s", "_frames", "_loop", "_socket", "_timer")

    def __init__(self, socket: Socket, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = socket
        self._loop = loop
        self._due_s = 0.0
        self._frames: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def asked(self) -> None:
        """A request came."""
        self._due_s = self._loop.time() + ANSWER_S

    def send(self, frame: bytes) -> None:
        if not self._frames and self._due_s <= self._loop.time():
            self._socket.send(frame)
            return
        self._frames.append((self._due_s, frame))
        if self._timer is None:
            self._timer = self._loop.call_at(self._due_s, self._arrive)

    def arrive(self) -> None:
        """Send what is still under way, at once."""
        self.end()
        while self._frames:
            self._socket.send(self._frames.popleft()[1])

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arrive(self) -> None:
        self._timer = None
        # What the timer was for is due, whatever a clock says that is not as fine as the timer.
        due_s = max(self._frames[0][0], self._loop.time())
        while self._frames and self._frames[0][0] <= due_s:
            self._socket.send(self._frames.popleft()[1])
        if self._frames:
            self._timer = self._loop.call_at(self._frames[0][0], self._arrive)
