"""Builds all parts and joins them, without any input or output."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from secrets import token_urlsafe
from time import time_ns
from typing import Any

import msgspec

from emulator import __version__
from emulator.app.demo import furnish, provision
from emulator.app.storage import Storage, choose_storage
from emulator.exchanges import binance, bybit
from emulator.feeds.synthetic import SyntheticFeed
from emulator.intercept.authority import Authority
from emulator.intercept.gate import Gates
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import ClockMode, EnginePort
from emulator.runtime.recovery import MakeEngines
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.settings import Settings, SettingsError
from emulator.web import coverage
from emulator.web.contract import Site
from emulator.web.control import Control, Desk, Guard, control_site
from emulator.web.eras import EraUnknown, check_eras, read_eras
from emulator.web.frame import build_frame
from emulator.web.hosts import Hosts
from emulator.web.listener import Listener
from emulator.web.openapi import document
from emulator.web.recorder import Counts, Recorder
from emulator.web.sandbox_ports import SandboxPorts
from emulator.web.server import Application


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


def build(settings: Settings, *, engines: MakeEngines | None = None) -> Emulator:
    """Join all parts. engines: others than those that are served. Raises SettingsError for what only a part
    can judge."""
    sites = _sites(settings)
    storage = choose_storage(settings)
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


def make_engines(seed: int) -> Mapping[str, EnginePort]:
    """The engines of a universe, by the exchange's name."""
    return {
        binance.ENGINE: binance.engine(SyntheticFeed(seed)),
        bybit.ENGINE: bybit.engine(SyntheticFeed(seed)),
    }


def documents(emulator: Emulator) -> dict[str, dict[str, Any]]:
    """The OpenAPI documents of the sites that are served and of the control API, by name."""
    return {site.name: document(site, version=__version__) for site in (*emulator.sites, emulator.control)}


def coverage_page(emulator: Emulator) -> str:
    """docs/coverage.md."""
    return coverage.page({site.name: site for site in emulator.sites}, emulator.control)
