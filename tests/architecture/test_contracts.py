"""The boundaries of docs/architecture.md: import-linter's contracts, and what it cannot say."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
EMULATOR = TREE / "emulator"

NOT_IN_CORE = {
    "asyncio": "the core is synchronous; runtime.sequencer does the waiting",
    "concurrent": "one writer per sandbox; runtime.sequencer orders what happens",
    "datetime": "times are integer microseconds (`time_us`); adapters render dates",
    "http": "the core answers with events; exchanges/ renders them",
    "io": "the core reads and writes nothing; storage/ does",
    "logging": "what happened is an event; what went wrong is a rejection",
    "multiprocessing": "one writer per sandbox; runtime.sequencer orders what happens",
    "os": "settings come as values in commands; emulator.app reads the environment",
    "pathlib": "the core reads and writes nothing; storage/ does",
    "random": "the core is deterministic; hash integers, or take the number from the command",
    "secrets": "identities are minted integers (core.ids); keys belong to runtime and exchanges/",
    "socket": "the core reads and writes nothing; web/ does",
    "subprocess": "the core reads and writes nothing",
    "sys": "the core knows nothing of the process it is in",
    "threading": "one writer per sandbox; runtime.sequencer orders what happens",
    "time": "the sequencer stamps `now_us` on the command; the core is told the time",
    "uuid": "the core mints integers (core.ids); an adapter maps them to its own shape",
}
PLAIN_EXCHANGES = {"paper"}
"""This project's own API, which has no dialect to translate."""
OF_AN_ADAPTER = ("vocabulary", "auth", "limits", "errors", "eras")
OF_A_PRODUCT = ("market", "trading", "account", "payloads")

THIRD_PARTY_IN_CORE = {"msgspec"}


def test_import_contracts_are_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    outcome = subprocess.run(
        [lint, "--no-logo", "--no-cache"], cwd=TREE, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, f"\n{outcome.stdout}{outcome.stderr}"
    assert " 0 broken" in outcome.stdout


def test_core_imports_nothing_that_is_not_pure() -> None:
    wrong = []
    for path in sorted((EMULATOR / "core").rglob("*.py")):
        for line, name in imported(path):
            top = name.partition(".")[0]
            if top in NOT_IN_CORE:
                wrong.append(f"{place(path, line)}: imports {name}: {NOT_IN_CORE[top]}")
            elif name.startswith("emulator.") and not name.startswith("emulator.core"):
                wrong.append(f"{place(path, line)}: imports {name}: the core knows nothing above itself")
            elif not (top in sys.stdlib_module_names or top in THIRD_PARTY_IN_CORE or top == "emulator"):
                wrong.append(
                    f"{place(path, line)}: imports {name}: the core uses the standard library and msgspec"
                )
    assert not wrong, "\n" + "\n".join(wrong)


def test_settings_are_read_by_the_composition_root_only() -> None:
    wrong = [
        f"{place(path, line)}: take the value as an argument, and let emulator.app pass it"
        for path in sorted(EMULATOR.rglob("*.py"))
        if EMULATOR / "app" not in path.parents
        for line, name in imported(path)
        if name == "emulator.settings" or name.startswith("emulator.settings.")
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_adapters_have_the_same_shape() -> None:
    """Two adapters can be read side by side: what one calls `auth`, no other calls something else."""
    exchanges = [path.parent for path in sorted((EMULATOR / "exchanges").glob("*/__init__.py"))]
    adapters = [path for path in exchanges if path.name not in PLAIN_EXCHANGES]
    products = [path.parent for adapter in adapters for path in sorted(adapter.glob("*/instruments.json"))]
    assert adapters
    assert products
    wrong = [
        f"{folder.relative_to(TREE)} lacks {name}; see the layout in docs/architecture.md"
        for folders, names in ((adapters, OF_AN_ADAPTER), (products, OF_A_PRODUCT))
        for folder in folders
        for name in names
        if not ((folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists())
    ]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "door", ["commands", "events", "rejections", "instruments", "numbers", "ids", "views", "engine"]
)
def test_every_door_of_the_core_exists(door: str) -> None:
    assert (EMULATOR / "core" / f"{door}.py").exists() or (EMULATOR / "core" / door / "__init__.py").exists()


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that the file names in an import, wherever in the file, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path, node.lineno)}: imports are absolute"
            assert node.module is not None
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(TREE)}:{line}"
