"""Accounts, keys, money and the ledger over a real socket."""

from __future__ import annotations

import hashlib
import hmac
import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.control.conftest import ControlClient
from tests.launch import Server


def public_pem(key: Ed25519PrivateKey | RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def spot_account(server: Server, sandbox: str, key: str, secret: str) -> httpx.Response:
    query = urlencode({"timestamp": int(time.time() * 1000)})
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return httpx.get(
        f"{server.url}/~{sandbox}/binance/api/v3/account?{query}&signature={signature}",
        headers={"X-MBX-APIKEY": key},
        trust_env=False,
    )


def test_the_demo_account_has_its_funds(inside: ControlClient) -> None:
    demo = inside.get("/accounts/demo")
    spot = demo["exchanges"]["binance"]["spot"]
    for asset, amount in {"USDT": 1_000_000, "USDC": 1_000_000, "BTC": 100, "ETH": 1000, "BNB": 1000}.items():
        assert spot[asset] == {"free": str(amount), "held": "0"}
    assert spot["DOGE"] == {"free": "100000", "held": "0"}
    assert demo["keys"] == [
        {"key": "emulat…", "kind": "hmac", "permissions": [], "label": "known to everybody"}
    ]


def test_an_account_is_opened_once(inside: ControlClient, sandbox: str) -> None:
    opened = inside.post("/accounts", {"name": "alice", "tradeGroup": 5})
    assert opened["tradeGroup"] == 5
    assert opened["keys"] == []
    assert opened["exchanges"]["binance"]["spot"] == {}
    assert inside.get("/accounts") == {
        "sandbox": sandbox,
        "accounts": [
            {"name": "demo", "id": 1, "keys": 1},
            {"name": "alice", "id": opened["id"], "keys": 0},
        ],
    }
    assert inside.refused("POST", "/accounts", {"name": "alice"}, status=409) == "account_exists"
    assert inside.refused("GET", "/accounts/bob", status=404) == "no_such_account"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "a/b"}, {"name": 5}, {"name": "x", "age": 3}])
def test_accounts_that_cannot_be_opened(inside: ControlClient, body: object) -> None:
    assert inside.refused("POST", "/accounts", body, status=400) == "invalid_body"


def test_a_generated_key_signs_requests_until_it_is_removed(
    server: Server, inside: ControlClient, sandbox: str
) -> None:
    inside.post("/accounts", {"name": "alice"})
    made = inside.post("/accounts/alice/keys")
    assert made["kind"] == "hmac"
    assert len(made["key"]) == len(made["secret"]) == 64
    assert spot_account(server, sandbox, made["key"], made["secret"]).status_code == 200
    shown = inside.get("/accounts/alice")["keys"]
    assert [one["key"] for one in shown] == [made["key"][:6] + "…"]
    assert made["secret"] not in str(shown)
    assert inside.delete(f"/accounts/alice/keys/{made['key']}") == {"removed": made["key"]}
    refused = spot_account(server, sandbox, made["key"], made["secret"])
    assert (refused.status_code, refused.json()["code"]) == (401, -2015)
    assert inside.refused("DELETE", f"/accounts/alice/keys/{made['key']}", status=404) == "no_such_key"


def test_a_key_may_be_given(server: Server, inside: ControlClient, sandbox: str) -> None:
    inside.post("/accounts", {"name": "alice"})
    wanted = {"key": "my-key", "secret": "my-secret", "permissions": ["read"], "label": "bot"}
    made = inside.post("/accounts/alice/keys", wanted)
    assert made == {"account": "alice", "kind": "hmac", "passphrase": "", **wanted}
    assert spot_account(server, sandbox, "my-key", "my-secret").status_code == 200
    assert inside.refused("POST", "/accounts/alice/keys", wanted, status=409) == "key_exists"
    assert inside.refused("POST", "/accounts/bob/keys", {}, status=404) == "no_such_account"
    # The key is not the demo account's to lose.
    assert inside.refused("DELETE", "/accounts/demo/keys/my-key", status=404) == "no_such_key"


def test_public_keys_are_registered(inside: ControlClient) -> None:
    inside.post("/accounts", {"name": "alice"})
    ed25519 = public_pem(Ed25519PrivateKey.generate())
    rsa = public_pem(generate_private_key(public_exponent=65537, key_size=2048))
    for kind, pem in (("ed25519", ed25519), ("rsa", rsa)):
        made = inside.post("/accounts/alice/keys", {"kind": kind, "publicKey": pem})
        assert made["kind"] == kind
        assert made["secret"] is None
    assert [one["kind"] for one in inside.get("/accounts/alice")["keys"]] == ["ed25519", "rsa"]


def test_keys_that_could_verify_nothing(inside: ControlClient) -> None:
    private = Ed25519PrivateKey.generate()
    pem = public_pem(private)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": "rsa", "publicKey": pem}, "invalid_key"),
        (
            {"kind": "ed25519", "publicKey": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"},
            "invalid_key",
        ),
        ({"kind": "ed25519", "publicKey": private_pem(private)}, "invalid_key"),
        ({"kind": "ed25519", "publicKey": "\ud7ff"}, "invalid_key"),
        ({"kind": "ed25519"}, "invalid_body"),
        ({"kind": "ed25519", "publicKey": pem, "secret": "s"}, "invalid_body"),
        ({"kind": "hmac", "publicKey": pem}, "invalid_body"),
        ({"key": "has spaces"}, "invalid_body"),
        ({"permissions": ["fly"]}, "invalid_body"),
    ]
    for body, code in wrong:
        assert inside.refused("POST", "/accounts/demo/keys", body, status=400) == code, body


