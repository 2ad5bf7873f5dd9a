"""The journal in memory: for tests and for runs that need not survive the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from emulator.runtime.ports import Batch, JournalConflict


class MemoryJournal:
    """Batches are frozen, so they are kept as they are, neither encoded nor copied."""

    def __init__(self) -> None:
        self._streams: dict[str, list[Batch]] = {}

    async def append(self, batch: Batch) -> None:
        if not self._keep(batch):
            held = len(self._streams.get(batch.sandbox, ()))
            raise JournalConflict(f"{batch.sandbox}: entry {batch.sequence} does not follow entry {held}")

    def append_now(self, batch: Batch) -> bool:
        return self._keep(batch)

    def _keep(self, batch: Batch) -> bool:
        stream = self._streams.get(batch.sandbox)
        if stream is None:
            if batch.sequence != 1:
                return False
            stream = self._streams[batch.sandbox] = []
        elif batch.sequence != len(stream) + 1:
            return False
        stream.append(batch)
        return True

    async def read(self, sandbox: str, after_sequence: int = 0) -> AsyncIterator[Batch]:
        stream = self._streams.get(sandbox, [])
        for index in range(after_sequence, len(stream)):
            yield stream[index]

    async def sandboxes(self) -> Sequence[str]:
        return tuple(self._streams)

    async def forget(self, sandbox: str) -> None:
        self._streams.pop(sandbox, None)

    async def close(self) -> None:
        """Nothing is held but memory."""
