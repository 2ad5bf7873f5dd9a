"""Ways out of Python that the guard stands in: all of them are refused, and none as a success."""

import asyncio
import errno
import socket
import sys

import aiodns
import checking
import requests
import uvloop

ELSEWHERE = "elsewhere.example"
ADDRESS = "192.0.2.1"  # Of TEST-NET-1, which nobody has (RFC 5737).


def refused(call, *arguments, of=ConnectionRefusedError):
    try:
        outcome = call(*arguments)
    except of as error:
        return error
    raise AssertionError(f"it was let out: {outcome}")


async def refused_soon(asked, of=ConnectionRefusedError):
    try:
        outcome = await asked
    except of:
        return
    raise AssertionError(f"it was let out: {outcome}")


def check_names():
    refused(socket.getaddrinfo, ELSEWHERE, 443, of=socket.gaierror)
    refused(socket.gethostbyname, ELSEWHERE, of=socket.gaierror)
    refused(socket.gethostbyname_ex, ELSEWHERE, of=socket.gaierror)
    refused(socket.gethostbyaddr, ADDRESS, of=socket.gaierror)
    refused(socket.getnameinfo, (ADDRESS, 443), 0, of=socket.gaierror)
    refused(socket.getnameinfo, (ELSEWHERE, 443), 0, of=socket.gaierror)
    # Nobody is asked for the digits of an address.
    digits = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    assert socket.getnameinfo((ADDRESS, 443), digits) == (ADDRESS, "443")
    with socket.socket() as listening:
        refused(listening.bind, (ELSEWHERE, 0), of=socket.gaierror)
        refused(listening.bind, ("api.binance.com", 0), of=socket.gaierror)
        listening.bind(("localhost", 0))


def check_connections():
    for family, address in ((socket.AF_INET, ADDRESS), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family) as connection:
            refused(connection.connect, (address, 443))
            refused(connection.connect, (ELSEWHERE, 443))
            assert connection.connect_ex((address, 443)) == errno.ECONNREFUSED
    refused(socket.create_connection, (ADDRESS, 443))


def check_the_error_is_one_that_other_processes_know():
    error = refused(socket.create_connection, (ADDRESS, 443))
    assert type(error) is ConnectionRefusedError
    assert error.errno == errno.ECONNREFUSED


def check_datagrams():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        refused(datagrams.sendto, b"x", (ADDRESS, 53))
        refused(datagrams.sendmsg, [b"x"], [], 0, (ADDRESS, 53))
        refused(datagrams.connect, (ADDRESS, 53))
        refused(datagrams.sendto, b"x", (ELSEWHERE, 53))
        refused(datagrams.sendmsg, [b"x"], [], 0, (ELSEWHERE, 53))
        refused(datagrams.sendmsg, [b"x"], [], 0, ("api.binance.com", 53))
        refused(datagrams.connect, ("api.binance.com", 443))


def check_a_socket_that_knows_no_hook():
    import _socket

    bare = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    refused(bare.connect, (ADDRESS, 443))
    # Nothing leads it to the gate, so an exchange's name is refused there, too.
    refused(_socket.getaddrinfo, "api.binance.com", 443, of=_socket.gaierror)
    bare.close()


def check_requests():
    with requests.Session() as session:
        session.trust_env = False
        refused(session.get, f"https://{ELSEWHERE}/", of=requests.ConnectionError)
        refused(session.get, f"https://{ADDRESS}/", of=requests.ConnectionError)
    refused(requests.get, f"https://{ELSEWHERE}/", of=requests.exceptions.ProxyError)


async def on_a_loop():
    loop = asyncio.get_running_loop()
    await refused_soon(loop.create_connection(asyncio.Protocol, ADDRESS, 443))
    await refused_soon(loop.create_connection(asyncio.Protocol, ELSEWHERE, 443), of=OSError)
    await refused_soon(loop.getaddrinfo(ELSEWHERE, 443), of=socket.gaierror)
    await refused_soon(loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(ADDRESS, 53)))
    await refused_soon(loop.getnameinfo((ADDRESS, 443)), of=socket.gaierror)
    own = {"local_addr": (ELSEWHERE, 0)}
    await refused_soon(loop.create_connection(asyncio.Protocol, "localhost", 443, **own), of=socket.gaierror)
    await refused_soon(loop.create_datagram_endpoint(asyncio.DatagramProtocol, **own), of=socket.gaierror)
    with socket.socket() as connection:
        connection.setblocking(False)
        await refused_soon(loop.sock_connect(connection, (ADDRESS, 443)))


async def check_asyncio():
    await on_a_loop()


def check_uvloop():
    uvloop.run(on_a_loop())


async def check_aiodns():
    resolver = aiodns.DNSResolver()
    await refused_soon(resolver.getaddrinfo(ELSEWHERE, family=socket.AF_INET), of=aiodns.error.DNSError)
    await refused_soon(resolver.gethostbyaddr(ADDRESS), of=aiodns.error.DNSError)
    await refused_soon(resolver.getnameinfo((ADDRESS, 443), 0), of=aiodns.error.DNSError)


def check_loopback_is_let_through():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for name in ("127.0.0.1", "localhost"):
            socket.create_connection((name, port), timeout=10).close()
        uvloop.run(asyncio.wait_for(asyncio.open_connection("localhost", port), 10))


checking.main(sys.modules[__name__])
