"""Makes the virtual environments of this tree, from the locks, and nothing twice.

`run` and `dev` are the tree's own environment `.venv` (`dev` holds everything that `run` does); `client NAME`
is an environment outside the tree in which one exchange SDK lives alone, and its Python is printed.

A stamp is written when an environment is complete, so one that was interrupted is never used: it is made
anew. A lock file lets several calls at once wait for one installation. Only the standard library is used,
because this runs before anything is installed. `node` is the directory of packages that tests run under Node;
where there is no npm nothing is made, and nothing is printed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
LOCKS = TREE / "requirements"
LOCK_FILES = {"run": ("run.txt", "build.txt"), "dev": ("dev.txt",)}


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["run" | "dev" as kind]:
            make_own(kind)
        case ["client", name]:
            print(make_client(name))
        case ["node"]:
            print(make_node())
        case _:
            return fail("usage: environments.py run | dev | client NAME | node")
    return 0


def make_own(kind: str) -> None:
    """Brings `.venv` to what the locks of `kind` say, with the tree itself installed as editable."""
    folder = TREE / ".venv"
    run_stamp, dev_stamp = (
        fingerprint(*((LOCKS / name).read_bytes() for name in LOCK_FILES[each]), at=folder)
        for each in ("run", "dev")
    )
    project = fingerprint(project_table(), at=folder)
    with locked(TREE / ".venv.lock"):
        usable = works(folder)
        has_dev = usable and reads(folder / ".made-dev") == dev_stamp
        has_run = has_dev or (usable and reads(folder / ".made-run") == run_stamp)
        if has_dev or (has_run and kind == "run"):
            if reads(folder / ".made-project") != project:
                install_project(folder, project)
            return
        began = time.monotonic()
        say(f"setting up .venv ({kind}); this is done once and takes about a minute")
        if not has_run:  # otherwise a server may be running from it, and dev only adds to it
            create(folder)
        for name in LOCK_FILES[kind]:
            say(f"  installing requirements/{name}")
            pip(folder, "install", "--require-hashes", "-r", str(LOCKS / name))
        install_project(folder, project)
        (folder / f".made-{kind}").write_text(run_stamp if kind == "run" else dev_stamp)
        say(f"  ready after {time.monotonic() - began:.0f} s")


def install_project(folder: Path, stamp: str) -> None:
    say("  installing the emulator itself")
    pip(folder, "install", "--no-deps", "--no-build-isolation", "--editable", str(TREE))
    (folder / ".made-project").write_text(stamp)


def project_table() -> bytes:
    """What an installation is made from: another linter setting is no reason to install again."""
    document = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))
    return json.dumps([document["build-system"], document["project"]]).encode()


def make_client(name: str) -> Path:
    """The Python of an environment that holds one SDK, as its lock says, and nothing of this tree."""
    lock = LOCKS / "clients" / f"{name}.txt"
    if not lock.is_file():
        known = ", ".join(sorted(path.stem for path in lock.parent.glob("*.txt")))
        sys.exit(fail(f"no client is called {name!r}; there are: {known}"))
    clients = cached("clients")
    identity = hashlib.sha256(lock.read_bytes() + python_identity().encode()).hexdigest()[:16]
    folder = clients / f"{name}-{identity}"
    stamp = fingerprint(lock.read_bytes(), at=folder)
    with locked(clients / f"{folder.name}.lock"):
        if reads(folder / ".made") != stamp or not works(folder):
            began = time.monotonic()
            say(f"setting up the environment of client {name}; once")
            create(folder)
            pip(folder, "install", "--require-hashes", "-r", str(lock))
            (folder / ".made").write_text(stamp)
            say(f"  ready after {time.monotonic() - began:.0f} s")
    return python_of(folder)


def make_node() -> Path | str:
    """The `node_modules` with what requirements/node says; empty text where npm is missing."""
    npm = shutil.which("npm")
    if npm is None:
        return ""
    files = [LOCKS / "node" / name for name in ("package.json", "package-lock.json")]
    content = b"".join(path.read_bytes() for path in files)
    folder = cached("node") / hashlib.sha256(content).hexdigest()[:16]
    with locked(folder.with_suffix(".lock")):
        if not (folder / ".made").exists():
            say("setting up the packages that tests run under Node; once")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for path in files:
                shutil.copy(path, folder)
            # Whatever they would build is only faster, and runs code of strangers here.
            run([npm, "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"])
            (folder / ".made").touch()
    return folder / "node_modules"


def cached(name: str) -> Path:
    """A folder outside the tree, for what several trees have in common."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "exchange-emulator" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fingerprint(*contents: bytes, at: Path) -> str:
    """Text that changes with the contents, with the Python, and with the place; it cannot move."""
    digest = hashlib.sha256(f"{python_identity()} {at}".encode())
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def python_identity() -> str:
    return f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  waiting for another installation")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def create(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    # Not sys.executable: in an activated .venv that is the one which was just removed.
    python = getattr(sys, "_base_executable", None) or sys.executable
    run([python, "-m", "venv", str(folder)])


def pip(folder: Path, *arguments: str) -> None:
    settings = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_USER": "0",
    }
    run([str(python_of(folder)), "-m", "pip", "-qq", *arguments], **settings)


def run(command: Sequence[str], **environment: str) -> None:
    """Runs the command with its standard output on standard error, since ours is read by scripts."""
    outcome = subprocess.run(command, stdout=sys.stderr, env=os.environ | environment, check=False)
    if outcome.returncode != 0:
        sys.exit(fail(f"failed ({outcome.returncode}): {' '.join(command)}"))


def works(folder: Path) -> bool:
    """Whether the environment's Python still starts: the one that it was made with may have been removed."""
    python = python_of(folder)
    return python.exists() and subprocess.run([python, "-c", ""], check=False).returncode == 0


def python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def reads(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> int:
    say(f"error: {text}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
