"""Commands in a network of their own, as real processes: what they reach, what not, and who is told."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.intercept import hello
from emulator.intercept.namespace import available
from tests.intercept import retrying
from tests.intercept.enclosing import UNAVAILABLE
from tests.launch import Server

TREE = Path(__file__).resolve().parents[2]
LIMIT_S = 60

_WHY_NOT = available()
needs_namespaces = pytest.mark.skipif(_WHY_NOT is not None, reason=f"no network namespaces here: {_WHY_NOT}")


class Peer:
    """A server on this machine's loopback. Keeps what each connection sent; answers with `said`, else with
    what it was sent."""

    def __init__(self, said: bytes | None = None) -> None:
        self.received: list[bytes] = []
        self._said = said
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        with connection:
            if self._said is not None:
                self.received.append(connection.recv(65_536))
                connection.sendall(self._said)
                return
            heard = bytearray()
            while chunk := connection.recv(65_536):
                heard += chunk
            self.received.append(bytes(heard))
            connection.sendall(heard)


@pytest.fixture
def gate() -> Iterator[Peer]:
    peer = Peer(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nthe gate")
    yield peer
    peer.close()


@pytest.fixture
def service() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


class Enclosed:
    """Runs commands with a gate, and reads what was reported of them."""

    def __init__(self, gate: Peer, report: Path) -> None:
        self._gate = gate
        self._report = report

    def command(self, *command: str, **terms: Any) -> list[str]:
        told = {"gate": self._gate.port, "report": str(self._report), **terms}
        return [sys.executable, "-m", "tests.intercept.enclosing", json.dumps(told), *command]

    def run(self, *command: str, given: str = "", **terms: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*command, **terms),
            input=given,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            env=surroundings(),
            check=False,
        )

    def python(self, program: str, **terms: Any) -> str:
        """What a program prints. It must end well."""
        ended = self.run(sys.executable, "-I", "-S", "-c", program, **terms)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    @property
    def refused(self) -> list[tuple[str, int | None]]:
        if not self._report.exists():
            return []
        lines = [json.loads(line) for line in self._report.read_bytes().splitlines()]
        assert all(line["by"] == "namespace" and line["pid"] > 1 for line in lines)
        return [(line["host"], line["port"]) for line in lines]


def surroundings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    # Python itself sets it where nothing else says which letters there are.
    kept.pop("LC_CTYPE", None)
    return {**kept, "PYTHONPATH": os.pathsep.join([str(TREE), *sys.path])}


@pytest.fixture
def enclosed(gate: Peer, tmp_path: Path) -> Enclosed:
    return Enclosed(gate, tmp_path / "refused.jsonl")


@needs_namespaces
class TestTheCommand:
    """It is the process that it would be elsewhere."""

    @pytest.mark.parametrize(
        ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
    )
    def test_its_exit_code_is_told(self, enclosed: Enclosed, script: str, code: int) -> None:
        assert enclosed.run("sh", "-c", script).returncode == code

    def test_one_that_is_not_there_or_cannot_run_is_told_as_by_a_shell(
        self, enclosed: Enclosed, tmp_path: Path
    ) -> None:
        plain = tmp_path / "plain"
        plain.write_text("no program")

        missing = enclosed.run("no-such-command-anywhere")
        not_executable = enclosed.run(str(plain))

        assert (missing.returncode, not_executable.returncode) == (127, 126)
        assert "no-such-command-anywhere: No such file or directory" in missing.stderr

    def test_it_reads_and_writes_as_usual(self, enclosed: Enclosed) -> None:
        ended = enclosed.run("sh", "-c", 'cat; printf "%s|" "$@" >&2', "sh", "a b", "$c", given="line\n")

        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "line\n", "a b|$c|")

    def test_it_is_who_and_where_it_was(self, enclosed: Enclosed) -> None:
        program = "import os; print(os.getuid(), os.geteuid(), os.getgid(), os.getpgid(0), os.getcwd())"

        told = enclosed.python(program)

        mine = [os.getuid(), os.geteuid(), os.getgid(), os.getpgid(0), Path.cwd()]
        assert told.split() == [str(one) for one in mine]

    def test_its_environment_is_the_one_given(self, enclosed: Enclosed) -> None:
        here = {"LC_ALL": "", "LANG": "C", "EMULATOR_TOLD": "yes", "PATH": os.environ["PATH"]}
        ended = subprocess.run(
            enclosed.command("env"),
            env={**surroundings(), **here, "PYTHONCOERCECLOCALE": "0"},
            cwd=TREE,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=True,
        )

        told = dict(line.split("=", 1) for line in ended.stdout.splitlines())
        assert told.items() >= here.items()
        assert "LC_CTYPE" not in told

    def test_a_signal_that_asks_to_end_is_passed_on(self, enclosed: Enclosed) -> None:
        program = (
            "import signal, sys\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
            "print('ready', flush=True)\n"
            "while True: signal.pause()\n"
        )
        command = enclosed.command(sys.executable, "-c", program)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings()) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(LIMIT_S) == 3

    def test_a_key_of_the_terminal_reaches_it_once(self, enclosed: Enclosed) -> None:
        program = (
            "import os, signal, sys\n"
            "signal.signal(signal.SIGINT, lambda *_: os.write(1, b'interrupted '))\n"
            "signal.signal(signal.SIGQUIT, lambda *_: sys.exit(5))\n"
            "print(os.tcgetpgrp(0) == os.getpgrp(), 'ready', flush=True)\n"
            "while True: signal.pause()\n"
        )
        child, terminal = pty.fork()
        if child == 0:
            command = enclosed.command(sys.executable, "-c", program)
            os.execvpe(command[0], command, surroundings())
        with os.fdopen(terminal, "rb+", buffering=0) as keys:
            told = b""
            for awaited, key in ((b"True ready", b"\x03"), (b"interrupted", b"\x1c")):
                while awaited not in told:
                    told += keys.read(1000)
                keys.write(key)
            # Reading a terminal that nobody has any more is an error.
            with contextlib.suppress(OSError):
                while chunk := keys.read(1000):
                    told += chunk
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 5
        assert told.count(b"interrupted") == 1

    def test_it_dies_of_a_broken_pipe_as_programs_do(self, enclosed: Enclosed) -> None:
        # Python ignores that signal for itself, and what is ignored is inherited.
        ended = enclosed.run("sh", "-c", "kill -PIPE $$; echo survived")

        assert (ended.returncode, ended.stdout) == (128 + signal.SIGPIPE, "")

    def test_files_that_a_shell_opened_for_it_are_open(self, enclosed: Enclosed) -> None:
        read, write = os.pipe()
        with os.fdopen(read, "rb") as told:
            os.set_inheritable(write, True)
            subprocess.run(
                enclosed.command("sh", "-c", f"echo heard >/dev/fd/{write}"),
                env=surroundings(),
                close_fds=False,
                timeout=LIMIT_S,
                check=True,
            )
            os.close(write)
            assert told.read() == b"heard\n"

    def test_it_does_not_find_the_way_back(self, enclosed: Enclosed) -> None:
        program = (
            "import ctypes, errno, os\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "try: outside = os.open(f'/proc/{os.getppid()}/ns/net', os.O_RDONLY)\n"
            "except PermissionError: print('not even seen')\n"
            "else: print(libc.setns(outside, 0x40000000), errno.errorcode[ctypes.get_errno()])\n"
        )

        assert enclosed.python(program) in ("not even seen\n", "-1 EPERM\n")

    def test_it_has_no_interface_but_loopback(self, enclosed: Enclosed) -> None:
        told = enclosed.python("print(open('/proc/net/dev').read())")

        lines = told.strip().splitlines()[2:]
        # Kinds of tunnels that are built into the kernel show an end that is down.
        up = {name.split(":")[0].strip() for name in lines if name.split(":")[1].split()[0] != "0"}
        assert up <= {"lo"}


ASK = """
import socket
def ask(server, name, type_, family=socket.AF_INET):
    question = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\\0"
    message = b"\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0" + question + type_.to_bytes(2, "big") + b"\\0\\1"
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.settimeout(20)
        one.connect((server, 53))  # So that an answer from elsewhere is not heard.
        one.send(message)
        reply = one.recv(4096)
    assert reply[:2] == b"\\x12\\x34" and reply[2] & 0x80
    code, answers = reply[3] & 15, int.from_bytes(reply[6:8], "big")
    return code, [socket.inet_ntop(socket.AF_INET, reply[-4:])] if answers and type_ == 1 else []
