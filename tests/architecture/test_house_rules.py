"""House rules that a reader would otherwise have to remember; each failure says what to do instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
EMULATOR = TREE / "emulator"

LINES_MAX = 900
NAMES_TO_AVOID = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
SHARED_ROOMS = ("core", "runtime", "web", "market_data", "listings", "feeds")
ADDRESS_BOOK = EMULATOR / "web" / "hosts.py"
"""Whose subject is at which addresses real clients look for which site."""
EXCHANGE = re.compile(r"binance|bybit|kucoin", re.IGNORECASE)


def modules(*rooms: str) -> list[Path]:
    roots = [EMULATOR / room for room in rooms] or [EMULATOR]
    found = sorted(path for root in roots for path in root.rglob("*.py"))
    assert found, f"no modules under {roots}"
    return found


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(TREE)}:{line}"


def complain(wrong: list[str]) -> None:
    assert not wrong, "\n" + "\n".join(wrong)


def test_files_are_a_comfortable_read() -> None:
    complain(
        [
            f"{path.relative_to(TREE)}: {lines} lines; make it a package of the same name, or move a part out"
            for path in modules()
            if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES_MAX
        ]
    )


def test_modules_are_named_for_what_they_hold() -> None:
    complain(
        [
            f"{path.relative_to(TREE)}: no name for what is in it; say the thing, or put it in its user"
            for path in [*modules(), *(path.parent for path in modules())]
            if NAMES_TO_AVOID & set(path.stem.split("_"))
        ]
    )


def test_every_module_says_what_it_is() -> None:
    complain(
        [
            f"{path.relative_to(TREE)}: open with a sentence that says what it is, then its invariant"
            for path in modules()
            if ast.get_docstring(parsed(path)) is None
        ]
    )


def test_core_has_no_floats() -> None:
    instead = "use core.numbers: Decimal in the exact context, with a named rounding"
    wrong = []
    for path in modules("core"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                wrong.append(f"{place(path, node.lineno)}: the float {node.value}; {instead}")
            elif isinstance(node, ast.Name) and node.id == "float":
                wrong.append(f"{place(path, node.lineno)}: `float`; {instead}")
    complain(wrong)


def test_shared_rooms_know_no_exchange_by_name() -> None:
    instead = (
        "what differs between exchanges is data that comes from exchanges/: a field, a route row, an argument"
    )
    wrong = []
    for path in modules(*SHARED_ROOMS):
        if path == ADDRESS_BOOK:
            continue
        for line, text in words(parsed(path)):
            if EXCHANGE.search(text):
                wrong.append(f"{place(path, line)}: {text!r} names an exchange; {instead}")
    complain(wrong)


def test_a_suppression_gives_its_reason() -> None:
    """`# noqa: X - why`, `# type: ignore[x]  # why`: the next reader must be able to judge it."""
    silent = re.compile(r"#\s*(?:noqa(?::\s*[A-Z0-9, ]+)?|type:\s*ignore(?:\[[\w, -]+\])?)\s*$")
    paths = [*modules(), *sorted((TREE / "tests").rglob("*.py")), *sorted((TREE / "scripts").rglob("*.py"))]
    complain(
        [
            f"{place(path, number)}: say why on the same line"
            for path in paths
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
            if silent.search(line)
        ]
    )


def words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every identifier and text of the module, except docstrings, which may name what they explain."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                yield node.lineno, text
            case ast.Name(id=text) | ast.Attribute(attr=text):
                yield node.lineno, text
            case ast.FunctionDef(name=text) | ast.AsyncFunctionDef(name=text) | ast.ClassDef(name=text):
                yield node.lineno, text
            case ast.Import(names=names):
                yield from ((node.lineno, f"{alias.name} {alias.asname or ''}".strip()) for alias in names)
            case ast.ImportFrom(module=module, names=names):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)
            case ast.arg(arg=text):
                yield node.lineno, text
            case ast.keyword(arg=str(text)):
                yield node.value.lineno, text
