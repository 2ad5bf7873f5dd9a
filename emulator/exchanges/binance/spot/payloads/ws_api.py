"""What spot's WebSocket API answers beyond what REST does, and beyond other products' ones."""

from __future__ import annotations

from typing import TypedDict

from emulator.exchanges.binance.ws_api.payloads import SessionState


class SpotSessionState(SessionState):
    """userDataStream: whether user data is subscribed to."""

    userDataStream: bool


class Subscribed(TypedDict):
    subscriptionId: int


class Nothing(TypedDict):
    pass
