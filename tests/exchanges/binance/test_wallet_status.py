"""The state of system, account and key, what has never happened, and what is not emulated. Examples are
those of the wallet documents, as the unit tests of the exchange's own connector
(binance-connector-python, 2026-08) repeat them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.exchanges.binance.bank import NOW_US, Bank, shape

pytestmark = pytest.mark.anyio

RESTRICTIONS = {
    "ipRestrict": False,
    "createTime": 1623840271000,
    "enableReading": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": True,
    "enableMargin": False,
    "enableFutures": False,
    "permitsUniversalTransfer": True,
    "enableVanillaOptions": False,
    "enableFixApiTrade": False,
    "enableFixReadOnly": True,
    "enableSpotAndMarginTrading": False,
    "enablePortfolioMarginTrading": True,
}


@pytest.fixture
async def bank(anyio_backend: str) -> AsyncIterator[Bank]:
    async with Bank() as bank:
        yield bank


class TestStatus:
    async def test_the_system_tells_anybody(self, bank: Bank) -> None:
        assert await bank.get("/sapi/v1/system/status", None) == {"status": 0, "msg": "normal"}

    async def test_the_account_is_free_to_trade(self, bank: Bank) -> None:
        assert await bank.get("/sapi/v1/account/status") == {"data": "Normal"}
        assert await bank.get("/sapi/v1/account/apiTradingStatus") == {
            "data": {
                "isLocked": False,
                "plannedRecoverTime": 0,
                "triggerCondition": {"GCR": 150, "IFER": 150, "UFR": 300},
                "updateTime": NOW_US // 1000,
            }
        }
        assert shape(await bank.get("/sapi/v1/account/info")) == shape(
            {
                "vipLevel": 0,
                "isMarginEnabled": True,
                "isFutureEnabled": True,
                "isOptionsEnabled": True,
                "isPortfolioMarginRetailEnabled": True,
            }
        )

    async def test_restrictions_are_what_the_key_may_not(self, bank: Bank) -> None:
        path = "/sapi/v1/account/apiRestrictions"
        body = await bank.get(path)
        assert shape(body) == shape(RESTRICTIONS)
        granted = {
            "enableReading",
            "enableWithdrawals",
            "permitsUniversalTransfer",
            "enableSpotAndMarginTrading",
            "enableFutures",
        }
        assert {name for name, allowed in body.items() if allowed is True} == granted
        await bank.add_key("reader", frozenset({"read"}))
        body = await bank.get(path, "reader")
        assert {name for name, allowed in body.items() if allowed is True} == {"enableReading"}

    async def test_a_key_tells_when_it_was_made(self, bank: Bank) -> None:
        await bank.step(5_000_000)
        await bank.add_key("reader", frozenset({"read"}))
        await bank.step(5_000_000)
        made = [
            (await bank.get("/sapi/v1/account/apiRestrictions", who))["createTime"]
            for who in ("alice", "reader")
        ]
        assert made == [NOW_US // 1000, NOW_US // 1000 + 5000]

    async def test_times_are_milliseconds_whatever_else_was_asked_for(self, bank: Bank) -> None:
        (deposit, *_) = await bank.get("/sapi/v1/capital/deposit/hisrec")
        assert deposit["insertTime"] == NOW_US // 1000


class TestFeePayment:
    PATH = "/sapi/v1/bnbBurn"

    async def test_it_is_off_until_somebody_asks_for_it(self, bank: Bank) -> None:
        off, on = ({"spotBNBBurn": on, "interestBNBBurn": False} for on in (False, True))
        assert await bank.get(self.PATH) == off
        assert await bank.post(self.PATH, spotBNBBurn="true") == on
        assert await bank.post(self.PATH, spotBNBBurn="true", in_body=True) == on
        assert await bank.get(self.PATH) == on
        assert await bank.get(self.PATH, "bob") == off
        assert await bank.post(self.PATH, interestBNBBurn="false") == on
        assert await bank.post(self.PATH, spotBNBBurn="false", interestBNBBurn="false") == off

    async def test_there_is_no_interest_to_pay(self, bank: Bank) -> None:
        status, code, text = await bank.refusal("POST", self.PATH, spotBNBBurn="true", interestBNBBurn="true")
        assert (status, code) == (400, -1020)
        assert "interest" in text
        assert not (await bank.get(self.PATH))["spotBNBBurn"]

    async def test_one_of_the_two_must_be_sent(self, bank: Bank) -> None:
        assert (await bank.refusal("POST", self.PATH))[:2] == (400, -1102)


class TestWhatNeverHappened:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/sapi/v1/asset/assetDividend", {"rows": [], "total": 0}),
            ("/sapi/v1/asset/dribblet", {"total": 0, "userAssetDribblets": []}),
            ("/sapi/v1/spot/delist-schedule", []),
        ],
    )
    async def test_it_is_empty_in_its_documented_form(self, bank: Bank, path: str, body: Any) -> None:
        assert await bank.get(path) == body

    async def test_dividends_are_asked_for_within_half_a_year(self, bank: Bank) -> None:
        path, day = "/sapi/v1/asset/assetDividend", 86_400_000
        await bank.get(path, startTime=day, endTime=181 * day)
        assert (await bank.refusal("GET", path, startTime=day, endTime=181 * day + 1))[1] == -1128


class TestNotEmulated:
    @pytest.mark.parametrize(
        ("method", "path", "why"),
        [
            ("POST", "/sapi/v1/userListenToken", "margin"),
            ("POST", "/sapi/v1/userDataStream/isolated", "margin"),
            ("POST", "/sapi/v1/margin/order", "margin"),
            ("GET", "/sapi/v1/sub-account/list", "sub-accounts"),
            ("GET", "/sapi/v1/futures/loan/wallet", "loans"),
            ("GET", "/sapi/v1/futures/histDataLink", "/fapi"),
            ("POST", "/sapi/v1/algo/futures/newOrderTwap", "algorithmic"),
            ("POST", "/sapi/v1/convert/getQuote", "conversion"),
            ("GET", "/sapi/v1/simple-earn/flexible/list", "earn"),
            ("POST", "/sapi/v1/asset/dust", "dust"),
            ("GET", "/sapi/v1/accountSnapshot", "snapshots"),
            ("GET", "/sapi/v1/capital/withdraw/quota", "the rest of the wallet"),
        ],
    )
    async def test_it_is_said_with_the_reason(self, bank: Bank, method: str, path: str, why: str) -> None:
        status, code, text = await bank.refusal(method, path)
        assert (status, code) == (404, -1020)
        assert f"{method} {path}" in text
        assert why in text
