"""Coins over the wire: what they are, and how they move between wallets and over chains (docs/v5/asset)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from emulator.core.commands import Deposit
from emulator.exchanges.bybit.assets import assets
from tests.exchanges.bybit.pit import DAY_US, NOW_MS, SECOND_US, Pit

pytestmark = pytest.mark.anyio

TRANSFER = "/v5/asset/transfer/inter-transfer"
TRANSFERS = "/v5/asset/transfer/query-inter-transfer-list"
BALANCES = "/v5/asset/transfer/query-account-coins-balance"
NAME = "42c0cfb0-6bca-c242-bc76-4e6df6cbab16"
"""create-inter-transfer.mdx."""
TO_FUND = {
    "transferId": NAME,
    "coin": "USDT",
    "amount": "250.5",
    "fromAccountType": "UNIFIED",
    "toAccountType": "FUND",
}
ETHEREUM = "0x" + "0123456789abcdef" * 2 + "01234567"


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


async def held(pit: Pit, wallet: str, coin: str = "USDT") -> Any:
    told = await pit.get(BALANCES, {"accountType": wallet, "coin": coin})
    (one,) = told["balance"]
    assert one.pop("coin") == coin
    return one


# Coins


async def test_every_coin_has_chains_that_it_moves_on(pit: Pit) -> None:
    told = await pit.get("/v5/asset/coin/query-info")
    assert {one["coin"] for one in told["rows"]} == set(assets())
    (tether,) = (await pit.get("/v5/asset/coin/query-info", {"coin": "USDT"}))["rows"]
    (ethereum,) = [one for one in tether["chains"] if one["chain"] == "ETH"]
    assert (ethereum["chainType"], ethereum["chainDeposit"], ethereum["chainWithdraw"]) == ("ERC20", "1", "1")
    assert Decimal(ethereum["withdrawMin"]) > 0
    assert (await pit.no("GET", "/v5/asset/coin/query-info", {"coin": "NONE"}))[0] == 10001


# Transfers


async def test_a_transfer_moves_and_is_told_of_by_its_name(pit: Pit) -> None:
    assert await pit.post(TRANSFER, TO_FUND) == {"transferId": NAME, "status": "SUCCESS"}
    assert await held(pit, "FUND") == {"walletBalance": "250.5", "transferBalance": "250.5", "bonus": ""}
    assert (await held(pit, "UNIFIED"))["walletBalance"] == "999749.5"
    told = await pit.get(TRANSFERS, {"transferId": NAME})
    assert told["nextPageCursor"] == ""
    assert told["list"] == [
        {
            **TO_FUND,
            # In whole seconds: inter-transfer-list.mdx.
            "timestamp": str(NOW_MS // 1000 * 1000),
            "status": "SUCCESS",
        }
    ]


async def test_a_transfer_of_the_same_name_is_refused(pit: Pit) -> None:
    await pit.post(TRANSFER, TO_FUND)
    assert await pit.no("POST", TRANSFER, {**TO_FUND, "amount": "1"}) == (131214, "TransferId exist")
    assert (await held(pit, "FUND"))["walletBalance"] == "250.5"
    # It is the account's own: bob may use it too.
    assert (await pit.post(TRANSFER, TO_FUND, "bob"))["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"amount": "1000000.00000001"}, 131212),
        ({"amount": "0"}, 131215),
        ({"amount": "0.000000001"}, 131210),
        ({"amount": "-1"}, 10001),
        ({"coin": "NONE"}, 131203),
        ({"toAccountType": "UNIFIED"}, 131211),
        ({"toAccountType": "CONTRACT"}, 131231),
        ({"fromAccountType": "SPOT"}, 131232),
        ({"transferId": "mine"}, 10001),
        ({"transferId": ""}, 10001),
    ],
)
async def test_transfers_that_are_refused(pit: Pit, changed: dict[str, str], code: int) -> None:
    assert (await pit.no("POST", TRANSFER, {**TO_FUND, **changed}))[0] == code
    assert (await held(pit, "FUND"))["walletBalance"] == "0"


async def test_transfers_are_paged_newest_first(pit: Pit) -> None:
    names = [str(UUID(int=number, version=4)) for number in range(1, 6)]
    for name in names:
        await pit.post(TRANSFER, {**TO_FUND, "transferId": name})
        await pit.step(SECOND_US)
    seen: list[str] = []
    cursor = ""
    while True:
        told = await pit.get(TRANSFERS, {"limit": 2, "cursor": cursor})
        seen += [one["transferId"] for one in told["list"]]
        cursor = told["nextPageCursor"]
        if not cursor:
            break
    assert seen == names[::-1]
    first = await pit.get(TRANSFERS, {"endTime": NOW_MS, "coin": "USDT"})
    assert [one["transferId"] for one in first["list"]] == names[:1]
    assert (await pit.get(TRANSFERS, {"coin": "BTC"}))["list"] == []
    assert (await pit.get(TRANSFERS, {"status": "FAILED"}))["list"] == []
    await pit.step(8 * DAY_US)
    assert (await pit.get(TRANSFERS))["list"] == []
    told = await pit.get(TRANSFERS, {"startTime": NOW_MS})
    assert [one["transferId"] for one in told["list"]] == names[::-1]
    span = {"startTime": NOW_MS, "endTime": NOW_MS + 8 * 86_400_000}
    assert (await pit.no("GET", TRANSFERS, span))[0] == 10001
    assert (await pit.no("GET", TRANSFERS, {"cursor": "what"}))[0] == 10001


async def test_coins_that_may_be_transferred_are_those_that_there_are(pit: Pit) -> None:
    path = "/v5/asset/transfer/query-transfer-coin-list"
    told = await pit.get(path, {"fromAccountType": "FUND", "toAccountType": "UNIFIED"})
    assert told["list"] == list(assets())


# Balances


async def test_a_balance_of_one_coin_says_what_may_leave(pit: Pit) -> None:
    path = "/v5/asset/transfer/query-account-coin-balance"
    sent = {"accountType": "UNIFIED", "coin": "BTC", "withBonus": 1, "withTransferSafeAmount": 1}
    told = await pit.get(path, sent)
    assert told["accountType"] == "UNIFIED"
    assert told["balance"] == {
        "coin": "BTC",
        "walletBalance": "10",
        "transferBalance": "10",
        "bonus": "0",
        "transferSafeAmount": "10",
        "ltvTransferSafeAmount": "",
    }
    key = await pit.get("/v5/user/query-api")
    assert told["memberId"] == str(key["userID"])


async def test_the_unified_wallet_is_asked_for_coins_and_the_other_tells_of_all(pit: Pit) -> None:
    assert (await pit.no("GET", BALANCES, {"accountType": "UNIFIED"}))[0] == 10001
    assert (await pit.no("GET", BALANCES, {"accountType": "CONTRACT"}))[0] == 10001
    assert (await pit.no("GET", BALANCES, {"accountType": "FUND", "memberId": "1"}))[0] == 10001
    await pit.post(TRANSFER, TO_FUND)
    told = await pit.get(BALANCES, {"accountType": "FUND"})
    assert [one["coin"] for one in told["balance"]] == ["USDT"]
    told = await pit.get(BALANCES, {"accountType": "UNIFIED", "coin": "BTC,ETH"})
    assert [(one["coin"], one["walletBalance"]) for one in told["balance"]] == [("BTC", "10"), ("ETH", "0")]


# Deposits and withdrawals


async def test_a_deposit_is_told_of_as_one_over_the_default_chain(pit: Pit) -> None:
    account = pit.sandbox.accounts["alice"]
    await pit.do(Deposit(account=account, wallet="fund", asset="ETH", amount=Decimal("1.5")))
    (deposit,) = (await pit.get("/v5/asset/deposit/query-record", {"coin": "ETH"}))["rows"]
    assert (deposit["amount"], deposit["chain"], deposit["status"]) == ("1.5", "ETH", 3)
    told = await pit.get("/v5/asset/deposit/query-address", {"coin": "ETH", "chainType": "ETH"})
    (address,) = told["chains"]
    assert deposit["toAddress"] == address["addressDeposit"]
    assert len(address["addressDeposit"]) == 42
    found = await pit.get("/v5/asset/deposit/query-record", {"txID": deposit["txID"]})
    assert found["rows"] == [deposit]
    found = await pit.get("/v5/asset/deposit/query-record", {"id": deposit["id"]})
    assert found["rows"] == [deposit]


async def test_each_account_has_addresses_of_its_own_that_fit_the_chain(pit: Pit) -> None:
    for coin, asset in assets().items():
        mine = await pit.get("/v5/asset/deposit/query-address", {"coin": coin})
        his = await pit.get("/v5/asset/deposit/query-address", {"coin": coin}, "bob")
        assert [one["chain"] for one in mine["chains"]] == [one.code for one in asset.networks]
        for one, other, chain in zip(mine["chains"], his["chains"], asset.networks, strict=True):
            assert re.search(chain.address_regex, one["addressDeposit"]), (coin, one)
            assert bool(one["tagDeposit"]) is bool(chain.tag_regex)
            assert (
                one["addressDeposit"] != other["addressDeposit"] or one["tagDeposit"] != other["tagDeposit"]
            )


async def test_a_withdrawal_leaves_with_its_fee(pit: Pit) -> None:
    (ethereum,) = [one for one in assets()["USDT"].networks if one.code == "ETH"]
    fee = ethereum.withdraw_fee
    sent: dict[str, Any] = {
        "coin": "USDT",
        "chain": "ETH",
        "address": ETHEREUM,
        "amount": "100",
        "timestamp": NOW_MS,
        "accountType": "UTA",
        "requestId": "first",
    }
    made = await pit.post("/v5/asset/withdraw/create", sent)
    # feeType 0: what is asked for is what arrives (withdraw.mdx).
    assert Decimal((await held(pit, "UNIFIED"))["walletBalance"]) == 1_000_000 - 100 - fee
    (told,) = (await pit.get("/v5/asset/withdraw/query-record", {"withdrawID": made["id"]}))["rows"]
    assert (told["amount"], Decimal(told["withdrawFee"])) == ("100", fee)
    assert (told["toAddress"], told["status"], told["withdrawType"]) == (ETHEREUM, "success", 0)
    assert (await pit.no("POST", "/v5/asset/withdraw/create", sent))[0] == 131082
    await pit.post("/v5/asset/withdraw/create", {**sent, "requestId": "second", "feeType": 1})
    # feeType 1: the fee is in it.
    assert Decimal((await held(pit, "UNIFIED"))["walletBalance"]) == 1_000_000 - 200 - fee
    (newest, _) = (await pit.get("/v5/asset/withdraw/query-record"))["rows"]
    assert Decimal(newest["amount"]) == 100 - fee


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"amount": "0.1"}, 131096),
        ({"amount": "10000001"}, 131096),
        ({"amount": "9000000"}, 131212),
        ({"amount": "100.00000000001"}, 131002),
        ({"address": "nowhere"}, 131002),
        ({"tag": "7"}, 131081),
        ({"forceChain": 2}, 131077),
        ({"accountType": "SPOT"}, 131002),
        ({"accountType": "FUND"}, 131212),
        ({"coin": "NONE"}, 10001),
        ({"chain": "NONE"}, 10001),
    ],
)
async def test_withdrawals_that_are_refused(pit: Pit, changed: dict[str, Any], code: int) -> None:
    sent: dict[str, Any] = {
        "coin": "USDT",
        "chain": "ETH",
        "address": ETHEREUM,
        "amount": "100",
        "timestamp": NOW_MS,
        "accountType": "UTA",
    }
    assert (await pit.no("POST", "/v5/asset/withdraw/create", {**sent, **changed}))[0] == code
    assert (await held(pit, "UNIFIED"))["walletBalance"] == "1000000"


async def test_of_several_wallets_the_first_that_has_enough_pays(pit: Pit) -> None:
    await pit.post(TRANSFER, TO_FUND)
    sent: dict[str, Any] = {
        "coin": "USDT",
        "chain": "ETH",
        "address": ETHEREUM,
        "amount": "100",
        "timestamp": NOW_MS,
        "accountType": "FUND,UTA",
    }
    await pit.post("/v5/asset/withdraw/create", sent)
    assert Decimal((await held(pit, "FUND"))["walletBalance"]) < Decimal("150.5")
    assert (await held(pit, "UNIFIED"))["walletBalance"] == "999749.5"
    await pit.post("/v5/asset/withdraw/create", {**sent, "amount": "1000"})
    assert Decimal((await held(pit, "UNIFIED"))["walletBalance"]) < 998_750


async def test_what_may_be_withdrawn_is_told_by_wallet(pit: Pit) -> None:
    await pit.post(TRANSFER, TO_FUND)
    told = await pit.get("/v5/asset/withdraw/withdrawable-amount", {"coin": "USDT"})
    assert told["limitAmountUsd"] == "0"
    wallets = told["withdrawableAmount"]
    assert wallets["FUND"] == {"coin": "USDT", "withdrawableAmount": "250.5", "availableBalance": "250.5"}
    assert wallets["UTA"]["withdrawableAmount"] == "999749.5"
