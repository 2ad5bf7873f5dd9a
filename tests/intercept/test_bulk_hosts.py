"""The exchange's public files and their bucket under their real names, for a client that knows no other."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator

import httpx
import pytest

from tests.launch import Server

KEY = "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2025-06-02.zip"


@pytest.fixture
def client(server: Server, trusting: ssl.SSLContext) -> Iterator[httpx.Client]:
    proxy = f"http://127.0.0.1:{server.ready['tls']['port']}"
    with httpx.Client(proxy=proxy, verify=trusting, trust_env=False, timeout=30) as client:
        yield client


def test_a_file_and_its_checksum_come_from_the_real_name(client: httpx.Client) -> None:
    found = client.get(f"https://data.binance.vision/{KEY}")
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/zip"
    told = client.get(f"https://data.binance.vision/{KEY}.CHECKSUM").text
    assert told == f"{hashlib.sha256(found.content).hexdigest()}  {KEY.rpartition('/')[2]}\n"
    assert client.get("https://data.binance.vision/data/nothing").status_code == 404


@pytest.mark.parametrize(
    "bucket",
    [
        "s3-ap-northeast-1.amazonaws.com/data.binance.vision",
        "data.binance.vision.s3.amazonaws.com/",
        "data.binance.vision.s3.ap-northeast-1.amazonaws.com/",
    ],
)
def test_the_bucket_is_listed_under_its_names(client: httpx.Client, bucket: str) -> None:
    told = client.get(f"https://{bucket}", params={"prefix": KEY})
    assert told.status_code == 200
    assert told.headers["content-type"] == "application/xml"
    assert f"<Key>{KEY}</Key>" in told.text
    found = client.get(f"https://{bucket.rstrip('/')}/{KEY}", headers={"range": "bytes=0-3"})
    assert (found.status_code, found.content) == (206, b"PK\x03\x04")
