"""The key that asks, and what it may do."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from emulator.exchanges.bybit.auth import PERMISSIONS, READ, READ_ONLY
from emulator.exchanges.bybit.payloads.service import ApiKeyShown, Permissions
from emulator.runtime.ports import KeyKind
from emulator.web.contract import Call, Rows

rows = Rows()

VALID_DAYS: Final = 90
"""For how many days a key is valid that is bound to no IP. Here keys do not expire: these days are always
left."""

USER_ID_BASE: Final = 100_000_000
"""User ids are this and the account's number, so that they look like those of the exchange."""


@rows.route(
    "GET",
    "/v5/user/query-api",
    summary="The key that asks, and what it may do",
    security=READ,
    answers=ApiKeyShown,
)
def read_key(call: Call) -> ApiKeyShown:
    record = call.key_record
    assert record is not None, "the row is signed"
    now = datetime.fromtimestamp(call.now_us // 1_000_000, UTC)
    user_id = user_id_of(call.account)
    return {
        "id": str(int.from_bytes(sha256(record.key.encode()).digest()[:4], "big")),
        "note": record.label,
        "apiKey": record.key,
        "readOnly": int(READ_ONLY in record.permissions),
        "secret": "",
        "permissions": render_permissions(record.permissions),
        "ips": ["*"],
        "type": 1,
        "deadlineDay": VALID_DAYS,
        "expiredAt": _date(now.timestamp() + VALID_DAYS * 86_400),
        "createdAt": _date(record.created_us // 1_000_000),
        "unified": 0,
        "uta": 1,
        "userID": user_id,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": record.secret if record.kind is KeyKind.RSA else "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "",
        # Quirk: the ids as texts are there and always "0" ("Get API Key Information", its example).
        "userIDInt64": "0",
        "inviterIDInt64": "0",
        "affiliateIDInt64": "0",
    }


def user_id_of(account: int) -> int:
    return USER_ID_BASE + account


def render_permissions(held: Collection[str]) -> Permissions:
    """What a key may do, by group; one without any permission named may do all."""
    named = frozenset(held) - {READ_ONLY}

    def of(group: str) -> list[str]:
        return [name for name in PERMISSIONS.get(group, ()) if not named or name in named]

    return {
        "ContractTrade": of("ContractTrade"),
        "Spot": of("Spot"),
        "Wallet": of("Wallet"),
        "Options": of("Options"),
        "Derivatives": of("Derivatives"),
        "CopyTrading": [],
        "BlockTrade": [],
        "Exchange": of("Exchange"),
        "NFT": [],
        "Affiliate": [],
        "Earn": of("Earn"),
        "FiatP2P": [],
        "FiatConvertBroker": [],
        "FiatGlobalPay": [],
        "FiatBitPay": [],
        "BitCard": [],
        "ByXPost": [],
    }


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
