"""What happens to accounts of futures, as their streams tell it: which events, in which order, with what in
them. Field names are those of the documents' examples (User Data Streams of USD-M and COIN-M)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core.instruments import OrderType, Side, TriggerSource
from emulator.core.orders import OrderTerms, Trigger, TriggerKind
from emulator.core.positions import Leg, MarginMode
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.futures.terms import TYPE_LABEL
from emulator.exchanges.binance.futures.user_data import HUBS
from tests.exchanges.binance.futures.vault import BTC, COIN, Vault

pytestmark = pytest.mark.anyio

ORDER = set(
    "s c S o f q p ap sp x X i l z L T t b a m R wt ot ps cp rp pP V pm er".split()
)  # N and n only where there is a commission, AP and cr only of trailing stops
HOUR_US = 3_600_000_000


class Ear:
    """Alice's events of a product since they were read last."""

    def __init__(self, vault: Vault, product: Product, name: str = "alice") -> None:
        self._heard: list[dict[str, Any]] = []
        hub = HUBS[product].of(vault.sandbox)
        self.stop = hub.subscribe(
            vault.account(name), lambda event: self._heard.append(json.loads(event.encoded(1000)))
        )

    def take(self) -> list[dict[str, Any]]:
        heard, self._heard = self._heard, []
        return heard

    def kinds(self) -> list[str]:
        return [
            one["e"]
            + (f":{one['o']['x']}" if one["e"] == "ORDER_TRADE_UPDATE" else "")
            + (f":{one['o']['X']}" if one["e"] == "ALGO_UPDATE" else "")
            for one in self.take()
        ]


@pytest.fixture
async def vault(anyio_backend: str) -> AsyncIterator[Vault]:
    async with Vault() as vault:
        yield vault


async def conditional(vault: Vault, price: str, *, quantity: str = "0.1") -> c.PlaceOrder:
    """An order to sell at market below a price, apart from all others."""
    terms = OrderTerms(
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=Decimal(quantity),
        trigger=Trigger(kind=TriggerKind.STOP_LOSS, price=Decimal(price), source=TriggerSource.LAST),
        detached=True,
        client_id="stop",
        labels=((TYPE_LABEL, "STOP_MARKET"),),
    )
    command = c.PlaceOrder(account=vault.account(), wallet="usdm", instrument=BTC, terms=terms)
    await vault.do(command)
    return command


async def balance_of(vault: Vault, asset: str) -> str:
    rows = await vault.usdm("/v3/balance")
    (balance,) = [row["balance"] for row in rows if row["asset"] == asset]
    assert isinstance(balance, str)
    return balance


