"""Writes what the tests of the journal's format compare with: `python -m tests.storage.samples`.

Without arguments: the ledger of the schema, which is refused when entries that exist could not be read
any more. With the name of a workload: a sample of today's version, which is refused when there is one.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from emulator.exchanges.binance import ENGINE
from emulator.runtime.ports import FORMAT_VERSION, Journal
from emulator.runtime.sandbox import Sandbox
from emulator.storage.memory import MemoryJournal
from tests.storage.samples.contracts import run_contracts
from tests.storage.samples.frozen import freeze, outcome_of
from tests.storage.samples.ledger import LEDGER, breaks, read_ledger, schema_today, write_ledger
from tests.storage.samples.unified import run_replenishment, run_unified
from tests.storage.samples.workload import run_correction, run_preferences, run_spot

WORKLOADS: dict[str, Callable[[Journal], Awaitable[Sandbox]]] = {
    "spot": run_spot,
    "correction": run_correction,
    "contracts": run_contracts,
    "preferences": run_preferences,
    "unified": run_unified,
    "replenishment": run_replenishment,
}


def write_schema() -> None:
    today = schema_today()
    if LEDGER.exists():
        kept = read_ledger()
        broken = breaks(kept, today)
        if broken and kept.version == today.version:
            sys.exit("\n".join([*broken, f"This needs a new FORMAT_VERSION; {today.version} is taken."]))
    write_ledger(today)
    print(f"wrote {LEDGER}")


async def make_sample(workload: str) -> None:
    journal = MemoryJournal()
    sandbox = await WORKLOADS[workload](journal)
    batches = [batch async for batch in journal.read(sandbox.name)]
    outcome = outcome_of(batches, sandbox.engines[ENGINE], sandbox.fingerprint())
    print(f"wrote {freeze(f'{FORMAT_VERSION}-{workload}', batches, outcome)}")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        write_schema()
    else:
        for workload in sys.argv[1:]:
            asyncio.run(make_sample(workload))
