"""Runs a command in a network of its own. It is a program, started by its path with nothing but the standard
library (`python -I -S launcher.py <fd> <command…>`), so that it is quick and what is meant for the command
does not act on it.

It talks with `enclosed` over the socket <fd>, one JSON object a message:

    it sends                                it is told
    {"apart": [kinds of namespaces]}        {} once who is who is written down outside
                                            {"sockets": [Opening…], "masks": [[source, target]…],
                                             "unset": [names]}
    {"sockets": [places…]} with the sockets
    {"notes": [text…]}                      {} once they are served, and then it becomes the command
    {"failed": step, "errno": n}            at any time, and then it ends

In that network every address is this machine's own ("AnyIP": a local route to everything), so a connection
to anywhere arrives at a socket that listens here or is refused; no way leads out of it.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from typing import Any, NoReturn

USER = 0x1000_0000
NETWORK = 0x4000_0000
MOUNTS = 0x0002_0000
KINDS = {"user": USER, "network": NETWORK, "mounts": MOUNTS}

SOCKETS_A_MESSAGE = 200
"""The kernel lets 253 through."""
MESSAGE_MAX = 1_000_000
BACKLOG = 1024

OWN_ADDRESS = "192.0.2.1"
"""Of that network beside loopback's, out of those that nobody has (RFC 5737): who asks for addresses only of
the kinds that he has himself (AI_ADDRCONFIG), is told that loopback's does not count."""

_ATTEMPTS = (
    ("user", "network", "mounts"),
    ("user", "network"),
    # Who may administer the machine needs no users of its own, where those are switched off.
    ("network", "mounts"),
    ("network",),
)

_MS_BIND, _MS_REC, _MS_SLAVE = 4096, 16384, 1 << 19

_SIOCSIFFLAGS = 0x8914
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_LOOPBACK_INDEX = 1

_RTM_NEWADDR, _RTM_NEWROUTE = 20, 24
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_CREATE = 0x1, 0x4, 0x400
_RT_TABLE_LOCAL, _RTPROT_BOOT, _RT_SCOPE_HOST, _RTN_LOCAL = 255, 3, 254, 2
_RTA_OIF, _RTA_PREFSRC = 4, 7
_IFA_ADDRESS, _IFA_LOCAL = 1, 2

_IP_FREEBIND, _IPV6_FREEBIND = 15, 78
_IPV6_RECVPKTINFO = 49
_IP_PKTINFO = 8

_ATTACH_FILTER = 26
_OPENINGS_V4 = (
    # What opens a connection (SYN without ACK), and datagrams to elsewhere than 127.0.0.0/8.
    (0x30, 0, 0, 9),  # ldb [9]: protocol
    (0x15, 0, 4, 6),  # TCP, or skip
    (0xB1, 0, 0, 0),  # ldxb 4*([0]&0xf)
    (0x50, 0, 0, 13),  # ldb [x+13]: flags
    (0x54, 0, 0, 0x12),  # and SYN|ACK
    (0x15, 3, 4, 0x02),  # SYN: take
    (0x15, 0, 3, 17),  # UDP, or drop
    (0x30, 0, 0, 16),  # ldb [16]: the first byte of whom it is for
    (0x15, 1, 0, 127),  # 127: drop
    (0x06, 0, 0, 128),
    (0x06, 0, 0, 0),
)
_OPENINGS_V6 = (
    (0x30, 0, 0, 6),  # ldb [6]: next header
    (0x15, 0, 3, 6),
    (0x30, 0, 0, 53),  # ldb [53]: flags
    (0x54, 0, 0, 0x12),
    (0x15, 1, 2, 0x02),
    (0x15, 0, 1, 17),
    (0x06, 0, 0, 128),
    (0x06, 0, 0, 0),
)
_WITNESSED = {"witness": (0x0800, _OPENINGS_V4), "witness6": (0x86DD, _OPENINGS_V6)}


