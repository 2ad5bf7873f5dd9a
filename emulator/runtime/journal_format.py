"""How a batch is written down, and how what older versions wrote is read today.

An entry is the batch as msgpack, then four bytes of its CRC-32: a changed digit would otherwise be
read as another amount. The first value of the batch is the version of the format. What an older
version wrote is lifted step by step, each step a pure function on plain lists and dicts, and only then
decoded and checked; so types know one shape only, today's.

What may change without a new version, and what may not: docs/architecture.md, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

import msgspec

from emulator.runtime.ports import FORMAT_VERSION, Batch, JournalCorrupt

Plain = list[Any]
"""A batch of any version as msgpack has it: [version, sandbox, sequence, [[engine, time, events], ...]]."""

Upcaster = Callable[[Plain], Plain]
"""Makes of a batch of one version what the next version would have written. Sees no other step."""

UPCASTERS: Mapping[int, Upcaster] = {}
"""By the version that they start from."""

CHECKSUM_BYTES = 4

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


def encode_batch(batch: Batch) -> bytes:
    encoded = _encoder.encode(batch)
    return encoded + crc32(encoded).to_bytes(CHECKSUM_BYTES, "big")


def decode_batch(
    entry: bytes,
    *,
    name: str = "a journal entry",
    version: int = FORMAT_VERSION,
    upcasters: Mapping[int, Upcaster] = UPCASTERS,
) -> Batch:
    """The batch that was encoded, today or by an older version. Raises JournalCorrupt for anything else.

    name: what complaints call the entry. version, upcasters: what counts as today's version, and the
    steps that lead there.
    """
    encoded = entry[:-CHECKSUM_BYTES]
    if crc32(encoded) != int.from_bytes(entry[-CHECKSUM_BYTES:], "big") or not encoded:
        raise JournalCorrupt(f"{name} was changed or cut off: its checksum is not that of its content")
    try:
        batch = _decoder.decode(encoded)
        if batch.version == version:
            return batch
        refused: msgspec.MsgspecError | None = None
    except msgspec.MsgspecError as error:
        refused = error
    plain = _plain(encoded, name)
    written = plain[0]
    if written > version:
        raise JournalCorrupt(
            f"{name} has version {written}, and this release reads versions up to {version}:"
            " a newer one wrote it"
        )
    if written == version:
        raise JournalCorrupt(f"{name} cannot be read: {refused}") from refused
    return _lift(plain, name, version, upcasters)


def _plain(encoded: bytes, name: str) -> Plain:
    try:
        plain = msgspec.msgpack.decode(encoded)
    except msgspec.MsgspecError as error:
        raise JournalCorrupt(f"{name} cannot be read: {error}") from error
    if not isinstance(plain, list) or not plain or not isinstance(plain[0], int):
        raise JournalCorrupt(f"{name} cannot be read: it does not begin with its version")
    return plain


def _lift(plain: Plain, name: str, version: int, upcasters: Mapping[int, Upcaster]) -> Batch:
    written = plain[0]
    for step in range(written, version):
        upcaster = upcasters.get(step)
        if upcaster is None:
            raise JournalCorrupt(f"{name} has version {written}, and nothing here lifts version {step}")
        try:
            plain = upcaster(plain)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise JournalCorrupt(
                f"{name} has version {written}, and is not what version {step} wrote: {error!r}"
            ) from error
        plain[0] = step + 1
    try:
        return _decoder.decode(_encoder.encode(plain))
    except msgspec.MsgspecError as error:
        raise JournalCorrupt(f"{name} has version {written} and cannot be lifted: {error}") from error
