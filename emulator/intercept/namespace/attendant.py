"""Makes sockets in the network of a command that runs. A program like `launcher`, started by its path with
nothing but the standard library: `python -I -S attendant.py <fd> <fd of its users> <fd of its network>`. For
users that are everybody's it is told -1.

It is asked over the socket <fd> by one message for each, {"family": n, "count": n}, and answers with as many
TCP sockets, neither bound nor connected: whose network a socket is in is decided when it is made. It ends
when nobody asks any more.
"""

from __future__ import annotations

import array
import ctypes
import json
import os
import socket
import sys


def main(control_number: int, users: int, network: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    for number in (users, network):
        if number >= 0 and libc.setns(number, 0) != 0:
            sys.stderr.write(f"a command's network cannot be entered: {os.strerror(ctypes.get_errno())}\n")
            return 1
    with socket.socket(fileno=control_number) as control:
        while order := control.recv(1000):
            asked = json.loads(order)
            made = [socket.socket(asked["family"], socket.SOCK_STREAM) for _ in range(asked["count"])]
            given = array.array("i", [one.fileno() for one in made])
            control.sendmsg([b"{}"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)])
            for one in made:
                one.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
