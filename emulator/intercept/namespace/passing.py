"""Receives sockets that another process passes on over a Unix socket."""

from __future__ import annotations

import array
import socket

ROOM = socket.CMSG_SPACE(253 * 4)
"""The kernel lets that many through at once."""


def receive(control: socket.socket, message_max: int) -> tuple[bytes, list[socket.socket]]:
    """One message, and what came with it, which no other program inherits. Raises OSError."""
    numbers = array.array("i")
    message, controls, _, _ = control.recvmsg(message_max, ROOM, socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in controls:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
    return message, [socket.socket(fileno=number) for number in numbers]
