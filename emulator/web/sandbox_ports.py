"""The sandboxes' own ports: which sandbox listens where, opened and closed as sandboxes come and go.

They belong to the process, as sessions do: nothing of them is journalled. A port goes with the name,
so a reset keeps it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import partial

from emulator.web.hosts import Hosts
from emulator.web.listener import Listener, PortUnavailable, listen, port_of


class SandboxPorts:
    """host: the address that the server listens on, and they with it."""

    def __init__(self, *, listener: Listener, hosts: Hosts, host: str) -> None:
        self._listener = listener
        self._hosts = hosts
        self._host = host
        self._by_name: dict[str, int] = {}
        # A sandbox and its port come and go as one; otherwise a port could outlive its sandbox.
        self._changing = asyncio.Lock()

    def port(self, name: str) -> int | None:
        return self._by_name.get(name)

    def sandbox(self, port: int) -> str | None:
        """Whose own port it is."""
        return self._hosts.sandbox_on(port)

    @contextlib.asynccontextmanager
    async def opening(self, name: str, port: int | None) -> AsyncGenerator[None, None]:
        """Give a port to the sandbox that is made inside: 0 for any, None for none.

        Raises PortUnavailable before anything is made. When making fails, the port is free again.
        """
        async with self._changing:
            if port is None:
                yield
                return
            owner = None if port == 0 else next((n for n, p in self._by_name.items() if p == port), None)
            if owner is not None:
                raise PortUnavailable(f"port {port} is that of the sandbox {owner!r}")
            if not self._listener.is_serving:
                raise PortUnavailable("the server does not listen, or no more")
            (opened,) = listen(self._host, [port])
            try:
                yield
            except BaseException:
                opened.close()
                raise
            number = port_of(opened)
            self._hosts.serve_sandbox_on(number, name)
            self._by_name[name] = number
            await self._listener.open(opened)

    @contextlib.asynccontextmanager
    async def closing(self, name: str) -> AsyncGenerator[None, None]:
        """Close the port of the sandbox that is dropped inside, if it has one and is dropped."""
        async with self._changing:
            yield
            port = self._by_name.pop(name, None)
            if port is not None:
                # What still comes on its connections is for a sandbox that is gone, not for `default`.
                self._listener.close(port, on_ended=partial(self._hosts.release, port))
