"""The local certificate authority: what it can vouch for, who can read its key, and that it stays."""

from __future__ import annotations

import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emulator.__main__ import main
from emulator.intercept.authority import CONTEXTS_MAX, Authority, AuthorityUnusable


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """A whole TLS handshake in memory. Raises ssl.SSLError when a side breaks it off."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = server.wrap_bio(to_server, to_client, server_side=True)
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    waiting = [here, there]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.path))


def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    authority = Authority.at(tmp_path)
    assert authority.path == tmp_path / "ca" / "ca.pem"
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "ca").iterdir()}
    assert modes == {"ca.pem": "0o644", "ca.key": "0o600"}
    assert oct((tmp_path / "ca").stat().st_mode & 0o777) == "0o755"


def test_it_is_made_once(tmp_path: Path) -> None:
    first = Authority.at(tmp_path)
    assert Authority.at(tmp_path).fingerprint == first.fingerprint


def test_of_many_who_make_it_at_once_all_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Authority.at(tmp_path).fingerprint, range(8)))
    assert len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["ca"]


@pytest.mark.parametrize(
    "name",
    ["api.binance.com", "fstream.binance.com", "api.bybit.nl", "stream-testnet.bybit.com", "a.b.kucoin.eu"],
)
def test_who_trusts_it_takes_its_hosts_for_the_exchange(tmp_path: Path, name: str) -> None:
    authority = Authority.at(tmp_path)
    handshake(authority.context(name), trusting(authority), name)


def test_who_does_not_trust_it_breaks_off(tmp_path: Path) -> None:
    authority = Authority.at(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority.context("api.binance.com"), ssl.create_default_context(), "api.binance.com")


def test_a_certificate_is_for_one_host(tmp_path: Path) -> None:
    authority = Authority.at(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(authority.context("api.binance.com"), trusting(authority), "fapi.binance.com")


def test_of_very_many_hosts_the_latest_are_kept(tmp_path: Path) -> None:
    authority = Authority.at(tmp_path)
    first = authority.context("0.binance.com")
    for number in range(1, CONTEXTS_MAX):
        authority.context(f"{number}.binance.com")
    assert authority.context("0.binance.com") is first
    last = authority.context(f"{CONTEXTS_MAX}.binance.com")
    assert authority.context(f"{CONTEXTS_MAX}.binance.com") is last
    assert authority.context("0.binance.com") is not first
    handshake(authority.context("0.binance.com"), trusting(authority), "0.binance.com")


@pytest.mark.parametrize("name", ["www.example.org", "binance.com.example.org", "mybinance.com"])
def test_nobody_believes_it_about_other_names(tmp_path: Path, name: str) -> None:
    """Not even who trusts it: were its key stolen, no bank could be played with it."""
    authority = Authority.at(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(authority.context(name), trusting(authority), name)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_this_machine_has_a_certificate_too(tmp_path: Path, name: str) -> None:
    authority = Authority.at(tmp_path)
    handshake(authority.context(None), trusting(authority), name)


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    one, other = Authority.at(tmp_path / "one"), Authority.at(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(one.context("api.binance.com"), trusting(other), "api.binance.com")


def test_leaves_end_within_what_clients_accept(tmp_path: Path) -> None:
    authority = Authority.at(tmp_path)
    server, client = authority.context("api.binance.com"), trusting(authority)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = server.wrap_bio(to_server, to_client, server_side=True)
    here = client.wrap_bio(to_client, to_server, server_hostname="api.binance.com")
    for side in (here, there, here, there):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    der = here.getpeercert(binary_form=True)
    assert der is not None
    leaf = x509.load_der_x509_certificate(der)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=398)
    assert leaf.not_valid_before_utc < datetime.now(UTC) - timedelta(days=1)


def test_one_that_cannot_be_what_this_version_is_gets_renewed(tmp_path: Path) -> None:
    """An authority without today's names, as an older version may have made."""
    Authority.at(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "older")])
    now = datetime.now(UTC)
    older = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=3000))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "ca" / "ca.pem").write_bytes(older.public_bytes(pem))
    (tmp_path / "ca" / "ca.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    renewed = Authority.at(tmp_path)
    handshake(renewed.context("api.binance.com"), trusting(renewed), "api.binance.com")
    assert oct((tmp_path / "ca" / "ca.key").stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("file", ["ca.pem", "ca.key"])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN NOTHING-----"])
def test_what_is_damaged_is_named_and_left_as_it_is(tmp_path: Path, file: str, content: bytes | None) -> None:
    Authority.at(tmp_path)
    path = tmp_path / "ca" / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AuthorityUnusable, match=file):
        Authority.at(tmp_path)
    assert path.exists() == (content is not None)


def test_a_key_of_another_is_refused(tmp_path: Path) -> None:
    Authority.at(tmp_path / "one")
    Authority.at(tmp_path / "other")
    (tmp_path / "one" / "ca" / "ca.key").write_bytes((tmp_path / "other" / "ca" / "ca.key").read_bytes())
    with pytest.raises(AuthorityUnusable, match="is not the key of"):
        Authority.at(tmp_path / "one")


def test_the_command_line_says_where_it_is_and_what_it_is(tmp_path: Path) -> None:
    def said(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["ca", *arguments, "--data-dir", str(tmp_path)])
        assert done.exit_code == 0, done.output
        return done.output.strip()

    path = Path(said("path"))
    assert path.is_absolute()
    assert said("export").encode() == path.read_bytes().strip()
    said("export", str(tmp_path / "copy.pem"))
    assert (tmp_path / "copy.pem").read_bytes() == path.read_bytes()
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    assert said("fingerprint").replace(":", "").lower() == certificate.fingerprint(hashes.SHA256()).hex()
    assert "PRIVATE" not in said("export")


def test_a_damaged_one_stops_the_start_in_one_line(tmp_path: Path) -> None:
    Authority.at(tmp_path)
    (tmp_path / "ca" / "ca.key").write_bytes(b"")
    command = [
        sys.executable,
        "-m",
        "emulator",
        "serve",
        "--ephemeral",
        "--port",
        "0",
        "--data-dir",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "ca.key" in done.stderr
