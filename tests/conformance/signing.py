"""Signs requests as the exchanges ask, over the bytes that are really sent."""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.auth import AuthBase

KEY = "emulator-demo-key"
SECRET = "emulator-demo-secret"
FORM = "application/x-www-form-urlencoded"

_OURS = ("timestamp=", "recvWindow=", "signature=")


class Keyed(AuthBase):
    """Adds the key, unless the request has one."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.setdefault("X-MBX-APIKEY", KEY)
        return request


class Signed(AuthBase):
    """Adds key, timestamp and signature to whatever a request carries, and drops its own attempts."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        assert request.url is not None
        parts = urlsplit(request.url)
        query = _without(parts.query)
        content = _content(request)
        if str(request.headers.get("Content-Type")).startswith(FORM):
            content = _without(content.decode()).encode()
        stamp = f"timestamp={time.time_ns() // 1_000_000}&recvWindow=60000"
        query = f"{query}&{stamp}" if query else stamp
        request.url = urlunsplit(parts._replace(query=f"{query}&signature={sign(query.encode() + content)}"))
        request.body = content or None
        # What was said of the length before is no longer true.
        request.headers.pop("Content-Length", None)
        request.prepare_content_length(request.body)
        request.headers["X-MBX-APIKEY"] = KEY
        return request


class Stamped(AuthBase):
    """Proves in headers, as Bybit asks, who sends a request."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        assert request.url is not None
        stamp, window = str(time.time_ns() // 1_000_000), "60000"
        signed = urlsplit(request.url).query.encode() if request.method == "GET" else _content(request)
        request.headers["X-BAPI-API-KEY"] = KEY
        request.headers["X-BAPI-TIMESTAMP"] = stamp
        request.headers["X-BAPI-RECV-WINDOW"] = window
        request.headers["X-BAPI-SIGN"] = sign(f"{stamp}{KEY}{window}".encode() + signed)
        return request


def sign(payload: bytes) -> str:
    return hmac.new(SECRET.encode(), payload, hashlib.sha256).hexdigest()


def _content(request: requests.PreparedRequest) -> bytes:
    match request.body:
        case None:
            return b""
        case str():
            return request.body.encode()
        case bytes():
            return request.body
        case other:
            raise AssertionError(f"a body of type {type(other).__name__} cannot be signed")


def _without(text: str) -> str:
    return "&".join(field for field in text.split("&") if not field.startswith(_OURS))