"""


@needs_namespaces
class TestNames:
    """Whoever asks for an address, whomever it asks."""

    def test_an_exchange_has_an_address_of_loopback_and_only_of_version_4(self, enclosed: Enclosed) -> None:
        program = (
            ASK + "print(ask('127.0.0.1', 'api.binance.com', 1), ask('127.0.0.1', 'api.binance.com', 28))"
        )

        assert enclosed.python(program) == "(0, ['127.86.0.1']) (0, [])\n"
        assert enclosed.refused == []

    @pytest.mark.parametrize("server", ["127.0.0.53", "8.8.8.8", "192.168.1.1"])
    def test_any_server_of_names_answers_from_its_own_address(self, enclosed: Enclosed, server: str) -> None:
        program = ASK + f"print(ask('{server}', 'API.Binance.com', 1))"

        assert enclosed.python(program) == "(0, ['127.86.0.1'])\n"

    def test_one_of_version_6_does_so_too(self, enclosed: Enclosed) -> None:
        if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
            pytest.skip("IPv6 is switched off on this machine")
        program = ASK + "print(ask('2001:4860:4860::8888', 'api.bybit.com', 1, socket.AF_INET6))"

        assert enclosed.python(program) == "(0, ['127.86.0.1'])\n"

    def test_other_names_do_not_exist_and_are_listed_once_for_each_lookup(self, enclosed: Enclosed) -> None:
        program = ASK + (
            "print(ask('8.8.8.8', 'example.org', 1), ask('8.8.8.8', 'example.org', 28))\n"
            "print(ask('8.8.8.8', 'binance.com.example.org', 1), ask('8.8.8.8', 'notbinance.com', 28))\n"
        )

        assert enclosed.python(program) == "(3, []) (3, [])\n(3, []) (3, [])\n"
        assert enclosed.refused == [
            ("example.org", None),
            ("binance.com.example.org", None),
            ("notbinance.com", None),
        ]

    def test_a_long_question_may_be_asked_over_a_connection(self, enclosed: Enclosed) -> None:
        question = (
            b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03api\x07binance\x03com\x00\x00\x01\x00\x01"
        )
        sent = len(question).to_bytes(2, "big") + question
        program = (
            "import socket\n"
            f"one = socket.create_connection(('1.0.0.1', 53)); one.sendall({sent!r})\n"
            "print(socket.inet_ntop(socket.AF_INET, one.recv(512)[-4:]))\n"
        )

        assert enclosed.python(program) == "127.86.0.1\n"

    @pytest.mark.parametrize("family", ["AF_INET", "AF_UNSPEC"])
    def test_who_asks_for_kinds_of_addresses_that_he_has_is_answered(
        self, enclosed: Enclosed, family: str
    ) -> None:
        # As aiohttp does; the C library leaves loopback's address out when it looks which kinds there are.
        program = (
            "import socket\n"
            "found = socket.getaddrinfo('api.binance.com', 443, socket."
            f"{family}, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)\n"
            "print([address for *_, address in found])\n"
        )

        assert enclosed.python(program) == "[('127.86.0.1', 443)]\n"

    def test_the_machine_knows_itself(self, enclosed: Enclosed) -> None:
        program = ASK + "print(ask('8.8.8.8', 'main.localhost', 1), ask('8.8.8.8', socket.gethostname(), 1))"

        assert enclosed.python(program) == "(0, ['127.0.0.1']) (0, ['127.0.0.1'])\n"


@needs_namespaces
class TestTheExchange:
    """Its hosts are the emulator's gate, for programs that know of no hook and no proxy."""

    def test_a_statically_linked_program_reaches_the_gate(
        self, enclosed: Enclosed, gate: Peer, tmp_path: Path
    ) -> None:
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            pytest.skip("no C compiler on this machine")
        program = tmp_path / "client"
        built = subprocess.run(
            [compiler, "-static", "-o", program, Path(__file__).with_name("static_client.c")],
            capture_output=True,
            check=False,
            timeout=LIMIT_S,
        )
        if built.returncode:
            pytest.skip("the C compiler of this machine cannot link statically")

        ended = enclosed.run(str(program), "api.binance.com", "80")
        other = enclosed.run(str(program), "example.org", "80")

        assert (ended.returncode, ended.stdout.rpartition("\n")[2]) == (0, "the gate")
        assert gate.received == [b"GET / HTTP/1.1\r\nHost: api.binance.com\r\nConnection: close\r\n\r\n"]
        assert other.returncode == 3
        assert enclosed.refused == [("example.org", None)]

    @pytest.mark.parametrize("port", [443, 9443, 80])
    def test_its_ports_are_the_gate_whichever_address_was_dialled(
        self, enclosed: Enclosed, gate: Peer, port: int
    ) -> None:
        # As by somebody who knew the real address from before.
        sent = b"GET /api HTTP/1.1\r\nHost: api.binance.com\r\n\r\n"
        program = (
            "import socket\n"
            "for host in '13.32.4.1', '127.0.0.1', 'stream.binance.com':\n"
            f"    one = socket.create_connection((host, {port})); one.sendall({sent!r})\n"
            "    print(one.makefile('rb').read()[-8:])\n"
        )

        assert enclosed.python(program) == "b'the gate'\n" * 3
        assert gate.received == [sent] * 3
        assert enclosed.refused == []

    def test_a_name_that_tls_tells_is_enough(self, enclosed: Enclosed, gate: Peer) -> None:
        program = (
            "import socket, ssl\n"
            "one = socket.create_connection(('13.32.4.1', 443))\n"
            "try: ssl.create_default_context().wrap_socket(one, server_hostname='api.binance.com')\n"
            "except ssl.SSLError: print('answered')\n"
        )

        # What the gate of this test says is no TLS; that it was asked is what matters.
        assert enclosed.python(program) == "answered\n"
        (received,) = gate.received
        assert hello.server_name(received) == "api.binance.com"

    def test_nobody_is_asked_again_what_a_client_said_in_pieces(self, enclosed: Enclosed, gate: Peer) -> None:
        program = (
            "import socket, time\n"
            "one = socket.create_connection(('13.32.4.1', 80))\n"
            "one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
            "for piece in b'GET / HT', b'TP/1.1\\r\\nHo', b'st: api.binance.com\\r\\n', b'\\r\\n':\n"
            "    one.sendall(piece)\n"
            "print(one.makefile('rb').read()[-8:])\n"
        )

        assert enclosed.python(program) == "b'the gate'\n"
        assert gate.received[0].startswith(b"GET / HTTP/1.1\r\nHost: api.binance.com\r\n")


