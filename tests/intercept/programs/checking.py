"""Runs the checks of a program, functions named `check_…`, and writes down what became of each.

The file is named by the first argument; the rest of the arguments is the program's.
"""

import asyncio
import inspect
import json
import sys
import traceback

ARGUMENTS = sys.argv[2:]


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
    with open(sys.argv[1], "w", encoding="utf-8") as report:
        json.dump(failures, report)
