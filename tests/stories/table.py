"""The stories. Every figure is by hand; what differs between exchanges is not in here but in their venues.

Where a price is said twice, an order of one's own is at the market's: `Book` puts the best bid and ask.
"""

from __future__ import annotations

from typing import Final

from tests.stories.words import (
    BUY,
    CONTRACTS,
    EVERYWHERE,
    SELL,
    Amend,
    Book,
    Cancel,
    Funded,
    Gained,
    Hedge,
    Holds,
    Is,
    Isolate,
    Leg,
    Lost,
    LostItsMargin,
    NearlyLost,
    Pass,
    Place,
    Price,
    Print,
    Product,
    Refused,
    Role,
    Shrink,
    Status,
    Story,
    Trade,
)

MAKER, TAKER = Role.MAKER, Role.TAKER
BEGIN: Final = Book("39990", "40010")
REPRICES: Final = "an open order can get another price"

STORIES: Final = (
    Story(
        "an order at the market's price is filled at once",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "2"),
            Is("buy", Status.FILLED, "2"),
            Gained((Trade(BUY, "2", "40010", TAKER),)),
        ),
    ),
    Story(
        "an order below the market rests, and is filled when the market comes",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "2", limit="39900"),
            Is("buy", Status.OPEN),
            Gained(()),
            Book("39800", "39900"),
            Is("buy", Status.FILLED, "2"),
            Gained((Trade(BUY, "2", "39900", MAKER),)),
        ),
    ),
    Story(
        "an order is filled in parts",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "5", limit="39995"),
            Print("2", "39995"),
            Is("buy", Status.PARTLY_FILLED, "2"),
            Print("1", "39995"),
            Is("buy", Status.PARTLY_FILLED, "3"),
            Gained((Trade(BUY, "2", "39995", MAKER), Trade(BUY, "1", "39995", MAKER))),
            Cancel("buy"),
            Is("buy", Status.ENDED, "3"),
            Gained((Trade(BUY, "2", "39995", MAKER), Trade(BUY, "1", "39995", MAKER))),
        ),
    ),
    Story(
        "an order is canceled, once",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "1", limit="39000"),
            Cancel("buy"),
            Is("buy", Status.ENDED),
            Refused(Cancel("buy")),
            Book("38000", "38010"),
            Is("buy", Status.ENDED),
            Gained(()),
        ),
    ),
    Story(
        "an order is made smaller, and trades no more than that",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "5", limit="39900"),
            Shrink("buy", "3"),
            Is("buy", Status.OPEN),
            Book("39800", "39900"),
            Is("buy", Status.FILLED, "3"),
            Gained((Trade(BUY, "3", "39900", MAKER),)),
        ),
    ),
    Story(
        "an order gets another price, and rests there",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "2", limit="39900"),
            Amend("buy", "3", limit="39700"),
            Is("buy", Status.OPEN),
            Book("39800", "39850"),
            Is("buy", Status.OPEN),
            Book("39600", "39700"),
            Is("buy", Status.FILLED, "3"),
            Gained((Trade(BUY, "3", "39700", MAKER),)),
            Refused(Amend("buy", "4", limit="39700")),
        ),
        needs=frozenset({REPRICES}),
    ),
    Story(
        "an order that gets a price beyond the market trades at once",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "2", limit="39900"),
            Amend("buy", "2", limit="40020"),
            Is("buy", Status.FILLED, "2"),
            Gained((Trade(BUY, "2", "40010", TAKER),)),
        ),
        needs=frozenset({REPRICES}),
    ),
    Story(
        "what may only make the market does not take from it",
        EVERYWHERE,
        (
            BEGIN,
            # Some refuse it, others accept it and end it.
            Place("crossing", BUY, "1", limit="40050", post_only=True),
            Is("crossing", Status.ENDED),
            Place("resting", BUY, "1", limit="39950", post_only=True),
            Is("resting", Status.OPEN),
            Gained(()),
        ),
    ),
    Story(
        "what is not filled at once is not there any more",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "1", limit="39950", at_once=True),
            Is("buy", Status.ENDED),
            Place("taking", BUY, "1", limit="40050", at_once=True),
            Is("taking", Status.FILLED, "1"),
            Gained((Trade(BUY, "1", "40010", TAKER),)),
        ),
    ),
    Story(
        "a stop waits for its price, and then sells at the market's",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "3"),
            Place("stop", SELL, "2", stop="39500"),
            Is("stop", Status.WAITING),
            Book("39600", "39620"),
            Is("stop", Status.WAITING),
            Book("39400", "39420"),
            Is("stop", Status.FILLED, "2"),
            Gained(
                (
                    Trade(BUY, "3", "40010", TAKER),
                    Trade(SELL, "2", "39400", TAKER, closes="40010"),
                )
            ),
        ),
    ),
    Story(
        "a stop that is canceled does not fire",
        EVERYWHERE,
        (
            BEGIN,
            Place("buy", BUY, "3"),
            Place("stop", SELL, "2", stop="39500"),
            Cancel("stop"),
            Book("39400", "39420"),
            Is("stop", Status.ENDED),
            Gained((Trade(BUY, "3", "40010", TAKER),)),
        ),
    ),
    Story(
        "a position is opened, added to, made smaller and turned",
        CONTRACTS,
        (
            BEGIN,
            Place("first", BUY, "1"),
            Holds("1", "40010"),
            Place("more", BUY, "1"),
            Holds("2", "40010"),
            Book("41000", "41010"),
            Place("less", SELL, "1"),
            Holds("1", "40010"),
            Place("turn", SELL, "3"),
            Holds("-2", "41000"),
            Gained(
                (
                    Trade(BUY, "1", "40010", TAKER),
                    Trade(BUY, "1", "40010", TAKER),
                    Trade(SELL, "1", "41000", TAKER, closes="40010"),
                    Trade(SELL, "1", "41000", TAKER, closes="40010"),
                    Trade(SELL, "2", "41000", TAKER),
                )
            ),
        ),
    ),
    Story(
        "what may only reduce never opens",
        CONTRACTS,
        (
            BEGIN,
            Refused(Place("nothing", SELL, "1", reduce_only=True)),
            Place("open", BUY, "2"),
            Refused(Place("wrong", BUY, "1", reduce_only=True)),
            Place("close", SELL, "5", limit="39990", reduce_only=True),
            Is("close", Status.FILLED, "2"),
            Holds("0"),
            Gained(
                (
                    Trade(BUY, "2", "40010", TAKER),
                    Trade(SELL, "2", "39990", TAKER, closes="40010"),
                )
            ),
        ),
    ),
    Story(
        "two positions stand beside each other, and only what closes them does",
        (Product.LINEAR,),
        (
            Hedge(),
            BEGIN,
            Place("long", BUY, "3", leg=Leg.LONG),
            Place("short", SELL, "2", leg=Leg.SHORT),
            Holds("3", "40010", leg=Leg.LONG),
            Holds("-2", "39990", leg=Leg.SHORT),
            Refused(Place("astray", BUY, "1")),
            Book("40990", "41010"),
            # Until the mark price is there as well, by which some bound orders at market.
            Pass(60),
            Place("take", SELL, "1", leg=Leg.LONG),
            Place("stop", BUY, "2", leg=Leg.SHORT),
            Holds("2", "40010", leg=Leg.LONG),
            Holds("0", leg=Leg.SHORT),
            Refused(Place("gone", BUY, "1", limit="41000", leg=Leg.SHORT)),
            Gained(
                (
                    Trade(BUY, "3", "40010", TAKER),
                    Trade(SELL, "2", "39990", TAKER),
                    Trade(SELL, "1", "40990", TAKER, closes="40010"),
                    Trade(BUY, "2", "41010", TAKER, closes="39990"),
                )
            ),
        ),
    ),
    Story(
        "a long position is liquidated where it was said, and loses what was put up for it",
        CONTRACTS,
        (
            Isolate(10),
            BEGIN,
            Place("open", BUY, "2"),
            NearlyLost(),
            Pass(60),
            Holds("2", "40010"),
            Lost(),
            Pass(60),
            Holds("0"),
            LostItsMargin("2", "40010"),
        ),
    ),
    Story(
        "a short position is liquidated where it was said, and loses what was put up for it",
        CONTRACTS,
        (
            Isolate(10),
            BEGIN,
            Place("open", SELL, "2"),
            NearlyLost(),
            Pass(60),
            Holds("-2", "39990"),
            Lost(),
            Pass(60),
            Holds("0"),
            LostItsMargin("2", "39990"),
        ),
    ),
    Story(
        "who is long pays funding of a rate above zero at the hour, and who came late does not",
        CONTRACTS,
        (
            BEGIN,
            Place("open", BUY, "2"),
            Gained((Trade(BUY, "2", "40010", TAKER),)),
            Price("40000"),
            Pass(900),
            Funded("2", "40000", (Trade(BUY, "2", "40010", TAKER),)),
        ),
    ),
    Story(
        "who is short is paid what others pay",
        CONTRACTS,
        (
            BEGIN,
            Place("open", SELL, "2"),
            Price("40000"),
            Pass(900),
            Funded("-2", "40000", (Trade(SELL, "2", "39990", TAKER),)),
        ),
    ),
)
