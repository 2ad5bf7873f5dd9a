"""Deposits, withdrawals and transfers. Examples are those of the wallet documents, as the unit tests of
the exchange's own connector (binance-connector-python, 2026-08) repeat them; error codes are those of the
wallet's error list where the comment does not say otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.instruments import Side
from emulator.exchanges.binance.spot.wallet.transfers import ABSENT_WAYS, WAYS
from tests.exchanges.binance.bank import FUNDS, NOW_US, Bank, shape

pytestmark = pytest.mark.anyio

DAY_US = 86_400_000_000
DAY_MS = DAY_US // 1000
NOW_MS = NOW_US // 1000

BITCOIN_ADDRESS = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
RIPPLE_ADDRESS = "rN7n7otQDd6FczFgLdSqtcsAUxDkw6fzRH"
ETHEREUM_ADDRESS = "0x94df8b352de7f46f64b01d3666bf6e936e44ce60"

DEPOSIT: dict[str, Any] = {
    "id": "769800519366885376",
    "amount": "0.001",
    "coin": "BNB",
    "network": "BNB",
    "status": 1,
    "address": "bnb136ns6lfw4zs5hg4n85vdthaad7hq5m4gtkgf23",
    "addressTag": "101764890",
    "txId": "98A3EA560C6B3336D348B6C83F0F95ECE4F1F5919E94BD006E5BF3BF264FACFC",
    "insertTime": 1661493146000,
    "completeTime": 1661493146000,
    "transferType": 0,
    "confirmTimes": "1/1",
    "unlockConfirm": 0,
    "walletType": 0,
    "travelRuleStatus": 0,
}
WITHDRAWAL: dict[str, Any] = {
    "id": "b6ae22b3aa844210a7041aee7589627c",
    "amount": "8.91000000",
    "transactionFee": "0.004",
    "coin": "USDT",
    "status": 6,
    "address": "0x94df8b352de7f46f64b01d3666bf6e936e44ce60",
    "txId": "0xb5ef8c13b968a406cc62a93a8bd80f9e9a906ef1b3fcf20a2e48573c17659268",
    "applyTime": "2019-10-12 11:12:02",
    "network": "ETH",
    "transferType": 0,
    "withdrawOrderId": "WITHDRAWtest123",
    "info": "The address is not valid. Please confirm with the recipient",
    "confirmNo": 3,
    "walletType": 1,
    "txKey": "",
    "completeTime": "2023-03-23 16:52:41",
}


@pytest.fixture
async def bank(anyio_backend: str) -> AsyncIterator[Bank]:
    async with Bank() as bank:
        yield bank


async def pages(bank: Bank, path: str, **values: Any) -> list[str]:
    """Ids of a history, by pages of two."""
    found: list[str] = []
    while part := await bank.get(path, offset=len(found), limit=2, **values):
        assert len(part) <= 2
        found += [each["id"] for each in part]
    return found


class TestDeposits:
    PATH = "/sapi/v1/capital/deposit/hisrec"

    async def test_they_have_the_documented_members(self, bank: Bank) -> None:
        history = await bank.get(self.PATH)
        assert shape(history) == shape([DEPOSIT])
        with_source = await bank.get(self.PATH, includeSource="true")
        assert set(with_source[0]) == {*DEPOSIT, "sourceAddress"}

    async def test_they_tell_what_came_in_newest_first(self, bank: Bank) -> None:
        await bank.step(1_000_000)
        await bank.deposit("XRP", "12.5", wallet="funding")
        newest, *others = await bank.get(self.PATH)
        address = await bank.get("/sapi/v1/capital/deposit/address", coin="XRP")
        assert (newest["coin"], newest["amount"], newest["walletType"]) == ("XRP", "12.5", 1)
        assert (newest["address"], newest["addressTag"]) == (address["address"], address["tag"])
        assert newest["insertTime"] == newest["completeTime"] == NOW_MS + 1000
        assert [each["coin"] for each in others] == list(reversed(FUNDS))
        assert len({each["txId"] for each in (newest, *others)}) == 5

    async def test_what_came_over_no_network_is_none(self, bank: Bank) -> None:
        before = await bank.get(self.PATH)
        await bank.deposit("EUR", "100")
        await bank.deposit("USDT", "100", wallet="usdm")
        assert await bank.get(self.PATH) == before

    async def test_they_can_be_looked_up(self, bank: Bank) -> None:
        history = await bank.get(self.PATH)
        (of_coin,) = await bank.get(self.PATH, coin="BTC")
        assert of_coin["coin"] == "BTC"
        assert await bank.get(self.PATH, txId=of_coin["txId"]) == [of_coin]
        assert await bank.get(self.PATH, status=1) == history
        assert await bank.get(self.PATH, status=0) == []
        assert await pages(bank, self.PATH) == [each["id"] for each in history]
        assert await bank.get(self.PATH, "bob", txId=of_coin["txId"]) == []

    async def test_the_last_ninety_days_unless_said_otherwise(self, bank: Bank) -> None:
        await bank.step(91 * DAY_US)
        assert await bank.get(self.PATH) == []
        assert await bank.get(self.PATH, startTime=NOW_MS, endTime=NOW_MS - 1) == []
        assert len(await bank.get(self.PATH, startTime=NOW_MS, endTime=NOW_MS)) == len(FUNDS)
        refusal = await bank.refusal("GET", self.PATH, startTime=NOW_MS)
        assert refusal == (400, -4047, "Time interval must be within 0-90 days")


class TestWithdraw:
    PATH = "/sapi/v1/capital/withdraw/apply"
    HISTORY = "/sapi/v1/capital/withdraw/history"

    async def test_the_amount_leaves_and_the_fee_is_taken_out_of_it(self, bank: Bank) -> None:
        answer = await bank.post(self.PATH, coin="BTC", address=BITCOIN_ADDRESS, amount="0.5")
        assert set(answer) == {"id"}
        assert len(answer["id"]) == len("7213fea8e94b4a5593d507237e5a555b")
        assert (await bank.balances())["BTC"] == ("99.50000000", "0.00000000")
        (shown,) = await bank.get(self.HISTORY)
        assert shown["id"] == answer["id"]
        assert (shown["amount"], shown["transactionFee"]) == ("0.49975", "0.00025")
        assert (shown["coin"], shown["network"], shown["address"]) == ("BTC", "BTC", BITCOIN_ADDRESS)
        assert (shown["status"], shown["walletType"], shown["confirmNo"]) == (6, 0, 1)
        moment = datetime.fromtimestamp(NOW_US // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        assert shown["applyTime"] == shown["completeTime"] == moment

    async def test_the_history_has_the_documented_members(self, bank: Bank) -> None:
        values = {"coin": "USDT", "network": "ETH", "address": ETHEREUM_ADDRESS, "amount": "10"}
        await bank.post(self.PATH, **values, withdrawOrderId="mine", in_body=True)
        history = await bank.get(self.HISTORY)
        assert shape(history) == shape([WITHDRAWAL])
        assert history[0]["withdrawOrderId"] == "mine"
        await bank.post(self.PATH, **values)
        # Without a client's own id there is no such member.
        assert set((await bank.get(self.HISTORY))[0]) == set(WITHDRAWAL) - {"withdrawOrderId"}

    async def test_out_of_the_funding_wallet(self, bank: Bank) -> None:
        values: dict[str, Any] = {
            "coin": "BTC",
            "network": "BSC",
            "address": ETHEREUM_ADDRESS,
            "amount": "1",
            "walletType": 1,
        }
        assert (await bank.refusal("POST", self.PATH, **values))[1] == -4026
        await bank.deposit("BTC", "1", wallet="funding")
        await bank.post(self.PATH, **values)
        assert await bank.post("/sapi/v1/asset/get-funding-asset") == []
        assert (await bank.get(self.HISTORY))[0]["walletType"] == 1
        assert (await bank.balances())["BTC"][0] == "100.00000000"

    async def test_a_memo_goes_where_there_is_one(self, bank: Bank) -> None:
        values = {"coin": "XRP", "address": RIPPLE_ADDRESS, "amount": "20", "addressTag": "101764890"}
        await bank.post(self.PATH, **values)
        assert (await bank.balances())["XRP"][0] == "4980.00000000"

    @pytest.mark.parametrize(
        ("changes", "code", "text"),
        [
            ({"coin": "NOSUCH"}, -4018, "We don't have this asset."),
            ({"coin": "EUR"}, -4019, "Current asset is not open for withdrawal."),
            # Not in the error list: the nearest of the general ones.
            ({"network": "NOSUCH"}, -1130, "Data sent for parameter 'network' is not valid."),
            # The text of live hosts.
            ({"address": ETHEREUM_ADDRESS}, -4007, "Address verification failed"),
            ({"network": "BSC"}, -4007, "Address verification failed"),
            ({"addressTag": "12"}, -4106, "TAG_NOT_SUPPORTED_FOR_NETWORK"),
            (
                {"coin": "XRP", "address": RIPPLE_ADDRESS, "amount": 20},
                -4008,
                "Address tag validation is not passed.",
            ),
            (
                {"coin": "XRP", "address": RIPPLE_ADDRESS, "amount": 20, "addressTag": "memo"},
                -4008,
                "Address tag validation is not passed.",
            ),
            (
                {"coin": "USDT", "network": "ETH", "address": ETHEREUM_ADDRESS, "amount": "10.0000001"},
                -4021,
                "Asset withdrawal must be an integer multiple of 0.000001.",
            ),
            ({"amount": "0.00049999"}, -4022, "Not less than the minimum pick-up quantity 0.0005."),
            ({"amount": 0}, -4022, "Not less than the minimum pick-up quantity 0.0005."),
            (
                {"amount": 10_000_000_000},
                -4023,
                "Within 24 hours, the withdrawal exceeds the maximum amount.",
            ),
            ({"amount": "100.00000001"}, -4026, "User has insufficient balance"),
            ({"amount": "0.000000001"}, -1111, "Parameter 'amount' has too much precision."),
            ({"walletType": 2}, -1130, "Data sent for parameter 'walletType' is not valid."),
        ],
    )
    async def test_what_is_wrong_is_refused_and_nothing_moves(
        self, bank: Bank, changes: dict[str, Any], code: int, text: str
    ) -> None:
        before = await bank.balances()
        values: dict[str, Any] = {"coin": "BTC", "address": BITCOIN_ADDRESS, "amount": 1}
        assert await bank.refusal("POST", self.PATH, **(values | changes)) == (400, code, text)
        assert await bank.balances() == before
        assert await bank.get(self.HISTORY) == []

    async def test_what_orders_hold_cannot_be_withdrawn(self, bank: Bank) -> None:
        await bank.hold_price("BTC/USDT", "100000")
        await bank.order("BTCUSDT", Side.SELL, "60", "120000")
        values: dict[str, Any] = {"coin": "BTC", "address": BITCOIN_ADDRESS}
        assert (await bank.refusal("POST", self.PATH, **values, amount=41))[1] == -4026
        await bank.post(self.PATH, **values, amount=40)
        assert (await bank.balances())["BTC"] == ("0.00000000", "60.00000000")

    async def test_the_history_can_be_searched(self, bank: Bank) -> None:
        ids = []
        for count in range(3):
            answer = await bank.post(
                self.PATH, coin="BTC", address=BITCOIN_ADDRESS, amount=1, withdrawOrderId=f"w{count}"
            )
            ids.append(answer["id"])
            await bank.step(4 * DAY_US)
        newest_first = list(reversed(ids))
        assert len(set(ids)) == 3
        assert await pages(bank, self.HISTORY) == newest_first
        assert await pages(bank, self.HISTORY, coin="BTC", status=6) == newest_first
        assert await pages(bank, self.HISTORY, coin="ETH") == []
        assert await pages(bank, self.HISTORY, status=4) == []
        assert await pages(bank, self.HISTORY, idList=f"{ids[0]},{ids[2]}") == [ids[2], ids[0]]
        # A client's own id looks back seven days.
        assert await pages(bank, self.HISTORY, withdrawOrderId="w2") == [ids[2]]
        assert await pages(bank, self.HISTORY, withdrawOrderId="w0") == []
        assert await pages(
            bank, self.HISTORY, withdrawOrderId="w0", startTime=NOW_MS, endTime=NOW_MS + DAY_MS
        ) == [ids[0]]
        assert await pages(bank, self.HISTORY, startTime=NOW_MS + 1) == newest_first[:2]
        assert (await bank.refusal("GET", self.HISTORY, startTime=NOW_MS - 90 * DAY_MS))[1] == -4047
        assert (await bank.refusal("GET", self.HISTORY, idList=",".join(map(str, range(46)))))[1] == -1130

    async def test_its_weight_is_the_accounts(self) -> None:
        async with Bank(counting="on") as bank:
            replies = [await bank.ask("GET", self.HISTORY) for _ in range(11)]
            assert [reply.status for reply in replies] == [200] * 10 + [429]
            assert replies[0].headers["x-sapi-used-uid-weight-1s"] == "18000"
            assert replies[-1].code == -1003
            # Another account, from the same address, has its own.
            assert (await bank.ask("GET", self.HISTORY, "bob")).status == 200
            # It weighs by the second, unlike the withdrawals themselves.
            await bank.step(1_000_000)
            assert (await bank.ask("GET", self.HISTORY)).status == 200
            values: dict[str, Any] = {"coin": "BTC", "address": BITCOIN_ADDRESS, "amount": 1}
            reply = await bank.ask("POST", self.PATH, **values)
            assert reply.headers["x-sapi-used-uid-weight-1m"] == "900"


class TestTransfers:
    PATH = "/sapi/v1/asset/transfer"
    OLD = "/sapi/v1/futures/transfer"

    async def test_every_way_leads_from_one_wallet_into_another(self, bank: Bank) -> None:
        wallets = bank.sandbox.engines["binance"].state.ledger.wallets
        for name, (source, target) in WAYS.items():
            await bank.deposit("ETH", "3", wallet=source)
            before = wallets[bank.account(), source]["ETH"].free
            answer = await bank.post(self.PATH, type_=name, asset="ETH", amount="1.5")
            assert set(answer) == {"tranId"}
            assert wallets[bank.account(), source]["ETH"].free == before - Decimal("1.5")
            (row,) = (await bank.get(self.PATH, type_=name))["rows"]
            assert row == {
                "asset": "ETH",
                "amount": "1.5",
                "type": name,
                "status": "CONFIRMED",
                "tranId": answer["tranId"],
                "timestamp": NOW_MS,
            }
            assert wallets[bank.account(), target]["ETH"].free >= Decimal("1.5")

    @pytest.mark.parametrize(
        ("number", "name"),
        [(1, "MAIN_UMFUTURE"), (2, "UMFUTURE_MAIN"), (3, "MAIN_CMFUTURE"), (4, "CMFUTURE_MAIN")],
    )
    async def test_the_older_endpoint_moves_the_same(self, bank: Bank, number: int, name: str) -> None:
        source, target = WAYS[name]
        await bank.deposit("ETH", "3", wallet=source)
        answer = await bank.post(self.OLD, type_=number, asset="ETH", amount="1.5")
        assert set(answer) == {"tranId"}
        wallets = bank.sandbox.engines["binance"].state.ledger.wallets
        assert [wallets[bank.account(), each]["ETH"].free for each in (source, target)] == [
            Decimal("1.5"),
            Decimal("1.5"),
        ]
        row = {
            "asset": "ETH",
            "amount": "1.5",
            "type": str(number),
            "status": "CONFIRMED",
            "tranId": answer["tranId"],
            "timestamp": NOW_MS,
        }
        history = await bank.get(self.OLD, asset="ETH", startTime=NOW_MS)
        assert history == {"total": 1, "rows": [row]}
        assert await bank.get(self.OLD, asset="BTC", startTime=NOW_MS) == {"total": 0, "rows": []}
        assert (await bank.get(self.PATH, type_=name))["rows"] == [{**row, "type": name}]

    async def test_the_older_history_has_every_way_and_no_other(self, bank: Bank) -> None:
        for number in (1, 3, 2):
            await bank.post(self.OLD, type_=number, asset="BTC", amount=1)
            await bank.step(1_000_000)
        await bank.post(self.PATH, type_="MAIN_FUNDING", asset="BTC", amount=1)
        body = await bank.get(self.OLD, asset="BTC", startTime=NOW_MS, size=2)
        assert (body["total"], [row["type"] for row in body["rows"]]) == (3, ["2", "3"])
        (first,) = (await bank.get(self.OLD, asset="BTC", startTime=NOW_MS, size=2, current=2))["rows"]
        assert first["type"] == "1"

    async def test_the_older_endpoint_refuses_as_the_newer_one(self, bank: Bank) -> None:
        values: dict[str, Any] = {"type_": 1, "asset": "BTC", "amount": 1}
        for changes, code in (({"type_": 5}, -1102), ({"amount": 0}, -5007), ({"amount": 101}, -5013)):
            assert (await bank.refusal("POST", self.OLD, **(values | changes)))[:2] == (400, code)
        assert (await bank.refusal("GET", self.OLD, asset="BTC"))[1] == -1102

    async def test_what_is_not_there_cannot_be_moved(self, bank: Bank) -> None:
        values = {"type_": "MAIN_UMFUTURE", "asset": "BTC"}
        refusal = await bank.refusal("POST", self.PATH, **values, amount="100.00000001")
        # As live hosts answer; the error list does not have it.
        assert refusal == (400, -5013, "Asset transfer failed: insufficient balance")
        await bank.hold_price("BTC/USDT", "100000")
        await bank.order("BTCUSDT", Side.SELL, "60", "120000")
        assert (await bank.refusal("POST", self.PATH, **values, amount=41))[1] == -5013
        await bank.post(self.PATH, **values, amount=40)
        assert (await bank.get(self.PATH, type_="MAIN_UMFUTURE"))["total"] == 1

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"type_": "MAIN_MOON"}, -1102),
            ({"asset": "NOSUCH"}, -5003),
            ({"amount": 0}, -5007),
            ({"amount": "1.000000001"}, -1111),
            ({"amount": "-1"}, -1100),
        ],
    )
    async def test_what_is_wrong_is_refused(self, bank: Bank, changes: dict[str, Any], code: int) -> None:
        values: dict[str, Any] = {"type_": "MAIN_FUNDING", "asset": "BTC", "amount": 1}
        assert (await bank.refusal("POST", self.PATH, **(values | changes)))[:2] == (400, code)
        assert (await bank.balances())["BTC"][0] == "100.00000000"

    @pytest.mark.parametrize("name", ABSENT_WAYS)
    async def test_ways_without_wallets_say_so(self, bank: Bank, name: str) -> None:
        status, code, text = await bank.refusal("POST", self.PATH, type_=name, asset="BTC", amount=1)
        assert (status, code) == (400, -1020)
        assert name in text
        assert await bank.get(self.PATH, type_=name) == {"total": 0, "rows": []}

    async def test_the_history_comes_in_pages_newest_first(self, bank: Bank) -> None:
        ids = []
        for _ in range(12):
            answer = await bank.post(self.PATH, type_="MAIN_FUNDING", asset="BTC", amount=1)
            ids.append(answer["tranId"])
            await bank.step(DAY_US // 4)
        newest_first = list(reversed(ids))

        async def ask(**values: Any) -> tuple[int, list[int]]:
            body = await bank.get(self.PATH, type_="MAIN_FUNDING", **values)
            assert set(body) == {"total", "rows"}
            return body["total"], [row["tranId"] for row in body["rows"]]

        assert await ask() == (12, newest_first[:10])
        assert await ask(current=2) == (12, newest_first[10:])
        assert await ask(current=2, size=5) == (12, newest_first[5:10])
        assert await ask(current=9) == (12, [])
        assert await ask(startTime=NOW_MS, endTime=NOW_MS + DAY_MS // 4) == (2, newest_first[-2:])
        await bank.step(7 * DAY_US)
        assert await ask() == (0, [])
        assert (await ask(startTime=NOW_MS))[0] == 12
        await bank.step(183 * DAY_US)
        assert await ask(startTime=NOW_MS) == (0, [])

    async def test_a_key_needs_the_permission(self, bank: Bank) -> None:
        await bank.add_key("reader", frozenset({"read"}))
        values = {"type_": "MAIN_FUNDING", "asset": "BTC", "amount": 1}
        assert (await bank.refusal("POST", self.PATH, "reader", **values))[1] == -2015
        await bank.add_key("mover", frozenset({"read", "transfer"}))
        await bank.post(self.PATH, "mover", **values)
        withdrawal = {"coin": "BTC", "address": BITCOIN_ADDRESS, "amount": 1}
        assert (await bank.refusal("POST", TestWithdraw.PATH, "mover", **withdrawal))[1] == -2015
