"""What Python clients are made of, each in its usual forms, asking for the exchange at its real addresses."""

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import aiodns
import aiohttp
import checking
import httpx
import requests
import truststore
import uvloop
import websocket
import websockets
import websockets.sync.client

SPOT = "https://api.binance.com/api/v3/time"
CONTRACTS = "https://fapi.binance.com/fapi/v1/time"
STREAM = "wss://stream.binance.com:9443/ws/btcusdt@bookTicker"


def is_time(answer):
    assert answer.keys() == {"serverTime"}, answer


def is_quote(message):
    assert json.loads(message)["s"] == "BTCUSDT", message


def check_urllib():
    with urllib.request.urlopen(SPOT, timeout=20) as answer:
        is_time(json.load(answer))


def check_urllib_without_proxies():
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(CONTRACTS, timeout=20) as answer:
        is_time(json.load(answer))


def check_plain_http():
    with urllib.request.urlopen("http://api.binance.com/api/v3/time", timeout=20) as answer:
        is_time(json.load(answer))


def check_requests():
    is_time(requests.get(SPOT, timeout=20).json())


def check_requests_that_ignore_the_environment():
    with requests.Session() as session:
        session.trust_env = False
        is_time(session.get(CONTRACTS, timeout=20).json())


def check_httpx():
    is_time(httpx.get(SPOT, timeout=20).json())
    with httpx.Client(trust_env=False, timeout=20) as client:
        is_time(client.get(CONTRACTS).json())


async def check_httpx_asynchronous():
    async with httpx.AsyncClient(timeout=20) as client:
        is_time((await client.get(SPOT)).json())
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        is_time((await client.get(CONTRACTS)).json())


async def ask_with_aiohttp(resolver, **options):
    connector = aiohttp.TCPConnector(resolver=resolver())
    async with aiohttp.ClientSession(connector=connector, **options) as session:
        async with session.get(SPOT) as answer:
            is_time(await answer.json())
        async with session.ws_connect(STREAM) as stream:
            is_quote((await stream.receive()).data)


async def check_aiohttp_with_threads():
    await ask_with_aiohttp(aiohttp.ThreadedResolver)


async def check_aiohttp_with_aiodns():
    await ask_with_aiohttp(aiohttp.AsyncResolver)


async def check_aiohttp_with_proxies():
    await ask_with_aiohttp(aiohttp.ThreadedResolver, trust_env=True)


def check_aiohttp_on_uvloop():
    uvloop.run(ask_with_aiohttp(aiohttp.ThreadedResolver))
    uvloop.run(ask_with_aiohttp(aiohttp.AsyncResolver))


async def check_names_by_aiodns():
    resolver = aiodns.DNSResolver()
    found = await resolver.getaddrinfo("api.binance.com", family=socket.AF_INET, port=443)
    assert {node.addr[0] for node in found.nodes} == {b"127.85.85.85"}, found
    assert (await resolver.gethostbyname("api.binance.com", socket.AF_INET)).addresses == ["127.85.85.85"]


async def listen_with_websockets(**options):
    async with websockets.connect(STREAM, **options) as stream:
        is_quote(await stream.recv())


async def check_websockets():
    await listen_with_websockets()


async def check_websockets_without_proxies():
    await listen_with_websockets(proxy=None)


def check_websockets_on_uvloop():
    uvloop.run(listen_with_websockets(proxy=None))


def check_websockets_synchronous():
    with websockets.sync.client.connect(STREAM) as stream:
        is_quote(stream.recv(timeout=20))


def check_websocket_client():
    stream = websocket.create_connection(STREAM, timeout=20)
    is_quote(stream.recv())
    stream.close()


async def check_streams_of_asyncio():
    for loop in (asyncio, uvloop):

        async def ask():
            reader, writer = await asyncio.open_connection("api.binance.com", 443, ssl=True)
            writer.write(b"GET /api/v3/time HTTP/1.1\r\nHost: api.binance.com\r\nConnection: close\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()

        await asyncio.to_thread(loop.run, ask())


def check_a_bare_socket():
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(family) as bare:
            bare.settimeout(20)
            bare.connect(("api.binance.com", 443))
            with ssl.create_default_context().wrap_socket(bare, server_hostname="api.binance.com") as secure:
                secure.sendall(b"GET /api/v3/time HTTP/1.0\r\nHost: api.binance.com\r\n\r\n")
                assert secure.recv(100).startswith(b"HTTP/1.1 200")


def check_contexts_of_other_kinds():
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_default_verify_paths()
    context.set_verify(SSL.VERIFY_PEER, lambda connection, certificate, number, depth, is_fine: is_fine)
    with socket.create_connection(("api.binance.com", 443)) as bare:
        bare.setblocking(True)
        secure = SSL.Connection(context, bare)
        secure.set_tlsext_host_name(b"api.binance.com")
        secure.set_connect_state()
        secure.do_handshake()
    is_time(httpx.get(SPOT, verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT), timeout=20).json())


def check_who_names_a_ca_of_its_own_trusts_ours_too():
    import certifi

    is_time(requests.get(SPOT, verify=certifi.where(), timeout=20).json())


def check_certifis_list_for_who_reads_it_otherwise():
    import certifi

    text = Path(certifi.where()).read_text(encoding="utf-8")
    assert text.count("BEGIN CERTIFICATE") > 50
    assert certifi.contents().split() == text.split()
    curl = shutil.which("curl")
    if curl is not None:
        command = [curl, "-sS", "--cacert", certifi.where(), SPOT]
        is_time(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))


checking.main(sys.modules[__name__])
