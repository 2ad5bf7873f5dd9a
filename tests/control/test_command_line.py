"""What people type: `serve` and what surrounds it, in processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

import emulator
from emulator.app import SettingsError, build, read_settings
from emulator.web.hosts import PORT_SITES
from tests.control.conftest import ControlClient
from tests.launch import Server, environment, launched, stop

TREE = Path(__file__).resolve().parents[2]


def run(*arguments: str, settings: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emulator", *arguments],
        cwd=TREE,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(**(settings or {})),
    )


def test_the_version_is_the_packages() -> None:
    assert run("--version").stdout == f"{emulator.__version__}\n"


def test_the_ready_file_names_every_address(server: Server) -> None:
    ready = server.ready
    assert ready["pid"] == server.process.pid
    assert ready["version"] == emulator.__version__
    assert ready["ports"] == server.ports
    assert list(server.ports) == ["all", *PORT_SITES, "tls"]
    assert len(set(server.ports.values())) == 8
    assert ready["tls"]["port"] == server.ports["tls"]
    assert Path(ready["tls"]["ca"]).read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    for name, site in ready["sites"].items():
        assert site["url"] == f"http://127.0.0.1:{server.ports[name]}"
    assert [path.name for path in server.ready_file.parent.iterdir() if "ready" in path.name] == [
        "ready.json"
    ]


def test_it_says_how_clients_find_it(server: Server) -> None:
    for shown in (server.url, "emulator-demo-key", "emulator-demo-secret", "python-binance", "ccxt", "curl"):
        assert shown in server.announced
    assert "in memory" in server.announced


def test_each_site_has_its_port_at_the_root(server: Server) -> None:
    for name, path in (
        ("binance", "/api/v3/ping"),
        ("binance-usdm", "/fapi/v1/ping"),
        ("binance-coinm", "/dapi/v1/ping"),
    ):
        for address in (server.site(name) + path, server.url + path, f"{server.url}/{name}{path}"):
            answer = httpx.get(address, trust_env=False)
            assert (answer.status_code, answer.json()) == (200, {}), address


def test_bybit_is_served_at_its_port_by_its_paths_and_by_its_prefix(server: Server) -> None:
    path = "/v5/market/time"
    for address in (server.site("bybit") + path, server.url + path, f"{server.url}/bybit{path}"):
        answer = httpx.get(address, trust_env=False)
        assert (answer.status_code, answer.json()["retCode"]) == (200, 0), address


@pytest.mark.parametrize("name", ["kucoin", "kucoin-futures"])
def test_sites_that_are_not_served_say_so(server: Server, name: str) -> None:
    for address in (f"{server.site(name)}/api/v1/timestamp", f"{server.url}/{name}/api/v1/timestamp"):
        answer = httpx.get(address, trust_env=False)
        assert answer.status_code == 404
        assert f"{name!r} is not served" in answer.json()["msg"]


def test_futures_sites_say_what_they_do_not_answer(server: Server) -> None:
    refused = httpx.get(server.url + "/fapi/v1/pmExchangeInfo", trust_env=False)
    assert refused.status_code == 404
    assert "portfolio margin" in refused.json()["msg"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    with launched(tmp_path, "--quiet") as running:
        assert running.announced.count("\n") == 1
        # An idle connection that a client keeps must not hold up the stop.
        with httpx.Client(trust_env=False) as client:
            client.get(running.url + "/_emulator/health").raise_for_status()
            assert stop(running.process, number) == 0
        assert not running.ready_file.exists()
        assert running.log.read_text(encoding="utf-8") == ""


def test_a_port_in_use_is_one_line(server: Server, tmp_path: Path) -> None:
    taken = server.ports["kucoin-futures"]
    for port in (taken, taken - 6):
        refused = run("serve", "--port", str(port), "--data-dir", str(tmp_path))
        assert refused.returncode == 1
        assert refused.stdout == ""
        # The first of the seven ports may be taken by somebody else as well.
        assert refused.stderr.startswith("error: port ")
        assert "is in use" in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_ports_follow_each_other(tmp_path: Path) -> None:
    first = free_range(7)
    with launched(tmp_path, port=first) as running:
        assert list(running.ports.values())[:-1] == list(range(first, first + 7))
        assert running.url == f"http://127.0.0.1:{first}"


def free_range(count: int) -> int:
    """The first of some ports in a row that nobody listens on now."""
    for first in range(21_000, 30_000, 100):
        opened: list[socket.socket] = []
        try:
            for port in range(first, first + count):
                opened.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for one in opened:
                one.close()
    raise AssertionError("no free ports")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"EMULATOR_MONGO_URL": "localhost:27017"}, "mongodb://"),
        ({"EMULATOR_MONGO_URL": "mongodb://me:p@ss/word@localhost/x"}, "must be percent-encoded"),
        ({"MONGO_DB_HOST": "a", "MONGO_DB_PORT": "99999"}, "EMULATOR_MONGO_URL or MONGO_DB_HOST"),
        ({"EMULATOR_REDIS_URL": "redis://localhost"}, "EMULATOR_REDIS_URL or REDIS_HOST is set"),
        ({"REDIS_HOST": "localhost"}, "EMULATOR_REDIS_URL or REDIS_HOST is set"),
        ({"EMULATOR_TLS_PORT": "443,none"}, "EMULATOR_TLS_PORT"),
        ({"EMULATOR_TLS_PORT": "443,65536"}, "EMULATOR_TLS_PORT"),
        ({"EMULATOR_PORT": "many"}, "EMULATOR_PORT"),
        ({"EMULATOR_PORT": "65530"}, "beyond 65535"),
        ({"EMULATOR_SEED": "-1"}, "EMULATOR_SEED"),
        ({"EMULATOR_ERAS": '{"unknown_parameters": "sometimes"}'}, "unknown_parameters"),
        ({"EMULATOR_ERAS": '{"no_such_switch": "x"}'}, "no_such_switch"),
        ({"EMULATOR_ERAS": "{"}, "EMULATOR_ERAS"),
        ({"EMULATOR_SPEED": "2"}, "virtual clock"),
        ({"EMULATOR_CLOCK": "virtual", "EMULATOR_TIME": "tomorrow"}, "EMULATOR_TIME"),
        ({"EMULATOR_CLOCK": "virtual", "EMULATOR_TIME": "-5"}, "EMULATOR_TIME"),
        ({"EMULATOR_CLOCK": "virtual", "EMULATOR_SPEED": "NaN"}, "EMULATOR_SPEED"),
        ({"EMULATOR_CONTROL_TOKEN": "short"}, "EMULATOR_CONTROL_TOKEN"),
    ],
)
def test_settings_that_make_no_sense(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], words: str
) -> None:
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        build(read_settings())
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"REDIS_HOST": "localhost"}, "REDIS_HOST is set, but this version does not serve it yet"),
        (
            {"EMULATOR_MONGO_URL": "mongodb://me:secret@127.0.0.1:1/x?timeoutMS=100"},
            "MongoDB at mongodb://me:***@127.0.0.1:1/x: ",
        ),
        ({"EMULATOR_HOST": "host.invalid"}, "host.invalid"),
        ({"EMULATOR_CLOCK": "virtual", "EMULATOR_TIME": "9" * 30}, "EMULATOR_TIME"),
    ],
)
def test_what_cannot_be_served_is_one_line(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    refused = run("serve", "--data-dir", str(tmp_path), settings={"EMULATOR_PORT": "0", **settings})
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: ")
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, "somewhere/journal.sqlite"),
        ({"EMULATOR_MONGO_URL": "mongodb://me:secret@a:1,b:2/x?tls=true"}, "mongodb://me:***@a:1,b:2/x"),
        ({"MONGO_DB_HOST": "a"}, "mongodb://a:27017/emulator"),
        (
            {
                "MONGO_DB_HOST": "a",
                "MONGO_DB_PORT": "1",
                "MONGO_DB_NAME": "x",
                "MONGO_DB_USERNAME": "m/e",
                "MONGO_DB_PASSWORD": "p@/x",
            },
            "mongodb://m%2Fe:***@a:1/x",
        ),
        ({"MONGO_DB_HOST": "a", "EMULATOR_MONGO_URL": "mongodb://b/x"}, "mongodb://b/x"),
        ({"MONGO_DB_HOST": "a", "EMULATOR_EPHEMERAL": "1"}, "in memory, and ends with this process"),
    ],
)
def test_where_state_is_kept(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], kept: str) -> None:
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert build(read_settings(data_dir=Path("somewhere"))).storage.kept == kept


def test_the_environment_sets_what_options_do_not(tmp_path: Path) -> None:
    settings = {
        "APP_PORT": "1",
        "EMULATOR_SEED": "42",
        "EMULATOR_CLOCK": "virtual",
        "EMULATOR_TIME": "2025-06-01T12:00:00+02:00",
        "EMULATOR_MONGO_URL": "",
    }
    with launched(tmp_path, "--seed", "43", settings=settings) as running:
        control = ControlClient(running.control)
        state = control.get("/sandboxes/default")
        assert state["seed"] == 43
        assert state["clock"]["mode"] == "virtual"
        assert state["clock"]["time"] == "2025-06-01T10:00:00.000000Z"
        assert state["clock"]["speed"] == "0"
        served = httpx.get(running.url + "/api/v3/time", trust_env=False).json()
        assert served["serverTime"] == state["clock"]["timeMs"]
        control.close()


def test_a_virtual_clock_may_be_asked_for_on_the_command_line(tmp_path: Path) -> None:
    options = ("--virtual-time", "1767225600000", "--speed", "0", "--no-limits", "--eras", "{}")
    with launched(tmp_path, *options) as running:
        control = ControlClient(running.control)
        assert control.get("/clock")["time"] == "2026-01-01T00:00:00.000000Z"
        control.close()


def test_all_addresses_need_a_token_that_is_printed(tmp_path: Path) -> None:
    with launched(tmp_path, "--host", "0.0.0.0", "--quiet") as running:
        line = next(line for line in running.announced.splitlines() if line.startswith("control token"))
        token = line.split()[-1]
        assert len(token) >= 24
        sent = {"authorization": f"Bearer {token}", "host": "emulator:8585"}
        assert httpx.get(running.control + "/health", headers=sent, trust_env=False).status_code == 200


def test_accounts_are_opened_from_the_command_line(
    server: Server, control: ControlClient, sandbox: str
) -> None:
    where = ("accounts", "--data-dir", str(server.ready_file.parent), "--sandbox", sandbox)
    made = run(*where, "create", "carol", "--key", "carols-key", "--deposit", "spot:BTC:1.5")
    assert made.returncode == 0, made.stderr
    assert "carols-key" in made.stdout
    account = control.get("/accounts/carol", params={"sandbox": sandbox})
    assert account["exchanges"]["binance"]["spot"] == {"BTC": {"free": "1.5", "held": "0"}}
    assert "carol" in run(*where, "list").stdout
    again = run(*where, "create", "carol")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("error: ")


def test_commands_say_when_no_emulator_runs(tmp_path: Path) -> None:
    for where in (("--data-dir", str(tmp_path)), ("--url", "http://127.0.0.1:1")):
        refused = run("accounts", *where, "list")
        assert refused.returncode == 1
        assert refused.stderr.startswith("error: ")
        assert refused.stderr.count("\n") == 1


# Storage


def storage(directory: Path, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    return run("storage", command, "--data-dir", str(directory), *options)


def test_storage_is_verified_rebuilt_and_repaired_while_nothing_runs(tmp_path: Path) -> None:
    with launched(tmp_path, "--quiet") as running:
        control = ControlClient(running.control)
        control.post("/accounts", {"name": "alice"})
        control.post("/accounts/alice/deposits", {"wallet": "spot", "asset": "USDT", "amount": "250"})
        control.post("/sandboxes", {"name": "other"})
        control.close()
        for command in ("verify", "rebuild", "repair"):
            refused = storage(tmp_path, command)
            assert (refused.returncode, refused.stdout) == (1, "")
            assert f"is in use by process {running.process.pid} on " in refused.stderr
            assert refused.stderr.count("\n") == 1

    verified = storage(tmp_path, "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert re.search(r"^default: \d+ entries with \d+ events$", verified.stdout, re.MULTILINE)
    assert verified.stdout.count("  all of it agrees with the journal\n") == 2
    assert "other: " not in storage(tmp_path, "verify", "--sandbox", "default").stdout
    assert "there is no sandbox 'nobody' in " in storage(tmp_path, "verify", "--sandbox", "nobody").stderr
    nothing = storage(tmp_path, "repair")
    assert (nothing.returncode, nothing.stdout) == (
        0,
        "default: nothing to repair\nother: nothing to repair\n",
    )

    with closing(sqlite3.connect(tmp_path / "history.sqlite")) as connection, connection:
        changed = connection.execute(
            "UPDATE balances SET record = replace(record, '\"250\"', '\"251\"')"
            " WHERE shelf IN (SELECT id FROM shelf WHERE account = 2)"
        )
        assert changed.rowcount == 1
    figures = (
        "binance: the balance of USDT of account 2 in spot is free 250 and held 0 by the journal,"
        " free 251 and held 0 in the archive"
    )
    differs = storage(tmp_path, "verify")
    assert differs.returncode == 1
    assert f"  DIFFERS: {figures}\n" in differs.stdout
    assert "  DIFFERS: balances: the journal comes to " in differs.stdout
    with launched(tmp_path, "--quiet") as running:
        control = ControlClient(running.control)
        health = control.get("/health")
        assert (health["status"], health["degraded"]) == ("degraded", ["default"])
        assert figures in health["reasons"]["default"]
        control.close()
        assert figures in running.log.read_text(encoding="utf-8")

    unchanged = storage(tmp_path, "repair")
    assert unchanged.returncode == 1
    assert f"default: {figures}\n" in unchanged.stdout
    assert "default: archive and snapshot would be made anew from the journal\n" in unchanged.stdout
    assert "default: nothing was changed; --yes does it\n" in unchanged.stdout
    assert storage(tmp_path, "repair").stdout == unchanged.stdout
    repaired = storage(tmp_path, "repair", "--yes")
    assert repaired.returncode == 0
    assert "default: archive and snapshot made anew from the journal\n" in repaired.stdout
    assert storage(tmp_path, "verify").returncode == 0

    (tmp_path / "history.sqlite").unlink()
    rebuilt = storage(tmp_path, "rebuild")
    assert rebuilt.returncode == 0
    assert re.search(r"^default: rebuilt in [\d.]+ s$", rebuilt.stdout, re.MULTILINE)
    assert re.search(r"^  accounts +2$", rebuilt.stdout, re.MULTILINE)
    verified = storage(tmp_path, "verify")
    assert verified.returncode == 0
    assert "  a snapshot of entry " in verified.stdout
    with launched(tmp_path, "--quiet") as running:
        control = ControlClient(running.control)
        assert control.get("/health")["status"] == "ok"
        control.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "there is no "),
        ({"EMULATOR_EPHEMERAL": "1"}, "state is in memory"),
        ({"EMULATOR_MONGO_URL": "localhost"}, "mongodb://"),
        ({"EMULATOR_MONGO_URL": "mongodb://127.0.0.1:1/x?timeoutMS=100"}, "MongoDB at mongodb://127"),
    ],
)
def test_storage_that_is_not_there_is_one_line(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    refused = run("storage", "verify", "--data-dir", str(tmp_path), settings=settings)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: ")
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir()), "looking makes nothing"


def test_a_database_in_use_is_known_by_the_ready_file(server: Server) -> None:
    directory = server.ready_file.parent
    elsewhere = {"EMULATOR_MONGO_URL": "mongodb://127.0.0.1:1/x?timeoutMS=100"}
    refused = run("storage", "repair", "--data-dir", str(directory), settings=elsewhere)
    assert refused.returncode == 1
    assert f"an emulator runs on {server.url}, process {server.process.pid}: stop it first" in refused.stderr


def test_committed_documents_are_what_the_rows_say() -> None:
    assert run("specs", "--check").returncode == 0, "run `python -m emulator specs`"
    page = "docs/coverage.md"
    assert run("coverage", "--check", page).returncode == 0, (
        f"run `python -m emulator coverage --write {page}`"
    )


def test_a_document_that_differs_is_noticed(tmp_path: Path) -> None:
    where = ("specs", "--directory", str(tmp_path))
    assert run(*where, settings={"EMULATOR_MONGO_URL": "mongodb://elsewhere"}).returncode == 0
    assert run(*where, "--check").returncode == 0
    written = sorted(path.parent.name for path in tmp_path.glob("*/openapi.json"))
    assert written == ["binance", "binance-coinm", "binance-usdm", "binance-vision", "bybit", "control"]
    path = tmp_path / "control" / "openapi.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["paths"]["/health"]
    path.write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "nobody").mkdir()
    (tmp_path / "nobody" / "openapi.json").write_text("{}", encoding="utf-8")
    refused = run(*where, "--check")
    assert refused.returncode == 1
    assert str(path) in refused.stderr
    assert "nobody" in refused.stderr
