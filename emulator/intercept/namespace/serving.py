"""Answers for the sockets of the command's network, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import NamedTuple, cast

import uvloop

from emulator.intercept.namespace import dns, witness
from emulator.intercept.namespace.arrivals import Arrival
from emulator.intercept.namespace.following import Following, Maker
from emulator.intercept.namespace.names import ALL_V4, ALL_V6, DNS_PORT, Names, Opening, Way
from emulator.intercept.namespace.refusals import Refusals
from emulator.intercept.namespace.relay import Taken

BACKLOG = 1024
MESSAGE_MAX = 65_535
QUESTIONS_A_TURN = 64
SEEN_MAX = 10_000
"""Datagrams between the same two places are one refusal; so many pairs are remembered."""

_CLOSING_S = 2.0
_TURNS = 10
_CONTROL_MAX = 256
_IP_PKTINFO = 8
_IPV6_PKTINFO = 50

_log = logging.getLogger(__name__)


class Follow(NamedTuple):
    """What it takes to follow what begins to listen. control: where `attendant` is asked. command: its
    folder in /proc. closed: ports of this machine that stay out."""

    control: socket.socket
    command: Path
    closed: frozenset[int]


class Serving:
    """From `begin` to `end`."""

    def __init__(
        self,
        sockets: Sequence[tuple[Opening, socket.socket]],
        *,
        names: Names,
        refusals: Refusals,
        gate: tuple[str, int],
        follow: Follow | None = None,
    ) -> None:
        self._sockets = list(sockets)
        self._names = names
        self._refusals = refusals
        self._gate = gate
        self._follow = follow
        self._alive: set[Taken] = set()
        opened = [opening for opening, _ in sockets if opening.kind == "tcp"]
        self._open_at = {(opening.address, opening.port) for opening in opened}
        self._ports = {opening.port for opening in opened}
        self._seen: set[tuple[str, int, int]] = set()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began: Future[None] = Future()
        self._thread = Thread(target=self._run, name="namespace", daemon=True)

    def begin(self) -> None:
        """Returns when all of them are answered for."""
        self._thread.start()
        self._began.result()

    def end(self) -> None:
        """Cut off what is left and close the sockets. Nothing in that network reaches anybody then."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(_CLOSING_S)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except Exception as error:
            if self._began.done():
                _log.exception("the command's network is not served any more")
            else:
                self._began.set_exception(error)

    async def _serve(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        servers = []
        for opening, opened in self._sockets:
            opened.setblocking(False)
            if opening.kind == "tcp":
                make = self._make_questioned if opening.port == DNS_PORT else self._make_arrival
                servers.append(await loop.create_server(make, sock=opened, backlog=BACKLOG))
            elif opening.kind == "udp":
                loop.add_reader(opened, self._answer, opened)
            else:
                loop.add_reader(opened, self._look, opened)
        following = loop.create_task(self._following().run()) if self._follow else None
        self._began.set_result(None)
        await self._ended.wait()
        # What the command did last has happened already; it is looked at before all is closed.
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if following is not None:
            following.cancel()
        for server in servers:
            server.close()
        for taken in list(self._alive):
            taken.leave(reset=True)
        for opening, opened in self._sockets:
            if opening.kind != "tcp":
                loop.remove_reader(opened)
                opened.close()
        # That they were cut off is told in the next turns of the loop, and noted of whom it has to be.
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def _following(self) -> Following:
        assert self._follow is not None
        return Following(
            maker=Maker(self._follow.control),
            command=self._follow.command,
            services=self._names.services,
            closed=self._ports | self._follow.closed,
            make_arrival=self._make_arrival,
            alive=self._alive,
        )

    def _make_arrival(self) -> Arrival:
        return Arrival(names=self._names, refusals=self._refusals, gate=self._gate, alive=self._alive)

    def _make_questioned(self) -> _Questioned:
        return _Questioned(self)

    def reply(self, message: bytes) -> bytes | None:
        """To a message of DNS; None for what is none."""
        question = dns.parse_question(message)
        if question is None:
            return None
        if not dns.is_plain(question):
            return dns.answer(question, dns.NOT_DONE_HERE)
        resolved = self._names.resolve(question.name, question.type)
        if resolved is not None:
            return dns.answer(question, *resolved)
        if question.type != dns.PTR:
            self._refusals.note_question(question.name, question.type)
        return dns.answer(question, dns.NO_SUCH_NAME)

    def _answer(self, opened: socket.socket) -> None:
        """Questions that came as datagrams, from the address that each was sent to."""
        for _ in range(QUESTIONS_A_TURN):
            try:
                message, controls, _, asker = opened.recvmsg(MESSAGE_MAX, _CONTROL_MAX)
            except OSError:
                return
            reply = self.reply(message)
            if reply is None:
                continue
            try:
                opened.sendmsg([reply], _answering(controls), 0, asker)
            except OSError as error:
                _log.info("a question from %s could not be answered: %s", asker, error)

    def _look(self, opened: socket.socket) -> None:
        for _ in range(QUESTIONS_A_TURN):
            try:
                packet = witness.parse_packet(opened.recv(MESSAGE_MAX))
            except OSError:
                return
            if packet is not None:
                self._judge(packet)

    def _judge(self, packet: witness.Packet) -> None:
        """Whether what opened something found nobody, and would have left."""
        if packet.protocol == witness.TCP:
            version, everywhere = (6, ALL_V6) if ":" in packet.address else (4, ALL_V4)
            places = {(everywhere, packet.port), (packet.address, packet.port)}
            if places & self._open_at or packet.port in self._names.services[version]:
                return
            route = self._names.route(packet.address, packet.port)
            if route.way not in (Way.NO_SERVICE, Way.HERE):
                self._refusals.note(route.host, route.port)
            return
        flow = (packet.address, packet.port, packet.source_port)
        if packet.port == DNS_PORT or self._names.is_this_machine(packet.address) or flow in self._seen:
            return
        if len(self._seen) < SEEN_MAX:
            self._seen.add(flow)
        self._refusals.note(self._names.name_at(packet.address), packet.port)


class _Questioned(asyncio.Protocol):
    """DNS over TCP: each message after its length."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._begun = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, chunk: bytes) -> None:
        self._begun += chunk
        while len(self._begun) >= 2:
            length = int.from_bytes(self._begun[:2], "big")
            if len(self._begun) < 2 + length:
                return
            reply = self._serving.reply(self._begun[2 : 2 + length])
            self._begun = self._begun[2 + length :]
            if reply is None:
                self._transport.close()
                return
            self._transport.write(len(reply).to_bytes(2, "big") + reply)


def _answering(controls: Sequence[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """What makes an answer come from where its question went, out of what was told of the question."""
    for level, kind, content in controls:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            # struct in_pktinfo: interface, local address, address in the header.
            target = content[8:12]
            return [(level, kind, struct.pack("=i4s4s", 0, target, b"\0" * 4))]
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            return [(level, kind, content[:16] + struct.pack("=i", 0))]
    return []
