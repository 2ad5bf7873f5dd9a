"""The trades of a day as a tree: a node sums the trades of a span of time, and splits into two that agree.

A node knows everything that a candle says. Its halves follow the pair's path (`shape`), rounded to the
instrument's steps; counts and amounts are distributed over them and add up exactly. A node with few
trades is a leaf, and is spelled out as trades that add up to it. So any span is summed from a few
nodes, and a leaf's trades are found on one way down.

Prices are whole price steps, quantities whole quantity steps ("lots"), amounts of quote asset their
product, and buyers' and sellers' taking is kept apart. What makes exact amounts possible is that one
lot moved between two neighbouring prices changes an amount by one: a leaf that has two trades left for
a side meets any amount between lots x low and lots x high. Therefore each node obeys, for either side,

    lots >= 2 x count  and  lots x low + count x range <= amount <= lots x high - count x range

and has at least LEAF_MIN trades: enough for opening, closing and both extremes, and two more per side.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

from emulator.feeds.synthetic.noise import GOLDEN, mix
from emulator.feeds.synthetic.shape import Shape, halves

LEAF_MIN = 8
LEAF_MAX = 16

_BITS = 64
_HALF = 1 << _BITS - 1


class Prints(NamedTuple):
    """The trades of a leaf in order, one list per column."""

    times_us: list[int]
    prices: list[int]
    lots: list[int]
    buys: list[bool]


class Grid(NamedTuple):
    """How a path's prices become an instrument's: steps are price x factor / 2^64, plus the basis.

    `volatility` is the path's own usual range of a day, in parts of the anchor.
    """

    factor: int
    basis: int
    volatility: int

    def nearest(self, price: int) -> int:
        return (price * self.factor + _HALF >> _BITS) + self.basis

    def below(self, price: int) -> int:
        return (price * self.factor >> _BITS) + self.basis

    def above(self, price: int) -> int:
        return self.basis - (-price * self.factor >> _BITS)

    def lowest(self, steps: int) -> int:
        """The lowest price of a path that is not below so many steps."""
        return -(-(steps - self.basis << _BITS) // self.factor)

    def highest(self, steps: int) -> int:
        """The highest price of a path that is not above so many steps."""
        return (steps - self.basis << _BITS) // self.factor


class Node:
    """Trades of [start_us, end_us). `before` counts the trades of the whole function before this span.

    `buy_*` is what takers bought, `sell_*` what they sold.
    """

    __slots__ = (
        "before",
        "buy_amount",
        "buy_lots",
        "close",
        "count",
        "end_us",
        "high",
        "left",
        "low",
        "open",
        "prints",
        "right",
        "sell_amount",
        "sell_lots",
        "shape",
        "start_us",
        "times_us",
    )

    def __init__(
        self,
        shape: Shape,
        before: int,
        count: int,
        open_: int,
        high: int,
        low: int,
        close: int,
        buy_lots: int,
        buy_amount: int,
        sell_lots: int,
        sell_amount: int,
    ) -> None:
        self.shape = shape
        self.start_us = shape.start_us
        self.end_us = shape.end_us
        self.before = before
        self.count = count
        self.open = open_
        self.high = high
        self.low = low
        self.close = close
        self.buy_lots = buy_lots
        self.buy_amount = buy_amount
        self.sell_lots = sell_lots
        self.sell_amount = sell_amount
        self.left: Node | None = None
        self.right: Node | None = None
        self.times_us: list[int] | None = None
        self.prints: Prints | None = None


def split(node: Node, grid: Grid) -> tuple[Node, Node]:
    """The two halves of a node that has more than LEAF_MAX trades."""
    shape = node.shape
    count, low, high = node.count, node.low, node.high
    buy_lots, buy_amount = node.buy_lots, node.buy_amount
    sell_lots, sell_amount = node.sell_lots, node.sell_amount

    # Prices: a half that reaches the path's extreme reaches the node's. Others are rounded outwards, so
    # that a range smaller than a step becomes a market that goes to and fro between two prices.
    factor, basis, volatility = grid
    shape_l, shape_r, activity, noise = halves(shape, volatility)
    middle = (shape_l.close * factor + _HALF >> _BITS) + basis
    low_l = low if shape_l.low == shape.low else (shape_l.low * factor >> _BITS) + basis
    low_r = low if shape_r.low == shape.low else (shape_r.low * factor >> _BITS) + basis
    high_l = high if shape_l.high == shape.high else basis - (-shape_l.high * factor >> _BITS)
    high_r = high if shape_r.high == shape.high else basis - (-shape_r.high * factor >> _BITS)

    # Trades: by weight, more evenly the more there are.
    weight, weight_l = shape.weight, shape_l.weight
    wander = (noise & 0xFFFF) + (noise >> 16 & 0xFFFF) - 0xFFFF
    count_l = count * (3 * weight_l + activity) // (4 * weight) + (isqrt(count) * wander >> 17)
    count_l = _within(count_l, LEAF_MIN, count - LEAF_MIN)
    count_r = count - count_l

    # Lots: by weight, or up to an eighth off, so that each side's mean price stays near the path's (here
    # in 2^-16 steps); but the sides lean apart by a little of what the halves' ranges allow.
    mean_l = (shape_l.moment // weight_l * factor >> _BITS - 16) + (basis << 16)
    mean_r = (shape_r.moment // shape_r.weight * factor >> _BITS - 16) + (basis << 16)
    apart = mean_l - mean_r
    buy_l = buy_lots * weight_l // weight
    sell_l = sell_lots * weight_l // weight
    if apart:
        lean = min(high_l - low_l, high_r - low_r) * ((noise >> 48) - 0x8000) >> 5
        wanted = ((buy_amount << 16) - buy_lots * (mean_r + lean)) // apart - buy_l
        buy_l += _within(wanted, -(buy_l >> 3), buy_lots - buy_l >> 3)
        wanted = ((sell_amount << 16) - sell_lots * (mean_r - lean)) // apart - sell_l
        sell_l += _within(wanted, -(sell_l >> 3), sell_lots - sell_l >> 3)
    buy_l = _within(buy_l, 2 * count_l, buy_lots - 2 * count_r)
    sell_l = _within(sell_l, 2 * count_l, sell_lots - 2 * count_r)
    buy_r, sell_r = buy_lots - buy_l, sell_lots - sell_l

    # Amounts: at those means, as far as the halves' ranges allow.
    buy_amount_l = buy_l * (buy_amount + (buy_r * apart >> 16)) // buy_lots
    sell_amount_l = sell_l * (sell_amount + (sell_r * apart >> 16)) // sell_lots
    pad_l, pad_r = count_l * (high_l - low_l), count_r * (high_r - low_r)
    if not (
        buy_l * low_l + pad_l <= buy_amount_l <= buy_l * high_l - pad_l
        and sell_l * low_l + pad_l <= sell_amount_l <= sell_l * high_l - pad_l
        and buy_r * low_r + pad_r <= buy_amount - buy_amount_l <= buy_r * high_r - pad_r
        and sell_r * low_r + pad_r <= sell_amount - sell_amount_l <= sell_r * high_r - pad_r
    ):
        low_l, low_r, high_l, high_r = _wide_enough(
            node, count_l, buy_l, sell_l, low_l, low_r, high_l, high_r
        )
        pad_l, pad_r = count_l * (high_l - low_l), count_r * (high_r - low_r)
        buy_amount_l = _within(buy_amount_l, buy_l * low_l + pad_l, buy_l * high_l - pad_l)
        sell_amount_l = _within(sell_amount_l, sell_l * low_l + pad_l, sell_l * high_l - pad_l)
        buy_amount_l = _within(
            buy_amount_l, buy_amount - buy_r * high_r + pad_r, buy_amount - buy_r * low_r - pad_r
        )
        sell_amount_l = _within(
            sell_amount_l, sell_amount - sell_r * high_r + pad_r, sell_amount - sell_r * low_r - pad_r
        )

    left = Node(
        shape_l, node.before, count_l, node.open, high_l, low_l, middle,
        buy_l, buy_amount_l, sell_l, sell_amount_l,
    )  # fmt: skip
    right = Node(
        shape_r, node.before + count_l, count_r, middle, high_r, low_r, node.close,
        buy_r, buy_amount - buy_amount_l, sell_r, sell_amount - sell_amount_l,
    )  # fmt: skip
    node.left, node.right = left, right
    return left, right


def _wide_enough(
    node: Node, count_l: int, buy_l: int, sell_l: int, low_l: int, low_r: int, high_l: int, high_r: int
) -> tuple[int, int, int, int]:
    """The halves' ranges, widened if they do not allow the node's amounts.

    Both halves get the node's extreme that is missing, or else both extremes, which always does,
    because the node itself obeys the rule.
    """
    count_r = node.count - count_l
    for attempt in range(3):
        pad = count_l * (high_l - low_l) + count_r * (high_r - low_r)
        too_low = too_high = False
        for lots, lots_l, amount in (
            (node.buy_lots, buy_l, node.buy_amount),
            (node.sell_lots, sell_l, node.sell_amount),
        ):
            too_low |= amount < lots_l * low_l + (lots - lots_l) * low_r + pad
            too_high |= amount > lots_l * high_l + (lots - lots_l) * high_r - pad
        if not too_low and not too_high:
            return low_l, low_r, high_l, high_r
        if too_low or attempt:
            low_l = low_r = node.low
        if too_high or attempt:
            high_l = high_r = node.high
    raise AssertionError("a node's amounts are not within what its prices allow")


def _within(value: int, least: int, most: int) -> int:
    return least if value < least else most if value > most else value


def times_of(node: Node, key: int) -> list[int]:
    """When the trades of a leaf are made; `key` as for `spell_out`.

    To know how many there were by a time takes nothing else, and this is a small part of spelling them out.
    """
    start_us, count = node.start_us, node.count
    span_us = node.end_us - start_us
    times_us = sorted(start_us + ((draw >> 34) * span_us >> 30) for draw in _draws(node, key))
    for place in range(1, count):  # no two trades at the same microsecond, ...
        if times_us[place] <= times_us[place - 1]:
            times_us[place] = times_us[place - 1] + 1
    bound_us = node.end_us
    for place in range(count - 1, -1, -1):  # ... and none after the span for that
        bound_us -= 1
        if times_us[place] <= bound_us:
            break
        times_us[place] = bound_us
    return times_us


def _draws(node: Node, key: int) -> list[int]:
    key ^= node.shape.key
    return [mix(key + GOLDEN * number) for number in range(1, node.count + 1)]


def spell_out(node: Node, times_us: list[int], key: int) -> Prints:
    """The trades of a leaf. They begin with its open, end with its close, and touch both extremes.

    `key` is the site's own: sites share the path down to the leaf, not the trades in it.
    """
    count, open_, close = node.count, node.open, node.close
    noise = mix(key ^ node.shape.key)

    # The price goes from the open to one extreme, to the other, and to the close, each leg in one
    # direction. A trade's rank is its place in that: 1, 3, 5 the legs; 0, 2, 4, 6 what lies between.
    rising = 1 if noise & 1 else -1
    bought: list[tuple[int, int]] = []
    sold: list[tuple[int, int]] = []
    (bought if noise & 2 else sold).append((0, open_))
    (bought if noise & 4 else sold).append((6, close))
    if node.high not in (open_, close):
        bought.append((3 - rising, node.high))
    if node.low not in (open_, close):
        sold.append((3 + rising, node.low))

    buys = count * node.buy_lots // (node.buy_lots + node.sell_lots) + (noise >> 3 & 3) - 1
    buys = min(max(buys, len(bought) + 2), count - len(sold) - 2)
    draws = _draws(node, key)
    sides = (
        (bought, node.buy_lots, node.buy_amount, draws[:buys], True),
        (sold, node.sell_lots, node.sell_amount, draws[buys:], False),
    )
    ranked: list[tuple[int, int, int, int, bool]] = []
    for fixed, lots, amount, side_draws, is_buy in sides:
        prices, quantities = _meet(node, fixed, lots, amount, side_draws)
        for place, (price, quantity, draw) in enumerate(zip(prices, quantities, side_draws, strict=True)):
            if place < len(fixed):
                rank = fixed[place][0]
            elif draw & 3 == 0 and (price - open_) * rising >= 0:
                rank = 1
            elif draw & 3 == 1 and (close - price) * rising >= 0:
                rank = 5
            else:
                rank = 3
            ranked.append((rank, -price * rising if rank == 3 else price * rising, price, quantity, is_buy))
    ranked.sort()

    return Prints(
        times_us,
        [trade[2] for trade in ranked],
        [trade[3] for trade in ranked],
        [trade[4] for trade in ranked],
    )


def _meet(
    node: Node, fixed: list[tuple[int, int]], lots: int, amount: int, draws: list[int]
) -> tuple[list[int], list[int]]:
    """Prices and lots of one side's trades that sum to `lots` and `amount`, the fixed prices first.

    What keeps the rest possible is checked trade by trade: the amount above `lots x low` (`over`) and
    that below `lots x high` (`under`) must not become negative.
    """
    low, high = node.low, node.high
    count = len(draws)
    over = amount - lots * low
    under = lots * high - amount
    prices: list[int] = []
    quantities: list[int] = []
    for place in range(count - 2):
        draw = draws[place]
        left = count - place
        # A product of three uniforms: many small trades, few large ones.
        weight = (draw >> 2 & 0xFFFF) * (draw >> 10 & 0xFFFF) * (draw >> 18 & 0xFFFF)
        quantity = lots * 6 * weight // left >> 48
        quantity = min(quantity, lots - left)
        if place < len(fixed):
            # One lot at each fixed price still to come must remain possible, and room for the others.
            price = fixed[place][1]
            reserve = (len(fixed) - place - 1) * (high - low)
            if price > low:
                quantity = min(quantity, (over - reserve) // (2 * (price - low)))
            if price < high:
                quantity = min(quantity, (under - reserve) // (2 * (high - price)))
        else:
            mean = low + over // lots
            spread = draw >> 40 & 0xFFFF
            if draw >> 39 & 1:
                price = mean + ((high - mean) * spread * spread >> 32)
            else:
                price = mean - ((mean - low) * spread * spread >> 32)
            if (price - low) * max(quantity, 1) > over or (high - price) * max(quantity, 1) > under:
                price = mean
                if price < high:
                    quantity = min(quantity, under // (high - price))
        quantity = max(quantity, 1)
        over -= quantity * (price - low)
        under -= quantity * (high - price)
        lots -= quantity
        prices.append(price)
        quantities.append(quantity)
    steps, rest = divmod(over, lots)
    if rest:
        return [*prices, low + steps, low + steps + 1], [*quantities, lots - rest, rest]
    part = max(lots * (draws[-1] >> 2 & 0xFF) >> 8, 1)
    return [*prices, low + steps, low + steps], [*quantities, lots - part, part]
