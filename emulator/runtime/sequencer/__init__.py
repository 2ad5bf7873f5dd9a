"""The only place that orders commands, and that waits for the journal.

A command is decided and applied at once, in memory, at the sandbox's now. What it made happen joins
the open batch; while one batch is being written, the next one gathers (group commit). A caller gets
its answer when the journal holds its batch.

Invariants:
- Times and sequences only grow. One batch is written at a time, in order, until the journal has it.
- While the journal refuses, nothing further is decided: the pending batches are all that memory is
  ahead of it, and they are written first when it accepts again.
- An engine that raised is taken out at once, because half of a command may be applied in it, and
  comes back folded from the journal.
"""

from __future__ import annotations

from emulator.runtime.sequencer.pending import Waiter
from emulator.runtime.sequencer.sequencer import Sequencer
from emulator.runtime.sequencer.standing import Patience
from emulator.runtime.sequencer.writer import RECORDS_PER_BATCH_MAX

__all__ = ["RECORDS_PER_BATCH_MAX", "Patience", "Sequencer", "Waiter"]
