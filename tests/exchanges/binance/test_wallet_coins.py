"""Coins, addresses, margin lists and fees. Examples are those of the wallet and margin documents, as the
unit tests of the exchange's own connector (binance-connector-python, 2026-08) repeat them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.instruments import Side
from emulator.exchanges.binance.assets import assets
from emulator.exchanges.binance.spot.instruments import load
from emulator.exchanges.binance.spot.wallet.networks import deposit_address
from emulator.web.addresses import FORMS
from tests.exchanges.binance.bank import Bank, shape

pytestmark = pytest.mark.anyio

NETWORK: dict[str, Any] = {
    "network": "BSC",
    "coin": "1MBABYDOGE",
    "withdrawIntegerMultiple": "0.01",
    "isDefault": False,
    "depositEnable": True,
    "withdrawEnable": True,
    "depositDesc": "",
    "withdrawDesc": "",
    "specialTips": "",
    "specialWithdrawTips": "",
    "name": "BNB Smart Chain (BEP20)",
    "resetAddressStatus": False,
    "addressRegex": "^(0x)[0-9A-Fa-f]{40}$",
    "memoRegex": "",
    "withdrawFee": "10",
    "withdrawMin": "20",
    "withdrawMax": "9999999999",
    "withdrawInternalMin": "0.01",
    "depositDust": "0.01",
    "minConfirm": 5,
    "unLockConfirm": 0,
    "sameAddress": False,
    "withdrawTag": False,
    "estimatedArrivalTime": 1,
    "busy": False,
    # Of tokens and of coins in multiples only, which nothing listed here is known to be:
    # contractAddressUrl, contractAddress, denomination.
}
COIN: dict[str, Any] = {
    "coin": "1MBABYDOGE",
    "depositAllEnable": True,
    "withdrawAllEnable": True,
    "name": "1M x BABYDOGE",
    "free": "34941.1",
    "locked": "0",
    "freeze": "0",
    "withdrawing": "0",
    "ipoing": "0",
    "ipoable": "0",
    "storage": "0",
    "isLegalMoney": False,
    "trading": True,
    "networkList": [NETWORK],
}
MARGIN_PAIR = {
    "base": "BNB",
    "id": 351637150141315840,
    "isBuyAllowed": True,
    "isMarginTrade": True,
    "isSellAllowed": True,
    "quote": "BTC",
    "symbol": "BNBBTC",
}


@pytest.fixture
async def bank(anyio_backend: str) -> AsyncIterator[Bank]:
    async with Bank() as bank:
        yield bank


class TestAllCoins:
    PATH = "/sapi/v1/capital/config/getall"

    async def coins(self, bank: Bank) -> dict[str, dict[str, Any]]:
        return {each["coin"]: each for each in await bank.get(self.PATH)}

    async def test_every_coin_has_the_documented_members(self, bank: Bank) -> None:
        for coin in await bank.get(self.PATH):
            expected = COIN if coin["networkList"] else COIN | {"networkList": []}
            assert shape(coin) == shape(expected)
            for network in coin["networkList"]:
                assert shape(network) == shape(NETWORK)
                assert network["coin"] == coin["coin"]

    async def test_balances_are_those_of_the_spot_wallet(self, bank: Bank) -> None:
        await bank.deposit("USDT", "0.25")
        await bank.deposit("USDT", "77", wallet="funding")
        await bank.hold_price("BTC/USDT", "100000")
        await bank.order("BTCUSDT", Side.BUY, "0.5", "50000.1")
        usdt = (await self.coins(bank))["USDT"]
        assert (usdt["free"], usdt["locked"]) == ("975000.2", "25000.05")

    async def test_the_first_network_is_the_default_one(self, bank: Bank) -> None:
        for coin in (await self.coins(bank)).values():
            flags = [network["isDefault"] for network in coin["networkList"]]
            assert flags == [place == 0 for place in range(len(flags))]

    async def test_networks_with_memos_say_so(self, bank: Bank) -> None:
        xrp, bsc = (await self.coins(bank))["XRP"]["networkList"]
        assert (xrp["withdrawTag"], xrp["memoRegex"]) == (True, "^((?!0)[0-9]{1,10})$")
        assert (bsc["withdrawTag"], bsc["memoRegex"]) == (False, "")

    async def test_legal_money_moves_on_no_network(self, bank: Bank) -> None:
        euro = (await self.coins(bank))["EUR"]
        assert euro["isLegalMoney"]
        assert (euro["networkList"], euro["depositAllEnable"], euro["withdrawAllEnable"]) == (
            [],
            False,
            False,
        )
        assert euro["trading"]


class TestAssetDetail:
    async def test_it_has_the_documented_members(self, bank: Bank) -> None:
        body = await bank.get("/sapi/v1/asset/assetDetail")
        assert set(body) == set(assets())
        assert body["BTC"] == {
            "minWithdrawAmount": "0.00050000",
            "depositStatus": True,
            "withdrawFee": 0.00025,
            "withdrawStatus": True,
        }
        # Where deposits are suspended there is a tip.
        assert set(body["EUR"]) == {*body["BTC"], "depositTip"}
        assert (body["EUR"]["depositStatus"], body["EUR"]["withdrawStatus"]) == (False, False)

    async def test_of_one_asset(self, bank: Bank) -> None:
        body = await bank.get("/sapi/v1/asset/assetDetail", asset="TRX")
        assert body == {
            "TRX": {
                "minWithdrawAmount": "2.00000000",
                "depositStatus": True,
                "withdrawFee": 1,
                "withdrawStatus": True,
            }
        }
        refusal = await bank.refusal("GET", "/sapi/v1/asset/assetDetail", asset="NOSUCH")
        assert refusal == (400, -4018, "We don't have this asset.")


class TestAddresses:
    PATH = "/sapi/v1/capital/deposit/address"

    def test_every_network_has_addresses_and_memos_of_its_own_form(self) -> None:
        seen: set[str] = set()
        for asset in assets().values():
            for network in asset.networks:
                seen.add(network.code)
                for account in (1, 2, 77):
                    address = deposit_address(1, account, network)
                    assert re.fullmatch(network.address_regex, address.text), network.code
                    assert re.fullmatch(network.tag_regex, address.tag), network.code
        assert seen == set(FORMS)

    async def test_an_address_stays_and_is_the_accounts_own(self, bank: Bank) -> None:
        first = await bank.get(self.PATH, coin="BTC")
        assert shape(first) == shape(
            {"address": "1HPn8R", "coin": "BTC", "tag": "", "url": "https://btc.com/"}
        )
        assert first["address"].startswith("bc1q")
        assert first["url"].endswith(first["address"])
        assert await bank.get(self.PATH, coin="BTC", network="BTC") == first
        assert (await bank.get(self.PATH, "bob", coin="BTC"))["address"] != first["address"]

    async def test_networks_of_one_form_share_an_address(self, bank: Bank) -> None:
        on_bsc = await bank.get(self.PATH, coin="BTC", network="BSC")
        on_eth = await bank.get(self.PATH, coin="ETH")
        assert on_bsc["address"] == on_eth["address"]
        assert on_bsc["url"] != on_eth["url"]

    async def test_a_network_with_memos_gives_one(self, bank: Bank) -> None:
        assert (await bank.get(self.PATH, coin="XRP"))["tag"].isdigit()
        assert (await bank.get(self.PATH, coin="XRP", network="BSC"))["tag"] == ""

    async def test_the_list_has_the_same_address(self, bank: Bank) -> None:
        (listed,) = await bank.get(f"{self.PATH}/list", coin="ETH")
        assert listed == {
            "coin": "ETH",
            "address": (await bank.get(self.PATH, coin="ETH"))["address"],
            "tag": "",
            "isDefault": 1,
        }

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"coin": "NOSUCH"}, -4018),
            ({"coin": "BTC", "network": "NOSUCH"}, -1130),
            ({"coin": "EUR"}, -1130),
            ({}, -1102),
        ],
    )
    async def test_what_has_no_address_is_refused(
        self, bank: Bank, values: dict[str, str], code: int
    ) -> None:
        assert (await bank.refusal("GET", self.PATH, **values))[:2] == (400, code)


class TestMarginLists:
    async def test_they_have_the_documented_members(self, bank: Bank) -> None:
        cross = await bank.get("/sapi/v1/margin/allPairs")
        isolated = await bank.get("/sapi/v1/margin/isolated/allPairs")
        assert shape(cross) == shape([MARGIN_PAIR])
        assert [{**each, "id": 0} for each in isolated] == [{**each, "id": 0} for each in cross]
        assert "id" not in isolated[0]
        assert len({each["id"] for each in cross}) == len(cross)
        assert all(each["id"] < 2**53 for each in cross)

    async def test_they_hold_what_the_listing_flags(self, bank: Bank) -> None:
        symbols = {each["symbol"] for each in await bank.get("/sapi/v1/margin/allPairs")}
        assert symbols == {listing.symbol for listing in load() if listing.is_margin_allowed}
        assert "BTCTRY" not in symbols

    async def test_of_one_symbol(self, bank: Bank) -> None:
        (pair,) = await bank.get("/sapi/v1/margin/isolated/allPairs", symbol="BNBBTC")
        assert pair == {name: value for name, value in MARGIN_PAIR.items() if name != "id"}
        assert await bank.get("/sapi/v1/margin/allPairs", symbol="BTCTRY") == []

    async def test_a_key_is_enough_and_a_signature_does_no_harm(self, bank: Bank) -> None:
        assert await bank.get("/sapi/v1/margin/allPairs", signed=False)
        assert (await bank.refusal("GET", "/sapi/v1/margin/allPairs", None))[:2] == (401, -2014)


class TestTradeFee:
    async def test_every_symbol_or_one(self, bank: Bank) -> None:
        path = "/sapi/v1/asset/tradeFee"
        fees = await bank.get(path)
        assert [each["symbol"] for each in fees] == [listing.symbol for listing in load()]
        assert await bank.get(path, symbol="ADAUSDT") == [
            {"symbol": "ADAUSDT", "makerCommission": "0.001", "takerCommission": "0.001"}
        ]
        assert (await bank.refusal("GET", path, symbol="NOSUCH"))[:2] == (400, -1121)


class TestOwnedAssets:
    async def test_user_assets_are_the_positive_ones(self, bank: Bank) -> None:
        path = "/sapi/v3/asset/getUserAsset"
        owned = await bank.post(path)
        example = {
            "asset": "AVAX",
            "free": "1",
            "locked": "0",
            "freeze": "0",
            "withdrawing": "0",
            "ipoable": "0",
            "btcValuation": "0",
        }
        assert [each["asset"] for each in owned] == ["USDT", "BTC", "BNB", "XRP"]
        assert owned[1] == example | {"asset": "BTC", "free": "100"}
        assert await bank.post(path, asset="BTC", in_body=True) == owned[1:2]
        assert await bank.post(path, asset="ETH") == []

    async def test_funding_assets_are_those_of_that_wallet(self, bank: Bank) -> None:
        path = "/sapi/v1/asset/get-funding-asset"
        assert await bank.post(path) == []
        await bank.deposit("ETH", "2.5", wallet="funding")
        # The documented example, with our amount.
        assert await bank.post(path) == [
            {
                "asset": "ETH",
                "free": "2.5",
                "locked": "0",
                "freeze": "0",
                "withdrawing": "0",
                "btcValuation": "0",
            }
        ]

    async def test_valuations_are_at_the_markets_own_prices(self, bank: Bank) -> None:
        for pair, price in (
            ("BTC/USDT", "30000"),
            ("BNB/BTC", "0.005"),
            ("XRP/BTC", "0.00002"),
            ("USDT/TRY", "40"),
            ("BTC/TRY", "1000000"),
        ):
            await bank.hold_price(pair, price)
        await bank.deposit("TRY", "1000")
        await bank.deposit("NFT", "5")
        owned = await bank.post("/sapi/v3/asset/getUserAsset", needBtcValuation="true")
        assert {each["asset"]: each["btcValuation"] for each in owned} == {
            "USDT": "33.33333333",
            "BTC": "100",
            "BNB": "5",
            "XRP": "0.1",
            "TRY": "0.001",
            # No market leads from it to bitcoin.
            "NFT": "0",
        }

    async def test_an_asset_may_be_several_markets_away(self, bank: Bank) -> None:
        await bank.hold_price("BTC/USDT", "50000")
        await bank.hold_price("PEPE/USDT", "0.00001")
        await bank.deposit("PEPE", "1000000", wallet="funding")
        (pepe,) = await bank.post("/sapi/v1/asset/get-funding-asset", needBtcValuation="true")
        assert pepe["btcValuation"] == "0.0002"

    async def test_wallets_add_up(self, bank: Bank) -> None:
        path = "/sapi/v1/asset/wallet/balance"
        await bank.hold_price("BTC/USDT", "50000")
        await bank.deposit("BTC", "0.5", wallet="usdm")
        wallets = {each["walletName"]: each for each in await bank.get(path, quoteAsset="USDT")}
        assert wallets["USDⓈ-M Futures"] == {
            "activate": True,
            "balance": "25000",
            "walletName": "USDⓈ-M Futures",
        }
        assert wallets["Funding"]["balance"] == "0"
        detailed = await bank.get(path, needBalanceDetail="true")
        assert [each["walletName"] for each in detailed] == list(wallets)
        owned = await bank.post("/sapi/v3/asset/getUserAsset", needBtcValuation="true")
        spot = detailed[0]["assetBalances"]
        assert [each["btcValuation"] for each in spot] == [each["btcValuation"] for each in owned]
        assert Decimal(detailed[0]["balance"]) == sum(Decimal(each["btcValuation"]) for each in owned)
        assert shape(spot[0]) == shape(
            {
                "asset": "USDT",
                "assetName": "TetherUS",
                "free": "6.238383",
                "locked": "0",
                "freeze": "0",
                "withdrawing": "0",
                "btcValuation": "6.238383",
            }
        )
        assert (await bank.refusal("GET", path, quoteAsset="NOSUCH"))[:2] == (400, -1130)
