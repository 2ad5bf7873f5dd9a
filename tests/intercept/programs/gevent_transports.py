"""The same for programs whose sockets gevent has put its own in place of."""

from gevent import monkey

monkey.patch_all()

import socket  # noqa: E402 - patched first
import sys  # noqa: E402 - patched first

import checking  # noqa: E402 - patched first
import requests  # noqa: E402 - patched first
import websocket  # noqa: E402 - patched first

SPOT = "https://api.binance.com/api/v3/time"
STREAM = "wss://stream.binance.com:9443/ws/btcusdt@bookTicker"


def check_requests():
    assert requests.get(SPOT, timeout=20).json().keys() == {"serverTime"}
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(SPOT, timeout=20).json().keys() == {"serverTime"}


def check_websocket_client():
    stream = websocket.create_connection(STREAM, timeout=20, http_no_proxy=["*"])
    assert "BTCUSDT" in stream.recv()
    stream.close()


def check_that_does_not_wait():
    with socket.socket() as connection:
        connection.setblocking(False)
        connection.connect_ex(("api.binance.com", 443))
        connection.settimeout(20)
        connection.send(b"GET /api/v3/time HTTP/1.0\r\nHost: api.binance.com\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def check_others_are_refused():
    for host, error in (("192.0.2.1", ConnectionRefusedError), ("elsewhere.example", OSError)):
        try:
            socket.create_connection((host, 443), timeout=5)
        except error:
            continue
        raise AssertionError(f"{host}: it was let out")


checking.main(sys.modules[__name__])
