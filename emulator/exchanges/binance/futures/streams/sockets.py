"""The sockets of the futures sites' market streams."""

from __future__ import annotations

from functools import partial

from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.products import COINM, Product
from emulator.exchanges.binance.futures.streams.channels import channels
from emulator.exchanges.binance.futures.streams.hub import hubs_of
from emulator.exchanges.binance.futures.streams.names import PLAIN_NAMES, PUBLIC, ROUTES, Stream, parse_stream
from emulator.exchanges.binance.lifetime import FUTURES_HEARTBEAT
from emulator.exchanges.binance.streams.connection import PATHS, socket_rows
from emulator.exchanges.binance.streams.offer import Offer
from emulator.exchanges.binance.user_data.listen_keys import ListenKeyRing
from emulator.web.contract import SocketRow


def _serves(site: Product, stream: Stream, route: str, eras: Eras) -> bool:
    if site is COINM or eras.futures_stream_routes == "any":
        return True
    # Quirk: without a route what belongs to /public is told, and of all else nothing, though it can be
    # subscribed to (change log of derivatives, 2026-04-23).
    return stream.route == (route or PUBLIC)


def offer_of(site: Product, eras: Eras, listen_keys: ListenKeyRing | None = None) -> Offer[Stream]:
    """listen_keys: those of the product, where it gives any out."""
    return Offer(
        hubs=hubs_of(site, is_merged=eras.futures_arrays == "merged"),
        parse=partial(parse_stream, site),
        serves=partial(_serves, site),
        channels=channels(site),
        heartbeat=FUTURES_HEARTBEAT,
        listen_keys=listen_keys,
        routes=() if site is COINM else ROUTES,
        plain_names=PLAIN_NAMES,
        takes_keys=True,
    )


def sockets(site: Product, door: Door, listen_keys: ListenKeyRing | None = None) -> tuple[SocketRow, ...]:
    """The paths of the market streams; those of USD-M with each of its routes before them, and without."""
    offer = offer_of(site, door.eras, listen_keys)
    paths = [
        (f"{route}{path}", summary)
        for route in ("", *(f"/{name}" for name in offer.routes))
        for path, summary in PATHS
    ]
    return socket_rows(door, offer, paths)
