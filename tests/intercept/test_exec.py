"""`emulator exec`: which emulator it uses, what the command gets, what it ends with, and what is told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.intercept import namespace
from tests.intercept.under_exec import exec_command, plain_environment, run_under_exec
from tests.launch import Server, launched

ASK = (
    "import json, sys, urllib.request as r\n"
    "print(json.load(r.urlopen('https://api.binance.com' + sys.argv[1], timeout=20)))\n"
)
ELSEWHERE = (
    "import socket\n"
    "try: socket.create_connection(('192.0.2.1', 443), timeout=5)\n"
    "except ConnectionRefusedError as error: print('refused')\n"
)


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


@pytest.fixture(params=["--namespace", "--no-namespace"])
def way(request: pytest.FixtureRequest) -> str:
    way: str = request.param
    if way == "--namespace" and (why := namespace.available()) is not None:
        pytest.skip(why)
    return way


@pytest.fixture
def here(server: Server) -> tuple[str, str]:
    """Options that name the emulator of the tests."""
    return "--data-dir", str(server.ready_file.parent)


# Which emulator


def test_it_uses_the_one_that_runs(server: Server, here: tuple[str, str], tmp_path: Path, way: str) -> None:
    outcome = run_under_exec(tmp_path, [*here, way], python(ASK, "/api/v3/time"))
    assert outcome.code == 0, outcome.errors
    assert "serverTime" in outcome.output
    assert outcome.hosts() == {"api.binance.com": (1, 0, 0)}
    assert outcome.summary is not None
    assert outcome.summary["emulator"] == server.url
    assert f"at {server.url}" in outcome.errors


def test_it_uses_the_one_that_is_named(server: Server, tmp_path: Path) -> None:
    outcome = run_under_exec(tmp_path, ["--url", server.url], python(ASK, "/api/v3/time"))
    assert outcome.hosts() == {"api.binance.com": (1, 0, 0)}


def test_one_that_is_named_and_not_there_is_missed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    outcome = run_under_exec(tmp_path, ["--url", url], python(""))
    assert (outcome.code, outcome.summary) == (1, None)
    assert url in outcome.errors


def test_it_starts_one_with_the_state_that_is_there(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with launched(data_dir_of(data_dir)) as before:
        created = {"name": "bot"}
        request(before.control + "/accounts", created)
    outcome = run_under_exec(tmp_path, ["--data-dir", str(data_dir)], python(LIST_ACCOUNTS))
    assert outcome.code == 0, outcome.errors
    assert "bot" in outcome.output
    # It ended with the command.
    assert not (data_dir / "ready.json").exists()


def test_one_that_was_started_ends_with_the_last_command(tmp_path: Path) -> None:
    """The command that it was started for ends first; the other one's exchange must not vanish."""
    data_dir = tmp_path / "data"
    code = f"print('ready', flush=True)\ninput()\nimport sys; sys.argv = ['', '/api/v3/time']\n{ASK}"

    def begin() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            exec_command("--data-dir", str(data_dir), "--", *python(code)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=plain_environment(),
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    with begin() as first, begin() as second:
        for process in (first, second):
            assert (data_dir / "ready.json").exists()
            output, _ = process.communicate("go on\n", timeout=60)
            assert process.returncode == 0, output
            assert "serverTime" in output
    assert not (data_dir / "ready.json").exists()


def test_one_that_ran_before_goes_on(tmp_path: Path) -> None:
    data_dir = data_dir_of(tmp_path / "data")
    with launched(data_dir) as running:
        outcome = run_under_exec(tmp_path, ["--data-dir", str(data_dir)], python(ASK, "/api/v3/time"))
        assert outcome.code == 0, outcome.errors
        assert running.process.poll() is None


def test_of_one_that_went_away_nothing_is_claimed(tmp_path: Path) -> None:
    data_dir = data_dir_of(tmp_path / "data")
    with launched(data_dir, "--ephemeral") as server:
        code = f"import os, signal; os.kill({server.process.pid}, signal.SIGKILL)"
        outcome = run_under_exec(tmp_path, ["--data-dir", str(data_dir)], python(code))
    assert outcome.code == 0
    assert outcome.summary is not None
    assert outcome.summary["hosts"] is None
    assert "what it called is not known: the emulator went away" in outcome.errors
    assert "it called no exchange" not in outcome.errors


def test_a_fresh_one_knows_nothing_of_the_other(
    here: tuple[str, str], server: Server, tmp_path: Path
) -> None:
    outcome = run_under_exec(
        tmp_path, ["--fresh", *here], python("import os; print(os.environ['EMULATOR_URL'])")
    )
    url = outcome.output.strip()
    assert url.startswith("http://127.0.0.1:")
    assert url != server.url
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))


