"""The public topics, and the hubs of each sandbox that run them: one for each category."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from emulator.exchanges.bybit.categories import CATEGORIES
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.parameters import INTERVALS_US
from emulator.exchanges.bybit.running import ENGINE
from emulator.exchanges.bybit.streams.events import Renderer
from emulator.exchanges.bybit.streams.klines import OfTrades
from emulator.exchanges.bybit.streams.liquidations import Liquidations
from emulator.exchanges.bybit.streams.tickers import read_limits, read_ticker
from emulator.exchanges.bybit.streams.topics import SECOND_US, Topic, TopicKind
from emulator.market_data.intervals import Interval
from emulator.market_data.streams.candles import Klines
from emulator.market_data.streams.listed import WhileListed
from emulator.market_data.streams.records import Records
from emulator.market_data.streams.trades import TradeGroups
from emulator.market_data.streams.window import BestWindow, BookWindow
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.hub import Hub
from emulator.web.streams.source import Make, Source

REPEAT_US: Final = 3 * SECOND_US
"""After which time the best bid and ask are told again although they are the same ("Orderbook")."""


def _book(sandbox: Sandbox, topic: Topic) -> Source:
    return BookWindow(sandbox, topic, Renderer(topic).book, levels=topic.levels)


def _best(sandbox: Sandbox, topic: Topic) -> Source:
    return BestWindow(sandbox, topic, Renderer(topic).best, levels=topic.levels, repeat_us=REPEAT_US)


def _rpi_book(sandbox: Sandbox, topic: Topic) -> Source:
    return BookWindow(sandbox, topic, Renderer(topic).rpi_book, levels=topic.levels)


def _trades(sandbox: Sandbox, topic: Topic) -> Source:
    return TradeGroups(sandbox, topic, Renderer(topic).trades)


def _klines(sandbox: Sandbox, topic: Topic) -> Source:
    interval = Interval(INTERVALS_US[topic.interval])
    render = partial(Renderer(topic).kline, topic.interval)
    return Klines(sandbox, topic, render, interval=interval, read=OfTrades(_listing(topic), interval))


def _liquidations(sandbox: Sandbox, topic: Topic) -> Source:
    return Liquidations(sandbox, topic, Renderer(topic).liquidations)


def _ticker(sandbox: Sandbox, topic: Topic) -> Source:
    listing = _listing(topic)
    read = partial(read_ticker, sandbox, listing)
    # Of pairs all of it is told whenever something changed ("Ticker").
    return Records(sandbox, topic, Renderer(topic).ticker, read=read, snapshots=listing.contract is None)


def _price_limits(sandbox: Sandbox, topic: Topic) -> Source:
    read = partial(read_limits, _listing(topic))
    return Records(sandbox, topic, Renderer(topic).price_limit, read=read, snapshots=True)


def _listing(topic: Topic) -> Listing:
    assert topic.listing is not None
    return topic.listing


def _while_listed(make: Make[Topic]) -> Make[Topic]:
    """What makes the sources of a sort, silent after the delivery of what they tell of."""

    def made(sandbox: Sandbox, topic: Topic) -> Source:
        source, listing = make(sandbox, topic), _listing(topic)
        return source if listing.delivery_us is None else WhileListed(source, listing.is_listed)

    return made


SOURCES: Final[Mapping[TopicKind, Make[Topic]]] = MappingProxyType(
    {
        TopicKind.BOOK: _while_listed(_book),
        TopicKind.BEST: _while_listed(_best),
        TopicKind.RPI_BOOK: _while_listed(_rpi_book),
        TopicKind.TRADE: _while_listed(_trades),
        TopicKind.TICKER: _while_listed(_ticker),
        TopicKind.KLINE: _while_listed(_klines),
        TopicKind.LIQUIDATION: _while_listed(_liquidations),
        TopicKind.PRICE_LIMIT: _while_listed(_price_limits),
    }
)
"""What is missing says nothing: of maintenance there is none, and pools that contracts share are not told of
("Insurance Pool")."""


def _hub(sandbox: Sandbox) -> Hub[Topic]:
    return Hub(sandbox, engine=ENGINE, sources=SOURCES)


HUBS: Final[Mapping[str, PerSandbox[Hub[Topic]]]] = MappingProxyType(
    {name: PerSandbox(_hub) for name in CATEGORIES}
)
"""By category: the same name names one topic in each."""
