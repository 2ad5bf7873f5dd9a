"""Funding of perpetual contracts: the rate, what a position pays or gets, and when.

Times are integer microseconds; payments stand on the grid of their interval from midnight UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from emulator.core.contracts import Contract, FundingRule, divided, rounded
from emulator.core.numbers import ZERO, divide_half
from emulator.core.positions import Position

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
BASIS_HOURS = Decimal(8)
"""The hours that interest and premium are stated for."""


def premium_index(
    *, impact_bid: Decimal, impact_ask: Decimal, index: Decimal, step: Decimal = Decimal("0.00000001")
) -> Decimal:
    """How far the book is from the index: (max(0, bid - index) - max(0, index - ask)) / index."""
    return divide_half(max(ZERO, impact_bid - index) - max(ZERO, index - impact_ask), index, step)


def average_premium(samples: Sequence[Decimal], step: Decimal = Decimal("0.00000001")) -> Decimal:
    """The average of premium samples, each weighted by its number, so that the newest counts most:
    (1 * p1 + 2 * p2 + ... + n * pn) / (1 + 2 + ... + n)."""
    count = len(samples)
    if not count:
        return ZERO
    weighted = sum((number * sample for number, sample in enumerate(samples, start=1)), ZERO)
    return divide_half(weighted, Decimal(count * (count + 1) // 2), step)


def funding_rate(rule: FundingRule, premium: Decimal, hours: int) -> Decimal:
    """The rate of one interval: (premium + clamp(interest - premium, -dampener, dampener)) / (8 / hours),
    within floor and cap.

    Source: Binance's notice on the funding rate formula in force since 2025-09-18.
    """
    pull = min(max(rule.interest - premium, -rule.dampener), rule.dampener)
    rate = divide_half((premium + pull) * hours, BASIS_HOURS, rule.rate_step)
    if rule.cap is not None:
        rate = min(rate, rule.cap)
    if rule.floor is not None:
        rate = max(rate, rule.floor)
    return rate


def funding_payment(contract: Contract, position: Position, *, mark: Decimal, rate: Decimal) -> Decimal:
    """What a position gets, below zero what it pays: -side * value at mark * rate.

    A long pays when the rate is positive, a short gets it.
    """
    amount = -position.quantity * contract.size * rate
    if contract.is_inverse:
        return divided(amount, mark, contract.settle_step, contract.funding_rounding)
    return rounded(amount * mark, contract.settle_step, contract.funding_rounding)


def next_funding_us(now_us: int, hours: int) -> int:
    """The first payment after `now_us`; a payment that is due at this very moment is not after it."""
    assert hours > 0, "a contract without funding"
    interval = hours * HOUR_US
    return now_us - now_us % interval + interval


def funding_times_us(*, after_us: int, until_us: int, hours: int) -> range:
    """All payments after one moment, up to and with another."""
    return range(next_funding_us(after_us, hours), until_us + 1, hours * HOUR_US)


def next_interest_us(after_us: int, minute: int) -> int:
    """The first moment after one at which interest is due on what is owed: so many minutes past an hour."""
    due_us = after_us - after_us % HOUR_US + minute * MINUTE_US
    return due_us if due_us > after_us else due_us + HOUR_US
