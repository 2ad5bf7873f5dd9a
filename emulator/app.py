"""The composition root: the one module that knows every part, builds them and joins them.

`build` joins, without any input or output; `run` serves what was built until it is told to stop.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic, time_ns
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec
import uvloop

from emulator import __version__
from emulator.core.commands import Deposit
from emulator.exchanges import binance, bybit
from emulator.feeds.synthetic import SyntheticFeed
from emulator.intercept.authority import Authority, AuthorityUnusable
from emulator.intercept.gate import Gates
from emulator.runtime import upkeep
from emulator.runtime.archive import Archive
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import (
    ClockMode,
    ClockSettingRefused,
    EnginePort,
    Journal,
    JournalError,
    KeyRecord,
    StorageUnavailable,
)
from emulator.runtime.recovery import MakeEngines
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.runtime.upkeep import Plan, Unrepairable, Verified
from emulator.settings import PORTS, Settings, SettingsError, default_settings, read_settings
from emulator.storage.memory import MemoryJournal
from emulator.storage.sqlite import SqliteJournal
from emulator.storage.sqlite_archive import SqliteArchive
from emulator.web import coverage
from emulator.web.contract import Site
from emulator.web.control import Control, Desk, Guard, control_site
from emulator.web.eras import EraUnknown, check_eras, read_eras
from emulator.web.frame import build_frame
from emulator.web.hosts import CONTROL, PORT_SITES, Hosts
from emulator.web.listener import Listener, PortUnavailable, listen, port_of
from emulator.web.openapi import document
from emulator.web.recorder import Counts, Recorder
from emulator.web.sandbox_ports import SandboxPorts
from emulator.web.server import Application

__all__ = [
    "Emulator",
    "JournalError",
    "Plan",
    "PortUnavailable",
    "START_FAILURES",
    "Running",
    "SettingsError",
    "Unrepairable",
    "Verified",
    "build",
    "coverage_page",
    "default_settings",
    "documents",
    "read_settings",
    "rebuild_storage",
    "repair_storage",
    "run",
    "verify_storage",
]

T = TypeVar("T")

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
DEMO_WALLETS: Mapping[str, Mapping[str, frozenset[str]]] = {
    binance.ENGINE: binance.TRADED,
    bybit.ENGINE: bybit.TRADED,
}
"""Which assets the demo account has, by engine and wallet."""

START_FAILURES = (SettingsError, PortUnavailable, JournalError, StorageUnavailable, AuthorityUnusable)
"""What a start may end with, each in words for people."""
READY_FILE = "ready.json"
CONCLUDE_S = 1.0
"""How long a healthy journal is waited for before connections are told that the server stops."""
JOURNAL_FILE = "journal.sqlite"
ARCHIVE_FILE = "history.sqlite"


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """Where state is kept. kind: of the journal. kept: the place, for people."""

    journal: Journal
    archive: Archive | None
    kind: str
    kept: str

    async def close(self) -> None:
        if self.archive is not None:
            await self.archive.close()
        await self.journal.close()


class Emulator(msgspec.Struct, frozen=True, kw_only=True):
    """Everything joined, nothing started.

    control_token: the one given, or one made for this run. ports: filled when it listens, "all" first,
    then by site, then "tls", of which there may be more in the settings.
    """

    settings: Settings
    control_token: str | None
    sites: tuple[Site, ...]
    control: Site
    storage: Storage
    sandboxes: Sandboxes
    hosts: Hosts
    ports: dict[str, int]
    listener: Listener
    gates: Gates
    application: Application


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


def build(settings: Settings, *, engines: MakeEngines | None = None) -> Emulator:
    """Join all parts. engines: others than those that are served. Raises SettingsError for what only a part
    can judge."""
    sites = _sites(settings)
    storage = _choose_storage(settings)
    sandboxes = Sandboxes(
        journal=storage.journal,
        archive=storage.archive,
        keeping=Keeping(retained=settings.retention, snapshot_every=settings.snapshot_every),
        make_engines=engines or make_engines,
        provision=provision,
        furnish=furnish,
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
    gates = Gates(listener=listener, hosts=hosts, authority=partial(Authority.at, settings.data_dir))
    desk = Desk(
        version=__version__,
        sandboxes=sandboxes,
        sites=sites,
        assets={binance.ENGINE: binance.ASSETS, bybit.ENGINE: bybit.ASSETS},
        symbols={**binance.SYMBOLS, **bybit.SYMBOLS},
        recorder=Recorder(),
        counts=Counts(),
        ports=ports,
        sandbox_ports=SandboxPorts(listener=listener, hosts=hosts, host=settings.host),
        gates=gates,
        journal_kind=storage.kind,
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
        storage=storage,
        sandboxes=sandboxes,
        hosts=hosts,
        ports=ports,
        listener=listener,
        gates=gates,
        application=application,
    )


def _sites(settings: Settings) -> tuple[Site, ...]:
    """All that are served. Raises SettingsError for an era that none of them has."""
    try:
        check_eras(settings.eras, (binance.Eras, bybit.Eras))
        of_binance = read_eras(settings.eras, binance.Eras)
        of_bybit = read_eras(settings.eras, bybit.Eras)
    except EraUnknown as error:
        raise SettingsError(f"EMULATOR_ERAS: {error}") from error
    return (
        *binance.sites(eras=of_binance, timestamps=settings.timestamps, counting=settings.limits),
        *bybit.sites(eras=of_bybit, timestamps=settings.timestamps, counting=settings.limits),
    )


def _choose_storage(settings: Settings) -> Storage:
    """Raises SettingsError."""
    if settings.ephemeral:
        kept = "in memory, and ends with this process"
        return Storage(journal=MemoryJournal(), archive=None, kind="memory", kept=kept)
    address = settings.mongo_address
    if address is None:
        path = settings.data_dir / JOURNAL_FILE
        archive = SqliteArchive(settings.data_dir / ARCHIVE_FILE)
        return Storage(journal=SqliteJournal(path), archive=archive, kind="sqlite", kept=str(path))
    # Its client takes longer to import than everything else takes to start.
    from emulator.storage.mongo import MongoAddressInvalid, MongoArchive, MongoJournal

    try:
        journal = MongoJournal(address)
        return Storage(journal=journal, archive=MongoArchive(address), kind="mongo", kept=journal.address)
    except MongoAddressInvalid as error:
        raise SettingsError(f"EMULATOR_MONGO_URL or MONGO_DB_HOST: {error}") from error


def make_engines(seed: int) -> Mapping[str, EnginePort]:
    """The engines of a universe, by the exchange's name."""
    return {
        binance.ENGINE: binance.engine(SyntheticFeed(seed)),
        bybit.ENGINE: bybit.engine(SyntheticFeed(seed)),
    }


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
    await furnish(sandbox, tuple(sandbox.engines))