def test_a_deposit_is_money_at_once(inside: ControlClient) -> None:
    inside.post("/accounts", {"name": "alice"})
    for amount, free in (("0.00000001", "0.00000001"), (1, "1.00000001"), (0.1, "1.10000001")):
        paid = inside.post("/accounts/alice/deposits", {"wallet": "spot", "asset": "BTC", "amount": amount})
        assert paid["balance"] == {"free": free, "held": "0"}
        assert (paid["exchange"], paid["wallet"], paid["asset"]) == ("binance", "spot", "BTC")
    assert inside.get("/accounts/alice")["exchanges"]["binance"]["spot"] == {
        "BTC": {"free": "1.10000001", "held": "0"}
    }


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"asset": "NOPE"}, 400, "no_such_asset"),
        ({"wallet": "attic"}, 400, "no_such_wallet"),
        ({"exchange": "nasdaq"}, 400, "no_such_exchange"),
        ({"amount": "0"}, 400, "invalid_amount"),
        ({"amount": "0.0000000000000000001"}, 400, "invalid_amount"),
        ({"amount": "-1"}, 400, "invalid_body"),
        ({"amount": "NaN"}, 400, "invalid_body"),
        ({"amount": "1e3"}, 400, "invalid_body"),
        ({"amount": "１"}, 400, "invalid_body"),
        ({"amount": 1e300}, 400, "invalid_body"),
        ({"amount": None}, 400, "invalid_body"),
    ],
)
def test_deposits_that_are_refused(
    inside: ControlClient, change: dict[str, Any], status: int, code: str
) -> None:
    body = {"wallet": "spot", "asset": "BTC", "amount": "1", **change}
    assert inside.refused("POST", "/accounts/demo/deposits", body, status=status) == code
    assert inside.get("/accounts/demo")["exchanges"]["binance"]["spot"]["BTC"]["free"] == "100"


def test_money_can_be_locked_and_given_back(inside: ControlClient) -> None:
    inside.post("/accounts", {"name": "alice"})
    inside.post("/accounts/alice/deposits", {"wallet": "spot", "asset": "BTC", "amount": "2"})
    body: dict[str, Any] = {"wallet": "spot", "asset": "BTC", "amount": "1.5"}
    locked = inside.post("/accounts/alice/locks", body)
    assert (locked["balance"], locked["locked"]) == ({"free": "0.5", "held": "1.5"}, "1.5")
    assert inside.refused("POST", "/accounts/alice/locks", body, status=400) == "insufficient_balance"
    back = inside.post("/accounts/alice/locks", {**body, "amount": "1", "release": True})
    assert (back["balance"], back["locked"]) == ({"free": "1.5", "held": "0.5"}, "0.5")
    body = {**body, "amount": "0.6", "release": True}
    assert inside.refused("POST", "/accounts/alice/locks", body, status=400) == "insufficient_balance"


def test_a_deposit_needs_an_account(inside: ControlClient) -> None:
    body = {"wallet": "spot", "asset": "BTC", "amount": "1"}
    assert inside.refused("POST", "/accounts/bob/deposits", body, status=404) == "no_such_account"


def test_the_ledger_shows_movements_and_balances(inside: ControlClient) -> None:
    inside.post("/accounts", {"name": "alice"})
    inside.post("/accounts/alice/deposits", {"wallet": "funding", "asset": "USDT", "amount": "12.5"})
    inside.post("/accounts/alice/deposits", {"wallet": "spot", "asset": "BTC", "amount": "2"})
    ledger = inside.get("/ledger/alice")
    assert ledger["balances"]["binance"]["funding"] == {"USDT": {"free": "12.5", "held": "0"}}
    assert ledger["checks"] == {key: {"balanced": True, "differences": {}} for key in ("binance", "bybit")}
    assert [
        (e["reason"], e["wallet"], e["asset"], e["free"], e["counterparty"]) for e in ledger["entries"]
    ] == [
        ("AmountDeposited", "funding", "USDT", "12.5", "faucet"),
        ("AmountDeposited", "spot", "BTC", "2", "faucet"),
    ]
    only = inside.get("/ledger/alice", params={"asset": "BTC", "limit": 1})["entries"]
    assert [entry["asset"] for entry in only] == ["BTC"]
    assert inside.refused("GET", "/ledger/bob", status=404) == "no_such_account"
    assert inside.refused("GET", "/ledger/alice?limit=0", status=400) == "invalid_parameter"
    assert inside.refused("GET", "/ledger/alice?lim=1", status=400) == "unknown_parameter"
    assert inside.refused("GET", "/ledger/alice?limit=1&limit=2", status=400) == "duplicate_parameter"


def test_entries_add_up_to_the_balance(inside: ControlClient) -> None:
    ledger = inside.get("/ledger/demo", params={"asset": "USDT"})
    total = sum(Decimal(entry["free"]) for entry in ledger["entries"] if entry["wallet"] == "spot")
    assert total == Decimal(ledger["balances"]["binance"]["spot"]["USDT"]["free"])
