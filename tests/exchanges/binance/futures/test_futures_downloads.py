"""Histories as files. Columns are those of the exchange's own files (see `futures/tables`), limits and
members those of its documents ("Get Download Id For Futures Order History" and its like)."""

from __future__ import annotations

import asyncio
import csv
import hmac
import io
import re
import zipfile
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from emulator.core.commands import Transfer
from emulator.core.history import Fill
from emulator.core.instruments import Side
from emulator.runtime.chronicle import Keeping
from emulator.storage.memory import MemoryArchive
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.vault import BTC, COIN, ETH, Vault
from tests.web.client import ask

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
NOW_MS = NOW_US // 1000
SPAN: dict[str, Any] = {"startTime": NOW_MS - 30 * DAY_MS, "endTime": NOW_MS + DAY_MS}


@pytest.fixture
async def vault(anyio_backend: str) -> AsyncIterator[Vault]:
    async with Vault() as vault:
        yield vault


async def completed(vault: Vault, path: str, download: str) -> dict[str, Any]:
    """The link when the file is there; turns of the event loop are all that it takes."""
    async with asyncio.timeout(20):
        while True:
            link: dict[str, Any] = await vault.get(f"{path}/id", downloadId=download)
            if link["status"] == "completed":
                return link
            assert (link["url"], link["notified"], link["expirationTimestamp"]) == ("", False, -1)
            await asyncio.sleep(0)


async def fetched(vault: Vault, url: str) -> bytes:
    address = urlsplit(url)
    reply = await ask(vault.application, "GET", address.path, query=address.query)
    assert reply.status == 200, reply.content
    assert reply.headers["content-type"] == "application/zip"
    return reply.content


async def lines_of(vault: Vault, path: str, **span: int) -> tuple[str, list[dict[str, str]]]:
    """The text of a history's only file, and its rows."""
    asked = await vault.get(path, **(span or SPAN))
    assert set(asked) == {"avgCostTimestampOfLast30d", "downloadId"}
    link = await completed(vault, path, asked["downloadId"])
    with zipfile.ZipFile(io.BytesIO(await fetched(vault, link["url"]))) as archive:
        (name,) = archive.namelist()
        # It was 2026-09-21, 14:15 UTC, or a minute later.
        assert re.fullmatch(
            r"Binance-Futures-(Order|Trade|Transaction)-History-20260921141[56]\(UTC\+0\)-part1-of1\.csv",
            name,
        )
        text = archive.read(name).decode()
    return text, list(csv.DictReader(io.StringIO(text)))


def summed(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(one[column].removesuffix("USDT")) for one in rows), Decimal(0))


