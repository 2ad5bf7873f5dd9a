"""The composition root: the one module that knows every part, builds them and joins them.

`build` joins, without any input or output; `run` serves what was built until it is told to stop.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic, time_ns
from typing import Any

import msgspec
import uvloop

from emulator import __version__
from emulator.core.commands import Deposit
from emulator.core.engine import Engine
from emulator.exchanges import binance
from emulator.exchanges.binance.eras import EraUnknown, read_eras
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.ports import ClockMode, ClockSettingRefused, Journal, JournalError, KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.settings import PORTS, Settings, SettingsError, default_settings, read_settings
from emulator.storage.memory import MemoryJournal
from emulator.storage.sqlite import SqliteJournal
from emulator.web import coverage
from emulator.web.contract import Site
from emulator.web.control import Control, Desk, Guard, control_site
from emulator.web.hosts import CONTROL, PORT_SITES, Hosts
from emulator.web.listener import Listener, PortUnavailable, listen, port_of
from emulator.web.openapi import document
from emulator.web.sandbox_ports import SandboxPorts
from emulator.web.server import Application, Counts, Recorder, build_frame

__all__ = [
    "Emulator",
    "JournalError",
    "PortUnavailable",
    "Running",
    "SettingsError",
    "build",
    "coverage_page",
    "default_settings",
    "documents",
    "read_settings",
    "run",
]

DEMO_ACCOUNT = "demo"
DEMO_KEY = "emulator-demo-key"
DEMO_SECRET = "emulator-demo-secret"
DEMO_PASSPHRASE = "emulator-demo-passphrase"
DEMO_FUNDS: Mapping[str, Decimal] = {
    "USDT": Decimal(1_000_000),
    "USDC": Decimal(1_000_000),
    "BTC": Decimal(100),
    "ETH": Decimal(1000),
    "BNB": Decimal(1000),
}
DEMO_FUNDS_ELSE = Decimal(100_000)

READY_FILE = "ready.json"
CONCLUDE_S = 1.0
"""How long a healthy journal is waited for before connections are told that the server stops."""
JOURNAL_FILE = "journal.sqlite"


class Emulator(msgspec.Struct, frozen=True, kw_only=True):
    """Everything joined, nothing started.

    control_token: the one given, or one made for this run. kept: where state is, for people. ports:
    filled when it listens, "all" first, then by site.
    """

    settings: Settings
    control_token: str | None
    sites: tuple[Site, ...]
    control: Site
    journal: Journal
    kept: str
    sandboxes: Sandboxes
    hosts: Hosts
    ports: dict[str, int]
    listener: Listener
    application: Application


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A server that answers. started_ms: what the start took. snippets: clients and how they find it."""

    emulator: Emulator
    url: str
    started_ms: int

    @property
    def snippets(self) -> list[tuple[str, str]]:
        return binance.snippets(self.url, key=DEMO_KEY, secret=DEMO_SECRET)


def build(settings: Settings) -> Emulator:
    """Join all parts. Raises SettingsError for what only a part can judge."""
    try:
        eras = read_eras(settings.eras)
    except EraUnknown as error:
        raise SettingsError(f"EMULATOR_ERAS: {error}") from error
    sites = binance.sites(eras=eras, timestamps=settings.timestamps, counting=settings.limits)
    journal, journal_kind, kept = _choose_journal(settings)
    sandboxes = Sandboxes(
        journal=journal,
        make_engines=make_engines,
        provision=provision,
        wall_ns=time_ns,
        seed=settings.seed,
        clock=ClockStart(mode=ClockMode(settings.clock), time_us=settings.time_us, speed=settings.speed),
    )
    token = settings.control_token
    if token is None and not settings.is_loopback:
        token = token_urlsafe(24)
    ports: dict[str, int] = {}
    hosts = Hosts()
    listener = Listener()
    desk = Desk(
        version=__version__,
        sandboxes=sandboxes,
        sites=sites,
        assets={binance.ENGINE: binance.ASSETS},
        symbols=binance.SYMBOLS,
        recorder=Recorder(),
        counts=Counts(),
        ports=ports,
        sandbox_ports=SandboxPorts(listener=listener, hosts=hosts, host=settings.host),
        journal_kind=journal_kind,
        is_durable=not settings.ephemeral,
    )
    control = control_site(desk)
    frame = build_frame([Control(control, desk=desk, guard=Guard(token))], None)
    application = Application(
        sites=sites,
        sandboxes=sandboxes,
        hosts=hosts,
        frame=frame,
        recorder=desk.recorder,
        counts=desk.counts,
    )
    return Emulator(
        settings=settings,
        control_token=token,
        sites=sites,
        control=control,
        journal=journal,
        kept=kept,
        sandboxes=sandboxes,
        hosts=hosts,
        ports=ports,
        listener=listener,
        application=application,
    )


