"""The environment of a command under `emulator exec`, and what is made of what was written down of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.__main__ import main
from emulator.intercept.summary import HostCalls, Refusal, Summary, read_refusals
from emulator.intercept.surroundings import HOOKS, Terms, enclosed, local_names, over_roots, surround
from emulator.web.hosts import is_exchange_host

OURS = "-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n"


@pytest.fixture
def terms(tmp_path: Path) -> Terms:
    ca = tmp_path / "ca.pem"
    ca.write_text(OURS, encoding="ascii")
    return Terms(
        url="http://127.0.0.1:8585",
        gate_port=4711,
        ca=ca,
        domains=("binance.com",),
        guard=True,
        allow=("db.example:5432",),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


def made(inherited: Mapping[str, str], terms: Terms, folder: Path) -> dict[str, str]:
    return surround(inherited, terms, folder)


def test_hooks_and_clients_of_proxies_are_told_of_the_gate(terms: Terms, folder: Path) -> None:
    environment = made({"PATH": "/bin", "https_proxy": "http://proxy.example:3128"}, terms, folder)
    assert environment["PATH"] == "/bin"
    contract = json.loads(environment["EMULATOR_EXEC"])
    assert contract["gate"] == ["127.0.0.1", 4711]
    assert contract["allow"] == ["db.example:5432"]
    assert Path(contract["report"]).parent == folder
    for name in ("HTTPS_PROXY", "https_proxy", "http_proxy", "wss_proxy", "ALL_PROXY"):
        assert environment[name] == "http://127.0.0.1:4711"
    assert "127.0.0.1" in environment["no_proxy"].split(",")
    assert environment["EMULATOR_URL"] == terms.url


def test_paths_and_options_that_were_there_stay(terms: Terms, folder: Path) -> None:
    inherited = {"PYTHONPATH": os.pathsep.join(("/mine", "", "/more")), "NODE_OPTIONS": "--trace-warnings"}
    environment = made(inherited, terms, folder)
    # An empty part would be the working directory, which nobody asked for.
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(HOOKS / "python"), "/mine", "/more"]
    assert environment["NODE_OPTIONS"] == f'--require "{HOOKS / "node.cjs"}" --trace-warnings'
    again = made(environment, terms, folder)
    assert again["PYTHONPATH"] == environment["PYTHONPATH"]
    assert again["NODE_OPTIONS"] == environment["NODE_OPTIONS"]


def test_the_machines_lists_of_roots_have_the_authority_too(
    terms: Terms, folder: Path, tmp_path: Path
) -> None:
    theirs, linked = tmp_path / "theirs.crt", tmp_path / "linked.pem"
    theirs.write_text("theirs", encoding="ascii")
    linked.symlink_to(theirs)
    made({"SSL_CERT_FILE": "/nowhere"}, terms, folder)
    over = over_roots(folder, [str(linked), str(theirs), str(tmp_path / "missing.pem"), str(tmp_path)])
    assert list(over) == [theirs.resolve()]
    assert OURS in over[theirs.resolve()].read_text(encoding="utf-8")


def test_a_network_of_its_own_is_told_of_and_changes_nothing_else(terms: Terms, folder: Path) -> None:
    environment = made({"PATH": "/bin"}, terms, folder)
    told = enclosed(environment)
    contract = json.loads(told.pop("EMULATOR_EXEC"))
    assert contract.pop("enclosed") is True
    assert contract == json.loads(environment.pop("EMULATOR_EXEC"))
    assert told == environment


def test_whom_the_command_trusted_it_trusts_still(terms: Terms, folder: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.pem"
    theirs.write_text("theirs\n", encoding="ascii")
    environment = made({"SSL_CERT_FILE": str(theirs), "NODE_EXTRA_CA_CERTS": str(theirs)}, terms, folder)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        text = Path(environment[name]).read_text(encoding="utf-8")
        assert "theirs" in text
        assert text.endswith(OURS)
    plain = made({}, terms, folder)
    assert Path(plain["NODE_EXTRA_CA_CERTS"]).read_text(encoding="utf-8") == OURS
    assert Path(plain["SSL_CERT_FILE"]).read_text(encoding="utf-8").endswith(OURS)


def test_names_that_the_hosts_file_gives_to_loopback_are_this_machine(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(
        "127.0.0.1 localhost Mine.local # not.this\n::1 six\n192.0.2.1 far\n\n# 127.0.0.1 nor.this\n",
        encoding="utf-8",
    )
    names = local_names(hosts)
    assert {"localhost", "mine.local", "six"} < names
    assert not names & {"far", "not.this", "nor.this"}


def test_refusals_of_hooks_and_gate_are_added_up(tmp_path: Path) -> None:
    report = tmp_path / "refused.jsonl"
    report.write_text(
        '{"host": "a.example", "port": "443", "by": "python", "pid": 1, "count": 2}\n'
        '{"host": "a.example", "port": 443, "by": "node", "pid": 2}\n'
        '{"host": "2001:db8::1", "port": 53, "by": "node", "pid": 2}\n'
        '{"host": "b.example", "port": null, "by": "namespace", "pid": 3}\n'
        '{"host": "cut sho',
        encoding="utf-8",
    )
    assert read_refusals(report, [{"host": "a.example:443", "count": 4}]) == [
        Refusal("a.example:443", 7, ["gate", "node", "python"]),
        Refusal("[2001:db8::1]:53", 1, ["node"]),
        Refusal("b.example", 1, ["namespace"]),
    ]
    assert read_refusals(tmp_path / "nothing", []) == []


def test_a_long_list_is_cut_for_people_only() -> None:
    called = HostCalls("api.binance.com", 30, 30, 0, [f"GET /{n}" for n in range(30)])
    summary = Summary(
        command=["bot"],
        exit_code=1,
        duration_ms=1500,
        emulator="http://127.0.0.1:8585",
        guard=True,
        unseen=None,
        hosts=[called],
        refused=[],
        untrusting=[],
    )
    lines = list(summary.lines())
    assert lines[0] == "emulator exec: ended with 1 after 1.5 s, at http://127.0.0.1:8585"
    assert sum(line.startswith("    api.binance.com: GET /") for line in lines) == 20
    assert lines[-1] == "    and 10 more; --report FILE has them all"
    assert len(json.loads(summary.as_json())["hosts"][0]["notEmulated"]) == 30


def test_the_hosts_are_printed_for_a_hosts_file() -> None:
    printed = CliRunner().invoke(main, ["hosts", "--address", "10.0.0.5"], catch_exceptions=False)
    lines = [line.split(" ") for line in printed.output.splitlines()]
    assert {address for address, _ in lines} == {"10.0.0.5"}
    names = [name for _, name in lines]
    assert {"api.binance.com", "stream.bybit.com", "api.kucoin.com", "testnet.binancefuture.com"} < set(names)
    assert len(set(names)) == len(names)
    assert all(map(is_exchange_host, names))
