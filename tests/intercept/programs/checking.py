"""Runs the checks of a program, functions named `check_…`, and writes down what became of each.

The file is named by the first argument.
"""

import asyncio
import inspect
import json
import sys
import traceback
from pathlib import Path


def main(module):
    failures = {}
    for name, check in list(vars(module).items()):
        if not name.startswith("check_"):
            continue
        try:
            if inspect.iscoroutinefunction(check):
                asyncio.run(asyncio.wait_for(check(), 60))
            else:
                check()
        except Exception:
            failures[name] = traceback.format_exc()
        else:
            failures[name] = None
    Path(sys.argv[1]).write_text(json.dumps(failures), encoding="utf-8")
