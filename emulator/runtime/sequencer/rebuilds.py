"""An engine that raised is taken out at once, and comes back folded from the journal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from emulator.runtime.chronicle import Chronicle
from emulator.runtime.ports import EnginePort, Journal
from emulator.runtime.recovery import rebuild_engine
from emulator.runtime.sequencer.engines import Engines
from emulator.runtime.sequencer.standing import Patience, Standing
from emulator.runtime.sequencer.writer import Writer

_log = logging.getLogger(__name__)


class Rebuilds:
    """The rebuilds of one sandbox's engines. `fresh_engine(name)` makes an engine without state."""

    def __init__(
        self,
        *,
        sandbox: str,
        engines: Engines,
        journal: Journal,
        fresh_engine: Callable[[str], EnginePort],
        writer: Writer,
        standing: Standing,
        patience: Patience,
    ) -> None:
        self._sandbox = sandbox
        self._engines = engines
        self._journal = journal
        self._fresh_engine = fresh_engine
        self._writer = writer
        self._standing = standing
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._rebuilt_at: dict[str, float] = {}
        self.running: dict[str, asyncio.Task[None]] = {}
        self.chronicle: Chronicle | None = None
        """Where what becomes history goes, if an archive keeps it."""
        self.taken = writer.durable
        """Until where it has what the engines recorded."""

    def begin(self, name: str, occasion: str, error: Exception) -> asyncio.Task[None]:
        """Remove an engine that raised, and start to rebuild it."""
        _log.error("%s: %s raised at %s; rebuilding it", self._sandbox, name, occasion, exc_info=error)
        self._engines.take_out(name)
        self._writer.outlet.void()
        rebuild = self._loop.create_task(self._rebuild(name, self._writer.sequence))
        self.running[name] = rebuild
        return rebuild

    async def _rebuild(self, name: str, through_sequence: int) -> None:
        """Fold the engine anew. It decided nothing since, so its events end at the sequence given."""
        # An error that comes back at once would otherwise fold the journal in a tight circle.
        pause = self._rebuilt_at.get(name, -self._patience.rebuild_pause) + self._patience.rebuild_pause
        await asyncio.sleep(max(0.0, pause - self._loop.time()))
        while True:
            try:
                while self._writer.durable < through_sequence:
                    await self._writer.until_durable(through_sequence)
                engine = await rebuild_engine(
                    self._journal,
                    self._sandbox,
                    lambda: self._fresh_engine(name),
                    name=name,
                    through_sequence=through_sequence,
                    archive=None if self.chronicle is None else self.chronicle.archive,
                    taken_sequence=self.taken,
                )
                break
            except Exception:
                _log.exception("%s: %s cannot be rebuilt yet", self._sandbox, name)
                if self._standing.ended is not None:
                    return
                await asyncio.sleep(self._patience.rebuild_pause)
        if self.chronicle is not None:
            self.chronicle.rebuilt(name)
        self._engines.put_back(name, engine)
        self._rebuilt_at[name] = self._loop.time()
        del self.running[name]
