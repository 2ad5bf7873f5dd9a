"""Starts a command in a network of its own, serves that network while the command lasts, and ends with it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from emulator.intercept.namespace import attendant, launcher, machine, passing, reasons
from emulator.intercept.namespace.names import DNS_PORT, Allowed, Names, Opening
from emulator.intercept.namespace.refusals import Refusals
from emulator.intercept.namespace.serving import Follow, Serving

SERVICES_MAX = 400
"""Ports of this machine that are reachable from the command's network, at addresses of each version."""

FILES_MAX = 65_536

ANSWER_S = 20.0
"""How long the launcher may take for a step; it takes milliseconds."""

_LAUNCHER = Path(launcher.__file__)
_ATTENDANT = Path(attendant.__file__)
_PARTING_S = 2.0
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT)
_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)

_log = logging.getLogger(__name__)


class Unavailable(Exception):
    """This machine does not let a command have a network of its own; the text says why."""


def available() -> str | None:
    """Why no command can be run like that here; None when one can. Tries it, which takes about 50 ms, and
    leaves nothing behind."""
    try:
        with _launched([], {}) as launched:
            launched.settle([], [], unset=[])
    except Unavailable as error:
        return str(error)
    return None


def run(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    gate: tuple[str, int],
    forwards: Collection[int],
    allow: Collection[str],
    domains: Collection[str],
    report: Path | None,
    over: Mapping[Path, Path] | None = None,
) -> int:
    """Run a command to its end, in the directory and on the terminal that this process has.

    gate: where connections go that mean an exchange. forwards: ports of this machine that the command needs
    whether they listen or not; those that do listen are reachable anyway, up to SERVICES_MAX, but for proxies
    that this process's environment names. What the command serves is at this machine's loopback too. allow:
    `host` or `host:port` each. domains: every name in one of them is an exchange's. report: gets lines of
    JSON about connections that were refused, {"host", "port" (null when only the name was asked for), "by":
    "namespace", "pid", "count"}. over: by files of this machine, what the command finds in their places.

    The exit code, 128 + n when signal n ended it, 127 or 126 when there is no such command or it cannot run.
    In the main thread the signals that ask to end are passed on to the command. Raises Unavailable, before
    anything was run, and ValueError for a host in `allow` that is none.
    """
    names = _names(gate=gate, forwards=forwards, allow=allow, domains=domains)
    openings = list(names.openings())
    with contextlib.ExitStack() as stack:
        launched = stack.enter_context(_launched(list(command), env))
        resolv_conf = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "resolv.conf"
        resolv_conf.write_text("nameserver 127.0.0.1\n", encoding="ascii")
        # It may be read by whoever the command becomes.
        resolv_conf.parent.chmod(0o755)
        # An interpreter sets this for itself where the locale is plain.
        unset = [] if "LC_CTYPE" in env else ["LC_CTYPE"]
        masks = machine.masks(resolv_conf)
        masks += [(str(source), str(target)) for target, source in (over or {}).items()]
        sockets = launched.settle(openings, masks, unset=unset)
        refusals = Refusals(report, pid=launched.pid)
        follow = Follow(
            control=stack.enter_context(_attended(launched)),
            command=Path(f"/proc/{launched.pid}"),
            closed=machine.proxy_ports(os.environ),
        )
        serving = Serving(sockets, names=names, refusals=refusals, gate=gate, follow=follow)
        stack.enter_context(_many_files())
        serving.begin()
        stack.callback(refusals.finish)
        stack.callback(serving.end)
        stack.enter_context(_signals_passed_on(launched.pid))
        launched.go()
        return launched.wait()


def _names(
    *, gate: tuple[str, int], forwards: Collection[int], allow: Collection[str], domains: Collection[str]
) -> Names:
    needed = {gate[1], *forwards}
    closed = {DNS_PORT, *machine.proxy_ports(os.environ)} - needed
    listening = machine.listening()
    return Names(
        domains=domains,
        allow=[Allowed.parse(text) for text in allow],
        own_names=machine.own_names(),
        own_addresses=machine.own_addresses(),
        inner_address=launcher.OWN_ADDRESS,
        services=[*needed, *_some(listening.v4 - closed - needed)],
        services_v6=_some(listening.v6 - closed),
    )


def _some(ports: Collection[int]) -> list[int]:
    if len(ports) > SERVICES_MAX:
        _log.warning("%d ports listen here; %d of them are reachable", len(ports), SERVICES_MAX)
    return sorted(ports)[:SERVICES_MAX]


