"""The frozen sample journals: entries as they were written once, and what they came to then.

`<version>-<name>.txt` has an entry a line, in base64; `<version>-<name>.json` what replaying them has to
give. Neither is ever written again.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from emulator.core.engine import Engine
from emulator.runtime.journal_format import decode_batch, encode_batch
from emulator.runtime.ports import Batch

FOLDER = Path(__file__).parent


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample came to. The fingerprint covers it all; the rest says where a difference lies.

    balances: free and held, by account, wallet and asset.
    """

    entries: int
    events: dict[str, int]
    balances: dict[str, tuple[str, str]]
    open_orders: tuple[int, ...]
    orders: int
    fills: int
    fingerprint: str


class Sample(msgspec.Struct, frozen=True):
    name: str
    entries: tuple[bytes, ...]
    outcome: Outcome

    def batches(self) -> list[Batch]:
        return [decode_batch(entry) for entry in self.entries]


def outcome_of(batches: Sequence[Batch], engine: Engine, fingerprint: str) -> Outcome:
    events = Counter(
        type(event).__name__ for batch in batches for record in batch.records for event in record.events
    )
    wallets = engine.state.ledger.wallets
    return Outcome(
        entries=len(batches),
        events=dict(sorted(events.items())),
        balances={
            f"{account} {wallet} {asset}": (str(balance.free), str(balance.held))
            for (account, wallet), assets in sorted(wallets.items())
            for asset, balance in sorted(assets.items())
        },
        open_orders=tuple(sorted(engine.state.orders)),
        orders=len(engine.views.orders),
        fills=sum(len(fills) for fills in engine.views.fills.values()),
        fingerprint=fingerprint,
    )


def samples() -> list[Sample]:
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        outcome = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Outcome)
        found.append(Sample(path.stem, tuple(map(b64decode, path.read_text().split())), outcome))
    return found


def freeze(name: str, batches: Sequence[Batch], outcome: Outcome) -> Path:
    """Write a sample that does not exist yet."""
    path = FOLDER / f"{name}.txt"
    with path.open("x", encoding="ascii") as entries:
        entries.writelines(f"{b64encode(encode_batch(batch)).decode()}\n" for batch in batches)
    described = msgspec.json.format(msgspec.json.encode(outcome), indent=1)
    path.with_suffix(".json").write_bytes(described + b"\n")
    return path
