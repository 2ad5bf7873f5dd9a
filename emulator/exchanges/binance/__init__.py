"""Binance: what its products share, and one package per product.

`engine` makes the one engine behind all of its sites, `sites` the sites, `SYMBOLS` says what each of
them calls the engine's instruments.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from emulator.core.engine import Engine
from emulator.core.fees import FeeRules
from emulator.core.markets import Feed
from emulator.core.rules import EngineRules
from emulator.exchanges.binance import bulk, futures
from emulator.exchanges.binance.assets import assets
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.door import futures_doors
from emulator.exchanges.binance.futures.products import COINM, PRODUCTS, USDM, Product, instruments_of
from emulator.exchanges.binance.futures.streams.sockets import sockets as futures_sockets
from emulator.exchanges.binance.futures.user_data import LISTEN_KEYS
from emulator.exchanges.binance.futures.ws_api import socket_row as futures_socket_row
from emulator.exchanges.binance.running import ENGINE
from emulator.exchanges.binance.snippets import snippets
from emulator.exchanges.binance.spot import (
    account,
    listen_keys,
    market,
    order_lists,
    queries,
    trading,
    wallet,
)
from emulator.exchanges.binance.spot.instruments import load
from emulator.exchanges.binance.spot.streams.sockets import sockets as stream_sockets
from emulator.exchanges.binance.spot.ws_api import socket_row
from emulator.web.contract import Counting, NotEmulated, Site, Timestamps

__all__ = ["ASSETS", "ENGINE", "SYMBOLS", "TRADED", "WALLETS", "Eras", "engine", "sites", "snippets"]

WALLETS = ("spot", "funding", USDM.wallet, COINM.wallet)

ASSETS = frozenset(assets()).union(
    *((listing.instrument.base, listing.instrument.quote) for listing in load())
)
TRADED: Mapping[str, frozenset[str]] = MappingProxyType(
    {"spot": ASSETS, USDM.wallet: frozenset(futures.COLLATERAL), COINM.wallet: frozenset(COINM.assets)}
)
"""What can be used for trading in each wallet from which instruments are traded."""

SYMBOLS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "binance": {listing.symbol: listing.symbol for listing in load()},
        **{
            product.site: {symbol: listing.instrument.symbol for symbol, listing in product.listings.items()}
            for product in PRODUCTS.values()
        },
    }
)
"""The instrument of each symbol, by site."""

SPOT_NOT_EMULATED = (
    *wallet.NOT_EMULATED,
    NotEmulated("*", "/sapi/*", "not among the endpoints that spot clients call"),
    NotEmulated("*", "/api/v1/*", "the exchange itself retired /api/v1; use /api/v3"),
    NotEmulated("*", "/bapi/*", "what the web site itself calls is not emulated"),
)


def engine(feed: Feed) -> Engine:
    """The engine of all of Binance's products, without any state."""
    listed = {listing.symbol: listing.instrument for listing in load()}
    return Engine(
        ENGINE,
        {**listed, **instruments_of(PRODUCTS.values())},
        feed,
        WALLETS,
        EngineRules(
            # Quirk: fees in BNB are a quarter less on Spot and a tenth on USD-M, each out of its own
            # wallet; on COIN-M there are none (FAQ "Fee Schedule of Binance Futures").
            fees=FeeRules(discount_asset="BNB", discounts={USDM.wallet: Decimal("0.9")}),
            symbols={(instrument.base, instrument.quote): symbol for symbol, instrument in listed.items()},
            margin=futures.MARGIN,
        ),
    )


def sites(*, eras: Eras, timestamps: Timestamps, counting: Counting) -> tuple[Site, ...]:
    """The sites that are served. timestamps, counting: see `door`."""
    doors = futures_doors(eras=eras, engine=ENGINE, timestamps=timestamps, counting=counting)
    spot_door = Door(eras=eras, engine=ENGINE, timestamps=timestamps, counting=counting)

    def futures_site(product: Product) -> Site:
        rows = futures.rows(product)
        return Site(
            name=product.site,
            engine=ENGINE,
            title=product.title,
            rows=rows,
            dialect=doors[product],
            not_emulated=futures.not_emulated(product),
            sockets=(
                *futures_sockets(product, doors[product], LISTEN_KEYS[product]),
                futures_socket_row(product, rows),
            ),
        )

    return (
        Site(
            name="binance",
            engine=ENGINE,
            title="Binance Spot",
            rows=(
                *market.rows,
                *trading.rows,
                *queries.rows,
                *order_lists.rows,
                *account.rows,
                *wallet.rows,
                *(listen_keys.rows if eras.spot_listen_key == "serve" else ()),
            ),
            dialect=spot_door,
            not_emulated=SPOT_NOT_EMULATED,
            sockets=(*stream_sockets(spot_door), socket_row),
        ),
        futures_site(USDM),
        futures_site(COINM),
        bulk.site(),
    )
