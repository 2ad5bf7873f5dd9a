"""One engine's whole folded state as parts of bytes, and the state of a fresh engine made from them.

A snapshot says the same as the events until then, so it may be lost at any time, and one of another
`FORMAT` is not read. What can be derived (who has which open orders, names, counts, ladders) is not in
it. Nor is history: what ended is in the archive, but for the legs of lists that are still open.
"""

from __future__ import annotations

from emulator.core.snapshot.capturing import Capture, capture
from emulator.core.snapshot.parts import FORMAT
from emulator.core.snapshot.restoring import MalformedSnapshot, restore

__all__ = ["FORMAT", "Capture", "MalformedSnapshot", "capture", "restore"]