class TestFiles:
    async def test_trades(self, vault: Vault) -> None:
        await vault.trade(BTC, "0.5", "100000")
        await vault.hold_price("BTC/USDT", "100010")
        await vault.trade(BTC, "-0.5", "100010")
        text, rows = await lines_of(vault, "/fapi/v1/trade/asyn")
        assert text.splitlines()[0] == (
            "Uid,Time,Symbol,Side,Price,Quantity,Amount,Fee,Realized Profit,Buyer,Maker,Trade ID,Order ID"
        )
        told = await vault.usdm("/v1/userTrades", symbol="BTCUSDT")
        assert [(one["Trade ID"], one["Order ID"]) for one in rows] == [
            (str(one["id"]), str(one["orderId"])) for one in told
        ]
        first, last = rows[0], rows[-1]
        assert first["Uid"] == str(vault.account())
        assert first["Time"] == "2026-09-21 14:15:23"
        assert (first["Symbol"], first["Side"], first["Price"]) == ("BTCUSDT", "BUY", "100000")
        assert (first["Buyer"], first["Maker"], first["Realized Profit"]) == ("true", "false", "0")
        assert (last["Side"], last["Buyer"], last["Maker"]) == ("SELL", "false", "false")
        bought = [one for one in rows if one["Side"] == "BUY"]
        sold = [one for one in rows if one["Side"] == "SELL"]
        assert summed(bought, "Quantity") == summed(sold, "Quantity") == Decimal("0.5")
        assert (summed(bought, "Amount"), summed(sold, "Amount")) == (Decimal(50_000), Decimal(50_005))
        # A taker pays 0.05 % of either.
        assert all(one["Fee"].endswith("USDT") for one in rows)
        assert (summed(bought, "Fee"), summed(sold, "Fee")) == (Decimal(25), Decimal("25.0025"))
        assert summed(sold, "Realized Profit") == 5  # 0.5 x 10

    async def test_orders_of_all_symbols_in_the_order_of_time(self, vault: Vault) -> None:
        await vault.place(ETH, Side.BUY, "1", "3900")
        await vault.step(2_000_000)
        await vault.trade(BTC, "0.5", "100000")
        text, (waiting, filled) = await lines_of(vault, "/fapi/v1/order/asyn")
        assert text.splitlines()[0] == (
            "Uid,Time,Order No,Symbol,Type,Side,Price,Average Price,Amount,Executed Amount,"
            "Executed Quote Amount,Stop Price,Status,Update Time"
        )
        assert waiting["Time"] == waiting["Update Time"] == "2026-09-21 14:15:23"
        assert (waiting["Symbol"], waiting["Type"], waiting["Status"]) == ("ETHUSDT", "LIMIT", "NEW")
        assert (waiting["Price"], waiting["Average Price"]) == ("3900", "0")
        assert (waiting["Amount"], waiting["Executed Amount"], waiting["Stop Price"]) == ("1", "0", "0")
        assert filled["Time"] == "2026-09-21 14:15:25"
        assert (filled["Symbol"], filled["Side"], filled["Status"]) == ("BTCUSDT", "BUY", "FILLED")
        assert (filled["Average Price"], filled["Executed Quote Amount"]) == ("100000", "50000")

    async def test_every_income_is_there_with_all_in_quotation_marks(self, vault: Vault) -> None:
        await vault.trade(BTC, "0.5", "100000")
        text, rows = await lines_of(vault, "/fapi/v1/income/asyn")
        assert text.splitlines()[0] == '"Date(UTC)","type","Amount","Asset","Symbol","Transaction ID"'
        funds, *fees = rows
        assert (funds["type"], funds["Amount"], funds["Symbol"]) == ("TRANSFER", "100000", "")
        assert {(one["type"], one["Asset"], one["Symbol"]) for one in fees} == {
            ("COMMISSION", "USDT", "BTCUSDT")
        }
        assert summed(fees, "Amount") == -25
        told = await vault.usdm("/v1/income")
        assert [one["Transaction ID"] for one in rows] == [str(one["tranId"]) for one in told]

    async def test_contracts_of_coins(self, vault: Vault) -> None:
        await vault.trade(COIN, "10", "50000")
        _, (trade,) = await lines_of(vault, "/dapi/v1/trade/asyn")
        # Ten contracts of 100 dollars; a taker pays 0.05 % of 0.02 bitcoins.
        assert (trade["Symbol"], trade["Quantity"], trade["Amount"]) == ("BTCUSD_PERP", "10", "1000")
        assert trade["Fee"] == "0.00001000BTC"
        _, (order,) = await lines_of(vault, "/dapi/v1/order/asyn")
        assert (order["Executed Amount"], order["Executed Quote Amount"]) == ("10", "1000")
        _, incomes = await lines_of(vault, "/dapi/v1/income/asyn")
        assert [one["Amount"] for one in incomes] == ["10", "-0.00001"]
        assert (await lines_of(vault, "/fapi/v1/trade/asyn"))[1] == []

    async def test_all_pages_are_in_it(self, vault: Vault) -> None:
        """More than a query gives at once, some of them with the same number in two places."""
        for _ in range(1_050):
            await vault.do(
                Transfer(
                    account=vault.account(), asset="USDT", amount=Decimal(1), source="usdm", target="coinm"
                )
            )
        _, rows = await lines_of(vault, "/fapi/v1/income/asyn")
        assert [one["Amount"] for one in rows] == ["100000", *["-1"] * 1_050]
        assert len({one["Transaction ID"] for one in rows}) == 1_051

    async def test_what_is_outside_of_the_span_is_not(self, vault: Vault) -> None:
        await vault.trade(BTC, "0.5", "100000")
        await vault.step(60_000_000)
        await vault.trade(BTC, "0.1", "100000")
        _, rows = await lines_of(
            vault, "/fapi/v1/trade/asyn", startTime=NOW_MS + 1_000, endTime=NOW_MS + 61_000
        )
        assert summed(rows, "Quantity") == Decimal("0.1")

    async def test_what_memory_has_forgotten_is_in_it(self) -> None:
        keeping = Keeping(retained=0, snapshot_every=10**9)
        async with Vault(archive=MemoryArchive(), keeping=keeping) as vault:
            for _ in range(3):
                await vault.trade(BTC, "0.5", "100000")
                assert vault.sandbox.chronicle is not None
                await vault.sandbox.durable(vault.sandbox.sequence)
                await vault.sandbox.chronicle.flush()
            views = vault.sandbox.engines["binance"].views
            assert not views.is_whole(Fill, vault.account(), BTC)
            _, trades = await lines_of(vault, "/fapi/v1/trade/asyn")
            assert summed(trades, "Quantity") == Decimal("1.5")
            _, orders = await lines_of(vault, "/fapi/v1/order/asyn")
            assert summed(orders, "Executed Amount") == Decimal("1.5")
            _, incomes = await lines_of(vault, "/fapi/v1/income/asyn")
            # What is in the wallet, to the last cent of three fees of 25.
            assert summed(incomes, "Amount") == Decimal(99_925)


