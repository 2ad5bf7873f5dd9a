"""The account endpoints of both futures sites, as a client sees them. Field names are those of the examples
in the documents of USD-M ("Account Endpoints", "Trade Endpoints") and COIN-M."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core.instruments import Side
from emulator.core.positions import Leg, MarginMode
from emulator.exchanges.binance.futures import account
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.vault import BTC, COIN, ETH, Vault

pytestmark = pytest.mark.anyio

USDM_ASSET = set(
    "asset walletBalance unrealizedProfit marginBalance maintMargin initialMargin positionInitialMargin "
    "openOrderInitialMargin crossWalletBalance crossUnPnl availableBalance maxWithdrawAmount "
    "updateTime".split()
)
TOTALS = set(
    "totalInitialMargin totalMaintMargin totalWalletBalance totalUnrealizedProfit totalMarginBalance "
    "totalPositionInitialMargin totalOpenOrderInitialMargin totalCrossWalletBalance totalCrossUnPnl "
    "availableBalance maxWithdrawAmount".split()
)
V3_POSITION = set(
    "symbol positionSide positionAmt unrealizedProfit isolatedMargin notional isolatedWallet initialMargin "
    "maintMargin updateTime".split()
)
V2_POSITION = set(
    "symbol initialMargin maintMargin unrealizedProfit positionInitialMargin openOrderInitialMargin leverage "
    "isolated entryPrice breakEvenPrice maxNotional bidNotional askNotional positionSide positionAmt "
    "notional isolatedWallet updateTime".split()
)
V3_RISK = set(
    "symbol positionSide positionAmt entryPrice breakEvenPrice markPrice unRealizedProfit liquidationPrice "
    "isolatedMargin notional marginAsset isolatedWallet initialMargin maintMargin positionInitialMargin "
    "openOrderInitialMargin adl bidNotional askNotional updateTime".split()
)
V2_RISK = set(
    "symbol positionAmt entryPrice breakEvenPrice markPrice unRealizedProfit liquidationPrice leverage "
    "maxNotionalValue marginType isolatedMargin isAutoAddMargin positionSide notional isolatedWallet "
    "updateTime".split()
)
COIN_POSITION = set(
    "symbol positionAmt initialMargin maintMargin unrealizedProfit positionInitialMargin "
    "openOrderInitialMargin leverage isolated positionSide entryPrice breakEvenPrice maxQty notionalValue "
    "isolatedWallet updateTime".split()
)
COIN_RISK = set(
    "symbol positionAmt entryPrice breakEvenPrice markPrice unRealizedProfit liquidationPrice leverage "
    "maxQty marginType isolatedMargin isAutoAddMargin positionSide notionalValue isolatedWallet "
    "updateTime".split()
)


@pytest.fixture
async def vault(anyio_backend: str) -> AsyncIterator[Vault]:
    async with Vault() as vault:
        yield vault


def of(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """The one row with these members."""
    (found,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return found


class TestBalances:
    async def test_an_account_has_the_documented_members(self, vault: Vault) -> None:
        await vault.trade(BTC, "0.5", "100000")
        new, old = await vault.usdm("/v3/account"), await vault.usdm("/v2/account")
        assert set(new) == {*TOTALS, "assets", "positions"}
        assert set(old) == set(new) | set(
            "feeTier feeBurn canTrade canDeposit canWithdraw updateTime multiAssetsMargin "
            "tradeGroupId".split()
        )
        assert {frozenset(one) for one in new["assets"]} == {frozenset(USDM_ASSET)}
        assert {frozenset(one) for one in old["assets"]} == {frozenset(USDM_ASSET | {"marginAvailable"})}
        assert {frozenset(one) for one in new["positions"]} == {frozenset(V3_POSITION)}
        assert {frozenset(one) for one in old["positions"]} == {frozenset(V2_POSITION)}
        coin = await vault.coinm("/v1/account")
        assert set(coin) == set("assets positions canDeposit canTrade canWithdraw feeTier updateTime".split())
        assert {frozenset(one) for one in coin["assets"]} == {frozenset(USDM_ASSET)}
        assert {frozenset(one) for one in coin["positions"]} == {frozenset(COIN_POSITION)}

    async def test_what_there_is_and_what_covers_it(self, vault: Vault) -> None:
        await vault.trade(BTC, "0.5", "100000")
        await vault.hold_price("BTC/USDT", "98000")
        body = await vault.usdm("/v3/account")
        # A taker pays 0.05 % of 50,000.
        wallet = 100_000 - sum(
            -float(one["income"]) for one in await vault.usdm("/v1/income", incomeType="COMMISSION")
        )
        assert float(body["totalWalletBalance"]) == wallet
        assert body["totalUnrealizedProfit"] == "-1000.00000000"  # 0.5 x (98,000 - 100,000)
        assert float(body["totalMarginBalance"]) == wallet - 1000
        assert body["totalPositionInitialMargin"] == "2450.00000000"  # 49,000 / 20
        assert body["totalMaintMargin"] == "196.00000000"  # 49,000 x 0.004
        assert float(body["availableBalance"]) == wallet - 1000 - 2450
        assert of(body["assets"], asset="USDT")["walletBalance"] == body["totalWalletBalance"]

    async def test_only_positions_and_orders_are_listed_by_the_newer_ones(self, vault: Vault) -> None:
        assert (await vault.usdm("/v3/account"))["positions"] == []
        assert len((await vault.usdm("/v2/account"))["positions"]) > 25
        await vault.place(ETH, Side.BUY, "1", "3900")
        (position,) = (await vault.usdm("/v3/account"))["positions"]
        assert (position["symbol"], position["positionAmt"]) == ("ETHUSDT", "0")
        assert position["initialMargin"] == "195.00000000"  # 3,900 / 20

    @pytest.mark.parametrize("path", ["/v2/balance", "/v3/balance"])
    async def test_balances(self, vault: Vault, path: str) -> None:
        rows = await vault.usdm(path)
        assert set(rows[0]) == set(
            "accountAlias asset balance crossWalletBalance crossUnPnl availableBalance maxWithdrawAmount "
            "marginAvailable updateTime".split()
        )
        assert of(rows, asset="USDT")["balance"] == "100000.00000000"
        coin = await vault.coinm("/v1/balance")
        assert set(coin[0]) == set(
            "accountAlias asset balance withdrawAvailable crossWalletBalance crossUnPnl availableBalance "
            "updateTime".split()
        )
        assert of(coin, asset="BTC")["balance"] == "10.00000000"

    async def test_what_is_transferred_is_there_at_once(self, vault: Vault) -> None:
        await vault.deposit("USDT", "1000")
        path = "/sapi/v1/asset/transfer"
        await vault.post(path, asset="USDT", amount="500", type="MAIN_UMFUTURE")
        assert of(await vault.usdm("/v3/balance"), asset="USDT")["balance"] == "100500.00000000"
        income = (await vault.usdm("/v1/income", incomeType="TRANSFER"))[-1]
        assert (income["income"], income["asset"]) == ("500.00000000", "USDT")
        await vault.trade(BTC, "10", "100000")
        refused = await vault.refusal("POST", path, asset="USDT", amount="60000", type="UMFUTURE_MAIN")
        assert refused[1] == -5013, "what covers a position cannot leave"
        await vault.post(path, asset="USDT", amount="49000", type="UMFUTURE_MAIN")


class TestPositions:
    async def test_the_documented_members(self, vault: Vault) -> None:
        await vault.trade(BTC, "0.5", "100000")
        await vault.trade(COIN, "100", "50000")
        (risk,) = await vault.usdm("/v3/positionRisk")
        assert set(risk) == V3_RISK
        (old,) = await vault.usdm("/v2/positionRisk", symbol="BTCUSDT")
        assert set(old) == V2_RISK
        coin = await vault.coinm("/v1/positionRisk", pair="BTCUSD")
        assert {frozenset(one) for one in coin} == {frozenset(COIN_RISK)}
        assert {one["symbol"][:6] for one in coin} == {"BTCUSD"}

    async def test_a_long_position(self, vault: Vault) -> None:
        await vault.trade(BTC, "2", "100000")
        await vault.hold_price("BTC/USDT", "99000")
        (risk,) = await vault.usdm("/v3/positionRisk", symbol="BTCUSDT")
        assert (risk["positionAmt"], risk["entryPrice"], risk["positionSide"]) == ("2", "100000.0", "BOTH")
        assert risk["unRealizedProfit"] == "-2000.00000000"
        assert risk["notional"] == "198000.00000000"
        assert risk["positionInitialMargin"] == "9900.00000000"
        assert risk["maintMargin"] == "792.00000000"
        wallet = float((await vault.usdm("/v3/account"))["totalWalletBalance"])
        # (wallet - 200,000) / (2 x 0.004 - 2)
        assert float(risk["liquidationPrice"]) == pytest.approx((wallet - 200_000) / (0.008 - 2), abs=1e-8)
        assert len(risk["liquidationPrice"].partition(".")[2]) == 8
        (old,) = await vault.usdm("/v2/positionRisk", symbol="BTCUSDT")
        assert (old["leverage"], old["marginType"], old["positionAmt"]) == ("20", "cross", "2.000")
        assert old["maxNotionalValue"] == "100000000"

    async def test_hedge_mode_shows_two_legs(self, vault: Vault) -> None:
        await vault.post("/fapi/v1/positionSide/dual", dualSidePosition="true")
        await vault.trade(BTC, "1", "100000", leg=Leg.LONG)
        await vault.trade(BTC, "-0.4", "100000", leg=Leg.SHORT)
        rows = await vault.usdm("/v2/positionRisk", symbol="BTCUSDT")
        assert [(one["positionSide"], one["positionAmt"]) for one in rows] == [
            ("LONG", "1.000"),
            ("SHORT", "-0.400"),
        ]
        assert len({one["liquidationPrice"] for one in rows}) == 1

    async def test_an_isolated_position_and_its_margin(self, vault: Vault) -> None:
        await vault.post("/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
        await vault.trade(BTC, "1", "100000")
        moved = await vault.post("/fapi/v1/positionMargin", symbol="BTCUSDT", amount="1000", type=1)
        assert moved == {
            "amount": 1000.0,
            "code": 200,
            "msg": "Successfully modify position margin.",
            "type": 1,
        }
        (risk,) = await vault.usdm("/v3/positionRisk")
        assert (risk["isolatedWallet"], risk["isolatedMargin"]) == ("6000.00000000", "6000.00000000")
        # (6,000 - 100,000) / (0.004 - 1) = 94,377.510040160...
        assert risk["liquidationPrice"] == "94377.51004016"
        (old,) = await vault.usdm("/v2/positionRisk", symbol="BTCUSDT")
        assert old["marginType"] == "isolated"
        assert (
            await vault.refusal("POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", amount="6000", type=2)
        )[1] == -4051
        await vault.post("/fapi/v1/positionMargin", symbol="BTCUSDT", amount="1000", type=2)
        assert (await vault.usdm("/v3/positionRisk"))[0]["isolatedWallet"] == "5000.00000000"

    async def test_the_history_of_moved_margins(self, vault: Vault) -> None:
        path = "/fapi/v1/positionMargin"
        await vault.post("/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
        await vault.trade(BTC, "1", "100000")
        await vault.post(path, symbol="BTCUSDT", amount="1000", type=1)
        await vault.post(path, symbol="BTCUSDT", amount="400", type=2)
        rows = await vault.usdm("/v1/positionMargin/history", symbol="BTCUSDT")
        assert [(one["type"], one["amount"]) for one in rows] == [(1, "1000.00000000"), (2, "400.00000000")]
        assert rows[0] == {
            "symbol": "BTCUSDT",
            "type": 1,
            "deltaType": "USER_ADJUST",
            "amount": "1000.00000000",
            "asset": "USDT",
            "time": rows[0]["time"],
            "positionSide": "BOTH",
        }
        assert await vault.usdm("/v1/positionMargin/history", symbol="BTCUSDT", type=2) == rows[1:]
        assert await vault.usdm("/v1/positionMargin/history", symbol="ETHUSDT") == []

    async def test_margin_that_cannot_be_moved(self, vault: Vault) -> None:
        async def refused(**values: Any) -> int:
            code: int = (await vault.refusal("POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", **values))[
                1
            ]
            return code

        assert await refused(amount="0", type=1) == -4055
        assert await refused(amount="1", type=1) == -4054
        assert await refused(amount="1", type=3) == -1130
        assert await refused(amount="1", type=1, positionSide="UP") == -4060

    async def test_an_unknown_symbol_or_pair(self, vault: Vault) -> None:
        assert (await vault.refusal("GET", "/fapi/v3/positionRisk", symbol="NOPE"))[1] == -1121
        assert (await vault.refusal("GET", "/fapi/v2/positionRisk", symbol="NOPE"))[1] == -1121
        assert (await vault.refusal("GET", "/dapi/v1/positionRisk", pair="NOPE"))[1] == -4087

    async def test_the_queue_of_deleveraging(self, vault: Vault) -> None:
        assert await vault.usdm("/v1/adlQuantile") == []
        await vault.trade(BTC, "1", "100000")
        await vault.hold_price("BTC/USDT", "101000")
        (row,) = await vault.usdm("/v1/adlQuantile", symbol="BTCUSDT")
        # The only long position is the whole of its queue, so it goes first, though it gains.
        assert row == {"symbol": "BTCUSDT", "adlQuantile": {"LONG": 0, "SHORT": 0, "BOTH": 4}}
        assert (await vault.usdm("/v3/positionRisk"))[0]["adl"] == 4
        assert await vault.coinm("/v1/adlQuantile") == []


WEIGHTS = """
    GET /fapi/v2/account 5
    GET /fapi/v3/account 5
    GET /fapi/v2/balance 5
    GET /fapi/v3/balance 5
    GET /fapi/v2/positionRisk 5
    GET /fapi/v3/positionRisk 5
    GET /fapi/v1/adlQuantile 5
    POST /fapi/v1/leverage 1
    POST /fapi/v1/marginType 1
    POST /fapi/v1/positionSide/dual 1
    GET /fapi/v1/positionSide/dual 30
    POST /fapi/v1/multiAssetsMargin 1
    GET /fapi/v1/multiAssetsMargin 30
    POST /fapi/v1/feeBurn 1
    GET /fapi/v1/feeBurn 30
    GET /fapi/v1/symbolConfig 5
    GET /fapi/v1/accountConfig 5
    GET /fapi/v1/pmAccountInfo 5
    GET /fapi/v1/leverageBracket 1
    POST /fapi/v1/positionMargin 1
    GET /fapi/v1/positionMargin/history 1
    GET /fapi/v1/income 30
    GET /fapi/v1/commissionRate 20
    GET /fapi/v1/apiTradingStatus 10 1
    GET /dapi/v1/account 5
    GET /dapi/v1/balance 1
    GET /dapi/v1/positionRisk 1
    GET /dapi/v1/adlQuantile 5
    POST /dapi/v1/leverage 1
    POST /dapi/v1/marginType 1
    POST /dapi/v1/positionSide/dual 1
    GET /dapi/v1/positionSide/dual 30
    GET /dapi/v1/pmAccountInfo 5
    GET /dapi/v1/leverageBracket 1
    GET /dapi/v2/leverageBracket 2 1
    POST /dapi/v1/positionMargin 1
    GET /dapi/v1/positionMargin/history 1
    GET /dapi/v1/income 20
    GET /dapi/v1/commissionRate 20
