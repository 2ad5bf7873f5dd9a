"""Who may use the control API; over real sockets where a socket can say it, else by the guard itself."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from emulator.web.contract import Refusal
from emulator.web.control.guard import Guard
from tests.launch import Server, launched

TOKEN = "a-token-for-tests"


def ask(
    server: Server, headers: dict[str, str], method: str = "GET", path: str = "/health"
) -> httpx.Response:
    return httpx.request(method, server.control + path, headers=headers, trust_env=False)


def code(answer: httpx.Response) -> str:
    text: str = answer.json()["error"]["code"]
    return text


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "LOCALHOST.", "any.localhost", "[::1]", "127.9.9.9"]
)
def test_names_of_this_machine_are_served(server: Server, name: str) -> None:
    host = f"{name}:{server.ports['all']}"
    path = "/health?sandbox=default"
    assert ask(server, {"host": host}, path=path).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8585", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example", ""],
)
def test_foreign_hosts_are_refused(server: Server, host: str) -> None:
    answer = ask(server, {"host": host})
    assert (answer.status_code, code(answer)) == (403, "foreign_host")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "file://", ""]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_foreign_origins_are_refused(server: Server, origin: str, method: str) -> None:
    answer = ask(server, {"origin": origin}, method, "/accounts" if method == "POST" else "/health")
    assert (answer.status_code, code(answer)) == (403, "foreign_origin")


def test_pages_of_the_emulator_itself_are_served(server: Server) -> None:
    assert ask(server, {"origin": server.url}).status_code == 200


def test_no_origin_is_ever_allowed_by_cors(server: Server) -> None:
    answer = ask(server, {"origin": server.url, "access-control-request-method": "PUT"}, "OPTIONS", "/clock")
    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, PUT, HEAD, OPTIONS"
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""],
)
def test_bodies_must_be_json(server: Server, method: str, content_type: str) -> None:
    path = {"POST": "/accounts", "PUT": "/clock", "DELETE": "/sandboxes/nobody"}[method]
    answer = httpx.request(
        method,
        server.control + path,
        content=b'{"name": "intruder"}',
        headers={"content-type": content_type} if content_type else {},
        trust_env=False,
    )
    assert (answer.status_code, code(answer)) == (415, "not_json")


def test_json_may_name_its_charset(server: Server) -> None:
    answer = httpx.put(
        server.control + "/clock",
        content=b"{}",
        headers={"content-type": "Application/JSON; charset=utf-8"},
        trust_env=False,
    )
    assert (answer.status_code, code(answer)) == (400, "invalid_body")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"name": "\\ud800"}', b"nul"])
def test_json_that_is_none(server: Server, body: bytes) -> None:
    answer = httpx.post(
        server.control + "/accounts",
        content=body,
        headers={"content-type": "application/json"},
        trust_env=False,
    )
    assert (answer.status_code, code(answer)) == (400, "invalid_body")


def test_bodies_have_a_bound(server: Server) -> None:
    answer = httpx.post(
        server.control + "/accounts",
        content=b'{"name": "' + b"x" * 1_000_000 + b'"}',
        headers={"content-type": "application/json"},
        trust_env=False,
    )
    assert (answer.status_code, code(answer)) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "wanted"),
    [
        ("GET", "/nothing", 404, "unknown_path"),
        ("GET", "", 404, "unknown_path"),
        ("GET", "/%0A%00%FF", 404, "unknown_path"),
        ("GET", "/ledger/%0A", 400, "invalid_parameter"),
        ("GET", "/accounts/a/b/c", 404, "unknown_path"),
        ("DELETE", "/health", 405, "wrong_method"),
        ("PATCH", "/clock", 405, "wrong_method"),
        ("GET", "/faults", 404, "not_emulated"),
        ("POST", "/sandboxes/default/snapshot", 404, "not_emulated"),
    ],
)
def test_what_is_not_there_is_said(server: Server, method: str, path: str, status: int, wanted: str) -> None:
    answer = ask(server, {}, method, path)
    assert (answer.status_code, code(answer)) == (status, wanted)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that listens on all addresses of the machine and has a token."""
    directory = tmp_path_factory.mktemp("guarded")
    with launched(directory, "--host", "0.0.0.0", settings={"EMULATOR_CONTROL_TOKEN": TOKEN}) as running:
        yield running


def test_this_machine_needs_no_token(guarded: Server) -> None:
    assert ask(guarded, {}).status_code == 200


def test_a_wrong_token_is_refused_even_here(guarded: Server) -> None:
    for sent in ("Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer", f"Bearer {TOKEN}x"):
        answer = ask(guarded, {"authorization": sent})
        assert (answer.status_code, code(answer)) == (401, "wrong_token"), sent


def test_the_token_opens_other_names_but_no_other_origins(guarded: Server) -> None:
    sent = {"authorization": f"Bearer {TOKEN}", "host": "emulator:8585"}
    assert ask(guarded, sent).status_code == 200
    answer = ask(guarded, {**sent, "origin": "https://evil.example"})
    assert (answer.status_code, code(answer)) == (403, "foreign_origin")


def test_no_header_makes_a_stranger_local(guarded: Server) -> None:
    # The peer is this machine whatever is claimed; the claim must not lock it out either.
    assert ask(guarded, {"x-forwarded-for": "203.0.113.9", "forwarded": "for=203.0.113.9"}).status_code == 200


LOCAL = {b"host": b"127.0.0.1:8585"}


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_loopback_peers_may_enter(peer: str) -> None:
    Guard(None).check(peer, LOCAL)


@pytest.mark.parametrize("peer", ["192.168.1.5", "203.0.113.9", "::ffff:10.0.0.1", "2001:db8::1", "", "unix"])
def test_other_peers_need_the_token(peer: str) -> None:
    for guard in (Guard(None), Guard(TOKEN)):
        with pytest.raises(Refusal) as refused:
            guard.check(peer, LOCAL)
        assert (refused.value.status, refused.value.code) == (403, "not_local")
    Guard(TOKEN).check(peer, {**LOCAL, b"authorization": f"bearer {TOKEN}".encode()})
    with pytest.raises(Refusal) as refused:
        Guard(TOKEN).check(peer, {**LOCAL, b"authorization": b"Bearer \xff\xfe"})
    assert refused.value.code == "wrong_token"


def test_a_token_that_was_never_set_opens_nothing() -> None:
    with pytest.raises(Refusal) as refused:
        Guard(None).check("203.0.113.9", {**LOCAL, b"authorization": b"Bearer None"})
    assert refused.value.code == "not_local"
