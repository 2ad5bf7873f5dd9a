"""Index, mark price, premium and funding of one contract: functions of the feed and of what was done by hand.

All of them change at *ticks*: every whole second, and the moment at which somebody moves the market by
hand. With I the index, r the funding rate settled last, T its interval and t the time left of it:

    mark = median(I x (1 + r x t / T), I + basis, contract's price)

The *basis* is averaged over the last half minute. It is taken from where the contract's own book stands:
while that goes with its pair, the fair premium times I, which the feed gives and which hardly changes in
so short a time; where the book was set by hand, its middle. A contract that pays no funding, because it
is delivered, has the mark I + basis.

The *contract's price* is that of an account's trade, or of one made by hand, until the market trades
again. The market's own trades count with the price that they go around, which is the index; where the
book was set by hand, with the price that it holds. So they need not be looked up, and a search needs
nothing but the bounds of the index (`markets.Stretch`): a median rises with each of the three.

A price set for the pair moves the index at once, and the mark with it. While it is held there is no
premium, so that index, last price and mark are that price; accounts' trades move the mark by the funding
term at most. A book set for one contract, and trades, never move the index. A tick does not know of
trades of its own moment, so that it never changes after it was told.

Inside, prices are whole steps of the rule, premiums whole parts of 10^-8, and every rounding is to the
nearest, halves to the even one. To be asked in the engine's exact context.
"""

from emulator.core.contracts import MarkRule
from emulator.core.marks.moves import Apart, Move
from emulator.core.marks.spans import Marks, PriceCandle
from emulator.core.marks.watch import Watch

__all__ = ["Apart", "MarkRule", "Marks", "Move", "PriceCandle", "Watch"]
