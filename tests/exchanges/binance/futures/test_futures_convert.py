"""Conversions of assets of the USD-M wallet. Members and words are those of "Send Quote Request", "Accept the
offered quote" and "Order status"; what a quote is worth is reckoned from the prices that are held."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.exchanges.binance.futures.convert import QUOTES_PER_HOUR
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.vault import BTC, Vault

pytestmark = pytest.mark.anyio

NOW_MS = NOW_US // 1000
QUOTE = "/fapi/v1/convert/getQuote"
ACCEPT = "/fapi/v1/convert/acceptQuote"
STATUS = "/fapi/v1/convert/orderStatus"
TO_BTC = {"fromAsset": "USDT", "toAsset": "BTC", "fromAmount": "50000"}


@pytest.fixture
async def vault(anyio_backend: str) -> AsyncIterator[Vault]:
    """Bitcoins are at 100,000, ether is at 4,000."""
    async with Vault() as vault:
        yield vault


async def balances(vault: Vault) -> dict[str, Decimal]:
    return {one["asset"]: Decimal(one["balance"]) for one in await vault.usdm("/v3/balance")}


class TestPairs:
    async def test_a_pair_has_the_ranges_of_the_example(self, vault: Vault) -> None:
        found = await vault.get("/fapi/v1/convert/exchangeInfo", None, fromAsset="BTC", toAsset="USDT")
        assert found == [
            {
                "fromAsset": "BTC",
                "toAsset": "USDT",
                "fromAssetMinAmount": "0.0004",
                "fromAssetMaxAmount": "50",
                "toAssetMinAmount": "20",
                "toAssetMaxAmount": "2500000",
            }
        ]

    async def test_either_asset_may_be_left_out_or_both(self, vault: Vault) -> None:
        path = "/fapi/v1/convert/exchangeInfo"
        assert {one["toAsset"] for one in await vault.get(path, None, fromAsset="BTC")} == {
            "USDT",
            "USDC",
            "ETH",
            "BNB",
        }
        assert {one["toAsset"] for one in await vault.get(path, None, toAsset="ETH")} == {"ETH"}
        assert len(await vault.get(path, None)) == 20  # five assets, each for the four others
        assert (await vault.refusal("GET", path, None, toAsset="DOGE"))[1] == -1126


class TestQuotes:
    async def test_what_is_named_is_sold(self, vault: Vault) -> None:
        quote = await vault.post(QUOTE, **TO_BTC)
        assert set(quote) == set("quoteId ratio inverseRatio validTimestamp toAmount fromAmount".split())
        # 50,000 / 100,000, less a thousandth; ten seconds long.
        assert (quote["fromAmount"], quote["toAmount"]) == ("50000", "0.4995")
        assert quote["ratio"] == "0.00000999"
        assert quote["inverseRatio"] == "100100.1"  # nine digits of it
        assert quote["validTimestamp"] == NOW_MS + 10_000

    async def test_what_is_named_is_bought(self, vault: Vault) -> None:
        quote = await vault.post(QUOTE, fromAsset="USDT", toAsset="ETH", toAmount="2", validTime="10s")
        # 8,000 / 0.999 = 8008.008008008..., up.
        assert (quote["toAmount"], quote["fromAmount"]) == ("2", "8008.00800801")

    async def test_who_has_not_enough_is_told_the_price_and_given_no_id(self, vault: Vault) -> None:
        quote = await vault.post(QUOTE, **{**TO_BTC, "fromAmount": "100000.00000001"})
        assert "quoteId" not in quote
        assert quote["ratio"] == "0.00000999"
        # Nor may what positions need be converted: 1 bitcoin at 20 needs 5,000, and the fee was 50.
        await vault.trade(BTC, "1", "100000")
        assert "quoteId" in await vault.post(QUOTE, **{**TO_BTC, "fromAmount": "94950"})
        assert "quoteId" not in await vault.post(QUOTE, **{**TO_BTC, "fromAmount": "94950.00000001"})

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"fromAsset": "DOGE"}, -1126),
            ({"toAsset": "USDT"}, -1126),
            ({"fromAmount": "19.99"}, -4004),
            ({"fromAmount": "2500000.01"}, -4005),
            ({"fromAmount": "5000500", "fromAsset": "USDC"}, -4005),
            ({"toAmount": "1"}, -1128),
            ({"fromAmount": ""}, -1105),
            ({"fromAmount": "1.000000001"}, -1111),
            ({"validTime": "30s"}, -1130),
        ],
    )
    async def test_what_is_wrong_is_refused(self, vault: Vault, changes: dict[str, Any], code: int) -> None:
        values: dict[str, Any] = {**TO_BTC, **changes}
        assert (await vault.refusal("POST", QUOTE, **values))[:2] == (400, code)

    async def test_one_of_both_amounts_is_needed(self, vault: Vault) -> None:
        refusal = await vault.refusal("POST", QUOTE, fromAsset="USDT", toAsset="BTC")
        assert refusal[:2] == (400, -1102)

    async def test_an_hour_has_so_many(self) -> None:
        async with Vault(counting="on") as vault:
            for _ in range(QUOTES_PER_HOUR):
                await vault.step(1_300_000)
                await vault.post(QUOTE, **TO_BTC)
            assert (await vault.refusal("POST", QUOTE, **TO_BTC))[:2] == (429, -1003)
            await vault.step(3_600_000_000)
            await vault.post(QUOTE, **TO_BTC)


class TestAccepting:
    async def test_both_assets_move_and_nothing_is_made(self, vault: Vault) -> None:
        quote = await vault.post(QUOTE, **TO_BTC)
        await vault.hold_price("BTC/USDT", "200000")
        accepted = await vault.post(ACCEPT, quoteId=quote["quoteId"])
        assert set(accepted) == {"orderId", "createTime", "orderStatus"}
        assert (accepted["createTime"], accepted["orderStatus"]) == (NOW_MS, "SUCCESS")
        # At the price that was quoted, whatever it is by now.
        there = await balances(vault)
        assert (there["USDT"], there["BTC"]) == (Decimal(50_000), Decimal("0.4995"))
        assert not vault.sandbox.engines["binance"].audit()
        market = vault.sandbox.engines["binance"].state.ledger.counterparties["market"]
        assert (market["USDT"], market["BTC"]) == (Decimal(50_000), Decimal("-0.4995"))

    async def test_an_order_is_found_by_either_id(self, vault: Vault) -> None:
        quote = await vault.post(QUOTE, **TO_BTC)
        accepted = await vault.post(ACCEPT, quoteId=quote["quoteId"])
        state = await vault.get(STATUS, orderId=accepted["orderId"])
        assert state == {
            "orderId": int(accepted["orderId"]),
            "orderStatus": "SUCCESS",
            "fromAsset": "USDT",
            "fromAmount": "50000",
            "toAsset": "BTC",
            "toAmount": "0.4995",
            "ratio": quote["ratio"],
            "inverseRatio": quote["inverseRatio"],
            "createTime": NOW_MS,
        }
        assert await vault.get(STATUS, quoteId=quote["quoteId"]) == state
        for who, values in (
            ("bob", {"orderId": accepted["orderId"]}),
            ("bob", {"quoteId": quote["quoteId"]}),
            ("alice", {"orderId": int(accepted["orderId"]) + 1}),
            ("alice", {"orderId": 1}),
            ("alice", {"orderId": "word"}),
        ):
            assert (await vault.refusal("GET", STATUS, who, **values))[:2] == (400, -2013)
        assert (await vault.refusal("GET", STATUS))[1] == -1102

    async def test_incomes_tell_of_both_sides(self, vault: Vault) -> None:
        for _ in range(3):
            quote = await vault.post(QUOTE, **{**TO_BTC, "fromAmount": "1000"})
            await vault.post(ACCEPT, quoteId=quote["quoteId"])
        out = await vault.usdm("/v1/income", incomeType="COIN_SWAP_WITHDRAW", limit=2)
        assert [(one["asset"], one["income"]) for one in out] == [("USDT", "-1000.00000000")] * 2
        into = await vault.usdm("/v1/income", incomeType="COIN_SWAP_DEPOSIT")
        assert [(one["asset"], one["income"]) for one in into] == [("BTC", "0.00999000")] * 3
        assert into[0]["info"] == "COIN_SWAP_DEPOSIT"
        assert await vault.usdm("/v1/income", incomeType="AUTO_EXCHANGE") == []

    async def test_a_quote_is_good_for_ten_seconds_and_once(self, vault: Vault) -> None:
        quote = await vault.post(QUOTE, **TO_BTC)
        await vault.step(9_999_999)
        await vault.post(ACCEPT, quoteId=quote["quoteId"])
        late = await vault.post(QUOTE, **TO_BTC)
        await vault.step(10_000_000)
        for one in (quote, late):
            assert await vault.refusal("POST", ACCEPT, quoteId=one["quoteId"]) == (
                400,
                345231,
                "System failed to execute the quote, which has expired. Please request for quote again.",
            )
        assert (await balances(vault))["USDT"] == Decimal(50_000)

    async def test_what_is_gone_by_then_cannot_be_converted(self, vault: Vault) -> None:
        quotes = [await vault.post(QUOTE, **{**TO_BTC, "fromAmount": "60000"}) for _ in range(2)]
        await vault.post(ACCEPT, quoteId=quotes[0]["quoteId"])
        refusal = await vault.refusal("POST", ACCEPT, quoteId=quotes[1]["quoteId"])
        assert refusal[:2] == (400, -2018)
        assert (await balances(vault))["USDT"] == Decimal(40_000)

    async def test_a_quote_is_its_owners(self, vault: Vault) -> None:
        quote = await vault.post(QUOTE, **TO_BTC)
        for who, number in (("bob", quote["quoteId"]), ("alice", "1"), ("alice", "word")):
            assert (await vault.refusal("POST", ACCEPT, who, quoteId=number))[:2] == (400, -1130)

    async def test_a_key_that_may_only_read_converts_nothing(self, vault: Vault) -> None:
        await vault.add_key("reader", frozenset({"read"}))
        quote = await vault.post(QUOTE, "reader", **TO_BTC)
        assert (await vault.refusal("POST", ACCEPT, "reader", quoteId=quote["quoteId"]))[1] == -2015
