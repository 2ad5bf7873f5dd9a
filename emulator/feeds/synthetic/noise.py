"""Seeded noise from integers: the same bits on every machine, with no state to carry along."""

from __future__ import annotations

from hashlib import blake2b

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
"""Added to a key to draw the next independent number from it."""


def key_of(*words: object) -> int:
    """A 64-bit key for a tuple of names and numbers; for set-up, where quality matters and speed does not."""
    text = "\x1f".join(str(word) for word in words)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def mix(key: int) -> int:
    """64 well-mixed bits of a key (the finisher of splitmix64: Steele, Lea, Flood, OOPSLA 2014)."""
    key &= MASK
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    key = (key ^ (key >> 27)) * 0x94D049BB133111EB & MASK
    return key ^ (key >> 31)
