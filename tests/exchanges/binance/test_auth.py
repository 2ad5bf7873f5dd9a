"""Keys, signatures and timestamps, with the vectors of the exchange's own documents."""

from __future__ import annotations

import base64
from decimal import Decimal
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from emulator.exchanges.binance.auth import check_timestamp, to_microseconds, unsigned
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.errors import ERRORS
from emulator.runtime.ports import ClockMode, KeyKind, KeyRecord
from emulator.web.contract import Refusal
from emulator.web.signatures import prepare
from tests.exchanges.binance.lobby import KEY, Lobby, sign
from tests.web.client import ask

pytestmark = pytest.mark.anyio

SPOT_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
FUTURES_SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
SPOT_TAIL = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"


def hmac_key(secret: str) -> KeyRecord:
    return KeyRecord(key="k", account=1, secret=secret)


# The first two are rest-api.md, "HMAC Keys"; the third web-socket-api.md; the fourth the futures'
# documents; the fifth is theirs split over query and body.
@pytest.mark.parametrize(
    ("secret", "query", "body", "signature"),
    [
        (
            SPOT_SECRET,
            f"symbol=LTCBTC&{SPOT_TAIL}",
            "",
            "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        ),
        (
            SPOT_SECRET,
            f"symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&{SPOT_TAIL}",
            "",
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        ),
        (
            SPOT_SECRET,
            (
                "apiKey=vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A&price=52000.00"
                "&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT&timeInForce=GTC"
                "&timestamp=1645423376532&type=LIMIT"
            ),
            "",
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
        ),
        (
            FUTURES_SECRET,
            (
                "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
                "&recvWindow=5000&timestamp=1591702613943"
            ),
            "",
            "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9",
        ),
        (
            FUTURES_SECRET,
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC",
            "quantity=1&price=9000&recvWindow=5000&timestamp=1591702613943",
            "30baaf0fab549bbeda7f5ef201898b34122da25fd23c646cac2c529aebe670a4",
        ),
    ],
)
def test_documented_signatures_are_right(secret: str, query: str, body: str, signature: str) -> None:
    verify = prepare(hmac_key(secret))
    payload = unsigned(query.encode()) + unsigned(f"{body}&signature={signature}".encode())
    assert verify(payload, signature)
    assert verify(payload, signature.upper())
    assert not verify(payload + b" ", signature)
    assert not verify(payload, signature[:-1] + "0")


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (b"", b""),
        (b"a=1", b"a=1"),
        (b"a=1&signature=x", b"a=1"),
        (b"a=1&signature=x&b=2", b"a=1&b=2"),
        (b"signature=x&a=1", b"a=1"),
        (b"signature=x", b""),
        (b"mysignature=x&a=1", b"mysignature=x&a=1"),
        (b"a=1&signatures=x", b"a=1&signatures=x"),
    ],
)
def test_the_signature_is_taken_out_wherever_it_stands(raw: bytes, left: bytes) -> None:
    assert unsigned(raw) == left


@pytest.mark.parametrize("signature", ["", "zz", "é", "\ud800", "１" * 64])
def test_a_signature_that_is_none_is_no_defect(signature: str) -> None:
    assert not prepare(hmac_key("s"))(b"payload", signature)


class Signer:
    def __init__(self, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        self.key = key
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.pem = pem.decode()

    def sign(self, payload: str) -> str:
        if isinstance(self.key, RSAPrivateKey):
            raw = self.key.sign(payload.encode(), PKCS1v15(), SHA256())
        else:
            raw = self.key.sign(payload.encode())
        return base64.b64encode(raw).decode()


@pytest.fixture(scope="module")
def rsa() -> Signer:
    return Signer(generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture(scope="module")
def ed25519() -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.mark.parametrize("kind", [KeyKind.RSA, KeyKind.ED25519])
async def test_asymmetric_keys_sign_in_base64(kind: KeyKind, request: pytest.FixtureRequest) -> None:
    signer: Signer = request.getfixturevalue(kind.value)
    async with Lobby() as lobby:
        await lobby.add_key("pem-key", kind=kind, secret=signer.pem)
        payload = f"timestamp={lobby.universe.wall_us // 1000}"
        signature = signer.sign(payload)
        headers = {"X-MBX-APIKEY": "pem-key"}
        for given, code in (
            (quote(signature, safe=""), None),
            (signature, None),  # a plus that is not escaped arrives as a space
            (quote(signature.swapcase(), safe=""), -1022),
            (quote(signature[:-4], safe=""), -1022),
            ("no-base64!", -1022),
            (sign(payload), -1022),
        ):
            reply = await lobby.get("/api/v3/account", f"{payload}&signature={given}", headers=headers)
            assert reply.json.get("code") == code, given


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        (KeyKind.RSA, "no key at all"),
        (KeyKind.ED25519, ""),
    ],
)
def test_a_key_that_is_none_verifies_nothing(kind: KeyKind, secret: str) -> None:
    assert not prepare(KeyRecord(key="k", account=1, kind=kind, secret=secret))(b"", "AAAA")


