"""What was asked, what happened, where the money is, and what is emulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from enum import Enum
from typing import Any, TypedDict

import msgspec

from emulator.core.history import LedgerEntry, Query
from emulator.core.numbers import exact
from emulator.runtime.ports import SANDBOX as SANDBOX_ENGINE
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Call, Kind, Parameter, Rows
from emulator.web.control.accounts import Wallets, account_of, wallets_of
from emulator.web.control.dialect import ACCOUNT_NAME, desk, text
from emulator.web.control.moments import iso
from emulator.web.coverage import SiteCovered, describe
from emulator.web.hosts import SITES
from emulator.web.recorder import RECORDS_MAX, mask_key

rows = Rows()

ENTRIES_PER_PAGE = 1_000
"""Of the ledger, while those of one asset are looked for."""


# What was asked


class RequestShown(TypedDict):
    """A request to a site as it came, without secrets. code: of the error answered, if it was one."""

    timeUs: int
    time: str
    method: str
    path: str
    query: str
    body: str
    site: str
    sandbox: str | None
    status: int
    code: int | str | None
    durationUs: int
    account: int | None
    key: str | None


class RequestList(TypedDict):
    """Oldest first. kept: how many are remembered at most."""

    kept: int
    requests: list[RequestShown]


@rows.route(
    "GET",
    "/requests",
    summary="The last requests to the sites",
    description="Of all sandboxes, unless one is named.",
    parameters=(
        Parameter("site", Kind.CHOICE, choices=SITES, description="Only of this site."),
        Parameter("method", Kind.CHOICE, choices=("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")),
        Parameter(
            "path",
            pattern=r"[^\x00-\x1f\x7f]{1,300}",
            length_max=300,
            description="Only paths that contain this.",
        ),
        Parameter("status", Kind.INTEGER, minimum=100, maximum=599),
        Parameter("account", pattern=ACCOUNT_NAME.pattern, length_max=64, description="An account's name."),
        Parameter("outcome", Kind.CHOICE, choices=("accepted", "refused")),
        Parameter("limit", Kind.INTEGER, default=100, minimum=1, maximum=RECORDS_MAX),
    ),
    reads=False,
    answers=RequestList,
)
def requests(call: Call) -> RequestList:
    values = call.values
    account = account_of(call, values["account"]) if "account" in values else None
    sandbox = call.sandbox.name if "sandbox" in values or account is not None else None
    outcome = values.get("outcome")
    matching = [
        record
        for record in desk(call).recorder.read()
        if ("site" not in values or record["site"] == values["site"])
        and ("method" not in values or record["method"] == values["method"])
        and ("path" not in values or values["path"] in record["path"])
        and ("status" not in values or record["status"] == values["status"])
        and (account is None or record["account"] == account)
        and (sandbox is None or record["sandbox"] == sandbox)
        and (outcome is None or (record["code"] is None) == (outcome == "accepted"))
    ]
    shown: list[Any] = [{**record, "time": iso(record["timeUs"])} for record in matching[-values["limit"] :]]
    return {"kept": RECORDS_MAX, "requests": shown}


# What happened


class EventShown(TypedDict):
    """engine: None for what happened to the sandbox itself. content: depends on the kind of event."""

    sequence: int
    timeUs: int
    time: str
    engine: str | None
    kind: str
    content: dict[str, Any]


class EventList(TypedDict):
    """first: the oldest entry that is still kept, 0 for none. next: what to ask for `after` next."""

    sandbox: str
    first: int
    next: int
    more: bool
    events: list[EventShown]


@rows.route(
    "GET",
    "/events",
    summary="What happened in the sandbox, in order",
    description="Whole journal entries, so there may be somewhat more events than the limit.",
    parameters=(
        Parameter("after", Kind.INTEGER, default=0, description="Only entries after this sequence."),
        Parameter("limit", Kind.INTEGER, default=1000, minimum=1, maximum=10_000),
        Parameter("kind", pattern="[A-Za-z]{1,40}", length_max=40, description="Only events of this kind."),
    ),
    reads=False,
    answers=EventList,
)
async def events(call: Call) -> EventList:
    sandbox = call.sandbox
    # What is due by now has happened; it is told of when it is durable.
    await sandbox.durable(sandbox.advance())
    after: int = call.values["after"]
    kind: str | None = call.values.get("kind")
    batches = sandbox.fanout.recent(after_sequence=after, records_max=call.values["limit"])
    shown: list[EventShown] = []
    for batch in batches:
        for record in batch.records:
            time = iso(record.time_us)
            for event in record.events:
                name = type(event).__name__
                if kind is None or kind == name:
                    shown.append(
                        {
                            "sequence": batch.sequence,
                            "timeUs": record.time_us,
                            "time": time,
                            "engine": None if record.engine == SANDBOX_ENGINE else record.engine,
                            "kind": name,
                            "content": _members(event),
                        }
                    )
    last = batches[-1].sequence if batches else after
    return {
        "sandbox": sandbox.name,
        "first": sandbox.fanout.recent_first,
        "next": last,
        "more": last < sandbox.durable_sequence,
        "events": shown,
    }


def _members(value: msgspec.Struct) -> dict[str, Any]:
    return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}


def _plain(value: Any) -> Any:
    """A core value as people read it: numbers in full, names of choices, no secrets."""
    match value:
        case KeyRecord():
            shown = mask_key(value.key.encode())
            return {**_members(msgspec.structs.replace(value, secret="", passphrase="")), "key": shown}
        case Decimal():
            return text(value)
        case Enum():
            return value.value
        case msgspec.Struct():
            return _members(value)
        case str() | int() | None:
            return value
        case Set():
            return sorted(_plain(member) for member in value)
        case Mapping():
            return {str(name): _plain(member) for name, member in value.items()}
        case Sequence():
            return [_plain(member) for member in value]
        case _:
            return repr(value)


# Where the money is


class Entry(TypedDict):
    """One movement as the wallet's owner sees it. reason: the kind of event that caused it."""

    timeUs: int
    time: str
    exchange: str
    reason: str
    wallet: str
    asset: str
    free: str
    held: str
    counterparty: str


