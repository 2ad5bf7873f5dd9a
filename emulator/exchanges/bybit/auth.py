"""Who asks: keys, what they may do, signatures and timestamps ("Integration Guidance", Authentication).

Signed is the timestamp, the key and the window as their headers say them, followed by the raw query of a
GET or the raw body of a POST. The path is not signed, so any prefix before it is safe.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

from emulator.runtime.ports import KeyRecord
from emulator.web.contract import Security
from emulator.web.signatures import Verifiers

KEY_HEADER: Final = b"x-bapi-api-key"
SIGNATURE_HEADER: Final = b"x-bapi-sign"
TIMESTAMP_HEADER: Final = b"x-bapi-timestamp"
WINDOW_HEADER: Final = b"x-bapi-recv-window"

WINDOW_DEFAULT_MS: Final = 5000
AHEAD_MAX_MS: Final = 1000
DIGITS_MAX: Final = 18
"""Of a timestamp or a window."""

PERMISSIONS: Final = {
    "ContractTrade": ("Order", "Position"),
    "Spot": ("SpotTrade",),
    "Wallet": ("AccountTransfer", "SubMemberTransfer", "Withdraw"),
    "Options": ("OptionsTrade",),
    "Derivatives": ("DerivativesTrade",),
    "Exchange": ("ExchangeHistory",),
    "Earn": ("Earn",),
}
"""What a key may be allowed, by the groups of `GET /v5/user/query-api`."""

READ_ONLY: Final = "ReadOnly"
"""What a key is given, beside all else, that may change nothing; on the wire it is `readOnly`."""

ALL_PERMISSIONS: Final = frozenset(name for names in PERMISSIONS.values() for name in names) | {READ_ONLY}


def _signed(name: str, permission: str | None, description: str) -> Security:
    return Security(name=name, keyed=True, signed=True, permission=permission, description=description)


READ: Final = _signed("READ", None, "Any key may ask, and signs.")
ORDER: Final = _signed("ORDER", "Order", "Contracts need `Order`, pairs `SpotTrade`.")
POSITION: Final = _signed("POSITION", "Position", "Needs `Position`.")
TRANSFER: Final = _signed("TRANSFER", "AccountTransfer", "Needs `AccountTransfer`.")
WITHDRAW: Final = _signed("WITHDRAW", "Withdraw", "Needs `Withdraw`.")
SPOT_MARGIN: Final = _signed("SPOT_MARGIN", "SpotTrade", "Needs `SpotTrade`.")


def permits(record: KeyRecord, security: Security, category: str | None) -> bool:
    """Whether a key may do what a row asks for; one without any permission named may do all."""
    held, permission = record.permissions, security.permission
    if permission is None or not held:
        return True
    if READ_ONLY in held:
        return False
    if security is ORDER and category in ("spot", "option"):
        permission = "SpotTrade" if category == "spot" else "OptionsTrade"
    return permission in held


def is_signed(verifiers: Verifiers, record: KeyRecord, proof: bytes, content: bytes, signature: str) -> bool:
    """proof: what comes before the content in what is signed. content: the raw query, or the raw body."""
    if verifiers.verify(record, proof + content, signature):
        return True
    # Quirk: clients that sign their parameters as text and let their HTTP library escape them afterwards are
    # understood (pybit signs a cursor as it got it, and requests escapes it again).
    if b"%" not in content:
        return False
    return verifiers.verify(record, proof + unquote_to_bytes(content), signature)
