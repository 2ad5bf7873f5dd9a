"""The synthetic feed: answers the core's questions about the market from the trees of its trades."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal

from emulator.core.instruments import Instrument, Side
from emulator.core.markets import Candle, FeedLevel, FeedTrade, Quote, Stretch
from emulator.core.numbers import ZERO
from emulator.feeds.synthetic.index import Days, Index, Premium
from emulator.feeds.synthetic.ladder import Ladder
from emulator.feeds.synthetic.path import BEGIN_US, DAY_US, Forest, Path
from emulator.feeds.synthetic.shape import HOUR_US
from emulator.feeds.synthetic.tree import LEAF_MAX, Node

MARKETS_MAX = 4_096
"""Instruments whose derived constants are kept; more are made again when asked for."""

_NEVER_BELOW = -(1 << 200)
_NEVER_ABOVE = 1 << 200


class _Market:
    """What the feed keeps of one instrument. All of it can be forgotten and made again."""

    __slots__ = (
        "indexes",
        "instrument",
        "ladder",
        "path",
        "premium",
        "quote",
        "quote_from_us",
        "quote_until_us",
        "trade",
        "trade_from_us",
        "trade_steps",
        "trade_until_us",
    )

    def __init__(self, instrument: Instrument, path: Path, ladder: Ladder, premium: Premium) -> None:
        self.instrument = instrument
        self.path = path
        self.ladder = ladder
        self.premium = premium
        self.indexes: dict[Decimal, Index] = {}  # by step: one, as a rule
        # The last answers, and from when until when they hold.
        self.trade: FeedTrade | None = None
        self.trade_steps = self.trade_from_us = self.trade_until_us = 0
        self.quote: Quote | None = None
        self.quote_from_us = self.quote_until_us = 0


class SyntheticFeed:
    """A market made up from a seed, as a pure function of instrument and time; implements `Feed`.

    Instruments of one pair share one price path; a site adds a constant basis of at most two bips, its
    own trades within a leaf of the tree, and its own book. Trade numbers begin at 2017-01-01 UTC:
    before that there are no trades, and the price stands where the first day opens. The site without
    a name has no basis.
    """

    def __init__(self, seed: int = 1, site: str = "") -> None:
        self.seed = seed
        self.site = site
        self._forest = Forest()
        self._days = Days()
        self._markets: dict[int, _Market] = {}
        self._made = 0

    def last_trade(self, instrument: Instrument, time_us: int) -> FeedTrade:
        market = self._market(instrument)
        trade = market.trade
        if trade is None or not market.trade_from_us <= time_us < market.trade_until_us:
            trade = self._find_trade(market, time_us)
        return trade

    def next_trade_time(self, instrument: Instrument, after_us: int) -> int:
        path = self._market(instrument).path
        number = path.count_at(after_us) + 1
        leaf = path.leaf_of(number)
        return path.times(leaf)[number - leaf.before - 1]

    def quote(self, instrument: Instrument, time_us: int) -> Quote:
        market = self._markets.get(id(instrument)) or self._market(instrument)
        quote = market.quote
        if quote is not None and market.quote_from_us <= time_us < market.quote_until_us:
            return quote
        bid_steps, ask_steps = self._touch(market, time_us)
        bid = next(market.ladder.levels(Side.BUY, bid_steps, time_us))
        ask = next(market.ladder.levels(Side.SELL, ask_steps, time_us))
        quote = market.quote = Quote(bid.price, bid.quantity, ask.price, ask.quantity)
        market.quote_from_us = max(market.trade_from_us, bid.since_us, ask.since_us)
        market.quote_until_us = min(market.trade_until_us, bid.until_us, ask.until_us)
        return quote

    def levels(
        self, instrument: Instrument, side: Side, time_us: int, best: Decimal | None = None
    ) -> Iterator[FeedLevel]:
        market = self._market(instrument)
        if best is not None:
            scale = market.path.scale
            steps = scale.steps_down(best) if side is Side.BUY else scale.steps_up(best)
            return market.ladder.levels(side, steps, time_us)
        bid_steps, ask_steps = self._touch(market, time_us)
        return market.ladder.levels(side, bid_steps if side is Side.BUY else ask_steps, time_us)

    def next_crossing(
        self,
        instrument: Instrument,
        after_us: int,
        until_us: int,
        *,
        ask_at_most: Decimal | None = None,
        bid_at_least: Decimal | None = None,
        last_at_most: Decimal | None = None,
        last_at_least: Decimal | None = None,
    ) -> int | None:
        """The first trade in (after_us, until_us] after which one of the given conditions holds.

        Only trades change the quote, so a condition that holds already is found at the next trade.
        """
        path = self._market(instrument).path
        scale, spread = path.scale, path.spread
        ask = _NEVER_BELOW if ask_at_most is None else scale.steps_down(ask_at_most)
        bid = _NEVER_ABOVE if bid_at_least is None else scale.steps_up(bid_at_least)
        lowest = _NEVER_BELOW if last_at_most is None else scale.steps_down(last_at_most)
        highest = _NEVER_ABOVE if last_at_least is None else scale.steps_up(last_at_least)
        # After a taker bought, the ask is the price paid; after one sold, the bid is.
        bought_low, bought_high = max(ask, lowest), min(bid + spread, highest)
        sold_low, sold_high = max(ask - spread, lowest), min(bid, highest)

        first_us = max(after_us + 1, BEGIN_US)
        for day in range(first_us // DAY_US, until_us // DAY_US + 1):
            nodes = [path.day(day)]
            while nodes:
                node = nodes.pop()
                if (node.low > bought_low and node.high < sold_high) or node.end_us <= first_us:
                    continue
                if node.start_us > until_us:
                    return None
                if node.count > LEAF_MAX:
                    left, right = path.halves(node)
                    nodes += (right, left)
                    continue
                prints = path.prints(node)
                for place in range(bisect_left(prints.times_us, first_us), node.count):
                    price = prints.prices[place]
                    if (
                        price <= bought_low or price >= bought_high
                        if prints.buys[place]
                        else price <= sold_low or price >= sold_high
                    ):
                        time_us = prints.times_us[place]
                        return time_us if time_us <= until_us else None
        return None

    def next_reversal(
        self,
        instrument: Instrument,
        after_us: int,
        until_us: int,
        *,
        side: Side,
        extreme: Decimal,
        delta_bips: int | None = None,
        distance: Decimal | None = None,
    ) -> tuple[int | None, Decimal]:
        path = self._market(instrument).path
        # A buy is a sell upside down: on negated prices the extreme is the highest either way.
        up = 1 if side is Side.SELL else -1
        kept, gap = 10_000 - up * (delta_bips or 0), 0
        numerator, denominator = path.scale.steps(extreme)
        best = (up * numerator) // denominator
        best_steps: int | None = None
        fires_at = up * numerator * kept // (denominator * 10_000)
        if distance is not None:
            far, parts = path.scale.steps(distance)
            gap = -(-far // parts)
            fires_at = (up * numerator * parts - far * denominator) // (denominator * parts)

        first_us = max(after_us + 1, BEGIN_US)
        for day in range(first_us // DAY_US, until_us // DAY_US + 1):
            nodes = [path.day(day)]
            while nodes:
                node = nodes.pop()
                if node.end_us <= first_us:
                    continue
                if node.start_us > until_us:
                    break
                node_best, node_worst = (node.high, node.low) if up > 0 else (-node.low, -node.high)
                is_whole = first_us <= node.start_us and node.end_us <= until_us + 1
                # Even if its extreme came before everything else in the node, it cannot fire there.
                if is_whole and node_worst > max(fires_at, node_best * kept // 10_000 - gap):
                    if node_best > best:
                        best = best_steps = node_best
                        fires_at = best * kept // 10_000 - gap
                    continue
                if node.count > LEAF_MAX:
                    left, right = path.halves(node)
                    nodes += (right, left)
                    continue
                prints = path.prints(node)
                for place in range(bisect_left(prints.times_us, first_us), node.count):
                    if prints.times_us[place] > until_us:
                        break
                    price = up * prints.prices[place]
                    if price > best:
                        best = best_steps = price
                        fires_at = best * kept // 10_000 - gap
                    if price <= fires_at:
                        known = extreme if best_steps is None else path.scale.price(up * best_steps)
                        return prints.times_us[place], known
        return None, extreme if best_steps is None else path.scale.price(up * best_steps)

    def trade_count(self, instrument: Instrument, time_us: int) -> int:
        return self._market(instrument).path.count_at(time_us)

    def trades(
        self, instrument: Instrument, first_number: int, limit: int, until_us: int
    ) -> Sequence[FeedTrade]:
        path = self._market(instrument).path
        found: list[FeedTrade] = []
        number = max(first_number, 1)
        while len(found) < limit:
            leaf = path.leaf_of(number)
            prints = path.prints(leaf)
            place = number - leaf.before - 1
            end = min(leaf.count, place + limit - len(found), bisect_right(prints.times_us, until_us))
            found += [_feed_trade(path, leaf, at) for at in range(place, end)]
            if end < leaf.count:
                break
            number = leaf.before + leaf.count + 1
        return found

    def candles(
        self, instrument: Instrument, interval_us: int, start_us: int, end_us: int, now_us: int
    ) -> Sequence[Candle]:
        path = self._market(instrument).path
        found: list[Candle] = []
        before = last = -1
        near: Node | None = None
        for open_us in range(start_us, min(end_us, now_us) + 1, interval_us):
            close_us = open_us + interval_us
            until_us = min(close_us, now_us + 1)
            if before < 0:
                before = path.count_at(open_us - 1)
                last = path.price_of(before)
            total = _Sum()
            if near is None or not near.start_us <= open_us < until_us <= near.end_us:
                near = _hour_around(path, open_us, until_us) if interval_us <= HOUR_US else None
            if near is None:
                _add_days(path, total, open_us, until_us)
            else:
                _add_part(path, total, near, open_us, until_us)
            found.append(_candle(path, total, open_us, close_us, before, last))
            if total.count:
                before += total.count
                last = total.close
        return found

    def range(self, instrument: Instrument, start_us: int, end_us: int) -> Candle:
        path = self._market(instrument).path
        before = path.count_at(start_us - 1)
        total = _Sum()
        _add_days(path, total, start_us, end_us)
        return _candle(path, total, start_us, end_us, before, path.price_of(before))

    def index(self, instrument: Instrument, time_us: int, step: Decimal) -> int:
        return self._index(instrument, step).at(time_us)

    def stretches(
        self, instrument: Instrument, start_us: int, end_us: int, step: Decimal
    ) -> Iterator[Stretch]:
        return self._index(instrument, step).stretches(start_us, end_us)

    def premium(self, instrument: Instrument, number: int, most: Decimal) -> Decimal:
        return self._market(instrument).premium.at(number, most)

    def _index(self, instrument: Instrument, step: Decimal) -> Index:
        market = self._market(instrument)
        index = market.indexes.get(step)
        if index is None:
            self._made += 1
            index = market.indexes[step] = Index(self._days, self._made, market.path, instrument, step)
        return index

    def _market(self, instrument: Instrument) -> _Market:
        market = self._markets.get(id(instrument))
        # The market holds the instrument, so its id stands for nothing else as long as it is kept.
        if market is None:
            if len(self._markets) >= MARKETS_MAX:
                self._markets.clear()
            self._made += 1
            path = Path(self._forest, self._made, self.seed, self.site, instrument)
            market = self._markets[id(instrument)] = _Market(
                instrument, path, Ladder(path, instrument), Premium(self.seed, self.site, instrument)
            )
        return market

    def _find_trade(self, market: _Market, time_us: int) -> FeedTrade:
        """The last trade at a time, remembered with the span in which it is the last one."""
        path = market.path
        if time_us < BEGIN_US:
            market.trade_from_us, market.trade_until_us = time_us, time_us + 1
            number = 0
        else:
            leaf = path.leaf_at(time_us)
            times_us = path.times(leaf)
            place = bisect_right(times_us, time_us)
            market.trade_from_us = times_us[place - 1] if place else leaf.start_us
            market.trade_until_us = times_us[place] if place < leaf.count else leaf.end_us
            number = leaf.before + place
        market.trade_steps = path.price_of(number)
        if number:
            leaf = path.leaf_of(number)
            market.trade = _feed_trade(path, leaf, number - leaf.before - 1)
        else:
            price = path.scale.price(market.trade_steps)
            market.trade = FeedTrade(0, min(time_us, 0), price, ZERO, buyer_is_maker=False)
        return market.trade

    def _touch(self, market: _Market, time_us: int) -> tuple[int, int]:
        """Best bid and ask in steps: the last trade's price is the one on its maker's side."""
        trade = market.trade
        if trade is None or not market.trade_from_us <= time_us < market.trade_until_us:
            trade = self._find_trade(market, time_us)
        if trade.buyer_is_maker:
            return market.trade_steps, market.trade_steps + market.path.spread
        return market.trade_steps - market.path.spread, market.trade_steps


class _Sum:
    """Trades of a span, summed: in steps and lots."""

    __slots__ = (
        "buy_amount",
        "buy_lots",
        "close",
        "count",
        "high",
        "low",
        "open",
        "sell_amount",
        "sell_lots",
    )

    def __init__(self) -> None:
        self.count = self.open = self.high = self.low = self.close = 0
        self.buy_lots = self.buy_amount = self.sell_lots = self.sell_amount = 0

    def add(self, node: Node) -> None:
        """Add a whole node that follows what was added before."""
        if not self.count:
            self.open, self.high, self.low = node.open, node.high, node.low
        else:
            if node.high > self.high:
                self.high = node.high
            if node.low < self.low:
                self.low = node.low
        self.close = node.close
        self.count += node.count
        self.buy_lots += node.buy_lots
        self.buy_amount += node.buy_amount
        self.sell_lots += node.sell_lots
        self.sell_amount += node.sell_amount

    def add_trade(self, price: int, lots: int, *, is_buy: bool) -> None:
        if not self.count:
            self.open = self.high = self.low = price
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price
        self.count += 1
        if is_buy:
            self.buy_lots += lots
            self.buy_amount += lots * price
        else:
            self.sell_lots += lots
            self.sell_amount += lots * price


def _hour_around(path: Path, start_us: int, end_us: int) -> Node | None:
    """A node of about an hour that holds a span, to start from for it and its neighbours, if there is one."""
    day = start_us // DAY_US
    if start_us < BEGIN_US or end_us > (day + 1) * DAY_US:
        return None
    node = path.day(day)
    while node.count > LEAF_MAX and node.end_us - node.start_us > HOUR_US:
        left, right = path.halves(node)
        if end_us <= left.end_us:
            node = left
        elif start_us >= left.end_us:
            node = right
        else:
            break
    return node


def _add_days(path: Path, total: _Sum, start_us: int, end_us: int) -> None:
    """Add the trades of any span."""
    start_us = max(start_us, BEGIN_US)
    if start_us < end_us:
        for day in range(start_us // DAY_US, (end_us - 1) // DAY_US + 1):
            _add_part(path, total, path.day(day), start_us, end_us)


def _add_part(path: Path, total: _Sum, node: Node, start_us: int, end_us: int) -> None:
    """Add what a node has of [start_us, end_us), which it overlaps."""
    while True:
        if start_us <= node.start_us and node.end_us <= end_us:
            total.add(node)
            return
        if node.count <= LEAF_MAX:
            break
        left, right = path.halves(node)
        if end_us <= left.end_us:
            node = left
        elif start_us >= left.end_us:
            node = right
        else:
            _add_part(path, total, left, start_us, end_us)
            node = right
    times_us, prices, lots, buys = path.prints(node)
    for place in range(bisect_left(times_us, start_us), bisect_left(times_us, end_us)):
        total.add_trade(prices[place], lots[place], is_buy=buys[place])


def _candle(path: Path, total: _Sum, open_us: int, close_us: int, before: int, last: int) -> Candle:
    scale = path.scale
    if not total.count:
        price = scale.price(last)
        return Candle(
            open_us, close_us, price, price, price, price, ZERO, ZERO, 0, ZERO, ZERO, before + 1, before
        )
    return Candle(
        open_us,
        close_us,
        scale.price(total.open),
        scale.price(total.high),
        scale.price(total.low),
        scale.price(total.close),
        scale.quantity(total.buy_lots + total.sell_lots),
        scale.amount(total.buy_amount + total.sell_amount),
        total.count,
        scale.quantity(total.buy_lots),
        scale.amount(total.buy_amount),
        before + 1,
        before + total.count,
    )


def _feed_trade(path: Path, leaf: Node, place: int) -> FeedTrade:
    times_us, prices, lots, buys = path.prints(leaf)
    return FeedTrade(
        leaf.before + place + 1,
        times_us[place],
        path.scale.price(prices[place]),
        path.scale.quantity(lots[place]),
        not buys[place],
    )
