"""Runs first in every Python process of a command under `emulator exec`, and before the program's own
`sitecustomize`. What is to be done then is in `emulator_exec_hook`; without EMULATOR_EXEC nothing is.

Every Python can read this file, the second one too: one that is too old for the hook must not go on as if
nothing were the matter, unless the command's own network guards it.
"""

import os
import sys

FAILED = 70
"""As in the hook."""

_contract = os.environ.get("EMULATOR_EXEC", "")
_version = sys.version_info[:2]


def lead():  # type: () -> None
    if _version >= (3, 8):
        __import__("emulator_exec_hook")  # It does its work by being loaded.
        return
    import json

    contract = json.loads(_contract)
    if not contract.get("enclosed"):
        sys.stderr.write("emulator exec: its hook needs Python 3.8, and this is %d.%d\n" % _version)  # noqa: UP031 - Python 2
        if contract["guard"]:
            sys.stderr.flush()
            os._exit(FAILED)


def run_next():  # type: () -> None
    """The `sitecustomize` that would have run without this one, under its own name. Not for Python 2, which
    has no such importlib, and passes over an ImportError here."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to import
    path = [entry for entry in sys.path if os.path.abspath(entry) != here]  # noqa: PTH100 - the same
    spec = PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if _contract:
    try:
        lead()
    except Exception as error:
        # Whoever called this would only mention it, and go on.
        sys.stderr.write("emulator exec: its hook cannot be loaded: %r\n" % (error,))  # noqa: UP031 - Python 2
        sys.stderr.flush()
        os._exit(FAILED)
run_next()
