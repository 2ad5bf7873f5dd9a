"""Runs a command in a network of its own, where every address is this machine's: whatever it is written in,
an exchange's hosts are the emulator, and nothing reaches the net but what is allowed. Linux only.

`launcher` makes that network and becomes the command. Its listening sockets are handed out to this process,
where `serving` answers for them, with `names` (who is at which address), `dns`, `arrivals` (connections that
the command makes), `witness` (of those that nobody took) and `following` (what begins to listen later).
"""

from emulator.intercept.namespace.enclosed import Unavailable, available, run

__all__ = ["Unavailable", "available", "run"]