class TestLinks:
    async def test_a_link_lives_for_seven_days(self, vault: Vault) -> None:
        asked = await vault.usdm("/v1/income/asyn", **SPAN)
        link = await completed(vault, "/fapi/v1/income/asyn", asked["downloadId"])
        assert link["expirationTimestamp"] == NOW_MS + 7 * DAY_MS
        assert (link["notified"], link["isExpired"]) == (True, None)
        await vault.step(7 * DAY_MS * 1000 - 1)
        await fetched(vault, link["url"])
        await vault.step(1)
        address = urlsplit(link["url"])
        reply = await ask(vault.application, "GET", address.path, query=address.query)
        assert (reply.status, reply.json["code"]) == (404, -1099)
        after = await vault.usdm("/v1/income/asyn/id", downloadId=asked["downloadId"])
        assert (after["status"], after["url"], after["isExpired"]) == ("completed", "", "true")

    @pytest.mark.parametrize(
        ("host", "begins"),
        [
            ("127.0.0.1:8585", "http://127.0.0.1:8585/~default/fapi/v1/asyn/file?token="),
            ("fapi.binance.com", "https://fapi.binance.com/~default/fapi/v1/asyn/file?token="),
        ],
    )
    async def test_a_link_leads_to_where_its_client_came_to(
        self, vault: Vault, host: str, begins: str
    ) -> None:
        asked = await vault.usdm("/v1/income/asyn", **SPAN)
        await completed(vault, "/fapi/v1/income/asyn", asked["downloadId"])
        text = f"downloadId={asked['downloadId']}&timestamp={NOW_MS}"
        signature = hmac.digest(b"alice", text.encode(), "sha256").hex()
        reply = await ask(
            vault.application,
            "GET",
            "/fapi/v1/income/asyn/id",
            query=f"{text}&signature={signature}",
            headers={"Host": host, "X-MBX-APIKEY": "alice-key"},
        )
        assert reply.json["url"].startswith(begins)
        await fetched(vault, reply.json["url"])

    async def test_a_link_cannot_be_made_up(self, vault: Vault) -> None:
        asked = await vault.usdm("/v1/income/asyn", **SPAN)
        link = await completed(vault, "/fapi/v1/income/asyn", asked["downloadId"])
        address = urlsplit(link["url"])
        token = address.query.removeprefix("token=")
        signature = token.rpartition(".")[2]
        for wrong in (token[:-1], token + "A", f"{asked['downloadId']}.{signature}", asked["downloadId"]):
            reply = await ask(vault.application, "GET", address.path, query=f"token={wrong}")
            assert (reply.status, reply.json["code"]) == (404, -1099)
        # Nor is it a file of the other product.
        other = address.path.replace("/fapi/", "/dapi/")
        assert (await ask(vault.application, "GET", other, query=address.query)).status == 404

    async def test_only_its_owner_finds_a_file_by_its_id(self, vault: Vault) -> None:
        asked = await vault.usdm("/v1/income/asyn", **SPAN)
        for who, path in (
            ("bob", "/fapi/v1/income/asyn/id"),
            ("alice", "/fapi/v1/order/asyn/id"),
            ("alice", "/dapi/v1/income/asyn/id"),
        ):
            assert await vault.refusal("GET", path, who, downloadId=asked["downloadId"]) == (
                400,
                -1130,
                "Data sent for parameter 'downloadId' is not valid.",
            )

    @pytest.mark.parametrize("wrong", ["545923594199212032", "1", "word", "９" * 18, "9" * 40])
    async def test_an_id_that_nobody_was_given(self, vault: Vault, wrong: str) -> None:
        refusal = await vault.refusal("GET", "/fapi/v1/order/asyn/id", downloadId=wrong)
        assert refusal[:2] == (400, -1130)

    async def test_a_file_of_an_earlier_process_is_expired(self, vault: Vault) -> None:
        asked = await vault.usdm("/v1/income/asyn", **SPAN)
        # The same universe again: same seed, same accounts, no files.
        async with Vault() as again:
            link = await again.usdm("/v1/income/asyn/id", downloadId=asked["downloadId"])
            assert (link["status"], link["url"], link["isExpired"]) == ("completed", "", "true")


