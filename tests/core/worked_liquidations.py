"""Worked examples of liquidation, what it leaves, deleveraging, and funding."""

from __future__ import annotations

from decimal import Decimal as D

from emulator.core.collateral import ratio_of
from emulator.core.contracts import Contract, FundingRule
from emulator.core.deleveraging import deleveraging_lights, deleveraging_score
from emulator.core.funding import (
    HOUR_US,
    average_premium,
    funding_payment,
    funding_rate,
    next_funding_us,
    premium_index,
)
from emulator.core.liquidation import (
    bankruptcy_price,
    liquidation_price,
    liquidation_price_shared,
    settlement,
)
from emulator.core.margin import maintenance
from emulator.core.positions import Leg, Position, after_funding, unrealised
from tests.core.futures import (
    BTC,
    BTC_2021,
    BTC_COIN,
    CENT,
    ETH_2021,
    ETH_COIN,
    LOTS,
    LOTS_WITH_FEE,
    TAKEN,
    TAKEN_USD,
    TENTH,
    USD_BY_ENTRY,
    USD_BY_MARK,
    flat,
    held,
    inverse,
    linear,
)
from tests.core.worked import Example, Figure


def liquidated(
    contract: Contract,
    *legs: Position,
    funds: str,
    step: D = TENTH,
) -> D | None:
    return liquidation_price(contract, legs, D(funds), step=step)


def liquidated_shared(own: str, others: str) -> D | None:
    return liquidation_price_shared(
        BTC,
        [held(BTC, "0.1", "50000")],
        own=D(own),
        others=D(others),
        counted=[(D(0), D("0.9801")), (D(0), D("0.99495"))],
        ask=D("0.99495"),
        step=TENTH,
    )


def bankrupt(contract: Contract, position: Position, funds: str, fee: str = "0", step: D = TENTH) -> D | None:
    return bankruptcy_price(contract, [position], D(funds), step=step, fee_rate=D(fee))


def settled(collateral: str, realised: str, closed: str, fee: str) -> Figure:
    contract = linear(flat("0.004"), liquidation_fee=D(fee))
    outcome = settlement(contract, D(collateral), D(realised), D(closed))
    return outcome.fee, outcome.gap, outcome.left


def score(unrealised_: str, wallet: str, kept: str) -> D:
    return deleveraging_score(
        unrealised=D(unrealised_), wallet=D(wallet), maintenance=D(kept), step=D("0.000001")
    )


LONG, SHORT = Leg.LONG, Leg.SHORT
HOUR_8 = FundingRule()


