"""The pages of docs/ are true: their examples run and answer what is shown, and what they name exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.launch import Server, environment, launched

TREE = Path(__file__).resolve().parents[2]
DOCS = TREE / "docs"
PAGES = [TREE / "README.md", *sorted(DOCS.glob("*.md"))]

WRITTEN_URL = "http://127.0.0.1:8585"
TOKEN = "a-token-for-the-docs"
RUN_WITHIN_S = 120

ELLIPSIS = "…"
"""In a shown answer: any value; as a key, further members; as the last one of a list, further ones."""


class Block(NamedTuple):
    """A fenced block. place: page and line, for people."""

    language: str
    text: str
    place: str


def blocks(page: Path) -> Iterator[Block]:
    opened: tuple[str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if opened is None:
            if line.startswith("```"):
                opened = line[3:].strip(), number
                lines = []
        elif line == "```":
            yield Block(opened[0], "\n".join(lines) + "\n", f"{page.name}:{opened[1]}")
            opened = None
        else:
            lines.append(line)
    assert opened is None, f"{page.name}: a block is not closed"


class Step(NamedTuple):
    """A block of commands, and the answer that the page shows below it, if it shows one."""

    commands: Block
    answer: Block | None


def steps(page: Path) -> list[Step]:
    found: list[Step] = []
    for block in blocks(page):
        if block.language == "sh":
            found.append(Step(block, None))
        elif block.language == "json":
            assert found, f"{block.place}: an answer to nothing"
            assert found[-1].answer is None, f"{block.place}: a second answer to {found[-1].commands.place}"
            found[-1] = found[-1]._replace(answer=block)
    return found


def difference(shown: Any, came: Any, at: str = "the answer") -> str | None:
    """Where what came is not what is shown; None when it is."""
    if shown == ELLIPSIS:
        return None
    if isinstance(shown, dict) and isinstance(came, dict):
        for key, value in shown.items():
            if key == ELLIPSIS:
                continue
            if key not in came:
                return f"{at} has no {key!r}"
            if found := difference(value, came[key], f"{at}.{key}"):
                return found
        surplus = came.keys() - shown.keys()
        return None if ELLIPSIS in shown or not surplus else f"{at} also has {sorted(surplus)}"
    if isinstance(shown, list) and isinstance(came, list):
        is_open = bool(shown) and shown[-1] == ELLIPSIS
        wanted = shown[:-1] if is_open else shown
        if len(came) < len(wanted) or (len(came) > len(wanted) and not is_open):
            return f"{at} has {len(came)} members"
        pairs = zip(wanted, came, strict=False)
        return next((d for i, (w, c) in enumerate(pairs) if (d := difference(w, c, f"{at}[{i}]"))), None)
    return None if shown == came and type(shown) is type(came) else f"{at} is {came!r}"


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "…": "…"}, {"b": 2}),
        ({"a": {"b": "1"}}, {"a": {"b": "2"}}),
        ([1], [1, 2]),
        ([1, "…"], []),
        ([1, 2], [1, 3]),
        ("1", 1),
        (True, 1),
    ],
)
def test_a_wrong_answer_is_noticed(shown: Any, came: Any) -> None:
    assert difference(shown, came)
    assert difference(shown, shown) is None


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a token, since one page is also about that; and nobody else's sandboxes are seen."""
    with launched(
        tmp_path_factory.mktemp("documented"), settings={"EMULATOR_CONTROL_TOKEN": TOKEN}
    ) as running:
        yield running
        log = running.log.read_text(encoding="utf-8")
        assert "Traceback" not in log, log


@pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "openssl"))), reason="the examples need bash, curl and openssl"
)
def test_the_control_page_answers_what_it_shows(documented: Server, tmp_path: Path) -> None:
    page = steps(DOCS / "control.md")
    assert len(page) > 20
    script = ["set -euo pipefail"]
    for number, step in enumerate(page):
        text = step.commands.text.replace(WRITTEN_URL, documented.url)
        script.append(f"echo {step.commands.place} >&2\n{{\n{text}}} > {number}.out")
    ran = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=environment(
            EMULATOR_CONTROL_TOKEN=TOKEN,
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=str(TREE),
            no_proxy="localhost,127.0.0.1,::1",
        ),
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    wrong = []
    for number, step in enumerate(page):
        out = (tmp_path / f"{number}.out").read_text(encoding="utf-8")
        if step.answer is None:
            continue
        last = out.splitlines()[-1] if out else ""
        if found := difference(json.loads(step.answer.text), json.loads(last)):
            wrong.append(f"{step.answer.place}: {found}\n    {out}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_bot_page_runs_as_it_stands(tmp_path: Path) -> None:
    files = {}
    for block in blocks(DOCS / "testing-a-bot.md"):
        if block.language == "python":
            name = re.match(r"# (\w+\.py)\n", block.text)
            assert name, f"{block.place}: begin with a comment that names the file"
            files[name[1]] = block.text
    assert files.keys() == {"conftest.py", "bot.py", "test_bot.py"}
    for file, text in files.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(TREE), no_proxy="*"),
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN_S,
        check=False,
    )
    tests = len(re.findall(r"^def test_", files["test_bot.py"], re.MULTILINE))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{tests} passed" in ran.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    wrong = [link for link in linked if "://" not in link and not (page.parent / link).exists()]
    assert not wrong, f"{page.name} links to what is not there: {wrong}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_are_named_exist(page: Path) -> None:
    code = "".join(
        (TREE / "emulator" / name).read_text(encoding="utf-8") for name in ("settings.py", "__main__.py")
    )
    known = {f"EMULATOR_{name}" for name in re.findall(r'_named\("([A-Z_]+)"', code)}
    known |= set(re.findall(r'envvar="(EMULATOR_[A-Z_]+)"', code))
    named = set(re.findall(r"\bEMULATOR_[A-Z][A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
    assert named <= known, f"{page.name} names settings that do not exist: {sorted(named - known)}"


def test_quirks_are_those_of_the_marks() -> None:
    ran = subprocess.run(
        [sys.executable, TREE / "scripts" / "quirks.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert len((DOCS / "quirks.md").read_text(encoding="utf-8").splitlines()) > 30


ROOMS = (
    "core",
    "runtime",
    "feeds/synthetic",
    "storage",
    "web",
    "market_data",
    "listings",
    "exchanges/binance",
    "exchanges/bybit",
)


@pytest.mark.parametrize("room", ROOMS)
def test_the_layout_shows_every_module(room: str) -> None:
    (layout,) = (b.text for b in blocks(DOCS / "architecture.md") if b.text.startswith("emulator/\n"))
    words = set(re.findall(r"[a-z_]+", layout))
    modules = {path.stem for path in (TREE / "emulator" / room).iterdir() if path.suffix in ("", ".py")}
    missing = {name for name in modules if not name.startswith("_")} - words
    assert not missing, f"docs/architecture.md, section 4, does not show {sorted(missing)} of {room}"


def test_the_page_of_dependencies_is_that_of_the_project() -> None:
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[\[>=]", requirement)[0] for requirement in project["dependencies"]}
    section = (DOCS / "architecture.md").read_text(encoding="utf-8").split("## 10. Dependencies")[1]
    table = dict(re.findall(r"^\| ([a-z][a-z-]*) \| (.*?) \|", section.split("\n## ")[0], re.MULTILINE))
    table.pop("package")
    assert table.keys() == declared
    code = "".join(path.read_text(encoding="utf-8") for path in (TREE / "emulator").rglob("*.py"))
    for package, purpose in table.items():
        module = package.replace("-", "_")
        is_used = re.search(rf"^\s*(?:import|from) {module}\b", code, re.MULTILINE) is not None
        assert is_used is not purpose.startswith("nothing yet"), f"{package}: {purpose}"


def test_the_control_page_has_every_call() -> None:
    specification = json.loads((TREE / "specs" / "control" / "openapi.json").read_bytes())
    page = (DOCS / "control.md").read_text(encoding="utf-8")
    missing = []
    for path in specification["paths"]:
        called = re.sub(r"\\{[a-z]+\\}", r"[^/\\s`]+", re.escape(path.removeprefix("/_emulator")))
        if not re.search(rf"(?:_emulator|\$HERE|[A-Z]+ ){called}(?![\w/-])", page):
            missing.append(path)
    assert not missing, f"docs/control.md does not show {missing}"


def test_no_word_is_explained_twice() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    words = [word for row in rows if row not in ("word", "---") for word in row.split(", ")]
    assert len(words) > 80
    assert not {word for word in words if words.count(word) > 1}
