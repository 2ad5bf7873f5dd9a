"""A book of plain lists: what matching should come to, said in the most simple-minded way.

It knows limit and market orders, icebergs, immediate-or-cancel and fill-or-kill, and a market that
stands still and renews its levels. Every trade is found by looking at everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)

Trade = tuple[str, str, int, int]
"""(price, quantity, taker, maker); 0 is the market."""


@dataclass
class Resting:
    order: int
    account: int
    is_buy: bool
    price: Decimal
    remaining: Decimal
    part: Decimal | None
    queued_us: int
    place: int
    visible: Decimal = ZERO

    def show(self) -> None:
        self.visible = self.remaining if self.part is None else min(self.remaining, self.part)


@dataclass
class Oracle:
    """levels: (price, quantity) of the market's own, bids then asks."""

    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]
    period_us: int
    now_us: int
    resting: list[Resting] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    left: dict[tuple[bool, Decimal], Decimal] = field(default_factory=dict)
    bought: dict[int, Decimal] = field(default_factory=dict)
    paid: dict[int, Decimal] = field(default_factory=dict)
    places: int = 0

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.left = {(True, price): quantity for price, quantity in self.bids}
        self.left |= {(False, price): quantity for price, quantity in self.asks}

    @property
    def since_us(self) -> int:
        return self.now_us // self.period_us * self.period_us

    def wait_until(self, now_us: int) -> None:
        """Pass all renewals on the way; at each, the market takes what it now crosses."""
        while (renewal_us := self.since_us + self.period_us) <= now_us:
            self.now_us = renewal_us
            self.renew()
            self.serve(is_buy=True)
            self.serve(is_buy=False)
        self.now_us = now_us

    def serve(self, *, is_buy: bool) -> None:
        """Give the market's levels of the opposite side to resting orders that reach them."""
        while True:
            orders = self.queue(is_buy)
            levels = self.offers(not is_buy)
            if not orders or not levels:
                return
            order, price = orders[0], levels[0]
            if order.price < price if is_buy else order.price > price:
                return
            quantity = min(order.visible, self.left[not is_buy, price])
            self.left[not is_buy, price] -= quantity
            self.trade(order.price, quantity, 0, order)

    def queue(self, is_buy: bool) -> list[Resting]:
        mine = [one for one in self.resting if one.is_buy is is_buy]
        return sorted(mine, key=lambda one: (-one.price if is_buy else one.price, one.place))

    def offers(self, is_buy: bool) -> list[Decimal]:
        prices = [price for (side, price), left in self.left.items() if side is is_buy and left > 0]
        return sorted(prices, reverse=is_buy)

    def next_offer(self, is_buy: bool) -> tuple[Decimal, Resting | None] | None:
        """Who is served next on a side: the best price; there the older orders, the market, the newer."""
        orders, levels = self.queue(is_buy), self.offers(is_buy)
        if not orders and not levels:
            return None
        if not orders:
            return levels[0], None
        order = orders[0]
        if levels:
            is_worse = order.price < levels[0] if is_buy else order.price > levels[0]
            if is_worse or (order.price == levels[0] and order.queued_us >= self.since_us):
                return levels[0], None
        return order.price, order

    def place(
        self,
        order: int,
        account: int,
        *,
        is_buy: bool,
        quantity: Decimal,
        price: Decimal | None,
        part: Decimal | None = None,
        ends: str = "",
    ) -> None:
        if ends == "fok" and self.available(is_buy, price) < quantity:
            return
        while quantity > 0:
            offer = self.next_offer(not is_buy)
            if offer is None:
                break
            at, maker = offer
            if price is not None and (at > price if is_buy else at < price):
                break
            if maker is None:
                filled = min(quantity, self.left[not is_buy, at])
                self.left[not is_buy, at] -= filled
                self.trades.append((_plain(at), _plain(filled), order, 0))
            else:
                filled = min(quantity, maker.visible)
                self.trade(at, filled, order, maker)
            self.settle(account, is_buy, filled, at)
            quantity -= filled
        if quantity > 0 and price is not None and not ends:
            self.places += 1
            rest = Resting(order, account, is_buy, price, quantity, part, self.now_us, self.places)
            rest.show()
            self.resting.append(rest)

    def available(self, is_buy: bool, price: Decimal | None) -> Decimal:
        def reaches(at: Decimal) -> bool:
            return price is None or (at <= price if is_buy else at >= price)

        own = sum((one.remaining for one in self.queue(not is_buy) if reaches(one.price)), ZERO)
        return own + sum((self.left[not is_buy, at] for at in self.offers(not is_buy) if reaches(at)), ZERO)

    def trade(self, price: Decimal, quantity: Decimal, taker: int, maker: Resting) -> None:
        self.trades.append((_plain(price), _plain(quantity), taker, maker.order))
        self.settle(maker.account, maker.is_buy, quantity, price)
        maker.remaining -= quantity
        maker.visible -= quantity
        if not maker.remaining:
            self.resting.remove(maker)
        elif not maker.visible:
            maker.show()
            self.places += 1
            maker.place, maker.queued_us = self.places, self.now_us

    def settle(self, account: int, is_buy: bool, quantity: Decimal, price: Decimal) -> None:
        sign = 1 if is_buy else -1
        self.bought[account] = self.bought.get(account, ZERO) + sign * quantity
        self.paid[account] = self.paid.get(account, ZERO) + sign * quantity * price

    def cancel(self, order: int) -> bool:
        kept = [one for one in self.resting if one.order != order]
        was_there = len(kept) < len(self.resting)
        self.resting = kept
        return was_there


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
