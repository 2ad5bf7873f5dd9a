"""Whether what was recovered may be traded on: it has to agree with itself, and with what was known before.

Two things are looked at. The books of each engine are reckoned anew (`core.audit`). And every balance is
compared with its record in the archive, which the process that lived before wrote from its own memory,
not from a folding; where the archive had to be brought up to the journal first, what that wrote comes
from this folding, agrees by itself, and tells nothing, so nobody is blamed for a crash.

Nothing is changed here because of what is found. A snapshot that leads to a disagreement is set aside
when the whole journal leads to none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, cast

from emulator.core.engine import Engine
from emulator.core.history import BalanceRecord
from emulator.core.ids import AccountId
from emulator.core.numbers import canonical
from emulator.runtime import snapshots
from emulator.runtime.archive import Archive, ArchiveDamaged, mark_of
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import Journal
from emulator.runtime.recovery import MakeEngines, Recovered, recover

DOUBTS_SHOWN = 3

BalancePlace = tuple[str, AccountId, str, str]
"""Engine, account, wallet and asset."""
Funds = tuple[Decimal, Decimal]
"""Free and held."""

_log = logging.getLogger(__name__)


class Reconciled(NamedTuple):
    """doubts: what does not agree, with both figures, for people; empty where all does."""

    recovered: Recovered
    doubts: list[str]


async def reconcile(
    journal: Journal,
    sandbox: str,
    make_engines: MakeEngines,
    *,
    archive: Archive | None = None,
    keeping: Keeping | None = None,
) -> Reconciled:
    """Recover a sandbox, and find what does not agree. Raises what `recover` does."""
    recovered = await recover(journal, sandbox, make_engines, archive=archive, keeping=keeping)
    doubts = await _doubts(recovered, archive, sandbox)
    is_set_aside = recovered.has_refused_snapshot
    if doubts and recovered.is_from_snapshot:
        for doubt in doubts:
            _log.warning("%s: %s", sandbox, doubt)
        _log.warning("%s: the snapshot may be why: the whole journal is read instead", sandbox)
        recovered = await recover(
            journal, sandbox, make_engines, archive=archive, keeping=keeping, use_snapshot=False
        )
        doubts = await _doubts(recovered, archive, sandbox)
        is_set_aside = True
    for doubt in doubts:
        _log.error("%s: %s", sandbox, doubt)
    if archive is not None and is_set_aside and not doubts:
        _log.warning("%s: the whole journal agrees: the snapshot is replaced", sandbox)
        await keep_snapshot(archive, sandbox, recovered)
    return Reconciled(recovered, doubts)


def doubtful(doubts: Sequence[str]) -> str:
    """Why a sandbox is distrusted, in one sentence that names the first doubts."""
    more = len(doubts) - DOUBTS_SHOWN
    listed = "; ".join(doubts[:DOUBTS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return f"its books do not agree, so it does not trade until `emulator storage repair` was run: {listed}"


async def keep_snapshot(archive: Archive, sandbox: str, recovered: Recovered) -> None:
    """Keep what was recovered as the snapshot to begin with next time."""
    state = recovered.state.captured(recovered.last_time_us)
    captures = {name: engine.capture() for name, engine in recovered.engines.items()}
    parts = snapshots.encode(state, captures)
    await archive.save(sandbox, mark_of(recovered.last), snapshots.FORMAT, parts)
    recovered.events = 0


async def differing_balances(recovered: Recovered, archive: Archive, sandbox: str) -> list[str]:
    """Where the archive, which has been brought up to the journal, knows another balance than the books."""
    found: list[str] = []
    unknown = folded_balances(recovered)
    try:
        async for engine, record in archive.scan(sandbox, BalanceRecord):
            place = (engine, record.account, record.wallet, record.asset)
            there, folded = (record.free, record.held), unknown.pop(place, None)
            if there != folded:
                found.append(_differ(place, folded, there))
    except ArchiveDamaged as error:
        return [f"the archive's balances cannot be read: {error}"]
    found += [_differ(place, folded, None) for place, folded in unknown.items()]
    return found


def folded_balances(recovered: Recovered) -> dict[BalancePlace, Funds]:
    """All balances there are in the books of all engines."""
    return {
        (name, account, wallet, asset): (balance.free, balance.held)
        for name, engine in cast(Mapping[str, Engine], recovered.engines).items()
        for (account, wallet), assets in engine.state.ledger.wallets.items()
        for asset, balance in assets.items()
    }


def describe(place: BalancePlace) -> str:
    engine, account, wallet, asset = place
    return f"{engine}: the balance of {asset} of account {account} in {wallet}"


def funds(amounts: Funds | None) -> str:
    if amounts is None:
        return "nothing"
    free, held = map(canonical, amounts)
    return f"free {free:f} and held {held:f}"


async def _doubts(recovered: Recovered, archive: Archive | None, sandbox: str) -> list[str]:
    found = [
        f"{name}: {mismatch}" for name, engine in recovered.engines.items() for mismatch in engine.audit()
    ]
    if archive is not None:
        found += await differing_balances(recovered, archive, sandbox)
    return found


def _differ(place: BalancePlace, folded: Funds | None, there: Funds | None) -> str:
    return f"{describe(place)} is {funds(folded)} by the journal, {funds(there)} in the archive"
