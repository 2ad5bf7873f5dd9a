"""What a command under `emulator exec` is started with: the variables that lead and guard it.

Processes of Python and Node are changed from inside by the files in `hooks`; whatever else honours the
usual variables for proxies and certificates goes through the gate.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

HOOKS = Path(__file__).with_name("hooks")
CONTRACT = "EMULATOR_EXEC"
REPORT_FILE = "refused.jsonl"
BUNDLE_FILE = "trusted.pem"
EXTRA_FILE = "extra.pem"
ROOTS_FILE = "roots.pem"

GATE_HOST = "127.0.0.1"
NOT_PROXIED = "localhost,127.0.0.1,::1"

_PROXIED = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_HOSTS_FILE = Path("/etc/hosts")


class Terms(NamedTuple):
    """domains: those of exchanges, every name in which is led to the gate. allow: `host` or `host:port`."""

    url: str
    gate_port: int
    ca: Path
    domains: Sequence[str]
    guard: bool
    allow: Sequence[str]


def surround(inherited: Mapping[str, str], terms: Terms, folder: Path) -> dict[str, str]:
    """The command's environment. What it refers to is written to the folder."""
    ca = terms.ca.read_text(encoding="ascii")
    bundle = folder / BUNDLE_FILE
    bundle.write_text("\n".join([*_trusted(inherited), ca]), encoding="utf-8")
    extra = folder / EXTRA_FILE
    extra.write_text("\n".join([*_texts(inherited.get("NODE_EXTRA_CA_CERTS")), ca]), encoding="utf-8")
    roots = folder / ROOTS_FILE
    roots.write_text("\n".join([_system_roots(), ca]), encoding="utf-8")
    proxy = f"http://{GATE_HOST}:{terms.gate_port}"
    environment = dict(inherited)
    for name in _PROXIED:
        environment[name] = environment[name.lower()] = proxy
    environment["NO_PROXY"] = environment["no_proxy"] = NOT_PROXIED
    environment |= dict.fromkeys(_BUNDLES, str(bundle))
    environment["NODE_EXTRA_CA_CERTS"] = str(extra)
    environment["PYTHONPATH"] = _python_path(inherited.get("PYTHONPATH"))
    environment["NODE_OPTIONS"] = _node_options(inherited.get("NODE_OPTIONS", ""))
    environment["EMULATOR_URL"] = terms.url
    environment[CONTRACT] = json.dumps(
        {
            "gate": [GATE_HOST, terms.gate_port],
            "ca": str(terms.ca.resolve()),
            "domains": list(terms.domains),
            "guard": terms.guard,
            "allow": list(terms.allow),
            "local": sorted(local_names()),
            "report": str(folder / REPORT_FILE),
        }
    )
    return environment


def enclosed(environment: Mapping[str, str]) -> dict[str, str]:
    """The same for a command in a network of its own, which guards what the hooks do not know."""
    contract = json.loads(environment[CONTRACT]) | {"enclosed": True}
    return {**environment, CONTRACT: json.dumps(contract)}


def over_roots(folder: Path, lists: Sequence[str] = _SYSTEM_BUNDLES) -> dict[Path, Path]:
    """What a command in a network of its own is to find in the place of this machine's lists of roots, since
    not every program asks the variables."""
    there = (Path(path).resolve() for path in lists)
    return {path: folder / ROOTS_FILE for path in there if path.is_file()}


def local_names(hosts_file: Path = _HOSTS_FILE) -> set[str]:
    """Names of this machine: its own, and those that its hosts file gives to loopback."""
    names = {socket.gethostname().lower()}
    try:
        lines = hosts_file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return names
    for line in lines:
        address, *named = line.partition("#")[0].lower().split() or [""]
        if address == "::1" or address.startswith("127."):
            names.update(named)
    return names


def _python_path(inherited: str | None) -> str:
    """Without the hook of an `exec` around this one; an empty entry would mean the working directory."""
    hook = str(HOOKS / "python")
    others = [entry for entry in (inherited or "").split(os.pathsep) if entry and entry != hook]
    return os.pathsep.join([hook, *others])


def _node_options(inherited: str) -> str:
    hook = str(HOOKS / "node.cjs").replace("\\", "\\\\").replace('"', '\\"')
    ours = f'--require "{hook}"'
    return " ".join(part for part in (ours, inherited.replace(ours, "").strip()) if part)


def _trusted(inherited: Mapping[str, str]) -> Iterator[str]:
    """What the command would trust without us: the system's roots, and what its variables name."""
    paths = dict.fromkeys(inherited[name] for name in _BUNDLES if inherited.get(name))
    found = [text for path in paths for text in _texts(path)]
    if "SSL_CERT_FILE" not in inherited or not found:
        found.insert(0, _system_roots())
    yield from found


def _system_roots() -> str:
    default = ssl.get_default_verify_paths().openssl_cafile
    for path in (default, *_SYSTEM_BUNDLES):
        for text in _texts(path):
            return text
    return ""


def _texts(path: str | None) -> list[str]:
    try:
        return [Path(path).read_text(encoding="utf-8", errors="replace")] if path else []
    except OSError:
        return []  # A directory, or not there: whoever needs it will say so.
