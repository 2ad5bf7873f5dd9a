"""Parts of a command's network, without one: whose an address is, what messages say, what this machine is."""

from __future__ import annotations

import errno
import json
import socket
from collections import Counter
from pathlib import Path

import pytest

from emulator.intercept.namespace import dns, machine, reasons, witness
from emulator.intercept.namespace.arrivals import named
from emulator.intercept.namespace.names import Allowed, Names, Opening, Route, Way
from emulator.intercept.namespace.refusals import Refusals

# RFC 1035 §4.1: header (id 7, recursion desired, one question), `a.Example`, type A, class IN.
QUESTION = (
    b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + b"\x01a\x07Example\x00" + b"\x00\x01" + b"\x00\x01"
)


def names(*allow: str) -> Names:
    return Names(
        domains=("binance.com",),
        allow=[Allowed.parse(text) for text in allow],
        own_names=("box",),
        own_addresses=("192.168.1.5", "fe80::1"),
        inner_address="192.0.2.1",
        services=(5432, 8585, 443),
        services_v6=(5432,),
    )


class TestNames:
    def test_a_name_keeps_its_address_and_no_two_share_one(self) -> None:
        known = names("db.internal")

        first, second = known.resolve("api.binance.com", dns.A), known.resolve("fapi.binance.com", dns.A)

        assert (first, second) == ((0, ["127.86.0.2"]), (0, ["127.86.0.3"]))
        assert known.resolve("api.binance.com", dns.A) == first
        assert known.resolve("db.internal", dns.A) == (0, ["127.86.0.1"])
        assert known.resolve("internal", dns.A) is None

    @pytest.mark.parametrize(
        ("address", "port", "route"),
        [
            ("127.86.0.1", 6379, Route(Way.OUT, "db.internal", 6379)),
            ("127.86.0.1", 443, Route(Way.REFUSED, "db.internal", 443)),
            ("127.86.0.2", 8443, Route(Way.OUT, "any.example", 8443)),
            ("127.86.0.3", 9443, Route(Way.GATE, "api.binance.com", 9443)),
            ("127.86.0.3", 8585, Route(Way.GATE, "api.binance.com", 8585)),
            ("10.0.0.9", 9000, Route(Way.OUT, "10.0.0.9", 9000)),
            ("10.0.0.9", 9001, Route(Way.REFUSED, "10.0.0.9", 9001)),
            ("10.0.0.9", 443, Route(Way.ASK, "10.0.0.9", 443)),
            ("127.0.0.1", 5432, Route(Way.HERE, "127.0.0.1", 5432)),
            ("::1", 5432, Route(Way.HERE, "::1", 5432)),
            ("::1", 443, Route(Way.HERE, "127.0.0.1", 443)),
            ("192.0.2.1", 5432, Route(Way.HERE, "127.0.0.1", 5432)),
            ("192.0.2.1", 5433, Route(Way.NO_SERVICE, "192.0.2.1", 5433)),
            ("2001:db8::1", 5432, Route(Way.REFUSED, "2001:db8::1", 5432)),
            ("192.168.1.5", 5432, Route(Way.HERE, "192.168.1.5", 5432)),
            ("192.168.1.6", 5432, Route(Way.REFUSED, "192.168.1.6", 5432)),
            ("127.0.0.1", 5433, Route(Way.NO_SERVICE, "127.0.0.1", 5433)),
            ("127.0.0.1", 443, Route(Way.HERE, "127.0.0.1", 443)),
            ("127.0.0.1", 9443, Route(Way.ASK, "127.0.0.1", 9443)),
        ],
    )
    def test_where_a_connection_goes(self, address: str, port: int, route: Route) -> None:
        known = names("db.internal:6379", "any.example", "10.0.0.9:9000")
        known.resolve("api.binance.com", dns.A)

        assert known.route(address, port) == route

    @pytest.mark.parametrize(
        ("name", "way"),
        [
            ("api.binance.com", Way.GATE),
            ("any.example", Way.OUT),
            ("example.org", Way.REFUSED),
            (None, Way.REFUSED),
        ],
    )
    def test_where_one_goes_that_says_whom_it_means(self, name: str | None, way: Way) -> None:
        known = names("any.example:443")

        route = known.route_named(name, known.route("13.32.4.1", 443))

        assert route == Route(way, name or "13.32.4.1", 443)

    def test_an_exchange_is_never_let_out_even_where_it_is_allowed(self) -> None:
        known = names("api.binance.com")

        assert known.route("127.86.0.1", 443).way is Way.GATE
        assert known.route_named("api.binance.com", known.route("13.32.4.1", 443)).way is Way.GATE

    def test_what_has_to_listen(self) -> None:
        openings = set(
            names("db.internal:6379", "10.0.0.9:9000", "2001:db8::1", "web.example:443").openings()
        )

        for port in (53, 80, 443, 9443, 5432):
            assert openings >= {Opening("tcp", "0.0.0.0", port), Opening("tcp", "::", port)}
        # Who tries `localhost` at ::1 first has to be refused there, to try 127.0.0.1.
        assert Opening("tcp", "0.0.0.0", 8585) in openings
        assert Opening("tcp", "::", 8585) not in openings
        assert openings >= {
            Opening("udp", "0.0.0.0", 53),
            Opening("tcp", "127.86.0.1", 6379),
            Opening("tcp", "10.0.0.9", 9000),
            Opening("tcp", "2001:db8::1", 22),
        }
        # Where everybody's connections are taken nothing else can listen.
        assert not {opening for opening in openings if opening.address == "2001:db8::1"} & {
            Opening("tcp", "2001:db8::1", port) for port in (443, 5432, 80)
        }

    @pytest.mark.parametrize(
        ("text", "allowed"),
        [
            ("Example.org.", Allowed("example.org", None)),
            ("example.org:8443", Allowed("example.org", 8443)),
            ("10.0.0.9:80", Allowed("10.0.0.9", 80)),
            ("2001:DB8::1", Allowed("2001:db8::1", None)),
            ("[2001:db8::1]:22", Allowed("2001:db8::1", 22)),
        ],
    )
    def test_how_a_host_is_allowed(self, text: str, allowed: Allowed) -> None:
        assert Allowed.parse(text) == allowed

    @pytest.mark.parametrize("text", ["", ":80", "host:no", "host:0", "host:65536", "[::1]80"])
    def test_what_is_no_host(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".*"):
            Allowed.parse(text)


