"""The control API below `/_emulator`: what the emulator itself can be asked and told.

Rows as everywhere, in `universes` (health, sandboxes, clocks), `accounts` (keys, money), `markets` (moved
by hand) and `watching` (requests, events, the ledger, coverage). `guard` says who may come in.
"""

from emulator.web.control.desk import Desk
from emulator.web.control.door import Control, control_site
from emulator.web.control.guard import Guard

__all__ = ["Control", "Desk", "Guard", "control_site"]
