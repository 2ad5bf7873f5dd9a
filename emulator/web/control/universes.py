"""Health, sandboxes and their clocks."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from decimal import Decimal
from time import monotonic
from typing import Annotated, Literal, TypedDict

import msgspec

from emulator.runtime.ports import ClockMode
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import DEFAULT, ClockStart
from emulator.web.contract import Call, Refusal, Rows
from emulator.web.control.dialect import (
    BODY,
    SANDBOX_NAME,
    Number,
    SandboxName,
    desk,
    number,
    refuse_body,
    text,
    translated,
)
from emulator.web.control.moments import Moment, Span, iso, parse_moment, parse_span
from emulator.web.hosts import SITES
from emulator.web.listener import PortUnavailable

rows = Rows()

SeedNumber = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
OwnPort = Annotated[
    int, msgspec.Meta(ge=0, le=65_535, description="A port of the sandbox's own; 0 picks a free one.")
]


# Health


class SiteHealth(TypedDict):
    served: bool
    path: str
    port: int | None


class JournalHealth(TypedDict):
    kind: str
    durable: bool


class ArchiveHealth(TypedDict):
    """behind: how many entries of the journals of all sandboxes it does not hold yet.

    refusals: what it said last, by sandbox. Trading goes on meanwhile, and memory keeps what is not there.
    """

    kept: bool
    behind: int
    refusals: dict[str, str]


class RequestCounts(TypedDict):
    total: int
    refused: int
    broken: int


class Health(TypedDict):
    """status: degraded while a sandbox decides nothing, because its journal does not accept, or because its
    books did not agree at the start. reasons: why, by sandbox.

    broken: requests that met a defect.
    """

    status: Literal["ok", "degraded"]
    version: str
    uptimeMs: int
    ports: dict[str, int]
    sites: dict[str, SiteHealth]
    sandboxes: int
    degraded: list[str]
    reasons: dict[str, str]
    journal: JournalHealth
    archive: ArchiveHealth
    requests: RequestCounts


@rows.route(
    "GET",
    "/health",
    summary="Whether the emulator is well, and where it listens",
    reads=False,
    answers=Health,
)
def health(call: Call) -> Health:
    known = desk(call)
    reasons = {s.name: why for s in known.sandboxes if (why := s.degraded_because) is not None}
    degraded = list(reasons)
    chronicles = [s.chronicle for s in known.sandboxes if s.chronicle is not None]
    return {
        "status": "degraded" if degraded else "ok",
        "version": known.version,
        "uptimeMs": round((monotonic() - known.began) * 1000),
        "ports": dict(known.ports),
        "sites": {
            site: {"served": site in known.sites, "path": f"/{site}", "port": known.ports.get(site)}
            for site in SITES
        },
        "sandboxes": len(known.sandboxes),
        "degraded": degraded,
        "reasons": reasons,
        "journal": {"kind": known.journal_kind, "durable": known.is_durable},
        "archive": {
            "kept": bool(chronicles),
            "behind": sum(one.last.sequence - one.sequence for one in chronicles),
            "refusals": {one.sandbox: one.failure for one in chronicles if one.failure is not None},
        },
        "requests": {
            "total": known.counts.requests,
            "refused": known.counts.refusals,
            "broken": known.counts.defects,
        },
    }


# Clocks


class ClockReading(TypedDict):
    """time: timeMs for people. speed: seconds of the sandbox in one second outside; 0 stands still."""

    sandbox: str
    mode: Literal["wall", "virtual"]
    timeMs: int
    timeUs: int
    time: str
    speed: str


class ClockBeginning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a clock begins. Only a virtual one has a time and a speed of its own."""

    mode: Literal["wall", "virtual"] | None = None
    time: Moment | None = None
    speed: Number | None = None


class ClockChange(ClockBeginning, frozen=True, forbid_unknown_fields=True):
    """What the clock shows from now on: `time`, or `step` later than now. Wall has neither."""

    step: Span | None = None


