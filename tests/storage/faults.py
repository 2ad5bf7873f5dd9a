"""Ways to take the disk from a server that runs, and to give it back.

Each works on one kind of machine only; what is not possible here is skipped. Stopping a file from
growing is possible wherever there is Linux.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from tests.launch import Server

LIMIT_BYTES = 16 * 1024
"""Less than a journal has from its beginning, and more than a log in these tests."""


class Fault(ABC):
    """reason: what the journal then says, in part."""

    reason: str

    def __init__(self, directory: Path) -> None:
        """Prepare a directory, before a server is started on it."""
        self.directory = directory

    @abstractmethod
    def strike(self, server: Server) -> None: ...

    @abstractmethod
    def mend(self, server: Server) -> None: ...

    @abstractmethod
    def clear(self) -> None:
        """Leave nothing behind, whatever happened."""

    @property
    def wal(self) -> Path:
        return self.directory / "journal.sqlite-wal"


class NoGrowth(Fault):
    """No file of the process may grow beyond a size that its journal has passed."""

    reason = "disk I/O error"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        if sys.platform != "linux":
            pytest.skip("limits of another process can be set on Linux only")

    def strike(self, server: Server) -> None:
        assert self.wal.stat().st_size > LIMIT_BYTES
        self._limit(server, LIMIT_BYTES)

    def mend(self, server: Server) -> None:
        self._limit(server, resource.RLIM_INFINITY)

    def clear(self) -> None:
        """The limit ends with its process."""

    def _limit(self, server: Server, limit: int) -> None:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


class FullDisk(Fault):
    """A small file system of its own, filled to the last byte."""

    reason = "database or disk is full"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(directory)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("file systems cannot be mounted here")
        # The server's log shall not be cut off with its journal.
        (directory / "log.txt").symlink_to(directory.with_name("log.txt"))

    def strike(self, server: Server) -> None:
        with (self.directory / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                return

    def mend(self, server: Server) -> None:
        (self.directory / "filler").unlink()

    def clear(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.directory)], check=True)


class ReadOnlyFile(Fault):
    """The file may not be changed any more, not even by who has it open."""

    reason = "disk I/O error"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        if not self._is_possible(directory / "probe"):
            pytest.skip("files cannot be made immutable here")

    def _is_possible(self, probe: Path) -> bool:
        """Some file systems know the attribute, and let whoever has a file open write on."""
        with probe.open("wb", buffering=0) as opened:
            if not self._change("+i", probe):
                return False
            try:
                opened.write(b"x")
            except PermissionError:
                return True
            else:
                return False
            finally:
                self._change("-i", probe)

    def strike(self, server: Server) -> None:
        assert self._change("+i", self.wal)

    def mend(self, server: Server) -> None:
        assert self._change("-i", self.wal)

    def clear(self) -> None:
        if self.wal.exists():
            self._change("-i", self.wal)

    def _change(self, attribute: str, path: Path) -> bool:
        if shutil.which("chattr") is None:
            return False
        return subprocess.run(["chattr", attribute, str(path)], capture_output=True).returncode == 0


class MovedAway(Fault):
    """The file is somewhere else for a while, as when somebody tidies up."""

    reason = "was deleted, moved or replaced"

    def strike(self, server: Server) -> None:
        self.path.rename(self.path.with_name("aside"))

    def mend(self, server: Server) -> None:
        self.path.with_name("aside").rename(self.path)

    def clear(self) -> None:
        """Both places are in the directory."""

    @property
    def path(self) -> Path:
        return self.directory / "journal.sqlite"


FAULTS: tuple[type[Fault], ...] = (NoGrowth, FullDisk, ReadOnlyFile, MovedAway)
