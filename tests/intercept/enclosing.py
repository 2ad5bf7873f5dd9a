"""A program that runs a command as `emulator exec` does, in a network of its own, and ends with its code.

`python -m tests.intercept.enclosing <terms as JSON> COMMAND…`; without a command it says whether it could.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from emulator.intercept.namespace import Unavailable, available, run

UNAVAILABLE = 99


def main(terms: str, *command: str) -> int:
    if not command:
        print(available())
        return 0
    told = json.loads(terms)
    try:
        return run(
            command,
            os.environ,
            gate=("127.0.0.1", told["gate"]),
            forwards=told.get("forwards", []),
            allow=told.get("allow", []),
            domains=("binance.com", "bybit.com"),
            report=Path(told["report"]) if "report" in told else None,
        )
    except Unavailable as error:
        print(error)
        return UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