@needs_namespaces
class TestTheGuard:
    """Nothing leaves, and what would have is told."""

    def test_a_connection_to_an_address_does_not_leave(self, enclosed: Enclosed, gate: Peer) -> None:
        program = (
            "import socket\n"
            "for address in ('1.1.1.1', 443), ('1.1.1.1', 853), ('10.1.2.3', 5432):\n"
            "    try:\n"
            "        one = socket.create_connection(address)\n"
            "        one.sendall(b'\\x16\\x03\\x01 no name in it')\n"
            "        one.shutdown(socket.SHUT_WR)\n"
            "        print(one.recv(1))\n"
            "    except OSError as error: print(type(error).__name__)\n"
        )

        assert enclosed.python(program).split() == [
            "ConnectionResetError",
            "ConnectionRefusedError",
            "ConnectionRefusedError",
        ]
        assert enclosed.refused == [("1.1.1.1", 443), ("1.1.1.1", 853), ("10.1.2.3", 5432)]
        assert gate.received == []

    def test_one_that_says_nothing_is_listed_as_well(self, enclosed: Enclosed, gate: Peer) -> None:
        enclosed.python("import socket; socket.create_connection(('1.1.1.1', 443)).close()")

        assert enclosed.refused == [("1.1.1.1", 443)]
        assert gate.received == []

    def test_an_address_of_version_6_does_not_leave(self, enclosed: Enclosed) -> None:
        if not Path("/proc/net/if_inet6").exists():
            pytest.skip("IPv6 is switched off on this machine")
        program = (
            "import socket\n"
            "for address in ('2606:4700:4700::1111', 443), ('2606:4700:4700::1111', 8443):\n"
            "    try:\n"
            "        one = socket.create_connection(address)\n"
            "        one.sendall(b'no protocol that names a host')\n"
            "        print(one.recv(1))\n"
            "    except OSError as error: print(type(error).__name__)\n"
        )

        assert enclosed.python(program).split() == ["ConnectionResetError", "ConnectionRefusedError"]
        assert enclosed.refused == [("2606:4700:4700::1111", 443), ("2606:4700:4700::1111", 8443)]

    def test_another_name_is_refused_whoever_resolved_it(self, enclosed: Enclosed, gate: Peer) -> None:
        program = (
            "import socket, ssl\n"
            "one = socket.create_connection(('93.184.215.14', 443))\n"
            "try: ssl.create_default_context().wrap_socket(one, server_hostname='example.org')\n"
            "except ssl.SSLError as error: print(error.reason)\n"
            "one = socket.create_connection(('93.184.215.14', 80))\n"
            "one.sendall(b'GET / HTTP/1.1\\r\\nHost: example.org:80\\r\\n\\r\\n')\n"
            "try: print(one.recv(1))\n"
            "except OSError as error: print(type(error).__name__)\n"
        )

        assert enclosed.python(program) == "TLSV1_UNRECOGNIZED_NAME\nConnectionResetError\n"
        assert enclosed.refused == [("example.org", 443), ("example.org", 80)]
        assert gate.received == []

    def test_datagrams_do_not_leave_and_are_listed_once_for_each_socket(self, enclosed: Enclosed) -> None:
        program = (
            "import socket\n"
            "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:\n"
            "    for _ in range(5): one.sendto(b'x', ('162.159.200.1', 123))\n"
            "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:\n"
            "    one.sendto(b'x', ('127.0.0.1', 9)); one.sendto(b'x', ('239.255.255.250', 1900))\n"
        )
        enclosed.python(program)

        assert enclosed.refused == [("162.159.200.1", 123)]

    def test_an_exchange_on_a_port_that_it_does_not_have_is_told_by_its_name(
        self, enclosed: Enclosed
    ) -> None:
        program = (
            "import socket\n"
            "try: socket.create_connection((socket.gethostbyname('api.binance.com'), 6667))\n"
            "except OSError as error: print(type(error).__name__)\n"
        )

        assert enclosed.python(program) == "ConnectionRefusedError\n"
        assert enclosed.refused == [("api.binance.com", 6667)]

    def test_an_allowed_host_is_reached_and_only_on_its_port(
        self, enclosed: Enclosed, service: Peer, gate: Peer
    ) -> None:
        # `127.1` is a name to whoever does not know better, and 127.0.0.1 to who connects outside: the first
        # name that is allowed has the first address inside.
        program = (
            "import socket\n"
            f"one = socket.create_connection(('127.86.0.1', {service.port}))\n"
            "one.sendall(b'through'); one.shutdown(socket.SHUT_WR); print(one.makefile('rb').read())\n"
            "for port in 443, 444:\n"
            "    try: one = socket.create_connection(('127.86.0.1', port)); print(one.recv(1))\n"
            "    except OSError as error: print(type(error).__name__)\n"
        )

        told = enclosed.python(program, allow=[f"127.1:{service.port}"])

        assert told == "b'through'\nConnectionResetError\nConnectionRefusedError\n"
        assert enclosed.refused == [("127.1", 443), ("127.1", 444)]


