"""Contracts and margin tables that exchanges publish, and short ways to positions in them."""

from __future__ import annotations

from decimal import Decimal as D

import msgspec

from emulator.core.contracts import Contract, FeeBasis, Rounding, Tier, Valuation, tier_table, value_of
from emulator.core.positions import Leg, MarginMode, Position

CENT = D("0.01")
TENTH = D("0.1")
SATOSHI = D("0.00000001")


def table(text: str, cap: str) -> tuple[Tier, ...]:
    """floor | highest leverage | maintenance rate, a row a line; amounts follow from these."""
    rows = [[D(cell.replace("_", "")) for cell in line.split("|")] for line in text.strip().splitlines()]
    return tier_table([(row[0], row[1], row[2]) for row in rows], cap=D(cap.replace("_", "")))


BTC_TIERS = table(
    """0 | 150 | 0.004
    300_000 | 100 | 0.005
    800_000 | 75 | 0.0065
    3_000_000 | 50 | 0.01
    12_000_000 | 25 | 0.02
    70_000_000 | 20 | 0.025
    100_000_000 | 10 | 0.05
    230_000_000 | 5 | 0.1
    480_000_000 | 4 | 0.125
    600_000_000 | 3 | 0.15
    800_000_000 | 2 | 0.25
    1_200_000_000 | 1 | 0.5""",
    "1_800_000_000",
)
ETH_TIERS = table(
    """0 | 150 | 0.004
    300_000 | 100 | 0.005
    800_000 | 75 | 0.0065
    3_000_000 | 50 | 0.01
    12_000_000 | 25 | 0.02
    50_000_000 | 20 | 0.025
    65_000_000 | 10 | 0.05
    150_000_000 | 5 | 0.1
    320_000_000 | 4 | 0.125
    400_000_000 | 3 | 0.15
    530_000_000 | 2 | 0.25
    800_000_000 | 1 | 0.5""",
    "1_200_000_000",
)
DOGE_TIERS = table(
    """0 | 75 | 0.0065
    80_000 | 50 | 0.01
    150_000 | 40 | 0.0125
    750_000 | 25 | 0.02
    2_000_000 | 20 | 0.025
    4_000_000 | 10 | 0.05
    20_000_000 | 5 | 0.1
    40_000_000 | 4 | 0.125
    50_000_000 | 2 | 0.25
    100_000_000 | 1 | 0.5""",
    "200_000_000",
)
PUBLISHED_AMOUNTS = {
    "BTC": "0 300 1500 12000 132000 482000 2982000 14482000 26482000 41482000 121482000 421482000",
    "ETH": "0 300 1500 12000 132000 382000 2007000 9507000 17507000 27507000 80507000 280507000",
    "DOGE": "0 280 655 6280 16280 116280 1116280 2116280 8366280 33366280",
}
"""The maintenance amounts as the exchange prints them, in the order of the tiers."""

COIN_TIERS = table(
    """0 | 125 | 0.004
    5 | 100 | 0.005
    10 | 50 | 0.01
    20 | 20 | 0.025
    50 | 10 | 0.05
    100 | 5 | 0.1
    200 | 4 | 0.125
    400 | 3 | 0.15""",
    "1_000",
)
"""BTCUSD in BTC, as published for 2021 to 2022."""


def linear(tiers: tuple[Tier, ...], size: str = "1", **fields: object) -> Contract:
    plain = Contract(settle="USDT", margin_asset="USDT", size=D(size), tiers=tiers)
    return msgspec.structs.replace(plain, **fields)


def inverse(tiers: tuple[Tier, ...], size: str, settle: str = "BTC", **fields: object) -> Contract:
    plain = Contract(is_inverse=True, settle=settle, margin_asset=settle, size=D(size), tiers=tiers)
    return msgspec.structs.replace(plain, **fields)


def flat(rate: str, leverage: str = "100", cap: str = "1_000_000_000") -> tuple[Tier, ...]:
    """One tier only, where an example gives no more than a rate."""
    return table(f"0 | {leverage} | {rate}", cap)


BTC = linear(BTC_TIERS, liquidation_fee=D("0.0125"))
ETH = linear(ETH_TIERS)
DOGE = linear(DOGE_TIERS)
BTC_COIN = inverse(COIN_TIERS, "100")
ETH_COIN = inverse(flat("0.005"), "10", settle="ETH")

BTC_2021 = linear(table("0|125|0.004\n50_000|100|0.005\n250_000|50|0.01\n1_000_000|20|0.025", "5_000_000"))
ETH_2021 = linear(
    table(
        "0|100|0.005\n10_000|75|0.0065\n100_000|50|0.01\n500_000|25|0.02\n1_000_000|10|0.05\n2_000_000|5|0.1",
        "5_000_000",
    )
)
"""The tables in force when the FAQ's example was written; its maintenance amounts follow from them."""

LOTS = linear(flat("0.004", "125", "100_000"), "0.001", maintenance_by=Valuation.ENTRY)
"""Lots of a thousandth, maintenance margin by entry price."""
LOTS_WITH_FEE = linear(flat("0.004", "125", "100_000"), "0.001", maintenance_fee=D("0.0006"))
USD_BY_ENTRY = inverse(flat("0.005", "100"), "1", maintenance_by=Valuation.ENTRY)
USD_BY_MARK = inverse(flat("0.005", "100"), "1")
TAKEN = linear(flat("0.005"), maintenance_fee=D("0.00055"), maintenance_fee_on=FeeBasis.BANKRUPTCY)
TAKEN_USD = inverse(flat("0.005"), "1", maintenance_fee=D("0.00055"), maintenance_fee_on=FeeBasis.BANKRUPTCY)
"""What closing costs where nothing is left is a part of what must be kept."""
TRUNCATING = linear(BTC_TIERS, profit_rounding=Rounding.DOWN)


def held(
    contract: Contract,
    quantity: str,
    price: str,
    *,
    leverage: str = "1",
    margin: str | None = None,
    leg: Leg = Leg.BOTH,
) -> Position:
    """A position entered at one price; with a margin it is isolated."""
    return Position(
        leg=leg,
        mode=MarginMode.CROSS if margin is None else MarginMode.ISOLATED,
        leverage=D(leverage),
        quantity=D(quantity),
        cost=abs(value_of(contract, D(quantity), D(price))),
        margin=D(margin or 0),
    )
