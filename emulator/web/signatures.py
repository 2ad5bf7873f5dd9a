"""Signatures: whether one is a key's over exactly these bytes.

What an exchange signs, and where the signature stands, is its dialect's; here are only payload, signature
and key. What is prepared of a key is kept with its record.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Final
from urllib.parse import unquote_to_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from emulator.runtime.ports import KeyKind, KeyRecord

_VERIFIERS_MAX = 1024

HMAC_BLOCK: Final = 64
"""Bytes in a block of SHA-256."""

Verify = Callable[[bytes, str], bool]
"""Whether a signature, percent-decoded, is that of the payload."""


def decoded(payload: bytes) -> bytes | None:
    """The percent-decoded payload where that differs, else None."""
    if b"%" not in payload and b"+" not in payload:
        return None
    return unquote_to_bytes(payload.replace(b"+", b" "))


class Verifiers:
    """Verifies by key record, with the prepared form of each key kept."""

    def __init__(self) -> None:
        self._prepared: dict[str, tuple[KeyRecord, Verify]] = {}

    def verify(self, record: KeyRecord, payload: bytes, signature: str) -> bool:
        prepared = self._prepared.get(record.key)
        if prepared is None or prepared[0] is not record:
            if len(self._prepared) >= _VERIFIERS_MAX:
                self._prepared.clear()
            prepared = self._prepared[record.key] = (record, prepare(record))
        return prepared[1](payload, signature)


def prepare(record: KeyRecord) -> Verify:
    """How to verify with a key. A key that is none verifies nothing."""
    match record.kind:
        case KeyKind.HMAC:
            return _hmac(record.secret.encode())
        case KeyKind.RSA | KeyKind.ED25519:
            try:
                key = load_pem_public_key(record.secret.encode())
            except ValueError:
                return _nothing
            if record.kind is KeyKind.RSA and isinstance(key, RSAPublicKey):
                return _rsa(key)
            if record.kind is KeyKind.ED25519 and isinstance(key, Ed25519PublicKey):
                return _ed25519(key)
            return _nothing


def _hmac(secret: bytes) -> Verify:
    # RFC 2104 with both keyed halves made once: a third of the time that hmac.digest takes.
    block = (sha256(secret).digest() if len(secret) > HMAC_BLOCK else secret).ljust(HMAC_BLOCK, b"\0")
    copy_inner = sha256(bytes(byte ^ 0x36 for byte in block)).copy
    copy_outer = sha256(bytes(byte ^ 0x5C for byte in block)).copy

    def verify(payload: bytes, signature: str) -> bool:
        inner = copy_inner()
        inner.update(payload)
        outer = copy_outer()
        outer.update(inner.digest())
        # compare_digest takes ASCII text only; the hexadecimal form is accepted in any case.
        return signature.isascii() and hmac.compare_digest(outer.hexdigest(), signature.lower())

    return verify


def _rsa(key: RSAPublicKey) -> Verify:
    def verify(payload: bytes, signature: str) -> bool:
        raw = _from_base64(signature)
        if raw is None:
            return False
        try:
            key.verify(raw, payload, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    return verify


def _ed25519(key: Ed25519PublicKey) -> Verify:
    def verify(payload: bytes, signature: str) -> bool:
        raw = _from_base64(signature)
        if raw is None:
            return False
        try:
            key.verify(raw, payload)
        except InvalidSignature:
            return False
        return True

    return verify


def _nothing(payload: bytes, signature: str) -> bool:
    return False


def _from_base64(signature: str) -> bytes | None:
    # A client that forgets to percent-encode a plus sends what a form decodes to a space.
    try:
        return base64.b64decode(signature.replace(" ", "+").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
