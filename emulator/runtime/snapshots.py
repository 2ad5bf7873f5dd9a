"""A whole sandbox in parts, as a snapshot keeps it: its own state, and what each engine captured.

Parts are msgpack: the first is the sandbox's, each further one belongs to an engine, which is named in
front. Snapshots are derived, so there is one format only, today's, and another one is not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from emulator import __version__
from emulator.core import snapshot as core_snapshot
from emulator.core.ids import AccountId
from emulator.core.snapshot import Capture
from emulator.runtime.ports import ClockSetting, KeyRecord


class SandboxPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a sandbox knows besides its engines. last_time_us: of its newest event."""

    seed: int
    created_clock: ClockSetting
    clock: ClockSetting
    provisioned: bool
    accounts: dict[str, AccountId]
    keys: tuple[KeyRecord, ...]
    last_account: AccountId
    last_time_us: int


_shape = (__version__, core_snapshot.FORMAT, SandboxPart.__struct_fields__, KeyRecord.__struct_fields__)
FORMAT = hashlib.blake2b(repr(_shape).encode(), digest_size=8).hexdigest()
"""Another release may fold otherwise, so its snapshots are as foreign as those of another shape."""


class Universe(NamedTuple):
    state: SandboxPart
    engines: dict[str, list[bytes]]


def encode(state: SandboxPart, engines: Mapping[str, Capture]) -> Iterator[bytes]:
    """The parts, made while they are drawn, which may be in another thread."""
    yield msgspec.msgpack.encode(state)
    for name, capture in engines.items():
        for part in capture.parts():
            yield msgspec.msgpack.encode((name, part))


def decode(parts: Sequence[bytes]) -> Universe:
    """Raises ValueError for what is not a snapshot of this format."""
    if not parts:
        raise ValueError("a snapshot without parts")
    engines: dict[str, list[bytes]] = {}
    for part in parts[1:]:
        name, content = msgspec.msgpack.decode(part, type=tuple[str, bytes])
        engines.setdefault(name, []).append(content)
    return Universe(msgspec.msgpack.decode(parts[0], type=SandboxPart), engines)