class TestRefusals:
    async def test_more_than_a_year(self, vault: Vault) -> None:
        start = NOW_MS - 366 * DAY_MS
        year: dict[str, Any] = {"startTime": start, "endTime": start + 365 * DAY_MS}
        await vault.usdm("/v1/order/asyn", **year)
        more: dict[str, Any] = {"startTime": start, "endTime": start + 365 * DAY_MS + 1}
        said = "Maximum time interval is 365 days"
        assert await vault.refusal("GET", "/fapi/v1/order/asyn", **more) == (400, -4165, said)
        assert await vault.refusal("GET", "/dapi/v1/order/asyn", **more) == (400, -4088, said)

    async def test_times_are_needed_in_their_order(self, vault: Vault) -> None:
        assert (await vault.refusal("GET", "/fapi/v1/trade/asyn", startTime=NOW_MS))[:2] == (400, -1102)
        refusal = await vault.refusal("GET", "/fapi/v1/trade/asyn", startTime=NOW_MS, endTime=NOW_MS - 1)
        assert refusal[:2] == (400, -1023)

    @pytest.mark.parametrize(
        ("path", "times"),
        [
            ("/fapi/v1/order/asyn", 10),
            ("/fapi/v1/trade/asyn", 5),
            ("/fapi/v1/income/asyn", 5),
            ("/dapi/v1/order/asyn", 8),
            ("/dapi/v1/trade/asyn", 8),
            ("/dapi/v1/income/asyn", 8),
        ],
    )
    async def test_a_month_has_so_many(self, path: str, times: int) -> None:
        async with Vault(counting="on") as vault:
            for _ in range(times):
                await vault.get(path, **SPAN)
                # Two a minute are all that the weight allows.
                await vault.step(60_000_000)
            refusal = await vault.refusal("GET", path, **SPAN)
            assert refusal[:2] == (429, -1003)
            await vault.step(10 * DAY_MS * 1000)
            # In October there are as many again.
            await vault.get(path, **SPAN)

    async def test_the_third_in_a_minute_is_too_much(self) -> None:
        async with Vault(counting="on") as vault:
            for path in ("/fapi/v1/order/asyn", "/dapi/v1/order/asyn"):
                reply = await vault.ask("GET", path, **SPAN)
            assert reply.headers["x-mbx-used-weight-1m"] == "2000"
            assert (await vault.refusal("GET", "/fapi/v1/trade/asyn", **SPAN))[:2] == (429, -1003)
