"""What a liquidation costs: all of an isolated position's margin, and no more, told as one trade.

A long of 0.1 at 100010 with a leverage of ten has 1000.1 of its own and, for closing at nine tenths of that
price, 9000.9 * 0.00055 = 4.950495. With 0.005 to be kept it is liquidated where 0.1 * p - 9000.9 is
0.1 * p * 0.005, at 9000.9 / 0.0995 = 90461.306...; it is closed at 90009 whatever the market gives for it
(help centre, "Liquidation Process", "Liquidation Price Calculation under Isolated Mode").
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import ROUND_CEILING, Decimal

import pytest

from emulator.core.commands import SetAccountMargin, SetLeverage
from emulator.core.ledger import INSURANCE
from emulator.core.positions import AccountMargin
from emulator.exchanges import bybit
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import INVERSE, LINEAR, LONG, SECOND_US, SHORT, Pit

pytestmark = pytest.mark.anyio

SYMBOL = {"category": LINEAR, "symbol": "BTCUSDT"}
MARGIN = Decimal("1005.050495")


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        for who in ("alice", "bob"):
            account = pit.sandbox.accounts[who]
            await pit.do(SetAccountMargin(account=account, wallet=UNIFIED, mode=AccountMargin.ISOLATED))
        yield pit


async def balance(pit: Pit, coin: str = "USDT") -> Decimal:
    asked = {"accountType": "UNIFIED", "coin": coin}
    (wallet,) = (await pit.get("/v5/account/wallet-balance", asked))["list"]
    (one,) = wallet["coin"]
    return Decimal(one["walletBalance"])


def fund(pit: Pit, coin: str = "USDT") -> Decimal:
    """What the insurance fund gained."""
    ledger = pit.sandbox.engines[bybit.ENGINE].state.ledger
    return ledger.counterparties[INSURANCE].get(coin, Decimal(0))


async def size(pit: Pit, **asked: str) -> str:
    return str((await pit.get("/v5/position/list", {**SYMBOL, **asked}))["list"][0]["size"])


async def test_an_isolated_position_that_is_liquidated_costs_its_margin(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.1")
    before = await balance(pit)
    (position,) = (await pit.get("/v5/position/list", SYMBOL))["list"]
    assert position["liqPrice"] == "90461.31"
    await pit.hold("BTC/USDT", "90461.4")
    assert await size(pit) == "0.1"
    await pit.hold("BTC/USDT", "90461.3")
    assert await size(pit) == "0"
    assert before - await balance(pit) == MARGIN


async def test_it_is_told_as_one_trade_at_the_bankruptcy_price(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.1")
    await pit.hold("BTC/USDT", "90461.3")
    (trade, _) = await pit.trades(LINEAR)
    assert (trade["execType"], trade["createType"]) == ("BustTrade", "CreateByTakeOver_PassThrough")
    assert (trade["execPrice"], trade["closedSize"], trade["isMaker"]) == ("90009.00", "0.100", False)
    assert (trade["execFee"], trade["feeRate"]) == ("4.950495", "0.00055")
    (closed,) = (await pit.get("/v5/position/closed-pnl", SYMBOL))["list"]
    assert (closed["execType"], closed["avgExitPrice"], closed["fillCount"]) == ("BustTrade", "90009", "1")
    # -0.1 * (100010 - 90009) less the fees for opening, 10001 * 0.00055, and for closing
    assert Decimal(closed["closedPnl"]) == Decimal("-1000.1") - Decimal("5.50055") - Decimal("4.950495")
    (position,) = (await pit.get("/v5/position/list", SYMBOL))["list"]
    assert Decimal(position["cumRealisedPnl"]) == -MARGIN - Decimal("5.50055")
    (order,) = (await pit.get("/v5/order/history", {**SYMBOL, "orderId": trade["orderId"]}))["list"]
    assert (order["orderStatus"], order["avgPrice"], order["cumExecFee"]) == ("Filled", "90009", "4.950495")


async def test_its_transactions_come_to_that(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.1")
    await pit.hold("BTC/USDT", "90461.3")
    (line,) = (await pit.get("/v5/account/transaction-log", {"type": "LIQUIDATION"}))["list"]
    assert (line["cashFlow"], line["fee"], line["change"]) == ("-1000.1", "4.950495", str(-MARGIN))
    assert (line["tradePrice"], line["size"]) == ("90009", "0")
    assert Decimal(line["cashBalance"]) == await balance(pit)


async def sink(pit: Pit, bids: list[tuple[str, str]]) -> None:
    """Let the mark price go down to 90410 within a minute, over a book of these bids: the pair's index stands
    at 90500, the contract is traded at 90410, and half a minute later so it was on average."""
    await pit.hold("BTC/USDT", "90500")
    await pit.book("linear:BTCUSDT", bids, [("90410", "1")])


async def test_what_the_market_gives_beyond_that_is_the_funds(pit: Pit) -> None:
    """Bids of 0.06 at 90400 and 0.02 at 90100 are taken, one of 90008.9 is not; for the rest, 0.02, the fund
    gets the mark price, between 90410 and 90461.3: 0.06 * 391 + 0.02 * 91 is 25.28, and 8.02 to 9.046."""
    await pit.place(LONG, price="100010", qty="0.1")
    before = await balance(pit)
    await sink(pit, [("90400", "0.06"), ("90100", "0.02"), ("90008.9", "5")])
    await pit.step(60 * SECOND_US)
    assert await size(pit) == "0"
    assert before - await balance(pit) == MARGIN
    assert Decimal("33.3") <= fund(pit) <= Decimal("34.326")
    shown = (await pit.get("/v5/market/recent-trade", SYMBOL | {"limit": "1000"}))["list"]
    sold = [(one["price"], one["size"]) for one in shown if one["side"] == "Sell"]
    assert [one for one in sold if one[0] < "90410.00"][:2] == [("90100.00", "0.020"), ("90400.00", "0.060")]


async def test_what_it_gives_less_is_paid_by_the_fund(pit: Pit) -> None:
    """At 89000 it is 1009 a bitcoin below the price at which the position is closed."""
    await pit.place(LONG, price="100010", qty="0.1")
    before = await balance(pit)
    await pit.hold("BTC/USDT", "89000")
    assert before - await balance(pit) == MARGIN
    assert fund(pit) == Decimal("-100.9")


async def test_orders_in_the_book_trade_with_what_was_taken_over(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.1")
    await sink(pit, [("90400", "5")])
    bobs = await pit.place(LONG, "bob", price="90405", qty="0.1")
    await pit.step(60 * SECOND_US)
    order = await pit.find(bobs, LINEAR, "bob")
    assert (order["orderStatus"], order["avgPrice"]) == ("Filled", "90405")
    assert fund(pit) == Decimal("39.6")  # 0.1 * (90405 - 90009)
    (trade, *_) = await pit.trades(LINEAR, "bob")
    assert (trade["execType"], trade["isMaker"], trade["execPrice"]) == ("Trade", True, "90405.00")


async def test_a_short_is_closed_above(pit: Pit) -> None:
    """0.1 sold at 99990 for 9999: at eleven tenths of it 10998.9 * 0.00055 = 6.049395 is for closing."""
    await pit.place(SHORT, price="99990", qty="0.1")
    before = await balance(pit)
    (position,) = (await pit.get("/v5/position/list", SYMBOL))["list"]
    # 10998.9 / (0.1 * 1.005)
    assert position["liqPrice"] == "109441.79"
    await pit.hold("BTC/USDT", "109441.8")
    (trade, _) = await pit.trades(LINEAR)
    assert (trade["execType"], trade["execPrice"], trade["execFee"]) == ("BustTrade", "109989.00", "6.049395")
    assert before - await balance(pit) == Decimal("1005.949395")


async def test_an_inverse_contract_costs_its_coins(pit: Pit) -> None:
    """1000 dollars at 100010 with a leverage of ten: closed at 100010 * 10 / 11 = 90918.18..., up to 90918.2,
    where 1000 / 90918.2 - 1000 / 100010 = 0.000999897... are lost, and the fee is 1000 / 90918.2 * 0.00055,
    0.00000604..."""
    await pit.place({**LONG, "category": INVERSE, "symbol": "BTCUSD", "qty": "1000", "price": "100010"})
    asked = {"category": INVERSE, "symbol": "BTCUSD"}
    before = await balance(pit, "BTC")
    (position,) = (await pit.get("/v5/position/list", asked))["list"]
    # 1000 * 1.005 / (1000 / 100010 * 1.1)
    assert position["liqPrice"] == "91372.77"
    await pit.hold("BTC/USD", "91372.7")
    (trade, _) = await pit.trades(INVERSE)
    assert (trade["execType"], trade["execPrice"]) == ("BustTrade", "90918.20")
    assert trade["execFee"] == "0.00000604"
    lost = before - await balance(pit, "BTC")
    assert lost == Decimal("0.00099990") + Decimal("0.00000604")


async def test_a_large_position_is_made_smaller_by_a_tier_first(pit: Pit) -> None:
    """22 at 100010 with a leverage of 50 have 44004.4 and 2156215.6 * 0.00055 = 1185.91858. In the second
    tier they are liquidated where 22 * p - 2156215.6 is 22 * p * 0.0056 - 1200: 2155015.6 / 21.8768 is
    98506.892.

    At 98505.9 the first tier ends with 20.303, so 1.697 are sold in the book, as an ordinary trade. That
    leaves 20.303 of 22 of the cost, 2030503.03, and all of the margin but what was lost and paid.
    """
    account = pit.sandbox.accounts["alice"]
    await pit.do(SetLeverage(account=account, instrument="linear:BTCUSDT", leverage=Decimal(50)))
    await pit.book("linear:BTCUSDT", [("99990", "30")], [("100010", "30")])
    await pit.place(LONG, price="100010", qty="22")
    (position,) = (await pit.get("/v5/position/list", SYMBOL))["list"]
    assert position["liqPrice"] == "98506.89"
    await pit.hold("BTC/USDT", "98505.9")
    forced = [one for one in await pit.trades(LINEAR) if one["createType"] != "CreateByUser"]
    assert {(one["createType"], one["execType"], one["orderQty"]) for one in forced} == {
        ("CreateByLiq", "Trade", "1.697")
    }
    sold = sum(Decimal(one["execQty"]) * Decimal(one["execPrice"]) for one in forced)
    fees = sum(Decimal(one["execFee"]) for one in forced)
    assert sum(Decimal(one["execQty"]) for one in forced) == Decimal("1.697")
    (position,) = (await pit.get("/v5/position/list", SYMBOL))["list"]
    left = Decimal("45190.31858") + sold - Decimal("1.697") * 100010 - fees
    assert (position["size"], Decimal(position["positionBalance"])) == ("20.303", left)
    # What is in the lowest tier then passes on as a whole.
    await pit.hold("BTC/USDT", "98400")
    (trade, *_) = await pit.trades(LINEAR)
    bankrupt = (Decimal("2030503.03") - left) / (Decimal("20.303") * Decimal("0.99945"))
    assert (trade["createType"], trade["execType"], trade["execQty"]) == (
        "CreateByTakeOver_PassThrough",
        "BustTrade",
        "20.303",
    )
    assert Decimal(trade["execPrice"]) == bankrupt.quantize(Decimal("0.1"), ROUND_CEILING)


async def test_what_the_book_does_not_take_wholly_is_not_made_smaller(pit: Pit) -> None:
    """The order for the tier below is filled or killed (help centre, "Liquidation Process")."""
    account = pit.sandbox.accounts["alice"]
    await pit.do(SetLeverage(account=account, instrument="linear:BTCUSDT", leverage=Decimal(50)))
    await pit.book("linear:BTCUSDT", [("99990", "30")], [("100010", "30")])
    await pit.place(LONG, price="100010", qty="22")
    await pit.hold("BTC/USDT", "98550")
    await pit.book("linear:BTCUSDT", [("98400", "1.5")], [("98410", "1")])
    await pit.step(60 * SECOND_US)
    forced = [one for one in await pit.trades(LINEAR) if one["createType"] != "CreateByUser"]
    # At 100010 * 49 / 50 = 98009.8
    assert [(one["createType"], one["execType"], one["execQty"], one["execPrice"]) for one in forced] == [
        ("CreateByTakeOver_PassThrough", "BustTrade", "22.000", "98009.80")
    ]
    assert await size(pit) == "0"
