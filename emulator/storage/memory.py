"""The journal in memory: for tests and for runs that need not survive the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from emulator.runtime.ports import Batch, JournalConflict


class MemoryJournal:
    """Batches are frozen, so they are kept as they are, neither encoded nor copied."""

    def __init__(self) -> None:
        self._streams: dict[str, list[Batch]] = {}

    async def append(self, batch: Batch) -> None:
        stream = self._streams.get(batch.sandbox)
        if stream is None:
            stream = []
        if batch.sequence != len(stream) + 1:
            raise JournalConflict(
                f"{batch.sandbox}: entry {batch.sequence} does not follow entry {len(stream)}"
            )
        stream.append(batch)
        if batch.sequence == 1:
            self._streams[batch.sandbox] = stream

    async def read(self, sandbox: str, after_sequence: int = 0) -> AsyncIterator[Batch]:
        stream = self._streams.get(sandbox, [])
        for index in range(after_sequence, len(stream)):
            yield stream[index]

    async def sandboxes(self) -> Sequence[str]:
        return tuple(self._streams)

    async def copy(self, source: str, target: str, through_sequence: int) -> None:
        self._streams[target] = [
            msgspec.structs.replace(batch, sandbox=target)
            for batch in self._streams.get(source, [])[:through_sequence]
        ]

    async def forget(self, sandbox: str) -> None:
        self._streams.pop(sandbox, None)

    async def close(self) -> None:
        """Nothing is held but memory."""
