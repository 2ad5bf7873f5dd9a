"""Serves what was built until it is told to stop."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from time import monotonic
from typing import Any

import msgspec
import uvloop

from emulator import __version__
from emulator.app.building import Emulator
from emulator.app.demo import DEMO_KEY, DEMO_SECRET
from emulator.app.ready import READY_FILE, remove, write
from emulator.exchanges import binance, bybit
from emulator.intercept.authority import AuthorityUnusable
from emulator.runtime.ports import ClockSettingRefused, JournalError, StorageUnavailable
from emulator.settings import PORTS, SettingsError
from emulator.web.hosts import CONTROL, PORT_SITES
from emulator.web.listener import PortUnavailable, listen, port_of

START_FAILURES = (SettingsError, PortUnavailable, JournalError, StorageUnavailable, AuthorityUnusable)
"""What a start may end with, each in words for people."""
CONCLUDE_S = 1.0
"""How long a healthy journal is waited for before connections are told that the server stops."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A server that answers. started_ms: what the start took. snippets: clients and how they find it."""

    emulator: Emulator
    url: str
    started_ms: int

    @property
    def snippets(self) -> list[tuple[str, str]]:
        return [
            *binance.snippets(self.url, key=DEMO_KEY, secret=DEMO_SECRET),
            *bybit.snippets(self.url, key=DEMO_KEY, secret=DEMO_SECRET),
        ]


_THRESHOLDS = (20_000, 10, 5_000)
"""Of the garbage collector. Its oldest generation would cost more with every order; the middle one walks
through ten times the youngest at once, which takes some milliseconds, and nobody notices."""


def run(emulator: Emulator, *, announce: Callable[[Running], None], began: float) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortUnavailable, SettingsError and JournalError before that.

    began: the moment on the monotonic clock from which the start is measured.
    """
    # Before anything is made, as what a start makes stays: looking through it would be a tenth of a start.
    gc.set_threshold(*_THRESHOLDS)
    uvloop.run(_run(emulator, announce=announce, began=began))


async def _run(emulator: Emulator, *, announce: Callable[[Running], None], began: float) -> None:
    settings = emulator.settings
    first = settings.port
    wanted = [first + place if first else 0 for place in range(PORTS)]
    sockets = listen(settings.host, [*wanted, *settings.tls_listened])
    for_tls = sockets[PORTS:]
    del sockets[PORTS:]
    ports = emulator.ports
    ports.update(zip(("all", *PORT_SITES), map(port_of, sockets), strict=True))
    ports["tls"] = port_of(for_tls[0])
    for site in PORT_SITES:
        emulator.hosts.serve_site_on(ports[site], site)
    try:
        await emulator.sandboxes.open()
    except BaseException as error:
        await emulator.storage.close()
        if isinstance(error, ClockSettingRefused):
            raise SettingsError(f"EMULATOR_TIME: {error}") from error
        raise
    ready_file = settings.data_dir / READY_FILE

    def on_listening() -> None:
        _spare_the_collector()
        for opened in for_tls:
            emulator.gates.keep(opened)
        running = Running(
            emulator=emulator,
            url=_url(settings.host, ports["all"]),
            started_ms=round((monotonic() - began) * 1000),
        )
        write(ready_file, _describe(running) | {"tls": tls})
        announce(running)

    async def on_stopping() -> None:
        await emulator.sandboxes.conclude(within_s=CONCLUDE_S)
        await emulator.gates.close_all()

    try:
        # Before anything is announced: whoever waits for the ready file finds its certificate.
        tls = {"port": ports["tls"], "ca": emulator.gates.certificate}
        await emulator.listener.serve(
            emulator.application, sockets, on_listening=on_listening, on_stopping=on_stopping
        )
    finally:
        await emulator.sandboxes.close()
        await emulator.storage.close()
        remove(ready_file)


def _spare_the_collector() -> None:
    """Keep the garbage collector from walking through history again and again.

    Orders, fills and events live on and form no cycles, so its oldest generation finds nothing in
    them. Reference counts free what a request leaves.
    """
    gc.collect()
    gc.freeze()


def _describe(running: Running) -> dict[str, Any]:
    served = {site.name for site in running.emulator.sites}
    host = running.emulator.settings.host
    return {
        "pid": os.getpid(),
        "version": __version__,
        "url": running.url,
        "control": running.url + CONTROL,
        "sites": {
            name: {"url": _url(host, port), "port": port, "served": name in served}
            for name, port in running.emulator.ports.items()
            if name in PORT_SITES
        },
        "ports": running.emulator.ports,
        "startedMs": running.started_ms,
    }


def _url(host: str, port: int) -> str:
    """Where a client on this machine finds the server, which may listen on all addresses."""
    try:
        address = ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        return f"http://127.0.0.1:{port}"
    return f"http://[{host}]:{port}" if isinstance(address, IPv6Address) else f"http://{host}:{port}"
