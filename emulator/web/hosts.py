"""Which site, and which sandbox, a request is for.

The site, first that says: the path's prefix `/<site>/…`, the real host name, the site's own port, a
path that only one site has. The sandbox, first that says: `/~<sandbox>/…`, the host
`<sandbox>.localhost`, the sandbox's own port; then, elsewhere, the API key; then `default`.

Nothing here refuses: what is not recognised is left open (None) for the caller to decide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import parse_qs

import msgspec

from emulator.web.tallies import Called, Tally

SITES = (
    "binance",
    "binance-usdm",
    "binance-coinm",
    "bybit",
    "kucoin",
    "kucoin-futures",
    "paper",
    "binance-vision",
)
"""In the order of their own ports; the last two have none."""

PORT_SITES = SITES[:6]

CONTROL = "/_emulator"

HOST_SITES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "api.binance.com",
            "api-gcp.binance.com",
            "api1.binance.com",
            "api2.binance.com",
            "api3.binance.com",
            "api4.binance.com",
            "data-api.binance.vision",
            "testnet.binance.vision",
            "api1.testnet.binance.vision",
            "demo-api.binance.com",
            "stream.binance.com",
            "data-stream.binance.vision",
            "stream.testnet.binance.vision",
            "demo-stream.binance.com",
            "ws-api.binance.com",
            "ws-api.testnet.binance.vision",
            "demo-ws-api.binance.com",
            "www.binance.com",
        ),
        "binance",
    ),
    **dict.fromkeys(
        (
            "fapi.binance.com",
            "demo-fapi.binance.com",
            "fstream.binance.com",
            "demo-fstream.binance.com",
            "fstream.binancefuture.com",
            "stream.binancefuture.com",
            "ws-fapi.binance.com",
        ),
        "binance-usdm",
    ),
    **dict.fromkeys(
        (
            "dapi.binance.com",
            "demo-dapi.binance.com",
            "dstream.binance.com",
            "dstream.binancefuture.com",
            "demo-dstream.binance.com",
            "ws-dapi.binance.com",
        ),
        "binance-coinm",
    ),
    **dict.fromkeys(
        (
            "data.binance.vision",
            "data.binance.vision.s3.amazonaws.com",
            "data.binance.vision.s3.ap-northeast-1.amazonaws.com",
            "data.binance.vision.s3-ap-northeast-1.amazonaws.com",
            # Its page and most programs list the bucket here; other people's buckets are below other paths.
            "s3-ap-northeast-1.amazonaws.com",
        ),
        "binance-vision",
    ),
    **dict.fromkeys(
        (
            "api.bybit.com",
            "api.bytick.com",
            "api-testnet.bybit.com",
            "api-demo.bybit.com",
            "stream.bybit.com",
            "stream-testnet.bybit.com",
            "stream-demo.bybit.com",
        ),
        "bybit",
    ),
    **dict.fromkeys(
        (
            "api.kucoin.com",
            "api-broker.kucoin.com",
            "openapi-v2.kucoin.com",
            "openapi-sandbox.kucoin.com",
            "ws-api-spot.kucoin.com",
            "x-push-spot.kucoin.com",
            "wsapi-push.kucoin.com",
            "wsapi.kucoin.com",
        ),
        "kucoin",
    ),
    **dict.fromkeys(
        (
            "api-futures.kucoin.com",
            "api-sandbox-futures.kucoin.com",
            "ws-api-futures.kucoin.com",
            "x-push-futures.kucoin.com",
        ),
        "kucoin-futures",
    ),
}
"""`testnet.binancefuture.com` is missing on purpose: it serves both futures sites, told by the path."""

REAL_HOSTS: tuple[str, ...] = (*HOST_SITES, "testnet.binancefuture.com")
"""Every name that an exchange's host has, but for those of regions: for hosts files, and networks' names."""

REGIONAL_DOMAINS: Mapping[str, str] = {
    "binance.us": "binance.com",
    "binance.je": "binance.com",
    "binance.sg": "binance.com",
    "binance.kr": "binance.com",
    "binance.co.jp": "binance.com",
    **dict.fromkeys(
        (
            "bybit.nl",
            "bybit.kz",
            "bybit.eu",
            "bybit.ae",
            "bybit.id",
            "bybit.tr",
            "bybit-tr.com",
            "bybit.com.hk",
            "bybitgeorgia.ge",
            "manepa.jp",
            "bytick.com",
        ),
        "bybit.com",
    ),
    "kucoin.eu": "kucoin.com",
    "kucoin.com.au": "kucoin.com",
    "kucoin.cc": "kucoin.com",
    "kucoin.plus": "kucoin.com",
}
"""Domains whose hosts are those of another: `api.binance.us` is what `api.binance.com` is."""

EXCHANGE_DOMAINS: tuple[str, ...] = (
    "binance.com",
    "binance.vision",
    "binancefuture.com",
    "bybit.com",
    "kucoin.com",
    "data.binance.vision.s3.amazonaws.com",
    "data.binance.vision.s3.ap-northeast-1.amazonaws.com",
    "s3-ap-northeast-1.amazonaws.com",
    *REGIONAL_DOMAINS,
)
"""Domains of which every name is an exchange's, whether it is served here or not."""

