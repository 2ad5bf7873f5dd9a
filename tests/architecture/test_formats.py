"""Formats by which a process knows what another one wrote are the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys

SHOW = "from emulator.runtime import archive, snapshots; print(archive.FORMAT, snapshots.FORMAT)"


def test_formats_do_not_depend_on_the_order_of_sets() -> None:
    shown = {
        subprocess.run(
            [sys.executable, "-c", SHOW],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(shown) == 1, shown
    assert all(len(word) == 16 for word in shown.pop().split())
