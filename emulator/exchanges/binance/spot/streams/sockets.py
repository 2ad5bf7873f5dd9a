"""The sockets of spot's market streams."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.lifetime import SPOT_HEARTBEAT
from emulator.exchanges.binance.spot.listen_keys import LISTEN_KEYS
from emulator.exchanges.binance.spot.streams.channels import CHANNELS
from emulator.exchanges.binance.spot.streams.hub import HUBS
from emulator.exchanges.binance.spot.streams.names import Stream, StreamKind, parse_stream
from emulator.exchanges.binance.streams.connection import PATHS, socket_rows
from emulator.exchanges.binance.streams.offer import Offer
from emulator.web.contract import SocketRow


def _serves(stream: Stream, route: str, eras: Eras) -> bool:
    return stream.kind is not StreamKind.TICKERS or eras.all_tickers_stream == "serve"


OFFER: Final = Offer(
    hubs=HUBS,
    parse=parse_stream,
    serves=_serves,
    channels=CHANNELS,
    heartbeat=SPOT_HEARTBEAT,
    listen_keys=LISTEN_KEYS,
    listens=lambda eras: eras.spot_listen_key == "serve",
    takes_time_unit=True,
    announces_shutdown=True,
)


def sockets(door: Door) -> tuple[SocketRow, ...]:
    """The paths of the market streams."""
    return socket_rows(
        door,
        OFFER,
        (
            *PATHS,
            ("/stream/ws", "As `/ws`, for clients that tell spot by `/stream` in the address"),
            ("/stream/ws/*", "As `/ws/*`, for the same clients"),
        ),
    )
