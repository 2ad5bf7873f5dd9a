"""What the control API is made from: the sandboxes, the sites, and what was noted of both."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

from emulator.runtime.sandboxes import Sandboxes
from emulator.web.contract import Site
from emulator.web.gates import Gates
from emulator.web.recorder import Counts, Recorder
from emulator.web.sandbox_ports import SandboxPorts


class Desk:
    """Handed over once; nothing in it is copied.

    assets: which assets each engine knows. symbols: the instruments of a site, by their names there.
    ports: by site, "all" and "tls"; filled when the server listens. journal_kind: what keeps the journal.
    """

    def __init__(
        self,
        *,
        version: str,
        sandboxes: Sandboxes,
        sites: tuple[Site, ...],
        assets: Mapping[str, frozenset[str]],
        symbols: Mapping[str, Mapping[str, str]],
        recorder: Recorder,
        counts: Counts,
        ports: Mapping[str, int],
        sandbox_ports: SandboxPorts,
        gates: Gates,
        journal_kind: str,
        is_durable: bool,
    ) -> None:
        self.version = version
        self.sandboxes = sandboxes
        self.sites = {site.name: site for site in sites}
        self.assets = assets
        self.symbols = symbols
        self.recorder = recorder
        self.counts = counts
        self.ports = ports
        self.sandbox_ports = sandbox_ports
        self.gates = gates
        self.journal_kind = journal_kind
        self.is_durable = is_durable
        self.began = monotonic()
        self.permissions = sorted(frozenset[str]().union(*(site.permissions for site in sites)))