class TestMessages:
    def test_a_question_and_its_answer(self) -> None:
        question = dns.parse_question(QUESTION)
        assert question is not None
        assert (question.name, question.type) == ("a.example", dns.A)

        # §4.1.3: the name as a pointer to the question's, type, class, 60 s, four bytes of address.
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x56\x00\x01"
        header = b"\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
        assert dns.answer(question, dns.NO_ERROR, ["127.86.0.1"]) == header + QUESTION[12:] + record
        assert dns.answer(question, dns.NO_SUCH_NAME)[2:8] == b"\x81\x83\x00\x01\x00\x00"

    @pytest.mark.parametrize(
        "message",
        [
            b"",
            QUESTION[:11],
            QUESTION[:20],
            QUESTION[:-1],
            b"\x00\x07\x81" + QUESTION[3:],
            QUESTION[:12] + b"\xc0\x0c\x00\x01\x00\x01",
            QUESTION[:5] + b"\x02" + QUESTION[6:],
        ],
        ids=["empty", "short header", "short name", "short class", "an answer", "a pointer", "two questions"],
    )
    def test_what_is_no_question(self, message: bytes) -> None:
        assert dns.parse_question(message) is None

    @pytest.mark.parametrize(
        ("begun", "told"),
        [
            (b"", (False, None)),
            (b"GET / HTTP/1.1\r\nHost: exa", (False, None)),
            (b"GET / HTTP/1.1\r\nA: b\r\nhOst:  Api.Binance.com:80 \r\n", (True, "api.binance.com")),
            (b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n", (True, "2001:db8::1")),
            (b"GET / HTTP/1.0\r\n\r\n", (True, None)),
            (b"\x00\x01 something else than web", (True, None)),
            (b"\x16\x03\x01\x00\x40 not all of it", (False, None)),
        ],
    )
    def test_whom_a_connection_means(self, begun: bytes, told: tuple[bool, str | None]) -> None:
        assert named(begun) == told

    def test_packets_that_open_something(self) -> None:
        target, source = socket.inet_aton("1.1.1.1"), socket.inet_aton("127.0.0.1")
        # RFC 791 §3.1 and RFC 9293 §3.1: protocol at 9, addresses at 12 and 16; ports first of what follows.
        tcp = b"\x45" + bytes(8) + b"\x06" + bytes(2) + source + target + b"\xc0\x00\x01\xbb" + bytes(16)
        # RFC 8200 §3: next header at 6, addresses at 8 and 24.
        v6 = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
        udp = b"\x60" + bytes(5) + b"\x11\x40" + v6 + v6 + b"\x10\x00\x00\x7b" + bytes(4)

        assert witness.parse_packet(tcp) == witness.Packet(witness.TCP, "1.1.1.1", 443, 0xC000)
        assert witness.parse_packet(udp) == witness.Packet(witness.UDP, "2001:db8::1", 123, 0x1000)
        assert witness.parse_packet(tcp[:21]) is None
        assert witness.parse_packet(b"") is None
        multicast = tcp[:16] + socket.inet_aton("224.0.0.251") + tcp[20:]
        assert witness.parse_packet(multicast) is None


class TestTheMachine:
    def test_who_listens_and_at_which_addresses(self, tmp_path: Path) -> None:
        net = tmp_path / "net"
        net.mkdir()
        head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        (net / "tcp").write_text(
            head
            + "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
            + "   1: 00000000:2189 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
            + "   2: 0100007F:C001 0100007F:1538 01 00000000:00000000 00:00000000 00000000     0\n"
        )
        (net / "tcp6").write_text(
            f"{head}   0: 00000000000000000000000001000000:1539 {'0' * 32}:0000 0A 0:0 0:0 0\n"
            f"   0: {'0' * 32}:0016 {'0' * 32}:0000 0A 0:0 0:0 0\n"
        )
        (net / "fib_trie").write_text(
            "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 192.168.1.0\n        /24 link UNICAST\n"
            "     |-- 192.168.1.5\n        /32 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n"
        )
        (net / "if_inet6").write_text("fe80000000000000000000000000000a 02 40 20 80     eth0\n")

        assert machine.listening(tmp_path) == machine.Listening(
            v4=frozenset({22, 5432, 8585}), v6=frozenset({22, 5433})
        )
        assert machine.own_addresses(tmp_path) == {"192.168.1.5", "127.0.0.1", "fe80::a"}

    def test_a_machine_that_cannot_be_read_has_nothing(self, tmp_path: Path) -> None:
        assert machine.listening(tmp_path) == (frozenset(), frozenset())
        assert machine.own_addresses(tmp_path) == set()

    def test_proxies_on_it_are_ways_out(self) -> None:
        told = {
            "https_proxy": "http://127.0.0.1:3128",
            "ALL_PROXY": "socks5h://user:word@localhost:1080/",
            "HTTP_PROXY": "proxy.example:8080",
            "no_proxy": "localhost:99",
            "ftp_proxy": "http://localhost:no",
        }

        assert machine.proxy_ports(told) == {3128, 1080}

    def test_who_answers_for_names_is_hidden(self, tmp_path: Path) -> None:
        (tmp_path / "etc").mkdir()
        (tmp_path / "run/nscd").mkdir(parents=True)
        (tmp_path / "run/stub.conf").write_text("nameserver 127.0.0.53\n")
        (tmp_path / "etc/resolv.conf").symlink_to("../run/stub.conf")
        with socket.socket(socket.AF_UNIX) as answering:
            answering.bind(str(tmp_path / "run/nscd/socket"))

        assert machine.masks(Path("/given"), root=tmp_path) == [
            ("/given", str(tmp_path / "run/stub.conf")),
            ("/dev/null", str(tmp_path / "run/nscd/socket")),
        ]


class TestRefusals:
    def test_those_who_try_for_hours_are_counted_and_not_told_one_by_one(self, tmp_path: Path) -> None:
        report = tmp_path / "refused.jsonl"
        refusals = Refusals(report, pid=7)

        for _ in range(1_020):
            refusals.note("example.org", 443)
        refusals.note("example.org", 80)
        for type_ in (dns.A, dns.AAAA, dns.AAAA, dns.A, dns.AAAA):
            refusals.note_question("asked.example", type_)
        refusals.finish()
        refusals.finish()

        told: Counter[tuple[str, int | None]] = Counter()
        lines = [json.loads(line) for line in report.read_bytes().splitlines()]
        for line in lines:
            told[line["host"], line["port"]] += line["count"]
        assert told == {("example.org", 443): 1_020, ("example.org", 80): 1, ("asked.example", None): 3}
        assert {(line["by"], line["pid"]) for line in lines} == {("namespace", 7)}
        assert len(lines) < 150

    def test_a_report_that_cannot_be_written_fails_nobody(self, tmp_path: Path) -> None:
        missing = tmp_path / "no folder" / "refused"

        Refusals(missing, pid=7).note("example.org", 443)
        Refusals(None, pid=7).note("example.org", 443)

        assert not missing.exists()


class TestReasons:
    @pytest.mark.parametrize(
        ("path", "content", "number", "told"),
        [
            ("sys/user/max_user_namespaces", "0", errno.ENOSPC, "user.max_user_namespaces is 0"),
            ("sys/user/max_net_namespaces", "0", errno.ENOSPC, "user.max_net_namespaces is 0"),
            (
                "sys/kernel/unprivileged_userns_clone",
                "0",
                errno.EPERM,
                "kernel.unprivileged_userns_clone is 0",
            ),
            (
                "sys/kernel/apparmor_restrict_unprivileged_userns",
                "1",
                errno.EPERM,
                (
                    "AppArmor forbids it to programs without a profile "
                    "(kernel.apparmor_restrict_unprivileged_userns is 1)"
                ),
            ),
            (
                "self/status",
                "Name:\tpython\nSeccomp:\t2\n",
                errno.EPERM,
                "a seccomp filter forbids it, as that of a container does",
            ),
            ("self/status", "Name:\tpython\nSeccomp:\t0\n", errno.EPERM, "Operation not permitted"),
        ],
    )
    def test_what_forbids_it_is_named(
        self, tmp_path: Path, path: str, content: str, number: int, told: str
    ) -> None:
        for kind in ("user", "net"):
            (tmp_path / "self/ns").mkdir(parents=True, exist_ok=True)
            (tmp_path / "self/ns" / kind).touch()
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)

        assert reasons.words("unshare", number, proc=tmp_path) == f"a namespace cannot be made: {told}"

    def test_a_kernel_without_them_is_told_of(self, tmp_path: Path) -> None:
        told = reasons.words("unshare", errno.EINVAL, proc=tmp_path)

        assert told == ("a namespace cannot be made: this kernel is built without user or network namespaces")
