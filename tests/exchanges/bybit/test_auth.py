"""Who is let in: keys, signatures over what was really sent, timestamps and permissions.

Signatures were made by `printf %s … | openssl dgst -sha256 -hmac demo-secret`, over timestamp, key, window
and content, as the "Integration Guidance" has it.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from emulator.exchanges.bybit.eras import Eras
from emulator.runtime.ports import ClockMode, KeyKind
from tests.exchanges.bybit.gatehouse import KEY, Gatehouse, told

pytestmark = pytest.mark.anyio

MOMENT = 1_767_225_600_000

BAD_KEY = (200, 10003, "API key is invalid.")
DENIED = (200, 10005, "Permission denied, please check your API key permissions.")


@pytest.mark.parametrize(
    ("method", "path", "content", "signature"),
    [
        (
            "GET",
            "/v5/order/realtime",
            "category=linear&symbol=BTCUSDT",
            "5f739691d14cab1a16f32f6644dd6c073601da86cc604fff03cbbe90b7959594",
        ),
        (
            "POST",
            "/v5/position/confirm",
            '{"category": "linear", "note": "a b"}',
            "5d9c4aadc5d2ebace9a060a492373ffa5b6e8f7d9486c68ee11f932a415f19ab",
        ),
        (
            "GET",
            "/v5/user/query-api",
            "",
            "06e6fcde30f5c1ef784ffefa0c7cce6684d6ada4f94a1795106580bf226969f3",
        ),
    ],
)
async def test_what_openssl_signs_is_let_in(method: str, path: str, content: str, signature: str) -> None:
    async with Gatehouse(timestamps="off") as house:
        reply = await house.send(method, path, content, timestamp=MOMENT, signature=signature)
        assert told(reply)[:2] == (200, 0)
        spoilt = signature[:-1] + ("0" if signature[-1] != "0" else "1")
        refused = await house.send(method, path, content, timestamp=MOMENT, signature=spoilt)
        assert told(refused) == (200, 10004, f"error sign! origin_string[{MOMENT}{KEY}5000{content}]")


async def test_a_window_that_is_not_sent_is_not_signed() -> None:
    signature = "c12f076fd14682b389ebd83e8d7cda770fd013eb50a22e2c60dabdf29ede8daa"
    async with Gatehouse(timestamps="off") as house:
        reply = await house.realtime("category=spot", timestamp=MOMENT, window=None, signature=signature)
        # It is let in, and told what is missing.
        assert told(reply)[1] == 10001


async def test_text_that_was_signed_before_it_was_escaped_is_understood() -> None:
    async with Gatehouse() as house:
        signed = "category=linear&symbol=BTCUSDT&cursor=a:b c"
        sent = "category=linear&symbol=BTCUSDT&cursor=a%3Ab%20c"
        for content in (signed, sent):
            reply = await house.realtime(content, sent=sent)
            assert reply.json["result"]["cursor"] == "a:b c"
        assert told(await house.realtime(signed, sent=sent.replace("c", "d")))[1] == 10004


async def test_a_cursor_that_is_escaped_already_is_signed_as_it_is() -> None:
    async with Gatehouse() as house:
        query = "category=linear&symbol=BTCUSDT&cursor=a%253Ab"
        assert (await house.realtime(query)).json["result"]["cursor"] == "a%3Ab"


async def test_a_body_is_signed_byte_for_byte() -> None:
    async with Gatehouse() as house:
        body = '{"category": "linear",\n "symbol": "BTCUSDT"}'
        assert told(await house.create(body))[1] == 0
        assert told(await house.create(body, sent=body.replace("\n ", "")))[1] == 10004


async def test_the_query_of_a_post_is_not_signed() -> None:
    async with Gatehouse() as house:
        assert told(await house.send("POST", "/v5/position/confirm"))[1] == 0


async def test_an_rsa_key_signs_in_base64() -> None:
    pair = generate_private_key(65_537, 2048)
    public = pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    async with Gatehouse() as house:
        await house.add_key("rsa-key", kind=KeyKind.RSA, secret=public)
        payload = f"{house.now_ms}rsa-key5000category=linear&symbol=BTCUSDT".encode()
        signature = base64.b64encode(pair.sign(payload, PKCS1v15(), SHA256())).decode()
        assert told(await house.realtime(key="rsa-key", signature=signature))[1] == 0
        assert told(await house.realtime("category=spot", key="rsa-key", signature=signature))[1] == 10004
        # An HMAC with the public key is no signature.
        assert told(await house.realtime(key="rsa-key", secret=public))[1] == 10004


class TestKeys:
    @pytest.mark.parametrize("key", [None, "", "nobody", "démo"])
    async def test_a_key_that_there_is_not(self, key: str | None) -> None:
        async with Gatehouse() as house:
            assert told(await house.realtime(key=key, signature="00")) == BAD_KEY

    @pytest.mark.parametrize("signature", ["", "00", "é", "z" * 64])
    async def test_what_is_no_signature(self, signature: str) -> None:
        async with Gatehouse() as house:
            assert told(await house.realtime(signature=signature))[:2] == (200, 10004)

    async def test_the_key_is_judged_before_the_time_and_the_time_before_the_signature(self) -> None:
        async with Gatehouse() as house:
            assert told(await house.realtime(key="nobody", timestamp=1))[1] == 10003
            assert told(await house.realtime(timestamp=1, signature="00"))[1] == 10002
            assert told(await house.realtime("category=none", signature="00"))[1] == 10004

    async def test_the_era_of_gateways_that_answer_401(self) -> None:
        async with Gatehouse(eras=Eras(bybit_proof_status="unauthorized")) as house:
            assert told(await house.realtime(key="nobody")) == (401, *BAD_KEY[1:])
            assert told(await house.realtime(signature="00"))[:2] == (401, 10004)
            assert told(await house.realtime(timestamp=1))[:2] == (200, 10002)


class TestTime:
    @pytest.mark.parametrize(
        ("offset_ms", "window", "is_let_in"),
        [
            (0, 5000, True),
            (-5000, 5000, True),
            (-5001, 5000, False),
            (-5000, None, True),
            (-5001, None, False),
            (-1, 0, False),
            (0, 0, True),
            (999, 5000, True),
            (1000, 60_000, False),
            (-60_000, 60_000, True),
        ],
    )
    async def test_server_less_window_up_to_a_second_ahead(
        self, offset_ms: int, window: int | None, is_let_in: bool
    ) -> None:
        async with Gatehouse() as house:
            stamp = house.now_ms + offset_ms
            reply = await house.realtime(timestamp=stamp, window=window)
            if is_let_in:
                assert told(reply)[1] == 0
                return
            text = (
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{stamp}],server_timestamp[{house.now_ms}],"
                f"recv_window[{5000 if window is None else window}]"
            )
            assert told(reply) == (200, 10002, text)

    @pytest.mark.parametrize("stamp", ["", "x", "-1", "1.5", "9" * 30, "１７"])
    async def test_a_timestamp_that_is_none(self, stamp: str) -> None:
        async with Gatehouse() as house:
            assert told(await house.realtime(timestamp=stamp.encode().decode("latin-1")))[1] == 10002

    @pytest.mark.parametrize("window", ["x", "-1", "9" * 30])
    async def test_a_window_that_is_none(self, window: str) -> None:
        async with Gatehouse() as house:
            assert told(await house.realtime(window=window))[1] == 10002

    async def test_on_a_virtual_clock_its_time_and_the_walls_are_right(self) -> None:
        async with Gatehouse() as house:
            moment_us = house.universe.wall_us + 86_400_000_000
            await house.sandbox.set_clock(mode=ClockMode.VIRTUAL, time_us=moment_us)
            for stamp, code in (
                (house.now_ms, 0),
                (moment_us // 1000, 0),
                (house.now_ms + 3_600_000, 10002),
            ):
                assert told(await house.realtime(timestamp=stamp))[1] == code

    @pytest.mark.parametrize(("timestamps", "codes"), [("wall", (0, 10002)), ("sandbox", (10002, 0))])
    async def test_which_of_them_can_be_chosen(self, timestamps: str, codes: tuple[int, int]) -> None:
        async with Gatehouse(timestamps=timestamps) as house:
            moment_us = house.universe.wall_us + 86_400_000_000
            await house.sandbox.set_clock(mode=ClockMode.VIRTUAL, time_us=moment_us)
            stamps = (house.now_ms, moment_us // 1000)
            assert tuple([told(await house.realtime(timestamp=stamp))[1] for stamp in stamps]) == codes


class TestPermissions:
    @pytest.mark.parametrize(
        ("permissions", "may"),
        [
            ((), {"spot", "linear", "position", "read"}),
            (("Order",), {"linear", "read"}),
            (("SpotTrade",), {"spot", "read"}),
            (("Position",), {"position", "read"}),
            (("Order", "Position", "SpotTrade"), {"spot", "linear", "position", "read"}),
            (("ReadOnly",), {"read"}),
            (("Order", "Position", "SpotTrade", "ReadOnly"), {"read"}),
            (("Withdraw",), {"read"}),
        ],
    )
    async def test_what_a_key_may_do(self, permissions: tuple[str, ...], may: set[str]) -> None:
        async with Gatehouse() as house:
            await house.add_key("k", secret="s", permissions=frozenset(permissions))
            proof: dict[str, Any] = {"key": "k", "secret": "s"}
            replies = {
                "spot": await house.create('{"category":"spot","symbol":"BTCUSDT"}', **proof),
                "linear": await house.create(**proof),
                "position": await house.send("POST", "/v5/position/confirm", **proof),
                "read": await house.realtime(**proof),
            }
            for what, reply in replies.items():
                assert told(reply)[1:] == ((0, "OK") if what in may else DENIED[1:]), what
