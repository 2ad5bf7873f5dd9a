"""The composition root: the one package that knows every part, builds them and joins them.

`build` joins, without any input or output; `run` serves what was built until it is told to stop.
"""

from __future__ import annotations

from emulator.app.building import Emulator, build, coverage_page, documents, make_engines
from emulator.app.demo import provision
from emulator.app.ready import READY_FILE
from emulator.app.running import START_FAILURES, Running, run
from emulator.app.storage import ARCHIVE_FILE, JOURNAL_FILE
from emulator.app.upkeep import rebuild_storage, repair_storage, verify_storage
from emulator.runtime.ports import JournalError
from emulator.runtime.upkeep import Plan, Unrepairable, Verified
from emulator.settings import SettingsError, default_settings, read_settings
from emulator.web.listener import PortUnavailable

__all__ = [
    "ARCHIVE_FILE",
    "JOURNAL_FILE",
    "READY_FILE",
    "START_FAILURES",
    "Emulator",
    "JournalError",
    "Plan",
    "PortUnavailable",
    "Running",
    "SettingsError",
    "Unrepairable",
    "Verified",
    "build",
    "coverage_page",
    "default_settings",
    "documents",
    "make_engines",
    "provision",
    "read_settings",
    "rebuild_storage",
    "repair_storage",
    "run",
    "verify_storage",
]