async def furnish(sandbox: Sandbox, engines: Sequence[str]) -> None:
    """Give the demo account, if there is one, its funds in some engines."""
    account = sandbox.accounts.get(DEMO_ACCOUNT)
    if account is None:
        return
    deposits = [
        (
            engine,
            Deposit(
                account=account,
                wallet=wallet,
                asset=asset,
                amount=DEMO_FUNDS.get(asset, DEMO_FUNDS_ELSE),
                reference="demo",
            ),
        )
        for engine in engines
        for wallet, assets in DEMO_WALLETS[engine].items()
        for asset in sorted(assets)
    ]
    # All at once, so that they are one entry of the journal.
    for done in await asyncio.gather(*(sandbox.submit(engine, deposit) for engine, deposit in deposits)):
        assert done.rejection is None, done.rejection


def documents(emulator: Emulator) -> dict[str, dict[str, Any]]:
    """The OpenAPI documents of the sites that are served and of the control API, by name."""
    return {site.name: document(site, version=__version__) for site in (*emulator.sites, emulator.control)}


def coverage_page(emulator: Emulator) -> str:
    """docs/coverage.md."""
    return coverage.page({site.name: site for site in emulator.sites}, emulator.control)


# Storage, while nothing runs on it


def verify_storage(
    settings: Settings, sandbox: str | None, *, engines: MakeEngines | None = None
) -> list[Verified]:
    """Compare what is kept of a sandbox, or of all, with their journals. Raises what a start does."""

    async def verify(storage: _Kept, name: str) -> Verified:
        return await upkeep.verify(storage.journal, storage.archive, name, engines or make_engines)

    return asyncio.run(_for_each(settings, sandbox, verify))


