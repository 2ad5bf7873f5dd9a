"""The local certificate authority: made once under the data directory, and trusted by whom it is given to.

It can vouch for the names of exchanges and of this machine only. Its certificate says so (name
constraints, RFC 5280 §4.2.1.10), so that one who trusts it, and loses its key, has lost no more than these.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from secrets import token_hex

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from emulator.web.hosts import EXCHANGE_DOMAINS

DIRECTORY = "ca"
CERTIFICATE = "ca.pem"
KEY = "ca.key"

_VALID = timedelta(days=3650)
_RENEWED_BEFORE = timedelta(days=90)
_LEAF_VALID = timedelta(days=397)
"""Some clients refuse what is valid for longer than 398 days, whoever vouches for it."""
CONTEXTS_MAX = 500
"""Hosts whose certificates are kept; names come from outside, and there is no end of them."""
_BACKDATED = timedelta(days=2)
"""For machines whose clocks differ from this one's."""
_OWN_NAMES: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(IPv4Address("127.0.0.1")),
    x509.IPAddress(IPv6Address("::1")),
)


class AuthorityUnusable(Exception):
    """What is in the directory is no authority of this program, and which file is wrong."""


class Authority:
    """Certificates for host names. `at` reads or makes one.

    path: of its certificate in PEM, for whoever is to trust it.
    """

    def __init__(self, path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.path = path
        self._certificate = certificate
        self._key = key
        # One key for all leaves of this process: making one costs more than all else of a leaf.
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._contexts: dict[str | None, ssl.SSLContext] = {}

    @classmethod
    def at(cls, data_dir: Path) -> Authority:
        """The authority of a data directory, which is made when there is none, or renewed when it must be.

        The key is readable by its owner only. Raises AuthorityUnusable, and OSError.
        """
        directory = data_dir / DIRECTORY
        known = _read(directory)
        if known is None or _must_be_renewed(known[0]):
            _make(directory, is_renewal=known is not None)
            known = _read(directory)
            assert known is not None, "it was made just now, by this process or another"
        return cls(directory / CERTIFICATE, *known)

    @property
    def pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as tools print it: pairs of digits with colons."""
        digest = (
            hashlib.sha256(self._certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
        )
        return ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))

    def context(self, name: str | None) -> ssl.SSLContext:
        """What a server needs to be a host; None: this machine. Other names than those of the constraints get
        a certificate too, which no client accepts."""
        context = self._contexts.get(name)
        if context is None:
            if len(self._contexts) >= CONTEXTS_MAX:
                del self._contexts[next(iter(self._contexts))]
            context = self._contexts[name] = self._make_context(name)
        return context

    def _make_context(self, name: str | None) -> ssl.SSLContext:
        leaf = self._sign(_OWN_NAMES if name is None else (x509.DNSName(name),))
        key = self._leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        # The standard library loads certificates from files only; this one is gone at once.
        with tempfile.NamedTemporaryFile(suffix=".pem") as chain:
            chain.write(key + leaf.public_bytes(serialization.Encoding.PEM))
            chain.flush()
            context.load_cert_chain(chain.name)
        return context

    def _sign(self, names: tuple[x509.GeneralName, ...]) -> x509.Certificate:
        now = datetime.now(UTC)
        common = str(names[0].value)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])]))
            .issuer_name(self._certificate.subject)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(min(now + _LEAF_VALID - _BACKDATED, self._certificate.not_valid_after_utc))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )


def _read(directory: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
    path, key_path = directory / CERTIFICATE, directory / KEY
    # Looked at before: what is missing in a directory that appeared meanwhile is there by now.
    is_there = directory.exists() and any(directory.iterdir())
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    except FileNotFoundError as error:
        if not is_there:
            return None
        raise AuthorityUnusable(
            f"{error.filename} is missing; remove {directory} to have it made anew"
        ) from error
    except (ValueError, TypeError) as error:
        raise AuthorityUnusable(
            f"{path} or {key_path} is damaged; remove {directory} to have it made anew"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise AuthorityUnusable(
            f"{key_path} is not the key of {path}; remove {directory} to have it made anew"
        )
    return certificate, key


def _must_be_renewed(certificate: x509.Certificate) -> bool:
    """Whether it ends soon, or is not for the names that this version can be."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return True
    is_ending = certificate.not_valid_after_utc - datetime.now(UTC) < _RENEWED_BEFORE
    return is_ending or constraints != _constraints()


def _make(directory: Path, *, is_renewal: bool) -> None:
    """Certificate and key appear together or not at all; of two processes the first wins."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign_itself(key)
    draft = directory.with_name(f".{directory.name}.{os.getpid()}.{token_hex(4)}")
    draft.mkdir(parents=True)
    draft.chmod(0o755)
    try:
        (draft / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (draft / CERTIFICATE).chmod(0o644)
        opened = os.open(draft / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        if is_renewal:
            shutil.rmtree(directory)
        # An existing directory that is not empty is never replaced.
        with contextlib.suppress(OSError):
            draft.rename(directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sign_itself(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    # A name of its own, so that two authorities in one store are never taken for each other.
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Exchange emulator"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Local authority {token_hex(4)}, for tests only"),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(_constraints(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _constraints() -> x509.NameConstraints:
    names: list[x509.GeneralName] = [x509.DNSName(domain) for domain in (*EXCHANGE_DOMAINS, "localhost")]
    names += [x509.IPAddress(IPv4Network("127.0.0.0/8")), x509.IPAddress(IPv6Network("::1/128"))]
    return x509.NameConstraints(permitted_subtrees=names, excluded_subtrees=None)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
