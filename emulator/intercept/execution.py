"""`emulator exec`: runs a command for which the emulator is the exchanges, and says what it called.

It uses the emulator that runs on the data directory, or starts one for the time of the command. The gate
that it opens there is the command's own, so that what came through it is what this command did.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from emulator.intercept import finding, namespace
from emulator.intercept.command import Interrupted, Signals
from emulator.intercept.finding import Control, NoEmulator
from emulator.intercept.summary import HostCalls, Summary, Untrusting, read_refusals
from emulator.intercept.surroundings import GATE_HOST, REPORT_FILE, Terms, enclosed, over_roots, surround
from emulator.web.hosts import EXCHANGE_DOMAINS, is_exchange_host

UNSEEN = (
    "programs that are neither Python nor Node and honour no proxy variables, and those two where they are"
    " started without their variables (python -I, env -i)"
)


class Wish(NamedTuple):
    """url: of an emulator that runs; None: the one of data_dir. fresh: one of its own, which forgets.
    namespace: whether the command gets a network of its own, where there is a guard and that can be done."""

    command: Sequence[str]
    url: str | None
    data_dir: Path
    token: str | None
    fresh: bool
    guard: bool
    namespace: bool
    allow: Sequence[str]
    quiet: bool
    report: Path | None


class NotAllowable(Exception):
    """A host that cannot be allowed; in words for people."""


def execute(wish: Wish) -> int:
    """The exit code. Raises NoEmulator and NotAllowable before the command was started."""
    for entry in wish.allow:
        if is_exchange_host(entry.rpartition(":")[0] or entry) or is_exchange_host(entry):
            raise NotAllowable(f"--allow {entry}: it is an exchange's, and the emulator stands for it")
    signals = Signals()
    with signals.taken():
        try:
            return _execute(wish, signals)
        except Interrupted as interrupted:
            return interrupted.code


def _execute(wish: Wish, signals: Signals) -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emulator-exec-")))
        url = wish.url if not wish.fresh else None
        if url is not None and not finding.answers(url):
            raise NoEmulator(f"no emulator answers at {url}")
        if url is None and wish.fresh:
            own = finding.started(folder / "data", log=folder / "emulator.log")
            url = stack.enter_context(own)
        elif url is None:
            url = stack.enter_context(finding.shared(wish.data_dir))
        control = Control(url, wish.token)
        gate = control.open_gate(guard=wish.guard, allow=wish.allow)
        terms = Terms(
            url=url,
            gate_port=gate.port,
            ca=gate.ca,
            domains=EXCHANGE_DOMAINS,
            guard=wish.guard,
            allow=wish.allow,
        )
        environment = surround(os.environ, terms, folder)
        began = time.monotonic()
        try:
            code, unseen = _run(wish, signals, environment, terms, folder / REPORT_FILE)
        finally:
            signals.finish()
        took_s = time.monotonic() - began
        tally = _closed(control, gate.port)
        summary = Summary(
            command=list(wish.command),
            exit_code=code,
            duration_ms=round(took_s * 1000),
            emulator=url,
            guard=wish.guard,
            unseen=unseen,
            hosts=msgspec.convert(tally["hosts"], list[HostCalls] | None),
            refused=read_refusals(folder / REPORT_FILE, tally["refused"]),
            untrusting=msgspec.convert(tally["untrusting"], list[Untrusting]),
        )
        _tell(summary, wish)
        return code


def _run(
    wish: Wish, signals: Signals, environment: Mapping[str, str], terms: Terms, report: Path
) -> tuple[int, str | None]:
    """The command's exit code, and what the guard did not see of it."""
    if not wish.guard:
        return signals.run(wish.command, environment), None
    why = "--no-namespace"
    if wish.namespace:
        try:
            code = namespace.run(
                wish.command,
                enclosed(environment),
                gate=(GATE_HOST, terms.gate_port),
                forwards=[terms.gate_port],
                allow=terms.allow,
                domains=terms.domains,
                report=report,
                over=over_roots(report.parent),
            )
            return code, None
        except namespace.Unavailable as error:
            why = str(error)
        except ValueError as error:
            raise NotAllowable(f"--allow {error}: it is no host that can be let out to") from error
    return signals.run(wish.command, environment), f"{UNSEEN}: the command has no network of its own ({why})"


def _closed(control: Control, port: int) -> dict[str, Any]:
    """What came through the gate. The emulator may be gone: the command's outcome is worth more."""
    try:
        return control.close_gate(port)
    except NoEmulator as error:
        print(f"emulator exec: what was called is not known: {error}", file=sys.stderr)
        return {"hosts": None, "refused": [], "untrusting": []}


def _tell(summary: Summary, wish: Wish) -> None:
    if not wish.quiet:
        print("\n".join(summary.lines()), file=sys.stderr)
    if wish.report is not None:
        try:
            wish.report.write_bytes(summary.as_json())
        except OSError as error:
            print(f"emulator exec: the report is not written: {error}", file=sys.stderr)
