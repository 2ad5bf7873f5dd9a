"""What this machine is when a command starts: who listens on it, its own addresses, who answers for names.

Read from /proc and the file system; what cannot be read is as if it were not there.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

PROC = Path("/proc")

_LISTENS = " 0A "
_OWN_V4 = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "ws_proxy", "wss_proxy", "socks_proxy")

_ANSWERING = (
    "/run/nscd/socket",
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/systemd/resolve/io.systemd.Resolve.Monitor",
    "/run/avahi-daemon/socket",
)
"""Sockets by which programs ask others of this machine for addresses, who would ask the net."""


class Listening(NamedTuple):
    """TCP ports by the kind of address at which somebody listens on them."""

    v4: frozenset[int]
    v6: frozenset[int]


def listening(proc: Path = PROC) -> Listening:
    """In this process's network. Who listens on all addresses of version 6 is taken to do so on those of
    version 4 too, which is the rule."""
    v4: set[int] = set()
    v6: set[int] = set()
    for name, ports in (("tcp", v4), ("tcp6", v6)):
        for line in _lines(proc / "net" / name)[1:]:
            # Of thousands of connections a few lines are of who listens.
            if _LISTENS not in line:
                continue
            _, local, _, state, *_ = line.split()
            address, _, port = local.rpartition(":")
            if state == _LISTENS.strip():
                ports.add(int(port, 16))
                if ports is v6 and not int(address, 16):
                    v4.add(int(port, 16))
    return Listening(frozenset(v4), frozenset(v6))


def own_addresses(proc: Path = PROC) -> frozenset[str]:
    """Of all interfaces, loopback's included."""
    found = set(_OWN_V4.findall("\n".join(_lines(proc / "net" / "fib_trie"))))
    for line in _lines(proc / "net" / "if_inet6"):
        found.add(str(ipaddress.IPv6Address(int(line.split()[0], 16))))
    return frozenset(found)


def own_names() -> frozenset[str]:
    """What this machine calls itself, lower case."""
    name = socket.gethostname().lower()
    return frozenset({name, name.partition(".")[0]} - {""})


def proxy_ports(environment: Mapping[str, str]) -> frozenset[int]:
    """Ports of proxies on this machine that an environment names: they would be a way out."""
    ports = set()
    for name, value in environment.items():
        if name.lower() not in _PROXIES or not value:
            continue
        try:
            parts = urlsplit(value if "://" in value else f"http://{value}")
            port = parts.port
        except ValueError:
            continue
        if port is not None and (parts.hostname == "localhost" or is_loopback(parts.hostname or "")):
            ports.add(port)
    return frozenset(ports)


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def masks(resolv_conf: Path, *, root: Path = Path("/")) -> list[tuple[str, str]]:
    """What to lay over what, so that names are asked for over the network only: (source, target).

    resolv_conf: what the command is to read instead of the machine's own.
    """
    laid = []
    theirs = (root / "etc/resolv.conf").resolve()
    if theirs.is_file():
        laid.append((str(resolv_conf), str(theirs)))
    laid += [
        (os.devnull, str(path))
        for path in (root / name.lstrip("/") for name in _ANSWERING)
        if path.is_socket()
    ]
    return laid


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
