"""Worked examples of initial margin, the cost of orders, and what an account has available."""

from __future__ import annotations

from decimal import Decimal as D

from emulator.core.collateral import (
    CollateralRate,
    Counted,
    SeparateCollateral,
    SharedCollateral,
    margin_ratio,
    totals_of_asset,
    totals_shared,
)
from emulator.core.contracts import Contract
from emulator.core.margin import (
    AssetFigures,
    CostRule,
    Holding,
    OpenOrder,
    Resting,
    assumed_price,
    figures,
    order_cost,
    requirement,
    resting_of,
)
from emulator.core.numbers import ZERO
from emulator.core.positions import Position
from tests.core.futures import BTC, BTC_COIN, ETH, SATOSHI, USD_BY_MARK, flat, held, linear
from tests.core.worked import Example, Figure


def needed(
    contract: Contract, quantity: str, mark: str, leverage: str, bids: str = "0", asks: str = "0"
) -> tuple[D, D]:
    """Initial margin of the position, and of the orders beside it."""
    position = held(contract, quantity, mark, leverage=leverage)
    margin = requirement(contract, position, D(mark), Resting(bids=D(bids), asks=D(asks)))
    return margin.position, margin.orders


def needed_coin() -> Figure:
    resting = resting_of(BTC_COIN, [OpenOrder(quantity=D(50), price=D(39000))])
    position = held(BTC_COIN, "100", "45000", leverage="20")
    margin = requirement(BTC_COIN, position, D(40000), resting)
    return margin.position, margin.orders


def needed_with_own_leverage() -> Figure:
    orders = [
        OpenOrder(quantity=D(1), price=D(100)),
        OpenOrder(quantity=D(-2), price=D(100), leverage=D(5)),
    ]
    resting = resting_of(ETH, orders)
    return requirement(ETH, Position(leverage=D(10)), D(100), resting).orders


def sell_cost() -> Figure:
    price, mark = D("9253.30"), D("9259.84")
    assumed = assumed_price(D(-1), price, last=D("9258.99"), mark=mark, premium=D("0.0015"))
    cost = order_cost(
        BTC, quantity=D(-1), price=price, mark=mark, leverage=D(20), rule=CostRule(), assumed=assumed
    )
    return assumed, cost


def cost(contract: Contract, quantity: str, price: str, leverage: str, rule: CostRule) -> D:
    mark = D(price) if rule.open_loss is False else D("9259.84")
    return order_cost(
        contract, quantity=D(quantity), price=D(price), mark=mark, leverage=D(leverage), rule=rule
    )


FEES_BOTH_WAYS = CostRule(open_loss=False, opening_rate=D("0.00055"), closing_rate=D("0.00055"))


TWO_POSITIONS = [
    Holding(
        contract=BTC,
        position=held(BTC, "0.1", "100000", leverage="20", margin="500"),
        mark=D(101000),
        resting=Resting(bids=D(4950)),
    ),
    Holding(
        contract=ETH,
        position=held(ETH, "-2", "4000", leverage="10"),
        mark=D(4050),
        resting=Resting(asks=D(4100)),
    ),
]


def usdt(own: AssetFigures, counted: Counted = Counted.BOTH) -> tuple[D, D]:
    """What is available, and what may leave."""
    account = SeparateCollateral(figures={"USDT": own}, counted=counted)
    return account.available("USDT"), account.withdrawable("USDT")


def one_long(mark: str) -> AssetFigures:
    position = held(ETH, "2", "4000", leverage="10")
    return figures({"USDT": D(1000)}, [Holding(contract=ETH, position=position, mark=D(mark))])["USDT"]


def two_figures() -> Figure:
    own = figures({"USDT": D(10000)}, TWO_POSITIONS)["USDT"]
    totals = totals_of_asset(own, SeparateCollateral(figures={"USDT": own}))
    return (
        totals.wallet,
        totals.unrealised,
        totals.margin_balance,
        totals.position_margin,
        totals.order_margin,
        totals.maintenance,
        totals.cross_wallet,
        totals.cross_unrealised,
        totals.available,
        totals.withdrawable,
    )


