"""What stands around every answer: `retCode`, `retMsg`, `result`, `retExtInfo` and `time`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from emulator.web.codec import encode
from emulator.web.contract import Call, Render, Route

MESSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {"/v5/asset/": "success", "/v5/user/": "", "/v5/system/": ""}
)
"""How a success is called, by the beginning of the path; elsewhere "OK"."""

OWN_MESSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/v5/account/borrow": "success",
        "/v5/account/repay": "success",
        "/v5/account/no-convert-repay": "success",
        "/v5/account/quick-repayment": "SUCCESS",
        "/v5/account/set-collateral-switch": "SUCCESS",
        "/v5/account/set-collateral-switch-batch": "SUCCESS",
        "/v5/spot-margin-trade/data": "success",
        "/v5/spot-margin-trade/coinstate": "Success",
        "/v5/spot-margin-trade/liability": "Success",
        "/v5/spot-margin-trade/max-borrowable": "Success",
        "/v5/spot-margin-trade/repayment-available-amount": "Success",
    }
)
"""And by whole paths: each as in the example of its page."""


class Told(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A success of which more is told than its `result`. extra: `retExtInfo`."""

    result: Any
    extra: Any = {}


def compile_rendering(route: Route) -> Render:
    # Quirk: a success is called "OK", "success", "Success" or nothing at all, by the service behind the
    # endpoint ("Common response parameters").
    message = OWN_MESSAGES.get(route.path)
    if message is None:
        message = next((words for path, words in MESSAGES.items() if route.path.startswith(path)), "OK")
    head = b'{"retCode":0,"retMsg":"%b","result":' % message.encode()

    def render(call: Call, body: Any) -> bytes:
        extra = b"{}"
        if type(body) is Told:
            extra = encode(body.extra)
            body = body.result
        result: bytes = body if type(body) is bytes else encode(body)
        return b'%b%b,"retExtInfo":%b,"time":%d}' % (head, result, extra, call.now_us // 1000)

    return render


def describe_answer(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON schema of what answers with HTTP 200: a success around `schema`, or an error."""
    members: dict[str, Any] = {
        "retCode": {"const": 0},
        "retMsg": {"type": "string"},
        "result": dict(schema),
        "retExtInfo": {"type": "object", "additionalProperties": True},
        "time": {"type": "integer"},
    }
    success = {
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }
    return {"anyOf": [success, {"$ref": "#/components/schemas/Error"}]}


ERRORS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "retCode": {"type": "integer", "not": {"const": 0}},
            "retMsg": {"type": "string"},
            "result": {"type": "object", "additionalProperties": True},
            "retExtInfo": {"type": "object", "additionalProperties": True},
            "time": {"type": "integer"},
        },
        "required": ["retCode", "retMsg", "result", "retExtInfo", "time"],
    }
)