"""
"""Of requests without a symbol, and with one where that differs; those of the endpoints' pages."""


def test_what_these_endpoints_weigh() -> None:
    declared = {
        (row.method, row.path): row.weight
        for product in (USDM, COINM)
        for module in account.MODULES
        for row in module.of(product)
    }
    asked = {}
    for line in WEIGHTS.split("\n")[1:-1]:
        method, path, *words = line.split()
        asked[method, path] = [int(weight) for weight in words]
    assert asked.keys() == declared.keys()
    for row, weights in asked.items():
        weight = declared[row]
        found = [weight(values) if callable(weight) else weight for values in ({}, {"symbol": "BTCUSDT"})]
        assert found == [weights[0], weights[-1]], row


class TestSettings:
    async def test_leverage(self, vault: Vault) -> None:
        answer = await vault.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=50)
        assert answer == {"leverage": 50, "maxNotionalValue": "12000000", "symbol": "BTCUSDT"}
        assert await vault.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=50) == answer
        assert (await vault.usdm("/v1/symbolConfig", symbol="BTCUSDT"))[0]["leverage"] == 50
        coin = await vault.post("/dapi/v1/leverage", symbol="BTCUSD_PERP", leverage=10)
        assert (coin["leverage"], set(coin)) == (10, {"leverage", "maxQty", "symbol"})
        refused = await vault.refusal("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=151)
        assert refused == (400, -4028, "Leverage 151 is not valid")

    async def test_margin_type(self, vault: Vault) -> None:
        path = "/fapi/v1/marginType"
        assert await vault.refusal("POST", path, symbol="BTCUSDT", marginType="CROSSED") == (
            400,
            -4046,
            "No need to change margin type.",
        )
        done = await vault.post(path, symbol="BTCUSDT", marginType="ISOLATED")
        assert done == {"code": 200, "msg": "success"}
        assert (await vault.usdm("/v1/symbolConfig", symbol="BTCUSDT"))[0]["marginType"] == "ISOLATED"
        await vault.place(BTC, Side.BUY, "0.01", "90000")
        assert (await vault.refusal("POST", path, symbol="BTCUSDT", marginType="CROSSED"))[1] == -4047
        await vault.do(c.CancelAllOrders(account=vault.account(), instrument=BTC))
        await vault.trade(BTC, "0.01", "100000")
        assert (await vault.refusal("POST", path, symbol="BTCUSDT", marginType="CROSSED"))[1] == -4048

    async def test_the_position_mode_is_that_of_both_products(self, vault: Vault) -> None:
        path = "/v1/positionSide/dual"
        assert await vault.usdm(path) == await vault.coinm(path) == {"dualSidePosition": False}
        done = await vault.post(f"/dapi{path}", dualSidePosition="true")
        assert done == {"code": 200, "msg": "success"}
        assert await vault.usdm(path) == await vault.coinm(path) == {"dualSidePosition": True}
        assert (await vault.refusal("POST", f"/fapi{path}", dualSidePosition="true"))[1] == -4059
        await vault.place(BTC, Side.BUY, "0.01", "90000", leg=Leg.LONG)
        assert (await vault.refusal("POST", f"/fapi{path}", dualSidePosition="false"))[1] == -4067
        await vault.do(c.CancelAllOrders(account=vault.account(), instrument=BTC))
        await vault.trade(BTC, "0.01", "100000", leg=Leg.LONG)
        assert (await vault.refusal("POST", f"/fapi{path}", dualSidePosition="false"))[1] == -4068
        # Of what stands in the way on the other product another code is told.
        code, text = (await vault.refusal("POST", f"/dapi{path}", dualSidePosition="false"))[1:]
        assert code == -4531
        assert text.endswith("Please close any open positions or orders in UM and try again.")

    async def test_all_assets_together(self, vault: Vault) -> None:
        """The errors are those of the page, the rates of the test's own funds: 100000 USDT and 1 BTC."""
        path = "/fapi/v1/multiAssetsMargin"
        assert await vault.usdm("/v1/multiAssetsMargin") == {"multiAssetsMargin": False}
        refused = await vault.refusal("POST", path, multiAssetsMargin="false")
        assert refused == (
            400,
            -4171,
            "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
        )
        await vault.place(BTC, Side.BUY, "0.01", "90000")
        assert (await vault.refusal("POST", path, multiAssetsMargin="true"))[1] == -4170
        await vault.do(c.CancelAllOrders(account=vault.account(), instrument=BTC))
        await vault.do(c.SetMarginMode(account=vault.account(), instrument=BTC, mode=MarginMode.ISOLATED))
        assert (await vault.refusal("POST", path, multiAssetsMargin="true"))[1] == -4167
        await vault.do(c.SetMarginMode(account=vault.account(), instrument=BTC, mode=MarginMode.CROSS))
        await vault.deposit("BTC", "1", "usdm", "alice")
        done = await vault.post(path, multiAssetsMargin="true")
        assert done == {"code": 200, "msg": "success"}
        assert await vault.usdm("/v1/multiAssetsMargin") == {"multiAssetsMargin": True}
        assert (await vault.usdm("/v1/accountConfig"))["multiAssetsMargin"] is True
        # 100000 USDT less 0.1 %, and one BTC at 100000 less 5 %.
        whole = await vault.usdm("/v3/account")
        assert Decimal(whole["totalMarginBalance"]) == Decimal(99_900 + 95_000)
        usdt = next(one for one in whole["assets"] if one["asset"] == "USDT")
        assert Decimal(usdt["availableBalance"]).quantize(Decimal("0.01")) == Decimal("194705.29")
        refused = await vault.refusal("POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
        assert refused[1] == -4168
        await vault.trade(BTC, "1", "100000")
        await vault.post(path, multiAssetsMargin="false")
        assert await vault.usdm("/v1/multiAssetsMargin") == {"multiAssetsMargin": False}

    async def test_what_does_not_let_go_of_all_assets_together(self, vault: Vault) -> None:
        """20 BTC at 100000 take 100000 USDT at 20x, and 1000 as fee. At 97000 60000 of the 99000 are lost
        and 97000 are needed. Sold at 94999.9 they lost 100002 and cost 949.999 more: -1951.999."""
        path = "/fapi/v1/multiAssetsMargin"
        await vault.deposit("BTC", "1", "usdm", "alice")
        await vault.deposit("USDT", "1000000", "usdm", "bob")
        await vault.post(path, multiAssetsMargin="true")
        await vault.trade(BTC, "20", "100000")
        await vault.hold_price("BTC/USDT", "97000")
        assert await vault.refusal("POST", path, multiAssetsMargin="false") == (
            400,
            -4169,
            "Unable to adjust Multi-Assets Mode with insufficient margin balance in USDⓈ-M Futures.",
        )
        await vault.hold_price("BTC/USDT", "95000")
        await vault.trade(BTC, "-20", "94999.9")
        usdt = of(await vault.usdm("/v3/balance"), asset="USDT")
        assert usdt["balance"] == "-1951.99900000"
        assert await vault.refusal("POST", path, multiAssetsMargin="false") == (
            400,
            -4172,
            (
                "Unable to adjust Multi-Assets Mode with a negative wallet balance of margin available asset "
                "in USDⓈ-M Futures account."
            ),
        )
        await vault.deposit("USDT", "1952", "usdm", "alice")
        await vault.post(path, multiAssetsMargin="false")
        assert await vault.usdm("/v1/multiAssetsMargin") == {"multiAssetsMargin": False}

    async def test_fees_in_bnb(self, vault: Vault) -> None:
        assert await vault.usdm("/v1/feeBurn") == {"feeBurn": False}
        await vault.post("/fapi/v1/feeBurn", feeBurn="true")
        assert await vault.usdm("/v1/feeBurn") == {"feeBurn": True}
        assert (await vault.usdm("/v2/account"))["feeBurn"] is True
        # The choice of Spot is another one.
        assert (await vault.get("/sapi/v1/bnbBurn"))["spotBNBBurn"] is False
        await vault.post("/sapi/v1/bnbBurn", spotBNBBurn="true")
        await vault.post("/fapi/v1/feeBurn", feeBurn="false")
        assert (await vault.get("/sapi/v1/bnbBurn"))["spotBNBBurn"] is True
        assert await vault.usdm("/v1/feeBurn") == {"feeBurn": False}

    @pytest.mark.parametrize("product", [USDM, COINM], ids=str)
    async def test_no_account_is_one_of_portfolio_margin(self, vault: Vault, product: Product) -> None:
        path = f"{product.prefix}/v1/pmAccountInfo"
        told = (400, -21001, "invalid request: request ID is not a Portfolio Margin Account")
        assert await vault.refusal("GET", path, asset="BTC") == told
        assert (await vault.refusal("GET", path))[1] == -1102

    async def test_a_fee_in_bnb_is_a_tenth_less_while_there_is_enough(self, vault: Vault) -> None:
        """0.05 % of 50000 are 25 USDT, of which 22.5 are paid: 0.028125 BNB at 800. Of 0.03 BNB that leaves
        too little for a second one."""
        await vault.post("/fapi/v1/feeBurn", feeBurn="true")
        await vault.hold_price("BNB/USDT", "800")
        await vault.deposit("BNB", "0.03", "usdm", "alice")
        levels = [((Decimal(price), Decimal(5)),) for price in ("99990", "100010")]
        await vault.do(c.SetBook(instrument=BTC, bids=levels[0], asks=levels[1]))
        await vault.trade(BTC, "0.5", "100000")
        await vault.trade(BTC, "-0.5", "100000")
        rows = await vault.usdm("/v1/income", incomeType="COMMISSION")
        assert [(row["asset"], Decimal(row["income"])) for row in rows] == [
            ("BNB", Decimal("-0.028125")),
            ("USDT", Decimal(-25)),
        ]
        trades = await vault.usdm("/v1/userTrades", symbol="BTCUSDT")
        assert [(one["commissionAsset"], Decimal(one["commission"])) for one in trades] == [
            ("BNB", Decimal("0.028125")),
            ("USDT", Decimal(25)),
        ]
        balances = await vault.usdm("/v3/balance")
        assert Decimal(of(balances, asset="USDT")["balance"]) == 99_975
        assert Decimal(of(balances, asset="BNB")["balance"]) == Decimal("0.001875")

    async def test_configurations(self, vault: Vault) -> None:
        (config,) = await vault.usdm("/v1/symbolConfig", symbol="BTCUSDT")
        assert config == {
            "symbol": "BTCUSDT",
            "marginType": "CROSSED",
            "isAutoAddMargin": False,
            "leverage": 20,
            "maxNotionalValue": "100000000",
        }
        assert set(await vault.usdm("/v1/accountConfig")) == set(
            "feeTier canTrade canDeposit canWithdraw dualSidePosition updateTime multiAssetsMargin "
            "tradeGroupId".split()
        )

    async def test_brackets(self, vault: Vault) -> None:
        """The published table of BTCUSDT."""
        (row,) = await vault.usdm("/v1/leverageBracket", symbol="BTCUSDT")
        assert (row["symbol"], row["notionalCoef"]) == ("BTCUSDT", 1.0)
        assert row["brackets"][1] == {
            "bracket": 2,
            "initialLeverage": 100,
            "notionalCap": 800000,
            "notionalFloor": 300000,
            "maintMarginRatio": 0.005,
            "cum": 300.0,
        }
        (coin,) = await vault.coinm("/v2/leverageBracket", symbol="BTCUSD_PERP")
        assert set(coin["brackets"][0]) == set(
            "bracket initialLeverage qtyCap qtylFloor qtyFloor maintMarginRatio cum".split()
        )
        second = coin["brackets"][1]
        assert {name: type(second[name]) for name in ("qtyCap", "qtylFloor", "qtyFloor")} == {
            "qtyCap": int,
            "qtylFloor": int,
            "qtyFloor": int,
        }
        (pair,) = await vault.coinm("/v1/leverageBracket", pair="BTCUSD")
        assert (pair["pair"], pair["brackets"]) == ("BTCUSD", coin["brackets"])


class TestIncome:
    async def test_what_trades_bring_and_cost(self, vault: Vault) -> None:
        await vault.trade(BTC, "1", "100000")
        await vault.hold_price("BTC/USDT", "101000")
        await vault.trade(BTC, "-1", "101000")
        rows = await vault.usdm("/v1/income", symbol="BTCUSDT")
        assert set(rows[0]) == set("symbol incomeType income asset info time tranId tradeId".split())
        assert sum(float(one["income"]) for one in rows if one["incomeType"] == "REALIZED_PNL") == 1000
        assert all(float(one["income"]) < 0 for one in rows if one["incomeType"] == "COMMISSION")
        everything = await vault.usdm("/v1/income")
        wallet = float((await vault.usdm("/v3/account"))["totalWalletBalance"])
        assert sum(float(one["income"]) for one in everything) == pytest.approx(wallet)
        assert [one["tranId"] for one in everything] == sorted(one["tranId"] for one in everything)

    async def test_numbers_of_transactions(self, vault: Vault) -> None:
        assert {type(one["tranId"]) for one in await vault.usdm("/v1/income")} == {int}
        assert {type(one["tranId"]) for one in await vault.coinm("/v1/income")} == {str}

    async def test_pages(self, vault: Vault) -> None:
        await vault.trade(BTC, "1", "100000")
        everything = [one["tranId"] for one in await vault.usdm("/v1/income")]
        assert len(everything) >= 2
        newest = await vault.usdm("/v1/income", limit=1)
        before = await vault.usdm("/v1/income", limit=1, page=2)
        assert [newest[0]["tranId"], before[0]["tranId"]] == everything[-1:-3:-1]
        start = (await vault.usdm("/v1/income"))[0]["time"]
        oldest = await vault.usdm("/v1/income", limit=1, startTime=start)
        second = await vault.usdm("/v1/income", limit=1, page=2, startTime=start)
        assert [oldest[0]["tranId"], second[0]["tranId"]] == everything[:2]

    async def test_types_and_times(self, vault: Vault) -> None:
        assert await vault.usdm("/v1/income", incomeType="WELCOME_BONUS") == []
        assert [one["incomeType"] for one in await vault.usdm("/v1/income", incomeType="TRANSFER")] == [
            "TRANSFER"
        ]
        refused = await vault.refusal("GET", "/fapi/v1/income", startTime=2, endTime=1)
        assert refused == (400, -1023, "Start time is greater than end time.")
        assert (await vault.refusal("GET", "/fapi/v1/income", incomeType="LUCK"))[1] == -1130

    async def test_rates(self, vault: Vault) -> None:
        assert await vault.usdm("/v1/commissionRate", symbol="BTCUSDT") == {
            "symbol": "BTCUSDT",
            "makerCommissionRate": "0.0002",
            "takerCommissionRate": "0.0005",
            "rpiCommissionRate": "0.0002",
        }
        assert set(await vault.coinm("/v1/commissionRate", symbol="BTCUSD_PERP")) == set(
            "symbol makerCommissionRate takerCommissionRate".split()
        )

    async def test_nobody_is_restricted(self, vault: Vault) -> None:
        assert (await vault.usdm("/v1/apiTradingStatus"))["indicators"] == {}
        assert (await vault.refusal("GET", "/fapi/v1/apiTradingStatus", symbol="NOPE"))[1] == -1121