LIQUIDATIONS = [
    # Liquidation of linear contracts
    Example(
        "L1",
        "26316.89",
        lambda: liquidated(BTC_2021, held(BTC_2021, "109.488", "32481.98"), funds="730737.612", step=CENT),
    ),
    Example(
        "L2",
        "1153.26",
        lambda: liquidated(ETH_2021, held(ETH_2021, "3683.979", "1456.84"), funds="1407887.62856", step=CENT),
    ),
    Example("L3", "95381.5", lambda: liquidated(BTC, held(BTC, "0.1", "100000"), funds="500")),
    Example("L4", "104581.7", lambda: liquidated(BTC, held(BTC, "-0.1", "100000"), funds="500")),
    Example("L5", "75346.7", lambda: liquidated(BTC, held(BTC, "10", "100000"), funds="250000")),
    Example("L6", "89567.8", lambda: liquidated(BTC, held(BTC, "-10", "75000"), funds="150000")),
    Example("L7", "91064.3", lambda: liquidated(BTC, held(BTC, "1", "100000"), funds="9300")),
    Example(
        "L8",
        "82772.5",
        lambda: liquidated(
            BTC,
            held(BTC, "0.5", "100000", leg=LONG),
            held(BTC, "-0.2", "102000", leg=SHORT),
            funds="5000",
        ),
    ),
    Example(
        "L9",
        "118890.4",
        lambda: liquidated(
            BTC,
            held(BTC, "0.2", "100000", leg=LONG),
            held(BTC, "-0.5", "102000", leg=SHORT),
            funds="5000",
        ),
    ),
    Example(
        "L10",
        "250000",
        lambda: liquidated(
            BTC, held(BTC, "1", "100000", leg=LONG), held(BTC, "-1", "101000", leg=SHORT), funds="1000"
        ),
    ),
    Example("L11", "none", lambda: liquidated(BTC, held(BTC, "0.1", "10000"), funds="2000")),
    Example("L12", "28168", lambda: liquidated(LOTS, held(LOTS, "-5", "28000"), funds="1.4")),
    Example(
        "L13",
        "27124.8",
        lambda: liquidated(LOTS_WITH_FEE, held(LOTS_WITH_FEE, "1000", "30000"), funds="3000"),
    ),
    # Liquidation of inverse contracts
    Example("L14", "33599.4", lambda: liquidated(BTC_COIN, held(BTC_COIN, "100000", "45000"), funds="101")),
    Example("L15", "45636.4", lambda: liquidated(BTC_COIN, held(BTC_COIN, "100", "50000"), funds="0.02")),
    Example("L16", "55333.3", lambda: liquidated(BTC_COIN, held(BTC_COIN, "-100", "50000"), funds="0.02")),
    Example("L17", "33472.1", lambda: liquidated(BTC_COIN, held(BTC_COIN, "2000", "50000"), funds="2")),
    Example(
        "L18",
        "34990.2",
        lambda: liquidated(
            BTC_COIN,
            held(BTC_COIN, "100", "50000", leg=LONG),
            held(BTC_COIN, "-40", "52000", leg=SHORT),
            funds="0.05",
        ),
    ),
    Example("L19", "none", lambda: liquidated(BTC_COIN, held(BTC_COIN, "-100", "50000"), funds="0.2")),
    Example(
        "L20",
        "45662.1 55248.6",
        lambda: tuple(
            liquidated(USD_BY_ENTRY, held(USD_BY_ENTRY, quantity, "50000"), funds="0.12")
            for quantity in ("60000", "-60000")
        ),
    ),
    Example(
        "L21", "45681.8", lambda: liquidated(USD_BY_MARK, held(USD_BY_MARK, "60000", "50000"), funds="0.12")
    ),
    # Where what closing costs at the bankruptcy price is kept as well
    Example(
        "L24",
        "90461.3 85428.4 109441.8",
        lambda: tuple(
            liquidated(TAKEN, held(TAKEN, quantity, price, margin=margin), funds=margin)
            for quantity, price, margin in (
                ("0.1", "100010", "1005.050495"),
                ("0.1", "100010", "1505.550495"),
                ("-0.1", "99990", "1005.949395"),
            )
        ),
    ),
    Example(
        "L25",
        "45681.8",
        lambda: liquidated(TAKEN_USD, held(TAKEN_USD, "60000", "50000", margin="0.120726"), funds="0.120726"),
    ),
    Example(
        "L26", "90507.3", lambda: liquidated(TAKEN, held(TAKEN, "0.1", "100010", leverage="10"), funds="1000")
    ),
    # Liquidation where all assets stand together
    Example("L22", "40109.7", lambda: liquidated_shared("0", "1000")),
    Example("L23", "30122.3", lambda: liquidated_shared("2000", "0")),
    # Bankruptcy, and what a liquidation leaves
    Example(
        "K1",
        "95000 105000",
        lambda: tuple(bankrupt(BTC, held(BTC, quantity, "100000"), "500") for quantity in ("0.1", "-0.1")),
    ),
    Example("K2", "95047.6", lambda: bankrupt(BTC, held(BTC, "0.1", "100000"), "500", fee="0.0005")),
    Example("K3", "28280", lambda: bankrupt(LOTS, held(LOTS, "-5", "28000"), "1.4")),
    Example(
        "K4",
        "27450.99",
        lambda: bankrupt(USD_BY_MARK, held(USD_BY_MARK, "28000", "28000"), "0.02", step=CENT),
    ),
    Example(
        "K5",
        "0.384",
        lambda: ratio_of(
            maintenance(BTC, held(BTC, "0.1", "100000"), D(96000)), D(500) + D(-400), D("0.001")
        ),
    ),
    Example("K6", "30 0 0", lambda: settled("500", "-470", "9530", "0.0125")),
    Example("K7", "0 100 0", lambda: settled("500", "-600", "9400", "0.0125")),
    Example("K8", "4.765 0 25.235", lambda: settled("500", "-470", "9530", "0.0005")),
    Example(
        "K9",
        "0.0125 0 0",
        lambda: (score("100", "400", "25"), score("-100", "400", "25"), score("0.5", "-1", "25")),
    ),
    Example("K10", "1.263429", lambda: score("40.2", "4.27", "5.967874")),
    Example("K11", "0 1 2 3 4", lambda: tuple(deleveraging_lights([D(1), D(2), D(3), D(4), D(5)]))),
    Example(
        "K12",
        "90009 109989",
        lambda: (
            bankrupt(TAKEN, held(TAKEN, "0.1", "100010"), "1005.050495", fee="0.00055"),
            bankrupt(TAKEN, held(TAKEN, "-0.1", "99990"), "1005.949395", fee="0.00055"),
        ),
    ),
    # Funding
    Example("F1", "0.0001", lambda: funding_rate(HOUR_8, D("0.0003"), 8)),
    Example(
        "F2",
        "0.0005 0.00025 0.0000625",
        lambda: tuple(funding_rate(HOUR_8, D("0.001"), hours) for hours in (8, 4, 1)),
    ),
    Example(
        "F3",
        "-0.0015 -0.00075",
        lambda: (
            funding_rate(HOUR_8, D("-0.002"), 8),
            funding_rate(FundingRule(floor=D("-0.00075"), cap=D("0.00075")), D("-0.002"), 8),
        ),
    ),
    Example(
        "F4",
        "-5 5",
        lambda: tuple(
            funding_payment(BTC, held(BTC, quantity, "90000"), mark=D(100000), rate=D("0.0001"))
            for quantity in ("0.5", "-0.5")
        ),
    ),
    Example(
        "F5",
        "-0.000025 0.00000033",
        lambda: (
            funding_payment(BTC_COIN, held(BTC_COIN, "100", "50000"), mark=D(40000), rate=D("0.0001")),
            funding_payment(BTC_COIN, held(BTC_COIN, "-1", "50000"), mark=D(30000), rate=D("0.0001")),
        ),
    ),
    Example("F6", "0.00023333", lambda: average_premium([D("0.0001"), D("0.0002"), D("0.0003")])),
    Example(
        "F7",
        "0.0005 -0.0004 0",
        lambda: tuple(
            premium_index(impact_bid=D(bid), impact_ask=D(ask), index=D(100000))
            for bid, ask in ((100050, 100060), (99950, 99960), (99990, 100010))
        ),
    ),
    Example(
        "F8",
        "28800 32400 28800",
        lambda: tuple(
            next_funding_us(now, hours) // 1_000_000
            for now, hours in ((0, 8), (8 * HOUR_US, 1), (4 * HOUR_US, 4))
        ),
    ),
    Example(
        "F9",
        "-7 493",
        lambda: (
            (after := after_funding(held(BTC, "0.1", "100000", margin="500"), D(-7), margin=D(-7))).funding,
            after.margin,
        ),
    ),
    Example(
        "F10",
        "0.05 0",
        lambda: (
            unrealised(ETH_COIN, held(ETH_COIN, "10", "1000"), D(2000)),
            unrealised(inverse(flat("0.005"), "10"), Position(), D(2000)),
        ),
    ),
]