class LedgerCheck(TypedDict):
    """Whether all accounts of an exchange, the counterparties' included, sum to zero in every asset."""

    balanced: bool
    differences: dict[str, str]


class LedgerShown(TypedDict):
    """balances, checks: by exchange. entries: the newest, oldest first."""

    sandbox: str
    account: str
    balances: dict[str, Wallets]
    entries: list[Entry]
    checks: dict[str, LedgerCheck]


@rows.route(
    "GET",
    "/ledger/{account}",
    summary="An account's balances and movements, and whether the books balance",
    parameters=(
        ACCOUNT_NAME.but(name="account"),
        Parameter("asset", pattern="[A-Za-z0-9]{1,20}", length_max=20, description="Only of this asset."),
        Parameter("limit", Kind.INTEGER, default=200, minimum=1, maximum=10_000),
    ),
    answers=LedgerShown,
)
async def ledger(call: Call) -> LedgerShown:
    name: str = call.values["account"]
    account = account_of(call, name)
    asset: str | None = call.values.get("asset")
    limit: int = call.values["limit"]
    entries: list[Entry] = []
    checks: dict[str, LedgerCheck] = {}
    balances: dict[str, Wallets] = {}
    for exchange, engine in call.sandbox.engines.items():
        balances[exchange] = wallets_of(engine, account)
        with exact():
            differences = {code: total for code, total in engine.state.ledger.totals().items() if total}
        checks[exchange] = {
            "balanced": not differences,
            "differences": {code: text(total) for code, total in sorted(differences.items())},
        }
        entries += [
            {
                "timeUs": entry.time_us,
                "time": iso(entry.time_us),
                "exchange": exchange,
                "reason": entry.reason,
                "wallet": entry.wallet,
                "asset": entry.asset,
                "free": text(entry.free),
                "held": text(entry.held),
                "counterparty": entry.counterparty,
            }
            for entry in await _newest_entries(call.sandbox, exchange, account, asset, limit)
        ]
    if len(balances) > 1:
        entries.sort(key=lambda entry: entry["timeUs"])
    return {
        "sandbox": call.sandbox.name,
        "account": name,
        "balances": balances,
        "entries": entries[-limit:],
        "checks": checks,
    }


async def _newest_entries(
    sandbox: Sandbox, exchange: str, account: int, asset: str | None, limit: int
) -> list[LedgerEntry]:
    """The newest entries of an asset, oldest first, drawn page by page from the end."""
    query = Query(account=account, limit=max(limit, ENTRIES_PER_PAGE if asset else 0), newest=True)
    newest: list[LedgerEntry] = []
    while True:
        page = await sandbox.history.select(exchange, LedgerEntry, query)
        newest = [entry for entry in page if asset is None or entry.asset == asset] + newest
        if len(newest) >= limit or len(page) < query.limit:
            return newest[-limit:]
        query = msgspec.structs.replace(query, last_id=page[0].number - 1)


# What is emulated


class Coverage(TypedDict):
    sites: list[SiteCovered]


@rows.route(
    "GET", "/coverage", summary="Which paths of which sites are emulated", reads=False, answers=Coverage
)
def coverage(call: Call) -> Coverage:
    return {"sites": describe(desk(call).sites)}
