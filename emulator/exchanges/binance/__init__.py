"""Binance: what its products share, and one package per product.

`engine` makes the one engine behind all of its sites, `sites` the sites, `SYMBOLS` says what each of
them calls the engine's instruments.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType

from emulator.core.engine import Engine
from emulator.core.fees import FeeRules
from emulator.core.markets import Feed
from emulator.core.rules import EngineRules
from emulator.exchanges.binance.assets import assets
from emulator.exchanges.binance.door import Counting, Door, Timestamps
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures import market as futures_market
from emulator.exchanges.binance.limits import Limits
from emulator.exchanges.binance.spot import instruments as spot_instruments
from emulator.web.contract import NotEmulated, Rows, Site

ENGINE = "binance"

WALLETS = ("spot", "funding", "usdm", "coinm")
TRADING_WALLETS = ("spot",)
"""Those that today's instruments trade from; the others hold balances only."""

ASSETS = frozenset(assets()).union(
    *((listing.instrument.base, listing.instrument.quote) for listing in spot_instruments.load())
)

SYMBOLS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"binance": {listing.symbol: listing.symbol for listing in spot_instruments.load()}}
)
"""The instrument of each symbol, by site."""

SPOT_NOT_EMULATED = (
    NotEmulated("*", "/ws*", "streams are not emulated yet"),
    NotEmulated("*", "/stream*", "streams are not emulated yet"),
    NotEmulated("*", "/api/v1/*", "the exchange itself retired /api/v1; use /api/v3"),
    NotEmulated("*", "/sapi/v1/margin/*", "margin trading is not emulated"),
    NotEmulated("*", "/sapi/v1/algo/*", "algo orders are not emulated"),
    NotEmulated("*", "/sapi/v1/sub-account/*", "sub-accounts are not emulated"),
    NotEmulated("*", "/sapi/v1/simple-earn/*", "earn products are not emulated"),
    NotEmulated("*", "/sapi/v1/staking/*", "staking is not emulated"),
    NotEmulated("*", "/sapi/v1/loan/*", "loans are not emulated"),
    NotEmulated("*", "/sapi/v1/convert/*", "conversions are not emulated"),
    NotEmulated("*", "/sapi/*", "not among the wallet endpoints that spot clients call"),
    NotEmulated("*", "/bapi/*", "the web site's own interface is not emulated"),
)


def engine(feed: Feed) -> Engine:
    """The engine of all of Binance's products, without any state."""
    listed = {listing.symbol: listing.instrument for listing in spot_instruments.load()}
    return Engine(
        ENGINE,
        listed,
        feed,
        WALLETS,
        EngineRules(
            fees=FeeRules(discount_asset="BNB"),
            symbols={(instrument.base, instrument.quote): symbol for symbol, instrument in listed.items()},
        ),
    )


def sites(*, eras: Eras, timestamps: Timestamps, counting: Counting) -> tuple[Site, ...]:
    """The sites that are served. timestamps, counting: see `door`."""
    futures_limits = Limits(weight_per_minute=futures_market.REQUESTS_PER_MINUTE)

    def door(limits: Limits) -> Door:
        return Door(eras=eras, limits=limits, engine=ENGINE, timestamps=timestamps, counting=counting)

    return (
        Site(
            name="binance",
            engine=ENGINE,
            title="Binance Spot",
            rows=tuple(route for rows in _spot_rows() for route in rows),
            dialect=door(Limits()),
            not_emulated=SPOT_NOT_EMULATED,
        ),
        Site(
            name="binance-usdm",
            engine=ENGINE,
            title="Binance USD-M Futures",
            rows=tuple(futures_market.usdm_rows),
            dialect=door(futures_limits),
            not_emulated=futures_market.usdm_not_emulated,
            description="Futures are not emulated yet: no contract is listed.",
        ),
        Site(
            name="binance-coinm",
            engine=ENGINE,
            title="Binance COIN-M Futures",
            rows=tuple(futures_market.coinm_rows),
            dialect=door(futures_limits),
            not_emulated=futures_market.coinm_not_emulated,
            description="Futures are not emulated yet: no contract is listed.",
        ),
    )


def _spot_rows() -> list[Rows]:
    names = [f"emulator.exchanges.binance.spot.{part}" for part in ("market", "trading", "account", "wallet")]
    return [import_module(name).rows for name in names if find_spec(name) is not None]
