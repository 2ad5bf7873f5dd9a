"""What the programs here share: where the server is, accounts of their own, markets that stand still.

Only the standard library is used, because each program runs in its client's own environment.
"""

import asyncio
import contextlib
import inspect
import json
import os
import sys
import time
import traceback
import urllib.error
import urllib.request
from decimal import Decimal as D
from itertools import count
from pathlib import Path
from typing import NamedTuple

_STAGE = json.loads(os.environ["EMULATOR_STAGE"])

READY = _STAGE["ready"]
URL = READY["url"]
"""Where the server answers for all sites."""

STREAMS = URL.replace("http", "ws", 1)
"""The same, for sockets."""

ARGUMENTS = _STAGE["arguments"]

KEYS = _STAGE["keys"]
"""Pairs of keys by kind, rsa and ed25519: `private`, `public`, and `protected` by `passphrase`."""

DEMO_KEY = "emulator-demo-key"
DEMO_SECRET = "emulator-demo-secret"

TOLD = {}
"""What the program tells the test that runs it."""

TAKER_RATE = D("0.001")
MAKER_RATE = D("0.001")

CONTRACT_TAKER_RATE = D("0.0005")
CONTRACT_MAKER_RATE = D("0.0002")
"""What both futures sites charge, of a trade's worth."""

_SHOWN_MAX = 600


def site_url(site):
    """The address of a site at the root of a port of its own."""
    return READY["sites"][site]["url"]


# The control API


class ControlRefused(Exception):
    pass


def control(method, path, body=None):
    request = urllib.request.Request(
        f"{URL}/_emulator/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())
    except urllib.error.HTTPError as error:
        raise ControlRefused(f"{method} {path} {body}: {error.code} {error.read().decode()}") from error


class Account(NamedTuple):
    name: str
    key: str
    secret: str


_ordinals = count(1)


def open_account(*, permissions=(), wallet="spot", **funds):
    """An account with an HMAC key of its own and, in one wallet, these amounts."""
    name = f"{Path(sys.argv[0]).stem}-{next(_ordinals)}"
    control("POST", "accounts", {"name": name})
    for asset, amount in funds.items():
        deposit(name, asset, amount, wallet)
    made = control("POST", f"accounts/{name}/keys", {"permissions": list(permissions)})
    return Account(name, made["key"], made["secret"])


def deposit(name, asset, amount, wallet="spot"):
    control("POST", f"accounts/{name}/deposits", {"wallet": wallet, "asset": asset, "amount": str(amount)})


def register(name, kind, public_pem):
    """The API key under which an RSA or Ed25519 public key of an account is now known."""
    made = control("POST", f"accounts/{name}/keys", {"kind": kind, "publicKey": public_pem})
    return made["key"]


def hold_price(symbol, price, site="binance"):
    """Moves the market there, with a trade; it stays. So do the index and mark prices of the pair."""
    control("PUT", f"markets/{site}/{symbol}/price", {"price": str(price)})


def hold_book(symbol, last, bids, asks, site="binance"):
    """The market's whole book and its last price; both stay until the next call."""
    hold_price(symbol, last, site)
    levels = {
        side: [[str(price), str(quantity)] for price, quantity in listed]
        for side, listed in (("bids", bids), ("asks", asks))
    }
    control("PUT", f"markets/{site}/{symbol}/book", levels)


def print_trade(symbol, price, quantity, side, site="binance"):
    """A trade of the market with a taker of that side; it fills the orders that it reaches."""
    control(
        "POST",
        f"markets/{site}/{symbol}/trades",
        {"price": str(price), "quantity": str(quantity), "side": side},
    )


def move_clock(**change):
    """Sets the clock, or steps it, and gives the time in milliseconds that it shows then."""
    return control("PUT", "clock", change)["timeMs"]


def requests_seen():
    """The last requests, as the server saw them, oldest first."""
    return control("GET", "requests")["requests"]


# Checks


def raised(kind, call, *arguments, **named):
    """The error of exactly this class that the call raises."""
    try:
        answer = call(*arguments, **named)
    except kind as error:
        return _exactly(kind, error)
    raise AssertionError(f"no {kind.__name__} was raised; answered {answer!r}"[:_SHOWN_MAX])


async def raised_async(kind, awaitable):
    try:
        answer = await awaitable
    except kind as error:
        return _exactly(kind, error)
    raise AssertionError(f"no {kind.__name__} was raised; answered {answer!r}"[:_SHOWN_MAX])


def _exactly(kind, error):
    assert type(error) is kind, f"raised {error!r}, which is more special than {kind.__name__}"
    return error


def text(value):
    """A number as the spot site writes it."""
    return f"{D(value):.8f}"


def run(around=contextlib.nullcontext):
    """Runs every `check_…` of the program, in order, each within `around()`, and reports."""
    program = sys.modules["__main__"]
    checks = [named for named in vars(program).items() if named[0].startswith("check_")]
    failures = {}
    for name, check in checks:
        began = time.monotonic()
        try:
            with around():
                outcome = check()
                if inspect.iscoroutine(outcome):
                    asyncio.run(outcome)
        except Exception as error:
            failures[name] = _describe(error)
        else:
            failures[name] = None
        verdict = "ok" if failures[name] is None else "FAILED"
        print(f"{verdict:6} {time.monotonic() - began:6.2f} s  {name}", flush=True)
    Path(_STAGE["report"]).write_text(json.dumps({"failures": failures, "told": TOLD}))


def _describe(error):
    """The traceback, with the values that the program itself had in its hands."""
    lines = traceback.format_exception(error)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == sys.argv[0] and frame.f_code.co_name != "<module>":
            lines.append(f"in {frame.f_code.co_name}:\n")
            for name, value in frame.f_locals.items():
                lines.append(f"  {name} = {_shown(value)}\n")
    return "".join(lines)


def _shown(value):
    shown = repr(value)
    return shown if len(shown) <= _SHOWN_MAX else f"{shown[:_SHOWN_MAX]}… ({len(shown)} characters)"
