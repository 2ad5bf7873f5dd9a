"""How the bucket lets requests in and says no: anybody may read, and errors are those of S3, in XML.

The words are those of the Amazon S3 API Reference, "Error responses".
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, assert_never
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from emulator.core.commands import Command
from emulator.core.rejections import Rejection
from emulator.web.contract import (
    Admit,
    Call,
    Failure,
    Kind,
    Parameter,
    Refusal,
    Render,
    Route,
    Settle,
    render_plain,
)

XML_TYPE: Final = b"application/xml"
XML_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

NO_SUCH_KEY: Final = "The specified key does not exist."

_STATUSES: Mapping[Failure, tuple[int, str]] = {
    Failure.UNKNOWN_PATH: (404, "NoSuchKey"),
    Failure.NOT_EMULATED: (404, "NoSuchKey"),
    Failure.WRONG_METHOD: (405, "MethodNotAllowed"),
    Failure.UNKNOWN_SANDBOX: (404, "NoSuchBucket"),
    Failure.TOO_LARGE: (400, "RequestHeaderSectionTooLarge"),
    Failure.UNAVAILABLE: (503, "ServiceUnavailable"),
    Failure.OUTCOME_UNKNOWN: (503, "SlowDown"),
    # A 5xx would tell a client that the exchange is down.
    Failure.BROKEN: (400, "InternalError"),
}


class BucketDoor:
    """The dialect of the files. Reading them costs nothing and needs no key."""

    key_header = b""
    content_type = XML_TYPE

    def compile(self, route: Route) -> Admit:
        known = {parameter.name: parameter for parameter in route.parameters}

        def admit(call: Call) -> None:
            # S3 passes over what it does not know, as signatures of clients that sign everything.
            call.values = {
                name: _read(known[name], text)
                for name, text in parse_qsl(call.request.query.decode("latin-1"), keep_blank_values=True)
                if name in known
            }

        return admit

    def compile_settling(self, route: Route) -> Settle:
        def settle(call: Call, refusal: Refusal | None) -> None:
            call.header_lines += b"server: AmazonS3\r\n"

        return settle

    def compile_rendering(self, route: Route) -> Render:
        return render_plain

    def reserve_orders(self, call: Call, count: int) -> None:
        raise AssertionError("nothing is ordered from a bucket")

    def speak(self, rejection: Rejection, command: Command | None) -> Refusal:
        raise AssertionError("a bucket is only read")

    def fail(self, failure: Failure, detail: str) -> Refusal:
        status, code = _STATUSES[failure]
        method, _, path = detail.partition(" ")
        match failure:
            case Failure.UNKNOWN_PATH:
                return refuse_key(path.lstrip("/"))
            case Failure.NOT_EMULATED:
                path, _, why = path.partition(": ")
                return refuse_key(path.lstrip("/"), f"Not emulated: {why}.")
            case Failure.WRONG_METHOD:
                message = "The specified method is not allowed against this resource."
                return refuse(status, code, message, Method=method, ResourceType="OBJECT")
            case Failure.UNKNOWN_SANDBOX:
                return refuse(status, code, "The specified bucket does not exist.", BucketName=detail[:80])
            case Failure.TOO_LARGE:
                return refuse(status, code, "Your request header and query string are too large.")
            case Failure.UNAVAILABLE:
                return refuse(status, code, f"Service is unable to handle request: {detail}.")
            case Failure.OUTCOME_UNKNOWN:
                return refuse(status, code, "Please reduce your request rate.")
            case Failure.BROKEN:
                return refuse(status, code, "We encountered an internal error. Please try again.")
        assert_never(failure)

    def render_refusal(self, refusal: Refusal, now_us: int | None = None) -> bytes:
        members = {"Code": str(refusal.code), "Message": refusal.message, **(refusal.extra or {})}
        # Ids lead nowhere here, but are members that clients print: the same error has the same ones.
        digest = sha256(repr(members).encode()).digest()
        members["RequestId"] = digest[:8].hex().upper()
        members["HostId"] = b64encode(digest * 2).decode()
        inner = "".join(render_element(name, text) for name, text in members.items())
        return f"{XML_HEAD}<Error>{inner}</Error>".encode()

    def describe_parameters(self, route: Route) -> tuple[Parameter, ...]:
        return ()

    def refuses_unknown(self, route: Route) -> bool:
        return False

    def describe_answer(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return schema

    def describe_errors(self) -> Mapping[str, Any]:
        text = {"type": "string"}
        return {
            "type": "object",
            "xml": {"name": "Error"},
            "properties": dict.fromkeys(("Code", "Message", "Key", "RequestId", "HostId"), text),
            "required": ["Code", "Message", "RequestId", "HostId"],
        }

    def describe_failures(self, route: Route) -> Mapping[int, str]:
        return {
            400: "A parameter is not one",
            404: "There is no such file, or no such sandbox",
            503: "The journal does not accept, for now",
        }

    def describe_security(self) -> Mapping[str, Mapping[str, Any]]:
        return {}


def _read(parameter: Parameter, text: str) -> Any:
    if parameter.kind is Kind.INTEGER:
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise refuse(
                400,
                "InvalidArgument",
                f"Provided {parameter.name} not an integer or within integer range",
                ArgumentName=parameter.name,
                ArgumentValue=text[:100],
            )
        return int(text)
    return text


def render_element(name: str, text: str) -> str:
    """An element of XML. What XML cannot hold is shown by the sign for that."""
    return f"<{name}>{escape(_NOT_XML.sub(_REPLACEMENT, text), _QUOTED)}</{name}>"


_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_QUOTED: Final = {'"': "&quot;"}


def refuse(status: int, code: str, message: str, **members: str) -> Refusal:
    """An error of S3; members: what it says besides."""
    return Refusal(status, code, message, extra=members)


def refuse_key(key: str, why: str = "") -> Refusal:
    """There is no file of this key; why: where more can be said than that."""
    return refuse(404, "NoSuchKey", f"{NO_SUCH_KEY} {why}".rstrip(), Key=key[:1024])
