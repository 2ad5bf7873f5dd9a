"""What a product of Binance says when it refuses: its codes with their texts and statuses, and who speaks.

Spot and futures share codes with other texts, and texts with other codes; what all doors have in common
takes the words from the table that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

import msgspec

from emulator.core.commands import Command
from emulator.core.rejections import Rejection
from emulator.web.contract import Failure, Refusal

Speak = Callable[[Rejection, Command | None], Refusal]
"""A rejection of the core in a product's words."""


class ErrorTable(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One for each product; no two are equal.

    texts, statuses: by code; a code without a status is a 400.

    weight_used, ip_banned: the texts of -1003 for who used too much and for who is banned; the first is
    filled with `limit` and `interval`, the second with the end of the ban in milliseconds.
    overflow: the code for a number that is too large. signed_numbers: whether an amount below zero is a
    number, which its endpoint then refuses in its own words. lowers_names: whether parameters are named in
    lower case where they are missing, empty or superfluous.
    """

    texts: Mapping[int, str]
    statuses: Mapping[int, int]
    weight_used: str
    ip_banned: str
    overflow: int = -1108
    signed_numbers: bool = False
    lowers_names: bool = False

    def refuse(self, code: int, *parts: object, text: str | None = None) -> Refusal:
        """The documented error `code`; parts fill its text, or the given one of several texts."""
        words = self.texts[code] if text is None else text
        if self.lowers_names and code in _NAMING:
            parts = tuple(str(part).lower() for part in parts)
        return Refusal(self.statuses.get(code, 400), code, words % parts if parts else words)

    def refuse_parameter(self, code: int, name: str) -> Refusal:
        """As `refuse`, of one parameter, which not every text names."""
        return self.refuse(code, name) if "%s" in self.texts[code] else self.refuse(code)

    def fail(self, failure: Failure, detail: str) -> Refusal:
        unsupported = self.texts[-1020]
        match failure:
            case Failure.UNKNOWN_PATH | Failure.NOT_EMULATED:
                # The live host answers unknown paths with HTML; a JSON body that names the path helps more.
                return Refusal(404, -1020, f"{unsupported} Not emulated: {detail}")
            case Failure.WRONG_METHOD:
                return Refusal(405, -1020, f"{unsupported} {detail}")
            case Failure.UNKNOWN_SANDBOX:
                return Refusal(404, -1020, f"{unsupported} There is no sandbox named {detail[:80]!r}.")
            case Failure.TOO_LARGE:
                return Refusal(413, -1101, TOO_MANY_PARAMETERS)
            case Failure.UNAVAILABLE:
                return self.refuse(-1001)
            case Failure.OUTCOME_UNKNOWN:
                return self.refuse(-1007)
            case Failure.BROKEN:
                return self.refuse(-1000)
        assert_never(failure)


_NAMING = frozenset({-1102, -1105, -1106})


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """All that a door says in a product's own words.

    weight_headers: which tell of the weight used in a minute. describes_halves: whether errors may have
    `data` about the halves of a cancel-replace. refuses_unknown: whether a parameter that an endpoint does
    not have may be an error. time_units: whether times may be asked for in microseconds.
    """

    errors: ErrorTable
    speak: Speak
    weight_headers: tuple[bytes, ...]
    describes_halves: bool = False
    refuses_unknown: bool = False
    time_units: bool = False


AHEAD_OF_SERVER = "Timestamp for this request was 1000ms ahead of the server's time."
DUPLICATE_VALUES = "Duplicate values for a parameter detected."
TOO_MANY_PARAMETERS = "Too many parameters sent for this endpoint."
EITHER_REQUIRED = "Param '%s' or '%s' must be sent, but both were empty/null!"


def render_error(refusal: Refusal) -> dict[str, Any]:
    """The members of the error body, in the documents' order."""
    body: dict[str, Any] = {"code": refusal.code, "msg": refusal.message}
    if refusal.extra:
        body.update(refusal.extra)
    return body
