"""Who trades with whom: plans of trades, made read-only; nothing changes until their events are applied.

At each price, orders that rest there since before the market's own liquidity appeared come first,
then that liquidity, then later orders; an iceberg shows its next part at the end of the queue.
"""

from __future__ import annotations

from emulator.core.matching.serving import serve, take_resting
from emulator.core.matching.walking import Plan, Taker, walk

__all__ = ["Plan", "Taker", "serve", "take_resting", "walk"]
