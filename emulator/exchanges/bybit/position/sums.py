"""Amounts and average prices of positions, as the wire has them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core.contracts import Contract
from emulator.core.numbers import divide_half, round_half
from emulator.exchanges.bybit.figures import decimal_text

PRICE_STEP: Final = Decimal("1E-8")
"""How finely prices of entry and amounts are shown ("Get Position Info", its example)."""


def amount(value: Decimal) -> str:
    """Of the settle coin: eight places, halves to the even one."""
    return decimal_text(round_half(value, PRICE_STEP))


def average(contract: Contract, quantity: Decimal, worth: Decimal) -> str:
    """The price at which so many contracts are worth so much."""
    if not quantity or not worth:
        return "0"
    size = quantity * contract.size
    whole, part = (size, worth) if contract.is_inverse else (worth, size)
    return decimal_text(divide_half(whole, part, PRICE_STEP))
