"""Runs a command in a network of its own, where every address is this machine's: whatever it is written in,
an exchange's hosts are the emulator, and nothing reaches the net but what is allowed. Linux only.

`launcher` makes that network and becomes the command. Its listening sockets are handed out to this process,
which answers for them: `serving` with `names` (who is at which address), `dns`, `relay`, `witness`.
"""

from emulator.intercept.namespace.enclosed import Unavailable, available, run

__all__ = ["Unavailable", "available", "run"]
