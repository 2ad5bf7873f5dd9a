"""Methods of the session itself: whose key is logged on."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.ws_api.admission import LOGON, SocketRequest
from emulator.exchanges.binance.ws_api.methods import own_row
from emulator.exchanges.binance.ws_api.payloads import SessionState
from emulator.exchanges.binance.ws_api.standing import Standing
from emulator.runtime.ports import KeyKind
from emulator.web.contract import Call, Route, Security

SIGNED: Final = Security(name="SIGNED", keyed=True, signed=True)


def standing_of(call: Call) -> Standing:
    assert isinstance(call.request, SocketRequest)
    return call.request.standing


def log_on(call: Call) -> SessionState:
    key, door = call.key_record, call.site.dialect
    assert key is not None
    assert isinstance(door, Door)
    if door.eras.session_logon == "ed25519" and key.kind is not KeyKind.ED25519:
        # Quirk: a logon with a key that is not Ed25519 fails as if its signature were wrong (answers that
        # users of such keys report: dev.binance.vision, topic 19997; sieblyio/binance, pull request 626).
        raise refuse(-1022)
    standing = standing_of(call)
    standing.log_on(key, call.sandbox, call.now_us)
    return standing.render(call.now_us)


def tell_status(call: Call) -> SessionState:
    return standing_of(call).render(call.now_us)


def log_out(call: Call) -> SessionState:
    standing = standing_of(call)
    standing.log_out()
    return standing.render(call.now_us)


def session_rows(answers: object = SessionState, *, weight: int = 2) -> tuple[Route, ...]:
    """answers: what the product's own standing renders."""
    return (
        own_row(LOGON, "Log in with API key", log_on, answers, weight=weight, security=SIGNED),
        own_row("session.status", "Query session status", tell_status, answers, weight=weight),
        own_row("session.logout", "Log out of the session", log_out, answers, weight=weight),
    )
