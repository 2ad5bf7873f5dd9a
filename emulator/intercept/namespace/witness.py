"""Reads what the command's network shows of connections that nobody there listens to.

A connection to a port without a listener is refused by the kernel, and a datagram is lost, without anybody
being told; here they are seen go by.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

TCP = 6
UDP = 17
_V4_HEADER_MIN = 20
_V6_HEADER = 40


class Packet(NamedTuple):
    """The first packet of something. port: of whom it is for; source_port: of whom it is from."""

    protocol: int
    address: str
    port: int
    source_port: int


def parse_packet(packet: bytes) -> Packet | None:
    """Of an IP packet that opens a TCP connection or is a datagram; None for what is neither, or for many."""
    if not packet:
        return None
    if packet[0] >> 4 == 4:
        header = (packet[0] & 0xF) * 4
        protocol, target = packet[9] if len(packet) > 9 else 0, packet[16:20]
        if header < _V4_HEADER_MIN:
            return None
    else:
        header = _V6_HEADER
        protocol, target = packet[6] if len(packet) > 6 else 0, packet[24:40]
    if protocol not in (TCP, UDP) or len(packet) < header + 4:
        return None
    address = ipaddress.ip_address(target)
    if address.is_multicast or str(address) == "255.255.255.255":
        return None
    source_port = int.from_bytes(packet[header : header + 2], "big")
    port = int.from_bytes(packet[header + 2 : header + 4], "big")
    return Packet(protocol, str(address), port, source_port)
