"""Who is at which address in the command's network, and where a connection to it goes.

A name of an exchange and a name that is allowed has an address of its own out of 127.86.0.0/16, given when it
is first asked for, so that an address tells the name that was meant. It is loopback's, so a hook inside the
program takes it for what it is: not the net.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from emulator.intercept.namespace import dns

WEB_PORTS = (443, 80, 9443)
"""Where an exchange's hosts are served."""

USUAL_PORTS = (22, 25, 465, 587, 993, 1883, 3306, 5432, 5671, 5672, 6379, 6380, 8883, 9092, 9093, 27017)
"""Beside the web's: where a host that is allowed without a port can be reached. A port is listened on before
it is known to be asked for, so there cannot be all of them."""

DNS_PORT = 53
ALL_V4, ALL_V6 = "0.0.0.0", "::"

_FIRST = int(ipaddress.IPv4Address("127.86.0.1"))
_LAST = int(ipaddress.IPv4Address("127.86.255.254"))


class Allowed(NamedTuple):
    """A host that the command may reach; port: None for any that is listened on."""

    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Allowed:
        """`name`, `name:1`, `::1`, `[::1]:1`. Raises ValueError."""
        host, port = text.strip(), ""
        if host.startswith("["):
            host, _, port = host[1:].partition("]")
            if port and not port.startswith(":"):
                raise ValueError(text)
            port = port[1:]
        elif host.count(":") == 1:
            host, _, port = host.partition(":")
        host = host.lower().rstrip(".")
        number = int(port) if port else None
        if not host or (number is not None and not 0 < number < 65_536):
            raise ValueError(text)
        return cls(_plain_address(host) or host, number)

    def has(self, port: int) -> bool:
        return self.port is None or self.port == port


class Opening(NamedTuple):
    """A socket that listens in the command's network. kind: tcp, udp, witness (of IPv4), witness6."""

    kind: str
    address: str
    port: int


class Way(enum.Enum):
    """What becomes of a connection."""

    GATE = "it means an exchange"
    HERE = "it means this machine"
    OUT = "it means a host that is allowed"
    ASK = "what it sends first tells"
    NO_SERVICE = "nobody is there, as it happens on any machine"
    REFUSED = "it would have left"


class Route(NamedTuple):
    """host, port: whom it means; for HERE and OUT, whom to connect with."""

    way: Way
    host: str
    port: int


class Names:
    """Of one command. `services`, by the version of their addresses, may change while it runs."""

    def __init__(
        self,
        *,
        domains: Collection[str],
        allow: Sequence[Allowed] = (),
        own_names: Collection[str] = (),
        own_addresses: Collection[str] = (),
        inner_address: str = "",
        services: Collection[int] = (),
        services_v6: Collection[int] = (),
    ) -> None:
        """domains: every name in one of them is an exchange's. services: this machine's ports, at addresses
        of version 4 and 6. inner_address: what this machine has inside beside loopback."""
        self._domains = frozenset(domains)
        self._allow = list(allow)
        self._own_names = frozenset(own_names)
        self._own_addresses = frozenset({*own_addresses, inner_address})
        self._inner_address = inner_address
        self.services: dict[int, set[int]] = {4: set(services), 6: set(services_v6)}
        self._addresses: dict[str, str] = {}
        self._named: dict[str, str] = {}
        for one in self._allow:
            if _plain_address(one.host) is None:
                self.address_of(one.host)

    def is_exchange(self, name: str) -> bool:
        while name:
            if name in self._domains:
                return True
            name = name.partition(".")[2]
        return False

    def is_allowed(self, host: str, port: int) -> bool:
        return any(one.host == host and one.has(port) for one in self._allow)

    def address_of(self, name: str) -> str:
        """The same for as long as the command runs. When all are given, the last one is shared."""
        address = self._addresses.get(name)
        if address is None:
            number = min(_FIRST + len(self._addresses), _LAST)
            address = str(ipaddress.IPv4Address(number))
            if number < _LAST:
                self._addresses[name] = address
            self._named[address] = name
        return address

    def name_at(self, address: str) -> str:
        """The name that was given an address, or the address."""
        return self._named.get(address, address)

    def resolve(self, name: str, type_: int) -> tuple[int, list[str]] | None:
        """Code and addresses of an answer; None for a name that is nobody here."""
        if name == "localhost" or name.endswith(".localhost") or name in self._own_names:
            own = {dns.A: ["127.0.0.1"], dns.AAAA: ["::1"]}
            return dns.NO_ERROR, own.get(type_, [])
        if self.is_exchange(name) or any(one.host == name for one in self._allow):
            return dns.NO_ERROR, [self.address_of(name)] if type_ == dns.A else []
        return None

    def openings(self) -> Iterator[Opening]:
        """Each socket that the command's network needs.

        Nothing is opened at `::1` that is only at 127.0.0.1: who looks for `localhost` tries one after the
        other, and a connection that is taken and then cut off would end that.
        """
        everywhere = {version: {*WEB_PORTS, *ports} - {DNS_PORT} for version, ports in self.services.items()}
        for version, address in ((4, ALL_V4), (6, ALL_V6)):
            yield Opening("udp", address, DNS_PORT)
            for port in (DNS_PORT, *sorted(everywhere[version])):
                yield Opening("tcp", address, port)
        yield Opening("witness", ALL_V4, 0)
        yield Opening("witness6", ALL_V6, 0)
        seen = set()
        for one in self._allow:
            address = _plain_address(one.host) or self.address_of(one.host)
            for port in USUAL_PORTS if one.port is None else (one.port,):
                opening = Opening("tcp", address, port)
                is_open = port in everywhere[ipaddress.ip_address(address).version]
                if not is_open and port != DNS_PORT and opening not in seen:
                    seen.add(opening)
                    yield opening

    def route(self, address: str, port: int) -> Route:
        """Of a connection that the command opened to an address."""
        host = self.name_at(address)
        if self.is_exchange(host):
            return Route(Way.GATE, host, port)
        if self.is_allowed(host, port):
            return Route(Way.OUT, host, port)
        if host != address:
            return Route(Way.REFUSED, host, port)
        if self.is_this_machine(address):
            if port in self.services[6 if ":" in address else 4] and address != self._inner_address:
                return Route(Way.HERE, address, port)
            if address in ("::1", self._inner_address) and port in self.services[4]:
                return Route(Way.HERE, "127.0.0.1", port)
            return Route(Way.ASK if port in WEB_PORTS else Way.NO_SERVICE, address, port)
        return Route(Way.ASK if port in WEB_PORTS else Way.REFUSED, address, port)

    def route_named(self, name: str | None, asked: Route) -> Route:
        """Of a connection that says by what it sends first whom it means. asked: its route so far."""
        if name is not None and self.is_exchange(name):
            return Route(Way.GATE, name, asked.port)
        if name is not None and self.is_allowed(name, asked.port):
            return Route(Way.OUT, name, asked.port)
        if self.is_this_machine(asked.host):
            return asked._replace(way=Way.NO_SERVICE)
        return Route(Way.REFUSED, name or asked.host, asked.port)

    def is_this_machine(self, address: str) -> bool:
        return address in self._own_addresses or ipaddress.ip_address(address).is_loopback


def _plain_address(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