def _choose_journal(settings: Settings) -> tuple[Journal, str, str]:
    """The journal, the name of its kind, and where it is, for people. Raises SettingsError."""
    if settings.ephemeral:
        return MemoryJournal(), "memory", "in memory, and ends with this process"
    address = settings.mongo_address
    if address is None:
        path = settings.data_dir / JOURNAL_FILE
        return SqliteJournal(path), "sqlite", str(path)
    # Its client takes longer to import than everything else takes to start.
    from emulator.storage.mongo import MongoAddressInvalid, MongoJournal

    try:
        journal = MongoJournal(address)
    except MongoAddressInvalid as error:
        raise SettingsError(f"EMULATOR_MONGO_URL or MONGO_DB_HOST: {error}") from error
    return journal, "mongo", journal.address


def make_engines(seed: int) -> dict[str, Engine]:
    """The engines of a universe, by the exchange's name."""
    return {binance.ENGINE: binance.engine(SyntheticFeed(seed))}


async def provision(sandbox: Sandbox) -> None:
    """What every fresh sandbox has: the demo account with its key and its funds."""
    account = await sandbox.open_account(DEMO_ACCOUNT)
    await sandbox.add_key(
        KeyRecord(
            key=DEMO_KEY,
            account=account,
            secret=DEMO_SECRET,
            passphrase=DEMO_PASSPHRASE,
            label="known to everybody",
        )
    )
    deposits = [
        Deposit(
            account=account,
            wallet=wallet,
            asset=asset,
            amount=DEMO_FUNDS.get(asset, DEMO_FUNDS_ELSE),
            reference="demo",
        )
        for wallet in binance.TRADING_WALLETS
        for asset in sorted(binance.ASSETS)
    ]
    # All at once, so that they are one entry of the journal.
    for done in await asyncio.gather(*(sandbox.submit(binance.ENGINE, deposit) for deposit in deposits)):
        assert done.rejection is None, done.rejection


def documents(emulator: Emulator) -> dict[str, dict[str, Any]]:
    """The OpenAPI documents of the sites that are served and of the control API, by name."""
    return {site.name: document(site, version=__version__) for site in (*emulator.sites, emulator.control)}


def coverage_page(emulator: Emulator) -> str:
    """docs/coverage.md."""
    return coverage.page({site.name: site for site in emulator.sites}, emulator.control)


# Running


def run(emulator: Emulator, *, announce: Callable[[Running], None], began: float) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortUnavailable, SettingsError and JournalError before that.

    began: the moment on the monotonic clock from which the start is measured.
    """
    uvloop.run(_run(emulator, announce=announce, began=began))


async def _run(emulator: Emulator, *, announce: Callable[[Running], None], began: float) -> None:
    settings = emulator.settings
    first = settings.port
    sockets = listen(settings.host, [first + place if first else 0 for place in range(PORTS)])
    ports = emulator.ports
    ports.update(zip(("all", *PORT_SITES), map(port_of, sockets), strict=True))
    for site in PORT_SITES:
        emulator.hosts.serve_site_on(ports[site], site)
    try:
        await emulator.sandboxes.open()
    except BaseException as error:
        await emulator.journal.close()
        if isinstance(error, ClockSettingRefused):
            raise SettingsError(f"EMULATOR_TIME: {error}") from error
        raise
    ready_file = settings.data_dir / READY_FILE

    def on_listening() -> None:
        _spare_the_collector()
        running = Running(
            emulator=emulator,
            url=_url(settings.host, ports["all"]),
            started_ms=round((monotonic() - began) * 1000),
        )
        _write(ready_file, _describe(running))
        announce(running)

    try:
        await emulator.listener.serve(
            emulator.application,
            sockets,
            on_listening=on_listening,
            on_stopping=partial(emulator.sandboxes.conclude, within_s=CONCLUDE_S),
        )
    finally:
        await emulator.sandboxes.close()
        await emulator.journal.close()
        _remove(ready_file)


def _spare_the_collector() -> None:
    """Keep the garbage collector from walking through history again and again.

    Orders, fills and events live on and form no cycles, so its oldest generation finds nothing in
    them and costs more with every order. Reference counts free what a request leaves. The middle one
    walks through ten times the youngest at once, which takes some milliseconds, and nobody notices.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 5_000)


def _url(host: str, port: int) -> str:
    """Where a client on this machine finds the server, which may listen on all addresses."""
    try:
        address = ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        return f"http://127.0.0.1:{port}"
    return f"http://[{host}]:{port}" if isinstance(address, IPv6Address) else f"http://{host}:{port}"


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
            if name != "all"
        },
        "ports": running.emulator.ports,
        "startedMs": running.started_ms,
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all: whoever waits for the file never reads a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    draft.replace(path)


def _remove(path: Path) -> None:
    """Remove the ready file, unless another process has written its own in the meantime."""
    try:
        if msgspec.json.decode(path.read_bytes())["pid"] == os.getpid():
            path.unlink()
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return
