"""What the hook for Python leads where, and what it lets out; and that old Pythons can read it."""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from emulator.intercept.surroundings import HOOKS

HOOK = HOOKS / "python" / "emulator_exec_hook.py"
START = HOOKS / "python" / "sitecustomize.py"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """Loaded as a module, it does nothing: nobody has told it what to do."""
    spec = importlib.util.spec_from_file_location("hook_for_python", HOOK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Make = Callable[..., Any]


@pytest.fixture
def rules(hook: ModuleType, tmp_path: Path) -> Make:
    def make(*allow: str, guard: bool = True) -> Any:
        contract = {
            "gate": ["127.0.0.1", 8543],
            "ca": "ca.pem",
            "domains": ["binance.com", "kucoin.eu"],
            "guard": guard,
            "allow": allow,
            "local": ["workstation"],
            "report": str(tmp_path / "refused.jsonl"),
        }
        return hook.Rules(contract)

    return make


def test_python_3_8_can_read_it() -> None:
    ast.parse(HOOK.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_still_older_ones_can_read_how_it_is_loaded() -> None:
    # The oldest that can be told from.
    ast.parse(START.read_text(encoding="utf-8"), feature_version=(3, 4))


@pytest.mark.parametrize(
    ("contract", "code", "said"),
    [
        ({"guard": True}, 70, "emulator exec: its hook needs Python 3.8, and this is 3.6\n"),
        ({"guard": False}, 0, "emulator exec: its hook needs Python 3.8, and this is 3.6\n"),
        ({"guard": True, "enclosed": True}, 0, ""),
        ({"enclosed": False}, 70, "emulator exec: its hook needs Python 3.8, and this is 3.6\n"),
    ],
)
def test_a_python_that_is_too_old_goes_on_only_where_something_else_guards_it(
    contract: dict[str, bool], code: int, said: str
) -> None:
    program = (
        f"import sys; sys.version_info = (3, 6, 15); exec(open({str(START)!r}).read()); print('went on')"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"__file__ = {str(START)!r}; {program}"],
        env={"EMULATOR_EXEC": json.dumps(contract)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, "" if code else "went on\n")
    assert done.stderr.startswith(said)


def test_a_hook_that_is_not_there_lets_nothing_out(tmp_path: Path) -> None:
    shutil.copy(START, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", "print('went on')"],
        env={"EMULATOR_EXEC": "{}", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("emulator exec: its hook cannot be loaded: ")


@pytest.mark.parametrize(
    "host",
    ["api.binance.com", "API.Binance.COM.", "binance.com", "a.b.kucoin.eu"]
    # Wide letters and the full stops of other scripts are the same to who looks names up (RFC 3490 §3.1).
    + ["api.binance\u3002com", "\uff41pi.\uff42inance.com", "api\uff0ebinance\uff61com\u3002"],
)
def test_exchanges_are_led_to_the_gate_and_never_let_out(rules: Make, host: str) -> None:
    for guard in (True, False):
        made = rules(guard=guard)
        assert made.leads(host)
        assert not made.may_connect(host, 443)
        assert not made.may_resolve(host)


@pytest.mark.parametrize("host", ["mybinance.com", "binance.com.example", "kucoin.com", "binance", ""])
def test_others_are_not(rules: Make, host: str) -> None:
    assert not rules().leads(host)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.9.8.7", "127.1", "0.0.0.0", "::1", "0:0:0:0:0:0:0:1", "::", "::ffff:127.0.0.1"]
    + ["localhost", "LOCALHOST.", "sandbox.localhost", "workstation", socket.gethostname()],
)
def test_this_machine_is_let_through(rules: Make, host: str) -> None:
    made = rules()
    assert made.may_connect(host, 1)
    assert made.may_resolve(host)


@pytest.mark.parametrize(
    "host",
    ["192.0.2.1", "127.evil.example", "1.127.0.0", "2001:db8::1", "::ffff:192.0.2.1", "localhost.example"],
)
def test_others_are_let_out_only_without_guard(rules: Make, host: str) -> None:
    assert not rules().may_connect(host, 443)
    assert rules(guard=False).may_connect(host, 443)


@pytest.mark.parametrize(
    ("entry", "host", "port", "other"),
    [
        ("db.example", "DB.example.", 5432, None),
        ("db.example:5432", "db.example", 5432, 5433),
        ("192.0.2.7", "192.0.2.7", 1, None),
        ("192.0.2.7:80", "192.0.2.7", 80, 81),
        ("2001:db8::7", "2001:db8::7", 1, None),
        ("[2001:db8::7]:80", "2001:db8::7", 80, 81),
        ("[2001:db8::7]", "2001:db8::7", 1, None),
    ],
)
def test_what_is_allowed(rules: Make, entry: str, host: str, port: int, other: int | None) -> None:
    made = rules(entry)
    assert made.may_connect(host, port)
    assert made.may_resolve(host)
    assert not made.may_connect("elsewhere.example", port)
    assert other is None or not made.may_connect(host, other)


def test_the_address_of_an_allowed_name_may_be_connected_to(rules: Make) -> None:
    made = rules("db.example:5432")
    assert not made.may_connect("192.0.2.7", 5432)
    made.learn("elsewhere.example", ["192.0.2.9"])
    made.learn("db.example", ["192.0.2.7", b"2001:db8::7"])
    assert made.may_connect("192.0.2.7", 5432)
    assert made.may_connect("2001:db8::7", 5432)
    assert not made.may_connect("192.0.2.7", 22)
    assert not made.may_connect("192.0.2.9", 5432)


def test_every_refusal_is_written_down_and_many_of_one_kind_together(rules: Make, tmp_path: Path) -> None:
    made = rules()
    for _ in range(250):
        made.refuse("elsewhere.example", 443)
    made.refuse("192.0.2.1", 53)
    made.tell_rest()
    lines = [json.loads(line) for line in (tmp_path / "refused.jsonl").read_text().splitlines()]
    counts: dict[tuple[str, str], int] = {}
    for line in lines:
        destination = line["host"], line["port"]
        counts[destination] = counts.get(destination, 0) + line["count"]
    assert counts == {("elsewhere.example", "443"): 250, ("192.0.2.1", "53"): 1}
    assert len(lines) == 100 + 1 + 1 + 1
    assert {line["by"] for line in lines} == {"python"}
