"""What a newcomer runs is there: scripts, container, README's commands, locks."""

from __future__ import annotations

import os
import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from emulator.web.hosts import REAL_HOSTS

TREE = Path(__file__).resolve().parents[2]
LOCKS = sorted((TREE / "requirements").rglob("*.txt"))
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins(lock: Path) -> dict[str, str]:
    """Name and version of every requirement of a lock; a line that is not exact and hashed is refused."""
    found: dict[str, str] = {}
    hashes: dict[str, int] = {}
    name = ""
    for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), start=1):
        if match := REQUIREMENT.match(line):
            name = match[1]
            found[name] = match[2]
            hashes[name] = 0
        elif HASH.match(line):
            hashes[name] += 1
        else:
            assert line.lstrip().startswith("#") or not line, f"{lock.name}:{number}: {line}"
    assert found, f"{lock} is empty"
    assert all(hashes.values()), f"{lock} has requirements without hashes"
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.relative_to(TREE / "requirements").as_posix())
def test_every_requirement_is_exact_and_hashed(lock: Path) -> None:
    pins(lock)


def test_locks_of_one_environment_agree() -> None:
    dev = pins(TREE / "requirements" / "dev.txt")
    for name in ("run.txt", "build.txt"):
        other = pins(TREE / "requirements" / name)
        assert other.items() <= dev.items(), (
            f"{name}: run scripts/lock; {sorted(other.items() - dev.items())}"
        )


def test_locks_hold_every_declared_dependency() -> None:
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plain = {name(requirement) for requirement in project["dependencies"]}
    assert plain <= pins(TREE / "requirements" / "run.txt").keys(), "run scripts/lock"
    dev = {name(requirement) for requirement in project["optional-dependencies"]["dev"]}
    assert plain | dev <= pins(TREE / "requirements" / "dev.txt").keys(), "run scripts/lock"


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_locks_hold_what_every_supported_python_needs(lock: str) -> None:
    """A package may want another one of early patches only, such as those that distributions keep."""
    held = pins(TREE / "requirements" / lock)
    lacking = set()
    for pinned in held:
        try:
            wanted = [Requirement(text) for text in requires(pinned) or ()]
        except PackageNotFoundError:
            continue  # Of another system.
        for requirement in wanted:
            marker = requirement.marker
            for patch in ("3.11.0", "3.11.2", "3.12.0", "3.13.0"):
                here = {
                    "python_full_version": patch,
                    "python_version": patch.rpartition(".")[0],
                    "extra": "",
                }
                name = canonicalize_name(requirement.name)
                if (marker is None or marker.evaluate(here)) and name not in held:
                    lacking.add(f"{name} of {pinned} on {patch}")
    assert not lacking, f"run scripts/lock: {sorted(lacking)}"


def test_every_client_has_its_lock() -> None:
    folder = TREE / "requirements" / "clients"
    inputs = sorted(folder.glob("*.in"))
    assert inputs
    for path in inputs:
        wanted = path.read_text(encoding="utf-8").split()
        locked = pins(path.with_suffix(".txt"))
        if len(wanted) > 1:  # Not one SDK, but what SDKs are made of.
            assert set(wanted) <= locked.keys()
            continue
        assert [f"{path.stem}=={locked[path.stem]}"] == wanted


@pytest.mark.parametrize(
    "script", ["serve", "exec", "test", "check", "bench", "install", "client-env", "lock"]
)
def test_scripts_can_be_run(script: str) -> None:
    path = TREE / "scripts" / script
    assert os.access(path, os.X_OK), f"{path} is not executable"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text


def test_ci_runs_checks_and_tests() -> None:
    path = TREE / ".ci" / "run"
    assert os.access(path, os.X_OK)
    assert {"./scripts/check", "./scripts/test"} <= set(path.read_text(encoding="utf-8").split())


def test_container_copies_what_exists() -> None:
    dockerfile = (TREE / "Dockerfile").read_text(encoding="utf-8")
    ignored = (TREE / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert (TREE / source).exists(), f"the Dockerfile copies {source}, which does not exist"
        assert f"!{source}" in ignored, f".dockerignore keeps {source} out of the image"
    assert set(re.findall(r"-r (\S+)", dockerfile)) <= set(copied)


def test_compose_services_fit_together() -> None:
    compose = yaml.safe_load((TREE / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert "profiles" not in services["emulator"], "`docker compose up` is the emulator alone"
    assert (TREE / services["emulator"]["build"] / "Dockerfile").exists()
    for name, service in services.items():
        for needed, wish in service.get("depends_on", {}).items():
            assert needed in services, f"{name} depends on {needed}"
            assert set(service["profiles"]) & set(services[needed]["profiles"])
            if wish["condition"] != "service_completed_successfully":
                assert "healthcheck" in services[needed]
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (source.startswith(".") and (TREE / source).exists())
    full = services["emulator-full"]
    assert {"mongo", "redis"} <= full["depends_on"].keys()
    assert full["environment"]["EMULATOR_MONGO_URL"].startswith("mongodb://mongo")
    # The emulator does not start with a store that it cannot use yet.
    assert "EMULATOR_REDIS_URL" not in full["environment"]
    real = services["test-mongo"]["environment"]["EMULATOR_TEST_MONGO_URL"]
    assert real.startswith("mongodb://mongo-for-tests")


def test_a_container_can_be_the_exchanges() -> None:
    compose = yaml.safe_load((TREE / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    exchanges, bot = services["exchanges"], services["bot"]
    assert exchanges["environment"]["EMULATOR_TLS_PORT"] == "443,9443"
    (network,) = bot["networks"]
    assert compose["networks"][network]["internal"], "a bot that can go elsewhere is not guarded"
    assert exchanges["networks"][network]["aliases"] == list(REAL_HOSTS), (
        "the aliases are the names that `python -m emulator hosts` prints"
    )
    (trusted,) = {path for name, path in bot["environment"].items() if "CERT" in name or "BUNDLE" in name}
    folder, _, file = trusted.rpartition("/")
    assert f"trusted:{folder}:ro" in bot["volumes"]
    export = services["exchanges-ca"]["command"]
    assert export[:2] == ["ca", "export"]
    assert export[2].endswith(f"/{file}")
    assert f"trusted:{export[2].rpartition('/')[0]}" in services["exchanges-ca"]["volumes"]


def test_commands_of_the_readme_exist() -> None:
    blocks = re.findall(
        r"^```(?:sh|bash|console|shell)\n(.*?)^```",
        (TREE / "README.md").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert blocks, "the README shows no command"
    called = {match for block in blocks for match in re.findall(r"(?:^|[\s$(])\./([\w./-]+)", block)}
    assert {"scripts/serve", "scripts/test"} <= called
    for command in sorted(called):
        assert os.access(TREE / command, os.X_OK), f"the README calls ./{command}"


def name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()
