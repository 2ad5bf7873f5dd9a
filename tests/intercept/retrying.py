"""Waits for what happens soon on this machine and is told by nobody. Its text is a part of programs too."""

import socket
from collections.abc import Callable
from time import monotonic, sleep

SOON_S = 60.0
PAUSE_S = 0.02


def connected(port: int) -> socket.socket:
    """A connection with whoever listens there."""
    return waited(lambda: socket.create_connection(("127.0.0.1", port)))


def freed(port: int) -> bool:
    """Once nobody listens there any more."""
    waited(lambda: socket.create_server(("127.0.0.1", port))).close()
    return True


def waited(attempt: Callable[[], socket.socket]) -> socket.socket:
    """What an attempt comes to that does not fail any more."""
    end = monotonic() + SOON_S
    while True:
        try:
            return attempt()
        except OSError:
            if monotonic() > end:
                raise
            sleep(PAUSE_S)
