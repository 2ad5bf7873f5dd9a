"""The bucket around the public files: what is there and what is not, listings, parts, and large files.

Errors and listings are those of the Amazon S3 API Reference ("Error responses", "ListObjects",
"ListObjectsV2"); which files there are is what the README of binance/binance-public-data says.
"""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from emulator.exchanges.binance.bulk import archives, tables
from emulator.exchanges.binance.bulk.keys import SECTIONS, parse_key
from tests.exchanges.binance.warehouse import DAY_US, TODAY_MS, Warehouse, children, value
from tests.web.client import ask
from tests.web.serving import serving

KLINES = "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-07-19.zip"


@pytest.fixture
async def house(anyio_backend: str) -> AsyncIterator[Warehouse]:
    async with Warehouse() as house:
        yield house


# What is there


async def test_a_day_is_there_when_it_is_over(house: Warehouse) -> None:
    key = "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-07-20.zip"
    await house.missing(key)
    await house.missing(f"{key}.CHECKSUM")
    left_us = (TODAY_MS * 1000 + DAY_US) - house.sandbox.clock.now_us()
    await house.step(left_us - 1)
    await house.missing(key)
    await house.step(1)
    assert len((await house.file(key)).rows) == 24


async def test_a_month_is_there_from_the_first_monday_of_the_next(house: Warehouse) -> None:
    key = "data/spot/monthly/klines/BTCUSDT/1d/BTCUSDT-1d-2026-07.zip"
    # The first Monday of August 2026 is the 3rd, 14 days after the beginning of today.
    await house.step(TODAY_MS * 1000 + 14 * DAY_US - 1 - house.sandbox.clock.now_us())
    await house.missing(key)
    await house.step(1)
    found = await house.file(key)
    assert len(found.rows) == 31


@pytest.mark.parametrize(
    "key",
    [
        "data/spot/daily/klines/NOSUCH/1h/NOSUCH-1h-2026-07-19.zip",
        "data/spot/daily/klines/BTCUSDT/1h/ETHUSDT-1h-2026-07-19.zip",
        "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1m-2026-07-19.zip",
        "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-02-30.zip",
        "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-07.zip",
        "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-07-19.csv",
        "data/spot/daily/klines/BTCUSDT/1w/BTCUSDT-1w-2026-07-13.zip",
        "data/spot/monthly/klines/BTCUSDT/1M/BTCUSDT-1M-2026-06.zip",
        "data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2026-13.zip",
        "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2016-12-31.zip",
        "data/spot/daily/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2026-07-19.zip",
        "data/spot/weekly/klines/BTCUSDT/1h/BTCUSDT-1h-2026-07.zip",
        "data/futures/um/daily/klines/BTCUSDT/1s/BTCUSDT-1s-2026-07-19.zip",
        "data/futures/um/daily/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2026-07-19.zip",
        "data/futures/um/monthly/fundingRate/BTCUSDT_260925/BTCUSDT_260925-fundingRate-2026-06.zip",
        "data/futures/cm/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-07-19.zip",
        "data/futures/cm/daily/indexPriceKlines/BTCUSD_PERP/1h/BTCUSD_PERP-1h-2026-07-19.zip",
        "data/futures/xm/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-07-19.zip",
        "data/spot/daily/klines/BTCUSDT/1h/",
        "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-9999-12-31.zip",
        "data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-9999-12.zip",
        "data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-0000-12.zip",
        "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-٢٠٢٦-٠٧-١٩.zip",
        'data/<spot> & "more"',
        "elsewhere",
    ],
)
async def test_a_key_that_nothing_has_is_no_key(house: Warehouse, key: str) -> None:
    said = await house.missing(key)
    assert said["Message"] == "The specified key does not exist."
    assert said["RequestId"]
    assert said["HostId"]


async def test_a_contract_has_files_of_its_life(house: Warehouse) -> None:
    folder = "data/futures/um/daily/klines/BTCUSDT_260327/1h/BTCUSDT_260327-1h"
    # Delivered on Friday 27 March 2026 at 08:00 UTC.
    assert len((await house.file(f"{folder}-2026-03-27.zip")).rows) == 8
    assert len((await house.file(f"{folder}-2026-03-26.zip")).rows) == 24
    await house.missing(f"{folder}-2026-03-28.zip")
    # A contract of two quarters was not listed a year before.
    await house.missing(f"{folder}-2025-03-27.zip")


async def test_a_file_of_too_many_rows_says_why_it_is_missing(house: Warehouse) -> None:
    key = "data/spot/monthly/trades/BTCUSDT/BTCUSDT-trades-2026-06.zip"
    said = await house.missing(key)
    assert "1,500,000 are left out" in said["Message"]
    told = await house.listing(prefix="data/spot/monthly/trades/BTCUSDT/")
    assert children(told, "Contents/Key") == []