@rows.route("GET", "/clock", summary="What the clock shows", reads=False, answers=ClockReading)
def read_clock(call: Call) -> ClockReading:
    return _reading(call.sandbox)


@rows.route(
    "PUT",
    "/clock",
    summary="Set, step, speed up or stop the clock, or give it back to the wall",
    description="What that makes due happens before the answer, in the order of time. "
    "The clock cannot go back, nor more than 100 years ahead at once; a reset can begin at any time.",
    body=ClockChange,
    answers=ClockReading,
)
async def set_clock(call: Call) -> ClockReading:
    change: ClockChange = call.values[BODY]
    sandbox = call.sandbox
    if change.mode is None and change.time is None and change.step is None and change.speed is None:
        raise refuse_body("Name at least one of mode, time, step and speed.")
    if change.time is not None and change.step is not None:
        raise refuse_body("Either time or step, not both.")
    mode = ClockMode(change.mode or "virtual")
    if mode is ClockMode.WALL and not (change.time is change.step is change.speed is None):
        raise refuse_body("The wall's clock has no time, step or speed of its own; the mode virtual has.")
    time_us: int | None = None
    if change.time is not None:
        time_us = parse_moment(change.time)
    elif change.step is not None:
        time_us = sandbox.clock.now_us() + parse_span(change.step)
    with translated():
        await sandbox.set_clock(mode, time_us, _speed(change, sandbox))
    return _reading(sandbox)


def _speed(change: ClockBeginning, sandbox: Sandbox | None) -> Decimal:
    """The speed asked for; else a virtual clock keeps its own, and one that becomes virtual stops."""
    if change.speed is not None:
        return number(change.speed, "speed")
    if sandbox is not None and sandbox.clock.mode is ClockMode.VIRTUAL:
        return sandbox.clock.speed
    return Decimal(0)


def _reading(sandbox: Sandbox) -> ClockReading:
    now_us = sandbox.clock.now_us()
    return {
        "sandbox": sandbox.name,
        "mode": sandbox.clock.mode.value,
        "timeMs": now_us // 1000,
        "timeUs": now_us,
        "time": iso(now_us),
        "speed": text(sandbox.clock.speed),
    }


# Sandboxes


class SandboxState(TypedDict):
    """sequence: the last entry decided; durableSequence: the last one that the journal holds.

    port: its own, on which every request is the sandbox's unless a prefix or host says otherwise.
    """

    name: str
    seed: int
    clock: ClockReading
    accounts: list[str]
    sequence: int
    durableSequence: int
    degraded: bool
    path: str
    port: int | None


class SandboxList(TypedDict):
    sandboxes: list[SandboxState]


class Dropped(TypedDict):
    dropped: str


