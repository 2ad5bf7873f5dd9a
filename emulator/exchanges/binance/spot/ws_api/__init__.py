"""The WebSocket API: what REST offers, session logon, and the accounts' own events (web-socket-api.md).

Every method that REST has too is answered by its row: the same function, parameters and weights.
"""

from __future__ import annotations

from emulator.exchanges.binance.spot.ws_api.sockets import OFFER, socket_row

__all__ = ["OFFER", "socket_row"]
