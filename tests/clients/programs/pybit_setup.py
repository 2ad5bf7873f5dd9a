"""pybit pointed at the emulator by an attribute of its session and by its templates of addresses.

Its socket of a product takes what it may subscribe to from the address, so all of the path is kept.
"""

import queue
from contextlib import contextmanager

import pybit._websocket_trading as orders
import pybit.unified_trading as unified
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading
from stage import STREAMS, URL

WITHIN_S = 10

unified.PUBLIC_WSS = f"{STREAMS}/v5/public/{{CHANNEL_TYPE}}"
unified.PRIVATE_WSS = f"{STREAMS}/v5/private"
orders.TRADE_WSS = f"{STREAMS}/v5/trade"


def session_of(account=None, **options):
    keys = {} if account is None else {"api_key": account.key, "api_secret": account.secret}
    session = HTTP(**keys, **options)
    session.endpoint = URL
    return session


class Heard:
    """What a socket's callback is told, in order."""

    def __init__(self):
        self._came = queue.Queue()

    def __call__(self, message):
        self._came.put(message)

    def next(self):
        return self._came.get(timeout=WITHIN_S)

    def until(self, is_wanted):
        """The first message that is wanted; what comes before it is dropped."""
        while not is_wanted(message := self.next()):
            pass
        return message


@contextmanager
def listening(channel, account=None):
    """A socket of the market, or with `private` one of the account."""
    keys = {} if account is None else {"api_key": account.key, "api_secret": account.secret}
    socket = WebSocket(testnet=False, channel_type=channel, **keys)
    try:
        yield socket
    finally:
        socket.exit()


@contextmanager
def ordering(account, **options):
    socket = WebSocketTrading(testnet=False, api_key=account.key, api_secret=account.secret, **options)
    try:
        yield socket
    finally:
        socket.exit()
