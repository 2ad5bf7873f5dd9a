"""Each story on each product of each exchange that can tell it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any, assert_never

import httpx
import pytest

from tests.launch import Server, launched
from tests.stories.binance import Binance
from tests.stories.bybit import Bybit
from tests.stories.table import STORIES
from tests.stories.venue import Venue, VenueRefused
from tests.stories.words import (
    Amend,
    Book,
    Cancel,
    Funded,
    Gained,
    Hedge,
    Holds,
    Is,
    Isolate,
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
    Side,
    Step,
    Story,
    Trade,
)

VENUES: tuple[type[Venue], ...] = (Binance, Bybit)

ROUNDING = Decimal("0.00000001")
"""By which each amount of a trade may be rounded: its fee and its profit."""
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with launched(tmp_path_factory.mktemp("stories"), "--ephemeral") as running:
        yield running
        log = running.log.read_text(encoding="utf-8")
        assert "Traceback" not in log, log


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20) as client:
        yield client


def _told() -> Iterator[Any]:
    for venue in VENUES:
        for story in STORIES:
            for product in story.on:
                if story.needs <= venue.offers(product):
                    name = f"{venue.name}-{product.value}-{story.title.replace(' ', '-')}"
                    yield pytest.param(venue, product, story, id=name)


@pytest.mark.parametrize(("venue", "product", "story"), list(_told()))
def test_story(
    server: Server, http: httpx.Client, venue: type[Venue], product: Product, story: Story
) -> None:
    Telling(venue(http, server.url, product, f"story-{next(_NUMBERS)}")).tell(story)


def test_every_venue_tells_stories_of_all_its_products() -> None:
    told = {(one.values[0], one.values[1]) for one in _told()}
    assert told == {(venue, product) for venue in VENUES for product in Product}


class Telling:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._orders: dict[str, str] = {}
        # So that index and mark are where the books of the stories are.
        venue.price("40000")
        self._at_first = venue.balances()

    def tell(self, story: Story) -> None:
        for number, step in enumerate(story.steps, 1):
            try:
                self._take(step)
            except VenueRefused as refused:
                pytest.fail(f"step {number}, {step}: {refused}")
            except AssertionError as error:
                error.add_note(f"at step {number}, {step}")
                raise

    def _take(self, step: Step) -> None:
        venue = self._venue
        match step:
            case Book():
                venue.book(step.bid, step.ask)
            case Price():
                venue.price(step.at)
            case Print():
                venue.print(self._quantity(step.lots), step.price)
            case Pass():
                venue.wait(step.seconds)
            case Place() | Amend() | Cancel():
                self._try(step)
            case Shrink():
                venue.amend(self._orders[step.name], self._quantity(step.lots), None)
            case Hedge():
                venue.hedge()
            case Isolate():
                venue.isolate(step.leverage)
            case NearlyLost():
                self._approach(Decimal("0.002"))
            case Lost():
                self._approach(Decimal("-0.002"))
            case Is():
                told = venue.told(self._orders[step.name])
                assert (told.status, told.quantity) == (step.status, self._quantity(step.lots))
            case Refused():
                before = venue.balances()
                with pytest.raises(VenueRefused):
                    self._try(step.attempt)
                assert venue.balances() == before
            case Holds():
                quantity, entry = venue.position(step.leg)
                assert quantity == self._quantity(step.lots)
                if quantity:
                    assert abs(entry - Decimal(step.entry)) <= ROUNDING * 10_000, entry
            case Gained():
                self._compare(self._worth_of(step.trades), len(step.trades))
            case LostItsMargin():
                self._compare_loss(step)
            case Funded():
                self._compare_funding(step)
            case _:
                assert_never(step)

    def _try(self, step: Place | Amend | Cancel) -> None:
        match step:
            case Place():
                self._orders[step.name] = self._venue.place(step)
            case Amend():
                self._venue.amend(self._orders[step.name], self._quantity(step.lots), step.limit)
            case Cancel():
                self._venue.cancel(self._orders[step.name])

    def _approach(self, before: Decimal) -> None:
        """Put the market at a part of the price before that of the liquidation, or beyond it."""
        if not hasattr(self, "_limit"):
            self._limit = self._venue.liquidated_at()
            quantity, entry = self._venue.position(None)
            self._falls = quantity > 0
            # Leverage 10 and a small part that must be kept: a tenth less what is kept, or nearly so.
            assert Decimal("0.08") < abs(self._limit / entry - 1) < Decimal("0.12")
            assert (self._limit < entry) is self._falls
        at = self._limit * (1 + before if self._falls else 1 - before)
        # Whole tens, farther from the limit.
        upwards = self._falls is (before > 0)
        tens = at // 10 * 10 + (10 if upwards else 0)
        self._venue.book(str(tens - 10 if not upwards else tens), str(tens if not upwards else tens + 10))

    # Figures, from the definitions

    def _quantity(self, lots: str) -> Decimal:
        return Decimal(lots) * self._venue.lot

    def _value(self, lots: str, price: str) -> Decimal:
        """What so many lots are worth, in what they settle in."""
        amount = self._quantity(lots) * self._venue.size
        return amount / Decimal(price) if self._venue.product is Product.INVERSE else amount * Decimal(price)

    def _worth_of(self, trades: tuple[Trade, ...]) -> dict[str, Decimal]:
        changes: dict[str, Decimal] = {}

        def add(asset: str, amount: Decimal) -> None:
            changes[asset] = changes.get(asset, Decimal(0)) + amount

        maker, taker = self._venue.fees[self._venue.product]
        for trade in trades:
            rate = maker if trade.role is Role.MAKER else taker
            value = self._value(trade.lots, trade.price)
            is_buy = trade.side is Side.BUY
            if self._venue.product is Product.SPOT:
                quantity = self._quantity(trade.lots)
                # The fee is taken from what is received.
                add("BTC", quantity * (1 - rate) if is_buy else -quantity)
                add("USDT", -value if is_buy else value * (1 - rate))
                continue
            add(self._venue.settle, -value * rate)
            if trade.closes is not None:
                grown = value - self._value(trade.lots, trade.closes)
                if self._venue.product is Product.INVERSE:
                    grown = -grown
                add(self._venue.settle, -grown if is_buy else grown)
        return changes

    def _compare(self, expected: dict[str, Decimal], amounts: int) -> None:
        now = self._venue.balances()
        for asset in ("BTC", "USDT"):
            changed = now.get(asset, Decimal(0)) - self._at_first.get(asset, Decimal(0))
            assert abs(changed - expected.get(asset, Decimal(0))) <= ROUNDING * 2 * amounts, (
                asset,
                changed,
                expected,
            )

    def _compare_loss(self, step: LostItsMargin) -> None:
        settle = self._venue.settle
        lost = self._at_first[settle] - self._venue.balances()[settle]
        value = self._value(step.lots, step.price)
        _, taker = self._venue.fees[self._venue.product]
        put_up = value / 10
        if self._venue.margin_has_fee:
            # Closed where nothing is left it is worth a tenth more at most.
            put_up += value * Decimal("1.1") * taker
        # Opened at a tenth of its worth; closing costs no more than that leaves, so all that can be gone
        # beside is the fee of opening it.
        assert Decimal("0.05") * value < lost <= put_up + value * taker + ROUNDING

    def _compare_funding(self, step: Funded) -> None:
        rate = self._venue.funding_rate()
        assert rate
        direction = 1 if Decimal(step.lots) < 0 else -1
        expected = direction * rate * self._value(str(abs(Decimal(step.lots))), step.mark)
        (paid,) = self._venue.funding_paid()
        assert abs(paid - expected) <= ROUNDING
        changes = self._worth_of(step.trades)
        settle = self._venue.settle
        self._compare({**changes, settle: changes[settle] + paid}, len(step.trades))
