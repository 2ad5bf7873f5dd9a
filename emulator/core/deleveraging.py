"""Whose position is closed when a liquidated one cannot be sold and the insurance fund is empty."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from emulator.core.ids import AccountId
from emulator.core.numbers import ONE, ZERO, divide_half

LIGHTS = 5
"""Into how many parts the queue is divided to be shown."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An account with a position on the side that is deleveraged; quantity: its contracts."""

    account: AccountId
    score: Decimal
    quantity: Decimal


def deleveraging_score(
    *, unrealised: Decimal, wallet: Decimal, maintenance: Decimal, step: Decimal
) -> Decimal:
    """How early a position is deleveraged: profit as part of the wallet, times the margin ratio.

    max(0, unrealised) / max(1, wallet) * maintenance / (wallet + unrealised); zero where the last
    divisor is not above zero. Source: Binance FAQ "What Is Auto-Deleveraging (ADL) and How Does It Work".
    """
    balance = wallet + unrealised
    if balance <= ZERO or unrealised <= ZERO:
        return ZERO
    return divide_half(unrealised * maintenance, max(ONE, wallet) * balance, step)


def deleveraging_lights(scores: Sequence[Decimal]) -> list[int]:
    """For each score of one side of a contract the fifth of the queue it is in, 0 to 4; 4 goes first.

    By rank / count, rank 1 being the lowest; equal scores share their lowest rank.
    """
    ranked = sorted(scores)
    return [-(-(bisect_left(ranked, score) + 1) * LIGHTS // len(ranked)) - 1 for score in scores]


def deleveraged(candidates: Sequence[Candidate], quantity: Decimal) -> list[tuple[AccountId, Decimal]]:
    """Who gives up how many contracts: the highest score first, then the lowest account, each wholly
    before the next. Less than `quantity` in all where the candidates have less."""
    taken = []
    for candidate in sorted(candidates, key=_queue):
        share = min(quantity, candidate.quantity)
        if share <= ZERO:
            break
        taken.append((candidate.account, share))
        quantity -= share
    return taken


def _queue(candidate: Candidate) -> tuple[Decimal, AccountId]:
    return -candidate.score, candidate.account
