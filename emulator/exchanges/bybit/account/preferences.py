"""What an account chooses that means nothing to the engine, only to the dialect that keeps it there."""

from __future__ import annotations

from emulator.core import commands as c
from emulator.exchanges.bybit.payloads.account import Nothing
from emulator.runtime.submission import Submission
from emulator.web.contract import Call


def prefer(call: Call, name: str, value: str) -> Submission[Nothing]:
    """Keep what an account chose, under a name; value: empty: not any more."""
    return call.submit(c.SetPreference(account=call.account, name=name, value=value), lambda done: {})
