"""Worked examples of margin tables, positions, fees and break-even prices."""

from __future__ import annotations

from decimal import Decimal as D

from emulator.core.contracts import (
    Contract,
    FundingRule,
    fee_of,
    leverage_max,
    maintenance_of,
    quantity_worth,
    value_max,
)
from emulator.core.margin import CostRule, maintenance, order_cost
from emulator.core.positions import (
    BreakEven,
    Change,
    Leg,
    MarginMode,
    Position,
    break_even_price,
    entry_price,
    traded,
    unrealised,
)
from tests.core.futures import (
    BTC,
    BTC_COIN,
    CENT,
    DOGE,
    ETH,
    ETH_COIN,
    LOTS_WITH_FEE,
    SATOSHI,
    TAKEN,
    TAKEN_USD,
    TRUNCATING,
    held,
)
from tests.core.worked import Example, Figure


def steps(contract: Contract, *trades: tuple[str, str], start: Position | None = None) -> list[Change]:
    """The changes that trades make, one after the other: quantity with its sign, and price."""
    position = start or Position()
    changes = []
    for quantity, price in trades:
        changes.append(traded(contract, position, quantity=D(quantity), price=D(price)))
        position = changes[-1].position
    return changes


def isolated(leverage: str) -> Position:
    return Position(mode=MarginMode.ISOLATED, leverage=D(leverage))


def thirds() -> Figure:
    _, _, first, second = steps(DOGE, ("1", "0.1"), ("2", "0.10001"), ("-1", "0.1"), ("-2", "0.1"))
    return first.position.cost, first.realised, second.realised


def turned() -> Figure:
    start = Position(quantity=D("0.6"), cost=D(60225), realised=D(325))
    change = traded(BTC, start, quantity=D(-1), price=D(99000), fee=D("39.6"))
    after = change.position
    return change.realised, after.quantity, after.cost, after.fees, after.realised


def turned_coin() -> Figure:
    short, change = steps(ETH_COIN, ("-10", "2000"), ("15", "2500"))
    return short.position.cost, change.realised, change.position.quantity, change.position.cost


def releases() -> Figure:
    changes = steps(ETH, ("3", "1000"), ("-1", "1000"), ("-1", "1000"), ("-1", "1000"), start=isolated("30"))
    return changes[0].margin_taken, *(change.margin_released for change in changes[1:])


def cost(contract: Contract, quantity: str, price: str, leverage: str, rule: CostRule) -> D:
    mark = D(price) if rule.open_loss is False else D("9259.84")
    return order_cost(
        contract, quantity=D(quantity), price=D(price), mark=mark, leverage=D(leverage), rule=rule
    )


def broken_even(contract: Contract, position: Position, rule: BreakEven, step: D = SATOSHI) -> D:
    return break_even_price(contract, position, rule, step)


def with_past(position: Position, *, realised: str = "0", fees: str = "0", funding: str = "0") -> Position:
    return Position(
        quantity=position.quantity,
        cost=position.cost,
        realised=D(realised),
        fees=D(fees),
        funding=D(funding),
    )


CLOSING_TOO = BreakEven(counts_funding=True, closing_rate=D("0.00055"))
WITH_FUNDING = BreakEven(counts_funding=True)
WITHOUT_FEES = BreakEven(counts_fees=False)


LONG, SHORT = Leg.LONG, Leg.SHORT
HOUR_8 = FundingRule()