class TestOrders:
    async def test_an_order_that_rests_and_is_canceled(self, vault: Vault) -> None:
        ear = Ear(vault, USDM)
        await vault.place(BTC, Side.BUY, "0.5", "90000")
        (event,) = ear.take()
        assert set(event) == {"e", "E", "T", "o"}
        order = event["o"]
        assert set(order) == ORDER | {"si", "ss", "gtd"}
        assert (order["s"], order["S"], order["o"], order["f"]) == ("BTCUSDT", "BUY", "LIMIT", "GTC")
        assert (order["q"], order["p"], order["x"], order["X"]) == ("0.5", "90000", "NEW", "NEW")
        assert (order["t"], order["l"], order["z"], order["b"]) == (0, "0", "0", "45000")
        await vault.do(c.CancelAllOrders(account=vault.account(), instrument=BTC))
        (event,) = ear.take()
        assert (event["o"]["x"], event["o"]["X"], event["o"]["b"]) == ("CANCELED", "CANCELED", "0")

    async def test_a_fill_is_the_trade_then_the_account_then_the_order(self, vault: Vault) -> None:
        await vault.place(BTC, Side.BUY, "0.5", "95000")
        ear = Ear(vault, USDM)
        await vault.hold_price("BTC/USDT", "94000")
        heard = ear.take()
        assert [one["e"] for one in heard[:3]] == ["TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
        lite, account, order = heard[:3]
        assert set(lite) == set("e E T s q p m c S L l t i".split())
        assert (lite["m"], lite["S"], lite["i"]) == (True, "BUY", order["o"]["i"])
        assert lite["t"] == order["o"]["t"] != 0
        assert account["a"]["m"] == "ORDER"
        last = heard[-1]["o"]
        assert (last["X"], last["z"], last["ap"]) == ("FILLED", "0.5", "95000")
        assert {"N", "n"} <= set(last)
        (balance,) = heard[-2]["a"]["B"]
        (position,) = heard[-2]["a"]["P"]
        assert set(balance) == {"a", "wb", "cw", "bc"}
        # A maker pays 0.02 % of 47,500.
        assert (balance["a"], balance["wb"], balance["bc"]) == ("USDT", "99990.50000000", "0")
        assert set(position) == set("s pa ep bep cr up mt iw ps".split())
        assert (position["pa"], position["ep"], position["mt"], position["ps"]) == (
            "0.5", "95000", "cross", "BOTH",
        )  # fmt: skip
        assert position["up"] == "-500"

    async def test_profit_is_told_with_what_closed(self, vault: Vault) -> None:
        await vault.trade(BTC, "0.5", "100000")
        await vault.hold_price("BTC/USDT", "102000")
        ear = Ear(vault, USDM)
        await vault.trade(BTC, "-0.5", "102000")
        heard = ear.take()
        assert sum(float(one["o"]["rp"]) for one in heard if one["e"] == "ORDER_TRADE_UPDATE") == 1000
        closed = [one for one in heard if one["e"] == "ACCOUNT_UPDATE"][-1]["a"]["P"][0]
        assert (closed["pa"], closed["ep"], closed["up"]) == ("0", "0", "0")

    async def test_coinm_has_an_alias_and_its_margin_asset(self, vault: Vault) -> None:
        ear = Ear(vault, COINM)
        await vault.trade(COIN, "10", "50000")
        heard = ear.take()
        assert "TRADE_LITE" not in {one["e"] for one in heard}
        assert all("i" in one for one in heard)
        order = heard[-1]["o"]
        assert order["ma"] == "BTC"
        assert not {"si", "ss", "gtd"} & set(order)
        account = next(one for one in heard if one["e"] == "ACCOUNT_UPDATE")
        assert account["a"]["P"][0]["ma"] == "BTC"

    async def test_products_and_accounts_are_kept_apart(self, vault: Vault) -> None:
        usdm, coinm, bob = Ear(vault, USDM), Ear(vault, COINM), Ear(vault, USDM, "bob")
        await vault.place(COIN, Side.BUY, "1", "40000")
        await vault.order("BTCUSDT", Side.BUY, "0.01", "90000")
        assert (usdm.take(), bob.take()) == ([], [])
        assert len(coinm.take()) == 1

    async def test_an_expiry_says_why(self, vault: Vault) -> None:
        ear = Ear(vault, USDM)
        await vault.place(BTC, Side.SELL, "0.1", "100000.5")
        await vault.place(BTC, Side.BUY, "15", "100000.5")
        expired = [one["o"] for one in ear.take() if one.get("o", {}).get("x") == "EXPIRED"]
        assert [(one["X"], one["er"]) for one in expired] == [("EXPIRED_IN_MATCH", "1")]


class TestConditionalOrders:
    async def test_the_lifecycle(self, vault: Vault) -> None:
        ear = Ear(vault, USDM)
        await conditional(vault, "95000")
        (placed,) = ear.take()
        assert set(placed["o"]) >= set(
            "caid aid at o s S ps f q X ai ap aq act tp p V wt pm cp pP R tt gtd rm".split()
        )
        assert (placed["o"]["X"], placed["o"]["ai"], placed["o"]["act"]) == ("NEW", "", "0")
        assert (placed["o"]["o"], placed["o"]["tp"], placed["o"]["caid"]) == ("STOP_MARKET", "95000", "stop")
        await vault.hold_price("BTC/USDT", "94000")
        heard = ear.take()
        algo = [one["o"] for one in heard if one["e"] == "ALGO_UPDATE"]
        assert [one["X"] for one in algo] == ["TRIGGERING", "TRIGGERED", "FINISHED"]
        orders = [one["o"] for one in heard if one["e"] == "ORDER_TRADE_UPDATE"]
        assert (orders[0]["x"], orders[0]["c"], orders[-1]["X"]) == ("NEW", "stop", "FILLED")
        assert algo[1]["ai"] == algo[2]["ai"] == str(orders[0]["i"])
        assert algo[2]["aq"] == "0.1"
        assert algo[0]["aid"] == placed["o"]["aid"] != orders[0]["i"]

    async def test_a_canceled_one(self, vault: Vault) -> None:
        await conditional(vault, "95000")
        ear = Ear(vault, USDM)
        await vault.do(c.CancelAllOrders(account=vault.account(), instrument=BTC, detached=True))
        assert ear.kinds() == ["ALGO_UPDATE:CANCELED"]


class TestAccounts:
    async def test_what_is_moved_in_and_out(self, vault: Vault) -> None:
        ear = Ear(vault, USDM)
        await vault.deposit("USDT", "250", "usdm")
        await vault.do(
            c.Transfer(
                account=vault.account(), asset="USDT", amount=Decimal(50), source="usdm", target="spot"
            )
        )
        told = [(one["a"]["m"], one["a"]["B"][0]["bc"], one["a"]["B"][0]["wb"]) for one in ear.take()]
        assert told == [("DEPOSIT", "250", "100250.00000000"), ("WITHDRAW", "-50", "100200.00000000")]

    async def test_either_side_of_a_conversion(self, vault: Vault) -> None:
        ear = Ear(vault, USDM)
        await vault.do(
            c.ExchangeAssets(
                account=vault.account(),
                wallet="usdm",
                sold="USDT",
                sold_amount=Decimal(5000),
                bought="BTC",
                bought_amount=Decimal("0.05"),
                reference="1",
            )
        )
        told = [(one["a"]["m"], one["a"]["B"][0]["a"], one["a"]["B"][0]["bc"]) for one in ear.take()]
        assert told == [("COIN_SWAP_WITHDRAW", "USDT", "-5000"), ("COIN_SWAP_DEPOSIT", "BTC", "0.05")]

    async def test_settings(self, vault: Vault) -> None:
        ear = Ear(vault, USDM)
        await vault.do(c.SetLeverage(account=vault.account(), instrument=BTC, leverage=Decimal(7)))
        (event,) = ear.take()
        assert (event["e"], event["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": "BTCUSDT", "l": 7})
        await vault.do(c.SetMarginMode(account=vault.account(), instrument=BTC, mode=MarginMode.ISOLATED))
        (event,) = ear.take()
        assert (event["a"]["m"], event["a"]["P"][0]["mt"]) == ("MARGIN_TYPE_CHANGE", "isolated")
        await vault.trade(BTC, "0.7", "100000")
        ear.take()
        await vault.do(c.MoveMargin(account=vault.account(), instrument=BTC, amount=Decimal(100)))
        (event,) = ear.take()
        assert event["a"]["m"] == "MARGIN_TRANSFER"
        # 70,000 / 7, and a hundred more.
        assert event["a"]["P"][0]["iw"] == "10100"
        balance = event["a"]["B"][0]
        assert Decimal(balance["wb"]) - Decimal(balance["cw"]) == 10100

    async def test_both_legs_of_hedge_mode_are_told_of(self, vault: Vault) -> None:
        await vault.post("/fapi/v1/positionSide/dual", dualSidePosition="true")
        ear = Ear(vault, USDM)
        await vault.trade(BTC, "1", "100000", leg=Leg.LONG)
        updates = [one for one in ear.take() if one["e"] == "ACCOUNT_UPDATE"]
        assert [one["ps"] for one in updates[-1]["a"]["P"]] == ["LONG", "SHORT"]

    @pytest.mark.parametrize("is_isolated", [False, True])
    async def test_funding(self, vault: Vault, is_isolated: bool) -> None:
        if is_isolated:
            await vault.do(c.SetMarginMode(account=vault.account(), instrument=BTC, mode=MarginMode.ISOLATED))
        await vault.trade(BTC, "1", "100000")
        ear = Ear(vault, USDM)
        await vault.step(9 * HOUR_US)
        updates = [one for one in ear.take() if one["e"] == "ACCOUNT_UPDATE"]
        assert [one["a"]["m"] for one in updates] == ["FUNDING_FEE"]
        change = updates[0]["a"]
        paid = (await vault.usdm("/v1/income", incomeType="FUNDING_FEE"))[-1]["income"]
        assert Decimal(change["B"][0]["bc"]) == Decimal(paid) != 0
        assert len(change["P"]) == (1 if is_isolated else 0)

    async def test_a_liquidation(self, vault: Vault) -> None:
        await vault.do(c.SetMarginMode(account=vault.account(), instrument=BTC, mode=MarginMode.ISOLATED))
        await vault.trade(BTC, "1", "100000")
        ear = Ear(vault, USDM)
        await vault.hold_price("BTC/USDT", "95000")
        heard = ear.take()
        orders = [one["o"] for one in heard if one["e"] == "ORDER_TRADE_UPDATE"]
        assert {one["o"] for one in orders} == {"LIQUIDATION"}
        assert orders[0]["c"].startswith("autoclose-")
        assert {one["x"] for one in orders[1:]} == {"CALCULATED"}
        assert orders[-1]["X"] == "FILLED"
        last = [one for one in heard if one["e"] == "ACCOUNT_UPDATE" and one["a"]["P"]][-1]
        assert last["a"]["P"][0]["pa"] == "0"

    async def test_the_mode_of_assets(self, vault: Vault) -> None:
        ear = Ear(vault, USDM)
        await vault.post("/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")
        (event,) = ear.take()
        assert (event["e"], event["ai"]) == ("ACCOUNT_CONFIG_UPDATE", {"j": True})

    async def test_an_exchange_of_assets(self, vault: Vault) -> None:
        """10.1 BTC bought at 100000 and sold at 89000 lost 111100 of 100000 USDT, so that a part of 2 BTC is
        given for what is owed; before that, it is told what is owed."""
        await vault.deposit("BTC", "2", "usdm")
        await vault.deposit("USDT", "1000000", "usdm", "bob")
        await vault.post("/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")
        await vault.trade(BTC, "10.1", "100000")
        await vault.hold_price("BTC/USDT", "89000.1")
        await vault.trade(BTC, "-10.1", "89000")
        ear = Ear(vault, USDM)
        owed = Decimal(await balance_of(vault, "USDT"))
        assert owed < -11_100
        await vault.step(1_000_000)
        (event,) = ear.take()
        assert (event["e"], event["a"]["m"], event["a"]["P"]) == ("ACCOUNT_UPDATE", "AUTO_EXCHANGE", [])
        sold, bought = event["a"]["B"]
        assert (bought["a"], Decimal(bought["bc"])) == ("USDT", -owed)
        assert Decimal(bought["wb"]) == 0
        # At 0.05 % more than a dollar, for bitcoins at 2.5 % less than 89000.1.
        given = -owed * Decimal("1.0005") / (Decimal("89000.1") * Decimal("0.975"))
        assert sold["a"] == "BTC"
        assert abs(Decimal(sold["bc"]) + given) < Decimal("0.00000001")
        assert Decimal(sold["wb"]) == 2 + Decimal(sold["bc"])

    async def test_what_was_owed_is_bought_of_another_asset(self, vault: Vault) -> None:
        """8 BTC lose more than the 100,000 USDT that there are; the BTC beside them pays the rest."""
        await vault.deposit("BTC", "1", "usdm")
        await vault.deposit("USDT", "900000", "usdm", "bob")
        await vault.post("/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")
        await vault.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=50)
        await vault.trade(BTC, "8", "100000")
        ear = Ear(vault, USDM)
        await vault.hold_price("BTC/USDT", "78000")
        changes = [one["a"] for one in ear.take() if one["e"] == "ACCOUNT_UPDATE"]
        (exchange,) = [one for one in changes if one["m"] == "AUTO_EXCHANGE"]
        sold, bought = exchange["B"]
        assert (sold["a"], bought["a"], exchange["P"]) == ("BTC", "USDT", [])
        assert Decimal(sold["bc"]) < 0 < Decimal(bought["bc"])
        balances = {one["asset"]: one["balance"] for one in await vault.get("/fapi/v3/balance")}
        assert (balances["BTC"], balances["USDT"]) == (sold["wb"], bought["wb"])