class Failed(Exception):
    """A step that the machine does not allow."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(step, number)
        self.step = step
        self.number = number


def main(arguments: list[str]) -> NoReturn:
    # Until the command is there nobody else is to be told of an interruption.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    control = socket.socket(fileno=int(arguments[0]))
    control.set_inheritable(False)
    command = arguments[1:]
    try:
        _settle(control)
    except Failed as failed:
        _tell(control, {"failed": failed.step, "errno": failed.number})
        os._exit(125)
    _become(command)


def _settle(control: socket.socket) -> None:
    kinds = _part()
    _tell(control, {"apart": kinds})
    _hear(control)
    order = _hear(control)
    notes: list[str] = []
    _raise_loopback()
    _have_address(socket.inet_pton(socket.AF_INET, OWN_ADDRESS))
    _own_every_address(socket.AF_INET, socket.inet_pton(socket.AF_INET, "127.0.0.1"))
    try:
        _own_every_address(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, "::1"))
    except Failed as failed:
        notes.append(f"IPv6 is not there: {os.strerror(failed.number)}")
    if "mounts" in kinds:
        notes += _mask(order["masks"])
    elif order["masks"]:
        notes.append("what answers for names outside could not be hidden")
    _hand_over(control, order["sockets"], notes)
    _tell(control, {"notes": notes})
    _hear(control)
    for name in order["unset"]:
        os.environ.pop(name, None)


def _part() -> list[str]:
    """Leave the namespaces that everybody is in. Raises Failed with what the first attempt said."""
    libc = ctypes.CDLL(None, use_errno=True)
    first = 0
    for kinds in _ATTEMPTS:
        flags = 0
        for kind in kinds:
            flags |= KINDS[kind]
        if libc.unshare(flags) == 0:
            return list(kinds)
        first = first or ctypes.get_errno()
    raise Failed("unshare", first)


def _raise_loopback() -> None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            fcntl.ioctl(one, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP | _IFF_RUNNING))
    except OSError as error:
        raise Failed("loopback", error.errno or 0) from error


def _own_every_address(family: int, source: bytes) -> None:
    """`ip route add local default dev lo table local`. source: whose address a program sees as its own."""
    route = struct.pack(
        "=BBBBBBBBI", family, 0, 0, 0, _RT_TABLE_LOCAL, _RTPROT_BOOT, _RT_SCOPE_HOST, _RTN_LOCAL, 0
    )
    interface = _attribute(_RTA_OIF, struct.pack("=I", _LOOPBACK_INDEX))
    _ask_kernel("route", _RTM_NEWROUTE, route + interface + _attribute(_RTA_PREFSRC, source))


def _have_address(address: bytes) -> None:
    """`ip address add <address>/32 dev lo`."""
    given = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, _LOOPBACK_INDEX)
    attributes = _attribute(_IFA_LOCAL, address) + _attribute(_IFA_ADDRESS, address)
    _ask_kernel("address", _RTM_NEWADDR, given + attributes)


def _ask_kernel(step: str, kind: int, content: bytes) -> None:
    flags = _NLM_F_REQUEST | _NLM_F_ACK | _NLM_F_CREATE
    message = struct.pack("=IHHII", 16 + len(content), kind, flags, 1, 0) + content
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
            kernel.bind((0, 0))
            kernel.send(message)
            answer = kernel.recv(4096)
    except OSError as error:
        raise Failed(step, error.errno or 0) from error
    (code,) = struct.unpack_from("=i", answer, 16)
    if code and -code != errno.EEXIST:
        raise Failed(step, -code)


def _attribute(kind: int, content: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(content), kind) + content + b"\0" * (-len(content) % 4)


def _mask(masks: list[list[str]]) -> list[str]:
    """Lay one file over another, for this command only; what did not succeed."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Who keeps the users of the machine shares what is mounted with everybody unless it is said.
    if libc.mount(b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_SLAVE), None) != 0:
        return [f"nothing could be hidden: {os.strerror(ctypes.get_errno())}"]
    notes = []
    for source, target in masks:
        flags = ctypes.c_ulong(_MS_BIND)
        if libc.mount(os.fsencode(source), os.fsencode(target), None, flags, None) != 0:
            notes.append(f"{target} could not be hidden: {os.strerror(ctypes.get_errno())}")
    return notes


def _hand_over(control: socket.socket, openings: list[list[Any]], notes: list[str]) -> None:
    """Open what is asked for ([kind, address, port]) and give it away, with its place in the list."""
    batch: list[tuple[int, socket.socket]] = []
    for place, (kind, address, port) in enumerate(openings):
        try:
            batch.append((place, _opened(kind, address, port)))
        except OSError as error:
            notes.append(f"{kind} {address}:{port} could not be opened: {error.strerror}")
        if len(batch) == SOCKETS_A_MESSAGE:
            _send(control, batch)
    _send(control, batch)


def _send(control: socket.socket, batch: list[tuple[int, socket.socket]]) -> None:
    if not batch:
        return
    content = json.dumps({"sockets": [place for place, _ in batch]}).encode()
    given = array.array("i", [opened.fileno() for _, opened in batch])
    control.sendmsg([content], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)])
    for _, opened in batch:
        opened.close()
    batch.clear()


def _opened(kind: str, address: str, port: int) -> socket.socket:
    if kind in _WITNESSED:
        return _witness(*_WITNESSED[kind])
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    with contextlib.ExitStack() as failing:
        failing.callback(opened.close)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        if kind == "udp":
            # Whom a question was sent to is who has to answer it.
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
            else:
                opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        opened.bind((address, port))
        if kind == "tcp":
            opened.listen(BACKLOG)
        failing.pop_all()
    return opened


def _witness(protocol: int, instructions: tuple[tuple[int, int, int, int], ...]) -> socket.socket:
    """What sees every packet of this network that opens something."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(protocol))
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    kept = ctypes.create_string_buffer(program)
    try:
        opened.setsockopt(
            socket.SOL_SOCKET,
            _ATTACH_FILTER,
            struct.pack("HL", len(instructions), ctypes.addressof(kept)),
        )
    except OSError:
        opened.close()
        raise
    return opened


def _become(command: list[str]) -> NoReturn:
    """The command in this process's place; 127 when there is none of that name, 126 when it cannot run."""
    # Python ignores these for itself, and what is ignored stays so.
    for name in ("SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, os.environ)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _tell(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


def _hear(control: socket.socket) -> dict[str, Any]:
    """Ends the process when nobody is there any more."""
    message = control.recv(MESSAGE_MAX)
    if not message:
        os._exit(125)
    heard: dict[str, Any] = json.loads(message)
    return heard


if __name__ == "__main__":
    main(sys.argv[1:])
