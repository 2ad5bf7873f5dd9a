"""What became of a command under `emulator exec`: what it called, and what it was not let out to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

MISSING_SHOWN_MAX = 20
REFUSED_SHOWN_MAX = 20


class HostCalls(msgspec.Struct, frozen=True, rename="camel"):
    """errors: requests that were refused. not_emulated: method and path of what is not here."""

    host: str
    requests: int
    errors: int
    sockets: int
    not_emulated: Annotated[list[str], "METHOD /path"]


class Refusal(msgspec.Struct, frozen=True):
    """host: `name`, or `name:port` where the port is known. by: who refused: python, node, gate."""

    host: str
    count: int
    by: list[str]


class Untrusting(msgspec.Struct, frozen=True):
    """TLS handshakes for a host that clients broke off."""

    host: str
    count: int


class Summary(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The content of the report file.

    unseen: what the guard could not see here; None where it saw everything. hosts: None when the emulator
    went away before the command, so that nobody knows.
    """

    command: list[str]
    exit_code: int
    duration_ms: int
    emulator: str
    guard: bool
    unseen: str | None
    hosts: list[HostCalls] | None
    refused: list[Refusal]
    untrusting: list[Untrusting]

    def lines(self) -> Iterator[str]:
        """For people."""
        took = f"{self.duration_ms / 1000:.1f} s"
        yield f"emulator exec: ended with {self.exit_code} after {took}, at {self.emulator}"
        hosts = self.hosts or []
        if hosts:
            width = max(len(called.host) for called in hosts)
            yield f"  {'host':<{width}}  requests  errors  sockets"
            for called in hosts:
                figures = f"{called.requests:>8}  {called.errors:>6}  {called.sockets:>7}"
                yield f"  {called.host:<{width}}  {figures}"
        elif self.hosts is None:
            yield "  what it called is not known: the emulator went away"
        else:
            yield "  it called no exchange"
        missing = [f"{called.host}: {path}" for called in hosts for path in called.not_emulated]
        yield from _some("not emulated", missing, MISSING_SHOWN_MAX)
        yield from _some(
            "refused by the guard",
            [f"{refusal.host}, {_times(refusal.count)}" for refusal in self.refused],
            REFUSED_SHOWN_MAX,
        )
        yield from _some(
            "did not trust the emulator's CA",
            [f"a client of {client.host}, {_times(client.count)}" for client in self.untrusting],
            REFUSED_SHOWN_MAX,
        )
        if self.unseen is not None:
            yield f"  the guard does not see {self.unseen}"

    def as_json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def read_refusals(reported: Path, of_gate: Sequence[Mapping[str, Any]]) -> list[Refusal]:
    """What the hooks wrote down and what the gate counted, by destination, most often first.

    Lines that are none, as of a process that was killed while it wrote, are passed over.
    """
    counts: dict[str, int] = {}
    by: dict[str, set[str]] = {}
    try:
        lines = reported.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    for line in lines:
        try:
            told = json.loads(line)
            host, port, count = str(told["host"]), str(told["port"]), int(told.get("count", 1))
            teller = str(told["by"])
        except (ValueError, KeyError, TypeError):
            continue
        destination = _destination(host, port)
        counts[destination] = counts.get(destination, 0) + count
        by.setdefault(destination, set()).add(teller)
    for refused in of_gate:
        destination = refused["host"]
        counts[destination] = counts.get(destination, 0) + refused["count"]
        by.setdefault(destination, set()).add("gate")
    ordered = sorted(counts, key=lambda destination: (-counts[destination], destination))
    return [Refusal(destination, counts[destination], sorted(by[destination])) for destination in ordered]


def _destination(host: str, port: str) -> str:
    if port in ("", "None", "0"):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _some(title: str, told: Sequence[str], shown_max: int) -> Iterator[str]:
    if told:
        yield f"  {title}:"
        yield from (f"    {line}" for line in told[:shown_max])
    if len(told) > shown_max:
        yield f"    and {len(told) - shown_max} more; --report FILE has them all"