class TestListenKeys:
    async def test_a_key_is_given_kept_and_closed(self, vault: Vault) -> None:
        given = await vault.post("/fapi/v1/listenKey")
        assert (await vault.post("/fapi/v1/listenKey")) == given
        assert set(given) == {"listenKey"}
        assert (await vault.ask("PUT", "/fapi/v1/listenKey")).json == given
        assert (await vault.post("/dapi/v1/listenKey")) != given
        assert (await vault.ask("DELETE", "/fapi/v1/listenKey")).json == {}
        refused = await vault.refusal("PUT", "/fapi/v1/listenKey")
        assert refused == (
            400,
            -1125,
            "This listenKey does not exist. Please use `POST /fapi/v1/listenKey` to recreate `listenKey`",
        )

    async def test_without_a_key(self, vault: Vault) -> None:
        assert (await vault.refusal("POST", "/fapi/v1/listenKey", None))[:2] == (401, -2014)


async def test_a_delivery_is_an_order_of_the_exchange(vault: Vault) -> None:
    """The contract of September ends some days after the clock of these tests begins."""
    name = USDM.listings["BTCUSDT_260925"].instrument.symbol
    await vault.trade(name, "0.2", "100000")
    await vault.hold_price("BTC/USDT", "101000")
    ear = Ear(vault, USDM)
    await vault.step(4 * 24 * HOUR_US)
    heard = ear.take()
    orders = [one["o"] for one in heard if one["e"] == "ORDER_TRADE_UPDATE"]
    assert [(one["x"], one["X"]) for one in orders] == [("NEW", "NEW"), ("CALCULATED", "FILLED")]
    assert orders[0]["c"].startswith("settlement_autoclose-")
    (income,) = await vault.usdm("/v1/income", incomeType="DELIVERED_SETTELMENT")
    assert Decimal(income["income"]) == Decimal(orders[-1]["rp"]) == 200
    assert await vault.usdm("/v3/positionRisk") == []
    refused = await vault.refusal(
        "POST", "/fapi/v1/order", symbol="BTCUSDT_260925", side="BUY", type="MARKET", quantity="0.1"
    )
    assert refused[1] == -4141


@pytest.mark.parametrize("is_isolated", [False, True])
async def test_margin_is_called_for_before_it_is_gone(vault: Vault, is_isolated: bool) -> None:
    if is_isolated:
        mode = c.SetMarginMode(account=vault.account(), instrument=BTC, mode=MarginMode.ISOLATED)
        await vault.do(mode)
    await vault.trade(BTC, "1" if is_isolated else "9", "100000")
    ear = Ear(vault, USDM)
    # 5,000 put up and 0.004 x 95,500 to be kept; 100,000 less fees, and 9 x 89,500 x 0.005 less 300.
    await vault.hold_price("BTC/USDT", "95450" if is_isolated else "89400")
    (event,) = ear.take()
    assert event["e"] == "MARGIN_CALL"
    (position,) = event["p"]
    assert set(position) == set("s ps pa mt iw mp up mm".split())
    assert position["mt"] == ("ISOLATED" if is_isolated else "CROSSED")
    assert ("cw" in event) is not is_isolated
    await vault.step(5_000_000)
    assert ear.take() == []
