"""Whole stories of an account that trades contracts, over signed requests; every figure is reckoned by hand.

Formulas: docs/futures-maths.md. Takers pay 0.05 %; a contract of BTCUSD is 100 USD; fees are rounded down to
1E-8 and profits to the nearest.

The mark price while a book is set by hand: the median of the index with what is left of the funding rate, the
index with the basis of the last 30 seconds on average, and the last price. The last price goes to the nearer
side of a new book at once; the basis follows within 30 seconds, so the mark ends at the last price.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest

from emulator.exchanges import binance
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.arena import BTC, LIMIT_BUY, LIMIT_SELL, MARKET_SELL
from tests.exchanges.binance.futures.stage import ASSETS, BUY, HOUR_US, SECOND_US, Stage, decimals
from tests.exchanges.binance.futures.test_futures_user_data import Ear

pytestmark = pytest.mark.anyio

FUNDING_US = 1_790_006_400 * SECOND_US
"""2026-09-21 16:00 UTC, the first payment after the start."""
DELIVERY_US = 1_790_323_200 * SECOND_US
"""2026-09-25 08:00 UTC."""


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage.played() as stage:
        yield stage


# Opening, adding, reducing, turning


async def test_a_linear_position_from_its_opening_to_its_turning(stage: Stage) -> None:
    await stage.taken("BUY", "0.1", "100010")
    assert await stage.positions() == {"BOTH": decimals("0.1", "100010")}
    await stage.quote("101990", "102010")
    await stage.taken("BUY", "0.1", "102010")
    # (100010 + 102010) / 2
    assert await stage.positions() == {"BOTH": decimals("0.2", "101010")}
    await stage.taken("SELL", "0.05", "101990")
    assert await stage.positions() == {"BOTH": decimals("0.15", "101010")}
    await stage.taken("SELL", "0.25", "101990")
    assert await stage.positions() == {"BOTH": decimals("-0.1", "101990")}
    # 0.05 * 980 and 0.15 * 980.
    assert await stage.incomes("REALIZED_PNL") == [49, 147]
    # 0.0005 of 10001, 10201, 5099.5 and 25497.5.
    assert sum(await stage.incomes("COMMISSION")) == Decimal("-25.3995")
    assert await stage.wallet() == Decimal("100170.6005")


async def test_an_inverse_position_from_its_opening_to_its_turning(stage: Stage) -> None:
    await stage.taken("BUY", "100", "50010", COINM)
    await stage.quote("50990", "51010", COINM)
    await stage.taken("BUY", "100", "51010", COINM)
    ((quantity, entry),) = (await stage.positions(COINM)).values()
    # 20000 / (10000 / 50010 + 10000 / 51010) = 20000 / (0.1999600080 + 0.1960399922) = 20000 / 0.3960000002
    assert (quantity, round(entry, 2)) == decimals("200", "50505.05")
    await stage.taken("SELL", "50", "50990", COINM)
    await stage.taken("SELL", "250", "50990", COINM)
    assert await stage.positions(COINM) == {"BOTH": decimals("-100", "50990")}
    # 0.3960000002 / 4 - 5000 / 50990 = 0.09900000004 - 0.09805844283, and three times that.
    assert await stage.incomes("REALIZED_PNL", COINM) == [*decimals("0.00094156", "0.00282467")]
    # 5 / 50010, 5 / 51010, 2.5 / 50990 and 12.5 / 50990, down.
    fees = decimals("-0.00009998", "-0.00009801", "-0.00004902", "-0.00024514")
    assert sum(await stage.incomes("COMMISSION", COINM)) == sum(fees)
    # 10 + 0.00376623 - 0.00049215
    assert await stage.wallet(COINM) == Decimal("10.00327408")


async def test_both_legs_of_hedge_mode_have_their_own_profit(stage: Stage) -> None:
    await stage.hedge()
    await stage.taken("BUY", "0.1", "100010", positionSide="LONG")
    await stage.taken("SELL", "0.2", "99990", positionSide="SHORT")
    assert await stage.positions() == {"LONG": decimals("0.1", "100010"), "SHORT": decimals("-0.2", "99990")}
    await stage.quote("100990", "101010")
    await stage.taken("SELL", "0.1", "100990", positionSide="LONG")
    code, _ = await stage.no("POST", "order", **{**MARKET_SELL, "positionSide": "LONG"})
    assert code == -2022
    assert await stage.positions() == {"SHORT": decimals("-0.2", "99990")}
    await stage.taken("BUY", "0.2", "101010", positionSide="SHORT")
    assert await stage.positions() == {}
    # 0.1 * 980 and 0.2 * -1020; fees are 5.0005 + 9.999 + 5.0495 + 10.101.
    assert await stage.incomes("REALIZED_PNL") == [98, -204]
    assert await stage.wallet() == Decimal("99863.85")


# Liquidation


class Ruin(msgspec.Struct, frozen=True, kw_only=True):
    """A position that is lost: opened at market, until the book is at `bid` and `ask`."""

    product: Product
    margin_type: str
    side: str
    quantity: str
    bid: str
    ask: str
    limit: str
    realised: str
    cleared: str
    left: str

    def __str__(self) -> str:
        return f"{self.product.site}-{self.margin_type}-{self.side}".lower()


RUINS = [
    # Margin 10001 / 20 = 500.05: lost below (10001 - 500.05) / 0.0996 = 95391.06, nothing left at 95009.5.
    # 0.1 * (95300 - 100010) = -471; of the 29.05 that remain the fee of 1.25 % takes all. The fee of the
    # opening was 5.0005.
    Ruin(
        product=USDM,
        margin_type="ISOLATED",
        side="BUY",
        quantity="0.1",
        bid="95300",
        ask="95320",
        limit="95009.5",
        realised="-471",
        cleared="-29.05",
        left="99494.9495",
    ),
    # Margin 499.95: lost above 10498.95 / 0.1004 = 104571.2, nothing left at 104989.5;
    # -0.1 * 4710, fee 4.9995.
    Ruin(
        product=USDM,
        margin_type="ISOLATED",
        side="SELL",
        quantity="0.1",
        bid="104680",
        ask="104700",
        limit="104989.5",
        realised="-471",
        cleared="-28.95",
        left="99495.0505",
    ),
    # 10000 - 145.0145 of fee: lost below (290029 - 9854.9855) / (2.9 * 0.996) = 96999.7; nothing is left at
    # 280174.0145 / 2.9 = 96611.73. 2.9 * (96900 - 100010) = -9019.
    Ruin(
        product=USDM,
        margin_type="CROSSED",
        side="BUY",
        quantity="2.9",
        bid="96900",
        ask="96920",
        limit="96611.8",
        realised="-9019",
        cleared="-835.9855",
        left="0",
    ),
    # 10000 - 144.9855: lost above (289971 + 9855.0145) / (2.9 * 1.004) = 102976.4, nothing left at 103388.28.
    Ruin(
        product=USDM,
        margin_type="CROSSED",
        side="SELL",
        quantity="2.9",
        bid="103080",
        ask="103100",
        limit="103388.2",
        realised="-9019",
        cleared="-836.0145",
        left="0",
    ),
    # Margin 0.199960008 / 20 = 0.009998: lost below 10040 / 0.209958008 = 47819.08, nothing left at 47628.57.
    # 0.1999600080 - 10000 / 47750 = 0.1999600080 - 0.2094240838; fee 0.00009998.
    Ruin(
        product=COINM,
        margin_type="ISOLATED",
        side="BUY",
        quantity="100",
        bid="47750",
        ask="47770",
        limit="47628.6",
        realised="-0.00946408",
        cleared="-0.00053392",
        left="9.98990202",
    ),
    # Margin 0.200040008 / 20 = 0.010002: lost above 9960 / 0.190038008 = 52410.57, nothing left at 52621.05.
    # 10000 / 52510 - 0.2000400080 = 0.1904399162 - 0.2000400080; fee 0.00010002.
    Ruin(
        product=COINM,
        margin_type="ISOLATED",
        side="SELL",
        quantity="100",
        bid="52490",
        ask="52510",
        limit="52621",
        realised="-0.00960009",
        cleared="-0.00040191",
        left="9.98989798",
    ),
    # 0.01 - 0.00009998: lost below 10040 / 0.209860028 = 47841.4, nothing left at
    # 10000 / 0.209860028 = 47650.81.
    Ruin(
        product=COINM,
        margin_type="CROSSED",
        side="BUY",
        quantity="100",
        bid="47750",
        ask="47770",
        limit="47650.9",
        realised="-0.00946408",
        cleared="-0.00043594",
        left="0",
    ),
    # 0.01 - 0.00010002: lost above 9960 / 0.190140028 = 52382.5, nothing left at
    # 10000 / 0.190140028 = 52592.82.
    Ruin(
        product=COINM,
        margin_type="CROSSED",
        side="SELL",
        quantity="100",
        bid="52490",
        ask="52510",
        limit="52592.8",
        realised="-0.00960009",
        cleared="-0.00029989",
        left="0",
    ),
]


@pytest.mark.parametrize("ruin", RUINS, ids=str)
async def test_a_position_is_lost(stage: Stage, ruin: Ruin) -> None:
    product, symbol, is_long = ruin.product, BUY[ruin.product]["symbol"], ruin.side == "BUY"
    await stage.quote(*(("99990", "100010") if product is USDM else ("49990", "50010")), product)
    if ruin.margin_type == "ISOLATED":
        await stage.ok("POST", "marginType", product, symbol=symbol, marginType="ISOLATED")
    else:
        await stage.ok("POST", "leverage", product, symbol=symbol, leverage=50)
        kind, much = ("UMFUTURE_MAIN", "90000") if product is USDM else ("CMFUTURE_MAIN", "9.99")
        await stage.post("/sapi/v1/asset/transfer", type=kind, asset=ASSETS[product], amount=much)
    opened_ms = NOW_US // 1000
    await stage.finish(BUY[product], product, side=ruin.side, quantity=ruin.quantity)
    await stage.quote(ruin.bid, ruin.ask, product)
    assert await stage.positions(product) != {}
    await stage.step(31 * SECOND_US)
    assert await stage.positions(product) == {}

    (order,) = await stage.ok("GET", "forceOrders", product)
    assert order["clientOrderId"] == f"autoclose-{order['orderId']}"
    assert (order["side"], order["status"]) == ("SELL" if is_long else "BUY", "FILLED")
    assert (order["type"], order["timeInForce"]) == ("LIMIT", "IOC")
    assert (Decimal(order["price"]), Decimal(order["avgPrice"])) == decimals(
        ruin.limit, ruin.bid if is_long else ruin.ask
    )
    assert await stage.ok("GET", "forceOrders", product, autoCloseType="LIQUIDATION") == [order]
    assert await stage.ok("GET", "forceOrders", product, autoCloseType="ADL") == []
    # The mark moves within thirty seconds from the pair's price to the contract's.
    assert opened_ms < order["time"] <= opened_ms + 31_000

    trade = (await stage.ok("GET", "userTrades", product, symbol=symbol))[-1]
    assert (trade["orderId"], Decimal(trade["qty"])) == (order["orderId"], Decimal(ruin.quantity))
    assert (Decimal(trade["realizedPnl"]), Decimal(trade["commission"])) == decimals(ruin.realised, "0")
    assert await stage.incomes("REALIZED_PNL", product) == [*decimals(ruin.realised)]
    assert await stage.incomes("INSURANCE_CLEAR", product) == [*decimals(ruin.cleared)]
    assert await stage.wallet(product) == Decimal(ruin.left)


async def test_an_isolated_position_loses_no_more_than_its_margin(stage: Stage) -> None:
    """Margin 500.05, nothing left at 95009.5. The book takes 0.04 at 95300, the fund the rest at 95009.5:
    0.04 * -4710 = -188.4 and 0.06 * -5000.5 = -300.03, so of the fee for the former 11.62 are there."""
    await stage.ok("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    await stage.taken("BUY", "0.1", "100010")
    await stage.book(BTC, [("95300", "0.04"), ("95000", "5")], [("95320", "5")])
    await stage.step(31 * SECOND_US)
    assert await stage.positions() == {}
    assert await stage.incomes("REALIZED_PNL") == [*decimals("-188.4", "-300.03")]
    assert await stage.incomes("INSURANCE_CLEAR") == [*decimals("-11.62")]
    # 100000 - 5.0005 - 500.05
    assert await stage.wallet() == Decimal("99494.9495")


async def test_a_gap_is_the_insurance_funds(stage: Stage) -> None:
    """At 90000 a margin of 500.05 is long gone, so it is closed at 95009.5, where that was all."""
    await stage.ok("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    await stage.taken("BUY", "0.1", "100010")
    await stage.hold_price("BTC/USDT", "90000")
    assert await stage.positions() == {}
    assert await stage.incomes("REALIZED_PNL") == [Decimal("-500.05")]
    assert await stage.incomes("INSURANCE_CLEAR") == []
    assert await stage.wallet() == Decimal("99494.9495")


async def test_whom_the_fund_cannot_help_somebody_is_deleveraged_for(stage: Stage) -> None:
    """As before, with an empty fund: bob's short goes for 95009.5 too, where it has gained 0.1 * 4980.5."""
    engine = stage.sandbox.engines[binance.ENGINE]
    margin = msgspec.structs.replace(engine.rules.margin, insurance={})
    engine.rules = msgspec.structs.replace(engine.rules, margin=margin)
    await stage.ok("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    await stage.taken("BUY", "0.1", "100010")
    await stage.post("/fapi/v1/order", "bob", **{**MARKET_SELL, "quantity": "0.1"})
    told, ear = Ear(stage, USDM), Ear(stage, USDM, "bob")
    await stage.hold_price("BTC/USDT", "90000")
    assert await stage.positions() == await stage.positions(who="bob") == {}

    (order,) = await stage.get("/fapi/v1/forceOrders", "bob", autoCloseType="ADL")
    assert (order["clientOrderId"], order["side"], order["status"]) == ("adl_autoclose", "BUY", "FILLED")
    assert decimals(order["avgPrice"], order["executedQty"]) == decimals("95009.5", "0.1")
    assert await stage.get("/fapi/v1/forceOrders", "bob", autoCloseType="LIQUIDATION") == []
    (lost,) = await stage.ok("GET", "forceOrders", autoCloseType="LIQUIDATION")
    assert decimals(lost["avgPrice"], lost["executedQty"]) == decimals("95009.5", "0.1")
    assert await stage.ok("GET", "forceOrders", autoCloseType="ADL") == []
    assert await stage.incomes("REALIZED_PNL") == [Decimal("-500.05")]
    assert await stage.incomes("REALIZED_PNL", who="bob") == [Decimal("498.05")]
    # Of 9999 at market; being deleveraged costs nothing.
    assert await stage.incomes("COMMISSION", who="bob") == [Decimal("-4.9995")]
    trade = (await stage.get("/fapi/v1/userTrades", "bob", symbol="BTCUSDT"))[-1]
    assert (trade["orderId"], Decimal(trade["commission"])) == (order["orderId"], Decimal(0))
    (fund,) = (await stage.get("/fapi/v1/insuranceBalance", symbol="BTCUSDT"))["assets"]
    assert Decimal(fund["marginBalance"]) == 0

    of_alice = [one["o"] for one in told.take() if one["e"] == "ORDER_TRADE_UPDATE"]
    assert [(one["c"], one["x"], one["X"]) for one in of_alice] == [
        (lost["clientOrderId"], "NEW", "NEW"),
        (lost["clientOrderId"], "CALCULATED", "FILLED"),
    ]
    events = ear.take()
    of_bob = [one["o"] for one in events if one["e"] == "ORDER_TRADE_UPDATE"]
    assert [(one["c"], one["x"], one["X"]) for one in of_bob] == [
        ("adl_autoclose", "NEW", "NEW"),
        ("adl_autoclose", "CALCULATED", "FILLED"),
    ]
    assert decimals(of_bob[-1]["L"], of_bob[-1]["l"], of_bob[-1]["rp"]) == decimals(
        "95009.5", "0.1", "498.05"
    )
    (change,) = [one["a"] for one in events if one["e"] == "ACCOUNT_UPDATE"]
    assert [(one["s"], one["pa"]) for one in change["P"]] == [("BTCUSDT", "0")]


async def test_one_leg_is_lost_and_the_other_stays(stage: Stage) -> None:
    """The figures of the isolated short above; orders of the other leg stay as well."""
    await stage.hedge()
    await stage.ok("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    await stage.taken("BUY", "0.1", "100010", positionSide="LONG")
    await stage.taken("SELL", "0.1", "99990", positionSide="SHORT")
    of_long = await stage.place_order(LIMIT_SELL, positionSide="LONG", price="104990")
    of_short = await stage.place_order(LIMIT_BUY, positionSide="SHORT", price="97990")
    await stage.quote("104680", "104700")
    await stage.step(31 * SECOND_US)
    assert await stage.positions() == {"LONG": decimals("0.1", "100010")}
    (order,) = await stage.ok("GET", "forceOrders")
    assert (order["positionSide"], order["side"]) == ("SHORT", "BUY")
    assert await stage.incomes("INSURANCE_CLEAR") == [Decimal("-28.95")]
    assert (await stage.find_order(of_long["orderId"]))["status"] == "NEW"
    assert (await stage.find_order(of_short["orderId"]))["status"] == "EXPIRED"
    # 100000 - 5.0005 - 4.9995 - 499.95
    assert await stage.wallet() == Decimal("99490.05")


# Funding


@pytest.mark.parametrize(
    ("product", "bid", "ask", "rate", "mark", "paid"),
    [
        # 100 above the index: 0.001 - 0.0005. The mark is the median of 100050, 100110 and 100100.
        (USDM, "100100", "100120", "0.0005", "100100", "-5.005"),
        # 100 below it: -0.001 + 0.0005. Of 99950, 99890 and 99900.
        (USDM, "99880", "99900", "-0.0005", "99900", "4.995"),
        # Of 50025, 50055 and 50050; 10000 / 50050 * 0.0005 = 0.0000999001.
        (COINM, "50050", "50060", "0.0005", "50050", "-0.0000999"),
        # Of 49975, 49945 and 49950; 10000 / 49950 * 0.0005 = 0.0001001001.
        (COINM, "49940", "49950", "-0.0005", "49950", "0.0001001"),
    ],
)
async def test_funding_is_paid_by_whom_the_premium_says(
    stage: Stage, product: Product, bid: str, ask: str, rate: str, mark: str, paid: str
) -> None:
    await stage.step(FUNDING_US - NOW_US)
    await stage.quote(bid, ask, product)
    values = {**BUY[product], "quantity": "0.1" if product is USDM else "100"}
    await stage.finish(values, product)
    await stage.post(f"{product.prefix}/v1/order", "bob", **{**values, "side": "SELL"})
    await stage.step(8 * HOUR_US - 1)
    assert await stage.incomes("FUNDING_FEE", product) == []
    await stage.step(1)
    told = (await stage.get(f"{product.prefix}/v1/fundingRate", symbol=values["symbol"]))[-1]
    assert (Decimal(told["fundingRate"]), told["fundingTime"]) == (
        Decimal(rate),
        (FUNDING_US + 8 * HOUR_US) // 1000,
    )
    shown = await stage.get(f"{product.prefix}/v1/premiumIndex", symbol=values["symbol"])
    (shown,) = shown if isinstance(shown, list) else [shown]
    assert Decimal(shown["markPrice"]) == Decimal(mark)
    for who, amount in (("alice", Decimal(paid)), ("bob", -Decimal(paid))):
        assert await stage.incomes("FUNDING_FEE", product, who) == [amount]


# Delivery


@pytest.mark.parametrize(
    ("product", "symbol", "pair", "prices", "settled", "realised", "left"),
    [
        # 0.1 * (101000 - 100010); fees are 5.0005 for the opening and 5.05 for the delivery.
        (
            USDM,
            "BTCUSDT_260925",
            "BTC/USDT",
            ("99990", "100010"),
            "101000",
            "99",
            "100088.9495",
        ),
        # 10000 / 50010 - 10000 / 51000 = 0.1999600080 - 0.1960784314; fees are 0.00009998 and 0.00009803.
        (
            COINM,
            "BTCUSD_260925",
            "BTC/USD",
            ("49990", "50010"),
            "51000",
            "0.00388158",
            "10.00368357",
        ),
    ],
)
async def test_a_quarter_is_delivered(
    stage: Stage,
    product: Product,
    symbol: str,
    pair: str,
    prices: tuple[str, str],
    settled: str,
    realised: str,
    left: str,
) -> None:
    instrument = product.listings[symbol].instrument.symbol
    bid, ask = prices
    await stage.book(instrument, [(bid, "10000")], [(ask, "10000")])
    quantity = "0.1" if product is USDM else "100"
    await stage.taken("BUY", quantity, ask, product, symbol=symbol)
    await stage.step(DELIVERY_US - 2 * HOUR_US - NOW_US)
    await stage.hold_price(pair, settled)
    resting = await stage.place_order(
        LIMIT_BUY, product, symbol=symbol, quantity=quantity, price=str(int(bid) - 1000)
    )
    await stage.step(2 * HOUR_US - 1)
    assert await stage.positions(product) == {"BOTH": decimals(quantity, ask)}
    await stage.step(1)
    assert await stage.positions(product) == {}
    assert await stage.incomes("DELIVERED_SETTELMENT", product) == [Decimal(realised)]
    assert await stage.incomes("FUNDING_FEE", product) == []
    assert await stage.wallet(product) == Decimal(left)
    assert (await stage.find_order(resting["orderId"], product, symbol))["status"] == "EXPIRED"
    trade = (await stage.ok("GET", "userTrades", product, symbol=symbol))[-1]
    assert Decimal(trade["price"]) == Decimal(settled)
    closing = await stage.find_order(trade["orderId"], product, symbol)
    assert closing["clientOrderId"] == f"settlement_autoclose-{closing['orderId']}"
    code, _ = await stage.no("POST", "order", product, **{**BUY[product], "symbol": symbol})
    assert code == -4141
