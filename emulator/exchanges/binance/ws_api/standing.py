"""What a connection has come to: whose key is logged on, and in which sandboxes it has something to do.

It ends with the connection; nothing of it is journalled.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.exchanges.binance.ws_api.payloads import SessionState
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Opening
from emulator.web.sockets import RESTARTING, Socket


class Standing:
    """divisor: microseconds in one unit of the times that the connection is told.

    key: the one that is logged on, known in the sandbox `home`. parting: what is to be said after the
    answer that is being made. A product whose connections come to more than that has its own form.
    """

    def __init__(self, opening: Opening, socket: Socket, divisor: int, returns_rate_limits: bool) -> None:
        self.opening = opening
        self.divisor = divisor
        self.returns_rate_limits = returns_rate_limits
        self.connected_us = opening.sandbox.clock.now_us()
        self.key: KeyRecord | None = None
        self.home = opening.sandbox
        self.authorized_us = 0
        self.parting: list[bytes] = []
        self._socket = socket
        self._attached: dict[Sandbox, Callable[[], None]] = {}

    # Sandboxes

    def sandbox_of(self, key: str | None) -> Sandbox:
        """Where a request belongs that is sent with a key, or with none.

        An address that names a sandbox decides; otherwise the key does, sent or logged on.
        """
        opening = self.opening
        if opening.is_named:
            return opening.sandbox
        if key is None:
            return self.home
        return opening.sandboxes.owning(key) or opening.sandbox

    def attach(self, sandbox: Sandbox) -> None:
        """The connection ends with every sandbox that it has to do with."""
        # With the one that it was opened for it ends anyway.
        if sandbox is not self.opening.sandbox and sandbox not in self._attached:
            socket = self._socket
            self._attached[sandbox] = sandbox.fanout.at_end(
                lambda: socket.close(RESTARTING, "The sandbox ended")
            )

    # Logon

    def log_on(self, key: KeyRecord, sandbox: Sandbox, now_us: int) -> None:
        self.attach(sandbox)
        self.key = key
        self.home = sandbox
        self.authorized_us = now_us

    def log_out(self) -> None:
        """Forget the key, if there is one."""
        self.key = None
        self.home = self.opening.sandbox

    @property
    def is_revoked(self) -> bool:
        """Whether the key that is logged on was taken away meanwhile."""
        key = self.key
        return key is not None and self.home.keys.get(key.key) is not key

    def render(self, now_us: int) -> SessionState:
        divisor = self.divisor
        key = self.key
        return {
            "apiKey": None if key is None else key.key,
            "authorizedSince": None if key is None else self.authorized_us // divisor,
            "connectedSince": self.connected_us // divisor,
            "returnRateLimits": self.returns_rate_limits,
            "serverTime": now_us // divisor,
        }

    def end(self) -> None:
        """The connection is gone."""
        for forget in self._attached.values():
            forget()
        self._attached.clear()