def test_small_files_do_not_wait_for_large_ones() -> None:
    for key, is_large in (
        ("data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-07-19.zip", False),
        ("data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2026-06.zip", False),
        ("data/futures/um/daily/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2026-07-19.zip", False),
        ("data/futures/um/monthly/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2026-06.zip", True),
        ("data/spot/daily/klines/BTCUSDT/1s/BTCUSDT-1s-2026-07-19.zip", True),
        ("data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2026-07-19.zip", True),
    ):
        file = parse_key(key)
        assert file is not None
        assert (tables.effort_of(file) > archives.LARGE) is is_large, key


def test_no_day_has_too_many_rows() -> None:
    for section in SECTIONS:
        for subject in section.subjects.values():
            day = parse_key(
                f"{section.path}/daily/trades/{subject.name}/{subject.name}-trades-2026-07-19.zip"
            )
            assert day is not None
            assert tables.rows_of(day) <= tables.ROWS_MAX, subject.name


async def test_what_is_not_emulated_says_so(house: Warehouse) -> None:
    said = await house.missing("data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2026-07-19.zip")
    assert "Not emulated" in said["Message"]


async def test_a_bucket_is_only_read(house: Warehouse) -> None:
    reply = await house.fetch(KLINES, "PUT")
    assert reply.status == 405
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"
    assert b"<Code>MethodNotAllowed</Code>" in reply.content


# Where it is found


async def test_the_same_file_is_found_by_every_name(house: Warehouse) -> None:
    found = (await house.file(KLINES)).content
    for path, host in (
        (f"/binance-vision/{KLINES}", "127.0.0.1:8585"),
        (f"/~default/{KLINES}", "127.0.0.1:8585"),
        (f"/{KLINES}", "127.0.0.1:8585"),
        (f"/{KLINES}", "data.binance.vision.s3.amazonaws.com"),
        (f"/data.binance.vision/{KLINES}", "s3-ap-northeast-1.amazonaws.com"),
    ):
        reply = await ask(house.application, "GET", path, headers={"host": host})
        assert (reply.status, reply.content) == (200, found), (path, host)


async def test_a_page_leads_to_files(house: Warehouse) -> None:
    reply = await ask(
        house.application,
        "GET",
        "/",
        query="prefix=data/spot/daily/klines/BTCUSDT/1h/",
        headers={"host": "data.binance.vision"},
    )
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert b'href="data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2017-01-01.zip"' in reply.content
    again = await ask(
        house.application,
        "GET",
        "/",
        query="prefix=data/&delimiter=/",
        headers={"host": "data.binance.vision.s3.amazonaws.com"},
    )
    assert again.headers["content-type"] == "application/xml"


# Listings


async def test_folders_are_listed_one_level_at_a_time(house: Warehouse) -> None:
    async def below(prefix: str) -> list[str]:
        told = await house.listing(delimiter="/", prefix=prefix)
        assert value(told, "Name") == "data.binance.vision"
        assert value(told, "Prefix") == prefix
        assert value(told, "IsTruncated") == "false"
        assert children(told, "Contents") == []
        return [path.removeprefix(prefix) for path in children(told, "CommonPrefixes/Prefix")]

    assert await below("data/") == ["futures/", "spot/"]
    assert await below("data/futures/") == ["cm/", "um/"]
    assert await below("data/spot") == ["/"]
    assert await below("data/spot/daily/") == ["aggTrades/", "klines/", "trades/"]
    assert "fundingRate/" not in await below("data/futures/um/daily/")
    assert "fundingRate/" in await below("data/futures/um/monthly/")
    symbols = await below("data/futures/cm/daily/klines/BTC")
    assert symbols == sorted(symbols)
    assert "USD_PERP/" in symbols
    assert "USD_271231/" not in symbols, "it is not listed yet"
    intervals = await below("data/spot/daily/klines/BTCUSDT/")
    assert set(intervals) == {f"{one}/" for one in "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d".split()}
    assert intervals == sorted(intervals)
    assert await below("data/spot/daily/klines/NOSUCH/") == []


async def test_files_are_listed_with_what_there_is_to_say(house: Warehouse) -> None:
    folder = KLINES.rpartition("/")[0] + "/"
    told = await house.listing(delimiter="/", prefix=folder, marker=f"{folder}BTCUSDT-1h-2026-07-18")
    assert children(told, "Contents/Key") == [
        f"{folder}BTCUSDT-1h-2026-07-{day}.zip{ending}" for day in (18, 19) for ending in ("", ".CHECKSUM")
    ]
    assert children(told, "Contents/LastModified")[-1] == "2026-07-20T00:00:00.000Z"
    reply = await house.fetch(KLINES)
    sum_reply = await house.fetch(f"{KLINES}.CHECKSUM")
    told = await house.listing(prefix=KLINES)
    assert children(told, "Contents/Size") == [str(len(reply.content)), str(len(sum_reply.content))]
    assert children(told, "Contents/ETag") == [reply.headers["etag"]]


