"""The trades of a day as a tree: a node sums the trades of a span of time, and splits into two that agree.

A node knows everything that a candle says. Splitting distributes it over two halves so that counts and
amounts add up exactly, the halves join at one price, and each extreme is reached by at least one half
and exceeded by none. A node with few trades is a leaf, and is spelled out as trades that add up to it.
So any span is summed from a few nodes, and a leaf's trades from the one path that leads to it.

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

from emulator.feeds.synthetic.noise import GOLDEN, MASK, mix

LEAF_MIN = 8
LEAF_MAX = 16

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
SECOND_US = 1_000_000

_UNITS = (HOUR_US, MINUTE_US, SECOND_US, 1)
# Cuts that make the usual intervals (12h 8h 4h 2h 1h, 30m 15m 5m) whole nodes or very few of them.
_CUTS = {24: 8, 16: 8, 60: 30, 30: 15, 15: 5, 10: 5}

# How far from the ends of what is possible, as a power of a half of it, an amount may lie at each attempt.
_DRAWS = 4
_GIVE = 2
_BANDS = (3, 3, 3, 3, 4, 999, 999)
_REACH = 33

_BRANCH = 0xD1342543DE82EF95


class Prints(NamedTuple):
    """The trades of a leaf in order, one list per column."""

    times_us: list[int]
    prices: list[int]
    lots: list[int]
    buys: list[bool]


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
        "key",
        "left",
        "low",
        "open",
        "prints",
        "right",
        "sell_amount",
        "sell_lots",
        "start_us",
    )

    def __init__(
        self,
        key: int,
        start_us: int,
        end_us: int,
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
        self.key = key
        self.start_us = start_us
        self.end_us = end_us
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
        self.prints: Prints | None = None


def cut(start_us: int, end_us: int) -> int:
    """Where a span is cut in two: on a whole hour, minute or second as long as it holds several."""
    span_us = end_us - start_us
    for unit_us in _UNITS:
        if span_us > unit_us:
            parts = span_us // unit_us
            return start_us + _CUTS.get(parts, parts // 2) * unit_us
    raise AssertionError("a span of one microsecond is never cut")


def split(node: Node) -> tuple[Node, Node]:
    """The two halves of a node that has more than LEAF_MAX trades."""
    key = node.key
    noise = mix(key)
    start_us, end_us = node.start_us, node.end_us
    cut_us = cut(start_us, end_us)
    span_us = end_us - start_us
    count, low, high = node.count, node.low, node.high
    open_, close = node.open, node.close
    buy_lots, buy_amount, sell_lots, sell_amount = (
        node.buy_lots, node.buy_amount, node.sell_lots, node.sell_amount
    )  # fmt: skip

    # Trades and lots: in proportion to time, with clusters on every scale (two uniforms sum to a tent).
    share = (cut_us - start_us << 16) // span_us
    room = share * (0x10000 - share) >> 16
    wander = (noise & 0xFFFF) + (noise >> 16 & 0xFFFF) - 0xFFFF
    share += room * wander >> 17
    count_l = (count * share >> 16) + (isqrt(count) * wander >> 17)
    count_l = min(max(count_l, LEAF_MIN), count - LEAF_MIN)
    count_r = count - count_l
    swing = (noise >> 32 & 0xFFFF) - 0x8000
    lean = noise >> 48 & 0x1FFF
    buy_mid = 2 * count_l + ((buy_lots - 2 * count) * (share + (room * (swing + lean) >> 17)) >> 16)
    sell_mid = 2 * count_l + ((sell_lots - 2 * count) * (share + (room * (swing - lean) >> 17)) >> 16)

    # The halves join on the way from open to close, drawn to one of the extremes: more likely to that
    # which the mean price is nearer to.
    straight = open_ + (close - open_) * (cut_us - start_us) // span_us
    lots = buy_lots + sell_lots
    weight = (buy_amount + sell_amount - lots * low << 8) // (lots * (high - low)) if high > low else 0

    # Amounts: what the halves' ranges allow must include them, and not near its end, because halves
    # that had to trade at their extremes only would leave no choice further down. Ranges that do not
    # allow it are drawn again a few times. Then lots move to the half whose prices are nearer, then
    # both halves are given the extreme that is missing, then both extremes: that is always enough,
    # because the node itself obeys the rule.
    buy_l, sell_l = buy_mid, sell_mid
    too_low = too_high = False
    for attempt, band in enumerate(_BANDS):
        if attempt < _DRAWS:
            noise = mix(key + GOLDEN * (attempt + 1))
            draw = noise & 0xFFFF
            if noise >> 16 & 0xFF < weight:
                middle = straight + ((2 * (high - straight) + 1) * draw >> 17)
            else:
                middle = straight - ((2 * (straight - low) + 1) * draw >> 17)
            # The half whose ends are nearer to an extreme reaches it. The other stops short of it.
            high_l, low_l = (open_, middle) if open_ > middle else (middle, open_)
            high_r, low_r = (close, middle) if close > middle else (middle, close)
            gap_l, gap_r = high - high_l, high - high_r
            reach = noise >> 32 & 0xFFFF
            if gap_l and (not gap_r or (noise >> 24 & 0xFF) * (gap_l + gap_r) >= gap_r << 8):
                high_l += (2 * gap_l + 1) * reach * reach >> _REACH
                high_r = high
            else:
                high_r += (2 * gap_r + 1) * reach * reach >> _REACH
                high_l = high
            gap_l, gap_r = low_l - low, low_r - low
            reach ^= 0xFFFF
            if gap_l and (not gap_r or (noise >> 48 & 0xFF) * (gap_l + gap_r) >= gap_r << 8):
                low_l -= (2 * gap_l + 1) * reach * reach >> _REACH
                low_r = low
            else:
                low_r -= (2 * gap_r + 1) * reach * reach >> _REACH
                low_l = low
        elif attempt > _DRAWS:
            if too_low or attempt > _DRAWS + 1:
                low_l = low_r = low
            if too_high or attempt > _DRAWS + 1:
                high_l = high_r = high
        twice_r = low_r + high_r
        apart = low_l + high_l - twice_r
        if apart and attempt <= _DRAWS:
            give = _GIVE if attempt < _DRAWS else 1
            wanted = (2 * buy_amount - buy_lots * twice_r) // apart
            least = buy_mid - (buy_mid - 2 * count_l >> give)
            most = buy_mid + (buy_lots - buy_mid - 2 * count_r >> give)
            buy_l = min(max(wanted, least), most)
            wanted = (2 * sell_amount - sell_lots * twice_r) // apart
            least = sell_mid - (sell_mid - 2 * count_l >> give)
            most = sell_mid + (sell_lots - sell_mid - 2 * count_r >> give)
            sell_l = min(max(wanted, least), most)
        range_l, range_r = high_l - low_l, high_r - low_r
        pad = count_l * range_l + count_r * range_r
        buy_r, sell_r = buy_lots - buy_l, sell_lots - sell_l
        buy_free = buy_amount - buy_l * low_l - buy_r * low_r - pad
        sell_free = sell_amount - sell_l * low_l - sell_r * low_r - pad
        buy_span = buy_l * range_l + buy_r * range_r - 2 * pad
        sell_span = sell_l * range_l + sell_r * range_r - 2 * pad
        buy_edge, sell_edge = buy_span >> band, sell_span >> band
        too_low = buy_free < buy_edge or sell_free < sell_edge
        too_high = buy_free > buy_span - buy_edge or sell_free > sell_span - sell_edge
        if not too_low and not too_high:
            break
    else:
        raise AssertionError("a node's amounts are not within what its prices allow")
    free_l = (buy_l - 2 * count_l) * range_l
    buy_amount_l = buy_l * low_l + count_l * range_l + (buy_free * free_l // buy_span if buy_span else 0)
    free_l = (sell_l - 2 * count_l) * range_l
    sell_amount_l = sell_l * low_l + count_l * range_l + (sell_free * free_l // sell_span if sell_span else 0)

    left = Node(
        (key * _BRANCH + 1) & MASK, start_us, cut_us, node.before, count_l,
        open_, high_l, low_l, middle, buy_l, buy_amount_l, sell_l, sell_amount_l,
    )  # fmt: skip
    right = Node(
        (key * _BRANCH + 3) & MASK, cut_us, end_us, node.before + count_l, count_r,
        middle, high_r, low_r, close,
        buy_r, buy_amount - buy_amount_l, sell_r, sell_amount - sell_amount_l,
    )  # fmt: skip
    node.left, node.right = left, right
    return left, right


def spell_out(node: Node, key: int) -> Prints:
    """The trades of a leaf. They begin with its open, end with its close, and touch both extremes.

    `key` is the site's own: sites share the path down to the leaf, not the trades in it.
    """
    count, open_, close = node.count, node.open, node.close
    key = key ^ node.key
    noise = mix(key)

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
    draws = [mix(key + GOLDEN * number) for number in range(1, count + 1)]
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

    span_us = node.end_us - node.start_us
    times_us = sorted(node.start_us + ((draw >> 34) * span_us >> 30) for draw in draws)
    for place in range(1, count):  # no two trades at the same microsecond, ...
        if times_us[place] <= times_us[place - 1]:
            times_us[place] = times_us[place - 1] + 1
    bound_us = node.end_us
    for place in range(count - 1, -1, -1):  # ... and none after the span for that
        bound_us -= 1
        if times_us[place] <= bound_us:
            break
        times_us[place] = bound_us
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
