"""The WebSocket APIs of futures: what REST offers, session logon, and listen keys.

Every method that REST has too is answered by its row: the same function, parameters and weights.
"""

from __future__ import annotations

from emulator.exchanges.binance.futures.ws_api.sockets import socket_row

__all__ = ["socket_row"]