class Beginning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a fresh universe begins with; what is not named stays as it was."""

    seed: SeedNumber | None = None
    clock: ClockBeginning | None = None


class NewSandbox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: SandboxName
    seed: SeedNumber | None = None
    clock: ClockBeginning | None = None
    port: OwnPort | None = None


class NewFork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: SandboxName
    port: OwnPort | None = None


@rows.route("POST", "/reset", summary="Begin the sandbox afresh", body=Beginning, answers=SandboxState)
async def reset(call: Call) -> SandboxState:
    return await _reset(call, call.sandbox.name)


@rows.route("GET", "/sandboxes", summary="All sandboxes", reads=False, answers=SandboxList)
def list_sandboxes(call: Call) -> SandboxList:
    return {"sandboxes": [_state(call, sandbox) for sandbox in desk(call).sandboxes]}


@rows.route("POST", "/sandboxes", summary="Make a sandbox", body=NewSandbox, answers=SandboxState)
async def create_sandbox(call: Call) -> SandboxState:
    wanted: NewSandbox = call.values[BODY]
    async with _making(call, wanted):
        sandbox = await desk(call).sandboxes.create(wanted.name, seed=wanted.seed, clock=_start(wanted.clock))
    return _state(call, sandbox)


@rows.route(
    "GET",
    "/sandboxes/{name}",
    summary="One sandbox",
    parameters=(SANDBOX_NAME,),
    reads=False,
    answers=SandboxState,
)
def read_sandbox(call: Call) -> SandboxState:
    sandbox = desk(call).sandboxes.get(call.values["name"])
    if sandbox is None:
        raise Refusal(404, "no_such_sandbox", f"There is no sandbox {call.values['name']!r}.")
    return _state(call, sandbox)


@rows.route(
    "DELETE",
    "/sandboxes/{name}",
    summary="End a sandbox and forget it",
    parameters=(SANDBOX_NAME,),
    answers=Dropped,
)
async def drop_sandbox(call: Call) -> Dropped:
    name: str = call.values["name"]
    if name == DEFAULT:
        raise Refusal(409, "default_sandbox", "The default sandbox cannot be dropped; reset it.")
    async with desk(call).sandbox_ports.closing(name):
        with translated():
            await desk(call).sandboxes.drop(name)
    return {"dropped": name}


@rows.route(
    "POST",
    "/sandboxes/{name}/reset",
    summary="Begin a sandbox afresh",
    parameters=(SANDBOX_NAME,),
    body=Beginning,
    answers=SandboxState,
)
async def reset_sandbox(call: Call) -> SandboxState:
    return await _reset(call, call.values["name"])


@rows.route(
    "POST",
    "/sandboxes/{name}/fork",
    summary="Make another sandbox that begins as this one is now",
    parameters=(SANDBOX_NAME,),
    body=NewFork,
    answers=SandboxState,
)
async def fork_sandbox(call: Call) -> SandboxState:
    wanted: NewFork = call.values[BODY]
    async with _making(call, wanted):
        sandbox = await desk(call).sandboxes.fork(call.values["name"], wanted.name)
    return _state(call, sandbox)


@contextlib.asynccontextmanager
async def _making(call: Call, wanted: NewSandbox | NewFork) -> AsyncGenerator[None, None]:
    """Around what makes a sandbox: its own port opens with it, if it is to have one, or neither is."""
    if wanted.name in desk(call).sandboxes:
        # Said before anything of the port, which may well be that of this very sandbox.
        raise Refusal(409, "sandbox_exists", f"The sandbox {wanted.name!r} exists.")
    try:
        async with desk(call).sandbox_ports.opening(wanted.name, wanted.port):
            with translated():
                yield
    except PortUnavailable as error:
        raise Refusal(409, "port_unavailable", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error


async def _reset(call: Call, name: str) -> SandboxState:
    wanted: Beginning = call.values[BODY]
    with translated():
        sandbox = await desk(call).sandboxes.reset(name, seed=wanted.seed, clock=_start(wanted.clock))
    return _state(call, sandbox)


def _start(beginning: ClockBeginning | None) -> ClockStart | None:
    if beginning is None:
        return None
    mode = ClockMode(beginning.mode or "virtual")
    if mode is ClockMode.WALL and not (beginning.time is beginning.speed is None):
        raise refuse_body("The wall's clock has no time or speed of its own; the mode virtual has.")
    return ClockStart(
        mode=mode,
        time_us=None if beginning.time is None else parse_moment(beginning.time),
        speed=_speed(beginning, None),
    )


def _state(call: Call, sandbox: Sandbox) -> SandboxState:
    return {
        "name": sandbox.name,
        "seed": sandbox.seed,
        "clock": _reading(sandbox),
        "accounts": list(sandbox.accounts),
        "sequence": sandbox.sequence,
        "durableSequence": sandbox.durable_sequence,
        "degraded": sandbox.is_degraded,
        "path": f"/~{sandbox.name}",
        "port": desk(call).sandbox_ports.port(sandbox.name),
    }