def rebuild_storage(
    settings: Settings, sandbox: str | None, *, engines: MakeEngines | None = None
) -> list[tuple[str, dict[str, int], float]]:
    """Make archive and snapshot anew from the journal: of each sandbox the counts of records, and how many
    seconds it took. Raises what a start does."""

    async def rebuild(storage: _Kept, name: str) -> tuple[str, dict[str, int], float]:
        began = monotonic()
        counts = await upkeep.rebuild(storage.journal, storage.archive, name, engines or make_engines)
        return name, counts, monotonic() - began

    return asyncio.run(_for_each(settings, sandbox, rebuild))


def repair_storage(
    settings: Settings, sandbox: str | None, *, is_agreed: bool, engines: MakeEngines | None = None
) -> list[Plan]:
    """What does not agree and what is done about it, which is done only when that is agreed to.

    Raises what a start does, and Unrepairable.
    """

    async def repair(storage: _Kept, name: str) -> Plan:
        do = upkeep.repair if is_agreed else upkeep.plan_repair
        return await do(storage.journal, storage.archive, name, engines or make_engines)

    return asyncio.run(_for_each(settings, sandbox, repair))


class _Kept(NamedTuple):
    journal: Journal
    archive: Archive


async def _for_each(
    settings: Settings, sandbox: str | None, do: Callable[[_Kept, str], Awaitable[T]]
) -> list[T]:
    """What comes of every sandbox, or of the one that is named, on storage that nobody else uses."""
    if settings.ephemeral:
        raise SettingsError("state is in memory and ends with its process: there is nothing to look after")
    path = settings.data_dir / JOURNAL_FILE
    if settings.mongo_address is not None:
        _must_be_stopped(settings)
    elif not path.exists():
        raise SettingsError(f"there is no {path}")
    storage = _choose_storage(settings)
    assert storage.archive is not None, "what outlives the process has an archive"
    try:
        names = await storage.journal.sandboxes()
        if sandbox is not None and sandbox not in names:
            raise SettingsError(f"there is no sandbox {sandbox!r} in {storage.kept}")
        kept = _Kept(storage.journal, storage.archive)
        return [await do(kept, name) for name in names if sandbox in (None, name)]
    finally:
        await storage.close()


def _must_be_stopped(settings: Settings) -> None:
    """Raises SettingsError while an emulator listens where the ready file says.

    A journal in a file has a lock, which knows better. A database has none; there, an emulator on another
    machine would lose its sandboxes to whoever writes here, and say so.
    """
    try:
        ready = msgspec.json.decode((settings.data_dir / READY_FILE).read_bytes())
        process, url = ready["pid"], ready["url"]
        address = urlsplit(url)
        socket.create_connection((address.hostname, address.port), timeout=1).close()
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError):
        return
    raise SettingsError(f"an emulator runs on {url}, process {process}: stop it first")


# Running


def run(emulator: Emulator, *, announce: Callable[[Running], None], began: float) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortUnavailable, SettingsError and JournalError before that.

    began: the moment on the monotonic clock from which the start is measured.
    """
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
        _write(ready_file, _describe(running) | {"tls": tls})
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
            if name in PORT_SITES
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
