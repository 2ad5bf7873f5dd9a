"""The names of private topics. Some tell of all categories together, or with a suffix of one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from emulator.web.contract import Channel


class TopicKind(str, Enum):
    """Sorts of private topics, by their names without a category."""

    ORDER = "order"
    EXECUTION = "execution"
    FAST_EXECUTION = "execution.fast"
    POSITION = "position"
    WALLET = "wallet"
    GREEKS = "greeks"
    PROTECTION = "dcp"


class Topic(NamedTuple):
    """category: the only one that is told of; empty: all."""

    name: str
    kind: TopicKind
    category: str = ""


CATEGORIES: Final = ("spot", "linear", "inverse", "option")
PRODUCTS: Final = ("future", "spot", "option")


def _topics() -> Iterable[Topic]:
    for kind in (TopicKind.ORDER, TopicKind.EXECUTION, TopicKind.FAST_EXECUTION, TopicKind.POSITION):
        yield Topic(kind.value, kind)
        for category in CATEGORIES:
            if (kind, category) != (TopicKind.POSITION, "spot"):
                yield Topic(f"{kind.value}.{category}", kind, category)
    yield Topic("wallet", TopicKind.WALLET)
    yield Topic("greeks", TopicKind.GREEKS)
    for product in PRODUCTS:
        yield Topic(f"dcp.{product}", TopicKind.PROTECTION)


TOPICS: Final[Mapping[str, Topic]] = MappingProxyType({topic.name: topic for topic in _topics()})


def is_mixed(names: Iterable[object]) -> bool:
    """Whether a sort of topic is named both with a category and without one."""
    found = [TOPICS[name] for name in names if isinstance(name, str) and name in TOPICS]
    whole = {one.kind for one in found if not one.category}
    return any(one.category and one.kind in whole for one in found)


CHANNELS: Final = (
    Channel("order", "Orders as they change; also `order.{category}`"),
    Channel("execution", "Trades and payments of funding; also `execution.{category}`"),
    Channel("execution.fast", "Trades, with less about them; also `execution.fast.{category}`"),
    Channel("position", "Positions, with every order in their contract; also `position.{category}`"),
    Channel("wallet", "The unified wallet, and the coins in it that changed"),
    Channel("greeks", "Of options, of which there are none, so it is silent"),
    Channel(
        "dcp.{product}",
        "Says nothing: watches over the orders of `future`, `spot` or `option` while it lasts",
    ),
)
"""For the pages that list them."""