RATES = {
    "USDT": CollateralRate(index=D("0.99"), bid_buffer=D("0.01"), ask_buffer=D("0.005")),
    "USDC": CollateralRate(index=D(1)),
    "BTC": CollateralRate(index=D(60000), bid_buffer=D("0.05"), ask_buffer=D("0.05")),
}


def shared(wallets: dict[str, str], *, is_trading: bool = False) -> SharedCollateral:
    holdings = []
    if is_trading:
        perpetual = linear(flat("0.008"))
        in_usdc = linear(flat("0.01"), settle="USDC", margin_asset="USDC")
        holdings = [
            Holding(
                contract=perpetual,
                position=held(perpetual, "0.5", "20000", leverage="100"),
                mark=D(20000),
            ),
            Holding(contract=in_usdc, position=held(in_usdc, "20", "600", leverage="50"), mark=D(600)),
        ]
    own = figures({asset: D(wallet) for asset, wallet in wallets.items()}, holdings)
    return SharedCollateral(figures=own, rates=RATES)


FAQ_WALLETS = {"USDT": "200", "USDC": "220"}


def shared_totals() -> Figure:
    totals = totals_shared(shared(FAQ_WALLETS, is_trading=True))
    return totals.margin_balance, totals.initial_margin, totals.maintenance, totals.available


MARGINS = [
    # Initial margin and the cost of orders
    Example("M1", "5000 950", lambda: needed(BTC, "0.5", "20000", "2", bids="1900", asks="2200")),
    Example("M2", "5000 5750", lambda: needed(BTC, "0.5", "20000", "2", asks="31500")),
    Example("M3", "5000 0", lambda: needed(BTC, "0.5", "20000", "2", asks="10500")),
    Example("M4", "10000 0", lambda: needed(BTC, "-1", "10000", "1", bids="15000")),
    Example(
        "M5",
        "5950 4100",
        lambda: (
            sum(needed(BTC, "0.5", "20000", "2", bids="1900"), ZERO),
            sum(needed(BTC, "-0.3", "20000", "2", asks="2200"), ZERO),
        ),
    ),
    Example("M6", "0.0125 0.00641026", needed_coin),
    Example("M7", "40", needed_with_own_leverage),
    Example("M8", "462.665", lambda: cost(BTC, "1", "9253.30", "20", CostRule())),
    Example("M9", "9272.878485 470.18392425", sell_cost),
    Example("M10", "2526.125", lambda: cost(BTC, "0.5", "50000", "10", FEES_BOTH_WAYS)),
    Example("M11", "0.121386", lambda: cost(USD_BY_MARK, "60000", "50000", "10", FEES_BOTH_WAYS)),
    # Accounts
    Example("A1", "10000 0 10000 1315 657.5 72.8 9500 -100 7932.5 7932.5", two_figures),
    Example("A2", "380 180", lambda: usdt(one_long("4100"))),
    Example("A3", "180 180", lambda: usdt(one_long("4100"), Counted.LOSSES)),
    Example("A4", "0 0", lambda: usdt(one_long("3600"))),
    Example(
        "A5",
        "416.02 418.1315644 416.02",
        lambda: (
            (account := shared(FAQ_WALLETS)).equity(),
            account.available("USDT"),
            account.available("USDC"),
        ),
    ),
    Example(
        "A6",
        "76.91341273 76.525 0.47977501",
        lambda: (
            (account := shared(FAQ_WALLETS, is_trading=True)).available("USDT"),
            account.available("USDC"),
            margin_ratio(account, "USDT", SATOSHI),
        ),
    ),
    Example("A7", "416.02 339.495 199.596 76.525", shared_totals),
    Example("A8", "56900.505", lambda: shared({"USDT": "-100", "BTC": "1"}).equity()),
    Example(
        "A9",
        "0.5 0 0.00180894",
        lambda: (
            shared({"USDT": "0", "BTC": "0.5"}).withdrawable("BTC"),
            shared({"USDT": "-100", "BTC": "1"}).withdrawable("USDT"),
            shared({"USDT": "-57200", "BTC": "1.00025"}).withdrawable("BTC"),
        ),
    ),
]