async def test_pages_of_a_listing_follow_one_another(house: Warehouse) -> None:
    folder = "data/spot/daily/klines/BTCUSDT/1d/"
    keys: list[str] = []
    marker = ""
    while True:
        told = await house.listing(delimiter="/", prefix=folder, marker=marker)
        keys += children(told, "Contents/Key")
        assert len(children(told, "Contents/Key")) <= 1000
        if value(told, "IsTruncated") == "false":
            assert value(told, "NextMarker") is None
            break
        marker = value(told, "NextMarker") or ""
        assert marker == keys[-1]
    # 2017-01-01 to 2026-07-19, each with its checksum.
    assert len(keys) == 2 * 3487
    assert keys == sorted(set(keys))

    tokens: list[str] = []
    token: dict[str, str | None] = {}
    while True:
        told = await house.listing(list_type=2, prefix=folder, max_keys=900, **token)
        tokens += children(told, "Contents/Key")
        assert value(told, "KeyCount") == str(len(children(told, "Contents/Key")))
        if value(told, "IsTruncated") == "false":
            break
        token = {"continuation_token": value(told, "NextContinuationToken")}
    assert tokens == keys


async def test_pages_of_folders_follow_one_another(house: Warehouse) -> None:
    prefix = "data/futures/um/monthly/klines/"
    whole = children(await house.listing(delimiter="/", prefix=prefix), "CommonPrefixes/Prefix")
    found: list[str] = []
    marker = ""
    while True:
        told = await house.listing(delimiter="/", prefix=prefix, marker=marker, max_keys=7)
        found += children(told, "CommonPrefixes/Prefix")
        if value(told, "IsTruncated") == "false":
            break
        marker = value(told, "NextMarker") or ""
    assert found == whole
    assert len(whole) > 30


async def test_every_kind_that_is_listed_is_there(house: Warehouse) -> None:
    for section in ("spot", "futures/um", "futures/cm"):
        kinds = children(
            await house.listing(delimiter="/", prefix=f"data/{section}/monthly/"), "CommonPrefixes/Prefix"
        )
        for kind in kinds:
            if kind.split("/")[-2] in ("trades", "aggTrades"):
                continue
            newest = f"{kind}BTC"
            folder = children(await house.listing(delimiter="/", prefix=newest), "CommonPrefixes/Prefix")[-1]
            if "fundingRate" not in kind:
                folder += "1d/"
            (key, *_) = children(await house.listing(prefix=folder, max_keys=1), "Contents/Key")
            assert (await house.file(key)).rows, key


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("max-keys=many", "max-keys"),
        ("delimiter=-", "delimiter"),
        ("encoding-type=utf", "encoding-type"),
        ("list-type=2&continuation-token=~", "continuation-token"),
    ],
)
async def test_a_listing_of_nonsense_is_refused(house: Warehouse, query: str, name: str) -> None:
    reply = await ask(house.application, "GET", "/binance-vision/data.binance.vision", query=query)
    assert reply.status == 400
    assert b"<Code>InvalidArgument</Code>" in reply.content
    assert f"<ArgumentName>{name}</ArgumentName>".encode() in reply.content


async def test_what_xml_cannot_hold_is_shown_otherwise(house: Warehouse) -> None:
    odd = "a\x00b\x1f\uffff"
    error = ElementTree.fromstring((await house.fetch(f"data/{odd}")).content)
    assert error.findtext("Key") == "data/a\ufffdb\ufffd\ufffd"
    told = await house.listing(prefix=odd)
    assert value(told, "Prefix") == "a\ufffdb\ufffd\ufffd"
    escaped = await house.listing(prefix="a b", encoding_type="url")
    assert value(escaped, "Prefix") == "a%20b"


# Parts


async def test_a_head_tells_of_a_file_without_it(house: Warehouse) -> None:
    whole = await house.fetch(KLINES)
    head = await house.fetch(KLINES, "HEAD")
    assert head.status == 200
    assert head.content == b""
    assert head.headers == whole.headers
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["content-type"] == "application/zip"
    assert head.headers["last-modified"] == "Mon, 20 Jul 2026 00:00:00 GMT"
    assert (await house.fetch("data/nothing", "HEAD")).status == 404


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-9", 0, 10), ("bytes=10-", 10, None), ("bytes=-5", -5, None), ("bytes=5-9999999", 5, None)],
)
async def test_a_part_is_what_was_asked_for(
    house: Warehouse, asked: str, start: int, stop: int | None
) -> None:
    whole = (await house.fetch(KLINES)).content
    part = await house.fetch(KLINES, range=asked)
    assert part.status == 206
    assert part.content == whole[start:stop]
    first = start % len(whole)
    last = first + len(part.content) - 1
    assert part.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    assert part.headers["content-length"] == str(len(part.content))