PATH_SITES: Mapping[str, str] = {
    "sapi": "binance",
    "ws": "binance",
    "stream": "binance",
    "ws-api": "binance",
    "bapi": "binance",
    "fapi": "binance-usdm",
    "public": "binance-usdm",
    "market": "binance-usdm",
    "private": "binance-usdm",
    "ws-fapi": "binance-usdm",
    "dapi": "binance-coinm",
    "ws-dapi": "binance-coinm",
    "data": "binance-vision",
    "data.binance.vision": "binance-vision",
    "v5": "bybit",
}
"""Sites by the first segment of a path, where it names one. `/api` is told by its version."""

_FUTURES_DATA = "/futures/data/"

_CACHE_MAX = 4096
_CACHED_PATH_MAX = 128


class Place(msgspec.Struct, frozen=True):
    """Where a request goes. `path` has no prefix any more; None is not known.

    by_query: the path is one that two sites have; `futures_data_site` tells which. called: where it is
    noted what comes of the request; None when nobody keeps count of where it came in.
    """

    site: str | None
    sandbox: str | None
    path: str
    by_query: bool = False
    called: Called | None = None


class Hosts:
    """Finds places. What is known of ports may grow and shrink while the server runs."""

    def __init__(self, port_sites: Mapping[int, str] | None = None) -> None:
        self._port_sites: dict[int, str] = dict(port_sites or {})
        self._port_sandboxes: dict[int, str] = {}
        self._port_tallies: dict[int, Tally] = {}
        # What `locate` says depends on its arguments and the maps only, so it is kept per
        # argument; cleared rather than aged, because a client uses a handful of paths.
        self._known: dict[tuple[str, bytes, int], Place] = {}

    def serve_site_on(self, port: int, site: str) -> None:
        self._port_sites[port] = site
        self._known.clear()

    def serve_sandbox_on(self, port: int, sandbox: str) -> None:
        self._port_sandboxes[port] = sandbox
        self._known.clear()

    def count_on(self, port: int, tally: Tally) -> None:
        """Keep count of what comes in there."""
        self._port_tallies[port] = tally
        self._known.clear()

    def sandbox_on(self, port: int) -> str | None:
        """The sandbox whose own port it is."""
        return self._port_sandboxes.get(port)

    def release(self, port: int) -> None:
        self._port_sites.pop(port, None)
        self._port_sandboxes.pop(port, None)
        self._port_tallies.pop(port, None)
        self._known.clear()

    def locate(self, path: str, host: bytes, port: int) -> Place:
        """path: percent-decoded, as in an ASGI scope. host: the Host header, empty when there is none."""
        key = (path, host, port)
        place = self._known.get(key)
        if place is None:
            place = self._judge(path, host, port)
            if len(path) <= _CACHED_PATH_MAX and len(host) <= _CACHED_PATH_MAX:
                if len(self._known) >= _CACHE_MAX:
                    self._known.clear()
                self._known[key] = place
        return place

    def _judge(self, path: str, host: bytes, port: int) -> Place:
        sandbox: str | None = None
        if path.startswith("/~"):
            name, _, rest = path[2:].partition("/")
            sandbox, path = name, "/" + rest
        site: str | None = None
        first, _, rest = path[1:].partition("/")
        if first in SITES:
            site, path = first, "/" + rest
        elif first == CONTROL[1:]:
            return Place(None, sandbox, path)
        name = _host_name(host)
        by_query = False
        if site is None:
            site = site_of_host(name) or self._port_sites.get(port)
            by_query = site is None and path.startswith(_FUTURES_DATA)
            site = site or _site_of_path(path)
        if sandbox is None:
            label, _, parent = name.partition(".")
            sandbox = label if parent == "localhost" and label else self._port_sandboxes.get(port)
        tally = self._port_tallies.get(port)
        return Place(site, sandbox, path, by_query, None if tally is None else tally.of(name))


def is_exchange_host(name: str) -> bool:
    """Whether a name, lower case, is one of an exchange: it is never to be looked for elsewhere."""
    return _domain_of(name, EXCHANGE_DOMAINS) is not None


def site_of_host(name: str) -> str | None:
    """The site that a real host is, by its name in lower case; a region's host is what its namesake is."""
    site = HOST_SITES.get(name)
    if site is None:
        domain = _domain_of(name, REGIONAL_DOMAINS)
        if domain is not None:
            site = HOST_SITES.get(name.removesuffix(domain) + REGIONAL_DOMAINS[domain])
    return site


def _domain_of(name: str, domains: Collection[str]) -> str | None:
    while name:
        if name in domains:
            return name
        name = name.partition(".")[2]
    return None


def _host_name(host: bytes) -> str:
    """The name in a Host header, lower case, without its port."""
    name = host.decode("latin-1").strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].rstrip(".")


def _site_of_path(path: str) -> str | None:
    first, _, rest = path[1:].partition("/")
    if first == "api":
        # KuCoin has /api/v1, /api/v2 and /api/v3 as well, but its paths need a host or a prefix; the
        # old /api/v1 of Binance is asked for by clients that want to hear that it is gone.
        return "binance" if rest.partition("/")[0] in ("v1", "v3") else None
    if path.startswith(_FUTURES_DATA):
        return "binance-usdm"
    return PATH_SITES.get(first)


def futures_data_site(query: bytes) -> str:
    """Which futures site an un-prefixed `/futures/data/…` is for, by what it asks about.

    COIN-M names symbols `BTCUSD_PERP` or `BTCUSD_260925`, or a `pair` that ends in plain USD.
    """
    asked = parse_qs(query.decode("latin-1")[:2000])
    symbol = asked.get("symbol", [""])[0].upper()
    pair = asked.get("pair", [""])[0].upper()
    name = symbol.partition("_")[0] or pair
    return "binance-coinm" if name.endswith("USD") else "binance-usdm"
