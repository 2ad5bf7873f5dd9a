"""Which site and sandbox a request is for: the public contract of prefixes, hosts and ports."""

from __future__ import annotations

import pytest

from emulator.web.hosts import (
    HOST_SITES,
    PORT_SITES,
    SITES,
    Hosts,
    Place,
    futures_data_site,
    is_exchange_host,
)

HOSTS = Hosts({8585 + number: site for number, site in enumerate(PORT_SITES, start=1)})


def locate(path: str, host: str = "127.0.0.1:8585", port: int = 8585) -> tuple[str | None, str | None, str]:
    place = HOSTS.locate(path, host.encode(), port)
    return place.site, place.sandbox, place.path


@pytest.mark.parametrize("site", SITES)
def test_a_prefix_names_the_site(site: str) -> None:
    assert locate(f"/{site}/api/v3/ping") == (site, None, "/api/v3/ping")
    assert locate(f"/{site}") == (site, None, "/")


@pytest.mark.parametrize(
    ("path", "site"),
    [
        ("/api/v3/order", "binance"),
        ("/api/v1/ping", "binance"),
        ("/sapi/v1/system/status", "binance"),
        ("/ws/btcusdt@trade", "binance"),
        ("/stream", "binance"),
        ("/ws-api/v3", "binance"),
        ("/fapi/v1/exchangeInfo", "binance-usdm"),
        ("/public/ws", "binance-usdm"),
        ("/market/stream", "binance-usdm"),
        ("/private/ws", "binance-usdm"),
        ("/ws-fapi/v1", "binance-usdm"),
        ("/dapi/v1/exchangeInfo", "binance-coinm"),
        ("/ws-dapi/v1", "binance-coinm"),
        ("/v5/order/create", "bybit"),
        ("/api/v2/symbols", None),
        ("/api/v30/order", None),
        ("/apis/v3/order", None),
        ("/", None),
        ("/docs", None),
    ],
)
def test_a_path_that_one_site_has_needs_no_prefix(path: str, site: str | None) -> None:
    assert locate(path) == (site, None, path)


@pytest.mark.parametrize(("name", "site"), sorted(HOST_SITES.items()))
def test_a_real_host_name_names_the_site(name: str, site: str) -> None:
    assert locate("/api/v1/anything", name)[0] == site
    assert locate("/api/v1/anything", f"{name.upper()}:443")[0] == site
    assert locate("/api/v1/anything", f"{name}.")[0] == site


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("api.binance.us", "binance"),
        ("stream.binance.us", "binance"),
        ("fapi.binance.sg", "binance-usdm"),
        ("api.bybit.nl", "bybit"),
        ("stream.bybit-tr.com", "bybit"),
        ("api.kucoin.eu", "kucoin"),
        ("api-futures.kucoin.eu", "kucoin-futures"),
        ("support.binance.us", None),
        ("api.binance.us.example.org", None),
        ("binance.us", None),
    ],
)
def test_a_regions_host_is_what_its_namesake_is(name: str, site: str | None) -> None:
    assert locate("/anything", name)[0] == site


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *((name, True) for name in HOST_SITES),
        ("testnet.binancefuture.com", True),
        ("anything.at.all.binance.com", True),
        ("binance.com", True),
        ("bybit.kz", True),
        ("mybinance.com", False),
        ("binance.com.example.org", False),
        ("com", False),
        ("", False),
    ],
)
def test_every_name_of_an_exchanges_domain_is_an_exchanges(name: str, is_one: bool) -> None:
    assert is_exchange_host(name) is is_one


@pytest.mark.parametrize(("number", "site"), list(enumerate(PORT_SITES, start=1)))
def test_each_site_has_a_port_in_the_order_of_the_list(number: int, site: str) -> None:
    assert locate("/api/v1/timestamp", f"127.0.0.1:{8585 + number}", 8585 + number)[0] == site


def test_a_prefix_wins_over_host_and_port() -> None:
    assert locate("/bybit/v5/time", "api.binance.com", 8586)[0] == "bybit"


def test_a_host_wins_over_a_port() -> None:
    assert locate("/api/v1/timestamp", "api.kucoin.com", 8586)[0] == "kucoin"


def test_a_port_wins_over_what_a_path_suggests() -> None:
    assert locate("/api/v3/hf/orders", "127.0.0.1", 8590)[0] == "kucoin"


def test_a_stranger_host_says_nothing() -> None:
    assert locate("/api/v3/ping", "example.com") == ("binance", None, "/api/v3/ping")


@pytest.mark.parametrize(
    ("path", "host", "sandbox", "rest"),
    [
        ("/~red/binance/api/v3/ping", "127.0.0.1", "red", "/api/v3/ping"),
        ("/~red/api/v3/ping", "127.0.0.1", "red", "/api/v3/ping"),
        ("/api/v3/ping", "red.localhost:8585", "red", "/api/v3/ping"),
        ("/api/v3/ping", "RED.localhost", "red", "/api/v3/ping"),
        ("/api/v3/ping", "localhost:8585", None, "/api/v3/ping"),
        ("/~blue/api/v3/ping", "red.localhost", "blue", "/api/v3/ping"),
        ("/~/api/v3/ping", "127.0.0.1", "", "/api/v3/ping"),
    ],
)
def test_a_sandbox_is_named_by_path_or_host(path: str, host: str, sandbox: str | None, rest: str) -> None:
    assert locate(path, host) == ("binance", sandbox, rest)


def test_a_sandbox_has_its_own_port_while_it_is_served_there() -> None:
    hosts = Hosts()
    hosts.serve_sandbox_on(9001, "red")
    assert hosts.locate("/api/v3/ping", b"127.0.0.1:9001", 9001).sandbox == "red"
    assert hosts.locate("/api/v3/ping", b"blue.localhost:9001", 9001).sandbox == "blue"
    hosts.release(9001)
    assert hosts.locate("/api/v3/ping", b"127.0.0.1:9001", 9001).sandbox is None


def test_the_control_api_is_no_site_even_on_a_site_port() -> None:
    assert locate("/_emulator/health", "api.binance.com", 8586) == (None, None, "/_emulator/health")
    assert locate("/~red/_emulator/clock")[1] == "red"


@pytest.mark.parametrize(
    ("query", "site"),
    [
        (b"symbol=BTCUSDT&period=5m", "binance-usdm"),
        (b"symbol=BTCUSD_PERP", "binance-coinm"),
        (b"symbol=BTCUSD_260925", "binance-coinm"),
        (b"pair=BTCUSD&contractType=PERPETUAL", "binance-coinm"),
        (b"pair=BTCUSDT", "binance-usdm"),
        (b"", "binance-usdm"),
    ],
)
def test_futures_data_goes_by_its_symbol(query: bytes, site: str) -> None:
    assert HOSTS.locate("/futures/data/basis", b"127.0.0.1", 8585).by_query
    assert futures_data_site(query) == site


def test_futures_data_on_a_named_site_is_that_sites() -> None:
    place = HOSTS.locate("/futures/data/basis", b"dapi.binance.com", 443)
    assert place == Place("binance-coinm", None, "/futures/data/basis")


def test_what_is_remembered_is_bounded() -> None:
    hosts = Hosts()
    for number in range(5000):
        hosts.locate(f"/api/v3/{number}", b"127.0.0.1", 8585)
    assert len(hosts._known) <= 4096
    hosts.locate("/api/v3/" + "x" * 10_000, b"127.0.0.1", 8585)
    assert all(len(path) <= 128 for path, _, _ in hosts._known)