def test_a_key_of_the_other_kind_verifies_nothing(rsa: Signer, ed25519: Signer) -> None:
    record = KeyRecord(key="k", account=1, kind=KeyKind.RSA, secret=ed25519.pem)
    assert not prepare(record)(b"p", ed25519.sign("p"))
    record = KeyRecord(key="k", account=1, kind=KeyKind.ED25519, secret=rsa.pem)
    assert not prepare(record)(b"p", rsa.sign("p"))


class TestWhereParametersStand:
    """T8, T9: each client places them elsewhere, and all must be let in."""

    QUERY = "symbol=BTCUSDT&side=BUY&type=LIMIT"
    BODY = "timeInForce=GTC&quantity=1.5&price=100.0"

    @pytest.mark.parametrize(
        ("query", "body"), [(f"{QUERY}&{BODY}", ""), (QUERY, BODY), ("", f"{QUERY}&{BODY}")]
    )
    async def test_query_body_or_both(self, query: str, body: str) -> None:
        async with Lobby() as lobby:
            reply = await lobby.order(query, body=body)
            assert reply.json["quantity"] == "1.5"
            assert reply.json["price"] == "100"
            assert reply.json["account"] == lobby.account

    @pytest.mark.parametrize("where", ["first", "middle", "query of a body"])
    async def test_the_signature_need_not_be_last(self, where: str) -> None:
        async with Lobby() as lobby:
            stamp = f"timestamp={lobby.universe.wall_us // 1000}"
            signature = f"signature={sign(f'{self.QUERY}&{stamp}')}"
            query, body = {
                "first": (f"{signature}&{self.QUERY}&{stamp}", ""),
                "middle": (f"{self.QUERY}&{signature}&{stamp}", ""),
                "query of a body": (signature, f"{self.QUERY}&{stamp}"),
            }[where]
            headers = {"X-MBX-APIKEY": KEY}
            reply = await ask(
                lobby.application, "POST", "/api/v3/order", query=query, body=body, headers=headers
            )
            assert reply.status == 200, reply.json

    async def test_a_form_in_the_body_of_a_delete_is_read(self) -> None:
        async with Lobby() as lobby:
            reply = await lobby.send("DELETE", "/api/v3/order", body="symbol=BTCUSDT&orderId=5")
            assert reply.json == {"symbol": "BTCUSDT", "orderId": 5}

    async def test_the_query_wins_over_the_body(self) -> None:
        async with Lobby() as lobby:
            reply = await lobby.order("symbol=BTCUSDT&side=BUY&type=MARKET", body="symbol=ETHUSDT")
            assert reply.json["symbol"] == "BTCUSDT"


class TestEncoding:
    """T39: before 2026-01-15 the decoded text was signed, and some clients still do."""

    async def sent(self, lobby: Lobby, *, sign_decoded: bool) -> int | None:
        pairs = {
            "symbol": "１２３",
            "side": "BUY",
            "type": "MARKET",
            "timestamp": str(lobby.universe.wall_us // 1000),
        }
        encoded = urlencode(pairs)
        text = "&".join(f"{name}={value}" for name, value in pairs.items())
        body = f"{encoded}&signature={sign(text if sign_decoded else encoded)}"
        headers = {"X-MBX-APIKEY": KEY}
        reply = await ask(lobby.application, "POST", "/api/v3/order", body=body, headers=headers)
        code: int | None = reply.json.get("code")
        return code

    async def test_either_is_accepted(self) -> None:
        async with Lobby() as lobby:
            assert await self.sent(lobby, sign_decoded=False) is None
            assert await self.sent(lobby, sign_decoded=True) is None

    async def test_the_switch_wants_what_was_sent(self) -> None:
        async with Lobby(eras=Eras(signature_encoding="encoded")) as lobby:
            assert await self.sent(lobby, sign_decoded=False) is None
            assert await self.sent(lobby, sign_decoded=True) == -1022


class TestKeys:
    @pytest.mark.parametrize(
        ("key", "code", "status"),
        [
            (None, -2014, 401),
            ("", -2014, 401),
            ("a key", -2014, 401),
            ("é", -2014, 401),
            ("x" * 129, -2014, 401),
            ("unknown-key", -2015, 401),
        ],
    )
    async def test_no_good_key(self, key: str | None, code: int, status: int) -> None:
        async with Lobby() as lobby:
            reply = await lobby.order(key=key)
            assert (reply.status, reply.code) == (status, code)

    async def test_a_wrong_secret(self) -> None:
        async with Lobby() as lobby:
            reply = await lobby.order(secret="other")
            assert reply.status == 400
            assert reply.json == {"code": -1022, "msg": "Signature for this request is not valid."}

    async def test_a_key_may_do_what_it_is_allowed(self) -> None:
        async with Lobby() as lobby:
            await lobby.add_key("reader", secret="s", permissions=frozenset({"read"}))
            assert (await lobby.send("GET", "/api/v3/account", key="reader", secret="s")).status == 200
            refused = await lobby.order(key="reader", secret="s")
            assert (refused.status, refused.code) == (401, -2015)

    async def test_a_key_that_was_replaced_has_its_new_secret(self) -> None:
        async with Lobby() as lobby:
            await lobby.add_key("turning", secret="old")
            assert (await lobby.order(key="turning", secret="old")).status == 200
            await lobby.sandbox.remove_key("turning")
            assert (await lobby.order(key="turning", secret="old")).code == -2015
            await lobby.add_key("turning", secret="new")
            assert (await lobby.order(key="turning", secret="old")).code == -1022
            assert (await lobby.order(key="turning", secret="new")).status == 200


NOW_US = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("behind_us", "window_ms", "code"),
    [
        (0, "5000", None),
        (5_000_000, "5000", None),
        (5_000_001, "5000", -1021),
        (-999_999, "5000", None),
        (-1_000_000, "5000", -1021),
        (346, "0.346", None),
        (347, "0.346", -1021),
        (0, "0", None),
        (60_000_000, "60000", None),
        (0, "60000.001", -1131),
    ],
)
def test_the_window_of_a_timestamp(behind_us: int, window_ms: str, code: int | None) -> None:
    try:
        check_timestamp(NOW_US - behind_us, Decimal(window_ms), NOW_US, ERRORS)
        said = None
    except Refusal as refusal:
        said = refusal.code
    assert said == code


