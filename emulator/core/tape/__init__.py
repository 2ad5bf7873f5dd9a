"""The market of one instrument as accounts see it: the feed, moved by hand, with their trades laid over.

The feed is a function; what is state here is only what people did: levels consumed, prices and books
set by hand, trades that accounts made. Trade ids interleave both without a table: a trade laid over
the feed takes the number of feed trades until then plus its own ordinal.
"""

from __future__ import annotations

from emulator.core.tape.by_hand import ManualBook, Segment
from emulator.core.tape.crossing import next_due
from emulator.core.tape.market import Market
from emulator.core.tape.spans import FOREVER_US, MINUTE_US

__all__ = ["FOREVER_US", "MINUTE_US", "ManualBook", "Market", "Segment", "next_due"]
