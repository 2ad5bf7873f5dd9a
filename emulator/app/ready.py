"""The file in the data directory that says where a server answers, and since when it may be asked."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from emulator.settings import Settings, SettingsError

READY_FILE = "ready.json"


def must_be_stopped(settings: Settings) -> None:
    """Raises SettingsError while an emulator listens where the ready file says.

    A journal in a file has a lock, which knows better. A database has none; there, an emulator on another
    machine would lose its sandboxes to whoever writes here, and say so.
    """
    try:
        ready = msgspec.json.decode((settings.data_dir / READY_FILE).read_bytes())
        process, url = ready["pid"], ready["url"]
        address = urlsplit(url)
        socket.create_connection((address.hostname, address.port), timeout=1).close()
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError):
        return
    raise SettingsError(f"an emulator runs on {url}, process {process}: stop it first")


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all: whoever waits for the file never reads a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    draft.replace(path)


def remove(path: Path) -> None:
    """Remove the ready file, unless another process has written its own in the meantime."""
    try:
        if msgspec.json.decode(path.read_bytes())["pid"] == os.getpid():
            path.unlink()
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return