@pytest.mark.parametrize(
    ("sent", "microseconds"),
    [
        (1_700_000_000_000, 1_700_000_000_000_000),
        (1_700_000_000_000_123, 1_700_000_000_000_123),
        (0, 0),
        (99_999_999_999_999, 99_999_999_999_999_000),
        (100_000_000_000_000, 100_000_000_000_000),
    ],
)
def test_the_unit_of_a_timestamp_is_told_by_its_size(sent: int, microseconds: int) -> None:
    assert to_microseconds(sent) == microseconds


class TestTimestamps:
    async def test_both_texts(self) -> None:
        async with Lobby() as lobby:
            now_ms = lobby.universe.wall_us // 1000
            late = await lobby.order(timestamp=now_ms - 5001)
            early = await lobby.order(timestamp=now_ms + 1000)
            assert late.json == {
                "code": -1021,
                "msg": "Timestamp for this request is outside of the recvWindow.",
            }
            assert early.json["msg"] == "Timestamp for this request was 1000ms ahead of the server's time."

    async def test_microseconds(self) -> None:
        async with Lobby() as lobby:
            assert (await lobby.order(timestamp=lobby.universe.wall_us)).status == 200
            assert (await lobby.order(timestamp=lobby.universe.wall_us - 5_000_001)).code == -1021

    async def test_the_window_may_have_three_places(self) -> None:
        base = "symbol=BTCUSDT&side=BUY&type=MARKET&recvWindow="
        async with Lobby() as lobby:
            stamp = lobby.universe.wall_us // 1000 - 6000
            assert (await lobby.order(f"{base}6000.346", timestamp=stamp)).status == 200
            assert (await lobby.order(f"{base}5999.999", timestamp=stamp)).code == -1021
            assert (await lobby.order(f"{base}6000.3461", timestamp=stamp)).code == -1111
            over = await lobby.order(f"{base}60001")
            assert over.json == {"code": -1131, "msg": "recvWindow must be less than 60000"}
            assert (await lobby.order(f"{base}-1")).code == -1100

    @pytest.mark.parametrize(
        ("setting", "wall", "virtual"),
        [("auto", None, None), ("wall", None, -1021), ("sandbox", -1021, None), ("off", None, None)],
    )
    async def test_what_it_is_compared_with_while_the_clock_is_virtual(
        self, setting: str, wall: int | None, virtual: int | None
    ) -> None:
        async with Lobby(timestamps=setting) as lobby:
            wall_ms = lobby.universe.wall_us // 1000
            virtual_ms = wall_ms + 86_400_000
            await lobby.sandbox.set_clock(ClockMode.VIRTUAL, virtual_ms * 1000)
            by_wall = await lobby.order(timestamp=wall_ms)
            by_virtual = await lobby.order(timestamp=virtual_ms)
            by_neither = await lobby.order(timestamp=(wall_ms + virtual_ms) // 2)
            assert by_wall.json.get("code") == wall
            assert by_virtual.json.get("code") == virtual
            assert by_neither.json.get("code") == (None if setting == "off" else -1021)

    async def test_the_answers_unit_is_asked_for(self) -> None:
        async with Lobby() as lobby:
            micro = await lobby.order(headers={"X-MBX-TIME-UNIT": "microsecond"})
            milli = await lobby.order(headers={"X-MBX-TIME-UNIT": "MILLISECOND"})
            wrong = await lobby.order(headers={"X-MBX-TIME-UNIT": "SECOND"})
            assert micro.json["at"] == lobby.universe.wall_us
            assert milli.json["at"] == lobby.universe.wall_us // 1000
            assert wrong.code == -1194
