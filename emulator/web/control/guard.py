"""Who may use the control API: whoever is on this machine, or has the token.

A web page that somebody opens can send requests to 127.0.0.1 too. It cannot hide where it comes from
(Origin), nor, when its name was pointed here after it was loaded, which name it asked for (Host).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address

from emulator.web.contract import Refusal

_BEARER = b"bearer "


class Guard:
    """token: lets others than this machine in; None lets nobody else in."""

    def __init__(self, token: str | None) -> None:
        self._token = None if token is None else token.encode()

    def check(self, peer: str, headers: Mapping[bytes, bytes]) -> None:
        """Raises the Refusal of a request that may not enter. peer: the address it comes from."""
        has_token = self._check_token(headers.get(b"authorization"))
        if not has_token and not is_loopback(peer):
            raise Refusal(
                403,
                "not_local",
                "The control API answers this machine only, unless EMULATOR_CONTROL_TOKEN is set and sent "
                "as a bearer token.",
            )
        host = headers.get(b"host", b"").decode("latin-1").strip().lower()
        if not has_token and not is_own_name(name_of(host)):
            raise Refusal(
                403, "foreign_host", f"The control API is not served under the name {host[:100]!r}."
            )
        origin = headers.get(b"origin")
        # A page of this very server is no stranger; every other page is, whatever it may know.
        if origin is not None and _host_of(origin) != host:
            raise Refusal(403, "foreign_origin", "Web pages of other origins may not use the control API.")

    def _check_token(self, authorization: bytes | None) -> bool:
        """Whether the token was sent. Raises for a wrong one, which nobody sends by accident."""
        if self._token is None or authorization is None:
            return False
        given = authorization[len(_BEARER) :].strip()
        if authorization[: len(_BEARER)].lower() == _BEARER and hmac.compare_digest(given, self._token):
            return True
        raise Refusal(
            401,
            "wrong_token",
            "The bearer token is not that of EMULATOR_CONTROL_TOKEN.",
            headers=((b"www-authenticate", b"Bearer"),),
        )


def is_loopback(peer: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def is_own_name(name: str) -> bool:
    """Whether a host name always means this machine, so that nobody can have pointed it here."""
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name.strip("[]"))


def name_of(host: str) -> str:
    """The name in a Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


def _host_of(origin: bytes) -> str:
    """Name and port of an origin; what has none, such as `null`, is nobody's."""
    return origin.decode("latin-1").strip().lower().partition("://")[2]