POSITIONS = [
    # Margin tables
    Example("T1", "1200", lambda: maintenance_of(BTC, D(300000))),
    Example("T2", "5000", lambda: maintenance_of(BTC, D(1000000))),
    Example("T3", "2993000", lambda: maintenance_of(ETH, D(100000000))),
    Example("T4", "13720", lambda: maintenance_of(DOGE, D(1000000))),
    Example("T5", "150 100", lambda: (leverage_max(BTC, D(300000)), leverage_max(BTC, D(300001)))),
    Example("T6", "100000000 800000", lambda: (value_max(BTC, D(20)), value_max(BTC, D(100)))),
    Example("T7", "70000000 0", lambda: (value_max(BTC, D(21)), value_max(DOGE, D(76)))),
    Example("T8", "25.895", lambda: maintenance_of(BTC_COIN, D(300))),
    Example("T9", "1.024", lambda: quantity_worth(BTC, D(100000), D(97600), D("0.001"))),
    Example("T10", "2400", lambda: quantity_worth(BTC_COIN, D(5), D(48000), D(1))),
    Example("T11", "46", lambda: maintenance(LOTS_WITH_FEE, held(LOTS_WITH_FEE, "250", "30000"), D(40000))),
    Example(
        "T12",
        "54.950495 56.049",
        lambda: (
            maintenance(TAKEN, held(TAKEN, "0.1", "100010", margin="1005.050495"), D(100000)),
            maintenance(TAKEN, held(TAKEN, "0.1", "100010", leverage="10"), D(102000)),
        ),
    ),
    Example(
        "T13",
        "0.00004605",
        lambda: maintenance(TAKEN_USD, held(TAKEN_USD, "1000", "100000", margin="0.00100605"), D(125000)),
    ),
    Example(
        "T14",
        "54.67506852",
        lambda: maintenance(TAKEN, held(TAKEN, "0.1", "100010", margin="1505.550495"), D(100000)),
    ),
    # Positions in linear contracts
    Example(
        "P1",
        "80300 100375",
        lambda: (
            (change := steps(BTC, ("0.5", "100000"), ("0.3", "101000"))[-1]).position.cost,
            entry_price(BTC, change.position, CENT),
        ),
    ),
    Example(
        "P2",
        "325 0.6 60225 100375",
        lambda: (
            (change := steps(BTC, ("0.5", "100000"), ("0.3", "101000"), ("-0.2", "102000"))[-1]).realised,
            change.position.quantity,
            change.position.cost,
            entry_price(BTC, change.position, CENT),
        ),
    ),
    Example("P3", "0.200013333333333333 -0.00000667 -0.00001333", thirds),
    Example("P4", "-825 -0.4 39600 15.84 0", turned),
    Example(
        "P5",
        "50 6000 -75",
        lambda: (
            (change := steps(ETH, ("-2", "4000"), ("0.5", "3900"))[-1]).realised,
            change.position.cost,
            unrealised(ETH, change.position, D(4050)),
        ),
    ),
    Example(
        "P6",
        "100 50",
        lambda: (
            unrealised(BTC, held(BTC, "0.2", "100000", leg=LONG), D(100500)),
            unrealised(BTC, held(BTC, "-0.1", "101000", leg=SHORT), D(100500)),
        ),
    ),
    Example(
        "P7",
        "0.00000001 0",
        lambda: tuple(
            unrealised(contract, held(contract, "0.000003", "0.1"), D("0.102"))
            for contract in (BTC, TRUNCATING)
        ),
    ),
    # Positions in inverse contracts
    Example(
        "P8",
        "0.45 44444.44444444",
        lambda: (
            (change := steps(BTC_COIN, ("100", "50000"), ("100", "40000"))[-1]).position.cost,
            entry_price(BTC_COIN, change.position, SATOSHI),
        ),
    ),
    Example(
        "P9",
        "0.03333333",
        lambda: unrealised(BTC_COIN, Position(quantity=D(200), cost=D("0.45")), D(48000)),
    ),
    Example(
        "P10",
        "0.02916667 150 0.3375",
        lambda: (
            (
                change := steps(BTC_COIN, ("-50", "60000"), start=Position(quantity=D(200), cost=D("0.45")))[
                    0
                ]
            ).realised,
            change.position.quantity,
            change.position.cost,
        ),
    ),
    Example("P11", "0.0125", lambda: steps(ETH_COIN, ("-10", "2000"), ("10", "1600"))[1].realised),
    Example("P12", "0.05 -0.01 5 0.02", turned_coin),
    # Isolated margin
    Example(
        "P13",
        "500 150 350",
        lambda: (
            (changes := steps(BTC, ("0.1", "100000"), ("-0.03", "99000"), start=isolated("20")))[
                0
            ].margin_taken,
            changes[1].margin_released,
            changes[1].position.margin,
        ),
    ),
    Example("P14", "100 33.33333333 33.33333333 33.33333334", releases),
    Example("P15", "0.008", lambda: steps(BTC_COIN, ("100", "50000"), start=isolated("25"))[0].margin_taken),
    # Fees and break-even
    Example(
        "B1",
        "0.0312 0.00001666",
        lambda: (
            fee_of(ETH, D("-0.02"), D(3900), D("0.0004")),
            fee_of(BTC_COIN, D(10), D(30000), D("0.0005")),
        ),
    ),
    Example(
        "B2", "20008", lambda: broken_even(BTC, with_past(held(BTC, "1", "20000"), fees="8"), BreakEven())
    ),
    Example(
        "B3",
        "1903.05 1900",
        lambda: tuple(
            broken_even(ETH, with_past(held(ETH, "1", "2000"), realised="100", fees="3.05"), rule)
            for rule in (BreakEven(), WITHOUT_FEES)
        ),
    ),
    Example(
        "B4",
        "19992 19997",
        lambda: tuple(
            broken_even(BTC, with_past(held(BTC, "-1", "20000"), fees="8", funding="5"), rule)
            for rule in (BreakEven(), WITH_FUNDING)
        ),
    ),
    Example(
        "B5",
        "50055.03026665",
        lambda: broken_even(BTC, with_past(held(BTC, "0.5", "50000"), fees="13.75"), CLOSING_TOO),
    ),
    Example(
        "B6",
        "50025.01250625",
        lambda: broken_even(BTC_COIN, with_past(held(BTC_COIN, "100", "50000"), fees="0.0001"), BreakEven()),
    ),
]