def test_a_file_of_one_that_has_died_misleads_nobody(tmp_path: Path) -> None:
    data_dir = data_dir_of(tmp_path / "data")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    stale = {"pid": ended.pid, "url": "http://127.0.0.1:1"}
    (data_dir / "ready.json").write_text(json.dumps(stale), encoding="utf-8")
    outcome = run_under_exec(tmp_path, ["--data-dir", str(data_dir)], python(ASK, "/api/v3/time"))
    assert outcome.code == 0, outcome.errors


# What the command ends with


def test_the_exit_code_is_the_commands(here: tuple[str, str], tmp_path: Path, way: str) -> None:
    outcome = run_under_exec(tmp_path, [*here, way], ["sh", "-c", "exit 3"])
    assert outcome.code == 3
    assert outcome.summary is not None
    assert outcome.summary["exitCode"] == 3


def test_no_such_command(here: tuple[str, str], tmp_path: Path, way: str) -> None:
    assert run_under_exec(tmp_path, [*here, way], ["no-such-command-anywhere"]).code == 127


def test_a_command_that_cannot_run(here: tuple[str, str], tmp_path: Path, way: str) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program", encoding="utf-8")
    assert run_under_exec(tmp_path, [*here, way], [str(plain)]).code == 126


def test_a_command_that_a_signal_ends(here: tuple[str, str], tmp_path: Path, way: str) -> None:
    assert run_under_exec(tmp_path, [*here, way], ["sh", "-c", "kill -9 $$"]).code == 128 + 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signals_reach_the_command(
    here: tuple[str, str], tmp_path: Path, way: str, number: signal.Signals
) -> None:
    code = (
        "import signal, sys\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()\n"
    )
    process = subprocess.Popen(
        exec_command(*here, way, "--quiet", "--", *python(code)),
        stdout=subprocess.PIPE,
        text=True,
        env=plain_environment(),
        cwd=tmp_path,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(60) == 42


# What the command gets


def test_its_own_start_up_code_runs_as_well(here: tuple[str, str], tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import sys; sys.its_own = __file__\n", encoding="utf-8")
    code = "import sys, sitecustomize; print(sys.its_own == sitecustomize.__file__)"
    path = {"PYTHONPATH": os.pathsep.join((str(own), plain_environment()["PYTHONPATH"]))}
    outcome = run_under_exec(tmp_path, here, python(code), path)
    assert outcome.output == "True\n", outcome.errors


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
def test_its_options_for_node_stay(here: tuple[str, str], tmp_path: Path) -> None:
    code = "console.log(process.title, process.env.NODE_OPTIONS.includes('node.cjs'))"
    settings = {"NODE_OPTIONS": "--title=mine"}
    outcome = run_under_exec(tmp_path, here, ["node", "-e", code], settings)
    assert outcome.output == "mine true\n", outcome.errors


def test_arguments_are_the_commands(here: tuple[str, str], tmp_path: Path) -> None:
    code = "import sys; print(sys.argv[1:])"
    outcome = run_under_exec(tmp_path, here, python(code, "--fresh", "--", "-h"))
    assert outcome.output == "['--fresh', '--', '-h']\n"


def test_a_hook_that_is_told_nonsense_lets_nothing_out() -> None:
    from emulator.intercept.surroundings import HOOKS

    settings = {"PYTHONPATH": str(HOOKS / "python"), "EMULATOR_EXEC": '{"gate": []}'}
    done = subprocess.run(
        python("print('it ran')"),
        env=plain_environment(**settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("emulator exec: ")


def test_a_hook_that_is_told_nothing_does_nothing() -> None:
    from emulator.intercept.surroundings import HOOKS

    code = "import socket; print(socket.getaddrinfo.__module__, socket.socket.connect.__qualname__)"
    done = subprocess.run(
        python(code),
        env=plain_environment(PYTHONPATH=str(HOOKS / "python")),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "socket socket.connect\n"


# The guard


def test_other_hosts_are_refused_and_told(here: tuple[str, str], tmp_path: Path, way: str) -> None:
    outcome = run_under_exec(tmp_path, [*here, way], python(ELSEWHERE))
    assert (outcome.code, outcome.output) == (0, "refused\n"), outcome.errors
    assert outcome.refused() == {"192.0.2.1:443": 1}
    assert "192.0.2.1:443, once" in outcome.errors


def test_what_is_refused_through_the_gate_is_told(here: tuple[str, str], tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    command = ["curl", "-sS", "https://elsewhere.example/"]
    outcome = run_under_exec(tmp_path, [*here, "--no-namespace"], command)
    assert outcome.code == 56  # CURLE_RECV_ERROR: the proxy refused the tunnel.
    assert outcome.refused() == {"elsewhere.example:443": 1}


@pytest.fixture
def beyond() -> Iterator[tuple[str, int]]:
    """Something that listens on this machine, but not on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback's")
        address = asking.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback's")
    with socket.create_server((address, 0)) as listening:
        yield address, listening.getsockname()[1]


def test_what_is_allowed_is_let_out(here: tuple[str, str], tmp_path: Path, beyond: tuple[str, int]) -> None:
    address, port = beyond
    command = python(f"import socket; socket.create_connection(({address!r}, {port}), timeout=5)")
    refused = run_under_exec(tmp_path, [*here, "--no-namespace"], command)
    assert refused.code == 1
    assert refused.refused() == {f"{address}:{port}": 1}
    for allowed in (address, f"{address}:{port}"):
        outcome = run_under_exec(tmp_path, [*here, "--no-namespace", "--allow", allowed], command)
        assert (outcome.code, outcome.refused()) == (0, {}), outcome.errors
    other = run_under_exec(tmp_path, [*here, "--no-namespace", "--allow", f"{address}:1"], command)
    assert other.code == 1


def test_without_guard_others_are_let_out(
    here: tuple[str, str], tmp_path: Path, beyond: tuple[str, int]
) -> None:
    command = python(f"import socket; socket.create_connection({beyond!r}, timeout=5)")
    outcome = run_under_exec(tmp_path, [*here, "--no-guard"], command)
    assert (outcome.code, outcome.refused()) == (0, {}), outcome.errors


@pytest.mark.parametrize("entry", ["api.binance.com", "fapi.binance.com:443"])
def test_an_exchange_cannot_be_allowed(here: tuple[str, str], tmp_path: Path, entry: str) -> None:
    outcome = run_under_exec(tmp_path, [*here, "--allow", entry], python("print('it ran')"))
    assert (outcome.code, outcome.output) == (1, "")
    assert entry in outcome.errors


def test_what_the_guard_cannot_see_is_said(here: tuple[str, str], tmp_path: Path) -> None:
    outcome = run_under_exec(tmp_path, [*here, "--no-namespace"], python(""))
    assert outcome.summary is not None
    assert "neither Python nor Node" in outcome.summary["unseen"]
    assert "the guard does not see" in outcome.errors
    if namespace.available() is None:
        outcome = run_under_exec(tmp_path, here, python(""))
        assert outcome.summary is not None
        assert outcome.summary["unseen"] is None


# What is told


def test_what_is_not_emulated_is_told(here: tuple[str, str], tmp_path: Path) -> None:
    outcome = run_under_exec(tmp_path, here, python(ASK, "/api/v3/nothing/like/this"))
    assert outcome.code == 1
    assert outcome.hosts() == {"api.binance.com": (1, 1, 0)}
    assert "api.binance.com: GET /api/v3/nothing/like/this" in outcome.errors


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_who_does_not_trust_the_ca_is_told(here: tuple[str, str], tmp_path: Path) -> None:
    roots = ["env", "-u", "SSL_CERT_FILE", "-u", "CURL_CA_BUNDLE"]
    # In a network of its own the machine's list of roots has it.
    options = [*here, "--no-namespace"]
    outcome = run_under_exec(
        tmp_path, options, [*roots, "curl", "-sS", "https://api.binance.com/api/v3/time"]
    )
    assert outcome.code == 60  # CURLE_PEER_FAILED_VERIFICATION
    assert outcome.summary is not None
    assert outcome.summary["untrusting"] == [{"host": "api.binance.com", "count": 1}]
    assert "a client of api.binance.com, once" in outcome.errors


def test_it_can_be_quiet(here: tuple[str, str], tmp_path: Path) -> None:
    outcome = run_under_exec(tmp_path, [*here, "--quiet"], python(""))
    assert outcome.errors == ""
    assert outcome.summary is not None


# What these tests share

LIST_ACCOUNTS = (
    "import os, urllib.request as r\n"
    "print(r.urlopen(os.environ['EMULATOR_URL'] + '/_emulator/accounts', timeout=20).read().decode())\n"
)


def data_dir_of(path: Path) -> Path:
    path.mkdir()
    return path


def request(url: str, body: dict[str, str]) -> None:
    import httpx

    assert httpx.post(url, json=body, trust_env=False).is_success