class _Launched:
    """The process that becomes the command, and what is agreed with it (`launcher` says what)."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process = process
        self._control = control
        self.kinds: list[str] = []

    @property
    def pid(self) -> int:
        return self._process.pid

    def settle(
        self, openings: Sequence[Opening], masks: Sequence[tuple[str, str]], *, unset: Sequence[str]
    ) -> list[tuple[Opening, socket.socket]]:
        """Make its network; the sockets that listen there. Raises Unavailable."""
        self.kinds = self._hear()["apart"]
        if "user" in self.kinds:
            _write_down_users(self.pid)
        self._tell({})
        self._tell({"sockets": openings, "masks": masks, "unset": unset})
        sockets: list[tuple[Opening, socket.socket]] = []
        while "notes" not in (heard := self._hear(sockets, openings)):
            pass
        for note in heard["notes"]:
            _log.info("in the command's network: %s", note)
        return sockets

    def go(self) -> None:
        self._tell({})
        self._control.close()

    def wait(self) -> int:
        code = self._process.wait()
        return 128 - code if code < 0 else code

    def end(self) -> None:
        """Of a process that was not told to go on, or has ended."""
        self._control.close()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _tell(self, message: dict[str, Any]) -> None:
        try:
            self._control.send(json.dumps(message).encode())
        except OSError as error:
            raise Unavailable(f"the launcher went away: {error}") from error

    def _hear(
        self,
        sockets: list[tuple[Opening, socket.socket]] | None = None,
        openings: Sequence[Opening] = (),
    ) -> dict[str, Any]:
        """The next message. sockets: where those are put that come with it."""
        try:
            message, given = passing.receive(self._control, launcher.MESSAGE_MAX)
        except OSError as error:
            raise Unavailable(f"the launcher does not answer: {error}") from error
        if not message:
            raise Unavailable(f"the launcher ended with {self.wait()}")
        heard: dict[str, Any] = json.loads(message)
        if "failed" in heard:
            raise Unavailable(reasons.words(heard["failed"], heard["errno"]))
        for place, opened in zip(heard.get("sockets", ()), given, strict=True):
            assert sockets is not None
            sockets.append((openings[place], opened))
        return heard


@contextlib.contextmanager
def _launched(command: list[str], env: Mapping[str, str]) -> Iterator[_Launched]:
    if sys.platform != "linux":
        raise Unavailable("only Linux has network namespaces")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(ANSWER_S)
    with theirs:
        theirs.set_inheritable(True)
        program = [sys.executable, "-I", "-S", str(_LAUNCHER), str(theirs.fileno()), *command]
        try:
            # What the shell opened for the command, as `<(…)`, passes on; what Python opened does not.
            process = subprocess.Popen(program, env=dict(env), close_fds=False)
        except OSError as error:
            ours.close()
            raise Unavailable(f"the launcher cannot be started: {error}") from error
    launched = _Launched(process, ours)
    try:
        yield launched
    finally:
        launched.end()


@contextlib.contextmanager
def _attended(launched: _Launched) -> Iterator[socket.socket]:
    """Where sockets can be asked for that are in a command's network. It does not have to answer."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    home = Path(f"/proc/{launched.pid}/ns")
    with ours:
        with theirs, contextlib.ExitStack() as entries:
            numbers = [theirs.fileno()]
            for kind, name in (("user", "user"), ("network", "net")):
                if kind in launched.kinds:
                    numbers.append(os.open(home / name, os.O_RDONLY))
                    entries.callback(os.close, numbers[-1])
                else:
                    numbers.append(-1)
            # It is no part of the command: keys of the terminal do not concern it.
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_ATTENDANT), *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[number for number in numbers if number >= 0],
                start_new_session=True,
            )
        try:
            yield ours
        finally:
            ours.close()
            try:
                process.wait(_PARTING_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _write_down_users(pid: int) -> None:
    """Have everybody in a process's users be who they are outside: all of them where this process may say
    so, else the one that it runs as. Raises Unavailable."""
    home = Path(f"/proc/{pid}")
    try:
        for name, own in (("uid_map", os.geteuid()), ("gid_map", os.getegid())):
            everybody = [line.split() for line in (Path("/proc/self") / name).read_text().splitlines()]
            try:
                (home / name).write_text("".join(f"{inside} {inside} {n}\n" for inside, _, n in everybody))
            except PermissionError:
                if name == "gid_map":
                    (home / "setgroups").write_text("deny")
                (home / name).write_text(f"{own} {own} 1\n")
    except OSError as error:
        raise Unavailable(reasons.words("users", error.errno or 0)) from error


@contextlib.contextmanager
def _many_files() -> Iterator[None]:
    """Have this process open as many files as it may: a connection that is passed on takes two."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if most == resource.RLIM_INFINITY else min(FILES_MAX, most)
    if before == resource.RLIM_INFINITY or before >= wanted:
        yield
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@contextlib.contextmanager
def _signals_passed_on(pid: int) -> Iterator[None]:
    """While the command runs, this process is not to end before it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Callable[[int, FrameType | None], Any] | int | None] = {}

    def pass_on(number: int, frame: FrameType | None) -> None:
        # A key on the terminal has reached the command as well.
        if signal.Signals(number) not in _OF_THE_TERMINAL or not _is_in_front():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    for one in (*_PASSED_ON, *_OF_THE_TERMINAL):
        # Who was started to ignore a signal has the command ignore it too.
        if signal.getsignal(one) is not signal.SIG_IGN:
            before[one] = signal.signal(one, pass_on)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _is_in_front() -> bool:
    """Whether keys of a terminal interrupt this process."""
    try:
        with Path(os.ctermid()).open("rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
