"""A market that nobody has to provide: prices, trades and book levels as a pure function of time."""

from emulator.feeds.synthetic.feed import SyntheticFeed

__all__ = ["SyntheticFeed"]