@needs_namespaces
class TestThisMachine:
    def test_its_services_are_reached_at_the_address_they_have(
        self, enclosed: Enclosed, service: Peer
    ) -> None:
        program = (
            "import socket\n"
            f"one = socket.create_connection(('127.0.0.1', {service.port}))\n"
            "one.sendall(b'a question'); one.shutdown(socket.SHUT_WR); print(one.makefile('rb').read())\n"
        )

        assert enclosed.python(program) == "b'a question'\n"
        assert service.received == [b"a question"]

    def test_who_tries_the_other_address_of_localhost_first_is_refused_there(
        self, enclosed: Enclosed, service: Peer
    ) -> None:
        if not Path("/proc/net/if_inet6").exists():
            pytest.skip("IPv6 is switched off on this machine")
        program = (
            "import socket\n"
            "for host in '::1', '127.0.0.1':\n"
            f"    try: socket.create_connection((host, {service.port})); print('taken')\n"
            "    except OSError as error: print(type(error).__name__)\n"
        )

        assert enclosed.python(program) == "ConnectionRefusedError\ntaken\n"
        assert enclosed.refused == []

    def test_a_port_of_theirs_elsewhere_is_not_theirs(self, enclosed: Enclosed, service: Peer) -> None:
        program = (
            "import socket\n"
            f"one = socket.create_connection(('10.1.2.3', {service.port}))\n"
            "try: print(one.recv(1))\n"
            "except OSError as error: print(type(error).__name__)\n"
        )

        assert enclosed.python(program) == "ConnectionResetError\n"
        assert enclosed.refused == [("10.1.2.3", service.port)]
        assert service.received == []

    def test_a_port_without_a_service_is_refused_and_nobody_is_told(self, enclosed: Enclosed) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        program = (
            "import socket\n"
            f"try: socket.create_connection(('127.0.0.1', {port}))\n"
            "except OSError as error: print(type(error).__name__)\n"
            "socket.create_connection(('127.0.0.1', 443)).close()\n"
        )

        assert enclosed.python(program) == "ConnectionRefusedError\n"
        assert enclosed.refused == []

    def test_a_port_that_is_to_listen_later_is_reached_when_it_does(self, enclosed: Enclosed) -> None:
        with ExitStack() as stack:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            program = (
                "import socket\n"
                "print('ready', flush=True); input()\n"
                f"print(socket.create_connection(('127.0.0.1', {port})).recv(5))\n"
            )
            process = stack.enter_context(
                subprocess.Popen(
                    enclosed.command(sys.executable, "-c", program, forwards=[port]),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env=surroundings(),
                )
            )
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            late = stack.enter_context(socket.create_server(("127.0.0.1", port)))
            late.settimeout(LIMIT_S)
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
            connection, _ = late.accept()
            connection.sendall(b"later")
            assert process.stdout.readline() == "b'later'\n"
            connection.close()

    def test_what_begins_to_listen_is_reached_from_the_other_side_until_it_ends(
        self, enclosed: Enclosed
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
            ports = free.getsockname()[1], other.getsockname()[1]
        program = Path(retrying.__file__).read_text(encoding="utf-8") + (
            f"serving = socket.create_server(('0.0.0.0', {ports[0]}))\n"
            "visitor, _ = serving.accept()\n"
            "visitor.sendall(visitor.recv(10).upper()); visitor.close(); serving.close()\n"
            f"print(connected({ports[1]}).recv(10), flush=True); input()\n"
        )
        command = enclosed.command(sys.executable, "-I", "-S", "-c", program)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=surroundings()
        ) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            with retrying.connected(ports[0]) as visiting:
                visiting.sendall(b"a visit")
                assert visiting.recv(10) == b"A VISIT"
            with socket.create_server(("127.0.0.1", ports[1])) as late:
                late.settimeout(LIMIT_S)
                connection, _ = late.accept()
                connection.sendall(b"later")
                connection.close()
                assert process.stdout.readline() == "b'later'\n"
            assert retrying.freed(ports[0])
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.wait(LIMIT_S) == 0
        assert enclosed.refused == []

    def test_what_the_command_serves_is_its_own(self, enclosed: Enclosed) -> None:
        program = (
            "import socket, threading\n"
            "own = socket.create_server(('127.0.0.1', 0))\n"
            "one = socket.create_connection(own.getsockname()); other, _ = own.accept()\n"
            "other.sendall(b'own'); print(one.recv(3))\n"
        )

        assert enclosed.python(program) == "b'own'\n"

    def test_much_goes_through_both_ways_and_ends_as_it_should(
        self, enclosed: Enclosed, service: Peer
    ) -> None:
        program = (
            "import hashlib, socket, threading\n"
            f"one = socket.create_connection(('127.0.0.1', {service.port}))\n"
            "sent = hashlib.sha256(b'seed').digest() * 300_000\n"
            "def send(): one.sendall(sent); one.shutdown(socket.SHUT_WR)\n"
            "threading.Thread(target=send).start()\n"
            "print(one.makefile('rb').read() == sent, len(sent))\n"
        )

        assert enclosed.python(program) == "True 9600000\n"

    def test_hundreds_of_connections_are_held_at_once(self, enclosed: Enclosed, service: Peer) -> None:
        program = (
            "import socket\n"
            f"ones = [socket.create_connection(('127.0.0.1', {service.port})) for _ in range(400)]\n"
            "for n, one in enumerate(ones): one.sendall(b'%d' % n); one.shutdown(socket.SHUT_WR)\n"
            "print(all(one.makefile('rb').read() == b'%d' % n for n, one in enumerate(ones)))\n"
        )

        assert enclosed.python(program) == "True\n"
        assert sorted(service.received, key=int) == [b"%d" % n for n in range(400)]

    def test_a_command_that_may_have_few_files_has_as_many_connections(
        self, enclosed: Enclosed, service: Peer
    ) -> None:
        program = (
            "import resource, socket\n"
            f"ones = [socket.create_connection(('127.0.0.1', {service.port})) for _ in range(200)]\n"
            "for one in ones: one.sendall(b'x'); one.shutdown(socket.SHUT_WR)\n"
            "print(all(one.makefile('rb').read() == b'x' for one in ones))\n"
            "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
        )
        command = enclosed.command(sys.executable, "-c", program)

        ended = subprocess.run(
            ["sh", "-c", 'ulimit -S -n 256; exec "$@"', "sh", *command],
            capture_output=True,
            text=True,
            env=surroundings(),
            timeout=LIMIT_S,
            check=True,
        )

        assert ended.stdout == "True\n256\n"

    def test_an_end_that_was_cut_off_is_told_as_such(self, enclosed: Enclosed) -> None:
        with socket.create_server(("127.0.0.1", 0)) as cutting:

            def cut() -> None:
                connection, _ = cutting.accept()
                connection.recv(1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

            threading.Thread(target=cut, daemon=True).start()
            program = (
                "import socket\n"
                f"one = socket.create_connection({cutting.getsockname()!r}); one.sendall(b'x')\n"
                "try: print(one.recv(1))\n"
                "except OSError as error: print(type(error).__name__)\n"
            )

            assert enclosed.python(program) == "ConnectionResetError\n"


@needs_namespaces
def test_curl_without_a_setting_gets_the_exchange_from_the_emulator(
    server: Server, authority: Path, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    answered = httpx.post(f"{server.control}/gates", json={}, trust_env=False).json()
    report = tmp_path / "refused.jsonl"
    told = json.dumps({"gate": answered["port"], "report": str(report)})

    def curl(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tests.intercept.enclosing", told, "curl", "-sS", *arguments],
            capture_output=True,
            text=True,
            env=surroundings(),
            cwd=TREE,
            timeout=LIMIT_S,
            check=False,
        )

    served = curl("--cacert", str(authority), "https://api.binance.com/api/v3/time")
    known = curl(
        *("--cacert", str(authority), "--resolve", "api.binance.com:443:13.32.4.1"),
        "https://api.binance.com/api/v3/time",
    )
    untrusted = curl("https://api.binance.com/api/v3/time")
    other = curl("https://example.org/")
    other_known = curl("--resolve", "example.org:443:93.184.215.14", "https://example.org/")

    assert json.loads(served.stdout).keys() == json.loads(known.stdout).keys() == {"serverTime"}
    # curl's documented codes: 60 is a certificate that is not trusted, 6 a host that cannot be resolved,
    # 35 a handshake that failed.
    assert (untrusted.returncode, other.returncode, other_known.returncode) == (60, 6, 35)
    lines = [json.loads(line) for line in report.read_bytes().splitlines()]
    assert [(line["host"], line["port"]) for line in lines] == [("example.org", None), ("example.org", 443)]
    (seen,) = httpx.delete(f"{server.control}/gates/{answered['port']}", trust_env=False).json()["hosts"]
    assert (seen["host"], seen["requests"], seen["errors"]) == ("api.binance.com", 2, 0)


def where_forbidden(kinds: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The enclosing program where no namespaces of some kinds may be made: whoever has users of his own may
    set such limits for all that happens among them."""
    program = (
        "import ctypes, os, pathlib, runpy, sys\n"
        "uid, gid = os.getuid(), os.getgid()\n"
        "assert ctypes.CDLL(None).unshare(0x10000000) == 0\n"
        "own = pathlib.Path('/proc/self')\n"
        "(own / 'setgroups').write_text('deny')\n"
        "(own / 'uid_map').write_text(f'{uid} {uid} 1'); (own / 'gid_map').write_text(f'{gid} {gid} 1')\n"
        f"for kind in {kinds.split()!r}:\n"
        "    pathlib.Path(f'/proc/sys/user/max_{kind}_namespaces').write_text('0')\n"
        "runpy.run_module('tests.intercept.enclosing', run_name='__main__', alter_sys=True)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env=surroundings(),
        cwd=TREE,
        timeout=LIMIT_S,
        check=False,
    )


@needs_namespaces
def test_names_are_told_even_where_nothing_can_be_hidden() -> None:
    # Whichever server the machine's own resolv.conf names, it is this machine's.
    program = ASK + (
        "told = [line.split() for line in open('/etc/resolv.conf')]\n"
        "servers = [words[1] for words in told if words[:1] == ['nameserver'] and '.' in words[1]]\n"
        "print(sorted(told) == sorted(%r), ask((servers or ['127.0.0.53'])[0], 'api.binance.com', 1))\n"
    )
    unchanged = [line.split() for line in Path("/etc/resolv.conf").read_text(encoding="utf-8").splitlines()]

    ended = where_forbidden("mnt", '{"gate": 1}', sys.executable, "-I", "-S", "-c", program % (unchanged,))

    assert (ended.returncode, ended.stdout) == (0, "True (0, ['127.86.0.1'])\n"), ended.stderr


@needs_namespaces
@pytest.mark.skipif(os.getuid() != 0, reason="only root may do without users of a namespace")
def test_root_needs_no_users_of_its_own() -> None:
    program = ASK + "print(ask('8.8.8.8', 'api.binance.com', 1), open('/etc/resolv.conf').read())"

    ended = where_forbidden("user", '{"gate": 1}', sys.executable, "-I", "-S", "-c", program)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "(0, ['127.86.0.1']) nameserver 127.0.0.1\n\n"


@needs_namespaces
def test_a_machine_that_does_not_allow_it_is_told_of() -> None:
    probed = where_forbidden("user net", "{}")
    run = where_forbidden("user net", '{"gate": 1}', "echo", "ran")

    assert probed.stdout == "a namespace cannot be made: user.max_user_namespaces is 0\n", probed.stderr
    assert (run.returncode, run.stdout) == (UNAVAILABLE, probed.stdout)