async def test_parts_that_are_none(house: Warehouse) -> None:
    whole = await house.fetch(KLINES)
    for asked in ("bytes=0-1,3-4", "bytes=9-3", "lines=1-2", "bytes=-"):
        reply = await house.fetch(KLINES, range=asked)
        assert (reply.status, reply.content) == (200, whole.content), asked
    beyond = await house.fetch(KLINES, range="bytes=9999999-")
    assert beyond.status == 416
    assert b"<Code>InvalidRange</Code>" in beyond.content
    assert f"<ActualObjectSize>{len(whole.content)}</ActualObjectSize>".encode() in beyond.content
    other = await house.fetch(KLINES, range="bytes=0-9", if_range='"another"')
    assert other.status == 200


async def test_who_has_a_file_is_told_so(house: Warehouse) -> None:
    tag = (await house.fetch(KLINES)).headers["etag"]
    for headers in (
        {"if_none_match": tag},
        {"if_none_match": "*"},
        {"if_modified_since": "Mon, 20 Jul 2026 00:00:00 GMT"},
    ):
        reply = await house.fetch(KLINES, **headers)
        assert (reply.status, reply.content) == (304, b""), headers
    changed = await house.fetch(KLINES, if_modified_since="Sun, 19 Jul 2026 23:59:59 GMT")
    assert changed.status == 200
    assert (await house.fetch(KLINES, if_match='"another"')).status == 412
    assert (await house.fetch(KLINES, if_match=tag)).status == 200


# Large files


async def test_others_are_answered_while_a_large_file_is_made(
    house: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "TRADES_AT_ONCE", 10)
    large = asyncio.ensure_future(house.fetch("data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2026-07-18.zip"))
    twice = asyncio.ensure_future(
        house.fetch("data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2026-07-18.zip.CHECKSUM")
    )
    answered = 0
    for _ in range(20):
        await house.rest("binance", "/api/v3/time")
        await house.file(KLINES)
        answered += not large.done()
    assert answered, "nothing was answered before the large file"
    assert (await large).status == (await twice).status == 200


async def test_sandboxes_do_not_get_each_others_files(house: Warehouse) -> None:
    found = await house.file(KLINES)
    async with Warehouse(seed=2) as other:
        assert (await other.file(KLINES)).rows != found.rows
    assert (await house.file(KLINES)).content == found.content


async def test_few_files_are_kept_and_the_rest_made_again(
    house: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "KEPT_BYTES_MAX", 10_000)
    keys = [KLINES.replace("07-19", f"07-{day:02}") for day in range(1, 19)]
    first = [(await house.fetch(key)).content for key in keys]
    assert 0 < archives.SHELF.size <= 10_000 < sum(map(len, first))
    assert [(await house.fetch(key)).content for key in keys] == first


# A client


async def test_a_downloader_gets_files_that_its_tools_find_whole(house: Warehouse, tmp_path: Path) -> None:
    """What python/utility.py of binance/binance-public-data does with each file, and the README with sums."""

    def download(base: str, key: str) -> None:
        with urllib.request.urlopen(f"{base}/{key}", timeout=30) as arriving:
            length = int(arriving.getheader("content-length"))
            block = max(4096, length // 100)
            with (tmp_path / key.rpartition("/")[2]).open("wb") as saved:
                while piece := arriving.read(block):
                    saved.write(piece)
            assert saved.closed

    key = "data/futures/cm/daily/aggTrades/BTCUSD_PERP/BTCUSD_PERP-aggTrades-2026-07-19.zip"
    async with serving(house.application) as port:
        base = f"http://127.0.0.1:{port}/binance-vision"
        await asyncio.to_thread(download, base, key)
        await asyncio.to_thread(download, base, f"{key}.CHECKSUM")
        with pytest.raises(urllib.error.HTTPError) as raised:
            await asyncio.to_thread(download, base, key.replace("2026", "2027"))
    assert raised.value.code == 404
    checked = await asyncio.create_subprocess_exec(
        "sha256sum",
        "-c",
        "BTCUSD_PERP-aggTrades-2026-07-19.zip.CHECKSUM",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await checked.communicate()
    assert said.decode() == "BTCUSD_PERP-aggTrades-2026-07-19.zip: OK\n"
